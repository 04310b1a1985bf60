"""What the purchase models are fitted on: customers counted by their purchase days, spend and opportunities.

A purchase day of a customer holds at least one line with revenue of zero or more; its spend is the sum of its lines. A
day with negative lines only is none: such returns change no spend and are reported as a total. Rows in which customer,
date or revenue is missing are left out, and so are those dated after ``end``, the last day that is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import in_cents, known_amounts

Unit: TypeAlias = Literal["day", "week"]
"""The unit of recency and age."""
Season: TypeAlias = Literal["month", "quarter", "year"]
"""How often there is an opportunity to buy."""

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def purchase_summary(transactions: Rows, *, end: dt.date, unit: Unit = "week") -> pd.DataFrame:
    """Count customers by frequency, recency and age.

    Columns in: customer_id, date, revenue (money; returns negative).

    Columns out: frequency (purchase days after the first), recency (from the first to the last purchase day), age
    (from the first purchase day to ``end``), both whole days in ``unit``, customers. One row a combination that occurs,
    sorted by it.

    Raises MeasureError where a column is absent or the unit is unknown.
    Source: Fader, Hardie and Lee (2005), Marketing Science 24, 275-284.

    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "date": pd.to_datetime(["2026-01-01", "2026-01-15", "2026-01-08"]),
    ...     "revenue": [10.0, 30.0, 5.0],
    ... })
    >>> purchase_summary(orders, end=dt.date(2026, 1, 22))
       frequency  recency  age  customers
    0          0      0.0  2.0          1
    1          1      2.0  3.0          1
    """
    days = _known("purchase_summary", unit, _DAYS)
    counted = _reduce_purchase_summary(_ledger("purchase_summary", transactions, end), end).execute()
    counted = counted.sort_values(["frequency", "recency_days", "age_days"], ignore_index=True)
    return pd.DataFrame(
        {
            "frequency": counted["frequency"],
            "recency": counted["recency_days"] / days,
            "age": counted["age_days"] / days,
            "customers": counted["customers"],
        }
    )


def purchase_history(transactions: Rows, *, end: dt.date, unit: Unit = "week") -> ir.Table:
    """Return each customer's frequency, recency and age as an unexecuted table.

    Columns in and Raises: as for ``purchase_summary``. Columns out: customer_id, first, last (purchase days),
    frequency, recency, age. One row a customer with a purchase day, in no order.

    >>> orders = pd.DataFrame({"customer_id": ["a"], "date": [pd.Timestamp("2026-01-01")], "revenue": [0.0]})
    >>> purchase_history(orders, end=dt.date(2026, 1, 8)).drop("first", "last").execute()
      customer_id  frequency  recency  age
    0           a          0      0.0  1.0
    """
    days = _known("purchase_history", unit, _DAYS)
    customers = _customers(_ledger("purchase_history", transactions, end), end)
    return customers.select(
        "customer_id",
        "first",
        "last",
        "frequency",
        recency=customers["recency_days"].cast("float64") / days,
        age=customers["age_days"].cast("float64") / days,
    )


def spend_summary(transactions: Rows, *, end: dt.date) -> pd.DataFrame:
    """Count repeat buyers by frequency and mean spend; the first purchase day is left out.

    Columns in: as for ``purchase_summary``. Columns out: frequency (purchase days after the first, from 1), mean_spend
    (money a purchase day), customers. One row a combination that occurs, sorted by it.

    Raises MeasureError where a column is absent.
    Source: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 25, brucehardie.com.

    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "a"],
    ...     "date": pd.to_datetime(["2026-01-01", "2026-01-15", "2026-01-18"]),
    ...     "revenue": [10.0, 30.0, 5.0],
    ... })
    >>> spend_summary(orders, end=dt.date(2026, 1, 31))
       frequency  mean_spend  customers
    0          2        17.5          1
    """
    counted = _reduce_spend_summary(_ledger("spend_summary", transactions, end)).execute()
    counted = counted.sort_values(["frequency", "repeat_cents"], ignore_index=True)
    return pd.DataFrame(
        {
            "frequency": counted["frequency"],
            "mean_spend": counted["repeat_cents"] / (100 * counted["frequency"]),
            "customers": counted["customers"],
        }
    )


def spend_history(transactions: Rows, *, end: dt.date) -> ir.Table:
    """Return each customer's frequency and mean spend as an unexecuted table.

    Columns in and Raises: as for ``spend_summary``. Columns out: customer_id, frequency, mean_spend (money a purchase
    day after the first; missing where there is none). One row a customer with a purchase day, in no order.

    >>> orders = pd.DataFrame({"customer_id": ["a"], "date": [pd.Timestamp("2026-01-01")], "revenue": [7.0]})
    >>> spend_history(orders, end=dt.date(2026, 1, 8)).execute()
      customer_id  frequency  mean_spend
    0           a          0         NaN
    """
    customers = _spenders(_ledger("spend_history", transactions, end))
    repeats = (100 * customers["frequency"]).cast("float64").nullif(0)
    return customers.select("customer_id", "frequency", mean_spend=customers["repeat_cents"].cast("float64") / repeats)


def opportunity_summary(transactions: Rows, *, end: dt.date, unit: Season = "year") -> pd.DataFrame:
    """Count customers by the months, quarters or years, after that of their first purchase, in which they bought.

    Columns in: as for ``purchase_summary``. Columns out: frequency (units with a purchase day after the first one),
    recency (the last of them, counted from the first one; 0 where there is none), opportunities (units after the first
    one up to ``end``), customers. One row a combination that occurs, sorted by it.

    Raises MeasureError where a column is absent, the unit is unknown or ``end`` is not the last day of one.
    Source: Fader, Hardie and Shang (2010), Marketing Science 29, 1086-1108.

    >>> gifts = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "date": pd.to_datetime(["2023-05-01", "2025-02-01", "2024-12-24"]),
    ...     "revenue": [50.0, 50.0, 20.0],
    ... })
    >>> opportunity_summary(gifts, end=dt.date(2025, 12, 31))
       frequency  recency  opportunities  customers
    0          0        0              1          1
    1          1        2              2          1
    """
    months = _known("opportunity_summary", unit, _MONTHS)
    after = end + dt.timedelta(days=1)
    if after.day != 1 or (after.month - 1) % months:
        raise MeasureError(
            "opportunity_summary", f"end {end} is not the last day of a {unit}", "Name the last day of one"
        )
    counted = _reduce_opportunity_summary(_ledger("opportunity_summary", transactions, end), end, months).execute()
    return counted.sort_values(["frequency", "recency", "opportunities"], ignore_index=True)


def purchase_totals(transactions: Rows, *, end: dt.date) -> pd.DataFrame:
    """Say in one row what the summaries rest on and what they leave out.

    Columns in: as for ``purchase_summary``. Columns out: customers (with a purchase day), purchase_days,
    repeat_purchase_days, spend (money on purchase days), returned (money on days with negative lines only, not above
    0), returning (customers without any purchase day).

    Raises MeasureError where a column is absent.

    >>> orders = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"],
    ...     "date": pd.to_datetime(["2026-01-01", "2026-01-15", "2026-01-18"]),
    ...     "revenue": [10.0, 30.0, -5.0],
    ... })
    >>> purchase_totals(orders, end=dt.date(2026, 1, 31)).iloc[0].to_dict()
    {'customers': 1, 'purchase_days': 2, 'repeat_purchase_days': 1, 'spend': 40.0, 'returned': -5.0, 'returning': 1}
    """
    found = _reduce_purchase_totals(_ledger("purchase_totals", transactions, end)).execute()
    counts = found[["customers", "purchase_days"]].astype(object)
    return counts.assign(
        repeat_purchase_days=counts["purchase_days"] - counts["customers"],
        spend=found["cents"] / 100,
        returned=found["returned_cents"] / 100,
        returning=found["returning"].astype(object),
    )


def _known(measure: str, unit: str, units: Mapping[str, int]) -> int:
    if unit not in units:
        raise MeasureError(measure, f"unknown unit {unit!r}", f"Known: {', '.join(units)}")
    return units[unit]


def _ledger(measure: str, transactions: Rows, end: dt.date) -> ir.Table:
    """Return the lines known at the end of that day: customer_id, date, revenue."""
    table = as_table(transactions)
    require(measure, table, ("customer_id", "date", "revenue"))
    known = known_amounts(table, "customer_id", "date", "revenue")
    lines = known.select("customer_id", "revenue", date=known["date"].cast("date"))
    return lines.filter(lines["date"] <= ibis.literal(end, type="date"))


def _purchase_days(ledger: ir.Table) -> ir.Table:
    """One row a customer and purchase day."""
    return ledger.filter(ledger["revenue"] >= 0).select("customer_id", "date").distinct()


def _customers(ledger: ir.Table, end: dt.date) -> ir.Table:
    """One row a customer: first, last, frequency, recency_days, age_days."""
    days = _purchase_days(ledger)
    spans = days.group_by("customer_id").aggregate(
        first=days["date"].min(), last=days["date"].max(), frequency=days.count() - 1
    )
    return spans.mutate(
        recency_days=spans["last"].delta(spans["first"], unit="day"),
        age_days=ibis.literal(end, type="date").delta(spans["first"], unit="day"),
    )


def _reduce_purchase_summary(ledger: ir.Table, end: dt.date) -> ir.Table:
    customers = _customers(ledger, end)
    return customers.group_by("frequency", "recency_days", "age_days").aggregate(customers=customers.count())


def _spend_days(ledger: ir.Table) -> ir.Table:
    """One row a customer and day: cents, bought (lines with revenue of zero or more)."""
    return ledger.group_by("customer_id", "date").aggregate(
        cents=in_cents(ledger["revenue"]).sum(),
        bought=(ledger["revenue"] >= 0).ifelse(1, 0).sum(),
    )


def _spenders(ledger: ir.Table) -> ir.Table:
    """One row a customer: frequency, repeat_cents."""
    days = _spend_days(ledger)
    days = days.filter(days["bought"] > 0)
    first = days["date"].min().over(ibis.window(group_by="customer_id"))
    days = days.mutate(repeat_cents=(days["date"] > first).ifelse(days["cents"], 0))
    return days.group_by("customer_id").aggregate(
        frequency=days.count() - 1,
        repeat_cents=days["repeat_cents"].sum(),
    )


def _reduce_spend_summary(ledger: ir.Table) -> ir.Table:
    customers = _spenders(ledger)
    repeat_buyers = customers.filter(customers["frequency"] > 0)
    return repeat_buyers.group_by("frequency", "repeat_cents").aggregate(customers=repeat_buyers.count())


def _reduce_opportunity_summary(ledger: ir.Table, end: dt.date, months: int) -> ir.Table:
    lines = ledger.filter(ledger["revenue"] >= 0)
    place = lines["date"].year() * (12 // months) + (lines["date"].month() - 1) // months
    places = lines.select("customer_id", place=place.cast("int64")).distinct()
    customers = places.group_by("customer_id").aggregate(
        first=places["place"].min(), last=places["place"].max(), bought=places.count()
    )
    last = end.year * (12 // months) + (end.month - 1) // months
    counted = customers.select(
        frequency=customers["bought"] - 1,
        recency=customers["last"] - customers["first"],
        opportunities=last - customers["first"],
    )
    return counted.group_by("frequency", "recency", "opportunities").aggregate(customers=counted.count())


def _reduce_purchase_totals(ledger: ir.Table) -> ir.Table:
    days = _spend_days(ledger)
    purchase = (days["bought"] > 0).ifelse(1, 0)
    customers = days.group_by("customer_id").aggregate(
        purchase_days=purchase.sum(),
        cents=(purchase * days["cents"]).sum(),
        returned_cents=((1 - purchase) * days["cents"]).sum(),
    )
    bought = (customers["purchase_days"] > 0).ifelse(1, 0)
    return customers.aggregate(
        customers=bought.sum().coalesce(0),
        purchase_days=customers["purchase_days"].sum().coalesce(0),
        cents=customers["cents"].sum().coalesce(0),
        returned_cents=customers["returned_cents"].sum().coalesce(0),
        returning=(1 - bought).sum().coalesce(0),
    )
