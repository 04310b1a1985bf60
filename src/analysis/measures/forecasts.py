"""How good forecasts of risk are: order, size and calibration, with intervals from a bootstrap of customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.measures.inference import Floats
from analysis.measures.intervals import wilson

MARKS = ("auc", "brier", "slope", "lift")
"""What is said of a forecast: see :func:`marks`."""

_BETTER = {"auc": 1, "brier": -1}
"""Marks in which forecasts are held against one another, and whether more is better."""

DECILE = 0.1
_CERTAIN = 1e-9
"""A forecast of exactly 0 or 1 has no logit; it counts as this far from it."""
_STEPS = 50

Groups: TypeAlias = tuple[Floats, Floats, Floats]
"""Different forecasts, rising, and for each how many customers have it and how many of them left."""


def auc(scores: ArrayLike, left: ArrayLike) -> float:
    """Return the chance that who left scores higher than who stayed, ties one half; missing without one of the two.

    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18, 50-60.

    >>> auc([1, 2, 2, 3], [0, 0, 1, 1])
    0.875
    """
    return _auc(_grouped(*_told_apart(scores), left))


def auc_of_groups(scores: ArrayLike, n: ArrayLike, left: ArrayLike) -> float:
    """Return the same for groups of customers: the score of each, how many it has, and how many of them left.

    >>> auc_of_groups([1, 2, 3], [1, 2, 1], [0, 1, 1])
    0.875
    """
    values, place = _told_apart(scores)
    sums = [np.bincount(place, np.asarray(part, dtype=np.float64), len(values)) for part in (n, left)]
    return _auc((values, sums[0].astype(np.float64), sums[1].astype(np.float64)))


def marks(scores: ArrayLike, left: ArrayLike) -> dict[str, float]:
    """Return auc, brier (mean squared error), slope and lift of forecasts between 0 and 1 of who leaves.

    ``slope`` is that of a logistic regression of the outcome on the logit of the forecast: 1 where forecasts are
    neither too bold (below 1) nor too timid; missing where all are alike. ``lift`` is the share that left among the
    tenth with the highest forecasts, by that among all; of equal forecasts at its edge each counts in part. All but
    brier are missing where nobody left or nobody stayed.

    Source: Brier (1950), Monthly Weather Review 78, 1-3; Cox (1958), Biometrika 45, 562-565.

    >>> {name: round(value, 3) for name, value in marks([0.2, 0.2, 0.5, 0.5, 0.5], [0, 1, 0, 1, 1]).items()}
    {'auc': 0.583, 'brier': 0.286, 'slope': 0.5, 'lift': 1.111}
    """
    return _marks(_grouped(*_told_apart(scores), left))


def compared(
    forecasts: Mapping[str, ArrayLike], left: ArrayLike, *, bootstrap: int, seed: int, confidence: float
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return one row a forecast with its marks and their percentile intervals, and by forecast those of the replicates.

    A replicate draws as many customers as there are, with replacement, the same ones for all forecasts. A mark that is
    missing has no interval.
    """
    left = np.asarray(left, dtype=np.float64)
    told = {name: _told_apart(scores) for name, scores in forecasts.items()}
    drawn = list(_drawn(len(left), bootstrap, seed))
    rows, replicates = [], {}
    for name, (values, place) in told.items():
        found = _marks(_grouped(values, place, left))
        again = pd.DataFrame([_marks(_grouped(values, place, left, times)) for times in drawn], columns=list(MARKS))
        row: dict[str, object] = {"model": name}
        for mark in MARKS:
            low, high = (np.nan, np.nan) if np.isnan(found[mark]) else _ends(again[mark], confidence)
            row |= {mark: found[mark], f"{mark}_low": low, f"{mark}_high": high}
        rows.append(row)
        replicates[name] = again
    return pd.DataFrame(rows), replicates


def gains(
    scores: pd.DataFrame, replicates: Mapping[str, pd.DataFrame], chosen: str, *, confidence: float
) -> pd.DataFrame:
    """Add to the frame of :func:`compared` by how much ``chosen`` is better than each: auc_gain, brier_gain, ends.

    A gain is positive where ``chosen`` is better: its AUC less that of the row, the row's Brier score less its own.
    Percentile intervals of the differences over the same replicates, so what both have in common cancels out.

    >>> found, drawn = compared({"a": [0.1, 0.9], "b": [0.5, 0.5]}, [0, 1], bootstrap=9, seed=0, confidence=0.5)
    >>> gains(found, drawn, "a", confidence=0.5).loc[1, ["auc_gain", "brier_gain"]].round(2).tolist()
    [0.5, 0.24]
    """
    own = scores.set_index("model").loc[chosen]
    added: dict[str, list[float]] = {}
    for mark, sign in _BETTER.items():
        added[f"{mark}_gain"] = [sign * (own[mark] - other) for other in scores[mark]]
        ends = [_ends(sign * (replicates[chosen][mark] - replicates[name][mark]), confidence) for name in scores.model]
        added[f"{mark}_gain_low"], added[f"{mark}_gain_high"] = (list(end) for end in zip(*ends, strict=True))
    return scores.assign(**added)


def _ends(replicates: pd.Series, confidence: float) -> tuple[float, float]:
    low, high = replicates.quantile([(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def calibration(scores: ArrayLike, left: ArrayLike, *, confidence: float) -> pd.DataFrame:
    """Return predicted and observed shares by tenth of the forecasts, equal forecasts together.

    Columns out: tenth (1 lowest), n, left (customers), predicted (mean forecast), observed, low, high (Wilson).

    >>> calibration([0.1, 0.2, 0.2, 0.6], [0, 0, 1, 1], confidence=0.95)[["tenth", "n", "predicted", "observed"]]
       tenth  n  predicted  observed
    0      3  1        0.1       0.0
    1      7  2        0.2       0.5
    2     10  1        0.6       1.0
    """
    frame = pd.DataFrame({"score": np.asarray(scores, dtype=np.float64), "left": np.asarray(left, dtype=np.int64)})
    frame["tenth"] = tenths(frame["score"])
    found = frame.groupby("tenth").agg(n=("left", "size"), left=("left", "sum"), predicted=("score", "mean"))
    low, high = wilson(found["left"], found["n"], confidence)
    return found.assign(observed=found["left"] / found["n"], low=low, high=high).reset_index()


def tenths(scores: pd.Series) -> pd.Series:
    """Return the tenth that each forecast stands in, 1 the lowest; equal ones stand in that of their middle rank.

    >>> tenths(pd.Series([0.1, 0.2, 0.2, 0.6])).tolist()
    [3, 7, 7, 10]
    """
    return np.ceil(10 * scores.rank() / max(len(scores), 1)).astype("int64")


def _told_apart(scores: ArrayLike) -> tuple[Floats, NDArray[np.intp]]:
    values, place = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True)
    return values, place


def _grouped(values: Floats, place: NDArray[np.intp], left: ArrayLike, times: Floats | None = None) -> Groups:
    weights = np.ones(len(place)) if times is None else times
    n, leaving = (np.bincount(place, counted, len(values)) for counted in (weights, weights * np.asarray(left)))
    return values, n.astype(np.float64), leaving.astype(np.float64)


def _drawn(customers: int, bootstrap: int, seed: int) -> Iterator[Floats]:
    """Yield how often each customer is drawn in each replicate."""
    random = np.random.default_rng(seed)
    for _replicate in range(bootstrap):
        yield np.bincount(random.integers(0, customers, customers), minlength=customers).astype(np.float64)


def _marks(groups: Groups) -> dict[str, float]:
    values, n, left = groups
    brier = float((left * (1 - values) ** 2 + (n - left) * values**2).sum() / n.sum())
    if not 0 < left.sum() < n.sum():
        return dict.fromkeys(MARKS, float("nan")) | {"brier": brier}
    return {"auc": _auc(groups), "brier": brier, "slope": _slope(groups), "lift": _lift(groups)}


def _auc(groups: Groups) -> float:
    _values, n, left = groups
    stayed = n - left
    pairs = left.sum() * stayed.sum()
    below = np.cumsum(stayed) - stayed
    return float((left * (below + stayed / 2)).sum() / pairs) if pairs else float("nan")


def _lift(groups: Groups) -> float:
    _values, n, left = (part[::-1] for part in groups)
    tenth = DECILE * n.sum()
    counted = np.clip(tenth - (np.cumsum(n) - n), 0, n)
    share = np.divide(left, n, out=np.zeros_like(left), where=n > 0)
    return float((counted * share).sum() / tenth / (left.sum() / n.sum()))


def _slope(groups: Groups) -> float:
    """Fit intercept and slope by Newton's method; missing where the forecasts tell nothing apart, or everything."""
    values, n, left = (part[groups[1] > 0] for part in groups)
    clipped = values.clip(_CERTAIN, 1 - _CERTAIN)
    x = np.log(clipped / (1 - clipped))
    if np.ptp(x) == 0:
        return float("nan")
    design, beta = np.column_stack([np.ones_like(x), x]), np.array([np.log(left.sum() / (n - left).sum()), 0.0])
    for _step in range(_STEPS):
        share = special.expit(design @ beta)
        information = design.T @ (design * (n * share * (1 - share))[:, None])
        if np.linalg.cond(information) > 1 / _CERTAIN**1.5:
            return float("nan")
        step = np.linalg.solve(information, design.T @ (left - n * share))
        if np.abs(step).max() < 1e-10:
            return float(beta[1] + step[1])
        beta = _uphill(beta, step, lambda at: float(left @ (design @ at) - n @ np.logaddexp(0, design @ at)))
    return float("nan")


def _uphill(beta: Floats, step: Floats, loglik: Callable[[Floats], float]) -> Floats:
    """Take the step, halved as often as it would lead down: a whole one overshoots where few leave at high risks."""
    before = loglik(beta)
    for halved in range(_STEPS):
        found: Floats = beta + step / 2**halved
        if loglik(found) >= before:
            return found
    return beta
