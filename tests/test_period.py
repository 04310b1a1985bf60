"""Periods: bounds, neighbours and forms, against the calendar."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import PeriodError
from analysis.period import KINDS, Period, last_complete, midnight

DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2100, 12, 31))


@pytest.mark.parametrize(
    ("text", "kind", "start", "end"),
    [
        ("2025-W01", "week", "2024-12-30", "2025-01-05"),
        ("2026-W53", "week", "2026-12-28", "2027-01-03"),
        ("2024-02", "month", "2024-02-01", "2024-02-29"),
        ("2026-Q3", "quarter", "2026-07-01", "2026-09-30"),
        ("2026q4", "quarter", "2026-10-01", "2026-12-31"),
        ("2026-H2", "half-year", "2026-07-01", "2026-12-31"),
        ("2025", "year", "2025-01-01", "2025-12-31"),
    ],
)
def test_a_period_is_read_with_its_bounds(text, kind, start, end):
    period = Period.parse(text)
    assert (period.kind, period.start.isoformat(), period.end.isoformat()) == (kind, start, end)


@pytest.mark.parametrize(
    "text", ["", "Q3", "2026-Q5", "2026-Q0", "2026-W54", "2025-W53", "2026-13", "2026-00", "26-Q1", "2026-Q3x"]
)
def test_what_is_no_period_is_refused_with_the_forms_there_are(text):
    with pytest.raises(PeriodError, match=r"Write a week as 2026-W05, a month as 2026-09, a quarter as 2026-Q3"):
        Period.parse(text)


def test_a_period_of_another_kind_than_the_reports_is_refused():
    with pytest.raises(PeriodError) as refused:
        Period.parse("2026-09", "quarter")
    assert str(refused.value).startswith("'2026-09' is a month, but the report is made by quarter.")


@given(DAYS, st.sampled_from(KINDS))
def test_periods_tile_the_calendar(day, kind):
    period = Period.containing(day, kind)
    assert period.start <= day <= period.end
    assert period.previous.end + dt.timedelta(days=1) == period.start
    assert period.next.previous == period
    assert period.as_of == period.next.start


@given(DAYS, st.sampled_from(KINDS))
def test_the_id_of_a_period_reads_back_as_that_period(day, kind):
    period = Period.containing(day, kind)
    assert Period.parse(period.id, kind) == period


@given(DAYS, st.sampled_from(KINDS))
def test_the_last_complete_period_is_the_newest_that_has_ended(day, kind):
    period = last_complete(day, kind)
    assert period.end <= day < period.next.end


def test_a_day_begins_at_midnight_of_its_zone():
    # Berlin is one hour ahead of UTC in winter, two in summer
    assert midnight(dt.date(2026, 1, 1), "Europe/Berlin") == dt.datetime(2025, 12, 31, 23)
    assert Period.parse("2026-Q3").instants("Europe/Berlin") == (
        dt.datetime(2026, 6, 30, 22),
        dt.datetime(2026, 9, 30, 22),
    )
