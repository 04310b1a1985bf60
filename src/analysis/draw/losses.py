"""Sentences, tables and figures on how much value may leave with the customers who may leave."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import numbers, tables
from analysis.draw.amounts import ends, money
from analysis.draw.customer_lists import listed
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import said, show
from analysis.draw.tables import Key, Table
from analysis.draw.value_names import ALL, class_name
from analysis.draw.words import Sentence

_TOTALS = ("class", "customers", "expected_value", "expected_loss", "low", "high", "share", "whole")
_CUSTOMERS = ("customer_id", "class", "risk", "expected_value", "expected_loss")


def exposed(totals: pd.DataFrame, customers: pd.DataFrame, *, horizon: int, smallest: int = 1) -> Sentence:
    r"""Say how much value is expected to leave within so many days, how much of it with few customers, and at most.

    Columns in: of ``totals`` class, customers, expected_value, expected_loss, low, high, share, whole (the loss if
    nobody who leaves ordered any more; missing where nobody has a contract); of ``customers`` risk, expected_loss, the
    highest first. Of fewer than ``smallest`` customers nothing is said.

    >>> row = {"class": "all", "customers": 2675, "expected_value": 455000.0, "expected_loss": 16000.0, "low": 13000.0}
    >>> row |= {"high": 20000.0, "share": 0.0352, "whole": 24000.0}
    >>> first = pd.DataFrame({"risk": [0.2, 0.1] * 25, "expected_loss": [80.0] * 50})
    >>> told = exposed(pd.DataFrame([row]), first, horizon=90)
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 455.000 €, die aus laufenden Verträgen zu erwarten sind (n = 2.675), gehen mit Kundinnen und Kunden, die in den
    nächsten 90 Tagen abwandern, voraussichtlich 16.000 € verloren (3,5 %; 95-%-Intervall 13.000 bis 20.000 €). 25,0 %
    davon entfallen auf die 50 Personen, bei denen am meisten auf dem Spiel steht: Dort lohnt ein Gespräch zuerst.
    Bestellen alle, die abwandern, auch nichts mehr, sind es bis zu 24.000 €.
    """
    require("losses.exposed", totals, _TOTALS)
    whole = totals[totals["class"] == ALL]
    if whole.empty or whole["customers"].iloc[0] < max(smallest, 1) or not whole["expected_value"].iloc[0] > 0:
        return Sentence(_("How much value may leave cannot be told: no risk of leaving is known, or no value."))
    row = whole.iloc[0]
    of_contracts = _(
        "Of {value} to be expected from contracts in force ({base}), {loss} are expected to be lost with customers who "
        "leave within the next {horizon} ({share}{interval})."
    )
    of_orders = _(
        "Of {value} of expected value ({base}), {loss} are expected to be lost with customers who leave within the "
        "next {horizon} ({share}{interval})."
    )
    told = (of_orders if numbers.is_missing(row["whole"]) else of_contracts).format(
        value=money(row["expected_value"]),
        base=f"n = {show(row['customers'], 'count')}".replace(" ", numbers.NO_BREAK_SPACE),
        loss=money(row["expected_loss"]),
        horizon=said(horizon, "days", dative=True),
        share=show(row["share"], "share"),
        interval=f"; {ends(row['low'], row['high'])}",
    )
    return Sentence(" ".join([told, *_first(customers, row), *_at_most(row)]))


def _first(customers: pd.DataFrame, row: pd.Series) -> list[str]:
    """Say which part of the loss falls to the first customers, where they are few of all."""
    if not row["expected_loss"] > 0 or len(customers) * 2 > row["customers"] or _are_alike(customers):
        return []
    text = ngettext(
        "{share} of it falls to the {count} customer with whom most is at stake: there a talk pays first.",
        "{share} of it falls to the {count} customers with whom most is at stake: there a talk pays first.",
        len(customers),
    )
    share = show(customers["expected_loss"].sum() / row["expected_loss"], "share")
    return [text.format(share=share, count=show(len(customers), "count"))]


def _are_alike(customers: pd.DataFrame) -> bool:
    """Say whether all have the same risk, as where no model tells them apart: then nobody is to be called first."""
    return len(customers) > 1 and customers["risk"].nunique() == 1


def _at_most(row: pd.Series) -> list[str]:
    if not row["whole"] > row["expected_loss"]:
        return []
    text = _("If those who leave do not order any more either, it is up to {whole}.")
    return [text.format(whole=money(row["whole"]))]


def by_class(totals: pd.DataFrame, *, title: str, smallest: int = 1) -> Table | Sentence:
    """Show how much value is at risk by class. Columns in: as for :func:`exposed`.

    Where a class has fewer than ``smallest`` customers, only the sum is shown.
    """
    require("losses.by_class", totals, _TOTALS)
    shown = _shown(totals, smallest)
    if not (shown["expected_value"] > 0).any():
        return Sentence()
    pairs = zip(shown["low"], shown["high"], strict=True)
    texts = {name: [numbers.short(value, "money") for value in shown[name]] for name in (*_TOTALS[2:4], "whole")}
    texts["interval"] = [numbers.interval(*pair, "money", write=numbers.short) for pair in pairs]
    texts["class"] = [class_name(code) for code in shown["class"]]
    columns: dict[Key, tuple[str | None, str]] = {
        "class": (None, "plain"),
        "customers": (None, "count"),
        "expected_value": (_("At stake"), "written"),
        "expected_loss": (None, "written"),
        "interval": (None, "written"),
        "share": (_("of the value"), "share"),
    }
    if (shown["whole"] > shown["expected_loss"]).any():
        columns["whole"] = (_("With all orders"), "written")
    return tables.table(shown.assign(**texts), title=title, columns=columns)


def _shown(totals: pd.DataFrame, smallest: int) -> pd.DataFrame:
    """Return what may be shown: where a class is small, the sum alone, for else the rest would tell of it."""
    rows = totals[totals["class"] == ALL] if (totals["customers"] < smallest).any() else totals
    return rows[rows["customers"] >= max(smallest, 1)]


def first(customers: pd.DataFrame, *, title: str, internal: bool, most: int = 25, sheet: str = "") -> Table | Sentence:
    """List the customers with whom most is at stake; it stays in the house. Where all have one risk, there is no list.

    Columns in: customer_id, class, risk, expected_value, expected_loss; ``attrs["n"]`` counts all customers. ``sheet``
    names the sheet of the workbook that holds all.
    """
    require("losses.first", customers, _CUSTOMERS)
    if not (customers["expected_loss"] > 0).any():
        return Sentence()
    if internal and _are_alike(customers):
        return Sentence(_("There is no list of those to talk to first, for the risks do not tell customers apart."))
    shown = customers.assign(**{"class": [class_name(code) for code in customers["class"]]}).head(most)
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "class": (None, "plain"),
        "risk": (None, "share"),
        "expected_value": (_("At stake"), "money"),
        "expected_loss": (None, "money"),
    }
    return listed(shown, title=title, columns=columns, internal=internal, sheet=sheet)


def figures(totals: pd.DataFrame, chapter: str, *, horizon: int, source: str, smallest: int = 1) -> pd.DataFrame:
    """Return the expected loss in all, by class and at most, as the report takes them. Columns in: see :func:`exposed`.

    Where a class has fewer than ``smallest`` customers, only those of all are returned.
    """
    require("losses.figures", totals, _TOTALS)
    about, name = {"horizon": horizon}, f"{chapter}.value_at_risk"
    rows: list[dict[str, Any]] = []
    for row in _shown(totals, smallest).to_dict("records"):
        known, ends_of = {"n": row["customers"]}, {"low": row["low"], "high": row["high"]}
        loss = known | ends_of | {"value": row["expected_loss"]} | defined("value_at_risk", **about)
        if row["class"] != ALL:
            rows.append(loss | {"id": f"{name}_class", "group": row["class"]})
            continue
        rows.append(loss | {"id": name})
        if row["whole"] > row["expected_loss"]:
            rows.append(known | {"id": f"{name}_most", "value": row["whole"]} | defined("value_at_risk_most", **about))
    return figure_rows(rows, source=source)
