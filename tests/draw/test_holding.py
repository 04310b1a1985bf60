from __future__ import annotations

from typing import Any

import chart_samples as samples
import numpy as np
import pandas as pd
import pytest

from analysis.draw import charts, holding, language
from analysis.draw.tables import Table
from analysis.draw.words import Sentence
from analysis.errors import MeasureError

NAN = float("nan")


def plain(sentence: object) -> str:
    return str(sentence).replace("\xa0", " ")


def mixes(**customers: int) -> pd.DataFrame:
    return pd.DataFrame({"mix": list(customers), "customers": list(customers.values())})


def gap(loose: float = 0.1, tied: float = 0.04, *, low: float = 0.02, high: float = 0.1, n: int = 200) -> pd.DataFrame:
    ends = {"loose_low": loose - 0.03, "loose_high": loose + 0.03, "tied_low": tied - 0.02, "tied_high": tied + 0.02}
    row = {"loose": loose, "tied": tied, **ends, "loose_exposed": n, "tied_exposed": 800}
    return pd.DataFrame([row | {"difference": loose - tied, "difference_low": low, "difference_high": high}])


BASE = mixes(technical=300, contractual=100, psychological=500, none=100)


class TestBonds:
    def test_those_whom_the_contract_alone_holds_and_those_whom_nothing_holds_are_told_apart(self) -> None:
        frame = mixes(technical=300, contractual=110, psychological=500, none=90)
        told = plain(holding.bonds(frame, gap()))
        assert told.startswith(
            "Von 1.000 Kundinnen und Kunden hält 80,0 % eine technische oder psychologische Bindung, 11,0 % nur der "
            "Vertrag und 9,0 % keine der erfassten Bindungen."
        )

    def test_where_there_are_no_contracts_none_is_spoken_of(self) -> None:
        told = plain(holding.bonds(mixes(technical=300, contractual=0, none=100), gap()))
        assert told.startswith("Von 400 Kundinnen und Kunden hält 75,0 % eine technische oder psychologische Bindung, ")
        assert "25,0 % keine davon." in told

    @pytest.mark.parametrize(
        ("compared", "claimed", "phrases"),
        [
            (gap(), True, ("häufiger gegangen", "10,0 % (95-%-Intervall 7,0 bis 13,0 %, n = 200) gegen 4,0 %")),
            (gap(0.04, 0.1, low=-0.1, high=-0.02), True, ("seltener gegangen", "von −6 Prozentpunkten")),
            (gap(0.05, 0.04, low=-0.02, high=0.04), False, ("Zufallsbereich (−2,0 bis +4,0)",)),
            (gap(n=4), False, ("lässt sich nicht sagen",)),
            (gap(NAN, NAN, low=NAN, high=NAN), False, ("lässt sich nicht sagen",)),
        ],
    )
    def test_what_is_claimed_of_leaving_follows_from_the_interval(
        self, compared: pd.DataFrame, claimed: bool, phrases: tuple[str, ...]
    ) -> None:
        told = plain(holding.bonds(BASE, compared))
        for phrase in phrases:
            assert phrase in told
        assert ("gesichert" in told) == claimed

    def test_a_small_count_is_not_told(self) -> None:
        told = plain(holding.bonds(mixes(technical=300, contractual=4, none=96), gap()))
        assert "weniger als 5 nur der Vertrag" in told
        assert "1,0 % nur" in plain(holding.bonds(mixes(technical=300, contractual=4, none=96), gap(), smallest=3))

    def test_nobody_is_no_base(self) -> None:
        assert plain(holding.bonds(mixes(technical=0, none=0), gap())) == (
            "Was die Kundschaft hält und wer gegangen ist: keine Daten."
        )

    def test_an_absent_column_is_refused(self) -> None:
        with pytest.raises(MeasureError, match=r"holding\.bonds: column 'tied_exposed' is absent"):
            holding.bonds(BASE, gap().drop(columns="tied_exposed"))


def soon(n: int, shown: int | None = None) -> pd.DataFrame:
    rows = range(n if shown is None else shown)
    frame = pd.DataFrame({"customer_id": [f"0{row}" for row in rows], "days_left": list(rows), "products": 1})
    frame = frame.assign(notice_by=[pd.Timestamp("2026-10-27")] * len(frame))
    frame.attrs["n"] = n
    return frame


class TestNotice:
    @pytest.mark.parametrize(
        ("n", "internal", "start"),
        [
            (40, False, "Bei 40 Kundinnen und Kunden, die nur der Vertrag hält, läuft in den nächsten 60 Tagen"),
            (4, True, "Bei 4 Kundinnen und Kunden"),
            (1, True, "Bei 1 Person, die nur der Vertrag hält"),
            (0, True, "Bei niemandem, den nur der Vertrag hält"),
            (5, False, "Bei 5 Kundinnen"),
            (4, False, "Bei weniger als 5 Kundinnen"),
            (0, False, "Bei weniger als 5 Kundinnen"),
        ],
    )
    def test_the_count_is_told_where_it_may_be(self, n: int, internal: bool, start: str) -> None:
        told = plain(holding.notice(soon(n), days=60, internal=internal))
        assert told.startswith(start)
        assert ("Jetzt ist der Zeitpunkt" in told) == (n >= 5 or (internal and n > 0))

    def test_all_are_counted_though_the_first_are_shown(self) -> None:
        assert plain(holding.notice(soon(40, shown=2), days=30, internal=True)).startswith("Bei 40 ")
        listed = holding.notice_list(soon(40, shown=2), internal=True)
        assert isinstance(listed, Table)
        assert listed.title == "Nur vom Vertrag gehalten, Frist läuft bald ab (n\xa0=\xa040)"
        assert "Gezeigt sind die ersten 2 von 40." in listed.html

    def test_the_list_keeps_ids_as_they_are_and_writes_days(self) -> None:
        frame = soon(2).assign(customer_id=["007", "none"])
        listed = holding.notice_list(frame, internal=True)
        assert isinstance(listed, Table)
        assert listed.plain.split()[-8:] == ["007", "27.10.2026", "0", "1", "none", "27.10.2026", "1", "1"]
        assert "Gezeigt" not in listed.html

    def test_a_shareable_report_holds_no_list(self) -> None:
        left_out = "Die Liste dieser Kundinnen und Kunden enthält nur der interne Bericht."
        assert holding.notice_list(soon(9), internal=False) == left_out
        assert holding.fading_list(fades(9), internal=False) == left_out

    def test_an_empty_list_is_left_out(self) -> None:
        assert holding.notice_list(soon(0), internal=True) == ""
        assert holding.fading_list(fades(0), internal=True) == ""


def fades(n: int) -> pd.DataFrame:
    frame = pd.DataFrame({"customer_id": [f"0{row}" for row in range(n)], "last": 1, "expected": 12.5})
    frame = frame.assign(p_adjusted=0.0029)
    frame.attrs["n"] = n
    return frame


def summary(satisfied: int, tested: int, fading: int) -> pd.DataFrame:
    row = {"satisfied": satisfied, "tested": tested, "undecided": satisfied - tested, "fading": fading}
    share = fading / tested if tested else NAN
    return pd.DataFrame([row | {"share": share, "low": 0.05, "high": 0.2}])


class TestFading:
    @pytest.mark.parametrize(
        ("given", "internal", "expected"),
        [
            (
                summary(917, 150, 15),
                False,
                "Von 917 zufriedenen Kundinnen und Kunden ließ sich bei 150 prüfen, ob sie seltener bestellen als "
                "früher: Bei 15 von ihnen (10,0 %, 95-%-Intervall 5,0 bis 20,0 %) ist der Rückgang gesichert. Bei den "
                "übrigen 767 lässt es sich nicht entscheiden: Sie bestellen zu selten oder noch nicht lange genug.",
            ),
            (
                summary(150, 150, 3),
                False,
                "Von 150 zufriedenen Kundinnen und Kunden ließ sich bei 150 prüfen, ob sie seltener bestellen als "
                "früher: Bei weniger als 5 von ihnen ist der Rückgang gesichert.",
            ),
            (
                summary(152, 150, 0),
                True,
                "Von 152 zufriedenen Kundinnen und Kunden ließ sich bei 150 prüfen, ob sie seltener bestellen als "
                "früher: Bei niemandem von ihnen ist ein Rückgang gesichert. Bei den übrigen 2 lässt es sich nicht "
                "entscheiden: Sie bestellen zu selten oder noch nicht lange genug.",
            ),
            (
                summary(152, 150, 0),
                False,
                "Von 152 zufriedenen Kundinnen und Kunden ließ sich bei fast allen prüfen, ob sie seltener bestellen "
                "als früher: Bei weniger als 5 von ihnen ist der Rückgang gesichert.",
            ),
            (
                summary(80, 4, 4),
                False,
                "Von 80 zufriedenen Kundinnen und Kunden bestellen zu wenige oft genug, um zu sagen, ob sie seltener "
                "bestellen als früher.",
            ),
            (
                summary(80, 0, 0),
                True,
                "Von 80 zufriedenen Kundinnen und Kunden bestellen zu wenige oft genug, um zu sagen, ob sie seltener "
                "bestellen als früher.",
            ),
            (summary(4, 4, 4), False, "Zufrieden, aber seltener bestellt: keine Daten."),
            (summary(0, 0, 0), True, "Zufrieden, aber seltener bestellt: keine Daten."),
        ],
    )
    def test_how_many_fade_and_of_how_many_it_can_be_told(self, given: Any, internal: bool, expected: str) -> None:
        assert plain(holding.fading(given, internal=internal)) == expected

    def test_the_list_says_what_was_expected(self) -> None:
        listed = holding.fading_list(fades(1), internal=True)
        assert isinstance(listed, Table)
        assert listed.plain.split()[-4:] == ["00", "1", "12,5", "0,003"]
        assert "Erwartet: Bestellungen in gleich langer Zeit" in listed.html


class TestFigures:
    def test_shares_and_churn_of_small_groups_are_left_out(self) -> None:
        found = holding.bond_figures(samples.BONDS, "churn_drivers", source="contracts")
        shares, churn = (found[found["id"] == f"churn_drivers.{name}"] for name in ("bond_share", "bond_churn"))
        assert shares["group"].tolist() == [
            *("technical contractual psychological", "technical contractual", "technical"),
            *("contractual", "psychological"),
        ]
        assert shares["n"].eq(2050).all()
        assert shares[["low", "high"]].isna().all(axis=None)
        assert churn["n"].tolist() == [800, 400, 400, 240, 8]
        assert churn.iloc[-1][["value", "low", "high"]].tolist() == [0.125, 0.022, 0.471]
        assert found["definition"].str.len().gt(20).all()

    def test_a_small_count_of_notices_is_missing_unless_internal(self) -> None:
        settings: dict[str, Any] = {"days": 60, "source": "contracts"}
        shared = holding.notice_figure(soon(4), "churn_drivers", internal=False, **settings)
        assert shared[["value", "n"]].isna().all(axis=None)
        inside = holding.notice_figure(soon(4), "churn_drivers", internal=True, **settings).loc[0]
        assert inside[["id", "value", "n", "unit"]].tolist() == ["churn_drivers.notice_soon", 4, 4, "count"]
        assert "in den nächsten 60 Tagen" in inside["definition"]

    def test_a_share_of_few_who_fade_is_missing_unless_internal(self) -> None:
        settings: dict[str, Any] = {"source": "transactions surveys"}
        shared = holding.fading_figure(summary(917, 150, 4), "churn_drivers", internal=False, **settings).loc[0]
        assert (np.isnan(shared["value"]), shared["n"], "low" in shared) == (True, 150, False)
        inside = holding.fading_figure(summary(917, 150, 4), "churn_drivers", internal=True, **settings).loc[0]
        assert inside[["value", "low", "high", "n"]].tolist() == [4 / 150, 0.05, 0.2, 150]


class TestBondMixChart:
    def test_small_groups_have_a_dash_and_mixes_of_nobody_no_row(self) -> None:
        chart = charts.bond_mix(samples.BONDS, title="Titel")
        assert isinstance(chart, charts.Chart)
        assert "nur technisch 10,0\xa0% der Kundschaft, Abwanderung –" in chart.alt
        assert "keine Bindung – der Kundschaft, Abwanderung 12,5\xa0%" in chart.alt
        assert chart.note == "Ein Strich steht für weniger als 5 Kundinnen und Kunden."
        nobody = samples.BONDS.assign(customers=[820, 410, 205, 410, 203, 0], exposed=[800, 400, 9, 400, 240, 0])
        without = charts.bond_mix(nobody, title="Titel", note="Hinweis.")
        assert isinstance(without, charts.Chart)
        assert "keine Bindung" not in without.alt
        assert without.note == "Hinweis."

    def test_where_all_groups_are_small_there_is_a_sentence(self) -> None:
        small = samples.BONDS.assign(customers=3, exposed=4)
        assert charts.bond_mix(small, title="Titel") == Sentence("Titel: keine Daten.")

    def test_one_mix_without_churn_is_drawn(self) -> None:
        one = samples.BONDS.head(1).assign(exposed=0, churn=NAN, churn_low=NAN, churn_high=NAN)
        chart = charts.bond_mix(one, title="Titel")
        assert isinstance(chart, charts.Chart)
        assert "psychologisch 40,0\xa0% der Kundschaft, Abwanderung –" in chart.alt


def test_all_is_said_in_english_too() -> None:
    language.use("en")
    assert plain(holding.bonds(BASE, gap())).startswith("Of 1,000 customers 80.0% are held by a technical or")
    assert plain(holding.notice(soon(1), days=60, internal=True)).startswith("For 1 customer whom nothing but")
    assert "for 15 of them (10.0%, 95% interval 5.0% to 20.0%) the decline is beyond chance. Of the other 767" in plain(
        holding.fading(summary(917, 150, 15), internal=True)
    )
