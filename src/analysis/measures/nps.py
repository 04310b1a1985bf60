"""The Net Promoter Score of groups, plain and weighted, and the answers behind it."""

from __future__ import annotations

from collections.abc import Sequence

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures import answers as counted
from analysis.measures.answers import Scale, times
from analysis.measures.frames import Rows, check_confidence, names
from analysis.measures.inference import normal_quantile
from analysis.measures.intervals import NpsMethod, check_method, nps_interval
from analysis.measures.ratings import distribution

_COUNTS = ("n", "promoters", "passives", "detractors", "anonymous")
_PLAIN = ("n", "promoters", "passives", "detractors", "nps", "low", "high", "anonymous")
_WEIGHTED = (*_PLAIN, "se", "n_effective", "deff")


def nps(
    answers: Rows,
    *,
    scale: Scale,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    margins: str | Sequence[str] = (),
    confidence: float = 0.95,
    method: NpsMethod = "adjusted-wald",
) -> pd.DataFrame:
    """Measure the Net Promoter Score of each group: the share of promoters less the share of detractors, in points.

    Detractors answer up to 6, promoters from 9. Of a customer's answers to one survey in one period the latest
    counts (greatest answered_at, then greatest response_id). Answers without customer_id count each as a respondent of
    their own.

    ``weight`` names a column of weights, such as those of ``weighting.rake``. The score is then the weighted one, its
    interval d ± z·se, cut at -100 and 100; ``margins`` names the columns the weights were raked on, which lowers se
    as far as they explain the answers. A group whose answers are all of one kind has no weighted variance: it gets
    the adjusted Wald interval at its effective n. ``method`` is that of the unweighted interval.

    Columns in: nps (whole numbers on the scale, missing where not answered), the columns of ``by``, ``weight`` and
    ``margins``; where present also customer_id, survey, answered_at, response_id, and period, where answers of several
    periods are handed in.

    Columns out: those of ``by``, n, promoters, passives, detractors (answers), nps, low, high (points, -100 to 100),
    anonymous (answers of n without customer_id); with weights also se (points), n_effective (Kish) and deff (variance
    over that of as many answers with equal weights). One row a group, sorted by ``by``, the missing group last.

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10), a column is absent, an answer is not a whole
    number on the scale, a weight is missing or negative, margins come without a weight, the confidence is not between
    0 and 1 or the method is unknown.
    Source: Reichheld (2003), Harvard Business Review 81(12), 46-54; intervals: see ``nps_interval``; weighted
    variance: linearisation with replacement, calibrated on the margins: Deville and Särndal (1992), JASA 87, 376-382;
    effective n: Kish (1965), Survey Sampling.

    >>> answers = pd.DataFrame({"region": ["Nord", "Nord", "Süd"], "nps": [10, 8, 3]})
    >>> nps(answers, scale=(1, 10), by="region")[["region", "n", "promoters", "detractors", "nps"]]
      region  n  promoters  detractors    nps
    0   Nord  2          1           0   50.0
    1    Süd  1          0           1 -100.0
    """
    counted.check_nps_scale("nps", scale)
    check_confidence("nps", confidence)
    check_method(method)
    by, margins = names(by), names(margins)
    if weight is not None:
        return _weighted(answers, scale, by, weight, margins, confidence)
    if margins:
        raise MeasureError(
            "nps", f"margins {', '.join(margins)} are named without a weight", "Name the weight's column"
        )
    table = counted.checked("nps", answers, "nps", by)
    groups = counted.executed("nps", _reduce_nps(table, scale, by), scale, by)
    passives = groups["n"] - groups["promoters"] - groups["detractors"]
    low, high = nps_interval(groups["promoters"], passives, groups["detractors"], confidence, method)
    score = 100 * (groups["promoters"] - groups["detractors"]) / groups["n"]
    groups = groups.assign(passives=passives, nps=score, low=low, high=high)
    return groups[[*by, *_PLAIN]]


def nps_distribution(answers: Rows, *, scale: Scale) -> pd.DataFrame:
    """Count the answers at each point of an NPS scale, one a customer and wave as for ``nps``.

    Columns in: as for ``nps``. Columns out: those of ``distribution`` and group (detractors, passives, promoters).
    Raises MeasureError and Source: as for ``nps``.

    >>> nps_distribution(pd.DataFrame({"nps": [3, 9, 9]}), scale=(1, 10)).query("answers > 0")
       rating  answers     share       group
    2       3        1  0.333333  detractors
    8       9        2  0.666667   promoters
    """
    counted.check_nps_scale("nps_distribution", scale)
    found = distribution(answers, scale=scale, rating="nps", one_per_customer=True)
    groups = pd.cut(found["rating"], [-1, 6, 8, 10], labels=["detractors", "passives", "promoters"])
    return found.assign(group=groups.astype("str"))


def _reduce_nps(answers: ir.Table, scale: Scale, by: tuple[str, ...]) -> ir.Table:
    rated = counted.rated(answers, answers["nps"], by, one_per_customer=True)
    kept, value = rated["_kept"], rated["_rating"]
    return rated.aggregate(
        by=by,
        n=times(kept),
        promoters=times(kept & (value >= 9)),
        detractors=times(kept & (value <= 6)),
        anonymous=times(kept & rated["_anonymous"]),
        **counted.off_scale(value, scale),
    )


def _reduce_weighted(answers: ir.Table, scale: Scale, columns: tuple[str, ...], weight: str) -> ir.Table:
    """Count by cell and weight, a cell being the groups, the margins and _kind: 1 promoters, 0 passives, -1 detractors.

    The engine only counts: its sum of floats would depend, in the last digits, on how threads shared the rows.
    """
    rated = counted.rated(answers, answers["nps"], (*columns, weight), one_per_customer=True)
    kept, value, w = rated["_kept"], rated["_rating"], rated[weight].cast("float64")
    kind = (value >= 9).ifelse(1, (value <= 6).ifelse(-1, 0))
    return rated.aggregate(
        by=[*columns, kind.name("_kind"), w.name("_weight")],
        n=times(kept),
        anonymous=times(kept & rated["_anonymous"]),
        unusable=times(kept & (w.isnull() | w.isnan() | w.isinf() | (w < 0))),
        **counted.off_scale(value, scale),
    )


def _weighted(
    answers: Rows, scale: Scale, by: tuple[str, ...], weight: str, margins: tuple[str, ...], confidence: float
) -> pd.DataFrame:
    columns = tuple(dict.fromkeys((*by, *margins)))
    table = counted.checked("nps", answers, "nps", (*columns, weight))
    if not table[weight].type().is_numeric():
        raise MeasureError("nps", f"column {weight!r} holds {table[weight].type()}, not numbers", "Convert it")
    reduced = _reduce_weighted(table, scale, columns, weight)
    counts = counted.executed("nps", reduced, scale, (*columns, "_kind", "_weight"))
    if unusable := int(counts["unusable"].sum()):
        what = f"{unusable} answers have a {weight!r} that is missing, negative or infinite"
        raise MeasureError("nps", what, "Weights are 0 or more")
    cells = _weighed(counts, [*columns, "_kind"])
    parts = cells.groupby(list(by), dropna=False, sort=False).indices if by else {(): np.arange(len(cells))}
    rows = [_weighted_row(cells, places, margins, confidence) for places in parts.values()]
    groups = pd.DataFrame(rows, columns=_WEIGHTED)
    for position, name in enumerate(by):
        firsts = [places[0] for places in parts.values()]
        groups.insert(position, name, cells[name].iloc[firsts].array)
    return groups.sort_values(list(by), na_position="last", ignore_index=True) if by else groups


def _weighed(counts: pd.DataFrame, cell: list[str]) -> pd.DataFrame:
    """Return by cell n, anonymous, and the total and the squares of the weights of answers that count."""
    rows = counts.assign(total=counts["n"] * counts["_weight"], squares=counts["n"] * counts["_weight"] ** 2)
    sums = ["n", "anonymous", "total", "squares"]
    return rows.groupby(cell, dropna=False, sort=False)[sums].sum().reset_index()


def _weighted_row(
    cells: pd.DataFrame, places: np.ndarray, margins: tuple[str, ...], confidence: float
) -> dict[str, float]:
    group = cells.iloc[places]
    by_kind = group.groupby("_kind")[["n", "total"]].sum().reindex([1, 0, -1], fill_value=0)
    n, total = by_kind.sum()
    if total == 0:
        counts = [n, *by_kind["n"], group["anonymous"].sum()]
        return {name: float("nan") for name in _WEIGHTED} | dict(zip(_COUNTS, map(int, counts), strict=True))
    kish = total**2 / group["squares"].sum()
    shares = by_kind["total"] / total
    mean = shares[1] - shares[-1]
    inside = np.zeros(len(cells), dtype=bool)
    inside[places] = True
    spread = _calibrated(cells, np.where(inside, cells["_kind"] - mean, 0.0), margins)
    everyone = cells["n"].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(np.divide(everyone, everyone - 1) * (cells["squares"] * spread**2).sum()) / total
        deff = se**2 / ((shares[1] + shares[-1] - mean**2) / n)
    z = normal_quantile(confidence)
    low, high = max(mean - z * se, -1) * 100, min(mean + z * se, 1) * 100
    if shares.max() == 1:
        promoters, passives, detractors = ([share * kish] for share in shares)
        low, high = (end.item() for end in nps_interval(promoters, passives, detractors, confidence))
    counts = [n, *by_kind["n"], group["anonymous"].sum()]
    found = {"nps": 100 * mean, "low": low, "high": high, "se": 100 * se, "n_effective": kish, "deff": deff}
    return dict(zip(_COUNTS, map(int, counts), strict=True)) | found


def _calibrated(cells: pd.DataFrame, deviation: np.ndarray, margins: tuple[str, ...]) -> np.ndarray:
    """Return what the margins leave unexplained of the deviations, by weighted regression on their levels."""
    if not margins:
        return deviation
    levels = [pd.get_dummies(cells[name], dummy_na=True, dtype="float64") for name in margins]
    root = np.sqrt(cells["total"].to_numpy())
    design = pd.concat([pd.Series(1.0, cells.index), *levels], axis=1).to_numpy()
    solved = np.linalg.lstsq(design * root[:, None], deviation * root, rcond=None)[0]
    residual: np.ndarray = deviation - design @ solved
    return residual
