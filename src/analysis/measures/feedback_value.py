"""What ten points of Net Promoter Score go with: leaving after the answer, and value. Association, no more than that.

Ten points are a tenth of the way from passive to promoter, or from detractor to passive: one customer in ten moves up.
Who is content may stay and buy for reasons of their own, so nothing here says what would come of raising the score.
"""

from __future__ import annotations

from collections.abc import Mapping

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
"""The share of customers who, moving up a step, from one group to the next, add ten points to the score."""

LEAST = 10
"""Ends of spells, promoters and detractors below which nothing is estimated."""
_INTERVALS = 10
_YEAR = 365.25
_COLUMNS = ("promoters", "detractors", "estimate", "low", "high", "p")
_COUNTS = ("n", "customers", "events", "first", "last")


def feedback_value(
    answers: Rows, spells: Rows, values: Rows, *, scale: Scale, confidence: float = 0.95
) -> pd.DataFrame:
    """Say what ten points of NPS go with in leaving after the answer, and in value.

    Leaving: the hazard ratio by promoter (9 and more), passive or detractor (6 and less), one factor for each step, on
    tenure and on nothing else. An answer within a spell counts from the day after it to the day of the next one or the
    end, so none tells of what came before it, an answer on the last day of nothing, and nobody is watched for having
    stayed until asked. Value: the difference of mean expected_value between promoters and detractors, by the latest
    answer, scaled from the 200 points between them to ten; who has no value any more is not among them.

    Columns in: of answers customer_id, answered_at, nps; of spells customer_id, origin, entry, exit, event, as
    ``spells`` gives them; of values customer_id, expected_value. Rows without one of them are left out.

    Columns out: outcome (leaving, value), unit (ratio, money), promoters, detractors (ends a year under contract; mean
    value), estimate, low, high, p (for ten points more), n (answers of promoters, passives and detractors; customers
    who are promoters or detractors), customers, events (ends of spells; missing), first, last (days of answers used).
    All but the counts and days is missing where promoters or detractors are fewer than 10 customers, or, for leaving,
    fewer than 10 spells ended or all from one group.

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
    return pd.DataFrame(rows)[["outcome", "unit", *_COLUMNS, *_COUNTS]]


def feedback_if_asked(
    tables: Mapping[str, Rows], spells: Rows, values: Rows, *, scales: Mapping[str, Scale], confidence: float = 0.95
) -> pd.DataFrame:
    """Return ``feedback_value`` of the surveys among ``tables``; without rows where they say not who answered what.

    ``scales`` by column: without one of ``nps`` nothing was asked.
    """
    asked = as_table(tables["surveys"]) if "surveys" in tables else None
    if asked is None or "nps" not in scales or not {"customer_id", "answered_at", "nps"} <= set(asked.columns):
        return pd.DataFrame(columns=["outcome", "unit", *_COLUMNS, *_COUNTS])
    return feedback_value(asked, spells, values, scale=scales["nps"], confidence=confidence)


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
    """One row an answer given within a spell: entry, exit, event from the day after it to the next one's, position."""
    side = spells.select(
        _key=spells["customer_id"],
        # who leaves on the day of an answer may have left before giving it: it counts from the day after
        _begin=spells["origin"].cast("date").epoch_days() - 1,
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
        "day",
        entry=joined["day"] - joined["_begin"],
        exit=is_asked_again.ifelse(end, joined["_exit"]),
        event=is_asked_again.ifelse(0, joined["_event"]),
    )


def _reduce_leaving(after: ir.Table) -> ir.Table:
    """Reduce to one row a position: n, customers, events, days watched, first and last day of an answer."""
    return after.group_by("position").aggregate(
        n=after.count(),
        customers=after["customer_id"].nunique(),
        events=after["event"].sum(),
        days=(after["exit"] - after["entry"]).sum(),
        first=after["day"].min(),
        last=after["day"].max(),
    )


def _leaving(after: ir.Table, confidence: float) -> dict[str, object]:
    groups = _by_position(_reduce_leaving(after))
    customers = int(after["customer_id"].nunique().execute())
    row = _row("leaving", "ratio", groups, customers) | {"events": float(groups["events"].sum())}
    ended = groups["events"]
    if _is_few(groups["customers"]) or ended.sum() < LEAST or (ended > 0).sum() < 2:
        return row
    rates = _YEAR * groups["events"] / groups["days"]
    model = hazard_model(
        after, Linear("position"), cuts=cuts_at_events(after, intervals=_INTERVALS), confidence=confidence
    )
    term = model.terms.iloc[0]
    row |= {"promoters": rates[1.0], "detractors": rates[-1.0], "p": term["p"]}
    ends = {"estimate": "ratio", "low": "low", "high": "high"}
    # One in ten moves up a step, so the rate of all is that of nine as they are and one at the rate of the step above.
    return row | {name: 1 - TEN_POINTS * (1 - term[of]) for name, of in ends.items()}


def _by_position(reduced: ir.Table) -> pd.DataFrame:
    return reduced.execute().set_index("position").reindex([-1.0, 0.0, 1.0])


def _row(outcome: str, unit: str, groups: pd.DataFrame, customers: int) -> dict[str, object]:
    """Return what is known of the answers, however few they are."""
    row: dict[str, object] = dict.fromkeys((*_COLUMNS, "events"), np.nan)
    row |= {"outcome": outcome, "unit": unit, "n": int(groups["n"].sum()), "customers": customers}
    days = {"first": groups["first"].min(), "last": groups["last"].max()}
    return row | {
        name: pd.NaT if pd.isna(day) else pd.Timestamp(0) + pd.Timedelta(days=day) for name, day in days.items()
    }


def _is_few(customers: pd.Series) -> bool:
    return bool(customers.fillna(0)[[-1.0, 1.0]].min() < LEAST)


def _reduce_value(placed: ir.Table, values: ir.Table) -> ir.Table:
    """Reduce to one row, promoters and detractors, by each customer's latest answer: n, mean, variance, first, last."""
    latest = placed.filter(placed["until"].isnull(), placed["position"] != 0)
    money = values["expected_value"].cast("float64")
    side = values.select(_key=values["customer_id"], money=money).filter(money.notnull(), ~money.isnan())
    joined = latest.join(side, latest["customer_id"] == side["_key"])
    return joined.group_by("position").aggregate(
        n=joined.count(),
        mean=joined["money"].mean(),
        variance=joined["money"].var(how="sample"),
        first=joined["day"].min(),
        last=joined["day"].max(),
    )


def _value(reduced: ir.Table, confidence: float) -> dict[str, object]:
    groups = _by_position(reduced)
    n, mean = groups["n"], groups["mean"]
    row = _row("value", "money", groups, int(n.sum()))
    if _is_few(n):
        return row
    parts = (groups["variance"] / n)[[-1.0, 1.0]]
    df = parts.sum() ** 2 / (parts**2 / (n[[-1.0, 1.0]] - 1)).sum() if parts.sum() > 0 else np.inf
    difference, se = mean[1.0] - mean[-1.0], np.sqrt(parts.sum())
    half = se * (special.stdtrit(df, (1 + confidence) / 2) if np.isfinite(df) else 0.0)
    p = 2 * special.stdtr(df, -abs(difference) / se) if se > 0 else float(two_sided(np.inf if difference else 0.0))
    row |= {"promoters": mean[1.0], "detractors": mean[-1.0], "p": float(p)}
    ends = {"estimate": difference, "low": difference - half, "high": difference + half}
    return row | {name: value * TEN_POINTS / 2 for name, value in ends.items()}
