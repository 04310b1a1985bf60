"""The tables of a snapshot as they were known on the as-of date, and the scales they were asked on."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import ibis
import ibis.expr.types as ir

from analysis import knowledge
from analysis.errors import UnknownNameError
from analysis.intake.newest import Span
from analysis.intake.snapshot import Snapshot
from analysis.period import Period
from analysis.survey_scales import SurveyScales
from analysis.vocabulary import TABLES


@dataclass(frozen=True)
class KnownTables:
    """The tables of a snapshot, each as it was known on the first day after the period reported."""

    snapshot: Snapshot
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
    def timezone(self) -> str:
        """The time zone of the report's days."""
        return self.snapshot.params.timezone

    @property
    def smallest(self) -> int:
        """How many customers a group told of has at least: in reports that leave the house fewer are not told."""
        return self.snapshot.smallest

    def periods(self, last: int) -> dict[str, tuple[dt.date, dt.date]]:
        """Return the first and last day of the ``last`` periods up to the one reported, by id, oldest first."""
        found = [self.period]
        while len(found) < last:
            found.append(found[-1].previous)
        return {period.id: (period.start, period.end) for period in reversed(found)}

    def begins(self, table: str) -> dt.date | None:
        """Return the first day on record of a table, where its source declares one."""
        source = self.snapshot.params.sources.get(table)
        return source.begins if source else None

    def has(self, table: str, column: str | None = None) -> bool:
        """Say whether the snapshot holds rows of the table known in the period, and the column if one is named."""
        record = self.snapshot.held.get(table)
        return record is not None and (column is None or column in record.columns)

    def available(self, table: str, *columns: str) -> list[str]:
        """Return the columns of a table that fit one of the names; a star in a name stands for anything."""
        held = self.snapshot.records[table].columns if self.has(table) else ()
        return [column for name in columns for column in fnmatch.filter(held, name)]

    def tables(self, *names: str) -> dict[str, ir.Table]:
        """Return those of the tables that the snapshot holds, as known on the as-of date, by name."""
        return {name: self.table(name) for name in names if self.has(name)}

    @property
    def codebook(self) -> Mapping[str, Mapping[str, str]]:
        """What the texts in the columns of reasons for leaving mean, as declared; empty where nothing is."""
        source = self.snapshot.params.sources.get("contracts")
        return (source.reasons if source else None) or {}

    def left_ever(self) -> ir.Table | None:
        """Return the customers all of whose contracts have an end on record; None without ends.

        It looks past the as-of date: for checking attributes without a date, which know as much as the export, only.
        An end yet to come is a notice given, and counts, unless most contracts in force have one: then it is agreed
        with the contract and says nothing of leaving.
        """
        if not self.has("contracts", "ended_on"):
            return None
        contracts = self.connection.table("contracts")
        has_no_end, is_to_come = contracts["ended_on"].isnull(), contracts["ended_on"] > self._newest(contracts)
        counts = {"open": has_no_end.ifelse(1, 0).sum(), "to_come": is_to_come.fill_null(False).ifelse(1, 0).sum()}
        in_force = contracts.aggregate(**counts).execute().loc[0]
        is_agreed = in_force["to_come"] > in_force["open"]
        runs = (has_no_end | is_to_come if is_agreed else has_no_end).ifelse(1, 0)
        by_customer = contracts.group_by("customer_id").aggregate(running=runs.sum())
        return by_customer.filter(by_customer["running"] == 0).select("customer_id")

    def _newest(self, contracts: ir.Table) -> dt.date:
        """Return the last day on which a contract began, strays left out, or the last day of the period if later."""
        days = contracts.group_by("start").aggregate(n=contracts.count()).to_pyarrow().to_pydict()
        span = Span.of(dict(zip(days["start"], days["n"], strict=True)))
        return max(self.period.end, span.last) if span else self.period.end

    def optional(self, name: str) -> ir.Table | None:
        """Return a table as it was known on the as-of date, or None where there is no such table."""
        return self.table(name) if self.has(name) else None

    def invitations(self, period: Period, *, customer: Sequence[str] = (), one_scale: bool = False) -> ir.Table:
        """Return the invitations of a period, answered or not: rows sent in it, or answered in it if never sent.

        Those to surveys on another scale than that of ``scale("nps")`` lose their nps; with ``one_scale`` they are left
        out, as bounds of a score on that scale want it.
        """
        known = self._survey_scales.on_one(self._known("surveys"))
        known = self._survey_scales.without_others(known) if one_scale else known
        found = knowledge.cut(known, TABLES["surveys"], period, self.timezone, invited=True)
        return self._with_customer(found, customer) if "customer_id" in known.columns else found

    def table(
        self,
        name: str,
        *,
        period: Period | None = None,
        last: int | None = None,
        customer: Sequence[str] = (),
        every_scale: bool = False,
    ) -> ir.Table:
        """Return a table as it was known on the as-of date.

        It is cut to ``period`` where one is given, or to the ``last`` periods up to the one reported, which then
        stand in a column ``period``. ``customer`` names columns of the customers to be added to each row; those that
        the rows have themselves stay, and none is added where the rows name no customer.

        In surveys, nps is missing where it was asked on another scale than that of ``scale("nps")``, so that nobody
        averages two; with ``every_scale`` it stands, for measures that take ``nps_scales``.

        Rows dated on or after the as-of date are left out. A date on or after it, and every field that hangs on
        that date, is missing. Raises UnknownNameError where the snapshot holds no such table or column.
        """
        known = self._known(name)
        if name == "surveys" and not every_scale:
            known = self._survey_scales.on_one(known)
        if period is not None:
            known = self._cut(known, name, period)
        if last is not None:
            periods = [Period.parse(text) for text in self.periods(last)]
            known = ibis.union(*(self._cut(known, name, one).mutate(period=ibis.literal(one.id)) for one in periods))
        return self._with_customer(known, customer) if customer and "customer_id" in known.columns else known

    def _known(self, name: str) -> ir.Table:
        if name not in self.snapshot.records:
            raise UnknownNameError("table", name, self.snapshot.records, f"chapter {self.chapter}")
        table = self.connection.table(name)
        return knowledge.known(table, TABLES[name], self.as_of, self.timezone)

    @cached_property
    def _survey_scales(self) -> SurveyScales:
        source = self.snapshot.params.sources.get("surveys")
        declared = source.scale_by_survey if source and self.has("surveys", "nps") else {}
        latest = knowledge.latest_survey(self._known("surveys")) if len(set(declared.values())) > 1 else None
        return SurveyScales(declared, latest)

    def _cut(self, known: ir.Table, name: str, period: Period) -> ir.Table:
        cut = knowledge.cut(known, TABLES[name], period, self.timezone)
        # rows without any date are those of the period reported and of no other
        return cut if cut is not known or period == self.period else known.limit(0)

    def _with_customer(self, known: ir.Table, columns: Sequence[str]) -> ir.Table:
        customers = self._known("customers")
        for column in columns:
            if column not in customers.columns:
                raise UnknownNameError("column", column, customers.columns, "customers")
        added = [column for column in columns if column not in known.columns]
        found = known.left_join(customers.select("customer_id", *added), "customer_id")
        return found.select(*known.columns, *added)

    def scale(self, column: str, *, table: str = "surveys") -> tuple[int, int]:
        """Return the scale declared for a rating column.

        Where surveys ask nps on different scales, it is that of the survey with the latest answer known.
        Raises UnknownNameError where the table has no source or the column no declared scale.
        """
        sources = self.snapshot.params.sources
        if table not in sources:
            raise UnknownNameError("table", table, sources, f"chapter {self.chapter}")
        scale = sources[table].scale_of(column)
        if scale is None:
            raise UnknownNameError("declared scale", column, (), f"sources.{table}")
        if (table, column) == ("surveys", "nps") and self._survey_scales.others:
            return self._survey_scales.kept
        return scale

    @property
    def nps_scales(self) -> tuple[int, int] | Mapping[str, tuple[int, int]]:
        """The NPS scale; where surveys ask on different ones, the scale of each survey by its name."""
        return self._survey_scales.declared if self._survey_scales.others else self.scale("nps")

    @property
    def other_scale_answers(self) -> int:
        """How many answers to nps in the period reported are left out, for they are on another scale."""
        return self._survey_scales.answers_on_others(self.table("surveys", period=self.period, every_scale=True))

    def scales(self, *columns: str, table: str = "surveys") -> dict[str, tuple[int, int]]:
        """Return the declared scales of those rating columns that the table has."""
        return {column: self.scale(column, table=table) for column in self.available(table, *columns)}

    def outside_scale(self, column: str, *, table: str = "surveys") -> dict[int, int]:
        """Return how often each whole number was left out of a rating column because it is not on its scale."""
        record = self.snapshot.records.get(table)
        return dict(record.told(self.smallest).outside_scale.get(column, {})) if record else {}

    @property
    def easy(self) -> Literal["high", "low"] | None:
        """Which end of the scale of effort is declared to be easy."""
        source = self.snapshot.params.sources.get("surveys")
        return source.ces_easy if source else None
