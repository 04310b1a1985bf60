"""What is planted, as ``truth.json`` states it: parameters of the generator, simulated truths, broken rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

from analysis.pilot import model
from analysis.pilot.faults import Fault
from analysis.pilot.simulated import Truths


def truths(customers: int, seed: int, planted: Sequence[Fault]) -> Truths:
    """Return all truths of the pilot company with that seed and size."""
    simulated = stored()
    return {
        "company": model.COMPANY,
        "customers": customers,
        "seed": seed,
        "data": {"first_day": "2023-10-01", "last_day": "2026-10-11"},
        "last_quarter": model.LAST_QUARTER,
        "as_of": model.AS_OF,
        "simulated_customers": simulated["simulated_customers"],
        "churn": _churn(simulated),
        "purchases": {"model": "BG/NBD", "unit": "week", **model.PURCHASE},
        "spend": {"model": "gamma-gamma", "unit": "EUR a purchase day", **model.SPEND},
        "satisfaction": {
            "scale": [1, 10],
            "base": "answers",
            **{name: simulated[name] for name in ("nps_by_quarter", "nps_by_region_by_quarter", "drivers")},
        },
        "concentration": {"base": "customers with order lines in the period", **simulated["concentration"]},
        "community": {
            "hazard_ratio": model.MEMBER_RATIO,
            "case_rate_ratio": model.CASE_MEMBER_RATIO,
            **simulated["community"],
        },
        "offers": {
            "weak": list(model.WEAK_OFFERS),
            "cost_rates": {item.number: item.cost_rate for item in model.PRODUCTS},
            "pair": [model.PRODUCTS[position].number for position in model.PAIR],
            "pair_lift": simulated["pair_lift"],
            "pair_support": simulated["pair_support"],
        },
        "faults": [
            {
                "file": fault.file,
                "kind": fault.kind,
                "column": fault.column,
                "effect": fault.effect,
                "count": len(fault.values),
            }
            for fault in planted
        ],
    }


def stored() -> Truths:
    """Return the truths that two million simulated customers gave."""
    read: Truths = json.loads(files("analysis.pilot").joinpath("simulated.json").read_text(encoding="utf-8"))
    return read


def _churn(simulated: Truths) -> Truths:
    ratios = {
        "region": _by_level(model.REGION.names, model.REGION),
        "channel": _by_level(model.CHANNEL.names, model.CHANNEL),
        "payment": _by_level(model.PAYMENT.names, model.PAYMENT),
        "term_months": _by_level(model.TERM.names, model.TERM),
        "product_id": _by_level([tariff.number for tariff in model.TARIFFS], model.TARIFF),
        "community_member": {"nein": 1.0, "ja": model.MEMBER_RATIO},
    }
    return {
        "base": {name: next(iter(by_level)) for name, by_level in ratios.items()},
        "hazard_ratios": ratios,
        "cuts_days": list(model.HAZARD_CUTS),
        "baseline_rate_a_year": list(model.HAZARD_RATES),
        "days_a_year": 365.25,
        "ledger_begins": "2023-10-01",
        "rate_a_year_by_quarter": simulated["churn_rate_by_quarter"],
        "reasons": dict(zip(model.REASONS, model.REASON_SHARES, strict=True)),
    }


def _by_level(names: Sequence[str], levels: model.Levels) -> dict[str, float]:
    return dict(zip(names, levels.ratios, strict=True))
