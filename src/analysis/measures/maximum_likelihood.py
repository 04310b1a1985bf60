"""Maximum likelihood for models with a handful of positive parameters: from several starts, on log parameters.

The log-likelihood is the model's own, summed over customers: no scaling, no penalty. A likelihood without a peak is
no error: the fit says which parameters the data do not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import MeasureError
from analysis.measures.climbing import FLAT, Bools, Hill, LogLikelihood, Point, climb, polish
from analysis.measures.frames import check_confidence
from analysis.measures.inference import Floats, normal_quantile

_FAR = 14.0
"""How far beyond the starts, on the log scale, a parameter is followed: a factor of about a million."""
_RUN_OFF = 7.0
"""A factor of about a thousand beyond the starts: what the data leave open there is on its way to 0 or infinity."""
_POOR = 1.0
"""Standard error of a log parameter that leaves its 95 % interval a factor of 50 wide."""
_INVOLVED = 0.1
_TRIED_STEPS = 5
_STEPS = 300


@dataclass(frozen=True, eq=False)
class Fit:
    """Estimates of positive parameters, in the order of the model's names.

    ``se`` and ``covariance`` are the inverse Hessian's in the natural parameters, missing where not ``identified``:
    there ``params`` are where the search ended and ``notes`` say what the data leave open. ``n`` counts customers.
    """

    model: str
    params: pd.Series
    se: pd.Series
    covariance: pd.DataFrame
    loglik: float
    converged: bool
    identified: bool
    notes: tuple[str, ...]
    n: int

    def conf_int(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return low and high of each parameter (Wald on the log scale, so above 0); missing where not identified."""
        check_confidence(self.model, confidence)
        factor = np.exp(normal_quantile(confidence) * self.se / self.params)
        return pd.DataFrame({"low": self.params / factor, "high": self.params * factor})

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return the parameters: term, estimate, se, low, high."""
        told = pd.DataFrame({"estimate": self.params, "se": self.se}).join(self.conf_int(confidence))
        return told.rename_axis("term").reset_index()

    def draws(self, size: int, seed: int) -> Floats:
        """Return ``size`` rows of parameters from the normal on their logs; missing where not identified."""
        normal = np.random.default_rng(seed).standard_normal((size, len(self.params)))
        if not self.identified:
            return np.full(normal.shape, np.nan)
        values = self.params.to_numpy()
        root = np.linalg.cholesky(self.covariance.to_numpy() / np.outer(values, values))
        drawn: Floats = values * np.exp(normal @ root.T)
        return drawn


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model that was fitted by maximum likelihood: what the fit says of its parameters."""

    fit: Fit

    @property
    def params(self) -> pd.Series:
        """Return the estimates by name."""
        return self.fit.params

    @property
    def se(self) -> pd.Series:
        """Return the standard errors, missing where the data do not identify the parameters."""
        return self.fit.se

    @property
    def loglik(self) -> float:
        """Return the log-likelihood summed over customers."""
        return self.fit.loglik

    @property
    def converged(self) -> bool:
        """Say whether the search came to rest."""
        return self.fit.converged

    @property
    def identified(self) -> bool:
        """Say whether the data tell all parameters."""
        return self.fit.identified

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what the data leave open."""
        return self.fit.notes

    def conf_int(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return low and high of the params."""
        return self.fit.conf_int(confidence)

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Return the params: term, estimate, se, low, high."""
        return self.fit.summary(confidence)


def fit(
    loglik: LogLikelihood,
    starts: Sequence[ArrayLike],
    names: Sequence[str],
    *,
    model: str,
    n: int,
    information: Callable[[Floats], Floats] | None = None,
) -> Fit:
    """Maximise a log-likelihood over positive parameters.

    ``loglik`` takes the natural parameters in the order of ``names`` and returns the value summed over ``n`` customers
    and its gradient; ``starts`` are natural parameters in the scale of the data. A few steps are taken from each start,
    the best is followed to the end and polished by Newton's method. The Hessian is by central differences of the
    gradient, or less what ``information`` returns at natural parameters.

    Raises MeasureError where there are no customers or the log-likelihood is finite at no start.
    Source: Davison (2003), Statistical Models, chapter 4.

    >>> def poisson(theta):  # 12 events in 4 units of time
    ...     return 12 * np.log(theta[0]) - 4 * theta[0], 12 / theta - 4
    >>> fitted = fit(poisson, [[1.0]], ["rate"], model="poisson", n=4)
    >>> fitted.summary().round(3)
       term  estimate     se    low   high
    0  rate       3.0  0.866  1.704  5.283
    """
    begun = np.log(np.array([np.asarray(start, dtype=np.float64) for start in starts]))
    if n < 1:
        raise MeasureError(model, "there are no customers to fit", "Check the period and the filters before")
    hill = Hill(loglik, begun.min(axis=0) - _FAR, begun.max(axis=0) + _FAR, n)

    def curvature(logs: Floats) -> Floats:
        if information is None:
            return hill.curvature(logs)
        natural = np.exp(logs)
        return np.outer(natural, natural) * information(natural) - np.diag(natural * loglik(natural)[1])

    top, curved, converged = polish(hill, _best(model, hill, begun), curvature)
    beyond = (top.logs - begun.max(axis=0)).clip(0) + (top.logs - begun.min(axis=0)).clip(max=0)
    return _told(model, list(names), hill, top, curved, converged, beyond)


def _best(model: str, hill: Hill, begun: Floats) -> Point:
    """Take a few steps from each start and follow the best to the end."""
    points = [point for point in map(hill.at, begun) if np.isfinite(point.value)]
    if not points:
        raise MeasureError(model, "the log-likelihood is finite at no start", "Check for values out of range")
    tried = [climb(hill, point, _TRIED_STEPS) for point in points]
    point, inverse = max(tried, key=lambda found: found[0].value)
    return climb(hill, point, _STEPS, inverse)[0]


def _told(model: str, index: list[str], hill: Hill, top: Point, curved: Floats, converged: bool, beyond: Floats) -> Fit:
    edge = hill.on_edge(top.logs)
    identified = not edge.any() and bool(np.linalg.eigvalsh(curved)[0] >= FLAT)
    values = np.exp(top.logs)
    spread = np.linalg.inv(curved) if identified else np.full(curved.shape, np.nan)
    notes = _poor(index, np.sqrt(spread.diagonal())) if identified else _open(index, edge, curved, beyond)
    if identified and not converged:
        notes = (*notes, "The search did not come to rest, so the estimates are not the likeliest ones.")
    return Fit(
        model=model,
        params=pd.Series(values, index=index, name="estimate"),
        se=pd.Series(values * np.sqrt(spread.diagonal()), index=index, name="se"),
        covariance=pd.DataFrame(spread * np.outer(values, values), index=index, columns=index),
        loglik=top.value,
        converged=converged,
        identified=identified,
        notes=notes,
        n=hill.n,
    )


def _poor(names: list[str], log_se: Floats) -> tuple[str, ...]:
    return tuple(
        f"{name} is poorly known: its 95 % interval spans a factor of {np.exp(2 * 1.96 * se):,.0f}."
        for name, se in zip(names, log_se, strict=True)
        if se > _POOR
    )


def _open(names: list[str], edge: Bools, curved: Floats, beyond: Floats) -> tuple[str, ...]:
    """Say which parameters lie in the directions in which the likelihood hardly falls, and where they go."""
    strength, directions = np.linalg.eigh(curved)
    involved = edge | (np.abs(directions[:, strength < FLAT]) > _INVOLVED).any(axis=1)
    open_names = [name for name, flat in zip(names, involved, strict=True) if flat]
    notes = [f"The likelihood is flat: these data do not identify {', '.join(open_names)}."]
    for name, flat, way in zip(names, involved, beyond, strict=True):
        if flat and abs(way) > _RUN_OFF:
            notes.append(f"{name} runs off to {'infinity' if way > 0 else '0'}.")
    return tuple(notes)
