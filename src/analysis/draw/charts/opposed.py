"""Two sides against each other: what one says more often, and what the other."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence


def opposed(
    frame: pd.DataFrame, *, label: str, value: str, side: str, title: str, most: int = 10, note: str = ""
) -> Chart | Sentence:
    """Draw a bar a row, from the middle to the left or the right by its sign, in the colour of its side.

    Columns in: ``label``, ``value``, ``side`` (the group that a row speaks for); of each side the ``most`` longest.
    """
    require("charts.opposed", frame, (label, value, side))
    known = frame.dropna(subset=[value])
    rows = known.loc[known[value].abs().sort_values(ascending=False, kind="stable").index]
    rows = rows.groupby(side, sort=False).head(most).sort_values(value, kind="stable").reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)
    sides = sorted(dict.fromkeys(rows[side]), key=lambda name: rows.loc[rows[side] == name, value].mean())

    def paint(ax: Axes) -> None:
        colours = [style.colour(str(name), position) for position, name in enumerate(rows[side])]
        ax.barh(rows.index, rows[value], color=colours, height=0.7)
        for place, row in rows.iterrows():
            is_left = row[value] < 0
            ax.annotate(
                names.printable(row[label]),
                (row[value], place),
                xytext=(-5 if is_left else 5, 0),
                textcoords="offset points",
                ha="right" if is_left else "left",
                va="center",
            )
        reach = 1.45 * rows[value].abs().max()
        ax.set_xlim(-reach, reach)
        ax.set_xticks([])
        ax.set_yticks([])
        furniture.open_side(ax, "left", "bottom")
        furniture.key(ax, {names.label(name): style.colour(str(name), i) for i, name in enumerate(sides)})

    told = [
        f"{names.label(name)}: {', '.join(names.printable(word) for word in _of(rows, label, value, side, name))}"
        for name in sides
    ]
    alt = _("Bars to two sides, the longest first. {listed}.").format(listed="; ".join(told))
    return canvas.chart(paint, height_cm=1.6 + 0.55 * len(rows), title=title, alt=alt, note=note)


def _of(rows: pd.DataFrame, label: str, value: str, side: str, name: str) -> list[str]:
    own = rows[rows[side] == name]
    order = own[value].abs().sort_values(ascending=False).index
    return [str(word) for word in own.loc[order, label]]
