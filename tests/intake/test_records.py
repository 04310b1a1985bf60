"""Records: what may be told of a table in a report that leaves the house."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd

from analysis.intake import records
from analysis.intake.records import TableRecord

RECORD = TableRecord(
    table="customers",
    source="kunden.csv",
    files=(("kunden.csv", "0" * 64),),
    read=1019,
    accepted=1000,
    quarantined={"customer_id: missing": 6, "customer_id: repeated": 3},
    parent_quarantined=2,
    dropped={"blank": 8},
    set_missing={"birth_date: in the future": 4, "region: unreadable": 5},
    outside_scale={"nps": {11: 4, 12: 7}},
    columns=("customer_id",),
    first=dt.date(2020, 1, 1),
    last=dt.date(2026, 9, 30),
    notes=("3 rows dated after 2026-09-30 stand apart from the rest", "orte.csv: 12 rows repeat a Ort"),
)
NOTE = "counts of fewer than 5 rows are not told here and not counted among the rows read"


def test_small_counts_are_left_out_and_what_remains_adds_up():
    # 1000 accepted + 6 quarantined + 8 dropped; told as 1019 the 5 others would come out by subtraction
    told = RECORD.told(5)
    assert (told.read, told.accepted, told.rows_quarantined, told.rows_dropped) == (1014, 1000, 6, 8)
    assert told.adds_up
    assert told.set_missing == {"region: unreadable": 5}
    assert told.outside_scale == {"nps": {12: 7}}
    assert told.notes == (
        "<5 rows dated after 2026-09-30 stand apart from the rest",
        "orte.csv: 12 rows repeat a Ort",
        NOTE,
    )


def test_within_the_house_everything_is_told():
    assert RECORD.told(1) is RECORD
    assert RECORD.as_json() == RECORD.as_json(1)
    assert TableRecord.from_json(RECORD.as_json()) == RECORD


def test_counts_that_are_not_small_leave_a_record_as_it_is():
    large = replace(
        RECORD,
        read=1006,
        quarantined={"x": 6},
        parent_quarantined=0,
        dropped={},
        set_missing={},
        outside_scale={},
        notes=(),
    )
    assert large.told(5) is large


def test_of_a_table_with_fewer_rows_no_count_and_no_date_is_told():
    few = replace(RECORD, read=23, accepted=4)
    shown = records.sources({"customers": few, "surveys": replace(RECORD, table="surveys")}, 5)
    counts = ["read", "accepted", "quarantined", "dropped", "set_missing"]
    assert shown.loc[0, [*counts, "first", "last"]].isna().all()
    assert shown.loc[1, counts].tolist() == [1014, 1000, 6, 8, 5]
    assert shown["source"].tolist() == ["kunden.csv", "kunden.csv"]
    assert records.sources({"customers": few}, 5)[counts].dtypes.eq("float64").all()
    plain = few.as_json(5)
    assert [plain[key] for key in ("read", "accepted", "first", "last")] == [None] * 4
    assert (plain["quarantined"], plain["parent_quarantined"], plain["dropped"]) == ({}, 0, {})


def test_reasons_of_few_rows_are_not_listed():
    expected = pd.DataFrame(
        {
            "table": "customers",
            "reason": ["customer_id: missing", "unreadable"],
            "effect": ["row", "value"],
            "column": ["", "region"],
            "count": [6, 5],
        }
    )
    pd.testing.assert_frame_equal(records.faults({"customers": RECORD}, 5), expected)
    assert records.faults({"customers": RECORD})["count"].tolist() == [6, 3, 2, 4, 5]


def test_notes_do_not_say_how_few_rows_they_are_about():
    assert records.notes({"customers": RECORD}, 5)["note"].tolist() == list(RECORD.told(5).notes)
    assert records.notes({"customers": RECORD})["note"].tolist() == list(RECORD.notes)
