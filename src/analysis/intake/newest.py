"""The newest day of the data, by which the period of a report is chosen where none is named. No clock is read."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from analysis.errors import SourceError
from analysis.params import Params
from analysis.period import Period

_GAP, _FEW = dt.timedelta(days=366), 0.01
LONG_GAP = dt.timedelta(days=20 * 366)
"""No firm rests for so long: what stands beyond is a slip of the year, or a date that means never."""
_NEVER = 9999
"""The year that many systems write where no date is meant."""


@dataclass(frozen=True)
class Span:
    """The first and the last day of the data, strays after them left out."""

    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, days: Mapping[dt.date, int]) -> Span | None:
        """Return the span of the rows counted by day; None where there is no day, those of the year 9999 left out.

        Days after a gap of more than 366 days are strays where they hold fewer than one row in a hundred; after one
        of more than twenty years, where they are fewer than half of the days.

        >>> day = dt.date(2026, 9, 30)
        >>> Span.of({day: 500, dt.date(2027, 12, 31): 1}).last
        datetime.date(2026, 9, 30)
        >>> Span.of({day: 300, dt.date(2026, 6, 1): 300, dt.date(2099, 12, 31): 400}).last
        datetime.date(2026, 9, 30)
        """
        newest_first = sorted((day for day in days if day.year < _NEVER), reverse=True)
        if not newest_first:
            return None
        rows = sum(days[day] for day in newest_first)
        last, rows_after = newest_first[0], 0
        for days_after, (later, earlier) in enumerate(pairwise(newest_first), start=1):
            rows_after += days[later]
            is_few = later - earlier > _GAP and rows_after < _FEW * rows
            is_far = later - earlier > LONG_GAP and days_after < len(newest_first) / 2
            last = earlier if is_few or is_far else last
        return cls(newest_first[-1], last)

    def strays(self, days: Mapping[dt.date, int]) -> int:
        """Count the rows dated after the span."""
        return sum(count for day, count in days.items() if day > self.last)


def events(days_by_table: Mapping[str, Mapping[dt.date, int]]) -> Mapping[str, Mapping[dt.date, int]]:
    """Return the days by which a period is chosen: those on which customers began only where there are no others."""
    found = {name: days for name, days in days_by_table.items() if name != "customers"}
    return found if any(found.values()) else days_by_table


def pooled(days_by_table: Mapping[str, Mapping[dt.date, int]]) -> Counter[dt.date]:
    """Return the rows of all tables counted by day."""
    total: Counter[dt.date] = Counter()
    for days in days_by_table.values():
        total.update(days)
    return total


def span(days_by_table: Mapping[str, Mapping[dt.date, int]], sources: Iterable[str]) -> Span:
    """Return the span of all tables. Raises SourceError, naming the ``sources``, where there is no day."""
    found = Span.of(pooled(days_by_table))
    if found is None:
        named = ", ".join(sources)
        raise SourceError(named, "no table has a dated event, so no period can be reported", "Map a column of dates")
    return found


def check_begun(params: Params, period: Period) -> None:
    """Raise SourceError where the record of contracts, as declared, begins only after the period."""
    contracts = params.sources.get("contracts")
    if contracts and contracts.begins and contracts.begins >= period.as_of:
        raise SourceError(
            "sources.contracts",
            f"begins says {contracts.begins}, which lies after the period {period}, for that ends on {period.end}",
            "Correct begins, or name a later period with --period",
        )
