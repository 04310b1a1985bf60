"""Fields: the columns of a canonical table as SQL over its raw table, each in the form decided for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from analysis.errors import SourceError
from analysis.intake import dates, engine, forms, numbers
from analysis.intake.engine import among, literal
from analysis.intake.raw import Raw, RawColumn
from analysis.intake.words import BLANKS, NO, YES
from analysis.vocabulary import Type

_NUMERIC = ("DOUBLE", "BIGINT")
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_SCIENTIFIC = r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{1,3}"
_REASONS: dict[Type, str] = {
    **dict.fromkeys(("money", "number", "integer"), "not a number"),
    **dict.fromkeys(("date", "instant"), "not a date"),
    "boolean": "not a yes/no",
    "text": "not one of the choices",
}


@dataclass(frozen=True)
class Field:
    """A column of the table that is written, as SQL over the raw table."""

    name: str
    label: str
    """Its header in the source."""
    type: Type
    text: str
    """The value as it stands in the source."""
    filled: str
    """Whether something stands there."""
    value: str
    """The value in its type, NULL where it is missing or faulty."""
    reason: str = "''"
    """Why a value that stands there is faulty."""
    suspect: bool = True
    """Whether there may be faults; where the forms fit every value there are none."""
    gaps: bool = True
    """Whether there may be rows in which nothing stands."""
    heavy: bool = False
    """Whether ``value`` costs so much that it is computed once and kept in the raw table."""
    lets: tuple[tuple[str, str], ...] = ()
    """Names that ``value`` uses for parts of it, with their SQL over the raw table."""
    required: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a column: the canonical or attribute name, its type, and what limits its values."""

    name: str
    type: Type
    required: bool = False
    choices: tuple[str, ...] = ()
    scale: tuple[int, int] | None = None
    is_id: bool = False


@dataclass(frozen=True)
class Zones:
    """The time zone of a source's local times, and the one in which the report tells dates."""

    source: str
    report: str


def build(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted, zones: Zones) -> Field:
    """Return the field of ``column`` read as ``wanted``.

    Raises AmbiguousColumnError or SourceError where the column's form cannot be decided, SourceError where ids stand
    in scientific notation.
    """
    if wanted.type in ("money", "number"):
        return _number(con, raw, column, wanted)
    if wanted.type in ("rating", "integer"):
        return _whole_number(_number(con, raw, column, wanted), wanted)
    if wanted.type == "boolean":
        return _boolean(con, raw, column, wanted)
    if wanted.type == "date":
        return _date(con, raw, column, wanted, zones)
    if wanted.type == "instant":
        return _instant(con, raw, column, wanted, zones)
    return _text(con, raw, column, wanted)


def _field(
    column: RawColumn, wanted: Wanted, value: str, *, filled: str = "", suspect: bool = False, gaps: bool = True
) -> Field:
    text = column.as_text.sql
    reason = literal(_REASONS.get(wanted.type, ""))
    filled = filled or f"{text} IS NOT NULL"
    return Field(
        wanted.name, column.header, wanted.type, text, filled, value, reason, suspect, gaps, required=wanted.required
    )


def _text(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted) -> Field:
    column = column.as_text
    looks = _looks(con, raw, column)
    if wanted.is_id and looks.plus:
        _refuse_scientific(con, raw, column)
    value = trimmed(column.sql) if looks.untidy else column.sql
    filled = f"{value} IS NOT NULL"
    if not wanted.choices:
        return _field(column, wanted, value, filled=filled, gaps=looks.gaps)
    known = f"CASE WHEN {among(f'lower({value})', wanted.choices)} THEN lower({value}) END"
    return _field(column, wanted, known, filled=filled, suspect=True)


@dataclass(frozen=True)
class _Looks:
    """Whether a text column has values with blanks around them, none at all in some rows, values with a plus."""

    untidy: bool
    gaps: bool
    plus: bool


def _looks(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> _Looks:
    """Look over a text column in one pass of cheap tests: trimming every value takes ten times as long."""
    codes = [ord(blank) for blank in BLANKS]
    ends = " OR ".join(f"suffix(x, {literal(blank)})" for blank in BLANKS)
    row = con.execute(
        f"""SELECT count(*) FILTER (x = '' OR list_contains({codes}, ord(x)) OR {ends}) > 0, count(x) < count(*),
                count(*) FILTER (contains(x, '+')) > 0
            FROM (SELECT {column.sql} AS x FROM {raw.table})"""
    ).fetchone()
    untidy, gaps, plus = row or (True, True, True)
    return _Looks(untidy, gaps or untidy, plus)


def _number(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted) -> Field:
    if column.type in _NUMERIC:
        return _field(column, wanted, f"{column.sql}::DOUBLE")
    column = column.as_text
    decided = forms.number(con, raw, column)
    text = column.sql if decided.form.simple else numbers.careful(column.sql)
    value = decided.form.value(column.sql)
    gaps = decided.filled < raw.rows
    return _field(column, wanted, value, filled=f"{text} IS NOT NULL", suspect=not decided.whole, gaps=gaps)


def _whole_number(field: Field, wanted: Wanted) -> Field:
    low, high = wanted.scale or (-(10**15), 10**15)
    number = _part(wanted)
    value = f"CASE WHEN {number} = floor({number}) AND {number} BETWEEN {low} AND {high} THEN {number}::BIGINT END"
    field = replace(field, value=value, suspect=True, heavy=True, lets=((number, field.value),))
    if wanted.scale is None:
        return field
    known = field.lets[0][1]
    return replace(field, reason=f"CASE WHEN {known} IS NULL THEN 'not a number' ELSE 'outside scale' END")


def _boolean(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted) -> Field:
    if column.type == "BOOLEAN":
        return _field(column, wanted, column.sql)
    column = column.as_text
    text = f"lower({numbers.careful(column.sql)})"
    cases = (f"WHEN {among(x, YES)} THEN true WHEN {among(x, NO)} THEN false" for x in (f"lower({column.sql})", text))
    value = f"CASE {' '.join(cases)} END"
    ticked = con.execute(f"SELECT bool_and({text} = 'x') FROM {raw.table} WHERE {text} IS NOT NULL").fetchone()
    if ticked == (True,):
        value = f"coalesce({value}, false)"
    return _field(column, wanted, value, filled=f"{text} IS NOT NULL", suspect=True)


def _date(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted, zones: Zones) -> Field:
    if column.type in _TIMES:
        utc = dates.local_date(f"timezone('UTC', {column.sql})", zones.report)
        return _field(column, wanted, utc if column.type.endswith("ZONE") else f"{column.sql}::DATE")
    column = column.as_text
    months, short = wanted.name == "month", wanted.name != "birth_date"
    decided = forms.date(con, raw, column, months=months, short_years=short)
    filled = f"{numbers.careful(column.sql)} IS NOT NULL"
    gaps = decided.filled < raw.rows
    if decided.whole and not decided.timed:
        return _field(column, wanted, decided.form.value(column.sql), filled=filled, gaps=gaps)
    form, known = decided.form, numbers.careful(column.sql)
    if not decided.timed:
        cases = (f"WHEN {form.fits(text)} THEN {form.value(text)}" for text in (column.sql, known))
        value = f"CASE {' '.join(cases)} END"
        return _field(column, wanted, value, filled=filled, suspect=not decided.whole, gaps=gaps)
    text = _part(wanted)
    utc = dates.instant(form, text, zones.source)
    value = (
        f"CASE WHEN {dates.has_zone(text)} THEN {dates.local_date(utc, zones.report)} "
        f"WHEN {form.fits(text, dates.TAIL)} THEN {form.value(dates.head(text))} END"
    )
    field = _field(column, wanted, value, filled=filled, suspect=not decided.whole, gaps=gaps)
    return replace(field, heavy=True, lets=((text, _tidy(form, column)),))


def _instant(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn, wanted: Wanted, zones: Zones) -> Field:
    if column.type.endswith("ZONE"):
        return _field(column, wanted, f"timezone('UTC', {column.sql})")
    if column.type in _TIMES:
        return _field(column, wanted, dates.in_utc(f"{column.sql}::TIMESTAMP", zones.source))
    column = column.as_text
    decided = forms.date(con, raw, column)
    text = _part(wanted)
    value = dates.instant(decided.form, text, zones.source)
    filled = f"{numbers.careful(column.sql)} IS NOT NULL"
    field = _field(column, wanted, value, filled=filled, suspect=True)
    return replace(field, heavy=True, lets=((text, _tidy(decided.form, column)),))


def _tidy(form: dates.DateForm, column: RawColumn) -> str:
    """Return SQL of a date's text without blanks around it; few values need the slow way."""
    fits = form.fits(column.sql, dates.TAIL)
    return f"CASE WHEN {fits} THEN {column.sql} ELSE {numbers.careful(column.sql)} END"


def _part(wanted: Wanted) -> str:
    return f"part_{wanted.name.encode().hex()}"


def settle(con: duckdb.DuckDBPyConnection, raw: Raw, made: Sequence[Field]) -> tuple[Field, ...]:
    """Compute heavy values once: keep them as columns of the raw table, and return the fields that read them there."""
    heavy = {field.name: f"value_{field.name.encode().hex()}" for field in made if field.heavy}
    if not heavy:
        return tuple(made)
    lets = dict(let for field in made if field.heavy for let in field.lets)
    parts = "".join(f", {sql} AS {name}" for name, sql in lets.items())
    values = "".join(f", {field.value} AS {heavy[field.name]}" for field in made if field.heavy)
    without = f"EXCLUDE ({', '.join(lets)})" if lets else ""
    con.execute(
        f"""CREATE TABLE {raw.table}_settled AS
            SELECT * {without}{values} FROM (SELECT *{parts} FROM {raw.table})"""
    )
    con.execute(f"DROP TABLE {raw.table}")
    con.execute(f"ALTER TABLE {raw.table}_settled RENAME TO {raw.table}")
    return tuple(replace(field, value=heavy[field.name]) if field.heavy else field for field in made)


def trimmed(text: str) -> str:
    """Return SQL of ``text`` without blanks around it, NULL where nothing is left."""
    return f"nullif(trim({text}, {literal(BLANKS)}), '')"


def _refuse_scientific(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> None:
    fits = f"regexp_full_match({column.sql}, {literal(_SCIENTIFIC)})"
    if count := engine.count(con, f"{raw.table} WHERE {fits}"):
        problem = f"column {column.header!r} holds {count} ids in scientific notation (such as 1.23E+10)"
        raise SourceError(raw.source, problem, "Digits are lost; export the ids as text, without opening them in Excel")
