"""The sentences a chapter begins with, each written from the frame of a measure."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates, names, numbers, staying, words
from analysis.draw.definitions import DEFINITIONS, defined
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Findings, Sentence

__all__ = [
    "changed",
    "defined",
    "earlier",
    "headlines",
    "highest_lowest",
    "intake",
    "level",
]

highest_lowest = words.highest_lowest

_HEADLINES = {
    "satisfaction.nps": "nps",
    "satisfaction.nps_change": "nps_change",
    "satisfaction.csat": "csat",
    "churn_drivers.churn_share": "churn_share",
    "churn_drivers.median_stay": "median",
    "segments.revenue": "revenue",
    "segments.top_share": "top_share",
    "value.expected_value": "expected_value",
}
"""The figures the summary begins with, and what each is called in a sentence."""


def level(frame: pd.DataFrame, name: str, *, value: str = "", n: str = "n") -> Sentence:
    r"""Say where the measure of a frame of one row stands.

    ``name`` is that of a definition, which gives the unit; ``value`` its column, by default of the same name. The
    interval is taken from ``<value>_low`` and ``<value>_high``, else from ``low`` and ``high``.

    >>> now = pd.DataFrame({"nps": [24.0], "low": [20.0], "high": [28.0], "n": [812]})
    >>> print(level(now, "nps").replace("\xa0", " "))
    Der Net Promoter Score liegt bei 24 Punkten (95-%-Intervall 20 bis 28, n = 812).
    """
    value = value or name
    require("findings.level", frame, (value, n))
    if frame.empty:
        return words.no_data(names.column(name))
    row = frame.iloc[-1]
    low, high = (row.get(f"{value}_{end}", row.get(end)) for end in ("low", "high"))
    return words.level(name, row[value], low, high, n=row[n], unit=DEFINITIONS[name][0])


def earlier(frame: pd.DataFrame, name: str, *, value: str = "", n: str = "n") -> Sentence:
    r"""Say where the measure stood in the period before the last one of a frame with a row a period.

    Columns in: period (ids, oldest first), and as for ``level``.

    >>> by_period = pd.DataFrame({"period": ["2026-Q2", "2026-Q3"], "nps": [20.0, 24.0], "n": [800, 812]})
    >>> print(earlier(by_period.assign(low=16.0, high=24.0), "nps").replace("\xa0", " "))
    Im Zeitraum davor (Q2 2026) waren es 20 Punkte (95-%-Intervall 16 bis 24, n = 800).
    """
    value = value or name
    require("findings.earlier", frame, ("period", value, n))
    if len(frame) < 2:
        return words.no_data(_("The period before"))
    row = frame.iloc[-2]
    low, high = (row.get(f"{value}_{end}", row.get(end)) for end in ("low", "high"))
    unit = DEFINITIONS[name][0]
    if is_missing(row[value]):
        return words.no_data(_("The period before"))
    text = _("In the period before ({period}) it was {value} ({bracket}).")
    bracket = words.bracket(low, high, unit, words.base(row[n]))
    return Sentence(text.format(period=dates.period(row["period"]), value=said(row[value], unit), bracket=bracket))


def changed(frame: pd.DataFrame, name: str, *, value: str = "") -> Sentence:
    r"""Say whether a measure has changed since the period before, from the last row of a frame of tested changes.

    Columns in: the value (by default the name of the definition), before (id of the period), difference, low, high.

    >>> row = {"churn_share": 0.041, "before": "2026-Q2", "difference": 0.008, "low": -0.002, "high": 0.018}
    >>> print(changed(pd.DataFrame([row]), "churn_share").replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Anteil der abgewanderten Kunden hat sich gegenüber Q2 2026 nicht erkennbar verändert: Der Unterschied von
    +0,8 Prozentpunkten liegt im Zufallsbereich (−0,2 bis +1,8).
    """
    require("findings.changed", frame, (value or name, "before", "difference", "low", "high"))
    if frame.empty:
        return words.no_data(_("The period before"))
    row = frame.iloc[-1]
    ends = {part: row[part] for part in ("difference", "low", "high")}
    return words.change(name, row[value or name], unit=DEFINITIONS[name][0], since=row["before"], **ends)


def intake(sources: pd.DataFrame) -> Findings:
    r"""Say how many rows were read and accepted, and where most were set aside.

    Columns in: table, read, accepted, quarantined, set_missing.

    >>> sources = pd.DataFrame({"table": ["surveys"], "read": [200], "accepted": [198], "quarantined": [2]})
    >>> print(intake(sources.assign(set_missing=3)).sentences[0].replace("\xa0", " "))
    Von 200 gelesenen Zeilen wurden 198 angenommen (99,00 %) und 2 zurückgestellt; 3 einzelne Werte gelten als fehlend.
    """
    require("findings.intake", sources, ("table", "read", "accepted", "quarantined", "set_missing"))
    sums = sources[["read", "accepted", "quarantined", "set_missing"]].sum()
    counts = {name: show(count, "count") for name, count in sums.items()}
    share = show(sums["accepted"] / sums["read"] if sums["read"] else None, "share", places=2)
    text = _(
        "Of {read} rows read, {accepted} were accepted ({share}) and {quarantined} set aside; "
        "{set_missing} single values count as missing."
    )
    sentences = [text.format(share=share, **counts)]
    worst = sources.assign(part=sources["quarantined"] / sources["read"].where(sources["read"] > 0))
    worst = worst[worst["quarantined"] > 0].nlargest(1, "part")
    for row in worst.to_dict("records"):
        most = _("The largest share was set aside in the table “{table}”: {share}.")
        sentences.append(most.format(table=names.table(row["table"]), share=show(row["part"], "share")))
    return words.findings(sentences)


def headlines(figures: pd.DataFrame) -> Findings | Sentence:
    """Say the most important figures of all chapters, one a line.

    Columns in: id, value, low, high, n, unit, as the report keeps them.
    """
    require("findings.headlines", figures, ("id", "value", "low", "high", "n", "unit"))
    by_id = figures.set_index("id")
    found = [(by_id.loc[key], name) for key, name in _HEADLINES.items() if key in by_id.index]
    sentences = [_headline(row, name, by_id) for row, name in found]
    return words.findings(sentences) if sentences else words.no_data()


def _headline(row: pd.Series, name: str, by_id: pd.DataFrame) -> Sentence:
    if name == "nps_change":
        ends = {"difference": row["value"], "low": row["low"], "high": row["high"], "unit": row["unit"]}
        return words.change("nps", by_id["value"].get("satisfaction.nps"), **ends)
    if name == "median":
        return staying.median_stay(
            pd.DataFrame([{"median": row["value"], "low": row["low"], "high": row["high"], "n": row["n"]}])
        )
    return words.level(name, row["value"], row["low"], row["high"], n=row["n"], unit=row["unit"])


def figure_name(id: str) -> str:
    """Return the name of a figure from its id, with its group where it has one.

    >>> figure_name("satisfaction.nps"), figure_name("satisfaction.nps_region.Nord")
    ('Net Promoter Score', 'Net Promoter Score, Region: Nord')
    """
    _chapter, measure, *group = id.split(".", 2)
    name = names.column(measure)
    return f"{name}: {names.label(group[0].replace('_', ' '))}" if group else name


def figure_value(value: float, unit: str) -> str:
    r"""Return the value of a figure with the word for its unit.

    >>> figure_value(0.123, "share"), figure_value(24, "points")
    ('12,3\xa0%', '24\xa0Punkte')
    """
    return said(value, unit) if not is_missing(value) else numbers.MISSING
