"""Order lines of the pilot company, without the faults planted in its files."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.pilot import model
from analysis.pilot.simulate import blocks


def pilot_lines(seed: int) -> pd.DataFrame:
    block = next(blocks(5000, seed))
    lines = block.lines
    return pd.DataFrame(
        {
            "customer_id": block.customers["number"][lines["customer"]].astype(str),
            "transaction_id": lines["order"].astype(str),
            "product_id": np.array([item.number for item in model.PRODUCTS])[lines["product"]],
            "date": lines["day"].astype("datetime64[D]"),
            "revenue": lines["revenue"],
            "cost": lines["cost"],
        }
    )
