from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.churn import cohorts, revenue_churn
from analysis.measures.retention import _reduce_cohorts, _reduce_revenue_churn, revenue_by_period
from analysis.measures.spells import spells

AS_OF = dt.date(2025, 4, 11)
START, END = dt.date(2025, 1, 1), dt.date(2025, 3, 31)


def _spells(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["origin", "entry", "exit", "event"])
    return frame.assign(origin=pd.to_datetime(frame["origin"]))


def _random_spells(n: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    began, length = draw.integers(0, 460, n), 1 + draw.exponential(150, n).astype(int)
    seen = 465 - began  # as_of is day 465 from 1 January 2024
    frame = pd.DataFrame({"entry": 0, "exit": np.minimum(length, seen), "event": (length < seen).astype(int)})
    return frame.assign(
        origin=pd.Timestamp("2024-01-01") + pd.to_timedelta(began, unit="D"), plan=draw.choice(["Öko", "Basis"], n)
    )


class TestCohorts:
    def test_a_hand_worked_triangle(self):
        found = cohorts(
            _spells(
                ("2025-01-10", 0, 22, 1),  # last day 31 January: ended in month 0
                ("2025-01-10", 0, 23, 1),  # last day 1 February: in month 1
                ("2025-01-31", 0, 70, 0),
                ("2025-01-01", 0, 100, 0),
                ("2025-03-05", 0, 10, 1),  # its cohort has months 0 and 1
            ),
            as_of=AS_OF,
        )
        assert found["cohort"].dt.strftime("%Y-%m-%d").tolist() == ["2025-01-01"] * 4 + ["2025-03-01"] * 2
        assert found["month"].tolist() == [0, 1, 2, 3, 0, 1]
        assert found["joined"].tolist() == [4, 4, 4, 4, 1, 1]
        assert found["ended"].tolist() == [1, 1, 0, 0, 1, 0]
        assert found["kept"].tolist() == [3, 2, 2, 2, 0, 0]
        assert found["share"].tolist() == [0.75, 0.5, 0.5, 0.5, 0, 0]
        low, high = proportion_confint([3, 2, 2, 2, 0, 0], [4, 4, 4, 4, 1, 1], method="wilson")
        assert_allclose(found[["share_low", "share_high"]], np.transpose([low, high]), atol=1e-12)

    def test_a_month_in_which_as_of_lies_is_marked(self):
        found = cohorts(_spells(("2025-02-10", 0, 60, 0)), as_of=AS_OF)
        assert found["complete"].tolist() == [True, True, False]
        whole = cohorts(_spells(("2025-02-10", 0, 50, 0)), as_of=dt.date(2025, 4, 1))
        assert whole["complete"].tolist() == [True, True]
        last_day = cohorts(_spells(("2025-02-10", 0, 49, 0)), as_of=dt.date(2025, 3, 31))
        assert last_day["complete"].tolist() == [True, False]

    def test_nothing_from_as_of_on_is_known(self):
        rows = (("2025-04-10", 0, 5, 1), ("2025-04-11", 0, 1, 1))  # ends on 14 April; begins on as_of
        found = cohorts(_spells(*rows), as_of=AS_OF)
        assert found[["joined", "ended", "kept"]].to_numpy().tolist() == [[1, 0, 1]]

    def test_those_who_were_customers_before_they_were_watched_are_left_out(self):
        found = cohorts(
            _spells(("2025-01-10", 20, 91, 0), ("2025-01-10", 0, 91, 0), ("2025-01-10", 0, 0, 1)), as_of=AS_OF
        )
        assert found["joined"].tolist() == [1] * 4
        assert found.attrs == {"n": 3, "zero_length": 1, "late_entry": 1, "censored": 0}

    def test_spells_lost_from_sight_are_counted_as_kept(self):
        found = cohorts(_spells(("2025-01-10", 0, 10, 0), ("2025-01-10", 0, 91, 0)), as_of=AS_OF)
        assert found["kept"].tolist() == [2] * 4
        assert found.attrs["censored"] == 1

    def test_it_adds_up_over_groups_and_never_rises(self):
        frame = _random_spells(800)
        whole, parts = cohorts(frame, as_of=AS_OF), cohorts(frame, as_of=AS_OF, by="plan")
        sums = parts.groupby(["cohort", "month"], as_index=False)[["joined", "ended", "kept"]].sum()
        pd.testing.assert_frame_equal(sums, whole[["cohort", "month", "joined", "ended", "kept"]])
        first = whole[whole["month"] == 0]
        assert first["joined"].sum() == 800
        assert whole["ended"].sum() == frame["event"].sum()
        falls = whole.groupby("cohort")["kept"].diff().dropna()
        assert (falls == -whole["ended"][falls.index]).all()
        assert (first["kept"] == first["joined"] - first["ended"]).all()

    def test_it_agrees_with_a_count_of_pandas_row_by_row(self):
        frame = _random_spells(300, seed=2)
        last = frame["origin"] + pd.to_timedelta(frame["exit"] - 1, unit="D")
        for cell in cohorts(frame, as_of=AS_OF).sample(40, random_state=1).itertuples():
            of_cohort = frame["origin"].dt.to_period("M") == pd.Period(cell.cohort, "M")
            still = (frame["event"] == 0) | (last.dt.to_period("M") > pd.Period(cell.cohort, "M") + cell.month)
            assert cell.kept == (of_cohort & still).sum()

    def test_from_contracts_to_a_triangle(self):
        ledger = pd.DataFrame({"customer_id": ["a", "b"], "start": pd.to_datetime(["2025-02-01", "2025-02-15"])})
        ledger["ended_on"] = pd.to_datetime(["2025-03-31", None])
        found = cohorts(spells(ledger, as_of=AS_OF), as_of=AS_OF)
        assert found["kept"].tolist() == [2, 1, 1]
        assert found.attrs["censored"] == 0

    def test_no_spell_is_an_empty_triangle(self):
        found = cohorts(_random_spells(3)[:0], as_of=AS_OF, by="plan")
        assert found.empty
        assert list(found)[:4] == ["plan", "cohort", "month", "joined"]

    def test_values_outside_their_domain_are_refused(self):
        frame = _spells(("2025-01-01", 5, 3, 1), (None, 0, 3, 1), ("2025-01-01", 0, 3, 1))
        with pytest.raises(MeasureError, match="cohorts: 2 of 3 spells have"):
            cohorts(frame, as_of=AS_OF)
        unknown = frame.assign(exit=[3.0, np.inf, np.nan])
        with pytest.raises(MeasureError, match="cohorts: 3 of 3 spells have"):
            cohorts(unknown, as_of=AS_OF)

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays(self):
        frame = _random_spells(60)
        before, found = frame.copy(deep=True), cohorts(frame, as_of=AS_OF, by="plan")
        pd.testing.assert_frame_equal(found, cohorts(frame[::-1], as_of=AS_OF, by="plan"))
        pd.testing.assert_frame_equal(found, cohorts(ibis.memtable(frame), as_of=AS_OF, by="plan"))
        pd.testing.assert_frame_equal(frame, before)


def _contracts(*rows: tuple[str, str, str | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "ended_on", "fee"])
    return frame.assign(start=pd.to_datetime(frame["start"]), ended_on=pd.to_datetime(frame["ended_on"]))


def _revenue(frame: pd.DataFrame, **settings: object) -> pd.Series:
    return revenue_churn(frame, start=START, end=END, **settings).iloc[0]


class TestRevenueChurn:
    def test_a_hand_worked_window(self):
        found = _revenue(
            _contracts(
                ("stays", "2024-01-01", None, 40),
                ("leaves on the last day", "2024-01-01", "2025-03-31", 30),
                ("leaves after it", "2024-01-01", "2025-04-01", 10),
                ("left before", "2024-01-01", "2024-12-31", 99),
                ("shrinks", "2024-01-01", "2025-02-01", 12),
                ("shrinks", "2025-02-02", None, 7),
                ("grows", "2025-01-01", None, 8),
                ("grows", "2025-02-02", None, 20),
                ("new", "2025-01-02", None, 50),
                ("yet to come", "2025-04-01", None, 50),
            )
        )
        # 40 + 30 + 10 + 12 + 8 = 100 at first; 30 lost, 5 less, 20 more
        expected = {"customers": 5, "fees_start": 100, "lost": 30, "reduced": 5, "added": 20, "fees_end": 85}
        expected |= {"gone": 1, "lost_by": 1, "reduced_by": 1, "added_by": 1}
        assert found[list(expected)].to_dict() == expected
        assert found["revenue_churn"] == pytest.approx(0.35)
        assert found["gross_retention"] == pytest.approx(0.65)
        assert found["net_retention"] == pytest.approx(0.85)

    def test_behind_fees_stand_only_those_who_pay_any(self):
        found = _revenue(_contracts(("free", "2024-01-01", "2025-02-01", 0), ("pays", "2024-01-01", "2025-02-01", 9)))
        assert found[["gone", "lost_by"]].tolist() == [2, 1]

    def test_equal_fees_give_the_wald_interval_of_the_share_that_stays(self):
        # 30 of 100 pay 10 and leave: error √(.7 · .3 / 99)
        rows = [(str(k), "2024-01-01", "2025-02-01" if k < 30 else None, 10) for k in range(100)]
        found = _revenue(_contracts(*rows))
        half = 1.9599639845 * np.sqrt(0.21 / 99)
        assert_allclose(found[["gross_low", "gross_high"]].astype(float), [0.7 - half, 0.7 + half], rtol=1e-9)
        assert_allclose(found[["net_low", "net_high"]].astype(float), [0.7 - half, 0.7 + half], rtol=1e-9)

    def test_the_error_is_that_of_the_residuals(self):
        draw = np.random.default_rng(3)
        before, after = draw.integers(5, 60, 50), draw.integers(0, 60, 50)
        rows = [(str(k), "2024-01-01", "2025-02-01", before[k]) for k in range(50)]
        rows += [(str(k), "2025-02-02", None, after[k]) for k in range(50)]
        found = _revenue(_contracts(*rows))
        for name, kept in (("net", after), ("gross", np.minimum(before, after))):
            share = kept.sum() / before.sum()
            se = np.sqrt(((kept - share * before) ** 2).sum() * 50 / 49) / before.sum()
            assert found[f"{name}_retention"] == pytest.approx(share)
            assert found[f"{name}_low"] == pytest.approx(share - 1.9599639845 * se)

    def test_gross_retention_never_passes_one_and_net_may(self):
        rows = [("a", "2024-01-01", None, 10), ("a", "2025-02-01", None, 30), ("b", "2024-01-01", None, 10)]
        found = _revenue(_contracts(*rows))
        assert found[["gross_retention", "net_retention"]].tolist() == [1, 2.5]

    def test_where_nothing_was_added_net_retention_ends_where_gross_does(self):
        rows = [(name, "2024-01-01", None, 10) for name in "abcdefghi"] + [("j", "2024-01-01", "2025-02-01", 10)]
        found = _revenue(_contracts(*rows))  # .9 and 1.96 · .1 are 1.096
        assert found[["gross_high", "net_high"]].tolist() == [1, 1]
        assert found["net_low"] == found["gross_low"]
        assert _revenue(_contracts(*rows, ("a", "2025-02-02", None, 1)))["net_high"] > 1

    @pytest.mark.parametrize("rows", [[("a", "2024-01-01", "2025-02-01", 10)], [("a", "2024-01-01", None, 10)] * 3])
    def test_customers_who_do_not_differ_give_no_interval(self, rows):
        found = _revenue(_contracts(*rows))
        assert found[["gross_low", "gross_high", "net_low", "net_high"]].isna().all()
        assert found["gross_retention"] in (0, 1)

    def test_customers_with_a_missing_fee_are_left_out_and_counted(self):
        rows = [("a", "2024-01-01", None, 10), ("a", "2024-06-01", None, None), ("b", "2024-01-01", None, 10)]
        found = revenue_churn(_contracts(*rows), start=START, end=END)
        assert found[["customers", "fees_start"]].iloc[0].tolist() == [1, 10]
        assert found.attrs == {"without_fee": 1}

    def test_who_changes_the_group_is_lost_to_the_first(self):
        rows = [("a", "2024-01-01", "2025-01-31", 10), ("a", "2025-02-01", None, 10), ("b", "2024-01-01", None, 5)]
        found = revenue_churn(_contracts(*rows).assign(plan=["Süd", "Nord", None]), start=START, end=END, by="plan")
        assert found["plan"].fillna("-").tolist() == ["Süd", "-"]
        assert found["lost"].tolist() == [10, 0]

    def test_hundredths_add_up_to_the_cent(self):
        found = _revenue(_contracts(*[(str(k), "2024-01-01", None, 0.1) for k in range(30)]))
        assert found["fees_start"] == 3

    @pytest.mark.parametrize("rows", [[("a", "2026-01-01", None, 10)], [("a", "2024-01-01", None, 0)] * 2])
    def test_no_fee_at_first_is_a_missing_share(self, rows):
        found = _revenue(_contracts(*rows))
        assert found["fees_start"] == 0
        assert found[["revenue_churn", "gross_retention", "net_retention"]].isna().all()

    def test_contracts_that_never_end_need_no_column_for_it(self):
        found = _revenue(_contracts(("a", "2024-01-01", None, 10)).drop(columns="ended_on"))
        assert found["net_retention"] == 1

    def test_what_is_outside_its_domain_is_refused(self):
        frame = _contracts(("a", "2024-01-01", None, -10))
        with pytest.raises(MeasureError, match="1 customers have a contract with a negative fee"):
            _revenue(frame)
        with pytest.raises(MeasureError, match="end 2025-01-01 lies before start 2025-03-31"):
            revenue_churn(frame, start=END, end=START)
        with pytest.raises(MeasureError, match="column 'fee' is absent"):
            _revenue(frame.drop(columns="fee"))

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays(self):
        frame = _contracts(*[(str(k), "2024-01-01", [None, "2025-02-01"][k % 2], k) for k in range(9)])
        frame = frame.assign(region=[*"abc"] * 3)
        before, found = frame.copy(deep=True), revenue_churn(frame, start=START, end=END, by="region")
        pd.testing.assert_frame_equal(found, revenue_churn(frame[::-1], start=START, end=END, by="region"))
        pd.testing.assert_frame_equal(found, revenue_churn(ibis.memtable(frame), start=START, end=END, by="region"))
        pd.testing.assert_frame_equal(frame, before)


MONTHS = {
    "2025-01": (dt.date(2025, 1, 1), dt.date(2025, 1, 31)),
    "2025-02": (dt.date(2025, 2, 1), dt.date(2025, 2, 28)),
}
PORTFOLIO = _contracts(
    ("leaves in January", "2024-01-01", "2025-01-31", 30),
    ("leaves in February", "2024-01-01", "2025-02-01", 20),
    ("joins in January", "2025-01-15", None, 50),
    ("fee not known", "2025-01-20", None, None),
)


class TestRevenueByPeriod:
    def test_each_period_starts_with_those_of_its_first_day(self):
        # January: 30 + 20, of which 30 go; February: 20 + 50, of which 20 go
        found = revenue_by_period(PORTFOLIO, MONTHS, min_group=1)
        assert found["period"].tolist() == ["2025-01", "2025-02"]
        assert found["fees_start"].tolist() == [50, 70]
        assert found["lost"].tolist() == [30, 20]
        assert_allclose(found["net_retention"], [0.4, 5 / 7])
        assert found["without_fee"].tolist() == [0, 1]

    def test_a_row_is_that_of_revenue_churn(self):
        found = revenue_by_period(PORTFOLIO, MONTHS, min_group=1, confidence=0.8).drop(
            columns=["period", "without_fee"]
        )
        for place, (start, end) in enumerate(MONTHS.values()):
            one = revenue_churn(PORTFOLIO, start=start, end=end, confidence=0.8)
            pd.testing.assert_frame_equal(found.iloc[[place]].reset_index(drop=True), one, check_like=False)

    def test_periods_stand_in_their_order(self):
        backwards = dict(reversed(MONTHS.items()))
        assert revenue_by_period(PORTFOLIO, backwards)["period"].tolist() == ["2025-02", "2025-01"]

    def test_of_few_customers_or_none_nothing_but_their_number_is_told(self):
        before = {"2023-12": (dt.date(2023, 12, 1), dt.date(2023, 12, 31))}
        found = revenue_by_period(PORTFOLIO, before | MONTHS, min_group=2)
        assert found["customers"].tolist() == [0, 2, 2]
        amounts = found.drop(columns=["period", "customers", "without_fee"])
        assert amounts.isna().all(axis=1).tolist() == [True, False, False]
        assert revenue_by_period(PORTFOLIO, MONTHS, min_group=3)["fees_start"].isna().all()
        assert revenue_by_period(PORTFOLIO, before, min_group=0)["fees_start"].isna().all()

    def test_fees_may_be_absent(self):
        none = revenue_by_period(PORTFOLIO.drop(columns="fee"), MONTHS)
        assert none["customers"].tolist() == [0, 0]
        assert none["without_fee"].tolist() == [2, 3]
        assert none[["fees_start", "net_retention"]].isna().all(axis=None)
        assert revenue_by_period(PORTFOLIO[:0], MONTHS)["customers"].tolist() == [0, 0]

    def test_without_a_column_of_ends_nobody_knows_what_stayed(self):
        found = revenue_by_period(PORTFOLIO.drop(columns="ended_on"), MONTHS, min_group=1)
        assert found[["fees_start", "lost", "net_retention"]].isna().all(axis=None)
        assert found["customers"].tolist() == [2, 3]
        assert found.attrs == {"ends_on_record": False}
        assert revenue_by_period(PORTFOLIO, MONTHS).attrs == {"ends_on_record": True}

    def test_kind_of_table_does_not_matter_and_the_argument_stays(self):
        before, found = PORTFOLIO.copy(deep=True), revenue_by_period(PORTFOLIO, MONTHS, min_group=1)
        pd.testing.assert_frame_equal(found, revenue_by_period(ibis.memtable(PORTFOLIO[::-1]), MONTHS, min_group=1))
        pd.testing.assert_frame_equal(PORTFOLIO, before)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("groups", [(), ("plan",)])
def test_the_reductions_compile_for_every_engine(dialect, groups):
    days = {"origin": "date", "entry": "int64", "exit": "int64", "event": "int64", "plan": "string"}
    assert "GROUP BY" in sql_of(_reduce_cohorts(ibis.table(days, name="spells"), AS_OF, groups), dialect)
    columns = {"customer_id": "string", "start": "date", "ended_on": "date", "fee": "decimal(9, 2)", "plan": "string"}
    ledger = ibis.table(columns, name="contracts")
    assert "GROUP BY" in sql_of(_reduce_revenue_churn(ledger, START, END, groups), dialect)


def test_the_counts_do_not_grow_with_the_rows():
    rows = [_random_spells(5000)] * 5
    few, many = (ibis.memtable(pd.concat(rows[:k], ignore_index=True)) for k in (1, 5))
    counted = [_reduce_cohorts(table, AS_OF, ("plan",)).count().execute() for table in (few, many)]
    assert counted[0] == counted[1] < 2 * 16 * 17
