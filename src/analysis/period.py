"""Reporting periods: bounds, previous, parse. ISO weeks, months, quarters, half-years, years."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from analysis.errors import PeriodError

Kind = Literal["week", "month", "quarter", "half-year", "year"]
KINDS: tuple[Kind, ...] = ("week", "month", "quarter", "half-year", "year")

_MONTHS: dict[Kind, int] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
_FORMS: dict[Kind, re.Pattern[str]] = {
    "week": re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE),
    "month": re.compile(r"(\d{4})-(\d{1,2})"),
    "quarter": re.compile(r"(\d{4})-?Q(\d)", re.IGNORECASE),
    "half-year": re.compile(r"(\d{4})-?H(\d)", re.IGNORECASE),
    "year": re.compile(r"(\d{4})()"),
}


@dataclass(frozen=True, order=True)
class Period:
    """A reporting period from ``start`` to ``end``, its last day, included.

    >>> Period.parse("2026-Q3")
    Period(kind='quarter', start=datetime.date(2026, 7, 1), end=datetime.date(2026, 9, 30))
    >>> str(Period.parse("2026-Q1").previous)
    '2025-Q4'
    >>> Period.containing(dt.date(2024, 12, 30), "week").id
    '2025-W01'
    """

    kind: Kind
    start: dt.date
    end: dt.date

    @classmethod
    def containing(cls, day: dt.date, kind: Kind) -> Period:
        """Return the period of ``kind`` in which ``day`` lies."""
        if kind == "week":
            start = day - dt.timedelta(days=day.weekday())
            return cls(kind, start, start + dt.timedelta(days=6))
        months = _MONTHS[kind]
        first_month = (day.month - 1) // months * months + 1
        next_year, next_month = divmod(first_month - 1 + months, 12)
        next_start = dt.date(day.year + next_year, next_month + 1, 1)
        return cls(kind, dt.date(day.year, first_month, 1), next_start - dt.timedelta(days=1))

    @classmethod
    def parse(cls, text: str, kind: Kind | None = None) -> Period:
        """Read ``2026-W05``, ``2026-09``, ``2026-Q3``, ``2026-H1`` or ``2026``; ``kind`` is the one expected.

        Raises PeriodError where the text is no period, or one of another kind.
        """
        for form_kind, form in _FORMS.items():
            if match := form.fullmatch(text.strip()):
                period = cls._numbered(form_kind, int(match[1]), int(match[2] or 1), text)
                if kind is not None and kind != form_kind:
                    raise PeriodError(text, f"is a {form_kind}, but the report is made by {kind}")
                return period
        raise PeriodError(text)

    @classmethod
    def _numbered(cls, kind: Kind, year: int, number: int, text: str) -> Period:
        try:
            if kind == "week":
                return cls.containing(dt.date.fromisocalendar(year, number, 1), kind)
            return cls.containing(dt.date(year, (number - 1) * _MONTHS[kind] + 1, 1), kind)
        except ValueError:
            raise PeriodError(text, f"names a {kind} that does not exist") from None

    @property
    def id(self) -> str:
        """The period as it is written on the command line and in paths."""
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        number = (self.start.month - 1) // _MONTHS[self.kind] + 1
        return {
            "month": f"{self.start:%Y-%m}",
            "quarter": f"{self.start.year:04d}-Q{number}",
            "half-year": f"{self.start.year:04d}-H{number}",
            "year": f"{self.start.year:04d}",
        }[self.kind]

    @property
    def as_of(self) -> dt.date:
        """The first day not known when the period is reported: the day after its end."""
        return self.end + dt.timedelta(days=1)

    @property
    def previous(self) -> Period:
        """The period of the same kind just before."""
        return Period.containing(self.start - dt.timedelta(days=1), self.kind)

    @property
    def next(self) -> Period:
        """The period of the same kind just after."""
        return Period.containing(self.as_of, self.kind)

    def instants(self, timezone: str) -> tuple[dt.datetime, dt.datetime]:
        """Return the UTC instants, without zone, at which the period begins and the next one begins."""
        return midnight(self.start, timezone), midnight(self.as_of, timezone)

    def __str__(self) -> str:
        return self.id


def midnight(day: dt.date, timezone: str) -> dt.datetime:
    """Return the UTC instant, without zone, at which ``day`` begins in ``timezone``.

    >>> midnight(dt.date(2026, 7, 1), "Europe/Berlin")
    datetime.datetime(2026, 6, 30, 22, 0)
    """
    local = dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(timezone))
    return local.astimezone(dt.UTC).replace(tzinfo=None)


def last_complete(day: dt.date, kind: Kind) -> Period:
    """Return the last period of ``kind`` whose last day is on or before ``day``.

    >>> last_complete(dt.date(2026, 9, 30), "quarter").id
    '2026-Q3'
    >>> last_complete(dt.date(2026, 9, 29), "quarter").id
    '2026-Q2'
    """
    period = Period.containing(day, kind)
    return period if period.end <= day else period.previous
