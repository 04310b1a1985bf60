"""Dates and reporting periods as the reader writes them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from babel.dates import format_date

from analysis.draw.language import _, reader
from analysis.draw.numbers import MISSING, is_missing
from analysis.errors import PeriodError

_FORM = re.compile(r"(?P<year>\d{4})(?:-(?P<kind>[WQH]?)(?P<number>\d{1,2}))?")
_A_YEAR = {"Q": 4, "H": 2, "": 12}


def date(day: Any, *, long: bool = False) -> str:
    """Return a date, short as in a table or long as in a sentence.

    >>> date(dt.date(2026, 9, 30)), date(dt.date(2026, 9, 30), long=True), date(None)
    ('30.09.2026', '30. September 2026', '–')
    """
    if is_missing(day):
        return MISSING
    return format_date(day, "long" if long else "medium", locale=reader().language)


def period(period_id: str, *, long: bool = False) -> str:
    """Return the name of a period from its id, as written in paths: 2025-W01, 2026-09, 2026-Q3, 2026-H1, 2026.

    >>> period("2026-Q3"), period("2026-Q3", long=True), period("2025-W01"), period("2026-H1", long=True)
    ('Q3 2026', '3. Quartal 2026', 'KW 01/2025', '1. Halbjahr 2026')
    """
    year, kind, number = _parts(period_id)
    if kind == "W":
        return _("week {number:02d}/{year}").format(number=number, year=year)
    if kind == "H":
        form = _half_years()[number - 1] if long else "H{number} {year}"
        return form.format(number=number, year=year)
    if kind == "Y":
        return f"{year}"
    start = dt.date(year, (number - 1) * 12 // _A_YEAR[kind] + 1, 1)
    patterns = {"Q": ("QQQ yyyy", "QQQQ yyyy"), "": ("LLL yyyy", "LLLL yyyy")}[kind]
    return format_date(start, patterns[long], locale=reader().language)


def _half_years() -> tuple[str, str]:
    return _("1st half of {year}"), _("2nd half of {year}")


def ordinal(period_id: str) -> int:
    """Return the place of a period among all of its kind, so that neighbours differ by one.

    >>> ordinal("2026-Q1") - ordinal("2025-Q4"), ordinal("2025-W01") - ordinal("2024-W52")
    (1, 1)
    """
    year, kind, number = _parts(period_id)
    if kind == "W":
        return dt.date.fromisocalendar(year, number, 1).toordinal() // 7
    return year if kind == "Y" else year * _A_YEAR[kind] + number - 1


def _parts(period_id: str) -> tuple[int, str, int]:
    match = _FORM.fullmatch(str(period_id))
    if match is None:
        raise PeriodError(str(period_id))
    year, number = int(match["year"]), int(match["number"] or 1)
    kind = "Y" if match["number"] is None else match["kind"]
    _check(period_id, year, kind, number)
    return year, kind, number


def _check(period_id: str, year: int, kind: str, number: int) -> None:
    last = {"W": dt.date(year, 12, 28).isocalendar().week, "Y": 1, **_A_YEAR}[kind]
    if not 1 <= number <= last:
        raise PeriodError(period_id, "names a period that does not exist")
