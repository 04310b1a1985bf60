"""What stands together in a section of the chapter on leaving: sentences, charts and tables on the same frames."""

from __future__ import annotations

from typing import Any, Protocol

import pandas as pd

from analysis.draw import charts, departures, holding, risks, staying, tables, words
from analysis.draw import fees as money
from analysis.draw.language import _
from analysis.draw.page import Together, together
from analysis.draw.tables import Key

_SHARES: tuple[Key, ...] = ("exposed", "ended_of_exposed", "share", ("share_low", "share_high"))


class LogRank(Protocol):
    """A log-rank test."""

    chi2: float
    df: int
    p_value: float


def churn(rates: pd.DataFrame) -> Together:
    """Show the share that left by period. Columns in: as ``charts.trend`` and ``tables.table`` take them, and rate."""
    title = words.title("churn_share", by="period")
    chart = charts.trend(rates, value="share", low="share_low", high="share_high", unit="share", title=title)
    return together(chart, tables.table(rates, title=title, columns=["period", *_SHARES, "rate"]))


def stay(curve: pd.DataFrame, triangle: pd.DataFrame, faults: pd.DataFrame, *, smallest: int) -> Together:
    """Show how long customers stay, and by the month in which they came; say which contracts count otherwise.

    Columns in: as the two charts and ``staying.reversed_ends`` take them.
    """
    title = words.title("survival", n=curve.attrs["n"])
    chart = charts.survival(curve, title=title, smallest=smallest, note=staying.lasted(curve.attrs["from_time"]))
    months = charts.retention(triangle, title=words.title("cohorts"), min_group=smallest)
    return together(chart, months, staying.outside(curve, triangle, smallest=smallest), staying.reversed_ends(faults))


def groups(curves: pd.DataFrame, rates: pd.DataFrame, by: str, *, of: int, test: LogRank, smallest: int) -> Together:
    """Show how long the customers of each group stay and which share of it left.

    ``of`` is the number of spells in all groups, shown or not. Columns in: the group, and as ``charts.survival`` and
    ``churn`` take them.
    """
    notes = [
        staying.logrank(test.chi2, test.df, test.p_value),
        staying.lasted(curves.attrs["from_time"]),
        _not_shown(of - curves.attrs["n"]),
    ]
    title, note = words.title("survival", by=by), " ".join(filter(None, notes))
    chart = charts.survival(curves, by=by, title=title, smallest=smallest, note=note)
    return together(chart, tables.table(rates, title=words.title("churn_share", by=by), columns=[by, *_SHARES]))


def _not_shown(spells: int) -> str:
    """Say that groups are not shown, not of how many: less what is told of one elsewhere, that might be few."""
    return _("Not shown: groups of less weight.") if spells else ""


def reasons(frame: pd.DataFrame, *more: Any, period: str, internal: bool) -> Together:
    """Show why customers left, or only that nobody knows, where it is not on record; then what else there is.

    Columns in: a table of reasons.
    """
    if frame.attrs["not_in_codebook"] == {}:
        return together(departures.why(frame), *more)
    title = words.title("reasons", period=period, n=frame.attrs["n"])
    parts = [
        departures.why(frame),
        charts.reasons(frame, title=title),
        departures.by_reason(frame, title=title, internal=internal),
        departures.uncoded(frame, title=words.title("uncoded"), shown=internal),
    ]
    return together(*parts, *more)


def causes(shares: pd.DataFrame, at: pd.DataFrame, *, smallest: int) -> Together:
    """Show when each reason strikes. Columns in: as ``charts.incidence`` and ``departures.when`` take them."""
    if shares["cause"].isin(["unknown"]).all():
        return together(departures.when(at))
    title = words.title("incidence", by="cause", n=shares.attrs["n"])
    return together(departures.when(at), charts.incidence(shares, title=title, min_group=smallest))


def ratios(frame: pd.DataFrame, n: int, *more: Any) -> Together:
    """Show with what leaving goes, of ``n`` customers, then what else there is. Columns in: as ``charts.forest``."""
    return together(charts.forest(frame, title=words.title("hazard_ratio", n=n)), *more)


def fees(frame: pd.DataFrame, *more: Any) -> Together:
    """Show what became of the monthly fees by period, then what else there is.

    Columns in: as ``fees.tellable`` returns them.
    """
    title = words.title("net_retention", by="period")
    chart = charts.trend(frame, value="net_retention", low="net_low", high="net_high", unit="share", title=title)
    table = money.by_period(frame, title=words.title("fees", by="period"))
    return together(money.revenue(frame), chart, table, *more)


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


class Risk(Protocol):
    """How likely each customer is to leave: frames as the functions of ``risks`` take them."""

    risks: pd.DataFrame
    by_risk: pd.DataFrame
    scores: pd.DataFrame
    calibration: pd.DataFrame
    windows: pd.DataFrame
    summary: pd.DataFrame
    attributes: pd.DataFrame
    left_out: pd.DataFrame


def risk(found: Risk, *, internal: bool, sheet: str = "", most: int = 20) -> Together:
    """Show how good the scores of risk are, how the risk is spread, whose it is highest, and what it rests on."""
    return together(
        risks.quality(found.scores, found.calibration),
        charts.calibration(found.calibration, title=words.title("calibration", n=int(found.calibration["n"].sum()))),
        risks.marks(found.scores),
        risks.by_risk(found.by_risk),
        risks.at_risk_list(found.risks, internal=internal, sheet=sheet, most=most),
        risks.windows(found.windows, found.summary),
        risks.attributes(found.attributes, found.left_out),
    )
