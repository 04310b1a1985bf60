"""The map of recency and frequency, and the quality of the rows read."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from analysis.draw import canvas, names, numbers, style, words
from analysis.draw.canvas import Chart
from analysis.draw.charts import furniture
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence

_SHADES = LinearSegmentedColormap.from_list("shares", ["#F3F5F9", "#9FB4DA", style.ACCENT])


def rfm_map(
    frame: pd.DataFrame,
    *,
    title: str,
    recency: str = "recency_score",
    frequency: str = "frequency_score",
    customers: str = "customers",
    revenue: str = "revenue",
    note: str = "",
) -> Chart | Sentence:
    """Draw customers by recency and frequency score, shaded by their share, the share of revenue written beneath.

    Columns in: the two scores from 1, ``customers`` and ``revenue`` as numbers; rows of one cell are added up. Where
    revenue adds up to nothing or less, it has no shares, and none are written.
    """
    require("charts.rfm_map", frame, (recency, frequency, customers, revenue))
    cells = frame.groupby([recency, frequency])[[customers, revenue]].sum()
    if not cells[customers].sum() > 0:
        return words.no_data(title)
    is_shared = cells[revenue].sum() > 0
    shares = (cells / cells.sum()).reset_index()
    darkest = shares[customers].max()

    def paint(ax: Axes) -> None:
        for _i, cell in shares.iterrows():
            fill = to_hex(_SHADES(cell[customers] / darkest))
            place = (cell[recency] - 0.5, cell[frequency] - 0.5)
            ax.add_patch(Rectangle(place, 1, 1, facecolor=fill, edgecolor=style.BACKGROUND, linewidth=1.5))
            texts = numbers.show(cell[customers], "share"), numbers.show(cell[revenue], "share") if is_shared else ""
            furniture.two_lines(ax, (cell[recency], cell[frequency]), texts, style.text_on(fill))
        scores = range(1, int(shares[[recency, frequency]].max().max()) + 1)
        ax.set(xlim=(0.5, len(scores) + 0.5), ylim=(0.5, len(scores) + 0.5))
        ax.set_xticks(scores, [numbers.show(score, "count") for score in scores])
        ax.set_yticks(scores, [numbers.show(score, "count") for score in scores])
        ax.set_xlabel(_("Recency score (right: bought lately)"))
        ax.set_ylabel(_("Frequency score (top: buys often)"))
        furniture.open_side(ax, "left", "bottom")

    best = shares.loc[shares[customers].idxmax()]
    text = _(
        "Map of {cells} cells by recency and frequency score. Most customers, {customers}, are at recency {recency} "
        "and frequency {frequency}"
    )
    brought = _("; they bring {revenue} of the revenue") if is_shared else ""
    alt = f"{text}{brought}.".format(
        cells=len(shares),
        customers=numbers.show(best[customers], "share"),
        recency=numbers.show(best[recency], "count"),
        frequency=numbers.show(best[frequency], "count"),
        revenue=numbers.show(best[revenue], "share"),
    )
    key = (
        _("In each cell: share of customers, below it share of revenue.")
        if is_shared
        else _("In each cell: share of customers. Revenue comes to nothing or less in all, so it has no shares.")
    )
    return canvas.chart(paint, height_cm=9.5, title=title, alt=alt, note=" ".join(filter(None, (key, note))))


def quality(
    frame: pd.DataFrame,
    *,
    title: str,
    table: str = "table",
    limit: float | None = None,
    note: str = "",
) -> Chart | Sentence:
    """Draw for each table the share of its rows that was quarantined, with the counts; accepted rows would hide it.

    Columns in: ``table``, ``accepted``, ``quarantined``, ``dropped`` (numbers of rows). ``limit`` is drawn as a line.
    """
    require("charts.quality", frame, (table, "accepted", "quarantined", "dropped"))
    read = frame[["accepted", "quarantined", "dropped"]].sum(axis=1)
    rows = frame.assign(_read=read)[read > 0][::-1].reset_index(drop=True)
    if rows.empty:
        return words.no_data(title)
    rows = rows.assign(_share=rows["quarantined"] / rows["_read"])

    def paint(ax: Axes) -> None:
        ax.set_xlim(0, max(rows["_share"].max(), limit or 0, 0.005) * 1.1)
        ax.hlines(rows.index, 0, rows["_share"], color=style.WARNING, linewidth=1.6)
        ax.plot(rows["_share"], rows.index, "o", color=style.WARNING, markersize=6)
        furniture.beside(ax, [_counts(row) for _i, row in rows.iterrows()])
        if limit is not None:
            furniture.reference_line(ax, limit, _("Limit {share}").format(share=numbers.show(limit, "share")))
        ax.set_yticks(rows.index, [names.table(name) for name in rows[table]])
        ax.set_ylim(-0.6, len(rows) - 0.4 + (0.5 if limit is not None else 0))
        ax.grid(axis="x")
        furniture.open_side(ax, "left")
        furniture.number_axis(ax.xaxis, "share", _("Share of rows quarantined"))

    listed = names.listed([f"{names.table(row[table])}: {_counts(row)}" for _i, row in rows[::-1].iterrows()])
    alt = _("Dots, share of rows quarantined. {listed}.").format(listed=listed)
    return canvas.chart(paint, height_cm=1.9 + 0.68 * len(rows), title=title, alt=alt, note=note)


def _counts(row: pd.Series) -> str:
    text = _("{quarantined} of {rows} ({share})").format(
        quarantined=numbers.show(row["quarantined"], "count"),
        rows=numbers.show(row["_read"], "count"),
        share=numbers.show(row["_share"], "share", places=2),
    )
    dropped = _(", {dropped} dropped").format(dropped=numbers.show(row["dropped"], "count"))
    return text + dropped if row["dropped"] else text
