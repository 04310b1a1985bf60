from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.errors import MeasureError
from analysis.measures.churn import _reduce_churn_rate, churn_by_period, churn_change, churn_rate
from analysis.measures.spells import spells

START, END = dt.date(2025, 1, 1), dt.date(2025, 3, 31)


def _spells(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["origin", "entry", "exit", "event"])
    return frame.assign(origin=pd.to_datetime(frame["origin"]))


def _rate(frame: pd.DataFrame, **settings: object) -> pd.Series:
    return churn_rate(frame, start=START, end=END, **settings).iloc[0]


class TestChurnRate:
    def test_a_hand_worked_window(self):
        # 1 January to 31 March 2025 are 90 days; the first day is day 366 of a spell from 1 January 2024
        found = _rate(
            _spells(
                ("2024-01-01", 0, 900, 0),  # in force throughout: exposed, 90 days
                ("2024-01-01", 0, 386, 1),  # exposed, ends in the window, 20 days
                ("2024-01-01", 0, 366, 1),  # last day 31 December: neither exposed nor ended in it
                ("2025-02-01", 0, 10, 1),  # joined late and ended: 10 days
                ("2025-04-01", 0, 10, 1),  # joined after it
            )
        )
        assert found[["exposed", "ended_of_exposed", "share", "ended"]].tolist() == [2, 1, 0.5, 2]
        assert found["person_years"] == pytest.approx(120 / 365.25)
        assert found["rate"] == pytest.approx(2 / (120 / 365.25))

    @pytest.mark.parametrize(("length", "ended"), [(1, 1), (90, 1), (91, 0)])
    def test_first_and_last_day_of_the_window_are_in_it(self, length, ended):
        # from 1 January on, a spell of 90 days has its last day on 31 March
        found = _rate(_spells(("2025-01-01", 0, length, 1)))
        assert found[["exposed", "ended_of_exposed", "ended"]].tolist() == [1, ended, ended]

    def test_only_what_was_watched_counts(self):
        # watched from day 31 on: on 1 January nobody saw it, from 1 February to 31 March it gives 59 days
        found = _rate(_spells(("2025-01-01", 31, 200, 0)))
        assert found["exposed"] == 0
        assert found["person_years"] == pytest.approx(59 / 365.25)

    def test_a_spell_that_enters_on_the_first_day_is_exposed(self):
        assert _rate(_spells(("2024-01-01", 366, 900, 0)))["exposed"] == 1

    def test_intervals_are_wilson_and_exact_poisson(self):
        # 40 in force, 7 of them end after 10 days, 33 stay 90 days
        stay, leave = ("2024-01-01", 0, 900, 0), ("2024-01-01", 0, 376, 1)
        found = _rate(_spells(*[stay] * 33, *[leave] * 7), confidence=0.9)
        assert_allclose(found[["share_low", "share_high"]].astype(float), proportion_confint(7, 40, 0.1, "wilson"))
        years = (33 * 90 + 7 * 10) / 365.25
        ends = [chi2.ppf(0.05, 14) / 2 / years, chi2.ppf(0.95, 16) / 2 / years]
        assert_allclose(found[["rate_low", "rate_high"]].astype(float), ends)

    def test_nobody_leaving_is_a_share_of_zero_with_an_upper_end(self):
        found = _rate(_spells(*[("2024-01-01", 0, 900, 0)] * 3))
        assert found[["share", "share_low", "rate", "rate_low"]].tolist() == [0, 0, 0, 0]
        assert found["rate_high"] == pytest.approx(-np.log(0.025) / (270 / 365.25))

    def test_everybody_leaving_is_a_share_of_one(self):
        found = _rate(_spells(*[("2024-01-01", 0, 370, 1)] * 3))
        assert found[["share", "share_high"]].tolist() == [1, 1]

    def test_no_one_exposed_is_a_missing_share(self):
        found = _rate(_spells(("2026-01-01", 0, 10, 1)))
        assert found[["exposed", "ended", "person_years"]].tolist() == [0, 0, 0]
        shares_and_rates = ["share", "share_low", "share_high", "rate", "rate_low", "rate_high"]
        assert found[shares_and_rates].isna().all()

    def test_no_spell_at_all_is_a_row_of_nothing(self):
        found = _rate(_spells(("2025-01-01", 0, 1, 1))[:0])
        assert found[["exposed", "ended", "person_years"]].tolist() == [0, 0, 0]

    def test_groups_are_sorted_add_up_and_a_missing_name_is_one(self):
        frame = _spells(("2024-01-01", 0, 900, 0), ("2024-01-01", 0, 380, 1), ("2025-02-01", 0, 9, 1))
        found = churn_rate(frame.assign(region=["Süd", None, "Nord"]), start=START, end=END, by="region")
        assert found["region"].fillna("-").tolist() == ["Nord", "Süd", "-"]
        assert found["exposed"].tolist() == [0, 1, 1]
        assert found["ended"].tolist() == [1, 0, 1]
        assert found["person_years"].sum() == pytest.approx(_rate(frame)["person_years"])

    def test_spells_of_length_zero_and_those_lost_from_sight_are_counted(self):
        frame = _spells(("2025-01-11", 0, 0, 1), ("2024-01-01", 0, 376, 0), ("2024-01-01", 0, 900, 0))
        found = churn_rate(frame, start=START, end=END)
        assert found.attrs == {"n": 3, "zero_length": 1, "censored_of_exposed": 1}
        assert found["ended"].item() == 0

    def test_from_contracts_to_the_churn_of_a_quarter(self):
        # of three customers on 1 January one ends on 31 March; the window ends where knowledge does
        ledger = pd.DataFrame({"customer_id": ["a", "b", "c"], "start": dt.date(2024, 5, 1)})
        ledger["ended_on"] = pd.to_datetime(["2025-03-31", "2025-04-01", None])
        found = churn_rate(spells(ledger, as_of=dt.date(2025, 4, 1)), start=START, end=END)
        assert found[["exposed", "ended_of_exposed"]].iloc[0].tolist() == [3, 1]
        assert found.attrs["censored_of_exposed"] == 0

    def test_the_telecom_sample(self, public_data: Path):
        # no dates there: everybody is given the tenure before a common day, the ended ones up to the day before it
        rows = pd.read_csv(public_data / "telco_ibm" / "Telco-Customer-Churn.csv")
        origin = pd.Timestamp("2025-01-01") - pd.to_timedelta(rows["tenure"], unit="D")
        event = (rows["Churn"] == "Yes").astype(int)
        frame = pd.DataFrame({"origin": origin, "entry": 0, "exit": rows["tenure"], "event": event})
        found = churn_rate(frame, start=dt.date(2024, 12, 31), end=dt.date(2024, 12, 31))
        assert found["exposed"].item() == 7043 - 11
        assert found["ended_of_exposed"].item() == 1869

    def test_a_planted_rate_is_held_by_its_interval(self):
        # 300 samples of 80 exponential spells with .6 ends a year, joined over the year before the window
        rng = np.random.default_rng(3)
        size = 300 * 80
        joined = rng.integers(0, 366, size)
        length = np.ceil(rng.exponential(365.25 / 0.6, size)).astype(int)
        frame = pd.DataFrame({"sample": np.repeat(np.arange(300), 80), "entry": 0, "exit": length, "event": 1})
        frame["origin"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(joined, unit="D")
        found = churn_rate(frame, start=START, end=dt.date(2025, 12, 31), by="sample")
        held = found["rate_low"].le(0.6) & found["rate_high"].ge(0.6)
        assert 0.93 <= held.mean() <= 0.99  # exact intervals hold at least 95 %
        assert found["rate"].mean() == pytest.approx(0.6, abs=0.02)

    def test_an_end_before_the_start_is_refused(self):
        with pytest.raises(MeasureError) as error:
            churn_rate(_spells(("2025-01-01", 0, 1, 1)), start=END, end=START)
        assert str(error.value) == (
            "churn_rate: end 2025-01-01 lies before start 2025-03-31. Name the window's last day as end."
        )

    def test_values_outside_their_domain_are_refused(self):
        frame = _spells(("2025-01-01", 5, 3, 1), ("2025-01-01", 0, 3, 7), (None, 0, 3, 1), ("2025-01-01", 0, 3, 1))
        with pytest.raises(MeasureError, match="churn_rate: 3 of 4 spells have"):
            churn_rate(frame, start=START, end=END)

    def test_an_absent_column_is_named(self):
        with pytest.raises(MeasureError, match="column 'origin' is absent"):
            churn_rate(_spells(("2025-01-01", 0, 1, 1)).drop(columns="origin"), start=START, end=END)

    def test_the_argument_is_not_changed(self):
        frame = _spells(("2025-01-01", 0, 1, 1))
        before = frame.copy(deep=True)
        churn_rate(frame, start=START, end=END)
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "pyspark"])
@pytest.mark.parametrize("groups", [(), ("region",)])
def test_the_counts_compile_for_every_engine(dialect, groups):
    numbers = dict.fromkeys(["entry", "exit", "event"], "int64")
    table = ibis.table({**numbers, "origin": "date", "region": "string"}, name="spells")
    assert ibis.to_sql(_reduce_churn_rate(table, START, END, groups), dialect=dialect).count("SUM(") >= 6


def test_churn_by_period_is_the_churn_rate_of_each_period_in_order():
    spells = pd.DataFrame(
        {"origin": pd.to_datetime(["2025-01-01"] * 3), "entry": 0, "exit": [20, 45, 90], "event": [1, 1, 0]}
    )
    spells["plan"] = ["a", "b", "b"]
    months = {
        "2025-01": (dt.date(2025, 1, 1), dt.date(2025, 1, 31)),
        "2025-02": (dt.date(2025, 2, 1), dt.date(2025, 2, 28)),
    }
    found = churn_by_period(spells, months, by="plan")
    assert found[["plan", "period", "exposed", "ended"]].to_numpy().tolist() == [
        ["a", "2025-01", 1, 1],
        ["a", "2025-02", 0, 0],
        ["b", "2025-01", 2, 0],
        ["b", "2025-02", 2, 1],
    ]
    alone = churn_rate(spells, start=dt.date(2025, 2, 1), end=dt.date(2025, 2, 28), by="plan")
    assert found[found["period"] == "2025-02"]["rate"].tolist() == pytest.approx(alone["rate"].tolist(), nan_ok=True)


def _rates(*rows: tuple[str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["period", "exposed", "ended_of_exposed"])


class TestChurnChange:
    def test_each_period_is_set_against_the_one_before(self):
        # 56/70 - 48/80 = .8 - .6, then 9/90 - 56/70 = .1 - .8
        found = churn_change(_rates(("Q1", 80, 48), ("Q2", 70, 56), ("Q3", 90, 9)))
        assert found[["period", "before", "n", "n_before", "verdict"]].to_numpy().tolist() == [
            ["Q2", "Q1", 70, 80, "up"],
            ["Q3", "Q2", 90, 70, "down"],
        ]
        assert_allclose(found[["share", "share_before", "difference"]], [[0.8, 0.6, 0.2], [0.1, 0.8, -0.7]])
        peers = [(56, 70, 48, 80), (9, 90, 56, 70)]
        ends = [confint_proportions_2indep(*peer, compare="diff", method="newcomb") for peer in peers]
        assert_allclose(found[["low", "high"]], ends)
        assert found.columns.tolist() == [
            *("period", "before", "share", "share_before", "difference", "low", "high", "n", "n_before", "verdict")
        ]

    def test_a_lower_confidence_may_see_more(self):
        # 20/100 - 12/100: .08 with ends at -.02 and .18 (95 %), above 0 at 80 %
        rates = _rates(("Q1", 100, 12), ("Q2", 100, 20))
        assert churn_change(rates)["verdict"].tolist() == ["within noise"]
        assert churn_change(rates, confidence=0.8)["verdict"].tolist() == ["up"]

    def test_groups_change_apart_and_a_missing_name_is_one(self):
        rates = pd.concat([_rates(("Q1", 10, 1), ("Q2", 10, 9)), _rates(("Q1", 10, 9), ("Q2", 10, 1))])
        rates = rates.assign(plan=1, region=["Süd", "Süd", None, None])[["region", "plan", *rates]]
        before = rates.copy(deep=True)
        found = churn_change(rates)
        assert found["region"].fillna("-").tolist() == ["Süd", "-"]
        assert found["verdict"].tolist() == ["up", "down"]
        assert list(found)[:4] == ["region", "plan", "period", "before"]
        pd.testing.assert_frame_equal(rates, before)

    def test_where_nobody_was_exposed_there_is_no_difference(self):
        found = churn_change(_rates(("Q1", 0, 0), ("Q2", 5, 0), ("Q3", 5, 5)))
        assert found["verdict"].tolist() == ["too few", "up"]
        assert found.loc[0, ["share_before", "difference", "low", "high"]].isna().all()
        assert found[["n", "n_before"]].to_numpy().tolist() == [[5, 0], [5, 5]]

    @pytest.mark.parametrize("rows", [[], [("Q1", 5, 1)]])
    def test_one_period_has_none_before_it(self, rows):
        assert churn_change(_rates(*rows)).empty

    def test_it_takes_what_churn_by_period_returns(self):
        ledger = _spells(*[("2025-01-01", 0, days, 1) for days in (20, 40, 45, 50)]).assign(plan="a")
        january, february = (dt.date(2025, 1, 1), dt.date(2025, 1, 31)), (dt.date(2025, 2, 1), dt.date(2025, 2, 28))
        found = churn_change(churn_by_period(ledger, {"2025-01": january, "2025-02": february}, by="plan"))
        # 1 of 4 in January, all 3 in February
        assert found[["plan", "period", "before", "share", "share_before"]].to_numpy().tolist() == [
            ["a", "2025-02", "2025-01", 1.0, 0.25]
        ]

    @pytest.mark.parametrize("same_customers", [False, True])
    def test_a_planted_change_is_held_by_its_interval_though_customers_stay_and_are_not_alike(self, same_customers):
        # a fifth leave at .5 a period, the others at .03: those left in the second period leave less
        draw = np.random.default_rng(11)
        trials, n = 3000, 300
        often = np.arange(n) < n // 5 if same_customers else draw.random((trials, n)) < 0.2
        risk = np.where(often, 0.5, 0.03)
        is_first = draw.random((trials, n)) < risk
        is_second = ~is_first & (draw.random((trials, n)) < risk)
        first, second = is_first.sum(axis=1), is_second.sum(axis=1)
        rates = pd.DataFrame({"trial": np.repeat(np.arange(trials), 2), "period": ["Q1", "Q2"] * trials})
        rates["exposed"] = np.column_stack([np.full(trials, n), n - first]).ravel()
        rates["ended_of_exposed"] = np.column_stack([first, second]).ravel()
        found = churn_change(rates)
        # (.2 · .5² + .8 · .97 · .03) / (.2 · .5 + .8 · .97) less .2 · .5 + .8 · .03
        truth = 0.07328 / 0.876 - 0.124
        held = (found["low"] <= truth) & (truth <= found["high"])
        assert 0.94 <= held.mean() <= 0.985

    def test_an_absent_column_and_a_confidence_in_percent_are_refused(self):
        with pytest.raises(MeasureError, match="churn_change: column 'exposed' is absent"):
            churn_change(_rates().drop(columns="exposed"))
        with pytest.raises(MeasureError, match="confidence is 95"):
            churn_change(_rates(("Q1", 5, 1), ("Q2", 5, 1)), confidence=95)
