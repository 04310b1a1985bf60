"""Hazards: what goes with spells ending sooner. A piecewise-exponential model on person-time by covariate pattern."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import special

from analysis.errors import MeasureError
from analysis.measures import model_terms
from analysis.measures.codings import Coding, by_level, code, design, encoded
from analysis.measures.covariates import Covariate, Covariates, declared
from analysis.measures.frames import Rows, as_table, check_confidence, require
from analysis.measures.glm import Estimates, Rates, fit_rates
from analysis.measures.inference import Floats, normal_quantile
from analysis.measures.person_time import PersonTime, person_time, scores_by_customer

MODEL = "hazard_model"
MOST = 700.0
"""The greatest log of a hazard that is told from the next: beyond it numbers end, and the event is certain."""
_ENDLESS = 50.0
"""Half the width, on the log scale, of an interval for a rate about which separated levels leave nothing known."""
_NO_BASE: Mapping[str, Hashable] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class HazardModel:
    """A fitted hazard model. Frames have one row a level, an interval or a covariate, in the order given.

    ``terms``: term, level, ratio (of hazards, to the base or a unit), low, high, se (of the log ratio), p, p_holm
    (over all rows). ``baseline``: interval, events, exposure (unit of exit), rate (a unit of exit, at the base levels,
    numbers at 0), low, high. ``levels``: term, level, spells, events, exposure, status (base, estimated, sparse: fewer
    than 5 events, separated: no events there or none elsewhere, follows: other covariates give it); only estimated and
    sparse levels have a ratio. ``joint_tests``: term, chi2, df, p, p_holm (Wald). ``proportionality``: the same, for
    the interaction of each covariate with the interval (score test). ``inflation``: term, gvif, df, gvif_root.
    """

    terms: pd.DataFrame
    baseline: pd.DataFrame
    levels: pd.DataFrame
    joint_tests: pd.DataFrame
    proportionality: pd.DataFrame
    inflation: pd.DataFrame
    notes: tuple[str, ...]
    loglik: float
    n: int
    events: int
    exposure: float
    zero_length: int
    left_out: int
    confidence: float
    robust: bool
    cuts: tuple[float, ...]
    last_exit: float
    estimates: Estimates = field(repr=False)
    codings: tuple[Coding, ...] = field(repr=False)
    patterns: pd.DataFrame = field(repr=False)
    spells_of_pattern: Floats = field(repr=False)

    @property
    def params(self) -> pd.Series:
        """Return the log ratios, then the log rates of the intervals that hold events; missing where not estimable."""
        return self.estimates.params

    def conf_int(self) -> pd.DataFrame:
        """Return low and high of the params."""
        return self.estimates.conf_int(self.confidence)

    def predict(self, rows: pd.DataFrame, *, horizon: float) -> pd.Series:
        """Return for each row the probability that the event has come by ``horizon``, counted from time 0."""
        given = design(MODEL, self.codings, encoded(rows, self.codings, MODEL))
        level = given @ self.estimates.values[: given.shape[1]] + special.logsumexp(log_reached(self, horizon))
        return pd.Series(-np.expm1(-np.exp(level.clip(max=MOST))), index=rows.index, name="probability")

    def summary(self) -> str:
        """Return the model as plain text."""
        head = f"Hazard model: {self.n} spells, {self.events} events, log-likelihood {self.loglik:.2f}"
        frames = (self.terms, self.baseline, self.joint_tests, self.proportionality)
        return "\n\n".join([head, *(frame.to_string(index=False) for frame in frames), *self.notes])


def hazard_model(
    spells: Rows,
    covariates: Covariates,
    *,
    cuts: Sequence[float],
    base: Mapping[str, Hashable] = _NO_BASE,
    event_cause: str | None = None,
    robust: bool = False,
    confidence: float = 0.95,
) -> HazardModel:
    """Compare the rates at which spells end by covariate, other things equal: ratios of hazards.

    The hazard is constant within the intervals (0, cuts[0]], (cuts[0], cuts[1]], … and proportional between levels.
    A name alone enters as a factor, its base the most frequent level unless ``base`` names one; numbers enter as
    ``Cuts``, ``Spline`` or ``Linear``. With ``event_cause`` only spells that end by it are events, other ends censor.
    With ``robust`` the spells of a customer may hang together: standard errors are from scores summed by customer.

    Columns in: ``entry, exit`` (non-negative numbers in one unit), ``event`` (0 or 1), the covariates' columns; with
    ``event_cause`` also ``cause``, with ``robust`` also ``customer_id``. Spells of length zero are left out.
    Columns out: see :class:`HazardModel`.

    Raises MeasureError for an absent column, values outside their domain, cuts that do not rise, an unknown base,
    more than 200,000 covariate patterns or 50 levels, and where there is no event.
    Source: Holford (1980), Biometrics 36, 299-305; Laird and Olivier (1981), JASA 76, 231-240; for robust, Lin and Wei
    (1989), JASA 84, 1074-1078.

    >>> ledger = pd.DataFrame({"entry": 0, "exit": [2, 4, 6, 8], "event": [1, 1, 1, 0], "plan": ["a", "a", "b", "b"]})
    >>> model = hazard_model(ledger, "plan", cuts=[], base={"plan": "b"})  # a: 2 events in 6, b: 1 in 14
    >>> model.terms[["term", "level", "ratio"]].round(3)
       term level  ratio
    0  plan     a  4.667
    """
    table = as_table(spells)
    ends = _checked_cuts(cuts)
    check_confidence(MODEL, confidence)
    needed = ["entry", "exit", "event"]
    needed += ["cause"] if event_cause is not None else []
    needed += ["customer_id"] if robust else []
    require(MODEL, table, needed)
    entering = declared(MODEL, table, covariates, taken=needed, numbers_are_linear=False)
    watched = person_time(MODEL, table, entering, ends, event_cause)
    codings = code(MODEL, entering, watched.patterns, np.column_stack([watched.n, watched.events.sum(axis=1)]), base)
    columns = [name for coding in codings for name in coding.columns]
    rows = design(MODEL, codings, watched.patterns)
    fitted = fit_rates(MODEL, columns, interval_names(ends), rows, watched.events, watched.exposure)
    if robust:
        fitted = _clustered(fitted, rows, table, entering, ends, event_cause, watched.patterns)
    return _told(codings, watched, rows, fitted, ends, confidence, robust)


def interval_names(cuts: Sequence[float]) -> list[str]:
    """Return the names of the intervals between cuts.

    >>> interval_names([90, 365])
    ['(0, 90]', '(90, 365]', '> 365']
    """
    ends = [f"{cut:.15g}" for cut in (0, *cuts)]
    return [*(f"({low}, {high}]" for low, high in pairwise(ends)), f"> {ends[-1]}"]


def log_reached(model: HazardModel, horizon: float) -> Floats:
    """Return by interval that holds events the log of the hazard at the base that is reached in it by the horizon.

    Raises MeasureError where the horizon is past what was watched, or nobody was watched on the way to it.
    """
    if not 0 < horizon <= model.last_exit:
        raise MeasureError(
            MODEL, f"horizon {horizon} is not among the times watched", f"Give one up to {model.last_exit:.15g}"
        )
    low = np.array([0, *model.cuts])
    spans = (np.minimum([*model.cuts, np.inf], horizon) - low).clip(0)
    unwatched = model.baseline["interval"][(model.baseline["exposure"] == 0).to_numpy() & (spans > 0)]
    if len(unwatched):
        raise MeasureError(
            MODEL, f"nobody was watched in {unwatched.iloc[0]}", "Give an earlier horizon, or other cuts"
        )
    lasting = model.baseline["events"].to_numpy() > 0
    log_spans = np.log(spans[lasting], out=np.full(int(lasting.sum()), -np.inf), where=spans[lasting] > 0)
    found: Floats = model.estimates.values[-len(log_spans) :] + log_spans
    return found


def _checked_cuts(cuts: Sequence[float]) -> tuple[float, ...]:
    ends = tuple(float(cut) for cut in cuts)
    if not all(np.isfinite(ends)) or not (np.diff([0.0, *ends]) > 0).all():
        raise MeasureError(MODEL, f"cuts are {ends}", "Give numbers above 0 that rise")
    return ends


def _clustered(
    fitted: Rates,
    rows: Floats,
    table: ir.Table,
    covariates: tuple[Covariate, ...],
    cuts: tuple[float, ...],
    event_cause: str | None,
    patterns: pd.DataFrame,
) -> Rates:
    """Put the sandwich of scores by customer, times G / (G - 1), in the place of the covariance."""
    estimates = fitted.estimates
    side = patterns.assign(
        _ratio=fitted.ratios,
        **{f"_z{number}": column for number, column in enumerate(rows.T)},
    )
    customers, products = scores_by_customer(table, covariates, cuts, event_cause, side, fitted.rates)
    if customers < 2:
        raise MeasureError(MODEL, f"{customers} customers are too few for robust", "Leave robust out")
    sandwich = estimates.covariance @ products @ estimates.covariance * customers / (customers - 1)
    return replace(fitted, estimates=replace(estimates, covariance=sandwich))


def _told(
    codings: tuple[Coding, ...],
    watched: PersonTime,
    rows: Floats,
    fitted: Rates,
    cuts: tuple[float, ...],
    confidence: float,
    robust: bool,
) -> HazardModel:
    estimates = fitted.estimates
    events = watched.events.sum(axis=1)
    sums = pd.DataFrame({"spells": watched.n, "events": events, "exposure": watched.exposure.sum(axis=1)})
    counted = by_level(MODEL, codings, watched.patterns, sums)
    levels = model_terms.status(codings, counted.assign(fewest=counted["events"]), estimates)
    return HazardModel(
        terms=model_terms.terms(codings, estimates, confidence),
        baseline=_baseline(watched, fitted, cuts, confidence),
        levels=levels.astype({"spells": "int64", "events": "int64"}),
        joint_tests=model_terms.joint_tests(codings, estimates),
        proportionality=_proportionality(codings, rows, watched.events, fitted),
        inflation=model_terms.inflation(codings, estimates),
        notes=model_terms.notes(levels),
        loglik=estimates.loglik,
        n=int(watched.n[watched.n > 0].sum()),
        events=int(events.sum()),
        exposure=float(watched.exposure.sum()),
        zero_length=watched.zero_length,
        left_out=watched.left_out,
        confidence=confidence,
        robust=robust,
        cuts=cuts,
        last_exit=watched.last_exit,
        estimates=estimates,
        codings=codings,
        patterns=watched.patterns,
        spells_of_pattern=watched.n,
    )


def _baseline(watched: PersonTime, fitted: Rates, cuts: tuple[float, ...], confidence: float) -> pd.DataFrame:
    events, exposure = watched.events.sum(axis=0), watched.exposure.sum(axis=0)
    known = int(fitted.lasting.sum())
    half, rate = np.full(len(events), np.nan), np.where(exposure > 0, 0, np.nan)
    variance = fitted.estimates.covariance.diagonal()[-known:].clip(0)
    half[fitted.lasting] = normal_quantile(confidence) * np.sqrt(variance)
    half[half > _ENDLESS] = np.nan
    with np.errstate(over="ignore"):
        rate[fitted.lasting] = np.exp(fitted.estimates.values[-known:])
    return pd.DataFrame(
        {
            "interval": interval_names(cuts),
            "events": events.astype(np.int64),
            "exposure": exposure,
            "rate": rate,
            "low": rate * np.exp(-half),
            "high": rate * np.exp(half),
        }
    )


def _proportionality(codings: tuple[Coding, ...], rows: Floats, events: Floats, fitted: Rates) -> pd.DataFrame:
    """Test the interaction of each covariate with the interval by its score: it needs no fit, which sparse cells upset.

    Source: Rao (1948), Mathematical Proceedings of the Cambridge Philosophical Society 44, 50-57.
    """
    expected = fitted.expected[:, fitted.lasting]
    excess = (events - fitted.expected)[:, fitted.lasting]
    crossed = np.stack([(rows * of_interval[:, None]).T @ rows for of_interval in expected.T])
    score, summed = rows.T @ excess, rows.T @ expected
    tests = []
    for coding in codings:
        own = np.arange(coding.place.start, coding.place.stop)[fitted.estimates.estimable[coding.place]]
        apart = np.eye(len(crossed))
        within = np.einsum("kij,kl->ikjl", crossed[:, own[:, None], own], apart)
        across = np.concatenate(
            [crossed[:, own].transpose(1, 0, 2), np.einsum("ik,kl->ikl", summed[own], apart)], axis=2
        )
        size = len(own) * len(crossed)
        across = across.reshape(size, len(fitted.inverse))
        left = within.reshape(size, size) - across @ fitted.inverse @ across.T
        tests.append((coding.name, *model_terms.quadratic(score[own].ravel(), left)))
    return model_terms.with_p(tests)
