"""Satisfaction along the customer's journey: by survey, channel and time since the first purchase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.answers import Scale
from analysis.measures.comparison import Measure, against_rest
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.inference import holm, verdicts
from analysis.measures.levels import level
from analysis.measures.ratings import Easy

STAGES = ("before", "first month", "months 2 and 3", "months 4 to 12", "second year", "later")
"""Stages of the journey, by the days since the first purchase: under 0, 31, 92, 366, 731, and more."""

_ENDS = (0, 31, 92, 366, 731)
_COLUMNS = ["kind", "touchpoint", "measure", "n", "value", "low", "high"]
_TESTED = ["difference", "p", "p_holm", "verdict", "family"]


def journey_stage(answers: Rows, transactions: Rows | None) -> ir.Table:
    """Add to each answer how long after the customer's first purchase it was given, as a stage of the journey.

    Without transactions, or without customer_id and answered_at, the answers stay as they are.

    Columns in: answers with customer_id and answered_at, transactions with customer_id, date, revenue (returns, with
    0 or less, are no purchase). Columns out: those of the answers and stage (see STAGES; missing where the customer
    has bought nothing or the answer has no time).

    Raises MeasureError where a column of the transactions is absent.
    Source: none; the ends of the stages are the kit's own.

    >>> answers = pd.DataFrame({"customer_id": ["a"], "answered_at": pd.to_datetime(["2026-02-20"]), "nps": [9]})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "date": pd.to_datetime(["2026-01-02"]), "revenue": [20.0]})
    >>> journey_stage(answers, orders).execute()["stage"].tolist()
    ['months 2 and 3']
    """
    given = as_table(answers)
    if transactions is None or not {"customer_id", "answered_at"} <= set(given.columns):
        return given
    orders = as_table(transactions)
    require("journey_stage", orders, ("customer_id", "date", "revenue"))
    bought = orders.filter(orders["revenue"] > 0)
    first = bought.aggregate(by="customer_id", _first=bought["date"].cast("date").min())
    given = given.drop("stage") if "stage" in given.columns else given
    joined = given.left_join(first, "customer_id")
    days = joined["answered_at"].cast("date").epoch_days() - joined["_first"].epoch_days()
    stage = ibis.cases(*((days < end, name) for end, name in zip(_ENDS, STAGES, strict=False)), else_=STAGES[-1])
    return joined.select(*given.columns, stage=days.notnull().ifelse(stage, ibis.null("string")))


def touchpoints(
    answers: Rows,
    *,
    scales: Mapping[Measure, Scale],
    kinds: str | Sequence[str] = ("survey", "channel", "stage"),
    easy: Easy | None = None,
    top: int = 2,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure satisfaction at each touchpoint of the customer's journey, and say where it breaks.

    A touchpoint is a value of one of the columns ``kinds``; those that the answers lack are passed over. ``scales``
    says which measures are taken and on which scale; csat counts its ``top`` best ratings, for ces ``easy`` declares
    which end of the scale is easy. The journey
    breaks where a touchpoint is worse than all others together by more than chance; a column with one touchpoint only
    has nothing to compare and is passed over.

    Columns in: those of ``kinds`` that are there, nps, csat, ces as ``scales`` names them; where present also
    customer_id, survey, answered_at, response_id.

    Columns out: kind (the column), touchpoint, measure, n (answers), value, low, high (points for nps, share for
    csat, mean for ces), difference (to all other answers), p, p_holm (over all touchpoints of a measure), verdict,
    family (as ``compare``), breaks. One row a kind, touchpoint and measure; touchpoints under ``min_group`` answers
    are left out; stages in their order.

    Raises MeasureError where ces comes without ``easy``, and as the measures do.
    Source: as for nps, csat, ces and compare.

    >>> answers = pd.DataFrame({"channel": ["Chat"] * 30 + ["Laden"] * 30, "nps": [4] * 30 + [10] * 20 + [8] * 10})
    >>> touchpoints(answers, scales={"nps": (0, 10)})[["kind", "touchpoint", "value", "verdict", "breaks"]].round(1)
          kind touchpoint  value verdict  breaks
    0  channel       Chat -100.0    down    True
    1  channel      Laden   66.7      up   False
    """
    check_confidence("touchpoints", confidence)
    table, kinds = as_table(answers), names(kinds)
    rules = {"top": top, "min_group": min_group, "confidence": confidence}
    parts = [
        _touchpoints_of(table, kind, measure, scale, easy, rules)
        for kind in kinds
        if kind in table.columns
        for measure, scale in scales.items()
    ]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*_COLUMNS, *_TESTED, "breaks"])
    return _adjusted(found, easy, confidence)


def _adjusted(found: pd.DataFrame, easy: Easy | None, confidence: float) -> pd.DataFrame:
    """Adjust each p for all touchpoints of its measure: they are read together."""
    for measure, rows in found.groupby("measure", sort=False):
        p_holm = holm(rows["p"])
        worse = "up" if measure == "ces" and easy == "low" else "down"
        verdict = pd.Series(verdicts(rows["difference"], p_holm, confidence), rows.index, dtype="str")
        found.loc[rows.index, "p_holm"] = p_holm
        found.loc[rows.index, "verdict"] = verdict
        found.loc[rows.index, "breaks"] = verdict == worse
        found.loc[rows.index, "family"] = f"{measure}: {rows['p'].notna().sum()} touchpoints against the rest"
    return found


def _touchpoints_of(
    table: ir.Table, kind: str, measure: Measure, scale: Scale, easy: Easy | None, rules: Mapping[str, Any]
) -> pd.DataFrame:
    table = table.filter(table[kind].notnull())
    tested = against_rest(table, by=kind, scale=scale, measure=measure, **rules)
    asked = {name: rules[name] for name in ("top", "confidence")}
    found = level(table, measure, scale, by=kind, easy=easy, **asked).merge(tested[[kind, *_TESTED]], on=kind)
    found = found.rename(columns={kind: "touchpoint"}).assign(kind=kind, measure=measure)
    found = found.assign(breaks=False)[[*_COLUMNS, *_TESTED, "breaks"]]
    found = found[found["n"] >= rules["min_group"]] if len(found) > 1 else found.head(0)
    if kind != "stage":
        return found
    places = {stage: place for place, stage in enumerate(STAGES)}
    return found.sort_values("touchpoint", key=lambda stages: stages.map(places), ignore_index=True)
