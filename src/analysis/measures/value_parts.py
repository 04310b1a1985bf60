"""One row a customer with all that their value is made of, gathered in the engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.frames import Rows, as_table, require
from analysis.measures.future_purchases import MONTH
from analysis.measures.goods import with_goods
from analysis.measures.money import in_cents
from analysis.measures.purchase_summary import purchase_history, spend_history
from analysis.measures.segments import abc_classes
from analysis.measures.spells import spells

MEASURE = "customer_value"
LAST_YEAR = dt.timedelta(days=365)
"""Before ``as_of``: what is observed a month, and classes, are of this time."""
NO_CLASS = "none"
"""The class of customers without revenue in the last year."""

_ORDERS = ("cents", "known_cents", "goods", "year_cents", "year_known_cents", "year_goods")
_COSTS = ("service_cents", "year_service_cents")
_FEES = ("monthly_fees", "fees_paid", "without_fee")


@dataclass(frozen=True)
class Known:
    """The tables as they were known on ``as_of``, the first day not known."""

    tables: Mapping[str, Rows]
    as_of: dt.date

    def table(self, name: str, columns: Iterable[str]) -> ir.Table | None:
        """Return a table that has the columns, or None where there is no such table."""
        if name not in self.tables:
            return None
        found = as_table(self.tables[name])
        require(f"{MEASURE}, {name}", found, columns)
        return found

    def before(self, column: ir.Value) -> ir.BooleanValue:
        """Say of each row whether its date is known."""
        return column.cast("date") < ibis.literal(self.as_of, type="date")

    def last_year(self, column: ir.Value) -> ir.BooleanValue:
        """Say of each row, known, whether its date lies in the last year."""
        return column.cast("date") >= ibis.literal(self.as_of - LAST_YEAR, type="date")


def gathered(known: Known, classes: Rows | None) -> pd.DataFrame:
    """Return one row a customer with a purchase day or a contract in force, sorted by customer_id; see ``_reduce``.

    Where there is no such table, its columns are missing or 0.
    """
    reduced = _reduce_customer_value(known, classes)
    return reduced.execute().sort_values("customer_id", ignore_index=True)


def others(known: Known) -> int:
    """Count the customers on record who have neither a purchase day nor a contract in force."""
    customers = known.table("customers", ("customer_id",))
    if customers is None:
        return 0
    here = _here(known)
    return int(customers.anti_join(here, "customer_id").count().execute())


def open_spells(known: Known, watched_from: dt.date | None = None) -> ir.Table | None:
    """Return the spells under contract, those that ended and those in force, or None without contracts."""
    contracts = known.table("contracts", ("customer_id", "start"))
    if contracts is None:
        return None
    customers = known.table("customers", ("customer_id",))
    return spells(contracts, customers, as_of=known.as_of, window_start=watched_from)


def _reduce_customer_value(known: Known, classes: Rows | None) -> ir.Table:
    """Reduce to one row a customer: customer_id, class; frequency, recency, age, mean_spend of purchases; tenure_days.

    Further: cents (of all lines), known_cents, goods (of lines whose cost is known), of all orders and of the last
    year; service_cents, of all time and of the last year; monthly_fees (of contracts in force), fees_paid, without_fee;
    won_on, acquisition_cents.
    """
    found = _here(known)
    for part, zeros in (
        (_orders(known), _ORDERS),
        (_service(known), _COSTS),
        (_fees(known), _FEES),
        (_won(known), ()),
        (_classes(known, classes), ()),
    ):
        if part is not None:
            found = _joined(found, part, zeros)
    absent = {"won_on": ibis.null("date"), "acquisition_cents": ibis.null("int64"), "class": ibis.null("string")}
    absent |= {name: ibis.literal(0) for name in (*_ORDERS, *_COSTS, *_FEES)}
    absent |= {name: ibis.null("float64") for name in ("frequency", "recency", "age", "mean_spend", "tenure_days")}
    return found.mutate(**{name: value for name, value in absent.items() if name not in found.columns})


def _joined(rows: ir.Table, part: ir.Table, zeros: tuple[str, ...]) -> ir.Table:
    """Add the columns of a part that has one row a customer; those named are 0 for customers it does not hold."""
    side = part.rename(_key="customer_id")
    joined = rows.left_join(side, rows["customer_id"] == side["_key"]).drop("_key")
    return joined.mutate(**{name: joined[name].coalesce(0) for name in zeros})


def _here(known: Known) -> ir.Table:
    """One row a customer with a purchase day or a contract in force, and the columns of both parts."""
    bought, in_force = _history(known), _in_force(known)
    if bought is None or in_force is None:
        return bought if in_force is None else in_force
    side = in_force.rename(_key="customer_id")
    both = bought.outer_join(side, bought["customer_id"] == side["_key"])
    return both.mutate(customer_id=both["customer_id"].coalesce(both["_key"])).drop("_key")


def _history(known: Known) -> ir.Table | None:
    lines = known.table("transactions", ("customer_id", "date", "revenue"))
    if lines is None:
        return None
    last = known.as_of - dt.timedelta(days=1)
    bought = purchase_history(lines, end=last).drop("first", "last")
    spent = spend_history(lines, end=last).select(_spender="customer_id", mean_spend="mean_spend")
    joined = bought.left_join(spent, bought["customer_id"] == spent["_spender"]).drop("_spender")
    return joined.mutate(frequency=joined["frequency"].cast("float64"))


def _in_force(known: Known) -> ir.Table | None:
    watched = open_spells(known)
    if watched is None:
        return None
    still = watched.filter(watched["event"] == 0)
    return still.group_by("customer_id").aggregate(tenure_days=still["exit"].max().cast("float64"))


def _lines(known: Known) -> ir.Table | None:
    lines = known.table("transactions", ("customer_id", "date", "revenue"))
    if lines is None:
        return None
    if "product_id" not in lines.columns:
        lines = lines.mutate(product_id=ibis.null("string"))
    found = with_goods(MEASURE, lines, known.tables.get("products"))
    return found.filter(known.before(found["date"]), found["customer_id"].notnull())


def _orders(known: Known) -> ir.Table | None:
    lines = _lines(known)
    if lines is None:
        return None
    has_cost = lines["goods"].notnull()
    known_cents = has_cost.ifelse(lines["cents"], 0)
    goods = lines["goods"].coalesce(0)
    lately = known.last_year(lines["date"])
    return lines.group_by("customer_id").aggregate(
        cents=lines["cents"].sum(),
        known_cents=known_cents.sum(),
        goods=goods.sum(),
        year_cents=lately.ifelse(lines["cents"], 0).sum(),
        year_known_cents=lately.ifelse(known_cents, 0).sum(),
        year_goods=lately.ifelse(goods, 0).sum(),
    )


def _classes(known: Known, classes: Rows | None) -> ir.Table | None:
    if classes is not None:
        given = as_table(classes)
        require(f"{MEASURE}, classes", given, ("customer_id", "class"))
        return given.select("customer_id", "class").distinct()
    lines = known.table("transactions", ("customer_id", "date", "revenue"))
    if lines is None:
        return None
    recent = lines.filter(known.before(lines["date"]), known.last_year(lines["date"]))
    return abc_classes(recent.select("customer_id", "revenue")).select("customer_id", "class")


def _service(known: Known) -> ir.Table | None:
    costs = known.table("costs", ("customer_id", "month", "cost"))
    if costs is None:
        return None
    costs = costs.filter(known.before(costs["month"]), costs["cost"].notnull(), ~costs["cost"].cast("float64").isnan())
    cents = in_cents(costs["cost"])
    sums = {"service_cents": cents.sum(), "year_service_cents": known.last_year(costs["month"]).ifelse(cents, 0).sum()}
    # A correction may be below 0, but nobody is served at a gain.
    return costs.group_by("customer_id").aggregate(**{name: ibis.greatest(total, 0) for name, total in sums.items()})


def _fees(known: Known) -> ir.Table | None:
    """One row a customer with contracts: monthly_fees (in force), fees_paid (so far), in cents; without_fee."""
    contracts = known.table("contracts", ("customer_id", "start"))
    if contracts is None or "fee" not in contracts.columns:
        return None
    as_of = ibis.literal(known.as_of, type="date")
    start = contracts["start"].cast("date")
    ended = (contracts["ended_on"] if "ended_on" in contracts.columns else ibis.null("date")).cast("date")
    until = ibis.coalesce((ended < as_of).ifelse(ended.epoch_days() + 1, None), as_of.epoch_days())
    fee = contracts["fee"].cast("float64")
    cents = fee.isnan().ifelse(None, (fee * 100).round())
    sound = contracts.mutate(
        _in_force=(ended.isnull() | (ended >= as_of)).ifelse(1, 0), _days=until - start.epoch_days(), _cents=cents
    ).filter(start < as_of)
    sound = sound.filter(sound["_days"] > 0)
    return sound.group_by("customer_id").aggregate(
        monthly_fees=(sound["_in_force"] * sound["_cents"].coalesce(0)).sum(),
        fees_paid=(sound["_cents"].coalesce(0) * sound["_days"].cast("float64") / MONTH).sum(),
        without_fee=(sound["_in_force"] * sound["_cents"].isnull().ifelse(1, 0)).sum(),
    )


def _won(known: Known) -> ir.Table | None:
    customers = known.table("customers", ("customer_id",))
    if customers is None:
        return None
    since = (customers["since"] if "since" in customers.columns else ibis.null("date")).cast("date")
    if "acquisition_cost" not in customers.columns:
        return customers.select("customer_id", won_on=since)
    cost = customers["acquisition_cost"].cast("float64")
    cents = cost.isnan().ifelse(None, (cost * 100).round())
    return customers.select("customer_id", won_on=since, acquisition_cents=cents.cast("int64"))
