"""What the measures note on the models behind customer value, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable

from analysis.draw import notes, numbers, words
from analysis.draw.language import _, mark, reader
from analysis.draw.words import Findings, Sentence

NOTES = (
    mark(
        "Nobody has been watched under contract beyond month {month}: from there on {rate} a month leave, as many as "
        "from month {begin} to it."
    ),
    mark("No contract has ended yet: the rate is that of half an end in the time watched."),
    mark(
        "The orders so far do not settle how customers order and when they stop: many settings of the model fit "
        "equally well (parameters {names})."
    ),
    mark(
        "The orders so far do not settle what customers spend on one: many settings of the model fit equally well "
        "(parameters {names})."
    ),
    mark(
        "The model rests on little: one of its parameters, {name}, may be smaller or larger within a factor of "
        "{factor} ({level}\u00a0interval)."
    ),
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
    mark("Another model of purchases, which these data do identify, stands in."),
    mark(
        "No model in which customers leave is identified: purchases go on at each customer's own rate, and nobody "
        "leaves (NBD)."
    ),
    mark("These data tell no customer's own rate of purchases: all are expected to buy at the mean rate of all."),
    mark("Nobody has bought again for money: a purchase is expected to bring the mean of those so far."),
    mark(
        "These data do not identify what customers spend: all are expected to spend the average of repeat buyers, and "
        "to differ as these do."
    ),
)
"""What the measures write; what stands in braces is a number or a name of theirs."""


_IN_PLAIN_WORDS = (
    (r"The likelihood is flat: these data do not identify ((?:p|q|v)(?:, (?:p|q|v))*)\.", NOTES[3], ("names",)),
    (r"The likelihood is flat: these data do not identify (.+)\.", NOTES[2], ("names",)),
    (r"(\w+) is poorly known: its (.+) interval spans a factor of (.+)\.", NOTES[4], ("name", "level", "factor")),
)
"""What the models say of their parameters, and what the reader is told instead."""
_SILENT = re.compile(r"\w+ runs off to \w+\.")
"""What says no more than that a model is not settled."""


def note(text: str) -> str:
    """Return a note in the reader's language; one of an unknown form stays as it is, one that adds nothing is empty.

    >>> note("The likelihood is flat: these data do not identify p, v.")  # doctest: +NORMALIZE_WHITESPACE
    'Die bisherigen Bestellungen legen nicht fest, wie viel je Bestelltag ausgegeben wird: Viele Einstellungen des
    Modells passen gleich gut (Parameter p, v).'
    >>> note("a runs off to infinity.")
    ''
    """
    if _SILENT.fullmatch(text):
        return ""
    for form, plain, names in _IN_PLAIN_WORDS:
        if match := re.fullmatch(form, text):
            return _(plain).format(**dict(zip(names, map(_written, match.groups()), strict=True)))
    return notes.translated(text, NOTES, _written)


def _written(value: str) -> str:
    """Return a number with the reader's signs, and whatever else as it is."""
    if reader().language == "en" or not re.fullmatch(r"[\d,]*\.?\d+ ?%?", value):
        return value
    number, percent = value.removesuffix("%").rstrip(), value.endswith("%")
    return number.translate(str.maketrans(",.", ".,")) + f"{numbers.NO_BREAK_SPACE}%" * percent


def noted(texts: Iterable[str]) -> Findings | Sentence:
    """Return the notes as a list; nothing where there are none."""
    found = [told for text in texts if (told := note(text))]
    return words.findings(found) if found else Sentence()
