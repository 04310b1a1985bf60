"""Every measure now and before."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.satisfaction import ces, compare, csat, levels, nps

SCALES = {"nps": (1, 10), "csat": (1, 5), "ces": (1, 7)}
NOW = pd.DataFrame({"nps": [10, 9, 9, 8, 3, 2], "csat": [5, 5, 4, 4, 2, 0], "ces": [7, 6, 6, 5, 2, 1]})
BEFORE = pd.DataFrame({"nps": [10, 8, 7, 3, 3, 2], "csat": [5, 3, 3, 4, 2, 1], "ces": [7, 4, 4, 5, 2, 1]})


def test_each_measure_stands_beside_its_value_before():
    found = levels(NOW, BEFORE, scales=SCALES, easy="high").set_index("measure").drop("high_effort")
    assert found["n"].tolist() == [6, 5, 6]
    # nps: 3 - 2 of 6 against 1 - 3 of 6; csat: 4 of 5 against 2 of 6; ces: 27 / 6 against 23 / 6
    assert found["value"].tolist() == pytest.approx([100 / 6, 0.8, 4.5])
    assert found["before"].tolist() == pytest.approx([-200 / 6, 2 / 6, 23 / 6])


def test_intervals_and_tests_are_those_of_the_measures():
    found = levels(NOW, BEFORE, scales=SCALES, easy="high").query("measure != 'high_effort'")
    direct = [nps(NOW, scale=(1, 10)), csat(NOW, scale=(1, 5)), ces(NOW, scale=(1, 7), easy="high")]
    assert found["low"].tolist() == [frame["low"].item() for frame in direct]
    tested = [compare(NOW, BEFORE, scale=scale, measure=name) for name, scale in SCALES.items()]
    assert found["p"].tolist() == [frame["p"].item() for frame in tested]
    assert found["difference_high"].tolist() == [frame["high"].item() for frame in tested]


def test_the_share_of_high_effort_follows_effort():
    row = levels(NOW, BEFORE, scales=SCALES, easy="high").iloc[-1]
    # 1 and 2 of 1 to 7 are below the middle: 2 of 6
    assert row[["measure", "n"]].tolist() == ["high_effort", 6]
    assert row["value"] == pytest.approx(2 / 6)
    assert pd.isna(row["difference"])


def test_under_min_group_there_is_no_value_now_or_before():
    row = levels(NOW.head(4), BEFORE, scales={"nps": (1, 10)}).iloc[0]
    assert row[["n", "verdict"]].tolist() == [4, "too few"]
    assert row[["value", "low", "high", "difference_low"]].isna().all()
    assert pd.isna(levels(NOW, BEFORE.head(4), scales={"nps": (1, 10)}).iloc[0]["before"])


def test_without_a_measure_there_are_no_rows():
    found = levels(NOW, BEFORE, scales={})
    assert found.empty
    assert "verdict" in found.columns


def test_effort_without_its_direction_is_refused():
    with pytest.raises(MeasureError, match="ces: no direction is declared"):
        levels(NOW, BEFORE, scales=SCALES)
