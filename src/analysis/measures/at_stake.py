"""What is at stake with those who may leave, and what content customers are worth: for a report on leaving."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.measures.answers import Scale
from analysis.measures.feedback_value import feedback_if_asked
from analysis.measures.frames import Rows
from analysis.measures.valuation import EVERYBODY, valuation
from analysis.measures.value_at_risk import ValueAtRisk

__all__ = ["EVERYBODY", "AtStake", "at_stake"]


@dataclass(frozen=True, eq=False)
class AtStake:
    """What would be lost, and what ten points of NPS go with."""

    losses: ValueAtRisk
    """As ``Valuation.losses``; without rows where no risk, or no value, is known."""
    ten_points: pd.DataFrame
    """As ``feedback_if_asked``; without rows where nobody was asked."""
    source: str
    """The tables that values rest on, by blanks."""


def at_stake(
    tables: Mapping[str, Rows],
    spells: Rows,
    risks: pd.DataFrame,
    *,
    scales: Mapping[str, Scale],
    as_of: dt.date,
    confidence: float = 0.95,
    **settings: Any,
) -> AtStake:
    """Value the customers once, and weigh it with who may leave and with what they answered.

    Columns in: of ``tables`` those of ``valuation`` and, where there are any, surveys; of ``spells`` those of
    ``spells``; of ``risks`` customer_id, risk, of all customers present. ``scales``: see ``feedback_if_asked``;
    ``settings``: see ``valuation``. Returns a record :class:`AtStake`.

    Raises MeasureError as the measures named do. Source: as for these.

    >>> contracts = pd.DataFrame({"customer_id": list("abcdefgh"), "start": pd.Timestamp("2024-01-01"), "fee": 20.0})
    >>> contracts["ended_on"] = pd.to_datetime(["2024-09-30", *[None] * 7])
    >>> spells = pd.DataFrame(columns=["customer_id", "origin", "entry", "exit", "event"])
    >>> risks = pd.DataFrame({"customer_id": ["b", "c"], "risk": [0.5, 0.1]})
    >>> found = at_stake({"contracts": contracts}, spells, risks, scales={}, as_of=dt.date(2025, 1, 1))
    >>> found.losses.totals[["class", "customers", "expected_value", "expected_loss"]].round(1).tail(1)
      class  customers  expected_value  expected_loss
    1   all          2           426.0          127.8
    """
    valued = valuation(tables, as_of=as_of, confidence=confidence, **settings)
    worth = valued.customers[["customer_id", "expected_value"]].astype({"customer_id": "str", "expected_value": float})
    # where nothing that anybody brings is on record, all are worth 0: that is no value to compare
    if not worth["expected_value"].fillna(0).any():
        worth = worth.head(0)
    return AtStake(
        losses=valued.losses(risks, confidence=confidence),
        ten_points=feedback_if_asked(tables, spells, worth, scales=scales, confidence=confidence),
        source=str(valued.summary["source"].iloc[0]),
    )
