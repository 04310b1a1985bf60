"""Relative importance against numpy: how many correlation matrices of the same rows the shares of R² cost.

The kit begins from a table in DuckDB, as a chapter does, and from a pandas frame, as a researcher may; numpy from the
same rows as an array of floats. They alternate in one process, after a run of each that does not count.
"""

from __future__ import annotations

import statistics

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measures.importance import relative_importance
from benchmarks.clock import seconds

ROWS = 50_000
OUTCOME = "csat"


def answers(rows: int, attributes: int) -> pd.DataFrame:
    """Return ratings from 1 to 5 that hang together, the same at each call; the outcome stands last."""
    draw = np.random.default_rng(1)
    liked = draw.normal(size=(rows, attributes + 1)) + draw.normal(size=(rows, 1))
    rated = np.clip(np.round(3 + liked), 1, 5).astype(int)
    frame = pd.DataFrame(rated, columns=[*(f"rating_{number}" for number in range(attributes)), OUTCOME])
    return frame.assign(response_id=[f"r{number:06d}" for number in range(rows)])


def _compare(
    table: ir.Table | pd.DataFrame, rows: NDArray[np.float64], attributes: int, bootstrap: int, pairs: int
) -> list[float]:
    """Return for each pair of runs how many times as long as a correlation matrix the kit took."""
    names = [f"rating_{number}" for number in range(attributes)]
    runs = [
        (
            seconds(lambda: relative_importance(table, OUTCOME, names, bootstrap=bootstrap)),
            seconds(lambda: np.corrcoef(rows, rowvar=False)),
        )
        for _ in range(pairs + 1)
    ]
    return [kit / matrix for kit, matrix in runs[1:]]


def measure(pairs: int, rows: int = ROWS) -> dict[str, float]:
    """Return medians of the ratios, from a table and a frame: 15 attributes, and 10 with 100 bootstraps."""
    found = {}
    for name, attributes, bootstrap in (("shares", 15, 0), ("bootstrap", 10, 100)):
        frame = answers(rows, attributes)
        table = ibis.duckdb.connect().create_table("surveys", frame)
        values = np.ascontiguousarray(frame.drop(columns="response_id").to_numpy(dtype=np.float64))
        for kind, given in (("table", table), ("frame", frame)):
            found[f"{name}_{kind}"] = statistics.median(_compare(given, values, attributes, bootstrap, pairs))
    return found
