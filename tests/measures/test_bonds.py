from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.bonds import (
    MIXES,
    BondRules,
    _reduce_mix,
    bond_mix,
    bonds,
    churn_by_bonds,
    held_by_contract_only,
)

AS_OF = dt.date(2026, 1, 1)


def _contract(customer: str = "a", start: str = "2025-06-01", **more: object) -> dict:
    row = {"customer_id": customer, "start": pd.Timestamp(start), "ended_on": pd.NaT, "current_term_end": pd.NaT}
    row |= {"term_months": 12, "notice_days": 30, "auto_renews": True, **more}
    return row | {name: pd.Timestamp(row[name]) for name in ("ended_on", "current_term_end")}


def _held(tables: dict, **settings: object) -> pd.DataFrame:
    found = bonds(tables, as_of=AS_OF, **settings).execute()
    return found.sort_values("customer_id", ignore_index=True)


def _terms(contracts: list[dict], *, consumer_rule: bool = True) -> dict[str, tuple]:
    """Return days bound, days to the notice and whether bound, by customer."""
    rules = BondRules(consumer_rule=consumer_rule)
    found = _held({"contracts": pd.DataFrame(contracts)}, rules=rules).set_index("customer_id")
    notice = (found["notice_by"] - pd.Timestamp(AS_OF)).dt.days
    rows = pd.DataFrame({"days": found["days_bound"], "notice": notice, "bound": found["contractual"]}).astype(object)
    return {
        str(who): tuple(row) for who, row in zip(rows.index, rows.where(rows.notna(), None).to_numpy(), strict=True)
    }


# for whom it holds, the contract, days bound, days to the notice, whether it binds
TERMS = [
    # the first term runs to 31 May, 150 days ahead; notice 30 days before
    ("any", {}, (150, 120, 1)),
    # no first term any more: free with notice, or bound to 31 May again
    ("consumer", {"start": "2024-06-01"}, (30, None, 0)),
    ("business", {"start": "2024-06-01"}, (150, 120, 1)),
    # one month's notice at most: to 1 February
    ("consumer", {"start": "2024-06-01", "notice_days": 90}, (31, None, 0)),
    # the first term ends on 14 January, too soon for notice: then on 31 January, or a year later
    ("consumer", {"start": "2025-01-15"}, (30, None, 0)),
    ("business", {"start": "2025-01-15"}, (378, 348, 1)),
    # 13 days are notice enough for 14 January
    ("any", {"start": "2025-01-15", "notice_days": 13}, (13, 0, 1)),
    # ends by itself, whatever the notice
    ("any", {"start": "2025-01-15", "auto_renews": False}, (13, 13, 1)),
    # and goes on without a term where it has not ended
    ("any", {"start": "2024-01-01", "auto_renews": False}, (30, None, 0)),
    # a term of a month binds nobody
    ("any", {"start": "2025-12-15", "term_months": 1, "notice_days": 10}, (13, None, 0)),
    # the ledger's end of the term comes first
    ("any", {"current_term_end": "2026-12-31"}, (364, 334, 1)),
    ("any", {"current_term_end": "2026-03-31", "term_months": None}, (89, 59, 1)),
    # its last day is still in it
    ("any", {"current_term_end": "2026-01-01", "notice_days": 0}, (0, 0, 1)),
    # where it is past, terms of a year follow on it
    ("business", {"start": "2024-06-01", "current_term_end": "2025-12-31"}, (364, 334, 1)),
    # no term at all
    ("any", {"term_months": None, "notice_days": 14}, (14, None, 0)),
    ("any", {"term_months": 0, "notice_days": None}, (0, None, 0)),
    # an unknown notice is none, and it is not known that the contract would not renew
    ("any", {"notice_days": None, "auto_renews": None}, (150, 150, 1)),
]


class TestContractualBonds:
    @pytest.mark.parametrize("rule", ["consumer", "business"])
    def test_days_to_the_end_and_to_the_notice(self, rule):
        cases = {
            f"{rule} {contract}": (contract, expected) for kind, contract, expected in TERMS if kind in ("any", rule)
        }
        contracts = [_contract(name, **contract) for name, (contract, _expected) in cases.items()]
        found = _terms(contracts, consumer_rule=rule == "consumer")
        assert found == {name: expected for name, (_contract, expected) in cases.items()}

    def test_of_several_contracts_the_last_end_and_the_first_notice_count(self):
        later = _contract(start="2025-09-01")  # to 31 August, 242 days ahead
        assert _terms([_contract(), later]) == {"a": (242, 120, 1)}

    def test_a_contract_that_has_ended_or_not_begun_does_not_bind(self):
        contracts = [_contract(start="2024-06-01"), _contract(ended_on="2025-12-31"), _contract(start="2026-01-01")]
        assert _terms(contracts)["a"][2] == 0

    def test_an_end_that_is_not_known_yet_changes_nothing(self):
        assert _terms([_contract(ended_on="2026-01-01")]) == {"a": (150, 120, 1)}

    def test_columns_that_are_absent_are_missing(self):
        contracts = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2025-06-01"])})
        found = _held({"contracts": contracts}).loc[0]
        assert found[["days_bound", "contractual", "mix"]].tolist() == [0, 0, "none"]


def _tables() -> dict[str, pd.DataFrame]:
    day = pd.to_datetime
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": list("abcdef"),
                "device": ["ja", "nein", None, "nein", "nein", "nein"],
                "recommended": [0, 0, 0, 2, None, 0],
                "app": [False, False, False, False, True, False],
            }
        ),
        "contracts": pd.DataFrame([_contract(who, product_id="p", start="2024-06-01") for who in "abcdef"]),
        "transactions": pd.DataFrame(
            {"customer_id": ["b", "b", "f"], "date": day(["2025-12-01", "2025-01-01", "2024-12-31"]), "revenue": 1.0}
        ).assign(product_id=["q", "r", "q"]),
        "surveys": pd.DataFrame(
            {
                "response_id": ["1", "2", "3", "4"],
                "customer_id": ["a", "b", "b", "c"],
                "answered_at": day(["2025-05-01", "2025-05-01", "2025-06-01", "2026-01-01"]),
                "nps": [9, 10, 8, 10],
            }
        ),
        "cases": pd.DataFrame(
            {
                "case_id": ["1", "2", "3", "4"],
                "customer_id": ["a", "c", "c", "d"],
                "opened_at": day(["2025-05-01", "2025-05-01", "2025-06-01", "2025-05-01"]),
                "resolved_at": day(["2025-05-02", "2025-05-02", "2026-01-01", None]),
                "kind": ["complaint", "complaint", "complaint", "praise"],
            }
        ),
        "community": pd.DataFrame({"customer_id": ["e", "f"], "at": day(["2020-01-01", "2026-01-01"])}),
    }


class TestOtherBonds:
    def test_each_is_known_from_its_table(self):
        found = _held(_tables()).set_index("customer_id")
        assert found["products"].to_dict() == {"a": 1, "b": 3, "c": 1, "d": 1, "e": 1, "f": 1}
        signs = {name: "".join(found.index[found[name] == 1]) for name in ("technical", "promoter", "member")}
        # b's last answer is 8, c's is not known yet; f came to the community later
        assert signs == {"technical": "b", "promoter": "a", "member": "e"}
        # the second complaint of c is not known to be resolved
        assert found["complaints_solved"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0}
        assert found["psychological"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 1, "f": 0}

    def test_declared_signs_count(self):
        rules = BondRules(technical={"device": "ja", "app": True}, psychological={"recommended": 2}, min_products=4)
        found = _held(_tables(), rules=rules).set_index("customer_id")
        assert found["technical"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 1, "f": 0}
        assert found["psychological"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 1, "e": 1, "f": 0}

    @pytest.mark.parametrize(
        ("sign", "message"),
        [
            ({"device": 1}, r"sign 'device' is 1, but the column holds string\. Give a value of that type"),
            ({"device": True}, "sign 'device' is True, but the column holds string"),
            ({"app": 1}, "sign 'app' is 1, but the column holds boolean"),
            ({"recommended": "2"}, "sign 'recommended' is '2', but the column holds float64"),
            ({"devcie": "ja"}, r"column 'devcie' is absent; .*\. Did you mean 'device'\?"),
        ],
    )
    def test_a_sign_that_is_none_is_refused(self, sign, message):
        with pytest.raises(MeasureError, match=message):
            _held(_tables(), rules=BondRules(technical=sign))

    def test_customers_without_contracts_are_held_by_the_other_bonds(self):
        tables = _tables()
        del tables["contracts"]
        found = _held(tables)
        assert found[["customer_id", "products", "mix"]].to_numpy().tolist() == [["b", 2, "technical"]]
        assert found[["days_bound", "notice_by"]].isna().all(axis=None)

    def test_frames_and_tables_give_the_same_in_any_order_and_stay_unchanged(self):
        tables = _tables()
        before = {name: table.copy(deep=True) for name, table in tables.items()}
        found = _held(tables)
        turned = {name: ibis.memtable(table[::-1].reset_index(drop=True)) for name, table in tables.items()}
        pd.testing.assert_frame_equal(_held(turned), found)
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, before[name])


def test_the_mix_names_every_combination():
    # two products or one, in the first term or after it, promoter or not
    contracts = [
        _contract(f"{technical}{bound}{promoter}", start="2025-06-01" if bound else "2024-06-01", product_id=product)
        for technical in (1, 0)
        for bound in (1, 0)
        for promoter in (1, 0)
        for product in ("p", "q")[: technical + 1]
    ]
    answers = pd.DataFrame({"customer_id": [row["customer_id"] for row in contracts]}).drop_duplicates()
    answers = answers.assign(nps=[10 if who.endswith("1") else 5 for who in answers["customer_id"]])
    answers = answers.assign(answered_at=pd.Timestamp("2025-12-31"))
    found = _held({"contracts": pd.DataFrame(contracts), "surveys": answers}).set_index("customer_id")["mix"]
    assert found.to_dict() == {
        "111": "technical + contractual + psychological",
        "110": "technical + contractual",
        "101": "technical + psychological",
        "100": "technical",
        "011": "contractual + psychological",
        "010": "contractual",
        "001": "psychological",
        "000": "none",
    }
    assert sorted(found) == sorted(MIXES)


class TestBondMix:
    def test_it_counts_the_customers_of_each_mix(self):
        found = bond_mix(bonds(_tables(), as_of=AS_OF)).set_index("mix")
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
        bound = [_contract(f"b{who:02}", ended_on=ends.get(f"b{who:02}")) for who in range(20)]
        free = [_contract(f"f{who}", start="2024-06-01", ended_on=ends.get(f"f{who}")) for who in range(10)]
        late = [_contract("late", start="2026-01-01", ended_on="2026-02-01")]
        contracts = pd.DataFrame(bound + free + late)
        # what the ledger came to say of the term once notice was given must not count
        contracts = contracts.assign(current_term_end=contracts["ended_on"], auto_renews=contracts["ended_on"].isna())
        found = churn_by_bonds({"contracts": contracts}, as_of=AS_OF, end=dt.date(2026, 3, 31))
        assert found[["mix", "exposed", "ended_of_exposed"]].to_numpy().tolist() == [
            ["contractual", 20, 3],
            ["none", 10, 2],
        ]
        assert_allclose(found[["share_low", "share_high"]].loc[0], proportion_confint(3, 20, method="wilson"))

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
        contracts = pd.DataFrame([_contract("b"), _contract("a"), _contract("c", start="2024-06-01")])
        held = bonds({"contracts": contracts}, as_of=AS_OF)
        assert held_by_contract_only(held, as_of=AS_OF, within_days=120).count().execute() == 0
        found = held_by_contract_only(held, as_of=AS_OF, within_days=121).execute()
        assert found["customer_id"].tolist() == ["a", "b"]
        assert found["notice_by"].tolist() == [pd.Timestamp("2026-05-01")] * 2

    def test_no_day_is_refused(self):
        with pytest.raises(MeasureError, match=r"within_days is 0\. Give 1 day or more"):
            held_by_contract_only(bonds(_tables(), as_of=AS_OF), as_of=AS_OF, within_days=0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_bonds_compile_for_every_engine(dialect):
    contracts = {"customer_id": "string", "contract_id": "string", "start": "date", "ended_on": "date"}
    contracts |= {"term_months": "int64", "notice_days": "int64", "auto_renews": "boolean", "current_term_end": "date"}
    surveys = {"response_id": "string", "customer_id": "string", "answered_at": "timestamp", "nps": "int64"}
    tables = {"contracts": ibis.table(contracts, name="contracts"), "surveys": ibis.table(surveys, name="surveys")}
    held = bonds(tables, as_of=AS_OF, rules=BondRules(consumer_rule=False))
    listed = held_by_contract_only(held, as_of=AS_OF, within_days=30)
    for reduced in (_reduce_mix(held), listed):
        assert "contractual + psychological" in sql_of(reduced, dialect)
