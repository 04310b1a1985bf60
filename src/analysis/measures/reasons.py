"""Reasons for leaving: how often each is given and what revenue goes with it, and how much nobody knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, check_confidence, require
from analysis.measures.intervals import wilson

Codebook: TypeAlias = Mapping[str, Mapping[str, str]]
"""For each column that holds a reason: what stands there, and the reason that means."""

Kind: TypeAlias = Literal["reason", "sources disagree", "not in codebook", "unknown"]
"""What is known of why a contract ended; each contract is of one kind."""

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
    check_confidence("reasons", confidence)
    table, book = as_table(contracts), _checked(codebook)
    window = [] if start is None and end is None else ["ended_on"]
    require("reasons", table, (*book, *window))
    if start is not None and end is not None and end < start:
        raise MeasureError("reasons", f"end {end} lies before start {start}", "Name the window's last day as end")
    coded = _coded(_ended(table, start, end), book)
    counts = _reduce_reasons(coded).to_pyarrow().to_pandas()
    if negative := int(counts["negative"].sum()):
        raise MeasureError("reasons", f"{negative} contracts have a negative fee")
    pareto = _pareto(counts, confidence, has_fees="fee" in table.columns)
    listed = {column: _reduce_uncoded(coded, column).to_pyarrow().to_pandas() for column in book}
    pareto.attrs = {
        "n": int(counts["ended"].sum()),
        "without_fee": int(counts["without_fee"].sum()),
        "not_in_codebook": {
            column: dict(zip(found["text"], found["n"], strict=True)) for column, found in listed.items()
        },
    }
    return pareto


def _checked(codebook: Codebook) -> dict[str, dict[str, list[str]]]:
    """Return by column and reason the texts that mean it, folded."""
    if not any(isinstance(meanings, Mapping) and meanings for meanings in codebook.values()):
        raise MeasureError("reasons", "the codebook is empty", "Give for each column its texts and what they mean")
    return {column: _texts_by_reason(column, meanings) for column, meanings in codebook.items()}


def _texts_by_reason(column: str, meanings: Mapping[str, str]) -> dict[str, list[str]]:
    meant: dict[str, str] = {}
    for text, reason in meanings.items():
        folded = str(text).strip().lower()
        if meant.setdefault(folded, reason) != reason:
            raise MeasureError(
                "reasons", f"the codebook of {column!r} says of {folded!r} both {meant[folded]!r} and {reason!r}"
            )
    return {reason: [text for text in meant if meant[text] == reason] for reason in dict.fromkeys(meant.values())}


def _ended(table: ir.Table, start: dt.date | None, end: dt.date | None) -> ir.Table:
    if "ended_on" not in table.columns:
        return table
    last = table["ended_on"].cast("date")
    kept = [last.notnull(), *([last >= start] if start else []), *([last <= end] if end else [])]
    return table.filter(*kept)


def _coded(ended: ir.Table, book: dict[str, dict[str, list[str]]]) -> ir.Table:
    """Return a row a contract: kind, reason, cents, and by column what it says that the codebook lacks."""
    said = {column: ended[column].cast("string").strip().nullif("") for column in book}
    means = {column: _meaning(said[column], texts) for column, texts in book.items()}
    reason = ibis.coalesce(*means.values())
    disagrees = ibis.or_(*((meaning != reason).fill_null(False) for meaning in means.values()))
    kind = ibis.cases(
        (disagrees, "sources disagree"),
        (reason.notnull(), "reason"),
        (ibis.coalesce(*said.values()).notnull(), "not in codebook"),
        else_="unknown",
    )
    fee = (ended["fee"] if "fee" in ended.columns else ibis.null()).cast("float64")
    return ended.select(
        kind=kind,
        reason=(kind == "reason").ifelse(reason, ibis.null("string")),
        cents=(fee.isnan() | fee.isinf()).ifelse(ibis.null("float64"), (fee * 100).round().cast("float64")),
        **{f"text_{column}": means[column].isnull().ifelse(said[column], ibis.null("string")) for column in book},
    )


def _meaning(said: ir.StringValue, texts: dict[str, list[str]]) -> ir.StringValue:
    # The engine folds both sides, so that they are folded alike whatever it makes of umlauts.
    branches = [
        (said.lower().isin([ibis.literal(text).lower() for text in of]), reason) for reason, of in texts.items()
    ]
    return ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")


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


def _pareto(counts: pd.DataFrame, confidence: float, *, has_fees: bool) -> pd.DataFrame:
    """Order the reasons by how often they are given, and put the other kinds behind them."""
    given = counts[counts["kind"] == "reason"].sort_values(["ended", "reason"], ascending=[False, True])
    kinds = pd.DataFrame({"kind": get_args(Kind)[1:]})
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
