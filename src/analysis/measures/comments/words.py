"""The words that tell promoters from detractors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.measures.comments.corpus import Corpus, at_least_one
from analysis.measures.inference import Floats

_PRIOR_SHARE = 0.1
"""Weight of the prior, as a share of the words the two sides wrote: it shrinks small surveys and large ones alike."""
_LEAST_Z = 1.959964


def distinctive_words(corpus: Corpus, *, top: int = 15) -> pd.DataFrame:
    """Find the words that promoters and detractors write more often than the other side.

    For word w and side i, yᵢ comments hold it, nᵢ is the sum of yᵢ over words. The prior α is the share of w in the
    comments of all (passives too), times a tenth of n₁ + n₂; α₀ is its sum. δ = ln((y₁ + α)/(n₁ + α₀ - y₁ - α)) -
    ln((y₂ + α)/(n₂ + α₀ - y₂ - α)) and z = δ/√(1/(y₁ + α) + 1/(y₂ + α)). Shown is what has |z| over 1.959964; among
    many words some pass by chance, so the list tells where to read, not what is proven. A comment counts a word once,
    however often it repeats it.

    Columns out: word, side (promoters, detractors), z (above 0 for promoters), promoters, detractors (comments of
    each side that hold the word), comments, read (as in ``Corpus``). The ``top`` words of each side, promoters first,
    greatest |z| first; none where one side wrote nothing.

    Raises MeasureError where ``top`` is below 1.
    Source: Monroe, Colaresi and Quinn (2008), Political Analysis 16, 372-403 (informative Dirichlet prior).

    >>> from analysis.measures.comments import read
    >>> answers = pd.DataFrame({"comment": ["Toller Kaffee"] * 9 + ["Teurer Kaffee"] * 9, "nps": [10] * 9 + [2] * 9})
    >>> distinctive_words(read(answers, scale=(0, 10)))[["word", "side", "promoters", "detractors"]]
         word        side  promoters  detractors
    0  toller   promoters          9           0
    1  teurer  detractors          0           9
    """
    at_least_one("top", top)
    held = corpus.counts.sign()
    everyone, promoters, detractors = (
        np.asarray(held[side].sum(axis=0)).ravel() for side in (slice(None), corpus.scores >= 9, corpus.scores <= 6)
    )
    counts = {"word": corpus.words, "promoters": promoters, "detractors": detractors}
    found = pd.DataFrame(counts).assign(z=_z(promoters, detractors, everyone))
    found["side"] = np.where(found["z"] > 0, "promoters", "detractors")
    found = found.assign(strength=found["z"].abs(), comments=corpus.comments, read=len(corpus.texts))
    found = found[found["strength"] > _LEAST_Z].sort_values(
        ["side", "strength", "word"], ascending=[False, False, True], ignore_index=True
    )
    found = found.groupby("side", sort=False).head(top).reset_index(drop=True)
    return found[["word", "side", "z", "promoters", "detractors", "comments", "read"]]


def _z(first: Floats, second: Floats, everyone: Floats) -> Floats:
    """Return the z of each word's log-odds ratio; without words on one side, or with but one word, there is none."""
    n_first, n_second = first.sum(), second.sum()
    if not (n_first and n_second) or len(everyone) == 1:
        return np.full(len(first), np.nan)
    prior_total = _PRIOR_SHARE * (n_first + n_second)
    prior = prior_total * everyone / everyone.sum()
    first, second = first + prior, second + prior
    odds_first, odds_second = first / (n_first + prior_total - first), second / (n_second + prior_total - second)
    z: Floats = (np.log(odds_first) - np.log(odds_second)) / np.sqrt(1 / first + 1 / second)
    return z
