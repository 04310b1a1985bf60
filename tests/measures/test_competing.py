from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from portfolio import INCIDENCES, PORTFOLIO
from statsmodels.duration.survfunc import CumIncidenceRight

from analysis.errors import MeasureError
from analysis.measures.competing import incidence_at
from analysis.measures.survival import cumulative_incidence, survival_at, survival_curve

FOUND = ["incidence", "se", "low", "high"]


def _spells(*rows: tuple[float, float, int, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entry", "exit", "event", "cause"])


def _random_spells(n: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    event = draw.integers(0, 2, n)
    cause = np.where(event == 1, draw.choice(["Preis", "Umzug", "Ärger"], n), None)
    frame = pd.DataFrame({"entry": 0, "exit": 1 + draw.integers(0, 60, n), "event": event, "cause": cause})
    return frame.assign(plan=draw.choice(["a", "b"], n))


def _of(shares: pd.DataFrame, cause: str) -> pd.DataFrame:
    return shares[shares["cause"] == cause].reset_index(drop=True)


class TestCumulativeIncidence:
    def test_a_hand_worked_table(self):
        # at 1: 4 at risk, price 1/4; S = 3/4. at 2: 3 at risk, move 3/4 · 1/3 = 1/4; S = 1/2. at 3: lost.
        # at 4: 1 at risk, price 1/4 + 1/2 · 1 = 3/4; S = 0
        shares = cumulative_incidence(
            _spells((0, 1, 1, "price"), (0, 2, 1, "move"), (0, 3, 0, None), (0, 4, 1, "price"))
        )
        assert shares["cause"].tolist() == ["move"] * 4 + ["price"] * 4
        assert shares["time"].tolist() == [1, 2, 3, 4] * 2
        assert shares["at_risk"].tolist() == [4, 3, 2, 1] * 2
        assert shares["events"].tolist() == [0, 1, 0, 0, 1, 0, 0, 1]
        assert_allclose(shares["incidence"], [0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.75], rtol=1e-12)

    def test_without_censoring_it_is_a_share_with_the_binomial_error(self):
        # 3 of 10 end by price: .3, √(.3 · .7 / 10)
        spells = _spells(*[(0, t, 1, "price" if t <= 3 else "move") for t in range(1, 11)])
        last = cumulative_incidence(spells).groupby("cause").last()
        assert_allclose(last.loc["price", ["incidence", "se"]].astype(float), [0.3, np.sqrt(0.021)], rtol=1e-9)
        assert_allclose(last.loc["move", ["incidence", "se"]].astype(float), [0.7, np.sqrt(0.021)], rtol=1e-9)

    def test_it_equals_the_table_of_r_survfit(self):
        shares = cumulative_incidence(PORTFOLIO.assign(entry=0), by="region")
        columns = ["region", "time", "at_risk", "death", "sale", "se_death", "se_sale"]
        expected = pd.DataFrame(INCIDENCES, columns=columns)
        for cause in ("death", "sale"):
            found = _of(shares, cause)
            assert found[["region", "time", "at_risk"]].equals(expected[["region", "time", "at_risk"]])
            assert_allclose(found["incidence"], expected[cause], atol=1e-11)
            assert_allclose(found["se"], expected[f"se_{cause}"], atol=1e-11)

    def test_with_late_entry_they_rest_on_the_survival_of_r(self):
        # S(t-)·d/n with R's S and n: sale 1/9 at .57 and .677249 · 2/5 at 2.5;
        # death 8/9 · 1/9 at 1.13, .790123 / 7 at 2.01 and .406349 / 2 at 3.01
        shares = cumulative_incidence(PORTFOLIO[PORTFOLIO["region"] == "Nord"])
        assert_allclose(_of(shares, "sale")["incidence"].iloc[-1], 1 / 9 + 0.67724868 * 2 / 5, atol=1e-8)
        death = 8 / 81 + 0.79012346 / 7 + 0.40634921 / 2
        assert_allclose(_of(shares, "death")["incidence"].iloc[-1], death, atol=1e-8)

    def test_share_and_error_equal_those_of_statsmodels(self):
        spells = _random_spells(600, seed=3)
        shares = cumulative_incidence(spells)
        causes = sorted(spells["cause"].dropna().unique())
        status = spells["cause"].map({cause: number for number, cause in enumerate(causes, 1)}).fillna(0)
        peer = CumIncidenceRight(spells["exit"].to_numpy(), status.to_numpy(dtype=int))
        for number, cause in enumerate(causes):
            found = _of(shares, cause).set_index("time").loc[peer.times]
            assert_allclose(found["incidence"], peer.cinc[number], atol=1e-12)
            # where all left end at once statsmodels divides by 0
            proper = np.isfinite(peer.cinc_se[number])
            assert proper.sum() > 50
            assert_allclose(found["se"][proper], peer.cinc_se[number][proper], atol=1e-10)

    @pytest.mark.parametrize("seed", range(3))
    def test_incidences_and_survival_sum_to_one(self, seed):
        spells = _random_spells(200, seed)
        spells["entry"] = np.minimum(np.random.default_rng(seed).integers(0, 20, 200), spells["exit"] - 1)
        shares = cumulative_incidence(spells, by="plan", from_time=20).groupby(["plan", "time"])["incidence"].sum()
        curve = survival_curve(spells, by="plan", from_time=20)
        assert_allclose(shares.to_numpy() + curve["survival"], 1, atol=1e-12)

    def test_one_cause_alone_has_the_error_of_greenwood_and_the_mirrored_curve(self):
        spells = _random_spells(150, seed=1).assign(cause="any")
        share, curve = cumulative_incidence(spells), survival_curve(spells)
        assert_allclose(share["incidence"], 1 - curve["survival"], atol=1e-12)
        inside = curve["survival"] > 0
        assert_allclose(share["se"][inside], curve["se"][inside], rtol=1e-8)
        assert_allclose(share["low"][inside], 1 - curve["high"][inside], rtol=1e-8)
        assert_allclose(share["high"][inside], 1 - curve["low"][inside], rtol=1e-8)

    def test_the_ends_are_made_on_the_log_log_scale_of_what_is_left(self):
        # F = 1/4 of 4, se √(.25 · .75 / 4); log(-log .75) ± 1.96 · se / (.75 · -log .75)
        shares = cumulative_incidence(_spells((0, 1, 1, "price"), *[(0, 2, 0, None)] * 3))
        half = 1.9599639845 * np.sqrt(0.25 * 0.75 / 4) / (0.75 * -np.log(0.75))
        ends = [1 - 0.75 ** np.exp(-half), 1 - 0.75 ** np.exp(half)]
        assert_allclose(shares[["low", "high"]].iloc[0].astype(float), ends, rtol=1e-9)

    def test_no_incidence_has_both_ends_at_zero_and_a_full_one_has_none(self):
        shares = cumulative_incidence(_spells((0, 1, 0, None), (0, 2, 1, "price"), (0, 3, 1, "price")))
        assert shares[FOUND].iloc[0].tolist() == [0, 0, 0, 0]
        assert shares["incidence"].iloc[-1] == 1
        assert shares[["low", "high"]].iloc[-1].isna().all()

    def test_a_missing_cause_is_one_of_its_own_and_the_last(self):
        shares = cumulative_incidence(_spells((0, 1, 1, None), (0, 2, 1, "Umzug"), (0, 3, 0, "Preis")))
        assert shares["cause"].fillna("-").drop_duplicates().tolist() == ["Umzug", "-"]
        assert_allclose(shares["incidence"], [0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 3])

    def test_a_cause_that_a_group_lacks_is_nought_there(self):
        spells = _spells((0, 1, 1, "price"), (0, 2, 0, None), (0, 1, 1, "move"), (0, 2, 0, None)).assign(plan=[*"aabb"])
        shares = cumulative_incidence(spells, by="plan")
        assert shares[["plan", "cause"]].drop_duplicates().to_numpy().tolist() == [
            ["a", "move"],
            ["a", "price"],
            ["b", "move"],
            ["b", "price"],
        ]
        assert shares["incidence"].tolist() == [0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0]

    @pytest.mark.parametrize("row", [(0, 3, 0, None), (0, 0, 1, "price")])
    def test_no_event_gives_no_row(self, row):
        shares = cumulative_incidence(_spells(row).astype({"cause": "str"}))
        assert shares.empty
        assert list(shares) == ["cause", "time", "at_risk", "events", *FOUND]

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays(self):
        spells = _random_spells(80, seed=2)
        before, found = spells.copy(deep=True), cumulative_incidence(spells, by="plan")
        pd.testing.assert_frame_equal(found, cumulative_incidence(spells.sample(frac=1, random_state=1), by="plan"))
        pd.testing.assert_frame_equal(found, cumulative_incidence(ibis.memtable(spells), by="plan"))
        pd.testing.assert_frame_equal(spells, before)
        assert found.attrs == {"n": 80, "zero_length": 0, "from_time": 0}

    def test_an_emptied_risk_set_and_an_absent_cause_are_refused(self):
        late = _spells((0, 5, 1, "price"), (6, 9, 1, "price"))
        with pytest.raises(MeasureError, match=r"cumulative_incidence: nobody is left at risk at time 5.*from_time=6"):
            cumulative_incidence(late)
        with pytest.raises(MeasureError, match="column 'cause' is absent"):
            cumulative_incidence(late.drop(columns="cause"))
        with pytest.raises(MeasureError, match="confidence is 95"):
            cumulative_incidence(late, confidence=95)


class TestIncidenceAt:
    def test_the_step_in_force_at_a_time_counts(self):
        # price 1/4 from 1 on, move 1/4 from 2 on; the last spell is lost from sight at 4
        shares = cumulative_incidence(_spells((0, 1, 1, "price"), (0, 2, 1, "move"), (0, 3, 0, None), (0, 4, 0, None)))
        found = incidence_at(shares, [2, 0.5, 1, 4, 4.5])
        assert found["cause"].tolist() == ["move"] * 5 + ["price"] * 5
        assert found["time"].tolist() == [0.5, 1, 2, 4, 4.5] * 2
        assert_allclose(found["incidence"], [0, 0, 0.25, 0.25, np.nan, 0, 0.25, 0.25, 0.25, np.nan])
        assert found.loc[0, FOUND].tolist() == [0, 0, 0, 0]
        assert found.loc[4, FOUND].isna().all()

    def test_the_values_are_those_of_the_rows(self):
        shares = cumulative_incidence(_random_spells(150, seed=4))
        times = shares["time"].unique()
        found = incidence_at(shares, times)
        pd.testing.assert_frame_equal(found, shares[found.columns], check_dtype=False)

    def test_once_all_have_ended_nothing_changes_any_more(self):
        shares = cumulative_incidence(_spells((0, 1, 1, "price"), (0, 2, 1, "move"), (0, 3, 1, "price")))
        found = incidence_at(shares, [99]).set_index("cause")["incidence"]
        assert_allclose(found[["move", "price"]], [1 / 3, 2 / 3])

    def test_groups_end_each_at_a_time_of_their_own(self):
        spells = _spells((0, 1, 1, "price"), (0, 1, 1, "move"), (0, 2, 1, "price"), (0, 3, 0, None))
        shares = cumulative_incidence(spells.assign(plan=["a", "a", None, None]), by="plan")
        found = incidence_at(shares, [9], by="plan")
        assert found[["plan", "cause"]].fillna("-").to_numpy().tolist() == [
            ["a", "move"],
            ["a", "price"],
            ["-", "move"],
            ["-", "price"],
        ]
        assert_allclose(found["incidence"], [0.5, 0.5, np.nan, np.nan])

    def test_incidences_and_survival_at_a_time_sum_to_one(self):
        spells = _random_spells(200, seed=5)
        shares = incidence_at(cumulative_incidence(spells), [5, 30, 55]).groupby("time")["incidence"].sum()
        curve = survival_at(survival_curve(spells), [5, 30, 55])
        assert_allclose(shares.to_numpy() + curve["survival"], 1, atol=1e-12)

    def test_a_missing_cause_is_read_like_any_other(self):
        shares = cumulative_incidence(_spells((0, 1, 1, None), (0, 2, 1, "Umzug"), (0, 3, 0, "Preis")))
        found = incidence_at(shares, 2.0)
        assert found["cause"].fillna("-").tolist() == ["Umzug", "-"]
        assert_allclose(found["incidence"], [1 / 3, 1 / 3])

    def test_no_incidence_gives_no_row(self):
        none = cumulative_incidence(_spells((0, 3, 0, None)).astype({"cause": "str"}))
        assert incidence_at(none, [1, 2]).empty

    def test_groups_that_are_not_named_and_absent_columns_are_refused(self):
        shares = cumulative_incidence(_random_spells(50, seed=6), by="plan")
        with pytest.raises(MeasureError) as error:
            incidence_at(shares, [1])
        assert str(error.value) == (
            "incidence_at: a cause has several rows at the same time. Name the groups of the incidences in by."
        )
        with pytest.raises(MeasureError, match="incidence_at: column 'low' is absent"):
            incidence_at(shares.drop(columns="low"), [1], by="plan")

    def test_the_argument_stays(self):
        shares = cumulative_incidence(_random_spells(50, seed=7))
        before = shares.copy(deep=True)
        incidence_at(shares, [1, 2])
        pd.testing.assert_frame_equal(shares, before)
