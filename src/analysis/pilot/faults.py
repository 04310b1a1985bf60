"""Broken rows: what is planted in which file. Rows are added, or single values replaced, so that no truth changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from analysis.pilot.layouts import Layout

Effect = Literal["row", "value", "none"]


@dataclass(frozen=True)
class Fault:
    """A kind of fault in a file, once a value of ``values``.

    ``effect`` is ``row`` where a broken copy of a row is added, which cannot be accepted; ``value`` where a value of a
    good row is replaced and cannot be read; ``none`` where the value is odd and must be taken as it is.
    ``only`` says in which rows a value is replaced: where the column is filled, or empty.
    """

    file: str
    kind: str
    column: str
    effect: Effect
    values: tuple[str, ...]
    only: Literal["filled", "empty"] = "filled"


_ORDERS, _CONTRACTS, _SURVEY = "bestellungen.csv", "vertraege.csv", "results-survey482913.csv"
_NOBODY = ("99999998", "99999999")

FAULTS = (
    Fault("kunden.csv", "duplicate_id", "Kundennummer", "row", ("", "")),
    Fault("kunden.csv", "too_few_fields", "", "row", ("",)),
    Fault("kunden.csv", "too_many_fields", "", "row", ("",)),
    Fault("kunden.csv", "unparsable_date", "Geburtsdatum", "value", ("31.02.1980", "unbekannt")),
    Fault("kunden.csv", "unparsable_number", "Akquisekosten", "value", ("k. A.", "12,5 Euro?")),
    Fault(_ORDERS, "unparsable_number", "Umsatz", "row", ("zwölf", "1,2,3")),
    Fault(_ORDERS, "unparsable_date", "Bestelldatum", "row", ("30.02.2026", "gestern")),
    Fault(_ORDERS, "unknown_reference", "Kundennummer", "row", _NOBODY),
    Fault(_ORDERS, "too_few_fields", "", "row", ("", "")),
    Fault(_ORDERS, "too_many_fields", "", "row", ("", "")),
    Fault(_ORDERS, "unparsable_number", "Wareneinsatz", "value", ("?",)),
    Fault(_CONTRACTS, "duplicate_id", "Vertragsnummer", "row", ("", "")),
    Fault(_CONTRACTS, "unparsable_date", "Vertragsbeginn", "row", ("00.00.0000",)),
    Fault(_CONTRACTS, "unknown_reference", "Kundennummer", "row", _NOBODY),
    Fault(_CONTRACTS, "end_before_start", "Beendet am", "value", ("31.12.2001", "15.01.2002"), only="empty"),
    Fault(_CONTRACTS, "too_few_fields", "", "row", ("",)),
    Fault(_CONTRACTS, "too_many_fields", "", "row", ("",)),
    Fault(_SURVEY, "duplicate_id", "id", "row", ("", "")),
    Fault(_SURVEY, "outside_scale", "Q1", "value", ("11", "0", "7.5", "-1")),
    Fault(_SURVEY, "outside_scale", "Q2[SQ001]", "value", ("6",)),
    Fault(_SURVEY, "unknown_reference", "attribute_1", "value", _NOBODY),
    Fault(_SURVEY, "too_few_fields", "", "row", ("",)),
    Fault(_SURVEY, "too_many_fields", "", "row", ("",)),
    Fault(
        _SURVEY,
        "hostile_text",
        "Q3",
        "none",
        ("<script>alert(1)</script>", "[Klick](javascript:alert(1))", "=cmd|' /C calc'!A1"),
    ),
    Fault("tickets.csv", "duplicate_id", "Ticket-ID", "row", ("",)),
    Fault("tickets.csv", "unparsable_date", "Erstellt am", "row", ("2026-13-45 10:00:00",)),
    Fault("tickets.csv", "end_before_start", "Gelöst am", "value", ("2001-01-13 10:00:00",)),
    Fault("tickets.csv", "outside_scale", "Bewertung", "value", ("7",)),
    Fault("tickets.csv", "unknown_reference", "Kundennummer", "value", _NOBODY[:1]),
    Fault("tickets.csv", "too_few_fields", "", "row", ("",)),
    Fault("forum.csv", "duplicate_id", "id", "row", ("",)),
    Fault("forum.csv", "unparsable_date", "created_at", "row", ("soon",)),
    Fault("forum.csv", "unknown_choice", "action", "row", ("shouted",)),
    Fault("forum.csv", "too_many_fields", "", "row", ("",)),
    Fault("kontakte.csv", "unparsable_date", "Zeitpunkt", "row", ("morgen",)),
    Fault("kontakte.csv", "unknown_choice", "Richtung", "row", ("seitwärts",)),
    Fault("kontakte.csv", "unknown_reference", "Kundennummer", "row", _NOBODY[:1]),
    Fault("kontakte.csv", "too_few_fields", "", "row", ("",)),
)
"""A date before every start is an end before its start in each row."""


def plant(lines: list[str], layout: Layout) -> tuple[list[str], list[Fault]]:
    """Return the file's first lines with its faults among them, and the faults for which there was a fitting line."""
    own = [fault for fault in FAULTS if fault.file == layout.file]
    edits: dict[int, list[str]] = {}
    planted = []
    for position, fault in enumerate(own, start=1):
        done = []
        for value in fault.values:
            at = _fitting(lines, layout, fault, 2 * position * len(lines) // (2 * len(own) + 1), edits)
            if at is not None:
                edits[at] = _edited(lines[at], layout, fault, value)
                done.append(value)
        if done:
            planted.append(replace(fault, values=tuple(done)))
    return [line for at, original in enumerate(lines) for line in edits.get(at, [original])], planted


def _fitting(lines: list[str], layout: Layout, fault: Fault, start: int, edits: dict[int, list[str]]) -> int | None:
    """Return the first untouched line from ``start`` on, round the end, in which the fault can be planted."""
    column = list(layout.columns).index(fault.column) if fault.column else 0
    for at in chain(range(start, len(lines)), range(min(start, len(lines)))):
        filled = lines[at].split(layout.separator)[column] not in ("", '""')
        if at not in edits and filled == (fault.only == "filled"):
            return at
    return None


def _edited(line: str, layout: Layout, fault: Fault, value: str) -> list[str]:
    """Return the lines that stand for ``line``. No value of these files holds the separator, so splitting is safe."""
    quote = '"' if layout.quote_all else ""
    fields = line.split(layout.separator)
    if fault.kind == "duplicate_id":
        return [line, line]
    if fault.effect == "row" and layout.key:
        fields[0] = f"{quote}9{fields[0].strip(quote).zfill(9)}{quote}"
    if fault.kind == "too_few_fields":
        fields = fields[:-2]
    elif fault.kind == "too_many_fields":
        fields += [f"{quote}zu viel{quote}", f"{quote}1{quote}"]
    else:
        fields[list(layout.columns).index(fault.column)] = f"{quote}{value}{quote}"
    broken = layout.separator.join(fields)
    return [line, broken] if fault.effect == "row" else [broken]
