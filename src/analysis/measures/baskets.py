"""Baskets: how often two and three products stand in one order, counted in the engine."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.frames import binary_order


@dataclass(frozen=True)
class Counts:
    """In how many baskets the products that are frequent stand: alone (a), by two (a, b) and by three (a, b, c).

    ``products`` names them by ``code``, which the others use; each set stands once. All frames have ``baskets``.
    """

    baskets: int
    products: pd.DataFrame
    pairs: pd.DataFrame
    triples: pd.DataFrame


def order_of(lines: ir.Table) -> ir.Value:
    """Return a text that says which order a line is of: ``transaction_id``, else customer and day."""
    day = ibis.literal("d") + lines["customer_id"].cast("string") + " " + lines["date"].cast("date").cast("string")
    if "transaction_id" not in lines.columns:
        return day
    return (ibis.literal("o") + lines["transaction_id"].cast("string")).coalesce(day)


def bought(lines: ir.Table) -> ir.Table:
    """Return what was bought in each order, once: basket, product_id. Lines with negative revenue buy nothing."""
    named = lines.filter(lines["cents"] >= 0, lines["product_id"].notnull(), lines["customer_id"].notnull())
    return named.select("product_id", basket=order_of(named)).distinct()


def count(items: ir.Table, *, min_support: float, min_baskets: int) -> Counts:
    """Count products, pairs and triples that stand in enough baskets of all.

    >>> items = ibis.memtable(pd.DataFrame({"basket": list("112233"), "product_id": list("ababac")}))
    >>> found = count(items, min_support=0.5, min_baskets=1)
    >>> found.baskets, found.products["product_id"].tolist(), found.pairs.to_numpy().tolist()
    (3, ['a', 'b'], [[1, 2, 2]])
    """
    baskets = int(_reduce_baskets(items).execute().iat[0, 0])
    # a share times a count that is a whole number but for rounding is that number
    least = max(min_baskets, _ceiling(min_support * baskets))
    products = _reduce_products(items, least).execute().sort_values("code", ignore_index=True)
    pairs = _reduce_pairs(items, least).execute().sort_values(["a", "b"], ignore_index=True)
    triples = pd.DataFrame(columns=["a", "b", "c", "baskets"], dtype="int64")
    if len(pairs) > 2:
        triples = _reduce_triples(items, least).execute().sort_values(["a", "b", "c"], ignore_index=True)
    return Counts(baskets, products, pairs, triples)


def buyers(lines: ir.Table, sets: pd.DataFrame) -> pd.Series:
    """Count the customers who ever ordered all products of a set at once, by set.

    Columns in, of sets: set (a number), product_id, one row each.
    """
    known = sets.assign(size=sets.groupby("set")["product_id"].transform("size"))
    wanted = ibis.memtable(known, schema={"set": "int64", "product_id": "string", "size": "int64"})
    return _reduce_buyers(lines, wanted).execute().set_index("set")["customers"]


def _reduce_buyers(lines: ir.Table, sets: ir.Table) -> ir.Table:
    named = lines.filter(lines["cents"] >= 0, lines["customer_id"].notnull())
    items = named.select("product_id", "customer_id", basket=order_of(named)).inner_join(sets, "product_id")
    held = items.group_by("set", "size", "customer_id", "basket").aggregate(products=items["product_id"].nunique())
    whole = held.filter(held["products"] == held["size"])
    return whole.group_by("set").aggregate(customers=whole["customer_id"].nunique())


def _ceiling(value: float) -> int:
    return -int(-(value - 1e-9) // 1)


def _reduce_baskets(items: ir.Table) -> ir.Table:
    return items.aggregate(baskets=items["basket"].nunique())


def _reduce_products(items: ir.Table, least: int) -> ir.Table:
    """One row a frequent product: product_id, baskets, code (1, 2, ... by descending count)."""
    counted = items.group_by("product_id").aggregate(baskets=items.count())
    counted = counted.filter(counted["baskets"] >= least)
    order = [counted["baskets"].desc(), binary_order(counted, "product_id")]
    return counted.mutate(code=1 + ibis.row_number().over(ibis.window(order_by=order)))


def _coded(items: ir.Table, least: int) -> ir.Table:
    """Keep the frequent products: basket, code."""
    return items.inner_join(_reduce_products(items, least), "product_id").select("basket", "code")


def _reduce_pairs(items: ir.Table, least: int) -> ir.Table:
    return _frequent(_pairs(_coded(items, least)), ("a", "b"), least)


def _pairs(coded: ir.Table) -> ir.Table:
    """One row a basket and pair in it: basket, a, b."""
    one, other = coded.rename(a="code"), coded.rename(_basket="basket", b="code")
    return one.inner_join(other, [one["basket"] == other["_basket"], one["a"] < other["b"]]).select("basket", "a", "b")


def _frequent(sets: ir.Table, members: tuple[str, ...], least: int) -> ir.Table:
    counted = sets.group_by(list(members)).aggregate(baskets=sets.count())
    return counted.filter(counted["baskets"] >= least)


def _reduce_triples(items: ir.Table, least: int) -> ir.Table:
    """Count triples all whose pairs are frequent; no other can be."""
    pairs = _pairs(_coded(items, least))
    frequent = _frequent(pairs, ("a", "b"), least)
    # they differ anyway, but an engine that takes the rows for few would join products before baskets
    kept = pairs.semi_join(frequent, ["a", "b"]).distinct()
    other = kept.rename(_basket="basket", _a="a", c="b")
    same = [kept["basket"] == other["_basket"], kept["a"] == other["_a"], kept["b"] < other["c"]]
    triples = kept.inner_join(other, same).select("a", "b", "c")
    return _frequent(triples.semi_join(frequent.select(b="a", c="b"), ["b", "c"]), ("a", "b", "c"), least)
