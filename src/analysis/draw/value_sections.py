"""What stands together in a section of the chapter on value: sentences, charts and tables on the same frames."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import pandas as pd

from analysis.draw import (
    care,
    charts,
    forecasts,
    losses,
    margin_verdicts,
    margins,
    offers,
    value,
    value_notes,
    value_tables,
    words,
)
from analysis.draw.page import Together, together
from analysis.draw.value_names import classed
from analysis.draw.words import Findings, Sentence
from analysis.vocabulary import SMALL_CELL


class Valued(Protocol):
    """What customers are worth: frames as the modules of drawing take them."""

    summary: pd.DataFrame
    totals: pd.DataFrame
    concentration: pd.DataFrame
    spread: pd.DataFrame
    tenths: pd.DataFrame
    dearest: pd.DataFrame
    assumptions: pd.DataFrame
    notes: tuple[str, ...]
    scores: pd.DataFrame
    weeks: pd.DataFrame
    calibration: pd.DataFrame


class Exposed(Protocol):
    """Value that may leave."""

    totals: pd.DataFrame
    customers: pd.DataFrame


class Reviewed(Protocol):
    """What offers earn."""

    summary: pd.DataFrame
    offers: pd.DataFrame
    stake: pd.DataFrame
    held: pd.DataFrame


class Tried(Protocol):
    """What is ordered together, and how offers by that fared."""

    rules: pd.DataFrame
    precision: pd.DataFrame
    justified: int
    split: dt.date | None
    baskets: int
    tested: int


_LISTED = 10
"""Customers of a list shown on the page."""


def _least(internal: bool) -> int:
    """Return how many customers a figure must rest on."""
    return 0 if internal else SMALL_CELL


def headlines(valued: Valued, exposed: Exposed, budget: pd.DataFrame, *, horizon: int, internal: bool) -> Findings:
    """Say what is to be expected, how sure it is, how much of it is at risk and what care may cost."""
    least = _least(internal)
    told = [value.worth(valued.totals, valued.summary, smallest=least), value.certainty(valued.tenths, smallest=least)]
    if not exposed.totals.empty:
        told.append(losses.exposed(exposed.totals, exposed.customers, horizon=horizon, smallest=least))
    if not budget.empty:
        told.append(care.budget(*_shown(budget, valued.summary, least)))
    return words.findings(told)


def offer_headlines(found: Reviewed, tried: Tried, *, internal: bool) -> Findings:
    """Say which offers pay and which are ordered together."""
    paying = margin_verdicts.verdicts(found.offers, found.summary, smallest=_least(internal))
    return words.findings([paying, _together_ordered(tried, _least(internal))])


def worth(valued: Valued, *, internal: bool) -> Together:
    """Show what customers have brought and are expected to bring, by kind and class."""
    least, won = _least(internal), int(valued.summary["won"].iloc[0])
    title = _classed("value_classes", valued.summary)
    return _shown_or_said(
        value.worth(valued.totals, valued.summary, smallest=least),
        value_tables.by_class(valued.totals, title=title, won=won if won >= least else 0, smallest=least),
    )


def _shown_or_said(told: Sentence | Findings, *shown: Any) -> Together:
    """Show charts and tables; where there is nothing to show, say what the findings say, or why there is nothing."""
    return together(*shown) if any(part != "" for part in shown) else together(told)


def _classed(name: str, summary: pd.DataFrame) -> str:
    return classed(words.title(name), str(summary["source"].iloc[0]))


def _n(valued: Valued) -> int:
    return int(valued.summary["n"].iloc[0])


def spread(valued: Valued, *, internal: bool, sheet: str = "") -> Together:
    """Show how expected values are spread over the customers, how sure they are, and of whom most is expected."""
    least, known = _least(internal), _n(valued) - int(valued.summary["missing"].iloc[0])
    title = words.title("value_spread", n=known)
    return together(
        value.concentrated(valued.concentration, valued.summary, smallest=least),
        charts.value_spread(valued.spread, title=title, smallest=least),
        value_tables.by_tenth(valued.tenths, title=words.title("value_tenths"), smallest=least),
        value_tables.dearest(valued.dearest, title=_classed("dearest", valued.summary), internal=internal, sheet=sheet),
    )


def value_at_risk(exposed: Exposed, *, horizon: int, source: str = "", internal: bool, sheet: str = "") -> Together:
    """Show how much value may leave, by class, and with whom; ``source`` names the tables the classes are by."""
    least = _least(internal)
    return _shown_or_said(
        losses.exposed(exposed.totals, exposed.customers, horizon=horizon, smallest=least),
        losses.by_class(exposed.totals, title=classed(words.title("losses"), source), smallest=least),
        losses.first(
            exposed.customers,
            title=classed(words.title("losses_list"), source),
            internal=internal,
            most=_LISTED,
            sheet=sheet,
        ),
    )


def model_check(valued: Valued, *, internal: bool) -> Together:
    """Show how well the orders of a time known by now would have been foretold."""
    tested = forecasts.check(valued.scores, valued.summary)
    if valued.weeks.empty:
        return together(tested, forecasts.marks(valued.scores, valued.summary, title=words.title("forecast_scores")))
    n = int(valued.calibration["customers"].sum())
    return together(
        tested,
        charts.tracking(valued.weeks, title=words.title("tracking", n=n)),
        charts.forecasts(valued.calibration, title=words.title("forecasts", n=n), smallest=_least(internal)),
        forecasts.marks(valued.scores, valued.summary, title=words.title("forecast_scores")),
    )


def margin_review(found: Reviewed, *, internal: bool) -> Together:
    """Show what each offer earns, which are weak, and what is at stake with those."""
    told = margin_verdicts.verdicts(found.offers, found.summary, smallest=_least(internal))
    if found.offers.empty:
        return together(told)
    least, of = _least(internal), str(found.summary["of"].iloc[0])
    title = words.title("contributions", n=int((found.offers["verdict"] != "not sold").sum()))
    return together(
        charts.contributions(found.offers, title=title, smallest=least),
        margins.by_offer(found.offers, title=words.title("contributions"), smallest=least),
        margins.stake(found.stake, found.held, of=of, smallest=least),
        margins.held_list(found.held, of=of, internal=internal),
    )


def next_offers(tried: Tried, listed: pd.DataFrame, *, internal: bool, sheet: str = "") -> Together:
    """Show what is ordered together, whether that makes good offers, and what to offer to whom where it does."""
    least = _least(internal)
    told = _together_ordered(tried, least)
    if offers.sure(tried.rules).empty:
        return together(told)
    return together(
        offers.rules_table(tried.rules, title=words.title("rules"), smallest=least),
        offers.judgement(tried.precision, justified=tried.justified, split=tried.split),
        offers.trial_table(tried.precision, title=words.title("trial"), smallest=least),
        offers.offer_list(listed, title=words.title("offer_list"), internal=internal, sheet=sheet),
    )


def _together_ordered(tried: Tried, least: int) -> Sentence:
    return offers.bought_together(tried.rules, baskets=tried.baskets, tested=tried.tested, smallest=least)


def care_budget(frame: pd.DataFrame, won: pd.DataFrame, *, internal: bool) -> Together:
    """Show what care and winning customers may cost by class."""
    shown, enough = _shown(frame, won, _least(internal))
    return _shown_or_said(care.budget(shown, enough), care.by_class(shown, title=_classed("care", won)))


def _shown(budget: pd.DataFrame, won: pd.DataFrame, least: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out classes, and the customers won, where they are fewer than so many."""
    return budget[budget["customers"] >= least], won.assign(won=won["won"].where(won["won"] >= least, 0))


def assumptions(valued: Valued, *, internal: bool) -> Together:
    """Show what the values rest on, and what the data leave open; unless ``internal`` nothing of fewer than 5."""
    shown = value_tables.without_few(valued.assumptions, valued.totals, least=_least(internal))
    table = value_tables.assumptions(shown, valued.summary, title=words.title("assumptions"))
    return together(table, value_notes.noted(valued.notes))
