"""Maximum likelihood over positive parameters: peaks, their width, and likelihoods without one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

from analysis.errors import MeasureError
from analysis.measures.maximum_likelihood import Fit, FittedModel, LogLikelihood, fit

Z = 1.959963984540054


def poisson(events: float, time: float) -> LogLikelihood:
    return lambda theta: (float(events * np.log(theta[0]) - time * theta[0]), events / theta - time)


def gamma(sample: np.ndarray) -> LogLikelihood:
    n, total, logs = len(sample), sample.sum(), np.log(sample).sum()

    def loglik(theta):
        shape, rate = theta
        value = n * (shape * np.log(rate) - special.gammaln(shape)) + (shape - 1) * logs - rate * total
        return float(value), np.array([n * (np.log(rate) - special.digamma(shape)) + logs, n * shape / rate - total])

    return loglik


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    return np.random.default_rng(5).gamma(2.5, 1 / 0.4, 300)


def test_the_peak_of_one_rate_and_its_interval_are_those_of_arithmetic():
    # 12 events in 4: rate 3, se √12 / 4, on the log scale 1 / √12
    fitted = fit(poisson(12, 4), [[0.2], [50.0]], ["rate"], model="rates", n=4)
    assert_allclose([*fitted.params, *fitted.se, fitted.loglik], [3, 12**0.5 / 4, 12 * np.log(3) - 12], rtol=1e-8)
    assert_allclose(fitted.conf_int().loc["rate"], 3 * np.exp([-Z / 12**0.5, Z / 12**0.5]), rtol=1e-8)
    assert (fitted.model, fitted.n, fitted.converged, fitted.identified, fitted.notes) == ("rates", 4, True, True, ())


def test_two_parameters_are_those_of_scipy_and_the_expected_information(sample: np.ndarray):
    fitted = fit(gamma(sample), [[1.0, 1.0], [9.0, 0.1]], ["shape", "rate"], model="gamma", n=300)
    shape, _, scale = stats.gamma.fit(sample, floc=0)
    assert_allclose(fitted.params, [shape, 1 / scale], rtol=1e-4)
    shape, rate = fitted.params
    information = 300 * np.array([[special.polygamma(1, shape), -1 / rate], [-1 / rate, shape / rate**2]])
    assert_allclose(fitted.covariance, np.linalg.inv(information), rtol=1e-6)
    assert_allclose(fitted.se, np.sqrt(np.diag(fitted.covariance)), rtol=1e-12)
    assert_allclose(gamma(sample)(fitted.params.to_numpy())[1] * fitted.se, 0, atol=1e-6)


def test_an_information_that_the_model_knows_takes_the_place_of_differences(sample: np.ndarray):
    def information(theta):
        shape, rate = theta
        return 300 * np.array([[special.polygamma(1, shape), -1 / rate], [-1 / rate, shape / rate**2]])

    starts, names = [[1.0, 1.0]], ["shape", "rate"]
    plain = fit(gamma(sample), starts, names, model="gamma", n=300)
    given = fit(gamma(sample), starts, names, model="gamma", n=300, information=information)
    assert_allclose(given.params, plain.params, rtol=1e-9)
    assert_allclose(given.covariance, plain.covariance, rtol=1e-6)


def test_the_unit_of_a_parameter_does_not_matter(sample: np.ndarray):
    small, large = (
        fit(gamma(sample * unit), [[1.0, 1.0 / unit]], ["shape", "rate"], model="gamma", n=300) for unit in (1e-6, 1e6)
    )
    assert_allclose(small.params, large.params * [1, 1e12], rtol=1e-7)
    assert_allclose(small.se, large.se * [1, 1e12], rtol=1e-6)


def test_the_higher_of_two_peaks_is_found_from_several_starts():
    def two_peaks(theta):  # in u = log theta, peaks near -3 and 3, of which that at 3 is e higher
        u = np.log(theta[0])
        logs = np.array([-2 * (u + 3) ** 2, 1 - 2 * (u - 3) ** 2])
        share = special.softmax(logs)
        return special.logsumexp(logs), np.array([share @ [-4 * (u + 3), -4 * (u - 3)] / theta[0]])

    low = fit(two_peaks, [[np.exp(-2.5)]], ["x"], model="peaks", n=1)
    both = fit(two_peaks, [[np.exp(-2.5)], [np.exp(2.5)]], ["x"], model="peaks", n=1)
    assert_allclose([np.log(low.params["x"]), np.log(both.params["x"])], [-3, 3], atol=1e-6)
    assert both.loglik == pytest.approx(low.loglik + 1)


def test_where_only_a_product_is_told_the_fit_says_so():
    def product(theta):
        value, gradient = poisson(12, 4)(theta[:1] * theta[1])
        return value, gradient[0] * theta[::-1]

    fitted = fit(product, [[1.0, 1.0]], ["a", "b"], model="product", n=4)
    assert (fitted.identified, fitted.converged) == (False, False)
    assert fitted.notes == ("The likelihood is flat: these data do not identify a, b.",)
    assert fitted.params.prod() == pytest.approx(3, rel=1e-4)
    assert fitted.se.isna().all()
    assert fitted.covariance.isna().all(axis=None)
    assert fitted.conf_int().isna().all(axis=None)
    assert np.isnan(fitted.draws(3, seed=1)).all()


@pytest.mark.parametrize(("sign", "where"), [(1, "infinity"), (-1, "0")])
def test_a_parameter_that_runs_off_is_named_and_stays_a_number(sign: int, where: str):
    def rising(theta):  # a second parameter with a peak at 1, the first without
        odds, square = theta[0] ** sign, np.log(theta[1])
        slope = [sign * 50 / (theta[0] * (1 + odds)), -100 * square / theta[1]]
        return -50 * np.log1p(1 / odds) - 50 * square**2, np.array(slope)

    fitted = fit(rising, [[1.0, 2.0]], ["a", "b"], model="rising", n=50)
    assert not fitted.identified
    assert fitted.notes == ("The likelihood is flat: these data do not identify a.", f"a runs off to {where}.")
    assert np.isfinite(fitted.params).all()
    assert fitted.params["b"] == pytest.approx(1)


def test_a_likelihood_that_says_nothing_is_no_error():
    fitted = fit(lambda theta: (0.0, np.zeros(2)), [[2.0, 3.0]], ["a", "b"], model="silent", n=9)
    assert fitted.params.to_list() == pytest.approx([2, 3])
    assert fitted.notes == ("The likelihood is flat: these data do not identify a, b.",)


def test_a_wide_interval_is_said_to_be_wide():
    # half an event: the log rate has the standard error √2, the interval the factor e^(2 · 1.96 · √2) = 256
    fitted = fit(poisson(0.5, 1), [[1.0]], ["rate"], model="rates", n=1)
    assert fitted.identified
    assert fitted.notes == ("rate is poorly known: its 95 % interval spans a factor of 256.",)


def test_draws_are_normal_in_the_logs_and_the_same_for_a_seed(sample: np.ndarray):
    fitted = fit(gamma(sample), [[1.0, 1.0]], ["shape", "rate"], model="gamma", n=300)
    drawn = fitted.draws(20_000, seed=3)
    values = fitted.params.to_numpy()
    relative = fitted.covariance.to_numpy() / np.outer(values, values)
    assert_allclose(np.log(drawn).mean(axis=0), np.log(values), atol=4 * relative.max() ** 0.5 / 20_000**0.5)
    assert_allclose(np.cov(np.log(drawn).T), relative, rtol=0.05)
    assert_allclose(drawn, fitted.draws(20_000, seed=3), rtol=0)
    assert (drawn[:3] != fitted.draws(3, seed=4)).all()


def test_the_summary_holds_one_row_a_parameter():
    told = fit(poisson(12, 4), [[1.0]], ["rate"], model="rates", n=4).summary(0.9)
    assert told.columns.tolist() == ["term", "estimate", "se", "low", "high"]
    half = stats.norm.ppf(0.95) / 12**0.5
    assert_allclose(told[["estimate", "low", "high"]].iloc[0], 3 * np.exp([0, -half, half]), rtol=1e-8)


def test_a_model_says_what_its_fit_says():
    fitted = fit(poisson(12, 4), [[1.0]], ["rate"], model="rates", n=4)
    model = FittedModel(fitted)
    for name in ("loglik", "converged", "identified", "notes"):
        assert getattr(model, name) == getattr(fitted, name)
    pd.testing.assert_frame_equal(model.conf_int(0.8), fitted.conf_int(0.8))
    pd.testing.assert_frame_equal(model.summary(), fitted.summary())
    assert (model.params["rate"], model.se["rate"]) == (fitted.params["rate"], fitted.se["rate"])


@pytest.mark.parametrize(
    ("loglik", "n", "said"),
    [
        (poisson(1, 1), 0, "rates: there are no customers to fit. Check the period and the filters before."),
        (
            lambda theta: (np.nan, theta),
            1,
            "rates: the log-likelihood is finite at no start. Check for values out of range.",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(loglik: LogLikelihood, n: int, said: str):
    with pytest.raises(MeasureError) as refused:
        fit(loglik, [[1.0]], ["rate"], model="rates", n=n)
    assert str(refused.value) == said


def test_a_confidence_of_95_is_refused():
    fitted: Fit = fit(poisson(12, 4), [[1.0]], ["rate"], model="rates", n=4)
    with pytest.raises(MeasureError, match=r"^rates: confidence is 95\."):
        fitted.conf_int(95)
