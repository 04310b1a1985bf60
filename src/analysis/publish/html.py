"""All chapters as one self-contained HTML page with one numbering and one contents list."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from bs4 import BeautifulSoup
from bs4.element import Tag
from jinja2 import Environment, PackageLoader, StrictUndefined

from analysis.period import Period
from analysis.publish.fragment import fragment
from analysis.publish.words import day, period_name, words

_FONTS = (("Inter-Regular", 400, "normal"), ("Inter-SemiBold", 600, "normal"), ("Inter-Italic", 400, "italic"))

_SHORT = (16, 1000)
"""Rows, headings among them, and letters up to which a table is kept on one page."""


@dataclass(frozen=True)
class ChapterPage:
    """A chapter of the document: its executed notebook, or the sentence that says why it is left out."""

    name: str
    title: str
    notebook: Path | None
    sentence: str = ""


@dataclass(frozen=True)
class Document:
    """A report as it is read: what stands on its cover (the subtitle may be empty), and its chapters in order."""

    title: str
    subtitle: str
    language: str
    period: Period
    audience: Literal["internal", "shareable"]
    chapters: tuple[ChapterPage, ...]


@dataclass
class Numbers:
    """The numbering through the document."""

    chapter: int = 0
    figure: int = 0
    table: int = 0


@dataclass(frozen=True)
class Entry:
    """A line of the contents list."""

    number: str
    title: str
    id: str
    left_out: bool = False
    sections: list[Entry] = field(default_factory=list)


def render(document: Document) -> str:
    """Return the document as one HTML page that loads nothing; the same text for the same content.

    The summary comes first. Raises PublishError, naming the chapter, where an image has no text alternative.
    """
    numbers = Numbers()
    chapters = sorted(document.chapters, key=lambda page: page.name != "summary")
    rendered = [_chapter(page, numbers, document.language) for page in chapters]
    return (
        environment(document.language)
        .get_template("report.html.j2")
        .render(
            document=document,
            period=period_name(document.period, document.language),
            start=day(document.period.start, document.language),
            end=day(document.period.end, document.language),
            contents=[entry for entry, _body in rendered],
            chapters=rendered,
            css=css,
        )
    )


@cache
def environment(language: str) -> Environment:
    """Return the templates with the words of ``language``."""
    made = Environment(
        loader=PackageLoader("analysis.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["_"] = words(language).gettext
    return made


@cache
def css(*names: str) -> str:
    """Return the style sheets of these names; ``fonts`` is the typeface, as data."""
    folder = files("analysis.publish") / "css"
    sheets = (
        "".join(_font_faces()) if name == "fonts" else (folder / name).read_text(encoding="utf-8") for name in names
    )
    return "".join(sheets)


def _font_faces() -> Iterator[str]:
    for name, weight, style in _FONTS:
        data = base64.b64encode((files("analysis") / "fonts" / f"{name}.woff2").read_bytes()).decode()
        yield (
            f"@font-face{{font-family:Inter;font-weight:{weight};font-style:{style};"
            f"src:url(data:font/woff2;base64,{data}) format('woff2')}}\n"
        )


def _chapter(page: ChapterPage, numbers: Numbers, language: str) -> tuple[Entry, str]:
    numbers.chapter += 1
    entry = Entry(str(numbers.chapter), page.title, page.name.replace("_", "-"), left_out=page.notebook is None)
    if page.notebook is None:
        tree = BeautifulSoup("", "html.parser")
        tree.append(_text_tag(tree, "p", page.sentence, "sk-left-out"))
    else:
        tree = fragment(page.notebook, page.name)
    _take_title(tree)
    _number_headings(tree, entry)
    _number_captions(tree, numbers, language)
    _make_scrollable(tree)
    return entry, str(tree)


def _text_tag(tree: BeautifulSoup, name: str, text: str, css_class: str) -> Tag:
    tag = tree.new_tag(name, attrs={"class": css_class})
    tag.string = text
    return tag


def _take_title(tree: BeautifulSoup) -> None:
    """Take the chapter's own title out: the page's template writes it, with its number."""
    if title := tree.find("h1"):
        title.decompose()


def _number_headings(tree: BeautifulSoup, entry: Entry) -> None:
    """Give each section its number, and lower every heading by one level: the first is the report's title."""
    for heading in tree.find_all(["h2", "h3", "h4", "h5"]):
        level = int(heading.name[1])
        if level == 2:
            number = f"{entry.number}.{len(entry.sections) + 1}"
            anchor = f"{entry.id}-{len(entry.sections) + 1}"
            entry.sections.append(Entry(number, heading.get_text(" ", strip=True), anchor))
            heading["id"] = anchor
            heading.insert(0, _text_tag(tree, "span", f"{number} ", "sk-number"))
        heading.name = f"h{level + 1}"


def _number_captions(tree: BeautifulSoup, numbers: Numbers, language: str) -> None:
    _ = words(language).gettext
    for caption in tree.find_all(["figcaption", "caption"]):
        holder = caption.find_parent(["figure", "table"])
        if caption.name == "caption" or (holder is not None and holder.find("table")):
            numbers.table += 1
            label = _("Table {number}").format(number=numbers.table)
        else:
            numbers.figure += 1
            label = _("Figure {number}").format(number=numbers.figure)
        caption.insert(0, _text_tag(tree, "span", f"{label}: ", "sk-number"))


def _make_scrollable(tree: BeautifulSoup) -> None:
    for table in tree.find_all("table"):
        caption = table.find("caption")
        rows, letters = _SHORT
        short = len(table.find_all("tr")) <= rows and len(table.get_text()) <= letters
        attributes = {"class": "sk-scroll sk-short" if short else "sk-scroll", "tabindex": "0", "role": "region"}
        if caption:
            attributes["aria-label"] = caption.get_text(" ", strip=True)
        table.wrap(tree.new_tag("div", attrs=attributes))
