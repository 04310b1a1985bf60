from __future__ import annotations

import datetime as dt
from functools import cache

import ibis
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from analysis.errors import MeasureError
from analysis.measures.features import FEATURES, features_as_of, undated_attributes
from analysis.measures.terms import term_begin_after
from analysis.vocabulary import TABLES

AS_OF = dt.date(2026, 1, 1)


def day(*days: str | None) -> pd.DatetimeIndex:
    return pd.to_datetime(list(days), format="ISO8601")


def _tables() -> dict[str, pd.DataFrame]:
    """A customer of every kind: a stays, b left, c ends later, d has not come yet, e stays and is known for nothing."""
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": list("abcde"),
                "since": day("2024-12-01", "2024-01-01", None, "2026-02-01", "2025-12-31"),
                "region": ["Süd", "Nord", "Süd", "Nord", None],
            }
        ),
        "contracts": pd.DataFrame(
            {
                "customer_id": ["a", "a", "b", "c", "d", "e"],
                "contract_id": ["v1", "v2", "v3", "v4", "v5", "v6"],
                "start": day("2025-01-01", "2025-10-01", "2024-01-01", "2024-06-15", "2026-02-01", "2025-12-31"),
                "ended_on": day(None, None, "2025-12-31", "2026-01-01", None, None),
                "reason": [None, None, "Preis", "Umzug", None, None],
                "term_months": [12, 24, 12, 1, 12, None],
                "product_id": ["p", "q", "p", "p", "p", None],
                "fee": [9.9, 5.0, 9.9, 9.9, 9.9, 9.9],
            }
        ),
        "transactions": pd.DataFrame(
            {
                "customer_id": ["a"] * 6 + ["c", "b"],
                "transaction_id": ["1", "1", "2", "3", "4", "5", "6", "7"],
                "date": day(
                    "2025-12-31",  # recent: from 3 October on
                    "2025-12-31",  # a second line of the same order
                    "2025-10-03",
                    "2025-10-02",  # in the 90 days before
                    "2025-01-01",  # the first of 365 days
                    "2026-01-01",  # not known
                    "2024-12-31",  # too old
                    "2025-12-01",
                ),
                "revenue": [5.0, 3.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0],
                "product_id": ["p", "r", "r", "s", "s", "t", "u", "p"],
            }
        ),
        "cases": pd.DataFrame(
            {
                "case_id": ["k1", "k2", "k3", "k4", "k5"],
                "customer_id": ["a", "a", "a", "c", "a"],
                "opened_at": day("2025-12-01", "2025-06-01", "2025-06-01", "2025-11-01", "2026-01-01"),
                "resolved_at": day("2026-01-03", "2025-06-02", None, None, None),
                "kind": ["complaint", "complaint", "question", "complaint", "complaint"],
            }
        ),
        "contacts": pd.DataFrame(
            {
                "customer_id": ["a", "a", "c"],
                "at": day("2025-12-30 23:00", "2026-01-01 00:00", "2025-12-31 23:59:59"),
                "direction": ["in", "out", "out"],
            }
        ),
        "surveys": pd.DataFrame(
            {
                "response_id": ["r1", "r2", "r3", "r4", "r5"],
                "customer_id": ["a", "a", "a", "c", "a"],
                "survey": ["s", "t", "s", "s", "s"],
                "answered_at": day("2025-05-01", "2025-07-01", "2026-01-01", None, "2025-08-01"),
                "nps": [9, 7, 2, 10, None],
            }
        ),
        "community": pd.DataFrame(
            {
                "event_id": ["e1", "e2", "e3"],
                "customer_id": ["a", "a", "a"],
                "at": day("2025-01-01", "2024-12-31 23:59", "2026-01-01"),
                "kind": "view",
            }
        ),
    }


def _features(tables: dict, as_of: dt.date = AS_OF, **settings: object) -> pd.DataFrame:
    return features_as_of(tables, as_of=as_of, **settings).execute().sort_values("customer_id", ignore_index=True)


@cache
def _plain() -> pd.DataFrame:
    return _features(_tables(), constant="region")


def _of(customer: str, tables: dict | None = None, **settings: object) -> dict:
    found = _plain() if tables is None else _features(tables, **settings)
    found = found.set_index("customer_id")
    return found.astype(object).where(found.notna(), None).loc[customer].to_dict()


class TestFeaturesAsOf:
    def test_everything_known_of_a_customer(self):
        assert _of("a") == {
            "tenure_days": 396,  # since 1 December 2024: 31 + 365
            "contract_days_left": 637,  # to 30 September 2027: 364 + 273
            "products": 4,  # p and q under contract, p, r and s bought
            "orders": 4,  # 1, 2, 3, 4
            "orders_trend": 1,  # 1 and 2 less 3
            "complaints_open": 1,  # k1 is resolved later than is known
            "complaints_recent": 1,
            "days_since_contact": 1,  # 25 hours
            "nps": 7,
            "community_events": 1,
            "region": "Süd",
        }

    def test_a_customer_known_for_nothing_has_counts_of_zero_and_all_else_missing(self):
        counts = dict.fromkeys(["products", "orders", "orders_trend", "complaints_open", "complaints_recent"], 0)
        missing = dict.fromkeys(["contract_days_left", "days_since_contact", "nps"])
        assert _of("e") == {"tenure_days": 1, **counts, **missing, "community_events": 0, "region": None}

    def test_present_is_who_has_a_contract_in_force_on_the_day(self):
        # b's last day is 31 December, c's 1 January; d begins in February
        assert _plain()["customer_id"].tolist() == ["a", "c", "e"]
        assert _features(_tables(), dt.date(2026, 1, 2))["customer_id"].tolist() == ["a", "e"]

    def test_without_contracts_present_is_who_has_bought_lately(self):
        tables = _tables()
        del tables["contracts"]
        found = _features(tables, constant="region", active_days=365)
        assert found[["customer_id", "region"]].to_numpy().tolist() == [["a", "Süd"], ["b", "Nord"]]
        assert found["tenure_days"].tolist() == [365, 31]
        assert _features(tables, active_days=366)["customer_id"].tolist() == ["a", "b", "c"]

    def test_what_rests_on_an_absent_table_or_column_is_left_out(self):
        contracts = _tables()["contracts"][["customer_id", "start"]]
        assert list(_features({"contracts": contracts}).columns) == ["customer_id", "tenure_days"]
        no_dates = {
            "contracts": contracts,
            "surveys": _tables()["surveys"].drop(columns="answered_at"),
            "cases": _tables()["cases"].drop(columns="kind"),
            "community": _tables()["community"].drop(columns="customer_id"),
        }
        assert list(_features(no_dates).columns) == ["customer_id", "tenure_days"]

    def test_all_of_them_in_their_order(self):
        assert sorted(_plain().columns) == sorted(["customer_id", *FEATURES, "region"])

    def test_the_day_begins_at_midnight_of_the_place(self):
        # 23:59:59 UTC on 31 December is 1 January in Berlin
        assert _of("c")["days_since_contact"] == 0
        assert _of("c", _tables(), timezone="Europe/Berlin")["days_since_contact"] is None

    def test_returns_are_no_orders(self):
        tables = _tables()
        tables["transactions"]["revenue"] = -1.0
        assert _of("a", tables)["orders"] == 0

    def test_without_order_numbers_the_days_of_purchase_count(self):
        tables = _tables()
        del tables["transactions"]["transaction_id"]
        assert _of("a", tables)["orders"] == 4

    def test_a_row_without_a_date_is_not_known(self):
        tables = _tables()
        tables["contacts"]["at"] = pd.NaT
        assert _of("a", tables)["days_since_contact"] is None

    def test_a_field_whose_date_is_missing_is_not_known(self):
        tables = _tables()
        tables["surveys"]["answered_at"] = pd.NaT
        assert _of("a", tables)["nps"] is None

    def test_constants_of_a_contract_are_those_of_the_first_of_the_spell(self):
        assert _of("a", _tables(), constant=["fee", "region"])["fee"] == 9.9

    def test_a_constant_of_a_customer_who_is_not_known_yet_is_missing(self):
        tables = _tables()
        tables["customers"].loc[0, "since"] = pd.Timestamp("2026-01-01")
        assert _of("a", tables, constant="region")["region"] is None

    def test_frames_and_tables_give_the_same_in_any_order_and_stay_unchanged(self):
        tables = _tables()
        before = {name: table.copy(deep=True) for name, table in tables.items()}
        found = _features(tables, constant="region")
        pd.testing.assert_frame_equal(found, _plain())
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, before[name])
        turned = {name: ibis.memtable(table[::-1].reset_index(drop=True)) for name, table in tables.items()}
        pd.testing.assert_frame_equal(_features(turned, constant="region"), found)

    @pytest.mark.parametrize(
        ("constant", "message"),
        [
            ("reason", r"column 'reason' is absent; the table has: customer_id, fee, product_id, region, term_months"),
            ("ended_on", "column 'ended_on' is absent"),
            ("since", "column 'since' is absent"),
            ("regoin", r"column 'regoin' is absent; .*\. Did you mean 'region'\?"),
            ("customer_id", "a constant attribute cannot be named 'customer_id', as a feature. Rename it"),
        ],
    )
    def test_a_constant_that_is_none_is_refused(self, constant, message):
        with pytest.raises(MeasureError, match=message):
            _features(_tables(), constant=constant)

    def test_a_constant_named_as_a_feature_is_refused(self):
        tables = _tables()
        tables["customers"]["orders"] = 3
        with pytest.raises(MeasureError, match="cannot be named 'orders', as a feature"):
            _features(tables, constant="orders")

    def test_neither_contracts_nor_transactions_are_refused(self):
        with pytest.raises(MeasureError, match=r"there are neither contracts nor transactions\. Give one of the two"):
            _features({"customers": _tables()["customers"]})

    def test_an_unknown_table_is_refused(self):
        with pytest.raises(MeasureError, match=r"unknown table 'orders'\. Known: customers, products"):
            _features({"orders": _tables()["transactions"]})


def test_undated_attributes_are_listed_with_their_use():
    found = undated_attributes(_tables(), constant=("region", "fee"))
    assert found.to_numpy().tolist() == [
        ["contracts", "fee", True],
        ["contracts", "product_id", False],
        ["contracts", "term_months", False],
        ["customers", "region", True],
    ]


@pytest.mark.parametrize(
    ("anchor", "months", "as_of", "expected"),
    [
        ("2025-01-01", 12, "2025-12-31", "2026-01-01"),
        ("2025-01-01", 12, "2026-01-01", "2027-01-01"),
        ("2024-01-31", 1, "2024-02-28", "2024-02-29"),
        ("2024-01-31", 1, "2024-02-29", "2024-03-31"),
        ("2024-02-29", 12, "2024-12-31", "2025-02-28"),
        ("2027-03-01", 12, "2025-04-01", "2026-03-01"),  # terms follow one another backwards, too
        ("2025-03-15", 5, "2025-03-14", "2025-03-15"),
    ],
)
def test_the_next_term_begins_after_whole_terms(anchor, months, as_of, expected):
    table = ibis.memtable(pd.DataFrame({"anchor": day(anchor), "months": [months]}))
    begin = term_begin_after(dt.date.fromisoformat(as_of), table["anchor"].cast("date"), table["months"])
    assert str(table.select(begin=begin.cast("date")).execute()["begin"].item())[:10] == expected


# days about the as-of date; None is missing
_DAYS = st.one_of(st.none(), st.integers(-400, 60))
_WHO = st.sampled_from("abcdef")
_TEXT = st.sampled_from(["x", "y", None])
_TERM = st.sampled_from([1, 12, 24, None])
_KIND = st.sampled_from(["complaint", "question"])
_RATING = st.integers(1, 10)
_COLUMNS = {
    "customers": {"customer_id": _WHO, "since": _DAYS, "region": _TEXT},
    "contracts": {
        "customer_id": _WHO,
        "start": _DAYS,
        "ended_on": _DAYS,
        "current_term_end": _DAYS,
        "reason": _TEXT,
        "term_months": _TERM,
        "product_id": _TEXT,
    },
    "transactions": {"customer_id": _WHO, "date": _DAYS, "revenue": st.just(1.0), "product_id": _TEXT},
    "surveys": {"response_id": st.uuids().map(str), "customer_id": _WHO, "answered_at": _DAYS, "nps": _RATING},
    "cases": {
        "customer_id": _WHO,
        "opened_at": _DAYS,
        "first_reply_at": _DAYS,
        "resolved_at": _DAYS,
        "closed_at": _DAYS,
        "kind": _KIND,
        "csat": _RATING,
        "reopened": st.booleans(),
    },
    "contacts": {"customer_id": _WHO, "at": _DAYS},
    "community": {"customer_id": _WHO, "at": _DAYS, "kind": st.just("view")},
}
_DATES = ["since", "start", "ended_on", "current_term_end", "date", "answered_at", "opened_at", "first_reply_at"]
_DATES += ["resolved_at", "closed_at", "at"]
_ROWS = {
    name: st.lists(st.fixed_dictionaries(columns), max_size=12, unique_by=lambda row: row["customer_id"])
    if name == "customers"
    else st.lists(st.fixed_dictionaries(columns), min_size=4, max_size=16)
    for name, columns in _COLUMNS.items()
}
_LATER = st.one_of(st.none(), st.integers(0, 60))


def _is_later(value: int | None) -> bool:
    return value is not None and value >= 0


def _frames(rows: dict[str, list[dict]]) -> dict[str, pd.DataFrame]:
    frames = {name: pd.DataFrame(found, columns=list(_COLUMNS[name])) for name, found in rows.items()}
    for frame in frames.values():
        for date in set(_DATES) & set(frame.columns):
            frame[date] = pd.Timestamp(AS_OF) + pd.to_timedelta(frame[date].astype("float64"), unit="D")
    return frames


def _rewritten(draw: st.DrawFn, name: str, row: dict) -> dict:
    """Rewrite at random what was not known of a row on the as-of date, so that it stays unknown."""
    spec, columns = TABLES[name], _COLUMNS[name]
    if _is_later(row[spec.event_time]):
        return {column: draw(values) for column, values in columns.items()} | {
            spec.event_time: draw(st.integers(0, 60))
        }
    row = dict(row)
    for date, fields in spec.learned:
        if date in columns and (row[date] is None or _is_later(row[date])):
            row |= {date: draw(_LATER)} | {field: draw(columns[field]) for field in fields if field in columns}
    return row | ({"current_term_end": draw(_DAYS)} if name == "contracts" else {})


# a failure is not shrunk, for every step of it asks the engine
@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(data=st.data(), rows=st.fixed_dictionaries(_ROWS))
def test_nothing_that_came_to_light_later_changes_a_feature(data, rows):
    changed = data.draw(
        st.composite(
            lambda draw: {name: [_rewritten(draw, name, row) for row in found] for name, found in rows.items()}
        )()
    )
    before, after = (_features(_frames(found), constant="region") for found in (rows, changed))
    pd.testing.assert_frame_equal(before, after)


def test_a_change_of_what_was_known_does_change_them():
    tables = _tables()
    tables["surveys"].loc[1, "nps"] = 3
    assert _of("a", tables)["nps"] == 3
