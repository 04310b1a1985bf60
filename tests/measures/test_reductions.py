"""What every measure hands to the engine compiles for every engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np
import pytest
from dialects import CANONICAL, DIALECTS, SCHEMAS, sql_of, tables_read
from pilot_tables import AS_OF, BEGINS

from analysis.measures import (
    anomalies,
    bond_rules,
    bonds,
    churn,
    comparison,
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
    segments,
    terms,
    touchpoints,
    weighting,
)
from analysis.measures.comments import corpus
from analysis.measures.covariates import Cuts, Factor, Linear, Spline
from analysis.measures.point_in_time import knowledge
from analysis.measures.spells import spells, spells_from_purchases

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
    return bonds.bonds(CANONICAL, as_of=AS_OF, rules=bonds.BondRules(consumer_rule=False))


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
    "features_as_of": (
        "contracts",
        lambda _: features.features_as_of(CANONICAL, as_of=AS_OF, constant=("region", "fee")),
    ),
    "bonds": ("contracts", lambda _: bonds.bonds(CANONICAL, as_of=AS_OF)),
    "bond_mix": ("contracts", lambda table: bonds._reduce_mix(held(table))),
    "held_by_contract_only": (
        "contracts",
        lambda table: bonds.held_by_contract_only(held(table), as_of=AS_OF, within_days=30),
    ),
    "notice_soon": ("contracts", lambda table: terms.reduce_soon(held(table), AS_OF, 30)),
    "kinds_on_record": (
        "contracts",
        lambda table: bond_rules._reduce_products([table, CANONICAL["transactions"]]),
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


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction_compiles_for_every_engine(name, dialect):
    table, reduce = REDUCTIONS[name]
    sql = sql_of(reduce(ibis.table(SCHEMAS[table], name=table)), dialect)
    assert table in tables_read(sql, dialect)
