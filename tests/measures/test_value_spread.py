"""How expected values are spread."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.value_spread import value_spread, value_tenths


def values(*amounts: float) -> pd.DataFrame:
    return pd.DataFrame({"expected_value": list(amounts), "low": 0.0, "high": 1.0})


def test_customers_and_values_add_up() -> None:
    amounts = np.random.default_rng(1).normal(300, 500, 1000)
    found = value_spread(pd.DataFrame({"expected_value": [*amounts, np.nan]}))
    assert found["customers"].sum() == 1000
    assert found["share"].sum() == pytest.approx(1)
    assert found["value"].sum() == pytest.approx(amounts.sum())
    assert found["customers"].iloc[0] == (amounts < 0).sum()


def test_steps_are_round_and_the_last_is_open() -> None:
    # 95 % of 0 … 99 lie at 94.05 or below: ten steps of 9.4, rounded up to 10
    found = value_spread(values(*range(100)))
    assert found["from"].tolist() == [*range(0, 101, 10)]
    assert found["customers"].tolist() == [10] * 10 + [0]
    assert np.isnan(found["to"].iloc[-1])


@pytest.mark.parametrize("amounts", [(0.0,), (0.0, 0.0, 0.0), (-5.0, -7.0), (3.0,)])
def test_few_alike_and_negative_values_have_steps_too(amounts: tuple[float, ...]) -> None:
    found = value_spread(values(*amounts))
    assert found["customers"].sum() == len(amounts)
    assert (found["customers"].iloc[0] == len(amounts)) == (amounts[0] <= 0)


def test_nobody_has_no_steps_and_no_tenths() -> None:
    assert value_spread(values()).empty
    assert value_tenths(values()).empty


def test_tenths_hold_equally_many_and_all_of_the_value() -> None:
    found = value_tenths(values(*range(1, 101)))
    assert found["tenth"].tolist() == [*range(10, 0, -1)]
    assert found["customers"].tolist() == [10] * 10
    # 91 + … + 100 = 955, of 5,050 in all
    assert found.loc[0, ["expected_value", "mean", "share"]].tolist() == pytest.approx([955, 95.5, 955 / 5050])


def test_where_nobody_is_worth_anything_there_is_no_share() -> None:
    assert value_tenths(values(-1.0, 0.0))["share"].isna().all()


def test_the_order_of_rows_does_not_matter() -> None:
    frame = values(*np.random.default_rng(2).gamma(1, 100, 57))
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(value_tenths(frame), value_tenths(shuffled))
    pd.testing.assert_frame_equal(value_spread(frame), value_spread(shuffled))
