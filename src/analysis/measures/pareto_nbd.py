"""Purchases of customers who leave unseen: the Pareto/NBD model, from counts by frequency, recency and age."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from analysis.measures.inference import Floats
from analysis.measures.maximum_likelihood import FittedModel, fit
from analysis.measures.model_rows import check_horizon, customers_of, dot, histories, times_of
from analysis.measures.pareto_bracket import Bracket, Places, Timeline, accumulated, bracket, by_point, timeline

MODEL = "fit_pareto_nbd"
NAMES = ("r", "alpha", "s", "beta")


@dataclass(frozen=True, eq=False)
class ParetoNbd(FittedModel):
    """A fitted Pareto/NBD model; times are in the unit of the summary it was fitted on."""

    def expected(self, time: ArrayLike) -> Floats:
        """Return the purchases expected of a new customer by each time after the first purchase, which is not counted.

        Differences between times are what to expect in between. Raises MeasureError for times outside their domain.
        """
        r, alpha, s, beta = self.params
        times = times_of(MODEL, time)
        expected: Floats = r / alpha * _active_time(s, np.full(times.shape, beta), times)
        return expected

    def predict(self, customers: pd.DataFrame, *, horizon: float) -> pd.DataFrame:
        """Return for each row of frequency, recency and age what to expect in the next ``horizon`` units.

        Columns out: expected_purchases, probability_alive; the index is that of ``customers``.
        Raises MeasureError for an absent column and values outside their domain.
        """
        check_horizon(MODEL, horizon)
        frequency, recency, age = histories(MODEL, customers)
        r, alpha, s, beta = theta = self.params.to_numpy()
        found = bracket(theta, timeline(frequency, recency, age))
        alive = found.alive / found.whole
        purchases = alive * (r + frequency) / (alpha + age) * _active_time(s, beta + age, np.array(horizon))
        return pd.DataFrame({"expected_purchases": purchases, "probability_alive": alive}, index=customers.index)


def fit_pareto_nbd(summary: pd.DataFrame) -> ParetoNbd:
    """Fit how often customers buy and when they leave unseen, from counts of customers who look alike: Pareto/NBD.

    A customer buys at a rate of their own, gamma with shape r and rate alpha, and leaves at a rate of their own, gamma
    with shape s and rate beta. Columns in: ``frequency`` (repeat purchases), ``recency`` and ``age`` (time from the
    first purchase to the last and to the end, one unit), ``customers`` (how many), as ``purchase_summary`` gives them.
    The log-likelihood is as printed, without scaling or penalty.

    Raises MeasureError for an absent column, values outside their domain and where there are no customers.
    Source: Schmittlein, Morrison and Colombo (1987), Management Science 33, 1-24; Fader and Hardie (2005), A Note on
    Deriving the Pareto/NBD Model and Related Expressions, brucehardie.com.

    >>> alike = {"frequency": [0, 1, 2, 6, 9], "recency": [0, 3, 20, 30, 4], "age": [35, 38, 36, 33, 36]}
    >>> model = fit_pareto_nbd(pd.DataFrame({**alike, "customers": [60, 25, 10, 5, 5]}))
    >>> model.params.round(2).to_dict()
    {'r': 0.4, 'alpha': 2.57, 's': 1.7, 'beta': 12.96}
    >>> model.predict(pd.DataFrame(alike), horizon=10).round(2)
       expected_purchases  probability_alive
    0                0.01               0.06
    1                0.01               0.02
    2                0.17               0.33
    3                1.31               0.86
    4                0.00               0.00
    """
    frequency, recency, age = histories(MODEL, summary)
    customers = customers_of(MODEL, summary)
    likelihood = _likelihood(frequency, recency, age, customers)
    starts = _starts(dot(frequency, customers), dot(age, customers), customers.sum())
    return ParetoNbd(fit(likelihood, starts, NAMES, model=MODEL, n=round(customers.sum())))


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """The log-likelihood and its gradient by parameters; rows stand in the order of their points of recency.

    ``firsts`` are the first rows of each such point; ``begun`` counts the customers of each point.
    """

    line: Timeline
    customers: Floats
    firsts: Places
    begun: Floats

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        found = bracket(theta, self.line)
        share = self.customers / found.whole
        begun = np.zeros(len(self.begun))
        begun[self.line.recency[self.firsts]] = np.add.reduceat(share, self.firsts)
        share *= found.alive
        active = by_point(self.line.age, share, len(begun))
        return self._value(theta, found), self._gradient(theta, found, begun, active)

    def _value(self, theta: Floats, found: Bracket) -> float:
        r, alpha, s, beta = theta
        purchases, last = self.line.purchases, self.line.time.max()
        rising = _summed(np.log(r + np.arange(purchases.max())), purchases)
        each = rising - purchases * np.log(alpha + last) + found.level
        each -= r * np.log1p(last / alpha) + s * np.log1p(last / beta)
        return dot(self.begun, each) + dot(self.customers, np.log(found.whole))

    def _gradient(self, theta: Floats, found: Bracket, begun: Floats, active: Floats) -> Floats:
        """Weigh times by how many are active at the end of theirs, and nodes by how many left there.

        ``begun`` counts customers by point of recency, in units of its h; ``active``, by point of age, those active.
        """
        r, alpha, s, beta = theta
        line, nodes, n = self.line, found.quadrature, self.begun.sum()
        power = r + line.purchases
        from_before = np.zeros(len(begun))
        from_before[line.lefts + 1] = found.lasting[line.lefts]
        passing = accumulated((begun - active)[::-1], from_before[::-1], line.longest)[::-1]
        gone = nodes.density * passing[nodes.point]
        of_part = gone.sum(axis=0)
        rising = dot(self.begun, _summed(1 / (r + np.arange(line.purchases.max())), line.purchases))
        log_alpha = dot(active, np.log1p(line.time / alpha)) + dot(of_part, np.log1p(nodes.left / alpha))
        log_beta = dot(active, np.log1p(line.time / beta)) + dot(of_part, np.log1p(nodes.left / beta))
        by_alpha = dot(active, power / (alpha + line.time))
        by_alpha += dot((gone / (alpha + nodes.time)).sum(axis=0), power[nodes.point])
        by_beta = s * dot(active, 1 / (beta + line.time)) + (s + 1) * (gone / (beta + nodes.time)).sum()
        return np.array(
            [
                rising - log_alpha - (gone * nodes.log_alpha).sum(),
                n * r / alpha - by_alpha,
                of_part.sum() / s - log_beta - (gone * nodes.log_beta).sum(),
                n * s / beta - by_beta,
            ]
        )


def _likelihood(frequency: Floats, recency: Floats, age: Floats, customers: Floats) -> _Likelihood:
    line = timeline(frequency, recency, age)
    order = np.argsort(line.recency, kind="stable")
    line = replace(line, recency=line.recency[order], age=line.age[order])
    firsts = np.flatnonzero(np.diff(line.recency, prepend=-1))
    return _Likelihood(line, customers[order], firsts, by_point(line.recency, customers[order], len(line.time)))


def _summed(terms: Floats, purchases: Floats) -> Floats:
    """Return for each number of purchases the sum of that many terms."""
    sums: Floats = np.concatenate([[0.0], np.cumsum(terms)])[purchases.astype(np.intp)]
    return sums


def _starts(purchases: float, time: float, customers: float) -> list[list[float]]:
    """Return parameters near which to begin: customers more and less alike, half of the time active on the whole."""
    rate, age = (2 * max(purchases, 0.5) / time, time / customers) if time else (1.0, 1.0)
    return [[shape, shape / rate, shape, shape * age] for shape in (1.0, 0.5)]


def _active_time(s: float, beta: Floats, horizon: Floats) -> Floats:
    """Return the mean time up to the horizon before customers leave whose rates are gamma; s may be 1."""
    log = np.log1p(horizon / beta)
    active: Floats = beta * log * special.exprel((1 - s) * log)
    return active
