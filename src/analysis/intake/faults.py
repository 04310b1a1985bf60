"""Faults of one table: which row, which column, which value, why, and whether the row or only the value is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import duckdb

from analysis.intake import engine
from analysis.intake.engine import literal
from analysis.intake.fields import Field
from analysis.intake.raw import Raw, Reject

IN, QUARANTINED, PARENT, DROPPED = range(4)
"""States of a row. An id that stands in several rows has the least of their states."""

Kind = Literal["row", "value", "parent", "drop"]
_STATES: dict[Kind, int] = {"row": QUARANTINED, "parent": PARENT, "drop": DROPPED}
_MOST_TEXT = 200


@dataclass(frozen=True)
class Faults:
    """The table of faults of a raw table: row, line (of what is no row), column, label, value, reason, kind.

    Each step looks only at rows that are still in, so that a row is left out for one reason.
    """

    con: duckdb.DuckDBPyConnection
    raw: Raw

    @property
    def table(self) -> str:
        """The table's name in the engine."""
        return f"{self.raw.table}_faults"

    def create(self) -> Faults:
        """Make the empty table."""
        self.con.execute(
            f"""CREATE TABLE {self.table} (row BIGINT, line BIGINT, field VARCHAR, label VARCHAR, value VARCHAR,
                reason VARCHAR, kind VARCHAR)"""
        )
        return self

    def add_rejects(self, rejects: Iterable[Reject]) -> None:
        """Add what could not be read as a row."""
        listed = list(rejects)
        if listed:
            self.con.execute("CREATE OR REPLACE TEMP TABLE unread (line BIGINT, value VARCHAR, reason VARCHAR)")
            columns = ([getattr(reject, name) for reject in listed] for name in ("line", "text", "reason"))
            engine.insert(self.con, "unread", *columns)
            self.con.execute(f"INSERT INTO {self.table} SELECT NULL, line, '', '', value, reason, 'row' FROM unread")

    def add(self, kind: Kind, field: Field, condition: str, reason: str) -> int:
        """Add a fault for each row that meets ``condition``, and return how many they are. ``reason`` is SQL."""
        return self._insert(kind, (field.name, field.label, field.text), f"FROM {self.raw.table}", condition, reason)

    def drop(self, rule: str, condition: str) -> None:
        """Drop the rows that meet ``condition`` by a named rule."""
        self._insert("drop", ("", "", "NULL"), f"FROM {self.raw.table}", condition, literal(rule))

    def add_of_parent(self, kind: Kind, field: Field, ids: str, condition: str, reason: str) -> int:
        """Add a fault for each row whose ``field`` has in ``ids`` (columns id, best) what meets ``condition``."""
        relation = f"FROM {self.raw.table} LEFT JOIN {ids} ON id = {field.value}"
        condition = f"{field.value} IS NOT NULL AND {condition}"
        return self._insert(kind, (field.name, field.label, field.text), relation, condition, reason)

    def set_missing(self, field: Field, condition: str, reason: str) -> Field:
        """Add a fault of the value for each row that meets ``condition``; return the field without these values."""
        return self.without(field) if self.add("value", field, condition, reason) else field

    def without(self, field: Field) -> Field:
        """Return ``field`` missing in each row that has a fault of its value."""
        flag = f"missing_{field.name.encode().hex()}"
        self.con.execute(f"ALTER TABLE {self.raw.table} ADD COLUMN IF NOT EXISTS {flag} BOOLEAN")
        self.con.execute(
            f"""UPDATE {self.raw.table} SET {flag} = true WHERE rowid IN (
                SELECT row FROM {self.table} WHERE kind = 'value' AND field = {literal(field.name)})"""
        )
        return replace(field, value=f"CASE WHEN {flag} THEN NULL ELSE {field.value} END")

    def _insert(self, kind: Kind, shown: tuple[str, str, str], relation: str, condition: str, reason: str) -> int:
        name, label, text = shown
        row = self.con.execute(
            f"""INSERT INTO {self.table} SELECT {self.raw.table}.rowid, NULL, {literal(name)}, {literal(label)},
                left({text}, {_MOST_TEXT}), {reason}, {literal(kind)} {relation} WHERE state = {IN} AND ({condition})"""
        ).fetchone()
        count = int(row[0]) if row else 0
        if count and kind in _STATES:
            self.con.execute(
                f"""UPDATE {self.raw.table} SET state = {_STATES[kind]} WHERE state = {IN} AND rowid IN (
                    SELECT row FROM {self.table} WHERE kind = {literal(kind)})"""
            )
        return count

    def counted(self, kind: Kind, by: str) -> dict[str, int]:
        """Return the number of faults of a kind by the SQL ``by``, sorted by it."""
        rows = self.con.execute(
            f"SELECT {by} AS b, count(*) FROM {self.table} WHERE kind = {literal(kind)} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        return {str(reason): int(count) for reason, count in rows}

    def outside_scale(self) -> dict[str, dict[int, int]]:
        """Return, by column, how often each whole number from -1 to 11 was left out as no answer of its scale."""
        rows = self.con.execute(
            f"""SELECT field, number, count(*) FROM (
                SELECT field, try_cast(replace(trim(value), ',', '.') AS DOUBLE) AS number FROM {self.table}
                WHERE kind = 'value' AND reason = 'outside scale')
            WHERE number BETWEEN -1 AND 11 AND number = floor(number) GROUP BY 1, 2 ORDER BY 1, 2"""
        ).fetchall()
        found: dict[str, dict[int, int]] = {}
        for field, number, count in rows:
            found.setdefault(field, {})[int(number)] = int(count)
        return found
