"""Words without meaning of their own, from kept lists, and the negations that stay."""

from __future__ import annotations

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from stop_words import get_stop_words

LANGUAGES = ("de", "en")
"""The languages whose stop words are known; comments in others are read all the same."""

# fmt: off
NEGATIONS = frozenset((
    "nicht", "nichts", "kein", "keine", "keinem", "keinen", "keiner", "keines", "nein", "ohne",
    "not", "no", "none", "nothing", "nobody", "nowhere", "never", "neither", "nor", "cannot", "cant", "couldnt",
    "hasnt", "without",
))
"""Kept among the words: without them a complaint reads as praise."""

_SUBJECTS = frozenset((
    "amount", "bill", "bottom", "call", "cry", "detail", "empty", "fill", "find", "fire", "full", "interest", "last",
    "mill", "mine", "move", "name", "serious", "side", "sincere", "system", "thick", "thin", "top",
))
"""Stop words of the English list that say something in a comment."""

_FURTHER = frozenset((
    "ab", "beim", "hätte", "hätten", "wurde", "wurden", "worden", "wäre", "wären", "sei", "bereits", "dabei", "dafür",
    "did", "does", "doing", "got", "having", "just", "im", "ive",
))
"""Auxiliaries and small words that the kept lists lack."""

_FOREIGN = {"de": frozenset(("see", "still")), "en": frozenset(("bin", "die", "hat", "war"))}
"""By language: words that mean something in it and are stop words of the other."""
# fmt: on


def stop_words(language: str) -> frozenset[str]:
    """Return the words without meaning of their own, in a text that is mostly of that language.

    >>> words = stop_words("de")
    >>> [word in words for word in ("und", "the", "nicht", "not", "still")]
    [True, True, False, False, False]
    """
    english = {word for word in get_stop_words("en") if word in ENGLISH_STOP_WORDS or "'" in word} - _SUBJECTS
    no = {word for word in english if word.endswith("n't") or word == "can't"}
    return frozenset((english | _FURTHER | set(get_stop_words("de"))) - no - NEGATIONS - _FOREIGN[language])
