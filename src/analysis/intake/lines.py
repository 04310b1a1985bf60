"""Lines: where in its file a row begins, found only for rows that have a fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import duckdb

from analysis.intake import engine
from analysis.intake.encoding import blocks
from analysis.intake.raw import Raw, TextLayout


def line_of(con: duckdb.DuckDBPyConnection, raw: Raw, faults: str) -> str:
    """Return SQL, over the raw table, of the line on which a row begins; right for the rows in ``faults``."""
    layout = raw.layout
    if layout is None:
        return raw.line
    feeds = sum(block.count(b"\n") for block in blocks(layout.path)) - layout.header_lines
    one_line_each = feeds - sum(reject.lines for reject in raw.rejects) in (raw.rows, raw.rows - 1)
    if one_line_each and not raw.rejects:
        return f"rowid + {layout.header_lines + 1}"
    wanted = con.execute(f"SELECT DISTINCT row FROM {faults} WHERE row IS NOT NULL ORDER BY row").fetchall()
    numbered = _counted if one_line_each else _found
    found = list(numbered(raw, layout, [row for (row,) in wanted]))
    con.execute(f"CREATE TABLE {raw.table}_lines (at_row BIGINT, at_line BIGINT)")
    if found:
        engine.insert(con, f"{raw.table}_lines", *map(list, zip(*found, strict=True)))
    return f"(SELECT any_value(at_line) FROM {raw.table}_lines WHERE at_row = {raw.table}.rowid)"


def _counted(raw: Raw, layout: TextLayout, wanted: list[int]) -> Iterator[tuple[int, int]]:
    """Yield rows with their lines where every row takes one line: only what was rejected stands between them."""
    upcoming = iter(raw.rejects)
    following = next(upcoming, None)
    rejected = 0
    for row in wanted:
        while following and following.line <= row + rejected + layout.header_lines + 1:
            rejected += following.lines
            following = next(upcoming, None)
        yield row, row + rejected + layout.header_lines + 1


def _found(raw: Raw, layout: TextLayout, wanted: list[int]) -> Iterator[tuple[int, int]]:
    """Yield rows with their lines by reading the file again up to the last of them."""
    upcoming = iter(wanted)
    following = next(upcoming, None)
    for row, line in enumerate(_first_lines(raw, layout)):
        if following is None:
            return
        if row == following:
            yield row, line
            following = next(upcoming, None)


def _first_lines(raw: Raw, layout: TextLayout) -> Iterator[int]:
    """Yield the first line of each record that became a row, stepping over those that did not."""
    rejected = {reject.line: reject.lines for reject in raw.rejects}
    line = layout.header_lines
    with layout.path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for _ in range(layout.header_lines):
            next(lines)
        reader = csv.reader(lines, delimiter=layout.separator, skipinitialspace=layout.separator != "\t")
        while True:
            if line + 1 in rejected:
                for _ in range(rejected[line + 1]):
                    next(lines, None)
                    line += 1
                continue
            read = reader.line_num
            record = next(reader, None)
            if record is None:
                return
            if any(record) or (record and len(raw.columns) > 1):
                yield line + 1
            line += reader.line_num - read
