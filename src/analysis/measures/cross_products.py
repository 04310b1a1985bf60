"""Counts, sums and cross-products of complete cases, reduced in the engine; in groups, for replicates to draw from."""

from __future__ import annotations

from itertools import combinations_with_replacement

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order
from analysis.measures.inference import Floats
from analysis.measures.shapley import Moments, scatter_of, unpacked

GROUPS = 400
"""Into how many groups the complete cases are dealt, for a replicate to draw from."""

_CANCELLING = 1e-4
"""Share of the mean square below which products lose digits, and the values are shifted first."""
_PRIME = 2**31 - 1


def summed(measure: str, rows: Rows, columns: tuple[str, ...], *, dealt: bool) -> tuple[Floats, Floats]:
    """Return counts, sums and cross-products, one row a group, and the lows subtracted from the values before.

    Without ``dealt`` there is one group. Raises MeasureError where values are infinite.
    """
    lows = np.zeros(len(columns))
    groups = _sums(rows, columns, lows, dealt=dealt)
    n, sums, products = pooled(groups, len(columns))
    if not n.item():
        return groups, lows
    endless = [name for name, finite in zip(columns, np.isfinite(products[0].diagonal()), strict=True) if not finite]
    if endless:
        raise MeasureError(measure, f"infinite values in: {', '.join(endless)}", "Set them missing")
    if (scatter_of(n, sums, products)[0].diagonal() < _CANCELLING * products[0].diagonal()).any():
        # squares about the lowest value are at most n times those about the mean (Samuelson 1968), and whole numbers
        # stay whole
        lows = _reduce_lows(as_table(rows), columns).execute().to_numpy(dtype=np.float64)[0]
        groups = _sums(rows, columns, lows, dealt=dealt)
    return groups, lows


def _sums(rows: Rows, columns: tuple[str, ...], lows: Floats, *, dealt: bool) -> Floats:
    if isinstance(rows, pd.DataFrame) and not dealt:
        return _sums_in_memory(rows, columns, lows)
    # of 150 columns Ibis takes longer to make a frame than DuckDB to compute them
    found = _reduce_importance(as_table(rows), columns, lows, dealt=dealt).to_pyarrow()
    if dealt:
        found = found.sort_by("group").drop_columns("group")
    return np.column_stack([column.to_numpy() for column in found.columns]).astype(np.float64)


def _sums_in_memory(frame: pd.DataFrame, columns: tuple[str, ...], lows: Floats) -> Floats:
    """Do for rows that are in memory what ``_reduce_importance`` does: telling an engine of 150 sums takes longer."""
    values = frame[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan) - lows
    values = values[~np.isnan(values).any(axis=1)]
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values are refused by name
        products = (values.T @ values)[np.triu_indices(len(columns))]
        return np.concatenate([[len(values)], values.sum(axis=0), products])[None]


def _reduce_importance(table: ir.Table, columns: tuple[str, ...], lows: Floats, *, dealt: bool) -> ir.Table:
    """One row a group (one in all unless ``dealt``): group, n, sums, cross-products of the values less ``lows``."""
    complete = _complete(table, columns, lows)
    if dealt:
        complete = _deal(complete, columns)
    values = [complete[name] for name in _value_names(columns)]
    pairs = combinations_with_replacement(range(len(values)), 2)
    return complete.aggregate(
        by=["group"] if dealt else [],
        n=complete.count(),
        **{f"sum_{at}": value.sum() for at, value in enumerate(values)},
        **{f"sum_{one}_{other}": (values[one] * values[other]).sum() for one, other in pairs},
    )


def _reduce_lows(table: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    complete = _complete(table, columns, np.zeros(len(columns)))
    return complete.aggregate(**{name: complete[name].min() for name in _value_names(columns)})


def _value_names(columns: tuple[str, ...]) -> list[str]:
    return [f"value_{at}" for at in range(len(columns))]


def _complete(table: ir.Table, columns: tuple[str, ...], lows: Floats) -> ir.Table:
    """Return the complete cases: value_0, value_1, ... (less the lows), and id where there is a response_id."""
    floats = [table[name].cast("float64") for name in columns]
    shifted = [value - low if low else value for value, low in zip(floats, lows.tolist(), strict=True)]
    told_apart = {"id": binary_order(table, "response_id")} if "response_id" in table.columns else {}
    cases = table.select(**dict(zip(_value_names(columns), shifted, strict=True)), **told_apart)
    known = [cases[name].notnull() for name in _value_names(columns)]
    fractions = (at for at, name in enumerate(columns) if not table[name].type().is_integer())
    return cases.filter(*known, *(~cases[f"value_{at}"].isnan() for at in fractions))


def _deal(complete: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """Deal the complete cases into groups that differ by chance alone, the same whatever the order of rows."""
    order = [name for name in ("id", *_value_names(columns)) if name in complete.columns]
    placed = complete.mutate(place=ibis.row_number().over(ibis.window(order_by=order)))
    # dealt in that order, every group would hold much the same answers and vary less than chance
    mixed = (placed["place"] * 48_271 + 11) % _PRIME
    shuffled = ibis.row_number().over(ibis.window(order_by=[mixed * mixed % _PRIME, placed["place"]]))
    return placed.mutate(group=shuffled % GROUPS)


def pooled(groups: Floats, columns: int) -> Moments:
    """Add the groups up to one row of moments."""
    with np.errstate(invalid="ignore"):  # infinite values are refused by name
        return unpacked(groups.sum(axis=0, keepdims=True), columns)
