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


class TestDrivers:
    def test_who_leaves_most_and_least_often_is_told_other_things_equal(self) -> None:
        often = "Laufzeit in Monaten: 1 (2,10-mal so oft wie bei 12, 95-%-Intervall 1,60 bis 2,80)"
        seldom = "Zahlungsart: ohne Angabe (0,50-mal so oft wie bei Lastschrift, 95-%-Intervall 0,40 bis 0,70)"
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
