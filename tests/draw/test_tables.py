from __future__ import annotations

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag

from analysis.draw import language, tables
from analysis.draw.words import Sentence
from analysis.errors import MeasureError, UnknownNameError

FRAME = pd.DataFrame(
    {
        "region": ["Nord", None],
        "nps": [24.3, None],
        "low": [18.0, None],
        "high": [30.0, None],
        "share": [0.1234, 0.5],
        "revenue": [-1234.56, 0.0],
        "n": [1812, 41],
        "since": [pd.Timestamp("2026-09-30"), pd.NaT],
        "period": ["2026-Q3", "2026-Q2"],
    }
)
COLUMNS: dict[tables.Key, tuple[str | None, str]] = {
    "region": (None, "group"),
    "nps": ("NPS", "points"),
    ("low", "high"): (None, "points"),
    "share": (None, "share"),
    "revenue": (None, "money"),
    "n": (None, "count"),
    "since": (None, "date"),
    "period": (None, "period"),
}


def page(shown: tables.Table | Sentence) -> BeautifulSoup:
    return BeautifulSoup(shown._repr_mimebundle_()["text/html"], "html.parser")


def rows(shown: tables.Table | Sentence) -> list[list[str]]:
    found = page(shown).find("table")
    assert isinstance(found, Tag)
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in found.find_all("tr")]


def test_a_table_is_written_as_a_german_reader_expects() -> None:
    assert rows(tables.table(FRAME, title="Titel", columns=COLUMNS)) == [
        ["Region", "NPS", "95-%-Intervall", "Anteil", "Umsatz", "n", "Kunde seit", "Zeitraum"],
        ["Nord", "24,3", "18,0 bis 30,0", "12,3\xa0%", "−1.234,56\xa0€", "1.812", "30.09.2026", "Q3 2026"],
        ["ohne Angabe", "–", "–", "50,0\xa0%", "0,00\xa0€", "41", "–", "Q2 2026"],
    ]


def test_a_table_is_written_as_an_english_reader_expects() -> None:
    language.use("en", "GBP")
    columns = {"region": (None, "text"), "revenue": (None, "money"), ("low", "high"): (None, "points")}
    assert rows(tables.table(FRAME.head(1), title="Title", columns=columns)) == [
        ["Region", "Revenue", "95%\xa0interval"],
        ["Nord", "−£1,234.56", "18.0 to 30.0"],
    ]


def test_a_table_has_a_caption_and_headers_with_their_scope() -> None:
    found = page(tables.table(FRAME, title="A & <b>B</b>", columns=COLUMNS)).table
    assert found is not None
    assert found.caption is not None
    assert found.thead is not None
    assert found.tbody is not None
    assert next(found.children) is found.caption
    assert found.caption.get_text() == "A & <b>B</b>"
    assert [header.get("scope") for header in found.thead.find_all("th")] == ["col"] * 8
    assert [header.get("scope") for header in found.tbody.find_all("th")] == ["row"] * 2
    assert found.thead.find("td") is None


def test_numbers_stand_on_the_right_and_text_on_the_left() -> None:
    found = page(tables.table(FRAME, title="Titel", columns=COLUMNS)).table
    assert found is not None
    first = found.find_all("tr")[1].find_all(["th", "td"])
    sides = ["right" if "gt_right" in cell["class"] else "left" for cell in first]
    assert sides == ["left", "right", "right", "right", "right", "right", "left", "left"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "](javascript:",
        '"><img src=x onerror=alert(1)>',
        "**fett** `code` $x$",
        "=cmd|' /C calc'!A1",
        "{{ 7 * 7 }} {0}",
        "A &amp; B",
    ],
)
def test_whatever_stands_in_a_cell_heading_title_or_note_stays_text(text: str) -> None:
    frame = pd.DataFrame({"name": [text], "other": [text]})
    columns = {"name": (text, "text"), "other": (text, "text")}
    found = page(tables.table(frame, title=text, columns=columns, note=text))
    assert [cell.get_text() for cell in found.find_all(["th", "td"])] == [text] * 4
    assert found.caption is not None
    assert found.caption.get_text() == text
    note = found.find("p", class_="sk-note")
    assert note is not None
    assert note.get_text() == text
    allowed = {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert {tag.name for tag in found.find_all(True)} <= allowed
    assert not found.find_all(href=True)
    assert not found.find_all(src=True)


def test_ids_differ_between_tables_and_are_the_same_in_each_run() -> None:
    shown = [
        tables.table(frame, title=title, columns={"region": (None, "text"), "n": (None, "count")})
        for frame, title in ((FRAME, "Eins"), (FRAME, "Zwei"), (FRAME.head(1), "Eins"))
    ]
    ids = [tag["id"] for table in shown for tag in page(table).find_all(id=True)]
    assert len(ids) == len(set(ids))
    again = tables.table(FRAME, title="Eins", columns={"region": (None, "text"), "n": (None, "count")})
    assert again == shown[0]


def test_an_id_given_is_used_for_the_table_and_its_cells() -> None:
    found = page(tables.table(FRAME, title="Titel", columns=COLUMNS, id="werte"))
    ids = [str(tag["id"]) for tag in found.find_all(id=True)]
    assert ids[0] == "werte"
    assert all(name.startswith("werte") for name in ids)
    referred = {name for tag in found.find_all(headers=True) for name in tag["headers"]}
    assert referred <= set(ids)


def test_a_table_is_lean_and_loads_nothing() -> None:
    shown = tables.table(FRAME, title="Titel", columns=COLUMNS)
    assert isinstance(shown, tables.Table)
    assert len(shown.html) < 6_000
    assert not re.search(r"https?:|@import|url\(", shown.html)
    assert "table-header-group" in shown.html


def test_a_table_leaves_its_frame_as_it_was() -> None:
    before = FRAME.copy(deep=True)
    tables.table(FRAME, title="Titel", columns=COLUMNS)
    pd.testing.assert_frame_equal(FRAME, before)


def test_rows_with_the_same_name_are_all_shown() -> None:
    twice = pd.concat([FRAME.head(1), FRAME.head(1)])
    shown = tables.table(twice, title="Titel", columns={"region": (None, "text"), "n": (None, "count")})
    assert rows(shown)[1:] == [["Nord", "1.812"], ["Nord", "1.812"]]


def test_a_table_that_begins_with_a_number_has_no_row_headers() -> None:
    shown = tables.table(FRAME, title="Titel", columns={"n": (None, "count"), "region": (None, "text")})
    assert rows(shown) == [["n", "Region"], ["1.812", "Nord"], ["41", "–"]]


def test_a_frame_without_rows_gives_a_sentence() -> None:
    assert tables.table(FRAME.head(0), title="Titel", columns=COLUMNS) == Sentence("Titel: keine Daten.")


def test_an_absent_column_and_an_unknown_unit_are_named() -> None:
    with pytest.raises(MeasureError, match=r"^tables\.table: column 'regio' is absent; .* Did you mean 'region'\?$"):
        tables.table(FRAME, title="Titel", columns={"regio": (None, "text")})
    with pytest.raises(UnknownNameError, match=r"^unknown unit 'prozent'\. .* Known: column, count, date, days, "):
        tables.table(FRAME, title="Titel", columns={"share": (None, "prozent")})


def test_the_plain_text_of_a_table_holds_title_and_cells() -> None:
    shown = tables.table(FRAME.head(1), title="Titel", columns={"region": (None, "text"), "n": (None, "count")})
    assert shown._repr_mimebundle_()["text/plain"].split() == ["Titel", "Region", "n", "Nord", "1.812"]


def test_touchpoints_stand_in_a_row_each_with_every_measure_in_its_unit() -> None:
    rows = [
        ("stage", "first month", "nps", 40, 25.9, -1.9, 49.5, False),
        ("stage", "later", "nps", 304, 20.4, 11.7, 28.8, True),
        ("stage", "later", "csat", 300, 0.757, 0.705, 0.801, False),
    ]
    frame = pd.DataFrame(rows, columns=["kind", "touchpoint", "measure", "n", "value", "low", "high", "breaks"])
    shown = tables.touchpoints(frame, title="Titel")
    assert isinstance(shown, tables.Table)
    lines = shown.plain.replace("\xa0", " ").splitlines()
    assert "25,9 (−1,9 bis 49,5; n = 40)" in lines[1]
    assert "–" in lines[1]  # nobody rated satisfaction there
    assert "▼ 20,4 (11,7 bis 28,8; n = 304)" in lines[2]
    assert "75,7 % (70,5 bis 80,1 %; n = 300)" in lines[2]
    assert tables.touchpoints(frame.head(0), title="Titel") == Sentence("Titel: keine Daten.")


def test_themes_show_what_was_written_only_where_it_may_be_read() -> None:
    row = {"words": "lieferung, spät", "n": 6, "share": 0.5, "nps": -100.0, "low": -100.0, "high": -53.4}
    frame = pd.DataFrame([row | {"quotes": ("Zu spät!", "<b>"), "comments": 12, "read": 12, "without_theme": 1}])
    inside, outside = (page(tables.themes(frame, title="Titel", quotes=quotes)) for quotes in (True, False))
    assert "„Zu spät!“ · „<b>“" in inside.get_text()
    assert "Zu spät!" not in str(outside)
    assert "12 von 12 Kommentaren wurden gelesen; 1 gehören zu keinem Thema." in outside.get_text()
    assert tables.themes(frame.head(0), title="Titel", quotes=True) == Sentence("Titel: keine Daten.")
