"""Restricted mean: how long spells last on average within a horizon; it needs no proportional hazards."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, names
from analysis.measures.inference import Floats, holm, normal_quantile, ratio, two_sided
from analysis.measures.risk_sets import RiskSets, leaving, risk_sets


def rmst(
    spells: Rows,
    *,
    by: str | Sequence[str] = (),
    horizon: float,
    base: Hashable | Sequence[Hashable] = None,
    confidence: float = 0.95,
    from_time: float | None = None,
) -> pd.DataFrame:
    """Return the mean length of spells up to ``horizon``: the area under the Kaplan-Meier curve.

    A spell counts with its length, or with the horizon where it lasts beyond it. The mean is of spells that lasted to
    ``from_time``, by default the smallest entry.

    Columns in: ``entry, exit, event`` as for ``survival_curve`` and those of ``by``. ``base`` is the group with which
    the others are compared (its values in the order of ``by``), by default the one with most spells.

    Columns out, one row a group, sorted by group: ``rmst, se, low, high`` (unit of exit; Wald). With ``by`` also
    ``difference`` (less the base), ``difference_low, difference_high``, its two-sided ``p`` and ``p_holm`` over all
    comparisons; all missing for the base. ``attrs``: ``n`` spells read, ``zero_length`` of them left out,
    ``from_time, horizon, base``.

    Raises MeasureError as ``survival_curve`` does, for a horizon past the last risk set of a group (or not after
    ``from_time``), and for a base that is no group.
    Source: Royston and Parmar (2013), BMC Medical Research Methodology 13, 152; Klein and Moeschberger, Survival
    Analysis (2003), 4.5.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [1, 2, 3, 4], "event": 1, "plan": ["a", "a", "b", "b"]})
    >>> rmst(ledger, by="plan", horizon=2)[["plan", "rmst", "se", "difference", "p"]].round(3)
      plan  rmst     se  difference      p
    0    a   1.5  0.354         NaN    NaN
    1    b   2.0  0.000         0.5  0.157
    """
    groups, z = names(by), normal_quantile(confidence, "rmst")
    sets = risk_sets("rmst", spells, groups)
    curves = leaving("rmst", sets, from_time)
    _check_horizon(curves, horizon)
    means = curves.labels.assign(**_means(curves, horizon, z))
    means.attrs = {**curves.attrs, "horizon": horizon}
    if not groups:
        return means
    place = _base(sets, groups, base)
    means.attrs["base"] = tuple(sets.labels.iloc[place])
    return means.assign(**_differences(means, place, z))


def _check_horizon(curves: RiskSets, horizon: float) -> None:
    """Raise MeasureError unless each group is watched from before the horizon up to it."""
    last = pd.Series(curves.time).groupby(curves.code).max().reindex(range(len(curves.labels)))
    if last.empty or not curves.from_time < horizon:
        raise MeasureError(
            "rmst", f"no spell lasts from {curves.from_time} to horizon {horizon}", "Give another horizon"
        )
    short = last[~(last >= horizon)]
    if short.empty:
        return
    remedy = f"Give a horizon up to {last.min()}" if last.notna().all() else "Leave that group out"
    raise MeasureError("rmst", f"nobody is at risk at horizon {horizon}{curves.place(short.index[0])}", remedy)


def _means(curves: RiskSets, horizon: float, z: float) -> dict[str, Floats]:
    mean, variance = np.array([_area(group, horizon) for group in curves.by_group()]).T
    se = np.sqrt(variance)
    return {"rmst": mean, "se": se, "low": mean - z * se, "high": mean + z * se}


def _area(group: RiskSets, horizon: float) -> tuple[float, float]:
    """Return a group's mean and its variance: the sum of (area beyond t)² times Greenwood's term of t."""
    inside = group.where(group.time < horizon)
    areas = np.append(1.0, inside.survival()) * np.diff([group.from_time, *inside.time, horizon])
    beyond = areas[::-1].cumsum()[::-1][1:]
    return group.from_time + areas.sum(), float(beyond**2 @ inside.greenwood(0.0))


def _base(sets: RiskSets, groups: tuple[str, ...], base: Hashable | Sequence[Hashable]) -> int:
    """Return the number of the group to compare with."""
    if base is None:
        return int(np.bincount(sets.code, weights=sets.entered).argmax())
    wanted = tuple(base) if isinstance(base, list | tuple) else (base,)
    labels = list(sets.labels.itertuples(index=False, name=None))
    if wanted not in labels:
        known = ", ".join(" ".join(map(str, label)) for label in labels)
        raise MeasureError("rmst", f"base {base!r} is no group of {', '.join(groups)}", f"Known: {known}")
    return labels.index(wanted)


def _differences(means: pd.DataFrame, place: int, z: float) -> dict[str, Floats]:
    """Compare each group with that in row ``place``; the groups are independent."""
    is_other = np.arange(len(means)) != place
    difference = np.where(is_other, means["rmst"] - means["rmst"].iloc[place], np.nan)
    se = np.hypot(means["se"], means["se"].iloc[place])
    p = two_sided(ratio(difference, se))
    return {
        "difference": difference,
        "difference_low": difference - z * se,
        "difference_high": difference + z * se,
        "p": p,
        "p_holm": holm(p),
    }
