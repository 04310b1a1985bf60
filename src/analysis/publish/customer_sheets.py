"""The lists of customers of the chapters, written as sheets of the workbook, however long they are."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as parquet
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

Write: TypeAlias = Callable[[int, int, Any], object]

MOST_ROWS = 2**20 - 1
"""The rows of a sheet in Excel, less the heading."""
_MOST_LETTERS = 32_767
"""What a cell of Excel takes."""
_AT_ONCE = 10_000
_WIDEST = 40


@dataclass(frozen=True)
class CustomerSheet:
    """A list of customers: its title, for each column heading and unit, what codes are called, and where it stands."""

    title: str
    columns: Mapping[str, tuple[str, str]]
    labels: Mapping[str, str]
    file: Path

    @property
    def n(self) -> int:
        """How many rows the list has, whether or not they fit on a sheet."""
        return int(parquet.read_metadata(self.file).num_rows)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that fit on a sheet, without ever holding all of them."""
        left = MOST_ROWS
        for batch in parquet.ParquetFile(self.file).iter_batches(_AT_ONCE):
            part = batch.slice(0, left)
            yield from zip(*(column.to_pylist() for column in part.columns), strict=True)
            left -= part.num_rows

    def names(self) -> list[str]:
        """Return the columns in the order of the list."""
        return list(parquet.read_schema(self.file).names)


def customer_sheets(folder: Path | None, chapters: Iterable[str]) -> list[CustomerSheet]:
    """Return the lists that ``chapters`` have handed over, in their order; none where there is no folder for them."""
    if folder is None:
        return []
    files = (folder / chapter / "lists.json" for chapter in chapters)
    return [
        CustomerSheet(one["title"], one["columns"], one["labels"], file.parent / f"{one['id']}.parquet")
        for file in files
        if file.is_file()
        for one in json.loads(file.read_text(encoding="utf-8"))
    ]


def write_rows(sheet: Worksheet, found: CustomerSheet, heading: Format, formats: Mapping[str, Format]) -> None:
    """Write a list with its headings, which stay in sight and can be filtered; numbers and dates stay what they are."""
    names = found.names()
    writers = [_writer(sheet, found.columns[name][1], found.labels, formats) for name in names]
    for column, name in enumerate(names):
        title, unit = found.columns[name]
        sheet.set_column(column, column, min(max(len(title) + 4, 14 if unit != "plain" else 18), _WIDEST))
        sheet.write_string(0, column, title, heading)
    row = 0
    for row, cells in enumerate(found.rows(), start=1):
        for column, (write, cell) in enumerate(zip(writers, cells, strict=True)):
            if cell is not None:
                write(row, column, cell)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, row, len(names) - 1)
    # customer numbers are text, for some begin with a nought; Excel would mark each
    sheet.ignore_errors({"number_stored_as_text": f"A2:A{row + 1}"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _writer(sheet: Worksheet, unit: str, labels: Mapping[str, str], formats: Mapping[str, Format]) -> Write:
    """Return what writes a cell of a column of that unit."""
    form = formats.get(unit)
    named = labels if unit == "text" else {}

    def write(row: int, column: int, cell: Any) -> None:
        if isinstance(cell, dt.date):
            sheet.write_datetime(row, column, cell, formats["date"])
        elif isinstance(cell, int | float) and not isinstance(cell, bool):
            if math.isfinite(cell):
                sheet.write_number(row, column, cell, form)
        else:
            text = str(cell)
            sheet.write_string(row, column, named.get(text, text)[:_MOST_LETTERS])

    return write
