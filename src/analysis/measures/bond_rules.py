"""What counts as a bond: its kinds, the rules declared, and the signs of it that the tables tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.measures.frames import require
from analysis.measures.point_in_time import Knowledge, in_force, last_answer

KINDS = ("technical", "contractual", "psychological")
"""The kinds of bonds, as a mix names them."""

NONE = "none"
"""The mix of a customer whom nothing holds."""

MIXES = tuple(
    " + ".join(kind for kind, held in zip(KINDS, bits, strict=True) if held) or NONE
    for bits in sorted(product((1, 0), repeat=3), reverse=True)
)
"""All mixes of bonds, from all three down to none."""

Signs: TypeAlias = Mapping[str, str | bool | float]
"""Attributes of customers that are signs of a bond: text or truth values that must be met, numbers as the least."""


@dataclass(frozen=True)
class BondRules:
    """What counts as a bond."""

    technical: Signs = field(default_factory=lambda: MappingProxyType({}))
    """Integrations and other attributes that make it costly to switch."""
    psychological: Signs = field(default_factory=lambda: MappingProxyType({}))
    """Attributes such as the number of new customers recommended."""
    min_products: int = 2
    """So many different products are a technical bond."""
    consumer_rule: bool = True
    """After its first term a contract can be ended at any time, with at most one month's notice."""


PROMOTER_FROM = 9


def any_of(*signs: ir.BooleanValue) -> ir.IntegerValue:
    """Return 1 where one of the conditions holds, else 0."""
    return ibis.or_(*signs).ifelse(1, 0)


def signs(known: Knowledge, rules: BondRules) -> list[ir.Table]:
    """Return the signs of bonds, each a table of one row a customer and a column of 0 and 1 for each sign."""
    declared = _declared(known, {"technical_sign": rules.technical, "psychological_sign": rules.psychological})
    return [*([] if declared is None else [declared]), *_psychological(known)]


def _psychological(known: Knowledge) -> list[ir.Table]:
    """Return the psychological bonds that the tables tell of."""
    found = []
    if (answers := last_answer(known, "nps")) is not None:
        is_promoter = (answers["nps"] >= PROMOTER_FROM).ifelse(1, 0)
        found.append(answers.select("customer_id", promoter=is_promoter))
    if known.has("community", ["customer_id"]):
        found.append(known.tables["community"].select("customer_id", member=1).distinct())
    if known.has("cases", ["customer_id", "kind", "resolved_at"]):
        cases = known.tables["cases"]
        is_resolved = cases["resolved_at"].notnull()
        complaints = cases.filter(cases["kind"] == "complaint").group_by("customer_id")
        found.append(complaints.aggregate(complaints_solved=is_resolved.ifelse(1, 0).min()))
    return found


def kinds_on_record(known: Knowledge, rules: BondRules) -> tuple[str, ...]:
    """Return the kinds of bonds that the tables can tell of, as KINDS are ordered: one not among them is unknown.

    Technical ones where signs are declared or at least ``min_products`` different products occur, contractual ones
    where a contract in force has a term, psychological ones where signs are declared, a customer was asked and
    answered, complained, or did anything in the community.
    """
    is_on_record = {
        "technical": bool(rules.technical) or _products(known) >= rules.min_products,
        "contractual": known.has("contracts", ["term_months"]) and _has_rows(_terms(known)),
        "psychological": bool(rules.psychological) or any(_has_rows(sign) for sign in _psychological(known)),
    }
    return tuple(kind for kind in KINDS if is_on_record[kind])


def _products(known: Knowledge) -> int:
    named = [known.tables[name] for name in ("contracts", "transactions") if known.has(name, ["product_id"])]
    return int(_reduce_products(named).execute().loc[0, "products"]) if named else 0


def _reduce_products(named: Sequence[ir.Table]) -> ir.Table:
    products = [table.select(product_id=table["product_id"].cast("string")) for table in named]
    every = ibis.union(*products) if len(products) > 1 else products[0]
    return every.aggregate(products=every["product_id"].nunique())


def _terms(known: Knowledge) -> ir.Table:
    contracts = in_force(known)
    return contracts.filter(contracts["term_months"] > 0)


def _has_rows(table: ir.Table) -> bool:
    return bool(table.filter(table["customer_id"].notnull()).count().execute())


def _declared(known: Knowledge, wanted: Mapping[str, Signs]) -> ir.Table | None:
    """Return one row a customer and a column of 0 and 1 for each name that has signs; None where none are declared."""
    if not any(wanted.values()):
        return None
    people = known.tables.get("customers", ibis.table({"customer_id": "string"}, name="customers"))
    for declared in wanted.values():
        require("bonds, signs among the customers", people, declared)
    shown = {
        name: any_of(*(_is_met(people, column, value) for column, value in declared.items()))
        for name, declared in wanted.items()
        if declared
    }
    return people.select("customer_id", **shown)


def _is_met(people: ir.Table, column: str, wanted: str | bool | float) -> ir.BooleanValue:
    value = people[column]
    is_number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    fits = value.type().is_numeric() if is_number else value.type().is_string() or value.type().is_boolean()
    if not fits or isinstance(wanted, bool) != value.type().is_boolean():
        raise MeasureError(
            "bonds", f"sign {column!r} is {wanted!r}, but the column holds {value.type()}", "Give a value of that type"
        )
    return (value >= wanted if is_number else value == wanted).fill_null(False)
