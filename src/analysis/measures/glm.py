"""Newton's method for the two models that are fitted on patterns: piecewise-exponential rates and logistic odds.

The design has one row a pattern. A column that follows from those before it gets no coefficient; one whose coefficient
runs off to infinity, since outcome and column are separated, is fitted at its limit and counts as not estimable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.errors import NotSettledError
from analysis.measures.inference import Floats, normal_quantile

Bools: TypeAlias = NDArray[np.bool_]

_FOLLOWS = 1e-9
"""Share of a column's information left by the columns before it, under which it follows from them."""
_ENDLESS = 0.01
"""By how much the last step still moves a log rate or log odds only where there is no end to its way."""
_UNKNOWN = 100.0
"""Standard error of a column, in units of its own deviation, that leaves nothing known of its coefficient."""
_DEEPEST = 600.0
_STEPS = 60
_CLOSE = 1e-12


@dataclass(frozen=True)
class _At:
    """The log-likelihood at a point, with its first and (less the sign) second derivatives."""

    loglik: float
    score: Floats
    information: Floats


@dataclass(frozen=True, eq=False)
class Estimates:
    """Coefficients by name, with their covariance. Those not estimable are at their limit, or 0 where they follow."""

    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    estimable: Bools
    follows: Bools
    loglik: float

    @property
    def params(self) -> pd.Series:
        """Return the coefficients by name, missing where not estimable."""
        return pd.Series(np.where(self.estimable, self.values, np.nan), index=list(self.names), name="coefficient")

    def conf_int(self, confidence: float) -> pd.DataFrame:
        """Return low and high of each coefficient (Wald)."""
        half = normal_quantile(confidence) * np.sqrt(self.covariance.diagonal().clip(0))
        return pd.DataFrame({"low": self.params - half, "high": self.params + half})


@dataclass(frozen=True, eq=False)
class Rates:
    """A fitted piecewise-exponential model: the coefficients of the design, then the log rates of the intervals."""

    estimates: Estimates
    expected: Floats
    """Expected events by pattern and interval."""
    ratios: Floats
    """By pattern, to the pattern that ends soonest: relative to the base levels they could be beyond all numbers."""
    rates: Floats
    """By interval, a unit of exposure, of the pattern that ends soonest."""
    lasting: Bools
    """Which intervals hold events; only they have a log rate."""
    inverse: Floats
    """The inverse information, which ``robust`` leaves as it is."""


def fit_rates(
    measure: str, names: list[str], intervals: list[str], design: Floats, events: Floats, exposure: Floats
) -> Rates:
    """Fit rate = exp(design · b) · rate of the interval; events, exposure: one row a pattern, a column an interval.

    The rates of the intervals maximise the likelihood in closed form given b, so Newton runs on b alone. The
    log-likelihood is that of the spells: the sum of log hazards at events less the cumulative hazards.
    Source: Holford (1980), Biometrics 36, 299-305; Laird and Olivier (1981), JASA 76, 231-240.
    """
    lasting = events.sum(axis=0) > 0
    events_of, exposure_of = events[:, lasting].sum(axis=1), exposure[:, lasting]
    totals = events[:, lasting].sum(axis=0)
    scaled, means, scale = _scaled(design, exposure_of.sum(axis=1))

    def at(b: Floats) -> _At:
        level, _top = _below_top(scaled @ b)
        weighted = exposure_of * np.exp(level)[:, None]
        rates = totals / weighted.sum(axis=0)
        expected = weighted @ rates
        by_interval = (scaled.T @ weighted) * rates
        information = (scaled * expected[:, None]).T @ scaled - (by_interval / totals) @ by_interval.T
        loglik = events_of @ level + totals @ np.log(rates) - totals.sum()
        return _At(float(loglik), scaled.T @ (events_of - expected), information)

    b, step, inverse, follows, loglik = _newton(measure, at, design.shape[1])
    estimable = _estimable(scaled, step, inverse, follows)
    level, top = _below_top(scaled @ b)
    weighted = exposure * np.exp(level)[:, None]
    rates = np.divide(events.sum(axis=0), weighted.sum(axis=0), out=np.zeros(len(intervals)), where=lasting)
    values, covariance = b / scale, inverse / np.outer(scale, scale)
    whole = _with_rates(covariance, design.T @ (weighted * rates)[:, lasting], totals)
    known = np.ones(len(totals), dtype=bool)
    estimates = Estimates(
        (*names, *(interval for interval, has in zip(intervals, lasting, strict=True) if has)),
        np.concatenate([values, np.log(rates[lasting]) - top - means @ values]),
        whole,
        np.concatenate([estimable, known]),
        np.concatenate([follows, ~known]),
        loglik,
    )
    return Rates(estimates, weighted * rates, np.exp(level), rates, lasting, whole)


def _below_top(level: Floats) -> tuple[Floats, float]:
    """Return levels less the highest, which is returned too; far below it they count as equal, lest none be left."""
    top = float(level.max(initial=0))
    return np.maximum(level - top, -_DEEPEST), top


def _with_rates(covariance: Floats, expected: Floats, totals: Floats) -> Floats:
    """Return the inverse information of coefficients and log rates, from that of the coefficients alone."""
    shares = expected / totals
    across = -covariance @ shares
    return np.block([[covariance, across], [across.T, np.diag(1 / totals) + shares.T @ covariance @ shares]])


def fit_odds(measure: str, names: list[str], design: Floats, events: Floats, n: Floats) -> Estimates:
    """Fit log odds = design · b + intercept; events of n rows a pattern. The log-likelihood is that of the rows.

    The intercept stands first while columns are swept, so that it never gives way to one, and last in what is returned.
    """
    moved, means, scale = _scaled(design, n)
    scaled = np.column_stack([np.ones(len(n)), moved])

    def at(b: Floats) -> _At:
        level = scaled @ b
        share = special.expit(level)
        information = (scaled * (n * share * (1 - share))[:, None]).T @ scaled
        loglik = events @ special.log_expit(level) + (n - events) @ special.log_expit(-level)
        return _At(float(loglik), scaled.T @ (events - n * share), information)

    b, step, inverse, follows, loglik = _newton(measure, at, scaled.shape[1])
    estimable = _estimable(scaled, step, inverse, follows)
    back = np.zeros(inverse.shape)
    back[:-1, 1:], back[-1, 1:], back[-1, 0] = np.diag(1 / scale), -means / scale, 1
    return Estimates(
        (*names, "intercept"),
        back @ b,
        back @ inverse @ back.T,
        np.roll(estimable, -1),
        np.roll(follows, -1),
        loglik,
    )


def _scaled(design: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the columns less their means over their deviations, so that one tolerance serves all; means; deviations.

    Both models fit a constant, so that a shift of a column changes no other coefficient.
    """
    share = weights / weights.sum()
    means = share @ design
    moved = design - means
    deviation = np.sqrt(share @ moved**2)
    varies = deviation > _FOLLOWS * np.abs(means)
    scale = np.where(varies, deviation, 1)
    return moved * varies / scale, means, scale


def _newton(measure: str, at: Callable[[Floats], _At], columns: int) -> tuple[Floats, Floats, Floats, Bools, float]:
    """Return the maximum, the last step to it, the inverse information, which columns follow, the log-likelihood."""
    b, step = np.zeros((2, columns))
    here = at(b)
    follows = _follows(here.information)
    kept = np.flatnonzero(~follows)
    for _round in range(_STEPS):
        step = np.zeros(columns)
        step[kept] = np.linalg.solve(here.information[np.ix_(kept, kept)], here.score[kept])
        gain = here.score @ step
        there = at(b + step)
        while there.loglik < here.loglik - 1e-9 * abs(here.loglik) and gain > _CLOSE:
            step, gain = step / 2, gain / 2
            there = at(b + step)
        b, here = b + step, there
        if gain <= _CLOSE * max(1.0, abs(here.loglik) * 1e-4):
            break
    else:
        raise NotSettledError(measure)
    inverse = np.zeros((columns, columns))
    inverse[np.ix_(kept, kept)] = np.linalg.inv(here.information[np.ix_(kept, kept)])
    return b, step, inverse, follows, here.loglik


def _estimable(scaled: Floats, step: Floats, inverse: Floats, follows: Bools) -> Bools:
    """Say which coefficients have come to rest, and on something."""
    moved = np.abs(scaled).max(axis=0, initial=0) * np.abs(step)
    found: Bools = ~follows & (moved < _ENDLESS) & (np.sqrt(inverse.diagonal().clip(0)) < _UNKNOWN)
    return found


def _follows(information: Floats) -> Bools:
    """Sweep the columns in their order and say which of them those before leave nothing of."""
    left, whole = information.copy(), information.diagonal()
    follows = np.zeros(len(whole), dtype=bool)
    for column in range(len(whole)):
        pivot = left[column, column]
        follows[column] = pivot <= _FOLLOWS * max(whole[column], _FOLLOWS * whole.max())
        if not follows[column]:
            left = left - np.outer(left[:, column], left[column]) / pivot
    return follows
