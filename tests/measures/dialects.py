"""Compile for engines that are not installed: tables without rows, and the queries made of them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import sqlglot
from ibis.config import Config

from analysis.vocabulary import TABLES

DIALECTS = ("duckdb", "postgres", "pyspark")
_SQLGLOT_NAMES = {"pyspark": "spark"}

SCHEMAS = {
    "surveys": {
        "response_id": "string",
        "customer_id": "string",
        "survey": "string",
        "answered_at": "timestamp",
        "region": "string",
        "nps": "int64",
        "csat": "int64",
        "ces": "int64",
        "comment": "string",
        "weight": "float64",
    },
    "spells": {
        "customer_id": "string",
        "origin": "date",
        "entry": "int64",
        "exit": "float64",
        "event": "boolean",
        "cause": "string",
        "plan": "string",
        "age": "float64",
        "fee": "decimal(10, 2)",
    },
    "transactions": {
        "customer_id": "string",
        "date": "date",
        "revenue": "float64",
        "transaction_id": "string",
    },
}
_KINDS = {"text": "string", "number": "float64", "money": "float64", "integer": "int64", "rating": "int64"}
CANONICAL = {
    name: ibis.table(
        {column.name: {**_KINDS, "instant": "timestamp"}.get(column.type, column.type) for column in spec.columns},
        name=name,
    )
    for name, spec in TABLES.items()
}
SCHEMAS["contracts"] = dict(CANONICAL["contracts"].schema().items())


class SparkOptions(Config):
    treat_nan_as_null: bool = False


def sql_of(reduced: ir.Table, dialect: str) -> str:
    # Ibis reads this option while compiling for Spark, but sets it only where pyspark is installed
    if ibis.options.pyspark is None:
        ibis.options.pyspark = SparkOptions()
    return ibis.to_sql(reduced, dialect=dialect)


def tables_read(sql: str, dialect: str) -> set[str]:
    """Return the names of the tables that a query reads."""
    read = sqlglot.parse_one(sql, dialect=_SQLGLOT_NAMES.get(dialect, dialect)).find_all(sqlglot.exp.Table)
    return {found.name for found in read}
