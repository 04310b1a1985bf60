"""Take out of texts what tells who wrote them: addresses, numbers and names, above all those of the customer table.

Masking too much is better than letting a name through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from analysis.measures.comments import patterns
from analysis.measures.comments.known import (
    IBAN,
    MAIL,
    NAME,
    NUMBER,
    PHONE,
    SMALL_WORDS,
    Known,
    broken_key,
    known_of,
    name_key,
    number_key,
    plain,
)
from analysis.measures.frames import Rows

# fmt: off
_COMMON = frozenset(
    stem + ending
    for stem in (
        "alt", "arm", "best", "blau", "böse", "braun", "breit", "dick", "ernst", "fein", "frei", "frisch", "fröhlich",
        "froh", "früh", "fromm", "ganz", "grob", "groß", "gross", "grün", "gut", "hart", "heiß", "hell", "hoch", "jung",
        "kalt", "klein", "klug", "krumm", "kurz", "lang", "laut", "leicht", "lieb", "neu", "recht", "reich", "rot",
        "sauer", "scharf", "schlecht", "schnell", "schön", "schwarz", "stark", "still", "stolz", "streng", "süß",
        "treu", "voll", "warm", "weich", "weiß", "weiss", "weit", "wild", "bad", "black", "bright", "brown", "early",
        "easy", "good", "green", "hard", "long", "love", "new", "nice", "price", "rich", "sharp", "short", "small",
        "strong", "sweet", "white", "wise", "young",
    )
    for ending in ("", "e", "em", "en", "er", "es")
)
"""Words that are names too; in small letters and away from other names they are taken for words."""
# fmt: on


_BETWEEN = frozenset(("dr", "prof", "von", "van", "de", "der", "den", "zu"))
"""Titles and particles between a form of address and a name."""


_MOST_PARTS = 5
_LEADING_ZEROS = 4


class _Span(NamedTuple):
    start: int
    end: int
    label: str


def mask(texts: Iterable[str], *, customers: Rows | None = None) -> list[str]:
    """Replace what tells who wrote a text by what kind of thing it was, such as [Name].

    Replaced are e-mail addresses, IBANs and phone numbers however they are spaced; what follows a form of address
    ("Frau ...") or is called a customer number; and of the customer table ids, names and their parts of three letters
    or more, phone numbers and addresses, in any case, with umlauts in any spelling, as one word or several, with a
    genitive s. A word that is also an adjective or a small word ("lange", "von") is masked where it is capitalised
    or stands beside another name. Numbers of fewer than four digits are masked only where they are called a customer
    number. Dates, times, prices and order numbers stay. The texts come back as a reader sees them: entities resolved,
    invisible characters gone, letters in their usual form.

    Columns in, for ``customers``: any; what they hold is told by their names, see ``known.COLUMNS``. All their values
    are read.

    Source: none; patterns by DIN 5008 (phone numbers) and ISO 13616 (IBAN).

    >>> import pandas as pd
    >>> customers = pd.DataFrame({"customer_id": ["K-10023"], "full_name": ["Jörg Müller"]})
    >>> mask(["Joerg Müllers Nr. k10023, Tel. 0170/1234567", "Am 01.03.2026 für 12,90 €"], customers=customers)
    ['[Name] Nr. [Kundennummer], Tel. [Telefon]', 'Am 01.03.2026 für 12,90 €']
    """
    known = known_of(customers)
    return [masked(text, known) for text in texts]


def masked(text: str, known: Known) -> str:
    """Return the text made plain and masked."""
    text = plain(text)
    pieces, position = [], 0
    for span in _merged(text, _found(text, known)):
        pieces += [text[position : span.start], span.label]
        position = span.end
    return "".join([*pieces, text[position:]])


def _found(text: str, known: Known) -> Iterator[_Span]:
    """Yield what is to be masked, the surest kinds first."""
    # same length, so that places hold
    open_text = patterns.HARMLESS.sub(lambda found: "\x00" * len(found.group()), text)
    yield from (_Span(*found.span(), MAIL) for found in patterns.MAIL.finditer(text))
    for found in patterns.IBAN.finditer(text):
        if len(number_key(found.group())) >= patterns.IBAN_LENGTH:
            yield _Span(*found.span(), IBAN)
    yield from _numbers(text, open_text, known)
    yield from (_Span(*found.span(1), NUMBER) for found in patterns.CUSTOMER_NUMBER.finditer(open_text))
    yield from (_Span(*found.span(1), PHONE) for found in patterns.PHONE_CALLED_SO.finditer(open_text))
    yield from (_Span(*found.span(), PHONE) for found in patterns.PHONE.finditer(open_text))
    yield from _names(text, known)
    yield from _addressed(text)


def _merged(text: str, spans: Iterable[_Span]) -> list[_Span]:
    """Return spans that do not overlap; of overlapping ones the surest kind names the whole, nothing is let go."""
    ranked = sorted(enumerate(spans), key=lambda pair: pair[1])
    merged: list[tuple[int, _Span]] = []
    for rank, span in ranked:
        before_rank, before = merged[-1] if merged else (0, _Span(-1, -1, ""))
        beside = NAME == span.label == before.label and re.fullmatch(r"[ '.-]{0,2}", text[before.end : span.start])
        if span.start < before.end or beside:
            first = min(rank, before_rank)
            label = before.label if first == before_rank else span.label
            merged[-1] = (first, _Span(before.start, max(before.end, span.end), label))
        else:
            merged.append((rank, span))
    return [span for _, span in merged]


def _numbers(text: str, open_text: str, known: Known) -> Iterator[_Span]:
    """Find known numbers however they are divided, by up to three signs; digits alone that read as a date are one."""
    longest = known.longest_number
    for run in _runs(list(patterns.PIECES.finditer(text)) if longest else []):
        for first, piece in enumerate(run):
            joined = ""
            for last in run[first:]:
                joined += last.group().casefold()
                if len(joined) > longest + _LEADING_ZEROS:
                    break
                label = known.numbers.get(joined) or known.numbers.get(joined.lstrip("0"))
                span = slice(piece.start(), last.end())
                if label and not (joined.isdigit() and text[span] != open_text[span]):
                    yield _Span(span.start, span.stop, label)


def _runs(pieces: list[re.Match[str]]) -> Iterator[list[re.Match[str]]]:
    """Part pieces where more than three signs stand between two."""
    run: list[re.Match[str]] = []
    for piece in pieces:
        if run and piece.start() - run[-1].end() > 3:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _names(text: str, known: Known) -> Iterator[_Span]:
    words = list(patterns.LETTERS.finditer(text))
    keys = [_keys(word.group()) for word in words]
    hits = [not forms.isdisjoint(known.parts) or not forms.isdisjoint(known.whole) for forms in keys]
    sure = [hit and not _may_be_a_word(text, word) for hit, word in zip(hits, words, strict=True)]
    for first, last in _written_apart(words, keys, known):
        sure[first : last + 1] = [True] * (last + 1 - first)
    for places in (range(1, len(words)), range(len(words) - 2, -1, -1)):
        for place in places:
            other = place - places.step
            between = text[
                min(words[place].end(), words[other].end()) : max(words[place].start(), words[other].start())
            ]
            sure[place] |= hits[place] and sure[other] and len(between) <= 2 and not between.strip(" '-,")
    yield from (_Span(*word.span(), NAME) for word, is_name in zip(words, sure, strict=True) if is_name)
    for word in patterns.BROKEN.finditer(text):
        if broken_key(word.group()) in known.broken:
            yield _Span(*word.span(), NAME)


def _keys(word: str) -> set[str]:
    """Return the keys of a word, as it stands and as the genitive of a name."""
    return {name_key(word), name_key(re.sub(r"(?<=..)[sS]$", "", word))}


def _may_be_a_word(text: str, word: re.Match[str]) -> bool:
    written = word.group().lower()
    if word.group().islower():
        return written in SMALL_WORDS or written in _COMMON
    before = text[max(word.start() - 5, 0) : word.start()].rstrip(" \t\"'([-")
    return written in SMALL_WORDS and (not before or before[-1] in ".!?:;\n")


def _written_apart(words: list[re.Match[str]], keys: list[set[str]], known: Known) -> Iterator[tuple[int, int]]:
    """Find names whose parts are too short or too common each, but together are a whole one."""
    for first in range(len(words)):
        joined = {""}
        for place in range(first, min(first + _MOST_PARTS, len(words))):
            if place > first and words[place].start() - words[place - 1].end() > 2:
                break
            joined = {before + key for before in joined for key in keys[place]}
            if place > first and not joined.isdisjoint(known.whole):
                yield first, place


def _addressed(text: str) -> Iterator[_Span]:
    """Find up to two capitalised words after a form of address, titles and particles between them included."""
    for found in patterns.ADDRESSED.finditer(text):
        place, named = found.end(), 0
        while named < 2 and (word := re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*\.?\s*").match(text, place)):
            written = word.group().strip(" .\n\t")
            if written.lower() not in _BETWEEN:
                if not written[0].isupper() or written.lower() in SMALL_WORDS:
                    break
                named += 1
                yield _Span(place, place + len(word.group().rstrip(". \n\t")), NAME)
            place = word.end()
