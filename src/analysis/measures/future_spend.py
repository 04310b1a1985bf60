"""What a purchase day will bring: moments under gamma-gamma of a customer's own level, over parameter draws.

With x purchase days of mean z, the level p/ν of a customer has ν gamma (q + px, v + xz): its mean is linear in z, its
mean square quadratic. So coefficients by number of purchase days are all that draws need to be summed up over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measures.gamma_gamma import NAMES, GammaGamma
from analysis.measures.inference import Floats

Places: TypeAlias = NDArray[np.intp]

_MEAN_FROM, _SPREAD_FROM = 1.05, 2.1
"""Shapes q + px down to which mean and variance of the level are taken from the model: they have none from 1 and 2 on,
and just above there is no telling them from infinite."""

_AVERAGE = (
    "These data do not identify what customers spend: all are expected to spend the average of repeat buyers, and to "
    "differ as these do."
)


@dataclass(frozen=True, eq=False)
class SpendMoments:
    """Coefficients of 1, z, z² by number of purchase days, in the order of ``counts``."""

    counts: Floats
    level: Floats
    """Of the mean level, at the estimates,"""
    levels: Floats
    """and by draw."""
    mean: Floats
    """Of the mean over draws of the mean level,"""
    mean_square: Floats
    """of its square,"""
    square: Floats
    """of the mean square of the level,"""
    purchase_square: Floats
    """and of that of a single purchase."""
    notes: tuple[str, ...]

    def places(self, counts: Floats) -> Places:
        """Return where each count stands."""
        return np.searchsorted(self.counts, counts)


def spend_moments(model: GammaGamma | None, counts: Floats, draws: Floats, observed: pd.DataFrame) -> SpendMoments:
    """Sum up over draws of p, q, v what customers with so many purchase days will spend on one.

    ``observed`` is the spend summary the model was fitted on. Where in some draw the level has no mean, there is no
    model or it is not identified, it is the average of all repeat buyers; where it has no variance, its coefficient of
    variation is that of their means.
    """
    average, variation = _observed(observed)
    params = np.full((1, len(NAMES)), np.nan) if model is None else model.params.to_numpy()[None]
    level, _squares, _own = _of(params, counts)
    levels, squares, own = _of(draws, counts)
    shape = np.concatenate([draws, params])
    least = (shape[:, [1]] + shape[:, [0]] * counts).min(axis=0)
    no_mean, no_spread = ~(least >= _MEAN_FROM), ~(least >= _SPREAD_FROM)
    level[:, no_mean] = levels[:, no_mean] = (average, 0.0)
    of_level = _squared(levels)
    squares[:, no_spread] = of_level[:, no_spread] * (1 + variation**2)
    own[:, no_spread] = squares[:, no_spread] * (1 + np.nan_to_num(1 / draws[:, 0]))[:, None, None]
    return SpendMoments(
        counts=counts,
        level=level[0],
        levels=levels,
        mean=levels.mean(axis=0),
        mean_square=of_level.mean(axis=0),
        square=squares.mean(axis=0),
        purchase_square=own.mean(axis=0),
        notes=_said(model, counts, no_mean, no_spread),
    )


def evaluated(coefficients: Floats, z: Floats) -> Floats:
    """Return by row the polynomial in z whose coefficients it has."""
    total = coefficients[..., -1]
    for power in range(coefficients.shape[-1] - 2, -1, -1):
        total = total * z + coefficients[..., power]
    return total


def _of(draws: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Return by draw and count the coefficients of the mean level, of its mean square, and of a purchase's."""
    p, q, v = (column[:, None] for column in draws.T)
    shape = q + p * counts
    constant = np.broadcast_to(v, shape.shape)
    slope = np.broadcast_to(counts, shape.shape)
    with np.errstate(divide="ignore"):
        level = np.stack([constant, slope], axis=-1) * (p / (shape - 1))[..., None]
        square = _squared(np.stack([constant, slope], axis=-1)) * (p**2 / ((shape - 1) * (shape - 2)))[..., None]
    return level, square, square * (1 + 1 / p)[..., None]


def _squared(linear: Floats) -> Floats:
    constant, slope = linear[..., 0], linear[..., 1]
    return np.stack([constant**2, 2 * constant * slope, slope**2], axis=-1)


def _observed(summary: pd.DataFrame) -> tuple[float, float]:
    """Return the average of repeat buyers' mean spends, and their coefficient of variation; 0 where none is above 0."""
    known = summary[(summary["mean_spend"] > 0) & (summary["frequency"] > 0)]
    means, customers = known["mean_spend"].to_numpy(np.float64), known["customers"].to_numpy(np.float64)
    if not len(means):
        return 0.0, 0.0
    average = float(means @ customers / customers.sum())
    return average, float(np.sqrt((means - average) ** 2 @ customers / customers.sum())) / average


def _said(
    model: GammaGamma | None, counts: Floats, no_mean: NDArray[np.bool_], no_spread: NDArray[np.bool_]
) -> tuple[str, ...]:
    if model is None:
        return ()
    return _notes(counts, no_mean, no_spread) if model.identified else (_AVERAGE,)


def _notes(counts: Floats, no_mean: NDArray[np.bool_], no_spread: NDArray[np.bool_]) -> tuple[str, ...]:
    said = []
    if no_mean.any():
        said.append(
            f"Spend varies so much that customers with up to {counts[no_mean].max():.0f} repeat purchase days have no "
            "expected spend of their own: theirs is the average of all repeat buyers."
        )
    if no_spread.any():
        said.append(
            f"Spend varies so much that its variance is not known for customers with up to "
            f"{counts[no_spread].max():.0f} repeat purchase days: that of repeat buyers' means stands in for it."
        )
    return tuple(said)
