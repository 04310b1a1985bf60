"""What the customer table knows about people, as keys under which any spelling of it is found."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from types import MappingProxyType

import ibis.expr.types as ir

from analysis.measures.comments.patterns import LETTERS
from analysis.measures.comments.stops import NEGATIONS, stop_words
from analysis.measures.frames import Rows, as_table

MAIL, IBAN, NUMBER, PHONE, NAME = "[E-Mail]", "[IBAN]", "[Kundennummer]", "[Telefon]", "[Name]"

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        MAIL: ("mail",),
        IBAN: ("iban", "konto", "account"),
        PHONE: ("phone", "telefon", "mobil", "handy", "fax"),
        NUMBER: ("_id", "nummer", "number", "_nr"),
        NAME: ("name", "contact_person", "ansprechpartner", "kontaktperson", "firma", "company", "inhaber", "owner"),
    }
)
"""What a column of the customer table holds where its name contains one of these, the first that fits."""
_PERSONS = ("kunde", "customer", "nom", "prenom", "prénom", "contact", "kontakt")
"""Names of columns that hold people; as parts of a name they say little: Kundengruppe."""

_TITLES = frozenset(
    ("dr", "prof", "med", "dipl", "ing", "herr", "frau", "firma", "gmbh", "kg", "ag", "ohg", "mbh", "und", "and", "the")
)
_PAIRED = 5
_SHORTEST_NAME = 3
_SHORTEST_NUMBER = 4
_SHORTEST_PHONE = 8
_DIGITS_AFTER_LETTERS = re.compile(r"[^\W\d_]*0*(\d+)")
_DOUBLED = re.compile("[\xc2\xc3][\x80-\xbf\u0152-\u2122]")
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_SIMPLE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


SMALL_WORDS = stop_words("de") | stop_words("en") | NEGATIONS
"""Words that stand in every text, and in names too: von der Heide."""


@dataclass(frozen=True)
class Known:
    """Keys of names and numbers: parts of names, names written as one, names with lost letters, numbers by label."""

    parts: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    numbers: Mapping[str, str] = field(default_factory=dict)
    longest_number: int = 0


def known_of(customers: Rows | None) -> Known:
    """Return what the table knows; its columns are told by their names, see ``COLUMNS``."""
    if customers is None:
        return Known()
    table = as_table(customers)
    kinds = {column: kind for column in table.columns if (kind := _kind(column, table[column]))}
    if not kinds:
        return Known()
    found = table.select(**{column: table[column].cast("string") for column in kinds}).to_pyarrow()
    values = {column: _lines(found[column].to_pylist()) for column in kinds}
    named = [values[column] for column, kind in kinds.items() if kind == NAME]
    numbers: dict[str, str] = {}
    for column, kind in reversed(kinds.items()):  # where two columns hold the same, the first names it
        if kind != NAME:
            numbers |= _number_keys(values[column], kind, whatever=column == "customer_id")
    longest = max(map(len, numbers), default=0)
    return Known(*_name_keys(named), numbers, longest)


def _kind(column: str, values: ir.Value) -> str | None:
    if values.type().is_temporal() or values.type().is_boolean() or values.type().is_nested():
        return None
    kind = next((kind for kind, parts in COLUMNS.items() if any(part in column.casefold() for part in parts)), None)
    if column.casefold() in _PERSONS:
        kind = NAME
    return None if kind == NAME and not values.type().is_string() else kind


def _lines(values: Iterable[str | None]) -> list[str]:
    """Return the values made plain, all at once, for one by one takes many times as long."""
    written = (" ".join(html.unescape(value).split()) if value else "" for value in values)
    return _plain_letters("\n".join(written)).split("\n")


def plain(text: str) -> str:
    r"""Return the text as a reader sees it: entities resolved, encoding mended, nothing invisible, plain letters.

    >>> plain("M&uuml;ller, MÃ¼ller, Mu\u0308ller, M\u200büller, \uff10\uff11\uff17\uff10")
    'Müller, Müller, Müller, Müller, 0170'
    """
    return _plain_letters(html.unescape(text))


def _plain_letters(text: str) -> str:
    text = unicodedata.normalize("NFKC", mended(text))
    return unicodedata.normalize("NFC", text.translate({ord(char): _visible(char) for char in set(text)}))


def mended(text: str) -> str:
    """Return the text with its letters of UTF-8 that were read as Windows text put right.

    >>> mended("MÃ¼ller schÃ¶n")
    'Müller schön'
    """
    return _DOUBLED.sub(_mended, text)


def _mended(found: re.Match[str]) -> str:
    """Return a letter of UTF-8 that was read as Windows text as what it was; what does not decode stays."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return found.group().encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return found.group()


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if char in "\n\r\t":
        return char
    if category in {"Cf", "Cc"} or char in _FILLERS or unicodedata.name(char, "").startswith("VARIATION SELECTOR"):
        return ""
    return {"Pd": "-", "Zs": " ", "Nd": str(unicodedata.decimal(char, ""))}.get(category, char)


def name_key(text: str) -> str:
    """Return the key of a name, the same for all its spellings.

    >>> {name_key(name) for name in ("Müßen", "MUESSEN", "Mussen")}, name_key("Zoë"), name_key("Łukasz")
    ({'musen'}, 'zoe', 'lukasz')
    """
    bare = unicodedata.normalize("NFD", text.casefold().translate(_SIMPLE))
    # at the end of a word the e is sounded: Joe, Sue
    short = re.sub(r"([aou])e(?=[^\W\d_])", r"\1", re.sub("[\u0300-\u036f]", "", bare))
    return short.replace("ss", "s")


def broken_key(text: str) -> str:
    """Return the key of a name of which only the plain letters are left."""
    return re.sub(r"[^\x00-\x7f]+|\?+", "\ufffd", text.lower())


def number_key(text: str) -> str:
    """Return letters and digits alone, in lower case, of each line.

    >>> number_key("K-100 23")
    'k10023'
    """
    return re.sub(r"(?:[^\w\n]|_)+", "", text.casefold())


def _name_keys(columns: Sequence[list[str]]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    rows = [" ".join(row) for row in zip(*columns, strict=True)] if len(columns) > 1 else []
    texts = ["\n".join(values) for values in (*columns, rows)]
    parts = {name_key(word) for text in texts for word in set(LETTERS.findall(text)) if len(word) >= _SHORTEST_NAME}
    whole = {written for text in texts for line in set(name_key(text).split("\n")) for written in _written_as_one(line)}
    broken = {broken_key(word) for text in texts if not text.isascii() for word in set(LETTERS.findall(text))}
    return (
        frozenset(parts - _TITLES),
        frozenset(word for word in whole if len(word) > _SHORTEST_NAME),
        frozenset(word for word in broken if "\ufffd" in word and len(word) >= _SHORTEST_NAME),
    )


def _written_as_one(name: str) -> Iterator[str]:
    words = LETTERS.findall(name)
    if not SMALL_WORDS.issuperset(words):
        yield "".join(words)
    for first, second in permutations(words[:_PAIRED], 2):
        if first not in SMALL_WORDS or second not in SMALL_WORDS:
            yield first + second


def _number_keys(values: list[str], kind: str, *, whatever: bool) -> dict[str, str]:
    """Return the keys of a column's numbers, each with its label."""
    keys = {key for value in _keys(values) for key in _forms(value, whatever=whatever)}
    labels = dict.fromkeys(keys, kind)
    if kind == PHONE:
        labels |= {key.removeprefix("49").lstrip("0"): kind for key in keys if len(key) >= _SHORTEST_PHONE}
    if kind == MAIL:
        before = (value.partition("@")[0] for value in values if "@" in value)
        local_parts = _keys([part for part in before if not part.isalpha()])
        labels |= {key: NAME if key.isalpha() else MAIL for key in local_parts if len(key) >= _SHORTEST_NUMBER}
    return labels


def _keys(values: list[str]) -> set[str]:
    return set(number_key("\n".join(values)).split("\n")) - {""}


def _forms(key: str, *, whatever: bool) -> Iterator[str]:
    """Yield the key, and its digits alone; three digits or none would hide every number or word like them."""
    if (len(key) >= _SHORTEST_NUMBER and (whatever or not key.isalpha())) or not (key.isdigit() or key.isalpha()):
        yield key
    digits = _DIGITS_AFTER_LETTERS.fullmatch(key)
    if digits and len(digits.group(1)) >= _SHORTEST_NUMBER:
        yield digits.group(1)
