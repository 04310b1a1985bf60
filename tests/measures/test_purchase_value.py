"""Value of customers who buy when they like: intervals that hold what comes, and their sums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_buyers import BG_NBD, PARETO_NBD, Buyers, counted, simulated

from analysis.measures.bg_nbd import fit_bg_nbd
from analysis.measures.future_spend import evaluated, spend_moments
from analysis.measures.gamma_gamma import GammaGamma, fit_gamma_gamma
from analysis.measures.net_value import worth_today
from analysis.measures.pareto_nbd import fit_pareto_nbd
from analysis.measures.purchase_value import PurchaseValues, _interval, purchase_values

WORTH = worth_today(12, 0.1)
MODELS = {"bg_nbd": (BG_NBD, fit_bg_nbd), "pareto_nbd": (PARETO_NBD, fit_pareto_nbd)}


def valued(buyers: Buyers, fit, *, ratios=(1.0,), draws=100) -> PurchaseValues:
    model = fit(counted(buyers.customers, ["frequency", "recency", "age"]))
    spends = counted(buyers.customers[buyers.customers["frequency"] > 0], ["frequency", "mean_spend"])
    return purchase_values(
        buyers.customers,
        model,
        fit_gamma_gamma(spends),
        spends,
        ratios=np.array(ratios),
        worth=WORTH,
        timing="end",
        draws=draws,
        seed=0,
        confidence=0.95,
    )


@pytest.mark.parametrize("name", MODELS)
def test_intervals_hold_what_customers_bring_and_are_not_too_wide(name):
    truth, fit = MODELS[name]
    buyers = simulated(truth, 2500, 1, WORTH)
    found = valued(buyers, fit)
    inside = (found.low - 1e-9 <= buyers.brought) & (buyers.brought <= found.high + 1e-9)
    assert 0.9 <= inside.mean() <= 0.98
    often = found.value > np.quantile(found.value, 0.8)  # not only for those who will buy nothing
    assert 0.9 <= inside[often].mean() <= 0.98


@pytest.mark.parametrize("name", MODELS)
def test_the_interval_of_a_sum_holds_how_uncertain_the_parameters_are(name):
    truth, fit = MODELS[name]
    within = []
    for seed in range(8):
        buyers = simulated(truth, 400, 100 + seed, WORTH)
        found = valued(buyers, fit, draws=30)
        sd = np.sqrt(found.variance.sum() + found.sums[:, 0].var(ddof=1))
        within.append(abs(found.value.sum() - buyers.brought.sum()) / sd)
        assert sd > 1.05 * np.sqrt(found.variance.sum())  # draws that all have in common do not average out
    assert np.mean(np.array(within) < 1.96) >= 0.75
    assert np.sqrt(np.mean(np.square(within))) < 1.5


def test_sums_by_draw_are_those_of_customers():
    buyers = simulated(BG_NBD, 500, 4, WORTH)
    buyers.customers["group"] = np.arange(500) % 2
    found = valued(buyers, fit_bg_nbd, ratios=(0.5, 0.2), draws=60)
    by_group = np.bincount(buyers.customers["group"], found.value)
    assert found.sums.mean(axis=0) == pytest.approx(by_group, rel=0.1)
    alone = valued(Buyers(buyers.customers.assign(group=0), buyers.bought, buyers.brought), fit_bg_nbd, draws=60)
    assert found.value == pytest.approx(alone.value * np.where(buyers.customers["group"] == 0, 0.5, 0.2))
    assert found.sums.sum(axis=1).shape == (60,)


def test_service_is_charged_while_customers_are_active_and_a_loss_turns_the_interval():
    buyers = simulated(PARETO_NBD, 500, 5, WORTH)
    plain = valued(buyers, fit_pareto_nbd, draws=20)
    served = valued(
        Buyers(buyers.customers.assign(service=2.0), buyers.bought, buyers.brought), fit_pareto_nbd, draws=20
    )
    charge = plain.value - served.value
    assert (charge > 0).all()
    assert (charge <= 2 * plain.alive * WORTH.sum() + 1e-9).all()
    assert plain.sums - served.sums == pytest.approx(np.full((20, 1), charge.sum()), rel=0.3)
    loss = valued(buyers, fit_pareto_nbd, ratios=(-1.0,), draws=20)
    assert loss.value == pytest.approx(-plain.value)
    assert (loss.low, loss.high) == (pytest.approx(-plain.high), pytest.approx(-plain.low))


def test_the_interval_is_that_of_a_point_mass_and_a_gamma():
    # half buy nothing, others a gamma of mean 4 and variance 8 (shape 2, scale 2): mean 2, mean square (16 + 8) / 2
    low, high = _interval(np.array([0.5, 0.0, 0.96]), np.array([2.0, 4.0, 0.01]), np.array([12.0, 24.0, 0.1]), 0.95)
    gamma = stats.gamma(2, scale=2)
    assert low.tolist() == [0, pytest.approx(gamma.ppf(0.025)), 0]
    assert high.tolist() == [pytest.approx(gamma.ppf(0.9)), pytest.approx(gamma.ppf(0.975)), 0]


SPENDS = pd.DataFrame({"frequency": [1, 2, 3, 5], "mean_spend": [20.0, 35.0, 30.0, 60.0], "customers": 25})


def with_params(p: float, q: float, v: float) -> GammaGamma:
    model = fit_gamma_gamma(SPENDS)
    params = pd.Series([p, q, v], index=["p", "q", "v"])
    return GammaGamma(model.fit.__class__(**{**vars(model.fit), "params": params}), 0, 0.0, 1.0)


def test_spend_has_the_moments_of_the_inverse_gamma():
    # ν is gamma (q + px, v + xz), the level p/ν, a purchase gamma (p, ν): mean squares by the inverse gamma's moments
    p, q, v, z = 6.0, 4.0, 15.0, 33.0
    counts = np.array([0.0, 2.0])
    found = spend_moments(with_params(p, q, v), counts, np.array([[p, q, v], [p, q, v]]), SPENDS)
    for place, x in enumerate(counts):
        level = stats.invgamma(q + p * x, scale=p * (v + x * z))
        mean, square = level.mean(), level.var() + level.mean() ** 2
        at = np.array([z])
        assert evaluated(found.level[[place]], at) == pytest.approx(mean)
        assert evaluated(found.mean[[place]], at) == pytest.approx(mean)
        assert evaluated(found.mean_square[[place]], at) == pytest.approx(mean**2)
        assert evaluated(found.square[[place]], at) == pytest.approx(square)
        assert evaluated(found.purchase_square[[place]], at) == pytest.approx(square * (1 + 1 / p))
    assert found.notes == ()


def test_where_spend_has_no_mean_or_variance_an_average_stands_in_and_says_so():
    # means 20, 35, 30, 60 of 25 customers each: average 36.25, variance 217.1875
    drawn = np.array([[0.5, 0.9, 15.0], [0.5, 0.8, 15.0]])
    found = spend_moments(with_params(0.5, 0.9, 15.0), np.array([0.0, 2.0, 4.0]), drawn, SPENDS)
    assert found.level[0].tolist() == [36.25, 0]
    assert evaluated(found.square[[0]], np.zeros(1)) == pytest.approx(36.25**2 + 217.1875)
    assert found.level[2, 1] == pytest.approx(0.5 * 4 / (0.9 + 0.5 * 4 - 1))  # its own mean again, and variance
    assert found.notes == (
        "Spend varies so much that customers with up to 0 repeat purchase days have no expected spend of their own: "
        "theirs is the average of all repeat buyers.",
        "Spend varies so much that its variance is not known for customers with up to 2 repeat purchase days: that of "
        "repeat buyers' means stands in for it.",
    )


def test_spend_that_is_not_identified_is_the_average_and_says_so():
    alike = SPENDS.assign(mean_spend=30.0)
    model = fit_gamma_gamma(alike)
    assert not model.identified
    found = spend_moments(model, np.array([0.0, 3.0]), model.fit.draws(5, 0), alike)
    assert found.level.tolist() == [[30, 0], [30, 0]]
    assert evaluated(found.purchase_square, np.full(2, 30.0)).tolist() == [900, 900]
    assert found.notes == (
        "These data do not identify what customers spend: all are expected to spend the average of repeat buyers, and "
        "to differ as these do.",
    )
