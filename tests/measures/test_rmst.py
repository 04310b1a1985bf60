from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from portfolio import MEANS_TO_2_5, PORTFOLIO
from scipy.stats import norm

from analysis.errors import MeasureError
from analysis.measures.survival import rmst


def _spells(*rows: tuple[float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entry", "exit", "event"])


class TestRmst:
    def test_a_hand_worked_mean(self):
        # 1 to 1, then 4/5 to 3, then 2/5 to 4: 1 + 1.6 + .4 = 3
        # beyond 1: 2.0² · 1/(5·4); beyond 3: .4² · 2/(4·2)
        spells = _spells((0, 1, 1), (0, 3, 1), (0, 3, 1), (0, 3, 0), (0, 4, 0))
        found = rmst(spells, horizon=4).iloc[0]
        se = np.sqrt(4 / 20 + 0.16 / 4)
        assert_allclose(found.astype(float), [3, se, 3 - 1.9599639845 * se, 3 + 1.9599639845 * se], rtol=1e-9)

    def test_without_censoring_it_is_the_mean_of_lengths_cut_at_the_horizon(self):
        lengths = np.array([1, 2, 2, 5, 9, 12])
        found = rmst(pd.DataFrame({"entry": 0, "exit": lengths, "event": 1}), horizon=6).iloc[0]
        cut = np.minimum(lengths, 6)
        assert found["rmst"] == pytest.approx(cut.mean())
        assert found["se"] == pytest.approx(cut.std() / np.sqrt(6))

    def test_with_late_entry_it_equals_r(self):
        found = rmst(PORTFOLIO, by="region", horizon=2.5)
        assert_allclose(found[["rmst", "se"]], pd.DataFrame(MEANS_TO_2_5), atol=1e-11)

    def test_differences_are_to_the_greatest_group_and_adjusted(self):
        rows = pd.concat([PORTFOLIO, PORTFOLIO.iloc[:8].assign(region="Öst"), PORTFOLIO.iloc[:1]])
        found = rmst(rows, by="region", horizon=2.5)
        assert found.attrs["base"] == ("Nord",)
        assert found.loc[0, ["difference", "p", "p_holm"]].isna().all()
        others = found.iloc[1:]
        difference = others["rmst"] - found["rmst"][0]
        z = difference / np.hypot(others["se"], found["se"][0])
        assert_allclose(others["p"], 2 * norm.sf(np.abs(z)))
        assert_allclose(others["difference_low"], difference - 1.9599639845 * np.hypot(others["se"], found["se"][0]))
        assert others["p_holm"].max() == min(1, max(2 * others["p"].min(), others["p"].max()))

    def test_the_base_may_be_named(self):
        found = rmst(PORTFOLIO, by="region", horizon=2.5, base="Süd")
        assert found["difference"].iloc[0] == pytest.approx(2.094938271605 - 1.579166666667)
        with pytest.raises(MeasureError) as error:
            rmst(PORTFOLIO, by="region", horizon=2.5, base="West")
        assert str(error.value) == "rmst: base 'West' is no group of region. Known: Nord, Süd."

    def test_two_names_have_a_base_of_two(self):
        rows = PORTFOLIO.assign(plan=[1, 2] * 10)
        found = rmst(rows, by=["region", "plan"], horizon=1, base=("Süd", 2))
        assert found["difference"].isna().tolist() == [False, False, False, True]

    def test_the_mean_is_of_those_who_lasted_to_from_time(self):
        # (0,3] has gone; from 4 on one of two ends at 5, so 4 + 1 + 1/2 · 1 at horizon 6
        found = rmst(_spells((0, 3, 1), (3, 5, 1), (4, 8, 0)), horizon=6, from_time=4)
        assert found["rmst"].item() == pytest.approx(5.5)
        assert found.attrs == {"n": 3, "zero_length": 0, "from_time": 4, "horizon": 6}

    def test_nobody_leaving_is_the_horizon_without_error(self):
        assert rmst(_spells((0, 5, 0), (0, 7, 0)), horizon=5).iloc[0].tolist() == [5, 0, 5, 5]

    def test_a_horizon_past_the_last_risk_set_is_refused_and_the_one_named_works(self):
        with pytest.raises(MeasureError) as error:
            rmst(PORTFOLIO, by="region", horizon=3.6)
        assert str(error.value) == (
            "rmst: nobody is at risk at horizon 3.6 in region 'Nord'. Give a horizon up to 3.5."
        )
        assert len(rmst(PORTFOLIO, by="region", horizon=3.5)) == 2

    @pytest.mark.parametrize("horizon", [0, -1, float("nan")])
    def test_a_horizon_not_after_the_start_is_refused(self, horizon):
        with pytest.raises(MeasureError, match=rf"no spell lasts from 0\.0 to horizon {horizon}\. Give another"):
            rmst(PORTFOLIO, horizon=horizon)

    def test_no_spell_is_refused(self):
        with pytest.raises(MeasureError, match="no spell lasts from nan to horizon 2"):
            rmst(PORTFOLIO[:0], horizon=2)

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays(self):
        before, found = PORTFOLIO.copy(deep=True), rmst(PORTFOLIO, by="region", horizon=2)
        pd.testing.assert_frame_equal(found, rmst(PORTFOLIO[::-1], by="region", horizon=2))
        pd.testing.assert_frame_equal(found, rmst(ibis.memtable(PORTFOLIO), by="region", horizon=2))
        pd.testing.assert_frame_equal(before, PORTFOLIO)

    def test_a_planted_mean_is_held_by_its_interval(self):
        # exponential with rate 1 to horizon 1: 1 - 1/e; 400 samples of 100, censored uniformly over 0.9 to 3
        draw = np.random.default_rng(4)
        length, lost = draw.exponential(1, 40_000), draw.uniform(1.0, 3, 40_000)
        spells = pd.DataFrame({"entry": 0, "exit": np.minimum(length, lost), "event": (length <= lost).astype(int)})
        found = rmst(spells.assign(sample=np.repeat(np.arange(400), 100)), by="sample", horizon=1)
        held = (found["low"] <= 1 - np.exp(-1)) & (found["high"] >= 1 - np.exp(-1))
        assert 0.92 <= held.mean() <= 0.98
