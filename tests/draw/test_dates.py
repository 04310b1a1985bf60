from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from analysis.draw import dates, language
from analysis.errors import PeriodError
from analysis.period import KINDS, Kind, Period

NAMES = [
    # id, German short and long, English short and long
    ("2026-Q3", "Q3 2026", "3. Quartal 2026", "Q3 2026", "3rd quarter 2026"),
    ("2026-09", "Sep 2026", "September 2026", "Sep 2026", "September 2026"),
    ("2026-03", "Mär 2026", "März 2026", "Mar 2026", "March 2026"),
    ("2026-H1", "H1 2026", "1. Halbjahr 2026", "H1 2026", "1st half of 2026"),
    ("2026-H2", "H2 2026", "2. Halbjahr 2026", "H2 2026", "2nd half of 2026"),
    ("2025-W01", "KW 01/2025", "KW 01/2025", "week 01/2025", "week 01/2025"),
    ("2026", "2026", "2026", "2026", "2026"),
]


@pytest.mark.parametrize(("period_id", "short", "long", "english", "english_long"), NAMES)
def test_a_period_is_named_from_its_id(period_id: str, short: str, long: str, english: str, english_long: str) -> None:
    assert (dates.period(period_id), dates.period(period_id, long=True)) == (short, long)
    language.use("en")
    assert (dates.period(period_id), dates.period(period_id, long=True)) == (english, english_long)


def test_the_week_of_the_turn_of_the_year_bears_the_year_it_belongs_to() -> None:
    assert dates.period(Period.containing(dt.date(2024, 12, 30), "week").id) == "KW 01/2025"


@pytest.mark.parametrize("kind", KINDS)
def test_neighbouring_periods_differ_by_one_and_every_id_has_a_name(kind: Kind) -> None:
    period = Period.containing(dt.date(2019, 12, 30), kind)
    for _ in range(120):
        assert dates.ordinal(period.next.id) - dates.ordinal(period.id) == 1
        assert dates.period(period.id) != dates.period(period.next.id)
        period = period.next


@pytest.mark.parametrize("text", ["2026-Q5", "2026-13", "2026-W54", "2025-W53", "2026-H0", "2026-H3", "2026-00"])
def test_a_period_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(PeriodError, match=f"^'{text}' names a period that does not exist"):
        dates.period(text)


@pytest.mark.parametrize("text", ["", "gestern", "2026-X1", "2026-Q3-1", "26-Q3"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(PeriodError, match=f"^'{text}' is not a period"):
        dates.ordinal(text)


def test_dates_are_short_in_tables_and_long_in_sentences() -> None:
    day = pd.Timestamp("2026-03-01")
    assert (dates.date(day), dates.date(day, long=True), dates.date(pd.NaT)) == ("01.03.2026", "1. März 2026", "–")
    language.use("en")
    assert (dates.date(day), dates.date(day, long=True)) == ("Mar 1, 2026", "March 1, 2026")
