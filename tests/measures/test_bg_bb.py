"""The BG/BB model of purchases at opportunities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy import special
from statsmodels.tools import numdiff

from analysis.errors import MeasureError
from analysis.measures import bg_bb
from analysis.measures.bg_bb import BgBb, fit_bg_bb

NAMES = ["alpha", "beta", "gamma", "delta"]
THETAS = [(1.2, 0.75, 0.66, 2.8), (0.05, 8, 3, 0.2), (40, 60, 1, 9)]


def rows(*values: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["frequency", "recency", "opportunities", "customers"])


# 11,104 donors of the year 1995 over the six years after, as Fader, Hardie and Shang (2010) print them in table 1
DONORS = rows(
    (0, 0, 6, 3464),
    *((1, last, 6, count) for last, count in enumerate((1091, 277, 129, 78, 119, 129), start=1)),
    *((2, last, 6, count) for last, count in enumerate((613, 255, 155, 173, 234), start=2)),
    *((3, last, 6, count) for last, count in enumerate((322, 181, 225, 357), start=3)),
    *((4, last, 6, count) for last, count in enumerate((240, 284, 512), start=4)),
    *((5, 5, 6, 335), (5, 6, 6, 728), (6, 6, 6, 1203)),
)
MIXED = rows((0, 0, 0, 5), (0, 0, 4, 30), (1, 1, 1, 7), (1, 3, 4, 12), (2, 2, 9, 8), (5, 9, 9, 3), (3, 4, 6, 6))


def printed(summary: pd.DataFrame, theta: tuple[float, ...]) -> float:
    """Return the log-likelihood as Fader, Hardie and Shang (2010) print it."""
    alpha, beta, gamma, delta = map(float, theta)
    total = 0.0
    for x, last, n, customers in summary.itertuples(index=False):
        bought = special.beta(alpha + x, beta + n - x) * special.beta(gamma, delta + n)
        for stayed in range(last, n):
            bought += special.beta(alpha + x, beta + stayed - x) * special.beta(gamma + 1, delta + stayed)
        total += customers * np.log(bought / special.beta(alpha, beta) / special.beta(gamma, delta))
    return total


def likelihood(summary: pd.DataFrame) -> bg_bb._Likelihood:
    return bg_bb._Likelihood(bg_bb._terms(*bg_bb._checked(summary)), summary["customers"].to_numpy(dtype=float))


def with_params(model: BgBb, *params: float) -> BgBb:
    return replace(model, fit=replace(model.fit, params=pd.Series(params, index=NAMES)))


@pytest.fixture(scope="module")
def fitted() -> BgBb:
    return fit_bg_bb(DONORS)


def test_donors_have_the_published_params_and_likelihood(fitted: BgBb):
    assert DONORS["customers"].sum() == fitted.fit.n == 11_104
    assert_allclose(fitted.params, [1.204, 0.750, 0.657, 2.783], atol=6e-4)
    assert fitted.loglik == pytest.approx(-33225.6, abs=0.05)
    assert (fitted.converged, fitted.identified, fitted.notes) == (True, True, ())


def test_donors_have_the_published_chances_to_be_active_and_expectations(fitted: BgBb):
    # the paper's tables: chance to be active in 2002 and gifts expected from 2002 to 2006, both to two digits
    found = fitted.predict(rows((0, 0, 6, 1), (6, 6, 6, 1), (4, 4, 6, 1), (5, 6, 6, 1)), horizon=5)
    assert found["probability_alive"].round(2).tolist() == [0.11, 0.93, 0.20, 0.93]
    assert found["expected_purchases"].round(2).tolist() == [0.07, 3.75, 0.58, 3.23]


def test_standard_errors_agree_with_a_numerical_hessian(fitted: BgBb):
    hessian = numdiff.approx_hess(fitted.params.to_numpy(), lambda theta: printed(DONORS, theta))
    assert_allclose(fitted.fit.covariance, np.linalg.inv(-hessian), rtol=1e-3)


@pytest.mark.parametrize("theta", THETAS)
def test_the_likelihood_is_the_printed_one_and_the_gradient_is_its_own(theta: tuple):
    value, gradient = likelihood(MIXED)(np.array(theta, dtype=float))
    assert_allclose(value, printed(MIXED, theta), rtol=1e-12)
    slope = numdiff.approx_fprime(np.array(theta, dtype=float), lambda at: printed(MIXED, at), centered=True)
    assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("theta", THETAS)
def test_expectations_are_the_printed_ones(fitted: BgBb, theta: tuple):
    alpha, beta, gamma, delta = map(float, theta)
    model = with_params(fitted, alpha, beta, gamma + 0.5, delta)  # the printed one is not defined at gamma = 1
    gamma += 0.5
    found = model.predict(MIXED, horizon=7)

    def reached(n):
        return np.exp(special.gammaln(1 + delta + n) - special.gammaln(gamma + delta + n))

    for place, (x, last, n, _) in enumerate(MIXED.itertuples(index=False)):
        whole = np.exp(printed(rows((x, last, n, 1)), model.params))
        bought = special.beta(alpha + x + 1, beta + n - x) / special.beta(alpha, beta) / whole
        scale = delta / (gamma - 1) * np.exp(special.gammaln(gamma + delta) - special.gammaln(1 + delta))
        expected = bought * scale * (reached(n) - reached(n + 7))
        assert found["expected_purchases"][place] == pytest.approx(expected, rel=1e-8)
        ratio = special.beta(alpha + x, beta + n - x) / special.beta(alpha, beta)
        ratio *= special.beta(gamma, delta + n + 1) / special.beta(gamma, delta)
        assert found["probability_alive"][place] == pytest.approx(ratio / whole, rel=1e-8)


def test_a_new_customer_is_a_row_without_opportunities(fitted: BgBb):
    new = rows((0, 0, 0, 1))
    by_row = [fitted.predict(new, horizon=horizon)["expected_purchases"].item() for horizon in (0, 1, 6)]
    assert_allclose(fitted.expected([0, 1, 6]), by_row)
    alpha, beta, gamma, delta = fitted.params
    assert fitted.expected(1) == pytest.approx(alpha / (alpha + beta) * delta / (gamma + delta))


def test_donors_gave_as_often_as_expected(fitted: BgBb):
    given = (DONORS["customers"] * DONORS["frequency"]).sum()
    assert 11_104 * fitted.expected(6) == pytest.approx(given, rel=0.01)


def test_order_repetition_and_index_of_rows_do_not_matter(fitted: BgBb):
    before = DONORS.copy()
    halves = DONORS.assign(customers=DONORS["customers"] / 2)
    mixed = pd.concat([halves, halves]).sample(frac=1, random_state=4)
    assert_series_equal(fit_bg_bb(mixed).params, fitted.params, rtol=1e-6)
    named = DONORS.set_axis([f"Straße {number}" for number in range(22)])
    found = fitted.predict(named.iloc[::-1], horizon=3)
    assert_frame_equal(found.iloc[::-1], fitted.predict(named, horizon=3))
    assert_frame_equal(DONORS, before)


def test_planted_parameters_are_found():
    truth = pd.Series([1.2, 0.8, 0.7, 2.5], index=NAMES)
    held = []
    for seed in range(100):
        interval = fit_bg_bb(_simulated(6000, truth, seed)).conf_int()
        held.append((interval["low"] <= truth) & (truth <= interval["high"]))
    assert pd.DataFrame(held).mean().between(0.9, 0.985).all()


@pytest.mark.parametrize(
    "few",
    [
        rows((0, 0, 6, 100)),
        rows((6, 6, 6, 100)),
        rows((2, 3, 6, 1)),
        rows((0, 0, 0, 50)),
        rows((0, 0, 1, 60), (1, 1, 1, 40)),
    ],
)
def test_customers_all_alike_or_too_few_opportunities_are_no_error(few: pd.DataFrame):
    model = fit_bg_bb(few)
    assert not model.identified
    assert "these data do not identify alpha, beta, gamma, delta." in model.notes[0]
    assert np.isfinite([*model.params, model.loglik]).all()
    found = model.predict(few, horizon=3)
    assert found["expected_purchases"].between(0, 3).all()
    assert found["probability_alive"].between(0, 1).all()


def test_there_is_no_limit_of_numbers_at_ten_thousand_purchases(fitted: BgBb):
    many = rows((10_000, 10_000, 10_000, 3), (9000, 9900, 10_000, 2), (1, 5000, 10_000, 1), (0, 0, 10_000, 1))
    value, gradient = likelihood(many)(np.array([1.2, 0.75, 0.66, 2.8]))
    assert np.isfinite([value, *gradient]).all()
    found = fitted.predict(many, horizon=10)
    assert found["expected_purchases"].iloc[0] == pytest.approx(10, abs=0.01)
    alpha, beta, gamma, delta = fitted.params
    stayed = np.arange(5000, 10_001)
    gone = special.betaln(gamma + 1, delta + stayed[:-1])
    terms = special.betaln(alpha + 1, beta + stayed - 1) + np.append(gone, special.betaln(gamma, delta + 10_000))
    next_time = terms[-1] - special.logsumexp(terms) + np.log1p(-gamma / (gamma + delta + 10_000))
    assert found["probability_alive"].iloc[2] == pytest.approx(np.exp(next_time), rel=1e-9)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((1.5, 2, 6, 1), "a count that is no whole number from 0 on"),
        ((-1, 2, 6, 1), "a count that is no whole number from 0 on"),
        ((1, 2, np.inf, 1), "a count that is no whole number from 0 on"),
        ((3, 2, 6, 1), "counts out of frequency <= recency <= opportunities"),
        ((1, 7, 6, 1), "counts out of frequency <= recency <= opportunities"),
        ((0, 2, 6, 1), "a recency above 0 without a purchase"),
        ((0, 0, 6, -1), "customers that are no finite number from 0 on"),
    ],
)
def test_values_outside_the_domain_are_counted(row: tuple, said: str):
    with pytest.raises(MeasureError) as refused:
        fit_bg_bb(pd.concat([DONORS, rows(row)]))
    assert str(refused.value) == f"fit_bg_bb: 1 of 23 rows have {said}. Make the rows with the model's summary."


@pytest.mark.parametrize("number", [-1, 2.5, np.nan, np.inf])
def test_there_must_be_customers_and_a_horizon_in_opportunities(fitted: BgBb, number: float):
    with pytest.raises(MeasureError, match=r"^fit_bg_bb: there are no customers to fit\."):
        fit_bg_bb(DONORS[:0])
    with pytest.raises(MeasureError, match=r"^fit_bg_bb: horizon must be whole, from 0 on\."):
        fitted.predict(DONORS, horizon=number)
    with pytest.raises(MeasureError, match=r"^fit_bg_bb: opportunities must be whole, from 0 on\."):
        fitted.expected([1, number])
    assert fitted.predict(DONORS[:0], horizon=2).shape == (0, 2)


def _simulated(n: int, theta: pd.Series, seed: int) -> pd.DataFrame:
    """Return what ``n`` customers did at 4 to 10 opportunities."""
    rng = np.random.default_rng(seed)
    ready, leaving = rng.beta(theta["alpha"], theta["beta"], n), rng.beta(theta["gamma"], theta["delta"], n)
    opportunities = rng.integers(4, 11, n)
    active, frequency, recency = np.ones(n, dtype=bool), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    for place in range(1, 11):
        active &= rng.random(n) >= leaving
        bought = active & (rng.random(n) < ready) & (place <= opportunities)
        frequency, recency = frequency + bought, np.where(bought, place, recency)
    found = pd.DataFrame({"frequency": frequency, "recency": recency, "opportunities": opportunities})
    return found.value_counts().rename("customers").reset_index()
