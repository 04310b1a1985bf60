"""The figures as an Excel workbook: an overview, then one sheet a chapter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from analysis.period import Period
from analysis.publish.figures import FiguresByChapter
from analysis.publish.stage import writing
from analysis.publish.words import day, period_name, words

_COLUMNS = ("id", "value", "low", "high", "n", "unit", "definition", "source")
_WIDTHS = {"id": 46, "value": 14, "low": 14, "high": 14, "n": 11, "unit": 16, "definition": 70, "source": 60}
_NUMBERS = ("value", "low", "high")


@dataclass(frozen=True)
class Workbook:
    """What the workbook holds. ``chapters`` gives each chapter's title, in the report's order."""

    title: str
    language: str
    currency: str
    period: Period
    chapters: Mapping[str, str]
    figures: FiguresByChapter
    notes: Sequence[str] = ()


def write_workbook(workbook: Workbook, file: Path) -> None:
    """Write ``workbook`` to ``file``: the same bytes for the same content. Raises PublishError."""
    # Text from the data stays text: it must become neither a formula nor a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(file), options)
    created = dt.datetime.combine(workbook.period.as_of, dt.time())
    book.set_properties({"title": workbook.title, "created": created})
    book.set_size(2400, 1400)
    _overview(book, workbook)
    for chapter, title in workbook.chapters.items():
        if workbook.figures.get(chapter):
            _sheet(book, workbook, chapter, title)
    with writing(f"writing {file.name}"):
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            # XlsxWriter hides the system's own error in its argument.
            raise error.args[0] from None


def _overview(book: xlsxwriter.Workbook, workbook: Workbook) -> None:
    _ = words(workbook.language).gettext
    sheet = book.add_worksheet(_("Overview"))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, workbook.title, book.add_format({"bold": True, "font_size": 18}))
    label = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    lines = [
        (_("Reporting period"), period_name(workbook.period, workbook.language)),
        (_("Data up to and including"), day(workbook.period.end, workbook.language)),
        (_("Currency"), workbook.currency),
        *((_("Note"), note) for note in workbook.notes),
        (_("Interval"), _("Lower and upper bound of the confidence interval; empty where there is none.")),
    ]
    for row, (name, text) in enumerate(lines, start=2):
        sheet.write_string(row, 0, name, label)
        sheet.write_string(row, 1, text, wrapped)
    row = len(lines) + 3
    sheet.write_string(row, 0, _("Sheet"), label)
    sheet.write_string(row, 1, _("Figures"), label)
    for title, figures in _reported(workbook):
        row += 1
        sheet.write_string(row, 0, title)
        sheet.write_number(row, 1, len(figures), book.add_format({"align": "left"}))


def _reported(workbook: Workbook) -> list[tuple[str, Sequence[Mapping[str, object]]]]:
    found = ((title, workbook.figures.get(chapter, ())) for chapter, title in workbook.chapters.items())
    return [(title, figures) for title, figures in found if figures]


def _sheet(book: xlsxwriter.Workbook, workbook: Workbook, chapter: str, title: str) -> None:
    figures = workbook.figures[chapter]
    sheet = book.add_worksheet(_sheet_name(title))
    _header(book, sheet, workbook.language)
    formats = {unit: book.add_format({"num_format": form, "valign": "top"}) for unit, form in _forms(workbook).items()}
    top = book.add_format({"valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    unit_words = _unit_words(workbook)
    for row, figure in enumerate(figures, start=1):
        for column, key in enumerate(_COLUMNS):
            cell = figure[key]
            unit = str(figure["unit"])
            if isinstance(cell, int | float):
                sheet.write_number(row, column, cell, formats[unit if key in _NUMBERS else "count"])
            elif cell is not None:
                text = unit_words.get(str(cell), str(cell)) if key == "unit" else str(cell)
                sheet.write_string(row, column, text, wrapped if key in ("definition", "source") else top)
    sheet.autofilter(0, 0, len(figures), len(_COLUMNS) - 1)


def _header(book: xlsxwriter.Workbook, sheet: Worksheet, language: str) -> None:
    _ = words(language).gettext
    names = {
        "id": _("Figure"),
        "value": _("Value"),
        "low": _("Lower bound"),
        "high": _("Upper bound"),
        "n": _("n"),
        "unit": _("Unit"),
        "definition": _("Definition"),
        "source": _("Source"),
    }
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for column, key in enumerate(_COLUMNS):
        sheet.set_column(column, column, _WIDTHS[key])
        sheet.write_string(0, column, names[key], bold)
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _sheet_name(title: str) -> str:
    """Return the title as Excel takes it: at most 31 characters, some not at all.

    >>> _sheet_name("Treue/Abwanderung: was treibt Kundinnen fort?")
    'Treue Abwanderung was treibt Ku'
    """
    kept = "".join(" " if sign in "[]:*?/\\'" else sign for sign in title)
    return " ".join(kept.split())[:31].strip()


def _forms(workbook: Workbook) -> dict[str, str]:
    money = f'#,##0.00 "{workbook.currency}"'
    return {
        "count": "#,##0",
        "share": "0.0%",
        "percentage points": "0.0%",
        "points": "0.0",
        "rating": "0.00",
        "money": money,
        "days": "0.0",
        "per year": "0.000",
        "index": "0.000",
    }


def _unit_words(workbook: Workbook) -> dict[str, Any]:
    _ = words(workbook.language).gettext
    return {
        "count": _("count"),
        "share": _("percent"),
        "percentage points": _("percentage points"),
        "points": _("points"),
        "rating": _("rating"),
        "money": workbook.currency,
        "days": _("days"),
        "per year": _("per year"),
        "index": _("index"),
    }
