"""Intervals for counts: of a share, a difference of two shares, a rate and a Net Promoter Score.

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
from analysis.measures.inference import Floats, normal_quantile

NpsMethod: TypeAlias = Literal["adjusted-wald", "wald", "score"]
"""How the interval of a Net Promoter Score is made."""


def wilson(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the Wilson interval (low, high) of the shares successes / n, in 0 to 1.

    Raises MeasureError where confidence is not between 0 and 1.
    Source: Wilson (1927), JASA 22, 209-212, without continuity correction.

    >>> low, high = wilson([8, 0], [10, 0])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.49, nan], [0.943, nan])
    """
    z = normal_quantile(confidence)
    successes, n = _floats(successes), _counted(n)
    share = successes / n
    centre = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return np.where(successes == 0, n * 0, low), np.where(successes == n, n / n, high)


def newcombe(
    successes_a: ArrayLike, n_a: ArrayLike, successes_b: ArrayLike, n_b: ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return Newcombe's interval (low, high) of the share of a less that of b, in -1 to 1, the two independent.

    Each end lies as far from the difference as the ends of the two shares' Wilson intervals do, squared and summed.

    Raises MeasureError where confidence is not between 0 and 1.
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10: hybrid score, no continuity correction.

    >>> low, high = newcombe([56, 1], [70, 5], [48, 0], [80, 0])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0524, nan], [0.3339, nan])
    """
    share_a, share_b = _floats(successes_a) / _counted(n_a), _floats(successes_b) / _counted(n_b)
    low_a, high_a = wilson(successes_a, n_a, confidence)
    low_b, high_b = wilson(successes_b, n_b, confidence)
    difference = share_a - share_b
    low = difference - np.hypot(share_a - low_a, high_b - share_b)
    return low, difference + np.hypot(high_a - share_a, share_b - low_b)


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
    3/4 detractors and 3/2 passives, centred there, its ends cut at -100 and 100. ``score`` holds every difference D
    with abs(promoters - detractors - nD) <= z·√(n(2q + D(1 - D))), q the likeliest share of detractors given p - q = D.

    Raises MeasureError where confidence is not between 0 and 1 or the method is unknown.
    Source: Agresti and Min (2005), Statistics in Medicine 24, 729-740; Rocks (2016), The American Statistician 70,
    365-372; Tango (1998), Statistics in Medicine 17, 891-908.

    >>> low, high = nps_interval([18], [11], [2], method="wald")
    >>> low.round(1).tolist(), high.round(1).tolist()
    ([29.9], [73.3])
    """
    check_method(method)
    z = normal_quantile(confidence)
    promoters, passives, detractors = _floats(promoters), _floats(passives), _floats(detractors)
    n = _counted(promoters + passives + detractors)
    if method == "score":
        return _score_ends(promoters, detractors, n, z)
    if method == "adjusted-wald":
        promoters, detractors, n = promoters + 0.75, detractors + 0.75, n + 3
    difference = (promoters - detractors) / n
    half = z * np.sqrt(((promoters + detractors) / n - difference**2).clip(0) / n)
    return 100 * (difference - half).clip(-1), 100 * (difference + half).clip(max=1)


def check_method(method: str) -> None:
    """Raise MeasureError where the method is unknown."""
    if method not in get_args(NpsMethod):
        raise MeasureError("nps", f"unknown method {method!r}", f"Known: {', '.join(get_args(NpsMethod))}")


def _score_ends(promoters: Floats, detractors: Floats, n: Floats, z: float) -> tuple[Floats, Floats]:
    """Halve the way from the estimate to each end of -1 to 1 until the score test just rejects."""
    estimate = (promoters - detractors) / n
    ends = []
    for bound in (-1.0, 1.0):
        held, rejected = estimate, np.full_like(estimate, bound)
        for _halving in range(60):
            middle = (held + rejected) / 2
            inside = _score_holds(promoters, detractors, n, middle, z)
            held, rejected = np.where(inside, middle, held), np.where(inside, rejected, middle)
        ends.append(100 * np.where(_score_holds(promoters, detractors, n, np.full_like(n, bound), z), bound, held))
    return np.where(np.isnan(n), n, ends[0]), np.where(np.isnan(n), n, ends[1])


def _score_holds(promoters: Floats, detractors: Floats, n: Floats, shift: Floats, z: float) -> NDArray[np.bool_]:
    """Say whether the test holds that promoters and detractors differ by the share ``shift``."""
    middle = (2 * n - promoters + detractors) * shift - promoters - detractors
    last = -detractors * shift * (1 - shift)
    share = (np.sqrt((middle**2 - 8 * n * last).clip(0)) - middle) / (4 * n)
    share = np.maximum(share, np.maximum(0, -shift))
    spread = n * (2 * share + shift * (1 - shift)).clip(0)
    inside: NDArray[np.bool_] = np.abs(promoters - detractors - n * shift) <= z * np.sqrt(spread) + 1e-12
    return inside


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _counted(n: ArrayLike) -> Floats:
    counts = _floats(n)
    return np.where(counts > 0, counts, np.nan)
