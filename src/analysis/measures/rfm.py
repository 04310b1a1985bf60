"""Recency, frequency and money of customers, as scores that equals share."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import in_cents, known_amounts

SCORES = ("recency_score", "frequency_score", "monetary_score")
"""The scores of ``rfm``; 1 is worst."""


def rfm(transactions: Rows, *, as_of: dt.date, bins: int = 5) -> pd.DataFrame:
    """Count customers by recency, frequency and money score.

    Columns in, scores and Raises: as for ``rfm_scores``.

    Columns out: recency_score, frequency_score, monetary_score (1 worst to ``bins``), customers, revenue (money),
    mean_recency_days, mean_frequency (orders), mean_money (money a customer). One row a combination that occurs,
    sorted by score.

    Source: Hughes (1994), Strategic Database Marketing.

    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "date": pd.to_datetime(["2026-01-01", "2026-01-09", "2026-01-02"]),
    ...     "revenue": [10.0, 30.0, 5.0],
    ... })
    >>> rfm(orders, as_of=dt.date(2026, 1, 10), bins=2)[["recency_score", "customers", "revenue", "mean_recency_days"]]
       recency_score  customers  revenue  mean_recency_days
    0              1          1      5.0                8.0
    1              2          1     40.0                1.0
    """
    cells = _reduce_rfm(_ledger(transactions), as_of, _checked_bins(bins)).execute()
    cells = cells.sort_values(list(SCORES), ignore_index=True)
    revenue = cells["cents"] / 100
    return cells[[*SCORES, "customers"]].assign(
        revenue=revenue,
        mean_recency_days=cells["days"] / cells["buyers"],
        mean_frequency=cells["orders"] / cells["customers"],
        mean_money=revenue / cells["customers"],
    )


def rfm_scores(transactions: Rows, *, as_of: dt.date, bins: int = 5) -> ir.Table:
    """Return each customer's recency, frequency and money with their scores, as an unexecuted table.

    A score is 1 + ⌊bins·w / n⌋, where w of the n customers are strictly worse; so equal customers get equal scores.
    Only rows dated before ``as_of``, the first day not known, count. A purchase holds a line with revenue of zero or
    more; returns count for money only, so a customer known by returns alone has no recency and frequency 0.

    Columns in: customer_id, date, revenue (money; returns negative); where present also transaction_id. Rows in which
    customer_id, date or revenue is missing are left out.

    Columns out: customer_id, recency_days (whole days from the last purchase to ``as_of``), frequency (distinct
    orders; purchase days where there is no order id), money (sum of revenue), recency_score, frequency_score,
    monetary_score (1 worst to ``bins``). One row a customer, in no order.

    Raises MeasureError where a column is absent or ``bins`` is below 1.
    Source: Hughes (1994), Strategic Database Marketing.

    >>> orders = pd.DataFrame(
    ...     {"customer_id": ["a", "b"], "date": pd.to_datetime(["2026-01-01", "2026-01-09"]), "revenue": [10.0, 10.0]}
    ... )
    >>> scores = rfm_scores(orders, as_of=dt.date(2026, 1, 10), bins=2)
    >>> scores.order_by("customer_id")[["recency_days", "recency_score", "monetary_score"]].execute()
       recency_days  recency_score  monetary_score
    0             9              1               1
    1             1              2               1
    """
    scored = _scored(_ledger(transactions), as_of, _checked_bins(bins))
    return scored.select("customer_id", "recency_days", "frequency", *SCORES, money=scored["cents"] / 100).relocate(
        "money", before=SCORES[0]
    )


def _checked_bins(bins: int) -> int:
    if bins < 1:
        raise MeasureError("rfm", f"bins is {bins}", "Give at least 1, usually 5")
    return bins


def _ledger(transactions: Rows) -> ir.Table:
    table = as_table(transactions)
    require("rfm", table, ("customer_id", "date", "revenue"))
    return known_amounts(table, "customer_id", "date", "revenue")


def _scored(ledger: ir.Table, as_of: dt.date, bins: int) -> ir.Table:
    customers = _behaviour(ledger, as_of)
    return customers.mutate(
        recency_score=_score(customers, customers["last"].asc(nulls_first=True), bins),
        frequency_score=_score(customers, customers["frequency"], bins),
        monetary_score=_score(customers, customers["cents"], bins),
    )


def _behaviour(ledger: ir.Table, as_of: dt.date) -> ir.Table:
    """One row a customer: customer_id, last (purchase day), recency_days, frequency, cents."""
    first_unknown_day = ibis.literal(as_of, type="date")
    known = ledger.mutate(date=ledger["date"].cast("date"))
    known = known.filter(known["date"] < first_unknown_day)
    bought = known["revenue"] >= 0
    customers = known.group_by("customer_id").aggregate(
        last=known["date"].max(where=bought),
        frequency=_orders(known, bought),
        cents=in_cents(known["revenue"]).sum(),
    )
    return customers.mutate(recency_days=first_unknown_day.delta(customers["last"], unit="day"))


def _orders(known: ir.Table, bought: ir.Value) -> ir.Value:
    if "transaction_id" not in known.columns:
        return known["date"].nunique(where=bought)
    order = known["transaction_id"]
    return order.nunique(where=bought) + known["date"].nunique(where=bought & order.isnull())


def _score(customers: ir.Table, worst_first: ir.Value, bins: int) -> ir.Value:
    worse = ibis.rank().over(ibis.window(order_by=worst_first))
    return 1 + (bins * worse) // customers.count().over(ibis.window())


def _reduce_rfm(ledger: ir.Table, as_of: dt.date, bins: int) -> ir.Table:
    scored = _scored(ledger, as_of, bins)
    return scored.group_by(list(SCORES)).aggregate(
        customers=scored.count(),
        buyers=scored["recency_days"].count(),
        days=scored["recency_days"].sum(),
        orders=scored["frequency"].sum(),
        cents=scored["cents"].sum(),
    )
