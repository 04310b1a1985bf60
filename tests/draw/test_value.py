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
from analysis.measures.value_forecasts import NO_REPEATS, OTHER_MODEL, STAND_INS

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
            "fee_margin": 1.0,
            "service": 0.0,
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
        "whole": [600.0, 30.0, 630.0],
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


def noted(table: object) -> str:
    assert isinstance(table, Table)
    return plain(BeautifulSoup(table.html, "html.parser").get_text())


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

    def test_what_is_taken_for_granted_is_named(self) -> None:
        told = plain(value.worth(TOTALS, SUMMARY.assign(fee_margin=0.8, service=3.0)))
        assert told.endswith(
            "Angenommen ist dabei: 80,0 % der Entgelte sind Marge; die Betreuung kostet 3,00 € je Person und Monat."
        )
        told = plain(value.worth(TOTALS, SUMMARY.assign(fee_margin=NAN, service=NAN)))
        assert "Angenommen" not in told

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

    def test_what_was_brought_is_not_called_on_record_and_what_is_deducted_is_said(self) -> None:
        told = noted(value_tables.by_class(TOTALS, title="T", won=6))
        assert "verbucht" not in told
        assert "Monatsentgelt mal Vertragsdauer" in told
        assert "Bei 6 im Zeitraum gewonnenen Personen sind hier die Kosten der Gewinnung abgezogen" in told
        alone = noted(value_tables.by_class(TOTALS[TOTALS["kind"] != "contract"], title="T"))
        assert "Vertragsdauer" not in alone
        assert "abgezogen" not in alone

    def test_the_title_says_what_the_classes_are_by(self) -> None:
        titles = [
            shown(value_sections.worth(Valued(summary=SUMMARY.assign(source=source)), internal=True))
            for source in ("transactions contracts", "contracts")
        ]
        assert "nach Klasse (Klassen: Umsatz des letzten Jahres)" in titles[0]
        assert "nach Klasse (Klassen: laufende Entgelte)" in titles[1]

    def test_what_the_findings_say_is_not_said_again_beside_the_table(self) -> None:
        told = shown(value_sections.worth(Valued(), internal=True))
        assert "sind in den nächsten 12 Monaten" not in told
        why = shown(
            value_sections.worth(Valued(summary=SUMMARY.assign(status="nobody"), totals=TOTALS.head(0)), internal=True)
        )
        assert why.startswith("Was Kundinnen und Kunden wert sind, lässt sich nicht sagen")

    def test_a_class_without_customers_has_no_row(self) -> None:
        empty = TOTALS.assign(customers=TOTALS["customers"].where(TOTALS["class"] != "none", 0))
        assert "ohne Umsatz" not in [row[0] for row in rows(value_tables.by_class(empty, title="T", smallest=0))]

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
        assert "Bei 7 Personen übersteigen die Kosten den erwarteten Ertrag." in value.concentrated(
            SHAPE, SUMMARY, smallest=5
        )
        assert "übersteigen die Kosten" not in value.concentrated(SHAPE, SUMMARY, smallest=8)

    def test_where_nobody_is_worth_anything_that_is_said(self) -> None:
        told = value.concentrated(SHAPE.assign(top_20_share=NAN, positive=0), SUMMARY)
        assert told.startswith("Von niemandem wird mehr als nichts erwartet")

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

    def test_what_would_be_lost_without_any_order_stands_beside_as_a_bound(self) -> None:
        told = plain(losses.exposed(LOSSES, FIRST, horizon=90))
        assert told.startswith("Von 8.300 €, die aus laufenden Verträgen zu erwarten sind (n = 43), gehen")
        assert told.endswith("Bestellen alle, die abwandern, auch nichts mehr, sind es bis zu 630,00 €.")
        assert rows(losses.by_class(LOSSES, title="T"))[-1][-1] == "630 €"

    def test_without_contracts_it_is_the_orders_that_are_lost(self) -> None:
        found = LOSSES.assign(whole=NAN)
        told = plain(losses.exposed(found, FIRST, horizon=90))
        assert told.startswith("Von 8.300 € erwartetem Wert (n = 43) gehen")
        assert "auch nichts mehr" not in told
        assert len(rows(losses.by_class(found, title="T"))[0]) == 6

    def test_nothing_to_lose_is_no_loss_of_nothing(self) -> None:
        nothing = LOSSES.assign(expected_value=0.0, expected_loss=0.0, share=NAN, whole=0.0)
        assert losses.exposed(nothing, FIRST, horizon=90).startswith("Wie viel Wert abwandern könnte, lässt sich nicht")
        assert losses.by_class(nothing, title="T") == ""
        assert losses.first(FIRST.assign(expected_loss=0.0), title="T", internal=True) == ""

    def test_risks_that_are_all_alike_put_nobody_first(self) -> None:
        alike = FIRST.assign(risk=0.1)
        assert "zuerst" not in losses.exposed(LOSSES, alike, horizon=90)
        assert losses.first(alike, title="T", internal=True).startswith("Eine Liste, mit wem zuerst zu sprechen wäre")

    def test_the_list_says_of_how_many_it_shows_the_first(self) -> None:
        of_many = FIRST.copy()
        of_many.attrs["n"] = 43
        assert "Gezeigt sind die ersten 2 von 43." in losses.first(of_many, title="T", internal=True).html

    def test_figures_tell_no_class_that_could_be_reckoned_from_the_rest(self) -> None:
        about = {"horizon": 90, "source": "contracts"}
        found = losses.figures(LOSSES, "churn_drivers", **about)
        assert found["id"].str.removeprefix("churn_drivers.value_at_risk").tolist() == ["_class", "_class", "", "_most"]
        assert found["value"].tolist() == [400, 30, 430, 630]
        assert losses.figures(LOSSES, "churn_drivers", **about, smallest=5)["value"].tolist() == [430, 630]


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
        assert forecasts.marks(SCORES.head(0), SUMMARY, title="T") == ""

    def test_without_a_model_none_is_praised(self) -> None:
        alone, none = SUMMARY.assign(winner="like last year", model="one_rate"), SCORES.assign(chosen=False)
        told = shown(forecasts.check(none, alone))
        assert told == (
            "Die Werte beruhen auf der Vorhersage „mittlere Häufigkeit für alle“; wie gut sie ist, ließ sich nicht "
            "prüfen."
        )
        told = shown(forecasts.check(none, alone.assign(model=None)))
        assert told.startswith("Auf kein Bestellmodell ist Verlass")

    def test_a_baseline_of_less_than_a_year_is_not_called_like_last_year(self) -> None:
        short = SUMMARY.assign(test_days=242)
        told = [shown(forecasts.check(SCORES, short)), shown(forecasts.marks(SCORES, short, title="T"))]
        assert all("wie in den 242 Tagen davor" in text for text in told)
        assert not any("Vorjahr" in text for text in told)

    def test_models_the_data_leave_open_are_marked(self) -> None:
        found = rows(forecasts.marks(SCORES, SUMMARY, title="T"))
        assert [row[0] for row in found] == [
            "BG/NBD (verwendet)",
            "wie im Vorjahr",
            "Pareto/NBD (von den Daten nicht bestimmt)",
        ]
        assert found[0][6:] == found[2][6:] == ["–", "–"]
        assert found[1][3:] == ["+16,7 %", "1,90", "3,00", "0,50", "0,30 bis 0,70"]


class TestCare:
    def test_small_classes_and_few_won_are_left_out_of_what_is_passed_on(self) -> None:
        few = Valued(summary=SUMMARY.assign(won=4))
        tables = [shown(value_sections.care_budget(BUDGET, few.summary, internal=house)) for house in (True, False)]
        told = [
            shown(value_sections.headlines(few, Exposed(LOSSES.head(0), FIRST), BUDGET, horizon=90, internal=house))
            for house in (True, False)
        ]
        assert ["ohne Umsatz" in table for table in tables] == [True, False]
        assert ["die 4 im Zeitraum Gewonnenen" in text for text in told] == [True, False]

    def test_shares_that_differ_are_told_as_a_span(self) -> None:
        budget = pd.concat([BUDGET.head(1), BUDGET.head(1).assign(**{"class": "B"}, care_share=0.05)])
        assert plain(care.budget(budget, SUMMARY)).startswith(
            "Fließen 5,0 bis 10,0 % des in 12 Monaten erwarteten Werts"
        )

    def test_the_table_shows_what_is_assumed(self) -> None:
        table = care.by_class(BUDGET.assign(horizon_months=1), title="T")
        assert isinstance(table, Table)
        assert "Die Anteile sind Annahmen, die Werte die in 1 Monat erwarteten." in plain(table.html)

    def test_what_winning_cost_is_told_only_where_it_is_known(self) -> None:
        assert "Tatsächlich" not in care.budget(BUDGET, SUMMARY.assign(won=9, acquisition=None))

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
        poor = plain(value_notes.note("a is poorly known: its 95 % interval spans a factor of 1,071."))
        assert "auf den Faktor 1.071 genau bekannt (95 %-Intervall)" in poor

    def test_what_the_data_leave_open_is_told_in_words_of_the_trade(self) -> None:
        notes = ("The likelihood is flat: these data do not identify a, b.", "a runs off to infinity.")
        told = plain(value_notes.noted(notes)._repr_mimebundle_()["text/plain"])
        assert "wie oft bestellt wird und wann jemand aufhört" in told
        assert "(Parameter a, b)" in told
        assert "unendlich" not in told

    def test_each_note_of_the_purchase_forecast_is_known(self) -> None:
        for text in (OTHER_MODEL, *STAND_INS.values(), NO_REPEATS):
            assert value_notes.note(text) != text

    def test_a_note_of_the_measures_stays_english_in_english(self) -> None:
        note = (
            "Nobody has been watched under contract beyond month 105: from there on 0.71% a month leave, as many as "
            "from month 78 to it."
        )
        language.use("en")
        assert value_notes.note(note) == note
        assert value_notes.noted(()) == ""


def test_an_absent_column_is_named() -> None:
    with pytest.raises(MeasureError, match=r"^value\.worth: column 'missing' is absent"):
        value.worth(TOTALS, SUMMARY.drop(columns="missing"))
