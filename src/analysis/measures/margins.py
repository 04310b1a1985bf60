"""What each offer earns: margin, contribution after cost to serve, its trend, and whether it is worth keeping."""

from __future__ import annotations

from typing import Literal, get_args

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, check_confidence
from analysis.measures.goods import one_row_each, with_goods
from analysis.measures.inference import Floats, holm, ratio, verdicts
from analysis.measures.service import FINE, MONEY, MONTH, Allocation, Days, placed, service_of

Verdict = Literal["keep", "watch", "drop", "too few", "cost unknown", "not sold"]
"""What is to be done about an offer; ``too few`` months for an interval; ``not sold`` in the period, so it is none."""


def margins(
    transactions: Rows,
    products: Rows | None = None,
    costs: Rows | None = None,
    *,
    period: Days,
    previous: Days,
    allocate: Allocation = "revenue",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Say what each offer earned in a period and the one before, and which offers cost more than they bring.

    Contribution is margin less cost to serve. The costs of a customer in a period are shared out among what the
    customer bought in it, by positive ``revenue``, by the ``orders`` an offer stands in, or not at all (``none``); a
    month's costs belong to its first day. Returns count as negative. Margin and contribution rest on the lines whose
    cost is known; without any in a period, they are missing there.

    An offer is to ``drop`` where the upper end of its contribution is below 0 in both periods, to ``watch`` where it is
    below 0 in the period only or the interval holds 0, else to ``keep``. One that was not sold in the period, but only
    before or only sent back, is no offer any more: ``not sold``.

    What was booked is certain. The interval is that of what as many months like these bring on average: the mean month
    by Student's t, times their number. Months are those of the calendar, one without a sale counting 0. How they vary
    is taken within each period and pooled over those in which the offer was sold, for few months alone tell little of
    it. Months are taken to be independent: trend and season within a period count as chance and make the interval
    rather too wide, good and bad months that come in rows make it too narrow. Months that are all the same leave no
    doubt.

    No cost is below 0. Of goods, one is taken for unknown unless they came back, see ``goods.with_goods``. A cost to
    serve may be, as a correction of another; a customer's whose costs of a period add up to less than 0 is left out.

    Columns in: date, revenue (money), product_id, of transactions; where present also cost (money), quantity and, to
    share out costs, customer_id, transaction_id; product_id, unit_cost (money a piece), name, category, of products;
    customer_id, month (a date), cost (money), of costs.

    Columns out: product_id, name, category (where products have them), lines (of the period), without_cost (share of
    them whose cost is unknown, 0 to 1), revenue (of all lines), margin, margin_ratio (of the revenue of lines whose
    cost is known), service (cost to serve; missing where none is shared out), contribution, low, high, months (that
    the interval rests on; with fewer than 2 there is none), previous_contribution, previous_low, previous_high,
    previous_months, slope (money a month, over the months of both periods), slope_low, slope_high, p (two-sided),
    p_holm (over all offers), trend (up, down, within noise, too few), verdict. One row an offer sold or returned in
    either period, sorted by product_id. ``attrs``, in money of the period: ``unassigned``, revenue without product_id;
    ``unallocated``, cost to serve of customers who bought nothing in it. Of both periods: ``wrong_sign``, lines whose
    cost is below 0; ``service_below_zero``, customers whose cost to serve is.

    Raises MeasureError where a column is absent, a product stands in several rows, the periods overlap or run
    backwards, the allocation is unknown or the confidence is not between 0 and 1.
    Source: Kilger, Pampel and Vikas (2012), Flexible Plankostenrechnung und Deckungsbeitragsrechnung; one-way layout
    with a common variance, and slope of a least-squares line: Snedecor and Cochran (1989), Statistical Methods.

    >>> import datetime as dt
    >>> days = pd.to_datetime([f"2026-{month:02}-15" for month in range(1, 7)])
    >>> lines = pd.DataFrame({"date": days, "product_id": "tea", "revenue": 10.0, "cost": [12, 13, 12, 12, 11, 12]})
    >>> now, before = (dt.date(2026, 4, 1), dt.date(2026, 6, 30)), (dt.date(2026, 1, 1), dt.date(2026, 3, 31))
    >>> found = margins(lines, period=now, previous=before)
    >>> found[["product_id", "revenue", "margin", "low", "high", "trend", "verdict"]].round(2)
      product_id  revenue  margin   low  high         trend verdict
    0        tea     30.0    -5.0 -7.78 -2.22  within noise    drop
    """
    _check(period, previous, allocate, confidence)
    lines = with_goods("margins", transactions, products)
    sold = _reduce_margins(lines, period, previous).execute()
    service = service_of(lines, costs, period, previous, allocate)
    found = _judged(sold[sold["product_id"].notna()], service, period, previous, confidence)
    now, served_now = sold[sold["is_now"] == 1], None if service is None else service[service["is_now"] == 1]
    found.attrs = {
        "unassigned": float(now.loc[now["product_id"].isna(), "cents"].sum() / 100),
        "unallocated": 0.0 if served_now is None else float(served_now["unallocated"].sum() / MONEY),
        "wrong_sign": int(sold["wrong_sign"].sum()),
        "service_below_zero": 0 if service is None else service.attrs["below_zero"],
    }
    return found if products is None else _named(found, one_row_each("margins", products, "products", "product_id"))


def _check(period: Days, previous: Days, allocate: str, confidence: float) -> None:
    if not previous[0] <= previous[1] < period[0] <= period[1]:
        raise MeasureError(
            "margins",
            f"previous runs from {previous[0]} to {previous[1]}, period from {period[0]} to {period[1]}",
            "Give first and last day of each, previous before period",
        )
    if allocate not in get_args(Allocation):
        raise MeasureError("margins", f"unknown allocation {allocate!r}", f"Known: {', '.join(get_args(Allocation))}")
    check_confidence("margins", confidence)


def _reduce_margins(lines: ir.Table, period: Days, previous: Days) -> ir.Table:
    rows = placed(lines, "date", period, previous)
    known = rows["goods"].notnull()
    return rows.group_by("product_id", *MONTH).aggregate(
        lines=rows.count(),
        sold=(rows["cents"] >= 0).ifelse(1, 0).sum(),
        wrong_sign=rows["wrong_sign"].sum(),
        known=known.ifelse(1, 0).sum(),
        cents=rows["cents"].sum().cast("int64"),
        known_cents=rows["cents"].sum(where=known).coalesce(0).cast("int64"),
        goods=rows["goods"].sum().coalesce(0).cast("int64"),
    )


def _judged(
    sold: pd.DataFrame, service: pd.DataFrame | None, period: Days, previous: Days, confidence: float
) -> pd.DataFrame:
    offers = pd.Index(sorted(sold["product_id"].unique()), dtype="str", name="product_id")
    months = pd.MultiIndex.from_tuples([*_months(previous, 0), *_months(period, 1)], names=MONTH)
    cells = {
        name: _by_month(sold, name, offers, months)
        for name in ("lines", "sold", "known", "cents", "known_cents", "goods")
    }
    is_now = months.get_level_values("is_now").to_numpy() == 1
    served = np.zeros(cells["lines"].shape) if service is None else _by_month(service, "service", offers, months)
    margin = (cells["known_cents"] - cells["goods"]) * FINE
    is_known = _is_known(cells["lines"], cells["known"], is_now)
    contribution = np.where(is_known, margin - served, np.nan)
    now = {name: values[:, is_now].sum(axis=1) for name, values in cells.items()}
    some = now["known"] > 0
    earned = np.where(is_known[:, is_now].any(axis=1), margin[:, is_now].sum(axis=1) / MONEY, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        unknown = 1 - now["known"] / now["lines"]
        margin_ratio = np.where(some & (now["known_cents"] != 0), 100 * earned / now["known_cents"], np.nan)
    found = pd.DataFrame(
        {
            "product_id": offers,
            "lines": now["lines"].astype("int64"),
            "without_cost": unknown,
            "revenue": now["cents"] / 100,
            "margin": earned,
            "margin_ratio": margin_ratio,
            "service": np.nan if service is None else served[:, is_now].sum(axis=1) / MONEY,
            **_intervals(contribution, is_now, confidence),
            **_trend(contribution, months, is_now, confidence),
        }
    )
    return found.assign(verdict=_verdicts(found, now["sold"] > 0))


def _months(days: Days, is_now: int) -> list[tuple[int, int]]:
    first, last = (day.year * 12 + day.month - 1 for day in days)
    return [(is_now, month) for month in range(first, last + 1)]


def _by_month(cells: pd.DataFrame, name: str, offers: pd.Index, months: pd.MultiIndex) -> Floats:
    wide = cells[cells["product_id"].notna()].set_index(["product_id", *MONTH])[name].unstack(MONTH)
    found: Floats = wide.reindex(index=offers, columns=months).fillna(0).to_numpy(dtype=np.float64)
    return found


def _is_known(lines: Floats, known: Floats, is_now: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say where the contribution of a month is known: something sold with its cost, or nothing sold at all.

    A period without any line of known cost tells nothing, neither where costs are unknown nor where the offer was not
    there: its months, all 0, would pass for months that do not vary.
    """
    found: NDArray[np.bool_] = (known > 0) | (lines == 0)
    for part in (is_now, ~is_now):
        found[:, part] &= (known[:, part] > 0).any(axis=1, keepdims=True)
    return found


def _intervals(contribution: Floats, is_now: NDArray[np.bool_], confidence: float) -> dict[str, Floats]:
    """Return the sum of each period's months and its ends; the spread within periods is pooled over both."""
    parts = {"": contribution[:, is_now], "previous_": contribution[:, ~is_now]}
    counts = {name: (~np.isnan(values)).sum(axis=1) for name, values in parts.items()}
    squares = sum(np.nansum(_from_mean(values) ** 2, axis=1) for values in parts.values())
    df = sum(np.maximum(count - 1, 0) for count in counts.values())
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / df
    found: dict[str, Floats] = {}
    for name, values in parts.items():
        total = np.where(counts[name] > 0, np.nansum(values, axis=1), np.nan) / MONEY
        half = _t(df, confidence) * np.sqrt(counts[name] * variance) / MONEY
        half = np.where(counts[name] > 1, half, np.nan)
        found |= {f"{name}contribution": total, f"{name}low": total - half, f"{name}high": total + half}
        found[f"{name}months"] = counts[name]
    return found


def _from_mean(values: Floats) -> Floats:
    """Return deviations from the mean of each row, exactly 0 where all of it is equal."""
    count = np.maximum((~np.isnan(values)).sum(axis=1, keepdims=True), 1)
    found: Floats = (values * count - np.nansum(values, axis=1, keepdims=True)) / count
    return found


def _t(df: Floats, confidence: float) -> Floats:
    found: Floats = special.stdtrit(np.where(df > 0, df, np.nan), (1 + confidence) / 2)
    return found


def _trend(
    contribution: Floats, months: pd.MultiIndex, is_now: NDArray[np.bool_], confidence: float
) -> dict[str, object]:
    """Return the slope of a least-squares line over the months of both periods, its ends and test."""
    has_both = (~np.isnan(contribution[:, is_now])).any(axis=1) & (~np.isnan(contribution[:, ~is_now])).any(axis=1)
    contribution = np.where(np.expand_dims(has_both, 1), contribution, np.nan)
    month = np.where(np.isnan(contribution), np.nan, months.get_level_values("month").to_numpy(dtype=np.float64))
    x, y = _from_mean(month), _from_mean(contribution) / MONEY
    df = (~np.isnan(y)).sum(axis=1) - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        across = np.nansum(x**2, axis=1)
        slope = np.where(df > 0, np.nansum(x * y, axis=1) / across, np.nan)
        se = np.sqrt(np.nansum((y - slope[:, None] * x) ** 2, axis=1) / df / across)
    p = 2 * special.stdtr(np.where(df > 0, df, np.nan), -np.abs(ratio(slope, se)))
    half = _t(df, confidence) * se
    p_holm = holm(p)
    ends = {"slope": slope, "slope_low": slope - half, "slope_high": slope + half, "p": p, "p_holm": p_holm}
    return ends | {"trend": pd.array(verdicts(slope, p_holm, confidence), dtype="str")}


def _verdicts(found: pd.DataFrame, is_sold: NDArray[np.bool_]) -> object:
    below, was_below = found["high"] < 0, found["previous_high"] < 0
    words = np.select(
        [~is_sold, found["contribution"].isna(), found["high"].isna(), below & was_below, found["low"] <= 0],
        ["not sold", "cost unknown", "too few", "drop", "watch"],
        "keep",
    )
    return pd.array(words.tolist(), dtype="str")


def _named(found: pd.DataFrame, products: ir.Table) -> pd.DataFrame:
    names = [name for name in ("name", "category") if name in products.columns]
    described = products.select("product_id", *names).execute()
    named = found[["product_id"]].merge(described, on="product_id", how="left").join(found.drop(columns="product_id"))
    named.attrs = found.attrs
    return named
