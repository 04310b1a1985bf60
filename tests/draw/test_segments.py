"""Movement between classes, groups of customers, and what a report that is passed on may show of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from scipy.optimize import linprog

from analysis.draw import charts, customer_lists, language, movement, segment_sections, spread
from analysis.draw.charts.clusters import cluster_names
from analysis.draw.small_cells import hidden
from analysis.draw.tables import Table
from analysis.draw.words import Findings, Sentence
from analysis.errors import MeasureError, UnknownNameError

AMOUNTS = ["customers", "revenue_before", "revenue_after", "change"]
PAIRS = [
    (before, after)
    for before, after in product(movement.BEFORE, movement.AFTER)
    if after != "gone" or before not in ("new", "returned")
]
#      A   B  C gone    B: A  B   C gone  C: A B  C  gone  new: A  B  C  returned: A B C
COUNTS = [30, 10, 7, 8, 9, 20, 11, 12, 6, 7, 40, 13, 5, 6, 14, 8, 9, 15]


def cells(counts: list[int] | None = None) -> pd.DataFrame:
    """Cells in which each customer brought 10 before and 7 now."""
    found = pd.DataFrame(PAIRS, columns=["state_before", "state_after"]).assign(customers=counts or COUNTS)
    before = 10.0 * found["customers"].where(found["state_before"].isin(movement.CLASSES), 0)
    after = 7.0 * found["customers"].where(found["state_after"].isin(movement.CLASSES), 0)
    return found.assign(revenue_before=before, revenue_after=after, change=after - before)


def totals(frame: pd.DataFrame) -> pd.DataFrame:
    sides = []
    for period, states in (("before", movement.BEFORE), ("after", movement.AFTER)):
        sums = frame.groupby(f"state_{period}")[AMOUNTS].sum().reindex(list(states)).rename_axis("state").reset_index()
        sides.append(sums.assign(period=period))
    return pd.concat(sides, ignore_index=True)


def moved(counts: list[int] | None = None, *, internal: bool = True) -> pd.DataFrame:
    frame = cells(counts)
    return movement.movement(frame, totals(frame), internal=internal)


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def sentences(found: Findings | Sentence) -> list[str]:
    assert isinstance(found, Findings)
    return [plain(sentence) for sentence in found.sentences]


class TestHiding:
    SUMS = (("a", "b", "c", "all"),)

    def test_nothing_is_hidden_where_no_count_is_small(self) -> None:
        assert hidden({"a": 5, "b": 0, "c": 40, "all": 45}, self.SUMS) == set()

    def test_what_is_hidden_together_is_not_small_together(self) -> None:
        # 1 and 2 alone would say that they are 3 together
        assert hidden({"a": 1, "b": 2, "c": 40, "all": 43}, self.SUMS) == {"a", "b", "c"}

    def test_a_small_sum_is_hidden_with_its_parts(self) -> None:
        assert hidden({"a": 1, "b": 0, "c": 2, "all": 3}, self.SUMS) == {"a", "c", "all"}

    def test_counts_known_from_elsewhere_are_hidden_last(self) -> None:
        assert hidden({"a": 3, "b": 9, "c": 40, "all": 52}, self.SUMS, known=["b"]) == {"a", "c"}

    def test_counts_told_elsewhere_protect_nothing(self) -> None:
        # the classes now, 50, 43 and 72, stand in the report: to hide >A with its cell would hide nothing
        shown = moved([3, *COUNTS[1:]], internal=False)
        classes = shown[(shown["part"] == "after") & shown["state_after"].isin(movement.CLASSES)]
        assert classes["customers"].notna().all()

    def test_cells_linked_by_one_cell_only_do_not_give_it_away(self) -> None:
        # two hidden in each row and column, yet m = (first two rows) - (first two columns)
        table = {"ax": 2, "ay": 2, "bx": 2, "by": 2, "bz": 4, "cz": 2, "cw": 2, "dz": 2, "dw": 2}
        counts = table | dict.fromkeys(("az", "aw", "bw", "cx", "cy", "dx", "dy"), 30)
        lines = [[name for name in sorted(counts) if end in name] for end in "abcdxyzw"]
        sums = [[*line, end] for line, end in zip(lines, "ABCDXYZW", strict=True)]
        counts |= {line[-1]: sum(counts[name] for name in line[:-1]) for line in sums}
        assert len(hidden(counts, sums)) > len(table)

    @pytest.mark.parametrize("seed", range(20))
    def test_no_reckoning_gives_a_small_count_away(self, seed: int) -> None:
        """What a reader knows is equations on the cells; under them each small count might be 5 or more."""
        counts = np.random.default_rng(seed).poisson([7, 2, 15, 40][seed % 4], len(PAIRS))
        shown, whole = moved(counts.tolist(), internal=False), moved(counts.tolist())
        assert not shown["customers"].between(1, 4).any()
        parts = np.array([self.holds(row) for _i, row in whole.iterrows()])
        told = shown["customers"].notna().to_numpy(copy=True)
        for side in ("before", "after"):  # by the report on the period itself: its buyers, its classes
            of = (whole["part"] == side) & whole[f"state_{side}"].isin(movement.CLASSES)
            told |= (of & ~whole.loc[of, "customers"].between(1, 4).any()).to_numpy()
        buyers = np.array([[pair[side] in movement.CLASSES for pair in PAIRS] for side in (0, 1)])
        buyers = buyers[buyers @ counts >= 5]
        known = np.vstack([parts[told], buyers]).astype(float)
        for part in parts[whole["customers"].between(1, 4)]:
            most = linprog(-part.astype(float), A_eq=known, b_eq=known @ counts)
            assert most.status == 3 or -most.fun >= 5 - 1e-6

    @staticmethod
    def holds(row: pd.Series) -> list[bool]:
        """Say which of the cells a row of the movement adds up."""
        if row["part"] == "move":
            return [movement._move(*pair) == row["move"] for pair in PAIRS]
        states = zip((row["state_before"], row["state_after"]), (0, 1), strict=True)
        wanted = [(side, state) for state, side in states if isinstance(state, str)]
        return [all(pair[side] == state for side, state in wanted) for pair in PAIRS]

    def test_the_money_of_a_period_of_few_buyers_is_not_told_with_that_of_all(self) -> None:
        # 20 were there before and 4 now: what all bring now is what the 4 bring
        gone = [4 if pair == ("A", "A") else 16 * (pair == ("B", "gone")) for pair in PAIRS]
        shown = moved(gone, internal=False)
        assert shown.loc[shown["part"] == "all", AMOUNTS].isna().all(axis=None)

    def test_money_is_hidden_with_the_customers(self) -> None:
        shown = moved([3, *COUNTS[1:]], internal=False)
        assert shown["customers"].isna().sum() > 1
        assert shown.loc[shown["customers"].isna(), AMOUNTS].isna().all(axis=None)

    def test_in_the_house_nothing_is_hidden(self) -> None:
        assert moved([3, *COUNTS[1:]])["customers"].notna().all()


class TestMovement:
    def test_cells_totals_and_moves_add_up_to_the_same(self) -> None:
        sums = moved().groupby("part")[AMOUNTS].sum()
        assert sums.nunique().tolist() == [1, 1, 1, 1]
        assert sums.loc["all", "customers"] == sum(COUNTS)

    def test_who_rose_and_who_fell(self) -> None:
        found = moved().query("part == 'move'").set_index("move")["customers"]
        # rose: 9 + 6 + 7; fell: 10 + 7 + 11; stayed: 30 + 20 + 40; gone: 8 + 12 + 13; new: 5 + 6 + 14
        assert found.to_dict() == {"rose": 22, "fell": 28, "stayed": 90, "gone": 33, "new": 25, "returned": 32}

    def test_arguments_stay_as_they_were_and_the_order_of_rows_does_not_matter(self) -> None:
        frame = cells()
        before, sums = frame.copy(), totals(frame)
        found = movement.movement(frame, sums, internal=False)
        pd.testing.assert_frame_equal(frame, before)
        turned = movement.movement(frame[::-1], sums, internal=False)
        key = ["part", "state_before", "state_after", "move"]
        pd.testing.assert_frame_equal(
            found.sort_values(key, ignore_index=True), turned.sort_values(key, ignore_index=True)
        )

    def test_an_absent_column_is_named(self) -> None:
        with pytest.raises(MeasureError, match=r"^movement\.movement, cells: column 'change' is absent"):
            movement.movement(cells().drop(columns="change"), totals(cells()), internal=True)

    @pytest.mark.parametrize("reader", ["de", "en"])
    def test_without_a_period_before_nobody_moved_and_it_is_said(self, reader: str) -> None:
        language.use(reader)
        found = moved([0] * 12 + COUNTS[12:])
        assert found.empty
        told = movement.headline(found, since="2026-Q2")
        assert told == movement.told(found, since="2026-Q2", before=0.0, after=7.0)
        assert told.startswith(
            {"de": "Wer auf- oder abgestiegen ist, lässt sich nicht sagen", "en": "Who moved"}[reader]
        )
        assert movement.by_move(found).empty
        assert movement.fallen_list(FALLEN, found, internal=True) == ""


FALLEN = pd.DataFrame(
    {
        "customer_id": ["K-Ä<1>", "00012"],
        "state_after": ["gone", "B"],
        "revenue_before": [900.0, 500.5],
        "revenue_after": [0.0, 100.0],
        "change": [-900.0, -400.5],
    }
)


class TestTold:
    def test_each_kind_of_move_is_told_with_its_money(self) -> None:
        # 197 were there before, 10 each; of 230 in all 33 are gone, 197 bring 7 each
        told = sentences(movement.told(moved(), since="2026-Q2", before=1730.0, after=1379.0))
        assert told == [
            "In eine höhere Klasse aufgestiegen: 22 Kundinnen und Kunden, zusammen 66,00 € weniger als in Q2 2026.",
            "In eine tiefere Klasse abgestiegen: 28 Kundinnen und Kunden, zusammen 84,00 € weniger als in Q2 2026.",
            "In der Klasse geblieben: 90 Kundinnen und Kunden, zusammen 270,00 € weniger.",
            "Jetzt ohne Kauf, in Q2 2026 noch mit: 33 Kundinnen und Kunden; das sind 330,00 € weniger, davon 80,00 € "
            "von 8 Kundinnen und Kunden der Klasse A.",
            "Neu: 25 Kundinnen und Kunden mit 175,00 € Umsatz.",
            "Zurückgekehrt, in Q2 2026 ohne Kauf: 32 Kundinnen und Kunden mit 224,00 € Umsatz.",
            "Alle Felder zusammen ergeben 230 Kundinnen und Kunden und auf den Cent den Umsatz beider Zeiträume: "
            "1.730,00 € in Q2 2026, 1.379,00 € jetzt, also 351,00 € weniger.",
        ]

    def test_cells_that_do_not_add_up_are_not_said_to(self) -> None:
        told = sentences(movement.told(moved(), since="2026-Q2", before=1730.01, after=1379.0))
        assert (
            told[-1]
            == "Die Felder ergeben nicht den Umsatz der beiden Zeiträume: Es fehlen 0,01 € davor und 0,00 € jetzt."
        )

    def test_kinds_of_move_that_did_not_happen_are_left_out(self) -> None:
        nobody_new = [*COUNTS[:12], 0, 0, 0, *COUNTS[15:]]
        told = sentences(movement.told(moved(nobody_new), since="2026-Q2", before=1730.0, after=1204.0))
        assert len(told) == 6
        assert not any(sentence.startswith("Neu") for sentence in told)

    @pytest.mark.parametrize(
        ("factor", "said"), [(1.0, "gesunken"), (-1.0, "gestiegen"), (0.0, "so hoch wie in Q2 2026")]
    )
    def test_the_headline_says_which_way_revenue_went(self, factor: float, said: str) -> None:
        found = moved()
        assert said in movement.headline(found.assign(change=found["change"] * factor), since="2026-Q2")

    def test_where_all_stayed_the_headline_has_no_balance(self) -> None:
        stayed = [8 * (before == after) for before, after in PAIRS]
        told = plain(movement.headline(moved(stayed), since="2026-Q2"))
        assert told.endswith("auf 168,00 € gesunken (n = 24): Alle blieben in ihrer Klasse.")

    def test_a_headline_of_too_few_tells_no_amounts(self) -> None:
        few = moved([*COUNTS[:15], 1, 1, 0], internal=False)
        assert "€" not in movement.headline(few, since="2026-Q2")

    def test_small_counts_stand_in_no_sentence_of_a_report_that_is_passed_on(self) -> None:
        # 3 of class A are gone
        few = moved([*COUNTS[:3], 3, *COUNTS[4:]], internal=False)
        told = sentences(movement.told(few, since="2026-Q2", before=1680.0, after=1379.0))
        assert "Klasse A" not in " ".join(told)

    def test_customers_are_listed_in_the_house_only_and_the_total_is_said(self) -> None:
        shown = movement.fallen_list(FALLEN, moved(), internal=True)
        assert isinstance(shown, Table)
        page = BeautifulSoup(shown.html, "html.parser")
        rows = [[plain(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
        assert rows[1:] == [
            ["K-Ä<1>", "ohne Kauf", "900,00 €", "0,00 €", "−900,00 €"],
            ["00012", "B", "500,50 €", "100,00 €", "−400,50 €"],
        ]
        # A to B 10, to C 7, gone 8: 17 · 3 + 8 · 10 less
        note = "Gezeigt sind die ersten 2 von 25. Alle 25 Kundinnen und Kunden zusammen: 131,00 € weniger."
        assert note in plain(page.get_text())
        listed = movement.fallen_list(FALLEN, moved(), internal=True, sheet="Wanderung")
        assert isinstance(listed, Table)
        assert "Arbeitsmappe tables.xlsx auf dem Blatt „Wanderung“." in listed.html
        assert "tables.xlsx" not in shown.html
        outside = movement.fallen_list(FALLEN, moved(internal=False), internal=False)
        assert outside == "Die Liste einzelner Kundinnen und Kunden steht nur in internen Berichten."

    def test_a_class_a_that_nobody_left_has_no_list(self) -> None:
        found = movement.fallen_list(FALLEN.head(0), moved([30, 0, 0, 0, *COUNTS[4:]]), internal=True)
        assert found == "Aus der Klasse A ist niemand abgestiegen oder ausgeblieben."


class TestChart:
    def test_every_cell_and_total_is_written_with_customers_and_signed_money(self, figures: list[Figure]) -> None:
        charts.migration(moved(), title="Titel", before="2026-Q2", after="2026-Q3")
        written = [text.get_text() for text in figures[0].axes[0].texts]
        # 18 cells, 5 and 4 totals, 1 for all, two texts each
        assert len(written) == 2 * (18 + 5 + 4 + 1)
        assert plain(written[written.index("230") + 1]) == "−351 €"
        assert plain(written[written.index("15") + 1]) == "+105 €"  # returned to C, 7 each

    def test_what_may_not_be_shown_is_a_dot_and_the_note_says_so(self, figures: list[Figure]) -> None:
        shown = moved([3, *COUNTS[1:]], internal=False)
        chart = charts.migration(shown, title="Titel", before="2026-Q2", after="2026-Q3")
        assert isinstance(chart, charts.Chart)
        dots = [text for text in figures[0].axes[0].texts if text.get_text() == "·"]
        assert len(dots) == shown[shown["part"] != "move"]["customers"].isna().sum()
        assert "Ein Punkt" in chart.note

    def test_nobody_is_no_chart(self) -> None:
        drawn = charts.migration(moved([0] * 18), title="Titel", before="2026-Q2", after="2026-Q3")
        assert drawn == Sentence("Titel: keine Daten.")

    def test_money_that_did_not_change_is_drawn_all_the_same(self) -> None:
        flat = moved().assign(change=0.0)
        chart = charts.migration(flat, title="Titel", before="2026-Q2", after="2026-Q3")
        assert isinstance(chart, charts.Chart)
        assert "ebenso viel" in chart.alt


class TestSection:
    REVENUE = pd.DataFrame({"revenue": [1730.0]}), pd.DataFrame({"revenue": [1379.0]})

    def shown(self, counts: list[int] | None, *, internal: bool) -> str:
        found = moved(counts, internal=internal)
        about = {"period": "2026-Q3", "since": "2026-Q2", "internal": internal}
        return segment_sections.moves(found, FALLEN, *self.REVENUE[::-1], **about)._repr_mimebundle_()["text/plain"]

    def test_sentences_chart_and_list_stand_together(self) -> None:
        text = plain(self.shown(None, internal=True))
        assert "auf den Cent den Umsatz beider Zeiträume" in text
        assert "Wanderung zwischen den Klassen, Q3 2026 (n = 230)" in text
        assert "00012" in text

    def test_a_report_that_is_passed_on_names_no_customer(self) -> None:
        assert "00012" not in self.shown(None, internal=False)

    def test_where_all_cells_are_hidden_there_is_no_chart(self) -> None:
        text = self.shown([1] * 18, internal=False)
        assert "Felder mit wenigen Kundinnen und Kunden" in text
        assert "keine Daten" not in text


class TestClasses:
    CLASSES = pd.DataFrame(
        {"class": ["A", "B", "C"], "customers": [1, 9, 90], "revenue": [80.0, 15.0, 5.0], "share": [0.8, 0.15, 0.05]}
    ).assign(customer_share=[0.01, 0.09, 0.9], lowest_revenue=[80.0, 1.0, 0.0], not_positive=0)

    def test_a_class_of_few_stays_in_the_house(self) -> None:
        few = "Die Klassen stehen nur in internen Berichten: Eine von ihnen zählt weniger als 5 Kundinnen und Kunden."
        assert segment_sections.best_class(self.CLASSES, internal=False) == few
        assert segment_sections.classes(self.CLASSES, period="2026-Q3", internal=False) == few
        assert segment_sections.classes_for_figures(self.CLASSES, internal=False).empty
        assert segment_sections.classes_for_figures(self.CLASSES, internal=True)["base"].tolist() == [100] * 3

    def test_one_customer_brings_in_the_singular(self) -> None:
        told = plain(segment_sections.best_class(self.CLASSES, internal=True))
        assert told.startswith("Klasse A: 1 von 100 Kundinnen und Kunden (1,0 %) bringt 80,0 % des Umsatzes")

    def test_the_lowest_revenue_is_that_of_one_customer_and_stays_in_the_house(self) -> None:
        enough = self.CLASSES.assign(customers=[5, 9, 90])
        for internal in (True, False):
            shown = segment_sections.classes(enough, period="2026-Q3", internal=internal)
            assert ("Kleinster Umsatz" in shown._repr_mimebundle_()["text/plain"]) == internal

    def test_without_positive_revenue_there_is_no_class_a(self) -> None:
        none = self.CLASSES.assign(customers=[0, 0, 3], share=np.nan, revenue=[0.0, 0.0, -5.0])
        assert plain(segment_sections.best_class(none, internal=True)).endswith("im Zeitraum Umsatz gebracht (n = 3).")

    def test_classes_without_customers_are_left_out(self) -> None:
        only = self.CLASSES.assign(customers=[0, 0, 7], share=np.nan, revenue=[0.0, 0.0, -5.0])
        shown = segment_sections.classes(only, period="2026-Q3", internal=True)
        html = shown._repr_mimebundle_()["text/html"]
        assert len(BeautifulSoup(html, "html.parser").find_all("tr")) == 2
        assert "<img" not in html
        assert "<svg" not in html

    def test_without_customers_there_is_a_sentence(self) -> None:
        nobody = self.CLASSES.assign(customers=0)
        said = "Für den Zeitraum sind keine Bestellungen erfasst."
        assert segment_sections.best_class(nobody, internal=True) == said
        assert segment_sections.classes(nobody, period="2026-Q3", internal=True) == said

    def test_why_shares_come_to_less_than_all_is_said(self) -> None:
        some = self.CLASSES.assign(customers=[5, 9, 90], share=[0.8, 0.15, 0.04], not_positive=[0, 0, 16])
        for internal in (True, False):
            shown = segment_sections.classes(some, period="2026-Q3", internal=internal)
            text = plain(shown._repr_mimebundle_()["text/html"])
            assert ("16 Kundinnen und Kunden der Klasse C haben unter dem Strich nichts" in text) == internal

    def test_no_loser_is_told_of_outside_by_an_empty_class_a(self) -> None:
        none = self.CLASSES.assign(customers=[0, 0, 3], share=np.nan, revenue=[0.0, 0.0, -5.0])
        assert "3" not in segment_sections.best_class(none, internal=False)

    def test_the_map_that_is_passed_on_leaves_out_few_and_what_they_follow_from(self) -> None:
        scores = pd.DataFrame({"recency_score": [1, 1, 2, 3], "frequency_score": [1, 1, 2, 3]})
        scores = scores.assign(customers=[4, 5, 3, 30], revenue=1.0)
        chart = segment_sections.rfm(scores, internal=False)
        assert isinstance(chart, charts.Chart)
        # all are 42; without the 3 alone they would be the rest
        assert plain(chart.title).endswith("(n = 30)")
        assert "weniger als 5" in chart.note
        inside = segment_sections.rfm(scores, internal=True)
        assert isinstance(inside, charts.Chart)
        assert plain(inside.title).endswith("(n = 42)")

    def test_a_map_of_few_only_is_a_sentence(self) -> None:
        scores = pd.DataFrame({"recency_score": [1, 2], "frequency_score": [1, 2], "customers": [3, 4], "revenue": 1.0})
        assert "nur in internen Berichten" in segment_sections.rfm(scores, internal=False)
        assert segment_sections.rfm(scores.head(0), internal=True) == "Es sind keine Bestellungen erfasst."

    def test_a_map_without_revenue_shows_customers_only(self) -> None:
        scores = pd.DataFrame({"recency_score": [1, 2], "frequency_score": [1, 2], "customers": [3, 9]})
        chart = segment_sections.rfm(scores.assign(revenue=-1.0), internal=True)
        assert isinstance(chart, charts.Chart)
        assert "Anteile daran gibt es deshalb nicht" in chart.note
        assert "Umsatzes" not in chart.alt

    @pytest.mark.parametrize(("third", "internal", "told"), [(2, True, [20]), (2, False, []), (5, False, [20])])
    def test_the_best_customers_do_not_give_away_those_who_spend_less(
        self, third: int, internal: bool, told: list[int]
    ) -> None:
        scores = pd.DataFrame({"recency_score": 5, "frequency_score": 5, "monetary_score": [5, 3]})
        found = segment_sections.best_customers(scores.assign(customers=[20, third]), bins=5, internal=internal)
        assert found["customers"].tolist() == told


class TestSpread:
    CURVE = pd.DataFrame({"customer_share": [0.0, 0.5, 1.0], "revenue_share": [0.0, 0.2, 1.0]})

    @staticmethod
    def measured(n: int, positive: float) -> pd.DataFrame:
        return pd.DataFrame({"n": [n], "positive": [positive], "top_20_share": [0.62]})

    @pytest.mark.parametrize(
        ("share", "said"), [(0.63, "stärker als"), (0.61, "etwa so stark wie"), (0.5, "schwächer als")]
    )
    def test_how_much_revenue_hangs_on_a_few_is_compared(self, share: float, said: str) -> None:
        now, before = (pd.DataFrame({"top_20_share": [value], "positive": [9]}) for value in (share, 0.605))
        assert said in spread.change(now, before, since="2026-Q2")

    def test_a_period_without_revenue_is_not_compared_with(self) -> None:
        now, none = (pd.DataFrame({"top_20_share": [value], "positive": [9]}) for value in (0.6, np.nan))
        assert spread.change(now, none, since="2026-Q2") == ""

    def test_a_fifth_of_four_is_nobody_and_not_told(self) -> None:
        assert spread.top_share(self.measured(4, 4)) == ""

    def test_a_number_that_would_give_away_a_few_is_left_out(self) -> None:
        untold = self.measured(20, np.nan)
        assert plain(spread.top_share(untold)).endswith("bringt 62,0 % des Umsatzes.")
        chart = self.section(untold, internal=False)
        assert isinstance(chart, charts.Chart)
        assert (chart.title, chart.note) == ("Verteilung des Umsatzes, Q3 2026", "")

    @pytest.mark.parametrize(("small", "internal", "told"), [(2, True, 10), (2, False, None), (5, False, 10)])
    def test_the_number_is_left_out_where_it_holds_down_a_class(
        self, small: int, internal: bool, told: int | None
    ) -> None:
        # 8 in A and 10 who brought anything: B has 2 at most
        classes = pd.DataFrame({"customers": [8, small, 20]})
        found = spread.told(self.measured(30, 10), classes, internal=internal)["positive"].item()
        assert found == told if told else np.isnan(found)

    def test_the_curve_says_who_is_not_in_it(self) -> None:
        chart = self.section(self.measured(20, 13), internal=True)
        assert isinstance(chart, charts.Chart)
        assert chart.note.startswith("Ohne 7 Kundinnen und Kunden, die im Zeitraum unter dem Strich nichts")

    @pytest.mark.parametrize(
        ("n", "positive", "internal", "said"),
        [
            (9, 0, True, "Im Zeitraum hat niemand"),
            (9, 0, False, "Im Zeitraum hat niemand"),
            (9, 1, True, "Im Zeitraum hat nur 1 Person Umsatz gebracht"),
            (9, 4, True, "Im Zeitraum haben nur 4 Kundinnen und Kunden"),
            (9, np.nan, False, "Wie der Umsatz verteilt ist, steht nur in internen Berichten"),
        ],
    )
    def test_where_there_is_no_curve_it_is_said(self, n: int, positive: float, internal: bool, said: str) -> None:
        found = self.section(self.measured(n, positive), internal=internal, curve=self.CURVE.head(0))
        assert isinstance(found, Sentence)
        assert found.startswith(said)

    def section(
        self, measured: pd.DataFrame, *, internal: bool, curve: pd.DataFrame = CURVE
    ) -> charts.Chart | Sentence:
        return spread.section(curve, measured, cuts=(0.8, 0.95), period="2026-Q3", internal=internal)


TRIED = pd.DataFrame(
    {"number": [2, 3], "stability": [0.93, 0.6], "valley": [0.4, 1.2], "smallest": [0.3, 0.1], "holds": [True, False]}
)
PROFILE = pd.DataFrame(
    {
        "cluster": [1, 1, 2, 2],
        "n": [60, 60, 4, 4],
        "share": [60 / 64, 60 / 64, 4 / 64, 4 / 64],
        "attribute": ["frequency", "Größe"] * 2,
        "median": [2.0, 1.5, 40.0, 3.0],
        "difference": [-0.9, 0.1, 1.9, -0.6],
    }
)
NAMED = PROFILE.assign(rank=[1, 2, 1, 2], direction=["low", "high", "high", "low"])
NO_PROFILE = PROFILE.head(0)


class TestClusters:
    def test_a_cluster_is_named_by_what_differs_enough(self) -> None:
        expected = {1: "Gruppe 1: wenige Bestellungen", 2: "Gruppe 2: viele Bestellungen, Größe niedrig"}
        assert cluster_names(NAMED) == expected

    def test_how_reliable_groups_are_is_told(self) -> None:
        told = plain(segment_sections.clusters_told(TRIED, PROFILE, used=64, customers=64))
        assert told == (
            "Die Kundschaft zerfällt in 2 Gruppen, die getrennt voneinander liegen (n = 64). In zwei Hälften der "
            "Kundschaft gesucht, stimmen die Gruppen zu 0,93 überein; 1 hieße gleich, 0 zufällig."
        )

    def test_a_sample_is_said_to_be_one(self) -> None:
        told = plain(segment_sections.clusters_told(TRIED, PROFILE, used=64, customers=70_000))
        assert told.endswith("Gesucht wurde in einer Stichprobe aus allen 70.000 Kundinnen und Kunden.")

    @pytest.mark.parametrize(
        ("valley", "said"), [(1.1, "zwischen ihnen ist keine Lücke"), (0.85, "stimmen sie nur zu 0,70 überein")]
    )
    def test_why_there_are_none_is_told(self, valley: float, said: str) -> None:
        none = TRIED.assign(holds=False, valley=valley, stability=[0.7, 0.6])
        told = plain(segment_sections.clusters_told(none, NO_PROFILE, used=64, customers=64))
        assert said in told
        assert "Am ehesten wären es 2" in told

    def test_too_few_customers_are_said_to_be(self) -> None:
        told = segment_sections.clusters_told(TRIED.head(0), NO_PROFILE, used=1, customers=1)
        assert plain(told).startswith("Ob die Kundschaft in Gruppen zerfällt, lässt sich nicht sagen")
        assert segment_sections.clusters_counted(TRIED.head(0), used=1, incomplete=0, internal=True).empty
        outside = segment_sections.clusters_told(TRIED.head(0), NO_PROFILE, used=3, customers=3, internal=False)
        assert "3" not in outside

    def test_the_number_of_groups_is_the_largest_that_holds(self) -> None:
        assert segment_sections.clusters_counted(TRIED, used=64, incomplete=0, internal=True).to_dict("records") == [
            {"number": 2, "n": 64}
        ]
        none = segment_sections.clusters_counted(TRIED.assign(holds=False), used=64, incomplete=0, internal=True)
        assert none.to_dict("records") == [{"number": 0, "n": 64}]

    def test_groups_of_few_stay_in_the_house(self) -> None:
        counts = {"used": 64, "customers": 66, "incomplete": 2}
        for internal in (True, False):
            shown = segment_sections.clusters(TRIED, PROFILE, NAMED, internal=internal, **counts)
            text = shown._repr_mimebundle_()["text/plain"]
            assert ("Gruppe 2" in text) == internal
            assert ("Gruppe 1" in text) == internal  # of 64 in all, it would leave the 4 as the rest
            assert ("2 Kundinnen und Kunden sind nicht dabei" in text) == internal

    @pytest.mark.parametrize("internal", [True, False])
    def test_those_looked_at_are_not_counted_outside_where_that_gives_away_a_few(self, internal: bool) -> None:
        # 66 are told of by the map: 64 would leave 2
        counts = {"used": 64, "customers": 66, "incomplete": 2, "internal": internal}
        shown = segment_sections.clusters(TRIED.assign(holds=False), NO_PROFILE, NAMED.head(0), **counts)
        assert ("64" in shown._repr_mimebundle_()["text/plain"]) == internal
        found = segment_sections.clusters_counted(TRIED, used=64, incomplete=2, internal=internal)
        assert found["n"].notna().all() == internal

    def test_no_groups_are_a_sentence_and_no_chart(self) -> None:
        none = TRIED.assign(holds=False)
        shown = segment_sections.clusters(
            none, NO_PROFILE, NAMED.head(0), used=64, customers=64, incomplete=0, internal=True
        )
        assert "<img" not in shown._repr_mimebundle_()["text/html"]


class TestSheets:
    @pytest.mark.parametrize("language_of", ["de", "en"])
    def test_every_list_has_a_name_that_excel_takes(self, language_of: str) -> None:
        language.use(language_of)
        titles = [customer_lists.sheet(name, [])["title"] for name in customer_lists.TITLES]
        assert all(len(title) <= 31 and not set(title) & set("[]:*?/\\'") for title in titles)
        assert len({title.lower() for title in titles}) == len(titles)
        language.use()

    def test_a_column_of_ones_own_is_headed_by_its_name(self) -> None:
        assert customer_lists.sheet("moved", ["Tarif_Art"])["columns"] == {"Tarif_Art": ("Tarif Art", "plain")}

    def test_a_list_that_nobody_knows_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="unknown list of customers 'move'"):
            customer_lists.sheet("move", [])
