"""What to offer next, to whom, and whether that is justified."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from pilot_orders import pilot_lines

from analysis.errors import MeasureError
from analysis.measures import baskets, suggestions
from analysis.measures import offers as module
from analysis.measures.goods import with_goods
from analysis.measures.offers import next_offers
from analysis.pilot.truth import truths

SPLIT = dt.date(2026, 7, 1)


def shop(customers: int = 600, seed: int = 1, *, loyal: float = 0.6) -> pd.DataFrame:
    """Two orders a customer: who has a filter buys paper with it or, with that chance, later; bread is what all buy."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        has_filter, together = draw.random() < 0.5, draw.random() < 0.5
        first = (
            ["Filter", *(["Paper"] if together else [])]
            if has_filter
            else [draw.choice(["Bread", "Öl", "Jam"], p=[0.8, 0.1, 0.1])]
        )
        follows = has_filter and draw.random() < loyal
        second = [draw.choice(["Paper"] if follows else ["Bread", "Öl", "Jam", "Tea"])]
        rows += [(number, "2026-01-05", product) for product in first]
        rows += [(number, "2026-08-05", product) for product in second]
    lines = pd.DataFrame(rows, columns=["customer_id", "date", "product_id"])
    lines = lines.assign(customer_id=lines["customer_id"].map("k{:04}".format), date=pd.to_datetime(lines["date"]))
    return lines.assign(revenue=10.0, cost=6.0)


def test_where_rules_beat_the_most_popular_the_offers_go_to_who_fits_and_holds_it_not():
    lines = shop()
    found = next_offers(lines, split=SPLIT)
    assert found.justified == 1
    assert found.notes == ()
    offers = found.offers.order_by("customer_id").execute()
    held = lines.groupby("customer_id")["product_id"].agg(set)
    fitting = [customer for customer, products in held.items() if "Filter" in products and "Paper" not in products]
    assert offers["customer_id"].tolist() == fitting
    assert set(offers["reason"]) == {"Filter"}
    assert set(offers["product_id"]) == {"Paper"}
    rule = found.rules.set_index(["antecedent", "consequent"]).loc[("Filter", "Paper")]
    assert offers["confidence"].unique().tolist() == [rule["confidence"]]
    # 4 of each order of paper
    assert offers["expected_margin"].unique().tolist() == pytest.approx([4 * rule["confidence"]])


def test_where_the_past_says_nothing_of_what_follows_nothing_is_offered_and_that_is_said():
    found = next_offers(shop(loyal=0.0), split=SPLIT)
    assert found.rules["p_adjusted"].iat[0] < 1e-9
    assert found.precision["verdict"].iat[0] == "down"
    assert found.justified == 0
    assert found.offers.execute().empty
    assert found.notes == (
        "On later purchases the rules do not beat the most popular products, so nothing is offered.",
    )


def test_too_few_who_came_back_are_no_trial():
    found = next_offers(shop(90), split=SPLIT)
    assert found.precision["verdict"].tolist() == ["too few"] * 3
    n = found.precision["n"].iat[0]
    assert 0 < n < 30
    assert found.precision[["low", "high", "gain_low"]].isna().all(axis=None)
    assert found.notes == (
        f"The rules could not be tried: {n} customers fitted one and came back, 30 are needed. So nothing is offered.",
    )


def lasting(customers: int, seed: int) -> pd.DataFrame:
    """Orders of one to four of eight products of differing margins, some of which go together, over a year."""
    draw = np.random.default_rng(seed)
    product = np.array(list("abcdefgh"))
    rows = []
    for order in range(3 * customers):
        size, group = draw.integers(1, 5), draw.integers(0, 2)
        weights = np.where((np.arange(8) % 2) == group, 4.0, 1.0) * (9 - np.arange(8))
        basket = draw.choice(8, size, replace=False, p=weights / weights.sum())
        day = pd.Timestamp("2026-01-01") + pd.Timedelta(days=int(draw.integers(0, 360)))
        customer = f"k{draw.integers(0, customers)}"
        rows += [(customer, f"o{order}", day, product[at], 10.0, 9.0 - at / 2) for at in basket]
    columns = ["customer_id", "transaction_id", "date", "product_id", "revenue", "cost"]
    return pd.DataFrame(rows, columns=columns)


def test_precision_is_what_counting_customer_by_customer_gives():
    lines = lasting(400, 3)
    before, after = (lines[is_in] for is_in in (lines["date"] < "2026-09-01", lines["date"] >= "2026-09-01"))
    found = next_offers(lines, split=dt.date(2026, 9, 1), most=3)
    known = next_offers(before).rules
    margin = before.groupby("product_id").apply(lambda rows: (rows["revenue"] - rows["cost"]).mean())
    sure = known[known["p_adjusted"] < 0.05]
    assert len(sure) > 4
    held, came = (part.groupby("customer_id")["product_id"].agg(set) for part in (before, after))
    sizes = before.groupby("product_id")["transaction_id"].nunique()
    popular = sorted(sizes.index, key=lambda name: (-sizes[name], name))
    hits, made = {1: Counter(), 2: Counter(), 3: Counter()}, Counter()
    for customer in set(held.index) & set(came.index):
        best: dict[str, float] = {}
        for rule in sure.itertuples():
            if set(rule.antecedent.split(" + ")) <= held[customer] and rule.consequent not in held[customer]:
                worth = rule.confidence * margin[rule.consequent]
                best[rule.consequent] = max(best.get(rule.consequent, 0), worth)
        fitting = sorted(best, key=lambda name: -best[name])
        liked = [name for name in popular if name not in held[customer]]
        for k in hits:
            made[k] += len(fitting[:k])
            hits[k]["rules"] += len(set(fitting[:k]) & came[customer])
            hits[k]["popular"] += len(set(liked[: len(fitting[:k])]) & came[customer])
            hits[k]["n"] += bool(fitting)
    for k, row in found.precision.set_index("k").iterrows():
        assert row[["offers", "n"]].tolist() == [made[k], hits[k]["n"]]
        assert row[["rules", "popular"]].tolist() == pytest.approx(
            [hits[k][name] / made[k] for name in ("rules", "popular")]
        )


def test_the_interval_of_one_offer_is_that_of_agresti_and_min():
    # of 100 customers 30 took the rule's offer only, 10 the popular one only, 5 both; half a customer more in
    # each cell: (30 - 10) / 102 ± z · √((30.5 + 10.5 - 20² / 102) / 102²)
    counts = pd.DataFrame(
        {"offers": 1, "rules": [1, 0, 1, 0], "popular": [0, 1, 1, 0], "customers": [30, 10, 5, 55], "alone": 0, "k": 1}
    )
    row = suggestions._compared(1, pd.concat([counts, counts.assign(alone=1)]), 1.959964)
    half = 1.959964 * (41 - 400 / 102) ** 0.5 / 102
    assert [row["low"], row["high"]] == pytest.approx([20 / 102 - half, 20 / 102 + half])
    assert [row["gain_low"], row["gain_high"]] == [row["low"], row["high"]]
    assert [row["difference"], row["gain"], row["n"], row["verdict"]] == pytest.approx([0.2, 0.2, 100, "up"])


def test_interval_of_several_offers_holds_the_truth_in_about_95_of_100():
    draw = np.random.default_rng(4)
    held = 0
    for _trial in range(400):
        offers = draw.integers(1, 4, 150)
        rules, popular = draw.binomial(offers, 0.2), draw.binomial(offers, 0.15)
        counts = pd.DataFrame({"offers": offers, "rules": rules, "popular": popular, "customers": 1})
        low, high = suggestions._shares(counts, 1.959964)[-2:]
        held += low < 0.05 < high
    assert 0.92 < held / 400 < 0.98


def test_a_weak_second_offer_is_not_carried_by_a_strong_first_one():
    base = {"popular": 0, "k": 2}
    both = pd.DataFrame({"offers": 2, "rules": [1, 0], "customers": [150, 50], "alone": 0} | base)
    second = pd.DataFrame({"offers": 1, "rules": [0, 0], "popular": [1, 0], "customers": [40, 160], "alone": 1, "k": 2})
    row = suggestions._compared(2, pd.concat([both, second]), 1.959964)
    assert row["low"] > 0
    assert row["verdict"] == "down"


def test_offers_that_earn_nothing_are_not_made_and_unknown_margins_come_last():
    weak = shop().assign(cost=lambda rows: rows["cost"].where(rows["product_id"] != "Paper", 11.0))
    assert next_offers(weak, split=SPLIT).offers.execute().empty
    unknown = next_offers(shop().drop(columns="cost"), split=SPLIT)
    offers = unknown.offers.execute()
    assert unknown.justified == 1
    assert offers["expected_margin"].isna().all()
    assert len(offers) > 30
    assert unknown.notes == ("The margin of 2 products that might be offered is unknown; they come last.",)


def test_best_offers_first_one_a_product_with_the_better_reason():
    held = ibis.memtable(pd.DataFrame({"customer_id": ["k", "k", "m", "m"], "product_id": ["a", "b", "a", "d"]}))
    candidates = pd.DataFrame(
        [
            ("a", "b", "c", "a + b", 0.9),
            ("a", None, "d", "a", 0.5),
            ("a", None, "c", "a", 0.4),
            ("b", None, "e", "b", 0.3),
        ],
        columns=["first", "second", "product_id", "reason", "confidence"],
    )
    found = suggestions.suggested(held, candidates, 2).order_by(["customer_id", "rank"]).execute()
    assert found[["customer_id", "rank", "product_id", "reason"]].to_numpy().tolist() == [
        ["k", 1, "c", "a + b"],
        ["k", 2, "d", "a"],
        ["m", 1, "c", "a"],
    ]


def test_names_stand_beside_ids_and_missing_ones_are_the_ids():
    products = pd.DataFrame({"product_id": ["Filter", "Paper"], "name": ["Wasserfilter Größe 4", None]})
    found = next_offers(shop(), products, split=SPLIT)
    names = found.rules.set_index(["antecedent", "consequent"])[["antecedent_name", "consequent_name"]]
    assert names.loc[("Filter", "Paper")].tolist() == ["Wasserfilter Größe 4", "Paper"]
    assert set(found.offers.execute()["reason_name"]) == {"Wasserfilter Größe 4"}


def test_without_a_split_the_last_fifth_of_the_days_is_the_trial():
    days = shop().assign(date=lambda rows: rows["date"].where(rows["date"] > "2026-06-01", pd.Timestamp("2026-07-28")))
    # 28 July to 5 August are nine days; the last is for the trial
    assert next_offers(days).split == dt.date(2026, 8, 5)
    assert next_offers(days).justified == 1


def test_order_of_rows_and_kind_of_table_make_no_difference():
    lines = shop(300)
    before = lines.copy()
    found = next_offers(lines, split=SPLIT)
    other = next_offers(ibis.memtable(lines.iloc[::-1]), split=SPLIT)
    pd.testing.assert_frame_equal(found.rules, other.rules)
    pd.testing.assert_frame_equal(found.precision, other.precision)
    by = ["customer_id", "rank"]
    pd.testing.assert_frame_equal(found.offers.order_by(by).execute(), other.offers.order_by(by).execute())
    pd.testing.assert_frame_equal(lines, before)


@pytest.mark.parametrize("lines", [shop(3).head(0), shop(1), shop(40).assign(product_id="Tea"), shop(3)])
def test_little_or_nothing_gives_no_rules_and_says_so(lines):
    found = next_offers(lines)
    assert found.rules.empty
    assert found.offers.execute().empty
    assert found.precision["n"].tolist() == [0, 0, 0]
    assert found.notes == ("No products stand together beyond chance in enough baskets.",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_support": 0}, "next_offers: min_support is 0. Give a share between 0 and 1, such as 0.01."),
        ({"min_baskets": 0}, "next_offers: min_baskets is 0. Give 1 or more."),
        ({"most": 0}, "next_offers: most is 0. Give 1 or more."),
        ({"confidence": 0}, "next_offers: confidence is 0. Give a share between 0 and 1, such as 0.95."),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(MeasureError) as refused:
        next_offers(shop(3), **settings)
    assert str(refused.value) == message


def test_the_planted_pair_of_the_pilot_company_is_found_and_nothing_else():
    planted = truths(5000, 0, [])["offers"]
    found = next_offers(pilot_lines(0)).rules
    sure = found[found["p_adjusted"] < 0.05]
    assert set(sure["antecedent"]) == set(sure["consequent"]) == set(planted["pair"])
    # two in a hundred of 26,000 baskets have both: the standard error of the lift is about 3 %
    assert sure["lift"].tolist() == pytest.approx([planted["pair_lift"]] * 2, rel=0.1)
    assert sure["support"].tolist() == pytest.approx([planted["pair_support"]] * 2, rel=0.1)


def test_a_shop_to_which_few_return_is_offered_nothing(public_data: Path):
    lines = olist(public_data)
    found = next_offers(lines, min_support=0.0005)
    assert found.baskets == lines["transaction_id"].nunique()
    assert found.justified == 0
    assert len(found.notes) == 1


def olist(public_data: Path) -> pd.DataFrame:
    folder = public_data / "olist"
    items, orders, customers = (
        pd.read_csv(next(folder.glob(f"*{name}_dataset.csv"))) for name in ("order_items", "orders", "customers")
    )
    lines = items.merge(orders, on="order_id").merge(customers, on="customer_id")
    return pd.DataFrame(
        {
            "customer_id": lines["customer_unique_id"],
            "transaction_id": lines["order_id"],
            "date": pd.to_datetime(lines["order_purchase_timestamp"]),
            "product_id": lines["product_id"],
            "revenue": lines["price"],
        }
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_compiles_for_every_engine(dialect):
    lines = ibis.table(
        {"customer_id": "string", "date": "date", "revenue": "float64", "transaction_id": "string"}
        | {"product_id": "string", "cost": "float64"},
        name="transactions",
    )
    known = with_goods("next_offers", lines, None)
    rule = pd.DataFrame({"first": ["a"], "second": [None], "product_id": ["b"], "confidence": [0.5]})
    assert "SELECT" in sql_of(module._reduce_worth(known, pd.DataFrame({"product_id": ["a"]})), dialect)
    assert "SELECT" in sql_of(suggestions._reduce_trial(known, known, rule, 2), dialect)
    assert "SELECT" in sql_of(suggestions.suggested(suggestions.holdings(known), rule, 2), dialect)
    sets = ibis.table({"set": "int64", "product_id": "string", "size": "int64"}, name="sets")
    assert "SELECT" in sql_of(baskets._reduce_buyers(known, sets), dialect)


def test_a_rule_says_how_many_customers_it_rests_on():
    # 30 orders of tea and mug by two customers, 30 of jam alone, 30 of oil alone
    together = [("k" if order % 3 else "m", f"{order}", product) for order in range(30) for product in ("tea", "mug")]
    alone = [(f"c{order}", f"{order + 30}", "jam" if order % 2 else "oil") for order in range(60)]
    lines = pd.DataFrame([*together, *alone], columns=["customer_id", "transaction_id", "product_id"])
    sent_back = lines.head(2).assign(customer_id="x", transaction_id="99", revenue=-5.0)
    lines = pd.concat([lines.assign(revenue=5.0), sent_back]).assign(date=pd.Timestamp("2026-01-05"))
    found = next_offers(lines, min_support=0.001, min_baskets=1).rules
    assert found.loc[found["p_adjusted"] < 0.05, "customers"].tolist() == [2, 2]
    assert found.loc[found["p_adjusted"] >= 0.05, "customers"].isna().all()
