"""Numbers, money and intervals as the reader writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd
from babel.numbers import format_compact_currency, format_compact_decimal, format_currency, format_decimal

from analysis.draw.language import _, ngettext, npgettext, reader
from analysis.errors import UnknownNameError

MISSING = "–"
MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"

PLACES = {
    "count": 0,
    "share": 1,
    "percentage points": 1,
    "points": 1,
    "rating": 2,
    "money": 2,
    "days": 0,
    "per year": 3,
    "index": 2,
}
"""The units, and with how many decimals each is shown.

They are those of a figure, and ``percentage points`` for a difference of shares. A share, 0 to 1, is written in
percent; money is in the reader's currency.
"""
_SHARES = ("share", "percentage points")
_MILLION = 1_000_000


def check_unit(unit: str) -> None:
    """Raise UnknownNameError where ``unit`` is none of PLACES."""
    if unit not in PLACES:
        raise UnknownNameError("unit", unit, PLACES)


def is_missing(value: Any) -> bool:
    """Return whether ``value`` is None, NaN, NaT or NA."""
    return bool(pd.isna(value))


def show(value: Any, unit: str, *, places: int | None = None) -> str:
    r"""Return ``value`` as the reader writes it, with a percent or currency sign and no other word.

    Halves are rounded up, as in commerce. A missing value is a dash.

    >>> show(0.1234, "share"), show(-1234.5, "points"), show(1234.56, "money"), show(None, "count")
    ('12,3\xa0%', '−1.234,5', '1.234,56\xa0€', '–')
    """
    check_unit(unit)
    if is_missing(value):
        return MISSING
    decimals = PLACES[unit] if places is None else places
    number = _rounded(value, decimals, 100 if unit in _SHARES else 1)
    if unit == "money":
        return _minus(format_currency(number, reader().currency, locale=reader().language))
    text = format_decimal(number, "#,##0" + "." * bool(decimals) + "0" * decimals, locale=reader().language)
    return _minus(_percent(text) if unit == "share" else text)


def _rounded(value: Any, places: int, factor: int) -> Decimal:
    number = Decimal(repr(float(value))) * factor
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if number.is_finite() else number
    return rounded + 0  # no minus before a zero


def _percent(text: str) -> str:
    return f"{text}{NO_BREAK_SPACE}%" if reader().language == "de" else f"{text}%"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def places_needed(values: Iterable[float], unit: str) -> int:
    """Return how many decimals tell ``values`` apart as they are, as the ticks of an axis must be.

    >>> places_needed([0.1, 0.125], "share"), places_needed([10, 20], "points")
    (1, 0)
    """
    scaled = [value * (100 if unit in _SHARES else 1) for value in values]
    return next((d for d in range(4) if all(abs(round(s, d) - s) < 1e-9 * max(1, abs(s)) for s in scaled)), 4)


def signed(value: Any, unit: str) -> str:
    """Return ``value`` with its sign, as a difference is written.

    >>> signed(2.14, "points"), signed(-0.03, "percentage points"), signed(0.01, "points")
    ('+2,1', '−3,0', '0,0')
    """
    text = show(value, unit)
    is_positive = not is_missing(value) and value > 0 and text != show(0, unit)
    return f"+{text}" if is_positive else text


def short(value: Any, unit: str, *, places: int = 0) -> str:
    r"""Return ``value`` in little room, money without cents and millions in words: for the axes and bars of a chart.

    >>> short(0.123, "share"), short(24.3, "points"), short(1_234_567, "money"), short(12_345, "money")
    ('12\xa0%', '24', '1,2\xa0Mio.\xa0€', '12.345\xa0€')
    """
    if unit == "money" and not is_missing(value):
        return _short_money(float(value))
    if unit == "count" and not is_missing(value) and abs(value) >= _MILLION:
        return _minus(format_compact_decimal(float(value), locale=reader().language, fraction_digits=1))
    return show(value, unit, places=places)


def _short_money(value: float) -> str:
    language, currency = reader().language, reader().currency
    if abs(value) >= _MILLION:
        return _minus(format_compact_currency(value, currency, locale=language, fraction_digits=1))
    pattern = f"#,##0{NO_BREAK_SPACE}¤" if language == "de" else "¤#,##0"
    return _minus(format_currency(_rounded(value, 0, 1), currency, pattern, locale=language, currency_digits=False))


def interval(low: Any, high: Any, unit: str, *, write: Callable[[Any, str], str] = show) -> str:
    r"""Return an interval in one phrase; a sign that both ends share stands once.

    >>> interval(0.123, 0.189, "share"), interval(-3, 7.2, "points", write=signed)
    ('12,3 bis 18,9\xa0%', '−3,0 bis +7,2')
    """
    if is_missing(low) and is_missing(high):
        return MISSING
    start, end = write(low, unit), write(high, unit)
    sign = "".join(end.rpartition(NO_BREAK_SPACE)[1:]) if NO_BREAK_SPACE in end else ""
    return _("{low} to {high}").format(low=start.removesuffix(sign), high=end)


def said(value: Any, unit: str, *, dative: bool = False, write: Callable[[Any, str], str] = show) -> str:
    r"""Return ``value`` with the word for its unit, as it stands in a sentence; whole points without decimals.

    >>> said(24, "points"), said(1, "points"), said(24, "points", dative=True), said(0.02, "percentage points")
    ('24\xa0Punkte', '1\xa0Punkt', '24\xa0Punkten', '2\xa0Prozentpunkte')
    """
    text = bare(write(value, unit), unit)
    one = 1 if text.lstrip("+" + MINUS) == "1" else 2
    noun = (_dative_nouns(one) if dative else _nouns(one)).get(unit, "{number}")
    return text if is_missing(value) else noun.format(number=text).replace(" ", NO_BREAK_SPACE)


def bare(text: str, unit: str) -> str:
    """Return a number already written, in a sentence: whole points lose their idle decimal.

    >>> bare("24,0", "points"), bare("24,0", "index")
    ('24', '24,0')
    """
    return text.removesuffix(",0").removesuffix(".0") if unit in ("points", "percentage points") else text


def _nouns(n: int) -> dict[str, str]:
    return {
        "points": ngettext("{number} point", "{number} points", n),
        "percentage points": ngettext("{number} percentage point", "{number} percentage points", n),
        "days": ngettext("{number} day", "{number} days", n),
        "per year": _("{number} a year"),
    }


def _dative_nouns(n: int) -> dict[str, str]:
    return {
        "points": npgettext("dative", "{number} point", "{number} points", n),
        "percentage points": npgettext("dative", "{number} percentage point", "{number} percentage points", n),
        "days": npgettext("dative", "{number} day", "{number} days", n),
        "per year": _("{number} a year"),
    }
