"""What each reported figure is: one definition a measure, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analysis.draw.language import _, mark
from analysis.errors import UnknownNameError

DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "rows_read": mark("Rows read from the source"),
        "rows_accepted": mark("Rows that passed every check"),
        "rows_quarantined": mark("Rows set aside with a reason"),
        "nps": mark("Share of promoters (9 and 10) less share of detractors (up to 6), latest answer of each customer"),
        "csat": mark("Share of the ratings in the two best categories of the scale"),
        "rating": mark("Mean of the ratings"),
        "churn_share": mark("Share of the customers under contract on the first day of the period who left within it"),
        "churn_rate": mark("Ends of contract a person-year under contract, in the period"),
        "survival": mark("Share of the customers still under contract after this time (Kaplan-Meier)"),
        "median": mark("Time after which half of the customers have left (Kaplan-Meier)"),
        "buyers": mark("Customers with an order in the period"),
        "revenue": mark("Sum of the order lines in the period, returns deducted"),
        "class_customers": mark("Customers in the class"),
        "class_share": mark("Share of the class in the revenue of the period"),
        "gini": mark(
            "Gini coefficient of revenue over the customers with positive revenue; 0 is even, 1 is all on one"
        ),
        "top_share": mark("Share in revenue of the fifth of the customers that brings most"),
        "best_customers": mark("Customers with the highest score in recency, frequency and money"),
    }
)


def definition(name: str) -> str:
    """Return the definition of a figure in the reader's language.

    >>> definition("rows_read")
    'Aus der Quelle gelesene Zeilen'
    """
    if name not in DEFINITIONS:
        raise UnknownNameError("definition", name, DEFINITIONS)
    return _(DEFINITIONS[name])
