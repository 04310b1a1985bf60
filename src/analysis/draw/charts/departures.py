"""Why customers leave, and when each reason strikes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.words import Sentence
from analysis.errors import MeasureError

_STEPS = 200
_LABEL_GAP = 0.065
"""Of the height of the plot, between labels at the ends of curves."""
_LONGEST_LABEL = 28
_GIVEN = ("reason", "other")
"""Kinds of which a reason is known."""
NO_REASONS = ("other", "unknown")
"""Causes that are no reason of their own; they are drawn in the quiet colour."""
_DASHES = dict(zip(NO_REASONS, ((0, (5, 2)), (0, (1, 1.5))), strict=True))
_STYLES = [
    *({"color": colour} for colour in style.SERIES),
    *({"color": colour, "linestyle": (0, (6, 1.5))} for colour in style.SERIES[:2]),
]
"""Lines of causes, in order; where colours are used up, dashes tell them apart."""


def reasons(frame: pd.DataFrame, *, title: str, note: str = "") -> Chart | Sentence:
    """Draw the share of those who left by reason with its interval, in the order of the frame; greys are no reasons.

    Beside it stand the shares of customers and, where fees are known, of the fees that went with them.
    Columns in: reason, kind, ended, share, share_low, share_high, revenue_share.
    """
    required = ("reason", "kind", "ended", "share", "share_low", "share_high", "revenue_share")
    require("charts.reasons", frame, required)
    rows = frame[frame["share"].notna()][::-1].reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)
    rows = rows.assign(_name=[reason_name(row) for _i, row in rows.iterrows()])
    colours = rows["kind"].isin(_GIVEN).map({True: style.ACCENT, False: style.MUTED}).tolist()
    row_names = [furniture.row_label(row, "_name", "ended") for _i, row in rows.iterrows()]

    def paint(ax: Axes) -> None:
        ax.hlines(rows.index, rows["share_low"], rows["share_high"], color=colours, linewidth=1.6)
        ax.scatter(rows["share"], rows.index, color=colours, s=36, zorder=3)
        _columns(ax, _shares_beside(rows))
        ax.set_yticks(rows.index, row_names)
        ax.set_ylim(-0.6, len(rows) - 0.1)
        ax.set_xlim(left=-0.02 * rows["share_high"].max())
        ax.grid(axis="x")
        furniture.open_side(ax, "left")
        furniture.number_axis(ax.xaxis, "share", _("Share of those who left"))

    told = [
        f"{row['_name']} {numbers.show(row['share'], 'share')} "
        f"({numbers.interval(row['share_low'], row['share_high'], 'share')})"
        for _i, row in rows[::-1].iterrows()
    ]
    alt = _("Dots with {level}\u00a0intervals, share of {count} customers who left: {listed}.").format(
        level=names.level(), count=numbers.show(rows["ended"].sum(), "count"), listed=names.listed(told)
    )
    height = 2.4 + sum(0.95 if "\n" in name else 0.72 for name in row_names)
    return canvas.chart(
        paint, height_cm=height, title=title, alt=alt, note=" ".join([*_key(rows), *filter(None, [note])])
    )


def _key(rows: pd.DataFrame) -> list[str]:
    pooled = [_("“other” is all reasons given seldom.")] if (rows["kind"] == "other").any() else []
    has_grey = (~rows["kind"].isin(_GIVEN)).any()
    return [*pooled, *([_("Grey: no reason is certain.")] if has_grey else [])]


def reason_name(row: pd.Series) -> str:
    """Return what the reader calls a row of reasons: the reason, or the kind where there is none.

    >>> reason_name(pd.Series({"reason": None, "kind": "sources disagree"}))
    'Quellen widersprechen sich'
    """
    return names.label(row["reason"] if row["kind"] == "reason" else row["kind"])


def _shares_beside(rows: pd.DataFrame) -> dict[str, list[str]]:
    beside = {_("Customers"): rows["share"], _("Monthly fee"): rows["revenue_share"]}
    written = {heading: [numbers.show(share, "share") for share in shares] for heading, shares in beside.items()}
    return written if rows["revenue_share"].notna().any() else dict(list(written.items())[:1])


def _columns(ax: Axes, columns: Mapping[str, Sequence[str]]) -> None:
    """Write columns of numbers at the right of the plot, each under its heading."""
    right = 8.0
    for heading, texts in columns.items():
        right += 5.2 * max(map(len, [heading, *texts]))
        for place, text in enumerate([*texts, heading]):
            is_heading = place == len(texts)
            ax.annotate(
                text,
                (1, place - 0.35 * is_heading),
                xycoords=("axes fraction", "data"),
                xytext=(right, 0),
                textcoords="offset points",
                va="center",
                ha="right",
                color=style.MUTED if is_heading else style.INK,
                fontsize=style.SMALL_SIZE if is_heading else style.FONT_SIZE,
            )
        right += 10


def incidence(frame: pd.DataFrame, *, title: str, min_group: int = 5, note: str = "") -> Chart | Sentence:
    """Draw the share that has left for each cause as it rises with the time since the start, named at its end.

    A curve begins where ``min_group`` have left for its cause, and all end where fewer are left at risk: there one who
    leaves is a great step. Columns in: cause, time (days, drawn in months), at_risk, events, incidence. Raises
    MeasureError for more causes than lines that can be told apart, ``other`` and ``unknown`` not counted.
    """
    require("charts.incidence", frame, ("cause", "time", "at_risk", "events", "incidence"))
    last = frame.loc[frame["at_risk"] >= min_group, "time"].max()
    ordered = frame.sort_values("time")
    has_left = ordered.groupby("cause", dropna=False)["events"].cumsum() >= min_group
    known = ordered[has_left & ordered["incidence"].notna() & (ordered["time"] <= last)].sort_index()
    if known.empty:
        return words.no_data(title)
    curves = {name: _steps(rows) for name, rows in known.groupby("cause", sort=False, dropna=False)}
    curves = dict(sorted(curves.items(), key=lambda curve: (curve[0] in _DASHES, -curve[1]["incidence"].iloc[-1])))
    lines = _lines(list(curves))

    def paint(ax: Axes) -> None:
        for name, rows in curves.items():
            ax.step(rows["time"] / furniture.DAYS_A_MONTH, rows["incidence"], where="post", **lines[name])
        top = max(rows["incidence"].iloc[-1] for rows in curves.values()) * 1.05 or 0.01
        ax.set_ylim(0, top)
        _name_ends(ax, curves, lines, top)
        furniture.months_axis(ax, max(rows["time"].iloc[-1] for rows in curves.values()))
        ax.grid(axis="y")
        furniture.number_axis(ax.yaxis, "share", _("Share of all customers"))

    told = [
        after(names.label(name), rows["incidence"].iloc[-1], rows["time"].iloc[-1] / furniture.DAYS_A_MONTH)
        for name, rows in curves.items()
    ]
    alt = _("Rising step curves, share of customers who have left, by reason: {listed}.")
    return canvas.chart(paint, height_cm=8.5, title=title, alt=alt.format(listed=names.listed(told)), note=note)


def after(name: str, share: float, months: float) -> str:
    r"""Return a name with the share that it stands at after some months.

    >>> after("Preis", 0.2, 1.0)
    'Preis 20,0\xa0% nach 1 Monat'
    """
    text = ngettext("{name} {share} after {months} month", "{name} {share} after {months} months", round(months))
    return text.format(name=name, share=numbers.show(share, "share"), months=numbers.show(months, "count"))


def _steps(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep no more steps than a page can show."""
    rows = rows[["time", "incidence"]].astype(float).sort_values("time", ignore_index=True)
    spot = (rows["time"] * _STEPS / max(rows["time"].iloc[-1], 1e-9)).round()
    return rows[~spot.duplicated(keep="last")].reset_index(drop=True)


def _lines(causes: list[Any]) -> dict[Any, dict[str, Any]]:
    named = [name for name in causes if name not in _DASHES]
    if len(named) > len(_STYLES):
        raise MeasureError(
            "charts.incidence",
            f"{len(named)} causes are more than the {len(_STYLES)} that can be told apart",
            "Merge the rarer ones into 'other'",
        )
    quiet = {name: {"color": style.MUTED, "linestyle": dashes} for name, dashes in _DASHES.items()}
    return quiet | dict(zip(named, _STYLES, strict=False))


def _name_ends(ax: Axes, curves: Mapping[Any, pd.DataFrame], lines: Mapping[Any, dict[str, Any]], top: float) -> None:
    ends = [float(rows["incidence"].iloc[-1]) for rows in curves.values()]
    apart = furniture.apart([end / top for end in ends], _LABEL_GAP)
    ranks = np.argsort(np.argsort(apart))
    places = [max(place, _LABEL_GAP * rank) * top for place, rank in zip(apart, ranks, strict=True)]
    last = max(rows["time"].iloc[-1] for rows in curves.values()) / furniture.DAYS_A_MONTH
    for name, end, place in zip(curves, ends, places, strict=True):
        text = f"{_shortened(names.label(name))}: {numbers.show(end, 'share')}"
        ax.plot((last, last * 1.035), (end, place), linewidth=1, clip_on=False, **lines[name])
        ax.annotate(text, (last * 1.05, place), va="center", color=style.INK, annotation_clip=False)


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1].rstrip()}…"
