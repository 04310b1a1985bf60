"""Contracts in hundredths of a quarter, with late entry and causes: twenty, with what R makes of them, and many.

R 4.1.1, survival 3.5.3: ``survfit(Surv(entry, exit, event) ~ g, conf.type = "log-log")`` for the curves,
``survival:::survmean(., rmean = 2.5)`` for the means, ``survfit(Surv(exit, factor(...)) ~ g)`` without late entry for
the incidences. At its late entries R's multi-state fit has another error, by its infinitesimal jackknife.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

PORTFOLIO = pd.DataFrame(
    [
        ("Nord", 0, 0.57, 1, "sale"),
        ("Nord", 0, 1.13, 1, "death"),
        ("Nord", 0.25, 1.13, 0, None),
        ("Nord", 0.25, 2.01, 1, "death"),
        ("Nord", 0.5, 2.01, 0, None),
        ("Nord", 0, 2.5, 1, "sale"),
        ("Nord", 0, 2.5, 1, "sale"),
        ("Nord", 1.07, 2.99, 0, None),
        ("Nord", 0, 3.01, 1, "death"),
        ("Nord", 0.33, 3.5, 0, None),
        ("Süd", 0, 0.29, 1, "death"),
        ("Süd", 0, 0.58, 1, "death"),
        ("Süd", 0.1, 0.58, 1, "sale"),
        ("Süd", 0.1, 1.7, 0, None),
        ("Süd", 0, 1.71, 1, "sale"),
        ("Süd", 0.75, 1.71, 1, "death"),
        ("Süd", 0, 2.2, 0, None),
        ("Süd", 0, 2.9, 1, "sale"),
        ("Süd", 0.2, 3.1, 0, None),
        ("Süd", 0.6, 3.7, 1, "death"),
    ],
    columns=["region", "entry", "exit", "event", "cause"],
)

CURVES = pd.DataFrame(
    [
        ("Nord", 0.57, 9, 1, 0.88888889, 0.10475656, 0.432965090, 0.98356403),
        ("Nord", 1.13, 9, 1, 0.79012346, 0.13168724, 0.389593514, 0.94283184),
        ("Nord", 2.01, 7, 1, 0.67724868, 0.15382240, 0.294838191, 0.88306570),
        ("Nord", 2.50, 5, 2, 0.40634921, 0.17473991, 0.100663240, 0.70242496),
        ("Nord", 2.99, 3, 0, 0.40634921, 0.17473991, 0.100663240, 0.70242496),
        ("Nord", 3.01, 2, 1, 0.20317460, 0.16814716, 0.012156148, 0.56217656),
        ("Nord", 3.50, 1, 0, 0.20317460, 0.16814716, 0.012156148, 0.56217656),
        ("Süd", 0.29, 8, 1, 0.87500000, 0.11692679, 0.387000014, 0.98139297),
        ("Süd", 0.58, 7, 2, 0.62500000, 0.17116330, 0.229333322, 0.86069828),
        ("Süd", 1.70, 7, 0, 0.62500000, 0.17116330, 0.229333322, 0.86069828),
        ("Süd", 1.71, 6, 2, 0.41666667, 0.16579634, 0.118404945, 0.69822150),
        ("Süd", 2.20, 4, 0, 0.41666667, 0.16579634, 0.118404945, 0.69822150),
        ("Süd", 2.90, 3, 1, 0.27777778, 0.15835770, 0.046677271, 0.58542374),
        ("Süd", 3.10, 2, 0, 0.27777778, 0.15835770, 0.046677271, 0.58542374),
        ("Süd", 3.70, 1, 1, 0.0, np.nan, np.nan, np.nan),
    ],
    columns=["region", "time", "at_risk", "events", "survival", "se", "low", "high"],
)

MEANS_TO_2_5 = {"rmst": [2.094938271605, 1.579166666667], "se": [0.222650768007, 0.316178854902]}

# without late entry: region, time, at_risk, death, sale, se of death, se of sale
INCIDENCES = [
    ("Nord", 0.57, 10, 0.0, 0.1, 0.0, 0.0948683298051),
    ("Nord", 1.13, 9, 0.1, 0.1, 0.0948683298051, 0.0948683298051),
    ("Nord", 2.01, 7, 0.214285714286, 0.1, 0.1350412959191, 0.0948683298051),
    ("Nord", 2.50, 5, 0.214285714286, 0.374285714286, 0.1350412959191, 0.1724997147925),
    ("Nord", 2.99, 3, 0.214285714286, 0.374285714286, 0.1350412959191, 0.1724997147925),
    ("Nord", 3.01, 2, 0.42, 0.374285714286, 0.1935131699362, 0.1724997147925),
    ("Nord", 3.50, 1, 0.42, 0.374285714286, 0.1935131699362, 0.1724997147925),
    ("Süd", 0.29, 10, 0.1, 0.0, 0.0948683298051, 0.0),
    ("Süd", 0.58, 9, 0.2, 0.1, 0.1264911064067, 0.0948683298051),
    ("Süd", 1.70, 7, 0.2, 0.1, 0.1264911064067, 0.0948683298051),
    ("Süd", 1.71, 6, 0.316666666667, 0.216666666667, 0.1525098661047, 0.1363546573924),
    ("Süd", 2.20, 4, 0.316666666667, 0.216666666667, 0.1525098661047, 0.1363546573924),
    ("Süd", 2.90, 3, 0.316666666667, 0.372222222222, 0.1525098661047, 0.1737033088521),
    ("Süd", 3.10, 2, 0.316666666667, 0.372222222222, 0.1525098661047, 0.1737033088521),
    ("Süd", 3.70, 1, 0.627777777778, 0.372222222222, 0.1737033088521, 0.1737033088521),
]


def many_contracts(n: int = 9000) -> pd.DataFrame:
    """Return contracts made without chance: times with ties, entries after 0, three causes, four factors."""
    at = np.arange(n)

    def share(multiplier: int, prime: int) -> np.ndarray:
        return (at * multiplier % prime + 1) / (prime + 1)

    sector, smoker, old = (share(multiplier, 1009) for multiplier in (617, 389, 751))
    rate = np.exp(0.4 * (sector < 0.2) - 0.3 * (sector > 0.7) + 0.2 * (smoker < 0.3) + 0.5 * (old < 0.25))
    sale, death, lapse = (-np.log(share(*primes)) for primes in ((7919, 10007), (4663, 10009), (3571, 10037)))
    lengths = np.column_stack([25 * sale / rate, 90 * death / (1 + 2 * (old < 0.25)), 140 * lapse])
    watched = 60 * share(2089, 10039)
    late = np.where(share(5003, 10061) < 0.3, np.floor(600 * share(911, 10067)) / 100, 0)
    length = np.minimum(lengths.min(axis=1), watched)
    event = (length < watched).astype(int)
    return pd.DataFrame(
        {
            "sector": np.select([sector < 0.2, sector > 0.7], ["Öffentlich", "Handel"], "Industrie"),
            "smoker": np.where(smoker < 0.3, "ja", "nein"),
            "age": np.where(old < 0.25, "alt", "jung"),
            "entry": late,
            "exit": ((100 * late).round() + np.ceil(100 * length)) / 100,
            "event": event,
            "cause": np.where(event == 1, np.array(["sale", "death", "lapse"])[lengths.argmin(axis=1)], None),
        }
    )
