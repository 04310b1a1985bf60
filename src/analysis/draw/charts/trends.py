"""A value over time with its interval, and the level beneath the noise."""

from __future__ import annotations

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
    note: str = "",
) -> Chart | Sentence:
    """Draw a value by period with its interval; a period without a value, or without a row, is a gap.

    Columns in: ``period`` (ids such as 2026-Q3, each once), ``value``, ``low``, ``high``. ``level`` names the smoothed
    level, drawn as a line through all periods with its band (``<level>_low``, ``<level>_high``); the values are then
    dots. ``verdict`` names the column that says whether a period differs from the one before; such dots are full and
    stand out. ``measure`` is the name of
    what is measured, where it is not that of the column. Raises MeasureError where a period stands twice.
    """
    require("charts.trend", frame, (period, value, low, high))
    known = frame[frame[value].notna()]
    if known.empty:
        return words.no_data(title)
    rows = known.set_index(known[period].map(dates.ordinal)).sort_index()
    if rows.index.has_duplicates:
        twice = rows[period][rows.index.duplicated()].iloc[0]
        raise MeasureError("charts.trend", f"period {twice} stands in more than one row", "Draw one group at a time")

    def paint(ax: Axes) -> None:
        every = range(rows.index.min(), rows.index.max() + 1)
        ax.vlines(rows.index, rows[low].astype(float), rows[high].astype(float), color=style.ACCENT, alpha=0.35)
        if level and frame[level].notna().any():
            _level(ax, frame.set_index(frame[period].map(dates.ordinal)).sort_index(), level)
            _steps(ax, rows[value].astype(float), rows[verdict].isin(DIFFERS) if verdict else rows[value].isna())
        else:
            ax.plot(every, rows[value].astype(float).reindex(every), "o-", color=style.ACCENT, markersize=5)
        last = rows.iloc[-1]
        ax.annotate(
            numbers.show(last[value], unit),
            (rows.index[-1], last[value]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
        )
        _period_ticks(ax, rows[period])
        ax.grid(axis="y")
        furniture.number_axis(ax.yaxis, unit, axis_heading(measure or value, unit))

    return canvas.chart(
        paint, height_cm=7.5, title=title, alt=_trend_alt(rows, period, value, unit, measure or value), note=note
    )


def _level(ax: Axes, rows: pd.DataFrame, level: str) -> None:
    ends = (rows[f"{level}_{end}"].astype(float) for end in ("low", "high"))
    ax.fill_between(rows.index, *ends, color=style.SERIES[2], alpha=0.18, linewidth=0)
    ax.plot(rows.index, rows[level].astype(float), "-", color=style.SERIES[2], linewidth=2)
    furniture.key(ax, {_("Measured"): style.ACCENT, _("Smoothed level"): style.SERIES[2]})


def _steps(ax: Axes, values: pd.Series, differs: pd.Series) -> None:
    ax.plot(values.index[~differs], values[~differs], "o", color=style.ACCENT, markersize=4)
    ax.plot(values.index[differs], values[differs], "D", color=style.WARNING, markersize=7)


def _period_ticks(ax: Axes, periods: pd.Series) -> None:
    step = -(-len(periods) // 8)
    shown = periods[::-1][::step]
    ax.set_xticks(shown.index, [dates.period(name) for name in shown])
    ax.set_xlim(periods.index.min() - 0.4, periods.index.max() + 0.4)


def _trend_alt(rows: pd.DataFrame, period: str, value: str, unit: str, measure: str) -> str:
    def point(row: Any) -> str:
        return f"{dates.period(row[period])} {numbers.show(row[value], unit)}"

    most, least = rows.iloc[int(rows[value].argmax())], rows.iloc[int(rows[value].argmin())]
    return _("Line over {count} periods, {measure}: from {first} to {last}; highest {most}, lowest {least}.").format(
        count=len(rows),
        measure=names.column(measure),
        first=point(rows.iloc[0]),
        last=point(rows.iloc[-1]),
        most=point(most),
        least=point(least),
    )
