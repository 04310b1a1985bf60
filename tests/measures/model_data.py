"""Rows and peers that the tests of both models share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from analysis.measures.spells import spells
from analysis.pilot import model
from analysis.pilot.simulate import blocks
from analysis.pilot.truth import truths

PLANTED = truths(5000, 0, [])["churn"]
PLANTED_COVARIATES = list(PLANTED["base"])


def telco_customers(public_data: Path) -> pd.DataFrame:
    """Return the customers as spells since 0, with their attributes."""
    rows = pd.read_csv(public_data / "telco_ibm" / "Telco-Customer-Churn.csv")
    ended = (rows["Churn"] == "Yes").astype(int)
    return rows.assign(customer_id=rows["customerID"], entry=0, exit=rows["tenure"], event=ended)


def pilot_spells(seed: int) -> pd.DataFrame:
    """Return the pilot company's spells as they were known on its as-of date."""
    people = next(blocks(5000, seed)).customers
    ended_on = pd.Series(people["ended_on"], dtype="float64").where(people["ended_on"] < model.NEVER)
    contracts = pd.DataFrame(
        {
            "customer_id": people["number"].astype(str),
            "start": people["start"].astype("datetime64[D]"),
            "ended_on": pd.to_datetime(ended_on, unit="D"),
            "community_member": np.where(people["member"], "ja", "nein"),
            "product_id": np.array(["V-01", "V-02", "V-03"])[people["tariff"]],
        }
    )
    for name, levels, drawn in (
        ("region", model.REGION, "region"),
        ("channel", model.CHANNEL, "channel"),
        ("payment", model.PAYMENT, "payment"),
        ("term_months", model.TERM, "term"),
    ):
        contracts[name] = np.array(levels.names)[people[drawn]]
    known = spells(
        contracts[people["has_contract"]],
        as_of=dt.date(2026, 10, 1),
        window_start=dt.date(2023, 10, 1),
        attributes=PLANTED_COVARIATES,
    )
    return known.order_by("customer_id").to_pandas()


def random_spells(n: int, seed: int) -> pd.DataFrame:
    """Return spells of customers who may have several, entered late, with two factors and a number."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": rng.integers(0, n * 2 // 3, n).astype(str),
            "entry": rng.integers(0, 5, n),
            "plan": rng.choice(["Basis", "Komfort", "Größe L"], n, p=[0.3, 0.5, 0.2]),
            "region": rng.choice(["Nord", "Süd"], n, p=[0.6, 0.4]),
            "age": rng.integers(18, 80, n),
        }
    )
    frame["exit"] = frame["entry"] + 1 + rng.exponential(8 + (frame["plan"] == "Basis") * 6).round(1)
    return frame.assign(event=rng.integers(0, 2, n), cause=rng.choice(["Preis", "Umzug"], n))


def dummies(frame: pd.DataFrame, base: dict[str, str]) -> pd.DataFrame:
    """Return 0 and 1 by column and level, without the base levels."""
    parts = [(frame[name] == level).astype(float).rename(f"{name}[{level}]") for name, level in _levels(frame, base)]
    return pd.concat(parts, axis=1)


def _levels(frame: pd.DataFrame, base: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, level) for name in base for level in sorted(frame[name].unique()) if level != base[name]]


def person_time_rows(frame: pd.DataFrame, columns: pd.DataFrame, cuts: list[float]) -> pd.DataFrame:
    """Return one row a spell and interval in which it is watched: exposure, event, interval, customer, columns."""
    parts = []
    for number, (low, high) in enumerate(zip([0, *cuts], [*cuts, np.inf], strict=True)):
        exposure = (frame["exit"].clip(upper=high) - frame["entry"].clip(lower=low)).clip(lower=0)
        ends = (frame["exit"] > low) & (frame["exit"] <= high) & (frame["event"] == 1)
        parts.append(
            columns.assign(
                _exposure=exposure, _event=ends.astype(int), _interval=number, _customer=frame["customer_id"]
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["_exposure"] > 0].reset_index(drop=True)


def poisson(rows: pd.DataFrame, columns: list[str], **fit: object) -> sm.GLM:
    """Return statsmodels' Poisson model of person-time: the columns, then a dummy an interval, no intercept."""
    intervals = pd.get_dummies(rows["_interval"], dtype=float)
    design = np.column_stack([rows[columns], intervals])
    peer = sm.GLM(rows["_event"], design, family=sm.families.Poisson(), offset=np.log(rows["_exposure"]))
    return peer.fit(tol=1e-12, **fit)
