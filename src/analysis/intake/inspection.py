"""The import doctor: what a file is, how its columns are formed, and which canonical table it would fit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analysis.errors import SourceError
from analysis.intake import dates, engine, forms, numbers, readers
from analysis.intake.raw import Raw, RawColumn
from analysis.intake.synonyms import SYNONYMS
from analysis.intake.words import NO, YES
from analysis.params import located
from analysis.source_params import FileForm
from analysis.vocabulary import TABLES

_MOSTLY = 0.9
_TYPED = {"DOUBLE": "number", "BIGINT": "number", "BOOLEAN": "yes/no", "DATE": "date"}


@dataclass(frozen=True)
class ColumnReport:
    """A column: its name, its form, how many values stand in it, how many are different. Never a value."""

    name: str
    form: str
    filled: int
    distinct: int


@dataclass(frozen=True)
class FileReport:
    """What a file is. ``proposal`` is the beginning of a params file, empty where no table fits."""

    path: str
    container: str
    encoding: str | None
    separator: str | None
    header_rows: int
    columns: tuple[ColumnReport, ...]
    proposal: str
    notes: tuple[str, ...]


def inspect_file(path: Path) -> FileReport:
    """Look at a file and tell its form; no value of it is shown.

    Raises ParamsError where it is absent or a folder, SourceError where it cannot be read.
    """
    file = located(str(path), Path(), "FILE")
    with tempfile.TemporaryDirectory() as work, engine.connect(Path(work)) as con:
        raw = readers.read(con, "inspected", FileForm(path=str(path)), file, Path(work))
        columns = tuple(_column(con, raw, column) for column in raw.columns)
    layout = raw.layout
    table, mapping = best_table(raw.headers)
    return FileReport(
        path=str(path),
        container=file.suffix.removeprefix(".").casefold() or "text",
        encoding=layout.encoding if layout else None,
        separator=layout.separator if layout else None,
        header_rows=1,
        columns=columns,
        proposal=_proposal(path, table, mapping) if mapping else "",
        notes=(*raw.notes, *_unread(raw)),
    )


def _unread(raw: Raw) -> tuple[str, ...]:
    return (f"{len(raw.rejects)} rows do not have as many fields as the header",) if raw.rejects else ()


def _column(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> ColumnReport:
    filled, distinct = (engine.count(con, raw.table, what) for what in (column.sql, f"DISTINCT {column.sql}"))
    return ColumnReport(column.header, _form(con, raw, column), filled, distinct)


def _form(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> str:
    if not column.is_text:
        return _TYPED.get(column.type, "date and time")
    text = f"lower({numbers.careful(column.sql)})"
    filled = engine.count(con, raw.table, text)
    if not filled:
        return "empty"
    if engine.count(con, f"{raw.table} WHERE {engine.among(text, (*YES, *NO))}") == filled:
        return "yes/no"
    return _date_form(con, raw, column) or _number_form(con, raw, column) or "text"


def _date_form(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> str | None:
    possible = dates.candidates(day_first=None, short_years=True, months=True)
    counts = dates.count(con, raw.table, column.sql, possible)
    if max(counts.parsed.values()) < _MOSTLY * counts.filled:
        return None
    try:
        form = forms.date(con, raw, column, months=True).form.name
    except SourceError:
        form = "day first or month first: set day_first"
    return f"date and time, {form}" if counts.timed else f"date, {form}"


def _number_form(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> str | None:
    counts = numbers.count(con, raw.table, column.sql)
    if counts.parsed < _MOSTLY * counts.filled:
        return None
    try:
        return f"number, {forms.number(con, raw, column).form.name}"
    except SourceError:
        return "number, 1.234,56 or 1,234.56: set decimal"


def best_table(headers: tuple[str, ...]) -> tuple[str, Mapping[str, str]]:
    """Return the canonical table that most headers fit, one with all of its required columns first, and the mapping.

    >>> best_table(("Kundennummer", "Kaufdatum", "Menge", "Umsatz"))[0]
    'transactions'
    """
    found = {name: _mapping(name, headers) for name in TABLES}

    def fit(name: str) -> tuple[bool, int]:
        return all(column in found[name] for column in TABLES[name].required), len(found[name])

    best = max(found, key=fit)
    return best, found[best]


def _mapping(table: str, headers: tuple[str, ...]) -> dict[str, str]:
    by_key = {_key(header): header for header in reversed(headers)}
    mapping: dict[str, str] = {}
    for column in TABLES[table].columns:
        known = (_key(column.name), *SYNONYMS.get(column.name, ()))
        header = next((by_key[word] for word in known if word in by_key), None)
        if header and header not in mapping.values():
            mapping[column.name] = header
    return mapping


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _proposal(path: Path, table: str, mapping: Mapping[str, str]) -> str:
    lines = [f"      {name}: {header!r}" for name, header in mapping.items()]
    missing = [f"      {name}: # required" for name in TABLES[table].required if name not in mapping]
    return "\n".join(["sources:", f"  {table}:", f"    path: {path}", "    columns:", *lines, *missing])
