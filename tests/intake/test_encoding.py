"""Encodings: found over the whole file, and never guessed into other letters."""

from __future__ import annotations

import pytest

SURVEY = (
    "Kunde;Datum;Umsatz;Ort;Kommentar\n1;2026-01-05;1,5;Köln;Größe paßt, déjà vu – 20 €\n2;2026-01-06;2,5;Zürich;ok\n"
)
PLAIN = SURVEY.replace("–", "-").replace("€", "EUR")


@pytest.mark.parametrize(
    ("encoding", "text", "line_end"),
    [
        ("utf-8", SURVEY, "\n"),
        ("utf-8-sig", SURVEY, "\r\n"),
        ("utf-8", SURVEY, "\r"),
        ("utf-16", SURVEY, "\r\n"),
        ("utf-16-le", SURVEY, "\n"),
        ("utf-16-be", SURVEY, "\r"),
        ("cp1252", SURVEY, "\r\n"),
        ("iso8859-1", PLAIN, "\n"),
        ("cp850", PLAIN, "\r\n"),
        ("mac_roman", SURVEY, "\r"),
    ],
)
def test_letters_come_through_whatever_the_encoding(bench, read_rows, encoding, text, line_end):
    built = bench.orders(text.replace("\n", line_end).encode(encoding))
    rows = [tuple(line.split(";")[3:]) for line in text.splitlines()[1:]]
    assert read_rows(built, "transactions", "Ort, Kommentar") == rows


def test_english_with_typographic_signs_is_cp1252(bench, read_rows):
    built = bench.orders("Kunde;Datum;Umsatz;Text\n1;2026-01-05;1;It’s “great” – for £5\n".encode("cp1252"))
    assert read_rows(built, "transactions", "Text") == [("It’s “great” – for £5",)]
    assert built.records["transactions"].notes == ("read as cp1252",)


def test_a_declared_encoding_is_taken(bench, read_rows):
    built = bench.orders("Kunde;Datum;Umsatz;Ort\n1;2026-01-05;1;Łódź\n".encode("cp1250"), encoding="cp1250")
    assert read_rows(built, "transactions", "Ort") == [("Łódź",)]


def test_a_broken_byte_in_a_utf8_file_quarantines_its_row_and_is_told(bench, read_rows, read_quarantine):
    text = "Kunde;Datum;Umsatz;Ort\n1;2026-01-05;1;Köln\n2;2026-01-05;1;M\udcfcnchen\n3;2026-01-05;1;Düren\n"
    built = bench.orders(text.encode("utf-8", "surrogateescape"))
    assert read_rows(built, "transactions", "Ort") == [("Köln",), ("Düren",)]
    assert [row[0::3] for row in read_quarantine(built, "transactions")] == [("3", "not readable")]
    note = "read as utf-8, though 1 bytes are not; the rows that hold them are quarantined"
    assert built.records["transactions"].notes == (note,)


def test_utf8_letters_in_a_cp1252_file_are_told(bench):
    lines = [f"{number};2026-01-05;1;Köln".encode("cp1252") for number in range(9)]
    built = bench.orders(b"\n".join([b"Kunde;Datum;Umsatz;Ort", *lines, "9;2026-01-05;1;Düren".encode()]))
    notes = ("read as cp1252", "1 letters in it look like utf-8 and may be misread")
    assert built.records["transactions"].notes == notes


def test_letters_encoded_twice_are_kept_and_told(bench, read_rows):
    built = bench.orders("Kunde;Datum;Umsatz;Ort\n1;2026-01-05;1;MÃ¼nchen\n2;2026-01-05;1;SÃO PAULO\n")
    assert read_rows(built, "transactions", "Ort") == [("MÃ¼nchen",), ("SÃO PAULO",)]
    note = "1 places hold letters encoded twice (such as Ã¼ for ü); they are kept as they stand"
    assert built.records["transactions"].notes == (note,)


def test_letters_lost_before_are_told(bench):
    built = bench.orders("Kunde;Datum;Umsatz;Ort\n1;2026-01-05;1;M\ufffdnchen\n")
    assert built.records["transactions"].notes == (
        "1 letters were lost before this file was written and stand as \ufffd",
    )


def test_a_letter_on_the_border_of_two_blocks_is_whole(bench, read_rows):
    head = "Kunde;Datum;Umsatz;Ort\n1;2026-01-05;1;"
    word = "x" * ((1 << 20) - len(head) - 1) + "ü"
    built = bench.orders(f"{head}{word}\n2;2026-01-05;1;Köln\n")
    assert read_rows(built, "transactions", "length(Ort), right(Ort, 1)") == [(len(word), "ü"), (4, "n")]


@pytest.mark.parametrize(
    ("content", "source"),
    [
        ("Kunde;Datum;Umsatz\n1;2026-01-05;1,5\n", {}),
        ("Kunde,Datum,Umsatz\n1,2026-01-05,1.5\n", {}),
        ("Kunde\tDatum\tUmsatz\n1\t2026-01-05\t1,5\n", {}),
        ('"Kunde","Datum","Umsatz"\n"1","2026-01-05","1,5"\n', {}),
        ("sep=;\r\nKunde;Datum;Umsatz\r\n1;2026-01-05;1,5\r\n", {}),
        ("\n\nKunde;Datum;Umsatz;\n1;2026-01-05;1,5;\n", {}),
        ("Kunde#Datum#Umsatz\n1#2026-01-05#1,5\n", {"separator": "#"}),
        (" 1  2026-01-05   1.5\n", {"separator": "blank", "header": ["Kunde", "Datum", "Umsatz"]}),
        ("1;2026-01-05;1,5\n", {"header": ["Kunde", "Datum", "Umsatz"]}),
    ],
)
def test_the_separator_is_found_or_declared(bench, read_rows, content, source):
    built = bench.orders(content, **source)
    assert read_rows(built, "transactions", "customer_id, date::VARCHAR, revenue") == [("1", "2026-01-05", 1.5)]
    assert built.records["transactions"].columns == ("customer_id", "date", "revenue")


def test_separators_inside_quotes_do_not_count(bench, read_rows):
    content = 'Kunde;Datum;Umsatz;"Text, lang"\n1;2026-01-05;1;"a;b, ""c"", d\ne, f"\n2;2026-01-05;1;"g, h, i"\n'
    built = bench.orders(content)
    assert read_rows(built, "transactions", '"Text, lang"') == [('a;b, "c", d\ne, f',), ("g, h, i",)]


def test_line_ends_that_change_within_a_file_are_read(bench, read_rows):
    built = bench.orders("Kunde;Datum;Umsatz\n1;2026-01-05;1\r\n2;2026-01-05;2\n3;2026-01-05;3\r\n")
    assert read_rows(built, "transactions", "revenue") == [(1,), (2,), (3,)]
