"""How the tests read the pilot company's files."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

SURVEY = "results-survey482913.csv"
FORMS = {  # encoding, separator, line end
    "kunden.csv": ("cp1252", ";", "\r\n"),
    "artikel.csv": ("cp1252", ";", "\r\n"),
    "bestellungen.csv": ("cp1252", ";", "\r\n"),
    "vertraege.csv": ("utf-8-sig", ";", "\r\n"),
    SURVEY: ("utf-8-sig", ";", "\r\n"),
    "tickets.csv": ("utf-8", ",", "\n"),
    "forum.csv": ("utf-8", ",", "\n"),
    "kontakte.csv": ("cp1252", ";", "\r\n"),
}
DAY, SECOND = "%d.%m.%Y", "%Y-%m-%d %H:%M:%S"
DATES = {
    "kunden.csv": ("Kunde seit", "Geburtsdatum"),
    "bestellungen.csv": ("Bestelldatum",),
    "vertraege.csv": ("Vertragsbeginn", "Aktuelles Laufzeitende", "Beendet am"),
}


def read(folder: Path, file: str) -> tuple[list[str], list[list[str]]]:
    encoding, separator, _ = FORMS[file]
    with (folder / file).open(encoding=encoding, newline="") as opened:
        rows = list(csv.reader(opened, delimiter=separator))
    return rows[0], [row for row in rows[1:] if row]


def whole(folder: Path, file: str) -> list[dict[str, str]]:
    """Return the rows that have as many fields as the heading."""
    heading, rows = read(folder, file)
    return [dict(zip(heading, row, strict=True)) for row in rows if len(row) == len(heading)]


def is_date(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form).astimezone()
    except ValueError:
        return False
    return True


def iso(date: str) -> str:
    day, month, year = date.split(".")
    return f"{year}-{month}-{day}"
