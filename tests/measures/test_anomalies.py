"""What says that the scale declared is not the one that was asked."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.anomalies import scale_anomalies


def answers(counts: dict[int, int]) -> pd.DataFrame:
    return pd.DataFrame({"nps": [value for value, count in counts.items() for _time in range(count)]})


def full(lowest: int, highest: int) -> dict[int, int]:
    return dict.fromkeys(range(lowest, highest + 1), 30)


@pytest.mark.parametrize("scale", [(0, 10), (1, 10)])
def test_answers_that_use_their_scale_show_nothing(scale):
    assert scale_anomalies(answers(full(*scale)), scale=scale).empty


def test_a_zero_on_a_scale_from_one_is_named_in_the_table_or_left_out_before():
    in_table = scale_anomalies(answers({0: 3, 9: 5, 10: 2}), scale=(1, 10))
    assert in_table.to_numpy().tolist() == [["zero on a scale from 1", 3, 10]]
    before = scale_anomalies(answers({9: 5, 10: 2}), scale=(1, 10), outside={0: 3})
    assert before.equals(in_table)


@pytest.mark.parametrize("absent", [9, 10])
def test_a_nine_or_a_ten_is_missed_among_200_answers_not_among_199(absent):
    counts = {3: 180, 8: 10, 19 - absent: 10}
    assert scale_anomalies(answers(counts), scale=(1, 10)).to_numpy().tolist() == [[f"no {absent}", 200, 200]]
    assert scale_anomalies(answers(counts | {3: 179}), scale=(1, 10)).empty


def test_positions_of_the_choices_are_told_from_their_values():
    above = scale_anomalies(answers(full(1, 10)), scale=(0, 10), outside={11: 30})
    assert above.to_numpy().tolist() == [["index for value", 30, 330]]
    below = scale_anomalies(answers(full(0, 9)), scale=(1, 10))
    assert below["anomaly"].tolist() == ["zero on a scale from 1", "no 10", "index for value"]


def test_an_eleven_beside_zeros_is_a_slip_and_no_index():
    assert scale_anomalies(answers(full(0, 10)), scale=(0, 10), outside={11: 1}).empty


def test_no_answers_show_nothing():
    assert scale_anomalies(pd.DataFrame({"nps": pd.Series([], dtype="Int64")}), scale=(0, 10)).empty


def test_a_scale_without_a_net_promoter_score_is_refused():
    with pytest.raises(MeasureError, match=r"scale_anomalies: scale is \(1, 5\)"):
        scale_anomalies(answers({3: 1}), scale=(1, 5))
