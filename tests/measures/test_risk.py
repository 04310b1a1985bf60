from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from sklearn.metrics import brier_score_loss, roc_auc_score

from analysis.errors import MeasureError
from analysis.measures.features import features_as_of
from analysis.measures.risk import risk_scores, with_outcome
from analysis.measures.risk_windows import _reduce_sample
from analysis.measures.spells import spells

EARLY, LATE, TEST, NOW = (dt.date(2024, 1, 1), dt.date(2024, 7, 1), dt.date(2025, 1, 1), dt.date(2025, 7, 1))


def _customers(day: dt.date, n: int = 300, *, curved: bool = False) -> pd.DataFrame:
    """Customers of a window, seeded by its day: the fewer orders the likelier they leave; or those in the middle do."""
    draw = np.random.default_rng(day.toordinal())
    orders = draw.integers(0, 10, n)
    chance = np.where(abs(orders - 4.5) < 2, 0.8, 0.1) if curved else 1 / (1 + np.exp(orders - 1.5))
    return pd.DataFrame(
        {
            "customer_id": [f"{day}-{who:04}" for who in draw.permutation(n)],
            "orders": np.where(draw.random(n) < 0.1, np.nan, orders),
            "region": draw.choice(["Süd", "Nord", None], n),
            "member": draw.random(n) < 0.5,
            "contract_days_left": draw.integers(0, 360, n),
            "left": draw.binomial(1, chance),
        }
    )


def _scores(features_at=_customers, **settings: object):
    return risk_scores(features_at, **{"horizon": 90, "train": [EARLY, LATE], "test": TEST, "bootstrap": 40} | settings)


@pytest.fixture(scope="module")
def plain():
    return _scores()


class TestRiskScores:
    def test_every_model_is_marked_on_the_test_window(self, plain):
        assert plain.scores["model"].tolist() == ["logistic", "boosting", "base rate", "contract ends"]
        risks = plain.risks.merge(_customers(TEST)[["customer_id", "left"]], on="customer_id", suffixes=("", "_true"))
        assert (risks["left"] == risks["left_true"]).all()
        chosen = plain.scores.loc[0]
        assert chosen["auc"] == pytest.approx(roc_auc_score(risks["left"], risks["risk"]))
        assert chosen["brier"] == pytest.approx(brier_score_loss(risks["left"], risks["risk"]))
        assert chosen["auc_low"] < chosen["auc"] < chosen["auc_high"]

    def test_a_planted_slope_is_found(self, plain):
        assert plain.scores.loc[0, "auc"] > 0.75
        assert 0.7 < plain.scores.loc[0, "slope"] < 1.4
        assert plain.scores.loc[0, "lift"] > 2

    def test_the_base_rate_is_that_of_training(self, plain):
        base = pd.concat([_customers(EARLY), _customers(LATE)])["left"].mean()
        left = _customers(TEST)["left"]
        row = plain.scores.set_index("model").loc["base rate"]
        assert row["brier"] == pytest.approx(((left - base) ** 2).mean())
        assert row[["auc", "lift"]].tolist() == [0.5, pytest.approx(1)]

    def test_contracts_that_end_within_the_horizon_are_a_forecast(self, plain):
        known = pd.concat([_customers(EARLY), _customers(LATE)])
        share = known.groupby(known["contract_days_left"] < 90)["left"].mean()
        tested = _customers(TEST)
        forecast = np.where(tested["contract_days_left"] < 90, share[True], share[False])
        row = plain.scores.set_index("model").loc["contract ends"]
        assert row["brier"] == pytest.approx(((tested["left"] - forecast) ** 2).mean())

    def test_without_that_column_there_is_no_such_baseline(self):
        found = _scores(lambda day: _customers(day).drop(columns="contract_days_left"), bootstrap=2)
        assert found.scores["model"].tolist() == ["logistic", "boosting", "base rate"]

    def test_logistic_regression_scores_where_boosting_is_not_clearly_better(self, plain):
        assert plain.chosen == "logistic"
        assert plain.brier_difference[2] >= 0
        assert plain.scores["chosen"].tolist() == [True, False, False, False]

    def test_boosting_scores_where_it_is(self):
        found = _scores(lambda day: _customers(day, 500, curved=True))
        assert found.chosen == "boosting"
        difference, low, high = found.brier_difference
        assert low < difference < high < 0
        brier = found.scores.set_index("model")["brier"]
        assert difference == pytest.approx(brier["boosting"] - brier["logistic"])

    def test_calibration_covers_all_customers_of_the_test_window(self, plain):
        assert plain.calibration[["n", "left"]].sum().tolist() == [300, _customers(TEST)["left"].sum()]

    def test_customers_of_today_are_scored_without_an_outcome(self, plain):
        today = _customers(NOW).drop(columns="left")
        found = plain.predict(today)
        assert found["risk"].is_monotonic_decreasing
        assert sorted(found["customer_id"]) == sorted(today["customer_id"])
        # the same customer has the same risk, tested or scored, in frames and tables
        again = plain.predict(ibis.memtable(_customers(TEST).drop(columns="left")))
        pd.testing.assert_frame_equal(again, plain.risks[["customer_id", "risk"]])

    def test_values_not_seen_in_training_have_a_risk(self, plain):
        today = _customers(NOW).drop(columns="left").assign(region="Übersee", orders=np.nan)
        assert plain.predict(today)["risk"].between(0, 1).all()

    def test_rows_and_kind_of_table_do_not_matter_and_nothing_changes(self, plain):
        frames = {day: _customers(day) for day in (EARLY, LATE, TEST)}
        before = {day: frame.copy(deep=True) for day, frame in frames.items()}
        again = _scores(lambda day: frames[day])
        for day, frame in frames.items():
            pd.testing.assert_frame_equal(frame, before[day])
        turned = _scores(lambda day: ibis.memtable(frames[day][::-1].reset_index(drop=True)), train=[LATE, EARLY])
        for found in (again, turned):
            pd.testing.assert_frame_equal(found.scores, plain.scores)
            pd.testing.assert_frame_equal(found.risks, plain.risks)

    def test_a_window_of_more_rows_is_sampled_and_says_so(self):
        found = [_scores(max_rows=100, seed=seed, bootstrap=2) for seed in (1, 1, 2)]
        windows = found[0].windows
        assert windows["use"].tolist() == ["train", "train", "test"]
        assert windows["as_of"].tolist() == [pd.Timestamp(day) for day in (EARLY, LATE, TEST)]
        assert windows[["customers", "used"]].to_numpy().tolist() == [[300, 100]] * 3
        drawn = [set(one.risks["customer_id"]) for one in found]
        assert drawn[0] == drawn[1] != drawn[2]
        assert windows.loc[2, "left"] == found[0].risks["left"].sum()


def _with(**columns: object):
    return lambda day: _customers(day).assign(**columns)


class TestRefused:
    def test_a_training_window_that_is_not_over_when_the_test_begins(self):
        with pytest.raises(MeasureError) as caught:
            _scores(train=dt.date(2024, 10, 4))
        assert str(caught.value) == (
            "risk_scores: what comes of the training window of 2024-10-04 within 90 days is not known on 2025-01-01, "
            "when the test begins. Train on days up to 2024-10-03."
        )

    def test_one_that_is_over_on_that_day_is_not(self):
        assert len(_scores(train=dt.date(2024, 10, 3), bootstrap=2).windows) == 2

    @pytest.mark.parametrize(
        ("features_at", "message"),
        [
            (
                lambda day: _customers(day).assign(zufrieden=lambda rows: 5 - 4 * rows["left"]),
                r"leaking: 'zufrieden' tells who left by itself \(AUC 1\.00\)",
            ),
            (
                lambda day: _customers(day).assign(reason=lambda rows: rows["region"]),
                r"leaking: 'reason' known only after the fact",
            ),
            (_with(ended_on=pd.Timestamp("2025-01-01")), r"feature 'ended_on' holds timestamp"),
            (_with(customer_id="a"), r"300 rows stand for 1 customers\. Give one row each"),
            (_with(left=2), r"'left' is other than 0 and 1 in 300 of 300 rows\. Give whether each customer left"),
            (_with(left=None), r"'left' is other than 0 and 1 in 300 of 300 rows"),
            (_with(left=0), r"0 of 600 customers left in training\. Give windows in which some left and some stayed"),
            (lambda day: _customers(day)[["customer_id", "left"]], "there is no feature"),
            (lambda day: _customers(day).drop(columns="left"), "column 'left' is absent"),
            (
                lambda day: _customers(day).drop(columns=["region"] if day == TEST else []),
                r"absent in the test window: region\. Give the same columns",
            ),
        ],
    )
    def test_rows_that_do_not_serve(self, features_at, message):
        with pytest.raises(MeasureError, match=message):
            _scores(features_at)

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"horizon": 0}, r"horizon is 0\. Give at least 1"),
            ({"max_rows": 0}, "max_rows is 0"),
            ({"bootstrap": 0}, "bootstrap is 0"),
            ({"confidence": 95}, "confidence is 95"),
            ({"train": []}, r"there is no training window\. Give at least one day in train"),
        ],
    )
    def test_a_setting_outside_its_domain(self, setting, message):
        with pytest.raises(MeasureError, match=message):
            _scores(**setting)


class TestWithOutcome:
    def test_left_is_who_ended_within_the_horizon(self):
        ends = {"a": "2025-01-01", "b": "2025-03-31", "c": "2025-04-01", "d": None, "e": "2024-12-31"}
        ledger = pd.DataFrame({"customer_id": list(ends), "start": pd.Timestamp("2024-01-01")})
        ledger["ended_on"] = pd.to_datetime(list(ends.values()))
        # f comes back after a pause, g has not begun
        more = pd.DataFrame({"customer_id": ["f", "f", "g"], "start": ["2024-01-01", "2025-03-01", "2025-02-01"]})
        more["ended_on"] = pd.to_datetime(["2025-01-31", None, None])
        ledger = pd.concat([ledger, more.assign(start=pd.to_datetime(more["start"]))])
        people = features_as_of({"contracts": ledger}, as_of=TEST)
        # 90 days from 1 January to 31 March
        found = with_outcome(people, spells(ledger, as_of=NOW), as_of=TEST, horizon=90, known_to=NOW)
        left = found.order_by("customer_id").execute().set_index("customer_id")["left"].to_dict()
        assert left == {"a": 1, "b": 1, "c": 0, "d": 0, "f": 1}

    def test_a_horizon_that_ends_after_what_is_known_is_refused(self):
        ledger = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2024-01-01"])})
        people = pd.DataFrame({"customer_id": ["a"]})
        window = {"as_of": dt.date(2025, 4, 3), "horizon": 90, "known_to": NOW}
        with pytest.raises(MeasureError) as caught:
            with_outcome(people, spells(ledger, as_of=NOW), **window)
        assert str(caught.value) == (
            "with_outcome: who left by 2025-07-02 is not known on 2025-07-01. Give an as_of of 2025-04-02 or earlier."
        )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_asked_of_the_engine_compiles_for_every_engine(dialect):
    table = ibis.table({"customer_id": "string", "left": "int64", "nps": "int64", "region": "string"}, name="customers")
    sql = sql_of(_reduce_sample(table, ["left"], 10, 0), dialect)
    assert "COUNT(*) OVER" in sql
    assert "LIMIT 10" in sql


def test_scores_of_a_company_with_a_planted_hazard_are_calibrated():
    # who pays by invoice leaves at twice the rate of others, 0.3 a year; everybody has been there since 2023
    draw = np.random.default_rng(8)
    n = 1500
    invoice = draw.random(n) < 0.4
    days = draw.exponential(365 / np.where(invoice, 0.6, 0.3)).astype(int)
    ledger = pd.DataFrame({"customer_id": np.arange(n).astype(str), "start": pd.Timestamp("2023-01-01")})
    ends = ledger["start"] + pd.to_timedelta(days, unit="D")
    ledger = ledger.assign(ended_on=ends.where(ends < pd.Timestamp(NOW)), term_months=12)
    people = pd.DataFrame(
        {"customer_id": ledger["customer_id"], "payment": np.where(invoice, "Rechnung", "Lastschrift")}
    )
    tables, watched = {"contracts": ledger, "customers": people}, spells(ledger, as_of=NOW)

    def features_at(day: dt.date):
        known = features_as_of(tables, as_of=day, constant="payment")
        return with_outcome(known, watched, as_of=day, horizon=181, known_to=NOW)

    found = risk_scores(features_at, horizon=181, train=[EARLY, LATE], test=TEST, bootstrap=100)
    risk = found.risks.merge(people, on="customer_id").groupby("payment")["risk"].mean()
    # within 181 days leave 1 - exp(-0.6 · 181 / 365) and 1 - exp(-0.3 · 181 / 365)
    assert_allclose([risk["Rechnung"], risk["Lastschrift"]], [0.257, 0.138], atol=0.03)
    logistic = found.scores.set_index("model").loc["logistic"]
    assert logistic["slope_low"] < 1 < logistic["slope_high"]
    begun = ledger["start"].iloc[0]
    first_days = [(pd.Timestamp(day) - begun).days for day in (EARLY, LATE, TEST)]
    assert found.windows["left"].tolist() == [((days >= first) & (days < first + 181)).sum() for first in first_days]
