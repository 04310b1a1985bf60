"""Codings: how patterns of covariates become the design of a model, each covariate against a base."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError, nearest
from analysis.measures.covariates import Covariate, Cuts, Factor, Linear, Spline, keys
from analysis.measures.frames import require
from analysis.measures.inference import Floats

MISSING = "(missing)"
"""The level of missing values."""

MOST_LEVELS = 50


@dataclass(frozen=True, eq=False)
class Coding:
    """How a covariate becomes columns of the design: each of its levels is a row of ``contrasts``, the base all 0."""

    covariate: Covariate
    levels: tuple[str, ...]
    base: int
    contrasts: Floats
    slopes: Floats | None
    """The derivatives of the contrasts, a unit of the column, where it is a number."""
    first: int
    """Where the columns begin in the design."""

    @property
    def name(self) -> str:
        """Return the column's name."""
        return self.covariate.column

    @property
    def place(self) -> slice:
        """Return which columns of the design are those of the covariate."""
        return slice(self.first, self.first + self.contrasts.shape[1])

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns of the design."""
        if isinstance(self.covariate, Linear):
            return [self.name]
        if isinstance(self.covariate, Spline):
            return [f"{self.name}[spline {number + 1}]" for number in range(self.contrasts.shape[1])]
        return [f"{self.name}[{level}]" for number, level in enumerate(self.levels) if number != self.base]


def code(
    measure: str, covariates: Sequence[Covariate], patterns: pd.DataFrame, counts: Floats, base: Mapping[str, Hashable]
) -> tuple[Coding, ...]:
    """Return how each covariate is coded: against the level named in ``base``, or else the most frequent.

    ``counts``: one row a pattern; rows, then what a base must hold some of: events and, of a share, rows without one.
    """
    columns = [covariate.column for covariate in covariates]
    for name in base:
        if name not in columns:
            raise MeasureError(measure, f"base names {name!r}, which is no covariate", f"Known: {', '.join(columns)}")
    codings: list[Coding] = []
    for number, covariate in enumerate(covariates):
        first = codings[-1].place.stop if codings else 0
        codings.append(_coding(measure, covariate, patterns[f"_x{number}"], counts, base, first))
    return tuple(codings)


def _coding(
    measure: str, covariate: Covariate, values: pd.Series, counts: Floats, base: Mapping[str, Hashable], first: int
) -> Coding:
    name = covariate.column
    if isinstance(covariate, Linear):
        if name in base:
            raise MeasureError(measure, f"{name!r} is a number and has no base", "Leave it out of base, or give Cuts")
        if not np.isfinite(values.to_numpy(dtype=np.float64)).all():
            raise MeasureError(measure, f"infinite values in {name!r}", "Set them missing, or give Cuts")
        return Coding(covariate, (), 0, np.ones((0, 1)), np.ones((0, 1)), first)
    levels = _levels(covariate, values)
    if len(levels) > MOST_LEVELS and isinstance(covariate, Factor):
        raise MeasureError(
            measure, f"column {name!r} has {len(levels)} levels, more than {MOST_LEVELS}", "Give Cuts, or merge levels"
        )
    numbers = _numbers(measure, covariate, levels, values)
    of_level = np.column_stack([np.bincount(numbers, weights=one, minlength=len(levels)) for one in counts.T])
    serves = of_level[:, 1:].min(axis=1) > 0
    most = int((of_level[:, 0] * (serves if serves.any() else 1)).argmax())
    place = _place(measure, name, levels, base[name]) if name in base else most
    if isinstance(covariate, Spline):
        basis, slopes = _spline(covariate)
        return Coding(covariate, levels, place, basis - basis[place], slopes, first)
    if serves.any() and not serves[place]:
        raise MeasureError(
            measure, f"the outcome is always or never there for {levels[place]!r} of {name!r}", "Name another base"
        )
    return Coding(covariate, levels, place, np.delete(np.eye(len(levels)), place, axis=1), None, first)


def _place(measure: str, name: str, levels: tuple[str, ...], level: Hashable) -> int:
    text = _text(level)
    if text not in levels:
        near = nearest(text, levels)
        raise MeasureError(
            measure,
            f"base {text!r} is no level of {name!r}; there are: {', '.join(levels)}",
            f"Did you mean {near!r}?" if near else "",
        )
    return levels.index(text)


def _text(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return MISSING
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _labels(covariate: Covariate, values: pd.Series) -> list[str]:
    """Return the level of each of the values that came back from the engine."""
    if isinstance(covariate, Factor):
        return [_text(value) for value in values]
    named = _all_levels(covariate)
    return [MISSING if pd.isna(value) else named[int(value)] for value in values]


def _all_levels(covariate: Covariate) -> tuple[str, ...]:
    if isinstance(covariate, Spline):
        return tuple(_text(float(point)) for point in covariate.grid)
    if not isinstance(covariate, Cuts):
        return ()
    at = [_text(float(point)) for point in covariate.at]
    between = (f"({low}, {high}]" for low, high in pairwise(at))
    return (f"<= {at[0]}", *between, f"> {at[-1]}")


def _levels(covariate: Covariate, values: pd.Series) -> tuple[str, ...]:
    """Return the levels there are, in their order, the missing last; of a spline all points of its grid."""
    if isinstance(covariate, Spline):
        return _all_levels(covariate)
    held = values.drop_duplicates().sort_values(na_position="last")
    return tuple(dict.fromkeys(_labels(covariate, held)))


def _numbers(measure: str, covariate: Covariate, levels: tuple[str, ...], values: pd.Series) -> NDArray[np.intp]:
    """Return the number of each value's level."""
    codes, uniques = pd.factorize(values, use_na_sentinel=False)
    labels = _labels(covariate, pd.Series(uniques))
    if unknown := [label for label in labels if label not in levels]:
        raise MeasureError(
            measure,
            f"the model knows no level {unknown[0]!r} of {covariate.column!r}",
            f"Leave such rows out; there are: {', '.join(levels)}",
        )
    places = np.array([levels.index(label) for label in labels], dtype=np.intp)
    found: NDArray[np.intp] = places[codes]
    return found


def _spline(covariate: Spline) -> tuple[Floats, Floats]:
    """Return the natural cubic spline and its slope at the points of the grid: one row a point, a column a term.

    Source: Harrell, Regression Modeling Strategies (2015), 2.4.5: truncated powers, linear beyond the outer knots.
    """
    grid = np.asarray(covariate.grid, dtype=np.float64)
    knots = np.quantile(grid, np.linspace(0, 1, covariate.knots))
    width = knots[-1] - knots[0]
    inner, before_last, last = knots[:-2], knots[-2], knots[-1]
    weights = (last - inner) / (last - before_last), (before_last - inner) / (last - before_last)

    def term(power: int) -> Floats:
        tails = [np.clip(grid[:, None] - at, 0, None) ** power for at in (inner, before_last, last)]
        curved: Floats = tails[0] - tails[1] * weights[0] + tails[2] * weights[1]
        return curved

    straight = (grid - grid[0]) / width
    return (
        np.column_stack([straight, term(3) / width**3]),
        np.column_stack([np.full(len(grid), 1 / width), 3 * term(2) / width**3]),
    )


def design(measure: str, codings: Sequence[Coding], patterns: pd.DataFrame) -> Floats:
    """Return the design of the patterns: one row a pattern, the columns of all covariates side by side."""
    return np.column_stack([_rows(measure, one, patterns, number) for number, one in enumerate(codings)])


def encoded(rows: pd.DataFrame, codings: Sequence[Coding], measure: str) -> pd.DataFrame:
    """Return the keys of rows to predict for, in their order."""
    covariates = [coding.covariate for coding in codings]
    columns = [covariate.column for covariate in covariates]
    require(measure, rows, columns)
    table = ibis.memtable(rows[columns].reset_index(drop=True).assign(_row=np.arange(len(rows))))
    return table.select("_row", **keys(table, covariates)).order_by("_row").to_pyarrow().to_pandas()


def slopes(measure: str, coding: Coding, patterns: pd.DataFrame, number: int) -> Floats:
    """Return the derivative of the covariate's columns, a unit of its number, at each pattern."""
    if isinstance(coding.covariate, Linear) or coding.slopes is None:
        return np.ones((len(patterns), 1))
    return coding.slopes[_numbers(measure, coding.covariate, coding.levels, patterns[f"_x{number}"])]


def _rows(measure: str, coding: Coding, patterns: pd.DataFrame, number: int) -> Floats:
    values = patterns[f"_x{number}"]
    if isinstance(coding.covariate, Linear):
        found: Floats = values.to_numpy(dtype=np.float64)[:, None]
        return found
    known = values.notna().to_numpy() | (not isinstance(coding.covariate, Spline))
    rows = np.full((len(values), coding.contrasts.shape[1]), np.nan)
    rows[known] = coding.contrasts[_numbers(measure, coding.covariate, coding.levels, values[known])]
    return rows


def by_level(measure: str, codings: Sequence[Coding], patterns: pd.DataFrame, sums: pd.DataFrame) -> pd.DataFrame:
    """Add ``sums``, one row a pattern, up by term and level; a number has one row, its level missing."""
    parts = []
    for number, coding in enumerate(codings):
        if isinstance(coding.covariate, Linear | Spline):
            part = sums.sum().to_frame().T.assign(level=None)
        else:
            levels = _numbers(measure, coding.covariate, coding.levels, patterns[f"_x{number}"])
            part = sums.groupby(levels).sum().assign(level=coding.levels)
        parts.append(part.assign(term=coding.name)[["term", "level", *sums.columns]])
    return pd.concat(parts, ignore_index=True).astype({"term": "str", "level": "str"})
