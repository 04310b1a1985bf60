"""Figures as rows, the way the report takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

_COLUMNS = ("id", "group", "value", "low", "high", "n", "unit", "definition", "source")


def figure_rows(rows: Sequence[dict[str, Any]], *, source: str) -> pd.DataFrame:
    """Return figures as a frame: id, group (None where there is none), value, low, high, n, unit, definition, source.

    Rows without a value are left out.

    >>> figure_rows([{"id": "value.a", "value": 1.0}, {"id": "value.b", "group": "A", "value": None}], source="costs")
            id group  value  low  high   n  unit definition source
    0  value.a  None    1.0  NaN   NaN NaN  None       None  costs
    """
    found = pd.DataFrame([dict.fromkeys(_COLUMNS) | row for row in rows], columns=list(_COLUMNS)).assign(source=source)
    # pandas would make None of a column of texts NaN, which is a group that is not stated
    group = pd.Series([row.get("group") for row in rows], index=found.index, dtype="object")
    numbers = dict.fromkeys(("value", "low", "high", "n"), "float64")
    return found.assign(group=group).astype(numbers).dropna(subset="value").reset_index(drop=True)
