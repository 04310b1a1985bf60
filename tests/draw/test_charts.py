from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import chart_samples as samples
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import analysis
from analysis.draw import charts, language, style
from analysis.draw.words import Sentence
from analysis.errors import MeasureError, PeriodError

SVG = "{http://www.w3.org/2000/svg}"
EVERY_KIND = pytest.mark.parametrize("kind", samples.KINDS)


@pytest.fixture
def drawn_texts(monkeypatch: pytest.MonkeyPatch) -> dict[Text, Bbox]:
    """The texts that were drawn in a test, and where on the sheet, in points."""
    seen: dict[Text, Bbox] = {}
    draw = Text.draw

    def remember(text: Text, renderer: Any, *rest: Any, **more: Any) -> None:
        if text.get_text() and text.get_visible():
            seen[text] = text.get_window_extent(renderer)
        draw(text, renderer, *rest, **more)

    monkeypatch.setattr(Text, "draw", remember)
    return seen


def written(kind: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(samples.drawn(kind).svg).iter(f"{SVG}text")]


@EVERY_KIND
def test_a_chart_is_the_same_bytes_when_it_is_drawn_twice(kind: str) -> None:
    assert samples.drawn(kind) == samples.drawn(kind)


def test_charts_are_the_same_bytes_in_another_process() -> None:
    source = Path(analysis.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{Path(__file__).parent}", "PYTHONHASHSEED": "7"}
    code = "import chart_samples; print(chart_samples.fingerprint())"
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == samples.fingerprint()


@EVERY_KIND
def test_a_chart_leaves_its_frame_as_it_was(kind: str) -> None:
    frame = samples.KINDS[kind][1]
    before = frame.copy(deep=True)
    samples.drawn(kind)
    pd.testing.assert_frame_equal(frame, before)


@EVERY_KIND
@pytest.mark.parametrize("reader", ["de", "en"])
def test_no_text_is_clipped_or_small_or_on_top_of_another(
    kind: str, reader: str, figures: list[Figure], drawn_texts: dict[Text, Bbox]
) -> None:
    language.use(reader)
    samples.drawn(kind)
    width, height = figures[0].get_size_inches() * 72
    assert len(drawn_texts) > 5
    for text, box in drawn_texts.items():
        assert text.get_fontsize() >= 8.5
        assert 0 <= box.x0 <= box.x1 <= width, text
        assert 0 <= box.y0 <= box.y1 <= height, text
    for (one, box), (other, another) in combinations(drawn_texts.items(), 2):
        assert not box.padded(-1).overlaps(another.padded(-1)), (one, other)


@EVERY_KIND
def test_the_svg_is_as_wide_as_the_text_of_a_page_and_holds_all_it_needs(kind: str) -> None:
    svg = samples.drawn(kind).svg
    root = ElementTree.fromstring(svg)
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(17 / 2.54 * 72, abs=0.1)
    assert "clip" not in svg
    assert "metadata" not in svg
    assert "20" + "26-11" not in svg
    assert "@font-face{font-family:Inter" in svg
    addresses = set(re.findall(r"https?://[^\"']+", svg))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert len(svg) < 80_000


ALTERNATIVES = {
    "intervals": ("Net Promoter Score", "Süd 31,2 (27,0 bis 36,0)", "ohne Angabe −3,3 (−20,0 bis 28,0)"),
    "trend": ("Net Promoter Score", "von Q1 2025 20,0 bis Q2 2026 18,0", "am höchsten Q1 2026 25,0"),
    "groups": ("Net Promoter Score", "Region: Süd 31,2 (24,0 bis 38,0)"),
    "differences": ("Standardisierter Unterschied von 3 Gruppen", "Kunde seit 0,02", "Community-Mitglied −0,35"),
    "forest": (
        "Kanal: Vergleichsportal gegen Onlineshop 2,06 (1,72 bis 2,49)",
        "Community-Mitglied: ja gegen nein 0,54",
    ),
    "importance_performance": ("Qualität: 40,0\xa0%, 4,10, so halten", "Preis: 25,0\xa0%, 3,20, zuerst verbessern"),
    "bond_mix": (
        "nur vertraglich 20,0\xa0% der Kundschaft (n\xa0=\xa0410), Abwanderung 6,1\xa0% (4,0 bis 9,0\xa0%, n\xa0=",
        "nur technisch 10,0",
    ),
    "opposed": ("Kritiker: teuer, Preiserhöhung, kaputt", "Fürsprecher: freundlich, Kundendienstmitarbeiterin"),
    "level": ("Net Promoter Score", "am höchsten Feb 2026 35,0"),
    "scales": ("von Nov 2025 20,0 bis Feb 2026 22,0", "von Feb 2026 12,0 bis Apr 2026 14,0"),
    "distribution": ("0 0\xa0%", "10 28\xa0%"),  # 300 of 1,085 answers
    "stacked_shares": ("Nord: Kritiker 25\xa0%, Passive 26\xa0%, Fürsprecher 49\xa0%",),  # 200, 212, 400 of 812
    "survival": ("Filiale: 60,0\xa0% nach 36 Monaten, Median nicht erreicht", "Internet: 0,0\xa0% nach 24 Monaten"),
    "lorenz": ("20,0\xa0% der Kundschaft bringen 80\xa0% des Umsatzes", "50,0\xa0% der Kundschaft bringen 95\xa0%"),
    "abc_bars": ("Klasse A 20,0\xa0% der Kundschaft, 80,0\xa0% des Umsatzes",),
    "rfm_map": ("Die meisten, 50,0\xa0% der Kundschaft", "bringen 10,0\xa0% des Umsatzes"),  # 50 of 100, 100 of 1,000
    "quality": ("Kundschaft: 10 von 5.000 (0,20\xa0%)", "Verträge: 5 von 112 (4,46\xa0%), 12 weggelassen"),
    "reasons": (
        "100 Kundinnen und Kunden, die gingen",
        "Preis 40,0\xa0% (31,0 bis 50,0\xa0%)",
        "Quellen widersprechen sich 8,0\xa0%",
        "unbekannt 12,0\xa0%",
    ),
    "calibration": ("1: vorhergesagt 0,7\xa0%, gegangen 0,0\xa0%", "10: vorhergesagt 31,0\xa0%", "(8,9 bis 53,2\xa0%)"),
    "incidence": ("Preis 20,0\xa0% nach 36 Monaten", "andere 0,3\xa0% nach 36 Monaten"),
    "migration": (
        "nach Klasse in Q2 2026 und in Q3 2026",
        "zurückgekehrt nach Klasse C 9, 1,2\xa0Mio.\xa0€ mehr; Klasse B nach Klasse A 86",
    ),
    "clusters": (
        "Gruppe 1: geringer Umsatz, lange nicht gekauft (n\xa0=\xa0900, 69,2\xa0%)",
        "Tage seit dem letzten Kauf 302\xa0Tage, Umsatz 59\xa0€",
        "Gruppe 2: hoher Umsatz (n\xa0=\xa0400",  # its second attribute is less than half a standard deviation off
    ),
    "retention": ("Jan 2026 82,0\xa0% nach 2 Monaten", "Feb 2026 95,0\xa0% nach 1 Monat"),
    "contributions": ("Espresso 78.063\xa0€ (72.376 bis 83.748\xa0€), behalten", "Probierpaket −4.554\xa0€"),
    "tracking": ("bis 04.02.2025", "eingetreten 401, vorhergesagt 400", "was nach dem 21.01.2025 kam"),
    "forecasts": (
        "1: vorhergesagt 0,01, eingetreten 0,00 (0,00 bis 0,00)",
        "10: vorhergesagt 10,70, eingetreten 10,40",
    ),
    "value_spread": ("unter 0\xa0€ 0,3\xa0%", "0 bis 5.000\xa0€ 70,0\xa0%", "15.000\xa0€ und mehr 4,7\xa0%"),
}


@EVERY_KIND
def test_the_text_alternative_is_a_phrase_with_the_key_values(kind: str) -> None:
    alt = samples.drawn(kind).alt
    assert len(alt.split()) > 5
    for phrase in ALTERNATIVES[kind]:
        assert phrase in alt


@EVERY_KIND
def test_a_frame_without_rows_gives_a_sentence_and_no_chart(kind: str) -> None:
    draw, frame, settings = samples.KINDS[kind]
    assert draw(frame.head(0), title="Titel", **settings) == Sentence("Titel: keine Daten.")


@EVERY_KIND
def test_a_frame_without_a_value_gives_a_sentence_and_no_chart(kind: str) -> None:
    draw, frame, settings = samples.KINDS[kind]
    numeric = [name for name in frame.select_dtypes("number") if not name.endswith("_score")]
    emptied = frame.assign(**dict.fromkeys(numeric, np.nan))
    assert draw(emptied, title="Titel", **settings) == Sentence("Titel: keine Daten.")


@EVERY_KIND
def test_one_row_is_enough(kind: str) -> None:
    draw, frame, settings = samples.KINDS[kind]
    assert isinstance(draw(frame.dropna().tail(1), title="Titel", **settings), charts.Chart)


@EVERY_KIND
def test_an_absent_column_is_named_with_those_that_exist(kind: str) -> None:
    draw, frame, settings = samples.KINDS[kind]
    needed = {"intervals": "low", "trend": "low", "stacked_shares": "passives", "survival": "high"}
    column = needed.get(kind, frame.columns[0])
    with pytest.raises(MeasureError, match=rf"^charts\.{draw.__name__}: column '{column}' is absent; the frame has: "):
        draw(frame.drop(columns=column), title="Titel", **settings)


def test_the_html_is_a_figure_with_caption_alternative_and_note() -> None:
    chart = charts.abc_bars(samples.CLASSES, title="A & <b>B</b>", note="Quelle: <Ledger>")
    assert isinstance(chart, charts.Chart)
    page = BeautifulSoup(chart._repr_mimebundle_()["text/html"], "html.parser")
    [figure] = page.find_all("figure")
    assert figure["class"] == ["sk-figure"]
    assert figure["id"] == chart.id
    assert figure.figcaption.get_text() == "A & <b>B</b>"
    assert figure.img["alt"] == chart.alt
    assert figure.find("p", class_="sk-note").get_text() == "Quelle: <Ledger>"
    head, _, image = figure.img["src"].partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(image).decode() == chart.svg
    assert page.find("script") is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "$x^2$", "R&D", '"><img src=x>', "Łódź 東京 🙂"])
def test_whatever_a_group_is_called_stays_text(name: str) -> None:
    frame = samples.NPS.assign(region=name).head(1)
    chart = charts.intervals(frame, value="nps", label="region", unit="points", title="Titel")
    assert isinstance(chart, charts.Chart)
    words = ["".join(text.itertext()) for text in ElementTree.fromstring(chart.svg).iter(f"{SVG}text")]
    assert f"{name} (n\xa0=\xa0812)" in words
    page = BeautifulSoup(chart._repr_mimebundle_()["text/html"], "html.parser")
    assert name in page.img["alt"]
    assert [tag.name for tag in page.find_all(True)] == ["figure", "figcaption", "img"]


def test_control_characters_in_a_name_do_not_break_the_image() -> None:
    frame = samples.NPS.assign(region="Nord\x00\x1b Ost").head(1)
    chart = charts.intervals(frame, value="nps", label="region", unit="points", title="Titel")
    assert isinstance(chart, charts.Chart)
    assert "Nord Ost" in chart.svg


def test_groups_without_a_value_are_named_below_the_chart() -> None:
    assert samples.drawn("intervals").note == "Ohne Wert: Österreich."


def test_intervals_come_highest_first_or_as_given(figures: list[Figure]) -> None:
    settings: dict[str, Any] = {"value": "nps", "label": "region", "unit": "points", "title": "Titel"}
    charts.intervals(samples.NPS.head(2), **settings)
    charts.intervals(samples.NPS.head(2), sort=False, **settings)
    from_below = [[label.get_text() for label in figure.axes[0].get_yticklabels()] for figure in figures]
    assert from_below == [
        ["Nord (n\xa0=\xa0812)", "Süd (n\xa0=\xa01.204)"],
        ["Süd (n\xa0=\xa01.204)", "Nord (n\xa0=\xa0812)"],
    ]


def test_a_period_without_value_or_row_is_a_gap_in_the_line(figures: list[Figure]) -> None:
    samples.drawn("trend")
    [line] = figures[0].axes[0].get_lines()
    # 2025-Q1 to 2026-Q2: the third quarter has no value, the fourth no row
    assert np.asarray(line.get_ydata()).tolist() == pytest.approx([20, 22, np.nan, np.nan, 25, 18], nan_ok=True)


def test_dots_are_full_where_a_group_differs_and_a_note_says_so(figures: list[Figure]) -> None:
    chart = samples.drawn("groups")
    full, hollow = figures[0].axes[0].lines[:2]
    assert (full.get_xdata().tolist(), hollow.get_xdata().tolist()) == ([2.0, 31.2], [12.5])
    assert full.get_markerfacecolor() != hollow.get_markerfacecolor()
    assert "Volle Punkte: gesicherte Abweichung" in chart.note


def test_a_step_that_differs_is_marked_on_the_smoothed_level(figures: list[Figure]) -> None:
    samples.drawn("level")
    level, within, differs = figures[0].axes[0].lines
    assert level.get_ydata().tolist() == samples.LEVEL["level"].tolist()
    assert (differs.get_ydata().tolist(), differs.get_marker()) == ([35.0], "D")
    assert within.get_ydata().tolist() == [20.0, 22.0, 33.0]


def test_without_a_level_the_values_are_joined(figures: list[Figure]) -> None:
    frame = samples.LEVEL.assign(level=np.nan)
    charts.trend(frame, value="nps", unit="points", level="level", verdict="verdict", title="Titel")
    assert np.isnan(figures[0].axes[0].lines[0].get_ydata()).tolist() == [False, True, False, False, False]


def test_without_a_test_a_dot_is_full_where_its_interval_lies_on_one_side_of_zero(figures: list[Figure]) -> None:
    chart = charts.differences(samples.DIFFERENCES, title="Titel")
    assert isinstance(chart, charts.Chart)
    full, hollow = figures[0].axes[0].lines[:2]
    assert (full.get_xdata().tolist(), hollow.get_xdata().tolist()) == ([-0.35, 0.21], [0.02])
    assert "schließt die Null nicht ein" in chart.note


def test_values_of_too_few_answers_are_not_shown(figures: list[Figure]) -> None:
    frame = samples.LEVEL.assign(n=[40, 0, 4, 40, 40])
    charts.trend(frame, value="nps", unit="points", level="level", verdict="verdict", smallest=5, title="Titel")
    shown = [value for line in figures[0].axes[0].lines[1:] for value in line.get_ydata()]
    assert sorted(shown) == [20.0, 33.0, 35.0]


def test_answerers_are_held_against_all_customers_where_nobody_knows_who_was_asked() -> None:
    rows = samples.DIFFERENCES.drop(columns="verdict").rename(
        columns={"difference": "difference_all", "low": "all_low"}
    )
    rows = rows.rename(columns={"high": "all_high"}).assign(n_answered=829)
    missing = dict.fromkeys(["difference_asked", "asked_low", "asked_high"], np.nan)
    chart = charts.answerers(rows.assign(**missing), period="2026-Q3")
    assert isinstance(chart, charts.Chart)
    assert chart.title.startswith("Wer geantwortet hat, gegenüber der ganzen Kundschaft, Q3 2026")


def test_the_largest_differences_are_shown_the_one_furthest_right_on_top(figures: list[Figure]) -> None:
    charts.differences(samples.DIFFERENCES, title="Titel", most=2)
    assert [label.get_text() for label in figures[0].axes[0].get_yticklabels()] == ["Community-Mitglied", "Region: Süd"]


def test_each_side_shows_its_strongest_words(figures: list[Figure]) -> None:
    charts.opposed(samples.WORDS, label="word", value="z", side="side", title="Titel", most=1)
    assert [bar.get_width() for bar in figures[0].axes[0].patches] == [-5.4, 6.1]


def test_a_trend_refuses_two_rows_of_one_period_and_what_is_no_period() -> None:
    settings: dict[str, Any] = {"value": "nps", "unit": "points", "title": "Titel"}
    twice = pd.concat([samples.TREND, samples.TREND.head(1)])
    message = "charts.trend: period 2026-Q1 stands in more than one row. Draw one group at a time."
    with pytest.raises(MeasureError, match=f"^{re.escape(message)}$"):
        charts.trend(twice, **settings)
    with pytest.raises(PeriodError, match="'gestern' is not a period"):
        charts.trend(samples.TREND.assign(period="gestern"), **settings)


FEBRUARY = 2026 * 12 + 1


@pytest.mark.parametrize(("level", "aside"), [("level", 0), (None, 0.12)])
def test_no_line_and_no_band_runs_from_one_scale_to_the_other(
    figures: list[Figure], level: str | None, aside: float
) -> None:
    charts.trend(samples.SCALES, value="nps", unit="points", title="Titel", level=level)
    ax = figures[0].axes[0]
    # both have a value in February, so the values, unlike the levels, stand beside each other
    ends = [
        pytest.approx([FEBRUARY - 3 - aside, FEBRUARY - aside]),
        pytest.approx([FEBRUARY + aside, FEBRUARY + 2 + aside]),
    ]
    lines = [np.asarray(line.get_xdata()) for line in ax.get_lines() if line.get_linestyle() == "-"]
    assert [[line[0], line[-1]] for line in lines] == ends
    bands = [band.get_paths()[0].vertices[:, 0] for band in ax.collections if isinstance(band, PolyCollection)]
    assert [[band.min(), band.max()] for band in bands] == (ends if level else [])


def test_a_dashed_line_and_both_names_mark_where_the_newer_scale_begins(figures: list[Figure]) -> None:
    language.use("en")
    chart = samples.drawn("scales")
    ax = figures[0].axes[0]
    [mark] = [line for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert list(mark.get_xdata()) == [FEBRUARY - 0.5] * 2
    named = [text for text in ax.texts if text.get_text().startswith("Scale")]
    assert [(text.get_text(), text.get_ha()) for text in named] == [
        ("Scale 0 to 10", "right"),
        ("Scale 1 to 10", "left"),
    ]
    assert chart.alt.endswith(
        "Break at Feb 2026: there Scale 1 to 10 begins, which cannot be compared with Scale 0 to 10."
    )
    assert chart.alt.startswith(
        "Scale 0 to 10: Line over 3 periods, Net Promoter Score: from Nov 2025 20.0 to Feb 2026"
    )


def test_scales_that_begin_together_are_told_apart_without_a_mark(figures: list[Figure]) -> None:
    together = pd.concat([samples.TREND.assign(scale=scale) for scale in ("0 to 10", "1 to 10")])
    charts.trend(together, value="nps", unit="points", title="Titel")
    assert [line.get_color() for line in figures[0].axes[0].get_lines()] == [style.MUTED, style.ACCENT]


def test_one_scale_is_drawn_as_if_none_were_named() -> None:
    settings: dict[str, Any] = {"value": "nps", "unit": "points", "title": "Titel", "level": "level"}
    assert charts.trend(samples.LEVEL.assign(scale="0 to 10"), **settings) == charts.trend(samples.LEVEL, **settings)


def test_a_period_that_stands_twice_in_one_scale_is_refused() -> None:
    twice = samples.SCALES.assign(scale="0 to 10")
    with pytest.raises(MeasureError, match="period 2026-02 stands in more than one row"):
        charts.trend(twice, value="nps", unit="points", title="Titel")


def test_axis_numbers_are_told_apart() -> None:
    # ticks at 12.5, 15.0, …: without a decimal 12.5 and 13 would look alike
    ticks = [text for text in written("trend") if re.fullmatch(r"\d+(,\d)?", text)]
    assert "12,5" in ticks
    assert len(ticks) == len(set(ticks))


def test_survival_runs_from_its_first_day_and_marks_the_median(figures: list[Figure]) -> None:
    curves = samples.CURVES.copy()
    curves.attrs["from_time"] = 30
    charts.survival(curves, by="channel", title="Titel")
    filiale, internet, median = figures[0].axes[0].get_lines()
    months = 365.25 / 12
    assert np.asarray(filiale.get_xdata())[0] == pytest.approx(30 / months)
    assert np.asarray(internet.get_ydata()).tolist() == [1.0, 0.7, 0.4, 0.0]
    # 40 % are left after 300 days, 70 % before: the median is 300 days
    assert np.asarray(median.get_xdata()).tolist() == pytest.approx([300 / months])


def test_survival_of_many_steps_is_thinned_but_keeps_its_last_value() -> None:
    days = np.arange(1, 20_001)
    many = pd.DataFrame({"time": days, "at_risk": 50, "survival": 1 - days / 40_000, "low": 0.4, "high": 0.9})
    chart = charts.survival(many, title="Titel")
    assert isinstance(chart, charts.Chart)
    assert len(chart.svg) < 80_000
    assert "50,0\xa0% nach 657 Monaten" in chart.alt  # 20,000 days of 30.4375


def test_survival_ends_where_few_are_at_risk_and_takes_its_median_from_all_steps() -> None:
    days = np.arange(1, 20_001)
    many = pd.DataFrame(
        {"time": days, "at_risk": 20_003 - days, "survival": 1 - days / 20_002, "low": 0.4, "high": 0.9}
    )
    alt = charts.survival(many, title="Titel", smallest=10_005).alt
    assert "nach 328 Monaten, Median nicht erreicht" in alt.replace("\xa0", " ")  # 9,998 days
    whole = charts.survival(many, title="Titel").alt
    assert "Median 328,6 Monate" in whole.replace("\xa0", " ")  # 10,001 days


def test_survival_refuses_more_groups_than_colours() -> None:
    crowded = pd.concat([samples.CURVES.assign(channel=str(number)) for number in range(6)])
    with pytest.raises(MeasureError, match="6 groups in 'channel' are more than the 5 that can be told apart"):
        charts.survival(crowded, by="channel", title="Titel")


def test_classes_of_answers_have_their_own_colours(figures: list[Figure]) -> None:
    samples.drawn("distribution")
    bars = figures[0].axes[0].patches
    colours = [to_hex(bar.get_facecolor()).upper() for bar in bars]
    expected = ["detractors"] * 7 + ["passives"] * 2 + ["promoters"] * 2
    assert colours == [style.MEANING[group] for group in expected]


def test_shares_of_a_bar_sum_to_one_whether_counts_or_shares_are_given() -> None:
    parts = ["detractors", "passives", "promoters"]
    shares = samples.NPS.head(3)[parts].div(samples.NPS.head(3)[parts].sum(axis=1), axis=0)
    as_shares = samples.NPS.head(3).assign(**shares)
    from_counts = charts.stacked_shares(samples.NPS.head(3), label="region", title="Titel")
    assert from_counts == charts.stacked_shares(as_shares, label="region", title="Titel")


def test_cells_of_the_map_that_stand_in_several_rows_are_added_up() -> None:
    halves = pd.concat([samples.CELLS, samples.CELLS]).assign(revenue=lambda cells: cells["revenue"] / 2)
    assert charts.rfm_map(halves, title="Titel") == charts.rfm_map(samples.CELLS, title="Titel")


def test_a_chart_speaks_english_to_an_english_reader() -> None:
    language.use("en", "USD")
    assert "share still customer" in samples.drawn("survival").alt
    assert "Months since the start" in written("survival")
