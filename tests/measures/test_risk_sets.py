from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.risk_sets import _reduce_entries, _reduce_exits, risk_sets

KEYS = ("plan",)


def _random_spells(n: int, *, late: bool) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    entry = draw.integers(0, 20, n) if late else np.zeros(n, dtype=int)
    last = entry + draw.integers(0, 30, n)
    return pd.DataFrame(
        {"entry": entry, "exit": last, "event": draw.integers(0, 2, n), "plan": draw.choice([*"ab"], n)}
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("event", ["int64", "boolean", "float64"])
def test_the_counts_compile_for_every_engine(dialect, event):
    spells = ibis.table({"entry": "float64", "exit": "int64", "event": event, "plan": "string"}, name="spells")
    for reduced in (_reduce_exits(spells, KEYS), _reduce_entries(spells, KEYS)):
        assert "GROUP BY" in sql_of(reduced, dialect)


@pytest.mark.parametrize("late", [False, True])
def test_the_counts_do_not_grow_with_the_rows(late):
    rows = [_random_spells(500, late=late)] * 20
    few, many = (ibis.memtable(pd.concat(rows[:k], ignore_index=True)) for k in (1, 20))
    for reduce in (_reduce_exits, _reduce_entries):
        assert reduce(many, KEYS).count().execute() == reduce(few, KEYS).count().execute()


def test_entries_and_exits_are_counted_apart_so_that_their_pairs_do_not_swell_the_frame():
    # 30 entries times 30 lengths are 900 pairs, but only 30 entries and 59 exits
    pairs = pd.DataFrame([(entry, entry + length, 1) for entry in range(30) for length in range(1, 31)])
    spells = ibis.memtable(pairs.set_axis(["entry", "exit", "event"], axis=1))
    assert _reduce_exits(spells, ()).count().execute() == 59
    assert _reduce_entries(spells, ()).count().execute() == 30


@pytest.mark.parametrize("late", [False, True])
def test_at_risk_is_who_entered_before_and_has_not_left_before(late):
    spells = _random_spells(300, late=late)
    sets = risk_sets("test", spells, KEYS)
    lasting = spells[spells["entry"] < spells["exit"]]
    for code, time, at_risk, ended in zip(sets.code, sets.time, sets.at_risk, sets.ended, strict=True):
        group = lasting[lasting["plan"] == sets.labels["plan"][code]]
        assert at_risk == ((group["entry"] < time) & (time <= group["exit"])).sum()
        assert ended == ((group["exit"] == time) & (group["event"] == 1)).sum()
    assert sets.zero_length == len(spells) - len(lasting) > 0
    assert sets.n == 300


def test_spells_of_length_zero_at_a_time_of_their_own_are_not_at_risk():
    spells = pd.DataFrame({"entry": [0, 3, 2, 9], "exit": [5, 3, 6, 9], "event": 1})
    sets = risk_sets("test", spells, ())
    assert sets.time.tolist() == [0, 2, 5, 6]
    assert sets.at_risk.tolist() == [0, 1, 2, 1]
    assert sets.zero_length == 2


@pytest.mark.parametrize("column", ["entry", "exit", "event"])
def test_text_is_refused(column):
    spells = _random_spells(3, late=False).astype({column: "str"})
    with pytest.raises(MeasureError) as error:
        risk_sets("logrank", spells, ())
    assert str(error.value) == f"logrank: column {column!r} holds string, not numbers."


def test_faulty_spells_are_counted_even_among_sound_ones_of_the_same_exit():
    spells = pd.DataFrame({"entry": [0, -1, 7, None, 0, 0], "exit": 6.0, "event": [1, 1, 1, 1, 0.5, 1]})
    with pytest.raises(MeasureError, match="logrank: 4 of 6 spells"):
        risk_sets("logrank", spells, ())
