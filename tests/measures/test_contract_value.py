"""Value of customers under contract: rates of leaving by tenure, the months they stay, and what these bring."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.contract_value import (
    TenureHazards,
    _ends,
    _reduce_tenure,
    contract_values,
    tenure_hazards,
)
from analysis.measures.future_purchases import MONTH
from analysis.measures.net_value import net_value, worth_today

SETTINGS = {"groups": 1, "timing": "end", "draws": 200, "seed": 0, "confidence": 0.95}


def spells(rows: list[tuple[float, float, int]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["entry", "exit", "event"])


def of_rate(rate: float, events: int = 10**9) -> TenureHazards:
    """A rate a month that is as good as known."""
    rates = {"month_from": [0], "month_to": [99], "events": [events], "exposure": [events / rate], "rate": [rate]}
    return TenureHazards(pd.DataFrame(rates), ())


def customers(tenure_days: list[float], monthly: list[float], group: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"tenure_days": tenure_days, "monthly": monthly, "group": group or [0] * len(monthly)})


def test_rates_are_ends_by_time_watched_and_late_entry_counts_from_then_on():
    # 30 spells from day 0: 12 end on day 30 (month 1), 18 are watched until day 61 (month 3 begins after 60.875)
    # 12 more enter on day 31 and end on day 60, all of it in month 2: 29 days each
    known = spells([(0, 30, 1)] * 12 + [(0, 60, 0)] * 18 + [(31, 60, 1)] * 12)
    rates = tenure_hazards(known).rates
    first = 12 * 30 / MONTH + 18
    second = 18 * (60 - MONTH) / MONTH + 12 * 29 / MONTH
    assert rates[["month_from", "month_to", "events"]].to_numpy().tolist() == [[0, 1, 12], [1, 2, 12]]
    assert rates["exposure"].tolist() == pytest.approx([first, second])
    assert rates["rate"].tolist() == pytest.approx([12 / first, 12 / second])


def test_an_end_on_the_last_day_of_a_month_belongs_to_it():
    rates = tenure_hazards(spells([(0, MONTH, 1)] * 10 + [(0, 2 * MONTH, 1)] * 10)).rates
    assert rates["events"].tolist() == [10, 10]
    assert rates["exposure"].tolist() == pytest.approx([20, 10])


def test_months_with_few_ends_are_taken_together_and_the_rest_joins_the_last():
    known = spells([(0, month * MONTH, 1) for month in range(1, 26)])
    rates = tenure_hazards(known).rates
    assert rates["month_from"].tolist() == [0, 10]
    assert rates["events"].tolist() == [10, 15]
    assert rates["exposure"].sum() == pytest.approx(sum(range(1, 26)))


def test_the_last_rate_goes_on_and_that_is_said():
    found = tenure_hazards(spells([(0, 2 * MONTH, 1)] * 10 + [(0, 4 * MONTH, 0)] * 10))
    rate = 10 / 60
    assert found.survival([4 * MONTH], 2) == pytest.approx(np.exp([[-rate, -2 * rate]]))
    assert found.notes == (
        "Nobody has been watched under contract beyond month 4: from there on 16.67% a month leave, as many as from "
        "month 0 to it.",
    )


def test_survival_from_a_tenure_on_runs_through_the_rates_of_its_months():
    rates = {"month_from": [0, 2], "month_to": [2, 9], "events": [10, 10], "exposure": [50, 100], "rate": [0.2, 0.1]}
    found = TenureHazards(pd.DataFrame(rates), ())
    # from the middle of month 2: half a month at .2, then .1
    expected = np.exp(-np.array([[0.1 + 0.05, 0.1 + 0.15], [0.2, 0.4]]))
    assert found.survival([1.5 * MONTH, 0], 2) == pytest.approx(expected)


def test_nobody_who_left_yet_does_not_mean_that_nobody_will():
    found = tenure_hazards(spells([(0, 100 * MONTH, 0)]))
    assert found.rates["rate"].tolist() == [0.5 / 100]
    assert found.notes[-1] == "No contract has ended yet: the rate is that of half an end in the time watched."
    drawn = np.stack(list(found.drawn(np.array([0.0]), 12, size=50, seed=1)))
    assert drawn.std() > 0


def test_the_value_is_the_net_value_of_its_survival():
    hazards = of_rate(-np.log(0.98))
    for timing in ("end", "start"):
        worth = worth_today(36, 0.1, timing)
        found = contract_values(
            customers([90, 900], [18.0, 9.0]), hazards, worth=worth, **(SETTINGS | {"timing": timing})
        )
        whole = float(net_value(0.98 ** np.arange(1, 37), margin=20, service=2, discount=0.1, timing=timing))
        assert found.value.tolist() == pytest.approx([whole, whole / 2])
        assert found.stay.tolist() == pytest.approx([0.98**36] * 2)
    assert whole == pytest.approx(401.6525 * 1.1 ** (1 / 12) / 0.98, rel=1e-6)


def test_intervals_and_variance_are_those_of_the_month_of_leaving():
    rate, worth = 0.05, worth_today(12, 0.1)
    found = contract_values(customers([0], [10.0]), of_rate(rate), worth=worth, **SETTINGS)
    left = np.random.default_rng(2).exponential(1 / rate, 200_000)
    brought = 10 * np.concatenate([[0], np.cumsum(worth)])[np.minimum(left.astype(int), 12)]
    assert found.variance[0] == pytest.approx(brought.var(), rel=0.02)
    # exp(-.05) = .951 stay for a month at least and .549 to the end, so all that is left out lies below
    assert (found.low[0] - 1e-9 <= brought).mean() == pytest.approx(0.951, abs=0.002)
    assert found.low[0] == pytest.approx(10 * worth[0])
    assert found.high[0] == pytest.approx(10 * worth.sum())


def test_intervals_hold_what_customers_of_a_small_ledger_bring():
    rng = np.random.default_rng(7)
    inside, deviations = [], []
    for _trial in range(25):
        life = rng.exponential(20, 300) * 30
        began = rng.integers(0, 1000, 300)
        exit_ = np.minimum(life, 1000 - began).clip(1)
        known = spells(list(zip(np.zeros(300), exit_, (life <= 1000 - began).astype(int), strict=True)))
        open_ = life > 1000 - began
        worth = worth_today(12, 0.1)
        tenure = (1000 - began)[open_].astype(float)
        found = contract_values(
            customers(tenure.tolist(), [10.0] * open_.sum()),
            tenure_hazards(known),
            worth=worth,
            **(SETTINGS | {"draws": 50}),
        )
        ahead = np.floor((life[open_] - tenure) / MONTH).clip(max=12).astype(int)
        brought = 10 * np.concatenate([[0], np.cumsum(worth)])[ahead]
        inside.append(((found.low - 1e-9 <= brought) & (brought <= found.high + 1e-9)).mean())
        sd = np.sqrt(found.variance.sum() + found.sums[:, 0].var(ddof=1))
        deviations.append((brought.sum() - found.value.sum()) / sd)
    assert 0.9 <= np.mean(inside) <= 0.98
    assert np.mean(np.abs(deviations) < 1.96) >= 0.85
    assert 0.7 < np.std(deviations) < 1.3


def test_ends_leave_out_what_lies_outside_the_horizon_on_one_side_only():
    # chances of at least 1, 2, 3 months; outside .05 in all, or .025 on each side where the end is hardly reached
    booked = np.array([[0.99, 0.96, 0.9], [0.9, 0.5, 0.01], [1.0, 1.0, 1.0], [0.97, 0.94, 0.02]])
    low, high = _ends(booked, 0.95)
    assert low.tolist() == [2, 0, 3, 0]
    assert high.tolist() == [3, 2, 3, 2]


def test_a_loss_a_month_turns_the_interval_and_sums_go_to_their_groups():
    worth = worth_today(12, 0.1)
    found = contract_values(
        customers([10, 10, 50], [-5.0, 5.0, 5.0], [0, 1, 1]),
        of_rate(0.02, 50),
        worth=worth,
        **(SETTINGS | {"groups": 2}),
    )
    assert found.low[0] == -found.high[1]
    assert found.high[0] == -found.low[1]
    assert found.sums[:, 0] == pytest.approx(-found.sums[:, 1] / 2, rel=1e-9)
    assert found.sums[:, 1].mean() == pytest.approx(found.value[1:].sum(), rel=0.02)


def test_faulty_spells_are_refused():
    with pytest.raises(MeasureError) as caught:
        tenure_hazards(spells([(0, 10, 1), (9, 3, 0)]))
    assert str(caught.value).startswith("tenure_hazards: 1 of 2 spells have a missing or negative entry")
    with pytest.raises(MeasureError) as caught:
        tenure_hazards(spells([(0, 0, 0)]))
    assert str(caught.value) == "tenure_hazards: nobody was watched for any time. Check the spells and their dates."


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reduction_compiles_for_every_engine(dialect):
    table = ibis.table({"entry": "int64", "exit": "int64", "event": "int64"}, name="spells")
    assert "GROUP BY" in sql_of(_reduce_tenure(table), dialect)
