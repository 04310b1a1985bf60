"""Sources other than text: Parquet, workbooks, tables of a database."""

from __future__ import annotations

import datetime as dt
import sqlite3

import duckdb
import openpyxl


def test_parquet_keeps_its_types(bench, read_rows):
    file = bench.folder / "orders.parquet"
    duckdb.sql(
        f"""COPY (SELECT 7 AS customer_id, DATE '2026-01-05' AS date, 1.25::DECIMAL(9, 2) AS revenue, true AS gift,
            TIMESTAMP '2026-01-05 10:00' AS packed, ['a'] AS tags UNION ALL
            SELECT NULL, DATE '2026-01-06', 2, false, NULL, NULL) TO '{file}' (FORMAT parquet)"""
    )
    built = bench.build({"transactions": {"path": "orders.parquet"}})
    assert read_rows(built, "transactions") == [("7", dt.date(2026, 1, 5), 1.25, True, "2026-01-05 10:00:00", "[a]")]
    assert built.records["transactions"].quarantined == {"missing value": 1}


def test_instants_of_parquet_are_local_unless_they_have_a_zone(bench, read_rows):
    file = bench.folder / "cases.parquet"
    duckdb.sql(
        f"""COPY (SELECT '1' AS case_id, TIMESTAMP '2026-01-05 10:00' AS opened_at,
            TIMESTAMPTZ '2026-01-05 10:00:00+00' AS closed_at) TO '{file}' (FORMAT parquet)"""
    )
    built = bench.build({"cases": {"path": "cases.parquet"}})
    assert read_rows(built, "cases", "opened_at, closed_at") == [
        (dt.datetime(2026, 1, 5, 9), dt.datetime(2026, 1, 5, 10))
    ]


def write_book(file, rows, sheet="Daten"):
    book = openpyxl.Workbook()
    book.active.title = "Deckblatt"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    book.save(file)


def test_a_sheet_is_read_with_its_types_and_row_numbers(bench, read_rows, read_quarantine):
    rows = [
        ["Kunde", "Datum", "Umsatz", "Menge", "Notiz"],
        [4711, dt.datetime(2026, 1, 5), 1.234, 2, "a"],
        [None] * 5,
        [4712, dt.datetime(2026, 1, 6), 2, "#N/A", 3],
        [None, dt.datetime(2026, 1, 6), 2, 1, None],
    ]
    write_book(bench.folder / "orders.xlsx", rows)
    columns = {"customer_id": "Kunde", "date": "Datum", "revenue": "Umsatz", "quantity": "Menge"}
    built = bench.build({"transactions": {"path": "orders.xlsx", "sheet": "Daten", "columns": columns}})
    assert read_rows(built, "transactions", "customer_id, date, revenue, quantity, Notiz") == [
        ("4711", dt.date(2026, 1, 5), 1.234, 2, "a"),
        ("4712", dt.date(2026, 1, 6), 2, None, "3"),
    ]
    assert read_quarantine(built, "transactions") == [("5", "Kunde", "", "missing value", "row")]


def test_a_column_of_a_sheet_with_texts_among_its_numbers_is_read_as_text(bench, read_rows):
    rows = [["customer_id", "date", "revenue"], ["1", "2026-01-05", 1.5], [2, dt.datetime(2026, 1, 6), "2.5 €"]]
    write_book(bench.folder / "orders.xlsx", rows)
    built = bench.build({"transactions": {"path": "orders.xlsx", "sheet": "Daten"}})
    assert read_rows(built, "transactions") == [("1", dt.date(2026, 1, 5), 1.5), ("2", dt.date(2026, 1, 6), 2.5)]


def test_a_table_of_a_database_is_read_in_a_fixed_order(bench, read_rows, monkeypatch):
    file = bench.folder / "crm.db"
    with sqlite3.connect(file) as crm:
        crm.execute("CREATE TABLE orders (kunde TEXT, tag TEXT, umsatz REAL)")
        crm.executemany("INSERT INTO orders VALUES (?, ?, ?)", [("b", "2026-01-06", 2.5), ("a", "2026-01-05", 1.5)])
    crm.close()
    monkeypatch.setenv("CRM_FILE", str(file))
    columns = {"customer_id": "kunde", "date": "tag", "revenue": "umsatz"}
    source = {"table": "orders", "connection": "sqlite://${CRM_FILE}", "columns": columns}
    built = bench.build({"transactions": source})
    assert read_rows(built, "transactions", "customer_id, date::VARCHAR, revenue") == [
        ("a", "2026-01-05", 1.5),
        ("b", "2026-01-06", 2.5),
    ]
    record = built.records["transactions"]
    assert (record.source, record.files) == ("orders at sqlite://${CRM_FILE}", ())
    assert str(file) not in (built.folder / "snapshot.json").read_text(encoding="utf-8")
