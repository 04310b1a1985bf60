"""Kaplan-Meier curves of many spells against the hand-written count they rest on, statsmodels and lifelines.

The kit begins from a table in DuckDB, as a chapter does; so does the count, by group, entry, exit and event, written
in SQL and fetched as a frame. statsmodels gets the same rows as a frame in memory. All alternate in one process, after
a run of each that does not count; lifelines, where it is installed, in a process of its own, its rows in memory too.
What follows the kit's own counts is timed apart.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.measures import survival
from analysis.measures.risk_sets import risk_sets
from benchmarks import peers
from benchmarks.clock import seconds

ROWS, GROUPS = 1_000_000, 5

_PEERS = (
    ("statsmodels", "statsmodels' `SurvfuncRight`", "over 1"),
    ("lifelines", "lifelines' `KaplanMeierFitter`", "at least 5"),
)
_BUILD = Path(__file__).parent / "build"
_LIFELINES = """
import json, sys, time
import pandas as pd
from lifelines import KaplanMeierFitter
spells = pd.read_csv(sys.argv[1])
begin = time.perf_counter()
curves = {plan: KaplanMeierFitter().fit(part["exit"], part["event"]) for plan, part in spells.groupby("plan")}
seconds = time.perf_counter() - begin
pd.concat({plan: curve.survival_function_["KM_estimate"] for plan, curve in curves.items()}).to_csv(sys.argv[2])
print(json.dumps({"seconds": seconds}))
"""
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


def _from_statsmodels(curve: pd.DataFrame, rows: pd.DataFrame) -> float:
    found = _by_statsmodels(rows)
    ended = curve[curve["events"] > 0].groupby("plan")["survival"]
    return max(float(np.abs(part.to_numpy() - found[str(plan)].surv_prob).max()) for plan, part in ended)


def _from_lifelines(curve: pd.DataFrame, steps: Path) -> float:
    theirs = pd.read_csv(steps, names=["plan", "time", "theirs"], header=0)
    both = curve.merge(theirs, on=["plan", "time"])
    assert len(both) == len(curve)
    return float((both["survival"] - both["theirs"]).abs().max())


def _run(table: ir.Table, engine: duckdb.DuckDBPyConnection, rows: pd.DataFrame) -> dict[str, float]:
    sets = risk_sets("survival_curve", table, ("plan",))
    found = {
        "kit": seconds(lambda: survival.survival_curve(table, by="plan")),
        "hand": seconds(lambda: engine.sql(_BY_HAND).df()),
        "inference": seconds(lambda: survival._curve(sets, 1.96, None)),
        "statsmodels": seconds(lambda: _by_statsmodels(rows)),
    }
    if peers.PYTHON.is_file():
        command = [str(peers.PYTHON), "-c", _LIFELINES, str(_BUILD / "curves.csv"), str(_BUILD / "steps.csv")]
        found["lifelines"] = peers.told(command)["seconds"]
    return found


def measure(pairs: int, rows: int = ROWS) -> dict[str, float]:
    """Return medians over the runs: seconds of each way, their ratios, and how far survival differs at most."""
    engine = spells(rows)
    table, frame = ibis.duckdb.from_connection(engine).table("spells"), engine.sql("FROM spells").df()
    _BUILD.mkdir(exist_ok=True)
    frame.to_csv(_BUILD / "curves.csv", index=False)
    runs = [_run(table, engine, frame) for _ in range(pairs + 1)][1:]
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    found["ratio"] = statistics.median(run["kit"] / run["hand"] for run in runs)
    found["inference_ratio"] = statistics.median(run["inference"] / run["hand"] for run in runs)
    curve = survival.survival_curve(table, by="plan")
    differences = [_from_statsmodels(curve, frame)]
    for name, _words, _goal in _PEERS:
        if name in runs[0]:
            found[f"faster than {name}"] = statistics.median(run[name] / run["kit"] for run in runs)
    if "lifelines" in runs[0]:
        differences.append(_from_lifelines(curve, _BUILD / "steps.csv"))
    return {**found, "difference": max(differences)}


def section(pairs: int, _rows: int) -> str:
    """Return the section on survival."""
    found = measure(pairs)
    return "\n".join(
        [
            f"## Kaplan-Meier with intervals, {ROWS:,} spells in {GROUPS} groups, from rows",
            "",
            f"Wall time against the hand-written count in DuckDB, median of {pairs} pairs: **{found['ratio']:.2f}** "
            f"(to reach: at most 1.6); inference after the counts: **{found['inference_ratio']:.3f}** (under 0.1).",
            *(
                f"Times as fast as {words} by group: **{found[f'faster than {name}']:.1f}** (to reach: {goal})."
                for name, words, goal in _PEERS
                if name in found
            ),
            f"Greatest difference in survival from theirs: {found['difference']:.0e} (to reach: 1e-9).",
            "",
            "| way | milliseconds, median |",
            "|---|---|",
            f"| kit | {1000 * found['kit']:.0f} |",
            f"| count by hand | {1000 * found['hand']:.0f} |",
            *(f"| {name} | {1000 * found[name]:.0f} |" for name, _words, _goal in _PEERS if name in found),
        ]
    )
