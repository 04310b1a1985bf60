"""When contracts can end: their terms, the notice they ask for, and whether they bind."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.point_in_time import Knowledge, day_number, in_force


def term_begin_after(as_of: dt.date, anchor: ir.Value, term_months: ir.Value) -> ir.Value:
    """Return the first day after ``as_of`` on which a term begins, terms of more than 0 months following one another.

    One of them begins at ``anchor``, before or after ``as_of``; in a month that lacks its day, on the month's last.
    """
    return _begin_after(ibis.literal(as_of, type="date"), anchor, term_months)


def bound_terms(known: Knowledge, *, consumer_rule: bool) -> ir.Table | None:
    """One row a customer with a contract in force: days_bound, notice_days_left, contractual."""
    if not known.has("contracts"):
        return None
    contracts = _term_ends(known)
    month = (pd.Timestamp(known.as_of) + pd.DateOffset(months=1) - pd.Timestamp(known.as_of)).days
    notice, left, renews = contracts["notice"], contracts["left"], contracts["renews"]
    notice_at_any_time = ibis.least(notice, month) if consumer_rule else notice
    is_free = left.isnull() | (renews & ~contracts["is_first"] & ibis.literal(consumer_rule))
    is_missed = renews & (left < notice)
    next_left = ibis.null("int64") if consumer_rule else contracts["next_left"]
    days_bound = ibis.cases(
        (is_free, notice_at_any_time),
        (is_missed, next_left.fill_null(ibis.greatest(left, notice_at_any_time))),
        else_=left,
    )
    binds = ~is_free & (~is_missed | next_left.notnull()) & contracts["is_long"]
    notice_days_left = binds.ifelse(days_bound - renews.ifelse(notice, 0), ibis.null("int64"))
    rows = contracts.select("customer_id", days=days_bound, notice=notice_days_left, binds=binds.ifelse(1, 0))
    return rows.group_by("customer_id").aggregate(
        days_bound=rows["days"].max(), notice_days_left=rows["notice"].min(), contractual=rows["binds"].max()
    )


def _term_ends(known: Knowledge) -> ir.Table:
    """One row a contract in force: customer_id, left (days to the end of its term), notice (days).

    Also next_left (days to the first end of a term that notice given today is in time for, where ``left`` is too soon),
    renews, is_first (the first term runs), is_long (a term of more than a month).
    """
    contracts, today = in_force(known), day_number(known.as_of)
    kinds = {"term_months": "int64", "notice_days": "int64", "auto_renews": "boolean", "current_term_end": "date"}
    contracts = contracts.mutate(
        **{name: ibis.null(kind) for name, kind in kinds.items() if name not in contracts.columns}
    )
    start, given = contracts["start"], contracts["current_term_end"] + ibis.interval(days=1)
    months = (contracts["term_months"] > 0).ifelse(contracts["term_months"], ibis.null("int64"))
    renews = contracts["auto_renews"].fill_null(True)
    after_first = _months_later(start, months)
    anchor = ibis.coalesce(given, start)
    following = term_begin_after(known.as_of, anchor, months)
    ends = ibis.cases(
        (given.epoch_days() > today, given),
        (renews, following),
        (given.isnull() & (after_first.epoch_days() > today), after_first),
    )
    notice = ibis.greatest(contracts["notice_days"], 0).fill_null(0)
    noticed = ibis.literal(known.as_of, type="date") + notice.as_interval("D")
    next_end = _begin_after(noticed, anchor, months)
    return contracts.select(
        "customer_id",
        left=(ends.epoch_days() - 1 - today).cast("int64"),
        next_left=(next_end.epoch_days() - 1 - today).cast("int64"),
        notice=notice,
        renews=renews,
        is_first=(after_first.epoch_days() > today).fill_null(True),
        is_long=(months > 1).fill_null(True),
    )


def _begin_after(day: ir.Value, anchor: ir.Value, term_months: ir.Value) -> ir.Value:
    between = (day.year() * 12 + day.month()) - (anchor.year() * 12 + anchor.month())
    whole = (between // term_months) * term_months
    is_later = _months_later(anchor, whole).epoch_days() > day.epoch_days()
    return _months_later(anchor, whole + is_later.ifelse(0, term_months))


def _months_later(day: ir.Value, months: ir.Value) -> ir.Value:
    return day + months.cast("int32").as_interval("M")
