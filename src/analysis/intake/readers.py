"""Readers: a text file, a Parquet file, a workbook or a table of a database becomes one raw table in the engine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from analysis.errors import SourceError
from analysis.intake import dialect, encoding, engine, workbook
from analysis.intake.raw import Raw, RawColumn, Reject, TextLayout
from analysis.source_params import FileForm

_REASONS = {"MISSING COLUMNS": "too few fields", "TOO MANY COLUMNS": "too many fields"}
_MOST_LINES = 100
_PARQUET_TYPES = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "DOUBLE"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP WITH TIME ZONE",
    "DATE": "DATE",
    "BOOLEAN": "BOOLEAN",
}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read(con: duckdb.DuckDBPyConnection, table: str, form: FileForm, file: Path, folder: Path) -> Raw:
    """Read ``file`` into the raw table ``table``; ``folder`` takes copies in other encodings.

    Raises SourceError where the file is empty, binary, or not what its ending says.
    """
    source = form.path or file.name
    ending = file.suffix.casefold()
    if ending in (".xlsx", ".xlsm"):
        return workbook.read(con, table, file, form.sheet, source)
    if ending in (".parquet", ".pq"):
        return _read_parquet(con, table, file, source)
    return _read_text(con, table, form, file, folder)


def _read_text(con: duckdb.DuckDBPyConnection, table: str, form: FileForm, file: Path, folder: Path) -> Raw:
    source = form.path or file.name
    text = encoding.as_utf8(file, form.encoding, folder, source)
    path = dialect.blank_separated(text.path, folder) if form.separator == "blank" else text.path
    path = encoding.with_plain_line_ends(path, folder) if encoding.has_old_line_ends(path) else path
    found = dialect.find(path, form, source)
    if not _materialise(con, table, path, found):
        path = encoding.with_plain_line_ends(path, folder)
        if not _materialise(con, table, path, found):
            raise SourceError(source, "the rows cannot be told apart", "Export it again as CSV")
    columns = tuple(
        RawColumn(f"c{number}", header, decimal=form.decimal, day_first=form.day_first)
        for number, header in enumerate(found.headers)
    )
    layout = TextLayout(path, text.encoding, found.separator, found.header_lines)
    rejects = _rejects(con, table, path, source)
    rows = engine.count(con, table)
    return Raw(table, source, _filled(con, table, columns), rows, rejects, layout, notes=text.notes)


def _materialise(con: duckdb.DuckDBPyConnection, table: str, file: Path, found: dialect.Dialect) -> bool:
    """Read once, everything as text; what DuckDB rejects stands in ``<table>_rejects`` afterwards.

    Returns False where lines end now in one way, now in another: DuckDB stops there, or even finds nothing. The
    file's name is no bound parameter, for with one DuckDB 1.5 parses the file twice.
    """
    columns = {f"c{number}": "VARCHAR" for number in range(len(found.headers))}
    not_blank = "" if len(columns) > 1 else "WHERE c0 IS NOT NULL"
    line_end = encoding.line_end(file, max(1, found.header_lines)).replace("\r", "\\r").replace("\n", "\\n")
    try:
        con.execute(
            f"""CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_csv(
                {engine.literal(file)}, columns = {columns}, auto_detect = false, header = false, skip = {found.skip},
                delim = {engine.literal(found.separator)}, quote = '"', escape = '"', new_line = '{line_end}',
                store_rejects = true, rejects_table = '{table}_rejects', rejects_scan = '{table}_scans') {not_blank}"""
        )
    except duckdb.InvalidInputException:
        return False
    con.execute(f"ALTER TABLE {table} ADD COLUMN state UTINYINT DEFAULT 0")
    return engine.count(con, table) + engine.count(con, f"{table}_rejects") > 0


def _filled(con: duckdb.DuckDBPyConnection, table: str, columns: tuple[RawColumn, ...]) -> tuple[RawColumn, ...]:
    """Leave out columns without name and value, as a separator at each line's end makes them."""

    def is_empty(number: int, column: RawColumn) -> bool:
        unnamed = column.header == f"column {number}"
        return unnamed and not engine.count(con, table, column.sql)

    return tuple(column for number, column in enumerate(columns, start=1) if not is_empty(number, column))


def _rejects(con: duckdb.DuckDBPyConnection, table: str, file: Path, source: str) -> tuple[Reject, ...]:
    """Return what DuckDB rejected, by line.

    DuckDB counts records, so lines are counted up to each byte position; and it begins a rejected line with the
    line feed or the blank lines before it.
    """
    ends = "chr(10) || chr(13)"
    found = con.execute(
        f"""SELECT min(position), left(any_value(text), 200), min(kind),
                any_value(1 + length(text) - length(replace(text, chr(10), '')))
            FROM (SELECT line_byte_position + strlen(csv_line) - strlen(ltrim(csv_line, {ends})) AS position,
                trim(csv_line, {ends}) AS text, error_type::VARCHAR AS kind FROM {table}_rejects)
            GROUP BY position ORDER BY position"""
    ).fetchall()
    rejects = []
    with file.open("rb") as stream:
        line = 1
        for position, text, kind, lines in found:
            line += _line_feeds(stream, position - stream.tell())
            if lines > _MOST_LINES and kind not in _REASONS:
                problem = f"line {line}: a quote opens and is not closed, so {lines} lines cannot be told apart"
                raise SourceError(source, problem, "Mend that line")
            rejects.append(Reject(line, lines, text, _REASONS.get(kind, "not readable")))
    return tuple(rejects)


def _line_feeds(stream: BinaryIO, length: int) -> int:
    count = 0
    while length > 0:
        block = stream.read(min(length, encoding.BLOCK))
        count += block.count(b"\n")
        length -= len(block)
    return count


def _read_parquet(con: duckdb.DuckDBPyConnection, table: str, file: Path, source: str) -> Raw:
    try:
        described = con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
    except duckdb.Error:
        raise SourceError(source, "the file cannot be read as Parquet", "Export it again") from None
    return load_typed(con, table, source, "read_parquet(" + engine.literal(file) + ")", described)


def load_typed(
    con: duckdb.DuckDBPyConnection, table: str, source: str, relation: str, described: list[tuple[Any, ...]]
) -> Raw:
    """Load a relation whose columns have types, in its order. Types that intake does not know become text."""
    columns = []
    for number, (header, kind, *_) in enumerate(described):
        wide = "DOUBLE" if kind.startswith("DECIMAL") else _PARQUET_TYPES.get(kind, "VARCHAR")
        columns.append(RawColumn(f"c{number}", header, wide))
    values = ", ".join(f"{engine.name(column.header)}::{column.type} AS {column.sql}" for column in columns)
    con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {values}, 0::UTINYINT AS state FROM {relation}")
    rows = engine.count(con, table)
    if not rows:
        raise SourceError(source, "the table has no row", "Export it again")
    return Raw(table, source, tuple(columns), rows)
