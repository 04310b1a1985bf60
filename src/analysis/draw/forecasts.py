"""Sentences, tables and figures on how well it was foretold what customers would order."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import dates, tables, words
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, mark
from analysis.draw.numbers import MISSING, interval, is_missing, show, signed
from analysis.draw.tables import Key, Table
from analysis.draw.value_names import model_name
from analysis.draw.words import Findings, Sentence

_SCORES = (
    *("model", "identified", "customers", "actual", "predicted", "bias_share", "mae", "rmse"),
    *("behind", "behind_low", "behind_high", "chosen"),
)
_SUMMARY = ("tested", "split", "as_of", "test_days", "winner", "model", "source")
_BASELINE = "like last year"
_YEAR = 365
_WHY = {
    "neither contracts nor orders": mark("there are no orders"),
    "too short": mark("the orders on record do not reach back far enough"),
    "too few": mark("too few customers had ordered before"),
}


def check(scores: pd.DataFrame, summary: pd.DataFrame) -> Findings | Sentence:
    r"""Say which forecast came nearest, by how much it missed, and whether it beats carrying on beyond chance.

    Columns in: of ``scores`` model, identified, customers, actual, predicted, bias_share, mae, rmse, behind,
    behind_low, behind_high (rmse above that of the nearest), chosen; of ``summary`` tested, split, as_of, test_days,
    winner, model (the one the values rest on), source.

    >>> rows = {"model": ["bg_nbd", "like last year"], "identified": True, "customers": 3023, "actual": 6725}
    >>> rows |= {"predicted": [6803.4, 7879.0], "bias_share": [0.0117, 0.1716], "mae": [1.58, 1.97]}
    >>> rows |= {"rmse": [2.83, 3.53], "behind": [0, 0.7], "behind_low": [0, 0.54], "behind_high": [0, 0.85]}
    >>> days = {"split": pd.Timestamp("2025-10-01"), "as_of": pd.Timestamp("2026-10-01"), "test_days": 365}
    >>> days |= {"tested": "computed", "winner": "bg_nbd", "model": "bg_nbd"}
    >>> summary = pd.DataFrame([days | {"source": "transactions"}])
    >>> for sentence in check(pd.DataFrame(rows | {"chosen": [True, False]}), summary).sentences:
    ...     print(sentence.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Geprüft an 3.023 Kundinnen und Kunden: Aus dem, was vor dem 01.10.2025 bekannt war, waren die 365 Tage danach
    vorherzusagen. BG/NBD sagte 6.803 Bestelltage voraus, gekommen sind 6.725 (Abweichung +1,2 %). Je Person lag die
    Vorhersage im Mittel um 1,58 Bestelltage daneben.
    Einfach fortzuschreiben („wie im Vorjahr“) ist gesichert schlechter: Der Fehler je Person, große Abweichungen
    stärker gewichtet, ist dann um 0,70 Bestelltage größer (95-%-Intervall 0,54 bis 0,85).
    """
    require("forecasts.check", summary, _SUMMARY)
    row = summary.iloc[0]
    if row["tested"] != "computed":
        text = _WHY[row["tested"]]
        return Sentence(_("How well orders are foretold could not be tested: {why}.").format(why=_(text)))
    require("forecasts.check", scores, _SCORES)
    own = scores[scores["chosen"].astype(bool)]
    base = scores[scores["model"] == _BASELINE].iloc[0]
    if own.empty:
        return _untested(row)
    return words.findings([_missed(own.iloc[0], row), _against_baseline(own.iloc[0], base, row)])


def _untested(row: pd.Series) -> Sentence:
    if is_missing(row["model"]):
        text = _("No model of orders can be relied on: the orders so far do not settle how often customers order.")
        return Sentence(text)
    text = _("The values rest on the forecast “{model}”; how well it foretells could not be tested.")
    return Sentence(text.format(model=model_name(row["model"])))


def _missed(own: pd.Series, row: pd.Series) -> str:
    text = _(
        "Tested on {n} customers: what was known before {split} was to foretell the {days} days that followed. {model} "
        "foretold {predicted} days with an order, {actual} came ({deviation}). On average, the forecast for one "
        "customer was {mae} days with an order off."
    )
    deviation = _("none had been foretold")
    if not is_missing(own["bias_share"]):
        deviation = _("deviation {share}").format(share=_deviation(own["bias_share"]))
    return text.format(
        n=show(own["customers"], "count"),
        split=dates.date(row["split"]),
        days=show(row["test_days"], "count"),
        model=model_name(own["model"]),
        predicted=show(own["predicted"], "count"),
        actual=show(own["actual"], "count"),
        deviation=deviation,
        mae=show(own["mae"], "index"),
    )


def _against_baseline(own: pd.Series, base: pd.Series, row: pd.Series) -> str:
    is_ahead = row["winner"] != _BASELINE
    gap = base if is_ahead else own
    ends = words.bracket(gap["behind_low"], gap["behind_high"], "index")
    if is_ahead and gap["behind_low"] > 0:
        text = _(
            "Carrying on as before (“{baseline}”) foretells worse beyond chance: a customer's error, great misses "
            "weighing more, is {gap} days with an order larger ({ends})."
        )
    elif is_ahead:
        text = _(
            "Against carrying on as before (“{baseline}”) the advantage is within noise: there a customer's error, "
            "great misses weighing more, is {gap} days with an order larger ({ends})."
        )
    else:
        text = _(
            "Carrying on as before (“{baseline}”) came nearer: with the model a customer's error, great misses "
            "weighing more, is {gap} days with an order larger ({ends}). Read the values with care."
        )
    return text.format(baseline=_name(_BASELINE, row["test_days"]), gap=show(gap["behind"], "index"), ends=ends)


def marks(scores: pd.DataFrame, summary: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show how near each forecast came, the nearest first; nothing where none was tested.

    Columns in: as for :func:`check`. Those that the data do not determine are behind nothing: they were rejected.
    """
    require("forecasts.marks", scores, _SCORES)
    if scores.empty:
        return Sentence()
    rows = scores.to_dict("records")
    days = summary["test_days"].iloc[0]
    shown = scores.assign(
        model=[_model(row, days) for row in rows],
        bias=[_deviation(row["bias_share"]) for row in rows],
        behind=[show(row["behind"], "index") if _is_behind(row) else MISSING for row in rows],
        interval=[_ends(row) for row in rows],
    )
    columns: dict[Key, tuple[str | None, str]] = {
        "model": (_("Forecast"), "plain"),
        "predicted": (_("Foretold"), "count"),
        "actual": (_("Came"), "count"),
        "bias": (_("Deviation"), "written"),
        "mae": (_("Mean error"), "index"),
        "rmse": (_("Error, great misses weighted"), "index"),
        "behind": (_("behind the nearest"), "written"),
        "interval": (None, "written"),
    }
    note = _(
        "Days with an order; errors are of one customer. Where great misses weigh more, the error is the root of the "
        "mean squared error. The forecast used was chosen on the very time it is measured on here; later on it may "
        "miss by somewhat more."
    )
    return tables.table(shown, title=title, columns=columns, note=note)


def _is_behind(row: dict[Any, Any]) -> bool:
    return bool(row["identified"] and row["behind"])


def _name(code: str, days: float) -> str:
    """Return what a forecast is called; the baseline by the time it carries on, which may be shorter than a year."""
    if code != _BASELINE or days >= _YEAR:
        return model_name(code)
    return _("like the {count} days before").format(count=show(days, "count"))


def _model(row: dict[Any, Any], days: float) -> str:
    name = _name(row["model"], days)
    if row["chosen"]:
        return _("{model} (used)").format(model=name)
    return name if row["identified"] else _("{model} (not determined by the data)").format(model=name)


def _deviation(share: Any) -> str:
    if is_missing(share):
        return MISSING
    return signed(share, "share")


def _ends(row: dict[Any, Any]) -> str:
    return interval(row["behind_low"], row["behind_high"], "index") if _is_behind(row) else MISSING


def figures(scores: pd.DataFrame, summary: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return how near the model used came, and how much nearer than carrying on as before, as the report takes them.

    Columns in: as for :func:`check`. There are none where no forecast was tested.
    """
    require("forecasts.figures", summary, _SUMMARY)
    row = summary.iloc[0]
    own = scores[scores["chosen"].astype(bool)] if row["tested"] == "computed" else scores.head(0)
    if own.empty:
        return figure_rows([], source="transactions")
    one, base = own.iloc[0], scores[scores["model"] == _BASELINE].iloc[0]
    gain = {"value": base["rmse"] - one["rmse"]}
    if row["winner"] == one["model"]:
        gain |= {"low": base["behind_low"], "high": base["behind_high"]}
    elif row["winner"] == _BASELINE:
        gain |= {"low": -one["behind_high"], "high": -one["behind_low"]}
    days = f"{row['test_days']:.0f}"
    told = {"forecast_bias": {"value": one["bias_share"]}, "forecast_error": {"value": one["mae"]}}
    rows = [
        {"id": f"{chapter}.{name}", "n": one["customers"], **numbers_of, **defined(name, days=days)}
        for name, numbers_of in (told | {"forecast_gain": gain}).items()
    ]
    return figure_rows(rows, source="transactions")
