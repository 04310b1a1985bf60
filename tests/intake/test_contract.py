"""The contract check: what is quarantined, what is set missing, what goes with its parent, and on which line."""

from __future__ import annotations

import pytest

from analysis.errors import ParamsError, SourceError

HEAD = "Kunde;Datum;Umsatz\n"


def test_rows_with_faults_in_required_columns_are_quarantined_with_their_lines(bench, read_rows, read_quarantine):
    content = (
        HEAD + "1;2026-01-05;1,5\n"  # 2
        ";2026-01-06;2,5\n"  # 3: no customer
        "3;gestern;3,5\n"  # 4: no date
        "4;2026-01-08;zwölf\n"  # 5: no number
        "5;2026-01-09\n"  # 6: too few
        "6;2026-01-10;6,5;7\n"  # 7: too many
        "7;2026-01-11;7,5\n"  # 8
    )
    built = bench.orders(content)
    assert read_rows(built, "transactions", "customer_id, revenue") == [("1", 1.5), ("7", 7.5)]
    assert read_quarantine(built, "transactions") == [
        ("3", "Kunde", "", "missing value", "row"),
        ("4", "Datum", "gestern", "not a date", "row"),
        ("5", "Umsatz", "zwölf", "not a number", "row"),
        ("6", "", "5;2026-01-09", "too few fields", "row"),
        ("7", "", "6;2026-01-10;6,5;7", "too many fields", "row"),
    ]
    record = built.records["transactions"]
    counts = {"missing value": 1, "not a date": 1, "not a number": 1, "too few fields": 1, "too many fields": 1}
    assert (record.read, record.accepted, record.quarantined) == (7, 2, counts)


def test_lines_are_counted_over_line_breaks_blank_lines_and_rejected_rows(bench, read_quarantine):
    content = (
        '"Kunde\nNr";Datum;Umsatz;Text\r\n'  # 1, 2
        '1;2026-01-05;1;"a\nb\r\nc"\r\n'  # 3 to 5
        "\r\n"  # 6
        '2;gestern;1;"d;""e"""\r\n'  # 7
        '3;2026-01-05;1;"f\ng";zu viel\r\n'  # 8, 9
        '4;2026-01-05;1;"h"i\r\n'  # 10
        '5;2026-01-05;eins;"j\n\nk"\r\n'  # 11 to 13
        "6;2026-01-05\r\n"  # 14
        "7;morgen;1;l\r\n"  # 15
    )
    columns = {"customer_id": "Kunde\nNr", "date": "Datum", "revenue": "Umsatz"}
    built = bench.orders(content, columns=columns)
    assert [(row[0], row[3]) for row in read_quarantine(built, "transactions")] == [
        ("7", "not a date"),
        ("8", "too many fields"),
        ("10", "not readable"),
        ("11", "not a number"),
        ("14", "too few fields"),
        ("15", "not a date"),
    ]


SURVEY = "response_id,customer_id,sent_at,answered_at,nps,csat,comment\n"


def test_faults_in_optional_columns_are_set_missing_and_listed(bench, read_rows, read_quarantine):
    bench.file(
        "survey.csv",
        SURVEY + "1,,2026-01-05,2026-01-06,11,3,a\n"
        "2,,2026-01-05,2026-01-06,-1,3,b\n"
        "3,,2026-01-05,2026-01-06,7.5,3,c\n"
        "4,,2026-01-05,2026-01-06,0,3,d\n"
        "5,,2026-01-05,2026-01-06,zehn,6,e\n"
        "6,,2026-01-05,2026-01-04,10,1,f\n"
        "7,,2026-01-05,,,,\n",
    )
    built = bench.build({"surveys": {"path": "survey.csv", "scale": [1, 10], "csat_scale": [1, 5]}})
    assert read_rows(built, "surveys", "nps, csat, comment, answered_at IS NULL") == [
        (None, 3, "a", False),
        (None, 3, "b", False),
        (None, 3, "c", False),
        (None, 3, "d", False),
        (None, None, "e", False),
        (10, 1, "f", True),
        (None, None, None, True),
    ]
    assert read_quarantine(built, "surveys") == [
        ("2", "nps", "11", "outside scale", "value"),
        ("3", "nps", "'-1", "outside scale", "value"),
        ("4", "nps", "7.5", "outside scale", "value"),
        ("5", "nps", "0", "outside scale", "value"),
        ("6", "csat", "6", "outside scale", "value"),
        ("6", "nps", "zehn", "not a number", "value"),
        ("7", "answered_at", "2026-01-04", "before its start", "value"),
    ]
    assert built.records["surveys"].outside_scale == {"csat": {6: 1}, "nps": {-1: 1, 0: 1, 11: 1}}
    assert built.records["surveys"].set_missing == {
        "answered_at: before its start": 1,
        "csat: outside scale": 1,
        "nps: not a number": 1,
        "nps: outside scale": 4,
    }


def test_zero_is_on_the_scale_that_has_it(bench, read_rows):
    bench.file("survey.csv", SURVEY + "1,,2026-01-05,2026-01-06,0,,\n")
    built = bench.build({"surveys": {"path": "survey.csv", "scale": [0, 10], "csat_scale": [1, 5]}})
    assert read_rows(built, "surveys", "nps") == [(0,)]


BY_SURVEY = {"Früh": [0, 10], "Spät": [1, 10]}
WAVES = "response_id,answered_at,survey,nps\n1,2026-01-06,Früh,0\n2,2026-01-06,Spät,0\n3,2026-01-06,Spät,1\n"


def test_an_answer_off_the_scale_of_its_own_survey_or_of_no_survey_is_missing(bench, read_rows, read_quarantine):
    content = WAVES + "4,2026-01-06,Früh,11\n5,2026-01-06,,9\n6,2026-01-06,Herbst,\n7,2026-01-06,Herbst,x\n"
    bench.file("survey.csv", content)
    built = bench.build({"surveys": {"path": "survey.csv", "scale": BY_SURVEY}})
    assert read_rows(built, "surveys", "nps") == [(0,), (None,), (1,), (None,), (None,), (None,), (None,)]
    assert read_quarantine(built, "surveys") == [
        ("3", "nps", "0", "outside scale", "value"),
        ("5", "nps", "11", "outside scale", "value"),
        ("6", "nps", "9", "no survey", "value"),
        ("8", "nps", "x", "not a number", "value"),
    ]
    record = built.records["surveys"]
    assert record.outside_scale == {"nps": {0: 1, 11: 1}}
    assert record.set_missing == {"nps: no survey": 1, "nps: not a number": 1, "nps: outside scale": 2}


def test_answers_to_surveys_without_a_declared_scale_are_refused_with_their_names(bench):
    bench.file("survey.csv", WAVES + "4,2026-01-06,Sommer,9\n5,2026-01-06,früh,9\n6,2026-01-06,Herbst,\n")
    with pytest.raises(SourceError) as refused:
        bench.build({"surveys": {"path": "survey.csv", "scale": BY_SURVEY}})
    assert refused.value.exit_code == 3
    assert str(refused.value) == (
        "survey.csv: sources.surveys.scale names no scale for 'Sommer', 'früh', which hold answers to nps. "
        "Add the scale of each under sources.surveys.scale, such as 'Sommer': [0, 10]. Named there: 'Früh', 'Spät'."
    )


def test_scales_by_survey_need_a_column_that_names_the_survey(bench):
    bench.file("survey.csv", SURVEY + "1,,2026-01-05,2026-01-06,0,,\n")
    with pytest.raises(ParamsError) as refused:
        bench.build({"surveys": {"path": "survey.csv", "scale": BY_SURVEY, "csat_scale": [1, 5]}})
    assert str(refused.value) == (
        "survey.csv: sources.surveys.scale: names surveys, but no column is mapped to survey. "
        "Map it under sources.surveys.columns, or write one scale for all: [lowest, highest]."
    )


def test_the_later_row_of_an_id_is_quarantined_and_ids_keep_their_form(bench, read_rows, read_quarantine):
    bench.file("cases.csv", "case_id,opened_at\n007,2026-01-05\n7,2026-01-06\n 007 ,2026-01-07\nx,bald\nx,2026-01-08\n")
    built = bench.build({"cases": {"path": "cases.csv"}})
    assert [row[0] for row in read_rows(built, "cases", "case_id")] == ["007", "7", "x"]
    assert read_quarantine(built, "cases") == [
        ("4", "case_id", " 007 ", "duplicate id", "row"),
        ("5", "opened_at", "bald", "not a date", "row"),
    ]


def test_repeated_ids_can_be_dropped_by_a_named_rule(bench, read_rows, read_quarantine):
    bench.file("cases.csv", "case_id,opened_at\n1,2026-01-05\n1,2026-01-06\n2,2026-01-06\n")
    built = bench.build({"cases": {"path": "cases.csv", "duplicates": "drop"}})
    assert read_rows(built, "cases", "case_id, opened_at::DATE::VARCHAR")[0] == ("1", "2026-01-04")
    assert built.records["cases"].dropped == {"repeated id": 1}
    assert read_quarantine(built, "cases") == []


def family(bench, **customers):
    bench.file("customers.csv", "customer_id,region\n1,Süd\n2,Nord\n2,West\n3\n4,Ost\n")
    bench.file(
        "orders.csv",
        "customer_id,date,revenue\n1,2026-01-05,1\n2,2026-01-05,2\n3,2026-01-05,3\n9,2026-01-05,9\n4,2026-01-05,4\n",
    )
    bench.file(
        "cases.csv",
        "case_id,opened_at,customer_id\nA,2026-01-05,1\nB,2026-01-05,3\nC,2026-01-05,9\nD,2026-01-05,4\nE,nie,1\n",
    )
    bench.file("events.csv", "case_id,at,step\nA,2026-01-05,open\nE,2026-01-05,open\nF,2026-01-05,open\n")
    sources = {name: {"path": f"{name}.csv"} for name in ("cases",)}
    sources["customers"] = {"path": "customers.csv", **customers}
    sources["transactions"] = {"path": "orders.csv"}
    sources["case_events"] = {"path": "events.csv"}
    return bench.build(sources)


def test_references_are_held_against_all_ids_read(bench, read_rows, read_quarantine):
    built = family(bench)
    # Customer 2 was accepted once; customer 3 stands in a row with too few fields; customer 9 was never read.
    assert [row[0] for row in read_rows(built, "transactions", "customer_id")] == ["1", "2", "4"]
    assert read_quarantine(built, "transactions") == [
        ("4", "customer_id", "3", "parent quarantined", "parent"),
        ("5", "customer_id", "9", "unknown customer_id", "row"),
    ]
    record = built.records["transactions"]
    assert (record.read, record.accepted, record.quarantined) == (5, 3, {"unknown customer_id": 1})
    assert record.parent_quarantined == 1


def test_an_optional_reference_is_set_missing(bench, read_rows, read_quarantine):
    built = family(bench)
    assert read_rows(built, "cases", "case_id, customer_id") == [("A", "1"), ("B", None), ("C", None), ("D", "4")]
    assert read_quarantine(built, "cases") == [
        ("3", "customer_id", "3", "parent quarantined", "value"),
        ("4", "customer_id", "9", "unknown customer_id", "value"),
        ("6", "opened_at", "nie", "not a date", "row"),
    ]


def test_the_steps_of_a_quarantined_case_go_with_it(bench, read_rows, read_quarantine):
    built = family(bench)
    assert read_rows(built, "case_events", "case_id") == [("A",)]
    assert read_quarantine(built, "case_events") == [
        ("3", "case_id", "E", "parent quarantined", "parent"),
        ("4", "case_id", "F", "unknown case_id", "row"),
    ]


def test_rows_go_with_a_parent_that_a_rule_dropped(bench, read_rows):
    built = family(bench, where={"region": ["Süd", "Ost"]})
    assert [row[0] for row in read_rows(built, "transactions", "customer_id")] == ["1", "4"]
    assert built.records["customers"].dropped == {"where region": 2}
    assert built.records["transactions"].dropped == {"parent dropped": 1}


def test_empty_rows_are_dropped_by_a_named_rule(bench):
    record = bench.orders(HEAD + "1;2026-01-05;1\n;;\n2;2026-01-05;1\n;;\n").records["transactions"]
    assert (record.read, record.accepted, record.dropped) == (4, 2, {"empty row": 2})


def test_a_value_that_a_spreadsheet_would_run_is_inert_in_quarantine_and_whole_in_the_table(
    bench, read_rows, read_quarantine
):
    formulas = ["=cmd|' /C calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\tx=1"]
    rows = "".join(f'{number};{number};1;"{formula}"\n' for number, formula in enumerate(formulas))
    built = bench.orders(f'Kunde;Datum;Umsatz;Text\n9;2026-01-05;1;"{formulas[0]}"\n' + rows)
    assert read_rows(built, "transactions", "Text") == [(formulas[0],)]
    values = "".join(f'{number};2026-01-05;"{formula}"\n' for number, formula in enumerate(formulas))
    built = bench.orders(HEAD + "9;2026-01-05;1\n" + values)
    assert [row[2] for row in read_quarantine(built, "transactions")] == [f"'{formula}" for formula in formulas]


def test_a_long_value_is_cut_in_quarantine(bench, read_quarantine):
    built = bench.orders(HEAD + f"1;2026-01-05;1\n2;2026-01-05;{'x' * 5000}\n")
    assert [len(row[2]) for row in read_quarantine(built, "transactions")] == [200]


def test_choices_are_held_and_translated(bench, read_rows, read_quarantine):
    bench.file("contacts.csv", "customer_id,at,direction\n1,2026-01-05,ein\n1,2026-01-05,OUT\n1,2026-01-05,quer\n")
    built = bench.build({"contacts": {"path": "contacts.csv", "values": {"direction": {"ein": "in"}}}})
    assert read_rows(built, "contacts", "direction") == [("in",), ("out",)]
    assert read_quarantine(built, "contacts") == [("4", "direction", "quer", "not one of the choices", "row")]


def test_a_negative_fee_is_missing_and_listed_and_its_contract_stays(bench, read_rows, read_quarantine):
    bench.file("contracts.csv", "customer_id,start,fee\n1,2026-02-01,-5.0\n2,2026-02-01,0\n3,2026-02-01,9.9\n")
    built = bench.build({"contracts": {"path": "contracts.csv", "decimal": "."}})
    assert read_rows(built, "contracts", "customer_id, fee") == [("1", None), ("2", 0.0), ("3", 9.9)]
    assert read_quarantine(built, "contracts") == [("2", "fee", "'-5.0", "negative", "value")]
    assert built.records["contracts"].set_missing == {"fee: negative": 1}


def test_a_contract_that_ends_before_it_starts_keeps_its_row_without_the_end(bench, read_rows, read_quarantine):
    bench.file("contracts.csv", "customer_id,start,ended_on\n1,2026-02-01,2026-01-31\n2,2026-02-01,2026-02-01\n")
    built = bench.build({"contracts": {"path": "contracts.csv"}})
    assert read_rows(built, "contracts", "ended_on::VARCHAR") == [(None,), ("2026-02-01",)]
    assert read_quarantine(built, "contracts") == [("2", "ended_on", "2026-01-31", "before its start", "value")]
