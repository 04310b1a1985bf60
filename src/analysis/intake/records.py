"""Records: what became of each table's rows, as told in snapshot.json."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class TableRecord:
    """What became of the rows of one source.

    ``quarantined`` counts rows by reason, ``dropped`` rows by rule, ``set_missing`` values by "column: reason",
    ``outside_scale`` answers off their scale by column and whole number; ``first`` and ``last`` are the days of the
    first and the last event, in the report's time zone.
    """

    table: str
    source: str
    files: tuple[tuple[str, str], ...]
    read: int
    accepted: int
    quarantined: Mapping[str, int]
    parent_quarantined: int
    dropped: Mapping[str, int]
    set_missing: Mapping[str, int]
    outside_scale: Mapping[str, Mapping[int, int]]
    columns: tuple[str, ...]
    first: dt.date | None
    last: dt.date | None
    notes: tuple[str, ...]

    @property
    def rows_quarantined(self) -> int:
        """The rows quarantined, those left out with their parent too."""
        return sum(self.quarantined.values()) + self.parent_quarantined

    @property
    def rows_dropped(self) -> int:
        """The rows dropped by any rule."""
        return sum(self.dropped.values())

    @property
    def values_set_missing(self) -> int:
        """The single values set missing."""
        return sum(self.set_missing.values())

    @property
    def adds_up(self) -> bool:
        """Whether every row read is accepted or left out for one reason."""
        return self.read == self.accepted + self.rows_quarantined + self.rows_dropped

    @property
    def line(self) -> str:
        """The record in one line."""
        counts = {"quarantined": sum(self.quarantined.values()), "left out with their parent": self.parent_quarantined}
        counts["dropped"] = self.rows_dropped
        told = "".join(f", {count:,} {what}" for what, count in counts.items() if count or what == "quarantined")
        return f"{self.table}: {self.read:,} rows read, {self.accepted:,} accepted{told}"

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        plain = asdict(self)
        return plain | {edge: plain[edge] and plain[edge].isoformat() for edge in ("first", "last")}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> TableRecord:
        """Return the record that ``as_json`` gave."""
        edges = {edge: plain[edge] and dt.date.fromisoformat(plain[edge]) for edge in ("first", "last")}
        files = tuple((path, digest) for path, digest in plain["files"])
        scales = plain.get("outside_scale", {}).items()  # a snapshot of an earlier version has none
        outside = {column: {int(number): count for number, count in counts.items()} for column, counts in scales}
        listed = {
            "outside_scale": outside,
            "columns": tuple(plain["columns"]),
            "notes": tuple(plain["notes"]),
            "files": files,
        }
        return cls(**{**plain, **edges, **listed})


Records = Mapping[str, TableRecord]
"""The records of a snapshot by table."""


def sources(records: Records) -> pd.DataFrame:
    """Return one row a table: table, source, read, accepted, quarantined, dropped, set_missing, first, last."""
    return pd.DataFrame(
        [
            {
                "table": name,
                "source": record.source,
                "read": record.read,
                "accepted": record.accepted,
                "quarantined": record.rows_quarantined,
                "dropped": record.rows_dropped,
                "set_missing": record.values_set_missing,
                "first": record.first,
                "last": record.last,
            }
            for name, record in records.items()
        ]
    )


def notes(records: Records) -> pd.DataFrame:
    """Return what was noted on the sources: table, note."""
    rows = [(name, note) for name, record in records.items() for note in record.notes]
    return pd.DataFrame(rows, columns=["table", "note"])


def faults(records: Records) -> pd.DataFrame:
    """Return one row a table and reason: table, reason, effect (``row`` or ``value``), column, count."""
    rows: list[dict[str, object]] = []
    for name, record in records.items():
        found = {**record.quarantined}
        if record.parent_quarantined:
            found["parent quarantined"] = record.parent_quarantined
        rows += [{"table": name, "reason": key, "effect": "row", "column": "", "count": n} for key, n in found.items()]
        for key, n in record.set_missing.items():
            column, reason = key.split(": ", 1)
            rows.append({"table": name, "reason": reason, "effect": "value", "column": column, "count": n})
    return pd.DataFrame(rows, columns=["table", "reason", "effect", "column", "count"])
