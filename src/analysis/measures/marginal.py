"""Average marginal effects: by how much a covariate moves the probability of leaving, other things as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.codings import Coding, design, slopes
from analysis.measures.covariates import Linear, Spline
from analysis.measures.glm import Estimates
from analysis.measures.hazards import MOST, HazardModel, log_reached
from analysis.measures.inference import Floats, normal_quantile, ratio, two_sided
from analysis.measures.logistic import LogisticModel

_MEASURE = "marginal_effects"


@dataclass(frozen=True, eq=False)
class _Predicted:
    """The probability as a function of the level x · b + shift: what both models come down to."""

    estimates: Estimates
    rows: Floats
    weights: Floats
    """The share of rows with each pattern."""
    shift: float
    shift_gradient: Floats
    """By the parameters that stand behind the coefficients of the covariates."""
    is_hazard: bool

    @property
    def level(self) -> Floats:
        level: Floats = self.rows @ self.estimates.values[: self.rows.shape[1]] + self.shift
        return level

    def probability(self, level: Floats) -> Floats:
        found: Floats = -np.expm1(-np.exp(level.clip(max=MOST))) if self.is_hazard else special.expit(level)
        return found

    def derivatives(self, level: Floats) -> tuple[Floats, Floats]:
        """Return the first and the second derivative of the probability by the level."""
        if self.is_hazard:
            expected = np.exp(level.clip(max=MOST))
            first = expected * np.exp(-expected)
            return first, first * (1 - expected)
        share = special.expit(level)
        return share * (1 - share), share * (1 - share) * (1 - 2 * share)

    def gradient(self, weights: Floats, rows: Floats) -> Floats:
        """Return the weighted sum of the gradients of the level by all parameters."""
        return np.concatenate([weights @ rows, weights.sum() * self.shift_gradient])


def marginal_effects(model: HazardModel | LogisticModel, *, horizon: float | None = None) -> pd.DataFrame:
    """Return by how much each covariate moves the probability, on average over the rows the model was fitted on.

    Of a hazard model the probability is that of an event by ``horizon``, counted from time 0; all spells count alike.
    The effect of a number is the mean derivative, a unit; that of a level the mean of the probabilities with every row
    set to it less that with every row set to the base. Standard errors by the delta method.

    Columns out, one row a number or level that is not the base: ``term, level`` (missing for a number), ``effect``
    (share, 0 to 1), ``se, low, high, p``; all missing where the model gives no ratio.

    Raises MeasureError where the horizon is missing, past what was watched, before the first event, or given for a
    logistic model.
    Source: Cameron and Trivedi, Microeconometrics (2005), 5.9 and 7.2.8.

    >>> from analysis.measures.logistic import logistic_model
    >>> rows = pd.DataFrame({"left": [1, 1, 1, 0, 1, 0, 0, 0, 0], "plan": ["a"] * 4 + ["b"] * 5})
    >>> marginal_effects(logistic_model(rows, "left", "plan"))[["term", "level", "effect"]]  # 3/4 - 1/5
       term level  effect
    0  plan     a    0.55
    """
    predicted = _of_hazard(model, horizon) if isinstance(model, HazardModel) else _of_odds(model, horizon)
    parts = [
        _slope(predicted, coding, slopes(_MEASURE, coding, model.patterns, number))
        if isinstance(coding.covariate, Linear | Spline)
        else _steps(predicted, coding)
        for number, coding in enumerate(model.codings)
    ]
    found = pd.concat(parts, ignore_index=True).astype({"term": "str", "level": "str"})
    half = normal_quantile(model.confidence) * found["se"]
    return found.assign(
        low=found["effect"] - half, high=found["effect"] + half, p=two_sided(ratio(found["effect"], found["se"]))
    )


def _of_hazard(model: HazardModel, horizon: float | None) -> _Predicted:
    if horizon is None:
        raise MeasureError(_MEASURE, "a hazard model needs a horizon", "Give the time by which, such as horizon=365")
    reached = log_reached(model, horizon)
    if not np.isfinite(reached).any():
        raise MeasureError(_MEASURE, f"there is no event before the horizon {horizon}", "Give a later one")
    return _Predicted(
        estimates=model.estimates,
        rows=design(_MEASURE, model.codings, model.patterns),
        weights=model.spells_of_pattern / model.spells_of_pattern.sum(),
        shift=float(special.logsumexp(reached)),
        shift_gradient=special.softmax(reached),
        is_hazard=True,
    )


def _of_odds(model: LogisticModel, horizon: float | None) -> _Predicted:
    if horizon is not None:
        raise MeasureError(_MEASURE, "a logistic model has no horizon", "Leave horizon out")
    return _Predicted(
        estimates=model.estimates,
        rows=design(_MEASURE, model.codings, model.patterns),
        weights=model.rows_of_pattern / model.rows_of_pattern.sum(),
        shift=float(model.estimates.values[-1]),
        shift_gradient=np.ones(1),
        is_hazard=False,
    )


def _slope(predicted: _Predicted, coding: Coding, slope: Floats) -> pd.DataFrame:
    """Return the mean derivative by a number that enters by the columns of the coding."""
    estimates, own = predicted.estimates, coding.place
    first, second = predicted.derivatives(predicted.level)
    steepness = slope @ estimates.values[own]
    gradient = predicted.gradient(predicted.weights * second * steepness, predicted.rows)
    gradient[own] += (predicted.weights * first) @ slope
    effect = np.array([predicted.weights @ (first * steepness)])
    told = np.array([estimates.estimable[own].all()])
    return _effects(coding, [None], effect, gradient[None], estimates, told)


def _steps(predicted: _Predicted, coding: Coding) -> pd.DataFrame:
    """Return the mean difference between every row at a level and every row at the base."""
    estimates, own = predicted.estimates, coding.place
    others = [number for number in range(len(coding.levels)) if number != coding.base]
    rows = predicted.rows.copy()
    rows[:, own] = 0
    at_base = rows @ estimates.values[: rows.shape[1]] + predicted.shift
    means, gradients = [], []
    for number in (coding.base, *others):
        rows[:, own] = coding.contrasts[number]
        level = at_base + coding.contrasts[number] @ estimates.values[own]
        means.append(predicted.weights @ predicted.probability(level))
        gradients.append(predicted.gradient(predicted.weights * predicted.derivatives(level)[0], rows))
    told = ~((coding.contrasts[others] != 0) & ~estimates.estimable[own]).any(axis=1)
    effects, moved = np.array(means[1:]) - means[0], np.array(gradients[1:]) - gradients[0]
    return _effects(coding, [coding.levels[number] for number in others], effects, moved, estimates, told)


def _effects(
    coding: Coding,
    levels: list[str] | list[None],
    effects: Floats,
    gradients: Floats,
    estimates: Estimates,
    told: Floats,
) -> pd.DataFrame:
    variance = np.einsum("ij,jk,ik->i", gradients.reshape(len(levels), -1), estimates.covariance, gradients)
    frame = pd.DataFrame({"term": coding.name, "level": levels, "effect": effects, "se": np.sqrt(variance.clip(0))})
    return frame.assign(effect=frame["effect"].where(told), se=frame["se"].where(told))
