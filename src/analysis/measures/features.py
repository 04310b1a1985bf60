"""What was known of each customer on a day: attributes to explain and predict leaving with, masked field by field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.frames import as_table, names, require
from analysis.measures.point_in_time import (
    DAYS_A_YEAR,
    Knowledge,
    Tables,
    begin,
    day_number,
    in_force,
    knowledge,
    last_answer,
    present,
)
from analysis.measures.terms import term_begin_after
from analysis.vocabulary import TABLES


def features_as_of(
    tables: Tables,
    *,
    as_of: dt.date,
    constant: str | Sequence[str] = (),
    recent_days: int = 90,
    active_days: int = DAYS_A_YEAR,
    timezone: str = "UTC",
) -> ir.Table:
    """Return one row a present customer with what was known on ``as_of``, as a lazy Ibis table.

    Present is who has a contract in force on ``as_of``; where there is no table of contracts, who has bought within
    ``active_days`` days before it. Nothing dated on or after ``as_of`` counts, no field that hangs on such a date, and
    no ``current_term_end``, which is that of the day of the export; product and term of a contract are taken as agreed
    at its start. ``constant`` names undated attributes of contracts or customers that never change (see
    :func:`undated_attributes`).

    Columns in: the canonical tables, by name; contracts or transactions are needed, all else may be absent, and what
    rests on it is left out then.

    Columns out: ``customer_id``; ``tenure_days``, since the present spell began (see ``spells``);
    ``contract_days_left``, to the last day of the longest term now running, one term following on the other;
    ``products``, different ones under contract or bought within a year; ``orders``, within 365 days;
    ``orders_trend``, orders in the last ``recent_days`` less those in as many days before; ``complaints_open``,
    neither resolved nor closed; ``complaints_recent``, opened in the last ``recent_days``; ``days_since_contact``;
    ``nps``, last given; ``community_events``, within 365 days; then the constant attributes. Days are whole days;
    counts are 0, all else missing, where nothing was known of a customer.

    Raises MeasureError where there are neither contracts nor transactions, and for a constant that is unknown, or is
    or hangs on a date.
    Source: point-in-time features as in Kaufman et al. (2012), ACM Transactions on Knowledge Discovery from Data 6(4).

    >>> day = pd.to_datetime
    >>> contracts = pd.DataFrame({"customer_id": ["a", "b"], "start": day(["2025-01-01", "2025-07-01"])})
    >>> contracts = contracts.assign(ended_on=day(["2025-03-31", "2026-06-30"]), term_months=12)
    >>> answers = pd.DataFrame({"customer_id": "b", "answered_at": day(["2025-08-01", "2026-05-01"]), "nps": [9, 2]})
    >>> tables = {"contracts": contracts, "surveys": answers}
    >>> features_as_of(tables, as_of=dt.date(2026, 1, 1)).execute()
      customer_id  tenure_days  contract_days_left  nps
    0           b          184                 180  9.0
    """
    constant = names(constant)
    _check_constant(tables, constant)
    known = knowledge(tables, as_of, timezone)
    found = present(known, constant=constant, active_days=active_days)
    found = found.mutate(tenure_days=day_number(as_of) - found["origin"].epoch_days())
    for part in _PARTS:
        if (side := part(known, recent_days)) is not None:
            found = _beside(found, side)
    return found.drop("origin").relocate(*constant, after=found.columns[-1]) if constant else found.drop("origin")


def undated_attributes(tables: Tables, *, constant: str | Sequence[str] = ()) -> pd.DataFrame:
    """List the attributes that have no date, and whether they are features of their own, as declared constant.

    Columns out: table (contracts, customers), attribute, used. One row an attribute, sorted. Raises MeasureError as
    :func:`features_as_of` does for ``constant``.

    >>> people = pd.DataFrame({"customer_id": ["a"], "region": ["Süd"], "member": ["ja"]})
    >>> undated_attributes({"customers": people}, constant="region")
           table attribute   used
    0  customers    member  False
    1  customers    region   True
    """
    _check_constant(tables, names(constant))
    rows = [(table, name) for table in ("contracts", "customers") for name in _undated(tables, table)]
    found = pd.DataFrame(rows, columns=["table", "attribute"], dtype="str")
    return found.assign(used=found["attribute"].isin(names(constant)))


def _undated(tables: Tables, table: str) -> list[str]:
    """Return the attributes of customers or contracts that are, hang on, and make no date, id or feature, sorted."""
    spec = TABLES[table]
    none = {column.name for column in spec.columns if column.type in ("date", "instant")} | {"customer_id", spec.key}
    columns = as_table(tables[table]).columns if table in tables else ()
    return sorted(name for name in columns if name not in none and not spec.is_learned(name))


def _check_constant(tables: Tables, constant: tuple[str, ...]) -> None:
    known = {name for table in ("contracts", "customers") for name in _undated(tables, table)}
    everything = ibis.table(dict.fromkeys(sorted(known | {"customer_id"}), "string"), name="undated")
    require("features, undated attributes of contracts and customers", everything, constant)
    if taken := sorted({"customer_id", *FEATURES} & set(constant)):
        raise MeasureError("features", f"a constant attribute cannot be named {taken[0]!r}, as a feature", "Rename it")


def _beside(found: ir.Table, side: ir.Table) -> ir.Table:
    """Add the columns of ``side``; a customer who does not stand in it has counts of 0."""
    added = {name: ibis._[name].fill_null(0) if name in _COUNTS else ibis._[name] for name in side.columns[1:]}
    return found.left_join(side, "customer_id").select(*found.columns, **added)


def _contract_time(known: Knowledge, _recent_days: int) -> ir.Table | None:
    if not known.has("contracts", ["term_months"]):
        return None
    contracts = in_force(known)
    contracts = contracts.filter(contracts["term_months"] > 0)
    begin = term_begin_after(known.as_of, contracts["start"], contracts["term_months"])
    left = begin.epoch_days() - 1 - day_number(known.as_of)
    return contracts.group_by("customer_id").aggregate(contract_days_left=left.max())


def _products(known: Knowledge, _recent_days: int) -> ir.Table | None:
    return held_products(known)


def held_products(known: Knowledge) -> ir.Table | None:
    """Count the products each customer has under contract or bought within a year; None where no product is named."""
    held = []
    if known.has("contracts", ["product_id"]):
        held.append(in_force(known).select("customer_id", "product_id"))
    if known.has("transactions", ["product_id"]):
        lines = bought(known)
        lines = lines.filter(known.in_days(lines["date"], DAYS_A_YEAR))
        held.append(lines.select("customer_id", "product_id"))
    if not held:
        return None
    products = ibis.union(*held) if len(held) > 1 else held[0]
    return products.group_by("customer_id").aggregate(products=products["product_id"].nunique())


def _orders(known: Knowledge, recent_days: int) -> ir.Table | None:
    if not known.has("transactions"):
        return None
    lines = bought(known)
    recent, both = (known.in_days(lines["date"], days) for days in (recent_days, 2 * recent_days))
    return lines.group_by("customer_id").aggregate(
        orders=lines["order"].nunique(where=known.in_days(lines["date"], DAYS_A_YEAR)),
        orders_trend=lines["order"].nunique(where=recent) - lines["order"].nunique(where=both & ~recent),
    )


def bought(known: Knowledge) -> ir.Table:
    """Return the order lines without returns, and in ``order`` which order they are of, by default that of the day."""
    lines = known.tables["transactions"]
    lines = lines.filter(lines["revenue"] >= 0) if "revenue" in lines.columns else lines
    day = lines["date"].cast("string")
    return lines.mutate(order=lines["transaction_id"].fill_null(day) if "transaction_id" in lines.columns else day)


def _complaints(known: Knowledge, recent_days: int) -> ir.Table | None:
    if not known.has("cases", ["customer_id", "opened_at", "kind"]):
        return None
    cases = known.tables["cases"]
    cases = cases.filter(cases["kind"] == "complaint")
    ends = [cases[name].isnull() for name in ("resolved_at", "closed_at") if name in cases.columns]
    opened = {"complaints_open": times(ibis.and_(*ends))} if ends else {}
    recent = times(known.in_days(cases["opened_at"], recent_days))
    return cases.group_by("customer_id").aggregate(**opened, complaints_recent=recent)


def _contact(known: Knowledge, _recent_days: int) -> ir.Table | None:
    if not known.has("contacts", ["at"]):
        return None
    contacts = known.tables["contacts"]
    last = contacts.group_by("customer_id").aggregate(_at=contacts["at"].max())
    seconds = begin(last["_at"], known.as_of, known.timezone).epoch_seconds() - last["_at"].epoch_seconds()
    return last.select("customer_id", days_since_contact=(seconds // 86_400).cast("int64"))


def _nps(known: Knowledge, _recent_days: int) -> ir.Table | None:
    return last_answer(known, "nps")


def _community(known: Knowledge, _recent_days: int) -> ir.Table | None:
    if not known.has("community", ["customer_id", "at"]):
        return None
    events = known.tables["community"]
    return events.group_by("customer_id").aggregate(community_events=times(known.in_days(events["at"], DAYS_A_YEAR)))


_PARTS: tuple[Callable[[Knowledge, int], ir.Table | None], ...] = (
    *(_contract_time, _products, _orders, _complaints, _contact, _nps, _community),
)
"""The features, in their order: each reads the tables it needs, and is none where they are absent."""

_COUNTS = ("products", "orders", "orders_trend", "complaints_open", "complaints_recent", "community_events")
FEATURES = ("tenure_days", "contract_days_left", *_COUNTS, "days_since_contact", "nps")
"""What :func:`features_as_of` can know of a customer."""
