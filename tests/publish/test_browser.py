import pytest
from report_page import report

from analysis.publish.html import render


@pytest.fixture(scope="module")
def opened(open_page, session_notebook, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(render(report(session_notebook)), encoding="utf-8")
    found = open_page(file)
    yield found.page, found.asked, found.said
    found.page.close()


def test_no_request_leaves_the_page_and_the_console_is_quiet(opened):
    page, asked, said = opened
    assert [url for url in asked if not url.startswith("data:")] == [page.url.partition("#")[0]]
    assert said == []


def test_every_contents_link_leads_to_its_heading(opened):
    page, _asked, _said = opened
    links = page.locator("nav a")
    assert links.count() == 7
    for link in links.all():
        link.click()
        target = page.locator(link.get_attribute("href"))
        assert target.inner_text().split() == link.inner_text().split()
        assert target.bounding_box()["y"] < 900


def test_every_image_is_drawn_and_has_a_text_alternative_and_the_page_its_language(opened):
    page, _asked, _said = opened
    images = page.locator("img").all()
    assert len(images) == 1
    assert all(image.get_attribute("alt").strip() for image in images)
    assert all(image.evaluate("image => image.naturalWidth") > 0 for image in images)
    assert page.locator("html").get_attribute("lang") == "de"


def test_the_typeface_comes_with_the_page(opened):
    page, _asked, _said = opened
    assert page.evaluate("document.fonts.check('16px Inter', 'Größe')")
    assert page.evaluate("[...document.fonts].filter(font => font.status === 'loaded').length") >= 2


def test_on_a_telephone_a_wide_table_scrolls_sideways_and_the_page_does_not(opened):
    page, _asked, _said = opened
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    wide = page.locator(".sk-scroll").last
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")


def test_on_a_telephone_captions_stay_within_the_window_and_a_chart_is_marked_as_wider(opened):
    page, _asked, _said = opened
    page.set_viewport_size({"width": 400, "height": 900})
    page.locator("caption").evaluate_all("all => all.forEach(one => one.append(' und nach Monat'.repeat(6)))")
    boxes = [caption.bounding_box() for caption in page.locator("caption").all()]
    assert len(boxes) == 2
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 400 for box in boxes)
    after = "one => getComputedStyle(one, '::after').content"
    assert "↔" in page.locator("figure:has(img) figcaption").evaluate(after)
    page.set_viewport_size({"width": 1200, "height": 900})
    assert page.locator("figure:has(img) figcaption").evaluate(after) == "none"


def test_hostile_text_is_shown_as_text(opened):
    page, _asked, _said = opened
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()
    assert page.locator("script, a[href^=javascript]").count() == 0
