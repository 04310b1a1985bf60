"""The two terms of the Pareto/NBD likelihood, for many rows at once and without special functions.

A customer with x purchases, the last at t, watched until T, is still active, which counts h(T), or left at a time y
between t and T, which counts s · h(y)/(β + y), with h(y) = (α + y)^-(r + x) · (β + y)^-s. The integral of the latter
is a sum over panels between the times that occur with x purchases, added up once from the right, so that a row takes
two of these sums. All is relative to h(t), which neither term nor their sum can exceed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measures.inference import Floats

Places: TypeAlias = NDArray[np.intp]

_LEGENDRE, _WEIGHTS = (part[:, None] / 2 for part in np.polynomial.legendre.leggauss(4))
_NODES = _LEGENDRE + 0.5
_FALL = 0.4
"""By how much the log of h may fall within a panel,"""
_WIDTH = 0.25
"""and by how much the log of the distance to its nearest pole may rise, for four nodes to give twelve digits."""
_NOTHING = 40.0
"""A fall of the log of h beyond which there is nothing left to add."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """The distinct pairs of purchases and time among recencies and ages, in this order, and where rows stand there.

    A panel leads from each of the points ``lefts`` to the next; those of a row, from its ``recency`` to its ``age``.
    ``longest`` is the greatest number of points with the same purchases.
    """

    purchases: Floats
    time: Floats
    lefts: Places
    longest: int
    recency: Places
    age: Places


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Nodes by part of a panel: its left point and time, and by node time, density relative to h(left) and weighed.

    ``log_alpha`` and ``log_beta`` are the logs of α + time and β + time less those at the left.
    """

    point: Places
    left: Floats
    time: Floats
    density: Floats
    log_alpha: Floats
    log_beta: Floats


@dataclass(frozen=True, eq=False)
class Bracket:
    """By point log h, less that at the last time, and h of the next by h; by row the term of the active, and both.

    The terms are relative to h at the row's recency, so that ``alive / whole`` is the probability to be active.
    """

    level: Floats
    lasting: Floats
    quadrature: Quadrature
    alive: Floats
    whole: Floats


def timeline(frequency: Floats, recency: Floats, age: Floats) -> Timeline:
    """Place rows on the points and panels they share."""
    time, times = pd.factorize(np.concatenate([recency, age]), sort=True)
    count, counts = pd.factorize(frequency, sort=True)
    place, points = pd.factorize(np.tile(count, 2) * len(times) + time, sort=True)
    of_recency, of_age = np.split(place, 2)
    count, time = np.divmod(points, max(len(times), 1))
    lefts = np.flatnonzero(count[1:] == count[:-1])
    return Timeline(counts[count], times[time], lefts, int(np.bincount(count).max(initial=0)), of_recency, of_age)


def bracket(theta: Floats, line: Timeline) -> Bracket:
    """Return the two terms at parameters r, alpha, s, beta."""
    r, alpha, s, beta = theta
    time, edge, power = line.time, line.time[line.lefts], r + line.purchases
    to_last, step = time.max(initial=0) - time, line.time[line.lefts + 1] - edge
    level = power * np.log1p(to_last / (alpha + time)) + s * np.log1p(to_last / (beta + time))
    fall = power[line.lefts] * np.log1p(step / (alpha + edge)) + s * np.log1p(step / (beta + edge))
    nodes = _quadrature(theta, line, fall)
    lasting = np.zeros(len(time))
    lasting[line.lefts] = np.exp(-fall)
    gone = accumulated(by_point(nodes.point, nodes.density.sum(axis=0), len(time)), lasting, line.longest)
    # in place, as there are many rows and memory taken anew costs more than the arithmetic
    alive = level[line.age]
    alive -= level[line.recency]
    np.exp(alive, out=alive)
    whole = (1 - gone)[line.age]
    whole *= alive
    whole += gone[line.recency]
    return Bracket(level, lasting, nodes, alive, whole)


def accumulated(own: Floats, lasting: Floats, longest: int) -> Floats:
    """Return x with x[i] = own[i] + lasting[i] · x[i + 1], doubling at each step the stretch that is summed."""
    total, lasting, stretch = own.copy(), lasting.copy(), 1
    while stretch < longest and lasting.any():
        total[:-stretch] += lasting[:-stretch] * total[stretch:]
        lasting[:-stretch] *= lasting[stretch:]
        lasting[-stretch:] = 0
        stretch *= 2
    return total


def by_point(places: Places, values: Floats, points: int) -> Floats:
    """Sum values by the point they stand at."""
    return np.bincount(places, values, points).astype(np.float64, copy=False)


def _quadrature(theta: Floats, line: Timeline, fall: Floats) -> Quadrature:
    """Place Gauss-Legendre nodes on the panels, evenly in the log of the distance to the nearest pole of h.

    On that scale log h is concave; panels on which it falls or bends much are cut into parts.
    """
    r, alpha, s, beta = theta
    near, far = min(alpha, beta), max(alpha, beta)
    power, edge = r + line.purchases[line.lefts], line.time[line.lefts]
    reach = np.minimum(line.time[line.lefts + 1] - edge, _reach(theta, power, edge))
    width = np.log1p(reach / (near + edge))
    parts = np.ceil(np.maximum(fall.clip(max=2 * _NOTHING) / _FALL, width / _WIDTH)).clip(1).astype(np.intp)
    panel = np.repeat(np.arange(len(edge)), parts)
    part = np.arange(len(panel)) - np.repeat(np.cumsum(parts) - parts, parts)
    power, edge, width = power[panel], edge[panel], (width / parts)[panel]
    log_near = width * (part + _NODES)
    distance = (near + edge) * np.exp(log_near)
    time = distance - near
    log_far = np.log((far + time) / (far + edge))
    log_alpha, log_beta = (log_near, log_far) if alpha < beta else (log_far, log_near)
    density = np.exp(-power * log_alpha - (s + 1) * log_beta) * (distance * _WEIGHTS) * (s * width / (beta + edge))
    return Quadrature(line.lefts[panel], edge, time, density, log_alpha, log_beta)


def _reach(theta: Floats, power: Floats, edge: Floats) -> Floats:
    """Return how far on there is nothing left of h, since one of its two factors is gone."""
    _r, alpha, s, beta = theta
    with np.errstate(over="ignore"):
        reach: Floats = np.minimum((alpha + edge) * np.expm1(_NOTHING / power), (beta + edge) * np.expm1(_NOTHING / s))
    return reach
