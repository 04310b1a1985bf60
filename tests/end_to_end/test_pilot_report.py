"""The pilot's report as published: complete, deterministic, self-contained, inert."""

from __future__ import annotations

import json
import re
import zipfile

import pikepdf
import pypdf
import pytest
from calls import call

BYTE_EQUAL = ("report.html", "report.pdf", "tables.xlsx", "figures.json", "manifest.json")
HOSTILE = ("<script>alert(1)</script>", "x](javascript:alert(1))", "=cmd|' /C calc'!A1")


def figures(folder):
    return json.loads((folder / "figures.json").read_text(encoding="utf-8"))


def test_everything_contracted_is_there(published):
    found = {path.name for path in published.iterdir()}
    assert found == {*BYTE_EQUAL, "run.json", "notebooks", "quarantine"}
    chapters = {path.stem for path in (published / "notebooks").iterdir()}
    assert chapters == {"data_quality", "satisfaction", "churn_drivers", "segments", "value", "summary"}
    assert (published.parents[1] / "index.html").is_file()


def test_at_least_20_figures_with_all_their_parts_over_at_least_6_pages(published):
    found = figures(published)
    assert len(found) >= 20
    keys = ["id", "value", "low", "high", "n", "unit", "period", "definition", "source"]
    assert all(list(record) == keys for record in found)
    assert len({record["id"] for record in found}) == len(found)
    assert all(record["definition"] and record["n"] is not None for record in found)
    assert len(pypdf.PdfReader(published / "report.pdf").pages) >= 6


def test_the_pdf_is_tagged_titled_and_in_german(published):
    with pikepdf.open(published / "report.pdf") as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "de"
        assert "Kundenbericht" in str(pdf.docinfo["/Title"])


def test_the_same_input_gives_the_same_bytes_in_another_folder(published, firm, tmp_path):
    done = call("run", firm / "params.yml", "--out", tmp_path / "again", cwd=tmp_path)
    assert done.code == 0, done.err
    again = tmp_path / "again" / "kundenbericht" / "2026-Q3"
    for name in BYTE_EQUAL:
        assert (again / name).read_bytes() == (published / name).read_bytes(), name


def test_no_path_of_the_machine_and_no_clock_stand_in_the_outputs(published, firm):
    for name in ("report.html", "figures.json", "manifest.json"):
        text = (published / name).read_text(encoding="utf-8")
        assert str(firm) not in text
        assert str(published.parent) not in text
    run = json.loads((published / "run.json").read_text())
    assert {"run", "started", "seconds", "steps"} <= run.keys()


def test_rows_read_are_accepted_quarantined_or_dropped(published):
    inputs = json.loads((published / "manifest.json").read_text())["inputs"]
    assert inputs.keys() >= {"customers", "transactions", "contracts", "surveys", "cases", "community", "contacts"}
    for record in inputs.values():
        aside = sum(record["quarantined"].values()) + record["parent_quarantined"] + sum(record["dropped"].values())
        assert record["read"] == record["accepted"] + aside


def test_the_planted_faults_are_found(published, firm):
    truth = json.loads((firm / "truth.json").read_text())
    planted = sum(fault["count"] for fault in truth["faults"] if fault["effect"] == "row")
    inputs = json.loads((published / "manifest.json").read_text())["inputs"]
    found = sum(sum(record["quarantined"].values()) for record in inputs.values())
    assert found == planted


def test_the_planted_nps_by_region_lies_in_its_intervals(published, firm):
    truth = json.loads((firm / "truth.json").read_text())["satisfaction"]["nps_by_region_by_quarter"]["2026-Q3"]
    found = {one["id"]: one for one in figures(published)}
    inside = [found[f"satisfaction.nps_region.{region}"] for region in truth]
    hits = [one["low"] <= truth[one["id"].rsplit(".", 1)[1]] <= one["high"] for one in inside]
    assert len(hits) == 4
    assert sum(hits) >= 3


def test_the_planted_importance_of_services_lies_in_its_intervals(published, firm):
    truth = json.loads((firm / "truth.json").read_text())["satisfaction"]["drivers"]["2026-Q3"]["lmg_share_of_r2"]
    found = {one["id"]: one for one in figures(published)}
    by_name = {name: found[f"satisfaction.importance.{name}"] for name in truth}
    hits = [one["low"] <= truth[name] <= one["high"] for name, one in by_name.items()]
    assert len(hits) == 6
    assert sum(hits) >= 5
    assert max(by_name, key=lambda name: by_name[name]["value"]) == "Qualität"


def test_quotes_stay_in_the_house(published, firm, tmp_path):
    inside = (published / "report.html").read_text(encoding="utf-8")
    assert "In eigenen Worten" in inside
    done = call(
        "run", firm / "params.yml", "--set", "audience=shareable", "--out", tmp_path, "--chapter", "satisfaction"
    )
    assert done.code == 0, done.err
    folder = tmp_path / "kundenbericht" / "2026-Q3"
    [quoted] = re.findall(r"„([^“]{12,})“", inside.partition("In eigenen Worten")[2])[:1]
    for file in (folder / "report.html", folder / "notebooks" / "satisfaction.ipynb"):
        text = file.read_text(encoding="utf-8")
        assert "In eigenen Worten" not in text
        assert quoted not in text


class TestInABrowser:
    @pytest.fixture
    def opened(self, open_page, published):
        found = open_page(published / "report.html")
        yield found
        found.page.close()

    def test_nothing_is_loaded_from_outside_and_the_console_is_quiet(self, opened):
        own = opened.page.url.partition("#")[0]
        assert [url for url in opened.asked if not url.startswith("data:")] == [own]
        assert opened.said == []

    def test_every_contents_link_leads_to_its_heading(self, opened):
        links = opened.page.locator("nav a").all()
        assert len(links) >= 25
        for link in links:
            target = opened.page.locator(link.get_attribute("href"))
            assert target.inner_text().split()[: len(link.inner_text().split())] == link.inner_text().split()

    def test_every_image_has_a_phrase_as_text_alternative_and_the_page_its_language(self, opened):
        images = opened.page.locator("img").all()
        assert len(images) >= 10
        assert all(len(image.get_attribute("alt").split()) >= 4 for image in images)
        assert all(image.evaluate("image => image.naturalWidth") > 0 for image in images)
        assert opened.page.locator("html").get_attribute("lang") == "de"

    def test_the_index_leads_to_the_report(self, open_page, published):
        found = open_page(published.parents[1] / "index.html")
        hrefs = [link.get_attribute("href") for link in found.page.locator("a").all()]
        assert "kundenbericht/2026-Q3/report.html" in hrefs
        assert all((published.parents[1] / href).exists() for href in hrefs if not href.startswith("#"))
        found.page.close()


def test_hostile_text_is_inert_in_page_pdf_and_workbook(firm, tmp_path):
    spoilt = tmp_path / "firm"
    spoilt.mkdir()
    for file in firm.iterdir():
        (spoilt / file.name).write_bytes(file.read_bytes())
    customers = (spoilt / "kunden.csv").read_bytes().decode("cp1252")
    for name, hostile in zip(("Nord", "Ost", "West"), HOSTILE, strict=True):
        customers = re.sub(rf";{name};", lambda _match, text=hostile: f";{text};", customers)
    (spoilt / "kunden.csv").write_bytes(customers.encode("cp1252"))
    done = call("run", spoilt / "params.yml", "--json", "--chapter", "satisfaction")
    assert done.code == 0, done.err
    folder = spoilt / "reports" / "kundenbericht" / "2026-Q3"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"(?:href|src)\s*=\s*[\"']?\s*javascript:", page)
    with zipfile.ZipFile(folder / "tables.xlsx") as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    with pikepdf.open(folder / "report.pdf") as pdf:
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        links = [note for page_of in pdf.pages for note in page_of.get("/Annots", [])]
        assert not any("javascript" in str(link.get("/A", {}).get("/URI", "")) for link in links)


@pytest.mark.parametrize("language", ["en"])
def test_the_report_speaks_english_on_request(firm, tmp_path, language):
    done = call(
        "run", firm / "params.yml", "--set", f"language={language}", "--out", tmp_path, "--chapter", "satisfaction"
    )
    assert done.code == 0, done.err
    page = (tmp_path / "kundenbericht" / "2026-Q3" / "report.html").read_text(encoding="utf-8")
    assert f'lang="{language}"' in page
    assert "Where it is high and where not" in page
    assert "Weiterempfehlung" not in page
