"""Who is at risk of leaving: scores trained on the past, tested on a later window, beside two plain baselines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.forecasts import calibration, compared
from analysis.measures.frames import Rows, as_table, binary_order, check_confidence, md5, require
from analysis.measures.inference import Floats
from analysis.measures.leakage import refuse_leaking
from analysis.measures.point_in_time import day_number
from analysis.measures.scorers import Scorer, fitted
from analysis.measures.spells import is_event

FeaturesAt: TypeAlias = Callable[[dt.date], Rows]
"""Given a day, one row a customer present on it: customer_id, the outcome, and what was known before that day."""

BASE_RATE, CONTRACT_ENDS = "base rate", "contract ends"
"""The baselines: what is known without a model."""


@dataclass(frozen=True)
class RiskScores:
    """Risks of leaving within the horizon, and how good they are."""

    chosen: str
    """The model that scores: boosting only where its Brier score is lower beyond doubt, else logistic."""
    scores: pd.DataFrame
    """One row a model: model, auc, brier, slope, lift, each with _low and _high, chosen."""
    brier_difference: tuple[float, float, float]
    """Brier score of boosting less that of logistic regression, and its interval over the same replicates."""
    calibration: pd.DataFrame
    """Of the chosen model: tenth, n, left, predicted, observed, low, high."""
    risks: pd.DataFrame
    """Customers of the test window, highest risk first: customer_id, risk, left (0 or 1)."""
    windows: pd.DataFrame
    """One row a window: use (train, test), as_of, customers, used (less, where a sample was drawn), left (of those)."""
    model: Scorer
    """The chosen model, with the columns it reads."""

    def predict(self, rows: Rows) -> pd.DataFrame:
        """Return the risk of customers present now, highest first: customer_id, risk. Needs no outcome."""
        columns = (*self.model.numbers, *self.model.texts)
        table = as_table(rows)
        require("risk_scores", table, ("customer_id", *columns))
        frame = _typed(table, columns).execute()
        return _highest_first(frame[["customer_id"]].assign(risk=self.model.predict(frame)))


def risk_scores(
    features_at: FeaturesAt,
    *,
    horizon: int,
    train: dt.date | Sequence[dt.date],
    test: dt.date,
    outcome: str = "left",
    contract_days: str = "contract_days_left",
    max_rows: int = 50_000,
    bootstrap: int = 500,
    seed: int = 0,
    confidence: float = 0.95,
) -> RiskScores:
    """Score the risk that a customer leaves within ``horizon`` days, and test the scores on a later window.

    ``features_at(day)`` returns one row a customer present on that day: customer_id, ``outcome`` (1 where the customer
    left within the horizon from that day on, else 0; see :func:`with_outcome`) and features: numbers, truth values and
    texts, known before that day. Models are fitted on the windows that begin on the days ``train`` and tested on the
    one that begins on ``test``; what came of a training window must be known by then, so the last one begins at least
    one horizon before it.

    The score is that of a logistic regression (ridge, C = 1, on standardised features; missing numbers take the median
    and a column of their own, texts under 1 % of rows are pooled). Gradient boosting takes its place only where the
    interval of the difference of Brier scores lies below 0. Baselines: the base rate, the share that left in training;
    and "contract ends", that share among customers whose ``contract_days`` are fewer than the horizon, and among all
    others, where there is that column. Intervals are percentiles over ``bootstrap`` draws of the customers of the test
    window. This measure sees rows: of a window with more than ``max_rows`` customers it takes a sample, drawn by
    ``seed``, and says so in ``windows``.

    Returns a record ``RiskScores``: chosen, scores (auc, brier, slope, lift: see ``forecasts.marks``),
    brier_difference, calibration (see ``forecasts.calibration``), risks, windows, features, and ``predict(rows)`` for
    customers whose outcome is not known yet.

    Raises MeasureError where a training window comes too late, a customer stands twice in a window, the outcome is
    other than 0 and 1 or always the same in training, a feature is a date, a setting lies outside its domain, and for
    columns that leak, by name: see ``leakage.leakage``.
    Source: Steyerberg, Clinical Prediction Models (2009), chapters 11 to 15; Efron and Tibshirani, An Introduction to
    the Bootstrap (1993), chapter 13.

    >>> def features_at(day):
    ...     orders = np.arange(200) % 10
    ...     left = (np.arange(200) * 7 % 10 >= orders).astype(int)
    ...     return pd.DataFrame({"customer_id": np.arange(200).astype(str), "orders": orders, "left": left})
    >>> days = {"train": dt.date(2025, 1, 1), "test": dt.date(2025, 4, 1)}
    >>> found = risk_scores(features_at, horizon=90, bootstrap=50, **days)
    >>> found.chosen, found.scores["model"].tolist()
    ('boosting', ['logistic', 'boosting', 'base rate'])
    """
    starts = sorted([train] if isinstance(train, dt.date) else train)
    _check_settings(starts, test, horizon, max_rows, bootstrap, confidence)
    windows = [_window(features_at(day), outcome, max_rows, seed) for day in (*starts, test)]
    known, tested = pd.concat([window.rows for window in windows[:-1]], ignore_index=True), windows[-1].rows
    features = tuple(name for name in known.columns if name not in ("customer_id", outcome))
    _check_known(known, tested, outcome, features)
    refuse_leaking("risk_scores", known, outcome, features)
    models = {kind: fitted(kind, known, outcome, features, seed=seed) for kind in ("logistic", "boosting")}
    forecasts = {kind: model.predict(tested) for kind, model in models.items()}
    forecasts |= _baselines(known, tested, outcome, contract_days, horizon)
    left = tested[outcome].to_numpy()
    scores, briers = compared(forecasts, left, bootstrap=bootstrap, seed=seed, confidence=confidence)
    difference = _difference(scores, briers, confidence)
    chosen = "boosting" if difference[2] < 0 else "logistic"
    return RiskScores(
        chosen=chosen,
        scores=scores.assign(chosen=scores["model"] == chosen),
        brier_difference=difference,
        calibration=calibration(forecasts[chosen], left, confidence=confidence),
        risks=_highest_first(tested[["customer_id"]].assign(risk=forecasts[chosen], left=left)),
        windows=_listed(windows, starts, test, outcome),
        model=models[chosen],
    )


def with_outcome(features: Rows, spells: Rows, *, as_of: dt.date, horizon: int, known_to: dt.date) -> ir.Table:
    """Add to the customers present on ``as_of`` whether they left within ``horizon`` days from that day on.

    Columns in: features with customer_id; spells as :func:`analysis.measures.spells.spells` gives them for
    ``known_to``, the first day not known. Columns out: those of the features and ``left`` (1 where the spell in force
    on ``as_of`` ended within the horizon, else 0). A lazy Ibis table. Customers without such a spell are left out.

    Raises MeasureError where a column is absent, or where the horizon ends after what is known.

    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "orders": [3, 4]})
    >>> ledger = pd.DataFrame({"customer_id": ["a", "b"], "entry": 0, "exit": [420, 500], "event": 1})
    >>> ledger["origin"] = pd.to_datetime("2025-01-01")
    >>> window = {"as_of": dt.date(2026, 1, 1), "horizon": 90, "known_to": dt.date(2026, 7, 1)}
    >>> with_outcome(people, ledger, **window).order_by("customer_id").execute()
      customer_id  orders  left
    0           a       3     1
    1           b       4     0
    """
    people, ledger = as_table(features), as_table(spells)
    require("with_outcome", people, ("customer_id",))
    require("with_outcome, spells", ledger, ("customer_id", "origin", "entry", "exit", "event"))
    if (end := as_of + dt.timedelta(days=horizon)) > known_to:
        raise MeasureError(
            "with_outcome",
            f"who left by {end} is not known on {known_to}",
            f"Give an as_of of {known_to - dt.timedelta(days=horizon)} or earlier",
        )
    day = day_number(as_of) - ledger["origin"].cast("date").epoch_days()
    has_left = is_event(ledger) & (ledger["exit"] <= day + horizon)
    open_then = ledger.mutate(left=has_left.ifelse(1, 0).cast("int64"))
    open_then = open_then.filter(open_then["entry"] <= day, day < open_then["exit"]).select("customer_id", "left")
    return people.join(open_then, "customer_id")


@dataclass(frozen=True)
class _Window:
    rows: pd.DataFrame
    customers: int


def _check_settings(
    starts: Sequence[dt.date], test: dt.date, horizon: int, max_rows: int, bootstrap: int, confidence: float
) -> None:
    check_confidence("risk_scores", confidence)
    for name, value in (("horizon", horizon), ("max_rows", max_rows), ("bootstrap", bootstrap)):
        if value < 1:
            raise MeasureError("risk_scores", f"{name} is {value}", "Give at least 1")
    if not starts:
        raise MeasureError("risk_scores", "there is no training window", "Give at least one day in train")
    latest = test - dt.timedelta(days=horizon)
    if starts[-1] > latest:
        raise MeasureError(
            "risk_scores",
            f"what comes of the training window of {starts[-1]} within {horizon} days is not known on {test}, when the "
            "test begins",
            f"Train on days up to {latest}",
        )


def _window(rows: Rows, outcome: str, max_rows: int, seed: int) -> _Window:
    """Count the customers of a window in the engine, check them, and bring at most ``max_rows`` of them."""
    table = as_table(rows)
    require("risk_scores", table, ("customer_id", outcome))
    counts = _reduce_window(table, outcome).execute().loc[0]
    if counts["customers"] != counts["different"]:
        raise MeasureError(
            "risk_scores", f"{counts['customers']} rows stand for {counts['different']} customers", "Give one row each"
        )
    if counts["faulty"]:
        raise MeasureError(
            "risk_scores",
            f"{outcome!r} is other than 0 and 1 in {counts['faulty']} of {counts['customers']} rows",
            "Give whether each customer left",
        )
    found = _reduce_sample(table, outcome, max_rows, seed).execute()
    return _Window(found.sort_values("customer_id", ignore_index=True), int(counts["customers"]))


def _reduce_window(table: ir.Table, outcome: str) -> ir.Table:
    left = table[outcome].cast("float64")
    faulty = times(~left.isin((0, 1)).fill_null(False))
    return table.aggregate(customers=table.count(), different=table["customer_id"].nunique(), faulty=faulty)


def _reduce_sample(table: ir.Table, outcome: str, max_rows: int, seed: int) -> ir.Table:
    features = tuple(name for name in table.columns if name not in ("customer_id", outcome))
    typed = _typed(table, features, outcome)
    digest = md5(ibis.literal(f"{seed}/") + typed["customer_id"])
    return typed.order_by(digest, binary_order(typed, "customer_id")).limit(max_rows)


def _typed(table: ir.Table, features: Sequence[str], *outcome: str) -> ir.Table:
    """Select customer_id, outcome and features, numbers as floats. Raises MeasureError for a feature that is a date."""
    columns = {}
    for name in features:
        kind = table[name].type()
        if kind.is_temporal() or kind.is_nested():
            raise MeasureError("risk_scores", f"feature {name!r} holds {kind}", "Give numbers, truth values or texts")
        columns[name] = table[name].cast("float64") if kind.is_numeric() else table[name].cast("string")
    columns |= {name: table[name].cast("int64") for name in outcome}
    return table.select(customer_id=table["customer_id"].cast("string"), **columns)


def _check_known(known: pd.DataFrame, tested: pd.DataFrame, outcome: str, features: tuple[str, ...]) -> None:
    if not features:
        raise MeasureError("risk_scores", "there is no feature", "Give at least one beside customer_id and the outcome")
    if absent := [name for name in features if name not in tested]:
        raise MeasureError("risk_scores", f"absent in the test window: {', '.join(absent)}", "Give the same columns")
    if known[outcome].nunique() < 2:
        raise MeasureError(
            "risk_scores",
            f"{int(known[outcome].sum())} of {len(known)} customers left in training",
            "Give windows in which some left and some stayed",
        )


def _baselines(
    known: pd.DataFrame, tested: pd.DataFrame, outcome: str, contract_days: str, horizon: int
) -> Mapping[str, Floats]:
    """Return what would be forecast without a model."""
    base = float(known[outcome].mean())
    found = {BASE_RATE: np.full(len(tested), base)}
    if contract_days in known:
        share = known.groupby(known[contract_days] < horizon)[outcome].mean()
        found[CONTRACT_ENDS] = (tested[contract_days] < horizon).map(share).fillna(base).to_numpy(dtype=np.float64)
    return found


def _difference(scores: pd.DataFrame, briers: Mapping[str, Floats], confidence: float) -> tuple[float, float, float]:
    brier = scores.set_index("model")["brier"]
    replicates = briers["boosting"] - briers["logistic"]
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(brier["boosting"] - brier["logistic"]), float(low), float(high)


def _listed(windows: Sequence[_Window], starts: Sequence[dt.date], test: dt.date, outcome: str) -> pd.DataFrame:
    uses = [*(("train", day) for day in starts), ("test", test)]
    rows = [
        (use, pd.Timestamp(day), window.customers, len(window.rows), int(window.rows[outcome].sum()))
        for (use, day), window in zip(uses, windows, strict=True)
    ]
    return pd.DataFrame(rows, columns=["use", "as_of", "customers", "used", "left"])


def _highest_first(risks: pd.DataFrame) -> pd.DataFrame:
    return risks.sort_values(["risk", "customer_id"], ascending=[False, True], ignore_index=True)
