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
    text, table = column.sql, raw.table
    guess = column.decimal or _proven(numbers.count(con, f"(SELECT {text} AS x FROM {table} LIMIT {_SAMPLE})", "x"))
    if guess is not None:
        fits = numbers.fits_simply(text, guess)
        present, simple = _both(con, f"SELECT count({text}), count(*) FILTER ({fits}) FROM {table}")
        if simple == present:
            return DecidedNumber(NumberForm(guess, simple=True), True, present)
        rest = numbers.count(con, f"(SELECT {text} AS x FROM {table} WHERE NOT {fits})", "x")
        if column.decimal or not _disputed(guess, rest):
            read, filled = simple + rest.read_as(guess), simple + rest.filled
            return DecidedNumber(NumberForm(guess), read == filled, filled)
    counts = numbers.count(con, table, text)
    form = _decided(counts, raw, column)
    return DecidedNumber(NumberForm(form), counts.read_as(form) == counts.filled, counts.filled)


def _both(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, int]:
    return con.execute(query).fetchone() or (0, 0)


def _disputed(guess: Sign, rest: NumberCounts) -> bool:
    """Return whether the values that are not simply of the guessed form speak for another."""
    return bool({",": rest.english, ".": rest.german, "": rest.german + rest.english + rest.both}[guess])


def _proven(counts: NumberCounts) -> Sign | None:
    if counts.german or counts.english:
        return "," if counts.german > counts.english else "."
    return "" if counts.plain and not counts.both else None


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
