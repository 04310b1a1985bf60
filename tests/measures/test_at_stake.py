"""What is at stake, of values reckoned once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from analysis.measures.at_stake import AtStake, at_stake
from analysis.measures.spells import spells

AS_OF = dt.date(2025, 1, 1)
AT = np.arange(60)
CONTRACTS = pd.DataFrame({"customer_id": AT.astype(str), "start": pd.Timestamp("2024-01-01"), "fee": 20.0})
CONTRACTS["ended_on"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.where(AT % 3 == 0, AT * 5, np.nan), unit="D")
SURVEYS = pd.DataFrame({"customer_id": AT.astype(str), "answered_at": pd.Timestamp("2024-02-01"), "nps": AT % 2 * 9})


def found(tables: dict[str, pd.DataFrame], risks: pd.DataFrame, **scales: tuple[int, int]) -> AtStake:
    return at_stake(tables, spells(CONTRACTS, as_of=AS_OF), risks, scales=scales, as_of=AS_OF)


RISKS = pd.DataFrame({"customer_id": ["1", "2"], "risk": [0.5, 0.1]})


def test_losses_and_answers_rest_on_the_same_values() -> None:
    stake = found({"contracts": CONTRACTS, "surveys": SURVEYS}, RISKS, nps=(0, 10))
    values = stake.losses.customers["expected_value"]
    assert stake.losses.totals["expected_loss"].tolist()[-1] == pytest.approx(0.6 * values.mean())
    rows = stake.ten_points.set_index("outcome")
    assert rows.loc["leaving", "events"] == 20
    assert rows.loc["value", "n"] == 40
    assert rows.loc["value", "promoters"] == pytest.approx(values.mean())
    assert stake.source == "contracts"


def test_without_fees_nobody_has_a_value_to_compare() -> None:
    tables = {"contracts": CONTRACTS.drop(columns="fee"), "surveys": SURVEYS}
    rows = found(tables, RISKS, nps=(0, 10)).ten_points.set_index("outcome")
    assert rows.loc["value", "n"] == 0
    assert np.isnan(rows.loc["value", "estimate"])
    assert rows.loc["leaving", "estimate"] > 0


def test_without_risks_answers_or_values_there_are_no_rows() -> None:
    stake = found({"contracts": CONTRACTS}, RISKS.head(0))
    assert stake.losses.totals.empty
    assert stake.ten_points.empty
    gone = {"contracts": CONTRACTS.assign(ended_on=pd.Timestamp("2024-06-30")), "surveys": SURVEYS}
    assert found(gone, RISKS, nps=(0, 10)).losses.totals.empty
