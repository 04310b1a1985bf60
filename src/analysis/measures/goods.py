"""Order lines with what their goods cost: as the line says, else by the product's unit cost, else unknown."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.money import in_cents, known_amounts

_UNKNOWN = ibis.null("int64")


def with_goods(measure: str, transactions: Rows, products: Rows | None) -> ir.Table:
    """Return the lines with cents (of revenue), goods (cents they cost, missing where unknown) and wrong_sign (0 or 1).

    Lines without date or revenue are left out; ``date`` is cast to a date. Where ``cost`` of a line is missing, it is
    ``quantity`` times ``unit_cost`` of the product.

    Goods that come back have a cost below 0: revenue is below 0 then too, or it is 0 and ``quantity`` is below 0. On
    any other line such a cost would pass for a margin above the revenue; it counts as missing, and ``wrong_sign`` is 1.
    So does a ``unit_cost`` below 0 on every line.

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
    costs = list(_costs(priced))
    signs = [cents.notnull().ifelse(is_right, ibis.null("boolean")) for cents, is_right in costs]
    return priced.select(
        *(name for name in lines.columns if name not in ("date", "cents", "goods", "wrong_sign")),
        date=priced["date"].cast("date"),
        cents=in_cents(priced["revenue"]),
        goods=ibis.coalesce(*(is_right.ifelse(cents, _UNKNOWN) for cents, is_right in costs), _UNKNOWN),
        wrong_sign=ibis.coalesce(*signs, ibis.literal(True)).ifelse(0, 1),
    )


def _costs(lines: ir.Table) -> Iterator[tuple[ir.Value, ir.Value]]:
    """Yield what a line's goods cost in cents and whether that has the right sign, the better source first."""
    comes_back = in_cents(lines["revenue"]) < 0
    if "quantity" in lines.columns:
        comes_back |= (in_cents(lines["revenue"]) == 0) & (lines["quantity"].cast("float64") < 0).coalesce(False)
    if "cost" in lines.columns:
        cents = _known_cents(lines["cost"])
        yield cents, (cents >= 0) | comes_back
    if "_unit_cost" in lines.columns:
        unit_cost = lines["_unit_cost"].cast("float64")
        cents = _known_cents(unit_cost * lines["quantity"].cast("float64"))
        yield cents, (unit_cost >= 0) & ((cents >= 0) | comes_back)


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
