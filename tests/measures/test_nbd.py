"""Purchases of customers of whom nobody leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from analysis.errors import MeasureError
from analysis.measures.nbd import fit_nbd, fit_one_rate

WEEKS = pd.DataFrame({"frequency": [0, 1, 2, 5, 9], "age": [35.0, 20, 36, 33, 50], "customers": [60, 25, 10, 4, 1]})


def loglik(r: float, alpha: float) -> float:
    """Negative binomial, without x! and the powers of time that do not depend on the parameters."""
    known = stats.nbinom(r, alpha / (alpha + WEEKS["age"])).logpmf(WEEKS["frequency"])
    constant = WEEKS["frequency"] * np.log(WEEKS["age"]) - np.log(
        [np.prod(range(1, int(x) + 1)) for x in WEEKS["frequency"]]
    )
    return float(((known - constant) * WEEKS["customers"]).sum())


def test_the_estimates_are_the_likeliest():
    model = fit_nbd(WEEKS)
    found = optimize.minimize(lambda logs: -loglik(*np.exp(logs)), [0.0, 3.0], method="Nelder-Mead", tol=1e-10)
    assert model.params.tolist() == pytest.approx(np.exp(found.x).tolist(), rel=1e-4)
    assert model.loglik == pytest.approx(-found.fun)
    assert model.converged
    assert model.identified
    assert model.expected([0.0, 10.0]).tolist() == pytest.approx([0.0, 10 * model.params["r"] / model.params["alpha"]])


def test_customers_who_differ_less_than_by_chance_do_not_identify_it():
    alike = pd.DataFrame({"frequency": [2], "age": [30.0], "customers": [50]})
    model = fit_nbd(alike)
    assert not model.identified
    assert "r runs off to infinity." in model.notes


def test_one_rate_is_all_purchases_by_all_time_and_as_sure_as_their_count():
    model = fit_one_rate(WEEKS)
    rate = (25 + 20 + 20 + 9) / (60 * 35 + 25 * 20 + 10 * 36 + 4 * 33 + 50)
    assert model.predict(WEEKS, horizon=4.0)["expected_purchases"].tolist() == pytest.approx([4 * rate] * 5, rel=1e-5)
    assert model.loglik == pytest.approx(74 * np.log(rate) - rate * 3142, abs=1e-3)
    drawn = model.fit.draws(4000, 1)
    rates = drawn[:, 0] / drawn[:, 1]
    assert rates.std() / rate == pytest.approx(1 / np.sqrt(74), rel=0.05)


def test_faulty_rows_are_refused():
    for fit in (fit_nbd, fit_one_rate):
        with pytest.raises(MeasureError, match="an age that is no time"):
            fit(WEEKS.assign(age=-1.0))
        with pytest.raises(MeasureError, match="customers"):
            fit(WEEKS.drop(columns="customers"))
