"""What customers will buy: moments in closed form against simulation and against the models' own predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from analysis.measures.bg_nbd import fit_bg_nbd, fit_mbg_nbd
from analysis.measures.future_purchases import MONTH, _beta_nodes, future_purchases
from analysis.measures.nbd import fit_nbd, fit_one_rate
from analysis.measures.net_value import worth_today
from analysis.measures.pareto_nbd import fit_pareto_nbd

FITS = {"bg_nbd": fit_bg_nbd, "mbg_nbd": fit_mbg_nbd, "pareto_nbd": fit_pareto_nbd}
THETA = {
    "bg_nbd": [0.8, 6.0, 0.7, 3.5],
    "mbg_nbd": [0.525, 6.183, 0.891, 1.614],
    "pareto_nbd": [0.553, 10.578, 0.606, 11.669],
}
WORTH = worth_today(36, 0.1)


def rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    age = rng.integers(3, 1500, n) / 7
    frequency = np.minimum(rng.geometric(0.15, n) - 1, 150)
    recency = np.where(frequency > 0, np.floor(7 * age * rng.beta(3, 1, n)) / 7, 0)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age})


@pytest.fixture(scope="module")
def models():
    """Models with parameters as published, whatever they were fitted on."""
    summary = pd.DataFrame(
        {"frequency": [0, 1, 2, 6, 9], "recency": [0, 9, 20, 30, 12], "age": [35, 38, 36, 33, 36], "customers": 9}
    )
    found = {}
    for name, fit in FITS.items():
        model = fit(summary)
        params = pd.Series(THETA[name], index=model.params.index)
        found[name] = replace(model, fit=replace(model.fit, params=params))
    return found


@pytest.mark.parametrize("name", FITS)
def test_means_are_those_that_the_model_predicts(models, name):
    model, known = models[name], rows(3000)
    found = future_purchases(model, known, worth=WORTH)(np.array(THETA[name]))
    by_month = [model.predict(known, horizon=month * MONTH / 7)["expected_purchases"] for month in range(37)]
    assert found.alive == pytest.approx(model.predict(known, horizon=1)["probability_alive"].to_numpy(), abs=1e-12)
    assert found.purchases == pytest.approx(by_month[-1].to_numpy(), rel=2e-4)
    assert found.worth == pytest.approx(np.diff(by_month, axis=0).T @ WORTH, rel=2e-4)


@pytest.mark.parametrize(("frequency", "recency", "age"), [(0, 0, 5), (2, 8, 30), (40, 95, 100)])
@pytest.mark.parametrize("name", FITS)
def test_spread_and_the_chance_of_nothing_are_those_of_simulated_customers(models, name, frequency, recency, age):
    known = pd.DataFrame({"frequency": [frequency], "recency": [recency], "age": [age]})
    found = future_purchases(models[name], known, worth=WORTH)(np.array(THETA[name]))
    worth, squares, months, bought = simulated_ahead(name, frequency, age, n=40_000)
    active = found.alive[0]
    for told, values in (
        (found.worth, worth),
        (found.squares, squares),
        (found.squares + found.pairs, worth**2),
        (found.months, months),
        (found.bought, bought),
    ):
        se = values.std() / np.sqrt(len(values))
        assert told[0] / active == pytest.approx(values.mean(), abs=4 * se + 1e-9)


def simulated_ahead(name: str, frequency: int, age: float, n: int) -> tuple[np.ndarray, ...]:
    """Draw the future of customers who are active: Σw, Σw², months booked, whether they buy at all."""
    rng = np.random.default_rng(11)
    r, alpha, third, fourth = THETA[name]
    rate = rng.gamma(r + frequency, 1 / (alpha + age), n)
    if name == "pareto_nbd":
        life, chance = rng.exponential(1 / rng.gamma(third, 1 / (fourth + age), n)), np.zeros(n)
    else:
        life, chance = np.full(n, np.inf), rng.beta(third, fourth + frequency + (name == "mbg_nbd"), n)
    month, time, active = MONTH / 7, np.zeros(n), np.ones(n, dtype=bool)
    worth, squares, bought = np.zeros((3, n))
    with np.errstate(over="ignore"):
        while active.any():
            time = time + rng.exponential(1 / np.maximum(rate, 1e-12))
            active &= (time < life) & (time < 36 * month)
            each = np.where(active, WORTH[np.minimum(time / month, 35).astype(int)], 0)
            worth, squares, bought = worth + each, squares + each**2, np.maximum(bought, active)
            left = active & (rng.random(n) < chance)
            life = np.where(left, time, life)
            active &= ~left
    months = np.concatenate([[0], np.cumsum(WORTH)])[np.minimum(life / month, 36).astype(int)]
    return worth, squares, months, bought


@pytest.mark.parametrize("fit", [fit_nbd, fit_one_rate])
def test_without_leaving_purchases_are_those_of_a_gamma_poisson(fit):
    summary = pd.DataFrame({"frequency": [0, 1, 2, 6, 9], "age": [35.0, 38, 36, 33, 36], "customers": [9, 4, 3, 2, 1]})
    model = fit(summary)
    found = future_purchases(model, summary.assign(recency=0.0), worth=np.ones(6))(model.params.to_numpy())
    r, alpha = model.params
    span = 6 * MONTH / 7
    chance = (alpha + summary["age"]) / (alpha + summary["age"] + span)
    told = stats.nbinom(r + summary["frequency"], chance)
    assert found.purchases == pytest.approx(told.mean(), rel=1e-6)
    assert found.squares + found.pairs == pytest.approx(told.var() + told.mean() ** 2, rel=1e-5)
    assert found.bought == pytest.approx(1 - told.pmf(0), rel=1e-6)
    assert found.months == pytest.approx([6.0] * 5)
    assert model.predict(summary, horizon=span)["expected_purchases"].to_numpy() == pytest.approx(told.mean(), rel=1e-9)


def test_money_booked_at_the_beginning_counts_who_is_there_then(models):
    known = rows(50)
    theta = np.array(THETA["pareto_nbd"])
    start = future_purchases(models["pareto_nbd"], known, worth=np.ones(2), timing="start")(theta)
    end = future_purchases(models["pareto_nbd"], known, worth=np.ones(1))(theta)
    assert start.months == pytest.approx(start.alive + end.months, rel=1e-9)  # S(0) + S(1)


def test_nodes_integrate_polynomials_over_beta_distributions_exactly():
    b = np.array([0.05, 1.0, 1.3, 40.0])
    for a in (0.03, 0.7, 1.0, 12.0):
        nodes, weights = _beta_nodes(a, b)
        for power in range(1, 20):
            exact = np.exp(special.betaln(a + power, b) - special.betaln(a, b))
            assert (nodes**power * weights).sum(axis=1) == pytest.approx(exact, rel=1e-9)
    assert stats.beta(0.7, 1.3).mean() == pytest.approx(float(_beta_nodes(0.7, b)[0][2] @ _beta_nodes(0.7, b)[1][2]))


@pytest.mark.parametrize("name", FITS)
def test_neither_order_of_rows_nor_what_else_is_there_matters(models, name):
    known = rows(400)
    theta = 1.1 * np.array(THETA[name])
    together = future_purchases(models[name], known, worth=WORTH)(theta)
    back = future_purchases(models[name], known.iloc[::-1], worth=WORTH)(theta)
    alone = future_purchases(models[name], known.iloc[[7]], worth=WORTH)(theta)
    for column in ("alive", "purchases", "worth", "squares", "pairs", "months", "bought"):
        assert getattr(back, column)[::-1] == pytest.approx(getattr(together, column), rel=1e-9)
        assert getattr(alone, column)[0] == pytest.approx(getattr(together, column)[7], rel=1e-4)
