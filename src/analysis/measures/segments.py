"""Who brings how much: ABC classes, concentration of revenue, and recency, frequency and money."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, require
from analysis.measures.money import in_cents, known_amounts
from analysis.measures.rfm import SCORES, rfm, rfm_scores

__all__ = [
    "CLASSES",
    "SCORES",
    "abc",
    "abc_classes",
    "classed",
    "concentration",
    "lorenz",
    "rfm",
    "rfm_scores",
    "with_class",
]

CLASSES = ("A", "B", "C")
"""The ABC classes, best first."""


def abc(amounts: Rows, *, cuts: tuple[float, float] = (0.8, 0.95)) -> pd.DataFrame:
    """Summarise customers by ABC class.

    By descending amount, ties by id, a customer is A while the share of revenue before them is under the first cut,
    B under the second, else C. Amounts of zero and below are C. Shares are shares of the sum of positive amounts.

    Columns in: customer_id, revenue (money; one or many rows a customer, summed in whole cents). Rows in which one of
    them is missing are left out.

    Columns out: class (A, B, C: always three rows), customers, revenue (money), share (revenue / sum of positive
    amounts, 0 to 1; negative amounts lower it), customer_share (0 to 1), lowest_revenue (least amount of a customer
    in the class, money), not_positive (customers whose amount is zero or below).

    Raises MeasureError where a column is absent or the cuts do not rise between 0 and 1.
    Source: Pareto analysis by cumulative share, Dickie (1951), Factory Management and Maintenance 109, 92-94.

    >>> abc(pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue": [80.0, 15.0, 5.0]}))[["class", "revenue", "share"]]
      class  revenue  share
    0     A     80.0   0.80
    1     B     15.0   0.15
    2     C      5.0   0.05
    """
    found = _reduce_abc(_amounts("abc", amounts), cuts).execute().set_index("class").reindex(list(CLASSES))
    counts = found[["customers", "not_positive", "cents", "positive_cents"]].fillna(0).astype("int64")
    base = counts["positive_cents"].sum() or float("nan")
    return pd.DataFrame(
        {
            "class": list(CLASSES),
            "customers": counts["customers"].to_numpy(),
            "revenue": counts["cents"].to_numpy() / 100,
            "share": counts["cents"].to_numpy() / base,
            "customer_share": (counts["customers"] / counts["customers"].sum()).to_numpy(),
            "lowest_revenue": (found["lowest"].astype("float64") / 100).to_numpy(),
            "not_positive": counts["not_positive"].to_numpy(),
        }
    )


def abc_classes(amounts: Rows, *, cuts: tuple[float, float] = (0.8, 0.95)) -> ir.Table:
    """Return each customer's ABC class as an unexecuted table, for further reduction in the engine.

    Columns in: as for ``abc``. Columns out: customer_id, revenue (money), class. One row a customer, in no order.

    Raises MeasureError where a column is absent or the cuts do not rise between 0 and 1.
    Source: as for ``abc``.

    >>> classes = abc_classes(pd.DataFrame({"customer_id": ["a", "b", "a"], "revenue": [5.0, 1.0, 4.0]}))
    >>> classes.order_by("customer_id").execute()
      customer_id  revenue class
    0           a      9.0     A
    1           b      1.0     B
    """
    found = classed(_amounts("abc", amounts), cuts)
    return found.select("customer_id", revenue=found["cents"] / 100, **{"class": found["class"]})


def with_class(rows: Rows, amounts: Rows | None, *, cuts: tuple[float, float] = (0.8, 0.95)) -> ir.Table:
    """Add to each row the ABC class of its customer; without amounts, or customers to match, the rows stay as they are.

    Columns in: rows with customer_id; amounts as for ``abc``. Columns out: those of the rows and class (missing where
    the customer has no amount). Raises MeasureError and Source: as for ``abc``.

    >>> orders = pd.DataFrame({"customer_id": ["a", "b"], "revenue": [95.0, 5.0]})
    >>> with_class(pd.DataFrame({"customer_id": ["b", "c"]}), orders).order_by("customer_id").execute()
      customer_id class
    0           b     C
    1           c   NaN
    """
    table = as_table(rows)
    if amounts is None or "customer_id" not in table.columns:
        return table
    classes = abc_classes(amounts, cuts=cuts).select("customer_id", "class")
    return table.left_join(classes, "customer_id").select(*table.columns, "class")


def concentration(amounts: Rows, *, smallest: int = 1) -> pd.DataFrame:
    """Measure how strongly revenue is concentrated on few customers, over positive amounts.

    Columns in: customer_id, revenue (money; one or many rows a customer, summed in whole cents). Rows in which one of
    them is missing are left out.

    Columns out, in one row: n (customers), revenue (money, returns deducted), positive (customers with an amount
    above 0), gini (0 to 1: 2·Σi·xᵢ / (n·Σx) - (n + 1) / n with amounts ascending), top_10_share, top_20_share (share
    of the revenue that the best 10 and 20 % of these customers bring, rounded up to whole customers, 0 to 1; missing
    where they are fewer than ``smallest``). Where fewer than ``smallest`` customers, but some, are above 0, gini is
    missing; where so few are above 0, or are not, positive is.

    Raises MeasureError where a column is absent.
    Source: Gini (1912); the formula in Damgaard and Weiner (2000), Ecology 81, 1139-1142, without correction.

    >>> concentration(pd.DataFrame({"customer_id": list("abcd"), "revenue": [1.0, 1.0, 1.0, 5.0]}))
       n  revenue  positive   gini  top_10_share  top_20_share
    0  4      8.0         4  0.375         0.625         0.625
    """
    found = _reduce_concentration(_amounts("concentration", amounts)).execute()
    n = found["positive"].where(found["positive"] > 0)
    gini = 2 * found["weighted"] / (n * found["cents"]) - (n + 1) / n
    large = {percent: np.ceil(n * percent / 100) >= smallest for percent in (10, 20)}
    best = {f"top_{percent}_share": found[f"top_{percent}"] / found["cents"].where(large[percent]) for percent in large}
    few, others = found["positive"].between(1, smallest - 1), found["n"] - found["positive"]
    positive = found["positive"].mask(few | others.between(1, smallest - 1))
    return found[["n"]].assign(revenue=found["net"] / 100, positive=positive, gini=gini.mask(few), **best)


def lorenz(amounts: Rows, *, points: int = 100, smallest: int = 1) -> pd.DataFrame:
    """Return the Lorenz curve of revenue over customers with positive amounts, at up to ``points`` equal steps.

    Columns in: customer_id, revenue (money; one or many rows a customer, summed in whole cents). Rows in which one of
    them is missing are left out.

    Columns out: customer_share, revenue_share (0 to 1): the share of revenue that the given share of customers,
    lowest amounts first, brings. Begins at (0, 0), ends at (1, 1); each row is a point of the exact curve. Where a step
    would hold fewer than ``smallest`` customers there are fewer steps, and without so many customers no rows.

    Raises MeasureError where a column is absent or ``points`` is below 1.
    Source: Lorenz (1905), Publications of the American Statistical Association 9, 209-219.

    >>> lorenz(pd.DataFrame({"customer_id": list("abcd"), "revenue": [1.0, 1.0, 1.0, 5.0]}), points=2)
       customer_share  revenue_share
    0             0.0           0.00
    1             0.5           0.25
    2             1.0           1.00
    """
    if points < 1:
        raise MeasureError("lorenz", f"points is {points}", "Give at least 1")
    table = _amounts("lorenz", amounts)
    if smallest > 1:
        customers = int(_reduce_concentration(table).execute()["positive"].iloc[0])
        points = min(points, customers // smallest)
    steps = _reduce_lorenz(table, max(points, 1)).execute().sort_values("step").head(None if points else 0)
    if steps.empty:
        return pd.DataFrame({"customer_share": [], "revenue_share": []}, dtype="float64")
    customers, cents = steps["customers"].cumsum(), steps["cents"].cumsum()
    return pd.DataFrame(
        {
            "customer_share": [0.0, *(customers / customers.max())],
            "revenue_share": [0.0, *(cents / cents.max())],
        }
    )


def classed(amounts: ir.Table, cuts: tuple[float, float]) -> ir.Table:
    """Return one row a customer: customer_id, cents, has_bought (1 where a row is 0 or more, else 0), class."""
    _check_cuts(cuts)
    customers = _customers(amounts)
    gain = ibis.greatest(customers["cents"], 0)
    best_first = [customers["cents"].desc(), binary_order(customers, "customer_id")]
    before = gain.sum().over(ibis.cumulative_window(order_by=best_first)) - gain
    total = gain.sum().over(ibis.window())
    placed = customers.mutate(share_before=before.cast("float64") / total.cast("float64").nullif(0))
    share = placed["share_before"]
    letter = ibis.cases((placed["cents"] <= 0, "C"), (share < cuts[0], "A"), (share < cuts[1], "B"), else_="C")
    return placed.select(*customers.columns, **{"class": letter})


def _check_cuts(cuts: tuple[float, float]) -> None:
    if not 0 < cuts[0] < cuts[1] <= 1:
        raise MeasureError("abc", f"cuts are {cuts!r}", "Give two rising shares between 0 and 1, such as (0.8, 0.95)")


def _amounts(measure: str, amounts: Rows) -> ir.Table:
    table = as_table(amounts)
    require(measure, table, ("customer_id", "revenue"))
    return table


def _customers(amounts: ir.Table) -> ir.Table:
    """One row a customer: customer_id, cents, has_bought."""
    known = known_amounts(amounts, "customer_id", "revenue")
    has_bought = (known["revenue"] >= 0).ifelse(1, 0).max()
    return known.group_by("customer_id").aggregate(cents=in_cents(known["revenue"]).sum(), has_bought=has_bought)


def _reduce_abc(amounts: ir.Table, cuts: tuple[float, float]) -> ir.Table:
    customers = classed(amounts, cuts)
    cents = customers["cents"]
    return customers.group_by("class").aggregate(
        customers=customers.count(),
        not_positive=(cents <= 0).ifelse(1, 0).sum(),
        cents=cents.sum(),
        positive_cents=ibis.greatest(cents, 0).sum(),
        lowest=cents.min(),
    )


def _ranked(amounts: ir.Table) -> ir.Table:
    """One row a customer: cents, rank (0 the best), positive (how many customers are above 0)."""
    customers = _customers(amounts)
    return customers.select(
        "cents",
        rank=ibis.row_number().over(ibis.window(order_by=customers["cents"].desc())),
        positive=(customers["cents"] > 0).ifelse(1, 0).sum().over(ibis.window()),
    )


def _reduce_concentration(amounts: ir.Table) -> ir.Table:
    ranked = _ranked(amounts)
    gain = ibis.greatest(ranked["cents"], 0)
    rank_from_below = ranked["positive"] - ranked["rank"]
    # rank times cents, summed, outgrows 64 bits from some million customers on
    weighted = (rank_from_below * gain).cast("decimal(38, 0)").sum().cast("float64")
    return ranked.aggregate(
        n=ranked.count(),
        positive=(ranked["cents"] > 0).ifelse(1, 0).sum().coalesce(0),
        net=ranked["cents"].sum().coalesce(0).cast("int64"),
        cents=gain.sum(),
        weighted=weighted,
        top_10=(ranked["rank"] * 10 < ranked["positive"]).ifelse(gain, 0).sum(),
        top_20=(ranked["rank"] * 5 < ranked["positive"]).ifelse(gain, 0).sum(),
    )


def _reduce_lorenz(amounts: ir.Table, points: int) -> ir.Table:
    ranked = _ranked(amounts)
    ranked = ranked.filter(ranked["cents"] > 0)
    step = (points * (ranked["positive"] - 1 - ranked["rank"])) // ranked["positive"]
    return ranked.group_by(step=step).aggregate(customers=ranked.count(), cents=ranked["cents"].sum())
