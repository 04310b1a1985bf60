"""One class a kind of failure; each builds its own message and knows its exit code.

A message says what is wrong, where (file, row, key), what exists instead and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name of ``names`` that is most like ``name``, or None where none is near.

    >>> nearest("perod", ["period", "report"])
    'period'
    >>> nearest("zzz", ["period", "report"]) is None
    True
    """
    by_folded = {candidate.casefold(): candidate for candidate in names}
    found = get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _named(names: Iterable[str], *, most: int = 20) -> str:
    listed = [str(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _sentences(*parts: str | None) -> str:
    ended = (part if part.endswith((".", "?", "!")) else part + "." for part in parts if part)
    return " ".join(ended)


class StammkundeError(Exception):
    """A failure the kit can name. ``exit_code`` is what the command line returns for it."""

    exit_code = 1


class UnknownNameError(StammkundeError):
    """A name that does not exist where it was used (a key, a chapter, a table, a figure)."""

    exit_code = 2

    def __init__(self, kind: str, name: str, names: Iterable[str], where: str = "") -> None:
        known = sorted(str(candidate) for candidate in names)
        near = nearest(name, known)
        super().__init__(
            _sentences(
                f"{where + ': ' if where else ''}unknown {kind} {name!r}",
                f"Did you mean {near!r}?" if near else None,
                f"Known: {_named(known)}" if known else f"There is no {kind} here",
            )
        )


class ParamsError(StammkundeError):
    """A fault in the parameters: which file, which key, what is wrong, what to do."""

    exit_code = 2

    def __init__(self, file: object, key: str, problem: str, remedy: str = "") -> None:
        place = f"{file}: {key}" if key else f"{file}"
        super().__init__(_sentences(f"{place}: {problem}", remedy))

    @classmethod
    def of_many(cls, file: object, faults: Iterable[tuple[str, str]]) -> ParamsError:
        """Return one error that lists every fault, each as (key, problem)."""
        listed = list(faults)
        if len(listed) == 1:
            return cls(file, *listed[0])
        lines = "".join(f"\n  {key}: {problem}" for key, problem in listed)
        return cls(file, "", f"{len(listed)} faults:{lines}")


class PeriodError(StammkundeError):
    """A period that does not parse, or is of another kind than the report's."""

    exit_code = 2

    def __init__(self, text: str, problem: str = "is not a period") -> None:
        super().__init__(
            f"{text!r} {problem}. Write a week as 2026-W05, a month as 2026-09, a quarter as 2026-Q3, "
            "a half-year as 2026-H1, a year as 2026."
        )


class OutsideDataError(StammkundeError):
    """A period for which the data hold nothing."""

    exit_code = 3

    def __init__(self, period: object, first: object, last: object, *, is_named: bool = True) -> None:
        named = f"period {period} lies outside the data, which"
        super().__init__(
            f"{named if is_named else 'no period is complete yet in the data, which'} run from {first} to {last}. "
            "Name a period between them with --period, or load newer files."
        )


class SourceError(StammkundeError):
    """A fault in the content of a source file or table."""

    exit_code = 3

    def __init__(self, source: object, problem: str, remedy: str = "") -> None:
        super().__init__(_sentences(f"{source}: {problem}", remedy))


class MissingColumnError(SourceError):
    """A column that the mapping names and the file lacks."""

    def __init__(self, source: object, column: str, names: Iterable[str]) -> None:
        known = [str(name) for name in names]
        near = nearest(column, known)
        super().__init__(
            source,
            f"column {column!r} is mapped but not in the file",
            _sentences(f"Did you mean {near!r}?" if near else None, f"The file has: {_named(known)}"),
        )


class UndeclaredSurveyError(SourceError):
    """Surveys that hold answers and are not among those whose scale the parameters declare."""

    def __init__(self, source: object, key: str, surveys: Iterable[str], names: Iterable[str]) -> None:
        found = list(surveys)
        super().__init__(
            source,
            f"{key} names no scale for {_named(repr(survey) for survey in found)}, which hold answers to nps",
            _sentences(
                f"Add the scale of each under {key}, such as {found[0]!r}: [0, 10]",
                f"Named there: {_named(repr(name) for name in names)}",
            ),
        )


class AmbiguousColumnError(SourceError):
    """A column whose values fit two forms; a setting must decide."""

    def __init__(self, source: object, column: str, forms: Iterable[str], setting: str) -> None:
        super().__init__(
            source,
            f"every value of column {column!r} fits {' and '.join(forms)}",
            f"Set {setting} for this source to decide",
        )


class QuarantineError(SourceError):
    """More rows quarantined than ``max_quarantined`` allows."""

    def __init__(self, source: object, table: str, quarantined: int, rows: int, limit: float, reasons: str) -> None:
        super().__init__(
            source,
            f"{quarantined} of {rows} rows of {table} ({quarantined / rows:.1%}) are quarantined, "
            f"more than max_quarantined = {limit:.1%} allows ({reasons})",
            "Mend the file, or raise max_quarantined if these rows may be left out",
        )


class MeasureError(StammkundeError, ValueError):
    """A measure was handed something outside its domain."""

    exit_code = 4

    def __init__(self, measure: str, problem: str, remedy: str = "") -> None:
        super().__init__(_sentences(f"{measure}: {problem}", remedy))


class NotSettledError(MeasureError):
    """A model whose fit does not come to rest on these data."""

    def __init__(self, measure: str) -> None:
        super().__init__(measure, "the fit does not settle", "Merge sparse levels, or leave out a covariate")


class EmptiedError(MeasureError):
    """Nobody is left at risk before later spells begin."""

    def __init__(self, measure: str, time: object, place: str, from_time: float) -> None:
        super().__init__(
            measure,
            f"nobody is left at risk at time {time}{place}, and later spells begin",
            f"Give from_time={from_time}, for the curve of those who lasted until then",
        )


class FigureError(StammkundeError):
    """A figure reported twice, under a foreign name, or with parts missing."""

    exit_code = 4

    def __init__(self, figure: str, problem: str) -> None:
        super().__init__(f"figure {figure!r}: {problem}.")


class ChapterError(StammkundeError):
    """A notebook raised, or its parameters do not fit, or it reported no figure."""

    exit_code = 4

    def __init__(self, chapter: str, problem: str, remedy: str = "") -> None:
        super().__init__(_sentences(f"chapter {chapter}: {problem}", remedy))


class PublishError(StammkundeError):
    """Rendering failed, the disk is full, or the output is not writable."""

    exit_code = 5

    def __init__(self, step: str, problem: str, remedy: str = "") -> None:
        super().__init__(_sentences(f"{step}: {problem}", remedy))


class LockedError(StammkundeError):
    """Another run holds the lock on this output."""

    exit_code = 6

    def __init__(self, folder: object, holder: str) -> None:
        super().__init__(
            f"another run ({holder}) is building into {folder}. Wait for it to end, or name another folder with --out."
        )
