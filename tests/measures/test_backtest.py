"""Forecasts of purchases held against what came."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError, UnknownNameError
from analysis.measures import backtest as module
from analysis.measures.backtest import LIKE_LAST_YEAR, backtest

SPLIT, AS_OF = dt.date(1997, 10, 1), dt.date(1998, 7, 1)

# Python's lifetimes 0.11.3, calibration_and_holdout_data and conditional_expected_number_of_purchases_up_to_time(39, …)
# on the same split: means by repeat purchases in weeks 1 to 39 (0, 1, … 7 and more), and root mean squared errors
ACTUAL = [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594]
EXPECTED = {
    "bg_nbd": [0.2251, 0.5231, 1.0441, 1.5203, 2.1639, 2.6538, 3.5040, 6.1572],
    "mbg_nbd": [0.1852, 0.5514, 1.0490, 1.4929, 2.1043, 2.5636, 3.3608, 5.8485],
    "pareto_nbd": [0.1384, 0.5995, 1.1958, 1.7138, 2.3983, 2.9072, 3.8186, 6.4031],
}
ERRORS = {"bg_nbd": 1.60798, "mbg_nbd": 1.60718, "pareto_nbd": 1.60285}


@pytest.fixture(scope="module")
def cdnow(public_data):
    lines = pd.read_csv(public_data / "cdnow" / "CDNOW_sample.txt", sep=r"\s+", header=None)
    lines.columns = ["master", "customer_id", "date", "pieces", "revenue"]
    dates = pd.to_datetime(lines["date"].astype(str))
    return lines.assign(date=dates, customer_id=lines["customer_id"].astype(str))


@pytest.fixture(scope="module")
def found(cdnow):
    return backtest(cdnow, split=SPLIT, as_of=AS_OF)


def test_forecasts_by_past_purchases_are_those_of_another_tool(found):
    by = found.customers.pivot_table(index="frequency", columns="model", values=["predicted", "actual"])
    for name, expected in EXPECTED.items():
        assert by["predicted", name].tolist() == pytest.approx(expected, abs=0.0003)
        assert by["actual", name].tolist() == pytest.approx(ACTUAL, abs=0.0001)
    errors = found.scores.set_index("model")["rmse"].drop(LIKE_LAST_YEAR)
    assert errors.to_dict() == pytest.approx(ERRORS, abs=1e-4)


def test_totals_are_those_of_the_ledger(found):
    scores = found.scores.set_index("model")
    assert scores["actual"].eq(1882).all()
    assert scores["customers"].eq(2357).all()
    assert scores.loc["bg_nbd", "predicted"] == pytest.approx(1653, abs=1)
    assert scores.loc[LIKE_LAST_YEAR, "predicted"] == 2457  # 39 weeks before the split are all there are
    assert scores["bias"].tolist() == pytest.approx((scores["predicted"] - 1882).tolist())
    assert scores["bias_share"].tolist() == pytest.approx((scores["predicted"] / 1882 - 1).tolist())
    sums = found.calibration.assign(total=lambda rows: rows["predicted"] * rows["customers"]).groupby("model")["total"]
    assert sums.sum().to_dict() == pytest.approx(scores["predicted"].to_dict())


def test_the_winner_has_the_least_error_and_the_others_are_behind_it(found):
    assert found.winner == found.model == "pareto_nbd"
    assert found.scores["model"].iloc[0] == "pareto_nbd"
    assert found.scores["behind"].tolist() == pytest.approx(
        (found.scores["rmse"] - found.scores["rmse"].min()).tolist()
    )
    told = found.scores.set_index("model")
    assert told.loc[LIKE_LAST_YEAR, "behind_low"] > 0  # the models are better beyond doubt,
    assert told.loc["bg_nbd", "behind_low"] < 0 < told.loc["bg_nbd", "behind_high"]  # and alike among themselves
    assert found.notes == ()


def test_errors_are_those_of_the_customers_one_by_one(cdnow, found):
    days = cdnow[["customer_id", "date"]].drop_duplicates()
    before = days[days["date"] < pd.Timestamp(SPLIT)].groupby("customer_id").size() - 1
    after = days[days["date"] >= pd.Timestamp(SPLIT)].groupby("customer_id").size()
    error = before - after.reindex(before.index).fillna(0)
    told = found.scores.set_index("model").loc[LIKE_LAST_YEAR]
    assert told["mae"] == pytest.approx(error.abs().mean())
    assert told["rmse"] == pytest.approx(np.sqrt((error**2).mean()))


def test_the_interval_of_a_difference_agrees_with_a_bootstrap():
    rng = np.random.default_rng(5)
    error, other = rng.normal(0.2, 1.2, 400), rng.normal(0, 1, 400)
    drawn = rng.integers(0, 400, (2000, 400))
    replicates = np.sqrt((error[drawn] ** 2).mean(axis=1)) - np.sqrt((other[drawn] ** 2).mean(axis=1))
    se = module._se_of_difference(error, other, np.ones(400))
    assert se == pytest.approx(replicates.std(), rel=0.06)


def test_weeks_add_up_and_say_which_of_them_come_after_the_split(found):
    weeks = found.weeks[found.weeks["model"] == "bg_nbd"].set_index("week")
    assert weeks.index.tolist() == list(range(1, 79))
    assert weeks.loc[39, ["actual", "last_day"]].tolist() == [2457, pd.Timestamp("1997-09-30")]
    assert weeks.loc[78, ["actual", "last_day"]].tolist() == [2457 + 1882, pd.Timestamp("1998-06-30")]
    assert weeks["is_holdout"].sum() == 39
    assert weeks["predicted"].is_monotonic_increasing
    assert weeks.loc[39, "predicted"] == pytest.approx(2457, rel=0.02)
    assert weeks.loc[78, "predicted"] == pytest.approx(4339, rel=0.05)


def test_tenths_rise_and_equals_stay_together(found):
    for _name, rows in found.calibration.groupby("model"):
        assert rows["customers"].sum() == 2357
        assert rows["predicted"].is_monotonic_increasing
    baseline = found.calibration[found.calibration["model"] == LIKE_LAST_YEAR]
    assert baseline["customers"].iloc[0] == 1411  # all without a repeat purchase


def orders(times: dict[str, list[str]]) -> pd.DataFrame:
    rows = [(customer, pd.Timestamp(day)) for customer, days in times.items() for day in days]
    return pd.DataFrame(rows, columns=["customer_id", "date"]).assign(revenue=1.0)


LEDGER = orders(
    {
        "ä": ["2025-01-01", "2025-01-01", "2025-02-20", "2025-03-05"],
        "b": ["2025-02-10"],
        "c": ["2025-03-01", "2025-03-02"],
        "d": ["2025-02-01", "2025-02-25", "2025-03-30"],
    }
)


def test_the_baseline_counts_repeat_purchases_in_as_long_a_time_before():
    # split 1 March, 10 days after it, so 19 to 28 February before it: ä 1 (20th), b 0, d 1 (25th); c comes later
    found = backtest(LEDGER, split=dt.date(2025, 3, 1), as_of=dt.date(2025, 3, 11), models=[])
    told = found.scores.iloc[0]
    assert (found.winner, found.model) == (LIKE_LAST_YEAR, None)
    assert told[["customers", "actual", "predicted"]].tolist() == [3, 1, 2]  # ä on 5 March
    assert told["mae"] == pytest.approx(1 / 3)  # only d is missed, by 1
    assert told["rmse"] == pytest.approx(np.sqrt(1 / 3))
    assert found.weeks.empty


def test_models_that_the_data_do_not_identify_say_so_and_cannot_win():
    lone = orders({str(number): [f"2025-01-{1 + number % 28:02}"] for number in range(60)})
    found = backtest(lone, split=dt.date(2025, 3, 1), as_of=dt.date(2025, 5, 1))
    assert (found.winner, found.model) == (LIKE_LAST_YEAR, None)
    assert found.scores.set_index("model")["identified"].to_dict() == {
        "bg_nbd": False,
        "mbg_nbd": False,
        "pareto_nbd": False,
        "nbd": False,
        LIKE_LAST_YEAR: True,
    }
    behind = found.scores.set_index("model")["behind"]
    assert behind.drop(LIKE_LAST_YEAR).isna().all()  # what cannot win is neither behind nor ahead
    assert behind[LIKE_LAST_YEAR] == 0
    assert any(note.startswith("bg_nbd: The likelihood is flat") for note in found.notes)


def test_neither_order_of_rows_nor_kind_of_table_matters_and_the_argument_stays():
    settings = {"split": dt.date(2025, 3, 1), "as_of": dt.date(2025, 4, 1), "models": ["bg_nbd"]}
    kept = LEDGER.copy()
    once = backtest(LEDGER, **settings)
    again = backtest(ibis.memtable(LEDGER.iloc[::-1].reset_index(drop=True)), **settings)
    pd.testing.assert_frame_equal(LEDGER, kept)
    for frame in ("scores", "customers", "calibration", "weeks"):
        pd.testing.assert_frame_equal(getattr(once, frame), getattr(again, frame))


def test_faulty_calls_are_refused():
    day = dt.date(2025, 3, 1)
    with pytest.raises(MeasureError) as caught:
        backtest(LEDGER, split=day, as_of=day)
    assert str(caught.value) == "backtest: split 2025-03-01 is not before as_of 2025-03-01. Name an earlier split."
    with pytest.raises(MeasureError) as caught:
        backtest(LEDGER, split=dt.date(2024, 1, 1), as_of=day)
    assert str(caught.value) == "backtest: nobody bought before the split, 2024-01-01. Name a later split."
    with pytest.raises(UnknownNameError, match="Did you mean 'bg_nbd'"):
        backtest(LEDGER, split=dt.date(2025, 2, 1), as_of=day, models=["bg_nbt"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reductions_compile_for_every_engine(dialect):
    lines = ibis.table({"customer_id": "string", "date": "date", "revenue": "float64"}, name="transactions")
    days = module._purchase_days(lines, AS_OF)
    for reduced in (module._reduce_cells(days, SPLIT, AS_OF), module._reduce_weeks(days, SPLIT)):
        assert "GROUP BY" in sql_of(reduced, dialect)
