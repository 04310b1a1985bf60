"""What winning and looking after a customer of a class may cost, given what one is expected to bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import times
from analysis.measures.frames import Rows, as_table, require
from analysis.measures.inference import Floats
from analysis.measures.money import in_cents

Share: TypeAlias = float | Mapping[str, float]
"""A share of expected value, 0 to 1: one for all classes, or one a class."""


def care_budget(
    values: Rows, classes: Rows, *, care_share: Share, acquisition_share: Share, horizon_months: int
) -> pd.DataFrame:
    """Set by class what care may cost in all and a customer, and what it may cost to win one.

    The assumptions, which stand in the result: of the value a class is expected to bring within the horizon at most
    ``care_share`` is spent on looking after its customers, evenly over the months, and of the value of an average one
    at most ``acquisition_share`` on winning another like them. At break-even all of it is spent on winning. What a
    customer of a class is worth is an average over the class; where that is not above 0, nothing may be spent.

    Columns in: ``values`` with customer_id, value (money: expected within the horizon, discounted, before the cost of
    acquisition, after the cost to serve known; of several rows a customer the sum, in whole cents); ``classes`` with
    customer_id, class, one row a customer, such as ``segments.abc_classes`` gives. Rows in which one of them is missing
    are left out.

    Columns out, one row a class, sorted: class, customers, not_positive (customers expected to bring nothing or less),
    expected_value (of all, money), value_a_customer (mean, money); the assumptions care_share, acquisition_share,
    horizon_months; care_budget (of the class, for the horizon), care_a_customer, care_a_customer_month,
    break_even_acquisition, acquisition_limit, left_a_customer (value less care and acquisition limit; all money a
    customer). ``attrs``: ``without_class``, customers with a value and no class, and ``without_value``: neither counts.

    Raises MeasureError where a column is absent, a customer stands in several rows of ``classes``, a class has no
    share, a share lies outside 0 to 1, both shares of a class add up to more than 1, or the horizon is below a month.
    Source: acquisition up to a share of expected value: Blattberg and Deighton (1996), Harvard Business Review 74(4).

    >>> worth = pd.DataFrame({"customer_id": ["a", "b", "c"], "value": [900.0, 300.0, 24.0]})
    >>> letters = pd.DataFrame({"customer_id": ["a", "b", "c"], "class": ["A", "A", "C"]})
    >>> shares = {"care_share": {"A": 0.2, "C": 0.05}, "acquisition_share": 0.3}
    >>> found = care_budget(worth, letters, horizon_months=24, **shares)
    >>> found[["class", "value_a_customer", "care_budget", "acquisition_limit"]]
      class  value_a_customer  care_budget  acquisition_limit
    0     A             600.0        240.0              180.0
    1     C              24.0          1.2                7.2
    """
    worth, classed = as_table(values), as_table(classes)
    require("care_budget, values", worth, ("customer_id", "value"))
    require("care_budget, classes", classed, ("customer_id", "class"))
    if horizon_months < 1:
        raise MeasureError("care_budget", f"horizon_months is {horizon_months}", "Give at least 1")
    if repeated := int(_reduce_repeated(classed).execute()["repeated"].item()):
        raise MeasureError("care_budget", f"{repeated} rows of classes repeat a customer_id", "Give one row a customer")
    found = _reduce_values(worth, classed).execute()
    known = found[found["class"].notna() & (found["customers"] > 0)].sort_values("class", ignore_index=True)
    care, winning = (
        _shares(name, share, known["class"].tolist())
        for name, share in (("care_share", care_share), ("acquisition_share", acquisition_share))
    )
    if (over := known.loc[care + winning > 1, "class"]).size:
        raise MeasureError(
            "care_budget", f"the shares of class {over.iloc[0]!r} add up to more than 1", "Leave something to earn"
        )
    budget = _budget(known, care, winning, horizon_months)
    budget.attrs = {
        "without_class": int(found.loc[found["class"].isna(), "customers"].sum()),
        "without_value": int(found["without_value"].sum()),
    }
    return budget


def _shares(name: str, share: Share, classes: list[str]) -> Floats:
    """Return the share of each class. Raises MeasureError where a class has none, or one outside 0 to 1."""
    by_class = share if isinstance(share, Mapping) else dict.fromkeys(classes, share)
    for letter in classes:
        if letter not in by_class:
            raise MeasureError("care_budget", f"{name} has no share for class {letter!r}", f"It has: {[*by_class]}")
        if not 0 <= by_class[letter] <= 1:
            raise MeasureError(
                "care_budget", f"{name} of class {letter!r} is {by_class[letter]}", "Give a share from 0 to 1"
            )
    return np.array([by_class[letter] for letter in classes], dtype=np.float64)


def _reduce_repeated(classes: ir.Table) -> ir.Table:
    return classes.aggregate(repeated=classes["customer_id"].count() - classes["customer_id"].nunique())


def _reduce_values(values: ir.Table, classes: ir.Table) -> ir.Table:
    """One row a class, and one without: customers with a value, without_value, cents, not_positive."""
    known = values.filter(values["customer_id"].notnull(), ~values["value"].cast("float64").isnan())
    worth = known.group_by("customer_id").aggregate(cents=in_cents(known["value"]).sum())
    classed = classes.filter(classes["customer_id"].notnull(), classes["class"].notnull())
    both = classed.select("customer_id", "class").outer_join(worth, "customer_id")
    return both.group_by("class").aggregate(
        customers=both["cents"].count(),
        without_value=times(both["cents"].isnull()),
        cents=both["cents"].sum().coalesce(0),
        not_positive=times(both["cents"] <= 0),
    )


def _budget(known: pd.DataFrame, care: Floats, winning: Floats, months: int) -> pd.DataFrame:
    customers, expected = known["customers"].astype("int64"), known["cents"].astype("float64") / 100
    average = expected / customers
    to_spend = average.clip(lower=0)
    return pd.DataFrame(
        {
            "class": known["class"],
            "customers": customers,
            "not_positive": known["not_positive"].astype("int64"),
            "expected_value": expected,
            "value_a_customer": average,
            "care_share": care,
            "acquisition_share": winning,
            "horizon_months": months,
            "care_budget": care * expected.clip(lower=0),
            "care_a_customer": care * to_spend,
            "care_a_customer_month": care * to_spend / months,
            "break_even_acquisition": to_spend,
            "acquisition_limit": winning * to_spend,
            "left_a_customer": average - (care + winning) * to_spend,
        }
    )
