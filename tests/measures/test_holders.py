"""Who holds a weak offer, and what is at stake with them."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures import holders as module
from analysis.measures.holders import holders

QUARTER = (dt.date(2026, 4, 1), dt.date(2026, 6, 30))
LINES = pd.DataFrame(
    [
        ("anna", "gift", "2026-04-01", 20.0, 22.0),
        ("anna", "gift", "2026-05-01", -5.0, -5.5),
        ("anna", "tee", "2026-06-30", 50.0, 20.0),
        ("bert", "gift", "2026-04-02", 10.0, 11.0),
        ("cora", "gift", "2026-04-02", 10.0, None),
        ("dora", "tee", "2026-04-02", 90.0, 30.0),
        ("dora", "gift", "2026-03-31", 20.0, 22.0),  # before the quarter
        ("emil", "gift", "2026-04-02", -20.0, -22.0),  # sent back only
        ("fred", "gift", "2026-04-02", 8.0, 9.0),
        (None, "gift", "2026-04-02", 8.0, 9.0),
    ],
    columns=["customer_id", "product_id", "date", "revenue", "cost"],
)
CLASSES = pd.DataFrame(
    {"customer_id": ["anna", "bert", "cora", "dora", "emil", "gabi"], "class": ["A", "B", "A", "A", "A", "A"]}
)


def test_holders_are_listed_with_all_they_bring():
    found = holders(LINES, None, CLASSES, offers="gift", period=QUARTER).customers.order_by("customer_id").execute()
    # of cora's line the cost is unknown
    expected = pd.DataFrame(
        {
            "product_id": ["gift", "gift"],
            "customer_id": ["anna", "cora"],
            "offer_revenue": [15.0, 10.0],
            "revenue": [65.0, 10.0],
            "margin": [65 - 36.5, None],
        }
    )
    pd.testing.assert_frame_equal(found, expected)
    second = holders(LINES, None, CLASSES, offers="gift", period=QUARTER, of="B").customers.execute()
    assert second["customer_id"].tolist() == ["bert"]


def test_what_is_at_stake_by_hand():
    found = holders(LINES, None, CLASSES, offers=["tee", "gift", "none"], period=QUARTER).stake.set_index("product_id")
    # anna, bert, cora and fred bought the gift; of class A anna, cora and dora bought anything
    assert found.loc["gift"].tolist() == pytest.approx([4, 2, 2 / 3, 25, 75, 28.5])
    assert found.loc["tee"].tolist() == pytest.approx([2, 2, 2 / 3, 140, 155, 88.5])
    assert found.loc["none"].tolist() == [0, 0, 0, 0, 0, 0]
    assert found.index.tolist() == ["tee", "gift", "none"]


def test_unit_costs_stand_in_and_no_customer_of_the_class_is_no_share():
    lines = LINES.drop(columns="cost").assign(quantity=1)
    products = pd.DataFrame({"product_id": ["gift", "tee"], "unit_cost": [4.0, 10.0]})
    found = holders(lines, products, CLASSES, offers="gift", period=QUARTER).stake
    assert found["margin"].tolist() == [(15 - 8) + (50 - 10) + (10 - 4)]
    nobody = holders(lines, products, CLASSES, offers="gift", period=QUARTER, of="D").stake
    assert nobody[["of_class", "revenue", "margin"]].to_numpy().tolist() == [[0, 0, 0]]
    assert nobody["class_share"].isna().all()


def test_order_of_rows_and_kind_of_table_make_no_difference():
    before = LINES.copy()
    found = holders(LINES, None, CLASSES, offers=["gift", "gift"], period=QUARTER).stake
    engine = holders(ibis.memtable(LINES[::-1]), None, ibis.memtable(CLASSES), offers="gift", period=QUARTER).stake
    pd.testing.assert_frame_equal(found, engine)
    pd.testing.assert_frame_equal(LINES, before)


def test_what_cannot_be_is_refused():
    cases = [
        ({"offers": ()}, "holders: no offer is named. Name the product_id of one or more in offers."),
        (
            {"period": QUARTER[::-1]},
            "holders: period runs from 2026-06-30 to 2026-04-01. Give the first day, then the last.",
        ),
        (
            {"classes": pd.concat([CLASSES, CLASSES])},
            "holders: 6 rows of classes repeat a customer_id. Hand in one row a customer_id.",
        ),
    ]
    for change, message in cases:
        with pytest.raises(MeasureError) as refused:
            holders(LINES, None, **{"classes": CLASSES, "offers": "gift", "period": QUARTER} | change)
        assert str(refused.value) == message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_compiles_for_every_engine(dialect):
    ledger = ibis.table(
        {"customer_id": "string", "product_id": "string", "class": "string", "cents": "int64", "goods": "int64"},
        name="ledger",
    )
    assert "SELECT" in sql_of(module._held(ledger, ("a", "b")), dialect)
    assert "SELECT" in sql_of(module._reduce_at_stake(ledger, ("a",), "A"), dialect)
    assert "SELECT" in sql_of(module._reduce_class(ledger, "A"), dialect)
