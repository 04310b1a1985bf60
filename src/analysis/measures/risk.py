"""Who is at risk of leaving: scores trained on the past, tested on a later window, beside two plain baselines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.forecasts import calibration, compared, gains
from analysis.measures.frames import Rows, as_table, check_confidence, require
from analysis.measures.inference import Floats
from analysis.measures.leakage import refuse_leaking
from analysis.measures.risk_windows import Use, Window, ending, listed, observed, typed, within
from analysis.measures.scorers import Kind, Scorer, fitted

FeaturesAt: TypeAlias = Callable[[dt.date], Rows]
"""Given a day, one row a customer present on it: customer_id, the outcome, and what was known before that day."""

BASE_RATE, CONTRACT_ENDS = "base rate", "contract ends"
"""The baselines: what is known without a model."""

_LONGEST_DAYS = 36_525


@dataclass(frozen=True)
class Trial:
    """How scores are put to the test."""

    horizon: int
    bootstrap: int
    seed: int
    confidence: float
    outcome: str = "left"
    contract_days: str = "contract_days_left"


@dataclass(frozen=True)
class RiskScores:
    """Risks of leaving within the horizon, and how good they are."""

    chosen: str
    """The model that scores: boosting only where its Brier score is lower beyond doubt, else logistic."""
    scores: pd.DataFrame
    """One row a model: model, auc, brier, slope, lift, auc_gain, brier_gain, each with _low and _high, chosen.

    A gain is by how much the chosen model is better, on the same replicates: its AUC less that of the row, the Brier
    score of the row less its own.
    """
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
        frame = typed(table, columns).execute()
        return highest_first(frame[["customer_id"]].assign(risk=self.model.predict(frame)))


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
    brier_difference, calibration (see ``forecasts.calibration``), risks, windows, model, and ``predict(rows)`` for
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
    check_settings("risk_scores", horizon=horizon, max_rows=max_rows, bootstrap=bootstrap)
    check_confidence("risk_scores", confidence)
    _check_days(starts, test, horizon)
    days: list[tuple[Use, dt.date]] = [*(("train", day) for day in starts), ("test", test)]
    windows = [
        observed(features_at(day), use, day, outcomes=[outcome], max_rows=max_rows, seed=seed) for use, day in days
    ]
    known, tested = together(windows), windows[-1].rows
    features = tuple(name for name in known.columns if name not in ("customer_id", outcome))
    _check_known(known, tested, outcome, features)
    refuse_leaking("risk_scores", known, outcome, features)
    return scored(windows, features, Trial(horizon, bootstrap, seed, confidence, outcome, contract_days))


def scored(windows: Sequence[Window], features: Sequence[str], trial: Trial) -> RiskScores:
    """Fit the models on all windows but the last and mark them on that one, as :func:`risk_scores` does."""
    known, tested, outcome = together(windows), windows[-1].rows, trial.outcome
    kinds: tuple[Kind, ...] = ("logistic", "boosting")
    models = {kind: fitted(kind, known, outcome, features, seed=trial.seed) for kind in kinds}
    forecasts = {str(kind): model.predict(tested) for kind, model in models.items()}
    forecasts |= _baselines(known, tested, trial)
    left = tested[outcome].to_numpy()
    scores, replicates = compared(
        forecasts, left, bootstrap=trial.bootstrap, seed=trial.seed, confidence=trial.confidence
    )
    scores = gains(scores, replicates, "boosting", confidence=trial.confidence)
    chosen: Kind = "boosting" if scores.set_index("model").loc["logistic", "brier_gain_low"] > 0 else "logistic"
    return RiskScores(
        chosen=chosen,
        scores=gains(scores, replicates, chosen, confidence=trial.confidence).assign(chosen=scores["model"] == chosen),
        brier_difference=_difference(scores),
        calibration=calibration(forecasts[chosen], left, confidence=trial.confidence),
        risks=highest_first(tested[["customer_id"]].assign(risk=forecasts[chosen], left=left)),
        windows=listed(windows, outcome),
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
    found = ending(people, ledger, as_of)
    return found.mutate(left=within(found["_ends_in"], horizon)).drop("_ends_in")


def check_settings(measure: str, **settings: int) -> None:
    """Raise MeasureError where one of the settings is below 1, or the horizon longer than dates reach."""
    for name, value in settings.items():
        if value < 1:
            raise MeasureError(measure, f"{name} is {value}", "Give at least 1")
        if name == "horizon" and value > _LONGEST_DAYS:
            raise MeasureError(measure, f"{name} is {value}", f"Give at most {_LONGEST_DAYS} days")


def together(windows: Sequence[Window]) -> pd.DataFrame:
    """Return the rows of all windows to learn from."""
    return pd.concat([window.rows for window in windows if window.use == "train"], ignore_index=True)


def highest_first(risks: pd.DataFrame) -> pd.DataFrame:
    """Sort customers by risk, those of one risk by id."""
    return risks.sort_values(["risk", "customer_id"], ascending=[False, True], ignore_index=True)


def _check_days(starts: Sequence[dt.date], test: dt.date, horizon: int) -> None:
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


def _baselines(known: pd.DataFrame, tested: pd.DataFrame, trial: Trial) -> Mapping[str, Floats]:
    """Return what would be forecast without a model."""
    base, days = float(known[trial.outcome].mean()), trial.contract_days
    found = {BASE_RATE: np.full(len(tested), base)}
    if days in known:
        share = known.groupby(known[days] < trial.horizon)[trial.outcome].mean()
        found[CONTRACT_ENDS] = (tested[days] < trial.horizon).map(share).fillna(base).to_numpy(dtype=np.float64)
    return found


def _difference(scores: pd.DataFrame) -> tuple[float, float, float]:
    """Return the Brier score of boosting less that of logistic regression, and its ends, from the gains of boosting."""
    gain = scores.set_index("model").loc["logistic"]
    return -float(gain["brier_gain"]), -float(gain["brier_gain_high"]), -float(gain["brier_gain_low"])
