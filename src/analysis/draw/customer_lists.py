"""Lists of single customers: they stay in the house, and say of how many they show the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from analysis.draw import names, tables
from analysis.draw.group_labels import GROUPS
from analysis.draw.language import _, mark
from analysis.draw.numbers import show
from analysis.draw.tables import Key, Table
from analysis.draw.value_names import NO_CLASS, class_name, kind_name
from analysis.draw.words import Sentence
from analysis.errors import UnknownNameError

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "moved": mark("Movement of customers"),
        "at_risk": mark("Customers at risk"),
        "next_offers": mark("Next offers"),
        "values": mark("Customer values"),
        "value_at_risk": mark("Value at risk by customer"),
    }
)
"""The lists of the workbook by name, and what their sheets are called: at most 31 letters, as Excel wants it."""

_COLUMNS: Mapping[str, tuple[str | None, str]] = MappingProxyType(
    {
        **dict.fromkeys(("state_before", "state_after", "class"), (None, "text")),
        **dict.fromkeys(("revenue_before", "revenue_after", "change", "revenue"), (None, "money")),
        **dict.fromkeys(("past_value", "expected_value", "expected_loss"), (None, "money")),
        **dict.fromkeys(("contract_days_left", "tenure_days", "complaints_open"), (None, "count")),
        "risk": (None, "share"),
        "at_stake": (mark("At stake"), "money"),
        "nps": (mark("NPS answer"), "count"),
        "product_id": (mark("Offer"), "plain"),
        "name": (mark("Name of the offer"), "plain"),
        "reason": (mark("because they bought"), "plain"),
        "reason_name": (mark("because they bought (name)"), "plain"),
        "confidence": (mark("in so many cases"), "share"),
        "expected_margin": (mark("Margin to expect"), "money"),
        "kind": (mark("Customer"), "text"),
        "low": (mark("Lower bound"), "money"),
        "high": (mark("Upper bound"), "money"),
        "margin": (mark("Margin in all"), "money"),
    }
)
"""Heading, or None for the kit's own name, and unit of the columns of lists; what stands in any other is text."""

_KINDS = ("contract", "purchases")


def listed(
    frame: pd.DataFrame,
    *,
    title: str,
    columns: Mapping[Key, tuple[str | None, str]] | Sequence[Key],
    internal: bool,
    note: str = "",
    sheet: str = "",
) -> Table | Sentence:
    """Show customers in internal reports, and in others that they are left out; nothing where there are none.

    Columns in: those of ``columns``; ``attrs["n"]`` counts all of them, where these are only the first. ``sheet`` names
    the sheet of the workbook that holds all, as ``report.customers`` returns it; empty where there is none.
    """
    if not internal:
        return Sentence(_("The list of single customers stands in internal reports only."))
    if frame.empty:
        return Sentence()
    notes = filter(None, (first_of(len(frame), int(frame.attrs.get("n", len(frame)))), note, _elsewhere(sheet)))
    return tables.table(frame, title=title, columns=columns, note=" ".join(notes))


def _elsewhere(sheet: str) -> str:
    text = _("The whole list stands in the workbook tables.xlsx, on the sheet “{sheet}”.")
    return text.format(sheet=sheet) if sheet else ""


def sheet(name: str, columns: Sequence[str]) -> dict[str, Any]:
    """Return what the sheet of a list looks like: ``title``, ``columns`` (heading, unit) and ``labels`` of codes.

    ``columns`` are those of the list. What ``report.customers`` is called with:
    ``report.customers("segments.moved", people, **customer_lists.sheet("moved", people.columns))``.

    >>> made = sheet("moved", ["customer_id", "state_after", "change"])
    >>> made["title"], made["columns"]["change"], made["labels"]["gone"]
    ('Wanderung der Kundschaft', ('Veränderung', 'money'), 'ohne Kauf')
    """
    if name not in TITLES:
        raise UnknownNameError("list of customers", name, TITLES)
    labels = {code: names.label(code) for code in GROUPS} | {code: kind_name(code) for code in _KINDS}
    return {
        "title": _(TITLES[name]),
        "columns": {column: _headed(column) for column in columns},
        "labels": labels | {NO_CLASS: class_name(NO_CLASS)},
    }


def _headed(column: str) -> tuple[str, str]:
    heading, unit = _COLUMNS.get(column, (None, "plain"))
    return names.column(column) if heading is None else _(heading), unit


def first_of(shown: int, n: int) -> str:
    """Say of how many rows the first are shown, where that is not all.

    >>> first_of(20, 31), first_of(3, 3)
    ('Gezeigt sind die ersten 20 von 31.', '')
    """
    text = _("The first {shown} of {n} are shown.")
    return text.format(shown=show(shown, "count"), n=show(n, "count")) if n > shown else ""
