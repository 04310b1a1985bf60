"""Records: what became of each table's rows, as told in snapshot.json."""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import pandas as pd

Key = TypeVar("Key")


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

    def as_json(self, smallest: int = 1) -> dict[str, Any]:
        """Return the record as plain values, as it may be told where fewer than ``smallest`` rows are not."""
        plain = asdict(self.told(smallest))
        plain |= {edge: plain[edge] and plain[edge].isoformat() for edge in ("first", "last")}
        return plain | dict.fromkeys(("read", "accepted") if self.is_hidden(smallest) else ())

    def is_hidden(self, smallest: int) -> bool:
        """Whether so few rows were accepted that nothing may be told of the table."""
        return 0 < self.accepted < smallest

    def told(self, smallest: int) -> TableRecord:
        """Return the record as if whatever counts fewer than ``smallest`` rows had not been read.

        Rows told as read would otherwise give away, by subtraction, those that are not told.
        """
        least = sys.maxsize if self.is_hidden(smallest) else smallest
        told = replace(
            self,
            accepted=self.accepted if self.accepted >= least else 0,
            quarantined=_of_many(self.quarantined, least),
            parent_quarantined=self.parent_quarantined if self.parent_quarantined >= least else 0,
            dropped=_of_many(self.dropped, least),
            set_missing=_of_many(self.set_missing, least),
            outside_scale={column: _of_many(counts, least) for column, counts in self.outside_scale.items()},
            first=None if self.is_hidden(smallest) else self.first,
            last=None if self.is_hidden(smallest) else self.last,
        )
        told = replace(told, read=told.accepted + told.rows_quarantined + told.rows_dropped)
        if told == self:
            return self
        left_out = f"counts of fewer than {smallest} rows are not told here and not counted among the rows read"
        return replace(told, notes=(*(_vague(note, smallest) for note in self.notes), left_out))

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


def _of_many(counts: Mapping[Key, int], least: int) -> dict[Key, int]:
    return {key: count for key, count in counts.items() if count >= least}


def _vague(note: str, smallest: int) -> str:
    """Return a note that does not say how many rows it is about where they are few."""
    return re.sub(r"\b(\d+)(?= rows\b)", lambda found: found[1] if int(found[1]) >= smallest else f"<{smallest}", note)


Records = Mapping[str, TableRecord]
"""The records of a snapshot by table."""


def sources(records: Records, smallest: int = 1) -> pd.DataFrame:
    """Return one row a table: table, source, read, accepted, quarantined, dropped, set_missing, first, last.

    Counts of fewer than ``smallest`` rows are left out; counts of a table that holds fewer are missing.
    """
    return pd.DataFrame([_source(name, record, smallest) for name, record in records.items()])


def _source(name: str, record: TableRecord, smallest: int) -> dict[str, object]:
    told = record.told(smallest)
    counts = {
        "read": told.read,
        "accepted": told.accepted,
        "quarantined": told.rows_quarantined,
        "dropped": told.rows_dropped,
        "set_missing": told.values_set_missing,
    }
    shown = dict.fromkeys(counts, math.nan) if record.is_hidden(smallest) else counts
    return {"table": name, "source": told.source, **shown, "first": told.first, "last": told.last}


def notes(records: Records, smallest: int = 1) -> pd.DataFrame:
    """Return what was noted on the sources, counts of fewer than ``smallest`` rows not told: table, note."""
    rows = [(name, note) for name, record in records.items() for note in record.told(smallest).notes]
    return pd.DataFrame(rows, columns=["table", "note"])


def faults(records: Records, smallest: int = 1) -> pd.DataFrame:
    """Return one row a table and reason: table, reason, effect (``row`` or ``value``), column, count.

    Those of fewer than ``smallest`` rows are left out.
    """
    rows: list[dict[str, object]] = []
    for name, record in ((name, record.told(smallest)) for name, record in records.items()):
        found = {**record.quarantined}
        if record.parent_quarantined:
            found["parent quarantined"] = record.parent_quarantined
        rows += [{"table": name, "reason": key, "effect": "row", "column": "", "count": n} for key, n in found.items()]
        for key, n in record.set_missing.items():
            column, reason = key.split(": ", 1)
            rows.append({"table": name, "reason": reason, "effect": "value", "column": column, "count": n})
    return pd.DataFrame(rows, columns=["table", "reason", "effect", "column", "count"])
