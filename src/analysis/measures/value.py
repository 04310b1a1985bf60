"""What customers have brought and what they can be expected to bring, less what winning and serving them costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError, UnknownNameError
from analysis.measures.contract_value import tenure_hazards
from analysis.measures.frames import Rows, check_confidence
from analysis.measures.inference import Floats
from analysis.measures.net_value import Timing
from analysis.measures.value_estimates import (
    CONTRACT,
    PURCHASES,
    Margins,
    Settings,
    margins_of,
    past_value,
    service_a_month,
    totals,
)
from analysis.measures.value_forecasts import (
    MODELS,
    Estimates,
    PurchaseForecast,
    of_contracts,
    of_purchases,
    purchase_forecast,
)
from analysis.measures.value_parts import MEASURE, NO_CLASS, Known, gathered, open_spells, others

Bools: TypeAlias = NDArray[np.bool_]

_OF_ORDERS = (
    "what customers under contract order does not hang on whether they stay, and who has never ordered orders nothing"
)


@dataclass(frozen=True, eq=False)
class CustomerValues:
    """What customers are worth, one by one and together. ``n`` counts customers."""

    customers: pd.DataFrame
    """One row a customer, sorted by customer_id: customer_id, kind (contract, purchases), class, past_value (money so
    far: orders and costs on record, fees reckoned from fee and time), expected_value, low, high (money of today to come
    within the horizon), expected_contract (the part of it that hangs on the contract going on: fees less all cost to
    serve, as long as they stay; missing for purchases), probability_alive (as a buyer), probability_stay (of contracts,
    to the end of the horizon), expected_purchases, acquisition (money, as far as it is charged to expected_value).
    Under contract all cost to serve ends with it, even that of orders: expected_value less expected_contract plus
    acquisition is the margin of orders.
    """
    totals: pd.DataFrame
    """One row a kind (contract, purchases, all) and class (and all) that occurs: kind, class, customers, past_value,
    expected_value, low, high (sums), average_expected_value (mean a customer).
    """
    assumptions: pd.DataFrame
    """What the values rest on: name, value (missing where it is no number), meaning."""
    notes: tuple[str, ...]
    """What the data leave open."""
    n: int
    model: str | None
    """The purchase model used: the one named, or what stood in where the data do not identify it (nbd, one_rate); None
    where nobody has bought.
    """


def customer_value(
    tables: Mapping[str, Rows],
    *,
    as_of: dt.date,
    months: int = 12,
    discount: float = 0.1,
    timing: Timing = "end",
    model: str = "bg_nbd",
    fee_margin: float = 1.0,
    margin_ratio: float | None = None,
    service: float = 0.0,
    won_since: dt.date | None = None,
    watched_from: dt.date | None = None,
    classes: Rows | None = None,
    draws: int = 100,
    seed: int = 0,
    confidence: float = 0.95,
) -> CustomerValues:
    """Say what each customer has brought, and what to expect of them in the ``months`` from ``as_of`` on.

    Customers with a contract in force bring fees, times ``fee_margin``, as long as they stay: by rates of leaving by
    tenure. Whoever has bought buys on as the purchase ``model`` says (bg_nbd, mbg_nbd, pareto_nbd: the one that wins
    ``backtest``), for what gamma-gamma says, at the margin ratio observed in their class in the last year; that last
    year goes on is not assumed, since then the best customers would be valued far too high. Where the data do not
    identify the model, another one that they do stands in, else the NBD, in which nobody leaves, and at last one rate
    for all: ``model`` of the result names it. All is less cost to serve and discounted by ``discount`` a year; see
    ``net_value`` for ``timing``. The default horizon of 12 months is as far as a backtest can usually look; no interval
    holds that the model may be wrong.

    ``low`` and ``high`` are of what a customer will bring, not of its mean (who most likely buys nothing more has 0 and
    0): they hold chance and, by ``draws`` of the parameters, how well these are known. Sums keep the draws common to
    all customers. Customers who have neither a purchase day nor a contract in force have no row and are counted in
    ``assumptions``.

    ``tables`` by name: transactions (customer_id, date, revenue; where present cost, product_id, quantity), products
    (product_id, unit_cost), contracts (customer_id, start; ended_on, fee), customers (customer_id; since,
    acquisition_cost), costs (customer_id, month, cost). Cost to serve is the mean a month of the last year in costs,
    without that table ``service``. Acquisition is charged to expected_value for customers whose ``since`` is
    ``won_since`` or later, and to past_value for all others. Lines without a cost have ``margin_ratio``, or the ratio
    observed. ``watched_from``: ends of contracts are on record from that day on. ``classes``: customer_id, class; else
    the ABC classes of the orders of the last year.

    This measure returns a row a customer, and brings from the engine no more than that. Returns a record
    :class:`CustomerValues`.

    Raises MeasureError where a column is absent, there are neither purchases nor contracts, no cost is known and no
    margin_ratio declared, and for settings outside their domain; UnknownNameError for an unknown model.
    Source: Fader, Hardie and Lee (2005), Journal of Marketing Research 42, 415-430; Gupta and Lehmann (2003), Journal
    of Interactive Marketing 17, 9-24.

    >>> contracts = pd.DataFrame({"customer_id": list("abcdefgh"), "start": pd.Timestamp("2024-01-01"), "fee": 20.0})
    >>> contracts["ended_on"] = pd.to_datetime(["2024-09-30", *[None] * 7])
    >>> found = customer_value({"contracts": contracts}, as_of=dt.date(2025, 1, 1))
    >>> found.customers[["customer_id", "kind", "past_value", "expected_value", "low", "high"]].head(1).round(2)
      customer_id      kind  past_value  expected_value    low    high
    0           b  contract      240.49          213.01  97.65  228.01
    >>> found.totals[["kind", "class", "customers", "expected_value", "low", "high"]].round(0).tail(1)
      kind class  customers  expected_value     low    high
    3  all   all          7          1491.0  1212.0  1596.0
    """
    settings = Settings(
        months=months,
        discount=discount,
        timing=timing,
        model=model,
        fee_margin=fee_margin,
        margin_ratio=margin_ratio,
        service=service,
        won_since=won_since,
        watched_from=watched_from,
        draws=draws,
        seed=seed,
        confidence=confidence,
    )
    _check(tables, settings)
    known = Known(tables, as_of)
    rows = gathered(known, classes)
    if rows.empty:
        raise MeasureError(MEASURE, "nobody has bought or has a contract in force", "Check the tables and as_of")
    if twice := int(rows["customer_id"].duplicated().sum()):
        raise MeasureError(MEASURE, f"{twice} customers stand twice in customers or classes", "Hand in one row each")
    rows["class"] = rows["class"].astype("str").fillna(NO_CLASS)
    names = sorted(rows["class"].unique(), key=lambda name: (name == NO_CLASS, name))
    rows["group"] = pd.Categorical(rows["class"], categories=names).codes.astype(np.intp)
    return _valued(known, rows, names, settings)


def _check(tables: Mapping[str, Rows], settings: Settings) -> None:
    if not {"transactions", "contracts"} & set(tables):
        raise MeasureError(MEASURE, "there are neither transactions nor contracts", "Hand in one of these tables")
    if settings.model not in MODELS:
        raise UnknownNameError("model", settings.model, MODELS, MEASURE)
    if settings.draws < 2:
        raise MeasureError(MEASURE, f"draws is {settings.draws}", "Give 2 or more, such as 100")
    check_confidence(MEASURE, settings.confidence)


def _valued(known: Known, rows: pd.DataFrame, classes: list[str], settings: Settings) -> CustomerValues:
    margins = margins_of(rows, len(classes), settings)
    acquisition = rows["acquisition_cents"].to_numpy(np.float64, na_value=0) / 100
    is_inside = _won_inside(rows, settings.won_since)
    charged = np.where(is_inside, acquisition, 0.0)
    service = service_a_month(rows, has_costs="costs" in known.tables, settings=settings)
    kinds = np.where(rows["tenure_days"].notna(), CONTRACT, PURCHASES)
    forecast = purchase_forecast(rows, settings)
    name, notes = (forecast.name, forecast.notes) if forecast else (None, ())
    found = _estimated(known, rows, kinds, forecast, margins, service, settings)
    columns = pd.concat([estimates.columns for estimates in found.values()]).sort_index()
    customers = pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "kind": pd.array(kinds.tolist(), dtype="str"),
            "class": rows["class"],
            "past_value": past_value(rows, margins, acquisition - charged, settings),
            "expected_value": columns["value"] - charged,
            "low": columns["low"] - charged,
            "high": columns["high"] - charged,
            "expected_contract": columns["contract"],
            **{name: columns[name] for name in ("probability_alive", "probability_stay", "expected_purchases")},
            "acquisition": charged,
        }
    )
    sums = {kind: estimates.sums for kind, estimates in found.items()}
    return CustomerValues(
        customers=customers,
        totals=totals(customers, columns, sums, classes, settings.confidence),
        assumptions=_assumptions(known, rows, classes, margins, name, int((charged > 0).sum()), settings),
        notes=tuple(dict.fromkeys((*notes, *(note for estimates in found.values() for note in estimates.notes)))),
        n=len(customers),
        model=name,
    )


def _won_inside(rows: pd.DataFrame, won_since: dt.date | None) -> Bools:
    """Say whose acquisition is charged to what is expected of them."""
    if won_since is None:
        return np.zeros(len(rows), dtype=bool)
    inside: Bools = (pd.to_datetime(rows["won_on"]) >= pd.Timestamp(won_since)).to_numpy(bool)
    return inside


def _estimated(
    known: Known,
    rows: pd.DataFrame,
    kinds: NDArray[np.str_],
    forecast: PurchaseForecast | None,
    margins: Margins,
    service: Floats,
    settings: Settings,
) -> dict[str, Estimates]:
    """Return the forecasts of each kind of customers there is."""
    found: dict[str, Estimates] = {}
    spells = open_spells(known, settings.watched_from)
    if spells is not None and (kinds == CONTRACT).any():
        held = kinds == CONTRACT
        hazards = tenure_hazards(spells)
        found[CONTRACT] = of_contracts(rows[held], hazards, forecast, margins, service[held], settings)
    if forecast is not None and (kinds == PURCHASES).any():
        held = kinds == PURCHASES
        found[PURCHASES] = of_purchases(rows[held], forecast, margins, service[held], settings)
    return found


def _assumptions(
    known: Known,
    rows: pd.DataFrame,
    classes: list[str],
    margins: Margins,
    model: str | None,
    charged: int,
    settings: Settings,
) -> pd.DataFrame:
    """Say what the values rest on."""
    cents = float(rows["cents"].sum())
    unknown = 1 - float(rows["known_cents"].sum()) / cents if cents else np.nan
    served = (
        "cost to serve a month is each customer's mean of the last year"
        if "costs" in known.tables
        else "cost to serve a month is declared, the same for everybody"
    )
    told: list[tuple[str, float, str]] = [
        ("months", settings.months, "horizon; what comes after it does not count"),
        ("discount", settings.discount, f"rate a year; the money of a month is booked at its {settings.timing}"),
        *([("model", np.nan, f"{model}, fitted on all who bought, whether under contract or not")] if model else []),
        ("fee_margin", settings.fee_margin, "share of a fee that is margin, declared"),
        ("without_cost", unknown, "share of revenue whose cost is unknown"),
        ("margin_ratio", margins.without_cost, "margin by revenue where the cost is unknown"),
        *(
            (f"margin_ratio_{name}", float(ratio), f"margin by revenue of class {name}, mean of the last year")
            for name, ratio in zip(classes if cents else [], margins.by_class if cents else [], strict=True)
        ),
        ("orders", np.nan, _OF_ORDERS),
        ("service", np.nan if "costs" in known.tables else settings.service, served),
        ("acquisition", charged, "customers whose acquisition is charged to what is expected; for others it is sunk"),
        ("without_fee", float(rows["without_fee"].sum()), "contracts in force without a fee, counted as bringing none"),
        ("others", others(known), "customers on record with neither a purchase nor a contract in force, left out"),
    ]
    return pd.DataFrame(told, columns=["name", "value", "meaning"])
