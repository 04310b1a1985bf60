"""Windows to learn from and to test on: who was present on a day, what was known of them, whether they left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, md5, require
from analysis.measures.point_in_time import day_number
from analysis.measures.spells import is_event

Use: TypeAlias = Literal["train", "test"]


_MEASURE = "risk_scores"


@dataclass(frozen=True)
class Window:
    """Customers present on a day, as a frame: customer_id, outcomes (0 or 1), features."""

    use: Use
    as_of: dt.date
    rows: pd.DataFrame
    customers: int
    """How many were present; more than there are rows where a sample was drawn."""


def observed(rows: Rows, use: Use, as_of: dt.date, *, outcomes: Sequence[str], max_rows: int, seed: int) -> Window:
    """Bring at most ``max_rows`` customers of a window, and check them.

    Raises MeasureError where a customer stands twice, a feature is a date, or an outcome is other than 0 and 1.
    """
    table = as_table(rows)
    require(_MEASURE, table, ("customer_id", *outcomes))
    found = _reduce_sample(table, outcomes, max_rows, seed).execute().sort_values("customer_id", ignore_index=True)
    customers = int(found.pop("_customers").max()) if len(found) else 0
    _check(found, outcomes)
    return Window(use, as_of, found.astype(dict.fromkeys(outcomes, "int64")), customers)


def listed(windows: Sequence[Window], outcome: str) -> pd.DataFrame:
    """Return one row a window: use, as_of, customers, used (less, where a sample was drawn), left (of those)."""
    rows = [
        (window.use, pd.Timestamp(window.as_of), window.customers, len(window.rows), int(window.rows[outcome].sum()))
        for window in windows
    ]
    found = pd.DataFrame(rows, columns=["use", "as_of", "customers", "used", "left"])
    return found.astype({"use": "str", "as_of": "datetime64[us]"})


def typed(table: ir.Table, features: Sequence[str], outcomes: Sequence[str] = ()) -> ir.Table:
    """Select customer_id, outcomes and features, numbers as floats.

    Raises MeasureError for a feature that is a date.
    """
    columns = {name: table[name].cast("float64") for name in outcomes}
    for name in features:
        kind = table[name].type()
        if kind.is_temporal() or kind.is_nested():
            raise MeasureError(_MEASURE, f"feature {name!r} holds {kind}", "Give numbers, truth values or texts")
        columns[name] = table[name].cast("float64") if kind.is_numeric() else table[name].cast("string")
    return table.select(customer_id=table["customer_id"].cast("string"), **columns)


def ending(people: ir.Table, spells: ir.Table, day: dt.date) -> ir.Table:
    """Add to customers the days from ``day`` to the end of their spell in force then: ``_ends_in``, missing if open.

    Customers without such a spell are left out.
    """
    since = day_number(day) - spells["origin"].cast("date").epoch_days()
    left = spells["exit"] - since
    ends_in = is_event(spells).ifelse(left, ibis.null(left.type()))
    in_force = spells.mutate(_ends_in=ends_in).filter(spells["entry"] <= since, since < spells["exit"])
    return people.join(in_force.select("customer_id", "_ends_in"), "customer_id")


def within(days: ir.Value, horizon: int) -> ir.Value:
    """Return 1 where ``days`` are known and at most ``horizon``, else 0."""
    return (days <= horizon).fill_null(False).ifelse(1, 0).cast("int64")


def _reduce_sample(table: ir.Table, outcomes: Sequence[str], max_rows: int, seed: int) -> ir.Table:
    """Take customers by a hash of ``seed`` and their id, and say in ``_customers`` of how many."""
    features = tuple(name for name in table.columns if name not in ("customer_id", *outcomes))
    known = typed(table, features, outcomes)
    known = known.mutate(_customers=known.count().over())
    digest = md5(ibis.literal(f"{seed}/") + known["customer_id"])
    return known.order_by(digest, binary_order(known, "customer_id")).limit(max_rows)


def _check(rows: pd.DataFrame, outcomes: Sequence[str]) -> None:
    if rows["customer_id"].duplicated().any():
        different = rows["customer_id"].nunique()
        raise MeasureError(_MEASURE, f"{len(rows)} rows stand for {different} customers", "Give one row each")
    for outcome in outcomes:
        faulty = int((~np.isin(rows[outcome], (0, 1))).sum())
        if faulty:
            raise MeasureError(
                _MEASURE,
                f"{outcome!r} is other than 0 and 1 in {faulty} of {len(rows)} rows",
                "Give whether each customer left",
            )
