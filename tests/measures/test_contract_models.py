"""The shifted beta-geometric model of renewals."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from analysis.errors import MeasureError
from analysis.measures.contract_models import fit_sbg, fit_sbg_cohorts

# Fader and Hardie (2007), Journal of Interactive Marketing 21, 76-90, table 1, in percent by year
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]


def in_thousands(percent: list[float]) -> list[int]:
    return [round(10 * share) for share in percent]


@pytest.mark.parametrize(("percent", "alpha", "beta"), [(REGULAR, 0.704, 1.182), (HIGH_END, 0.668, 3.806)])
def test_the_published_parameters_are_found(percent, alpha, beta):
    for model in (fit_sbg(percent), fit_sbg(percent, n=1000), fit_sbg(in_thousands(percent))):
        assert model.params.index.tolist() == ["alpha", "beta"]
        assert model.params.tolist() == pytest.approx([alpha, beta], abs=0.002)
        assert model.converged


def log_likelihood(alpha: float, beta: float, counts: list[int]) -> float:
    """As printed: P(T = t) = B(alpha + 1, beta + t - 1) / B(alpha, beta), S(t) = B(alpha, beta + t) / B(...)."""
    t = np.arange(1, len(counts))
    leaving = special.betaln(alpha + 1, beta + t - 1) @ -np.diff(counts)
    last = counts[-1] * special.betaln(alpha, beta + t[-1])
    return leaving + last - counts[0] * special.betaln(alpha, beta)


def test_the_log_likelihood_and_the_errors_are_those_of_the_printed_formula():
    counts = in_thousands(HIGH_END)
    model = fit_sbg(counts)
    a, b = model.params
    assert model.loglik == pytest.approx(log_likelihood(a, b, counts), abs=1e-8)
    h = 1e-3
    steps = [(h, 0), (0, h)]
    hessian = [
        [
            sum(s * u * log_likelihood(a + s * i + u * k, b + s * j + u * m, counts) for s in (1, -1) for u in (1, -1))
            / (4 * h * h)
            for k, m in steps
        ]
        for i, j in steps
    ]
    covariance = np.linalg.inv(-np.array(hessian))
    assert model.se.tolist() == pytest.approx(np.sqrt(np.diag(covariance)).tolist(), rel=1e-3)
    assert model.summary()["term"].tolist() == ["alpha", "beta"]
    assert (model.conf_int()["low"] < model.params).all()


def test_shares_without_n_have_parameters_but_no_errors_and_that_is_said():
    model = fit_sbg([1, 0.631, 0.468, 0.382])
    assert model.se.isna().all()
    assert model.conf_int().isna().all(axis=None)
    assert model.notes == (
        "The survivors are shares and n is not given: there are no standard errors, and the log-likelihood is that of "
        "1,000 customers.",
    )
    told = model.predict([3])
    assert told["survival"].item() == pytest.approx(0.382, abs=0.005)
    assert told[["survival_low", "survival_high", "retention_low", "retention_high"]].isna().all(axis=None)
    assert fit_sbg([1, 0.631, 0.468, 0.382], n=1000).notes == ()


def test_ten_times_the_customers_have_errors_smaller_by_the_root_of_ten():
    few, many = fit_sbg(HIGH_END, n=500), fit_sbg(HIGH_END, n=5000)
    assert (few.se / many.se).tolist() == pytest.approx([np.sqrt(10)] * 2, rel=1e-4)


def test_survival_and_retention_are_ratios_of_beta_functions():
    model = fit_sbg(in_thousands(REGULAR))
    a, b = model.params
    periods = np.array([0, 1, 5, 40])
    expected = np.exp(special.betaln(a, b + periods) - special.betaln(a, b))
    found = model.survival(periods)
    assert found["survival"].tolist() == pytest.approx(expected.tolist())
    assert found.loc[0].tolist() == [0, 1, 1, 1]
    assert (found["low"] <= found["survival"]).all()
    assert (found["high"] < 1)[1:].all()
    # r(t) = (beta + t - 1) / (alpha + beta + t - 1)
    assert model.retention([1, 5])["retention"].tolist() == pytest.approx([b / (a + b), (b + 4) / (a + b + 4)])
    later = model.survival([3], lasted=7)["survival"].item()
    assert later == pytest.approx((model.survival([10])["survival"] / model.survival([7])["survival"]).item())


def test_the_projection_is_that_of_another_implementation():
    # sBG in Python by JD Maturen, periods 8 to 12 of "High end", and the residual lifetime at 10 % after 7 periods
    model = fit_sbg(HIGH_END, n=1000)
    projected = model.survival(range(8, 13))
    assert projected["survival"].round(3).tolist() == [0.460, 0.436, 0.414, 0.395, 0.378]
    assert model.residual_lifetime(rate=0.1, lasted=7)["periods"].item() == pytest.approx(7.530, abs=0.001)
    # and the interval holds what came: the 46.8, 44.5, 42.7, 40.9, 39.4 % of the same table
    came = np.array([0.468, 0.445, 0.427, 0.409, 0.394])
    assert ((projected["low"] < came) & (came < projected["high"])).all()


def test_the_interval_of_survival_is_the_delta_method_on_its_log_odds():
    model = fit_sbg(in_thousands(HIGH_END))
    a, b = model.params
    found = model.survival([5], confidence=0.9).loc[0]
    s, t = found["survival"], 5
    # ln S = lnB(a, b + t) - lnB(a, b); the log odds move by 1 / (1 - S) of it
    slopes = [
        special.digamma(a + b) - special.digamma(a + b + t),
        special.digamma(b + t) - special.digamma(a + b + t) - special.digamma(b) + special.digamma(a + b),
    ]
    se = np.sqrt(slopes @ model.fit.covariance.to_numpy() @ slopes) / (1 - s)
    z = stats.norm.ppf(0.95)
    assert found[["low", "high"]].tolist() == pytest.approx(
        special.expit(special.logit(s) + np.array([-z, z]) * se).tolist(), rel=1e-6
    )


@pytest.mark.parametrize(("rate", "lasted"), [(0.1, 0), (0.01, 12), (0.001, 3)])
def test_the_residual_lifetime_is_the_mean_over_the_chances_to_leave_of_those_who_lasted(rate, lasted):
    model = fit_sbg(in_thousands(HIGH_END))
    a, b = model.params
    # a customer who leaves with chance q has sum over j >= 0 of (1 - q)^(j + 1) / (1 + d)^j = (1 - q)(1 + d) / (d + q)
    mean = integrate.quad(
        lambda q: (1 - q) * (1 + rate) / (rate + q) * stats.beta.pdf(q, a, b + lasted), 0, 1, points=[rate, 0.1]
    )
    found = model.residual_lifetime(rate=rate, lasted=[lasted]).loc[0]
    assert found["periods"] == pytest.approx(mean[0], rel=1e-5)
    assert found["low"] < found["periods"] < found["high"]


def test_cohorts_that_saw_the_same_are_one_cohort():
    counts = in_thousands(REGULAR)
    frame = pd.concat(
        pd.DataFrame({"cohort": name, "period": range(8), "survivors": counts}) for name in ("März", "April")
    )
    found, one = fit_sbg_cohorts(frame), fit_sbg(counts)
    assert found.params.tolist() == pytest.approx(one.params.tolist(), rel=1e-6)
    assert found.se.tolist() == pytest.approx((one.se / np.sqrt(2)).tolist(), rel=1e-4)
    assert found.loglik == pytest.approx(2 * one.loglik)
    assert found.fit.n == 2000


def triangle() -> pd.DataFrame:
    high_end = in_thousands(HIGH_END)
    parts = [
        pd.DataFrame({"cohort": 2020 + late, "period": range(8), "survivors": high_end}).assign(
            survivors=lambda rows, late=late: rows["survivors"].where(rows["period"] < 8 - late)
        )
        for late in range(5)
    ]
    return pd.concat(parts, ignore_index=True)


def test_likelihoods_of_younger_cohorts_end_at_the_period_they_have_reached():
    frame = triangle()
    model = fit_sbg_cohorts(frame)
    known = [rows["survivors"].dropna().tolist() for _, rows in frame.groupby("cohort")]
    assert [len(counts) for counts in known] == [8, 7, 6, 5, 4]
    assert model.loglik == pytest.approx(sum(log_likelihood(*model.params, counts) for counts in known))
    for nudge in ((1.01, 1), (0.99, 1), (1, 1.01), (1, 0.99)):
        away = model.params.to_numpy() * nudge
        assert sum(log_likelihood(*away, counts) for counts in known) < model.loglik


def test_the_order_of_rows_does_not_matter_nor_whether_a_frame_or_a_table_comes():
    frame, kept = triangle(), triangle()
    model = fit_sbg_cohorts(frame)
    for other in (frame.sample(frac=1, random_state=0), ibis.memtable(frame)):
        pd.testing.assert_series_equal(fit_sbg_cohorts(other).params, model.params)
    pd.testing.assert_frame_equal(frame, kept)


def test_planted_parameters_are_recovered():
    draw = np.random.default_rng(5)
    leaves_at = draw.geometric(draw.beta(0.9, 2.5, 20_000))
    model = fit_sbg([int((leaves_at > period).sum()) for period in range(9)])
    within = model.conf_int(0.999)
    assert within["low"].tolist() < [0.9, 2.5] < within["high"].tolist()
    assert model.se.max() < 0.2


@pytest.mark.parametrize(
    ("survivors", "said", "first"),
    [
        ([10, 9], "do not identify alpha, beta", 0.9),  # one renewal gives one number for two parameters
        ([1000, 500, 250, 125, 62], "alpha runs off to infinity", 0.5),  # everybody leaves alike readily
        ([10, 10, 10], "do not identify", 1),  # nobody leaves
        ([10, 0, 0], "do not identify", 0),  # nobody stays
        ([3, 2, 1], "do not identify", 0.6),  # (1 + 1) of (3 + 2) leave, more readily the second time: not as in an sBG
    ],
)
def test_what_the_survivors_do_not_tell_is_said(survivors, said, first):
    model = fit_sbg(survivors)
    assert any(said in note for note in model.notes)
    assert model.se.isna().all()
    assert np.isfinite(model.params).all()
    assert model.survival([1, 2])[["low", "high"]].isna().all(axis=None)
    assert model.survival([1])["survival"].item() == pytest.approx(first, abs=0.001)


@pytest.mark.parametrize(
    ("survivors", "n", "message"),
    [
        ([10], None, "fit_sbg: there are not two periods. Give the survivors of period 0, 1 and so on."),
        ([10, 8, 9], None, "fit_sbg: survivors rise in period 2, from 8 to 9. Count each once."),
        ([0, 0], None, "fit_sbg: there are no survivors in period 0. Begin when all are there."),
        ([10, -1], None, "fit_sbg: survivors are missing or negative. Give a number for each period."),
        ([10, np.nan], None, "fit_sbg: survivors are missing or negative. Give a number for each period."),
        ([1, 0.5], 0, "fit_sbg: n is 0. Give the number of customers at the beginning."),
        ([1, 0.5], np.nan, "fit_sbg: n is nan. Give the number of customers at the beginning."),
        ([1, 0.5], np.inf, "fit_sbg: n is inf. Give the number of customers at the beginning."),
    ],
)
def test_survivors_who_cannot_be_are_refused(survivors, n, message):
    with pytest.raises(MeasureError) as refused:
        fit_sbg(survivors, n=n)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"period": [0, 2], "survivors": [9, 8]}, "the periods of cohort x are not 0, 1, 2 and so on"),
        ({"period": [0, 0], "survivors": [9, 8]}, "the periods of cohort x are not 0, 1, 2 and so on"),
        ({"period": [0, 1], "survivors": [9, 8.5]}, "the survivors of cohort x are not whole numbers"),
        ({"period": [0, 1], "survivors": [9, 10]}, "survivors of cohort x rise in period 1, from 9 to 10"),
        ({"period": [0], "survivors": [9]}, "no cohort has two periods"),
        ({"period": [0, 1], "survivors": ["neun", "acht"]}, "survivors holds what is no number"),
        ({"cohort": ["x", None], "period": [0, 1], "survivors": [9, 8]}, "1 of 2 rows have no cohort"),
    ],
)
def test_cohorts_that_cannot_be_are_refused_by_name(rows, message):
    with pytest.raises(MeasureError, match=message):
        fit_sbg_cohorts(pd.DataFrame({"cohort": "x", **rows}))
    with pytest.raises(MeasureError, match="column 'cohort' is absent"):
        fit_sbg_cohorts(pd.DataFrame(rows).drop(columns="cohort", errors="ignore"))


def test_periods_that_are_none_are_refused():
    model = fit_sbg(in_thousands(REGULAR))
    for call in (
        lambda: model.survival([0.5]),
        lambda: model.survival([np.inf]),
        lambda: model.retention([0]),
        lambda: model.survival([1], lasted=-1),
    ):
        with pytest.raises(MeasureError, match="must be whole, from"):
            call()
    for rate in (0, np.inf):
        with pytest.raises(MeasureError, match=rf"rate is {rate}\. Give a rate a period of at least 0\.0001"):
            model.residual_lifetime(rate=rate)
