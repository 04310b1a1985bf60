"""ABC classes, migration between them and purchase summaries against the same counts written in SQL by hand.

Classes and migration begin from a table of orders in DuckDB's memory, kit and hand alternating in one process. Purchase
summaries begin from a ledger in Parquet; each run is a process of its own, whose engine may take so much memory and
spills what is more.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import duckdb
import ibis
import pandas as pd

from analysis.measures.migration import migration
from analysis.measures.purchase_summary import purchase_summary
from analysis.measures.segments import abc
from benchmarks import ledger, peers
from benchmarks.clock import seconds

CUSTOMERS, ORDERS = 1_000_000, 9_000_000
LINES = 50_000_000
MEMORY_LIMIT = "700MB"
"""Of either way's engine; Python and its libraries come on top."""
_BUILD = Path(__file__).parent / "build"

_ORDERS = f"""
    CREATE TABLE orders AS SELECT 'K' || lpad((hash(i) % {CUSTOMERS})::VARCHAR, 8, '0') AS customer_id,
        DATE '2023-01-01' + (hash(i + 1) % 1096)::INTEGER AS date,
        round((0.1 - ln((1 + hash(i + 2) % 1000003) / 1000004)) * (20 + hash(hash(i) % {CUSTOMERS}) % 300)
            * CASE WHEN hash(i + 3) % 33 > 0 THEN 1 ELSE -1 END, 2) AS revenue
    FROM range({ORDERS}) AS numbers(i);
    CREATE VIEW before AS FROM orders WHERE date BETWEEN '2024-01-01' AND '2024-12-31';
    CREATE VIEW after AS FROM orders WHERE date BETWEEN '2025-01-01' AND '2025-12-31';
"""
_CLASSED = """
    SELECT customer_id, cents, has_bought,
        CASE WHEN cents <= 0 THEN 'C' WHEN sooner < 0.8 * total THEN 'A' WHEN sooner < 0.95 * total THEN 'B'
            ELSE 'C' END AS class
    FROM (
        SELECT *, sum(greatest(cents, 0)) OVER () AS total,
            sum(greatest(cents, 0)) OVER (ORDER BY cents DESC, customer_id ROWS UNBOUNDED PRECEDING)
                - greatest(cents, 0) AS sooner
        FROM (
            SELECT customer_id, sum(round(100 * revenue)::BIGINT) AS cents, bool_or(revenue >= 0) AS has_bought
            FROM {table} WHERE customer_id IS NOT NULL AND NOT isnan(revenue) GROUP BY customer_id))
"""
_ABC = f"SELECT class, count(*) AS customers FROM ({_CLASSED.format(table='after')}) GROUP BY class ORDER BY class"
_MIGRATION = f"""
    SELECT coalesce(l.class, CASE WHEN r.is_first THEN 'new' ELSE 'returned' END) AS state_before,
        coalesce(r.class, 'gone') AS state_after, count(*) AS customers, sum(l.cents) AS before, sum(r.cents) AS after
    FROM ({_CLASSED.format(table="before")}) l FULL JOIN (
        SELECT customer_id, class, cents, {{first}} AS is_first
        FROM ({_CLASSED.format(table="after")}) {{history}}) r USING (customer_id)
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_HISTORY = """LEFT JOIN (
            SELECT DISTINCT customer_id, true AS is_known FROM orders
            WHERE revenue >= 0 AND date < (SELECT min(date) FROM after)) USING (customer_id)"""
_SUMMARY = f"""
    SELECT frequency, recency / 7 AS recency, age / 7 AS age, count(*) AS customers
    FROM (
        SELECT count(*) - 1 AS frequency, max(date) - min(date) AS recency, DATE '{ledger.END}' - min(date) AS age
        FROM (
            SELECT DISTINCT customer_id, date FROM '{{file}}'
            WHERE customer_id IS NOT NULL AND date <= DATE '{ledger.END}' AND revenue >= 0 AND NOT isnan(revenue))
        GROUP BY customer_id)
    GROUP BY ALL ORDER BY ALL
"""


def _ways(engine: duckdb.DuckDBPyConnection) -> Mapping[str, tuple[Callable[[], pd.DataFrame], str]]:
    """Return what is measured by name: the kit's call, and the SQL by hand."""
    backend = ibis.duckdb.from_connection(engine)
    orders, before, after = (backend.table(name) for name in ("orders", "before", "after"))
    return {
        "ABC classes": (lambda: abc(after), _ABC),
        "migration": (lambda: migration(before, after), _MIGRATION.format(first="has_bought", history="")),
        "migration with history": (
            lambda: migration(before, after, history=orders),
            _MIGRATION.format(first="has_bought AND is_known IS NULL", history=_HISTORY),
        ),
    }


def _frame(engine: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    return engine.sql(sql).df()


def _classes(pairs: int) -> list[str]:
    """Return a row for each measure: ratio, and seconds of both, medians."""
    engine, rows = duckdb.connect(), []
    engine.execute(_ORDERS)
    for name, (kit, sql) in _ways(engine).items():
        by_hand = partial(_frame, engine, sql)
        found = kit()
        assert found.loc[found["customers"] > 0, "customers"].tolist() == by_hand()["customers"].tolist()
        runs = [(seconds(kit), seconds(by_hand)) for _pair in range(pairs)]
        ratio = statistics.median(ours / hand for ours, hand in runs)
        ours, hand = (statistics.median(column) for column in zip(*runs, strict=True))
        rows.append(f"| {name} | **{ratio:.2f}** | {ours:.1f} | {hand:.1f} |")
    return rows


def _kit_summary(file: str, spills: str) -> pd.DataFrame:
    engine = ibis.duckdb.connect(memory_limit=MEMORY_LIMIT, temp_directory=spills)
    return purchase_summary(engine.read_parquet(file), end=ledger.END)


def _hand_summary(file: str, spills: str) -> pd.DataFrame:
    engine = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": spills})
    return _frame(engine, _SUMMARY.format(file=file))


_RUNS = {"kit": _kit_summary, "hand": _hand_summary}


def _told(way: str, file: str) -> dict[str, float]:
    """Run one of the two in this process, and say what it took and, to compare, what it found."""
    spills = _BUILD / f"spills-{os.getpid()}"
    begin, busy = time.perf_counter(), time.process_time()
    rows = _RUNS[way](file, str(spills))
    took = {"seconds": time.perf_counter() - begin, "processor": time.process_time() - busy}
    shutil.rmtree(spills, ignore_errors=True)
    hashed = int(pd.util.hash_pandas_object(rows.astype("float64")).sum() % 2**53)
    return {**took, "peak_mb": peers.peak_mb(), "customers": int(rows["customers"].sum()), "hash": hashed}


def _summaries(pairs: int) -> dict[str, float]:
    """Return medians over the runs of either way, the greatest peaks of memory, lines and customers."""
    file = _BUILD / "ledger.parquet"
    ledger.write(file, LINES)
    command = [sys.executable, "-m", "benchmarks.segments"]
    runs = [{way: peers.told([*command, way, str(file)]) for way in _RUNS} for _pair in range(pairs)]
    lines = ledger.lines(file)
    file.unlink()
    assert all(run["kit"]["hash"] == run["hand"]["hash"] for run in runs)
    found = {f"{way}_peak": max(run[way]["peak_mb"] for run in runs) / 1024 for way in _RUNS}
    for what in ("seconds", "processor"):
        found[f"{what}_ratio"] = statistics.median(run["kit"][what] / run["hand"][what] for run in runs)
        found |= {f"{way}_{what}": statistics.median(run[way][what] for run in runs) for way in _RUNS}
    return {**found, "lines": lines, "customers": runs[0]["kit"]["customers"]}


def section(pairs: int, _rows: int) -> str:
    """Return the section on classes, migration and purchase summaries."""
    lines = [
        f"## ABC classes and migration of {CUSTOMERS:,} customers, from {ORDERS / 3:,.0f} orders a year",
        "",
        f"Wall time against the same counts in hand-written SQL, medians of {pairs} pairs (to reach: at most 1.5).",
        "",
        "| measure | ratio | seconds, kit | seconds, by hand |",
        "|---|---|---|---|",
        *_classes(pairs),
    ]
    found = _summaries(pairs)
    return "\n".join(
        [
            *lines,
            "",
            f"## Purchase summary of {found['lines']:,} order lines in Parquet, {found['customers']:,} customers",
            "",
            f"Wall time against hand-written SQL, median of {pairs} pairs: **{found['seconds_ratio']:.2f}** "
            f"(to reach: at most 1.3); processor time: {found['processor_ratio']:.2f}.",
            f"Peak memory: **{found['kit_peak']:.2f} GB** (to reach: under 1), by hand {found['hand_peak']:.2f} GB; "
            f"either engine has {MEMORY_LIMIT} and spills what is more.",
            f"Seconds, medians: kit {found['kit_seconds']:.1f}, by hand {found['hand_seconds']:.1f}.",
        ]
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_told(sys.argv[1], sys.argv[2])))
    else:
        print(section(3, 0))
