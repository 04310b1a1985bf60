from __future__ import annotations

from types import SimpleNamespace

import chart_samples as samples
import numpy as np
import pandas as pd
import pytest
from chart_samples import INCIDENCES, REASONS, TRIANGLE
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from reading import cells, plain

from analysis.draw import charts, departures, group_phrases, language, sections, style
from analysis.errors import MeasureError

FOUND = REASONS.assign(cumulative=REASONS["share"].cumsum(), revenue_lost=[300.0, 450.0, 100.0, np.nan, 0.0, 100.0])
AT = INCIDENCES.assign(low=INCIDENCES["incidence"] * 0.9, high=INCIDENCES["incidence"] * 1.1, n=900)
AT = AT.assign(next=None, lead=np.nan, lead_low=np.nan, lead_high=np.nan)
FOREMOST = AT.index[(AT["cause"] == "Preis") & (AT["time"] >= 365)]
AHEAD = AT.assign(lead=AT["lead"].where(~AT.index.isin(FOREMOST), 0.05)).astype({"next": "object"})
AHEAD.loc[FOREMOST, "next"] = "Wechsel zu einem anderen Anbieter"


class TestWhy:
    def test_the_costliest_reason_is_named_where_it_is_not_the_most_frequent(self) -> None:
        assert plain(departures.why(FOUND)) == (
            "Häufigster Grund ist „Preis“: 40,0 % derer, die gingen (95-%-Intervall 31,0 bis 50,0 %, n = 100); "
            "es folgt „Wechsel zu einem anderen Anbieter mit Wechselprämie“ mit 30,0 %; die Intervalle überschneiden "
            "sich. Am meisten kostet „Wechsel zu einem anderen Anbieter mit Wechselprämie“: 450,00 € Monatsentgelt, "
            "das sind 45,0 % des weggefallenen. Bei 12,0 % ist kein Grund bekannt und bei 8,0 % widersprechen sich die "
            "Quellen."
        )

    def test_it_speaks_english(self) -> None:
        language.use("en")
        told = plain(departures.why(FOUND.assign(reason=["price", "move", None, None, None, None])))
        assert told.startswith("The most frequent reason is “price”: 40.0% of those who left (95% interval")
        assert told.endswith("For 12.0% no reason is known, and for 8.0% the sources disagree.")

    def test_reasons_as_frequent_and_reasons_clearly_apart_are_told_as_such(self) -> None:
        level = FOUND.assign(ended=[30, 30, 10, 8, 0, 12])
        assert "; ebenso häufig ist „Wechsel" in departures.why(level)
        apart = FOUND.assign(share_low=[0.41, 0.22, 0.06, 0.04, 0.0, 0.07])
        assert "mit 30,0\xa0%; die Intervalle überschneiden sich nicht." in departures.why(apart)

    def test_without_fees_nothing_is_said_about_them(self) -> None:
        assert "kostet" not in departures.why(FOUND.assign(revenue_lost=np.nan, revenue_share=np.nan))

    def test_what_is_not_known_is_said_even_where_it_is_nothing_or_all(self) -> None:
        none = FOUND[FOUND["kind"].isin(["reason", "sources disagree", "unknown"])].assign(share=[0.6, 0.4, 0, 0])
        assert plain(departures.why(none)).endswith(
            "Bei 0,0 % ist kein Grund bekannt und bei 0,0 % widersprechen sich die Quellen."
        )
        unknown = FOUND.tail(1).assign(share=1.0)
        assert plain(departures.why(unknown)) == (
            "Bei niemandem, der ging, steht ein Grund fest (n = 12). Bei 100,0 % ist kein Grund bekannt."
        )

    def test_reasons_counted_with_others_are_given_but_not_shown(self) -> None:
        told = plain(departures.why(FOUND.iloc[[2, 5]].assign(ended=[39, 2], share=[0.95, 0.05])))
        assert told == (
            "Welche Gründe genannt wurden, ist nicht gezeigt: Sonst wäre einer zu erkennen, den weniger als 5 "
            "Kundinnen und Kunden genannt haben (n = 41). Bei 5,0 % ist kein Grund bekannt."
        )

    def test_where_no_source_of_reasons_is_on_record_only_that_is_said(self) -> None:
        none = FOUND.tail(1).assign(share=1.0)
        none.attrs = {"n": 12, "not_in_codebook": {}}
        told = "Warum Kundinnen und Kunden gehen, ist nicht erfasst (n = 12)."
        assert plain(departures.why(none)) == told
        shown = sections.reasons(none, period="2026-Q3", internal=True)
        assert [plain(str(part)) for part in shown.parts] == [told]

    def test_the_most_frequent_reason_is_named_again_where_it_costs_most(self) -> None:
        told = plain(departures.why(FOUND.assign(revenue_lost=[500.0, 450.0, 100.0, np.nan, 0.0, 100.0])))
        assert "überschneiden sich. Auch am meisten kostet „Preis“: 500,00 €" in told

    def test_of_a_kind_that_cannot_be_nothing_is_said(self) -> None:
        one_source = FOUND[FOUND["kind"] != "sources disagree"]
        assert plain(departures.why(one_source)).endswith("weggefallenen. Bei 12,0 % ist kein Grund bekannt.")

    def test_kinds_of_few_are_named_without_a_number(self) -> None:
        hidden = FOUND.assign(ended=[40, 30, 10, np.nan, 0, 20], share=[0.4, 0.3, 0.1, np.nan, 0, 0.2])
        hidden.loc[3, ["share_low", "share_high", "cumulative"]] = np.nan
        hidden.attrs = {"min_group": 5, "n": 100}
        told = "Von weniger als 5 Kundinnen und Kunden und daher anderswo mitgezählt: „Quellen widersprechen sich“."
        assert plain(departures.why(hidden)).endswith(f"Bei 20,0 % ist kein Grund bekannt. {told}")
        table = departures.by_reason(hidden, title="Gründe")
        assert cells(table)[4][:4] == ["Quellen widersprechen sich", "–", "–", "–"]
        assert told in table.html
        assert len(departures.reason_figures(hidden, "x").query("unit == 'share'")) == 5

    def test_of_few_in_all_nothing_is_told(self) -> None:
        few = FOUND.tail(1).assign(ended=np.nan, share=np.nan, revenue_lost=np.nan)
        few.attrs = {"min_group": 5, "n": None}
        assert departures.why(few) == (
            "Weniger als 5 Kundinnen und Kunden sind gegangen; die Gründe sind nicht gezeigt."
        )
        assert departures.by_reason(few, title="Gründe") == "Gründe: keine Daten."
        assert charts.reasons(few, title="Gründe") == "Gründe: keine Daten."
        assert departures.reason_figures(few, "x").empty

    def test_texts_of_no_reason_are_said_where_there_are_any(self) -> None:
        some = FOUND.assign(share=[0.4, 0.3, 0.1, 0.08, 0.03, 0.09])
        assert departures.why(some).endswith("Quellen und bei 3,0\xa0% ist der Text keinem Grund zugeordnet.")

    def test_no_contract_that_ended_is_no_data(self) -> None:
        assert (
            departures.why(FOUND.assign(ended=0, share=np.nan))
            == "Warum Kundinnen und Kunden gegangen sind: keine Daten."
        )


class TestTables:
    def test_reasons_stand_with_share_interval_and_fees(self) -> None:
        head, *rows = cells(departures.by_reason(FOUND, title="Gründe"))
        assert head == ["Grund", "Gegangen", "Anteil", "95-%-Intervall", "Kumuliert", "Monatsentgelt", "Anteil daran"]
        assert rows[0] == ["Preis", "40", "40,0 %", "31,0 bis 50,0 %", "40,0 %", "300,00 €", "30,0 %"]
        assert [row[0] for row in rows[2:]] == ["andere", "Quellen widersprechen sich", "nicht zugeordnet", "unbekannt"]
        assert rows[3][-2:] == ["–", "–"]

    def test_columns_of_fees_are_left_out_where_none_is_known(self) -> None:
        bare = FOUND.assign(revenue_lost=np.nan, revenue_share=np.nan)
        bare.attrs["without_fee"] = 100
        table = departures.by_reason(bare, title="Gründe")
        assert cells(table)[0][-1] == "Kumuliert"
        assert "sk-note" not in table.html

    def test_those_whose_fee_is_not_known_are_counted_below_but_few_of_them_in_the_house_only(self) -> None:
        some = FOUND.copy()
        some.attrs["without_fee"] = 1
        inside, shared = (departures.by_reason(some, title="T", internal=internal).html for internal in (True, False))
        assert "Bei 1 von ihnen ist das Entgelt nicht bekannt." in inside
        assert "Bei weniger als 5 von ihnen ist das Entgelt nicht bekannt." in shared
        some.attrs["without_fee"] = 5
        assert "Bei 5 von ihnen ist das Entgelt" in departures.by_reason(some, title="T").html

    def test_texts_that_the_codebook_lacks_are_shown_in_the_house_only(self) -> None:
        found = FOUND.copy()
        found.attrs["not_in_codebook"] = {"reason": {"<b>Ärger</b>": 3}, "call": {}}
        assert cells(departures.uncoded(found, title="Texte", shown=True))[1:] == [["<b>Ärger</b>", "Grund", "3"]]
        assert departures.uncoded(found, title="Texte", shown=False) == ""
        assert departures.uncoded(FOUND, title="Texte", shown=True) == ""

    def test_no_row_is_a_sentence(self) -> None:
        assert departures.by_reason(FOUND.head(0), title="Gründe") == "Gründe: keine Daten."


class TestWhen:
    def test_the_reason_that_took_most_by_each_time_is_told(self) -> None:
        told = plain(departures.when(AT[AT["time"] >= 365]))
        assert told == (
            "Häufigster Grund bis Monat 12: „Preis“, deswegen sind 10,0 % aller gegangen (95-%-Intervall 9,0 bis "
            "11,0 %, n = 900). Häufigster Grund bis Monat 36: „Preis“, deswegen sind 20,0 % aller gegangen "
            "(95-%-Intervall 18,0 bis 22,0 %, n = 900). Hier zählen alle Jahre; in einem einzelnen Zeitraum kann ein "
            "anderer Grund vorn liegen."
        )

    def test_a_lead_within_noise_claims_no_order(self) -> None:
        noise = AHEAD.assign(lead_low=-0.01)
        assert plain(departures.when(noise[noise["time"] == 365])).startswith(
            "Bis Monat 12 sind 10,0 % aller wegen „Preis“ gegangen (95-%-Intervall 9,0 bis 11,0 %, n = 900) und 4,0 % "
            "wegen „Wechsel zu einem anderen Anbieter“; welcher der beiden Gründe häufiger ist, lässt sich nicht sagen"
            ": Der Unterschied liegt im Zufallsbereich."
        )

    def test_a_lead_beyond_chance_is_told_as_such(self) -> None:
        sure = AHEAD.assign(lead_low=0.02)
        assert "; wegen „Wechsel zu einem anderen Anbieter“ waren es gesichert weniger, nämlich 4,0 %." in plain(
            departures.when(sure[sure["time"] == 365])
        )

    def test_pooled_unknown_and_missing_reasons_are_none(self) -> None:
        others = AT[AT["cause"].isin(["other", "unknown"])].assign(incidence=0.5)
        assert departures.when(pd.concat([others, AT.head(1).assign(cause=None)])) == ""
        assert departures.when(others.assign(incidence=0.0)) == (
            "Abwanderung in Prozent aller Kundinnen und Kunden: keine Daten."
        )


class TestFigures:
    def test_reasons_carry_share_and_fees_each_with_its_base(self) -> None:
        found = departures.reason_figures(FOUND, "churn_drivers")
        assert found["id"].value_counts().to_dict() == {
            "churn_drivers.reason_share": 6,
            "churn_drivers.reason_revenue": 5,  # one is missing
        }
        shares = found[found["unit"] == "share"]
        assert shares["group"].tolist()[2:] == ["other", "sources disagree", "not in codebook", "unknown"]
        assert shares["n"].tolist() == [100] * 6
        assert found.loc[found["unit"] == "money", "n"].tolist() == [40, 30, 10, 0, 12]

    def test_incidences_are_named_by_their_days_and_left_out_where_missing(self) -> None:
        found = departures.incidence_figures(AT.assign(incidence=AT["incidence"].where(AT["time"] > 30)), "x")
        assert found["id"].unique().tolist() == ["x.incidence_365", "x.incidence_1095"]
        assert len(found) == 8

    def test_an_absent_column_is_named(self) -> None:
        with pytest.raises(MeasureError, match=r"^departures\.incidence_figures: column 'n' is absent"):
            departures.incidence_figures(INCIDENCES.assign(low=0, high=0), "x")


class TestReasonsChart:
    def test_what_is_no_reason_stands_last_and_is_grey(self, figures: list[Figure]) -> None:
        charts.reasons(REASONS, title="Titel")
        ax = figures[0].axes[0]
        labels = [label.get_text().replace("\xa0", " ") for label in ax.get_yticklabels()]
        assert labels[:3] == ["unbekannt (n = 12)", "nicht zugeordnet (n = 0)", "Quellen widersprechen sich (n = 8)"]
        colours = [to_hex(colour).upper() for colour in ax.collections[1].get_facecolors()]
        assert colours == [style.MUTED] * 3 + [style.ACCENT] * 3

    def test_the_share_of_fees_stands_beside_where_it_is_known(self, figures: list[Figure]) -> None:
        charts.reasons(REASONS, title="Titel")
        charts.reasons(REASONS.assign(revenue_share=np.nan), title="Titel")
        written, bare = ([text.get_text() for text in figure.axes[0].texts] for figure in figures)
        assert "45,0\xa0%" in written
        assert "Monatsentgelt" in written
        assert "Monatsentgelt" not in bare
        assert len(written) == 2 * len(bare)

    def test_notes_say_what_grey_and_other_are(self) -> None:
        grey = "Grau: Der Grund steht nicht fest."
        assert charts.reasons(REASONS, title="T", note="Ende.").note == (
            f"„andere“ sind alle selten genannten Gründe. {grey} Ende."
        )
        assert charts.reasons(REASONS.iloc[[0, 5]], title="T").note == grey
        assert charts.reasons(REASONS.head(2), title="T").note == ""


class TestIncidenceChart:
    def test_named_causes_have_colours_and_come_before_the_quiet_ones(self, figures: list[Figure]) -> None:
        chart = charts.incidence(INCIDENCES[::-1], title="Titel")
        lines = figures[0].axes[0].get_lines()[:4]
        assert [line.get_color() for line in lines] == [*style.SERIES[:2], style.MUTED, style.MUTED]
        assert [line.get_ydata()[-1] for line in lines] == [0.2, 0.195, 0.003, 0.001]
        assert chart.alt.index("Preis") < chart.alt.index("Wechsel") < chart.alt.index("andere")

    def test_a_curve_ends_where_too_few_are_left(self, figures: list[Figure]) -> None:
        chart = charts.incidence(INCIDENCES, title="Titel", min_group=21)
        line = figures[0].axes[0].get_lines()[0]
        assert np.asarray(line.get_ydata()).tolist() == [0.1]
        assert "Preis 10,0\xa0% nach 12 Monaten" in chart.alt
        assert charts.incidence(INCIDENCES, title="Titel", min_group=901) == "Titel: keine Daten."

    def test_a_curve_begins_where_enough_have_left_for_its_cause(self, figures: list[Figure]) -> None:
        rare = INCIDENCES.assign(events=[1, 3, 1, 0, 2, 2, 4, 0, 0, 9, 9, 9])
        chart = charts.incidence(rare, title="Titel")
        lines = [np.asarray(line.get_ydata()).tolist() for line in figures[0].axes[0].get_lines()[:2]]
        assert lines == [[0.2], [0.0, 0.0, 0.001]]
        assert "Wechsel" not in chart.alt

    def test_curves_of_many_steps_are_thinned_but_keep_their_last_value(self) -> None:
        days = np.arange(1, 20_001)
        many = pd.DataFrame({"cause": "Preis", "time": days, "at_risk": 99, "events": 1, "incidence": days / 40_000})
        chart = charts.incidence(many, title="Titel")
        assert len(chart.svg) < 80_000
        assert "Preis 50,0\xa0% nach 657 Monaten" in chart.alt

    def test_causes_beyond_the_colours_are_dashed(self, figures: list[Figure]) -> None:
        rows = INCIDENCES.head(3)
        seven = pd.concat([rows.assign(cause=f"Grund {n}", incidence=rows["incidence"] - 0.001 * n) for n in range(7)])
        charts.incidence(seven, title="Titel")
        lines = figures[0].axes[0].get_lines()[:7]
        assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 7

    def test_more_causes_than_lines_are_refused(self) -> None:
        many = pd.concat([INCIDENCES.head(3).assign(cause=f"Grund {number}") for number in range(8)])
        with pytest.raises(MeasureError) as error:
            charts.incidence(many, title="Titel")
        assert str(error.value) == (
            "charts.incidence: 8 causes are more than the 7 that can be told apart. Merge the rarer ones into 'other'."
        )

    def test_labels_at_nought_neither_fall_below_the_axis_nor_on_each_other(self, figures: list[Figure]) -> None:
        charts.incidence(INCIDENCES.assign(incidence=INCIDENCES["incidence"] * 1e-5), title="Titel")
        places = sorted(text.xy[1] for text in figures[0].axes[0].texts)
        assert places[0] >= 0
        assert min(np.diff(places)) >= 0.0649 * figures[0].axes[0].get_ylim()[1]


class TestRetentionChart:
    def test_the_oldest_cohort_is_on_top_and_small_ones_are_counted_in_the_note(self, figures: list[Figure]) -> None:
        chart = charts.retention(TRIANGLE, title="Titel")
        labels = [label.get_text().replace("\xa0", " ") for label in figures[0].axes[0].get_yticklabels()]
        assert labels == ["Feb 2026 (n = 1.204)", "Jan 2026 (n = 50)"]
        assert chart.note.endswith("1 Monat mit weniger als 5 neuen Kundinnen und Kunden ist nicht gezeigt.")
        every = charts.retention(TRIANGLE, title="Titel", min_group=1)
        assert "neuen" not in every.note

    def test_numbers_are_whole_and_only_all_are_a_hundred(self, figures: list[Figure]) -> None:
        charts.retention(TRIANGLE, title="Titel")
        # 99.8 of 100 are not all
        assert [text.get_text() for text in figures[0].axes[0].texts] == ["100", "90", "82", "99", "95"]

    def test_a_month_that_is_not_over_is_hollow_and_explained(self, figures: list[Figure]) -> None:
        chart = charts.retention(TRIANGLE, title="Titel")
        fills = [to_hex(patch.get_facecolor()).upper() for patch in figures[0].axes[0].patches]
        assert style.BACKGROUND in fills
        assert "Nur umrandet: Der Monat ist noch nicht zu Ende." in chart.note
        whole = charts.retention(TRIANGLE.assign(complete=True), title="Titel")
        assert "umrandet" not in whole.note

    def test_the_more_are_left_the_darker_the_cell(self, figures: list[Figure]) -> None:
        charts.retention(TRIANGLE.assign(complete=True), title="Titel")
        by_column = {
            tuple(path.get_path().vertices[0] + 0.5): style.contrast(to_hex(path.get_facecolor()), "#FFFFFF")
            for path in figures[0].axes[0].patches
        }
        assert by_column[(0, 1)] > by_column[(1, 1)] > by_column[(2, 1)]

    def test_no_more_than_two_years_are_shown(self, figures: list[Figure]) -> None:
        starts = pd.date_range("2023-01-01", periods=40, freq="MS")
        rows = [(start, month, 10, 1.0, True) for place, start in enumerate(starts) for month in range(40 - place)]
        long = pd.DataFrame(rows, columns=["cohort", "month", "joined", "share", "complete"])
        chart = charts.retention(long, title="Titel")
        ax = figures[0].axes[0]
        assert (len(ax.get_yticks()), len(ax.get_xticks())) == (24, 24)
        assert ax.get_yticklabels()[-1].get_text().startswith("Mai 2024")
        assert chart.note.endswith("Ohne Zahl: Alle sind noch da. 16 frühere Monate sind nicht gezeigt.")
        assert len(ax.texts) == 0


def test_groups_that_are_not_shown_are_not_counted(figures: list[Figure]) -> None:
    curves = samples.CURVES.copy()
    curves.attrs = {"n": 397, "from_time": 0}
    rates = pd.DataFrame({"channel": ["Filiale"], "exposed": [71], "ended_of_exposed": [13], "share": [0.18]})
    rates = rates.assign(share_low=0.11, share_high=0.29)
    notes = [
        sections.groups(curves, rates, "channel", of=of, test=SimpleNamespace(chi2=0.3, df=1, p_value=0.57), smallest=5)
        .parts[0]
        .note
        for of in (400, 397)
    ]
    assert ["Nicht gezeigt: kleinere Gruppen." in note for note in notes] == [True, False]


def test_groups_are_spoken_of_as_in_a_sentence() -> None:
    assert group_phrases.with_group("term_months", "12") == "einer Laufzeit von 12 Monaten"
    assert group_phrases.with_group("community_member", True) == "dem Merkmal „Community-Mitglied: ja“"
