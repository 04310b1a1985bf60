"""Counts of baskets, and the rules they give."""

from __future__ import annotations

import itertools

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from scipy import stats

from analysis.measures import baskets as module
from analysis.measures.baskets import Counts, bought, count
from analysis.measures.inference import holm
from analysis.measures.rules import family, fisher, rules

BASKETS = ("tea mug", "tea mug jam", "tea mug jam", "tea jam", "mug jam", "tea mug oil", "oil", "oil jam")
BASKETS += ("tea mug jam oil", "tea")
# mlxtend 0.25.0: association_rules(apriori(encoded, min_support=.2, use_colnames=True, max_len=3), metric="support",
# min_threshold=0), rules on one product: support, confidence, lift
MLXTEND = {
    ("jam", "mug"): (0.4, 0.666667, 1.111111),
    ("jam", "oil"): (0.2, 0.333333, 0.833333),
    ("jam", "tea"): (0.4, 0.666667, 0.952381),
    ("jam mug", "tea"): (0.3, 0.750000, 1.071429),
    ("jam tea", "mug"): (0.3, 0.750000, 1.250000),
    ("mug", "jam"): (0.4, 0.666667, 1.111111),
    ("mug", "oil"): (0.2, 0.333333, 0.833333),
    ("mug", "tea"): (0.5, 0.833333, 1.190476),
    ("mug oil", "tea"): (0.2, 1.000000, 1.428571),
    ("mug tea", "jam"): (0.3, 0.600000, 1.000000),
    ("mug tea", "oil"): (0.2, 0.400000, 1.000000),
    ("oil", "jam"): (0.2, 0.500000, 0.833333),
    ("oil", "mug"): (0.2, 0.500000, 0.833333),
    ("oil", "tea"): (0.2, 0.500000, 0.714286),
    ("oil tea", "mug"): (0.2, 1.000000, 1.666667),
    ("tea", "jam"): (0.4, 0.571429, 0.952381),
    ("tea", "mug"): (0.5, 0.714286, 1.190476),
    ("tea", "oil"): (0.2, 0.285714, 0.714286),
}


def items(*baskets: str) -> ibis.Table:
    rows = [(str(number), product) for number, basket in enumerate(baskets) for product in basket.split()]
    return ibis.memtable(pd.DataFrame(rows, columns=["basket", "product_id"]))


def found_rules(counts: Counts) -> pd.DataFrame:
    found = rules(counts)
    product = counts.products.set_index("code")["product_id"].to_dict() | {0: ""}
    parts = [found[name].map(product) for name in ("first", "second")]
    antecedent = [" ".join(sorted(filter(None, pair))) for pair in zip(*parts, strict=True)]
    return found.assign(antecedent=antecedent, product_id=found["consequent"].map(product)).set_index(
        ["antecedent", "product_id"]
    )


def holding(*products: str) -> int:
    return sum(set(products) <= set(basket.split()) for basket in BASKETS)


def test_support_confidence_and_lift_are_those_of_mlxtend():
    found = found_rules(count(items(*BASKETS), min_support=0.2, min_baskets=1))
    assert set(found.index) == set(MLXTEND)
    for rule, expected in MLXTEND.items():
        assert found.loc[rule, ["support", "confidence", "lift"]].tolist() == pytest.approx(expected, abs=1e-6)


def test_p_is_that_of_fishers_exact_test_and_of_two_products_within_those_with_either():
    found = found_rules(count(items(*BASKETS), min_support=0.2, min_baskets=1))
    for (antecedent, consequent), rule in found.iterrows():
        own = antecedent.split()
        assert rule["p"] == pytest.approx(_exact(len(BASKETS), holding(*own), holding(consequent), rule["baskets"]))
        gains = [_exact(holding(one), holding(*own), holding(one, consequent), rule["baskets"]) for one in own]
        assert rule["p_gain"] == pytest.approx(max(gains)) if len(own) == 2 else np.isnan(rule["p_gain"])


def _exact(n: int, a: int, b: int, both: int) -> float:
    table = [[both, a - both], [b - both, n - a - b + both]]
    return stats.fisher_exact(table, alternative="greater").pvalue


def test_p_is_adjusted_over_all_that_could_have_been_found():
    counts = count(items(*BASKETS), min_support=0.3, min_baskets=1)
    # frequent: tea 7, mug 6, jam 6, oil 4: six pairs; of them tea-mug, tea-jam and mug-jam are, so is a triple
    assert family(counts) == 6 + 3
    found = found_rules(counts)
    one_way = [
        ("mug", "tea"),
        ("jam", "tea"),
        ("jam", "mug"),
        ("jam mug", "tea"),
        ("jam tea", "mug"),
        ("mug tea", "jam"),
    ]
    tests = found.loc[one_way]
    expected = holm([*np.fmax(tests["p"], tests["p_gain"]), 1, 1, 1])[:6]
    assert tests["p_adjusted"].tolist() == pytest.approx(expected.tolist())
    other_way = found.loc[[(b, a) for a, b in one_way[:3]], "p_adjusted"]
    assert other_way.tolist() == tests["p_adjusted"].tolist()[:3]


def test_a_third_product_that_adds_nothing_is_no_find():
    # b follows a in 90 of 100; c stands beside them by chance
    baskets = ["a b"] * 60 + ["a b c"] * 30 + ["a"] * 7 + ["a c"] * 3 + ["c"] * 50 + ["d"] * 100
    found = found_rules(count(items(*baskets), min_support=0.02, min_baskets=1))
    assert found.loc[("a", "b"), "p_adjusted"] < 1e-20
    assert found.loc[("a c", "b"), "p"] < 1e-6
    assert found.loc[("a c", "b"), "p_adjusted"] == 1


def test_the_tail_is_exact_over_all_small_tables():
    tables = [
        (both, n, a, b)
        for n in (1, 2, 5, 8)
        for a, b in itertools.product(range(n + 1), repeat=2)
        for both in range(max(0, a + b - n), min(a, b) + 1)
    ]
    both, n, a, b = np.array(tables).T
    assert fisher(both, n, a, b).tolist() == pytest.approx(stats.hypergeom.sf(both - 1, n, a, b).tolist(), abs=1e-14)


def test_the_tail_holds_for_many_baskets_far_out_and_near_the_mean():
    both, n, a, b = np.array([[70, 900, 1000, 1040, 1200], [100_000] * 5, [10_000] * 5, [10_000] * 5])
    assert fisher(both, n, a, b) == pytest.approx(stats.hypergeom.sf(both - 1, n, a, b), rel=1e-8)
    # a product in every basket, and the most that can be
    assert fisher([50, 50], 100, [100, 50], [50, 50]).tolist() == pytest.approx([1, 1 / 1.0089134454556e29])


def test_support_is_reached_by_whole_baskets_whatever_the_rounding():
    # .07 · 100 is 7.000000000000001
    baskets = ["a b"] * 7 + ["c"] * 93
    assert len(count(items(*baskets), min_support=0.07, min_baskets=1).pairs) == 1
    assert len(count(items(*baskets), min_support=0.0701, min_baskets=1).pairs) == 0
    assert len(count(items(*baskets), min_support=0.001, min_baskets=8).pairs) == 0


def test_codes_do_not_hang_on_the_order_of_rows():
    forwards = count(items(*BASKETS), min_support=0.2, min_baskets=1)
    backwards = count(items(*BASKETS[::-1]), min_support=0.2, min_baskets=1)
    assert forwards.products["product_id"].tolist() == ["tea", "jam", "mug", "oil"]  # 7, then 6 by name, 4
    for name in ("products", "pairs", "triples"):
        pd.testing.assert_frame_equal(getattr(forwards, name), getattr(backwards, name))


def test_a_basket_is_an_order_else_a_day_and_what_is_sent_back_is_not_in_it():
    lines = pd.DataFrame(
        [
            ("k", "1", "2026-01-01", "tea", 5),
            ("k", "1", "2026-01-01", "tea", 5),
            ("k", "1", "2026-01-02", "mug", 0),
            ("k", None, "2026-01-02", "öl", 5),
            ("k", None, "2026-01-02", "jam", 5),
            ("k", None, "2026-01-03", "jam", 5),
            ("m", None, "2026-01-02", "jam", 5),
            ("m", "1", "2026-01-02", "hat", -5),
            (None, "9", "2026-01-02", "hat", 5),
            ("m", "1", "2026-01-02", None, 5),
        ],
        columns=["customer_id", "transaction_id", "date", "product_id", "cents"],
    )
    found = (
        bought(ibis.memtable(lines))
        .execute()
        .groupby("basket")["product_id"]
        .agg(lambda names: " ".join(sorted(names)))
    )
    assert sorted(found) == ["jam", "jam", "jam öl", "mug tea"]
    by_day = bought(ibis.memtable(lines.drop(columns="transaction_id"))).execute()
    assert by_day["basket"].nunique() == 4


@pytest.mark.parametrize("baskets", [(), ("a",), ("a", "b"), ("a b",)])
def test_without_enough_together_there_are_no_rules(baskets):
    counts = count(items(*baskets), min_support=0.01, min_baskets=2)
    assert rules(counts).empty
    assert family(counts) == 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_compiles_for_every_engine(dialect):
    table = ibis.table({"basket": "string", "product_id": "string"}, name="items")
    for reduce in (module._reduce_products, module._reduce_pairs, module._reduce_triples):
        assert "SELECT" in sql_of(reduce(table, 5), dialect)
    assert "SELECT" in sql_of(module._reduce_baskets(table), dialect)
