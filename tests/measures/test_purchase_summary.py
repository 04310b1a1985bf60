"""Customers counted by purchase days, spend and opportunities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of
from pandas.testing import assert_frame_equal
from shop_data import END, cdnow, german_csv, olist

from analysis.errors import MeasureError
from analysis.measures import purchase_summary as summaries
from analysis.measures.purchase_summary import (
    opportunity_summary,
    purchase_history,
    purchase_summary,
    purchase_totals,
    spend_history,
    spend_summary,
)

MEASURES: dict[str, Callable] = {
    "purchase_summary": purchase_summary,
    "purchase_history": purchase_history,
    "spend_summary": spend_summary,
    "spend_history": spend_history,
    "opportunity_summary": partial(opportunity_summary, unit="quarter"),
    "purchase_totals": purchase_totals,
}
LAST = dt.date(2026, 3, 31)


def orders(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "revenue"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


SHOP = orders(
    ("Müller", "2026-01-01", 10.0),  # two lines of one day are one purchase day of 13.10
    ("Müller", "2026-01-01", 3.1),
    ("Müller", "2026-01-09", 0.0),  # a day with revenue 0 is one
    ("Müller", "2026-01-20", -4.0),  # a return on a day of its own is none
    ("Müller", "2026-01-29", 20.0),  # a return on the day of a purchase lowers its spend
    ("Müller", "2026-01-29", -5.5),
    ("Ä", "2026-03-31", 8.0),  # on the last day: age 0
    ("b", "2026-03-01", -8.0),  # returns only: no customer of the models
    ("c", "2026-04-01", 8.0),  # after the end
    ("c", "2025-12-31", 2.0),
)
# Müller: first 2026-01-01, last 2026-01-29: 28 days, 89 to the end; c: 90 days to the end


def test_purchase_days_recency_and_age_are_those_of_the_convention():
    found = purchase_summary(SHOP, end=LAST)
    expected = pd.DataFrame(
        {"frequency": [0, 0, 2], "recency": [0, 0, 28 / 7], "age": [0, 90 / 7, 89 / 7], "customers": [1, 1, 1]}
    )
    assert_frame_equal(found, expected, check_dtype=False)


def test_days_may_be_the_unit():
    assert purchase_summary(SHOP, end=LAST, unit="day")[["recency", "age"]].to_numpy().tolist() == [
        [0, 0],
        [0, 90],
        [28, 89],
    ]


def test_customers_alike_share_a_row_and_the_history_has_one_each():
    twice = pd.concat([SHOP, SHOP.assign(customer_id=SHOP["customer_id"] + "2")])
    assert purchase_summary(twice, end=LAST)["customers"].tolist() == [2, 2, 2]
    history = purchase_history(twice, end=LAST).execute().set_index("customer_id")
    assert sorted(history.index) == ["Müller", "Müller2", "c", "c2", "Ä", "Ä2"]
    assert history.loc["Müller2", ["frequency", "recency", "age"]].tolist() == [2, 4, 89 / 7]
    assert history.loc["Müller", ["first", "last"]].astype(str).tolist() == ["2026-01-01", "2026-01-29"]


def test_spend_leaves_the_first_day_out_and_takes_the_returns_of_a_purchase_day_off():
    # Müller's repeat days: 0.00 and 20.00 - 5.50, so 7.25 on average; the return of 4.00 on the 20th changes nothing
    assert spend_summary(SHOP, end=LAST).to_numpy().tolist() == [[2, 7.25, 1]]
    history = spend_history(SHOP, end=LAST).execute().set_index("customer_id").sort_index()
    assert history["frequency"].to_dict() == {"Müller": 2, "c": 0, "Ä": 0}
    assert history.loc["Müller", "mean_spend"] == 7.25
    assert history["mean_spend"].isna().sum() == 2


def test_what_the_summaries_leave_out_is_told_as_totals():
    # days: Müller 3, Ä 1, c 1; spend 13.10 + 0 + 14.50 + 8 + 2; returned 4 and 8, the latter by b, who bought nothing
    (found,) = purchase_totals(SHOP, end=LAST).to_dict("records")
    assert found == {
        "customers": 3,
        "purchase_days": 5,
        "repeat_purchase_days": 2,
        "spend": 37.6,
        "returned": -12.0,
        "returning": 1,
    }


def test_money_is_summed_in_cents_so_that_order_does_not_matter():
    dimes = orders(("a", "2026-01-01", 1.0), *[("a", "2026-01-02", 0.1)] * 10, ("b", "2026-01-01", 2.0))
    dimes = pd.concat([dimes, orders(("b", "2026-01-02", 1.0))])
    assert spend_summary(dimes, end=LAST).to_numpy().tolist() == [[1, 1.0, 2]]


def test_opportunities_are_calendar_units_after_that_of_the_first_purchase():
    # a: first in 2023, again in 2024 (two days) and 2026: 2 of 3 years, the last the third; b: first in the last year
    gifts = orders(
        *(("a", "2023-12-31", 5), ("a", "2024-01-01", 5), ("a", "2024-11-11", 5), ("a", "2026-12-31", 5)),
        *(("b", "2026-02-02", 5), ("b", "2026-03-03", 5), ("c", "2025-05-05", -5)),
    )
    found = opportunity_summary(gifts, end=dt.date(2026, 12, 31))
    assert found.to_numpy().tolist() == [[0, 0, 0, 1], [2, 3, 3, 1]]
    assert found.dtypes.astype(str).tolist() == ["int64"] * 4
    months = opportunity_summary(gifts, end=dt.date(2024, 2, 29), unit="month")
    assert months.to_numpy().tolist() == [[1, 1, 2, 1]]  # a from December 2023: January, not February
    quarters = opportunity_summary(gifts, end=dt.date(2024, 12, 31), unit="quarter")
    assert quarters.to_numpy().tolist() == [[2, 4, 4, 1]]


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_order_type_and_time_of_day_do_not_matter_and_nothing_is_changed(measure: Callable):
    before = SHOP.copy()
    shuffled = SHOP.sample(frac=1, random_state=1).assign(date=lambda rows: rows["date"] + pd.Timedelta(hours=5))
    found = [_rows(measure(table, end=LAST)) for table in (SHOP, shuffled, ibis.memtable(SHOP))]
    assert found[0] == found[1] == found[2]
    assert_frame_equal(SHOP, before)


def _rows(found: pd.DataFrame | ibis.Table) -> list:
    frame = found if isinstance(found, pd.DataFrame) else found.order_by("customer_id").execute()
    return frame.astype(str).to_numpy().tolist()


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_rows_without_customer_date_or_revenue_are_left_out(measure: Callable):
    gaps = pd.DataFrame(
        {
            "customer_id": [None, "a", "a"],
            "date": pd.to_datetime(["2026-01-01", None, "2026-01-01"]),
            "revenue": [1.0, 1.0, np.nan],
        }
    )
    found = measure(pd.concat([SHOP, gaps]), end=LAST)
    assert _rows(found) == _rows(measure(SHOP, end=LAST))


@pytest.mark.parametrize("name", MEASURES)
def test_an_absent_column_is_named(name: str):
    with pytest.raises(MeasureError, match=rf"^{name}: column 'revenue' is absent"):
        MEASURES[name](SHOP.rename(columns={"revenue": "umsatz"}), end=LAST)


def test_without_a_purchase_there_are_no_rows():
    returns = orders(("a", "2026-01-01", -1.0))
    assert purchase_summary(returns, end=LAST).shape == (0, 4)
    assert spend_summary(returns, end=LAST).shape == (0, 3)
    assert opportunity_summary(returns, end=LAST, unit="month").shape == (0, 4)
    assert purchase_totals(returns, end=LAST)[["customers", "returning"]].to_numpy().tolist() == [[0, 1]]
    assert purchase_totals(returns[:0], end=LAST).to_numpy().tolist() == [[0] * 6]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: purchase_summary(SHOP, end=LAST, unit="month"),
            "purchase_summary: unknown unit 'month'. Known: day, week.",
        ),
        (
            lambda: opportunity_summary(SHOP, end=LAST, unit="week"),
            "opportunity_summary: unknown unit 'week'. Known: month, quarter, year.",
        ),
        (
            lambda: opportunity_summary(SHOP, end=LAST),
            "opportunity_summary: end 2026-03-31 is not the last day of a year. Name the last day of one.",
        ),
    ],
)
def test_an_unknown_unit_or_an_end_within_one_is_refused(call: Callable, said: str):
    with pytest.raises(MeasureError) as refused:
        call()
    assert str(refused.value) == said


@pytest.mark.parametrize("read", [cdnow, german_csv])
def test_cdnow_has_the_counts_of_the_literature(public_data: Path, read: Callable):
    found = purchase_summary(read(public_data), end=END)
    assert found["customers"].sum() == 2357
    assert (found["customers"] * found["frequency"]).sum() == 2457
    assert found.loc[found["frequency"] > 0, "customers"].sum() == 946
    assert spend_summary(read(public_data), end=END)["customers"].sum() == 946


def test_cdnow_and_its_german_export_give_the_same(public_data: Path):
    american, german = cdnow(public_data), german_csv(public_data)
    for measure in (purchase_summary, spend_summary, purchase_totals):
        assert_frame_equal(measure(american, end=END), measure(german, end=END))


def test_the_summaries_are_those_of_a_pandas_calculation(public_data: Path):
    lines = olist(public_data)
    end = dt.date(2018, 6, 30)
    lines = lines.assign(day=lines["date"].dt.normalize(), cents=(lines["revenue"] * 100).round())
    days = lines[lines["day"] <= pd.Timestamp(end)].groupby(["customer_id", "day"])["cents"].sum().reset_index()
    first = days.groupby("customer_id")["day"].transform("min")
    by_customer = days.groupby("customer_id")["day"].agg(["min", "max", "count"])
    by_customer["repeats"] = days["cents"].where(days["day"] > first, 0).groupby(days["customer_id"]).sum()
    peer = pd.DataFrame(
        {
            "frequency": by_customer["count"] - 1,
            "recency": (by_customer["max"] - by_customer["min"]).dt.days / 7,
            "age": (pd.Timestamp(end) - by_customer["min"]).dt.days / 7,
        }
    )
    counted = peer.value_counts().sort_index().rename("customers").reset_index()
    assert_frame_equal(purchase_summary(lines, end=end), counted)
    repeats = peer.assign(mean_spend=by_customer["repeats"] / (100 * peer["frequency"]))[peer["frequency"] > 0]
    counted = repeats[["frequency", "mean_spend"]].value_counts().sort_index().rename("customers").reset_index()
    assert_frame_equal(spend_summary(lines, end=end), counted)


REDUCTIONS: dict[str, Callable[[ibis.Table], ibis.Table]] = {
    "purchase_summary": lambda table: summaries._reduce_purchase_summary(table, LAST),
    "spend_summary": summaries._reduce_spend_summary,
    "opportunity_summary": lambda table: summaries._reduce_opportunity_summary(table, LAST, 3),
    "purchase_totals": summaries._reduce_purchase_totals,
    "purchase_history": lambda table: purchase_history(table, end=LAST),
    "spend_history": lambda table: spend_history(table, end=LAST),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_what_is_handed_to_the_engine_compiles_for_all(name: str, dialect: str):
    table = ibis.table({"customer_id": "string", "date": "timestamp", "revenue": "float64"}, name="transactions")
    sql = sql_of(REDUCTIONS[name](summaries._ledger(name, table, LAST)), dialect)
    assert sqlglot.parse_one(sql, dialect={"pyspark": "spark"}.get(dialect, dialect)).find(sqlglot.exp.Group)
