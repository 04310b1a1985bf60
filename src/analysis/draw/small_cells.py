"""Which counts a report that is passed on must not show: the small ones, and those that would give them away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from analysis.vocabulary import SMALL_CELL


def hidden(
    counts: Mapping[str, int], sums: Sequence[Sequence[str]], *, known: Collection[str] = (), least: int = SMALL_CELL
) -> set[str]:
    """Return the names of counts to be hidden: those from 1 to below ``least``, and whatever they follow from.

    Each of ``sums`` names counts and, last, their sum. A count that alone is hidden in one follows from the rest, so
    the smallest of the others is hidden with it; so, too, where all that is hidden in a sum is below ``least``. Those
    ``known`` from elsewhere are hidden last.

    >>> counts = {"north": 3, "south": 40, "west": 20, "all": 63}
    >>> sorted(hidden(counts, [["north", "south", "west", "all"]]))
    ['north', 'west']
    """
    found = {name for name, count in counts.items() if 0 < count < least}
    while exposed := [members for members in sums if _tells(members, found, counts, least)]:
        shown = [name for name in exposed[0] if name not in found]
        found.add(min(shown, key=lambda name: (name in known, counts[name] == 0, counts[name], name)))
    return found


def _tells(members: Sequence[str], found: set[str], counts: Mapping[str, int], least: int) -> bool:
    away = [name for name in members if name in found]
    if not away or len(away) == len(members):
        return False
    return len(away) == 1 or (members[-1] not in found and sum(counts[name] for name in away) < least)
