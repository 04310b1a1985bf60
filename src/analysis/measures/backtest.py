"""How well purchase models foretell: fitted on what was known on a day, held against what came after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError, UnknownNameError
from analysis.measures.bg_nbd import fit_bg_nbd, fit_mbg_nbd
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.future_purchases import WEEK, PurchaseModel
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.money import known_amounts
from analysis.measures.nbd import fit_nbd
from analysis.measures.pareto_nbd import fit_pareto_nbd

PURCHASE_MODELS: Mapping[str, Callable[[pd.DataFrame], PurchaseModel]] = MappingProxyType(
    {"bg_nbd": fit_bg_nbd, "mbg_nbd": fit_mbg_nbd, "pareto_nbd": fit_pareto_nbd}
)
"""The models there are of customers who buy when they like and leave unseen, by name."""
NBD = "nbd"
"""Their limit, of customers of whom nobody leaves: it stands in where the data identify none of them."""
LIKE_LAST_YEAR = "like last year"
"""The baseline: each customer buys as often as in as long a time before the split."""

_ROW = ["frequency", "recency", "age"]
_OFTEN = 7
"""Customers with so many repeat purchases and more are one group."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """What models foretold and what came. ``notes`` say which of them the data do not identify, and how so."""

    winner: str
    """The forecast with the least root mean squared error, among the baseline and the models that are identified."""
    model: str | None
    """The best of the identified models; None where there is none, not even ``nbd``."""
    scores: pd.DataFrame
    """One row a forecast, the best first: model, identified, customers, actual, predicted (purchases of all together),
    bias, bias_share (of the actual; negative where too few were foretold), mae, rmse (purchases a customer), and by how
    much its rmse is above that of the winner: behind, behind_low, behind_high; missing for what is not identified.
    """
    customers: pd.DataFrame
    """One row a forecast and number of repeat purchases before the split: model, frequency (7 stands for 7 and more),
    customers, predicted, actual (mean a customer), low, high (of actual).
    """
    calibration: pd.DataFrame
    """One row a forecast and tenth of the customers by what was foretold, lowest first; equals stay together: model,
    tenth, customers, predicted, actual (mean a customer), low, high (of actual).
    """
    weeks: pd.DataFrame
    """One row a model and week since the first purchase of all: model, week, last_day, is_holdout, actual, predicted
    (repeat purchases of these customers up to then, all together).
    """
    notes: tuple[str, ...]


def backtest(
    transactions: Rows,
    *,
    split: dt.date,
    as_of: dt.date,
    models: Sequence[str] = tuple(PURCHASE_MODELS),
    confidence: float = 0.95,
) -> Backtest:
    """Fit purchase models on what was known on ``split`` and hold their forecasts against what came until ``as_of``.

    Both are first days not known. Customers are those who bought before ``split``; purchases are days with a purchase,
    as ``purchase_summary`` counts them. The baseline ``like last year`` foretells each customer's repeat purchases of
    as many days before the split as there are after it. Where none of the models is identified, ``nbd``, to which they
    come where nobody leaves, is tried in addition.

    The winner is scored on the very time it was chosen on, so by chance it looks a little better than it is.

    Intervals are by the normal approximation over customers; that of ``behind`` is of the difference between two
    forecasts for the same customers. They do not hold how the parameters vary.

    Columns in: customer_id, date, revenue (money; returns negative). Returns a record :class:`Backtest`.

    Raises MeasureError where a column is absent, nobody bought before ``split`` or it is not before ``as_of``;
    UnknownNameError for an unknown model.
    Source: Fader, Hardie and Lee (2005), Marketing Science 24, 275-284; Wübben and von Wangenheim (2008), Journal of
    Marketing 72, 82-93, for the baseline.

    >>> days = pd.date_range("2025-01-01", periods=300)
    >>> times = [int(number**1.5 * 7) % 300 for number in range(200)]
    >>> orders = pd.DataFrame({"customer_id": [f"{at % 37}" for at in times], "date": days[times], "revenue": 1.0})
    >>> found = backtest(orders, split=dt.date(2025, 7, 1), as_of=dt.date(2025, 10, 1), models=["bg_nbd"])
    >>> sorted(found.scores["model"]), int(found.scores["actual"].iloc[0])
    (['bg_nbd', 'like last year', 'nbd'], 44)
    """
    _check(split, as_of, models)
    z = normal_quantile(confidence, "backtest")
    days = _purchase_days(transactions, as_of)
    cells = _reduce_cells(days, split, as_of).execute().sort_values([*_ROW, "before", "actual"], ignore_index=True)
    if cells.empty:
        raise MeasureError("backtest", f"nobody bought before the split, {split}", "Name a later split")
    cells[["recency", "age"]] = cells[["recency", "age"]] / WEEK
    summary = cells.groupby(_ROW, as_index=False)["customers"].sum()
    fitted = {name: PURCHASE_MODELS[name](summary) for name in models}
    if models and not any(model.identified for model in fitted.values()):
        fitted[NBD] = fit_nbd(summary)
    horizon = (as_of - split).days / WEEK
    foretold = {name: _foretold(model, summary, cells, horizon) for name, model in fitted.items()}
    foretold[LIKE_LAST_YEAR] = cells["before"].to_numpy(np.float64)
    unknown = [name for name, model in fitted.items() if not model.identified]
    scores = _scores(cells, foretold, unknown, z)
    candidates = scores.loc[scores["identified"], "model"].tolist()
    return Backtest(
        winner=candidates[0],
        model=next((name for name in candidates if name != LIKE_LAST_YEAR), None),
        scores=scores,
        customers=_by_frequency(cells, foretold, z),
        calibration=_by_tenth(cells, foretold, z),
        weeks=_tracked(_reduce_weeks(days, split).execute(), summary, fitted, split, as_of),
        notes=tuple(f"{name}: {note}" for name, model in fitted.items() for note in model.notes),
    )


def _check(split: dt.date, as_of: dt.date, models: Sequence[str]) -> None:
    if split >= as_of:
        raise MeasureError("backtest", f"split {split} is not before as_of {as_of}", "Name an earlier split")
    for name in models:
        if name not in PURCHASE_MODELS:
            raise UnknownNameError("model", name, PURCHASE_MODELS, "backtest")


def _purchase_days(transactions: Rows, as_of: dt.date) -> ir.Table:
    """One row a customer and purchase day, with the customer's first one."""
    table = as_table(transactions)
    require("backtest", table, ("customer_id", "date", "revenue"))
    lines = known_amounts(table, "customer_id", "date", "revenue")
    lines = lines.filter(lines["revenue"] >= 0).select("customer_id", date=lines["date"].cast("date"))
    days = lines.filter(lines["date"] < ibis.literal(as_of, type="date")).distinct()
    return days.mutate(first=days["date"].min().over(ibis.window(group_by="customer_id")))


def _reduce_cells(days: ir.Table, split: dt.date, as_of: dt.date) -> ir.Table:
    """Count customers by frequency, recency and age (days), and by purchases just before and after the split."""
    start = ibis.literal(split, type="date")
    begun = days.filter(days["first"] < start)
    known = begun["date"] < start
    earliest = ibis.literal(split - (as_of - split), type="date")
    customers = begun.group_by("customer_id", "first").aggregate(
        last=begun["date"].max(where=known),
        frequency=known.ifelse(1, 0).sum() - 1,
        before=(known & (begun["date"] > begun["first"]) & (begun["date"] >= earliest)).ifelse(1, 0).sum(),
        actual=known.ifelse(0, 1).sum(),
    )
    customers = customers.mutate(
        recency=customers["last"].delta(customers["first"], unit="day"),
        age=ibis.literal(split - dt.timedelta(days=1), type="date").delta(customers["first"], unit="day"),
    )
    return customers.group_by(*_ROW, "before", "actual").aggregate(customers=customers.count())


def _reduce_weeks(days: ir.Table, split: dt.date) -> ir.Table:
    """Count purchases, and first ones, by day."""
    begun = days.filter(days["first"] < ibis.literal(split, type="date"))
    first = (begun["date"] == begun["first"]).ifelse(1, 0)
    return begun.group_by("date").aggregate(firsts=first.sum(), repeats=(1 - first).sum())


def _foretold(model: PurchaseModel, summary: pd.DataFrame, cells: pd.DataFrame, horizon: float) -> Floats:
    """Return by cell the purchases expected of a customer."""
    expected = model.predict(summary, horizon=horizon)["expected_purchases"].to_numpy(np.float64)
    # both frames are sorted by row, so the number of the group is the place in the summary
    by_cell: Floats = expected[cells.groupby(_ROW).ngroup().to_numpy()]
    return by_cell


def _scores(cells: pd.DataFrame, foretold: Mapping[str, Floats], unknown: Sequence[str], z: float) -> pd.DataFrame:
    actual, customers = cells["actual"].to_numpy(np.float64), cells["customers"].to_numpy(np.float64)
    n, total = customers.sum(), float(actual @ customers)
    errors = {name: predicted - actual for name, predicted in foretold.items()}
    rmse = {name: float(np.sqrt(error**2 @ customers / n)) for name, error in errors.items()}
    order = sorted(errors, key=lambda name: (rmse[name], name))
    best = next(name for name in order if name not in unknown)
    rows = []
    for name in order:
        predicted = float(foretold[name] @ customers)
        is_known = name not in unknown
        half = z * _se_of_difference(errors[name], errors[best], customers)
        behind = rmse[name] - rmse[best] if is_known else np.nan
        rows.append(
            {
                "model": name,
                "identified": is_known,
                "customers": round(n),
                "actual": round(total),
                "predicted": predicted,
                "bias": predicted - total,
                "bias_share": predicted / total - 1 if total else np.nan,
                "mae": float(np.abs(errors[name]) @ customers / n),
                "rmse": rmse[name],
                "behind": behind,
                "behind_low": behind - half,
                "behind_high": behind + half,
            }
        )
    return pd.DataFrame(rows)


def _se_of_difference(errors: Floats, other: Floats, customers: Floats) -> float:
    """Return the standard error of a difference of root mean squared errors over the same customers."""
    n = customers.sum()
    means = [np.sqrt(squares @ customers / n) for squares in (errors**2, other**2)]
    # a root that is 0 has no slope, and all its errors are 0
    each = sum(
        sign * error**2 / (2 * mean if mean else 1)
        for sign, error, mean in zip((1, -1), (errors, other), means, strict=True)
    )
    centred = np.asarray(each) - each @ customers / n
    return float(np.sqrt(centred**2 @ customers) / n)


def _by_frequency(cells: pd.DataFrame, foretold: Mapping[str, Floats], z: float) -> pd.DataFrame:
    frequency = cells["frequency"].clip(upper=_OFTEN).to_numpy(np.intp)
    parts = [
        _means(cells, predicted, "frequency", frequency, z).assign(model=name) for name, predicted in foretold.items()
    ]
    return _model_first(parts)


def _by_tenth(cells: pd.DataFrame, foretold: Mapping[str, Floats], z: float) -> pd.DataFrame:
    customers = cells["customers"].to_numpy(np.int64)
    parts = []
    for name, predicted in foretold.items():
        _values, place = np.unique(predicted, return_inverse=True)
        by_value = np.bincount(place, customers)
        lower = (np.cumsum(by_value) - by_value)[place].astype(np.int64)
        parts.append(_means(cells, predicted, "tenth", 1 + 10 * lower // customers.sum(), z).assign(model=name))
    return _model_first(parts)


def _means(cells: pd.DataFrame, predicted: Floats, name: str, group: NDArray[np.integer], z: float) -> pd.DataFrame:
    """Return what was foretold and what came by group, as means over its customers."""
    customers, actual = cells["customers"].to_numpy(np.float64), cells["actual"].to_numpy(np.float64)
    sums = pd.DataFrame(
        {"n": customers, "p": customers * predicted, "a": customers * actual, "s": customers * actual**2}
    )
    found = sums.groupby(group).sum()
    mean = found["a"] / found["n"]
    spread = (found["s"] / found["n"] - mean**2).clip(lower=0) * found["n"] / (found["n"] - 1).where(found["n"] > 1)
    half = z * np.sqrt(spread / found["n"])
    told = {"customers": found["n"].round().astype("int64"), "predicted": found["p"] / found["n"], "actual": mean}
    ends = {"low": (mean - half).clip(lower=0), "high": mean + half}
    return pd.DataFrame({**told, **ends}).rename_axis(name).reset_index()


def _model_first(parts: list[pd.DataFrame]) -> pd.DataFrame:
    together = pd.concat(parts, ignore_index=True)
    return together[["model", *(name for name in together.columns if name != "model")]]


def _tracked(
    by_day: pd.DataFrame,
    summary: pd.DataFrame,
    fitted: Mapping[str, PurchaseModel],
    split: dt.date,
    as_of: dt.date,
) -> pd.DataFrame:
    """Add up by week what came, and what was to come of customers who begin on the days on which they did."""
    start = split - dt.timedelta(days=round(summary["age"].max() * WEEK) + 1)
    length = (as_of - start).days
    place = (pd.to_datetime(by_day["date"]) - pd.Timestamp(start)).dt.days.to_numpy()
    firsts, repeats = (np.bincount(place, by_day[name], length) for name in ("firsts", "repeats"))
    last = np.arange(WEEK - 1, length, WEEK)
    weeks = {
        "week": np.arange(len(last)) + 1,
        "last_day": pd.Timestamp(start) + pd.to_timedelta(last, unit="D"),
        "is_holdout": last >= (split - start).days,
        "actual": repeats.cumsum()[last].round().astype("int64"),
    }
    parts = []
    for name, model in fitted.items():
        expected = model.expected(np.arange(length) / WEEK)
        together = np.convolve(firsts, expected)[last]
        parts.append(pd.DataFrame({"model": name, **weeks, "predicted": together}))
    columns = ["model", *weeks, "predicted"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
