"""Sentences, tables and figures on what became of the monthly fees, and which of them may be told."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates, names, numbers, tables, words
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext, reader
from analysis.draw.numbers import is_missing, show
from analysis.draw.small_cells import hidden
from analysis.draw.tables import Key, Table
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_FEES = ("fees_start", "lost", "reduced", "added", "fees_end")
_GROSS, _NET = (tuple(f"{kind}_{end}" for end in ("retention", "low", "high")) for kind in ("gross", "net"))
_BEHIND = ("lost_by", "reduced_by", "added_by")
_TOLD_BY = {
    **{name: (name,) for name in _FEES},
    **dict.fromkeys(("revenue_churn", *_GROSS), ("stayed", "fees_start")),
    **dict.fromkeys(_NET, ("fees_end", "fees_start")),
}
"""The sums that a column tells of; ``stayed`` is what was there on the first day and still is, nothing added."""
_MANY = 1_000_000
"""Stands for the customers behind large sums, of which none is small."""
_WITH_CENTS = 1000
"""Sums below this are told to the cent."""


def tellable(frame: pd.DataFrame, *, internal: bool) -> pd.DataFrame:
    """Return the fees by period without what, unless ``internal``, must not be told; ``attrs["withheld"]`` says so.

    Left out are fees of fewer than 5 customers, of those who joined between two periods as well, and others as far as
    such fees follow from them; also how many customers have no fee known, where these are few, and the others' number.
    The periods follow on one another.

    Columns in: those of revenue churn by period.
    """
    require("fees.tellable", frame, ("customers", "gone", "without_fee", *_BEHIND, *_TOLD_BY))
    if internal:
        return frame
    away = _away(frame.reset_index(drop=True))
    shown = frame.reset_index(drop=True)
    for column, sums in _TOLD_BY.items():
        is_told = [not any(f"{name} {place}" in away for name in sums) for place in shown.index]
        shown = shown.assign(**{column: shown[column].where(pd.Series(is_told, dtype="bool"))})
    is_few = shown["without_fee"].between(1, SMALL_CELL - 1)
    counts = {name: shown[name].astype("float64").mask(is_few) for name in ("customers", "without_fee")}
    shown = shown.assign(**counts)
    shown.attrs = frame.attrs | {"withheld": bool(away)}
    return shown


def _away(frame: pd.DataFrame) -> set[str]:
    """Return what is not told, with the row: the small sums, and what they follow from, as each is a sum of others."""
    counts: dict[str, int] = {}
    sums: list[list[str]] = []
    rows = frame[frame["fees_start"].notna()].astype(dict.fromkeys(("customers", "gone", *_BEHIND), "int64"))
    start = _MANY
    for place, row in rows.iterrows():
        lost, reduced, added = (int(row[name]) for name in _BEHIND)
        stayed = start - lost - reduced
        named = dict(zip(_FEES, (start, lost, reduced, added, stayed + added), strict=True)) | {"stayed": stayed}
        counts |= {f"{name} {place}": count for name, count in named.items()}
        sums.append([f"{name} {place}" for name in ("lost", "reduced", "stayed", "fees_start")])
        sums.append([f"{name} {place}" for name in ("stayed", "added", "fees_end")])
        start = _MANY
        if place + 1 in rows.index:
            joined = max(int(rows.loc[place + 1, "customers"] - row["customers"] + row["gone"]), 0)
            if joined < SMALL_CELL:
                start = named["fees_end"] + joined
                counts[f"joined {place}"] = joined
                sums.append([f"fees_end {place}", f"joined {place}", f"fees_start {place + 1}"])
    return hidden(counts, sums, known=[name for name in counts if name.startswith("fees_start")])


def revenue(frame: pd.DataFrame) -> Sentence:
    r"""Say what became of the fees in force on the first day of the last period.

    Columns in: those of revenue churn by period, and period and without_fee; ``attrs["ends_on_record"]`` is false where
    nobody knows when contracts end, ``attrs["withheld"]`` true where what is missing must not be told.

    >>> row = {"period": "2026-Q3", "customers": 900, "fees_start": 51200.0, "lost": 2050.0, "reduced": 300.0}
    >>> row |= {"added": 820.0, "fees_end": 49670.0, "gross_retention": 0.954, "gross_low": 0.942, "gross_high": 0.966}
    >>> row |= {"net_retention": 0.970, "net_low": 0.957, "net_high": 0.983, "without_fee": 0}
    >>> print(revenue(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 51.200 € Monatsentgelt zu Beginn (Q3 2026, n = 900) sind 2.050 € weggefallen und 300 € durch Minderung verloren
    gegangen; 820 € kamen bei denselben Kundinnen und Kunden hinzu. Ohne Zuwachs blieben 95,4 % (95-%-Intervall 94,2 bis
    96,6 %), mit Zuwachs 97,0 % (95-%-Intervall 95,7 bis 98,3 %).
    """
    require("fees.revenue", frame, ("period", "customers", *_FEES, *_GROSS, *_NET, "without_fee"))
    if not frame.attrs.get("ends_on_record", True):
        return Sentence(_("When contracts end is not on record, so nobody can say which monthly fees stayed."))
    row = frame.iloc[-1] if len(frame) else None
    if row is not None and frame.attrs.get("withheld") and row[[*_FEES, _GROSS[0], _NET[0]]].isna().any():
        return Sentence(" ".join([*_some(row), *_without_fee(row["without_fee"])]))
    if row is None or is_missing(row["net_retention"]):
        return words.no_data(names.column("fees_start"))
    fees = {name: amount(row[name], of=row["fees_start"]) for name in _FEES}
    text, kept = _("Of {fees_start} of monthly fees at the start ({base}) {lost} were lost."), _("{gross} stayed.")
    if row["reduced"] or row["added"]:
        text = _(
            "Of {fees_start} of monthly fees at the start ({base}) {lost} were lost, and fees fell by {reduced}; with "
            "the same customers {added} were added."
        )
        kept = _("Gross {gross} stayed, net {net}.")
    kept = kept.format(gross=_kept(row, _GROSS), net=_kept(row, _NET))
    return Sentence(" ".join([text.format(base=_base(row), **fees), kept, *_without_fee(row["without_fee"])]))


def _some(row: pd.Series) -> list[str]:
    """Say of a row of which some must not be told what else there is."""
    texts = {
        "fees_start": _("Monthly fees at the start ({base}): {value}."),
        "lost": _("{value} were lost."),
        "reduced": _("Fees fell by {value}."),
        "added": _("With the same customers {value} were added."),
    }
    told = [name for name in texts if not is_missing(row[name]) and row[name]]
    said = [texts[name].format(base=_base(row), value=amount(row[name], of=row["fees_start"])) for name in told]
    kept = [
        text.format(share=_kept(row, columns))
        for text, columns in ((_("Without what was added {share} stayed."), _GROSS), (_("Net {share} stayed."), _NET))
        if not is_missing(row[columns[0]])
    ]
    return [*said, *kept, _not_told()]


def _not_told() -> str:
    text = _("Not told are fees of fewer than {least} customers, nor what would give them away.")
    return text.format(least=show(SMALL_CELL, "count"))


def _base(row: pd.Series) -> str:
    """Name the period, and how many customers are behind its fees, where that may be told."""
    period = dates.period(row["period"])
    return period if is_missing(row["customers"]) else f"{period}, {words.base(row['customers'])}"


def amount(value: float, *, of: float | None = None) -> str:
    """Return an amount without cents where it, or the whole that it is told of, is large."""
    is_large = abs(value if of is None else of) >= _WITH_CENTS
    return numbers.short(value, "money") if is_large else show(value, "money")


def _kept(row: pd.Series, columns: tuple[str, ...]) -> str:
    share, low, high = (row[column] for column in columns)
    ends = words.bracket(low, high, "share")
    return f"{show(share, 'share')} ({ends})" if ends else show(share, "share")


def _without_fee(count: float) -> list[str]:
    if is_missing(count):
        text = _("Fewer than {least} customers, whose fees are not known, do not count.")
        return [text.format(least=show(SMALL_CELL, "count"))]
    text = ngettext(
        "{count} customer whose fee is not known does not count.",
        "{count} customers whose fees are not known do not count.",
        int(count),
    )
    return [text.format(count=show(count, "count"))] if count else []


def by_period(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show what became of the fees in each period; large sums stand without cents and all without the currency's sign.

    Columns in: period, fees_start, lost, reduced, added, fees_end, net_retention, net_low, net_high; ``attrs`` as for
    :func:`revenue`.
    """
    require("fees.by_period", frame, ("period", *_FEES, *_NET))
    known = frame[frame[list(_FEES)].notna().any(axis=1)]
    places = 0 if known["fees_start"].max() >= _WITH_CENTS else 2
    shown = known.assign(**{name: [show(fee, "count", places=places) for fee in known[name]] for name in _FEES})
    columns: dict[Key, tuple[str | None, str]] = {
        "period": (None, "period"),
        "fees_start": (_("At the start"), "written"),
    }
    columns |= dict.fromkeys(_FEES[1:], (None, "written"))
    columns |= {"net_retention": (_("Stayed"), "share"), ("net_low", "net_high"): (None, "share")}
    note = _("Monthly fees in {currency}. “Stayed” is what is there at the end over what was there at the start.")
    notes = [note.format(currency=reader().currency), *([_not_told()] if frame.attrs.get("withheld") else [])]
    return tables.table(shown, title=title, columns=columns, note=" ".join(notes))


def revenue_figures(frame: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the fees at the start of the last period, what was lost and what stayed, as the report takes them.

    Columns in: those of revenue churn by period. Columns out: those of a figure; none where no fees are known, and
    nothing of what must not be told.
    """
    require("fees.revenue_figures", frame, ("customers", *_FEES, *_GROSS, *_NET))
    named = {"fees_start": ("fees_start",), "fees_lost": ("lost",), "gross_retention": _GROSS, "net_retention": _NET}
    rows = [
        dict(zip(("value", "low", "high"), (row[column] for column in columns), strict=False))
        | {"id": f"{chapter}.{name}", "n": row["customers"]}
        | defined(name)
        for row in frame.tail(1).to_dict("records")
        for name, columns in named.items()
    ]
    return figure_rows(rows, source="contracts")
