"""Columns that know the outcome: each measured on its own against who left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.forecasts import auc
from analysis.measures.inference import Floats
from analysis.vocabulary import TABLES

LEAKING_AUC = 0.9
LEVEL_SHARE = 0.05

TOO_GOOD = "tells who left by itself"
AFTERWARDS = "known only after the fact"


def leakage(rows: pd.DataFrame, outcome: str, columns: Sequence[str]) -> pd.DataFrame:
    """Measure how well each column alone tells who left, and name those that know the outcome.

    A column leaks where its AUC is .90 or more and levels of at least 5 % of the rows each stand at an outcome share
    of exactly 0 and of exactly 1, or where it is known only after the fact: by its name, or because nobody who stayed
    has a value in it and at least 5 % of those who left have one. A missing value is a level.

    Columns in: the outcome (0 or 1) and ``columns``. Columns out: column, auc (in the better direction; of numbers by
    value, missing ones lowest or highest; of texts by the levels' outcome share), share_at_0, share_at_1 (of rows, 0
    to 1, in such levels), leaks (why, or missing). One row a column, highest AUC first.

    >>> rows = pd.DataFrame({"left": [1, 1, 0, 0, 0], "rating": [1, 1, 5, 5, 5], "months": [3, 9, 2, 8, 30]})
    >>> leakage(rows, "left", ["rating", "months"]).round(2)
       column  auc  share_at_0  share_at_1                     leaks
    0  rating  1.0         0.6         0.4  tells who left by itself
    1  months  0.5         0.6         0.4                       NaN
    """
    found = pd.DataFrame([_measured(rows[name], rows[outcome]) for name in columns], columns=["column", *_MEASURED])
    found["leaks"] = pd.array(list(found["leaks"]), dtype="str")
    return found.sort_values(["auc", "column"], ascending=[False, True], na_position="last", ignore_index=True)


def refuse_leaking(measure: str, rows: pd.DataFrame, outcome: str, columns: Sequence[str]) -> None:
    """Raise MeasureError that names every leaking column and why."""
    found = leakage(rows, outcome, columns)
    leaking = found[found["leaks"].notna()]
    if len(leaking):
        named = "; ".join(f"{row.column!r} {row.leaks} (AUC {row.auc:.2f})" for row in leaking.itertuples())
        raise MeasureError(measure, f"leaking: {named}", "Leave it out, or compute it as of the start of the window")


_MEASURED = ("auc", "share_at_0", "share_at_1", "leaks")


def _measured(values: pd.Series, outcome: pd.Series) -> dict[str, object]:
    left = outcome.to_numpy(dtype=np.float64)
    codes, levels = pd.factorize(values, use_na_sentinel=False)
    n = np.bincount(codes, minlength=len(levels))
    share = np.bincount(codes, left, minlength=len(levels)) / n
    is_level = n >= LEVEL_SHARE * len(values)
    at_0, at_1 = (float(n[is_level & (share == end)].sum() / max(len(values), 1)) for end in (0, 1))
    own = _own_auc(values, share[codes], left)
    leaks = TOO_GOOD if own >= LEAKING_AUC and at_0 and at_1 else None
    if TABLES["contracts"].is_learned(str(values.name)) or _is_afterwards(values.notna().to_numpy(), left):
        leaks = AFTERWARDS
    return {"column": values.name, "auc": own, "share_at_0": at_0, "share_at_1": at_1, "leaks": leaks}


def _own_auc(values: pd.Series, share: Floats, left: Floats) -> float:
    if not pd.api.types.is_numeric_dtype(values):
        return auc(share, left)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    filled = [np.nan_to_num(numbers, nan=end, posinf=np.inf, neginf=-np.inf) for end in (-np.inf, np.inf)]
    found = [auc(scores, left) for scores in filled]
    return max(*found, *(1 - one for one in found))


def _is_afterwards(is_known: np.ndarray, left: Floats) -> bool:
    known_of_left = is_known[left == 1]
    return not is_known[left == 0].any() and bool(known_of_left.size and known_of_left.mean() >= LEVEL_SHARE)
