"""Every string passed to the translator has its German and English words, and the compiled catalogues hold them.

After a change of strings, from the project's root: extract, update, translate what is empty in the .po files, compile:

    pybabel extract -k mark -k npgettext:1c,2,3 --no-location -s -o draw.pot src/analysis/draw
    pybabel update -N --ignore-obsolete -D stammkunde -d src/analysis/locale -i draw.pot
    pybabel compile -D stammkunde -d src/analysis/locale
"""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import analysis
from analysis.draw.language import DOMAIN, LANGUAGES

SOURCE = Path(analysis.__file__).parent
KEYWORDS = {"_": None, "mark": None, "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
IN_EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def passed_to_the_translator() -> set[tuple[str | tuple[str, ...], str | None]]:
    found = extract_from_dir(SOURCE / "draw", [("**.py", "python")], keywords=KEYWORDS)
    return {(message, context) for _file, _line, message, _comments, context in found}


def catalogue(language: str) -> Catalog:
    with (SOURCE / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file)


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@IN_EVERY_LANGUAGE
def test_no_string_lacks_a_translation(language: str) -> None:
    known = catalogue(language)
    found = passed_to_the_translator()
    assert len(found) > 100
    for message, context in found:
        entry = known.get(forms(message)[0], context)
        assert entry is not None, message
        assert not entry.fuzzy, message
        assert all(forms(entry.string)), message


@IN_EVERY_LANGUAGE
def test_no_translation_is_left_over(language: str) -> None:
    used = {(forms(message)[0], context) for message, context in passed_to_the_translator()}
    assert {(forms(entry.id)[0], entry.context) for entry in catalogue(language) if entry.id} == used


@IN_EVERY_LANGUAGE
def test_a_translation_names_the_same_values(language: str) -> None:
    for entry in catalogue(language):
        if entry.id:
            names = {frozenset(re.findall(r"{\w+", text)) for text in (*forms(entry.id), *forms(entry.string))}
            assert len(names) == 1, entry.id


@IN_EVERY_LANGUAGE
def test_the_compiled_catalogue_says_what_the_source_says(language: str) -> None:
    compiled = gettext.translation(DOMAIN, SOURCE / "locale", [language])
    entries = [entry for entry in catalogue(language) if entry.id]
    for entry in entries:
        single, *plural = forms(entry.id)
        for count, text in zip((1, 2), forms(entry.string), strict=False):
            if not plural:
                said = compiled.gettext(single)
            elif entry.context:
                said = compiled.npgettext(entry.context, single, plural[0], count)
            else:
                said = compiled.ngettext(single, plural[0], count)
            assert said == text
    plurals = sum(len(forms(entry.id)) for entry in entries)
    assert len([key for key in compiled._catalog if key]) == plurals


def test_english_words_are_the_strings_in_the_code() -> None:
    assert all(entry.string == entry.id for entry in catalogue("en") if entry.id)
