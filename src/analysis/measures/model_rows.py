"""The rows on which the models of customer value are fitted, and for which they predict: numbers, checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import MeasureError
from analysis.measures.frames import require
from analysis.measures.inference import Floats


def numbers(model: str, rows: pd.DataFrame, *columns: str) -> list[Floats]:
    """Return the columns as floats, missing as nan. Raises MeasureError where one is absent."""
    require(model, rows, columns)
    return [rows[name].to_numpy(np.float64, na_value=np.nan) for name in columns]


def customers_of(model: str, rows: pd.DataFrame) -> Floats:
    """Return how many customers each row stands for. Raises MeasureError where one is no number from 0 on."""
    (customers,) = numbers(model, rows, "customers")
    refuse(model, {"customers that are no finite number from 0 on": ~((customers >= 0) & (customers < np.inf))})
    return customers


def refuse(model: str, faults: Mapping[str, NDArray[np.bool_]]) -> None:
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
