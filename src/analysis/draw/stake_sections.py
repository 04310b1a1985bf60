"""What stands together in the chapter on leaving about what is at stake, and about what answers go with."""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from analysis.draw import feedback_worth, losses, value_sections
from analysis.draw.page import Together
from analysis.draw.tables import Table
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL


class Stake(Protocol):
    """What would be lost, and what ten points go with: frames as the modules of drawing take them."""

    losses: value_sections.Exposed
    ten_points: pd.DataFrame
    source: str


def told(stake: Stake, *, horizon: int, internal: bool) -> tuple[Sentence, Sentence]:
    """Say how much value may leave and what ten points go with; nothing of what nothing is known of."""
    at_risk = Sentence()
    if not stake.losses.totals.empty:
        least = 0 if internal else SMALL_CELL
        at_risk = losses.exposed(stake.losses.totals, stake.losses.customers, horizon=horizon, smallest=least)
    return at_risk, feedback_worth.ten_points(stake.ten_points)


def lost(stake: Stake, *, horizon: int, internal: bool) -> Together:
    """Show how much value may leave, by class, and with whom."""
    return value_sections.value_at_risk(stake.losses, horizon=horizon, source=stake.source, internal=internal)


def loss_figures(stake: Stake, chapter: str, *, horizon: int, smallest: int) -> pd.DataFrame:
    """Return the figures of value at risk, as the report takes them."""
    return losses.figures(stake.losses.totals, chapter, horizon=horizon, source=stake.source, smallest=smallest)


def ten_points(stake: Stake) -> Table | Sentence:
    """Show what ten points of Net Promoter Score go with."""
    return feedback_worth.shown(stake.ten_points)


def ten_point_figures(stake: Stake, chapter: str) -> pd.DataFrame:
    """Return the figures of what ten points go with, as the report takes them."""
    return feedback_worth.figures(stake.ten_points, chapter, source=f"surveys {stake.source}")
