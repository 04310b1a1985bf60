"""The offers reviewed over whole months."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.offer_review import _reduce_all_held, _reduce_customers, _reduce_held, offer_list, offer_review
from analysis.measures.offers import next_offers

CLASSES = pd.DataFrame({"customer_id": ["Ä", "b", "c"], "class": ["A", "A", "B"]})
PRODUCTS = pd.DataFrame({"product_id": ["bad", "good"], "name": ["Körbe", None]})
AS_OF = dt.date(2026, 7, 1)


def lines(months: int = 6, first: str = "2026-01-01") -> pd.DataFrame:
    """One line of each offer a month: 10 of bad at a cost of 12, 10 of good at a cost of 4, and some spread."""
    days = pd.date_range(first, periods=months, freq="MS")
    bad = pd.DataFrame({"customer_id": "Ä", "date": days, "product_id": "bad", "revenue": 10.0})
    good = pd.DataFrame({"customer_id": "b", "date": days, "product_id": "good", "revenue": 10.0})
    wave = [0.5 * (number % 2) for number in range(months)]
    return pd.concat([bad.assign(cost=[12 + w for w in wave]), good.assign(cost=[4 + w for w in wave])])


def test_buyers_are_those_of_the_period_in_which_they_were_fewer() -> None:
    more = lines().query("product_id == 'bad' and date >= '2026-04-01'").assign(customer_id="c")
    found = offer_review({"transactions": pd.concat([lines(), more]), "products": PRODUCTS}, CLASSES, as_of=AS_OF)
    assert found.offers.set_index("product_id")["customers"].to_dict() == {
        "bad": 1,
        "good": 1,
    }  # of bad 2 now, 1 before


def test_an_offer_that_costs_more_than_it_brings_in_both_periods_is_to_be_dropped() -> None:
    found = offer_review({"transactions": lines(), "products": PRODUCTS}, CLASSES, as_of=AS_OF)
    # three months each; contribution of bad in the last: -2.5 - 2 - 2.5 = -7
    assert found.offers.set_index("product_id")["contribution"].to_dict() == pytest.approx({"bad": -7, "good": 17})
    assert found.offers["verdict"].tolist() == ["drop", "keep"]
    assert found.offers["customers"].tolist() == [1, 1]
    assert found.summary[["status", "months", "wanted", "allocate", "source"]].iloc[0].tolist() == [
        "computed", 3, 12, "none", "transactions products",
    ]  # fmt: skip


def test_only_whole_months_count() -> None:
    # from 15 January to 9 July: February to June are whole, two months in each period
    orders = pd.concat([lines(6, "2026-02-01"), lines(1, "2026-01-01").assign(date=pd.Timestamp("2026-01-15"))])
    summary = offer_review({"transactions": orders}, CLASSES, as_of=dt.date(2026, 7, 10)).summary.iloc[0]
    assert [summary["first"], summary["last"]] == [dt.date(2026, 5, 1), dt.date(2026, 6, 30)]
    assert [summary["previous_first"], summary["previous_last"]] == [dt.date(2026, 3, 1), dt.date(2026, 4, 30)]


def test_no_more_months_are_taken_than_asked_for() -> None:
    summary = offer_review({"transactions": lines()}, CLASSES, as_of=AS_OF, months=2).summary.iloc[0]
    assert [summary["months"], summary["first"], summary["previous_first"]] == [
        2, dt.date(2026, 5, 1), dt.date(2026, 3, 1),
    ]  # fmt: skip


def test_what_the_class_holds_of_weak_offers_is_named_with_all_it_brings() -> None:
    also = lines().assign(customer_id="Ä").query("product_id == 'good'")
    found = offer_review({"transactions": pd.concat([lines(), also]), "products": PRODUCTS}, CLASSES, as_of=AS_OF)
    assert found.stake[["product_id", "name", "of_class", "class_share"]].to_numpy().tolist() == [
        ["bad", "Körbe", 1, 0.5]
    ]
    assert found.held.to_dict("records") == [
        {"customer_id": "Ä", "offers": "Körbe", "offer_revenue": 30.0, "revenue": 60.0, "margin": 10.0}
    ]  # -7 + 17
    assert found.held.attrs == {"n": 1, "revenue": 60.0, "margin": 10.0}


@pytest.mark.parametrize(
    ("orders", "status"),
    [
        (lines(3), "too few months"),
        (lines().head(0), "too few months"),
        (lines().assign(cost=None), "no cost known"),
        (lines().assign(product_id=None), "nothing sold"),
    ],
)
def test_why_nothing_can_be_told_is_said(orders: pd.DataFrame, status: str) -> None:
    as_of = dt.date(2026, 4, 1) if len(orders) == 6 else AS_OF
    found = offer_review({"transactions": orders}, CLASSES, as_of=as_of)
    assert found.status == found.summary["status"].item() == status
    assert [len(frame) for frame in (found.offers, found.stake, found.held)] == [0, 0, 0]


def test_costs_to_serve_are_shared_out_where_there_are_any() -> None:
    costs = pd.DataFrame({"customer_id": ["b"], "month": [pd.Timestamp("2026-06-01")], "cost": [20.0]})
    found = offer_review({"transactions": lines(), "costs": costs}, CLASSES, as_of=AS_OF)
    assert found.offers.set_index("product_id")["contribution"].to_dict() == pytest.approx({"bad": -7, "good": -3})
    assert found.summary["allocate"].item() == "revenue"


def test_a_frame_and_a_table_give_the_same_and_the_frame_stays_as_it_was() -> None:
    orders, before = lines(), lines()
    one = offer_review({"transactions": orders}, CLASSES, as_of=AS_OF)
    other = offer_review({"transactions": ibis.memtable(orders.sample(frac=1, random_state=1))}, CLASSES, as_of=AS_OF)
    pd.testing.assert_frame_equal(one.offers, other.offers)
    pd.testing.assert_frame_equal(orders, before)


def test_fewer_than_two_months_are_refused() -> None:
    with pytest.raises(MeasureError, match=r"^offer_review: months is 1\. Give 2 or more\.$"):
        offer_review({"transactions": lines()}, CLASSES, as_of=AS_OF, months=1)


def test_the_offers_that_promise_most_come_first() -> None:
    # 60 customers order tea and mug, 60 tea first and mug later; so the rule is beyond chance, and half lack a mug
    both = pd.DataFrame({"customer_id": [f"k{i:02}" for i in range(60)], "date": pd.Timestamp("2026-01-05")})
    later = both.assign(customer_id="m" + both["customer_id"])
    oil = pd.DataFrame({"customer_id": [f"x{i:03}" for i in range(200)], "date": pd.Timestamp("2026-01-05")})
    bought = [
        both.assign(product_id="tea"),
        both.assign(product_id="mug"),
        later.assign(product_id="tea"),
        oil.assign(product_id="oil"),
        later.head(40).assign(product_id="mug", date=pd.Timestamp("2026-05-05")),
    ]
    found = next_offers(pd.concat(bought).assign(revenue=9.0, cost=5.0), split=dt.date(2026, 3, 1))
    listed = offer_list(found, most=5)
    assert found.justified == 1
    assert listed["product_id"].tolist() == ["mug"] * 5
    assert listed["customer_id"].is_monotonic_increasing
    assert listed.attrs["n"] == 20


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reductions_compile_for_every_engine(dialect: str) -> None:
    orders = ibis.table(
        {"customer_id": "string", "date": "date", "revenue": "float64", "product_id": "string"}, name="o"
    )
    held = ibis.table(
        {"customer_id": "string", "product_id": "string", "offer_revenue": "float64", "revenue": "float64"}
        | {"margin": "float64"},
        name="h",
    )
    period = (dt.date(2026, 1, 1), dt.date(2026, 6, 30))
    for reduced in (_reduce_customers(orders, period), _reduce_held(held, 5), _reduce_all_held(held)):
        assert sqlglot.parse_one(sql_of(reduced, dialect), dialect={"pyspark": "spark"}.get(dialect, dialect))
