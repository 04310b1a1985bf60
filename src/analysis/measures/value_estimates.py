"""From one row a customer to margins, costs a month and past value, and from forecasts to their sums."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.future_purchases import MONTH, WEEK
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.net_value import Timing

CONTRACT, PURCHASES, ALL = "contract", "purchases", "all"

_MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Settings:
    """What is taken for granted."""

    months: int
    discount: float
    timing: Timing
    model: str
    fee_margin: float
    margin_ratio: float | None
    service: float
    won_since: dt.date | None
    watched_from: dt.date | None
    draws: int
    seed: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Margins:
    """Margin ratios: by class, in the last year, and of lines whose cost is unknown."""

    by_class: Floats
    without_cost: float


def margins_of(rows: pd.DataFrame, classes: int, settings: Settings) -> Margins:
    """Return the margin ratios. Raises MeasureError where orders have no known cost and none is declared."""
    known, goods = float(rows["known_cents"].sum()), float(rows["goods"].sum())
    observed = 1 - goods / known if known > 0 else np.nan
    declared = np.nan if settings.margin_ratio is None else settings.margin_ratio
    overall = observed if np.isnan(declared) else declared
    if np.isnan(overall) and (rows["cents"] != 0).any():
        raise MeasureError(
            "customer_value", "no order line has a known cost", "Declare margin_ratio, the margin by revenue"
        )
    group = rows["group"].to_numpy(np.intp)
    year, year_goods = (
        np.bincount(group, rows[name].to_numpy(np.float64), classes) for name in ("year_known_cents", "year_goods")
    )
    of_class = 1 - np.divide(year_goods, year, out=np.full(classes, np.nan), where=year > 0)
    everywhere = observed if known > 0 else np.nan_to_num(overall)
    return Margins(np.where(np.isnan(of_class), everywhere, of_class), float(np.nan_to_num(overall)))


def past_value(rows: pd.DataFrame, margins: Margins, acquisition: Floats, settings: Settings) -> Floats:
    """Return the margin of orders and fees so far, less cost to serve on record and acquisition.

    Fees are reckoned, not on record: the fee times the time since the contract began, times ``fee_margin``.
    """
    orders = rows["known_cents"] - rows["goods"] + (rows["cents"] - rows["known_cents"]) * margins.without_cost
    past = orders + rows["fees_paid"] * settings.fee_margin - rows["service_cents"]
    value: Floats = past.to_numpy(np.float64) / 100 - acquisition
    return value


def service_a_month(rows: pd.DataFrame, *, has_costs: bool, settings: Settings) -> Floats:
    """Return the mean cost to serve a month of the last year, or what is declared."""
    if not has_costs:
        return np.full(len(rows), settings.service)
    monthly: Floats = rows["year_service_cents"].to_numpy(np.float64) / 100 / _observed_months(rows)
    return monthly


def _observed_months(rows: pd.DataFrame) -> Floats:
    """Return for how many months of the last year a customer has been one, at least 1."""
    days = np.fmax(rows["tenure_days"].to_numpy(np.float64), WEEK * rows["age"].to_numpy(np.float64))
    months: Floats = np.clip(days / MONTH, 1, _MONTHS_A_YEAR)
    return months


def totals(
    customers: pd.DataFrame, columns: pd.DataFrame, sums: dict[str, Floats], classes: list[str], confidence: float
) -> pd.DataFrame:
    """Add up by kind and class. Given the parameters customers are independent; the draws are common to them all."""
    z = normal_quantile(confidence)
    kind, group = customers["kind"].to_numpy(), customers["class"].to_numpy()
    both = np.sum(list(sums.values()), axis=0)
    rows = []
    for name, drawn in (*sums.items(), (ALL, both)):
        of_kind = np.full(len(customers), True) if name == ALL else kind == name
        for place, label in (*enumerate(classes), (slice(None), ALL)):
            held = of_kind & (True if label == ALL else group == label)
            if held.any():
                common = drawn[:, place].reshape(len(drawn), -1).sum(axis=1).var(ddof=1)
                rows.append({"kind": name, "class": label, **_total(customers[held], columns[held], common, z)})
    return pd.DataFrame(rows)


def _total(held: pd.DataFrame, columns: pd.DataFrame, common: float, z: float) -> dict[str, float]:
    """Return the sums, with an interval that holds nothing impossible; ``common`` is the variance of the draws."""
    names = ["past_value", "expected_value", "acquisition"]
    past, expected, charged = (float(held[name].sum(skipna=False)) for name in names)
    variance, least, most = (float(columns[name].sum(skipna=False)) for name in ("variance", "least", "most"))
    half = z * np.sqrt(variance + common)
    return {
        "customers": len(held),
        "past_value": past,
        "expected_value": expected,
        "low": max(expected - half, least - charged),
        "high": min(expected + half, most - charged),
        "average_expected_value": expected / len(held),
    }
