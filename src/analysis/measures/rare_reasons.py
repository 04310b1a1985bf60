"""Reasons that few customers gave, counted together, so that no row tells of fewer customers than may be told of."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

_UNCERTAIN = ("sources disagree", "not in codebook")
_Move = tuple[list[str], str]


def counted(coded: ir.Table) -> pd.DataFrame:
    """Count contracts and customers by kind and reason, and add up what they paid.

    Columns in: ``kind``, ``reason`` (of the kind ``reason``, else missing), ``customer``, ``cents``. Columns out, one
    row a kind and reason: ``kind``, ``reason``, ``ended`` contracts, of ``customers``, ``paying`` those with a fee;
    ``cents`` in all, ``without_fee`` and ``negative``, contracts.
    """
    return _reduce_reasons(coded).to_pyarrow().to_pandas()


def by_frequency(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of reasons, the most frequent first, those as frequent by name."""
    return counts[counts["kind"] == "reason"].sort_values(["ended", "reason"], ascending=[False, True])


def moved(coded: ir.Table, names: list[str], kind: str) -> ir.Table:
    """Count reasons, or other kinds, as of another kind."""
    is_moved = coded["reason"].fill_null(coded["kind"]).isin(names)
    return coded.mutate(
        kind=is_moved.ifelse(kind, coded["kind"]), reason=is_moved.ifelse(ibis.null("string"), coded["reason"])
    )


def pooled(coded: ir.Table, most: int, min_group: int) -> tuple[pd.DataFrame, set[str]]:
    """Return counts of which none tells of fewer than ``min_group`` customers, and the kinds counted with another.

    Reasons beyond the ``most`` frequent and those of few customers are ``other``. Where the sources disagree, or name
    what is in no codebook, of few customers, that is ``unknown``, and that of few is ``other``. If those are few all
    the same, the least frequent reason goes with them, for they follow from the rest. Columns as of :func:`counted`,
    no row at all where the customers are few in all.
    """
    counts, kinds = counted(coded), set()
    while move := _next_move(counts, most, min_group):
        kinds |= set(counts["kind"]) & set(move[0])
        coded = moved(coded, *move)
        counts = counted(coded)
    return counts[counts["customers"] >= min_group], kinds


def untold(paying: pd.Series, min_group: int) -> pd.Series:
    """Say which sums must not be told: of few who pay, and where that is one alone, the one of next to few as well."""
    few = (paying > 0) & (paying < min_group)
    rest = paying[(paying > 0) & ~few]
    return few | (paying.index == rest.idxmin()) if few.sum() == 1 and len(rest) else few


def _reduce_reasons(coded: ir.Table) -> ir.Table:
    cents, customer = coded["cents"], coded["customer"]
    return coded.group_by("kind", "reason").aggregate(
        ended=coded.count(),
        customers=customer.nunique(),
        paying=(cents > 0).ifelse(customer, ibis.null(customer.type())).nunique(),
        cents=cents.sum().coalesce(0.0),
        without_fee=cents.isnull().ifelse(1, 0).sum().cast("int64"),
        negative=(cents < 0).ifelse(1, 0).sum().cast("int64"),
    )


def _next_move(counts: pd.DataFrame, most: int, min_group: int) -> _Move | None:
    """Return what is to be counted with what, one step at a time: customers of two reasons do not add up."""
    given = by_frequency(counts)
    kept = given[given["customers"] >= min_group].head(most)
    if rare := [reason for reason in given["reason"] if reason not in set(kept["reason"])]:
        return rare, "other"
    kinds = counts[counts["kind"] != "reason"].sort_values(["customers", "kind"])
    few = kinds.loc[kinds["customers"] < min_group, "kind"].tolist()
    if uncertain := [kind for kind in _UNCERTAIN if kind in few]:
        return uncertain, "unknown"
    if "unknown" in few:
        return ["unknown"], "other"
    rest = [*kept["reason"][::-1], *kinds.loc[kinds["kind"] != "other", "kind"]]
    return (rest[:1], "other") if few and rest else None
