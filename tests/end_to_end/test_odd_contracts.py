"""Contracts as firms have them: few, of many terms, with reasons of one person. The chapter says what it can."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calls import call

PARAMS = """
report: klein
period: quarter
sources:
  contracts: {path: contracts.csv}
"""


@pytest.fixture
def ledger(tmp_path):
    """Return what writes contracts beside their parameters, runs the chapter and gives figures and page."""

    def run(rows: pd.DataFrame, *settings: str, params: str = PARAMS):
        rows.to_csv(tmp_path / "contracts.csv", index=False)
        (tmp_path / "klein.yml").write_text(params, encoding="utf-8")
        done = call("run", tmp_path / "klein.yml", "--chapter", "churn_drivers", "--json", *settings)
        assert done.code == 0, done.err
        folder = Path(done.json["folder"])
        found = pd.DataFrame(json.loads((folder / "figures.json").read_text(encoding="utf-8")))
        return found, (folder / "report.html").read_text(encoding="utf-8")

    return run


def contracts(n: int, seed: int = 1) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 900, n), unit="D")
    ended = start + pd.to_timedelta(draw.exponential(500, n).round(), unit="D")
    return pd.DataFrame(
        {
            "customer_id": [f"k-{number}" for number in range(n)],
            "start": start.strftime("%Y-%m-%d"),
            "ended_on": pd.Series(ended.strftime("%Y-%m-%d")).where(ended < "2026-07-01"),
            "term_months": draw.choice([1, 3, 6, 12, 18, 24, 36], n),
            "fee": draw.choice([9.9, 19.9, 29.9], n),
        }
    )


def test_more_terms_than_can_be_told_apart_show_the_most_frequent(ledger):
    found, page = ledger(contracts(600))
    shown = found["id"].str.startswith("churn_drivers.churn_share_term.")
    assert shown.sum() == 5
    assert "Vertragsverhältnisse in kleineren Gruppen" in page
    assert not re.search(r"\bnan\b", page)


def test_three_customers_make_sentences_and_no_figures_of_a_shareable_report(ledger):
    found, page = ledger(contracts(3), "--set", "audience=shareable", "--period", "2026-Q2")
    assert not (found["n"] < 5).any()
    assert found[["value", "low", "high"]].isna().all(axis=None)
    assert "k-0" not in page


def test_what_one_customer_says_of_many_contracts_is_not_published(ledger):
    said = "Herr Müller war unhöflich"
    rows = contracts(900)
    rows["reason"] = pd.Series(["Preis", "Umzug", "Preis"] * 300).where(rows["ended_on"].notna())
    one = rows.head(8).assign(customer_id="k-0", start="2026-04-01", ended_on="2026-05-05", reason=said)
    rows = pd.concat([rows, one], ignore_index=True)
    found, page = ledger(rows, "--set", "audience=shareable", "--period", "2026-Q2")
    assert said not in page
    assert not found["id"].str.contains("unhöflich").any()
    assert "Preis" in page


def test_contracts_that_all_begin_on_one_day_are_reported_by_their_ends(ledger):
    found, page = ledger(contracts(200).assign(start="2023-06-01", ended_on="2026-05-05"))
    assert set(found["period"]) == {"2026-Q1"}
    assert "Wer jetzt gefährdet ist" in page


def test_ends_that_are_not_on_record_are_not_taken_for_loyalty(ledger):
    _found, page = ledger(contracts(200).drop(columns="ended_on"), "--period", "2026-Q2")
    assert "100,0 % geblieben" not in page
