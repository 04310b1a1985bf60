"""What ten points of Net Promoter Score go with: leaving after the answer, and value. Association, no more than that.

Ten points are a tenth of the way from passive to promoter, or from detractor to passive: one customer in ten moves up.
Who is content may stay and buy for reasons of their own, so nothing here says what would come of raising the score.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import special

from analysis.measures.answers import Scale, check_nps_scale, checked, executed, off_scale
from analysis.measures.covariates import Linear
from analysis.measures.frames import Rows, as_table, check_confidence, require
from analysis.measures.hazards import hazard_model
from analysis.measures.inference import two_sided
from analysis.measures.person_time import cuts_at_events

MEASURE = "feedback_value"
TEN_POINTS = 0.1
"""Of the step from one group to the next, which is 100 points for a customer."""

_LEAST = 10
"""Ends of spells, and customers in a group, below which nothing is estimated."""
_INTERVALS = 10
_YEAR = 365.25
_COLUMNS = ("promoters", "detractors", "estimate", "low", "high", "p")


def feedback_value(
    answers: Rows, spells: Rows, values: Rows, *, scale: Scale, confidence: float = 0.95
) -> pd.DataFrame:
    """Say what ten points of NPS go with in leaving after the answer, and in value.

    Leaving: the hazard ratio of spells from an answer to the next one or the end, by promoter (9 and more), passive or
    detractor (6 and less), on tenure. An answer counts from its day on, so none is explained by what came before it.
    Value: the difference of mean expected_value between promoters and detractors, by the latest answer, scaled from
    the 200 points between them to ten.

    Columns in: of answers customer_id, answered_at, nps; of spells customer_id, origin, entry, exit, event, as
    ``spells`` gives them; of values customer_id, expected_value. Rows without one of them are left out.

    Columns out: outcome (leaving, value), unit (ratio, money), promoters, detractors (ends a year under contract; mean
    value), estimate, low, high, p (for ten points more), n (answers; customers), events (ends of spells; missing).
    Estimates are missing where fewer than 10 spells ended, or 10 promoters or detractors have a value.

    Raises MeasureError where a column is absent, an answer lies off the scale, or a spell is not sound.
    Source: Cox (1972), Journal of the Royal Statistical Society B 34, 187-220, for covariates that change in time;
    Welch (1947), Biometrika 34, 28-35.

    >>> days = pd.Timestamp("2025-01-01") + pd.to_timedelta(range(0, 120, 3), unit="D")
    >>> said = pd.DataFrame({"customer_id": range(40), "answered_at": days, "nps": [10, 3] * 20})
    >>> known = pd.DataFrame({"customer_id": range(40), "origin": pd.Timestamp("2024-01-01"), "entry": 0})
    >>> known = known.assign(exit=[900, 700] * 20, event=[0, 1] * 20)
    >>> worth = pd.DataFrame({"customer_id": range(40), "expected_value": [300.0, 100.0, 500.0, 140.0] * 10})
    >>> found = feedback_value(said, known, worth, scale=(0, 10))
    >>> found.loc[found["outcome"] == "value", ["promoters", "detractors", "estimate", "low", "high"]].round(1)
       promoters  detractors  estimate   low  high
    1      400.0       120.0      14.0  11.6  16.4
    """
    check_confidence(MEASURE, confidence)
    check_nps_scale(MEASURE, scale)
    given = checked(MEASURE, answers, "nps", ("customer_id", "answered_at"))
    _refuse_off_scale(given, scale)
    placed = _placed(given)
    watched = as_table(spells)
    require(f"{MEASURE}, spells", watched, ("customer_id", "origin", "entry", "exit", "event"))
    worth = as_table(values)
    require(f"{MEASURE}, values", worth, ("customer_id", "expected_value"))
    rows = [_leaving(_after(placed, watched), confidence), _value(_reduce_value(placed, worth), confidence)]
    return pd.DataFrame(rows)[["outcome", "unit", *_COLUMNS, "n", "events"]]


def _refuse_off_scale(given: ir.Table, scale: Scale) -> None:
    counts = given.aggregate(n=given["nps"].count(), **off_scale(given["nps"].cast("float64"), scale))
    executed(MEASURE, counts, scale, ())


def _placed(given: ir.Table) -> ir.Table:
    """One row a customer and day with an answer, the latest of the day: day, position (-1, 0, 1), until (next day)."""
    score = given["nps"].cast("float64")
    rows = given.select(
        "customer_id", "answered_at", day=given["answered_at"].cast("date").epoch_days(), score=score
    ).filter(given["customer_id"].notnull(), given["answered_at"].notnull(), score.notnull(), ~score.isnan())
    of_day = ibis.window(group_by=["customer_id", "day"], order_by=[rows["answered_at"].desc(), rows["score"]])
    rows = rows.mutate(_place=ibis.row_number().over(of_day))
    rows = rows.filter(rows["_place"] == 0)
    following = rows["day"].lead().over(ibis.window(group_by="customer_id", order_by="day"))
    position = ibis.cases((rows["score"] >= 9, 1.0), (rows["score"] <= 6, -1.0), else_=0.0)
    return rows.select("customer_id", "day", position=position, until=following)


def _after(placed: ir.Table, spells: ir.Table) -> ir.Table:
    """One row an answer given within a spell: entry, exit, event from its day to the next answer's, and position."""
    side = spells.select(
        _key=spells["customer_id"],
        _begin=spells["origin"].cast("date").epoch_days(),
        entry=spells["entry"],
        _exit=spells["exit"],
        _event=spells["event"].cast("int64"),
    )
    joined = placed.join(side, placed["customer_id"] == side["_key"])
    entry, end = joined["day"] - joined["_begin"], joined["until"] - joined["_begin"]
    joined = joined.filter(entry >= joined["entry"], entry < joined["_exit"])
    is_asked_again = (joined["until"] - joined["_begin"] < joined["_exit"]).fill_null(False)
    return joined.select(
        "customer_id",
        "position",
        entry=joined["day"] - joined["_begin"],
        exit=is_asked_again.ifelse(end, joined["_exit"]),
        event=is_asked_again.ifelse(0, joined["_event"]),
    )


def _reduce_leaving(after: ir.Table) -> ir.Table:
    return after.group_by("position").aggregate(
        n=after.count(), events=after["event"].sum(), days=(after["exit"] - after["entry"]).sum()
    )


def _leaving(after: ir.Table, confidence: float) -> dict[str, object]:
    groups = _reduce_leaving(after).execute().set_index("position").reindex([-1.0, 0.0, 1.0]).fillna(0)
    rates = _YEAR * groups["events"] / groups["days"].where(groups["days"] > 0)
    row: dict[str, object] = dict.fromkeys(_COLUMNS, np.nan)
    row |= {"outcome": "leaving", "unit": "ratio", "promoters": rates[1.0], "detractors": rates[-1.0]}
    row |= {"n": int(groups["n"].sum()), "events": float(groups["events"].sum())}
    if groups["events"].sum() < _LEAST or (groups["events"] > 0).sum() < 2:
        return row
    cuts = cuts_at_events(after, intervals=_INTERVALS)
    model = hazard_model(after, Linear("position"), cuts=cuts, confidence=confidence)
    term = model.terms.iloc[0]
    return row | {
        "estimate": term["ratio"] ** TEN_POINTS,
        "low": term["low"] ** TEN_POINTS,
        "high": term["high"] ** TEN_POINTS,
        "p": term["p"],
    }


def _reduce_value(placed: ir.Table, values: ir.Table) -> ir.Table:
    """Reduce to one row a position, by each customer's latest answer: n, total and squares of expected_value."""
    latest = placed.filter(placed["until"].isnull())
    money = values["expected_value"].cast("float64")
    side = values.select(_key=values["customer_id"], money=money).filter(money.notnull(), ~money.isnan())
    joined = latest.join(side, latest["customer_id"] == side["_key"])
    return joined.group_by("position").aggregate(
        n=joined.count(), mean=joined["money"].mean(), variance=joined["money"].var(how="sample")
    )


def _value(reduced: ir.Table, confidence: float) -> dict[str, object]:
    groups = reduced.execute().set_index("position").reindex([-1.0, 0.0, 1.0])
    n, mean = groups["n"].fillna(0), groups["mean"]
    row: dict[str, object] = dict.fromkeys(_COLUMNS, np.nan)
    row |= {"outcome": "value", "unit": "money", "promoters": mean[1.0], "detractors": mean[-1.0]}
    row |= {"n": int(n[1.0] + n[-1.0]), "events": np.nan}
    if min(n[1.0], n[-1.0]) < _LEAST:
        return row
    parts = (groups["variance"] / n)[[-1.0, 1.0]]
    df = parts.sum() ** 2 / (parts**2 / (n[[-1.0, 1.0]] - 1)).sum() if parts.sum() > 0 else np.inf
    difference, se = mean[1.0] - mean[-1.0], np.sqrt(parts.sum())
    half = se * (special.stdtrit(df, (1 + confidence) / 2) if np.isfinite(df) else 0.0)
    p = 2 * special.stdtr(df, -abs(difference) / se) if se > 0 else float(two_sided(np.inf if difference else 0.0))
    ends = {"estimate": difference, "low": difference - half, "high": difference + half}
    return row | {name: value * TEN_POINTS / 2 for name, value in ends.items()} | {"p": float(p)}
