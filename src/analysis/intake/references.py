"""References: every id that a row names must be one that its parent table read."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.intake.engine import literal
from analysis.intake.faults import DROPPED, IN, Faults
from analysis.intake.fields import Field
from analysis.intake.mapping import Mapped
from analysis.vocabulary import REFERENCES

_UNKNOWN = "best IS NULL"
_QUARANTINED = f"best > {IN} AND best < {DROPPED}"
_DROPPED = f"best = {DROPPED}"


def check(
    table: str, mapped: Mapped, parents: Mapping[str, str], faults: Faults, *, required: bool
) -> dict[str, Field]:
    """Check the references of a table that are required, or those that are not.

    A row whose required reference is unknown is quarantined; one whose parent was quarantined or dropped goes with
    it. An optional reference is set missing. Returns the fields that changed.
    """
    changed: dict[str, Field] = {}
    for child, column, parent in REFERENCES:
        field = mapped.get(column)
        if child == table and field and parent in parents and field.required == required:
            if required:
                _leave_out(field, parents[parent], faults)
            else:
                changed |= _set_missing(field, parents[parent], faults)
    return changed


def _leave_out(field: Field, ids: str, faults: Faults) -> None:
    faults.add_of_parent("row", field, ids, _UNKNOWN, literal(f"unknown {field.name}"))
    faults.add_of_parent("parent", field, ids, _QUARANTINED, literal("parent quarantined"))
    faults.add_of_parent("drop", field, ids, _DROPPED, literal("parent dropped"))


def _set_missing(field: Field, ids: str, faults: Faults) -> dict[str, Field]:
    reason = (
        f"CASE WHEN {_UNKNOWN} THEN {literal('unknown ' + field.name)} "
        f"WHEN {_DROPPED} THEN 'parent dropped' ELSE 'parent quarantined' END"
    )
    found = faults.add_of_parent("value", field, ids, f"best IS DISTINCT FROM {IN}", reason)
    return {field.name: faults.without(field)} if found else {}
