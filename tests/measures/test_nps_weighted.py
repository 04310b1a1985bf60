"""The Net Promoter Score with weights, held against R's package survey."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import raked_sample

from analysis.errors import MeasureError
from analysis.measures.satisfaction import nps

GROUPS = {"all": (), **dict.fromkeys(("Nord", "Süd", "West"), "region"), **dict.fromkeys(("Laden", "Web"), "channel")}


@pytest.fixture
def answers() -> pd.DataFrame:
    rows = raked_sample.answers()
    weights = [raked_sample.CELL_WEIGHTS[cell] for cell in zip(rows["region"], rows["channel"], strict=True)]
    return rows.assign(weight=weights)


def row_of(answers: pd.DataFrame, group: str, **settings: object) -> pd.Series:
    result = nps(answers, scale=(1, 10), by=GROUPS[group], weight="weight", **settings)
    return result.iloc[0] if group == "all" else result.set_index(GROUPS[group]).loc[group]


@pytest.mark.parametrize("group", GROUPS)
def test_scores_and_errors_are_those_of_survey_with_the_weights_as_given(answers, group):
    row = row_of(answers, group)
    assert row["nps"] == pytest.approx(100 * raked_sample.MEANS[group], abs=1e-7)
    assert row["se"] == pytest.approx(100 * raked_sample.SE_PLAIN[group], abs=1e-7)
    assert row[["low", "high"]].tolist() == pytest.approx(
        [row["nps"] - 1.959964 * row["se"], row["nps"] + 1.959964 * row["se"]], abs=1e-4
    )


@pytest.mark.parametrize("group", GROUPS)
def test_the_margins_lower_the_error_as_in_survey(answers, group):
    row = row_of(answers, group, margins=["region", "channel"])
    assert row["se"] == pytest.approx(100 * raked_sample.SE_MARGINS[group], abs=1e-7)


def test_the_effective_n_is_kishs(answers):
    assert row_of(answers, "all")["n_effective"] == pytest.approx(raked_sample.N_EFFECTIVE, abs=1e-6)


def test_the_design_effect_is_the_variance_over_that_of_equal_weights(answers):
    row, mean = row_of(answers, "all"), raked_sample.MEANS["all"]
    x, w = answers["x"], answers["weight"]
    variance = np.average(x**2, weights=w) - mean**2
    assert row["deff"] == pytest.approx(raked_sample.SE_PLAIN["all"] ** 2 / (variance / 40))


def test_equal_weights_give_the_plain_score_whatever_their_size(answers):
    plain = nps(answers, scale=(1, 10), by="region")
    weighted = nps(answers.assign(weight=7.0), scale=(1, 10), by="region", weight="weight")
    pd.testing.assert_frame_equal(
        weighted[plain.columns].drop(columns=["low", "high"]), plain.drop(columns=["low", "high"])
    )
    assert weighted["n_effective"].tolist() == pytest.approx(plain["n"].tolist())


def test_counts_stay_those_of_answers(answers):
    assert row_of(answers, "Nord")[["n", "promoters", "passives", "detractors"]].tolist() == [21, 7, 7, 7]


def test_a_group_all_of_a_kind_has_the_adjusted_interval_of_its_effective_n():
    rows = pd.DataFrame({"nps": [9, 10, 9, 10], "weight": [1.0, 1.0, 1.0, 3.0]})
    row = nps(rows, scale=(1, 10), weight="weight").iloc[0]
    # 36 / 12 = 3 effective: 3.75 promoters, .75 detractors of 6: d = .5, variance .75 - .25 = .5
    assert row["n_effective"] == 3
    assert [row["low"], row["high"]] == pytest.approx([50 - 195.9964 * np.sqrt(0.5 / 6), 100], abs=1e-4)


def test_the_order_of_rows_does_not_matter_and_the_missing_group_stands_last(answers):
    answers = answers.assign(region=answers["region"].where(answers["region"] != "Nord"))
    shuffled = answers.sample(frac=1, random_state=4)
    settings = {"scale": (1, 10), "by": "region", "weight": "weight", "margins": ["region", "channel"]}
    first = nps(answers, **settings)
    pd.testing.assert_frame_equal(nps(shuffled, **settings), first)
    assert first["region"].isna().tolist() == [False, False, True]


def test_only_the_latest_answer_carries_its_weight():
    rows = pd.DataFrame(
        {"customer_id": ["a", "a", "b"], "response_id": ["1", "2", "3"], "nps": [3, 10, 10], "weight": [9.0, 1.0, 1.0]}
    )
    assert nps(rows, scale=(1, 10), weight="weight")["nps"].tolist() == [100]


def test_no_answers_are_a_row_of_nothing_or_no_rows():
    empty = pd.DataFrame({"nps": pd.Series([], dtype="Int64"), "weight": pd.Series([], dtype="float64"), "region": []})
    row = nps(empty, scale=(1, 10), weight="weight").iloc[0]
    assert row["n"] == 0
    assert row[["nps", "low", "high", "se", "n_effective", "deff"]].isna().all()
    assert nps(empty, scale=(1, 10), weight="weight", by="region").empty


@pytest.mark.parametrize("weight", [None, -1.0, float("nan"), float("inf")])
def test_a_missing_or_negative_weight_is_refused(weight):
    rows = pd.DataFrame({"nps": [9, 9], "weight": [1.0, weight]})
    with pytest.raises(MeasureError) as refusal:
        nps(rows, scale=(1, 10), weight="weight")
    assert str(refusal.value) == (
        "nps: 1 answers have a 'weight' that is missing, negative or infinite. Weights are 0 or more."
    )


def test_margins_without_a_weight_are_refused(answers):
    with pytest.raises(MeasureError) as refusal:
        nps(answers, scale=(1, 10), margins="region")
    assert str(refusal.value) == "nps: margins region are named without a weight. Name the weight's column."
