from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from chart_samples import EARNED

from analysis.draw import margin_verdicts, margins, offers, value_sections
from analysis.draw.offer_names import pressing
from analysis.draw.tables import Table

OFFERS = EARNED.assign(
    revenue=9.0,
    margin_ratio=0.4,
    previous_contribution=1.0,
    without_cost=0.0,
    trend=["up", *["within noise"] * 4],
)
SUMMARY = pd.DataFrame(
    [
        {"status": "computed", "months": 12, "first": dt.date(2025, 10, 1), "last": dt.date(2026, 9, 30)}
        | {"of": "A", "source": "transactions", "wrong_sign": 0, "service_below_zero": 0}
    ]
)
STAKE = pd.DataFrame(
    {
        "product_id": ["A-4", "A-2"],
        "verdict": ["drop", "watch"],
        "name": ["Geschenkkorb", None],
        "holders": [701, 9],
        "of_class": [418, 3],
        "class_share": [0.453, 0.003],
        "offer_revenue": [37476.0, 9.0],
        "revenue": [421429.0, 99.0],
        "margin": [183345.0, 40.0],
    }
)
HELD = pd.DataFrame(
    {
        "customer_id": ["K-Ä<1>"],
        "offers": ["Geschenkkorb, A-2"],
        "offer_revenue": [80.0],
        "revenue": [9000.0],
        "margin": [4200.0],
    }
)
HELD.attrs = {"n": 420, "margin": 183_360.0}
RULES = pd.DataFrame(
    {
        "antecedent": ["a", "b", "a + b", "c"],
        "consequent": ["b", "a", "c", "a"],
        "antecedent_name": ["Entkalker", "Tabs, 10 Stück", "Entkalker + Tabs, 10 Stück", "Tee"],
        "consequent_name": ["Tabs, 10 Stück", "Entkalker", "Tee", "Entkalker"],
        "support": [0.03, 0.03, 0.01, 0.02],
        "confidence": [0.25, 0.36, 0.2, 0.1],
        "lift": [3.1, 3.1, 2.0, 1.0],
        "baskets": [781, 781, 40, 60],
        "p_adjusted": [1e-9, 1e-9, 0.01, 0.6],
        "customers": [300, 300, 4, None],
    }
)
TRIAL = pd.DataFrame(
    {
        "k": [1, 2],
        "rules": [0.24, 0.24],
        "popular": [0.32, 0.32],
        "difference": [-0.08, -0.08],
        "low": [-0.14, -0.14],
        "high": [-0.02, -0.02],
        "offers": [331, 331],
        "n": [331, 331],
        "n_kth": [331, 0],
        "verdict": ["down", "too few"],
    }
)
LISTED = pd.DataFrame(
    {
        "customer_id": ["K-Ä<1>"],
        "product_id": ["b"],
        "name": [None],
        "reason": ["a"],
        "reason_name": ["Entkalker"],
        "confidence": [0.25],
        "expected_margin": [1.5],
    }
)
LISTED.attrs = {"n": 60}


@dataclass
class Reviewed:
    summary: pd.DataFrame
    offers: pd.DataFrame
    stake: pd.DataFrame
    held: pd.DataFrame


@dataclass
class Tried:
    rules: pd.DataFrame
    precision: pd.DataFrame
    justified: int = 0
    split: dt.date | None = dt.date(2026, 2, 24)
    baskets: int = 26915
    tested: int = 267


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def shown(part: Any) -> str:
    return plain(part._repr_mimebundle_()["text/plain"])


def rows(table: object) -> list[list[str]]:
    assert isinstance(table, Table)
    page = BeautifulSoup(table.html, "html.parser")
    found = [[plain(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
    return found[1:]


def html(part: Any) -> str:
    return plain(part._repr_mimebundle_()["text/html"])


class TestReview:
    def test_every_verdict_is_told(self) -> None:
        told = plain(margin_verdicts.verdicts(OFFERS, SUMMARY))
        assert told.startswith(
            "Vom 01.10.2025 bis 30.09.2026 wurden 5 Angebote verkauft. 1 Angebot kostet gesichert mehr"
        )
        assert "Probierpaket (−4.554 €, 95-%-Intervall −4.925 bis −4.183 €)" in told
        assert "Bei 1 Angebot ist offen, ob es auf Dauer mehr bringt, als es kostet: Crema, ganze Bohne" in told
        assert told.endswith(
            "1 Angebot bringt gesichert mehr, als es kostet. "
            "Bei 2 Angeboten sind die Kosten unbekannt oder die Monate zu wenige."
        )

    def test_an_offer_that_only_now_costs_more_is_not_called_open(self) -> None:
        now = OFFERS.assign(verdict="watch", low=-90.0, high=-10.0)
        told = plain(margin_verdicts.verdicts(now, SUMMARY))
        assert "gesichert mehr, als sie bringen; davor war das nicht gesichert" in told
        assert "offen" not in told

    def test_an_offer_of_few_customers_counts_but_is_not_named(self) -> None:
        few = OFFERS.assign(customers=4)
        told = margin_verdicts.verdicts(few, SUMMARY, smallest=5)
        assert "Geschenkkorb" not in told
        assert "davor: hier nicht genannt, weil zu wenige Personen sie kauften. Es sollte" in plain(told)
        some = margin_verdicts.verdicts(OFFERS.assign(verdict="drop", customers=[9, 9, 9, 4, 9]), SUMMARY, smallest=5)
        assert "; 2 weitere Angebote. Sie sollten" in plain(some)
        assert margins.by_offer(few, title="T", smallest=5) == ""

    @pytest.mark.parametrize("status", ["too few months", "nothing sold", "no cost known"])
    def test_why_nothing_is_told_is_said(self, status: str) -> None:
        summary = SUMMARY.assign(status=status)
        found = Reviewed(summary, OFFERS.head(0), STAKE.head(0), HELD.head(0))
        assert shown(value_sections.margin_review(found, internal=True)).startswith(
            "Was die Angebote einbringen, lässt"
        )
        assert margins.figures(OFFERS.head(0), summary, "value").empty

    def test_what_is_not_sold_any_more_is_neither_an_offer_nor_one_to_drop(self) -> None:
        offers = OFFERS.assign(verdict=["keep", "watch", "too few", "not sold", "cost unknown"])
        told = plain(margin_verdicts.verdicts(offers, SUMMARY))
        assert "wurden 4 Angebote verkauft. Keines kostet" in told
        assert told.endswith(
            "1 weiteres Angebot wurde nicht mehr verkauft, höchstens noch zurückgenommen; es bekommt kein Urteil."
        )
        assert "nicht mehr verkauft" in [row[1] for row in rows(margins.by_offer(offers, title="T"))]
        found = margins.figures(offers, SUMMARY, "value")
        assert found.loc[found["id"] == "value.offer_verdict", "n"].tolist() == [4, 4, 4]
        assert "A-4" not in found["group"].tolist()

    def test_costs_that_are_known_in_part_or_below_0_are_told(self) -> None:
        partly = plain(margin_verdicts.verdicts(OFFERS.assign(without_cost=[0.5, 0, 0, 0, 1]), SUMMARY))
        assert partly.endswith(
            "Bei 1 Angebot ist der Wareneinsatz mancher Bestellzeilen unbekannt; Deckungsbeitrag und Urteil beruhen "
            "auf den übrigen."
        )
        summary = SUMMARY.assign(wrong_sign=1, service_below_zero=4)
        wrong = "In 1 Bestellzeile liegt der Wareneinsatz unter 0, obwohl keine Ware zurückkam; er gilt als unbekannt. "
        below = "ergeben die Betreuungskosten eines Zeitraums in der Summe weniger als 0; sie bleiben außer Betracht."
        assert plain(margin_verdicts.verdicts(OFFERS, summary)).endswith(f"{wrong}Bei 4 Personen {below}")
        assert plain(margin_verdicts.verdicts(OFFERS, summary, smallest=5)).endswith(
            f"{wrong}Bei wenigen Personen {below}"
        )
        told = plain(margin_verdicts.verdicts(OFFERS.head(0), summary.assign(status="no cost known")))
        assert told.endswith(f"{wrong}Bei 4 Personen {below}")

    def test_only_signs_that_are_there_are_explained(self) -> None:
        found = margins.by_offer(OFFERS.assign(trend="too few"), title="T")
        assert "Verlauf: ? nicht vergleichbar." in html(found)
        assert rows(found)[0][-2] == "?"

    def test_one_customer_with_a_weak_offer_is_told_in_the_singular(self) -> None:
        held = HELD.copy()
        held.attrs = {"n": 1, "margin": 40.0}
        told = plain(margins.stake(STAKE.tail(1).assign(of_class=1), held, of="A"))
        assert told.startswith(
            "So viele Kundinnen und Kunden der Klasse A kauften schwache Angebote: „A-2“ 1 (0,3 %). Diese 1 Person "
        )

    def test_the_table_has_a_row_an_offer_and_says_what_a_dash_means(self) -> None:
        found = margins.by_offer(OFFERS, title="T")
        assert [row[0] for row in rows(found)][:2] == ["Espresso", "Crema, ganze Bohne"]
        assert rows(found)[0][1:] == ["behalten", "78.063 €", "72.376 bis 83.748 €", "1 €", "▲", "40,0 %"]
        assert "Verlauf: ▲ steigend, – im Zufallsbereich." in html(found)

    def test_the_weakest_are_kept_where_not_all_are_shown(self) -> None:
        assert pressing(OFFERS, most=2)["product_id"].tolist() == ["A-2", "A-4"]
        assert "3 Angebote sind nicht gezeigt." in html(margins.by_offer(OFFERS, title="T", most=2))

    def test_what_is_at_stake_is_told_of_all_who_hold_one(self) -> None:
        told = plain(margins.stake(STAKE, HELD, of="A", smallest=5))
        who = "So viele Kundinnen und Kunden der Klasse A kauften schwache Angebote: „Geschenkkorb“ 418 (45,3 %)"
        assert told.startswith(
            f"{who}. Zusammen brachten die 420, die mindestens eines der schwachen Angebote kauften, in dieser Zeit "
            "mit allem, was sie kauften, 183.360 €"
        )
        assert "„A-2“ 3 (0,3 %)" in plain(margins.stake(STAKE, HELD, of="A"))

    @pytest.mark.parametrize("internal", [True, False])
    def test_customers_are_listed_in_the_house_only(self, internal: bool) -> None:
        found = shown(value_sections.margin_review(Reviewed(SUMMARY, OFFERS, STAKE, HELD), internal=internal))
        assert ("K-Ä<1>" in found) == internal
        assert ("Die Liste einzelner Kundinnen und Kunden steht nur in internen Berichten." in found) != internal

    def test_figures_count_the_verdicts_and_name_the_offers(self) -> None:
        found = margins.figures(OFFERS, SUMMARY, "value").set_index(["id", "group"])["value"]
        assert found["value.offer_verdict"].to_dict() == {"drop": 1, "watch": 1, "keep": 1}
        assert found["value.contribution", "Espresso"] == 78062.58
        assert len(found["value.contribution"]) == 3  # one is bought by few, one has no value


class TestNextOffers:
    def test_a_pair_is_named_once_and_what_is_not_sure_not_at_all(self) -> None:
        told = plain(offers.bought_together(RULES, baskets=26915, tested=267))
        assert (
            "„Entkalker“ und „Tabs, 10 Stück“ (in 781 von 26.915 Bestellungen, 3,10-mal so oft)"
            not in told.split(";")[1]
        )
        assert told.count("781") == 1
        assert "„Entkalker“, „Tabs, 10 Stück“ und „Tee“ (in 40" in told
        assert "bestellt in 36,0 % der Fälle auch „Entkalker“." in told
        assert len(rows(offers.rules_table(RULES, title="T"))) == 3

    def test_what_few_customers_order_together_is_not_passed_on(self) -> None:
        told = offers.bought_together(RULES, baskets=26915, tested=267, smallest=5)
        assert "„Tee“" not in told
        assert len(rows(offers.rules_table(RULES, title="T", smallest=5))) == 2
        few = RULES.assign(customers=4)
        assert "von zu wenigen Personen, um sie hier zu nennen" in offers.bought_together(
            few, baskets=26915, tested=267, smallest=5
        )
        assert offers.rules_table(few, title="T", smallest=5) == ""
        assert "value.pair_lift" not in offers.figures(few, TRIAL, "value", source="transactions")["id"].tolist()

    def test_nothing_sure_is_said_and_the_trial_not_told(self) -> None:
        tried = Tried(RULES.assign(p_adjusted=0.9), TRIAL)
        found = shown(value_sections.next_offers(tried, LISTED.head(0), internal=True))
        assert found.startswith(
            "Keine Angebote werden über den Zufall hinaus zusammen bestellt; 267 Verbindungen waren"
        )
        assert "Erprobt" not in found

    @pytest.mark.parametrize(
        ("verdict", "justified", "told"),
        [
            ("down", 0, "schlechter als eine einfache Liste der beliebtesten Angebote. Deshalb wird niemandem einzeln"),
            (
                "within noise",
                0,
                "nicht besser als eine einfache Liste der beliebtesten Angebote. Deshalb wird niemandem",
            ),
            (
                "up",
                2,
                "besser als eine einfache Liste der beliebtesten Angebote. Deshalb werden jeder Person höchstens 2",
            ),
            ("too few", 0, "ließ sich nicht prüfen"),
        ],
    )
    def test_what_follows_from_the_trial_is_said(self, verdict: str, justified: int, told: str) -> None:
        trial = TRIAL.assign(verdict=[verdict, "too few"])
        assert told in plain(offers.judgement(trial, justified=justified, split=dt.date(2026, 2, 24)))

    def test_numbers_of_offers_that_nobody_was_made_are_left_out(self) -> None:
        assert [row[0] for row in rows(offers.trial_table(TRIAL, title="T"))] == ["1"]
        assert offers.trial_table(TRIAL, title="T", smallest=332) == ""

    @pytest.mark.parametrize("internal", [True, False])
    def test_offers_are_listed_in_the_house_only(self, internal: bool) -> None:
        found = shown(value_sections.next_offers(Tried(RULES, TRIAL, 1), LISTED, internal=internal))
        assert ("K-Ä<1>" in found) == internal

    def test_an_offer_without_a_name_has_its_number(self) -> None:
        assert rows(offers.offer_list(LISTED, title="T", internal=True)) == [
            ["K-Ä<1>", "b", "Entkalker", "25,0 %", "1,50 €"]
        ]
        assert offers.offer_list(LISTED.head(0), title="T", internal=False) == ""

    def test_figures_hold_the_lift_of_each_set_once_and_the_trial(self) -> None:
        found = offers.figures(RULES, TRIAL, "value", source="transactions")
        assert found["id"].tolist() == [
            "value.pair_lift",
            "value.rules_taken",
            "value.popular_taken",
            "value.taken_gain",
        ]
        assert found.loc[3, ["value", "low", "high", "n"]].tolist() == [-0.08, -0.14, -0.02, 331]
