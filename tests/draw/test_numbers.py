from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.draw import language, numbers
from analysis.errors import UnknownNameError
from analysis.vocabulary import UNITS

SHOWN = [
    # value, unit, German, English
    (1234.56, "money", "1.234,56\xa0€", "€1,234.56"),
    (-1234.5, "money", "−1.234,50\xa0€", "−€1,234.50"),
    (0.1234, "share", "12,3\xa0%", "12.3%"),
    (1, "share", "100,0\xa0%", "100.0%"),
    (-0.021, "percentage points", "−2,1", "−2.1"),
    (24, "points", "24,0", "24.0"),
    (-3.04, "points", "−3,0", "−3.0"),
    (1234567, "count", "1.234.567", "1,234,567"),
    (773.4, "days", "773", "773"),
    (0.12345, "per year", "0,123", "0.123"),
    (4.25, "rating", "4,25", "4.25"),
    (0.375, "index", "0,38", "0.38"),
    # halves go up, whatever the binary fraction is, and no minus stands before a zero
    (0.125, "index", "0,13", "0.13"),
    (2.675, "index", "2,68", "2.68"),
    (0.0125, "share", "1,3\xa0%", "1.3%"),
    (-0.0004, "share", "0,0\xa0%", "0.0%"),
    (float("inf"), "index", "∞", "∞"),
    (np.int64(7), "count", "7", "7"),
    (np.float64(7.5), "points", "7,5", "7.5"),
]


@pytest.mark.parametrize(("value", "unit", "german", "english"), SHOWN)
def test_a_number_is_written_as_its_reader_writes_it(value: float, unit: str, german: str, english: str) -> None:
    assert numbers.show(value, unit) == german
    language.use("en", "EUR")
    assert numbers.show(value, unit) == english


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT, np.float64("nan")])
@pytest.mark.parametrize("write", [numbers.show, numbers.signed, numbers.short, numbers.said])
def test_a_missing_value_is_a_dash(missing: object, write: Callable[[object, str], str]) -> None:
    assert write(missing, "money") == "–"


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_of_a_figure_can_be_shown_and_said(unit: str) -> None:
    assert "1" in numbers.show(1, unit)
    assert "1" in numbers.said(1, unit)


def test_an_unknown_unit_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown unit 'point'\. Did you mean 'points'\? Known: count, days, "):
        numbers.show(1, "point")


def test_money_is_in_the_currency_of_the_report() -> None:
    language.use("de", "CHF")
    assert numbers.show(1234.5, "money") == "1.234,50\xa0CHF"
    language.use("de", "JPY")
    assert numbers.show(1234, "money") == "1.234\xa0¥"


@pytest.mark.parametrize(
    ("value", "unit", "german"),
    [
        (2.14, "points", "+2,1"),
        (-0.03, "percentage points", "−3,0"),
        (0, "points", "0,0"),
        (0.04, "points", "0,0"),
        (12, "money", "+12,00\xa0€"),
    ],
)
def test_a_difference_carries_its_sign(value: float, unit: str, german: str) -> None:
    assert numbers.signed(value, unit) == german


@pytest.mark.parametrize(
    ("low", "high", "unit", "german", "english"),
    [
        (12.3, 18.9, "points", "12,3 bis 18,9", "12.3 to 18.9"),
        (0.123, 0.189, "share", "12,3 bis 18,9\xa0%", "12.3% to 18.9%"),
        (1, 2, "money", "1,00 bis 2,00\xa0€", "€1.00 to €2.00"),
        (1.0, None, "points", "1,0 bis –", "1.0 to –"),
        (None, None, "points", "–", "–"),
    ],
)
def test_an_interval_is_one_phrase(low: float, high: float, unit: str, german: str, english: str) -> None:
    assert numbers.interval(low, high, unit) == german
    language.use("en", "EUR")
    assert numbers.interval(low, high, unit) == english


@pytest.mark.parametrize(
    ("value", "unit", "nominative", "dative", "english"),
    [
        (1, "points", "1 Punkt", "1 Punkt", "1 point"),
        (2, "points", "2 Punkte", "2 Punkten", "2 points"),
        (24.3, "points", "24,3 Punkte", "24,3 Punkten", "24.3 points"),
        (-1, "points", "−1 Punkt", "−1 Punkt", "−1 point"),
        (0, "points", "0 Punkte", "0 Punkten", "0 points"),
        (0.01, "percentage points", "1 Prozentpunkt", "1 Prozentpunkt", "1 percentage point"),
        (1, "days", "1 Tag", "1 Tag", "1 day"),
        (1096, "days", "1.096 Tage", "1.096 Tagen", "1,096 days"),
        (0.25, "per year", "0,250 je Jahr", "0,250 je Jahr", "0.250 a year"),
        (0.123, "share", "12,3 %", "12,3 %", "12.3%"),
        (10, "count", "10", "10", "10"),
    ],
)
def test_in_a_sentence_a_number_brings_its_word(
    value: float, unit: str, nominative: str, dative: str, english: str
) -> None:
    assert numbers.said(value, unit).replace("\xa0", " ") == nominative
    assert numbers.said(value, unit, dative=True).replace("\xa0", " ") == dative
    language.use("en", "EUR")
    assert numbers.said(value, unit, dative=True).replace("\xa0", " ") == english


@pytest.mark.parametrize(
    ("value", "unit", "german", "english"),
    [
        (1_234_567, "money", "1,2\xa0Mio.\xa0€", "€1.2M"),
        (3_738.5, "money", "3.739\xa0€", "€3,739"),
        (-12_345.6, "money", "−12.346\xa0€", "−€12,346"),
        (2_500_000, "count", "2,5\xa0Mio.", "2.5M"),
        (999_999, "count", "999.999", "999,999"),
        (0.125, "share", "13\xa0%", "13%"),
    ],
)
def test_short_numbers_fit_an_axis(value: float, unit: str, german: str, english: str) -> None:
    assert numbers.short(value, unit) == german
    language.use("en", "EUR")
    assert numbers.short(value, unit) == english


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"^unknown language 'fr'\. Known: de, en\.$"):
        language.use("fr")
    assert language.reader() == language.Reader("de", "EUR")
