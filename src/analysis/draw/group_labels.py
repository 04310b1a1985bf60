"""What the reader calls groups and reasons, and what sentences begin with: English, for the catalogues to translate."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analysis.draw.labels import COLUMNS
from analysis.draw.language import mark

SUBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "expected_value": mark("The value still expected of the customers"),
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
        "new": mark("new"),
        "returned": mark("returned"),
        "gone": mark("without a purchase"),
        "rose": mark("moved up"),
        "fell": mark("moved down"),
        "stayed": mark("stayed in the class"),
        "(missing)": mark("not stated"),
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
        "other": mark("other"),
        "sources disagree": mark("sources disagree"),
        "not in codebook": mark("not assigned"),
        "unknown": mark("unknown"),
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
        "negative": mark("must not be negative"),
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
