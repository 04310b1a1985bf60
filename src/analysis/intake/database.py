"""Tables of a database, behind an Ibis URL. A secret in the URL never reaches a message."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import duckdb

from analysis.errors import ParamsError, SourceError, UnknownNameError
from analysis.intake.raw import Raw
from analysis.intake.readers import load_typed
from analysis.source_params import Source, with_secrets


def read(con: duckdb.DuckDBPyConnection, table: str, source: Source, connection: str, key: str) -> Raw:
    """Read the table that ``source`` names from the database at ``connection``, sorted by all of its columns.

    Raises ParamsError where no database is named, SourceError where it cannot be reached, UnknownNameError where
    the table is absent.
    """
    shown = f"{source.table} at {connection}"
    if connection == "duckdb":
        raise ParamsError(shown, f"{key}.table", "no connection is named", "Name one, such as postgres://host/database")
    url = with_secrets(connection, key)
    rows = _fetch(url, str(source.table), shown, key)
    con.register("fetched", rows)
    try:
        described = con.execute("DESCRIBE SELECT * FROM fetched").fetchall()
        return load_typed(con, table, shown, "fetched", described)
    finally:
        con.unregister("fetched")


_FILES = ("duckdb", "sqlite")
_SCHEMES = (*_FILES, "postgres", "postgresql")


def _fetch(url: str, table: str, shown: str, key: str) -> Any:
    import ibis
    import psycopg

    failures = (ibis.IbisError, psycopg.Error, duckdb.Error, sqlite3.Error, OSError, ValueError, ImportError)
    scheme = url.partition("://")[0]
    if scheme not in _SCHEMES:
        raise UnknownNameError("database", scheme, _SCHEMES, where=f"{key}.connection")
    file = Path(url.partition("://")[2].partition("?")[0])
    if scheme in _FILES and not file.is_file():
        raise ParamsError(shown, f"{key}.connection", "there is no such database file", "Write its full path")
    try:
        backend = ibis.connect(url)
        tables = backend.list_tables()
        if table in tables:
            rows = backend.table(table)
            return rows.order_by(*rows.columns).to_pyarrow()
    except failures as fault:
        problem = f"the database cannot be read ({type(fault).__name__})"
        raise SourceError(shown, problem, "See that the address, the user and the password are right") from None
    raise UnknownNameError("table", table, tables, where=key)
