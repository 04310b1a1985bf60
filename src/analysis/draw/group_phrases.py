"""How a sentence speaks of the customers of a group, after "with"."""

from __future__ import annotations

from typing import Any

from analysis.draw import names
from analysis.draw.language import _, ngettext


def with_group(column: str, level: Any) -> str:
    """Return what follows "with" in a sentence on a group: a term in months as such, else the attribute in quotes.

    >>> with_group("term_months", "1"), with_group("payment", "Rechnung")
    ('einer Laufzeit von 1 Monat', 'dem Merkmal „Zahlungsart: Rechnung“')
    """
    label = names.label(level)
    if column == "term_months":
        text = ngettext("a term of {level} month", "a term of {level} months", 1 if label == "1" else 2)
        return text.format(level=label)
    return _("the attribute “{name}: {level}”").format(name=names.column(column), level=label)
