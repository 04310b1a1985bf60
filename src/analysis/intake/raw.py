"""A source as read: one table in the engine, nothing interpreted yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from analysis.errors import MissingColumnError


@dataclass(frozen=True)
class RawColumn:
    """A column of a raw table: its name in the engine, its header, its engine type, and what the source declares."""

    sql: str
    header: str
    type: str = "VARCHAR"
    decimal: Literal[",", "."] | None = None
    day_first: bool | None = None

    @property
    def is_text(self) -> bool:
        """Whether the container left the value as text."""
        return self.type == "VARCHAR"

    @property
    def as_text(self) -> RawColumn:
        """The column with its values as text; whole floats stand without a point, as ids from a workbook do."""
        if self.is_text:
            return self
        text = f"{self.sql}::VARCHAR"
        if self.type == "DOUBLE":
            whole = f"{self.sql} = trunc({self.sql}) AND abs({self.sql}) < 1e15"
            text = f"CASE WHEN {whole} THEN {self.sql}::BIGINT::VARCHAR ELSE {text} END"
        return replace(self, sql=f"({text})", type="VARCHAR", decimal=".")


@dataclass(frozen=True)
class Reject:
    """A record that has no row in the raw table: where it begins, how many lines it covers, why."""

    line: int
    lines: int
    text: str
    reason: str


@dataclass(frozen=True)
class TextLayout:
    """What is needed to find a row's line in its text file again."""

    path: Path
    encoding: str
    separator: str
    header_lines: int


@dataclass(frozen=True)
class Raw:
    """A source as read. Table ``table`` holds a row a record, in the file's order, and column ``state`` (0: in)."""

    table: str
    source: str
    columns: tuple[RawColumn, ...]
    rows: int
    rejects: tuple[Reject, ...] = ()
    layout: TextLayout | None = None
    line: str = "rowid + 1"
    """SQL of a row's line where the container is no text."""
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    """Files read, as (path as written, SHA-256)."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers, in the file's order."""
        return tuple(column.header for column in self.columns)

    def column(self, header: str) -> RawColumn:
        """Return the column of that header: compared exactly, then trimmed and without regard to case.

        Raises MissingColumnError naming the nearest.
        """
        found = find(header, self.columns)
        if found is None:
            raise MissingColumnError(self.source, header, self.headers)
        return found


def folded(header: str) -> str:
    """Return the form in which headers are compared."""
    return " ".join(header.split()).casefold()


def find(header: str, columns: Iterable[RawColumn]) -> RawColumn | None:
    """Return the column of that header, or None."""
    listed = list(columns)
    exact = (column for column in listed if column.header == header)
    near = (column for column in listed if folded(column.header) == folded(header))
    return next(exact, None) or next(near, None)
