"""Names of tables, columns, measures and reasons, as the reader calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from babel.numbers import format_decimal

from analysis.draw.group_labels import GROUPS, REASONS, SUBJECTS
from analysis.draw.labels import COLUMNS, TABLES
from analysis.draw.language import _, reader
from analysis.draw.numbers import is_missing
from analysis.vocabulary import RATING_PREFIX

_MOST_LISTED = 8


def _named(names: Mapping[str, str], code: str) -> str:
    return _(names[code]) if code in names else code


def table(name: str) -> str:
    """Return what the reader calls a canonical table; an unknown name stays as it is.

    >>> table("customers"), table("boats")
    ('Kundschaft', 'boats')
    """
    return _named(TABLES, name)


def column(name: str) -> str:
    """Return the heading of a column; an attribute of the customer's own stays as it is, underscores opened.

    >>> column("region"), column("rating_delivery"), column("Tarif_Art")
    ('Region', 'delivery', 'Tarif Art')
    """
    if name not in COLUMNS:
        return name.removeprefix("rating_").replace("_", " ")
    return _(COLUMNS[name]).format(level=level()) if name == "interval" else _(COLUMNS[name])


def column_within(name: str) -> str:
    """Return the heading of a column as it stands within a title: the kit's own without a capital, as English has it.

    >>> column_within("region"), column_within("Tarif_Art")
    ('Region', 'Tarif Art')
    """
    text = column(name)
    is_word = name in COLUMNS and text[1:].islower()
    return text[:1].lower() + text[1:] if is_word and reader().language == "en" else text


def level() -> str:
    """Return the level of the intervals shown, as it is written before the word interval.

    >>> level()
    '95-%'
    """
    percent = f"{100 * reader().confidence:g}"
    return _("{percent}%").format(percent=percent.replace(".", "," if reader().language == "de" else "."))


def subject(name: str) -> str:
    """Return what a sentence about a measure begins with; a phrase of one's own stays as it is.

    >>> subject("nps"), subject("Der Umsatz je Kopf")
    ('Der Net Promoter Score', 'Der Umsatz je Kopf')
    """
    return _named(SUBJECTS, name)


def reason(code: str) -> str:
    """Return a reason for quarantine in the reader's words; an unknown code stays as it is.

    >>> reason("duplicate id"), reason("burnt")
    ('Kennung doppelt', 'burnt')
    """
    return _named(REASONS, code)


def label(value: Any) -> str:
    """Return the name of a group: a known one translated, yes or no, a missing one named so; a rating without prefix.

    >>> label("promoters"), label(True), label(None), label("Süd"), label("rating_Preis")
    ('Fürsprecher', 'ja', 'ohne Angabe', 'Süd', 'Preis')
    """
    if is_missing(value):
        return _("not stated")
    if isinstance(value, bool | np.bool_):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format_decimal(value, locale=reader().language)
    text = str(value)
    return _(GROUPS[text]) if text in GROUPS else printable(text.removeprefix(RATING_PREFIX))


def printable(text: str) -> str:
    r"""Return ``text`` on one line, without control characters, which no image file may hold.

    >>> printable("Nord\x00\nOst ")
    'Nord Ost'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def row_name(row: pd.Series, named_by: str | tuple[str, str]) -> str:
    """Return the name of a row; a pair is the column it is about and the level, which may be missing."""
    if isinstance(named_by, str):
        return label(row[named_by])
    about, level = (row[name] for name in named_by)
    heading = column(str(about))
    return heading if is_missing(level) else f"{heading}: {label(level)}"


def listed(items: Sequence[str]) -> str:
    """Return items in one phrase; of many, the first ones and the last.

    >>> listed(["a", "b"]), listed(list("abcdefghij"))
    ('a; b', 'a; b; c; d; e; f; …; j')
    """
    return "; ".join(items if len(items) <= _MOST_LISTED else [*items[: _MOST_LISTED - 2], "…", items[-1]])
