"""What was known of the customers on a day, field by field, and who was a customer then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TypeAlias
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.measures.answers import latest
from analysis.measures.frames import Rows, as_table
from analysis.measures.spells import spells, spells_from_purchases
from analysis.vocabulary import TABLES

Tables: TypeAlias = Mapping[str, Rows]
"""Canonical tables by name."""

DAYS_A_YEAR = 365
"""How far back orders, products and doings in the community are looked for."""

_KINDS = {"text": "string", "date": "date", "instant": "timestamp(6)", "integer": "int64", "boolean": "boolean"}
"""What a frame's column is cast to, for one without any value has no type of its own."""


@dataclass(frozen=True)
class Knowledge:
    """The canonical tables as they were known on a day: only rows and fields that had come to light before it."""

    as_of: dt.date
    """The first day not known."""
    timezone: str
    """Where it begins at midnight; instants are in UTC."""
    tables: Mapping[str, ir.Table]

    def has(self, name: str, columns: Sequence[str] = ()) -> bool:
        """Say whether there is such a table with those columns."""
        return name in self.tables and set(columns) <= set(self.tables[name].columns)

    def in_days(self, value: ir.Value, days: int) -> ir.BooleanValue:
        """Say whether a date or an instant lies in the last ``days`` days before the as-of date."""
        return value >= begin(value, self.as_of - dt.timedelta(days=days), self.timezone)


def knowledge(tables: Tables, as_of: dt.date, timezone: str = "UTC") -> Knowledge:
    """Return the tables as they were known on ``as_of``.

    Rows dated on or after it, and rows without a date, are left out (of customers only the former, for a missing
    ``since`` says nothing). A date on or after it is missing, and so is every field that hangs on a date that is not
    known. Raises MeasureError for a table that is not canonical.
    """
    for name in tables:
        if name not in TABLES:
            raise MeasureError("features", f"unknown table {name!r}", f"Known: {', '.join(TABLES)}")
    masked = {name: _masked(as_table(rows), name, as_of, timezone) for name, rows in tables.items()}
    return Knowledge(as_of, timezone, masked)


def present(known: Knowledge, *, constant: tuple[str, ...] = (), active_days: int = DAYS_A_YEAR) -> ir.Table:
    """Return the open spells of the present customers (see :func:`features_as_of`): customer_id, origin, constants."""
    people = known.tables.get("customers")
    if known.has("contracts"):
        found = spells(known.tables["contracts"], people, as_of=known.as_of, attributes=constant)
    elif known.has("transactions"):
        found = spells_from_purchases(known.tables["transactions"], as_of=known.as_of, inactive_days=active_days)
        if people is not None:
            own = found.columns
            side = people.select(_key=people["customer_id"], **{name: people[name] for name in constant})
            found = found.left_join(side, found["customer_id"] == side["_key"]).select(*own, *constant)
    else:
        raise MeasureError("features", "there are neither contracts nor transactions", "Give one of the two tables")
    return found.filter(found["event"] == 0).select("customer_id", "origin", *constant)


def in_force(known: Knowledge) -> ir.Table:
    """Return the contracts in force on the as-of date."""
    contracts = known.tables["contracts"]
    return contracts.filter(contracts["ended_on"].isnull()) if known.has("contracts", ["ended_on"]) else contracts


def day_number(date: dt.date) -> int:
    """Return the days from 1970-01-01 to a date, as ``epoch_days`` counts them."""
    return (date - dt.date(1970, 1, 1)).days


def last_answer(known: Knowledge, rating: str) -> ir.Table | None:
    """Return the last answer given to a rating by each customer: customer_id, the rating; None without such answers."""
    if not known.has("surveys", ["customer_id", "answered_at", rating]):
        return None
    answers = known.tables["surveys"]
    order = [name for name in ("customer_id", "answered_at", "response_id", rating) if name in answers.columns]
    found = latest(answers.select(*order), rating, ["customer_id"])
    return found.filter(found["customer_id"].notnull()).select("customer_id", **{rating: found["_rating"]})


def begin(value: ir.Value, day: dt.date, timezone: str) -> ir.Scalar:
    """Return the beginning of ``day`` as ``value`` measures time: a date, or an instant in UTC."""
    if value.type().is_date():
        return ibis.literal(day, type="date")
    local = dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(timezone))
    return ibis.literal(local.astimezone(dt.UTC).replace(tzinfo=None), type="timestamp(6)")


def _masked(table: ir.Table, name: str, as_of: dt.date, timezone: str) -> ir.Table:
    spec = TABLES[name]
    kinds = {column.name: _KINDS[column.type] for column in spec.columns if column.type in _KINDS}
    table = table.mutate(**{column: table[column].cast(kinds[column]) for column in table.columns if column in kinds})
    if spec.event_time in table.columns:
        date = table[spec.event_time]
        table = table.filter((date < begin(date, as_of, timezone)).fill_null(name == "customers"))
    for learned, fields in spec.learned:
        hidden = [column for column in table.columns if any(fnmatch(column, field) for field in (learned, *fields))]
        if learned not in table.columns:
            table = table.drop(*hidden)
            continue
        is_known = (table[learned] < begin(table[learned], as_of, timezone)).fill_null(False)
        missing = {column: ibis.null(table[column].type()) for column in hidden}
        table = table.mutate(**{column: is_known.ifelse(table[column], missing[column]) for column in hidden})
    return table
