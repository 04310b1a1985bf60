"""What a purchase model expects of all customers together, by time: the line beside which the actual one is drawn."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.errors import MeasureError
from analysis.measures.inference import Floats
from analysis.measures.model_rows import customers_of, numbers, refuse

MODEL = "expected_by_time"


class Expecting(Protocol):
    """A purchase model that says what to expect of a new customer."""

    def expected(self, time: ArrayLike) -> Floats:
        """Return the purchases expected by each time after the first purchase, which is not counted."""


def expected_by_time(model: Expecting, summary: pd.DataFrame, *, times: ArrayLike) -> pd.DataFrame:
    """Add up the repeat purchases expected of customers, each from their first purchase on, whatever they did since.

    ``times`` run from the first purchase of the oldest customer, in the unit of the summary, and may go on beyond its
    end. Columns in: ``age`` (from the first purchase to the end), ``customers`` (how many). Columns out: time,
    customers (who have made their first purchase by then), expected (repeat purchases by then), increment (since the
    time before). One row a time, in their order.

    Raises MeasureError for an absent column, values outside their domain and times that do not rise from 0 on.
    Source: Fader, Hardie and Lee (2005), Marketing Science 24, 275-284, figure 3.

    >>> from analysis.measures.bg_nbd import fit_bg_nbd
    >>> rows = {"frequency": [0, 1, 1, 2, 8], "recency": [0, 4, 30, 20, 32], "age": [35, 35, 32, 35, 35]}
    >>> weeks = pd.DataFrame({**rows, "customers": [60, 15, 10, 10, 5]})
    >>> expected_by_time(fit_bg_nbd(weeks), weeks, times=[1, 2, 4]).round(2)
       time  customers  expected  increment
    0   1.0       90.0      3.10       3.10
    1   2.0       90.0      6.06       2.96
    2   4.0      100.0     11.98       5.92
    """
    (age,) = numbers(MODEL, summary, "age")
    customers = customers_of(MODEL, summary)
    refuse(MODEL, {"an age that is no finite number from 0 on": ~((age >= 0) & (age < np.inf))})
    time = np.asarray(times, dtype=np.float64)
    if time.ndim != 1 or not (np.diff(time, prepend=0) >= 0).all():
        raise MeasureError(MODEL, f"times are {times!r}", "Give numbers from 0 on that rise")
    ages = pd.Series(customers).groupby(age).sum()
    since_first = time[:, None] - (age.max(initial=0) - ages.index.to_numpy())
    of_elapsed, elapsed = pd.factorize(since_first.clip(0).ravel())
    by_customer = model.expected(elapsed)[of_elapsed].reshape(since_first.shape)
    expected = (by_customer * ages.to_numpy()).sum(axis=1)
    return pd.DataFrame(
        {
            "time": time,
            "customers": ((since_first >= 0) * ages.to_numpy()).sum(axis=1),
            "expected": expected,
            "increment": np.diff(expected, prepend=0.0),
        }
    )
