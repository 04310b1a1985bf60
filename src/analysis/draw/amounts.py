"""Amounts of money as a sentence takes them."""

from __future__ import annotations

from typing import Any

from analysis.draw import names, numbers
from analysis.draw.language import _
from analysis.draw.numbers import is_missing, show

_WITH_CENTS = 1000
"""Amounts below this are told to the cent."""


def money(value: Any) -> str:
    r"""Return an amount as a sentence takes it: large ones without cents.

    >>> money(1234.56), money(12.5), money(None)
    ('1.235\xa0€', '12,50\xa0€', '–')
    """
    is_large = not is_missing(value) and abs(value) >= _WITH_CENTS
    return numbers.short(value, "money") if is_large else show(value, "money")


def ends(low: Any, high: Any) -> str:
    r"""Return the interval of an amount, as it stands behind it in brackets.

    >>> ends(1234.56, 2345.6)
    '95-%-Intervall 1.235 bis 2.346\xa0€'
    """
    if is_missing(low) and is_missing(high):
        return ""
    written = numbers.interval(low, high, "money", write=lambda value, _unit: money(value))
    return _("{level}\u00a0interval {interval}").format(level=names.level(), interval=written)
