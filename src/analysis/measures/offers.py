"""What to offer next: rules of what is bought together, tried on later purchases before anybody is offered anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.baskets import Counts, bought, buyers, count, order_of
from analysis.measures.frames import Rows, check_confidence, require
from analysis.measures.goods import one_row_each, with_goods
from analysis.measures.rules import family, rules
from analysis.measures.suggestions import FEWEST_CUSTOMERS, holdings, precision, suggested

_JOINED = " + "
_TRIED_ON = 5
"""The rules are tried on the last of so many parts of the days."""
_RULE = ("support", "confidence", "lift", "baskets", "p", "p_gain", "p_adjusted", "customers")


@dataclass(frozen=True)
class NextOffers:
    """What is bought together, what may be offered to whom, and how offers of that kind fared on later purchases."""

    rules: pd.DataFrame
    """antecedent, consequent, support, confidence, lift, baskets, p, p_gain, p_adjusted, customers: one row a rule."""
    offers: ir.Table = field(repr=False)
    """customer_id, rank, product_id, reason, confidence, lift, margin, expected_margin: unexecuted."""
    precision: pd.DataFrame
    """k, rules, popular, difference, low, high, ..., verdict: one row a k; see ``suggestions.precision``."""
    justified: int
    """How many offers a customer the trial justifies; 0 where the rules do not beat the most popular offers."""
    split: dt.date | None
    """The first day of the purchases on which the rules were tried."""
    baskets: int
    tested: int
    """Rules that could have been found, over which p is adjusted."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Settings:
    min_support: float
    min_baskets: int
    most: int
    confidence: float


@dataclass(frozen=True)
class _Learned:
    counts: Counts
    rules: pd.DataFrame
    candidates: pd.DataFrame


def next_offers(
    transactions: Rows,
    products: Rows | None = None,
    *,
    split: dt.date | None = None,
    min_support: float = 0.01,
    min_baskets: int = 5,
    most: int = 3,
    confidence: float = 0.95,
) -> NextOffers:
    """Find what is bought together, and offer each customer what fits and is not yet held, where that is justified.

    A basket is the distinct products of an order (``transaction_id``, else customer and day); lines of negative revenue
    buy nothing. A rule is offered where its ``p_adjusted`` is below 1 - ``confidence`` and the offer earns something.
    A customer's offers go by expected margin, the rule's confidence times the mean margin of an order of the offer;
    those whose margin is unknown come after, by confidence.

    Where some orders are far larger than others, most products stand together more often than independent ones would,
    and the tests say so; the trial decides whether that helps.

    Rules learned before ``split`` are tried on the purchases from then on (without it, on the last fifth of the days),
    by the same ranking, beside the most popular products not yet held, as many to the same customers. A k-th offer is
    made where the k-th offers, and all before them, were taken up more often than those, beyond chance; else none.

    Columns in: customer_id, date, revenue (money), product_id, of transactions, where present also transaction_id,
    cost (money), quantity; product_id, name, unit_cost (money a piece), of products.

    Out: see ``NextOffers``. ``rules``, the surest first: antecedent and consequent (product_id; of two products joined
    by " + "), antecedent_name and consequent_name (where products have names), support (share of baskets with all),
    confidence (of baskets with the antecedent, those with all), lift, baskets (with all), p (Fisher, one-sided),
    p_gain (of two products: what the rule adds to both simpler ones), p_adjusted (Holm), customers (who ordered all of
    it at once; missing where the rule is not offered for want of significance). ``offers``: rank (1 the best),
    reason (the antecedent), lift, margin, expected_margin (money an order). ``precision``: see
    ``suggestions.precision``.

    Raises MeasureError where a column is absent, a product stands in several rows, or a setting is out of range.
    Source: Agrawal, Imieliński and Swami (1993), SIGMOD 207-216; tests: Webb (2007), Machine Learning 68, 1-33; Holm
    (1979), Scandinavian Journal of Statistics 6, 65-70, which holds however the tests depend on one another.

    >>> together = pd.DataFrame({"customer_id": [str(number // 2) for number in range(40)]})
    >>> together = together.assign(product_id=["tea", "mug"] * 10 + ["jam", "oil"] * 10)
    >>> found = next_offers(together.assign(date=pd.Timestamp("2026-01-05"), revenue=5.0))
    >>> found.rules[["antecedent", "consequent", "support", "confidence", "lift", "p_adjusted"]].head(2).round(5)
      antecedent consequent  support  confidence  lift  p_adjusted
    0        jam        oil      0.5         1.0   2.0     0.00003
    1        mug        tea      0.5         1.0   2.0     0.00003
    >>> found.justified, found.notes
    (0, ('The rules could not be tried: 0 customers fitted one and came back, 30 are needed. So nothing is offered.',))
    """
    settings = _checked(min_support, min_baskets, most, confidence)
    lines = with_goods("next_offers", transactions, products)
    require("next_offers", lines, ("customer_id",))
    names = _names(products)
    learned = _learned(lines, names, settings)
    split = split or _default_split(lines)
    tried = _tried(lines, split, names, settings)
    justified = int((tried["verdict"] == "up").cumprod().sum())
    return NextOffers(
        rules=_published(_with_customers(lines, learned, confidence), named=names is not None),
        offers=_offered(lines, learned.candidates, justified, named=names is not None),
        precision=tried,
        justified=justified,
        split=split,
        baskets=learned.counts.baskets,
        tested=family(learned.counts),
        notes=tuple(_notes(learned, tried, justified)),
    )


def _checked(min_support: float, min_baskets: int, most: int, confidence: float) -> _Settings:
    check_confidence("next_offers", confidence)
    if not 0 < min_support <= 1:
        raise MeasureError("next_offers", f"min_support is {min_support}", "Give a share between 0 and 1, such as 0.01")
    for name, value in (("min_baskets", min_baskets), ("most", most)):
        if value < 1:
            raise MeasureError("next_offers", f"{name} is {value}", "Give 1 or more")
    return _Settings(min_support, min_baskets, most, confidence)


def _names(products: Rows | None) -> ir.Table | None:
    if products is None:
        return None
    table = one_row_each("next_offers", products, "products", "product_id")
    return table.select("product_id", "name") if "name" in table.columns else None


def _learned(lines: ir.Table, names: ir.Table | None, settings: _Settings) -> _Learned:
    """Learn rules from lines, and which of them may be offered."""
    counts = count(bought(lines), min_support=settings.min_support, min_baskets=settings.min_baskets)
    worth = _reduce_worth(lines, counts.products).execute().set_index("product_id")
    ids = counts.products.set_index("code")["product_id"]
    called = ids if names is None else _called(ids, names)
    found = _described(rules(counts), ids, called)
    per_order = (worth["margin_cents"] / worth["orders"].where(worth["orders"] > 0) / 100).astype("float64")
    margin = found["product_id"].map(per_order).astype("float64")
    found = found.assign(margin=margin, expected_margin=found["confidence"] * margin)
    sure = found[(found["p_adjusted"] < 1 - settings.confidence) & ~(margin <= 0)]
    best_first = ["expected_margin", "confidence", "lift", "consequent", "first", "second"]
    ordered = sure.sort_values(best_first, ascending=[False] * 3 + [True] * 3, na_position="last")
    candidates = ordered.assign(first=ids.reindex(ordered["first"]).array, second=ids.reindex(ordered["second"]).array)
    return _Learned(counts, found, candidates.reset_index(drop=True))


def _reduce_worth(lines: ir.Table, products: pd.DataFrame) -> ir.Table:
    """One row a frequent product: margin of its lines, returns deducted, and in how many orders they were bought."""
    frequent = ibis.memtable(products[["product_id"]], schema={"product_id": "string"})
    known = lines.filter(lines["goods"].notnull()).semi_join(frequent, "product_id")
    return known.group_by("product_id").aggregate(
        margin_cents=(known["cents"] - known["goods"]).sum(),
        orders=order_of(known).nunique(where=known["cents"] >= 0),
    )


def _called(ids: pd.Series, names: ir.Table) -> pd.Series:
    """Return what each code is called: the product's name, its id where it has none."""
    frequent = ibis.memtable(ids.to_frame(), schema={"product_id": "string"})
    known = names.semi_join(frequent, "product_id").execute().set_index("product_id")["name"]
    return ids.map(known).fillna(ids)


def _described(found: pd.DataFrame, ids: pd.Series, called: pd.Series) -> pd.DataFrame:
    """Add product_id and name of the consequent, reason and reason_name of the antecedent; the surest rule first."""
    words = {}
    for name, texts in (("reason", ids), ("reason_name", called)):
        first, second = (texts.reindex(found[code]).reset_index(drop=True) for code in ("first", "second"))
        words[name] = first.where(second.isna(), first + _JOINED + second)
    consequent = {
        "product_id": ids.reindex(found["consequent"]).array,
        "name": called.reindex(found["consequent"]).array,
    }
    described = found.assign(**words, **consequent)
    surest = ["p_adjusted", "p", "lift", "confidence", "reason", "product_id"]
    return described.sort_values(surest, ascending=[True, True, False, False, True, True], ignore_index=True)


def _default_split(lines: ir.Table) -> dt.date | None:
    ends = lines.aggregate(first=lines["date"].min(), last=lines["date"].max()).to_pyarrow().to_pylist()[0]
    if ends["first"] is None:
        return None
    days: int = (ends["last"] - ends["first"]).days + 1
    found: dt.date = ends["last"] - dt.timedelta(days=days // _TRIED_ON - 1)
    return found


def _tried(lines: ir.Table, split: dt.date | None, names: ir.Table | None, settings: _Settings) -> pd.DataFrame:
    known = lines["date"] < ibis.literal(split, type="date")
    candidates = _learned(lines.filter(known), names, settings).candidates
    return precision(
        lines.filter(known), lines.filter(~known), candidates, most=settings.most, confidence=settings.confidence
    )


def _with_customers(lines: ir.Table, learned: _Learned, confidence: float) -> pd.DataFrame:
    """Say of the rules beyond chance how many customers they rest on."""
    sure = learned.rules.loc[learned.rules["p_adjusted"] < 1 - confidence, ["first", "second", "consequent"]]
    codes = sure.melt(ignore_index=False, value_name="code").query("code > 0")
    ids = learned.counts.products.set_index("code")["product_id"]
    sets = pd.DataFrame({"set": codes.index, "product_id": ids.reindex(codes["code"]).array})
    found = pd.Series(dtype="float64") if sets.empty else buyers(lines, sets)
    return learned.rules.assign(customers=found.reindex(learned.rules.index).astype("float64"))


def _published(found: pd.DataFrame, *, named: bool) -> pd.DataFrame:
    words = {"reason": "antecedent", "product_id": "consequent"}
    if named:
        words |= {"reason_name": "antecedent_name", "name": "consequent_name"}
    return found[[*words, *_RULE]].rename(columns=words)


def _offered(lines: ir.Table, candidates: pd.DataFrame, justified: int, *, named: bool) -> ir.Table:
    offers = suggested(holdings(lines), candidates if justified else candidates.head(0), justified)
    return offers if named else offers.drop("name", "reason_name")


def _notes(learned: _Learned, tried: pd.DataFrame, justified: int) -> Iterator[str]:
    if learned.candidates.empty:
        yield "No products stand together beyond chance in enough baskets."
    elif tried["verdict"].iat[0] == "too few":
        yield (
            f"The rules could not be tried: {tried['n'].iat[0]} customers fitted one and came back, "
            f"{FEWEST_CUSTOMERS} are needed. So nothing is offered."
        )
    elif not justified:
        yield "On later purchases the rules do not beat the most popular products, so nothing is offered."
    unknown = learned.candidates.drop_duplicates("product_id")["margin"].isna().sum()
    if unknown and justified:
        yield f"The margin of {unknown} products that might be offered is unknown; they come last."
