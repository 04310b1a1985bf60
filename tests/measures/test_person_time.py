from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MeasureError
from analysis.measures.person_time import cuts_at_events


class TestCutsAtEvents:
    def test_each_interval_holds_about_its_share_of_what_would_go_unseen(self):
        # events at 1, 2, 4, 5, 7, 8 with 7, 6, 4, 3, 2, 1 still to leave: cube roots of log²(7/6), log²(6/4), …
        # 0, .287, .548, .436, .548, .783, in all 2.602; a third of it is passed at 5, with 1.271, and half of the rest,
        # .666, at 8; but 8 is the last, so 7 it is
        rows = pd.DataFrame({"entry": 0, "exit": [8, 1, 2, 3, 4, 5, 7], "event": [1, 1, 1, 0, 1, 1, 1]})
        assert cuts_at_events(rows, intervals=3) == (5, 7)

    def test_there_are_as_many_intervals_as_asked_for_though_most_end_at_once(self):
        # 500 at 1, then one each at 2 to 100
        rows = pd.DataFrame({"entry": 0, "exit": [*[1] * 500, *range(2, 101)], "event": 1})
        assert len(cuts_at_events(rows)) == 29
        assert len(cuts_at_events(rows, intervals=99)) == 98

    def test_times_of_contracts_that_lapse_together_are_kept_apart(self):
        # 1000 leave one by one until 50, the last 200 between 51 and 60: there the cuts lie closer
        ends = [*np.linspace(1, 50, 1000).round(2), *np.linspace(51, 60, 200).round(2)]
        cuts = np.array(cuts_at_events(pd.DataFrame({"entry": 0, "exit": ends, "event": 1})))
        assert (cuts > 50).sum() >= 8

    def test_spells_of_length_zero_do_not_count(self):
        rows = pd.DataFrame({"entry": 0, "exit": [8, 1, 2, 3, 4, 5, 7], "event": 1})
        empty = pd.DataFrame({"entry": 6, "exit": [6] * 50, "event": 1})
        assert cuts_at_events(pd.concat([rows, empty]), intervals=3) == cuts_at_events(rows, intervals=3)

    def test_where_there_are_fewer_times_each_is_a_cut_but_the_last(self):
        rows = pd.DataFrame({"entry": 0, "exit": [1, 1, 1, 1, 2, 2], "event": 1})
        assert cuts_at_events(rows, intervals=5) == (1,)
        assert cuts_at_events(rows.assign(exit=4), intervals=5) == ()

    def test_only_the_cause_counts(self):
        rows = pd.DataFrame({"entry": 0, "exit": [1, 2, 3, 4], "event": 1, "cause": ["a", "b", "b", "a"]})
        assert cuts_at_events(rows, intervals=2, event_cause="b") == (2,)

    @pytest.mark.parametrize(
        ("change", "intervals", "message"),
        [
            ({}, 1, "cuts_at_events: intervals is 1. Give 2 or more."),
            ({"event": 0}, 2, "cuts_at_events: no spell ends by an event. Without events there is no rate to compare."),
        ],
    )
    def test_what_is_outside_the_domain_is_refused(self, change: dict[str, int], intervals: int, message: str):
        rows = pd.DataFrame({"entry": 0, "exit": [1, 2], "event": 1}).assign(**change)
        with pytest.raises(MeasureError) as caught:
            cuts_at_events(rows, intervals=intervals)
        assert str(caught.value) == message
