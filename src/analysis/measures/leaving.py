"""What goes with leaving: the hazard ratios of the attributes on record, as far as there are leavers enough to tell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import NotSettledError
from analysis.measures.codings import MISSING
from analysis.measures.frames import Rows, as_table, check_confidence, names
from analysis.measures.hazards import HazardModel, hazard_model
from analysis.measures.leakage import AFTERWARDS, leaks_by_level, nearly_all
from analysis.measures.point_in_time import DAYS_A_YEAR
from analysis.measures.spells import is_event, spells
from analysis.vocabulary import SMALL_CELL, TABLES

CUTS_DAYS = (90, 365, 730)
"""Ends of the intervals within which the hazard is taken as constant."""
MOST_LEVELS = 20
FEWEST_EVENTS = 10
"""Ends a level must have on the average for the ratios to be told."""

COMPUTED = "computed"
TOO_FEW = "too few ends"
ONE_LEVEL = "one level only"
TOO_MANY = "too many levels"
ABSENT, AN_ID, A_DATE, TAKEN = "absent", "an id", "holds a date", "name is taken"
SMALL, NO_RATIO, FOLLOWS = "too few spells", "all or none left", "follows from others"
"""What became of a level."""

_TERMS = ["term", "level", "base", "ratio", "low", "high", "p", "p_holm", "n", "verdict", "status"]
_SPECS = (TABLES["contracts"], TABLES["customers"])
_WITHOUT = {"separated": NO_RATIO, "follows": FOLLOWS}


def described(
    contracts: Rows,
    customers: Rows | None,
    attributes: str | Sequence[str],
    *,
    as_of: dt.date,
    window_start: dt.date | None = None,
) -> ir.Table:
    """Return the spells with those of ``attributes`` that are on record and can be compared, as a lazy Ibis table.

    Left out, without a word, are those that :func:`drivers` names for their names alone: ids, dates, what is learned
    only when somebody leaves, and names of columns that spells have themselves.

    Columns in and out, and errors: as for ``spells.spells``.

    >>> ledger = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2025-01-01"]), "plan": ["x"]})
    >>> described(ledger, None, ["plan", "customer_id", "reason"], as_of=dt.date(2025, 3, 1)).columns[6:]
    ('plan',)
    """
    tables = [as_table(table) for table in (contracts, customers) if table is not None]
    held = {name for table in tables for name in table.columns}
    fit = [name for name in dict.fromkeys(names(attributes)) if name in held and _barred(name) is None]
    return spells(contracts, customers, as_of=as_of, window_start=window_start, attributes=fit)


def drivers(
    spells: Rows,
    covariates: str | Sequence[str],
    *,
    left_ever: Rows | None = None,
    cuts: Sequence[float] = CUTS_DAYS,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare how fast customers leave by attribute, other attributes and the length of the stay equal.

    Named and left out are attributes with one level, or with more than 20, ids, dates, what is known only after the
    fact, what is not on record, and what tells by itself who has left of those present a year before the spells end
    (or half of the time they cover): see ``leakage.leakage``. There ``left_ever`` (customer_id) are those who have left
    for good on record, whatever the day; it is used for that check and nothing else. Levels of fewer than 5 spells, and
    those that all or none left, have no ratio; with fewer than 10 ends a level compared, nothing is told. What goes
    with leaving need not cause it.

    Columns in: entry, exit, event, the covariates and, for that check, customer_id and origin. Columns out: term,
    level, base (the level it is compared with), ratio (of hazards), low, high, p, p_holm (over all levels), n (spells
    of the level), verdict (up: leaves more often; down; within noise), status (computed, or why a term, or a level of
    it, has no ratio). One row a level but the base, the largest ratio first, then what was left out.

    Raises MeasureError where a needed column is absent or holds impossible values, or the confidence is not between 0
    and 1.
    Source: see ``hazards.hazard_model``; Holm (1979), Scandinavian Journal of Statistics 6, 65-70; ten events a
    parameter: Peduzzi and others (1995), Journal of Clinical Epidemiology 48, 1503-1510.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [100, 200, 300, 400] * 20, "event": [1, 1, 1, 0] * 20})
    >>> found = drivers(ledger.assign(plan=["a", "a", "b", "b"] * 20), ["plan", "reason"])
    >>> found[["term", "level", "base", "verdict", "status"]]
         term level base verdict                     status
    0    plan     b    a    down                   computed
    1  reason   NaN  NaN     NaN  known only after the fact
    """
    check_confidence("drivers", confidence)
    table, asked = as_table(spells), list(dict.fromkeys(names(covariates)))
    left_out = {name: why for name in asked if (why := _unfit(table, name))}
    terms = [name for name in asked if name not in left_out]
    levels = {name: int(count) for name, count in _reduce_levels(table, terms).execute().iloc[0].items()}
    left_out |= {name: ONE_LEVEL for name in terms if levels[name] < 2}
    left_out |= {name: TOO_MANY for name in terms if levels[name] > MOST_LEVELS}
    left_out |= _leaking(table, [name for name in terms if name not in left_out], left_ever)
    kept = [name for name in terms if name not in left_out]
    parameters = sum(levels[name] - 1 for name in kept)
    if levels["_events"] < FEWEST_EVENTS * max(parameters, 1):
        left_out |= dict.fromkeys(kept, TOO_FEW)
        kept = []
    parts = [_told(table, kept, cuts, confidence)] if kept else []
    without = pd.DataFrame({"term": list(left_out), "status": list(left_out.values())}, dtype="str")
    return pd.concat([*parts, without.reindex(columns=_TERMS)], ignore_index=True)


def _barred(name: str) -> str | None:
    """Say why an attribute of this name cannot be compared, whatever it holds."""
    columns = [column for spec in _SPECS if (column := spec.column(name))]
    if name in {"customer_id", *(spec.key for spec in _SPECS)}:
        return AN_ID
    if any(spec.is_learned(name) for spec in _SPECS):
        return AFTERWARDS
    if any(column.type in ("date", "instant") for column in columns):
        return A_DATE
    return TAKEN if name in ("origin", "entry", "exit", "event", "cause") else None


def _unfit(spells: ir.Table, name: str) -> str | None:
    if why := _barred(name):
        return why
    if name not in spells.columns:
        return ABSENT
    kind = spells[name].type()
    return A_DATE if kind.is_temporal() or kind.is_nested() else None


def _leaking(spells: ir.Table, terms: Sequence[str], left_ever: Rows | None) -> dict[str, str]:
    """Return the terms that know who has left, and why."""
    present = _with_left(_present_earlier(spells), left_ever)
    nearly = nearly_all(terms, ends_known=left_ever is not None)
    counts = {name: _reduce_left(present, name).execute() for name in terms}
    told = {name: leaks_by_level(counts[name], name, nearly=nearly.get(name, 1.0)) for name in terms}
    return {name: why for name, why in told.items() if why}


def _present_earlier(spells: ir.Table) -> ir.Table:
    """Return the spells in force a year before the last day known, or half of the time on record if that is less."""
    if "origin" not in spells.columns:
        return spells
    since = spells["origin"].cast("date").epoch_days()
    begin, end = since + spells["entry"], since + spells["exit"]
    first, last = (day.cast("float64") for day in (begin.min().over(), end.max().over()))
    dated = spells.mutate(_day=ibis.greatest(last - DAYS_A_YEAR, (first + last) / 2), _begin=begin, _end=end)
    return dated.filter(dated["_begin"] <= dated["_day"], dated["_day"] < dated["_end"])


def _with_left(spells: ir.Table, left_ever: Rows | None) -> ir.Table:
    if left_ever is None or "customer_id" not in spells.columns:
        return spells.mutate(_left=is_event(spells).ifelse(1, 0))
    ends = as_table(left_ever).select("customer_id").distinct().mutate(_ended=1)
    left = ends["_ended"].fill_null(0)
    return spells.left_join(ends, "customer_id").select(*spells.columns, _left=left)


def _reduce_left(spells: ir.Table, term: str) -> ir.Table:
    """Count by level of a term the spells, and of how many the customer has left."""
    value = spells[term].cast("float64") if spells[term].type().is_decimal() else spells[term]
    return spells.group_by(**{term: value}).aggregate(n=spells.count(), left=spells["_left"].sum())


def _reduce_levels(spells: ir.Table, terms: Sequence[str]) -> ir.Table:
    """Count the levels of each term, the missing one too, and the ends."""
    counted = {name: spells[name].nunique() + spells[name].isnull().ifelse(1, 0).max().coalesce(0) for name in terms}
    return spells.aggregate(**counted, _events=spells["event"].cast("int64").sum().coalesce(0))


def _told(table: ir.Table, kept: list[str], cuts: Sequence[float], confidence: float) -> pd.DataFrame:
    try:
        model = hazard_model(table, kept, cuts=cuts, confidence=confidence)
    except NotSettledError:
        return pd.DataFrame({"term": kept, "status": TOO_FEW}).reindex(columns=_TERMS)
    return _compared(model, _numbers(table, kept), confidence).sort_values(
        ["ratio", "term"], ascending=[False, True], ignore_index=True
    )[_TERMS]


def _compared(model: HazardModel, numbers: Collection[str], confidence: float) -> pd.DataFrame:
    """Return one row a level but the base, those of ``numbers`` as such; levels that have no ratio say why."""
    levels = model.levels.set_index(["term", "level"])
    bases = model.levels[model.levels["status"] == "base"].set_index("term")["level"]
    found = model.terms.join(levels[["spells", "status"]], on=["term", "level"]).rename(columns={"spells": "n"})
    without = found["status"].map(_WITHOUT)
    status = without.where(without.notna() | (found["n"] >= SMALL_CELL), SMALL).fillna(COMPUTED)
    is_told = status == COMPUTED
    ends = ["ratio", "low", "high", "p", "p_holm"]
    told = found[ends].where(is_told)
    verdict = _verdicts(told["ratio"], told["p_holm"], confidence)
    named = found.assign(base=found["term"].map(bases))
    for name in ("level", "base"):
        named[name] = [
            float(level) if term in numbers and level != MISSING else level
            for term, level in zip(named["term"], named[name], strict=True)
        ]
    return named.assign(**told, verdict=pd.array(verdict, dtype="str"), status=pd.array(status, dtype="str"))


def _verdicts(ratios: pd.Series, p_holm: pd.Series, confidence: float) -> list[str | None]:
    return [
        None if pd.isna(ratio) else ("up" if ratio > 1 else "down") if p < 1 - confidence else "within noise"
        for ratio, p in zip(ratios, p_holm, strict=True)
    ]


def _numbers(table: ir.Table, terms: Sequence[str]) -> set[str]:
    """Return the terms whose levels are numbers with decimals."""
    return {name for name in terms if table[name].type().is_floating() or table[name].type().is_decimal()}
