"""The reader's language and currency, kept in one place for all that is drawn, and the translator."""

from __future__ import annotations

import gettext as gettext_module
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from babel import Locale

from analysis.errors import UnknownNameError

DOMAIN = "stammkunde"
LANGUAGES = ("de", "en")


@dataclass(frozen=True)
class Reader:
    """Whom the output is for: ``language`` is de or en, ``currency`` an ISO 4217 code."""

    language: str = "de"
    currency: str = "EUR"

    @property
    def locale(self) -> Locale:
        """The locale by which numbers and dates are written."""
        return Locale.parse(self.language)


_reader = Reader()


def use(language: str = "de", currency: str = "EUR") -> None:
    """Write for a reader of ``language`` from here on, with money in ``currency``.

    Raises UnknownNameError for a language that has no catalogue.
    """
    global _reader
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    _reader = Reader(language, currency)


def reader() -> Reader:
    """Return whom the output is for now."""
    return _reader


@cache
def _catalogue(language: str) -> gettext_module.NullTranslations:
    with as_file(files("analysis") / "locale") as folder:
        return gettext_module.translation(DOMAIN, localedir=folder, languages=[language])


def _(message: str) -> str:
    """Return ``message``, which is English, in the reader's language.

    >>> _("no data")
    'keine Daten'
    """
    return _catalogue(_reader.language).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Return the form for ``n`` in the reader's language.

    >>> ngettext("{number} point", "{number} points", 2).format(number=2)
    '2 Punkte'
    """
    return _catalogue(_reader.language).ngettext(singular, plural, n)


def N_(message: str) -> str:  # noqa: N802
    """Mark ``message`` as one to be translated where it is shown; return it as it is."""
    return message
