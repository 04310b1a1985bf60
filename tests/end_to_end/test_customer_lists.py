"""Lists of customers: all of them in the workbook of an internal report, none anywhere in one that is passed on."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from calls import ORDERS, PARAMS, call
from pypdf import PdfReader

IDS = {f"Nr-K{number:03d}" for number in range(1, 41)}
"""Numbers that stand in no picture by chance, for these hold no dash."""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the folder of the report by audience, and of the internal one built again."""
    folder = tmp_path_factory.mktemp("laden")
    (folder / "orders.csv").write_text(ORDERS.replace("\nK", "\nNr-K"), encoding="utf-8")
    (folder / "laden.yml").write_text(PARAMS.replace("[html]", "[html, pdf, xlsx]"), encoding="utf-8")

    def run(name: str, audience: str) -> Path:
        made = call(
            *("run", folder / "laden.yml", "--out", folder / name, "--json", "--period", "2026-08"),
            *("--set", f"audience={audience}"),
        )
        assert made.code == 0, made.err
        return Path(made.json["folder"])

    return {name: run(name, name.split("-")[0]) for name in ("internal", "internal-again", "shareable")}


def test_everybody_behind_the_cells_of_the_movement_stands_on_a_sheet(built):
    book = openpyxl.load_workbook(built["internal"] / "tables.xlsx")
    heading, *rows = book["Wanderung der Kundschaft"].iter_rows(values_only=True)
    assert heading == ("Kundennummer", "Davor", "Jetzt", "Umsatz davor", "Umsatz jetzt", "Veränderung")
    assert {row[0] for row in rows} == IDS
    # each of 40 orders once a month, for the same amount
    assert all(row[3] == row[4] and row[5] == 0 for row in rows)


def test_a_second_build_gives_the_same_bytes(built):
    one, two = ((built[name] / "tables.xlsx").read_bytes() for name in ("internal", "internal-again"))
    assert one == two


def test_no_customer_stands_in_any_file_of_a_report_that_is_passed_on(built):
    files = [file for file in built["shareable"].rglob("*") if file.is_file()]
    assert {"report.html", "report.pdf", "tables.xlsx", "figures.json", "segments.ipynb"} <= {
        file.name for file in files
    }
    for file in files:
        assert not [customer for customer in IDS if customer in text_of(file)], file
    book = openpyxl.load_workbook(built["shareable"] / "tables.xlsx")
    assert book.sheetnames == ["Übersicht", "Kundengruppen"]


def text_of(file: Path) -> str:
    if file.suffix == ".pdf":
        return "".join(page.extract_text() for page in PdfReader(file).pages)
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as zipped:
            return "".join(zipped.read(name).decode() for name in zipped.namelist())
    return file.read_text(encoding="utf-8")
