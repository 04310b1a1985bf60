"""Causes of leaving, told so that none rests on few customers, and whether the foremost is ahead beyond chance.

Beside it stand the causes of one period and the incidences of all, from modules of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.measures.competing import cumulative_incidence, incidence_at
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.inference import normal_quantile
from analysis.measures.leavers import why
from analysis.measures.spells import is_event
from analysis.vocabulary import NO_REASONS

__all__ = ["compared", "cumulative_incidence", "pooled", "why"]

_OTHER, _UNKNOWN = "other", "unknown"


def pooled(spells: Rows, times: Sequence[float], *, min_group: int = 5) -> tuple[ir.Table, list[float]]:
    """Return the spells with causes that tell of no fewer than ``min_group`` customers by any of the times or in all.

    A cause by which fewer have left, but some, is ``other``; so is ``unknown`` then. If ``other`` tells of fewer all
    the same, the least frequent cause goes with it. A missing cause is ``unknown``. Returned as well are the times that
    may be told: those by which nobody left, or no fewer in all.

    Columns in: ``customer_id, entry, exit, event, cause``. Raises MeasureError for an absent column.

    >>> gone = pd.DataFrame({"customer_id": range(14), "entry": 0, "exit": [100] * 6 + [300] * 8, "event": 1})
    >>> gone["cause"] = ["price"] * 5 + ["illness"] + ["move"] * 5 + ["illness"] * 3
    >>> table, times = pooled(gone, [30, 200, 400])
    >>> table["cause"].value_counts().order_by("cause").execute()["cause"].tolist(), times
    (['move', 'other'], [30, 200, 400])
    """
    table = as_table(spells)
    require("pooled", table, ("customer_id", "entry", "exit", "event", "cause"))
    table = table.mutate(cause=table["cause"].fill_null(_UNKNOWN))
    left = _reduce_leavers(table.mutate(cause=ibis.literal(_OTHER)), times).to_pandas()
    told = [time for place, time in enumerate(times) if not left[f"by_{place}"].between(1, min_group - 1).any()]
    while away := _next_away(_reduce_leavers(table, [*told, math.inf]).to_pandas().set_index("cause"), min_group):
        table = table.mutate(cause=table["cause"].isin(away).ifelse(_OTHER, table["cause"]))
    return table, told


def compared(shares: pd.DataFrame, times: Sequence[float], *, confidence: float = 0.95) -> pd.DataFrame:
    """Read the incidences at given times, and by how much the foremost reason is ahead of the next.

    Columns in: those of ``cumulative_incidence`` without groups, and its ``attrs``. Columns out: those of
    ``incidence_at``; ``n`` spells; ``next``, the reason after the foremost, and ``lead``, the difference to it, with
    its interval ``lead_low, lead_high``, in the row of the foremost at each time, else missing. ``other`` and
    ``unknown`` are no reasons. Both are of the same customers, so the interval is that of the difference: the delta
    method as for one incidence. Raises MeasureError for an absent column and a confidence outside 0 to 1.
    Source: Marubini and Valsecchi, Analysing Survival Data (1995), 10.3; Hung and Fithian (2019), Annals of Statistics
    47, 1758-1782: that the foremost is ahead may be tested against the next alone.

    >>> gone = pd.DataFrame({"entry": 0, "exit": range(1, 11), "event": 1, "cause": [*"ppppmmmppu"]})
    >>> compared(cumulative_incidence(gone), [9]).round(2)[["cause", "incidence", "next", "lead", "lead_low"]]
      cause  incidence next  lead  lead_low
    0     m        0.3  NaN   NaN       NaN
    1     p        0.6    m   0.3     -0.26
    2     u        0.0  NaN   NaN       NaN
    """
    z = normal_quantile(confidence, "compared")
    require("compared", as_table(shares.head(0)), ("cause", "time", "at_risk", "events", "incidence"))
    at = incidence_at(shares, times).assign(n=shares.attrs["n"], next=None)
    at = at.astype({"next": "str"}).assign(lead=np.nan, lead_low=np.nan, lead_high=np.nan)
    known = at[at["cause"].notna() & ~at["cause"].isin(NO_REASONS) & (at["incidence"] > 0)]
    for time, rows in known.sort_values(["incidence", "cause"], ascending=[False, True]).groupby("time"):
        if len(rows) > 1:
            first, second = rows["cause"].iloc[:2]
            lead, error = _lead(shares[shares["time"] <= time], first, second)
            at.loc[rows.index[0], "next"] = second
            at.loc[rows.index[0], ["lead", "lead_low", "lead_high"]] = lead, lead - z * error, lead + z * error
    return at


def _lead(shares: pd.DataFrame, first: str, second: str) -> tuple[float, float]:
    """Return by how much one incidence is above the other at the last time, and the error of that."""
    named = shares.assign(cause=shares["cause"].fillna(_UNKNOWN))
    wide = named.pivot(index="time", columns="cause", values=["events", "incidence"])
    events, incidence = wide["events"].astype(float), wide["incidence"]
    at_risk, ended = shares.groupby("time")["at_risk"].first().astype(float), events.sum(axis=1)
    before = 1 - incidence.sum(axis=1).shift(fill_value=0.0)
    ahead, more = incidence[first] - incidence[second], events[first] - events[second]
    still = ahead.iloc[-1] - ahead
    survived = still**2 * (ended / (at_risk * (at_risk - ended).where(ended < at_risk))).fillna(0)
    own = before**2 * (events[first] + events[second] - more**2 / at_risk) / at_risk**2
    variance = (survived + own - 2 * still * before * more / at_risk**2).sum()
    return float(ahead.iloc[-1]), math.sqrt(max(variance, 0.0))


def _reduce_leavers(table: ir.Table, times: Sequence[float]) -> ir.Table:
    """Reduce to one row a cause: the customers who left by each of the times."""
    has_left = is_event(table) & (table["exit"] > table["entry"])
    customer, nobody = table["customer_id"], ibis.null(table["customer_id"].type())
    by = {
        f"by_{place}": (has_left & (table["exit"] <= time) if math.isfinite(time) else has_left)
        .ifelse(customer, nobody)
        .nunique()
        for place, time in enumerate(times)
    }
    return table.group_by("cause").aggregate(**by)


def _next_away(counts: pd.DataFrame, min_group: int) -> list[str]:
    """Return the causes to be counted as ``other`` next; customers of two causes do not add up."""
    is_few = (counts > 0) & (counts < min_group)
    few = counts.index[is_few.any(axis=1)]
    named = [cause for cause in few if cause not in (_OTHER, _UNKNOWN)] or [cause for cause in few if cause == _UNKNOWN]
    if named:
        return named
    if few.empty:
        return []
    then = counts.loc[:, is_few.loc[_OTHER]].iloc[:, 0].drop(_OTHER)
    beside = then[then > 0].sort_index().sort_values(kind="stable").index
    return [*beside.drop(_UNKNOWN, errors="ignore"), *beside][:1]
