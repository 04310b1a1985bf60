from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.churn import churn_rate
from analysis.measures.leavers import leavers, why
from analysis.measures.retention import revenue_churn
from analysis.measures.spells import spells

AS_OF = dt.date(2025, 4, 1)
WINDOW = {"start": dt.date(2025, 1, 1), "end": dt.date(2025, 3, 31)}
BOOK = {"reason": {}, "call": {}}


def _ledger(*rows: tuple[str, str, str | None, float | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "start", "ended_on", "fee", "reason"])
    days = {name: pd.to_datetime(frame[name]) for name in ("start", "ended_on")}
    return frame.assign(call=None, **days).astype({"reason": "str", "call": "str"})


LEDGER = _ledger(
    ("left", "2024-01-01", "2025-02-28", 20, "Preis"),
    ("left", "2024-06-01", "2025-01-31", 5, "Umzug"),  # one of two contracts; the other ran on
    ("changed", "2024-01-01", "2025-01-31", 30, "anderer Tarif"),
    ("changed", "2025-02-01", None, 35, None),
    ("back", "2024-01-01", "2025-01-31", 40, "Preis"),
    ("back", "2025-03-01", None, 45, None),
    ("late", "2025-01-02", "2025-02-28", 30.8, "Preis"),  # was not there on the first day
    ("before", "2024-01-01", "2024-12-31", 50, "Preis"),
    ("free", "2024-01-01", "2025-03-31", None, "ÄRGER "),
    ("stays", "2024-01-01", None, 60, None),
    ("never", "2025-02-10", "2025-02-01", 70, "Preis"),
)


def _found(ledger: pd.DataFrame, **since: dt.date) -> pd.DataFrame:
    held = spells(ledger, as_of=AS_OF, **since)
    return leavers(ledger, held, BOOK, **WINDOW).order_by("customer_id").to_pandas()


def test_a_row_stands_for_each_customer_of_the_first_day_who_left():
    found = _found(LEDGER)
    assert found["customer_id"].tolist() == ["back", "free", "left"]
    assert found["reason"].tolist() == ["Preis", "ÄRGER ", "Preis"]
    assert found["ended_on"].dt.date.astype(str).tolist() == ["2025-01-31", "2025-03-31", "2025-02-28"]
    # back was under contract again; of free no fee is known; left paid 20 and 5
    np.testing.assert_array_equal(found["fee"], [0.0, np.nan, 25.0])


def test_they_are_those_whom_churn_counts_and_their_fees_are_those_lost():
    draw = np.random.default_rng(3)
    n = 400
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 450, n), unit="D")
    ended = pd.Series(start + pd.to_timedelta(draw.integers(20, 500, n), unit="D"))
    ledger = pd.DataFrame({"customer_id": draw.integers(0, 150, n), "start": start})
    ledger = ledger.assign(ended_on=ended.where(ended < "2025-04-01"), fee=draw.integers(1, 90, n) / 10)
    ledger = ledger.assign(reason="Preis", call=None).astype({"call": "str"})
    held = spells(ledger, as_of=AS_OF)
    found = leavers(ledger, held, BOOK, **WINDOW).to_pandas()
    churned = churn_rate(held, **WINDOW).loc[0, "ended_of_exposed"]
    lost = revenue_churn(ledger, **WINDOW).loc[0, "lost"]
    assert (len(found), found["customer_id"].is_unique) == (churned, True)
    assert found["fee"].sum() == pytest.approx(lost, abs=1e-9)
    reasons = why(ledger, held, {"reason": {"Preis": "Preis"}}, **WINDOW)
    assert reasons["ended"].sum() == churned
    assert reasons["revenue_lost"].sum() == pytest.approx(lost, abs=1e-9)


def test_what_began_before_the_record_still_ends_on_its_day():
    people = pd.DataFrame({"customer_id": ["left"], "since": pd.to_datetime(["2019-05-01"])})
    held = spells(LEDGER, people, as_of=AS_OF, window_start=dt.date(2024, 3, 1))
    assert leavers(LEDGER, held, BOOK, **WINDOW)["customer_id"].to_pandas().tolist().count("left") == 1


def test_without_ends_and_fees_nobody_left_and_nothing_is_summed():
    bare = LEDGER.drop(columns=["ended_on", "fee"])
    found = leavers(bare, spells(bare, as_of=AS_OF), BOOK, **WINDOW).to_pandas()
    assert found.empty
    assert found.columns.tolist() == ["customer_id", "ended_on", "reason", "call"]


def test_it_is_lazy_and_leaves_its_arguments_as_they_were():
    before = LEDGER.copy(deep=True)
    assert isinstance(leavers(LEDGER, spells(LEDGER, as_of=AS_OF), BOOK, **WINDOW), ibis.Table)
    pd.testing.assert_frame_equal(_found(LEDGER[::-1]), _found(LEDGER))
    pd.testing.assert_frame_equal(LEDGER, before)


def test_settings_outside_their_domain_are_refused():
    held = spells(LEDGER, as_of=AS_OF)
    with pytest.raises(MeasureError, match="end 2025-01-01 lies before start 2025-03-31"):
        leavers(LEDGER, held, BOOK, start=WINDOW["end"], end=WINDOW["start"])
    with pytest.raises(MeasureError, match=r"leavers: column 'calls' is absent.*Did you mean 'call'"):
        leavers(LEDGER, held, {"calls": {}}, **WINDOW)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_compiles_for_every_engine(dialect):
    columns = {"customer_id": "string", "start": "date", "ended_on": "date", "fee": "float64"}
    ledger = ibis.table(columns | {"reason": "string", "call": "string"}, name="contracts")
    assert "GROUP BY" in sql_of(leavers(ledger, spells(ledger, as_of=AS_OF), BOOK, **WINDOW), dialect)
