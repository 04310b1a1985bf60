"""Mapping, joins and derived columns."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis.errors import MissingColumnError, SourceError


def test_headers_are_compared_exactly_then_without_case_and_blanks(bench, read_rows):
    built = bench.orders("KUNDE ; datum;Umsatz\n1;2026-01-05;1\n")
    assert built.records["transactions"].columns == ("customer_id", "date", "revenue")
    built = bench.orders("Kunde;Datum;Umsatz;kunde \n1;2026-01-05;1;2\n".replace(";kunde ", ";Kunde 2"))
    assert read_rows(built, "transactions", 'customer_id, "Kunde 2"') == [("1", 2.0)]


def test_a_column_whose_name_is_taken_is_kept_under_another(bench, read_rows):
    content = "customer_id;person;Datum;Umsatz\no1;p1;2026-01-05;1\n"
    built = bench.orders(content, columns={"customer_id": "person", "date": "Datum", "revenue": "Umsatz"})
    assert read_rows(built, "transactions", "customer_id, customer_id_") == [("p1", "o1")]
    note = "column 'customer_id' of the file is kept as 'customer_id_'"
    assert built.records["transactions"].notes == (note,)


def test_rows_are_kept_where_a_column_has_one_of_the_values(bench, read_rows):
    content = "Kunde;Datum;Umsatz;Status\n1;2026-01-05;1;bezahlt\n2;2026-01-05;2;storniert\n3;2026-01-05;3;\n"
    built = bench.orders(content, where={"Status": ["bezahlt", "offen"]})
    assert read_rows(built, "transactions", "customer_id") == [("1",)]
    assert built.records["transactions"].dropped == {"where Status": 2}


def test_a_rule_on_a_column_that_is_absent_is_refused(bench):
    with pytest.raises(MissingColumnError):
        bench.orders("Kunde;Datum;Umsatz\n1;2026-01-05;1\n", where={"Status": ["bezahlt"]})


def test_an_attribute_that_stands_for_missing_can_be_emptied(bench, read_rows):
    bench.file("survey.csv", "response_id,answered_at,rating_wifi\n1,2026-01-05,0\n2,2026-01-05,5\n")
    source = {"path": "survey.csv", "rating_scale": [1, 5], "values": {"rating_wifi": {"0": ""}}}
    built = bench.build({"surveys": source})
    assert read_rows(built, "surveys", "rating_wifi") == [(None,), (5,)]
    assert built.records["surveys"].set_missing == {}


def test_a_join_adds_columns_and_never_rows(bench, read_rows, read_quarantine):
    bench.file("items.csv", "order,price\nA,1\nB,2\nA,drei\nC,4\n")
    bench.file("orders.csv", "order;who;when\nA;k1;05.01.2026\nA;k9;06.01.2026\nB;k2;07.01.2026\n")
    bench.file("people.csv", "who,land\nk1,DE\nk2,AT\n")
    joins = [{"path": "orders.csv", "on": "order"}, {"path": "people.csv", "on": "who"}]
    columns = {"customer_id": "who", "date": "when", "revenue": "price"}
    built = bench.build({"transactions": {"path": "items.csv", "join": joins, "columns": columns}})
    assert read_rows(built, "transactions", "customer_id, revenue, land") == [("k1", 1, "DE"), ("k2", 2, "AT")]
    assert read_quarantine(built, "transactions") == [
        ("4", "price", "drei", "not a number", "row"),
        ("5", "who", "", "missing value", "row"),
    ]
    record = built.records["transactions"]
    assert record.notes == ("orders.csv: 1 rows repeat a 'order'; the first row of each counts",)
    assert [path for path, _ in record.files] == ["items.csv", "orders.csv", "people.csv"]


def test_a_join_on_a_column_that_is_absent_is_refused(bench):
    bench.file("items.csv", "order,price\nA,1\n")
    bench.file("orders.csv", "bestellung,who\nA,k1\n")
    with pytest.raises(MissingColumnError) as fault:
        bench.build({"transactions": {"path": "items.csv", "join": [{"path": "orders.csv", "on": "order"}]}})
    assert str(fault.value) == (
        "orders.csv: column 'order' is mapped but not in the file. The file has: bestellung, who."
    )


def test_a_codebook_for_a_column_that_is_absent_is_refused(bench):
    bench.file("vertraege.csv", "customer_id,start,Grund\n1,2026-01-01,teuer\n")
    source = {"path": "vertraege.csv", "columns": {"reason": "Grund"}}
    with pytest.raises(SourceError) as fault:
        bench.build({"contracts": source | {"reasons": {"reason": {"teuer": "Preis"}, "reason_exit": {"1": "Preis"}}}})
    assert str(fault.value) == (
        "vertraege.csv: sources.contracts.reasons has a codebook for 'reason_exit', which no column is mapped to. "
        "Map it under sources.contracts.columns. The file has: customer_id, start, Grund."
    )
    built = bench.build({"contracts": source | {"reasons": {"reason": {"teuer": "Preis"}}}})
    assert built.records["contracts"].accepted == 1


def test_dates_are_derived_from_months_and_told(bench, read_rows, read_quarantine):
    bench.file("tenure.csv", "customer_id,tenure,churn\n1,1,Yes\n2,12,No\n3,viele,Yes\n")
    derive = {
        "start": {"day": "2026-03-31", "minus_months": "tenure"},
        "ended_on": {"day": "2026-03-31", "where": {"churn": "Yes"}},
    }
    built = bench.build({"contracts": {"path": "tenure.csv", "derive": derive}})
    assert read_rows(built, "contracts", "start, ended_on") == [
        (dt.date(2026, 2, 28), dt.date(2026, 3, 31)),
        (dt.date(2025, 3, 31), None),
    ]
    assert read_quarantine(built, "contracts") == [("4", "tenure", "viele", "not a number", "row")]
    assert built.records["contracts"].notes == (
        "start = 2026-03-31 less tenure months",
        "ended_on = 2026-03-31 where churn is Yes",
    )


def test_later_than_is_derived_from_two_dates(bench, read_rows):
    content = (
        "Kunde;Datum;Umsatz;geliefert;zugesagt\n1;2026-01-05;1;2026-01-08 10:00;2026-01-07\n"
        "2;2026-01-05;1;2026-01-06 10:00;2026-01-07\n3;2026-01-05;1;;2026-01-07\n"
    )
    built = bench.orders(content, derive={"late": {"later": "geliefert", "than": "zugesagt"}})
    assert read_rows(built, "transactions", "late") == [(True,), (False,), (None,)]
    assert built.records["transactions"].notes == ("late = geliefert later than zugesagt",)
