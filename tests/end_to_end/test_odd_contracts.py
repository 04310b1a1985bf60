"""Contracts as firms have them: few, of many terms, with reasons of one person. The chapter says what it can."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

PARAMS = """
report: klein
period: quarter
chapters: [churn_drivers]
outputs: [html]
sources:
  contracts: {path: rows.csv}
"""
SHAREABLE = ("--set", "audience=shareable", "--period", "2026-Q2")
SAID = "Herr Müller war unhöflich"


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


@pytest.fixture(scope="module")
def large(reported):
    """The shareable report of 900 contracts of seven terms and of eight that one customer ended for one reason."""
    rows = contracts(900)
    rows["reason"] = pd.Series(["Preis", "Umzug", "Preis"] * 300).where(rows["ended_on"].notna())
    one = rows.head(8).assign(customer_id="k-0", start="2026-04-01", ended_on="2026-05-05", reason=SAID)
    return reported(pd.concat([rows, one], ignore_index=True), PARAMS, *SHAREABLE)


def test_more_terms_than_can_be_told_apart_show_the_most_frequent(large):
    found, page = large
    shown = found["id"].str.startswith("churn_drivers.churn_share_term.")
    assert shown.sum() == 5
    assert "Nicht gezeigt: kleinere Gruppen." in page
    assert not re.search(r"\bnan\b", page)


def test_what_one_customer_says_of_many_contracts_is_not_published(large):
    found, page = large
    assert SAID not in page
    assert not found["id"].str.contains("unhöflich").any()
    assert "Preis" in page


def test_three_customers_make_sentences_and_no_figures_of_a_shareable_report(reported):
    found, page = reported(contracts(3), PARAMS, *SHAREABLE)
    assert not (found["n"] < 5).any()
    assert found[["value", "low", "high"]].isna().all(axis=None)
    assert "k-0" not in page
    assert "Wie viel Wert abwandern könnte, lässt sich nicht sagen" in page


def test_contracts_that_all_begin_on_one_day_are_reported_by_their_ends(reported):
    found, page = reported(contracts(200).assign(start="2023-06-01", ended_on="2026-05-05"), PARAMS)
    assert set(found["period"]) == {"2026-Q1"}
    assert "Wer jetzt gefährdet ist" in page
    assert not re.search(r"\bnan\b", page)


def test_ends_that_are_not_on_record_are_not_taken_for_loyalty(reported):
    _found, page = reported(contracts(200).drop(columns="ended_on"), PARAMS, "--period", "2026-Q2")
    assert "100,0 % geblieben" not in page


def test_what_is_at_stake_is_told_without_orders_and_surveys(large):
    found, page = large
    loss = found.set_index("id")["value"].filter(like="value_at_risk")
    assert loss["churn_drivers.value_at_risk"] == pytest.approx(loss.filter(like="_class").sum())
    assert "churn_drivers.value_at_risk_most" not in loss.index  # nobody orders anything besides
    assert "Es liegen keine Antworten vor, die einer Kundin oder einem Kunden zuzuordnen sind" in page


def test_where_nobody_is_under_contract_yet_the_chapter_says_so(reported):
    gone = contracts(60).assign(start="2024-01-05", ended_on="2024-03-01")
    later = contracts(60).assign(customer_id=[f"n-{number}" for number in range(60)], start="2026-06-01", ended_on=None)
    params = PARAMS.replace("rows.csv}", "rows.csv, begins: 2024-06-01}")
    found, page = reported(pd.concat([gone, later], ignore_index=True), params, "--period", "2025-Q2")
    assert "Vor dem Stichtag sind keine Verträge erfasst" in page
    assert not found["id"].str.contains("survival").any()
