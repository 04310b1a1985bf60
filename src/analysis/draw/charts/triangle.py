"""The retention triangle: what share of those who began in a month is still there."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from analysis.draw import canvas, dates, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts.departures import after
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.words import Sentence

MOST = 24
"""So many cohorts, and so many months of each, have room on a page."""
_ROOM_FOR_ALL = 18
"""With more columns there is no room for a number of three figures."""
_STEPS = 20
_SHADES = LinearSegmentedColormap.from_list("shares", ["#F3F5F9", "#9FB4DA", style.ACCENT])


def retention(frame: pd.DataFrame, *, title: str, min_group: int = 5, note: str = "") -> Chart | Sentence:
    """Draw the retention triangle, a row a cohort and a column a month since, the darker the more are still there.

    Columns in: cohort (first day of its month), month (0 for that month), joined, share, complete. The last 24 cohorts
    of at least ``min_group`` customers are shown; a month covered only in part is drawn hollow.
    """
    require("charts.retention", frame, ("cohort", "month", "joined", "share", "complete"))
    known = frame[frame["share"].notna() & (frame["month"] < MOST)]
    large = known[known["joined"] >= min_group]
    if large.empty:
        return words.no_data(title)
    cohorts = sorted(large["cohort"].unique())[-MOST:]
    row_of = {cohort: place for place, cohort in enumerate(reversed(cohorts))}
    cells = large[large["cohort"].isin(cohorts)].assign(row=lambda rows: rows["cohort"].map(row_of))
    cells = cells.assign(shade=_shades(cells))
    months = int(cells["month"].max()) + 1

    def paint(ax: Axes) -> None:
        for shade, alike in cells.groupby("shade"):
            _squares(ax, alike, shade)
        for cell in cells.to_dict("records"):
            if cell["share"] < 1 or months <= _ROOM_FOR_ALL:
                _number(ax, cell)
        ax.set(xlim=(-0.5, months - 0.5), ylim=(-0.5, len(cohorts) - 0.5))
        joined = cells.drop_duplicates("row").set_index("row")["joined"]
        named = [f"{_month(cohort)} ({words.base(joined[row])})" for cohort, row in row_of.items()]
        ax.set_yticks(list(row_of.values()), named)
        ax.set_xticks(range(months), [numbers.show(month, "count") for month in range(months)])
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        ax.set_xlabel(_("Months since the month of the start"))
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(length=0)

    return canvas.chart(
        paint,
        height_cm=1.6 + 0.55 * len(cohorts),
        title=title,
        alt=_alt(cells),
        note=" ".join(filter(None, (_key(cells), *_left_out(known, min_group, len(row_of)), note))),
    )


def _month(cohort: pd.Timestamp) -> str:
    return dates.period(f"{cohort:%Y-%m}")


def _shades(cells: pd.DataFrame) -> list[str]:
    """Return the colours of the cells, in few steps; that of the page where a month is covered only in part."""
    lightest = min(0.9, math.floor(cells["share"].min() * 10) / 10)
    steps = ((cells["share"] - lightest) / (1 - lightest) * _STEPS).round() / _STEPS
    shades = [to_hex(_SHADES(step)) for step in steps]
    return [shade if whole else style.BACKGROUND for shade, whole in zip(shades, cells["complete"], strict=True)]


def _squares(ax: Axes, cells: pd.DataFrame, shade: str) -> None:
    """Draw all cells of one shade as one path: a page with hundreds of them is slow."""
    edge, inset = (style.QUIET, 0.06) if shade == style.BACKGROUND else (style.BACKGROUND, 0)
    square = (np.asarray(Path.unit_rectangle().vertices) - 0.5) * (1 - 2 * inset)
    places = cells[["month", "row"]].to_numpy()
    paths = [Path(square + place, Path.unit_rectangle().codes) for place in places]
    ax.add_patch(PathPatch(Path.make_compound_path(*paths), facecolor=shade, edgecolor=edge, linewidth=0.8))


def _number(ax: Axes, cell: dict[Hashable, Any]) -> None:
    """Write how many of 100 are left: 100 where all are, and else no more than 99."""
    text = numbers.show(100 if cell["share"] == 1 else min(100 * cell["share"], 99), "count")
    colour = style.MUTED if cell["shade"] == style.BACKGROUND else style.text_on(cell["shade"])
    place = (cell["month"], cell["row"])
    ax.annotate(text, place, ha="center", va="center", color=colour, fontsize=style.SMALL_SIZE)


def _key(cells: pd.DataFrame) -> str:
    parts = [
        _("In each cell: of 100 customers who began in that month, so many are still there at the end of the month.")
    ]
    if not cells["complete"].all():
        parts.append(_("Hollow: the month is not over yet."))
    if cells["month"].max() >= _ROOM_FOR_ALL and (cells["share"] == 1).any():
        parts.append(_("Without a number: all are still there."))
    return " ".join(parts)


def _left_out(known: pd.DataFrame, min_group: int, shown: int) -> list[str]:
    is_small = known.groupby("cohort")["joined"].first() < min_group
    small, earlier = int(is_small.sum()), int((~is_small).sum()) - shown
    small_text = ngettext(
        "{count} month with fewer than {least} new customers is not shown.",
        "{count} months with fewer than {least} new customers are not shown.",
        small,
    ).format(count=numbers.show(small, "count"), least=numbers.show(min_group, "count"))
    earlier_text = ngettext(
        "{count} earlier month is not shown.", "{count} earlier months are not shown.", earlier
    ).format(count=numbers.show(earlier, "count"))
    return [text for text, count in ((small_text, small), (earlier_text, earlier)) if count]


def _alt(cells: pd.DataFrame) -> str:
    last = cells.sort_values(["cohort", "month"]).groupby("cohort").tail(1)
    told = [after(_month(row["cohort"]), row["share"], row["month"]) for _i, row in last.iterrows()]
    return _("Map of shares still customer, by month of the start: {listed}.").format(listed=names.listed(told))
