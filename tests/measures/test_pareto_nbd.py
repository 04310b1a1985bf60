from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, special
from statsmodels.tools import numdiff

from analysis.errors import MeasureError
from analysis.measures import pareto_nbd
from analysis.measures.pareto_bracket import bracket, timeline
from analysis.measures.pareto_nbd import ParetoNbd, fit_pareto_nbd
from analysis.measures.purchase_summary import purchase_summary

NAMES = ["r", "alpha", "s", "beta"]
PUBLISHED = [0.553, 10.578, 0.606, 11.669]


def _rows(*rows: tuple[float, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["frequency", "recency", "age", "customers"][: len(rows[0])])
    return frame.astype({"frequency": "int64"})


SMALL = _rows(
    *((0, 0, 35, 60), (1, 3, 38, 15), (1, 30, 38, 10), (2, 20, 36, 8)),
    *((4, 4, 36, 4), (6, 30, 33, 5), (9, 12, 36, 3), (15, 33, 35, 2)),
)


@pytest.fixture(scope="module")
def cdnow(public_data: Path) -> pd.DataFrame:
    file = next((public_data / "cdnow").glob("*.txt"))
    names = ["master_id", "customer_id", "date", "discs", "revenue"]
    rows = pd.read_csv(file, sep=r"\s+", names=names, dtype={"customer_id": str, "date": str})
    return purchase_summary(rows.assign(date=pd.to_datetime(rows["date"])), end=dt.date(1997, 9, 30))


@pytest.fixture(scope="module")
def small() -> ParetoNbd:
    return fit_pareto_nbd(SMALL)


@pytest.fixture(scope="module")
def fitted(cdnow: pd.DataFrame) -> ParetoNbd:
    return fit_pareto_nbd(cdnow)


def _with(model: ParetoNbd, *params: float) -> ParetoNbd:
    return replace(model, fit=replace(model.fit, params=pd.Series(params, index=NAMES)))


def _printed(x, t_x, age, theta):
    """Write the log-likelihood of each customer as Fader and Hardie (2005) print it, by the hypergeometric function."""
    r, alpha, s, beta = theta
    low, high, second = (alpha, beta, r + x) if alpha < beta else (beta, alpha, s + 1)
    total = r + s + x

    def term(time):
        ratio = (high - low) / (high + time)
        return special.hyp2f1(total, second, total + 1, ratio) / (high + time) ** total

    still = (alpha + age) ** -(r + x) * (beta + age) ** -s
    bracket = still + s / total * (term(t_x) - term(age))
    return special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(bracket)


def _by_hand(rows: pd.DataFrame, theta) -> float:
    each = _printed(rows["frequency"], rows["recency"], rows["age"], theta)
    return float((rows["customers"] * each).sum())


def _likelihood(rows: pd.DataFrame):
    return pareto_nbd._likelihood(*(rows[name].to_numpy(np.float64) for name in SMALL.columns))


class TestPublishedValues:
    def test_the_params_of_the_cdnow_sample(self, fitted):
        assert fitted.params.index.tolist() == NAMES
        assert_allclose(fitted.params[["r", "s"]], [0.553, 0.606], atol=0.005)
        assert_allclose(fitted.params[["alpha", "beta"]], [10.578, 11.669], atol=0.05)
        assert fitted.loglik == pytest.approx(-9595.0, abs=0.1)
        assert fitted.converged
        assert fitted.identified
        assert fitted.fit.n == 2357

    def test_what_a_new_customer_is_expected_to_buy_in_a_year(self, fitted):
        assert fitted.expected(52) == pytest.approx(1.4734, abs=0.001)

    def test_what_a_frequent_customer_is_expected_to_buy_in_a_year(self, fitted):
        told = fitted.predict(_rows((26, 30.857, 31)), horizon=52).iloc[0]
        assert told["probability_alive"] == pytest.approx(0.99787, abs=0.0005)
        assert told["expected_purchases"] == pytest.approx(25.456, abs=0.01)

    def test_another_library_predicts_the_same(self, fitted):
        # lifetimes 0.11.3: ParetoNBDFitter with params_ 0.553, 10.578, 0.606, 11.669,
        # conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T), conditional_probability_alive(x, t_x, T)
        rows = _rows((0, 0, 30), (1, 5, 38.857), (3, 20.143, 27), (12, 38, 38.857))
        told = _with(fitted, *PUBLISHED).predict(rows, horizon=39)
        assert_allclose(
            told["expected_purchases"],
            [0.1530745149534534, 0.2600421788902401, 2.4771349811106917, 8.137348799191734],
            rtol=1e-9,
        )
        assert_allclose(
            told["probability_alive"],
            [0.35725274810969365, 0.2553315014515843, 0.8441085473769673, 0.988479032689722],
            rtol=1e-9,
        )

    def test_standard_errors_agree_with_a_numerical_hessian(self, cdnow, fitted):
        hessian = numdiff.approx_hess(fitted.params.to_numpy(), lambda theta: _by_hand(cdnow, theta))
        assert_allclose(fitted.se, np.sqrt(np.linalg.inv(-hessian).diagonal()), rtol=1e-3)
        assert_allclose(fitted.fit.covariance, np.linalg.inv(-hessian), rtol=2e-3)


class TestLikelihood:
    @pytest.mark.parametrize("theta", [PUBLISHED, [1.7, 4.0, 0.3, 9.0], [0.2, 30.0, 2.5, 3.0], [2.0, 8.0, 1.0, 8.0]])
    def test_it_is_the_printed_one(self, theta):
        assert _likelihood(SMALL)(np.array(theta))[0] == pytest.approx(_by_hand(SMALL, theta), rel=1e-12)

    @pytest.mark.parametrize(
        "theta", [PUBLISHED, [0.01, 0.01, 50.0, 1000.0], [50.0, 1000.0, 0.01, 0.01], [5.0, 0.5, 0.01, 300.0]]
    )
    def test_the_gradient_is_that_of_the_value(self, theta):
        rows = pd.concat([SMALL, _rows((700, 80, 300, 3), (10_000, 9_000.5, 10_000, 1), (3, 5, 5, 2))])
        likelihood = _likelihood(rows)
        steps = 1e-4 * np.array(theta) * np.eye(4)
        found = likelihood(np.array(theta))[1]

        def slope(step):  # of fourth order: (8 (f(1) - f(-1)) - (f(2) - f(-2))) / 12
            near, far = (likelihood(theta + k * step)[0] - likelihood(theta - k * step)[0] for k in (1, 2))
            return (8 * near - far) / (12 * step.sum())

        assert_allclose(found, [slope(step) for step in steps], rtol=1e-6, atol=1e-6 * np.abs(found).max())

    @pytest.mark.parametrize("r", [0.01, 0.7, 50.0])
    @pytest.mark.parametrize("alpha", [0.01, 6.0, 1000.0])
    @pytest.mark.parametrize("s", [0.01, 1.0, 50.0])
    @pytest.mark.parametrize("beta", [0.01, 6.0, 1000.0])
    def test_the_integral_agrees_with_adaptive_quadrature(self, r, alpha, s, beta):
        rows = np.array(
            [(0, 0, 0.5), (0, 0, 39), (1, 0.25, 3000), (4, 2.5, 39), (30, 20, 39), (900, 25, 39), (4, 8, 8)]
        )
        found = bracket(np.array([r, alpha, s, beta]), timeline(*rows.T))
        near = min(alpha, beta)

        def gone(x, t_x, age):
            def density(rise):  # of leaving at y = (near + t_x) exp(rise) - near
                since = (near + t_x) * np.expm1(rise)
                lost = (r + x) * np.log1p(since / (alpha + t_x)) + s * np.log1p(since / (beta + t_x))
                return s * np.exp(-lost) * (near + t_x) * np.exp(rise) / (beta + t_x + since)

            # h falls at least by the slope at the start: beyond 60 / slope there is nothing
            slope = ((r + x) / (alpha + t_x) + s / (beta + t_x)) * (near + t_x)
            end = min(np.log((near + age) / (near + t_x)), 60 / slope)
            edges = np.linspace(0, end, 12)
            return sum(integrate.quad(density, *part, epsabs=0, epsrel=1e-13)[0] for part in pairwise(edges))

        assert_allclose(found.whole - found.alive, [gone(*row) for row in rows], rtol=1e-10, atol=1e-15)

    def test_times_off_the_grid_of_days_count_as_they_are(self):
        draw = np.random.default_rng(3)
        age = draw.uniform(1, 40, 200)
        frequency = draw.integers(0, 8, 200)
        recency = np.where(frequency > 0, age * draw.random(200), 0)
        rows = pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "customers": 1})
        assert _likelihood(rows)(np.array(PUBLISHED))[0] == pytest.approx(_by_hand(rows, PUBLISHED), rel=1e-12)


class TestPredictions:
    def test_there_is_no_limit_of_numbers_at_ten_thousand_purchases(self, small):
        # by mpmath with 40 digits, from the two terms of the likelihood
        for theta, row, alive in [
            ((5, 10, 50, 1), (10_000, 9995, 10_000), 0.57095623485922415),
            ((0.01, 0.01, 50, 1000), (10_000, 9990.5, 9999), 0.041301195150593614),
            ((50, 1000, 0.01, 0.01), (10_000, 5000, 5006), 0.97322776218378233),
        ]:
            told = _with(small, *theta).predict(_rows(row), horizon=10_000)
            assert told["probability_alive"][0] == pytest.approx(alive, rel=1e-10)
            assert np.isfinite(told["expected_purchases"]).all()

    def test_who_fell_silent_after_ten_thousand_purchases_has_left(self, small):
        told = small.predict(_rows((10_000, 1, 10_000)), horizon=52)
        assert told.to_numpy().tolist() == [[0, 0]]

    def test_who_bought_on_the_last_day_is_active(self, small):
        assert small.predict(_rows((3, 20, 20), (0, 0, 0)), horizon=1)["probability_alive"].tolist() == [1, 1]

    @pytest.mark.parametrize("s", [0.4, 1.0, 1.0 + 1e-12, 3.0])
    def test_a_new_customer_buys_while_active(self, small, s):
        # at a mean rate of r/alpha, active at u with probability (beta/(beta + u))^s
        model = _with(small, 0.8, 6, s, 4)
        active = [integrate.quad(lambda u: (4 / (4 + u)) ** s, 0, t, epsabs=0)[0] for t in (0, 1, 26, 400)]
        assert_allclose(model.expected([0, 1, 26, 400]), 0.8 / 6 * np.array(active), rtol=1e-9)

    def test_a_new_customer_is_a_row_of_age_0(self, small):
        told = small.predict(_rows((0, 0, 0)), horizon=30)
        assert told["expected_purchases"][0] == pytest.approx(float(small.expected(30)), rel=1e-12)

    def test_rows_keep_index_and_order(self, small):
        rows = _rows((6, 30, 33), (0, 0, 35), (6, 30, 33)).set_index(pd.Index(["c", "ä", "b"]))
        told = small.predict(rows, horizon=4)
        assert told.index.tolist() == ["c", "ä", "b"]
        assert told.loc["c"].tolist() == told.loc["b"].tolist()
        pd.testing.assert_frame_equal(told.iloc[::-1], small.predict(rows.iloc[::-1], horizon=4))

    def test_no_row_gives_no_row(self, small):
        assert small.predict(SMALL.iloc[:0], horizon=4).shape == (0, 2)


class TestFit:
    def test_order_and_repetition_of_rows_do_not_matter(self, small):
        halves = pd.concat([SMALL.assign(customers=SMALL["customers"] / 2)] * 2).sample(frac=1, random_state=0)
        before = halves.copy()
        again = fit_pareto_nbd(halves)
        assert_allclose(again.params, small.params, rtol=1e-5)
        assert again.loglik == pytest.approx(small.loglik, rel=1e-12)
        pd.testing.assert_frame_equal(halves, before)

    def test_rows_without_customers_do_not_count(self, small):
        more = pd.concat([SMALL, _rows((900, 1, 5000, 0))])
        assert_allclose(fit_pareto_nbd(more).params, small.params, rtol=1e-9)

    def test_the_unit_scales_alpha_and_beta_only(self, cdnow, fitted):
        in_days = fit_pareto_nbd(cdnow.assign(recency=cdnow["recency"] * 7, age=cdnow["age"] * 7))
        assert_allclose(in_days.params, fitted.params * [1, 7, 1, 7], rtol=1e-4)

    def test_planted_parameters_are_found(self):
        # 99.9 % intervals, one seed
        truth = pd.Series([0.8, 6.0, 0.7, 9.0], index=NAMES)
        found = fit_pareto_nbd(_simulated(20_000, truth, seed=5))
        ends = found.conf_int(0.999)
        assert ((ends["low"] < truth) & (truth < ends["high"])).all()
        assert (ends["high"] / ends["low"] < 4).all()

    def test_forecasts_hold_for_simulated_customers(self):
        # purchases in the 26 weeks after, of 20,000 customers: standard error of the sum about 1.5 %
        truth = pd.Series([0.8, 6.0, 0.7, 9.0], index=NAMES)
        first = _simulated(20_000, truth, seed=6)
        told = fit_pareto_nbd(first).predict(first, horizon=26)["expected_purchases"]
        assert (told * first["customers"]).sum() == pytest.approx(first["later"].sum(), rel=0.06)


class TestFlatLikelihoods:
    def test_nobody_who_came_back_tells_nothing(self):
        found = fit_pareto_nbd(_rows((0, 0, 3, 100), (0, 0, 9, 100)))
        assert not found.identified
        assert found.se.isna().all()
        assert found.notes[0] == "The likelihood is flat: these data do not identify r, alpha, s, beta."
        assert np.isfinite(found.params).all()

    def test_customers_all_alike_tell_no_spread(self):
        found = fit_pareto_nbd(_rows((4, 30, 39, 500)))
        assert not found.identified
        assert "r runs off to infinity." in found.notes
        assert "alpha runs off to infinity." in found.notes

    def test_customers_who_do_not_leave_tell_nothing_of_leaving(self):
        bought = [10, 30, 60, 90, 100, 100, 80, 60, 40, 20, 10, 5]
        found = fit_pareto_nbd(_rows(*((x, 39 * (x > 0), 39, n) for x, n in enumerate(bought))))
        assert not found.identified
        assert found.notes[0] == "The likelihood is flat: these data do not identify s, beta."

    @pytest.mark.parametrize("rows", [_rows((2, 3, 5, 1)), _rows((0, 0, 0, 10))])
    def test_a_single_row_is_no_error(self, rows):
        assert not fit_pareto_nbd(rows).identified

    def test_few_repeat_buyers_are_said_to_tell_little(self, public_data):
        orders = pd.read_csv(public_data / "olist" / "olist_orders_dataset.csv")
        people = pd.read_csv(public_data / "olist" / "olist_customers_dataset.csv")
        rows = orders.merge(people, on="customer_id")
        lines = pd.DataFrame(
            {
                "customer_id": rows["customer_unique_id"],
                "date": pd.to_datetime(rows["order_purchase_timestamp"]).dt.normalize(),
                "revenue": 1.0,
            }
        )
        found = fit_pareto_nbd(purchase_summary(lines, end=dt.date(2018, 8, 31)))
        assert found.notes[0].startswith("beta is poorly known: its 95 % interval spans a factor of ")
        assert found.expected(52) < 0.02


class TestRefusals:
    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ((-1, 0, 3, 1), "a frequency that is no whole number from 0 on"),
            ((np.nan, 0, 3, 1), "a frequency that is no whole number from 0 on"),
            ((np.inf, 0, 3, 1), "a frequency that is no whole number from 0 on"),
            ((1.5, 1, 3, 1), "a frequency that is no whole number from 0 on"),
            ((1, 4, 3, 1), "recency and age out of 0 <= recency <= age"),
            ((1, 1, np.inf, 1), "recency and age out of 0 <= recency <= age"),
            ((1, np.nan, 3, 1), "recency and age out of 0 <= recency <= age"),
            ((0, 1, 3, 1), "a recency above 0 without a repeat purchase"),
            ((1, 1, 3, -1), "customers that are no finite number from 0 on"),
        ],
    )
    def test_values_outside_the_domain_are_counted(self, row, said):
        rows = pd.DataFrame([row, (1, 1, 3, 1)], columns=SMALL.columns)
        with pytest.raises(MeasureError) as raised:
            fit_pareto_nbd(rows)
        assert str(raised.value) == f"fit_pareto_nbd: 1 of 2 rows have {said}. Make the rows with the model's summary."

    def test_an_absent_column_is_named(self):
        with pytest.raises(MeasureError, match="column 'age' is absent; the table has: frequency, recency, customers"):
            fit_pareto_nbd(SMALL.drop(columns="age"))

    @pytest.mark.parametrize("rows", [SMALL.iloc[:0], SMALL.assign(customers=0)])
    def test_there_must_be_customers(self, rows):
        with pytest.raises(MeasureError, match="there are no customers to fit"):
            fit_pareto_nbd(rows)

    @pytest.mark.parametrize("time", [-1, np.nan, np.inf])
    def test_a_time_to_predict_for_is_finite(self, small, time):
        with pytest.raises(MeasureError, match="Give a finite number of units from 0 on"):
            small.predict(SMALL, horizon=time)
        with pytest.raises(MeasureError, match="times are not all finite numbers from 0 on"):
            small.expected([1, time])


def _simulated(customers: int, truth: pd.Series, seed: int) -> pd.DataFrame:
    """Draw customers watched for 20 to 50 weeks, and what they buy in the 26 weeks after (later)."""
    draw = np.random.default_rng(seed)
    r, alpha, s, beta = truth
    age = draw.uniform(20, 50, customers)
    rate, leaving = draw.gamma(r, 1 / alpha, customers), draw.gamma(s, 1 / beta, customers)
    left = draw.exponential(1, customers) / leaving
    active = np.minimum(left, age)
    frequency = draw.poisson(rate * active)
    # the last of n uniform times is the n-th root of a uniform
    recency = np.where(frequency > 0, active * draw.random(customers) ** (1 / np.maximum(frequency, 1)), 0)
    later = draw.poisson(rate * (np.minimum(left, age + 26) - active))
    rows = {"frequency": frequency, "recency": recency, "age": age, "customers": 1, "later": later}
    return pd.DataFrame(rows)
