"""Intervals for counts: Wilson for a share, exact Poisson for a rate, Wald for a Net Promoter Score.

All take arrays (or frame columns) of counts and return two float arrays of the same length; where nothing was
counted (n or exposure 0) both ends are missing.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.frames import check_confidence

Floats: TypeAlias = NDArray[np.float64]
NpsMethod: TypeAlias = Literal["adjusted-wald", "wald"]
"""How the interval of a Net Promoter Score is made."""


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the Wilson interval (low, high) of the shares successes / n, in 0 to 1.

    Raises MeasureError where confidence is not between 0 and 1.
    Source: Wilson (1927), JASA 22, 209-212, without continuity correction.

    >>> low, high = wilson([8, 0], [10, 0])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.49, nan], [0.943, nan])
    """
    z = _normal_quantile(confidence)
    successes, n = _floats(successes), _counted(n)
    share = successes / n
    centre = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return np.where(successes == 0, n * 0, low), np.where(successes == n, n / n, high)


def poisson_rate(events: ArrayLike, exposure: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact Poisson interval (low, high) of the rates events / exposure, per unit of exposure.

    Raises MeasureError where confidence is not between 0 and 1.
    Source: Garwood (1936), Biometrika 28, 437-442.

    >>> low, high = poisson_rate([3, 0], [100, 100])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0062, 0.0], [0.0877, 0.0369])
    """
    check_confidence("interval", confidence)
    events, exposure = _floats(events), _counted(exposure)
    tail = (1 - confidence) / 2
    low = np.where(events == 0, 0, special.gammaincinv(np.maximum(events, 1), tail))
    return low / exposure, special.gammaincinv(events + 1, 1 - tail) / exposure


def nps_interval(
    promoters: ArrayLike,
    passives: ArrayLike,
    detractors: ArrayLike,
    confidence: float = 0.95,
    method: NpsMethod = "adjusted-wald",
) -> tuple[Floats, Floats]:
    """Return the interval (low, high) of Net Promoter Scores, in points from -100 to 100.

    ``wald`` is d ± z·√((p + q - d²)/n) with d = p - q; ``adjusted-wald`` is the same on counts plus 3/4 promoters,
    3/4 detractors and 3/2 passives, centred there. Ends are cut at -100 and 100.

    Raises MeasureError where confidence is not between 0 and 1 or the method is unknown.
    Source: Agresti and Min (2005), Statistics in Medicine 24, 729-740; Rocks (2016), The American Statistician 70,
    365-372.

    >>> low, high = nps_interval([18], [11], [2], method="wald")
    >>> low.round(1).tolist(), high.round(1).tolist()
    ([29.9], [73.3])
    """
    if method not in get_args(NpsMethod):
        raise MeasureError("nps", f"unknown method {method!r}", f"Known: {', '.join(get_args(NpsMethod))}")
    z = _normal_quantile(confidence)
    promoters, passives, detractors = _floats(promoters), _floats(passives), _floats(detractors)
    n = _counted(promoters + passives + detractors)
    if method == "adjusted-wald":
        promoters, detractors, n = promoters + 0.75, detractors + 0.75, n + 3
    difference = (promoters - detractors) / n
    half = z * np.sqrt(((promoters + detractors) / n - difference**2).clip(0) / n)
    return 100 * (difference - half).clip(-1), 100 * (difference + half).clip(max=1)


def _normal_quantile(confidence: float) -> float:
    check_confidence("interval", confidence)
    return float(special.ndtri((1 + confidence) / 2))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _counted(n: ArrayLike) -> Floats:
    counts = _floats(n)
    return np.where(counts > 0, counts, np.nan)
