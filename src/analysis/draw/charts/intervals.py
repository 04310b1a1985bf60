"""Values of groups with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.definitions import DEFINITIONS
from analysis.draw.frames import leading, require
from analysis.draw.language import _, ngettext
from analysis.draw.words import Sentence

DIFFERS = ("up", "down", "goes with promoters", "goes with the rest")
"""Verdicts that say that a row differs by more than chance."""


def intervals(
    frame: pd.DataFrame,
    *,
    value: str,
    label: str | tuple[str, str],
    unit: str,
    title: str,
    low: str = "low",
    high: str = "high",
    n: str = "n",
    sort: bool = True,
    reference: float | None = None,
    reference_label: str = "",
    measure: str | None = None,
    verdict: str | None = None,
    is_ratio: bool = False,
    note: str = "",
) -> Chart | Sentence:
    """Draw a dot and its interval for each row, the highest on top unless ``sort`` is off.

    Columns in: ``value``, ``label``, ``low``, ``high``; ``n`` is written beside the label where it is there. A pair of
    labels is the column that a row is about and its level. ``verdict`` names the column that says whether a row
    differs: where it does its dot is full, else hollow, and a note says so. ``measure`` is the name of what is
    measured, where it is not that of the column. ``reference`` is drawn as a line, such as the value of all.
    ``is_ratio`` spaces the axis by factors. Rows without a value are left out and named below.
    """
    labels = (label,) if isinstance(label, str) else label
    require("charts.intervals", frame, (value, *labels, low, high, *([verdict] if verdict else [])))
    known = frame[frame[value].notna()]
    if known.empty:
        return words.no_data(title)
    rows = (known.sort_values(value, kind="stable") if sort else known[::-1]).reset_index(drop=True)
    left_out = [names.row_name(row, label) for _i, row in frame[frame[value].isna()].iterrows()]
    differs = rows[verdict].isin(DIFFERS) if verdict else pd.Series(True, index=rows.index)

    row_names = [furniture.row_label(row, label, n) for _i, row in rows.iterrows()]

    def paint(ax: Axes) -> None:
        _dots(ax, rows[[value, low, high]].astype(float).set_axis(["value", "low", "high"], axis=1), differs)
        if reference is not None:
            furniture.reference_line(ax, reference, f"{reference_label} {numbers.show(reference, unit)}".strip())
        ax.set_yticks(range(len(rows)), row_names)
        furniture.beside(ax, [numbers.show(worth, unit) for worth in rows[value]], right=True)
        ax.set_ylim(-0.6, len(rows) - 0.4 + (0.5 if reference is not None else 0))
        ax.grid(axis="x")
        furniture.open_side(ax, "left")
        if is_ratio:
            furniture.ratio_axis(ax)
        furniture.number_axis(ax.xaxis, unit, axis_heading(measure or value, unit))

    return canvas.chart(
        paint,
        height_cm=1.9
        + sum(0.95 if "\n" in name else 0.72 for name in row_names)
        + (0.4 if reference is not None else 0),
        title=title,
        alt=ngettext(
            "Dots with {level}\u00a0intervals, {measure} of {count} group: {listed}.",
            "Dots with {level}\u00a0intervals, {measure} of {count} groups: {listed}.",
            len(rows),
        ).format(
            level=names.level(),
            measure=names.column(measure or value),
            count=len(rows),
            listed=names.listed([_told(row, value, label, low, high, unit) for _i, row in rows[::-1].iterrows()]),
        ),
        note=" ".join(filter(None, (_differing() if verdict == "verdict" else "", _left_out(left_out), note))),
    )


def axis_heading(name: str, unit: str) -> str:
    """Return the heading of an axis: what is measured, and its unit where the numbers do not show it.

    >>> axis_heading("nps", "points"), axis_heading("share", "share")
    ('Net Promoter Score (Punkte)', 'Anteil')
    """
    words_of_units = {"points": _("points"), "days": _("days"), "per year": _("a year")}
    heading = names.column(name)
    return f"{heading} ({words_of_units[unit]})" if unit in words_of_units else heading


def _dots(ax: Axes, rows: pd.DataFrame, differs: pd.Series) -> None:
    places = np.arange(len(rows))
    ax.hlines(places, rows["low"], rows["high"], color=style.ACCENT, linewidth=1.6)
    for full, fill in ((True, style.ACCENT), (False, style.BACKGROUND)):
        shown = (differs == full).to_numpy()
        ax.plot(rows["value"][shown], places[shown], "o", color=style.ACCENT, markerfacecolor=fill, markersize=6)


def _differing() -> str:
    return _(
        "Full dots: the difference is beyond chance, all comparisons shown here counted; hollow: it may be chance."
    )


def _left_out(labels: list[str]) -> str:
    return _("Without a value: {names}.").format(names=", ".join(labels)) if labels else ""


def _told(row: pd.Series, value: str, label: str | tuple[str, str], low: str, high: str, unit: str) -> str:
    ends = numbers.interval(row[low], row[high], unit)
    return f"{names.row_name(row, label)} {numbers.show(row[value], unit)} ({ends})"


def touchpoints(frame: pd.DataFrame, *, period: str, levels: pd.DataFrame) -> Chart | Sentence:
    """Draw the first measure of touchpoints or groups, each against the rest, the highest on top.

    Columns in: kind, touchpoint, measure, value, low, high, n, verdict; of ``levels`` measure, value, n: those of all
    answers, of which the value is drawn as a line.
    """
    require("charts.touchpoints", frame, ("kind", "measure"))
    require("charts.touchpoints", levels, ("measure", "value", "n"))
    first = leading(frame)
    if first.empty:
        return words.no_data(names.column("group"))
    measure = str(first["measure"].iloc[0])
    whole = levels[levels["measure"] == measure].iloc[0]
    title = words.title(measure, by="group", period=period, n=whole["n"])
    named: dict[str, Any] = {"label": ("kind", "touchpoint"), "measure": measure, "verdict": "verdict"}
    return intervals(first, value="value", unit=DEFINITIONS[measure][0], title=title, reference=whole["value"], **named)


def differences(
    frame: pd.DataFrame, *, title: str, against: str = "", verdict: str | None = None, most: int = 12, note: str = ""
) -> Chart | Sentence:
    """Draw standardised differences with their intervals, the ``most`` largest, the one furthest right on top.

    Columns in: attribute, level; difference, low, high, or with ``against`` the columns of that name:
    difference_asked, asked_low, asked_high. ``verdict`` as for ``intervals``; what was too small to be tested is left
    out. Without one a dot is full where the interval of the row lies on one side of zero.
    """
    prefix = f"{against}_" if against else ""
    value = f"difference_{against}" if against else "difference"
    low, high = f"{prefix}low", f"{prefix}high"
    require("charts.differences", frame, ("attribute", "level", value, low, high))
    known = frame[frame[value].notna()]
    if verdict:
        known = known[known[verdict] != "too few"]
    else:
        apart = (known[low] > 0) | (known[high] < 0)
        known = known.assign(_apart=apart.map({True: "up", False: "within noise"}))
        note = " ".join(filter(None, (_("Full dots: the interval does not hold zero."), note)))
    largest = known.sort_values(value, key=abs, ascending=False, kind="stable").head(most)
    return intervals(
        largest,
        value=value,
        label=("attribute", "level"),
        low=low,
        high=high,
        unit="index",
        measure="standardised",
        reference=0.0,
        verdict=verdict or "_apart",
        title=title,
        note=note,
    )


def answerers(frame: pd.DataFrame, *, period: str) -> Chart | Sentence:
    """Draw how those who answered differ from all who were asked, or from all customers where nobody knows whom.

    Columns in: attribute, level, n_answered, and difference, low and high of asked and all.
    """
    require("charts.answerers", frame, ("difference_asked", "difference_all", "n_answered"))
    against = "asked" if frame["difference_asked"].abs().gt(0).any() else "all"
    n = int(frame["n_answered"].max()) if len(frame) else 0
    title = words.title(f"answerers_{against}", period=period, n=n)
    return differences(frame, against=against, title=title)


def forest(frame: pd.DataFrame, *, title: str, note: str = "") -> Chart | Sentence:
    """Draw ratios of hazards with their intervals, the largest on top, each level beside the one it is compared with.

    Columns in: term, level, base, ratio, low, high, n, verdict; rows without a ratio are left out.
    """
    require("charts.forest", frame, ("term", "level", "base", "ratio", "low", "high", "verdict"))
    known = frame[frame["ratio"].notna()]
    pairs = zip(known["level"], known["base"], strict=True)
    against = [
        _("{level} against {base}").format(level=names.label(one), base=names.label(other)) for one, other in pairs
    ]
    named: dict[str, Any] = {"label": ("term", "level"), "measure": "hazard_ratio", "verdict": "verdict"}
    shown = known.assign(level=pd.array(against, dtype="str"))
    return intervals(shown, value="ratio", unit="index", title=title, reference=1.0, is_ratio=True, note=note, **named)
