"""Hazard model and marginal effects against their peers, on the same rows.

The hazard model (10 factors of 2 to 4 levels, 20 intervals at event quantiles) begins from a table in DuckDB, R's coxph
and lifelines' CoxPHFitter from a frame in memory; the peers run where they are installed. Marginal effects of a
logistic model of 20 yes-or-no columns begin from the fitted models. Each run is a process of its own; they alternate.
Memory is that of one more run, on twenty times as many spells in a file of DuckDB's.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import statsmodels.api as sm

from analysis.measures.hazards import hazard_model
from analysis.measures.logistic import logistic_model
from analysis.measures.marginal import marginal_effects
from analysis.measures.person_time import cuts_at_events
from benchmarks import peers

ROWS, MANY_ROWS = 1_000_000, 20_000_000
LEVELS = (2, 3, 4, 2, 3, 4, 2, 3, 4, 3)
COLUMNS = 20
_BUILD = Path(__file__).parent / "build"

_COXPH = """
library(survival)
spells <- read.csv(commandArgs(TRUE)[1], stringsAsFactors = TRUE)
begin <- proc.time()[["elapsed"]]
coxph(Surv(exit, event) ~ ., spells)
cat(sprintf("{\\"seconds\\": %f}", proc.time()[["elapsed"]] - begin))
"""
_LIFELINES = """
import json, sys, time
import pandas as pd
from lifelines import CoxPHFitter
spells = pd.read_csv(sys.argv[1])
begin = time.perf_counter()
CoxPHFitter().fit(pd.get_dummies(spells, drop_first=True, dtype=float), "exit", "event")
print(json.dumps({"seconds": time.perf_counter() - begin}))
"""


def spells(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return spells in days with 10 factors, each of which has a ratio of its own; the same at each call."""
    draw = np.random.default_rng(seed)
    factors = {f"factor_{at}": draw.integers(0, levels, rows) for at, levels in enumerate(LEVELS)}
    log_ratio = sum(0.1 * number * (-1) ** at for at, number in enumerate(factors.values()))
    days = np.ceil(draw.exponential(900 * np.exp(-log_ratio))).astype(int)
    named = {name: np.array(["a", "b", "c", "d"])[number] for name, number in factors.items()}
    return pd.DataFrame({"exit": days.clip(max=1000), "event": (days <= 1000).astype(int), **named})


def leavers(rows: int) -> pd.DataFrame:
    """Return whether customers left, and 20 columns of 0 and 1 that go with it; the same at each call."""
    draw = np.random.default_rng(0)
    columns = {f"has_{at}": (draw.random(rows) < 0.05 + 0.005 * at).astype(int) for at in range(COLUMNS)}
    log_odds = -1.5 + sum(0.1 * (at % 7 - 3) * column for at, column in enumerate(columns.values()))
    return pd.DataFrame({"left": (draw.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(int), **columns})


def _kit_hazards(rows: int) -> dict[str, float]:
    frame = spells(rows).assign(entry=0)
    table = ibis.duckdb.connect().create_table("spells", frame)
    begin = time.perf_counter()
    model = hazard_model(table, [f"factor_{at}" for at in range(len(LEVELS))], cuts=cuts_at_events(table))
    return {"seconds": time.perf_counter() - begin, "patterns": len(model.patterns)}


def _write_many(rows: int) -> None:
    """Write a file of spells, block by block so that no process holds them all."""
    file = _BUILD / "spells.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as engine:
        for first in range(0, rows, ROWS):
            engine.register("block", spells(min(ROWS, rows - first), seed=first).assign(entry=0))
            engine.execute(("INSERT INTO spells " if first else "CREATE TABLE spells AS ") + "FROM block")


def _kit_many(rows: int) -> dict[str, float]:
    table = ibis.duckdb.connect(_BUILD / "spells.duckdb", read_only=True).table("spells")
    begin = time.perf_counter()
    model = hazard_model(table, [f"factor_{at}" for at in range(len(LEVELS))], cuts=cuts_at_events(table))
    return {"seconds": time.perf_counter() - begin, "spells": model.n, "peak_mb": peers.peak_mb()}


def _timed(work: Callable[[], object]) -> dict[str, float]:
    """Return the seconds of one call and the peak of memory of another, in MB: tracing memory takes time."""
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"seconds": seconds, "peak_mb": peak / 2**20}


def _kit_effects(rows: int) -> dict[str, float]:
    table = ibis.duckdb.connect().create_table("customers", leavers(rows))
    begin = time.perf_counter()
    model = logistic_model(table, "left", [name for name in table.columns if name != "left"])
    fitting = time.perf_counter() - begin
    return {"fitting": fitting, **_timed(lambda: marginal_effects(model))}


def _statsmodels_effects(rows: int) -> dict[str, float]:
    frame = leavers(rows)
    begin = time.perf_counter()
    model = sm.Logit(frame["left"], sm.add_constant(frame.drop(columns="left").astype(float))).fit(disp=0)
    fitting = time.perf_counter() - begin
    return {"fitting": fitting, **_timed(model.get_margeff)}


_RUNS: dict[str, Callable[[int], dict[str, float]]] = {
    "kit_hazards": _kit_hazards,
    "kit_many": _kit_many,
    "kit_effects": _kit_effects,
    "statsmodels_effects": _statsmodels_effects,
}


def _run(name: str, rows: int) -> dict[str, float]:
    return peers.told([sys.executable, "-m", "benchmarks.hazards", name, str(rows)])


def _peers(file: Path) -> dict[str, list[str]]:
    """Return by name how the peers that are installed are run."""
    found = {}
    if rscript := shutil.which("Rscript"):
        found["R coxph"] = [rscript, "-e", _COXPH, str(file)]
    if peers.PYTHON.is_file():
        found["lifelines CoxPHFitter"] = [str(peers.PYTHON), "-c", _LIFELINES, str(file)]
    return found


def section(pairs: int, _rows: int) -> str:
    """Return the section on hazards and marginal effects."""
    _BUILD.mkdir(exist_ok=True)
    file = _BUILD / "spells.csv"
    spells(ROWS).to_csv(file, index=False)
    others = _peers(file)
    rounds = [
        {"kit": _run("kit_hazards", ROWS)} | {name: peers.told(command) for name, command in others.items()}
        for _ in range(pairs)
    ]
    _write_many(MANY_ROWS)
    many = _run("kit_many", MANY_ROWS)
    (_BUILD / "spells.duckdb").unlink()
    effects = [{name: _run(name, ROWS) for name in ("kit_effects", "statsmodels_effects")} for _ in range(pairs)]
    lines = [
        f"## Hazard model of {len(LEVELS)} factors, {ROWS:,} spells",
        "",
        *(
            f"Times as fast as {name}, median of {pairs} pairs: "
            f"**{statistics.median(one[name]['seconds'] / one['kit']['seconds'] for one in rounds):.1f}** "
            "(to reach: at least 3)."
            for name in others
        ),
        f"Seconds, median: {statistics.median(one['kit']['seconds'] for one in rounds):.1f}, "
        f"of {rounds[0]['kit']['patterns']:,.0f} patterns.",
        f"Peak memory with {many['spells']:,.0f} spells: **{many['peak_mb'] / 1024:.2f} GB** (to reach: under 2), in "
        f"{many['seconds']:.0f} seconds.",
        "",
        f"## Marginal effects of a logistic model, {ROWS:,} rows and {COLUMNS} columns",
        "",
    ]
    for what, quantity, goal in (("Time", "seconds", "at least 20"), ("Memory", "peak_mb", "at least 10")):
        times = statistics.median(
            one["statsmodels_effects"][quantity] / one["kit_effects"][quantity] for one in effects
        )
        lines.append(
            f"{what} of statsmodels' `get_margeff` in ours, from fitted models: **{times:.0f}** (to reach: {goal})."
        )
    whole = statistics.median(
        sum(one["statsmodels_effects"][part] for part in ("fitting", "seconds"))
        / sum(one["kit_effects"][part] for part in ("fitting", "seconds"))
        for one in effects
    )
    return "\n".join([*lines, f"With fitting, ours from a table in DuckDB: {whole:.0f}."])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_RUNS[sys.argv[1]](int(sys.argv[2]))))
    else:
        print(section(3, ROWS))
