"""Write blocks to files in the form of the tools they come from, a block at a time."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from analysis.pilot.faults import Fault, plant
from analysis.pilot.layouts import Layout
from analysis.pilot.simulate import Block

_LINE_BREAK = "\x1e"
"""Stands for a line break inside a value until the lines' own ends are written."""


def write_block(folder: Path, layout: Layout, block: Block) -> list[Fault]:
    """Append the block's rows to the layout's file; the first block begins it and plants the faults."""
    lines = _lines(layout, block)
    if block.number > 0:
        _append(folder / layout.file, lines, layout)
        return []
    planted_lines, faults = plant(lines, layout)
    with (folder / layout.file).open("wb") as file:
        file.write("\ufeff".encode() if layout.encoding == "utf-8-sig" else b"")
    _append(folder / layout.file, [_heading(layout), *planted_lines], layout)
    return faults


def end_files(folder: Path, layouts: tuple[Layout, ...]) -> None:
    """Write what stands after the last row: LimeSurvey leaves an empty line."""
    for layout in layouts:
        if layout.blank_end:
            _append(folder / layout.file, [""], layout)


def _lines(layout: Layout, block: Block) -> list[str]:
    # One thread: to_csv keeps the order of rows with several as well, but then its bytes rest on the number of cores.
    columns = layout.rows(block)
    quoting = csv.QUOTE_ALL if layout.quote_all else None
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as engine:
        path = Path(folder) / layout.file
        rows = engine.from_arrow(pa.table({name: pa.array(values) for name, values in columns.items()}))
        written = rows.project(", ".join(layout.columns.values()))
        written.to_csv(str(path), sep=layout.separator, header=False, quoting=quoting)
        return path.read_text(encoding="utf-8").split("\n")[:-1]


def _heading(layout: Layout) -> str:
    quote = '"' if layout.quote_all else ""
    return layout.separator.join(f"{quote}{name}{quote}" for name in layout.columns)


def _append(path: Path, lines: list[str], layout: Layout) -> None:
    text = "".join(f"{line}{layout.line_end}" for line in lines).replace(_LINE_BREAK, "\n")
    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    with path.open("ab") as file:
        file.write(text.encode(encoding))
