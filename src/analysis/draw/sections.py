"""What stands together in a section of the chapter on leaving: sentences, charts and tables on the same frames."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.draw import charts, departures, holding, numbers, risks, staying, tables, words
from analysis.draw.language import _
from analysis.draw.page import Together, together
from analysis.draw.tables import Key

_SHARES: tuple[Key, ...] = ("exposed", "ended_of_exposed", "share", ("share_low", "share_high"))


def churn(rates: pd.DataFrame) -> Together:
    """Show the share that left by period. Columns in: as ``charts.trend`` and ``tables.table`` take them, and rate."""
    title = words.title("churn_share", by="period")
    chart = charts.trend(rates, value="share", low="share_low", high="share_high", unit="share", title=title)
    return together(chart, tables.table(rates, title=title, columns=["period", *_SHARES, "rate"]))


def stay(curve: pd.DataFrame, triangle: pd.DataFrame, *, smallest: int) -> Together:
    """Show how long customers stay, and by the month in which they came. Columns in: as the two charts take them."""
    title = words.title("survival", n=curve.attrs["n"])
    chart = charts.survival(curve, title=title, smallest=smallest, note=_lasted(curve))
    return together(chart, charts.retention(triangle, title=words.title("cohorts"), min_group=smallest))


def groups(
    curves: pd.DataFrame, rates: pd.DataFrame, by: str, *, of: int, test: tuple[float, int, float], smallest: int
) -> Together:
    """Show how long the customers of each group stay and which share of it left; ``test``: chi2, df, p of log-rank.

    ``of`` is the number of spells in all groups, shown or not. Columns in: the group, and as ``charts.survival`` and
    ``churn`` take them.
    """
    notes = [staying.logrank(*test), _lasted(curves), _not_shown(of - curves.attrs["n"])]
    title, note = words.title("survival", by=by), " ".join(filter(None, notes))
    chart = charts.survival(curves, by=by, title=title, smallest=smallest, note=note)
    return together(chart, tables.table(rates, title=words.title("churn_share", by=by), columns=[by, *_SHARES]))


def _lasted(curve: pd.DataFrame) -> str:
    """Say that a curve is that of those who have lasted until it begins, where it does not begin at 0."""
    from_time = curve.attrs["from_time"]
    if not from_time > 0:
        return ""
    text = _("Of those who were customers for {days} days already; before that too few are on record.")
    return text.format(days=numbers.show(from_time, "count"))


def _not_shown(spells: int) -> str:
    text = _("Not shown: {count} spells in groups of less weight.")
    return text.format(count=numbers.show(spells, "count")) if spells else ""


def reasons(frame: pd.DataFrame, *, period: str, internal: bool) -> Together:
    """Show why contracts ended. Columns in: those of a table of reasons."""
    title = words.title("reasons", period=period, n=frame.attrs["n"])
    parts = [departures.why(frame), charts.reasons(frame, title=title), departures.by_reason(frame, title=title)]
    return together(*parts, departures.uncoded(frame, title=words.title("uncoded"), shown=internal))


def causes(shares: pd.DataFrame, at: pd.DataFrame, *, smallest: int) -> Together:
    """Show when each reason strikes. Columns in: of ``shares`` and ``at`` cause, time, incidence, low, high."""
    title = words.title("incidence", by="cause", n=shares.attrs["n"])
    return together(departures.when(at), charts.incidence(shares, title=title, min_group=smallest))


def fees(frame: pd.DataFrame) -> Together:
    """Show what became of the monthly fees by period. Columns in: those of revenue churn by period."""
    title = words.title("net_retention", by="period")
    chart = charts.trend(frame, value="net_retention", low="net_low", high="net_high", unit="share", title=title)
    table = departures.by_period(frame, title=words.title("fees", by="period"))
    return together(departures.revenue(frame), chart, table)


def bonds(
    mixed: pd.DataFrame,
    gap: pd.DataFrame,
    soon: pd.DataFrame,
    *,
    period: str,
    smallest: int,
    days: int,
    internal: bool,
) -> Together:
    """Show what holds the customers and who left, then whom a contract alone holds and whose notice is near.

    Columns in: as ``charts.bond_mix``, ``holding.bonds`` and ``holding.notice_list`` take them.
    """
    title = words.title("bonds", period=period, n=mixed["customers"].sum())
    chart = charts.bond_mix(mixed, title=title, smallest=smallest, internal=internal)
    told = holding.notice(soon, days=days, internal=internal)
    return together(
        holding.bonds(mixed, gap, smallest=smallest, internal=internal),
        chart,
        told,
        holding.notice_list(soon, internal=internal),
    )


def fading(summary: pd.DataFrame, customers: pd.DataFrame, *, internal: bool) -> Together:
    """Show how many satisfied customers order less often, and who. Columns in: as those of ``holding`` take."""
    return together(holding.fading(summary, internal=internal), holding.fading_list(customers, internal=internal))


def model(scores: pd.DataFrame, calibration: pd.DataFrame, *more: Any) -> Together:
    """Show how good the scores of risk are, then what else there is to show of them.

    Columns in: as ``risks.quality`` and ``charts.calibration`` take them.
    """
    chart = charts.calibration(calibration, title=words.title("calibration", n=int(calibration["n"].sum())))
    return together(risks.quality(scores, calibration), chart, risks.marks(scores), *more)
