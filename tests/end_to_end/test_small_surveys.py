"""Surveys as firms have them: small, without customers, with columns nobody expects. The chapter says what it can."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calls import call

PARAMS = """
report: klein
period: quarter
sources:
  surveys:
    path: survey.csv
    scale: [0, 10]
"""


@pytest.fixture
def survey(tmp_path):
    """Return what writes a survey of ``rows`` beside its parameters, runs it and gives its report's folder."""

    def run(rows: pd.DataFrame, params: str = PARAMS, *settings: str):
        rows.to_csv(tmp_path / "survey.csv", index=False)
        (tmp_path / "klein.yml").write_text(params, encoding="utf-8")
        done = call("run", tmp_path / "klein.yml", "--chapter", "satisfaction", "--json", *settings)
        assert done.code == 0, done.err
        folder = Path(done.json["folder"])
        found = pd.DataFrame(json.loads((folder / "figures.json").read_text(encoding="utf-8")))
        return found, (folder / "report.html").read_text(encoding="utf-8")

    return run


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


def test_an_anonymous_survey_with_more_services_than_can_be_compared(survey):
    rows = answers(300)
    draw = np.random.default_rng(2)
    rows = rows.assign(**{f"rating_{number}": draw.integers(1, 6, 300) for number in range(25)})
    rows = rows.assign(stage=draw.choice(["x", "y"], 300), comment="Frau Yilmaz war sehr freundlich")
    found, page = survey(rows, PARAMS + "    rating_scale: [1, 5]\n")
    assert "es wurde nach mehr als 20 Leistungen gefragt" in page
    assert found["id"].str.startswith("satisfaction.rating.").sum() == 25
    assert not found["id"].str.startswith("satisfaction.importance").any()


def test_a_shareable_report_of_four_answers_holds_no_value_of_them(survey):
    found, page = survey(answers(4), PARAMS, "--set", "audience=shareable", "--period", "2026-Q1")
    assert not (found["n"] < 5).any()
    assert found.loc[found["n"].isna(), ["value", "low", "high"]].isna().all(axis=None)
    assert "lässt sich nicht berechnen" in page
