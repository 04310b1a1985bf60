"""Headings and titles of the value chapter: English, for the catalogues to translate."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analysis.draw.language import mark

VALUE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "valued": mark("Customers with a known value"),
        "past_value": mark("Brought so far"),
        "expected_value": mark("Expected value"),
        "average_expected_value": mark("Mean a customer"),
        "expected_value_kind": mark("Expected value, customers"),
        "expected_value_class": mark("Expected value, class"),
        "average_value": mark("Expected value, mean a customer"),
        "top_value_share": mark("Share of expected value of the best fifth"),
        "value_gini": mark("Gini coefficient of expected value"),
        "value_classes": mark("Past and expected value by class"),
        "value_spread": mark("Customers by expected value"),
        "value_concentration": mark("Concentration of expected value"),
        "value_tenths": mark("Expected value by tenth, and how sure it is"),
        "dearest": mark("Customers with the highest expected value"),
        "assumptions": mark("What the values rest on"),
        "expected_loss": mark("Expected loss"),
        "value_at_risk": mark("Value at risk"),
        "value_at_risk_class": mark("Value at risk, class"),
        "value_at_risk_most": mark("Value at risk, all orders included"),
        "ten_points": mark("What ten points of NPS go with"),
        "ten_points_leaving": mark("Ten points of NPS: rate of leaving"),
        "ten_points_value": mark("Ten points of NPS: expected value"),
        "losses": mark("Value at risk by class"),
        "losses_list": mark("Customers with the highest expected loss"),
        "tracking": mark("Orders foretold and orders placed"),
        "forecasts": mark("Orders foretold and placed, by tenth"),
        "forecast_scores": mark("How near each forecast came"),
        "forecast_bias": mark("Orders foretold, deviation in all"),
        "forecast_error": mark("Orders foretold, mean error a customer"),
        "forecast_gain": mark("Forecast against carrying on as before"),
        "contribution": mark("Contribution"),
        "contributions": mark("Contribution of the offers"),
        "offer_verdict": mark("Offers by verdict"),
        "pair_lift": mark("Ordered together"),
        "rules_taken": mark("First offers by the rules, taken up"),
        "popular_taken": mark("Most popular offers, taken up"),
        "taken_gain": mark("Offers by the rules against the most popular"),
        "rules": mark("What is ordered together"),
        "trial": mark("Offers on trial"),
        "offer_list": mark("What to offer to whom"),
        "care": mark("What care and winning may cost"),
        "care_a_month": mark("Care a customer and month, class"),
        "acquisition_limit": mark("Winning a customer at most, class"),
    }
)
