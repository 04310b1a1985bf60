"""Sentences and figures on what customers are worth, how that is spread, and how sure it is."""

from __future__ import annotations

import pandas as pd

from analysis.draw import names, numbers, words
from analysis.draw.amounts import ends, money
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.value_names import ALL
from analysis.draw.words import Sentence

TOTALS = ("kind", "class", "customers", "past_value", "expected_value", "low", "high", "average_expected_value")
_SUMMARY = ("status", "months", "n", "missing", "negative", "fee_margin", "service", "source")
TENTHS = ("tenth", "customers", "expected_value", "mean", "share", "low", "high")
_WHY = {
    "neither contracts nor orders": mark("neither contracts nor orders were delivered"),
    "nobody": mark("nobody has ordered or has a contract in force"),
    "no cost known": mark(
        "the cost of goods is not on record; deliver it, or declare the margin by revenue as value.margin_ratio"
    ),
}


def worth(totals: pd.DataFrame, summary: pd.DataFrame, *, smallest: int = 1) -> Sentence:
    r"""Say what is to be expected of all customers together and of one on average; or why it cannot be told.

    Columns in: of ``totals`` kind, class, customers, past_value, expected_value, low, high, average_expected_value; of
    ``summary`` status, months, n, missing, negative, fee_margin (share of fees that is margin; missing where there are
    none), service (money a customer and month; missing where on record), source. Nothing is told of fewer than
    ``smallest``.

    >>> row = {"kind": "all", "class": "all", "customers": 90, "past_value": 8e4, "expected_value": 45000.0}
    >>> totals = pd.DataFrame([row | {"low": 43000.0, "high": 47000.0, "average_expected_value": 500.0}])
    >>> row = {"status": "computed", "months": 12, "n": 90, "missing": 0, "negative": 0, "fee_margin": 1.0}
    >>> told = worth(totals, pd.DataFrame([row | {"service": 0.0, "source": "transactions"}]))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 90 Kundinnen und Kunden sind in den nächsten 12 Monaten zusammen 45.000 € Marge zu erwarten, in heutigem Geld
    (95-%-Intervall 43.000 bis 47.000 €). Im Durchschnitt sind das 500,00 € je Person; einzelne liegen weit darüber
    oder darunter. Angenommen ist dabei: 100,0 % der Entgelte sind Marge; die Betreuung kostet nichts.
    """
    require("value.worth", summary, _SUMMARY)
    row = summary.iloc[0]
    if row["status"] != "computed":
        text = _WHY[row["status"]]
        return Sentence(_("What customers are worth cannot be told: {why}.").format(why=_(text)))
    require("value.worth", totals, TOTALS)
    whole = _of(totals, ALL).iloc[0]
    if whole["customers"] < smallest:
        return Sentence(_("What customers are worth is not told of fewer than {count}.").format(count=smallest))
    text = ngettext(
        "Of {n} customers, a margin of {value} in all is to be expected within the next {months} month, in money of "
        "today ({interval}). {parts}That is {mean} a customer on average; single ones are far above or below it.",
        "Of {n} customers, a margin of {value} in all is to be expected within the next {months} months, in money of "
        "today ({interval}). {parts}That is {mean} a customer on average; single ones are far above or below it.",
        int(row["months"]),
    )
    told = text.format(
        n=show(whole["customers"], "count"),
        value=money(whole["expected_value"]),
        months=show(row["months"], "count"),
        interval=ends(whole["low"], whole["high"]),
        parts=_parts(totals, smallest),
        mean=money(whole["average_expected_value"]),
    )
    return Sentence(" ".join([told, *_assumed(row)]))


def _assumed(row: pd.Series) -> list[str]:
    """Say what was not on record and is taken for granted: the margin of fees, the cost to serve."""
    told = []
    if not is_missing(row["fee_margin"]):
        told.append(_("{share} of the fees are margin").format(share=show(row["fee_margin"], "share")))
    if not is_missing(row["service"]):
        costs = _("serving a customer costs {amount} a month").format(amount=money(row["service"]))
        told.append(costs if row["service"] else _("serving customers costs nothing"))
    return [_("Assumed here: {listed}.").format(listed="; ".join(told))] if told else []


def _of(totals: pd.DataFrame, kind: str) -> pd.DataFrame:
    return totals[(totals["kind"] == kind) & (totals["class"] == ALL)]


def _parts(totals: pd.DataFrame, smallest: int) -> str:
    """Say how much of it comes from customers under contract, where there are both kinds."""
    contract, purchases = _of(totals, "contract"), _of(totals, "purchases")
    if min(contract["customers"].sum(), purchases["customers"].sum()) < max(smallest, 1):
        return ""
    text = _("{contract} come from the {held} under contract, {purchases} from the {others} without one. ")
    return text.format(
        contract=money(contract["expected_value"].iloc[0]),
        held=show(contract["customers"].iloc[0], "count"),
        purchases=money(purchases["expected_value"].iloc[0]),
        others=show(purchases["customers"].iloc[0], "count"),
    )


def concentrated(concentration: pd.DataFrame, summary: pd.DataFrame, *, smallest: int = 1) -> Sentence:
    r"""Say how much of the expected value the best fifth holds, and of how many less than nothing is expected.

    Columns in: of ``concentration`` top_20_share (of all), positive; of ``summary`` n, missing, negative. A count of
    fewer than ``smallest`` is not told.

    >>> shape = pd.DataFrame({"top_20_share": [0.6], "positive": [80]})
    >>> told = concentrated(shape, pd.DataFrame({"n": [90], "missing": 0, "negative": [9]}))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Auf das wertvollste Fünftel entfallen 60,0 % des erwarteten Werts (n = 90). Bei 9 Personen übersteigen die Kosten
    den erwarteten Ertrag.
    """
    require("value.concentrated", concentration, ("top_20_share", "positive"))
    require("value.concentrated", summary, ("n", "missing", "negative"))
    shape, row = concentration.iloc[0], summary.iloc[0]
    if not shape["positive"]:
        return Sentence(_("Of nobody more than nothing is expected, so there is no concentration to show."))
    if is_missing(shape["top_20_share"]) or shape["positive"] < smallest:
        return Sentence()
    told = _("The most valuable fifth holds {share} of the expected value ({base}).").format(
        share=show(shape["top_20_share"], "share"), base=words.base(row["n"] - row["missing"])
    )
    if row["negative"] >= max(smallest, 1):
        text = ngettext(
            "Of {count} customer less than nothing is expected.",
            "Of {count} customers less than nothing is expected.",
            int(row["negative"]),
        )
        told = f"{told} {text.format(count=show(row['negative'], 'count'))}"
    return Sentence(told)


def certainty(tenths: pd.DataFrame, *, smallest: int = 1) -> Sentence:
    r"""Say how wide the interval of a single customer is, for those of whom most is expected.

    Columns in: tenth, customers, expected_value, mean, share, low, high. Nothing is said of fewer than ``smallest``.

    >>> row = {"tenth": 10, "customers": 40, "expected_value": 24000.0, "mean": 600.0, "share": 0.4}
    >>> told = certainty(pd.DataFrame([row | {"low": 180.0, "high": 1420.0}]))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Sicher ist die Summe, nicht die einzelne Person: Im wertvollsten Zehntel werden im Mittel 600,00 € je Person
    erwartet, doch das 95-%-Intervall einer typischen Person reicht von 180,00 bis 1.420 €.
    """
    require("value.certainty", tenths, TENTHS)
    known = tenths[tenths["customers"] >= smallest]
    if known.empty or is_missing(known["low"].iloc[0]):
        return Sentence()
    row = known.iloc[0]
    text = _(
        "Sure is the sum, not the single customer: in the most valuable tenth {mean} a customer is expected on "
        "average, yet the {level}\u00a0interval of a typical one runs from {interval}."
    )
    between = numbers.interval(row["low"], row["high"], "money", write=lambda value, _unit: money(value))
    return Sentence(text.format(mean=money(row["mean"]), level=names.level(), interval=between))


def figures(totals: pd.DataFrame, concentration: pd.DataFrame, summary: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return of how many a value is known, expected and past value, and how concentrated the former is, as figures.

    Columns in: as for :func:`worth` and :func:`concentrated`, and of ``concentration`` gini.

    >>> row = {"kind": "all", "class": "all", "customers": 90, "past_value": 8e4, "expected_value": 45000.0}
    >>> totals = pd.DataFrame([row | {"low": 43000.0, "high": 47000.0, "average_expected_value": 500.0}])
    >>> shape = pd.DataFrame({"top_20_share": [0.6], "gini": [0.5], "positive": [80]})
    >>> row = {"status": "computed", "months": 12, "n": 90, "missing": 0, "negative": 0, "fee_margin": 1.0}
    >>> figures(totals, shape, pd.DataFrame([row | {"source": "transactions"}]), "value")[["id", "value", "low", "n"]]
                          id    value      low     n
    0           value.valued     90.0      NaN  90.0
    1   value.expected_value  45000.0  43000.0  90.0
    2    value.average_value    500.0      NaN  90.0
    3       value.past_value  80000.0      NaN  90.0
    4  value.top_value_share      0.6      NaN  90.0
    5       value.value_gini      0.5      NaN  80.0
    """
    row = summary.iloc[0]
    valued = row["n"] - row["missing"]
    rows = [{"id": f"{chapter}.valued", "value": valued, "n": row["n"], **defined("valued")}]
    if row["status"] != "computed":
        return figure_rows(rows, source=row["source"])
    for one in _known(totals).to_dict("records"):
        name, group = "expected_value", None
        if one["class"] != ALL or one["kind"] != ALL:
            name = "expected_value_class" if one["kind"] == ALL else "expected_value_kind"
            group = one["class"] if one["kind"] == ALL else one["kind"]
        about = {"n": one["customers"], **defined("expected_value", months=f"{row['months']:.0f}")}
        bounds = {"low": one["low"], "high": one["high"]}
        rows.append({"id": f"{chapter}.{name}", "group": group, "value": one["expected_value"], **bounds, **about})
    for one in _of(totals, ALL).to_dict("records"):
        for name, column in (("average_value", "average_expected_value"), ("past_value", "past_value")):
            about = {"n": one["customers"], **defined(name, months=f"{row['months']:.0f}")}
            rows.append({"id": f"{chapter}.{name}", "value": one[column], **about})
    shape = concentration.iloc[0]
    for name, column, n in (("top_value_share", "top_20_share", valued), ("value_gini", "gini", shape["positive"])):
        rows.append({"id": f"{chapter}.{name}", "value": shape[column], "n": n, **defined(name)})
    return figure_rows(rows, source=row["source"])


def _known(totals: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all customers, of each class of all, and of each kind where there are two; all first."""
    has_kinds = totals["kind"].nunique() > 2
    of_all = totals[(totals["kind"] == ALL)]
    kinds = totals[(totals["class"] == ALL) & (totals["kind"] != ALL)] if has_kinds else totals.head(0)
    first = of_all[of_all["class"] == ALL]
    return pd.concat([first, of_all[of_all["class"] != ALL], kinds])
