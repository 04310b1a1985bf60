"""Value at risk: the risk of leaving times what to expect."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.value_at_risk import _held, _reduce_value_at_risk, value_at_risk

RISK = pd.DataFrame({"customer_id": ["ä", "b", "c", "d", "e", "f"], "risk": [0.5, 0.1, 0.0, 1.0, 0.2, 0.9]})
VALUES = pd.DataFrame(
    {
        "customer_id": ["ä", "b", "c", "d", "e", "g"],
        "expected_value": [100.0, 500.0, 70.0, -20.0, None, 1.0],
        "class": ["B", "A", "B", "C", "C", "A"],
    }
)


def test_losses_are_risk_times_value_by_customer_class_and_in_all():
    found = value_at_risk(RISK, VALUES)
    assert found.customers["customer_id"].tolist() == ["b", "ä", "c", "d"]  # 50 each: ties by id
    assert found.customers["expected_loss"].tolist() == [50, 50, 0, -20]
    totals = found.totals.set_index("class")
    assert totals.index.tolist() == ["A", "B", "C", "all"]
    assert totals["customers"].tolist() == [1, 2, 1, 4]
    assert totals["expected_value"].tolist() == [500, 170, -20, 650]
    assert totals["expected_loss"].tolist() == [50, 50, -20, 80]
    assert totals["share"].tolist() == pytest.approx([0.1, 50 / 170, np.nan, 80 / 650], nan_ok=True)
    assert found.without_value == 2  # e has none, f is not among the values


def test_the_interval_is_that_of_customers_who_leave_one_by_one():
    totals = value_at_risk(RISK, VALUES).totals.set_index("class")
    # .1 · .9 · 500² + .5 · .5 · 100², and nothing where it is certain who leaves; at the least only the -20 is lost
    half = 1.959964 * np.sqrt(0.09 * 500**2 + 0.25 * 100**2)
    assert totals.loc["all", ["low", "high"]].tolist() == pytest.approx([-20, 80 + half])
    assert totals.loc["C", ["low", "high"]].tolist() == [-20, -20]


def test_only_the_greatest_losses_are_listed_but_all_add_up():
    found = value_at_risk(RISK, VALUES, top=1)
    assert found.customers["customer_id"].tolist() == ["b"]
    assert found.customers.attrs["n"] == 4
    assert found.totals["expected_loss"].tolist()[-1] == 80


def test_customers_without_a_class_are_a_group_of_their_own():
    found = value_at_risk(RISK.head(1), VALUES.assign(**{"class": None}))
    assert found.totals["class"].tolist() == ["none", "all"]


def test_nobody_at_risk_is_no_loss():
    found = value_at_risk(RISK.iloc[[5]], VALUES)
    assert found.customers.empty
    assert found.totals[["class", "customers", "expected_loss"]].to_numpy().tolist() == [["all", 0, 0.0]]


def test_neither_order_of_rows_nor_kind_of_table_matters_and_arguments_stay():
    kept = RISK.copy(), VALUES.copy()
    once = value_at_risk(RISK, VALUES)
    again = value_at_risk(*(ibis.memtable(frame.iloc[::-1].reset_index(drop=True)) for frame in (RISK, VALUES)))
    pd.testing.assert_frame_equal(once.customers, again.customers)
    pd.testing.assert_frame_equal(once.totals, again.totals)
    pd.testing.assert_frame_equal(RISK, kept[0])
    pd.testing.assert_frame_equal(VALUES, kept[1])


NO_SHARES = "value_at_risk: 6 risks are missing or no shares from 0 to 1. Leave these customers out."
TWICE = "value_at_risk, values: 5 rows repeat a customer, or have none. Hand in one row each."


@pytest.mark.parametrize(
    ("risk", "values", "settings", "message"),
    [
        (RISK.assign(risk=1.5), VALUES, {}, NO_SHARES),
        (RISK.assign(risk=np.nan), VALUES, {}, NO_SHARES),
        (RISK, VALUES.assign(customer_id="a"), {}, TWICE),
        (RISK, VALUES, {"top": 0}, "value_at_risk: top is 0. Give 1 or more."),
    ],
)
def test_faulty_calls_are_refused(risk, values, settings, message):
    with pytest.raises(MeasureError) as caught:
        value_at_risk(risk, values, **settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reduction_compiles_for_every_engine(dialect):
    risk = ibis.table({"customer_id": "string", "risk": "float64"}, name="risk")
    values = ibis.table({"customer_id": "string", "expected_value": "float64", "class": "string"}, name="worth")
    assert "GROUP BY" in sql_of(_reduce_value_at_risk(_held(risk, values)), dialect)
