"""Reasons for leaving: how often each is given and what revenue goes with it, and how much nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.codebooks import AsTheyStand, Book, Codebook, Sources, checked, written
from analysis.measures.frames import Rows, as_table, binary_order, check_confidence, require
from analysis.measures.intervals import wilson
from analysis.measures.rare_reasons import by_frequency, counted, moved, pooled, untold
from analysis.vocabulary import NO_REASONS

Kind: TypeAlias = Literal["reason", "other", "sources disagree", "not in codebook", "unknown"]
"""What is known of why a contract ended; each contract is of one kind. ``other`` pools reasons that are rare."""

_NUMBERS = ["ended", "paying", "cents"]
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
    kind is ``sources disagree``. Where none says one it is ``not in codebook`` or, without any text, ``unknown``; what
    is not in the codebook of :func:`as_they_stand` is ``other``, a reason given seldom.

    Columns in: the columns of the codebook and, where there are any, ``ended_on`` and ``fee`` (a month). Contracts
    without an end are left out; without that column every row is a contract that ended. ``start`` and ``end`` keep
    those whose last day in force lies between them, both included.

    Columns out, one row a reason and one for each of the other kinds that there can be (sources disagree where there
    are two), even where there are none: ``reason`` (missing for the others), ``kind``, ``ended``, ``share`` of all that
    ended, with its Wilson interval ``share_low, share_high``, ``cumulative`` share in this order; ``revenue_lost``,
    fees a month, ``revenue_share`` of all of them, and ``revenue_cumulative``, with the reasons in the order of revenue
    lost; missing without fees. ``attrs``: ``n`` contracts that ended; ``without_fee`` of them; ``not_in_codebook``, by
    column the 20 most frequent texts that the codebook lacks, with their counts. They may be what customers wrote: they
    are for those who keep the codebook.

    Raises MeasureError for an absent column, an empty codebook or one that gives a text two meanings or calls a reason
    like a kind, an end before the start, a negative fee, and a confidence outside 0 to 1.
    Source: Juran, Quality Control Handbook (1951), for the order; Wilson (1927), JASA 22, 209-212.

    >>> ledger = pd.DataFrame({"reason": ["zu teuer", "Umzug", "Preis", None], "fee": [20, 40, 10, 10]})
    >>> book = {"reason": {"Zu teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug"}}
    >>> reasons(ledger, book)[["reason", "kind", "ended", "share", "revenue_share", "revenue_cumulative"]]
      reason             kind  ended  share  revenue_share  revenue_cumulative
    0  Preis           reason      2   0.50          0.375               0.875
    1  Umzug           reason      1   0.25          0.500               0.500
    2    NaN  not in codebook      0   0.00          0.000               0.875
    3    NaN          unknown      1   0.25          0.125               1.000
    """
    return _found(as_table(contracts), codebook, (start, end), confidence)


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
    """Return the table of :func:`reasons` as it may be shown: few rows, and none that tells of only a few customers.

    Reasons beyond the ``most`` most frequent and those of fewer than ``min_group`` customers are one row of the kind
    ``other``, which stands before the kinds of which nothing is known and is left out where it is empty. Where the
    sources disagree on fewer, or name to fewer what is in no codebook, that counts as ``unknown``, and what is unknown
    of fewer as ``other``; their own numbers are missing. If ``other`` is fewer all the same, the least frequent reason
    joins it, for it would follow from the rest. So it is with fees: what fewer paid is missing and, if that is one row
    alone, one row more. Of fewer than ``min_group`` customers in all nothing is told, and ``n`` is None. An empty
    codebook knows no reason. Contracts without a column ``ended_on`` have not ended.

    Columns in: as for :func:`reasons`, and ``customer_id``. Columns out, Raises and Source: as for :func:`reasons`;
    ``attrs`` holds ``min_group`` too.

    >>> ledger = pd.DataFrame({"customer_id": range(15), "reason": ["Preis"] * 6 + ["Umzug"] * 5 + ["Tod"] * 4})
    >>> ledger["ended_on"] = pd.to_datetime("2025-01-31")
    >>> pareto(ledger, as_they_stand(ledger))[["reason", "kind", "ended", "share"]]
      reason     kind  ended  share
    0  Preis   reason      6    0.4
    1    NaN    other      9    0.6
    2    NaN  unknown      0    0.0
    """
    table = _dated(contracts)
    require("pareto", table, ["customer_id"])
    return _found(table, codebook, (start, end), confidence, most=most, min_group=min_group)


def as_they_stand(contracts: Rows, column: str = "reason", *, at_least: int = 5, most: int = 20) -> AsTheyStand:
    """Return the codebook of a source that keeps a list to pick from: each text means itself.

    Only texts of at least ``at_least`` customers whose contract ended are in it, the ``most`` most frequent of them:
    others may be what a customer wrote. Texts that differ in case and outer spaces are one, named by the most frequent
    spelling. A text that only says ``other`` or ``unknown`` names no reason.

    Columns in: ``customer_id``, ``column`` and, where there is one, ``ended_on``. Returns nothing without ``column``.

    >>> ledger = pd.DataFrame({"customer_id": list("abcd"), "reason": ["Preis", "preis ", "Preis", "Er war frech."]})
    >>> as_they_stand(ledger, at_least=2), as_they_stand(ledger, "call")
    ({'reason': {'Preis': 'Preis'}}, {})
    """
    table = as_table(contracts)
    if column not in table.columns:
        return AsTheyStand()
    require("as_they_stand", table, ["customer_id"])
    texts = _reduce_spellings(_ended(table), column, at_least, most).to_pyarrow().to_pandas()["text"]
    # An engine that folds no umlauts lists their spellings apart.
    named: dict[str, str] = {}
    return AsTheyStand(
        {column: {text: named.setdefault(text.lower(), text) for text in texts if text.lower() not in NO_REASONS}}
    )


def with_merged(contracts: Rows, codebook: Codebook, *, most: int = 6, min_group: int = 5) -> ir.Table:
    """Return the contracts with the reason that all their sources mean, lazily, so that spells carry it as cause.

    Columns in: ``customer_id``, the columns of the codebook and, where there is one, ``ended_on``. In the column
    ``reason`` that comes back stand the ``most`` most frequent reasons of those whose contract has ended, ``other`` for
    the rest of them, and ``unknown`` where none is known or the sources disagree, none of them of fewer than
    ``min_group`` customers, as :func:`pareto` has it; it is missing where a contract has not ended. All other columns
    stay. Raises MeasureError for an absent column and a codebook that :func:`reasons` refuses.

    >>> ledger = pd.DataFrame({"customer_id": range(7), "reason": ["teuer", "Preis", "Umzug", "Tod", None, "", None]})
    >>> ledger["ended_on"] = pd.to_datetime(["2025-01-31"] * 6 + [None])
    >>> book = {"reason": {"teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug", "Tod": "Todesfall"}}
    >>> with_merged(ledger, book, min_group=2).to_pandas()["reason"].tolist()
    ['Preis', 'Preis', 'other', 'other', 'unknown', 'unknown', nan]
    """
    table, book = _dated(contracts), _book(codebook)
    require("with_merged", table, ["customer_id", *book])
    coded = moved(_coded(_ended(table), book, _unlisted(codebook)), ["sources disagree", "not in codebook"], "unknown")
    counts, kinds = pooled(coded, most, min_group)
    sources = Sources.of(table, book)
    merged = ibis.cases(
        (table["ended_on"].isnull(), ibis.null("string")),
        (sources.agreed.isin(by_frequency(counts)["reason"].tolist()), sources.agreed),
        (_kind(sources, _unlisted(codebook)).isin(["reason", "other"]), "other"),
        else_="other" if "unknown" in kinds else "unknown",
    )
    return table.mutate(reason=merged)


def _found(
    table: ir.Table,
    codebook: Codebook,
    window: tuple[dt.date | None, dt.date | None],
    confidence: float,
    *,
    most: int | None = None,
    min_group: int = 0,
) -> pd.DataFrame:
    check_confidence("reasons", confidence)
    book = checked(codebook) if most is None else _book(codebook)
    start, end = window
    require("reasons", table, (*book, *(["ended_on"] if start or end else [])))
    if start is not None and end is not None and end < start:
        raise MeasureError("reasons", f"end {end} lies before start {start}", "Name the window's last day as end")
    coded = _coded(_ended(table, start, end), book, _unlisted(codebook))
    every = counted(coded)
    if negative := int(every["negative"].sum()):
        raise MeasureError("reasons", f"{negative} contracts have a negative fee")
    counts, away = (every, set()) if most is None else pooled(coded, most, min_group)
    rows = _rows(counts, _kinds(book, codebook, {*every["kind"]}), away)
    pareto = _pareto(rows, confidence, has_fees="fee" in table.columns, min_group=min_group)
    listed = {column: _reduce_uncoded(coded, column).to_pyarrow().to_pandas() for column in book}
    pareto.attrs = {
        "n": None if counts.empty and len(every) else int(every["ended"].sum()),
        "without_fee": int(every["without_fee"].sum()),
        "not_in_codebook": {
            column: dict(zip(found["text"], found["n"], strict=True)) for column, found in listed.items()
        },
    } | ({"min_group": min_group} if min_group else {})
    return pareto


def _dated(contracts: Rows) -> ir.Table:
    table = as_table(contracts)
    return table if "ended_on" in table.columns else table.mutate(ended_on=ibis.null("date"))


def _book(codebook: Codebook) -> Book:
    return checked(codebook) if any(codebook.values()) else {column: {} for column in codebook}


def _unlisted(codebook: Codebook) -> Kind:
    """Return the kind of a contract that says what is not in the codebook."""
    return "other" if isinstance(codebook, AsTheyStand) else "not in codebook"


def _kinds(book: Book, codebook: Codebook, found: set[str]) -> list[str]:
    """Return the kinds that are found, and those shown even where no contract is of them."""
    always = ["unknown", *["sources disagree"] * (len(book) > 1)]
    always += [_unlisted(codebook)] * any(book.values())
    return [kind for kind in NO_REASONS[1:] if kind in {*found, *always}]


def _ended(table: ir.Table, start: dt.date | None = None, end: dt.date | None = None) -> ir.Table:
    if "ended_on" not in table.columns:
        return table
    last = table["ended_on"].cast("date")
    kept = [last.notnull(), *([last >= start] if start else []), *([last <= end] if end else [])]
    return table.filter(*kept)


def _kind(sources: Sources, unlisted: Kind) -> ir.StringValue:
    return ibis.cases(
        (sources.disagree, "sources disagree"),
        (sources.first.notnull(), "reason"),
        (sources.say_anything, unlisted),
        else_="unknown",
    )


def _coded(ended: ir.Table, book: Book, unlisted: Kind = "not in codebook") -> ir.Table:
    """Return a row a contract: kind, reason, customer, cents, and by column what it says that the codebook lacks."""
    sources = Sources.of(ended, book)
    fee = (ended["fee"] if "fee" in ended.columns else ibis.null()).cast("float64")
    return ended.select(
        kind=_kind(sources, unlisted),
        reason=sources.agreed,
        customer=ended["customer_id"] if "customer_id" in ended.columns else ibis.null("string"),
        cents=(fee.isnan() | fee.isinf()).ifelse(ibis.null("float64"), (fee * 100).round().cast("float64")),
        **{f"text_{column}": uncoded for column, uncoded in sources.uncoded.items()},
    )


def _reduce_uncoded(coded: ir.Table, column: str) -> ir.Table:
    texts = coded.select(text=coded[f"text_{column}"]).filter(ibis._.text.notnull())
    counted = texts.group_by("text").aggregate(n=texts.count())
    return counted.order_by(counted["n"].desc(), binary_order(counted, "text")).limit(_LISTED)


def _reduce_spellings(ended: ir.Table, column: str, at_least: int, most: int) -> ir.Table:
    """Reduce to the most frequent texts, each as it is spelled most often."""
    said = ended.select("customer_id", text=written(ended, column)).filter(ibis._.text.notnull())
    said = said.mutate(folded=said["text"].lower())
    given = said.group_by("folded").aggregate(given=said.count(), customers=said["customer_id"].nunique())
    spelled = said.group_by("folded", "text").aggregate(n=said.count()).join(given, "folded")
    of_one = ibis.window(group_by="folded", order_by=[spelled["n"].desc(), binary_order(spelled, "text")])
    ranked = spelled.mutate(place=ibis.row_number().over(of_one))
    named = ranked.filter(ranked["place"] == 0, ranked["customers"] >= at_least)
    return named.order_by(named["given"].desc(), binary_order(named, "text")).limit(most).select("text")


def _rows(counts: pd.DataFrame, kinds: list[str], away: set[str]) -> pd.DataFrame:
    """Put the other kinds behind the reasons, those with none as 0; say which are counted with another kind."""
    pooled = counts.loc[counts["kind"] == "other", "kind"]
    others = pd.DataFrame({"kind": [*pooled, *kinds]}).merge(counts.drop(columns="reason"), on="kind", how="left")
    rows = pd.concat([by_frequency(counts), others], ignore_index=True)
    return rows.assign(away=rows["kind"].isin(away - {*counts["kind"]})).fillna(dict.fromkeys(_NUMBERS, 0))


def _pareto(rows: pd.DataFrame, confidence: float, *, has_fees: bool, min_group: int) -> pd.DataFrame:
    revenue = rows["cents"].astype("float64") / (100 if has_fees else float("nan"))
    ended, total = rows["ended"].astype("int64"), revenue.sum()
    low, high = wilson(ended, ended.sum(), confidence)
    by_revenue = revenue.where(rows["kind"] == "reason").sort_values(ascending=False, kind="stable").index
    share, revenue_share = ended / ended.sum(), revenue / total if total > 0 else revenue * float("nan")
    shares = pd.DataFrame(
        {"ended": ended, "share": share, "share_low": low, "share_high": high, "cumulative": share.cumsum()}
    )
    money = pd.DataFrame({"revenue_lost": revenue, "revenue_share": revenue_share})
    money = money.assign(revenue_cumulative=revenue_share.loc[by_revenue].cumsum())
    if (is_few := untold(rows["paying"], min_group)).any():
        money = money.mask(is_few).assign(revenue_cumulative=float("nan"))
    return rows[["reason", "kind"]].join(shares.join(money).mask(rows["away"]))
