"""Thousands of contracts in hundredths of a quarter, against R 4.1.1 with survival 3.5.3.

``f``: the contracts of ``many_contracts``, bases by ``relevel``; ``ended <- Surv(entry, exit, event)``. Figures are of
the calls named above them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from portfolio import many_contracts
from scipy.stats import chi2

from analysis.measures.hazards import hazard_model
from analysis.measures.logistic import logistic_model
from analysis.measures.person_time import cuts_at_events
from analysis.measures.survival import (
    cumulative_incidence,
    logrank,
    median_survival,
    rmst,
    survival_at,
    survival_curve,
)

BASE = {"sector": "Industrie", "smoker": "nein", "age": "jung"}
TERMS = ["Handel", "Öffentlich", "ja", "alt"]


@pytest.fixture(scope="module")
def contracts() -> pd.DataFrame:
    return many_contracts()


def test_curves_with_late_entry(contracts: pd.DataFrame):
    # summary(survfit(ended ~ sector, f, conf.type = "log-log"), times = c(5, 20, 45))
    expected = [
        ("Handel", 5, 0.74711633049469, 0.009313097936923, 0.728316888623846, 0.76483252964067),
        ("Handel", 20, 0.32886531500841, 0.009918040835334, 0.309494375998585, 0.34835226231946),
        ("Handel", 45, 0.09823216243145, 0.008200287652076, 0.082914687420161, 0.11504388987417),
        ("Industrie", 5, 0.69660768085135, 0.007591711953566, 0.681447264619950, 0.71120702202579),
        ("Industrie", 20, 0.23516167322130, 0.006901089390387, 0.221760463513676, 0.24880336098747),
        ("Industrie", 45, 0.04663230740237, 0.004514792028751, 0.038341768063318, 0.05605297682781),
        ("Öffentlich", 5, 0.61592021330953, 0.012710415419194, 0.590479525232363, 0.64029073935650),
        ("Öffentlich", 20, 0.15193184028293, 0.009147318568629, 0.134512314489771, 0.17034334331259),
        ("Öffentlich", 45, 0.01631156135539, 0.004577181908207, 0.009056208227001, 0.02729481051230),
    ]
    curve = survival_curve(contracts, by="sector")
    found = survival_at(curve, [5, 20, 45], by="sector")
    assert found["sector"].tolist() == [row[0] for row in expected]
    assert_allclose(found.drop(columns="sector"), [row[1:] for row in expected], atol=1e-12)
    # quantile(survfit(...), 0.5)
    medians = median_survival(curve, by="sector")[["median", "low", "high"]].to_numpy().tolist()
    assert medians == [[12.39, 11.5, 12.97], [9.59, 9.11, 9.99], [7.25, 6.69, 7.74]]


def test_restricted_means_with_late_entry(contracts: pd.DataFrame):
    # survival:::survmean(survfit(ended ~ sector, f), rmean = 30)$matrix
    found = rmst(contracts, by="sector", horizon=30)
    means = [[14.52996991796, 0.2228486246948], [12.29075167223, 0.1578276711515], [9.90628034541, 0.2214652920940]]
    assert_allclose(found[["rmst", "se"]], means, rtol=1e-11)


@pytest.mark.parametrize(
    ("by", "statistic", "df"), [("sector", 236.125322922, 2), (["sector", "smoker"], 260.4252801729, 5)]
)
def test_log_rank_of_thousands_of_times(contracts: pd.DataFrame, by: str | list[str], statistic: float, df: int):
    # survdiff(Surv(exit - entry, event) ~ ..., f)
    length = ((contracts["exit"] - contracts["entry"]) * 100).round() / 100
    found = logrank(contracts.assign(entry=0, exit=length), by=by)
    assert found.df == df
    assert_allclose(found.chi2, statistic, rtol=1e-10)
    assert_allclose(found.p_value, chi2.sf(statistic, df), rtol=1e-8)


def test_log_rank_with_late_entry(contracts: pd.DataFrame):
    # time by time, one group left out of the sums: R's survdiff takes no late entry
    entry, last, event = (contracts[name].to_numpy() for name in ("entry", "exit", "event"))
    group = pd.factorize(contracts["sector"])[0]
    excess, variance = np.zeros(3), np.zeros((3, 3))
    for time in np.unique(last[event == 1]):
        at_risk = np.bincount(group[(entry < time) & (time <= last)], minlength=3)
        ended = np.bincount(group[(last == time) & (event == 1)], minlength=3)
        n, d = at_risk.sum(), ended.sum()
        share = at_risk / n
        excess += ended - d * share
        variance += d * (n - d) / max(n - 1, 1) * (np.diag(share) - np.outer(share, share))
    found = logrank(contracts, by="sector")
    assert found.df == 2
    assert_allclose(found.chi2, excess[1:] @ np.linalg.solve(variance[1:, 1:], excess[1:]), rtol=1e-10)


def test_incidences_of_three_causes(contracts: pd.DataFrame):
    # summary(survfit(Surv(round(100 * (exit - entry)) / 100, cause) ~ age, f), times = 20)
    expected = {
        ("alt", "death"): (0.26435111149169, 0.009948195549285),
        ("alt", "lapse"): (0.06384925970523, 0.005514415369139),
        ("alt", "sale"): (0.5704442905565, 0.011240536123686),
        ("jung", "death"): (0.13361922736936, 0.004473741705082),
        ("jung", "lapse"): (0.08128745499859, 0.003593503277074),
        ("jung", "sale"): (0.4889312169190, 0.006677160877409),
    }
    length = ((contracts["exit"] - contracts["entry"]) * 100).round() / 100
    shares = cumulative_incidence(contracts.assign(entry=0, exit=length), by="age")
    at_20 = shares[shares["time"] <= 20].groupby(["age", "cause"]).last()
    assert at_20.index.tolist() == list(expected)
    assert_allclose(at_20[["incidence", "se"]], list(expected.values()), rtol=1e-11)


@pytest.mark.parametrize(
    ("event_cause", "cox"),
    [
        (None, [-0.2437550074556, 0.2921217478475, 0.1305476280777, 0.6032677942093]),
        ("sale", [-0.3070843366580, 0.4315409957233, 0.2150965536996, 0.5126706914975]),
    ],
)
def test_hazard_ratios_are_within_2_percent_of_cox_regression(
    contracts: pd.DataFrame, event_cause: str | None, cox: list[float]
):
    # coxph(ended ~ sector + smoker + age, f, ties = "breslow"), of all ends and of those by sale
    cuts = cuts_at_events(contracts, event_cause=event_cause)
    found = hazard_model(contracts, list(BASE), cuts=cuts, base=BASE, event_cause=event_cause).terms
    assert len(cuts) == 29
    assert found["level"].tolist() == TERMS
    assert_allclose(found["ratio"], np.exp(cox), rtol=0.02)


def test_logistic_regression(contracts: pd.DataFrame):
    # summary(glm(event ~ sector + smoker + age + entry, binomial, f, control = glm.control(epsilon = 1e-14)))
    model = logistic_model(contracts, "event", [*BASE, "entry"], base=BASE)
    estimates = [-0.354153521017592, 0.322428531960082, 0.142035919649422, 0.781157914267241, 0.004622094093207]
    errors = [0.05571186029128, 0.07175757870801, 0.05563119807471, 0.06611406855743, 0.01518351054920]
    assert_allclose(np.log(model.terms["ratio"]), estimates, atol=1e-12)
    assert_allclose(model.terms["se"], errors, rtol=1e-9)
    assert_allclose(model.loglik, -4815.442629279, rtol=1e-12)
