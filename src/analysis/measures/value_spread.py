"""How expected values are spread over customers, and how sure they are of a single one."""

from __future__ import annotations

import numpy as np
import pandas as pd

_BINS = 10
_USUAL = 0.95
"""The steps reach as far as so many of the customers; all beyond stand in the last one."""


def value_spread(customers: pd.DataFrame) -> pd.DataFrame:
    """Count customers by what is expected of them, in steps of equal, round size; the last is open.

    Columns in: expected_value. Columns out: from, to (money; missing where open), customers, share (of them, 0 to 1),
    value (sum, money). Values below 0 have a row of their own, where there are any.

    >>> known = pd.DataFrame({"expected_value": [-5.0, 0.0, *[8.0] * 96, 90.0, 500.0]})
    >>> value_spread(known)[["from", "to", "customers"]].iloc[[0, 1, 7, 8, 9]]
       from   to  customers
    0   NaN  0.0          1
    1   0.0  1.0          1
    7   6.0  7.0          0
    8   7.0  8.0          0
    9   8.0  NaN         98
    """
    values = customers["expected_value"].dropna().to_numpy(np.float64)
    if not len(values):
        return pd.DataFrame(columns=["from", "to", "customers", "share", "value"], dtype="float64")
    step = _round_step(float(np.quantile(values, _USUAL)) / _BINS)
    last = max(1, int(np.ceil(np.quantile(values, _USUAL) / step)))
    place = np.clip(np.floor(values / step), -1, last).astype(np.intp)
    counts, sums = np.bincount(place + 1, minlength=last + 2), np.bincount(place + 1, values, last + 2)
    begins = np.arange(-1, last + 1) * step
    found = pd.DataFrame({"from": begins, "to": begins + step, "customers": counts, "value": sums})
    found.loc[0, "from"], found.loc[last + 1, "to"] = np.nan, np.nan
    found["share"] = found["customers"] / len(values)
    kept = found[(found.index > 0) | (found["customers"] > 0)]
    return kept[["from", "to", "customers", "share", "value"]].reset_index(drop=True)


def _round_step(size: float) -> float:
    """Return the least of 1, 2, 5, 10, ... times a power of ten that is not below ``size``."""
    if size <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(size))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size * (1 - 1e-12)))


def value_tenths(customers: pd.DataFrame) -> pd.DataFrame:
    """Add up customers by tenths of what is expected of them, the dearest first, and say how sure it is of one of them.

    Columns in: expected_value, low, high. Columns out: tenth (10 the dearest), customers, expected_value (sum), mean,
    share (of the sum of positive values), low, high (medians of the ends of a single customer's interval).

    >>> known = pd.DataFrame({"expected_value": range(20), "low": 0.0, "high": 40.0})
    >>> value_tenths(known).head(2)[["tenth", "customers", "expected_value", "low", "high"]]
       tenth  customers  expected_value  low  high
    0     10          2              37  0.0  40.0
    1      9          2              33  0.0  40.0
    """
    known = customers[customers["expected_value"].notna()]
    place = known["expected_value"].rank(method="first")
    tenth = np.ceil(10 * place / max(len(known), 1)).astype("int64")
    found = known.groupby(tenth.rename("tenth")).agg(
        customers=("expected_value", "size"),
        expected_value=("expected_value", "sum"),
        mean=("expected_value", "mean"),
        low=("low", "median"),
        high=("high", "median"),
    )
    positive = known["expected_value"].clip(lower=0).sum()
    found["share"] = found["expected_value"] / (positive if positive > 0 else np.nan)
    return found.sort_index(ascending=False).reset_index()
