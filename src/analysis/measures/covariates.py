"""Covariates of a model: how columns are to enter, and by which keys the engine groups rows into patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError
from analysis.measures.frames import require

MOST_PATTERNS = 200_000


@dataclass(frozen=True)
class Factor:
    """A covariate of levels, each compared with the base; missing values are a level of their own."""

    column: str


@dataclass(frozen=True)
class Cuts:
    """A numeric covariate as levels (a, b] that end at the values ``at``; missing values are a level of their own."""

    column: str
    at: tuple[float, ...]


@dataclass(frozen=True)
class Spline:
    """A numeric covariate as a natural cubic spline.

    Values move to the nearest point of ``grid``, those beyond its ends to the ends; the knots lie evenly on the grid,
    first and last at its ends. Rows without a value are left out.
    """

    column: str
    grid: tuple[float, ...]
    knots: int = 4


@dataclass(frozen=True)
class Linear:
    """A numeric covariate with one ratio a unit. Rows without a value are left out."""

    column: str


Covariate: TypeAlias = Factor | Cuts | Spline | Linear
Covariates: TypeAlias = str | Covariate | Sequence[str | Covariate]
"""What a model takes: names of columns, or how they are to enter."""


def declared(
    measure: str, table: ir.Table, covariates: Covariates, *, taken: Sequence[str], numbers_are_linear: bool
) -> tuple[Covariate, ...]:
    """Return how each column enters. Raises MeasureError where one is absent, named twice or of the wrong type."""
    given = (covariates,) if isinstance(covariates, str | Covariate) else tuple(covariates)
    columns = [one if isinstance(one, str) else one.column for one in given]
    if not columns:
        raise MeasureError(measure, "there is no covariate", "Name at least one")
    require(measure, table, columns)
    if twice := sorted({name for name in columns if [*columns, *taken].count(name) > 1}):
        raise MeasureError(measure, f"named more than once: {', '.join(twice)}", "Name each column once")
    found: list[Covariate] = []
    for one, column in zip(given, columns, strict=True):
        kind = table[column].type()
        if isinstance(one, str):
            found.append(Linear(one) if numbers_are_linear and kind.is_numeric() else Factor(one))
            continue
        if not isinstance(one, Factor) and not (kind.is_numeric() or kind.is_null()):
            raise MeasureError(measure, f"column {column!r} holds {kind}, not numbers", "Name it without cuts")
        _check_points(measure, one)
        found.append(one)
    return tuple(found)


def _check_points(measure: str, covariate: Covariate) -> None:
    if isinstance(covariate, Cuts):
        points, least = covariate.at, 1
    elif isinstance(covariate, Spline):
        points, least = covariate.grid, max(covariate.knots, 3)
    else:
        return
    if len(points) < least or not all(np.isfinite(points)) or not (np.diff(points) > 0).all():
        raise MeasureError(
            measure, f"the points of {covariate.column!r} are {tuple(points)}", f"Give at least {least}, rising"
        )
    if isinstance(covariate, Spline) and covariate.knots < 3:
        raise MeasureError(measure, f"{covariate.column!r} has {covariate.knots} knots", "Give 3 or more, or Linear")


def keys(table: ir.Table, covariates: Sequence[Covariate]) -> dict[str, ir.Value]:
    """Return by new name what the engine groups by: rows of equal keys are of one pattern."""
    return {f"_x{number}": _key(table, covariate) for number, covariate in enumerate(covariates)}


def _key(table: ir.Table, covariate: Covariate) -> ir.Value:
    value = table[covariate.column]
    kind = value.type()
    if isinstance(covariate, Factor):
        return value.cast("float64") if kind.is_decimal() else value
    number = value.cast("float64")
    # engines take NaN for the greatest number
    known = number.notnull() & ~number.isnan() if kind.is_floating() else number.notnull()
    if isinstance(covariate, Linear):
        return ibis.ifelse(known, number, ibis.null("float64"))
    passed = sum((ibis.ifelse(number > float(point), 1, 0) for point in _ends(covariate)), ibis.literal(0))
    return ibis.ifelse(known, passed.cast("int64"), ibis.null("int64"))


def _ends(covariate: Cuts | Spline) -> Sequence[float]:
    if isinstance(covariate, Cuts):
        return covariate.at
    grid = np.asarray(covariate.grid, dtype=np.float64)
    return [float(end) for end in (grid[1:] + grid[:-1]) / 2]


def executed(measure: str, reduced: ir.Table, table: ir.Table, covariates: Sequence[Covariate]) -> pd.DataFrame:
    """Return the reduced patterns, sorted. Raises MeasureError where there are too many, naming the column."""
    # By way of Arrow: straight to pandas, wide sums would pass through Python's Decimal one by one.
    patterns = reduced.limit(MOST_PATTERNS + 1).to_pyarrow().to_pandas()
    keyed = keys(table, covariates)
    if len(patterns) > MOST_PATTERNS:
        values = table.aggregate(**{name: key.nunique() for name, key in keyed.items()}).to_pandas().iloc[0]
        worst = covariates[int(values.to_numpy(dtype=np.int64).argmax())].column
        raise MeasureError(
            measure,
            f"the covariates make more than {MOST_PATTERNS:,} patterns; column {worst!r} has {values.max():,} values",
            f"Give {worst!r} as Cuts or a Spline over a coarse grid, or leave it out",
        )
    return patterns.sort_values(list(keyed), ignore_index=True)


def complete(patterns: pd.DataFrame, covariates: Sequence[Covariate]) -> NDArray[np.bool_]:
    """Say of each pattern whether every covariate that must be a number is one."""
    numbers = [f"_x{number}" for number, one in enumerate(covariates) if isinstance(one, Linear | Spline)]
    return np.asarray(patterns[numbers].notna().all(axis=1), dtype=bool)
