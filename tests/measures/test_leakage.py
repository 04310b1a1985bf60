from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.leakage import AFTERWARDS, TOO_GOOD, leakage, leaks_by_level, nearly_all, refuse_leaking


def _leaks(values: list, left: list[int], name: str = "column") -> pd.Series:
    return leakage(pd.DataFrame({name: values, "left": left}), "left", [name]).loc[0]


# 100 rows, 40 of whom left
LEFT = [1] * 40 + [0] * 60


class TestLeakage:
    def test_levels_on_either_side_and_a_high_auc_leak(self):
        # pairs: 40 · 60; those who left are lower but for 5 of them at 3, where 10 stayed: ties are 50 of 2400
        found = _leaks([1] * 35 + [3] * 15 + [5] * 50, LEFT)
        assert found["auc"] == pytest.approx(1 - 25 / 2400)
        assert found[["share_at_0", "share_at_1", "leaks"]].tolist() == [0.5, 0.35, TOO_GOOD]

    def test_a_high_auc_without_pure_levels_does_not(self):
        # every value is of one row, and 4 % at a level are too few
        assert pd.isna(_leaks(list(range(100)), LEFT)["leaks"])
        assert pd.isna(_leaks([1] * 4 + list(range(2, 38)) + [99] * 60, LEFT)["leaks"])
        assert _leaks([1] * 5 + list(range(2, 37)) + [99] * 60, LEFT)["leaks"] == TOO_GOOD

    def test_pure_levels_without_a_high_auc_do_not(self):
        # 5 rows at 0, 5 at 1, all others half and half
        found = _leaks(["a"] * 5 + ["x"] * 90 + ["b"] * 5, LEFT)
        assert found["share_at_0"] == found["share_at_1"] == 0.05
        assert found["auc"] < 0.9
        assert pd.isna(found["leaks"])

    def test_a_level_is_missing_values_too(self):
        # known of 20 who stayed; missing of everybody else who did
        found = _leaks(["yes"] * 40 + [None] * 40 + ["no"] * 20, LEFT)
        assert found[["auc", "share_at_0", "share_at_1", "leaks"]].tolist() == [1, 0.6, 0.4, TOO_GOOD]

    def test_missing_numbers_stand_at_the_end_that_tells_more(self):
        values = [np.nan] * 40 + [float(value) for value in range(60)]
        assert _leaks(values, LEFT)["auc"] == 1
        assert _leaks([-value for value in values], LEFT)["auc"] == 1

    def test_what_nobody_who_stayed_has_is_known_only_afterwards(self):
        # 2 of 40 are 5 %
        assert _leaks(["x", "y"] + [None] * 98, LEFT)["leaks"] == AFTERWARDS
        assert pd.isna(_leaks(["x"] + [None] * 99, LEFT)["leaks"])

    def test_where_everybody_left_nothing_is_known_only_afterwards(self):
        counts = pd.DataFrame({"status": ["a", "b"], "n": [40, 60], "left": [40, 60]})
        assert leaks_by_level(counts, "status") is None
        assert pd.isna(_leaks(["x"] * 50 + ["y"] * 50, [1] * 100)["leaks"])

    def test_the_end_of_a_contract_and_its_reason_are_known_only_afterwards(self):
        for name in ("ended_on", "reason", "reason_exit"):
            assert _leaks(["x", "y"] * 50, LEFT, name)["leaks"] == AFTERWARDS

    def test_a_constant_column_tells_nothing(self):
        for values in ([1.0] * 100, ["x"] * 100, [None] * 100):
            assert _leaks(values, LEFT)[["auc", "share_at_0", "share_at_1"]].tolist() == [0.5, 0, 0]

    def test_a_level_that_nearly_all_left_will_do_where_it_is_said(self):
        # 42 are marked, 40 of whom have left: .952
        rows = pd.DataFrame({"status": ["out"] * 42 + ["in"] * 58, "left": LEFT})
        found = [
            leakage(rows, "left", ["status"], nearly={"status": nearly}).loc[0, "leaks"] for nearly in (0.96, 0.95)
        ]
        assert pd.isna(found[0])
        assert found[1] == TOO_GOOD

    @pytest.mark.parametrize("levels", [["a", "b"], ["a", None], [1.0, 2.0], [np.nan, 2.0], [True, False]])
    def test_counts_by_level_tell_the_same(self, levels):
        # 42 of the first level, 40 of whom have left
        rows = pd.DataFrame({"column": [levels[0]] * 42 + [levels[1]] * 58, "left": LEFT})
        counts = rows.groupby("column", dropna=False)["left"].agg(n="size", left="sum").reset_index()
        told = {nearly: leaks_by_level(counts, "column", nearly=nearly) for nearly in (0.96, 0.95)}
        assert told == {0.96: None, 0.95: TOO_GOOD}

    def test_what_the_vocabulary_defines_must_tell_exactly(self):
        asked = ["term_months", "region", "fee", "status"]
        assert nearly_all(asked, ends_known=True) == {"status": 0.95}
        assert nearly_all(asked, ends_known=False) == {"status": 0.8}

    def test_all_leaking_columns_are_named(self):
        rows = pd.DataFrame({"good": [1, 2] * 50, "Grund": ["x"] * 40 + [None] * 60, "Stufe": LEFT, "left": LEFT})
        with pytest.raises(MeasureError) as caught:
            refuse_leaking("risk_scores", rows, "left", ["good", "Grund", "Stufe"])
        assert str(caught.value) == (
            "risk_scores: leaking: 'Grund' known only after the fact (AUC 1.00); 'Stufe' tells who left by itself "
            "(AUC 1.00). Leave it out, or compute it as of the start of the window."
        )


@pytest.fixture(scope="module")
def telco(public_data: Path) -> pd.DataFrame:
    status = ["Customer ID", "Satisfaction Score", "Churn Value", "Churn Category", "Churn Reason", "Customer Status"]
    folder = public_data / "telco_ibm"
    told = pd.read_excel(folder / "Telco_customer_churn_status.xlsx", usecols=status)
    served = ["Customer ID", "Tenure in Months", "Contract", "Monthly Charge", "Number of Referrals"]
    services = pd.read_excel(folder / "Telco_customer_churn_services.xlsx", usecols=served)
    return told.merge(services, on="Customer ID")


def test_of_the_telecom_sample_satisfaction_leaks_and_tenure_does_not(telco):
    columns = [name for name in telco.columns if name not in ("Customer ID", "Churn Value")]
    found = leakage(telco, "Churn Value", columns).set_index("column")
    assert found.loc["Satisfaction Score", "auc"] == pytest.approx(0.95, abs=0.005)
    assert found.loc["Tenure in Months", "auc"] == pytest.approx(0.74, abs=0.005)
    # 1 and 2 left all, 4 and 5 stayed all: 1,440 and 2,938 of 7,043
    ends = found.loc["Satisfaction Score", ["share_at_1", "share_at_0"]].tolist()
    assert ends == pytest.approx([1440 / 7043, 2938 / 7043])
    assert found["leaks"].dropna().to_dict() == {
        "Satisfaction Score": TOO_GOOD,
        "Customer Status": TOO_GOOD,
        "Churn Category": AFTERWARDS,
        "Churn Reason": AFTERWARDS,
    }
