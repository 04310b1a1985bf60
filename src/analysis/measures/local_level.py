"""The level behind a series of measurements whose errors are known: a local level model with one unknown variance.

Importing this module imports statsmodels, so measures import it where they smooth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother

from analysis.measures.inference import Floats, normal_quantile

_TRIED = 40
"""How many state variances stand for all."""


@dataclass(frozen=True, eq=False)
class LocalLevel:
    """A level that moves by independent normal steps, measured with normal errors of known variances.

    The first level is diffuse. A missing measurement says nothing, its variance may be anything.
    """

    measured: Floats
    variances: Floats

    def loglike(self, state_variance: float) -> float:
        """Return the log-likelihood at the variance of a step."""
        return float(self._filter(state_variance).loglike())

    def smooth(self, state_variance: float) -> tuple[Floats, Floats]:
        """Return the level and its variance, given all measurements and the variance of a step."""
        found = self._filter(state_variance).smooth()
        return found.smoothed_state[0], found.smoothed_state_cov[0, 0]

    def _filter(self, state_variance: float) -> Any:
        made = KalmanSmoother(1, 1)
        made.bind(self.measured.copy())
        made.initialize_diffuse()
        for matrix in ("design", "transition", "selection"):
            made[matrix] = np.ones((1, 1))
        made["obs_cov"] = np.where(np.isnan(self.measured), 1.0, self.variances)[None, None, :]
        made["state_cov"] = np.full((1, 1), state_variance)
        return made


def smoothed_level(measured: Floats, variances: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return the smoothed level of a series with its interval: level, low, high, one each a measurement.

    ``measured`` in equal steps of time, missing where nothing was; ``variances`` of the measurements. The level is the
    one at the likeliest state variance. The interval does not take that as known: over all state variances, weighted
    by their likelihood (flat in the standard deviation), it adds the mean variance of the level and the mean square by
    which it moves. Without that it would be too short wherever the likeliest variance is 0 by chance.

    Source: Durbin and Koopman (2012), Time Series Analysis by State Space Methods, chapters 2 and 5; the interval:
    Hamilton (1986), Journal of Econometrics 33, 387-397.

    >>> level, low, high = smoothed_level(np.array([0.0, 10.0, np.nan, 20.0]), np.array([1.0, 1.0, 1.0, 1.0]), 0.95)
    >>> level.round(1).tolist(), (high - low).round(0).tolist()
    ([0.1, 9.9, 14.9, 19.9], [4.0, 4.0, 23.0, 4.0])
    """
    model = LocalLevel(measured, variances)
    level, _ = model.smooth(likeliest_state_variance(model))
    deviations, spacing = _deviations(model)
    tried = [model.smooth(deviation**2) for deviation in deviations]
    loglikes = np.array([model.loglike(deviation**2) for deviation in deviations])
    likelihood = np.exp(loglikes - loglikes.max()) * spacing
    spread = [variance + (other - level) ** 2 for other, variance in tried]
    half = normal_quantile(confidence) * np.sqrt(np.average(spread, axis=0, weights=likelihood))
    return level, level - half, level + half


def likeliest_state_variance(model: LocalLevel) -> float:
    """Return the state variance that maximises the likelihood, 0 included.

    The likelihood may have a peak at 0 and another one, so the whole range is looked through first.
    """

    def loss(deviation: float) -> float:
        return -model.loglike(deviation**2)

    tried = np.array([0, *_deviations(model)[0]])
    best = int(np.argmin([loss(deviation) for deviation in tried]))
    around = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    refined = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-7 * tried[-1]}).x
    return float(min((tried[best], refined), key=loss) ** 2)


def _deviations(model: LocalLevel) -> tuple[Floats, Floats]:
    """Return standard deviations of a step, close where small, with the stretch that each stands for.

    They end where the largest step measured, and the largest error on top, would be but one deviation.
    """
    parts = (np.arange(_TRIED) + 0.5) / _TRIED
    known = ~np.isnan(model.measured)
    largest = np.abs(np.diff(model.measured[known])).max() + np.sqrt(model.variances[known].max())
    return largest * parts**2, parts
