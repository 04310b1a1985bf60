"""How unevenly revenue is spread over the customers: what is said of it, and the curve."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.draw import charts, dates, words
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, said, show
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_WORTH_TELLING = 0.01
"""Changes of a share below one percentage point are no news."""


def told(measured: pd.DataFrame, classes: pd.DataFrame, *, internal: bool) -> pd.DataFrame:
    """Return the concentration without the number of customers it is of, where that would give away a small class.

    Columns in: positive; of ``classes`` customers. Who is in class A or B has brought revenue, so their number holds
    down what a class can be that a report does not show.
    """
    require("spread.told", measured, ("positive",))
    require("spread.told", classes, ("customers",))
    is_few = not internal and classes["customers"].between(1, SMALL_CELL - 1).any()
    return measured.assign(positive=measured["positive"].mask(is_few & (measured["positive"] > 0)))


def top_share(concentration: pd.DataFrame) -> Sentence:
    r"""Say how much of the revenue the best fifth of the customers brings; nothing where a fifth is nobody.

    Columns in: top_20_share, positive (missing where it is not to be told).

    >>> print(top_share(pd.DataFrame({"top_20_share": [0.62], "positive": [1200]})).replace("\xa0", " "))
    Das umsatzstärkste Fünftel der Kundschaft bringt 62,0 % des Umsatzes (n = 1.200).
    """
    require("spread.top_share", concentration, ("top_20_share", "positive"))
    if not _has_fifth(concentration):
        return Sentence()
    text = _("The fifth of the customers with the highest revenue brings {share}.")
    share = _("{share} of the revenue").format(share=show(concentration["top_20_share"].iloc[0], "share"))
    return Sentence(text.format(share=_based(share, concentration["positive"].iloc[0])))


def change(now: pd.DataFrame, before: pd.DataFrame, *, since: str) -> Sentence:
    r"""Say how the share of the best fifth has changed since a period. It is counted, so there is no noise to fear.

    Columns in, one row each: top_20_share, positive.

    >>> now, before = (pd.DataFrame({"top_20_share": [s], "positive": [1200]}) for s in (0.62, 0.59))
    >>> print(change(now, before, since="2026-Q2").replace("\xa0", " "))
    Der Umsatz hängt an wenigen stärker als in Q2 2026: Damals waren es 59,0 % (n = 1.200), 3 Prozentpunkte weniger.
    """
    for frame in (now, before):
        require("spread.change", frame, ("top_20_share", "positive"))
    share, earlier = (frame["top_20_share"].iloc[0] for frame in (now, before))
    if not (_has_fifth(now) and _has_fifth(before)):
        return Sentence()
    step = round(share - earlier, 3)
    if abs(step) < _WORTH_TELLING:
        text = _("Revenue hangs on a few about as much as in {since}: then it was {share}.")
    elif step > 0:
        text = _("Revenue hangs on a few more than in {since}: then it was {share}, {by} less.")
    else:
        text = _("Revenue hangs on a few less than in {since}: then it was {share}, {by} more.")
    return Sentence(
        text.format(
            since=dates.period(since),
            share=_based(show(earlier, "share"), before["positive"].iloc[0]),
            by=said(abs(step), "percentage points"),
        )
    )


def _has_fifth(concentration: pd.DataFrame) -> bool:
    row = concentration.iloc[0]
    return not is_missing(row["top_20_share"]) and not row["positive"] < SMALL_CELL


def _based(text: str, n: float) -> str:
    return text if is_missing(n) else f"{text} ({words.base(n)})"


def section(
    curve: pd.DataFrame, measured: pd.DataFrame, *, cuts: Sequence[float], period: str, internal: bool
) -> charts.Chart | Sentence:
    """Show how unevenly revenue is spread, or say why there is no curve.

    Columns in: as ``charts.lorenz`` takes them; of ``measured``, one row, n and positive (missing where not told).
    """
    require("segment_sections.concentration", measured, ("n", "positive"))
    n, positive = (measured[name].item() for name in ("n", "positive"))
    if positive == 0 or (internal and positive < SMALL_CELL):
        return _too_few_for_a_curve(int(positive))
    if curve.empty:
        text = _("How revenue is spread stands in internal reports only: fewer than {count} customers brought any.")
        return Sentence(text.format(count=SMALL_CELL))
    title = words.title("concentration", period=period, n=None if is_missing(positive) else positive)
    left = 0 if is_missing(positive) else int(n - positive)
    text = ngettext(
        "Without {count} customer who brought nothing or less in the period.",
        "Without {count} customers who brought nothing or less in the period.",
        left,
    )
    return charts.lorenz(curve, cuts=cuts, title=title, note=text.format(count=show(left, "count")) if left else "")


def _too_few_for_a_curve(positive: int) -> Sentence:
    if not positive:
        return Sentence(_("Nobody brought revenue in the period; so there is nothing that could be spread unevenly."))
    text = ngettext(
        "Only {count} customer brought revenue in the period: too few for a curve.",
        "Only {count} customers brought revenue in the period: too few for a curve.",
        positive,
    )
    return Sentence(text.format(count=show(positive, "count")))
