from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from reading import plain

from analysis.draw import language, names, words
from analysis.errors import MeasureError
from analysis.vocabulary import TABLES

LEVELS = [
    (
        {"name": "nps", "value": 24, "low": 20, "high": 28, "n": 812, "unit": "points"},
        "Der Net Promoter Score liegt bei 24 Punkten (95-%-Intervall 20 bis 28, n = 812).",
        "The Net Promoter Score is 24 points (95% interval 20 to 28, n = 812).",
    ),
    (
        {"name": "nps", "value": 1, "n": 1, "unit": "points"},
        "Der Net Promoter Score liegt bei 1 Punkt (n = 1).",
        "The Net Promoter Score is 1 point (n = 1).",
    ),
    (
        {"name": "churn_rate", "value": 0.123, "low": 0.11, "high": 0.14, "n": 5000, "unit": "share"},
        "Die Abwanderungsquote liegt bei 12,3 % (95-%-Intervall 11,0 bis 14,0 %, n = 5.000).",
        "The churn rate is 12.3% (95% interval 11.0% to 14.0%, n = 5,000).",
    ),
    (
        {"name": "nps", "value": None, "n": 0, "unit": "points"},
        "Der Net Promoter Score lässt sich nicht berechnen (n = 0).",
        "The Net Promoter Score cannot be computed (n = 0).",
    ),
]


@pytest.mark.parametrize(("given", "german", "english"), LEVELS)
def test_a_level_is_told_with_interval_and_base(given: dict[str, Any], german: str, english: str) -> None:
    assert plain(words.level(**given)) == german
    language.use("en")
    assert plain(words.level(**given)) == english


CHANGES = [
    (
        {"difference": 4.1, "low": 1.2, "high": 7.0, "since": "2026-Q2"},
        "Der Net Promoter Score ist gegenüber Q2 2026 um 4,1 Punkte auf 24 Punkte gestiegen "
        "(95-%-Intervall der Veränderung: +1,2 bis +7,0).",
        "The Net Promoter Score has risen by 4.1 points since Q2 2026, to 24 points "
        "(95% interval of the change: +1.2 to +7.0).",
    ),
    (
        {"difference": -1.0, "low": -1.9, "high": -0.1},
        "Der Net Promoter Score ist gegenüber der Vorperiode um 1 Punkt auf 24 Punkte gesunken "
        "(95-%-Intervall der Veränderung: −1,9 bis −0,1).",
        "The Net Promoter Score has fallen by 1 point since the period before, to 24 points "
        "(95% interval of the change: −1.9 to −0.1).",
    ),
    (
        {"difference": 2.1, "low": -3.0, "high": 7.2},
        "Der Net Promoter Score hat sich gegenüber der Vorperiode nicht erkennbar verändert: "
        "Der Unterschied von +2,1 Punkten liegt im Zufallsbereich (−3,0 bis +7,2).",
        "The Net Promoter Score has not changed noticeably since the period before: "
        "the difference of +2.1 points is within noise (−3.0 to +7.2).",
    ),
    # an interval that just reaches 0 is noise
    (
        {"difference": 2.0, "low": 0.0, "high": 4.0},
        "Der Net Promoter Score hat sich gegenüber der Vorperiode nicht erkennbar verändert: "
        "Der Unterschied von +2 Punkten liegt im Zufallsbereich (0,0 bis +4,0).",
        "The Net Promoter Score has not changed noticeably since the period before: "
        "the difference of +2 points is within noise (0.0 to +4.0).",
    ),
    (
        {"difference": 2.0, "low": None, "high": None},
        "Der Net Promoter Score lässt sich nicht mit der Vorperiode vergleichen.",
        "The Net Promoter Score cannot be compared with the period before.",
    ),
]


@pytest.mark.parametrize(("given", "german", "english"), CHANGES)
def test_a_change_is_up_down_within_noise_or_unknown(given: dict[str, Any], german: str, english: str) -> None:
    assert plain(words.change("nps", 24, unit="points", **given)) == german
    language.use("en")
    assert plain(words.change("nps", 24, unit="points", **given)) == english


def test_a_change_of_a_share_is_in_percentage_points() -> None:
    told = words.change("churn_rate", 0.12, difference=-0.021, low=-0.04, high=-0.001, unit="share")
    assert plain(told) == (
        "Die Abwanderungsquote ist gegenüber der Vorperiode um 2,1 Prozentpunkte auf 12,0 % gesunken "
        "(95-%-Intervall der Veränderung: −4,0 bis −0,1)."
    )


REGIONS = pd.DataFrame({"region": ["Nord", None, "Süd"], "nps": [12, None, 31], "low": [2, 0, 25], "high": [22, 9, 37]})


def test_highest_and_lowest_are_named_with_what_their_intervals_do() -> None:
    told = words.highest_lowest(REGIONS, label="region", value="nps", unit="points")
    assert plain(told) == (
        "Am höchsten liegt Süd (31 Punkte), am niedrigsten Nord (12 Punkte); die Intervalle überschneiden sich nicht."
    )
    wide = REGIONS.assign(low=[2, 0, 21])
    assert words.highest_lowest(wide, label="region", value="nps", unit="points").endswith("überschneiden sich.")
    bare = REGIONS.drop(columns=["low", "high"])
    told = words.highest_lowest(bare, label="region", value="nps", unit="points")
    assert plain(told) == "Am höchsten liegt Süd (31 Punkte), am niedrigsten Nord (12 Punkte)."


def test_highest_and_lowest_need_two_groups_that_differ() -> None:
    settings = {"label": "region", "value": "nps", "unit": "points"}
    assert plain(words.highest_lowest(REGIONS.head(1), **settings)) == "Die einzige Gruppe, Nord, liegt bei 12 Punkten."
    level = pd.concat([REGIONS.head(1), REGIONS.head(1)])
    assert plain(words.highest_lowest(level, **settings)) == "Alle 2 Gruppen liegen bei 12 Punkten."
    assert words.highest_lowest(REGIONS.head(0), **settings) == "Keine Daten."
    with pytest.raises(MeasureError, match=r"Did you mean 'region'\?$"):
        words.highest_lowest(REGIONS, label="regio", value="nps", unit="points")


def test_a_share_is_told_as_count_and_percent() -> None:
    told = words.share_sentence("Beendete Verträge", 123, 1000, 0.104, 0.145)
    assert plain(told) == "Beendete Verträge: 123 von 1.000, das sind 12,3 % (95-%-Intervall 10,4 bis 14,5 %)."
    assert plain(words.share_sentence("Beendete Verträge", 1, 4)) == "Beendete Verträge: 1 von 4, das sind 25,0 %."
    assert words.share_sentence("Beendete Verträge", 0, 0) == "Beendete Verträge: keine Daten."


def test_what_is_absent_is_said_in_the_right_number() -> None:
    assert words.absent("surveys") == ("Für diesen Abschnitt fehlen Angaben: Die Tabelle „Umfrage“ liegt nicht vor.")
    assert words.absent("surveys", "comment") == (
        "Für diesen Abschnitt fehlen Angaben: In der Tabelle „Umfrage“ fehlt „Kommentar“."
    )
    assert words.absent("surveys", "nps", "comment") == (
        "Für diesen Abschnitt fehlen Angaben: In der Tabelle „Umfrage“ fehlen „Net Promoter Score“, „Kommentar“."
    )


def test_a_title_states_measure_group_period_and_base() -> None:
    assert plain(words.title("nps", by="region", period="2026-Q3", n=1812)) == (
        "Net Promoter Score nach Region, Q3 2026 (n = 1.812)"
    )
    assert words.title("csat") == "Zufriedenheit"


def test_within_an_english_title_the_group_has_no_capital() -> None:
    language.use("en")
    assert words.title("nps", by="period") == "Net Promoter Score by period"
    assert words.title("csat", by="nps").endswith(" by Net Promoter Score")


@pytest.mark.parametrize("name", ["<b>Nord</b>", "<script>alert(1)</script>", "[x](javascript:alert(1))", "a & b"])
def test_what_stands_in_a_sentence_stays_text(name: str) -> None:
    sentence = words.share_sentence(name, 1, 2)
    for shown in (sentence, words.findings([sentence, "zweiter Befund"])):
        html = shown._repr_mimebundle_()["text/html"]
        page = BeautifulSoup(html, "html.parser")
        assert name in page.get_text()
        assert {tag.name for tag in page.find_all(True)} <= {"p", "ul", "li", "span"}
        assert not page.find_all(href=True)


def test_findings_are_a_list_in_html_and_in_text() -> None:
    found = words.findings([words.Sentence("Eins."), "Zwei."])
    assert found._repr_mimebundle_() == {
        "text/html": '<ul class="sk-findings"><li>Eins.</li><li>Zwei.</li></ul>',
        "text/plain": "- Eins.\n- Zwei.",
    }


def test_an_interval_does_not_break_over_lines_at_its_hyphens() -> None:
    html = words.level("nps", 24, 20, 28, n=812, unit="points")._repr_mimebundle_()["text/html"]
    assert '(<span style="white-space:nowrap">95-%-Intervall</span> 20 bis 28' in html


def test_every_canonical_table_and_column_has_a_name_for_the_reader() -> None:
    for table in TABLES.values():
        assert names.table(table.name) != table.name
        for column in table.columns:
            assert column.name in names.COLUMNS


QUARANTINE = [
    "duplicate id",
    "missing value",
    "not a number",
    "not a date",
    "not a yes/no",
    "outside scale",
    "negative",
    "no survey",
    "not one of the choices",
    "before its start",
    "unknown customer_id",
    "unknown product_id",
    "unknown case_id",
    "parent quarantined",
    "too few fields",
    "too many fields",
    "not readable",
]


@pytest.mark.parametrize("code", QUARANTINE)
def test_every_reason_for_quarantine_has_german_words(code: str) -> None:
    assert words.reason(code) != code


def test_what_has_no_name_passes_as_it_is() -> None:
    assert (words.reason("burnt"), words.table_name("boats"), words.heading("Tarif")) == ("burnt", "boats", "Tarif")


@pytest.mark.parametrize(
    ("value", "german"),
    [(True, "ja"), (False, "nein"), (None, "ohne Angabe"), (3.0, "3"), (12, "12"), ("promoters", "Fürsprecher")],
)
def test_a_group_is_labelled_for_the_reader(value: object, german: str) -> None:
    assert words.label(value) == german
    assert words.label(pd.Series([value]).iloc[0]) == german
