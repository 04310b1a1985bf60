"""Groups of customers that lie apart from one another in what they do; that there are none is an answer, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.cluster_search import FEWEST, Labels, grouped, stability_of
from analysis.measures.frames import Rows, as_table, binary_order, md5, names, require
from analysis.measures.inference import Floats

_NAMED_BY = 2


@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters of customers, numbered from 1, the largest, on; frames are empty where there are none worth naming."""

    number: int
    """How many there are; 0 where no number of them is stable and lies apart."""
    profile: pd.DataFrame
    """One row a cluster and attribute: cluster, n, share (of customers used), attribute, mean, median, difference."""
    names: pd.DataFrame
    """The two attributes a cluster differs in most: cluster, rank, attribute, direction (high, low), difference, place.

    ``difference`` is that of the cluster's mean from that of all, in standard deviations, on the log scale where one
    was asked for; ``place`` is that of its mean among all clusters, 1 the lowest.
    """
    stability: pd.DataFrame
    """One row a number tried: number, stability, valley, smallest (share of the smallest cluster), holds."""
    labels: pd.DataFrame
    """One row a customer used: customer_id, cluster."""
    customers: int
    incomplete: int
    """Customers left out, since an attribute of theirs is missing."""
    used: int
    """Customers the clusters were made of; fewer than are complete, where a sample was drawn."""
    left_out: Mapping[str, str]
    """Why an attribute is not used."""


def clusters(
    features: Rows,
    *,
    attributes: str | Sequence[str] | None = None,
    log: str | Sequence[str] = (),
    most: int = 8,
    min_share: float = 0.02,
    max_rows: int = 50_000,
    seed: int = 0,
) -> Clusters:
    """Group customers by k-means on standardised attributes, where they lie in groups at all.

    The number is the largest from 2 to ``most`` that holds: clusters found in one half of the customers and in the
    other sort the latter alike (mean adjusted Rand index over ten halvings at least 0.8); no cluster has a share under
    ``min_share``; and between any two the border is settled at most 0.8 times as thickly as the emptier of the two
    centres. Stability alone would cut any long cloud in two, for it is cut alike every time; but a cloud with one
    peak, of whatever form, is thicker at each border than at one of the centres. Where no number holds there are no
    clusters worth naming.

    ``log`` names attributes taken as sign(x)·log(1 + |x|), for money and counts whose largest values would be clusters
    of their own. This measure sees rows: of more than ``max_rows`` customers it takes a sample drawn by ``seed``, and
    says so in ``used``.

    Columns in: customer_id and attributes that are numbers or truth values; without ``attributes`` all of these. A
    customer without one of them is left out. An attribute that is the same for all is not used.

    Returns a record :class:`Clusters`: number, profile, names, stability, labels, customers, incomplete, used,
    left_out.

    Raises MeasureError where a column is absent, no number or truth value, a customer stands in several rows, or a
    setting lies outside its domain.
    Source: Lloyd (1982), IEEE Transactions on Information Theory 28, 129-137; Hubert and Arabie (1985), Journal of
    Classification 2, 193-218; limits of stability: von Luxburg (2010), Foundations and Trends in Machine Learning 2,
    235-274.

    >>> draw = np.random.default_rng(0)
    >>> people = pd.DataFrame({"customer_id": np.arange(200).astype(str), "orders": draw.normal([2, 9] * 100)})
    >>> found = clusters(people.assign(returns=draw.normal(3, 1, 200)))
    >>> found.number
    2
    >>> found.names[["cluster", "rank", "attribute", "direction"]].head(2)
       cluster  rank attribute direction
    0        1     1    orders       low
    1        1     2   returns       low
    """
    _check_settings(most, min_share, max_rows)
    table = as_table(features)
    require("clusters", table, ("customer_id", *names(attributes or ())))
    wanted = _attributes(table, attributes)
    logged = _logged(log, wanted)
    counts = _reduce_counts(table, wanted).execute().loc[0]
    if repeated := int(counts["customers"] - counts["ids"]):
        raise MeasureError("clusters", f"{repeated} rows repeat a customer_id", "Hand in one row a customer")
    rows = _reduce_sample(table, wanted, max_rows, seed).execute().sort_values("customer_id", ignore_index=True)
    kept = [name for name in wanted if rows[name].nunique() > 1]
    settled = _settled(rows[kept].to_numpy(dtype=np.float64), [name in logged for name in kept])
    stability = stability_of(settled, most, min_share, seed)
    number = int(stability.loc[stability["holds"], "number"].max()) if stability["holds"].any() else 0
    labels = grouped(settled, number, seed) if number else np.zeros(0, dtype=np.intp)
    members = rows.head(len(labels))
    profile = _profile(members[kept], settled[: len(labels)], labels)
    return Clusters(
        number=number,
        profile=profile,
        names=_names(profile),
        stability=stability,
        labels=members[["customer_id"]].assign(cluster=labels.astype(np.int64)),
        customers=int(counts["customers"]),
        incomplete=int(counts["customers"] - counts["complete"]),
        used=len(settled),
        left_out=MappingProxyType({name: "is the same for all" for name in wanted if name not in kept}),
    )


def _check_settings(most: int, min_share: float, max_rows: int) -> None:
    if most < 2:
        raise MeasureError("clusters", f"most is {most}", "Give at least 2")
    if not 0 <= min_share < 0.5:
        raise MeasureError("clusters", f"min_share is {min_share}", "Give a share below 0.5, such as 0.02")
    if max_rows < FEWEST:
        raise MeasureError("clusters", f"max_rows is {max_rows}", f"Give at least {FEWEST}")


def _attributes(table: ir.Table, attributes: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the attributes to be used; all that can be where none is named."""
    kinds = {name: kind for name, kind in table.schema().items() if name != "customer_id"}
    usable = tuple(name for name, kind in kinds.items() if kind.is_numeric() or kind.is_boolean())
    wanted = usable if attributes is None else tuple(dict.fromkeys(names(attributes)))
    if foreign := [name for name in wanted if name not in usable]:
        raise MeasureError(
            "clusters", f"attribute {foreign[0]!r} holds {table[foreign[0]].type()}", "Give numbers or truth values"
        )
    if not wanted:
        raise MeasureError("clusters", "there is no attribute that is a number", "Give at least one beside customer_id")
    return wanted


def _logged(log: str | Sequence[str], wanted: tuple[str, ...]) -> tuple[str, ...]:
    if foreign := [name for name in names(log) if name not in wanted]:
        raise MeasureError("clusters", f"log names {foreign[0]!r}, which is no attribute used", "Name one that is")
    return names(log)


def _numbers(table: ir.Table, wanted: Sequence[str]) -> ir.Table:
    """Return customer_id and the attributes as floats, missing where they are no finite number."""
    columns = {}
    for name in wanted:
        is_truth = table[name].type().is_boolean()
        value = (ibis.ifelse(table[name], 1, 0) if is_truth else table[name]).cast("float64")
        is_known = table[name].notnull() if is_truth else ~(value.isnan() | value.isinf())
        columns[name] = ibis.ifelse(is_known, value, ibis.null("float64"))
    return table.filter(table["customer_id"].notnull()).select(
        customer_id=table["customer_id"].cast("string"), **columns
    )


def _reduce_counts(table: ir.Table, wanted: Sequence[str]) -> ir.Table:
    rows = _numbers(table, wanted)
    is_complete = ibis.and_(*(rows[name].notnull() for name in wanted))
    return rows.aggregate(customers=rows.count(), ids=rows["customer_id"].nunique(), complete=times(is_complete))


def _reduce_sample(table: ir.Table, wanted: Sequence[str], max_rows: int, seed: int) -> ir.Table:
    rows = _numbers(table, wanted)
    complete = rows.filter(*(rows[name].notnull() for name in wanted))
    digest = md5(ibis.literal(f"{seed}/") + complete["customer_id"])
    return complete.order_by(digest, binary_order(complete, "customer_id")).limit(max_rows)


def _settled(values: Floats, are_logged: Sequence[bool]) -> Floats:
    """Return the attributes with mean 0 and standard deviation 1, on a log scale where asked for."""
    scaled = np.where(are_logged, np.sign(values) * np.log1p(np.abs(values)), values)
    standardised: Floats = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0) if scaled.size else scaled
    return standardised


def _profile(values: pd.DataFrame, settled: Floats, labels: Labels) -> pd.DataFrame:
    grouped = values.groupby(labels)
    n, width = grouped.size(), values.shape[1]
    differences = pd.DataFrame(settled, columns=values.columns).groupby(labels).mean()
    return pd.DataFrame(
        {
            "cluster": np.repeat(n.index.to_numpy(np.int64), width),
            "n": np.repeat(n.to_numpy(np.int64), width),
            "share": np.repeat(n.to_numpy(np.int64) / max(len(values), 1), width),
            "attribute": pd.array(list(values.columns) * len(n), dtype="str"),
            "mean": grouped.mean().to_numpy(np.float64).ravel(),
            "median": grouped.median().to_numpy(np.float64).ravel(),
            "difference": differences.to_numpy(np.float64).ravel(),
        }
    )


def _names(profile: pd.DataFrame) -> pd.DataFrame:
    place = profile.groupby("attribute")["difference"].rank(method="min").astype("int64")
    size = profile["difference"].abs()
    found = profile.assign(place=place, size=size).sort_values(
        ["cluster", "size"], ascending=[True, False], kind="stable"
    )
    found = found.groupby("cluster").head(_NAMED_BY).reset_index(drop=True)
    rank = found.groupby("cluster").cumcount() + 1
    direction = pd.array(np.where(found["difference"] > 0, "high", "low"), dtype="str")
    columns = ["cluster", "rank", "attribute", "direction", "difference", "place"]
    return found.assign(rank=rank, direction=direction)[columns]
