"""The figures the chapters reported, gathered from the snapshot and written as one list."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from analysis.errors import FigureError
from analysis.publish.stage import writing
from analysis.vocabulary import FIGURE_KEYS

Figure = Mapping[str, object]
"""A reported figure: id, value, low, high, n, unit, period, definition, source."""

FiguresByChapter = Mapping[str, Sequence[Figure]]
"""The figures in the order of the chapters, then as reported; a chapter that reported none holds an empty list."""


def read_figures(snapshot: Path, chapters: Iterable[str]) -> FiguresByChapter:
    """Read the figures of the ``chapters`` from the folder ``snapshot``.

    Raises FigureError where a figure lacks a part or its id is taken, in its own chapter or another.
    """
    by_chapter = {chapter: _read(snapshot / "figures" / f"{chapter}.json") for chapter in chapters}
    seen: dict[object, str] = {}
    for chapter, figures in by_chapter.items():
        for figure in figures:
            if figure["id"] in seen:
                raise FigureError(str(figure["id"]), f"is reported by {seen[figure['id']]} and by {chapter}")
            seen[figure["id"]] = chapter
    return by_chapter


def _read(file: Path) -> list[Figure]:
    if not file.is_file():
        return []
    return [_checked(record, file.stem) for record in json.loads(file.read_text(encoding="utf-8"))]


def _checked(record: Mapping[str, object], chapter: str) -> Figure:
    lacking = [key for key in FIGURE_KEYS if key not in record]
    if lacking:
        raise FigureError(str(record.get("id", f"{chapter}.?")), f"lacks {', '.join(lacking)}")
    return {key: _finite(record[key]) for key in FIGURE_KEYS}


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_figures(by_chapter: FiguresByChapter, file: Path) -> None:
    """Write all figures to ``file`` as one JSON list. Raises PublishError."""
    figures = [figure for figures in by_chapter.values() for figure in figures]
    with writing(f"writing {file.name}"):
        file.write_text(json.dumps(figures, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
