"""What offers earn, how sure that is, and which of them are to be dropped."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from pilot_orders import pilot_lines

from analysis.errors import MeasureError
from analysis.measures import margins as module
from analysis.measures import service
from analysis.measures.goods import with_goods
from analysis.measures.margins import Days, margins
from analysis.pilot import model

NOW: Days = (dt.date(2026, 4, 1), dt.date(2026, 6, 30))
BEFORE: Days = (dt.date(2026, 1, 1), dt.date(2026, 3, 31))


def monthly(**contributions: list[float]) -> pd.DataFrame:
    """One line of 100 a product and month from January on, whose cost leaves the contribution."""
    rows = [
        (product, pd.Timestamp(2026, 1 + month, 15), 100.0, 100.0 - value)
        for product, values in contributions.items()
        for month, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["product_id", "date", "revenue", "cost"])


def review(lines: pd.DataFrame, *args: pd.DataFrame | None, **settings: object) -> pd.DataFrame:
    return margins(lines, *args, **{"period": NOW, "previous": BEFORE} | settings).set_index("product_id")


def test_interval_and_trend_are_those_of_r():
    # R 4.1.1: y <- c(-2, -3, -2, -2, -1, -2); q <- factor(rep(0:1, each = 3)); 3 * confint(lm(y ~ 0 + q)); x <- 1:6;
    # summary(lm(y ~ x)); confint(lm(y ~ x))
    found = review(monthly(tea=[-2, -3, -2, -2, -1, -2])).loc["tea"]
    assert found[["contribution", "low", "high"]].tolist() == pytest.approx([-5, -7.776445105, -2.223554895])
    previous = found[["previous_contribution", "previous_low", "previous_high"]].tolist()
    assert previous == pytest.approx([-7, -9.776445105, -4.223554895])
    slope = found[["slope", "slope_low", "slope_high", "p", "p_holm"]].tolist()
    assert slope == pytest.approx([0.1714285714, -0.2330613649, 0.5759185077, 0.30455878468, 0.30455878468])


def test_longer_periods_and_another_confidence_are_those_of_r():
    # y <- c(5, 9, 4, 12, 10, 17, 11, 20); q <- factor(rep(0:1, each = 4)); 4 * confint(lm(y ~ 0 + q), level = .9)
    days = {
        "previous": (dt.date(2026, 1, 1), dt.date(2026, 4, 30)),
        "period": (dt.date(2026, 5, 1), dt.date(2026, 8, 31)),
    }
    found = review(monthly(tea=[5, 9, 4, 12, 10, 17, 11, 20]), confidence=0.9, **days).loc["tea"]
    assert found[["previous_low", "low", "high"]].tolist() == pytest.approx([13.35959824, 41.35959824, 74.64040176])
    assert found[["slope_low", "slope_high", "p"]].tolist() == pytest.approx([0.7819002924, 2.837147327, 0.01411404091])
    assert found["trend"] == "up"


@pytest.mark.parametrize(
    ("contributions", "verdict"),
    [
        ([-5, -5.1, -4.9, -5, -5.1, -4.9], "drop"),
        ([5, 5.1, 4.9, -5, -5.1, -4.9], "watch"),  # below 0 in the period only
        ([-5, -5.1, -4.9, 5, 5.1, 4.9], "keep"),
        ([-5, 6, -1, 5, -6, 1], "watch"),
        ([5, 5.1, 4.9, 5, 5.1, 4.9], "keep"),
        ([-5, -5, -5, -5, -5, -5], "drop"),
        ([0, 0, 0, 0, 0, 0], "watch"),
    ],
)
def test_an_offer_is_dropped_only_where_it_loses_beyond_doubt_in_both_periods(contributions, verdict):
    assert review(monthly(tea=contributions)).loc["tea", "verdict"] == verdict


def test_an_offer_new_in_the_period_has_no_months_before_it():
    # 0 before it was there is no sale that failed: -15 ± 4.302653 · √(3 · .02 / 2), and no drop without two periods
    found = review(monthly(tea=[0, 0, 0, -5, -5.1, -4.9], mug=[1] * 6).query("product_id == 'mug' or cost > 100"))
    tea = found.loc["tea"]
    assert tea[["contribution", "high"]].tolist() == pytest.approx([-15, -15 + 4.302652730 * 0.03**0.5])
    assert tea[["previous_months", "trend", "verdict"]].tolist() == [0, "too few", "watch"]
    assert tea[["previous_contribution", "previous_high"]].isna().all()


@pytest.mark.parametrize("returned", [0, 3])
def test_what_was_not_sold_in_the_period_is_no_offer_any_more(returned):
    lines = monthly(tea=[-5, -5.1, -4.9, -5, -5.1, -4.9]).head(3 + returned)
    lines.loc[lines["date"] >= "2026-04-01", ["revenue", "cost"]] *= -1
    found = review(pd.concat([lines, monthly(mug=[1] * 6)])).loc["tea"]
    assert found[["verdict", "lines", "revenue"]].tolist() == ["not sold", returned, -100.0 * returned]
    # what comes back takes its margin with it: 5 + 5.1 + 4.9
    assert found["contribution"] == pytest.approx(15.0) if returned else np.isnan(found["contribution"])


def signed(*lines: tuple[float, float | None, float | None], unit_cost: float | None = None) -> pd.DataFrame:
    """Lines of April with revenue, cost and quantity, beside sound ones of May and of the months before."""
    wanted = pd.DataFrame(lines, columns=["revenue", "cost", "quantity"], dtype="float64")
    sound = pd.DataFrame({"date": pd.to_datetime(["2026-01-02", "2026-05-02"]), "revenue": 10.0, "cost": 4.0})
    table = pd.concat([wanted.assign(date=pd.Timestamp("2026-04-02")), sound]).assign(product_id="tea")
    products = pd.DataFrame({"product_id": ["tea"], "unit_cost": [unit_cost]}, dtype=object).astype(
        {"unit_cost": "float64"}
    )
    return margins(table, products, period=NOW, previous=BEFORE)


@pytest.mark.parametrize(
    ("line", "unit_cost", "wrong", "margin"),
    [
        ((10.0, -5.0, 1), None, 1, 6.0),  # the margin would be 150 % of the revenue
        ((10.0, -5.0, 1), 3.0, 1, 6.0 + 7.0),  # the unit cost stands in, as for a missing one
        ((10.0, None, 1), -3.0, 1, 6.0),
        ((-10.0, None, -1), -3.0, 1, 6.0),
        ((10.0, None, -1), 3.0, 1, 6.0),  # sold, but less than nothing
        ((0.0, -5.0, None), None, 1, 6.0),
        ((-10.0, -5.0, -1), None, 0, 6.0 - 5.0),  # sent back, with the goods
        ((-10.0, None, -1), 3.0, 0, 6.0 - 7.0),
        ((0.0, -5.0, -1), None, 0, 6.0 + 5.0),  # the goods came back, the money is booked elsewhere
        ((-10.0, 0.0, -1), None, 0, 6.0 - 10.0),  # money back without the goods
        ((0.0, 5.0, 1), None, 0, 6.0 - 5.0),  # given away
    ],
)
def test_a_cost_below_0_is_known_only_of_goods_that_came_back(line, unit_cost, wrong, margin):
    found = signed(line, unit_cost=unit_cost)
    assert found.attrs["wrong_sign"] == wrong
    assert found["margin"].item() == pytest.approx(margin)


def test_where_every_cost_has_the_wrong_sign_none_is_known():
    lines = monthly(tea=[50.0] * 6)
    found = margins(lines.assign(cost=-lines["cost"]), period=NOW, previous=BEFORE)
    assert (found.attrs["wrong_sign"], found["verdict"].item()) == (6, "cost unknown")


def test_costs_to_serve_below_0_correct_others_but_are_not_shared_out_by_themselves():
    corrected = pd.concat([COSTS, pd.DataFrame([("k", "2026-06-01", -1.0)], columns=COSTS.columns)])
    found = review(ORDERS, None, corrected)
    assert (found["service"].sum(), found.attrs["service_below_zero"]) == (pytest.approx(9.0), 0)
    below = pd.concat([COSTS, pd.DataFrame([("k", "2026-06-01", -11.0)], columns=COSTS.columns)])
    found = review(ORDERS, None, below)
    assert (found["service"].sum(), found.attrs["service_below_zero"]) == (0.0, 1)
    assert found["contribution"].to_dict() == pytest.approx(found["margin"].to_dict())


def test_one_month_a_period_is_too_few_for_an_interval():
    found = review(
        monthly(tea=[-5, -5]),
        previous=(dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
        period=(dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
    ).loc["tea"]
    assert found[["contribution", "previous_contribution", "months"]].tolist() == [-5, -5, 1]
    assert found[["low", "high", "slope", "p"]].isna().all()
    assert found[["trend", "verdict"]].tolist() == ["too few", "too few"]


def test_equal_months_have_no_trend():
    found = review(monthly(tea=[0.1] * 6)).loc["tea"]
    assert found[["slope", "p", "low", "high"]].tolist() == pytest.approx([0, 1, 0.3, 0.3])


def test_p_is_adjusted_over_all_offers():
    rising, flat = [1, 2, 3, 4, 5.5, 6], [3, 1, 4, 1, 5, 2]
    found = review(monthly(tea=rising, mug=flat, jam=flat))
    assert found.loc["tea", "p_holm"] == pytest.approx(3 * found.loc["tea", "p"])
    assert found["trend"].to_dict() == {"jam": "within noise", "mug": "within noise", "tea": "up"}


def test_a_month_without_a_sale_counts_0_and_other_days_do_not_count():
    lines = monthly(tea=[0, 0, 0, 6, 0, 0]).iloc[[0, 3]]  # January and April
    outside = lines.assign(date=pd.to_datetime(["2025-12-31", "2026-07-01"]), cost=-1000)
    found = review(pd.concat([lines, outside])).loc["tea"]
    # 6, 0, 0 about 2: squares 16 + 4 + 4 = 24, four degrees of freedom: 6 ± 2.776445 · √(3 · 24 / 4)
    assert found[["contribution", "high", "lines", "months"]].tolist() == pytest.approx(
        [6, 6 + 2.776445105 * 18**0.5, 1, 3]
    )


def test_returns_are_negative_and_unit_cost_stands_in_for_a_missing_cost():
    lines = pd.DataFrame(
        [
            ("tea", "2026-04-01", 10.0, 2, 3.0),
            ("tea", "2026-05-01", 10.0, 2, None),  # 2 · 4
            ("tea", "2026-06-30", -5.0, -1, None),  # -1 · 4
            ("mug", "2026-06-30", 7.0, 1, None),  # no unit cost
            ("mug", "2026-06-30", 3.0, 1, 1.0),
            ("öl", "2026-06-30", 9.0, None, None),
        ],
        columns=["product_id", "date", "revenue", "quantity", "cost"],
    )
    products = pd.DataFrame(
        {"product_id": ["tea", "mug", "öl"], "unit_cost": [4.0, None, 2.0], "name": ["Tee", "Becher", "Öl"]}
    )
    found = review(lines, products)
    assert found.columns[0] == "name"
    assert found.loc["tea", ["revenue", "margin", "without_cost"]].tolist() == [15, 15 - 7, 0]
    assert found.loc["tea", "margin_ratio"] == pytest.approx(8 / 15)
    assert found.loc["mug", ["revenue", "margin", "without_cost", "margin_ratio"]].tolist() == [10, 2, 0.5, 2 / 3]
    assert found.loc["öl", ["name", "revenue", "without_cost", "verdict"]].tolist() == ["Öl", 9, 1, "cost unknown"]
    assert found.loc["öl", ["margin", "margin_ratio", "contribution", "low", "p"]].isna().all()


def test_where_costs_became_known_only_now_there_is_no_trend_and_no_drop():
    lines = monthly(tea=[-5, -5.1, -4.9, -5, -5.1, -4.9])
    found = review(lines.assign(cost=lines["cost"].where(lines["date"] >= "2026-04-01"))).loc["tea"]
    assert found[["contribution", "months", "previous_months"]].tolist() == [-15, 3, 0]
    # deviations 0, -.1, .1: 2 degrees of freedom, -15 ± 4.302653 · √(3 · .02 / 2)
    assert found["high"] == pytest.approx(-15 + 4.302652730 * 0.03**0.5)
    assert found[["trend", "verdict"]].tolist() == ["too few", "watch"]
    assert found[["previous_contribution", "previous_high", "slope"]].isna().all()


def test_without_any_cost_nothing_is_judged_and_without_product_it_is_told():
    lines = monthly(tea=[1] * 6).drop(columns="cost")
    found = margins(pd.concat([lines, lines.assign(product_id=None)]), period=NOW, previous=BEFORE)
    assert found[["product_id", "revenue", "verdict"]].to_numpy().tolist() == [["tea", 300, "cost unknown"]]
    assert found.attrs == {"unassigned": 300.0, "unallocated": 0.0, "wrong_sign": 0, "service_below_zero": 0}


ORDERS = pd.DataFrame(
    [
        ("k", "1", "tea", "2026-04-01", 30.0, 10.0),
        ("k", "1", "mug", "2026-04-01", 4.0, 1.0),
        ("k", "2", "mug", "2026-05-01", 4.0, 1.0),
        ("k", "3", "mug", "2026-06-01", 4.0, 1.0),
        ("k", "3", "jam", "2026-06-01", -2.0, -1.0),  # returned: bears no cost
        ("m", "4", "mug", "2026-01-01", 5.0, 1.0),
    ],
    columns=["customer_id", "transaction_id", "product_id", "date", "revenue", "cost"],
)
COSTS = pd.DataFrame(
    [("k", "2026-05-01", 8.0), ("k", "2026-06-01", 2.0), ("k", "2026-03-01", 5.0), ("m", "2026-04-01", 3.0)],
    columns=["customer_id", "month", "cost"],
)


@pytest.mark.parametrize(
    ("allocate", "service"),
    [
        ("revenue", {"jam": 0, "mug": 10 * 12 / 42, "tea": 10 * 30 / 42}),
        ("orders", {"jam": 0, "mug": 10 * 3 / 4, "tea": 10 * 1 / 4}),
    ],
)
def test_cost_to_serve_is_shared_out_among_what_the_customer_bought(allocate, service):
    found = review(ORDERS, None, COSTS, allocate=allocate)
    assert found["service"].to_dict() == pytest.approx(service, abs=1e-5)
    assert (found["margin"] - found["contribution"]).to_dict() == pytest.approx(service, abs=1e-5)
    assert found.attrs["unallocated"] == 3.0  # m bought nothing in the period, and k nothing before it


def test_cost_to_serve_falls_into_the_month_in_which_it_arose():
    mug = review(ORDERS, None, COSTS, allocate="orders").loc["mug"]
    # margins 3, 3, 3; costs 0, 6, 1.5; before 4, 0, 0: contributions 3, -3, 1.5 about .5 and 4, 0, 0 about 4 / 3
    squares = 2.5**2 + 3.5**2 + 1 + (8 / 3) ** 2 + 2 * (4 / 3) ** 2
    assert mug["high"] == pytest.approx(1.5 + 2.776445105 * (3 * squares / 4) ** 0.5)


def test_costs_are_not_shared_out_where_that_is_asked_and_lines_without_cost_bear_their_part():
    assert review(ORDERS, None, COSTS, allocate="none")["service"].isna().all()
    assert review(ORDERS, None, COSTS, allocate="none").loc["tea", "contribution"] == 20
    unknown = ORDERS.assign(cost=ORDERS["cost"].where(ORDERS["transaction_id"] != "3"))
    assert review(unknown, None, COSTS).loc["mug", "service"] == pytest.approx(10 * 8 / 42, abs=1e-5)


def test_dates_order_of_rows_and_kind_of_table_make_no_difference():
    costs = COSTS.assign(month=pd.to_datetime(COSTS["month"]))
    lines = ORDERS.assign(date=pd.to_datetime(ORDERS["date"]))
    before = lines.copy()
    found = margins(lines, None, costs, period=NOW, previous=BEFORE)
    shuffled = margins(lines.iloc[::-1], None, costs.iloc[::-1], period=NOW, previous=BEFORE)
    engine = margins(ibis.memtable(lines), None, ibis.memtable(costs), period=NOW, previous=BEFORE)
    pd.testing.assert_frame_equal(found, shuffled)
    pd.testing.assert_frame_equal(found, engine)
    pd.testing.assert_frame_equal(lines, before)


def test_without_lines_there_are_no_rows():
    assert margins(ORDERS.head(0), None, COSTS, period=NOW, previous=BEFORE).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"previous": NOW},
            "margins: previous runs from 2026-04-01 to 2026-06-30, period from 2026-04-01 to 2026-06-30. "
            "Give first and last day of each, previous before period.",
        ),
        ({"allocate": "lines"}, "margins: unknown allocation 'lines'. Known: revenue, orders, none."),
        ({"confidence": 1.0}, "margins: confidence is 1.0. Give a share between 0 and 1, such as 0.95."),
        (
            {"products": pd.DataFrame({"product_id": ["a", "a"]})},
            "margins: 1 rows of products repeat a product_id. Hand in one row a product_id.",
        ),
        (
            {"transactions": ORDERS.rename(columns={"product_id": "product"})},
            "margins: column 'product_id' is absent; the table has: customer_id, transaction_id, product, date, "
            "revenue, cost. Did you mean 'product'?",
        ),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    settings = {"transactions": ORDERS, "products": None, "costs": COSTS, "period": NOW, "previous": BEFORE} | change
    with pytest.raises(MeasureError) as refused:
        margins(**settings)
    assert str(refused.value) == message


@pytest.mark.parametrize("seed", [0, 1])
def test_the_weak_offers_of_the_pilot_company_are_found_and_no_other(seed):
    quarters = {
        "period": (dt.date(2026, 7, 1), dt.date(2026, 9, 30)),
        "previous": (dt.date(2026, 4, 1), dt.date(2026, 6, 30)),
    }
    found = review(pilot_lines(seed), **quarters)
    # at 5,000 customers the weaker of the two sells about twenty times a month
    assert found.loc["A-1006", "verdict"] == "drop"
    assert found.loc["A-4005", "verdict"] in ("drop", "watch")
    assert set(found["verdict"].drop(list(model.WEAK_OFFERS))) == {"keep"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_compiles_for_every_engine(dialect):
    lines = ibis.table(
        {"customer_id": "string", "date": "date", "revenue": "float64", "transaction_id": "string"}
        | {"product_id": "string", "quantity": "float64", "cost": "float64"},
        name="transactions",
    )
    costs = ibis.table({"customer_id": "string", "month": "date", "cost": "float64"}, name="costs")
    known, spent = with_goods("margins", lines, None), service._spent(costs, NOW, BEFORE)
    assert "SELECT" in sql_of(module._reduce_margins(known, NOW, BEFORE), dialect)
    for allocate in ("revenue", "orders"):
        assert "SELECT" in sql_of(service._reduce_service(known, spent, NOW, BEFORE, allocate), dialect)
    assert "SELECT" in sql_of(service._reduce_below_zero(spent), dialect)


def test_what_comes_back_does_not_grow_with_customers():
    few, many = (module._reduce_margins(with_goods("margins", lines, None), NOW, BEFORE) for lines in _two_sizes())
    assert len(few.execute()) == len(many.execute()) == 18


def _two_sizes() -> list[pd.DataFrame]:
    draw = np.random.default_rng(0)
    return [
        pd.DataFrame(
            {
                "product_id": draw.choice(["a", "b", "c"], size),
                "date": draw.choice(pd.date_range(BEFORE[0], NOW[1], freq="D"), size),
                "revenue": 1.0,
            }
        )
        for size in (2_000, 20_000)
    ]
