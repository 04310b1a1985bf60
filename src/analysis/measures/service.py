"""Cost to serve, shared out among what each customer bought."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.baskets import order_of
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import in_cents

Days: TypeAlias = tuple[dt.date, dt.date]
"""The first and the last day of a period, both included."""
Allocation = Literal["revenue", "orders", "none"]
"""How a customer's cost to serve is shared out among what the customer bought in the period."""
FINE = 10_000
"""Parts of a cent in which shares of costs are added up: whole numbers, whose sum hangs on no order of rows."""
MONEY = 100 * FINE
MONTH = ["is_now", "month"]


def placed(rows: ir.Table, date: str, period: Days, previous: Days) -> ir.Table:
    """Keep the rows of both periods and say of each in which it lies and in which month (counted from year 0)."""
    day = rows[date].cast("date")
    held = [(day >= ibis.literal(first)) & (day <= ibis.literal(last)) for first, last in (previous, period)]
    is_now = (day >= ibis.literal(period[0])).ifelse(1, 0)
    return rows.filter(held[0] | held[1]).mutate(is_now=is_now, month=day.year() * 12 + day.month() - 1)


def service_of(
    lines: ir.Table, costs: Rows | None, period: Days, previous: Days, allocate: Allocation
) -> pd.DataFrame | None:
    """Share out the costs to serve: one row an offer and month, in parts of a cent; None where none are shared out.

    Columns out: product_id, is_now, month, service (borne by the offer's lines of known cost), unallocated (of
    customers who bought nothing). ``attrs["below_zero"]`` counts customers whose costs of a period add up to less than
    0; they are left out.
    """
    if costs is None or allocate == "none":
        return None
    require("margins", lines, ("customer_id",))
    table = as_table(costs)
    require("margins", table, ("customer_id", "month", "cost"))
    spent = _spent(table, period, previous)
    found: pd.DataFrame = _reduce_service(lines, spent, period, previous, allocate).execute()
    found.attrs["below_zero"] = int(_reduce_below_zero(spent).execute().iat[0, 0])
    return found


def _spent(costs: ir.Table, period: Days, previous: Days) -> ir.Table:
    """One row a customer and month: parts (of a cent), and in_all (of the customer's months of the period)."""
    cents = in_cents(costs["cost"].cast("float64"))
    known = costs.mutate(cents=cents).filter(costs["cost"].notnull(), ~costs["cost"].cast("float64").isnan())
    spent = placed(known, "month", period, previous)
    spent = spent.group_by("customer_id", *MONTH).aggregate(parts=spent["cents"].sum().cast("float64") * FINE)
    return spent.mutate(in_all=spent["parts"].sum().over(ibis.window(group_by=["customer_id", "is_now"])))


def _reduce_below_zero(spent: ir.Table) -> ir.Table:
    below = spent.filter(spent["in_all"] < 0)
    return below.aggregate(customers=below["customer_id"].nunique())


def _reduce_service(lines: ir.Table, spent: ir.Table, period: Days, previous: Days, allocate: Allocation) -> ir.Table:
    shares = _shares(placed(lines, "date", period, previous), allocate)
    spent = spent.filter(spent["in_all"] >= 0)
    held = (spent["customer_id"] == shares["_customer"]) & (spent["is_now"] == shares["_is_now"])
    borne = spent.left_join(shares, held)
    return borne.group_by("product_id", *MONTH).aggregate(
        service=(borne["parts"] * borne["_share"]).round().cast("int64").sum().coalesce(0),
        unallocated=borne["_customer"].isnull().ifelse(borne["parts"], 0.0).cast("int64").sum(),
    )


def _shares(rows: ir.Table, allocate: Allocation) -> ir.Table:
    """One row a customer, period and offer: which share of the customer's costs its lines with known cost bear."""
    known = rows["goods"].notnull()
    if allocate == "revenue":
        gain = ibis.greatest(rows["cents"], 0)
        weights = {"_all": gain.sum(), "_known": gain.sum(where=known).coalesce(0)}
    else:
        bought = rows["cents"] >= 0
        order = order_of(rows)
        weights = {"_all": order.nunique(where=bought), "_known": order.nunique(where=bought & known)}
    held = rows.group_by(_customer=rows["customer_id"], _is_now=rows["is_now"], product_id=rows["product_id"])
    found = held.aggregate(**weights)
    total = found["_all"].sum().over(ibis.window(group_by=["_customer", "_is_now"]))
    found = found.mutate(_share=found["_known"].cast("float64") / total.cast("float64").nullif(0))
    return found.filter(found["_share"].notnull())
