"""Numbers, money, dates and periods as the reader writes them."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from babel.dates import format_date
from babel.numbers import format_compact_currency, format_compact_decimal, format_currency, format_decimal

from analysis.draw.language import _, ngettext, reader
from analysis.errors import PeriodError, UnknownNameError

MISSING = "–"
MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"

PLACES = {
    "points": 1,
    "percent": 1,
    "percentage points": 1,
    "count": 0,
    "days": 0,
    "rate": 3,
    "ratio": 2,
    "number": 2,
    "money": 2,
}
"""The units, and how many decimals each is shown with. ``percent`` and ``percentage points`` come from shares 0 to 1,
``rate`` is a year, ``money`` is in the reader's currency."""


def show(value: Any, unit: str, *, places: int | None = None) -> str:
    """Return ``value`` as the reader writes it, with a percent or currency sign and no other word.

    >>> show(0.1234, "percent"), show(-1234.5, "points"), show(None, "count")
    ('12,3\\xa0%', '−1.234,5', '–')
    """
    check_unit(unit)
    if is_missing(value):
        return MISSING
    decimals = PLACES[unit] if places is None else places
    scaled = float(value) * (100 if unit in ("percent", "percentage points") else 1)
    rounded = round(scaled, decimals) + 0.0  # no minus before a zero
    return _minus(_write(rounded, unit, decimals))


def check_unit(unit: str) -> None:
    """Raise UnknownNameError where ``unit`` is none of PLACES."""
    if unit not in PLACES:
        raise UnknownNameError("unit", unit, PLACES)


def is_missing(value: Any) -> bool:
    """Return whether ``value`` is None, NaN, NaT or NA."""
    return bool(pd.isna(value))


def _write(number: float, unit: str, places: int) -> str:
    fraction = "." + "0" * places if places else ""
    if unit == "money":
        currency = reader().currency
        form = f"#,##0{fraction}{NO_BREAK_SPACE}¤" if reader().language == "de" else f"¤#,##0{fraction}"
        return str(format_currency(number, currency, form, locale=reader().locale, currency_digits=False))
    text = str(format_decimal(number, f"#,##0{fraction}", locale=reader().locale))
    return percent(text) if unit == "percent" else text


def percent(text: str) -> str:
    """Return ``text`` with the percent sign as the reader sets it."""
    return f"{text}{NO_BREAK_SPACE}%" if reader().language == "de" else f"{text}%"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


def signed(value: Any, unit: str) -> str:
    """Return ``value`` with its sign, as a difference is written.

    >>> signed(2.14, "points"), signed(-0.03, "percentage points"), signed(0.0, "points")
    ('+2,1', '−3,0', '0,0')
    """
    text = show(value, unit)
    positive = not is_missing(value) and float(value) > 0 and text != show(0, unit)
    return f"+{text}" if positive else text


def interval(low: Any, high: Any, unit: str, *, write: Callable[[Any, str], str] = show) -> str:
    """Return an interval in one phrase; a sign common to both ends stands once.

    >>> interval(0.123, 0.189, "percent"), interval(-3, 7.2, "points", write=signed)
    ('12,3 bis 18,9\\xa0%', '−3,0 bis +7,2')
    """
    if is_missing(low) and is_missing(high):
        return MISSING
    start, end = write(low, unit), write(high, unit)
    sign = NO_BREAK_SPACE + end.rpartition(NO_BREAK_SPACE)[2]
    return _("{low} to {high}").format(low=start.removesuffix(sign), high=end)


def said(value: Any, unit: str, *, dative: bool = False, sign: bool = False) -> str:
    """Return ``value`` with the word for its unit, as it stands in a sentence.

    >>> said(24, "points"), said(1, "points"), said(24, "points", dative=True), said(0.02, "percentage points")
    ('24\\xa0Punkte', '1\\xa0Punkt', '24\\xa0Punkten', '2\\xa0Prozentpunkte')
    """
    text = _without_idle_decimals((signed if sign else show)(value, unit), unit)
    if is_missing(value) or unit not in PHRASES:
        return text
    one = text.lstrip("+" + MINUS) == "1"
    return PHRASES[unit](1 if one else 2, dative).format(number=text).replace(f"{text} ", text + NO_BREAK_SPACE)


def _without_idle_decimals(text: str, unit: str) -> str:
    return re.sub(r"[.,]0+$", "", text) if unit in ("points", "percentage points") else text


def _points(n: int, dative: bool) -> str:
    if dative:
        return ngettext("at {number} point", "at {number} points", n).removeprefix(_("at "))
    return ngettext("{number} point", "{number} points", n)


def _percentage_points(n: int, dative: bool) -> str:
    if dative:
        return ngettext("at {number} percentage point", "at {number} percentage points", n).removeprefix(_("at "))
    return ngettext("{number} percentage point", "{number} percentage points", n)


def _days(n: int, dative: bool) -> str:
    if dative:
        return ngettext("at {number} day", "at {number} days", n).removeprefix(_("at "))
    return ngettext("{number} day", "{number} days", n)


def _rate(n: int, dative: bool) -> str:
    return _("{number} a year")


PHRASES: dict[str, Callable[[int, bool], str]] = {}
