from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from model_data import random_spells, telco_customers
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime
from scipy.special import expit

from analysis.errors import MeasureError
from analysis.measures.covariates import Linear, Spline
from analysis.measures.hazards import HazardModel, hazard_model
from analysis.measures.logistic import LogisticModel, logistic_model
from analysis.measures.marginal import marginal_effects

CUTS = (4.0, 8.0, 15.0)


@pytest.fixture(scope="module")
def telco(public_data: Path) -> pd.DataFrame:
    return telco_customers(public_data)


@pytest.fixture(scope="module")
def by_contract(telco: pd.DataFrame) -> LogisticModel:
    return logistic_model(telco, "event", ["tenure", "Contract"])


@pytest.fixture(scope="module")
def several() -> pd.DataFrame:
    return random_spells(600, seed=1)


@pytest.fixture(scope="module")
def hazards(several: pd.DataFrame) -> HazardModel:
    return hazard_model(several, ["plan", Linear("age")], cuts=CUTS)


class TestLogistic:
    def test_numbers_and_two_levels_are_those_of_statsmodels(self, telco: pd.DataFrame):
        model = logistic_model(telco, "event", ["tenure", "MonthlyCharges", "Partner"], base={"Partner": "No"})
        has_partner = (telco["Partner"] == "Yes").astype(float)
        design = np.column_stack([np.ones(len(telco)), telco["tenure"], telco["MonthlyCharges"], has_partner])
        peer = sm.Logit(telco["event"], design).fit(disp=0, tol=1e-12).get_margeff(dummy=True)
        found = marginal_effects(model)
        assert_allclose(found["effect"], peer.margeff, rtol=1e-7)
        assert_allclose(found["se"], peer.margeff_se, rtol=1e-6)
        assert_allclose(found[["low", "high"]], peer.conf_int(), rtol=1e-6)
        assert_allclose(found["p"], peer.pvalues, atol=1e-12)

    def test_of_three_levels_every_row_is_set_to_the_level_and_to_the_base(
        self, telco: pd.DataFrame, by_contract: LogisticModel
    ):
        # by the definition, row by row: each customer with a two-year contract less the same with a monthly one
        tenure, (slope, one_year, two_years, intercept) = telco["tenure"].to_numpy(), by_contract.params

        def effects(b: np.ndarray) -> np.ndarray:
            monthly = expit(tenure * b[0] + b[3]).mean()
            return np.array([expit(tenure * b[0] + b[3] + b[at]).mean() - monthly for at in (1, 2)])

        found = marginal_effects(by_contract).iloc[1:]
        at = np.array([slope, one_year, two_years, intercept])
        assert found["level"].tolist() == ["One year", "Two year"]
        assert_allclose(found["effect"], effects(at), rtol=1e-10)
        gradient = approx_fprime(at, effects, 1e-7)
        variance = gradient @ by_contract.estimates.covariance @ gradient.T
        assert_allclose(found["se"], np.sqrt(variance.diagonal()), rtol=1e-5)

    def test_a_spline_has_the_mean_derivative(self, telco: pd.DataFrame):
        # the difference quotient between neighbours on the grid, as the grid is fine
        step = 0.125
        grid = tuple(np.arange(-1, 73 + step, step))
        model = logistic_model(telco, "event", [Spline("tenure", grid), "Partner"])
        after, before = (model.predict(telco.assign(tenure=telco["tenure"] + move)) for move in (step, -step))
        assert_allclose(marginal_effects(model).loc[0, "effect"], (after - before).mean() / (2 * step), rtol=1e-3)

    def test_a_level_without_a_ratio_has_no_effect(self):
        rows = pd.DataFrame({"left": [1, 1, 0, 1, 0, 0, 1, 1], "plan": list("aaabbbcc")})
        found = marginal_effects(logistic_model(rows, "left", "plan")).set_index("level")
        assert found.loc["c", ["effect", "se", "low", "high", "p"]].isna().all()
        assert_allclose(found.loc["b", "effect"], 1 / 3 - 2 / 3)

    def test_a_horizon_is_refused(self, by_contract: LogisticModel):
        with pytest.raises(MeasureError) as caught:
            marginal_effects(by_contract, horizon=12)
        assert str(caught.value) == "marginal_effects: a logistic model has no horizon. Leave horizon out."


class TestHazard:
    def test_it_is_the_mean_over_spells_with_the_delta_method(self, several: pd.DataFrame, hazards: HazardModel):
        # by the definition, spell by spell: 1 - exp(-Λ(10)), Λ(10) = 4 λ1 + 4 λ2 + 2 λ3 at the base
        age = several["age"].to_numpy()
        dummies = {name: (several["plan"] == name).to_numpy(dtype=float) for name in ("Basis", "Größe L")}

        def probability(b: np.ndarray, basis: np.ndarray | float, large: np.ndarray | float, years: np.ndarray):
            at_base = np.exp(b[3:]) @ [4, 4, 2, 0]
            return 1 - np.exp(-at_base * np.exp(b[0] * basis + b[1] * large + b[2] * years))

        def effects(b: np.ndarray) -> np.ndarray:
            none = probability(b, 0, 0, age).mean()
            step = 1e-4
            there, here = (probability(b, *dummies.values(), age + move).mean() for move in (step, -step))
            return np.array(
                [
                    probability(b, 1, 0, age).mean() - none,
                    probability(b, 0, 1, age).mean() - none,
                    (there - here) / (2 * step),
                ]
            )

        found = marginal_effects(hazards, horizon=10)
        at = hazards.params.to_numpy()
        assert found["level"].tolist()[:2] == ["Basis", "Größe L"]
        assert_allclose(found["effect"], effects(at), rtol=1e-6)
        gradient = np.stack([(effects(at + move) - effects(at - move)) / 2e-5 for move in np.eye(len(at)) * 1e-5])
        variance = gradient.T @ hazards.estimates.covariance @ gradient
        assert_allclose(found["se"], np.sqrt(variance.diagonal()), rtol=1e-4)
        half = 1.9599639845 * found["se"]
        assert_allclose(found["high"] - found["effect"], half)

    @pytest.mark.parametrize(
        ("horizon", "message"),
        [
            (None, "marginal_effects: a hazard model needs a horizon. Give the time by which, such as horizon=365."),
            (0, "hazard_model: horizon 0 is not among the times watched. Give one up to 69.7."),
            (70, "hazard_model: horizon 70 is not among the times watched. Give one up to 69.7."),
        ],
    )
    def test_a_horizon_is_needed_and_was_watched(self, hazards: HazardModel, horizon: float | None, message: str):
        with pytest.raises(MeasureError) as caught:
            marginal_effects(hazards, horizon=horizon)
        assert str(caught.value) == message

    def test_before_the_first_event_there_is_none(self):
        rows = pd.DataFrame({"entry": 0, "exit": [2, 4, 6, 8], "event": 1, "plan": list("aabb")})
        with pytest.raises(MeasureError, match="there is no event before the horizon 1"):
            marginal_effects(hazard_model(rows, "plan", cuts=[1]), horizon=1)
