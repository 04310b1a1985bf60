from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import mannwhitneyu
from sklearn.metrics import brier_score_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from analysis.measures import forecasts
from analysis.measures.forecasts import auc, calibration, compared, marks


def _drawn(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts with ties that are twice as bold as they should be, and who left."""
    draw = np.random.default_rng(11)
    logit = draw.normal(-1, 1, n).round(1)
    return 1 / (1 + np.exp(-2 * logit)), draw.binomial(1, 1 / (1 + np.exp(-logit)))


class TestMarks:
    def test_they_are_those_of_other_libraries(self):
        scores, left = _drawn()
        found = marks(scores, left)
        assert found["auc"] == pytest.approx(roc_auc_score(left, scores))
        assert found["brier"] == pytest.approx(brier_score_loss(left, scores))
        design = sm.add_constant(np.log(scores / (1 - scores)))
        fit = sm.GLM(left, design, family=sm.families.Binomial()).fit()
        assert found["slope"] == pytest.approx(fit.params[1])
        assert 0.3 < found["slope"] < 0.7

    def test_the_order_of_rows_does_not_matter(self):
        scores, left = _drawn()
        assert marks(scores[::-1], left[::-1]) == marks(scores, left)

    def test_lift_is_that_of_the_best_tenth(self):
        # the best 2 of 20 hold 2 of the 5 who left: 1 against 1/4
        left = np.zeros(20)
        left[[19, 18, 10, 5, 1]] = 1
        assert marks(np.arange(20) / 20, left)["lift"] == pytest.approx(4)

    def test_equal_forecasts_at_the_edge_of_the_tenth_count_in_part(self):
        # a tenth of 20 are the best one and one of four alike, of whom one left: (0 + 1/4) / 2 against 1/20
        scores = [0.9, *[0.5] * 4, *[0.1] * 15]
        assert marks(scores, [0, 1, *[0] * 18])["lift"] == pytest.approx(2.5)

    def test_the_same_forecast_for_all_tells_nobody_apart(self):
        found = marks([0.3] * 10, [1, 1, 1, *[0] * 7])
        assert (found["auc"], found["brier"], found["lift"]) == pytest.approx((0.5, 0.21, 1))
        assert np.isnan(found["slope"])

    @pytest.mark.parametrize(("left", "brier"), [([0, 0, 0], 0.14 / 3), ([1, 1, 1], (0.81 + 0.64 + 0.49) / 3)])
    def test_where_all_or_none_left_there_is_but_a_brier_score(self, left, brier):
        found = marks([0.1, 0.2, 0.3], left)
        assert found.pop("brier") == pytest.approx(brier)
        assert np.isnan(list(found.values())).all()

    def test_forecasts_that_tell_all_apart_have_no_slope(self):
        assert np.isnan(marks([0.1, 0.2, 0.7, 0.8], [0, 0, 1, 1])["slope"])

    def test_forecasts_of_exactly_0_and_1_have_one(self):
        assert marks([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 0, 1])["slope"] > 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=2, max_size=30))
def test_auc_is_that_of_mann_and_whitney(pairs):
    scores, left = np.array(pairs).T
    if left.min() == left.max():
        assert np.isnan(auc(scores, left))
    else:
        u = mannwhitneyu(scores[left == 1], scores[left == 0]).statistic
        assert auc(scores, left) == pytest.approx(u / (left.sum() * (1 - left).sum()))


class TestCompared:
    def test_every_forecast_is_marked_on_the_same_draws(self):
        scores, left = _drawn()
        found, replicates = compared({"a": scores, "b": scores / 2}, left, bootstrap=20, seed=3, confidence=0.9)
        random = np.random.default_rng(3)
        drawn = [random.integers(0, len(left), len(left)) for _replicate in range(20)]
        assert_allclose(replicates["b"]["brier"], [brier_score_loss(left[rows], scores[rows] / 2) for rows in drawn])
        expected = np.quantile([roc_auc_score(left[rows], scores[rows]) for rows in drawn], [0.05, 0.95])
        assert_allclose(found.loc[0, ["auc_low", "auc_high"]].astype(float), expected)
        assert found.loc[1, "auc"] == found.loc[0, "auc"]

    def test_the_seed_decides_the_intervals(self):
        scores, left = _drawn(50)
        runs = [compared({"a": scores}, left, bootstrap=10, seed=seed, confidence=0.9)[0] for seed in (1, 1, 2)]
        pd.testing.assert_frame_equal(runs[0], runs[1])
        assert runs[2].loc[0, "brier_low"] != runs[0].loc[0, "brier_low"]


class TestCalibration:
    def test_tenths_hold_what_was_forecast_and_what_came(self):
        scores = np.arange(100) / 100
        left = (np.arange(100) % 4 == 0).astype(int)
        found = calibration(scores, left, confidence=0.95)
        assert found["tenth"].tolist() == list(range(1, 11))
        assert found["n"].tolist() == [10] * 10
        assert found.loc[0, "predicted"] == pytest.approx(0.045)  # 0 to .09
        assert found.loc[0, ["left", "observed"]].tolist() == [3, 0.3]  # 0, 4 and 8
        assert_allclose(found.loc[0, ["low", "high"]].astype(float), proportion_confint(3, 10, method="wilson"))

    def test_equal_forecasts_stand_together(self):
        found = calibration([0.2] * 5, [1, 0, 0, 0, 0], confidence=0.95)
        assert found[["n", "left", "observed"]].to_numpy().tolist() == [[5, 1, 0.2]]


def test_the_slope_is_found_where_whole_steps_overshoot():
    # few leave, all of them among a tenth with high risks: statsmodels finds it
    draw = np.random.default_rng(0)
    risk = np.concatenate([np.full(90, 0.004) * draw.uniform(0.8, 1.2, 90), draw.uniform(0.3, 0.4, 10)])
    left = np.concatenate([np.zeros(90), [1, 0] * 5])
    found, _replicates = compared({"a": risk}, left, bootstrap=20, seed=0, confidence=0.95)
    logit = np.log(risk / (1 - risk))
    expected = sm.Logit(left, sm.add_constant(logit)).fit(disp=0, method="bfgs", maxiter=500).params[1]
    assert found.loc[0, "slope"] == pytest.approx(expected, rel=1e-3)


def test_a_mark_that_is_missing_has_no_ends(monkeypatch):
    slopes = iter([np.nan, *[1.0] * 20])
    monkeypatch.setattr(forecasts, "_slope", lambda _groups: next(slopes))
    found, _replicates = compared({"a": [0.1, 0.9] * 9}, [0, 1, 1] * 6, bootstrap=20, seed=0, confidence=0.95)
    assert found.loc[0, ["slope", "slope_low", "slope_high"]].isna().all()
    assert found.loc[0, ["auc", "auc_low", "auc_high"]].notna().all()
