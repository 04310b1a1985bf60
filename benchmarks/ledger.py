"""A ledger of order lines as a shop would keep it: in Parquet, by date, most customers with several purchases.

Customers come all through three years, buy at a rate of their own and leave unseen; a purchase day has three lines on
average, some of them returns, and one line in two hundred has no customer. The same at each call.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks import peers

END = dt.date(2025, 12, 31)
"""The last day."""
_DAYS = 3 * 365
LINES_A_CUSTOMER = 29.5
"""On average, with which the sizes of ledgers are chosen."""

_WRITE = f"""
    COPY (
        SELECT CASE WHEN draw % 199 > 0 THEN 'K' || lpad(who::VARCHAR, 8, '0') END AS customer_id,
            DATE '{END}' - {_DAYS - 1} + day::INTEGER AS date,
            CASE WHEN draw % 41 > 0 THEN amount ELSE -amount END AS revenue,
            round(revenue * (0.5 + draw % 30 / 100), 2) AS cost
        FROM (
            SELECT who, day, hash(who, day, line) AS draw,
                round(level * (0.2 - ln((1 + draw % 1000003) / 1000004)), 2) AS amount
            FROM (SELECT who, day, level, unnest(range(lines)) AS line FROM visits)
        ) ORDER BY day
    ) TO '{{file}}' (FORMAT parquet, COMPRESSION zstd)
"""


def _visits(customers: int) -> pd.DataFrame:
    """Return one row a customer and purchase day: who, day (from 0 on), lines, level (money a line)."""
    draw = np.random.default_rng(0)
    first = draw.integers(0, _DAYS, customers)
    active = np.minimum(draw.exponential(1, customers) / draw.gamma(0.8, 1 / 120, customers), _DAYS - 1 - first)
    bought = draw.poisson(draw.gamma(0.9, 1 / 22, customers) * active)
    who = np.repeat(np.arange(customers), bought + 1)
    day = first[who] + np.ceil(draw.random(len(who)) * active[who]).astype(int)
    day[np.cumsum(bought + 1) - bought - 1] = first
    days = pd.DataFrame({"who": who, "day": day}).drop_duplicates(ignore_index=True)
    lines, levels = 1 + draw.poisson(2, len(days)), 60 / draw.gamma(4, 1, customers)
    return days.assign(lines=lines, level=levels[days["who"]])


def write(file: Path, lines: int) -> None:
    """Write a ledger of about so many lines, in a process of its own: making it takes more memory than measuring."""
    peers.told([sys.executable, "-m", "benchmarks.ledger", str(file), str(round(lines / LINES_A_CUSTOMER))])


def lines(file: Path) -> int:
    """Count the lines of a ledger."""
    counted: int = duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0][0]
    return counted


if __name__ == "__main__":
    Path(sys.argv[1]).parent.mkdir(exist_ok=True)
    with duckdb.connect() as engine:
        engine.register("visits", _visits(int(sys.argv[2])))
        engine.execute(_WRITE.format(file=sys.argv[1]))
    print("{}")
