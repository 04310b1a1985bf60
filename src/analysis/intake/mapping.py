"""Mapping: which column of the source is which column of the canonical table, and which are made from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from analysis.errors import ParamsError, SourceError, nearest
from analysis.intake import attributes, fields
from analysis.intake.derived import derive, note
from analysis.intake.engine import literal
from analysis.intake.fields import Field, Wanted, Zones
from analysis.intake.raw import Raw, RawColumn, find, folded
from analysis.source_params import SCALE_KEYS, Source
from analysis.vocabulary import RATING_PREFIX, Column, TableSpec


@dataclass(frozen=True)
class Mapped:
    """The fields of a table, canonical ones first, and what is to be told about them."""

    fields: tuple[Field, ...]
    notes: tuple[str, ...]

    def get(self, name: str) -> Field | None:
        """Return the field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class _Job:
    con: duckdb.DuckDBPyConnection
    raw: Raw
    spec: TableSpec
    source: Source
    zones: Zones

    @property
    def key(self) -> str:
        return f"sources.{self.spec.name}"


def build(con: duckdb.DuckDBPyConnection, raw: Raw, spec: TableSpec, source: Source, zones: Zones) -> Mapped:
    """Return the fields that ``raw`` yields for the table ``spec``.

    Raises MissingColumnError where a mapped column is absent, SourceError where a required one has no source,
    ParamsError where a rating has no scale, or scales are declared by survey and no column names it.
    """
    job = _Job(con, raw, spec, source, zones)
    columns = _columns(job)
    _refuse_missing(job, columns)
    made = [*_made(job, columns), *_derived(job)]
    order = {column.name: place for place, column in enumerate(spec.columns)}
    made.sort(key=lambda field: order.get(field.name, len(order)))
    _refuse_scales_of_no_survey(job, made)
    notes = [note(name, rule) for name, rule in source.derive.items()]
    kept, renamed = _attributes(job, columns, [*made])
    _refuse_codebook_of_no_column(job, [*made, *kept])
    return Mapped(fields.settle(con, raw, (*made, *kept)), (*notes, *renamed))


def _columns(job: _Job) -> dict[str, RawColumn]:
    """Return the raw column of each name that is mapped, or that the source has under its canonical name."""
    columns = {name: job.raw.column(header) for name, header in job.source.columns.items()}
    taken = {column.sql for column in columns.values()}
    for column in job.spec.columns:
        found = find(column.name, job.raw.columns)
        if found and found.sql not in taken and column.name not in columns and column.name not in job.source.derive:
            columns[column.name] = found
    unknown = [name for name in job.source.values if name not in columns and find(name, job.raw.columns) is None]
    if unknown:
        near = nearest(unknown[0], [*columns, *job.raw.headers])
        hint = f"Did you mean {near!r}?" if near else f"The table has: {', '.join(columns)}"
        raise ParamsError(job.raw.source, f"{job.key}.values", f"there is no column {unknown[0]!r}", hint)
    return columns


def _refuse_missing(job: _Job, columns: Mapping[str, RawColumn]) -> None:
    missing = [name for name in job.spec.required if name not in columns and name not in job.source.derive]
    if missing:
        named = ", ".join(missing)
        problem = f"{job.spec.name} needs {named}, which no column is mapped to"
        remedy = f"Map it under {job.key}.columns. The file has: {', '.join(job.raw.headers)}"
        raise SourceError(job.raw.source, problem, remedy)


def _made(job: _Job, columns: Mapping[str, RawColumn]) -> Iterator[Field]:
    for name, column in columns.items():
        canonical = job.spec.column(name)
        if canonical or name.startswith(RATING_PREFIX):
            wanted = _wanted(job, name, canonical)
            yield fields.build(job.con, job.raw, _translated(job, name, column), wanted, job.zones)
        else:
            yield attributes.build(job.con, job.raw, _translated(job, name, column), name, job.zones)


def _wanted(job: _Job, name: str, canonical: Column | None) -> Wanted:
    if canonical is None or canonical.type == "rating":
        return Wanted(name, "rating", scale=_scale(job, name))
    return Wanted(name, canonical.type, canonical.required, canonical.choices, is_id=name.endswith("_id"))


def _scale(job: _Job, name: str) -> tuple[int, int]:
    scale = job.source.scale_of(name)
    if scale is None:
        key = SCALE_KEYS.get(name, "rating_scale")
        problem = f"the column {name} has no declared scale, and a scale is never guessed"
        raise ParamsError(job.raw.source, f"{job.key}.{key}", problem, f"Write {key}: [lowest, highest]")
    return scale


def _refuse_scales_of_no_survey(job: _Job, made: Sequence[Field]) -> None:
    found = {field.name for field in made}
    if job.source.scale_by_survey and "nps" in found and "survey" not in found:
        key = f"{job.key}.{SCALE_KEYS['nps']}"
        remedy = f"Map it under {job.key}.columns, or write one scale for all: [lowest, highest]"
        raise ParamsError(job.raw.source, key, "names surveys, but no column is mapped to survey", remedy)


def _refuse_codebook_of_no_column(job: _Job, made: Sequence[Field]) -> None:
    found = [field.name for field in made]
    for column in job.source.reasons or ():
        if column not in found:
            problem = f"{job.key}.reasons has a codebook for {column!r}, which no column is mapped to"
            remedy = f"Map it under {job.key}.columns. The file has: {', '.join(job.raw.headers)}"
            raise SourceError(job.raw.source, problem, remedy)


def _translated(job: _Job, name: str, column: RawColumn) -> RawColumn:
    """Return ``column`` with its values translated as the source says."""
    words = job.source.values.get(name)
    if not words:
        return column
    text = fields.trimmed(column.as_text.sql)
    cases = " ".join(f"WHEN {literal(old)} THEN nullif({literal(new)}, '')" for old, new in words.items())
    return replace(column.as_text, sql=f"(CASE {text} {cases} ELSE {text} END)")


def _derived(job: _Job) -> Iterator[Field]:
    for name, rule in job.source.derive.items():
        canonical = job.spec.column(name)
        field = derive(job.con, job.raw, name, rule, job.zones)
        yield replace(field, required=bool(canonical and canonical.required))


def _attributes(job: _Job, columns: Mapping[str, RawColumn], made: list[Field]) -> tuple[list[Field], list[str]]:
    """Return the columns nobody mapped, under their own names; one whose name is taken gets another."""
    used = {column.sql for column in columns.values()}
    names = {folded(field.name) for field in made}
    kept, notes = [], []
    for column in job.raw.columns:
        if column.sql in used:
            continue
        name = column.header
        while folded(name) in names:
            name += "_"
        if name != column.header:
            notes.append(f"column {column.header!r} of the file is kept as {name!r}")
        names.add(folded(name))
        translated = _translated(job, column.header, column)
        if folded(name).startswith(RATING_PREFIX):
            wanted = _wanted(job, name, None)
            kept.append(fields.build(job.con, job.raw, translated, wanted, job.zones))
        else:
            kept.append(attributes.build(job.con, job.raw, translated, name, job.zones))
    return kept, notes
