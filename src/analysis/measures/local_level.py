"""The level behind a series of measurements whose errors are known: a local level model with one unknown variance.

Importing this module imports statsmodels, so measures import it where they smooth.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from statsmodels.tsa.statespace.mlemodel import MLEModel

from analysis.measures.inference import Floats, normal_quantile

_TRIED = 40
"""How many state variances stand for all."""


class LocalLevel(MLEModel):  # type: ignore[misc]  # statsmodels has no types
    """A level that moves by independent normal steps, measured with normal errors of known variance.

    The one parameter is ``state_variance``, that of a step, 0 or more; the first level is diffuse. A missing
    measurement says nothing, its variance may be anything.
    """

    def __init__(self, measured: Floats, variances: Floats) -> None:
        super().__init__(measured, k_states=1, initialization="diffuse")
        for matrix in ("design", "transition", "selection"):
            self[matrix, 0, 0] = 1.0
        self["obs_cov"] = np.where(np.isnan(measured), 1.0, variances)[None, None, :]

    @property
    def param_names(self) -> list[str]:
        """The names of the parameters."""
        return ["state_variance"]

    @property
    def start_params(self) -> Floats:
        """A state variance from which to search: a tenth of the mean square of the steps measured."""
        return np.array([np.mean(_steps(self.endog[:, 0]) ** 2) / 10])

    def transform_params(self, unconstrained: Floats) -> Floats:
        """Return the variance of a standard deviation that may have either sign."""
        return np.square(unconstrained)

    def untransform_params(self, constrained: Floats) -> Floats:
        """Return the standard deviation of the variance."""
        return np.sqrt(constrained)

    def update(self, params: Floats, **settings: object) -> None:
        """Lay the state variance into the model."""
        self["state_cov", 0, 0] = super().update(params, **settings)[0]


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
    level, _ = _smoothed(model, likeliest_state_variance(model))
    deviations, spacing = _deviations(model)
    tried = [_smoothed(model, deviation**2) for deviation in deviations]
    loglikes = np.array([model.loglike([deviation**2]) for deviation in deviations])
    likelihood = np.exp(loglikes - loglikes.max()) * spacing
    spread = [variance + (other - level) ** 2 for other, variance in tried]
    half = normal_quantile(confidence) * np.sqrt(np.average(spread, axis=0, weights=likelihood))
    return level, level - half, level + half


def likeliest_state_variance(model: LocalLevel) -> float:
    """Return the state variance that maximises the likelihood, 0 included.

    The likelihood may have a peak at 0 and another one, so the whole range is looked through first.
    """

    def loss(deviation: float) -> float:
        return -float(model.loglike([deviation**2]))

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
    largest = np.abs(_steps(model.endog[:, 0])).max() + np.sqrt(model["obs_cov"].max())
    return largest * parts**2, parts


def _smoothed(model: LocalLevel, state_variance: float) -> tuple[Floats, Floats]:
    """Return the level and its variance."""
    found = model.smooth([state_variance])
    return found.smoothed_state[0], found.smoothed_state_cov[0, 0]


def _steps(measured: Floats) -> Floats:
    return np.diff(measured[~np.isnan(measured)])
