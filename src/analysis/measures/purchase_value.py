"""The value of customers who buy when they like: purchases to come times spend to come, with predictive intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.measures.future_purchases import Future, PurchaseModel, future_purchases
from analysis.measures.future_spend import SpendMoments, evaluated, spend_moments
from analysis.measures.gamma_gamma import GammaGamma
from analysis.measures.inference import Floats
from analysis.measures.net_value import Timing

Places: TypeAlias = NDArray[np.intp]

_RFM = ["frequency", "recency", "age"]


@dataclass(frozen=True, eq=False)
class PurchaseValues:
    """By customer and, as sums, by group. ``variance`` is that of a customer given the parameters, mean over draws."""

    purchases: Floats
    alive: Floats
    value: Floats
    low: Floats
    high: Floats
    variance: Floats
    sums: Floats
    """By draw and group, the sum of what is expected of its customers."""
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Row:
    """Customers who look alike but for spend, counted. ``spent`` sums up their mean spends, ``service`` theirs."""

    rows: pd.DataFrame
    of_customer: Places
    group: Places
    counts: Floats
    customers: Floats
    spent: Floats
    service: Floats


def purchase_values(
    customers: pd.DataFrame,
    purchase_model: PurchaseModel,
    spend_model: GammaGamma | None,
    observed_spend: pd.DataFrame,
    *,
    ratios: Floats,
    worth: Floats,
    timing: Timing,
    draws: int,
    seed: int,
    confidence: float,
) -> PurchaseValues:
    """Return what customers will bring within the months of ``worth``, in money of today.

    Columns in: frequency, recency, age (weeks), mean_spend (missing or not above 0 where not known), service (money a
    month, charged at its expectation), group (place among ``ratios``, the margin ratios).

    A customer's interval is that of a point mass at nothing bought and, above it, a gamma with the mean and variance
    that model and draws give. Where it begins at nothing bought, all that it leaves out lies above it.
    """
    alike = _alike(customers)
    future = future_purchases(purchase_model, alike.rows, worth=worth, timing=timing)
    spends = np.full((draws, 3), np.nan) if spend_model is None else spend_model.fit.draws(draws, seed + 1)
    spend = spend_moments(spend_model, np.unique(alike.counts), spends, observed_spend)
    sums, moments = _drawn(future, purchase_model.fit.draws(draws, seed), alike, spend, ratios)
    at_best = future(purchase_model.params.to_numpy())
    return _told(customers, alike, at_best, moments, spend, ratios, sums, confidence)


def _alike(customers: pd.DataFrame) -> _Row:
    """Count customers by group, frequency, recency, age and whether their spend is known."""
    group = customers["group"].to_numpy(np.intp)
    spend = np.nan_to_num(customers["mean_spend"].to_numpy(np.float64), nan=0.0)
    known = spend > 0
    key = np.zeros(len(group), dtype=np.int64)
    for column in (customers["frequency"], customers["recency"], customers["age"], group, known):
        place, values = pd.factorize(np.asarray(column))
        key = key * len(values) + place
    _keys, first, of_customer = np.unique(key, return_index=True, return_inverse=True)
    size = len(first)
    rows = customers[_RFM].iloc[first].reset_index(drop=True)
    return _Row(
        rows=rows,
        of_customer=of_customer,
        group=group[first],
        counts=np.where(known[first], rows["frequency"].to_numpy(np.float64), 0.0),
        customers=np.bincount(of_customer, minlength=size).astype(np.float64),
        spent=_summed(of_customer, np.where(known, spend, 0.0), size),
        service=_summed(of_customer, customers["service"].to_numpy(np.float64), size),
    )


def _summed(place: Places, values: Floats, size: int) -> Floats:
    return np.bincount(place, values, size).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class _Moments:
    """By row, means over draws: of expected worth and its square, of squares, pairs, months and the chance to buy."""

    worth: Floats
    worth_square: Floats
    squares: Floats
    pairs: Floats
    months: Floats
    bought: Floats


def _drawn(
    future: Callable[[Floats], Future], thetas: Floats, alike: _Row, spend: SpendMoments, ratios: Floats
) -> tuple[Floats, _Moments]:
    """Return the sums by draw and group, and the means over draws by row."""
    totals = np.zeros((6, len(alike.rows)))
    sums = np.empty((len(thetas), len(ratios)))
    place = spend.places(alike.counts)
    for number, theta in enumerate(thetas):
        told = future(theta)
        for total, each in zip(
            totals, (told.worth, told.worth**2, told.squares, told.pairs, told.months, told.bought), strict=True
        ):
            total += each
        level = spend.levels[number][place]
        money = told.worth * (level[:, 0] * alike.customers + level[:, 1] * alike.spent) * ratios[alike.group]
        sums[number] = _summed(alike.group, money - told.months * alike.service, len(ratios))
    return sums, _Moments(*(totals / len(thetas)))


def _told(
    customers: pd.DataFrame,
    alike: _Row,
    at_best: Future,
    moments: _Moments,
    spend: SpendMoments,
    ratios: Floats,
    sums: Floats,
    confidence: float,
) -> PurchaseValues:
    of = alike.of_customer
    place = spend.places(alike.counts)[of]
    z = np.nan_to_num(customers["mean_spend"].to_numpy(np.float64), nan=0.0)
    ratio = ratios[alike.group][of]
    service = customers["service"].to_numpy(np.float64)
    mean = moments.worth[of] * evaluated(spend.mean[place], z)
    square = moments.squares[of] * evaluated(spend.purchase_square[place], z)
    square += moments.pairs[of] * evaluated(spend.square[place], z)
    of_means = moments.worth_square[of] * evaluated(spend.mean_square[place], z)
    low, high = _interval(1 - moments.bought[of], mean, square, confidence)
    charge = service * moments.months[of]
    ends = np.sort([ratio * low, ratio * high], axis=0) - charge
    value = ratio * at_best.worth[of] * evaluated(spend.level[place], z) - service * at_best.months[of]
    return PurchaseValues(
        purchases=at_best.purchases[of],
        alive=at_best.alive[of],
        value=value,
        low=ends[0],
        high=ends[1],
        variance=ratio**2 * (square - of_means).clip(0),
        sums=sums,
        notes=spend.notes,
    )


def _interval(nothing: Floats, mean: Floats, square: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Return the ends of a point mass at 0 and a gamma above it, together with this mean and mean square."""
    outside = 1 - confidence
    begins_at_nothing = (nothing >= outside / 2) | (mean == 0)
    below = np.where(begins_at_nothing, 0.0, outside / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        something = 1 - nothing
        own_mean, own_square = mean / something, square / something
        shape = own_mean**2 / (own_square - own_mean**2)
        at = [(tail - nothing) / something for tail in (below, 1 - outside + below)]
        low, high = (special.gammaincinv(shape, tail.clip(0)) * own_mean / shape for tail in at)
    return np.where(begins_at_nothing, 0.0, low), np.where((nothing >= 1 - outside) | (mean == 0), 0.0, high)
