"""Intervals for counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.errors import MeasureError
from analysis.measures.intervals import newcombe, nps_interval, poisson_rate, wilson

SHARES = np.arange(0.05, 0.96, 0.1)
PAIRS = [(p, q) for p in SHARES for q in SHARES if p + q < 0.96]


def exact_coverage(n: int, method: str) -> np.ndarray:
    """Probability of every outcome whose interval holds the true score, for each pair of shares."""
    promoters, detractors = np.array([(p, d) for p in range(n + 1) for d in range(n + 1 - p)]).T
    outcomes = np.stack([promoters, n - promoters - detractors, detractors], axis=-1)
    low, high = nps_interval(*outcomes.T, method=method)
    return np.array(
        [
            stats.multinomial.pmf(outcomes, n, [p, 1 - p - q, q])[
                (low <= 100 * (p - q)) & (100 * (p - q) <= high)
            ].sum()
            for p, q in PAIRS
        ]
    )


@pytest.mark.parametrize("n", [10, 20, 50, 100])
def test_the_adjusted_wald_interval_holds_the_true_score_as_often_as_it_claims(n):
    coverage = exact_coverage(n, "adjusted-wald")
    assert len(PAIRS) == 45
    assert 0.945 <= coverage.mean() <= 0.965
    assert coverage.min() >= 0.93


def test_the_coverage_of_ten_answers_is_the_one_computed_elsewhere():
    adjusted, plain = exact_coverage(10, "adjusted-wald"), exact_coverage(10, "wald")
    assert [adjusted.mean(), adjusted.min()] == pytest.approx([0.952, 0.930], abs=5e-4)
    assert [plain.mean(), plain.min()] == pytest.approx([0.881, 0.778], abs=5e-4)


def test_the_plain_interval_of_18_11_2_is_21_7_points_to_either_side():
    low, high = nps_interval(18, 11, 2, method="wald")
    assert (high + low) / 2 == pytest.approx(51.6, abs=0.05)  # 100 · (18 - 2) / 31
    assert (high - low) / 2 == pytest.approx(21.7, abs=0.05)


def test_the_adjusted_interval_is_the_plain_one_of_three_more_answers():
    # 3 promoters, 1 passive, 2 detractors become 3.75, 2.5, 2.75 of 9
    assert nps_interval(3, 1, 2) == pytest.approx(nps_interval(3.75, 2.5, 2.75, method="wald"))


def test_an_interval_of_ten_promoters_is_not_a_point_and_ends_at_100():
    low, high = nps_interval(10, 0, 0)
    # (10.75 - 0.75) / 13 = .7692; variance (11.5/13 - .7692²) / 13 = .02253; half 1.95996 · .1501 = .2942
    assert low == pytest.approx(47.5, abs=0.05)
    assert high == 100


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(confidence):
    n = np.repeat([1, 2, 7, 50, 100_000], 5)
    successes = np.floor(n * np.tile([0, 0.01, 0.3, 0.9, 1], 5))
    expected = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    assert np.allclose(wilson(successes, n, confidence), expected, rtol=1e-12, atol=1e-15)


def test_wilson_touches_0_and_1_exactly():
    low, high = wilson([0, 7], [7, 7])
    assert low[0] == 0
    assert high[1] == 1


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombes_table_2(counts, ends):
    low, high = newcombe(*counts)
    assert [round(low.item(), 4), round(high.item(), 4)] == list(ends)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (7, 3), (50, 10), (900, 100_000)])
def test_the_interval_of_a_difference_agrees_with_statsmodels(n_a, n_b, confidence):
    a, b = (part.ravel() for part in np.meshgrid([0, n_a // 2, n_a], [0, n_b // 3, n_b]))
    found = np.transpose(newcombe(a, n_a, b, n_b, confidence))
    expected = [
        confint_proportions_2indep(one, n_a, other, n_b, method="newcomb", compare="diff", alpha=1 - confidence)
        for one, other in zip(a, b, strict=True)
    ]
    assert np.allclose(found, expected, rtol=0, atol=1e-12)


def test_the_other_way_round_a_difference_has_the_ends_of_the_first_with_the_other_sign():
    low, high = newcombe([8, 0], [10, 5], [3, 5], [20, 5])
    turned = newcombe([3, 5], [20, 5], [8, 0], [10, 5])
    assert np.allclose(turned, [-high, -low])
    assert low[1] == -1


def test_poisson_rates_agree_with_chi_squared_quantiles():
    # Garwood: the ends are half the quantiles of chi² with 2·events and 2·events + 2 degrees of freedom
    events, exposure = np.array([1, 3, 10, 2000]), np.array([0.5, 1, 4, 365.25])
    low, high = poisson_rate(events, exposure, 0.9)
    assert low == pytest.approx(stats.chi2.ppf(0.05, 2 * events) / 2 / exposure)
    assert high == pytest.approx(stats.chi2.ppf(0.95, 2 * events + 2) / 2 / exposure)


def test_no_event_in_one_unit_leaves_rates_up_to_3_689_possible():
    low, high = poisson_rate([0], [1])
    assert low.tolist() == [0]
    assert high[0] == pytest.approx(-np.log(0.025))


@pytest.mark.parametrize(
    "interval", [wilson([0], [0]), poisson_rate([0], [0]), nps_interval([0], [0], [0]), newcombe([0], [0], [1], [2])]
)
def test_where_nothing_was_counted_both_ends_are_missing(interval):
    assert np.isnan(interval).all()


def test_nothing_in_gives_nothing_out():
    assert [len(end) for end in (*wilson([], []), *poisson_rate([], []), *nps_interval([], [], []))] == [0] * 6


@pytest.mark.parametrize(
    "make",
    [
        lambda c: wilson(1, 2, c),
        lambda c: newcombe(1, 2, 1, 2, c),
        lambda c: poisson_rate(1, 2, c),
        lambda c: nps_interval(1, 1, 1, c),
    ],
)
def test_a_confidence_in_percent_is_refused(make):
    with pytest.raises(MeasureError) as refused:
        make(95)
    assert str(refused.value) == "interval: confidence is 95. Give a share between 0 and 1, such as 0.95."


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(MeasureError) as refused:
        nps_interval(1, 1, 1, method="exact")
    assert str(refused.value) == "nps: unknown method 'exact'. Known: adjusted-wald, wald, score."


def score_by_likelihood(promoters: int, passives: int, detractors: int, shift: float) -> float:
    """Return (b - c - nD) / √(n · variance at the likeliest q), the likelihood maximised on a fine grid."""
    n = promoters + passives + detractors

    def against(q: float) -> float:
        counts = zip((promoters, passives, detractors), (q + shift, 1 - 2 * q - shift, q), strict=True)
        return -sum(special.xlogy(count, max(share, 0)) for count, share in counts)

    bounds = (max(0.0, -shift), (1 - shift) / 2)
    q = optimize.minimize_scalar(against, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return (promoters - detractors - n * shift) / np.sqrt(n * (2 * q + shift * (1 - shift)))


@pytest.mark.parametrize("counts", [(18, 11, 2), (7, 25, 12), (1, 40, 3), (30, 10, 30)])
def test_the_ends_of_the_score_interval_are_where_a_maximised_likelihood_just_rejects(counts):
    ends = nps_interval(*([count] for count in counts), method="score")
    for end, z in zip(ends, (1.959964, -1.959964), strict=True):
        assert score_by_likelihood(*counts, end.item() / 100) == pytest.approx(z, abs=1e-4)


def test_the_score_interval_of_nothing_but_passives_promoters_or_detractors_is_no_point():
    low, high = nps_interval([0, 10, 0, 0], [10, 0, 0, 0], [0, 0, 10, 0], method="score")
    # ten of a kind: only passives are symmetric; for promoters D(1 - D) and n(1 - D)² = z²D(1 - D) + ... end at 100
    assert low[0] == pytest.approx(-high[0])
    assert high[1] == 100
    assert low[2] == -100
    assert (low[:3] < high[:3]).all()
    assert np.isnan([low[3], high[3]]).all()


def test_the_score_interval_holds_the_true_score_about_as_often_as_it_claims():
    coverage = exact_coverage(20, "score")
    assert 0.94 <= coverage.mean() <= 0.965
    assert coverage.min() >= 0.92
