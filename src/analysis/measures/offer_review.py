"""The offers reviewed over whole months: what each earns, which are weak, and what the best customers hold of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, require
from analysis.measures.holders import holders
from analysis.measures.margins import margins
from analysis.measures.money import known_amounts
from analysis.measures.offers import NextOffers
from analysis.measures.service import Allocation, Days

COMPUTED = "computed"
TOO_SHORT = "too few months"
NOTHING_SOLD = "nothing sold"
NO_COST = "no cost known"

WEAK = ("drop", "watch")
"""Verdicts on offers that are looked at more closely."""
_FEWEST_MONTHS = 2
_FAULTS = ("wrong_sign", "service_below_zero")
_STAKE = (
    *("product_id", "verdict", "name", "holders", "of_class", "class_share"),
    *("offer_revenue", "revenue", "margin"),
)
_HELD = ("customer_id", "offers", "offer_revenue", "revenue", "margin")


@dataclass(frozen=True)
class OfferReview:
    """What offers earn and what is at stake with the weak ones, or why that cannot be told."""

    status: str
    """``computed``, ``too few months``, ``nothing sold`` or ``no cost known``."""
    offers: pd.DataFrame
    """As ``margins``, with customers (who bought it in the period); without rows where nothing was computed."""
    stake: pd.DataFrame
    """As ``holders.Holders.stake``, one row an offer to drop or to watch, with name and verdict."""
    held: pd.DataFrame
    """Who of the class holds such an offer, the dearest customers first: customer_id, offers (of them, by name),
    offer_revenue, revenue, margin (of all they bought in the period). ``attrs`` are of all of them:
    n (customers), revenue, margin.
    """
    summary: pd.DataFrame
    """One row: status, months (of each period), wanted (months), first, last, previous_first, previous_last (days),
    of (the class), allocate (``none`` without costs), wrong_sign (lines) and service_below_zero (customers), whose
    costs are below 0 and so taken for unknown, source (tables, by blanks).
    """


def offer_review(
    tables: Mapping[str, Rows],
    classes: Rows,
    *,
    as_of: dt.date,
    months: int = 12,
    of: str = "A",
    allocate: Allocation = "revenue",
    most: int = 20,
    confidence: float = 0.95,
) -> OfferReview:
    """Review the offers over the last whole months before ``as_of`` against as many before them.

    There are ``months`` in each period, or as many as the orders on record allow. A month that is not whole would pass
    for a weak one, so it does not count.

    Columns in: of ``tables`` transactions, and where there are any products and costs, as ``margins`` takes them;
    ``classes`` with customer_id, class. Returns a record :class:`OfferReview`; ``most`` is how many customers it names.

    Raises MeasureError where a column is absent or a setting is out of its range.
    Source: as for ``margins``.

    >>> days = pd.to_datetime([f"2026-{month:02}-01" for month in range(1, 7)])
    >>> lines = pd.DataFrame({"customer_id": "k", "date": days, "product_id": "tea", "revenue": 9.0})
    >>> classes = pd.DataFrame({"customer_id": ["k"], "class": ["A"]})
    >>> lines["cost"] = [9, 9, 8, 10, 10, 9]
    >>> found = offer_review({"transactions": lines}, classes, as_of=dt.date(2026, 7, 1))
    >>> found.offers[["product_id", "contribution", "verdict", "customers"]]
      product_id  contribution verdict  customers
    0        tea          -2.0   watch          1
    >>> found.summary[["status", "months", "first", "last"]]
         status  months       first        last
    0  computed       3  2026-04-01  2026-06-30
    """
    if months < _FEWEST_MONTHS:
        raise MeasureError("offer_review", f"months is {months}", f"Give {_FEWEST_MONTHS} or more")
    lines = as_table(tables["transactions"])
    require("offer_review", lines, ("customer_id", "date", "revenue", "product_id"))
    products, costs = (tables.get(name) for name in ("products", "costs"))
    held = min(months, _whole_months(lines, as_of) // 2)
    if held < _FEWEST_MONTHS:
        return _without(TOO_SHORT, tables, held, months, of, dict.fromkeys(_FAULTS, 0))
    last = _month_before(as_of, 0)
    period = (_first_of_month(last, held - 1), last)
    before = (_first_of_month(last, 2 * held - 1), period[0] - dt.timedelta(days=1))
    shares_costs: Allocation = allocate if costs is not None else "none"
    offers = margins(
        lines, products, costs, period=period, previous=before, allocate=shares_costs, confidence=confidence
    )
    faults = {name: offers.attrs[name] for name in _FAULTS}
    if offers["verdict"].isin(("cost unknown", "not sold")).all():
        status = NO_COST if (offers["verdict"] == "cost unknown").any() else NOTHING_SOLD
        return _without(status, tables, held, months, of, faults)
    offers = _with_customers(offers, lines, period, before)
    weak = offers[offers["verdict"].isin(WEAK)]
    stake, most_worth = _weak(lines, products, classes, weak, period, of, most)
    summary = _summary(COMPUTED, tables, held, months, of, (*period, *before), shares_costs, faults)
    return OfferReview(COMPUTED, offers, stake, most_worth, summary)


def ranked_offers(found: NextOffers) -> ir.Table:
    """Return all offers to customers, as far as they are justified, as an unexecuted table.

    Columns out: as ``NextOffers.offers``, the highest expected margin first, those whose margin is unknown last.
    """
    offers = found.offers
    best_first = [offers["expected_margin"].desc(nulls_first=False), offers["confidence"].desc()]
    return offers.order_by(*best_first, binary_order(offers, "customer_id"), "rank")


def offer_list(found: NextOffers, *, most: int = 30) -> pd.DataFrame:
    """Return the first of ``ranked_offers``, at most so many; ``attrs["n"]`` counts all of them."""
    listed = ranked_offers(found).limit(most).execute().reset_index(drop=True)
    listed.attrs["n"] = int(found.offers.count().execute())
    return listed


def _whole_months(lines: ir.Table, as_of: dt.date) -> int:
    """Count the whole months from the first order on record to ``as_of``."""
    known = lines.filter(lines["date"].cast("date") < ibis.literal(as_of, type="date"))
    first = known.aggregate(first=known["date"].cast("date").min()).to_pyarrow().to_pylist()[0]["first"]
    if first is None:
        return 0
    begun: int = first.year * 12 + first.month - (first.day == 1)
    return max(0, as_of.year * 12 + as_of.month - 1 - begun)


def _month_before(as_of: dt.date, back: int) -> dt.date:
    """Return the last day of the whole month before ``as_of``, or of one ``back`` months earlier."""
    month = as_of.year * 12 + as_of.month - 1 - back
    return dt.date(month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)


def _first_of_month(last: dt.date, back: int) -> dt.date:
    month = last.year * 12 + last.month - 1 - back
    return dt.date(month // 12, month % 12 + 1, 1)


def _with_customers(offers: pd.DataFrame, lines: ir.Table, period: Days, before: Days) -> pd.DataFrame:
    """Add how many bought each offer, in the period or before it, whichever were fewer, if any: both are told of."""
    now, then = (
        offers["product_id"].map(_reduce_customers(lines, days).execute().set_index("product_id")["customers"])
        for days in (period, before)
    )
    found = offers.assign(customers=now.fillna(0).clip(upper=then).astype("int64"))
    found.attrs = offers.attrs
    return found


def _reduce_customers(lines: ir.Table, period: Days) -> ir.Table:
    known = known_amounts(lines, "date", "revenue")
    day = known["date"].cast("date")
    now = known.filter(day >= ibis.literal(period[0]), day <= ibis.literal(period[1]), known["revenue"] >= 0)
    return now.group_by("product_id").aggregate(customers=now["customer_id"].nunique())


def _weak(
    lines: ir.Table,
    products: Rows | None,
    classes: Rows,
    weak: pd.DataFrame,
    period: Days,
    of: str,
    most: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is at stake with the weak offers, and the dearest customers who hold them."""
    if weak.empty:
        return _nothing_at_stake(), _nobody()
    wanted = {"offers": weak["product_id"].tolist(), "period": period, "of": of}
    found = holders(lines, products, classes, **wanted)
    about = weak[["product_id", "verdict"]].assign(name=weak.get("name", weak["product_id"]))
    return about.merge(found.stake, on="product_id"), _most_worth(found.customers, about, most)


def _most_worth(held: ir.Table, about: pd.DataFrame, most: int) -> pd.DataFrame:
    top = _reduce_held(held, most).execute().astype({"customer_id": "str"})
    top = top.sort_values(["revenue", "customer_id"], ascending=[False, True], ignore_index=True)
    one_each = held.filter(held["customer_id"].isin(top["customer_id"].tolist())).select("customer_id", "product_id")
    named = about.assign(name=about["name"].fillna(about["product_id"])).set_index("product_id")["name"]
    pairs = one_each.execute().sort_values(["customer_id", "product_id"])
    offers = pairs["product_id"].map(named).groupby(pairs["customer_id"]).agg(", ".join)
    found = top.assign(offers=top["customer_id"].map(offers))[list(_HELD)]
    found.attrs = _reduce_all_held(held).execute().iloc[0].to_dict()
    return found


def _reduce_all_held(held: ir.Table) -> ir.Table:
    money = ("revenue", "margin")
    customers = held.group_by("customer_id").aggregate(**{name: held[name].max() for name in money})
    return customers.aggregate(n=customers.count(), **{name: customers[name].sum() for name in money})


def _reduce_held(held: ir.Table, most: int) -> ir.Table:
    """One row a customer, the ``most`` with the highest revenue: offer_revenue (of these offers), revenue, margin."""
    customers = held.group_by("customer_id").aggregate(
        offer_revenue=held["offer_revenue"].sum(), revenue=held["revenue"].max(), margin=held["margin"].max()
    )
    return customers.order_by(customers["revenue"].desc(), binary_order(customers, "customer_id")).limit(most)


def _without(
    status: str, tables: Mapping[str, Rows], held: int, months: int, of: str, faults: Mapping[str, int]
) -> OfferReview:
    summary = _summary(status, tables, held, months, of, (None,) * 4, "none", faults)
    return OfferReview(status, _no_offers(), _nothing_at_stake(), _nobody(), summary)


def _summary(
    status: str,
    tables: Mapping[str, Rows],
    held: int,
    months: int,
    of: str,
    days: tuple[dt.date | None, ...],
    allocate: Allocation,
    faults: Mapping[str, int],
) -> pd.DataFrame:
    named = dict(zip(("first", "last", "previous_first", "previous_last"), days, strict=True))
    used = " ".join(name for name in ("transactions", "products", "costs") if name in tables)
    row = {"status": status, "months": held, "wanted": months, **named, "of": of, "allocate": allocate}
    return pd.DataFrame([row | {**faults, "source": used}])


def _no_offers() -> pd.DataFrame:
    numbers = ("revenue", "margin_ratio", "contribution", "low", "high", "previous_contribution", "without_cost")
    columns = dict.fromkeys(("product_id", "name", "trend", "verdict"), "str") | dict.fromkeys(numbers, "float64")
    return pd.DataFrame(columns=list(columns)).astype(columns).assign(customers=pd.Series(dtype="int64"))


def _nothing_at_stake() -> pd.DataFrame:
    return pd.DataFrame(columns=list(_STAKE))


def _nobody() -> pd.DataFrame:
    return pd.DataFrame(columns=list(_HELD))
