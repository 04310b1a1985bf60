"""Support cases, events of the community's forum, contacts: Poisson processes while the customer is one."""

from __future__ import annotations

import numpy as np

from analysis.pilot import model
from analysis.pilot.model import Array, Columns

_DAY, _HOUR = 86_400, 3_600
_LAST_SECOND = (model.DATA_END + 1) * _DAY - 1
UNKNOWN = model.NEVER * _DAY
"""The second of what has not happened by the end of the data."""


def _moments(rng: np.random.Generator, customers: Columns, per_year: Array) -> tuple[Array, Array]:
    """Draw (customer, second of the local clock, by day between 7 and 21 h) at a rate while the customer is one."""
    begin = np.maximum(customers["since"], model.DATA_START)
    end = np.where(customers["has_contract"], np.minimum(customers["ended_on"], model.DATA_END), model.DATA_END)
    length = np.maximum(end - begin + 1, 0)
    customer = np.repeat(np.arange(len(begin)), rng.poisson(per_year * length / 365.25))
    days = begin[customer] + np.floor(rng.random(len(customer)) * length[customer]).astype(int)
    seconds = days * _DAY + rng.integers(7 * _HOUR, 21 * _HOUR, len(customer))
    order = np.lexsort((customer, seconds))
    return customer[order], seconds[order]


def _pick(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> Array:
    return rng.choice(len(shares), count, p=shares)


def cases(rng: np.random.Generator, customers: Columns) -> Columns:
    """Return a row a case; steps not yet taken at the end of the data are UNKNOWN, a rating not given is 0."""
    per_year = np.where(customers["has_contract"], model.CASE_RATES[1], model.CASE_RATES[0])
    customer, opened = _moments(rng, customers, per_year * np.where(customers["member"], model.CASE_MEMBER_RATIO, 1.0))
    count = len(customer)
    priority = _pick(rng, model.CASE_PRIORITY_SHARES, count)
    reply_hours = np.array(model.REPLY_HOURS)[priority] * rng.lognormal(0.0, 0.9, count)
    solve_hours = reply_hours + rng.lognormal(np.log(26.0), 1.0, count)
    reopened = rng.random(count) < 0.07
    first_reply = _known(opened + reply_hours * _HOUR)
    resolved = _known(np.maximum(opened + (1 + reopened) * solve_hours * _HOUR, first_reply + 900))
    in_time = first_reply - opened <= np.array(model.SLA_HOURS)[priority] * _HOUR
    liking = 3.9 + 0.5 * in_time - 0.8 * reopened - 0.35 * np.log2(1 + solve_hours / 48)
    rated = np.clip(np.rint(liking + 0.9 * rng.standard_normal(count)), 1, 5).astype(int)
    return {
        "customer": customer,
        "opened": opened,
        "first_reply": first_reply,
        "resolved": resolved,
        "closed": _known(resolved + 72.0 * _HOUR),
        "kind": _pick(rng, model.CASE_KIND_SHARES, count),
        "topic": _pick(rng, model.CASE_TOPIC_SHARES, count),
        "channel": _pick(rng, model.CASE_CHANNEL_SHARES, count),
        "priority": priority,
        "reopened": reopened & (resolved < UNKNOWN),
        "in_time": in_time,
        "csat": np.where((rng.random(count) < model.CASE_CSAT_SHARE) & (resolved < UNKNOWN), rated, 0),
    }


def _known(seconds: Array) -> Array:
    """Return whole seconds of the local clock, between 6 and 22 h, where they lie before the end of the data."""
    whole = seconds.astype(int)
    at_night = (whole % _DAY < 6 * _HOUR) | (whole % _DAY > 22 * _HOUR)
    by_day = np.where(at_night, whole + 9 * _HOUR, whole)
    return np.where(by_day <= _LAST_SECOND, by_day, UNKNOWN)


def forum(rng: np.random.Generator, customers: Columns) -> Columns:
    """Return a row an event of a member; ``known`` says whether the forum holds the customer's number."""
    customer, seconds = _moments(rng, customers, np.where(customers["member"], model.FORUM_RATE, 0.0))
    count = len(customer)
    return {
        "customer": customer,
        "seconds": seconds,
        "kind": _pick(rng, model.FORUM_KIND_SHARES, count),
        "thread": np.floor(400 * rng.random(count) ** 2).astype(int),
        "known": customer % 20 > 0,
    }


def contacts(rng: np.random.Generator, customers: Columns) -> Columns:
    """Return a row a contact."""
    customer, seconds = _moments(rng, customers, np.full(len(customers["since"]), model.CONTACT_RATE))
    count = len(customer)
    return {
        "customer": customer,
        "seconds": seconds,
        "incoming": rng.random(count) < 0.45,
        "channel": _pick(rng, model.CONTACT_CHANNEL_SHARES, count),
        "purpose": _pick(rng, model.CONTACT_PURPOSE_SHARES, count),
    }
