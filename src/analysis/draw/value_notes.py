"""What the measures note on the models behind customer value, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from analysis.draw import numbers, words
from analysis.draw.language import _, mark, reader
from analysis.draw.words import Findings, Sentence

NOTES = (
    mark(
        "Nobody has been watched under contract beyond month {month}: from there on {rate} a month leave, as many as "
        "from month {begin} to it."
    ),
    mark("No contract has ended yet: the rate is that of half an end in the time watched."),
    mark("The likelihood is flat: these data do not identify {names}."),
    mark("{name} runs off to infinity."),
    mark("{name} runs off to {end}."),
    mark("{name} is poorly known: its {level} interval spans a factor of {factor}."),
    mark("The search did not come to rest, so the estimates are not the likeliest ones."),
    mark("q is not above {one}: so few spend so much that the mean over customers does not exist."),
    mark(
        "Who buys more often spends more on a purchase day (correlation {correlation}, p {p}): the model takes "
        "frequency and spend as independent."
    ),
    mark(
        "Who buys more often spends less on a purchase day (correlation {correlation}, p {p}): the model takes "
        "frequency and spend as independent."
    ),
    mark(
        "Spend varies so much that customers with up to {count} repeat purchase days have no expected spend of their "
        "own: theirs is the average of all repeat buyers."
    ),
    mark(
        "Spend varies so much that its variance is not known for customers with up to {count} repeat purchase days: "
        "that of repeat buyers' means stands in for it."
    ),
    mark("What customers will buy is not known: these data do not identify the purchase model."),
)
"""What the measures write; what stands in braces is a number or a name of theirs."""


@cache
def _form(note: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(note)))


def note(text: str) -> str:
    """Return a note in the reader's language; one of an unknown form stays as it is.

    >>> note("The likelihood is flat: these data do not identify r, alpha.")
    'Die Daten bestimmen r, alpha nicht: Viele Werte passen gleich gut.'
    """
    for form in NOTES:
        if match := _form(form).fullmatch(text):
            return _(form).format(**{name: _written(value) for name, value in match.groupdict().items()})
    return text


def _written(value: str) -> str:
    """Return a number with the reader's signs, and whatever else as it is."""
    if reader().language == "en" or not re.fullmatch(r"[\d,]*\.?\d+ ?%?", value):
        return value
    number, percent = value.removesuffix("%").rstrip(), value.endswith("%")
    return number.translate(str.maketrans(",.", ".,")) + f"{numbers.NO_BREAK_SPACE}%" * percent


def noted(texts: Iterable[str]) -> Findings | Sentence:
    """Return the notes as a list; nothing where there are none."""
    found = [note(text) for text in texts]
    return words.findings(found) if found else Sentence()
