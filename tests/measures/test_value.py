"""What customers have brought, and what to expect of them."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from simulated_buyers import BG_NBD, simulated

from analysis.errors import MeasureError, UnknownNameError
from analysis.measures.bg_nbd import fit_bg_nbd
from analysis.measures.contract_value import TenureHazards, tenure_hazards
from analysis.measures.future_purchases import MONTH
from analysis.measures.gamma_gamma import fit_gamma_gamma
from analysis.measures.net_value import net_value
from analysis.measures.purchase_summary import purchase_history, purchase_summary, spend_history, spend_summary
from analysis.measures.spells import spells
from analysis.measures.value import CustomerValues, customer_value
from analysis.measures.value_estimates import Margins, Settings
from analysis.measures.value_forecasts import of_contracts, purchase_forecast
from analysis.measures.value_parts import Known, _reduce_customer_value

AS_OF = dt.date(2025, 1, 1)
KEYS = ["customer_id", "kind", "class", "past_value", "expected_value", "low", "high"]


def days(*texts: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts)))


def ledger() -> dict[str, pd.DataFrame]:
    """Six contracts, of which one has ended; Öztürk orders too, Ende only does."""
    contracts = pd.DataFrame(
        {"customer_id": ["Öztürk", "b", "c", "d", "e", "f"], "fee": [10.0, 20.0, 20.0, 20.0, None, 5.0]}
    )
    contracts["start"] = days(*["2024-01-01"] * 6)
    contracts["ended_on"] = days(None, None, "2024-06-30", None, None, "2025-03-01")
    orders = pd.DataFrame({"customer_id": ["Öztürk", "Öztürk", "Ende", "Ende", "later"]})
    orders["date"] = days("2024-03-01", "2024-08-01", "2023-02-01", "2023-03-01", "2025-01-01")
    orders["revenue"] = [100.0, 50.0, 30.0, 20.0, 999.0]
    orders["cost"] = [60.0, None, 12.0, 8.0, 1.0]
    customers = pd.DataFrame(
        {"customer_id": ["Öztürk", "b", "d", "nobody"], "acquisition_cost": [30.0, 40.0, None, 5.0]}
    )
    customers["since"] = days("2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01")
    costs = pd.DataFrame({"customer_id": ["Öztürk", "Öztürk", "b", "b"], "cost": [6.0, 18.0, 2.0, 99.0]})
    costs["month"] = days("2024-02-01", "2024-11-01", "2024-05-01", "2025-01-01")
    return {"contracts": contracts, "transactions": orders, "customers": customers, "costs": costs}


def by_customer(found: CustomerValues) -> pd.DataFrame:
    return found.customers.set_index("customer_id")


@pytest.fixture(scope="module")
def found():
    return customer_value(ledger(), as_of=AS_OF, draws=20, margin_ratio=0.5, fee_margin=0.8)


def test_past_value_is_what_is_on_record(found):
    past = by_customer(found)["past_value"]
    whole = 366 / MONTH  # 2024, a leap year
    # orders 100 - 60, and half of 50; fees; costs of 24; acquisition
    assert past["Öztürk"] == pytest.approx(40 + 25 + 0.8 * 10 * whole - 24 - 30, abs=0.006)
    assert past["b"] == pytest.approx(0.8 * 20 * whole - 2 - 40, abs=0.006)  # the costs of January are not known yet
    assert past["Ende"] == pytest.approx(50 - 20)
    assert past["e"] == 0  # without a fee
    assert past["f"] == pytest.approx(0.8 * 5 * whole, abs=0.006)  # the end in March is not known yet


def test_who_has_neither_purchase_nor_contract_is_left_out_and_counted(found):
    assert found.customers["customer_id"].tolist() == ["Ende", "b", "d", "e", "f", "Öztürk"]
    assert found.customers["kind"].tolist() == ["purchases", *["contract"] * 5]
    told = found.assumptions.set_index("name")["value"]
    assert told["others"] == 1
    assert told["without_fee"] == 1
    assert told["without_cost"] == pytest.approx(50 / 200)
    assert found.n == 6


def test_contracts_are_worth_their_net_value_by_survival(found):
    tables = ledger()
    rates = tenure_hazards(spells(tables["contracts"], tables["customers"], as_of=AS_OF))
    stay = rates.survival([366.0], 12)[0]
    told = by_customer(found)
    assert told.loc["d", "expected_value"] == pytest.approx(float(net_value(stay, margin=16, discount=0.1)))
    assert told.loc["d", "probability_stay"] == pytest.approx(stay[-1])
    assert np.isnan(told.loc["d", "probability_alive"])
    # costs of b in the last year are 2, over the 12 months that b has been there
    assert told.loc["b", "expected_value"] == pytest.approx(
        float(net_value(stay, margin=16, service=2 / 12, discount=0.1)), rel=1e-3
    )
    # no purchase model is identified by these few: orders go on as in the last year, 40 + 25 and costs of 24
    month = (40 + 25 - 24) / 12
    assert told.loc["Öztürk", "expected_value"] == pytest.approx(
        float(net_value(stay, margin=8 + month, discount=0.1)), rel=1e-3
    )


def test_what_is_not_known_is_missing_and_said(found):
    told = by_customer(found).loc["Ende"]
    assert told[["expected_value", "low", "high", "expected_purchases"]].isna().all()
    assert found.totals.set_index(["kind", "class"]).loc[("all", "all"), "expected_value":].isna().all()
    assert "What customers will buy is not known: these data do not identify the purchase model." in found.notes


def test_acquisition_is_charged_once_to_the_past_or_to_what_is_expected(found):
    inside = customer_value(
        ledger(), as_of=AS_OF, draws=20, margin_ratio=0.5, fee_margin=0.8, won_since=dt.date(2024, 1, 1)
    )
    before, now = by_customer(found), by_customer(inside)
    for name, cost in (("Öztürk", 30), ("b", 40), ("d", 0), ("f", 0)):
        assert now.loc[name, "acquisition"] == cost
        assert now.loc[name, "past_value"] == pytest.approx(before.loc[name, "past_value"] + cost)
        for column in ("expected_value", "low", "high"):
            assert now.loc[name, column] == pytest.approx(before.loc[name, column] - cost)
    assert inside.assumptions.set_index("name").loc["acquisition", "value"] == 3
    kinds = [result.totals.set_index(["kind", "class"]).loc[("contract", "all")] for result in (found, inside)]
    assert kinds[1]["expected_value"] == pytest.approx(kinds[0]["expected_value"] - 70)
    assert kinds[1]["high"] <= kinds[0]["high"] - 70 + 1e-9


def test_a_declared_service_stands_in_where_there_are_no_costs(found):
    tables = {name: table for name, table in ledger().items() if name != "costs"}
    served = customer_value(tables, as_of=AS_OF, draws=20, margin_ratio=0.5, fee_margin=0.8, service=3.0)
    assert by_customer(served).loc["f", "expected_value"] == pytest.approx(
        by_customer(found).loc["f", "expected_value"] * (4 - 3) / 4
    )
    assert by_customer(served).loc["b", "past_value"] == pytest.approx(by_customer(found).loc["b", "past_value"] + 2)


def test_totals_add_up_and_name_averages(found):
    totals = found.totals.set_index(["kind", "class"])
    contracts = totals.loc["contract"]
    parts = contracts.drop("all")
    for column in ("customers", "past_value", "expected_value"):
        assert parts[column].sum() == pytest.approx(contracts.loc["all", column])
    assert contracts["average_expected_value"].tolist() == pytest.approx(
        (contracts["expected_value"] / contracts["customers"]).tolist()
    )
    assert totals.loc[("all", "all"), "customers"] == 6
    assert (contracts["low"] <= contracts["expected_value"]).all()
    assert (contracts["high"] >= contracts["expected_value"]).all()


def test_classes_are_those_of_the_last_year_or_those_given(found):
    assert by_customer(found)["class"].to_dict() == {
        "Ende": "none", "b": "none", "d": "none", "e": "none", "f": "none", "Öztürk": "A",
    }  # fmt: skip
    given = pd.DataFrame({"customer_id": ["b", "Ende"], "class": ["A", "C"]})
    told = by_customer(customer_value(ledger(), as_of=AS_OF, draws=20, margin_ratio=0.5, classes=given))
    assert told["class"].to_dict() == {
        "Ende": "C", "b": "A", "d": "none", "e": "none", "f": "none", "Öztürk": "none",
    }  # fmt: skip


def buying(n: int = 800) -> pd.DataFrame:
    """Orders of customers who buy as BG/NBD says, in whole days, and what they cost."""
    rng = np.random.default_rng(8)
    buyers = simulated(BG_NBD, n, 8, np.ones(1)).customers
    rows = []
    for number, (x, last, age) in enumerate(buyers[["frequency", "recency", "age"]].to_numpy()):
        first, span = round(7 * age), int(7 * last)
        between = (
            rng.choice(np.arange(1, max(span, 2)), min(int(x) - 1, max(span - 1, 1)), replace=False) if x > 1 else []
        )
        rows += [(f"{number}", first - day) for day in {0, *between, *([span] if x else [])}]
    frame = pd.DataFrame(rows, columns=["customer_id", "ago"])
    frame["date"] = pd.Timestamp(AS_OF) - pd.to_timedelta(frame["ago"] + 1, unit="D")
    frame["revenue"] = (
        rng.gamma(4, 10, len(frame)).round(2) * rng.gamma(5, 0.2, n).repeat(1)[frame["customer_id"].astype(int)]
    )
    frame["revenue"] = frame["revenue"].round(2)
    return frame.assign(cost=(0.6 * frame["revenue"]).round(2)).drop(columns="ago")


@pytest.fixture(scope="module")
def orders():
    return buying()


def test_without_discount_expected_value_is_purchases_times_spend_times_margin(orders):
    found = customer_value({"transactions": orders}, as_of=AS_OF, draws=20, discount=0.0, months=6)
    last = AS_OF - dt.timedelta(days=1)
    model = fit_bg_nbd(purchase_summary(orders, end=last))
    spend = fit_gamma_gamma(spend_summary(orders, end=last))
    rows = (
        purchase_history(orders, end=last)
        .execute()
        .merge(spend_history(orders, end=last).drop("frequency").execute(), on="customer_id")
        .sort_values("customer_id", ignore_index=True)
    )
    foretold = model.predict(rows, horizon=6 * MONTH / 7)
    assert found.customers["expected_purchases"].tolist() == pytest.approx(
        foretold["expected_purchases"].tolist(), rel=1e-4
    )
    assert found.customers["probability_alive"].tolist() == pytest.approx(foretold["probability_alive"].tolist())
    ratios = found.assumptions.set_index("name")["value"].filter(like="margin_ratio_")
    ratio = ("margin_ratio_" + found.customers["class"]).map(ratios)
    assert ratio.between(0.39, 0.41).all()
    value = foretold["expected_purchases"] * spend.predict(rows)["expected_spend"] * ratio
    assert found.customers["expected_value"].tolist() == pytest.approx(value.tolist(), rel=1e-4)
    assert found.customers["past_value"].sum() == pytest.approx((orders["revenue"] - orders["cost"]).sum(), abs=0.01)


def test_orders_of_customers_under_contract_are_foretold_beside_their_fees(orders):
    contracts = pd.DataFrame({"customer_id": ["0", "1", "new"], "start": days(*["2024-01-01"] * 3), "fee": 10.0})
    alone = by_customer(customer_value({"transactions": orders}, as_of=AS_OF, draws=20))
    both = by_customer(customer_value({"transactions": orders, "contracts": contracts}, as_of=AS_OF, draws=20))
    fees = both.loc["new", "expected_value"]
    assert both.loc["new", "kind"] == both.loc["1", "kind"] == "contract"
    for name in ("0", "1"):
        assert both.loc[name, "expected_value"] == pytest.approx(fees + alone.loc[name, "expected_value"])
        assert both.loc[name, "expected_purchases"] == pytest.approx(alone.loc[name, "expected_purchases"])
        assert both.loc[name, "low"] <= both.loc["new", "low"] + alone.loc[name, "expected_value"]
        assert both.loc[name, "high"] >= max(both.loc["new", "high"], alone.loc[name, "high"])
    assert both.loc["2", KEYS[3:]].tolist() == pytest.approx(alone.loc["2", KEYS[3:]].tolist())


def test_intervals_of_fees_and_orders_together_hold_what_comes():
    # fees by an exponential life of mean 25 months, orders as simulated, independent of each other
    worth, rng = np.ones(12), np.random.default_rng(9)
    buyers = simulated(BG_NBD, 1500, 9, worth)
    people = buyers.customers.assign(
        tenure_days=400.0, monthly_fees=3000.0, year_known_cents=0.0, year_goods=0.0, year_cents=0.0
    )
    settings = Settings(12, 0.0, "end", "bg_nbd", 1.0, None, 0.0, None, None, 60, 0, 0.95)
    rates = {"month_from": [0], "month_to": [99], "events": [900], "exposure": [900 * 25.0], "rate": [1 / 25]}
    found = of_contracts(
        people,
        TenureHazards(pd.DataFrame(rates), ()),
        purchase_forecast(people, settings),
        Margins(np.array([1.0]), 1.0),
        np.zeros(1500),
        settings,
    )
    brought = buyers.brought + 30 * np.minimum(np.floor(rng.exponential(25, 1500)), 12)
    columns = found.columns
    inside = (columns["low"] - 1e-9 <= brought) & (brought <= columns["high"] + 1e-9)
    assert 0.9 <= inside.mean() <= 0.98
    sd = np.sqrt(columns["variance"].sum() + found.sums[:, 0].var(ddof=1))
    assert abs(columns["value"].sum() - brought.sum()) < 3 * sd


def test_the_interval_of_all_is_wider_than_independent_customers_would_have_it(orders):
    found = customer_value({"transactions": orders}, as_of=AS_OF)
    total = found.totals.set_index(["kind", "class"]).loc[("all", "all")]
    parts = found.totals[(found.totals["kind"] == "purchases") & (found.totals["class"] != "all")]
    independent = np.sqrt(((parts["high"] - parts["low"]) ** 2).sum())
    assert total["high"] - total["low"] > 1.02 * independent


def test_neither_order_of_rows_nor_kind_of_table_matters_and_arguments_stay():
    tables = ledger()
    kept = {name: table.copy() for name, table in tables.items()}
    once = customer_value(tables, as_of=AS_OF, draws=20, margin_ratio=0.5)
    turned = {name: ibis.memtable(table.iloc[::-1].reset_index(drop=True)) for name, table in tables.items()}
    again = customer_value(turned, as_of=AS_OF, draws=20, margin_ratio=0.5)
    for frame in ("customers", "totals", "assumptions"):
        pd.testing.assert_frame_equal(getattr(once, frame), getattr(again, frame))
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, kept[name])


def test_few_repeat_buyers_are_said_to_be_too_few(public_data):
    folder = public_data / "olist"
    items = pd.read_csv(folder / "olist_order_items_dataset.csv", usecols=["order_id", "price"])
    bought = pd.read_csv(
        folder / "olist_orders_dataset.csv", usecols=["order_id", "customer_id", "order_purchase_timestamp"]
    )
    people = pd.read_csv(folder / "olist_customers_dataset.csv", usecols=["customer_id", "customer_unique_id"])
    lines = items.merge(bought, on="order_id").merge(people, on="customer_id")
    lines = pd.DataFrame(
        {
            "customer_id": lines["customer_unique_id"],
            "date": pd.to_datetime(lines["order_purchase_timestamp"]).dt.normalize(),
            "revenue": lines["price"],
        }
    )
    found = customer_value({"transactions": lines}, as_of=dt.date(2018, 9, 1), margin_ratio=0.3)
    assert found.notes[0] == "The likelihood is flat: these data do not identify a, b."
    assert found.customers["expected_value"].isna().all()
    assert found.customers["past_value"].sum() == pytest.approx(
        0.3 * lines.loc[lines["date"] < "2018-09-01", "revenue"].sum()
    )


@pytest.mark.parametrize(
    ("tables", "settings", "message"),
    [
        ({}, {}, "customer_value: there are neither transactions nor contracts. Hand in one of these tables."),
        (
            {"transactions": ledger()["transactions"].drop(columns="cost")},
            {},
            "customer_value: no order line has a known cost. Declare margin_ratio, the margin by revenue.",
        ),
        (
            {"transactions": ledger()["transactions"]},
            {"as_of": dt.date(2020, 1, 1)},
            "customer_value: nobody has bought or has a contract in force. Check the tables and as_of.",
        ),
        (
            ledger() | {"customers": pd.DataFrame({"customer_id": ["b", "b"]})},
            {"margin_ratio": 0.5},
            "customer_value: 1 customers stand twice in customers or classes. Hand in one row each.",
        ),
        (ledger(), {"draws": 1}, "customer_value: draws is 1. Give 2 or more, such as 100."),
        (ledger(), {"months": 0, "margin_ratio": 0.5}, "net_value: the horizon is 0 months. Give at least 1 month."),
    ],
)
def test_faulty_calls_are_refused(tables, settings, message):
    with pytest.raises(MeasureError) as caught:
        customer_value(tables, **({"as_of": AS_OF} | settings))
    assert str(caught.value) == message


def test_an_unknown_model_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'pareto_nbd'"):
        customer_value(ledger(), as_of=AS_OF, model="pareto")


SCHEMAS = {
    "transactions": {"customer_id": "string", "date": "date", "revenue": "float64", "cost": "float64"},
    "contracts": {"customer_id": "string", "start": "date", "ended_on": "date", "fee": "float64"},
    "customers": {"customer_id": "string", "since": "date", "acquisition_cost": "float64"},
    "costs": {"customer_id": "string", "month": "date", "cost": "float64"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reduction_compiles_for_every_engine(dialect):
    tables = {name: ibis.table(schema, name=name) for name, schema in SCHEMAS.items()}
    assert "GROUP BY" in sql_of(_reduce_customer_value(Known(tables, AS_OF), None), dialect)
