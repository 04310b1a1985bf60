"""Curves: how long customers stay, and how revenue is concentrated."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence
from analysis.errors import MeasureError

_STEPS = 200
_PAPER = {"facecolor": style.BACKGROUND, "edgecolor": "none", "pad": 1.5}
_MOST_GROUPS = len(style.SERIES)


def survival(
    frame: pd.DataFrame, *, title: str, by: str | None = None, smallest: int = 1, note: str = ""
) -> Chart | Sentence:
    """Draw survival curves with their bands, one a group, named at their ends, medians marked.

    Columns in: ``time`` in days, drawn in months; ``at_risk``; ``survival``, ``low``, ``high`` as shares; ``by`` where
    one is named. A curve is 1 from ``attrs["from_time"]``, or from 0, to its first row, and ends where fewer than
    ``smallest`` are at risk.
    Raises MeasureError for more groups than there are colours.
    """
    require("charts.survival", frame, ("time", "at_risk", "survival", "low", "high", *([by] if by else [])))
    known = frame[frame["survival"].notna() & (frame["at_risk"] >= smallest)]
    if known.empty:
        return words.no_data(title)
    start = float(frame.attrs.get("from_time", 0))
    groups = list(known.groupby(by, sort=False, dropna=False)) if by else [("", known)]
    curves = {name: _steps(rows, start) for name, rows in groups}
    medians = {name: median(rows) for name, rows in groups}
    if len(curves) > _MOST_GROUPS:
        raise MeasureError(
            "charts.survival",
            f"{len(curves)} groups in {by!r} are more than the {_MOST_GROUPS} that can be told apart",
            "Merge small groups, or draw the chart without by",
        )

    def paint(ax: Axes) -> None:
        for position, rows in enumerate(curves.values()):
            _curve(ax, rows, style.SERIES[position])
        _mark_medians(ax, medians)
        _end_labels(ax, curves)
        furniture.months_axis(ax, max(rows["time"].iloc[-1] for rows in curves.values()))
        ax.set_ylim(0, 1.02)
        ax.grid(axis="y")
        furniture.number_axis(ax.yaxis, "share", names.column("survival"))

    return canvas.chart(paint, height_cm=8.5, title=title, alt=_survival_alt(curves, medians), note=note)


def _steps(rows: pd.DataFrame, start: float) -> pd.DataFrame:
    """Begin at 1, and keep no more steps than a page can show: the last of those that would fall on one spot."""
    rows = rows[["time", "survival", "low", "high"]].astype(float).sort_values("time")
    first = pd.DataFrame({"time": [start], "survival": [1.0], "low": [1.0], "high": [1.0]})
    rows = pd.concat([first, rows], ignore_index=True)
    spot = (rows["time"] * _STEPS / max(rows["time"].iloc[-1], 1e-9)).round()
    return rows[~spot.duplicated(keep="last")].reset_index(drop=True)


def _curve(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    months = rows["time"] / furniture.DAYS_A_MONTH
    ax.fill_between(months, rows["low"], rows["high"], step="post", color=colour, alpha=0.15, linewidth=0)
    ax.step(months, rows["survival"], where="post", color=colour)


def median(rows: pd.DataFrame) -> float | None:
    """Return the first time at which no more than half are left, in days, or None where more than half are."""
    below = rows.loc[rows["survival"] <= 0.5, "time"]
    return None if below.empty else float(below.iloc[0])


def _mark_medians(ax: Axes, medians: dict[Any, float | None]) -> None:
    for position, at in enumerate(medians.values()):
        if at is not None:
            ax.plot(at / furniture.DAYS_A_MONTH, 0.5, "o", color=style.SERIES[position], markersize=5)
            line: dict[str, Any] = {"color": style.SERIES[position], "linewidth": 0.8, "linestyle": (0, (2, 2))}
            ax.vlines(at / furniture.DAYS_A_MONTH, 0, 0.5, **line)


def _end_labels(ax: Axes, curves: dict[Any, pd.DataFrame]) -> None:
    ends = [float(rows["survival"].iloc[-1]) for rows in curves.values()]
    last = max(rows["time"].iloc[-1] for rows in curves.values()) / furniture.DAYS_A_MONTH
    for (name, rows), end, place in zip(curves.items(), ends, furniture.apart(ends, 0.065), strict=True):
        group = names.label(name) if name != "" else ""
        ax.annotate(
            f"{group}: {numbers.short(end, 'share')}" if group else numbers.short(end, "share"),
            (rows["time"].iloc[-1] / furniture.DAYS_A_MONTH, end),
            xytext=(last * 1.02, place),
            textcoords="data",
            va="center",
            color=style.INK,
            annotation_clip=False,
        )


def _survival_alt(curves: dict[Any, pd.DataFrame], medians: dict[Any, float | None]) -> str:
    def told(name: Any, rows: pd.DataFrame) -> str:
        at = medians[name]
        half = (
            _("median {months} months").format(months=numbers.show(at / furniture.DAYS_A_MONTH, "index", places=1))
            if at is not None
            else _("median not reached")
        )
        end = _("{share} after {months} months").format(
            share=numbers.show(rows["survival"].iloc[-1], "share"),
            months=numbers.show(rows["time"].iloc[-1] / furniture.DAYS_A_MONTH, "count"),
        )
        group = f"{names.label(name)}: " if name != "" else ""
        return f"{group}{end}, {half}"

    listed = names.listed([told(name, rows) for name, rows in curves.items()])
    return _("Falling step curves with {level}\u00a0bands, share still customer. {listed}.").format(
        level=names.level(), listed=listed
    )


def lorenz(
    frame: pd.DataFrame,
    *,
    title: str,
    customers: str = "customer_share",
    revenue: str = "revenue_share",
    cuts: Sequence[float] = (0.8, 0.95),
    note: str = "",
) -> Chart | Sentence:
    """Draw how few customers bring how much of the revenue, the largest first, and mark the ABC cuts.

    Columns in: ``customers`` and ``revenue``, cumulative shares 0 to 1 with the lowest amounts first, as the Lorenz
    curve is defined; the chart turns it around.
    """
    require("charts.lorenz", frame, (customers, revenue))
    known = frame[[customers, revenue]].dropna().astype(float)
    if known.empty:
        return words.no_data(title)
    curve = (1 - known).sort_values([customers, revenue])
    marks = [(float(np.interp(cut, curve[revenue], curve[customers])), cut) for cut in cuts]
    curve = curve[~(curve[customers] * _STEPS).round().duplicated()]

    def paint(ax: Axes) -> None:
        ax.plot([0, 1], [0, 1], color=style.MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        ax.plot(curve[customers], curve[revenue], color=style.ACCENT)
        for share, cut in marks:
            _mark(ax, share, cut)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.02)
        ax.grid()
        furniture.number_axis(ax.xaxis, "share", _("Share of customers, the largest first"))
        furniture.number_axis(ax.yaxis, "share", _("Share of revenue"))

    listed = "; ".join(_cut_text(share, cut) for share, cut in marks)
    alt = _("Concentration curve of revenue: {listed}.").format(listed=listed)
    return canvas.chart(paint, height_cm=9, title=title, alt=alt, note=note)


_LABEL_WIDTH = 26
"""In letters, so that a label at the right end of the curve stays on the page."""


def _mark(ax: Axes, share: float, cut: float) -> None:
    ax.plot(share, cut, "o", color=style.WARNING, markersize=6)
    text = fill(_cut_text(share, cut), _LABEL_WIDTH)
    ax.annotate(text, (share, cut), xytext=(9, -15), textcoords="offset points", va="center", bbox=_PAPER)


def _cut_text(share: float, cut: float) -> str:
    return _("{customers} of the customers bring {revenue} of the revenue").format(
        customers=numbers.show(share, "share"), revenue=numbers.short(cut, "share")
    )
