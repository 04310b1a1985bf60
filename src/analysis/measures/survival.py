"""Survival: how long spells last. Kaplan-Meier curves, their quantiles and the log-rank test.

Beside them stand restricted means and the incidence of each cause, from modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.competing import cumulative_incidence
from analysis.measures.frames import Rows, as_table, names, require
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.risk_sets import RiskSets, best_stretch, leaving, risk_sets
from analysis.measures.rmst import rmst

__all__ = [
    "LogRank",
    "cumulative_incidence",
    "logrank",
    "median_survival",
    "rmst",
    "survival_at",
    "survival_curve",
    "unbroken",
]

_STEP = ["survival", "se", "low", "high"]
_ROUNDING = 1e-12
"""9/10 · 8/9 · 7/8 · 6/7 · 5/6 comes out in the 16th digit above one half."""
_NONE_LEFT = 1e-9
"""Share of a group's variance that is left only by rounding."""


def survival_curve(
    spells: Rows, *, by: str | Sequence[str] = (), confidence: float = 0.95, from_time: float | None = None
) -> pd.DataFrame:
    """Return the Kaplan-Meier curve: the share that lasts beyond each time, given that it lasted to ``from_time``.

    Columns in: ``entry, exit`` (non-negative numbers in one unit), ``event`` (0 or 1) and those of ``by``. Spells of
    length zero are left out.

    Columns out, one row a group and time at which a spell ended or was lost from sight, sorted by both: ``time`` (unit
    of exit), ``at_risk, events, survival``, ``se`` (Greenwood), ``low, high`` (log-log; both 1 while survival is 1; se
    and both ends missing once it is 0). The curve is 1 from ``from_time``, by default the smallest entry, to the first
    row. ``attrs``: ``n`` spells read, ``zero_length`` of them left out, ``from_time``.

    Raises MeasureError for an absent column, values outside their domain, and where a group has nobody left at risk
    before later spells of it begin (late entry): the message names a ``from_time`` from which there is a curve.
    Source: Kaplan and Meier (1958), JASA 53, 457-481; Klein and Moeschberger, Survival Analysis (2003), 4.2 to 4.6.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 2, 3], "event": [1, 1, 0, 1]})
    >>> survival_curve(ledger).round(3)
       time  at_risk  events  survival     se    low   high
    0     1        4       1      0.75  0.217  0.128  0.961
    1     2        3       1      0.50  0.250  0.058  0.845
    2     3        1       1      0.00    NaN    NaN    NaN
    """
    z = normal_quantile(confidence, "survival_curve")
    return _curve(risk_sets("survival_curve", spells, names(by)), z, from_time)


def unbroken(spells: Rows, *, by: str | Sequence[str] = ()) -> ir.Table:
    """Return the spells of the stretch of time on which most rests, as a lazy Ibis table: they have a curve.

    By late entry nobody may be left at risk before later spells begin, as where one customer was given a placeholder
    of 1900 as the first day. No curve leads across such a gap. Of the stretches between gaps that with most ends is
    kept, of several that with most spells, then the first; spells outside it are left out. With ``by`` the same is done
    of all groups together and then of each: all are watched from the time after which most ends lie before the next gap
    of their group, so their curves can be compared. Without a gap all spells are kept as they are.

    Columns in and Raises: as for :func:`survival_curve`. Columns out: the same, ``entry`` not before that time.

    >>> unbroken(pd.DataFrame({"entry": [0, 1, 700], "exit": [3, 9, 704], "event": 1})).execute()
       entry  exit  event
    0      0     3      1
    1      1     9      1
    """
    table, groups = as_table(spells), names(by)
    table = unbroken(table) if groups else table
    sets = risk_sets("unbroken", table, groups)
    best = best_stretch(sets)
    return table if best is None else _within(table, sets.labels, *best)


def survival_at(curve: pd.DataFrame, times: ArrayLike, *, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """Read curves of :func:`survival_curve` at given times.

    Columns out, one row a group and time, sorted: ``time, survival, se, low, high``, the step in force at the time: 1
    before the first row, missing after the last row of a curve that has not come down to 0.

    Raises MeasureError for an absent column, and for a curve of several groups without their names in ``by``.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 2, 3], "event": [1, 1, 0, 0]})
    >>> survival_at(survival_curve(ledger), [0.5, 2.5, 9])["survival"].tolist()
    [1.0, 0.5, nan]
    """
    groups = list(names(by))
    _check_curve("survival_at", curve, groups)
    steps = curve.assign(_group=_codes(curve, groups), time=curve["time"].astype(float))
    last = steps.groupby("_group").tail(1)[[*groups, "_group", "time"]].rename(columns={"time": "_last"})
    asked = last.merge(pd.DataFrame({"time": np.unique(np.asarray(times, dtype=float))}), how="cross")
    found = pd.merge_asof(
        asked.sort_values("time"), steps[["_group", "time", *_STEP]].sort_values("time"), on="time", by="_group"
    ).sort_values(["_group", "time"], ignore_index=True)
    found.loc[found["survival"].isna(), _STEP] = [1.0, 0.0, 1.0, 1.0]
    found.loc[(found["time"] > found["_last"]) & (found["survival"] > 0), _STEP] = np.nan
    return found[[*groups, "time", *_STEP]]


def median_survival(curve: pd.DataFrame, *, by: str | Sequence[str] = (), quantile: float = 0.5) -> pd.DataFrame:
    """Return the time by which a curve of :func:`survival_curve` has come down to ``quantile``: the median.

    Columns out, one row a group, sorted: ``events``, on which the curve rests; ``median``, the smallest time with
    survival <= quantile; ``low, high``, the smallest times at which the lower and the upper end of the band are
    <= quantile. What is not reached is missing.

    Raises MeasureError for an absent column, a quantile outside 0 to 1, and for a curve of several groups without
    their names in ``by``.
    Source: Brookmeyer and Crowley (1982), Biometrics 38, 29-41.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 2, 3], "event": [1, 1, 0, 1]})
    >>> median_survival(survival_curve(ledger))
       events  median  low  high
    0       3     2.0  1.0   NaN
    """
    groups = list(names(by))
    if not 0 < quantile < 1:
        raise MeasureError("median_survival", f"quantile is {quantile}", "Give a share between 0 and 1, such as 0.5")
    _check_curve("median_survival", curve, groups)
    rows = curve[[*groups, "events"]].assign(_group=_codes(curve, groups))
    for name, end in (("median", "survival"), ("low", "low"), ("high", "high")):
        rows[name] = curve["time"].astype(float).where(curve[end] <= quantile + _ROUNDING)
    found = rows.groupby("_group").agg({"events": "sum", "median": "min", "low": "min", "high": "min"})
    return rows[[*groups, "_group"]].drop_duplicates().merge(found, on="_group").drop(columns="_group")


@dataclass(frozen=True)
class LogRank:
    """A log-rank test on ``n`` spells less those of ``zero_length``.

    ``chi2`` and ``p_value`` are missing, and ``df`` is 0, where no two groups met at an event.
    """

    chi2: float
    df: int
    p_value: float
    n: int
    zero_length: int


def logrank(spells: Rows, *, by: str | Sequence[str]) -> LogRank:
    """Test whether the spells of all groups end at the same rates: log-rank, unweighted, hypergeometric variance.

    Columns in: ``entry, exit, event`` as for :func:`survival_curve`, and those of ``by``, whose missing values are a
    group of their own. Raises MeasureError for an absent column and values outside their domain.
    Source: Klein and Moeschberger, Survival Analysis (2003), 7.3.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 3, 4], "event": 1, "plan": ["a", "a", "b", "b"]})
    >>> test = logrank(ledger, by="plan")  # a: 2 events, 1/2 + 1/3 expected, variance 1/4 + 2/9
    >>> round(test.chi2, 3), test.df, round(test.p_value, 3)
    (2.882, 1, 0.09)
    """
    sets = risk_sets("logrank", spells, names(by))
    times, row = np.unique(sets.time, return_inverse=True)
    moved, events = np.zeros((2, len(times), len(sets.labels)))
    moved[row, sets.code], events[row, sets.code] = sets.entered - sets.left, sets.ended
    at_risk = np.cumsum(moved, axis=0) - moved
    has_event = events.any(axis=1)
    return LogRank(*_chi2(at_risk[has_event], events[has_event]), sets.n, sets.zero_length)


def _curve(sets: RiskSets, z: float, from_time: float | None) -> pd.DataFrame:
    """Add to the times at which spells left survival, Greenwood's error and the ends on log(-log(survival))."""
    sets = leaving("survival_curve", sets, from_time)
    survival, missing = sets.survival(), np.full(len(sets.code), np.nan)
    root = np.sqrt(sets.accumulate(np.add, sets.greenwood(np.nan)))
    log = np.log(survival, out=missing, where=survival > 0)
    factor = np.exp(np.divide(z * root, -log, out=np.zeros(len(log)), where=log != 0))
    ends = {"low": np.exp(log * factor), "high": np.exp(log / factor)}
    return sets.frame(at_risk=sets.at_risk, events=sets.ended, survival=survival, se=survival * root, **ends)


def _within(table: ir.Table, labels: pd.DataFrame, from_time: float, until: Floats) -> ir.Table:
    """Return the spells from ``from_time`` to a time of each group (-1 where it has none), watched from then on."""
    last = ibis.literal(until.max())
    if len(labels.columns):
        cases = zip(labels.itertuples(index=False, name=None), until.tolist(), strict=True)
        last = ibis.cases(*((_is_group(table, labels, values), end) for values, end in cases), else_=-1.0)
    kept = table.filter(table["exit"] > from_time, table["exit"] <= last)
    return kept.mutate(entry=ibis.greatest(kept["entry"], from_time))


def _is_group(table: ir.Table, labels: pd.DataFrame, values: tuple[object, ...]) -> ir.BooleanValue:
    named = zip(labels, values, strict=True)
    return ibis.and_(*(table[name].isnull() if pd.isna(value) else table[name] == value for name, value in named))


def _codes(frame: pd.DataFrame, groups: Sequence[str]) -> NDArray[np.int64]:
    """Return each row's group, as numbers in the order in which the groups appear."""
    if not groups:
        return np.zeros(len(frame), dtype=np.int64)
    return np.asarray(frame.groupby(list(groups), dropna=False, sort=False).ngroup(), dtype=np.int64)


def _chi2(at_risk: Floats, events: Floats) -> tuple[float, int, float]:
    """Return chi2, df and p from matrices of event times by groups."""
    all_at_risk, all_events = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / all_at_risk[:, None]
    weight = all_events * (all_at_risk - all_events) / np.maximum(all_at_risk - 1, 1)
    excess = (events - share * all_events[:, None]).sum(axis=0)
    shared = share.T @ (weight[:, None] * share)
    np.fill_diagonal(shared, 0)
    variance = np.diag(shared.sum(axis=1)) - shared  # rows that sum to 0, so that rounding adds no degree of freedom
    met = np.flatnonzero(variance.diagonal() > 0)
    if not len(met):
        return np.nan, 0, np.nan
    deviation = np.sqrt(variance.diagonal()[met])
    roots, vectors = np.linalg.eigh(variance[np.ix_(met, met)] / np.outer(deviation, deviation))
    held = roots > _NONE_LEFT
    chi2 = float((((excess[met] / deviation) @ vectors[:, held]) ** 2 / roots[held]).sum())
    return chi2, int(held.sum()), float(special.chdtrc(held.sum(), chi2))


def _check_curve(measure: str, curve: pd.DataFrame, groups: list[str]) -> None:
    require(measure, curve, [*groups, "time", "events", *_STEP])
    if curve.duplicated([*groups, "time"]).any():
        raise MeasureError(measure, "the curve has several rows at the same time", "Name its groups in by")
