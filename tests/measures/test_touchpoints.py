"""Satisfaction along the journey."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.satisfaction import against_rest, ces, csat, journey_stage, nps, touchpoints


def answers() -> pd.DataFrame:
    rows = [("Chat", 3, 2, 6)] * 20 + [("Chat", 9, 4, 2)] * 5 + [("Laden", 9, 5, 1)] * 30 + [("Messe", 9, 5, 1)] * 4
    return pd.DataFrame(rows, columns=["channel", "nps", "csat", "ces"])


def test_the_journey_breaks_where_a_touchpoint_is_worse_than_the_rest():
    found = touchpoints(answers(), scales={"nps": (1, 10), "csat": (1, 5), "ces": (1, 7)}, easy="low")
    broken = found[found["breaks"]]
    assert broken[["kind", "touchpoint", "measure"]].to_numpy().tolist() == [
        ["channel", "Chat", "nps"],
        ["channel", "Chat", "csat"],
        ["channel", "Chat", "ces"],  # low is easy here, so the higher mean is the worse
    ]
    assert "Messe" not in set(found["touchpoint"])


def test_values_and_tests_are_those_of_the_measures():
    found = touchpoints(answers(), scales={"nps": (1, 10), "csat": (1, 5), "ces": (1, 7)}, easy="low")
    chat = found[found["touchpoint"] == "Chat"].set_index("measure")
    assert chat["value"].tolist() == pytest.approx([-60, 0.2, (20 * 6 + 5 * 2) / 25])
    direct = [
        nps(answers(), scale=(1, 10), by="channel").iloc[0],
        csat(answers(), scale=(1, 5), by="channel").iloc[0],
        ces(answers(), scale=(1, 7), easy="low", by="channel").iloc[0],
    ]
    assert chat["low"].tolist() == [row["low"] for row in direct]
    tested = against_rest(answers(), by="channel", scale=(1, 10)).iloc[0]
    assert chat.loc["nps", ["difference", "p_holm"]].tolist() == tested[["difference", "p_holm"]].tolist()


def test_where_high_is_easy_the_lower_effort_score_breaks():
    found = touchpoints(answers(), scales={"ces": (1, 7)}, easy="high").set_index("touchpoint")
    assert found["breaks"].to_dict() == {"Chat": False, "Laden": True}


def test_a_column_with_a_single_touchpoint_is_passed_over():
    found = touchpoints(answers().assign(survey="quarterly"), scales={"nps": (1, 10)})
    assert found["kind"].unique().tolist() == ["channel"]


def test_effort_without_its_direction_is_refused():
    with pytest.raises(MeasureError, match="ces: no direction is declared"):
        touchpoints(answers(), scales={"ces": (1, 7)})


def test_the_stage_counts_days_from_the_first_purchase_that_is_no_return():
    days = [-1, 0, 30, 31, 91, 92, 365, 366, 730, 731]
    orders = pd.DataFrame(
        {
            "customer_id": "a",
            "date": pd.to_datetime(["2024-12-01", "2025-01-01", "2025-03-01"]),
            "revenue": [-5.0, 9, 9],
        }
    )
    given = pd.DataFrame(
        {"customer_id": "a", "answered_at": pd.Timestamp("2025-01-01 12:00") + pd.to_timedelta(days, unit="D")}
    ).assign(number=days)
    stages = journey_stage(given, orders).order_by("number").execute()["stage"].tolist()
    assert stages == [
        "before",
        *["first month"] * 2,
        *["months 2 and 3"] * 2,
        *["months 4 to 12"] * 2,
        *["second year"] * 2,
        "later",
    ]


def test_who_bought_nothing_or_answered_at_no_known_time_has_no_stage():
    orders = pd.DataFrame({"customer_id": ["a"], "date": pd.to_datetime(["2025-01-01"]), "revenue": [9.0]})
    times = pd.to_datetime(["2025-02-01", None, "2025-02-01"])
    given = pd.DataFrame({"customer_id": ["b", "a", None], "answered_at": times})
    assert journey_stage(given, orders).execute()["stage"].isna().all()


def test_stages_stand_in_their_order():
    rows = answers().assign(stage=["later"] * 30 + ["first month"] * 29)
    found = touchpoints(rows, scales={"nps": (1, 10)}, kinds="stage")
    assert found["touchpoint"].tolist() == ["first month", "later"]


def test_columns_that_are_not_there_are_passed_over():
    found = touchpoints(answers(), scales={"nps": (1, 10)}, kinds="survey")
    assert found.empty
    assert found.columns.tolist() == touchpoints(answers(), scales={"nps": (1, 10)}).columns.tolist()


def test_without_orders_answers_have_no_stage():
    assert journey_stage(answers(), None).columns == tuple(answers().columns)
