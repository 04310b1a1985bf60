"""Kaplan-Meier curves of many spells against the hand-written count they rest on, and against statsmodels.

The kit begins from a table in DuckDB, as a chapter does; so does the count, by group, entry, exit and event, written
in SQL and fetched as a frame. statsmodels gets the same rows as a frame in memory. All alternate in one process, after
a run of each that does not count. What follows the kit's own counts is timed apart.
"""

from __future__ import annotations

import statistics

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.measures import survival
from analysis.measures.risk_sets import risk_sets
from benchmarks.clock import seconds

ROWS, GROUPS = 1_000_000, 5

_BY_HAND = "SELECT plan, entry, exit, event, count(*) AS n FROM spells GROUP BY ALL"


def spells(rows: int) -> duckdb.DuckDBPyConnection:
    """Return an engine with a table of spells in days, two of three ended, the same at each call."""
    engine = duckdb.connect()
    engine.execute(
        f"""CREATE TABLE spells AS SELECT 'plan ' || (hash(i) % {GROUPS}) AS plan, 0 AS entry,
            1 + least(-ln((1 + hash(i + 1) % 1000000) / 1000001) * 900, 3285)::INTEGER AS exit,
            (hash(i + 2) % 3 > 0)::INTEGER AS event
            FROM range({rows}) AS numbers(i)"""
    )
    return engine


def _by_statsmodels(rows: pd.DataFrame) -> dict[str, SurvfuncRight]:
    return {str(plan): SurvfuncRight(part["exit"], part["event"]) for plan, part in rows.groupby("plan")}


def _greatest_difference(curve: pd.DataFrame, peers: dict[str, SurvfuncRight]) -> float:
    ended = curve[curve["events"] > 0].groupby("plan")["survival"]
    return max(float(np.abs(part.to_numpy() - peers[str(plan)].surv_prob).max()) for plan, part in ended)


def _run(table: ir.Table, engine: duckdb.DuckDBPyConnection, rows: pd.DataFrame) -> dict[str, float]:
    sets = risk_sets("survival_curve", table, ("plan",))
    return {
        "kit": seconds(lambda: survival.survival_curve(table, by="plan")),
        "hand": seconds(lambda: engine.sql(_BY_HAND).df()),
        "inference": seconds(lambda: survival._curve(sets, 1.96, None)),
        "statsmodels": seconds(lambda: _by_statsmodels(rows)),
    }


def measure(pairs: int, rows: int = ROWS) -> dict[str, float]:
    """Return medians over the runs: seconds of each way, their ratios, and how far survival differs at most."""
    engine = spells(rows)
    table, frame = ibis.duckdb.from_connection(engine).table("spells"), engine.sql("FROM spells").df()
    runs = [_run(table, engine, frame) for _ in range(pairs + 1)][1:]
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    found["ratio"] = statistics.median(run["kit"] / run["hand"] for run in runs)
    found["inference_ratio"] = statistics.median(run["inference"] / run["hand"] for run in runs)
    found["faster"] = statistics.median(run["statsmodels"] / run["kit"] for run in runs)
    curve = survival.survival_curve(table, by="plan")
    return {**found, "difference": _greatest_difference(curve, _by_statsmodels(frame))}


def section(pairs: int, _rows: int) -> str:
    """Return the section on survival."""
    found = measure(pairs)
    return "\n".join(
        [
            f"## Kaplan-Meier with intervals, {ROWS:,} spells in {GROUPS} groups, from rows",
            "",
            f"Wall time against the hand-written count in DuckDB, median of {pairs} pairs: **{found['ratio']:.2f}** "
            f"(to reach: at most 1.6); inference after the counts: **{found['inference_ratio']:.3f}** (under 0.1).",
            f"Times faster than statsmodels' `SurvfuncRight` by group: **{found['faster']:.1f}** (to reach: over 1); "
            f"greatest difference in survival: {found['difference']:.0e} (to reach: 1e-9).",
            "",
            "| way | milliseconds, median |",
            "|---|---|",
            f"| kit | {1000 * found['kit']:.0f} |",
            f"| count by hand | {1000 * found['hand']:.0f} |",
            f"| statsmodels | {1000 * found['statsmodels']:.0f} |",
        ]
    )
