"""Values with their intervals: by group, and over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, dates, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence
from analysis.errors import MeasureError


def intervals(
    frame: pd.DataFrame,
    *,
    value: str,
    label: str,
    unit: str,
    title: str,
    low: str = "low",
    high: str = "high",
    n: str = "n",
    sort: bool = True,
    reference: float | None = None,
    reference_label: str = "",
    measure: str | None = None,
    note: str = "",
) -> Chart | Sentence:
    """Draw a dot and its interval for each row, the highest on top unless ``sort`` is off.

    Columns in: ``value``, ``label``, ``low``, ``high``; ``n`` is written beside the label where it is there.
    ``measure`` is the name of what is measured, where it is not that of the column. ``reference`` is drawn as a line,
    such as the value of all. Rows without a value are left out and named below.
    """
    require("charts.intervals", frame, (value, label, low, high))
    known = frame[frame[value].notna()]
    if known.empty:
        return words.no_data(title)
    rows = (known.sort_values(value, kind="stable") if sort else known[::-1]).reset_index(drop=True)
    left_out = [names.label(name) for name in frame.loc[frame[value].isna(), label]]

    def paint(ax: Axes) -> None:
        _dots(ax, rows[value], rows[low], rows[high])
        if reference is not None:
            furniture.reference_line(ax, reference, f"{reference_label} {numbers.show(reference, unit)}".strip())
        ax.set_yticks(range(len(rows)), [furniture.row_label(row, label, n) for _i, row in rows.iterrows()])
        furniture.beside(ax, [numbers.show(worth, unit) for worth in rows[value]], right=True)
        ax.set_ylim(-0.6, len(rows) - 0.4 + (0.5 if reference is not None else 0))
        ax.grid(axis="x")
        furniture.open_side(ax, "left")
        furniture.number_axis(ax.xaxis, unit, axis_heading(measure or value, unit))

    return canvas.chart(
        paint,
        height_cm=1.9 + 0.72 * len(rows) + (0.4 if reference is not None else 0),
        title=title,
        alt=_("Dots with {level}\u00a0intervals, {measure} of {count} groups: {listed}.").format(
            level=names.level(),
            measure=names.column(measure or value),
            count=len(rows),
            listed=furniture.listed([_told(row, value, label, low, high, unit) for _i, row in rows[::-1].iterrows()]),
        ),
        note=" ".join(filter(None, (_left_out(left_out), note))),
    )


def axis_heading(name: str, unit: str) -> str:
    """Return the heading of an axis: what is measured, and its unit where the numbers do not show it.

    >>> axis_heading("nps", "points"), axis_heading("share", "share")
    ('Net Promoter Score (Punkte)', 'Anteil')
    """
    words_of_units = {"points": _("points"), "days": _("days"), "per year": _("a year")}
    heading = names.column(name)
    return f"{heading} ({words_of_units[unit]})" if unit in words_of_units else heading


def _dots(ax: Axes, values: pd.Series, lows: pd.Series, highs: pd.Series) -> None:
    places = np.arange(len(values))
    ax.hlines(places, lows.astype(float), highs.astype(float), color=style.ACCENT, linewidth=1.6)
    ax.plot(values.astype(float), places, "o", color=style.ACCENT, markersize=6)


def _left_out(labels: list[str]) -> str:
    return _("Without a value: {names}.").format(names=", ".join(labels)) if labels else ""


def _told(row: pd.Series, value: str, label: str, low: str, high: str, unit: str) -> str:
    ends = numbers.interval(row[low], row[high], unit)
    return f"{names.label(row[label])} {numbers.show(row[value], unit)} ({ends})"


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
    note: str = "",
) -> Chart | Sentence:
    """Draw a value by period with its interval; a period without a value, or without a row, is a gap.

    Columns in: ``period`` (ids such as 2026-Q3, each once), ``value``, ``low``, ``high``. ``measure`` is the name of
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
        line = rows[value].astype(float).reindex(every)
        ax.vlines(rows.index, rows[low].astype(float), rows[high].astype(float), color=style.ACCENT, alpha=0.35)
        ax.plot(line.index, line, "o-", color=style.ACCENT, markersize=5)
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
