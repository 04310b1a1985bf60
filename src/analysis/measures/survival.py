"""Survival: how long spells last. Kaplan-Meier curves, their quantiles and the log-rank test.

At risk at t are the spells with entry < t <= exit; at equal times events come before censorings. Times are grouped
by their exact value, never rounded. The engine counts spells by value; all inference is on those counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.spells import is_event, is_sound, refuse_faulty

Floats: TypeAlias = NDArray[np.float64]

_STEP = ["survival", "se", "low", "high"]
_ROUNDING = 1e-12
"""9/10 · 8/9 · 7/8 · 6/7 · 5/6 comes out in the 16th digit above one half."""


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
    groups = names(by)
    check_confidence("survival_curve", confidence)
    counts = _executed("survival_curve", spells, groups)
    start = counts["time"][counts["entered"] > 0].min() if from_time is None else from_time
    leaving = counts[(counts["left"] > 0) & (counts["time"] > start)]
    codes = _codes(leaving, groups)
    _refuse_emptied(leaving, codes, counts, groups)
    steps = _kaplan_meier(leaving["at_risk"].to_numpy(), leaving["events"].to_numpy(), codes, confidence)
    curve = leaving[[*groups, "time", "at_risk", "events"]].reset_index(drop=True).assign(**steps)
    n, zero_length = _total(counts, "entered", "zero_length"), _total(counts, "zero_length")
    curve.attrs = {"n": n, "zero_length": zero_length, "from_time": start}
    return curve


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
    """A log-rank test. chi2 and p_value are missing, and df is 0, where no two groups met at an event."""

    chi2: float
    df: int
    p_value: float


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
    groups = names(by)
    counts = _executed("logrank", spells, groups)
    times, row = np.unique(counts["time"].to_numpy(), return_inverse=True)
    column = _codes(counts, groups)
    moved, events = np.zeros((2, len(times), column.max(initial=0) + 1))
    moved[row, column] = counts["entered"] - counts["left"]
    events[row, column] = counts["events"]
    at_risk = np.cumsum(moved, axis=0) - moved
    return _chi2(at_risk[events.any(axis=1)], events[events.any(axis=1)])


def _counts(table: ir.Table, groups: tuple[str, ...]) -> ir.Table:
    """Reduce to one row a group and value of time: how many spells enter and leave there, and how many by an event."""
    cells = table.group_by(*groups, "entry", "exit", "event").aggregate(_n=table.count())
    size, none = cells["_n"], ibis.literal(0, "int64")
    sound, whole = is_sound(cells), cells.entry.type().is_integer() and cells.exit.type().is_integer()
    cells = cells.mutate(
        entry=cells.entry.cast("int64" if whole else "float64"),
        exit=cells.exit.cast("int64" if whole else "float64"),
        _lasting=ibis.ifelse(sound & (cells.entry < cells.exit), size, none),
        _zero=ibis.ifelse(sound & (cells.entry == cells.exit), size, none),
        _faulty=ibis.ifelse(sound, none, size),
    )
    lasting, zero, faulty = cells["_lasting"], cells["_zero"], cells["_faulty"]
    events = ibis.ifelse(is_event(cells), lasting, none)
    entries = {"time": cells.entry, "entered": lasting, "left": none, "events": none}
    exits = {"time": cells.exit, "entered": none, "left": lasting, "events": events}
    moves = ibis.union(
        cells.select(*groups, **entries, zero_length=zero, faulty=faulty),
        cells.select(*groups, **exits, zero_length=none, faulty=none),
    )
    sums = {name: moves[name].sum() for name in ("entered", "left", "events", "zero_length", "faulty")}
    return moves.group_by(*groups, "time").aggregate(**sums).order_by(*groups, "time")


def _executed(measure: str, spells: Rows, groups: tuple[str, ...]) -> pd.DataFrame:
    """Count in the engine and add how many are at risk; refuse spells that are not sound."""
    table = as_table(spells)
    require(measure, table, ("entry", "exit", "event", *groups))
    # By way of Arrow: straight to pandas, DuckDB's wide sums pass through Python's Decimal one by one.
    counts = _counts(table, groups).to_pyarrow().to_pandas()
    refuse_faulty(measure, _total(counts, "faulty"), _total(counts, "entered", "zero_length", "faulty"))
    # All who enter a group leave it, so the running sum is back at 0 where the next group begins.
    moved = counts["entered"] - counts["left"]
    return counts.assign(at_risk=moved.cumsum() - moved)


def _total(counts: pd.DataFrame, *columns: str) -> int:
    return int(counts[list(columns)].to_numpy().sum())


def _codes(frame: pd.DataFrame, groups: Sequence[str]) -> NDArray[np.int64]:
    """Return each row's group, as numbers in the order in which the groups appear."""
    if not groups:
        return np.zeros(len(frame), dtype=np.int64)
    return np.asarray(frame.groupby(list(groups), dropna=False, sort=False).ngroup(), dtype=np.int64)


def _within(values: Floats, codes: NDArray[np.int64], running: np.ufunc) -> Floats:
    """Accumulate within groups, whose rows stand together."""
    first_rows = np.flatnonzero(np.diff(codes)) + 1
    return np.concatenate([running.accumulate(part) for part in np.split(values, first_rows)])


def _refuse_emptied(
    leaving: pd.DataFrame, codes: NDArray[np.int64], counts: pd.DataFrame, groups: tuple[str, ...]
) -> None:
    """Raise MeasureError where all at risk in a group leave at once although later spells of it are still to come."""
    at_risk, left = leaving["at_risk"].to_numpy(), leaving["left"].to_numpy()
    is_empty = (at_risk == leaving["events"].to_numpy()) | (at_risk - left + leaving["entered"].to_numpy() == 0)
    is_followed = np.diff(codes, append=-1) == 0
    emptied = leaving[is_empty & is_followed]
    if emptied.empty:
        return
    worst = emptied.loc[emptied["time"].idxmax()]
    place = "".join(f" in {name} {worst[name]!r}" for name in groups)
    later = counts.loc[(counts["entered"] > 0) & (counts["time"] >= worst["time"]), "time"].min()
    raise MeasureError(
        "survival_curve",
        f"nobody is left at risk at time {worst['time']}{place}, and later spells begin",
        f"Give from_time={later}, for the curve of those who lasted until then",
    )


def _kaplan_meier(
    at_risk: NDArray[np.int64], events: NDArray[np.int64], codes: NDArray[np.int64], confidence: float
) -> dict[str, Floats]:
    """Multiply up the steps; survival, Greenwood's standard error and the ends on log(-log(survival))."""
    missing, lasting = np.full(len(events), np.nan), (at_risk - events).astype(float)
    survival = _within(lasting / at_risk, codes, np.multiply)
    greenwood = np.divide(events, at_risk * lasting, out=missing.copy(), where=lasting > 0)
    root = np.sqrt(_within(greenwood, codes, np.add))
    log = np.log(survival, out=missing, where=survival > 0)
    half = special.ndtri((1 + confidence) / 2) * root
    factor = np.exp(np.divide(half, -log, out=np.zeros(len(events)), where=log != 0))
    return {"survival": survival, "se": survival * root, "low": np.exp(log * factor), "high": np.exp(log / factor)}


def _chi2(at_risk: Floats, events: Floats) -> LogRank:
    """Test on matrices of event times by groups."""
    all_at_risk, all_events = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / all_at_risk[:, None]
    weight = all_events * (all_at_risk - all_events) / np.maximum(all_at_risk - 1, 1)
    excess = (events - share * all_events[:, None]).sum(axis=0)
    variance = np.diag(weight @ share) - share.T @ (weight[:, None] * share)
    df = int(np.linalg.matrix_rank(variance, hermitian=True)) if len(events) else 0
    if df == 0:
        return LogRank(float("nan"), 0, float("nan"))
    chi2 = float(excess @ np.linalg.pinv(variance, hermitian=True) @ excess)
    return LogRank(chi2, df, float(special.chdtrc(df, chi2)))


def _check_curve(measure: str, curve: pd.DataFrame, groups: list[str]) -> None:
    require(measure, curve, [*groups, "time", "events", *_STEP])
    if curve.duplicated([*groups, "time"]).any():
        raise MeasureError(measure, "the curve has several rows at the same time", "Name its groups in by")
