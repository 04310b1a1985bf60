"""Purchases at opportunities, such as yearly appeals, of customers who leave unseen: the BG/BB model.

An active customer uses an opportunity with a probability of their own, beta with alpha and beta, and leaves before one
with a probability of their own, beta with gamma and delta. The likelihood of x used of n opportunities, the last one
the t-th, adds up over how many the customer stayed for: all n, or j = t, …, n - 1. Its terms are products of rising
factorials, so logs are taken once a count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.measures.inference import Floats
from analysis.measures.maximum_likelihood import FittedModel, fit
from analysis.measures.model_rows import are_counts, counts_of, customers_of, dot, numbers, refuse

Places: TypeAlias = NDArray[np.intp]

MODEL = "fit_bg_bb"
NAMES = ("alpha", "beta", "gamma", "delta")


@dataclass(frozen=True, eq=False)
class BgBb(FittedModel):
    """A fitted BG/BB model; time is counted in opportunities."""

    def expected(self, opportunities: ArrayLike) -> Floats:
        """Return the purchases expected of a new customer by each number of opportunities; the first is not counted.

        Differences between numbers are what to expect in between. Raises MeasureError for what is no number of them.
        """
        counts = counts_of(MODEL, "opportunities", opportunities)
        alpha, beta, gamma, delta = self.params
        active = np.exp(_stays(gamma, delta, int(counts.max(initial=0)))).cumsum() - 1
        expected: Floats = alpha / (alpha + beta) * active[counts]
        return expected

    def predict(self, customers: pd.DataFrame, *, horizon: int) -> pd.DataFrame:
        """Return for each row of frequency, recency and opportunities what to expect at the next ``horizon`` ones.

        Columns out: expected_purchases, probability_alive (active at the next opportunity); the index is that of
        ``customers``. Raises MeasureError for an absent column and values outside their domain.
        """
        ahead = 1 + np.arange(max(int(counts_of(MODEL, "horizon", horizon)), 1))
        frequency, recency, opportunities = _checked(customers)
        alpha, beta, gamma, delta = theta = self.params.to_numpy()
        active = _terms(frequency, recency, opportunities).log_active(theta)
        stays = _stays(gamma, delta, int(opportunities.max(initial=0)) + len(ahead))
        still = np.exp((active - stays[opportunities])[:, None] + stays[opportunities[:, None] + ahead])
        rate = (alpha + frequency) / (alpha + beta + opportunities)
        purchases = rate * still[:, :horizon].sum(axis=1)
        return pd.DataFrame({"expected_purchases": purchases, "probability_alive": still[:, 0]}, index=customers.index)


def fit_bg_bb(opportunity_summary: pd.DataFrame) -> BgBb:
    """Fit how readily customers use opportunities and when they leave unseen, from counts of customers who look alike.

    Columns in: ``frequency`` (opportunities used), ``recency`` (the last one used, counted from 1; 0 where there is
    none), ``opportunities`` (how many there were; the first purchase is none of them), ``customers`` (how many), as
    ``opportunity_summary`` gives them. The log-likelihood is as printed, without scaling or penalty.

    Raises MeasureError for an absent column, values outside their domain and where there are no customers.
    Source: Fader, Hardie and Shang (2010), Marketing Science 29, 1086-1108.

    >>> years = pd.DataFrame({"frequency": [0, 1, 1, 2, 3], "recency": [0, 1, 3, 2, 3], "opportunities": 3})
    >>> model = fit_bg_bb(years.assign(customers=[400, 150, 50, 100, 200]))
    >>> model.predict(years, horizon=2).round(2)
       expected_purchases  probability_alive
    0                0.02               0.14
    1                0.03               0.05
    2                0.47               0.73
    3                0.10               0.09
    4                1.22               0.73
    """
    frequency, recency, opportunities = _checked(opportunity_summary)
    customers = customers_of(MODEL, opportunity_summary)
    likelihood = _Likelihood(_terms(frequency, recency, opportunities), customers)
    starts = _starts((customers * frequency).sum(), (customers * opportunities).sum())
    return BgBb(fit(likelihood, starts, NAMES, model=MODEL, n=round(customers.sum())))


def _checked(rows: pd.DataFrame) -> list[Places]:
    """Return frequency, recency, opportunities."""
    frequency, recency, opportunities = found = numbers(MODEL, rows, "frequency", "recency", "opportunities")
    refuse(
        MODEL,
        {
            "a count that is no whole number from 0 on": ~np.all([are_counts(column) for column in found], axis=0),
            "counts out of frequency <= recency <= opportunities": ~(
                (frequency <= recency) & (recency <= opportunities)
            ),
            "a recency above 0 without a purchase": (frequency == 0) & (recency > 0),
        },
    )
    return [column.astype(np.intp) for column in found]


def _starts(used: float, offered: float) -> list[list[float]]:
    """Return parameters near which to begin, all with about the mean readiness."""
    odds = (used + 0.5) / (offered - used + 0.5)
    return [[1.0, 1.0 / odds, 0.5, 3.0], [1.0, 0.5 / odds, 1.0, 1.0], [0.3, 0.3 / odds, 0.5, 10.0]]


def _cumulated(terms: Floats) -> Floats:
    """Return the sums of the first 0, 1, 2, … terms."""
    sums: Floats = np.concatenate([[0.0], terms.cumsum()])
    return sums


def _stays(gamma: float, delta: float, most: int) -> Floats:
    """Return the log of the chance to stay for 0, 1, 2, … opportunities."""
    return _cumulated(-np.log1p(gamma / (delta + np.arange(most))))


@dataclass(frozen=True, eq=False)
class _Terms:
    """The terms of the likelihood of some rows, one a row and number of opportunities the customer ``stayed`` for.

    ``begins`` has the first term of each row; its last one is that of a customer who is still active.
    """

    frequency: Places
    begins: Places
    row: Places
    stayed: Places
    missed: Places
    active: NDArray[np.bool_]

    def log_whole(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return the log-likelihood by row, and the log by term of its part in it."""
        alpha, beta, gamma, delta = theta
        steps = np.arange(self.stayed.max(initial=0) + 1)
        bought = _cumulated(np.log(alpha + steps))
        passed = _cumulated(np.log(beta + steps))
        offered = _cumulated(np.log(alpha + beta + steps))
        stays = _stays(gamma, delta, len(steps))
        leaves = np.log(gamma / (gamma + delta + steps))
        terms = passed[self.missed] - offered[self.stayed] + stays[self.stayed]
        terms += np.where(self.active, 0, leaves[self.stayed])
        top = np.maximum.reduceat(terms, self.begins)
        whole = top + np.log(np.add.reduceat(np.exp(terms - top[self.row]), self.begins))
        return bought[self.frequency] + whole, terms - whole[self.row]

    def log_active(self, theta: Floats) -> Floats:
        """Return by row the log of the chance that the customer has stayed for all opportunities."""
        return self.log_whole(theta)[1][self.active]


def _terms(frequency: Places, recency: Places, opportunities: Places) -> _Terms:
    lengths = opportunities - recency + 1
    ends = lengths.cumsum()
    row = np.repeat(np.arange(len(lengths)), lengths)
    stayed = np.arange(len(row)) - (ends - lengths)[row] + recency[row]
    return _Terms(frequency, ends - lengths, row, stayed, stayed - frequency[row], stayed == opportunities[row])


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """The log-likelihood and its gradient as a function of the parameters."""

    terms: _Terms
    customers: Floats

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        alpha, beta, gamma, delta = theta
        by_row, parts = self.terms.log_whole(theta)
        weights = self.customers[self.terms.row] * np.exp(parts)
        steps = np.arange(self.terms.stayed.max(initial=0) + 1)
        size = len(steps) + 1
        bought = np.bincount(self.terms.frequency, self.customers, size)
        passed = np.bincount(self.terms.missed, weights, size)
        stayed = np.bincount(self.terms.stayed, weights, size)
        left = np.bincount(self.terms.stayed, np.where(self.terms.active, 0, weights), len(steps))
        offered, ended = _cumulated(1 / (alpha + beta + steps)), _cumulated(1 / (gamma + delta + steps))
        gradient = [
            dot(bought, _cumulated(1 / (alpha + steps))) - dot(stayed, offered),
            dot(passed, _cumulated(1 / (beta + steps))) - dot(stayed, offered),
            left.sum() / gamma - dot(left, 1 / (gamma + delta + steps)) - dot(stayed, ended),
            dot(stayed, _cumulated(1 / (delta + steps)) - ended) - dot(left, 1 / (gamma + delta + steps)),
        ]
        return dot(self.customers, by_row), np.array(gradient)
