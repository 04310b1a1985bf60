"""Forecasts of what customers will bring: fees by who stays, orders by the purchase model, and both together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypedDict

import numpy as np
import pandas as pd

from analysis.measures.backtest import NBD, PURCHASE_MODELS
from analysis.measures.contract_value import ContractValues, TenureHazards, contract_values
from analysis.measures.future_purchases import PurchaseModel
from analysis.measures.gamma_gamma import GammaGamma, fit_gamma_gamma
from analysis.measures.inference import Floats
from analysis.measures.nbd import fit_nbd, fit_one_rate
from analysis.measures.net_value import Timing, worth_today
from analysis.measures.purchase_value import PurchaseValues, purchase_values
from analysis.measures.value_estimates import Margins, Settings

ONE_RATE = "one_rate"
"""The name of what is left where not even the NBD is identified: all buy at one rate."""
MODELS: Mapping[str, Callable[[pd.DataFrame], PurchaseModel]] = MappingProxyType({**PURCHASE_MODELS, NBD: fit_nbd})
"""The purchase models that may be named, and how they are fitted."""
OTHER_MODEL = "Another model of purchases, which these data do identify, stands in."
STAND_INS = {
    NBD: "No model in which customers leave is identified: purchases go on at each customer's own rate, and nobody "
    "leaves (NBD).",
    ONE_RATE: "These data tell no customer's own rate of purchases: all are expected to buy at the mean rate of all.",
}
NO_REPEATS = "Nobody has bought again for money: a purchase is expected to bring the mean of those so far."
_RFM = ["frequency", "recency", "age"]
_MONEY = ["value", "low", "high", "variance", "least", "most"]


class _Drawn(TypedDict):
    timing: Timing
    draws: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Estimates:
    """Forecasts of customers of one kind, in the order of their rows, and by draw and class their sums."""

    columns: pd.DataFrame
    """value, low, high, variance, contract (the part of value that ends with the contract), probability_alive,
    probability_stay, expected_purchases; what value cannot be below or above: least, most.
    """
    sums: Floats
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PurchaseForecast:
    """How all who bought buy and spend."""

    name: str
    model: PurchaseModel
    spend_model: GammaGamma | None
    """None where nobody bought again for money: all then spend the average of ``spends``."""
    spends: pd.DataFrame
    notes: tuple[str, ...]


def purchase_forecast(rows: pd.DataFrame, settings: Settings) -> PurchaseForecast | None:
    """Fit the purchase model and gamma-gamma on all customers with a purchase day; None where there are none.

    Where the data do not identify the model, the first of the others that they do stands in; then the NBD, in which
    nobody leaves; and at last one rate for all.
    """
    buyers = rows[rows["frequency"].notna()]
    if buyers.empty:
        return None
    name, model, notes = _purchases(_counted(buyers, _RFM), settings.model)
    repeats = buyers[(buyers["frequency"] > 0) & (buyers["mean_spend"] > 0)]
    if repeats.empty:
        first = buyers.assign(frequency=1.0, mean_spend=buyers["cents"] / (buyers["frequency"] + 1) / 100)
        return PurchaseForecast(name, model, None, _counted(first, ["frequency", "mean_spend"]), (*notes, NO_REPEATS))
    spends = _counted(buyers[buyers["frequency"] > 0], ["frequency", "mean_spend"])
    spend_model = fit_gamma_gamma(spends)
    return PurchaseForecast(name, model, spend_model, spends, (*notes, *spend_model.notes))


def _purchases(summary: pd.DataFrame, chosen: str) -> tuple[str, PurchaseModel, tuple[str, ...]]:
    """Return the model that is used, its name, and what is to be said of it and of the one chosen."""
    said: tuple[str, ...] = ()
    for name in dict.fromkeys((chosen, *PURCHASE_MODELS, NBD)):
        model = MODELS[name](summary)
        said = said or model.notes
        if model.identified:
            return name, model, model.notes if name == chosen else (*said, STAND_INS.get(name, OTHER_MODEL))
    return ONE_RATE, fit_one_rate(summary), (*said, STAND_INS[ONE_RATE])


def _counted(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return rows.groupby(by, as_index=False).size().rename(columns={"size": "customers"})


def of_contracts(
    rows: pd.DataFrame,
    hazards: TenureHazards,
    forecast: PurchaseForecast | None,
    margins: Margins,
    service: Floats,
    settings: Settings,
) -> Estimates:
    """Forecast the customers who have a contract in force: fees as long as they stay, and orders."""
    monthly = rows["monthly_fees"].to_numpy(np.float64) * settings.fee_margin / 100 - service
    has_bought = rows["frequency"].notna().to_numpy()
    parts = [_fees(rows[~has_bought], hazards, monthly[~has_bought], margins, settings)] if not has_bought.all() else []
    if forecast is not None and has_bought.any():
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
        seed=settings.seed + 2,
        **_drawn(settings),
    )
    return _estimates(
        rows,
        found,
        hazards.notes,
        contract=found.value,
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
    """Forecast what customers who have bought will buy."""
    worth = worth_today(settings.months, settings.discount, settings.timing)
    brings = margins.by_class[rows["group"].to_numpy(np.intp)] >= 0
    found = purchase_values(
        rows[[*_RFM, "mean_spend", "group"]].assign(service=service),
        forecast.model,
        forecast.spend_model,
        forecast.spends,
        ratios=margins.by_class,
        worth=worth,
        seed=settings.seed,
        **_drawn(settings),
    )
    return _estimates(
        rows,
        found,
        found.notes,
        least=np.where(brings, -service * worth.sum(), -np.inf),
        most=np.where(brings, np.inf, 0.0),
        probability_alive=found.alive,
        expected_purchases=found.purchases,
    )


def _drawn(settings: Settings) -> _Drawn:
    """Return what both kinds of forecasts are told alike."""
    return {"timing": settings.timing, "draws": settings.draws, "confidence": settings.confidence}


def _estimates(
    rows: pd.DataFrame, found: ContractValues | PurchaseValues, notes: tuple[str, ...], **more: Floats
) -> Estimates:
    names = (*_MONEY, "contract", "probability_alive", "probability_stay", "expected_purchases")
    known = {"value": found.value, "low": found.low, "high": found.high, "variance": found.variance} | more
    missing = np.full(len(rows), np.nan)
    columns = pd.DataFrame({name: known.get(name, missing) for name in names}, index=rows.index)
    return Estimates(columns, found.sums, notes)
