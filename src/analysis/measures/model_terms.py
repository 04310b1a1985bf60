"""What is told of a fitted model, whichever it is: ratios, joint tests, inflation of variance, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from analysis.measures.codings import Coding
from analysis.measures.covariates import Linear, Spline
from analysis.measures.glm import Estimates
from analysis.measures.inference import Floats, holm, normal_quantile, ratio, two_sided

_TOLD_APART = 1e-9
SPARSE = 5
"""Events under which a level's ratio is called sparse."""


def terms(codings: Sequence[Coding], estimates: Estimates, confidence: float) -> pd.DataFrame:
    """Return term, level, ratio, low, high, se, p, p_holm: one row a level that is not the base, or a number."""
    parts = [_terms_of(one, estimates) for one in codings]
    found = pd.concat(parts, ignore_index=True).astype({"term": "str", "level": "str"})
    half = normal_quantile(confidence) * found["se"]
    with np.errstate(over="ignore"):
        frame = found.assign(
            ratio=np.exp(found["log"]), low=np.exp(found["log"] - half), high=np.exp(found["log"] + half)
        )
    p = np.where(found["tested"], two_sided(ratio(found["log"], found["se"])), np.nan)
    frame = frame.assign(p=p, p_holm=holm(p))
    return frame[["term", "level", "ratio", "low", "high", "se", "p", "p_holm"]]


def _terms_of(coding: Coding, estimates: Estimates) -> pd.DataFrame:
    contrasts, levels = level_contrasts(coding)
    at = coding.place
    log = contrasts @ estimates.values[at]
    se = np.sqrt(np.einsum("ij,jk,ik->i", contrasts, estimates.covariance[at, at], contrasts).clip(0))
    told = ~((contrasts != 0) & ~estimates.estimable[at]).any(axis=1)
    log, se = np.where(told, log, np.nan), np.where(told, se, np.nan)
    # a point of a spline is no hypothesis of its own: the joint test is the spline's
    tested = not isinstance(coding.covariate, Spline)
    return pd.DataFrame({"term": coding.name, "level": levels, "log": log, "se": se, "tested": tested})


def level_contrasts(coding: Coding) -> tuple[Floats, list[str | None]]:
    """Return the contrasts of the levels that are not the base, with their names; a number's is one unit."""
    if isinstance(coding.covariate, Linear):
        return np.ones((1, 1)), [None]
    others = [number for number in range(len(coding.levels)) if number != coding.base]
    return coding.contrasts[others], [coding.levels[number] for number in others]


def joint_tests(codings: Sequence[Coding], estimates: Estimates) -> pd.DataFrame:
    """Return term, chi2, df, p, p_holm: whether all coefficients of a covariate are 0 (Wald), one row a covariate."""
    rows = []
    for coding in codings:
        at = np.arange(coding.place.start, coding.place.stop)[estimates.estimable[coding.place]]
        values = estimates.values[at]
        chi2 = float(values @ np.linalg.solve(estimates.covariance[np.ix_(at, at)], values)) if len(at) else np.nan
        rows.append((coding.name, chi2, len(at)))
    return with_p(rows)


def with_p(rows: Sequence[tuple[str, float, int]]) -> pd.DataFrame:
    """Add p and p_holm to rows of term, chi2, df; where df is 0 both are missing."""
    frame = pd.DataFrame(rows, columns=["term", "chi2", "df"]).astype({"term": "str", "chi2": "float64"})
    p = np.where(frame["df"] > 0, special.chdtrc(frame["df"].clip(lower=1), frame["chi2"]), np.nan)
    return frame.assign(p=p, p_holm=holm(p))


def quadratic(score: Floats, information: Floats) -> tuple[float, int]:
    """Return score · inverse information · score with its degrees of freedom, over what the information tells apart."""
    if not len(score):
        return float("nan"), 0
    roots, vectors = np.linalg.eigh(information)
    held = roots > _TOLD_APART * roots.max()
    return float(((vectors.T @ score)[held] ** 2 / roots[held]).sum()), int(held.sum())


def inflation(codings: Sequence[Coding], estimates: Estimates) -> pd.DataFrame:
    """Return term, gvif, df, gvif_root (gvif to the power of 1 / (2 df)): one row a covariate.

    From the correlations of the coefficients, intercept or interval rates left out.
    Source: Fox and Monette (1992), JASA 87, 178-183.
    """
    every = np.flatnonzero(estimates.estimable[: codings[-1].place.stop])
    covariance = estimates.covariance[np.ix_(every, every)]
    deviations = np.sqrt(covariance.diagonal())
    correlations = covariance / np.outer(deviations, deviations)
    rows = []
    for coding in codings:
        own = (every >= coding.place.start) & (every < coding.place.stop)
        parts = (correlations[np.ix_(own, own)], correlations[np.ix_(~own, ~own)], correlations)
        of_own, of_rest, of_all = (np.linalg.slogdet(part)[1] for part in parts)
        df = int(own.sum())
        gvif = float(np.exp(of_own + of_rest - of_all)) if df else np.nan
        rows.append((coding.name, gvif, df, gvif ** (1 / (2 * df)) if df else np.nan))
    return pd.DataFrame(rows, columns=["term", "gvif", "df", "gvif_root"]).astype({"term": "str"})


def status(codings: Sequence[Coding], levels: pd.DataFrame, estimates: Estimates) -> pd.DataFrame:
    """Add to levels (term, level, events, …) the column ``status``: what their ratio is.

    ``base``, ``estimated``, ``sparse`` (from fewer than 5 events, or than 5 that did not happen), ``separated`` (the
    outcome is always or never there, so there is no finite ratio), ``follows`` (other covariates give the level).
    """
    found = []
    for coding in codings:
        at, rows = coding.place, levels[levels["term"] == coding.name]
        is_number = isinstance(coding.covariate, Linear | Spline)
        contrasts = np.ones((1, at.stop - at.start)) if is_number else coding.contrasts
        for contrast, fewest in zip(contrasts != 0, rows["fewest"], strict=True):
            if not contrast.any():
                found.append("base")
            elif (contrast & estimates.follows[at]).any():
                found.append("follows")
            elif (contrast & ~estimates.estimable[at]).any():
                found.append("separated")
            else:
                found.append("sparse" if fewest < SPARSE else "estimated")
    return levels.drop(columns="fewest").assign(status=found)


def notes(levels: pd.DataFrame) -> tuple[str, ...]:
    """Return a sentence on each level whose ratio is not to be had, or rests on little."""
    sentences = {
        "separated": "the outcome is always or never there, so its ratio is not finite and not given",
        "follows": "it follows from other covariates, so it has no ratio of its own",
        "sparse": "its ratio rests on few cases",
    }
    told = levels[levels["status"].isin(list(sentences))]
    return tuple(
        f"{row.term}{'' if pd.isna(row.level) else f' {row.level}'}: {row.events:g} events; {sentences[row.status]}."
        for row in told.itertuples()
    )
