from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures import at_risk as module
from analysis.measures import risk_columns
from analysis.measures.at_risk import SHOWN, AtRisk, _Company, _reduce_first, at_risk
from analysis.measures.leakage import AFTERWARDS, TOO_GOOD

AS_OF = dt.date(2026, 1, 1)
TEST = dt.date(2025, 10, 3)
"""90 days before: 31 December, November and 29 of October."""
BEGIN = dt.date(2024, 1, 1)
RATES = {"Rechnung": 1.2, "Überweisung": 0.4}
"""Planted: ends a customer year."""


def company(n: int = 1600, seed: int = 9) -> dict[str, pd.DataFrame]:
    """Customers who come all the time and leave at a constant rate, known from 2024 on."""
    draw = np.random.default_rng(seed)
    payment = draw.choice(list(RATES), n)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 1096, n), unit="D")
    stay = pd.to_timedelta(draw.exponential(365 / np.array([RATES[name] for name in payment])).astype(int), unit="D")
    person = [f"k{who:04}" for who in range(n)]
    ledger = pd.DataFrame({"customer_id": person, "start": start, "ended_on": start + stay, "term_months": 12})
    people = pd.DataFrame({"customer_id": person, "payment": payment, "town": "Köln"})
    at = pd.Timestamp("2024-07-01") + pd.to_timedelta(draw.integers(0, 549, n), unit="D")
    answers = pd.DataFrame({"response_id": person, "customer_id": person, "answered_at": at})
    tables = {"contracts": ledger[ledger["ended_on"] >= pd.Timestamp(BEGIN)], "customers": people}
    return tables | {"surveys": answers.assign(nps=draw.integers(0, 11, n))}


def scored(tables: dict[str, pd.DataFrame], **settings: object) -> AtRisk:
    wanted = {"as_of": AS_OF, "known_from": BEGIN, "constant": "payment", "windows": 2, "bootstrap": 60}
    return at_risk(tables, **wanted | settings)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return company()


@pytest.fixture(scope="module")
def found(tables) -> AtRisk:
    return scored(tables, windows=4)


class TestWindows:
    def test_the_test_ends_today_and_training_lies_before_it(self, found, tables):
        days = ["2024-10-08", "2025-01-06", "2025-04-06", "2025-07-05", "2025-10-03"]
        assert found.windows["use"].tolist() == ["train"] * 4 + ["test"]
        assert found.windows["as_of"].tolist() == [pd.Timestamp(day) for day in days]
        # counted from the ledger: in force on the first day, the last day in force before the 91st
        ledger = tables["contracts"]
        held = [(ledger["start"] < day) & (ledger["ended_on"] >= day) for day in days]
        assert found.windows["customers"].tolist() == [rows.sum() for rows in held]
        ends = [ledger["ended_on"] < pd.Timestamp(day) + pd.Timedelta(90, unit="D") for day in days]
        assert found.windows["left"].tolist() == [(one & two).sum() for one, two in zip(held, ends, strict=True)]

    @pytest.mark.parametrize(
        ("known_from", "uses"),
        [("2024-07-10", 4), ("2024-07-11", 3), ("2025-04-06", 1), ("2025-04-07", 0), (None, 4)],
    )
    def test_none_begins_within_the_first_90_days_on_record(self, tables, known_from, uses):
        company = _Company(tables, AS_OF, 90, (), "UTC")
        days = company.days(4, known_from and dt.date.fromisoformat(known_from))
        assert [use for use, _day in days] == (["train"] * uses + ["test"] if uses else [])

    def test_where_there_are_orders_only_a_year_must_be_known(self):
        orders = pd.DataFrame({"customer_id": "a", "date": pd.to_datetime(["2024-04-06"]), "revenue": 1.0})
        assert [
            len(_Company({"transactions": orders}, AS_OF, 90, (), "UTC").days(windows, None)) for windows in (1, 4)
        ] == [2, 3]

    def test_a_window_of_more_customers_is_sampled_and_says_so(self, tables):
        small = scored(tables, max_rows=300, windows=1, bootstrap=2)
        assert small.windows["used"].tolist() == [300, 300]
        assert (small.windows["customers"] > 300).all()
        assert small.summary.loc[0, "tested"] == 300


class TestRisks:
    def test_a_planted_rate_is_found(self, found, tables):
        ledger = tables["contracts"].merge(tables["customers"], on="customer_id")
        present = ledger[(ledger["start"] < pd.Timestamp(AS_OF)) & (ledger["ended_on"] >= pd.Timestamp(AS_OF))]
        truth = (1 - np.exp(-90 / 365 * present["payment"].map(RATES))).sum()
        assert found.summary.loc[0, "n"] == len(present)
        # over 12 seeds: expected over true 1.05 on the average (sd .07), slope 1.04 (sd .27)
        assert found.summary.loc[0, "expected"] == pytest.approx(truth, rel=0.1)
        own = found.scores.set_index("model").loc[found.found.chosen]
        assert own["slope_low"] < 1 < own["slope_high"]
        assert own["auc_gain"] == own["brier_gain"] == 0
        assert found.scores.set_index("model").loc["base rate", "auc_gain_low"] > 0

    def test_the_highest_risks_come_first_with_what_is_known_to_act_on(self, found):
        assert found.risks.columns.tolist() == ["customer_id", "risk", "contract_days_left", "tenure_days", "nps"]
        assert set(found.risks.columns) - {"customer_id", "risk"} <= set(SHOWN)
        assert len(found.risks) == 20
        assert found.risks["risk"].is_monotonic_decreasing
        told = found.summary.loc[0, ["n", "expected", "horizon", "ordered"]].to_dict()
        assert found.risks.attrs == found.by_risk.attrs == told
        assert told["ordered"]

    def test_the_model_tested_scores_those_present_today(self, found, tables):
        today = _Company(tables, AS_OF, 90, ("payment",), "UTC").features(AS_OF)
        again = found.found.predict(today).head(20)
        pd.testing.assert_frame_equal(found.risks[["customer_id", "risk"]], again, check_dtype=False)

    def test_tenths_of_risk_add_up(self, found):
        summary = found.summary.loc[0]
        assert found.by_risk[["n", "expected", "share"]].sum().tolist() == pytest.approx(
            [summary["n"], summary["expected"], 1]
        )
        assert found.by_risk["tenth"].tolist() == list(range(10, 0, -1))
        assert found.by_risk["risk"].is_monotonic_decreasing

    def test_the_model_knows_whether_a_contract_ends_within_the_horizon(self, found, tables):
        assert risk_columns.ENDS_SOON in found.found.model.numbers
        today = _Company(tables, AS_OF, 90, (), "UTC").features(AS_OF).execute()
        assert ((today["contract_days_left"] < 90) == (today[risk_columns.ENDS_SOON] == 1)).all()


def _rewritten(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Move at random what came to light from the test's first day on, and change what hangs on it."""
    draw = np.random.default_rng(1)
    ledger, answers = tables["contracts"].copy(), tables["surveys"].copy()
    later = ledger["ended_on"] >= pd.Timestamp(TEST)
    ledger.loc[later, "ended_on"] = pd.Timestamp(TEST) + pd.to_timedelta(draw.integers(0, 400, later.sum()), unit="D")
    ledger["reason"] = np.where(later, draw.choice(["Preis", "Umzug"], len(ledger)), "Preis")
    late = answers["answered_at"] >= pd.Timestamp(TEST)
    answers.loc[late, "answered_at"] += pd.to_timedelta(draw.integers(0, 50, late.sum()), unit="D")
    answers.loc[late, "nps"] = draw.integers(0, 11, late.sum())
    begun = ledger["start"] < pd.Timestamp(TEST)
    return tables | {"contracts": ledger[begun], "surveys": answers}


def test_nothing_that_came_to_light_from_the_tests_first_day_on_changes_a_score_of_it(found, tables):
    again = scored(_rewritten(tables), windows=4)
    assert (found.found.chosen, again.found.chosen) == ("logistic", "logistic")
    risks = [one.found.risks.set_index("customer_id").sort_index() for one in (found, again)]
    assert (risks[0]["left"] != risks[1]["left"]).any()
    pd.testing.assert_series_equal(risks[0]["risk"], risks[1]["risk"])


class TestColumns:
    @pytest.fixture(scope="class")
    @classmethod
    def told(cls, tables) -> AtRisk:
        gone = tables["contracts"].set_index("customer_id")["ended_on"] < pd.Timestamp(AS_OF)
        is_gone = tables["customers"]["customer_id"].map(gone).fillna(False).astype(bool)
        people = tables["customers"].assign(
            zufrieden=np.where(is_gone, 1, 5),
            grund=np.where(is_gone, "weg", None),
            seit=pd.Timestamp("2024-01-01"),
            orders=1,
            cause="x",
        )
        asked = ["payment", "zufrieden", "grund", "town", "seit", "orders", "cause", "reason", "nix"]
        return scored(tables | {"customers": people}, constant=asked, windows=1, bootstrap=2)

    def test_what_leaks_or_is_the_same_for_all_is_left_out_and_named(self, told):
        reasons = told.left_out.set_index("column")["reason"].to_dict()
        same = dict.fromkeys(["town"], risk_columns.SAME_FOR_ALL)
        assert reasons == {"zufrieden": TOO_GOOD, "grund": AFTERWARDS, **same}
        assert told.status == module.COMPUTED
        assert set(told.found.model.texts) == {"payment"}
        assert "zufrieden" not in told.found.model.numbers

    def test_attributes_are_used_only_where_they_can_be(self, told):
        assert told.attributes.set_index("attribute")["status"].to_dict() == {
            "term_months": risk_columns.UNDECLARED,
            "cause": risk_columns.TAKEN,
            "grund": risk_columns.USED,
            "orders": risk_columns.TAKEN,
            "payment": risk_columns.USED,
            "seit": risk_columns.A_DATE,
            "town": risk_columns.USED,
            "zufrieden": risk_columns.USED,
            "nix": risk_columns.ABSENT,
            "reason": risk_columns.ABSENT,
        }


class TestExportedLater:
    """The export is later than the day of the report: a mark of who has left knows ends that have not come yet."""

    @staticmethod
    def late(days: int, per_quarter: float = 0.04) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
        """Return tables as known on the as-of date, of customers marked as left ``days`` later, and who had left."""
        draw = np.random.default_rng(5)
        start = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 1000, 900), unit="D")
        stay = draw.exponential(-90 / np.log(1 - per_quarter), 900).astype(int)
        end = pd.Series(start + pd.to_timedelta(stay, unit="D"))
        person = pd.Series([f"k{who:03}" for who in range(900)])
        is_out = end < pd.Timestamp(AS_OF) + pd.Timedelta(days, unit="D")
        people = pd.DataFrame(
            {
                "customer_id": person,
                "zustand": np.where(is_out, "gekündigt", "aktiv"),
                "warum": np.where(is_out, draw.choice(["Preis", "Umzug"], 900), None),
                "zahlart": draw.choice(["Rechnung", "Lastschrift"], 900),
            }
        )
        ledger = pd.DataFrame({"customer_id": person, "start": start, "term_months": draw.choice([1, 12], 900)})
        known = ledger.assign(ended_on=end.where(end < pd.Timestamp(AS_OF)))
        return {"contracts": known, "customers": people}, people.loc[is_out, ["customer_id"]]

    ASKED = ("zustand", "warum", "zahlart", "term_months")

    @pytest.mark.parametrize("days", [10, 90])
    def test_a_mark_of_who_has_left_is_refused_by_the_ends_on_record(self, days):
        tables, ends = self.late(days)
        found = scored(tables, constant=self.ASKED, left_ever=ends, known_from=None, windows=1, bootstrap=2)
        assert found.left_out.set_index("column")["reason"].to_dict() == {"warum": AFTERWARDS, "zustand": TOO_GOOD}
        assert set(found.found.model.texts) == {"zahlart"}
        assert "term_months" in found.found.model.numbers

    def test_or_without_them_for_nobody_else_has_left(self):
        tables, _ends = self.late(60)
        found = scored(tables, constant=self.ASKED, known_from=None, windows=4, bootstrap=2)
        assert found.left_out.set_index("column")["reason"].get("zustand") == TOO_GOOD
        assert not {"zahlart", "term_months"} & set(found.left_out["column"])

    def test_the_ends_on_record_change_nothing_else(self):
        tables, ends = self.late(90)
        plain, checked = (
            scored(tables, constant="zahlart", left_ever=one, known_from=None, windows=1, bootstrap=2)
            for one in (None, ends)
        )
        pd.testing.assert_frame_equal(checked.risks, plain.risks)
        pd.testing.assert_frame_equal(checked.scores, plain.scores)
        assert checked.left_out.empty

    def test_contracts_of_one_month_and_of_years_that_none_could_leave_yet_are_kept(self):
        # of those with a month 85 % have left since the first window, of the others none
        tables, ends = self.late(30)
        draw = np.random.default_rng(3)
        monthly = draw.random(900) < 0.4
        start = pd.Timestamp("2024-06-01") + pd.to_timedelta(draw.integers(0, 60, 900), unit="D")
        end = pd.Series(start + pd.to_timedelta(draw.exponential(330, 900).astype(int), unit="D")).where(monthly)
        ledger = pd.DataFrame({"customer_id": tables["customers"]["customer_id"], "start": start})
        ledger = ledger.assign(term_months=np.where(monthly, 1, 24), tarif=np.where(monthly, "Monat", "Fest"))
        ends = ledger.loc[end.notna(), ["customer_id"]]
        tables = {"contracts": ledger.assign(ended_on=end.where(end < pd.Timestamp(AS_OF)))}
        settings = {"constant": ["term_months", "tarif"], "known_from": None, "bootstrap": 2}
        assert scored(tables, **settings).left_out.empty
        assert scored(tables, **settings, left_ever=ends.head(300)).left_out.empty


class TestWorthless:
    @pytest.fixture(scope="class")
    @classmethod
    def worthless(cls) -> AtRisk:
        # everybody leaves at one rate, whatever is known of them
        draw = np.random.default_rng(8)
        start = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 1000, 900), unit="D")
        end = start + pd.to_timedelta(draw.exponential(500, 900).astype(int), unit="D")
        ledger = pd.DataFrame({"customer_id": [f"k{who:03}" for who in range(900)], "start": start, "ended_on": end})
        return scored({"contracts": ledger}, constant=(), known_from=None)

    def test_scores_no_better_than_chance_give_everybody_the_average(self, worthless):
        trained = worthless.windows[worthless.windows["use"] == "train"]
        average = trained["left"].sum() / trained["used"].sum()
        assert worthless.scores.set_index("model").loc[worthless.found.chosen, "auc_low"] <= 0.5
        assert worthless.risks["risk"].tolist() == pytest.approx([average] * 20)
        row = worthless.summary.loc[0]
        assert not row["ordered"]
        assert row["expected"] == pytest.approx(average * row["n"])

    def test_and_say_so_where_the_list_stands(self, worthless):
        assert worthless.risks.attrs["ordered"] is worthless.by_risk.attrs["ordered"] is False


def test_what_was_not_recorded_yet_in_a_window_is_left_out(tables):
    answers = tables["surveys"].query("answered_at >= '2025-07-06'")
    late = scored(tables | {"surveys": answers}, windows=2, bootstrap=2)
    assert late.left_out[["column", "reason"]].to_numpy().tolist() == [["nps", risk_columns.SAME_FOR_ALL]]
    assert "nps" not in late.found.model.numbers
    assert "nps" in late.risks.columns


class TestNotComputed:
    @pytest.mark.parametrize(
        ("change", "settings", "status"),
        [
            (lambda tables: {"customers": tables["customers"]}, {}, module.NO_LEDGER),
            (lambda tables: {}, {}, module.NO_LEDGER),
            (lambda tables: tables, {"known_from": dt.date(2025, 6, 1)}, module.TOO_FEW_WINDOWS),
            (lambda tables: {"contracts": tables["contracts"].head(0)}, {"known_from": None}, module.TOO_FEW_WINDOWS),
            (lambda tables: tables | {"contracts": tables["contracts"].head(0)}, {}, module.TOO_FEW_LEFT),
            (lambda tables: tables | {"contracts": tables["contracts"].head(1)}, {}, module.TOO_FEW_LEFT),
            (
                lambda tables: tables | {"contracts": tables["contracts"].assign(ended_on=pd.NaT)},
                {},
                module.TOO_FEW_LEFT,
            ),
            (
                lambda tables: tables | {"contracts": tables["contracts"].query("ended_on < '2026-01-01'")},
                {},
                module.TOO_FEW_STAYED,
            ),
            (
                lambda tables: {
                    "contracts": tables["contracts"][["customer_id", "ended_on"]].assign(
                        start=pd.Timestamp("2023-01-01")
                    )
                },
                {"windows": 1},
                module.ALL_ALIKE,
            ),
        ],
    )
    def test_too_little_data_is_said_and_does_not_fail(self, tables, change, settings, status):
        found = scored(change(tables), **{"windows": 1, "constant": ()} | settings)
        assert found.status == found.summary.loc[0, "status"] == status
        assert found.found is None
        for frame in (found.scores, found.calibration, found.risks, found.by_risk):
            assert frame.empty
            assert len(frame.columns) > 1
        assert found.risks.attrs == {"n": 0, "expected": 0, "horizon": 90, "ordered": False}

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ({"horizon": 0}, r"^at_risk: horizon is 0\. Give at least 1\.$"),
            ({"horizon": 10**10}, r"^at_risk: horizon is 10000000000\. Give at most 36525 days\.$"),
            ({"windows": 0}, r"^at_risk: windows is 0\. Give at least 1\.$"),
            ({"most": 0}, "most is 0"),
            ({"max_rows": 0}, "max_rows is 0"),
            ({"bootstrap": 0}, "bootstrap is 0"),
            ({"confidence": 1}, "at_risk: confidence is 1"),
        ],
    )
    def test_a_setting_outside_its_domain_is_an_error_even_so(self, setting, message):
        with pytest.raises(MeasureError, match=message):
            at_risk({}, as_of=AS_OF, **setting)


def test_kinds_of_table_and_order_of_rows_do_not_matter_and_nothing_changes(tables):
    before = {name: frame.copy(deep=True) for name, frame in tables.items()}
    plain = scored(tables, windows=1, bootstrap=2)
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(frame, before[name])
    turned = {name: ibis.memtable(frame[::-1].reset_index(drop=True)) for name, frame in tables.items()}
    again = scored(turned, windows=1, bootstrap=2)
    pd.testing.assert_frame_equal(again.risks, plain.risks)
    pd.testing.assert_frame_equal(again.scores, plain.scores)


def test_without_contracts_buyers_are_at_risk_of_a_year_without_an_order():
    # who has bought since this day a year ago is present; seldom buyers leave
    draw = np.random.default_rng(2)
    frequent = np.arange(400) % 2 == 0
    gaps = draw.exponential(np.where(frequent, 40, 300)[:, None], (400, 60)).cumsum(axis=1).astype(int)
    date = pd.Timestamp("2023-01-01") + pd.to_timedelta(gaps.ravel(), unit="D")
    orders = pd.DataFrame({"customer_id": np.repeat(np.arange(400).astype(str), 60), "date": date, "revenue": 5.0})
    orders = orders[orders["date"] < pd.Timestamp(AS_OF)]
    found = at_risk({"transactions": orders}, as_of=AS_OF, windows=3, bootstrap=20)
    assert found.status == module.COMPUTED
    assert found.scores["model"].tolist() == ["logistic", "boosting", "base rate"]
    assert not found.risks["customer_id"].astype(int).isin(np.flatnonzero(frequent)).any()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_asked_of_the_engine_compiles_for_every_engine(dialect):
    table = ibis.table({"customer_id": "string", "start": "timestamp", "term_months": "int64"}, name="contracts")
    assert "MIN" in sql_of(_reduce_first(table, "start"), dialect)
    ends = ibis.table({"customer_id": "string"}, name="ends")
    window = _Company({"contracts": table}, AS_OF, 90, (), "UTC", ends).window(TEST)
    assert "_ended" in sql_of(window, dialect)


def test_of_the_telecom_sample_satisfaction_is_refused_and_tenure_is_not(public_data: Path):
    folder = public_data / "telco_ibm"
    told = ["Customer ID", "Satisfaction Score", "Churn Category"]
    status = pd.read_excel(folder / "Telco_customer_churn_status.xlsx", usecols=told)
    services = pd.read_csv(
        folder / "Telco-Customer-Churn.csv", usecols=["customerID", "tenure", "Contract", "Churn"]
    ).rename(columns={"customerID": "customer_id"})
    people = services.merge(status.rename(columns={"Customer ID": "customer_id"}), on="customer_id")
    # the sample has no dates: whoever left is made to leave on some day of the last year
    draw = np.random.default_rng(0)
    end = pd.Timestamp(AS_OF) - pd.to_timedelta(draw.integers(1, 366, len(people)), unit="D")
    left = people["Churn"] == "Yes"
    days = pd.to_timedelta((people["tenure"] * 30.4).round() + 1, unit="D")
    ledger = pd.DataFrame({"customer_id": people["customer_id"], "start": end.where(left, pd.Timestamp(AS_OF)) - days})
    tables = {"contracts": ledger.assign(ended_on=end.where(left)), "customers": people}
    constant = ["Satisfaction Score", "Contract", "Churn Category"]
    found = at_risk(tables, as_of=AS_OF, constant=constant, windows=2, bootstrap=20)
    assert found.left_out.set_index("column")["reason"].to_dict() == {
        "Satisfaction Score": TOO_GOOD,
        "Churn Category": AFTERWARDS,
    }
    assert found.found.model.numbers == ("tenure_days",)
    assert found.found.model.texts == ("Contract",)
