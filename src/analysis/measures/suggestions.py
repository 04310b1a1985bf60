"""Which offers fit which customer, by rules and by popularity; and which of both lists customers took up later."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.measures.baskets import bought
from analysis.measures.frames import binary_order
from analysis.measures.inference import normal_quantile

FEWEST_CUSTOMERS = 30
"""Customers who were given offers and came back, below whom nothing is said of the lists."""

_CANDIDATE = ibis.schema(
    {"place": "int64", "first": "string", "second": "string", "product_id": "string", "name": "string"}
    | {"reason": "string", "reason_name": "string"}
    | dict.fromkeys(("confidence", "lift", "margin", "expected_margin"), "float64")
)


def holdings(lines: ir.Table) -> ir.Table:
    """Return what each customer ever bought: customer_id, product_id."""
    named = lines.filter(lines["cents"] >= 0, lines["product_id"].notnull(), lines["customer_id"].notnull())
    return named.select("customer_id", "product_id").distinct()


def suggested(held: ir.Table, candidates: pd.DataFrame, most: int) -> ir.Table:
    """Return each customer's best offers not yet held, as an unexecuted table: customer_id, rank and the candidate's.

    Columns in, of candidates, best first: first, second (products that must be held; the latter may be missing),
    product_id, name, reason, reason_name, confidence, lift, margin, expected_margin.

    >>> held = ibis.memtable(pd.DataFrame({"customer_id": ["k", "k", "m"], "product_id": ["tea", "mug", "tea"]}))
    >>> rule = pd.DataFrame({"first": ["tea"], "second": [None], "product_id": ["mug"], "confidence": [0.4]})
    >>> suggested(held, rule, 1)[["customer_id", "rank", "product_id", "confidence"]].execute()
      customer_id  rank product_id  confidence
    0           m     1        mug         0.4
    """
    ordered = candidates.assign(place=np.arange(len(candidates))).reindex(columns=list(_CANDIDATE.names))
    known = ibis.memtable(ordered.astype(object).where(ordered.notna(), None), schema=_CANDIDATE)
    return _best(held, known, most).inner_join(known.drop("product_id"), "place").drop("place", "first", "second")


def _best(held: ir.Table, known: ir.Table, most: int) -> ir.Table:
    """One row a customer and offer: customer_id, product_id, rank, place (of the best candidate)."""
    fits = held.select("customer_id", first="product_id").inner_join(known, "first")
    also = held.select(_customer="customer_id", _also="product_id")
    of_two = fits.inner_join(also, [fits["customer_id"] == also["_customer"], fits["second"] == also["_also"]])
    names = ("customer_id", "product_id", "place")
    fitting = fits.filter(fits["second"].isnull()).select(*names).union(of_two.select(*names))
    fitting = fitting.anti_join(held, ["customer_id", "product_id"])
    best = fitting.group_by("customer_id", "product_id").aggregate(place=fitting["place"].min())
    ranked = best.mutate(rank=1 + ibis.row_number().over(ibis.window(group_by="customer_id", order_by="place")))
    return ranked.filter(ranked["rank"] <= most).relocate("rank", after="customer_id")


def precision(
    before: ir.Table, after: ir.Table, candidates: pd.DataFrame, *, most: int, confidence: float
) -> pd.DataFrame:
    """Say which share of offers made before was bought after, beside as many most popular products not yet held.

    Both lists go to the same customers: those for whom there is a rule and who came back. The verdict is on the k-th
    offers alone, as a strong first offer would carry weak ones behind it.

    Columns out: k (offers a customer at most), rules, popular (shares of offers taken up, 0 to 1), difference, low,
    high, offers, n (customers), gain, gain_low, gain_high (the difference of the k-th offers alone), n_kth (customers
    who have one), verdict (up: rules are better; down; within noise; too few, under 30 such customers, without the
    interval). One row a k, 1 to ``most``.

    Source: ratio of sums over customers, linearised, with two customers more, as Agresti and Min (2005), Statistics in
    Medicine 24, 729-740, have it for matched shares, which this is for k = 1.
    """
    z = normal_quantile(confidence, "next_offers")
    nobody = pd.DataFrame(columns=["k", "alone", "offers", "rules", "popular", "customers"], dtype="int64")
    found = nobody if candidates.empty else _reduce_trial(before, after, candidates, most).execute()
    return pd.DataFrame([_compared(k, found[found["k"] == k], z) for k in range(1, most + 1)])


def _reduce_trial(before: ir.Table, after: ir.Table, candidates: pd.DataFrame, most: int) -> ir.Table:
    """One row a k and distinct numbers of offers and of those taken from either list: with how many customers."""
    held, came = holdings(before), holdings(after)
    offered = suggested(held, candidates, most).select("customer_id", "rank", "product_id")
    offered = offered.semi_join(came, "customer_id")
    rules = _taken(offered, came)
    popular = _taken(_popular(before, held.semi_join(offered, "customer_id"), most), came).rename(popular="taken")
    both = rules.left_join(popular, ["customer_id", "rank"])
    parts = [_within(both, k, alone) for k in range(1, most + 1) for alone in (False, True)]
    return ibis.union(*parts)


def _taken(offered: ir.Table, came: ir.Table) -> ir.Table:
    """One row a customer and rank: customer_id, rank, taken (1 where the offer was bought, else 0)."""
    joined = offered.left_join(came, ["customer_id", "product_id"])
    return joined.select("customer_id", "rank", taken=joined["product_id_right"].notnull().ifelse(1, 0))


def _within(both: ir.Table, k: int, alone: bool) -> ir.Table:
    """Count customers by what became of their first k offers, or of their k-th alone."""
    within = both.filter(both["rank"] == k) if alone else both.filter(both["rank"] <= k)
    customers = within.group_by("customer_id").aggregate(
        offers=within.count(), rules=within["taken"].sum(), popular=within["popular"].sum().coalesce(0)
    )
    counts = customers.group_by("offers", "rules", "popular").aggregate(customers=customers.count())
    return counts.mutate(k=ibis.literal(k, type="int64"), alone=ibis.literal(int(alone), type="int64"))


def _popular(before: ir.Table, held: ir.Table, most: int) -> ir.Table:
    """Return each customer's most popular products not yet held: customer_id, rank, product_id.

    With what the customer holds in the order of popularity, position less number is how many not held lie before; so
    the i-th not held stands at i plus the number held with fewer than i before: no customer meets every product.
    """
    ranked = _ranked(before)
    known = held.inner_join(ranked, "product_id")
    in_order = ibis.window(group_by=known["customer_id"], order_by=known["position"])
    known = known.mutate(before=known["position"] - 1 - ibis.row_number().over(in_order))
    ranks = range(1, most + 1)
    passed = known.group_by("customer_id").aggregate(
        **{f"passed_{rank}": (known["before"] < rank).ifelse(1, 0).sum() for rank in ranks}
    )
    places = [passed.select("customer_id", rank=rank, position=passed[f"passed_{rank}"] + rank) for rank in ranks]
    listed = ibis.union(*places) if most > 1 else places[0]
    return listed.inner_join(ranked, "position").select("customer_id", "rank", "product_id")


def _ranked(before: ir.Table) -> ir.Table:
    items = bought(before)
    counted = items.group_by("product_id").aggregate(baskets=items.count())
    order = [counted["baskets"].desc(), binary_order(counted, "product_id")]
    return counted.select("product_id", position=1 + ibis.row_number().over(ibis.window(order_by=order)))


def _compared(k: int, found: pd.DataFrame, z: float) -> dict[str, object]:
    all_k, kth = found[found["alone"] == 0], found[found["alone"] == 1]
    n, made, rules, popular, low, high = _shares(all_k, z)
    n_kth, _, kth_rules, kth_popular, gain_low, gain_high = _shares(kth, z)
    verdict = "too few" if np.isnan(gain_low) else "up" if gain_low > 0 else "down" if gain_high < 0 else "within noise"
    ends = {"difference": rules - popular, "low": low, "high": high, "offers": made, "n": n}
    gain = {"gain": kth_rules - kth_popular, "gain_low": gain_low, "gain_high": gain_high, "n_kth": n_kth}
    return {"k": k, "rules": rules, "popular": popular, **ends, **gain, "verdict": verdict}


def _shares(found: pd.DataFrame, z: float) -> tuple[int, int, float, float, float, float]:
    """Return customers, offers, the share of them taken from either list, and the ends of the difference."""
    customers, offers = found["customers"], found["offers"]
    n, made = int(customers.sum()), int((customers * offers).sum())
    rules, popular = (
        float((customers * found[name]).sum() / made) if made else np.nan for name in ("rules", "popular")
    )
    low, high = np.nan, np.nan
    if n >= FEWEST_CUSTOMERS:
        low, high = _ends(customers, offers, found["rules"] - found["popular"], z)
    return n, made, rules, popular, low, high


def _ends(customers: pd.Series, offers: pd.Series, gained: pd.Series, z: float) -> tuple[float, float]:
    """Return the interval of offers gained per offer made, with two more of mean offers, with half a gain each."""
    mean = (customers * offers).sum() / customers.sum()
    weight = np.concatenate([customers, [0.5, 1, 0.5]])
    made, gain = np.concatenate([offers, [mean] * 3]), np.concatenate([gained, [-1, 0, 1]])
    share = (weight * gain).sum() / (weight * made).sum()
    half = z * np.sqrt((weight * (gain - share * made) ** 2).sum()) / (weight * made).sum()
    return max(float(share - half), -1.0), min(float(share + half), 1.0)
