from __future__ import annotations

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.errors import MeasureError
from analysis.measures.bond_rules import _reduce_products
from analysis.measures.bonds import (
    MIXES,
    BondRules,
    _reduce_mix,
    bond_mix,
    bonds,
    churn_by_bonds,
    churn_gap,
    held_by_contract_only,
    mix_and_churn,
    notice_soon,
)
from analysis.measures.terms import reduce_soon

AS_OF = dt.date(2026, 1, 1)
QUARTER = {"as_of": dt.date(2026, 4, 1), "start": AS_OF, "end": dt.date(2026, 3, 31)}


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

    def test_who_has_no_contract_but_one_that_begins_later_is_no_customer_yet(self):
        assert _terms([_contract("a"), _contract("b", start="2026-01-01")]).keys() == {"a"}

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
        found = bonds({"contracts": pd.DataFrame([_contract(**contract)])}, as_of=day, **settings).execute().loc[0]
        last = day + dt.timedelta(days=int(found["days_bound"]))
        assert (last.isoformat(), found["notice_by"].date().isoformat()) == expected

    @pytest.mark.parametrize("consumer_rule", [True, False])
    def test_any_contract_ends_as_when_its_terms_are_gone_through_one_by_one(self, consumer_rule):
        draw = np.random.default_rng(11)
        contracts = [
            _contract(
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
            _terms([_contract(who, start=start, **more) for who, start in starts.items()], consumer_rule=consumer_rule)
            for more in ({}, rewritten)
        )
        assert now == then

    def test_a_term_that_has_begun_since_binds_no_consumer(self):
        # the first term ended on 14 December 2025; the export of March 2027 names a term from 15 December 2026 on
        contract = _contract(start="2024-12-15", current_term_end="2027-12-14")
        assert _terms([contract]) == {"a": (30, None, 0)}
        # in business the term of the as-of date counts, to 14 December 2026, 347 days ahead
        assert _terms([contract], consumer_rule=False) == {"a": (347, 317, 1)}

    def test_columns_that_are_absent_are_missing(self):
        contracts = pd.DataFrame({"customer_id": ["a"], "start": pd.to_datetime(["2025-06-01"])})
        found = _held({"contracts": contracts}).loc[0]
        assert found[["days_bound", "term_known", "contractual", "mix"]].tolist() == [0, 0, 0, "none"]
        assert pd.isna(found["products"])

    def test_a_term_is_known_of_whom_one_contract_names_it(self):
        contracts = [_contract("a", term_months=1), _contract("a", term_months=None), _contract("b", term_months=0)]
        found = _held({"contracts": pd.DataFrame(contracts)})
        assert found["term_known"].tolist() == [1, 0]


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
        assert found[["days_bound", "notice_by", "term_known"]].isna().all(axis=None)

    def test_who_has_no_product_that_is_named_has_no_number_of_them(self):
        contracts = pd.DataFrame([_contract("a", product_id=None), _contract("b", product_id="p")])
        found = _held({"contracts": contracts})
        assert found["products"].isna().tolist() == [True, False]
        assert found["technical"].tolist() == [0, 0]

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

    def test_bonds_on_the_first_day_are_those_that_the_base_of_that_day_had(self):
        draw = np.random.default_rng(3)
        contracts = [
            _contract(
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
        contracts = pd.DataFrame([_contract("b"), _contract("a"), _contract("c", start="2024-06-01")])
        held = bonds({"contracts": contracts}, as_of=AS_OF)
        assert held_by_contract_only(held, as_of=AS_OF, within_days=120).count().execute() == 0
        found = held_by_contract_only(held, as_of=AS_OF, within_days=121).execute()
        assert found["customer_id"].tolist() == ["a", "b"]
        assert found["notice_by"].tolist() == [pd.Timestamp("2026-05-01")] * 2

    def test_no_day_is_refused(self):
        with pytest.raises(MeasureError, match=r"within_days is 0\. Give 1 day or more"):
            held_by_contract_only(bonds(_tables(), as_of=AS_OF), as_of=AS_OF, within_days=0)


def _count_soon(contracts: pd.DataFrame) -> int | None:
    return notice_soon(bonds({"contracts": contracts}, as_of=AS_OF), as_of=AS_OF, within_days=60).attrs["n"]


class TestNoticeSoon:
    def test_the_soonest_come_first_and_all_are_counted(self):
        # last days of notice: 30 days before the end of a year from the start
        starts = {"a": "2025-03-20", "b": "2025-02-10", "c": "2025-02-10", "d": "2025-06-01"}
        contracts = [_contract(who, start=start, product_id="p") for who, start in starts.items()]
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
        held = bonds({"contracts": pd.DataFrame([_contract(start="2024-06-01")])}, as_of=AS_OF)
        found = notice_soon(held, as_of=AS_OF, within_days=60)
        assert (len(found), found.attrs) == (0, {"n": 0})

    def test_customers_without_contracts_have_no_notice(self):
        orders = pd.DataFrame({"customer_id": ["a"], "date": pd.to_datetime(["2025-12-01"])})
        held = bonds({"transactions": orders}, as_of=AS_OF)
        found = notice_soon(held, as_of=AS_OF, within_days=60)
        assert (len(found), found.attrs) == (0, {"n": None})

    def test_without_any_term_on_record_it_is_unknown_how_many_there_are(self):
        contracts = pd.DataFrame([_contract("a", term_months=None), _contract("b", term_months=None)])
        assert _count_soon(contracts) is None
        assert _count_soon(contracts.drop(columns="term_months")) is None
        contracts.loc[1, "term_months"] = 1
        assert _count_soon(contracts) == 0
        assert _count_soon(contracts.head(0)) == 0

    @pytest.mark.parametrize("column", ["products", "term_known", "notice_by"])
    def test_an_absent_column_is_refused(self, column):
        held = bonds(_tables(), as_of=AS_OF).drop(column)
        with pytest.raises(MeasureError, match=f"column '{column}' is absent"):
            notice_soon(held, as_of=AS_OF, within_days=60)


def _on_record(*kept: str, rules: BondRules | None = None, **changed: pd.DataFrame) -> tuple[str, ...]:
    """Say which kinds of bonds are on record where of the tables only these are there."""
    tables = {name: table for name, table in _tables().items() if name in kept} | changed
    return mix_and_churn(tables, **QUARTER, rules=rules).attrs["on_record"]


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
        empty = _tables()["contracts"].assign(term_months=None, product_id=None)
        assert _on_record(contracts=empty) == ()
        assert _on_record("transactions", contracts=empty) == ("technical",)
        silent = _tables()["surveys"].assign(nps=None)
        anonymous = _tables()["surveys"].assign(customer_id=None)
        praise = _tables()["cases"].assign(kind="praise")
        assert _on_record("contracts", surveys=silent, cases=praise) == ("contractual",)
        assert _on_record("contracts", surveys=anonymous) == ("contractual",)

    def test_what_comes_to_light_later_is_not_on_record_yet(self):
        later = _tables()["surveys"].assign(answered_at=pd.Timestamp("2026-04-01"))
        assert _on_record("contracts", surveys=later) == ("contractual",)

    def test_a_declared_sign_is_on_record(self):
        rules = BondRules(technical={"device": "ja"})
        assert _on_record("contracts", "customers", rules=rules) == ("technical", "contractual")
        rules = BondRules(psychological={"recommended": 2}, min_products=1)
        assert _on_record("contracts", "customers", rules=rules) == ("technical", "contractual", "psychological")


class TestMixAndChurn:
    def test_the_base_is_that_of_today_and_the_churn_that_of_the_first_day(self):
        # a and b in their first term on 1 January, b leaves; a's first term is over by April, c joins, d leaves
        contracts = [_contract("a", start="2025-03-01"), _contract("b", ended_on="2026-02-01")]
        contracts += [_contract("c", start="2026-02-01"), _contract("d", start="2024-06-01", ended_on="2026-03-31")]
        found = mix_and_churn({"contracts": pd.DataFrame(contracts)}, **QUARTER).set_index("mix")
        assert tuple(found.index) == MIXES
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
        contracts = pd.DataFrame([_contract()]).head(0)
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


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_bonds_compile_for_every_engine(dialect):
    contracts = {"customer_id": "string", "contract_id": "string", "start": "date", "ended_on": "date"}
    contracts |= {"term_months": "int64", "notice_days": "int64", "auto_renews": "boolean", "current_term_end": "date"}
    surveys = {"response_id": "string", "customer_id": "string", "answered_at": "timestamp", "nps": "int64"}
    tables = {"contracts": ibis.table(contracts, name="contracts"), "surveys": ibis.table(surveys, name="surveys")}
    held = bonds(tables, as_of=AS_OF, rules=BondRules(consumer_rule=False))
    listed = held_by_contract_only(held, as_of=AS_OF, within_days=30)
    for reduced in (_reduce_mix(held), listed, reduce_soon(held, AS_OF, 30)):
        assert "contractual + psychological" in sql_of(reduced, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_products_are_counted_in_every_engine(dialect):
    named = [ibis.table({"product_id": "string"}, name=name) for name in ("contracts", "transactions")]
    assert "UNION ALL" in sql_of(_reduce_products(named), dialect)
