"""Number forms: German or English, decided over a whole column in the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

from analysis.intake.engine import among, literal
from analysis.intake.words import BLANKS, MISSING

Sign = Literal[",", ".", ""]
"""The decimal sign; empty where a column holds whole numbers alone."""

_SIGN = r"[-+]?"
_EXPONENT = r"(?:[eE][-+]?[0-9]{1,2})?"
_CURRENCY = r"(?:€|EUR|\$|USD|£|GBP|CHF)"
_SPACE = r"[ \x{A0}\x{202F}\x{2009}]*"
_MINUS = r"[-\x{2212}]"
_GROUPS = r" '\x{2019}\x{A0}\x{202F}\x{2009}"


@dataclass(frozen=True)
class NumberForm:
    """A form of numbers: the decimal sign, and whether every value of the column has it without any ornament."""

    decimal: Sign
    simple: bool = False

    @property
    def name(self) -> str:
        """An example of the form."""
        return {",": "1.234,56", ".": "1,234.56", "": "1234"}[self.decimal]

    def value(self, text: str) -> str:
        """Return SQL that reads ``text``, NULL where it has another form."""
        plain = _cast(text, self.decimal)
        if self.simple:
            return plain
        known = careful(text)
        digits = f"regexp_replace({known}, '[^0-9,.]', '', 'g')"
        sign = f"CASE WHEN regexp_matches({known}, {literal(_MINUS)}) THEN -1 ELSE 1 END"
        return (
            f"CASE WHEN {fits_simply(text, self.decimal)} THEN {plain}"
            f" WHEN {fits_simply(known, self.decimal)} THEN {_cast(known, self.decimal)}"
            f" WHEN {_fits(known, ornate(self.decimal))} THEN {sign} * {_cast(digits, self.decimal)} END"
        )


@dataclass(frozen=True)
class NumberCounts:
    """How many values of a column fit which form; ``both`` could be 1,234 or 1.234, ``plain`` have no sign at all."""

    filled: int
    plain: int
    german: int
    english: int
    both: int

    @property
    def parsed(self) -> int:
        """Values that the better form reads."""
        return self.read_as("," if self.german > self.english else ".")

    def read_as(self, decimal: Sign) -> int:
        """Return how many values the form with that decimal sign reads."""
        return self.plain + {",": self.both + self.german, ".": self.both + self.english, "": 0}[decimal]


def careful(text: str) -> str:
    """Return SQL of ``text`` trimmed, NULL where a word says that the value is missing."""
    trimmed = f"trim({text}, {literal(BLANKS)})"
    return f"CASE WHEN {among(f'lower({trimmed})', MISSING)} THEN NULL ELSE {trimmed} END"


def simple(decimal: Sign) -> str:
    """Return the pattern of a number without ornament: sign, groups of three, decimals, exponent."""
    if not decimal:
        return f"{_SIGN}[0-9]+"
    group, mark = (r"\.", ",") if decimal == "," else (",", r"\.")
    core = f"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)(?:{mark}[0-9]*)?|{mark}[0-9]+"
    return f"{_SIGN}(?:{core}){_EXPONENT}"


def ornate(decimal: Sign) -> str:
    """Return the pattern of a number as exports dress it: currency, blanks or apostrophes, the minus at either end."""
    group, decimals = {",": (r"\.", ",[0-9]+"), ".": (",", r"\.[0-9]+"), "": ("", "")}[decimal]
    whole = f"(?:[1-9][0-9]{{0,2}}(?:[{group}{_GROUPS}][0-9]{{3}})+|[0-9]+)"
    core = f"{whole}(?:{decimals})?|{decimals}" if decimals else whole
    sign = rf"(?:{_MINUS}|\+)?"
    before = f"(?:{sign}{_SPACE}{_CURRENCY}?|{_CURRENCY}{_SPACE}{sign}){_SPACE}"
    behind = f"{_CURRENCY}?{_SPACE}(?:{core}){_SPACE}{_CURRENCY}?{_SPACE}{_MINUS}{_SPACE}{_CURRENCY}?"
    return f"'?(?:{before}(?:{core}){_SPACE}{_CURRENCY}?|{behind})"


def count(con: duckdb.DuckDBPyConnection, relation: str, text: str) -> NumberCounts:
    """Count over ``relation`` which forms the values of ``text`` have."""
    german, english, plain = (_fits("x", pattern) for pattern in (ornate(","), ornate("."), ornate("")))
    row = con.execute(
        f"""SELECT count(x), count(*) FILTER (p), count(*) FILTER (g AND NOT e), count(*) FILTER (e AND NOT g),
                count(*) FILTER (g AND e AND NOT p)
            FROM (SELECT x, {plain} AS p, {german} OR {_fits("x", simple(","))} AS g,
                {english} OR {_fits("x", simple("."))} AS e FROM (SELECT {careful(text)} AS x FROM {relation}))"""
    ).fetchone()
    return NumberCounts(*(row or (0,) * 5))


def _fits(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def fits_simply(text: str, decimal: Sign) -> str:
    """Return SQL that tells whether ``text`` is a number of the form without ornament."""
    return _fits(text, simple(decimal))


def _cast(text: str, decimal: Sign) -> str:
    if not decimal:
        return f"TRY_CAST({text} AS DOUBLE)"
    if decimal == ",":
        return f"TRY_CAST(replace(replace({text}, '.', ''), ',', '.') AS DOUBLE)"
    return f"TRY_CAST(replace({text}, ',', '') AS DOUBLE)"
