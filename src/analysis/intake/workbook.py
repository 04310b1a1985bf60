"""Workbooks: one sheet of an xlsx file, streamed into the engine; a column of one kind keeps its type."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from analysis.errors import SourceError, nearest
from analysis.intake import engine
from analysis.intake.dialect import checked_headers
from analysis.intake.raw import Raw, RawColumn
from analysis.intake.words import MISSING

_BATCH = 20_000
_TYPES = {bool: "BOOLEAN", int: "DOUBLE", float: "DOUBLE", dt.datetime: "TIMESTAMP", dt.date: "TIMESTAMP"}


def read(con: duckdb.DuckDBPyConnection, table: str, file: Path, sheet: str | None, source: str) -> Raw:
    """Read a sheet, the first where none is named.

    Raises SourceError where the file is no workbook, or the sheet is absent or has no rows.
    """
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError):
        raise SourceError(source, "the file cannot be read as a workbook", "Export it again as xlsx") from None
    try:
        return _read_sheet(con, table, _rows(book, sheet, source), source)
    finally:
        book.close()


def _rows(book: Any, sheet: str | None, source: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the filled rows of a sheet with their numbers."""
    if sheet is not None and sheet not in book.sheetnames:
        near = nearest(sheet, book.sheetnames)
        hint = f"Did you mean {near!r}? " if near else ""
        raise SourceError(source, f"there is no sheet {sheet!r}", f"{hint}Known: {', '.join(book.sheetnames)}")
    chosen = book[sheet or book.sheetnames[0]]
    chosen.reset_dimensions()
    for number, row in enumerate(chosen.iter_rows(values_only=True), start=1):
        if any(value is not None for value in row):
            yield number, row


def _read_sheet(
    con: duckdb.DuckDBPyConnection, table: str, rows: Iterator[tuple[int, Sequence[Any]]], source: str
) -> Raw:
    _, header = next(rows, (0, ()))
    if not header:
        raise SourceError(source, "the sheet is empty", "Name another with sheet:")
    headers = checked_headers(["" if name is None else str(name).strip() for name in header], source)
    kinds: list[set[str]] = [set() for _ in headers]
    names = [f"c{number}" for number in range(len(headers))]
    con.execute(f"CREATE OR REPLACE TABLE {table}_text ({', '.join(f'{name} VARCHAR' for name in names)}, line BIGINT)")
    while batch := list(islice(rows, _BATCH)):
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for _, row in batch:
            for name, kind, value in zip(names, kinds, [*row, *[None] * len(names)], strict=False):
                columns[name].append(_text(value, kind))
        columns["line"] = [number for number, _ in batch]
        types = [*(pa.field(name, pa.string()) for name in names), pa.field("line", pa.int64())]
        con.register("batch", pa.table(columns, schema=pa.schema(types)))
        con.execute(f"INSERT INTO {table}_text SELECT * FROM batch")
        con.unregister("batch")
    return _typed(con, table, headers, kinds, source)


def _text(value: Any, kinds: set[str]) -> str | None:
    """Return a cell as text, and add its kind to those of its column."""
    if value is None or (isinstance(value, str) and value.strip().casefold() in MISSING):
        return value
    kinds.add(_TYPES.get(type(value), "VARCHAR"))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else str(value)


def _typed(
    con: duckdb.DuckDBPyConnection, table: str, headers: tuple[str, ...], kinds: list[set[str]], source: str
) -> Raw:
    types = [next(iter(kind)) if len(kind) == 1 else "VARCHAR" for kind in kinds]
    columns = tuple(
        RawColumn(f"c{number}", header, kind) for number, (header, kind) in enumerate(zip(headers, types, strict=True))
    )
    cast = ", ".join(
        column.sql if column.is_text else f"TRY_CAST({column.sql} AS {column.type}) AS {column.sql}"
        for column in columns
    )
    con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {cast}, line, 0::UTINYINT AS state FROM {table}_text")
    con.execute(f"DROP TABLE {table}_text")
    rows = engine.count(con, table)
    if not rows:
        raise SourceError(source, "the sheet has a header and no row", "Export it again")
    return Raw(table, source, columns, rows, line="line")
