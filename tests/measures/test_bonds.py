from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from bond_tables import AS_OF, QUARTER, a_contract, bond_tables, bonds_of

from analysis.errors import MeasureError
from analysis.measures.bond_rules import kinds_on_record
from analysis.measures.bonds import MIXES, BondRules, bonds
from analysis.measures.point_in_time import knowledge


def _terms(contracts: list[dict], *, consumer_rule: bool = True) -> dict[str, tuple]:
    """Return days bound, days to the notice and whether bound, by customer."""
    rules = BondRules(consumer_rule=consumer_rule)
    found = bonds_of({"contracts": pd.DataFrame(contracts)}, rules=rules).set_index("customer_id")
    notice = (found["notice_by"] - pd.Timestamp(AS_OF)).dt.days
    rows = pd.DataFrame({"days": found["days_bound"], "notice": notice, "bound": found["contractual"]}).astype(object)
    return {
        str(who): tuple(row) for who, row in zip(rows.index, rows.where(rows.notna(), None).to_numpy(), strict=True)
    }


def _one_by_one(contract: dict, *, consumer_rule: bool) -> tuple:
    """Return days bound, days to the notice and whether bound, by listing the terms."""
    today, months, notice = pd.Timestamp(AS_OF), contract["term_months"], contract["notice_days"]
    lasts = [contract["start"] + pd.DateOffset(months=months * k) - pd.Timedelta(days=1) for k in range(1, 80)]
    free_in = min(notice, 31) if consumer_rule else notice
    if consumer_rule and lasts[0] < today:
        return (free_in, None, 0)
    days = (next(last for last in lasts if last >= today) - today).days
    if days < notice:
        if consumer_rule:
            return (max(days, free_in), None, 0)
        days = next((last - today).days for last in lasts if (last - today).days >= notice)
    return (days, days - notice, 1) if months > 1 else (days, None, 0)


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
    # a term of a month binds nobody
    ("any", {"start": "2025-12-15", "term_months": 1, "notice_days": 10}, (13, None, 0)),
    # no term at all
    ("any", {"term_months": None, "notice_days": 14}, (14, None, 0)),
    ("any", {"term_months": 0, "notice_days": None}, (0, None, 0)),
    # 100 days of notice are longer than the 58 left of a term of 3 months, and than a term: in time for 31 May
    ("business", {"start": "2025-12-01", "term_months": 3, "notice_days": 100}, (150, 50, 1)),
    # 200 days are too late for that, too: 31 August
    ("business", {"start": "2025-12-01", "term_months": 3, "notice_days": 200}, (242, 42, 1)),
    ("consumer", {"start": "2025-12-01", "term_months": 3, "notice_days": 200}, (58, None, 0)),
    # an unknown notice is none
    ("any", {"notice_days": None}, (150, 150, 1)),
    # the last day of a term is still in it
    ("any", {"start": "2025-01-02", "notice_days": 0}, (0, 0, 1)),
]


class TestContractualBonds:
    @pytest.mark.parametrize("rule", ["consumer", "business"])
    def test_days_to_the_end_and_to_the_notice(self, rule):
        cases = {
            f"{rule} {contract}": (contract, expected) for kind, contract, expected in TERMS if kind in ("any", rule)
        }
        contracts = [a_contract(name, **contract) for name, (contract, _expected) in cases.items()]
        found = _terms(contracts, consumer_rule=rule == "consumer")
        assert found == {name: expected for name, (_contract, expected) in cases.items()}

    @pytest.mark.parametrize("rule", ["consumer", "business"])
    def test_a_term_or_a_notice_without_end_in_sight_counts_as_a_century(self, rule):
        # terms of 1200 months from 1 June 2025 end on 31 May 2125
        century = (dt.date(2125, 5, 31) - AS_OF).days
        huge = a_contract(term_months=99_999_999), a_contract(term_months=1200)
        assert [_terms([one], consumer_rule=rule == "consumer") for one in huge] == [
            {"a": (century, century - 30, 1)}
        ] * 2
        for notice in (36525, 99_999_999):
            free = _terms([a_contract(term_months=None, notice_days=notice)], consumer_rule=rule == "consumer")
            assert free == {"a": (31 if rule == "consumer" else 36525, None, 0)}

    def test_of_several_contracts_the_last_end_and_the_first_notice_count(self):
        later = a_contract(start="2025-09-01")  # to 31 August, 242 days ahead
        assert _terms([a_contract(), later]) == {"a": (242, 120, 1)}

    def test_a_contract_that_has_ended_or_not_begun_does_not_bind(self):
        contracts = [a_contract(start="2024-06-01"), a_contract(ended_on="2025-12-31"), a_contract(start="2026-01-01")]
        assert _terms(contracts)["a"][2] == 0

    def test_an_end_that_is_not_known_yet_changes_nothing(self):
        assert _terms([a_contract(ended_on="2026-01-01")]) == {"a": (150, 120, 1)}

    def test_who_has_no_contract_but_one_that_begins_later_is_no_customer_yet(self):
        assert _terms([a_contract("a"), a_contract("b", start="2026-01-01")]).keys() == {"a"}

    @pytest.mark.parametrize(
        ("as_of", "contract", "expected"),
        [
            # the day a year after 29 February is 28 February, so the last day before it the 27th
            ("2025-01-01", {"start": "2024-02-29"}, ("2025-02-27", "2025-01-28")),
            ("2027-12-31", {"start": "2024-02-29", "notice_days": 0}, ("2028-02-28", "2028-02-28")),
            # three months after 31 January is 30 April; counted from the first start, six months after it 31 July
            ("2025-02-01", {"start": "2025-01-31", "term_months": 3}, ("2025-04-29", "2025-03-30")),
            ("2025-04-30", {"start": "2025-01-31", "term_months": 3}, ("2025-07-30", "2025-06-30")),
            ("2025-04-10", {"start": "2025-01-31", "term_months": 3}, ("2025-07-30", "2025-06-30")),
            # the night to 29 March 2026 is an hour short
            ("2026-03-01", {"start": "2025-04-01"}, ("2026-03-31", "2026-03-01")),
            ("2026-03-28", {"start": "2025-04-01", "notice_days": 2}, ("2026-03-31", "2026-03-29")),
        ],
    )
    def test_terms_end_by_the_calendar(self, as_of, contract, expected):
        day = dt.date.fromisoformat(as_of)
        settings = {"rules": BondRules(consumer_rule=False), "timezone": "Europe/Berlin"}
        found = bonds({"contracts": pd.DataFrame([a_contract(**contract)])}, as_of=day, **settings).execute().loc[0]
        last = day + dt.timedelta(days=int(found["days_bound"]))
        assert (last.isoformat(), found["notice_by"].date().isoformat()) == expected

    @pytest.mark.parametrize("consumer_rule", [True, False])
    def test_any_contract_ends_as_when_its_terms_are_gone_through_one_by_one(self, consumer_rule):
        draw = np.random.default_rng(11)
        contracts = [
            a_contract(
                f"c{who:03}",
                start=str(AS_OF - dt.timedelta(days=int(draw.integers(1, 1500)))),
                term_months=int(draw.choice([1, 2, 3, 12, 24])),
                notice_days=int(draw.choice([0, 14, 30, 90, 200])),
                auto_renews=bool(draw.integers(2)),
                current_term_end=str(AS_OF + dt.timedelta(days=int(draw.integers(-90, 400)))),
            )
            for who in range(300)
        ]
        expected = {str(row["customer_id"]): _one_by_one(row, consumer_rule=consumer_rule) for row in contracts}
        assert _terms(contracts, consumer_rule=consumer_rule) == expected

    @pytest.mark.parametrize(
        "rewritten",
        [
            # the ledger of a later export: the next term runs, or the one after it
            {"current_term_end": "2027-05-31"},
            {"current_term_end": "2028-05-31"},
            # prolonged early, with a term begun on the as-of date or after it
            {"current_term_end": "2026-12-31"},
            {"current_term_end": "2027-02-14"},
            # notice given since: the last day in force stands for the end of the term, and nothing renews
            {"current_term_end": "2026-02-14", "auto_renews": False, "ended_on": "2026-02-14"},
            {"current_term_end": "2026-01-01", "auto_renews": False},
            {"current_term_end": "2025-12-31", "auto_renews": None},
        ],
    )
    @pytest.mark.parametrize("consumer_rule", [True, False])
    def test_what_the_ledger_says_of_the_term_since_changes_nothing(self, consumer_rule, rewritten):
        starts = {"first": "2025-06-01", "later": "2024-06-01", "missed": "2025-01-15"}
        then, now = (
            _terms([a_contract(who, start=start, **more) for who, start in starts.items()], consumer_rule=consumer_rule)
            for more in ({}, rewritten)
        )
        assert now == then

    def test_a_term_that_has_begun_since_binds_no_consumer(self):
        # the first term ended on 14 December 2025; the export of March 2027 names a term from 15 December 2026 on
        contract = a_contract(start="2024-12-15", current_term_end="2027-12-14")
        assert _terms([contract]) == {"a": (30, None, 0)}
        # in business the term of the as-of date counts, to 14 December 2026, 347 days ahead
        assert _terms([contract], consumer_rule=False) == {"a": (347, 317, 1)}

    def test_columns_that_are_absent_are_missing(self):
        contracts = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2025-06-01"])})
        found = bonds_of({"contracts": contracts}).loc[0]
        assert found[["days_bound", "term_known", "contractual", "mix"]].tolist() == [0, 0, 0, "none"]
        assert pd.isna(found["products"])

    def test_a_term_is_known_of_whom_one_contract_names_it(self):
        contracts = [a_contract("a", term_months=1), a_contract("a", term_months=None), a_contract("b", term_months=0)]
        found = bonds_of({"contracts": pd.DataFrame(contracts)})
        assert found["term_known"].tolist() == [1, 0]


class TestOtherBonds:
    def test_each_is_known_from_its_table(self):
        found = bonds_of(bond_tables()).set_index("customer_id")
        assert found["products"].to_dict() == {"a": 1, "b": 3, "c": 1, "d": 1, "e": 1, "f": 1}
        signs = {name: "".join(found.index[found[name] == 1]) for name in ("technical", "promoter", "member")}
        # b's last answer is 8, c's is not known yet; f came to the community later
        assert signs == {"technical": "b", "promoter": "a", "member": "e"}
        # the second complaint of c is not known to be resolved
        assert found["complaints_solved"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 0, "f": 0}
        assert found["psychological"].to_dict() == {"a": 1, "b": 0, "c": 0, "d": 0, "e": 1, "f": 0}

    def test_declared_signs_count(self):
        rules = BondRules(technical={"device": "ja", "app": True}, psychological={"recommended": 2}, min_products=4)
        found = bonds_of(bond_tables(), rules=rules).set_index("customer_id")
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
            bonds_of(bond_tables(), rules=BondRules(technical=sign))

    def test_customers_without_contracts_are_held_by_the_other_bonds(self):
        tables = bond_tables()
        del tables["contracts"]
        found = bonds_of(tables)
        assert found[["customer_id", "products", "mix"]].to_numpy().tolist() == [["b", 2, "technical"]]
        assert found[["days_bound", "notice_by", "term_known"]].isna().all(axis=None)

    def test_who_has_no_product_that_is_named_has_no_number_of_them(self):
        contracts = pd.DataFrame([a_contract("a", product_id=None), a_contract("b", product_id="p")])
        found = bonds_of({"contracts": contracts})
        assert found["products"].isna().tolist() == [True, False]
        assert found["technical"].tolist() == [0, 0]

    def test_frames_and_tables_give_the_same_in_any_order_and_stay_unchanged(self):
        tables = bond_tables()
        before = {name: table.copy(deep=True) for name, table in tables.items()}
        found = bonds_of(tables)
        turned = {name: ibis.memtable(table[::-1].reset_index(drop=True)) for name, table in tables.items()}
        pd.testing.assert_frame_equal(bonds_of(turned), found)
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, before[name])


def test_the_mix_names_every_combination():
    # two products or one, in the first term or after it, promoter or not
    contracts = [
        a_contract(f"{technical}{bound}{promoter}", start="2025-06-01" if bound else "2024-06-01", product_id=product)
        for technical in (1, 0)
        for bound in (1, 0)
        for promoter in (1, 0)
        for product in ("p", "q")[: technical + 1]
    ]
    answers = pd.DataFrame({"customer_id": [row["customer_id"] for row in contracts]}).drop_duplicates()
    answers = answers.assign(nps=[10 if who.endswith("1") else 5 for who in answers["customer_id"]])
    answers = answers.assign(answered_at=pd.Timestamp("2025-12-31"))
    found = bonds_of({"contracts": pd.DataFrame(contracts), "surveys": answers}).set_index("customer_id")["mix"]
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


def _on_record(*kept: str, rules: BondRules | None = None, **changed: pd.DataFrame) -> tuple[str, ...]:
    """Say which kinds of bonds are on record where of the tables only these are there."""
    tables = {name: table for name, table in bond_tables().items() if name in kept} | changed
    return kinds_on_record(knowledge(tables, QUARTER["as_of"], "UTC"), rules or BondRules())


class TestKindsOnRecord:
    def test_each_kind_rests_on_tables_of_its_own(self):
        every = ("contracts", "transactions", "surveys", "cases", "community", "customers")
        assert _on_record(*every) == ("technical", "contractual", "psychological")
        # one product under contract alone is no choice of several
        assert _on_record("contracts") == ("contractual",)
        assert _on_record("contracts", "transactions") == ("technical", "contractual")
        for name in ("surveys", "cases", "community"):
            assert _on_record("contracts", name) == ("contractual", "psychological")

    def test_a_column_without_any_value_is_none(self):
        empty = bond_tables()["contracts"].assign(term_months=None, product_id=None)
        assert _on_record(contracts=empty) == ()
        assert _on_record("transactions", contracts=empty) == ("technical",)
        silent = bond_tables()["surveys"].assign(nps=None)
        anonymous = bond_tables()["surveys"].assign(customer_id=None)
        praise = bond_tables()["cases"].assign(kind="praise")
        assert _on_record("contracts", surveys=silent, cases=praise) == ("contractual",)
        assert _on_record("contracts", surveys=anonymous) == ("contractual",)

    def test_what_comes_to_light_later_is_not_on_record_yet(self):
        later = bond_tables()["surveys"].assign(answered_at=pd.Timestamp("2026-04-01"))
        assert _on_record("contracts", surveys=later) == ("contractual",)

    def test_a_declared_sign_is_on_record(self):
        rules = BondRules(technical={"device": "ja"})
        assert _on_record("contracts", "customers", rules=rules) == ("technical", "contractual")
        rules = BondRules(psychological={"recommended": 2}, min_products=1)
        assert _on_record("contracts", "customers", rules=rules) == ("technical", "contractual", "psychological")
