"""The import doctor: forms and a mapping, and never a value."""

from __future__ import annotations

import dataclasses

import pytest

from analysis.errors import ParamsError
from analysis.intake.inspection import ColumnReport, inspect_file


def test_a_german_export_is_told_by_its_forms(bench):
    text = (
        "Kundennummer;Name;Kaufdatum;Umsatz;Aktiv\r\n"
        "1;Müller;31.01.2026;1.234,56;ja\r\n2;Özdemir;01.02.2026;2,00;nein\r\n2;;01.02.2026;;\r\n"
    )
    report = inspect_file(bench.file("kunden.csv", text.encode("cp1252")))
    assert (report.container, report.encoding, report.separator, report.header_rows) == ("csv", "cp1252", ";", 1)
    assert report.columns == (
        ColumnReport("Kundennummer", "number, 1234", 3, 2),
        ColumnReport("Name", "text", 2, 2),
        ColumnReport("Kaufdatum", "date, day.month.year", 3, 2),
        ColumnReport("Umsatz", "number, 1.234,56", 2, 2),
        ColumnReport("Aktiv", "yes/no", 2, 2),
    )
    assert report.proposal.splitlines()[1:] == [
        "  transactions:",
        f"    path: {bench.folder / 'kunden.csv'}",
        "    columns:",
        "      customer_id: 'Kundennummer'",
        "      date: 'Kaufdatum'",
        "      revenue: 'Umsatz'",
    ]
    shown = str(dataclasses.asdict(report))
    assert "Müller" not in shown
    assert "Özdemir" not in shown


def test_what_must_be_decided_is_told(bench):
    report = inspect_file(bench.file("a.csv", "id,day,amount\nk1,03/04/2026,1.234\nk2,05/06/2026,2.345\n"))
    assert [column.form for column in report.columns] == [
        "text",
        "date, day first or month first: set day_first",
        "number, 1.234,56 or 1,234.56: set decimal",
    ]


def test_a_required_column_without_a_header_is_marked(bench):
    report = inspect_file(bench.file("a.csv", "Richtung,Zeitpunkt\nin,2026-01-05 10:00\n"))
    assert report.columns[1].form == "date and time, year-month-day"
    assert report.proposal.splitlines()[1:] == [
        "  contacts:",
        f"    path: {bench.folder / 'a.csv'}",
        "    columns:",
        "      at: 'Zeitpunkt'",
        "      direction: 'Richtung'",
        "      customer_id: # required",
    ]


def test_a_file_that_is_absent_is_refused(bench):
    with pytest.raises(ParamsError):
        inspect_file(bench.folder / "absent.csv")
