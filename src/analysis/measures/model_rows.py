"""The rows on which the models of customer value are fitted, and for which they predict: numbers, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from analysis.errors import MeasureError
from analysis.measures.frames import require
from analysis.measures.inference import Floats

Bools: TypeAlias = NDArray[np.bool_]


def numbers(model: str, rows: pd.DataFrame, *columns: str) -> list[Floats]:
    """Return the columns as floats, missing as nan. Raises MeasureError where one is absent or no number."""
    require(model, rows, columns)
    return [_floats(model, name, rows[name]) for name in columns]


def histories(model: str, rows: pd.DataFrame) -> list[Floats]:
    """Return frequency, recency, age. Raises MeasureError where one is absent or out of its domain."""
    frequency, recency, age = found = numbers(model, rows, "frequency", "recency", "age")
    refuse(
        model,
        {
            "a frequency that is no whole number from 0 on": ~are_counts(frequency),
            "recency and age out of 0 <= recency <= age": ~((recency >= 0) & (recency <= age) & (age < np.inf)),
            "a recency above 0 without a repeat purchase": (frequency == 0) & (recency > 0),
        },
    )
    return found


def customers_of(model: str, rows: pd.DataFrame) -> Floats:
    """Return how many customers each row stands for. Raises MeasureError where one is no number from 0 on."""
    (customers,) = numbers(model, rows, "customers")
    refuse(model, {"customers that are no finite number from 0 on": ~((customers >= 0) & (customers < np.inf))})
    return customers


def are_counts(values: Floats) -> Bools:
    """Say which values are whole numbers from 0 on."""
    counts: Bools = (values >= 0) & (values < np.inf) & (values == np.floor(values))
    return counts


def refuse(model: str, faults: Mapping[str, Bools]) -> None:
    """Raise MeasureError that counts the rows of the first fault that occurs."""
    for what, has in faults.items():
        if has.any():
            raise MeasureError(
                model, f"{int(has.sum())} of {len(has)} rows have {what}", "Make the rows with the model's summary"
            )


def check_horizon(model: str, horizon: float) -> None:
    """Raise MeasureError unless the horizon is a finite number from 0 on."""
    if not 0 <= horizon < np.inf:
        raise MeasureError(model, f"horizon is {horizon}", "Give a finite number of units from 0 on, such as 52 weeks")


def times_of(model: str, time: ArrayLike) -> Floats:
    """Return times as floats. Raises MeasureError unless all are finite numbers from 0 on."""
    times: Floats = np.asarray(time, dtype=np.float64)
    if not ((times >= 0) & (times < np.inf)).all():
        raise MeasureError(
            model, "times are not all finite numbers from 0 on", "Count the units since the first purchase"
        )
    return times


def counts_of(model: str, name: str, values: ArrayLike, least: int = 0) -> NDArray[np.intp]:
    """Return values as whole numbers. Raises MeasureError unless they are, from ``least`` on."""
    given: Floats = np.asarray(values, dtype=np.float64)
    if not (are_counts(given) & (given >= least)).all():
        raise MeasureError(model, f"{name} must be whole, from {least} on", "Count whole periods or opportunities")
    return given.astype(np.intp)


def dot(weights: NDArray[np.number], values: Floats) -> float:
    """Return the sum of the values, each times its weight."""
    # einsum, as BLAS would wake threads for one sum, and add in an order that depends on them
    return float(np.einsum("i,i", weights, values))


def _floats(model: str, name: str, column: pd.Series) -> Floats:
    try:
        floats: Floats = column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise MeasureError(model, f"{name} holds what is no number", "Make the rows with the model's summary") from None
    return floats
