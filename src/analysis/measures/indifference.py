"""Satisfied but fading: customers who rate well and yet come less often than they used to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.features import bought
from analysis.measures.frames import binary_order, check_confidence
from analysis.measures.inference import Floats
from analysis.measures.intervals import wilson
from analysis.measures.point_in_time import DAYS_A_YEAR, Knowledge, Tables, day_number, knowledge, last_answer, present

Fading: TypeAlias = Literal["fading", "within noise", "undecided"]
"""What the test says of a satisfied customer."""

MIN_EARLIER = 4
"""Customers with fewer earlier orders are undecided."""

SATISFIED: Mapping[str, int] = {"nps": 9}
"""Who counts as satisfied, unless declared: promoters."""


@dataclass(frozen=True)
class Indifference:
    """How many satisfied customers fade, and who."""

    summary: pd.DataFrame
    """One row: satisfied, tested, undecided, fading (customers), share (of tested), low, high (Wilson)."""
    customers: ir.Table
    """One row a satisfied customer, lazy: customer_id, windows, earlier, last, expected, p, p_adjusted, verdict."""


def indifference(
    tables: Tables,
    *,
    as_of: dt.date,
    satisfied: Mapping[str, int] = SATISFIED,
    window_days: int = 180,
    false_discoveries: float = 0.05,
    active_days: int = DAYS_A_YEAR,
    confidence: float = 0.95,
    timezone: str = "UTC",
) -> Indifference:
    """Test which satisfied customers ordered less often in the last window than at their own earlier rate.

    Present and known are as for ``features_as_of``; satisfied is whose last answer to one of the ratings ``satisfied``
    is at least the value declared there. The last window are the ``window_days`` days before ``as_of``; earlier are as
    many whole windows before it as lie after the day the present spell began, and within the ledger of orders. Given
    all orders, those of the last window are binomial at an unchanged rate: n trials, chance 1 / (windows + 1); p is the
    chance of so few or fewer. Over the customers tested, Benjamini-Hochberg keeps the expected share of wrongly
    named ones among those called fading under ``false_discoveries``. Undecided, and not tested, are customers with
    fewer than 4 earlier orders, and those with so few in all that none in the last window would leave p above
    ``false_discoveries``: whether they order as often as before cannot be told.

    Columns in: transactions ``customer_id, date``, where present also ``transaction_id, revenue`` (orders as for
    ``features_as_of``); surveys ``customer_id, answered_at`` and the ratings; contracts as for ``features_as_of``.

    Returns a record of ``summary``, one row: satisfied, tested, undecided, fading, share (fading of tested), low, high
    (Wilson); and ``customers``, one row a satisfied customer, a lazy Ibis table: customer_id, windows, earlier, last
    (orders), expected (orders in a window at the earlier rate), p, p_adjusted, verdict (fading, within noise,
    undecided). What the engine returns are counts by windows, earlier and last.

    Raises MeasureError where the orders or all ratings are absent, a window is shorter than a day, or a share is not
    between 0 and 1.
    Source: Przyborowski and Wilenski (1940), Biometrika 31, 313-323; Benjamini and Hochberg (1995), Journal of the
    Royal Statistical Society B 57, 289-300; Tarone (1990), Biometrics 46, 515-522, on tests that can never tell.

    >>> days = [f"2025-{month:02}-{day}" for month in range(1, 10) for day in (11, 25)]
    >>> orders = pd.DataFrame({"customer_id": "a", "date": pd.to_datetime(["2024-12-01", *days])})
    >>> said = pd.DataFrame({"customer_id": ["a"], "answered_at": pd.to_datetime(["2025-06-01"]), "nps": [10]})
    >>> tables = {"transactions": orders, "surveys": said}
    >>> found = indifference(tables, as_of=dt.date(2026, 1, 1), window_days=90)
    >>> found.customers.drop("customer_id").execute().round(3)
       windows  earlier  last  expected      p  p_adjusted verdict
    0        3       18     0       6.0  0.006       0.006  fading
    >>> found.summary[["satisfied", "tested", "fading"]]
       satisfied  tested  fading
    0          1       1       1
    """
    check_confidence("indifference", confidence)
    _check_settings(window_days, false_discoveries)
    known = knowledge(tables, as_of, timezone)
    counted = _counts(known, satisfied, window_days, active_days)
    cells = _reduce_counts(counted).execute().sort_values(["windows", "earlier", "last"], ignore_index=True)
    tested = _tested(cells, false_discoveries)
    columns = ["windows", "earlier", "last", "expected", "p", "p_adjusted", "verdict"]
    return Indifference(_summary(tested, confidence), counted.join(ibis.memtable(tested[columns]), columns[:3]))


def fading(found: Indifference, *, most: int = 20) -> pd.DataFrame:
    """List the satisfied customers who fade, the smallest p first.

    Columns out: customer_id, last (orders in the last window), expected (in a window at the earlier rate), p_adjusted;
    at most ``most`` rows. ``attrs``: ``n``, how many fade in all.

    >>> named = pd.DataFrame({"customer_id": ["b", "a"], "last": [3, 0], "expected": [3.0, 9.0]})
    >>> named = named.assign(p=[0.6, 0.001], p_adjusted=[0.6, 0.002], verdict=["within noise", "fading"])
    >>> listed = fading(Indifference(pd.DataFrame({"fading": [1]}), ibis.memtable(named)))
    >>> listed, listed.attrs["n"]
    (  customer_id  last  expected  p_adjusted
    0           a     0       9.0       0.002, 1)
    """
    named = found.customers.filter(found.customers["verdict"] == "fading")
    named = named.order_by("p", binary_order(named, "customer_id")).limit(most)
    frame = named.select("customer_id", "last", "expected", "p_adjusted").execute()
    frame.attrs = {"n": int(found.summary["fading"].iloc[0])}
    return frame


def benjamini_hochberg(p: ArrayLike, times: ArrayLike) -> Floats:
    """Adjust p for the false discoveries among all, each of which stands for so many tests; a missing p is none.

    >>> benjamini_hochberg([0.01, 0.04, float("nan"), 0.03], [1, 1, 7, 2]).round(2).tolist()
    [0.04, 0.04, nan, 0.04]
    """
    p, weight = np.asarray(p, dtype=np.float64), np.asarray(times, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    rank = np.cumsum(weight[order])
    steps = p[order] * weight[order].sum() / rank
    adjusted[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return adjusted


def _check_settings(window_days: int, false_discoveries: float) -> None:
    if window_days < 1:
        raise MeasureError("indifference", f"window_days is {window_days}", "Give 1 day or more")
    if not 0 < false_discoveries < 1:
        raise MeasureError(
            "indifference", f"false_discoveries is {false_discoveries}", "Give a share between 0 and 1, such as 0.05"
        )


def _counts(known: Knowledge, satisfied: Mapping[str, int], window_days: int, active_days: int) -> ir.Table:
    """One row a satisfied customer: customer_id, windows, earlier, last."""
    if not known.has("transactions", ["customer_id", "date"]):
        raise MeasureError("indifference", "there are no transactions with customer_id and date", "Map them")
    happy = _satisfied(known, satisfied)
    people = present(known, active_days=active_days)
    people = people.semi_join(happy, "customer_id").select("customer_id", "origin")
    lines, today = bought(known), day_number(known.as_of)
    orders = lines.group_by("customer_id", "order").aggregate(date=lines["date"].min())
    ledger = orders.aggregate(_first=orders["date"].min())
    people = people.cross_join(ledger)
    begun = ibis.greatest(people["origin"].epoch_days() + 1, people["_first"].epoch_days())
    windows = ibis.greatest((today - begun) // window_days - 1, 0).cast("int64")
    people = people.select("customer_id", windows=windows)
    joined = people.left_join(orders, "customer_id").select("customer_id", "windows", "date")
    back = (today - 1 - joined["date"].epoch_days()) // window_days
    return joined.group_by("customer_id", "windows").aggregate(
        earlier=times((back > 0) & (back <= joined["windows"])).cast("int64"), last=times(back == 0).cast("int64")
    )


def _satisfied(known: Knowledge, satisfied: Mapping[str, int]) -> ir.Table:
    answers = {rating: last_answer(known, rating) for rating in satisfied}
    happy = [
        given.filter(given[rating] >= satisfied[rating]).select("customer_id")
        for rating, given in answers.items()
        if given is not None
    ]
    if not happy:
        raise MeasureError(
            "indifference",
            f"there are no surveys with customer_id, answered_at and one of: {', '.join(satisfied)}",
            "Declare in satisfied a rating that was asked",
        )
    return ibis.union(*happy, distinct=True) if len(happy) > 1 else happy[0]


def _reduce_counts(counted: ir.Table) -> ir.Table:
    return counted.group_by("windows", "earlier", "last").aggregate(customers=counted.count())


def _tested(cells: pd.DataFrame, false_discoveries: float) -> pd.DataFrame:
    """Add expected, p, p_adjusted and verdict to each cell of customers."""
    windows, earlier, last = (cells[name].to_numpy() for name in ("windows", "earlier", "last"))
    least = (windows / (windows + 1)) ** (earlier + last)
    is_tested = (earlier >= MIN_EARLIER) & (least <= false_discoveries)
    p = np.where(is_tested, special.bdtr(last, earlier + last, 1 / (windows + 1)), np.nan)
    adjusted = benjamini_hochberg(p, cells["customers"])
    verdict = np.where(np.isnan(p), "undecided", np.where(adjusted <= false_discoveries, "fading", "within noise"))
    expected = earlier / np.where(windows > 0, windows, np.nan)
    return cells.assign(expected=expected, p=p, p_adjusted=adjusted, verdict=pd.array(verdict, dtype="str"))


def _summary(tested: pd.DataFrame, confidence: float) -> pd.DataFrame:
    counts = tested.groupby("verdict")["customers"].sum()
    undecided, fading, within = (int(counts.get(name, 0)) for name in ("undecided", "fading", "within noise"))
    low, high = wilson([fading], [fading + within], confidence)
    row = {"satisfied": undecided + fading + within, "tested": fading + within, "undecided": undecided}
    share = fading / (row["tested"] or float("nan"))
    return pd.DataFrame([row | {"fading": fading, "share": share, "low": low.item(), "high": high.item()}])
