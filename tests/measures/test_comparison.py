"""Differences between periods, and between a group and the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.errors import MeasureError
from analysis.measures.satisfaction import against_rest, compare

COLUMNS = [
    *("n_a", "n_b", "paired", "a", "b", "difference", "low", "high", "p", "p_holm", "verdict", "family"),
]


def scores(*values: int, customers: list[str] | None = None) -> pd.DataFrame:
    answers = pd.DataFrame({"nps": list(values)})
    return answers if customers is None else answers.assign(customer_id=customers)


def panel(people: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two waves of people who keep part of their opinion; a third of each wave answered only there."""
    draw = np.random.default_rng(seed)
    lasting = draw.normal(8, 1.5, people)
    waves = []
    for wave in range(2):
        asked = np.arange(people)[draw.random(people) < 0.67]
        value = np.clip(np.rint(lasting[asked] + draw.normal(0.3 * wave, 1, len(asked))), 0, 10).astype(int)
        waves.append(scores(*value, customers=[f"c{number}" for number in asked]))
    return waves[1], waves[0]


def test_unpaired_groups_differ_by_the_hand_worked_z():
    # a: 40 promoters, 10 detractors of 50: d .6, v 1 - .36 = .64; b: 25 and 25: d 0, v 1
    # se = √(.64/50 + 1/50) = .181108; z = 3.31295; p = .000923; interval 60 ± 1.959964 · 18.1108
    result = compare(scores(*[10] * 40, *[3] * 10), scores(*[10] * 25, *[3] * 25), scale=(1, 10))
    assert list(result.columns) == COLUMNS
    row = result.iloc[0]
    assert row[["n_a", "n_b", "paired", "a", "b", "difference"]].tolist() == [50, 50, 0, 60, 0, 60]
    assert row[["low", "high"]].tolist() == pytest.approx([24.5035, 95.4965], abs=1e-3)
    assert row["p"] == pytest.approx(0.000923, abs=1e-6)
    assert row["p_holm"] == row["p"]
    assert row[["verdict", "family"]].tolist() == ["up", "comparison"]


def test_customers_in_both_are_paired_as_in_a_paired_t_test():
    draw = np.random.default_rng(3)
    before = draw.choice([3, 8, 10], 60)
    now = np.where(draw.random(60) < 0.6, before, draw.choice([3, 8, 10], 60))
    people = [f"c{number}" for number in range(60)]
    result = compare(scores(*now, customers=people), scores(*before, customers=people), scale=(1, 10)).iloc[0]
    kinds = {3: -1, 8: 0, 10: 1}
    t = stats.ttest_rel([kinds[v] for v in now], [kinds[v] for v in before]).statistic
    z = t * np.sqrt(60 / 59)  # divisor n where the t test has n - 1
    assert result["paired"] == 60
    assert result["p"] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_waves_that_overlap_in_part_have_the_variance_of_a_regression_clustered_by_customer(seed):
    now, before = panel(200, seed)
    both = pd.concat([now.assign(now=1.0), before.assign(now=0.0)])
    kind = np.where(both["nps"] >= 9, 100.0, np.where(both["nps"] <= 6, -100.0, 0.0))
    groups = both["customer_id"].astype("category").cat.codes
    fit = sm.OLS(kind, sm.add_constant(both["now"])).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    result = compare(now, before, scale=(0, 10)).iloc[0]
    assert result["paired"] == len(set(now["customer_id"]) & set(before["customer_id"])) > 0
    assert result["difference"] == pytest.approx(fit.params["now"])
    assert (result["high"] - result["low"]) / 2 / 1.959964 == pytest.approx(fit.bse["now"], rel=1e-6)
    assert result["p"] == pytest.approx(fit.pvalues["now"], rel=1e-6)


def test_the_verdicts_of_a_family_are_held_to_holms_p():
    # each region alone would say up at p = .03; four of them together are within noise
    now = pd.concat([scores(*[10] * 29, *[3] * 21).assign(region=name) for name in "abcd"])
    before = pd.concat([scores(*[10] * 18, *[3] * 32).assign(region=name) for name in "abcd"])
    result = compare(now, before, scale=(1, 10), by="region")
    assert (result["p"] < 0.05).all()
    assert result["p_holm"].tolist() == pytest.approx((4 * result["p"]).tolist())
    assert set(result["verdict"]) == {"within noise"}
    assert set(result["family"]) == {"region: 4 groups"}


def test_a_group_too_small_on_either_side_is_not_tested_and_not_of_the_family():
    now = pd.concat([scores(*[10] * 50).assign(region="big"), scores(*[10] * 4).assign(region="small")])
    before = pd.concat([scores(*[3] * 50).assign(region="big"), scores(*[3] * 9).assign(region="small")])
    result = compare(now, before, scale=(1, 10), by="region").set_index("region")
    assert result["verdict"].tolist() == ["up", "too few"]
    assert result.loc["small", ["p", "p_holm"]].isna().all()
    assert result["family"].tolist() == ["region: 1 groups"] * 2


def test_a_group_on_one_side_only_stays_with_no_answers_on_the_other():
    now = scores(*[10] * 6).assign(region="new")
    before = scores(*[3] * 6).assign(region=None)
    result = compare(now, before, scale=(1, 10), by="region")
    assert result["region"].iloc[0] == "new"
    assert result["region"].isna().tolist() == [False, True]
    assert result[["n_a", "n_b"]].to_numpy().tolist() == [[6, 0], [0, 6]]
    assert result["verdict"].tolist() == ["too few"] * 2
    assert result["difference"].isna().all()


def test_the_missing_group_is_paired_with_itself():
    people = ["u", "v", "w", "x", "y", "z"]
    side = scores(10, 10, 3, 3, 8, 8, customers=people).assign(region=None)
    assert compare(side, side, scale=(1, 10), by="region")["paired"].tolist() == [6]


def test_all_alike_on_both_sides_is_no_difference():
    result = compare(scores(*[10] * 8), scores(*[10] * 8), scale=(1, 10)).iloc[0]
    assert result[["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]
    assert result["verdict"] == "within noise"


def test_no_answers_at_all_are_too_few():
    empty = pd.DataFrame({"nps": pd.Series([], dtype="Int64")})
    result = compare(empty, scores(*[10] * 8), scale=(1, 10)).iloc[0]
    assert result[["n_a", "n_b", "verdict"]].tolist() == [0, 8, "too few"]


def test_satisfaction_is_compared_by_its_share_and_effort_by_its_mean():
    now = pd.DataFrame({"csat": [5, 4, 4, 2, 0], "ces": [7, 6, 6, 1, None]})
    before = pd.DataFrame({"csat": [5, 1, 1, 2, 3], "ces": [1, 2, 3, 4, 5]})
    by_share = compare(now, before, scale=(1, 5), measure="csat").iloc[0]
    assert by_share[["n_a", "n_b", "a", "b"]].tolist() == [4, 5, 0.75, 0.2]  # 0 is not applicable
    by_mean = compare(now, before, scale=(1, 7), measure="ces").iloc[0]
    assert by_mean[["n_a", "a", "b"]].tolist() == [4, 5, 3]


def test_a_group_is_held_against_all_other_answers():
    rows = pd.DataFrame({"region": ["a"] * 20 + ["b"] * 30 + ["c"] * 50, "nps": [10] * 20 + [3] * 30 + [8] * 50})
    result = against_rest(rows, by="region", scale=(1, 10)).set_index("region")
    # a: 100 against (-30 + 0) / 80; b: -100 against 20 / 70; c: 0 against (20 - 30) / 50
    assert result["b"].tolist() == pytest.approx([-37.5, 200 / 7, -20])
    alone = compare(rows[rows["region"] == "c"], rows[rows["region"] != "c"], scale=(1, 10)).iloc[0]
    assert result.loc["c", ["low", "high", "p"]].tolist() == pytest.approx(alone[["low", "high", "p"]].tolist())


def test_customers_in_a_group_and_in_the_rest_are_paired():
    rows = pd.concat([panel(120, 5)[0].assign(survey="x"), panel(120, 5)[1].assign(survey="y")])
    result = against_rest(rows, by="survey", scale=(0, 10)).set_index("survey")
    direct = compare(*panel(120, 5), scale=(0, 10)).iloc[0]
    columns = ["n_a", "n_b", "paired", "difference", "low", "high", "p"]
    assert result.loc["x", columns].tolist() == pytest.approx(direct[columns].tolist())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "npx"}, "compare: unknown measure 'npx'. Known: nps, csat, ces."),
        ({"scale": (1, 5)}, "compare: scale is (1, 5). Declare (0, 10) or (1, 10), as the question was asked."),
        ({"by": "regoin"}, "compare: column 'regoin' is absent; the table has: nps, region. Did you mean 'region'?"),
        ({"confidence": 95}, "compare: confidence is 95. Give a share between 0 and 1, such as 0.95."),
    ],
)
def test_bad_settings_are_refused(settings, message):
    rows = scores(9, 9).assign(region="a")
    with pytest.raises(MeasureError) as refusal:
        compare(rows, rows, **({"scale": (1, 10)} | settings))
    assert str(refusal.value) == message


def test_against_rest_without_a_group_is_refused():
    with pytest.raises(MeasureError) as refusal:
        against_rest(scores(9), by=(), scale=(1, 10))
    assert str(refusal.value) == "against_rest: no group is named. Name the columns that make the groups in by."


def test_the_difference_is_found_in_95_of_100_intervals():
    # planted: promoters .5, detractors .2 now; .45 and .25 before, so 30 - 20 points; a group is one try
    draw = np.random.default_rng(11)
    tries = np.repeat(np.arange(400), 150)
    now, before = (
        scores(*draw.choice([10, 8, 3], len(tries), p=shares)).assign(trial=tries)
        for shares in ([0.5, 0.3, 0.2], [0.45, 0.3, 0.25])
    )
    result = compare(now, before, scale=(1, 10), by="trial")
    held = ((result["low"] <= 10) & (result["high"] >= 10)).mean()
    assert 0.925 <= held <= 0.975
