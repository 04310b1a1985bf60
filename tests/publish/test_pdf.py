import io
import logging

import pikepdf
import pytest
from pypdf import PdfReader
from report_page import report

from analysis.errors import PublishError
from analysis.publish.html import render
from analysis.publish.pdf import write_pdf


@pytest.fixture(scope="module")
def html(session_notebook) -> str:
    return render(report(session_notebook))


@pytest.fixture(scope="module")
def pdf(html) -> bytes:
    return write_pdf(html)


@pytest.fixture(scope="module")
def pages(pdf) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_it_is_tagged_has_language_title_outline_and_page_labels(pdf):
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        root = opened.Root
        assert bool(root.MarkInfo.Marked)
        assert str(root.Lang) == "de"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(opened.docinfo["/Title"]) == "Kundenbericht – 3. Quartal 2026"
        with opened.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        with opened.open_outline() as outline:
            titles = [item.title for item in outline.root]
            assert titles == ["Inhalt", "1 Auf einen Blick", "2 Zufriedenheit", "3 Service"]
            assert [item.title for item in outline.root[2].children] == [
                "2.1 Weiterempfehlung",
                "2.2 Nach Region",
                "2.3 Kommentare",
            ]
        assert str(root.PageLabels.Nums[1].S) == "/D"
        fonts = {str(font.BaseFont) for page in opened.pages for font in page.Resources.Font.values()}
    # Every letter is in the typeface that comes with the page: no font of the machine's changes the bytes.
    assert {name[8:].partition("-")[0] for name in fonts} == {"Inter"}
    assert all(name[7] == "+" for name in fonts)


def test_the_contents_give_the_page_each_chapter_begins_on(pages):
    contents = pages[1]
    for title in ("Auf einen Blick", "Weiterempfehlung", "Nach Region"):
        number = int(contents.partition(title)[2].strip(" .").split()[0])
        assert title in pages[number - 1]
        assert f"Seite {number} von {len(pages)}" in pages[number - 1]


def test_every_page_but_the_cover_tells_its_chapter_and_number(pages):
    assert len(pages) >= 6
    assert "Seite" not in pages[0]
    for number, text in enumerate(pages[1:], start=2):
        assert f"Seite {number} von {len(pages)}" in text
    assert all("Kundenbericht 2 Zufriedenheit" in text for text in pages[3:-1])


def test_the_headings_of_a_long_table_are_repeated_and_its_source_stands_once(pages):
    holding = [text for text in pages if "11.000 0.000" in text]
    assert len(holding) >= 2
    assert all("Spalte 11" in text for text in holding)
    assert sum("Quelle: Umfragen" in text for text in holding) == 1


def test_hostile_text_is_text(pdf, pages):
    text = " ".join(pages)
    assert "<script>alert(1)</script>" in text
    assert "=cmd|' /C calc'!A1" in text
    assert not any(word in pdf for word in (b"/JavaScript", b"/JS", b"/Launch", b"/URI"))


def test_the_same_page_gives_the_same_bytes(html, pdf):
    assert write_pdf(html) == pdf


def test_our_style_sheets_hold_nothing_the_renderer_does_not_know(html, caplog):
    with caplog.at_level(logging.WARNING, logger="weasyprint"):
        write_pdf(html)
    assert [record.getMessage() for record in caplog.records if record.name == "weasyprint"] == []


@pytest.mark.parametrize(
    "asks",
    [
        '<img alt="a" src="https://x.example/a.png">',
        '<img alt="a" src="file:///etc/hostname">',
        '<img alt="a" src="a.png">',
        "<style>@import url(https://x.example/s.css)</style>",
        "<style>p{background:url(https://x.example/b.png)}</style><p>a</p>",
    ],
)
def test_whatever_asks_for_something_outside_the_page_is_refused(asks):
    with pytest.raises(PublishError, match="the page asks for something outside itself"):
        write_pdf(f'<html lang="de"><title>a</title><body>{asks}</body></html>')
