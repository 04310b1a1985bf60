"""Survival: how long spells last. Kaplan-Meier curves, their quantiles and the log-rank test.

At risk at t are the spells with entry < t <= exit; at equal times events come before censorings. Times are grouped
by their exact value, never rounded. The engine counts spells by value; all inference is on those counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.spells import is_event, is_sound, refuse_faulty

_STEP = ["survival", "se", "low", "high"]
_ROUNDING = 1e-12
"""A product such as 9/10 · 8/9 · … · 5/6 may come out a few units in the 16th digit above one half."""


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

    Raises MeasureError for an absent column, values outside their domain, and where in a group nobody is left at risk
    before later spells begin (late entry): the message names a ``from_time`` from which there is a curve.
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
    counts = _counted("survival_curve", as_table(spells), groups)
    if from_time is None:
        from_time = counts.loc[counts["entered"] > 0, "time"].min()
    risks = _at_risk(counts, groups)
    risks = risks[(risks["left"] > 0) & (risks["time"] > from_time)]
    _refuse_emptied(risks, counts, groups)
    curve = _kaplan_meier(risks, confidence)[[*groups, "time", "at_risk", "events", *_STEP]]
    curve.attrs = {"n": int(counts["n"].sum()), "zero_length": int(counts["zero_length"].sum()), "from_time": from_time}
    return curve


def survival_at(curve: pd.DataFrame, times: ArrayLike, *, by: str | Sequence[str] = ()) -> pd.DataFrame:
    """Read curves of :func:`survival_curve` at given times.

    Columns in: ``time, survival, se, low, high`` and those of ``by``. Columns out, one row a group and time, sorted:
    ``time, survival, se, low, high``: the step in force at the time; 1 before the first row, missing after the last
    row of a curve that has not come down to 0. Raises MeasureError for an absent column.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 2, 3], "event": [1, 1, 0, 0]})
    >>> survival_at(survival_curve(ledger), [0.5, 2.5, 9])["survival"].tolist()
    [1.0, 0.5, nan]
    """
    groups = list(names(by))
    require("survival_at", ibis.memtable(curve[:0]), [*groups, "time", *_STEP])
    asked = pd.DataFrame({"time": np.unique(np.asarray(times, dtype=float))})
    asked = curve[groups].drop_duplicates().merge(asked, how="cross") if groups else asked
    steps = curve[[*groups, "time", *_STEP]].assign(time=curve["time"].astype(float))
    last = steps.groupby(groups, dropna=False)["time"].transform("max") if groups else steps["time"].max()
    steps = steps.assign(_last=last)
    return asked


def median_survival(curve: pd.DataFrame, *, by: str | Sequence[str] = (), quantile: float = 0.5) -> pd.DataFrame:
    """Return the time by which survival has come down to ``quantile``, by default the median.

    Columns in: those of :func:`survival_curve`. Columns out, one row a group, sorted: ``events``, on which the curve
    rests; ``median``, the smallest time with survival <= quantile; ``low, high``, the smallest times at which the
    lower and the upper end of the curve's band are. Times that are not reached are missing.

    Raises MeasureError for an absent column or a quantile outside 0 to 1.
    Source: Brookmeyer and Crowley (1982), Biometrics 38, 29-41.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 2, 3], "event": [1, 1, 0, 1]})
    >>> median_survival(survival_curve(ledger))
       events  median  low  high
    0       3     2.0  1.0   NaN
    """
    groups = list(names(by))
    if not 0 < quantile < 1:
        raise MeasureError("median_survival", f"quantile is {quantile}", "Give a share between 0 and 1, such as 0.5")
    require("median_survival", ibis.memtable(curve[:0]), [*groups, "time", "events", *_STEP])
    return curve


@dataclass(frozen=True)
class LogRank:
    """Result of a log-rank test; chi2 and p_value are missing where no two groups were at risk at an event."""

    chi2: float
    df: int
    p_value: float
