from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.indifference import _counts, _reduce_counts, benjamini_hochberg, fading, indifference
from analysis.measures.point_in_time import knowledge

AS_OF = dt.date(2026, 1, 1)


def _orders(*days_back: int, who: str = "a") -> pd.DataFrame:
    dates = [pd.Timestamp(AS_OF) - pd.Timedelta(days=days) for days in days_back]
    return pd.DataFrame({"customer_id": who, "date": dates})


def _answers(customers: list[str], nps: int = 10) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": customers, "answered_at": pd.Timestamp("2025-06-01"), "nps": nps})


def _found(orders: pd.DataFrame, answers: pd.DataFrame | None = None, **settings: object) -> pd.DataFrame:
    tables = {"transactions": orders, "surveys": _answers(["a"]) if answers is None else answers}
    found = indifference(tables, as_of=AS_OF, **{"window_days": 90, **settings})
    return found.customers.execute().sort_values("customer_id", ignore_index=True)


def _many() -> dict[str, pd.DataFrame]:
    """40 customers of whom ten stop a window before the as-of date, seeded."""
    draw = np.random.default_rng(5)
    contracts = pd.DataFrame({"customer_id": [f"c{who:02}" for who in range(40)], "start": pd.Timestamp("2024-12-31")})
    parts = []
    for at, who in enumerate(contracts["customer_id"]):
        back = draw.integers(1, 366, draw.poisson(40))
        parts.append(_orders(*(back[back > 90] if at < 10 else back), who=who))
    orders = pd.concat([_orders(366, who="first"), *parts])
    return {"contracts": contracts, "transactions": orders, "surveys": _answers(list(contracts["customer_id"]))}


class TestCounts:
    def test_windows_are_counted_back_from_the_as_of_date(self):
        # the spell begins 365 days ago: from the day after it 364 days hold the last 90 days and 3 windows before
        found = _found(_orders(365, 360, 359, 91, 90, 1, 0)).loc[0]
        assert found[["windows", "earlier", "last"]].tolist() == [3, 3, 2]

    def test_a_window_is_half_a_year_unless_declared(self):
        tables = {"transactions": _orders(365, 200, 180, 1), "surveys": _answers(["a"])}
        found = indifference(tables, as_of=AS_OF).customers.execute().loc[0]
        assert found[["windows", "earlier", "last"]].tolist() == [1, 1, 2]

    def test_lines_of_one_order_are_one(self):
        orders = _orders(364, 200, 200, 100).assign(transaction_id=["1", "2", "2", "3"])
        assert _found(orders).loc[0, "earlier"] == 2

    def test_a_return_is_no_order_and_without_revenue_none_is_known(self):
        orders = _orders(364, 200, 150, 50)
        assert _found(orders.assign(revenue=[1.0, -1.0, 0.0, -2.0])).loc[0, ["earlier", "last"]].tolist() == [1, 0]
        assert _found(orders).loc[0, ["earlier", "last"]].tolist() == [2, 1]

    def test_orders_before_the_ledger_begins_are_not_missed(self):
        # a's contract is older than the first order known, 200 days ago: one window before the last
        contracts = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2020-01-01"])})
        tables = {"contracts": contracts, "transactions": _orders(200, 150, who="b"), "surveys": _answers(["a"])}
        found = indifference(tables, as_of=AS_OF, window_days=90).customers.execute().loc[0]
        assert found[["windows", "earlier", "last", "verdict"]].tolist() == [1, 0, 0, "undecided"]

    def test_a_customer_without_a_whole_window_before_is_undecided(self):
        found = _found(_orders(150, 140, 130, 120, 110, 100)).loc[0]
        assert found[["windows", "earlier", "verdict"]].tolist() == [0, 0, "undecided"]
        assert np.isnan(found["expected"])

    def test_only_those_count_whose_last_answer_is_good_enough(self):
        orders = pd.concat([_orders(300, who=who) for who in "abcd"])
        answers = pd.concat([_answers(list("ab")), _answers(["b"], 8).assign(answered_at=pd.Timestamp("2025-07-01"))])
        later = _answers(["c"]).assign(answered_at=pd.Timestamp("2026-01-01"))
        answers = pd.concat([answers, later], ignore_index=True).assign(csat=None)
        answers.loc[len(answers)] = ["d", pd.Timestamp("2025-01-01"), None, 5]
        assert _found(orders, answers)["customer_id"].tolist() == ["a"]
        assert _found(orders, answers, satisfied={"nps": 9, "csat": 5})["customer_id"].tolist() == ["a", "d"]
        assert _found(orders, answers, satisfied={"nps": 8})["customer_id"].tolist() == ["a", "b"]


class TestVerdicts:
    def test_p_and_its_adjustment_are_those_of_other_libraries(self):
        found = indifference(_many(), as_of=AS_OF, window_days=90).customers.execute()
        assert found["windows"].eq(3).all()
        exact = [
            binomtest(int(row.last), int(row.last + row.earlier), 1 / 4, alternative="less").pvalue
            for row in found.itertuples()
        ]
        assert_allclose(found["p"], exact)
        fading, adjusted, *_ = multipletests(exact, alpha=0.05, method="fdr_bh")
        assert_allclose(found["p_adjusted"], adjusted)
        assert found["verdict"].tolist() == ["fading" if is_fading else "within noise" for is_fading in fading]
        assert 5 <= fading.sum() <= 12

    def test_the_summary_counts_the_customers(self):
        found = indifference(_many(), as_of=AS_OF, window_days=90)
        counts = found.customers.execute()["verdict"].value_counts()
        summary = found.summary.loc[0]
        assert summary[["satisfied", "tested", "undecided", "fading"]].tolist() == [40, 40, 0, counts["fading"]]
        assert_allclose(
            summary[["low", "high"]].astype(float), proportion_confint(counts["fading"], 40, method="wilson")
        )

    def test_fewer_than_four_earlier_orders_decide_nothing(self):
        # 199 days hold 1 window before the last, days 91 to 180; of 5 orders in both 1 in the last: p = (1 + 5) / 2^5
        found = _found(_orders(200, 170, 160, 150, 50, 40)).loc[0]
        assert found[["earlier", "last", "verdict"]].tolist() == [3, 2, "undecided"]
        found = _found(_orders(200, 170, 160, 150, 140, 50)).loc[0]
        assert found[["earlier", "last", "verdict"]].tolist() == [4, 1, "within noise"]
        assert found["p"] == pytest.approx(6 / 32)

    def test_who_orders_too_seldom_to_tell_is_undecided_whatever_they_ordered_last(self):
        # 3 windows before the last: all of 10 orders in them has a chance of (3/4)^10 = 0.056, of 11 orders 0.042
        ten = [364, *range(300, 200, -10)]
        found = _found(_orders(*ten)).loc[0]
        assert found[["earlier", "last", "verdict"]].tolist() == [10, 0, "undecided"]
        assert np.isnan(found["p"])
        found = _found(_orders(*ten, 100)).loc[0]
        assert found[["earlier", "last", "verdict"]].tolist() == [11, 0, "fading"]
        assert found["p"] == pytest.approx(0.75**11)
        # what counts are all orders, not only the earlier ones: of 6 earlier and 5 last it is known that none are lost
        found = _found(_orders(364, 300, 280, 260, 240, 220, 200, 5, 4, 3, 2, 1)).loc[0]
        assert found[["earlier", "last", "verdict"]].tolist() == [6, 5, "within noise"]
        # what would be named at 10 % can be told at 10 %
        assert _found(_orders(*ten), false_discoveries=0.1).loc[0, "verdict"] == "fading"

    def test_the_undecided_are_no_tests_that_others_are_corrected_for(self):
        # p = (3/4)^11 for a, one test; b to e could never be told
        orders = [_orders(364, *range(300, 190, -10))]
        orders += [_orders(364, *range(300, 250, -10), who=who) for who in "bcde"]
        found = _found(pd.concat(orders), _answers(list("abcde")))
        assert found["verdict"].tolist() == ["fading", *["undecided"] * 4]
        assert found.loc[0, "p_adjusted"] == pytest.approx(0.75**11)

    def test_more_orders_than_before_are_no_fading(self):
        assert _found(_orders(364, 300, 250, 200, 100, *range(1, 80))).loc[0, "p"] == pytest.approx(1)

    def test_nobody_satisfied_is_no_share(self):
        tables = {"transactions": _orders(300, 200), "surveys": _answers(["a"], nps=3)}
        found = indifference(tables, as_of=AS_OF, window_days=90)
        assert found.summary.loc[0, ["satisfied", "tested", "undecided", "fading"]].tolist() == [0, 0, 0, 0]
        assert found.summary[["share", "low", "high"]].isna().all(axis=None)
        assert len(found.customers.execute()) == 0

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_nothing_changes(self):
        tables = _many()
        before = {name: table.copy(deep=True) for name, table in tables.items()}
        found = indifference(tables, as_of=AS_OF, window_days=90).customers.order_by("customer_id").execute()
        turned = {name: ibis.memtable(table[::-1].reset_index(drop=True)) for name, table in tables.items()}
        again = indifference(turned, as_of=AS_OF, window_days=90).customers.order_by("customer_id").execute()
        pd.testing.assert_frame_equal(again, found)
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, before[name])


class TestFading:
    def test_the_smallest_p_comes_first_and_all_are_counted(self):
        found = indifference(_many(), as_of=AS_OF, window_days=90)
        customers = found.customers.execute()
        named = customers[customers["verdict"] == "fading"].sort_values(["p", "customer_id"], ignore_index=True)
        listed = fading(found)
        pd.testing.assert_frame_equal(listed, named[["customer_id", "last", "expected", "p_adjusted"]])
        assert listed.attrs == {"n": len(named)}
        few = fading(found, most=3)
        assert few["customer_id"].tolist() == named["customer_id"].head(3).tolist()
        assert few.attrs == {"n": len(named)}

    def test_nobody_is_an_empty_list(self):
        tables = {"transactions": _orders(300, 200), "surveys": _answers(["a"])}
        listed = fading(indifference(tables, as_of=AS_OF, window_days=90))
        assert (len(listed), listed.attrs) == (0, {"n": 0})
        assert list(listed) == ["customer_id", "last", "expected", "p_adjusted"]

    def test_nobody_who_orders_at_all_is_an_empty_list(self):
        tables = {"transactions": _orders(300).head(0), "surveys": _answers(["a"])}
        found = indifference(tables, as_of=AS_OF, window_days=90)
        assert found.summary.loc[0, ["satisfied", "tested"]].tolist() == [0, 0]
        assert len(fading(found)) == 0


class TestRefused:
    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"window_days": 0}, r"window_days is 0\. Give 1 day or more"),
            ({"false_discoveries": 1}, r"false_discoveries is 1\. Give a share between 0 and 1, such as 0\.05"),
            ({"confidence": 95}, r"confidence is 95"),
            (
                {"satisfied": {"csat": 5}},
                r"no surveys with customer_id, answered_at and one of: csat\. Declare in satisfied a rating",
            ),
        ],
    )
    def test_a_setting_outside_its_domain(self, setting, message):
        with pytest.raises(MeasureError, match=message):
            _found(_orders(300), **setting)

    @pytest.mark.parametrize("column", ["customer_id", "answered_at", "nps"])
    def test_answers_of_nobody_or_of_no_day(self, column):
        with pytest.raises(MeasureError, match="no surveys with customer_id, answered_at and one of: nps"):
            _found(_orders(300), _answers(["a"]).drop(columns=column))

    def test_absent_orders(self):
        with pytest.raises(MeasureError, match=r"there are no transactions with customer_id and date\. Map them"):
            indifference({"surveys": _answers(["a"])}, as_of=AS_OF, window_days=90)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4)), min_size=1, max_size=12))
def test_a_cell_counts_as_many_tests_as_it_has_customers(cells):
    p, times = zip(*cells, strict=True)
    expected = multipletests(np.repeat(p, times), method="fdr_bh")[1]
    assert_allclose(np.repeat(benjamini_hochberg(p, times), times), expected, atol=1e-12)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_counts_compile_for_every_engine(dialect):
    surveys = {"customer_id": "string", "answered_at": "timestamp", "nps": "int64"}
    orders = {"customer_id": "string", "date": "date", "revenue": "decimal(12, 2)", "transaction_id": "string"}
    tables = {"surveys": ibis.table(surveys, name="surveys"), "transactions": ibis.table(orders, name="transactions")}
    counted = _counts(knowledge(tables, AS_OF), {"nps": 9}, 90, 365)
    assert "CROSS JOIN" in sql_of(_reduce_counts(counted), dialect)
