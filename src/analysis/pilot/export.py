"""Write blocks to files in the form of the tools they come from, a block at a time."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from analysis.pilot.faults import Fault, plant
from analysis.pilot.layouts import LINE_BREAK, Layout
from analysis.pilot.simulate import Block


def write_block(folder: Path, layout: Layout, block: Block) -> list[Fault]:
    """Append the block's rows to the layout's file; the first block begins it and plants the faults."""
    path, text = folder / layout.file, _text(layout, block)
    if block.number > 0:
        _append(path, text, layout)
        return []
    lines, faults = plant(text.split("\n")[:-1], layout)
    path.write_bytes("\ufeff".encode() if layout.bom else b"")
    _append(path, "".join(f"{line}\n" for line in [_heading(layout), *lines]), layout)
    return faults


def end_file(folder: Path, layout: Layout) -> None:
    """Write what stands after the last row: LimeSurvey leaves an empty line."""
    if layout.blank_end:
        _append(folder / layout.file, "\n", layout)


def _text(layout: Layout, block: Block) -> str:
    # One thread, so that the bytes do not rest on the number of cores.
    columns = layout.rows(block)
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as engine:
        path = Path(folder) / layout.file
        rows = engine.from_arrow(pa.table({name: pa.array(values) for name, values in columns.items()}))
        written = rows.project(", ".join(layout.columns.values()))
        quoting = csv.QUOTE_ALL if layout.quote_all else None
        written.to_csv(str(path), sep=layout.separator, header=False, quoting=quoting)
        return path.read_text(encoding="utf-8")


def _heading(layout: Layout) -> str:
    quote = '"' if layout.quote_all else ""
    return layout.separator.join(f"{quote}{name}{quote}" for name in layout.columns)


def _append(path: Path, text: str, layout: Layout) -> None:
    with path.open("ab") as file:
        file.write(text.replace("\n", layout.line_end).replace(LINE_BREAK, "\n").encode(layout.encoding))
