"""Parameters of one source: where a table comes from, how its columns are called, on which scales it was asked."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from analysis.errors import ParamsError, nearest
from analysis.vocabulary import NO_REASONS, NPS_SCALES

Text = Annotated[str, Field(min_length=1)]
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_WORDS = ("password", "passwd", "pwd", "token", "secret", "apikey", "api_key")


class Model(BaseModel):
    """Frozen; an unknown key is a fault; values are taken as they stand, never converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _ordered(scale: tuple[int, int]) -> tuple[int, int]:
    if scale[0] >= scale[1]:
        raise ValueError(f"a scale runs from low to high, not from {scale[0]} to {scale[1]}")
    return scale


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _nps(scale: tuple[int, int]) -> tuple[int, int]:
    if scale not in NPS_SCALES:
        raise ValueError(f"an NPS scale is [0, 10] or [1, 10], not {list(scale)}")
    return scale


def _quoted(name: object) -> object:
    if not isinstance(name, str):
        raise ValueError(f"the name of a survey is text; write it in quotes: '{name}'")
    return name


def _day(value: object) -> object:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _timezone(name: str) -> str:
    if name not in available_timezones():
        near = nearest(name, available_timezones())
        raise ValueError(f"{name!r} is no time zone" + (f"; did you mean {near!r}?" if near else ""))
    return name


def _without_plain_secret(url: str) -> str:
    parts = urlsplit(_REFERENCE.sub("REFERENCE", url))
    words = [value for key, value in parse_qsl(parts.query) if key.casefold() in _SECRET_WORDS]
    if any(word != "REFERENCE" for word in (*words, parts.password or "REFERENCE")):
        raise ValueError(
            "a password stands here in plain text; set an environment variable and write ${NAME} in its place"
        )
    return url


def _reason_column(name: str) -> str:
    if name != "reason" and not name.startswith("reason_"):
        raise ValueError(f"{name!r} holds no reason; columns of reasons are called reason or reason_*")
    return name


def _codebook(meanings: Mapping[str, str]) -> Mapping[str, str]:
    meant: dict[str, str] = {}
    for text, reason in meanings.items():
        folded = text.strip().lower()
        if meant.setdefault(folded, reason) != reason:
            raise ValueError(f"{folded!r} means both {meant[folded]!r} and {reason!r}; case and outer blanks are one")
    if taken := next((reason for reason in meant.values() if reason.strip().lower() in NO_REASONS), None):
        raise ValueError(f"{taken!r} is what the report itself calls what is no reason; call it otherwise")
    return meanings


Scale = Annotated[tuple[int, int], BeforeValidator(_pair), AfterValidator(_ordered)]
NpsScale = Annotated[Scale, AfterValidator(_nps)]
SurveyName = Annotated[Text, BeforeValidator(_quoted)]
ReasonColumn = Annotated[Text, AfterValidator(_reason_column)]
Meanings = Annotated[Mapping[Text, Text], AfterValidator(_codebook)]
SCALE_TAGS = ("one scale", "scale by survey")
NpsScales = Annotated[
    Annotated[NpsScale, Tag(SCALE_TAGS[0])]
    | Annotated[Mapping[SurveyName, NpsScale], Field(min_length=1), Tag(SCALE_TAGS[1])],
    Discriminator(lambda scales: SCALE_TAGS[isinstance(scales, Mapping)]),
]
Day = Annotated[dt.date, BeforeValidator(_day)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Connection = Annotated[Text, AfterValidator(_without_plain_secret)]


class DateRule(Model):
    """A date made from other columns: ``day``, less as many months as a column says, where columns hold a value."""

    day: Day
    minus_months: Text | None = None
    where: Mapping[str, str] | None = None


class LaterRule(Model):
    """Yes where the date in column ``later`` lies after the one in column ``than``, no where not."""

    later: Text
    than: Text


Rule = Annotated[
    Annotated[DateRule, Tag("date")] | Annotated[LaterRule, Tag("later")],
    Discriminator(lambda rule: "later" if isinstance(rule, LaterRule) or "later" in rule else "date"),
]


class FileForm(Model):
    """How a file is read; what is not set is found out from the whole file."""

    path: Text | None = None
    sheet: Text | None = None
    encoding: Text | None = None
    separator: Annotated[str, Field(min_length=1)] | Literal["blank"] | None = None
    header: Sequence[str] | None = None
    decimal: Literal[",", "."] | None = None
    day_first: bool | None = None


class Join(FileForm):
    """A further file whose columns are added to each row by an equal value in column ``on``."""

    path: Text
    on: Text


class Source(FileForm):
    """Where a canonical table comes from and how its columns are called there."""

    table: Text | None = None
    connection: Connection | None = None
    preset: Literal["auto"] = "auto"
    columns: Mapping[str, str] = {}
    values: Mapping[str, Mapping[str, str]] = {}
    where: Mapping[str, Sequence[str]] = {}
    join: Sequence[Join] = ()
    derive: Mapping[str, Rule] = {}
    duplicates: Literal["quarantine", "drop", "keep"] = "quarantine"
    """What becomes of a row that repeats an id; ``keep`` where the id is not meant to be unique."""
    timezone: Timezone | None = None
    begins: Day | None = None
    """First day on record: what ended before it is not in the table, so the customers in it have lasted till then."""
    scale: NpsScales | None = None
    """The NPS scale; where surveys were asked on different ones, the scale of each survey by its name."""
    csat_scale: Scale | None = None
    ces_scale: Scale | None = None
    ces_easy: Literal["high", "low"] | None = None
    """Which end of the scale of effort says that it was easy."""
    rating_scale: Scale | None = None
    reasons: Annotated[Mapping[ReasonColumn, Meanings], Field(min_length=1)] | None = None
    """The codebook of the reasons for leaving: for each column that holds one, what its texts mean."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.path is None) == (self.table is None):
            raise ValueError("name either a path or a table")
        if self.ces_scale is not None and self.ces_easy is None:
            raise ValueError("ces_scale has no direction; declare which end is easy: ces_easy: high or low")
        return self

    def scale_of(self, column: str) -> tuple[int, int] | None:
        """Return the scale declared for a rating column (nps, csat, ces or rating_*), the widest of several."""
        nps = min(self.scale.values()) if isinstance(self.scale, Mapping) else self.scale
        by_column = {"nps": nps, "csat": self.csat_scale, "ces": self.ces_scale}
        return by_column.get(column, self.rating_scale)

    @property
    def scale_by_survey(self) -> Mapping[str, tuple[int, int]]:
        """The NPS scale of each survey; empty where one is declared for all."""
        return self.scale if isinstance(self.scale, Mapping) else {}


SCALE_KEYS: Mapping[str, str] = {"nps": "scale", "csat": "csat_scale", "ces": "ces_scale"}
"""The key of a source that declares the scale of a rating column; ``rating_scale`` for all rating_* columns."""


def with_secrets(url: str, key: str) -> str:
    """Return ``url`` with each ``${NAME}`` replaced by that environment variable.

    Raises ParamsError where one is not set; the message never holds a value.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ParamsError("environment", key, f"the variable {match[1]} is not set", "Set it before the run")
        return os.environ[match[1]]

    return _REFERENCE.sub(value, url)
