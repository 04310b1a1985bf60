"""Orders foretold against orders placed: as they add up over time, and by tenth of the customers."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, dates, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence

_WEEKS = ("last_day", "is_holdout", "actual", "predicted")
_TENTHS = ("tenth", "customers", "predicted", "actual", "low", "high")
_ROOM = 1.08
_LABEL_GAP = 0.07
"""Of the height of the plot, between the labels at the ends of both lines."""
_TICKS = 6


def tracking(frame: pd.DataFrame, *, title: str, note: str = "") -> Chart | Sentence:
    """Draw repeat orders foretold and placed as they add up week by week, and where the forecast begins.

    Columns in: last_day (of the week), is_holdout, actual, predicted (added up since the first week).
    """
    require("charts.tracking", frame, _WEEKS)
    rows = frame[frame["actual"].notna() & frame["predicted"].notna()].sort_values("last_day", ignore_index=True)
    if rows.empty:
        return words.no_data(title)
    top = _ROOM * max(float(rows[["actual", "predicted"]].max().max()), 1.0)
    learned = rows[~rows["is_holdout"].astype(bool)]

    def paint(ax: Axes) -> None:
        ax.plot(rows.index, rows["actual"].astype(float), color=style.ACCENT, linewidth=2.2)
        ax.plot(rows.index, rows["predicted"].astype(float), color=style.WARNING, linestyle=(0, (4, 2)))
        ax.set_xlim(0, max(len(rows) - 1, 1))
        ax.set_ylim(0, top)
        if len(learned) < len(rows):
            ax.axvspan(len(learned) - 0.5, len(rows) - 1, color=style.GRID, alpha=0.45, linewidth=0)
            furniture.reference_line(ax, len(learned) - 0.5, _("foretold from here on"))
        _named_ends(ax, rows, top)
        step = max(1, -(-len(rows) // _TICKS))
        places = rows.index[::step]
        ax.set_xticks(places, [dates.date(day) for day in rows["last_day"].iloc[places]])
        ax.grid(axis="y")
        furniture.number_axis(ax.yaxis, "count", _("Days with a repeat order, added up"))

    return canvas.chart(paint, height_cm=8, title=title, alt=_tracking_alt(rows, learned), note=note)


def _named_ends(ax: Axes, rows: pd.DataFrame, top: float) -> None:
    lines = {_("placed"): (rows["actual"], style.ACCENT), _("foretold"): (rows["predicted"], style.WARNING)}
    ends = [float(values.iloc[-1]) / top for values, _colour in lines.values()]
    last = max(len(rows) - 1, 1)
    for (name, (values, colour)), place in zip(lines.items(), furniture.apart(ends, _LABEL_GAP), strict=True):
        text = f"{name} {numbers.show(values.iloc[-1], 'count')}"
        ax.annotate(text, (last * 1.02, place * top), va="center", color=colour, annotation_clip=False)


def _tracking_alt(rows: pd.DataFrame, learned: pd.DataFrame) -> str:
    text = _(
        "Two rising lines, days with a repeat order added up week by week until {last}: placed {actual}, foretold "
        "{predicted}; the forecast knows nothing from {split} on."
    )
    place = min(len(learned), len(rows) - 1)
    return text.format(
        last=dates.date(rows["last_day"].iloc[-1]),
        actual=numbers.show(rows["actual"].iloc[-1], "count"),
        predicted=numbers.show(rows["predicted"].iloc[-1], "count"),
        split=dates.date(rows["last_day"].iloc[max(place - 1, 0)]),
    )


def forecasts(frame: pd.DataFrame, *, title: str, smallest: int = 1, note: str = "") -> Chart | Sentence:
    """Draw by tenth of the customers how often they were foretold to order and how often they did.

    Columns in: tenth (1 lowest), customers, predicted, actual (mean days with an order), low, high (of actual). Tenths
    of fewer than ``smallest`` customers are not drawn.
    """
    require("charts.forecasts", frame, _TENTHS)
    known = frame[frame["actual"].notna() & frame["predicted"].notna() & (frame["customers"] >= smallest)]
    if known.empty:
        return words.no_data(title)
    rows = known.astype(dict.fromkeys(_TENTHS, "float64")).sort_values("tenth", ignore_index=True)
    end = _ROOM * max(rows["predicted"].max(), rows["high"].max(), rows["actual"].max(), 0.1)

    def paint(ax: Axes) -> None:
        sides = _("more orders than foretold"), _("fewer orders than foretold")
        furniture.against_forecast(ax, rows, "actual", (end, end), sides)
        furniture.number_axis(ax.xaxis, "points", _("Days with an order foretold, mean a customer"))
        furniture.number_axis(ax.yaxis, "points", _("Days with an order that came"))

    return canvas.chart(paint, height_cm=8.5, title=title, alt=_alt(rows), note=note)


def _alt(rows: pd.DataFrame) -> str:
    text = _("{tenth}: foretold {predicted}, came {actual} ({ends})")
    told = [
        text.format(
            tenth=numbers.show(row["tenth"], "count"),
            predicted=numbers.show(row["predicted"], "index"),
            actual=numbers.show(row["actual"], "index"),
            ends=numbers.interval(row["low"], row["high"], "index"),
        )
        for _i, row in rows.iterrows()
    ]
    whole = _("Days with an order foretold against those that came, with {level}\u00a0intervals, by tenth: {listed}.")
    return whole.format(level=names.level(), listed=names.listed(told))
