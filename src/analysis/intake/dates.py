"""Date forms: which order of day, month and year, decided over a whole column in the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from analysis.intake.engine import among, literal
from analysis.intake.numbers import careful

_TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = r"(?:Z|UTC|GMT|[-+][0-9]{2}(?::?[0-9]{2})?)"
TAIL = rf"(?:(?:T| +){_TIME}(?: ?[AaPp][Mm])?)?(?: ?{_ZONE})?"
"""What may stand after a date: a time, perhaps with seconds, fractions, AM or PM, perhaps with a zone."""

_HEAD = "^[^ T]+"


@dataclass(frozen=True)
class DateForm:
    """A form of dates: its name, the pattern its values have, strptime's format (empty: year, month, day)."""

    name: str
    pattern: str
    format: str = ""
    rival: str = ""
    """Name of the form that reads the same values in another order."""

    def value(self, text: str) -> str:
        """Return SQL that reads the date ``text``, NULL where it is none."""
        if self.format:
            return f"TRY_STRPTIME({text}, '{self.format}')::DATE"
        whole = f"{text} || '-01'" if self.name == "year-month" else text
        return f"TRY_CAST(translate({whole}, '/.', '--') AS DATE)"

    def fits(self, text: str, tail: str = "") -> str:
        """Return SQL that tells whether ``text`` has the form, ``tail`` allowed after it."""
        return f"regexp_full_match({text}, {literal(self.pattern + tail)})"


def _orders(sign: str) -> tuple[DateForm, DateForm]:
    pattern = f"[0-9]{{1,2}}{sign}[0-9]{{1,2}}{sign}[0-9]{{4}}"
    day, month = f"day{sign}month{sign}year", f"month{sign}day{sign}year"
    return (
        DateForm(day, pattern, f"%d{sign}%m{sign}%Y", month),
        DateForm(month, pattern, f"%m{sign}%d{sign}%Y", day),
    )


def _short(form: DateForm) -> DateForm:
    two = form.pattern.replace("[0-9]{4}", "[0-9]{2}")
    rival = form.rival.replace("year", "yy")
    return DateForm(form.name.replace("year", "yy"), two, form.format.replace("%Y", "%y"), rival)


_DOTTED = DateForm("day.month.year", r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}", "%d.%m.%Y")
_LONG = (_DOTTED, *_orders("/"), *_orders("-"))
YEAR_FIRST = DateForm("year-month-day", r"[0-9]{4}(?:-[0-9]{1,2}-|/[0-9]{1,2}/|\.[0-9]{1,2}\.)[0-9]{1,2}")
_COMPACT = DateForm("yearmonthday", "[12][0-9]{7}", "%Y%m%d")
MONTH = DateForm("year-month", "[0-9]{4}[-/.][0-9]{1,2}")
TWO_DIGIT_YEARS = tuple(_short(form) for form in _LONG)
FORMS = (YEAR_FIRST, _COMPACT, *_LONG)


def candidates(*, day_first: bool | None, short_years: bool, months: bool) -> tuple[DateForm, ...]:
    """Return the forms a column may have. ``day_first`` leaves out the forms that read it the other way."""
    forms = FORMS + (TWO_DIGIT_YEARS if short_years else ()) + ((MONTH,) if months else ())
    against = "" if day_first is None else "month" if day_first else "day"
    return tuple(form for form in forms if not (form.rival and against and form.name.startswith(against)))


@dataclass(frozen=True)
class DateCounts:
    """How many values of a column each form reads. ``alone``: those that its rival cannot read."""

    filled: int
    parsed: dict[str, int]
    alone: dict[str, int]
    odd: int
    """Values with blanks around them, or with something that is no time and no zone after the date."""
    timed: int
    """Values with a time."""


def count(con: duckdb.DuckDBPyConnection, relation: str, text: str, forms: Sequence[DateForm]) -> DateCounts:
    """Count over ``relation`` which forms the values of ``text`` have, each different date once."""
    places = {form.name: f"f{place}" for place, form in enumerate(forms)}
    reads = ", ".join(
        f"{form.fits('head')} AND {form.value('head')} IS NOT NULL AS {places[form.name]}" for form in forms
    )
    rivals = {form.name: f" AND NOT {places[form.rival]}" if form.rival in places else "" for form in forms}
    parsed = ", ".join(f"sum(n) FILTER ({place})" for place in places.values())
    alone = ", ".join(f"sum(n) FILTER ({place}{rivals[name]})" for name, place in places.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE texts AS SELECT {text} AS t, count(*) AS n FROM {relation} GROUP BY 1")
    row = con.execute(
        f"""WITH known AS (SELECT {careful("t")} AS x, t, n FROM texts),
            heads AS (SELECT {head("x")} AS head, sum(n) AS n,
                sum(n) FILTER (x <> t OR NOT regexp_full_match(x, {literal("[^ T]+" + TAIL)})) AS odd,
                sum(n) FILTER (contains(x, ':')) AS timed FROM known WHERE x IS NOT NULL GROUP BY 1)
            SELECT sum(n), sum(odd), sum(timed), {parsed}, {alone} FROM (SELECT *, {reads} FROM heads)"""
    ).fetchone()
    filled, odd, timed, *counts = (int(value or 0) for value in row or ())
    names = list(places)
    by_name = dict(zip(names, counts[: len(names)], strict=True))
    return DateCounts(filled, by_name, dict(zip(names, counts[len(names) :], strict=True)), odd, timed)


def head(text: str) -> str:
    """Return SQL of the part of ``text`` before a time."""
    return f"regexp_extract({text}, '{_HEAD}')"


def instant(form: DateForm, text: str, timezone: str) -> str:
    """Return SQL of the UTC instant ``text`` names; without a zone in it, a local time in ``timezone``.

    A local time that a change of clocks leaves out counts as if the clocks had not yet been changed; one that
    happens twice counts as the later.
    """
    local = _local(form, text)
    zone = f"regexp_extract({text}, '[0-9 Mm]({_ZONE})$', 1)"
    digits = f"replace({zone}, ':', '')"
    minutes = f"(try_cast({digits}[2:3] AS INTEGER) * 60 + coalesce(try_cast({digits}[4:5] AS INTEGER), 0))"
    offset = f"to_minutes(CASE WHEN {zone}[1] = '-' THEN -1 ELSE 1 END * {minutes})"
    with_zone = f"CASE WHEN {among(zone, ('Z', 'UTC', 'GMT'))} THEN {local} ELSE {local} - {offset} END"
    guarded = form.fits(text, TAIL)
    return (
        f"CASE WHEN NOT {guarded} THEN NULL WHEN NOT {has_zone(text)} THEN {in_utc(local, timezone)} "
        f"ELSE {with_zone} END"
    )


def has_zone(text: str) -> str:
    """Return SQL that tells whether ``text``, a date and time, names its zone."""
    return f"regexp_matches({text}, '[: T][0-9].*{_ZONE}$')"


def in_utc(local: str, timezone: str) -> str:
    """Return SQL of the UTC instant of a local time."""
    return f"timezone('UTC', timezone({literal(timezone)}, {local}))"


def local_date(instant: str, timezone: str) -> str:
    """Return SQL of the local date of a UTC instant."""
    return f"timezone({literal(timezone)}, timezone('UTC', {instant}))::DATE"


def _local(form: DateForm, text: str) -> str:
    clock = f"regexp_extract({text}, '{_TIME}')"
    time = f"coalesce(TRY_CAST(replace({clock}, ',', '.') AS TIME), CASE WHEN {clock} = '' THEN TIME '00:00' END)"
    hour = f"TRY_CAST(regexp_extract({clock}, '^[0-9]+') AS INTEGER)"
    afternoon = f"regexp_matches({text}, '[0-9] ?[Pp][Mm]') AND {hour} < 12"
    midnight = f"regexp_matches({text}, '[0-9] ?[Aa][Mm]') AND {hour} = 12"
    shift = f"to_hours(CASE WHEN {afternoon} THEN 12 WHEN {midnight} THEN -12 ELSE 0 END)"
    return f"({form.value(head(text))} + {time} + {shift})"
