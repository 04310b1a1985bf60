"""The Net Promoter Score of many segments against the same selection of answers written in SQL by hand."""

from __future__ import annotations

import statistics

import duckdb
import ibis

from analysis.measures.satisfaction import nps
from benchmarks.clock import seconds

ROWS, SEGMENTS = 10_000_000, 50

_BY_HAND = """
    WITH latest AS (
        SELECT segment, nps FROM answers WHERE nps IS NOT NULL
        QUALIFY customer_id IS NULL
            OR row_number() OVER (PARTITION BY customer_id, survey ORDER BY answered_at DESC, response_id DESC) = 1),
    counted AS (
        SELECT segment, count(*) + 3 AS n,
            count(*) FILTER (nps >= 9) + 0.75 AS p, count(*) FILTER (nps <= 6) + 0.75 AS d
        FROM latest GROUP BY segment)
    SELECT segment, n - 3 AS n, 100 * (p - d) / (n - 3) AS nps,
        100 * ((p - d) / n - 1.959964 * sqrt(((p + d) / n - ((p - d) / n) ** 2) / n)) AS low,
        100 * ((p - d) / n + 1.959964 * sqrt(((p + d) / n - ((p - d) / n) ** 2) / n)) AS high
    FROM counted ORDER BY segment
"""


def answers(rows: int) -> duckdb.DuckDBPyConnection:
    """Return an engine with a table of answers: three surveys, most customers in each more than once."""
    engine = duckdb.connect()
    engine.execute(
        f"""CREATE TABLE answers AS SELECT 'r' || i AS response_id, 'c' || (hash(i) % {rows // 4}) AS customer_id,
            'wave ' || (hash(i + 1) % 3) AS survey, TIMESTAMP '2026-01-01' + INTERVAL 1 SECOND * (hash(i + 2) % 7000000)
                AS answered_at, (hash(i + 3) % 11)::TINYINT AS nps, (hash(i + 4) % {SEGMENTS})::INTEGER AS segment
            FROM range({rows}) AS numbers(i)"""
    )
    return engine


def measure(rows: int, pairs: int) -> dict[str, float]:
    """Return medians over ``pairs`` runs of each: seconds of either, and the ratio of the two."""
    engine = answers(rows)
    table = ibis.duckdb.from_connection(engine).table("answers")
    runs = []
    for _pair in range(pairs):
        kit = seconds(lambda: nps(table, scale=(0, 10), by="segment"))
        runs.append((kit, seconds(lambda: engine.sql(_BY_HAND).df())))
    return {
        "kit_seconds": statistics.median(kit for kit, _hand in runs),
        "hand_seconds": statistics.median(hand for _kit, hand in runs),
        "ratio": statistics.median(kit / hand for kit, hand in runs),
    }
