"""Who left in a window: the customers whom churn counts, with what they said and the fees that went with them."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.codebooks import Codebook
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.reasons import pareto
from analysis.measures.spells import is_event, is_sound


def leavers(contracts: Rows, spells: Rows, codebook: Codebook, *, start: dt.date, end: dt.date) -> ir.Table:
    """Return a row for each customer in force on ``start`` who left until ``end``, included; a lazy Ibis table.

    They are those whom ``churn_rate`` counts: who only moved to another contract is not among them.

    Columns in: contracts ``customer_id, start``, the columns of the codebook and, where there are any, ``ended_on`` and
    ``fee`` (a month); of ``spells``, those of these contracts, ``customer_id, origin, exit, entry, event``. Columns
    out: ``customer_id``, ``ended_on``, the columns of the codebook as the contract that ended last has them and, where
    there is one, ``fee``: the fees in force on ``start``, 0 where the customer was back under contract after ``end``,
    missing where one of these fees is. So they add up to ``lost`` of ``revenue_churn``.

    Raises MeasureError for an absent column and an end before the start.

    >>> from analysis.measures.spells import spells
    >>> ledger = pd.DataFrame({"customer_id": ["a", "b", "b"], "reason": ["price", "moved on", None]})
    >>> ledger["fee"] = [20, 30, 35]
    >>> ledger["start"] = pd.to_datetime(["2024-01-01", "2024-01-01", "2025-02-01"])
    >>> ledger["ended_on"] = pd.to_datetime(["2025-02-28", "2025-01-31", None])
    >>> window = {"start": dt.date(2025, 1, 1), "end": dt.date(2025, 3, 31)}
    >>> held = spells(ledger, as_of=dt.date(2025, 4, 1))
    >>> leavers(ledger, held, {"reason": {}}, **window).drop("ended_on").to_pandas()
      customer_id reason   fee
    0           a  price  20.0
    """
    table, held = as_table(contracts), as_table(spells)
    if end < start:
        raise MeasureError("leavers", f"end {end} lies before start {start}", "Name the window's last day as end")
    require("leavers", table, ("customer_id", "start", *codebook))
    require("leavers of spells", held, ("customer_id", "origin", "entry", "exit", "event"))
    dated = table.mutate(
        start=table["start"].cast("date"),
        ended_on=(table["ended_on"] if "ended_on" in table.columns else ibis.null()).cast("date"),
    )
    gone = _gone(held, start, end)
    said = dated.filter(dated["start"] <= dated["ended_on"]).join(gone, ["customer_id", "ended_on"])
    texts = {column: said[column].cast("string").min() for column in codebook}
    left = said.group_by("customer_id", "ended_on").aggregate(**texts)
    if "fee" not in table.columns:
        return left
    return left.left_join(_fees(dated, start, end), "customer_id").drop("customer_id_right")


def why(
    contracts: Rows,
    spells: Rows,
    codebook: Codebook,
    *,
    start: dt.date,
    end: dt.date,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return why those who left did: :func:`reasons.pareto` of the :func:`leavers`, a row of them a customer.

    >>> from analysis.measures.spells import spells
    >>> ledger = pd.DataFrame({"customer_id": range(6), "start": pd.Timestamp("2024-01-01"), "reason": "price"})
    >>> ledger["ended_on"] = pd.to_datetime(["2025-01-31"] * 5 + [None])
    >>> window = {"start": dt.date(2025, 1, 1), "end": dt.date(2025, 3, 31)}
    >>> found = why(ledger, spells(ledger, as_of=dt.date(2025, 4, 1)), {"reason": {"price": "Price"}}, **window)
    >>> found[["reason", "kind", "ended"]]
      reason             kind  ended
    0  Price           reason      5
    1    NaN  not in codebook      0
    2    NaN          unknown      0
    """
    left = leavers(contracts, spells, codebook, start=start, end=end)
    return pareto(left, codebook, min_group=min_group, confidence=confidence)


def _gone(held: ir.Table, start: dt.date, end: dt.date) -> ir.Table:
    """Return the customers in force on the first day who left, each with the last day in force."""
    first = ibis.date(start).delta(held["origin"].cast("date"), unit="day")
    is_exposed = is_sound(held) & (held["entry"] <= first) & (first < held["exit"])
    gone = held.filter(is_exposed & is_event(held) & (held["exit"] <= first + (end - start).days + 1))
    last = gone["origin"].cast("date") + (gone["exit"].cast("int64") - 1).as_interval("D")
    return gone.select("customer_id", ended_on=last.cast("date"))


def _fees(dated: ir.Table, start: dt.date, end: dt.date) -> ir.Table:
    """Sum up the fees of the first day by customer, in whole cents, as ``revenue_churn`` does."""
    begin, last, fee = dated["start"], dated["ended_on"], dated["fee"].cast("float64")
    is_before = (begin <= start) & (last.isnull() | (last >= start))
    is_after = (begin <= end) & (last.isnull() | (last > end))
    cents = (fee.isnan() | fee.isinf()).ifelse(ibis.null("float64"), (fee * 100).round().cast("float64"))
    fees = dated.filter(is_before | is_after).select(
        "customer_id",
        _cents=is_before.ifelse(cents, 0.0),
        _unknown=cents.isnull().ifelse(1, 0),
        _back=is_after.ifelse(1, 0),
    )
    by_customer = fees.group_by("customer_id").aggregate(
        **{name: fees[name].max() for name in ("_unknown", "_back")}, _cents=fees["_cents"].sum()
    )
    fee = ibis.cases(
        (by_customer["_unknown"] == 1, ibis.null("float64")),
        (by_customer["_back"] == 1, 0.0),
        else_=by_customer["_cents"] / 100,
    )
    return by_customer.select("customer_id", fee=fee)
