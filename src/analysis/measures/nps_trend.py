"""How the Net Promoter Score moves: by week, month or quarter, with a smoothed level and tests of every step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures import answers as counted
from analysis.measures.answers import Scale, times
from analysis.measures.frames import Rows, check_confidence
from analysis.measures.inference import Floats, holm, ratio, two_sided, verdicts
from analysis.measures.intervals import nps_interval

Every: TypeAlias = Literal["week", "month", "quarter"]
"""How long a period of the series is."""

_FORMS: dict[Every, tuple[str, str]] = {
    "week": ("W-SUN", "%G-W%V"),
    "month": ("M", "%Y-%m"),
    "quarter": ("Q", "%Y-Q%q"),
}
"""How pandas calls a period, and how its id is written."""

Scales: TypeAlias = Scale | Mapping[str, Scale]
"""One scale, or that of each survey by its name."""

_MOST_NAMED = 5

_FEWEST_PERIODS = 3
"""Answered periods below which the series says nothing of how its level moves."""


def nps_trend(
    answers: Rows,
    *,
    scale: Scales,
    every: Every = "month",
    timezone: str = "UTC",
    min_group: int = 5,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Follow the Net Promoter Score from period to period, with a smoothed level and a test of each step.

    A period is an ISO week, a calendar month or a quarter of ``timezone``. Of a customer's answers to one survey in
    one period the latest counts, as for ``nps``; answers without answered_at belong to none and are left out.

    Where surveys were asked on different scales, ``scale`` names that of each. Scores on two scales cannot be compared:
    each scale is a series of its own, with its own level, steps and family of tests.

    The level is what a local level model finds behind the scores: it takes each score as measured with the adjusted
    Wald variance of its period, and moves by normal steps whose variance is estimated by maximum likelihood. It runs
    through periods without answers; with fewer than three answered periods it is missing. Every later answer moves the
    levels of the periods before it, so they are no figures to report; the signal is the step to the last period before
    that was answered: customers who answered in both are paired, p is adjusted (Holm) over all steps tested.

    Columns in: nps (whole numbers on the scale, missing where not answered), answered_at (timestamp, UTC); where
    present also customer_id, survey (required where ``scale`` names surveys), response_id.

    Columns out: period (2026-W05, 2026-03, 2026-Q1), start (first day), scale (0 to 10, 1 to 10), n (answers), nps,
    low, high (points, adjusted Wald), level, level_low, level_high (points, cut at -100 and 100), step (points), p
    (two-sided, normal), p_holm, verdict (up, down, within noise; too few under ``min_group`` answers on either side;
    missing for the first period and those without answers). One row a scale and period, from the first to the last
    that was answered on this scale; the scale that was asked first comes first. ``attrs``: ``undated``, the answers
    left out.

    Raises MeasureError as ``nps`` does, where ``every`` or the time zone is unknown, answered_at is no timestamp or
    answers belong to a survey that ``scale`` does not name.
    Source: level: see ``local_level.smoothed_level``; intervals: see ``nps_interval``; steps: large-sample normal on
    plain counts, the paired by linearisation; Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    >>> days = pd.to_datetime(["2026-01-10"] * 40 + ["2026-03-10"] * 40)
    >>> answers = pd.DataFrame({"answered_at": days, "nps": [10] * 20 + [3] * 20 + [10] * 38 + [3] * 2})
    >>> nps_trend(answers, scale=(0, 10))[["period", "n", "nps", "step", "verdict"]]
        period   n   nps  step verdict
    0  2026-01  40   0.0   NaN     NaN
    1  2026-02   0   NaN   NaN     NaN
    2  2026-03  40  90.0  90.0      up
    """
    table, zone = _checked(answers, scale, every, confidence), _zone(timezone)
    series = [_series(part, own, every, zone, min_group, confidence) for own, part in _by_scale(table, scale)]
    undated = sum(one.attrs["undated"] for one in series)
    found = sorted((one for one in series if len(one)), key=lambda one: one["start"].iloc[0])
    trend = pd.concat(found, ignore_index=True) if found else series[0]
    trend.attrs = {"undated": undated}
    return trend


def _series(
    answers: ir.Table, scale: Scale, every: Every, zone: ZoneInfo, min_group: int, confidence: float
) -> pd.DataFrame:
    span = _reduce_span(answers).execute().iloc[0]
    periods = _periods(span["first"], span["last"], every, zone)
    begins = [_begin(day, zone) for day in periods.start_time]
    counts = counted.executed("nps_trend", _reduce_nps_trend(answers, scale, begins), scale, ("period",))
    counts = counts.set_index("period").reindex(range(len(periods))).astype("float64").fillna(0)
    written, named = _written(periods, every), pd.Series("{} to {}".format(*scale), counts.index, dtype="str")
    trend = pd.DataFrame({"period": written, "start": periods.start_time, "scale": named})
    trend = trend.assign(**_scores(counts, confidence), **_steps(counts, min_group, confidence))
    trend.attrs = {"undated": int(span["undated"])}
    return trend


def _by_scale(answers: ir.Table, scales: Scales) -> list[tuple[Scale, ir.Table]]:
    if not isinstance(scales, Mapping):
        return [(scales, answers)]
    surveys: dict[Scale, list[str]] = {}
    for survey, scale in scales.items():
        surveys.setdefault((scale[0], scale[1]), []).append(survey)
    return [(scale, answers.filter(answers["survey"].isin(named))) for scale, named in sorted(surveys.items())]


def _check_surveys(answers: ir.Table, scales: Mapping[str, Scale]) -> None:
    unnamed = _reduce_unnamed(answers, scales).execute()
    if len(unnamed):
        listed = ", ".join("missing" if pd.isna(name) else repr(name) for name in unnamed["survey"])
        problem = f"there are answers to surveys that scale does not name, such as {listed}"
        raise MeasureError("nps_trend", problem, f"Named are: {', '.join(map(repr, scales))}")


def _reduce_unnamed(answers: ir.Table, scales: Mapping[str, Scale]) -> ir.Table:
    """Reduce to a few of the surveys with answers whose scale is not named."""
    rated = counted.rated(answers, answers["nps"], ("survey",), one_per_customer=False)
    unnamed = rated.filter(rated["survey"].isnull() | rated["survey"].notin(list(scales)))
    return unnamed.select("survey").distinct().order_by("survey").limit(_MOST_NAMED)


def _checked(answers: Rows, scale: Scales, every: str, confidence: float) -> ir.Table:
    if not scale:
        raise MeasureError("nps_trend", "scale names no survey", "Name each with its scale, or declare one for all")
    for one in scale.values() if isinstance(scale, Mapping) else (scale,):
        counted.check_nps_scale("nps_trend", one)
    check_confidence("nps_trend", confidence)
    if every not in get_args(Every):
        raise MeasureError("nps_trend", f"every is {every!r}", f"Known: {', '.join(get_args(Every))}")
    surveys = ("survey",) if isinstance(scale, Mapping) else ()
    table = counted.checked("nps_trend", answers, "nps", ("answered_at", *surveys))
    if isinstance(scale, Mapping):
        _check_surveys(table, scale)
    kind = table["answered_at"].type()
    if not (kind.is_timestamp() or kind.is_null()):
        raise MeasureError("nps_trend", f"column 'answered_at' holds {kind}, not timestamps", "Convert it, in UTC")
    return table.mutate(answered_at=table["answered_at"].cast("timestamp")) if kind.is_null() else table


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MeasureError(
            "nps_trend", f"unknown time zone {timezone!r}", "Name one such as 'Europe/Berlin' or 'UTC'"
        ) from None


def _reduce_span(answers: ir.Table) -> ir.Table:
    rated = counted.rated(answers, answers["nps"], ("answered_at",), one_per_customer=False)
    at = rated["answered_at"]
    return rated.aggregate(first=at.min(), last=at.max(), undated=times(at.isnull()))


def _periods(first: object, last: object, every: Every, zone: ZoneInfo) -> pd.PeriodIndex:
    frequency = _FORMS[every][0]
    if pd.isna(first):
        return pd.PeriodIndex([], freq=frequency)
    return pd.period_range(_local_day(first, zone), _local_day(last, zone), freq=frequency)


def _local_day(instant: object, zone: ZoneInfo) -> dt.date:
    at = pd.Timestamp(instant)
    day: dt.date = (at.tz_localize("UTC") if at.tz is None else at).tz_convert(zone).date()
    return day


def _begin(day: pd.Timestamp, zone: ZoneInfo) -> int:
    """Return the second of the epoch at which the day begins; where the clock skips midnight, that of the skip."""
    return int(dt.datetime.combine(day.date(), dt.time(), tzinfo=zone).timestamp())


def _written(periods: pd.PeriodIndex, every: Every) -> pd.Index:
    return (periods if every == "quarter" else periods.start_time).strftime(_FORMS[every][1])


def _reduce_nps_trend(answers: ir.Table, scale: Scale, begins: Sequence[int]) -> ir.Table:
    """Reduce to a row a period, by its place: counts, and the sums of products over customers of the period before."""
    by_customer = _by_customer(answers, scale, begins)
    counts = {name: by_customer[name].sum() for name in ("n", "promoters", "detractors", "off_scale")}
    ends = {"off_low": by_customer["off_low"].min(), "off_high": by_customer["off_high"].max()}
    periods = by_customer.group_by("period").aggregate(**counts, **ends)
    before = periods["period"].lag().over(ibis.window(order_by="period"))
    found = periods.left_join(_pairs(by_customer, periods.select("period", before=before)), "period")
    return found.drop("period_right")


def _by_customer(answers: ir.Table, scale: Scale, begins: Sequence[int]) -> ir.Table:
    """Return a row a period and customer, one of them for all answers without a customer."""
    if "customer_id" not in answers.columns:
        answers = answers.mutate(customer_id=ibis.null("string"))
    dated = answers.filter(answers["answered_at"].notnull())
    dated = dated.mutate(period=_place(dated["answered_at"].epoch_seconds(), begins[1:]))
    rated = counted.rated(dated, dated["nps"], ("period", "customer_id"), one_per_customer=True)
    kept, value = rated["_kept"], rated["_rating"]
    return rated.group_by(["period", "customer_id"]).aggregate(
        n=times(kept),
        promoters=times(kept & (value >= 9)),
        detractors=times(kept & (value <= 6)),
        **counted.off_scale(value, scale),
    )


def _place(second: ir.Value, begins: Sequence[int], first: int = 0) -> ir.Value:
    """Return how many of the begins the second has reached; by halves, so that years of weeks stay cheap."""
    if not begins:
        return ibis.literal(first, type="int64")
    middle = len(begins) // 2
    earlier, later = _place(second, begins[:middle], first), _place(second, begins[middle + 1 :], first + middle + 1)
    return (second < begins[middle]).ifelse(earlier, later)


def _pairs(by_customer: ir.Table, periods: ir.Table) -> ir.Table:
    """Return by period the sums over customers who answered in it and in the one before, by which they covary."""
    named = by_customer.filter(by_customer["customer_id"].notnull())
    score = (named["promoters"] - named["detractors"]).cast("float64")
    named = named.select("period", "customer_id", n=named["n"].cast("float64"), score=score)
    in_turn = ibis.window(group_by="customer_id", order_by="period")
    seen = named.mutate(**{f"{name}_before": named[name].lag().over(in_turn) for name in ("period", "n", "score")})
    both = seen.join(periods, "period")
    both = both.filter(both["period_before"] == both["before"])
    return both.group_by("period").aggregate(
        scores=(both["score"] * both["score_before"]).sum(),
        score_n=(both["score"] * both["n_before"]).sum(),
        n_score=(both["n"] * both["score_before"]).sum(),
        ns=(both["n"] * both["n_before"]).sum(),
    )


def _scores(counts: pd.DataFrame, confidence: float) -> dict[str, pd.Series]:
    n, promoters, detractors = counts["n"], counts["promoters"], counts["detractors"]
    score = 100 * (promoters - detractors) / n.where(n > 0)
    low, high = nps_interval(promoters, n - promoters - detractors, detractors, confidence)
    levels = _levels(score.to_numpy(), _adjusted_variance(counts), confidence)
    named = dict(zip(("level", "level_low", "level_high"), levels, strict=True))
    return {"n": n.astype("int64"), "nps": score, "low": low, "high": high, **named}


def _adjusted_variance(counts: pd.DataFrame) -> Floats:
    """Return the adjusted Wald variance of each score, in points²; unlike a plain one it is never 0."""
    n, promoters, detractors = counts["n"] + 3, counts["promoters"] + 0.75, counts["detractors"] + 0.75
    spread = (promoters + detractors) / n - ((promoters - detractors) / n) ** 2
    variance: Floats = (100**2 * spread / n).to_numpy()
    return variance


def _levels(scores: Floats, variances: Floats, confidence: float) -> list[Floats]:
    if np.isfinite(scores).sum() < _FEWEST_PERIODS:
        return [np.full_like(scores, np.nan)] * 3
    from analysis.measures.local_level import smoothed_level  # takes more than a second to import

    return [ends.clip(-100, 100) for ends in smoothed_level(scores, variances, confidence)]


def _steps(counts: pd.DataFrame, min_group: int, confidence: float) -> pd.DataFrame:
    """Test each answered period against the one answered before it."""
    now = counts[counts["n"] > 0]
    now = now.assign(mean=(now["promoters"] - now["detractors"]) / now["n"])
    now["variance"] = (now["promoters"] + now["detractors"]) / now["n"] - now["mean"] ** 2
    before = now.shift()
    step = now["mean"] - before["mean"]
    covariance = (
        now["scores"]
        - before["mean"] * now["score_n"]
        - now["mean"] * now["n_score"]
        + now["mean"] * before["mean"] * now["ns"]
    ) / (now["n"] * before["n"])
    variance = now["variance"] / now["n"] + before["variance"] / before["n"] - 2 * covariance
    enough = np.minimum(now["n"], before["n"]) >= max(min_group, 2)
    p = np.where(enough, two_sided(ratio(step, np.sqrt(variance.clip(lower=0)))), np.nan)
    p_holm = holm(p)
    verdict = pd.Series(verdicts(step, p_holm, confidence), now.index, dtype="str").where(step.notna())
    return pd.DataFrame({"step": 100 * step, "p": p, "p_holm": p_holm, "verdict": verdict}).reindex(counts.index)
