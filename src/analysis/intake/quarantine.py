"""Quarantine: the list of what was left out, safe to open in a spreadsheet, and the limit on how much may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from analysis.errors import QuarantineError
from analysis.intake import engine, lines
from analysis.intake.engine import literal
from analysis.intake.faults import Faults
from analysis.intake.raw import Raw


def write(con: duckdb.DuckDBPyConnection, raw: Raw, faults: Faults, folder: Path, table: str) -> None:
    """Write the faults of a table, where there are any, as ``<folder>/<table>.csv`` in the order of the file."""
    listed = f"(SELECT * FROM {faults.table} WHERE kind <> 'drop')"
    if not engine.count(con, listed):
        return
    folder.mkdir(exist_ok=True)
    line = lines.line_of(con, raw, listed)
    con.execute(
        f"""COPY (
            SELECT {literal(raw.source)} AS file, coalesce(line, counted) AS line, {_inert("label")} AS "column",
                {_inert("value")} AS value, reason, kind
            FROM (SELECT row, line, field, label, value, reason, kind FROM {listed})
            LEFT JOIN (SELECT rowid AS place, {line} AS counted FROM {raw.table}
                WHERE rowid IN (SELECT row FROM {listed})) ON place = row
            ORDER BY line, label, reason, value
        ) TO {literal(folder / f"{table}.csv")} (FORMAT csv, HEADER, DELIMITER ',')"""
    )


def _inert(text: str) -> str:
    """Return SQL of ``text`` that no spreadsheet takes for a formula."""
    return f"CASE WHEN regexp_matches({text}, '^[=+@\\t\\r-]') THEN '''' || {text} ELSE {text} END"


@dataclass(frozen=True)
class Excess:
    """A table with more rows quarantined than allowed."""

    source: str
    table: str
    quarantined: Mapping[str, int]
    read: int

    @property
    def total(self) -> int:
        """The number of quarantined rows."""
        return sum(self.quarantined.values())


def refuse(excesses: Sequence[Excess], limit: float) -> None:
    """Raise one QuarantineError for all tables beyond the limit, the first of them in full."""
    if not excesses:
        return
    first, *others = excesses
    reasons = ", ".join(f"{reason}: {count}" for reason, count in first.quarantined.items())
    more = "".join(f"; also {one.total} of {one.read} rows of {one.table}" for one in others)
    raise QuarantineError(first.source, first.table, first.total, first.read, limit, reasons + more)
