"""Sentences on what customers think: whether it changed, who stands out, what counts, what is left open."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates, names, words
from analysis.draw.charts.furniture import row_name
from analysis.draw.definitions import DEFINITIONS, defined
from analysis.draw.frames import leading, require
from analysis.draw.language import _
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Findings, Sentence

_MOST_NAMED = 4
_POINT = ("kind", "touchpoint")
_FIGURE = ["id", "value", "low", "high", "n", "unit", "definition"]
_DIFFERENCE = ("difference", "difference_low", "difference_high", "verdict")


def levels(found: pd.DataFrame, *, since: str) -> list[Sentence]:
    r"""Say where each measure stands, and whether it has changed since an earlier period.

    Columns in: measure, n, value, low, high, difference, difference_low, difference_high, verdict.

    >>> row = {"measure": "nps", "n": 812, "value": 24.0, "low": 20.0, "high": 28.0, "difference": 2.1}
    >>> row |= {"difference_low": -3.0, "difference_high": 7.2, "verdict": "within noise"}
    >>> for sentence in levels(pd.DataFrame([row]), since="2026-Q2"):
    ...     print(sentence.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Net Promoter Score liegt bei 24 Punkten (95-%-Intervall 20 bis 28, n = 812).
    Der Net Promoter Score hat sich gegenüber Q2 2026 nicht erkennbar verändert: Der Unterschied von +2,1 Punkten liegt
    im Zufallsbereich (−3,0 bis +7,2).
    """
    require("opinions.levels", found, ("measure", "n", "value", "low", "high", *_DIFFERENCE))
    sentences = []
    for row in found.to_dict("records"):
        name, unit = row["measure"], DEFINITIONS[row["measure"]][0]
        sentences.append(words.level(name, row["value"], row["low"], row["high"], n=row["n"], unit=unit))
        ends = {"low": row["difference_low"], "high": row["difference_high"]}
        sentences.append(words.change(name, row["value"], difference=row["difference"], **ends, unit=unit, since=since))
    return sentences


def figures(found: pd.DataFrame, chapter: str, **settings: object) -> pd.DataFrame:
    """Return the figures of ``levels``, as the report takes them: each measure and its change, with the settings.

    >>> row = {"measure": "nps", "n": 812, "value": 24.0, "low": 20.0, "high": 28.0, "difference": 2.1}
    >>> row |= {"difference_low": -3.0, "difference_high": 7.2, "verdict": "within noise"}
    >>> figures(pd.DataFrame([row]), "satisfaction")[["id", "value", "low", "high", "n", "unit"]]
                            id  value   low  high    n    unit
    0         satisfaction.nps   24.0  20.0  28.0  812  points
    1  satisfaction.nps_change    2.1  -3.0   7.2  812  points
    """
    require("opinions.figures", found, ("measure", "n", "value", "low", "high", *_DIFFERENCE))
    rows = []
    for row in found.to_dict("records"):
        name = row["measure"]
        ends = {"low": row["difference_low"], "high": row["difference_high"]}
        now = {part: row[part] for part in ("value", "low", "high")}
        rows.append({"id": f"{chapter}.{name}", **now, "n": row["n"], **defined(name, **settings)})
        changed = {"id": f"{chapter}.{name}_change", "value": row["difference"], **ends, "n": row["n"]}
        rows.append(changed | defined(f"{name}_change", **settings))
    return pd.DataFrame(rows, columns=_FIGURE)


def group_figures(groups: pd.DataFrame, chapter: str, **settings: object) -> pd.DataFrame:
    """Return the figures of groups, as the report takes them, with the settings of their definitions.

    Columns in: kind, touchpoint, measure, value, low, high, n.

    >>> row = {"kind": "region", "touchpoint": "Süd", "measure": "nps", "value": 30.0, "low": 21.0, "high": 39.0}
    >>> group_figures(pd.DataFrame([row | {"n": 257}]), "satisfaction")[["id", "group", "value", "n", "unit"]]
                            id group  value    n    unit
    0  satisfaction.nps_region   Süd   30.0  257  points
    """
    require("opinions.group_figures", groups, (*_POINT, "measure", "value", "low", "high", "n"))
    rows = []
    for row in groups.to_dict("records"):
        named = {"id": f"{chapter}.{row['measure']}_{row['kind']}", "group": row["touchpoint"]}
        numbers = {name: row[name] for name in ("value", "low", "high", "n")}
        rows.append(named | numbers | defined(row["measure"], **settings))
    return pd.DataFrame(rows, columns=["group", *_FIGURE])


def standing_out(groups: pd.DataFrame) -> Sentence:
    r"""Say which groups are better or worse than all others together, by more than chance.

    Columns in: kind, touchpoint, measure, value, verdict (up, down, within noise, too few); the first measure counts.

    >>> rows = [("region", "Süd", 41.0, "up"), ("region", "West", 12.0, "down"), ("region", "Ost", 22.0, "too few")]
    >>> groups = pd.DataFrame(rows, columns=["kind", "touchpoint", "value", "verdict"]).assign(measure="nps")
    >>> print(standing_out(groups).replace("\xa0", " "))
    Über dem Rest liegt Region: Süd (41,0), darunter Region: West (12,0).
    """
    require("opinions.standing_out", groups, (*_POINT, "measure", "value", "verdict"))
    first = leading(groups)
    if first.empty:
        return Sentence(_("There are no groups to compare."))
    above, below = (_named(first[first["verdict"] == verdict]) for verdict in ("up", "down"))
    if above and below:
        text = _("Above the rest: {above}; below it: {below}.")
    elif above:
        text = _("Above the rest: {above}; no group is below it by more than chance.")
    elif below:
        text = _("Below the rest: {below}; no group is above it by more than chance.")
    else:
        text = _("No group differs from the rest by more than chance.")
    return Sentence(text.format(above=above, below=below))


def _named(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("value", ascending=False, kind="stable")
    units = ordered["measure"].map(lambda name: DEFINITIONS[name][0])
    shown = [
        f"{row_name(row, _POINT)} ({show(row['value'], unit)})"
        for (_i, row), unit in zip(ordered.iterrows(), units, strict=True)
    ]
    more = [_("and {count} more").format(count=len(shown) - _MOST_NAMED)] if len(shown) > _MOST_NAMED else []
    return ", ".join([*shown[:_MOST_NAMED], *more])


def breaks(touchpoints: pd.DataFrame) -> Sentence:
    r"""Say where the journey breaks: the touchpoints that are worse than all others by more than chance.

    Nothing is said of no touchpoints. Columns in: kind, touchpoint, measure, breaks.

    >>> row = {"kind": "channel", "touchpoint": "Chat", "measure": "nps", "breaks": True}
    >>> print(breaks(pd.DataFrame([row])))
    Hier bricht es: Kanal: Chat (Net Promoter Score).
    """
    require("opinions.breaks", touchpoints, ("kind", "touchpoint", "measure", "breaks"))
    if touchpoints.empty:
        return Sentence()
    worse = touchpoints[touchpoints["breaks"].astype(bool)]
    if worse.empty:
        return Sentence(_("No touchpoint is worse than the others by more than chance."))
    named = [f"{row_name(row, _POINT)} ({names.column(row['measure'])})" for _i, row in worse.iterrows()]
    return Sentence(_("This is where it breaks: {named}.").format(named=", ".join(named)))


def drivers(placed: pd.DataFrame) -> Sentence:
    r"""Say what counts most, and what is to be improved first as far as that is certain.

    Columns in: attribute, importance, importance_low, importance_high, quadrant; the most important first.

    >>> row = {"attribute": "Preis", "importance": 0.4, "importance_low": 0.3, "importance_high": 0.5, "n": 900}
    >>> print(drivers(pd.DataFrame([row | {"quadrant": "concentrate here"}])).replace("\xa0", " "))
    Am meisten zählt Preis (40,0 % des Erklärten, 95-%-Intervall 30,0 bis 50,0 %, n = 900). Zuerst verbessern: Preis.
    """
    require(
        "opinions.drivers", placed, ("attribute", "importance", "importance_low", "importance_high", "quadrant", "n")
    )
    if placed.empty or is_missing(placed["importance"].iloc[0]):
        return words.no_data(names.column("importance"))
    row = placed.iloc[0]
    text = _("What counts most is {attribute} ({share} of what is explained, {bracket}).").format(
        attribute=names.label(row["attribute"]),
        share=show(row["importance"], "share"),
        bracket=words.bracket(row["importance_low"], row["importance_high"], "share", words.base(row["n"])),
    )
    first = placed.loc[placed["quadrant"] == "concentrate here", "attribute"]
    if first.empty:
        last = _("Which service to improve first cannot be told with certainty from these answers.")
    else:
        last = _("Improve first: {listed}.").format(listed=", ".join(names.label(name) for name in first))
    return Sentence(f"{text} {last}")


def sides(profile: pd.DataFrame) -> Findings:
    r"""Say what goes with promoters and what with the rest, by more than chance; nothing is said about causes.

    Columns in: attribute, level, unit (share, number, day), promoters, rest (means or shares), verdict; the largest
    difference first.

    >>> row = {"attribute": "region", "level": "Süd", "unit": "share", "promoters": 0.4, "rest": 0.25}
    >>> found = pd.DataFrame([row | {"verdict": "goes with promoters"}])
    >>> print(sides(found).sentences[0].replace("\xa0", " "))
    Mit Fürsprechern geht einher: Region: Süd (40,0 % gegen 25,0 % beim Rest).
    """
    require("opinions.sides", profile, ("attribute", "level", "unit", "promoters", "rest", "verdict"))
    texts = {
        "goes with promoters": _("Goes with promoters: {listed}."),
        "goes with the rest": _("Goes with the rest: {listed}."),
    }
    sentences = []
    for verdict, text in texts.items():
        rows = profile[profile["verdict"] == verdict].head(_MOST_NAMED)
        if not rows.empty:
            sentences.append(text.format(listed=", ".join(_against(row) for _i, row in rows.iterrows())))
    return words.findings(sentences or [_("Nothing on record tells promoters from the rest by more than chance.")])


def _against(row: pd.Series) -> str:
    text = _("{name} ({promoters} against {rest} for the rest)")
    ends = {side: _written(row[side], row["unit"]) for side in ("promoters", "rest")}
    return text.format(name=row_name(row, ("attribute", "level")), **ends)


def _written(value: float, unit: str) -> str:
    if unit == "day":
        return dates.date(None if is_missing(value) else pd.Timestamp(0) + pd.Timedelta(round(value), unit="D"))
    return show(value, "share" if unit == "share" else "rating")


def bounds(scenarios: pd.DataFrame) -> Sentence:
    r"""Say how far those who did not answer could move the score.

    Columns in: scenario, nps, n, invited.

    >>> scenarios = pd.DataFrame({"scenario": ["as answered", "others passive", "others like detractors"]})
    >>> scenarios = scenarios.assign(n=100, invited=400, nps=[40.0, 10.0, -65.0])
    >>> print(bounds(scenarios).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    100 von 400 Befragten haben geantwortet. Wären alle übrigen Passive, läge der Wert bei 10 Punkten; wären sie alle
    Kritiker, bei −65 Punkten.
    """
    require("opinions.bounds", scenarios, ("scenario", "nps", "n", "invited"))
    by_name = scenarios.set_index("scenario")
    passive, against = (by_name["nps"].get(name) for name in ("others passive", "others like detractors"))
    if is_missing(passive):
        return Sentence(_("How far those who did not answer could move the value cannot be computed: no invitations."))
    text = _(
        "{n} of {invited} who were asked have answered. If all others were passive, the value would be {passive}; "
        "if all were detractors, {against}."
    )
    counts = {name: show(by_name[name].iloc[0], "count") for name in ("n", "invited")}
    passive, against = (said(value, "points", dative=True) for value in (passive, against))
    return Sentence(text.format(passive=passive, against=against, **counts))


def weighted(found: pd.DataFrame) -> Sentence:
    r"""Say where the score stands once the answers are weighted to the make-up of the customer base.

    Columns in: nps, low, high, n, n_effective, status.

    >>> row = {"nps": 17.2, "low": 11.0, "high": 23.4, "n": 829, "n_effective": 805.2, "status": "computed"}
    >>> print(weighted(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Auf die Zusammensetzung der Kundschaft gewichtet liegt der Net Promoter Score bei 17,2 Punkten (95-%-Intervall 11
    bis 23,4, n = 829, wirksam wie 805).
    """
    require("opinions.weighted", found, ("nps", "low", "high", "n", "n_effective", "status"))
    row = found.iloc[0]
    if is_missing(row["nps"]):
        return Sentence(_("The answers cannot be weighted to the customer base: of some groups there are none."))
    as_many = _("as good as {n}").format(n=show(row["n_effective"], "count"))
    text = _("Weighted to the make-up of the customer base the Net Promoter Score is {value} ({bracket}).")
    bracket = words.bracket(row["low"], row["high"], "points", words.base(row["n"]), as_many)
    return Sentence(text.format(value=said(row["nps"], "points", dative=True), bracket=bracket))


def anomalies(found: pd.DataFrame) -> Sentence:
    r"""Say what in the answers does not fit the scale declared; nothing where all fits.

    Columns in: anomaly, answers, n.

    >>> print(anomalies(pd.DataFrame({"anomaly": ["no 9"], "answers": [240], "n": [240]})).replace("\xa0", " "))
    Auffällig: Unter 240 Antworten ist keine einzige 9. Bitte die angegebene Skala und den Export prüfen.
    """
    require("opinions.anomalies", found, ("anomaly", "answers", "n"))
    if found.empty:
        return Sentence(_("The answers fit the scale declared."))
    texts = {
        "zero on a scale from 1": _("{answers} of {n} answers are 0, on a scale that begins with 1"),
        "no 9": _("among {n} answers there is not a single 9"),
        "no 10": _("among {n} answers there is not a single 10"),
        "index for value": _("the answers seem to be the positions of the choices, not their values"),
    }
    told = [
        texts[row["anomaly"]].format(answers=show(row["answers"], "count"), n=show(row["n"], "count"))
        for _i, row in found.iterrows()
    ]
    return Sentence(_("Notable: {told}. Check the scale declared and the export.").format(told="; ".join(told)))
