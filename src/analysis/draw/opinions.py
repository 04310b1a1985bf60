"""Sentences on what customers think: whether it changed, who stands out, what counts, what is left open."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from analysis.draw import dates, names, words
from analysis.draw.definitions import DEFINITIONS, defined
from analysis.draw.frames import leading, require
from analysis.draw.language import _, mark
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Findings, Sentence

_MOST_NAMED = 4
_POINT = ("kind", "touchpoint")
_FIGURE = ["id", "value", "low", "high", "n", "unit", "definition"]
_DIFFERENCE = ("difference", "difference_low", "difference_high")
_HARD = mark("On the scale of effort a high value says: hard.")


def levels(found: pd.DataFrame, *, since: str, easy: str | None = None) -> list[Sentence]:
    r"""Say where each measure stands and stood before, and whether it has changed since.

    ``easy`` tells which end of a scale of effort is easy.

    Columns in: measure, n, value, low, high, n_before, before, difference, difference_low, difference_high.

    >>> row = {"measure": "nps", "n": 812, "value": 24.0, "low": 20.0, "high": 28.0, "difference": 2.1}
    >>> row |= {"difference_low": -3.0, "difference_high": 7.2, "n_before": 800, "before": 21.9}
    >>> for sentence in levels(pd.DataFrame([row]), since="2026-Q2"):
    ...     print(sentence.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Net Promoter Score liegt bei 24 Punkten (95-%-Intervall 20 bis 28, n = 812); davor (Q2 2026) waren es 21,9
    Punkte (n = 800).
    Der Net Promoter Score hat sich gegenüber Q2 2026 nicht erkennbar verändert: Der Unterschied von +2,1 Punkten liegt
    im Zufallsbereich (−3,0 bis +7,2).
    """
    require("opinions.levels", found, ("measure", "n", "value", "low", "high", "n_before", "before", *_DIFFERENCE))
    sentences = []
    for row in found.to_dict("records"):
        name, unit = row["measure"], DEFINITIONS[row["measure"]][0]
        stands = words.level(name, row["value"], row["low"], row["high"], n=row["n"], unit=unit)
        sentences.append(Sentence(stands.removesuffix(".") + _before(row, unit, since) + "."))
        if not is_missing(row["value"]) and not is_missing(row["before"]):
            ends = {"low": row["difference_low"], "high": row["difference_high"], "unit": unit, "since": since}
            sentences.append(words.change(name, row["value"], difference=row["difference"], **ends))
    if easy and (found["measure"] == "ces").any():
        high_is = {"high": _("On the scale of effort a high value says: easy."), "low": _(_HARD)}
        sentences.append(Sentence(high_is[easy]))
    return sentences


def _before(row: dict[Hashable, Any], unit: str, since: str) -> str:
    if is_missing(row["before"]):
        return ""
    text = _("; before ({period}) it was {value} ({base})")
    return text.format(period=dates.period(since), value=said(row["before"], unit), base=words.base(row["n_before"]))


def figures(found: pd.DataFrame, chapter: str, **settings: object) -> pd.DataFrame:
    """Return the figures of ``levels``, as the report takes them: each measure and its change, with the settings.

    >>> row = {"measure": "nps", "n": 812, "value": 24.0, "low": 20.0, "high": 28.0, "difference": 2.1}
    >>> row |= {"difference_low": -3.0, "difference_high": 7.2}
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
        if is_missing(row["difference_low"]):
            continue
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
    r"""Say which groups are better or worse than all others together, beyond chance.

    Columns in: kind, touchpoint, measure, value, verdict (up, down, within noise, too few); the first measure counts.

    >>> rows = [("region", "Süd", 41.0, "up"), ("region", "West", 12.0, "down"), ("region", "Ost", 22.0, "too few")]
    >>> groups = pd.DataFrame(rows, columns=["kind", "touchpoint", "value", "verdict"]).assign(measure="nps")
    >>> print(standing_out(groups).replace("\xa0", " "))
    Gesichert über dem Rest liegt Region: Süd (41,0), gesichert darunter Region: West (12,0).
    """
    require("opinions.standing_out", groups, (*_POINT, "measure", "value", "verdict"))
    first = leading(groups)
    if first.empty:
        return Sentence(_("There are no groups to compare."))
    above, below = (_named(first[first["verdict"] == verdict]) for verdict in ("up", "down"))
    if above and below:
        text = _("Above the rest: {above}; below it: {below}.")
    elif above:
        text = _("Above the rest: {above}; no group is below it beyond chance.")
    elif below:
        text = _("Below the rest: {below}; no group is above it beyond chance.")
    else:
        text = _("No group differs from the rest beyond chance.")
    return Sentence(text.format(above=above, below=below))


def _named(rows: pd.DataFrame) -> str:
    ordered = rows.sort_values("value", ascending=False, kind="stable")
    units = ordered["measure"].map(lambda name: DEFINITIONS[name][0])
    shown = [
        f"{names.row_name(row, _POINT)} ({show(row['value'], unit)})"
        for (_i, row), unit in zip(ordered.iterrows(), units, strict=True)
    ]
    more = [_("and {count} more").format(count=len(shown) - _MOST_NAMED)] if len(shown) > _MOST_NAMED else []
    return ", ".join([*shown[:_MOST_NAMED], *more])


def breaks(touchpoints: pd.DataFrame) -> Sentence:
    r"""Say where the journey breaks: the touchpoints that are worse than all others beyond chance.

    Nothing is said of no touchpoints. Columns in: kind, touchpoint, measure, breaks.

    >>> row = {"kind": "channel", "touchpoint": "Chat", "measure": "nps", "breaks": True}
    >>> print(breaks(pd.DataFrame([row])))
    Gesichert schlechter als die übrigen: Kanal: Chat (Net Promoter Score).
    """
    require("opinions.breaks", touchpoints, ("kind", "touchpoint", "measure", "breaks"))
    if touchpoints.empty:
        return Sentence()
    worse = touchpoints[touchpoints["breaks"].astype(bool)]
    if worse.empty:
        return Sentence(_("No touchpoint is worse than the others beyond chance."))
    named = [f"{names.row_name(row, _POINT)} ({names.column(row['measure'])})" for _i, row in worse.iterrows()]
    return Sentence(_("Worse than the others beyond chance: {named}.").format(named=", ".join(named)))


def drivers(placed: pd.DataFrame) -> Sentence:
    r"""Say what counts most, what is to be improved first as far as that is certain, and what was not compared.

    Columns in: attribute, importance, importance_low, importance_high, n, dropped, quadrant, status (why an attribute
    has no importance); the most important first.

    >>> row = {"attribute": "Preis", "importance": 0.4, "importance_low": 0.3, "importance_high": 0.5, "n": 900}
    >>> row |= {"dropped": 100, "quadrant": "concentrate here", "status": "computed"}
    >>> print(drivers(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Am meisten zählt Preis (40,0 % der erklärten Streuung, 95-%-Intervall 30,0 bis 50,0 %, n = 900; 100 Antworten mit
    Lücken nicht eingerechnet). Zuerst verbessern: Preis.
    """
    needed = ("attribute", "importance", "importance_low", "importance_high", "n", "dropped", "quadrant", "status")
    require("opinions.drivers", placed, needed)
    left_out = placed[placed["importance"].isna()]
    if len(left_out) == len(placed):
        why = _reason(placed["status"].iloc[0]) if len(placed) else _("no data")
        return Sentence(_("Which service counts how much cannot be said: {why}.").format(why=why))
    reasons = [f"{names.label(row['attribute'])} ({_reason(row['status'])})" for _i, row in left_out.iterrows()]
    row = placed.iloc[0]
    text = _("What counts most is {attribute} ({share} of the explained variation, {bracket}).").format(
        attribute=names.label(row["attribute"]),
        share=show(row["importance"], "share"),
        bracket=words.bracket(row["importance_low"], row["importance_high"], "share", _complete(row)),
    )
    first = placed.loc[placed["quadrant"] == "concentrate here", "attribute"]
    if first.empty:
        last = _("Which service to improve first cannot be told with certainty from these answers.")
    else:
        last = _("Improve first: {listed}.").format(listed=", ".join(names.label(name) for name in first))
    more = [_("Not compared: {listed}.").format(listed=", ".join(reasons))] if reasons else []
    return Sentence(" ".join([text, last, *more]))


def _complete(row: pd.Series) -> str:
    if not row["dropped"]:
        return words.base(row["n"])
    dropped = _("{count} answers with gaps not counted").format(count=show(row["dropped"], "count"))
    return f"{words.base(row['n'])}; {dropped}"


def _reason(status: str) -> str:
    """Return why an attribute cannot be compared, in the reader's language."""
    if "follows from" in status:
        others = status.partition("follows from ")[2].split(", ")
        return _("given by {others}").format(others=", ".join(names.label(name) for name in others))
    reasons = {
        "too few complete cases": _("too few complete answers"),
        "too many attributes": _("more than 20 services were asked about"),
    }
    return reasons.get(status, _("all complete answers say the same"))


def sides(profile: pd.DataFrame) -> Findings:
    r"""Say what goes with promoters and what with the rest, beyond chance; nothing is said about causes.

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
    nothing = _("Nothing on record tells promoters from the rest beyond chance.")
    if (profile["verdict"] == "too few").all():
        nothing = _("There are too few answers to compare promoters with the rest.")
    return words.findings(sentences or [nothing])


def _against(row: pd.Series) -> str:
    text = _("{name} ({promoters} against {rest} for the rest)")
    ends = {side: _written(row[side], row["unit"]) for side in ("promoters", "rest")}
    return text.format(name=names.row_name(row, ("attribute", "level")), **ends)


def _written(value: float, unit: str) -> str:
    if unit == "day":
        return dates.date(None if is_missing(value) else pd.Timestamp(0) + pd.Timedelta(round(value), unit="D"))
    return show(value, "share" if unit == "share" else "rating")
