"""Orders: BG/NBD purchase days from the first one on, gamma-gamma spend a day, split into lines of products."""

from __future__ import annotations

import numpy as np

from analysis.pilot import model
from analysis.pilot.model import Array, Columns


def first_orders(rng: np.random.Generator, customers: Columns) -> Array:
    """Draw the day of the first order, NEVER where there is none; those without a contract all order."""
    count = len(customers["number"])
    anywhere = model.DATA_START + np.floor(rng.random(count) * (model.DATA_END - model.DATA_START + 1)).astype(int)
    older = customers["start"] < model.DATA_START
    delay = rng.exponential(np.where(older, *model.FIRST_ORDER_DAYS))
    after = np.maximum(customers["start"], model.DATA_START) + np.floor(delay).astype(int)
    orders_ever = (rng.random(count) < model.BUYER_SHARE) & (after <= model.DATA_END)
    return np.where(customers["has_contract"], np.where(orders_ever, after, model.NEVER), anywhere)


def purchase_days(rng: np.random.Generator, first: Array) -> Columns:
    """Draw the purchase days of buyers, by customer and day.

    A repeat purchase at time u after the first falls on day ceil(u), or the day after the one before: so the number of
    purchases up to any day, which the model's likelihood rests on, is exact.
    """
    buyer = np.flatnonzero(first < model.NEVER)
    per_week = rng.gamma(model.PURCHASE["r"], 1 / model.PURCHASE["alpha"], len(buyer))
    leaving = rng.beta(model.PURCHASE["a"], model.PURCHASE["b"], len(buyer))
    start = first[buyer]
    elapsed, last = np.zeros(len(buyer)), start
    found = [(buyer, start)]
    while len(buyer):
        elapsed = elapsed + rng.exponential(size=len(buyer)) * 7 / np.maximum(per_week, 1e-12)
        last = np.maximum(last + 1, start + np.ceil(np.minimum(elapsed, 1e6)).astype(int))
        seen = last <= model.DATA_END
        found.append((buyer[seen], last[seen]))
        stays = seen & (rng.random(len(buyer)) >= leaving)
        buyer, per_week, leaving, start = buyer[stays], per_week[stays], leaving[stays], start[stays]
        elapsed, last = elapsed[stays], last[stays]
    customer = np.concatenate([pair[0] for pair in found])
    day = np.concatenate([pair[1] for pair in found])
    order = np.lexsort((day, customer))
    return {"customer": customer[order], "day": day[order]}


def spend_cents(rng: np.random.Generator, customer: Array, count: int) -> Array:
    """Draw each purchase day's spend in cents."""
    rate = rng.gamma(model.SPEND["q"], 1 / model.SPEND["v"], count)
    return np.maximum(np.round(100 * rng.gamma(model.SPEND["p"], 1 / rate[customer])), 1).astype(int)


def order_lines(rng: np.random.Generator, days: Columns, count: int) -> Columns:
    """Return the lines of all orders, returns after them: by order, its lines summing to the day's spend."""
    cents = spend_cents(rng, days["customer"], count)
    products, lines = _baskets(rng, len(cents))
    most = len(model.LINES_SHARES)
    weights = rng.gamma(4.0, size=(len(cents), most)) * (np.arange(most) < lines[:, None])
    parts = np.floor(cents[:, None] * weights / weights.sum(axis=1, keepdims=True)).astype(int)
    parts[:, 0] += cents - parts.sum(axis=1)
    order, position = np.nonzero(np.arange(most) < lines[:, None])
    revenue, product = parts[order, position] / 100, products[order, position]
    price = np.array([item.price for item in model.PRODUCTS])[product]
    rate = np.array([item.cost_rate for item in model.PRODUCTS])[product]
    sold = {
        "order": np.argsort(np.argsort(days["day"], kind="stable"))[order],
        "customer": days["customer"][order],
        "day": days["day"][order],
        "product": product,
        "quantity": np.ceil(revenue / price).astype(int),
        "revenue": revenue,
        "cost": np.round(revenue * rate * rng.gamma(400.0, 1 / 400.0, len(order)), 2),
    }
    returned = _returns(rng, sold, days, order)
    return {name: np.concatenate([sold[name], returned[name]]) for name in sold}


def _baskets(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Draw distinct products an order by popularity, and how many of them it holds."""
    most = len(model.LINES_SHARES)
    popularity = np.log([item.weight for item in model.PRODUCTS])
    keys = popularity + rng.gumbel(size=(count, len(model.PRODUCTS)))
    together = rng.random(count) < model.PAIR_SHARE
    first, second = model.PAIR
    keys[together, second] = keys[together, first] - 1e-9
    products = np.argsort(-keys, axis=1)[:, :most]
    return products, 1 + rng.choice(most, count, p=model.LINES_SHARES)


def _returns(rng: np.random.Generator, sold: Columns, days: Columns, sold_on: Array) -> Columns:
    """Send some lines back, on a day before the customer's next purchase, so that no day's spend changes."""
    same = np.append(days["customer"][1:] == days["customer"][:-1], False)
    following = np.where(same, np.append(days["day"][1:], 0), model.NEVER)[sold_on]
    back = sold["day"] + rng.integers(3, 26, len(following))
    kept = (rng.random(len(following)) < model.RETURN_SHARE) & (back < following) & (back <= model.DATA_END)
    returned = {name: values[kept] for name, values in sold.items()}
    return returned | {"day": back[kept]} | {name: -returned[name] for name in ("quantity", "revenue", "cost")}
