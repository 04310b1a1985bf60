"""Means over a beta distribution: a rule of nodes and weights that holds for any shape, however steep or narrow."""

from __future__ import annotations

import numpy as np
from scipy import special

from analysis.measures.inference import Floats

_NODES = 96
_TAIL = 1e-18


def beta_rule(a: float, b: float) -> tuple[Floats, Floats]:
    """Return nodes in 0 to 1 and weights, such that weights @ g(nodes) is the mean of a smooth g over Beta(a, b).

    g is taken as the line through its values at 0 and 1, whose mean is exact, and a rest that vanishes at both: so the
    rule needs only what Beta(a + 1, b + 1) covers, which is never steep. There it is the trapezoidal rule in the log
    odds, which converges exponentially.
    Source: Trefethen and Weideman (2014), SIAM Review 56, 385-458.

    >>> nodes, weights = beta_rule(0.5, 2.0)
    >>> round(float(weights @ nodes**2), 12)  # a (a + 1) / ((a + b) (a + b + 1)) = 0.75 / 8.75
    0.085714285714
    """
    low = special.logit(special.betaincinv(a + 1, b + 1, _TAIL))
    high = -special.logit(special.betaincinv(b + 1, a + 1, _TAIL))
    odds = np.linspace(low, high, _NODES)
    nodes, others = special.expit(odds), special.expit(-odds)
    log_density = (a + 1) * special.log_expit(odds) + (b + 1) * special.log_expit(-odds)
    density = np.exp(log_density - log_density.max())
    spread = a / (a + b) * (b / (a + b + 1))
    weights = spread * density / density.sum() / (nodes * others)
    at_0, at_1 = b / (a + b) - weights @ others, a / (a + b) - weights @ nodes
    return np.array([0.0, *nodes, 1.0]), np.array([at_0, *weights, at_1])
