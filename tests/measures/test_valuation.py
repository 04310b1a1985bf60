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


def test_the_best_fifth_holds_as_much_here_as_in_the_tenths(valued: Valuation) -> None:
    fifth = valued.tenths.set_index("tenth")["share"].loc[[9, 10]].sum()
    assert valued.concentration["top_20_share"].item() == pytest.approx(fifth)
    few = Valuation(valued.status, valued.values, valued.test, valued.summary, smallest=10_000)
    assert np.isnan(few.concentration["top_20_share"].item())


def test_customers_won_are_counted_alike_wherever_they_are_told(orders: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": orders["customer_id"].unique(), "acquisition_cost": 10.0})
    customers = customers.assign(since=pd.Timestamp("2025-12-01"))
    customers.loc[:1, "acquisition_cost"] = [0.0, np.nan]  # of these nothing is deducted
    won = {"transactions": orders, "customers": customers}
    found = valuation(won, as_of=AS_OF, test_days=200, won_since=dt.date(2025, 10, 1))
    told = found.assumptions.set_index("name").loc["acquisition", "value"]
    assert found.summary["won"].item() == told == len(customers) - 2


def test_where_no_model_is_identified_what_stands_in_is_named_and_tested() -> None:
    rng = np.random.default_rng(4)
    rows = [
        (f"K{n:03}", day) for n in range(300) for day in {0, *rng.integers(1, 731, rng.poisson(rng.gamma(2.0, 4.0)))}
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "day"])
    date = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["day"], unit="D")
    lines = frame[["customer_id"]].assign(date=date, revenue=10.0, cost=6.0)
    found = valuation({"transactions": lines}, as_of=AS_OF)
    assert found.summary[["model", "missing"]].iloc[0].tolist() == ["nbd", 0]
    assert "bg_nbd" not in " ".join(found.assumptions["meaning"])
    scores = found.scores.set_index("model")
    assert scores.loc["nbd", ["identified", "chosen"]].tolist() == [True, True]
    assert abs(scores.loc["nbd", "bias_share"]) < 0.1
    assert found.calibration["customers"].sum() == 300
    assert not found.weeks.empty


def test_what_is_declared_stands_in_the_summary(orders: pd.DataFrame) -> None:
    known = {"as_of": AS_OF, "fee_margin": 0.8, "service": 2.0}
    with_fees = valuation({"contracts": CONTRACTS}, **known).summary
    assert with_fees[["fee_margin", "service"]].iloc[0].tolist() == [0.8, 2.0]
    costs = pd.DataFrame({"customer_id": ["K001"], "month": [pd.Timestamp("2025-06-01")], "cost": [5.0]})
    without = valuation({"transactions": orders, "costs": costs}, **known, test_days=200).summary
    assert without[["fee_margin", "service"]].isna().all(axis=None)


def test_care_is_a_share_of_the_values_before_acquisition(orders: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": orders["customer_id"].unique()})
    customers = customers.assign(since=pd.Timestamp("2025-12-01"), acquisition_cost=10.0)
    won = {"transactions": orders, "customers": customers}
    found = valuation(won, as_of=AS_OF, test_days=200, won_since=dt.date(2025, 10, 1))
    assert found.summary[["won", "acquisition"]].iloc[0].tolist() == [len(customers), 10.0]
    budget = found.care(0.1, acquisition_share=0.3)
    worth = found.customers["expected_value"].sum() + 10 * len(customers)
    assert budget["expected_value"].sum() == pytest.approx(worth, abs=0.01 * len(customers))


def test_care_beside_values_does_not_tell_what_winning_a_few_cost(orders: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": orders["customer_id"].unique()})
    since = [pd.Timestamp("2025-12-01"), *[pd.Timestamp("2024-01-01")] * (len(customers) - 1)]
    won = {"transactions": orders, "customers": customers.assign(since=since, acquisition_cost=10.0)}
    known = {"as_of": AS_OF, "test_days": 200, "won_since": dt.date(2025, 10, 1)}
    told = [valuation(won, smallest=least, **known).care(0.1, acquisition_share=0.3) for least in (1, 5)]
    values = valuation(won, **known).customers["expected_value"].sum()
    assert [part["expected_value"].sum() - values for part in told] == pytest.approx([10, 0], abs=0.01 * len(customers))


def test_losses_are_risk_times_value(valued: Valuation) -> None:
    risks = pd.DataFrame({"customer_id": valued.customers["customer_id"], "risk": 0.1})
    whole = valued.losses(risks).totals.set_index("class").loc["all"]
    assert whole["expected_loss"] == pytest.approx(0.1 * valued.customers["expected_value"].sum())
    assert valued.losses(risks.head(0)).totals.empty
    assert valued.losses(risks.assign(customer_id="nobody")).without_value == len(risks)
    assert np.isnan(whole["whole"])  # nobody has a contract


def test_who_leaves_takes_the_contract_with_them_and_at_most_the_orders(orders: pd.DataFrame) -> None:
    some = sorted(orders["customer_id"].unique())[:60]
    contracts = pd.DataFrame({"customer_id": some, "start": pd.Timestamp("2024-01-01"), "fee": 20.0})
    contracts["ended_on"] = pd.to_datetime(["2025-06-30"] * 10 + [None] * 50)
    customers = pd.DataFrame({"customer_id": some, "since": pd.Timestamp("2025-12-01"), "acquisition_cost": 10.0})
    tables = {"transactions": orders, "contracts": contracts, "customers": customers}
    found = valuation(tables, as_of=AS_OF, test_days=200, won_since=dt.date(2025, 10, 1))
    held = found.customers[found.customers["kind"] == "contract"]
    risks = pd.DataFrame({"customer_id": held["customer_id"], "risk": 0.1})
    whole = found.losses(risks).totals.set_index("class").loc["all"]
    # a tenth of the fees; at most a tenth of all that is to come, of which the cost of winning is spent already
    assert whole["expected_loss"] == pytest.approx(0.1 * held["expected_contract"].sum())
    assert whole["whole"] == pytest.approx(0.1 * (held["expected_value"] + 10).sum())
    assert whole["whole"] > whole["expected_loss"] > 0


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
