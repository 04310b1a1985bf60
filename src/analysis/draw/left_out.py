"""Which attributes a risk or a comparison rests on, and which were left out, each with its reason."""

from __future__ import annotations

import pandas as pd

from analysis.draw import names, words
from analysis.draw.frames import require
from analysis.draw.language import _, mark
from analysis.draw.words import Findings, Sentence

_USES = {
    "used": mark("Attributes without a date, taken as unchanging: {listed}."),
    "absent": mark("Not on record as attributes without a date: {listed}."),
    "holds a date": mark("Not used, for they hold dates: {listed}."),
    "name is taken": mark("Not used, for a feature has their name: {listed}."),
    "not declared constant": mark("Not used, for nobody knows since when they have been as they are: {listed}."),
}
_REFUSED = {
    "tells who left by itself": mark("Left out, for it tells who left by itself: {listed}."),
    "known only after the fact": mark("Left out, for it is known only after somebody has left: {listed}."),
    "the same for all in a window": mark(
        "Left out, for in a window it is the same for all or not on record: {listed}."
    ),
}

_NOT_COMPARED = {
    "an id": mark("a number that names each"),
    "holds a date": mark("a date"),
    "name is taken": mark("its name is taken"),
    "known only after the fact": mark("known only after somebody has left"),
    "tells who left by itself": mark("tells by itself who has left"),
    "one level only": mark("the same for all"),
    "too many levels": mark("too many different values"),
    "too few ends": mark("too few have left"),
    "too few spells": mark("too few customers"),
    "all or none left": mark("all or none of them left"),
    "follows from others": mark("follows from the other attributes"),
}


def attributes(frame: pd.DataFrame, left_out: pd.DataFrame) -> Findings | Sentence:
    r"""Say which attributes without a date were taken as unchanging, which not, and which columns were refused.

    Columns in: attribute, status; of ``left_out`` column, reason.

    >>> frame = pd.DataFrame({"attribute": ["region", "town"], "status": ["used", "not declared constant"]})
    >>> for sentence in attributes(frame, pd.DataFrame(columns=["column", "reason"])).sentences:
    ...     print(sentence)
    Merkmale ohne Datum, die als unveränderlich gelten: Region.
    Nicht verwendet, weil unbekannt ist, seit wann sie gelten: town.
    """
    require("risks.attributes", frame, ("attribute", "status"))
    require("risks.attributes", left_out, ("column", "reason"))
    refused = frame["attribute"].isin(left_out["column"]) & (frame["status"] == "used")
    rest = frame[~refused]
    told = [_told(text, rest.loc[rest["status"] == status, "attribute"]) for status, text in _USES.items()]
    told += [_told(text, left_out.loc[left_out["reason"] == why, "column"]) for why, text in _REFUSED.items()]
    return words.findings(told) if any(told) else Sentence()


def _told(text: str, columns: pd.Series) -> str:
    named = sorted({names.column(str(name)) for name in columns})
    return _(text).format(listed=names.listed(named)) if named else ""


def compared(frame: pd.DataFrame) -> str:
    """Say which attributes, or levels of them, have no ratio of hazards, and why; nothing where all have one.

    Of attributes that are not on record nothing is said: the settings name some that a company may never have had.

    Columns in: term, level (missing where it is the whole attribute), ratio, status.

    >>> rows = [("Ort", None, None, "too many levels"), ("region", "Insel", None, "too few spells")]
    >>> print(compared(pd.DataFrame(rows, columns=["term", "level", "ratio", "status"])))
    Nicht verglichen: Ort (zu viele verschiedene Werte); Region: Insel (zu wenige Kundinnen und Kunden).
    """
    without = frame[frame["ratio"].isna() & (frame["status"] != "absent")]
    if without.empty:
        return ""
    whys = [_NOT_COMPARED[status] for status in without["status"]]
    told = [
        _("{name} ({why})").format(name=names.row_name(row, ("term", "level")), why=_(why))
        for (_i, row), why in zip(without.iterrows(), whys, strict=True)
    ]
    return _("Not compared: {listed}.").format(listed=names.listed(told))
