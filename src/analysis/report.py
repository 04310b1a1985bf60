"""The only door a notebook has to parameters, period and snapshot."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
from IPython.core.getipython import get_ipython

from analysis import params, pilot
from analysis.errors import FigureError, StammkundeError, UnknownNameError
from analysis.intake import snapshot as snapshots
from analysis.period import Period, midnight
from analysis.vocabulary import FIGURE_KEYS, TABLES, UNITS, TableSpec

SNAPSHOT_VARIABLE = "STAMMKUNDE_SNAPSHOT"
"""The environment variable by which `stammkunde lab` names a snapshot."""


@dataclass(frozen=True)
class Report:
    """A report being made: its period, its language, its tables as known on the as-of date."""

    snapshot: snapshots.Snapshot
    chapter: str
    connection: ibis.BaseBackend

    @property
    def period(self) -> Period:
        """The period reported."""
        return self.snapshot.period

    @property
    def previous(self) -> Period:
        """The period before it."""
        return self.period.previous

    @property
    def as_of(self) -> dt.date:
        """The first day not known."""
        return self.period.as_of

    @property
    def language(self) -> str:
        """The report's language, ``de`` or ``en``."""
        return self.snapshot.params.language

    @property
    def currency(self) -> str:
        """The currency of all money."""
        return self.snapshot.params.currency

    def periods(self, last: int) -> dict[str, tuple[dt.date, dt.date]]:
        """Return the first and last day of the ``last`` periods up to the one reported, by id, oldest first."""
        found = [self.period]
        while len(found) < last:
            found.append(found[-1].previous)
        return {period.id: (period.start, period.end) for period in reversed(found)}

    def has(self, table: str, column: str | None = None) -> bool:
        """Say whether the snapshot holds the table, and the column if one is named."""
        record = self.snapshot.records.get(table)
        return record is not None and (column is None or column in record.columns)

    def table(
        self, name: str, *, period: Period | None = None, last: int | None = None, customer: Sequence[str] = ()
    ) -> ir.Table:
        """Return a table as it was known on the as-of date.

        It is cut to ``period`` where one is given, or to the ``last`` periods up to the one reported, which then
        stand in a column ``period``. ``customer`` names columns of the customers to be added to each row.

        Rows dated on or after the as-of date are left out. A date on or after it, and every field that hangs on
        that date, is missing. Raises UnknownNameError where the snapshot holds no such table or column.
        """
        known = self._known(name)
        if period is not None:
            known = self._cut(known, name, period)
        if last is not None:
            known = self._by_period(known, name, last)
        return self._with_customer(known, customer) if customer else known

    def _cut(self, known: ir.Table, name: str, period: Period) -> ir.Table:
        spec = TABLES[name]
        if spec.event_time not in known.columns:
            return known
        start, end = self._bound(spec, spec.event_time, period.start), self._bound(spec, spec.event_time, period.as_of)
        return known.filter((known[spec.event_time] >= start) & (known[spec.event_time] < end))

    def _by_period(self, known: ir.Table, name: str, last: int) -> ir.Table:
        periods = [Period.parse(text) for text in self.periods(last)]
        return ibis.union(*(self._cut(known, name, one).mutate(period=ibis.literal(one.id)) for one in periods))

    def _with_customer(self, known: ir.Table, columns: Sequence[str]) -> ir.Table:
        customers = self._known("customers")
        for column in columns:
            if column not in customers.columns:
                raise UnknownNameError("column", column, customers.columns, "customers")
        added = customers.select("customer_id", *columns)
        return known.drop(*(column for column in columns if column in known.columns)).left_join(added, "customer_id")

    def _known(self, name: str) -> ir.Table:
        if name not in self.snapshot.records:
            raise UnknownNameError("table", name, self.snapshot.records, f"chapter {self.chapter}")
        table, spec = self.connection.table(name), TABLES[name]
        times = [time for time in (spec.event_time, spec.invitation_time) if time in table.columns]
        if times:
            dated = [table[time] < self._bound(spec, time, self.as_of) for time in times]
            undated = ibis.and_(*(table[time].isnull() for time in times))
            table = table.filter(ibis.or_(*(known.fill_null(False) for known in dated), undated))
        for date, fields in spec.learned:
            if date in table.columns:
                unknown = (table[date] >= self._bound(spec, date, self.as_of)).fill_null(False)
                hidden = [name for name in table.columns if any(fnmatch(name, field) for field in (date, *fields))]
                table = table.mutate(**{name: ibis.ifelse(unknown, ibis.null(), table[name]) for name in hidden})
        return table

    def _bound(self, spec: TableSpec, column: str, day: dt.date) -> ir.Scalar:
        found = spec.column(column)
        if found is not None and found.type == "instant":
            return ibis.literal(midnight(day, self.snapshot.params.timezone), type="timestamp(6)")
        return ibis.literal(day, type="date")

    def scale(self, column: str, *, table: str = "surveys") -> tuple[int, int]:
        """Return the scale declared for a rating column.

        Raises UnknownNameError where the table has no source or the column no declared scale.
        """
        sources = self.snapshot.params.sources
        if table not in sources:
            raise UnknownNameError("table", table, sources, f"chapter {self.chapter}")
        scale = sources[table].scale_of(column)
        if scale is None:
            raise UnknownNameError("declared scale", column, (), f"sources.{table}")
        return scale

    def figure(
        self,
        id: str | pd.DataFrame,
        value: float | None = None,
        *,
        low: float | None = None,
        high: float | None = None,
        n: float | None = None,
        unit: str = "",
        definition: str = "",
        source: str = "",
    ) -> None:
        """Hand over a figure, or a frame of them whose columns are this function's arguments.

        ``source`` names the tables, separated by blanks. Raises FigureError where the id is taken or does not begin
        with the chapter's name, or the unit does not exist.
        """
        if isinstance(id, pd.DataFrame):
            for row in id.to_dict("records"):
                self.figure(**{str(key): part for key, part in row.items()})
            return
        self._check(id, unit, definition)
        record = {
            "id": id,
            "value": _plain(value),
            "low": _plain(low),
            "high": _plain(high),
            "n": _plain(n),
            "unit": unit,
            "period": self.period.id,
            "definition": definition,
            "source": self._provenance(source),
        }
        self._keep(record)

    def figures_from(
        self,
        frame: pd.DataFrame,
        id: str,
        *,
        value: str,
        by: str | None = None,
        low: str | None = "low",
        high: str | None = "high",
        n: str = "n",
        unit: str,
        definition: str,
        source: str,
    ) -> None:
        """Hand over a figure for each row of ``frame``.

        ``by`` names the column that tells the rows apart and becomes the end of the id; ``value``, ``low``, ``high``
        and ``n`` name columns too.
        """
        columns = {"value": value, "low": low, "high": high, "n": n}
        for row in frame.to_dict("records"):
            numbers = {part: row[column] for part, column in columns.items() if column is not None}
            named = id if by is None else f"{id}.{_slug(row[by])}"
            self.figure(named, **numbers, unit=unit, definition=definition, source=source)

    def _check(self, id: str, unit: str, definition: str) -> None:
        if not id.startswith(f"{self.chapter}."):
            raise FigureError(id, f"does not begin with the chapter's name, {self.chapter!r}")
        if unit not in UNITS:
            raise FigureError(id, f"the unit {unit!r} does not exist; known: {', '.join(UNITS)}")
        if not definition:
            raise FigureError(id, "has no definition")

    def _provenance(self, source: str) -> str:
        parts = []
        for table in source.split():
            if table not in self.snapshot.records:
                raise UnknownNameError("table", table, self.snapshot.records, f"chapter {self.chapter}")
            parts.append(f"{table} ({self.snapshot.records[table].source}), as of {self.as_of.isoformat()}")
        return "; ".join(parts)

    def _keep(self, record: dict[str, object]) -> None:
        file = _figures_file(self.snapshot.folder, self.chapter)
        kept = json.loads(file.read_text(encoding="utf-8"))
        cell = _cell()
        again = [other for other in kept if other["id"] == record["id"]]
        if again and (cell is None or again[0]["cell"] != cell):
            raise FigureError(str(record["id"]), "is reported twice")
        kept = [other for other in kept if other["id"] != record["id"]]
        _write(file, [*kept, {**record, "cell": cell}])

    def figures(self) -> pd.DataFrame:
        """Return the figures the other chapters have reported: id, value, low, high, n, unit, period, …, chapter."""
        files = sorted(self.snapshot.folder.glob("figures/*.json"))
        records = [
            {**record, "chapter": file.stem}
            for file in files
            if file.stem != self.chapter
            for record in json.loads(file.read_text(encoding="utf-8"))
        ]
        numbers = ["value", "low", "high", "n"]
        frame = pd.DataFrame(records, columns=[*FIGURE_KEYS, "chapter"])
        return frame.astype(dict.fromkeys(numbers, "float64"))

    def sources(self) -> pd.DataFrame:
        """Return one row a table: table, source, read, accepted, quarantined, dropped, set_missing, first, last."""
        return pd.DataFrame(
            [
                {
                    "table": name,
                    "source": record.source,
                    "read": record.read,
                    "accepted": record.accepted,
                    "quarantined": sum(record.quarantined.values()) + record.parent_quarantined,
                    "dropped": sum(record.dropped.values()),
                    "set_missing": sum(record.set_missing.values()),
                    "first": record.first,
                    "last": record.last,
                }
                for name, record in self.snapshot.records.items()
            ]
        )

    def faults(self) -> pd.DataFrame:
        """Return one row a table and reason: table, reason, effect (``row`` or ``value``), column, count."""
        rows: list[dict[str, object]] = []
        for name, record in self.snapshot.records.items():
            found = {**record.quarantined}
            if record.parent_quarantined:
                found["parent quarantined"] = record.parent_quarantined
            rows += [
                {"table": name, "reason": key, "effect": "row", "column": "", "count": n} for key, n in found.items()
            ]
            for key, n in record.set_missing.items():
                column, reason = key.split(": ", 1)
                rows.append({"table": name, "reason": reason, "effect": "value", "column": column, "count": n})
        return pd.DataFrame(rows, columns=["table", "reason", "effect", "column", "count"])


def _plain(value: float | None) -> float | int | None:
    if value is None or pd.isna(value) or math.isinf(value):
        return None
    return int(value) if float(value).is_integer() and not isinstance(value, float) else float(value)


def _slug(name: object) -> str:
    return "missing" if pd.isna(name) else str(name).replace(" ", "_").replace(".", "_")


def _figures_file(folder: Path, chapter: str) -> Path:
    return folder / "figures" / f"{chapter}.json"


def _write(file: Path, records: list[dict[str, object]]) -> None:
    written = file.with_suffix(".part")
    written.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    written.replace(file)


def _cell() -> str | None:
    """Return the id of the cell being run, as JupyterLab tells it; None where nobody tells.

    A cell run again in JupyterLab replaces its figures; in a run, where no cell is named, a repeat is a fault.
    """
    shell = get_ipython()  # type: ignore[no-untyped-call]
    parent = shell.get_parent() if shell is not None and hasattr(shell, "get_parent") else {}
    found = parent.get("metadata", {}).get("cellId")
    return None if found is None else str(found)


def project_folder(start: Path) -> Path:
    """Return the folder at or above ``start`` that holds params/pilot.yml."""
    for folder in (start, *start.parents):
        if (folder / "params" / "pilot.yml").is_file():
            return folder
    raise StammkundeError(f"{start} lies in no project: there is no params/pilot.yml here or above. Name a snapshot.")


def pilot_snapshot(project: Path) -> Path:
    """Return the last snapshot of params/pilot.yml; build it, and the pilot company's files, where there is none."""
    file = project / "params" / "pilot.yml"
    chosen = params.load(file)
    folder = snapshot_folder(project / "reports", chosen.report)
    if not (folder / "snapshot.json").is_file():
        data = project / "data" / "pilot"
        if not (data / "truth.json").is_file():
            pilot.write_pilot(data)
        snapshots.build(chosen, file.parent, folder)
    return folder


def snapshot_folder(out: Path, report: str) -> Path:
    """Return where the last snapshot of a report is kept under the reports folder ``out``."""
    return out / ".snapshots" / report


def open_report(snapshot: str = "", *, chapter: str) -> Report:
    """Open a snapshot for a chapter.

    It is the one in folder ``snapshot``, else the one that `stammkunde lab` has named, else the last one of
    params/pilot.yml.
    """
    named = snapshot or os.environ.get(SNAPSHOT_VARIABLE, "")
    folder = Path(named) if named else pilot_snapshot(project_folder(Path.cwd()))
    opened = snapshots.load(folder)
    connection = ibis.duckdb.connect()
    for name in opened.records:
        connection.read_parquet(folder / "tables" / f"{name}.parquet", table_name=name)
    (folder / "figures").mkdir(exist_ok=True)
    _write(_figures_file(folder, chapter), [])
    return Report(opened, chapter, connection)
