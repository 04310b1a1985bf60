"""Derived columns: dates made from other columns, and whether one date lies after another."""

from __future__ import annotations

import duckdb

from analysis.intake import fields
from analysis.intake.engine import literal
from analysis.intake.fields import Field, Wanted, Zones
from analysis.intake.raw import Raw
from analysis.source_params import DateRule, LaterRule


def note(name: str, rule: DateRule | LaterRule) -> str:
    """Return the sentence that tells how a column was made.

    >>> import datetime as dt
    >>> note("start", DateRule(day=dt.date(2020, 10, 1), minus_months="tenure"))
    'start = 2020-10-01 less tenure months'
    """
    if isinstance(rule, LaterRule):
        return f"{name} = {rule.later} later than {rule.than}"
    months = f" less {rule.minus_months} months" if rule.minus_months else ""
    where = " and ".join(f"{header} is {value}" for header, value in (rule.where or {}).items())
    return f"{name} = {rule.day}{months}" + (f" where {where}" if where else "")


def derive(con: duckdb.DuckDBPyConnection, raw: Raw, name: str, rule: DateRule | LaterRule, zones: Zones) -> Field:
    """Return the field that ``rule`` makes. Raises MissingColumnError where a column it names is absent."""
    if isinstance(rule, LaterRule):
        return _later(con, raw, name, rule, zones)
    return _date(con, raw, name, rule, zones)


def _date(con: duckdb.DuckDBPyConnection, raw: Raw, name: str, rule: DateRule, zones: Zones) -> Field:
    day = f"DATE {literal(rule.day)}"
    applies = " AND ".join(
        f"coalesce({fields.trimmed(raw.column(header).as_text.sql)} = {literal(value)}, false)"
        for header, value in (rule.where or {}).items()
    )
    applies = f"({applies})" if applies else "true"
    if rule.minus_months is None:
        value = f"CASE WHEN {applies} THEN {day} END"
        return Field(name, name, "date", f"{value}::VARCHAR", applies, value, suspect=False)
    column = raw.column(rule.minus_months)
    months = fields.build(con, raw, column, Wanted(rule.minus_months, "integer"), zones)
    value = f"CASE WHEN {applies} THEN ({day} - to_months(({months.value})::INTEGER))::DATE END"
    filled = f"({applies} AND {months.filled})"
    lets = months.lets
    return Field(name, column.header, "date", months.text, filled, value, months.reason, heavy=True, lets=lets)


def _later(con: duckdb.DuckDBPyConnection, raw: Raw, name: str, rule: LaterRule, zones: Zones) -> Field:
    later, than = (
        fields.build(con, raw, raw.column(header), Wanted(header, "instant"), zones)
        for header in (rule.later, rule.than)
    )
    value = f"({later.value}) > ({than.value})"
    text = f"concat_ws(' / ', {later.text}, {than.text})"
    filled = f"({later.filled} AND {than.filled})"
    reason, lets = literal("not a date"), (*later.lets, *than.lets)
    return Field(name, rule.later, "boolean", text, filled, value, reason, heavy=True, lets=lets)
