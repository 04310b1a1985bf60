"""What each reported figure is: its unit, and its definition in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analysis.draw.language import _, mark
from analysis.errors import UnknownNameError

DEFINITIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rows_accepted": ("count", mark("Rows that passed every check")),
        "rows_set_aside": ("count", mark("Rows set aside with a reason")),
        "nps": (
            "points",
            mark("Share of promoters (9 and 10) less share of detractors (up to 6); latest answer of each customer"),
        ),
        "nps_change": (
            "points",
            mark("Net Promoter Score less that of the period before; customers in both are paired"),
        ),
        "csat_change": (
            "percentage points",
            mark("Share of the ratings in the {top} best categories, less that of the period before"),
        ),
        "ces": ("rating", mark("Mean of the answers on effort")),
        "high_effort": ("share", mark("Share of the answers on the hard side of the middle of the scale of effort")),
        "ces_change": ("rating", mark("Mean of the answers on effort, less that of the period before")),
        "nps_weighted": (
            "points",
            mark("Net Promoter Score with the answers weighted to the make-up of the customer base (raking)"),
        ),
        "response_rate": ("share", mark("Invitations of the period that were answered, over all invitations")),
        "importance": ("share", mark("Share of the explained variance of the outcome that falls to the service (LMG)")),
        "csat": ("share", mark("Share of the ratings in the {top} best categories of the scale")),
        "rating": ("rating", mark("Mean of the ratings")),
        "churn_share": (
            "share",
            mark("Share of the customers under contract on the first day of the period who left within it"),
        ),
        "churn_rate": ("per year", mark("Ends of contract in the period, a year under contract")),
        "hazard_ratio": (
            "index",
            mark("Rate of leaving of the level over that of the level it is compared with, other attributes equal"),
        ),
        "survival": ("share", mark("Share of the customers still under contract after so many days (Kaplan-Meier)")),
        "median": ("days", mark("Days after which half of the customers have left (Kaplan-Meier)")),
        "reason_share": ("share", mark("Share of those who left in the period for this reason")),
        "reason_revenue": ("money", mark("Monthly fees of the first day of those who left for this reason")),
        "incidence": (
            "share",
            mark("Share of the customers who have left for this reason after so many days (Aalen-Johansen)"),
        ),
        "fees_start": ("money", mark("Monthly fees of the contracts in force on the first day of the period")),
        "fees_lost": (
            "money",
            mark("Monthly fees of the customers of the first day who have no contract after the period"),
        ),
        "gross_retention": (
            "share",
            mark("Monthly fees of the first day less what was lost and what fell in the period, over those fees"),
        ),
        "net_retention": (
            "share",
            mark("Monthly fees after the period of the customers of its first day, over their fees on that day"),
        ),
        "expected_leavers": (
            "count",
            mark("Sum of the risks of the customers of today to leave within {horizon} days"),
        ),
        "expected_by_average": (
            "count",
            mark("Customers of today times the share that left within {horizon} days in the windows learnt from"),
        ),
        "risk_auc": (
            "index",
            mark("How often, of one who left within {horizon} days and one who stayed, the one who left scored higher"),
        ),
        "rule_auc": (
            "index",
            mark(
                "How often, of one who left within {horizon} days and one who stayed, only the former's contract ended "
                "within them; ties one half"
            ),
        ),
        "risk_brier": (
            "index",
            mark("Mean squared distance between the risk to leave within {horizon} days and 0 or 1"),
        ),
        "risk_slope": (
            "index",
            mark(
                "Slope of leaving within {horizon} days on the logit of the risk; 1 where risks are as high as they say"
            ),
        ),
        "risk_lift": (
            "index",
            mark("Share of the tenth with the highest risk that left within {horizon} days, over the share of all"),
        ),
        "bond_share": ("share", mark("Share of the customers on the as-of date whom just this mix of bonds holds")),
        "bond_churn": (
            "share",
            mark("Share of those whom just this mix of bonds held on the first day of the period who left within it"),
        ),
        "notice_soon": (
            "count",
            mark("Customers whom nothing but a contract holds and whose last day of notice lies within {days} days"),
        ),
        "fading_share": (
            "share",
            mark("Share of the satisfied customers with enough orders who order less than before, beyond chance"),
        ),
        "buyers": ("count", mark("Customers with an order or a return in the period")),
        "revenue": ("money", mark("Sum of the order lines in the period, returns deducted")),
        "class_customers": ("count", mark("Customers in the class")),
        "class_share": (
            "share",
            mark("Revenue of the class in the period, over the sum of all positive revenue of customers"),
        ),
        "gini": ("index", mark("Gini coefficient of revenue: 0 if all bring the same, close to 1 if one brings all")),
        "top_share": ("share", mark("Share in all positive revenue of the fifth of the customers that brings most")),
        "moved_customers": (
            "count",
            mark("Customers by their move between the classes A, B, C of the period before and of this one"),
        ),
        "moved_revenue": (
            "money",
            mark("Revenue of these customers in the period less that in the period before"),
        ),
        "clusters": (
            "count",
            mark("Groups of customers that lie apart and are found alike in two halves of the customers"),
        ),
        "valued": ("count", mark("Customers whose expected value is known")),
        "expected_value": (
            "money",
            mark(
                "Margin of the {months} months after the period, in money of today, less cost to serve and, for "
                "customers won in the period, acquisition; customers together"
            ),
        ),
        "average_value": (
            "money",
            mark("Margin of the {months} months after the period, in money of today; mean over customers"),
        ),
        "past_value": (
            "money",
            mark(
                "Margin of orders and fees so far, fees as fee times time under contract, less cost to serve and "
                "acquisition; not discounted"
            ),
        ),
        "top_value_share": (
            "share",
            mark("Share in all positive expected value of the fifth of the customers of whom most is expected"),
        ),
        "value_gini": (
            "index",
            mark("Gini coefficient of expected value: 0 if all are worth the same, close to 1 if one holds all"),
        ),
        "value_at_risk": (
            "money",
            mark(
                "Sum over customers of their risk to leave within {horizon} days times what ends with them: what their "
                "contract is expected to bring, without contracts all that is expected"
            ),
        ),
        "value_at_risk_most": (
            "money",
            mark(
                "Sum over customers under contract of their risk to leave within {horizon} days times all that is "
                "expected of them, orders too"
            ),
        ),
        "ten_points_leaving": (
            "index",
            mark(
                "Rate of leaving after an answer, over that of customers with ten points less of Net Promoter Score "
                "and the same length of stay; a relation and no effect"
            ),
        ),
        "ten_points_value": (
            "money",
            mark(
                "Difference of the mean expected value of promoters and detractors by the latest answer, scaled to ten "
                "points of Net Promoter Score; a relation and no effect"
            ),
        ),
        "forecast_bias": (
            "share",
            mark("Days with an order foretold for {days} days over those that came, less 1; model used"),
        ),
        "forecast_error": (
            "index",
            mark("Mean distance, a customer, of the days with an order foretold for {days} days from those that came"),
        ),
        "forecast_gain": (
            "index",
            mark(
                "Error (root of the mean squared error, a customer) of the forecast that each orders as often as in as "
                "long a time before, less that of the model used"
            ),
        ),
        "contribution": (
            "money",
            mark(
                "Margin of the offer over {months} whole months, less cost to serve where it is shared out; interval: "
                "what as many months like these bring on average (Student's t, months independent, spread pooled with "
                "the period before)"
            ),
        ),
        "offer_verdict": ("count", mark("Offers by what their contribution speaks for")),
        "pair_lift": (
            "index",
            mark("How many times as often offers stand in one order as they would if bought independently"),
        ),
        "rules_taken": ("share", mark("Share of the first offers by the rules that were bought later")),
        "popular_taken": (
            "share",
            mark("Share of the most popular offers not yet held, made to the same customers, that were bought later"),
        ),
        "taken_gain": (
            "percentage points",
            mark("Share of first offers by the rules that were bought later, less that of the most popular offers"),
        ),
        "care_a_month": (
            "money",
            mark("Care of an average customer of the class a month: {share} of what {months} months are to bring"),
        ),
        "acquisition_limit": (
            "money",
            mark("What winning a customer of the class may cost: {share} of what {months} months are to bring"),
        ),
        "best_customers": ("count", mark("Customers with the highest score in recency, frequency and money")),
    }
)


def defined(name: str, **settings: object) -> dict[str, str]:
    """Return unit and definition of a figure, as ``report.figure`` takes them, with the settings it names.

    >>> defined("rows_accepted")
    {'unit': 'count', 'definition': 'Zeilen, die jede Prüfung bestanden haben'}
    """
    if name not in DEFINITIONS:
        raise UnknownNameError("definition", name, DEFINITIONS)
    unit, text = DEFINITIONS[name]
    return {"unit": unit, "definition": _(text).format(**settings)}
