"""The canonical tables: columns, types, units, meanings. Constants only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

Type = Literal["text", "date", "instant", "money", "number", "integer", "boolean", "rating"]
"""How a column is stored: text, date, UTC timestamp, float (money in the report's currency), float, int64, boolean.

A ``rating`` is an integer on a declared scale.
"""


@dataclass(frozen=True)
class Column:
    """A canonical column."""

    name: str
    type: Type
    meaning: str
    required: bool = False
    unit: str = ""
    choices: tuple[str, ...] = ()
    never_negative: bool = False


@dataclass(frozen=True)
class TableSpec:
    """A canonical table. ``one_row`` says what a row is, ``key`` which column must not repeat."""

    name: str
    one_row: str
    columns: tuple[Column, ...]
    key: str | None = None
    event_time: str | None = None
    """The column by which rows are cut to a period or an as-of date."""
    invitation_time: str | None = None
    """Where ``event_time`` is missing: since when the row is known (a survey sent, not answered)."""
    not_before: tuple[tuple[str, str], ...] = ()
    """Pairs (earlier, later): the later date must not lie before the earlier one."""
    learned: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pairs (date, fields): the date and the fields that hang on it are unknown before that date."""

    def column(self, name: str) -> Column | None:
        """Return the canonical column of that name, or None for an attribute."""
        return next((column for column in self.columns if column.name == name), None)

    def is_learned(self, name: str) -> bool:
        """Say whether a column is unknown before some date of its row: such a date, or a field that hangs on one."""
        return any(fnmatchcase(name, field) for date, fields in self.learned for field in (date, *fields))

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the required columns."""
        return tuple(column.name for column in self.columns if column.required)


def _need(name: str, type: Type, meaning: str, *, unit: str = "", choices: tuple[str, ...] = ()) -> Column:
    return Column(name, type, meaning, required=True, unit=unit, choices=choices)


_CUSTOMER = Column("customer_id", "text", "the customer it belongs to")
_CUSTOMER_NEEDED = _need("customer_id", "text", "the customer it belongs to")

_TABLES = (
    TableSpec(
        "customers",
        "a customer",
        (
            _need("customer_id", "text", "the customer's id"),
            Column("since", "date", "first day as a customer"),
            Column("birth_date", "date", "date of birth"),
            Column("region", "text", "sales region"),
            Column("channel", "text", "channel through which the customer was won"),
            Column("acquisition_cost", "money", "cost of winning the customer", unit="money"),
            Column("contact_permission", "boolean", "may be contacted for advertising"),
        ),
        key="customer_id",
        event_time="since",
    ),
    TableSpec(
        "products",
        "an offer",
        (
            _need("product_id", "text", "the product's id"),
            Column("name", "text", "name of the offer"),
            Column("category", "text", "group of offers"),
        ),
        key="product_id",
    ),
    TableSpec(
        "transactions",
        "an order line",
        (
            _CUSTOMER_NEEDED,
            _need("date", "date", "day of the order"),
            _need("revenue", "money", "revenue of the line; negative for a return", unit="money"),
            Column("transaction_id", "text", "the order's id; lines of one order share it"),
            Column("product_id", "text", "the product sold"),
            Column("quantity", "number", "quantity; negative for a return", unit="pieces"),
            Column("cost", "money", "cost of the goods of the line", unit="money"),
        ),
        event_time="date",
    ),
    TableSpec(
        "contracts",
        "a contract",
        (
            _CUSTOMER_NEEDED,
            _need("start", "date", "first day in force"),
            Column("contract_id", "text", "the contract's id"),
            Column("product_id", "text", "the product under contract"),
            Column("term_months", "integer", "agreed term", unit="months"),
            Column("notice_days", "integer", "period of notice", unit="days"),
            Column("auto_renews", "boolean", "renews itself at the end of its term"),
            Column("current_term_end", "date", "last day of the current term"),
            Column("ended_on", "date", "last day in force; missing while it runs"),
            Column("reason", "text", "reason given for leaving"),
            Column("fee", "money", "fee", unit="money a month", never_negative=True),
        ),
        key="contract_id",
        event_time="start",
        not_before=(("start", "ended_on"), ("start", "current_term_end")),
        learned=(("ended_on", ("reason", "reason_*")),),
    ),
    TableSpec(
        "surveys",
        "an invitation to answer",
        (
            _need("response_id", "text", "id of the invitation or answer"),
            _CUSTOMER,
            Column("survey", "text", "which survey"),
            Column("sent_at", "instant", "when the invitation went out"),
            Column("answered_at", "instant", "when it was answered; missing while it is not"),
            Column("nps", "rating", "likelihood to recommend, on the declared scale"),
            Column("csat", "rating", "satisfaction, on the declared scale"),
            Column("ces", "rating", "effort, on the declared scale"),
            Column("comment", "text", "free text"),
        ),
        key="response_id",
        event_time="answered_at",
        invitation_time="sent_at",
        not_before=(("sent_at", "answered_at"),),
        learned=(("answered_at", ("nps", "csat", "ces", "comment", "rating_*")),),
    ),
    TableSpec(
        "cases",
        "a support case",
        (
            _need("case_id", "text", "the case's id"),
            _need("opened_at", "instant", "when it was opened"),
            _CUSTOMER,
            Column("first_reply_at", "instant", "when it was first answered"),
            Column("resolved_at", "instant", "when it was resolved"),
            Column("closed_at", "instant", "when it was closed"),
            Column("channel", "text", "channel through which it came"),
            Column("topic", "text", "what it is about"),
            Column("kind", "text", "kind of concern", choices=("complaint", "praise", "question", "request")),
            Column("priority", "text", "priority"),
            Column("reopened", "boolean", "opened again after it was resolved"),
            Column("within_sla", "boolean", "within the agreed time"),
            Column("csat", "rating", "satisfaction with the case, on the declared scale"),
        ),
        key="case_id",
        event_time="opened_at",
        not_before=(("opened_at", "first_reply_at"), ("opened_at", "resolved_at"), ("opened_at", "closed_at")),
        learned=(("first_reply_at", ()), ("resolved_at", ("reopened", "within_sla", "csat")), ("closed_at", ())),
    ),
    TableSpec(
        "case_events",
        "a step of a case",
        (
            _need("case_id", "text", "the case it belongs to"),
            _need("at", "instant", "when"),
            _need("step", "text", "what was done"),
        ),
        event_time="at",
    ),
    TableSpec(
        "community",
        "something a member did",
        (
            _need("event_id", "text", "the event's id"),
            _need("at", "instant", "when"),
            _need(
                "kind",
                "text",
                "what the member did",
                choices=("view", "question", "answer", "accepted", "comment", "like", "idea", "case"),
            ),
            Column("member_id", "text", "the member of the community"),
            _CUSTOMER,
            Column("thread_id", "text", "the thread it belongs to"),
        ),
        key="event_id",
        event_time="at",
    ),
    TableSpec(
        "contacts",
        "a contact with a customer",
        (
            _CUSTOMER_NEEDED,
            _need("at", "instant", "when"),
            _need("direction", "text", "who sought it", choices=("in", "out")),
            Column("channel", "text", "channel"),
            Column("purpose", "text", "what for"),
        ),
        event_time="at",
    ),
    TableSpec(
        "costs",
        "cost to serve of a customer and month",
        (
            _CUSTOMER_NEEDED,
            _need("month", "date", "first day of the month"),
            _need("cost", "money", "cost to serve", unit="money"),
        ),
        event_time="month",
    ),
)

TABLES: Mapping[str, TableSpec] = MappingProxyType({table.name: table for table in _TABLES})
"""The canonical tables by name."""

REFERENCES: tuple[tuple[str, str, str], ...] = (
    *((name, "customer_id", "customers") for name in TABLES if name not in ("customers", "products", "case_events")),
    ("transactions", "product_id", "products"),
    ("contracts", "product_id", "products"),
    ("case_events", "case_id", "cases"),
)
"""(table, column, parent): the column's values must be keys of the parent, where both were read."""

RATING_PREFIX = "rating_"
"""Attribute ratings of a survey are the columns whose names start so."""

SMALL_CELL = 5
"""Fewer customers than so many make a figure that a shareable report must not hold."""

NO_REASONS = ("other", "sources disagree", "not in codebook", "unknown")
"""What is said of contracts that ended for no reason of their own name; no reason for leaving may be called so."""

NPS_SCALES = ((0, 10), (1, 10))
"""The scales on which a Net Promoter Score is defined."""

CHAPTERS = (
    "data_quality",
    "satisfaction",
    "churn_drivers",
    "segments",
    "value",
    "summary",
)
"""The chapters there are, in the order of the report; ``summary`` is built last and reads the others' figures."""

FIGURE_KEYS = ("id", "value", "low", "high", "n", "unit", "period", "definition", "source")
"""The keys of a figure's record, in this order."""

UNITS = ("count", "share", "percentage points", "points", "rating", "money", "days", "per year", "index")
"""Units a figure may have. ``share`` and a difference of shares, ``percentage points``, are 0 to 1.

``money`` is in the report's currency.
"""
