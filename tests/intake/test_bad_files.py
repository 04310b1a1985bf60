"""Files that are refused: one clear message each, and the exit code of the contents of files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from analysis.errors import (
    AmbiguousColumnError,
    MissingColumnError,
    OutsideDataError,
    ParamsError,
    QuarantineError,
    SourceError,
    StammkundeError,
    UnknownNameError,
)

HEAD = "Kunde;Datum;Umsatz\n"


def message(fault: pytest.ExceptionInfo[StammkundeError]) -> str:
    return str(fault.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "orders.csv: the file is empty. Export it again."),
        (" \n\n", "orders.csv: the file is empty. Export it again."),
        (HEAD, "orders.csv: the file has a header and no row. Export it again."),
        (HEAD + "\n\n", "orders.csv: the file has a header and no row. Export it again."),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "orders.csv: the file is binary, not text. Export it as CSV."),
        (
            b"PK\x03\x04rest",
            "orders.csv: the file is a ZIP archive or workbook, not text. Name it by its true ending, or export CSV.",
        ),
        (
            HEAD.encode() + b"1;2026-01-05;1\n" * 70_000 + b"\0",
            "orders.csv: the file is binary, not text. Export it as CSV.",
        ),
        (
            "Kunde;Datum;Datum\n1;2;3\n",
            "orders.csv: columns of the same name stand in the header: 'Datum', 'Datum'. Rename all but one.",
        ),
        (
            "1;01.01.1997;2\n1;18.01.1997;2\n",
            "orders.csv: the first row holds values, not names of columns. "
            "Where the file has no header, name its columns: header: [name, name].",
        ),
        (
            HEAD + '1;"2026-01-05;1\n' + "2;2026-01-05;1\n" * 200,
            "orders.csv: line 2: a quote opens and is not closed, so 201 lines cannot be told apart. Mend that line.",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused(bench, content, expected):
    with pytest.raises(SourceError) as fault:
        bench.orders(content)
    assert message(fault) == expected
    assert fault.value.exit_code == 3


def test_a_missing_file_is_named_with_the_nearest(bench):
    bench.file("kunden.csv", HEAD)
    with pytest.raises(ParamsError) as fault:
        bench.build({"transactions": {"path": "kundn.csv"}})
    assert message(fault) == (
        f"kundn.csv: sources.transactions.path: there is no such file in {bench.folder}. Did you mean 'kunden.csv'?"
    )


def test_a_directory_is_no_file(bench):
    (bench.folder / "orders.csv").mkdir()
    with pytest.raises(ParamsError) as fault:
        bench.build({"transactions": {"path": "orders.csv"}})
    assert message(fault) == "orders.csv: sources.transactions.path: is a folder, not a file. Name the file in it."


def test_a_mapped_column_that_is_absent_names_the_nearest(bench):
    with pytest.raises(MissingColumnError) as fault:
        bench.orders("Kunde;Datun;Umsatz\n1;2026-01-05;1\n")
    assert message(fault) == (
        "orders.csv: column 'Datum' is mapped but not in the file. Did you mean 'Datun'? "
        "The file has: Kunde, Datun, Umsatz."
    )


def test_a_required_column_that_nothing_is_mapped_to_is_named(bench):
    with pytest.raises(SourceError) as fault:
        bench.orders(HEAD + "1;2026-01-05;1\n", columns={"customer_id": "Kunde"})
    assert message(fault) == (
        "orders.csv: transactions needs date, revenue, which no column is mapped to. "
        "Map it under sources.transactions.columns. The file has: Kunde, Datum, Umsatz."
    )


def test_dates_that_fit_day_first_and_month_first_are_refused(bench):
    with pytest.raises(AmbiguousColumnError) as fault:
        bench.orders(HEAD + "1;03/04/2025;1\n2;05/06/2025;1\n")
    assert message(fault) == (
        "orders.csv: every value of column 'Datum' fits day/month/year and month/day/year. "
        "Set day_first for this source to decide."
    )


def test_numbers_that_fit_german_and_english_are_refused(bench):
    with pytest.raises(AmbiguousColumnError) as fault:
        bench.orders(HEAD + "1;2026-01-05;1.234\n2;2026-01-05;5\n")
    assert message(fault) == (
        "orders.csv: every value of column 'Umsatz' fits 1.234,56 and 1,234.56. Set decimal for this source to decide."
    )


def test_a_column_that_mixes_forms_is_refused(bench):
    with pytest.raises(SourceError) as fault:
        bench.orders(HEAD + "1;2026-01-05;1,5\n2;2026-01-05;2.5\n3;2026-01-05;2,5\n")
    assert message(fault) == (
        "orders.csv: column 'Umsatz' mixes forms: 2 values such as 1.234,56, 1 such as 1,234.56. "
        "Set decimal for this source to decide."
    )


def test_ids_in_scientific_notation_are_refused(bench):
    with pytest.raises(SourceError) as fault:
        bench.orders(HEAD + "1.23E+10;2026-01-05;1\n4711;2026-01-05;1\n")
    assert message(fault) == (
        "orders.csv: column 'Kunde' holds 1 ids in scientific notation (such as 1.23E+10). "
        "Digits are lost; export the ids as text, without opening them in Excel."
    )


@pytest.mark.parametrize(("column", "key"), [("nps", "scale"), ("csat", "csat_scale"), ("rating_ort", "rating_scale")])
def test_a_rating_without_a_declared_scale_is_refused(bench, column, key):
    bench.file("survey.csv", f"response_id,answered_at,{column}\n1,2026-01-05,7\n")
    with pytest.raises(ParamsError) as fault:
        bench.build({"surveys": {"path": "survey.csv"}})
    assert message(fault) == (
        f"survey.csv: sources.surveys.{key}: the column {column} has no declared scale, and a scale is never guessed. "
        f"Write {key}: [lowest, highest]."
    )
    assert fault.value.exit_code == 2


def test_too_much_quarantined_is_refused_once_for_all_tables(bench):
    bench.file("orders.csv", HEAD + "1;2026-01-05;1\n;2026-01-05;1\n3;gestern;1\n")
    bench.file("contacts.csv", "customer_id,at,direction\n1,2026-01-05,in\n1,2026-01-05,sideways\n")
    columns = {"customer_id": "Kunde", "date": "Datum", "revenue": "Umsatz"}
    sources = {"transactions": {"path": "orders.csv", "columns": columns}, "contacts": {"path": "contacts.csv"}}
    with pytest.raises(QuarantineError) as fault:
        bench.build(sources, max_quarantined=0.4)
    assert message(fault) == (
        "orders.csv: 2 of 3 rows of transactions (66.7%) are quarantined, more than max_quarantined = 40.0% allows "
        "(missing value: 1, not a date: 1; also 1 of 2 rows of contacts). "
        "Mend the file, or raise max_quarantined if these rows may be left out."
    )


@pytest.mark.parametrize("period", ["2025-Q4", "2026-Q2"])
def test_a_period_outside_the_data_is_refused(bench, period):
    bench.file("orders.csv", HEAD + "1;2026-01-05;1\n2;2026-03-30;1\n")
    columns = {"customer_id": "Kunde", "date": "Datum", "revenue": "Umsatz"}
    with pytest.raises(OutsideDataError) as fault:
        bench.build({"transactions": {"path": "orders.csv", "columns": columns}}, period)
    assert message(fault) == (
        f"period {period} lies outside the data, which run from 2026-01-05 to 2026-03-30. "
        "Name a period between them with --period, or load newer files."
    )


def test_the_end_of_a_contract_chooses_the_period_only_where_nothing_began_in_one_that_is_complete(bench):
    bench.file("contracts.csv", "customer_id,start,ended_on\n1,2026-01-05,2026-07-31\n2,2026-01-05,\n")
    contracts = {"contracts": {"path": "contracts.csv"}}
    assert bench.build(contracts, None).period.id == "2026-Q2"
    assert bench.build(contracts, "2026-Q3").period.id == "2026-Q3"
    bench.file("contracts.csv", "customer_id,start,ended_on\n1,2025-11-05,2026-07-31\n2,2026-01-05,\n")
    assert bench.build(contracts, None).period.id == "2025-Q4"


def test_data_in_which_no_period_is_complete_are_refused(bench):
    bench.file("contracts.csv", "customer_id,start\n1,2026-01-05\n")
    with pytest.raises(OutsideDataError) as fault:
        bench.build({"contracts": {"path": "contracts.csv"}}, None)
    assert message(fault) == (
        "no period is complete yet in the data, which run from 2026-01-05 to 2026-01-05. "
        "Name a period between them with --period, or load newer files."
    )


def test_tables_without_any_date_are_refused(bench):
    bench.file("customers.csv", "customer_id,region\n1,Süd\n")
    with pytest.raises(SourceError) as fault:
        bench.build({"customers": {"path": "customers.csv"}})
    assert message(fault) == (
        "customers: no table has a dated event, so no period can be reported. Map a column of dates."
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"encoding": "utf-88"}, "orders.csv: encoding: 'utf-88' is no encoding. Write utf-8, utf-16 or cp1252."),
        ({"separator": ";;"}, "orders.csv: separator: ';;' is not one character. Write one, or `blank`."),
        (
            {"values": {"Umsatzz": {"a": "b"}}},
            "orders.csv: sources.transactions.values: there is no column 'Umsatzz'. Did you mean 'Umsatz'?",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused(bench, source, expected):
    with pytest.raises(ParamsError) as fault:
        bench.orders(HEAD + "1;2026-01-05;1\n", **source)
    assert message(fault) == expected


def test_a_workbook_that_is_none_and_a_sheet_that_is_absent_are_refused(bench):
    bench.file("broken.xlsx", b"PK\x03\x04 not a workbook")
    with pytest.raises(SourceError) as fault:
        bench.build({"products": {"path": "broken.xlsx"}})
    assert message(fault) == "broken.xlsx: the file cannot be read as a workbook. Export it again as xlsx."
    book = openpyxl.Workbook()
    book.save(bench.folder / "book.xlsx")
    with pytest.raises(SourceError) as fault:
        bench.build({"products": {"path": "book.xlsx", "sheet": "Sheat"}})
    assert message(fault) == "book.xlsx: there is no sheet 'Sheat'. Did you mean 'Sheet'? Known: Sheet."
    with pytest.raises(SourceError) as fault:
        bench.build({"products": {"path": "book.xlsx"}})
    assert message(fault) == "book.xlsx: the sheet is empty. Name another with sheet:."


def test_a_parquet_file_that_is_none_is_refused(bench):
    bench.file("orders.parquet", b"nothing of the kind")
    with pytest.raises(SourceError) as fault:
        bench.build({"transactions": {"path": "orders.parquet"}})
    assert message(fault) == "orders.parquet: the file cannot be read as Parquet. Export it again."


def test_a_database_that_cannot_be_reached_does_not_show_its_password(bench, monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", "hunter2")
    source = {"table": "orders", "connection": "postgres://crm:${CRM_PASSWORD}@127.0.0.1:1/crm"}
    with pytest.raises(SourceError) as fault:
        bench.build({"transactions": source})
    assert message(fault) == (
        "orders at postgres://crm:${CRM_PASSWORD}@127.0.0.1:1/crm: the database cannot be read (OperationalError). "
        "See that the address, the user and the password are right."
    )
    assert fault.value.__cause__ is None
    assert fault.value.__suppress_context__


def test_a_table_without_a_connection_or_absent_from_its_database_is_refused(bench):
    with pytest.raises(ParamsError) as fault:
        bench.build({"transactions": {"table": "orders"}})
    assert message(fault) == (
        "orders at duckdb: sources.transactions.table: no connection is named. "
        "Name one, such as postgres://host/database."
    )
    file = Path(bench.folder / "crm.db")
    at_file = {"transactions": {"table": "orders", "connection": f"sqlite://{file.as_posix()}"}}
    with pytest.raises(ParamsError, match=r"there is no such database file\. Write its full path\."):
        bench.build(at_file)
    assert not file.exists()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE customers (id TEXT)")
    with pytest.raises(UnknownNameError, match=r"unknown table 'orders'.*Known: customers"):
        bench.build(at_file)


def test_a_database_of_an_unknown_kind_is_refused(bench):
    with pytest.raises(UnknownNameError, match=r"unknown database 'nonsense'.*Known: duckdb, postgres"):
        bench.build({"transactions": {"table": "orders", "connection": "nonsense://x"}})


def test_nothing_temporary_stays_where_a_build_fails(bench):
    with pytest.raises(SourceError):
        bench.orders(HEAD + "1;2026-01-05;1,5\n2;2026-01-05;2.5\n")
    assert sorted(path.name for path in (bench.folder / "snapshot1").rglob("*")) == ["tables"]
