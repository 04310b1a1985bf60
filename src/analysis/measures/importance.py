"""What drives satisfaction: the share of an outcome's variance each attribute explains, and importance by performance.

The engine returns counts, sums and cross-products of the complete cases; the shares follow from those alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.cross_products import pooled, summed
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.shapley import (
    NO_SPREAD,
    NOTHING_LEFT,
    Moments,
    correlations_of,
    percentiles,
    relative,
    replicates_of,
    scatter_of,
    shares_of,
)

MOST_ATTRIBUTES = 20

SAME = "the same value in all complete cases"
TOO_FEW = "too few complete cases"
TOO_MANY = "too many attributes"
FEWEST_CASES = 10
"""Complete cases an attribute below which nothing is placed."""
COMPUTED = "computed"


def relative_importance(
    ratings: Rows,
    outcome: str,
    attributes: str | Sequence[str],
    *,
    bootstrap: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Share the explained variance of an outcome among attributes: the mean gain in R² over all orders of entry.

    Complete cases, the outcome taken as linear in the attributes. With ``bootstrap`` replicates the interval is the
    percentile one. For it the complete cases are dealt at random into 400 groups, and a replicate draws as many groups
    as there are, with replacement. An attribute that is constant or follows from others within a replicate explains
    nothing further there; a replicate whose outcome is constant is left out.

    Columns in: the outcome and the attributes (numbers, missing where not answered); where present also response_id,
    by which rows are told apart before they are dealt.

    Columns out: attribute, share (LMG or Shapley value in units of R²; they sum to R²), share_of_r2 (they sum to 1;
    missing where nothing is explained), low, high (of share; missing without ``bootstrap``), n (complete cases),
    dropped (rows in which the outcome or an attribute is missing). One row an attribute, highest share first.

    Raises MeasureError where a column is absent, named twice or not numeric, values are infinite, complete cases are
    no more than attributes + 1, a column is constant, an attribute follows from others, or there are more than 20.
    Source: Lindeman, Merenda and Gold (1980), Introduction to Bivariate and Multivariate Analysis, 119-127; Grömping
    (2006), Journal of Statistical Software 17(1).

    >>> answers = pd.DataFrame({"price": [1, 1, 5, 5], "taste": [1, 5, 1, 5], "csat": [1, 2, 4, 5]})
    >>> relative_importance(answers, "csat", ["price", "taste"])[["attribute", "share", "share_of_r2"]]
      attribute  share  share_of_r2
    0     price    0.9          0.9
    1     taste    0.1          0.1
    """
    check_confidence("relative_importance", confidence)
    attributes = tuple(sorted(names(attributes)))
    found = _explain("relative_importance", ratings, outcome, attributes, bootstrap, seed)
    low, high = percentiles(found.replicates, confidence)
    frame = pd.DataFrame(
        {
            "attribute": attributes,
            "share": found.shares,
            "share_of_r2": relative(found.shares),
            "low": low,
            "high": high,
            "n": found.n,
            "dropped": found.dropped,
        }
    )
    return _highest_first(frame, "share")


def importance_performance(
    ratings: Rows,
    outcome: str,
    attributes: str | Sequence[str],
    *,
    bootstrap: int = 500,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Set the importance of each attribute for an outcome against how well it is rated.

    All attributes must be rated on the same scale. The cuts are equal importance (1 / number of attributes) and the
    mean of the attributes' means. An attribute is placed only where its interval clears both cuts. One that is the
    same in all complete cases, or that others give exactly, is left out and named so; the cuts are those of the rest.
    With fewer than 10 complete cases an attribute, or with more than 20 attributes, nothing is placed.

    Columns in: as for ``relative_importance``.

    Columns out: attribute, importance, importance_low, importance_high (share of R², 0 to 1, percentile interval),
    mean, mean_low, mean_high (on the scale, normal interval), n (complete cases, the base of all), dropped (other
    rows), quadrant (concentrate here: important and rated low; keep up: important and rated high; low priority:
    neither; possible overkill: rated high without being important; undecided), status (computed, or why an attribute
    or all of them have no value: the same value in all complete cases, follows from others, too few complete cases,
    too many attributes). One row an attribute, most important first.

    Raises MeasureError where a column is absent, named twice or not numeric, or values are infinite.
    Source: Martilla and James (1977), Journal of Marketing 41(1), 77-79.

    >>> answers = pd.DataFrame({"price": [1, 1, 2, 2] * 25, "taste": [4, 5] * 50, "csat": [1, 2, 4, 5] * 25})
    >>> placed = importance_performance(answers, "csat", ["price", "taste"])
    >>> placed[["attribute", "importance", "mean", "quadrant"]]
      attribute  importance  mean           quadrant
    0     price         0.9   1.5   concentrate here
    1     taste         0.1   4.5  possible overkill
    """
    check_confidence("importance_performance", confidence)
    attributes = tuple(sorted(names(attributes)))
    left_out = _left_out("importance_performance", ratings, outcome, attributes)
    told_apart = tuple(name for name in attributes if name not in left_out)
    without = pd.DataFrame({"attribute": list(left_out), "status": list(left_out.values())}, dtype="str")
    if not told_apart:
        return without.reindex(columns=_PLACED).assign(n=0, dropped=0, quadrant="undecided")
    found = _explain("importance_performance", ratings, outcome, told_apart, bootstrap, seed)
    low, high = percentiles(relative(found.replicates), confidence)
    half = normal_quantile(confidence) * found.deviations / np.sqrt(found.n)
    frame = pd.DataFrame(
        {
            "attribute": told_apart,
            "importance": relative(found.shares),
            "importance_low": low,
            "importance_high": high,
            "mean": found.means,
            "mean_low": found.means - half,
            "mean_high": found.means + half,
            "n": found.n,
            "dropped": found.dropped,
        }
    )
    placed = _highest_first(frame.assign(quadrant=_quadrants(frame), status=COMPUTED), "importance")
    return pd.concat(
        [placed, without.assign(n=found.n, dropped=found.dropped, quadrant="undecided")], ignore_index=True
    )[_PLACED]


def _left_out(measure: str, ratings: Rows, outcome: str, attributes: tuple[str, ...]) -> dict[str, str]:
    """Return why attributes cannot be compared, by name; those that can are not in it."""
    columns = (*attributes, outcome)
    if len(attributes) > MOST_ATTRIBUTES:
        return dict.fromkeys(attributes, TOO_MANY)
    _check(measure, ratings, outcome, attributes)
    groups, _lows = summed(measure, ratings, columns, dealt=False)
    found = pooled(groups, len(columns))
    if found[0].item() < FEWEST_CASES * len(attributes):
        return dict.fromkeys(attributes, TOO_FEW)
    constant = _constant(found, columns)
    if outcome in constant:
        return dict.fromkeys(attributes, f"{outcome}: {SAME}")
    return dict.fromkeys(constant, SAME) | _following(found, attributes)


def _quadrants(frame: pd.DataFrame) -> list[str]:
    importance = _side(frame["importance_low"], frame["importance_high"], 1 / len(frame))
    performance = _side(frame["mean_low"], frame["mean_high"], frame["mean"].mean())
    return [_QUADRANTS.get(sides, "undecided") for sides in zip(importance, performance, strict=True)]


def _highest_first(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    # equal values may differ in their last digit
    order = frame.assign(_value=frame[value].round(12)).sort_values(["_value", "attribute"], ascending=[False, True])
    return order.drop(columns="_value").reset_index(drop=True)


_PLACED = [
    *("attribute", "importance", "importance_low", "importance_high", "mean", "mean_low", "mean_high", "n"),
    *("dropped", "quadrant", "status"),
]

_QUADRANTS = {
    (1, -1): "concentrate here",
    (1, 1): "keep up",
    (-1, -1): "low priority",
    (-1, 1): "possible overkill",
}


def _side(low: pd.Series, high: pd.Series, cut: float) -> list[int]:
    """Return on which side of the cut each interval lies: 1 above, -1 below, 0 across or unknown."""
    return [int(above) - int(below) for above, below in zip(low > cut, high < cut, strict=True)]


@dataclass(frozen=True)
class _Explained:
    """Shares of R² by attribute, with what else is told of the complete cases."""

    shares: Floats
    replicates: Floats
    """One row a replicate."""
    means: Floats
    deviations: Floats
    n: int
    dropped: int


def _explain(
    measure: str, ratings: Rows, outcome: str, attributes: tuple[str, ...], bootstrap: int, seed: int
) -> _Explained:
    if bootstrap < 0:
        raise MeasureError(measure, f"bootstrap is {bootstrap}", "Give the number of replicates, 0 for none")
    _check(measure, ratings, outcome, attributes)
    columns = (*attributes, outcome)
    groups, lows = summed(measure, ratings, columns, dealt=bootstrap > 0)
    n, sums, products = pooled(groups, len(columns))
    _check_complete(measure, n, columns)
    _check_told_apart(measure, (n, sums, products), columns)
    spread = scatter_of(n, sums, products)
    answers = round(n.item())
    return _Explained(
        shares=shares_of(correlations_of(spread, products))[0],
        replicates=replicates_of(groups, len(columns), bootstrap, seed),
        means=(lows + sums[0] / answers)[:-1],
        deviations=np.sqrt(spread[0].diagonal() / (answers - 1))[:-1],
        n=answers,
        dropped=_count(ratings) - answers,
    )


def _count(rows: Rows) -> int:
    return len(rows) if isinstance(rows, pd.DataFrame) else int(rows.count().execute())


def _check(measure: str, ratings: Rows, outcome: str, attributes: tuple[str, ...]) -> None:
    columns = (*attributes, outcome)
    if not attributes:
        raise MeasureError(measure, "there is no attribute", "Name at least one")
    if len(attributes) > MOST_ATTRIBUTES:
        what = f"{len(attributes)} attributes are more than {MOST_ATTRIBUTES}"
        raise MeasureError(measure, what, "Leave some out, or average those that ask for the same thing")
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise MeasureError(measure, f"named more than once: {', '.join(twice)}", "Name each column once")
    table = as_table(ratings)
    require(measure, table, columns)
    for name in columns:
        kind = table[name].type()
        if kind.is_boolean() or not (kind.is_numeric() or kind.is_null()):
            raise MeasureError(measure, f"column {name!r} holds {kind}, not numbers", "Convert it to numbers")


def _check_complete(measure: str, n: Floats, columns: tuple[str, ...]) -> None:
    if not _are_enough(n, columns):
        what = f"{n.item():.0f} complete cases are too few for {len(columns) - 1} attributes"
        hint = f"Give at least {len(columns) + 1}, or leave out attributes that are seldom rated"
        raise MeasureError(measure, what, hint)


def _check_told_apart(measure: str, moments: Moments, columns: tuple[str, ...]) -> None:
    if constant := _constant(moments, columns):
        raise MeasureError(measure, f"{SAME}: {', '.join(constant)}", "Leave such a column out")
    if follows := _following(moments, columns[:-1]):
        named = "; ".join(f"{name} {reason}" for name, reason in follows.items())
        raise MeasureError(measure, f"attributes cannot be told apart: {named}", "Leave one of each such set out")


def _constant(moments: Moments, columns: tuple[str, ...]) -> list[str]:
    spread, squares = scatter_of(*moments)[0].diagonal(), moments[2][0].diagonal()
    return [name for name, constant in zip(columns, spread <= NO_SPREAD * squares, strict=True) if constant]


def _following(moments: Moments, attributes: tuple[str, ...]) -> dict[str, str]:
    """Name each attribute that those before it give exactly, and them; one without spread is none of them."""
    correlations = correlations_of(scatter_of(*moments), moments[2])[0]
    kept: list[int] = []
    follows = {}
    for this, name in enumerate(attributes):
        if not correlations[this, this]:
            continue
        with_this = correlations[kept, this]
        slopes = np.linalg.solve(correlations[np.ix_(kept, kept)], with_this)
        if correlations[this, this] - with_this @ slopes > NOTHING_LEFT:
            kept.append(this)
        else:
            others = (attributes[other] for other, slope in zip(kept, slopes, strict=True) if abs(slope) > 1e-4)
            follows[name] = f"follows from {', '.join(others)}"
    return follows


def _are_enough(n: Floats, columns: tuple[str, ...]) -> bool:
    return bool(n.item() > len(columns))
