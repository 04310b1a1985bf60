"""How long they stay and what goes with leaving, in words."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.draw import language, staying

RATIOS = [
    ("term_months", "1", "12", 2.1, 1.6, 2.8, "up", "computed"),
    ("region", "Süd", "Nord", 1.02, 0.9, 1.2, "within noise", "computed"),
    ("payment", "(missing)", "Lastschrift", 0.5, 0.4, 0.7, "down", "computed"),
]
LEFT_OUT = [
    ("region", "Insel", "too few spells"),
    ("plan", "neu", "all or none left"),
    ("fee", "9", "follows from others"),
    ("customer_id", None, "an id"),
    ("status", None, "tells who left by itself"),
    ("reason", None, "known only after the fact"),
    ("Ort", None, "too many levels"),
    ("channel", None, "one level only"),
]
COLUMNS = ["term", "level", "base", "ratio", "low", "high", "verdict", "status"]


def ratios(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def without(*rows: tuple[object, ...]) -> list[tuple[object, ...]]:
    return [(term, level, None, None, None, None, None, status) for term, level, status in rows]


def told(frame: pd.DataFrame) -> str:
    return str(staying.drivers(frame)).replace("\xa0", " ")


def half(**known: float) -> str:
    row = {"median": 491.0, "low": None, "high": None, "n": 400} | known
    return str(staying.median_stay(pd.DataFrame([row]))).replace("\xa0", " ")


class TestMedianStay:
    def test_the_interval_is_told_as_far_as_it_reaches_and_else_that_there_is_none(self) -> None:
        told = "Die Hälfte der Kunden ist nach 16 Monaten gegangen"
        assert half() == f"{told} (n = 400; ein Intervall lässt sich nicht angeben)."
        assert half(low=400.0) == f"{told} (95-%-Intervall ab 13 Monaten, n = 400)."
        assert half(low=400.0, high=600.0) == f"{told} (95-%-Intervall 13 bis 20 Monate, n = 400)."
        assert half(median=float("nan")) == "Im erfassten Zeitraum ist weniger als die Hälfte der Kunden gegangen."

    def test_of_whom_it_is_told_is_said_where_it_is_not_all(self) -> None:
        assert half(from_time=0).endswith("angeben).")
        assert half(from_time=30).endswith(
            "angeben). Für alle, die schon 30 Tage Kundin oder Kunde waren; davor sind zu wenige erfasst."
        )

    def test_without_a_contract_that_is_said(self) -> None:
        nobody = pd.DataFrame(columns=["median", "low", "high", "n"])
        assert staying.median_stay(nobody) == "Vor dem Stichtag sind keine Verträge erfasst."


class TestNotes:
    def test_what_the_curve_lacks_is_counted(self) -> None:
        curve, triangle = pd.DataFrame(), pd.DataFrame()
        curve.attrs, triangle.attrs = {"n": 298}, {"n": 300}
        assert staying.outside(curve, triangle).startswith("Nicht in der Kurve: 2 Vertragsverhältnisse, deren")
        assert staying.outside(curve, curve) == ""

    def test_only_ends_of_contracts_before_their_start_are_told(self) -> None:
        rows = [
            ("contracts", "before its start", "current_term_end", 7),
            ("contracts", "no date", "ended_on", 5),
            ("cases", "before its start", "closed_at", 3),
        ]
        faults = pd.DataFrame(rows, columns=["table", "reason", "column", "count"])
        assert staying.reversed_ends(faults) == ""
        faults.loc[3] = ["contracts", "before its start", "ended_on", 1]
        assert staying.reversed_ends(faults) == "1 Vertrag mit einem Ende vor seinem Beginn gilt als laufend."


class TestDrivers:
    def test_who_leaves_most_and_least_often_is_told_other_things_equal(self) -> None:
        often = (
            "einer Laufzeit von 1 Monat (2,10-mal so oft wie bei einer Laufzeit von 12 Monaten, "
            "95-%-Intervall 1,60 bis 2,80)"
        )
        seldom = (
            "dem Merkmal „Zahlungsart: ohne Angabe“ (0,50-mal so oft wie bei dem Merkmal „Zahlungsart: Lastschrift“, "
            "95-%-Intervall 0,40 bis 0,70)"
        )
        equal = "Bei sonst gleichen Merkmalen gehen"
        most, least = "am häufigsten Kundinnen und Kunden mit", "am seltensten Kundinnen und Kunden mit"
        assert told(ratios(*RATIOS)) == f"{equal} {most} {often}, am seltensten die mit {seldom}."
        assert told(ratios(*RATIOS[:2])) == f"{equal} {most} {often}."
        assert told(ratios(*RATIOS[1:])) == f"{equal} {least} {seldom}."

    def test_what_was_left_out_is_named_with_its_reason(self) -> None:
        found = told(ratios(RATIOS[1], *without(*LEFT_OUT)))
        assert found == (
            "Keines der verglichenen Merkmale geht gesichert mit dem Gehen einher. Nicht verglichen: Region: Insel (zu "
            "wenige Kundinnen und Kunden); plan: neu (alle gegangen oder niemand); Monatsentgelt: 9 (ergibt sich aus "
            "den anderen Merkmalen); Kundennummer (eine Kennung); status (verrät schon allein, wer gegangen ist); "
            "Grund (erst nach dem Weggang bekannt); Ort (zu viele verschiedene Werte); Kanal (bei allen gleich)."
        )

    @pytest.mark.parametrize("reader", ["de", "en"])
    def test_that_nothing_can_be_compared_is_said(self, reader: str) -> None:
        language.use(reader)
        nothing = {
            "de": "Es gibt kein Merkmal, nach dem sich vergleichen ließe, wer geht.",
            "en": "There is no attribute by which those who left could be compared.",
        }
        assert told(ratios()) == nothing[reader]
        assert told(ratios(*without(("nix", None, "absent")))).startswith(nothing[reader])

    def test_too_few_ends_are_said(self) -> None:
        assert told(ratios(*without(("region", None, "too few ends")))) == (
            "Es sind zu wenige gegangen, um zu sagen, was mit dem Gehen einhergeht. Nicht verglichen: Region (zu "
            "wenige sind gegangen)."
        )
