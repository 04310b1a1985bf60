"""What customers who leave unseen will buy in the months ahead: mean, spread and chance of nothing, without simulation.

While a customer is active at a rate λ, money of a purchase at time u is worth w(u) today, a step a month. With S(u) for
being still active at u, the worth of the purchases has mean ∫ w λ S, its squares add up to ∫ w² λ S, and the products
of two different purchases to ∫ 2 w(u) W(u) λ² S du, W the integral of w; after a purchase that may end all of it, times
1 - p. So three functions of time are all that is needed of a model. They are taken at a few times, by number of
purchases and at a few ages, and interpolated: parameters can be drawn anew a hundred times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy import special

from analysis.measures.bg_nbd import BgNbd
from analysis.measures.inference import Floats
from analysis.measures.nbd import Nbd
from analysis.measures.net_value import Timing
from analysis.measures.pareto_bracket import bracket, timeline
from analysis.measures.pareto_nbd import ParetoNbd

PurchaseModel: TypeAlias = BgNbd | ParetoNbd | Nbd
Places: TypeAlias = NDArray[np.intp]

WEEK, MONTH = 7, 365.25 / 12
"""Days."""
_TIMES, _PARTS, _AGES, _CHANCES, _WAITS = 10, 6, 24, 24, 12
"""Nodes in time, in a month, in age, over a customer's chance to leave, over the wait for the next purchase."""


@dataclass(frozen=True, eq=False)
class Future:
    """By row, what to expect of a customer. All but ``alive`` count who has left as buying nothing."""

    alive: Floats
    """Probability to be still active."""
    purchases: Floats
    worth: Floats
    """Purchases, each as much as a unit of its money is worth today."""
    squares: Floats
    """Sum over purchases of the square of that,"""
    pairs: Floats
    """and over ordered pairs of different purchases of the product."""
    months: Floats
    """Months of the horizon at whose booking the customer is active, each as much as its money is worth today."""
    bought: Floats
    """Probability of any purchase."""


@dataclass(frozen=True, eq=False)
class Sampling:
    """Times ahead by age, and the weights that make integrals of what is known there."""

    age: Floats
    times: Floats
    weights: Floats
    """By age, kind of integral (purchases, worth, squares, pairs, months) and time."""
    end: float


Ahead: TypeAlias = Callable[[Floats, Floats, Sampling], tuple[Floats, Floats, Floats, Floats]]
"""From parameters, numbers of purchases and a sampling to the functions of an active customer, by purchases, age and
time: S, λS and λ²S (times 1 - p), and by purchases and age the probability to buy."""


def future_purchases(
    model: PurchaseModel, rows: pd.DataFrame, *, worth: Floats, timing: Timing = "end", unit_days: int = WEEK
) -> Callable[[Floats], Future]:
    """Return a function from parameters of the model to what each row of frequency, recency and age will buy.

    ``worth``: what a unit of money of each month ahead is worth today; ``timing`` says when who is there is counted.

    >>> from analysis.measures.bg_nbd import fit_bg_nbd
    >>> weeks = pd.DataFrame({"frequency": [0, 1, 2, 6], "recency": [0, 9, 20, 30], "age": [35, 38, 36, 33]})
    >>> model = fit_bg_nbd(weeks.assign(customers=[60, 25, 10, 5]))
    >>> found = future_purchases(model, weeks, worth=np.ones(12))(model.params.to_numpy())
    >>> found.purchases.round(3).tolist(), found.bought.round(3).tolist()
    ([0.343, 0.335, 1.68, 6.372], [0.254, 0.163, 0.595, 0.942])
    >>> model.predict(weeks, horizon=12 * MONTH / 7)["expected_purchases"].round(3).tolist()
    [0.343, 0.335, 1.68, 6.372]
    """
    frequency, recency, age = (rows[name].to_numpy(np.float64) for name in ("frequency", "recency", "age"))
    times_bought, counts = pd.factorize(frequency, sort=True)
    of_age, ages = pd.factorize(age, sort=True)
    scale = float(model.params["alpha"])
    nodes, onto = _ages(ages, scale)
    sampling = _sampling(nodes, scale, worth, timing, MONTH / unit_days)
    ahead, alive = _of_model(model, frequency, recency, age)
    place = times_bought * len(ages) + of_age

    def of(theta: Floats) -> Future:
        stays, rate, squared, bought = ahead(theta, counts, sampling)
        sums = [_summed(rate, sampling, kind) for kind in range(3)]
        sums += [_summed(squared, sampling, 3), _summed(stays, sampling, 4), bought]
        # einsum, as BLAS would wake threads a hundred times for so little
        tables = np.einsum("kcn,an->kca", np.stack(sums), onto).reshape(len(sums), -1)
        active = alive(theta)
        return Future(active, *(active * table[place] for table in tables))

    return of


def _summed(function: Floats, sampling: Sampling, kind: int) -> Floats:
    summed: Floats = np.einsum("cam,am->ca", function, sampling.weights[:, kind])
    return summed


def _ages(ages: Floats, scale: float) -> tuple[Floats, Floats]:
    """Return at most so many ages, and the matrix that interpolates from them to all."""
    if len(ages) <= _AGES:
        return ages, np.eye(len(ages))
    low, high = np.log(scale + ages[[0, -1]])
    nodes, basis = _basis(_AGES)
    at = 2 * (np.log(scale + ages) - low) / (high - low) - 1
    return np.exp(low + (high - low) * (nodes + 1) / 2) - scale, legendre.legvander(at, _AGES - 1) @ basis


def _basis(size: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes, and the matrix from values there to the coefficients of their polynomial."""
    nodes, weights = legendre.leggauss(size)
    degree = np.arange(size)[:, None]
    return nodes, (degree + 0.5) * weights * legendre.legvander(nodes, size - 1).T


def _sampling(age: Floats, scale: float, worth: Floats, timing: Timing, month: float) -> Sampling:
    """Place times evenly on the log of the time since long before, on which the functions are smooth.

    The polynomial through what is known there is integrated month by month, since ``worth`` steps between months.
    """
    since = (scale + age)[:, None]
    edges = np.log1p(np.arange(len(worth) + 1) * month / since)
    nodes, basis = _basis(_TIMES)
    far = edges[:, -1:]

    def through(log_time: Floats) -> Floats:
        """Return by age and time the matrix from values at the nodes."""
        at: Floats = legendre.legvander(2 * log_time / far - 1, _TIMES - 1) @ basis
        return at

    inner, gauss = (part / 2 for part in legendre.leggauss(_PARTS))
    width = np.diff(edges)[:, :, None]
    fine = (edges[:, :-1, None] + width * (inner + 0.5)).reshape(len(age), -1)
    time = since * np.expm1(fine)
    step = (width * gauss).reshape(fine.shape) * (since + time)
    each = np.repeat(worth, _PARTS)
    begun = np.repeat(np.arange(len(worth)) * month, _PARTS)
    until = np.repeat(np.concatenate([[0.0], np.cumsum(worth)[:-1]]) * month, _PARTS) + each * (time - begun)
    kinds = np.stack([step, step * each, step * each**2, 2 * step * each * until], axis=1)
    integrals = np.einsum("akf,afm->akm", kinds, through(fine))
    booked = edges[:, 1:] if timing == "end" else edges[:, :-1]
    months = np.einsum("k,akm->am", worth, through(booked))
    weights = np.concatenate([integrals, months[:, None]], axis=1)
    return Sampling(age, since * np.expm1(far * (nodes + 1) / 2), weights, len(worth) * month)


def _of_model(
    model: PurchaseModel, frequency: Floats, recency: Floats, age: Floats
) -> tuple[Ahead, Callable[[Floats], Floats]]:
    """Return the functions of an active customer, and by row the probability to be one."""
    if isinstance(model, ParetoNbd):
        line = timeline(frequency, recency, age)

        def alive(theta: Floats) -> Floats:
            found = bracket(theta, line)
            return found.alive / found.whole

        return _ahead_of_pareto, alive
    if isinstance(model, Nbd):
        return _ahead_of_nbd, lambda _theta: np.ones(len(frequency))
    return _ahead_of_bg(model.first_chances), _alive_of_bg(frequency, recency, age, model.first_chances)


def _ahead_of_pareto(theta: Floats, counts: Floats, sampling: Sampling) -> tuple[Floats, Floats, Floats, Floats]:
    """Of an active customer λ is gamma (r + x, alpha + T) and the rate to leave, independent of it, (s, beta + T)."""
    r, alpha, s, beta = theta
    shape, since = (r + counts)[:, None], alpha + sampling.age
    stays = np.exp(-s * np.log1p(sampling.times / (beta + sampling.age)[:, None]))
    rate = (shape / since)[:, :, None] * stays
    squared = rate * ((shape + 1) / since)[:, :, None]
    nodes, gauss = (part / 2 for part in legendre.leggauss(_WAITS))
    # over the share of first purchases that have come by then, were nobody to leave
    come = -np.expm1(-shape * np.log1p(sampling.end / since))[:, :, None]
    wait = since[:, None] * np.expm1(-np.log1p(-come * (nodes + 0.5)) / shape[:, :, None])
    still = np.exp(-s * np.log1p(wait / (beta + sampling.age)[:, None]))
    bought = come[:, :, 0] * (still @ gauss)
    return np.broadcast_to(stays, rate.shape), rate, squared, bought


def _ahead_of_nbd(theta: Floats, counts: Floats, sampling: Sampling) -> tuple[Floats, Floats, Floats, Floats]:
    """λ is gamma (r + x, alpha + T), and nobody leaves."""
    r, alpha = theta
    shape, since = (r + counts)[:, None], alpha + sampling.age
    stays = np.ones((*(shape / since).shape, sampling.times.shape[1]))
    rate = (shape / since)[:, :, None] * stays
    squared = rate * ((shape + 1) / since)[:, :, None]
    return stays, rate, squared, -np.expm1(-shape * np.log1p(sampling.end / since))


def _ahead_of_bg(first_chances: int) -> Ahead:
    def ahead(theta: Floats, counts: Floats, sampling: Sampling) -> tuple[Floats, Floats, Floats, Floats]:
        """Of an active customer λ is gamma (r + x, alpha + T) and p, independent of it, beta (a, b + chances)."""
        r, alpha, a, b = theta
        shape, since = (r + counts)[:, None], alpha + sampling.age
        chance, weights = _beta_nodes(a, b + counts + first_chances)
        fewer = 1 / (1 + np.einsum("am,cp->camp", sampling.times / since[:, None], chance))
        left = np.exp(shape[:, :, None, None] * np.log(fewer))
        stays = np.einsum("camp,cp->cam", left, weights)
        left *= fewer
        rate = (shape / since)[:, :, None] * np.einsum("camp,cp->cam", left, weights)
        left *= fewer
        squared = np.einsum("camp,cp->cam", left, weights * (1 - chance))
        squared *= (shape * (shape + 1) / since**2)[:, :, None]
        return stays, rate, squared, -np.expm1(-shape * np.log1p(sampling.end / since))

    return ahead


def _alive_of_bg(frequency: Floats, recency: Floats, age: Floats, first_chances: int) -> Callable[[Floats], Floats]:
    place, times = pd.factorize(np.concatenate([recency, age]), sort=True)
    of_recency, of_age = np.split(place, 2)
    chances = frequency + first_chances
    could = chances > 0

    def alive(theta: Floats) -> Floats:
        r, alpha, a, b = theta
        log_time = np.log1p(times / alpha)
        level = np.log(a / np.where(could, b + chances - 1, 1.0))
        log_odds = level + (r + frequency) * (log_time[of_age] - log_time[of_recency])
        return np.where(could, special.expit(-log_odds), 1.0)

    return alive


def _beta_nodes(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Return Gauss-Jacobi nodes and weights over Beta(a, b), a row for each b (Golub and Welsch 1969)."""
    n = np.arange(_CHANCES)[:, None]
    both = 2 * n + a + b - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (a - b) * (a + b - 2) / (both * (both + 2))
        side = 4 * n * (n + b - 1) * (n + a - 1) * (n + a + b - 2) / (both**2 * (both + 1) * (both - 1))
    middle[0] = (a - b) / (a + b)
    side[1] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))
    matrix = np.zeros((len(b), _CHANCES, _CHANCES))
    matrix[:, n[:, 0], n[:, 0]] = middle.T
    matrix[:, n[1:, 0], n[:-1, 0]] = np.sqrt(side[1:]).T
    roots, vectors = np.linalg.eigh(matrix)
    return ((1 + roots) / 2).clip(0, 1), vectors[:, 0] ** 2
