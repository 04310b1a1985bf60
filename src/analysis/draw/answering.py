"""Sentences on who answered and how: response, what the silent could change, weights, answers off their scale."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.draw import names, words
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Sentence

ALL_ANSWERED = "every invitation answered"
"""What the measures of response say of a file that seems to hold answers only."""


def bounds(scenarios: pd.DataFrame) -> Sentence:
    r"""Say how far those who did not answer could move the score.

    Columns in: scenario, nps, n, invited, status.

    >>> scenarios = pd.DataFrame({"scenario": ["as answered", "others passive", "others like detractors"]})
    >>> scenarios = scenarios.assign(n=100, invited=400, nps=[40.0, 10.0, -65.0])
    >>> print(bounds(scenarios.assign(status="computed")).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 400 angeschriebenen Kunden haben 100 geantwortet. Wären alle übrigen Passive, läge der Wert bei 10 Punkten;
    wären sie alle Kritiker, bei −65 Punkten.
    """
    require("answering.bounds", scenarios, ("scenario", "nps", "n", "invited", "status"))
    if (scenarios["status"] == ALL_ANSWERED).any():
        return Sentence(_("How far those who did not answer could move the value cannot be said: the file holds none."))
    by_name = scenarios.set_index("scenario")
    passive, against = (by_name["nps"].get(name) for name in ("others passive", "others like detractors"))
    if is_missing(passive):
        return Sentence(_("How far those who did not answer could move the value cannot be computed: no invitations."))
    text = _(
        "Of {invited} customers asked, {n} have answered. If all others were passive, the value would be {passive}; "
        "if all were detractors, {against}."
    )
    counts = {name: show(by_name[name].iloc[0], "count") for name in ("n", "invited")}
    passive, against = (said(value, "points", dative=True) for value in (passive, against))
    return Sentence(text.format(passive=passive, against=against, **counts))


def responded(rates: pd.DataFrame) -> Sentence:
    r"""Say how many invitations were answered, or why that cannot be said.

    Columns in: invited, rate, low, high, status, of one row.

    >>> row = {"invited": 2349, "rate": 0.353, "low": 0.334, "high": 0.372, "status": "computed"}
    >>> print(responded(pd.DataFrame([row])).replace("\xa0", " "))
    Die Rücklaufquote liegt bei 35,3 % (95-%-Intervall 33,4 bis 37,2 %, n = 2.349 Einladungen).
    """
    require("answering.responded", rates, ("invited", "rate", "low", "high", "status"))
    row = rates.iloc[0]
    if row["status"] == ALL_ANSWERED:
        text = _("All {count} invitations were answered: the file seems to hold the answers only, no rate follows.")
        return Sentence(text.format(count=show(row["invited"], "count")))
    if is_missing(row["rate"]):
        return Sentence(_("The response rate cannot be computed: no invitations."))
    stands = words.level("response_rate", row["rate"], row["low"], row["high"], n=row["invited"], unit="share")
    return Sentence(stands.removesuffix(").") + _(" invitations") + ").")


def weighted(found: pd.DataFrame, *, by: Sequence[str]) -> Sentence:
    r"""Say where the score stands once the answers are weighted to the make-up of the customer base.

    ``by`` names the attributes it is weighted by. Columns in: nps, low, high, n, n_effective.

    >>> row = {"nps": 17.2, "low": 11.0, "high": 23.4, "n": 829, "n_effective": 805.2}
    >>> told = weighted(pd.DataFrame([row]), by=["region", "channel"])
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Auf die Zusammensetzung der Kundschaft gewichtet (Region, Kanal) liegt der Net Promoter Score bei 17,2 Punkten
    (95-%-Intervall 11 bis 23,4, n = 829, so aussagekräftig wie 805 ungewichtete).
    """
    require("answering.weighted", found, ("nps", "low", "high", "n", "n_effective"))
    row = found.iloc[0]
    if is_missing(row["nps"]):
        text = _(
            "The answers cannot be weighted to the customer base: attributes are lacking, or answers of some groups."
        )
        return Sentence(text)
    as_many = _("as telling as {n} without weights").format(n=show(row["n_effective"], "count"))
    text = _("Weighted to the make-up of the customer base ({by}) the Net Promoter Score is {value} ({bracket}).")
    bracket = words.bracket(row["low"], row["high"], "points", words.base(row["n"]), as_many)
    listed = ", ".join(names.column(name) for name in by)
    return Sentence(text.format(by=listed, value=said(row["nps"], "points", dative=True), bracket=bracket))


def anomalies(found: pd.DataFrame, *, others: int = 0) -> Sentence:
    r"""Say what in the answers does not fit the scale declared, over all answers on record; nothing where all fits.

    ``others`` counts answers of the period on another scale, which are left out. Columns in: anomaly, answers, n.

    >>> print(anomalies(pd.DataFrame({"anomaly": ["no 9"], "answers": [240], "n": [240]})).replace("\xa0", " "))
    Auffällig: Unter 240 Antworten ist keine einzige 9. Bitte die angegebene Skala und den Export prüfen.
    >>> print(anomalies(pd.DataFrame(columns=["anomaly", "answers", "n"]), others=35))
    35 Antworten des Zeitraums wurden auf einer anderen Skala gegeben und sind nicht eingerechnet.
    """
    require("answering.anomalies", found, ("anomaly", "answers", "n"))
    left_out = _("{count} answers of the period were given on another scale and are not counted.")
    last = left_out.format(count=show(others, "count")) if others else ""
    if found.empty:
        return Sentence(last)
    texts = {
        "zero on a scale from 1": _("a 0 was given {answers} times, though the scale begins with 1 (n = {n})"),
        "no 9": _("among {n} answers there is not a single 9"),
        "no 10": _("among {n} answers there is not a single 10"),
        "index for value": _("the answers seem to be the positions of the choices, not their values"),
    }
    told = [
        texts[row["anomaly"]].format(answers=show(row["answers"], "count"), n=show(row["n"], "count"))
        for _i, row in found.iterrows()
    ]
    notable = _("Notable: {told}. Check the scale declared and the export.").format(told="; ".join(told))
    return Sentence(f"{notable} {last}".strip())
