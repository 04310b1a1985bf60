from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from model_data import telco_customers
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from patsy import dmatrix
from sklearn.metrics import brier_score_loss, roc_auc_score

from analysis.errors import MeasureError
from analysis.measures.covariates import Cuts, Factor, Linear, Spline
from analysis.measures.logistic import LogisticModel, logistic_model

TELCO = ["tenure", "MonthlyCharges", "Contract"]


@pytest.fixture(scope="module")
def telco(public_data: Path) -> pd.DataFrame:
    return telco_customers(public_data)


@pytest.fixture(scope="module")
def fitted(telco: pd.DataFrame) -> LogisticModel:
    return logistic_model(telco, "event", TELCO)


def _rows(*counts: tuple[str | None, int, int]) -> pd.DataFrame:
    """Return rows of a plan: so many with the outcome, so many without."""
    parts = [[(plan, 1)] * left + [(plan, 0)] * stayed for plan, left, stayed in counts]
    return pd.DataFrame([row for part in parts for row in part], columns=["plan", "left"])


class TestTerms:
    def test_hand_worked_odds(self):
        # a: 6 to 2 = 3, b: 2 to 8 = 1/4; ratio 12, se √(1/6 + 1/2 + 1/2 + 1/8)
        model = logistic_model(_rows(("a", 6, 2), ("b", 2, 8)), "left", "plan")
        (term,) = model.terms.itertuples()
        se = np.sqrt(1 / 6 + 1 / 2 + 1 / 2 + 1 / 8)
        assert (term.term, term.level) == ("plan", "a")
        assert_allclose([term.ratio, term.se], [12, se])
        assert_allclose([term.low, term.high], 12 * np.exp(np.array([-1, 1]) * 1.9599639845 * se))
        assert_allclose(model.loglik, 6 * np.log(0.75) + 2 * np.log(0.25) + 2 * np.log(0.2) + 8 * np.log(0.8))
        # 6 · 8 pairs in the right order, 6 · 2 + 2 · 8 ties, of 8 · 10
        assert_allclose(model.auc, (48 + 28 / 2) / 80)
        assert_allclose(model.brier, (6 * 0.25**2 + 2 * 0.75**2 + 2 * 0.8**2 + 8 * 0.2**2) / 18)

    def test_the_reference_values_of_the_telecom_sample(self, fitted: LogisticModel):
        # computed with an independent tool; the same from R: glm(churn ~ tenure + MonthlyCharges + Contract, binomial)
        assert fitted.terms["term"].tolist() == ["tenure", "MonthlyCharges", "Contract", "Contract"]
        assert fitted.terms["level"].tolist()[2:] == ["One year", "Two year"]
        assert fitted.terms["level"].isna().tolist() == [True, True, False, False]
        assert_allclose(fitted.terms["ratio"], [0.9649, 1.0290, 0.3456, 0.1323], atol=5e-4)
        assert fitted.loglik == pytest.approx(-3072.94, abs=0.1)

    def test_it_is_the_binomial_model_of_the_rows(self, telco: pd.DataFrame, fitted: LogisticModel):
        years = [(telco["Contract"] == level).astype(float) for level in ("One year", "Two year")]
        design = np.column_stack([telco["tenure"], telco["MonthlyCharges"], *years, np.ones(len(telco))])
        peer = sm.Logit(telco["event"], design).fit(disp=0, tol=1e-12)
        assert_allclose(fitted.params, peer.params, rtol=1e-8)
        assert_allclose(fitted.estimates.covariance, peer.cov_params(), rtol=1e-6)
        assert_allclose(fitted.conf_int(), peer.conf_int(), rtol=1e-6)
        shares = fitted.predict(telco)
        assert_allclose(shares, peer.predict(), rtol=1e-8)
        assert_allclose(fitted.auc, roc_auc_score(telco["event"], shares))
        assert_allclose(fitted.brier, brier_score_loss(telco["event"], shares))

    def test_a_column_far_from_0_is_fitted_as_well(self, telco: pd.DataFrame, fitted: LogisticModel):
        far = telco.assign(tenure=telco["tenure"] * 1e-4 + 2000)
        model = logistic_model(far, "event", TELCO)
        assert_allclose(np.log(model.terms["ratio"].iloc[1:]), np.log(fitted.terms["ratio"].iloc[1:]), rtol=1e-5)
        assert_allclose(model.params["tenure"], fitted.params["tenure"] * 1e4, rtol=1e-4)


class TestCovariates:
    def test_numbers_cut_are_levels_that_end_at_the_cuts(self, telco: pd.DataFrame):
        cut = pd.cut(telco["tenure"], [-1, 12, 24.5, 100], labels=["<= 12", "(12, 24.5]", "> 24.5"]).astype(str)
        by_hand = logistic_model(telco.assign(tenure=cut), "event", "tenure", base={"tenure": "<= 12"})
        model = logistic_model(telco, "event", Cuts("tenure", (12, 24.5)), base={"tenure": "<= 12"})
        assert model.terms["level"].tolist() == ["(12, 24.5]", "> 24.5"]
        ratios = model.terms.set_index("level")["ratio"]
        assert_allclose(ratios[by_hand.terms["level"]], by_hand.terms["ratio"])

    def test_a_spline_is_the_natural_cubic_one_of_its_knots(self, telco: pd.DataFrame):
        # knots at 0, 24, 48 and 72 of the grid; patsy spans the same functions by another basis
        model = logistic_model(telco, "event", Spline("tenure", tuple(range(73)), knots=4), base={"tenure": 12})
        basis = dmatrix("cr(x, knots=[24, 48], lower_bound=0, upper_bound=72) - 1", {"x": telco["tenure"]})
        peer = sm.Logit(telco["event"], np.asarray(basis)).fit(disp=0, tol=1e-12)
        assert_allclose(model.loglik, peer.llf, rtol=1e-9)
        assert_allclose(model.predict(telco), peer.predict(), rtol=1e-6)
        points = np.asarray(dmatrix("cr(x, knots=[24, 48], lower_bound=0, upper_bound=72) - 1", {"x": [12, 60]}))
        at_60 = model.terms.set_index("level").loc["60"]
        contrast = points[1] - points[0]
        assert_allclose(np.log(at_60["ratio"]), contrast @ peer.params, rtol=1e-6)
        assert_allclose(at_60["se"], np.sqrt(contrast @ peer.cov_params() @ contrast), rtol=1e-6)

    def test_values_off_the_grid_move_to_its_nearest_point(self, telco: pd.DataFrame):
        grid = (0, 10, 20, 40, 60)
        points = np.array(grid)
        nearest = points[np.abs(telco["tenure"].to_numpy()[:, None] - points).argmin(axis=1)]
        moved = logistic_model(telco.assign(tenure=nearest), "event", Spline("tenure", grid, knots=3))
        assert_frame_equal(logistic_model(telco, "event", Spline("tenure", grid, knots=3)).terms, moved.terms)

    def test_numbers_may_be_levels(self, telco: pd.DataFrame):
        senior = logistic_model(telco, "event", Factor("SeniorCitizen")).terms
        assert senior["level"].tolist() == ["1"]
        assert_allclose(senior["ratio"], logistic_model(telco, "event", "SeniorCitizen").terms["ratio"])

    def test_rows_without_a_number_or_an_outcome_are_counted_and_left_out(self):
        rows = pd.DataFrame({"left": [1, 0, 1, 0, 1, None], "age": [20.0, 30, 40, 25, None, 35]})
        model = logistic_model(rows, "left", "age")
        assert (model.n, model.left_out) == (4, 2)
        assert_frame_equal(model.terms, logistic_model(rows[:4], "left", Linear("age")).terms)
        assert np.isnan(model.predict(rows)[4])

    def test_missing_values_of_cuts_are_a_level(self):
        rows = pd.DataFrame({"left": [1, 0, 0, 1, 0, 1], "age": [20, 30, None, None, 45, 50]})
        model = logistic_model(rows, "left", Cuts("age", (35,)))
        assert model.levels["level"].tolist() == ["<= 35", "> 35", "(missing)"]


class TestCaveats:
    def test_a_level_that_always_has_the_outcome_is_reported(self):
        rows = _rows(("a", 6, 2), ("b", 2, 8), ("Kündigung", 7, 0))
        model = logistic_model(rows, "left", "plan")
        assert model.levels["level"].tolist() == ["Kündigung", "a", "b"]
        assert model.levels["status"].tolist() == ["separated", "sparse", "base"]
        terms = model.terms.set_index("level")
        assert terms.loc["Kündigung", ["ratio", "low", "high", "se", "p"]].isna().all()
        assert_allclose(terms.loc["a", "ratio"], 12)
        assert any(
            note.startswith("plan Kündigung: 7 events; the outcome is always or never there") for note in model.notes
        )

    def test_a_number_that_separates_is_reported(self):
        rows = pd.DataFrame({"left": [0, 0, 0, 1, 1, 1], "age": [1, 2, 3, 4, 5, 6]})
        model = logistic_model(rows, "left", "age")
        assert model.terms["ratio"].isna().all()
        assert model.levels["status"].tolist() == ["separated"]
        assert model.auc == 1

    def test_a_factor_that_gives_the_outcome_away_is_reported(self):
        model = logistic_model(_rows(("a", 6, 0), ("b", 0, 8)), "left", "plan")
        assert model.levels["status"].tolist() == ["separated", "base"]
        assert model.params.isna().all()
        assert (model.auc, model.joint_tests["df"].tolist()) == (1, [0])
        assert_allclose([model.loglik, model.brier], 0, atol=1e-6)

    def test_a_constant_number_follows_and_the_intercept_stays(self):
        rows = _rows(("a", 6, 2), ("b", 2, 8)).assign(year=2025)
        model = logistic_model(rows, "left", ["year", "plan"])
        assert model.levels["status"].tolist() == ["follows", "sparse", "base"]
        assert_allclose(model.params["intercept"], np.log(1 / 4))

    def test_columns_that_follow_from_others_are_named(self, telco: pd.DataFrame):
        model = logistic_model(telco, "event", ["InternetService", "OnlineSecurity", "TechSupport"])
        follows = model.levels[model.levels["status"] == "follows"]
        assert follows[["term", "level"]].to_numpy().tolist() == [
            ["OnlineSecurity", "No internet service"],
            ["TechSupport", "No internet service"],
        ]


class TestDomain:
    def test_a_table_and_a_frame_and_any_order_give_the_same(self, telco: pd.DataFrame, fitted: LogisticModel):
        before = telco.copy()
        table = ibis.duckdb.connect().create_table("customers", telco)
        for given in (table, telco.sample(frac=1, random_state=0), telco.assign(event=telco["event"] == 1)):
            model = logistic_model(given, "event", TELCO)
            assert_frame_equal(model.terms, fitted.terms)
            assert (model.auc, model.loglik) == (fitted.auc, fitted.loglik)
        assert_frame_equal(telco, before)

    @pytest.mark.parametrize(
        ("change", "outcome", "message"),
        [
            ({}, "Churn", "logistic_model: the outcome 'Churn' holds string. Make it 0 and 1, or a truth value."),
            ({"event": 2}, "event", "logistic_model: 7043 values of 'event' are neither 0 nor 1. Make it 0 and 1."),
            (
                {"event": 1},
                "event",
                "logistic_model: 'event' is the same in all 7043 rows. There is nothing to compare.",
            ),
            ({}, "tenure", "logistic_model: named more than once: tenure. Name each column once."),
        ],
    )
    def test_what_is_outside_the_domain_is_refused(
        self, telco: pd.DataFrame, change: dict[str, object], outcome: str, message: str
    ):
        with pytest.raises(MeasureError) as caught:
            logistic_model(telco.assign(**change), outcome, TELCO)
        assert str(caught.value) == message

    def test_infinite_numbers_are_refused(self):
        rows = pd.DataFrame({"left": [1, 0, 1, 0], "age": [1.0, 2, np.inf, 3]})
        with pytest.raises(MeasureError) as caught:
            logistic_model(rows, "left", "age")
        assert str(caught.value) == "logistic_model: infinite values in 'age'. Set them missing, or give Cuts."

    def test_points_that_do_not_rise_and_text_with_cuts_are_refused(self, telco: pd.DataFrame):
        for covariate, message in (
            (Cuts("tenure", (12, 12)), r"the points of 'tenure' are \(12, 12\). Give at least 1, rising"),
            (Spline("tenure", (0, 72)), r"the points of 'tenure' are \(0, 72\). Give at least 4, rising"),
            (Spline("tenure", (0, 10, 72), knots=2), "'tenure' has 2 knots. Give 3 or more, or Linear"),
            (Linear("Contract"), "column 'Contract' holds string, not numbers"),
        ):
            with pytest.raises(MeasureError, match=message):
                logistic_model(telco, "event", covariate)
