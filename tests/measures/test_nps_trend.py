"""How the Net Promoter Score moves from period to period."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.errors import MeasureError
from analysis.measures import nps_trend as module
from analysis.measures.intervals import nps_interval
from analysis.measures.nps_trend import nps_trend
from analysis.period import Period, midnight

COLUMNS = [
    *("period", "start", "scale", "n", "nps", "low", "high", "level", "level_low", "level_high"),
    *("step", "p", "p_holm", "verdict"),
]


def answered(*groups: tuple[str, int, int, int]) -> pd.DataFrame:
    """Return answers of nobody: (day, promoters, passives, detractors)."""
    rows = [
        (day, score) for day, *counts in groups for score, n in zip((10, 8, 2), counts, strict=True) for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["answered_at", "nps"])
    return frame.assign(answered_at=pd.to_datetime(frame["answered_at"]))


def drawn(rows: int, seed: int) -> pd.DataFrame:
    """Return answers over nine months, without any in May, to two surveys, some of nobody, many by the same people."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "response_id": [f"r{number:04d}" for number in range(rows)],
            "customer_id": draw.choice([*(f"k{number}" for number in range(40)), None], rows),
            "survey": draw.choice(["Früh", "Spät", None], rows),
            "answered_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 270 * 86_400, rows), unit="s"),
            "nps": draw.choice([10, 9, 8, 5, 0, None], rows),
        }
    )
    frame["customer_id"], frame["survey"] = frame["customer_id"].astype("str"), frame["survey"].astype("str")
    frame["nps"] = frame["nps"].astype("Float64")
    return frame[frame["answered_at"].dt.month != 5].reset_index(drop=True)


def counting(frame: pd.DataFrame, kind: str, zone: str) -> dict[str, list[tuple[object, int]]]:
    """Return by period the answers that count, as (customer, kind of answer), by a plain loop."""
    kept: dict[tuple, tuple] = {}
    for row in frame[frame["nps"].notna()].itertuples():
        period = Period.containing(row.answered_at.tz_localize("UTC").astimezone(ZoneInfo(zone)).date(), kind).id
        nobody = pd.isna(row.customer_id)
        who = row.response_id if nobody else (row.customer_id, str(row.survey))
        value = (row.answered_at, row.response_id, None if nobody else row.customer_id, int(row.nps))
        kept[period, who] = max(kept.get((period, who), ()), value)
    found: dict[str, list[tuple[object, int]]] = {}
    for (period, _), (_, _, customer, score) in sorted(kept.items(), key=str):
        found.setdefault(period, []).append((customer, (score >= 9) - (score <= 6)))
    return found


def z_by_hand(now: list[tuple[object, int]], before: list[tuple[object, int]]) -> float:
    """Return the step over its standard error: answers of the same customer covary, all pairs of them."""
    (d1, v1), (d2, v2) = ((np.mean([x for _, x in side]), np.var([x for _, x in side])) for side in (now, before))
    covariance = sum((x - d1) * (y - d2) for a, x in now for b, y in before if a is not None and a == b)
    variance = v1 / len(now) + v2 / len(before) - 2 * covariance / (len(now) * len(before))
    return float((d1 - d2) / np.sqrt(variance))


def test_the_months_scores_and_steps_as_by_hand():
    trend = nps_trend(answered(("2026-01-10", 5, 3, 2), ("2026-02-10", 14, 4, 2)), scale=(0, 10))
    assert list(trend.columns) == COLUMNS
    assert trend["period"].tolist() == ["2026-01", "2026-02"]
    assert trend["start"].tolist() == [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")]
    assert trend["n"].tolist() == [10, 20]
    assert trend["nps"].tolist() == pytest.approx([30, 60])
    low, high = nps_interval([5, 14], [3, 4], [2, 2])
    assert trend["low"].tolist() == pytest.approx(low.tolist())
    assert trend["high"].tolist() == pytest.approx(high.tolist())
    # v = .7 − .09 = .61 and .8 − .36 = .44; z = .3 / √(.061 + .022) = 1.0413
    assert trend["step"].iloc[1] == pytest.approx(30)
    assert trend["p"].iloc[1] == pytest.approx(0.2977, abs=5e-5)
    assert trend["p_holm"].iloc[1] == trend["p"].iloc[1]
    assert trend["verdict"].iloc[1] == "within noise"
    assert trend.loc[0, ["step", "p", "p_holm", "verdict"]].isna().all()


def test_customers_who_answered_in_both_periods_are_paired():
    days = pd.to_datetime(["2026-01-01"] * 8 + ["2026-02-01"] * 8)
    customers = [f"k{number}" for number in range(8)] * 2
    answers = pd.DataFrame(
        {"customer_id": customers, "answered_at": days, "nps": [8, 8, 2, 10] * 2 + [8, 9, 2, 10] * 2}
    )
    trend = nps_trend(answers, scale=(0, 10))
    # pairs (0,0) (0,1) (−1,−1) (1,1), twice each: d = 0 and .25, v = .5 and .6875,
    # Σ(x − 0)(y − .25) = 2 · (1.25 + .75) = 4, so variance (.5 + .6875)/8 − 2 · 4/64
    assert trend["step"].iloc[1] == pytest.approx(25)
    assert trend["p"].iloc[1] == pytest.approx(2 * norm.sf(0.25 / np.sqrt(1.1875 / 8 - 0.125)))
    unpaired = nps_trend(answers.drop(columns="customer_id"), scale=(0, 10))
    assert unpaired["p"].iloc[1] == pytest.approx(2 * norm.sf(0.25 / np.sqrt(1.1875 / 8)))


@pytest.mark.parametrize(("every", "seed"), [("month", 1), ("month", 2), ("quarter", 3), ("week", 4)])
def test_counts_and_steps_are_those_of_plain_loops_over_the_answers(every, seed):
    answers = drawn(900, seed)
    trend = nps_trend(answers, scale=(0, 10), every=every, timezone="Europe/Berlin").set_index("period")
    found = counting(answers, every, "Europe/Berlin")
    assert trend["n"][trend["n"] > 0].to_dict() == {period: len(rows) for period, rows in sorted(found.items())}
    for period, rows in found.items():
        assert trend["nps"][period] == pytest.approx(100 * np.mean([kind for _, kind in rows]))
    for before, now in pairwise(sorted(found)):
        if min(len(found[before]), len(found[now])) >= 5:
            z = z_by_hand(found[now], found[before])
            assert trend["p"][now] == pytest.approx(2 * norm.sf(abs(z)), rel=1e-6)
        else:
            assert trend["verdict"][now] == "too few"


def test_a_period_without_answers_has_a_row_and_the_next_is_compared_with_the_one_before_it():
    trend = nps_trend(
        answered(("2026-01-10", 50, 0, 50), ("2026-03-10", 95, 0, 5), ("2026-04-01", 90, 0, 10)), scale=(0, 10)
    )
    assert trend["period"].tolist() == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert trend["n"].tolist() == [100, 0, 100, 100]
    assert trend.loc[1, ["nps", "low", "high", "step", "p", "p_holm", "verdict"]].isna().all()
    assert trend.loc[1, ["level", "level_low", "level_high"]].notna().all()
    assert trend["step"].tolist()[2:] == pytest.approx([90, -10])
    assert trend["verdict"].tolist()[2:] == ["up", "within noise"]
    width = trend["level_high"] - trend["level_low"]
    assert width[1] > max(width[0], width[2])


def test_p_is_adjusted_over_the_steps_that_were_tested():
    groups = [("2026-01-10", 50, 0, 50), ("2026-02-10", 63, 0, 37), ("2026-03-10", 1, 0, 2), ("2026-04-10", 60, 0, 40)]
    trend = nps_trend(answered(*groups, ("2026-05-10", 74, 0, 26)), scale=(0, 10))
    # p = .0614 and .0333: February and May are tested, March and April are not: three answers are too few
    assert trend["verdict"].tolist()[1:] == ["within noise", "too few", "too few", "within noise"]
    assert trend["p"].isna().tolist() == [True, False, True, True, False]
    assert trend["p_holm"][4] == pytest.approx(2 * trend["p"][4])
    assert trend["p"][4] < 0.05 < trend["p_holm"][4]
    assert trend["p_holm"][1] == max(trend["p"][1], trend["p_holm"][4])
    allowed = nps_trend(answered(*groups), scale=(0, 10), min_group=3)
    assert allowed["p"].notna().tolist() == [False, True, True, True]


def test_a_fall_is_called_one_and_the_confidence_decides():
    answers = answered(("2026-01-10", 75, 0, 25), ("2026-02-10", 60, 0, 40))  # p = .0219
    assert nps_trend(answers, scale=(0, 10))["verdict"].iloc[1] == "down"
    assert nps_trend(answers, scale=(0, 10), confidence=0.99)["verdict"].iloc[1] == "within noise"


def test_all_promoters_are_no_step_and_all_detractors_after_them_are_one_without_doubt():
    days = ("2026-01-10", "2026-02-10", "2026-03-10")
    same = nps_trend(answered(*((day, 8, 0, 0) for day in days)), scale=(0, 10))
    assert same["nps"].tolist() == [100, 100, 100]
    assert same["p"].tolist()[1:] == [1, 1]
    assert same["level"].tolist() == pytest.approx([100, 100, 100])
    assert same["level_high"].tolist() == [100, 100, 100]
    assert (same["level_low"] > 60).all()
    assert (same["level_low"] < 95).all()
    turned = nps_trend(answered((days[0], 8, 0, 0), (days[1], 0, 0, 8), (days[2], 8, 0, 0)), scale=(0, 10))
    assert turned["p"].tolist()[1:] == [0, 0]
    assert turned["verdict"].tolist()[1:] == ["down", "up"]
    assert turned[["level", "level_low", "level_high"]].abs().max(axis=None) <= 100


def test_customers_who_all_move_alike_leave_no_doubt():
    days = pd.to_datetime(["2026-01-01"] * 6 + ["2026-02-01"] * 6)
    answers = pd.DataFrame({"customer_id": [*"abcdef"] * 2, "answered_at": days, "nps": [2, 8] * 3 + [8, 10] * 3})
    assert nps_trend(answers, scale=(0, 10))["p"].iloc[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("months", [1, 2])
def test_one_or_two_periods_have_no_level(months):
    days = [f"2026-0{month}-10" for month in (1, 4)][:months]
    trend = nps_trend(answered(*((day, 5, 3, 2) for day in days)), scale=(0, 10))
    assert len(trend) == {1: 1, 2: 4}[months]
    assert trend[["level", "level_low", "level_high"]].isna().all(axis=None)


def test_three_periods_have_a_level_between_their_scores():
    trend = nps_trend(answered(*((f"2026-0{month}-10", 10 * month, 30, 20) for month in (1, 2, 3))), scale=(0, 10))
    assert trend["level"].is_monotonic_increasing
    assert trend["level"].between(trend["nps"].min(), trend["nps"].max()).all()
    assert (trend["level_low"] < trend["level"]).all()


def test_scores_are_weighed_by_their_adjusted_wald_variance():
    # 7 promoters: (8.5/10 − .7²)/10 = .036; 6 and a passive: (7.5/10 − .6²)/10 = .039. So near that nothing moves:
    # (2 · 100/.036 + 85.714/.039) / (2/.036 + 1/.039)
    trend = nps_trend(
        answered(("2026-01-10", 7, 0, 0), ("2026-02-10", 6, 1, 0), ("2026-03-10", 7, 0, 0)), scale=(0, 10)
    )
    assert trend["level"].tolist() == pytest.approx([95.4887] * 3, abs=1e-3)


def test_the_level_is_nearer_to_the_months_with_more_answers():
    trend = nps_trend(
        answered(("2026-01-10", 500, 0, 500), ("2026-02-10", 6, 0, 4), ("2026-03-10", 500, 0, 500)), scale=(0, 10)
    )
    assert trend["level"][1] == pytest.approx(0, abs=2)


def test_weeks_are_those_of_iso_and_quarters_those_of_the_calendar():
    answers = answered(("2024-12-29", 1, 0, 0), ("2024-12-30", 2, 0, 0), ("2025-01-06", 3, 0, 0))
    weeks = nps_trend(answers, scale=(0, 10), every="week")
    assert weeks["period"].tolist() == ["2024-W52", "2025-W01", "2025-W02"]
    assert weeks["start"].dt.date.tolist() == [dt.date(2024, 12, 23), dt.date(2024, 12, 30), dt.date(2025, 1, 6)]
    assert weeks["n"].tolist() == [1, 2, 3]
    quarters = nps_trend(answers, scale=(0, 10), every="quarter")
    assert quarters[["period", "n"]].to_numpy().tolist() == [["2024-Q4", 3], ["2025-Q1", 3]]


@pytest.mark.parametrize(
    ("zone", "first_second"),
    [
        ("UTC", "2026-04-01 00:00:00"),
        ("Europe/Berlin", "2026-03-31 22:00:00"),  # summer time since 29 March
        ("America/New_York", "2026-04-01 04:00:00"),
        ("Asia/Kolkata", "2026-03-31 18:30:00"),
    ],
)
def test_a_month_begins_at_midnight_of_the_time_zone_to_the_fraction_of_a_second(zone, first_second):
    begin = pd.Timestamp(first_second)
    instants = [begin - pd.Timedelta("400ms"), begin, begin + pd.Timedelta("1us"), begin - pd.Timedelta("1us")]
    answers = pd.DataFrame({"answered_at": [*instants, begin - pd.Timedelta("20D")], "nps": 9})
    trend = nps_trend(answers, scale=(0, 10), timezone=zone)
    assert trend[["period", "n"]].to_numpy().tolist() == [["2026-03", 3], ["2026-04", 2]]


def test_where_the_clock_skips_midnight_the_month_begins_with_the_skip():
    # in Asunción 1 October 2017 began at 01:00, which is 04:00 UTC, as `midnight` of a reporting period has it
    begin = pd.Timestamp(midnight(dt.date(2017, 10, 1), "America/Asuncion"))
    assert begin == pd.Timestamp("2017-10-01 04:00")
    answers = pd.DataFrame({"answered_at": [begin - pd.Timedelta("1s"), begin], "nps": 9})
    trend = nps_trend(answers, scale=(0, 10), timezone="America/Asuncion")
    assert trend[["period", "n"]].to_numpy().tolist() == [["2017-09", 1], ["2017-10", 1]]


def test_times_with_a_zone_are_the_same_instants():
    answers = drawn(300, 5)
    there = answers.assign(answered_at=answers["answered_at"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    settings = {"scale": (0, 10), "timezone": "Europe/Berlin"}
    pd.testing.assert_frame_equal(nps_trend(answers, **settings), nps_trend(there, **settings))


def test_the_latest_answer_of_a_customer_counts_in_each_period_whatever_a_column_period_says():
    answers = pd.DataFrame(
        {
            "customer_id": "anna",
            "answered_at": pd.to_datetime(["2026-01-05", "2026-01-06", "2026-02-01"]),
            "nps": [2, 10, 8],
            "period": ["a", "b", "c"],
        }
    )
    assert nps_trend(answers, scale=(0, 10))[["n", "nps"]].to_numpy().tolist() == [[1, 100], [1, 0]]


def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays():
    answers, before = drawn(400, 6), drawn(400, 6)
    trend = nps_trend(answers, scale=(0, 10))
    pd.testing.assert_frame_equal(trend, nps_trend(answers.sample(frac=1, random_state=1), scale=(0, 10)))
    pd.testing.assert_frame_equal(trend, nps_trend(ibis.memtable(answers), scale=(0, 10)))
    pd.testing.assert_frame_equal(answers, before)


def test_answers_without_a_time_are_left_out_and_counted():
    answers = answered(("2026-01-10", 3, 2, 1), ("2026-01-10", 1, 0, 0))
    answers.loc[6, "answered_at"] = pd.NaT
    trend = nps_trend(answers, scale=(0, 10))
    assert trend["n"].tolist() == [6]
    assert trend.attrs == {"undated": 1}


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_no_answers_are_no_rows_with_the_same_columns(every):
    for answers in (answered(), answered(("2026-01-10", 1, 0, 0)).assign(nps=np.nan)):
        trend = nps_trend(answers, scale=(0, 10), every=every)
        assert trend.empty
        assert list(trend.columns) == COLUMNS


def test_invitations_without_an_answer_do_not_lengthen_the_series():
    answers = answered(("2026-01-10", 3, 0, 0), ("2026-06-10", 1, 0, 0)).assign(nps=[9.0, 9.0, 9.0, np.nan])
    assert nps_trend(answers, scale=(0, 10))["period"].tolist() == ["2026-01"]


SCALES = {"Früh": (0, 10), "Später": (1, 10), "Spät": (1, 10)}


def asked_twice() -> pd.DataFrame:
    """Return answers to surveys on two scales, which overlap in March; each series misses a month."""
    early = answered(("2026-01-10", 50, 0, 50), ("2026-03-10", 62, 0, 38)).assign(survey="Früh")
    late = answered(("2026-03-20", 10, 0, 90), ("2026-05-20", 25, 0, 75)).assign(survey="Spät")
    return pd.concat([late, early, answered(("2026-06-01", 5, 0, 0)).assign(survey="Später")], ignore_index=True)


def test_each_scale_is_a_series_of_its_own_with_its_own_level_steps_and_family():
    answers = asked_twice()
    trend = nps_trend(answers, scale=SCALES)
    assert list(trend.columns) == COLUMNS
    assert trend[["period", "scale"]].to_numpy().tolist() == [
        *([f"2026-0{month}", "0 to 10"] for month in (1, 2, 3)),
        *([f"2026-0{month}", "1 to 10"] for month in (3, 4, 5, 6)),
    ]
    early = nps_trend(answers[answers["survey"] == "Früh"], scale=(0, 10))
    late = nps_trend(answers[answers["survey"] != "Früh"], scale=(1, 10))
    pd.testing.assert_frame_equal(trend, pd.concat([early, late], ignore_index=True))
    # neither first period has a step, not even the one that the other scale precedes
    assert trend["step"].notna().tolist() == [False, False, True, False, False, True, True]
    # p = .0851; .0044 and near 0: in one family of three the .0044 would be doubled
    assert trend["p_holm"][5] == trend["p"][5] == pytest.approx(0.0044, abs=5e-5)
    assert trend["level"].notna().tolist() == [False] * 3 + [True] * 4


def test_the_scale_asked_first_comes_first_and_of_two_at_once_the_wider():
    both = answered(("2026-01-10", 1, 0, 0), ("2026-02-10", 1, 0, 0))
    turned = nps_trend(both.assign(survey=["Spät", "Früh"]), scale=SCALES)
    assert turned["scale"].tolist() == ["1 to 10", "0 to 10"]
    at_once = nps_trend(both.assign(survey=["Spät", "Früh"], answered_at=both["answered_at"][0]), scale=SCALES)
    assert at_once[["period", "scale"]].to_numpy().tolist() == [["2026-01", "0 to 10"], ["2026-01", "1 to 10"]]


def test_scales_by_survey_that_are_one_give_what_one_scale_gives_and_no_answers_no_rows():
    answers = drawn(300, 8).dropna(subset="survey")
    by_survey = nps_trend(answers, scale={"Früh": (0, 10), "Spät": (0, 10)})
    pd.testing.assert_frame_equal(by_survey, nps_trend(answers, scale=(0, 10)))
    nothing = nps_trend(answers.assign(nps=np.nan), scale=SCALES)
    assert nothing.empty
    assert list(nothing.columns) == COLUMNS


def test_answers_without_a_time_are_counted_over_all_scales():
    answers = asked_twice()
    answers.loc[[0, 300], "answered_at"] = pd.NaT
    assert answers["survey"][[0, 300]].tolist() == ["Spät", "Früh"]
    assert nps_trend(answers, scale=SCALES).attrs == {"undated": 2}


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        (["Herbst", "Früh"], "such as 'Herbst'. Named are: 'Früh', 'Später', 'Spät'."),
        (["Früh", None], "such as missing. Named are: 'Früh', 'Später', 'Spät'."),
    ],
)
def test_answers_to_a_survey_whose_scale_is_not_named_are_refused(survey, message):
    answers = answered(("2026-01-10", 2, 0, 0)).assign(survey=survey)
    with pytest.raises(MeasureError) as refused:
        nps_trend(answers, scale=SCALES)
    assert str(refused.value) == f"nps_trend: there are answers to surveys that scale does not name, {message}"
    unanswered = answers.assign(nps=answers["nps"].where(answers["survey"] == "Früh"))
    assert nps_trend(unanswered, scale=SCALES)["n"].tolist() == [1]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "pyspark"])
def test_the_look_for_surveys_without_a_scale_compiles(dialect):
    table = ibis.table({"survey": "string", "nps": "int64"}, name="surveys")
    assert "DISTINCT" in ibis.to_sql(module._reduce_unnamed(table, SCALES), dialect=dialect)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": {}}, "scale names no survey. Name each with its scale, or declare one for all."),
        ({"scale": {"Früh": (1, 5)}}, "scale is (1, 5). Declare (0, 10) or (1, 10), as the question was asked."),
        (
            {"scale": {"Früh": (0, 10)}},
            "column 'survey' is absent; the table has: answered_at, nps.",
        ),
        ({"scale": (1, 5)}, "scale is (1, 5). Declare (0, 10) or (1, 10), as the question was asked."),
        ({"every": "day"}, "every is 'day'. Known: week, month, quarter."),
        ({"timezone": "Berlin"}, "unknown time zone 'Berlin'. Name one such as 'Europe/Berlin' or 'UTC'."),
        ({"timezone": "/etc"}, "unknown time zone '/etc'. Name one such as 'Europe/Berlin' or 'UTC'."),
        ({"timezone": "Europe"}, "unknown time zone 'Europe'. Name one such as 'Europe/Berlin' or 'UTC'."),
        ({"confidence": 95}, "confidence is 95. Give a share between 0 and 1, such as 0.95."),
        (
            {"scale": (1, 10)},
            "2 answers are no whole number from 1 to 10 (they run from 0 to 0). "
            "Declare the scale that was asked, or set these answers missing.",
        ),
    ],
)
def test_settings_outside_their_domain_are_refused(settings, message):
    answers = answered(("2026-01-10", 3, 2, 1), ("2026-02-10", 0, 0, 2)).replace({"nps": {2: 0}}).iloc[:-1]
    with pytest.raises(MeasureError) as refused:
        nps_trend(answers, **({"scale": (0, 10)} | settings))
    assert str(refused.value) == f"nps_trend: {message}"


def test_times_in_words_and_absent_times_are_refused():
    with pytest.raises(MeasureError) as refused:
        nps_trend(pd.DataFrame({"nps": [1], "answered_at": ["2026-01-01"]}), scale=(0, 10))
    assert str(refused.value) == ("nps_trend: column 'answered_at' holds string, not timestamps. Convert it, in UTC.")
    with pytest.raises(MeasureError) as refused:
        nps_trend(pd.DataFrame({"nps": [1], "answered": ["2026-01-01"]}), scale=(0, 10))
    assert str(refused.value) == (
        "nps_trend: column 'answered_at' is absent; the table has: nps, answered. Did you mean 'answered'?"
    )


def test_the_engine_returns_one_row_a_period():
    answers = ibis.memtable(drawn(900, 7))
    begins = [int(pd.Timestamp(f"2026-{month:02d}-01", tz="UTC").timestamp()) for month in range(1, 10)]
    found = module._reduce_nps_trend(answers, (0, 10), begins).execute()
    assert sorted(found["period"]) == [0, 1, 2, 3, 5, 6, 7, 8]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_years_of_weeks_compile(dialect):
    columns = {"customer_id": "string", "survey": "string", "answered_at": "timestamp", "nps": "int64"}
    table = ibis.table(columns, name="surveys")
    begins = list(range(0, 520 * 604_800, 604_800))
    assert "519" in ibis.to_sql(module._reduce_nps_trend(table, (0, 10), begins), dialect=dialect)
