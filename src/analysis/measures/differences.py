"""Standardised differences between groups of customers, attribute by attribute.

An attribute that is a number, a date or a boolean gives one row, a text one row a level. The engine reduces the
customers to one row a group; what is compared here does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis.expr.datatypes import DataType
from numpy.typing import ArrayLike, NDArray

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.frames import Rows, as_table, names, require
from analysis.measures.inference import Floats, ratio, two_sided

MOST_LEVELS = 20
"""A text attribute with more levels is left out: it is a name or a place rather than a group."""

GROUP = "_group"
"""The column that says which group a customer belongs to."""

Unit: TypeAlias = Literal["share", "number", "day"]
"""What is compared: the share of customers with a level, a mean, or a mean date in days since 1970-01-01."""


@dataclass(frozen=True)
class Trait:
    """An attribute, or one level of a text attribute, that customers are compared on."""

    attribute: str
    level: str | None
    unit: Unit


@dataclass(frozen=True)
class Traits:
    """The traits customers can be compared on, sorted; ``left_out`` says why of each attribute that is none."""

    rows: tuple[Trait, ...]
    left_out: Mapping[str, str]

    def frame(self) -> pd.DataFrame:
        """Return the traits as columns attribute, level, unit."""
        columns = ["attribute", "level", "unit"]
        rows = [(row.attribute, row.level, row.unit) for row in self.rows]
        return pd.DataFrame(rows, columns=columns, dtype="str")


@dataclass(frozen=True, eq=False)
class Moments:
    """What a group needs to be compared on each trait: how many have a value, their mean (or share), its variance."""

    n: Floats
    mean: Floats
    variance: Floats
    """With divisor n."""
    is_share: NDArray[np.bool_]

    @property
    def spread(self) -> Floats:
        """The variance differences are standardised by: p(1 - p) of a share, with divisor n - 1 of a mean."""
        return self.variance * np.where(self.is_share, 1, _divided(self.n, self.n - 1))

    def with_(self, other: Moments) -> Moments:
        """Return the moments of both groups together; they have no customer in common."""
        n = self.n + other.n
        mean = _divided(_weighted(self, self.mean) + _weighted(other, other.mean), n)
        squares = [_weighted(part, part.variance + (part.mean - mean) ** 2) for part in (self, other)]
        return Moments(n, mean, _divided(sum(squares), n), self.is_share)


def one_a_customer(measure: str, customers: Rows) -> ir.Table:
    """Return the customers that have an id. Raises MeasureError where there is no such column."""
    table = as_table(customers)
    require(measure, table, ("customer_id",))
    return table.filter(table["customer_id"].notnull())


def traits_of(measure: str, customers: ir.Table, attributes: str | Sequence[str] | None) -> Traits:
    """Return what the customers can be compared on: the named attributes, or all columns but the id.

    Left out, with the reason: text with more than 20 levels, text or whole numbers that differ from customer to
    customer (whole numbers among more than 20), columns without a value, and what is no number, date, boolean or text.

    Raises MeasureError where an attribute is absent or a customer stands in several rows.

    >>> people = pd.DataFrame({"customer_id": ["1", "2", "3"], "region": ["Süd", "Nord", "Süd"], "name": list("abc")})
    >>> found = traits_of("profile", as_table(people), None)
    >>> [(row.attribute, row.level, row.unit) for row in found.rows], dict(found.left_out)
    ([('region', 'Nord', 'share'), ('region', 'Süd', 'share')], {'name': 'differs from customer to customer'})
    """
    wanted = customers.columns if attributes is None else names(attributes)
    require(measure, customers, wanted)
    columns = tuple(sorted({name for name in wanted if name != "customer_id"}))
    counts = _reduce_columns(customers, columns).execute().loc[0]
    if repeated := int(counts["rows"] - counts["ids"]):
        raise MeasureError(measure, f"{repeated} rows of customers repeat a customer_id", "Hand in one row a customer")
    reasons = {name: _why_not(customers[name], counts, i) for i, name in enumerate(columns)}
    kept = [name for name, reason in reasons.items() if not reason]
    levels = _levels(customers, [name for name in kept if customers[name].type().is_string()])
    rows = [Trait(name, level, _unit(customers[name])) for name in kept for level in levels.get(name, [None])]
    return Traits(tuple(rows), {name: reason for name, reason in reasons.items() if reason})


def strangers(customers: ir.Table, rows: ir.Table) -> dict[str, int]:
    """Count what cannot be compared: ``anonymous`` rows, without customer_id, and ``unknown`` ids, of no customer."""
    found = _reduce_strangers(customers, rows).execute()
    return {name: int(found[name].item()) for name in ("anonymous", "unknown")}


def moments(customers: ir.Table, traits: Traits, groups: Iterable[str]) -> dict[str, Moments]:
    """Return the moments of each of the groups named in the column ``_group``; one nobody is in has n = 0."""
    found = _reduce_moments(customers, traits.rows).execute().set_index(GROUP)
    return {group: _moments(found.loc[group] if group in found.index else {}, traits.rows) for group in groups}


def standardised(a: Moments, b: Moments, z: float) -> tuple[Floats, Floats, Floats]:
    """Return the standardised difference of two groups and the ends of its interval.

    It is (m₁ - m₂)/√((s₁² + s₂²)/2), with s² = p(1 - p) for a share, and its variance
    (n₁ + n₂)/(n₁n₂) + d²/(2(n₁ + n₂)). Without any spread equal groups differ by 0 and others by nothing that could be
    expressed in it; the ends are missing.

    The variance takes both groups to spread alike. A 95 % interval holds in 94 to 96 % of samples; in 88 to 99 % where
    spreads differ twofold and sizes tenfold, in 89 % where shares lie as far apart as 0.8 and 0.3.

    Source: Austin (2009), Statistics in Medicine 28, 3083-3107; variance: Hedges and Olkin (1985), Statistical Methods
    for Meta-Analysis, 86.
    """
    n = a.n + b.n
    d = _in_spreads(a.mean - b.mean, (a.spread + b.spread) / 2)
    return _with_ends(d, _divided(n, a.n * b.n) + _divided(d**2, 2 * n), a.spread + b.spread, z)


def from_base(part: Moments, rest: Moments, z: float) -> tuple[Floats, Floats, Floats]:
    """Return by how many standard deviations of the base a part of it differs from the base, with its interval.

    The part's mean less the base's is (1 - f)(m - m_rest), f the part's share of the base; it is divided by the base's
    standard deviation. The base is given and the part was drawn from it, so the variance is (1 - f)/n. Of the
    whole base the difference is 0, and so are both ends. Without any spread the ends are missing. The interval is exact
    as to its spread where being in the part does not depend on the attribute; where it depends strongly on a
    rare level it is somewhat narrow (90 instead of 95 %).

    Source: Cochran (1977), Sampling Techniques, theorem 2.2 (finite population correction).
    """
    base = part.with_(rest)
    outside = _divided(rest.n, base.n)
    gap = np.where((part.n > 0) & (outside == 0), 0, outside * (part.mean - rest.mean))
    return _with_ends(_in_spreads(gap, base.spread), _divided(outside, part.n), base.spread, z)


def p_of_difference(a: Moments, b: Moments) -> Floats:
    """Return the two-sided p of the plain differences, by their unpooled standard error with divisor n."""
    return two_sided(ratio(a.mean - b.mean, np.sqrt(_divided(a.variance, a.n) + _divided(b.variance, b.n))))


def _why_not(column: ir.Value, counts: pd.Series, i: int) -> str:
    kind = column.type()
    if kind.is_null() or counts[f"n_{i}"] == 0:
        return "holds no value"
    if not _is_comparable(kind):
        return f"holds {kind}"
    many, is_unique = counts[f"levels_{i}"] > MOST_LEVELS, 1 < counts[f"levels_{i}"] == counts[f"n_{i}"]
    if is_unique and (kind.is_string() or (kind.is_integer() and many)):
        return "differs from customer to customer"
    return f"has {counts[f'levels_{i}']} levels" if kind.is_string() and many else ""


def _is_comparable(kind: DataType) -> bool:
    return any((kind.is_numeric(), kind.is_boolean(), kind.is_date(), kind.is_timestamp(), kind.is_string()))


def _unit(column: ir.Value) -> Unit:
    kind = column.type()
    if kind.is_string() or kind.is_boolean():
        return "share"
    return "number" if kind.is_numeric() else "day"


def _reduce_columns(customers: ir.Table, columns: Sequence[str]) -> ir.Table:
    counts = {f"n_{i}": customers[name].count() for i, name in enumerate(columns)}
    levels = {
        f"levels_{i}": customers[name].nunique() if _may_be_unique(customers[name]) else ibis.literal(0)
        for i, name in enumerate(columns)
    }
    return customers.aggregate(rows=customers.count(), ids=customers["customer_id"].nunique(), **counts, **levels)


def _may_be_unique(column: ir.Value) -> bool:
    kind = column.type()
    return bool(kind.is_string() or kind.is_integer())


def _levels(customers: ir.Table, columns: Sequence[str]) -> dict[str, list[str]]:
    if not columns:
        return {}
    found = _reduce_levels(customers, columns).execute()
    return {name: sorted(group["level"]) for name, group in found.groupby("attribute")}


def _reduce_levels(customers: ir.Table, columns: Sequence[str]) -> ir.Table:
    found = [customers.select(attribute=ibis.literal(name), level=customers[name]).distinct() for name in columns]
    every = ibis.union(*found) if len(found) > 1 else found[0]
    return every.filter(every["level"].notnull())


def _reduce_strangers(customers: ir.Table, rows: ir.Table) -> ir.Table:
    found = rows.anti_join(customers, "customer_id")
    return found.aggregate(anonymous=times(found["customer_id"].isnull()), unknown=found["customer_id"].nunique())


def _reduce_moments(customers: ir.Table, traits: Sequence[Trait]) -> ir.Table:
    """One row a group: its name and, by each trait's position, what its mean and variance are made of."""
    parts = [part for i, trait in enumerate(traits) for part in _parts(customers[trait.attribute], trait, i)]
    return customers.aggregate(by=GROUP, **dict(parts))


def _parts(column: ir.Value, trait: Trait, i: int) -> list[tuple[str, ir.Value]]:
    if trait.unit == "share":
        held = column if trait.level is None else column == trait.level
        return [(f"n_{i}", column.count()), (f"held_{i}", times(held))]
    value = _days(column) if trait.unit == "day" else _finite(column.cast("float64"))
    return [
        (f"n_{i}", value.count()),
        (f"mean_{i}", value.mean()),
        (f"variance_{i}", value.var(how="pop")),
        (f"low_{i}", value.min()),
        (f"high_{i}", value.max()),
    ]


def _days(column: ir.Value) -> ir.Value:
    return column.cast("date").delta(ibis.date(1970, 1, 1), unit="day")


def _finite(value: ir.Value) -> ir.Value:
    return (value.isnan() | value.isinf()).ifelse(ibis.null("float64"), value)


def _moments(found: Mapping[Any, Any], traits: Sequence[Trait]) -> Moments:
    rows = [_moment(found, trait, i) for i, trait in enumerate(traits)]
    n, mean, variance = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return Moments(n, mean, variance, np.array([trait.unit == "share" for trait in traits], dtype=np.bool_))


def _moment(found: Mapping[Any, Any], trait: Trait, i: int) -> tuple[float, float, float]:
    n = found.get(f"n_{i}", 0)
    if n == 0:
        return 0, np.nan, np.nan
    if trait.unit == "share":
        share = found[f"held_{i}"] / n
        return n, share, share * (1 - share)
    if found[f"low_{i}"] == found[f"high_{i}"]:  # a sum of equal fractions rounds, and would differ without spread
        return n, found[f"low_{i}"], 0
    return n, found[f"mean_{i}"], found[f"variance_{i}"]


def _weighted(part: Moments, values: Floats) -> Floats:
    return np.where(part.n > 0, part.n * values, 0)


def _divided(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return a / b, missing where b is 0."""
    b = np.asarray(b, dtype=np.float64)
    return np.asarray(a, dtype=np.float64) / np.where(b == 0, np.nan, b)


def _in_spreads(difference: Floats, variance: Floats) -> Floats:
    found = ratio(difference, np.sqrt(variance))
    return np.where(np.isinf(found), np.nan, found)


def _with_ends(d: Floats, variance: Floats, spread: Floats, z: float) -> tuple[Floats, Floats, Floats]:
    half = np.where(spread > 0, z * np.sqrt(variance), np.nan)
    return d, d - half, d + half
