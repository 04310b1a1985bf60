"""The pilot company's files: their forms, and that they are the same every time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pilot_files import DATES, DAY, FORMS, SURVEY, is_date, iso, read, whole

from analysis.errors import ParamsError
from analysis.pilot import params_yaml, write_pilot
from analysis.vocabulary import RATING_PREFIX, TABLES

ROOT = Path(__file__).parents[2]


def test_the_same_seed_and_size_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("second", 3), ("other", 4)):
        write_pilot(tmp_path / name, customers=700, seed=seed)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted([*FORMS, "params.yml", "truth.json"])
    for name in names:
        first, second, other = ((tmp_path / run / name).read_bytes() for run in ("first", "second", "other"))
        assert first == second
        assert (first == other) == (name in ("artikel.csv", "params.yml"))


@pytest.mark.parametrize("file", FORMS)
def test_each_file_has_its_tools_encoding_and_line_ends(pilot: Path, file: str) -> None:
    encoding, separator, line_end = FORMS[file]
    data = (pilot / file).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    assert data.decode(encoding).split(line_end)[0].count(separator) >= 4
    assert (b"\r\n" in data) == (line_end == "\r\n")


@pytest.mark.parametrize(
    "file", [file for file, form in FORMS.items() if form[0] == "cp1252" and file != "bestellungen.csv"]
)
def test_a_cp1252_file_holds_umlauts_and_is_no_utf_8(pilot: Path, file: str) -> None:
    data = (pilot / file).read_bytes()
    assert re.search("[äöüÄÖÜß]", data.decode("cp1252"))
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")


def test_the_survey_is_quoted_throughout_tells_null_from_empty_and_ends_with_an_empty_line(pilot: Path) -> None:
    text = (pilot / SURVEY).read_bytes().decode("utf-8-sig")
    assert text.endswith("\r\n\r\n")
    fields = {field for line in text.split("\r\n") for field in line.split(";")}
    assert all(field == "" or (field[0] == field[-1] == '"' and len(field) > 1) for field in fields)
    answers = whole(pilot, SURVEY)
    assert any("\n" in row["Q3"] for row in answers)
    assert {row["Q1"] for row in answers if not row["submitdate"]} == {""}
    unanswered = next(line for line in text.split("\r\n") if ";;;" in line)
    assert unanswered.endswith(";;;;;;;")  # NULL, not an empty answer
    assert re.search(r';"";"\d"', text)  # a rating left empty in an answer


def test_money_is_written_in_german_with_a_thousands_point(pilot: Path) -> None:
    assert any(re.fullmatch(r"\d\.\d{3},\d\d", row["Umsatz"]) for row in whole(pilot, "bestellungen.csv"))
    assert any(row["Umsatz"].startswith("-") for row in whole(pilot, "bestellungen.csv"))


def test_every_date_column_decides_itself_by_a_day_after_the_twelfth(pilot: Path) -> None:
    for file, columns in (DATES | {"kontakte.csv": ("Zeitpunkt",)}).items():
        for column in columns:
            assert any(re.match(r"(1[3-9]|2\d|3[01])\.", row[column]) for row in whole(pilot, file))


def test_everything_personal_is_reserved(pilot: Path) -> None:
    kept_for_fiction = r"(040 66969|030 23125|089 99998|0221 4710)\d{3}"
    for row in whole(pilot, "kunden.csv"):
        assert re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@example\.com", row["E-Mail"])
        assert re.fullmatch(kept_for_fiction, row["Telefon"])
    comments = "\n".join(row["Q3"] for row in whole(pilot, SURVEY))
    phones, mails = re.findall(r"\b0[\d ]{8,}\d", comments), re.findall(r"\S+@\S+", comments)
    assert phones
    assert mails
    assert all(re.fullmatch(kept_for_fiction, phone) for phone in phones)
    assert all(mail.endswith("@example.com.") for mail in mails)


def test_nothing_is_dated_after_the_data_end(pilot: Path) -> None:
    last = "2026-10-11"
    orders = [row["Bestelldatum"] for row in whole(pilot, "bestellungen.csv")]
    assert max(iso(date) for date in orders if is_date(date, DAY)) == last
    ends = [iso(row["Beendet am"]) for row in whole(pilot, "vertraege.csv") if row["Beendet am"]]
    assert max(ends) <= last
    for file, column in (("tickets.csv", "Geschlossen am"), ("forum.csv", "created_at"), (SURVEY, "submitdate")):
        assert max(row[column][:10] for row in whole(pilot, file) if row[column].startswith("20")) <= last


def test_contracts_that_ended_before_the_data_begin_are_not_in_the_ledger(pilot: Path) -> None:
    contracts = [row for row in whole(pilot, "vertraege.csv") if is_date(row["Vertragsbeginn"], DAY)]
    assert any(iso(row["Vertragsbeginn"]) < "2023-10-01" for row in contracts)
    genuine = [row for row in contracts if row["Beendet am"] and iso(row["Beendet am"]) >= iso(row["Vertragsbeginn"])]
    assert min(iso(row["Beendet am"]) for row in genuine) >= "2023-10-01"


def test_the_parameters_map_columns_that_exist_to_names_that_are_canonical_or_attributes(pilot: Path) -> None:
    params: dict[str, Any] = yaml.safe_load((pilot / "params.yml").read_text(encoding="utf-8"))
    assert {
        "report",
        "title",
        "language",
        "period",
        "timezone",
        "currency",
        "churn_drivers",
        "satisfaction",
        "sources",
    } == set(params)
    for table, source in params["sources"].items():
        heading, _ = read(pilot, source["path"])
        assert set(source["columns"].values()) <= set(heading)
        assert set(TABLES[table].required) <= set(source["columns"])
        for column, translated in source.get("values", {}).items():
            spec = TABLES[table].column(column)
            assert spec is not None
            written = {row[source["columns"][column]] for row in whole(pilot, source["path"])} - {
                "shouted",
                "seitwärts",
            }
            assert {translated.get(value, value) for value in written} == set(spec.choices)
    ratings = [name for name in params["sources"]["surveys"]["columns"] if name.startswith(RATING_PREFIX)]
    assert len(ratings) == 6


def test_the_parameters_kept_with_the_project_are_the_pilots_with_another_path() -> None:
    kept = (ROOT / "params" / "pilot.yml").read_text(encoding="utf-8")
    assert kept == params_yaml("../data/pilot/")
    assert kept.replace("../data/pilot/", "") == params_yaml("")


def test_the_steps_of_a_case_follow_each_other(pilot: Path) -> None:
    steps = ("Erstellt am", "Erste Antwort am", "Gelöst am", "Geschlossen am")
    disordered = 0
    for row in whole(pilot, "tickets.csv"):
        taken = [row[step] for step in steps if row[step]]
        disordered += taken != sorted(taken)
        assert [bool(row[step]) for step in steps] == sorted((bool(row[step]) for step in steps), reverse=True)
    assert disordered == 2  # the planted end before its start, and the planted date 2026-13-45


def test_a_company_without_customers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"^the pilot company: customers: 0 is too few\. Give 1 or more\.$"):
        write_pilot(tmp_path / "empty", customers=0)
    assert not (tmp_path / "empty").exists()


def test_a_single_customer_is_a_company_too(tmp_path: Path) -> None:
    write_pilot(tmp_path, customers=1)
    assert len({row["Kundennummer"] for row in whole(tmp_path, "kunden.csv")}) == 1


@pytest.mark.slow
def test_a_hundred_thousand_customers_are_written_block_by_block(tmp_path: Path) -> None:
    told: list[str] = []
    write_pilot(tmp_path, customers=100_000, progress=told.append)
    lines = (tmp_path / "kunden.csv").read_bytes().count(b"\r\n")
    shutil.rmtree(tmp_path)
    assert [line.split()[0] for line in told] == ["25000", "50000", "75000", "100000"]
    assert lines == 100_005  # heading, customers, four broken copies
