import datetime as dt
import os
import time
import zipfile

import openpyxl
import pytest

from analysis.errors import PublishError
from analysis.period import Period
from analysis.publish.workbook import Workbook, write_workbook

HOSTILE = (
    "=cmd|' /C calc'!A1",
    "<script>alert(1)</script>",
    "https://x.example/",
    "internal:Blatt!A1",
    "{=1+1}",
    "007",
)


def figure(id: str, value: float | None, unit: str, **parts: object) -> dict:
    return {
        "id": id, "value": value, "low": None, "high": None, "n": 2310, "unit": unit, "period": "2026-Q3",
        "definition": "Anteil", "source": "surveys (nps.csv), as of 2026-10-01", **parts,
    }  # fmt: skip


FIGURES = {
    "satisfaction": [
        figure("satisfaction.nps", 34.2, "points", low=31.0, high=37.4),
        figure("satisfaction.csat", 0.815, "share"),
        *(figure(f"satisfaction.bad.{number}", 1, "count", definition=text) for number, text in enumerate(HOSTILE)),
    ],
    "segments": [figure("segments.revenue", 1234567.891, "money"), figure("segments.open", None, "days", n=None)],
    "summary": [],
}


def workbook(language: str = "de") -> Workbook:
    titles = {"satisfaction": "Zufriedenheit: was zählt?", "segments": "Segmente", "summary": "Auf einen Blick"}
    return Workbook("Kundenbericht", language, "EUR", Period.parse("2026-Q3"), titles, FIGURES, ("=1+1",))


@pytest.fixture
def opened(tmp_path):
    write_workbook(workbook(), tmp_path / "tables.xlsx")
    return openpyxl.load_workbook(tmp_path / "tables.xlsx")


def test_there_is_an_overview_and_one_sheet_a_chapter_that_reported(opened):
    assert opened.sheetnames == ["Übersicht", "Zufriedenheit was zählt", "Segmente"]
    overview = [tuple(cell.value for cell in row) for row in opened["Übersicht"].iter_rows()]
    assert overview[0][0] == "Kundenbericht"
    assert ("Berichtszeitraum", "3. Quartal 2026") in overview
    assert ("Datenstand bis einschließlich", "30. September 2026") in overview
    assert ("Segmente", 2) in overview


def test_a_figure_is_a_row_of_numbers_in_the_form_of_its_unit(opened):
    header, nps, csat, *_ = opened["Zufriedenheit was zählt"].iter_rows()
    assert [cell.value for cell in header] == [
        "Kennzahl", "Wert", "Untergrenze", "Obergrenze", "n", "Einheit", "Definition", "Quelle",
    ]  # fmt: skip
    assert [cell.value for cell in nps][:6] == ["satisfaction.nps", 34.2, 31.0, 37.4, 2310, "Punkte"]
    assert (csat[1].value, csat[1].number_format, csat[4].number_format) == (0.815, "0.0%", "#,##0")
    revenue, open_ = list(opened["Segmente"].iter_rows())[1:]
    assert revenue[1].number_format == '#,##0.00 "EUR"'
    assert [cell.value for cell in open_][:6] == ["segments.open", None, None, None, None, "Tage"]


def test_headings_stay_in_sight_and_can_be_filtered(opened):
    sheet = opened["Segmente"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:H3"


def test_text_from_the_data_is_neither_formula_nor_link_nor_number(opened):
    cells = [row[6] for row in opened["Zufriedenheit was zählt"].iter_rows(min_row=4)]
    assert tuple(cell.value for cell in cells) == HOSTILE
    for sheet in opened:
        for row in sheet.iter_rows():
            assert all(cell.data_type in ("s", "n") and cell.hyperlink is None for cell in row)


def test_english_reports_have_english_headings(tmp_path):
    write_workbook(workbook("en"), tmp_path / "tables.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "tables.xlsx")["Segmente"]
    assert [cell.value for cell in next(sheet.iter_rows())][:4] == ["Figure", "Value", "Lower bound", "Upper bound"]


def test_the_same_figures_give_the_same_bytes_at_another_time_of_day(tmp_path, monkeypatch):
    write_workbook(workbook(), tmp_path / "one.xlsx")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        time.sleep(2.1)  # a zip file tells time in steps of two seconds
        write_workbook(workbook(), tmp_path / "two.xlsx")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.xlsx") as zipped:
        assert b"2026-10-01T00:00:00Z" in zipped.read("docProps/core.xml")
    created = openpyxl.load_workbook(tmp_path / "one.xlsx").properties.created
    assert created.date() == dt.date(2026, 10, 1)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PublishError) as refused:
        write_workbook(workbook(), tmp_path / "absent" / "tables.xlsx")
    assert str(refused.value) == f"writing tables.xlsx: {os.strerror(2)} ({tmp_path}/absent/tables.xlsx)."
