"""Comments made ready to be counted: drawn inside the engine, split into words, held as one matrix."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from analysis.errors import MeasureError
from analysis.measures import answers as counted
from analysis.measures.answers import Scale
from analysis.measures.comments.known import known_of, mended, name_key
from analysis.measures.comments.stops import LANGUAGES, stop_words
from analysis.measures.frames import Rows, binary_order, md5

Words: TypeAlias = NDArray[np.object_]
"""Words in an array; of objects, for one of fixed width would be as wide as the longest."""

_END = "\x00"
_WORD = re.compile(rf"\w+(?:['-]\w+)*|{_END}")
# possessive, for a long run of letters would be gone through again from each of them
_ADDRESS = re.compile(r"[^\s@]*+@\S+|(?:\bhttps?://|\bwww\.)\S+")


@dataclass(frozen=True, eq=False)
class Corpus:
    """The comments read. ``counts`` holds a row a comment and a column a word of ``words``."""

    texts: tuple[str, ...]
    scores: NDArray[np.int64]
    counts: sparse.csr_matrix
    words: Words
    comments: int
    """How many comments there are; those read are fewer where a sample was drawn."""


def read(
    answers: Rows,
    *,
    scale: Scale,
    language: str = "de",
    customers: Rows | None = None,
    max_rows: int = 100_000,
    seed: int = 0,
    smallest: int = 5,
) -> Corpus:
    """Read the comments of answers that hold a score, and count their words.

    Beyond ``max_rows`` comments a sample is drawn inside the engine: those whose MD5 of seed and response_id comes
    first. MD5 is the same in every engine, so the sample depends on neither engine nor order of rows, and when
    comments are added it only gives way to those that come before. Without response_id the place in the order of
    comments and scores stands in.

    A word is a run of letters, hyphens and apostrophes inside it kept, in lower case: compounds, umlauts and ß stay
    as they are. Addresses, numbers, single letters and the stop words of both languages go; negations stay. A word
    counts where at least ``smallest`` respondents wrote it, so that none can tell who wrote, and where it is no part
    of the name of one of the ``customers``.

    Columns in: comment (text), nps (whole numbers on the scale, missing where not answered); where present also
    response_id and customer_id (without it each comment is a respondent of its own). Blank comments and those without
    a score are left out; a column that is not text holds none.

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10), a column is absent, an answer is not a whole
    number on the scale, the language is unknown or ``max_rows`` or ``smallest`` is below 1.
    Source: stop words of the library stop-words; for English those that scikit-learn lists too.

    >>> said = read(pd.DataFrame({"comment": ["Zu teuer!", "Teuer", " "], "nps": [3, 6, 9]}), scale=(0, 10), smallest=2)
    >>> said.words.tolist(), said.counts.toarray().tolist(), said.comments
    (['teuer'], [[1], [1]], 2)
    """
    counted.check_nps_scale("comments", scale)
    if language not in LANGUAGES:
        raise MeasureError("comments", f"unknown language {language!r}", f"Known: {', '.join(LANGUAGES)}")
    for name, value in {"max_rows": max_rows, "smallest": smallest}.items():
        at_least_one(name, value)
    table = counted.checked("comments", answers, "nps", ("comment",))
    total = int(counted.executed("comments", _reduce_comments(table, scale), scale, ())["n"].iloc[0])
    drawn = _reduce_sample(table, seed, max_rows).execute()
    texts = tuple(drawn["comment"].astype("object"))
    counts, words = _counted_words(texts, stop_words(language))
    names = known_of(customers).parts
    common = _respondents(counts, drawn["person"]) >= smallest
    common &= np.array([name_key(word) not in names for word in words], dtype=bool)
    return Corpus(texts, drawn["_rating"].to_numpy().astype("int64"), counts[:, common], words[common], total)


def at_least_one(name: str, value: int) -> None:
    """Raise MeasureError where a number that counts things is below 1."""
    if value < 1:
        raise MeasureError("comments", f"{name} is {value}", "Give at least 1")


def _commented(answers: ir.Table) -> ir.Table:
    """Return the rows that hold a comment and a score: comment, _rating, response_id, customer_id (null if absent)."""
    absent = ibis.null("string")
    texts = {
        name: answers[name].cast("string") if name in answers.columns else absent
        for name in ("response_id", "customer_id")
    }
    comment = answers["comment"] if answers["comment"].type().is_string() else absent
    given = answers.select("nps", comment=comment, **texts)
    rated = counted.rated(given, given["nps"], ("comment", *texts), one_per_customer=False)
    return rated.filter(rated["comment"].re_search(r"\S"))


def _reduce_comments(answers: ir.Table, scale: Scale) -> ir.Table:
    commented = _commented(answers)
    return commented.aggregate(n=commented.count(), **counted.off_scale(commented["_rating"], scale))


def _reduce_sample(answers: ir.Table, seed: int, max_rows: int) -> ir.Table:
    commented = _commented(answers)
    key = commented["response_id"].fill_null("")
    order = [binary_order(commented, "comment"), commented["_rating"], binary_order(commented, "customer_id")]
    twin = ibis.row_number().over(ibis.window(group_by=key, order_by=order)).cast("string")
    numbered = commented.select(
        "comment",
        "_rating",
        person=commented["customer_id"],
        digest=md5(ibis.literal(f"{seed}/") + key + "/" + twin),
    )
    return numbered.order_by("digest").limit(max_rows)


def _counted_words(texts: Sequence[str], stops: frozenset[str]) -> tuple[sparse.csr_matrix, Words]:
    """Return how often each comment holds each word, and the words, sorted."""
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    end = number[_END]
    found = _WORD.findall(_plain(texts))
    numbers = np.fromiter(map(number.__getitem__, found), dtype=np.int64, count=len(found))
    words = sorted(word for word in number if _is_word(word) and word not in stops)
    column = np.full(len(number), -1)
    column[[number[word] for word in words]] = np.arange(len(words))
    cells = (np.cumsum(numbers == end), column[numbers])
    kept = cells[1] >= 0
    ones = np.ones(kept.sum(), dtype=np.int64)
    counts = sparse.csr_matrix((ones, (cells[0][kept], cells[1][kept])), shape=(len(texts), len(words)))
    return counts, np.array(words, dtype=object)


def _plain(texts: Sequence[str]) -> str:
    """Return the texts as one in lower case, each ended by the mark, umlauts mended and composed, no addresses."""
    marked = ("@" in text or "://" in text or "www." in text for text in texts)
    bare = (_ADDRESS.sub(" ", text) if mark else text for text, mark in zip(texts, marked, strict=True))
    whole = mended("".join(text.replace(_END, " ") + _END for text in bare))
    return unicodedata.normalize("NFC", whole).replace("’", "'").lower()


def _is_word(text: str) -> bool:
    return len(text) > 1 and text.replace("-", "").replace("'", "").isalpha()


def _respondents(counts: sparse.csr_matrix, person: pd.Series) -> NDArray[np.int64]:
    """Return how many respondents wrote each word; who is not known is one of their own."""
    number, known = pd.factorize(person)
    number = np.where(number < 0, len(known) + np.arange(len(number)), number)
    cells = (np.ones(len(number), dtype=np.int64), (number, np.arange(len(number))))
    written = sparse.csr_matrix(cells, shape=(len(known) + len(number), len(number))) @ counts
    return np.bincount(written.indices, minlength=counts.shape[1])
