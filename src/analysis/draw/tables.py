"""Tables: a frame to HTML by great-tables, the one place that knows its ways."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
from great_tables import GT
from great_tables import html as ready_made

from analysis.draw import dates, findings, names, notes, numbers, words
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.words import Sentence
from analysis.errors import UnknownNameError

Key = str | tuple[str, str]
"""A column of the frame, or the two that hold the ends of an interval."""

_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "text": lambda value: numbers.MISSING if numbers.is_missing(value) else names.label(value),
    "group": names.label,
    "table": lambda value: names.table(str(value)),
    "column": lambda value: names.column(str(value)),
    "reason": lambda value: names.reason(str(value)),
    "note": lambda value: notes.note(str(value)),
    "period": lambda value: dates.period(str(value)),
    "date": dates.date,
    "plain": lambda value: names.printable(str(value)),
}
"""Units of columns that hold no numbers; they stand on the left."""

_WRITTEN = "written"
"""The unit of a column of numbers that are written already, each with a unit of its own."""

_UNITS: Mapping[str, str] = {
    **dict.fromkeys(
        ("n", "count", "answers", "customers", "promoters", "passives", "detractors", "anonymous"), "count"
    ),
    **dict.fromkeys(("read", "accepted", "quarantined", "dropped", "set_missing"), "count"),
    **dict.fromkeys(("exposed", "ended", "ended_of_exposed", "events", "at_risk", "customers"), "count"),
    **dict.fromkeys(("share", "customer_share", "revenue_share", "survival"), "share"),
    **dict.fromkeys(("revenue", "lowest_revenue", "fee", "cost"), "money"),
    **dict.fromkeys(("gross_retention", "net_retention", "cumulative"), "share"),
    **dict.fromkeys(("revenue_before", "revenue_after", "change"), "money"),
    **dict.fromkeys(("fees_start", "lost", "reduced", "added", "fees_end", "revenue_lost"), "money"),
    **dict.fromkeys(("first", "last", "as_of"), "date"),
    **dict.fromkeys(("source", "class", "figure", "definition"), "text"),
    **dict.fromkeys(("words", "quotes"), "plain"),
    **dict.fromkeys(("value", "interval"), _WRITTEN),
    "nps": "points",
    "mean": "rating",
    "rate": "per year",
    "median": "days",
    "period": "period",
    "table": "table",
    "column": "column",
    "reason": "reason",
    "note": "note",
}
"""The unit of a column by its name; any other holds the names of groups."""

_MEASURES = {"nps": "points", "csat": "share", "ces": "rating"}

_STYLE = (
    ".sk-table{margin:1em 0;overflow-x:auto}"
    ".sk-table table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".sk-table caption{text-align:left;font-weight:600;padding:.3em 0}"
    ".sk-table thead{display:table-header-group}"
    ".sk-table th,.sk-table td{padding:.25em .7em;text-align:left;border:0;border-bottom:1px solid #DDE1E7;"
    "background:none;vertical-align:top}"
    ".sk-table thead th{border-bottom:1.5px solid #5A6472;font-weight:600;vertical-align:bottom}"
    ".sk-table tbody th{font-weight:400}"
    ".sk-table .gt_right{text-align:right;white-space:nowrap}"
    ".sk-table tr{break-inside:avoid}"
)
"""What a page without a stylesheet of its own needs; the published page overrides it."""


@dataclass(frozen=True)
class Table:
    """A table as HTML, with its title and a plain text form."""

    id: str
    title: str
    html: str
    plain: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": f"{self.title}\n{self.plain}"}


def table(
    frame: pd.DataFrame,
    *,
    title: str,
    columns: Mapping[Key, tuple[str | None, str]] | Sequence[Key],
    note: str = "",
    id: str | None = None,
) -> Table | Sentence:
    """Show columns of a frame as a table with a caption; numbers stand on the right, as the reader writes them.

    ``columns`` maps a column to its heading, or None for the kit's own name of it, and its unit: one of numbers.PLACES,
    or text, group (a missing one is named "not stated"), date, period, table, column, reason, note. A pair of columns
    makes one of intervals:
    ``{"region": (None, "text"), "nps": ("NPS", "points"), ("low", "high"): (None, "points")}``. A sequence of keys
    will do where every column has the heading and unit of its name; a pair has the unit of the column before it.
    The first column names the row where it holds text. A missing value is a dash; whatever stands in a cell stays text.
    """
    columns = columns if isinstance(columns, Mapping) else _by_name(columns)
    require("tables.table", frame, [name for key in columns for name in ([key] if isinstance(key, str) else key)])
    if frame.empty:
        return words.no_data(title)
    cells = pd.DataFrame({f"c{i}": _cells(frame, key, unit) for i, (key, (_h, unit)) in enumerate(columns.items())})
    headings = [_heading(key, heading) for key, (heading, _u) in columns.items()]
    table_id = id or _id(title, headings, cells)
    is_text = [unit in _TEXTS for _h, unit in columns.values()]
    html = _dressed(_great_table(cells, headings, is_text, table_id), table_id, title, note)
    return Table(table_id, title, html, cells.set_axis(headings, axis=1).to_string(index=False))


def _by_name(keys: Sequence[Key]) -> dict[Key, tuple[str | None, str]]:
    found: dict[Key, tuple[str | None, str]] = {}
    unit = "text"
    for key in keys:
        unit = _UNITS.get(key, "group") if isinstance(key, str) else unit
        found[key] = (None, unit)
    return found


def sources(frame: pd.DataFrame, tables: Sequence[str], *, as_of: dt.date) -> Table | Sentence:
    """Show where the figures of a chapter come from.

    Columns in: table, source, accepted, first, last. ``tables`` names those that the chapter has read.
    """
    shown = frame[frame["table"].isin(tables)].assign(as_of=as_of)
    title = _("Sources, as known on {day}").format(day=dates.date(as_of))
    columns: dict[Key, tuple[str | None, str]] = {"table": (None, "table"), "source": (None, "note")}
    columns |= {"accepted": (None, "count"), "first": (_("File from"), "date"), "last": (_("File to"), "date")}
    return table(shown, title=title, columns=columns)


def figures(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show the figures that speak for a whole chapter, not those of its groups, each in its own unit.

    Columns in: id, value, low, high, n, unit, definition.
    """
    whole = frame[frame["id"].str.count(r"\.") == 1]
    shown = pd.DataFrame(
        {
            "figure": [findings.figure_name(name) for name in whole["id"]],
            "value": [findings.figure_value(*pair) for pair in zip(whole["value"], whole["unit"], strict=True)],
            "interval": [numbers.interval(*row) for row in whole[["low", "high", "unit"]].itertuples(index=False)],
            "n": whole["n"].tolist(),
            "definition": whole["definition"].tolist(),
        }
    )
    return table(shown, title=title, columns=["figure", "value", "interval", "n", "definition"])


def touchpoints(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show one row a touchpoint, each measure with its interval in its own unit; an arrow marks where it breaks.

    Columns in: kind, touchpoint, measure, n, value, low, high, breaks.
    """
    require("tables.touchpoints", frame, ("kind", "touchpoint", "measure", "n", "value", "low", "high", "breaks"))
    if frame.empty:
        return words.no_data(title)
    measures = [name for name in _MEASURES if (frame["measure"] == name).any()]
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in frame.to_dict("records"):
        shown = rows.setdefault((row["kind"], row["touchpoint"]), {})
        shown[row["measure"]] = _measured(row, _MEASURES[row["measure"]])
    cells = [{"kind": kind, "touchpoint": names.label(point), **shown} for (kind, point), shown in rows.items()]
    columns: dict[Key, tuple[str | None, str]] = {"kind": (None, "column"), "touchpoint": (None, "text")}
    for name in measures:
        columns[name] = (None, _WRITTEN)
    note = _("With {level}\u00a0interval. ▼ worse than the others beyond chance.").format(level=names.level())
    empty = dict.fromkeys(measures, numbers.MISSING)
    return table(pd.DataFrame([empty | cell for cell in cells]), title=title, columns=columns, note=note)


def themes(frame: pd.DataFrame, *, title: str, quotes: bool) -> Table | Sentence:
    """Show what comments are about; with ``quotes`` what was written, which stays in the house.

    Columns in: words, n, share, nps, low, high, quotes (a few comments each), comments, read, without_theme.
    """
    require("tables.themes", frame, ("words", "n", "share", "nps", "low", "high", "quotes", "comments", "read"))
    if frame.empty:
        return words.no_data(title)
    first = frame.iloc[0]
    counts = {name: numbers.show(first[name], "count") for name in ("comments", "read", "without_theme")}
    note = _("{read} of {comments} comments were read; {without_theme} belong to no theme.").format(**counts)
    shown = frame.assign(
        quotes=[" · ".join(_("“{name}”").format(name=one) for one in some) for some in frame["quotes"]]
    )
    columns: list[Key] = ["words", "n", "share", "nps", ("low", "high"), *(["quotes"] if quotes else [])]
    return table(shown, title=title, columns=columns, note=note)


def _measured(row: dict[Hashable, Any], unit: str) -> str:
    ends = numbers.interval(row["low"], row["high"], unit)
    value = f"{numbers.show(row['value'], unit)} ({ends}; {words.base(row['n'])})"
    return f"▼\u00a0{value}" if row["breaks"] else value


def _cells(frame: pd.DataFrame, key: Key, unit: str) -> list[str]:
    if unit == _WRITTEN:
        return [str(text) for text in frame[key]]
    if unit not in _TEXTS and unit not in numbers.PLACES:
        raise UnknownNameError("unit", unit, [*numbers.PLACES, *_TEXTS, _WRITTEN])
    if not isinstance(key, str):
        low, high = key
        return [numbers.interval(*ends, unit) for ends in zip(frame[low], frame[high], strict=True)]
    return [_TEXTS[unit](value) if unit in _TEXTS else numbers.show(value, unit) for value in frame[key]]


def _heading(key: Key, heading: str | None) -> str:
    return heading if heading is not None else names.column(key if isinstance(key, str) else "interval")


def _id(title: str, headings: list[str], cells: pd.DataFrame) -> str:
    content = "\x1f".join([title, *headings, *cells.to_numpy().ravel()])
    return "tab-" + hashlib.sha256(content.encode()).hexdigest()[:10]


def _great_table(cells: pd.DataFrame, headings: list[str], is_text: list[bool], table_id: str) -> str:
    """Return the bare <table> of great-tables, without the 8 kB of style that it repeats for each."""
    first = "c0" if is_text[0] else None
    # great-tables reads {{ }} in any heading as the notation of a unit
    escaped = [ready_made(escape(heading).replace("{", "&#123;")) for heading in headings]
    great = GT(cells, rowname_col=first, id=table_id).cols_label(dict(zip(cells.columns, escaped, strict=True)))
    great = great.cols_align("left", [name for name, text in zip(cells, is_text, strict=True) if text])
    great = great.cols_align("right", [name for name, text in zip(cells, is_text, strict=True) if not text])
    if first:
        great = great.tab_stubhead(escaped[0])
    html = great.as_raw_html()
    return html[html.index("<table") : html.index("</table>")] + "</table>"


def _dressed(table_html: str, table_id: str, title: str, note: str) -> str:
    # great-tables puts a title into a row of the head, which repeats on each page and is no caption to a screen reader.
    captioned = re.sub(
        r"(<table[^>]*>)", lambda tag: f"{tag[1]}<caption>{escape(title)}</caption>", table_html, count=1
    )
    foot = f'<p class="sk-note">{escape(note)}</p>' if note else ""
    return f'<div class="sk-table" id="{escape(table_id)}"><style>{_STYLE}</style>{captioned}{foot}</div>'
