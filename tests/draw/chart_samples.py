"""One chart of each kind over a small frame, for tests in this process and in others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis.draw import charts

NAN = float("nan")
LONG = "Baden-Württemberg und Rheinland-Pfalz (Außendienst, Handel)"

NPS = pd.DataFrame(
    {
        "region": ["Nord", "Süd", LONG, None, "Österreich"],
        "nps": [24.3, 31.2, 12.04, -3.3, NAN],
        "low": [18.0, 27.0, 4.0, -20.0, NAN],
        "high": [30.0, 36.0, 21.0, 28.0, NAN],
        "n": [812, 1204, 233, 41, 0],
        "detractors": [200, 200, 70, 15, 0],
        "passives": [212, 304, 63, 12, 0],
        "promoters": [400, 700, 100, 14, 0],
    }
)
TREND = pd.DataFrame(
    {
        "period": ["2026-Q1", "2025-Q1", "2025-Q2", "2025-Q3", "2026-Q2"],
        "nps": [25.0, 20.0, 22.0, NAN, 18.0],
        "low": [20.0, 14.0, 17.0, NAN, 12.0],
        "high": [30.0, 26.0, 27.0, NAN, 24.0],
    }
)
ANSWERS = pd.DataFrame(
    {
        "rating": range(11),
        "answers": [0, 31, 12, 18, 20, 44, 60, 130, 210, 260, 300],
        "group": ["detractors"] * 7 + ["passives"] * 2 + ["promoters"] * 2,
    }
)
CURVES = pd.DataFrame(
    {
        "channel": ["Filiale"] * 3 + ["Internet"] * 3,
        "time": [100, 400, 1095, 90, 300, 730],
        "survival": [0.9, 0.8, 0.6, 0.7, 0.4, 0.0],
        "low": [0.8, 0.7, 0.5, 0.6, 0.3, NAN],
        "high": [0.95, 0.9, 0.7, 0.8, 0.5, NAN],
    }
)
LORENZ = pd.DataFrame({"customer_share": [0.0, 0.5, 0.8, 1.0], "revenue_share": [0.0, 0.05, 0.2, 1.0]})
CLASSES = pd.DataFrame({"class": ["A", "B", "C"], "customer_share": [0.2, 0.3, 0.5], "share": [0.8, 0.15, 0.05]})
CELLS = pd.DataFrame(
    {
        "recency_score": [1, 1, 3, 3],
        "frequency_score": [1, 3, 2, 3],
        "customers": [50, 10, 20, 20],
        "revenue": [100.0, 200.0, 300.0, 400.0],
    }
)
ROWS = pd.DataFrame(
    {
        "table": ["customers", "transactions", "contracts"],
        "accepted": [4990, 123456, 95],
        "quarantined": [10, 23, 5],
        "dropped": [0, 0, 12],
    }
)

KINDS: dict[str, tuple[Callable[..., Any], pd.DataFrame, dict[str, Any]]] = {
    "intervals": (charts.intervals, NPS, {"value": "nps", "label": "region", "unit": "points", "reference": 24.9}),
    "trend": (charts.trend, TREND, {"value": "nps", "unit": "points"}),
    "distribution": (charts.distribution, ANSWERS, {"groups": "group"}),
    "stacked_shares": (charts.stacked_shares, NPS, {"label": "region"}),
    "survival": (charts.survival, CURVES, {"by": "channel"}),
    "lorenz": (charts.lorenz, LORENZ, {}),
    "abc_bars": (charts.abc_bars, CLASSES, {}),
    "rfm_map": (charts.rfm_map, CELLS, {}),
    "quality": (charts.quality, ROWS, {"limit": 0.05}),
}


def drawn(kind: str) -> charts.Chart:
    """Return the chart of that kind over its frame."""
    draw, frame, settings = KINDS[kind]
    chart = draw(frame, title=f"{kind} (n = 2.290)", **settings)
    assert isinstance(chart, charts.Chart)
    return chart


def fingerprint() -> str:
    """Return a hash over the SVG of all kinds."""
    return hashlib.sha256("".join(drawn(kind).svg for kind in KINDS).encode()).hexdigest()
