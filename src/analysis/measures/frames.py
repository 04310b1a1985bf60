"""What every measure does with what it is handed: make it a table, check its columns, name its groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError, nearest

Rows: TypeAlias = ir.Table | pd.DataFrame
"""What a measure takes: an Ibis table, or a pandas frame, which becomes a memtable."""


def as_table(rows: Rows) -> ir.Table:
    """Return ``rows`` as an Ibis table; a pandas frame becomes a memtable and is left unchanged."""
    return ibis.memtable(rows.reset_index(drop=True)) if isinstance(rows, pd.DataFrame) else rows


def names(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return ``by`` as a tuple of names.

    >>> names("region"), names(["region", "channel"]), names(())
    (('region',), ('region', 'channel'), ())
    """
    return (by,) if isinstance(by, str) else tuple(by)


def require(measure: str, table: ir.Table, columns: Iterable[str]) -> None:
    """Raise MeasureError where a column is absent, naming those that exist and the nearest one."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        near = nearest(missing[0], table.columns)
        raise MeasureError(
            measure,
            f"column {missing[0]!r} is absent; the table has: {', '.join(table.columns)}",
            f"Did you mean {near!r}?" if near else "",
        )


def check_confidence(measure: str, confidence: float) -> None:
    """Raise MeasureError unless ``confidence`` lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise MeasureError(measure, f"confidence is {confidence}", "Give a share between 0 and 1, such as 0.95")


def binary_order(table: ir.Table, column: str) -> ir.Value:
    """Return a key that sorts a text column by its bytes on every engine; PostgreSQL would sort by its locale."""
    sources = table.op().find((ops.DatabaseTable, ops.SQLQueryResult))
    on_postgres = any(node.source.name == "postgres" for node in sources)
    return _text_bytes(table[column], "UTF8") if on_postgres else table[column]


def _convert_to(text: str, encoding: str) -> None:
    """Stand for PostgreSQL's function of that name, which Ibis lacks."""


def _md5(text: str) -> None:
    """Stand for the engines' function of that name, which Ibis does not write for all of them."""


_text_bytes = ibis.udf.scalar.builtin(_convert_to, name="convert_to", signature=(("string", "string"), "binary"))
md5 = ibis.udf.scalar.builtin(_md5, name="md5", signature=(("string",), "string"))
"""The digest of a text, the same on every engine: an order that depends on neither rows nor engine."""
