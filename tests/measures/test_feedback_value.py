"""What ten points of NPS go with, in leaving and in value."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from scipy import stats

from analysis.errors import MeasureError
from analysis.measures import feedback_value as module
from analysis.measures.feedback_value import feedback_if_asked, feedback_value

START = pd.Timestamp("2024-01-01")


def surveyed(n: int = 400) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Customers who answer twice; who is content leaves less and is worth more."""
    at = np.arange(n)
    scores = np.column_stack([at * 7 % 11, (at * 7 + at * at % 5) % 11])
    content = np.where(scores >= 9, 1, np.where(scores <= 6, -1, 0))
    day = np.column_stack([at % 150 + 20, at % 150 + 220])
    drawn = ((at * 7919 % 1009) + 0.5) / 1009
    life = (20 - np.log(drawn) / 0.0012 * np.exp(0.4 * content[:, 0])).round().astype(int)
    known = pd.DataFrame({"customer_id": at.astype(str), "origin": START, "entry": 0})
    known = known.assign(exit=np.minimum(life, 700), event=(life < 700).astype(int))
    answers = pd.DataFrame(
        {
            "customer_id": np.repeat(at, 2).astype(str),
            "answered_at": START + pd.to_timedelta(day.ravel(), unit="D") + pd.Timedelta(hours=9),
            "nps": scores.ravel(),
        }
    )
    values = pd.DataFrame({"customer_id": at.astype(str), "expected_value": 100.0 + at % 37 + 20 * content[:, 1]})
    return answers, known, values


def test_the_hazard_ratio_is_that_of_cox_regression():
    found = feedback_value(*surveyed(), scale=(0, 10)).set_index("outcome").loc["leaving"]
    # answers of surveyed() within their spells, from the day after to that of the next one, in R:
    # coxph(Surv(entry, exit, event) ~ position, ties = "breslow"); exp(.1 * c(coef, confint))
    steps = [ratio**10 for ratio in (0.979658, 0.962512, 0.997109)]
    # nine of ten stay as they are, one moves up a step
    assert found[["estimate", "low", "high"]].tolist() == pytest.approx([0.9 + 0.1 * step for step in steps], abs=5e-5)
    assert found[["n", "customers", "events"]].tolist() == [625, 361, 217]
    assert found[["first", "last"]].tolist() == [pd.Timestamp("2024-01-21"), pd.Timestamp("2025-01-04")]
    assert found["promoters"] < found["detractors"]
    assert found["unit"] == "ratio"


def test_the_value_is_a_difference_of_means_by_the_latest_answer_scaled_to_ten_points():
    answers, known, values = surveyed()
    found = feedback_value(answers, known, values, scale=(0, 10)).set_index("outcome").loc["value"]
    latest = answers.groupby("customer_id")["nps"].last().reindex(values["customer_id"]).to_numpy()
    worth = values["expected_value"].to_numpy()
    high, low = worth[latest >= 9], worth[latest <= 6]
    welch = stats.ttest_ind(high, low, equal_var=False)
    ends = welch.confidence_interval(0.95)
    # 200 points lie between all detractors and all promoters, so ten points are a twentieth
    assert found["estimate"] == pytest.approx((high.mean() - low.mean()) / 20)
    assert found[["low", "high"]].tolist() == pytest.approx([ends.low / 20, ends.high / 20])
    assert found["p"] == pytest.approx(welch.pvalue)
    assert found[["promoters", "detractors"]].tolist() == pytest.approx([high.mean(), low.mean()])
    assert found["n"] == len(high) + len(low)


def tables(answers: list[tuple[str, str, int]]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    frame = pd.DataFrame(answers, columns=["customer_id", "answered_at", "nps"])
    frame["answered_at"] = pd.to_datetime(frame["answered_at"])
    known = pd.DataFrame({"customer_id": ["ä", "b"], "origin": START, "entry": [0, 100], "exit": [60, 200], "event": 1})
    return frame, known, pd.DataFrame({"customer_id": ["ä", "b"], "expected_value": [5.0, None]})


def test_an_answer_counts_from_the_day_after_it_to_the_next_one_or_the_end_of_the_spell():
    answers, known, _values = tables(
        [
            ("ä", "2024-01-11 08:00", 9),
            ("ä", "2024-01-11 18:00", 3),  # the later one of the day: a detractor
            ("ä", "2024-01-31 08:00", 10),
            ("ä", "2024-02-29 08:00", 10),  # on the last day: who leaves may have left before
            ("b", "2024-02-01 08:00", 8),  # before it was watched
            ("b", "2024-04-30 08:00", 8),  # day 120
        ]
    )
    placed = module._placed(module.as_table(answers))
    after = module._after(placed, module.as_table(known)).execute().sort_values(["customer_id", "entry"])
    rows = after[["customer_id", "position", "entry", "exit", "event"]].to_numpy().tolist()
    assert sorted(rows) == [["b", 0.0, 121, 200, 1], ["ä", -1.0, 11, 31, 0], ["ä", 1.0, 31, 60, 1]]


def test_too_few_are_not_estimated():
    found = feedback_value(*tables([("ä", "2024-01-11", 9), ("b", "2024-05-01", 2)]), scale=(0, 10))
    assert found["outcome"].tolist() == ["leaving", "value"]
    # a mean of one customer would say what that one is worth
    assert found[["promoters", "detractors", "estimate", "low", "high", "p"]].isna().all(axis=None)
    assert found["n"].tolist() == [2, 1]
    none = feedback_value(*tables([]), scale=(0, 10))
    assert none["n"].tolist() == [0, 0]
    assert none["first"].isna().all()


def test_few_promoters_are_not_compared_however_many_leave():
    answers, known, values = surveyed()
    promoters = answers.loc[answers["nps"] >= 9, "customer_id"].unique()
    answers = answers[~answers["customer_id"].isin(promoters[9:])]
    found = feedback_value(answers, known, values, scale=(0, 10)).set_index("outcome")
    assert found.loc["leaving", "events"] > 100
    assert found["estimate"].isna().all()


def test_an_answer_that_tells_of_nothing_is_said_to_in_about_95_of_100_cases():
    # 200 seeds of 500 customers with quarterly surveys, answered more often the longer one stays: .955 of the intervals
    # of leaving hold 1, .960 of those of value 0; with a true factor of .7 a step .940 hold it, bias .006 (se .008)
    held = [_holds_nothing(seed) for seed in range(15)]
    assert np.sum(held, axis=0).min() >= 12


def _holds_nothing(seed: int, n: int = 150) -> list[bool]:
    """Customers who stay as they do whatever they say, and are asked each half year, so that who stays says more."""
    rng = np.random.default_rng(seed)
    life = rng.exponential(500, n).astype(int) + 1
    known = pd.DataFrame({"customer_id": range(n), "origin": START, "entry": 0, "exit": life.clip(max=900)})
    known["event"] = (life < 900).astype(int)
    asked = known.loc[known.index.repeat(4), ["customer_id", "exit"]].assign(day=np.tile([60, 240, 420, 600], n))
    asked = asked[asked["day"] < asked["exit"]]
    asked = asked.assign(nps=rng.integers(2, 11, len(asked)), answered_at=START + pd.to_timedelta(asked["day"], "D"))
    worth = pd.DataFrame({"customer_id": range(n), "expected_value": rng.lognormal(4, 1, n)})
    found = feedback_value(asked, known, worth, scale=(0, 10)).set_index("outcome")
    nothing = pd.Series({"leaving": 1.0, "value": 0.0})
    return found["low"].le(nothing).mul(found["high"].ge(nothing))[["leaving", "value"]].tolist()


def test_without_surveys_that_say_who_answered_what_there_is_no_row():
    answers, known, values = surveyed(60)
    asked = {"scales": {"nps": (0, 10)}}
    assert len(feedback_if_asked({"surveys": answers}, known, values, **asked)) == 2
    for tables in ({}, {"surveys": answers.drop(columns="customer_id")}):
        assert feedback_if_asked(tables, known, values, **asked).empty
    assert feedback_if_asked({"surveys": answers}, known, values, scales={}).empty


def test_values_that_are_all_alike_differ_by_nothing():
    answers, known, values = surveyed(60)
    found = feedback_value(answers, known, values.assign(expected_value=7.0), scale=(0, 10)).set_index("outcome")
    assert found.loc["value", ["estimate", "low", "high", "p"]].tolist() == [0, 0, 0, 1]


def test_neither_order_of_rows_nor_kind_of_table_matters_and_arguments_stay():
    given = surveyed(120)
    kept = [frame.copy() for frame in given]
    once = feedback_value(*given, scale=(0, 10))
    again = feedback_value(*(ibis.memtable(frame.iloc[::-1].reset_index(drop=True)) for frame in given), scale=(0, 10))
    pd.testing.assert_frame_equal(once, again)
    for frame, copy in zip(given, kept, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_answers_off_the_scale_are_refused():
    with pytest.raises(MeasureError) as caught:
        feedback_value(*tables([("ä", "2024-01-11", 11)]), scale=(0, 10))
    assert str(caught.value) == (
        "feedback_value: 1 answers are no whole number from 0 to 10 (they run from 11 to 11). "
        "Declare the scale that was asked, or set these answers missing."
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reductions_compile_for_every_engine(dialect):
    answers = ibis.table({"customer_id": "string", "answered_at": "timestamp", "nps": "int64"}, name="answers")
    spells = ibis.table(
        {"customer_id": "string", "origin": "date", "entry": "int64", "exit": "int64", "event": "int64"}, name="spells"
    )
    values = ibis.table({"customer_id": "string", "expected_value": "float64"}, name="worth")
    placed = module._placed(answers)
    for reduced in (module._reduce_leaving(module._after(placed, spells)), module._reduce_value(placed, values)):
        assert "GROUP BY" in sql_of(reduced, dialect)
