"""What every test of a difference needs: quantile, two-sided p and Holm's adjustment."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.measures.frames import check_confidence

Floats: TypeAlias = NDArray[np.float64]
Verdict: TypeAlias = Literal["up", "down", "within noise", "too few"]
"""What a difference and its adjusted p say."""


def normal_quantile(confidence: float, measure: str = "interval") -> float:
    """Return the z of a two-sided interval. Raises MeasureError where confidence is not between 0 and 1.

    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    check_confidence(measure, confidence)
    return float(special.ndtri((1 + confidence) / 2))


def two_sided(z: ArrayLike) -> Floats:
    """Return the two-sided p of standard normal statistics.

    >>> two_sided([0, -1.959964]).round(4).tolist()
    [1.0, 0.05]
    """
    p: Floats = 2 * special.ndtr(-np.abs(np.asarray(z, dtype=np.float64)))
    return p


def holm(p: ArrayLike) -> Floats:
    """Adjust the p of one family for their number, monotone and capped at 1; a missing p is not of the family.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    >>> holm([0.01, 0.04, float("nan"), 0.03]).round(2).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    p = np.asarray(p, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return adjusted


def ratio(difference: ArrayLike, se: ArrayLike) -> Floats:
    """Return difference / se; without any spread a difference is infinitely many standard errors, none is 0.

    >>> ratio([2, 2, 0], [1, 0, 0]).tolist()
    [2.0, inf, 0.0]
    """
    difference, se = np.asarray(difference, dtype=np.float64), np.asarray(se, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        z: Floats = np.where(difference == 0, difference * se, difference / se)
    return z


def verdicts(difference: ArrayLike, p_adjusted: ArrayLike, confidence: float) -> list[Verdict]:
    """Return what each difference says at that level; a missing p means that too few answered.

    >>> verdicts([3, -3, 3, 3], [0.01, 0.01, 0.2, float("nan")], 0.95)
    ['up', 'down', 'within noise', 'too few']
    """
    pairs = zip(np.asarray(difference, dtype=np.float64), np.asarray(p_adjusted, dtype=np.float64), strict=True)
    return [_verdict(change, p, 1 - confidence) for change, p in pairs]


def _verdict(change: float, p: float, alpha: float) -> Verdict:
    if np.isnan(p):
        return "too few"
    if p >= alpha:
        return "within noise"
    return "up" if change > 0 else "down"
