"""What holds the customers, and who left by what held them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import bond_mixes, canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _, mark
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_MIXES: Mapping[str, str] = MappingProxyType(
    {
        "technical + contractual + psychological": mark("technical + contractual + psychological"),
        "technical + contractual": mark("technical + contractual"),
        "technical + psychological": mark("technical + psychological"),
        "technical": mark("technical only"),
        "contractual + psychological": mark("contractual + psychological"),
        "contractual": mark("contract only"),
        "psychological": mark("psychological only"),
        "none": mark("no bond on record"),
    }
)
_NEEDED = ("mix", "customers", "share", "exposed", "churn", "churn_low", "churn_high")


def mix_name(mix: str) -> str:
    """Return what the reader calls a mix of bonds.

    >>> mix_name("technical + contractual"), mix_name("contractual"), mix_name("none")
    ('technisch + vertraglich', 'nur vertraglich', 'keine erfasste Bindung')
    """
    return _(_MIXES[mix])


def bond_mix(
    frame: pd.DataFrame, *, title: str, smallest: int = SMALL_CELL, internal: bool = False, note: str = ""
) -> Chart | Sentence:
    """Draw for each mix of bonds its share of the customers as a bar and, beside it, its churn with the interval.

    With each stands how many customers: of the bar those it is made of, of the churn those there on the first day.

    Columns in: mix, customers, share (of them), exposed, churn (share of exposed), churn_low, churn_high; in the order
    to be shown. Small groups are not shown, see ``bond_mixes.withheld``. Where ``attrs["on_record"]`` names no kind of
    bonds, nothing is drawn.
    """
    require("charts.bond_mix", frame, _NEEDED)
    if not bond_mixes.on_record(frame):
        return Sentence()
    is_there = (frame["customers"] > 0) | (frame["exposed"] > 0)
    rows = bond_mixes.tellable(frame, smallest=smallest, internal=internal)[is_there][::-1].reset_index(drop=True)
    if rows[["share", "churn"]].isna().all(axis=None):
        return words.no_data(title)

    def paint(ax: Axes) -> None:
        figure = ax.figure
        ax.remove()
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 3))
        _bars(left, rows)
        _dots(right, rows)

    alt = _("Bars and dots with {level}\u00a0intervals, share of the customers and churn: {listed}.").format(
        level=names.level(), listed=names.listed([_told(row) for _i, row in rows[::-1].iterrows()])
    )
    return canvas.chart(
        paint,
        height_cm=1.9 + 0.72 * len(rows),
        title=title,
        alt=alt,
        note=" ".join(filter(None, (_dashes(rows, smallest), note))),
    )


def _dashes(rows: pd.DataFrame, smallest: int) -> str:
    dashed = [
        count for of, shown in (("customers", "share"), ("exposed", "churn")) for count in rows[of][rows[shown].isna()]
    ]
    if not dashed:
        return ""
    text = _("A dash stands for fewer than {count} customers.")
    if max(dashed) >= smallest:
        text = _("A dash stands for fewer than {count} customers, or for what so small a group would follow from.")
    return text.format(count=smallest)


def _bars(ax: Axes, rows: pd.DataFrame) -> None:
    shares = _with_bases(rows, "share", "customers")
    ax.barh(rows.index, rows["share"].fillna(0), color=style.QUIET, height=0.6)
    for place, share in enumerate(rows["share"]):
        end = 0 if numbers.is_missing(share) else share
        ax.annotate(shares[place], (end, place), xytext=(4, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, rows["share"].max() * 1.9 if rows["share"].notna().any() else 1)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_yticks(rows.index, [mix_name(mix) for mix in rows["mix"]])
    ax.set_xticks([])
    ax.set_xlabel(_("Share of the customers"), labelpad=23)
    furniture.open_side(ax, "left", "bottom")


def _dots(ax: Axes, rows: pd.DataFrame) -> None:
    ax.hlines(rows.index, rows["churn_low"].where(rows["churn"].notna()), rows["churn_high"], color=style.ACCENT)
    ax.plot(rows["churn"], rows.index, "o", color=style.ACCENT, markersize=6)
    furniture.beside(ax, _with_bases(rows, "churn", "exposed"), right=True)
    ax.set_xlim(left=0)
    ax.grid(axis="x")
    furniture.open_side(ax, "left")
    furniture.number_axis(ax.xaxis, "share", _("Churn in the period"))


def _with_bases(rows: pd.DataFrame, share: str, count: str) -> list[str]:
    """Return each share with the number of customers it is of, or a dash: a share not told has no base either."""
    return [_with_base(row[share], row[count]) for _i, row in rows.iterrows()]


def _with_base(share: float, count: int, *more: str) -> str:
    if numbers.is_missing(share):
        return numbers.MISSING
    return f"{numbers.show(share, 'share')} ({', '.join([*more, words.base(count)])})"


def _told(row: pd.Series) -> str:
    ends = numbers.interval(row["churn_low"], row["churn_high"], "share")
    text = _("{mix} {share} of the customers{base}, churn {churn}")
    return text.format(
        mix=mix_name(row["mix"]),
        share=numbers.show(row["share"], "share"),
        base="" if numbers.is_missing(row["share"]) else f" ({words.base(row['customers'])})",
        churn=_with_base(row["churn"], row["exposed"], ends),
    )
