"""Names of tables, columns, measures and reasons, as the reader calls them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from analysis.draw.language import _, mark, reader
from analysis.draw.numbers import is_missing
from analysis.vocabulary import RATING_PREFIX

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "customers": mark("Customers"),
        "products": mark("Products"),
        "transactions": mark("Orders"),
        "contracts": mark("Contracts"),
        "surveys": mark("Survey"),
        "cases": mark("Cases"),
        "case_events": mark("Case steps"),
        "community": mark("Community"),
        "contacts": mark("Contacts"),
        "costs": mark("Cost to serve"),
    }
)

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "customer_id": mark("Customer number"),
        "since": mark("Customer since"),
        "birth_date": mark("Date of birth"),
        "region": mark("Region"),
        "channel": mark("Channel"),
        "acquisition_cost": mark("Acquisition cost"),
        "contact_permission": mark("Contact permission"),
        "product_id": mark("Product number"),
        "name": mark("Name"),
        "category": mark("Category"),
        "date": mark("Date"),
        "revenue": mark("Revenue"),
        "transaction_id": mark("Order number"),
        "quantity": mark("Quantity"),
        "cost": mark("Cost"),
        "start": mark("Start"),
        "contract_id": mark("Contract number"),
        "term_months": mark("Term in months"),
        "notice_days": mark("Notice in days"),
        "auto_renews": mark("Renews itself"),
        "current_term_end": mark("End of term"),
        "ended_on": mark("Ended on"),
        "reason": mark("Reason"),
        "fee": mark("Monthly fee"),
        "response_id": mark("Response number"),
        "survey": mark("Survey"),
        "sent_at": mark("Sent at"),
        "answered_at": mark("Answered at"),
        "nps": mark("Net Promoter Score"),
        "csat": mark("Satisfaction"),
        "ces": mark("Effort"),
        "comment": mark("Comment"),
        "case_id": mark("Case number"),
        "opened_at": mark("Opened at"),
        "first_reply_at": mark("First reply at"),
        "resolved_at": mark("Resolved at"),
        "closed_at": mark("Closed at"),
        "topic": mark("Topic"),
        "kind": mark("Kind"),
        "priority": mark("Priority"),
        "reopened": mark("Reopened"),
        "within_sla": mark("Within the agreed time"),
        "at": mark("Time"),
        "step": mark("Step"),
        "event_id": mark("Event number"),
        "member_id": mark("Member number"),
        "thread_id": mark("Thread number"),
        "direction": mark("Direction"),
        "purpose": mark("Purpose"),
        "month": mark("Month"),
        "period": mark("Period"),
        "class": mark("Class"),
        "customers": mark("Customers"),
        "table": mark("Table"),
        "row": mark("Row"),
        "column": mark("Column"),
        "value": mark("Value"),
        "rows": mark("Rows"),
        "n": mark("n"),
        "interval": mark("{level}\u00a0interval"),
        "share": mark("Share"),
        "mean": mark("Mean"),
        "rating": mark("Answer"),
        "answers": mark("Answers"),
        "attribute": mark("Attribute"),
        "top": mark("Satisfied"),
        "gini": mark("Gini coefficient"),
        "customer_share": mark("Share of customers"),
        "revenue_share": mark("Share of revenue"),
        "at_risk": mark("At risk"),
        "events": mark("Events"),
        "person_years": mark("Customer years"),
        "source": mark("Source"),
        "read": mark("read"),
        "set_missing": mark("values set missing"),
        "first": mark("From"),
        "last": mark("To"),
        "recency_score": mark("Recency"),
        "frequency_score": mark("Frequency"),
        "monetary_score": mark("Money"),
        "promoters": mark("Promoters"),
        "passives": mark("Passives"),
        "detractors": mark("Detractors"),
        "accepted": mark("accepted"),
        "quarantined": mark("quarantined"),
        "dropped": mark("dropped"),
        "survival": mark("Share still customer"),
        "recency": mark("Recency"),
        "frequency": mark("Frequency"),
        "money": mark("Money"),
        "churn_rate": mark("Churn rate"),
        "exposed": mark("At risk at the start"),
        "ended": mark("Ended"),
        "rate": mark("Churn a year"),
        "churn_share": mark("Churned customers"),
        "churn_share_term": mark("Churned customers, term in months"),
        "ended_of_exposed": mark("of them gone"),
        "median_stay": mark("Median stay"),
        "hazard_ratio": mark("How many times as often customers leave"),
        "survival_days": mark("Still customer after days"),
        "abc": mark("Customers and revenue by class"),
        "concentration": mark("Concentration of revenue"),
        "rfm": mark("Customers by recency and frequency"),
        "lowest_revenue": mark("Lowest revenue of a customer"),
        "top_share": mark("Revenue share of the best fifth"),
        "buyers": mark("Customers with an order or a return"),
        "best_customers": mark("Best customers"),
        "class_share": mark("Revenue share of class"),
        "class_customers": mark("Customers of class"),
        "csat_mean": mark("Mean satisfaction"),
        "nps_region": mark("Net Promoter Score, region"),
        "set_aside": mark("Rows set aside"),
        "faults": mark("Faults found, by reason"),
        "figures": mark("Key figures"),
        "figure": mark("Key figure"),
        "definition": mark("Definition"),
        "anonymous": mark("of them anonymous"),
        "effect": mark("Concerns"),
        "count": mark("Number"),
        "file": mark("File"),
        "as_of": mark("As of"),
        "sources": mark("Sources"),
        "note": mark("Note"),
        "notes": mark("What is special about the sources"),
        "stage": mark("Time since the first purchase"),
        "touchpoint": mark("Touchpoint"),
        "group": mark("Group"),
        "payment": mark("Payment"),
        "community_member": mark("Community member"),
        "touchpoints": mark("Satisfaction along the journey"),
        "measure": mark("Measure"),
        "response_rate": mark("Response rate"),
        "nps_weighted": mark("Net Promoter Score, weighted"),
        "nps_change": mark("Change of the Net Promoter Score"),
        "csat_change": mark("Change of satisfaction"),
        "ces_change": mark("Change of effort"),
        "invited": mark("Invited"),
        "answered": mark("Answered"),
        "asked": mark("Asked"),
        "all": mark("All customers"),
        "level": mark("Level"),
        "answerers_asked": mark("Who answered, against all who were asked"),
        "answerers_all": mark("Who answered, against all customers"),
        "importance": mark("Importance"),
        "drivers": mark("Importance and rating of single services"),
        "quadrant": mark("Field"),
        "ratings": mark("Ratings of single services"),
        "profile": mark("Promoters against the rest"),
        "standardised": mark("Standardised difference"),
        "words": mark("Words"),
        "distinctive": mark("What promoters and detractors write"),
        "theme": mark("Theme"),
        "themes": mark("What the comments are about"),
        "quotes": mark("In their own words"),
    }
)

SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "nps": mark("The Net Promoter Score"),
        "csat": mark("The share of satisfied customers"),
        "ces": mark("The mean effort"),
        "high_effort": mark("The share with high effort"),
        "churn_rate": mark("The churn rate"),
        "rate": mark("The rate of leaving"),
        "survival": mark("The share still customer"),
        "response_rate": mark("The response rate"),
        "revenue": mark("The revenue"),
        "customers": mark("The number of customers"),
        "gini": mark("The Gini coefficient"),
        "quarantined": mark("The share of rows set apart"),
        "churn_share": mark("The share of customers who left"),
        "median": mark("The median stay"),
        "top_share": mark("The revenue share of the best fifth of the customers"),
    }
)
"""What a sentence about a measure begins with; in German it holds the article."""

GROUPS: Mapping[str, str] = MappingProxyType(
    {
        **{name: COLUMNS[name] for name in ("promoters", "passives", "detractors")},
        **{name: COLUMNS[name] for name in ("accepted", "quarantined", "dropped", "row", "value")},
        "True": mark("yes"),
        "False": mark("no"),
        "up": mark("risen"),
        "down": mark("fallen"),
        "within noise": mark("within noise"),
        "too few": mark("too few answers"),
        "0 to 10": mark("0 to 10"),
        "1 to 10": mark("1 to 10"),
        "before": mark("before the first purchase"),
        "first month": mark("first month"),
        "months 2 and 3": mark("months 2 and 3"),
        "months 4 to 12": mark("months 4 to 12"),
        "second year": mark("second year"),
        "later": mark("later"),
        "concentrate here": mark("improve first"),
        "keep up": mark("keep up"),
        "low priority": mark("low priority"),
        "possible overkill": mark("more than needed"),
        "undecided": mark("undecided"),
        "goes with promoters": mark("goes with promoters"),
        "goes with the rest": mark("goes with the rest"),
    }
)
"""Groups that the measures name."""

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "duplicate id": mark("id occurs twice"),
        "missing value": mark("value is missing"),
        "not a number": mark("not a number"),
        "not a date": mark("not a date"),
        "not a yes/no": mark("neither yes nor no"),
        "outside scale": mark("outside the scale"),
        "no survey": mark("without the name of its survey"),
        "not one of the choices": mark("not one of the choices"),
        "before its start": mark("ends before its start"),
        "unknown customer_id": mark("customer unknown"),
        "unknown product_id": mark("product unknown"),
        "unknown case_id": mark("case unknown"),
        "parent quarantined": mark("belongs to a row set apart"),
        "too few fields": mark("too few fields in the row"),
        "too many fields": mark("too many fields in the row"),
        "not readable": mark("not readable"),
    }
)


def _named(names: Mapping[str, str], code: str) -> str:
    return _(names[code]) if code in names else code


def table(name: str) -> str:
    """Return what the reader calls a canonical table; an unknown name stays as it is.

    >>> table("customers"), table("boats")
    ('Kundschaft', 'boats')
    """
    return _named(TABLES, name)


def column(name: str) -> str:
    """Return the heading of a column; an attribute of the customer's own stays as it is, underscores opened.

    >>> column("region"), column("rating_delivery"), column("Tarif_Art")
    ('Region', 'delivery', 'Tarif Art')
    """
    if name not in COLUMNS:
        return name.removeprefix("rating_").replace("_", " ")
    return _(COLUMNS[name]).format(level=level()) if name == "interval" else _(COLUMNS[name])


def level() -> str:
    """Return the level of the intervals shown, as it is written before the word interval.

    >>> level()
    '95-%'
    """
    percent = f"{100 * reader().confidence:g}"
    return _("{percent}%").format(percent=percent.replace(".", "," if reader().language == "de" else "."))


def subject(name: str) -> str:
    """Return what a sentence about a measure begins with; a phrase of one's own stays as it is.

    >>> subject("nps"), subject("Der Umsatz je Kopf")
    ('Der Net Promoter Score', 'Der Umsatz je Kopf')
    """
    return _named(SUBJECTS, name)


def reason(code: str) -> str:
    """Return a reason for quarantine in the reader's words; an unknown code stays as it is.

    >>> reason("duplicate id"), reason("burnt")
    ('Kennung doppelt', 'burnt')
    """
    return _named(REASONS, code)


def label(value: Any) -> str:
    """Return the name of a group: a known one translated, yes or no, a missing one named so; a rating without prefix.

    >>> label("promoters"), label(True), label(None), label("Süd"), label("rating_Preis")
    ('Fürsprecher', 'ja', 'ohne Angabe', 'Süd', 'Preis')
    """
    if is_missing(value):
        return _("not stated")
    if isinstance(value, bool | np.bool_):
        return _("yes") if value else _("no")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return _(GROUPS[text]) if text in GROUPS else printable(text.removeprefix(RATING_PREFIX))


def printable(text: str) -> str:
    r"""Return ``text`` on one line, without control characters, which no image file may hold.

    >>> printable("Nord\x00\nOst ")
    'Nord Ost'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
