"""Joins: columns of further files, added to each row of the main one by an equal value."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from analysis.intake.fields import trimmed
from analysis.intake.raw import Raw, find


def add(con: duckdb.DuckDBPyConnection, left: Raw, right: Raw, on: str, number: int) -> Raw:
    """Return ``left`` with the columns of ``right`` that it lacks. Rows stay in order and are never multiplied.

    Of several rows of ``right`` with one key the first counts, and a note says how many did not.
    Raises MissingColumnError where either lacks ``on``.
    """
    key_left, key_right = (trimmed(raw.column(on).as_text.sql) for raw in (left, right))
    added = [column for column in right.columns if find(column.header, left.columns) is None]
    renamed = [replace(column, sql=f"j{number}_{column.sql}") for column in added]
    picked = ", ".join(f"r.{column.sql} AS {new.sql}" for column, new in zip(added, renamed, strict=True))
    table = f"{left.table}_{number}"
    con.execute(
        f"""CREATE TABLE {table} AS
            WITH l AS (SELECT *, rowid AS place, {key_left} AS key FROM {left.table}),
                 r AS (SELECT *, {key_right} AS key, rowid AS place FROM {right.table}),
                 firsts AS (SELECT key, min(place) AS place FROM r WHERE key IS NOT NULL GROUP BY key)
            SELECT l.* EXCLUDE (place, key) {", " + picked if picked else ""} FROM l
            LEFT JOIN firsts USING (key) LEFT JOIN r ON r.place = firsts.place ORDER BY l.place"""
    )
    more = _repeated(con, right, key_right)
    con.execute(f"DROP TABLE {left.table}")
    con.execute(f"DROP TABLE {right.table}")
    notes = (f"{right.source}: {more} rows repeat a {on!r}; the first row of each counts",) if more else ()
    return replace(
        left,
        table=table,
        columns=(*left.columns, *renamed),
        notes=(*left.notes, *right.notes, *_rejected(right), *notes),
        files=(*left.files, *right.files),
    )


def _repeated(con: duckdb.DuckDBPyConnection, right: Raw, key: str) -> int:
    row = con.execute(f"SELECT count({key}) - count(DISTINCT {key}) FROM {right.table}").fetchone()
    return int(row[0]) if row else 0


def _rejected(right: Raw) -> tuple[str, ...]:
    count = len(right.rejects)
    return (f"{right.source}: {count} rows could not be read and were not joined",) if count else ()
