"""Forms of numbers, dates, instants and yes/no, decided over a whole column."""

from __future__ import annotations

import datetime as dt

import pytest

NUMBERS = [
    # form, values as they stand, numbers
    ("plain", ["1", "-2", "+3"], [1, -2, 3]),
    ("German", ["1.234,56", "-0,5", "7", ",25"], [1234.56, -0.5, 7, 0.25]),
    ("German in millions", ["1.234.567,8", "2.000"], [1234567.8, 2000]),
    ("English", ["1,234.56", "-0.5", "7", ".25"], [1234.56, -0.5, 7, 0.25]),
    ("proven by a leading zero", ["0.125", "1.500"], [0.125, 1.5]),
    ("proven by two groups", ["1.234.567", "1.500"], [1234567, 1500]),
    ("with a currency", ["1.234,56 €", "€ 12,50", "3,20 EUR", "-4,00 €"], [1234.56, 12.5, 3.2, -4]),
    ("dollars", ["$1,234.56", "-$12.50", "$ -3.25"], [1234.56, -12.5, -3.25]),
    ("grouped by no-break spaces", ["1\u00a0234,56", "1\u202f234\u202f567,8"], [1234.56, 1234567.8]),
    ("grouped by apostrophes", ["1'234.50", "1’234’567.25"], [1234.5, 1234567.25]),
    ("with the minus behind", ["12,50-", "1.200,00 -"], [-12.5, -1200]),
    ("guarded by a CRM", ["'-12,50", "'+3,25"], [-12.5, 3.25]),
    ("with a real minus", ["\u221212,5", "3,5"], [-12.5, 3.5]),
    ("with an exponent", ["1.5E-05", "2.0"], [1.5e-05, 2]),
    ("with blanks around", [" 1,5 ", "\t2,5"], [1.5, 2.5]),
    ("with words for missing", ["1,5", "", "NULL", "n/a", "-", "None"], [1.5, None, None, None, None, None]),
]


@pytest.mark.parametrize(("values", "expected"), [case[1:] for case in NUMBERS], ids=[case[0] for case in NUMBERS])
def test_a_number_column_is_read_in_its_form(bench, values, expected):
    assert bench.column(values, "quantity") == expected


@pytest.mark.parametrize(
    "value", ["zwölf", "12.34,56", "1.23,4", "1,2,3", "1e5x", "0x10", "inf", "1_000", "12,-", "--5"]
)
def test_what_is_no_number_is_missing_and_the_rest_is_read(bench, value):
    assert bench.column(["1,5", "2,5", "1.000,25", value], "quantity") == [1.5, 2.5, 1000.25, None]


def test_a_form_that_beats_the_other_clearly_wins(bench):
    # Three values only German reads, one only English reads.
    assert bench.column(["1,5", "2,5", "3,5", "4.5"], "quantity") == [1.5, 2.5, 3.5, None]


def test_a_form_is_decided_by_the_last_of_many_rows(bench):
    assert bench.column(["1.234"] * 3000 + ["1,5"], "quantity")[-2:] == [1234, 1.5]


def test_the_declared_decimal_sign_decides(bench):
    assert bench.column(["1.234", "5"], "quantity", decimal=",") == [1234, 5]
    assert bench.column(["1.234", "5"], "quantity", decimal=".") == [1.234, 5]


DATES = [
    ("ISO", ["2024-02-29", "2024-12-30"], [(2024, 2, 29), (2024, 12, 30)]),
    ("German", ["29.02.2024", "1.3.2024"], [(2024, 2, 29), (2024, 3, 1)]),
    ("slashes, day first", ["31/01/2024", "02/03/2024"], [(2024, 1, 31), (2024, 3, 2)]),
    ("slashes, month first", ["1/31/2024", "2/3/2024"], [(2024, 1, 31), (2024, 2, 3)]),
    ("hyphens, day first", ["31-01-2024", "02-03-2024"], [(2024, 1, 31), (2024, 3, 2)]),
    ("compact", ["19970101", "19971231"], [(1997, 1, 1), (1997, 12, 31)]),
    ("year first, not padded", ["2012/10/9", "2012/1/12"], [(2012, 10, 9), (2012, 1, 12)]),
    ("year first with dots", ["2012.10.09"], [(2012, 10, 9)]),
    ("two-digit years", ["31.12.99", "01.01.25"], [(1999, 12, 31), (2025, 1, 1)]),
    ("with times", ["2024-02-29 23:59:59", "2024-03-01T00:00"], [(2024, 2, 29), (2024, 3, 1)]),
    ("with zones", ["2024-02-29T23:30:00Z", "2024-03-01T12:00:00+02:00"], [(2024, 3, 1), (2024, 3, 1)]),
    ("with blanks around", [" 29.02.2024", "01.03.2024\u00a0"], [(2024, 2, 29), (2024, 3, 1)]),
    ("impossible days", ["28.02.2023", "29.02.2023", "31.04.2023"], [(2023, 2, 28), None, None]),
    ("a word among dates", ["2024-02-29", "morgen", "NULL"], [(2024, 2, 29), None, None]),
]


def customers(bench, values, **source):
    lines = [f'{number};"{value}"' for number, value in enumerate(values)]
    bench.file("customers.csv", "\n".join(["Nr;Seit", *lines]) + "\n")
    bench.file("orders.csv", "customer_id,date,revenue\n0,2026-01-05,1\n")
    mapped = {"path": "customers.csv", "columns": {"customer_id": "Nr", "since": "Seit"}, **source}
    return bench.build({"customers": mapped, "transactions": {"path": "orders.csv"}})


@pytest.mark.parametrize(("values", "expected"), [case[1:] for case in DATES], ids=[case[0] for case in DATES])
def test_a_date_column_is_read_in_its_form(bench, read_rows, values, expected):
    found = [row[0] for row in read_rows(customers(bench, values), "customers", "since")]
    assert found == [day and dt.date(*day) for day in expected]


def test_the_declared_order_of_days_decides(bench, read_rows):
    day_first = customers(bench, ["03/04/2025"], day_first=True)
    month_first = customers(bench, ["03/04/2025"], day_first=False)
    assert read_rows(day_first, "customers", "since") == [(dt.date(2025, 4, 3),)]
    assert read_rows(month_first, "customers", "since") == [(dt.date(2025, 3, 4),)]


def test_a_birth_date_with_a_two_digit_year_is_no_date(bench, read_rows, read_quarantine):
    built = customers(bench, ["12.03.45", "12.03.1945"], columns={"customer_id": "Nr", "birth_date": "Seit"})
    assert read_rows(built, "customers", "birth_date") == [(None,), (dt.date(1945, 3, 12),)]
    assert read_quarantine(built, "customers") == [("2", "Seit", "12.03.45", "not a date", "value")]


INSTANTS = [
    ("UTC", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00"),
    ("UTC with milliseconds", "2026-01-05T10:00:00.123Z", "2026-01-05 10:00:00.123000"),
    ("an offset", "2026-01-05T10:00:00+0530", "2026-01-05 04:30:00"),
    ("a western offset", "2026-01-05 22:00-05:00", "2026-01-06 03:00:00"),
    ("local time in winter", "2026-01-05 10:00", "2026-01-05 09:00:00"),
    ("local time in summer", "2026-07-05 10:00:30", "2026-07-05 08:00:30"),
    ("a German time", "05.07.2026 10:00", "2026-07-05 08:00:00"),
    ("a day alone is its midnight", "2026-07-05", "2026-07-04 22:00:00"),
    ("afternoon", "12/31/2025 01:05 PM", "2025-12-31 12:05:00"),
    ("just after midnight", "12/31/2025 12:05 am", "2025-12-30 23:05:00"),
    ("a time the change of clocks leaves out", "2026-03-29 02:30", "2026-03-29 01:30:00"),
    ("before the change", "2026-03-29 01:59:59", "2026-03-29 00:59:59"),
    ("after the change", "2026-03-29 03:00", "2026-03-29 01:00:00"),
    ("a time that happens twice", "2026-10-25 02:30", "2026-10-25 01:30:00"),
    ("an hour that does not exist", "2026-01-05 25:00", None),
    ("a word", "bald", None),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in INSTANTS], ids=[case[0] for case in INSTANTS])
def test_an_instant_is_stored_in_utc(bench, read_rows, value, expected):
    bench.file("cases.csv", f"case_id,opened_at,resolved_at\n1,2020-01-05,{value}\n")
    built = bench.build({"cases": {"path": "cases.csv"}}, "2020-Q1")
    assert read_rows(built, "cases", "resolved_at::VARCHAR") == [(expected and expected.removesuffix("000"),)]


def test_local_times_are_those_of_the_source(bench, read_rows):
    bench.file("cases.csv", "case_id,opened_at\n1,2026-01-05 10:00\n")
    built = bench.build({"cases": {"path": "cases.csv", "timezone": "America/New_York"}})
    assert read_rows(built, "cases", "opened_at") == [(dt.datetime(2026, 1, 5, 15),)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["ja", "Nein", "JA", ""], [True, False, True, None]),
        (["yes", "no"], [True, False]),
        (["true", "FALSE"], [True, False]),
        (["WAHR", "falsch"], [True, False]),
        (["1", "0"], [True, False]),
        (["x", "", "X"], [True, False, True]),
        (["ja", "vielleicht", "n/a"], [True, None, None]),
    ],
)
def test_a_yes_or_no_is_read(bench, read_rows, values, expected):
    built = customers(bench, values, columns={"customer_id": "Nr", "contact_permission": "Seit"})
    assert [row[0] for row in read_rows(built, "customers", "contact_permission")] == expected


def test_the_month_of_a_cost_may_lack_its_day(bench, read_rows):
    bench.file("costs.csv", "customer_id,month,cost\n1,2025-03,10\n1,2025-12,12\n")
    built = bench.build({"costs": {"path": "costs.csv"}}, "2025-Q4")
    assert read_rows(built, "costs", "month") == [(dt.date(2025, 3, 1),), (dt.date(2025, 12, 1),)]


ATTRIBUTES = [
    ("words stay text", ["None", "NULL", "a"], ["None", "NULL", "a"]),
    ("leading zeros stay text", ["01037", "80331"], ["01037", "80331"]),
    ("long ids stay text", ["12345678901234567", "1"], ["12345678901234567", "1"]),
    ("numbers", ["1,5", "2"], [1.5, 2.0]),
    ("numbers and a word stay text", ["1,5", "2", "viele"], ["1,5", "2", "viele"]),
    ("what fits two forms stays text", ["1.234", "5.678"], ["1.234", "5.678"]),
    ("dates", ["31.12.2025", "01.01.2026"], [dt.date(2025, 12, 31), dt.date(2026, 1, 1)]),
    ("times stay text", ["2025-12-31 10:00", "2025-12-31"], ["2025-12-31 10:00", "2025-12-31"]),
    ("yes and no", ["Ja", "nein"], [True, False]),
]


@pytest.mark.parametrize(
    ("values", "expected"), [case[1:] for case in ATTRIBUTES], ids=[case[0] for case in ATTRIBUTES]
)
def test_an_attribute_is_text_unless_the_whole_column_decides(bench, values, expected):
    assert bench.column(values, "Wert") == expected
