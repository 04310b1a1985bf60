"""Net Promoter Score and satisfaction ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import MeasureError
from analysis.measures import satisfaction
from analysis.measures.satisfaction import ces, csat, nps

COUNTS = ["n", "promoters", "passives", "detractors"]


def scores(*values: float | None) -> pd.DataFrame:
    return pd.DataFrame({"nps": pd.array(values, dtype="Float64")})


def test_18_promoters_11_passives_2_detractors_make_51_6_points():
    result = nps(scores(*[9] * 8, *[10] * 10, *[7] * 6, *[8] * 5, 0, 6), scale=(0, 10), method="wald")
    assert list(result.columns) == [*COUNTS, "nps", "low", "high", "anonymous"]
    assert result[COUNTS].to_numpy().tolist() == [[31, 18, 11, 2]]
    assert result.loc[0, ["nps", "low", "high"]].tolist() == pytest.approx([51.6, 29.9, 73.3], abs=0.05)


def test_a_missing_score_is_no_answer():
    assert nps(scores(10, None, 3), scale=(1, 10))["n"].tolist() == [2]


def test_groups_are_sorted_and_the_missing_group_stands_last():
    answers = pd.DataFrame({"region": ["Süd", None, "Nord", "Süd"], "nps": [9, 9, 7, 2]})
    result = nps(answers, scale=(1, 10), by="region")
    assert result["region"].tolist()[:2] == ["Nord", "Süd"]
    assert result["region"].isna().tolist() == [False, False, True]
    assert result["nps"].tolist() == [0, 0, 100]
    assert result["n"].tolist() == [1, 2, 1]


def test_groups_by_two_columns_are_sorted_by_the_first():
    answers = pd.DataFrame({"region": ["b", "b", "a"], "channel": ["y", "x", "z"], "nps": [9, 8, 1]})
    result = nps(answers, scale=(1, 10), by=["region", "channel"])
    assert result[["region", "channel", "nps"]].to_numpy().tolist() == [
        ["a", "z", -100],
        ["b", "x", 0],
        ["b", "y", 100],
    ]


def repeated() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("r1", "anna", "spring", "2026-01-05", 2),
            ("r2", "anna", "spring", "2026-02-05", 9),  # the latest of anna in spring
            ("r3", "anna", "autumn", "2026-01-01", 7),  # another survey, another wave
            ("r4", "bert", "spring", "2026-01-05", 3),
            ("r5", "bert", "spring", "2026-01-05", 10),  # as late as r4: the greater id counts
            ("r6", None, "spring", "2026-01-05", 1),  # nobody's: each counts
            ("r7", None, "spring", "2026-01-05", 10),
        ],
        columns=["response_id", "customer_id", "survey", "answered_at", "nps"],
    ).assign(answered_at=lambda rows: pd.to_datetime(rows["answered_at"]))


def test_the_latest_answer_of_a_customer_and_survey_counts_and_the_nameless_count_each():
    result = nps(repeated(), scale=(1, 10))
    # counted: 9, 7, 10, 1, 10
    assert result[[*COUNTS, "anonymous"]].to_numpy().tolist() == [[5, 3, 1, 1, 2]]


def test_without_a_survey_column_a_customer_counts_once():
    # anna 9, bert 10, nobody 1 and 10
    assert nps(repeated().drop(columns="survey"), scale=(1, 10))[COUNTS].to_numpy().tolist() == [[4, 3, 0, 1]]


def test_without_an_id_of_the_answer_the_lowest_of_the_latest_counts():
    # bert's answers of the same time are 3 and 10
    assert nps(repeated().drop(columns="response_id"), scale=(1, 10))[COUNTS].to_numpy().tolist() == [[5, 2, 1, 2]]


def test_without_customers_every_answer_counts_and_is_nameless():
    result = nps(repeated()[["nps"]], scale=(1, 10))
    assert result[["n", "anonymous"]].to_numpy().tolist() == [[7, 7]]


def test_a_latest_answer_without_a_score_does_not_hide_the_one_before():
    answers = repeated().iloc[:2].assign(nps=[2, None])
    assert nps(answers, scale=(1, 10))["detractors"].tolist() == [1]


def test_an_answer_of_unknown_time_is_older_than_any_other():
    answers = repeated().iloc[:2].assign(answered_at=[pd.Timestamp("2026-01-05"), pd.NaT])
    assert nps(answers, scale=(1, 10))["detractors"].tolist() == [1]


def test_a_group_left_without_a_counting_answer_has_no_row():
    answers = repeated().iloc[:2].assign(channel=["mail", "phone"])
    assert nps(answers, scale=(1, 10), by="channel")["channel"].tolist() == ["phone"]


def test_no_answers_are_a_row_of_nothing():
    result = nps(scores(), scale=(1, 10))
    assert result[[*COUNTS, "anonymous"]].to_numpy().tolist() == [[0, 0, 0, 0, 0]]
    assert result[["nps", "low", "high"]].isna().all(axis=None)


def test_no_answers_by_group_are_no_rows_with_the_same_columns():
    result = nps(scores(None).assign(region="Nord"), scale=(1, 10), by="region")
    assert list(result.columns) == ["region", *COUNTS, "nps", "low", "high", "anonymous"]
    assert result.empty


@pytest.mark.parametrize("scale", [(1, 5), (10, 0), (0, 11)])
def test_a_scale_on_which_the_score_is_not_defined_is_refused(scale):
    with pytest.raises(MeasureError) as refused:
        nps(scores(1), scale=scale)
    assert str(refused.value) == f"nps: scale is {scale}. Declare (0, 10) or (1, 10), as the question was asked."


def test_answers_off_the_scale_are_refused_with_their_number():
    with pytest.raises(MeasureError) as refused:
        nps(scores(0, 7, 7.5, 11, 10), scale=(1, 10))
    assert str(refused.value) == (
        "nps: 3 answers are no whole number from 1 to 10 (they run from 0 to 11). "
        "Declare the scale that was asked, or set these answers missing."
    )


def test_an_answer_off_the_scale_is_refused_even_where_a_later_one_replaces_it():
    with pytest.raises(MeasureError, match=r"1 answers are no whole number"):
        nps(repeated().iloc[:2].assign(nps=[11, 9]), scale=(1, 10))


def test_a_score_in_words_is_refused():
    with pytest.raises(MeasureError) as refused:
        nps(pd.DataFrame({"nps": ["9", "10"]}), scale=(1, 10))
    assert str(refused.value) == "nps: column 'nps' holds string, not numbers. Convert it to whole numbers."


def test_an_absent_group_column_is_named_with_those_there_are():
    with pytest.raises(MeasureError) as refused:
        nps(scores(1).assign(region="Nord"), scale=(1, 10), by="regoin")
    assert str(refused.value) == "nps: column 'regoin' is absent; the table has: nps, region. Did you mean 'region'?"


def test_a_confidence_in_percent_is_refused_by_both():
    for call in (
        lambda: nps(scores(1), scale=(1, 10), confidence=95),
        lambda: csat(five(1), scale=(1, 5), confidence=95),
    ):
        with pytest.raises(MeasureError, match=r"confidence is 95\. Give a share between 0 and 1, such as 0\.95\."):
            call()


answer_lists = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["x", None]),
        st.integers(0, 3),
        st.sampled_from([None, *range(1, 11)]),
    ),
    max_size=12,
)


def framed(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "survey", "day", "nps"])
    return frame.assign(
        response_id=[f"r{number:02d}" for number in range(len(frame))],
        customer_id=frame["customer_id"].astype("str"),
        survey=frame["survey"].astype("str"),
        answered_at=pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["day"].astype("int64"), unit="D"),
        nps=frame["nps"].astype("Float64"),
    ).drop(columns="day")


def latest_in_python(frame: pd.DataFrame) -> list[int]:
    kept: dict[object, tuple] = {}
    for row in frame[frame["nps"].notna()].itertuples():
        who = row.response_id if pd.isna(row.customer_id) else (row.customer_id, str(row.survey))
        kept[who] = max(kept.get(who, ()), (row.answered_at, row.response_id, int(row.nps)))
    return [score for _, _, score in kept.values()]


@settings(max_examples=25, deadline=None)
@given(rows=answer_lists, seed=st.integers(0, 99))
def test_the_score_is_that_of_a_plain_loop_whatever_the_order_of_rows(rows, seed):
    frame = framed(rows)
    counted = latest_in_python(frame)
    result = nps(frame.sample(frac=1, random_state=seed), scale=(1, 10)).loc[0]
    assert result["promoters"] == sum(score >= 9 for score in counted)
    assert result["detractors"] == sum(score <= 6 for score in counted)
    assert result["promoters"] + result["passives"] + result["detractors"] == result["n"] == len(counted)


def five(*values: float | None) -> pd.DataFrame:
    return pd.DataFrame({"csat": pd.array(values, dtype="Float64")})


def test_csat_is_the_share_of_the_two_best_ratings_with_its_mean():
    result = csat(five(5, 5, 4, 3, 1, None), scale=(1, 5))
    assert list(result.columns) == ["n", "top", "share", "low", "high", "mean"]
    # 3 of 5; mean 18 / 5; Wilson: (.6 + 3.8415/10 ± 1.95996·√(.24/5 + 3.8415/100)) / (1 + 3.8415/5) = .5566 ± .3258
    assert result.loc[0].tolist() == pytest.approx([5, 3, 0.6, 0.2307, 0.8824, 3.6], abs=5e-5)


def test_csat_of_the_best_box_alone_on_another_column():
    assert csat(pd.DataFrame({"rating_price": [7, 7, 6]}), scale=(1, 7), top=1, rating="rating_price")[
        "top"
    ].tolist() == [2]


def test_zero_means_not_applicable_where_the_scale_starts_above_it():
    assert csat(five(0, 1, 5), scale=(1, 5))[["n", "mean"]].to_numpy().tolist() == [[2, 3]]
    assert csat(five(0, 1, 5), scale=(0, 5))[["n", "mean"]].to_numpy().tolist() == [[3, 2]]


def test_every_rating_of_an_occasion_counts_unless_one_a_customer_is_asked_for():
    ratings = repeated().rename(columns={"nps": "csat"})
    assert csat(ratings, scale=(1, 10))["n"].tolist() == [7]
    assert csat(ratings, scale=(1, 10), one_per_customer=True)["n"].tolist() == [5]


def test_no_ratings_are_a_row_of_nothing_or_no_rows():
    result = csat(five(), scale=(1, 5))
    assert result[["n", "top"]].to_numpy().tolist() == [[0, 0]]
    assert result[["share", "low", "high", "mean"]].isna().all(axis=None)
    assert csat(five().assign(region=""), scale=(1, 5), by="region").empty


def test_ratings_off_the_scale_are_refused_with_their_number():
    with pytest.raises(
        MeasureError, match=r"^csat: 2 answers are no whole number from 1 to 5 \(they run from 2\.5 to 6\)"
    ):
        csat(five(2.5, 6, 4), scale=(1, 5))


@pytest.mark.parametrize(
    ("scale", "top", "message"),
    [
        ((5, 1), 2, "csat: scale is (5, 1). Declare its lowest and highest value, such as (1, 5)."),
        ((1, 5), 5, "csat: top is 5 on a scale from 1 to 5. Give 1 to 4."),
        ((1, 5), 0, "csat: top is 0 on a scale from 1 to 5. Give 1 to 4."),
    ],
)
def test_a_scale_that_falls_or_a_top_that_is_all_of_it_is_refused(scale, top, message):
    with pytest.raises(MeasureError) as refused:
        csat(five(3), scale=scale, top=top)
    assert str(refused.value) == message


def test_the_measures_leave_their_frames_as_they_were():
    answers = repeated()
    nps(answers, scale=(1, 10), by="survey")
    csat(answers, scale=(1, 10), rating="nps", by="survey")
    pd.testing.assert_frame_equal(answers, repeated())


def test_shop_reviews_have_the_mean_computed_elsewhere(public_data: Path):
    reviews = pd.read_csv(public_data / "olist" / "olist_order_reviews_dataset.csv")
    assert csat(reviews, scale=(1, 5), rating="review_score")["mean"].round(4).tolist() == [3.2716]


def test_the_distribution_counts_one_answer_a_customer_and_fills_the_scale():
    # customer a answered twice: the later 9 counts, the 2 does not; nobody chose 1 to 8 but the 5
    answers = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", None],
            "answered_at": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-01"]),
            "nps": [2, 9, 5, 9],
        }
    )
    found = satisfaction.nps_distribution(answers, scale=(1, 10))
    assert found["rating"].tolist() == list(range(1, 11))
    assert found["answers"].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 2, 0]
    assert found["share"].sum() == pytest.approx(1)


def test_the_distribution_agrees_with_the_counts_of_nps():
    draw = np.random.default_rng(3)
    answers = pd.DataFrame({"customer_id": draw.integers(0, 60, 200).astype(str), "nps": draw.integers(1, 11, 200)})
    found = satisfaction.nps_distribution(answers, scale=(1, 10)).set_index("rating")["answers"]
    score = satisfaction.nps(answers, scale=(1, 10)).iloc[0]
    assert (found[9:].sum(), found[:6].sum(), found.sum()) == (score["promoters"], score["detractors"], score["n"])


def test_a_distribution_of_nothing_has_no_shares():
    found = satisfaction.nps_distribution(pd.DataFrame({"nps": pd.Series([], dtype="float64")}), scale=(1, 10))
    assert found["answers"].tolist() == [0] * 10
    assert found["share"].isna().all()


def test_ratings_measure_each_attribute_as_csat_does():
    answers = pd.DataFrame({"rating_b": [1, 2, 3, 4, 5], "rating_a": [5, 5, 4, None, 0], "csat": [1] * 5})
    found = satisfaction.ratings(answers, scale=(1, 5))
    # a: 0 is "not applicable", so 5, 5, 4 count; b: 4 and 5 of five
    assert found["attribute"].tolist() == ["a", "b"]
    assert found["n"].tolist() == [3, 5]
    assert found["top"].tolist() == [3, 2]
    assert found["mean"].tolist() == pytest.approx([14 / 3, 3])


def test_ratings_without_an_attribute_are_refused():
    with pytest.raises(MeasureError, match=r"ratings: no column begins with 'rating_'; there are: nps"):
        satisfaction.ratings(pd.DataFrame({"nps": [1]}), scale=(1, 5))


def efforts(*values: float | None, region: list[str] | None = None) -> pd.DataFrame:
    answers = pd.DataFrame({"ces": pd.array(values, dtype="Float64")})
    return answers if region is None else answers.assign(region=region)


def test_effort_is_the_mean_with_students_interval():
    values = [7, 6, 2, 5, 5, 7]
    result = ces(efforts(*values, None), scale=(1, 7), easy="high").iloc[0]
    low, high = stats.t.interval(0.95, 5, loc=np.mean(values), scale=stats.sem(values))
    assert result[["n", "mean"]].tolist() == pytest.approx([6, 32 / 6])
    assert result[["low", "high"]].tolist() == pytest.approx([low, high])


@pytest.mark.parametrize(("easy", "hard"), [("high", 2 / 7), ("low", 3 / 7)])
def test_high_effort_is_what_lies_on_the_hard_side_of_the_middle(easy, hard):
    # of 1, 2, 3, 3, 4, 5, 5 on 1 to 5: 1 and 2 below the middle, 4, 5 and 5 above
    assert ces(efforts(1, 2, 3, 3, 4, 5, 5), scale=(1, 5), easy=easy)["high_effort"].tolist() == pytest.approx([hard])


def test_a_single_effort_has_no_interval_and_all_alike_has_one_of_no_width():
    result = ces(efforts(6, 4, 4, 4, region=["a", "b", "b", "b"]), scale=(1, 7), easy="high", by="region")
    assert result[["low", "high"]].iloc[0].isna().all()
    assert result[["low", "high"]].iloc[1].tolist() == [4, 4]


def test_an_effort_of_zero_is_not_applicable_and_one_off_the_scale_is_refused():
    assert ces(efforts(0, 5, 7), scale=(1, 7), easy="high")["n"].tolist() == [2]
    with pytest.raises(MeasureError, match=r"1 answers are no whole number from 1 to 7"):
        ces(efforts(8), scale=(1, 7), easy="high")


def test_no_efforts_are_a_row_of_nothing():
    result = ces(efforts(None), scale=(1, 7), easy="high").iloc[0]
    assert result["n"] == 0
    assert result[["mean", "low", "high", "high_effort"]].isna().all()


def test_an_undeclared_direction_of_effort_is_refused():
    with pytest.raises(MeasureError, match='Declare which end of the scale is easy: "high" or "low"'):
        ces(efforts(5), scale=(1, 7), easy="up")


def test_effort_leaves_its_frame_as_it_was():
    answers = efforts(5, 6)
    before = answers.copy()
    ces(answers, scale=(1, 7), easy="high")
    pd.testing.assert_frame_equal(answers, before)
