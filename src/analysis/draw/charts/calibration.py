"""What was forecast against what came."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, words
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
        sides = _("more left than predicted"), _("fewer left than predicted")
        furniture.against_forecast(ax, rows, "observed", (min(1, end), end), sides)
        furniture.number_axis(ax.xaxis, "share", _("Share predicted to leave"))
        furniture.number_axis(ax.yaxis, "share", _("Share that left"))

    return canvas.chart(paint, height_cm=8.5, title=title, alt=_alt(rows), note=note)


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
