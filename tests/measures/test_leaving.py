"""What goes with leaving, as far as it can be told."""

from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from statsmodels.duration.hazard_regression import PHReg

from analysis.errors import MeasureError
from analysis.measures import leaving
from analysis.measures.leaving import described, drivers


def ledger(people: int, seed: int = 1) -> pd.DataFrame:
    """Spells whose hazard is double in plan b and the same in both regions, watched for two years."""
    draw = np.random.default_rng(seed)
    plan, region = draw.choice(["a", "b"], people, p=[0.6, 0.4]), draw.choice(["Nord", "Süd"], people)
    stay = draw.exponential(np.where(plan == "b", 400, 800))
    exit_day = np.ceil(np.minimum(stay, 730)).astype(int)
    return pd.DataFrame(
        {"entry": 0, "exit": exit_day, "event": (stay < 730).astype(int), "plan": plan, "region": region}
    )


def test_ratios_are_those_of_cox_regression_within_2_percent():
    rows = ledger(3000)
    found = drivers(rows, ["plan", "region"], cuts=range(30, 720, 30)).set_index("term")
    levels = np.column_stack([rows["plan"] == "b", rows["region"] == found.loc["region", "level"]]).astype(float)
    cox = PHReg(rows["exit"], levels, status=rows["event"]).fit()
    assert found.loc["plan", ["level", "base"]].tolist() == ["b", "a"]
    assert found.loc[["plan", "region"], "ratio"].tolist() == pytest.approx(np.exp(cox.params), rel=0.02)


def test_what_is_planted_is_found_and_nothing_else():
    found = drivers(ledger(3000), ["plan", "region"]).set_index("term")
    assert found["verdict"].to_dict() == {"plan": "up", "region": "within noise"}
    assert found.loc["plan", "low"] < 2 < found.loc["plan", "high"]
    assert (found["p_holm"] >= found["p"]).all()


def test_what_cannot_be_compared_is_named_with_its_reason():
    rows = ledger(600).assign(country="DE", name=[f"n{number}" for number in range(600)])
    found = drivers(rows, ["plan", "country", "name", "not there"])
    assert found[["term", "status"]].to_numpy().tolist() == [
        ["plan", "computed"],
        ["not there", "absent"],
        ["country", "one level only"],
        ["name", "too many levels"],
    ]
    assert found["ratio"].isna().tolist() == [False, True, True, True]


@pytest.mark.parametrize("rows", [ledger(8), ledger(60).assign(event=0), ledger(5).head(0)])
def test_too_few_ends_are_no_ratios(rows):
    found = drivers(rows, ["plan", "region"])
    assert found["ratio"].isna().all()
    assert set(found["status"]) <= {"too few ends", "one level only"}
    assert len(found) == 2


def test_without_attributes_nothing_is_told():
    assert drivers(ledger(100), []).empty


def test_a_missing_level_is_a_level():
    rows = ledger(900)
    found = drivers(rows.assign(plan=rows["plan"].where(rows["plan"] == "a")), "plan")
    assert found["status"].tolist() == ["computed"]


def test_the_frame_is_left_as_it_was_and_a_bad_level_refused():
    rows = ledger(200)
    before = rows.copy()
    drivers(rows, "plan")
    pd.testing.assert_frame_equal(rows, before)
    with pytest.raises(MeasureError, match="confidence is 95"):
        drivers(rows, "plan", confidence=95)


def of_customers(people: int, seed: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contracts that end at 4 % a quarter, exported 60 days late, as known on 1 January 2026; and who has left."""
    draw = np.random.default_rng(seed)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 1000, people), unit="D")
    end = pd.Series(start + pd.to_timedelta(draw.exponential(2205, people).astype(int), unit="D"))
    is_out = end < pd.Timestamp("2026-03-02")
    contracts = pd.DataFrame(
        {
            "customer_id": [f"k{who}" for who in range(people)],
            "contract_id": [f"v{who}" for who in range(people)],
            "start": start,
            "ended_on": end.where(end < pd.Timestamp("2026-01-01")),
            "reason": np.where(is_out, "Preis", None),
            "term_months": draw.choice([1, 12], people),
            "fee": draw.choice([9.9, 17.0], people),
            "zustand": np.where(is_out, "gekündigt", "aktiv"),
            "bemerkt": pd.Timestamp("2024-01-01"),
        }
    )
    return contracts, contracts.loc[is_out, ["customer_id"]]


AS_OF = dt.date(2026, 1, 1)


@pytest.mark.parametrize("ends_known", [True, False])
def test_what_cannot_explain_leaving_is_named_with_its_reason_and_never_fails(ends_known):
    contracts, ends = of_customers(1200)
    asked = ["customer_id", "contract_id", "reason", "cause", "ended_on", "start", "bemerkt", "exit", "zustand", "nix"]
    table = described(contracts, None, [*asked, "term_months"], as_of=AS_OF)
    found = drivers(table, [*asked, "term_months"], left_ever=ends if ends_known else None)
    assert found.loc[found["ratio"].notna(), "term"].tolist() == ["term_months"]
    assert found.loc[found["ratio"].isna()].set_index("term")["status"].to_dict() == {
        "customer_id": "an id",
        "contract_id": "an id",
        "reason": "known only after the fact",
        "cause": "name is taken",
        "ended_on": "known only after the fact",
        "start": "holds a date",
        "bemerkt": "holds a date",
        "exit": "name is taken",
        "zustand": "tells who left by itself",
        "nix": "absent",
    }


def test_a_plan_of_late_that_nobody_has_left_yet_does_not_leak():
    # of the old one 98 % have left over the years, of the new one, of the last half-year, nobody
    draw = np.random.default_rng(2)
    is_new = draw.random(2000) < 0.2
    start = pd.Timestamp("2018-01-01") + pd.to_timedelta(np.where(is_new, 2740, draw.integers(0, 1500, 2000)), unit="D")
    end = pd.Series(start + pd.to_timedelta(draw.exponential(500, 2000).astype(int), unit="D"))
    is_known = (end < pd.Timestamp(AS_OF)) & ~is_new
    contracts = pd.DataFrame({"customer_id": np.arange(2000).astype(str), "start": start, "ended_on": end})
    contracts = contracts.assign(ended_on=end.where(is_known), plan=np.where(is_new, "neu", "alt"))
    found = drivers(described(contracts, None, "plan", as_of=AS_OF), "plan")
    assert found[["term", "level", "status"]].to_numpy().tolist() == [["plan", "neu", "all or none left"]]


def test_levels_without_a_ratio_or_of_few_spells_are_named():
    rows = ledger(900)
    plan = rows["plan"].where(np.arange(900) > 3, "few")
    stays = rows["region"].where(np.arange(900) < 800, "treu")
    rows = rows.assign(plan=plan, region=stays, event=rows["event"].where(stays != "treu", 0))
    found = drivers(rows, ["plan", "region"])
    without = found[found["ratio"].isna()]
    assert sorted(without[["term", "level", "status"]].to_numpy().tolist()) == [
        ["plan", "few", "too few spells"],
        ["region", "treu", "all or none left"],
    ]
    assert without[["low", "high", "p_holm", "verdict"]].isna().all(axis=None)
    assert (found["status"] == "computed").sum() == 2


def test_numbers_with_decimals_stay_numbers():
    contracts, _ends = of_customers(1200)
    found = drivers(described(contracts, None, ["fee", "term_months"], as_of=AS_OF), ["fee", "term_months"])
    by_term = found.set_index("term")[["level", "base"]]
    assert set(by_term.loc["fee"]) == {9.9, 17.0}
    assert set(by_term.loc["term_months"]) == {"1", "12"}


def test_an_attribute_asked_for_twice_is_compared_once():
    found = drivers(ledger(900), ["plan", "plan"])
    assert len(found) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_check_for_leaks_compiles_for_every_engine(dialect):
    kinds = dict.fromkeys(("entry", "exit", "event"), "int64") | {"customer_id": "string", "origin": "date"}
    spells, ends = ibis.table(kinds | {"fee": "decimal(9, 2)"}, name="spells"), ibis.table(kinds, name="ends")
    present = leaving._with_left(leaving._present_earlier(spells), ends)
    assert "_left" in sql_of(leaving._reduce_left(present, "fee"), dialect)
