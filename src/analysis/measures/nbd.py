"""Purchases of customers of whom nobody leaves: the NBD, from counts by frequency and age.

A customer buys at a rate of their own, gamma with shape r and rate alpha. It is what BG/NBD and Pareto/NBD come to
where leaving runs to zero. With x repeat purchases, watched for T, the likelihood is
Γ(r + x)/Γ(r) · α^r · (α + T)^-(r + x): the first factors of that of BG/NBD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from analysis.measures.inference import Floats
from analysis.measures.maximum_likelihood import Fit, FittedModel, fit
from analysis.measures.model_rows import are_counts, check_horizon, customers_of, dot, numbers, refuse, times_of

MODEL = "fit_nbd"
NAMES = ("r", "alpha")
_NO_ORDER = 0.5
"""Repeat purchases that stand in for none at all (Jeffreys' prior)."""
_ALIKE = 1e6
"""So many times as long as anybody was watched for: what a customer did by then moves their own rate no more."""


@dataclass(frozen=True, eq=False)
class Nbd(FittedModel):
    """A fitted NBD model; times are in the unit of the summary it was fitted on."""

    def expected(self, time: ArrayLike) -> Floats:
        """Return the repeat purchases expected of a new customer by each time after the first purchase.

        Raises MeasureError for times that are no finite numbers from 0 on.
        """
        r, alpha = self.params
        purchases: Floats = times_of(MODEL, time) * r / alpha
        return purchases

    def predict(self, customers: pd.DataFrame, *, horizon: float) -> pd.DataFrame:
        """Return for each row of frequency and age what to expect in the next ``horizon`` units.

        Columns out: expected_purchases, probability_alive (1: nobody leaves); the index is that of ``customers``.
        Raises MeasureError for an absent column and values outside their domain.
        """
        check_horizon(MODEL, horizon)
        frequency, age = _checked(customers)
        r, alpha = self.params
        purchases = (r + frequency) / (alpha + age) * horizon
        return pd.DataFrame({"expected_purchases": purchases, "probability_alive": 1.0}, index=customers.index)


def fit_nbd(summary: pd.DataFrame) -> Nbd:
    """Fit how often customers buy who do not leave, from counts of customers who look alike: NBD.

    Columns in: ``frequency`` (repeat purchases), ``age`` (time from the first purchase to the end), ``customers`` (how
    many), as ``purchase_summary`` gives them. The log-likelihood is as printed, without scaling or penalty.

    Raises MeasureError for an absent column, values outside their domain and where there are no customers.
    Source: Ehrenberg (1959), Applied Statistics 8, 26-41.

    >>> weeks = pd.DataFrame({"frequency": [0, 1, 2, 8], "age": 35, "customers": [60, 25, 10, 5]})
    >>> fit_nbd(weeks).predict(weeks, horizon=35)["expected_purchases"].round(2).tolist()
    [0.3, 0.95, 1.6, 5.52]
    """
    frequency, age = _checked(summary)
    customers = customers_of(MODEL, summary)
    bought, time = dot(frequency, customers), dot(age, customers)
    rate = max(bought, _NO_ORDER) / time if time else 1.0
    starts = [[r, r / rate] for r in (0.3, 1.0, 3.0)]
    return Nbd(fit(_likelihood(frequency, age, customers), starts, NAMES, model=MODEL, n=round(customers.sum())))


def fit_one_rate(summary: pd.DataFrame) -> Nbd:
    """Take all customers to buy at one rate, that of all: the NBD with r and alpha beyond all bounds, a Poisson.

    Where nobody has bought again the rate is that of half a purchase in the time watched. Columns in and Raises: as for
    :func:`fit_nbd`.

    >>> weeks = pd.DataFrame({"frequency": [0, 1, 2], "age": [30.0, 30.0, 40.0], "customers": [6, 3, 1]})
    >>> fit_one_rate(weeks).predict(weeks, horizon=31).round(2)["expected_purchases"].tolist()
    [0.5, 0.5, 0.5]
    """
    frequency, age = _checked(summary)
    customers = customers_of("fit_one_rate", summary)
    bought = max(dot(frequency, customers), _NO_ORDER)
    time = np.maximum(age, 1.0)  # of who is new today too something is to be expected
    alpha = _ALIKE * float(time.max())
    params = np.array([bought / dot(time, customers) * alpha, alpha])
    logs = np.diag([1 / bought, 1e-12])  # alpha is no estimate, yet draws want a variance
    covariance = pd.DataFrame(logs * np.outer(params, params), index=NAMES, columns=NAMES)
    found = Fit(
        model="fit_one_rate",
        params=pd.Series(params, index=NAMES, name="estimate"),
        se=pd.Series(np.sqrt(np.diag(covariance)), index=NAMES, name="se"),
        covariance=covariance,
        loglik=_likelihood(frequency, age, customers)(params)[0],
        converged=True,
        identified=True,
        notes=(),
        n=round(customers.sum()),
    )
    return Nbd(found)


def _checked(rows: pd.DataFrame) -> list[Floats]:
    """Return frequency, age."""
    frequency, age = found = numbers(MODEL, rows, "frequency", "age")
    refuse(
        MODEL,
        {
            "a frequency that is no whole number from 0 on": ~are_counts(frequency),
            "an age that is no time": ~((age >= 0) & (age < np.inf)),
        },
    )
    return found


def _likelihood(frequency: Floats, age: Floats, customers: Floats) -> Callable[[Floats], tuple[float, Floats]]:
    def loglik(theta: Floats) -> tuple[float, Floats]:
        r, alpha = theta
        log_time, shorter = np.log1p(age / alpha), 1 / (alpha + age)
        each = special.gammaln(r + frequency) - special.gammaln(r) - frequency * np.log(alpha)
        of_r = special.digamma(r + frequency) - special.digamma(r) - log_time
        of_alpha = r / alpha * age * shorter - frequency * shorter
        gradient = np.array([dot(customers, part) for part in (of_r, of_alpha)])
        return dot(customers, each - (r + frequency) * log_time), gradient

    return loglik
