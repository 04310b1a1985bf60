"""What offers earn."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, offer_names, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.words import Sentence

_COLOURS = {"drop": style.WARNING, "watch": style.SERIES[2], "keep": style.ACCENT}
_COLUMNS = ("product_id", "contribution", "low", "high", "verdict", "customers")


def contributions(
    frame: pd.DataFrame, *, title: str, most: int = 25, smallest: int = 0, note: str = ""
) -> Chart | Sentence:
    """Draw what each offer earned with its interval, the highest on top, in the colour of its verdict.

    Columns in: product_id, contribution, low, high, verdict, customers, and name where there is one. At most so many
    offers are drawn, as ``offer_names.pressing`` picks them.
    """
    require("charts.contributions", frame, _COLUMNS)
    known = frame[frame["contribution"].notna()]
    rows = offer_names.pressing(known, most=most, smallest=smallest)[::-1].reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)
    colours = [_COLOURS.get(code, style.MUTED) for code in rows["verdict"]]
    row_names = [
        furniture.row_label(pd.Series({"_name": offer_names.offer_name(row)}), "_name", "n")
        for row in rows.to_dict("records")
    ]

    def paint(ax: Axes) -> None:
        ax.axvline(0, color=style.MUTED, linewidth=0.9, zorder=1)
        ax.hlines(rows.index, rows["low"].astype(float), rows["high"].astype(float), color=colours, linewidth=1.6)
        ax.scatter(rows["contribution"].astype(float), rows.index, color=colours, s=32, zorder=3)
        furniture.beside(ax, [numbers.short(worth, "money") for worth in rows["contribution"]], right=True)
        ax.set_yticks(rows.index, row_names)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.grid(axis="x")
        furniture.open_side(ax, "left")
        furniture.number_axis(ax.xaxis, "money", names.column("contribution"))
        furniture.key(ax, _key(rows))

    height = 2.9 + sum(0.95 if "\n" in name else 0.66 for name in row_names)
    left_out = len(known) - len(rows)
    fewer = ngettext("Not drawn: {count} offer.", "Not drawn: {count} offers.", left_out)
    notes = (
        _("Lines: {level}\u00a0intervals.").format(level=names.level()),
        fewer.format(count=numbers.show(left_out, "count")) if left_out else "",
        note,
    )
    return canvas.chart(paint, height_cm=height, title=title, alt=_alt(rows), note=" ".join(filter(None, notes)))


def _key(rows: pd.DataFrame) -> dict[str, str]:
    present = set(rows["verdict"])
    shown = {offer_names.verdict_name(code): colour for code, colour in _COLOURS.items() if code in present}
    others = [offer_names.verdict_name(code) for code in offer_names.VERDICTS if code in present - set(_COLOURS)]
    return shown | dict.fromkeys(others, style.MUTED)


def _alt(rows: pd.DataFrame) -> str:
    told = [_told(row) for row in rows[::-1].to_dict("records")]
    text = ngettext(
        "Dots with {level}\u00a0intervals, contribution of {count} offer: {listed}.",
        "Dots with {level}\u00a0intervals, contribution of {count} offers: {listed}.",
        len(rows),
    )
    return text.format(level=names.level(), count=numbers.show(len(rows), "count"), listed=names.listed(told))


def _told(row: dict[Any, Any]) -> str:
    value = numbers.short(row["contribution"], "money")
    between = numbers.interval(row["low"], row["high"], "money", write=numbers.short)
    return f"{offer_names.offer_name(row)} {value} ({between}), {offer_names.verdict_name(row['verdict'])}"
