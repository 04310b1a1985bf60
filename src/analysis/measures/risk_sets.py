"""Risk sets: how many spells are at risk, and how many end, at each time; what every survival measure rests on.

At risk at t are the spells with entry < t <= exit; at equal times events come before censorings. Times are grouped
by their exact value, never rounded. The engine counts spells by value; nothing here grows with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import EmptiedError, MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.inference import Floats
from analysis.measures.spells import is_event, is_sound, refuse_faulty

Integers: TypeAlias = NDArray[np.int64]

_ROWS = ("code", "time", "entered", "left", "at_risk", "events")


@dataclass(frozen=True)
class RiskSets:
    """Counts at the times at which spells of a group entered or left, sorted by group and time.

    ``labels`` has a row a group, in the order of ``code``; ``events`` a column a cause, in the order of ``causes``.
    """

    labels: pd.DataFrame
    causes: pd.Index
    code: Integers
    time: Floats | Integers
    entered: Integers
    left: Integers
    at_risk: Integers
    events: Integers
    n: int
    zero_length: int
    from_time: float = np.nan

    @property
    def ended(self) -> Integers:
        """How many ended, by whatever cause."""
        return np.asarray(self.events.sum(axis=1), dtype=np.int64)

    @property
    def attrs(self) -> dict[str, float]:
        """What is to be said of the spells behind a result."""
        return {"n": self.n, "zero_length": self.zero_length, "from_time": self.from_time}

    def frame(self, **columns: Floats | Integers) -> pd.DataFrame:
        """Return group and time of each row, then ``columns``."""
        labels = {name: self.labels[name].array.take(self.code) for name in self.labels}
        found = pd.DataFrame({**labels, "time": self.time, **columns})
        found.attrs = self.attrs
        return found

    def place(self, code: int) -> str:
        """Return the words for a group in a message."""
        values = next(self.labels.iloc[[code]].itertuples(index=False, name=None))
        return "".join(f" in {name} {value!r}" for name, value in zip(self.labels, values, strict=True))

    def where(self, kept: NDArray[np.bool_] | Integers) -> RiskSets:
        """Return the rows that are ``kept``, or those of the numbers given."""
        return replace(self, **{name: getattr(self, name)[kept] for name in _ROWS})

    def by_group(self) -> Iterator[RiskSets]:
        """Yield the rows of each group that has any."""
        first = np.flatnonzero(np.diff(self.code, prepend=-1))
        for begin, end in zip(first, np.append(first, len(self.code))[1:], strict=True):
            yield replace(self, **{name: getattr(self, name)[begin:end] for name in _ROWS})

    def survival(self) -> Floats:
        """Return the Kaplan-Meier estimate after each row, begun anew in each group."""
        return self.accumulate(np.multiply, (self.at_risk - self.ended) / self.at_risk)

    def greenwood(self, without_rest: float) -> Floats:
        """Return what each row adds to Greenwood's sum, d / n(n - d); ``without_rest`` where all of them ended."""
        rest, terms = self.at_risk - self.ended, np.full(len(self.code), without_rest)
        np.divide(self.ended, self.at_risk * rest.astype(float), out=terms, where=rest > 0)
        return terms

    def accumulate(self, running: np.ufunc, values: Floats) -> Floats:
        """Accumulate values of the rows within each group."""
        parts = np.split(values, np.flatnonzero(np.diff(self.code)) + 1)
        return np.concatenate([running.accumulate(part, axis=0) for part in parts])


@dataclass(frozen=True)
class _Counts:
    """What the engine counted: the group of each row, and its numbers by name."""

    keys: pd.DataFrame
    numbers: dict[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        return self.numbers[name]

    def where(self, kept: NDArray[np.bool_]) -> _Counts:
        """Return the rows that are ``kept``."""
        if kept.all():
            return self
        return _Counts(self.keys[kept], {name: values[kept] for name, values in self.numbers.items()})

    @property
    def size(self) -> int:
        """How many spells were counted."""
        return int(self["_n"].sum())


def risk_sets(measure: str, spells: Rows, groups: tuple[str, ...], cause: str | None = None) -> RiskSets:
    """Count spells by group and time in the engine, and their events by ``cause`` where that column is named.

    Spells of length zero are counted and left out. Raises MeasureError for an absent column and unsound spells.
    """
    table, causes = as_table(spells), (cause,) if cause else ()
    require(measure, table, ("entry", "exit", "event", *causes, *groups))
    _check_numbers(measure, table)
    keys = (*groups, *causes)
    exits = _executed(_reduce_exits(table, keys), keys)
    _refuse_unsound(measure, table, exits)
    n, exits = exits.size, exits.where(exits["_first"] < exits["exit"])
    if (exits["_last"] == exits["exit"]).any():  # with some of length zero among others
        table = table.filter(table["entry"] < table["exit"])
        exits = _executed(_reduce_exits(table, keys), keys)
    is_late = exits["_first"].min(initial=np.inf) < exits["_last"].max(initial=-np.inf)
    entries = _executed(_reduce_entries(table, groups), groups) if is_late else None
    sets = _joined(exits, entries, list(groups), cause, n)
    is_whole = table["entry"].type().is_integer() and table["exit"].type().is_integer()
    return replace(sets, time=sets.time.astype(np.int64)) if is_whole else sets


def leaving(measure: str, sets: RiskSets, from_time: float | None) -> RiskSets:
    """Return the rows after ``from_time``, by default the smallest entry, at which spells left.

    Raises MeasureError where a group has nobody left at risk before later spells of it begin.
    """
    is_entry = sets.entered > 0
    if from_time is None:
        from_time = sets.time[is_entry].min().item() if is_entry.any() else np.nan
    left = replace(sets.where((sets.left > 0) & (sets.time > from_time)), from_time=from_time)
    is_empty = (left.at_risk == left.ended) | (left.at_risk - left.left + left.entered == 0)
    emptied = left.where(is_empty & (np.diff(left.code, append=-1) == 0))
    if len(emptied.code):
        _refuse_emptied(measure, emptied, sets.where(is_entry))
    return left


def best_stretch(sets: RiskSets) -> tuple[float, Floats] | None:
    """Return the time from which most can be told, and until when of each group (-1: nothing); None without a gap.

    A gap is a time at which a group has nobody left at risk, or nobody who has not ended; the time returned is that
    after which most ends, then most spells, lie before the next gap of their group, of several the earliest.
    """
    is_gap = (sets.left > 0) & ((sets.at_risk == sets.ended) | (sets.at_risk - sets.left + sets.entered == 0))
    if is_gap.sum() == len(sets.labels):  # each group has one, its end
        return None
    last = np.flatnonzero(is_gap)
    first = np.append(0, last[:-1] + 1)
    hands_over = np.append(False, (sets.entered[last] > 0)[:-1] & (np.diff(sets.code[last]) == 0))
    begin = sets.time[np.where(hands_over, first - 1, first)]
    begin_of_row = np.repeat(begin, last - first + 1)

    def told(from_time: float) -> tuple[int, int, float]:
        rows = (begin_of_row <= from_time) & (sets.time > from_time)
        return sets.ended[rows].sum(), sets.left[rows].sum(), -from_time

    from_time = max(np.unique(begin).tolist(), key=told)
    until = np.full(len(sets.labels), -1.0)
    is_held = (begin <= from_time) & (sets.time[last] > from_time)
    until[sets.code[last][is_held]] = sets.time[last][is_held]
    return from_time, until


def _refuse_emptied(measure: str, emptied: RiskSets, entries: RiskSets) -> None:
    worst = int(emptied.time.argmax())
    time, code = emptied.time[worst], emptied.code[worst]
    later = entries.time[(entries.code == code) & (entries.time >= time)].min()
    raise EmptiedError(measure, time, emptied.place(code), later)


def _reduce_exits(table: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    """Reduce to one row a group and exit; what is missing or faulty shows as a number below 0."""
    event, no_event = is_event(table), (~table["event"] if table["event"].type().is_boolean() else table["event"] == 0)
    marked = ibis.cases((event, 1), (no_event, 0), else_=-1)
    entry = _number(table["entry"]).fill_null(-1)
    return table.group_by(*keys, exit=_number(table["exit"])).aggregate(
        _n=table.count(),
        _events=marked.sum().cast("int64"),
        _event=marked.min(),
        _first=entry.min(),
        _last=entry.max(),
    )


def _reduce_entries(table: ir.Table, groups: tuple[str, ...]) -> ir.Table:
    lasting = table.filter(table["entry"] < table["exit"])
    return lasting.group_by(*groups, entry=_number(lasting["entry"])).aggregate(_n=lasting.count())


def _number(time: ir.NumericValue) -> ir.NumericValue:
    # Decimals would come to Python one by one.
    return time.cast("float64") if time.type().is_decimal() else time


def _executed(reduced: ir.Table, keys: tuple[str, ...]) -> _Counts:
    # By way of Arrow: Ibis's own conversion to pandas takes a fifth as long as the count itself.
    counts = reduced.to_pyarrow()
    numbers = {name: counts[name].to_numpy().astype(np.float64) for name in counts.column_names if name not in keys}
    return _Counts(counts.select(list(keys)).to_pandas(), numbers)


def _check_numbers(measure: str, table: ir.Table) -> None:
    for name in ("entry", "exit", "event"):
        kind = table[name].type()
        if not (kind.is_numeric() or (name == "event" and kind.is_boolean())):
            raise MeasureError(measure, f"column {name!r} holds {kind}, not numbers")


def _refuse_unsound(measure: str, table: ir.Table, exits: _Counts) -> None:
    """Raise MeasureError where a count includes spells that are not sound; only then ask the engine how many."""
    is_sound_count = (
        (exits["_event"] >= 0) & (exits["_first"] >= 0) & (exits["_last"] <= exits["exit"]) & np.isfinite(exits["exit"])
    )
    if not is_sound_count.all():
        faulty = table.filter(~is_sound(table)).count().to_pyarrow().as_py()
        refuse_faulty(measure, faulty, exits.size)


def _joined(exits: _Counts, entries: _Counts | None, groups: list[str], cause: str | None, n: int) -> RiskSets:
    """Bring exits and entries into one order of group and time, and add how many are at risk."""
    many = len(exits["_n"])
    if entries is None:  # all enter at the same time
        code, labels = coded(exits.keys[groups])
        size: Floats | Integers = _summed(code, exits["_n"], len(labels))
        start = exits["_first"][: len(labels)]
        code = np.append(code, np.arange(len(labels)))
    else:
        code, labels = coded(pd.concat([exits.keys[groups], entries.keys], ignore_index=True))
        size, start = entries["_n"], entries["entry"]
    time = np.append(exits["exit"], start)
    order = np.argsort(time)
    order = order[np.argsort(code[order], kind="stable")]
    is_new = np.append(True, (np.diff(code[order]) != 0) | (np.diff(time[order]) != 0))[: len(order)]
    first, row = order[is_new], np.empty(len(order), dtype=np.int64)
    row[order] = np.cumsum(is_new) - 1
    left, entered = _summed(row[:many], exits["_n"], len(first)), _summed(row[many:], size, len(first))
    events, causes = _by_cause(exits, row[:many], cause, len(first))
    # All who enter a group leave it, so the running sum is back at 0 where the next group begins.
    at_risk = np.cumsum(entered - left) - entered + left
    return RiskSets(labels, causes, code[first], time[first], entered, left, at_risk, events, n, n - exits.size)


def coded(keys: pd.DataFrame) -> tuple[Integers, pd.DataFrame]:
    """Return the number of each row's group, in the order of their names, a missing one last, and those names."""
    code = np.zeros(len(keys), dtype=np.int64)
    for name in keys:
        column, values = pd.factorize(keys[name], sort=True, use_na_sentinel=False)
        code = code * len(values) + column
    code, values = pd.factorize(code, sort=True)
    where = np.empty(len(values), dtype=np.int64)
    where[code] = np.arange(len(code))
    return code, keys.take(where).reset_index(drop=True)


def _by_cause(exits: _Counts, row: Integers, cause: str | None, rows: int) -> tuple[Integers, pd.Index]:
    """Return events by row and cause, and the causes in order; a missing one is a cause of its own, the last."""
    if cause is None:
        return _summed(row, exits["_events"], rows)[:, None], pd.Index(["any"])
    is_ending = exits["_events"] > 0
    column, causes = pd.factorize(exits.keys[cause][is_ending], sort=True, use_na_sentinel=False)
    cells = _summed(row[is_ending] * len(causes) + column, exits["_events"][is_ending], rows * len(causes))
    return cells.reshape(rows, len(causes)), causes


def _summed(row: Integers, counts: Floats | Integers, rows: int) -> Integers:
    return np.bincount(row, weights=counts, minlength=rows).astype(np.int64)
