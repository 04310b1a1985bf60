"""Sentences, tables and figures on what each offer earns, which are weak, and what is at stake with them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import dates, numbers, tables
from analysis.draw.amounts import ends, money
from analysis.draw.customer_lists import listed
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.offer_names import VERDICTS, offer_name, pressing, verdict_name
from analysis.draw.tables import Key, Table
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_TRENDS = {
    "up": mark("▲ rising"),
    "down": mark("▼ falling"),
    "within noise": mark("– within noise"),
    "too few": mark("? not comparable"),
}
"""What the note says of each sign."""
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
_OFFERS = ("product_id", "contribution", "low", "high", "verdict", "customers", "without_cost")
_SUMMARY = ("status", "first", "last", "wrong_sign", "service_below_zero")
_STAKE = ("product_id", "verdict", "name", "of_class", "class_share", "offer_revenue", "revenue", "margin")
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
    require("margins.verdicts", summary, _SUMMARY)
    row = summary.iloc[0]
    if row["status"] != "computed":
        text = _WHY[row["status"]]
        return Sentence(" ".join([_(text), *_faults(row, smallest)]))
    require("margins.verdicts", offers, _OFFERS)
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
        len(watch),
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
        (to_watch, watch),
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


def by_offer(offers: pd.DataFrame, *, title: str, most: int = 40, smallest: int = 0) -> Table | Sentence:
    """Show what each offer earned, its trend and the verdict; at most so many, see ``offer_names.pressing``.

    Columns in: product_id, revenue, margin_ratio, contribution, low, high, previous_contribution, trend, verdict,
    customers, and name where there is one.
    """
    needed = (*_OFFERS, "revenue", "margin_ratio", "previous_contribution", "trend")
    require("margins.by_offer", offers, needed)
    shown = pressing(offers, most=most, smallest=smallest)
    if shown.empty:
        return Sentence()
    texts = {
        "offer": [offer_name(row) for row in shown.to_dict("records")],
        "trend": [_trend(code)[0] for code in shown["trend"]],
        "verdict": [verdict_name(code) for code in shown["verdict"]],
        "interval": [
            numbers.interval(*pair, "money", write=_whole) for pair in zip(shown["low"], shown["high"], strict=True)
        ],
        **{name: [_whole(value) for value in shown[name]] for name in ("contribution", "previous_contribution")},
    }
    columns: dict[Key, tuple[str | None, str]] = {
        "offer": (_("Offer"), "plain"),
        "verdict": (_("Verdict"), "plain"),
        "contribution": (None, "written"),
        "interval": (None, "written"),
        "previous_contribution": (_("Before"), "written"),
        "trend": (_("Course"), "plain"),
        "margin_ratio": (_("Margin"), "share"),
    }
    left_out = len(offers) - len(shown)
    more = ngettext("{count} offer is not shown.", "{count} offers are not shown.", left_out)
    signs = ", ".join(_trend(code) for code in _TRENDS if code in set(shown["trend"]))
    notes = [_("Course: {listed}.").format(listed=signs)]
    notes += [more.format(count=show(left_out, "count"))] if left_out else []
    return tables.table(shown.assign(**texts), title=title, columns=columns, note=" ".join(notes))


def _whole(value: Any, _unit: str = "money") -> str:
    return numbers.short(value, "money")


def _trend(code: str) -> str:
    text = _TRENDS[code]
    return _(text)


def stake(frame: pd.DataFrame, held: pd.DataFrame, *, of: str, smallest: int = 0) -> Sentence:
    r"""Say which share of the class holds each weak offer, and what these customers bring in all.

    Columns in: product_id, verdict, name, of_class (customers), class_share, offer_revenue, revenue, margin (money);
    ``attrs`` of ``held``: n, margin, of all who hold one. Offers held by fewer than ``smallest`` are not told.

    >>> row = {"product_id": "a", "verdict": "drop", "name": "Korb", "of_class": 40, "class_share": 0.2}
    >>> frame = pd.DataFrame([row | {"offer_revenue": 800.0, "revenue": 9000.0, "margin": 4200.0}])
    >>> held = pd.DataFrame()
    >>> held.attrs = {"n": 40, "margin": 4200.0}
    >>> print(stake(frame, held, of="A").replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    So viele Kundinnen und Kunden der Klasse A kauften schwache Angebote: „Korb“ 40 (20,0 %). Zusammen brachten diese 40
    in dieser Zeit mit allem, was sie kauften, 4.200 € Marge. So viel stünde höchstens auf dem Spiel, wenn sie wegen
    eines gestrichenen Angebots alle gingen; zu erwarten ist das nicht.
    """
    require("margins.stake", frame, _STAKE)
    told = frame[frame["of_class"] >= max(smallest, 1)]
    if told.empty:
        return Sentence()
    text = _("“{offer}” {count} ({share})")
    bought = []
    for row in told.head(_MOST_NAMED).to_dict("records"):
        numbers_of = {"count": show(row["of_class"], "count"), "share": show(row["class_share"], "share")}
        bought.append(text.format(offer=offer_name(row), **numbers_of))
    who = _("So many customers of class {name} bought weak offers: {listed}.").format(name=of, listed="; ".join(bought))
    n, margin = held.attrs.get("n", 0), held.attrs.get("margin")
    if is_missing(margin):
        return Sentence(who)
    much = ngettext(
        "With all it bought in that time, this {count} customer brought a margin of {margin}. So much would be at "
        "stake at most if it left for an offer that was dropped; that is not to be expected.",
        "Together these {count} brought a margin of {margin} with all they bought in that time. So much would be at "
        "stake at most if all of them left for an offer that was dropped; that is not to be expected.",
        int(n),
    )
    return Sentence(f"{who} {much.format(count=show(n, 'count'), margin=money(margin))}")


def held_list(held: pd.DataFrame, *, of: str, internal: bool) -> Table | Sentence:
    """List the dearest customers of the class who hold weak offers; it stays in the house.

    Columns in: customer_id, offers, offer_revenue, revenue, margin; ``attrs["n"]`` counts all of them.
    """
    require("margins.held_list", held, ("customer_id", "offers", "offer_revenue", "revenue", "margin"))
    if held.empty:
        return Sentence()
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "offers": (_("Weak offers bought"), "plain"),
        "offer_revenue": (_("Revenue with them"), "money"),
        "revenue": (_("Revenue in all"), "money"),
        "margin": (_("Margin in all"), "money"),
    }
    title = _("Class {name} customers who buy weak offers").format(name=of)
    return listed(held, title=title, columns=columns, internal=internal)


def figures(offers: pd.DataFrame, summary: pd.DataFrame, chapter: str, *, smallest: int = SMALL_CELL) -> pd.DataFrame:
    """Return how many offers have each verdict and what each earns as figures, as the report takes them.

    Columns in: as for :func:`verdicts`; of ``summary`` also months, source. Offers are those of ``pressing``.

    >>> offers = pd.DataFrame({"product_id": ["a"], "contribution": [-90.5], "low": [-120.0], "high": [-61.0]})
    >>> summary = pd.DataFrame([{"status": "computed", "months": 12, "source": "transactions"}])
    >>> figures(offers.assign(verdict="drop", customers=40), summary, "value")[["id", "group", "value", "n"]]
                        id  group  value     n
    0  value.offer_verdict   drop    1.0   1.0
    1  value.offer_verdict  watch    0.0   1.0
    2  value.offer_verdict   keep    0.0   1.0
    3   value.contribution      a  -90.5  40.0
    """
    row = summary.iloc[0]
    if row["status"] != "computed":
        return figure_rows([], source=row["source"])
    sold = offers[offers["verdict"] != "not sold"]
    counts = [
        {"id": f"{chapter}.offer_verdict", "group": code, "value": float((sold["verdict"] == code).sum())}
        | {"n": len(sold), **defined("offer_verdict")}
        for code in ("drop", "watch", "keep")
    ]
    earned = [
        {"id": f"{chapter}.contribution", "group": offer_name(one), "value": one["contribution"], "n": one["customers"]}
        | {"low": one["low"], "high": one["high"], **defined("contribution", months=row["months"])}
        for one in pressing(sold, most=40, smallest=smallest).to_dict("records")
    ]
    return figure_rows([*counts, *earned], source=row["source"])
