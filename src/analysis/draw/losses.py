"""Sentences, tables and figures on how much value may leave with the customers who may leave."""

from __future__ import annotations

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

_TOTALS = ("class", "customers", "expected_value", "expected_loss", "low", "high", "share")
_CUSTOMERS = ("customer_id", "class", "risk", "expected_value", "expected_loss")


def exposed(totals: pd.DataFrame, customers: pd.DataFrame, *, horizon: int, smallest: int = 1) -> Sentence:
    r"""Say how much value is expected to leave within so many days, and how much of it with few customers.

    Columns in: of ``totals`` class, customers, expected_value, expected_loss, low, high, share; of ``customers``
    expected_loss, the highest first. Of fewer than ``smallest`` customers nothing is said.

    >>> row = {"class": "all", "customers": 2675, "expected_value": 623000.0, "expected_loss": 21000.0, "low": 17000.0}
    >>> row |= {"high": 25000.0, "share": 0.0337}
    >>> first = pd.DataFrame({"expected_loss": [300.0] * 50})
    >>> told = exposed(pd.DataFrame([row]), first, horizon=90)
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 623.000 € erwartetem Wert (n = 2.675) gehen mit Kundinnen und Kunden, die in den nächsten 90 Tagen abwandern,
    voraussichtlich 21.000 € verloren (3,4 %; 95-%-Intervall 17.000 bis 25.000 €). 71,4 % davon entfallen auf die
    50 Personen, bei denen am meisten auf dem Spiel steht: Dort lohnt ein Gespräch zuerst.
    """
    require("losses.exposed", totals, _TOTALS)
    whole = totals[totals["class"] == ALL]
    if whole.empty or whole["customers"].iloc[0] < max(smallest, 1):
        return Sentence(_("How much value may leave cannot be told: no risk of leaving is known, or no value."))
    row = whole.iloc[0]
    text = _(
        "Of {value} of expected value ({base}), {loss} are expected to be lost with customers who leave within the "
        "next {horizon} ({share}{interval})."
    )
    told = text.format(
        value=money(row["expected_value"]),
        base=f"n = {show(row['customers'], 'count')}".replace(" ", numbers.NO_BREAK_SPACE),
        loss=money(row["expected_loss"]),
        horizon=said(horizon, "days", dative=True),
        share=show(row["share"], "share"),
        interval=f"; {ends(row['low'], row['high'])}",
    )
    return Sentence(" ".join([told, *_first(customers, row)]))


def _first(customers: pd.DataFrame, row: pd.Series) -> list[str]:
    """Say which part of the loss falls to the first customers, where they are few of all."""
    if not row["expected_loss"] > 0 or len(customers) * 2 > row["customers"]:
        return []
    text = ngettext(
        "{share} of it falls to the {count} customer with whom most is at stake: there a talk pays first.",
        "{share} of it falls to the {count} customers with whom most is at stake: there a talk pays first.",
        len(customers),
    )
    share = show(customers["expected_loss"].sum() / row["expected_loss"], "share")
    return [text.format(share=share, count=show(len(customers), "count"))]


def by_class(totals: pd.DataFrame, *, title: str, smallest: int = 1) -> Table | Sentence:
    """Show how much value is at risk by class. Columns in: as for :func:`exposed`.

    Where a class has fewer than ``smallest`` customers, only the sum is shown.
    """
    require("losses.by_class", totals, _TOTALS)
    shown = totals[totals["class"] == ALL] if (totals["customers"] < smallest).any() else totals
    shown = shown[shown["customers"] >= max(smallest, 1)]
    if shown.empty:
        return Sentence()
    pairs = zip(shown["low"], shown["high"], strict=True)
    texts = {name: [numbers.short(value, "money") for value in shown[name]] for name in _TOTALS[2:4]}
    texts["interval"] = [numbers.interval(*pair, "money", write=numbers.short) for pair in pairs]
    texts["class"] = [class_name(code) for code in shown["class"]]
    columns: dict[Key, tuple[str | None, str]] = {
        "class": (None, "plain"),
        "customers": (None, "count"),
        "expected_value": (None, "written"),
        "expected_loss": (None, "written"),
        "interval": (None, "written"),
        "share": (_("of the value"), "share"),
    }
    return tables.table(shown.assign(**texts), title=title, columns=columns)


def first(customers: pd.DataFrame, *, title: str, internal: bool, most: int = 25) -> Table | Sentence:
    """List the customers with whom most is at stake; it stays in the house.

    Columns in: customer_id, class, risk, expected_value, expected_loss.
    """
    require("losses.first", customers, _CUSTOMERS)
    if customers.empty:
        return Sentence()
    shown = customers.assign(**{"class": [class_name(code) for code in customers["class"]]}).head(most)
    shown.attrs["n"] = len(customers)
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "class": (None, "plain"),
        "risk": (None, "share"),
        "expected_value": (None, "money"),
        "expected_loss": (None, "money"),
    }
    return listed(shown, title=title, columns=columns, internal=internal)


def figures(totals: pd.DataFrame, chapter: str, *, horizon: int, source: str) -> pd.DataFrame:
    """Return the expected loss in all and by class, as the report takes them. Columns in: as for :func:`exposed`."""
    require("losses.figures", totals, _TOTALS)
    rows = [
        {"id": f"{chapter}.expected_loss", "value": row["expected_loss"], "low": row["low"], "high": row["high"]}
        | ({} if row["class"] == ALL else {"id": f"{chapter}.expected_loss_class", "group": row["class"]})
        | {"n": row["customers"], **defined("expected_loss", horizon=horizon)}
        for row in totals.to_dict("records")
        if row["customers"]
    ]
    return figure_rows(rows, source=source)
