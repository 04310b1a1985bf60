"""Movement between the ABC classes of two periods."""

from __future__ import annotations

from pathlib import Path

import ibis
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend

from analysis.errors import MeasureError
from analysis.measures.migration import (
    STATES_AFTER,
    STATES_BEFORE,
    _reduce_migration,
    migrated,
    migration,
    migration_totals,
)
from analysis.measures.segments import abc

MONEY = ["revenue_before", "revenue_after", "change"]


def rows(*lines: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["customer_id", "date", "revenue"])
    return frame.assign(date=pd.to_datetime(frame["date"]), revenue=frame["revenue"].astype("float64"))


def ledger() -> pd.DataFrame:
    return rows(
        ("früh", "2025-01-05", 3),  # bought long ago, again in Q2
        ("stumm", "2025-02-01", -3),  # a return is no purchase
        ("a", "2026-01-10", 80),
        ("b", "2026-01-11", 15),
        ("c", "2026-02-11", 5),
        ("weg", "2026-03-31", 0),
        ("a", "2026-04-01", 10),
        ("b", "2026-05-01", 60),
        ("früh", "2026-05-02", 25),
        ("neu", "2026-06-30", 5),
        ("stumm", "2026-06-01", 1),
        ("zurück", "2026-06-02", -2),  # only a return, of something bought before the record begins
    )


def quarter(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    return frame[frame["date"].dt.to_period("Q") == pd.Period(f"2026Q{number}")]


def states(moved: ibis.Table) -> dict[str, tuple[str, str]]:
    frame = moved.execute().set_index("customer_id")
    return dict(zip(frame.index, zip(frame["state_before"], frame["state_after"], strict=True), strict=True))


def test_every_customer_of_either_period_has_a_state_before_and_a_state_after():
    # before: a 80, b 15, c 5, weg 0 of 100: A, B, C, C
    # after: b 60, früh 25, a 10, neu 5, stumm 1, zurück -2, of 101: shares before 0, .59, .84, .94, .99
    found = states(migrated(quarter(ledger(), 1), quarter(ledger(), 2), history=ledger()))
    assert found == {
        "a": ("A", "B"),
        "b": ("B", "A"),
        "c": ("C", "gone"),
        "weg": ("C", "gone"),
        "früh": ("returned", "A"),
        "neu": ("new", "B"),
        "stumm": ("new", "C"),
        "zurück": ("returned", "C"),
    }


def test_without_a_history_the_period_before_is_all_that_is_known():
    found = states(migrated(quarter(ledger(), 1), quarter(ledger(), 2)))
    assert (found["früh"], found["zurück"]) == (("new", "A"), ("returned", "C"))


def test_a_history_may_hold_both_periods_or_neither():
    before, after = quarter(ledger(), 1), quarter(ledger(), 2)
    long_ago = ledger()[ledger()["date"] < "2026-01-01"]
    pd.testing.assert_frame_equal(
        migration(before, after, history=ledger()), migration(before, after, history=long_ago)
    )


def test_who_bought_between_two_periods_that_do_not_adjoin_has_returned():
    between = rows(("x", "2026-02-01", 4), ("x", "2026-07-01", 4), ("y", "2026-07-01", 4))
    found = states(migrated(rows(("z", "2025-07-01", 4)), between[between["date"] >= "2026-07-01"], history=between))
    assert found == {"x": ("returned", "A"), "y": ("new", "A"), "z": ("A", "gone")}


def test_cells_carry_customers_and_money_and_the_empty_ones_are_shown():
    cells = migration(quarter(ledger(), 1), quarter(ledger(), 2), history=ledger()).set_index(
        ["state_before", "state_after"]
    )
    assert len(cells) == 18
    assert ("new", "gone") not in cells.index
    assert cells.loc[("C", "gone")].tolist() == [2, 5, 0, -5]
    assert cells.loc[("returned", "C")].tolist() == [1, 0, -2, -2]
    assert cells.loc[("A", "A")].tolist() == [0, 0, 0, 0]
    assert cells["customers"].dtype == "int64"
    assert cells["customers"].sum() == 8


def test_totals_are_those_of_abc_in_each_period():
    before, after = quarter(ledger(), 1), quarter(ledger(), 2)
    totals = migration_totals(migration(before, after, history=ledger())).set_index(["period", "state"])
    assert list(totals.loc["before"].index) == list(STATES_BEFORE)
    assert list(totals.loc["after"].index) == list(STATES_AFTER)
    for period, rows_of_period in (("before", before), ("after", after)):
        classes = abc(rows_of_period).set_index("class")
        for letter in "ABC":
            found = totals.loc[(period, letter)]
            assert found["customers"] == classes.loc[letter, "customers"]
            assert found[f"revenue_{period}"] == classes.loc[letter, "revenue"]
    assert totals.loc[("before", "new")].tolist() == [2, 0, 6, 6]
    assert totals.loc[("after", "gone")].tolist() == [2, 5, 0, -5]


def test_the_cuts_are_those_of_both_periods():
    frame = rows(("a", "2026-01-01", 50), ("b", "2026-01-01", 50))
    assert states(migrated(frame, frame, cuts=(0.4, 0.9))) == {"a": ("A", "A"), "b": ("B", "B")}
    with pytest.raises(MeasureError, match=r"^abc: cuts are \(0\.9, 0\.4\)\."):
        migration(frame, frame, cuts=(0.9, 0.4))


def test_periods_without_rows_give_cells_of_nothing():
    none, some = rows(), rows(("a", "2026-01-01", 1))
    assert migration(none, none, history=none)[["customers", *MONEY]].sum().tolist() == [0, 0, 0, 0]
    assert states(migrated(none, some)) == {"a": ("new", "A")}
    assert states(migrated(some, none, history=some)) == {"a": ("A", "gone")}


def test_rows_without_customer_or_revenue_are_left_out():
    faulty = pd.DataFrame({"customer_id": ["a", None, "b"], "revenue": [2.0, 9.0, None]})
    assert states(migrated(faulty, faulty)) == {"a": ("A", "A")}


def test_an_absent_column_is_named_with_its_table():
    good = ledger()
    for tables, message in (
        ({"before": good[["customer_id"]], "after": good}, "migration, before: column 'revenue' is absent"),
        ({"before": good, "after": good.drop(columns="customer_id")}, "migration, after: column 'customer_id'"),
        ({"before": good, "after": good.drop(columns="date"), "history": good}, "migration, after: column 'date'"),
        ({"before": good, "after": good, "history": good.drop(columns="date")}, "migration, history: column 'date'"),
    ):
        with pytest.raises(MeasureError, match=f"^{message}"):
            migration(**tables)
    with pytest.raises(MeasureError, match=r"^migration_totals: column 'state_before' is absent"):
        migration_totals(good)


some_rows = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5), st.integers(-500, 5000)), min_size=1, max_size=30
)


def by_hand(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Months 0 to 5: before is 2 and 3, after 4 and 5. Only whether a class is missing, and why, is checked here."""
    seen = {name: set(frame.loc[frame["month"].isin(months), "customer_id"]) for name, months in PERIODS.items()}
    first_day = frame.loc[frame["month"] >= 4, "date"].min()
    bought = frame[frame["revenue"] >= 0]
    earlier = set(bought.loc[bought["date"] < first_day, "customer_id"])
    now = set(bought.loc[bought["month"] >= 4, "customer_id"])
    found = {}
    for who in seen["before"] | seen["after"]:
        came = "class" if who in seen["before"] else "new" if who in now - earlier else "returned"
        found[who] = (came, "class" if who in seen["after"] else "gone")
    return found


PERIODS = {"before": (2, 3), "after": (4, 5)}


@settings(max_examples=8, deadline=None)
@given(lines=some_rows, seed=st.integers(0, 99))
def test_cells_reconcile_to_the_cent_whatever_the_order_of_rows(lines, seed):
    frame = pd.DataFrame(lines, columns=["customer_id", "month", "cents"])
    frame = frame.assign(revenue=frame["cents"] / 100, date=pd.Timestamp("2026-01-01"))
    frame["date"] += pd.to_timedelta(frame["month"] * 31, unit="D")
    before, after = (frame[frame["month"].isin(months)] for months in PERIODS.values())
    cells = migration(before, after, history=frame)
    shuffled = frame.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(cells, migration(before.sample(frac=1, random_state=seed), after, history=shuffled))
    totals = migration_totals(cells)
    for name, period in (("before", before), ("after", after)):
        of_period = totals[totals["period"] == name]
        for part in (cells, of_period):
            assert (part[f"revenue_{name}"] * 100).round().sum() == period["cents"].sum()
            assert part["customers"].sum() == pd.concat([before, after])["customer_id"].nunique()
            assert (part["change"] * 100).round().sum() == after["cents"].sum() - before["cents"].sum()
    classes = dict.fromkeys("ABC", "class")
    found = states(migrated(before, after, history=frame))
    assert {who: tuple(classes.get(state, state) for state in pair) for who, pair in found.items()} == by_hand(frame)


def test_a_frame_and_a_table_give_the_same_and_the_frame_stays_as_it_was():
    frame = ledger()
    before, after = quarter(frame, 1), quarter(frame, 2)
    kept = after.copy()
    as_tables = [ibis.memtable(part.reset_index(drop=True)) for part in (before, after, frame)]
    found = migration(before, after, history=frame)
    pd.testing.assert_frame_equal(found, migration(*as_tables[:2], history=as_tables[2]))
    pd.testing.assert_frame_equal(after, kept)
    pd.testing.assert_frame_equal(frame, ledger())
    assert migration_totals(found)["customers"].sum() == 2 * found["customers"].sum()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("has_history", [True, False])
def test_the_reduction_compiles_for_every_engine(dialect, has_history):
    table = ibis.table({"customer_id": "string", "date": "date", "revenue": "float64"}, name="transactions")
    sql = sql_of(_reduce_migration(table, table, table if has_history else None, (0.8, 0.95)), dialect)
    read = sqlglot.parse_one(sql, dialect={"pyspark": "spark"}.get(dialect, dialect)).find_all(sqlglot.exp.Table)
    assert "transactions" in {found.name for found in read}


def test_what_comes_back_from_the_engine_does_not_grow_with_customers(monkeypatch):
    returned = []
    execute = Backend.execute

    def counting(self, *args, **kwargs):
        result = execute(self, *args, **kwargs)
        returned.append(len(result))
        return result

    monkeypatch.setattr(Backend, "execute", counting)
    frame = pd.DataFrame({"customer_id": [f"{number:05d}" for number in range(20_000)]}).assign(revenue=1.0)
    migration(frame.head(15_000), frame.tail(15_000))
    assert returned
    assert max(returned) <= 18


def test_cdnow_moves_as_a_pandas_calculation_says(public_data: Path):
    path = public_data / "cdnow" / "CDNOW_sample.txt"
    columns = ["master", "customer_id", "date", "quantity", "revenue"]
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=columns, dtype={"customer_id": str, "date": str})
    frame = frame.assign(date=pd.to_datetime(frame["date"], format="%Y%m%d"))
    before, after = (frame[frame["date"].dt.to_period("Q") == quarter] for quarter in ("1997Q4", "1998Q1"))
    found = migration_totals(migration(before, after, history=frame)).set_index(["period", "state"])["customers"]
    was, is_now = set(before["customer_id"]), set(after["customer_id"])
    # all of them bought for the first time in the first quarter of 1997
    assert found["before"]["new"] == 0
    assert found["before"]["returned"] == len(is_now - was)
    assert found["after"]["gone"] == len(was - is_now)
