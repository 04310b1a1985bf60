"""The notes that intake and measures make, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from analysis.draw.language import _, mark

NOTES = (
    mark("{column} = {day} less {months} months where {where}"),
    mark("{column} = {day} less {months} months"),
    mark("{column} = {day} where {where}"),
    mark("{column} = {later} later than {than}"),
    mark("read as utf-8, though {count} bytes are not; the rows that hold them are quarantined"),
    mark("read as {encoding}"),
    mark("{count} letters in it look like utf-8 and may be misread"),
    mark("{count} places hold letters encoded twice (such as Ã¼ for ü); they are kept as they stand"),
    mark("{count} letters were lost before this file was written and stand as {sign}"),
    mark("{file}: {count} rows repeat a {column}; the first row of each counts"),
    mark("{file}: {count} rows could not be read and were not joined"),
    mark("column {old} of the file is kept as {new}"),
    mark("{count} rows dated after {day} stand apart from the rest and were not used to choose the period"),
    mark("counts of fewer than {smallest} rows are not told here and not counted among the rows read"),
    mark("derived from the ids of {tables}"),
)
"""What intake writes, the longer forms first; what stands in braces is the source's own."""


@cache
def _form(note: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(note)))


def note(text: str) -> str:
    """Return a note in the reader's language; one of an unknown form stays as it is.

    >>> note("start = 2020-10-01 less tenure months")
    'start = 2020-10-01 abzüglich tenure Monate'
    """
    return translated(text, NOTES)


def translated(text: str, forms: Iterable[str], write: Callable[[str], str] = str) -> str:
    """Return a note that has one of the forms in the reader's language, what stands in its braces as ``write`` does."""
    for form in forms:
        if match := _form(form).fullmatch(text):
            return _(form).format(**{name: write(value) for name, value in match.groupdict().items()})
    return text
