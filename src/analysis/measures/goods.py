"""Order lines with what their goods cost: as the line says, else by the product's unit cost, else unknown."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import in_cents, known_amounts


def with_goods(measure: str, transactions: Rows, products: Rows | None) -> ir.Table:
    """Return the lines with cents (of revenue) and goods (cents they cost, missing where unknown).

    Lines without date or revenue are left out; ``date`` is cast to a date. Where ``cost`` of a line is missing, it is
    ``quantity`` times ``unit_cost`` of the product.

    Raises MeasureError where a column is absent or a product stands in several rows.

    >>> import pandas as pd
    >>> lines = pd.DataFrame({"product_id": "a", "date": pd.Timestamp("2026-01-01"), "revenue": [9.0, 9.0, 9.0]})
    >>> lines = lines.assign(cost=[5.0, None, None], quantity=[2, 3, None])
    >>> known = with_goods("margins", lines, pd.DataFrame({"product_id": ["a"], "unit_cost": [2.0]}))
    >>> known.order_by("goods")[["cents", "goods"]].execute()
       cents  goods
    0    900  500.0
    1    900  600.0
    2    900    NaN
    """
    table = as_table(transactions)
    require(measure, table, ("date", "revenue", "product_id"))
    lines = known_amounts(table, "date", "revenue")
    priced = _with_unit_cost(measure, lines, products)
    goods = ibis.coalesce(*_costs(priced), ibis.null("int64"))
    return priced.select(
        *(name for name in lines.columns if name not in ("date", "cents", "goods")),
        date=priced["date"].cast("date"),
        cents=in_cents(priced["revenue"]),
        goods=goods,
    )


def _costs(lines: ir.Table) -> Iterator[ir.Value]:
    """Yield what a line's goods cost in cents, the better source first."""
    if "cost" in lines.columns:
        yield _known_cents(lines["cost"])
    if "_unit_cost" in lines.columns:
        yield _known_cents(lines["_unit_cost"].cast("float64") * lines["quantity"].cast("float64"))


def _known_cents(money: ir.Value) -> ir.Value:
    amount = money.cast("float64")
    return in_cents(amount.isnan().ifelse(ibis.null("float64"), amount))


def _with_unit_cost(measure: str, lines: ir.Table, products: Rows | None) -> ir.Table:
    if products is None:
        return lines
    table = one_row_each(measure, products, "products", "product_id")
    if "unit_cost" not in table.columns or "quantity" not in lines.columns:
        return lines
    prices = table.select(_product=table["product_id"], _unit_cost=table["unit_cost"])
    return lines.left_join(prices, lines["product_id"] == prices["_product"])


def one_row_each(measure: str, rows: Rows, what: str, key: str) -> ir.Table:
    """Return the rows that have a key. Raises MeasureError where it is absent, or one stands in several rows."""
    table = as_table(rows)
    require(measure, table, (key,))
    table = table.filter(table[key].notnull())
    repeated = int(table.aggregate(repeated=table.count() - table[key].nunique()).execute().iat[0, 0])
    if repeated:
        raise MeasureError(measure, f"{repeated} rows of {what} repeat a {key}", f"Hand in one row a {key}")
    return table
