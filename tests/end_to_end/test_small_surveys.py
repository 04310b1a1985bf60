"""Surveys as firms have them: small, without customers, with columns nobody expects. The chapter says what it can."""

from __future__ import annotations

import numpy as np
import pandas as pd

PARAMS = """
report: klein
period: quarter
chapters: [satisfaction]
outputs: [html]
sources:
  surveys:
    path: rows.csv
    scale: [0, 10]
"""


def answers(n: int, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    days = pd.Timestamp("2026-01-05") + pd.to_timedelta(draw.integers(0, 180, n), unit="D")
    return pd.DataFrame(
        {
            "response_id": [f"r{number}" for number in range(n)],
            "answered_at": days.strftime("%Y-%m-%d"),
            "nps": draw.integers(0, 11, n),
        }
    )


def test_an_anonymous_survey_with_more_services_than_can_be_compared(reported):
    rows = answers(300)
    draw = np.random.default_rng(2)
    rows = rows.assign(**{f"rating_{number}": draw.integers(1, 6, 300) for number in range(25)})
    rows = rows.assign(stage=draw.choice(["x", "y"], 300), comment="Frau Yilmaz war sehr freundlich")
    found, page = reported(rows, PARAMS + "    rating_scale: [1, 5]\n")
    assert "es wurde nach mehr als 20 Leistungen gefragt" in page
    assert found["id"].str.startswith("satisfaction.rating.").sum() == 25
    assert not found["id"].str.startswith("satisfaction.importance").any()


def test_a_shareable_report_of_four_answers_holds_no_value_of_them(reported):
    found, page = reported(answers(4), PARAMS, "--set", "audience=shareable", "--period", "2026-Q1")
    assert not (found["n"] < 5).any()
    assert found.loc[found["n"].isna(), ["value", "low", "high"]].isna().all(axis=None)
    assert "lässt sich nicht berechnen" in page
