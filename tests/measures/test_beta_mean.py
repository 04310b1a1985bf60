"""Means over a beta distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from analysis.measures.beta_mean import beta_rule

SHAPES = st.floats(-3, 6).map(lambda power: 10**power)


@settings(max_examples=60, deadline=None)
@given(a=SHAPES, b=SHAPES)
def test_moments_are_those_of_the_distribution(a: float, b: float):
    nodes, weights = beta_rule(a, b)
    mean = a / (a + b)
    square = mean * (a + 1) / (a + b + 1)
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert weights @ nodes == pytest.approx(mean, rel=1e-9)
    assert weights @ nodes**2 == pytest.approx(square, rel=1e-9)
    assert weights @ nodes**3 == pytest.approx(square * (a + 2) / (a + b + 2), rel=1e-8)


@pytest.mark.parametrize(("a", "b"), [(0.8, 2.4), (0.01, 30), (5, 0.3), (200, 4000)])
def test_a_steep_function_is_averaged_as_by_adaptive_quadrature(a: float, b: float):
    def steep(p):
        return 1 / (1 + 300 * p)

    def by_quantile(u):
        return steep(stats.beta.ppf(u, a, b))

    nodes, weights = beta_rule(a, b)
    expected = integrate.quad(by_quantile, 0, 1, epsabs=1e-12, epsrel=1e-10, limit=500)[0]
    assert weights @ steep(nodes) == pytest.approx(expected, rel=1e-7)


def test_nodes_rise_from_0_to_1():
    nodes, _ = beta_rule(0.5, 2)
    assert (nodes[0], nodes[-1]) == (0, 1)
    assert (np.diff(nodes) > 0).all()
