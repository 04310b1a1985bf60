"""Logistic regression on covariate patterns: what goes with an outcome that is there or not."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import special

from analysis.errors import MeasureError
from analysis.measures import model_terms
from analysis.measures.codings import Coding, by_level, code, design, encoded
from analysis.measures.covariates import Covariate, Covariates, complete, declared, executed, keys
from analysis.measures.frames import Rows, as_table, check_confidence, require
from analysis.measures.glm import Estimates, fit_odds
from analysis.measures.inference import Floats

MODEL = "logistic_model"
_NO_BASE: Mapping[str, Hashable] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """A fitted logistic model. Frames have one row a level or a covariate, in the order given.

    ``terms``: term, level (missing where the term is a number), ratio (of odds, to the base or a unit), low, high, se
    (of the log ratio), p, p_holm (over all rows). ``levels``: term, level, rows, events, status (base, estimated,
    sparse: fewer than 5 rows with or without the outcome, separated: the outcome is always or never there, follows:
    other covariates give it); only estimated and sparse levels have a ratio. ``joint_tests``: term, chi2, df, p,
    p_holm (Wald). ``inflation``: term, gvif, df, gvif_root. ``auc`` and ``brier`` are those of the rows fitted.
    """

    terms: pd.DataFrame
    levels: pd.DataFrame
    joint_tests: pd.DataFrame
    inflation: pd.DataFrame
    notes: tuple[str, ...]
    loglik: float
    auc: float
    brier: float
    n: int
    events: int
    left_out: int
    confidence: float
    estimates: Estimates = field(repr=False)
    codings: tuple[Coding, ...] = field(repr=False)
    patterns: pd.DataFrame = field(repr=False)
    rows_of_pattern: Floats = field(repr=False)

    @property
    def params(self) -> pd.Series:
        """Return the log odds ratios, then the intercept; missing where not estimable."""
        return self.estimates.params

    def conf_int(self) -> pd.DataFrame:
        """Return low and high of the params."""
        return self.estimates.conf_int(self.confidence)

    def predict(self, rows: pd.DataFrame) -> pd.Series:
        """Return for each row the probability of the outcome; missing where a number is."""
        given = design(MODEL, self.codings, encoded(rows, self.codings, MODEL))
        share = special.expit(given @ self.estimates.values[:-1] + self.estimates.values[-1])
        return pd.Series(share, index=rows.index, name="probability")

    def summary(self) -> str:
        """Return the model as plain text."""
        head = (
            f"Logistic model: {self.n} rows, {self.events} with the outcome, log-likelihood {self.loglik:.2f}, "
            f"AUC {self.auc:.3f}, Brier score {self.brier:.3f}"
        )
        return "\n\n".join(
            [head, *(frame.to_string(index=False) for frame in (self.terms, self.joint_tests)), *self.notes]
        )


def logistic_model(
    table: Rows,
    outcome: str,
    covariates: Covariates,
    *,
    base: Mapping[str, Hashable] = _NO_BASE,
    confidence: float = 0.95,
) -> LogisticModel:
    """Compare the odds of an outcome by covariate, other things equal: odds ratios.

    A name alone enters as a factor, its base the most frequent level unless ``base`` names one, or, where the column
    holds numbers, as ``Linear``; ``Factor``, ``Cuts`` and ``Spline`` say otherwise.

    Columns in: the outcome (0 or 1, or a truth value) and the covariates' columns. Rows without outcome, or without a
    number that must be one, are left out.
    Columns out: see :class:`LogisticModel`.

    Raises MeasureError for an absent column, an outcome other than 0 and 1 or the same in all rows, an unknown base,
    and more than 200,000 covariate patterns or 50 levels.
    Source: McCullagh and Nelder, Generalized Linear Models (1989), chapter 4.

    >>> rows = pd.DataFrame({"left": [1, 1, 1, 0, 1, 0, 0, 0, 0], "plan": ["a"] * 4 + ["b"] * 5})
    >>> logistic_model(rows, "left", "plan").terms[["term", "level", "ratio"]].round(3)  # a: 3 to 1, b: 1 to 4
       term level  ratio
    0  plan     a   12.0
    """
    rows = as_table(table)
    check_confidence(MODEL, confidence)
    require(MODEL, rows, (outcome,))
    kind = rows[outcome].type()
    if not (kind.is_boolean() or kind.is_numeric()):
        raise MeasureError(MODEL, f"the outcome {outcome!r} holds {kind}", "Make it 0 and 1, or a truth value")
    entering = declared(MODEL, rows, covariates, taken=(outcome,), numbers_are_linear=True)
    found = executed(MODEL, _reduce_patterns(rows, outcome, entering), rows, entering)
    if faulty := int(found["_faulty"].sum()):
        raise MeasureError(MODEL, f"{faulty} values of {outcome!r} are neither 0 nor 1", "Make it 0 and 1")
    used = complete(found, entering) & (found["_n"] > 0)
    kept = found[used].reset_index(drop=True)
    patterns, n, events = kept[list(keys(rows, entering))], _floats(kept["_n"]), _floats(kept["_events"])
    if not 0 < events.sum() < n.sum():
        raise MeasureError(MODEL, f"{outcome!r} is the same in all {n.sum():.0f} rows", "There is nothing to compare")
    codings = code(MODEL, entering, patterns, np.column_stack([n, events, n - events]), base)
    columns = [name for coding in codings for name in coding.columns]
    estimates = fit_odds(MODEL, columns, design(MODEL, codings, patterns), events, n)
    return _told(codings, patterns, n, events, estimates, int(found["_all"].sum() - n.sum()), confidence)


def _floats(column: pd.Series) -> Floats:
    values: Floats = column.to_numpy(dtype=np.float64)
    return values


def _reduce_patterns(table: ir.Table, outcome: str, covariates: Sequence[Covariate]) -> ir.Table:
    """Reduce to one row a pattern: rows with an outcome, and those of them where it is there."""
    value = table[outcome]
    if value.type().is_boolean():
        value = ibis.ifelse(value, 1, 0)
    elif value.type().is_floating():
        value = ibis.ifelse(value.isnan(), ibis.null(value.type()), value)
    coded = table.select(**keys(table, covariates), _value=value)
    known, is_sound = coded["_value"], coded["_value"].isin((0, 1))
    return coded.group_by(*keys(table, covariates)).aggregate(
        _n=known.count(),
        _events=ibis.ifelse(known == 1, 1, 0).sum(),
        _faulty=ibis.ifelse(known.notnull() & ~is_sound, 1, 0).sum(),
        _all=coded.count(),
    )


def _told(
    codings: tuple[Coding, ...],
    patterns: pd.DataFrame,
    n: Floats,
    events: Floats,
    estimates: Estimates,
    left_out: int,
    confidence: float,
) -> LogisticModel:
    rows = design(MODEL, codings, patterns)
    share = special.expit(rows @ estimates.values[:-1] + estimates.values[-1])
    counted = by_level(MODEL, codings, patterns, pd.DataFrame({"rows": n, "events": events}))
    fewest = np.minimum(counted["events"], counted["rows"] - counted["events"])
    levels = model_terms.status(codings, counted.assign(fewest=fewest), estimates)
    return LogisticModel(
        terms=model_terms.terms(codings, estimates, confidence),
        levels=levels.astype({"rows": "int64", "events": "int64"}),
        joint_tests=model_terms.joint_tests(codings, estimates),
        inflation=model_terms.inflation(codings, estimates),
        notes=model_terms.notes(levels),
        loglik=estimates.loglik,
        auc=_auc(share, events, n - events),
        brier=float((events * (1 - share) ** 2 + (n - events) * share**2).sum() / n.sum()),
        n=int(n.sum()),
        events=int(events.sum()),
        left_out=left_out,
        confidence=confidence,
        estimates=estimates,
        codings=codings,
        patterns=patterns,
        rows_of_pattern=n,
    )


def _auc(share: Floats, events: Floats, others: Floats) -> float:
    """Return how often a row with the outcome is given the higher share than one without; ties count one half.

    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18, 50-60.
    """
    # equal shares reached by different sums differ in their last digits
    value, place = np.unique(share.round(12), return_inverse=True)
    with_it = np.bincount(place, weights=events, minlength=len(value))
    without = np.bincount(place, weights=others, minlength=len(value))
    below = np.cumsum(without) - without / 2
    return float(with_it @ below / (with_it.sum() * without.sum()))
