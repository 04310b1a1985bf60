"""The pilot company's broken rows: counted in the files, without a look at what was planted."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from pilot_files import DATES, DAY, FORMS, SECOND, SURVEY, is_date, iso, read, whole

from analysis.pilot import simulate, write_pilot

Found = Counter[tuple[str, str, str]]
KEYS = ("kunden.csv", "vertraege.csv", SURVEY, "tickets.csv", "forum.csv")
NUMBERS = {
    "kunden.csv": ("Akquisekosten",),
    "bestellungen.csv": ("Umsatz", "Wareneinsatz"),
    "vertraege.csv": ("Monatsentgelt",),
}
STAMPS = {"tickets.csv": "Erstellt am", "forum.csv": "created_at", "kontakte.csv": "Zeitpunkt"}
CUSTOMER = {
    "bestellungen.csv": "Kundennummer",
    "vertraege.csv": "Kundennummer",
    SURVEY: "attribute_1",
    "tickets.csv": "Kundennummer",
    "forum.csv": "external_id",
    "kontakte.csv": "Kundennummer",
}
SCALES = {(SURVEY, "Q1"): (1, 10), (SURVEY, "Q2[SQ001]"): (1, 5), ("tickets.csv", "Bewertung"): (1, 5)}
CHOICES = {
    ("forum.csv", "action"): {"viewed", "topic", "post", "solution", "reply", "like", "idea", "ticket"},
    ("kontakte.csv", "Richtung"): {"eingehend", "ausgehend"},
}


def planted(folder: Path) -> Found:
    faults = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["faults"]
    return Counter({(fault["file"], fault["kind"], fault["column"]): fault["count"] for fault in faults})


def found(folder: Path) -> Found:
    """Count the faults by reading the files, without a look at what was planted."""
    customers = {row["Kundennummer"] for row in whole(folder, "kunden.csv")}
    faults: Found = Counter()
    for file in FORMS:
        rows = whole(folder, file)
        faults += broken_lines(folder, file) + unreadable(file, rows) + forbidden(file, rows)
        if file in CUSTOMER:
            numbers = [row[CUSTOMER[file]] for row in rows if row[CUSTOMER[file]]]
            faults[file, "unknown_reference", CUSTOMER[file]] += sum(number not in customers for number in numbers)
    return +(faults + ends_before_starts(folder))


def broken_lines(folder: Path, file: str) -> Found:
    heading, rows = read(folder, file)
    ids = [row[0] for row in rows if len(row) == len(heading)]
    return Counter(
        {
            (file, "too_few_fields", ""): sum(len(row) < len(heading) for row in rows),
            (file, "too_many_fields", ""): sum(len(row) > len(heading) for row in rows),
            (file, "duplicate_id", heading[0]): (len(ids) - len(set(ids))) * (file in KEYS),
        }
    )


def unreadable(file: str, rows: list[dict[str, str]]) -> Found:
    faults: Found = Counter()
    for column in DATES.get(file, ()):
        faults[file, "unparsable_date", column] = sum(not is_date(row[column], DAY) for row in rows if row[column])
    for column in NUMBERS.get(file, ()):
        wrong = [row for row in rows if not re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d\d", row[column])]
        faults[file, "unparsable_number", column] = len(wrong)
    if file in STAMPS:
        form = f"{DAY} %H:%M" if file == "kontakte.csv" else SECOND
        faults[file, "unparsable_date", STAMPS[file]] = sum(not is_date(row[STAMPS[file]], form) for row in rows)
    return faults


def forbidden(file: str, rows: list[dict[str, str]]) -> Found:
    faults: Found = Counter()
    for (_, column), (low, high) in ((of, scale) for of, scale in SCALES.items() if of[0] == file):
        allowed = {"", *(str(value) for value in range(low, high + 1))}
        faults[file, "outside_scale", column] = sum(row[column] not in allowed for row in rows)
    for (_, column), names in ((of, names) for of, names in CHOICES.items() if of[0] == file):
        faults[file, "unknown_choice", column] = sum(row[column] not in names for row in rows)
    if file == SURVEY:
        hostile = re.compile(r"<script>|\]\(javascript:|^=cmd\|")
        faults[file, "hostile_text", "Q3"] = sum(bool(hostile.search(row["Q3"])) for row in rows)
    return faults


def ends_before_starts(folder: Path) -> Found:
    contracts = [row for row in whole(folder, "vertraege.csv") if is_date(row["Vertragsbeginn"], DAY)]
    cases = [row for row in whole(folder, "tickets.csv") if is_date(row["Erstellt am"], SECOND)]
    return Counter(
        {
            ("vertraege.csv", "end_before_start", "Beendet am"): sum(
                iso(row["Beendet am"]) < iso(row["Vertragsbeginn"]) for row in contracts if row["Beendet am"]
            ),
            ("tickets.csv", "end_before_start", "Gelöst am"): sum(
                row["Gelöst am"] < row["Erstellt am"] for row in cases if row["Gelöst am"]
            ),
        }
    )


def test_every_broken_row_is_told_in_the_truth_and_no_other_is_there(pilot: Path) -> None:
    assert found(pilot) == planted(pilot)


def test_broken_rows_are_well_under_one_in_a_hundred(pilot: Path) -> None:
    for file in FORMS:
        broken = sum(count for (of_file, _, _), count in planted(pilot).items() if of_file == file)
        assert broken < 0.005 * len(read(pilot, file)[1])


def test_blocks_are_joined_under_one_heading_without_an_id_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "BLOCK", 400)
    told: list[str] = []
    write_pilot(tmp_path, customers=1000, seed=1, progress=told.append)
    assert told == ["400 of 1000 customers", "800 of 1000 customers", "1000 of 1000 customers"]
    assert found(tmp_path) == planted(tmp_path)
    assert len({row["Kundennummer"] for row in whole(tmp_path, "kunden.csv")}) == 1000
    assert (tmp_path / SURVEY).read_bytes().count(b"\xef\xbb\xbf") == 1
    assert len(whole(tmp_path, "artikel.csv")) == 21
