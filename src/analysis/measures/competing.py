"""Competing causes: what share of spells has ended by each of them. One ends a spell, so none is read alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, names, require
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.risk_sets import Integers, RiskSets, coded, leaving, risk_sets

_STEP = ["incidence", "se", "low", "high"]
_ROUNDING = 1e-12
"""Shares that add up to all but the last digit are 1."""


def cumulative_incidence(
    spells: Rows, *, by: str | Sequence[str] = (), confidence: float = 0.95, from_time: float | None = None
) -> pd.DataFrame:
    """Return the share of spells that ended by each cause up to each time, given that they lasted to ``from_time``.

    Every cause of the data ends spells in the survival on which the incidence of each rests, so at each time the
    incidences of all causes and the survival sum to 1. One less Kaplan-Meier of one cause is greater.

    Columns in: ``entry, exit, event`` as for ``survival_curve``, ``cause`` (read where event is 1; a missing one is a
    cause of its own) and those of ``by``. Spells of length zero are left out.

    Columns out, one row a group, cause and time at which a spell of the group left, sorted by them: ``time`` (unit of
    exit), ``at_risk``, ``events`` (of this cause), ``incidence``, ``se`` (delta method; Greenwood's where there is one
    cause), ``low, high`` (on log(-log(1 - incidence)); both 0 while the incidence is, missing once it is 1).
    ``attrs``: ``n`` spells read, ``zero_length`` of them left out, ``from_time``, by default the smallest entry.

    Raises MeasureError as ``survival_curve`` does.
    Source: Aalen and Johansen (1978), Scandinavian Journal of Statistics 5, 141-150; Marubini and Valsecchi, Analysing
    Survival Data (1995), 10.3, for the error.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 3, 4], "event": [1, 1, 1, 0]})
    >>> ledger["cause"] = ["price", "move", "price", None]
    >>> shares = cumulative_incidence(ledger)
    >>> shares[["cause", "time", "events", "incidence", "se"]].round(3).iloc[[1, 6]]
       cause  time  events  incidence     se
    1   move     2       1       0.25  0.217
    6  price     3       1       0.50  0.250
    """
    z = normal_quantile(confidence, "cumulative_incidence")
    groups = names(by)
    sets = risk_sets("cumulative_incidence", spells, groups, cause="cause")
    sets = leaving("cumulative_incidence", sets, from_time)
    rows, causes = np.arange(len(sets.code)), np.arange(len(sets.causes))
    row, column = np.tile(rows, len(causes)), np.repeat(causes, len(rows))
    order = np.argsort(sets.code[row], kind="stable")
    row, column = row[order], column[order]
    found = {name: values[row, column] for name, values in _incidence(sets, z).items()}
    shares = sets.where(row).frame(at_risk=sets.at_risk[row], **found)
    shares.insert(len(groups), "cause", sets.causes.take(column))
    return shares


def incidence_at(shares: pd.DataFrame, times: ArrayLike, *, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """Read the incidences of :func:`cumulative_incidence` at given times.

    Columns out, one row a group, cause and time, sorted: ``time, incidence, se, low, high``, the step in force at the
    time: 0 before the first row, missing after the last row of a group, unless all of it had ended by then.

    Raises MeasureError for an absent column, and for incidences of several groups without their names in ``by``.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 3, 4], "event": [1, 1, 1, 0]})
    >>> ledger["cause"] = ["price", "move", "price", None]
    >>> incidence_at(cumulative_incidence(ledger), [0.5, 2, 9])["incidence"].tolist()
    [0.0, 0.25, nan, 0.0, 0.25, nan]
    """
    keys = [*names(by), "cause"]
    require("incidence_at", shares, [*keys, "time", *_STEP])
    if shares.duplicated([*keys, "time"]).any():
        raise MeasureError(
            "incidence_at", "a cause has several rows at the same time", "Name the groups of the incidences in by"
        )
    curve = shares.groupby(keys, dropna=False, sort=False).ngroup()
    steps = shares[["time", *_STEP]].assign(_curve=curve, time=shares["time"].astype(float))
    read = pd.DataFrame({"time": np.unique(np.asarray(times, dtype=float))})
    asked = _ends_of(shares.assign(_curve=curve), keys).merge(read, how="cross").sort_values("time")
    found = pd.merge_asof(asked, steps.sort_values("time"), on="time", by="_curve")
    found = found.sort_values(["_curve", "time"], ignore_index=True)
    found.loc[found["incidence"].isna(), _STEP] = 0.0
    found.loc[found["time"] > found["_last"], _STEP] = np.nan
    return found[[*keys, "time", *_STEP]]


def _ends_of(shares: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the time up to which each curve says something: without end once all of its group have ended."""
    last = shares.groupby("_curve").tail(1)
    group, _names = coded(last[keys[:-1]])
    ended = last.groupby(group)["incidence"].transform("sum")
    return last[[*keys, "_curve"]].assign(_last=last["time"].astype(float).mask(ended > 1 - _ROUNDING, np.inf))


def _incidence(sets: RiskSets, z: float) -> dict[str, Integers | Floats]:
    """Return events, incidence, error and ends, a row as in ``sets`` and a column a cause."""
    survival, is_first = sets.survival(), np.diff(sets.code, prepend=-1) != 0
    before = np.where(is_first, 1.0, np.roll(survival, 1))[:, None]
    incidence = sets.accumulate(np.add, before * sets.events / sets.at_risk[:, None])
    se = np.sqrt(_variance(sets, before, incidence))
    low, high = _ends(incidence, se, z)
    return {"events": sets.events, "incidence": incidence, "se": se, "low": low, "high": high}


def _variance(sets: RiskSets, before: Floats, incidence: Floats) -> Floats:
    """Sum (F(t) - F)²·d/n(n - d) + S²·d'(n - d')/n³ - 2(F(t) - F)·S·d'/n² over the times up to t, d' of the cause.

    Once F(t) - F is multiplied out each is a running sum. Where all end, n = d, F(t) - F is 0 from then on.
    """
    at_risk, all_causes = sets.at_risk[:, None].astype(float), sets.greenwood(0.0)[:, None]
    own = before**2 * sets.events * (at_risk - sets.events) / at_risk**3
    both = before * sets.events / at_risk**2
    fixed = sets.accumulate(np.add, incidence**2 * all_causes + own + 2 * incidence * both)
    linear = sets.accumulate(np.add, incidence * all_causes + both)
    squared = sets.accumulate(np.add, all_causes)
    return np.maximum(fixed - 2 * incidence * linear + incidence**2 * squared, 0)


def _ends(incidence: Floats, se: Floats, z: float) -> tuple[Floats, Floats]:
    rest, missing = 1 - incidence, np.full(incidence.shape, np.nan)
    log = np.log(rest, out=missing, where=rest > _ROUNDING)
    factor = np.exp(np.divide(z * se, -rest * log, out=np.zeros(incidence.shape), where=log != 0))
    return 1 - np.exp(log / factor), 1 - np.exp(log * factor)
