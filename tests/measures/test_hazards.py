from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from model_data import (
    PLANTED,
    PLANTED_COVARIATES,
    dummies,
    person_time_rows,
    pilot_spells,
    poisson,
    random_spells,
    telco_customers,
)
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg

from analysis.errors import MeasureError
from analysis.measures.covariates import Linear
from analysis.measures.hazards import HazardModel, hazard_model
from analysis.measures.marginal import marginal_effects
from analysis.measures.person_time import cuts_at_events

TELCO_BASE = {
    "InternetService": "Fiber optic",
    "PaymentMethod": "Electronic check",
    "PaperlessBilling": "Yes",
    "Partner": "No",
}


def _spells(*rows: tuple[float, float, int, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entry", "exit", "event", "plan"])


@pytest.fixture(scope="module")
def telco(public_data: Path) -> pd.DataFrame:
    return telco_customers(public_data)


@pytest.fixture(scope="module")
def several() -> pd.DataFrame:
    return random_spells(600, seed=1)


BASE = {"plan": "Komfort", "region": "Nord"}
CUTS = [4.0, 8.0, 15.0]


@pytest.fixture(scope="module")
def fitted(several: pd.DataFrame) -> HazardModel:
    return hazard_model(several, ["plan", "region"], cuts=CUTS)


class TestTerms:
    def test_a_hand_worked_ratio_without_cuts(self):
        # a: 2 events in 2 + 4 = 6, rate 1/3; b: 1 event in 6 + 8 = 14, rate 1/14; ratio 14/3.
        # se of the log ratio: √(1/2 + 1/1); log-likelihood 2 log(1/3) + log(1/14) - 3
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "a"), (0, 6, 1, "b"), (0, 8, 0, "b"))
        model = hazard_model(rows, "plan", cuts=[], base={"plan": "b"})
        (term,) = model.terms.itertuples()
        half = 1.9599639845 * np.sqrt(1.5)
        assert (term.term, term.level) == ("plan", "a")
        assert_allclose([term.ratio, term.se], [14 / 3, np.sqrt(1.5)], rtol=1e-9)
        assert_allclose([term.low, term.high], 14 / 3 * np.exp([-half, half]), rtol=1e-9)
        assert_allclose(term.p, 2 * stats.norm.sf(np.log(14 / 3) / np.sqrt(1.5)), rtol=1e-9)
        assert_allclose(model.loglik, 2 * np.log(1 / 3) + np.log(1 / 14) - 3, rtol=1e-12)

    def test_a_hand_worked_baseline_with_a_cut_and_late_entry(self):
        # (0, 2]: a 2 + 1 of time and the event at 2, which ends there; b enters at 1: 1. (2, ∞): a 2, b 3 and an event
        rows = _spells((0, 2, 1, "a"), (1, 4, 0, "a"), (1, 5, 1, "b"), (0, 1, 0, "b"))
        base = hazard_model(rows, "plan", cuts=[2]).baseline
        assert base["interval"].tolist() == ["(0, 2]", "> 2"]
        assert base["events"].tolist() == [1, 1]
        assert base["exposure"].tolist() == [2 + 1 + 1 + 1, 2 + 3]

    def test_it_is_the_poisson_model_of_the_cells(self, several: pd.DataFrame, fitted: HazardModel):
        rows = person_time_rows(several, dummies(several, BASE), CUTS)
        peer = poisson(rows, fitted.codings[0].columns + fitted.codings[1].columns)
        assert_allclose(fitted.params, peer.params, atol=1e-9)
        assert_allclose(fitted.estimates.covariance, peer.cov_params(), rtol=1e-7, atol=1e-12)
        assert_allclose(fitted.conf_int(), peer.conf_int(), atol=1e-8)
        log_rates = np.log(peer.fittedvalues / rows["_exposure"])
        assert_allclose(fitted.loglik, rows["_event"] @ log_rates - peer.fittedvalues.sum(), rtol=1e-12)

    def test_with_a_cut_at_every_event_it_is_cox_regression_with_breslows_ties(self, telco: pd.DataFrame):
        some = telco[:2000]
        model = hazard_model(some, list(TELCO_BASE), cuts=range(1, 72), base=TELCO_BASE)
        lasting = some[some["exit"] > 0]
        columns = dummies(lasting, TELCO_BASE)
        cox = PHReg(lasting["exit"], columns, status=lasting["event"], ties="breslow").fit()
        assert model.params.index[: len(columns.columns)].tolist() == list(columns)
        assert_allclose(np.log(model.terms["ratio"]), cox.params, atol=1e-6)
        assert_allclose(model.terms["se"], cox.bse, rtol=1e-5)

    def test_with_20_intervals_it_is_near_cox_regression(self):
        rows = pilot_spells(0)
        cuts = cuts_at_events(rows, intervals=20)
        model = hazard_model(rows, PLANTED_COVARIATES, cuts=cuts, base=PLANTED["base"])
        columns = dummies(rows, PLANTED["base"])
        cox = PHReg(rows["exit"], columns, status=rows["event"], entry=rows["entry"], ties="breslow").fit()
        assert len(cuts) == 19
        assert_allclose(model.terms["ratio"], np.exp(cox.params), rtol=0.02)

    @pytest.mark.parametrize("apart", [0, 0.97])
    def test_so_it_is_where_contracts_lapse_together(self, telco: pd.DataFrame, apart: float):
        # whole months, of 72, and the same spread over each month: of the last 362 customers 343 have two years
        lasting = telco[telco["exit"] > 0]
        earlier = (np.arange(len(lasting)) * 7919 % 7027 / 7027 * apart).round(2)
        rows = lasting.assign(exit=lasting["exit"] - earlier)
        base = {"Contract": "Month-to-month"}
        cuts = cuts_at_events(rows)
        model = hazard_model(rows, "Contract", cuts=cuts, base=base)
        cox = PHReg(rows["exit"], dummies(rows, base), status=rows["event"], ties="breslow").fit()
        assert len(cuts) == 29
        assert_allclose(model.terms["ratio"], np.exp(cox.params), rtol=0.02)

    def test_the_pilot_company_shows_its_planted_ratios_and_rates(self):
        held = []
        for seed in range(3):
            rows = pilot_spells(seed)
            model = hazard_model(rows, PLANTED_COVARIATES, cuts=PLANTED["cuts_days"], base=PLANTED["base"])
            planted = [PLANTED["hazard_ratios"][row.term][row.level] for row in model.terms.itertuples()]
            held += model.terms["low"].le(planted).mul(model.terms["high"].ge(planted)).tolist()
            rates = np.array(PLANTED["baseline_rate_a_year"]) / PLANTED["days_a_year"]
            held += model.baseline["low"].le(rates).mul(model.baseline["high"].ge(rates)).tolist()
        assert len(held) == 3 * (13 + 4)
        assert sum(held) >= 45  # of 51 at 95 %: fewer have a chance of 2 %

    def test_p_is_adjusted_over_all_terms(self, fitted: HazardModel):
        p = fitted.terms["p"].to_numpy()
        assert len(p) == 3
        assert_allclose(fitted.terms["p_holm"].min(), min(3 * p.min(), 1))

    def test_the_joint_test_of_a_factor_is_walds(self, several: pd.DataFrame, fitted: HazardModel):
        peer = poisson(person_time_rows(several, dummies(several, BASE), CUTS), [*fitted.params.index[:3]])
        wald = peer.wald_test(np.eye(len(peer.params))[:2], scalar=True)
        assert_allclose(fitted.joint_tests.loc[0, ["chi2", "df", "p"]].astype(float), [wald.statistic, 2, wald.pvalue])

    def test_the_inflation_of_variance_is_fox_and_monettes(self, several: pd.DataFrame, fitted: HazardModel):
        peer = poisson(person_time_rows(several, dummies(several, BASE), CUTS), [*fitted.params.index[:3]])
        covariance = peer.cov_params().to_numpy()[:3, :3]
        correlations = covariance / np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
        gvif = np.linalg.det(correlations[:2, :2]) / np.linalg.det(correlations)
        assert_allclose(fitted.inflation["gvif"], [gvif, gvif])
        assert_allclose(fitted.inflation["gvif_root"], [gvif**0.25, gvif**0.5])

    def test_proportional_hazards_are_tested_by_the_score_of_the_interactions(
        self, several: pd.DataFrame, fitted: HazardModel
    ):
        columns = [*fitted.params.index[:3]]
        rows = person_time_rows(several, dummies(several, BASE), CUTS)
        peer = poisson(rows, columns)
        for number, own in enumerate((columns[:2], columns[2:])):
            later = pd.get_dummies(rows["_interval"], dtype=float).drop(columns=0)
            extra = np.column_stack([rows[name] * later[interval] for name in own for interval in later])
            test = peer.score_test(exog_extra=extra)
            found = fitted.proportionality.loc[number, ["chi2", "df", "p"]].astype(float)
            assert_allclose(found, [test.statistic.item(), extra.shape[1], test.pvalue.item()], rtol=1e-6)


class TestBase:
    def test_the_most_frequent_level_is_the_base_and_never_the_first_of_the_alphabet(self, fitted: HazardModel):
        assert fitted.levels.loc[fitted.levels["status"] == "base", "level"].tolist() == ["Komfort", "Nord"]

    def test_another_base_turns_the_ratio_round(self, several: pd.DataFrame, fitted: HazardModel):
        turned = hazard_model(several, ["plan", "region"], cuts=CUTS, base={"plan": "Größe L"})
        here, there = (model.terms.set_index("level")["ratio"] for model in (fitted, turned))
        assert_allclose(there["Komfort"], 1 / here["Größe L"])
        assert_allclose(turned.loglik, fitted.loglik)

    def test_missing_values_are_a_level_of_their_own(self):
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "a"), (0, 5, 1, None), (0, 5, 1, None), (0, 9, 0, "a"))
        (term,) = hazard_model(rows, "plan", cuts=[]).terms.itertuples()
        assert term.level == "(missing)"
        assert_allclose(term.ratio, (2 / 10) / (2 / 15))

    def test_numbers_and_truth_values_are_levels_in_their_order(self):
        rows = pd.DataFrame({"entry": 0, "exit": range(1, 13), "event": 1, "term": [1, 12, 24, 12] * 3})
        model = hazard_model(rows.assign(new=[True, False] * 6), ["term", "new"], cuts=[], base={"term": 12})
        assert model.terms["level"].tolist() == ["1", "24", "True"]
        floats = hazard_model(rows.assign(term=rows["term"].astype(float)), "term", cuts=[])
        assert floats.levels["level"].tolist() == ["1", "12", "24"]

    @pytest.mark.parametrize(
        ("base", "message"),
        [
            (
                {"plan": "Komfrt"},
                "hazard_model: base 'Komfrt' is no level of 'plan'; there are: Basis, Größe L, Komfort. "
                "Did you mean 'Komfort'?",
            ),
            ({"age": 3}, "hazard_model: base names 'age', which is no covariate. Known: plan, region."),
        ],
    )
    def test_an_unknown_base_is_refused(self, several: pd.DataFrame, base: dict[str, object], message: str):
        with pytest.raises(MeasureError) as caught:
            hazard_model(several, ["plan", "region"], cuts=CUTS, base=base)
        assert str(caught.value) == message


class TestCauses:
    def test_ends_by_other_causes_censor(self, several: pd.DataFrame):
        model = hazard_model(several, "plan", cuts=CUTS, event_cause="Preis")
        others = several.assign(event=several["event"] * (several["cause"] == "Preis"))
        assert_frame_equal(model.terms, hazard_model(others, "plan", cuts=CUTS).terms)
        assert model.events == others["event"].sum()

    def test_an_unknown_cause_is_refused_by_name(self, several: pd.DataFrame):
        with pytest.raises(MeasureError) as caught:
            hazard_model(several, "plan", cuts=CUTS, event_cause="Service")
        assert str(caught.value) == "hazard_model: no spell ends by the cause 'Service'. There are: Preis, Umzug."


class TestCaveats:
    def test_a_level_without_events_is_reported_and_leaves_the_others_as_they_are(self):
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "a"), (0, 5, 0, "never"), (0, 9, 1, "b"), (0, 9, 0, "a"))
        model = hazard_model(rows, "plan", cuts=[3])
        terms = model.terms.set_index("level")
        assert terms.loc["never", ["ratio", "low", "high", "se", "p", "p_holm"]].isna().all()
        without = hazard_model(rows[rows["plan"] != "never"], "plan", cuts=[3])
        assert_allclose(
            terms.loc["b", ["ratio", "se"]].astype(float), without.terms.loc[0, ["ratio", "se"]].astype(float)
        )
        assert model.levels["status"].tolist() == ["base", "sparse", "separated"]
        assert model.notes[1] == (
            "plan never: 0 events; the outcome is always or never there, so its ratio is not finite and not given."
        )

    def test_a_base_without_events_is_refused_and_not_chosen(self):
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "b"), (0, 5, 0, "never"), (0, 9, 0, "never"), (0, 9, 0, "b"))
        with pytest.raises(MeasureError) as caught:
            hazard_model(rows, "plan", cuts=[], base={"plan": "never"})
        assert str(caught.value) == (
            "hazard_model: the outcome is always or never there for 'never' of 'plan'. Name another base."
        )
        assert hazard_model(rows, "plan", cuts=[]).levels["status"].tolist() == ["sparse", "base", "separated"]

    def test_what_follows_from_other_covariates_is_named(self, several: pd.DataFrame, fitted: HazardModel):
        again = several.assign(tariff=several["plan"].str.upper())
        model = hazard_model(again, ["plan", "region", "tariff"], cuts=CUTS)
        assert_frame_equal(model.terms.loc[:2, ["ratio", "se"]], fitted.terms[["ratio", "se"]])
        assert model.terms.loc[3:, "ratio"].isna().all()
        assert model.levels["status"].tolist()[-3:] == ["follows", "follows", "base"]

    def test_a_column_with_one_level_has_no_ratio(self, several: pd.DataFrame, fitted: HazardModel):
        model = hazard_model(several.assign(land="DE"), ["plan", "land", "region"], cuts=CUTS)
        assert_frame_equal(model.terms, fitted.terms)
        assert model.joint_tests["df"].tolist() == [2, 0, 1]

    def test_few_spells_and_a_number_far_from_0_are_told_or_reported_and_never_infinite(self):
        separated = 0
        for seed in range(60, 75):
            rng = np.random.default_rng(seed)
            n = rng.integers(4, 12)
            frame = pd.DataFrame({"customer_id": rng.integers(0, n, n).astype(str), "entry": 0})
            frame["exit"] = rng.exponential(10, n).round(2) + 0.01
            frame["event"] = np.arange(n) % 2
            frame["plan"], frame["fee"] = rng.choice(list("abc"), n), rng.normal(1000, 1, n)
            model = hazard_model(frame, ["plan", Linear("fee")], cuts=[3, 9], robust=bool(seed % 2))
            effects = marginal_effects(model, horizon=model.last_exit)
            separated += (model.levels["status"] == "separated").any()
            told = model.terms["ratio"].notna()
            assert effects["effect"].notna().tolist() == told.tolist()
            assert model.terms.loc[told, "se"].lt(1000).all()
            assert np.isfinite(model.loglik)
        assert separated > 1

    def test_an_interval_without_events_has_rate_0_and_no_ends(self, several: pd.DataFrame, fitted: HazardModel):
        never = hazard_model(several, ["plan", "region"], cuts=[0.5, *CUTS])
        assert never.baseline.loc[0, ["events", "rate"]].tolist() == [0, 0]
        assert never.baseline.loc[0, ["low", "high"]].isna().all()
        none_watched = hazard_model(several, ["plan", "region"], cuts=[*CUTS, 1000])
        assert np.isnan(none_watched.baseline.loc[4, "rate"])
        assert_frame_equal(none_watched.terms, fitted.terms)

    def test_spells_of_length_zero_are_counted_and_left_out(self):
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "b"), (3, 3, 1, "b"))
        model = hazard_model(rows, "plan", cuts=[])
        assert (model.n, model.events, model.zero_length) == (2, 2, 1)


class TestRobust:
    def test_it_is_the_sandwich_of_statsmodels_on_rows_of_person_time(self, several: pd.DataFrame):
        model = hazard_model(several, ["plan", "region"], cuts=CUTS, robust=True)
        rows = person_time_rows(several, dummies(several, BASE), CUTS)
        clusters = {"groups": pd.factorize(rows["_customer"])[0], "use_correction": False}
        peer = poisson(rows, [*model.params.index[:3]], cov_type="cluster", cov_kwds=clusters)
        customers = several["customer_id"].nunique()
        assert customers < len(several)
        assert_allclose(
            model.estimates.covariance,
            peer.cov_params().to_numpy() * customers / (customers - 1),
            rtol=1e-6,
            atol=1e-12,
        )

    def test_the_ratios_stay_and_so_does_the_test_of_proportional_hazards(
        self, several: pd.DataFrame, fitted: HazardModel
    ):
        model = hazard_model(several, ["plan", "region"], cuts=CUTS, robust=True)
        assert_frame_equal(model.terms[["ratio"]], fitted.terms[["ratio"]])
        assert_frame_equal(model.proportionality, fitted.proportionality)
        assert (model.terms["se"] != fitted.terms["se"]).all()


class TestPrediction:
    def test_it_is_one_less_the_survival_of_the_rates(self):
        # b: rate 1/14, a: rate 1/3; by 3 a ends with 1 - exp(-1)
        rows = _spells((0, 2, 1, "a"), (0, 4, 1, "a"), (0, 6, 1, "b"), (0, 8, 0, "b"))
        model = hazard_model(rows, "plan", cuts=[])
        asked = pd.DataFrame({"plan": ["b", "a", "b"]}, index=[7, 8, 9])
        found = model.predict(asked, horizon=3)
        assert found.index.tolist() == [7, 8, 9]
        assert_allclose(found, [1 - np.exp(-3 / 14), 1 - np.exp(-1), 1 - np.exp(-3 / 14)])

    def test_a_horizon_past_what_was_watched_and_an_unknown_level_are_refused(self, fitted: HazardModel):
        with pytest.raises(MeasureError, match="horizon 1000 is not among the times watched"):
            fitted.predict(pd.DataFrame({"plan": ["Basis"], "region": ["Nord"]}), horizon=1000)
        with pytest.raises(MeasureError, match="the model knows no level 'Ost' of 'region'"):
            fitted.predict(pd.DataFrame({"plan": ["Basis"], "region": ["Ost"]}), horizon=5)

    def test_the_summary_names_every_term(self, fitted: HazardModel):
        assert all(level in fitted.summary() for level in ("Basis", "Größe L", "Süd", "(4, 8]"))


class TestDomain:
    def test_a_table_and_a_frame_and_any_order_give_the_same(self, several: pd.DataFrame, fitted: HazardModel):
        before = several.copy()
        table = ibis.duckdb.connect().create_table("spells", several)
        shuffled = several.sample(frac=1, random_state=0)
        for given in (table, shuffled):
            model = hazard_model(given, ["plan", "region"], cuts=CUTS)
            assert_frame_equal(model.terms, fitted.terms)
            assert_frame_equal(model.baseline, fitted.baseline)
        assert_frame_equal(several, before)

    def test_what_comes_back_from_the_engine_does_not_grow_with_the_rows(self, several: pd.DataFrame):
        many = pd.concat([several] * 5, ignore_index=True)
        sizes = [len(hazard_model(rows, ["plan", "region"], cuts=CUTS).patterns) for rows in (several, many)]
        assert sizes == [6, 6]

    def test_more_patterns_than_allowed_are_refused_with_the_column(self):
        rows = pd.DataFrame({"entry": 0, "exit": 1, "event": 1, "plan": "a", "customer": np.arange(200_001)})
        with pytest.raises(MeasureError) as caught:
            hazard_model(rows, ["plan", "customer"], cuts=[])
        assert str(caught.value) == (
            "hazard_model: the covariates make more than 200,000 patterns; column 'customer' has 200,001 values. "
            "Give 'customer' as Cuts or a Spline over a coarse grid, or leave it out."
        )

    @pytest.mark.parametrize(
        ("change", "settings", "message"),
        [
            ({}, {"cuts": [4, 4]}, "cuts are .* Give numbers above 0 that rise"),
            ({}, {"cuts": [0, 4]}, "cuts are .* Give numbers above 0 that rise"),
            ({}, {"confidence": 1}, "confidence is 1"),
            ({}, {"covariates": []}, "there is no covariate"),
            ({}, {"covariates": ["plan", "plan"]}, "named more than once: plan"),
            ({}, {"covariates": "plann"}, "column 'plann' is absent.* Did you mean 'plan'"),
            ({}, {"covariates": "event"}, "named more than once: event"),
            ({"event": 0}, {}, "no spell ends by an event"),
            ({"event": 2}, {}, "600 of 600 spells have a missing or negative entry"),
            ({"exit": np.nan}, {}, "600 of 600 spells have a missing or negative entry"),
            ({"plan": [f"p{number}" for number in range(600)]}, {}, "column 'plan' has 600 levels, more than 50"),
        ],
    )
    def test_what_is_outside_the_domain_is_refused(
        self, several: pd.DataFrame, change: dict[str, object], settings: dict[str, object], message: str
    ):
        with pytest.raises(MeasureError, match=message):
            hazard_model(several.assign(**change), **{"covariates": "plan", "cuts": CUTS} | settings)

    def test_three_spells_are_enough_and_a_column_all_missing_or_the_same_says_nothing(self):
        rows = _spells((0, 1, 1, "ä"), (0, 2, 1, "ä"), (0, 3, 1, "ö")).assign(none=None, same=1)
        model = hazard_model(rows, ["plan", "none", "same"], cuts=[])
        assert_allclose(model.terms["ratio"], [(1 / 3) / (2 / 3)])
        assert model.levels["level"].tolist() == ["ä", "ö", "(missing)", "1"]

    def test_large_and_fractional_cuts_are_named_in_full(self):
        rows = _spells((0, 0.01, 1, "a"), (0, 2e7, 1, "b"), (0, 0.3, 1, "b"))
        named = hazard_model(rows, "plan", cuts=[0.01, 1_234_567]).baseline["interval"]
        assert named.tolist() == ["(0, 0.01]", "(0.01, 1234567]", "> 1234567"]

    def test_robust_needs_customers(self, several: pd.DataFrame):
        with pytest.raises(MeasureError, match="column 'customer_id' is absent"):
            hazard_model(several.drop(columns="customer_id"), "plan", cuts=CUTS, robust=True)
