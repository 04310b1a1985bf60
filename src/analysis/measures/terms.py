"""When contracts can end: their terms, the notice they ask for, and whether they bind."""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.point_in_time import Knowledge, day_number, in_force

LONGEST_MONTHS, _LONGEST_DAYS = 1200, 36525
"""A term or a notice beyond a century has no end in sight and counts as a century: no engine counts days so far on."""


def term_begin_after(as_of: dt.date, anchor: ir.Value, term_months: ir.Value) -> ir.Value:
    """Return the first day after ``as_of`` on which a term begins, terms of more than 0 months following one another.

    One of them begins at ``anchor``, before or after ``as_of``; in a month that lacks its day, on the month's last.
    Terms beyond ``LONGEST_MONTHS`` count as that long.
    """
    return _begin_after(ibis.literal(as_of, type="date"), anchor, _within_sight(term_months))


def bound_terms(known: Knowledge, *, consumer_rule: bool) -> ir.Table | None:
    """One row a customer with a contract in force: days_bound, notice_days_left, contractual, term_known.

    Whatever the export says of the end of the current term, or of whether it renews, is not used: a renewal, a new term
    or a notice since ``known.as_of`` rewrites both, and none of them can be told from what was agreed before.
    """
    if not known.has("contracts"):
        return None
    contracts = _terms(known)
    month = (pd.Timestamp(known.as_of) + pd.DateOffset(months=1) - pd.Timestamp(known.as_of)).days
    notice, left, first_left = contracts["notice"], contracts["left"], contracts["first_left"]
    at_any_time = ibis.least(notice, month) if consumer_rule else notice
    has_term = (left == first_left if consumer_rule else left.notnull()).fill_null(False)
    days_bound = has_term.ifelse(left, ibis.greatest(first_left.fill_null(0), at_any_time))
    binds = has_term & contracts["is_long"]
    rows = contracts.select(
        "customer_id",
        days=days_bound,
        notice=binds.ifelse(left - notice, ibis.null("int64")),
        binds=binds.ifelse(1, 0),
        known=left.notnull().ifelse(1, 0),
    )
    return rows.group_by("customer_id").aggregate(
        days_bound=rows["days"].max(),
        notice_days_left=rows["notice"].min(),
        contractual=rows["binds"].max(),
        term_known=rows["known"].max(),
    )


def days_of_notice(held: ir.Table, as_of: dt.date) -> ir.IntegerValue:
    """Return the days from ``as_of`` to the last day of notice, for which the column notice_by is needed."""
    return held["notice_by"].cast("date").epoch_days() - day_number(as_of)


def is_soon(held: ir.Table, as_of: dt.date, within_days: int) -> ir.BooleanValue:
    """Say whether nothing but a contract holds, and the last day of notice is one of the next days from ``as_of`` on.

    Columns in: mix, notice_by.
    """
    ahead = days_of_notice(held, as_of)
    return ((held["mix"] == "contractual") & (ahead >= 0) & (ahead < within_days)).fill_null(False)


def reduce_soon(held: ir.Table, as_of: dt.date, within_days: int) -> ir.Table:
    """Count all customers, those with a term on record (``terms``) and those whose last day of notice is ``soon``.

    Columns in: mix, notice_by, term_known.
    """
    soon = is_soon(held, as_of, within_days).ifelse(1, 0)
    counts = {"terms": held["term_known"], "soon": soon}
    return held.aggregate(customers=held.count(), **{name: flag.sum().fill_null(0) for name, flag in counts.items()})


def _terms(known: Knowledge) -> ir.Table:
    """One row a contract in force: customer_id, notice (days), is_long (its term is of more than a month).

    Also left (days to the first last day of a term that notice given today is in time for) and first_left (to that of
    its first term, negative after it); both are missing without a term.
    """
    contracts, today = in_force(known), day_number(known.as_of)
    kinds = {"term_months": "int64", "notice_days": "int64"}
    contracts = contracts.mutate(
        **{name: ibis.null(kind) for name, kind in kinds.items() if name not in contracts.columns}
    )
    months = _within_sight(contracts["term_months"])
    notice = ibis.least(ibis.greatest(contracts["notice_days"], 0), _LONGEST_DAYS).fill_null(0)
    noticed = ibis.literal(known.as_of, type="date") + notice.as_interval("D")
    following = _begin_after(noticed, contracts["start"], months)
    after_first = _months_later(contracts["start"], months)
    return contracts.select(
        "customer_id",
        notice=notice,
        left=(following.epoch_days() - 1 - today).cast("int64"),
        first_left=(after_first.epoch_days() - 1 - today).cast("int64"),
        is_long=(months > 1).fill_null(False),
    )


def _within_sight(term_months: ir.Value) -> ir.Value:
    """Return a term of at most LONGEST_MONTHS, missing where it is missing, 0 or less."""
    return (term_months > 0).ifelse(ibis.least(term_months, LONGEST_MONTHS), ibis.null("int64"))


def _begin_after(day: ir.Value, anchor: ir.Value, term_months: ir.Value) -> ir.Value:
    between = (day.year() * 12 + day.month()) - (anchor.year() * 12 + anchor.month())
    whole = (between // term_months) * term_months
    is_later = _months_later(anchor, whole).epoch_days() > day.epoch_days()
    return _months_later(anchor, whole + is_later.ifelse(0, term_months))


def _months_later(day: ir.Value, months: ir.Value) -> ir.Value:
    return day + months.cast("int32").as_interval("M")
