"""Shapley shares of R² from sums and cross-products alone: every subset of attributes, swept in one go."""

from __future__ import annotations

from math import comb
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.measures.inference import Floats

Moments: TypeAlias = tuple[Floats, Floats, Floats]
"""Counts, sums and cross-products, a row or a matrix a group."""

NOTHING_LEFT = 1e-10
"""Share of an attribute's variance, given others, below which it follows from them."""
NO_SPREAD = 1e-12
"""Share of the mean square below which what is left after the mean is rounding."""
_SUBSETS_AT_ONCE = 2**17


def unpacked(moments: Floats, columns: int) -> tuple[Floats, Floats, Floats]:
    """Split rows of moments into counts, sums (a row each) and cross-products (a matrix each)."""
    n, sums, upper = np.split(moments, [1, 1 + columns], axis=1)
    products = np.empty((len(moments), columns, columns))
    rows, others = np.triu_indices(columns)
    products[:, rows, others] = products[:, others, rows] = upper
    return n, sums, products


def scatter_of(n: Floats, sums: Floats, products: Floats) -> Floats:
    """Return cross-products about the means."""
    return products - sums[:, :, None] * sums[:, None, :] / n[:, :, None]


def correlations_of(scatter: Floats, products: Floats) -> Floats:
    """Return a correlation matrix each; a column without spread correlates with nothing, itself neither."""
    spread, squares = (np.diagonal(matrices, axis1=1, axis2=2) for matrices in (scatter, products))
    varies = spread > NO_SPREAD * squares
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, spread, 1)), 0)
    return scatter * scale[:, :, None] * scale[:, None, :]


def replicates_of(groups: Floats, columns: int, bootstrap: int, seed: int) -> Floats:
    """Return the shares of each replicate whose outcome varies."""
    drawn = np.random.default_rng(seed).multinomial(len(groups), np.full(len(groups), 1 / len(groups)), bootstrap)
    n, sums, products = unpacked(drawn @ groups, columns)
    correlations = correlations_of(scatter_of(n, sums, products), products)
    correlations = correlations[correlations[:, -1, -1] > 0]
    at_once = max(1, _SUBSETS_AT_ONCE >> columns)
    parts = [shares_of(correlations[start : start + at_once]) for start in range(0, len(correlations), at_once)]
    return np.concatenate([np.empty((0, columns - 1)), *parts])


def shares_of(correlations: Floats) -> Floats:
    """Return the shares of R², a row for each correlation matrix; the outcome stands last in it."""
    explained = _explained(correlations)
    matrices, attributes = len(correlations), correlations.shape[1] - 1
    orders = np.array([1 / (attributes * comb(attributes - 1, others)) for others in range(attributes)])
    sizes = _sizes(attributes)
    shares = np.empty((matrices, attributes))
    for this in range(attributes):
        without, including = explained.reshape(-1, 2, 2**this, matrices).swapaxes(0, 1)
        weights = orders[sizes.reshape(-1, 2, 2**this)[:, 0]]
        # a product by BLAS wakes its threads for each attribute, which costs more than the sums
        shares[:, this] = np.einsum("ij,ijm->m", weights, including - without)
    return shares


def _sizes(attributes: int) -> NDArray[np.int_]:
    """Return how many attributes each subset holds; bit k of its number says whether attribute k is in."""
    sizes = np.zeros(1, dtype=np.int_)
    for _ in range(attributes):
        sizes = np.concatenate([sizes, sizes + 1])
    return sizes


def _explained(correlations: Floats) -> Floats:
    """Return the R² of every subset (a row each, numbered as in ``_sizes``) for each correlation matrix (a column).

    Attribute by attribute, what is known so far is kept once as it is and once with the attribute swept out, so a step
    of all subsets is one array operation, and the matrices shrink as the subsets double.
    """
    left = np.moveaxis(correlations, 0, -1)
    while len(left) > 1:
        pivot, along, rest = left[0, 0], left[0, 1:], left[1:, 1:]
        slopes = np.divide(along, pivot, where=pivot > NOTHING_LEFT, out=np.zeros_like(along))
        left = np.concatenate([rest, rest - along[:, None] * slopes], axis=-1)
    explained: Floats = 1 - left[0, 0].reshape(-1, len(correlations))
    return explained


def relative(shares: Floats) -> Floats:
    """Return shares of their sum along the last axis, missing where the sum is nothing but rounding."""
    total = shares.sum(axis=-1, keepdims=True)
    relative: Floats = np.divide(shares, total, where=total > NO_SPREAD, out=np.full_like(shares, np.nan))
    return relative


def percentiles(replicates: Floats, confidence: float) -> Floats:
    """Return low and high of each column, over the replicates that have a value."""
    known = replicates[~np.isnan(replicates).any(axis=1)]
    if not len(known):
        return np.full((2, replicates.shape[1]), np.nan)
    ends: Floats = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return ends
