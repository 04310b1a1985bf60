"""Sentences, tables and figures on why customers leave, and when; those on their fees are in ``fees``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import fees, names, tables, words
from analysis.draw.charts.departures import NO_REASONS, reason_name
from analysis.draw.charts.furniture import DAYS_A_MONTH
from analysis.draw.definitions import defined
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.tables import Key, Table
from analysis.draw.unknown_reasons import counted_elsewhere, few, not_known
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

revenue, revenue_figures, tellable = fees.revenue, fees.revenue_figures, fees.tellable

_REASONS = ("reason", "kind", "ended", "share", "share_low", "share_high", "revenue_lost", "revenue_share")
_INCIDENCE = ("cause", "time", "incidence", "low", "high", "n")
_LEAD = ("next", "lead", "lead_low", "lead_high")
_FIGURE = ["id", "group", "value", "low", "high", "n", "unit", "definition", "source"]


def why(frame: pd.DataFrame) -> Sentence:
    r"""Say why most left, which reason costs most, and of how many customers no reason is certain.

    Columns in: those of a table of reasons, a row of it for each who left, the most frequent first; a kind without a
    row is passed over. ``attrs``: ``n`` is None where fewer than ``min_group`` customers left; ``not_in_codebook`` has
    no column where no source of reasons is on record.

    >>> row = {"reason": "Preis", "kind": "reason", "ended": 30, "share": 0.75, "share_low": 0.6, "share_high": 0.86}
    >>> rows = [row | {"revenue_lost": 600.0, "revenue_share": 0.8}, {"kind": "unknown", "ended": 10, "share": 0.25}]
    >>> print(why(pd.DataFrame(rows)).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Häufigster Grund ist „Preis“: 75,0 % derer, die gingen (95-%-Intervall 60,0 bis 86,0 %, n = 40). Auch am meisten
    kostet „Preis“: 600,00 € Monatsentgelt, das sind 80,0 % des weggefallenen. Bei 25,0 % ist kein Grund bekannt.
    """
    require("departures.why", frame, _REASONS)
    n = int(frame["ended"].sum())
    if not n:
        return Sentence(few(frame)) if frame.attrs.get("n", 0) is None else words.no_data(names.column("reasons"))
    if frame.attrs.get("not_in_codebook") == {}:
        return Sentence(_("Why customers leave is not on record ({base}).").format(base=words.base(n)))
    named = frame[frame["kind"] == "reason"]
    first = _most_frequent(named, n) if len(named) else _none_named(frame, n)
    return Sentence(" ".join([first, *_costliest(named), *not_known(frame)]))


def _none_named(frame: pd.DataFrame, n: int) -> str:
    if not (frame["kind"] == "other").any():
        return _("Of none of those who left a reason is certain ({base}).").format(base=words.base(n))
    text = _("Which reasons were given is not shown: one that fewer than {least} customers gave would follow ({base}).")
    return text.format(least=show(frame.attrs.get("min_group", SMALL_CELL), "count"), base=words.base(n))


def _most_frequent(named: pd.DataFrame, n: int) -> str:
    first, *rest = named.to_dict("records")
    text = _("The most frequent reason is {reason}: {share} of those who left ({bracket}){second}.")
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
        text = _("{reason} also costs most: {fees} of monthly fees, {share} of all that were lost.")
    else:
        text = _("{reason} costs most: {fees} of monthly fees, {share} of all that were lost.")
    lost, share = fees.amount(most["revenue_lost"]), show(most["revenue_share"], "share")
    return [text.format(reason=_quoted(most["reason"]), fees=lost, share=share)]


def _quoted(name: str) -> str:
    return _("“{name}”").format(name=names.label(name))


def by_reason(frame: pd.DataFrame, *, title: str, internal: bool = False) -> Table | Sentence:
    """Show how many left for each reason and, where fees are known, what went with them.

    Columns in: those of a table of reasons; ``attrs["without_fee"]`` counts those whose fee is not known, told below 5
    only where ``internal``.
    """
    require("departures.by_reason", frame, (*_REASONS, "cumulative"))
    if not frame["ended"].sum():
        return words.no_data(title)
    has_fees = frame["revenue_lost"].notna().any()
    shown = frame.assign(reason=[reason_name(row) for _i, row in frame.iterrows()])
    columns: dict[Key, tuple[str | None, str]] = {"reason": (None, "text"), "ended": (_("Left"), "count")}
    columns |= {"share": (None, "share"), ("share_low", "share_high"): (None, "share"), "cumulative": (None, "share")}
    if has_fees:
        columns |= {"revenue_lost": (_("Monthly fee"), "money"), "revenue_share": (_("Share of them"), "share")}
    without = int(frame.attrs.get("without_fee", 0)) if has_fees else 0
    notes = [*counted_elsewhere(frame), *_without_fee(without, internal=internal)]
    return tables.table(shown, title=title, columns=columns, note=" ".join(notes))


def _without_fee(count: int, *, internal: bool) -> list[str]:
    if 0 < count < SMALL_CELL and not internal:
        text = _("Of fewer than {least} of them the fee is not known.")
        return [text.format(least=show(SMALL_CELL, "count"))]
    text = ngettext("Of {count} of them the fee is not known.", "Of {count} of them the fees are not known.", count)
    return [text.format(count=show(count, "count"))] if count else []


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
    r"""Say for which reason most have left by each time, of all who began at any time, if it is ahead beyond chance.

    Columns in: cause, time (days), incidence, low, high, n, and, in the row of the foremost reason, next (the one after
    it) and lead, lead_low, lead_high (the difference); ``other`` and ``unknown`` are no reasons.

    >>> row = {"cause": "Preis", "time": 365.0, "incidence": 0.046, "low": 0.038, "high": 0.057, "n": 3588}
    >>> row |= {"next": None, "lead": None, "lead_low": None, "lead_high": None}
    >>> print(when(pd.DataFrame([row])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Häufigster Grund bis Monat 12: „Preis“, deswegen sind 4,6 % aller gegangen (95-%-Intervall 3,8 bis 5,7 %,
    n = 3.588). Hier zählen alle Jahre; in einem einzelnen Zeitraum kann ein anderer Grund vorn liegen.
    """
    require("departures.when", frame, (*_INCIDENCE, *_LEAD))
    left = frame[frame["incidence"] > 0]
    known = left[left["cause"].notna() & ~left["cause"].isin(NO_REASONS)]
    if known.empty:
        return words.no_data(names.column("incidence")) if left.empty else Sentence()
    foremost = (rows for _time, rows in known.groupby("time"))
    years = _("Here all years count; in a single period another reason may come first.")
    return Sentence(" ".join([*(_most_after(rows) for rows in foremost), years]))


def _most_after(rows: pd.DataFrame) -> str:
    ahead = rows["lead"].notna()
    row = rows[ahead].iloc[0] if ahead.any() else rows.loc[rows["incidence"].idxmax()]
    if not ahead.any():
        text = _("The most frequent reason up to month {months}: {cause}, for which {share} of all left ({bracket}).")
    elif row["lead_low"] > 0:
        text = _(
            "The most frequent reason up to month {months}: {cause}, for which {share} of all left ({bracket}); for "
            "{next} it was {other}, less beyond chance."
        )
    else:
        text = _(
            "Up to month {months} {share} of all left for {cause} ({bracket}) and {other} for {next}; which of them is "
            "the more frequent cannot be told: the difference is within noise."
        )
    return text.format(
        months=show(row["time"] / DAYS_A_MONTH, "count"),
        cause=_quoted(row["cause"]),
        share=show(row["incidence"], "share"),
        bracket=words.bracket(row["low"], row["high"], "share", words.base(row["n"])),
        next=_quoted(row["next"]) if ahead.any() else "",
        other=show(rows.set_index("cause")["incidence"].get(row["next"]), "share"),
    )


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


def _figure(
    name: str, chapter: str, value: Any, low: Any = None, high: Any = None, *, n: Any, group: Any = None
) -> dict[str, Any]:
    numbers_of = {"group": group, "value": value, "low": low, "high": high, "n": n}
    return {"id": f"{chapter}.{name}", **numbers_of, "source": "contracts", **defined(name)}
