"""Snapshot: the accepted rows of one run as Parquet, what was left out, and a record of every table."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from analysis.errors import OutsideDataError, StammkundeError
from analysis.intake import database, dates, engine, joins, mapping, newest, quarantine, readers
from analysis.intake.contract import Job, check, remember_ids
from analysis.intake.faults import IN, Faults
from analysis.intake.fields import Field, Zones
from analysis.intake.mapping import Mapped
from analysis.intake.newest import Span
from analysis.intake.raw import Raw
from analysis.intake.records import TableRecord
from analysis.params import Params, located
from analysis.period import Period, last_complete
from analysis.source_params import FileForm, Source
from analysis.vocabulary import REFERENCES, SMALL_CELL, TABLES, TableSpec

_PARENTS = {parent for _, _, parent in REFERENCES}
_CUSTOMER_TABLES = [table for table, column, _ in REFERENCES if column == "customer_id"]
_PARQUET = "FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 5000"
"""Columns of ids repeat little: with DuckDB's own limit it builds dictionaries that it then throws away."""


Days = Mapping[dt.date, int]


def quiet(_: str) -> None:
    """Tell nobody of progress."""


@dataclass(frozen=True)
class Snapshot:
    """The tables of one run: where they stand, by which parameters, for which period, and what became of the rows."""

    folder: Path
    params: Params
    period: Period
    records: Mapping[str, TableRecord]

    @property
    def smallest(self) -> int:
        """How many customers a group told of has at least: in reports that leave the house fewer are not told."""
        return SMALL_CELL if self.params.audience == "shareable" else 1

    @property
    def held(self) -> dict[str, TableRecord]:
        """The records of the tables that hold a row known in the period; one that begins after it holds none."""
        return {
            name: record
            for name, record in self.records.items()
            if TABLES[name].event_time not in TABLES[name].required
            or record.first is None
            or record.first < self.period.as_of
        }


@dataclass(frozen=True)
class _Build:
    con: duckdb.DuckDBPyConnection
    params: Params
    params_folder: Path
    folder: Path
    work: Path
    progress: Callable[[str], None]

    def parquet(self, table: str) -> str:
        return engine.literal(self.folder / "tables" / f"{table}.parquet")

    def zones(self, source: Source) -> Zones:
        return Zones(source.timezone or self.params.timezone, self.params.timezone)


def build(
    params: Params,
    params_folder: Path,
    folder: Path,
    *,
    period: Period | None = None,
    only_complete: bool = False,
    progress: Callable[[str], None] = quiet,
) -> Snapshot:
    """Read the sources of ``params``, check them, and write the snapshot into ``folder``.

    Without ``period`` it is the last one that ends on or before the newest day of the event tables; ``only_complete``
    refuses one whose last day they do not reach.
    Raises ParamsError, SourceError and its kinds, QuarantineError, OutsideDataError.
    """
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    with _work_folder(folder) as work, engine.connect(work) as con:
        job = _Build(con, params, params_folder, folder, work, progress)
        records, days_by_table = _write_tables(job)
        days = newest.events(days_by_table)
        span = newest.span(days, params.sources)
        chosen = _period(job, records, days, span, period)
        if only_complete and span.last < chosen.end:
            raise OutsideDataError(chosen, span.first, span.last)
        newest.check_begun(params, chosen)
        records = {name: _with_strays(record, span, days.get(name, {}), progress) for name, record in records.items()}
    snapshot = Snapshot(folder, params, chosen, records)
    _write_json(snapshot)
    return snapshot


def load(folder: Path) -> Snapshot:
    """Return the snapshot that stands in ``folder``."""
    plain = json.loads((folder / "snapshot.json").read_text(encoding="utf-8"))
    params = Params.model_validate_json(json.dumps(plain["params"]))
    records = {name: TableRecord.from_json(record) for name, record in plain["records"].items()}
    return Snapshot(folder, params, Period.parse(plain["period"]), records)


def _write_json(snapshot: Snapshot) -> None:
    records = {name: record.as_json() for name, record in snapshot.records.items()}
    plain = {"params": snapshot.params.as_json(), "period": snapshot.period.id, "records": records}
    text = json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True)
    (snapshot.folder / "snapshot.json").write_text(text + "\n", encoding="utf-8")


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    work = folder / ".work"
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_tables(job: _Build) -> tuple[dict[str, TableRecord], dict[str, Days]]:
    """Read, check and write the tables, parents first; refuse only when all have been read."""
    parents: dict[str, str] = {}
    records: dict[str, TableRecord] = {}
    days: dict[str, Days] = {}
    excesses: list[quarantine.Excess] = []
    for name, spec in TABLES.items():
        if name in job.params.sources:
            record, days[name] = _write_table(job, spec, parents)
            records[name] = record
            job.progress(record.line)
            if sum(record.quarantined.values()) > job.params.max_quarantined * record.read:
                excesses.append(quarantine.Excess(record.source, name, record.quarantined, record.read))
    quarantine.refuse(excesses, job.params.max_quarantined)
    if "customers" not in records and (found := _derive_customers(job, records)):
        records = {"customers": found, **records}
        job.progress(found.line)
    return records, days


def _write_table(job: _Build, spec: TableSpec, parents: dict[str, str]) -> tuple[TableRecord, Days]:
    source = job.params.sources[spec.name]
    raw = _read(job, spec.name, source)
    mapped = mapping.build(job.con, raw, spec, source, job.zones(source))
    faults = Faults(job.con, raw).create()
    work = Job(job.con, raw, spec, source, mapped)
    fields = check(work, faults, parents)
    if spec.name in _PARENTS:
        parents[spec.name] = remember_ids(work)
    _write_rows(job, spec.name, raw, fields)
    quarantine.write(job.con, raw, faults, job.folder / "quarantine", spec.name)
    days = _days(job, spec, {field.name for field in fields})
    record = _record(job, spec, raw, mapped, faults, days)
    for table in (raw.table, faults.table):
        job.con.execute(f"DROP TABLE {table}")
    return record, days


def _read(job: _Build, name: str, source: Source) -> Raw:
    key = f"sources.{name}"
    if source.path is None:
        connection = source.connection or job.params.connection
        return database.read(job.con, f"raw_{name}", source, connection, key)
    raw = _read_file(job, f"raw_{name}", source, key)
    for number, join in enumerate(source.join):
        right = _read_file(job, f"raw_{name}_join{number}", join, f"{key}.join.{number}")
        raw = joins.add(job.con, raw, right, join.on, number)
    return raw


def _read_file(job: _Build, table: str, form: FileForm, key: str) -> Raw:
    path = str(form.path)
    file = located(path, job.params_folder, f"{key}.path")
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(readers.digest, file)
        raw = readers.read(job.con, table, form, file, job.work)
        return replace(raw, files=((path, digest.result()),))


def _write_rows(job: _Build, name: str, raw: Raw, fields: tuple[Field, ...]) -> None:
    columns = ", ".join(f"{field.value} AS {engine.name(field.name)}" for field in fields)
    rows = f"SELECT {columns} FROM {raw.table} WHERE state = {IN}"
    job.con.execute(f"COPY ({rows}) TO {job.parquet(name)} ({_PARQUET})")


def _record(job: _Build, spec: TableSpec, raw: Raw, mapped: Mapped, faults: Faults, days: Days) -> TableRecord:
    record = TableRecord(
        table=spec.name,
        source=raw.source,
        files=raw.files,
        read=raw.rows + len(raw.rejects),
        accepted=engine.count(job.con, f"{raw.table} WHERE state = {IN}"),
        quarantined=faults.counted("row", "reason"),
        parent_quarantined=sum(faults.counted("parent", "reason").values()),
        dropped=faults.counted("drop", "reason"),
        set_missing=faults.counted("value", "field || ': ' || reason"),
        outside_scale=faults.outside_scale(),
        columns=tuple(field.name for field in mapped.fields),
        first=min(days, default=None),
        last=max(days, default=None),
        notes=(*raw.notes, *mapped.notes),
    )
    if not record.adds_up:
        raise StammkundeError(
            f"{record.source}: the rows of {spec.name} do not add up ({record}). This is a fault of the kit"
        )
    return record


def _event_day(job: _Build, spec: TableSpec, columns: set[str]) -> str:
    """Return SQL of the day of a row's event in the report's time zone; empty where the table has none."""
    times = [column for column in (spec.event_time, spec.invitation_time) if column in columns]
    if not times:
        return ""
    moment = f"coalesce({', '.join(map(engine.name, times))})"
    column = spec.column(times[0])
    is_date = column is not None and column.type == "date"
    return moment if is_date else dates.local_date(moment, job.params.timezone)


def _days(job: _Build, spec: TableSpec, columns: set[str]) -> Days:
    """Return the rows of a table counted by the day of their event."""
    day = _event_day(job, spec, columns)
    if not day:
        return {}
    rows = job.con.execute(f"SELECT {day}, count(*) FROM {job.parquet(spec.name)} GROUP BY 1").fetchall()
    return {when: count for when, count in rows if when is not None}


def _derive_customers(job: _Build, records: Mapping[str, TableRecord]) -> TableRecord | None:
    """Write the table of customers from the ids that other tables name."""
    tables = [name for name in _CUSTOMER_TABLES if name in records and "customer_id" in records[name].columns]
    if not tables:
        return None
    ids = " UNION ALL ".join(f"SELECT customer_id FROM {job.parquet(name)}" for name in tables)
    rows = f"SELECT DISTINCT customer_id FROM ({ids}) WHERE customer_id IS NOT NULL ORDER BY 1"
    count = (job.con.execute(f"COPY ({rows}) TO {job.parquet('customers')} ({_PARQUET})").fetchone() or (0,))[0]
    source = f"derived from the ids of {', '.join(tables)}"
    return TableRecord(
        "customers", source, (), count, count, {}, 0, {}, {}, {}, ("customer_id",), None, None, (source,)
    )


def _period(
    job: _Build, records: Mapping[str, TableRecord], days: Mapping[str, Days], span: Span, named: Period | None
) -> Period:
    """Return the period named, else the last one complete.

    Rows dated too late to choose a period count where one is named. So do the ends of contracts, which may be known
    long before they come: they choose a period only where none is complete by what has begun.
    """
    chosen, last = named or last_complete(span.last, job.params.period), _last_end(job, records, span)
    if named:
        last = max(last, *newest.pooled(days))
    elif chosen.end < span.first:
        chosen = last_complete(last, job.params.period)
    if chosen.start > last or chosen.end < span.first:
        raise OutsideDataError(chosen, span.first, last, is_named=named is not None)
    return chosen


def _last_end(job: _Build, records: Mapping[str, TableRecord], span: Span) -> dt.date:
    """Return the last day on which a contract ends, one that means never left out; the newest day where it is later."""
    if "contracts" not in records or "ended_on" not in records["contracts"].columns:
        return span.last
    is_meant = f"ended_on - {engine.literal(span.last)}::DATE <= {newest.LONG_GAP.days}"
    row = job.con.execute(f"SELECT max(ended_on) FILTER ({is_meant}) FROM {job.parquet('contracts')}").fetchone()
    return max(span.last, row[0]) if row and isinstance(row[0], dt.date) else span.last


def _with_strays(record: TableRecord, span: Span, days: Days, progress: Callable[[str], None]) -> TableRecord:
    """Note, and tell, how many rows are dated too late to choose the period by."""
    count = span.strays(days)
    if not count:
        return record
    note = f"{count} rows dated after {span.last} stand apart from the rest and were not used to choose the period"
    progress(f"{record.table}: {note}")
    return replace(record, notes=(*record.notes, note))
