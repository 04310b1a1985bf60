"""How long contracts last: the shifted beta-geometric model of renewals, period by period.

Each customer leaves at each renewal with a chance of their own, and these chances follow a beta distribution. So those
who stay are those who leave less readily, and retention rises with every period, though nobody changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.maximum_likelihood import Fit, FittedModel, fit
from analysis.measures.model_rows import counts_of, numbers

MODEL = "fit_sbg"
NAMES = ("alpha", "beta")

_NOMINAL = 1000
"""So many customers shares without n are taken to be of while they are fitted; the peak does not depend on it."""
_LOWEST_RATE = 1e-4
_NOTHING = 40.0
"""Minus the log of what a far-off period is worth, beyond which nothing is left to add."""
_SPACING = 1e-5

_NO_N = (
    "The survivors are shares and n is not given: there are no standard errors, and the log-likelihood is that of "
    f"{_NOMINAL:,} customers."
)


@dataclass(frozen=True, eq=False)
class ShiftedBetaGeometric(FittedModel):
    """A fitted model of renewals: the chances to leave at a renewal follow a beta distribution (alpha, beta).

    Intervals are those of an expectation, from the standard errors by the delta method. They are missing where there
    are no errors; where alpha and beta are not identified either, a projection is one of many that fit alike.
    """

    def survival(self, periods: ArrayLike, *, lasted: int = 0, confidence: float = 0.95) -> pd.DataFrame:
        """Return the share still there after each period, of those who have ``lasted`` so many: a projection.

        Columns out: period (counted on from ``lasted``), survival, low, high (0 to 1).
        """
        period = _counts("periods", periods)
        _counts("lasted", lasted)

        def log_odds(logs: Floats) -> Floats:
            log_survival = _log_survival(logs, period, lasted)
            with np.errstate(divide="ignore"):
                odds: Floats = log_survival - np.log(-np.expm1(log_survival))
            return odds

        return self._projected("survival", period, log_odds, special.expit, confidence)

    def retention(self, periods: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return the share of those there in the period before who are still there after each period, from 1 on.

        Columns out: period, retention, low, high (0 to 1).
        """
        period = _counts("periods", periods, least=1)

        def log_odds(logs: Floats) -> Floats:
            alpha, beta = np.exp(logs)
            odds: Floats = np.log(beta + period - 1) - np.log(alpha)
            return odds

        return self._projected("retention", period, log_odds, special.expit, confidence)

    def predict(self, periods: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return survival and retention, with intervals, for each period from 1 on.

        Columns out: period, survival, survival_low, survival_high, retention, retention_low, retention_high.
        """
        retained = self.retention(periods, confidence=confidence)
        parts = [retained[["period"]]]
        for name, found in (("survival", self.survival(periods, confidence=confidence)), ("retention", retained)):
            ends = {"low": f"{name}_low", "high": f"{name}_high"}
            parts.append(found.drop(columns="period").rename(columns=ends))
        return pd.concat(parts, axis=1)

    def residual_lifetime(self, *, rate: float, lasted: ArrayLike = 0, confidence: float = 0.95) -> pd.DataFrame:
        """Return the discounted expected number of periods still to come from customers who are about to renew.

        The renewal ahead counts whole, each later one by 1 / (1 + rate) less than the one before it.

        Columns out: lasted (periods so far), periods, low, high.
        Source: Fader and Hardie (2010), Marketing Science 29, 85-93.
        """
        if not _LOWEST_RATE <= rate < np.inf:
            raise MeasureError(MODEL, f"rate is {rate}", f"Give a rate a period of at least {_LOWEST_RATE}")
        begun = _counts("lasted", lasted)
        ahead = np.arange(int(np.ceil(_NOTHING / np.log1p(rate))))
        worth = np.exp(-ahead * np.log1p(rate))

        def log_lifetime(logs: Floats) -> Floats:
            each = [np.exp(_log_survival(logs, ahead + 1, int(start))) @ worth for start in begun]
            found: Floats = np.log(np.array(each))
            return found

        found = self._projected("periods", begun, log_lifetime, np.exp, confidence)
        return found.rename(columns={"period": "lasted"})

    def _projected(
        self,
        name: str,
        period: NDArray[np.intp],
        function: Callable[[Floats], Floats],
        inverse: Callable[[Floats], Floats],
        confidence: float,
    ) -> pd.DataFrame:
        """Return a function of the log parameters with its interval, both by the inverse of the scale it is on."""
        z = normal_quantile(confidence, MODEL)
        values = self.params.to_numpy()
        logs, spread = np.log(values), self.fit.covariance.to_numpy() / np.outer(values, values)
        point = function(logs)
        with np.errstate(invalid="ignore"):
            shifts = _SPACING * np.eye(len(logs))
            slopes = np.array([function(logs + by) - function(logs - by) for by in shifts]) / (2 * _SPACING)
        slopes[:, np.isinf(point)] = 0  # before the first renewal everybody is there, whatever the parameters
        half = z * np.sqrt(np.einsum("ip,ij,jp->p", slopes, spread, slopes))
        ends = {"low": inverse(point - half), "high": inverse(point + half)}
        return pd.DataFrame({"period": period, name: inverse(point), **ends})


def fit_sbg(survivors: Sequence[float] | ArrayLike, *, n: int | None = None) -> ShiftedBetaGeometric:
    """Fit the shifted beta-geometric model to the survivors of one cohort, whose last period is right-censored.

    In: ``survivors`` by period from 0 on, when all are there: whole numbers are counts of customers, all else are
    shares of the first value (1 or 100 at the beginning), of ``n`` customers. Shares without ``n`` give parameters but
    no standard errors, and a note says so.

    Returns a record :class:`ShiftedBetaGeometric`: params (alpha, beta), se, conf_int(), loglik, converged, notes,
    survival(periods), retention(periods), predict(periods), residual_lifetime(rate=...).

    Raises MeasureError for fewer than two values, values that are missing, negative or rise, a first value of 0, and
    an ``n`` that is no number from 1 on.
    Source: Fader and Hardie (2007), Journal of Interactive Marketing 21, 76-90.

    >>> model = fit_sbg([1, 0.869, 0.743, 0.653, 0.593, 0.551, 0.517, 0.491], n=1000)
    >>> model.summary().round(3)
        term  estimate     se    low   high
    0  alpha     0.668  0.104  0.493  0.906
    1   beta     3.806  0.786  2.540  5.704
    >>> model.predict([7, 12])[["period", "survival", "retention"]].round(3)
       period  survival  retention
    0       7     0.489      0.936
    1      12     0.378      0.957
    """
    values = np.asarray(survivors, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise MeasureError(MODEL, "there are not two periods", "Give the survivors of period 0, 1 and so on")
    _check(values, "")
    if n is not None and not 1 <= n < np.inf:
        raise MeasureError(MODEL, f"n is {n}", "Give the number of customers at the beginning")
    are_counts = bool((values == np.round(values)).all()) and values[0] > 1
    customers = n or (int(values[0]) if are_counts else _NOMINAL)
    counts = values * (customers / values[0])
    found = _fitted(counts[:-1] - counts[1:], counts[1:], customers)
    return ShiftedBetaGeometric(found if n or are_counts else _without_errors(found))


def fit_sbg_cohorts(frame: Rows) -> ShiftedBetaGeometric:
    """Fit one shifted beta-geometric model to several cohorts, each right-censored at its last period.

    Columns in: cohort, period (whole numbers from 0 on, without a gap within a cohort), survivors (customers still
    there; missing where not known yet).

    Returns a record as :func:`fit_sbg` does.

    Raises MeasureError where a column or a row's cohort is absent, a period of a cohort is absent or is there
    twice, no cohort has two periods, and for survivors that are no whole numbers, negative, or rise within a cohort.
    Source: Fader and Hardie (2007), Fitting the sBG Model to Multi-Cohort Data.

    >>> first = pd.DataFrame({"cohort": "2024", "period": range(4), "survivors": [1000, 869, 743, 653]})
    >>> second = pd.DataFrame({"cohort": "2025", "period": range(3), "survivors": [1000, 780, 660]})
    >>> fit_sbg_cohorts(pd.concat([first, second])).params.round(2).tolist()
    [0.86, 4.0]
    """
    table = as_table(frame)
    require("fit_sbg_cohorts", table, ("cohort", "period", "survivors"))
    known = table.filter(table["survivors"].notnull()).select("cohort", "period", "survivors").execute()
    if unnamed := int(known["cohort"].isna().sum()):
        raise MeasureError(
            "fit_sbg_cohorts", f"{unnamed} of {len(known)} rows have no cohort", "Name the cohort of each"
        )
    cohorts = known.sort_values(["cohort", "period"]).groupby("cohort", sort=False)
    triangle = [_checked_cohort(str(name), rows) for name, rows in cohorts]
    longest = max((len(counts) for counts in triangle), default=0)
    if longest < 2:
        raise MeasureError(
            "fit_sbg_cohorts", "no cohort has two periods", "Give the survivors of period 0, 1 and so on"
        )
    lost, stayed = np.zeros((2, longest - 1))
    for counts in triangle:
        lost[: len(counts) - 1] += counts[:-1] - counts[1:]
        stayed[: len(counts) - 1] += counts[1:]
    return ShiftedBetaGeometric(_fitted(lost, stayed, int(sum(counts[0] for counts in triangle))))


def _fitted(lost: Floats, stayed: Floats, customers: int) -> Fit:
    """Fit to how many left and stayed at each renewal: the chance to leave at the first is alpha / (alpha + beta)."""
    period, all_ = np.arange(len(lost)), lost + stayed

    def loglik(theta: Floats) -> tuple[float, Floats]:
        alpha, beta = theta
        both, later = alpha + beta + period, beta + period
        value = lost @ (np.log(alpha) - np.log(both)) + stayed @ (np.log(later) - np.log(both))
        slopes = (lost / alpha - all_ / both).sum(), (stayed / later - all_ / both).sum()
        return float(value), np.array(slopes)

    leaving = float(np.clip(lost[0] / all_[0], 0.01, 0.99))
    starts = [(leaving * size, (1 - leaving) * size) for size in (1.0, 5.0, 50.0)]
    return fit(loglik, starts, NAMES, model=MODEL, n=customers)


def _without_errors(found: Fit) -> Fit:
    return replace(found, se=found.se * np.nan, covariance=found.covariance * np.nan, notes=(*found.notes, _NO_N))


def _log_survival(logs: Floats, period: NDArray[np.intp], lasted: int) -> Floats:
    """Return the log of S(lasted + period) / S(lasted), renewal by renewal: gamma functions would lose digits."""
    alpha, beta = np.exp(logs)
    renewals = lasted + np.arange(period.max(initial=0))
    steps = np.log1p(-alpha / (alpha + beta + renewals))
    summed: Floats = np.concatenate([[0.0], np.cumsum(steps)])[period]
    return summed


def _counts(name: str, values: ArrayLike, least: int = 0) -> NDArray[np.intp]:
    return np.ravel(counts_of(MODEL, name, values, least))


def _checked_cohort(name: str, rows: pd.DataFrame) -> Floats:
    (counts,) = numbers("fit_sbg_cohorts", rows, "survivors")
    if rows["period"].tolist() != list(range(len(rows))):
        raise MeasureError(
            "fit_sbg_cohorts", f"the periods of cohort {name} are not 0, 1, 2 and so on", "Give each of them once"
        )
    if (counts != np.round(counts)).any():
        raise MeasureError("fit_sbg_cohorts", f"the survivors of cohort {name} are not whole numbers", "Give counts")
    _check(counts, f" of cohort {name}")
    return counts


def _check(values: Floats, whose: str) -> None:
    """Raise MeasureError unless the values are those of people who can only leave."""
    if not np.isfinite(values).all() or (values < 0).any():
        raise MeasureError(MODEL, f"survivors{whose} are missing or negative", "Give a number for each period")
    if values[0] == 0:
        raise MeasureError(MODEL, f"there are no survivors{whose} in period 0", "Begin when all are there")
    if (rises := np.flatnonzero(np.diff(values) > 0)).size:
        at = int(rises[0]) + 1
        raise MeasureError(
            MODEL, f"survivors{whose} rise in period {at}, from {values[at - 1]:g} to {values[at]:g}", "Count each once"
        )
