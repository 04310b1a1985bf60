"""What a risk may rest on: undated attributes, and the columns that are refused, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import pandas as pd

from analysis.measures.features import FEATURES, undated_attributes
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.leakage import leakage, nearly_all
from analysis.measures.point_in_time import Tables
from analysis.measures.risk import together
from analysis.measures.risk_windows import Window

USED, UNDECLARED, ABSENT, A_DATE, TAKEN = "used", "not declared constant", "absent", "holds a date", "name is taken"
"""What became of an attribute."""
SAME_FOR_ALL = "the same for all in a window"

ENDS_SOON = "contract_ends_soon"
"""1 where the contract ends within the horizon, else 0: so that the score knows what the baseline knows."""

LEFT, GONE, ENDED = OUTCOMES = ("_left", "_gone", "_ended")
"""Left within the horizon; left by the as-of date; left for good on record, whatever the day, where that is known."""

_OWN = frozenset({"customer_id", "origin", "entry", "exit", "event", "cause", *FEATURES, ENDS_SOON, *OUTCOMES})


def attributes(tables: Tables, asked: tuple[str, ...]) -> pd.DataFrame:
    """List the undated attributes and what becomes of each, and those asked for that are not among them.

    Columns out: table, attribute, status (used, not declared constant, absent, holds a date, name is taken).
    """
    found = undated_attributes(tables)[["table", "attribute"]]
    pairs = zip(found["table"], found["attribute"], strict=True)
    statuses = [_status_of(tables, table, attribute, asked) for table, attribute in pairs]
    absent = [name for name in asked if name not in set(found["attribute"])]
    found = found.assign(status=pd.array(statuses, dtype="str"))
    more = pd.DataFrame({"table": None, "attribute": absent, "status": ABSENT}, dtype="str")
    return pd.concat([found, more], ignore_index=True)


def _status_of(tables: Tables, table: str, attribute: str, asked: tuple[str, ...]) -> str:
    if attribute not in asked:
        return UNDECLARED
    kind = as_table(tables[table])[attribute].type()
    if kind.is_temporal() or kind.is_nested():
        return A_DATE
    return TAKEN if attribute in _OWN else USED


def columns(seen: Sequence[Window]) -> list[str]:
    """Return the features of the windows."""
    return [name for name in seen[0].rows.columns if name not in ("customer_id", *OUTCOMES)] if seen else []


def with_ends(people: ir.Table, left_ever: Rows | None) -> ir.Table:
    """Add to customers whether they are among those who have left for good on record; without it, by the as-of date.

    Raises MeasureError where ``left_ever`` has no customer_id.
    """
    if left_ever is None:
        return people.mutate(**{ENDED: people[GONE]})
    ends = as_table(left_ever)
    require("at_risk, left_ever", ends, ("customer_id",))
    ends = ends.select("customer_id").distinct().mutate(_known=1)
    ended = ends["_known"].fill_null(0).cast("int64")
    return people.left_join(ends, "customer_id").select(*people.columns, **{ENDED: ended})


def left_out(seen: Sequence[Window], constant: tuple[str, ...], *, ends_known: bool) -> pd.DataFrame:
    """Return the columns that leak, or are the same for all in a window, the former first: column, auc, reason.

    An attribute is held against who had left by the as-of date of those present when the first window began; where the
    ends on record are known, against these, of all who were present in some window. What is the same for all in one
    window, for it was not recorded yet, means something else in the others.
    """
    if not seen:
        return pd.DataFrame({"column": [], "auc": [], "reason": []}).astype({"column": "str", "reason": "str"})
    everyone = pd.concat([window.rows for window in seen]).drop_duplicates("customer_id")
    first, nearly = seen[0].rows, nearly_all(constant, ends_known=ends_known)
    told = [
        leakage(everyone if ends_known else first, ENDED, constant, nearly=nearly),
        leakage(first, GONE, constant),
        leakage(together(seen), LEFT, columns(seen)),
    ]
    leaking = pd.concat([part[part["leaks"].notna()] for part in told]).drop_duplicates("column")
    alike = [name for name in columns(seen) if min(window.rows[name].nunique(dropna=False) for window in seen) < 2]
    same = pd.DataFrame({"column": alike, "auc": 0.5, "leaks": SAME_FOR_ALL})
    found = pd.concat([leaking, same[~same["column"].isin(leaking["column"])]], ignore_index=True)
    return found.rename(columns={"leaks": "reason"})[["column", "auc", "reason"]].astype({"reason": "str"})
