"""What goes with leaving, as far as it can be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.hazard_regression import PHReg

from analysis.errors import MeasureError
from analysis.measures.leaving import drivers


def ledger(people: int, seed: int = 1) -> pd.DataFrame:
    """Spells whose hazard is double in plan b and the same in both regions, watched for two years."""
    draw = np.random.default_rng(seed)
    plan, region = draw.choice(["a", "b"], people, p=[0.6, 0.4]), draw.choice(["Nord", "Süd"], people)
    stay = draw.exponential(np.where(plan == "b", 400, 800))
    exit_day = np.ceil(np.minimum(stay, 730)).astype(int)
    return pd.DataFrame(
        {"entry": 0, "exit": exit_day, "event": (stay < 730).astype(int), "plan": plan, "region": region}
    )


def test_ratios_are_those_of_cox_regression_within_2_percent():
    rows = ledger(3000)
    found = drivers(rows, ["plan", "region"], cuts=range(30, 720, 30)).set_index("term")
    levels = np.column_stack([rows["plan"] == "b", rows["region"] == found.loc["region", "level"]]).astype(float)
    cox = PHReg(rows["exit"], levels, status=rows["event"]).fit()
    assert found.loc["plan", ["level", "base"]].tolist() == ["b", "a"]
    assert found.loc[["plan", "region"], "ratio"].tolist() == pytest.approx(np.exp(cox.params), rel=0.02)


def test_what_is_planted_is_found_and_nothing_else():
    found = drivers(ledger(3000), ["plan", "region"]).set_index("term")
    assert found["verdict"].to_dict() == {"plan": "up", "region": "within noise"}
    assert found.loc["plan", "low"] < 2 < found.loc["plan", "high"]
    assert (found["p_holm"] >= found["p"]).all()


def test_what_cannot_be_compared_is_named_with_its_reason():
    rows = ledger(600).assign(country="DE", name=[f"n{number}" for number in range(600)])
    found = drivers(rows, ["plan", "country", "name", "not there"])
    assert found[["term", "status"]].to_numpy().tolist() == [
        ["plan", "computed"],
        ["country", "one level only"],
        ["name", "too many levels"],
    ]
    assert found["ratio"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("rows", [ledger(8), ledger(60).assign(event=0), ledger(5).head(0)])
def test_too_few_ends_are_no_ratios(rows):
    found = drivers(rows, ["plan", "region"])
    assert found["ratio"].isna().all()
    assert set(found["status"]) <= {"too few ends", "one level only"}
    assert len(found) == 2


def test_without_attributes_nothing_is_told():
    assert drivers(ledger(100), []).empty


def test_a_missing_level_is_a_level():
    rows = ledger(900)
    found = drivers(rows.assign(plan=rows["plan"].where(rows["plan"] == "a")), "plan")
    assert found["status"].tolist() == ["computed"]


def test_the_frame_is_left_as_it_was_and_a_bad_level_refused():
    rows = ledger(200)
    before = rows.copy()
    drivers(rows, "plan")
    pd.testing.assert_frame_equal(rows, before)
    with pytest.raises(MeasureError, match="confidence is 95"):
        drivers(rows, "plan", confidence=95)
