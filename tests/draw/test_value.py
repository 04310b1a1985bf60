from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from chart_samples import WORTH

from analysis.draw import care, forecasts, language, losses, value, value_notes, value_sections, value_tables
from analysis.draw.definitions import DEFINITIONS
from analysis.draw.tables import Table
from analysis.errors import MeasureError

NAN = float("nan")
TOTALS = pd.DataFrame(
    [
        ("contract", "A", 40, 9000.0, 8000.0, 7000.0, 9000.0, 200.0),
        ("contract", "all", 40, 9000.0, 8000.0, 7000.0, 9000.0, 200.0),
        ("purchases", "A", 10, 500.0, 400.0, 300.0, 500.0, 40.0),
        ("purchases", "none", 50, 100.0, -20.0, -40.0, 0.0, -0.4),
        ("purchases", "all", 60, 600.0, 380.0, 280.0, 480.0, 6.33),
        ("all", "A", 50, 9500.0, 8400.0, 7300.0, 9500.0, 168.0),
        ("all", "none", 50, 100.0, -20.0, -40.0, 0.0, -0.4),
        ("all", "all", 100, 9600.0, 8380.0, 7300.0, 9460.0, 83.8),
    ],
    columns=["kind", "class", "customers", "past_value", "expected_value", "low", "high", "average_expected_value"],
)
SUMMARY = pd.DataFrame(
    [
        {
            "status": "computed",
            "months": 12.0,
            "n": 100,
            "missing": 0,
            "negative": 7,
            "model": "bg_nbd",
            "winner": "bg_nbd",
            "won": 6,
            "acquisition": 57.5,
            "tested": "computed",
            "split": pd.Timestamp("2025-10-01"),
            "as_of": pd.Timestamp("2026-10-01"),
            "test_days": 365,
            "source": "transactions contracts",
        }
    ]
)
SHAPE = pd.DataFrame({"top_20_share": [0.61], "gini": [0.5], "positive": [80]})
TENTHS = pd.DataFrame(
    {
        "tenth": [10, 9],
        "customers": [10, 10],
        "expected_value": [5000.0, 2000.0],
        "mean": [500.0, 200.0],
        "share": [0.5, 0.2],
        "low": [100.0, 0.0],
        "high": [1200.0, 700.0],
    }
)
SCORES = pd.DataFrame(
    {
        "model": ["bg_nbd", "like last year", "pareto_nbd"],
        "identified": [True, True, False],
        "customers": 300,
        "actual": 600,
        "predicted": [630.0, 700.0, 610.0],
        "bias_share": [0.05, 0.1667, 0.0167],
        "mae": [1.5, 1.9, 1.5],
        "rmse": [2.5, 3.0, 2.6],
        "behind": [0.0, 0.5, 0.1],
        "behind_low": [0.0, 0.3, -0.1],
        "behind_high": [0.0, 0.7, 0.3],
        "chosen": [True, False, False],
    }
)
LOSSES = pd.DataFrame(
    {
        "class": ["A", "none", "all"],
        "customers": [40, 3, 43],
        "expected_value": [8000.0, 300.0, 8300.0],
        "expected_loss": [400.0, 30.0, 430.0],
        "low": [100.0, 0.0, 120.0],
        "high": [700.0, 60.0, 740.0],
        "share": [0.05, 0.1, 0.052],
    }
)
FIRST = pd.DataFrame(
    {
        "customer_id": ["K-Ä<1>", "K-2"],
        "class": ["A", "none"],
        "risk": [0.2, 0.1],
        "expected_value": [600.0, 300.0],
        "expected_loss": [120.0, 30.0],
    }
)
BUDGET = pd.DataFrame(
    {
        "class": ["A", "none"],
        "customers": [50, 4],
        "care_share": 0.1,
        "acquisition_share": 0.3,
        "horizon_months": 12,
        "value_a_customer": [168.0, -0.4],
        "care_budget": [840.0, 0.0],
        "care_a_customer_month": [1.4, 0.0],
        "break_even_acquisition": [168.0, 0.0],
        "acquisition_limit": [50.4, 0.0],
    }
)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def rows(table: object) -> list[list[str]]:
    assert isinstance(table, Table)
    page = BeautifulSoup(table.html, "html.parser")
    found = [[plain(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
    return found[1:]


def shown(part: Any) -> str:
    return plain(part._repr_mimebundle_()["text/plain"])


@dataclass
class Valued:
    summary: pd.DataFrame = field(default_factory=lambda: SUMMARY)
    totals: pd.DataFrame = field(default_factory=lambda: TOTALS)
    concentration: pd.DataFrame = field(default_factory=lambda: SHAPE)
    spread: pd.DataFrame = field(default_factory=lambda: WORTH)
    tenths: pd.DataFrame = field(default_factory=lambda: TENTHS)
    dearest: pd.DataFrame = field(
        default_factory=lambda: FIRST.assign(kind="contract", past_value=9.0, low=0.0, high=990.0)
    )
    assumptions: pd.DataFrame = field(default_factory=lambda: ASSUMED)
    notes: tuple[str, ...] = ()
    scores: pd.DataFrame = field(default_factory=lambda: SCORES)
    weeks: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["last_day"]))
    calibration: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["customers"]))


@dataclass
class Exposed:
    totals: pd.DataFrame
    customers: pd.DataFrame


ASSUMED = pd.DataFrame(
    [
        ("months", 12.0, "horizon"),
        ("discount", 0.1, "rate a year; the money of a month is booked at its start"),
        ("model", NAN, "bg_nbd, fitted"),
        ("margin_ratio_A", 0.4583, "margin"),
        ("margin_ratio_none", 0.456, "margin"),
        ("service", 0.0, "declared"),
        ("orders", NAN, "some rule"),
    ],
    columns=["name", "value", "meaning"],
)


class TestWorth:
    def test_both_kinds_are_told_with_the_interval_of_the_sum(self) -> None:
        told = plain(value.worth(TOTALS, SUMMARY))
        assert "Von 100 Kundinnen und Kunden sind in den nächsten 12 Monaten zusammen 8.380 € Marge zu erwarten" in told
        assert "(95-%-Intervall 7.300 bis 9.460 €)" in told
        assert "8.000 € kommen von den 40 mit laufendem Vertrag, 380,00 € von den 60 ohne Vertrag." in told
        assert "83,80 € je Person" in told

    @pytest.mark.parametrize("status", ["neither contracts nor orders", "nobody", "no cost known"])
    def test_why_nothing_is_told_is_said(self, status: str) -> None:
        told = value.worth(TOTALS.head(0), SUMMARY.assign(status=status))
        assert told.startswith("Was Kundinnen und Kunden wert sind, lässt sich nicht sagen: ")
        found = value.figures(TOTALS.head(0), SHAPE, SUMMARY.assign(status=status, n=0), "value")
        assert found[["id", "value", "n"]].to_numpy().tolist() == [["value.valued", 0, 0]]

    def test_what_is_not_known_of_orders_leaves_what_is_known_of_contracts(self) -> None:
        unknown = TOTALS["kind"] != "contract"
        totals = TOTALS.assign(expected_value=TOTALS["expected_value"].mask(unknown))
        told = plain(value.worth(totals, SUMMARY.assign(missing=60)))
        assert told.startswith("Was 60 von 100 Kundinnen und Kunden bestellen werden, lässt sich nicht sagen")
        assert "Von den 40 mit laufendem Vertrag sind 8.000 € Marge zu erwarten" in told

    def test_fewer_than_the_smallest_group_are_not_told(self) -> None:
        assert "8.380" not in value.worth(TOTALS, SUMMARY, smallest=101)
        assert "laufendem Vertrag" not in value.worth(TOTALS, SUMMARY, smallest=41)

    def test_past_and_expected_value_stand_in_columns_of_their_own(self) -> None:
        found = rows(value_tables.by_class(TOTALS, title="Titel"))
        assert [row[0] for row in found] == [
            "Klasse A",
            "ohne Umsatz",
            "mit laufendem Vertrag",
            "ohne Vertrag",
            "alle Kundinnen und Kunden",
        ]
        assert found[0][1:] == ["50", "9.500 €", "8.400 €", "7.300 bis 9.500 €", "168,00 €"]

    def test_a_small_class_leaves_the_sum_alone(self) -> None:
        assert [row[0] for row in rows(value_tables.by_class(TOTALS, title="T", smallest=45))] == [
            "alle Kundinnen und Kunden"
        ]

    def test_figures_of_all_have_no_group(self) -> None:
        found = value.figures(TOTALS, SHAPE, SUMMARY, "value")
        known = {(row["id"], row["group"]): row["value"] for row in found.to_dict("records")}
        assert known["value.expected_value", None] == 8380
        assert known["value.expected_value_class", "A"] == 8400
        assert known["value.expected_value_kind", "contract"] == 8000
        assert {DEFINITIONS[name][0] for name in ("expected_value", "value_gini", "top_value_share")} <= set(
            found["unit"]
        )


class TestSpread:
    def test_a_count_too_small_is_not_told(self) -> None:
        assert "Von 7 wird weniger als nichts erwartet." in value.concentrated(SHAPE, SUMMARY, smallest=5)
        assert "weniger als nichts" not in value.concentrated(SHAPE, SUMMARY, smallest=8)

    def test_how_sure_a_single_customer_is_stands_by_tenth(self) -> None:
        found = rows(value_tables.by_tenth(TENTHS, title="Titel"))
        assert found[0] == ["10", "10", "5.000 €", "50,0 %", "500,00 €", "100 bis 1.200 €"]
        assert value_tables.by_tenth(TENTHS, title="Titel", smallest=11) == ""

    @pytest.mark.parametrize("internal", [True, False])
    def test_customers_are_listed_in_the_house_only(self, internal: bool) -> None:
        found = shown(value_sections.spread(Valued(), internal=internal))
        assert ("K-Ä<1>" in found) == internal
        assert ("unter 0 € 0,3 %" in found, "unter 0 € –" in found) == (internal, not internal)
        exposed = Exposed(LOSSES, FIRST)
        assert ("K-Ä<1>" in shown(value_sections.value_at_risk(exposed, horizon=90, internal=internal))) == internal


class TestLosses:
    def test_a_small_class_leaves_the_sum_alone(self) -> None:
        assert [row[0] for row in rows(losses.by_class(LOSSES, title="T"))][:2] == ["Klasse A", "ohne Umsatz"]
        assert [row[0] for row in rows(losses.by_class(LOSSES, title="T", smallest=5))] == ["alle Kundinnen und Kunden"]

    def test_without_risks_a_sentence_says_so(self) -> None:
        told = losses.exposed(LOSSES.head(0), FIRST.head(0), horizon=90)
        assert told.startswith("Wie viel Wert abwandern könnte, lässt sich nicht sagen")
        assert losses.figures(LOSSES.head(0), "value", horizon=90, source="contracts").empty

    def test_the_part_of_the_first_is_told_where_they_are_few(self) -> None:
        # 150 of 430
        assert "34,9 % davon entfallen auf die 2 Personen" in plain(losses.exposed(LOSSES, FIRST, horizon=90))
        many = pd.concat([FIRST] * 15)
        assert "davon entfallen" not in losses.exposed(LOSSES, many, horizon=90)


class TestForecasts:
    def test_an_advantage_within_noise_is_called_so(self) -> None:
        scores = SCORES.assign(behind_low=[0.0, -0.1, -0.1])
        assert "liegt der Vorsprung im Zufallsbereich" in shown(forecasts.check(scores, SUMMARY))

    def test_a_baseline_that_wins_is_said_with_a_warning(self) -> None:
        scores = SCORES.assign(behind=[0.2, 0.0, 0.3], behind_low=[0.1, 0.0, 0.2], behind_high=[0.3, 0.0, 0.4])
        found = forecasts.check(scores, SUMMARY.assign(winner="like last year"))
        assert "kam näher" in shown(found)
        assert "mit Vorsicht" in shown(found)
        gain = forecasts.figures(scores.assign(rmse=[3.2, 3.0, 3.3]), SUMMARY.assign(winner="like last year"), "value")
        assert gain.set_index("id").loc["value.forecast_gain", ["value", "low", "high"]].tolist() == pytest.approx(
            [-0.2, -0.3, -0.1]
        )

    @pytest.mark.parametrize("tested", ["neither contracts nor orders", "too short", "too few"])
    def test_why_nothing_was_tested_is_said(self, tested: str) -> None:
        told = shown(forecasts.check(SCORES.head(0), SUMMARY.assign(tested=tested)))
        assert told.startswith("Wie gut sich Bestellungen vorhersagen lassen, ließ sich nicht prüfen: ")
        assert forecasts.figures(SCORES.head(0), SUMMARY.assign(tested=tested), "value").empty
        assert forecasts.marks(SCORES.head(0), title="T") == ""

    def test_without_a_model_none_is_praised(self) -> None:
        told = shown(forecasts.check(SCORES.assign(chosen=False), SUMMARY.assign(winner="like last year")))
        assert told.startswith("Auf kein Bestellmodell ist Verlass")

    def test_models_the_data_leave_open_are_marked(self) -> None:
        found = rows(forecasts.marks(SCORES, title="T"))
        assert [row[0] for row in found] == [
            "BG/NBD (verwendet)",
            "wie im Vorjahr",
            "Pareto/NBD (von den Daten nicht bestimmt)",
        ]
        assert found[1][3:] == ["+16,7 %", "1,90", "3,00", "0,50", "0,30 bis 0,70"]


class TestCare:
    def test_small_classes_and_few_won_are_left_out_of_what_is_passed_on(self) -> None:
        inside = shown(value_sections.care_budget(BUDGET, SUMMARY.assign(won=4), internal=True))
        outside = shown(value_sections.care_budget(BUDGET, SUMMARY.assign(won=4), internal=False))
        assert "ohne Umsatz" in inside
        assert "die 4 im Zeitraum Gewonnenen" in inside
        assert "ohne Umsatz" not in outside
        assert "Gewonnenen" not in outside

    def test_shares_that_differ_are_told_as_a_span(self) -> None:
        budget = pd.concat([BUDGET.head(1), BUDGET.head(1).assign(**{"class": "B"}, care_share=0.05)])
        assert plain(care.budget(budget, SUMMARY)).startswith("Fließen 5,0 bis 10,0 % des erwarteten Werts")

    def test_without_values_a_sentence_says_so(self) -> None:
        assert care.budget(BUDGET.head(0), SUMMARY) == (
            "Was Betreuung kosten darf, lässt sich nicht sagen, weil kein Wert bekannt ist."
        )
        assert care.by_class(BUDGET.head(0), title="T") == ""
        assert care.figures(BUDGET.head(0), "value", source="contracts").empty


class TestAssumptions:
    def test_each_stands_with_its_unit(self) -> None:
        found = dict(tuple(row) for row in rows(value_tables.assumptions(ASSUMED, SUMMARY, title="T")))
        assert found == {
            "Betrachtete Zeit; was danach kommt, zählt nicht": "12 Monate",
            "Abzinsung im Jahr; das Geld eines Monats zählt zu dessen Beginn": "10,0 %",
            "Bestellmodell, geschätzt an allen, die bestellt haben": "BG/NBD",
            "Marge vom Umsatz im letzten Jahr, Klasse A": "45,8 %",
            "Betreuungskosten je Person und Monat": "nicht erfasst, mit null angenommen",
        }

    def test_notes_are_told_in_the_readers_language_and_numbers(self) -> None:
        note = (
            "Nobody has been watched under contract beyond month 105: from there on 0.71% a month leave, as many as "
            "from month 78 to it."
        )
        told = plain(value_notes.note(note))
        assert told.startswith("Länger als 105 Monate ist noch niemand")
        assert "0,71 % Abgänge im Monat" in told
        assert value_notes.note("Something new.") == "Something new."
        language.use("en")
        assert value_notes.note(note) == note
        assert value_notes.noted(()) == ""


def test_an_absent_column_is_named() -> None:
    with pytest.raises(MeasureError, match=r"^value\.worth: column 'missing' is absent"):
        value.worth(TOTALS, SUMMARY.drop(columns="missing"))
