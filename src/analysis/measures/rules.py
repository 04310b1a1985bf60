"""Rules: who buys this also buys that, with support, confidence, lift and a test, from counts of baskets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from analysis.measures.baskets import Counts
from analysis.measures.inference import Floats

_NEGLIGIBLE = 1e-17


def rules(counts: Counts) -> pd.DataFrame:
    """Return all rules whose products stand together often enough, in both and all three directions.

    ``p`` is Fisher's exact one-sided test that the consequent stands more often in baskets with the antecedent than in
    others. A rule of two products on a third has ``p_gain`` besides: the larger p of the same test within the baskets
    that hold one of the two, so that it adds to both simpler rules. ``p_adjusted`` is the larger of both after Holm,
    over all that could have been found: every pair of frequent products, and three rules of every three of them whose
    pairs are frequent, whether or not they came to stand together often enough.

    Columns out: first, second (codes; 0 without), consequent (code), support, confidence, lift, baskets, p, p_gain,
    p_adjusted.

    >>> products = pd.DataFrame({"code": [1, 2], "product_id": ["a", "b"], "baskets": [5, 4]})
    >>> pairs = pd.DataFrame({"a": [1], "b": [2], "baskets": [4]})
    >>> none = pd.DataFrame(columns=["a", "b", "c", "baskets"], dtype="int64")
    >>> rules(Counts(10, products, pairs, none))[["first", "consequent", "confidence", "lift", "p"]].round(3)
       first  consequent  confidence  lift      p
    0      1           2         0.8   2.0  0.024
    1      2           1         1.0   2.0  0.024
    """
    size = pd.Series(counts.products["baskets"].to_numpy(), index=counts.products["code"].to_numpy())
    pairs, triples = _of_pairs(counts, size), _of_triples(counts, size)
    found = pd.concat([pairs, triples], ignore_index=True)
    both, antecedent, consequent = (found[name].to_numpy() for name in ("baskets", "_antecedent", "_consequent"))
    p = fisher(both, counts.baskets, antecedent, consequent)
    confidence = both / antecedent
    return pd.DataFrame(
        {
            **{name: found[name] for name in ("first", "second", "consequent")},
            "support": both / max(counts.baskets, 1),
            "confidence": confidence,
            "lift": confidence * counts.baskets / consequent,
            "baskets": both,
            "p": p,
            "p_gain": found["p_gain"],
            "p_adjusted": _adjusted(np.fmax(p, found["p_gain"].to_numpy()), len(pairs), counts),
        }
    )


def fisher(both: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the chance of at least ``both`` in common of ``a`` and ``b`` drawn independently from ``n``.

    The terms of the sum follow from one another, over all tables at once.

    Source: Fisher (1935), Journal of the Royal Statistical Society 98, 39-82; the hypergeometric upper tail.

    >>> fisher([4, 0], 10, [5, 5], [4, 4]).round(6).tolist()
    [0.02381, 1.0]
    """
    tables = np.broadcast_arrays(*(np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (both, n, a, b)))
    both, n, a, b = tables
    is_above = both * n > a * b
    # below the mean the other tail is the short one
    start = np.where(is_above, both, both - 1)
    tail = _tail(start, n, a, b, is_above)
    found: Floats = np.where(is_above, tail, 1 - tail).clip(0, 1)
    return found


def _tail(start: Floats, n: Floats, a: Floats, b: Floats, up: NDArray[np.bool_]) -> Floats:
    """Sum the chances from ``start`` on, up or down, until a term adds nothing."""
    lowest, highest = np.maximum(0, a + b - n), np.minimum(a, b)
    total, live = np.zeros(start.shape), (start >= lowest) & (start <= highest)
    k, n, a, b, up = start[live], n[live], a[live], b[live], up[live]
    term = np.exp(_log_choose(a, k) + _log_choose(n - a, b - k) - _log_choose(n, b))
    place, summed = np.flatnonzero(live), term.copy()
    while len(place):
        higher = (a - k) * (b - k) / ((k + 1) * (n - a - b + k + 1))
        lower = k * (n - a - b + k) / np.maximum((a - k + 1) * (b - k + 1), 1)
        term = term * np.where(up, higher, lower)
        summed, k = summed + term, np.where(up, k + 1, k - 1)
        goes_on = term > _NEGLIGIBLE * summed
        total[place[~goes_on]] = summed[~goes_on]
        place, summed, term, k = place[goes_on], summed[goes_on], term[goes_on], k[goes_on]
        n, a, b, up = n[goes_on], a[goes_on], b[goes_on], up[goes_on]
    return total


def _log_choose(n: Floats, k: Floats) -> Floats:
    found: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return found


def _directed(sets: pd.DataFrame, first: str, second: str | None, consequent: str) -> pd.DataFrame:
    zero = np.zeros(len(sets), dtype="int64")
    return pd.DataFrame(
        {
            "first": sets[first],
            "second": zero if second is None else sets[second],
            "consequent": sets[consequent],
            "baskets": sets["baskets"],
        }
    )


def _of_pairs(counts: Counts, size: pd.Series) -> pd.DataFrame:
    found = pd.concat([_directed(counts.pairs, "a", None, "b"), _directed(counts.pairs, "b", None, "a")])
    return found.assign(
        _antecedent=size.reindex(found["first"]).to_numpy(),
        _consequent=size.reindex(found["consequent"]).to_numpy(),
        p_gain=np.nan,
    )


def _of_triples(counts: Counts, size: pd.Series) -> pd.DataFrame:
    ways = (("a", "b", "c"), ("a", "c", "b"), ("b", "c", "a"))
    found = pd.concat([_directed(counts.triples, *way) for way in ways])
    both = pd.Series(counts.pairs["baskets"].to_numpy(), index=pd.MultiIndex.from_frame(counts.pairs[["a", "b"]]))
    first, second, consequent = (found[name].to_numpy() for name in ("first", "second", "consequent"))

    def together(one: NDArray[np.int64], other: NDArray[np.int64]) -> Floats:
        keys = pd.MultiIndex.from_arrays([np.minimum(one, other), np.maximum(one, other)])
        found: Floats = both.reindex(keys).to_numpy(dtype=np.float64)
        return found

    antecedent = together(first, second)
    gains = [
        fisher(found["baskets"], size.reindex(one).to_numpy(), antecedent, together(one, consequent))
        for one in (first, second)
    ]
    return found.assign(
        _antecedent=antecedent, _consequent=size.reindex(consequent).to_numpy(), p_gain=np.maximum(*gains)
    )


def _adjusted(p: Floats, pair_rules: int, counts: Counts) -> Floats:
    """Adjust by Holm. The two directions of a pair are one test; sets too rare to be rules are tests without a find."""
    pairs = pair_rules // 2
    tested = p[pairs:]
    order = np.argsort(tested, kind="stable")
    steps = family(counts) - np.arange(len(order))
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(tested[order] * steps).clip(max=1)
    return np.concatenate([adjusted[:pairs], adjusted])


def family(counts: Counts) -> int:
    """Return how many tests there could have been.

    >>> products = pd.DataFrame({"code": [1, 2, 3, 4], "product_id": list("abcd"), "baskets": 5})
    >>> pairs = pd.DataFrame({"a": [1, 1, 2], "b": [2, 3, 3], "baskets": 3})
    >>> family(Counts(9, products, pairs, pairs))
    9
    """
    products = len(counts.products)
    edges = sparse.csr_array(
        (np.ones(len(counts.pairs), dtype="int64"), (counts.pairs["a"] - 1, counts.pairs["b"] - 1)),
        shape=(products, products),
    )
    threes = int((edges @ edges).multiply(edges).sum()) if products else 0
    return products * (products - 1) // 2 + 3 * threes
