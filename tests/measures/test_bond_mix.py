from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from bond_tables import AS_OF, QUARTER, a_contract, bond_tables
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.errors import MeasureError
from analysis.measures.bonds import (
    MIXES,
    bond_mix,
    bonds,
    churn_by_bonds,
    churn_gap,
    held_by_contract_only,
    mix_and_churn,
    notice_soon,
)


class TestBondMix:
    def test_it_counts_the_customers_of_each_mix(self):
        found = bond_mix(bonds(bond_tables(), as_of=AS_OF)).set_index("mix")
        assert found["customers"].sum() == 6
        assert found.loc["none", "customers"] == 3  # c, d and f
        assert found.loc["psychological"].tolist() == [0, 0, 1, 2, pytest.approx(2 / 6)]
        assert tuple(found.index) == MIXES

    def test_of_nobody_there_is_no_share(self):
        found = bond_mix(pd.DataFrame({"mix": pd.array([], dtype="str")}))
        assert found["customers"].tolist() == [0] * 8
        assert found["share"].isna().all()


class TestChurnByBonds:
    def test_bonds_are_those_before_the_window_and_ends_those_in_it(self):
        # 20 in their first term, 3 of them leave; 10 after it, 4 leave, 2 of them after the window
        ends = {"b00": "2026-02-01", "b01": "2026-03-31", "b02": "2026-01-01"}
        ends |= {"f0": "2026-01-31", "f1": "2026-01-31", "f2": "2026-04-01", "f3": "2026-06-01"}
        bound = [a_contract(f"b{who:02}", ended_on=ends.get(f"b{who:02}")) for who in range(20)]
        free = [a_contract(f"f{who}", start="2024-06-01", ended_on=ends.get(f"f{who}")) for who in range(10)]
        late = [a_contract("late", start="2026-01-01", ended_on="2026-02-01")]
        contracts = pd.DataFrame(bound + free + late)
        # what the ledger came to say of the term once notice was given must not count
        contracts = contracts.assign(current_term_end=contracts["ended_on"], auto_renews=contracts["ended_on"].isna())
        found = churn_by_bonds({"contracts": contracts}, as_of=AS_OF, end=dt.date(2026, 3, 31))
        assert found[["mix", "exposed", "ended_of_exposed"]].to_numpy().tolist() == [
            ["contractual", 20, 3],
            ["none", 10, 2],
        ]
        assert_allclose(found[["share_low", "share_high"]].loc[0], proportion_confint(3, 20, method="wilson"))

    def test_bonds_on_the_first_day_are_those_that_the_base_of_that_day_had(self):
        draw = np.random.default_rng(3)
        contracts = [
            a_contract(
                f"c{who:02}",
                start=str(AS_OF - dt.timedelta(days=int(draw.integers(1, 900)))),
                ended_on=draw.choice([None, "2026-02-01"]),
                current_term_end=str(AS_OF + dt.timedelta(days=int(draw.integers(-90, 400)))),
                auto_renews=bool(draw.integers(2)),
            )
            for who in range(60)
        ]
        tables = {"contracts": pd.DataFrame(contracts)}
        left = churn_by_bonds(tables, as_of=AS_OF, end=dt.date(2026, 3, 31)).set_index("mix")["exposed"]
        base = bond_mix(bonds(tables, as_of=AS_OF)).set_index("mix")["customers"]
        assert left.to_dict() == base[base > 0].to_dict()
        assert base["contractual"] > 5 < base["none"]

    def test_of_buyers_those_have_left_who_bought_nothing_for_so_long(self):
        orders = pd.DataFrame({"customer_id": ["a", "b", "b"], "product_id": "p"})
        orders["date"] = pd.to_datetime(["2025-12-20", "2025-12-20", "2026-02-10"])
        window = {"as_of": AS_OF, "end": dt.date(2026, 3, 31), "active_days": 60}
        found = churn_by_bonds({"transactions": orders}, **window)
        assert found.loc[0, ["mix", "exposed", "ended_of_exposed"]].tolist() == ["none", 2, 1]


class TestHeldByContractOnly:
    def test_the_next_days_begin_on_the_as_of_date(self):
        days = ["2025-12-31", "2026-01-01", "2026-01-30", "2026-01-31", None, "2026-01-30"]
        held = pd.DataFrame({"customer_id": list("abcdef"), "mix": "contractual", "notice_by": pd.to_datetime(days)})
        held.loc[5, "mix"] = "contractual + psychological"
        found = held_by_contract_only(held, as_of=AS_OF, within_days=30).execute()
        assert found["customer_id"].tolist() == ["b", "c"]

    def test_it_reads_what_bonds_gives(self):
        contracts = pd.DataFrame([a_contract("b"), a_contract("a"), a_contract("c", start="2024-06-01")])
        held = bonds({"contracts": contracts}, as_of=AS_OF)
        assert held_by_contract_only(held, as_of=AS_OF, within_days=120).count().execute() == 0
        found = held_by_contract_only(held, as_of=AS_OF, within_days=121).execute()
        assert found["customer_id"].tolist() == ["a", "b"]
        assert found["notice_by"].tolist() == [pd.Timestamp("2026-05-01")] * 2

    def test_no_day_is_refused(self):
        with pytest.raises(MeasureError, match=r"within_days is 0\. Give 1 day or more"):
            held_by_contract_only(bonds(bond_tables(), as_of=AS_OF), as_of=AS_OF, within_days=0)


def _count_soon(contracts: pd.DataFrame) -> int | None:
    return notice_soon(bonds({"contracts": contracts}, as_of=AS_OF), as_of=AS_OF, within_days=60).attrs["n"]


class TestNoticeSoon:
    def test_the_soonest_come_first_and_all_are_counted(self):
        # last days of notice: 30 days before the end of a year from the start
        starts = {"a": "2025-03-20", "b": "2025-02-10", "c": "2025-02-10", "d": "2025-06-01"}
        contracts = [a_contract(who, start=start, product_id="p") for who, start in starts.items()]
        held = bonds({"contracts": pd.DataFrame(contracts)}, as_of=AS_OF)
        found = notice_soon(held, as_of=AS_OF, within_days=60)
        assert found.to_numpy().tolist() == [
            ["b", pd.Timestamp("2026-01-10"), 9, 1],  # to 9 February
            ["c", pd.Timestamp("2026-01-10"), 9, 1],
            ["a", pd.Timestamp("2026-02-17"), 47, 1],  # to 19 March
        ]
        assert list(found) == ["customer_id", "notice_by", "days_left", "products"]
        few = notice_soon(held, as_of=AS_OF, within_days=60, most=1)
        assert (few["customer_id"].tolist(), few.attrs) == (["b"], {"n": 3})

    def test_of_nobody_there_is_an_empty_list(self):
        held = bonds({"contracts": pd.DataFrame([a_contract(start="2024-06-01")])}, as_of=AS_OF)
        found = notice_soon(held, as_of=AS_OF, within_days=60)
        assert (len(found), found.attrs) == (0, {"n": 0})

    def test_customers_without_contracts_have_no_notice(self):
        orders = pd.DataFrame({"customer_id": ["a"], "date": pd.to_datetime(["2025-12-01"])})
        held = bonds({"transactions": orders}, as_of=AS_OF)
        found = notice_soon(held, as_of=AS_OF, within_days=60)
        assert (len(found), found.attrs) == (0, {"n": None})

    def test_without_any_term_on_record_it_is_unknown_how_many_there_are(self):
        contracts = pd.DataFrame([a_contract("a", term_months=None), a_contract("b", term_months=None)])
        assert _count_soon(contracts) is None
        assert _count_soon(contracts.drop(columns="term_months")) is None
        contracts.loc[1, "term_months"] = 1
        assert _count_soon(contracts) == 0
        assert _count_soon(contracts.head(0)) == 0

    @pytest.mark.parametrize("column", ["products", "term_known", "notice_by"])
    def test_an_absent_column_is_refused(self, column):
        held = bonds(bond_tables(), as_of=AS_OF).drop(column)
        with pytest.raises(MeasureError, match=f"column '{column}' is absent"):
            notice_soon(held, as_of=AS_OF, within_days=60)


class TestMixAndChurn:
    def test_the_base_is_that_of_today_and_the_churn_that_of_the_first_day(self):
        # a and b in their first term on 1 January, b leaves; a's first term is over by April, c joins, d leaves
        contracts = [a_contract("a", start="2025-03-01"), a_contract("b", ended_on="2026-02-01")]
        contracts += [a_contract("c", start="2026-02-01"), a_contract("d", start="2024-06-01", ended_on="2026-03-31")]
        found = mix_and_churn({"contracts": pd.DataFrame(contracts)}, **QUARTER).set_index("mix")
        assert tuple(found.index) == MIXES
        assert found.attrs["on_record"] == ("contractual",)
        assert found.loc["contractual"].iloc[:5].tolist() == [1, 0.5, 2, 1, 0.5]
        assert found.loc["none"].iloc[:5].tolist() == [1, 0.5, 1, 1, 1.0]
        assert_allclose(found.loc["contractual"].iloc[5:], proportion_confint(1, 2, method="wilson"))
        assert found.drop(index=["contractual", "none"])[["customers", "exposed"]].eq(0).all(axis=None)
        assert found.drop(index=["contractual", "none"])[["churn", "churn_low", "churn_high"]].isna().all(axis=None)

    def test_orders_alone_are_enough(self):
        orders = pd.DataFrame({"customer_id": ["a", "b", "b"], "product_id": ["p", "p", "q"]})
        orders["date"] = pd.to_datetime(["2025-03-01", "2025-12-20", "2025-12-20"])
        found = mix_and_churn({"transactions": orders}, **QUARTER).set_index("mix")
        # a's last order was a year ago on 1 March: gone; two products hold b
        assert found.loc["technical"].iloc[:5].tolist() == [1, 1.0, 1, 0, 0.0]
        assert found.loc["none"].iloc[:5].tolist() == [0, 0.0, 1, 1, 1.0]

    def test_where_nobody_has_ever_been_a_customer_there_is_no_share(self):
        contracts = pd.DataFrame([a_contract()]).head(0)
        found = mix_and_churn({"contracts": contracts}, **QUARTER)
        assert found[["customers", "exposed", "ended_of_exposed"]].eq(0).all(axis=None)
        assert found[["share", "churn", "churn_low", "churn_high"]].isna().all(axis=None)


class TestChurnGap:
    def test_the_published_example(self):
        # Newcombe (1998), table II, method 10: 56/70 less 48/80 is 0.2 (0.0524 to 0.3339)
        found = pd.DataFrame({"mix": ["psychological", "contractual", "none"], "exposed": [80, 30, 40]})
        gap = churn_gap(found.assign(ended_of_exposed=[48, 20, 36])).loc[0]
        assert_allclose(gap[["loose", "tied", "difference"]], [0.8, 0.6, 0.2])
        assert gap[["difference_low", "difference_high"]].round(4).tolist() == [0.0524, 0.3339]
        assert_allclose(gap[["loose_low", "loose_high"]], proportion_confint(56, 70, method="wilson"))
        assert_allclose(gap[["tied_low", "tied_high"]], proportion_confint(48, 80, method="wilson"))
        assert gap[["loose_exposed", "tied_exposed"]].tolist() == [70, 80]

    def test_a_technical_bond_stands_on_neither_side(self):
        found = pd.DataFrame({"mix": MIXES, "exposed": range(10, 18), "ended_of_exposed": 3})
        gap = churn_gap(found, confidence=0.9).loc[0]
        # psychological: rows 0, 2, 4 and 6; loose: rows 5 and 7
        assert gap[["tied_exposed", "loose_exposed"]].tolist() == [10 + 12 + 14 + 16, 15 + 17]
        ends = confint_proportions_2indep(6, 32, 12, 52, compare="diff", method="newcomb", alpha=0.1)
        assert_allclose(gap[["difference_low", "difference_high"]], ends)

    def test_of_nobody_nothing_is_said(self):
        found = pd.DataFrame({"mix": ["none"], "exposed": [12], "ended_of_exposed": [0]})
        gap = churn_gap(found).loc[0]
        assert gap[["loose", "loose_low", "loose_exposed", "tied_exposed"]].tolist() == [0, 0, 12, 0]
        assert gap[["tied", "tied_low", "tied_high", "difference", "difference_low", "difference_high"]].isna().all()
