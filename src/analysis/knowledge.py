"""What was known on a day: rows dated before it, and of those rows only the fields that had come to light."""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatch

import ibis
import ibis.expr.types as ir

from analysis.period import Period, midnight
from analysis.vocabulary import TableSpec


def known(table: ir.Table, spec: TableSpec, as_of: dt.date, timezone: str) -> ir.Table:
    """Return ``table`` as it was known on ``as_of``, the first day not known.

    Rows dated on or after it are left out; a row without any date stays. A date on or after it, and every field that
    hangs on that date, is missing.
    """
    times = [time for time in (spec.event_time, spec.invitation_time) if time and time in table.columns]
    if times:
        is_dated = [(table[time] < _bound(spec, time, as_of, timezone)).fill_null(False) for time in times]
        is_undated = ibis.and_(*(table[time].isnull() for time in times))
        table = table.filter(ibis.or_(*is_dated, is_undated))
    for date, fields in spec.learned:
        if date in table.columns:
            is_later = (table[date] >= _bound(spec, date, as_of, timezone)).fill_null(False)
            hidden = [name for name in table.columns if any(fnmatch(name, field) for field in (date, *fields))]
            missing = {name: ibis.null(table[name].type()) for name in hidden}
            table = table.mutate(**{name: ibis.ifelse(is_later, missing[name], table[name]) for name in hidden})
    return table


def cut(table: ir.Table, spec: TableSpec, period: Period, timezone: str, *, invited: bool = False) -> ir.Table:
    """Return the rows of ``table`` dated in ``period``; all of them where the table has no date.

    The date is that of the event, that of the invitation where the table has no other. With ``invited`` it is that of
    the invitation, and that of the event only where no invitation went out.
    """
    times = [spec.invitation_time, spec.event_time] if invited else [spec.event_time, spec.invitation_time]
    dates = [table[time] for time in times if time is not None and time in table.columns]
    dates = dates if invited else dates[:1]
    if not dates:
        return table
    start, end = (_bound(spec, dates[0].get_name(), day, timezone) for day in (period.start, period.as_of))
    date = ibis.coalesce(*dates)
    return table.filter((date >= start) & (date < end))


def latest_survey(surveys: ir.Table) -> str | None:
    """Return the survey with the latest answer to nps, of several at once the last by name; None without answers."""
    answered = surveys.filter(surveys["nps"].notnull(), surveys["survey"].notnull())
    order = [ibis.desc("answered_at", nulls_first=False)] if "answered_at" in surveys.columns else []
    latest = answered.order_by(*order, ibis.desc("survey")).limit(1).execute()["survey"]
    return None if latest.empty else str(latest.item())


def _bound(spec: TableSpec, column: str, day: dt.date, timezone: str) -> ir.Scalar:
    """Return the beginning of ``day`` as the column measures time: a date, or an instant in UTC."""
    found = spec.column(column)
    if found is not None and found.type == "instant":
        return ibis.literal(midnight(day, timezone), type="timestamp(6)")
    return ibis.literal(day, type="date")
