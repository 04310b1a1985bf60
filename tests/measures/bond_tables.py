"""Contracts and what else holds customers, for the tests of bonds."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from analysis.measures.bonds import bonds

AS_OF = dt.date(2026, 1, 1)
QUARTER = {"as_of": dt.date(2026, 4, 1), "start": AS_OF, "end": dt.date(2026, 3, 31)}


def a_contract(customer: str = "a", start: str = "2025-06-01", **more: object) -> dict:
    row = {"customer_id": customer, "start": pd.Timestamp(start), "ended_on": pd.NaT, "current_term_end": pd.NaT}
    row |= {"term_months": 12, "notice_days": 30, "auto_renews": True, **more}
    return row | {name: pd.Timestamp(row[name]) for name in ("ended_on", "current_term_end")}


def bonds_of(tables: dict, **settings: object) -> pd.DataFrame:
    found = bonds(tables, as_of=AS_OF, **settings).execute()
    return found.sort_values("customer_id", ignore_index=True)


def bond_tables() -> dict[str, pd.DataFrame]:
    day = pd.to_datetime
    return {
        "customers": pd.DataFrame(
            {
                "customer_id": list("abcdef"),
                "device": ["ja", "nein", None, "nein", "nein", "nein"],
                "recommended": [0, 0, 0, 2, None, 0],
                "app": [False, False, False, False, True, False],
            }
        ),
        "contracts": pd.DataFrame([a_contract(who, product_id="p", start="2024-06-01") for who in "abcdef"]),
        "transactions": pd.DataFrame(
            {"customer_id": ["b", "b", "f"], "date": day(["2025-12-01", "2025-01-01", "2024-12-31"]), "revenue": 1.0}
        ).assign(product_id=["q", "r", "q"]),
        "surveys": pd.DataFrame(
            {
                "response_id": ["1", "2", "3", "4"],
                "customer_id": ["a", "b", "b", "c"],
                "answered_at": day(["2025-05-01", "2025-05-01", "2025-06-01", "2026-01-01"]),
                "nps": [9, 10, 8, 10],
            }
        ),
        "cases": pd.DataFrame(
            {
                "case_id": ["1", "2", "3", "4"],
                "customer_id": ["a", "c", "c", "d"],
                "opened_at": day(["2025-05-01", "2025-05-01", "2025-06-01", "2025-05-01"]),
                "resolved_at": day(["2025-05-02", "2025-05-02", "2026-01-01", None]),
                "kind": ["complaint", "complaint", "complaint", "praise"],
            }
        ),
        "community": pd.DataFrame({"customer_id": ["e", "f"], "at": day(["2020-01-01", "2026-01-01"])}),
    }
