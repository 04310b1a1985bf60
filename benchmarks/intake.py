"""Intake against DuckDB's own read_csv: a semicolon CSV with German numbers and dates into Parquet.

Each run is a process of its own; runs of the two alternate, and the medians are compared.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from analysis.intake import snapshot
from analysis.params import Params

ROWS, PAIRS = 5_000_000, 5
_COLUMNS = {
    "customer_id": "Kundennummer",
    "date": "Kaufdatum",
    "revenue": "Umsatz",
    "quantity": "Menge",
    "transaction_id": "Belegnummer",
    "product_id": "Artikelnummer",
}
_TYPES = {
    "Belegnummer": "VARCHAR",
    "Kundennummer": "VARCHAR",
    "Kaufdatum": "DATE",
    "Artikelnummer": "VARCHAR",
    "Menge": "DOUBLE",
    "Umsatz": "DOUBLE",
}


def write_orders(file: Path, rows: int) -> None:
    """Write an export of ``rows`` order lines, the same at each call."""
    cents = "((hash(i + 11) % 400000)::INTEGER - 20000) / 100.0"
    german = f"replace(replace(replace(format('{{:,.2f}}', {cents}), ',', '#'), '.', ','), '#', '.')"
    duckdb.sql(
        f"""COPY (
            SELECT 'B' || (10000000 + i) AS Belegnummer, (100000 + hash(i) % 200000)::VARCHAR AS Kundennummer,
                strftime(DATE '2023-01-01' + (hash(i + 7) % 1096)::INTEGER, '%d.%m.%Y') AS Kaufdatum,
                'A-' || (1000 + hash(i + 5) % 400) AS Artikelnummer, 1 + hash(i + 3) % 9 AS Menge, {german} AS Umsatz
            FROM range({rows}) AS numbers(i)
        ) TO '{file}' (HEADER, DELIMITER ';')"""
    )


def _kit(file: Path, out: Path) -> None:
    source = {"path": file.name, "columns": _COLUMNS}
    params = Params.model_validate({"report": "bench", "period": "quarter", "sources": {"transactions": source}})
    snapshot.build(params, file.parent, out)


def _duckdb(file: Path, out: Path) -> None:
    engine = duckdb.connect(config={"threads": len(os.sched_getaffinity(0))})
    out.mkdir(exist_ok=True)
    engine.execute(
        f"""COPY (SELECT * FROM read_csv('{file}', delim = ';', header = true, auto_detect = false, columns = {_TYPES},
                decimal_separator = ',', thousands = '.', dateformat = '%d.%m.%Y'))
            TO '{out / "transactions.parquet"}'"""
    )


_RUNS: dict[str, Callable[[Path, Path], None]] = {"kit": _kit, "duckdb": _duckdb}


def _run_here(name: str, file: Path, out: Path) -> dict[str, float]:
    """Run one of the two in this process, and return its seconds and the peak of memory in MB."""
    begin = time.perf_counter()
    _RUNS[name](file, out)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _run(name: str, file: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=file.parent) as out:
        command = [sys.executable, __file__, name, str(file), out]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(rows: int, pairs: int, folder: Path) -> dict[str, float]:
    """Return medians over ``pairs`` runs of each: seconds of either, the ratio of rates, and our peak memory in GB.

    Importing the libraries is in neither time. A file of ``rows`` rows is made in ``folder`` and taken away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "orders.csv"
    write_orders(file, rows)
    try:
        runs = [{name: _run(name, file) for name in _RUNS} for _ in range(pairs)]
    finally:
        file.unlink()
    return {
        "kit_seconds": statistics.median(run["kit"]["seconds"] for run in runs),
        "duckdb_seconds": statistics.median(run["duckdb"]["seconds"] for run in runs),
        "ratio": statistics.median(run["duckdb"]["seconds"] / run["kit"]["seconds"] for run in runs),
        "peak_gb": max(run["kit"]["peak_mb"] for run in runs) / 1024,
    }


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_run_here(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            print(json.dumps(measure(ROWS, PAIRS, Path(scratch)), indent=1))
