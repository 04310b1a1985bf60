"""Tables on what customers are worth, how sure that is, and what it rests on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import names, numbers, tables
from analysis.draw.amounts import money
from analysis.draw.customer_lists import listed
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.tables import Key, Table
from analysis.draw.value import TENTHS, TOTALS
from analysis.draw.value_names import ALL, NO_CLASS, class_name, kind_name, model_name
from analysis.draw.words import Sentence

_ASSUMED = {
    "months": (mark("Horizon: what comes after it does not count"), "months"),
    "discount": (mark("Discount a year; money of a month is booked at its {timing}"), "share"),
    "model": (mark("Model of orders, fitted on all who have ordered"), "model"),
    "fee_margin": (mark("Share of a monthly fee that is margin, declared"), "share"),
    "without_cost": (mark("Share of revenue whose cost is unknown"), "share"),
    "margin_ratio": (mark("Margin by revenue where the cost is unknown"), "share"),
    "service": (mark("Cost to serve a customer and month"), "money"),
    "acquisition": (mark("Customers won in the period, whose acquisition is deducted"), "count"),
    "without_fee": (mark("Contracts in force without a fee, counted as bringing none"), "count"),
    "others": (mark("Customers with neither an order nor a contract in force, left out"), "count"),
}
_TIMINGS = {"end": mark("end, if the customer is still there"), "start": mark("beginning")}
_CLASS_MARGIN = "margin_ratio_"


def by_class(totals: pd.DataFrame, *, title: str, won: int = 0, smallest: int = 1) -> Table | Sentence:
    """Show by class and kind what customers have brought and what is expected; the two in columns of their own.

    Columns in: as for ``value.worth``. Where a group has fewer than ``smallest`` customers, only the sum is shown.
    ``won``: of how many customers winning them is deducted.
    """
    require("value_tables.by_class", totals, TOTALS)
    has_kinds = totals["kind"].nunique() > 2  # else all are of one kind
    is_class = (totals["kind"] == ALL) & (totals["class"] != ALL)
    is_kind = (totals["kind"] != ALL) & (totals["class"] == ALL)
    whole = totals[(totals["kind"] == ALL) & (totals["class"] == ALL)]
    parts = pd.concat([totals[is_class], totals[is_kind & has_kinds]])
    shown = whole if (parts["customers"] < smallest).any() else pd.concat([parts, whole])
    shown = shown[shown["customers"] >= max(smallest, 1)]
    if shown.empty:
        return Sentence()
    texts = {name: [_whole(value) for value in shown[name]] for name in ("past_value", "expected_value")}
    texts["average_expected_value"] = [money(value) for value in shown["average_expected_value"]]
    texts["interval"] = [_between(*pair) for pair in zip(shown["low"], shown["high"], strict=True)]
    texts["group"] = [_group(row) for row in shown.to_dict("records")]
    columns: dict[Key, tuple[str | None, str]] = {
        "group": (_("Customers"), "plain"),
        "customers": (_("Number"), "count"),
        "past_value": (None, "written"),
        "expected_value": (None, "written"),
        "interval": (None, "written"),
        "average_expected_value": (None, "written"),
    }
    note = _past(has_fees=(totals["kind"] == "contract").any())
    return tables.table(shown.assign(**texts), title=title, columns=columns, note=" ".join([note, *_deducted(won)]))


def _past(*, has_fees: bool) -> str:
    if has_fees:
        return _(
            "“Brought so far” is the margin of orders and of fees, these reckoned as fee times time under contract; "
            "“expected value” is a forecast. The two are not to be added up."
        )
    return _("“Brought so far” is the margin of orders, “expected value” a forecast; they are not to be added up.")


def _deducted(won: int) -> list[str]:
    text = ngettext(
        "What winning {count} customer of the period cost is deducted here; the table on care reckons without that.",
        "What winning {count} customers of the period cost is deducted here; the table on care reckons without that.",
        won,
    )
    return [text.format(count=show(won, "count"))] if won else []


def _group(row: dict[Any, Any]) -> str:
    return class_name(row["class"]) if row["kind"] == ALL else kind_name(row["kind"])


def _whole(value: Any, _unit: str = "money") -> str:
    return numbers.short(value, "money")


def _between(low: Any, high: Any) -> str:
    return numbers.interval(low, high, "money", write=_whole)


def by_tenth(tenths: pd.DataFrame, *, title: str, smallest: int = 1) -> Table | Sentence:
    """Show by tenth of the customers what is expected of them, together and of one, and how sure that is.

    Columns in: as for ``value.certainty``. Nothing is shown where a tenth has fewer than ``smallest`` customers.
    """
    require("value_tables.by_tenth", tenths, TENTHS)
    if tenths.empty or (tenths["customers"] < smallest).any():
        return Sentence()
    shown = tenths.assign(
        tenth=[show(value, "count") for value in tenths["tenth"]],
        expected_value=[_whole(value) for value in tenths["expected_value"]],
        mean=[money(value) for value in tenths["mean"]],
        typical=[_between(*pair) for pair in zip(tenths["low"], tenths["high"], strict=True)],
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "tenth": (_("Tenth (10: most valuable)"), "plain"),
        "customers": (None, "count"),
        "expected_value": (None, "written"),
        "share": (_("Share of positive value"), "share"),
        "mean": (_("Mean a customer"), "written"),
        "typical": (_("{level}\u00a0interval of a typical customer").format(level=names.level()), "written"),
    }
    note = _("Interval: that of a single customer, both ends medians of the tenth.")
    return tables.table(shown, title=title, columns=columns, note=note)


def dearest(customers: pd.DataFrame, *, title: str, internal: bool, sheet: str = "") -> Table | Sentence:
    """List the customers of whom most is expected; it stays in the house.

    Columns in: customer_id, kind, class, past_value, expected_value, low, high; ``attrs["n"]`` counts all. ``sheet``
    names the sheet of the workbook that holds all.
    """
    needed = ("customer_id", "kind", "class", "past_value", "expected_value", "low", "high")
    require("value_tables.dearest", customers, needed)
    if customers.empty:
        return Sentence()
    shown = customers.assign(
        kind=[kind_name(code) for code in customers["kind"]],
        past_value=[_whole(value) for value in customers["past_value"]],
        expected_value=[_whole(value) for value in customers["expected_value"]],
        interval=[_between(*pair) for pair in zip(customers["low"], customers["high"], strict=True)],
        **{"class": [class_name(code) for code in customers["class"]]},
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "kind": (_("Customer"), "plain"),
        "class": (None, "plain"),
        "past_value": (None, "written"),
        "expected_value": (None, "written"),
        "interval": (None, "written"),
    }
    return listed(shown, title=title, columns=columns, internal=internal, sheet=sheet)


_COUNTS = ("acquisition", "without_fee", "others")


def assumptions(frame: pd.DataFrame, summary: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show what the values rest on. Columns in: name, value, meaning; of ``summary`` model."""
    require("value_tables.assumptions", frame, ("name", "value", "meaning"))
    rows = [_assumed(row, summary["model"].iloc[0]) for row in frame.to_dict("records")]
    shown = pd.DataFrame([row for row in rows if row], columns=["assumption", "value"])
    if shown.empty:
        return Sentence()
    columns: dict[Key, tuple[str | None, str]] = {"assumption": (_("Assumption"), "plain"), "value": (None, "written")}
    return tables.table(shown, title=title, columns=columns)


def without_few(frame: pd.DataFrame, totals: pd.DataFrame, *, least: int) -> pd.DataFrame:
    """Leave out assumptions that tell of fewer than ``least`` customers: counts, and margins of classes.

    Columns in: of ``frame`` name, value; of ``totals`` class, customers.
    """
    few = totals[totals["customers"].between(1, least - 1)]["class"]
    is_few = frame["name"].isin(_COUNTS) & frame["value"].between(1, least - 1)
    return frame[~is_few & ~frame["name"].isin(_CLASS_MARGIN + few)]


def _assumed(row: dict[Any, Any], model: Any) -> tuple[str, str] | None:
    name, value = row["name"], row["value"]
    if name.startswith(_CLASS_MARGIN):
        text = _("Margin by revenue within a year, {name}")
        letter = name.removeprefix(_CLASS_MARGIN)
        return None if letter == NO_CLASS else (text.format(name=class_name(letter)), show(value, "share"))
    if name not in _ASSUMED:
        return None
    text, unit = _ASSUMED[name]
    heading = _(text).format(timing=_timing(row["meaning"]))
    if unit == "model":
        return None if is_missing(model) else (heading, model_name(model))
    if unit == "months":
        return heading, ngettext("{count} month", "{count} months", int(value)).format(count=show(value, "count"))
    if name == "service" and is_missing(value):
        return heading, _("each customer's mean of the last year")
    if name == "service" and not value:
        return heading, _("not on record, taken as none")
    return heading, show(value, unit)


def _timing(meaning: str) -> str:
    text = _TIMINGS["start" if meaning.endswith("start") else "end"]
    return _(text)
