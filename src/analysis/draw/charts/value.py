"""How expected values are spread over the customers."""

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

_COLUMNS = ("from", "to", "customers", "share", "value")


def value_spread(frame: pd.DataFrame, *, title: str, smallest: int = 1, note: str = "") -> Chart | Sentence:
    """Draw which share of the customers is expected to bring how much, in steps that begin where the axis is marked.

    Columns in: from, to (money; missing where open), customers, share (0 to 1), value (sum). Steps of fewer than
    ``smallest`` customers are not drawn.
    """
    require("charts.value_spread", frame, _COLUMNS)
    rows = frame[frame["share"].notna()].reset_index(drop=True)
    rows = rows.assign(share=rows["share"].where(rows["customers"] >= smallest))
    if rows["share"].fillna(0).sum() <= 0:
        return words.no_data(title)
    bins = [_bin(row) for row in rows.to_dict("records")]

    def paint(ax: Axes) -> None:
        colours = [style.WARNING if numbers.is_missing(start) else style.ACCENT for start in rows["from"]]
        ax.bar(rows.index, rows["share"].fillna(0), width=0.86, color=colours)
        for place, share in rows["share"].items():
            text = numbers.show(share, "share") if share > 0 or numbers.is_missing(share) else ""
            height = 0 if numbers.is_missing(share) else share
            ax.annotate(text, (place, height), xytext=(0, 3), textcoords="offset points", ha="center")
        ax.set_xticks(rows.index[1:] - 0.5, [numbers.short(start, "money") for start in rows["from"].iloc[1:]])
        ax.set_xlim(-0.5, max(len(rows) - 0.5, 1))
        ax.set_yticks([])
        ax.set_xlabel(_("Expected value of a customer"))
        furniture.open_side(ax, "left")
        ax.tick_params(axis="x", length=4)

    few = (frame["customers"].between(1, smallest - 1)).any()
    hidden = _("A dash stands for fewer than {count} customers.").format(count=smallest) if few else ""
    return canvas.chart(
        paint, height_cm=7.5, title=title, alt=_alt(rows, bins), note=" ".join(filter(None, (hidden, note)))
    )


def _bin(row: dict[Any, Any]) -> str:
    if numbers.is_missing(row["from"]):
        return _("below {money}").format(money=numbers.short(row["to"], "money"))
    if numbers.is_missing(row["to"]):
        return _("{money} and more").format(money=numbers.short(row["from"], "money"))
    return numbers.interval(row["from"], row["to"], "money", write=numbers.short)


def _alt(rows: pd.DataFrame, bins: list[str]) -> str:
    told = [f"{name} {numbers.show(share, 'share')}" for name, share in zip(bins, rows["share"], strict=True)]
    text = _("Bars, share of the customers by expected value: {listed}.")
    return text.format(listed=names.listed(told))
