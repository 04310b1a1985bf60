"""Sentences, tables and figures on what is bought together, and on whether that is good enough to offer it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from analysis.draw import dates, names, tables
from analysis.draw.customer_lists import first_of, listed
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext, reader
from analysis.draw.numbers import interval, is_missing, said, show, signed
from analysis.draw.tables import Key, Table
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_RULES = ("antecedent", "consequent", "support", "confidence", "lift", "baskets", "p_adjusted", "customers")
_TRIAL = ("k", "rules", "popular", "difference", "low", "high", "offers", "n", "n_kth", "verdict")
_JOINED = " + "
_MOST_NAMED = 3


def bought_together(rules: pd.DataFrame, *, baskets: int, tested: int, smallest: int = 0) -> Sentence:
    r"""Say which offers stand together in orders more often than by chance, and how often.

    Columns in: antecedent, consequent, support, confidence, lift, baskets, p_adjusted, customers, and antecedent_name
    and consequent_name where offers have names; ``baskets`` counts all orders, ``tested`` the rules that could be
    found. Rules that rest on fewer than ``smallest`` customers are not told.

    >>> row = {"antecedent": "a", "consequent": "b", "support": 0.1, "confidence": 0.4, "lift": 3.1, "baskets": 90}
    >>> row |= {"p_adjusted": 0.0001, "customers": 60, "antecedent_name": "Tee", "consequent_name": "Becher"}
    >>> rules = pd.DataFrame([row])
    >>> told = bought_together(rules, baskets=900, tested=12)
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Gesichert öfter zusammen bestellt, als es der Zufall erwarten ließe: „Tee“ und „Becher“ (in 90 von 900 Bestellungen,
    3,10-mal so oft). Wer „Tee“ bestellt, bestellt in 40,0 % der Fälle auch „Becher“.
    """
    found = sure(rules)
    if found.empty:
        text = ngettext(
            "No offers are ordered together beyond chance; {count} combination was frequent enough to be tested. So "
            "nobody is offered anything.",
            "No offers are ordered together beyond chance; {count} combinations were frequent enough to be tested. So "
            "nobody is offered anything.",
            tested,
        )
        return Sentence(text.format(count=show(tested, "count")))
    found = sure(rules, smallest=smallest)
    if found.empty:
        return Sentence(
            _("Some offers are ordered together beyond chance, but by too few customers to name them here.")
        )
    sets = _sets(found)
    listed = [_counted(row, baskets) for row in sets.head(_MOST_NAMED).to_dict("records")]
    more = len(sets) - len(listed)
    if more:
        listed.append(_("{count} more").format(count=show(more, "count")))
    text = _("Ordered together more often than chance would have it, beyond doubt: {listed}. {likely}")
    return Sentence(text.format(listed="; ".join(listed), likely=_likely(found)))


def sure(rules: pd.DataFrame, *, smallest: int = 0) -> pd.DataFrame:
    """Return the rules beyond chance at the reader's level, the highest lift first.

    Columns in: antecedent, consequent, support, confidence, lift, baskets, p_adjusted, customers. Rules that rest on
    fewer than ``smallest`` customers are left out.
    """
    require("offers.sure", rules, _RULES)
    found = rules[(rules["p_adjusted"] < 1 - reader().confidence) & (rules["customers"] >= smallest)]
    return found.sort_values(["lift", "confidence"], ascending=False, kind="stable", ignore_index=True)


def _sets(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a set of offers, however many rules it makes: that with the highest lift."""
    members = [frozenset([*row["antecedent"].split(_JOINED), row["consequent"]]) for row in found.to_dict("records")]
    return found[~pd.Series(members, index=found.index).duplicated()]


def _named(row: Any, side: str) -> list[str]:
    """Return the names of the offers on one side of a rule, in quotes."""
    name = row.get(f"{side}_name")
    text = row[side] if is_missing(name) else name
    return [_("“{name}”").format(name=names.printable(part)) for part in str(text).split(_JOINED)]


def _joined(parts: list[str]) -> str:
    return _("{first} and {last}").format(first=", ".join(parts[:-1]), last=parts[-1]) if parts[1:] else parts[0]


def _counted(row: Any, baskets: int) -> str:
    text = _("{offers} (in {count} of {baskets} orders, {lift} times as often)")
    return text.format(
        offers=_joined([*_named(row, "antecedent"), *_named(row, "consequent")]),
        count=show(row["baskets"], "count"),
        baskets=show(baskets, "count"),
        lift=show(row["lift"], "index"),
    )


def _likely(found: pd.DataFrame) -> str:
    row = found.loc[found["confidence"].idxmax()].to_dict()
    text = _("Whoever orders {antecedent} also orders {consequent} in {share} of all cases.")
    return text.format(
        antecedent=_joined(_named(row, "antecedent")),
        consequent=_joined(_named(row, "consequent")),
        share=show(row["confidence"], "share"),
    )


def judgement(trial: pd.DataFrame, *, justified: int, split: dt.date | None) -> Sentence:
    r"""Say whether offers by the rules were taken up more often than the most popular ones, and what follows.

    Columns in, a row a number of offers: k, rules, popular (shares taken up), difference, low, high, offers, n, n_kth
    (customers who have a k-th offer), verdict. ``split``: the first day of the purchases they were tried on.

    >>> row = {"k": 1, "rules": 0.239, "popular": 0.32, "difference": -0.082, "low": -0.139, "high": -0.023}
    >>> trial = pd.DataFrame([row | {"offers": 331, "n": 331, "n_kth": 331, "verdict": "down"}])
    >>> told = judgement(trial, justified=0, split=dt.date(2026, 2, 24))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Erprobt an 331 Kundinnen und Kunden, die ab dem 24.02.2026 wieder kauften: 23,9 % kauften dann das erste Angebot
    nach den Regeln, 32,0 % das beliebteste Angebot, das ihnen noch fehlte. Gewertet ist hier, wie oft gekauft wurde;
    die Empfehlungen nach den Regeln sind aber nach der Marge gereiht, die sie versprechen. Der Unterschied von −8,2
    Prozentpunkten ist gesichert (−13,9 bis −2,3): Die Regeln sind als Empfehlung schlechter als eine einfache Liste der
    beliebtesten Angebote. Deshalb wird niemandem einzeln etwas empfohlen.
    """
    require("offers.judgement", trial, _TRIAL)
    if trial.empty or trial["verdict"].iloc[0] == "too few":
        text = _(
            "Whether such offers would be taken up could not be tried: too few customers whom a rule fits bought "
            "again. So nobody is offered anything."
        )
        return Sentence(text)
    how = _("What counts here is how often they bought; the offers by the rules are ranked by the margin they promise.")
    told = f"{_tried(trial.iloc[0], split)} {how} {_compared(trial.iloc[0])}"
    follows = (
        ngettext(
            "So each customer is offered {count} thing at most.",
            "So each customer is offered {count} things at most.",
            justified,
        )
        if justified
        else _("So no single customer is offered anything.")
    )
    return Sentence(f"{told} {follows.format(count=show(justified, 'count'))}")


def _tried(row: pd.Series, split: dt.date | None) -> str:
    text = _(
        "Tried on {n} customers who bought again from {day} on: {rules} then bought the first offer by the rules, "
        "{popular} the most popular offer that they did not have yet."
    )
    shares = {name: show(row[name], "share") for name in ("rules", "popular")}
    return text.format(n=show(row["n"], "count"), day=dates.date(split), **shares)


def _compared(row: pd.Series) -> str:
    verdicts = {
        "up": _(
            "The difference of {difference} is beyond chance ({interval}): the rules make better offers than a plain "
            "list of the most popular ones."
        ),
        "down": _(
            "The difference of {difference} is beyond chance ({interval}): the rules make worse offers than a plain "
            "list of the most popular ones."
        ),
        "within noise": _(
            "The difference of {difference} is within noise ({interval}): the rules make no better offers than a "
            "plain list of the most popular ones."
        ),
    }
    points = "percentage points"
    return verdicts[row["verdict"]].format(
        difference=said(row["difference"], points, dative=True, write=signed),
        interval=interval(row["low"], row["high"], points, write=signed),
    )


def rules_table(rules: pd.DataFrame, *, title: str, most: int = 10, smallest: int = 0) -> Table | Sentence:
    """Show the rules beyond chance, the highest lift first; nothing where there are none.

    Columns in: as for :func:`bought_together`.
    """
    found = sure(rules, smallest=smallest)
    if found.empty:
        return Sentence()
    rows = found.head(most).to_dict("records")
    shown = found.head(most).assign(
        **{side: [" + ".join(_named(row, side)) for row in rows] for side in ("antecedent", "consequent")}
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "antecedent": (_("Whoever orders"), "plain"),
        "consequent": (_("also orders"), "plain"),
        "confidence": (_("in so many cases"), "share"),
        "lift": (_("Times as often as by chance"), "index"),
        "baskets": (_("Orders with all of it"), "count"),
        "support": (_("of all orders"), "share"),
    }
    return tables.table(shown, title=title, columns=columns, note=first_of(len(shown), len(found)))


def trial_table(trial: pd.DataFrame, *, title: str, smallest: int = 1) -> Table | Sentence:
    """Show how many offers of either list were taken up, by how many a customer is made; nothing where none were tried.

    Columns in: as for :func:`judgement`. Rows that rest on fewer than ``smallest`` customers are left out.
    """
    require("offers.trial_table", trial, _TRIAL)
    known = trial[(trial["n_kth"] >= max(smallest, 1)) & trial["low"].notna()]
    if known.empty:
        return Sentence()
    ends = zip(known["low"], known["high"], strict=True)
    shown = known.assign(
        difference=[signed(value, "percentage points") for value in known["difference"]],
        interval=[interval(*pair, "percentage points", write=signed) for pair in ends],
        k=[show(value, "count") for value in known["k"]],
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "k": (_("Offers a customer"), "plain"),
        "n": (_("Customers"), "count"),
        "rules": (_("By the rules, taken up"), "share"),
        "popular": (_("Most popular, taken up"), "share"),
        "difference": (_("Difference (percentage points)"), "written"),
        "interval": (None, "written"),
    }
    return tables.table(shown, title=title, columns=columns)


def offer_list(offers: pd.DataFrame, *, title: str, internal: bool, sheet: str = "") -> Table | Sentence:
    """List what to offer to whom, in internal reports only; nothing where no offer is justified.

    Columns in: customer_id, product_id, reason, confidence, expected_margin, and name and reason_name where offers have
    names; ``attrs["n"]`` counts all offers. ``sheet`` names the sheet of the workbook that holds all.
    """
    require("offers.offer_list", offers, ("customer_id", "product_id", "reason", "confidence", "expected_margin"))
    if offers.empty:
        return Sentence()
    names_of = {"offer": "name", "because": "reason_name"}
    ids = {"offer": "product_id", "because": "reason"}
    shown = offers.assign(
        **{key: offers.get(names_of[key], offers[ids[key]]).fillna(offers[ids[key]]) for key in names_of}
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "offer": (_("Offer"), "plain"),
        "because": (_("because they bought"), "plain"),
        "confidence": (_("in so many cases"), "share"),
        "expected_margin": (_("Margin to expect"), "money"),
    }
    return listed(shown, title=title, columns=columns, internal=internal, sheet=sheet)


def figures(
    rules: pd.DataFrame, trial: pd.DataFrame, chapter: str, *, source: str, smallest: int = SMALL_CELL
) -> pd.DataFrame:
    """Return the lift of what is ordered together and how offers by the rules fared, as the report takes them.

    Columns in: as for :func:`bought_together` and :func:`judgement`.

    >>> row = {"k": 1, "rules": 0.24, "popular": 0.32, "difference": -0.08, "low": -0.14, "high": -0.02}
    >>> trial = pd.DataFrame([row | {"offers": 331, "n": 331, "n_kth": 331, "verdict": "down"}])
    >>> figures(pd.DataFrame(columns=list(_RULES)), trial, "value", source="transactions")[["id", "value", "n"]]
                        id  value      n
    0    value.rules_taken   0.24  331.0
    1  value.popular_taken   0.32  331.0
    2     value.taken_gain  -0.08  331.0
    """
    rows: list[dict[str, Any]] = []
    for row in _sets(sure(rules, smallest=smallest)).head(10).to_dict("records"):
        group = _JOINED.join([str(row.get("antecedent_name", row["antecedent"])), _consequent(row)])
        rows.append({"id": f"{chapter}.pair_lift", "group": group, "value": row["lift"], "n": row["baskets"]})
        rows[-1] |= defined("pair_lift")
    for row in trial[trial["n_kth"] > 0].head(1).to_dict("records"):
        for name, column in (("rules_taken", "rules"), ("popular_taken", "popular"), ("taken_gain", "difference")):
            ends = {"low": row["low"], "high": row["high"]} if column == "difference" else {}
            rows.append({"id": f"{chapter}.{name}", "value": row[column], "n": row["n"], **ends, **defined(name)})
    return figure_rows(rows, source=source)


def _consequent(row: dict[str, Any]) -> str:
    return str(row.get("consequent_name", row["consequent"]))
