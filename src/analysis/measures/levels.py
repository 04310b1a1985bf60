"""Every measure of satisfaction that was asked for, now and before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import Scale
from analysis.measures.comparison import Measure, compare
from analysis.measures.frames import Rows, names
from analysis.measures.nps import nps
from analysis.measures.ratings import Easy, ces, csat

_NOW = ["n", "value", "low", "high"]
_TESTED = {
    "n_b": "n_before",
    "b": "before",
    "difference": "difference",
    "low": "difference_low",
    "high": "difference_high",
    "p": "p",
    "verdict": "verdict",
}


def level(
    answers: Rows,
    measure: Measure,
    scale: Scale,
    *,
    by: str | tuple[str, ...] = (),
    easy: Easy | None = None,
    top: int = 2,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure one of nps, csat and ces under one name: by…, n, value, low, high.

    Columns in and Raises: as for the measure; ces without ``easy`` is refused. Units: points for nps, share for csat
    (its ``top`` best ratings), the scale for ces (the mean). Source: as for the measure.

    >>> level(pd.DataFrame({"csat": [5, 4, 2, 1]}), "csat", (1, 5)).round(2)
       n  value   low  high
    0  4    0.5  0.15  0.85
    """
    asked: dict[str, Any] = {"scale": scale, "by": by, "confidence": confidence}
    if measure == "nps":
        found = nps(answers, **asked).rename(columns={"nps": "value"})
    elif measure == "csat":
        found = csat(answers, top=top, **asked).rename(columns={"share": "value"})
    elif easy is None:
        raise MeasureError("ces", "no direction is declared", 'Declare which end of the scale is easy: "high" or "low"')
    else:
        found = ces(answers, easy=easy, **asked).rename(columns={"mean": "value"})
    return found[[*names(by), *_NOW]]


def levels(
    answers: Rows,
    earlier: Rows,
    *,
    scales: Mapping[Measure, Scale],
    easy: Easy | None = None,
    top: int = 2,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure satisfaction by each measure asked for, beside its value before and the test of the difference.

    A measure with fewer than ``min_group`` answers has no value: it would say who gave it. For ces the share of high
    effort follows as a measure of its own, high_effort, without a test.

    Columns in, of both: nps, csat, ces as ``scales`` names them; where present also customer_id, survey, answered_at,
    response_id. Columns out: measure, n (answers), value, low, high (units as for ``level``), n_before, before,
    difference, difference_low, difference_high, p, verdict (as ``compare``). One row a measure, in the order of
    ``scales``.

    Raises MeasureError and Source: as ``level`` and ``compare``.

    >>> now, before = pd.DataFrame({"nps": [10, 9, 9, 3, 8]}), pd.DataFrame({"nps": [10, 8, 8, 3, 8]})
    >>> levels(now, before, scales={"nps": (0, 10)})[["measure", "n", "value", "before", "verdict"]]
      measure  n  value  before       verdict
    0     nps  5   40.0     0.0  within noise
    """
    rows = []
    for measure, scale in scales.items():
        now = _held_back(level(answers, measure, scale, easy=easy, top=top, confidence=confidence), min_group)
        rules: dict[str, Any] = {"top": top, "min_group": min_group, "confidence": confidence}
        tested = compare(answers, earlier, scale=scale, measure=measure, **rules).rename(columns=_TESTED)
        tested["before"] = tested["before"].where(tested["n_before"] >= min_group)
        rows.append(now.join(tested[list(_TESTED.values())]).assign(measure=measure))
        if measure == "ces" and easy:
            rows.append(_held_back(_high_effort(answers, scale, easy, confidence), min_group))
    columns = ["measure", *_NOW, *_TESTED.values()]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _held_back(now: pd.DataFrame, min_group: int) -> pd.DataFrame:
    values = ["value", "low", "high"]
    return now.assign(**now[values].where(now["n"] >= min_group))


def _high_effort(answers: Rows, scale: Scale, easy: Easy, confidence: float) -> pd.DataFrame:
    hard = {"high_effort": "value", "high_effort_low": "low", "high_effort_high": "high"}
    found = ces(answers, scale=scale, easy=easy, confidence=confidence)[["n", *hard]]
    return found.rename(columns=hard).assign(measure="high_effort")
