import base64
import re

import pytest
from bs4 import BeautifulSoup
from nbformat import v4
from notebook_cells import code, prose, returned, shown

from analysis.errors import PublishError
from analysis.period import Period
from analysis.publish.html import ChapterPage, Document, render

SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='9' height='9'/></svg>"
IMAGE = f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}"
FIGURE = f'<figure class="sk-figure"><figcaption>NPS steigt</figcaption><img alt="Linie" src="{IMAGE}"></figure>'
TABLE = (
    '<table class="gt_table"><caption>NPS nach Region</caption>'
    '<thead><tr><th scope="col" id="r">Region</th></tr></thead>'
    '<tbody><tr><td headers="r">Süd</td></tr></tbody></table>'
)


@pytest.fixture
def page(notebook):
    """Render chapters, each given as its cells, and return the page as a tree."""

    def make(language="de", **chapters) -> BeautifulSoup:
        pages = tuple(ChapterPage(name, name.title(), notebook(name, cells)) for name, cells in chapters.items())
        return BeautifulSoup(render(document(*pages, language=language)), "html.parser")

    return make


def document(*pages: ChapterPage, language: str = "de") -> Document:
    return Document("Kundenbericht", "Für die Leitung", language, Period.parse("2026-Q3"), "internal", pages)


def texts(tree: BeautifulSoup, selector: str) -> list[str]:
    return [" ".join(tag.get_text().split()) for tag in tree.select(selector)]


def test_code_vanishes_and_every_kind_of_output_stays_in_its_order(page):
    outputs = [
        returned(text_html="<p>erstens</p>", text_plain="nicht dies"),
        shown(text_markdown="**zweitens**", text_plain="nicht dies"),
        returned(text_plain="<drittens>"),
    ]
    main = page(one=[prose("# T"), code("geheim = 1", outputs=outputs)]).main
    assert "geheim" not in str(main)
    assert "nicht dies" not in str(main)
    assert texts(main, ".sk-output, .sk-text") == ["erstens", "zweitens", "<drittens>"]


def test_warnings_written_to_stderr_stay_out_of_the_page(page):
    streams = [v4.new_output("stream", name=name, text=f"auf {name}") for name in ("stdout", "stderr")]
    main = page(one=[prose("# T"), code("x", outputs=streams)]).main
    assert "auf stdout" in str(main)
    assert "auf stderr" not in str(main)


def test_a_chart_without_html_needs_its_text_alternative_in_the_metadata(page):
    chart = shown(image_svg_xml=SVG)
    with pytest.raises(PublishError) as refused:
        page(one=[prose("# T"), code("x", outputs=[chart])])
    assert str(refused.value) == ("chapter one: an image has no text alternative. Give its chart a phrase as alt.")
    chart.metadata["image/svg+xml"] = {"alt": "Ein Quadrat"}
    image = page(one=[prose("# T"), code("x", outputs=[chart])]).main.img
    assert image["alt"] == "Ein Quadrat"
    assert image["src"] == IMAGE


@pytest.mark.parametrize("alt", ["", 'alt=""', 'alt=" "'])
def test_an_image_in_html_without_text_alternative_is_refused_with_its_chapter(page, alt):
    with pytest.raises(PublishError, match="chapter segments: an image has no text alternative"):
        page(segments=[prose("# T"), code("x", outputs=[shown(text_html=f'<img {alt} src="{IMAGE}">')])])


def test_chapters_sections_figures_and_tables_are_numbered_through_the_document(page):
    cells = [prose("# T"), prose("## A"), code("x", outputs=[shown(text_html=FIGURE)]), prose("## B\n\n### b")]
    tree = page(one=[*cells, code("y", outputs=[returned(text_html=TABLE)])], two=cells)
    assert texts(tree, "h2, h3, h4") == ["1 One", "1.1 A", "1.2 B", "b", "2 Two", "2.1 A", "2.2 B", "b"]
    assert texts(tree, "figcaption") == ["Abbildung 1: NPS steigt", "Abbildung 2: NPS steigt"]
    assert texts(tree, "caption") == ["Tabelle 1: NPS nach Region"]
    assert texts(tree, "h1") == ["Kundenbericht"]


def test_the_contents_list_leads_to_every_chapter_and_section(page):
    tree = page(one=[prose("# T"), prose("## A & B")], two=[prose("# T"), prose("## A & B")])
    links = tree.select("nav a")
    assert [" ".join(link.get_text(" ").split()) for link in links] == ["1 One", "1.1 A & B", "2 Two", "2.1 A & B"]
    for link in links:
        assert len(tree.select(f"[id='{link['href'][1:]}']")) == 1


def test_the_summary_comes_first(page):
    tree = page(segments=[prose("# S")], summary=[prose("# Auf einen Blick")])
    assert texts(tree, "h2") == ["1 Summary", "2 Segments"]


def test_ids_are_unique_and_references_follow_them(page):
    cells = [prose("# T"), code("x", outputs=[shown(text_html=TABLE)])]
    tree = page(one=cells, two=cells)
    ids = [tag["id"] for tag in tree.select("[id]")]
    assert len(ids) == len(set(ids))
    assert [cell["headers"] for cell in tree.select("td")] == [["one-r"], ["two-r"]]


def test_a_chapter_left_out_is_its_title_and_one_sentence():
    tree = BeautifulSoup(
        render(document(ChapterPage("care", "Service", None, "Dieses Kapitel entfällt."))), "html.parser"
    )
    assert texts(tree, "main") == ["1 Service Dieses Kapitel entfällt."]
    assert texts(tree, "nav li") == ["1 Service"]


def test_the_cover_tells_title_period_and_what_the_data_know(page):
    cover = " ".join(page(one=[prose("# T")]).header.get_text(" ").split())
    assert "3. Quartal 2026" in cover
    assert "Datenstand bis einschließlich 30. September 2026" in cover
    assert "nur für den internen Gebrauch" in cover
    english = " ".join(page("en", one=[prose("# T")]).header.get_text(" ").split())
    assert "July 1, 2026 to September 30, 2026" in english


EVIL = """
<script>alert(1)</script><b onclick="alert(1)" style="color: red; background: url(http://x.example/a)">fett</b>
<a href="javascript:alert(1)">Knopf</a><a href="https://x.example/">Seite</a>
<iframe src="https://x.example/"></iframe><svg onload="alert(1)"><script>alert(1)</script></svg>
<img alt="Bild" src="https://x.example/p.png" onerror="alert(1)"><!-- <script>alert(1)</script> -->
<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math><form action="https://x.example/"><input></form>
<style>@import url(https://x.example/s.css)</style><base href="https://x.example/"><custom-tag>bleibt</custom-tag>
"""


@pytest.mark.parametrize("cell", [prose(f"# T\n\n{EVIL}"), code("x", outputs=[returned(text_html=EVIL)])])
def test_what_could_act_or_load_is_taken_out_and_its_text_stays(page, cell):
    main = page(one=[prose("# T"), cell]).main
    written = str(main)
    assert not re.search(
        r"script|alert|onerror|onclick|onload|https?:|url\(|iframe|<svg|<style|<form|<base|import", written
    )
    assert texts(main, "b") == ["fett"]
    assert main.b["style"] == "color: red"
    for word in ("Knopf", "Seite", "bleibt"):
        assert word in main.get_text()


def test_hostile_comments_in_markdown_and_plain_text_are_inert(page):
    comment = "<script>alert(1)</script> [x](javascript:alert(1)) =cmd|' /C calc'!A1"
    main = page(one=[prose("# T"), code("x", outputs=[shown(text_markdown=comment), shown(text_plain=comment)])]).main
    assert main.find_all(["script", "a"]) == []
    assert "=cmd|' /C calc'!A1" in main.get_text()


def test_the_page_holds_no_script_and_forbids_everything_but_itself(page):
    tree = page(one=[prose("# T"), code("x", outputs=[shown(text_html=FIGURE)])])
    policy = tree.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:")
    assert tree.find("script") is None
    assert tree.html["lang"] == "de"


def test_rendering_twice_gives_the_same_page(notebook):
    pages = (ChapterPage("one", "One", notebook("one", [prose("# T"), code("x", outputs=[shown(text_html=FIGURE)])])),)
    assert render(document(*pages)) == render(document(*pages))
