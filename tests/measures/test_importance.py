"""What drives satisfaction: shares of R², their intervals, and importance against performance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import MeasureError
from analysis.measures import cross_products
from analysis.measures.importance import importance_performance, relative_importance

COLUMNS = ["attribute", "share", "share_of_r2", "low", "high", "n", "dropped"]
AIRLINE = {
    "boarding": "Online boarding",
    "entertainment": "Inflight entertainment",
    "seat": "Seat comfort",
    "wifi": "Inflight wifi service",
    "legroom": "Leg room service",
}


def survey(n: int, attributes: int = 4, seed: int = 1) -> pd.DataFrame:
    """Ratings from 1 to 5 that hang together, and an outcome that depends on the first of them most."""
    draw = np.random.default_rng(seed)
    liked = draw.normal(size=(n, attributes)) + 0.7 * draw.normal(size=(n, 1))
    outcome = liked @ np.linspace(0.6, 0.1, attributes) + draw.normal(size=n)
    rated = np.clip(np.round(3 + np.column_stack([liked, outcome])), 1, 5)
    return pd.DataFrame(rated, columns=[*(f"rating_{at}" for at in range(attributes)), "csat"])


def attributes_of(answers: pd.DataFrame) -> list[str]:
    return [name for name in answers.columns if name.startswith("rating_")]


def r2(answers: pd.DataFrame, outcome: str, attributes: Sequence[str]) -> float:
    """By least squares on the rows themselves."""
    y = answers[outcome].to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(y)), answers[list(attributes)].to_numpy(dtype=float)])
    left = y - x @ np.linalg.lstsq(x, y)[0]
    return float(1 - left @ left / ((y - y.mean()) ** 2).sum())


def over_all_orders(answers: pd.DataFrame, outcome: str, attributes: Sequence[str]) -> dict[str, float]:
    """The definition: enter the attributes in every order and average what each adds to R²."""
    known: dict[frozenset[str], float] = {}

    def explained(entered: Sequence[str]) -> float:
        return known.setdefault(frozenset(entered), r2(answers, outcome, entered))

    orders = list(permutations(attributes))
    gains = dict.fromkeys(attributes, 0.0)
    for order in orders:
        for at, name in enumerate(order):
            gains[name] += (explained(order[: at + 1]) - explained(order[:at])) / len(orders)
    return gains


def shares(result: pd.DataFrame) -> dict[str, float]:
    return dict(zip(result["attribute"], result["share"], strict=True))


def ends(result: pd.DataFrame) -> np.ndarray:
    return result.set_index("attribute").sort_index()[["low", "high"]].to_numpy()


def test_uncorrelated_attributes_have_their_squared_correlations_as_shares():
    answers = pd.DataFrame({"price": [1, 1, 5, 5], "taste": [1, 5, 1, 5], "csat": [1, 2, 4, 5]})
    # csat less 3: -2 -1 1 2, squares 10; price less 3: -2 -2 2 2, taste less 3: -2 2 -2 2, squares 16 each
    # price: 12² / (16 · 10) = 0.9; taste: 4² / (16 · 10) = 0.1; together all of it
    result = relative_importance(answers, "csat", ["taste", "price"])
    assert list(result.columns) == COLUMNS
    assert result["attribute"].tolist() == ["price", "taste"]
    assert result["share"].tolist() == pytest.approx([0.9, 0.1])
    assert result["share_of_r2"].tolist() == pytest.approx([0.9, 0.1])
    assert result[["low", "high"]].isna().all(axis=None)
    assert result[["n", "dropped"]].to_numpy().tolist() == [[4, 0], [4, 0]]


def test_two_correlated_attributes_share_by_the_mean_of_first_and_last():
    answers = pd.DataFrame({"a": [1, 2, 3, 4], "b": [1, 2, 4, 3], "csat": [1, 3, 2, 4]})
    # correlations: a with b 0.8, a with csat 0.8, b with csat 0.4
    # R² = (0.64 + 0.16 - 2·0.8·0.8·0.4) / (1 - 0.64) = 0.8; a: (0.64 + 0.8 - 0.16) / 2, b: (0.16 + 0.8 - 0.64) / 2
    assert shares(relative_importance(answers, "csat", ["a", "b"])) == pytest.approx({"a": 0.64, "b": 0.16})


@pytest.mark.parametrize("attributes", [1, 3, 5])
def test_shares_are_the_mean_gain_over_all_orders_of_entry(attributes):
    answers = survey(60, attributes)
    named = attributes_of(answers)
    result = relative_importance(answers, "csat", named)
    assert shares(result) == pytest.approx(over_all_orders(answers, "csat", named), abs=1e-12)
    assert result["share"].sum() == pytest.approx(r2(answers, "csat", named), abs=1e-12)
    assert result["share_of_r2"].sum() == pytest.approx(1, abs=1e-12)
    assert result["share"].is_monotonic_decreasing


def test_twenty_attributes_sum_to_r2():
    answers = survey(400, 20)
    result = relative_importance(answers, "csat", attributes_of(answers))
    assert result["share"].sum() == pytest.approx(r2(answers, "csat", attributes_of(answers)), abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(12, 40))
def test_shares_sum_to_r2_and_none_is_negative(seed, attributes, n):
    draw = np.random.default_rng(seed)
    answers = pd.DataFrame(draw.normal(size=(n, attributes + 1)))
    answers.columns = [*(f"rating_{at}" for at in range(attributes)), "csat"]
    result = relative_importance(answers, "csat", attributes_of(answers))
    assert result["share"].sum() == pytest.approx(r2(answers, "csat", attributes_of(answers)), abs=1e-9)
    assert (result["share"] > -1e-12).all()


def test_units_and_direction_of_a_rating_do_not_matter():
    answers = survey(80)
    turned = answers.assign(rating_0=1e6 - 1000 * answers["rating_0"], csat=answers["csat"] / 7)
    named = attributes_of(answers)
    assert shares(relative_importance(turned, "csat", named)) == pytest.approx(
        shares(relative_importance(answers, "csat", named)), abs=1e-12
    )


def test_large_values_far_from_zero_lose_no_digits():
    answers = survey(80)
    named = attributes_of(answers)
    far = answers.assign(rating_1=answers["rating_1"] + 2.0**40, csat=answers["csat"] - 2.0**40)
    expected = shares(relative_importance(answers, "csat", named))
    assert shares(relative_importance(far, "csat", named)) == pytest.approx(expected, abs=1e-12)
    placed = importance_performance(far, "csat", named, bootstrap=0).set_index("attribute")
    assert placed.loc["rating_1", "mean"] == answers["rating_1"].mean() + 2.0**40


def test_an_outcome_that_the_attributes_give_exactly_is_explained_in_full():
    answers = survey(50).assign(csat=lambda rows: 2 * rows["rating_0"] - rows["rating_1"])
    assert relative_importance(answers, "csat", ["rating_0", "rating_1"])["share"].sum() == pytest.approx(1)


def test_where_nothing_is_explained_the_shares_of_it_are_missing():
    answers = pd.DataFrame({"b": [1, 1, 5, 5], "a": [1, 5, 1, 5], "csat": [1, 2, 2, 1]})
    result = relative_importance(answers, "csat", ["b", "a"])
    assert result["attribute"].tolist() == ["a", "b"]
    assert result["share"].tolist() == pytest.approx([0, 0])
    assert result["share_of_r2"].isna().all()


def test_equal_shares_are_sorted_by_name():
    # each of the three takes the same place in the data
    answers = pd.DataFrame({"c": [1, 0, 0, 1, 1], "ä": [0, 1, 0, 1, 1], "b": [0, 0, 1, 1, 1], "csat": [0, 0, 0, 1, 2]})
    assert relative_importance(answers, "csat", ["c", "ä", "b"])["attribute"].tolist() == ["b", "c", "ä"]


def test_a_row_with_a_missing_value_in_a_used_column_is_dropped_and_counted():
    answers = survey(30).assign(comment=None)
    answers.loc[[0, 1], "rating_0"] = None
    answers.loc[[1, 2], "csat"] = None
    answers.loc[3, "rating_3"] = None
    used = ["rating_0", "rating_1"]
    result = relative_importance(answers, "csat", used)
    assert result[["n", "dropped"]].to_numpy().tolist() == [[27, 3], [27, 3]]
    assert shares(result) == pytest.approx(over_all_orders(answers.drop(index=[0, 1, 2]), "csat", used))


def test_a_value_that_is_not_a_number_is_missing_like_null():
    answers = ibis.memtable(survey(30))
    spoilt = answers.mutate(
        rating_0=ibis.cases((answers["rating_0"] == 1, float("nan")), (answers["rating_0"] == 2, None), else_=3.5)
        + answers["rating_1"]
    )
    kept = spoilt.execute().dropna()
    result = relative_importance(spoilt, "csat", ["rating_0", "rating_2"])
    assert result["n"].tolist() == [len(kept)] * 2
    assert 0 < len(kept) < 30
    assert shares(result) == pytest.approx(over_all_orders(kept, "csat", ["rating_0", "rating_2"]))


@pytest.mark.parametrize("bootstrap", [0, 30])
@pytest.mark.parametrize("measure", [relative_importance, importance_performance])
def test_the_kind_of_table_and_the_order_of_rows_and_attributes_do_not_matter(measure, bootstrap):
    answers = survey(500).rename(columns={"rating_0": "rating_größe"}).astype("Int64")
    named = attributes_of(answers)
    result = measure(answers, "csat", named, bootstrap=bootstrap)
    table = ibis.memtable(answers.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(measure(table, "csat", named[::-1], bootstrap=bootstrap), result)
    told_apart = answers.assign(response_id=[f"r{at}" for at in range(500)])
    other = measure(told_apart, "csat", named, bootstrap=bootstrap)
    again = measure(told_apart.sample(frac=1, random_state=4), "csat", named, bootstrap=bootstrap)
    pd.testing.assert_frame_equal(again, other)


def test_the_argument_is_left_as_it_was():
    answers = survey(30).set_index("rating_3", drop=False)
    before = answers.copy(deep=True)
    result = importance_performance(answers, "csat", attributes_of(answers), bootstrap=10)
    pd.testing.assert_frame_equal(answers, before)
    assert result.attrs == {}


def bootstrapped_rows(answers: pd.DataFrame, replicates: int, seed: int) -> np.ndarray:
    """Percentile ends by drawing rows, for two attributes: half of what each explains first, half of what last."""
    draw = np.random.default_rng(seed)
    rows = answers.to_numpy()
    found = np.empty((replicates, 2))
    for replicate in range(replicates):
        (_, ab, ay), (_, _, by), _ = np.corrcoef(rows[draw.integers(0, len(rows), len(rows))], rowvar=False)
        both = (ay**2 + by**2 - 2 * ab * ay * by) / (1 - ab**2)
        found[replicate] = (both + ay**2 - by**2) / 2, (both + by**2 - ay**2) / 2
    return np.quantile(found, [0.025, 0.975], axis=0).T


@pytest.fixture(scope="module")
def drawn_rows() -> tuple[pd.DataFrame, np.ndarray]:
    answers = survey(1200, 2, seed=16)
    return answers, bootstrapped_rows(answers, 4000, seed=5)


@pytest.mark.parametrize("ids", ["none", "as it came", "by outcome"])
def test_the_interval_from_groups_is_that_of_drawn_rows(drawn_rows, ids):
    answers, expected = drawn_rows
    if ids == "by outcome":
        answers = answers.sort_values(["csat", "rating_0"])
    if ids != "none":
        answers = answers.assign(response_id=[f"r{at:05d}" for at in range(len(answers))])
    found = ends(relative_importance(answers, "csat", attributes_of(answers), bootstrap=4000, seed=2))
    width = expected[:, 1] - expected[:, 0]
    assert (np.abs(found - expected) < 0.1 * width[:, None]).all()


def test_a_wider_confidence_makes_a_wider_interval_around_the_share():
    answers = survey(300)
    named = attributes_of(answers)
    narrow = ends(relative_importance(answers, "csat", named, bootstrap=200, confidence=0.8))
    wide = relative_importance(answers, "csat", named, bootstrap=200, confidence=0.99)
    assert (ends(wide)[:, 0] < narrow[:, 0]).all()
    assert (narrow[:, 1] < ends(wide)[:, 1]).all()
    assert wide["share"].between(wide["low"], wide["high"]).all()


def test_a_seed_gives_the_same_interval_again_and_another_seed_another():
    answers = survey(300)
    named = attributes_of(answers)
    first, again, other = (
        ends(relative_importance(answers, "csat", named, bootstrap=50, seed=seed)) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_fewer_rows_than_groups_are_a_group_each():
    table = ibis.memtable(survey(50))
    columns = (*attributes_of(survey(50)), "csat")
    groups = cross_products._reduce_importance(table, columns, np.zeros(5), dealt=True).execute()
    assert sorted(groups["group"]) == list(range(50))
    assert groups["n"].tolist() == [1] * 50


def test_groups_are_of_like_size_and_sum_to_the_whole():
    answers = survey(1000)
    table, columns = ibis.memtable(answers), (*attributes_of(answers), "csat")
    groups = cross_products._reduce_importance(table, columns, np.zeros(5), dealt=True).execute()
    whole = cross_products._reduce_importance(table, columns, np.zeros(5), dealt=False).execute()
    assert groups["n"].value_counts().to_dict() == {3: 200, 2: 200}
    assert groups.drop(columns="group").sum().tolist() == whole.iloc[0].tolist()
    assert whole.loc[0, "sum_0_4"] == (answers["rating_0"] * answers["csat"]).sum()


def test_a_rare_answer_that_some_replicates_lack_explains_nothing_there():
    answers = survey(60).assign(rating_rare=[1.0, *[0.0] * 59])
    result = relative_importance(answers, "csat", attributes_of(answers), bootstrap=200).set_index("attribute")
    # a replicate lacks the one row in 1/e of cases
    assert result.loc["rating_rare", "low"] == 0
    assert result[["low", "high"]].notna().all(axis=None)


def test_replicates_without_an_outcome_that_varies_are_left_out():
    answers = survey(12, 1).assign(csat=[1.0, *[0.0] * 11])
    result = relative_importance(answers, "csat", "rating_0", bootstrap=200)
    assert result[["low", "high"]].notna().all(axis=None)
    alone = [relative_importance(answers, "csat", "rating_0", bootstrap=1, seed=seed)["low"] for seed in range(8)]
    assert {bool(low.isna().item()) for low in alone} == {True, False}


def refused(answers: pd.DataFrame, attributes: Sequence[str], outcome: str = "csat", **settings: float) -> str:
    with pytest.raises(MeasureError) as error:
        relative_importance(answers, outcome, attributes, **settings)
    return str(error.value)


def test_constant_columns_are_named():
    answers = survey(30).assign(rating_1=0.1, rating_2=1e9 + 1 / 3)
    assert refused(answers, attributes_of(answers)) == (
        "relative_importance: the same value in all complete cases: rating_1, rating_2. Leave such a column out."
    )


def test_a_constant_outcome_is_named():
    answers = survey(30).assign(csat=4)
    assert "the same value in all complete cases: csat." in refused(answers, attributes_of(answers))


def test_attributes_that_follow_from_others_are_named_with_those():
    answers = survey(50, 5).assign(
        rating_3=lambda rows: rows["rating_0"] + rows["rating_2"] / 3, rating_4=lambda rows: 6 - rows["rating_1"]
    )
    assert refused(answers, attributes_of(answers)) == (
        "relative_importance: attributes cannot be told apart: rating_3 follows from rating_0, rating_2; "
        "rating_4 follows from rating_1. Leave one of each such set out."
    )


def test_attributes_that_are_nearly_the_same_are_not_taken_for_the_same():
    answers = survey(60, 2)
    answers["rating_2"] = answers["rating_0"] + np.random.default_rng(1).normal(0, 1e-4, 60)
    named = attributes_of(answers)
    expected = over_all_orders(answers, "csat", named)
    assert shares(relative_importance(answers, "csat", named)) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("complete", [0, 3])
def test_too_few_complete_cases_are_refused_with_their_number(complete):
    answers = survey(20, 2)
    answers["rating_0"] = answers["rating_0"].where(answers.index < complete)
    assert refused(answers, attributes_of(answers)) == (
        f"relative_importance: {complete} complete cases are too few for 2 attributes. "
        "Give at least 4, or leave out attributes that are seldom rated."
    )
    assert refused(answers, attributes_of(answers), bootstrap=5) == refused(answers, attributes_of(answers))


def test_one_case_more_is_enough():
    answers = pd.DataFrame({"a": [1, 2, 3], "csat": [1, 3, 2]})
    # correlation 0.5
    assert relative_importance(answers, "csat", "a")["share"].tolist() == pytest.approx([0.25])


def test_an_attribute_never_rated_is_too_few_cases():
    assert "0 complete cases" in refused(survey(20).assign(rating_9=None), ["rating_0", "rating_9"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"], "string"),
        ([True, False], "boolean"),
        (pd.to_datetime(["2026-01-01"] * 2), "timestamp"),
    ],
)
def test_a_column_that_holds_no_numbers_is_refused(values, kind):
    answers = pd.DataFrame({"rating_0": values, "csat": [1, 2]})
    assert refused(answers, ["rating_0"]) == (
        f"relative_importance: column 'rating_0' holds {kind}, not numbers. Convert it to numbers."
    )


def test_infinite_values_are_named():
    answers = survey(30)
    answers.loc[4, "rating_1"] = np.inf
    answers.loc[5, "csat"] = -np.inf
    expected = "relative_importance: infinite values in: rating_1, csat. Set them missing."
    assert refused(answers, attributes_of(answers)) == expected
    assert refused(answers, attributes_of(answers), bootstrap=5) == expected


def test_more_than_twenty_attributes_are_refused_with_what_to_do():
    answers = survey(50, 21)
    assert refused(answers, attributes_of(answers)) == (
        "relative_importance: 21 attributes are more than 20. "
        "Leave some out, or average those that ask for the same thing."
    )


def test_an_absent_column_is_named_with_the_nearest():
    assert refused(survey(30, 1), ["rating_1"]) == (
        "relative_importance: column 'rating_1' is absent; the table has: rating_0, csat. Did you mean 'rating_0'?"
    )


def test_what_makes_no_question_is_refused():
    answers = survey(30)
    assert refused(answers, []) == "relative_importance: there is no attribute. Name at least one."
    assert "named more than once: csat, rating_0." in refused(answers, ["rating_0", "csat", "rating_0"])
    assert "bootstrap is -1." in refused(answers, ["rating_0"], bootstrap=-1)
    assert "confidence is 95." in refused(answers, ["rating_0"], confidence=95)
    with pytest.raises(MeasureError, match=r"^importance_performance: confidence is 95"):
        importance_performance(answers, "csat", ["rating_0"], confidence=95)


def test_an_attribute_is_placed_only_where_both_intervals_clear_their_cuts():
    draw = np.random.default_rng(7)
    # uncorrelated on average; importance goes with the coefficients, performance with the means
    made = {"weak": (4, 2), "strong": (4, 4), "idle": (0, 2), "polished": (0, 4), "middling": (4, 3)}
    answers = pd.DataFrame({name: mean + 0.5 * draw.normal(size=4000) for name, (_, mean) in made.items()})
    answers["csat"] = sum(weight * answers[name] for name, (weight, _) in made.items()) + draw.normal(size=4000)
    result = importance_performance(answers, "csat", list(made), bootstrap=200).set_index("attribute")
    assert result["quadrant"].to_dict() == {
        "weak": "concentrate here",
        "strong": "keep up",
        "middling": "undecided",  # its mean of 3 is the mean of all
        "idle": "low priority",
        "polished": "possible overkill",
    }
    assert result["importance"].is_monotonic_decreasing
    assert result["importance"].sum() == pytest.approx(1)


def test_means_come_from_the_complete_cases_with_a_normal_interval():
    answers = pd.DataFrame({"a": [1, 2, 3, 4, 5, 5], "b": [2, 2, 4, 1, 5, 1], "csat": [1, 3, 2, 4, 4, None]})
    answers = pd.concat([answers] * 4)  # ten complete cases an attribute are needed
    result = importance_performance(answers, "csat", ["a", "b"], bootstrap=0).set_index("attribute")
    # a: mean 3, variance 40/19, half width 1.959964·√(40/19/20) = .635896
    assert result.loc["a", ["mean", "mean_low", "mean_high"]].tolist() == pytest.approx([3, 2.364104, 3.635896])
    assert result[["n", "dropped"]].to_numpy().tolist() == [[20, 4], [20, 4]]
    assert result["importance"].to_dict() == pytest.approx(
        relative_importance(answers, "csat", ["a", "b"]).set_index("attribute")["share_of_r2"].to_dict()
    )
    assert result[["importance_low", "importance_high"]].isna().all(axis=None)
    assert result["quadrant"].tolist() == ["undecided"] * 2


def test_one_attribute_has_all_importance_and_no_place():
    result = importance_performance(survey(40, 1), "csat", "rating_0", bootstrap=20)
    assert result[["importance", "importance_low", "importance_high"]].to_numpy().tolist() == [[1, 1, 1]]
    assert result["quadrant"].tolist() == ["undecided"]


def airline(public_data: Path) -> pd.DataFrame:
    table = pd.read_csv(public_data / "airline" / "test.csv")
    rated = table[list(AIRLINE.values())].replace(0, np.nan).set_axis(list(AIRLINE), axis=1)
    satisfied = (table["satisfaction"] == "satisfied").astype(int)
    return rated.assign(satisfied=satisfied, response_id=table["id"].astype("str"))


def test_attributes_that_cannot_be_placed_are_named_and_the_rest_placed_without_them():
    answers = survey(200, 3).assign(rating_3=2, rating_4=lambda rows: 6 - rows["rating_1"])
    placed = importance_performance(answers, "csat", attributes_of(answers), bootstrap=50).set_index("attribute")
    alone = importance_performance(answers, "csat", attributes_of(answers)[:3], bootstrap=50).set_index("attribute")
    pd.testing.assert_frame_equal(placed.loc[alone.index], alone)
    assert placed["status"].iloc[3:].to_dict() == {
        "rating_3": "the same value in all complete cases",
        "rating_4": "follows from rating_1",
    }
    assert placed["importance"].iloc[3:].isna().all()


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (lambda: survey(4, 3), "too few complete cases"),
        (lambda: survey(30, 3).assign(rating_1=None), "too few complete cases"),
        (lambda: survey(30, 3).assign(csat=5), "csat: the same value in all complete cases"),
    ],
)
def test_where_nothing_can_be_explained_every_attribute_says_why(answers, status):
    rows = answers()
    placed = importance_performance(rows, "csat", attributes_of(rows))
    assert placed["attribute"].tolist() == attributes_of(rows)
    assert set(placed["status"]) == {status}
    assert placed[["importance", "mean"]].isna().all(axis=None)
    assert set(placed["quadrant"]) == {"undecided"}


def test_airline_shares_are_those_over_all_orders(public_data):
    answers = airline(public_data)
    complete = answers.dropna()
    result = relative_importance(answers, "satisfied", list(AIRLINE))
    assert result["attribute"].tolist()[0] == "boarding"
    assert result["n"].unique().tolist() == [len(complete)]
    assert result["dropped"].unique().tolist() == [len(answers) - len(complete)]
    assert shares(result) == pytest.approx(over_all_orders(complete, "satisfied", list(AIRLINE)), abs=1e-10)


def test_airline_attributes_are_placed(public_data):
    answers = airline(public_data)
    result = importance_performance(answers, "satisfied", list(AIRLINE), bootstrap=100).set_index("attribute")
    assert result["mean"].to_dict() == pytest.approx(answers.dropna()[list(AIRLINE)].mean().to_dict())
    assert result["importance"].between(result["importance_low"], result["importance_high"]).all()
    # the mean of the five means is 3.27; only boarding explains more than a fifth
    assert result.loc[["boarding", "wifi", "seat"], "quadrant"].tolist() == [
        "keep up",
        "low priority",
        "possible overkill",
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("dealt", [True, False])
def test_the_reduction_compiles_for_every_engine(dialect, dealt):
    schema = {"response_id": "string", "a": "float64", "b": "int64", "csat": "decimal(3, 1)"}
    table = ibis.table(schema, name="surveys")
    reduced = cross_products._reduce_importance(table, ("a", "b", "csat"), np.array([0.0, 1.0, 2.0]), dealt=dealt)
    for expression in (reduced, cross_products._reduce_lows(table, ("a", "b", "csat"))):
        sql = sql_of(expression, dialect)
        parsed = sqlglot.parse_one(sql, dialect={"pyspark": "spark"}.get(dialect, dialect))
        assert parsed.find(sqlglot.exp.Table).name == "surveys"
    assert len(reduced.columns) == dealt + 1 + 3 + 6


def test_what_comes_back_does_not_grow_with_rows():
    for n in (1000, 5000):
        answers = survey(n, 2)
        table, columns = ibis.memtable(answers), (*attributes_of(answers), "csat")
        assert len(cross_products._reduce_importance(table, columns, np.zeros(3), dealt=True).execute()) == 400
        assert len(cross_products._reduce_importance(table, columns, np.zeros(3), dealt=False).execute()) == 1
