"""Who holds an offer, and what these customers bring in all: what is at stake where the offer is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, names, require
from analysis.measures.goods import one_row_each, with_goods
from analysis.measures.service import Days


@dataclass(frozen=True)
class Holders:
    """Who of a class holds offers, and what would be at stake were they lost with them."""

    customers: ir.Table = field(repr=False)
    """product_id, customer_id, offer_revenue (of this offer, returns deducted), revenue, margin (of all the customer
    bought in the period, in money; margin of the lines whose cost is known, missing without any). One row a customer
    and offer, in no order; unexecuted, for it grows with customers.
    """
    stake: pd.DataFrame
    """product_id, holders (customers who bought it in the period), of_class (of them, in the class), class_share (of
    all of the class who bought anything in the period, 0 to 1), offer_revenue (of this offer, of the class), revenue,
    margin (of all these customers of the class bought; money). One row an offer, in the order given.
    """


def holders(
    transactions: Rows,
    products: Rows | None,
    classes: Rows,
    *,
    offers: str | Sequence[str],
    period: Days,
    of: str = "A",
) -> Holders:
    """Say who of a class bought which of the offers in the period, and what would be at stake were they lost with it.

    That is the most that dropping an offer can cost, not what it will. Customers and money of several offers overlap.

    Columns in: customer_id, date, revenue (money), product_id, of transactions, where present also cost, quantity;
    product_id, unit_cost of products; customer_id, class, of classes (one row a customer). Out: see :class:`Holders`.

    Raises MeasureError where a column is absent, a product stands in several rows, no offer is named or the period
    runs backwards.
    Source: none; a list and its sums.

    >>> import datetime as dt
    >>> lines = pd.DataFrame({"customer_id": ["k", "k", "m"], "product_id": ["tea", "mug", "mug"], "cost": 6.0})
    >>> lines = lines.assign(date=pd.Timestamp("2026-01-05"), revenue=[5.0, 9.0, 9.0])
    >>> classes = pd.DataFrame({"customer_id": ["k", "m"], "class": ["A", "A"]})
    >>> january = (dt.date(2026, 1, 1), dt.date(2026, 1, 31))
    >>> found = holders(lines, None, classes, offers="tea", period=january)
    >>> found.customers.execute()
      product_id customer_id  offer_revenue  revenue  margin
    0        tea           k            5.0     14.0     2.0
    >>> found.stake
      product_id  holders  of_class  class_share  offer_revenue  revenue  margin
    0        tea        1         1          0.5            5.0     14.0     2.0
    """
    wanted, ledger = _named(offers), _ledger(transactions, products, classes, period)
    return Holders(_of_class(_held(ledger, wanted), of), _stake(ledger, wanted, of))


def _of_class(held: ir.Table, of: str) -> ir.Table:
    held = held.filter(held["class"] == of)
    money = {"offer_revenue": "offer_cents", "revenue": "cents", "margin": "margin_cents"}
    return held.select("product_id", "customer_id", **{name: held[cents] / 100 for name, cents in money.items()})


def _stake(ledger: ir.Table, wanted: tuple[str, ...], of: str) -> pd.DataFrame:
    found = _reduce_at_stake(ledger, wanted, of).execute().set_index("product_id").reindex(list(wanted))
    size = int(_reduce_class(ledger, of).execute().iat[0, 0])
    counts = found[["holders", "of_class"]].fillna(0).astype("int64")
    money = found[["offer_cents", "cents", "margin_cents"]].astype("float64") / 100
    money = money.where(counts["of_class"] > 0, 0.0, axis=0)
    stake = money.set_axis(["offer_revenue", "revenue", "margin"], axis=1)
    share = counts["of_class"] / (size or float("nan"))
    return counts.assign(class_share=share).join(stake).rename_axis("product_id").reset_index()


def _named(offers: str | Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(names(offers)))
    if not wanted:
        raise MeasureError("holders", "no offer is named", "Name the product_id of one or more in offers")
    return wanted


def _ledger(transactions: Rows, products: Rows | None, classes: Rows, period: Days) -> ir.Table:
    """Return the lines of the period that have a customer, with the customer's class."""
    if period[0] > period[1]:
        raise MeasureError(
            "holders", f"period runs from {period[0]} to {period[1]}", "Give the first day, then the last"
        )
    lines = with_goods("holders", transactions, products)
    require("holders", lines, ("customer_id",))
    classed = one_row_each("holders", classes, "classes", "customer_id")
    require("holders", classed, ("class",))
    day = lines["date"]
    lines = lines.filter(lines["customer_id"].notnull(), day >= ibis.literal(period[0]), day <= ibis.literal(period[1]))
    lines = lines.select("customer_id", "product_id", "cents", "goods")
    return lines.left_join(classed.select("customer_id", "class"), "customer_id").drop("customer_id_right")


def _held(ledger: ir.Table, offers: tuple[str, ...]) -> ir.Table:
    """One row an offer and customer who bought it: product_id, customer_id, class, and money in cents."""
    known = ledger["goods"].notnull()
    customers = ledger.group_by("customer_id", "class").aggregate(
        cents=ledger["cents"].sum(), margin_cents=(ledger["cents"] - ledger["goods"]).sum(where=known)
    )
    wanted = ledger.filter(ledger["product_id"].isin(offers))
    held = wanted.group_by("product_id", "customer_id").aggregate(
        offer_cents=wanted["cents"].sum(), bought=(wanted["cents"] >= 0).ifelse(1, 0).sum()
    )
    held = held.filter(held["bought"] > 0)
    return held.inner_join(customers, "customer_id")


def _reduce_at_stake(ledger: ir.Table, offers: tuple[str, ...], of: str) -> ir.Table:
    held = _held(ledger, offers)
    is_of_class = (held["class"] == of).coalesce(False)
    sums = {name: held[name].sum(where=is_of_class) for name in ("offer_cents", "cents", "margin_cents")}
    return held.group_by("product_id").aggregate(holders=held.count(), of_class=is_of_class.ifelse(1, 0).sum(), **sums)


def _reduce_class(ledger: ir.Table, of: str) -> ir.Table:
    bought = ledger.filter(ledger["class"] == of, ledger["cents"] >= 0)
    return bought.aggregate(customers=bought["customer_id"].nunique())
