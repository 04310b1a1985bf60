"""The value of customers under contract: their money a month as long as they stay, by how long they have been there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.future_purchases import MONTH
from analysis.measures.inference import Floats
from analysis.measures.net_value import Timing, there_when_booked
from analysis.measures.spells import is_event, is_sound, refuse_faulty

Places: TypeAlias = NDArray[np.intp]

_LEAST_EVENTS = 10
"""Months of tenure are taken together until so many customers left in them: fewer tell no rate of their own."""
_NO_EVENT = 0.5
"""Events that stand in for none at all (Jeffreys' prior): nobody has left yet, but nobody stays forever."""


@dataclass(frozen=True, eq=False)
class TenureHazards:
    """Rates of leaving, constant within months of tenure; the last of them goes on beyond what has been seen.

    ``rates``: month_from, month_to (the last has no end, but nobody was seen beyond it), events, exposure (months),
    rate (a month).
    """

    rates: pd.DataFrame
    notes: tuple[str, ...]

    def survival(self, tenure_days: ArrayLike, months: int) -> Floats:
        """Return S(t + k) / S(t), a row for each tenure t in days, for the months k = 1 … ``months`` ahead."""
        return self._ahead(np.asarray(tenure_days, dtype=np.float64), months, self.rates["rate"].to_numpy(np.float64))

    def drawn(self, tenure_days: Floats, months: int, *, size: int, seed: int) -> Iterator[Floats]:
        """Yield such survival for ``size`` draws of the rates, each gamma with its events and exposure."""
        events = np.maximum(self.rates["events"].to_numpy(np.float64), _NO_EVENT)
        rng = np.random.default_rng(seed)
        rates = rng.gamma(events, 1 / self.rates["exposure"].to_numpy(np.float64), (size, len(events)))
        for each in rates:
            yield self._ahead(tenure_days, months, each)

    def _ahead(self, tenure_days: Floats, months: int, rates: Floats) -> Floats:
        begins = self.rates["month_from"].to_numpy(np.float64)
        reached = np.concatenate([[0.0], np.cumsum(np.diff(begins) * rates[:-1])])
        month = tenure_days[:, None] / MONTH + np.arange(months + 1)
        summed = np.interp(month, begins, reached) + rates[-1] * (month - begins[-1]).clip(0)
        shares: Floats = np.exp(summed[:, :1] - summed[:, 1:])
        return shares


def tenure_hazards(spells: Rows) -> TenureHazards:
    """Estimate the rate of leaving by month of tenure, late entry honoured: events by time watched.

    Columns in: ``entry, exit`` (days since the customer began), ``event`` (0 or 1), as ``spells`` gives them. Months
    run on from the first day, 30.4375 days each; they are taken together until 10 customers left in them.

    Raises MeasureError where a column is absent, values lie outside their domain and nobody was watched at all.
    Source: events over exposure as in Klein and Moeschberger, Survival Analysis (2003), chapter 3.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [61, 61, 91, 122], "event": [1, 0, 1, 0]})
    >>> tenure_hazards(ledger).rates.round(3)
       month_from  month_to  events  exposure   rate
    0           0         5       2    11.006  0.182
    """
    table = as_table(spells)
    require("tenure_hazards", table, ("entry", "exit", "event"))
    days = _reduce_tenure(table).execute().sort_values("day")
    refuse_faulty("tenure_hazards", int(days["faulty"].sum()), int(days[["entered", "faulty"]].sum().sum()))
    day = days["day"].to_numpy(np.float64)
    if not len(day) or day.max() <= 0:
        raise MeasureError("tenure_hazards", "nobody was watched for any time", "Check the spells and their dates")
    months = int(np.ceil(day.max() / MONTH))
    begins = np.arange(months) * MONTH
    watched = (days["left"] - days["entered"]).to_numpy(np.float64) @ (day[:, None] - begins).clip(0, MONTH) / MONTH
    place = (np.ceil(day / MONTH) - 1).clip(0).astype(np.intp)
    events = np.bincount(place, days["events"].to_numpy(np.float64), months)
    return _taken_together(events.astype(np.float64), watched)


def _taken_together(events: Floats, exposure: Floats) -> TenureHazards:
    """Merge months until each stretch holds enough events and time; what is left over joins the last one."""
    begins, held, seen = [0], 0.0, 0.0
    for month in range(len(events)):
        if held >= _LEAST_EVENTS and seen > 0 and events[month:].sum() >= _LEAST_EVENTS:
            begins.append(month)
            held = seen = 0.0
        held, seen = held + events[month], seen + exposure[month]
    rates = pd.DataFrame(
        {
            "month_from": begins,
            "month_to": [*begins[1:], len(events)],
            "events": np.add.reduceat(events, begins).round().astype("int64"),
            "exposure": np.add.reduceat(exposure, begins),
        }
    )
    rates["rate"] = np.maximum(rates["events"], _NO_EVENT) / rates["exposure"]
    said = [
        f"Nobody has been watched under contract beyond month {len(events)}: from there on "
        f"{rates['rate'].iloc[-1]:.2%} a month leave, as many as from month {begins[-1]} to it."
    ]
    if not events.any():
        said.append("No contract has ended yet: the rate is that of half an end in the time watched.")
    return TenureHazards(rates, tuple(said))


def _reduce_tenure(table: ir.Table) -> ir.Table:
    """Reduce to one row a day of tenure: spells that begin and end to be watched on it, events, spells not sound."""
    sound = is_sound(table).ifelse(1, 0).cast("int64")
    none = ibis.literal(0, type="int64")
    ends = table.select(
        day=table["exit"].cast("float64"),
        entered=none,
        left=sound,
        events=(is_sound(table) & is_event(table)).fill_null(False).ifelse(1, 0).cast("int64"),
        faulty=none,
    )
    begins = table.select(
        day=table["entry"].cast("float64"),
        entered=sound,
        left=none,
        events=none,
        faulty=(1 - sound).cast("int64"),
    )
    both = ibis.union(ends, begins, distinct=False)
    return both.group_by("day").aggregate(
        **{name: both[name].sum() for name in ("entered", "left", "events", "faulty")}
    )


@dataclass(frozen=True, eq=False)
class ContractValues:
    """By customer and, as sums, by group. ``variance`` is that of a customer given the rates, mean over draws."""

    stay: Floats
    """Probability to be there at the end of the horizon."""
    value: Floats
    low: Floats
    high: Floats
    variance: Floats
    sums: Floats
    """By draw and group, the sum of what is expected of its customers."""


def contract_values(
    customers: pd.DataFrame,
    hazards: TenureHazards,
    *,
    groups: int,
    worth: Floats,
    timing: Timing,
    draws: int,
    seed: int,
    confidence: float,
) -> ContractValues:
    """Return what customers will bring within the months of ``worth``, in money of today.

    Columns in: tenure_days, monthly (money a month while the customer stays), group (place among ``groups``). The
    interval is that of the month of leaving, with the rates as uncertain as their events leave them. Where it reaches
    the end of the horizon, all that it leaves out lies below it.
    """
    tenures, of = np.unique(customers["tenure_days"].to_numpy(np.float64), return_inverse=True)
    monthly, group = customers["monthly"].to_numpy(np.float64), customers["group"].to_numpy(np.intp)
    money = np.bincount(group * len(tenures) + of, monthly, groups * len(tenures)).reshape(groups, -1)
    survival = hazards.survival(tenures, len(worth))
    booked = np.zeros((len(tenures), len(worth)))
    mean_square = np.zeros(len(tenures))
    sums = np.empty((draws, groups))
    for number, drawn in enumerate(hazards.drawn(tenures, len(worth), size=draws, seed=seed)):
        there = there_when_booked(drawn, timing)
        booked += there / draws
        mean = np.einsum("tk,k->t", there, worth)
        mean_square += mean**2 / draws
        sums[number] = np.einsum("gt,t->g", money, mean)
    reached = np.concatenate([[0.0], np.cumsum(worth)])
    square = np.einsum("tk,k->t", booked, np.diff(reached**2))
    low, high = (reached[end] for end in _ends(booked, confidence))
    ends = np.sort([monthly * low[of], monthly * high[of]], axis=0)
    return ContractValues(
        stay=survival[of, -1],
        value=monthly * np.einsum("tk,k->t", there_when_booked(survival, timing), worth)[of],
        low=ends[0],
        high=ends[1],
        variance=monthly**2 * (square - mean_square).clip(0)[of],
        sums=sums,
    )


def _ends(booked: Floats, confidence: float) -> tuple[Places, Places]:
    """Return the least and the greatest number of months booked, from the chances of 1, 2, … of them and more."""
    outside = 1 - confidence
    reaches_end = booked[:, -1:] > outside / 2
    below = np.where(reaches_end, outside, outside / 2)
    above = np.where(reaches_end, 0.0, outside / 2)
    return (booked >= 1 - below).sum(axis=1), (booked > above).sum(axis=1)
