"""Purchases of customers who may leave after a purchase: BG/NBD and MBG/NBD, from counts by frequency, recency and age.

A customer buys at a rate of their own, gamma with shape r and rate alpha, and leaves after a purchase with a
probability of their own, beta with a and b: under BG/NBD after repeat purchases only, under MBG/NBD after the first as
well. With k chances to leave so far, x repeat purchases, the last at time t, watched until T, the likelihood is
Γ(r + x)/Γ(r) · α^r · (α + T)^-(r + x) · B(a, b + k)/B(a, b) · (1 + odds of having left), with
odds = a/(b + k - 1) · ((α + T)/(α + t))^(r + x), 0 without a chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.measures.beta_mean import beta_rule
from analysis.measures.inference import Floats
from analysis.measures.maximum_likelihood import FittedModel, fit
from analysis.measures.model_rows import check_horizon, customers_of, dot, histories, times_of

Places: TypeAlias = NDArray[np.intp]

NAMES = ("r", "alpha", "a", "b")
_BLOCK = 8192
"""Rows taken at once: their numbers stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class BgNbd(FittedModel):
    """A fitted BG/NBD or MBG/NBD model; times are in the unit of the summary it was fitted on.

    ``first_chances`` is 1 where a customer may leave right after the first purchase (MBG/NBD), else 0.
    """

    first_chances: int

    def expected(self, time: ArrayLike) -> Floats:
        """Return the purchases expected of a new customer by each time after the first purchase, which is not counted.

        Differences between times are what to expect in between. Raises MeasureError for times outside their domain.
        """
        times = times_of(self.fit.model, time)
        _r, alpha, a, b = self.params
        stays = b / (a + b) if self.first_chances else 1.0
        return stays * self._while_alive(0.0, np.full(times.shape, alpha), times)

    def predict(self, customers: pd.DataFrame, *, horizon: float) -> pd.DataFrame:
        """Return for each row of frequency, recency and age what to expect in the next ``horizon`` units.

        Columns out: expected_purchases, probability_alive; the index is that of ``customers``.
        Raises MeasureError for an absent column and values outside their domain.
        """
        check_horizon(self.fit.model, horizon)
        frequency, recency, age = histories(self.fit.model, customers)
        alive = special.expit(-self._log_odds_left(frequency, recency, age))
        purchases = alive * self._expected_if_alive(frequency, age, horizon)
        return pd.DataFrame({"expected_purchases": purchases, "probability_alive": alive}, index=customers.index)

    def _log_odds_left(self, frequency: Floats, recency: Floats, age: Floats) -> Floats:
        r, alpha, a, b = self.params
        chances = frequency + self.first_chances
        silence = np.log1p((age - recency) / (alpha + recency))
        level = np.log(a) - np.log(np.where(chances > 0, b + chances - 1, 1.0)) + (r + frequency) * silence
        return np.where(chances > 0, level, -np.inf)

    def _expected_if_alive(self, frequency: Floats, age: Floats, horizon: float) -> Floats:
        """Return what to expect of who is still active: it depends on frequency and age only, so each pair once."""
        age_at, ages = pd.factorize(age)
        pair_of, pairs = pd.factorize(frequency * len(ages) + age_at)
        bought, alphas = pairs // len(ages), self.params["alpha"] + ages[(pairs % len(ages)).astype(np.intp)]
        found = np.empty(len(pairs))
        for times in np.unique(bought):
            found[bought == times] = self._while_alive(times, alphas[bought == times], np.array(horizon))
        expected: Floats = found[pair_of]
        return expected

    def _while_alive(self, frequency: float, alpha: Floats, horizon: Floats) -> Floats:
        """Return the mean, over an active customer's chance p to leave, of (1 - (1 + p·horizon/alpha)^-(r + x)) / p."""
        r, _alpha, a, b = self.params
        nodes, weights = beta_rule(a, b + frequency + self.first_chances)
        span = (horizon / alpha)[..., None]
        bought = -np.expm1(-(r + frequency) * np.log1p(nodes[1:] * span)) / nodes[1:]
        expected: Floats = (r + frequency) * span[..., 0] * weights[0] + bought @ weights[1:]
        return expected


def fit_bg_nbd(summary: pd.DataFrame) -> BgNbd:
    """Fit how often customers buy and when they leave unseen, from counts of customers who look alike: BG/NBD.

    A customer may leave after each repeat purchase. Columns in: ``frequency`` (repeat purchases), ``recency`` and
    ``age`` (time from the first purchase to the last and to the end, one unit), ``customers`` (how many), as
    ``purchase_summary`` gives them. The log-likelihood is as printed, without scaling or penalty.

    Raises MeasureError for an absent column, values outside their domain and where there are no customers.
    Source: Fader, Hardie and Lee (2005), Marketing Science 24, 275-284.

    >>> weeks = pd.DataFrame({"frequency": [0, 1, 1, 2, 8], "recency": [0, 4, 30, 20, 32], "age": 35})
    >>> model = fit_bg_nbd(weeks.assign(customers=[60, 15, 10, 10, 5]))
    >>> model.predict(weeks, horizon=10).round(2)
       expected_purchases  probability_alive
    0                0.07               1.00
    1                0.07               0.23
    2                0.17               0.56
    3                0.43               0.82
    4                1.82               0.98
    """
    return _fitted("fit_bg_nbd", summary, first_chances=0)


def fit_mbg_nbd(summary: pd.DataFrame) -> BgNbd:
    """Fit how often customers buy and when they leave unseen, from counts of customers who look alike: MBG/NBD.

    A customer may leave after each purchase, the first included. Columns in and Raises: as for ``fit_bg_nbd``.
    Source: Batislam, Denizel and Filiztekin (2007), International Journal of Research in Marketing 24, 201-209.

    >>> weeks = pd.DataFrame({"frequency": [0, 1, 1, 2, 8], "recency": [0, 4, 30, 20, 32], "age": 35})
    >>> model = fit_mbg_nbd(weeks.assign(customers=[60, 15, 10, 10, 5]))
    >>> model.predict(weeks, horizon=10).round(2)
       expected_purchases  probability_alive
    0                0.06               0.36
    1                0.11               0.32
    2                0.24               0.70
    3                0.33               0.60
    4                1.48               0.88
    """
    return _fitted("fit_mbg_nbd", summary, first_chances=1)


def _fitted(model: str, summary: pd.DataFrame, first_chances: int) -> BgNbd:
    frequency, recency, age = histories(model, summary)
    customers = customers_of(model, summary)
    likelihood = _likelihood(frequency, recency, age, customers, first_chances)
    starts = _starts(dot(frequency, customers), dot(age, customers))
    return BgNbd(fit(likelihood, starts, NAMES, model=model, n=round(customers.sum())), first_chances)


def _starts(purchases: float, time: float) -> list[list[float]]:
    """Return parameters near which to begin, all with about the mean rate of purchases."""
    rate = max(purchases, 0.5) / time if time else 1.0
    return [[0.3, 0.3 / rate, 0.8, 2.5], [1.0, 1.0 / rate, 1.0, 10.0], [3.0, 3.0 / rate, 0.3, 1.0]]


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows of customers who had a chance to leave: the places of their times, and of the last chance, from 0."""

    customers: Floats
    frequency: Floats
    last_chance: Places
    recency: Places
    age: Places


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """The log-likelihood and its gradient as a function of the parameters.

    Logs are taken once a count and once a time: only the odds of having left are left to each row. ``buyers`` and
    ``holders`` count customers with more than 0, 1, 2, … repeat purchases and chances to leave; ``by_age`` and
    ``bought_by_age`` customers and purchases by the time they were watched for.
    """

    times: Floats
    buyers: Floats
    holders: Floats
    by_age: Floats
    bought_by_age: Floats
    blocks: list[_Block]

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = theta
        bought, held = r + np.arange(len(self.buyers)), b + np.arange(len(self.holders))
        log_time, shorter = np.log1p(self.times / alpha), 1 / (alpha + self.times)
        value = (
            dot(self.buyers, np.log(bought / alpha))
            - dot(self.holders, np.log1p(a / held))
            - dot(r * self.by_age + self.bought_by_age, log_time)
        )
        gradient = [
            dot(self.buyers, 1 / bought) - dot(self.by_age, log_time),
            r / alpha * dot(self.by_age, self.times * shorter) - dot(self.bought_by_age, shorter),
            -dot(self.holders, 1 / (a + held)),
            dot(self.holders, a / (held * (a + held))),
        ]
        level, fall = np.log(a / held), 1 / held
        of_rows = sum((_of_block(block, r, a, log_time, shorter, level, fall) for block in self.blocks), np.zeros(5))
        return value + float(of_rows[0]), np.array(gradient) + of_rows[1:]


def _of_block(
    block: _Block, r: float, a: float, log_time: Floats, shorter: Floats, level: Floats, fall: Floats
) -> Floats:
    """Return what the odds of having left add to the log-likelihood and to its gradient."""
    power = r + block.frequency
    silence = log_time[block.age] - log_time[block.recency]
    log_odds = power * silence + level[block.last_chance]
    small = np.exp(-np.abs(log_odds))
    whole = 1 + small
    left = block.customers * np.where(log_odds > 0, 1.0, small) / whole
    return np.array(
        [
            dot(block.customers, np.maximum(log_odds, 0) + np.log(whole)),
            dot(left, silence),
            dot(left * power, shorter[block.age] - shorter[block.recency]),
            left.sum() / a,
            -dot(left, fall[block.last_chance]),
        ]
    )


def _likelihood(frequency: Floats, recency: Floats, age: Floats, customers: Floats, first_chances: int) -> _Likelihood:
    places, times = pd.factorize(np.concatenate([recency, age]), sort=True)
    recency_at, age_at = np.split(places, 2)
    chances = frequency.astype(np.intp) + first_chances
    had = np.flatnonzero(chances)
    return _Likelihood(
        times=times,
        buyers=_above(frequency.astype(np.intp), customers),
        holders=_above(chances, customers),
        by_age=np.bincount(age_at, customers, len(times)).astype(np.float64),
        bought_by_age=np.bincount(age_at, customers * frequency, len(times)).astype(np.float64),
        blocks=[
            _Block(customers[rows], frequency[rows], chances[rows] - 1, recency_at[rows], age_at[rows])
            for rows in np.split(had, range(_BLOCK, len(had), _BLOCK))
        ],
    )


def _above(count: Places, customers: Floats) -> Floats:
    """Return how many customers have more than 0, 1, 2, … of what is counted."""
    exactly = np.bincount(count, customers)
    above: Floats = exactly[:0:-1].cumsum()[::-1]
    return above
