"""Customers and their contracts: a proportional-hazards process given the attributes, entered late where older."""

from __future__ import annotations

import numpy as np

from analysis.pilot import model
from analysis.pilot.model import Array, Columns

_MONTHS = np.arange("2023-10", "2026-11", dtype="datetime64[M]")


def customers(rng: np.random.Generator, first: int, count: int) -> Columns:
    """Draw ``count`` customers numbered from ``first``; ``ended_on`` is NEVER while the contract runs or is none."""
    has_contract = rng.random(count) < model.CONTRACT_SHARE
    start = contract_starts(rng, count)
    campaign = has_contract & (start >= model.CAMPAIGN[0]) & (start <= model.CAMPAIGN[1])
    drawn = {
        name: levels.draw(rng, campaign)
        for name, levels in (
            ("region", model.REGION),
            ("channel", model.CHANNEL),
            ("payment", model.PAYMENT),
            ("term", model.TERM),
            ("tariff", model.TARIFF),
        )
    }
    member = rng.random(count) < np.array(model.MEMBER_SHARES)[drawn["channel"]]
    drawn |= {"number": first + np.arange(count), "has_contract": has_contract, "start": start, "member": member}
    drawn["ended_on"] = np.where(has_contract, _ends(rng, drawn), model.NEVER)
    return drawn | _term(rng, drawn) | _person(rng, drawn)


def contract_starts(rng: np.random.Generator, count: int) -> Array:
    """Draw first days: some older than the data, more and more after, most in the campaign."""
    age = -model.OLDER_MEAN_DAYS * np.log1p(-rng.random(count) * -np.expm1(-model.OLDEST_DAYS / model.OLDER_MEAN_DAYS))
    older = model.DATA_START - 1 - np.floor(age).astype(int)
    firsts = _MONTHS.astype("datetime64[D]").astype(int)
    lasts = np.minimum((_MONTHS + 1).astype("datetime64[D]").astype(int) - 1, model.DATA_END)
    weights = (lasts - firsts + 1) * np.linspace(0.8, 1.1, len(_MONTHS))
    weights[(firsts >= model.CAMPAIGN[0]) & (firsts <= model.CAMPAIGN[1])] *= 1.9
    month = rng.choice(len(_MONTHS), count, p=weights / weights.sum())
    newer = firsts[month] + np.floor(rng.random(count) * (lasts - firsts + 1)[month]).astype(int)
    starts: Array = np.where(rng.random(count) < model.OLDER_SHARE, older, newer)
    return starts


def hazard_ratio(drawn: Columns) -> Array:
    """Return each customer's hazard relative to the base levels."""
    ratio = np.where(drawn["member"], model.MEMBER_RATIO, 1.0)
    for name, levels in (("channel", model.CHANNEL), ("payment", model.PAYMENT), ("term", model.TERM)):
        ratio = ratio * np.array(levels.ratios)[drawn[name]]
    return ratio


def _ends(rng: np.random.Generator, drawn: Columns) -> Array:
    """Draw the last day in force, given that the contract is in force when it enters the data."""
    entry = np.maximum(model.DATA_START - drawn["start"], 0)
    target = _cumulative(entry) + rng.exponential(size=len(entry)) / hazard_ratio(drawn)
    duration = np.ceil(_time_at(target)).astype(int)
    ended_on = drawn["start"] + np.maximum(duration, entry + 1) - 1
    known: Array = np.where(ended_on <= model.DATA_END, ended_on, model.NEVER)
    return known


_CUTS = np.array((0, *model.HAZARD_CUTS), dtype=float)
_RATES = np.array(model.HAZARD_RATES) / 365.25
_AT_CUTS = np.concatenate([[0.0], np.cumsum(np.diff(_CUTS) * _RATES[:-1])])


def _cumulative(days: Array) -> Array:
    interval = np.searchsorted(_CUTS, days, side="right") - 1
    cumulative: Array = _AT_CUTS[interval] + (days - _CUTS[interval]) * _RATES[interval]
    return cumulative


def _time_at(cumulative: Array) -> Array:
    interval = np.searchsorted(_AT_CUTS, cumulative, side="right") - 1
    days: Array = _CUTS[interval] + (cumulative - _AT_CUTS[interval]) / _RATES[interval]
    return days


def add_months(days: Array, months: Array) -> Array:
    """Return the same day of the month ``months`` later, or that month's last day."""
    month = days.astype("datetime64[D]").astype("datetime64[M]")
    day_of_month = days - month.astype("datetime64[D]").astype(int)
    later = month + months
    length = ((later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")).astype(int)
    moved: Array = later.astype("datetime64[D]").astype(int) + np.minimum(day_of_month, length - 1)
    return moved


def _term(rng: np.random.Generator, drawn: Columns) -> Columns:
    """Return the current term's last day, whether it renews itself, and the reason for leaving."""
    months = np.array(model.TERM_MONTHS)[drawn["term"]]
    known = np.minimum(drawn["ended_on"], model.DATA_END)
    terms = np.maximum((known - drawn["start"]) // (31 * months), 1)
    term_end = add_months(drawn["start"], months * terms) - 1
    while (short := term_end < known).any():
        terms = terms + short
        term_end = add_months(drawn["start"], months * terms) - 1
    count = len(months)
    return {
        "term_end": term_end,
        "renews": (rng.random(count) >= 0.08) | (terms > 1),
        "reason": rng.choice(len(model.REASONS), count, p=model.REASON_SHARES),
    }


def _person(rng: np.random.Generator, drawn: Columns) -> Columns:
    """Draw what belongs to the person and influences nothing."""
    count = len(drawn["number"])
    cost = rng.gamma(4.0, np.array(model.ACQUISITION)[drawn["channel"]] / 4.0)
    youngest, oldest = model.day("2004-12-31"), model.day("1943-01-01")
    return {
        "first_name": rng.integers(0, 1 << 30, count),
        "last_name": rng.integers(0, 1 << 30, count),
        "town": rng.integers(0, 1 << 30, count),
        "phone": rng.integers(0, 1000, count),
        "birth": rng.integers(oldest, youngest, count),
        "cost": np.round(cost, 2),
        "permission": rng.random(count) < 0.61,
        "lasting": rng.standard_normal((count, len(model.RATINGS) + 1)),
    }
