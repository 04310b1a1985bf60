"""Weights that give a sample the make-up of the customer base: raking to known margins, with trimming where asked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, names, require
from analysis.measures.inference import Floats

Targets: TypeAlias = Mapping[str, "Mapping[Hashable, float] | pd.Series"]
"""By margin column: what each of its levels must come to, as shares or as counts."""

_TOLERANCE = 1e-10
_MOST_ROUNDS = 10_000
_SUMS_TO = 1e-6
"""How far the targets of a margin may be from their sum; they are scaled to it."""


@dataclass(frozen=True)
class _Margin:
    """A margin laid over the cells: the level of each cell, and what each level must come to."""

    column: str
    levels: list[Hashable]
    level_of_cell: NDArray[np.intp]
    goal: Floats

    def summed(self, by_cell: Floats) -> Floats:
        """Return the sum over the cells of each level."""
        return np.bincount(self.level_of_cell, weights=by_cell, minlength=len(self.levels)).astype(np.float64)


def rake(sample: Rows, targets: Targets, *, trim: tuple[float, float] | None = None) -> pd.DataFrame:
    """Weight respondents so that every margin of the sample comes to its targets (raking, iterative proportional fit).

    Targets of which every margin sums to 1 (to 1e-6) are shares: the weights then sum to n, their mean is 1. Otherwise
    they are counts, every margin of the same sum (to 1e-6 of it), to which the weights sum. From weights of 1 each
    margin in turn is scaled to its targets until every level is within 1e-10 of its own.

    ``trim``, such as (0.3, 3), bounds the weights in multiples of their mean; without it none is trimmed. Trimmed
    weights are raked again until margins (1e-10) and bounds (exactly) hold together; of all weights that satisfy both
    they are the ones nearest to those untrimmed, by the measure raking itself minimises.

    Columns in: those of the targets, without missing values. Columns out: those of the targets, n (respondents),
    weight (of each of them). One row a combination that occurs, sorted by the columns.

    Raises MeasureError where a column is absent or has missing values, there is no respondent, a level has targets
    but no respondents or the reverse, a target is not above 0, sums do not agree, the bounds of ``trim`` do not
    embrace 1, and where no weights satisfy the margins, or the margins and the bounds.
    Source: Deming and Stephan (1940), Annals of Mathematical Statistics 11, 427-444; with bounds: Deville and Särndal
    (1992), JASA 87, 376-382, by the projections of Bauschke and Lewis (2000), Optimization 48, 409-427.

    >>> sample = pd.DataFrame({"region": ["Nord", "Nord", "Nord", "Süd"]})
    >>> rake(sample, {"region": {"Nord": 0.5, "Süd": 0.5}}).round(4)
      region  n  weight
    0   Nord  3  0.6667
    1    Süd  1  2.0000
    """
    _check_columns(targets)
    if trim is not None:
        _check_trim(*trim)
    cells = _cells(sample, list(targets))
    margins = [_margin(cells, column, goal) for column, goal in _goals(cells, targets).items()]
    weight, gaps = _raked(cells["n"].to_numpy(dtype=np.float64), margins, 0, np.inf)
    if max(gaps) > _TOLERANCE:
        raise MeasureError(
            "rake",
            f"no weights satisfy all margins: {_worst(margins, gaps)}",
            "Combinations without respondents stand in the way: merge levels, or leave out a margin",
        )
    return cells.assign(weight=weight if trim is None else _trimmed(cells, margins, trim))


def margins_of(customers: Rows, columns: str | Sequence[str]) -> dict[str, pd.Series]:
    """Count the customer base by level of each column: the targets of ``rake``.

    A customer with a missing value in any of the columns is left out of all margins, so that they sum to the same.

    Columns in: those named; one row a customer. Returns by column a series of customers by level, sorted; its
    ``attrs`` hold ``left_out``, the customers left out.

    Raises MeasureError where no column is named, one is absent, or no customer is known by all of them.
    Source: marginal totals.

    >>> customers = pd.DataFrame({"region": ["Nord", "Süd", "Süd", None], "channel": ["Web", "Web", "Laden", "Web"]})
    >>> margins = margins_of(customers, ["region", "channel"])
    >>> margins["region"].to_dict(), margins["channel"].to_dict(), margins["region"].attrs
    ({'Nord': 1, 'Süd': 2}, {'Laden': 1, 'Web': 2}, {'left_out': 1})
    """
    columns = names(columns)
    table = as_table(customers)
    if not columns:
        raise MeasureError("margins_of", "no column is named", "Name those whose make-up is to be kept")
    require("margins_of", table, columns)
    cells = _reduce_cells(table, columns).execute()
    known = cells.dropna(subset=list(columns))
    if known.empty:
        raise MeasureError(
            "margins_of", f"no customer has a value in all of {', '.join(columns)}", "Name fewer columns"
        )
    margins = {column: known.groupby(column)["n"].sum().rename("customers") for column in columns}
    for margin in margins.values():
        margin.attrs["left_out"] = int(cells["n"].sum() - known["n"].sum())
    return margins


def weighted(sample: Rows, cells: pd.DataFrame) -> ir.Table:
    """Give each respondent the weight of its cell, as an unexecuted table.

    Columns in: of ``sample`` at least the margin columns of ``cells``, which are what ``rake`` returned for it.
    Columns out: those of ``sample``, weight; missing for a row whose combination of levels is not among the cells,
    one with a missing level included. One row a row of ``sample``, in no order.

    Raises MeasureError where a margin column is absent or the sample has a column ``weight`` already.
    Source: a plain join.

    >>> sample = pd.DataFrame({"region": ["Nord", "Süd", "Nord"], "nps": [9, 3, 8]})
    >>> cells = rake(sample, {"region": {"Nord": 0.5, "Süd": 0.5}})
    >>> weighted(sample, cells).order_by("nps").execute()
      region  nps  weight
    0    Süd    3    1.50
    1   Nord    8    0.75
    2   Nord    9    0.75
    """
    table = as_table(sample)
    margins = [column for column in cells.columns if column not in ("n", "weight")]
    require("weighted", table, margins)
    if "weight" in table.columns:
        raise MeasureError("weighted", "the sample has a column 'weight' already", "Drop or rename it")
    found = table.left_join(ibis.memtable(cells[[*margins, "weight"]]), margins)
    return found.select(*table.columns, "weight")


def _reduce_cells(table: ir.Table, columns: Sequence[str]) -> ir.Table:
    return table.group_by(list(columns)).aggregate(n=table.count())


def _check_columns(targets: Targets) -> None:
    if not targets:
        raise MeasureError("rake", "there are no targets", "Name at least one margin with its levels")
    if reserved := [column for column in targets if column in ("n", "weight")]:
        raise MeasureError("rake", f"a margin is called {reserved[0]!r}, as a column of the result", "Rename it")


def _check_trim(lowest: float, highest: float) -> None:
    if not 0 <= lowest < 1 < highest:
        raise MeasureError(
            "rake", f"trim is {(lowest, highest)!r}", "Give multiples of the mean weight around 1, such as (0.3, 3)"
        )


def _cells(sample: Rows, columns: list[str]) -> pd.DataFrame:
    """Return one row a combination of levels: the columns, n. Sorted; every level is known."""
    table = as_table(sample)
    require("rake", table, columns)
    cells = _reduce_cells(table, columns).execute()
    if cells.empty:
        raise MeasureError("rake", "the sample has no rows", "Hand in the respondents, one row each")
    unknown = {column: int(cells.loc[cells[column].isna(), "n"].sum()) for column in columns}
    if missing := ", ".join(f"{column!r} of {count}" for column, count in unknown.items() if count):
        raise MeasureError(
            "rake",
            f"missing values: {missing} of {cells['n'].sum()} respondents",
            "Leave them out, or give them a level that has a target",
        )
    return cells.sort_values(columns, ignore_index=True)


def _goals(cells: pd.DataFrame, targets: Targets) -> dict[str, pd.Series]:
    """Return by column what each level must come to: n respondents in all, or the customers counted."""
    given = {column: _checked_target(cells, column, target) for column, target in targets.items()}
    sums = {column: float(target.sum()) for column, target in given.items()}
    shares = all(abs(total - 1) <= _SUMS_TO for total in sums.values())
    first = next(iter(sums.values()))
    fractions = all((target < 1).all() for target in given.values())
    if not shares and (fractions or any(abs(total - first) > _SUMS_TO * first for total in sums.values())):
        raise MeasureError(
            "rake",
            f"the targets do not sum: {', '.join(f'{column!r} to {total:.10g}' for column, total in sums.items())}",
            "Shares sum to 1 in every margin, counts to the same total",
        )
    total = float(cells["n"].sum()) if shares else first
    return {column: target * (total / sums[column]) for column, target in given.items()}


def _checked_target(cells: pd.DataFrame, column: str, target: Mapping[Hashable, float] | pd.Series) -> pd.Series:
    """Return the targets by level, as numbers."""
    levels, values = zip(*target.items(), strict=True) if len(target) else ((), ())
    given = pd.Series(values, pd.Index(levels, dtype=object), dtype=object)
    sampled = pd.Index(cells[column].unique(), dtype=object)
    _refuse(column, given.index[given.index.duplicated()], "more than one target", "Give one to each level")
    unasked, untold = given.index.difference(sampled, sort=False), sampled.difference(given.index, sort=False)
    _refuse(column, unasked, "a target but no respondents", "Merge them with others, in targets and sample alike")
    _refuse(column, untold, "respondents but no target", "Give them targets, or leave these respondents out")
    numbers = pd.to_numeric(given, errors="coerce").astype("float64")
    bad = given.index[~((numbers > 0) & np.isfinite(numbers))]
    _refuse(column, bad, "targets that are not numbers above 0", "Leave out levels that no customer has")
    return numbers


def _refuse(column: str, levels: Iterable[Hashable], have: str, remedy: str) -> None:
    if listed := _listed(levels):
        raise MeasureError("rake", f"levels of {column!r} have {have}: {listed}", remedy)


def _margin(cells: pd.DataFrame, column: str, goal: pd.Series) -> _Margin:
    level_of_cell = goal.index.get_indexer(cells[column].astype(object))
    return _Margin(column, list(goal.index), level_of_cell, goal.to_numpy())


def _raked(n: Floats, margins: list[_Margin], low: float, high: float) -> tuple[Floats, list[float]]:
    """Return the weights between low and high and, margin by margin, how far its worst level is off its goal.

    Raking projects the weights on one margin after the other, cutting projects them on the bounds. What the bounds
    cut off is given back before they are applied again (Dykstra): only so is the limit the nearest of all solutions.
    """
    lowest, highest = (np.log(low) if low else -np.inf), np.log(high)
    logs = np.zeros_like(n)
    cut_off = np.zeros_like(n)
    for _round in range(_MOST_ROUNDS):
        for margin in margins:
            logs = logs + np.log(margin.goal / margin.summed(n * np.exp(logs)))[margin.level_of_cell]
        uncut = logs + cut_off
        logs = uncut.clip(lowest, highest)
        cut_off = uncut - logs
        weight = np.exp(logs).clip(low, high)
        gaps = [float(np.abs(margin.summed(n * weight) / margin.goal - 1).max()) for margin in margins]
        if max(gaps) <= _TOLERANCE:
            break
    return weight, gaps


def _trimmed(cells: pd.DataFrame, margins: list[_Margin], trim: tuple[float, float]) -> Floats:
    n = cells["n"].to_numpy(dtype=np.float64)
    mean = margins[0].goal.sum() / n.sum()
    for margin in margins:
        _check_reachable(margin, margin.goal / margin.summed(n) / mean, trim)
    weight, gaps = _raked(n, margins, trim[0] * mean, trim[1] * mean)
    if max(gaps) <= _TOLERANCE:
        return weight
    columns = [margin.column for margin in margins]
    held = ", ".join(
        f"at the {name} ({bound:g}) {_listed(cells.loc[stand, columns].itertuples(index=False, name=None))}"
        for name, bound in zip(("lowest", "highest"), trim, strict=True)
        if (stand := np.isclose(weight, bound * mean)).any()
    )
    raise MeasureError(
        "rake",
        f"trim and margins cannot both hold: {_worst(margins, gaps)}, with the weights of cells {held}",
        "Widen the bounds, or merge levels",
    )


def _check_reachable(margin: _Margin, needed: Floats, trim: tuple[float, float]) -> None:
    """Raise MeasureError for a level that misses its goal even with all its respondents at a bound."""
    for name, bound, beyond in (
        ("lowest", trim[0], needed < trim[0] * (1 - _TOLERANCE)),
        ("highest", trim[1], needed > trim[1] * (1 + _TOLERANCE)),
    ):
        if beyond.any():
            levels = ", ".join(f"{margin.levels[place]!r} {needed[place]:.3g}" for place in np.flatnonzero(beyond))
            raise MeasureError(
                "rake",
                f"trim and margin {margin.column!r} cannot both hold: beyond the {name} ({bound:g}) lies the mean "
                f"weight, in multiples, that these levels need: {levels}",
                "Widen that bound, or merge these levels with others",
            )


def _worst(margins: list[_Margin], gaps: list[float]) -> str:
    place = int(np.argmax(gaps))
    return f"after {_MOST_ROUNDS} rounds margin {margins[place].column!r} is still {gaps[place]:.2g} of a target off"


def _listed(values: Iterable[object], *, most: int = 10) -> str:
    said = [repr(value) for value in values]
    return ", ".join(said[:most]) + (f" and {len(said) - most} more" if len(said) > most else "")
