"""Compile for engines that are not installed."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis.config import Config

DIALECTS = ("duckdb", "postgres", "pyspark")


class SparkOptions(Config):
    treat_nan_as_null: bool = False


def sql_of(reduced: ir.Table, dialect: str) -> str:
    # Ibis reads this option while compiling for Spark, but sets it only where pyspark is installed
    if ibis.options.pyspark is None:
        ibis.options.pyspark = SparkOptions()
    return ibis.to_sql(reduced, dialect=dialect)
