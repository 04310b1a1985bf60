from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.groups import large, leading


def _kept(sizes: list[int], **settings: int) -> list[int]:
    frame = pd.DataFrame({"term": list("abcdef")[: len(sizes)], "n": sizes})
    return large(frame, "n", **settings)["n"].tolist()


def test_a_small_group_takes_the_least_of_the_others_with_it():
    assert _kept([71, 68, 60, 3], of=202, smallest=5) == [71, 68]


def test_small_groups_that_are_enough_together_go_alone():
    assert _kept([71, 68, 3, 2], of=144, smallest=5) == [71, 68]


def test_groups_that_are_not_in_the_frame_count_as_left_out():
    assert _kept([71, 68], of=140, smallest=5) == [71]
    assert _kept([71, 68], of=144, smallest=5) == [71, 68]


def test_where_nothing_is_left_out_all_are_shown_and_of_like_groups_the_last_goes():
    assert _kept([9, 5, 5], of=19, smallest=5) == [9, 5, 5]
    frame = pd.DataFrame({"term": ["a", "b", "c"], "n": [9, 9, 4]})
    assert large(frame, "n", of=22, smallest=5)["term"].tolist() == ["a"]


def test_no_group_is_large_enough_or_there_is_none():
    assert _kept([3, 4], of=7, smallest=5) == []
    assert _kept([], of=0, smallest=5) == []
    assert _kept([3], of=3, smallest=1) == [3]


def test_the_frame_stays_and_an_absent_column_is_named():
    frame = pd.DataFrame({"term": ["a", "b"], "n": [9, 3]})
    before = frame.copy(deep=True)
    large(frame, "n", of=12, smallest=5)
    pd.testing.assert_frame_equal(frame, before)
    with pytest.raises(MeasureError, match="large: column 'size' is absent"):
        large(frame, "size", of=12, smallest=5)


def test_a_missing_value_is_a_group_of_its_own():
    rows = pd.DataFrame({"plan": ["a", "a", None, None, "b"]})
    assert leading(rows, "plan", smallest=2).to_pandas()["plan"].isna().sum() == 2
