"""What promoters have in common: promoters against all other answerers, attribute by attribute."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.measures.answers import Scale, check_nps_scale, checked, executed, latest, off_scale, rated
from analysis.measures.differences import (
    GROUP,
    Moments,
    Traits,
    moments,
    one_a_customer,
    p_of_difference,
    standardised,
    strangers,
    traits_of,
)
from analysis.measures.frames import Rows
from analysis.measures.inference import holm, normal_quantile, verdicts

GROUPS = ("promoters", "rest")
"""Who is compared; the rest are passives and detractors."""

_VERDICTS = {"up": "goes with promoters", "down": "goes with the rest"}


def promoter_profile(
    customers: Rows,
    answers: Rows,
    *,
    scale: Scale,
    attributes: str | Sequence[str] | None = None,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare promoters with the rest, passives and detractors, on each attribute of the customer.

    It says what goes with being a promoter, never what causes it. A customer counts once, by the latest of all their
    answers, whatever the survey. Missing values of an attribute are left out of its base. A comparison is tested where
    at least ``min_group`` on both sides have a value; a share where in the smaller group, were there no difference, so
    many at least would have the level and so many not.

    Columns in: customer_id and the attributes, of customers (one row each; without ``attributes`` all columns); nps
    (whole numbers on the scale, missing where not answered), customer_id, of answers; where present also answered_at,
    response_id.

    Columns out: attribute, level (of a text attribute, else missing), unit (share: of customers with the level, or
    for whom a boolean is true; number; day: days since 1970-01-01), promoters, rest (share or mean), difference
    (standardised: in standard deviations), low, high, p, p_holm (over all rows tested; both of the plain difference),
    n_promoters, n_rest (customers with a value), verdict (goes with promoters, goes with the rest, within noise, too
    few). One row an attribute or level: first those tested, the largest difference first, one without any overlap
    before all. ``attrs``: ``left_out``, why an attribute is none (as ``traits_of``); ``anonymous``, answers without
    customer_id; ``unknown``, answering customers that are not among the customers. Neither of the two is compared.

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10), a column is absent, an answer is not a whole
    number on the scale, a customer stands in several rows or the confidence is not between 0 and 1.
    Source: difference and interval: see ``standardised``; Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    >>> people = pd.DataFrame({"customer_id": list("abcdef"), "region": ["Nord", "Süd"] * 3, "age": range(40, 46)})
    >>> said = pd.DataFrame({"customer_id": list("abcdef"), "nps": [10, 3, 9, 8, 10, 9]})
    >>> found = promoter_profile(people, said, scale=(1, 10), min_group=1)
    >>> found[["attribute", "level", "promoters", "rest", "difference", "p_holm", "verdict"]].round(2)
      attribute level  promoters  rest  difference  p_holm              verdict
    0    region  Nord       0.75   0.0        2.45    0.00  goes with promoters
    1    region   Süd       0.25   1.0       -2.45    0.00   goes with the rest
    2       age   NaN      42.75  42.0        0.40    0.53         within noise
    """
    check_nps_scale("promoter_profile", scale)
    z = normal_quantile(confidence, "promoter_profile")
    said = checked("promoter_profile", answers, "nps", ("customer_id",))
    given = rated(said, said["nps"], ("customer_id",), one_per_customer=False)
    executed("promoter_profile", _reduce_scale(given, scale), scale, ())
    people = one_a_customer("promoter_profile", customers)
    traits = traits_of("promoter_profile", people, attributes)
    promoters, rest = moments(_grouped(people, said), traits, GROUPS).values()
    found = _compared(traits, promoters, rest, z, min_group, confidence)
    found.attrs = {"left_out": dict(traits.left_out), **strangers(people, given)}
    return found


def _reduce_scale(given: ir.Table, scale: Scale) -> ir.Table:
    return given.aggregate(**off_scale(given["_rating"], scale))


def _by_customer(answers: ir.Table) -> ir.Table:
    """Return one row a customer who answered: customer_id, _group."""
    named = answers.filter(answers["customer_id"].notnull())
    every_wave = named.drop(*(name for name in ("survey", "period") if name in named.columns))
    found = latest(every_wave, "nps", ("customer_id",))
    return found.select("customer_id", **{GROUP: ibis.ifelse(found["_rating"] >= 9, *GROUPS)})


def _grouped(customers: ir.Table, answers: ir.Table) -> ir.Table:
    """Return the customers who answered, with their group."""
    return customers.inner_join(_by_customer(answers), "customer_id")


def _compared(
    traits: Traits, promoters: Moments, rest: Moments, z: float, min_group: int, confidence: float
) -> pd.DataFrame:
    difference, low, high = standardised(promoters, rest, z)
    p = np.where(_are_enough(promoters, rest, min_group), p_of_difference(promoters, rest), np.nan)
    p_holm = holm(p)
    gap = promoters.mean - rest.mean
    found = traits.frame().assign(
        promoters=promoters.mean,
        rest=rest.mean,
        difference=difference,
        low=low,
        high=high,
        p=p,
        p_holm=p_holm,
        n_promoters=promoters.n.astype("int64"),
        n_rest=rest.n.astype("int64"),
        verdict=pd.array([_VERDICTS.get(word, word) for word in verdicts(gap, p_holm, confidence)], dtype="str"),
    )
    size = np.where(np.isnan(difference) & (gap != 0), np.inf, np.abs(difference))
    order = np.lexsort((np.arange(len(found)), -size, np.isnan(p)))
    return found.iloc[order].reset_index(drop=True)


def _are_enough(promoters: Moments, rest: Moments, min_group: int) -> NDArray[np.bool_]:
    """Say of each trait whether it is tested: a share of very few is far from normal."""
    held = promoters.with_(rest)
    smaller = np.minimum(promoters.n, rest.n)
    expected = np.round(smaller * np.fmin(held.mean, 1 - held.mean), 9)
    is_rare = held.is_share & (expected > 0) & (expected < min_group)
    return (smaller >= min_group) & ~is_rare
