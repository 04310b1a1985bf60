"""Spells: one row for each unbroken stretch of time for which a customer was one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, names, require

_COLUMNS = ("customer_id", "origin", "entry", "exit", "event", "cause")
_EPOCH = dt.date(1970, 1, 1)


def spells(
    contracts: Rows,
    customers: Rows | None = None,
    *,
    as_of: dt.date,
    window_start: dt.date | None = None,
    grace_days: int = 0,
    attributes: str | Sequence[str] = (),
) -> ir.Table:
    """Return one row a customer spell, as a lazy Ibis table: it grows with the customers and is not executed here.

    A spell is the union of a customer's contracts that overlap, follow on one another, or leave a gap of at most
    ``grace_days`` days. ``ended_on`` is the last day in force, so a contract from 1 to 31 March is a spell of 31 days.
    A contract that starts on or after ``as_of`` does not exist yet; one that ends there is still open, its reason not
    known. An end before ``as_of`` is an event, even where the grace has not run out yet.

    Columns in: contracts ``customer_id, start`` and, where there are any, ``ended_on, reason, contract_id``; customers
    (one row a customer) ``customer_id`` and, where there is one, ``since``. A contract without customer or start, or
    with an end before its start, was never in force and is left out.

    Columns out: ``customer_id``; ``origin``, the date of time 0: the first day of the spell, or ``since`` where that
    is earlier than the customer's first contract; ``entry`` and ``exit``, days since origin between which the spell
    was watched (``exit`` is the first day not in force, or ``as_of``); ``event``, 1 where it ended; ``cause``, the
    reason of the contract that ended it, missing while it is open; then the ``attributes``, from the spell's first
    contract or else from customers. With ``window_start`` nothing before that day is watched: entries move up to it,
    and spells that ended before it are left out.

    Raises MeasureError for an absent column, an unknown attribute, negative ``grace_days`` or an empty window.
    Source: left truncation and right censoring as in Klein and Moeschberger, Survival Analysis (2003), chapter 3.

    >>> import pandas as pd
    >>> ledger = pd.DataFrame({"customer_id": ["a", "a", "b"], "reason": [None, "price", None]})
    >>> ledger["start"] = pd.to_datetime(["2025-01-01", "2025-02-01", "2025-03-02"])
    >>> ledger["ended_on"] = pd.to_datetime(["2025-01-31", "2025-03-31", None])
    >>> spells(ledger, as_of=dt.date(2025, 4, 11)).order_by("customer_id").to_pandas()
      customer_id     origin  entry  exit  event  cause
    0           a 2025-01-01      0    90      1  price
    1           b 2025-03-02      0    40      0    NaN
    """
    ledger = as_table(contracts)
    people = None if customers is None else as_table(customers)
    wanted = names(attributes)
    _check_settings(as_of, window_start, grace_days)
    require("spells", ledger, ("customer_id", "start"))
    if people is not None:
        require("spells of customers", people, ("customer_id",))
    _check_attributes(ledger, people, wanted)
    kept = tuple(name for name in wanted if name in ledger.columns)
    merged = _merged(_in_force(ledger, as_of), bridged_days=grace_days, kept=kept)
    return _watched(_of_customers(merged, people, wanted), window_start).select(*_COLUMNS, *wanted)


def spells_from_purchases(transactions: Rows, *, as_of: dt.date, inactive_days: int) -> ir.Table:
    """Return one row a spell of buying, as a lazy Ibis table, for customers who are bound by no contract.

    A spell ends ``inactive_days`` after a purchase that is followed by none until that day, that day included; a later
    purchase opens a new spell. A spell whose end would fall on or after ``as_of`` is open. Returns (lines with
    negative revenue) are no purchases.

    Columns in: ``customer_id, date`` and, where there is one, ``revenue``. Columns out: as of :func:`spells`,
    ``cause`` always missing. Raises MeasureError for an absent column or ``inactive_days`` below 1.

    >>> import pandas as pd
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-31", "2025-06-01"])
    >>> orders = pd.DataFrame({"customer_id": "a", "date": days})
    >>> buying = spells_from_purchases(orders, as_of=dt.date(2025, 6, 11), inactive_days=30)
    >>> buying.order_by("origin").drop("customer_id", "cause").to_pandas()
          origin  entry  exit  event
    0 2025-01-01      0    60      1
    1 2025-06-01      0    10      0
    """
    lines = as_table(transactions)
    require("spells_from_purchases", lines, ("customer_id", "date"))
    if inactive_days < 1:
        raise MeasureError("spells_from_purchases", f"inactive_days is {inactive_days}", "Give 1 day or more")
    if "revenue" in lines.columns:
        lines = lines.filter(lines.revenue >= 0)
    known = lines.select(lines.customer_id, start=lines.date.cast("date")).distinct()
    known = known.filter(known.start < as_of, known.customer_id.notnull())
    end = known.start.epoch_days() + inactive_days
    stretches = known.mutate(
        _until=ibis.least(end, _day(as_of)),
        _closed=ibis.ifelse(end < _day(as_of), 1, 0),
        reason=ibis.null("string"),
    )
    return _watched(_merged(stretches, bridged_days=0, kept=()), None).select(*_COLUMNS)


def is_event(table: ir.Table) -> ir.BooleanValue:
    """Say of each spell handed to a measure whether it ended; ``event`` may be 0 and 1 or a truth value."""
    return table.event if table.event.type().is_boolean() else table.event == 1


def is_sound(table: ir.Table) -> ir.BooleanValue:
    """Say of each spell handed to a measure whether 0 <= entry <= exit and event is 0 or 1; missing counts as not."""
    is_known = table.event.notnull() if table.event.type().is_boolean() else table.event.isin((0, 1))
    if table.exit.type().is_floating():  # engines take NaN for the greatest number
        is_known = is_known & ~table.exit.isnan() & ~table.exit.isinf()
    return ((table.entry >= 0) & (table.entry <= table.exit) & is_known).fill_null(False)


def refuse_faulty(measure: str, faulty: int, n: int) -> None:
    """Raise MeasureError where any of the ``n`` spells handed in is not sound."""
    if faulty:
        raise MeasureError(
            measure,
            f"{faulty} of {n} spells have a missing or negative entry, an exit that is missing or before the entry, "
            "no origin, or an event other than 0 and 1",
            "Correct them, or leave them out",
        )


def _check_settings(as_of: dt.date, window_start: dt.date | None, grace_days: int) -> None:
    if grace_days < 0:
        raise MeasureError("spells", f"grace_days is {grace_days}", "Give 0 or more days")
    if window_start is not None and window_start >= as_of:
        raise MeasureError(
            "spells",
            f"window_start {window_start} is not before as_of {as_of}, the first day not known",
            "Give an earlier window_start",
        )


def _check_attributes(ledger: ir.Table, people: ir.Table | None, wanted: tuple[str, ...]) -> None:
    known = {*ledger.columns, *(people.columns if people is not None else ())}
    both = ibis.table(dict.fromkeys(sorted(known - set(_COLUMNS)), "string"), name="known")
    require("spells, attributes of contracts and customers", both, wanted)


def _day(date: dt.date) -> int:
    return (date - _EPOCH).days


def _in_force(ledger: ir.Table, as_of: dt.date) -> ir.Table:
    """Hide what lies on or after ``as_of``, and say until when each contract was in force."""
    ended_on = (ledger["ended_on"] if "ended_on" in ledger.columns else ibis.null()).cast("date")
    reason = (ledger["reason"] if "reason" in ledger.columns else ibis.null()).cast("string")
    is_known = ended_on < as_of
    masked = ledger.mutate(
        start=ledger["start"].cast("date"),
        ended_on=ibis.ifelse(is_known, ended_on, ibis.null("date")),
        reason=ibis.ifelse(is_known, reason, ibis.null("string")),
    )
    masked = masked.filter(
        masked.customer_id.notnull(),
        masked.start < as_of,
        masked.ended_on.isnull() | (masked.ended_on >= masked.start),
    )
    return masked.mutate(
        _until=ibis.coalesce(masked.ended_on.epoch_days() + 1, _day(as_of)),
        _closed=ibis.ifelse(masked.ended_on.isnull(), 0, 1),
    )


def _merged(stretches: ir.Table, *, bridged_days: int, kept: tuple[str, ...]) -> ir.Table:
    """Merge stretches (start, _until, _closed, reason) of a customer into spells; keep columns of the first one."""
    earlier = ibis.window(group_by="customer_id", order_by="start", rows=(None, -1))
    rows = stretches.mutate(_reached=stretches["_until"].max().over(earlier))
    begins = rows["_reached"].isnull() | (rows.start.epoch_days() > rows["_reached"] + bridged_days)
    rows = rows.mutate(_begin=ibis.ifelse(begins, rows.start, ibis.null("date")))
    # By range, not by row: contracts that start on the same day belong to the same spell whatever their order.
    so_far = ibis.window(group_by="customer_id", order_by="start", range=(None, 0))
    rows = rows.mutate(_origin=rows["_begin"].max().over(so_far))
    spell = ibis.window(group_by=("customer_id", "_origin"))
    rows = rows.mutate(_end=rows["_until"].max().over(spell), _ended=rows["_closed"].min().over(spell))
    ends_it = (rows["_until"] == rows["_end"]) & (rows["_ended"] == 1)
    cause = ibis.ifelse(ends_it, rows.reason, ibis.null("string")).min().over(spell)
    order = [name for name in ("start", "contract_id", *kept) if name in rows.columns]
    first = ibis.window(group_by=("customer_id", "_origin"), order_by=order)
    rows = rows.mutate(cause=cause, _place=ibis.row_number().over(first))
    rows = rows.filter(rows["_place"] == 0)
    event = rows["_ended"].cast("int64")
    return rows.select("customer_id", "_end", "cause", *kept, origin=rows["_origin"], event=event).mutate(
        _begin=ibis._.origin.epoch_days()
    )


def _of_customers(merged: ir.Table, people: ir.Table | None, wanted: tuple[str, ...]) -> ir.Table:
    """Add the customers' attributes, and move the origin of a first spell back to ``since``."""
    if people is None:
        return merged
    added = [name for name in wanted if name not in merged.columns]
    since = (people["since"] if "since" in people.columns else ibis.null()).cast("date")
    side = people.select(_key=people.customer_id, _since=since, **{name: people[name] for name in added})
    joined = merged.left_join(side, merged.customer_id == side["_key"])
    first = joined.origin.min().over(ibis.window(group_by="customer_id"))
    is_older = (joined.origin == first) & (joined["_since"] < joined.origin)
    return joined.mutate(origin=ibis.ifelse(is_older, joined["_since"], joined.origin))


def _watched(merged: ir.Table, window_start: dt.date | None) -> ir.Table:
    """Count entry and exit in days since origin; nothing before ``window_start`` is watched."""
    origin = merged.origin.epoch_days()
    begin = merged["_begin"] if window_start is None else ibis.greatest(merged["_begin"], _day(window_start))
    timed = merged.mutate(entry=begin - origin, exit=merged["_end"] - origin)
    return timed if window_start is None else timed.filter(timed.exit > timed.entry)
