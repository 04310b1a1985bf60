"""The reader's language and currency, kept in one place for all that is drawn, and the translator."""

from __future__ import annotations

import gettext as catalogues
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from analysis.errors import UnknownNameError

DOMAIN = "stammkunde"
LANGUAGES = ("de", "en")


@dataclass(frozen=True)
class Reader:
    """Whom the output is for: ``language`` is de or en, ``currency`` an ISO 4217 code.

    ``confidence`` is the level of the intervals that are shown.
    """

    language: str = "de"
    currency: str = "EUR"
    confidence: float = 0.95


_reader = Reader()


def use(language: str = "de", currency: str = "EUR", confidence: float = 0.95) -> None:
    """Write for a reader of ``language`` from here on, with money in ``currency`` and intervals of that level.

    Raises UnknownNameError for a language that has no catalogue.
    """
    global _reader
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    _reader = Reader(language, currency, confidence)


def reader() -> Reader:
    """Return whom the output is for now."""
    return _reader


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    with as_file(files("analysis") / "locale") as folder:
        return catalogues.translation(DOMAIN, localedir=folder, languages=[language])


def _(message: str) -> str:
    """Return ``message``, which is English, in the reader's language.

    >>> _("no data")
    'keine Daten'
    """
    return _catalogue(_reader.language).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form for ``n`` in the reader's language.

    >>> ngettext("{number} point", "{number} points", 2)
    '{number} Punkte'
    """
    return _catalogue(_reader.language).ngettext(singular, plural, n)


def npgettext(context: str, singular: str, plural: str, n: int) -> str:
    """Return the form for ``n`` in the reader's language, where the German depends on the grammatical case.

    >>> npgettext("dative", "{number} point", "{number} points", 2)
    '{number} Punkten'
    """
    return _catalogue(_reader.language).npgettext(context, singular, plural, n)


def mark(message: str) -> str:
    """Return ``message`` as it is; the mark tells the catalogue that it is translated where it is shown."""
    return message
