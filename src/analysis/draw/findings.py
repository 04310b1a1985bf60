"""The sentences a chapter begins with, each written from the frame of a measure."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates, names, numbers, words
from analysis.draw.definitions import DEFINITIONS, defined
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Findings, Sentence

__all__ = [
    "best_class",
    "defined",
    "drivers",
    "earlier",
    "headlines",
    "highest_lowest",
    "intake",
    "level",
    "logrank",
    "median_stay",
    "ratio_figures",
    "top_share",
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


def median_stay(frame: pd.DataFrame) -> Sentence:
    r"""Say after how long half of the customers have left, or that fewer than half have.

    Columns in: median, low, high, in days, and n.

    >>> found = pd.DataFrame({"median": [1200.0], "low": [1100.0], "high": [None], "n": [900]})
    >>> print(median_stay(found).replace("\xa0", " "))
    Die Hälfte der Kunden ist nach 39 Monaten gegangen (95-%-Intervall ab 36 Monaten, n = 900).
    """
    require("findings.median_stay", frame, ("median", "low", "high", "n"))
    row = frame.iloc[0]
    if is_missing(row["median"]):
        return Sentence(_("Fewer than half of the customers have left in the time on record."))
    months = {name: _months(row[name]) for name in ("median", "low", "high")}
    if is_missing(row["high"]):
        text = _("Half of the customers have left after {median} months ({level} interval from {low} months, {base}).")
    else:
        text = _(
            "Half of the customers have left after {median} months ({level} interval {low} to {high} months, {base})."
        )
    return Sentence(text.format(level=words.confidence_level(), base=words.base(row["n"]), **months))


def _months(days: float) -> str:
    return show(None if is_missing(days) else days * 12 / 365.25, "count")


def best_class(frame: pd.DataFrame) -> Sentence:
    r"""Say how many customers are in class A and how much of the revenue they bring.

    Columns in: class, customers, customer_share, share.

    >>> classes = pd.DataFrame({"class": ["A", "B", "C"], "customers": [20, 30, 50], "share": [0.8, 0.15, 0.05]})
    >>> print(best_class(classes.assign(customer_share=[0.2, 0.3, 0.5])).replace("\xa0", " "))
    Zur Klasse A gehören 20 Kunden (20,0 % der Kundschaft); sie bringen 80,0 % des Umsatzes.
    """
    require("findings.best_class", frame, ("class", "customers", "customer_share", "share"))
    row = frame[frame["class"] == "A"].iloc[0]
    text = ngettext(
        "Class A holds {customers} customer ({customer_share} of all), who brings {share} of the revenue.",
        "Class A holds {customers} customers ({customer_share} of all), who bring {share} of the revenue.",
        int(row["customers"]),
    )
    shares = {name: show(row[name], "share") for name in ("customer_share", "share")}
    return Sentence(text.format(customers=show(row["customers"], "count"), **shares))


def top_share(frame: pd.DataFrame) -> Sentence:
    r"""Say how much of the revenue the best fifth of the customers brings.

    Columns in: top_20_share, positive.

    >>> print(top_share(pd.DataFrame({"top_20_share": [0.62], "positive": [1200]})).replace("\xa0", " "))
    Das umsatzstärkste Fünftel der Kunden bringt 62,0 % des Umsatzes (n = 1.200).
    """
    require("findings.top_share", frame, ("top_20_share", "positive"))
    row = frame.iloc[0]
    if is_missing(row["top_20_share"]):
        return words.no_data(names.column("top_share"))
    text = _("The fifth of the customers with the highest revenue brings {share} of it ({base}).")
    return Sentence(text.format(share=show(row["top_20_share"], "share"), base=words.base(row["positive"])))


def drivers(frame: pd.DataFrame) -> Sentence:
    r"""Say who leaves most often and most seldom, other attributes equal, by more than chance.

    Columns in: term, level, base, ratio, low, high, verdict (up, down, within noise), status.

    >>> row = {"term": "payment", "level": "Rechnung", "base": "Lastschrift", "ratio": 1.35, "low": 1.16, "high": 1.58}
    >>> print(drivers(pd.DataFrame([row | {"verdict": "up", "status": "computed"}])).replace("\xa0", " "))
    Am häufigsten geht: Zahlungsart: Rechnung (1,35-mal so oft wie Lastschrift, 95-%-Intervall 1,16 bis 1,58).
    """
    require("findings.drivers", frame, ("term", "level", "base", "ratio", "low", "high", "verdict", "status"))
    known = frame[frame["ratio"].notna()]
    if known.empty:
        return Sentence(_("Too few have left to tell what goes with leaving."))
    often, seldom = known[known["verdict"] == "up"].head(1), known[known["verdict"] == "down"].tail(1)
    told = [
        text.format(named=_leaves(row))
        for text, rows in ((_("Leaves most often: {named}."), often), (_("Leaves least often: {named}."), seldom))
        for _i, row in rows.iterrows()
    ]
    return Sentence(" ".join(told) or _("No attribute compared goes with leaving beyond chance."))


def ratio_figures(frame: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the ratios of hazards as figures, as the report takes them.

    Columns in: as for ``drivers``, and n. Columns out: those of a figure, with group; its id names the term.
    """
    known = frame[frame["ratio"].notna()]
    ids = [f"{chapter}.hazard_ratio_{term}" for term in known["term"]]
    numbers_of = known[["ratio", "low", "high", "n"]].rename(columns={"ratio": "value"}).reset_index(drop=True)
    return numbers_of.assign(
        id=ids, group=known["level"].tolist(), source="contracts customers", **defined("hazard_ratio")
    )


def _leaves(row: pd.Series) -> str:
    text = _("{name}: {level} ({ratio} times as often as {base}, {bracket})")
    return text.format(
        name=names.column(str(row["term"])),
        level=names.label(row["level"]),
        ratio=show(row["ratio"], "index"),
        base=names.label(row["base"]),
        bracket=words.bracket(row["low"], row["high"], "index"),
    )


def logrank(chi2: float, df: int, p_value: float) -> str:
    r"""Say whether the curves of groups differ by more than chance, from a log-rank test.

    >>> print(logrank(2352.9, 2, 1e-12).replace("\xa0", " "))
    Log-Rank-Test: Die Kurven unterscheiden sich mehr als durch Zufall (χ² = 2.352,9, p < 0,001).
    """
    if is_missing(p_value):
        return _("Log-rank test: the groups cannot be compared.")
    differs = _("Log-rank test: the curves differ by more than chance (χ² = {chi2}, {p}).")
    same = _("Log-rank test: the difference between the curves is within noise (χ² = {chi2}, {p}).")
    small = show(0.001, "per year")
    p = f"p < {small}" if p_value < 0.001 else f"p = {show(p_value, 'per year')}"
    text = differs if p_value < 0.05 else same
    return text.format(chi2=show(chi2, "points"), p=p).replace(" = ", "\xa0=\xa0").replace("p < ", "p\xa0<\xa0")


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
        return median_stay(
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
