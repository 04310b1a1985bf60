"""Sentences, tables and figures on what each offer earns, which are weak, and what is at stake with them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import numbers, tables
from analysis.draw.amounts import money
from analysis.draw.customer_lists import listed
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.margin_verdicts import OFFERS
from analysis.draw.numbers import is_missing, show
from analysis.draw.offer_names import offer_name, pressing, verdict_name
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
_STAKE = ("product_id", "verdict", "name", "of_class", "class_share", "offer_revenue", "revenue", "margin")
_MOST_NAMED = 3


def by_offer(offers: pd.DataFrame, *, title: str, most: int = 40, smallest: int = 0) -> Table | Sentence:
    """Show what each offer earned, its trend and the verdict; at most so many, see ``offer_names.pressing``.

    Columns in: product_id, revenue, margin_ratio, contribution, low, high, previous_contribution, trend, verdict,
    customers, and name where there is one.
    """
    needed = (*OFFERS, "revenue", "margin_ratio", "previous_contribution", "trend")
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
    So viele Kundinnen und Kunden der Klasse A kauften schwache Angebote: „Korb“ 40 (20,0 %). Zusammen brachten die 40,
    die mindestens eines der schwachen Angebote kauften, in dieser Zeit mit allem, was sie kauften, 4.200 € Marge. So
    viel stünde höchstens auf dem Spiel, wenn sie wegen eines gestrichenen Angebots alle gingen; zu erwarten ist das
    nicht.
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
        "Together the {count} who bought any of the weak offers brought a margin of {margin} with all they bought in "
        "that time. So much would be at stake at most if all of them left for an offer that was dropped; that is not "
        "to be expected.",
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
