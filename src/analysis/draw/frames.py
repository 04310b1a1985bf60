"""What every chart, table and sentence does with the frame it is handed."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.errors import MeasureError, nearest


def require(caller: str, frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise MeasureError where a column is absent, naming those that exist and the nearest one."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        near = nearest(missing[0], frame.columns)
        raise MeasureError(
            caller,
            f"column {missing[0]!r} is absent; the frame has: {', '.join(map(str, frame.columns))}",
            f"Did you mean {near!r}?" if near else "",
        )


def leading(touchpoints: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first measure.

    >>> leading(pd.DataFrame({"measure": ["nps", "csat"], "n": [9, 8]}))
      measure  n
    0     nps  9
    """
    return touchpoints[touchpoints["measure"] == touchpoints["measure"].iloc[0]] if len(touchpoints) else touchpoints
