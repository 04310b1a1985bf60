"""The only door a notebook has to parameters, period and snapshot."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import UnknownNameError
from analysis.figure_log import CustomerLog, FigureLog, figure_id, told_apart
from analysis.intake import engine, records
from analysis.intake import snapshot as snapshots
from analysis.known_tables import KnownTables
from analysis.places import pilot_snapshot, project_folder
from analysis.vocabulary import SMALL_CELL

SNAPSHOT_VARIABLE = "STAMMKUNDE_SNAPSHOT"
"""The environment variable by which `stammkunde lab` names a snapshot."""


@dataclass(frozen=True)
class Report(KnownTables):
    """A report being made: its period, its language, its tables as known on the as-of date, its figures."""

    source: str = ""
    """The tables that figures come from, separated by blanks, unless a figure names its own."""

    @property
    def language(self) -> str:
        """The report's language, ``de`` or ``en``."""
        return self.snapshot.params.language

    @property
    def currency(self) -> str:
        """The currency of all money."""
        return self.snapshot.params.currency

    @property
    def is_internal(self) -> bool:
        """Whether the report stays in the house, so that it may quote customers and show small cells."""
        return self.snapshot.params.audience == "internal"

    def figure(
        self,
        id: str | pd.DataFrame,
        value: float | None = None,
        *,
        group: object = None,
        low: float | None = None,
        high: float | None = None,
        n: float | None = None,
        unit: str = "",
        definition: str = "",
        source: str = "",
    ) -> None:
        """Hand over a figure, or a frame of them whose columns are this function's arguments.

        ``group`` becomes the end of the id where there is one; ``source`` names the tables, separated by blanks. A
        shareable report keeps no value of fewer than 5.
        Raises FigureError where the id is taken or does not begin with the chapter's name, or the unit does not exist.
        """
        if isinstance(id, pd.DataFrame):
            self._figures([{str(key): part for key, part in row.items()} for row in id.to_dict("records")])
            return
        if not self.is_internal and n is not None and n < SMALL_CELL:
            value = low = high = n = None
        self._log.add(
            {
                "id": figure_id(id, group),
                "value": value,
                "low": low,
                "high": high,
                "n": n,
                "unit": unit,
                "period": self.period.id,
                "definition": definition,
                "source": self._provenance(source or self.source),
            }
        )

    def figures_from(
        self,
        frame: pd.DataFrame,
        id: str,
        *,
        value: str = "",
        by: str | None = None,
        n: str = "n",
        unit: str,
        definition: str,
        source: str = "",
        source_by: str = "",
    ) -> None:
        """Hand over a figure for each row of ``frame``.

        ``value`` (by default the last part of the id) and ``n`` name columns; the interval is taken from the columns
        ``<value>_low`` and ``<value>_high``, else from ``low`` and ``high``, where the frame has them. ``by`` names the
        column that tells the rows apart and becomes the end of the id; ``source_by`` the one with the table that a row
        comes from.
        """
        value = value or id.rpartition(".")[2]
        ends = {end: _first_of(frame, f"{value}_{end}", end) for end in ("low", "high")}
        columns = {"value": value, "n": n, "group": by, "source": source_by, **ends}
        said = {"id": id, "unit": unit, "definition": definition, "source": source}
        taken = {part: column for part, column in columns.items() if column}
        rows = frame.to_dict("records")
        self._figures([said | {part: row[column] for part, column in taken.items()} for row in rows])

    def _figures(self, rows: Sequence[dict[str, Any]]) -> None:
        ids = told_apart([figure_id(row.pop("id"), row.pop("group", None)) for row in rows])
        for name, row in zip(ids, rows, strict=True):
            self.figure(name, **row)

    def customers(
        self,
        id: str,
        rows: pd.DataFrame | ir.Table,
        *,
        title: str,
        columns: Mapping[str, tuple[str, str]],
        labels: Mapping[str, str],
    ) -> str:
        """Hand over a list of customers, all of them in their order, as a sheet of the workbook; return its name.

        A report that leaves the house, or has no workbook, keeps no list; then, and where there are no rows, the name
        is empty. A table is written by the engine, however many rows it has. ``columns`` gives heading and unit of
        each column and ``labels`` what codes in columns of unit ``text`` are called, as ``customer_lists.sheet`` does.
        Raises FigureError where the id is taken or does not begin with the chapter's name.
        """
        if not self.is_internal or "xlsx" not in self.snapshot.params.outputs:
            return ""
        table = ibis.memtable(rows) if isinstance(rows, pd.DataFrame) else rows
        if not self.connection.execute(table.limit(1).count()):
            return ""
        sheet = {"title": title, "columns": dict(columns), "labels": dict(labels)}
        CustomerLog(self.snapshot.folder, self.chapter).add(
            id, sheet, lambda file: self.connection.to_parquet(table, file)
        )
        return title

    def _provenance(self, source: str) -> str:
        parts = []
        for table in source.split():
            if table not in self.snapshot.records:
                raise UnknownNameError("table", table, self.snapshot.records, f"chapter {self.chapter}")
            parts.append(f"{table} ({self.snapshot.records[table].source}), as of {self.as_of.isoformat()}")
        return "; ".join(parts)

    @property
    def _log(self) -> FigureLog:
        return FigureLog(self.snapshot.folder, self.chapter)

    def figures(self) -> pd.DataFrame:
        """Return the figures the other chapters have reported: id, value, low, high, n, unit, period, …, chapter."""
        return self._log.others()

    def sources(self) -> pd.DataFrame:
        """Return one row a table: table, source, read, accepted, quarantined, dropped, set_missing, first, last."""
        return records.sources(self.snapshot.records, self.smallest)

    def notes(self) -> pd.DataFrame:
        """Return what intake noted on the sources, such as how dates were made: table, note."""
        return records.notes(self.snapshot.records, self.smallest)

    def faults(self) -> pd.DataFrame:
        """Return one row a table and reason: table, reason, effect (``row`` or ``value``), column, count."""
        return records.faults(self.snapshot.records, self.smallest)


def _first_of(frame: pd.DataFrame, *columns: str) -> str | None:
    return next((column for column in columns if column in frame.columns), None)


def open_report(snapshot: str = "", *, chapter: str, source: str = "") -> Report:
    """Open a snapshot for a chapter.

    It is the one in folder ``snapshot``, else the one that `stammkunde lab` has named, else the last one of
    params/pilot.yml. ``source`` names the tables its figures come from, separated by blanks.
    """
    named = snapshot or os.environ.get(SNAPSHOT_VARIABLE, "")
    folder = Path(named) if named else pilot_snapshot(project_folder(Path.cwd()))
    opened = snapshots.load(folder)
    connection = ibis.duckdb.connect(**engine.reading(folder))
    for name in opened.records:
        connection.read_parquet(folder / "tables" / f"{name}.parquet", table_name=name)
    FigureLog(folder, chapter).begin()
    CustomerLog(folder, chapter).begin()
    return Report(opened, chapter, connection, source)
