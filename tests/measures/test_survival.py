from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, SCHEMAS, sql_of
from numpy.testing import assert_allclose
from portfolio import CURVES, PORTFOLIO
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from analysis.errors import MeasureError
from analysis.measures.competing import cumulative_incidence
from analysis.measures.survival import _within, logrank, median_survival, survival_at, survival_curve, unbroken

NUMBERS = ["survival", "se", "low", "high"]


def _spells(*rows: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entry", "exit", "event"])


def _random_spells(n: int, seed: int, *, late: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 20, n) if late else np.zeros(n, dtype=int)
    last = entry + 1 + rng.exponential(15, n).astype(int)
    plan = rng.choice(["a", "b", "c"], n)
    return pd.DataFrame({"entry": entry, "exit": last, "event": rng.integers(0, 2, n), "plan": plan})


@pytest.fixture(scope="module")
def telco(public_data: Path) -> pd.DataFrame:
    rows = pd.read_csv(public_data / "telco_ibm" / "Telco-Customer-Churn.csv")
    ended = (rows["Churn"] == "Yes").astype(int)
    return pd.DataFrame({"entry": 0, "exit": rows["tenure"], "event": ended, "Contract": rows["Contract"]})


class TestSurvivalCurve:
    def test_a_hand_worked_curve(self):
        # at 1: 5 at risk, 1 ends: 4/5. at 3: 2 of 4 end, the censored one still counts: 4/5 · 2/4 = 2/5. at 4: censored
        # Greenwood: (4/5)² · 1/(5·4) = .032; (2/5)² · (1/20 + 2/(4·2)) = .048
        curve = survival_curve(_spells((0, 1, 1), (0, 3, 1), (0, 3, 1), (0, 3, 0), (0, 4, 0)))
        assert curve["time"].tolist() == [1, 3, 4]
        assert curve["at_risk"].tolist() == [5, 4, 1]
        assert curve["events"].tolist() == [1, 2, 0]
        assert_allclose(curve["survival"], [0.8, 0.4, 0.4], rtol=1e-12)
        assert_allclose(curve["se"], np.sqrt([0.032, 0.048, 0.048]), rtol=1e-12)

    def test_the_ends_are_made_on_the_log_log_scale(self):
        # S = .8, se of log S = √.05, so the exponent is exp(±1.959964 · √.05 / |log .8|) = exp(±1.964030)
        curve = survival_curve(_spells((0, 1, 1), *[(0, 2, 0)] * 4))
        exponent = np.exp(1.9599639845 * np.sqrt(0.05) / -np.log(0.8))
        assert_allclose(curve[["low", "high"]], [[0.8**exponent, 0.8 ** (1 / exponent)]] * 2, rtol=1e-9)

    def test_a_hand_worked_curve_with_late_entry(self):
        # at 3: (0,3] and (1,5] are at risk, (3,8] is not yet: 1/2. at 5: (1,5] and (3,8]: 1/4. at 8: one, censored
        curve = survival_curve(_spells((0, 3, 1), (1, 5, 1), (3, 8, 0)))
        assert curve[["time", "at_risk", "events"]].to_numpy().tolist() == [[3, 2, 1], [5, 2, 1], [8, 1, 0]]
        assert_allclose(curve["survival"], [0.5, 0.25, 0.25])

    def test_from_time_conditions_on_having_lasted_until_then(self):
        # from 3 on only (1,5] and (3,8] count: at 5 one of two ends
        curve = survival_curve(_spells((0, 3, 1), (1, 5, 1), (3, 8, 0)), from_time=3)
        assert curve["time"].tolist() == [5, 8]
        assert_allclose(curve["survival"], [0.5, 0.5])
        assert curve.attrs["from_time"] == 3

    @pytest.mark.parametrize("late", [False, True])
    def test_survival_and_error_equal_those_of_statsmodels(self, late):
        spells = _random_spells(800, seed=5, late=late)
        curve = survival_curve(spells, from_time=0)
        # statsmodels counts a spell as at risk at the very time of its entry; half a day keeps the two apart
        entry = spells["entry"] + 0.5 if late else None
        peer = SurvfuncRight(spells["exit"], spells["event"], entry=entry)
        at_events = curve[curve["events"] > 0]
        assert at_events["time"].tolist() == peer.surv_times.tolist()
        assert_allclose(at_events["survival"], peer.surv_prob, atol=1e-9)
        assert at_events["at_risk"].tolist() == peer.n_risk.tolist()
        lasting = peer.surv_prob > 0
        assert_allclose(at_events["se"][lasting], peer.surv_prob_se[lasting], atol=1e-9)

    def test_hundredths_with_late_entry_equal_r(self):
        found = survival_curve(PORTFOLIO, by="region")
        counted = ["region", "time", "at_risk", "events"]
        pd.testing.assert_frame_equal(found[counted], CURVES[counted])
        assert_allclose(found[NUMBERS], CURVES[NUMBERS], atol=2e-8)

    def test_the_values_of_the_telecom_sample(self, telco):
        curve = survival_curve(telco)
        at = survival_at(curve, [12, 24, 48, 72])
        assert_allclose(at["survival"], [0.8432, 0.7887, 0.7088, 0.5928], atol=0.0005)
        assert curve["events"].sum() == 1869
        assert curve.attrs == {"n": 7043, "zero_length": 11, "from_time": 0}

    def test_both_ends_are_one_while_survival_is_and_missing_once_it_is_none(self):
        curve = survival_curve(_spells((0, 1, 0), (0, 2, 1), (0, 3, 1)))
        assert curve[NUMBERS].iloc[0].tolist() == [1, 0, 1, 1]
        assert curve["survival"].tolist() == [1, 0.5, 0]
        assert curve[["se", "low", "high"]].iloc[2].isna().all()

    def test_groups_are_curves_of_their_own_sorted_and_a_missing_name_is_one(self):
        spells = _random_spells(300, seed=1, late=True)
        spells.loc[spells["plan"] == "c", "plan"] = None
        curve = survival_curve(spells, by="plan", from_time=12)
        assert curve["plan"].drop_duplicates().fillna("-").tolist() == ["a", "b", "-"]
        alone = [survival_curve(part, from_time=12) for part in (spells[spells["plan"] == name] for name in "ab")]
        alone.append(survival_curve(spells[spells["plan"].isna()], from_time=12))
        pd.testing.assert_frame_equal(curve.drop(columns="plan"), pd.concat(alone, ignore_index=True))

    def test_two_names_make_a_group_each_pair(self):
        spells = pd.concat([_spells((0, 1, 1), (0, 2, 0))] * 3).assign(a=[1, 1, 1, 1, 2, 2], b=[*"xxyyxx"])
        curve = survival_curve(spells, by=["a", "b"])
        assert curve[["a", "b", "time"]].to_numpy().tolist() == [
            [1, "x", 1],
            [1, "x", 2],
            [1, "y", 1],
            [1, "y", 2],
            [2, "x", 1],
            [2, "x", 2],
        ]
        assert_allclose(curve["survival"], 0.5)

    def test_times_are_grouped_by_exact_value(self):
        curve = survival_curve(_spells((0, 0.01, 1), (0, 0.02, 1), (0, 0.020001, 1)))
        assert curve["time"].tolist() == [0.01, 0.02, 0.020001]

    def test_the_order_of_rows_does_not_matter(self):
        spells = _random_spells(200, seed=2, late=False)
        shuffled = spells.sample(frac=1, random_state=3)
        pd.testing.assert_frame_equal(survival_curve(spells, by="plan"), survival_curve(shuffled, by="plan"))

    def test_spells_of_length_zero_are_counted_and_left_out(self):
        curve = survival_curve(_spells((0, 0, 1), (2, 2, 0), (0, 1, 1), (0, 2, 0)))
        assert curve["at_risk"].tolist() == [2, 1]
        assert curve.attrs == {"n": 4, "zero_length": 2, "from_time": 0}

    def test_no_spell_gives_no_row(self):
        curve = survival_curve(_spells((0, 1, 1))[:0].astype({"entry": float, "exit": float, "event": int}))
        assert curve.empty
        assert list(curve) == ["time", "at_risk", "events", *NUMBERS]

    def test_one_spell_that_ends(self):
        curve = survival_curve(_spells((0, 7, 1)))
        assert curve[["time", "at_risk", "events", "survival"]].to_numpy().tolist() == [[7, 1, 1, 0]]

    def test_one_spell_that_stays(self):
        curve = survival_curve(_spells((0, 7, 0)))
        assert curve[NUMBERS].to_numpy().tolist() == [[1, 0, 1, 1]]

    def test_truth_values_do_for_events(self):
        spells = _random_spells(50, seed=4, late=False)
        as_truth = spells.assign(event=spells["event"] == 1)
        pd.testing.assert_frame_equal(survival_curve(spells), survival_curve(as_truth))

    def test_an_emptied_risk_set_is_refused_and_the_from_time_named_works(self):
        spells = _spells((0, 5, 1), (6, 9, 1), (7, 12, 0)).assign(region="Nord")
        with pytest.raises(MeasureError) as error:
            survival_curve(spells, by="region")
        assert str(error.value) == (
            "survival_curve: nobody is left at risk at time 5 in region 'Nord', and later spells begin. "
            "Give from_time=6, for the curve of those who lasted until then."
        )
        assert_allclose(survival_curve(spells, by="region", from_time=6)["survival"], [0.5, 0.5])

    def test_a_fall_to_zero_at_the_moment_others_enter_is_refused(self):
        with pytest.raises(MeasureError, match="Give from_time=5"):
            survival_curve(_spells((0, 5, 1), (5, 9, 0)))

    def test_handing_over_at_a_censoring_is_no_gap(self):
        assert survival_curve(_spells((0, 5, 0), (5, 9, 0)))["survival"].tolist() == [1, 1]

    @pytest.mark.parametrize(
        "row", [(-1, 3, 1), (4, 3, 1), (0, 3, 2), (None, 3, 1), (0, None, 1), (0, 3, None), (0, float("inf"), 1)]
    )
    def test_values_outside_their_domain_are_refused(self, row):
        with pytest.raises(MeasureError) as error:
            survival_curve(_spells((0, 4, 1), row, (0, 6, 0)))
        assert str(error.value) == (
            "survival_curve: 1 of 3 spells have a missing or negative entry, an exit that is missing or before the "
            "entry, no origin, or an event other than 0 and 1. Correct them, or leave them out."
        )

    def test_all_missing_is_refused(self):
        with pytest.raises(MeasureError, match="3 of 3 spells"):
            survival_curve(_spells(*[(0, 1, 1)] * 3).assign(exit=np.nan))

    def test_an_absent_column_is_named(self):
        with pytest.raises(MeasureError, match=r"column 'regon' is absent.*Did you mean 'region'"):
            survival_curve(_spells((0, 1, 1)).assign(region="x"), by="regon")

    def test_a_confidence_of_95_is_refused(self):
        with pytest.raises(MeasureError, match="confidence is 95"):
            survival_curve(_spells((0, 1, 1)), confidence=95)

    def test_the_argument_is_not_changed(self):
        spells = _random_spells(30, seed=0, late=True)
        before = spells.copy(deep=True)
        survival_curve(spells, from_time=15)
        logrank(spells, by="plan")
        pd.testing.assert_frame_equal(spells, before)


def test_planted_survival_is_covered_by_the_band_at_the_stated_rate():
    # 800 samples of 60 exponential lifetimes with a yearly hazard of .5, censored uniformly between 0 and 4 years;
    # the truth at 1 year is exp(-.5).
    rng = np.random.default_rng(11)
    samples = np.repeat(np.arange(800), 60)
    lasting, seen = rng.exponential(2, samples.size), rng.uniform(0, 4, samples.size)
    spells = pd.DataFrame({"sample": samples, "entry": 0.0, "exit": np.minimum(lasting, seen)})
    curve = survival_curve(spells.assign(event=(lasting <= seen).astype(int)), by="sample")
    at_year = survival_at(curve, [1.0], by="sample")
    assert len(at_year) == 800
    assert abs(at_year["survival"].mean() - np.exp(-0.5)) < 0.01
    held = at_year["low"].le(np.exp(-0.5)) & at_year["high"].ge(np.exp(-0.5))
    assert 0.93 <= held.mean() <= 0.97


class TestUnbroken:
    def test_without_a_gap_all_spells_stay_as_they_are(self):
        spells = _random_spells(200, seed=2, late=True)
        for by in ((), "plan"):
            pd.testing.assert_frame_equal(unbroken(spells, by=by).execute(), spells)

    def test_one_customer_of_a_century_does_not_silence_three_hundred(self):
        spells = _random_spells(300, seed=3, late=False).assign(cause="price")
        stray = spells.head(1).assign(entry=45692, exit=46500)
        with_stray = pd.concat([stray, spells.tail(299)], ignore_index=True)
        for measure in (survival_curve, cumulative_incidence):
            pd.testing.assert_frame_equal(measure(unbroken(with_stray)), measure(spells.tail(299)))

    def test_kept_is_where_most_end_then_where_most_are_then_the_first(self):
        first, later = _spells((0, 3, 1), (1, 4, 0)), _spells((9, 12, 1), (10, 13, 1))
        assert unbroken(pd.concat([first, later])).execute()["entry"].tolist() == [9, 10]
        assert unbroken(pd.concat([first, later.assign(event=[1, 0])])).execute()["entry"].tolist() == [0, 1]
        many = _spells((9, 12, 1), (9, 12, 0), (9, 12, 0))
        assert unbroken(pd.concat([first, many])).execute()["entry"].tolist() == [9, 9, 9]

    def test_a_fall_to_zero_at_the_moment_others_enter_is_a_gap_and_a_censoring_is_none(self):
        fallen, handed = _spells((0, 2, 1), (2, 5, 1), (2, 6, 0)), _spells((0, 2, 0), (2, 5, 1))
        assert unbroken(fallen).execute()["exit"].tolist() == [5, 6]
        assert len(unbroken(handed).execute()) == 2

    def test_all_groups_are_watched_from_the_same_time_and_one_without_anybody_then_is_left_out(self):
        # a: 0 to 3 and, three ends, 5 to 8. b: 0 to 9. c: 0 to 4. From 5 on most end: three of a, two of b
        a = _spells((0, 3, 1), (5, 6, 1), (5, 7, 1), (6, 8, 1)).assign(plan="a")
        b = _spells((0, 7, 1), (0, 9, 1), (0, 4, 0)).assign(plan=None)
        c = _spells((0, 4, 0)).assign(plan="c")
        found = unbroken(pd.concat([a, b, c]), by="plan").order_by("plan", "exit").execute()
        assert found["plan"].fillna("b").tolist() == ["a"] * 3 + ["b"] * 2
        assert found[["entry", "exit"]].to_numpy().tolist() == [[5, 6], [5, 7], [6, 8], [5, 7], [5, 9]]
        curves = survival_curve(found, by="plan")
        alone = survival_curve(b.drop(columns="plan"), from_time=5)
        pd.testing.assert_frame_equal(curves.tail(2).drop(columns="plan").reset_index(drop=True), alone)

    def test_groups_keep_no_stretch_that_all_together_do_not(self):
        # group b is of one customer only, whom nobody was a customer along with
        spells = pd.concat([_random_spells(50, 4, late=False), _spells((900, 950, 1)).assign(plan="z")])
        assert "z" not in set(unbroken(spells, by="plan").execute()["plan"])

    def test_nobody_stays_nobody(self):
        assert unbroken(_spells().astype("int64")).execute().empty

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_it_compiles_for_every_engine(self, dialect):
        spells = ibis.table(SCHEMAS["spells"], name="spells")
        labels = pd.DataFrame({"plan": ["a", None], "age": [1.5, 2.0]})
        assert "CASE" in sql_of(_within(spells, labels, 5.0, np.array([7.0, -1.0])), dialect)


class TestSurvivalAt:
    def test_it_reads_the_step_in_force(self):
        curve = survival_curve(_spells((0, 2, 1), (0, 4, 0)))
        assert survival_at(curve, [1, 2, 3, 4])["survival"].tolist() == [1, 0.5, 0.5, 0.5]

    def test_nothing_is_known_after_the_last_row_unless_all_have_left(self):
        curve = survival_curve(_spells((0, 2, 1), (0, 4, 0), (0, 3, 1)).assign(plan=[*"aab"]), by="plan")
        at = survival_at(curve, 5, by="plan")
        assert at["survival"].fillna(-1).tolist() == [-1, 0]

    def test_a_curve_of_several_groups_needs_their_names(self):
        curve = survival_curve(_random_spells(50, seed=0, late=False), by="plan")
        for read in (lambda: survival_at(curve, 1), lambda: median_survival(curve)):
            with pytest.raises(MeasureError, match=r"several rows at the same time\. Name its groups in by\."):
                read()


class TestMedianSurvival:
    def test_with_late_entry_it_equals_r(self):
        # R: print(survfit(Surv(entry, exit, event) ~ g, conf.type = "log-log"))
        found = median_survival(survival_curve(PORTFOLIO, by="region"), by="region")
        assert found["median"].tolist() == [2.50, 1.71]
        assert found["low"].tolist() == [0.57, 0.29]
        assert found["high"].isna().all()

    def test_the_telecom_sample_by_contract(self, telco):
        medians = median_survival(survival_curve(telco, by="Contract"), by="Contract").set_index("Contract")
        assert medians.loc["Month-to-month", "median"] == 35
        assert medians.loc[["One year", "Two year"], "median"].isna().tolist() == [True, True]

    def test_a_survival_of_exactly_one_half_is_reached_whatever_the_rounding(self):
        # 10 of 10 end one by one: S(5) = 9/10 · 8/9 · 7/8 · 6/7 · 5/6 = 1/2
        assert median_survival(survival_curve(_spells(*[(0, t, 1) for t in range(1, 11)])))["median"].item() == 5

    def test_it_equals_the_quantile_and_interval_of_statsmodels(self):
        spells = _random_spells(400, seed=8, late=False)
        peer = SurvfuncRight(spells["exit"], spells["event"])
        for quantile in (0.75, 0.5, 0.25):
            found = median_survival(survival_curve(spells), quantile=quantile)
            assert found["median"].item() == peer.quantile(1 - quantile)
            assert found[["low", "high"]].iloc[0].tolist() == list(peer.quantile_ci(1 - quantile, method="cloglog"))

    def test_what_is_not_reached_is_missing(self):
        found = median_survival(survival_curve(_spells((0, 1, 1), (0, 2, 0), (0, 3, 0))))
        assert found["events"].item() == 1
        assert found[["median", "high"]].isna().all(axis=None)

    def test_a_quantile_outside_0_to_1_is_refused(self):
        with pytest.raises(MeasureError, match="quantile is 50"):
            median_survival(survival_curve(_spells((0, 1, 1))), quantile=50)


class TestLogrank:
    def test_the_telecom_sample_over_contract(self, telco):
        test = logrank(telco, by="Contract")
        assert abs(test.chi2 - 2352.87) < 0.1
        assert test.df == 2
        assert test.p_value < 1e-300
        assert (test.n, test.zero_length) == (7043, 11)

    @pytest.mark.parametrize("late", [False, True])
    @pytest.mark.parametrize("plans", ["ab", "abc"])
    def test_it_equals_that_of_statsmodels(self, plans, late):
        spells = _random_spells(500, seed=6, late=late)
        spells = spells[spells["plan"].isin([*plans])]
        entry = spells["entry"] + 0.5 if late else None  # as above
        chi2, p_value = survdiff(spells["exit"], spells["event"], spells["plan"], entry=entry)
        test = logrank(spells, by="plan")
        assert_allclose([test.chi2, test.p_value], [chi2, p_value], rtol=1e-9)
        assert test.df == len(plans) - 1

    def test_with_late_entry_only_those_already_watched_are_at_risk(self):
        # at 2: a has (0,2], b has (0,3]; a's (2,5] enters only then. O − E = 1/2, V = 1/4
        # at 3: a has (2,5], b has (0,3]: −1/2, 1/4. at 5 only a is left. Sum 0 of V = 1/2
        spells = _spells((0, 2, 1), (2, 5, 1), (0, 3, 1)).assign(plan=["a", "a", "b"])
        assert logrank(spells, by="plan").chi2 == pytest.approx(0, abs=1e-12)
        # had it been at risk from 0: O − E of a = (1 − 2/3) + (0 − 1/2) = −1/6, V = 2/9 + 1/4
        early = logrank(spells.assign(entry=0), by="plan")
        assert early.chi2 == pytest.approx((1 / 6) ** 2 / (2 / 9 + 1 / 4))

    def test_groups_that_never_meet_add_no_degree_of_freedom(self):
        # a and b end before c and d begin: within each pair as in the doctest's arithmetic, 2.882, once each
        pair = _spells((0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1)).assign(plan=["a", "a", "b", "b"])
        later = pair.assign(entry=5, exit=pair["exit"] + 5, plan=["c", "c", "d", "d"])
        lost = _spells((0, 0.5, 0)).assign(plan="lost before any event")
        test = logrank(pd.concat([pair, later, lost]), by="plan")
        assert test.df == 2
        assert test.chi2 == pytest.approx(2 * logrank(pair, by="plan").chi2)

    def test_a_group_of_one_among_thousands_has_its_degree_of_freedom(self):
        spells = _random_spells(20_000, seed=9, late=False)
        spells.loc[0, "plan"] = "alone"
        test = logrank(spells, by="plan")
        assert test.df == 3
        assert test.chi2 == pytest.approx(survdiff(spells["exit"], spells["event"], spells["plan"])[0])

    def test_nothing_to_compare_is_missing(self):
        alone = logrank(_spells((0, 1, 1), (0, 2, 0)).assign(plan="a"), by="plan")
        no_event = logrank(_spells((0, 1, 0), (0, 2, 0)).assign(plan=["a", "b"]), by="plan")
        for test in (alone, no_event):
            assert test.df == 0
            assert np.isnan([test.chi2, test.p_value]).all()
