"""How many clusters rows fall into: cut in halves again and again, and found alike and apart each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measures.inference import Floats

if TYPE_CHECKING:
    from sklearn.cluster import KMeans

Labels: TypeAlias = NDArray[np.intp]

STABLE = 0.8
"""Agreement of two halves of the customers, as an adjusted Rand index, from which on a number of clusters is stable."""
VALLEY = 0.8
"""So thinly settled, as a share of what it is at the emptier of two centres, the border between clusters may be."""

FEWEST = 50
"""Customers below which no clusters are sought."""
_HALVINGS = 10
_HALF = 2000
"""Customers of a half at most: in very large ones even arbitrary borders come out alike."""
_STARTS, _FINAL_STARTS = 3, 10
_WINDOW = 0.25
"""How far around border and centres customers are counted, in half distances between the two centres."""


def stability_of(settled: Floats, most: int, min_share: float, seed: int) -> pd.DataFrame:
    """Judge each number of clusters from 2 to ``most``, on standardised rows.

    Columns out: number, stability (mean adjusted Rand index of clusters found in two halves), valley (how thickly the
    border of the two clusters worst apart is settled, as a share of the emptier centre), smallest (share of the
    smallest cluster), holds (whether all three are good enough). No rows where fewer than 50 customers are given.
    """
    rows: list[tuple[float, ...]] = []
    if len(settled) >= FEWEST and settled.shape[1]:
        halvings = list(_halved(settled, seed))
        different = min(len(np.unique(half, axis=0)) for halves in halvings for half in halves)
        with _one_thread():
            for number in range(2, min(most, different) + 1):
                judged = [_judged(*halves, number, seed) for halves in halvings]
                rows.append((number, *np.mean(judged, axis=0)))
    found = pd.DataFrame(rows, columns=["number", "stability", "valley", "smallest"]).astype({"number": "int64"})
    holds = (found["stability"] >= STABLE) & (found["valley"] <= VALLEY) & (found["smallest"] >= min_share)
    return found.assign(holds=holds.astype(bool))


def grouped(settled: Floats, number: int, seed: int) -> Labels:
    """Return each row's cluster, numbered from 1 on by size, equal sizes by their centres."""
    with _one_thread():
        model = _fitted(settled, number, _FINAL_STARTS, seed)
    sizes = np.bincount(model.labels_)
    order = np.lexsort((*model.cluster_centers_.T[::-1], -sizes))
    numbers = np.empty(len(order), dtype=np.intp)
    numbers[order] = np.arange(1, len(order) + 1)
    labels: Labels = numbers[model.labels_]
    return labels


def _one_thread() -> AbstractContextManager[object]:
    """Keep to one thread: several wait for one another, and their sums come out differently in the last digits."""
    import_module("sklearn.cluster")  # a limit reaches only what is loaded already
    # scikit-learn's own dependency, without types
    limits: AbstractContextManager[object] = import_module("threadpoolctl").threadpool_limits(1)
    return limits


def _halved(settled: Floats, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield pairs of halves without a customer in common."""
    draw, size = np.random.default_rng(seed), min(len(settled) // 2, _HALF)
    for _halving in range(_HALVINGS):
        order = draw.permutation(len(settled))
        yield settled[order[:size]], settled[order[size : 2 * size]]


def _judged(first: Floats, second: Floats, number: int, seed: int) -> tuple[float, float, float]:
    """Return, of clusters found in the first half: stability, valley and smallest share in the second."""
    from sklearn.metrics import adjusted_rand_score

    model = _fitted(first, number, _STARTS, seed)
    labels = model.predict(second)
    agreement = adjusted_rand_score(_fitted(second, number, _STARTS, seed).labels_, labels)
    smallest = np.bincount(labels, minlength=number).min() / len(second)
    pairs = combinations(range(number), 2)
    return agreement, max(_valley(second, labels, model.cluster_centers_, a, b) for a, b in pairs), smallest


def _valley(rows: Floats, labels: Labels, centres: Floats, a: int, b: int) -> float:
    """Return how thickly the border of two clusters is settled, as a share of the emptier centre."""
    way = centres[b] - centres[a]
    place = 2 * (rows[(labels == a) | (labels == b)] - centres[a]) @ way / (way @ way) - 1
    at_a, border, at_b = (int((np.abs(place - spot) < _WINDOW).sum()) for spot in (-1, 0, 1))
    emptier = min(at_a, at_b)
    return border / emptier if emptier else 1.0


def _fitted(rows: Floats, number: int, starts: int, seed: int) -> KMeans:
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=starts, random_state=seed).fit(rows)
