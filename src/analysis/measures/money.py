"""Money in the engine: rows whose amount is known, and whole cents, whose sums are exact."""

from __future__ import annotations

import ibis.expr.types as ir


def known_amounts(table: ir.Table, *columns: str) -> ir.Table:
    """Leave out the rows in which one of the columns is missing."""
    return table.filter(*(table[column].notnull() for column in columns), ~table["revenue"].cast("float64").isnan())


def in_cents(revenue: ir.Value) -> ir.Value:
    """Return amounts in whole cents."""
    return (revenue.cast("float64") * 100).round().cast("int64")
