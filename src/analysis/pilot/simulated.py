"""Truths without a formula: taken from millions of simulated customers, by the code that makes the pilot's data.

``python -m analysis.pilot`` simulates them anew and writes ``simulated.json``, which ``truth.json`` takes them from.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any, TypeAlias

import numpy as np

from analysis.pilot import model
from analysis.pilot.model import Array
from analysis.pilot.simulate import Block, blocks

Truths: TypeAlias = dict[str, Any]

CUSTOMERS, SEED = 2_000_000, 20_260_930
"""The simulation the stored truths come from; its seed is that of no pilot company made for a test."""

_AS_OF = model.day(model.AS_OF)
_CONCENTRATION = {"last_quarter": model.day("2026-07-01"), "last_year": model.day("2025-10-01")}
_QUARTER_STARTS = [model.day(f"{quarter[:4]}-{3 * int(quarter[-1]) - 2:02d}-01") for quarter in model.QUARTERS]
_QUARTER_ENDS = [*_QUARTER_STARTS[1:], _AS_OF]


class Totals:
    """Sums over blocks, from which every simulated truth is computed."""

    def __init__(self) -> None:
        regions, waves, terms = len(model.REGION.names), len(model.QUARTERS), len(model.RATINGS) + 2
        self.scores = np.zeros((waves, regions, 2, 11))
        self.moments = np.zeros((waves, terms, terms))
        self.ends = np.zeros((waves, 2, 2))
        self.baskets = np.zeros(4)
        self.amounts: dict[str, list[Array]] = {name: [] for name in _CONCENTRATION}

    def add(self, block: Block) -> None:
        """Add one block."""
        self._add_answers(block)
        self._add_contracts(block)
        self._add_orders(block)

    def _add_answers(self, block: Block) -> None:
        given = block.survey["score"] > 0
        customer, wave, score, ratings = (
            block.survey[name][given] for name in ("customer", "wave", "score", "ratings")
        )
        region, member = block.customers["region"][customer], block.customers["member"][customer].astype(int)
        np.add.at(self.scores, (wave, region, member, score), 1)
        for number in range(len(model.QUARTERS)):
            complete = (wave == number) & (ratings > 0).all(axis=1)
            terms = np.column_stack([np.ones(complete.sum()), ratings[complete], score[complete]])
            self.moments[number] += terms.T @ terms

    def _add_contracts(self, block: Block) -> None:
        held = block.customers["has_contract"]
        start, ended, member = (block.customers[name][held] for name in ("start", "ended_on", "member"))
        for number, first in enumerate(_QUARTER_STARTS):
            after = _QUARTER_ENDS[number]
            days = np.clip(np.minimum(ended + 1, after) - np.maximum(start, first), 0, None)
            left = (ended >= first) & (ended < after)
            for group in (0, 1):
                self.ends[number, group] += left[member == group].sum(), days[member == group].sum() / 365.25

    def _add_orders(self, block: Block) -> None:
        lines = block.lines
        for name, first in _CONCENTRATION.items():
            inside = (lines["day"] >= first) & (lines["day"] < _AS_OF)
            cents = np.rint(100 * lines["revenue"][inside])
            customers, position = np.unique(lines["customer"][inside], return_inverse=True)
            self.amounts[name].append(np.bincount(position, cents, minlength=len(customers)) / 100)
        sold = lines["revenue"] >= 0
        first_in, second_in = (
            np.unique(lines["order"][sold & (lines["product"] == product)]) for product in model.PAIR
        )
        both = np.isin(first_in, second_in).sum()
        self.baskets += (len(np.unique(lines["order"])), len(first_in), len(second_in), both)


def simulate(customers: int, seed: int) -> Truths:
    """Return the truths that ``customers`` simulated customers give."""
    totals = Totals()
    for block in blocks(customers, seed):
        totals.add(block)
    last = len(model.QUARTERS) - 1
    members = totals.ends.sum(axis=0)
    orders, first, second, both = totals.baskets
    return {
        "simulated_customers": customers,
        "answers": {quarter: int(totals.scores[k].sum()) for k, quarter in enumerate(model.QUARTERS)},
        "nps_by_quarter": {quarter: _nps(totals.scores[k].sum((0, 1))) for k, quarter in enumerate(model.QUARTERS)},
        "nps_by_region_by_quarter": {
            quarter: {region: _nps(totals.scores[k, r].sum(0)) for r, region in enumerate(model.REGION.names)}
            for k, quarter in enumerate(model.QUARTERS)
        },
        "drivers": {
            model.LAST_QUARTER: _drivers(totals.moments[last]),
            "all_quarters": _drivers(totals.moments.sum(axis=0)),
        },
        "churn_rate_by_quarter": {
            quarter: _rounded(totals.ends[k, :, 0].sum() / totals.ends[k, :, 1].sum())
            for k, quarter in enumerate(model.QUARTERS)
        },
        "concentration": {name: _concentration(np.concatenate(parts)) for name, parts in totals.amounts.items()},
        "community": {
            "crude_rate_ratio": _rounded(members[1, 0] / members[1, 1] / (members[0, 0] / members[0, 1])),
            "nps_members": _nps(totals.scores[last].sum(0)[1]),
            "nps_others": _nps(totals.scores[last].sum(0)[0]),
        },
        "pair_lift": _rounded(both * orders / (first * second)),
        "pair_support": _rounded(both / orders),
    }


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _nps(counts: Array) -> float:
    """Return promoters less detractors in points, from counts of the scores 0 to 10."""
    return _rounded(100 * (counts[9:].sum() - counts[:7].sum()) / counts.sum())


def _drivers(moments: Array) -> Truths:
    """Return coefficients, R² and LMG shares of the score's linear regression on the ratings."""
    mean = moments[0] / moments[0, 0]
    covariance = (moments / moments[0, 0] - np.outer(mean, mean))[1:, 1:]
    coefficients = np.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])
    shares = lmg(covariance)
    return {
        "r2": _rounded(shares.sum()),
        "coefficients": dict(zip(model.RATINGS, map(_rounded, coefficients), strict=True)),
        "lmg_share_of_r2": dict(zip(model.RATINGS, map(_rounded, shares / shares.sum()), strict=True)),
    }


def lmg(covariance: Array) -> Array:
    """Return the Shapley value of R² of each but the last variable, which is the outcome (Lindeman, Merenda, Gold).

    >>> lmg(np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.3], [0.6, 0.3, 1.0]])).round(2).tolist()
    [0.36, 0.09]
    """
    many = len(covariance) - 1
    shares = np.zeros(many)
    for k in range(many):
        others = [j for j in range(many) if j != k]
        for size in range(many):
            for chosen in combinations(others, size):
                gain = _r2(covariance, (*chosen, k)) - _r2(covariance, chosen)
                shares[k] += gain / (many * comb(many - 1, size))
    return shares


def _r2(covariance: Array, chosen: tuple[int, ...]) -> float:
    if not chosen:
        return 0.0
    with_outcome = covariance[list(chosen), -1]
    within = covariance[np.ix_(chosen, chosen)]
    return float(with_outcome @ np.linalg.solve(within, with_outcome) / covariance[-1, -1])


def _concentration(amounts: Array) -> Truths:
    """Return class A's share of the customers with lines in the period, and Gini of the positive amounts."""
    ordered = np.sort(amounts)[::-1]
    positive = ordered[ordered > 0]
    before = np.cumsum(positive) - positive
    rising = positive[::-1]
    count = len(rising)
    gini = 2 * (np.arange(1, count + 1) @ rising) / (count * rising.sum()) - (count + 1) / count
    return {
        "share_of_customers_in_a": _rounded((before < 0.8 * positive.sum()).sum() / len(amounts)),
        "gini": _rounded(gini),
    }
