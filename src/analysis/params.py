"""Parameters of a report: YAML to frozen, typed models; unknown keys fail with the nearest name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from babel.numbers import is_currency
from pydantic import AfterValidator, BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from analysis.errors import ParamsError, nearest
from analysis.period import Kind
from analysis.source_params import (
    SCALE_KEYS,
    SCALE_TAGS,
    Connection,
    DateRule,
    Join,
    LaterRule,
    Model,
    Source,
    Text,
    Timezone,
)
from analysis.vocabulary import CHAPTERS, SMALL_CELL, TABLES
from analysis.yaml_strict import read_mapping, read_value

Confidence = Annotated[float, Field(gt=0, lt=1)]
Days = Annotated[int, Field(ge=1, le=36_525)]
Share = Annotated[float, Field(ge=0, le=1)]


class DataQualitySettings(Model):
    """Settings of the chapter on the data behind the report."""


class SatisfactionSettings(Model):
    """Settings of the satisfaction chapter."""

    confidence: Confidence = 0.95
    min_group: Annotated[int, Field(ge=1)] = 5
    top: Annotated[int, Field(ge=1)] = 2
    every: Literal["week", "month", "quarter"] = "month"
    bootstrap: Annotated[int, Field(ge=100, le=10_000)] = 500


class ChurnDriversSettings(Model):
    """Settings of the chapter on leaving; ``drivers`` names the attributes taken as unchanging, between blanks."""

    confidence: Confidence = 0.95
    min_group: Annotated[int, Field(ge=1)] = 5
    drivers: str = "region channel term_months"
    consumer_rule: bool = True
    notice_within_days: Days = 60
    fading_days: Days = 365
    risk_days: Days = 90


class SegmentsSettings(Model):
    """Settings of the segments chapter."""

    cut_a: Confidence = 0.8
    cut_b: Confidence = 0.95
    bins: Annotated[int, Field(ge=2, le=9)] = 5


class ValueSettings(Model):
    """Settings of the chapter on value. Its classes and its risk are those of the chapters on segments and on leaving.

    Shares are of the expected value; ``margin_ratio`` counts where the cost of goods is not on record, unless it is 0.
    """

    confidence: Confidence = 0.95
    months: Annotated[int, Field(ge=1)] = 12
    discount: Annotated[float, Field(ge=0)] = 0.1
    fee_margin: Annotated[float, Field(ge=0, le=1)] = 1.0
    margin_ratio: Annotated[float, Field(le=1)] = 0.0
    service: Annotated[float, Field(ge=0)] = 0.0
    margin_months: Annotated[int, Field(ge=2)] = 12
    care_share: Share = 0.1
    acquisition_share: Share = 0.3

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.care_share + self.acquisition_share > 1:
            raise ValueError(
                f"care_share, {self.care_share}, and acquisition_share, {self.acquisition_share}, are more than the "
                "whole value together; lower one of them"
            )
        return self


class SummarySettings(Model):
    """Settings of the summary."""


class Title(Model):
    """The report's title in each language."""

    de: Text = "Kundenbericht"
    en: Text = "Customer report"


def _chapter(name: str) -> str:
    if name not in CHAPTERS:
        near = nearest(name, CHAPTERS)
        hint = f"did you mean {near!r}? " if near else ""
        raise ValueError(f"there is no chapter {name!r}; {hint}Known: {', '.join(CHAPTERS)}")
    return name


def _folder_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9ÄÖÜäöüß][A-Za-z0-9ÄÖÜäöüß_-]*", name):
        raise ValueError(f"{name!r} cannot be a folder's name; use letters, digits, - and _")
    return name


class Params(Model):
    """The parameters of one report."""

    report: Annotated[str, AfterValidator(_folder_name)]
    title: Title = Title()
    language: Literal["de", "en"] = "de"
    period: Kind
    timezone: Timezone = "Europe/Berlin"
    currency: str = "EUR"
    audience: Literal["internal", "shareable"] = "internal"
    connection: Connection = "duckdb"
    sources: Annotated[Mapping[str, Source], Field(min_length=1)]
    chapters: Sequence[Annotated[str, AfterValidator(_chapter)]] | None = None
    data_quality: DataQualitySettings = DataQualitySettings()
    satisfaction: SatisfactionSettings = SatisfactionSettings()
    churn_drivers: ChurnDriversSettings = ChurnDriversSettings()
    segments: SegmentsSettings = SegmentsSettings()
    value: ValueSettings = ValueSettings()
    summary: SummarySettings = SummarySettings()
    split_by: None = None
    outputs: Sequence[Literal["html", "pdf", "xlsx"]] = ("html", "pdf", "xlsx")
    max_quarantined: Annotated[float, Field(ge=0, le=1)] = 0.05

    @field_validator("currency")
    @classmethod
    def _currency(cls, currency: str) -> str:
        if not is_currency(currency):
            raise ValueError(f"{currency!r} is no currency; write its three letters, such as EUR")
        return currency

    @field_validator("sources")
    @classmethod
    def _tables(cls, sources: Mapping[str, Source]) -> Mapping[str, Source]:
        for name, source in sources.items():
            if name not in TABLES:
                near = nearest(name, TABLES)
                hint = f"did you mean {near!r}? " if near else ""
                raise ValueError(f"unknown table {name!r}; {hint}Known: {', '.join(TABLES)}")
            if source.reasons and name != "contracts":
                raise ValueError(f"{name} has a codebook of reasons, but only contracts end for one; move it there")
            for column, key in SCALE_KEYS.items():
                if TABLES[name].column(column) and column in source.columns and source.scale_of(column) is None:
                    raise ValueError(f"{name} maps {column} but declares no {key}; a scale is never guessed")
        return sources

    @model_validator(mode="after")
    def _small_groups(self) -> Self:
        for chapter in CHAPTERS if self.audience == "shareable" else ():
            least = getattr(getattr(self, chapter, None), "min_group", SMALL_CELL)
            if least < SMALL_CELL:
                raise ValueError(
                    f"{chapter}.min_group is {least}, but a shareable report shows no group of fewer than "
                    f"{SMALL_CELL}; raise it, or write audience: internal"
                )
        return self

    @model_validator(mode="after")
    def _best_categories(self) -> Self:
        surveys, top = self.sources.get("surveys"), self.satisfaction.top
        for key in ("csat_scale", "rating_scale"):
            scale = getattr(surveys, key, None)
            if scale is not None and top > scale[1] - scale[0]:
                raise ValueError(
                    f"satisfaction.top is {top}, but the best categories must be a part of sources.surveys.{key}, "
                    f"{list(scale)}; set it to {scale[1] - scale[0]} at most"
                )
        return self

    def settings(self, chapter: str) -> dict[str, Any]:
        """Return the settings of a chapter by name."""
        found: BaseModel = getattr(self, chapter)
        return found.model_dump(mode="json")

    def as_json(self) -> dict[str, Any]:
        """Return the parameters as plain values. Secrets stand in them as references only."""
        return self.model_dump(mode="json", exclude_none=True)


def _set(raw: dict[str, Any], setting: str) -> None:
    key, sign, text = setting.partition("=")
    if not sign or not key:
        raise ParamsError("--set", setting, "is not of the form key=value")
    *parents, last = key.split(".")
    for parent in parents:
        raw = raw.setdefault(parent, {})
        if not isinstance(raw, dict):
            raise ParamsError("--set", key, f"{parent!r} holds a value, not a group of keys")
    try:
        raw[last] = read_value(text) if text else ""
    except yaml.YAMLError:
        raise ParamsError("--set", key, f"{text!r} is not a YAML value") from None


def _field_names(location: Sequence[int | str]) -> list[str]:
    """Return the keys that exist where an unknown one was found, following the models along ``location``."""
    models: dict[str, type[BaseModel]] = {
        "sources": Source,
        "join": Join,
        "derive": LaterRule if "later" in location else DateRule,
        "title": Title,
        "satisfaction": SatisfactionSettings,
        "churn_drivers": ChurnDriversSettings,
        "segments": SegmentsSettings,
        "value": ValueSettings,
        "data_quality": DataQualitySettings,
        "summary": SummarySettings,
    }
    inner = [part for part in location[:-1] if part in models]
    model = models[str(inner[-1])] if inner else Params
    return list(model.model_fields)


def _fault(error: ErrorDetails) -> tuple[str, str]:
    location = error["loc"]
    named = [part for part in location if part not in ("date", "later") or part == location[-1]]
    key = ".".join(str(part) for part in named if part not in (*SCALE_TAGS, "[key]"))
    if error["type"] == "extra_forbidden":
        known = _field_names(location)
        near = nearest(str(location[-1]), known)
        hint = f"did you mean {near!r}? " if near else ""
        return key, f"unknown key; {hint}Known: {', '.join(known)}"
    if error["type"] == "missing":
        return key, "is required and absent"
    if error["type"] == "none_required":
        return key, "one report a value is not made yet; leave it out or write null"
    message = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    shown = "" if error["type"] == "value_error" or isinstance(given, dict | list) else f", not {given!r}"
    return key, message + shown


def load(file: Path, settings: Sequence[str] = ()) -> Params:
    """Return the parameters in ``file``, changed by ``settings`` of the form ``key.key=value``.

    Raises ParamsError with every fault: file, key, what is wrong, and the nearest name that exists.
    """
    raw = read_mapping(file)
    for setting in settings:
        _set(raw, setting)
    try:
        return Params.model_validate(raw)
    except ValidationError as fault:
        errors = fault.errors(include_url=False)
        raise ParamsError.of_many(file, (_fault(error) for error in errors)) from None


def paths(params: Params, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file the sources name, as (key, path); relative paths resolve from ``folder``, the params file's.

    Raises ParamsError where one is absent or a folder.
    """
    for name, source in params.sources.items():
        files = [source, *source.join]
        for number, file in enumerate(files):
            if file.path is None:
                continue
            key = f"sources.{name}.path" if number == 0 else f"sources.{name}.join.{number - 1}.path"
            yield key, located(file.path, folder, key)


def located(path: str, folder: Path, key: str) -> Path:
    """Return the file at ``path``, seen from ``folder``. Raises ParamsError where it is absent or a folder."""
    file = folder / path
    if file.is_dir():
        raise ParamsError(path, key, "is a folder, not a file", "Name the file in it")
    if not file.exists():
        beside = [entry.name for entry in file.parent.iterdir()] if file.parent.is_dir() else []
        near = nearest(file.name, beside)
        raise ParamsError(path, key, f"there is no such file in {folder}", f"Did you mean {near!r}?" if near else "")
    return file


def zone(params: Params) -> ZoneInfo:
    """Return the report's time zone."""
    return ZoneInfo(params.timezone)
