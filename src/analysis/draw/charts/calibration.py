"""What was forecast against what came."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence

_COLUMNS = ("tenth", "n", "predicted", "observed", "low", "high")
_ROOM = 1.1
"""How much higher than the highest interval the plot is, for words to stand above it."""


def calibration(frame: pd.DataFrame, *, title: str, smallest: int = 5, note: str = "") -> Chart | Sentence:
    """Draw by tenth of the forecasts which share was forecast to leave and which left, and where both are equal.

    Columns in: tenth (1 lowest), n, and the shares predicted, observed, low, high. Both axes end with the largest, so
    that small shares can be told apart. Tenths of fewer than ``smallest`` customers are not drawn.
    """
    require("charts.calibration", frame, _COLUMNS)
    known = frame[frame["observed"].notna() & frame["predicted"].notna() & (frame["n"] >= smallest)]
    if known.empty:
        return words.no_data(title)
    rows = known.astype(dict.fromkeys(_COLUMNS, "float64")).sort_values("tenth", ignore_index=True)
    end = _ROOM * max(rows["predicted"].max(), rows["high"].max(), 0.01)

    def paint(ax: Axes) -> None:
        ax.plot([0, min(1, end)], [0, min(1, end)], color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        ax.vlines(rows["predicted"], rows["low"], rows["high"], color=style.ACCENT, linewidth=1.6)
        ax.plot(rows["predicted"], rows["observed"], "o", color=style.ACCENT, markersize=6)
        _named_sides(ax)
        ax.set_xlim(0, min(1, end))
        ax.set_ylim(0, end)
        ax.grid()
        furniture.number_axis(ax.xaxis, "share", _("Share predicted to leave"))
        furniture.number_axis(ax.yaxis, "share", _("Share that left"))

    return canvas.chart(paint, height_cm=8.5, title=title, alt=_alt(rows), note=note)


def _named_sides(ax: Axes) -> None:
    """Say on which side of the line more left than predicted, and on which fewer."""
    plain: dict[str, Any] = {"transform": ax.transAxes, "color": style.MUTED, "fontsize": style.SMALL_SIZE}
    ax.text(0.02, 0.98, _("more left than predicted"), ha="left", va="top", **plain)
    ax.text(0.98, 0.03, _("fewer left than predicted"), ha="right", va="bottom", **plain)


def _alt(rows: pd.DataFrame) -> str:
    text = _("{tenth}: predicted {predicted}, left {observed} ({ends})")
    told = [
        text.format(
            tenth=numbers.show(row["tenth"], "count"),
            predicted=numbers.show(row["predicted"], "share"),
            observed=numbers.show(row["observed"], "share"),
            ends=numbers.interval(row["low"], row["high"], "share"),
        )
        for _i, row in rows.iterrows()
    ]
    whole = _("Share predicted to leave against the share that left, with {level}\u00a0intervals, by tenth: {listed}.")
    return whole.format(level=names.level(), listed=names.listed(told))
