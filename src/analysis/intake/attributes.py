"""Attributes: columns beyond the canonical ones. They stay text unless the whole column decides itself."""

from __future__ import annotations

import re

import duckdb

from analysis.errors import SourceError
from analysis.intake import fields, numbers
from analysis.intake.engine import literal
from analysis.intake.fields import Field, Wanted, Zones
from analysis.intake.raw import Raw, RawColumn
from analysis.vocabulary import Type

_SAMPLE = 200
_PAIRS = ({"ja", "nein"}, {"j", "n"}, {"yes", "no"}, {"y", "n"}, {"true", "false"}, {"wahr", "falsch"})
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
_NUMBERS = tuple(re.compile(numbers.simple(sign)) for sign in (",", "."))
_NO_NUMBER = r"[-+]?0[0-9].*|.*[0-9.,]{17,}.*|.*[eE].*|[+].*"
"""Leading zeros, more digits than a float holds, exponents, a plus as in telephone numbers: these are texts."""


def build(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, name: str, zones: Zones) -> Field:
    """Return the field of an attribute: a number, a date or a yes/no where every value is one, else text."""
    kind = _typed(con, raw, column) if not column.is_text else _guessed(con, raw, column)
    if kind != "text":
        try:
            field = fields.build(con, raw, column, Wanted(name, kind), zones)
        except SourceError:
            kind = "text"
        else:
            if not column.is_text or (not field.heavy and _reads_all(con, raw, column, field)):
                return field
    return fields.build(con, raw, column, Wanted(name, "text"), zones)


def _typed(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> Type:
    kinds: dict[str, Type] = {"DOUBLE": "number", "BIGINT": "number", "BOOLEAN": "boolean", "DATE": "date"}
    if column.type == "TIMESTAMP":
        days = f"SELECT bool_and({column.sql} = {column.sql}::DATE) FROM {raw.table}"
        return "date" if con.execute(days).fetchone() == (True,) else "text"
    return kinds.get(column.type, "text")


def _guessed(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> Type:
    """Guess from the first values, so that no pass over all is spent on what is plainly text."""
    text = fields.trimmed(column.sql)
    rows = con.execute(f"SELECT {text} FROM {raw.table} WHERE {text} IS NOT NULL LIMIT {_SAMPLE}").fetchall()
    values = [value for (value,) in rows]
    if not values:
        return "text"
    if any({value.casefold() for value in values} <= pair for pair in _PAIRS):
        return "boolean"
    if any(all(pattern.fullmatch(value) for value in values) for pattern in _NUMBERS):
        return "number"
    return "date" if all(_DATE.fullmatch(value) for value in values) else "text"


def _reads_all(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, field: Field) -> bool:
    text = fields.trimmed(column.sql)
    odd = f"regexp_full_match({text}, {literal(_NO_NUMBER)})" if field.type == "number" else "false"
    row = con.execute(
        f"SELECT count(*) FROM {raw.table} WHERE {text} IS NOT NULL AND ({field.value} IS NULL OR {odd})"
    ).fetchone()
    return row == (0,)
