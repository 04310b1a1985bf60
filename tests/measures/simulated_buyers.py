"""Customers who buy, spend and leave as the purchase models say, with what they bring afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measures.future_purchases import MONTH

BG_NBD = {"r": 0.8, "alpha": 6.0, "a": 0.7, "b": 3.5}
PARETO_NBD = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}
SPEND = {"p": 6.0, "q": 3.6, "v": 42.0}


@dataclass(frozen=True)
class Buyers:
    customers: pd.DataFrame
    """frequency, recency, age (weeks), mean_spend, service (0), group (0)."""
    bought: np.ndarray
    brought: np.ndarray
    """What each buys in the months ahead, and its worth today."""


def simulated(model: dict[str, float], n: int, seed: int, worth: np.ndarray) -> Buyers:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(model["r"], 1 / model["alpha"], n)
    if "s" in model:
        life, chance = rng.exponential(1 / rng.gamma(model["s"], 1 / model["beta"], n)), np.zeros(n)
    else:
        life, chance = np.full(n, np.inf), rng.beta(model["a"], model["b"], n)
    level = rng.gamma(SPEND["q"], 1 / SPEND["v"], n)
    age, month = rng.integers(60, 700, n) / 7, MONTH / 7
    time, active = np.zeros(n), np.ones(n, dtype=bool)
    frequency, recency, spent, bought, brought = np.zeros((5, n))
    with np.errstate(over="ignore"):
        while active.any():
            time = time + rng.exponential(1 / np.maximum(rate, 1e-9))
            active &= (time < life) & (time < age + len(worth) * month)
            money = rng.gamma(SPEND["p"], 1 / level)
            past, ahead = active & (time <= age), active & (time > age)
            frequency += past
            recency = np.where(past, time, recency)
            spent += past * money
            bought += ahead
            at = np.clip((np.where(ahead, time, age) - age) / month, 0, len(worth) - 1).astype(int)
            brought += ahead * money * worth[at]
            active &= rng.random(n) >= chance
    customers = pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "service": 0.0, "group": 0})
    customers["mean_spend"] = np.where(frequency > 0, spent / np.maximum(frequency, 1), np.nan)
    return Buyers(customers, bought, brought)


def counted(customers: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return customers.groupby(by, as_index=False).size().rename(columns={"size": "customers"})
