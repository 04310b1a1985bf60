"""Net value: what a customer brings month by month as long as they stay, in money of today, less what winning cost."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import MeasureError
from analysis.measures.inference import Floats

Timing: TypeAlias = Literal["end", "start"]
"""When the money of a month is booked: at its end, if the customer stays to it, or at its beginning."""


def net_value(
    survival: ArrayLike,
    *,
    margin: ArrayLike,
    service: ArrayLike = 0.0,
    acquisition: ArrayLike = 0.0,
    discount: float,
    timing: Timing = "end",
) -> Floats:
    """Return Σ (margin - service) · S(k) / (1 + d)^k over months k, less acquisition; d is the monthly rate.

    ``survival``: the shares S(1), S(2), … still there at the end of each month of the horizon, months along the last
    axis. ``margin`` and ``service`` (money a month) and ``acquisition`` (money, for customers won inside the period;
    what others cost is sunk) are numbers or one for each row of survival. ``discount`` is a rate a year: 0.1 is 10 %.
    With ``timing="start"`` the money of month k is booked at its beginning: S(k - 1) / (1 + d)^(k - 1).

    Negative values are kept. Raises MeasureError for shares that rise or lie outside 0 to 1, a discount of -1 or below
    and an unknown timing.
    Source: Gupta, Lehmann and Stuart (2004), Journal of Marketing Research 41, 7-18; discounted month by month.

    >>> stay = 0.98 ** np.arange(1, 37)
    >>> round(float(net_value(stay, margin=20, service=2, acquisition=120, discount=0.1)), 4)
    281.6525
    """
    shares = np.asarray(survival, dtype=np.float64)
    _check_shares(shares)
    worth = worth_today(shares.shape[-1], discount, timing)
    monthly = np.asarray(margin, dtype=np.float64) - np.asarray(service, dtype=np.float64)
    value: Floats = monthly * (there_when_booked(shares, timing) @ worth) - np.asarray(acquisition, dtype=np.float64)
    return value


def monthly_rate(discount: float) -> float:
    """Return the rate a month that compounds to a rate a year. Raises MeasureError for a rate of -1 or below.

    >>> round(monthly_rate(0.1), 6)
    0.007974
    """
    if not -1 < discount < np.inf:
        raise MeasureError("net_value", f"discount is {discount}", "Give a rate a year above -1, such as 0.1 for 10 %")
    return float(np.expm1(np.log1p(discount) / 12))


def worth_today(months: int, discount: float, timing: Timing = "end") -> Floats:
    """Return what a unit of money booked in each month of the horizon is worth today.

    Raises MeasureError for fewer months than 1, a discount of -1 or below and an unknown timing.

    >>> worth_today(2, 0.21).round(4).tolist(), worth_today(2, 0.21, "start").round(4).tolist()
    ([0.9842, 0.9687], [1.0, 0.9842])
    """
    if months < 1:
        raise MeasureError("net_value", f"the horizon is {months} months", "Give at least 1 month")
    _check_timing(timing)
    booked = np.arange(months) + (timing == "end")
    worth: Floats = (1 + monthly_rate(discount)) ** -booked.astype(np.float64)
    return worth


def there_when_booked(survival: Floats, timing: Timing) -> Floats:
    """Return who is there when the money of each month is booked, from who is there at the end of each month."""
    if timing == "end":
        return survival
    before: Floats = np.concatenate([np.ones((*survival.shape[:-1], 1)), survival[..., :-1]], axis=-1)
    return before


def _check_timing(timing: str) -> None:
    if timing not in get_args(Timing):
        raise MeasureError("net_value", f"unknown timing {timing!r}", f"Known: {', '.join(get_args(Timing))}")


def _check_shares(shares: Floats) -> None:
    if shares.ndim == 0 or not ((shares >= 0) & (shares <= 1)).all() or (np.diff(shares, axis=-1) > 0).any():
        raise MeasureError(
            "net_value",
            "survival holds shares that rise, are missing or lie outside 0 to 1",
            "Give S(1), S(2) and so on",
        )
