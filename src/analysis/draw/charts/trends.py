"""A value over time with its interval, and the level beneath the noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, dates, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.charts.intervals import DIFFERS, axis_heading
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence
from analysis.errors import MeasureError

_ASIDE = 0.24
"""How far apart, in periods, the values of two scales in the same period stand."""


def trend(
    frame: pd.DataFrame,
    *,
    value: str,
    unit: str,
    title: str,
    period: str = "period",
    low: str = "low",
    high: str = "high",
    measure: str | None = None,
    level: str | None = None,
    verdict: str | None = None,
    smallest: int = 0,
    note: str = "",
) -> Chart | Sentence:
    """Draw a value by period with its interval; a period without a value, or without a row, is a gap.

    Columns in: ``period`` (ids such as 2026-Q3, each once), ``value``, ``low``, ``high``. ``level`` names the smoothed
    level, drawn as a line through all periods with its band (``<level>_low``, ``<level>_high``); the values are then
    dots. ``verdict`` names the column that says whether a period differs from the one before; such dots are full and
    stand out. Where a column ``scale`` holds several, each is a series of its own: nothing is drawn across the break,
    which a line marks, and in it each period stands once. ``measure`` is the name of what is measured, where it is not
    that of the column. Values of fewer than ``smallest`` answers (column n) are not shown. Raises MeasureError where a
    period stands twice.
    """
    require("charts.trend", frame, (period, value, low, high, *(["n"] if smallest else [])))
    if smallest:
        frame = frame.assign(**{value: frame[value].where(frame["n"] >= smallest)})
    if frame[value].isna().all():
        return words.no_data(title)
    all_series = _all_series(frame, period, value)
    named = _Columns(period, value, low, high, level if level and frame[level].notna().any() else None, verdict)

    def paint(ax: Axes) -> None:
        for series in all_series:
            series.draw(ax, named)
        newest = all_series[-1].known
        ax.annotate(
            numbers.show(newest[value].iloc[-1], unit),
            (newest.index[-1] + all_series[-1].shift, newest[value].iloc[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
        colours = {series.name or _("Measured"): series.colour for series in all_series}
        if named.level:
            colours[_("Smoothed level")] = style.SERIES[2]
        if len(colours) > 1:
            furniture.key(ax, colours)
        _period_ticks(ax, pd.concat([series.rows[period] for series in all_series]))
        for older, newer in pairwise(all_series):
            _break(ax, older, newer)
        ax.grid(axis="y")
        furniture.number_axis(ax.yaxis, unit, axis_heading(measure or value, unit))

    alt = _alt(all_series, period, value, unit, measure or value)
    return canvas.chart(paint, height_cm=6.5, title=title, alt=alt, note=note)


@dataclass(frozen=True)
class _Columns:
    """Where the frame has what."""

    period: str
    value: str
    low: str
    high: str
    level: str | None
    verdict: str | None


@dataclass(frozen=True)
class _Series:
    """The rows of one scale by the place of their period; ``name`` is empty where there is only one scale."""

    name: str
    rows: pd.DataFrame
    known: pd.DataFrame
    colour: str
    shift: float
    """By how much of a period it stands aside, where another has values in the same ones."""

    def draw(self, ax: Axes, named: _Columns) -> None:
        at, values = self.known.index + self.shift, self.known[named.value].astype(float)
        ends = (self.known[end].astype(float) for end in (named.low, named.high))
        ax.vlines(at, *ends, color=self.colour, alpha=0.35)
        if named.level:
            _level(ax, self.rows, named.level)
            differs = self.known[named.verdict].isin(DIFFERS) if named.verdict else values.isna()
            ax.plot(at[~differs], values[~differs], "o", color=self.colour, markersize=4)
            ax.plot(at[differs], values[differs], "D", color=style.WARNING, markersize=7)
        else:
            every = pd.RangeIndex(self.known.index.min(), self.known.index.max() + 1)
            ax.plot(every + self.shift, values.reindex(every), "o-", color=self.colour, markersize=5)


def _all_series(frame: pd.DataFrame, period: str, value: str) -> list[_Series]:
    """Return a series a scale, the one that begins first first; the last is drawn in full colour."""
    placed = frame.set_index(frame[period].map(dates.ordinal)).sort_index(kind="stable")
    scales = (
        [part for _scale, part in placed.groupby("scale", sort=False, dropna=False)] if "scale" in placed else [placed]
    )
    found = [(rows, known) for rows in scales if len(known := rows[rows[value].notna()])]
    for _rows, known in found:
        _refuse_repeated(known, period)
    is_shared = len(found) > 1 and pd.concat([known[period] for _rows, known in found]).duplicated().any()
    return [
        _Series(
            _scale_name(rows) if len(found) > 1 else "",
            rows,
            known,
            style.ACCENT if place == len(found) - 1 else style.MUTED,
            _ASIDE * (place - (len(found) - 1) / 2) if is_shared else 0,
        )
        for place, (rows, known) in enumerate(found)
    ]


def _refuse_repeated(known: pd.DataFrame, period: str) -> None:
    if known.index.has_duplicates:
        twice = known[period][known.index.duplicated()].iloc[0]
        raise MeasureError("charts.trend", f"period {twice} stands in more than one row", "Draw one group at a time")


def _scale_name(rows: pd.DataFrame) -> str:
    return _("Scale {scale}").format(scale=names.label(rows["scale"].iloc[0]))


def _level(ax: Axes, rows: pd.DataFrame, level: str) -> None:
    ends = (rows[f"{level}_{end}"].astype(float) for end in ("low", "high"))
    ax.fill_between(rows.index, *ends, color=style.SERIES[2], alpha=0.18, linewidth=0)
    ax.plot(rows.index, rows[level].astype(float), "-", color=style.SERIES[2], linewidth=2)


def _break(ax: Axes, older: _Series, newer: _Series) -> None:
    """Mark where the newer series begins, unless both begin together."""
    at = newer.known.index[0] - 0.5
    if at < older.known.index[0]:
        return
    ax.axvline(at, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    for series, side, aside in ((older, "right", -4), (newer, "left", 4)):
        ax.annotate(
            series.name,
            (at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(aside, 2),
            textcoords="offset points",
            va="bottom",
            ha=side,
            color=series.colour,
            fontsize=style.SMALL_SIZE,
        )


def _period_ticks(ax: Axes, periods: pd.Series) -> None:
    """Name periods in equal steps of time, the last one always; at most eight, and fewer where names are long."""
    periods = periods[~periods.index.duplicated()].sort_index()
    most = 8 if len(dates.period(periods.iloc[-1])) < 9 else 6
    step = -(-(periods.index.max() - periods.index.min() + 1) // most)
    shown = periods[(periods.index.max() - periods.index) % step == 0]
    ax.set_xticks(shown.index, [dates.period(name) for name in shown])
    ax.set_xlim(periods.index.min() - 0.4, periods.index.max() + 0.4)


def _alt(all_series: list[_Series], period: str, value: str, unit: str, measure: str) -> str:
    lines = [_trend_alt(series.known, period, value, unit, measure) for series in all_series]
    if len(lines) == 1:
        return lines[0]
    named = [f"{series.name}: {line}" for series, line in zip(all_series, lines, strict=True)]
    breaks = [
        _("Break at {period}: there {newer} begins, which cannot be compared with {older}.").format(
            period=dates.period(newer.known[period].iloc[0]), newer=newer.name, older=older.name
        )
        for older, newer in pairwise(all_series)
    ]
    return " ".join([*named, *breaks])


def _trend_alt(rows: pd.DataFrame, period: str, value: str, unit: str, measure: str) -> str:
    def point(row: Any) -> str:
        return f"{dates.period(row[period])} {numbers.show(row[value], unit)}"

    if len(rows) == 1:
        return f"{names.column(measure)}: {point(rows.iloc[0])}."
    most, least = rows.iloc[int(rows[value].argmax())], rows.iloc[int(rows[value].argmin())]
    return _("Line over {count} periods, {measure}: from {first} to {last}; highest {most}, lowest {least}.").format(
        count=len(rows),
        measure=names.column(measure),
        first=point(rows.iloc[0]),
        last=point(rows.iloc[-1]),
        most=point(most),
        least=point(least),
    )
