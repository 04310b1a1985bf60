"""Order lines that the tests of the purchase models share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.pilot import model
from analysis.pilot.simulate import blocks

END = dt.date(1997, 9, 30)
"""The end of the first 39 weeks of CDNOW, to which the published values belong."""
PLANTED = {**model.PURCHASE, **model.SPEND}


def cdnow(public_data: Path) -> pd.DataFrame:
    names = ["master_id", "customer_id", "date", "discs", "revenue"]
    file = public_data / "cdnow" / "CDNOW_sample.txt"
    rows = pd.read_csv(file, sep=r"\s+", names=names, dtype={"customer_id": str, "date": str})
    return rows.assign(date=pd.to_datetime(rows["date"], format="%Y%m%d"))


def german_csv(public_data: Path) -> pd.DataFrame:
    file = public_data / "german_csv" / "cdnow_sample_de.csv"
    rows = pd.read_csv(file, sep=";", decimal=",", encoding="cp1252", dtype={"Kundennummer": str})
    rows = rows.rename(columns={"Kundennummer": "customer_id", "Kaufdatum": "date", "Umsatz": "revenue"})
    return rows.assign(date=pd.to_datetime(rows["date"], format="%d.%m.%Y"))


def olist(public_data: Path) -> pd.DataFrame:
    folder = public_data / "olist"
    orders, people, items = (
        pd.read_csv(folder / f"olist_{name}_dataset.csv") for name in ("orders", "customers", "order_items")
    )
    lines = items.merge(orders, on="order_id").merge(people, on="customer_id")
    return pd.DataFrame(
        {
            "customer_id": lines["customer_unique_id"],
            "date": pd.to_datetime(lines["order_purchase_timestamp"]),
            "revenue": lines["price"],
        }
    )


def pilot_orders(seed: int) -> tuple[pd.DataFrame, dt.date]:
    """Return the order lines of 5,000 customers of the pilot company, and the last day of its data."""
    lines = next(blocks(5000, seed)).lines
    frame = pd.DataFrame(
        {
            "customer_id": lines["customer"].astype(str),
            "date": lines["day"].astype("datetime64[D]").astype("datetime64[s]"),
            "revenue": lines["revenue"],
        }
    )
    return frame, np.datetime64(int(model.DATA_END), "D").astype(object)
