import json

import pytest
from bs4 import BeautifulSoup

from analysis.errors import PublishError
from analysis.period import Period
from analysis.publish.index import rebuild
from analysis.publish.manifest import Manifest, write_manifest


@pytest.fixture
def publish(tmp_path):
    """Put a report's folder where a run would have put it."""

    def make(report: str, period: str, *, variant: str = "", language: str = "de", key_figures=(), figures=()):
        folder = tmp_path / report / period / variant
        folder.mkdir(parents=True)
        title = {"de": "Kunden & Märkte", "en": "Customers"}[language]
        manifest = Manifest(report, title, language, "EUR", Period.parse(period), {}, {}, {}, ("html",), key_figures)
        write_manifest(manifest, folder / "manifest.json")
        (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
        (folder / "report.html").write_text("<html>", encoding="utf-8")
        return folder

    return make


def page(tmp_path, **more) -> BeautifulSoup:
    return BeautifulSoup(rebuild(tmp_path, **more).read_text(encoding="utf-8"), "html.parser")


def test_the_newest_period_comes_first_and_reports_are_grouped(publish, tmp_path):
    for report, period in (("b", "2026-Q1"), ("a", "2025-Q4"), ("a", "2026-Q3"), ("a", "2026-Q2")):
        publish(report, period)
    tree = page(tmp_path)
    assert [heading.get_text() for heading in tree.select("h3")] == [
        "3. Quartal 2026",
        "2. Quartal 2026",
        "4. Quartal 2025",
        "1. Quartal 2026",
    ]
    assert tree.html["lang"] == "de"
    assert [heading.get_text() for heading in tree.select("h2")] == ["Kunden & Märkte"] * 2


def test_links_lead_to_the_files_that_are_there(publish, tmp_path):
    folder = publish("kunden bericht", "2026-Q3", variant="Süd #1")
    (folder / "tables.xlsx").write_bytes(b"")
    links = page(tmp_path).select("a")
    assert [(link.get_text(), link["href"]) for link in links] == [
        ("HTML", "kunden%20bericht/2026-Q3/S%C3%BCd%20%231/report.html"),
        ("Excel", "kunden%20bericht/2026-Q3/S%C3%BCd%20%231/tables.xlsx"),
    ]


def test_key_figures_are_written_in_the_reports_language(publish, tmp_path):
    figures = [{"id": "a.nps", "value": 34.25, "unit": "points", "definition": "NPS <i>"}]
    publish("a", "2026-Q3", key_figures=("a.nps", "a.gone"), figures=figures)
    tree = page(tmp_path)
    assert [
        (term.get_text(), value.get_text()) for term, value in zip(tree.select("dt"), tree.select("dd"), strict=True)
    ] == [("NPS <i>", "34,2\N{NO-BREAK SPACE}Punkte")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{half", "manifest.json cannot be read"),
        ("{}", "manifest.json lacks a part ('title')"),
        ('{"title": "a", "language": "fr"}', "'fr' is no language of ours"),
        (None, "there is no manifest.json"),
    ],
)
def test_a_broken_folder_is_named_on_the_page_and_to_the_console_and_stops_nothing(publish, tmp_path, text, problem):
    publish("a", "2026-Q3")
    manifest = publish("a", "2026-Q2") / "manifest.json"
    manifest.unlink() if text is None else manifest.write_text(text, encoding="utf-8")
    said: list[str] = []
    tree = page(tmp_path, progress=said.append)
    assert len(tree.select("h3")) == 1
    assert "a/2026-Q2" in tree.select_one(".sk-broken").get_text()
    assert problem in tree.select_one(".sk-broken").get_text()
    assert len(said) == 1
    assert said[0].startswith("left out of the index: a/2026-Q2: ")
    assert problem in said[0]


def test_what_is_staged_or_locked_is_no_report_and_an_empty_folder_says_so(publish, tmp_path):
    publish(".staging", "2026-Q3", variant="x")
    assert "Hier liegt noch kein Bericht." in page(tmp_path).get_text()


def test_the_page_loads_nothing_and_follows_the_newest_reports_language(publish, tmp_path):
    publish("a", "2026-Q2")
    publish("a", "2026-Q3", language="en")
    tree = page(tmp_path)
    assert tree.html["lang"] == "en"
    assert tree.h1.get_text() == "Reports"
    assert tree.find("script") is None
    assert "default-src 'none'" in str(tree.meta.find_next("meta"))
    assert rebuild(tmp_path).read_bytes() == rebuild(tmp_path).read_bytes()


def test_an_index_that_cannot_be_written_leaves_the_last_one(publish, tmp_path, monkeypatch):
    publish("a", "2026-Q3")
    before = rebuild(tmp_path).read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(PublishError, match="the disk is full"):
        rebuild(tmp_path)
    assert (tmp_path / "index.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["index.html"]
