"""Dialect of a text file: separator and headers, found by parsing its beginning with quotes, not by counting."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import ParamsError, SourceError
from analysis.intake.raw import folded
from analysis.source_params import FileForm

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = (";", ",", "\t", "|")
_SAMPLE = 1 << 20
_RECORDS = 500
_EXCEL_LINE = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)
_VALUE = re.compile(r"[-+]?[\d.,/: -]*\d[\d.,/: -]*")

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Dialect:
    """How a text file is laid out. ``skip`` counts records before the first row, ``header_lines`` lines."""

    separator: str
    headers: tuple[str, ...]
    skip: int
    header_lines: int


def blank_separated(file: Path, folder: Path) -> Path:
    """Copy a file whose fields stand apart by blanks as one separated by tabs, line for line."""
    copy = folder / f"{file.name}.tabs"
    with file.open(encoding="utf-8-sig") as lines, copy.open("w", encoding="utf-8") as out:
        out.writelines("\t".join(line.split()) + "\n" for line in lines)
    return copy


def find(file: Path, form: FileForm, source: str) -> Dialect:
    """Return the dialect of ``file``, UTF-8, as far as ``form`` does not declare it.

    Raises SourceError where there is no header, no row, or a header stands twice.
    """
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        text = stream.read(_SAMPLE)
    excel_line = _EXCEL_LINE.match(text)
    body = text[excel_line.end() :] if excel_line else text
    before = 1 if excel_line else 0
    separator = _declared(form, source) or (excel_line[1] if excel_line else _found(body))
    if form.header is not None:
        return Dialect(separator, checked_headers(form.header, source), before, before)
    records = _records(body, separator)
    blank, header = next(((number, record) for number, record in enumerate(records) if record), (0, []))
    header_lines = records.line_num
    if not header:
        raise SourceError(source, "the file is empty", "Export it again")
    if not any(records):
        raise SourceError(source, "the file has a header and no row", "Export it again")
    headers = checked_headers([name.strip() for name in header], source)
    return Dialect(separator, headers, before + blank + 1, before + header_lines)


def _records(text: str, separator: str) -> Reader:
    return csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=separator != "\t")


def _declared(form: FileForm, source: str) -> str | None:
    if form.separator == "blank":
        return "\t"
    if form.separator is not None and len(form.separator) != 1:
        raise ParamsError(source, "separator", f"{form.separator!r} is not one character", "Write one, or `blank`")
    return form.separator


def _found(text: str) -> str:
    """Return the separator by which most records have as many fields as the header; the widest of equals."""

    def score(separator: str) -> tuple[float, int]:
        widths = [len(record) for record in islice(_records(text, separator), _RECORDS) if record]
        if not widths or widths[0] < 2:
            return 0, 0
        return round(sum(width == widths[0] for width in widths) / len(widths), 1), widths[0]

    return max(SEPARATORS, key=score)


def checked_headers(headers: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the headers, with a name for those that have none.

    Raises SourceError where the first row holds values, or two columns have one name.
    """
    named = [header for header in headers if header]
    if named and all(_VALUE.fullmatch(header) for header in named):
        remedy = "Where the file has no header, name its columns: header: [name, name]"
        raise SourceError(source, "the first row holds values, not names of columns", remedy)
    twice = [header for header, count in Counter(map(folded, named)).items() if count > 1]
    if twice:
        listed = ", ".join(repr(header) for header in named if folded(header) in twice)
        raise SourceError(source, f"columns of the same name stand in the header: {listed}", "Rename all but one")
    return tuple(header or f"column {number}" for number, header in enumerate(headers, start=1))
