"""The level behind a series of measurements with known errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.tsa.statespace.structural import UnobservedComponents

from analysis.measures.local_level import LocalLevel, likeliest_state_variance, smoothed_level


def series(periods: int, state_variance: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return measurements, their variances and the level behind them; one in the middle is missing."""
    draw = np.random.default_rng(seed)
    variances = 7000 / draw.integers(30, 300, periods)
    level = 20 + np.cumsum(draw.normal(0, state_variance**0.5, periods))
    measured = level + draw.normal(0, variances**0.5)
    measured[periods // 2] = np.nan
    return measured, variances, level


def filtered_by_hand(measured: np.ndarray, variances: np.ndarray, state_variance: float) -> tuple[float, ...]:
    """Kalman filter from the first measurement on, then the smoother of Rauch, Tung and Striebel."""
    level, spread = [measured[0]], [variances[0]]
    loglike = -0.5 * np.log(2 * np.pi)  # what the first, diffuse measurement counts
    for y, h in zip(measured[1:], variances[1:], strict=True):
        a, p = level[-1], spread[-1] + state_variance
        if not np.isnan(y):
            total = p + h
            loglike -= 0.5 * (np.log(2 * np.pi * total) + (y - a) ** 2 / total)
            a, p = a + p / total * (y - a), p * h / total
        level.append(a)
        spread.append(p)
    for t in range(len(level) - 2, -1, -1):
        gain = spread[t] / (spread[t] + state_variance)
        level[t] += gain * (level[t + 1] - level[t])
        spread[t] += gain**2 * (spread[t + 1] - spread[t] - state_variance)
    return loglike, np.array(level), np.array(spread)


@pytest.mark.parametrize("state_variance", [0.5, 30.0])
def test_the_model_is_the_filter_and_smoother_written_by_hand(state_variance):
    measured, variances, _ = series(24, 20, seed=1)
    model = LocalLevel(measured, variances)
    loglike, level, spread = filtered_by_hand(measured, variances, state_variance)
    found = model.smooth(state_variance)
    assert model.loglike(state_variance) == pytest.approx(loglike)
    assert found[0] == pytest.approx(level)
    assert found[1] == pytest.approx(spread)


def test_with_equal_variances_it_is_the_local_level_model_of_statsmodels():
    measured, _, _ = series(40, 20, seed=2)
    own = LocalLevel(measured, np.full(40, 50.0))
    theirs = UnobservedComponents(measured, "llevel", use_exact_diffuse=True)
    for state_variance in (0.1, 20.0, 400.0):
        known, (level, spread) = theirs.smooth([50.0, state_variance]), own.smooth(state_variance)
        assert own.loglike(state_variance) == pytest.approx(known.llf)
        assert level == pytest.approx(known.smoothed_state[0])
        assert spread == pytest.approx(known.smoothed_state_cov[0, 0])


def test_the_level_is_that_at_the_likeliest_variance():
    measured, variances, _ = series(24, 20, seed=3)
    model = LocalLevel(measured, variances)
    level, _, _ = smoothed_level(measured, variances, 0.95)
    assert level == pytest.approx(model.smooth(likeliest_state_variance(model))[0])


@pytest.mark.parametrize("seed", range(6))
def test_the_likeliest_variance_is_found_wherever_a_search_starts(seed):
    measured, variances, _ = series(18, [0.0, 5.0, 400.0][seed % 3], seed=seed)
    model = LocalLevel(measured, variances)
    best = model.loglike(likeliest_state_variance(model))
    tried = [0, *np.geomspace(1e-3, 1e5, 200)]
    assert best >= max(filtered_by_hand(measured, variances, variance)[0] for variance in tried) - 1e-9
    for start in (0.1, 10.0, 1000.0):
        ended = minimize(lambda deviation: -model.loglike(deviation[0] ** 2), start**0.5, method="Nelder-Mead")
        assert -ended.fun <= best + 1e-9


def test_statsmodels_own_search_ends_there_too():
    measured, _, _ = series(60, 30, seed=4)
    theirs = UnobservedComponents(measured, "llevel", use_exact_diffuse=True)
    with theirs.fix_params({"sigma2.irregular": 50.0}):
        fitted = theirs.fit(disp=False)
    own = likeliest_state_variance(LocalLevel(measured, np.full(60, 50.0)))
    assert fitted.params[1] == pytest.approx(own, rel=1e-3)


def test_a_level_that_does_not_move_is_the_weighted_mean():
    # weights 1/4, 1/1, 1/4 of 1.5: (2.5 + 11 + 3) / 1.5
    model = LocalLevel(np.array([10.0, 11.0, 12.0]), np.array([4.0, 1.0, 4.0]))
    assert likeliest_state_variance(model) == 0
    level, _, _ = smoothed_level(np.array([10.0, 11.0, 12.0]), np.array([4.0, 1.0, 4.0]), 0.95)
    assert level == pytest.approx([11, 11, 11])


@pytest.mark.parametrize("state_variance", [0.0, 2.0, 10.0, 50.0])
def test_the_interval_of_the_level_holds_the_truth_as_often_as_it_says(state_variance):
    held = []
    for seed in range(40):
        measured, variances, level = series(24, state_variance, seed)
        _, low, high = smoothed_level(measured, variances, 0.95)
        held.append((low <= level) & (level <= high))
    # where it stands still, the likeliest variance can only be too large
    assert 0.9 <= np.mean(held) <= (1 if state_variance == 0 else 0.985)


def test_the_interval_is_that_of_all_state_variances_by_their_likelihood():
    measured, variances, _ = series(12, 10, seed=8)
    # a flat grid of standard deviations, up to the largest step and the largest error
    steps = np.abs(np.diff(measured[~np.isnan(measured)]))
    tried = np.linspace(0, steps.max() + np.sqrt(np.delete(variances, 6).max()), 2001)
    loglikes, levels, spreads = zip(*(filtered_by_hand(measured, variances, sd**2) for sd in tried), strict=True)
    level, low, _ = smoothed_level(measured, variances, 0.95)
    mean_square = np.average(np.array(spreads) + (levels - level) ** 2, axis=0, weights=np.exp(loglikes))
    assert ((level - low) / 1.959964) ** 2 == pytest.approx(mean_square, rel=0.01)


def test_the_interval_is_shorter_than_that_of_a_single_measurement():
    measured, variances, _ = series(24, 2.0, seed=5)
    _, low, high = smoothed_level(measured, variances, 0.95)
    plain = 2 * 1.959964 * np.sqrt(variances)
    assert np.mean(high - low) < 0.7 * np.mean(plain)


def test_the_confidence_scales_the_interval():
    measured, variances, _ = series(12, 10, seed=6)
    (level, low, _), (_, _, high) = (smoothed_level(measured, variances, confidence) for confidence in (0.5, 0.95))
    assert (high - level) / (level - low) == pytest.approx(np.full(12, 1.959964 / 0.674490), rel=1e-5)


def test_equal_measurements_are_a_level_of_their_own():
    level, low, high = smoothed_level(np.full(5, 100.0), np.full(5, 30.0), 0.95)
    assert level == pytest.approx(np.full(5, 100.0))
    # not below the interval of the mean of five, not above that of one
    assert ((high - low) / 2 >= 1.959964 * np.sqrt(30 / 5)).all()
    assert ((high - low) / 2 <= 1.959964 * np.sqrt(30)).all()
