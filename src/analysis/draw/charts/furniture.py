"""What charts have in common on their axes: numbers, names, keys, lines to compare with."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, Formatter, NullLocator

from analysis.draw import names, numbers, style, words
from analysis.draw.language import _

DAYS_A_MONTH = 365.25 / 12


class _Ticks(Formatter):
    """Writes the numbers of an axis as the reader does, with the decimals they need and no more."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def __call__(self, value: float, pos: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        places = numbers.places_needed(values, self.unit)
        return [numbers.short(value, self.unit, places=places) for value in values]


def number_axis(axis: Axis, unit: str, heading: str = "") -> None:
    """Write the numbers of an axis as the reader does, and its heading."""
    axis.set_major_formatter(_Ticks(unit))
    axis.set_label_text(heading)


def months_axis(ax: Axes, last_day: float) -> None:
    """Write months since the start along the horizontal axis of a chart measured in months, up to a day."""
    months = last_day / DAYS_A_MONTH
    step = next((step for step in (1, 3, 6, 12, 24, 60) if months / step <= 10), 120)
    ax.set_xticks(np.arange(0, months + 0.1, step))
    ax.set_xlim(0, months + 0.1)
    number_axis(ax.xaxis, "count", _("Months since the start"))


def ratio_axis(ax: Axes) -> None:
    """Space the axis across by factors, with the ticks a reader of ratios expects."""
    low, high = ax.get_xlim()
    ax.set_xscale("log")
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())


def row_label(row: pd.Series, label: str | tuple[str, str], n: str) -> str:
    """Return the name of a row, on two lines where it is long, with its base where the row has one."""
    name = textwrap.fill(names.row_name(row, label), 34, max_lines=2, placeholder=" …")
    return f"{name} ({words.base(row[n])})" if n in row.index else name


def beside(ax: Axes, texts: Sequence[str], *, right: bool = False) -> None:
    """Write one text a row at the right of the plot; with ``right``, as a column of numbers."""
    room = 5.2 * max(map(len, texts)) if right else 0
    for place, text in enumerate(texts):
        ax.annotate(
            text,
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8 + room, 0),
            textcoords="offset points",
            va="center",
            ha="right" if right else "left",
        )


def key(ax: Axes, colours: Mapping[str, str]) -> None:
    """Name colours above the plot, from its left edge on, however long the names of the rows are."""
    handles = [Rectangle((0, 0), 1, 1, color=colour, label=name) for name, colour in colours.items()]
    ax.figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=len(handles),
        frameon=False,
        handlelength=1,
        handleheight=1,
        borderaxespad=0,
    )


def reference_line(ax: Axes, at: float, text: str) -> None:
    """Draw a named line to compare with, in the room kept above the rows."""
    ax.axvline(at, color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    is_right = at > sum(ax.get_xlim()) / 2
    ax.annotate(
        text,
        (at, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if is_right else 4, -1),
        textcoords="offset points",
        va="top",
        ha="right" if is_right else "left",
        color=style.MUTED,
        fontsize=style.SMALL_SIZE,
    )


def two_lines(ax: Axes, place: tuple[float, float], texts: tuple[str, str], colour: str) -> None:
    """Write two texts into the middle of a cell, the second smaller below the first; one alone where that is empty."""
    lines: list[tuple[float, str, float]] = [(6.5, texts[0], style.FONT_SIZE + 1), (-7, texts[1], style.SMALL_SIZE)]
    for shift, text, size in lines if texts[1] else [(0, *lines[0][1:])]:
        ax.annotate(
            text,
            place,
            xytext=(0, shift),
            textcoords="offset points",
            ha="center",
            va="center",
            color=colour,
            fontsize=size,
        )


def against_forecast(
    ax: Axes, rows: pd.DataFrame, came: str, ends: tuple[float, float], sides: tuple[str, str]
) -> None:
    """Draw what came, with its interval, over what was predicted, beside the line on which both are equal.

    Columns in: predicted, ``came``, low, high. ``ends`` are those of the axes across and up, ``sides`` the names of the
    sides above and below the line.
    """
    across, up = ends
    ax.plot([0, across], [0, across], color=style.MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    ax.vlines(rows["predicted"], rows["low"], rows["high"], color=style.ACCENT, linewidth=1.6)
    ax.plot(rows["predicted"], rows[came], "o", color=style.ACCENT, markersize=6)
    plain: dict[str, Any] = {"transform": ax.transAxes, "color": style.MUTED, "fontsize": style.SMALL_SIZE}
    ax.text(0.02, 0.98, sides[0], ha="left", va="top", **plain)
    ax.text(0.98, 0.03, sides[1], ha="right", va="bottom", **plain)
    ax.set_xlim(0, across)
    ax.set_ylim(0, up)
    ax.grid()


def open_side(ax: Axes, *sides: Literal["left", "bottom"]) -> None:
    """Take away the lines and ticks of sides that carry names, not numbers."""
    for side in sides:
        ax.spines[side].set_visible(False)
        ax.tick_params(axis="y" if side == "left" else "x", length=0)


def apart(positions: list[float], gap: float) -> list[float]:
    """Return positions in the same order, moved so that neighbours are at least ``gap`` apart.

    >>> apart([0.50, 0.52, 0.90], 0.1)
    [0.46, 0.56, 0.9]
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    blocks: list[list[int]] = []
    for i in order:
        blocks.append([i])
        while len(blocks) > 1 and _touch(blocks[-2], blocks[-1], positions, gap):
            last = blocks.pop()
            blocks[-1] += last
    placed = {i: at for block in blocks for i, at in zip(block, _places(block, positions, gap), strict=True)}
    return [placed[i] for i in range(len(positions))]


def _places(block: list[int], positions: list[float], gap: float) -> list[float]:
    middle = sum(positions[i] for i in block) / len(block)
    return [round(middle + (k - (len(block) - 1) / 2) * gap, 6) for k in range(len(block))]


def _touch(lower: list[int], upper: list[int], positions: list[float], gap: float) -> bool:
    return _places(upper, positions, gap)[0] - _places(lower, positions, gap)[-1] < gap - 1e-9
