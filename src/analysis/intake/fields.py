"""Fields: the columns of a canonical table as SQL over its raw table, each in the form decided for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import duckdb

from analysis.errors import AmbiguousColumnError, SourceError
from analysis.intake import dates, forms, numbers
from analysis.intake.engine import literal
from analysis.intake.raw import Raw, RawColumn
from analysis.intake.words import BLANKS, NO, YES
from analysis.vocabulary import Type

_NUMERIC = ("DOUBLE", "BIGINT")
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_SCIENTIFIC = r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,3}"
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
    by_type = {
        "text": _text,
        "boolean": _boolean,
        "date": _date,
        "instant": _instant,
        "rating": _rating,
        "integer": _integer,
    }
    if wanted.is_id:
        _refuse_scientific(con, raw, column)
    maker = by_type.get(wanted.type, _number)
    field = maker(con, raw, column, wanted, zones)
    return replace(field, required=wanted.required)


def trimmed(text: str) -> str:
    """Return SQL of ``text`` without blanks around it, NULL where nothing is left."""
    return f"nullif(trim({text}, {literal(BLANKS)}), '')"


def _refuse_scientific(con: duckdb.DuckDBPyConnection, raw: Raw, column: RawColumn) -> None:
    if not column.is_text:
        return
    pattern = literal(_SCIENTIFIC)
    row = con.execute(
        f"""SELECT count(*) FILTER (regexp_full_match({column.sql}, {pattern})) FROM {raw.table}
            WHERE contains({column.sql}, 'E+') OR contains({column.sql}, 'e+')"""
    ).fetchone()
    if row and row[0]:
        problem = f"column {column.header!r} holds {row[0]} ids in scientific notation (such as 1.23E+10)"
        raise SourceError(raw.source, problem, "Digits are lost; export the ids as text, without opening them in Excel")


type_error = (AmbiguousColumnError, SourceError)
