"""What ten points of NPS go with, in words and numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.draw import feedback_worth

NAN = float("nan")
DAY = pd.Timestamp("2026-09-06")
COUNTS = {"n": 5367, "customers": 2454, "events": 502.0, "first": pd.Timestamp("2023-11-11"), "last": DAY}
FRAME = pd.DataFrame(
    [
        {"outcome": "leaving", "promoters": 0.109, "detractors": 0.175, "estimate": 0.976, "low": 0.965, "high": 0.987},
        {"outcome": "value", "promoters": 171.0, "detractors": 167.0, "estimate": 0.2, "low": -0.8, "high": 1.2},
    ]
).assign(**COUNTS)
UNKNOWN = FRAME.assign(**dict.fromkeys(["promoters", "detractors", "estimate", "low", "high"], NAN))


def plain(text: object) -> str:
    return str(text).replace("\xa0", " ")


def changed(outcome: str, **ends: float) -> pd.DataFrame:
    rows = FRAME.copy()
    rows.loc[rows["outcome"] == outcome, list(ends)] = list(ends.values())
    return rows


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (FRAME, "mit einer um 2,4 % niedrigeren Abwanderungsrate einher (95-%-Intervall −3,5 bis −1,3 %;"),
        (changed("leaving", estimate=1.05, low=1.01, high=1.1), "um 5,0 % höheren Abwanderungsrate"),
        (
            changed("leaving", high=1.01),
            "kein Zusammenhang zu erkennen: Der Unterschied der Rate je zehn Punkte, −2,4 %,",
        ),
        (changed("leaving", estimate=NAN), "Nach einer Antwort sind zu wenige gegangen"),
        (changed("value", low=0.1), "je zehn Punkte im Mittel um 0,20 € höher (95-%-Intervall +0,10 bis +1,20 €"),
        (changed("value", estimate=-2.0, low=-3.0, high=-1.0), "im Mittel um 2,00 € niedriger"),
        (FRAME, "+0,20 € im Mittel, liegt im Zufallsbereich (95-%-Intervall −0,80 bis +1,20 €"),
        (changed("value", estimate=NAN), "Zu wenige Fürsprecher oder Kritiker haben einen erwarteten Wert"),
    ],
)
def test_a_relation_is_told_with_its_interval_and_one_within_noise_as_none(frame: pd.DataFrame, told: str) -> None:
    sentence = plain(feedback_worth.ten_points(frame))
    assert told in sentence
    assert sentence.endswith(
        "Das sind Zusammenhänge und keine Wirkungen: Wer zufrieden ist, kann auch aus anderen Gründen bleiben."
    )


def test_the_table_says_which_answers_and_which_time_it_rests_on() -> None:
    html = plain(feedback_worth.shown(FRAME).html)
    for said in ("0,109", "171,00 €", "−2,4 %", "alle Antworten vom 11.11.2023 bis 06.09.2026", "keine Wirkungen"):
        assert said in html
    assert "Abwanderung: alle" not in feedback_worth.shown(changed("leaving", estimate=NAN)).html


def test_what_cannot_be_told_is_said_in_the_section_and_left_out_above() -> None:
    assert feedback_worth.ten_points(UNKNOWN) == ""
    assert "zu wenige Fürsprecher, Kritiker oder Abgänge" in feedback_worth.shown(UNKNOWN)
    assert feedback_worth.ten_points(FRAME.head(0)) == ""
    assert "keine Antworten vor" in feedback_worth.shown(FRAME.head(0))


def test_figures_are_those_that_are_known() -> None:
    found = feedback_worth.figures(FRAME, "churn_drivers", source="surveys contracts")
    assert found["id"].tolist() == ["churn_drivers.ten_points_leaving", "churn_drivers.ten_points_value"]
    assert found["unit"].tolist() == ["index", "money"]
    for unknown in (UNKNOWN, FRAME.head(0)):
        assert feedback_worth.figures(unknown, "churn_drivers", source="contracts").empty
