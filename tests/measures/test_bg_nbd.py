"""BG/NBD and MBG/NBD: how often customers buy and when they leave unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy import special
from shop_data import END, PLANTED, cdnow, olist, pilot_orders
from statsmodels.tools import numdiff

from analysis.errors import MeasureError
from analysis.measures import bg_nbd
from analysis.measures.bg_nbd import BgNbd, fit_bg_nbd, fit_mbg_nbd
from analysis.measures.purchase_summary import purchase_summary

NAMES = ["r", "alpha", "a", "b"]
FITS = [fit_bg_nbd, fit_mbg_nbd]
LIFETIMES = {
    "bg": ([0.24508628614203, 0.58775465766017, 2.24777716060436], [1.0, 0.50377466463967, 0.42660901725525]),
    "mbg": (
        [0.16248892293326, 0.71066997015743, 2.43584620699650],
        [0.64322558578055, 0.58986459267404, 0.45432223794663],
    ),
}
THETAS = [(0.3, 5, 0.9, 2), (2, 0.5, 0.1, 7), (0.05, 90, 20, 0.4), (30, 300, 1, 1)]


def rows(*values: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["frequency", "recency", "age", "customers"])


SMALL = rows(
    *((0, 0, 35, 60), (0, 0, 0, 4), (1, 3, 38, 15), (1, 30, 38, 10), (2, 20, 36, 8), (4, 4, 36, 4)),
    *((6, 30, 33, 5), (9, 12, 36, 3), (15, 35, 35, 2)),
)


def printed(summary: pd.DataFrame, theta: tuple[float, ...], mbg: bool) -> float:
    """Return the log-likelihood as Fader, Hardie and Lee (2005) and Batislam et al. (2007) print it."""
    r, alpha, a, b = map(float, theta)
    x, t_x, age = (summary[name].to_numpy(dtype=float) for name in ("frequency", "recency", "age"))
    purchases = np.exp(special.gammaln(r + x) - special.gammaln(r)) * alpha**r
    active = special.beta(a, b + x + mbg) / special.beta(a, b) * purchases / (alpha + age) ** (r + x)
    with np.errstate(invalid="ignore"):
        left = special.beta(a + 1, b + x + mbg - 1) / special.beta(a, b) * purchases / (alpha + t_x) ** (r + x)
    return float(summary["customers"] @ np.log(active + np.where(x + mbg > 0, left, 0)))


def printed_expectation(x: float, age: float, t: float, theta: tuple[float, ...], mbg: bool) -> float:
    """Return the purchases expected of an active customer, by the hypergeometric function, which a = 1 forbids."""
    r, alpha, a, b = theta
    c = a + b + x + mbg - 1
    z = t / (alpha + age + t)
    series = special.hyp2f1(r + x, b + x + mbg, c, z)
    return c / (a - 1) * (1 - (1 - z) ** (r + x) * series)


def likelihood(summary: pd.DataFrame, mbg: bool) -> Callable:
    columns = (summary[name].to_numpy(dtype=float) for name in ("frequency", "recency", "age", "customers"))
    return bg_nbd._likelihood(*columns, first_chances=int(mbg))


def with_params(model: BgNbd, *params: float) -> BgNbd:
    return replace(model, fit=replace(model.fit, params=pd.Series(params, index=NAMES)))


@pytest.fixture(scope="module")
def weeks(public_data: Path) -> pd.DataFrame:
    return purchase_summary(cdnow(public_data), end=END)


@pytest.fixture(scope="module")
def bg(weeks: pd.DataFrame) -> BgNbd:
    return fit_bg_nbd(weeks)


@pytest.fixture(scope="module")
def mbg(weeks: pd.DataFrame) -> BgNbd:
    return fit_mbg_nbd(weeks)


@pytest.fixture(scope="module")
def small() -> BgNbd:
    return fit_bg_nbd(SMALL)


class TestPublished:
    def test_bg_nbd_has_the_params_and_the_likelihood_of_the_cdnow_sample(self, bg: BgNbd):
        assert_allclose(bg.params, [0.243, 4.414, 0.793, 2.426], atol=5e-4)
        assert bg.loglik == pytest.approx(-9582.4, abs=0.05)
        assert (bg.converged, bg.identified, bg.notes, bg.fit.n) == (True, True, (), 2357)

    def test_mbg_nbd_has_the_params_of_the_cdnow_sample(self, mbg: BgNbd):
        assert_allclose(mbg.params, [0.525, 6.183, 0.891, 1.614], atol=5e-4)

    def test_expectations_and_the_forecast_of_the_cdnow_sample(self, bg: BgNbd, weeks: pd.DataFrame):
        assert bg.expected(52) == pytest.approx(1.4440, abs=5e-5)
        frequent = bg.predict(rows((26, 30.857, 31, 1)), horizon=52)
        assert frequent["expected_purchases"].item() == pytest.approx(25.757, abs=1e-3)
        assert frequent["probability_alive"].item() == pytest.approx(0.96885, abs=5e-6)
        forecast = bg.predict(weeks, horizon=39)["expected_purchases"]
        assert weeks["customers"] @ forecast == pytest.approx(1653, abs=0.5)

    def test_another_library_fits_and_predicts_the_same(self, bg: BgNbd, mbg: BgNbd):
        # lifetimes 0.11.3, BetaGeoFitter and ModifiedBetaGeoFitter with params set to those here:
        # conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T), conditional_probability_alive(x, t_x, T)
        some = rows((0, 0, 30, 1), (1, 10, 30, 1), (7, 25, 38, 1))
        theta = (0.25, 4.5, 0.8, 2.4)
        found = with_params(bg, *theta).predict(some, horizon=39)
        assert_allclose(found["expected_purchases"], LIFETIMES["bg"][0], rtol=1e-6)
        assert_allclose(found["probability_alive"], LIFETIMES["bg"][1], rtol=1e-6)
        found = with_params(mbg, *theta).predict(some, horizon=39)
        assert_allclose(found["expected_purchases"], LIFETIMES["mbg"][0], rtol=1e-6)
        assert_allclose(found["probability_alive"], LIFETIMES["mbg"][1], rtol=1e-6)

    def test_standard_errors_agree_with_a_numerical_hessian(self, bg: BgNbd, mbg: BgNbd, weeks: pd.DataFrame):
        for model, is_mbg in ((bg, False), (mbg, True)):
            hessian = numdiff.approx_hess(model.params.to_numpy(), lambda theta, own=is_mbg: printed(weeks, theta, own))
            assert_allclose(model.fit.covariance, np.linalg.inv(-hessian), rtol=2e-3)
            assert_allclose(model.se, np.sqrt(np.linalg.inv(-hessian).diagonal()), rtol=1e-3)


class TestLikelihood:
    @pytest.mark.parametrize("mbg", [False, True])
    @pytest.mark.parametrize("theta", THETAS)
    def test_it_is_the_printed_one_and_the_gradient_is_its_own(self, theta: tuple, mbg: bool):
        value, gradient = likelihood(SMALL, mbg)(np.array(theta, dtype=float))
        assert_allclose(value, printed(SMALL, theta, mbg), rtol=1e-12)
        slope = numdiff.approx_fprime(np.array(theta), lambda at: printed(SMALL, at, mbg), centered=True)
        assert_allclose(gradient, slope, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("mbg", [False, True])
    def test_rows_beyond_one_block_add_up(self, mbg: bool):
        many = pd.concat([SMALL.assign(customers=1)] * (1 + bg_nbd._BLOCK // 4), ignore_index=True)
        one = likelihood(SMALL.assign(customers=1 + bg_nbd._BLOCK // 4), mbg)
        theta = np.array(THETAS[0], dtype=float)
        for found, expected in zip(likelihood(many, mbg)(theta), one(theta), strict=True):
            assert_allclose(found, expected, rtol=1e-10)

    @pytest.mark.parametrize("mbg", [False, True])
    def test_there_is_no_limit_of_numbers_at_ten_thousand_purchases(self, mbg: bool):
        many = rows((10_000, 5000, 10_000, 1), (10_000, 10_000, 10_000, 3), (9000, 1, 10_000, 1))
        value, gradient = likelihood(many, mbg)(np.array([0.5, 1, 0.8, 2.0]))
        assert np.isfinite([value, *gradient]).all()


class TestPredict:
    @pytest.mark.parametrize("theta", [(0.3, 5, 0.9, 2), (2, 20, 3, 7), (0.05, 90, 20, 0.4), (30, 300, 1.5, 1)])
    def test_expectations_are_the_printed_ones(self, small: BgNbd, theta: tuple):
        for first in (0, 1):
            model = replace(with_params(small, *theta), first_chances=first)
            for x, t_x, age, t in [(0, 0, 9, 5), (3, 4, 9, 50), (20, 30, 30.5, 300)]:
                found = model.predict(rows((x, t_x, age, 1)), horizon=t).iloc[0]
                expected = printed_expectation(x, age, t, theta, bool(first)) * found["probability_alive"]
                assert found["expected_purchases"] == pytest.approx(expected, rel=1e-8)

    @pytest.mark.parametrize(("a", "b"), [(1, 2.5), (0.6, 0.4), (1, 1e-3)])
    def test_where_the_printed_expectation_is_not_defined_it_is_the_limit(self, small: BgNbd, a: float, b: float):
        def expected(shift):
            return with_params(small, 0.3, 5, a + shift, b).expected([1.0, 20, 400])

        assert_allclose(expected(0), (expected(1e-4) + expected(-1e-4)) / 2, rtol=1e-6)

    @pytest.mark.parametrize("fit", FITS)
    def test_a_new_customer_is_a_row_of_age_0(self, fit: Callable):
        model = fit(SMALL)
        for horizon in (0, 10, 52):
            row = model.predict(rows((0, 0, 0, 1)), horizon=horizon)["expected_purchases"].item()
            assert model.expected(horizon) == pytest.approx(row)

    def test_forecasts_hold_for_simulated_customers(self, small: BgNbd):
        rng = np.random.default_rng(11)
        theta = (0.8, 6.0, 0.7, 2.5)
        for first in (0, 1):
            bought = _simulated(rng, 60_000, theta, first, np.array([10.0, 40.0]))
            model = replace(with_params(small, *theta), first_chances=first)
            error = 4 * bought.std(axis=0) / 60_000**0.5
            assert (np.abs(bought.mean(axis=0) - model.expected([10.0, 40.0])) < error).all()

    def test_rows_keep_their_index_and_do_not_depend_on_each_other(self, small: BgNbd):
        named = SMALL.set_axis([f"Straße {number}" for number in range(len(SMALL))]).sample(frac=1, random_state=2)
        before = named.copy()
        found = small.predict(named, horizon=10)
        assert found.columns.tolist() == ["expected_purchases", "probability_alive"]
        assert found.index.equals(named.index)
        single = [small.predict(named.iloc[[place]], horizon=10) for place in range(len(named))]
        assert_frame_equal(found, pd.concat(single))
        assert_frame_equal(named, before)
        assert small.predict(SMALL[:0], horizon=10).shape == (0, 2)

    def test_who_bought_on_the_last_day_is_likelier_active_than_who_fell_silent(self, small: BgNbd):
        alive = small.predict(rows((6, 30, 30, 1), (6, 15, 30, 1), (10_000, 5000, 10_000, 1)), horizon=1)
        assert alive["probability_alive"].is_monotonic_decreasing
        assert alive["probability_alive"].iloc[2] < 1e-300
        assert small.predict(rows((0, 0, 500, 1)), horizon=1)["probability_alive"].item() == 1  # had no chance to leave

    def test_ten_thousand_purchases_go_on(self, small: BgNbd):
        found = small.predict(rows((10_000, 9999, 10_000, 1)), horizon=100).iloc[0]
        assert 50 < found["expected_purchases"] < 101


class TestFit:
    @pytest.mark.parametrize("fit", FITS)
    def test_order_and_repetition_of_rows_do_not_matter(self, fit: Callable):
        once = SMALL.loc[SMALL.index.repeat(SMALL["customers"])].assign(customers=1).sample(frac=1, random_state=3)
        unseen = pd.concat([SMALL, rows((3, 9, 99, 0))])
        for other in (once, unseen):
            assert_series_equal(fit(other).params, fit(SMALL).params, rtol=1e-6)
            assert_series_equal(fit(other).se, fit(SMALL).se, rtol=1e-5)

    @pytest.mark.parametrize("unit", [7, 1e-9, 1e9])
    @pytest.mark.parametrize("fit", FITS)
    def test_the_unit_of_time_scales_alpha_only(self, weeks: pd.DataFrame, fit: Callable, unit: float):
        scaled = fit(weeks.assign(recency=weeks["recency"] * unit, age=weeks["age"] * unit))
        plain = fit(weeks)
        assert_allclose(scaled.params, plain.params * [1, unit, 1, 1], rtol=1e-6)
        assert scaled.loglik == pytest.approx(plain.loglik - 2457 * np.log(unit))

    def test_planted_parameters_are_found(self):
        held = []
        for seed in range(3):
            orders, end = pilot_orders(seed)
            interval = fit_bg_nbd(purchase_summary(orders, end=end)).conf_int()
            held += [row.low <= PLANTED[row.Index] <= row.high for row in interval.itertuples()]
        assert len(held) == 3 * 4
        assert sum(held) >= 9  # of 12 intervals at 95 %

    @pytest.mark.parametrize("fit", FITS)
    def test_without_a_repeat_purchase_nothing_is_told_and_nothing_expected(self, fit: Callable):
        silent = rows((0, 0, 10, 50), (0, 0, 20, 60))
        model = fit(silent)
        assert (model.identified, model.converged) == (False, False)
        assert model.notes[0] == "The likelihood is flat: these data do not identify r, alpha, a, b."
        assert model.predict(silent, horizon=52)["expected_purchases"].max() < 1e-3
        assert model.se.isna().all()

    @pytest.mark.parametrize("fit", FITS)
    def test_customers_all_alike_tell_no_spread(self, fit: Callable):
        alike = rows((3, 5, 9, 500))
        model = fit(alike)
        assert not model.identified
        assert "r runs off to infinity." in model.notes
        assert "alpha runs off to infinity." in model.notes
        assert np.isfinite(model.params).all()
        assert np.isfinite(model.predict(alike, horizon=9)).all(axis=None)

    @pytest.mark.parametrize("fit", FITS)
    @pytest.mark.parametrize(
        "few",
        [rows((0, 0, 0, 20)), rows((0, 0, 9, 1)), rows((3, 9, 9, 1)), rows((0, 0, 5, 1), (1, 3, 5, 1), (2, 5, 5, 1))],
    )
    def test_too_few_customers_are_no_error(self, fit: Callable, few: pd.DataFrame):
        model = fit(few)
        assert not model.identified
        assert model.conf_int().isna().all(axis=None)
        assert np.isfinite([*model.params, model.loglik]).all()
        assert np.isfinite(model.predict(few, horizon=4)).all(axis=None)

    def test_few_repeat_buyers_are_said_to_tell_little(self, public_data: Path):
        lines = olist(public_data)
        summary = purchase_summary(lines, end=lines["date"].max().date())
        assert summary.loc[summary["frequency"] > 0, "customers"].sum() == 45
        for fit in FITS:
            model = fit(summary)
            assert not model.identified
            assert "The likelihood is flat" in model.notes[0]
            assert model.expected(52) < 0.02  # what 73 repeat purchases of 7,263 customers allow

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ((1.5, 2, 3, 1), "a frequency that is no whole number from 0 on"),
            ((-1, 0, 3, 1), "a frequency that is no whole number from 0 on"),
            ((np.nan, 2, 3, 1), "a frequency that is no whole number from 0 on"),
            ((np.inf, 2, 3, 1), "a frequency that is no whole number from 0 on"),
            ((1, 4, 3, 1), "recency and age out of 0 <= recency <= age"),
            ((1, np.nan, 3, 1), "recency and age out of 0 <= recency <= age"),
            ((1, 2, np.inf, 1), "recency and age out of 0 <= recency <= age"),
            ((0, 2, 3, 1), "a recency above 0 without a repeat purchase"),
            ((1, 2, 3, -1), "customers that are no finite number from 0 on"),
        ],
    )
    def test_values_outside_the_domain_are_counted(self, row: tuple, said: str):
        with pytest.raises(MeasureError) as refused:
            fit_bg_nbd(pd.concat([SMALL, rows(row)]))
        assert str(refused.value) == f"fit_bg_nbd: 1 of 10 rows have {said}. Make the rows with the model's summary."

    def test_a_column_of_words_is_named(self):
        with pytest.raises(MeasureError, match=r"^fit_bg_nbd: frequency holds what is no number\."):
            fit_bg_nbd(SMALL.assign(frequency="oft"))

    def test_an_absent_column_is_named(self):
        with pytest.raises(MeasureError, match=r"^fit_mbg_nbd: column 'recency' is absent"):
            fit_mbg_nbd(SMALL.drop(columns="recency"))
        with pytest.raises(MeasureError, match=r"^fit_bg_nbd: column 'customers' is absent"):
            fit_bg_nbd(SMALL.drop(columns="customers"))

    def test_there_must_be_customers(self):
        for none in (SMALL[:0], SMALL.assign(customers=0)):
            with pytest.raises(MeasureError, match=r"^fit_bg_nbd: there are no customers to fit\."):
                fit_bg_nbd(none)

    @pytest.mark.parametrize("time", [-1, np.nan, np.inf])
    def test_a_time_to_predict_for_is_finite(self, small: BgNbd, time: float):
        with pytest.raises(MeasureError, match=rf"^fit_bg_nbd: horizon is {time}\."):
            small.predict(SMALL, horizon=time)
        with pytest.raises(MeasureError, match=r"^fit_bg_nbd: times are not all finite numbers from 0 on\."):
            small.expected([1, time])


def _simulated(rng: np.random.Generator, n: int, theta: tuple, first: int, times: np.ndarray) -> np.ndarray:
    """Return how often each of ``n`` customers has bought again by the times."""
    r, alpha, a, b = theta
    rate, leaving = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    active = rng.random(n) >= first * leaving
    elapsed, bought = np.zeros(n), np.zeros((n, len(times)))
    while active.any():
        elapsed += rng.exponential(size=n) / np.maximum(rate, 1e-300)
        bought += active[:, None] & (elapsed[:, None] <= times)
        active &= (elapsed <= times.max()) & (rng.random(n) >= leaving)
    return bought
