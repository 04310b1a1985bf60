"""A small workbench for intake: write files, build a snapshot from them, read back what came of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.intake import snapshot
from analysis.intake.snapshot import Snapshot
from analysis.params import Params
from analysis.period import Period

ORDERS = {"customer_id": "Kunde", "date": "Datum", "revenue": "Umsatz"}


@dataclass
class Bench:
    folder: Path
    builds: int = 0

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def build(
        self, sources: dict[str, Any], period: str | None = "2026-Q1", *, kind: str = "quarter", **params: Any
    ) -> Snapshot:
        """Build a snapshot, by default for the quarter in which most tests have their events."""
        self.builds += 1
        plain = {"report": "probe", "period": kind, "max_quarantined": 1.0, "sources": sources, **params}
        chosen = Period.parse(period) if period else None
        out = self.folder / f"snapshot{self.builds}"
        return snapshot.build(Params.model_validate_json(json.dumps(plain)), self.folder, out, period=chosen)

    def orders(self, content: str | bytes, **source: Any) -> Snapshot:
        """Build from one file of orders with the headers Kunde, Datum and Umsatz."""
        self.file("orders.csv", content)
        return self.build({"transactions": {"path": "orders.csv", "columns": ORDERS, **source}})

    def column(self, values: list[str], name: str, **source: Any) -> list[Any]:
        """Return the values of an order's column as read from ``values``, beside dates and revenues without fault."""
        lines = [f'K{number};2026-01-05;1;"{value}"' for number, value in enumerate(values)]
        content = "\n".join(["Kunde;Datum;Umsatz;Wert", *lines])
        columns = {**ORDERS, name: "Wert"}
        built = self.orders(content, columns=columns, **source)
        return [row[0] for row in rows(built, "transactions", f'"{name}"')]


def rows(built: Snapshot, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    file = built.folder / "tables" / f"{table}.parquet"
    return duckdb.sql(f"SELECT {columns} FROM '{file}'").fetchall()


def quarantine(built: Snapshot, table: str) -> list[tuple[str, ...]]:
    """Return (line, column, value, reason, kind) of each line of a quarantine file."""
    file = built.folder / "quarantine" / f"{table}.csv"
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            tuple(row[name] for name in ("line", "column", "value", "reason", "kind")) for row in csv.DictReader(lines)
        ]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def read_rows() -> Callable[..., list[tuple[Any, ...]]]:
    return rows


@pytest.fixture
def read_quarantine() -> Callable[[Snapshot, str], list[tuple[str, ...]]]:
    return quarantine


@pytest.fixture
def bench_in() -> Callable[[Path], Bench]:
    """Make a bench in another folder than the test's own."""
    return Bench
