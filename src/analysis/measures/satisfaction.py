"""How satisfied customers are: Net Promoter Score and satisfaction ratings, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.frames import Rows, as_table, binary_order, check_confidence, names, require
from analysis.measures.intervals import NpsMethod, nps_interval, wilson
from analysis.vocabulary import NPS_SCALES, RATING_PREFIX


def nps(
    answers: Rows,
    *,
    scale: tuple[int, int],
    by: str | Sequence[str] = (),
    confidence: float = 0.95,
    method: NpsMethod = "adjusted-wald",
) -> pd.DataFrame:
    """Measure the Net Promoter Score of each group: the share of promoters less the share of detractors, in points.

    Detractors answer up to 6, promoters from 9. Of a customer's answers to one survey in one period the latest
    counts (greatest answered_at, then greatest response_id). Answers without customer_id count each as a respondent of
    their own.

    Columns in: nps (whole numbers on the scale, missing where not answered), the columns of ``by``; where present
    also customer_id, survey, answered_at, response_id, and period, where answers of several periods are handed in.

    Columns out: those of ``by``, n, promoters, passives, detractors (answers), nps, low, high (points, -100 to 100),
    anonymous (answers of n without customer_id). One row a group, sorted by ``by``, the missing group last.

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10), a column is absent, an answer is not a whole
    number on the scale, the confidence is not between 0 and 1 or the method is unknown.
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54; intervals: see ``nps_interval``.

    >>> answers = pd.DataFrame({"region": ["Nord", "Nord", "Süd"], "nps": [10, 8, 3]})
    >>> nps(answers, scale=(1, 10), by="region")[["region", "n", "promoters", "detractors", "nps"]]
      region  n  promoters  detractors    nps
    0   Nord  2          1           0   50.0
    1    Süd  1          0           1 -100.0
    """
    if tuple(scale) not in NPS_SCALES:
        raise MeasureError("nps", f"scale is {scale!r}", "Declare (0, 10) or (1, 10), as the question was asked")
    check_confidence("nps", confidence)
    by = names(by)
    table = _checked("nps", answers, "nps", by)
    groups = _executed("nps", _reduce_nps(table, scale, by), scale, by)
    passives = groups["n"] - groups["promoters"] - groups["detractors"]
    low, high = nps_interval(groups["promoters"], passives, groups["detractors"], confidence, method)
    score = 100 * (groups["promoters"] - groups["detractors"]) / groups["n"]
    groups = groups.assign(passives=passives, nps=score, low=low, high=high)
    return groups[[*by, "n", "promoters", "passives", "detractors", "nps", "low", "high", "anonymous"]]


def csat(
    answers: Rows,
    *,
    scale: tuple[int, int],
    top: int = 2,
    by: str | Sequence[str] = (),
    rating: str = "csat",
    one_per_customer: bool = False,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure satisfaction in each group: the share of ratings among the ``top`` best of the scale, and the mean.

    A satisfaction rating judges an occasion (an order, a case, a visit), so every rating counts, also several of one
    customer; the interval takes them as independent. For a survey that asks about the relation as a whole,
    ``one_per_customer`` keeps the latest of a customer and survey, as ``nps`` does. On a scale that starts above 0 a
    rating of 0 means "not applicable" and is missing.

    Columns in: the rating (whole numbers on the scale, missing where not answered), the columns of ``by``; for
    ``one_per_customer`` where present also customer_id, survey, answered_at, response_id.

    Columns out: those of ``by``, n (ratings), top (ratings among the best), share (top / n, 0 to 1), low, high
    (Wilson, 0 to 1), mean (on the scale). One row a group, sorted by ``by``, the missing group last.

    Raises MeasureError where the scale does not rise, ``top`` does not leave a part of it, a column is absent, a
    rating is not a whole number on the scale or the confidence is not between 0 and 1.
    Source: top-box share; interval of Wilson (1927), JASA 22, 209-212.

    >>> csat(pd.DataFrame({"csat": [5, 4, 2, 1]}), scale=(1, 5)).round(3)
       n  top  share   low  high  mean
    0  4    2    0.5  0.15  0.85   3.0
    """
    _check_boxes(scale, top)
    check_confidence("csat", confidence)
    by = names(by)
    table = _checked("csat", answers, rating, by)
    groups = _executed("csat", _reduce_csat(table, rating, scale, top, by, one_per_customer), scale, by)
    low, high = wilson(groups["top"], groups["n"], confidence)
    share, mean = groups["top"] / groups["n"], groups["total"] / groups["n"]
    return groups.assign(share=share, low=low, high=high, mean=mean)[[*by, "n", "top", "share", "low", "high", "mean"]]


def ratings(
    answers: Rows,
    *,
    scale: tuple[int, int],
    top: int = 2,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Measure the satisfaction with each attribute asked: the columns whose names begin with ``rating_``.

    Columns in: rating_* (whole numbers on the scale, missing where not answered). Columns out: attribute (the name
    without its prefix), n, top (answers in the best ``top`` categories), share, low, high (0 to 1, Wilson), mean.
    One row an attribute, best mean first.

    Raises MeasureError where there is no such column, or as ``csat``.
    Source: as for ``csat``, column by column.

    >>> answers = pd.DataFrame({"rating_price": [1, 5, 2, 4], "rating_taste": [5, 5, 4, None]})
    >>> ratings(answers, scale=(1, 5))[["attribute", "n", "top", "mean"]]
      attribute  n  top      mean
    0     taste  3    3  4.666667
    1     price  4    2  3.000000
    """
    table = as_table(answers)
    columns = [name for name in table.columns if name.startswith(RATING_PREFIX)]
    if not columns:
        raise MeasureError("ratings", f"no column begins with {RATING_PREFIX!r}; there are: {', '.join(table.columns)}")
    rows = [csat(table, scale=scale, top=top, rating=name, confidence=confidence) for name in columns]
    found = pd.concat(rows, ignore_index=True)
    found.insert(0, "attribute", [name.removeprefix(RATING_PREFIX) for name in columns])
    return found.sort_values(["mean", "attribute"], ascending=[False, True], ignore_index=True)


def nps_distribution(answers: Rows, *, scale: tuple[int, int]) -> pd.DataFrame:
    """Count the answers at each point of an NPS scale, one a customer and wave as for ``nps``.

    Columns in: as for ``nps``. Columns out: those of ``distribution`` and group (detractors, passives, promoters).
    Raises MeasureError and Source: as for ``nps``.

    >>> nps_distribution(pd.DataFrame({"nps": [3, 9, 9]}), scale=(1, 10)).query("answers > 0")
       rating  answers     share       group
    2       3        1  0.333333  detractors
    8       9        2  0.666667   promoters
    """
    found = distribution(answers, scale=scale, rating="nps", one_per_customer=True)
    groups = pd.cut(found["rating"], [-1, 6, 8, 10], labels=["detractors", "passives", "promoters"])
    return found.assign(group=groups.astype("str"))


def distribution(answers: Rows, *, scale: tuple[int, int], rating: str, one_per_customer: bool = False) -> pd.DataFrame:
    """Count the answers at each point of the scale; with ``one_per_customer`` the latest of each as for ``nps``.

    Columns in: the rating; where present also customer_id, survey, answered_at, response_id. Columns out: rating,
    answers (count), share (0 to 1 of all answers; missing without any). One row a point of the scale, from low to
    high, those that nobody chose with 0.

    Raises MeasureError where the column is absent or an answer is not a whole number on the scale.
    Source: a plain frequency table.

    >>> distribution(pd.DataFrame({"csat": [3, 3, 1]}), scale=(1, 3), rating="csat")
       rating  answers     share
    0       1        1  0.333333
    1       2        0  0.000000
    2       3        2  0.666667
    """
    table = _checked("distribution", answers, rating, ())
    counts = _executed("distribution", _reduce_distribution(table, rating, scale, one_per_customer), scale, ("rating",))
    points = pd.RangeIndex(scale[0], scale[1] + 1, name="rating")
    found = counts.set_index(counts["rating"].astype("int64"))["n"].reindex(points, fill_value=0)
    total = found.sum()
    return pd.DataFrame(
        {"rating": points, "answers": found.array, "share": (found / total if total else found * float("nan")).array}
    )


def _check_boxes(scale: tuple[int, int], top: int) -> None:
    lowest, highest = scale
    if not lowest < highest:
        raise MeasureError("csat", f"scale is {scale!r}", "Declare its lowest and highest value, such as (1, 5)")
    if not 1 <= top <= highest - lowest:
        raise MeasureError(
            "csat", f"top is {top} on a scale from {lowest} to {highest}", f"Give 1 to {highest - lowest}"
        )


def _checked(measure: str, answers: Rows, rating: str, by: tuple[str, ...]) -> ir.Table:
    table = as_table(answers)
    require(measure, table, (rating, *by))
    kind = table[rating].type()
    if kind.is_boolean() or not (kind.is_numeric() or kind.is_null()):
        raise MeasureError(measure, f"column {rating!r} holds {kind}, not numbers", "Convert it to whole numbers")
    return table


def _reduce_nps(answers: ir.Table, scale: tuple[int, int], by: tuple[str, ...]) -> ir.Table:
    rated = _rated(answers, answers["nps"], by, one_per_customer=True)
    kept, value = rated["_kept"], rated["_rating"]
    return rated.aggregate(
        by=by,
        n=_times(kept),
        promoters=_times(kept & (value >= 9)),
        detractors=_times(kept & (value <= 6)),
        anonymous=_times(kept & rated["_anonymous"]),
        **_off_scale(value, scale),
    )


def _reduce_csat(
    answers: ir.Table, rating: str, scale: tuple[int, int], top: int, by: tuple[str, ...], one_per_customer: bool
) -> ir.Table:
    lowest, highest = scale
    applicable = answers[rating].nullif(0) if lowest > 0 else answers[rating]
    rated = _rated(answers, applicable, by, one_per_customer=one_per_customer)
    kept, value = rated["_kept"], rated["_rating"]
    return rated.aggregate(
        by=by,
        n=_times(kept),
        top=_times(kept & (value > highest - top)),
        total=value.sum(where=kept),
        **_off_scale(value, scale),
    )


def _reduce_distribution(answers: ir.Table, rating: str, scale: tuple[int, int], one_per_customer: bool) -> ir.Table:
    rated = _rated(answers, answers[rating], (), one_per_customer=one_per_customer)
    value = rated["_rating"]
    return rated.aggregate(by=value.name("rating"), n=_times(rated["_kept"]), **_off_scale(value, scale))


def _rated(answers: ir.Table, rating: ir.Value, by: tuple[str, ...], *, one_per_customer: bool) -> ir.Table:
    """Return the answers that hold a rating: by..., _rating (float), _anonymous, _kept (counts as the latest)."""
    given = answers.mutate(_rating=rating.cast("float64"))
    given = given.filter(given["_rating"].notnull(), ~given["_rating"].isnan())
    anonymous = given["customer_id"].isnull() if "customer_id" in given.columns else ibis.literal(True)
    kept = anonymous | _is_latest(given, by) if one_per_customer else ibis.literal(True)
    return given.select(*by, "_rating", _anonymous=anonymous, _kept=kept)


def _is_latest(given: ir.Table, by: tuple[str, ...]) -> ir.Value:
    if "customer_id" not in given.columns:
        return ibis.literal(True)
    wave = [given[name] for name in ("customer_id", "survey", "period") if name in given.columns]
    order = [ibis.desc("answered_at", nulls_first=False)] if "answered_at" in given.columns else []
    if "response_id" in given.columns:
        order.append(ibis.desc(binary_order(given, "response_id"), nulls_first=False))
    else:  # without an id equal times must still be decided, or two runs could differ
        order += [given["_rating"], *(given[name] for name in by)]
    return ibis.row_number().over(ibis.window(group_by=wave, order_by=order)) == 0


def _off_scale(value: ir.Value, scale: tuple[int, int]) -> dict[str, ir.Value]:
    off = value.notin(range(scale[0], scale[1] + 1))
    return {"off_scale": _times(off), "off_low": value.min(where=off), "off_high": value.max(where=off)}


def _times(condition: ir.Value) -> ir.Value:
    return condition.ifelse(1, 0).sum().coalesce(0)


def _executed(measure: str, counts: ir.Table, scale: tuple[int, int], by: tuple[str, ...]) -> pd.DataFrame:
    groups = counts.execute()
    if off := int(groups["off_scale"].sum()):
        raise MeasureError(
            measure,
            f"{off} answers are no whole number from {scale[0]} to {scale[1]} "
            f"(they run from {groups['off_low'].min():g} to {groups['off_high'].max():g})",
            "Declare the scale that was asked, or set these answers missing",
        )
    if not by:
        return groups
    return groups[groups["n"] > 0].sort_values(list(by), na_position="last", ignore_index=True)
