"""How many leave, how long they stay and what goes with leaving: sentences and figures."""

from __future__ import annotations

import pandas as pd

from analysis.draw import left_out, words
from analysis.draw.definitions import defined
from analysis.draw.frames import require
from analysis.draw.group_phrases import with_group
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.words import Sentence

_FIGURE = ["value", "low", "high", "n"]


def figures(rates: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return share and rate of leaving in the last period of a frame as figures, as the report takes them.

    Columns in: exposed, share, share_low, share_high, rate, rate_low, rate_high.

    >>> row = {"exposed": 900, "share": 0.04, "share_low": 0.03, "share_high": 0.05}
    >>> row |= {"rate": 0.17, "rate_low": 0.14, "rate_high": 0.2}
    >>> figures(pd.DataFrame([row]), "churn_drivers")[["id", "value", "low", "high", "n"]]
                              id  value   low  high    n
    0  churn_drivers.churn_share   0.04  0.03  0.05  900
    1   churn_drivers.churn_rate   0.17  0.14  0.20  900
    """
    return pd.concat([_rates(rates.tail(1), chapter, name) for name in ("share", "rate")], ignore_index=True)


def stay_figures(median: pd.DataFrame, after: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the median stay and the shares still there after some days as figures, as the report takes them.

    Columns in: of ``median`` median, low, high, n; of ``after`` time, survival, low, high, n.
    """
    ids = [f"{chapter}.survival_days.{int(day)}" for day in after["time"]]
    days = _figures(after, "survival").assign(id=ids, **defined("survival"))
    half = _figures(median, "median").assign(id=f"{chapter}.median_stay", **defined("median"))
    return pd.concat([half, days], ignore_index=True)


def _rates(rates: pd.DataFrame, chapter: str, name: str) -> pd.DataFrame:
    shown = rates.assign(low=rates[f"{name}_low"], high=rates[f"{name}_high"], n=rates["exposed"])
    return _figures(shown, name).assign(id=f"{chapter}.churn_{name}", **defined(f"churn_{name}"))


def _figures(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    return frame.rename(columns={value: "value"})[_FIGURE].reset_index(drop=True)


def median_stay(frame: pd.DataFrame) -> Sentence:
    r"""Say after how long half of the customers have left, or that fewer than half have.

    Columns in: median, low, high, in days, n and, where there is one, from_time, the days that all of them lasted.
    Without a row there was no contract.

    >>> found = pd.DataFrame({"median": [1200.0], "low": [1100.0], "high": [None], "n": [900]})
    >>> print(median_stay(found).replace("\xa0", " "))
    Die Hälfte der Kunden ist nach 39 Monaten gegangen (95-%-Intervall ab 36 Monaten, n = 900).
    """
    require("staying.median_stay", frame, ("median", "low", "high", "n"))
    if frame.empty:
        return Sentence(_("There are no contracts on record before the as-of date."))
    row = frame.iloc[0]
    return Sentence(" ".join(filter(None, [_half_gone(row), lasted(row.get("from_time", 0))])))


def _half_gone(row: pd.Series) -> str:
    if is_missing(row["median"]):
        return _("Fewer than half of the customers have left in the time on record.")
    months = {name: _months(row[name]) for name in ("median", "low", "high")}
    if is_missing(row["low"]):
        text = _("Half of the customers have left after {median} months ({base}; no interval can be given).")
    elif is_missing(row["high"]):
        text = _("Half of the customers have left after {median} months ({level} interval from {low} months, {base}).")
    else:
        text = _(
            "Half of the customers have left after {median} months ({level} interval {low} to {high} months, {base})."
        )
    return text.format(level=words.confidence_level(), base=words.base(row["n"]), **months)


def lasted(from_time: float) -> str:
    """Say that a curve is that of those who have lasted until it begins, where it does not begin at 0."""
    if not from_time > 0:
        return ""
    text = _("Of those who were customers for {days} days already; before that too few are on record.")
    return text.format(days=show(from_time, "count"))


def outside(curve: pd.DataFrame, triangle: pd.DataFrame, *, smallest: int = 1) -> Sentence:
    """Say how many spells the curve lacks, for they lie apart from all others; nothing where it holds all.

    Takes ``attrs["n"]`` of both: the spells behind the curve, and all of them. Fewer than ``smallest`` are not counted.

    >>> curve, triangle = pd.DataFrame(), pd.DataFrame()
    >>> curve.attrs, triangle.attrs = {"n": 290}, {"n": 300}
    >>> print(outside(curve, triangle))
    Nicht in der Kurve: 10 Vertragsverhältnisse, deren bisherige Dauer weit von der aller anderen entfernt liegt.
    """
    spells = triangle.attrs["n"] - curve.attrs["n"]
    if 0 < spells < smallest:
        return Sentence(_("Not in the curve: a few spells, which have lasted far longer or shorter than all others."))
    text = ngettext(
        "Not in the curve: {count} spell, which has lasted far longer or shorter than all others.",
        "Not in the curve: {count} spells, which have lasted far longer or shorter than all others.",
        spells,
    )
    return Sentence(text.format(count=show(spells, "count")) if spells else "")


def reversed_ends(faults: pd.DataFrame) -> Sentence:
    r"""Say how many contracts were read with an end before their start, which is as good as none.

    Columns in: table, reason, column, count, as the report gives its faults.

    >>> row = {"table": "contracts", "reason": "before its start", "column": "ended_on", "count": 11}
    >>> print(reversed_ends(pd.DataFrame([row])))
    11 Verträge mit einem Ende vor ihrem Beginn gelten als laufend.
    """
    require("staying.reversed_ends", faults, ("table", "reason", "column", "count"))
    is_reversed = (faults["table"] == "contracts") & (faults["reason"] == "before its start")
    count = int(faults.loc[is_reversed & (faults["column"] == "ended_on"), "count"].sum())
    text = ngettext(
        "{count} contract with an end before its start counts as running.",
        "{count} contracts with an end before their start count as running.",
        count,
    )
    return Sentence(text.format(count=show(count, "count")) if count else "")


def _months(days: float) -> str:
    return show(None if is_missing(days) else days * 12 / 365.25, "count")


def drivers(frame: pd.DataFrame) -> Sentence:
    r"""Say who leaves most often and most seldom, other attributes equal, by more than chance; and what has no ratio.

    Columns in: term, level, base, ratio, low, high, verdict (up, down, within noise), status.

    >>> row = {"term": "payment", "level": "Rechnung", "base": "Lastschrift", "ratio": 1.35, "low": 1.16, "high": 1.58}
    >>> told = drivers(pd.DataFrame([row | {"verdict": "up", "status": "computed"}]))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Bei sonst gleichen Merkmalen gehen am häufigsten Kundinnen und Kunden mit dem Merkmal „Zahlungsart: Rechnung“
    (1,35-mal so oft wie bei dem Merkmal „Zahlungsart: Lastschrift“, 95-%-Intervall 1,16 bis 1,58).
    """
    require("staying.drivers", frame, ("term", "level", "base", "ratio", "low", "high", "verdict", "status"))
    return Sentence(" ".join(filter(None, (_goes_with_leaving(frame), left_out.compared(frame)))))


def _goes_with_leaving(frame: pd.DataFrame) -> str:
    known = frame[frame["ratio"].notna()]
    if known.empty:
        is_too_few = (frame["status"] == "too few ends").any()
        few = _("Too few have left to tell what goes with leaving.")
        return few if is_too_few else _("There is no attribute by which those who left could be compared.")
    often, seldom = known[known["verdict"] == "up"].head(1), known[known["verdict"] == "down"].tail(1)
    named = {name: _leaves(rows.iloc[0]) for name, rows in (("most", often), ("least", seldom)) if len(rows)}
    if not named:
        return _("No attribute compared goes with leaving beyond chance.")
    if len(named) == 2:
        text = _("Other attributes equal, customers with {most} leave most often, those with {least} least often.")
    elif "most" in named:
        text = _("Other attributes equal, customers with {most} leave most often.")
    else:
        text = _("Other attributes equal, customers with {least} leave least often.")
    return text.format(**named)


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
    column = str(row["term"])
    return _("{group} ({ratio} times as often as with {base}, {bracket})").format(
        group=with_group(column, row["level"]),
        ratio=show(row["ratio"], "index"),
        base=with_group(column, row["base"]),
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
