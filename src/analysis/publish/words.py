"""The publisher's own words in the report's language: strings, dates, periods, numbers."""

from __future__ import annotations

import datetime as dt
import gettext
from functools import cache
from importlib.resources import as_file, files

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from analysis.period import Period

_SPACE = "\N{NO-BREAK SPACE}"
_PERCENT = {"de": f"#,##0.0{_SPACE}%", "en": "#,##0.0%"}
_MONEY = {"de": f"#,##0{_SPACE}¤", "en": "¤#,##0"}


@cache
def words(language: str) -> gettext.NullTranslations:
    """Return the catalogue of ``language``; its ``gettext`` turns an English string into that language.

    >>> words("de").gettext("Contents")
    'Inhalt'
    """
    with as_file(files("analysis") / "locale") as folder:
        return gettext.translation("publish", folder, languages=[language])


def day(date: dt.date, language: str) -> str:
    """Write a date out.

    >>> day(dt.date(2026, 9, 30), "de")
    '30. September 2026'
    """
    return format_date(date, "long", locale=language)


def period_name(period: Period, language: str) -> str:
    """Write a period out.

    >>> period_name(Period.parse("2026-Q3"), "de")
    '3. Quartal 2026'
    >>> period_name(Period.parse("2025-W01"), "de")
    'KW 01/2025'
    """
    _ = words(language).gettext
    year, week, _weekday = period.start.isocalendar()
    match period.kind:
        case "week":
            return _("CW {week:02d}/{year}").format(week=week, year=year)
        case "month":
            return format_date(period.start, "LLLL yyyy", locale=language)
        case "quarter":
            return format_date(period.start, "QQQQ yyyy", locale=language)
        case "half-year":
            number = 1 if period.start.month == 1 else 2
            return _("Half-year {number} {year}").format(number=number, year=period.start.year)
        case "year":
            return f"{period.start:%Y}"


def amount(value: float | None, unit: str, language: str, currency: str) -> str:
    """Write a figure with its unit, short enough for an overview.

    >>> amount(0.1234, "share", "de", "EUR").replace(chr(160), " ")
    '12,3 %'
    >>> amount(1234567, "money", "en", "EUR")
    '€1,234,567'
    """
    if value is None:
        return "–"
    _ = words(language).gettext
    match unit:
        case "share":
            return format_percent(value, _PERCENT[language], locale=language)
        case "money":
            return format_currency(value, currency, _MONEY[language], locale=language, currency_digits=False)
        case "count":
            return format_decimal(value, "#,##0", locale=language)
        case "points" | "days":
            unit_word = {"points": _("points"), "days": _("days")}[unit]
            return f"{format_decimal(value, '#,##0.#', locale=language)}{_SPACE}{unit_word}"
        case _:
            return format_decimal(value, "#,##0.##", locale=language)
