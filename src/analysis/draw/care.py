"""Sentences, tables and figures on what care and winning customers may cost by class."""

from __future__ import annotations

import pandas as pd

from analysis.draw import tables
from analysis.draw.amounts import money
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import interval, is_missing, show
from analysis.draw.tables import Key, Table
from analysis.draw.value_names import NO_CLASS, class_name
from analysis.draw.words import Sentence

_ASSUMED = ("class", "customers", "care_share", "acquisition_share", "horizon_months")
_AMOUNTS = ("value_a_customer", "care_a_customer_month", "care_budget", "acquisition_limit")
_COLUMNS = (*_ASSUMED, *_AMOUNTS)


def budget(frame: pd.DataFrame, won: pd.DataFrame) -> Sentence:
    r"""Say what care of a customer of each class may cost a month, what winning one may cost, and what it did cost.

    Columns in: those of a care budget, a row a class; of ``won`` won (customers), acquisition (mean, money).

    >>> row = {"class": "A", "customers": 90, "care_share": 0.2, "acquisition_share": 0.3, "horizon_months": 12}
    >>> row |= {"value_a_customer": 600.0, "care_budget": 10800.0, "care_a_customer_month": 10.0}
    >>> row |= {"acquisition_limit": 180.0}
    >>> told = budget(pd.DataFrame([row]), pd.DataFrame([{"won": 26, "acquisition": 60.5}]))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Fließen 20,0 % des in 12 Monaten erwarteten Werts in die Betreuung, darf sie je Person und Monat im Mittel kosten:
    Klasse A 10,00 €. Fließen 30,0 % in die Gewinnung, darf eine neue Kundin oder ein neuer Kunde, wie sie in der Klasse
    im Mittel sind, höchstens kosten: Klasse A 180,00 €. Tatsächlich kosteten die 26 im Zeitraum Gewonnenen im Mittel
    60,50 €.
    """
    require("care.budget", frame, _COLUMNS)
    known = frame[frame["value_a_customer"].notna()]
    if known.empty:
        return Sentence(_("What care may cost cannot be told, as nobody's value is known."))
    named = known[known["class"] != NO_CLASS] if (known["class"] != NO_CLASS).any() else known
    months = int(named["horizon_months"].iloc[0])
    care = ngettext(
        "Where {share} of the value expected in {months} month goes into care, it may cost on average, a customer and "
        "month: {listed}.",
        "Where {share} of the value expected in {months} months goes into care, it may cost on average, a customer and "
        "month: {listed}.",
        months,
    )
    winning = _(
        "Where {share} goes into winning, a new customer like the average one of the class may cost at most: {listed}."
    )
    told = [
        text.format(months=show(months, "count"), share=_share(named[f"{part}_share"]), listed=_listed(named, column))
        for text, part, column in (
            (care, "care", "care_a_customer_month"),
            (winning, "acquisition", "acquisition_limit"),
        )
    ]
    return Sentence(" ".join([*told, *_cost(won.iloc[0])]))


def _share(shares: pd.Series) -> str:
    low, high = shares.min(), shares.max()
    return show(low, "share") if low == high else interval(low, high, "share")


def _listed(frame: pd.DataFrame, column: str) -> str:
    return ", ".join(f"{class_name(row['class'])} {money(row[column])}" for row in frame.to_dict("records"))


def _cost(won: pd.Series) -> list[str]:
    if not won["won"] or is_missing(won["acquisition"]):
        return []
    text = ngettext(
        "In fact the {count} customer won in the period cost {amount}.",
        "In fact the {count} customers won in the period cost {amount} on average.",
        int(won["won"]),
    )
    return [text.format(count=show(won["won"], "count"), amount=money(won["acquisition"]))]


def by_class(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show by class what care and winning may cost. Columns in: those of a care budget."""
    require("care.by_class", frame, _COLUMNS)
    known = frame[frame["value_a_customer"].notna()]
    if known.empty:
        return Sentence()
    written = {name: [money(value) for value in known[name]] for name in _AMOUNTS}
    columns: dict[Key, tuple[str | None, str]] = {
        "class": (None, "plain"),
        "customers": (None, "count"),
        "value_a_customer": (_("Expected value, mean"), "written"),
        "care_share": (_("Share for care"), "share"),
        "care_budget": (_("Care of all"), "written"),
        "care_a_customer_month": (_("Care a customer and month"), "written"),
        "acquisition_share": (_("Share for winning"), "share"),
        "acquisition_limit": (_("Winning one, at most"), "written"),
    }
    shown = known.assign(**written, **{"class": [class_name(letter) for letter in known["class"]]})
    months = int(known["horizon_months"].iloc[0])
    note = ngettext(
        "The shares are assumptions. Values are those expected in {months} month; winning a customer pays as long as "
        "it costs less than the expected value of one like them.",
        "The shares are assumptions. Values are those expected in {months} months; winning a customer pays as long as "
        "it costs less than the expected value of one like them.",
        months,
    )
    return tables.table(shown, title=title, columns=columns, note=note.format(months=show(months, "count")))


def figures(frame: pd.DataFrame, chapter: str, *, source: str) -> pd.DataFrame:
    """Return what care and winning may cost by class as figures, as the report takes them.

    Columns in: those of a care budget.
    """
    require("care.figures", frame, _COLUMNS)
    rows = [
        {"id": f"{chapter}.{name}", "group": row["class"], "value": row[column], "n": row["customers"]}
        | defined(name, share=show(row[f"{part}_share"], "share"), months=row["horizon_months"])
        for row in frame[frame["value_a_customer"].notna()].to_dict("records")
        for name, column, part in (
            ("care_a_month", "care_a_customer_month", "care"),
            ("acquisition_limit", "acquisition_limit", "acquisition"),
        )
    ]
    return figure_rows(rows, source=source)
