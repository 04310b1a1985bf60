"""Reasons for leaving: how often each is given and what revenue goes with it, and how much nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.codebooks import Book, Codebook, Sources, checked, written
from analysis.measures.frames import Rows, as_table, binary_order, check_confidence, require
from analysis.measures.intervals import wilson

Kind: TypeAlias = Literal["reason", "other", "sources disagree", "not in codebook", "unknown"]
"""What is known of why a contract ended; each contract is of one kind. ``other`` pools reasons that are rare."""

_ALWAYS: tuple[Kind, ...] = ("sources disagree", "not in codebook", "unknown")
"""The kinds that are shown even where no contract is of them."""

_MONEY = ["revenue_lost", "revenue_share", "revenue_cumulative"]
_LISTED = 20


def reasons(
    contracts: Rows,
    codebook: Codebook,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return why contracts ended, the most frequent reason first, then what is not known of it.

    ``codebook`` merges what stands in one or several columns, each a source of its own, into common reasons; case and
    outer spaces do not matter. A contract counts with a reason where all sources that say one say the same; else its
    kind is ``sources disagree``. Where none says one it is ``not in codebook`` or, without any text, ``unknown``.

    Columns in: the columns of the codebook and, where there are any, ``ended_on`` and ``fee`` (a month). Contracts
    without an end are left out; without that column every row is a contract that ended. ``start`` and ``end`` keep
    those whose last day in force lies between them, both included.

    Columns out, one row a reason and one for each of the other kinds, even where there are none: ``reason`` (missing
    for the others), ``kind``, ``ended``, ``share`` of all that ended, with its Wilson interval ``share_low,
    share_high``, ``cumulative`` share in this order; ``revenue_lost``, fees a month, ``revenue_share`` of all of them,
    and ``revenue_cumulative``, with the reasons in the order of revenue lost; missing without fees. ``attrs``: ``n``
    contracts that ended; ``without_fee`` of them; ``not_in_codebook``, by column the 20 most frequent texts that the
    codebook lacks, with their counts. They may be what customers wrote: they are for those who keep the codebook.

    Raises MeasureError for an absent column, an empty codebook or one that gives a text two meanings, an end before
    the start, a negative fee, and a confidence outside 0 to 1.
    Source: Juran, Quality Control Handbook (1951), for the order; Wilson (1927), JASA 22, 209-212.

    >>> ledger = pd.DataFrame({"reason": ["zu teuer", "Umzug", "Preis", None], "fee": [20, 40, 10, 10]})
    >>> book = {"reason": {"Zu teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug"}}
    >>> reasons(ledger, book)[["reason", "kind", "ended", "share", "revenue_share", "revenue_cumulative"]]
      reason              kind  ended  share  revenue_share  revenue_cumulative
    0  Preis            reason      2   0.50          0.375               0.875
    1  Umzug            reason      1   0.25          0.500               0.500
    2    NaN  sources disagree      0   0.00          0.000               0.875
    3    NaN   not in codebook      0   0.00          0.000               0.875
    4    NaN           unknown      1   0.25          0.125               1.000
    """
    return _found(as_table(contracts), checked(codebook), (start, end), confidence)


def pareto(
    contracts: Rows,
    codebook: Codebook,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
    most: int = 12,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return the table of :func:`reasons` as it may be shown: few rows, and no reason that only a few gave.

    Reasons beyond the ``most`` most frequent and those of fewer than ``min_group`` contracts are one row of the kind
    ``other``, which stands before the kinds of which nothing is known and is left out where it is empty. What fewer
    than ``min_group`` contracts paid is missing. An empty codebook knows no reason. Contracts without a column
    ``ended_on`` have not ended.

    Columns in, columns out, Raises and Source: as for :func:`reasons`.

    >>> ledger = pd.DataFrame({"reason": ["Preis"] * 6 + ["Umzug"] * 2, "ended_on": pd.to_datetime("2025-01-31")})
    >>> pareto(ledger, as_they_stand(ledger, at_least=1))[["reason", "kind", "ended", "share"]]
      reason              kind  ended  share
    0  Preis            reason      6   0.75
    1    NaN             other      2   0.25
    2    NaN  sources disagree      0   0.00
    3    NaN   not in codebook      0   0.00
    4    NaN           unknown      0   0.00
    """
    found = _found(_dated(contracts), _book(codebook), (start, end), confidence, most=most, min_group=min_group)
    is_shown = (found["ended"] == 0) | (found["ended"] >= min_group)
    return found.assign(**found[_MONEY].where(is_shown))


def as_they_stand(
    contracts: Rows, column: str = "reason", *, at_least: int = 5, most: int = 20
) -> dict[str, dict[str, str]]:
    """Return the codebook of a source that keeps a list to pick from: each text means itself.

    Only texts of at least ``at_least`` ended contracts are in it, the ``most`` most frequent of them: others may be
    what a customer wrote. Texts that differ in case and outer spaces are one, named by the most frequent spelling.

    Columns in: ``column`` and, where there is one, ``ended_on``. Returns no column where there is no such text.

    >>> ledger = pd.DataFrame({"reason": ["Preis", "Preis", "preis ", "Der Vertreter war unhöflich zu mir."]})
    >>> as_they_stand(ledger, at_least=2), as_they_stand(ledger, "call")
    ({'reason': {'Preis': 'Preis'}}, {})
    """
    table = as_table(contracts)
    if column not in table.columns:
        return {}
    counted = _reduce_spellings(_ended(table), column, at_least, most).to_pyarrow().to_pandas()
    # An engine that folds no umlauts lists their spellings apart.
    named: dict[str, str] = {}
    texts = {text: named.setdefault(text.lower(), text) for text in counted["text"]}
    return {column: texts} if texts else {}


def with_merged(contracts: Rows, codebook: Codebook, *, most: int = 4, min_group: int = 5) -> ir.Table:
    """Return the contracts with the reason that all their sources mean, lazily, so that spells carry it as cause.

    Columns in: the columns of the codebook and, where there is one, ``ended_on``. In the column ``reason`` that comes
    back stand the ``most`` most frequent reasons of at least ``min_group`` ended contracts, ``other`` for the rest of
    the reasons, and ``unknown`` where none is known or the sources disagree; it is missing where a contract has not
    ended. All other columns stay. Raises MeasureError for an absent column and a text with two meanings.

    >>> ledger = pd.DataFrame({"reason": ["zu teuer", "Preis", "Umzug", None, None]})
    >>> ledger["ended_on"] = pd.to_datetime(["2025-01-31"] * 4 + [None])
    >>> book = {"reason": {"zu teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug"}}
    >>> with_merged(ledger, book, min_group=2).to_pandas()["reason"].tolist()
    ['Preis', 'Preis', 'other', 'unknown', nan]
    """
    table, book = _dated(contracts), _book(codebook)
    require("with_merged", table, book)
    reason, is_ended = Sources.of(table, book).agreed, table["ended_on"].notnull()
    counted = _reduce_agreed(table.select(reason=is_ended.ifelse(reason, ibis.null("string"))), most, min_group)
    frequent = counted.to_pyarrow().to_pandas()["reason"].tolist()
    merged = ibis.cases(
        (~is_ended, ibis.null("string")),
        (reason.isin(frequent), reason),
        (reason.notnull(), "other"),
        else_="unknown",
    )
    return table.mutate(reason=merged)


def _found(
    table: ir.Table,
    book: Book,
    window: tuple[dt.date | None, dt.date | None],
    confidence: float,
    *,
    most: int | None = None,
    min_group: int = 1,
) -> pd.DataFrame:
    check_confidence("reasons", confidence)
    start, end = window
    require("reasons", table, (*book, *(["ended_on"] if start or end else [])))
    if start is not None and end is not None and end < start:
        raise MeasureError("reasons", f"end {end} lies before start {start}", "Name the window's last day as end")
    coded = _coded(_ended(table, start, end), book)
    counts = _reduce_reasons(coded).to_pyarrow().to_pandas()
    if negative := int(counts["negative"].sum()):
        raise MeasureError("reasons", f"{negative} contracts have a negative fee")
    pareto = _pareto(_pooled(counts, most, min_group), confidence, has_fees="fee" in table.columns)
    listed = {column: _reduce_uncoded(coded, column).to_pyarrow().to_pandas() for column in book}
    pareto.attrs = {
        "n": int(counts["ended"].sum()),
        "without_fee": int(counts["without_fee"].sum()),
        "not_in_codebook": {
            column: dict(zip(found["text"], found["n"], strict=True)) for column, found in listed.items()
        },
    }
    return pareto


def _dated(contracts: Rows) -> ir.Table:
    table = as_table(contracts)
    return table if "ended_on" in table.columns else table.mutate(ended_on=ibis.null("date"))


def _book(codebook: Codebook) -> Book:
    return checked(codebook) if any(codebook.values()) else {column: {} for column in codebook}


def _ended(table: ir.Table, start: dt.date | None = None, end: dt.date | None = None) -> ir.Table:
    if "ended_on" not in table.columns:
        return table
    last = table["ended_on"].cast("date")
    kept = [last.notnull(), *([last >= start] if start else []), *([last <= end] if end else [])]
    return table.filter(*kept)


def _coded(ended: ir.Table, book: Book) -> ir.Table:
    """Return a row a contract: kind, reason, cents, and by column what it says that the codebook lacks."""
    sources = Sources.of(ended, book)
    kind = ibis.cases(
        (sources.disagree, "sources disagree"),
        (sources.first.notnull(), "reason"),
        (sources.say_anything, "not in codebook"),
        else_="unknown",
    )
    fee = (ended["fee"] if "fee" in ended.columns else ibis.null()).cast("float64")
    return ended.select(
        kind=kind,
        reason=sources.agreed,
        cents=(fee.isnan() | fee.isinf()).ifelse(ibis.null("float64"), (fee * 100).round().cast("float64")),
        **{f"text_{column}": uncoded for column, uncoded in sources.uncoded.items()},
    )


def _reduce_reasons(coded: ir.Table) -> ir.Table:
    cents = coded["cents"]
    return coded.group_by("kind", "reason").aggregate(
        ended=coded.count(),
        cents=cents.sum().coalesce(0.0),
        without_fee=cents.isnull().ifelse(1, 0).sum().cast("int64"),
        negative=(cents < 0).ifelse(1, 0).sum().cast("int64"),
    )


def _reduce_uncoded(coded: ir.Table, column: str) -> ir.Table:
    texts = coded.select(text=coded[f"text_{column}"]).filter(ibis._.text.notnull())
    counted = texts.group_by("text").aggregate(n=texts.count())
    return counted.order_by(counted["n"].desc(), binary_order(counted, "text")).limit(_LISTED)


def _reduce_spellings(ended: ir.Table, column: str, at_least: int, most: int) -> ir.Table:
    """Reduce to the most frequent texts, each as it is spelled most often."""
    said = ended.select(text=written(ended, column)).filter(ibis._.text.notnull())
    counted = said.mutate(folded=said["text"].lower()).group_by("folded", "text").aggregate(n=ibis._.count())
    of_one = ibis.window(group_by="folded", order_by=[counted["n"].desc(), binary_order(counted, "text")])
    ranked = counted.mutate(
        given=counted["n"].sum().over(ibis.window(group_by="folded")), place=ibis.row_number().over(of_one)
    )
    named = ranked.filter(ranked["place"] == 0, ranked["given"] >= at_least)
    return named.order_by(named["given"].desc(), binary_order(named, "text")).limit(most).select("text")


def _reduce_agreed(given: ir.Table, most: int, min_group: int) -> ir.Table:
    counted = given.filter(given["reason"].notnull()).group_by("reason").aggregate(n=ibis._.count())
    frequent = counted.filter(counted["n"] >= min_group)
    return frequent.order_by(frequent["n"].desc(), binary_order(frequent, "reason")).limit(most)


def _pooled(counts: pd.DataFrame, most: int | None, min_group: int) -> pd.DataFrame:
    """Count reasons beyond the ``most`` most frequent, and those of fewer than ``min_group``, as of the kind other."""
    given = _by_frequency(counts)
    place = pd.Series(np.arange(len(given)), index=given.index)
    is_kept = (place < (len(given) if most is None else most)) & (given["ended"] >= min_group)
    rare = counts.index.isin(given.index[~is_kept])
    renamed = counts.assign(kind=counts["kind"].mask(rare, "other"), reason=counts["reason"].mask(rare))
    return renamed.groupby(["kind", "reason"], dropna=False, as_index=False).sum()


def _by_frequency(counts: pd.DataFrame) -> pd.DataFrame:
    return counts[counts["kind"] == "reason"].sort_values(["ended", "reason"], ascending=[False, True])


def _pareto(counts: pd.DataFrame, confidence: float, *, has_fees: bool) -> pd.DataFrame:
    """Order the reasons by how often they are given, and put the other kinds behind them."""
    given, pooled = _by_frequency(counts), counts.loc[counts["kind"] == "other", "kind"]
    kinds = pd.DataFrame({"kind": [*pooled, *_ALWAYS]})
    others = kinds.merge(counts.drop(columns="reason"), on="kind", how="left").fillna({"ended": 0, "cents": 0})
    rows = pd.concat([given, others], ignore_index=True)
    revenue = rows["cents"].astype("float64") / (100 if has_fees else float("nan"))
    ended, total = rows["ended"].astype("int64"), revenue.sum()
    low, high = wilson(ended, ended.sum(), confidence)
    by_revenue = revenue.where(rows["kind"] == "reason").sort_values(ascending=False, kind="stable").index
    share, revenue_share = ended / ended.sum(), revenue / total if total > 0 else revenue * float("nan")
    return rows[["reason", "kind"]].assign(
        ended=ended,
        share=share,
        share_low=low,
        share_high=high,
        cumulative=share.cumsum(),
        revenue_lost=revenue,
        revenue_share=revenue_share,
        revenue_cumulative=revenue_share.loc[by_revenue].cumsum(),
    )
