"""The engine in which all of intake happens: one DuckDB database in memory that may spill into the work folder."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

MEMORY_LIMIT = "800MB"
MOST_THREADS = 4


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine that spills into ``folder`` and never downloads anything."""
    return duckdb.connect(
        ":memory:",
        config={
            "threads": min(MOST_THREADS, len(os.sched_getaffinity(0))),
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def name(text: str) -> str:
    """Return ``text`` as a quoted SQL name.

    >>> print(name('Kunde "neu"'))
    "Kunde ""neu"
    """
    return '"' + text.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return ``text`` as a quoted SQL string.

    >>> print(literal("d'Arc"))
    'd''Arc'
    """
    return "'" + str(text).replace("'", "''") + "'"


def count(con: duckdb.DuckDBPyConnection, relation: str, what: str = "*") -> int:
    """Return the number of rows of ``relation``, or of those in which ``what`` is not NULL."""
    row = con.execute(f"SELECT count({what}) FROM {relation}").fetchone()
    return int(row[0]) if row else 0
