"""An executed notebook as an HTML fragment: prose and outputs through our own nbconvert template, made harmless."""

from __future__ import annotations

import base64
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from bs4 import BeautifulSoup
from bs4.element import PreformattedString, Tag
from nbformat import NotebookNode
from traitlets.config import Config

from analysis.errors import PublishError

if TYPE_CHECKING:
    from nbconvert.exporters.templateexporter import TemplateExporter

_ORDER = ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"]

_TAGS = (
    "a abbr b blockquote br caption cite code col colgroup dd del dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins li mark ol p pre q s section small span strong sub sup table tbody td tfoot th thead time tr u ul "
    "var wbr"
)
_EMPTIED = (
    "applet audio base canvas embed form frame frameset head iframe link math meta noembed noframes noscript object "
    "plaintext script style svg template textarea title video xmp"
)
"""Taken out with all they hold; of any other tag not known only the tag goes."""

_ATTRIBUTES = (
    "alt class colspan datetime dir headers height id lang reversed role rowspan scope span start style title value "
    "width aria-label aria-labelledby aria-describedby aria-hidden"
)
_STYLE = re.compile(
    r"\s*(?:text-align|vertical-align|font-weight|font-style|color|background-color|width|white-space)"
    r"\s*:\s*(?:[#\w.%\s-]+|rgba?\([\d.,%\s]+\))",
    re.ASCII,
)
_IMAGE = re.compile(r"data:image/(?:svg\+xml|png|jpeg);base64,[A-Za-z0-9+/=\s]+")
_REFERENCES = ("headers", "aria-labelledby", "aria-describedby")


def fragment(notebook: Path, chapter: str) -> BeautifulSoup:
    """Return the chapter's prose and outputs as a tree without code, scripts and links to outside.

    All ids begin with the chapter's name. Raises PublishError where the notebook cannot be read or an image has no
    text alternative.
    """
    html, _resources = _exporter().from_notebook_node(_read(notebook, chapter))
    tree = BeautifulSoup(html, "html.parser")
    _make_harmless(tree)
    for image in tree.find_all("img"):
        if not str(image.get("alt", "")).strip():
            raise PublishError(
                f"chapter {chapter}", "an image has no text alternative", "Give its chart a phrase as alt"
            )
    _prefix_ids(tree, chapter)
    return tree


def _read(notebook: Path, chapter: str) -> NotebookNode:
    try:
        read: NotebookNode = nbformat.read(notebook, as_version=4)
    except (OSError, nbformat.reader.NotJSONError) as error:
        raise PublishError(f"chapter {chapter}", f"its executed notebook cannot be read: {error}") from error
    return read


@cache
def _exporter() -> TemplateExporter:
    from nbconvert.exporters.templateexporter import TemplateExporter

    templates = files("analysis") / "publish" / "templates"
    exporter = TemplateExporter(
        config=Config({"NbConvertBase": {"display_data_priority": _ORDER}}),
        template_name="stammkunde",
        template_file="index.html.j2",
        extra_template_basedirs=[str(templates)],
    )
    exporter.register_filter("markdown2html", _markdown)
    exporter.register_filter("escape_html", escape)
    exporter.register_filter("base64", lambda text: base64.b64encode(text.encode()).decode())
    exporter.register_filter("alt", _alt)
    return exporter


def _markdown(text: str) -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(text))


def _alt(output: NotebookNode, mimetype: str) -> str:
    """Return the text alternative from the output's metadata, given for the type or for all."""
    metadata = output.get("metadata", {})
    return str(metadata.get(mimetype, {}).get("alt") or metadata.get("alt") or "")


def _make_harmless(tree: BeautifulSoup) -> None:
    for text in tree.find_all(string=lambda found: isinstance(found, PreformattedString)):
        text.extract()
    known, emptied = set(_TAGS.split()), set(_EMPTIED.split())
    for tag in tree.find_all(True):
        if tag.decomposed:
            continue
        if tag.name in emptied:
            tag.decompose()
        elif tag.name not in known or (tag.name == "a" and not str(tag.get("href", "")).startswith("#")):
            tag.unwrap()
        else:
            _keep_attributes(tag)


def _keep_attributes(tag: Tag) -> None:
    kept = {name: value for name, value in tag.attrs.items() if name in _ATTRIBUTES.split()}
    if tag.name == "a":
        kept["href"] = tag["href"]
    if tag.name == "img" and _IMAGE.fullmatch(str(tag.get("src", ""))):
        kept["src"] = tag["src"]
    if "style" in kept:
        declarations = [part.strip() for part in str(kept.pop("style")).split(";") if _STYLE.fullmatch(part)]
        if declarations:
            kept["style"] = "; ".join(declarations)
    tag.attrs = kept


def _prefix_ids(tree: BeautifulSoup, chapter: str) -> None:
    prefix = chapter.replace("_", "-") + "-"
    for tag in tree.find_all(True):
        if "id" in tag.attrs:
            tag["id"] = prefix + str(tag["id"])
        if tag.name == "a":
            tag["href"] = "#" + prefix + str(tag["href"])[1:]
        for name in _REFERENCES:
            if name in tag.attrs:
                ids = tag[name] if isinstance(tag[name], list) else str(tag[name]).split()
                tag[name] = " ".join(prefix + one for one in ids)
