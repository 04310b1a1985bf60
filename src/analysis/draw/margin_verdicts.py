"""What is said of the verdicts on offers: how many cost more than they bring, of which it is open, and why."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates
from analysis.draw.amounts import ends, money
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.numbers import show
from analysis.draw.offer_names import VERDICTS, offer_name
from analysis.draw.words import Sentence

_WHY = {
    "too few months": mark(
        "What the offers earn cannot be told yet: that takes at least four whole months of orders on record."
    ),
    "nothing sold": mark("What the offers earn cannot be told: nothing with a product number was sold."),
    "no cost known": mark(
        "What the offers earn cannot be told: the cost of goods is not on record, neither of an order line nor of a "
        "product."
    ),
}
OFFERS = ("product_id", "contribution", "low", "high", "verdict", "customers", "without_cost")
"""The columns of a review of offers that are told of."""
_SUMMARY = ("status", "first", "last", "wrong_sign", "service_below_zero")
_MOST_NAMED = 3


def verdicts(offers: pd.DataFrame, summary: pd.DataFrame, *, smallest: int = 0) -> Sentence:
    r"""Say how many offers cost more than they bring, beyond chance, of which it is open, and why nothing can be told.

    Columns in: of ``offers`` product_id, contribution, low, high, verdict, customers, without_cost (share of lines),
    and name where there is one; of ``summary`` status, first, last (days), wrong_sign (lines), service_below_zero
    (customers). Offers bought by fewer than ``smallest`` customers count, but are not named.

    >>> offers = pd.DataFrame({"product_id": ["a", "b"], "contribution": [-90.5, 900.0], "low": [-120.0, 700.0]})
    >>> offers = offers.assign(high=[-61.0, 1100.0], verdict=["drop", "keep"], customers=40, name=["Korb", "Kaffee"])
    >>> days = pd.to_datetime(["2025-10-01", "2026-09-30"])
    >>> row = {"status": "computed", "first": days[0], "last": days[1], "wrong_sign": 0, "service_below_zero": 0}
    >>> told = verdicts(offers.assign(without_cost=0.0), pd.DataFrame([row]))
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Vom 01.10.2025 bis 30.09.2026 wurden 2 Angebote verkauft. 1 Angebot kostet gesichert mehr, als es bringt, und tat es
    schon im Zeitraum davor: Korb (−90,50 €, 95-%-Intervall −120,00 bis −61,00 €). Es sollte gestrichen werden, wenn
    nichts anderes dafür spricht. 1 Angebot bringt gesichert mehr, als es kostet.
    """
    require("margin_verdicts.verdicts", summary, _SUMMARY)
    row = summary.iloc[0]
    if row["status"] != "computed":
        text = _WHY[row["status"]]
        return Sentence(" ".join([_(text), *_faults(row, smallest)]))
    require("margin_verdicts.verdicts", offers, OFFERS)
    return Sentence(" ".join([_sold(row, offers), *_judged(offers, smallest), *_faults(row, smallest)]))


def _sold(row: pd.Series, offers: pd.DataFrame) -> str:
    count = int((offers["verdict"] != "not sold").sum())
    text = ngettext(
        "From {first} to {last}, {count} offer was sold.", "From {first} to {last}, {count} offers were sold.", count
    )
    return text.format(count=show(count, "count"), first=dates.date(row["first"]), last=dates.date(row["last"]))


def _judged(offers: pd.DataFrame, smallest: int) -> list[str]:
    """Say of each verdict how many offers have it, and of which the costs are known in part only."""
    by = {code: offers[offers["verdict"] == code] for code in VERDICTS}
    drop, watch, keep, gone = (by[code] for code in ("drop", "watch", "keep", "not sold"))
    unclear, fallen = watch[~(watch["high"] < 0)], watch[watch["high"] < 0]
    untold = pd.concat([by["too few"], by["cost unknown"]])
    partly = pd.concat([drop, watch, keep])
    partly = partly[partly["without_cost"] > 0]
    none = _("None of them costs more than it brings beyond chance in this period and the one before.")
    to_drop = ngettext(
        "{count} offer costs more than it brings, beyond chance, and did so in the period before: {listed}. It should "
        "be dropped unless something else speaks for it.",
        "{count} offers cost more than they bring, beyond chance, and did so in the period before: {listed}. They "
        "should be dropped unless something else speaks for them.",
        len(drop),
    )
    to_watch = ngettext(
        "For {count} offer it is open whether it brings more than it costs: {listed}.",
        "For {count} offers it is open whether they bring more than they cost: {listed}.",
        len(unclear),
    )
    newly = ngettext(
        "{count} offer costs more than it brings in this period, beyond chance, but did not so before: {listed}. It "
        "is watched.",
        "{count} offers cost more than they bring in this period, beyond chance, but did not so before: {listed}. They "
        "are watched.",
        len(fallen),
    )
    to_keep = ngettext(
        "{count} offer brings more than it costs, beyond chance.",
        "{count} offers bring more than they cost, beyond chance.",
        len(keep),
    )
    unknown = ngettext(
        "For {count} offer the cost is unknown or the months are too few.",
        "For {count} offers the cost is unknown or the months are too few.",
        len(untold),
    )
    not_sold = ngettext(
        "{count} more offer was no longer sold, at most sent back; it gets no verdict.",
        "{count} more offers were no longer sold, at most sent back; they get no verdict.",
        len(gone),
    )
    in_part = ngettext(
        "For {count} offer the cost of some order lines is unknown; contribution and verdict rest on the others.",
        "For {count} offers the cost of some order lines is unknown; contribution and verdict rest on the others.",
        len(partly),
    )
    texts = (
        (to_drop, drop),
        (newly, fallen),
        (to_watch, unclear),
        (to_keep, keep),
        (unknown, untold),
        (not_sold, gone),
        (in_part, partly),
    )
    told = [
        text.format(count=show(len(found), "count"), listed=_listed(found, smallest))
        for text, found in texts
        if len(found)
    ]
    return told if len(drop) else [none, *told]


def _faults(row: pd.Series, smallest: int) -> list[str]:
    """Say which costs below 0 count as unknown."""
    lines, customers = int(row["wrong_sign"]), int(row["service_below_zero"])
    of_lines = ngettext(
        "For {count} order line the cost of goods is below 0 though no goods came back; it counts as unknown.",
        "For {count} order lines the cost of goods is below 0 though no goods came back; it counts as unknown.",
        lines,
    )
    of_customers = ngettext(
        "For {count} customer the cost to serve of a period adds up to less than 0; it is left out.",
        "For {count} customers the cost to serve of a period adds up to less than 0; it is left out.",
        customers,
    )
    if 0 < customers < smallest:
        of_customers = _("For a few customers the cost to serve of a period adds up to less than 0; it is left out.")
    told = ((of_lines, lines), (of_customers, customers))
    return [text.format(count=show(count, "count")) for text, count in told if count]


def _listed(offers: pd.DataFrame, smallest: int) -> str:
    """Name the offers that cost most, and say how many more there are."""
    named = offers[offers["customers"] >= smallest].sort_values("contribution").head(_MOST_NAMED)
    told = [
        f"{offer_name(row)} ({', '.join(filter(None, (money(row['contribution']), ends(row['low'], row['high']))))})"
        for row in named.to_dict("records")
    ]
    if named.empty:
        return _("not named here, as too few customers bought them")
    more = len(offers) - len(named)
    others = ngettext("{count} more offer", "{count} more offers", more).format(count=show(more, "count"))
    return "; ".join([*told, others] if more else told)
