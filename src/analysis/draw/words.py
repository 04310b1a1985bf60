"""Sentences written by code from the frame the chart is drawn from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from analysis.draw import names, numbers
from analysis.draw.dates import period as period_name
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, said, show, signed

reason = names.reason
table_name = names.table
heading = names.column
label = names.label
confidence_level = names.level


def _html(text: str) -> str:
    """Escape text for a page; "95-%-Intervall" is kept on one line."""
    return re.sub(r"\d+-%-\w+", r'<span style="white-space:nowrap">\g<0></span>', escape(text))


class Sentence(str):
    """A sentence, or a few. In a notebook it shows as a paragraph; whatever stands in it stays text."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": f'<p class="sk-sentence">{_html(self)}</p>', "text/plain": str(self)}


@dataclass(frozen=True)
class Findings:
    """The findings of a chapter, as a list."""

    sentences: tuple[str, ...]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        items = "".join(f"<li>{_html(sentence)}</li>" for sentence in self.sentences)
        plain = "\n".join(f"- {sentence}" for sentence in self.sentences)
        return {"text/html": f'<ul class="sk-findings">{items}</ul>', "text/plain": plain}


def findings(sentences: Iterable[str]) -> Findings:
    """Return sentences as a list of findings, in the order given, without empty ones."""
    return Findings(tuple(filter(None, sentences)))


def title(name: str, *, by: str | None = None, period: str | None = None, n: int | None = None) -> str:
    r"""Return a title that states measure, grouping, period and base.

    >>> title("nps", by="region", period="2026-Q3", n=1812)
    'Net Promoter Score nach Region, Q3 2026 (n\xa0=\xa01.812)'
    """
    text = names.column(name)
    if by is not None:
        text = _("{measure} by {group}").format(measure=text, group=names.column_within(by))
    if period is not None:
        text += f", {period_name(period)}"
    return text if n is None else f"{text} ({base(n)})"


def base(n: Any) -> str:
    r"""Return the number of answers, customers or rows behind a figure.

    >>> base(1812)
    'n\xa0=\xa01.812'
    """
    return f"n = {show(n, 'count')}".replace(" ", numbers.NO_BREAK_SPACE)


def level(name: str, value: Any, low: Any = None, high: Any = None, *, n: Any, unit: str) -> Sentence:
    r"""Say where a measure stands, with its 95 % interval where one exists and its base.

    ``name`` is the name of a measure ("nps") or a phrase of one's own, with its article, in the reader's language.

    >>> print(level("nps", 24, 20, 28, n=812, unit="points").replace("\xa0", " "))
    Der Net Promoter Score liegt bei 24 Punkten (95-%-Intervall 20 bis 28, n = 812).
    """
    if is_missing(value):
        told = names.subject(name)
        if is_missing(n):
            return Sentence(_("{subject} cannot be computed.").format(subject=told))
        return Sentence(_("{subject} cannot be computed ({base}).").format(subject=told, base=base(n)))
    stands = _("{subject} is {value}").format(subject=names.subject(name), value=said(value, unit, dative=True))
    return Sentence(f"{stands} ({bracket(low, high, unit, base(n))}).")


def bracket(low: Any, high: Any, unit: str, *more: str) -> str:
    """Return what stands in brackets behind a value: its interval where it has one, and more."""
    known = not (is_missing(low) and is_missing(high))
    ends = (
        [_("{level}\u00a0interval {interval}").format(level=names.level(), interval=_interval(low, high, unit))]
        if known
        else []
    )
    return ", ".join([*ends, *more])


def _interval(low: Any, high: Any, unit: str) -> str:
    return numbers.interval(low, high, unit, write=lambda value, unit: numbers.bare(show(value, unit), unit))


def change(
    name: str, now: Any, *, difference: Any, low: Any, high: Any, unit: str, since: str | None = None
) -> Sentence:
    r"""Say whether a measure rose, fell, or moved within noise, from a difference and its 95 % interval.

    ``since`` is the id of the period compared with. A difference of shares is in percentage points.

    >>> rose = change("nps", 24, difference=4.1, low=1.2, high=7.0, unit="points", since="2026-Q2")
    >>> print(rose.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Net Promoter Score ist gegenüber Q2 2026 um 4,1 Punkte auf 24 Punkte gestiegen (95-%-Intervall der
    Veränderung: +1,2 bis +7,0).
    >>> level = change("nps", 24, difference=2.1, low=-3, high=7.2, unit="points")
    >>> print(level.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Net Promoter Score hat sich gegenüber der Vorperiode nicht erkennbar verändert: Der Unterschied von
    +2,1 Punkten liegt im Zufallsbereich (−3,0 bis +7,2).
    """
    step = "percentage points" if unit == "share" else unit
    parts = {
        "subject": names.subject(name),
        "since": period_name(since) if since else _("the period before"),
        "now": said(now, unit),
        "by": said(abs(difference), step) if not is_missing(difference) else numbers.MISSING,
        "difference": said(difference, step, dative=True, write=signed),
        "interval": numbers.interval(low, high, step, write=signed),
        "level": names.level(),
    }
    return Sentence(_change_pattern(difference, low, high).format(**parts))


def _change_pattern(difference: Any, low: Any, high: Any) -> str:
    if is_missing(difference) or is_missing(low) or is_missing(high):
        return _("{subject} cannot be compared with {since}.")
    if low > 0:
        return _(
            "{subject} has risen by {by} since {since}, to {now} ({level}\u00a0interval of the change: {interval})."
        )
    if high < 0:
        return _(
            "{subject} has fallen by {by} since {since}, to {now} ({level}\u00a0interval of the change: {interval})."
        )
    return _(
        "{subject} has not changed noticeably since {since}: the difference of {difference} is within noise "
        "({interval})."
    )


def highest_lowest(
    frame: pd.DataFrame, *, label: str, value: str, unit: str, low: str = "low", high: str = "high"
) -> Sentence:
    r"""Say which group stands highest and which lowest, and whether their intervals overlap where there are any.

    >>> by_region = pd.DataFrame({"region": ["Nord", "Süd"], "nps": [12, 31], "low": [2, 25], "high": [22, 37]})
    >>> print(highest_lowest(by_region, label="region", value="nps", unit="points").replace("\xa0", " "))
    Am höchsten liegt Süd (31 Punkte), am niedrigsten Nord (12 Punkte); die Intervalle überschneiden sich nicht.
    """
    require("words.highest_lowest", frame, (label, value))
    known = frame[frame[value].notna()].reset_index(drop=True)
    if known.empty:
        return no_data()
    top, bottom = known.loc[known[value].idxmax()], known.loc[known[value].idxmin()]
    if top[value] == bottom[value]:
        return _level_with_each_other(known, label, value, unit)
    text = _("{top} is highest ({most}), {bottom} lowest ({least})").format(
        top=names.label(top[label]),
        most=said(top[value], unit),
        bottom=names.label(bottom[label]),
        least=said(bottom[value], unit),
    )
    return Sentence(f"{text}{_overlap(top, bottom, low, high)}.")


def _level_with_each_other(known: pd.DataFrame, label: str, value: str, unit: str) -> Sentence:
    worth = said(known[value].iloc[0], unit, dative=True)
    if len(known) == 1:
        only = names.label(known[label].iloc[0])
        return Sentence(_("The only group, {group}, is at {value}.").format(group=only, value=worth))
    return Sentence(_("All {count} groups are at {value}.").format(count=show(len(known), "count"), value=worth))


def _overlap(top: pd.Series, bottom: pd.Series, low: str, high: str) -> str:
    ends = top.get(low), bottom.get(high)
    if any(end is None or is_missing(end) for end in ends):
        return ""
    return _("; their intervals overlap") if ends[0] <= ends[1] else _("; their intervals do not overlap")


def share_sentence(what: str, count: Any, n: Any, low: Any = None, high: Any = None) -> Sentence:
    r"""Say how many of a base, as a count and as a share; ``what`` names them in the reader's language.

    >>> print(share_sentence("Beendete Verträge", 123, 1000, 0.104, 0.145).replace("\xa0", " "))
    Beendete Verträge: 123 von 1.000, das sind 12,3 % (95-%-Intervall 10,4 bis 14,5 %).
    """
    if is_missing(count) or not n:
        return no_data(what)
    text = _("{what}: {count} of {n}, that is {share}").format(
        what=what, count=show(count, "count"), n=show(n, "count"), share=show(count / n, "share")
    )
    ends = bracket(low, high, "share")
    return Sentence(f"{text} ({ends})." if ends else f"{text}.")


def absent(table: str, *columns: str) -> Sentence:
    """Say that a section is left out because a table, or columns of it, were not delivered.

    >>> print(absent("surveys"))
    Für diesen Abschnitt fehlen Angaben: Die Tabelle „Umfrage“ liegt nicht vor.
    >>> print(absent("surveys", "nps", "comment"))
    Für diesen Abschnitt fehlen Angaben: In der Tabelle „Umfrage“ fehlen „Net Promoter Score“, „Kommentar“.
    """
    if not columns:
        text = _("There is no data for this section: the table “{table}” was not delivered.")
        return Sentence(text.format(table=names.table(table)))
    text = ngettext(
        "There is no data for this section: the table “{table}” lacks {columns}.",
        "There is no data for this section: the table “{table}” lacks {columns}.",
        len(columns),
    )
    listed = ", ".join(_("“{name}”").format(name=names.column(column)) for column in columns)
    return Sentence(text.format(table=names.table(table), columns=listed))


def no_data(about: str = "") -> Sentence:
    """Say that there is nothing to show.

    >>> print(no_data("NPS nach Region"))
    NPS nach Region: keine Daten.
    """
    text = _("no data")
    return Sentence(f"{about}: {text}." if about else f"{text[0].upper()}{text[1:]}.")
