"""Forecasts of what customers will bring: fees by who stays, orders by the purchase model, and both together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.measures.backtest import PURCHASE_MODELS
from analysis.measures.contract_value import TenureHazards, contract_values
from analysis.measures.future_purchases import PurchaseModel
from analysis.measures.gamma_gamma import GammaGamma, fit_gamma_gamma
from analysis.measures.inference import Floats
from analysis.measures.net_value import worth_today
from analysis.measures.purchase_value import purchase_values
from analysis.measures.value_estimates import Margins, Settings, orders_a_month

_RFM = ["frequency", "recency", "age"]
_MONEY = ["value", "low", "high", "variance", "least", "most"]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Forecasts of customers of one kind, in the order of their rows, and by draw and class their sums."""

    columns: pd.DataFrame
    """value, low, high, variance, probability_alive, probability_stay, expected_purchases; what value cannot be below
    or above: least, most.
    """
    sums: Floats
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PurchaseForecast:
    """How all who bought buy and spend; without models where the data do not identify how they buy."""

    model: PurchaseModel | None
    spend_model: GammaGamma | None
    spends: pd.DataFrame
    notes: tuple[str, ...]


def purchase_forecast(rows: pd.DataFrame, settings: Settings) -> PurchaseForecast:
    """Fit the purchase model and gamma-gamma on all customers with a purchase day."""
    buyers = rows[rows["frequency"].notna()]
    repeats = buyers[buyers["frequency"] > 0]
    spends = _counted(repeats, ["frequency", "mean_spend"])
    if buyers.empty:
        return PurchaseForecast(None, None, spends, ())
    model = PURCHASE_MODELS[settings.model](_counted(buyers, _RFM))
    if not model.identified:
        said = "What customers will buy is not known: these data do not identify the purchase model."
        return PurchaseForecast(None, None, spends, (*model.notes, said))
    spend_model = fit_gamma_gamma(spends)
    return PurchaseForecast(model, spend_model, spends, (*model.notes, *spend_model.notes))


def _counted(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return rows.groupby(by, as_index=False).size().rename(columns={"size": "customers"})


def of_contracts(
    rows: pd.DataFrame,
    hazards: TenureHazards,
    forecast: PurchaseForecast,
    margins: Margins,
    service: Floats,
    settings: Settings,
) -> Estimates:
    """Forecast the customers who have a contract in force: fees as long as they stay, and orders."""
    monthly = rows["monthly_fees"].to_numpy(np.float64) * settings.fee_margin / 100 - service
    if forecast.model is None:
        return _fees(rows, hazards, monthly + orders_a_month(rows, margins), margins, settings)
    has_bought = rows["frequency"].notna().to_numpy()
    parts = [_fees(rows[~has_bought], hazards, monthly[~has_bought], margins, settings)] if not has_bought.all() else []
    if has_bought.any():
        buyers, both = rows[has_bought], replace(settings, confidence=(1 + settings.confidence) / 2)
        fees = _fees(buyers, hazards, monthly[has_bought], margins, both)
        parts.append(_together(fees, of_purchases(buyers, forecast, margins, np.zeros(len(buyers)), both)))
    columns = pd.concat([part.columns for part in parts]).reindex(rows.index)
    return Estimates(columns, np.sum([part.sums for part in parts], axis=0), parts[-1].notes)


def _fees(
    rows: pd.DataFrame, hazards: TenureHazards, monthly: Floats, margins: Margins, settings: Settings
) -> Estimates:
    """Forecast what comes every month as long as customers stay."""
    worth = worth_today(settings.months, settings.discount, settings.timing)
    found = contract_values(
        rows[["tenure_days", "group"]].assign(monthly=monthly),
        hazards,
        groups=len(margins.by_class),
        worth=worth,
        timing=settings.timing,
        draws=settings.draws,
        seed=settings.seed + 2,
        confidence=settings.confidence,
    )
    return _estimates(
        rows,
        found.sums,
        hazards.notes,
        value=found.value,
        low=found.low,
        high=found.high,
        variance=found.variance,
        least=(monthly * worth.sum()).clip(max=0),
        most=(monthly * worth.sum()).clip(min=0),
        probability_stay=found.stay,
    )


def _together(fees: Estimates, orders: Estimates) -> Estimates:
    """Add two independent parts; an end of the sum is as far from it as those of both parts, squared and summed.

    The intervals of the parts leave out half as much as that of the sum, since each may leave it all out on one side,
    fees below and orders above.

    Source: Zou and Donner (2008), Statistics in Medicine 27, 1693-1702.
    """
    one, other = fees.columns[_MONEY], orders.columns[_MONEY]
    value = one["value"] + other["value"]
    columns = fees.columns.assign(
        value=value,
        low=value - np.hypot(one["value"] - one["low"], other["value"] - other["low"]),
        high=value + np.hypot(one["high"] - one["value"], other["high"] - other["value"]),
        **{name: one[name] + other[name] for name in ("variance", "least", "most")},
        probability_alive=orders.columns["probability_alive"],
        expected_purchases=orders.columns["expected_purchases"],
    )
    return Estimates(columns, fees.sums + orders.sums, (*fees.notes, *orders.notes))


def of_purchases(
    rows: pd.DataFrame, forecast: PurchaseForecast, margins: Margins, service: Floats, settings: Settings
) -> Estimates:
    """Forecast what customers will order; missing where there is no model."""
    if forecast.model is None or forecast.spend_model is None:
        return _estimates(rows, np.full((settings.draws, len(margins.by_class)), np.nan), ())
    worth = worth_today(settings.months, settings.discount, settings.timing)
    brings = margins.by_class[rows["group"].to_numpy(np.intp)] >= 0
    found = purchase_values(
        rows[[*_RFM, "mean_spend", "group"]].assign(service=service),
        forecast.model,
        forecast.spend_model,
        forecast.spends,
        ratios=margins.by_class,
        worth=worth,
        timing=settings.timing,
        draws=settings.draws,
        seed=settings.seed,
        confidence=settings.confidence,
    )
    return _estimates(
        rows,
        found.sums,
        found.notes,
        value=found.value,
        low=found.low,
        high=found.high,
        variance=found.variance,
        least=np.where(brings, -service * worth.sum(), -np.inf),
        most=np.where(brings, np.inf, 0.0),
        probability_alive=found.alive,
        expected_purchases=found.purchases,
    )


def _estimates(rows: pd.DataFrame, sums: Floats, notes: tuple[str, ...], **known: Floats) -> Estimates:
    names = (*_MONEY, "probability_alive", "probability_stay", "expected_purchases")
    missing = np.full(len(rows), np.nan)
    columns = pd.DataFrame({name: known.get(name, missing) for name in names}, index=rows.index)
    return Estimates(columns, sums, notes)
