"""When contracts can end: their terms, the notice they ask for, and whether they bind."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.point_in_time import Knowledge, day_number, in_force


def term_begin_after(as_of: dt.date, anchor: ir.Value, term_months: ir.Value) -> ir.Value:
    """Return the first day after ``as_of`` on which a term begins, terms of more than 0 months following one another.

    One of them begins at ``anchor``, before or after ``as_of``.
    """
    month = (as_of.year * 12 + as_of.month) - (anchor.year() * 12 + anchor.month())
    step = (month // term_months) * term_months
    here, next_one = (anchor + months.cast("int32").as_interval("M") for months in (step, step + term_months))
    return (here.epoch_days() > day_number(as_of)).ifelse(here, next_one)


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
    """One row a contract in force: customer_id, left (days to the end of its term), next_left (to that of the next).

    Also notice (days), renews, is_first (the first term runs), is_long (a term of more than a month).
    """
    contracts, today = in_force(known), day_number(known.as_of)
    kinds = {"term_months": "int64", "notice_days": "int64", "auto_renews": "boolean", "current_term_end": "date"}
    contracts = contracts.mutate(
        **{name: ibis.null(kind) for name, kind in kinds.items() if name not in contracts.columns}
    )
    start, given = contracts["start"], contracts["current_term_end"] + ibis.interval(days=1)
    months = (contracts["term_months"] > 0).ifelse(contracts["term_months"], ibis.null("int64"))
    renews = contracts["auto_renews"].fill_null(True)
    after_first = start + months.cast("int32").as_interval("M")
    following = term_begin_after(known.as_of, ibis.coalesce(given, start), months)
    ends = ibis.cases(
        (given.epoch_days() > today, given),
        (renews, following),
        (given.isnull() & (after_first.epoch_days() > today), after_first),
    )
    next_end = ends + months.cast("int32").as_interval("M")
    return contracts.select(
        "customer_id",
        left=(ends.epoch_days() - 1 - today).cast("int64"),
        next_left=(next_end.epoch_days() - 1 - today).cast("int64"),
        notice=ibis.greatest(contracts["notice_days"], 0).fill_null(0),
        renews=renews,
        is_first=(after_first.epoch_days() > today).fill_null(True),
        is_long=(months > 1).fill_null(True),
    )
