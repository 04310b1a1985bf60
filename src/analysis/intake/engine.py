"""The engine in which all of intake happens: one DuckDB database in memory that may spill into the work folder.

And the settings of those in which the chapters read what intake has written.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

MEMORY_LIMIT = "800MB"
MOST_THREADS = 4
_READING_SHARE = 0.2
"""Of the memory there is: four chapters may run side by side, and Python needs some beside each engine."""
_SPILLED = ".work-"
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


_REFUSALS = {"No space left": errno.ENOSPC, "too large": errno.EFBIG, "Read-only": errno.EROFS}
"""What the engine says where the system refuses to write, and the system's number for it."""


@contextmanager
def connect(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine that spills into ``folder`` and never downloads anything.

    Raises OSError where the system refuses to write, as a file of Python's would.
    """
    con = _connected(folder)
    try:
        yield con
    except duckdb.IOException as error:
        number = next((number for text, number in _REFUSALS.items() if text in str(error)), errno.EIO)
        raise OSError(number, str(error)) from error
    finally:
        con.close()


def _connected(folder: Path) -> duckdb.DuckDBPyConnection:
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


def reading(folder: Path) -> dict[str, str]:
    """Return the settings of an engine of this process that reads the snapshot in ``folder``.

    Beyond its share of the memory it spills into a folder beside the tables, which it takes away when it is closed.
    """
    limit = int(_memory() * _READING_SHARE) // 2**20
    return {"memory_limit": f"{limit}MiB", "temp_directory": str(folder / f"{_SPILLED}{os.getpid()}")}


def remove_spilled(folder: Path) -> None:
    """Remove what engines that were killed have left beside the snapshot in ``folder``."""
    for spilled in folder.glob(f"{_SPILLED}*"):
        shutil.rmtree(spilled, ignore_errors=True)


def _memory() -> int:
    """Return the bytes of memory this process may use: those of the machine, or of the container it runs in."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    container = _CGROUP_LIMIT.read_text().strip() if _CGROUP_LIMIT.is_file() else ""
    return min(machine, int(container)) if container.isdigit() else machine


def name(text: str) -> str:
    """Return ``text`` as a quoted SQL name.

    >>> print(name('der "neue" Kunde'))
    "der ""neue"" Kunde"
    """
    return '"' + text.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Return ``text`` as a quoted SQL string.

    >>> print(literal("d'Arc"))
    'd''Arc'
    """
    return "'" + str(text).replace("'", "''") + "'"


def among(text: str, words: Iterable[str]) -> str:
    """Return SQL that tells whether ``text`` is one of ``words``.

    It is no ``IN``: DuckDB makes a join of a long list, and a join does not keep rows in their order.
    """
    return f"list_contains([{', '.join(map(literal, words))}], {text})"


def count(con: duckdb.DuckDBPyConnection, relation: str, what: str = "*") -> int:
    """Return the number of rows of ``relation``, or of those in which ``what`` is not NULL."""
    row = con.execute(f"SELECT count({what}) FROM {relation}").fetchone()
    return int(row[0]) if row else 0


def insert(con: duckdb.DuckDBPyConnection, table: str, *columns: Sequence[int | str]) -> None:
    """Append rows to ``table``, given by column."""
    con.register("inserted", pa.table([pa.array(column) for column in columns], names=[*map(str, range(len(columns)))]))
    con.execute(f"INSERT INTO {table} SELECT * FROM inserted")
    con.unregister("inserted")
