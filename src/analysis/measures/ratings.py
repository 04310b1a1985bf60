"""Ratings of an occasion, an effort or a service: share of the best, mean, and how often each was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats

from analysis.errors import MeasureError
from analysis.measures import answers as counted
from analysis.measures.answers import Scale, times
from analysis.measures.frames import Rows, as_table, check_confidence, names
from analysis.measures.intervals import wilson
from analysis.vocabulary import RATING_PREFIX

Easy = Literal["high", "low"]
"""Which end of an effort scale says that it was easy."""


def csat(
    answers: Rows,
    *,
    scale: Scale,
    top: int = 2,
    by: str | Sequence[str] = (),
    rating: str = "csat",
    one_per_customer: bool = False,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure satisfaction in each group: the share of ratings among the ``top`` best of the scale, and the mean.

    A satisfaction rating judges an occasion (an order, a case, a visit), so every rating counts, also several of one
    customer; the interval takes them as independent. For a survey that asks about the relation as a whole,
    ``one_per_customer`` keeps the latest of a customer and survey, as ``nps`` does. On a scale that starts above 0 a
    rating of 0 means "not applicable" and is missing.

    Columns in: the rating (whole numbers on the scale, missing where not answered), the columns of ``by``; for
    ``one_per_customer`` where present also customer_id, survey, answered_at, response_id.

    Columns out: those of ``by``, n (ratings), top (ratings among the best), share (top / n, 0 to 1), low, high
    (Wilson, 0 to 1), mean (on the scale). One row a group, sorted by ``by``, the missing group last.

    Raises MeasureError where the scale does not rise, ``top`` does not leave a part of it, a column is absent, a
    rating is not a whole number on the scale or the confidence is not between 0 and 1.
    Source: top-box share; interval of Wilson (1927), JASA 22, 209-212.

    >>> csat(pd.DataFrame({"csat": [5, 4, 2, 1]}), scale=(1, 5)).round(3)
       n  top  share   low  high  mean
    0  4    2    0.5  0.15  0.85   3.0
    """
    check_boxes(scale, top)
    check_confidence("csat", confidence)
    by = names(by)
    table = counted.checked("csat", answers, rating, by)
    groups = counted.executed("csat", _reduce_csat(table, rating, scale, top, by, one_per_customer), scale, by)
    low, high = wilson(groups["top"], groups["n"], confidence)
    share, mean = groups["top"] / groups["n"], groups["total"] / groups["n"]
    return groups.assign(share=share, low=low, high=high, mean=mean)[[*by, "n", "top", "share", "low", "high", "mean"]]


def ces(
    answers: Rows,
    *,
    scale: Scale,
    easy: Easy,
    by: str | Sequence[str] = (),
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure the customers' effort in each group: the mean answer, and the share who report high effort.

    ``easy`` declares which end of the scale says that it was easy. Effort is high on the other side of the middle of
    the scale: 1 to 3 of 1 to 7 where high is easy, 4 and 5 of 1 to 5 where low is easy. Every answer counts, as for
    ``csat``; on a scale that starts above 0 a 0 means "not applicable" and is missing.

    Columns in: ces (whole numbers on the scale, missing where not answered), the columns of ``by``. Columns out:
    those of ``by``, n (answers), mean, low, high (on the scale; t interval, missing for one answer), high_effort,
    high_effort_low, high_effort_high (share, 0 to 1, Wilson). One row a group, sorted by ``by``, the missing last.

    Raises MeasureError where ``easy`` is neither "high" nor "low", the scale does not rise, a column is absent, an
    answer is not a whole number on the scale or the confidence is not between 0 and 1.
    Source: Dixon, Freeman and Toman (2010), Harvard Business Review 88(7), 116-122; interval of Student (1908).

    >>> ces(pd.DataFrame({"ces": [7, 6, 2]}), scale=(1, 7), easy="high").round(2)
       n  mean   low   high  high_effort  high_effort_low  high_effort_high
    0  3   5.0 -1.57  11.57         0.33             0.06              0.79
    """
    counted.check_scale("ces", scale)
    check_confidence("ces", confidence)
    if easy not in get_args(Easy):
        raise MeasureError("ces", f"easy is {easy!r}", 'Declare which end of the scale is easy: "high" or "low"')
    by = names(by)
    table = counted.checked("ces", answers, "ces", by)
    groups = counted.executed("ces", _reduce_ces(table, scale, easy, by), scale, by)
    n = groups["n"].to_numpy(dtype="float64", na_value=np.nan)
    mean = groups["total"] / groups["n"]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = ((groups["squares"] - groups["n"] * mean**2) / (n - 1)).clip(lower=0)
        half = stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(variance / n)
    hard_low, hard_high = wilson(groups["hard"], groups["n"], confidence)
    found = groups[[*by, "n"]].assign(mean=mean, low=mean - half, high=mean + half)
    hard = {"high_effort": groups["hard"] / groups["n"], "high_effort_low": hard_low, "high_effort_high": hard_high}
    return found.assign(**hard)


def ratings(
    answers: Rows,
    *,
    scale: Scale,
    top: int = 2,
    min_group: int = 1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure the satisfaction with each attribute asked: the columns whose names begin with ``rating_``.

    Attributes with fewer than ``min_group`` answers are left out.

    Columns in: rating_* (whole numbers on the scale, missing where not answered). Columns out: attribute (the name
    without its prefix), n, top (answers in the best ``top`` categories), share, low, high (0 to 1, Wilson), mean.
    One row an attribute, best mean first.

    Raises MeasureError where there is no such column, or as ``csat``.
    Source: as for ``csat``, column by column.

    >>> answers = pd.DataFrame({"rating_price": [1, 5, 2, 4], "rating_taste": [5, 5, 4, None]})
    >>> ratings(answers, scale=(1, 5))[["attribute", "n", "top", "mean"]]
      attribute  n  top      mean
    0     taste  3    3  4.666667
    1     price  4    2  3.000000
    """
    table = as_table(answers)
    columns = [name for name in table.columns if name.startswith(RATING_PREFIX)]
    if not columns:
        raise MeasureError("ratings", f"no column begins with {RATING_PREFIX!r}; there are: {', '.join(table.columns)}")
    rows = [csat(table, scale=scale, top=top, rating=name, confidence=confidence) for name in columns]
    found = pd.concat(rows, ignore_index=True)
    found.insert(0, "attribute", [name.removeprefix(RATING_PREFIX) for name in columns])
    found = found[found["n"] >= min_group]
    return found.sort_values(["mean", "attribute"], ascending=[False, True], ignore_index=True)


def distribution(answers: Rows, *, scale: Scale, rating: str, one_per_customer: bool = False) -> pd.DataFrame:
    """Count the answers at each point of the scale; with ``one_per_customer`` the latest of each as for ``nps``.

    Columns in: the rating; where present also customer_id, survey, answered_at, response_id. Columns out: rating,
    answers (count), share (0 to 1 of all answers; missing without any). One row a point of the scale, from low to
    high, those that nobody chose with 0.

    Raises MeasureError where the column is absent or an answer is not a whole number on the scale.
    Source: a plain frequency table.

    >>> distribution(pd.DataFrame({"csat": [3, 3, 1]}), scale=(1, 3), rating="csat")
       rating  answers     share
    0       1        1  0.333333
    1       2        0  0.000000
    2       3        2  0.666667
    """
    table = counted.checked("distribution", answers, rating, ())
    counts = counted.executed(
        "distribution", _reduce_distribution(table, rating, scale, one_per_customer), scale, ("rating",)
    )
    points = pd.RangeIndex(scale[0], scale[1] + 1, name="rating")
    found = counts.set_index(counts["rating"].astype("int64"))["n"].reindex(points, fill_value=0)
    total = found.sum()
    return pd.DataFrame(
        {"rating": points, "answers": found.array, "share": (found / total if total else found * float("nan")).array}
    )


def check_boxes(scale: Scale, top: int) -> None:
    """Raise MeasureError unless the scale rises and ``top`` leaves a part of it."""
    counted.check_scale("csat", scale)
    most = scale[1] - scale[0]
    if not 1 <= top <= most:
        raise MeasureError("csat", f"top is {top} on a scale from {scale[0]} to {scale[1]}", f"Give 1 to {most}")


def _reduce_csat(
    answers: ir.Table, rating: str, scale: Scale, top: int, by: tuple[str, ...], one_per_customer: bool
) -> ir.Table:
    applicable = counted.applicable(answers, rating, scale)
    rated = counted.rated(answers, applicable, by, one_per_customer=one_per_customer)
    kept, value = rated["_kept"], rated["_rating"]
    return rated.aggregate(
        by=by,
        n=times(kept),
        top=times(kept & (value > scale[1] - top)),
        total=value.sum(where=kept),
        **counted.off_scale(value, scale),
    )


def _reduce_ces(answers: ir.Table, scale: Scale, easy: Easy, by: tuple[str, ...]) -> ir.Table:
    rated = counted.rated(answers, counted.applicable(answers, "ces", scale), by, one_per_customer=False)
    value = rated["_rating"]
    middle = (scale[0] + scale[1]) / 2
    return rated.aggregate(
        by=by,
        n=rated.count(),
        total=value.sum().coalesce(0.0),
        squares=(value * value).sum().coalesce(0.0),
        hard=times(value < middle if easy == "high" else value > middle),
        **counted.off_scale(value, scale),
    )


def _reduce_distribution(answers: ir.Table, rating: str, scale: Scale, one_per_customer: bool) -> ir.Table:
    given = answers["nps"] if rating == "nps" else counted.applicable(answers, rating, scale)
    rated = counted.rated(answers, given, (), one_per_customer=one_per_customer)
    value = rated["_rating"]
    return rated.aggregate(by=value.name("rating"), n=times(rated["_kept"]), **counted.off_scale(value, scale))
