from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from chart_samples import FORECASTS
from matplotlib.figure import Figure

from analysis.draw import charts, language, risks
from analysis.draw.definitions import DEFINITIONS
from analysis.draw.tables import Table
from analysis.draw.words import Findings, Sentence
from analysis.errors import MeasureError

STATUSES = [
    "neither contracts nor orders",
    "too few windows",
    "too few left",
    "too few stayed",
    "nothing tells customers apart",
]
SUMMARY = pd.DataFrame(
    [
        {
            "status": "computed",
            "horizon": 90,
            "n": 2675,
            "expected": 94.2,
            "ordered": True,
            "tested": 2639,
            "fewest": 10,
            "source": "contracts customers",
        }
    ]
)
MODELS = ["logistic", "boosting", "base rate", "contract ends"]
SCORES = pd.DataFrame(
    {
        "model": MODELS,
        "auc": [0.696, 0.699, 0.5, 0.58],
        "auc_low": [0.645, 0.65, 0.5, 0.53],
        "auc_high": [0.746, 0.74, 0.5, 0.63],
        "brier": [0.03712, 0.03729, 0.03792, 0.03775],
        "brier_low": [0.03044, 0.03058, 0.0308, 0.03074],
        "brier_high": [0.04405, 0.04419, 0.04538, 0.04508],
        "slope": [0.8, 0.79, np.nan, 0.93],
        "slope_low": [0.58, 0.57, np.nan, 0.35],
        "slope_high": [1.02, 1.0, np.nan, 1.51],
        "lift": [2.79, 2.69, 1.0, 1.43],
        "lift_low": [1.97, 1.93, 1.0, 1.16],
        "lift_high": [3.72, 3.67, 1.0, 1.7],
        "auc_gain_low": [0.0, -0.02, 0.14, 0.05],
        "auc_gain_high": [0.0, 0.02, 0.25, 0.17],
        "brier_gain_low": [0.0, -0.0003, -0.0001, -0.0002],
        "brier_gain_high": [0.0, 0.0006, 0.0017, 0.0014],
        "chosen": [True, False, False, False],
    }
)
RISKS = pd.DataFrame(
    {
        "customer_id": ["K-Ä<1>", "K-2"],
        "risk": [0.391, 0.276],
        "contract_days_left": [7.0, np.nan],
        "tenure_days": [114.0, 1340.0],
        "complaints_open": [1.0, 0.0],
        "nps": [2.0, np.nan],
    }
)
ATTRS = {"n": 2675, "expected": 94.2, "horizon": 90, "ordered": True}
RISKS.attrs = dict(ATTRS)
NONE_LEFT_OUT = pd.DataFrame(columns=["column", "reason"])


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def sentences(found: Findings | Sentence) -> list[str]:
    assert isinstance(found, Findings)
    return [plain(sentence) for sentence in found.sentences]


class TestOutlook:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("reader", ["de", "en"])
    def test_why_nothing_was_computed_is_said(self, status: str, reader: str) -> None:
        language.use(reader)
        told = risks.outlook(SUMMARY.assign(status=status, n=0, expected=0.0), SCORES.head(0))
        begins = {"de": "Wer gefährdet ist, lässt sich nicht sagen: ", "en": "Who is at risk cannot be told: "}
        assert told.startswith(begins[reader])
        assert "{" not in told

    def test_how_long_a_window_is_and_how_many_are_needed_is_named(self) -> None:
        told = [plain(risks.outlook(SUMMARY.assign(status=status), SCORES.head(0))) for status in STATUSES[1:3]]
        assert "aus einem Abschnitt von 90 Tagen zu lernen" in told[0]
        assert "weniger als 10 Kundinnen und Kunden gegangen" in told[1]

    def test_the_lift_is_that_of_the_model_used(self) -> None:
        other = SCORES.assign(chosen=[False, True, False, False])
        assert "2,69-mal so oft" in risks.outlook(SUMMARY, other)

    def test_scores_that_do_not_order_tell_the_number_only(self) -> None:
        weak = SCORES.assign(lift=0.0, lift_low=0.0, lift_high=0.0, auc=0.51, auc_low=0.48)
        told = plain(risks.outlook(SUMMARY.assign(ordered=False), weak))
        assert told == (
            "Wenn so oft gegangen wird wie bisher, gehen in den nächsten 90 Tagen etwa 94 von 2.675 Kundinnen und "
            "Kunden (3,5 %). Wer das sein wird, lässt sich nicht sagen: Die Risikowerte ordnen die Kundinnen und "
            "Kunden nicht gesichert besser als der Zufall."
        )


class TestQuality:
    def test_each_comparison_is_told(self) -> None:
        told = sentences(risks.quality(SCORES, FORECASTS))
        assert told[0].startswith("Die Risikowerte ordnen die Kundinnen und Kunden gesichert besser als der Zufall: ")
        assert "in 69,6 % der Fälle" in told[0]
        assert told[1] == "Sie ordnen gesichert besser als die einfache Regel, dass geht, wessen Vertrag bald endet."
        assert told[2].startswith("Die einzelnen Risiken liegen nicht gesichert näher am tatsächlichen Verlauf")
        assert told[2].endswith("Verlässlicher als die Höhe eines einzelnen Risikos ist die Rangfolge.")
        # 264 · .007 + 264 · .011 + 500 · .022 + 264 · .062 + 12 · .31 = 35.84, of whom 0 + 5 + 12 + 21 + 3 left
        assert told[3] == "In der Prüfung waren 36 Abgänge vorhergesagt, eingetreten sind 41."

    def test_scores_that_are_no_better_than_chance_are_not_recommended(self) -> None:
        weak = SCORES.assign(auc_low=0.49, auc_gain_low=-0.05, brier_gain_low=-0.01)
        told = sentences(risks.quality(weak, FORECASTS))
        assert "nicht gesichert besser als der Zufall" in told[0]
        assert told[1].startswith("Sie ordnen nicht gesichert besser als die einfache Regel")
        assert "Rangfolge" not in told[2]

    def test_a_rule_that_is_better_is_recommended(self) -> None:
        worse = SCORES.assign(auc_gain_low=-0.2, auc_gain_high=-0.01)
        assert sentences(risks.quality(worse, FORECASTS))[1].endswith("Besser die Regel verwenden.")

    def test_risks_nearer_to_what_happened_are_said_to_be(self) -> None:
        near = SCORES.assign(brier_gain_low=0.001)
        told = sentences(risks.quality(near, FORECASTS))[2]
        assert told.startswith("Die einzelnen Risiken liegen gesichert näher am tatsächlichen Verlauf")
        assert "Rangfolge" not in told

    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [
            (0.3, 0.9, "Hohe Risiken waren zu hoch angesetzt, niedrige zu niedrig."),
            (1.1, 2.0, "Hohe Risiken waren zu niedrig angesetzt, niedrige zu hoch."),
            (0.9, 1.1, "eingetreten sind 41."),
            (np.nan, np.nan, "eingetreten sind 41."),
        ],
    )
    def test_a_slope_off_one_is_told(self, low: float, high: float, said: str) -> None:
        found = risks.quality(SCORES.assign(slope_low=low, slope_high=high), FORECASTS)
        assert sentences(found)[-1].endswith(said)

    def test_without_contracts_there_is_no_rule_to_compare_with(self) -> None:
        assert len(sentences(risks.quality(SCORES.head(3), FORECASTS))) == 3

    def test_nothing_is_said_where_nothing_was_computed(self) -> None:
        assert risks.quality(SCORES.head(0), FORECASTS.head(0)) == ""


class TestMarks:
    def test_every_model_is_shown_by_mark_and_the_one_used_is_named(self) -> None:
        shown = risks.marks(SCORES)
        assert isinstance(shown, Table)
        lines = plain(shown.plain).splitlines()
        assert len(lines) == 1 + 4 * 4 - 1  # the average has no slope
        told = [" ".join(line.split()) for line in lines]
        assert told[1] == "Trennschärfe logistische Regression (verwendet) 0,70 0,65 bis 0,75"
        assert told[3] == "Trennschärfe Durchschnitt 0,50 –"
        assert told[5] == "Fehler logistische Regression (verwendet) 0,0371 0,0304 bis 0,0441"
        assert "0,5 wäre Raten" in plain(shown.html)

    def test_ends_that_read_alike_are_no_interval(self) -> None:
        average = SCORES.assign(lift_low=[1.97, 1.93, 1 - 1e-15, 1.16], lift_high=[3.72, 3.67, 1 + 1e-15, 1.7])
        shown = risks.marks(average)
        assert isinstance(shown, Table)
        assert "Lift Durchschnitt 1,00 –" in [" ".join(plain(line).split()) for line in shown.plain.splitlines()]

    def test_nothing_is_shown_where_nothing_was_computed(self) -> None:
        assert risks.marks(SCORES.head(0)) == ""

    def test_an_absent_column_is_named(self) -> None:
        with pytest.raises(MeasureError, match=r"^risks\.marks: column 'lift_low' is absent"):
            risks.marks(SCORES.drop(columns="lift_low"))


class TestWindows:
    FRAME = pd.DataFrame(
        {
            "use": ["train", "train", "test"],
            "as_of": pd.to_datetime(["2026-01-04", "2025-10-06", "2026-04-04"]),
            "customers": [60_000, 2_500, 61_000],
            "used": [50_000, 2_500, 50_000],
        }
    )

    def test_the_first_days_are_told_and_where_a_sample_was_drawn(self) -> None:
        assert plain(risks.windows(self.FRAME, SUMMARY)) == (
            "Gelernt ist an Zeiträumen von 90 Tagen ab 06.10.2025 und 04.01.2026, geprüft an dem ab 04.04.2026. In den "
            "Zeiträumen ab 04.01.2026 und 04.04.2026 sind nicht alle Kundinnen und Kunden einbezogen, sondern je eine "
            "Stichprobe von 50.000, nach fester Regel gezogen."
        )

    def test_of_all_customers_no_sample_is_told(self) -> None:
        assert "Stichprobe" not in risks.windows(self.FRAME.assign(used=self.FRAME["customers"]), SUMMARY)

    def test_it_speaks_english_and_says_nothing_where_nothing_was_computed(self) -> None:
        assert risks.windows(self.FRAME, SUMMARY.assign(status="too few left")) == ""
        language.use("en")
        told = plain(risks.windows(self.FRAME.tail(2), SUMMARY))
        assert told.startswith(
            "Learnt from windows of 90 days that begin on Oct 6, 2025, tested on that of Apr 4, 2026"
        )


class TestLists:
    def test_customers_are_listed_in_the_house_only(self) -> None:
        shown = risks.at_risk_list(RISKS, internal=True)
        assert isinstance(shown, Table)
        page = BeautifulSoup(shown.html, "html.parser")
        rows = [[plain(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
        assert rows[1:] == [["K-Ä<1>", "39,1 %", "7", "114", "1", "2"], ["K-2", "27,6 %", "–", "1.340", "0", "–"]]
        assert "Gezeigt sind die ersten 2 von 2.675. Risiko, in den nächsten 90 Tagen zu gehen." in plain(
            page.get_text()
        )
        assert "Tage bis Ende der vollen Laufzeit" in page.get_text()
        assert "Hier folgt eine volle Laufzeit auf die andere, auch wo vorher gekündigt werden kann." in page.get_text()
        outside = risks.at_risk_list(RISKS, internal=False)
        assert outside == "Die Liste einzelner Kundinnen und Kunden steht nur in internen Berichten."

    def test_what_is_not_on_record_is_not_a_column(self) -> None:
        shown = risks.at_risk_list(RISKS[["customer_id", "risk"]], internal=True)
        assert isinstance(shown, Table)
        assert "NPS" not in shown.plain
        assert "volle" not in shown.html

    def test_nobody_makes_no_list(self) -> None:
        assert risks.at_risk_list(RISKS.head(0), internal=True) == ""
        assert risks.at_risk_list(RISKS.head(0), internal=False) == ""

    def test_scores_that_do_not_order_make_no_list(self) -> None:
        weak = RISKS.copy()
        weak.attrs = ATTRS | {"ordered": False}
        sentence = (
            "Eine Liste derer mit dem höchsten Risiko entfällt, denn die Risikowerte ordnen nicht gesichert besser"
        )
        for internal in (True, False):
            assert str(risks.at_risk_list(weak, internal=internal)).startswith(sentence)
        assert risks.by_risk(tenths({10: 90, 9: 90}, ordered=False)) == ""

    def test_tenths_of_few_customers_are_not_shown_nor_one_from_which_they_follow(self) -> None:
        shown = risks.by_risk(tenths({10: 4, 9: 50, 8: 7, 7: 50}))
        assert isinstance(shown, Table)
        assert [line.split()[:2] for line in plain(shown.plain).splitlines()[1:3]] == [["9", "50"], ["7", "50"]]
        assert "Risiko, in den nächsten 90 Tagen zu gehen." in plain(shown.html)
        assert risks.by_risk(tenths({10: 4, 9: 5}), smallest=6) == ""


def tenths(sizes: dict[int, int], *, ordered: bool = True) -> pd.DataFrame:
    found = pd.DataFrame({"tenth": list(sizes), "n": list(sizes.values()), "risk": 0.1, "expected": 1.0, "share": 0.1})
    found.attrs = ATTRS | {"ordered": ordered}
    return found


class TestAttributes:
    def test_what_was_used_and_what_not_is_told(self) -> None:
        statuses = ["used", "used", "used", "not declared constant", "absent", "holds a date", "name is taken"]
        names = ["region", "Größe", "Note", "fee", "nix", "seit", "orders"]
        left_out = pd.DataFrame(
            [
                ("Note", "tells who left by itself"),
                ("Grund", "known only after the fact"),
                ("nps", "the same for all in a window"),
            ],
            columns=["column", "reason"],
        )
        told = sentences(risks.attributes(pd.DataFrame({"attribute": names, "status": statuses}), left_out))
        assert told == [
            "Merkmale ohne Datum, die als unveränderlich gelten: Größe; Region.",
            "Nicht verwendet, weil nicht als Merkmal ohne Datum erfasst: nix.",
            "Nicht verwendet, weil es Datumsangaben sind: seit.",
            "Nicht verwendet, weil der Name schon vergeben ist: Bestellungen in einem Jahr.",
            "Nicht verwendet, weil unbekannt ist, seit wann sie gelten: Monatsentgelt.",
            "Ausgeschlossen, weil schon das Merkmal allein verrät, wer gegangen ist: Note.",
            "Ausgeschlossen, weil erst nach dem Weggang bekannt: Grund.",
            "Ausgeschlossen, weil in einem der Zeiträume bei allen gleich oder nicht erfasst: Net Promoter Score.",
        ]

    def test_many_are_named_in_part_and_none_not_at_all(self) -> None:
        many = pd.DataFrame({"attribute": [f"m{i:03}" for i in range(200)], "status": "not declared constant"})
        assert sentences(risks.attributes(many, NONE_LEFT_OUT))[0].endswith(
            "m000; m001; m002; m003; m004; m005; …; m199."
        )
        assert risks.attributes(many.head(0), NONE_LEFT_OUT) == ""


FIGURES = ("expected_leavers", "risk_auc", "risk_brier", "risk_slope", "risk_lift", "rule_auc")


def test_the_number_expected_by_the_average_is_defined_so() -> None:
    found = risks.figures(SUMMARY.assign(ordered=False), SCORES, "churn_drivers")
    assert found["definition"][0].startswith("Zahl der heutigen Kundinnen und Kunden mal dem Anteil")
    assert found["id"].tolist() == [f"churn_drivers.{name}" for name in FIGURES]
    assert len(risks.figures(SUMMARY, SCORES.head(3), "churn_drivers")) == len(FIGURES) - 1


def test_figures_are_those_of_the_model_used_with_their_definitions() -> None:
    found = risks.figures(SUMMARY, SCORES.assign(chosen=[False, True, False, False]), "churn_drivers")
    by_id = found.set_index("id")
    assert by_id.index.tolist() == [f"churn_drivers.{name}" for name in FIGURES]
    assert by_id["value"].tolist() == [94.2, 0.699, 0.03729, 0.79, 2.69, 0.58]
    assert by_id.loc["churn_drivers.risk_auc", ["low", "high", "n"]].tolist() == [0.65, 0.74, 2639]
    assert by_id["source"].unique().tolist() == ["contracts customers"]
    assert by_id["definition"].str.contains("binnen 90 Tagen").all()
    assert {DEFINITIONS[name.partition(".")[2]][0] for name in by_id.index} == set(by_id["unit"])


@pytest.mark.parametrize("status", STATUSES)
def test_there_are_no_figures_where_nothing_was_computed(status: str) -> None:
    found = risks.figures(SUMMARY.assign(status=status), SCORES.head(0), "churn_drivers")
    assert found.empty
    assert {"id", "value", "definition"} <= set(found.columns)


class TestCalibrationChart:
    def test_axes_end_with_the_largest_share(self, figures: list[Figure]) -> None:
        charts.calibration(FORECASTS.head(4), title="Titel")
        ax = figures[0].axes[0]
        # .119 is the highest end of an interval
        assert ax.get_ylim() == ax.get_xlim() == pytest.approx((0, 1.1 * 0.119))
        diagonal, dots = ax.get_lines()
        assert np.asarray(diagonal.get_xdata()).tolist() == np.asarray(diagonal.get_ydata()).tolist()
        assert np.asarray(dots.get_ydata()).tolist() == [0.0, 0.019, 0.024, 0.08]

    def test_no_share_above_one_is_marked_across(self, figures: list[Figure]) -> None:
        charts.calibration(FORECASTS.assign(high=1.0), title="Titel")
        assert figures[0].axes[0].get_xlim() == (0, 1)

    def test_tenths_of_few_customers_are_not_drawn(self, figures: list[Figure]) -> None:
        charts.calibration(FORECASTS.assign(n=[264, 4, 500, 264, 5]), title="Titel")
        dots = figures[0].axes[0].get_lines()[1]
        assert np.asarray(dots.get_xdata()).tolist() == [0.007, 0.022, 0.062, 0.31]
        assert charts.calibration(FORECASTS.assign(n=4), title="Titel") == Sentence("Titel: keine Daten.")

    def test_nobody_leaving_and_nobody_predicted_to_still_has_axes(self, figures: list[Figure]) -> None:
        charts.calibration(FORECASTS.assign(predicted=0.0, observed=0.0, low=0.0, high=0.0), title="Titel")
        assert figures[0].axes[0].get_xlim()[1] > 0
