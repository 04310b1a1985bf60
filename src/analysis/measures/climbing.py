"""The way up a smooth log-likelihood of a few positive parameters: quasi-Newton steps on their logs, then Newton's.

Evaluations are dear and parameters few, so the search keeps what it has learnt of the curvature from one stage to the
next, and calls no linear algebra that would wake threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.measures.inference import Floats

LogLikelihood: TypeAlias = Callable[[Floats], tuple[float, Floats]]
"""From natural parameters to the log-likelihood and its gradient in them."""
Bools: TypeAlias = NDArray[np.bool_]

FLAT = 1 / 9
"""Curvature on the log scale at which a standard error is 3: its interval spans a factor above 100,000."""

_LEVEL = 1e-7
"""Gradient a customer and log parameter at which the search ends and Newton's method begins."""
_LEAP = 2.0
"""The farthest step in a log parameter."""
_ENOUGH = 1e-4
"""Share of the gain promised by the gradient that a step must bring."""
_ROUNDING = 1e-14
"""Share of a log-likelihood within which it is not told from another."""
_SHORTENINGS = 20
_POLISHES = 10
_NEAR = 1e-6
"""Squared length of a Newton step, in standard errors, after which the curvature is known well enough."""
_CLOSE = 1e-18
"""Squared length of a Newton step, in standard errors, at which the gradient is nil to rounding."""
_SPACING = 1e-4
_RIM = 0.01


@dataclass(frozen=True, eq=False)
class Hill:
    """A log-likelihood over log parameters. What runs off comes to rest at the edge of a box."""

    loglik: LogLikelihood
    low: Floats
    high: Floats
    n: int

    def at(self, logs: Floats) -> Point:
        """Return the point at these log parameters, or where the box ends on the way to them."""
        inside = logs.clip(self.low, self.high)
        natural = np.exp(inside)
        value, gradient = self.loglik(natural)
        gradient = gradient * natural
        outward = ((inside <= self.low) & (gradient < 0)) | ((inside >= self.high) & (gradient > 0))
        return Point(inside, value, np.where(outward, 0.0, gradient))

    def on_edge(self, logs: Floats) -> Bools:
        """Say which log parameters have come to the edge of the box."""
        edge: Bools = (logs <= self.low + _RIM) | (logs >= self.high - _RIM)
        return edge

    def curvature(self, logs: Floats) -> Floats:
        """Return less the Hessian, by central differences of the gradient."""
        columns = [
            self._gradient(logs - shift) - self._gradient(logs + shift) for shift in _SPACING * np.eye(len(logs))
        ]
        found = np.column_stack(columns) / (2 * _SPACING)
        symmetric: Floats = (found + found.T) / 2
        return symmetric

    def _gradient(self, logs: Floats) -> Floats:
        natural = np.exp(logs)
        return natural * self.loglik(natural)[1]


@dataclass(frozen=True, eq=False)
class Point:
    """Log parameters, with the log-likelihood and its gradient there."""

    logs: Floats
    value: float
    gradient: Floats


def climb(hill: Hill, here: Point, steps: int, inverse: Floats | None = None) -> tuple[Point, Floats | None]:
    """Take quasi-Newton steps; return where they end and the inverse curvature that they have learnt.

    Source: Nocedal and Wright (2006), Numerical Optimization, chapter 6 (BFGS).
    """
    for _step in range(steps):
        if np.abs(here.gradient).max() <= _LEVEL * hill.n:
            break
        step: Floats = here.gradient / hill.n if inverse is None else inverse @ here.gradient
        there = _ahead(hill, here, step * min(1.0, _LEAP / np.abs(step).max()))
        if there is here:
            break
        inverse = _learnt(inverse, there.logs - here.logs, here.gradient - there.gradient)
        here = there
    return here, inverse


def polish(hill: Hill, here: Point, curvature: Callable[[Floats], Floats]) -> tuple[Point, Floats, bool]:
    """Take Newton steps until they are nil; return where, the curvature there, and whether it came to rest."""
    curved, length = curvature(here.logs), np.inf
    for _round in range(_POLISHES):
        if hill.on_edge(here.logs).any() or np.linalg.eigvalsh(curved)[0] < FLAT:
            break
        step: Floats = np.linalg.inv(curved) @ here.gradient
        length = float(here.gradient @ step)
        if length <= _CLOSE:
            return here, curved, True
        here = _ahead(hill, here, step)
        if length > _NEAR:
            curved = curvature(here.logs)
    return here, curved, bool(length <= _NEAR)


def _ahead(hill: Hill, here: Point, step: Floats) -> Point:
    """Return the first point that is higher, shortening the step; where there is none, this one."""
    gain = float(here.gradient @ step)
    for _shortening in range(_SHORTENINGS):
        there = hill.at(here.logs + step)
        if there.value >= here.value + _ENOUGH * gain - _ROUNDING * abs(here.value):
            return there
        step, gain = step / 4, gain / 4
    return here


def _learnt(inverse: Floats | None, moved: Floats, fallen: Floats) -> Floats | None:
    """Return the inverse curvature after a step that moved so far and in which the gradient has fallen by so much."""
    bent = float(moved @ fallen)
    if bent <= 0:
        return None if inverse is None else 2 * inverse
    before = np.eye(len(moved)) * (bent / (fallen @ fallen)) if inverse is None else inverse
    turned = np.eye(len(moved)) - np.outer(moved, fallen) / bent
    learnt: Floats = turned @ before @ turned.T + np.outer(moved, moved) / bent
    return learnt
