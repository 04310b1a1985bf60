from __future__ import annotations

from typing import Any

import chart_samples as samples
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.draw import charts, holding, language
from analysis.draw.tables import Table
from analysis.draw.words import Sentence
from analysis.errors import MeasureError

NAN = float("nan")


def plain(sentence: object) -> str:
    return str(sentence).replace("\xa0", " ")


KINDS = ("technical", "contractual", "psychological")


def mixes(on_record: tuple[str, ...] = KINDS, **customers: int) -> pd.DataFrame:
    """Return mixes of so many customers, as many of whom were exposed; none of 300 exposed left."""
    frame = pd.DataFrame({"mix": list(customers), "customers": list(customers.values())})
    frame = frame.assign(share=frame["customers"] / frame["customers"].sum(), exposed=frame["customers"])
    frame = frame.assign(churn=0.0, churn_low=0.0, churn_high=0.1)
    frame.attrs["on_record"] = on_record
    return frame


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
            "Was die Kundschaft hält (n = 1.000): bei 80,0 % eine technische oder psychologische Bindung, bei "
            "11,0 % nur der Vertrag, bei 9,0 % keine der erfassten Bindungen. Kundinnen und Kunden, "
        )

    @pytest.mark.parametrize(
        ("on_record", "expected"),
        [
            (
                ("technical", "psychological"),
                "bei 75,0 % eine technische oder psychologische Bindung, bei 25,0 % keine der erfassten Bindungen. "
                "Vertragliche Bindungen sind nicht erfasst. Kundinnen und Kunden, die nur der Vertrag oder nichts ",
            ),
            (
                ("technical", "contractual"),
                "bei 75,0 % eine technische Bindung, bei 0,0 % nur der Vertrag, bei 25,0 % keine der erfassten "
                "Bindungen. Psychologische Bindungen sind nicht erfasst.",
            ),
            (
                ("contractual", "psychological"),
                "bei 75,0 % eine psychologische Bindung, bei 0,0 % nur der Vertrag, bei 25,0 % keine der erfassten "
                "Bindungen. Technische Bindungen sind nicht erfasst. Kundinnen und Kunden, die nur der Vertrag oder ",
            ),
            (
                ("technical",),
                "bei 75,0 % eine technische Bindung, bei 25,0 % keine der erfassten Bindungen. Vertragliche und "
                "psychologische Bindungen sind nicht erfasst.",
            ),
            (
                ("psychological",),
                "bei 75,0 % eine psychologische Bindung, bei 25,0 % keine der erfassten Bindungen. Technische und "
                "vertragliche Bindungen sind nicht erfasst. Kundinnen und Kunden, die nur der Vertrag oder nichts ",
            ),
        ],
    )
    def test_a_kind_of_bonds_that_is_not_on_record_is_said_to_be_so(
        self, on_record: tuple[str, ...], expected: str
    ) -> None:
        more = on_record[-1] if "psychological" in on_record else "technical"
        frame = mixes(on_record, **{more: 300, "contractual": 0, "none": 100})
        told = plain(holding.bonds(frame, gap(), internal=True))
        assert told.startswith(f"Was die Kundschaft hält (n = 400): {expected}")
        # what psychological bonds do is compared only where they are on record
        assert ("häufiger gegangen" in told) == ("psychological" in on_record)

    def test_where_the_contract_is_the_only_bond_on_record_it_does_not_hold_alone(self) -> None:
        told = plain(holding.bonds(mixes(("contractual",), contractual=100, none=300), gap()))
        assert told == (
            "Was die Kundschaft hält (n = 400): bei 25,0 % der Vertrag, bei 75,0 % keine der erfassten Bindungen. "
            "Technische und psychologische Bindungen sind nicht erfasst."
        )

    @pytest.mark.parametrize("internal", [True, False])
    def test_where_no_bonds_are_on_record_nobody_is_said_to_have_none(self, internal: bool) -> None:
        frame = mixes((), contractual=0, none=400)
        assert plain(holding.bonds(frame, gap(NAN, NAN, low=NAN, high=NAN), internal=internal)) == (
            "Ob die Kundschaft etwas hält, lässt sich nicht sagen: Es sind weder technische noch vertragliche noch "
            "psychologische Bindungen erfasst."
        )
        assert charts.bond_mix(frame, title="Titel", internal=internal) == ""
        assert holding.bond_figures(frame, "churn_drivers", source="contracts", internal=internal).empty

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

    def test_an_internal_report_tells_small_counts(self) -> None:
        frame = mixes(technical=300, contractual=4, none=96)
        assert "bei 75,0 % eine technische oder psychologische Bindung, bei 1,0 % nur der Vertrag, bei 24,0 %" in plain(
            holding.bonds(frame, gap(), internal=True)
        )
        # three customers are base enough
        assert "bei 100,0 % keine" in plain(holding.bonds(mixes(none=3), gap(n=3), internal=True))

    @pytest.mark.parametrize(
        ("frame", "expected"),
        [
            # 4 would follow from 300 and 96 of 400
            (
                mixes(technical=300, contractual=4, none=96),
                "Was die Kundschaft hält (n = 400): bei 75,0 % eine technische oder psychologische Bindung, bei "
                "den übrigen wird es nicht genannt, weil eine Gruppe weniger als 5 Personen umfasst.",
            ),
            (
                mixes(technical=3, contractual=4, none=3),
                "Was die Kundschaft hält (n = 10), wird nicht genannt, weil eine Gruppe weniger als 5 Personen "
                "umfasst.",
            ),
            # nobody is no small group
            (
                mixes(technical=300, contractual=0, none=100),
                "Was die Kundschaft hält (n = 400): bei 75,0 % eine technische oder psychologische Bindung, bei "
                "0,0 % nur der Vertrag, bei 25,0 % keine der erfassten Bindungen.",
            ),
        ],
    )
    def test_a_shareable_report_tells_no_small_group_and_nothing_that_gives_it_away(
        self, frame: pd.DataFrame, expected: str
    ) -> None:
        assert plain(holding.bonds(frame, gap())).startswith(expected)

    def test_leavers_are_not_compared_where_the_sides_would_give_a_small_group_away(self) -> None:
        # of 400 exposed 350 had a psychological bond: with the 47 on the other side that leaves 3
        frame = mixes(technical=3, contractual=40, psychological=350, none=7)
        assert "lässt sich nicht sagen" in plain(holding.bonds(frame, gap(n=47)))
        assert "lässt sich nicht sagen" not in plain(holding.bonds(frame, gap(n=47), internal=True))

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
            (40, False, "Bei 40 Kundinnen und Kunden, die nur der Vertrag hält, liegt der letzte Kündigungstag"),
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

    @pytest.mark.parametrize("internal", [True, False])
    def test_without_terms_on_record_nobody_is_said_to_be_free(self, internal: bool) -> None:
        frame = soon(0)
        frame.attrs["n"] = None
        assert plain(holding.notice(frame, days=60, internal=internal)) == (
            "Wann der letzte Kündigungstag kommt, lässt sich nicht sagen: Vertragslaufzeiten sind nicht erfasst."
        )
        figure = holding.notice_figure(frame, "churn_drivers", days=60, internal=internal, source="contracts")
        assert figure[["value", "n"]].isna().all(axis=None)
        assert holding.notice_list(frame, internal=internal) == ""

    def test_products_that_are_not_named_are_a_dash_and_where_none_is_there_is_no_column(self) -> None:
        listed = holding.notice_list(soon(2).assign(products=[NAN, 3]), internal=True)
        assert isinstance(listed, Table)
        assert [line.split()[-1] for line in listed.plain.splitlines()[-2:]] == ["–", "3"]
        listed = holding.notice_list(soon(2).assign(products=NAN), internal=True)
        assert isinstance(listed, Table)
        assert listed.plain.splitlines()[-1].split()[-2:] == ["27.10.2026", "1"]
        assert "Produkte" not in listed.html

    def test_all_are_counted_though_the_first_are_shown(self) -> None:
        assert plain(holding.notice(soon(40, shown=2), days=30, internal=True)).startswith("Bei 40 ")
        listed = holding.notice_list(soon(40, shown=2), internal=True)
        assert isinstance(listed, Table)
        assert listed.title == "Nur vom Vertrag gehalten, letzter Kündigungstag bald (n\xa0=\xa040)"
        assert "Gezeigt sind die ersten 2 von 40." in listed.html

    def test_the_list_keeps_ids_as_they_are_and_writes_days(self) -> None:
        frame = soon(2).assign(customer_id=["007", "none"])
        listed = holding.notice_list(frame, internal=True)
        assert isinstance(listed, Table)
        assert listed.plain.split()[-8:] == ["007", "27.10.2026", "0", "1", "none", "27.10.2026", "1", "1"]
        assert "Gezeigt" not in listed.html

    def test_a_shareable_report_holds_no_list(self) -> None:
        left_out = "Die Liste einzelner Kundinnen und Kunden steht nur in internen Berichten."
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
            *("technical contractual psychological", "technical contractual", "technical", "psychological"),
        ]
        assert shares["n"].eq(2050).all()
        assert shares[["low", "high"]].isna().all(axis=None)
        assert churn["n"].tolist() == [800, 400, 240, 8]
        assert churn.iloc[-1][["value", "low", "high"]].tolist() == [0.125, 0.022, 0.471]
        assert found["definition"].str.len().gt(20).all()
        # inside the house only the 2 without bonds and the 3 exposed with technical ones are left out
        inside = holding.bond_figures(samples.BONDS, "churn_drivers", source="contracts", internal=True)
        assert inside["id"].value_counts().tolist() == [5, 5]
        every = holding.bond_figures(samples.BONDS, "churn_drivers", source="contracts", internal=True, smallest=1)
        assert every["id"].value_counts().tolist() == [6, 6]

    def test_a_small_count_of_notices_is_missing_unless_internal(self) -> None:
        settings: dict[str, Any] = {"days": 60, "source": "contracts"}
        shared = holding.notice_figure(soon(4), "churn_drivers", internal=False, **settings)
        assert shared[["value", "n"]].isna().all(axis=None)
        inside = holding.notice_figure(soon(4), "churn_drivers", internal=True, **settings).loc[0]
        assert inside[["id", "value", "n", "unit"]].tolist() == ["churn_drivers.notice_soon", 4, 4, "count"]
        assert "in den nächsten 60 Tagen" in inside["definition"]

    def test_a_share_of_few_who_fade_is_missing_unless_internal(self) -> None:
        shared = holding.fading_figure(summary(917, 150, 4), "churn_drivers", internal=False).loc[0]
        assert (np.isnan(shared["value"]), shared["n"], "low" in shared) == (True, 150, False)
        inside = holding.fading_figure(summary(917, 150, 4), "churn_drivers", internal=True).loc[0]
        assert inside[["value", "low", "high", "n"]].tolist() == [4 / 150, 0.05, 0.2, 150]


class TestBondMixChart:
    def test_small_groups_have_a_dash_and_mixes_of_nobody_no_row(self) -> None:
        chart = charts.bond_mix(samples.BONDS, title="Titel", internal=True)
        assert isinstance(chart, charts.Chart)
        assert "nur technisch 10,0\xa0% der Kundschaft (n\xa0=\xa0205), Abwanderung –" in chart.alt
        assert "keine erfasste Bindung – der Kundschaft, Abwanderung 12,5\xa0%" in chart.alt
        assert chart.note == "Ein Strich steht für weniger als 5 Kundinnen und Kunden."
        nobody = samples.BONDS.assign(customers=[820, 410, 205, 410, 203, 0], exposed=[800, 400, 9, 400, 240, 0])
        without = charts.bond_mix(nobody, title="Titel", note="Hinweis.")
        assert isinstance(without, charts.Chart)
        assert "keine erfasste Bindung" not in without.alt
        assert without.note == "Hinweis."

    def test_what_would_give_a_small_group_away_has_a_dash_in_a_shareable_report(self) -> None:
        chart = charts.bond_mix(samples.BONDS, title="Titel")
        assert isinstance(chart, charts.Chart)
        # the 2 follow from all others; so do the 3 exposed
        assert "nur vertraglich – der Kundschaft, Abwanderung 6,1\xa0%" in chart.alt
        assert "technisch + vertraglich 20,0\xa0% der Kundschaft (n\xa0=\xa0410), Abwanderung –" in chart.alt
        assert chart.note == (
            "Ein Strich steht für weniger als 5 Kundinnen und Kunden oder für eine Zahl, aus der sich eine so kleine "
            "Gruppe errechnen ließe."
        )

    def test_each_share_stands_with_the_customers_it_is_of(self, figures: list[Figure]) -> None:
        frame = mixes(technical=300, none=4).assign(exposed=[290, 100])
        charts.bond_mix(frame, title="Titel", internal=True)
        bars, dots = ([plain(text.get_text()) for text in ax.texts] for ax in figures[0].axes)
        assert bars == ["–", "98,7 % (n = 300)"]
        assert [text.partition(" (")[2] for text in dots] == ["n = 100)", "n = 290)"]

    def test_few_leavers_of_many_are_told(self) -> None:
        frame = mixes(technical=300, none=100).assign(churn=[0.01, 0.02])
        chart = charts.bond_mix(frame, title="Titel")
        assert isinstance(chart, charts.Chart)
        assert "keine erfasste Bindung 25,0 % der Kundschaft (n = 100), Abwanderung 2,0 %" in plain(chart.alt)
        assert chart.note == ""

    def test_where_all_groups_are_small_there_is_a_sentence(self) -> None:
        small = samples.BONDS.assign(customers=3, exposed=4)
        assert charts.bond_mix(small, title="Titel") == Sentence("Titel: keine Daten.")

    def test_one_mix_without_churn_is_drawn(self) -> None:
        one = samples.BONDS.head(1).assign(exposed=0, churn=NAN, churn_low=NAN, churn_high=NAN)
        chart = charts.bond_mix(one, title="Titel")
        assert isinstance(chart, charts.Chart)
        assert "psychologisch 40,0\xa0% der Kundschaft (n\xa0=\xa0820), Abwanderung –" in chart.alt


def test_all_is_said_in_english_too() -> None:
    language.use("en")
    assert plain(holding.bonds(BASE, gap())).startswith("What holds the customers (n = 1,000): for 80.0% a technical")
    assert plain(holding.notice(soon(1), days=60, internal=True)).startswith("For 1 customer whom nothing but")
    assert "for 15 of them (10.0%, 95% interval 5.0% to 20.0%) the decline is beyond chance. Of the other 767" in plain(
        holding.fading(summary(917, 150, 15), internal=True)
    )
