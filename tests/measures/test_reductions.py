"""What every measure hands to the engine: it compiles for every engine, and little comes back from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of
from ibis.backends.duckdb import Backend

from analysis.measures import (
    anomalies,
    comparison,
    leaving,
    nps,
    nps_trend,
    ratings,
    rfm,
    satisfaction,
    segments,
    touchpoints,
    weighting,
)
from analysis.measures.comments import corpus

AS_OF = dt.date(2026, 4, 1)
SQLGLOT_NAMES = {"pyspark": "spark"}

SCHEMAS = {
    "surveys": {
        "response_id": "string",
        "customer_id": "string",
        "survey": "string",
        "answered_at": "timestamp",
        "region": "string",
        "nps": "int64",
        "csat": "int64",
        "ces": "int64",
        "comment": "string",
        "weight": "float64",
    },
    "spells": {"customer_id": "string", "entry": "int64", "exit": "int64", "event": "int64", "plan": "string"},
    "transactions": {
        "customer_id": "string",
        "date": "date",
        "revenue": "float64",
        "transaction_id": "string",
    },
}

NPS = comparison._Question("nps", (1, 10), 2)


def by_region(table: ir.Table) -> ir.Table:
    return NPS.scored(table, ("region",))


# name: the table it takes, and what it makes of it inside the engine
REDUCTIONS: dict[str, tuple[str, Callable[[ir.Table], ir.Table]]] = {
    "nps": ("surveys", lambda table: nps._reduce_nps(table, (1, 10), ("region",))),
    "nps, no group": ("surveys", lambda table: nps._reduce_nps(table, (1, 10), ())),
    "csat": ("surveys", lambda table: ratings._reduce_csat(table, "csat", (1, 5), 2, ("region",), False)),
    "csat, one a customer": ("surveys", lambda table: ratings._reduce_csat(table, "csat", (1, 5), 2, (), True)),
    "distribution": ("surveys", lambda table: ratings._reduce_distribution(table, "nps", (1, 10), True)),
    "nps, weighted": ("surveys", lambda table: nps._reduce_weighted(table, (1, 10), ("region",), "weight")),
    "ces": ("surveys", lambda table: ratings._reduce_ces(table, (1, 7), "high", ("region",))),
    "compare": ("surveys", lambda table: comparison._reduce_paired(by_region(table), by_region(table), ("region",))),
    "compare, sums": ("surveys", lambda table: comparison._reduce_sums(by_region(table), NPS, ("region",))),
    "against_rest": ("surveys", lambda table: comparison._reduce_shared(by_region(table), ("region",))),
    "touchpoints": ("surveys", lambda table: touchpoints.journey_stage(table, table.mutate(date=AS_OF, revenue=1.0))),
    "nps_trend, span": ("surveys", nps_trend._reduce_span),
    "nps_trend": ("surveys", lambda table: nps_trend._reduce_nps_trend(table, (1, 10), [0, 86_400, 172_800])),
    "rake": ("surveys", lambda table: weighting._reduce_cells(table, ["region"])),
    "comments, count": ("surveys", lambda table: corpus._reduce_comments(table, (1, 10))),
    "comments, sample": ("surveys", lambda table: corpus._reduce_sample(table, 0, 100)),
    "scale_anomalies": ("surveys", anomalies._reduce_points),
    "drivers": ("spells", lambda table: leaving._reduce_levels(table, ["plan"])),
    "abc": ("transactions", lambda table: segments._reduce_abc(table, (0.8, 0.95))),
    "abc_classes": ("transactions", segments.abc_classes),
    "concentration": ("transactions", segments._reduce_concentration),
    "lorenz": ("transactions", lambda table: segments._reduce_lorenz(table, 100)),
    "rfm": ("transactions", lambda table: rfm._reduce_rfm(table, AS_OF, 5)),
    "rfm_scores": ("transactions", lambda table: segments.rfm_scores(table, as_of=AS_OF)),
}

# name: the table it takes, and the measure whose returned rows are counted
MEASURES: dict[str, tuple[str, Callable[[pd.DataFrame], object]]] = {
    "nps": ("surveys", lambda rows: satisfaction.nps(rows, scale=(1, 10), by="region")),
    "csat": ("surveys", lambda rows: satisfaction.csat(rows, scale=(1, 5), by="region")),
    "nps, weighted": (
        "surveys",
        lambda rows: satisfaction.nps(rows, scale=(1, 10), by="region", weight="weight", margins="region"),
    ),
    "nps_trend": ("surveys", lambda rows: satisfaction.nps_trend(rows, scale=(1, 10))),
    "rake": ("surveys", lambda rows: weighting.rake(rows, {"region": {"Nord": 0.4, "Süd": 0.6}})),
    "ces": ("surveys", lambda rows: satisfaction.ces(rows, scale=(1, 7), easy="high", by="region")),
    "compare": ("surveys", lambda rows: satisfaction.compare(rows, rows, scale=(1, 10), by="region")),
    "against_rest": ("surveys", lambda rows: satisfaction.against_rest(rows, scale=(1, 10), by="region")),
    "distribution": ("surveys", lambda rows: satisfaction.nps_distribution(rows, scale=(1, 10))),
    "abc": ("transactions", segments.abc),
    "concentration": ("transactions", segments.concentration),
    "lorenz": ("transactions", segments.lorenz),
    "rfm": ("transactions", lambda rows: segments.rfm(rows, as_of=AS_OF)),
}


def surveys(customers: int) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "response_id": [f"r{number}" for number in range(customers)],
            "customer_id": draw.integers(0, customers, customers).astype(str),
            "region": draw.choice(["Nord", "Süd"], customers),
            "nps": draw.integers(1, 11, customers),
            "csat": draw.integers(1, 6, customers),
            "ces": draw.integers(1, 8, customers),
            "answered_at": pd.Timestamp("2025-01-01") + pd.to_timedelta(draw.integers(0, 400, customers), unit="D"),
            "weight": draw.choice([0.5, 1.0, 2.0], customers),
        }
    )


def transactions(customers: int) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "customer_id": draw.integers(0, customers, 3 * customers).astype(str),
            "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(draw.integers(0, 400, 3 * customers), unit="D"),
            "revenue": draw.lognormal(3, 1, 3 * customers).round(2),
        }
    )


ROWS: dict[str, Callable[[int], pd.DataFrame]] = {"surveys": surveys, "transactions": transactions}


@pytest.fixture
def rows_returned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each execution brought back from the engine."""
    counted: list[int] = []

    def counting(original: Callable) -> Callable:
        def call(self: Backend, *args: object, **kwargs: object) -> object:
            result = original(self, *args, **kwargs)
            counted.append(len(result))
            return result

        return call

    monkeypatch.setattr(Backend, "execute", counting(Backend.execute))
    monkeypatch.setattr(Backend, "to_pyarrow", counting(Backend.to_pyarrow))
    return counted


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction_compiles_for_every_engine(name, dialect):
    table, reduce = REDUCTIONS[name]
    sql = sql_of(reduce(ibis.table(SCHEMAS[table], name=table)), dialect)
    read = sqlglot.parse_one(sql, dialect=SQLGLOT_NAMES.get(dialect, dialect)).find_all(sqlglot.exp.Table)
    assert table in {found.name for found in read}


@pytest.mark.parametrize("name", MEASURES)
def test_what_comes_back_from_the_engine_does_not_grow_with_customers(name, rows_returned):
    table, measure = MEASURES[name]
    measure(ROWS[table](1_000))
    few = rows_returned.copy()
    rows_returned.clear()
    measure(ROWS[table](10_000))
    assert len(rows_returned) == len(few) >= 1
    assert max(few) <= 125  # 5³ cells of rfm are the most
    assert max(rows_returned) <= 125
