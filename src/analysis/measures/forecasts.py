"""How good forecasts of risk are: order, size and calibration, with intervals from a bootstrap of customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.measures.inference import Floats
from analysis.measures.intervals import wilson

MARKS = ("auc", "brier", "slope", "lift")
"""What is said of a forecast: see :func:`marks`."""

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
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """Return one row a forecast with its marks and their percentile intervals, and the Brier scores of the replicates.

    A replicate draws as many customers as there are, with replacement, the same ones for all forecasts.
    """
    left = np.asarray(left, dtype=np.float64)
    told = {name: _told_apart(scores) for name, scores in forecasts.items()}
    drawn = list(_drawn(len(left), bootstrap, seed))
    rows, briers = [], {}
    for name, (values, place) in told.items():
        found = _marks(_grouped(values, place, left))
        replicates = pd.DataFrame(
            [_marks(_grouped(values, place, left, times)) for times in drawn], columns=list(MARKS)
        )
        ends = replicates.quantile([(1 - confidence) / 2, (1 + confidence) / 2]).to_numpy()
        row: dict[str, object] = {"model": name}
        for mark, (low, high) in zip(MARKS, ends.T, strict=True):
            row |= {mark: found[mark], f"{mark}_low": low, f"{mark}_high": high}
        rows.append(row)
        briers[name] = replicates["brier"].to_numpy()
    return pd.DataFrame(rows), briers


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
    # the middle rank of equal forecasts, or all of them would stand in the highest tenth that one of them reaches
    frame["tenth"] = np.ceil(10 * frame["score"].rank() / max(len(frame), 1)).astype("int64")
    found = frame.groupby("tenth").agg(n=("left", "size"), left=("left", "sum"), predicted=("score", "mean"))
    low, high = wilson(found["left"], found["n"], confidence)
    return found.assign(observed=found["left"] / found["n"], low=low, high=high).reset_index()


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
        share = 1 / (1 + np.exp(-(design @ beta).clip(-700, 700)))
        information = design.T @ (design * (n * share * (1 - share))[:, None])
        if np.linalg.cond(information) > 1 / _CERTAIN**1.5:
            return float("nan")
        step = np.linalg.solve(information, design.T @ (left - n * share))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return float(beta[1])
    return float("nan")
