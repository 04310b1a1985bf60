"""What every measure brings back from the engine does not grow with customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
from ibis.backends.duckdb import Backend
from pilot_tables import AS_OF, BEGINS, DAYS, MONTHS, Pilot, pilot

from analysis.measures import (
    bonds,
    churn,
    competing,
    features,
    indifference,
    leaving,
    logistic,
    person_time,
    reasons,
    retention,
    satisfaction,
    segments,
    survival,
    weighting,
)
from analysis.measures.covariates import Factor
from analysis.measures.hazards import hazard_model
from analysis.measures.spells import spells, spells_from_purchases

WINDOW = (dt.date(2026, 7, 1), dt.date(2026, 9, 30))
BOOK = {"reason": {"Preis": "Preis", "Umzug": "Umzug"}}

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
