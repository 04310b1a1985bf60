"""What is said of contracts whose reason for ending is not certain, or not shown."""

from __future__ import annotations

import pandas as pd

from analysis.draw import names
from analysis.draw.language import _
from analysis.draw.numbers import show

_KINDS = ("unknown", "sources disagree", "not in codebook")


def few(frame: pd.DataFrame) -> str:
    """Say that too few left for their reasons to be shown."""
    text = _("Fewer than {least} customers left; why is not shown.")
    return text.format(least=show(frame.attrs["min_group"], "count"))


def not_known(frame: pd.DataFrame) -> list[str]:
    """Say of which share no reason is certain, kind by kind; of texts that mean none only where there are any.

    Columns in: kind, ended, share; of a kind without a row nothing is said.
    """
    shares = frame[frame["kind"] != "reason"].set_index("kind")["share"].reindex(_KINDS).dropna()
    texts = {
        "unknown": _("for {share} no reason is known"),
        "sources disagree": _("for {share} the sources disagree"),
        "not in codebook": _("for {share} the text belongs to no reason"),
    }
    said = [
        texts[str(kind)].format(share=show(share, "share"))
        for kind, share in shares.items()
        if share > 0 or kind != "not in codebook"
    ]
    if not said:
        return counted_elsewhere(frame)
    *first, last = said
    listed = _("{listed}, and {last}").format(listed=", ".join(first), last=last) if first else last
    return [f"{listed[0].upper()}{listed[1:]}.", *counted_elsewhere(frame)]


def counted_elsewhere(frame: pd.DataFrame) -> list[str]:
    """Name the kinds that have no number, for they are of few and counted with others.

    Columns in: kind, ended (missing for those); ``attrs["min_group"]`` customers are no longer few.
    """
    kinds = frame.loc[frame["ended"].isna(), "kind"]
    text = _("Of fewer than {least} customers, and so counted with others: {kinds}.")
    listed = ", ".join(_("“{name}”").format(name=names.label(kind)) for kind in kinds)
    return [text.format(least=show(frame.attrs["min_group"], "count"), kinds=listed)] if listed else []
