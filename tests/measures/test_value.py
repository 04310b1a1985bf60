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
    assert told.loc["Öztürk", "expected_contract"] == pytest.approx(
        float(net_value(stay, margin=8, service=2, discount=0.1)), rel=1e-3
    )


def test_where_no_model_is_identified_all_buy_at_one_rate_and_that_is_said(found):
    # two repeat purchases: of Öztürk, watched from 1 March 2024, and of Ende, from 1 February 2023, to 31 December 2024
    watched = 305 + 699
    told = by_customer(found)
    assert found.model == "one_rate"
    for name in ("Ende", "Öztürk"):
        assert told.loc[name, "expected_purchases"] == pytest.approx(2 / watched * 365.25, rel=1e-3)
        assert told.loc[name, "low"] <= told.loc[name, "expected_value"] <= told.loc[name, "high"]
    assert "one_rate" in found.assumptions.set_index("name").loc["model", "meaning"]
    assert "bg_nbd" not in " ".join(found.assumptions["meaning"])
    assert (
        "These data tell no customer's own rate of purchases: all are expected to buy at the mean rate of all."
        in found.notes
    )
    assert not found.totals.isna().any(axis=None)


def test_where_nobody_bought_again_a_purchase_is_worth_the_mean_so_far():
    lone = pd.DataFrame({"customer_id": list("abcd"), "date": days(*["2024-07-01"] * 4), "revenue": [10.0, 20, 30, 40]})
    found = customer_value({"transactions": lone}, as_of=AS_OF, draws=20, margin_ratio=0.5, discount=0.0)
    # half a purchase in the 183 days of four customers, of 25 on average
    assert found.customers["expected_value"].tolist() == pytest.approx([0.5 / (4 * 183) * 365.25 * 25 * 0.5] * 4)
    assert (found.totals["high"] > found.totals["expected_value"]).all()
    free = customer_value({"transactions": lone.assign(revenue=0.0)}, as_of=AS_OF, draws=20, margin_ratio=0.5)
    assert free.customers[["expected_value", "low", "high"]].eq(0).all(axis=None)


def test_where_leaving_runs_to_zero_the_nbd_stands_in():
    rng = np.random.default_rng(4)
    rates = rng.gamma(2.0, 1 / 60, 400)
    rows = [
        (f"{n}", day) for n, rate in enumerate(rates) for day in (0, *rng.integers(1, 366, rng.poisson(365 * rate)))
    ]
    bought = pd.DataFrame(rows, columns=["customer_id", "day"]).drop_duplicates()
    bought = bought.assign(date=pd.Timestamp("2024-01-01") + pd.to_timedelta(bought["day"], unit="D"), revenue=10.0)
    found = customer_value({"transactions": bought}, as_of=AS_OF, margin_ratio=0.5, discount=0.0)
    assert found.model in ("nbd", "bg_nbd", "mbg_nbd", "pareto_nbd")
    assert found.model == "nbd"
    to_come = 365.25 * rates.sum() * 5
    whole = found.totals.set_index(["kind", "class"]).loc[("all", "all")]
    assert whole["low"] < to_come < whole["high"]


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
    assert inside.assumptions.set_index("name").loc["acquisition", "value"] == 2  # of d it is not known
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


def test_a_correction_of_costs_to_below_0_serves_nobody_at_a_gain(found):
    tables = ledger()
    costs = tables["costs"]
    back = costs[costs["customer_id"] == "b"].head(1).assign(cost=-50.0)
    corrected = customer_value(
        tables | {"costs": pd.concat([costs, back])}, as_of=AS_OF, draws=20, fee_margin=0.8, margin_ratio=0.5
    )
    assert by_customer(corrected).loc["b", "past_value"] == pytest.approx(by_customer(found).loc["b", "past_value"] + 2)
    assert by_customer(corrected).loc["d"].equals(by_customer(found).loc["d"])


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


def test_what_hangs_on_the_contract_and_orders_add_up_to_what_is_expected(orders):
    people = ["0", "1", "new"]
    contracts = pd.DataFrame({"customer_id": people, "start": days(*["2024-01-01"] * 3), "fee": [10.0, 20.0, 3.0]})
    costs = pd.DataFrame({"customer_id": people, "month": days(*["2024-06-01"] * 3), "cost": [12.0, 0.0, 60.0]})
    customers = pd.DataFrame({"customer_id": people, "since": days(*["2024-01-01"] * 3), "acquisition_cost": 7.0})
    tables = {"transactions": orders, "contracts": contracts, "customers": customers}
    priced = {"as_of": AS_OF, "draws": 20, "won_since": dt.date(2024, 1, 1)}
    whole = by_customer(customer_value(tables | {"costs": costs}, fee_margin=0.9, **priced))
    # without fees and costs nothing but orders is left, less acquisition
    bare = by_customer(customer_value(tables, fee_margin=0.0, **priced))
    held, last = whole.loc[people], whole.loc["2"]
    assert (held["expected_contract"] + bare.loc[people, "expected_value"]).tolist() == pytest.approx(
        held["expected_value"].tolist()
    )
    assert bare.loc["new", "expected_value"] == pytest.approx(-7)
    # all cost to serve ends with the contract: 1, 0 and 5 a month less than 0.9 of the fees
    apiece = held["expected_contract"] / np.array([9.0 - 1, 18.0, 2.7 - 5])
    assert apiece.tolist() == pytest.approx([apiece["1"]] * 3, rel=2e-3)
    assert np.isnan(last["expected_contract"])
    assert last["expected_value"] > 0


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


def test_few_repeat_buyers_are_expected_to_stay_few(public_data):
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
    assert found.model == "nbd"
    # no loyalty is invented: of a hundred customers one or two are to order again within a year
    assert 0.005 < found.customers["expected_purchases"].mean() < 0.02
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
