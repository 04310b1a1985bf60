"""Counts and shares: answers on a scale, groups stacked to one, classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence

_ROOM_FOR_LABEL = 0.06


def distribution(
    frame: pd.DataFrame,
    *,
    title: str,
    category: str = "rating",
    count: str = "answers",
    groups: str | None = None,
    note: str = "",
) -> Chart | Sentence:
    """Draw how many gave each answer, as shares of all, each group of answers in its colour and named once.

    Columns in: ``category`` in the order to be shown, ``count``, and ``groups`` where one is named.
    """
    require("charts.distribution", frame, (category, count, *([groups] if groups else [])))
    total = frame[count].sum()
    if not total:
        return words.no_data(title)
    shares = frame[count].fillna(0).astype(float) / total
    members = frame[groups] if groups else pd.Series("", index=frame.index)
    kinds = list(dict.fromkeys(members))
    colours = {kind: style.colour(str(kind), position) for position, kind in enumerate(kinds)}

    def paint(ax: Axes) -> None:
        places = np.arange(len(frame))
        ax.bar(places, shares, color=[colours[kind] for kind in members], width=0.82)
        for place, share in zip(places, shares, strict=True):
            text = numbers.short(share, "share")
            ax.annotate(text, (place, share), xytext=(0, 3), textcoords="offset points", ha="center")
        if groups:
            _name_groups(ax, members.reset_index(drop=True), shares.reset_index(drop=True))
        ax.set_xticks(places, [names.label(name) for name in frame[category]])
        ax.set_xlabel(names.column(category))
        ax.set_yticks([])
        furniture.open_side(ax, "left", "bottom")

    return canvas.chart(paint, height_cm=6, title=title, alt=_distribution_alt(frame, category, shares), note=note)


def _name_groups(ax: Axes, members: pd.Series, shares: pd.Series) -> None:
    top = shares.max() * 1.2
    for kind in dict.fromkeys(members):
        places = members.index[members == kind]
        ax.hlines(top, places.min() - 0.4, places.max() + 0.4, color=style.MUTED, linewidth=0.8)
        text = f"{names.label(kind)} {numbers.show(shares[places].sum(), 'share')}"
        ax.annotate(text, (places.to_numpy().mean(), top), xytext=(0, 4), textcoords="offset points", ha="center")
    ax.set_ylim(0, top * 1.12)


def _distribution_alt(frame: pd.DataFrame, category: str, shares: pd.Series) -> str:
    listed = "; ".join(
        f"{names.label(name)} {numbers.short(share, 'share')}"
        for name, share in zip(frame[category], shares, strict=True)
    )
    return _("Bars, share of each answer, {measure}: {listed}.").format(measure=names.column(category), listed=listed)


def stacked_shares(
    frame: pd.DataFrame,
    *,
    label: str,
    title: str,
    parts: Sequence[str] = ("detractors", "passives", "promoters"),
    n: str = "n",
    note: str = "",
) -> Chart | Sentence:
    """Draw one bar a row, divided into ``parts``, which may be counts or shares; each bar sums to 100 %.

    Columns in: ``label`` and the parts; ``n`` is written beside the label where it is there.
    """
    require("charts.stacked_shares", frame, (label, *parts))
    counts = frame[list(parts)].fillna(0).astype(float)
    known = counts.sum(axis=1) > 0
    if not known.any():
        return words.no_data(title)
    rows = frame[known][::-1].reset_index(drop=True)
    shares = counts[known][::-1].reset_index(drop=True).pipe(lambda part: part.div(part.sum(axis=1), axis=0))

    def paint(ax: Axes) -> None:
        left = pd.Series(0.0, index=shares.index)
        for position, part in enumerate(parts):
            fill = style.colour(part, position)
            ax.barh(shares.index, shares[part], left=left, color=fill, height=0.72, edgecolor=style.BACKGROUND)
            _label_segments(ax, left, shares[part], fill)
            left = left + shares[part]
        ax.set_yticks(shares.index, [furniture.row_label(row, label, n) for _i, row in rows.iterrows()])
        ax.set_xticks([])
        ax.set_xlim(0, 1)
        furniture.open_side(ax, "left", "bottom")
        furniture.key(ax, {names.label(part): style.colour(part, i) for i, part in enumerate(parts)})

    return canvas.chart(
        paint,
        height_cm=1.6 + 0.72 * len(rows),
        title=title,
        alt=_stacked_alt(rows[::-1], shares[::-1], label, parts),
        note=note,
    )


def _label_segments(ax: Axes, left: pd.Series, shares: pd.Series, fill: str) -> None:
    for place, (start, share) in enumerate(zip(left, shares, strict=True)):
        if share >= _ROOM_FOR_LABEL:
            text = numbers.short(share, "share")
            ax.annotate(text, (start + share / 2, place), ha="center", va="center", color=style.text_on(fill))


def _stacked_alt(rows: pd.DataFrame, shares: pd.DataFrame, label: str, parts: Sequence[str]) -> str:
    listed = names.listed(
        [
            f"{names.label(row[label])}: "
            + ", ".join(f"{names.label(part)} {numbers.short(shares.loc[place, part], 'share')}" for part in parts)
            for place, row in rows.iterrows()
        ]
    )
    return _("Bars divided into shares. {listed}.").format(listed=listed)


def abc_bars(
    frame: pd.DataFrame,
    *,
    title: str,
    label: str = "class",
    customers: str = "customer_share",
    revenue: str = "share",
    note: str = "",
) -> Chart | Sentence:
    """Draw for each class its share of the customers beside its share of the revenue.

    Columns in: ``label``; ``customers`` and ``revenue``, shares 0 to 1.
    """
    require("charts.abc_bars", frame, (label, customers, revenue))
    shares = frame[[label, customers, revenue]].dropna().reset_index(drop=True)
    if shares.empty:
        return words.no_data(title)

    def paint(ax: Axes) -> None:
        for shift, column, fill in ((-0.2, customers, style.QUIET), (0.2, revenue, style.ACCENT)):
            places = shares.index + shift
            ax.bar(places, shares[column], width=0.36, color=fill)
            for place, share in zip(places, shares[column], strict=True):
                text = numbers.show(share, "share")
                ax.annotate(text, (place, max(share, 0)), xytext=(0, 3), textcoords="offset points", ha="center")
        ax.set_xticks(shares.index, [_("Class {name}").format(name=names.label(name)) for name in shares[label]])
        ax.set_yticks([])
        furniture.open_side(ax, "left")
        furniture.key(ax, {_("Share of customers"): style.QUIET, _("Share of revenue"): style.ACCENT})

    listed = names.listed(
        [
            _("class {name} {customers} of the customers, {revenue} of the revenue").format(
                name=names.label(row[label]),
                customers=numbers.show(row[customers], "share"),
                revenue=numbers.show(row[revenue], "share"),
            )
            for _i, row in shares.iterrows()
        ]
    )
    alt = _("Bars by class: {listed}.").format(listed=listed)
    return canvas.chart(paint, height_cm=7, title=title, alt=alt, note=note)
