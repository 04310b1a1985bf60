"""The pilot company of any size, as tables in an engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.measures.spells import spells
from analysis.pilot import model
from analysis.pilot.simulate import Block, blocks

FIRST = dt.date(2018, 1, 1)
"""Before it nobody had a contract."""
BEGINS, AS_OF = dt.date(2023, 10, 1), dt.date(2026, 10, 1)
DAYS = (AS_OF - FIRST).days
MONTHS = (AS_OF.year - FIRST.year) * 12 + AS_OF.month - FIRST.month


@dataclass(frozen=True)
class Pilot:
    """Contracts, transactions and surveys by name; spells with region and term_months, watched from a day on."""

    tables: dict[str, ir.Table]
    spells: ir.Table
    """Watched from BEGINS on."""
    whole_spells: ir.Table
    """Watched from their first day on."""


def pilot(customers: int) -> Pilot:
    """Return so many customers."""
    engine = ibis.duckdb.connect()
    made = list(blocks(customers, seed=0))
    parts = {"contracts": _contracts, "transactions": _transactions, "surveys": _surveys}
    tables = {
        name: engine.create_table(name, pd.concat([part(block) for block in made], ignore_index=True))
        for name, part in parts.items()
    }
    known = [
        spells(tables["contracts"], as_of=AS_OF, window_start=begin, attributes=("region", "term_months"))
        for begin in (BEGINS, None)
    ]
    return Pilot(tables, engine.create_table("spells", known[0]), engine.create_table("whole_spells", known[1]))


def _days(days: np.ndarray) -> pd.Series:
    return pd.Series(pd.to_datetime(pd.Series(days, dtype="float64").where(days < model.NEVER), unit="D"))


def _contracts(block: Block) -> pd.DataFrame:
    people = block.customers
    ended_on = _days(people["ended_on"])
    reason = pd.Series(np.array(model.REASONS)[people["reason"]]).replace("", None)
    contracts = pd.DataFrame(
        {
            "customer_id": people["number"].astype(str),
            "start": _days(people["start"]),
            "ended_on": ended_on,
            "reason": reason.where(ended_on.notna()),
            "fee": np.array([9.9, 19.9, 34.9])[people["tariff"]],
            "product_id": np.array([tariff.number for tariff in model.TARIFFS])[people["tariff"]],
            "region": np.array(model.REGION.names)[people["region"]],
            "term_months": np.array(model.TERM_MONTHS)[people["term"]],
            "notice_days": np.array(model.NOTICE_DAYS)[people["term"]],
        }
    )
    return contracts[people["has_contract"]]


def _transactions(block: Block) -> pd.DataFrame:
    lines = block.lines
    customer_id = block.customers["number"][lines["customer"]].astype(str)
    return pd.DataFrame({"customer_id": customer_id, "date": _days(lines["day"]), "revenue": lines["revenue"]})


def _surveys(block: Block) -> pd.DataFrame:
    given = block.survey
    is_answered = given["score"] > 0
    answers = pd.DataFrame(
        {
            "customer_id": block.customers["number"][given["customer"]].astype(str),
            "answered_at": pd.to_datetime(given["answered"], unit="s"),
            "nps": given["score"],
        }
    )
    return answers[is_answered]
