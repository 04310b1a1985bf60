"""What customers are worth, for a report: the model that foretold best, the values by it, and how they are spread."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.at_risk import at_risk
from analysis.measures.backtest import PURCHASE_MODELS, Backtest, backtest
from analysis.measures.care_budget import Share, care_budget
from analysis.measures.frames import Rows
from analysis.measures.segments import concentration, lorenz
from analysis.measures.value import CustomerValues, customer_value
from analysis.measures.value_at_risk import ValueAtRisk, value_at_risk
from analysis.measures.value_checks import COMPUTED, FEWEST_DAYS, classes, split_at, status_of
from analysis.measures.value_estimates import CONTRACT
from analysis.measures.value_spread import value_spread, value_tenths

EVERYBODY = sys.maxsize
"""How many customers are asked for where the risk of each is to be weighed with a value."""

_LISTED = 10
_DEFAULT = next(iter(PURCHASE_MODELS))


@dataclass(frozen=True, eq=False)
class Valuation:
    """What customers are worth and how well that was foretold, or why it cannot be told."""

    status: str
    """``computed``, or why not."""
    values: CustomerValues | None
    """None where nothing was computed."""
    test: Backtest | None
    """None where no forecast was tested."""
    summary: pd.DataFrame
    """One row: status, months, n, missing (customers without an expected value), negative (below 0), model, winner,
    won (customers whose acquisition is charged), acquisition (its mean, money), service (a customer and month, money;
    missing where on record), fee_margin (missing where nobody is under contract), tested (``computed``, or why not),
    split, as_of, test_days, source (tables, by blanks).
    """
    smallest: int = 1
    """How many customers a part of the concentration told of has at least."""

    @property
    def customers(self) -> pd.DataFrame:
        """One row a customer, as ``CustomerValues.customers``."""
        return self.values.customers if self.values else pd.DataFrame(columns=list(_CUSTOMERS))

    @property
    def totals(self) -> pd.DataFrame:
        """As ``CustomerValues.totals``."""
        return self.values.totals if self.values else pd.DataFrame(columns=list(_TOTALS))

    @property
    def assumptions(self) -> pd.DataFrame:
        """As ``CustomerValues.assumptions``."""
        return self.values.assumptions if self.values else pd.DataFrame(columns=["name", "value", "meaning"])

    @property
    def notes(self) -> tuple[str, ...]:
        """As ``CustomerValues.notes``."""
        return self.values.notes if self.values else ()

    @property
    def scores(self) -> pd.DataFrame:
        """As ``Backtest.scores``, with chosen: the model the values rest on, or would where there are none."""
        if self.test is None:
            return pd.DataFrame(columns=[*_SCORES, "chosen"])
        return self.test.scores.assign(chosen=self.test.scores["model"] == self._model)

    @property
    def calibration(self) -> pd.DataFrame:
        """As ``Backtest.calibration``, of the model used."""
        return self._of_model("calibration", ("tenth", "customers", "predicted", "actual", "low", "high"))

    @property
    def weeks(self) -> pd.DataFrame:
        """As ``Backtest.weeks``, of the model used."""
        return self._of_model("weeks", ("week", "last_day", "is_holdout", "actual", "predicted"))

    @property
    def known(self) -> pd.DataFrame:
        """Customers with an expected value: customer_id, revenue (that value), as measures of concentration take it."""
        found = self.customers[["customer_id", "expected_value"]].rename(columns={"expected_value": "revenue"})
        return found.astype({"customer_id": "str", "revenue": "float64"}).dropna().reset_index(drop=True)

    @property
    def concentration(self) -> pd.DataFrame:
        """As ``segments.concentration``, of expected values; but top_20_share is of the fifth of all, as in tenths."""
        found = concentration(self.known, smallest=self.smallest)
        top = self.tenths.query("tenth > 8")["share"].sum()
        return found.assign(top_20_share=found["top_20_share"].where(found["top_20_share"].isna(), top))

    @property
    def lorenz(self) -> pd.DataFrame:
        """As ``segments.lorenz``, of expected values; without rows where nobody has one above 0."""
        rows = lorenz(self.known, smallest=self.smallest)
        return rows if (self.known["revenue"] > 0).any() else rows.head(0)

    @property
    def spread(self) -> pd.DataFrame:
        """As :func:`value_spread`."""
        return value_spread(self.customers)

    @property
    def tenths(self) -> pd.DataFrame:
        """As :func:`value_tenths`."""
        return value_tenths(self.customers)

    @property
    def ranked(self) -> pd.DataFrame:
        """Return all customers, those of whom most is expected first: customer_id, kind, class, past_value, …, high."""
        ordered = self.customers.sort_values(["expected_value", "customer_id"], ascending=[False, True])
        return ordered[list(_RANKED)].reset_index(drop=True)

    @property
    def dearest(self) -> pd.DataFrame:
        """Return the first of ``ranked``; ``attrs["n"]`` counts all with an expected value."""
        found = self.ranked.dropna(subset="expected_value").head(_LISTED)
        found.attrs["n"] = len(self.known)
        return found

    @property
    def classes(self) -> pd.DataFrame:
        """Return customer_id and class of each customer."""
        return self.customers[["customer_id", "class"]].astype("str")

    def care(self, care_share: Share, *, acquisition_share: Share) -> pd.DataFrame:
        """Return what care and winning may cost, as ``care_budget``, of the values before acquisition.

        Where a class has won customers, but fewer than ``smallest``, of the values after it: beside those the others
        would tell what these few cost.
        """
        known = self.customers.astype({"customer_id": "str", "expected_value": "float64", "acquisition": "float64"})
        won = known[known["acquisition"] > 0].groupby("class")["customer_id"].count()
        spared = known["acquisition"] if (won >= self.smallest).all() else 0.0
        worth = known[["customer_id"]].assign(value=known["expected_value"] + spared)
        horizon = int(self.summary["months"].fillna(1).iloc[0])
        spent: dict[str, Any] = {"care_share": care_share, "acquisition_share": acquisition_share}
        return care_budget(worth, self.classes, horizon_months=horizon, **spent)

    def losses(self, risks: pd.DataFrame, *, confidence: float = 0.95) -> ValueAtRisk:
        """Weigh what ends when customers leave with risks (customer_id, risk), as ``value_at_risk``; of nobody no rows.

        With a contract ends ``expected_contract``, with whoever has none all that is expected; acquisition is spent.
        The totals also hold ``whole``: the expected loss if nobody who leaves ordered any more; missing without
        contracts.
        """
        known = self.customers.astype(dict.fromkeys(("expected_value", "expected_contract", "acquisition"), "float64"))
        whole = (known["expected_value"] + known["acquisition"]).fillna(known["expected_contract"])
        known["expected_value"], known["whole"] = known["expected_contract"].fillna(whole), whole
        known, weighed = known[known["expected_value"].notna()], risks[["customer_id", "risk"]]
        if not known["customer_id"].isin(risks["customer_id"]).any():
            return ValueAtRisk(pd.DataFrame(columns=_LOSSES), pd.DataFrame(columns=_LOSS_TOTALS), len(risks))
        found = value_at_risk(weighed, known, top=EVERYBODY, confidence=confidence)
        at_most = value_at_risk(weighed, known.assign(expected_value=known["whole"])).totals["expected_loss"]
        has_contracts = (known["kind"] == CONTRACT).any()
        return replace(found, totals=found.totals.assign(whole=at_most if has_contracts else np.nan))

    def _of_model(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        if self.test is None:
            return pd.DataFrame(columns=list(columns), dtype="float64")
        frame: pd.DataFrame = getattr(self.test, name)
        return frame[frame["model"] == self._model].drop(columns="model").reset_index(drop=True)

    @property
    def _model(self) -> str | None:
        if self.values is not None:
            return self.values.model
        return self.test.model if self.test else None


_LOSSES = ["customer_id", "class", "risk", "expected_value", "expected_loss"]
_LOSS_TOTALS = ["class", "customers", "expected_value", "expected_loss", "low", "high", "share", "whole"]
_RANKED = ("customer_id", "kind", "class", "past_value", "expected_value", "low", "high")
_CUSTOMERS = (
    *("customer_id", "kind", "class", "past_value", "expected_value", "low", "high"),
    *("expected_contract", "acquisition"),
)
_TOTALS = (*("kind", "class", "customers", "past_value", "expected_value", "low", "high"), "average_expected_value")
_SCORES = (
    *("model", "identified", "customers", "actual", "predicted", "bias", "bias_share", "mae", "rmse"),
    *("behind", "behind_low", "behind_high"),
)


def valuation(
    tables: Mapping[str, Rows],
    *,
    as_of: dt.date,
    margin_ratio: float | None = None,
    cuts: tuple[float, float] = (0.8, 0.95),
    test_days: int = 365,
    smallest: int = 1,
    confidence: float = 0.95,
    **settings: Any,
) -> Valuation:
    """Value the customers by the purchase model that foretells best out of time.

    The models are fitted on what was known ``test_days`` before ``as_of`` and tried on what came since; where the
    orders on record are too young for that, on the last third of their time. Without a test the first model is used.
    Classes are the ABC classes, with these ``cuts``, of the orders of the last year; without orders, of fees in force.

    Columns in: ``tables`` and ``settings`` as :func:`analysis.measures.value.customer_value` takes them.
    Returns a record :class:`Valuation`, which says why where nobody can be valued.

    Raises MeasureError where a column is absent and for settings outside their domain.
    Source: as for ``customer_value`` and ``backtest``.

    >>> contracts = pd.DataFrame({"customer_id": list("abcdefgh"), "start": pd.Timestamp("2024-01-01"), "fee": 20.0})
    >>> contracts["ended_on"] = pd.to_datetime(["2024-09-30", *[None] * 7])
    >>> found = valuation({"contracts": contracts}, as_of=dt.date(2025, 1, 1))
    >>> found.summary[["status", "n", "missing", "model", "tested"]]
         status  n  missing model                        tested
    0  computed  7        0  None  neither contracts nor orders
    >>> valuation({}, as_of=dt.date(2025, 1, 1)).status
    'neither contracts nor orders'
    """
    if test_days < FEWEST_DAYS:
        raise MeasureError("valuation", f"test_days is {test_days}", f"Give {FEWEST_DAYS} or more")
    known = {name: table for name, table in tables.items() if name in _TABLES}
    status = status_of(known, as_of, margin_ratio)
    split, tested = split_at(known, as_of, test_days)
    test = None if split is None else backtest(known["transactions"], split=split, as_of=as_of, confidence=confidence)
    told = _Told(status, tested, split, test)
    if status != COMPUTED:
        return Valuation(status, None, test, _summary(told, known, as_of, None))
    values = customer_value(
        known,
        as_of=as_of,
        model=told.model,
        margin_ratio=margin_ratio,
        classes=classes(known, as_of, cuts),
        confidence=confidence,
        **settings,
    )
    return Valuation(COMPUTED, values, test, _summary(told, known, as_of, values), smallest)


@dataclass(frozen=True, eq=False)
class _Told:
    """What became of the values and of the test."""

    status: str
    tested: str
    split: dt.date | None
    test: Backtest | None

    @property
    def model(self) -> str:
        return (self.test.model if self.test else None) or _DEFAULT


def risks(tables: Mapping[str, Rows], **settings: Any) -> pd.DataFrame:
    """Return the risk to leave of every customer present, not only of the highest: customer_id, risk.

    Columns in and settings: as :func:`analysis.measures.at_risk.at_risk`. Without rows where there is no score.
    """
    return at_risk(tables, most=EVERYBODY, **settings).risks[["customer_id", "risk"]]


_TABLES = ("customers", "products", "transactions", "contracts", "costs")


def _summary(told: _Told, tables: Mapping[str, Rows], as_of: dt.date, values: CustomerValues | None) -> pd.DataFrame:
    expected = values.customers["expected_value"] if values else pd.Series(dtype="float64")
    acquired = values.customers["acquisition"] if values else expected
    months = values.assumptions.set_index("name")["value"]["months"] if values else np.nan
    row = {"status": told.status, "months": months, "n": len(expected), "missing": int(expected.isna().sum())}
    row |= {"negative": int((expected < 0).sum()), "model": values.model if values else None}
    row |= _declared(values) | {"won": int((acquired > 0).sum()), "acquisition": float(acquired[acquired > 0].mean())}
    row |= {"winner": told.test.winner if told.test else None, "tested": told.tested, "split": told.split}
    row |= {"as_of": as_of, "test_days": (as_of - told.split).days if told.split else np.nan}
    return pd.DataFrame([row | {"source": " ".join(tables)}])


def _declared(values: CustomerValues | None) -> dict[str, float]:
    """Return what the values take for granted of fees and cost to serve."""
    told = values.assumptions.set_index("name")["value"] if values else pd.Series(dtype="float64")
    has_contracts = values is not None and (values.customers["kind"] == "contract").any()
    return {"service": told.get("service", np.nan), "fee_margin": told["fee_margin"] if has_contracts else np.nan}
