"""Codebooks: what stands in columns that hold a reason, each column a source of its own, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from analysis.errors import MeasureError
from analysis.vocabulary import NO_REASONS

Codebook: TypeAlias = Mapping[str, Mapping[str, str]]
"""For each column that holds a reason: what stands there, and the reason that means."""

Book: TypeAlias = dict[str, dict[str, list[str]]]
"""By column and reason the texts that mean it, folded."""


class AsTheyStand(dict[str, dict[str, str]]):
    """The codebook of a source in which texts stand for themselves: what is not in it is a reason given seldom."""


def checked(codebook: Codebook) -> Book:
    """Return the codebook by what it means.

    Raises MeasureError where it is empty, gives a text two meanings, or calls a reason what is no reason.
    """
    if not any(isinstance(meanings, Mapping) and meanings for meanings in codebook.values()):
        raise MeasureError("reasons", "the codebook is empty", "Give for each column its texts and what they mean")
    return {column: _texts_by_reason(column, meanings) for column, meanings in codebook.items()}


def _texts_by_reason(column: str, meanings: Mapping[str, str]) -> dict[str, list[str]]:
    meant: dict[str, str] = {}
    for text, reason in meanings.items():
        folded = str(text).strip().lower()
        if meant.setdefault(folded, reason) != reason:
            raise MeasureError(
                "reasons", f"the codebook of {column!r} says of {folded!r} both {meant[folded]!r} and {reason!r}"
            )
    if taken := [reason for reason in meant.values() if reason in NO_REASONS]:
        raise MeasureError("reasons", f"the codebook of {column!r} calls a reason {taken[0]!r}, which is none")
    return {reason: [text for text in meant if meant[text] == reason] for reason in dict.fromkeys(meant.values())}


def written(table: ir.Table, column: str) -> ir.StringValue:
    """Return what stands in a column, without outer spaces; missing where that is nothing."""
    return table[column].cast("string").strip().nullif("")


@dataclass(frozen=True)
class Sources:
    """What the columns of a codebook say of each row, and which reason each of them means."""

    texts: Mapping[str, ir.StringValue]
    means: Mapping[str, ir.StringValue]

    @classmethod
    def of(cls, table: ir.Table, book: Book) -> Sources:
        """Read the columns of the codebook in a table."""
        texts = {column: written(table, column) for column in book}
        return cls(texts, {column: _meaning(texts[column], book[column]) for column in book})

    @property
    def first(self) -> ir.StringValue:
        """The reason of the first source that means one."""
        return ibis.coalesce(ibis.null("string"), *self.means.values())

    @property
    def disagree(self) -> ir.BooleanValue:
        """Whether two sources mean different reasons."""
        return ibis.or_(*((meaning != self.first).fill_null(False) for meaning in self.means.values()))

    @property
    def agreed(self) -> ir.StringValue:
        """The reason of all sources that mean one, missing where there is none or they disagree."""
        return self.disagree.ifelse(ibis.null("string"), self.first)

    @property
    def uncoded(self) -> dict[str, ir.StringValue]:
        """By column what stands there and means nothing known."""
        pairs = ((column, self.texts[column], meaning) for column, meaning in self.means.items())
        return {column: meaning.isnull().ifelse(text, ibis.null("string")) for column, text, meaning in pairs}

    @property
    def say_anything(self) -> ir.BooleanValue:
        """Whether any text stands in the columns."""
        return ibis.coalesce(ibis.null("string"), *self.texts.values()).notnull()


def _meaning(said: ir.StringValue, texts: Mapping[str, list[str]]) -> ir.StringValue:
    # The engine folds both sides, so that they are folded alike whatever it makes of umlauts.
    branches = [
        (said.lower().isin([ibis.literal(text).lower() for text in of]), reason) for reason, of in texts.items()
    ]
    return ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")
