"""What differs between clusters of customers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _, mark
from analysis.draw.words import Sentence

_TRAITS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("recency_days", "low"): mark("bought lately"),
        ("recency_days", "high"): mark("no purchase for long"),
        ("frequency", "high"): mark("many orders"),
        ("frequency", "low"): mark("few orders"),
        ("money", "high"): mark("much revenue"),
        ("money", "low"): mark("little revenue"),
    }
)
_UNITS = {"recency_days": "days", "tenure_days": "days", "frequency": "count", "money": "money"}
"""Units of attributes whose values are known; those of others are numbers."""
_TELLING = 0.5
"""Standard deviations from which on a second attribute is worth a name."""


def cluster_name(rows: pd.DataFrame) -> str:
    """Return what a cluster is called, by the attributes it differs in most.

    Columns in: cluster, attribute, direction (high, low), difference; the rows of one cluster, the largest first.

    >>> row = {"cluster": [2, 2], "attribute": ["frequency", "rating_Preis"], "direction": ["low", "high"]}
    >>> cluster_name(pd.DataFrame(row).assign(difference=[-0.9, 0.7]))
    'Gruppe 2: wenige Bestellungen, Preis hoch'
    """
    traits = [
        _trait(row["attribute"], row["direction"])
        for place, row in enumerate(rows.to_dict("records"))
        if not place or abs(row["difference"]) >= _TELLING
    ]
    text = _("Group {number}: {traits}")
    return text.format(number=numbers.show(rows["cluster"].iloc[0], "count"), traits=", ".join(traits))


def _trait(attribute: str, direction: str) -> str:
    if (attribute, direction) in _TRAITS:
        text = _TRAITS[attribute, direction]
        return _(text)
    text = _("{attribute} high") if direction == "high" else _("{attribute} low")
    return text.format(attribute=names.column(attribute))


def cluster_names(frame: pd.DataFrame) -> dict[Any, str]:
    """Return the name of each cluster. Columns in: cluster, rank, attribute, direction, difference."""
    require("charts.cluster_names", frame, ("cluster", "rank", "attribute", "direction", "difference"))
    ranked = frame.sort_values(["cluster", "rank"])
    return {cluster: cluster_name(rows) for cluster, rows in ranked.groupby("cluster")}


def clusters(profile: pd.DataFrame, named: pd.DataFrame, *, title: str, note: str = "") -> Chart | Sentence:
    """Draw for each cluster how far its customers are from the average of all, attribute by attribute.

    Columns in: cluster, n, share, attribute, median, difference (from all, in standard deviations); of ``named`` those
    of :func:`cluster_names`.
    """
    require("charts.clusters", profile, ("cluster", "n", "share", "attribute", "median", "difference"))
    rows = profile.dropna(subset="difference").reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)
    called, sizes = cluster_names(named), rows.drop_duplicates("cluster")
    heads = {
        row["cluster"]: f"{called[row['cluster']]} ({words.base(row['n'])}, {numbers.show(row['share'], 'share')})"
        for _i, row in sizes.iterrows()
    }
    rows["_place"] = rows.index + 1.4 * (rows["cluster"].rank(method="dense") - 1)

    def paint(ax: Axes) -> None:
        widest = max(rows["difference"].abs().max(), 0.1)
        fills = [style.ACCENT if difference > 0 else style.QUIET for difference in rows["difference"]]
        ax.barh(rows["_place"], rows["difference"], color=fills, height=0.66)
        for _i, row in rows.iterrows():
            _value(ax, row)
        for cluster, members in rows.groupby("cluster"):
            first, last = members["_place"].min(), members["_place"].max()
            ax.vlines(0, first - 0.45, last + 0.45, color=style.MUTED, linewidth=0.9)
            size = style.FONT_SIZE + 0.5
            ax.annotate(heads[cluster], (-1.35 * widest, first - 1), va="center", color=style.INK, fontsize=size)
        ax.set_yticks(rows["_place"], [names.column(name) for name in rows["attribute"]])
        ax.set(xlim=(-1.35 * widest, 1.35 * widest), ylim=(rows["_place"].max() + 0.6, -1.6))
        ax.set_xticks([])
        ax.set_xlabel(_("Left: below the average of all; right: above it"))
        furniture.open_side(ax, "left", "bottom")

    told = [f"{heads[cluster]}: {_told(members)}" for cluster, members in rows.groupby("cluster")]
    alt = _("Bars, difference from the average of all. {listed}.").format(listed=names.listed(told))
    key = _("Beside each bar: the value in the middle of the group (median).")
    height = 1.6 + 0.58 * (rows["_place"].max() + 2)
    return canvas.chart(paint, height_cm=height, title=title, alt=alt, note=" ".join(filter(None, (key, note))))


def _value(ax: Axes, row: pd.Series) -> None:
    is_right = row["difference"] > 0
    ax.annotate(
        _median(row),
        (row["difference"], row["_place"]),
        xytext=(4 if is_right else -4, 0),
        textcoords="offset points",
        va="center",
        ha="left" if is_right else "right",
    )


def _median(row: pd.Series) -> str:
    unit = _UNITS.get(row["attribute"], "points")
    return numbers.short(row["median"], unit) if unit == "money" else numbers.said(row["median"], unit)


def _told(members: pd.DataFrame) -> str:
    told = [f"{names.column(row['attribute'])} {_median(row)}" for _i, row in members.iterrows()]
    return ", ".join(told)
