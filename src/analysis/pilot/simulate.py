"""One block of the pilot company: every table of some thousand customers as columns of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.pilot.company import customers
from analysis.pilot.model import Array, Columns
from analysis.pilot.purchases import first_orders, order_lines, purchase_days
from analysis.pilot.service import cases, contacts, forum
from analysis.pilot.survey import survey

BLOCK = 25_000
"""Customers a block: what is held in memory at once."""
FIRST_NUMBER = 100_001
_STREAM = 2026
"""Keeps the company's draws apart from those of a measure that is given the same seed."""


@dataclass(frozen=True)
class Block:
    """Tables of one block by name; ``customer`` columns are positions in ``customers``."""

    number: int
    customers: Columns
    lines: Columns
    survey: Columns
    cases: Columns
    forum: Columns
    contacts: Columns


def blocks(count: int, seed: int) -> Iterator[Block]:
    """Yield the blocks of ``count`` customers; each depends on the seed and its own number only.

    >>> [len(block.customers["number"]) for block in blocks(30_000, seed=0)]
    [25000, 5000]
    """
    for number, start in enumerate(range(0, count, BLOCK)):
        yield _block(np.random.default_rng([_STREAM, seed, number]), number, start, min(BLOCK, count - start))


def _block(rng: np.random.Generator, number: int, start: int, count: int) -> Block:
    people = customers(rng, FIRST_NUMBER + start, count)
    first = first_orders(rng, people)
    people["since"] = _since(people, first)
    days = purchase_days(rng, first)
    lines = order_lines(rng, days, count)
    by_day = np.lexsort((lines["order"], lines["day"]))
    return Block(
        number,
        people,
        {name: values[by_day] for name, values in lines.items()},
        survey(rng, people, days),
        cases(rng, people),
        forum(rng, people),
        contacts(rng, people),
    )


def _since(people: Columns, first: Array) -> Array:
    return np.where(people["has_contract"], np.minimum(people["start"], first), first)
