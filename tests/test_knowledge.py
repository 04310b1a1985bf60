"""What was known on a day: nothing dated on or after it, field by field."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.knowledge import cut, known
from analysis.period import Period
from analysis.vocabulary import TABLES

AS_OF = dt.date(2026, 7, 1)
BERLIN = "Europe/Berlin"


def seen(frame, table, as_of=AS_OF):
    return known(ibis.memtable(frame), TABLES[table], as_of, BERLIN).execute()


def instants(*texts):
    return pd.to_datetime(pd.Series(texts), format="ISO8601").astype("datetime64[us]")


def test_rows_dated_on_or_after_the_day_are_left_out_and_undated_ones_stay():
    orders = pd.DataFrame({"customer_id": list("abc"), "date": [dt.date(2026, 6, 30), AS_OF, None]})
    assert seen(orders, "transactions")["customer_id"].tolist() == ["a", "c"]


def test_a_later_end_and_its_reason_are_unknown_but_an_earlier_one_is_known():
    contracts = pd.DataFrame(
        {
            "customer_id": list("abc"),
            "start": [dt.date(2025, 1, 1)] * 3,
            "ended_on": [dt.date(2026, 6, 30), AS_OF, None],
            "reason": ["price", "price", None],
            "reason_exit": ["4", "4", None],
        }
    )
    found = seen(contracts, "contracts").set_index("customer_id")
    assert found["ended_on"].notna().to_dict() == {"a": True, "b": False, "c": False}
    for reason in ("reason", "reason_exit"):
        assert found[reason].notna().to_dict() == {"a": True, "b": False, "c": False}


def test_an_answer_given_later_leaves_an_invitation_without_ratings():
    # midnight in Berlin is 22:00 UTC the day before, in summer
    answers = pd.DataFrame(
        {
            "response_id": ["early", "late", "not sent"],
            "sent_at": instants("2026-06-20", "2026-06-20", "2026-07-02"),
            "answered_at": instants("2026-06-30 21:59", "2026-06-30 22:00", "2026-07-03"),
            "nps": [9, 2, 5],
            "rating_price": [5, 1, 3],
            "region": ["Nord", "Süd", "Ost"],
        }
    )
    found = seen(answers, "surveys").set_index("response_id")
    assert found.index.tolist() == ["early", "late"]
    assert found["nps"].fillna(-1).tolist() == [9, -1]
    assert found["rating_price"].fillna(-1).tolist() == [5, -1]
    assert found["region"].tolist() == ["Nord", "Süd"]


@given(st.lists(st.dates(dt.date(2026, 6, 1), dt.date(2026, 8, 1)), min_size=1, max_size=20), st.data())
def test_what_happens_later_changes_nothing_that_was_known(days, data):
    reasons = data.draw(st.lists(st.sampled_from(["price", "service"]), min_size=len(days), max_size=len(days)))
    frame = pd.DataFrame({"customer_id": [str(n) for n in range(len(days))], "start": dt.date(2025, 1, 1)})
    frame = frame.assign(ended_on=days, reason=reasons)
    later = frame["ended_on"] >= AS_OF
    rewritten = frame.assign(
        ended_on=[day + dt.timedelta(days=40) if is_later else day for day, is_later in zip(days, later, strict=True)],
        reason=frame["reason"].where(~later, "rewritten"),
    )
    pd.testing.assert_frame_equal(seen(frame, "contracts"), seen(rewritten, "contracts"))


def test_a_period_is_cut_at_midnight_of_the_reports_zone():
    answers = pd.DataFrame(
        {
            "response_id": list("abcd"),
            "answered_at": instants("2026-03-31 21:59", "2026-03-31 22:00", "2026-06-30 21:59", "2026-06-30 22:00"),
        }
    )
    found = cut(ibis.memtable(answers), TABLES["surveys"], Period.parse("2026-Q2"), BERLIN).execute()
    assert found["response_id"].tolist() == ["b", "c"]


def test_a_table_without_a_date_is_not_cut():
    answers = pd.DataFrame({"response_id": list("ab"), "csat": [1, 2]})
    found = cut(ibis.memtable(answers), TABLES["surveys"], Period.parse("2026-Q2"), BERLIN).execute()
    assert len(found) == 2


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_the_cuts_compile_for_other_engines(dialect):
    schema = {"customer_id": "string", "start": "date", "ended_on": "date", "reason": "string"}
    table = known(ibis.table(schema, name="contracts"), TABLES["contracts"], AS_OF, BERLIN)
    assert "ended_on" in ibis.to_sql(table, dialect=dialect)
