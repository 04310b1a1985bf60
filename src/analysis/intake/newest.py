"""The newest day of the data, by which the period of a report is chosen where none is named. No clock is read."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_GAP = dt.timedelta(days=366)
_FEW = 0.01


@dataclass(frozen=True)
class Span:
    """The first and the last day of the data, strays after them left out."""

    first: dt.date
    last: dt.date

    @classmethod
    def of(cls, days: Mapping[dt.date, int]) -> Span:
        """Return the span of the rows counted by day.

        Days after a gap of more than 366 days are strays where they hold fewer than one row in a hundred.

        >>> day = dt.date(2026, 9, 30)
        >>> Span.of({day: 500, dt.date(2099, 12, 31): 1}).last
        datetime.date(2026, 9, 30)
        """
        ordered = sorted(days)
        allowed = _FEW * sum(days.values())
        last, after = ordered[-1], 0
        for earlier, later in zip(reversed(ordered[:-1]), reversed(ordered), strict=False):
            after += days[later]
            if after >= allowed:
                break
            if later - earlier > _GAP:
                last = earlier
        return cls(ordered[0], last)

    def strays(self, days: Mapping[dt.date, int]) -> int:
        """Count the rows dated after the span."""
        return sum(count for day, count in days.items() if day > self.last)


def pooled(days_by_table: Mapping[str, Mapping[dt.date, int]]) -> Counter[dt.date]:
    """Return the rows of all tables counted by day."""
    total: Counter[dt.date] = Counter()
    for days in days_by_table.values():
        total.update(days)
    return total
