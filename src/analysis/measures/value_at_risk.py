"""How much money leaves with those who may leave: the risk of each customer times what to expect of them."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, require
from analysis.measures.inference import normal_quantile

MEASURE = "value_at_risk"
ALL = "all"


@dataclass(frozen=True, eq=False)
class ValueAtRisk:
    """What is at stake. ``without_value`` counts customers with a risk and no expected value: they are left out."""

    customers: pd.DataFrame
    """The customers with the greatest expected loss first: customer_id, class, risk (0 to 1), expected_value,
    expected_loss (money). ``attrs["n"]`` counts all with a risk and a value.
    """
    totals: pd.DataFrame
    """One row a class and all: class, customers, expected_value, expected_loss, low, high (sums, money), share (loss by
    value; missing where that is not above 0).
    """
    without_value: int


def value_at_risk(risk: Rows, values: Rows, *, top: int = 50, confidence: float = 0.95) -> ValueAtRisk:
    """Weigh what to expect of each customer with the risk that they leave.

    The expected loss is risk times expected_value; negative values are kept, so to lose such a customer is a gain.
    ``low`` and ``high`` are of what will be lost by chance, customers leaving independently, with risks and values as
    given; what is not known of these is not held. An expected value that already takes leaving into account is lower
    than what a customer brings who stays, and so is the loss.

    Columns in: of risk customer_id, risk (0 to 1); of values customer_id, expected_value, class. One row a customer.
    Returns a record :class:`ValueAtRisk`.

    Raises MeasureError where a column is absent, a customer stands twice, a risk is missing or no share, and for a
    ``top`` below 1.

    >>> risk = pd.DataFrame({"customer_id": ["a", "b", "c"], "risk": [0.5, 0.1, 0.2]})
    >>> values = pd.DataFrame({"customer_id": ["a", "b"], "expected_value": [100.0, 900.0], "class": ["B", "A"]})
    >>> value_at_risk(risk, values).totals.round(1)
      class  customers  expected_value  expected_loss  low   high  share
    0     A          1           900.0           90.0  0.0  619.2    0.1
    1     B          1           100.0           50.0  0.0  100.0    0.5
    2   all          2          1000.0          140.0  0.0  678.2    0.1
    """
    if top < 1:
        raise MeasureError(MEASURE, f"top is {top}", "Give 1 or more")
    z = normal_quantile(confidence, MEASURE)
    risks, known = _table("risk", risk, ("customer_id", "risk")), _values(values)
    _check(risks)
    held = _held(risks, known)
    first = [held["expected_loss"].desc(), binary_order(held, "customer_id")]
    totals = _totals(_reduce_value_at_risk(held).execute(), z)
    customers = held.order_by(first).limit(top).execute()
    customers.attrs["n"] = int(totals["customers"].iloc[-1])
    return ValueAtRisk(
        customers=customers,
        totals=totals,
        without_value=int(risks.anti_join(known, "customer_id").count().execute()),
    )


def _table(name: str, rows: Rows, columns: tuple[str, ...]) -> ir.Table:
    table = as_table(rows)
    require(f"{MEASURE}, {name}", table, columns)
    table = table.select(*columns)
    twice = int(table.aggregate(n=table.count() - table["customer_id"].nunique()).execute().iat[0, 0])
    if twice:
        raise MeasureError(
            f"{MEASURE}, {name}", f"{twice} rows repeat a customer, or have none", "Hand in one row each"
        )
    return table


def _values(values: Rows) -> ir.Table:
    table = _table("values", values, ("customer_id", "expected_value", "class"))
    money = table["expected_value"].cast("float64")
    return table.mutate(expected_value=money).filter(money.notnull(), ~money.isnan())


def _check(risks: ir.Table) -> None:
    share = risks["risk"].cast("float64")
    faulty = (share.isnull() | share.isnan() | (share < 0) | (share > 1)).ifelse(1, 0).sum().coalesce(0)
    found = int(risks.aggregate(n=faulty).execute().iat[0, 0])
    if found:
        raise MeasureError(MEASURE, f"{found} risks are missing or no shares from 0 to 1", "Leave these customers out")


def _held(risks: ir.Table, known: ir.Table) -> ir.Table:
    side = known.rename(_key="customer_id")
    joined = risks.join(side, risks["customer_id"] == side["_key"])
    loss = joined["risk"].cast("float64") * joined["expected_value"]
    return joined.select("customer_id", "class", "risk", "expected_value", expected_loss=loss)


def _reduce_value_at_risk(held: ir.Table) -> ir.Table:
    chance = held["risk"].cast("float64") * (1 - held["risk"].cast("float64"))
    return held.group_by(held["class"].coalesce("none").name("class")).aggregate(
        customers=held.count(),
        expected_value=held["expected_value"].sum(),
        expected_loss=held["expected_loss"].sum(),
        variance=(chance * held["expected_value"] * held["expected_value"]).sum(),
        least=ibis.least(held["expected_value"], 0).sum(),
        most=ibis.greatest(held["expected_value"], 0).sum(),
    )


def _totals(by_class: pd.DataFrame, z: float) -> pd.DataFrame:
    rows = by_class.sort_values("class", ignore_index=True)
    together = rows.drop(columns="class").sum().to_frame().T.assign(**{"class": ALL})
    rows = pd.concat([rows, together], ignore_index=True)
    half = z * np.sqrt(rows["variance"].astype(np.float64))
    return pd.DataFrame(
        {
            "class": rows["class"].astype("str"),
            "customers": rows["customers"].astype("int64"),
            "expected_value": rows["expected_value"],
            "expected_loss": rows["expected_loss"],
            "low": np.maximum(rows["expected_loss"] - half, rows["least"]),
            "high": np.minimum(rows["expected_loss"] + half, rows["most"]),
            "share": rows["expected_loss"] / rows["expected_value"].where(rows["expected_value"] > 0),
        }
    )
