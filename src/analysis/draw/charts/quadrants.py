"""Importance against performance: where improving pays most."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence

_NEEDED = ("attribute", "importance", "importance_low", "importance_high", "mean", "mean_low", "mean_high", "quadrant")


def importance_performance(frame: pd.DataFrame, *, title: str, note: str = "") -> Chart | Sentence:
    """Draw how well each attribute is rated (across) against how much it counts (upwards), with both intervals.

    Columns in: attribute, importance, mean, each with its _low and _high, quadrant. The lines stand at equal shares of
    importance and at the mean of the means; an attribute whose intervals do not clear both is drawn hollow.
    """
    require("charts.importance_performance", frame, _NEEDED)
    rows = frame.dropna(subset=["importance", "mean"]).reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)

    def paint(ax: Axes) -> None:
        decided = rows["quadrant"] != "undecided"
        ax.hlines(rows["importance"], rows["mean_low"], rows["mean_high"], color=style.ACCENT, alpha=0.4)
        ax.vlines(rows["mean"], rows["importance_low"], rows["importance_high"], color=style.ACCENT, alpha=0.4)
        for shown, fill in ((decided, style.ACCENT), (~decided, style.BACKGROUND)):
            part = rows[shown]
            ax.plot(part["mean"], part["importance"], "o", color=style.ACCENT, markerfacecolor=fill, markersize=6)
        _name_points(ax, rows)
        _cross(ax, rows["mean"].mean(), 1 / len(rows))
        furniture.number_axis(ax.xaxis, "rating", _("How well it is rated (mean)"))
        furniture.number_axis(ax.yaxis, "share", _("How much it counts (share of what is explained)"))

    told = [
        f"{names.label(row['attribute'])}: {numbers.show(row['importance'], 'share')}, "
        f"{numbers.show(row['mean'], 'rating')}, {names.label(row['quadrant'])}"
        for _i, row in rows.iterrows()
    ]
    alt = _("Dots by importance and mean rating of {count} attributes: {listed}.")
    hollow = _("Hollow: one of the two intervals reaches over a line, so the field is not certain.")
    return canvas.chart(
        paint,
        height_cm=9.5,
        title=title,
        alt=alt.format(count=len(rows), listed=names.listed(told)),
        note=" ".join(filter(None, (hollow, note))),
    )


def _name_points(ax: Axes, rows: pd.DataFrame) -> None:
    """Name each point at its right, names that would touch moved apart."""
    ordered = rows.sort_values("importance")
    reach = rows["importance_high"].fillna(rows["importance"]).max()
    heights = furniture.apart(ordered["importance"].tolist(), 0.055 * reach)
    for (_i, row), height in zip(ordered.iterrows(), heights, strict=True):
        right = row["mean"] if numbers.is_missing(row["mean_high"]) else row["mean_high"]
        ax.annotate(
            names.label(row["attribute"]), (right, height), xytext=(5, 0), textcoords="offset points", va="center"
        )


def _cross(ax: Axes, across: float, upwards: float) -> None:
    ax.margins(0.12)
    ax.axvline(across, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    ax.axhline(upwards, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
    corners = {
        "concentrate here": (0, 1),
        "keep up": (1, 1),
        "low priority": (0, 0),
        "possible overkill": (1, 0),
    }
    for name, (x, y) in corners.items():
        ax.annotate(
            names.label(name),
            (x, y),
            xycoords="axes fraction",
            xytext=(4 - 8 * x, 4 - 8 * y),
            textcoords="offset points",
            ha="right" if x else "left",
            va="top" if y else "bottom",
            color=style.MUTED,
        )
