"""The groups worth showing beside each other: the largest ones, as far as they are large enough."""

from __future__ import annotations

import ibis.expr.types as ir
import pandas as pd

from analysis.measures.frames import Rows, as_table, require


def leading(rows: Rows, by: str, *, most: int = 5, smallest: int = 1) -> ir.Table:
    """Return the rows of the largest groups, of those with at least ``smallest`` rows; a lazy Ibis table.

    Columns in: ``by``. A missing value is a group of its own. Of groups of one size the first by name is the larger.
    Raises MeasureError for an absent column.

    >>> rows = pd.DataFrame({"plan": ["a", "a", "b", "c", "c", "c"]})
    >>> leading(rows, "plan", most=2, smallest=2)["plan"].value_counts().order_by("plan").execute()
      plan  plan_count
    0    a           2
    1    c           3
    """
    table = as_table(rows)
    require("leading", table, (by,))
    groups = _reduce_groups(table, by, most, smallest).execute()[by]
    is_kept = table[by].isin(groups.dropna().tolist())
    return table.filter(is_kept | table[by].isnull() if groups.hasnans else is_kept)


def large(groups: pd.DataFrame, size: str, *, of: int, smallest: int) -> pd.DataFrame:
    """Return the rows of groups of at least ``smallest``, in their order, so that no size of fewer follows from ``of``.

    Columns in: ``size``, which counts the members of each group; ``of`` are those of all groups, shown or not. Where
    all who are left out are fewer than ``smallest``, the least of the other groups is left out as well.

    >>> large(pd.DataFrame({"plan": ["a", "b", "c"], "n": [40, 3, 20]}), "n", of=63, smallest=5)
      plan   n
    0    a  40
    """
    require("large", as_table(groups), (size,))
    kept = groups[groups[size] >= smallest]
    follows = len(kept) and 0 < of - kept[size].sum() < smallest
    return kept.drop(index=kept[size][::-1].idxmin()) if follows else kept


def _reduce_groups(table: ir.Table, by: str, most: int, smallest: int) -> ir.Table:
    """Reduce to one row a group kept."""
    counted = table.group_by(by).aggregate(_n=table.count())
    large = counted.filter(counted["_n"] >= smallest)
    return large.order_by(large["_n"].desc(), large[by].cast("string").asc()).limit(most)
