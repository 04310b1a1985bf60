"""Who moved between classes: where customers were, where they are now, and what that changed in money."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from analysis.draw import canvas, dates, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.movement import AFTER, BEFORE, CLASSES, more_or_less
from analysis.draw.words import Sentence

_LOSS = LinearSegmentedColormap.from_list("loss", ["#F6F2EE", "#E9A06A", style.WARNING])
_GAIN = LinearSegmentedColormap.from_list("gain", ["#F3F5F9", "#9FB4DA", style.ACCENT])
_GAP = 0.18
"""Between the classes and those who have none, and before the totals."""
_HIDDEN = "·"


def migration(frame: pd.DataFrame, *, title: str, before: str, after: str, note: str = "") -> Chart | Sentence:
    """Draw where customers were in one period, by row, and are in the next, by column; money shades the cells.

    Columns in: part (cell, before, after, all), state_before, state_after, customers, change (money), as
    ``movement.movement`` makes them; ``before`` and ``after`` are the ids of the periods. What may not be shown is
    missing there and a dot here.
    """
    require("charts.migration", frame, ("part", "state_before", "state_after", "customers", "change"))
    cells = frame[frame["part"] == "cell"]
    if not cells["customers"].sum():
        return words.no_data(title)
    most = cells["change"].abs().max()

    def paint(ax: Axes) -> None:
        columns, rows = _places(AFTER), _places(BEFORE)
        for _i, cell in cells.iterrows():
            place = columns[cell["state_after"]], rows[cell["state_before"]]
            stayed = cell["state_before"] == cell["state_after"]
            _box(ax, place, _fill(cell["change"], most), stayed=stayed)
            _amounts(ax, place, cell, style.text_on(_fill(cell["change"], most)))
        _totals(ax, frame, columns, rows)
        _name_sides(ax, columns, rows, before, after)

    hidden = cells["customers"].isna().any()
    notes = [
        _("In each cell: customers, below it the change of their revenue; orange is a loss, blue a gain."),
        _("Framed: stayed in the class; right of it moved down or without a purchase, left of it moved up."),
        _("A dot: few customers, or a count from which few would follow.") if hidden else "",
        note,
    ]
    return canvas.chart(
        paint, height_cm=10.5, title=title, alt=_alt(cells, before, after), note=" ".join(filter(None, notes))
    )


def _places(states: tuple[str, ...]) -> dict[str, float]:
    """Return where each state stands; those that are no class, and the total, stand a little apart."""
    last = len(states) + 2 * _GAP
    return {state: place + _GAP * (state not in CLASSES) for place, state in enumerate(states)} | {"": last}


def _fill(change: float, most: float) -> str:
    if numbers.is_missing(change) or not most:
        return style.BACKGROUND
    return to_hex((_LOSS if change < 0 else _GAIN)(abs(change) / most))


def _box(ax: Axes, place: tuple[float, float], fill: str, *, stayed: bool) -> None:
    x, y = place
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=fill, edgecolor=style.BACKGROUND, linewidth=1.5))
    if stayed:
        ax.add_patch(Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, fill=False, edgecolor=style.INK, linewidth=1))


def _amounts(ax: Axes, place: tuple[float, float], row: pd.Series, colour: str) -> None:
    if numbers.is_missing(row["customers"]) or not row["customers"]:
        empty = _HIDDEN if numbers.is_missing(row["customers"]) else numbers.MISSING
        ax.annotate(empty, place, ha="center", va="center", color=style.MUTED)
        return
    change = numbers.short(row["change"], "money")
    told = f"+{change}" if row["change"] > 0 else change
    furniture.two_lines(ax, place, (numbers.show(row["customers"], "count"), told), colour)


def _totals(ax: Axes, frame: pd.DataFrame, columns: dict[str, float], rows: dict[str, float]) -> None:
    for _i, row in frame[frame["part"].isin(("before", "after", "all"))].iterrows():
        states = ("" if numbers.is_missing(row[name]) else row[name] for name in ("state_after", "state_before"))
        column, line = states
        _amounts(ax, (columns[column], rows[line]), row, style.INK)
    right, bottom = (places[""] - 0.5 - _GAP / 2 for places in (columns, rows))
    ax.vlines(right, -0.5, rows[""] + 0.5, color=style.MUTED, linewidth=0.6)
    ax.hlines(bottom, -0.5, columns[""] + 0.5, color=style.MUTED, linewidth=0.6)


def _name_sides(ax: Axes, columns: dict[str, float], rows: dict[str, float], before: str, after: str) -> None:
    ax.set(xlim=(-0.5, columns[""] + 0.5), ylim=(rows[""] + 0.5, -0.5))
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xticks(list(columns.values()), [state_name(state) for state in columns])
    ax.set_yticks(list(rows.values()), [state_name(state) for state in rows])
    ax.set_xlabel(_("Now, in {period}").format(period=dates.period(after)))
    ax.set_ylabel(_("Before, in {period}").format(period=dates.period(before)))
    ax.spines["top"].set_visible(False)
    ax.tick_params(axis="x", length=0)
    furniture.open_side(ax, "left", "bottom")


def state_name(state: str) -> str:
    """Return what the reader calls a state; an empty one is all of them.

    >>> state_name("A"), state_name("gone"), state_name("")
    ('Klasse A', 'ohne Kauf', 'Zusammen')
    """
    if not state:
        return _("Together")
    return _("Class {name}").format(name=state) if state in CLASSES else names.label(state)


def _alt(cells: pd.DataFrame, before: str, after: str) -> str:
    known = cells[cells["customers"] > 0]
    largest = known.reindex(known["change"].abs().sort_values(ascending=False, kind="stable").index)
    told = [
        _("{before} to {after} {customers}, {change}").format(
            before=state_name(row["state_before"]),
            after=state_name(row["state_after"]),
            customers=numbers.show(row["customers"], "count"),
            change=more_or_less(row["change"]),
        )
        for _i, row in largest.iterrows()
    ]
    text = _("Matrix of customers by class in {before} and in {after}, largest changes of revenue first: {listed}.")
    periods = {"before": dates.period(before), "after": dates.period(after)}
    return text.format(listed=names.listed(told), **periods)
