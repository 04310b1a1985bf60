"""Sentences, tables and figures on why customers leave, when, and what that means in money."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import dates, names, numbers, tables, words
from analysis.draw.charts.departures import NO_REASONS, reason_name
from analysis.draw.charts.furniture import DAYS_A_MONTH
from analysis.draw.definitions import defined
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext, reader
from analysis.draw.numbers import is_missing, show
from analysis.draw.tables import Key, Table
from analysis.draw.unknown_reasons import counted_elsewhere, few, not_known
from analysis.draw.words import Sentence

_REASONS = ("reason", "kind", "ended", "share", "share_low", "share_high", "revenue_lost", "revenue_share")
_FEES = ("fees_start", "lost", "reduced", "added", "fees_end")
_RETENTION = ("gross_retention", "gross_low", "gross_high", "net_retention", "net_low", "net_high")
_INCIDENCE = ("cause", "time", "incidence", "low", "high", "n")
_FIGURE = ["id", "group", "value", "low", "high", "n", "unit", "definition", "source"]
_WITH_CENTS = 1000
"""Sums below this are told to the cent."""


def why(frame: pd.DataFrame) -> Sentence:
    r"""Say why most left, which reason costs most, and of how many contracts no reason is certain.

    Columns in: those of a table of reasons, the most frequent first; a kind without a row is passed over. ``attrs``:
    ``n`` is None where fewer than ``min_group`` customers left.

    >>> row = {"reason": "Preis", "kind": "reason", "ended": 30, "share": 0.75, "share_low": 0.6, "share_high": 0.86}
    >>> rows = [row | {"revenue_lost": 600.0, "revenue_share": 0.8}, {"kind": "unknown", "ended": 10, "share": 0.25}]
    >>> print(why(pd.DataFrame(rows)).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Häufigster Grund ist „Preis“: 75,0 % der beendeten Verträge (95-%-Intervall 60,0 bis 86,0 %, n = 40). Dieser Grund
    kostet auch am meisten: 600,00 € Monatsentgelt, das sind 80,0 % des weggefallenen. Bei 25,0 % ist kein Grund
    bekannt.
    """
    require("departures.why", frame, _REASONS)
    n = int(frame["ended"].sum())
    if not n:
        return Sentence(few(frame)) if frame.attrs.get("n", 0) is None else words.no_data(names.column("reasons"))
    named = frame[frame["kind"] == "reason"]
    return Sentence(" ".join([_most_frequent(named, n), *_costliest(named), *not_known(frame)]))


def _most_frequent(named: pd.DataFrame, n: int) -> str:
    if named.empty:
        return _("No reason is frequent enough to be named ({base}).").format(base=words.base(n))
    first, *rest = named.to_dict("records")
    text = _("The most frequent reason is {reason}: {share} of the contracts that ended ({bracket}){second}.")
    return text.format(
        reason=_quoted(first["reason"]),
        share=show(first["share"], "share"),
        bracket=words.bracket(first["share_low"], first["share_high"], "share", words.base(n)),
        second=_second(first, rest[0]) if rest else "",
    )


def _second(first: dict[Any, Any], second: dict[Any, Any]) -> str:
    if second["ended"] == first["ended"]:
        return _("; {reason} was given as often").format(reason=_quoted(second["reason"]))
    text = _("; {reason} follows with {share}").format(
        reason=_quoted(second["reason"]), share=show(second["share"], "share")
    )
    is_apart = second["share_high"] < first["share_low"]
    return text + (_("; their intervals do not overlap") if is_apart else _("; their intervals overlap"))


def _costliest(named: pd.DataFrame) -> list[str]:
    known = named[named["revenue_lost"] > 0].reset_index(drop=True)
    if known.empty:
        return []
    most = known.loc[known["revenue_lost"].idxmax()]
    if most["reason"] == named["reason"].iloc[0]:
        text = _("It also costs most: {fees} of monthly fees, {share} of all that were lost.")
    else:
        text = _("{reason} costs most: {fees} of monthly fees, {share} of all that were lost.")
    fees, share = _money(most["revenue_lost"]), show(most["revenue_share"], "share")
    return [text.format(reason=_quoted(most["reason"]), fees=fees, share=share)]


def _quoted(name: str) -> str:
    return _("“{name}”").format(name=names.label(name))


def _money(value: float, *, of: float | None = None) -> str:
    """Return an amount without cents where it, or the whole that it is told of, is large."""
    is_large = abs(value if of is None else of) >= _WITH_CENTS
    return numbers.short(value, "money") if is_large else show(value, "money")


def by_reason(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show how many contracts ended for each reason and, where fees are known, what went with them.

    Columns in: those of a table of reasons; ``attrs["without_fee"]`` counts contracts whose fee is not known.
    """
    require("departures.by_reason", frame, (*_REASONS, "cumulative"))
    if not frame["ended"].sum():
        return words.no_data(title)
    has_fees = frame["revenue_lost"].notna().any()
    shown = frame.assign(reason=[reason_name(row) for _i, row in frame.iterrows()])
    columns: dict[Key, tuple[str | None, str]] = {"reason": (None, "text"), "ended": (_("Contracts"), "count")}
    columns |= {"share": (None, "share"), ("share_low", "share_high"): (None, "share"), "cumulative": (None, "share")}
    if has_fees:
        columns |= {"revenue_lost": (_("Monthly fee"), "money"), "revenue_share": (_("Share of them"), "share")}
    without = int(frame.attrs.get("without_fee", 0))
    fees = ngettext(
        "Of {count} contract the fee is not known.", "Of {count} contracts the fee is not known.", without
    ).format(count=show(without, "count"))
    notes = [*counted_elsewhere(frame), *([fees] if has_fees and without else [])]
    return tables.table(shown, title=title, columns=columns, note=" ".join(notes))


def uncoded(frame: pd.DataFrame, *, title: str, shown: bool) -> Table | Sentence:
    """Show the texts that the codebook lacks, for those who keep it; nothing unless ``shown``, for they may be quotes.

    Takes ``attrs["not_in_codebook"]`` of a table of reasons: by column the texts and how often they stand there.
    """
    rows = [
        {"column": column, "text": text, "count": count}
        for column, texts in frame.attrs.get("not_in_codebook", {}).items()
        for text, count in texts.items()
    ]
    if not shown or not rows:
        return Sentence()
    columns: dict[Key, tuple[str | None, str]] = {"text": (_("Text"), "plain"), "column": (None, "column")}
    return tables.table(pd.DataFrame(rows), title=title, columns=columns | {"count": (None, "count")})


def when(frame: pd.DataFrame) -> Sentence:
    r"""Say for which reason most have left by each time, of all who began at any time.

    Columns in: cause, time (days), incidence, low, high, n; ``other`` and ``unknown`` are no reasons.

    >>> row = {"cause": "Preis", "time": 365.0, "incidence": 0.046, "low": 0.038, "high": 0.057, "n": 3588}
    >>> print(when(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Häufigster Grund bis Monat 12: „Preis“, deswegen sind 4,6 % aller gegangen (95-%-Intervall 3,8 bis 5,7 %,
    n = 3.588). Hier zählen alle Jahre; in einem einzelnen Zeitraum kann ein anderer Grund vorn liegen.
    """
    require("departures.when", frame, _INCIDENCE)
    left = frame[frame["incidence"] > 0]
    known = left[left["cause"].notna() & ~left["cause"].isin(NO_REASONS)]
    if known.empty:
        return words.no_data(names.column("incidence")) if left.empty else Sentence()
    most = known.loc[known.groupby("time")["incidence"].idxmax()]
    years = _("Here all years count; in a single period another reason may come first.")
    return Sentence(" ".join([*(_most_after(row) for _i, row in most.iterrows()), years]))


def _most_after(row: pd.Series) -> str:
    months = row["time"] / DAYS_A_MONTH
    text = _("The most frequent reason up to month {months}: {cause}, for which {share} of all left ({bracket}).")
    return text.format(
        months=show(months, "count"),
        cause=_quoted(row["cause"]),
        share=show(row["incidence"], "share"),
        bracket=words.bracket(row["low"], row["high"], "share", words.base(row["n"])),
    )


def revenue(frame: pd.DataFrame) -> Sentence:
    r"""Say what became of the fees in force on the first day of the last period.

    Columns in: those of revenue churn by period, and period and without_fee; ``attrs["ends_on_record"]`` is false where
    nobody knows when contracts end.

    >>> row = {"period": "2026-Q3", "customers": 900, "fees_start": 51200.0, "lost": 2050.0, "reduced": 300.0}
    >>> row |= {"added": 820.0, "fees_end": 49670.0, "gross_retention": 0.954, "gross_low": 0.942, "gross_high": 0.966}
    >>> row |= {"net_retention": 0.970, "net_low": 0.957, "net_high": 0.983, "without_fee": 0}
    >>> print(revenue(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 51.200 € Monatsentgelt zu Beginn (Q3 2026, n = 900) sind 2.050 € weggefallen und 300 € durch Minderung verloren
    gegangen; 820 € kamen bei denselben Kundinnen und Kunden hinzu. Ohne Zuwachs blieben 95,4 % (95-%-Intervall 94,2 bis
    96,6 %), mit Zuwachs 97,0 % (95-%-Intervall 95,7 bis 98,3 %).
    """
    require("departures.revenue", frame, ("period", "customers", *_FEES, *_RETENTION, "without_fee"))
    if not frame.attrs.get("ends_on_record", True):
        return Sentence(_("When contracts end is not on record, so nobody can say which monthly fees stayed."))
    if frame.empty or is_missing(frame["net_retention"].iloc[-1]):
        return words.no_data(names.column("fees_start"))
    row = frame.iloc[-1]
    fees = {name: _money(row[name], of=row["fees_start"]) for name in _FEES}
    base = f"{dates.period(row['period'])}, {words.base(row['customers'])}"
    text, kept = _("Of {fees_start} of monthly fees at the start ({base}) {lost} were lost."), _("{gross} stayed.")
    if row["reduced"] or row["added"]:
        text = _(
            "Of {fees_start} of monthly fees at the start ({base}) {lost} were lost, and fees fell by {reduced}; with "
            "the same customers {added} were added."
        )
        kept = _("Gross {gross} stayed, net {net}.")
    kept = kept.format(gross=_kept(row, "gross"), net=_kept(row, "net"))
    return Sentence(" ".join([text.format(base=base, **fees), kept, *_without_fee(int(row["without_fee"]))]))


def _kept(row: pd.Series, kind: str) -> str:
    ends = words.bracket(row[f"{kind}_low"], row[f"{kind}_high"], "share")
    share = show(row[f"{kind}_retention"], "share")
    return f"{share} ({ends})" if ends else share


def _without_fee(count: int) -> list[str]:
    text = ngettext(
        "{count} customer whose fee is not known does not count.",
        "{count} customers whose fees are not known do not count.",
        count,
    )
    return [text.format(count=show(count, "count"))] if count else []


def by_period(frame: pd.DataFrame, *, title: str) -> Table | Sentence:
    """Show what became of the fees in each period; large sums stand without cents and all without the currency's sign.

    Columns in: period, fees_start, lost, reduced, added, fees_end, net_retention, net_low, net_high.
    """
    require("departures.by_period", frame, ("period", *_FEES, *_RETENTION[3:]))
    known = frame[frame["fees_start"].notna()]
    places = 0 if known["fees_start"].max() >= _WITH_CENTS else 2
    shown = known.assign(**{name: [show(fee, "count", places=places) for fee in known[name]] for name in _FEES})
    columns: dict[Key, tuple[str | None, str]] = {
        "period": (None, "period"),
        "fees_start": (_("At the start"), "written"),
    }
    columns |= dict.fromkeys(_FEES[1:], (None, "written"))
    columns |= {"net_retention": (_("Stayed"), "share"), ("net_low", "net_high"): (None, "share")}
    note = _("Monthly fees in {currency}. “Stayed” is what is there at the end over what was there at the start.")
    return tables.table(shown, title=title, columns=columns, note=note.format(currency=reader().currency))


def reason_figures(frame: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the share of each reason and what it costs as figures, as the report takes them.

    Columns in: those of a table of reasons. Columns out: those of a figure, with group.

    >>> row = {"reason": "Preis", "kind": "reason", "ended": 30, "share": 0.75, "share_low": 0.6, "share_high": 0.86}
    >>> row |= {"revenue_lost": 600.0, "revenue_share": 0.8}
    >>> reason_figures(pd.DataFrame([row]), "churn_drivers")[["id", "group", "value", "n", "unit"]]
                                 id  group   value   n   unit
    0    churn_drivers.reason_share  Preis    0.75  30  share
    1  churn_drivers.reason_revenue  Preis  600.00  30  money
    """
    require("departures.reason_figures", frame, _REASONS)
    n, rows = int(frame["ended"].sum()), []
    for row in frame[frame["share"].notna()].to_dict("records"):
        group = row["reason"] if row["kind"] == "reason" else row["kind"]
        ends = (row["share_low"], row["share_high"])
        rows.append(_figure("reason_share", chapter, row["share"], *ends, n=n, group=group))
        if not is_missing(row["revenue_lost"]):
            rows.append(_figure("reason_revenue", chapter, row["revenue_lost"], n=row["ended"], group=group))
    return pd.DataFrame(rows, columns=_FIGURE)


def incidence_figures(frame: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the share that has left by each time and cause as figures, as the report takes them.

    Columns in: cause, time (days), incidence, low, high, n. Columns out: those of a figure; its id names the days.

    >>> row = {"cause": "Preis", "time": 365.0, "incidence": 0.046, "low": 0.038, "high": 0.057, "n": 3588}
    >>> incidence_figures(pd.DataFrame([row]), "churn_drivers")[["id", "group", "value", "n"]]
                                id  group  value     n
    0  churn_drivers.incidence_365  Preis  0.046  3588
    """
    require("departures.incidence_figures", frame, _INCIDENCE)
    rows = [
        _figure("incidence", chapter, row["incidence"], row["low"], row["high"], n=row["n"], group=row["cause"])
        | {"id": f"{chapter}.incidence_{row['time']:.0f}"}
        for row in frame[frame["incidence"].notna()].to_dict("records")
    ]
    return pd.DataFrame(rows, columns=_FIGURE)


def revenue_figures(frame: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the fees at the start of the last period, what was lost and what stayed, as the report takes them.

    Columns in: those of revenue churn by period. Columns out: those of a figure; none where no fees are known.
    """
    require("departures.revenue_figures", frame, ("customers", *_FEES, *_RETENTION))
    rows = []
    for row in frame.tail(1).dropna(subset="fees_start").to_dict("records"):
        named = {"fees_start": ("fees_start",), "fees_lost": ("lost",), "gross_retention": _RETENTION[:3]}
        named |= {"net_retention": _RETENTION[3:]}
        for name, columns in named.items():
            rows.append(_figure(name, chapter, *(row[column] for column in columns), n=row["customers"]))
    return pd.DataFrame(rows, columns=_FIGURE).drop(columns="group")


def _figure(
    name: str, chapter: str, value: Any, low: Any = None, high: Any = None, *, n: Any, group: Any = None
) -> dict[str, Any]:
    numbers_of = {"group": group, "value": value, "low": low, "high": high, "n": n}
    return {"id": f"{chapter}.{name}", **numbers_of, "source": "contracts", **defined(name)}
