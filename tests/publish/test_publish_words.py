import io
from importlib.resources import files

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from analysis.period import Period
from analysis.publish.words import amount, period_name

CATALOGUES = files("analysis") / "locale"
METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]


def catalogue(language: str):
    return read_po(io.BytesIO((CATALOGUES / language / "LC_MESSAGES" / "publish.po").read_bytes()), locale=language)


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_string_of_the_publisher_is_translated_and_none_is_left_over(language):
    options = {"**.j2": {"trimmed": "true"}}
    found = {message for _, _, message, _, _ in extract_from_dir(str(files("analysis") / "publish"), METHODS, options)}
    translated = {message.id: message.string for message in catalogue(language) if message.id}
    assert set(translated) == found
    assert all(translated.values())


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_compiled_catalogue_is_that_of_the_text(language):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    assert (CATALOGUES / language / "LC_MESSAGES" / "publish.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("period", "german", "english"),
    [
        ("2024-W01", "KW 01/2024", "CW 01/2024"),
        ("2026-03", "März 2026", "March 2026"),
        ("2026-Q4", "4. Quartal 2026", "4th quarter 2026"),
        ("2026-H2", "2. Halbjahr 2026", "Half-year 2 2026"),
        ("2026", "2026", "2026"),
    ],
)
def test_periods_are_written_as_people_write_them(period, german, english):
    assert period_name(Period.parse(period), "de") == german
    assert period_name(Period.parse(period), "en") == english


@pytest.mark.parametrize(
    ("value", "unit", "german", "english"),
    [
        (0.815, "share", "81,5\N{NO-BREAK SPACE}%", "81.5%"),
        (1234567.8, "money", "1.234.568\N{NO-BREAK SPACE}€", "€1,234,568"),
        (-3.25, "points", "-3,2\N{NO-BREAK SPACE}Punkte", "-3.2\N{NO-BREAK SPACE}points"),
        (7043, "count", "7.043", "7,043"),
        (1.256, "rating", "1,26", "1.26"),
        (None, "share", "–", "–"),
    ],
)
def test_amounts_are_written_as_people_write_them(value, unit, german, english):
    assert amount(value, unit, "de", "EUR") == german
    assert amount(value, unit, "en", "EUR") == english
