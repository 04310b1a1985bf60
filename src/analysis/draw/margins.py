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
    "within noise": "–",
    "too few": mark("too few months"),
}
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
_OFFERS = ("product_id", "contribution", "low", "high", "verdict", "customers")
_STAKE = ("product_id", "verdict", "name", "of_class", "class_share", "offer_revenue", "revenue", "margin")
_MOST_NAMED = 3


def verdicts(offers: pd.DataFrame, summary: pd.DataFrame, *, smallest: int = 0) -> Sentence:
    r"""Say how many offers cost more than they bring, beyond chance, of which it is open, and why nothing can be told.

    Columns in: of ``offers`` product_id, contribution, low, high, verdict, customers, and name where there is one; of
    ``summary`` status, first, last (days). Offers bought by fewer than ``smallest`` customers count, but are not named.

    >>> offers = pd.DataFrame({"product_id": ["a", "b"], "contribution": [-90.5, 900.0], "low": [-120.0, 700.0]})
    >>> offers = offers.assign(high=[-61.0, 1100.0], verdict=["drop", "keep"], customers=40, name=["Korb", "Kaffee"])
    >>> days = pd.to_datetime(["2025-10-01", "2026-09-30"])
    >>> summary = pd.DataFrame([{"status": "computed", "first": days[0], "last": days[1]}])
    >>> print(verdicts(offers, summary).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Vom 01.10.2025 bis 30.09.2026 wurden 2 Angebote verkauft. 1 Angebot kostet gesichert mehr, als es bringt, und tat es
    schon im Zeitraum davor: Korb (−90,50 €, 95-%-Intervall −120,00 bis −61,00 €). Es sollte gestrichen werden, wenn
    nichts anderes dafür spricht. 1 Angebot bringt gesichert mehr, als es kostet.
    """
    require("margins.verdicts", summary, ("status", "first", "last"))
    row = summary.iloc[0]
    if row["status"] != "computed":
        text = _WHY[row["status"]]
        return Sentence(_(text))
    require("margins.verdicts", offers, _OFFERS)
    by = {code: offers[offers["verdict"] == code] for code in VERDICTS}
    unknown = len(by["too few"]) + len(by["cost unknown"])
    told = [
        _sold(row, len(offers)),
        _to_drop(by["drop"], smallest),
        _to_watch(by["watch"], smallest),
        _to_keep(len(by["keep"])),
        _untold(unknown),
    ]
    return Sentence(" ".join(filter(None, told)))


def _sold(row: pd.Series, count: int) -> str:
    text = ngettext(
        "From {first} to {last}, {count} offer was sold.", "From {first} to {last}, {count} offers were sold.", count
    )
    days = {name: dates.date(row[name]) for name in ("first", "last")}
    return text.format(count=show(count, "count"), **days)


def _to_drop(offers: pd.DataFrame, smallest: int) -> str:
    if offers.empty:
        return _("None of them costs more than it brings beyond chance in this period and the one before.")
    count = len(offers)
    text = ngettext(
        "{count} offer costs more than it brings, beyond chance, and did so in the period before: {listed}. It should "
        "be dropped unless something else speaks for it.",
        "{count} offers cost more than they bring, beyond chance, and did so in the period before: {listed}. They "
        "should be dropped unless something else speaks for them.",
        count,
    )
    return text.format(count=show(count, "count"), listed=_listed(offers, smallest))


def _to_watch(offers: pd.DataFrame, smallest: int) -> str:
    count = len(offers)
    text = ngettext(
        "For {count} offer it is open whether it brings more than it costs: {listed}.",
        "For {count} offers it is open whether they bring more than they cost: {listed}.",
        count,
    )
    return text.format(count=show(count, "count"), listed=_listed(offers, smallest)) if count else ""


def _to_keep(count: int) -> str:
    text = ngettext(
        "{count} offer brings more than it costs, beyond chance.",
        "{count} offers bring more than they cost, beyond chance.",
        count,
    )
    return text.format(count=show(count, "count")) if count else ""


def _untold(count: int) -> str:
    text = ngettext(
        "For {count} offer the cost is unknown or the months are too few.",
        "For {count} offers the cost is unknown or the months are too few.",
        count,
    )
    return text.format(count=show(count, "count")) if count else ""


def _listed(offers: pd.DataFrame, smallest: int) -> str:
    """Name the offers that cost most, and say how many more there are."""
    named = offers[offers["customers"] >= smallest].sort_values("contribution").head(_MOST_NAMED)
    told = [
        f"{offer_name(row)} ({', '.join(filter(None, (money(row['contribution']), ends(row['low'], row['high']))))})"
        for row in named.to_dict("records")
    ]
    more = len(offers) - len(named)
    return "; ".join([*told, _("{count} more").format(count=show(more, "count"))] if more else told)


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
        "trend": [_trend(code) for code in shown["trend"]],
        "verdict": [verdict_name(code) for code in shown["verdict"]],
        "interval": [
            numbers.interval(*pair, "money", write=_whole) for pair in zip(shown["low"], shown["high"], strict=True)
        ],
        **{name: [_whole(value) for value in shown[name]] for name in ("contribution", "previous_contribution")},
    }
    columns: dict[Key, tuple[str | None, str]] = {
        "offer": (_("Offer"), "plain"),
        "margin_ratio": (_("Margin"), "share"),
        "contribution": (None, "written"),
        "interval": (None, "written"),
        "previous_contribution": (_("Before"), "written"),
        "trend": (_("Trend"), "plain"),
        "verdict": (_("Verdict"), "plain"),
    }
    left_out = len(offers) - len(shown)
    more = ngettext("{count} offer is not shown.", "{count} offers are not shown.", left_out)
    notes = [_("A dash in the trend: within noise.")]
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
    Von der Klasse A kauften 40 Kundinnen und Kunden (20,0 %) „Korb“. Zusammen bringen diese 40 mit allem, was sie
    kaufen, 4.200 € Marge. So viel stünde höchstens auf dem Spiel, wenn sie wegen eines gestrichenen Angebots alle
    gingen; zu erwarten ist das nicht.
    """
    require("margins.stake", frame, _STAKE)
    told = frame[frame["of_class"] >= max(smallest, 1)]
    if told.empty:
        return Sentence()
    text = _("{count} customers ({share}) “{offer}”")
    bought = []
    for row in told.head(_MOST_NAMED).to_dict("records"):
        numbers_of = {"count": show(row["of_class"], "count"), "share": show(row["class_share"], "share")}
        bought.append(text.format(offer=offer_name(row), **numbers_of))
    who = _("Of class {name}, there bought: {listed}.").format(name=of, listed="; ".join(bought))
    n, margin = held.attrs.get("n", 0), held.attrs.get("margin")
    if is_missing(margin):
        return Sentence(who)
    much = _(
        "Together these {count} bring a margin of {margin} with all they buy. So much would be at stake at most if all "
        "of them left for an offer that was dropped; that is not to be expected."
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
    counts = [
        {"id": f"{chapter}.offer_verdict", "group": code, "value": float((offers["verdict"] == code).sum())}
        | {"n": len(offers), **defined("offer_verdict")}
        for code in ("drop", "watch", "keep")
    ]
    earned = [
        {"id": f"{chapter}.contribution", "group": offer_name(one), "value": one["contribution"], "n": one["customers"]}
        | {"low": one["low"], "high": one["high"], **defined("contribution", months=row["months"])}
        for one in pressing(offers, most=40, smallest=smallest).to_dict("records")
    ]
    return figure_rows([*counts, *earned], source=row["source"])
