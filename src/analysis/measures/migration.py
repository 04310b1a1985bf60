"""Who moved between the ABC classes of two periods, who came and who went, in customers and in money."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import known_amounts
from analysis.measures.segments import CLASSES, classed

NEW, RETURNED, GONE = "new", "returned", "gone"
STATES_BEFORE = (*CLASSES, NEW, RETURNED)
"""Where customers come from: a class of the period before, or none."""
STATES_AFTER = (*CLASSES, GONE)
"""Where customers are now."""

_STATES = ["state_before", "state_after"]
_MONEY = ["revenue_before", "revenue_after", "change"]


def migration(
    before: Rows, after: Rows, *, history: Rows | None = None, cuts: tuple[float, float] = (0.8, 0.95)
) -> pd.DataFrame:
    """Count customers and their revenue by where they were in one period and are in the next.

    Classes are computed anew in each period among the customers with an amount in it. Who has none in ``before`` is
    **new** where they bought in ``after`` and never before it, else **returned**; who has none in ``after`` is
    **gone**. A purchase is a row with revenue of 0 or more. Whether somebody bought before ``before`` only ``history``
    tells; without it ``before`` is all that is known of the past.

    Columns in: customer_id, revenue (money; one or many rows a customer, summed in whole cents), of ``before`` and
    ``after``, each cut to its period. ``history``, all transactions known, those of both periods among them or not:
    customer_id, date, revenue; ``after`` needs a date then, too. Rows in which one of them is missing are left out.

    Columns out: state_before (A, B, C, new, returned), state_after (A, B, C, gone), customers, revenue_before,
    revenue_after, change (of revenue; money). One row a pair of states that can occur, whether or not it does: 18. Sums
    over cells are those of the periods to the cent (see :func:`migration_totals`).

    Raises MeasureError where a column is absent or the cuts do not rise between 0 and 1.
    Source: classes as for ``segments.abc``; the states as in Fader, Hardie and Ross, The Customer-Base Audit (2022).

    >>> last = pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue": [90.0, 8.0, 2.0]})
    >>> this = pd.DataFrame({"customer_id": ["b", "d"], "revenue": [50.0, 9.0]})
    >>> cells = migration(last, this)
    >>> cells[cells["customers"] > 0].reset_index(drop=True)
      state_before state_after  customers  revenue_before  revenue_after  change
    0            A        gone          1            90.0            0.0   -90.0
    1            B           A          1             8.0           50.0    42.0
    2            C        gone          1             2.0            0.0    -2.0
    3          new           B          1             0.0            9.0     9.0
    """
    counted = _reduce_migration(*_tables(before, after, history), cuts).execute().set_index(_STATES)
    cells = [
        (came, went) for came in STATES_BEFORE for went in STATES_AFTER if went != GONE or came not in (NEW, RETURNED)
    ]
    return _in_money(counted.reindex(pd.MultiIndex.from_tuples(cells, names=_STATES)).fillna(0).reset_index())


def migration_totals(cells: pd.DataFrame) -> pd.DataFrame:
    """Add up the cells of :func:`migration` by each state before and each state after, exactly to the cent.

    Columns out: period (before, after), state, customers, revenue_before, revenue_after, change (money). One row a
    period and state; the rows of either period add up to all customers and all money.

    Raises MeasureError where a column is absent.

    >>> last = pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue": [90.0, 8.0, 2.0]})
    >>> this = pd.DataFrame({"customer_id": ["b", "d"], "revenue": [50.0, 9.0]})
    >>> migration_totals(migration(last, this)).tail(4)
      period state  customers  revenue_before  revenue_after  change
    5  after     A          1             8.0           50.0    42.0
    6  after     B          1             0.0            9.0     9.0
    7  after     C          0             0.0            0.0     0.0
    8  after  gone          2            92.0            0.0   -92.0
    """
    require("migration_totals", cells, [*_STATES, "customers", *_MONEY])
    cents = {"cents_before": "revenue_before", "cents_after": "revenue_after"}
    counted = cells[[*_STATES, "customers"]].assign(**{to: (cells[name] * 100).round() for to, name in cents.items()})
    sides = []
    for period, states in (("before", STATES_BEFORE), ("after", STATES_AFTER)):
        sums = counted.groupby(f"state_{period}")[["customers", *cents]].sum().reindex(list(states), fill_value=0)
        sums = sums.rename_axis("state").reset_index()
        sums.insert(0, "period", period)
        sides.append(sums)
    return _in_money(pd.concat(sides, ignore_index=True))


def migrated(
    before: Rows, after: Rows, *, history: Rows | None = None, cuts: tuple[float, float] = (0.8, 0.95)
) -> ir.Table:
    """Return the customers behind the cells of :func:`migration`, as an unexecuted table.

    Columns in, Raises and Source: as for ``migration``. Columns out: customer_id, state_before, state_after,
    revenue_before, revenue_after, change (money). One row a customer with an amount in either period, in no order.

    >>> last = pd.DataFrame({"customer_id": ["a", "b"], "revenue": [90.0, 10.0]})
    >>> this = pd.DataFrame({"customer_id": ["b", "c"], "revenue": [50.0, 9.0], "date": pd.Timestamp("2026-04-01")})
    >>> seen = pd.DataFrame({"customer_id": ["c"], "revenue": [1.0], "date": pd.Timestamp("2025-04-01")})
    >>> migrated(last, this, history=seen).order_by("customer_id").execute()
      customer_id state_before state_after  revenue_before  revenue_after  change
    0           a            A        gone            90.0            0.0   -90.0
    1           b            B           A            10.0           50.0    40.0
    2           c     returned           B             0.0            9.0     9.0
    """
    moved = _moved(*_tables(before, after, history), cuts)
    cents = moved["cents_before"], moved["cents_after"]
    return moved.select(
        "customer_id",
        *_STATES,
        revenue_before=cents[0] / 100,
        revenue_after=cents[1] / 100,
        change=(cents[1] - cents[0]) / 100,
    )


def _tables(before: Rows, after: Rows, history: Rows | None) -> tuple[ir.Table, ir.Table, ir.Table | None]:
    tables = as_table(before), as_table(after), None if history is None else as_table(history)
    dated = () if history is None else ("date",)
    needed = ((), dated, dated)
    for name, table, dates in zip(("before", "after", "history"), tables, needed, strict=True):
        if table is not None:
            require(f"migration, {name}", table, ("customer_id", "revenue", *dates))
    return tables


def _moved(before: ir.Table, after: ir.Table, history: ir.Table | None, cuts: tuple[float, float]) -> ir.Table:
    """One row a customer: customer_id, state_before, state_after, cents_before, cents_after."""
    left, right = classed(before, cuts), _without_class_before(after, history, cuts)
    both = left.outer_join(right, "customer_id", rname="{name}_after")
    return both.select(
        customer_id=both["customer_id"].coalesce(both["customer_id_after"]),
        state_before=both["class"].coalesce(both["came"]),
        state_after=both["class_after"].coalesce(GONE),
        cents_before=both["cents"].coalesce(0),
        cents_after=both["cents_after"].coalesce(0),
    )


def _without_class_before(after: ir.Table, history: ir.Table | None, cuts: tuple[float, float]) -> ir.Table:
    """One row a customer of ``after``: customer_id, cents, class, came (their state before if they had no class)."""
    customers = classed(after, cuts)
    is_first = customers["has_bought"] == 1
    if history is not None:
        customers = customers.left_join(_bought_before(history, after), "customer_id", rname="{name}_earlier")
        is_first = (customers["has_bought"] == 1) & customers["customer_id_earlier"].isnull()
    return customers.select("customer_id", "cents", "class", came=ibis.ifelse(is_first, NEW, RETURNED))


def _bought_before(history: ir.Table, after: ir.Table) -> ir.Table:
    """One row a customer who bought before the first day of ``after``."""
    first_day = known_amounts(after, "customer_id", "revenue", "date")["date"].cast("date").min()
    known = known_amounts(history, "customer_id", "revenue", "date")
    is_earlier = (known["revenue"] >= 0) & (known["date"].cast("date") < first_day.as_scalar())
    return known.filter(is_earlier).select("customer_id").distinct()


def _reduce_migration(
    before: ir.Table, after: ir.Table, history: ir.Table | None, cuts: tuple[float, float]
) -> ir.Table:
    moved = _moved(before, after, history, cuts)
    sums = {name: moved[name].sum() for name in ("cents_before", "cents_after")}
    return moved.group_by(_STATES).aggregate(customers=moved.count(), **sums)


def _in_money(counted: pd.DataFrame) -> pd.DataFrame:
    cents = counted[["cents_before", "cents_after"]].astype("int64")
    found = counted.drop(columns=list(cents)).astype({"customers": "int64"})
    change = cents["cents_after"] - cents["cents_before"]
    return found.assign(**dict(zip(_MONEY, (*(cents[name] / 100 for name in cents), change / 100), strict=True)))
