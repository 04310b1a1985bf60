"""The answers of a survey that count: on their scale, the latest of a customer and wave where one opinion is asked."""

from __future__ import annotations

from collections.abc import Iterable

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, require
from analysis.vocabulary import NPS_SCALES

Scale = tuple[int, int]
"""The lowest and the highest answer there is."""


_TAKEN = (
    *("n", "promoters", "passives", "detractors", "nps", "anonymous", "low", "high", "mean", "share", "top", "a", "b"),
    *("total", "squares", "hard", "off_scale", "off_low", "off_high", "unusable", "paired", "value"),
)
"""Names of columns that the measures bring back; a group must not be called so."""


def check_nps_scale(measure: str, scale: Scale) -> None:
    """Raise MeasureError unless the scale is one on which a Net Promoter Score is defined."""
    if tuple(scale) not in NPS_SCALES:
        raise MeasureError(measure, f"scale is {scale!r}", "Declare (0, 10) or (1, 10), as the question was asked")


def check_scale(measure: str, scale: Scale) -> None:
    """Raise MeasureError unless the scale rises."""
    if not scale[0] < scale[1]:
        raise MeasureError(measure, f"scale is {scale!r}", "Declare its lowest and highest value, such as (1, 5)")


def checked(measure: str, answers: Rows, rating: str, columns: Iterable[str]) -> ir.Table:
    """Return the answers as a table that has the columns and whose ``rating`` is a number."""
    table, columns = as_table(answers), tuple(columns)
    require(measure, table, (rating, *columns))
    if taken := [name for name in columns if name in _TAKEN or name.startswith("_")]:
        raise MeasureError(measure, f"a group cannot be named {taken[0]!r}, as a column of the result", "Rename it")
    kind = table[rating].type()
    if kind.is_boolean() or not (kind.is_numeric() or kind.is_null()):
        raise MeasureError(measure, f"column {rating!r} holds {kind}, not numbers", "Convert it to whole numbers")
    return table


def rated(answers: ir.Table, rating: ir.Value, columns: Iterable[str], *, one_per_customer: bool) -> ir.Table:
    """Return the answers that hold a rating: columns…, _rating (float), _anonymous, _kept (counts as the latest)."""
    columns = tuple(dict.fromkeys(columns))
    given = answers.mutate(_rating=rating.cast("float64"))
    given = given.filter(given["_rating"].notnull(), ~given["_rating"].isnan())
    anonymous = given["customer_id"].isnull() if "customer_id" in given.columns else ibis.literal(True)
    kept = anonymous | _is_latest(given, columns) if one_per_customer else ibis.literal(True)
    return given.select(*columns, "_rating", _anonymous=anonymous, _kept=kept)


def latest(answers: ir.Table, rating: str, columns: Iterable[str]) -> ir.Table:
    """Return one answer a customer and wave, the latest: columns…, _rating (float). Anonymous ones all stay."""
    found = rated(answers, answers[rating], columns, one_per_customer=True)
    return found.filter(found["_kept"]).drop("_kept", "_anonymous")


def applicable(answers: ir.Table, rating: str, scale: Scale) -> ir.Value:
    """Return a rating of an occasion; on a scale that starts above 0, a 0 says "not applicable" and is missing."""
    return answers[rating].nullif(0) if scale[0] > 0 else answers[rating]


def _is_latest(given: ir.Table, columns: tuple[str, ...]) -> ir.Value:
    if "customer_id" not in given.columns:
        return ibis.literal(True)
    wave = [given[name] for name in ("customer_id", "survey", "period") if name in given.columns]
    order = [ibis.desc("answered_at", nulls_first=False)] if "answered_at" in given.columns else []
    if "response_id" in given.columns:
        order.append(ibis.desc(binary_order(given, "response_id"), nulls_first=False))
    # equal times without an id, or with the same one, must still be decided, or two runs could differ
    order += [given["_rating"], *(given[name] for name in columns)]
    return ibis.row_number().over(ibis.window(group_by=wave, order_by=order)) == 0


def off_scale(value: ir.Value, scale: Scale) -> dict[str, ir.Value]:
    """Return what a reduction must bring along for ``executed``: how many answers lie off the scale, and where."""
    off = value.notin(range(scale[0], scale[1] + 1))
    return {"off_scale": times(off), "off_low": value.min(where=off), "off_high": value.max(where=off)}


def times(condition: ir.Value) -> ir.Value:
    """Count the rows where the condition holds, 0 where there are none."""
    return condition.ifelse(1, 0).sum().coalesce(0)


def executed(measure: str, counts: ir.Table, scale: Scale, by: tuple[str, ...]) -> pd.DataFrame:
    """Return the groups that hold answers, sorted by ``by``; raises MeasureError where an answer lies off the scale."""
    groups = counts.execute()
    if off := int(groups["off_scale"].sum()):
        raise MeasureError(
            measure,
            f"{off} answers are no whole number from {scale[0]} to {scale[1]} "
            f"(they run from {groups['off_low'].min():g} to {groups['off_high'].max():g})",
            "Declare the scale that was asked, or set these answers missing",
        )
    groups = groups.drop(columns=["off_scale", "off_low", "off_high"])
    if not by:
        return groups
    return groups[groups["n"] > 0].sort_values(list(by), na_position="last", ignore_index=True)
