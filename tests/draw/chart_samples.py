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
        "at_risk": [90, 60, 40, 80, 50, 20],
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

GROUPS = pd.DataFrame(
    {
        "kind": ["region", "region", "channel"],
        "touchpoint": ["Süd", "West", LONG],
        "value": [31.2, 2.0, 12.5],
        "low": [24.0, -6.0, 4.0],
        "high": [38.0, 10.0, 21.0],
        "n": [257, 249, 330],
        "verdict": ["up", "down", "within noise"],
    }
)
LEVEL = pd.DataFrame(
    {
        "period": ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"],
        "nps": [20.0, NAN, 22.0, 35.0, 33.0],
        "low": [14.0, NAN, 17.0, 30.0, 27.0],
        "high": [26.0, NAN, 27.0, 40.0, 39.0],
        "level": [21.0, 22.0, 24.0, 32.0, 32.5],
        "level_low": [16.0, 15.0, 19.0, 27.0, 27.0],
        "level_high": [26.0, 29.0, 29.0, 37.0, 38.0],
        "verdict": [None, None, "within noise", "up", "within noise"],
    }
)
SCALES = pd.DataFrame(
    {
        "period": ["2025-11", "2025-12", "2026-01", "2026-02", "2026-02", "2026-03", "2026-04"],
        "scale": ["0 to 10"] * 4 + ["1 to 10"] * 3,
        "nps": [20.0, 24.0, NAN, 22.0, 12.0, 10.0, 14.0],
        "low": [14.0, 18.0, NAN, 17.0, 6.0, 4.0, 8.0],
        "high": [26.0, 30.0, NAN, 27.0, 18.0, 16.0, 20.0],
        "level": [21.0, 22.0, 22.0, 22.0, 12.0, 12.0, 12.5],
        "level_low": [16.0, 18.0, 15.0, 17.0, 7.0, 8.0, 7.5],
        "level_high": [26.0, 26.0, 29.0, 27.0, 17.0, 16.0, 17.5],
        "verdict": [None, "within noise", None, "within noise", None, "within noise", "within noise"],
    }
)
DRIVERS = pd.DataFrame(
    {
        "attribute": ["rating_Qualität", "rating_Preis", "rating_Service", "rating_Lieferung", "rating_Bestellung"],
        "importance": [0.40, 0.25, 0.16, 0.10, 0.09],
        "importance_low": [0.34, 0.20, 0.12, 0.07, 0.06],
        "importance_high": [0.46, 0.30, 0.20, 0.13, 0.12],
        "mean": [4.1, 3.2, 3.6, 3.9, 3.9],
        "mean_low": [4.0, 3.1, 3.5, 3.8, 3.8],
        "mean_high": [4.2, 3.3, 3.7, 4.0, 4.0],
        "quadrant": ["keep up", "concentrate here", "undecided", "possible overkill", "possible overkill"],
    }
)
DIFFERENCES = pd.DataFrame(
    {
        "attribute": ["region", "community_member", "since"],
        "level": ["Süd", None, None],
        "difference": [0.21, -0.35, 0.02],
        "low": [0.05, -0.5, -0.12],
        "high": [0.37, -0.2, 0.16],
        "verdict": ["goes with promoters", "goes with the rest", "within noise"],
    }
)
RATIOS = pd.DataFrame(
    {
        "term": ["channel", "payment", "community_member"],
        "level": ["Vergleichsportal", "PayPal", "True"],
        "base": ["Onlineshop", "Lastschrift", "False"],
        "ratio": [2.06, 1.0, 0.54],
        "low": [1.72, 0.82, 0.46],
        "high": [2.49, 1.22, 0.65],
        "n": [623, 661, 987],
        "verdict": ["up", "within noise", "down"],
    }
)
FORECASTS = pd.DataFrame(
    {
        "tenth": [1, 2, 4, 8, 10],
        "n": [264, 264, 500, 264, 12],
        "left": [0, 5, 12, 21, 3],
        "predicted": [0.007, 0.011, 0.022, 0.062, 0.31],
        "observed": [0.0, 0.019, 0.024, 0.08, 0.25],
        "low": [0.0, 0.008, 0.014, 0.053, 0.089],
        "high": [0.014, 0.044, 0.041, 0.119, 0.532],
    }
)
WORDS = pd.DataFrame(
    {
        "word": ["freundlich", "Kundendienstmitarbeiterin", "teuer", "Preiserhöhung", "kaputt"],
        "z": [6.1, 2.2, -5.4, -4.0, -2.3],
        "side": ["promoters", "promoters", "detractors", "detractors", "detractors"],
    }
)
BONDS = pd.DataFrame(
    {
        "mix": [
            *("technical + contractual + psychological", "technical + contractual", "technical"),
            *("contractual", "psychological", "none"),
        ],
        "customers": [820, 410, 205, 410, 203, 2],
        "share": [0.4, 0.2, 0.1, 0.2, 0.099, 0.001],
        "exposed": [800, 400, 3, 400, 240, 8],
        "churn": [0.02, 0.034, 1 / 3, 0.061, 0.03, 0.125],
        "churn_low": [0.012, 0.02, 0.06, 0.04, 0.014, 0.022],
        "churn_high": [0.032, 0.057, 0.8, 0.09, 0.06, 0.471],
    }
)

REASONS = pd.DataFrame(
    {
        "reason": ["Preis", "Wechsel zu einem anderen Anbieter mit Wechselprämie", None, None, None, None],
        "kind": ["reason", "reason", "other", "sources disagree", "not in codebook", "unknown"],
        "ended": [40, 30, 10, 8, 0, 12],
        "share": [0.4, 0.3, 0.1, 0.08, 0.0, 0.12],
        "share_low": [0.31, 0.22, 0.06, 0.04, 0.0, 0.07],
        "share_high": [0.5, 0.4, 0.17, 0.15, 0.04, 0.2],
        "revenue_share": [0.3, 0.45, 0.1, NAN, 0.0, 0.1],
    }
)
INCIDENCES = pd.DataFrame(
    {
        "cause": ["Preis"] * 3 + ["Wechsel zu einem anderen Anbieter"] * 3 + ["other"] * 3 + ["unknown"] * 3,
        "time": [30, 365, 1095] * 4,
        "at_risk": [900, 500, 20] * 4,
        "events": [20, 80, 90] * 4,
        "incidence": [0.02, 0.1, 0.2, 0.01, 0.04, 0.195, 0.0, 0.002, 0.003, 0.0, 0.0, 0.001],
    }
)
TRIANGLE = pd.DataFrame(
    {
        "cohort": pd.to_datetime(["2025-12-01"] + ["2026-01-01"] * 3 + ["2026-02-01"] * 2),
        "month": [0, 0, 1, 2, 0, 1],
        "joined": [4, 50, 50, 50, 1204, 1204],
        "share": [1.0, 1.0, 0.9, 0.82, 0.998, 0.95],
        "complete": [True, True, True, False, True, False],
    }
)
MOVED = pd.DataFrame(
    {
        "part": ["cell"] * 6 + ["before"] * 4 + ["after"] * 4 + ["all"],
        "state_before": ["A", "A", "A", "B", "new", "returned", "A", "B", "new", "returned", *[None] * 5],
        "state_after": ["A", "B", "gone", "A", "A", "C", *[None] * 4, "A", "B", "C", "gone", None],
        "customers": [273, 72, NAN, 86, 0, 9, 360, 86, 0, 9, 359, 72, 9, NAN, 455],
        "change": [
            *(-2302.25, -11575.5, NAN, 16181.43, 0.0, 1.2e6),
            *(-40000.0, 16181.43, 0.0, 1.2e6, 13879.18, -11575.5, 1.2e6, NAN, 1.1e6),
        ],
    }
)
CLUSTERS = pd.DataFrame(
    {
        "cluster": [1, 1, 1, 2, 2, 2],
        "n": [900] * 3 + [400] * 3,
        "share": [9 / 13] * 3 + [4 / 13] * 3,
        "attribute": ["recency_days", "money", "rating_Qualität der Lieferung"] * 2,
        "median": [302.0, 59.3, 2.5, 5.0, 1_204_101.0, 4.0],
        "difference": [0.66, -0.66, -0.1, -1.49, 1.49, 0.2],
    }
)
CLUSTER_NAMES = pd.DataFrame(
    {
        "cluster": [1, 1, 2, 2],
        "rank": [1, 2, 1, 2],
        "attribute": ["money", "recency_days", "money", "rating_Qualität der Lieferung"],
        "direction": ["low", "high", "high", "high"],
        "difference": [-0.66, 0.66, 1.49, 0.2],
    }
)
EARNED = pd.DataFrame(
    {
        "product_id": ["A-1", "A-2", "A-3", "A-4", "A-5"],
        "name": ["Espresso", "Crema, ganze Bohne", None, "Geschenkkorb mit Tasse, Kännchen und Probierpaket", "Tee"],
        "contribution": [78062.58, 1233.66, -4.5, -4554.21, NAN],
        "low": [72376.0, -954.0, NAN, -4925.0, NAN],
        "high": [83748.0, 3421.0, NAN, -4183.0, NAN],
        "verdict": ["keep", "watch", "too few", "drop", "cost unknown"],
        "customers": [1426, 390, 2, 701, 12],
    }
)
TRACKED = pd.DataFrame(
    {
        "last_day": pd.to_datetime(["2025-01-07", "2025-01-14", "2025-01-21", "2025-01-28", "2025-02-04"]),
        "is_holdout": [False, False, False, True, True],
        "actual": [3, 40, 120, 260, 401],
        "predicted": [4.1, 38.2, 118.0, 255.3, 399.6],
    }
)
FORETOLD = pd.DataFrame(
    {
        "tenth": [1, 4, 8, 10],
        "customers": [303, 302, 302, 4],
        "predicted": [0.01, 0.53, 2.7, 10.7],
        "actual": [0.0, 0.47, 2.88, 10.4],
        "low": [0.0, 0.34, 2.54, 9.4],
        "high": [0.0, 0.59, 3.21, 11.3],
    }
)
WORTH = pd.DataFrame(
    {
        "from": [NAN, 0.0, 5000.0, 10000.0, 15000.0],
        "to": [0.0, 5000.0, 10000.0, 15000.0, NAN],
        "customers": [3, 700, 0, 250, 47],
        "share": [0.003, 0.7, 0.0, 0.25, 0.047],
        "value": [-300.0, 1.4e6, 0.0, 3.1e6, 1.2e6],
    }
)

KINDS: dict[str, tuple[Callable[..., Any], pd.DataFrame, dict[str, Any]]] = {
    "intervals": (charts.intervals, NPS, {"value": "nps", "label": "region", "unit": "points", "reference": 24.9}),
    "groups": (
        charts.intervals,
        GROUPS,
        {"value": "value", "label": ("kind", "touchpoint"), "unit": "points", "measure": "nps", "verdict": "verdict"},
    ),
    "differences": (charts.differences, DIFFERENCES, {"verdict": "verdict"}),
    "forest": (charts.forest, RATIOS, {}),
    "importance_performance": (charts.importance_performance, DRIVERS, {}),
    "calibration": (charts.calibration, FORECASTS, {}),
    "bond_mix": (charts.bond_mix, BONDS, {"internal": True}),
    "opposed": (charts.opposed, WORDS, {"label": "word", "value": "z", "side": "side"}),
    "level": (charts.trend, LEVEL, {"value": "nps", "unit": "points", "level": "level", "verdict": "verdict"}),
    "scales": (charts.trend, SCALES, {"value": "nps", "unit": "points", "level": "level", "verdict": "verdict"}),
    "trend": (charts.trend, TREND, {"value": "nps", "unit": "points"}),
    "distribution": (charts.distribution, ANSWERS, {"groups": "group"}),
    "stacked_shares": (charts.stacked_shares, NPS, {"label": "region"}),
    "survival": (charts.survival, CURVES, {"by": "channel"}),
    "lorenz": (charts.lorenz, LORENZ, {}),
    "abc_bars": (charts.abc_bars, CLASSES, {}),
    "rfm_map": (charts.rfm_map, CELLS, {}),
    "quality": (charts.quality, ROWS, {"limit": 0.05}),
    "reasons": (charts.reasons, REASONS, {}),
    "incidence": (charts.incidence, INCIDENCES, {}),
    "migration": (charts.migration, MOVED, {"before": "2026-Q2", "after": "2026-Q3"}),
    "clusters": (charts.clusters, CLUSTERS, {"named": CLUSTER_NAMES}),
    "retention": (charts.retention, TRIANGLE, {}),
    "contributions": (charts.contributions, EARNED, {}),
    "tracking": (charts.tracking, TRACKED, {}),
    "forecasts": (charts.forecasts, FORETOLD, {}),
    "value_spread": (charts.value_spread, WORTH, {}),
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
