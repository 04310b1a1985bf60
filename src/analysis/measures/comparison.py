"""Whether two groups of answers differ by more than chance: two periods, or each group and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures import answers as counted
from analysis.measures.answers import Scale
from analysis.measures.frames import Rows, check_confidence, names
from analysis.measures.inference import holm, normal_quantile, ratio, two_sided, verdicts
from analysis.measures.ratings import check_boxes

Measure = Literal["nps", "csat", "ces"]
"""What is compared: the Net Promoter Score (points), the share of the best ratings, or the mean effort."""


@dataclass(frozen=True)
class _Question:
    """What is compared, and how it is asked."""

    measure: Measure
    scale: Scale
    top: int

    def scores(self, answers: Rows, by: tuple[str, ...], caller: str) -> ir.Table:
        """Return an answer that counts a row: by…, customer_id, _rating, _score, whose mean is the measure."""
        table = counted.checked(caller, answers, self.measure, by)
        if "customer_id" in by:
            raise MeasureError(caller, "customers cannot be the groups", "Name a column that many customers share")
        given = table["customer_id"] if "customer_id" in table.columns else ibis.null("string")
        return self.scored(table.mutate(customer_id=given.cast("string")), by)

    def scored(self, table: ir.Table, by: tuple[str, ...]) -> ir.Table:
        columns = (*by, "customer_id")
        if self.measure == "nps":
            rated = counted.rated(table, table["nps"], columns, one_per_customer=True)
            rated = rated.filter(rated["_kept"])
        else:
            given = counted.applicable(table, self.measure, self.scale)
            rated = counted.rated(table, given, columns, one_per_customer=False)
        return rated.mutate(_score=self._score(rated["_rating"]).cast("float64"))

    def _score(self, value: ir.Value) -> ir.Value:
        if self.measure == "nps":
            return (value >= 9).ifelse(100, (value <= 6).ifelse(-100, 0))
        return (value > self.scale[1] - self.top).ifelse(1, 0) if self.measure == "csat" else value


def compare(
    answers_a: Rows,
    answers_b: Rows,
    *,
    scale: Scale,
    measure: Measure = "nps",
    top: int = 2,
    by: str | Sequence[str] = (),
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Test whether a measure differs between two sets of answers, such as a period and the one before.

    Customers who stand in both are paired. The verdict follows from the p adjusted over all groups of ``by`` that are
    compared (``family`` names them); the interval is that of the single difference.

    Columns in, on either side: nps, csat or ces as ``measure`` says, the columns of ``by``; where present also
    customer_id, survey, answered_at, response_id, period, as for ``nps``. For csat and ces every answer counts.

    Columns out: those of ``by``, n_a, n_b (answers), paired (customers in both), a, b, difference (a - b), low, high
    (points for nps, shares for csat with its ``top`` best ratings, the scale for ces), p (two-sided, normal), p_holm,
    verdict (up, down, within noise; too few, without interval and p, under ``min_group`` answers on either side),
    family. One row a group of
    either side, sorted by ``by``.

    Raises MeasureError as ``nps`` and ``csat`` do, and where the measure is unknown.
    Source: difference of two means of a multinomial, large-sample normal; variances on plain counts with divisor n,
    covariance of the paired by linearisation; Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    >>> now = pd.DataFrame({"nps": [10] * 40 + [3] * 10})
    >>> before = pd.DataFrame({"nps": [10] * 25 + [3] * 25})
    >>> compare(now, before, scale=(1, 10))[["a", "b", "difference", "verdict"]]
          a    b  difference verdict
    0  60.0  0.0        60.0      up
    """
    question, by = _question("compare", measure, scale, top, confidence), names(by)
    side_a, side_b = (question.scores(rows, by, "compare") for rows in (answers_a, answers_b))
    sums_a, sums_b = (
        counted.executed("compare", _reduce_sums(side, question, by), scale, by) for side in (side_a, side_b)
    )
    found = _joined(_joined(sums_a, sums_b, by), _reduce_paired(side_a, side_b, by).execute(), by)
    found = found.sort_values(list(by), na_position="last", ignore_index=True) if by else found
    return _tested(found, by, "groups" if by else "comparison", min_group, confidence)


def against_rest(
    answers: Rows,
    *,
    by: str | Sequence[str],
    scale: Scale,
    measure: Measure = "nps",
    top: int = 2,
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Test whether a measure differs between each group and all other answers.

    Columns in, Raises and Source: as for ``compare``. Columns out: those of ``compare``, a being the group and b the
    rest. One row a group, sorted by ``by``, the missing group last.

    >>> north, south = [10] * 20 + [5] * 10, [10] * 28 + [5] * 2
    >>> answers = pd.DataFrame({"region": ["Nord"] * 30 + ["Süd"] * 30, "nps": north + south})
    >>> against_rest(answers, by="region", scale=(1, 10))[["region", "a", "b", "verdict"]].round(1)
      region     a     b verdict
    0   Nord  33.3  86.7    down
    1    Süd  86.7  33.3      up
    """
    question, by = _question("against_rest", measure, scale, top, confidence), names(by)
    if not by:
        raise MeasureError("against_rest", "no group is named", "Name the columns that make the groups in by")
    scores = question.scores(answers, by, "against_rest")
    own = counted.executed("against_rest", _reduce_sums(scores, question, by), scale, by)
    parts = own.drop(columns=list(by))
    both_sides = own[list(by)].join(parts.add_suffix("_a")).join((parts.sum() - parts).add_suffix("_b"))
    found = _joined(both_sides, _reduce_shared(scores, by).execute(), by)
    found = found.sort_values(list(by), na_position="last", ignore_index=True)
    return _tested(found, by, "groups against the rest", min_group, confidence)


def _question(caller: str, measure: Measure, scale: Scale, top: int, confidence: float) -> _Question:
    if measure not in get_args(Measure):
        raise MeasureError(caller, f"unknown measure {measure!r}", f"Known: {', '.join(get_args(Measure))}")
    check_confidence(caller, confidence)
    if measure == "nps":
        counted.check_nps_scale(caller, scale)
    elif measure == "csat":
        check_boxes(scale, top)
    else:
        counted.check_scale(caller, scale)
    return _Question(measure, scale, top)


def _reduce_sums(scores: ir.Table, question: _Question, by: tuple[str, ...]) -> ir.Table:
    score = scores["_score"]
    return scores.aggregate(
        by=by,
        n=scores.count(),
        total=score.sum().coalesce(0.0),
        squares=(score * score).sum().coalesce(0.0),
        **counted.off_scale(scores["_rating"], question.scale),
    )


def _by_customer(scores: ir.Table, by: tuple[str, ...]) -> ir.Table:
    known = scores.filter(scores["customer_id"].notnull())
    return known.aggregate(by=["customer_id", *by], n=known.count().cast("float64"), total=known["_score"].sum())


def _products(n_a: ir.Value, total_a: ir.Value, n_b: ir.Value, total_b: ir.Value) -> dict[str, ir.Value]:
    """Sum over customers what their covariance is made of, whatever the means turn out to be."""
    pairs = {"totals": total_a * total_b, "total_n": total_a * n_b, "n_total": n_a * total_b, "ns": n_a * n_b}
    return {name: product.sum().coalesce(0.0) for name, product in pairs.items()}


def _reduce_paired(side_a: ir.Table, side_b: ir.Table, by: tuple[str, ...]) -> ir.Table:
    a = _by_customer(side_a, by)
    b = _by_customer(side_b, by).rename(lambda name: f"b_{name}")
    same = [a["customer_id"] == b["b_customer_id"], *(a[name].identical_to(b[f"b_{name}"]) for name in by)]
    both = a.join(b, same)
    return both.aggregate(
        by=by, paired=both.count(), **_products(both["n"], both["total"], both["b_n"], both["b_total"])
    )


def _reduce_shared(scores: ir.Table, by: tuple[str, ...]) -> ir.Table:
    """Pair what a customer answered in a group with what the same customer answered outside it."""
    own = _by_customer(scores, by)
    everywhere = ibis.window(group_by="customer_id")
    both = own.mutate(
        n_rest=own["n"].sum().over(everywhere) - own["n"],
        total_rest=own["total"].sum().over(everywhere) - own["total"],
    )
    both = both.filter(both["n_rest"] > 0)
    products = _products(both["n"], both["total"], both["n_rest"], both["total_rest"])
    return both.aggregate(by=by, paired=both.count(), **products)


def _joined(left: pd.DataFrame, right: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    keys = {"on": list(by), "how": "outer"} if by else {"how": "cross"}
    joined = left.merge(right, suffixes=("_a", "_b"), **keys)
    counts = [name for name in joined.columns if name not in by]
    return joined.assign(**joined[counts].fillna(0))


def _tested(found: pd.DataFrame, by: tuple[str, ...], what: str, min_group: int, confidence: float) -> pd.DataFrame:
    n_a, n_b = (found[name].astype("float64").where(found[name] > 0) for name in ("n_a", "n_b"))
    a, b = found["total_a"] / n_a, found["total_b"] / n_b
    variance = (found["squares_a"] / n_a - a**2) / n_a + (found["squares_b"] / n_b - b**2) / n_b
    covariance = (found["totals"] - b * found["total_n"] - a * found["n_total"] + a * b * found["ns"]) / (n_a * n_b)
    se = np.sqrt((variance - 2 * covariance).clip(lower=0))
    difference = a - b
    enough = (found[["n_a", "n_b"]] >= max(min_group, 2)).all(axis=1)
    p = np.where(enough, two_sided(ratio(difference, se)), np.nan)
    p_holm, half = holm(p), normal_quantile(confidence) * se.where(enough)
    family = f"{', '.join(by)}: {enough.sum()} {what}" if by else what
    counts = found[[*by, "n_a", "n_b", "paired"]].astype(dict.fromkeys(("n_a", "n_b", "paired"), "int64"))
    return counts.assign(a=a, b=b, difference=difference, low=difference - half, high=difference + half).assign(
        p=p, p_holm=p_holm, verdict=verdicts(difference, p_holm, confidence), family=family
    )
