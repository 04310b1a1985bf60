"""What care and acquisition may cost a class."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.care_budget import _reduce_repeated, _reduce_values, care_budget
from analysis.measures.segments import abc_classes

SHARES = {"care_share": 0.1, "acquisition_share": 0.25, "horizon_months": 36}


def values(**expected: float) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(expected), "value": list(expected.values())})


def classes(**letters: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(letters), "class": list(letters.values())})


def test_budgets_are_shares_of_what_a_class_is_expected_to_bring():
    found = care_budget(values(a=1000, b=800, c=72), classes(a="A", b="A", c="C"), **SHARES)
    assert found.set_index("class").loc["A"].to_dict() == pytest.approx(
        {
            "customers": 2,
            "not_positive": 0,
            "expected_value": 1800,
            "value_a_customer": 900,
            "care_share": 0.1,
            "acquisition_share": 0.25,
            "horizon_months": 36,
            "care_budget": 180,
            "care_a_customer": 90,
            "care_a_customer_month": 2.5,
            "break_even_acquisition": 900,
            "acquisition_limit": 225,
            "left_a_customer": 585,  # 900 - 90 - 225
        }
    )
    assert found["class"].tolist() == ["A", "C"]
    # budgets of the class are those of its customers
    assert (found["care_a_customer"] * found["customers"]).tolist() == pytest.approx(found["care_budget"].tolist())


def test_a_class_that_brings_nothing_may_cost_nothing():
    found = care_budget(values(a=-10, b=4, c=0), classes(a="C", b="C", c="C"), **SHARES).loc[0]
    assert found[["customers", "not_positive", "expected_value", "value_a_customer"]].tolist() == [3, 2, -6, -2]
    money = ["care_budget", "care_a_customer", "care_a_customer_month", "break_even_acquisition", "acquisition_limit"]
    assert found[money].tolist() == [0] * 5
    assert found["left_a_customer"] == -2


def test_a_share_may_differ_by_class_and_zero_and_one_are_shares():
    care = {"A": 1, "B": 0.5, "C": 0}
    found = care_budget(
        values(a=10, b=10, c=10),
        classes(a="A", b="B", c="C"),
        care_share=care,
        acquisition_share={"A": 0, "B": 0.5, "C": 1},
        horizon_months=1,
    )
    assert found["care_a_customer_month"].tolist() == [10, 5, 0]
    assert found["acquisition_limit"].tolist() == [0, 5, 10]
    assert found["left_a_customer"].tolist() == [0, 0, 0]


def test_who_has_no_class_or_no_value_is_counted_apart():
    worth = pd.DataFrame({"customer_id": ["a", "ohne", None, "b"], "value": [5.0, 7.0, 9.0, None]})
    found = care_budget(worth, classes(a="A", b="B", c="C"), **SHARES)
    assert found[["class", "customers", "expected_value"]].to_numpy().tolist() == [["A", 1, 5]]
    assert found.attrs == {"without_class": 1, "without_value": 2}


def test_several_rows_of_a_customer_are_summed_in_whole_cents():
    worth = pd.DataFrame({"customer_id": ["a"] * 10, "value": [0.1] * 10})
    assert care_budget(worth, classes(a="A"), **SHARES)["expected_value"].tolist() == [1.0]


def test_nobody_at_all_gives_no_rows():
    found = care_budget(values(), classes(), **SHARES)
    assert found.empty
    assert "left_a_customer" in found.columns


def test_classes_may_come_from_abc_and_frames_stay_as_they_were():
    orders = pd.DataFrame({"customer_id": ["ä", "b", "c"], "revenue": [80.0, 15.0, 5.0]})
    worth = values(ä=300, b=50, c=-1)
    found = care_budget(worth, abc_classes(orders), **SHARES)
    assert found["value_a_customer"].tolist() == [300, 50, -1]
    tables = ibis.memtable(worth), ibis.memtable(classes(ä="A", b="B", c="C").sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(care_budget(*tables, **SHARES), found)
    pd.testing.assert_frame_equal(worth, values(ä=300, b=50, c=-1))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"care_share": 1.1}, "care_budget: care_share of class 'A' is 1.1. Give a share from 0 to 1."),
        ({"acquisition_share": -0.1}, "care_budget: acquisition_share of class 'A' is -0.1. Give a share from 0 to 1."),
        ({"care_share": {"B": 0.1}}, "care_budget: care_share has no share for class 'A'. It has: ['B']."),
        ({"care_share": 0.8}, "care_budget: the shares of class 'A' add up to more than 1. Leave something to earn."),
        ({"horizon_months": 0}, "care_budget: horizon_months is 0. Give at least 1."),
    ],
)
def test_assumptions_outside_their_domain_are_refused(changed, message):
    with pytest.raises(MeasureError) as refused:
        care_budget(values(a=1), classes(a="A"), **SHARES | changed)
    assert str(refused.value) == message


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(MeasureError, match=r"^care_budget, values: column 'value' is absent"):
        care_budget(classes(a="A"), classes(a="A"), **SHARES)
    with pytest.raises(MeasureError, match=r"^care_budget, classes: column 'class' is absent"):
        care_budget(values(a=1), values(a=1), **SHARES)
    twice = pd.concat([classes(a="A"), classes(a="B")])
    with pytest.raises(MeasureError, match=r"^care_budget: 1 rows of classes repeat a customer_id\."):
        care_budget(values(a=1), twice, **SHARES)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reductions_compile_for_every_engine(dialect):
    worth = ibis.table({"customer_id": "string", "value": "float64"}, name="worth")
    letters = ibis.table({"customer_id": "string", "class": "string"}, name="letters")
    read_by = {"letters": _reduce_repeated(letters), "worth": _reduce_values(worth, letters)}
    for table, reduced in read_by.items():
        sql = sql_of(reduced, dialect)
        read = sqlglot.parse_one(sql, dialect={"pyspark": "spark"}.get(dialect, dialect)).find_all(sqlglot.exp.Table)
        assert table in {found.name for found in read}
