"""What comments are about: themes by matrix factorisation, as many as stay the same when comments are left out."""

from __future__ import annotations

from itertools import pairwise
from textwrap import shorten
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.linalg import LinearOperator, eigsh
from sklearn.decomposition import non_negative_factorization
from sklearn.feature_extraction.text import TfidfTransformer

from analysis.measures.comments.corpus import Corpus, Words, at_least_one
from analysis.measures.comments.known import Known, known_of
from analysis.measures.comments.masking import masked
from analysis.measures.comments.stops import NEGATIONS
from analysis.measures.frames import Rows, check_confidence
from analysis.measures.inference import Floats
from analysis.measures.intervals import nps_interval

Triplets: TypeAlias = tuple[Floats, Floats, Floats]
"""Left vectors, values and right vectors of a singular value decomposition."""

_COLUMNS = ("theme", "words", "n", "share", "nps", "low", "high", "quotes", "comments", "read", "without_theme")
_COUNTS = ("n", "promoters", "passives", "detractors")

_SHOWN = 6
"""Words that name a theme."""
_QUOTES = 3
_QUOTE_LENGTHS = (30, 300)
"""Letters a quote should have: a shorter one says little, a longer one is not read; others serve where needed."""
_MASKED_FROM = 3_000
"""Letters of a comment that are masked, of which a quote shows the first; the rest is not looked at."""

_WORDS = 2_000
_LEARNED_FROM = 10_000
"""Comments from which themes are learned; all comments are then put to them."""
_STEPS = 50
_STEPS_TO_BELONG = 10
_START_TOLERANCE = 1e-4
_ZERO = 1e-5

_TRIED_ON = 2_000
"""Comments on which the number of themes is chosen."""
_TRIALS = 5
_TRIAL_SHARE = 0.8
_TRIAL_STEPS = 10
_COMPARED = 10
_AS_STABLE = 0.05


def themes(
    corpus: Corpus,
    *,
    number: int | None = None,
    most: int = 8,
    seed: int = 0,
    customers: Rows | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Find what comments are about, how many are about it, and how satisfied those are who write about it.

    Words are weighted by TF-IDF (logarithmic counts; negations and all but the 2,000 most frequent words left out) and
    factorised into themes; a comment belongs to the one with the greatest weight, to none where it holds no word of
    any. Where ``number`` is None, each number from 2 to ``most`` is tried on up to 2,000 comments: its stability is the
    mean agreement of the leading words with those found in five random four fifths of them. Chosen is the greatest
    number within 0.05 of the most stable. There are fewer themes where comments or words are too few.

    Columns in, for ``customers``: as for ``mask``, by which the quotes are masked.

    Columns out: theme (1, 2, … by size), words (the leading ones, comma separated), n (comments), share (of the
    comments read, 0 to 1), nps, low, high (points, -100 to 100, adjusted Wald), quotes (tuple of up to three typical
    comments, masked), comments, read (as in ``Corpus``), without_theme (comments read that belong to none). One row a
    theme, the largest first.

    Raises MeasureError where ``number`` or ``most`` is below 1 or the confidence is not between 0 and 1.
    Source: Lee and Seung (1999), Nature 401, 788-791; number of themes: Greene, O'Callaghan and Cunningham (2014),
    ECML PKDD, 498-513; interval: see ``nps_interval``.

    >>> from analysis.measures.comments import read
    >>> texts = ["Lieferung kam zu spät"] * 6 + ["Kaffee schmeckt gut"] * 5 + ["Hm"]
    >>> said = read(pd.DataFrame({"comment": texts, "nps": [2] * 6 + [9] * 6}), scale=(0, 10))
    >>> themes(said, number=2)[["theme", "words", "n", "nps", "without_theme"]]
       theme                  words  n    nps  without_theme
    0      1   kam, lieferung, spät  6 -100.0              1
    1      2  gut, kaffee, schmeckt  5  100.0              1
    """
    at_least_one("most", most)
    at_least_one("number", most if number is None else number)
    check_confidence("comments", confidence)
    weights, words = _weighted(corpus)
    parts = _parts(weights, number, most, seed)
    belongs = _belongs(weights, parts)
    known = known_of(customers)
    rows = [
        _theme(corpus, weights, words, part, np.flatnonzero(belongs == place), known)
        for place, part in enumerate(parts)
    ]
    found = pd.DataFrame(rows, columns=["words", *_COUNTS, "quotes"]).astype(dict.fromkeys(_COUNTS, "int64"))
    found = found[found["n"] > 0].sort_values(["n", "words"], ascending=[False, True], ignore_index=True)
    low, high = nps_interval(found["promoters"], found["passives"], found["detractors"], confidence)
    found = found.assign(
        theme=found.index + 1,
        share=found["n"] / len(corpus.texts),
        nps=100 * (found["promoters"] - found["detractors"]) / found["n"],
        low=low,
        high=high,
        comments=corpus.comments,
        read=len(corpus.texts),
        without_theme=int((belongs < 0).sum()),
    )
    return found[list(_COLUMNS)]


def _weighted(corpus: Corpus) -> tuple[sparse.csr_matrix, Words]:
    """Return the TF-IDF weights, a row of length 1 a comment, and the words of their columns."""
    uses = np.bincount(corpus.counts.indices, minlength=len(corpus.words))
    by_use = np.argsort(-uses, kind="stable")
    kept = np.sort([column for column in by_use if corpus.words[column] not in NEGATIONS][:_WORDS]).astype("int64")
    if not len(kept):
        return sparse.csr_matrix((len(corpus.texts), 0)), corpus.words[kept]
    return TfidfTransformer(sublinear_tf=True).fit_transform(corpus.counts[:, kept]), corpus.words[kept]


def _parts(weights: sparse.csr_matrix, number: int | None, most: int, seed: int) -> Floats:
    """Return the themes: rows of length 1, a column a word."""
    told = weights[np.diff(weights.indptr) > 0]
    trial = told[:_TRIED_ON]
    possible = min(most if number is None else number, _different(trial), told.shape[1])
    if not possible:
        return np.zeros((0, told.shape[1]))
    chosen = possible if number is not None else _stable_number(trial, possible, seed)
    told = told[:_LEARNED_FROM]
    parts = _factorised(told, _triplets(told, chosen, seed), chosen, _STEPS)
    length = np.linalg.norm(parts, axis=1, keepdims=True)
    found: Floats = (parts / np.where(length > 0, length, 1))[length[:, 0] > 0]
    return found


def _different(weights: sparse.csr_matrix) -> int:
    """Count the comments that do not hold the same words as another."""
    return len({weights.indices[first:end].tobytes() for first, end in pairwise(weights.indptr)})


def _factorised(weights: sparse.csr_matrix, start: Triplets, number: int, steps: int) -> Floats:
    """Return up to ``number`` themes that least squares find from the start, a row a theme."""
    loads, parts = _first_guess(start, number)
    # a tolerance of 0 makes the number of steps, and so the result, the same wherever it runs
    found: Floats = non_negative_factorization(
        weights, loads, parts, n_components=len(parts), init="custom", max_iter=steps, tol=0
    )[1]
    return found


def _triplets(weights: sparse.csr_matrix, most: int, seed: int) -> Triplets:
    """Return the ``most`` greatest singular values above 0, greatest first, with their vectors as rows."""
    if most < min(weights.shape):
        # the vectors on one side give those on the other, which takes a fraction of what ``svds`` does
        squared = LinearOperator((weights.shape[1],) * 2, lambda part: weights.T @ (weights @ part), dtype="float64")
        start = np.random.default_rng(seed).random(weights.shape[1])
        values, right = eigsh(squared, k=most, v0=start, tol=_START_TOLERANCE)
        values, right = np.sqrt(values[::-1].clip(0)), right[:, ::-1].T
    else:
        _, values, right = np.linalg.svd(weights.toarray(), full_matrices=False)
    rank = int((values > _ZERO * values[0]).sum())
    values, right = values[:rank], right[:rank]
    return (weights @ right.T).T / values[:, None], values, right


def _first_guess(start: Triplets, number: int) -> tuple[Floats, Floats]:
    """Return loads and parts by non-negative double singular value decomposition, as scikit-learn has it as well.

    Its own way would decompose anew for each number of themes, which takes longer than all the rest.
    """
    pairs = [_one_sign(left, right) for left, right in zip(start[0][:number], start[2][:number], strict=True)]
    scales = np.sqrt(start[1][:number, None])
    return (
        np.ascontiguousarray((scales * [left for left, _ in pairs]).T),
        np.ascontiguousarray(scales * [right for _, right in pairs]),
    )


def _one_sign(left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Return the greater of the positive and the negative part of two vectors, scaled for a start."""
    sides = [(np.maximum(sign * left, 0), np.maximum(sign * right, 0)) for sign in (1, -1)]
    lengths = [(float(np.linalg.norm(one)), float(np.linalg.norm(other))) for one, other in sides]
    (one, other), (a, b) = max(zip(sides, lengths, strict=True), key=lambda side: side[1][0] * side[1][1])
    return one * np.sqrt(b / a), other * np.sqrt(a / b)


def _stable_number(weights: sparse.csr_matrix, most: int, seed: int) -> int:
    """Return the greatest number of themes that is about as stable as the most stable one."""
    draw = np.random.default_rng(seed)
    count = max(most, int(_TRIAL_SHARE * weights.shape[0]))
    samples = [weights[np.sort(draw.permutation(weights.shape[0])[:count])] for _ in range(_TRIALS)]
    found = [_themes_by_number(sample, most, seed) for sample in (weights, *samples)]
    numbers = range(2, most + 1)
    stability = {
        number: np.mean([_agreement(found[0][number], other[number]) for other in found[1:]]) for number in numbers
    }
    enough = max(stability.values(), default=0) - _AS_STABLE
    return max((number for number, value in stability.items() if value >= enough), default=1)


def _themes_by_number(weights: sparse.csr_matrix, most: int, seed: int) -> dict[int, list[list[int]]]:
    """Return the leading words of 2 to ``most`` themes."""
    start = _triplets(weights, most, seed)
    return {number: _leading(_factorised(weights, start, number, _TRIAL_STEPS)) for number in range(2, most + 1)}


def _leading(parts: Floats, many: int = _COMPARED) -> list[list[int]]:
    """Return the columns of each theme's greatest weights, the greatest first."""
    columns: list[list[int]] = np.argsort(-parts, axis=1, kind="stable")[:, :many].tolist()
    return columns


def _agreement(first: list[list[int]], second: list[list[int]]) -> float:
    """Match themes one to one so that they agree best, and return their mean agreement (0 to 1)."""
    alike = np.array([[_average_jaccard(one, other) for other in second] for one in first])
    return float(alike[linear_sum_assignment(alike, maximize=True)].mean())


def _average_jaccard(first: list[int], second: list[int]) -> float:
    """Return the mean over depths of the Jaccard index of two rankings down to that depth."""
    depths = range(1, len(first) + 1)
    shared = [len({*first[:depth]} & {*second[:depth]}) for depth in depths]
    return sum(both / (2 * depth - both) for both, depth in zip(shared, depths, strict=True)) / len(first)


def _belongs(weights: sparse.csr_matrix, parts: Floats) -> NDArray[np.int64]:
    """Return the place of the theme each comment belongs to, -1 for none."""
    if not len(parts):
        return np.full(weights.shape[0], -1)
    loads: Floats = non_negative_factorization(
        weights, H=parts, n_components=len(parts), update_H=False, max_iter=_STEPS_TO_BELONG, tol=0
    )[0]
    return np.where(loads.max(axis=1) > 0, loads.argmax(axis=1), -1)


def _theme(
    corpus: Corpus, weights: sparse.csr_matrix, words: Words, part: Floats, members: NDArray[np.int64], known: Known
) -> dict[str, object]:
    leading = [column for column in _leading(part[None], _SHOWN)[0] if part[column] > 0]
    scores = corpus.scores[members]
    promoters, detractors = int((scores >= 9).sum()), int((scores <= 6).sum())
    return {
        "words": ", ".join(words[leading]),
        "n": len(scores),
        "promoters": promoters,
        "passives": len(scores) - promoters - detractors,
        "detractors": detractors,
        "quotes": _quotes(corpus, members, weights[members] @ part, known),
    }


def _quotes(corpus: Corpus, members: NDArray[np.int64], fit: Floats, known: Known) -> tuple[str, ...]:
    """Return the comments that fit best, masked: first those of a good length, equal ones once."""
    shortest, longest = _QUOTE_LENGTHS
    by_fit = dict.fromkeys(corpus.texts[place] for place in members[np.argsort(-fit.round(9), kind="stable")])
    best = sorted(by_fit, key=lambda text: not shortest <= len(text) <= longest)[: 4 * _QUOTES]
    shown = (shorten(masked(text[:_MASKED_FROM], known), longest, placeholder=" …") for text in best)
    return tuple(dict.fromkeys(shown))[:_QUOTES]
