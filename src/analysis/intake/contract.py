"""The contract check: every row is in, quarantined, left out with its parent, or dropped by a named rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from analysis.intake.engine import literal, name
from analysis.intake.fields import Field, trimmed
from analysis.intake.mapping import Mapped
from analysis.intake.raw import Raw
from analysis.source_params import Source
from analysis.vocabulary import REFERENCES, TableSpec

IN, QUARANTINED, PARENT, DROPPED = range(4)
_STATES = {"row": QUARANTINED, "parent": PARENT, "drop": DROPPED}
_MOST_TEXT = 200


@dataclass
class Check:
    """The check of one table. Each step looks only at the rows that are still in."""

    con: duckdb.DuckDBPyConnection
    raw: Raw
    spec: TableSpec
    source: Source
    fields: list[Field] = field(default_factory=list)
    """The fields as they stand after the check: what it set missing is missing in them."""

    @property
    def faults(self) -> str:
        """The table of faults: row, line of what is no row, column, value, reason, kind."""
        return f"{self.raw.table}_faults"
