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
from pilot_tables import AS_OF, BEGINS, DAYS, MONTHS, Pilot, pilot

from analysis.measures import (
    anomalies,
    bonds,
    churn,
    comparison,
    competing,
    features,
    indifference,
    leaving,
    logistic,
    nps,
    nps_trend,
    person_time,
    rare_reasons,
    ratings,
    reasons,
    retention,
    rfm,
    risk_sets,
    risk_windows,
    satisfaction,
    segments,
    survival,
    touchpoints,
    weighting,
)
from analysis.measures.comments import corpus
from analysis.measures.covariates import Cuts, Factor, Linear, Spline
from analysis.measures.hazards import hazard_model
from analysis.measures.point_in_time import knowledge
from analysis.measures.spells import spells, spells_from_purchases
from analysis.vocabulary import TABLES

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
    "spells": {
        "customer_id": "string",
        "origin": "date",
        "entry": "int64",
        "exit": "float64",
        "event": "boolean",
        "cause": "string",
        "plan": "string",
        "age": "float64",
        "fee": "decimal(10, 2)",
    },
    "transactions": {
        "customer_id": "string",
        "date": "date",
        "revenue": "float64",
        "transaction_id": "string",
    },
}
_KINDS = {"text": "string", "number": "float64", "money": "float64", "integer": "int64", "rating": "int64"}
CANONICAL = {
    name: ibis.table(
        {column.name: {**_KINDS, "instant": "timestamp"}.get(column.type, column.type) for column in spec.columns},
        name=name,
    )
    for name, spec in TABLES.items()
}
SCHEMAS["contracts"] = dict(CANONICAL["contracts"].schema().items())

WINDOW = (dt.date(2026, 7, 1), dt.date(2026, 9, 30))
BOOK = {"reason": {"Preis": "Preis", "Umzug": "Umzug"}}
COVARIATES = (Factor("plan"), Factor("fee"), Cuts("age", (30, 50)), Spline("age", (0, 10, 20)), Linear("fee"))

NPS = comparison._Question("nps", (1, 10), 2)


def scores(table: ir.Table) -> ir.Table:
    columns = {"_x0": "string", "_x1": "int64", "_ratio": "float64", "_z0": "float64", "_z1": "float64"}
    fitted = ibis.table(columns, name="fitted")
    covariates = (Factor("plan"), Cuts("age", (30,)))
    return person_time._reduce_scores(table, covariates, [90], None, fitted, np.array([0.1, 0.2]))


def coded(table: ir.Table) -> ir.Table:
    return reasons._coded(reasons._ended(table, *WINDOW), BOOK)


def held(_contracts: ir.Table) -> ir.Table:
    return bonds.bonds(CANONICAL, as_of=AS_OF)


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
    "drivers": ("spells", lambda table: leaving._reduce_levels(table.mutate(event=1), ["plan"])),
    "spells": (
        "contracts",
        lambda table: spells(table, CANONICAL["customers"], as_of=AS_OF, window_start=BEGINS, attributes="product_id"),
    ),
    "spells_from_purchases": (
        "transactions",
        lambda table: spells_from_purchases(table, as_of=AS_OF, inactive_days=90),
    ),
    "churn_rate": ("spells", lambda table: churn._reduce_churn_rate(table, *WINDOW, ("plan",))),
    "cohorts": ("spells", lambda table: retention._reduce_cohorts(table, AS_OF, ("plan",))),
    "revenue_churn": ("contracts", lambda table: retention._reduce_revenue_churn(table, *WINDOW, ("product_id",))),
    "reasons": ("contracts", lambda table: rare_reasons._reduce_reasons(coded(table))),
    "reasons, uncoded": ("contracts", lambda table: reasons._reduce_uncoded(coded(table), "reason")),
    "as_they_stand": ("contracts", lambda table: reasons._reduce_spellings(table, "reason", 5, 20)),
    "pareto": (
        "contracts",
        lambda table: rare_reasons._reduce_reasons(rare_reasons.moved(coded(table), ["a"], "other")),
    ),
    "survival_curve": ("spells", lambda table: risk_sets._reduce_exits(table, ("plan",))),
    "survival_curve, late entry": ("spells", lambda table: risk_sets._reduce_entries(table, ("plan",))),
    "cumulative_incidence": ("spells", lambda table: risk_sets._reduce_exits(table, ("plan", "cause"))),
    "cuts_at_events": ("spells", lambda table: person_time._reduce_ends(table, "Preis")),
    "hazard_model": ("spells", lambda table: person_time._reduce_person_time(table, COVARIATES, [90, 365], "Preis")),
    "hazard_model, robust": ("spells", scores),
    "logistic_model": ("spells", lambda table: logistic._reduce_patterns(table, "event", COVARIATES)),
    "features_as_of": ("contracts", lambda _: features.features_as_of(CANONICAL, as_of=AS_OF, constant="region")),
    "bonds": ("contracts", held),
    "bond_mix": ("contracts", lambda table: bonds._reduce_mix(held(table))),
    "held_by_contract_only": (
        "contracts",
        lambda table: bonds.held_by_contract_only(held(table), as_of=AS_OF, within_days=30),
    ),
    "indifference": (
        "transactions",
        lambda _: indifference._reduce_counts(indifference._counts(knowledge(CANONICAL, AS_OF), {"nps": 9}, 90, 365)),
    ),
    "risk_scores": ("surveys", lambda table: risk_windows._reduce_sample(table.select("customer_id", "nps"), [], 9, 0)),
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


CURVES = 4 * DAYS
"""Regions times days: of a curve come back the days on which spells ended or began, however many did."""

# name: the measure of the pilot company, and the most rows that come back however many customers there are
OF_PILOT: dict[str, tuple[Callable[[Pilot], object], int]] = {
    "churn_by_period": (lambda of: churn.churn_by_period(of.spells, {"now": WINDOW}, by="region"), 4),
    "cohorts": (lambda of: retention.cohorts(of.whole_spells, as_of=AS_OF), MONTHS * (MONTHS + 3) // 2),
    "revenue_churn": (lambda of: retention.revenue_by_period(of.tables["contracts"], {"now": WINDOW}), 1),
    "reasons": (lambda of: reasons.reasons(of.tables["contracts"], BOOK, start=BEGINS), 5),
    "as_they_stand": (lambda of: reasons.as_they_stand(of.tables["contracts"]), 6),
    "pareto": (lambda of: reasons.pareto(of.tables["contracts"], BOOK, start=BEGINS), 5),
    "with_merged": (lambda of: reasons.with_merged(of.tables["contracts"], BOOK), 5),
    "survival_curve": (lambda of: survival.survival_curve(of.spells, by="region", from_time=90), CURVES),
    "logrank": (lambda of: survival.logrank(of.spells, by="region"), CURVES),
    "rmst": (lambda of: survival.rmst(of.spells, by="region", from_time=90, horizon=730), CURVES),
    "cumulative_incidence": (lambda of: competing.cumulative_incidence(of.spells, from_time=90), 7 * DAYS),
    "cuts_at_events": (lambda of: person_time.cuts_at_events(of.spells), DAYS),
    "drivers": (lambda of: leaving.drivers(of.spells, ["region", "term_months"]), 4 * 3),
    "hazard_model": (lambda of: hazard_model(of.spells, ["region", "term_months"], cuts=[90, 365]), 4 * 3),
    "hazard_model, robust": (lambda of: hazard_model(of.spells, "region", cuts=[90], robust=True), 4),
    "logistic_model": (
        lambda of: logistic.logistic_model(of.spells, "event", ["region", Factor("term_months")]),
        4 * 3,
    ),
    "bond_mix": (lambda of: bonds.bond_mix(bonds.bonds(of.tables, as_of=AS_OF)), 8),
    "churn_by_bonds": (lambda of: bonds.churn_by_bonds(of.tables, as_of=WINDOW[0], end=WINDOW[1]), 8),
}

# name: what measures hand on to others; nothing is executed to make it
LAZY: dict[str, Callable[[Pilot], ir.Table]] = {
    "spells": lambda of: spells(of.tables["contracts"], as_of=AS_OF),
    "spells_from_purchases": lambda of: spells_from_purchases(of.tables["transactions"], as_of=AS_OF, inactive_days=90),
    "features_as_of": lambda of: features.features_as_of(of.tables, as_of=AS_OF),
    "bonds": lambda of: bonds.bonds(of.tables, as_of=AS_OF),
    "held_by_contract_only": lambda of: bonds.held_by_contract_only(
        bonds.bonds(of.tables, as_of=AS_OF), as_of=AS_OF, within_days=30
    ),
}


ROWS: dict[str, Callable[[int], pd.DataFrame]] = {"surveys": surveys, "transactions": transactions}


@pytest.fixture(scope="module")
def companies() -> tuple[Pilot, Pilot]:
    """The pilot company with 10,000 and with 100,000 customers."""
    return pilot(10_000), pilot(100_000)


def tenfold(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Ten customers in the place of each."""
    copies = ibis.range(10).unnest().name("copy").as_table()
    return {
        name: table.cross_join(copies).mutate(customer_id=ibis._.customer_id + ibis._.copy.cast("string")).drop("copy")
        for name, table in tables.items()
    }


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


@pytest.mark.parametrize("name", OF_PILOT)
def test_of_ten_times_the_pilot_company_come_back_no_more_rows_than_there_are_levels_and_days(
    name, companies, rows_returned
):
    measure, most = OF_PILOT[name]
    calls = []
    for company in companies:
        measure(company)
        assert 1 <= max(rows_returned) <= most
        calls.append(len(rows_returned))
        rows_returned.clear()
    assert calls[0] == calls[1]


@pytest.mark.parametrize("name", LAZY)
def test_what_one_measure_hands_to_another_is_not_executed(name, companies, rows_returned):
    assert LAZY[name](companies[0]).columns[0] == "customer_id"
    assert rows_returned == []


def test_a_curve_brings_back_each_day_once(companies, rows_returned):
    company = companies[0]
    survival.survival_curve(company.spells, by="region", from_time=90)
    days = company.spells.execute().groupby("region").agg({"exit": "nunique", "entry": "nunique"}).sum()
    assert rows_returned[:2] == days.tolist()


def test_of_fading_come_back_counts_of_orders_not_customers(companies, rows_returned):
    for tables in (companies[0].tables, tenfold(companies[0].tables)):
        indifference.indifference(tables, as_of=AS_OF, window_days=90)
    assert rows_returned[0] == rows_returned[1]
    assert len(rows_returned) == 2
