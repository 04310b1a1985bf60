"""The figures as an Excel workbook: an overview, one sheet a chapter, then the lists of customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from analysis.period import Period
from analysis.publish.customer_sheets import MOST_ROWS, CustomerSheet, customer_sheets, write_rows
from analysis.publish.figures import FiguresByChapter
from analysis.publish.stage import writing
from analysis.publish.words import day, period_name, words

_COLUMNS = ("id", "value", "low", "high", "n", "unit", "definition", "source")
_OPTIONS = {
    # text from the data stays text: it must become neither a formula nor a link
    **dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False),
    # rows go to the disk as they come: lists of customers may be as long as a sheet
    "constant_memory": True,
}
_WIDTHS = {"id": 46, "value": 14, "low": 14, "high": 14, "n": 11, "unit": 16, "definition": 70, "source": 60}
_DATES = {"de": "dd.mm.yyyy", "en": "yyyy-mm-dd"}
_NUMBERS = ("value", "low", "high")


@dataclass(frozen=True)
class Workbook:
    """What the workbook holds. ``chapters`` gives each chapter's title, in the report's order.

    ``customers`` is the folder of the lists of customers, which reports that leave the house do not have.
    """

    title: str
    language: str
    currency: str
    period: Period
    chapters: Mapping[str, str]
    figures: FiguresByChapter
    notes: Sequence[str] = ()
    customers: Path | None = None

    def lists(self) -> dict[str, CustomerSheet]:
        """Return the lists of customers by the names of their sheets, no two of which may be alike."""
        taken = {_sheet_name(title).lower() for title, _figures in _reported(self)}
        taken.add(words(self.language).gettext("Overview").lower())
        found: dict[str, CustomerSheet] = {}
        for one in customer_sheets(self.customers, self.chapters):
            name = _untaken(_sheet_name(one.title), taken)
            taken.add(name.lower())
            found[name] = one
        return found


def write_workbook(workbook: Workbook, file: Path) -> None:
    """Write ``workbook`` to ``file``: the same bytes for the same content. Raises PublishError."""
    with writing(f"writing {file.name}"), TemporaryDirectory() as aside, file.open("wb") as target:
        book = xlsxwriter.Workbook(target, _OPTIONS | {"tmpdir": aside})
        created = dt.datetime.combine(workbook.period.as_of, dt.time())
        book.set_properties({"title": workbook.title, "created": created})
        book.set_size(2400, 1400)
        _overview(book, workbook)
        for chapter, title in workbook.chapters.items():
            if workbook.figures.get(chapter):
                _sheet(book, workbook, chapter, title)
        _lists(book, workbook)
        book.close()


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
    lists = workbook.lists()
    if lists:
        row += 2
        sheet.write_string(row, 0, _("Sheet"), label)
        sheet.write_string(row, 1, _("Rows of the list of customers"), label)
    for name, found in lists.items():
        row += 1
        sheet.write_string(row, 0, name)
        if found.n <= MOST_ROWS:
            sheet.write_number(row, 1, found.n, book.add_format({"align": "left", "num_format": "#,##0"}))
        else:
            text = _("{n} rows, of which only the first {shown} fit on the sheet.")
            sheet.write_string(row, 1, text.format(n=found.n, shown=MOST_ROWS), wrapped)


def _lists(book: xlsxwriter.Workbook, workbook: Workbook) -> None:
    formats = {unit: book.add_format({"num_format": form}) for unit, form in _forms(workbook).items()}
    formats["date"] = book.add_format({"num_format": _DATES[workbook.language], "align": "left"})
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for name, found in workbook.lists().items():
        write_rows(book.add_worksheet(name), found, heading, formats)


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


def _untaken(name: str, taken: Collection[str]) -> str:
    """Return the name of a sheet with a number behind it where it is taken; to Excel, capitals make no difference.

    >>> _untaken("Wanderung", {"wanderung", "segmente"})
    'Wanderung 2'
    """
    numbered = (f"{name[: 30 - len(str(number))]} {number}" for number in count(2))
    return next(one for one in chain([name], numbered) if one.lower() not in taken)


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
