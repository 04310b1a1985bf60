"""What goes with leaving: the hazard ratios of the attributes on record, as far as there are leavers enough to tell."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import pandas as pd

from analysis.errors import NotSettledError
from analysis.measures.frames import Rows, as_table, check_confidence, names
from analysis.measures.hazards import hazard_model

CUTS_DAYS = (90, 365, 730)
"""Ends of the intervals within which the hazard is taken as constant."""
MOST_LEVELS = 20
FEWEST_EVENTS = 10
"""Ends a level must have on the average for the ratios to be told."""

COMPUTED = "computed"
TOO_FEW = "too few ends"
ONE_LEVEL = "one level only"
TOO_MANY = "too many levels"

_TERMS = ["term", "level", "base", "ratio", "low", "high", "p", "p_holm", "n", "verdict", "status"]


def drivers(
    spells: Rows, covariates: str | Sequence[str], *, cuts: Sequence[float] = CUTS_DAYS, confidence: float = 0.95
) -> pd.DataFrame:
    """Compare how fast customers leave by attribute, other attributes and the length of the stay equal.

    Attributes with one level, or with more than 20, are named and left out; with fewer than 10 ends a level compared,
    nothing is told. What goes with leaving need not cause it.

    Columns in: entry, exit, event, the covariates (those that are not there are passed over). Columns out: term,
    level, base (the level it is compared with), ratio (of hazards), low, high, p, p_holm (over all levels), n (spells
    of the level), verdict (up: leaves more often; down; within noise), status (computed, or why a term has no ratio).
    One row a level but the base, the largest ratio first, then what was left out.

    Raises MeasureError where a needed column is absent or holds impossible values, or the confidence is not between 0
    and 1.
    Source: see ``hazards.hazard_model``; Holm (1979), Scandinavian Journal of Statistics 6, 65-70; ten events a
    parameter: Peduzzi and others (1995), Journal of Clinical Epidemiology 48, 1503-1510.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [100, 200, 300, 400] * 20, "event": [1, 1, 1, 0] * 20})
    >>> found = drivers(ledger.assign(plan=["a", "a", "b", "b"] * 20), "plan")
    >>> found[["term", "level", "base", "verdict", "status"]]
       term level base verdict    status
    0  plan     b    a    down  computed
    """
    check_confidence("drivers", confidence)
    table = as_table(spells)
    terms = [name for name in names(covariates) if name in table.columns]
    levels = {name: int(count) for name, count in _reduce_levels(table, terms).execute().iloc[0].items()}
    left_out = {name: ONE_LEVEL for name in terms if levels[name] < 2}
    left_out |= {name: TOO_MANY for name in terms if levels[name] > MOST_LEVELS}
    kept = [name for name in terms if name not in left_out]
    parameters = sum(levels[name] - 1 for name in kept)
    if levels["_events"] < FEWEST_EVENTS * max(parameters, 1):
        left_out |= dict.fromkeys(kept, TOO_FEW)
        kept = []
    parts = [_told(table, kept, cuts, confidence)] if kept else []
    without = pd.DataFrame({"term": list(left_out), "status": list(left_out.values())}, dtype="str")
    return pd.concat([*parts, without.reindex(columns=_TERMS)], ignore_index=True)


def _reduce_levels(spells: ir.Table, terms: Sequence[str]) -> ir.Table:
    """Count the levels of each term, the missing one too, and the ends."""
    counted = {name: spells[name].nunique() + spells[name].isnull().ifelse(1, 0).max().coalesce(0) for name in terms}
    return spells.aggregate(**counted, _events=spells["event"].cast("int64").sum().coalesce(0))


def _told(table: ir.Table, kept: list[str], cuts: Sequence[float], confidence: float) -> pd.DataFrame:
    try:
        model = hazard_model(table, kept, cuts=cuts, confidence=confidence)
    except NotSettledError:
        return pd.DataFrame({"term": kept, "status": TOO_FEW}).reindex(columns=_TERMS)
    bases = model.levels[model.levels["status"] == "base"].set_index("term")["level"]
    spells = model.levels.set_index(["term", "level"])["spells"]
    terms = model.terms[model.terms["ratio"].notna()].reset_index(drop=True)
    beyond = terms["p_holm"] < 1 - confidence
    verdict = [
        ("up" if ratio > 1 else "down") if differs else "within noise"
        for ratio, differs in zip(terms["ratio"], beyond, strict=True)
    ]
    terms = terms.assign(
        base=terms["term"].map(bases),
        n=[int(spells[pair]) for pair in zip(terms["term"], terms["level"], strict=True)],
        verdict=pd.array(verdict, dtype="str"),
        status=COMPUTED,
    )
    return terms.sort_values(["ratio", "term"], ascending=[False, True], ignore_index=True)[_TERMS]
