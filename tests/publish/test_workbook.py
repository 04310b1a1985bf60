import dataclasses
import datetime as dt
import os
import time
import zipfile

import openpyxl
import pandas as pd
import pytest

from analysis.errors import PublishError
from analysis.figure_log import CustomerLog
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


PEOPLE = pd.DataFrame(
    {
        "customer_id": ["00012", "=1+1", "K-Ä<1>"],
        "state_after": ["gone", "A", None],
        "change": [-900.25, 12.0, float("nan")],
        "notice_by": [dt.date(2026, 12, 31), None, dt.date(2027, 1, 31)],
    }
)
HEADED = {
    "customer_id": ("Kundennummer", "plain"),
    "state_after": ("Jetzt", "text"),
    "change": ("Veränderung", "money"),
    "notice_by": ("Letzter Kündigungstag", "date"),
}


@pytest.fixture
def lists(tmp_path):
    """Return the folder of two lists of one title, as a report keeps them beside its snapshot."""
    log = CustomerLog(tmp_path, "segments")
    for name in ("one", "two"):
        sheet = {"title": "Segmente", "columns": HEADED, "labels": {"gone": "ohne Kauf", "=1+1": "falsch"}}
        log.add(f"segments.{name}", sheet, PEOPLE.to_parquet)
    return tmp_path / "customers"


def with_lists(folder, language="de"):
    return dataclasses.replace(workbook(language), customers=folder)


def test_a_list_of_customers_is_a_sheet_with_numbers_dates_and_words(lists, tmp_path):
    write_workbook(with_lists(lists), tmp_path / "tables.xlsx")
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert book.sheetnames[-3:] == ["Segmente", "Segmente 2", "Segmente 3"]
    sheet = book["Segmente 2"]
    assert list(sheet.iter_rows(values_only=True)) == [
        ("Kundennummer", "Jetzt", "Veränderung", "Letzter Kündigungstag"),
        ("00012", "ohne Kauf", -900.25, dt.datetime(2026, 12, 31)),
        ("=1+1", "A", 12, None),
        ("K-Ä<1>", None, None, dt.datetime(2027, 1, 31)),
    ]
    assert (sheet["C2"].number_format, sheet["D2"].number_format) == ('#,##0.00 "EUR"', "dd.mm.yyyy")
    assert (sheet["A3"].data_type, sheet["A3"].hyperlink) == ("s", None)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B2", "A1:D4")
    overview = list(book["Übersicht"].iter_rows(values_only=True))
    assert ("Blatt", "Zeilen der Kundenliste") in overview
    assert ("Segmente 2", 3) in overview


def test_lists_give_the_same_bytes_and_none_are_written_without_their_folder(lists, tmp_path):
    for name in ("one.xlsx", "two.xlsx"):
        write_workbook(with_lists(lists), tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    write_workbook(workbook(), tmp_path / "none.xlsx")
    assert "Segmente 2" not in openpyxl.load_workbook(tmp_path / "none.xlsx").sheetnames


def test_a_list_longer_than_a_sheet_is_cut_and_said_to_be(lists, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.publish.customer_sheets.MOST_ROWS", 2)
    monkeypatch.setattr("analysis.publish.workbook.MOST_ROWS", 2)
    write_workbook(with_lists(lists, "en"), tmp_path / "tables.xlsx")
    book = openpyxl.load_workbook(tmp_path / "tables.xlsx")
    assert book["Segmente 2"].max_row == 3
    said = ("Segmente 2", "3 rows, of which only the first 2 fit on the sheet.")
    assert said in list(book["Overview"].iter_rows(values_only=True))
