"""The gamma-gamma model of spend on a purchase day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy import integrate, special, stats
from shop_data import END, PLANTED, cdnow, pilot_orders
from statsmodels.tools import numdiff

from analysis.errors import MeasureError
from analysis.measures import gamma_gamma
from analysis.measures.gamma_gamma import GammaGamma, fit_gamma_gamma
from analysis.measures.purchase_summary import spend_summary

NAMES = ["p", "q", "v"]
THETAS = [(6, 4, 15), (0.4, 0.7, 300), (40, 2, 0.5)]


def rows(*values: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["frequency", "mean_spend", "customers"])


SMALL = rows(
    *((1, 12, 10), (1, 35, 10), (1, 90, 10), (4, 18, 10), (4, 60, 10), (9, 20, 10), (9, 55.55, 10)),
)


def printed(summary: pd.DataFrame, theta: tuple[float, ...]) -> float:
    """Return the log-likelihood as Fader and Hardie (2013) print it."""
    p, q, v = map(float, theta)
    x, z = summary["frequency"].to_numpy(dtype=float), summary["mean_spend"].to_numpy()
    logs = special.gammaln(p * x + q) - special.gammaln(p * x) - special.gammaln(q) + q * np.log(v)
    logs += (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(x * z + v)
    return float(summary["customers"] @ logs)


def with_params(model: GammaGamma, *params: float) -> GammaGamma:
    return replace(model, fit=replace(model.fit, params=pd.Series(params, index=NAMES)))


@pytest.fixture(scope="module")
def spend(public_data: Path) -> pd.DataFrame:
    return spend_summary(cdnow(public_data), end=END)


@pytest.fixture(scope="module")
def fitted(spend: pd.DataFrame) -> GammaGamma:
    return fit_gamma_gamma(spend)


@pytest.fixture(scope="module")
def small() -> GammaGamma:
    return fit_gamma_gamma(SMALL)


def test_the_cdnow_sample_has_the_published_params_and_likelihood(fitted: GammaGamma):
    assert_allclose(fitted.params, [6.25, 3.74, 15.44], atol=0.006)
    assert fitted.loglik == pytest.approx(-4055.92, abs=0.005)
    assert (fitted.converged, fitted.notes, fitted.left_out, fitted.fit.n) == (True, (), 0, 946)


def test_standard_errors_agree_with_a_numerical_hessian(fitted: GammaGamma, spend: pd.DataFrame):
    hessian = numdiff.approx_hess(fitted.params.to_numpy(), lambda theta: printed(spend, theta))
    assert_allclose(fitted.fit.covariance, np.linalg.inv(-hessian), rtol=1e-3)


@pytest.mark.parametrize("theta", THETAS)
def test_the_likelihood_is_the_printed_one_and_the_gradient_is_its_own(theta: tuple):
    columns = (SMALL[name].to_numpy(dtype=float) for name in ("frequency", "mean_spend", "customers"))
    value, gradient = gamma_gamma._likelihood(*columns)(np.array(theta, dtype=float))
    assert_allclose(value, printed(SMALL, theta), rtol=1e-12)
    slope = numdiff.approx_fprime(np.array(theta, dtype=float), lambda at: printed(SMALL, at), centered=True)
    assert_allclose(gradient, slope, rtol=1e-6, atol=1e-5)


def test_the_expected_spend_is_the_mean_over_what_a_customer_may_be_like(small: GammaGamma):
    # the rate is gamma (q, v), the sum of x days gamma (px, rate): weigh p / rate by both densities
    p, q, v = theta = 2.0, 3.0, 40.0

    def weighed(rate, power):
        return stats.gamma.pdf(rate, q, scale=1 / v) * stats.gamma.pdf(150, 3 * p, scale=1 / rate) * (p / rate) ** power

    whole, mean = (integrate.quad(weighed, 0, 3, args=(power,), epsabs=0)[0] for power in (0, 1))
    found = with_params(small, *theta).predict(rows((3, 50, 1), (0, np.nan, 1)))["expected_spend"]
    assert_allclose(found, [mean / whole, p * v / (q - 1)], rtol=1e-7)
    assert with_params(small, *theta).mean_spend == 40


def test_the_more_days_the_nearer_to_the_own_mean(small: GammaGamma):
    found = small.predict(rows((0, 0, 1), (1, 90, 1), (4, 90, 1), (10_000, 90, 1)))["expected_spend"]
    assert found.is_monotonic_increasing
    assert found.iloc[0] == small.mean_spend
    assert found.iloc[3] == pytest.approx(90, abs=0.02)


def test_where_no_expectation_exists_it_is_missing(small: GammaGamma):
    # q = 0.5: without a day there is no mean; with one day of shape 0.4, 0.4 + 0.5 - 1 < 0; with two it is there
    model = with_params(small, 0.4, 0.5, 30)
    found = model.predict(rows((0, np.nan, 1), (1, 20, 1), (2, 20, 1), (2, -20, 1), (2, 0, 1)))["expected_spend"]
    assert found.isna().tolist() == [True, True, False, True, True]
    assert np.isnan(model.mean_spend)


def test_customers_whose_mean_is_not_above_0_are_left_out_and_counted(small: GammaGamma):
    more = pd.concat([SMALL, rows((1, 0, 3), (2, -5, 4), (0, np.nan, 500))])
    model = fit_gamma_gamma(more)
    assert (model.left_out, model.fit.n) == (7, 70)
    assert_series_equal(model.params, small.params)


def test_order_and_repetition_of_rows_do_not_matter_and_nothing_is_changed(small: GammaGamma):
    before = SMALL.copy()
    once = SMALL.loc[SMALL.index.repeat(SMALL["customers"])].assign(customers=1).sample(frac=1, random_state=3)
    assert_series_equal(fit_gamma_gamma(once).params, small.params, rtol=1e-6)
    assert fit_gamma_gamma(once).correlation == pytest.approx(small.correlation)
    assert_frame_equal(SMALL, before)


@pytest.mark.parametrize("currency", [1e-6, 1e9])
def test_the_currency_scales_v_only(small: GammaGamma, currency: float):
    scaled = fit_gamma_gamma(SMALL.assign(mean_spend=SMALL["mean_spend"] * currency))
    assert_allclose(scaled.params, small.params * [1, 1, currency], rtol=1e-5)
    assert scaled.correlation == pytest.approx(small.correlation)


def test_the_correlation_is_pearsons_over_customers(fitted: GammaGamma, spend: pd.DataFrame):
    each = spend.loc[spend.index.repeat(spend["customers"])]
    assert fitted.correlation == pytest.approx(each["frequency"].corr(each["mean_spend"]))
    assert fitted.correlation == pytest.approx(0.11, abs=0.005)  # published: Fader, Hardie and Lee (2005), JMR 42
    days, means = each["frequency"] - each["frequency"].mean(), each["mean_spend"] - each["mean_spend"].mean()
    z = (days * means).sum() / np.sqrt((days**2 * means**2).sum())
    assert fitted.correlation_p == pytest.approx(2 * stats.norm.sf(z))


def test_spend_that_goes_with_frequency_is_told():
    rng = np.random.default_rng(7)
    days = rng.integers(1, 9, 800)
    linked, apart = (
        pd.DataFrame({"frequency": days, "customers": 1, "mean_spend": rng.gamma(5 * days, level / days)})
        for level in (4 + days, np.full(800, 9))
    )
    model = fit_gamma_gamma(linked)
    assert model.notes[-1] == (
        f"Who buys more often spends more on a purchase day (correlation {model.correlation:.2f}, "
        f"p {model.correlation_p:.2g}): the model takes frequency and spend as independent."
    )
    assert model.correlation > 0.5
    assert not any("independent" in note for note in fit_gamma_gamma(apart).notes)
    fewer = fit_gamma_gamma(linked.assign(frequency=9 - days))
    assert "spends less" in fewer.notes[-1]


def test_planted_parameters_are_found():
    held = []
    for seed in range(3):
        orders, end = pilot_orders(seed)
        interval = fit_gamma_gamma(spend_summary(orders, end=end)).conf_int()
        held += [row.low <= PLANTED[row.Index] <= row.high for row in interval.itertuples()]
    assert len(held) == 3 * 3
    assert sum(held) >= 7  # of 9 intervals at 95 %


@pytest.mark.parametrize(
    "few",
    [rows((3, 10, 1)), rows((3, 10, 500)), rows((1, 10, 5), (1, 20, 5), (1, 80, 5)), rows((1, 10, 9), (10_000, 12, 9))],
)
def test_too_few_or_customers_all_alike_are_no_error(few: pd.DataFrame):
    model = fit_gamma_gamma(few)
    assert not model.identified
    assert "runs off to infinity" in " ".join(model.notes)
    assert np.isfinite([*model.params, model.loglik]).all()
    found = model.predict(few)["expected_spend"]
    assert found.between(few["mean_spend"].min() * 0.99, few["mean_spend"].max() * 1.01).all()


def test_a_population_without_a_mean_is_told():
    rng = np.random.default_rng(1)
    heavy = pd.DataFrame({"frequency": 5, "mean_spend": rng.gamma(20, 1 / rng.gamma(0.6, 1, 300)), "customers": 1})
    model = fit_gamma_gamma(heavy)
    assert model.params["q"] < 1
    assert "q is not above 1: so few spend so much that the mean over customers does not exist." in model.notes
    assert np.isnan(model.correlation)  # all have the same frequency


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((1.5, 2, 1), "a frequency that is no whole number from 0 on"),
        ((np.inf, 2, 1), "a frequency that is no whole number from 0 on"),
        ((2, np.nan, 1), "repeat purchase days without a finite mean spend"),
        ((2, np.inf, 1), "repeat purchase days without a finite mean spend"),
        ((2, 3, np.nan), "customers that are no finite number from 0 on"),
    ],
)
def test_values_outside_the_domain_are_counted(row: tuple, said: str):
    with pytest.raises(MeasureError) as refused:
        fit_gamma_gamma(pd.concat([SMALL, rows(row)]))
    assert str(refused.value) == f"fit_gamma_gamma: 1 of 8 rows have {said}. Make the rows with the model's summary."


@pytest.mark.parametrize("none", [SMALL[:0], rows((0, np.nan, 9)), rows((2, -1, 9))])
def test_there_must_be_repeat_buyers(none: pd.DataFrame):
    with pytest.raises(MeasureError) as refused:
        fit_gamma_gamma(none)
    assert str(refused.value) == (
        "fit_gamma_gamma: there are no repeat buyers with a mean spend above 0. Take a longer period."
    )
