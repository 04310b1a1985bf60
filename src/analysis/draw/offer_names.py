"""What the reader calls offers and verdicts on them, and which offers are shown first."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import names
from analysis.draw.language import _, mark
from analysis.draw.numbers import is_missing

VERDICTS = {
    "drop": mark("drop"),
    "watch": mark("watch"),
    "keep": mark("keep"),
    "too few": mark("too few months"),
    "cost unknown": mark("cost unknown"),
    "not sold": mark("no longer sold"),
}
"""What is to be done about an offer, the most urgent first."""


def offer_name(row: Any) -> str:
    """Return what the reader calls an offer: its name, or its number where it has none.

    >>> offer_name({"product_id": "A-1", "name": None}), offer_name({"product_id": "A-1", "name": "Röstung Nr. 1"})
    ('A-1', 'Röstung Nr. 1')
    """
    name = row.get("name")
    return names.printable(str(row["product_id"] if is_missing(name) or not str(name).strip() else name))


def verdict_name(code: str) -> str:
    """Return what the reader calls a verdict on an offer.

    >>> verdict_name("drop"), verdict_name("watch"), verdict_name("too few")
    ('streichen', 'beobachten', 'zu wenige Monate')
    """
    text = VERDICTS[code]
    return _(text)


def pressing(offers: pd.DataFrame, *, most: int, smallest: int = 0) -> pd.DataFrame:
    """Return at most so many offers, those with the most urgent verdict and the largest contribution, highest first.

    Offers bought by fewer than ``smallest`` customers are left out.
    """
    shown = offers[offers["customers"] >= smallest]
    urgency = shown["verdict"].map({"drop": 0, "watch": 1}).fillna(2)
    order = shown.assign(_urgency=urgency, _size=-shown["contribution"].abs())
    kept = order.sort_values(["_urgency", "_size", "product_id"]).head(most)
    return kept.sort_values("contribution", ascending=False, kind="stable")[shown.columns].reset_index(drop=True)
