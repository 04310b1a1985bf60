"""Columns that know the outcome: each measured on its own against who left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.forecasts import auc_of_groups
from analysis.measures.inference import Floats
from analysis.vocabulary import TABLES

LEAKING_AUC = 0.9
LEVEL_SHARE = 0.05

TOO_GOOD = "tells who left by itself"
AFTERWARDS = "known only after the fact"

_ALL: Mapping[str, float] = MappingProxyType({})
_NEARLY_ALL, _MOST = 0.95, 0.8


def leakage(
    rows: pd.DataFrame, outcome: str, columns: Sequence[str], *, nearly: Mapping[str, float] = _ALL
) -> pd.DataFrame:
    """Measure how well each column alone tells who left, and name those that know the outcome.

    A column leaks where its AUC is .90 or more and levels of at least 5 % of the rows each stand at an outcome share
    of exactly 0 and of exactly 1, or where it is known only after the fact: by its name, or because nobody who stayed
    has a value in it and at least 5 % of those who left have one. A missing value is a level. ``nearly`` names columns
    for which less than a share of 1 will do, with that share (see :func:`nearly_all`).

    Columns in: the outcome (0 or 1) and ``columns``. Columns out: column, auc (in the better direction; of numbers by
    value, missing ones lowest or highest; of texts by the levels' outcome share), share_at_0, share_at_1 (of rows, 0
    to 1, in such levels), leaks (why, or missing). One row a column, highest AUC first.

    >>> rows = pd.DataFrame({"left": [1, 1, 0, 0, 0], "rating": [1, 1, 5, 5, 5], "months": [3, 9, 2, 8, 30]})
    >>> leakage(rows, "left", ["rating", "months"]).round(2)
       column  auc  share_at_0  share_at_1                     leaks
    0  rating  1.0         0.6         0.4  tells who left by itself
    1  months  0.5         0.6         0.4                       NaN
    """
    measured = [_measured(rows[name], rows[outcome], nearly.get(name, 1.0)) for name in columns]
    found = pd.DataFrame(measured, columns=["column", *_MEASURED])
    found["leaks"] = pd.array(list(found["leaks"]), dtype="str")
    return found.sort_values(["auc", "column"], ascending=[False, True], na_position="last", ignore_index=True)


def leaks_by_level(levels: pd.DataFrame, name: str, *, nearly: float = 1.0) -> str | None:
    """Say why a column leaks, as :func:`leakage` does, from one row a level: ``name``, n, left; None if it does not.

    >>> counts = pd.DataFrame({"status": ["left", "active"], "n": [40, 60], "left": [39, 0]})
    >>> leaks_by_level(counts, "status"), leaks_by_level(counts, "status", nearly=0.95)
    (None, 'tells who left by itself')
    """
    n, left = (levels[part].to_numpy(dtype=np.float64) for part in ("n", "left"))
    why = _told(levels[name], n, left, nearly)["leaks"]
    return None if why is None else str(why)


def nearly_all(attributes: Sequence[str], *, ends_known: bool) -> dict[str, float]:
    """Return from which share of leavers on a level of an undated attribute counts as one that all left.

    Such an attribute is as of the export. Held against who has left for good on record (``ends_known``) it needs .95,
    for a few are marked wrongly. Where only those are known who had left by an earlier day, some of whom it marks have
    not left yet, and .8 will do. What the vocabulary defines is agreed beforehand and must tell exactly.

    Source: simulated exports 10 to 90 days late. A mark of who has left is found nearly always against the ends on
    record, within five windows of 90 days even without; of tariffs, towns and means of payment under 1 % are refused,
    unless levels differ tenfold.

    >>> nearly_all(["term_months", "status"], ends_known=False)
    {'status': 0.8}
    """
    own = [name for name in attributes if not any(TABLES[table].column(name) for table in ("contracts", "customers"))]
    return dict.fromkeys(own, _NEARLY_ALL if ends_known else _MOST)


def refuse_leaking(measure: str, rows: pd.DataFrame, outcome: str, columns: Sequence[str]) -> None:
    """Raise MeasureError that names every leaking column and why."""
    found = leakage(rows, outcome, columns)
    leaking = found[found["leaks"].notna()]
    if len(leaking):
        named = "; ".join(f"{row.column!r} {row.leaks} (AUC {row.auc:.2f})" for row in leaking.itertuples())
        raise MeasureError(measure, f"leaking: {named}", "Leave it out, or compute it as of the start of the window")


_MEASURED = ("auc", "share_at_0", "share_at_1", "leaks")


def _measured(values: pd.Series, outcome: pd.Series, nearly: float) -> dict[str, object]:
    codes, levels = pd.factorize(values, use_na_sentinel=False)
    weights = np.ones(len(values)), outcome.to_numpy(dtype=np.float64)
    n, left = (np.bincount(codes, counted, len(levels)).astype(np.float64) for counted in weights)
    return {"column": values.name} | _told(pd.Series(levels, name=values.name), n, left, nearly)


def _told(levels: pd.Series, n: Floats, left: Floats, nearly: float) -> dict[str, object]:
    share, is_level = left / n, n >= LEVEL_SHARE * n.sum()
    at_0, at_1 = (float(n[is_level & at].sum() / max(n.sum(), 1)) for at in (share == 0, share >= nearly))
    own = _own_auc(levels, share, n, left)
    leaks = TOO_GOOD if own >= LEAKING_AUC and at_0 and at_1 else None
    if TABLES["contracts"].is_learned(str(levels.name)) or _is_afterwards(levels.notna().to_numpy(), n, left):
        leaks = AFTERWARDS
    return {"auc": own, "share_at_0": at_0, "share_at_1": at_1, "leaks": leaks}


def _own_auc(levels: pd.Series, share: Floats, n: Floats, left: Floats) -> float:
    if not pd.api.types.is_numeric_dtype(levels):
        return auc_of_groups(share, n, left)
    numbers = levels.to_numpy(dtype=np.float64, na_value=np.nan)
    filled = [np.nan_to_num(numbers, nan=end, posinf=np.inf, neginf=-np.inf) for end in (-np.inf, np.inf)]
    found = [auc_of_groups(scores, n, left) for scores in filled]
    return max(*found, *(1 - one for one in found))


def _is_afterwards(is_known: np.ndarray, n: Floats, left: Floats) -> bool:
    all_left, known_left = left.sum(), left[is_known].sum()
    some_stayed = all_left < n.sum()
    return bool(some_stayed and all_left and known_left == n[is_known].sum() and known_left >= LEVEL_SHARE * all_left)
