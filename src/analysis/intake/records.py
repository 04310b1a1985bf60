"""Records: what became of each table's rows, as told in snapshot.json."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


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
    def adds_up(self) -> bool:
        """Whether every row read is accepted or left out for one reason."""
        left_out = sum(self.quarantined.values()) + self.parent_quarantined + sum(self.dropped.values())
        return self.read == self.accepted + left_out

    @property
    def line(self) -> str:
        """The record in one line."""
        counts = {"quarantined": sum(self.quarantined.values()), "left out with their parent": self.parent_quarantined}
        counts["dropped"] = sum(self.dropped.values())
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
