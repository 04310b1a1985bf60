"""What customers are worth, for a report."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.valuation import Valuation, valuation

AS_OF = dt.date(2026, 1, 1)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """Two years of 800 customers who order at different rates, alpha 6 weeks, until they stop (BG/NBD)."""
    rng = np.random.default_rng(3)
    rows = []
    for customer in range(800):
        day, rate, stops = float(rng.integers(0, 500)), rng.gamma(0.8, 1 / 42), rng.beta(0.7, 3.5)
        rows.append((f"K{customer:03}", int(day)))
        while (day := day + rng.exponential(1 / max(rate, 1e-6))) < 729:
            rows.append((f"K{customer:03}", int(day)))
            if rng.random() < stops:
                break
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    spend = rng.gamma(4, 10, len(frame)).round(2)
    date = pd.Timestamp("2024-01-02") + pd.to_timedelta(frame["day"], unit="D")
    return frame[["customer_id"]].assign(date=date, revenue=spend, cost=(spend * 0.6).round(2))


@pytest.fixture(scope="module")
def valued(orders: pd.DataFrame) -> Valuation:
    return valuation({"transactions": orders}, as_of=AS_OF, test_days=200)


def test_the_model_that_foretells_best_is_the_one_used(valued: Valuation) -> None:
    row = valued.summary.iloc[0]
    assert [row["status"], row["tested"], row["split"]] == ["computed", "computed", dt.date(2025, 6, 15)]
    best = valued.scores[valued.scores["identified"] & (valued.scores["model"] != "like last year")]
    assert row["model"] == best.sort_values("rmse")["model"].iloc[0] == valued.scores.query("chosen")["model"].item()
    assert row["model"] in valued.assumptions.set_index("name")["meaning"]["model"]


def test_what_is_told_of_the_model_is_of_that_one_only(valued: Valuation) -> None:
    assert valued.calibration["customers"].sum() == valued.scores["customers"].iloc[0]
    assert valued.weeks["week"].is_unique


def test_spread_tenths_and_concentration_are_of_the_same_customers(valued: Valuation) -> None:
    n = len(valued.known)
    assert valued.spread["customers"].sum() == valued.tenths["customers"].sum() == valued.concentration["n"].item() == n
    assert valued.dearest["expected_value"].is_monotonic_decreasing
    assert valued.dearest.attrs["n"] == n


def test_care_is_a_share_of_the_values_before_acquisition(orders: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": orders["customer_id"].unique()})
    customers = customers.assign(since=pd.Timestamp("2025-12-01"), acquisition_cost=10.0)
    won = {"transactions": orders, "customers": customers}
    found = valuation(won, as_of=AS_OF, test_days=200, won_since=dt.date(2025, 10, 1))
    assert found.summary[["won", "acquisition"]].iloc[0].tolist() == [len(customers), 10.0]
    budget = found.care(0.1, acquisition_share=0.3)
    worth = found.customers["expected_value"].sum() + 10 * len(customers)
    assert budget["expected_value"].sum() == pytest.approx(worth, abs=0.01 * len(customers))


def test_losses_are_risk_times_value(valued: Valuation) -> None:
    risks = pd.DataFrame({"customer_id": valued.customers["customer_id"], "risk": 0.1})
    whole = valued.losses(risks).totals.set_index("class").loc["all"]
    assert whole["expected_loss"] == pytest.approx(0.1 * valued.customers["expected_value"].sum())
    assert valued.losses(risks.head(0)).totals.empty
    assert valued.losses(risks.assign(customer_id="nobody")).without_value == len(risks)


CONTRACTS = pd.DataFrame({"customer_id": list("abc"), "start": pd.Timestamp("2025-01-01"), "fee": 9.0})
RETURNS = pd.DataFrame({"customer_id": ["a"], "date": [pd.Timestamp("2025-05-01")], "revenue": [-5.0], "cost": [1.0]})


@pytest.mark.parametrize(
    ("tables", "status", "tested"),
    [
        ({}, "neither contracts nor orders", "neither contracts nor orders"),
        ({"transactions": RETURNS}, "nobody", "too short"),
        (
            {"contracts": CONTRACTS.assign(ended_on=pd.Timestamp("2025-06-01"))},
            "nobody",
            "neither contracts nor orders",
        ),
        ({"transactions": RETURNS, "contracts": CONTRACTS}, "no cost known", "too short"),
        ({"contracts": CONTRACTS}, "computed", "neither contracts nor orders"),
        ({"transactions": RETURNS.head(0), "contracts": CONTRACTS}, "computed", "too short"),
    ],
)
def test_why_nobody_can_be_valued_is_said(tables: dict[str, Any], status: str, tested: str) -> None:
    found = valuation(tables, as_of=AS_OF)
    assert found.summary[["status", "tested"]].iloc[0].tolist() == [status, tested]
    if status != "computed":
        frames = (found.customers, found.totals, found.known, found.spread, found.tenths, found.dearest, found.weeks)
        assert [len(frame) for frame in frames] == [0] * 7
        assert found.care(0.1, acquisition_share=0.3).empty
        assert np.isnan(found.concentration["gini"].item())


def test_without_a_cost_the_forecast_is_tested_all_the_same(orders: pd.DataFrame) -> None:
    plain = orders.drop(columns="cost")
    found = valuation({"transactions": plain}, as_of=AS_OF, test_days=200)
    assert [found.status, found.summary["tested"].item()] == ["no cost known", "computed"]
    declared = valuation({"transactions": plain}, as_of=AS_OF, test_days=200, margin_ratio=0.4)
    assert declared.status == "computed"


def test_without_orders_classes_follow_the_fees_in_force() -> None:
    contracts = CONTRACTS.assign(fee=[80.0, 15.0, 5.0])
    assert valuation({"contracts": contracts}, as_of=AS_OF).classes["class"].tolist() == ["A", "B", "C"]
    assert valuation({"contracts": CONTRACTS.drop(columns="fee")}, as_of=AS_OF).classes["class"].unique() == ["none"]


def test_a_short_time_to_test_is_refused() -> None:
    with pytest.raises(MeasureError, match=r"^valuation: test_days is 27\. Give 28 or more\.$"):
        valuation({}, as_of=AS_OF, test_days=27)
