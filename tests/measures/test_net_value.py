"""Net value of customers, month by month."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import MeasureError
from analysis.measures.net_value import monthly_rate, net_value, worth_today

STAY = 0.98 ** np.arange(1, 37)


def test_the_value_worked_by_hand_is_found():
    # q = .98 / 1.1^(1/12); 18 · q (1 - q^36) / (1 - q) = 401.6525
    value = net_value(STAY, margin=20, service=2, discount=0.1)
    assert float(value) == pytest.approx(401.6525, abs=5e-5)
    assert float(net_value(STAY, margin=20, service=2, acquisition=120, discount=0.1)) == pytest.approx(
        281.6525, abs=5e-5
    )


def test_money_booked_at_the_beginning_is_that_of_the_end_a_month_earlier():
    # each term of the sum is by (1 + d) / .98 greater: S(k - 1) / (1 + d)^(k - 1)
    at_end = net_value(STAY, margin=20, service=2, discount=0.1)
    at_start = net_value(STAY, margin=20, service=2, discount=0.1, timing="start")
    assert float(at_start) == pytest.approx(float(at_end) * 1.1 ** (1 / 12) / 0.98, rel=1e-12)


def test_without_discount_or_leaving_the_value_is_months_times_money():
    assert float(net_value(np.ones(12), margin=7, service=2, acquisition=10, discount=0)) == 50.0
    assert float(net_value(np.ones(12), margin=7, discount=0, timing="start")) == 84.0


def test_rows_of_survival_take_money_of_their_own_and_losses_are_kept():
    shares = np.array([[1.0, 0.5], [0.0, 0.0]])
    found = net_value(shares, margin=[1.0, 8.0], service=[3.0, 0.0], acquisition=[1.0, 2.0], discount=0)
    assert found.tolist() == [-2 * 1.5 - 1, -2.0]


def test_who_leaves_in_the_first_month_pays_only_where_money_is_booked_at_its_beginning():
    assert float(net_value([0.0, 0.0], margin=9, discount=0.1)) == 0
    assert float(net_value([0.0, 0.0], margin=9, discount=0.1, timing="start")) == 9


def test_the_monthly_rate_compounds_to_the_yearly_one():
    assert (1 + monthly_rate(0.1)) ** 12 == pytest.approx(1.1, rel=1e-14)
    assert worth_today(12, 0.1)[-1] == pytest.approx(1 / 1.1, rel=1e-14)
    assert worth_today(13, 0.1, "start")[-1] == pytest.approx(1 / 1.1, rel=1e-14)


@pytest.mark.parametrize(
    ("survival", "settings", "message"),
    [
        (
            [0.5, 0.6],
            {},
            "net_value: survival holds shares that rise, are missing or lie outside 0 to 1. Give S(1), S(2) and so on.",
        ),
        (
            [np.nan],
            {},
            "net_value: survival holds shares that rise, are missing or lie outside 0 to 1. Give S(1), S(2) and so on.",
        ),
        (
            0.5,
            {},
            "net_value: survival holds shares that rise, are missing or lie outside 0 to 1. Give S(1), S(2) and so on.",
        ),
        ([], {}, "net_value: the horizon is 0 months. Give at least 1 month."),
        ([0.5], {"discount": -1.0}, "net_value: discount is -1.0. Give a rate a year above -1, such as 0.1 for 10 %."),
        ([0.5], {"timing": "middle"}, "net_value: unknown timing 'middle'. Known: end, start."),
    ],
)
def test_what_lies_outside_the_domain_is_refused(survival, settings, message):
    with pytest.raises(MeasureError) as caught:
        net_value(survival, margin=1, **({"discount": 0.1} | settings))
    assert str(caught.value) == message
