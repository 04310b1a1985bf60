"""The contract check: every row is in, quarantined, left out with its parent, or dropped by a named rule."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from analysis.errors import UndeclaredSurveyError
from analysis.intake import references
from analysis.intake.engine import among, literal
from analysis.intake.faults import IN, QUARANTINED, Faults
from analysis.intake.fields import Field, trimmed
from analysis.intake.mapping import Mapped
from analysis.intake.raw import Raw
from analysis.source_params import Source
from analysis.vocabulary import TableSpec


@dataclass(frozen=True)
class Job:
    """What the check of one table works on."""

    con: duckdb.DuckDBPyConnection
    raw: Raw
    spec: TableSpec
    source: Source
    mapped: Mapped


def check(job: Job, faults: Faults, parents: Mapping[str, str]) -> tuple[Field, ...]:
    """Check the rows of a table, whole rows first, and return its fields with what is set missing left out.

    ``parents`` names the table of ids of each table that others refer to. The state of each row stands in the raw
    table afterwards, every fault in ``faults``. Raises UndeclaredSurveyError where scales are declared by survey and
    one with answers is not among them.
    """
    faults.add_rejects(job.raw.rejects)
    _drop(job, faults)
    for field in job.mapped.fields:
        if field.required:
            _require(field, faults)
    _refuse_repeated(job, faults)
    references.check(job.spec.name, job.mapped, parents, faults, required=True)
    fields = {field.name: field for field in job.mapped.fields}
    for field in job.mapped.fields:
        if field.suspect and not field.required:
            faults.add("value", field, f"CASE WHEN {field.value} IS NULL THEN {field.filled} END", field.reason)
    for column in job.spec.columns:
        if column.never_negative and column.name in fields:
            field = fields[column.name]
            fields[column.name] = faults.set_missing(field, f"{field.value} < 0", literal("negative"))
    if job.source.scale_by_survey and "nps" in fields:
        fields["nps"] = _on_own_scale(job, fields["nps"], fields["survey"], faults)
    for earlier, later in job.spec.not_before:
        if earlier in fields and later in fields:
            wrong = f"{fields[later].value} < {fields[earlier].value}"
            fields[later] = faults.set_missing(fields[later], wrong, literal("before its start"))
    fields |= references.check(job.spec.name, job.mapped, parents, faults, required=False)
    return tuple(fields.values())


def _drop(job: Job, faults: Faults) -> None:
    faults.drop("empty row", " AND ".join(f"{column.sql} IS NULL" for column in job.raw.columns))
    for header, kept in job.source.where.items():
        mapped = job.source.columns.get(header, header)
        value = trimmed(job.raw.column(mapped).as_text.sql)
        faults.drop(f"where {header}", f"NOT coalesce({among(value, kept)}, false)")


def _require(field: Field, faults: Faults) -> None:
    if field.suspect:
        reason = f"CASE WHEN {field.filled} THEN {field.reason} ELSE 'missing value' END"
        faults.add("row", field, f"{field.value} IS NULL", reason)
    elif field.gaps:
        faults.add("row", field, f"NOT {field.filled}", literal("missing value"))


def _refuse_repeated(job: Job, faults: Faults) -> None:
    """Quarantine, or drop, the later rows of those that share the table's key, unless it is not meant to be unique."""
    field = job.mapped.get(job.spec.key) if job.spec.key else None
    if field is None or job.source.duplicates == "keep":
        return
    table, key = job.raw.table, field.value
    repeated = f"""rowid IN (SELECT rowid FROM {table} JOIN (
        SELECT {key} AS id, min(rowid) AS place FROM {table} WHERE state = 0 GROUP BY 1 HAVING count(*) > 1
        ) ON id = {key} WHERE rowid > place)"""
    if job.source.duplicates == "drop":
        faults.drop("repeated id", repeated)
    else:
        faults.add("row", field, repeated, literal("duplicate id"))


def _on_own_scale(job: Job, nps: Field, survey: Field, faults: Faults) -> Field:
    """Return ``nps`` without the answers that are not on the scale of their own survey, or that name no survey."""
    scales = job.source.scale_by_survey
    _refuse_undeclared(job, nps, survey)
    nps = faults.set_missing(nps, f"{nps.value} IS NOT NULL AND {survey.value} IS NULL", literal("no survey"))
    for low, high in sorted(set(scales.values())):
        alike = [name for name, scale in scales.items() if scale == (low, high)]
        off = f"{among(survey.value, alike)} AND {nps.value} NOT BETWEEN {low} AND {high}"
        nps = faults.set_missing(nps, off, literal("outside scale"))
    return nps


def _refuse_undeclared(job: Job, nps: Field, survey: Field) -> None:
    scales = job.source.scale_by_survey
    rows = job.con.execute(
        f"""SELECT DISTINCT {survey.value} AS survey FROM {job.raw.table}
            WHERE state = {IN} AND {nps.value} IS NOT NULL AND NOT {among(survey.value, scales)} ORDER BY 1"""
    ).fetchall()
    if rows:
        key = f"sources.{job.spec.name}.scale"
        raise UndeclaredSurveyError(job.raw.source, key, [survey for (survey,) in rows], scales)


def remember_ids(job: Job) -> str:
    """Make the table of the key's values (id) and their least state (best) for tables that refer to it; name it."""
    table, key = f"{job.raw.table}_ids", job.mapped.get(str(job.spec.key))
    value = key.value if key else "NULL::VARCHAR"
    job.con.execute(
        f"""CREATE TABLE {table} AS SELECT {value} AS id, min(state) AS best FROM {job.raw.table}
            WHERE {value} IS NOT NULL GROUP BY 1"""
    )
    lost = sorted(set(_ids_of_rejects(job.raw, key.label))) if key else []
    if lost:
        listed = ", ".join(f"({literal(found)})" for found in lost)
        new = f"SELECT lost, {QUARANTINED} FROM (VALUES {listed}) AS _(lost)"
        job.con.execute(f"INSERT INTO {table} {new} WHERE lost NOT IN (SELECT id FROM {table})")
    return table


def _ids_of_rejects(raw: Raw, header: str) -> list[str]:
    """Return the ids that can be made out in rows with too few or too many fields."""
    place = raw.headers.index(header) if header in raw.headers else None
    if raw.layout is None or place is None:
        return []
    cut = (reject.text.strip("\r\n") for reject in raw.rejects if reject.reason != "not readable")
    records = csv.reader(cut, delimiter=raw.layout.separator)
    return [record[place].strip() for record in records if len(record) > place and record[place].strip()]
