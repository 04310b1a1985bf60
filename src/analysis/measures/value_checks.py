"""Whether customers can be valued at all, on which days a forecast is tested, and how customers are classed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from analysis.measures.frames import Rows, as_table
from analysis.measures.goods import with_goods
from analysis.measures.money import known_amounts
from analysis.measures.segments import abc_classes
from analysis.measures.value_parts import LAST_YEAR

COMPUTED = "computed"
NO_LEDGER = "neither contracts nor orders"
NOBODY = "nobody"
NO_COST = "no cost known"

TOO_SHORT, TOO_FEW = "too short", "too few"
"""Why a forecast was not tested."""

FEWEST_DAYS, FEWEST_CUSTOMERS = 28, 30
"""Days to foretell and customers to foretell for, below which no forecast is tested."""
_LEARNED = 2
"""The time to learn from is at least so many times that to foretell."""


def status_of(tables: Mapping[str, Rows], as_of: dt.date, margin_ratio: float | None) -> str:
    """Say whether customers can be valued (``computed``), or why not."""
    if not {"transactions", "contracts"} & set(tables):
        return NO_LEDGER
    has_bought = "transactions" in tables and _count(_purchases(tables, as_of)) > 0
    if not has_bought and not ("contracts" in tables and _count(_in_force(tables, as_of))):
        return NOBODY
    needs_cost = margin_ratio is None and "transactions" in tables
    return NO_COST if needs_cost and not _has_cost(tables, as_of) else COMPUTED


def _purchases(tables: Mapping[str, Rows], as_of: dt.date) -> ir.Table:
    lines = known_amounts(as_table(tables["transactions"]), "customer_id", "date", "revenue")
    return lines.filter(lines["revenue"] >= 0, lines["date"].cast("date") < ibis.literal(as_of, type="date"))


def _in_force(tables: Mapping[str, Rows], as_of: dt.date) -> ir.Table:
    contracts, day = as_table(tables["contracts"]), ibis.literal(as_of, type="date")
    begun = contracts.filter(contracts["customer_id"].notnull(), contracts["start"].cast("date") < day)
    if "ended_on" not in contracts.columns:
        return begun
    return begun.filter(begun["ended_on"].isnull() | (begun["ended_on"].cast("date") >= day))


def _has_cost(tables: Mapping[str, Rows], as_of: dt.date) -> bool:
    """Say whether a margin ratio can be observed, or none is needed: revenue with a known cost, or no revenue."""
    lines = as_table(tables["transactions"])
    if "product_id" not in lines.columns:
        lines = lines.mutate(product_id=ibis.null("string"))
    priced = with_goods("valuation", lines, tables.get("products"))
    priced = priced.filter(priced["customer_id"].notnull(), priced["date"] < ibis.literal(as_of, type="date"))
    known = priced["cents"].sum(where=priced["goods"].notnull()).coalesce(0)
    some = (priced["cents"] != 0).ifelse(1, 0).sum().coalesce(0)
    row = priced.aggregate(known=known, some=some).execute().iloc[0]
    return bool(row["known"] > 0 or row["some"] == 0)


def _count(rows: ir.Table) -> int:
    return int(rows.count().execute())


def split_at(tables: Mapping[str, Rows], as_of: dt.date, test_days: int) -> tuple[dt.date | None, str]:
    """Return the first day to foretell, or None and why there is none."""
    if "transactions" not in tables:
        return None, NO_LEDGER
    bought = _purchases(tables, as_of)
    first = bought.aggregate(first=bought["date"].cast("date").min()).to_pyarrow().to_pylist()[0]["first"]
    days = min(test_days, (as_of - first).days // (1 + _LEARNED)) if first else 0
    if days < FEWEST_DAYS:
        return None, TOO_SHORT
    split = as_of - dt.timedelta(days=days)
    before = bought.filter(bought["date"].cast("date") < ibis.literal(split, type="date"))
    customers = int(before.aggregate(n=before["customer_id"].nunique()).execute().iat[0, 0])
    return (split, COMPUTED) if customers >= FEWEST_CUSTOMERS else (None, TOO_FEW)


def classes(tables: Mapping[str, Rows], as_of: dt.date, cuts: tuple[float, float]) -> ir.Table | None:
    """Return customer_id and class: by the orders of the last year, without any orders by the fees in force."""
    if "transactions" not in tables:
        held = _in_force(tables, as_of)
        fees = held.select("customer_id", revenue="fee") if "fee" in held.columns else None
        return None if fees is None else abc_classes(fees, cuts=cuts).select("customer_id", "class")
    lines = as_table(tables["transactions"])
    day, end = lines["date"].cast("date"), ibis.literal(as_of, type="date")
    recent = lines.filter(day < end, day >= ibis.literal(as_of - LAST_YEAR, type="date"))
    return abc_classes(recent, cuts=cuts).select("customer_id", "class")
