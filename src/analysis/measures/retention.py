"""Retention: what share of a cohort is still there month by month, and what share of revenue stayed in a window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.inference import normal_quantile
from analysis.measures.intervals import wilson
from analysis.measures.risk_sets import Integers, coded
from analysis.measures.spells import is_event, is_sound, refuse_faulty

_TRIANGLE = ["cohort", "month", "joined", "ended", "kept", "share", "share_low", "share_high", "complete"]
_ROUNDING = 1e-12
"""Relative to the sums it is made of, a sum of squares below this is 0."""


def cohorts(spells: Rows, *, as_of: dt.date, by: str | Sequence[str] = (), confidence: float = 0.95) -> pd.DataFrame:
    """Return the retention triangle: of the spells that began in a month, the share that outlasted each month since.

    A spell ends in the month of its last day in force. A customer who comes back is of the cohort of the return.

    Columns in: ``origin`` (date), ``entry, exit`` (days since origin), ``event``, as :func:`spells` gives them, and
    those of ``by``. Spells not watched from their first day are left out: those that ended unseen are not there.

    Columns out, one row a group, cohort and month up to the one before ``as_of``, sorted by them: ``cohort``, the first
    day of the month in which they began; ``month``, 0 for that month; ``joined``, spells of the cohort; ``ended`` in
    the month; ``kept`` after it; ``share`` kept of joined, with its Wilson interval ``share_low, share_high``;
    ``complete``, false where ``as_of`` lies within the month, so that it is covered only in part. ``attrs``: ``n``
    spells read, of which ``zero_length`` and ``late_entry`` are left out; ``censored``, spells lost from sight before
    ``as_of``: they count as kept, so shares are too high wherever this is not 0.

    Raises MeasureError for an absent column, a confidence outside 0 to 1, and values outside their domain.
    Source: Fader and Hardie (2007), Journal of Interactive Marketing 21, 76-90; Wilson (1927), JASA 22, 209-212.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [20, 45, 100], "event": [1, 1, 0]})
    >>> ledger["origin"] = pd.to_datetime("2025-01-01")
    >>> cohorts(ledger, as_of=dt.date(2025, 3, 11))[["month", "joined", "ended", "kept", "share", "complete"]].round(2)
       month  joined  ended  kept  share  complete
    0      0       3      1     2   0.67      True
    1      1       3      1     1   0.33      True
    2      2       3      0     1   0.33     False
    """
    table, groups = as_table(spells), names(by)
    check_confidence("cohorts", confidence)
    require("cohorts", table, ("origin", "entry", "exit", "event", *groups))
    counts = _reduce_cohorts(table, as_of, groups).to_pyarrow().to_pandas()
    by_kind = counts.groupby("_kind")["_n"].sum()
    refuse_faulty("cohorts", int(by_kind.get("faulty", 0)), int(by_kind.sum()))
    watched = counts[counts["_kind"] == "spell"]
    triangle = _triangle(watched, groups, as_of)
    low, high = wilson(triangle["kept"], triangle["joined"], confidence)
    triangle = triangle.assign(share_low=low, share_high=high)[[*groups, *_TRIANGLE]]
    triangle.attrs = {
        "n": int(by_kind.sum()),
        "zero_length": int(by_kind.get("zero_length", 0)),
        "late_entry": int(by_kind.get("late", 0)),
        "censored": int(watched["_lost"].sum()),
    }
    return triangle


def revenue_churn(
    contracts: Rows, *, start: dt.date, end: dt.date, by: str | Sequence[str] = (), confidence: float = 0.95
) -> pd.DataFrame:
    """Return what became of the fees in force on ``start`` until ``end``, the window's last day, included.

    The fees of a customer's contracts in force on the first day are set against those in force past the last day; a
    contract whose last day in force lies in the window has ended in it. New customers do not count. With ``by`` a
    customer counts in each group apart, so who moves from one to another is lost to the first.

    Columns in: contracts ``customer_id, start, fee`` (a month), where there is one ``ended_on``, and those of ``by``.

    Columns out, one row a group, sorted by group: ``customers`` with a contract on the first day; ``fees_start``, a
    month; ``lost``, fees of those without a contract afterwards; ``reduced`` and ``added``, by which the fees of the
    others fell and rose; ``fees_end``, what is left of it all; ``gone``, customers without a contract afterwards;
    ``lost_by, reduced_by, added_by``, customers behind these fees; ``revenue_churn``, (lost + reduced) / fees_start;
    ``gross_retention`` = 1 - revenue_churn and ``net_retention`` = fees_end / fees_start, with the intervals
    ``gross_low, gross_high, net_low, net_high`` (of a ratio over customers, by linearisation; missing where customers
    do not differ). ``attrs``: ``without_fee``, customers left out since a fee of theirs is missing.

    Raises MeasureError for an absent column, an end before the start, a negative fee, a confidence outside 0 to 1.
    Source: Cochran, Sampling Techniques (1977), 6.4, for the intervals.

    >>> ledger = pd.DataFrame({"customer_id": ["a", "b", "c", "c"], "fee": [50, 30, 20, 35]})
    >>> ledger["start"] = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-01", "2025-02-01"])
    >>> ledger["ended_on"] = pd.to_datetime([None, "2025-03-31", "2025-01-31", None])
    >>> stayed = revenue_churn(ledger, start=dt.date(2025, 1, 1), end=dt.date(2025, 3, 31))
    >>> stayed[["fees_start", "lost", "added", "fees_end", "gross_retention", "net_retention"]]
       fees_start  lost  added  fees_end  gross_retention  net_retention
    0       100.0  30.0   15.0      85.0              0.7           0.85
    """
    table, groups = as_table(contracts), names(by)
    z = normal_quantile(confidence, "revenue_churn")
    if end < start:
        raise MeasureError("revenue_churn", f"end {end} lies before start {start}", "Name the window's last day as end")
    require("revenue_churn", table, ("customer_id", "start", "fee", *groups))
    sums = _reduce_revenue_churn(table, start, end, groups).to_pyarrow().to_pandas()
    if negative := int(sums["negative"].fillna(0).sum()):
        raise MeasureError("revenue_churn", f"{negative} customers have a contract with a negative fee")
    kept = sums.fillna(dict.fromkeys(sums.columns.difference(groups), 0))
    kept = kept.sort_values(list(groups), ignore_index=True) if groups else kept
    found = _revenue(kept, groups, z)
    found.attrs = {"without_fee": int(kept["without_fee"].sum())}
    return found


def revenue_by_period(
    contracts: Rows,
    periods: Mapping[str, tuple[dt.date, dt.date]],
    *,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return ``revenue_churn`` of each period: ``periods`` gives by its id the first and the last day, in their order.

    Columns in and Raises: as for :func:`revenue_churn`, but ``fee`` may be absent. Columns out: ``period``, then as for
    :func:`revenue_churn`, and ``without_fee``, customers of the first day left out since a fee of theirs is missing.
    Of fewer than ``min_group`` customers nothing but their number is told, and nothing at all where there is no column
    ``ended_on``, for who has left is not on record then; so says ``attrs["ends_on_record"]``. Source: as for
    :func:`revenue_churn`.

    >>> ledger = pd.DataFrame({"customer_id": ["a", "b"], "fee": [50, 30]})
    >>> ledger["start"] = pd.to_datetime("2024-01-01")
    >>> ledger["ended_on"] = pd.to_datetime([None, "2025-01-31"])
    >>> january, february = (dt.date(2025, 1, 1), dt.date(2025, 1, 31)), (dt.date(2025, 2, 1), dt.date(2025, 2, 28))
    >>> months = {"2025-01": january, "2025-02": february}
    >>> revenue_by_period(ledger, months, min_group=1)[["period", "fees_start", "lost", "fees_end"]]
        period  fees_start  lost  fees_end
    0  2025-01        80.0  30.0      50.0
    1  2025-02        50.0   0.0      50.0
    """
    table = as_table(contracts)
    ledger = table if "fee" in table.columns else table.mutate(fee=ibis.null("float64"))
    windows = []
    for period, (start, end) in periods.items():
        window = revenue_churn(ledger, start=start, end=end, confidence=confidence)
        windows.append(window.assign(period=period, without_fee=window.attrs["without_fee"]))
    found = pd.concat(windows, ignore_index=True)
    found.attrs = {}
    has_ends = "ended_on" in table.columns
    told = [name for name in found if name not in ("period", "customers", "without_fee")]
    held_back = found[told].where((found["customers"] >= max(min_group, 1)) & has_ends)
    shown = found[["period", "customers"]].join(held_back).join(found["without_fee"])
    shown.attrs = {"ends_on_record": has_ends}
    return shown


def _reduce_cohorts(table: ir.Table, as_of: dt.date, groups: tuple[str, ...]) -> ir.Table:
    """Reduce to one row a group, month of begin and month of end; spells that do not count are of another kind."""
    origin, entry = table["origin"].cast("date"), table["entry"]
    is_faulty = ~is_sound(table) | origin.isnull()
    length = is_faulty.ifelse(ibis.null(table["exit"].type()), table["exit"])
    last = origin + (length.ceil().cast("int64") - 1).as_interval("D")
    is_ended = is_event(table) & (last < as_of)
    rows = table.filter(origin.isnull() | (origin < as_of)).select(
        *groups,
        _kind=ibis.cases((is_faulty, "faulty"), (entry == length, "zero_length"), (entry > 0, "late"), else_="spell"),
        _begin=_month(origin),
        _end=is_ended.ifelse(_month(last), ibis.null("int64")),
        _lost=(~is_event(table) & (last < _day_before(as_of))).ifelse(1, 0),
    )
    lost = rows["_lost"].sum().cast("int64")
    return rows.group_by(*groups, "_kind", "_begin", "_end").aggregate(_n=rows.count(), _lost=lost)


def _month(date: ir.DateValue) -> ir.IntegerValue:
    """Return the number of the month, as numpy counts them from January 1970."""
    return ((date.year() - 1970) * 12 + date.month() - 1).cast("int64")


def _day_before(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=1)


def _triangle(counts: pd.DataFrame, groups: tuple[str, ...], as_of: dt.date) -> pd.DataFrame:
    """Lay out one row a cohort and month, and take from the cohort what has ended by then."""
    code, cohort = coded(counts[[*groups, "_begin"]])
    begin, size = cohort["_begin"].to_numpy(dtype=np.int64), counts["_n"]
    months = _last_month(as_of) - begin + 1
    first_row = np.cumsum(months) - months
    row = np.repeat(np.arange(len(cohort)), months)
    month = np.arange(len(row)) - first_row[row]
    has_ended = counts["_end"].notna().to_numpy()
    place = (first_row - begin)[code][has_ended] + counts["_end"][has_ended].to_numpy(dtype=np.int64)
    ended, joined = _summed(place, size[has_ended], len(row)), _summed(code, size, len(cohort))[row]
    gone = np.append(0, np.cumsum(ended))
    kept = joined - (gone[1:] - gone[first_row[row]])
    triangle = cohort[list(groups)].take(row).reset_index(drop=True)
    return triangle.assign(
        cohort=begin[row].astype("datetime64[M]").astype("datetime64[s]"),
        month=month,
        joined=joined,
        ended=ended,
        kept=kept,
        share=kept / joined,
        complete=(begin[row] + month + 1).astype("datetime64[M]").astype("datetime64[D]") <= np.datetime64(as_of),
    )


def _last_month(as_of: dt.date) -> int:
    return int(np.datetime64(_day_before(as_of), "M").astype(int))


def _summed(row: Integers, counts: pd.Series, rows: int) -> Integers:
    return np.bincount(row, weights=counts, minlength=rows).astype(np.int64)


def _reduce_revenue_churn(table: ir.Table, start: dt.date, end: dt.date, groups: tuple[str, ...]) -> ir.Table:
    """Reduce to one row a group: sums over the customers of the first day, in cents, which add up in any order."""
    begin = table["start"].cast("date")
    last = (table["ended_on"] if "ended_on" in table.columns else ibis.null()).cast("date")
    is_before = (begin <= start) & (last.isnull() | (last >= start))
    is_after = (begin <= end) & (last.isnull() | (last > end))
    fee = table["fee"].cast("float64")
    cents = (fee.isnan() | fee.isinf()).ifelse(ibis.null("float64"), (fee * 100).round().cast("float64"))
    fees = table.filter(table["customer_id"].notnull(), is_before | is_after).select(
        "customer_id",
        *groups,
        _is_before=is_before.ifelse(1, 0),
        _is_after=is_after.ifelse(1, 0),
        _before=is_before.ifelse(cents, 0.0),
        _after=is_after.ifelse(cents, 0.0),
        _unknown=cents.isnull().ifelse(1, 0),
        _negative=(cents < 0).ifelse(1, 0),
    )
    flags = {name: fees[name].max() for name in ("_is_before", "_is_after", "_unknown", "_negative")}
    customers = fees.group_by("customer_id", *groups).aggregate(
        **flags, _x=fees["_before"].sum(), _y=fees["_after"].sum()
    )
    customers = customers.filter(customers["_is_before"] == 1)
    x, y, is_known = customers["_x"], customers["_y"], 1 - customers["_unknown"]
    stays = ibis.least(x, y)
    is_lost, is_kept = is_known * (1 - customers["_is_after"]), is_known * customers["_is_after"]
    sums = {
        "customers": is_known,
        "x": is_known * x,
        "y": is_known * y,
        "lost": is_lost * x,
        "reduced": is_kept * (x - stays),
        "added": is_kept * (y - stays),
        "gone": is_lost,
        "lost_by": is_lost * (x > 0).ifelse(1, 0),
        "reduced_by": is_kept * (x > stays).ifelse(1, 0),
        "added_by": is_kept * (y > stays).ifelse(1, 0),
        "xx": is_known * x * x,
        "xy": is_known * x * y,
        "yy": is_known * y * y,
        "xg": is_known * x * stays,
        "gg": is_known * stays * stays,
        "without_fee": customers["_unknown"],
        "negative": customers["_negative"],
    }
    return customers.aggregate(by=groups, **{name: term.sum().cast("float64") for name, term in sums.items()})


def _revenue(sums: pd.DataFrame, groups: tuple[str, ...], z: float) -> pd.DataFrame:
    money = {"fees_start": "x", "lost": "lost", "reduced": "reduced", "added": "added", "fees_end": "y"}
    found = sums[list(groups)].assign(customers=sums["customers"].astype("int64"))
    found = found.assign(**{name: sums[column] / 100 for name, column in money.items()})
    found = found.join(sums[["gone", "lost_by", "reduced_by", "added_by"]].astype("int64"))
    total = sums["x"].where(sums["x"] > 0)
    churn, net = (sums["lost"] + sums["reduced"]) / total, sums["y"] / total
    gross_half = z * _ratio_error(1 - churn, sums, total, "xg", "gg")
    net_half = z * _ratio_error(net, sums, total, "xy", "yy")
    most = sums["added"].gt(0).map({True: np.inf, False: 1.0})  # where nothing is added, net is gross
    return found.assign(
        revenue_churn=churn,
        gross_retention=1 - churn,
        gross_low=(1 - churn - gross_half).clip(lower=0),
        gross_high=(1 - churn + gross_half).clip(upper=1),
        net_retention=net,
        net_low=(net - net_half).clip(lower=0),
        net_high=(net + net_half).clip(upper=most),
    )


def _ratio_error(ratio: pd.Series, sums: pd.DataFrame, total: pd.Series, product: str, square: str) -> pd.Series:
    """Return the error of a ratio of sums from its residuals, missing where there are none."""
    squares = sums[square] - 2 * ratio * sums[product] + ratio**2 * sums["xx"]
    n = sums["customers"]
    varies = (n > 1) & (squares > _ROUNDING * sums["xx"])
    return np.sqrt(squares.where(varies) * n / (n - 1).where(n > 1)) / total
