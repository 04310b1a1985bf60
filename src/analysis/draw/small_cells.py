"""Which counts a report that is passed on must not show: the small ones, and those that would give them away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from scipy.optimize import linprog

from analysis.vocabulary import SMALL_CELL


def hidden(
    counts: Mapping[str, int], sums: Sequence[Sequence[str]], *, known: Collection[str] = (), least: int = SMALL_CELL
) -> set[str]:
    """Return the names of counts to be hidden: those from 1 to below ``least``, and whatever they follow from.

    Each of ``sums`` names counts and, last, their sum. Hidden is so much that, whatever a reader adds up and takes
    away, each small count might as well be ``least`` or more. Those ``known`` from elsewhere cannot be hidden, unless
    they are small themselves. The smallest that help are hidden first.

    >>> counts = {"north": 3, "south": 40, "west": 20, "all": 63}
    >>> sorted(hidden(counts, [["north", "south", "west", "all"]]))
    ['north', 'west']
    """
    small = sorted(name for name, count in counts.items() if 0 < count < least)
    true = [members for members in sums if sum(counts[name] for name in members[:-1]) == counts[members[-1]]]
    found = set(small)
    while exposed := next((name for name in small if _most(name, found, counts, true) < least), None):
        beside = {name for members in true if exposed in members for name in members}
        shown = [name for name in counts if name not in found]
        found.add(
            min(shown, key=lambda name: (name in known, name not in beside, counts[name] == 0, counts[name], name))
        )
    for name in sorted(found - set(small), key=lambda name: (-counts[name], name)):
        if all(_most(one, found - {name}, counts, true) >= least for one in small):
            found.remove(name)  # one hidden later does without it
    return found


def _most(name: str, away: Collection[str], counts: Mapping[str, int], sums: Sequence[Sequence[str]]) -> float:
    """Return the most that a count can be to a reader who sees all but those that are ``away``."""
    names = sorted(away)
    signed = [[(one, 1) for one in members[:-1]] + [(members[-1], -1)] for members in sums]
    told = np.array([[sum(sign for one, sign in row if one == unknown) for unknown in names] for row in signed])
    rest = [-sum(sign * counts[one] for one, sign in row if one not in away) for row in signed]
    aim = [-float(unknown == name) for unknown in names]
    solved = linprog(aim, A_eq=told, b_eq=rest) if sums else None
    # without an end where nothing that is told holds it down
    return round(-solved.fun, 6) if solved is not None and solved.status == 0 else np.inf
