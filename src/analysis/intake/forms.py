"""Decisions: which form a column has. A column that two forms read alike is refused, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from analysis.errors import AmbiguousColumnError, SourceError
from analysis.intake import dates, numbers
from analysis.intake.dates import DateCounts, DateForm
from analysis.intake.numbers import NumberCounts, NumberForm, Sign
from analysis.intake.raw import Raw, RawColumn

_SAMPLE = 1000
_CLEARLY = 3
"""How many times more values than its rival the better form must read alone."""


@dataclass(frozen=True)
class DecidedNumber:
    """The form of a number column, whether every value that stands there has it, and how many stand there."""

    form: NumberForm
    whole: bool
    filled: int


@dataclass(frozen=True)
class DecidedDate:
    """The form of a date column, whether every value has it, whether times stand in it, how many values there are."""

    form: DateForm
    whole: bool
    timed: bool
    filled: int


def number(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> DecidedNumber:
    """Decide the number form of a column over all of its values.

    The form is guessed from the first rows; where they prove it, one cheap pass over all rows confirms the guess,
    and only where that fails are the forms counted over all rows.
    Raises AmbiguousColumnError where two forms read all values alike, SourceError where the column mixes them.
    """
    sample = f"(SELECT {column.sql} AS x FROM {raw.table} LIMIT {_SAMPLE})"
    guess = column.decimal or _proven(numbers.count(con, sample, "x"))
    filled, simple = _simple(con, raw, column, guess) if guess is not None else (0, -1)
    if guess is not None and simple == filled:
        return DecidedNumber(NumberForm(guess, simple=True), True, filled)
    counts = numbers.count(con, raw.table, column.sql)
    form = NumberForm(column.decimal or _decided(counts, raw, column))
    alone = {",": counts.german, ".": counts.english, "": 0}[form.decimal]
    return DecidedNumber(form, counts.plain + counts.both + alone == counts.filled, counts.filled)


def _proven(counts: NumberCounts) -> Sign | None:
    if counts.german or counts.english:
        return "," if counts.german > counts.english else "."
    return "" if counts.plain and not counts.both else None


def _simple(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, decimal: Sign) -> tuple[int, int]:
    """Count the values of a column, and those of them that have the form without ornament."""
    fits = numbers.fits_simply(column.sql, decimal)
    row = con.execute(f"SELECT count({column.sql}), count(*) FILTER ({fits}) FROM {raw.table}").fetchone()
    return row or (0, 0)


def _decided(counts: NumberCounts, raw: Raw, column: RawColumn) -> Sign:
    german, english = counts.german, counts.english
    if german == english == 0 and counts.both:
        names = (NumberForm(",").name, NumberForm(".").name)
        raise AmbiguousColumnError(raw.source, column.header, names, "decimal")
    more, fewer = max(german, english), min(german, english)
    if fewer and more < _CLEARLY * fewer:
        problem = f"column {column.header!r} mixes forms: {german} values such as 1.234,56, {english} such as 1,234.56"
        raise SourceError(raw.source, problem, "Set decimal for this source to decide")
    if not more:
        return ""
    return "," if german > english else "."


def date(
    con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, *, short_years: bool = True, months: bool = False
) -> DecidedDate:
    """Decide the date form of a column over all of its values, times or none.

    Raises AmbiguousColumnError where day first and month first read all values, SourceError where the column mixes
    forms.
    """
    possible = dates.candidates(day_first=column.day_first, short_years=short_years, months=months)
    counts = dates.count(con, raw.table, column.sql, possible)
    form = _date_form(counts, possible, raw, column)
    whole = counts.parsed[form.name] == counts.filled and not counts.odd
    return DecidedDate(form, whole, counts.timed > 0, counts.filled)


def _date_form(counts: DateCounts, possible: tuple[DateForm, ...], raw: Raw, column: RawColumn) -> DateForm:
    best = max(possible, key=lambda form: counts.parsed[form.name])
    rivals = [form for form in possible if form is not best and counts.alone[form.name]]
    if not counts.parsed[best.name]:
        return best
    if not counts.alone[best.name] and best.rival:
        raise AmbiguousColumnError(raw.source, column.header, (best.name, best.rival), "day_first")
    rival = max(rivals, key=lambda form: counts.alone[form.name], default=None)
    if rival and counts.alone[best.name] < _CLEARLY * counts.alone[rival.name]:
        problem = (
            f"column {column.header!r} mixes forms: {counts.alone[best.name]} values are {best.name}, "
            f"{counts.alone[rival.name]} are {rival.name}"
        )
        raise SourceError(raw.source, problem, "Export the dates in one form")
    return best
