"""Lists of single customers: they stay in the house, and say of how many they show the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.draw import tables
from analysis.draw.language import _
from analysis.draw.numbers import show
from analysis.draw.tables import Key, Table
from analysis.draw.words import Sentence


def listed(
    frame: pd.DataFrame,
    *,
    title: str,
    columns: Mapping[Key, tuple[str | None, str]] | Sequence[Key],
    internal: bool,
    note: str = "",
) -> Table | Sentence:
    """Show customers in internal reports, and in others that they are left out; nothing where there are none.

    Columns in: those of ``columns``; ``attrs["n"]`` counts all of them, where these are only the first.
    """
    if not internal:
        return Sentence(_("The list of single customers stands in internal reports only."))
    if frame.empty:
        return Sentence()
    notes = filter(None, (first_of(len(frame), int(frame.attrs.get("n", len(frame)))), note))
    return tables.table(frame, title=title, columns=columns, note=" ".join(notes))


def first_of(shown: int, n: int) -> str:
    """Say of how many rows the first are shown, where that is not all.

    >>> first_of(20, 31), first_of(3, 3)
    ('Gezeigt sind die ersten 20 von 31.', '')
    """
    text = _("The first {shown} of {n} are shown.")
    return text.format(shown=show(shown, "count"), n=show(n, "count")) if n > shown else ""
