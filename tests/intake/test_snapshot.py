"""Snapshots: the period, what is written, and that equal inputs give equal bytes."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import OutsideDataError, SourceError
from analysis.intake import snapshot
from analysis.intake.newest import Span
from analysis.params import Params
from analysis.period import Period

HEAD = "customer_id,date,revenue\n"


def orders(bench, days, period=None, **params):
    bench.file("orders.csv", HEAD + "".join(f"{number},{day},1\n" for number, day in enumerate(days)))
    return bench.build({"transactions": {"path": "orders.csv"}}, period, **params)


@pytest.mark.parametrize(
    ("kind", "days", "expected"),
    [
        ("quarter", ["2026-01-05", "2026-09-30"], "2026-Q3"),
        ("quarter", ["2026-01-05", "2026-09-29"], "2026-Q2"),
        ("month", ["2026-01-05", "2026-09-29"], "2026-08"),
        ("week", ["2024-12-20", "2025-01-05"], "2025-W01"),
        ("year", ["2024-12-20", "2025-12-30"], "2024"),
    ],
)
def test_the_period_is_the_last_that_the_data_complete(bench, kind, days, expected):
    assert orders(bench, days, kind=kind).period.id == expected


def test_days_are_those_of_the_reports_time_zone(bench):
    bench.file("cases.csv", "case_id,opened_at\n1,2026-01-05T10:00:00Z\n2,2026-09-29T22:30:00Z\n")
    built = bench.build({"cases": {"path": "cases.csv"}}, None)
    assert built.period.id == "2026-Q3"
    assert (built.records["cases"].first, built.records["cases"].last) == (dt.date(2026, 1, 5), dt.date(2026, 9, 30))


def test_an_unanswered_survey_counts_by_its_invitation(bench):
    bench.file("survey.csv", "response_id,sent_at,answered_at\n1,2026-01-05,2026-01-06\n2,2026-09-30,\n")
    assert bench.build({"surveys": {"path": "survey.csv"}}, None).period.id == "2026-Q3"


def test_stray_dates_do_not_choose_the_period_and_are_told(bench):
    built = orders(bench, ["2026-01-05"] * 150 + ["2026-09-30"] * 150 + ["2099-12-31"])
    assert built.period.id == "2026-Q3"
    assert built.records["transactions"].accepted == 301
    assert built.records["transactions"].notes == (
        "1 rows dated after 2026-09-30 stand apart from the rest and were not used to choose the period",
    )


def test_dates_after_a_gap_that_are_not_few_do_choose(bench):
    assert orders(bench, ["2020-01-05"] * 50 + ["2026-09-30"]).period.id == "2026-Q3"


@pytest.mark.parametrize("far", ["2099-12-31", "2062-09-30", "9999-12-31"])
def test_a_date_that_no_one_means_does_not_choose_however_many_rows_hold_it(bench, far):
    built = orders(bench, ["2026-01-05", "2026-04-02", "2026-09-30"] * 30 + [far] * 60)
    assert built.period.id == "2026-Q3"
    assert built.records["transactions"].notes == (
        "60 rows dated after 2026-09-30 stand apart from the rest and were not used to choose the period",
    )


def test_days_before_a_long_gap_that_are_the_fewer_do_not_hide_the_data_after_it(bench):
    assert orders(bench, ["1900-01-01"] * 50 + ["2026-05-05", "2026-09-30"]).period.id == "2026-Q3"


def test_a_period_among_the_strays_is_reported_where_it_is_named(bench):
    days = ["2026-01-05"] * 150 + ["2026-09-30"] * 150 + ["2099-12-31"]
    assert orders(bench, days, "2099-Q4").period.id == "2099-Q4"
    with pytest.raises(OutsideDataError, match="period 2100-Q1 lies outside the data, which run from 2026-01-05 to"):
        orders(bench, days, "2100-Q1")


def test_strays_do_not_make_a_period_complete(bench):
    orders(bench, ["2026-01-05"] * 150 + ["2026-09-29"] * 150 + ["2099-12-31"])
    params = Params.model_validate(
        {"report": "probe", "period": "quarter", "sources": {"transactions": {"path": "orders.csv"}}}
    )
    with pytest.raises(OutsideDataError, match=r"period 2026-Q3 .* run from 2026-01-05 to 2026-09-29"):
        snapshot.build(params, bench.folder, bench.folder / "due", period=Period.parse("2026-Q3"), only_complete=True)


def test_strays_are_told_as_the_tables_are(bench):
    told = []
    bench.file("orders.csv", HEAD + "1,2026-01-05,1\n2,2026-09-30,1\n3,9999-12-31,1\n")
    params = Params.model_validate(
        {"report": "probe", "period": "quarter", "sources": {"transactions": {"path": "orders.csv"}}}
    )
    snapshot.build(params, bench.folder, bench.folder / "told", progress=told.append)
    note = "1 rows dated after 2026-09-30 stand apart from the rest and were not used to choose the period"
    assert told[-1] == f"transactions: {note}"


def test_dates_of_the_year_9999_alone_choose_no_period(bench):
    with pytest.raises(SourceError, match="no table has a dated event, so no period can be reported"):
        orders(bench, ["9999-12-31"])


@pytest.mark.parametrize("never", ["9999-12-31", "2099-12-31"])
def test_a_contract_without_end_makes_no_period_complete(bench, never):
    bench.file("contracts.csv", f"customer_id,start,ended_on\n1,2026-08-01,{never}\n2,2026-08-02,{never}\n")
    with pytest.raises(OutsideDataError) as refused:
        bench.build({"contracts": {"path": "contracts.csv"}}, None)
    assert str(refused.value).startswith(
        "no period is complete yet in the data, which run from 2026-08-01 to 2026-08-02."
    )


DAYS = st.dictionaries(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 500), min_size=1)


@given(DAYS)
def test_strays_are_few_rows_or_few_days(days):
    span = Span.of(days)
    assert span.first == min(days)
    assert span.last in days
    after = [day for day in days if day > span.last]
    assert span.strays(days) < 0.01 * sum(days.values()) or len(after) < len(days) / 2


def test_customers_are_derived_from_the_ids_of_the_others(bench, read_rows):
    bench.file("orders.csv", HEAD + "b,2026-01-05,1\na,2026-01-06,1\nb,2026-01-07,1\n")
    bench.file("cases.csv", "case_id,opened_at,customer_id\n1,2026-01-05,c\n2,2026-01-05,\n")
    built = bench.build({"transactions": {"path": "orders.csv"}, "cases": {"path": "cases.csv"}})
    assert read_rows(built, "customers") == [("a",), ("b",), ("c",)]
    record = built.records["customers"]
    assert (record.source, record.read, record.accepted) == ("derived from the ids of transactions, cases", 3, 3)
    assert record.columns == ("customer_id",)


def hashes(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_equal_inputs_give_equal_bytes(bench):
    days = ["2026-01-05", "nie", "2026-09-30"] * 100
    first, second = orders(bench, days), orders(bench, days)
    assert hashes(first.folder) == hashes(second.folder)
    assert sorted(hashes(first.folder)) == [
        "quarantine/transactions.csv",
        "snapshot.json",
        "tables/customers.parquet",
        "tables/transactions.parquet",
    ]


def test_rows_keep_the_order_of_the_file_however_many_are_left_out(bench, read_rows):
    count = 300_000
    lines = "".join(f"{number},{'nie' if number % 7 == 0 else '2026-01-05'},{number}\n" for number in range(count))
    bench.file("orders.csv", HEAD + lines)
    built = bench.build({"transactions": {"path": "orders.csv"}})
    assert [row[0] for row in read_rows(built, "transactions", "revenue")] == [n for n in range(count) if n % 7]


def test_a_snapshot_is_loaded_as_it_was_built(bench):
    built = orders(bench, ["2026-01-05", "nie", "2026-09-30"])
    loaded = snapshot.load(built.folder)
    assert (loaded.folder, loaded.period, loaded.records) == (built.folder, built.period, built.records)
    assert loaded.params.as_json() == built.params.as_json()


def test_a_record_tells_the_files_and_their_hashes(bench):
    built = orders(bench, ["2026-01-05", "2026-03-31"])
    expected = hashlib.sha256((bench.folder / "orders.csv").read_bytes()).hexdigest()
    assert built.records["transactions"].files == (("orders.csv", expected),)


def test_progress_is_one_line_a_table(bench):
    told = []
    lines = "".join(f"{number},2026-01-05,1\n" for number in range(1200)) + "1,nie,1\n"
    bench.file("orders.csv", HEAD + lines)
    built = bench.build({"transactions": {"path": "orders.csv"}})
    out = bench.folder / "told"
    snapshot.build(built.params, bench.folder, out, period=built.period, progress=told.append)
    assert told == [
        "transactions: 1,201 rows read, 1,200 accepted, 1 quarantined",
        "customers: 1,200 rows read, 1,200 accepted, 0 quarantined",
    ]
