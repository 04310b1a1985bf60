from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import MeasureError
from analysis.measures.spells import spells, spells_from_purchases

AS_OF = dt.date(2025, 7, 1)


def _contracts(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "ended_on", "reason"])
    return frame.assign(start=pd.to_datetime(frame["start"]), ended_on=pd.to_datetime(frame["ended_on"]))


def _found(table: ibis.Table) -> list[tuple[object, ...]]:
    frame = table.to_pandas().sort_values(["customer_id", "origin"])
    frame["origin"] = pd.to_datetime(frame["origin"]).dt.strftime("%Y-%m-%d")
    frame = frame.astype(object).where(frame.notna(), None)
    return list(frame.itertuples(index=False, name=None))


def _one(table: ibis.Table) -> tuple[object, ...]:
    (row,) = _found(table)
    return row


class TestSpells:
    def test_the_last_day_in_force_counts(self):
        # 1 to 31 March are 31 days
        ledger = _contracts(("a", "2025-03-01", "2025-03-31", "Preis"))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-03-01", 0, 31, 1, "Preis")

    def test_a_contract_of_one_day_has_length_one(self):
        ledger = _contracts(("a", "2025-03-01", "2025-03-01", None))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-03-01", 0, 1, 1, None)

    def test_an_open_contract_is_censored_at_as_of(self):
        ledger = _contracts(("a", "2025-06-21", None, None))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-06-21", 0, 10, 0, None)

    def test_an_end_on_the_day_before_as_of_is_known(self):
        ledger = _contracts(("a", "2025-06-21", "2025-06-30", "Umzug"))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-06-21", 0, 10, 1, "Umzug")

    @pytest.mark.parametrize("ended_on", ["2025-07-01", "2025-12-31"])
    def test_an_end_on_or_after_as_of_and_its_reason_are_not_known(self, ended_on):
        ledger = _contracts(("a", "2025-06-21", ended_on, "Umzug"))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-06-21", 0, 10, 0, None)
        assert _one(spells(ledger, as_of=AS_OF, attributes="reason"))[-1] is None

    def test_a_contract_that_starts_on_or_after_as_of_does_not_exist_yet(self):
        # else it would bridge the gap after 28 June
        ledger = _contracts(("a", "2025-06-01", "2025-06-28", "Preis"), ("a", "2025-07-01", None, None))
        assert _one(spells(ledger, as_of=AS_OF, grace_days=5)) == ("a", "2025-06-01", 0, 28, 1, "Preis")

    def test_overlapping_contracts_are_one_spell_that_ends_with_the_last(self):
        # the long one holds the two short ones, which do not touch each other; 1 January to 30 April are 120 days
        ledger = _contracts(
            ("a", "2025-01-10", "2025-01-20", "kurz"),
            ("a", "2025-01-01", "2025-04-30", "lang"),
            ("a", "2025-03-01", "2025-03-31", "mittel"),
        )
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-01-01", 0, 120, 1, "lang")

    def test_one_of_two_simultaneous_contracts_ending_is_no_event(self):
        ledger = _contracts(("a", "2025-06-01", "2025-06-30", "Preis"), ("a", "2025-06-01", None, None))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-06-01", 0, 30, 0, None)

    def test_a_contract_from_the_next_day_on_continues_the_spell(self):
        ledger = _contracts(("a", "2025-01-01", "2025-01-31", "Wechsel"), ("a", "2025-02-01", "2025-02-28", "Preis"))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-01-01", 0, 59, 1, "Preis")

    @pytest.mark.parametrize(("grace_days", "n"), [(8, 2), (9, 1)])
    def test_a_gap_is_bridged_up_to_the_grace(self, grace_days, n):
        # in force until 31 January, again from 10 February: 1 to 9 February are a gap of 9 days
        ledger = _contracts(("a", "2025-01-01", "2025-01-31", "Preis"), ("a", "2025-02-10", None, None))
        assert len(_found(spells(ledger, as_of=AS_OF, grace_days=grace_days))) == n

    def test_a_later_spell_counts_from_its_own_start(self):
        ledger = _contracts(("a", "2025-01-01", "2025-01-31", "Preis"), ("a", "2025-06-01", None, None))
        assert _found(spells(ledger, as_of=AS_OF)) == [
            ("a", "2025-01-01", 0, 31, 1, "Preis"),
            ("a", "2025-06-01", 0, 30, 0, None),
        ]

    def test_customers_older_than_the_ledger_enter_late_with_their_first_spell_only(self):
        # since 1 December 2024, first contract 1 January: 31 days before anything was watched
        ledger = _contracts(("a", "2025-01-01", "2025-01-31", "Preis"), ("a", "2025-06-01", None, None))
        people = pd.DataFrame({"customer_id": ["a"], "since": [dt.date(2024, 12, 1)]})
        assert _found(spells(ledger, people, as_of=AS_OF)) == [
            ("a", "2024-12-01", 31, 62, 1, "Preis"),
            ("a", "2025-06-01", 0, 30, 0, None),
        ]

    @pytest.mark.parametrize("since", [None, "2025-01-01", "2025-03-01"])
    def test_a_since_that_is_not_earlier_changes_nothing(self, since):
        ledger = _contracts(("a", "2025-01-01", "2025-01-31", "Preis"))
        people = pd.DataFrame({"customer_id": ["a"], "since": pd.to_datetime([since])})
        assert _one(spells(ledger, people, as_of=AS_OF)) == ("a", "2025-01-01", 0, 31, 1, "Preis")

    def test_nothing_before_the_window_is_watched(self):
        # a: under contract for 59 days when the window opens on 1 March; b ended the day before; c starts later
        ledger = _contracts(
            ("a", "2025-01-01", None, None), ("b", "2025-01-01", "2025-02-28", "Preis"), ("c", "2025-06-01", None, None)
        )
        found = spells(ledger, as_of=AS_OF, window_start=dt.date(2025, 3, 1))
        assert _found(found) == [("a", "2025-01-01", 59, 181, 0, None), ("c", "2025-06-01", 0, 30, 0, None)]

    def test_the_cause_is_that_of_the_contract_that_ends_the_spell_even_where_it_names_none(self):
        ledger = _contracts(("a", "2025-01-01", "2025-02-28", "Preis"), ("a", "2025-02-01", "2025-03-31", None))
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-01-01", 0, 90, 1, None)

    def test_attributes_come_from_the_first_contract_or_else_from_the_customer(self):
        ledger = _contracts(("a", "2025-02-01", None, None), ("a", "2025-01-01", "2025-01-31", None))
        ledger = ledger.assign(product_id=["neu", "alt"])
        people = pd.DataFrame({"customer_id": ["a"], "region": ["Nord"]})
        found = spells(ledger, people, as_of=AS_OF, attributes=["region", "product_id"])
        assert found.columns[-2:] == ("region", "product_id")
        assert _one(found)[-2:] == ("Nord", "alt")

    def test_the_attributes_of_contracts_that_start_together_are_those_of_one_of_them(self):
        ledger = _contracts(("a", "2025-01-01", None, None), ("a", "2025-01-01", None, None))
        ledger = ledger.assign(contract_id=["2", "1"], product_id=["A", "B"], fee=[30.0, 10.0])
        found = spells(ledger, as_of=AS_OF, attributes=("product_id", "fee"))
        assert _one(found)[-2:] == ("B", 10.0)

    def test_a_customer_without_row_keeps_the_spell(self):
        people = pd.DataFrame({"customer_id": ["b"], "since": [dt.date(2020, 1, 1)], "region": ["Nord"]})
        found = spells(_contracts(("a", "2025-06-01", None, None)), people, as_of=AS_OF, attributes="region")
        assert _one(found) == ("a", "2025-06-01", 0, 30, 0, None, None)

    def test_ends_reasons_and_ids_may_be_absent(self):
        ledger = pd.DataFrame({"customer_id": ["a", "a"], "start": [dt.date(2025, 6, 1), dt.date(2025, 6, 11)]})
        assert _one(spells(ledger, as_of=AS_OF)) == ("a", "2025-06-01", 0, 30, 0, None)

    def test_contracts_without_customer_or_start_or_that_end_before_they_start_are_left_out(self):
        ledger = _contracts(
            (None, "2025-01-01", None, None), ("a", None, None, None), ("b", "2025-03-01", "2025-02-28", "Widerruf")
        )
        assert _found(spells(ledger, as_of=AS_OF)) == []

    def test_an_unknown_attribute_is_named(self):
        people = pd.DataFrame({"customer_id": ["a"], "region": ["Nord"]})
        with pytest.raises(MeasureError) as error:
            spells(_contracts(("a", "2025-01-01", None, None)), people, as_of=AS_OF, attributes="regoin")
        assert str(error.value) == (
            "spells, attributes of contracts and customers: column 'regoin' is absent; "
            "the table has: ended_on, reason, region, start. Did you mean 'region'?"
        )

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"grace_days": -1}, "spells: grace_days is -1. Give 0 or more days."),
            (
                {"window_start": AS_OF},
                "spells: window_start 2025-07-01 is not before as_of 2025-07-01, the first day not known. "
                "Give an earlier window_start.",
            ),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(self, setting, message):
        with pytest.raises(MeasureError) as error:
            spells(_contracts(("a", "2025-01-01", None, None)), as_of=AS_OF, **setting)
        assert str(error.value) == message

    def test_the_arguments_are_not_changed(self):
        ledger, people = _contracts(("a", "2025-01-01", None, None)), pd.DataFrame({"customer_id": ["a"]})
        before = ledger.copy(deep=True), people.copy(deep=True)
        spells(ledger, people, as_of=AS_OF).to_pandas()
        pd.testing.assert_frame_equal(ledger, before[0])
        pd.testing.assert_frame_equal(people, before[1])


def _day(number: int) -> dt.date:
    return dt.date(2025, 1, 1) + dt.timedelta(days=number)


def _runs(in_force: set[int], grace_days: int) -> list[tuple[int, int]]:
    """First and last day of each run of days, by looking at every single day."""
    runs: list[list[int]] = []
    for day in sorted(in_force):
        if runs and day - runs[-1][1] - 1 <= grace_days:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return [(first, last) for first, last in runs]


_STRETCH = st.tuples(st.sampled_from("ab"), st.integers(0, 39), st.one_of(st.none(), st.integers(0, 25)))


@settings(max_examples=40, deadline=None)
@given(stretches=st.lists(_STRETCH, min_size=1, max_size=8), grace_days=st.integers(0, 4), today=st.integers(1, 45))
def test_spells_are_the_runs_of_days_in_force(stretches, grace_days, today):
    rows = [(who, _day(start), None if days is None else _day(start + days)) for who, start, days in stretches]
    ledger = pd.DataFrame(rows, columns=["customer_id", "start", "ended_on"])
    ledger = ledger.assign(start=pd.to_datetime(ledger["start"]), ended_on=pd.to_datetime(ledger["ended_on"]))
    expected = []
    for who in "ab":
        # what starts later does not exist yet, so it does not keep alive what has ended
        days = {
            day
            for owner, start, length in stretches
            if owner == who and start < today
            for day in range(start, 100 if length is None else start + length + 1)
        }
        for first, last in _runs(days, grace_days):
            is_event = int(last < today)
            expected.append((who, str(_day(first)), 0, min(last + 1, today) - first, is_event, None))
    assert _found(spells(ledger, as_of=_day(today), grace_days=grace_days)) == expected


class TestSpellsFromPurchases:
    def _orders(self, *days: str) -> pd.DataFrame:
        return pd.DataFrame({"customer_id": "a", "date": pd.to_datetime(list(days)), "revenue": 10.0})

    def test_the_event_falls_so_many_days_after_the_last_purchase(self):
        # 1 January + 30 days = 31 January
        found = spells_from_purchases(self._orders("2025-01-01"), as_of=AS_OF, inactive_days=30)
        assert _one(found) == ("a", "2025-01-01", 0, 30, 1, None)

    @pytest.mark.parametrize(("second", "spells_found"), [("2025-01-31", 1), ("2025-02-01", 2)])
    def test_a_purchase_later_than_that_opens_a_new_spell(self, second, spells_found):
        found = spells_from_purchases(self._orders("2025-01-01", second), as_of=AS_OF, inactive_days=30)
        assert len(_found(found)) == spells_found

    @pytest.mark.parametrize(("as_of", "length", "event"), [("2025-01-31", 30, 0), ("2025-02-01", 30, 1)])
    def test_the_day_of_the_event_must_be_known_to_have_passed_without_purchase(self, as_of, length, event):
        day = dt.date.fromisoformat(as_of)
        found = spells_from_purchases(self._orders("2025-01-01"), as_of=day, inactive_days=30)
        assert _one(found)[3:5] == (length, event)

    def test_purchases_on_or_after_as_of_and_returns_are_none(self):
        orders = self._orders("2025-05-01", "2025-05-20", "2025-07-01")
        orders.loc[1, "revenue"] = -10.0
        found = spells_from_purchases(orders, as_of=AS_OF, inactive_days=30)
        assert _one(found) == ("a", "2025-05-01", 0, 30, 1, None)

    def test_no_day_of_inactivity_is_refused(self):
        with pytest.raises(MeasureError, match=r"inactive_days is 0\. Give 1 day or more"):
            spells_from_purchases(self._orders("2025-01-01"), as_of=AS_OF, inactive_days=0)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "pyspark"])
def test_both_compile_for_every_engine(dialect):
    text = dict.fromkeys(["customer_id", "contract_id", "reason", "product_id"], "string")
    ledger = ibis.table({**text, "start": "date", "ended_on": "date"}, name="contracts")
    people = ibis.table({"customer_id": "string", "since": "date", "region": "string"}, name="customers")
    orders = ibis.table({"customer_id": "string", "date": "date", "revenue": "decimal(12, 2)"}, name="transactions")
    of_contracts = spells(
        ledger, people, as_of=AS_OF, window_start=dt.date(2024, 1, 1), grace_days=3, attributes=("product_id", "region")
    )
    of_orders = spells_from_purchases(orders, as_of=AS_OF, inactive_days=30)
    for table in (of_contracts, of_orders):
        assert ibis.to_sql(table, dialect=dialect).count("OVER (") >= 5
