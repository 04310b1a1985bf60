"""How tests read what was drawn: sentences with plain blanks, tables as rows of cells."""

from __future__ import annotations

from bs4 import BeautifulSoup

from analysis.draw.tables import Table


def plain(sentence: str) -> str:
    return sentence.replace("\xa0", " ")


def cells(table: object) -> list[list[str]]:
    assert isinstance(table, Table)
    page = BeautifulSoup(table.html, "html.parser")
    return [[plain(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
