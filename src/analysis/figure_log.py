"""What the chapters hand over, kept beside the snapshot: the figures of each chapter, and its lists of customers."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from IPython.core.getipython import get_ipython

from analysis.errors import FigureError
from analysis.vocabulary import FIGURE_KEYS, RATING_PREFIX, UNITS

_NUMBERS = ("value", "low", "high", "n")
_DIGITS = 12
"""How many digits of a figure are kept: the last ones of a double differ from machine to machine."""


@dataclass(frozen=True)
class FigureLog:
    """The figures of one chapter, in the folder of a snapshot."""

    snapshot: Path
    chapter: str

    @property
    def _file(self) -> Path:
        return self.snapshot / "figures" / f"{self.chapter}.json"

    def begin(self) -> None:
        """Begin anew, with no figure."""
        self._file.parent.mkdir(exist_ok=True)
        self._write([])

    def add(self, record: dict[str, object]) -> None:
        """Keep a figure; numbers that are missing become None.

        Raises FigureError where its id is taken or does not begin with the chapter's name, its unit does not exist or
        it has no definition.
        """
        self._check(str(record["id"]), str(record["unit"]), str(record["definition"]))
        kept, cell = json.loads(self._file.read_text(encoding="utf-8")), _cell()
        others = _others(kept, str(record["id"]), cell)
        numbers = {name: _plain(record[name]) for name in _NUMBERS}
        self._write([*others, {**record, **numbers, "cell": cell}])

    def others(self) -> pd.DataFrame:
        """Return the figures of all other chapters: the keys of a figure's record, and chapter."""
        records = [
            {**record, "chapter": file.stem}
            for file in sorted(self._file.parent.glob("*.json"))
            if file != self._file
            for record in json.loads(file.read_text(encoding="utf-8"))
        ]
        frame = pd.DataFrame(records, columns=[*FIGURE_KEYS, "chapter"])
        return frame.astype(dict.fromkeys(_NUMBERS, "float64"))

    def _check(self, id: str, unit: str, definition: str) -> None:
        _check_chapter(id, self.chapter)
        if unit not in UNITS:
            raise FigureError(id, f"the unit {unit!r} does not exist; known: {', '.join(UNITS)}")
        if not definition:
            raise FigureError(id, "has no definition")

    def _write(self, records: list[dict[str, object]]) -> None:
        _write_json(self._file, records)


@dataclass(frozen=True)
class CustomerLog:
    """The lists of customers of one chapter, in the folder of a snapshot, each with what its sheet is to look like."""

    snapshot: Path
    chapter: str

    @property
    def _folder(self) -> Path:
        return self.snapshot / "customers" / self.chapter

    @property
    def _file(self) -> Path:
        return self._folder / "lists.json"

    def begin(self) -> None:
        """Begin anew, with no list."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, id: str, sheet: Mapping[str, object], write: Callable[[Path], None]) -> None:
        """Keep a list, whose rows ``write`` writes to a Parquet file, and what its ``sheet`` is to look like.

        Raises FigureError where its id is taken or does not begin with the chapter's name.
        """
        _check_chapter(id, self.chapter)
        kept, cell = json.loads(self._file.read_text(encoding="utf-8")) if self._file.is_file() else [], _cell()
        others = _others(kept, id, cell)
        self._folder.mkdir(parents=True, exist_ok=True)
        write(self._folder / f"{id}.parquet")
        _write_json(self._file, [*others, {"id": id, **sheet, "cell": cell}])


def _check_chapter(id: str, chapter: str) -> None:
    if not id.startswith(f"{chapter}."):
        raise FigureError(id, f"does not begin with the chapter's name, {chapter!r}")


def _others(kept: list[dict[str, object]], id: str, cell: str | None) -> list[dict[str, object]]:
    """Return what is kept under other ids; what has this one must come from the same cell."""
    again = [other for other in kept if other["id"] == id]
    if again and (cell is None or again[0]["cell"] != cell):
        raise FigureError(id, "is reported twice")
    return [other for other in kept if other["id"] != id]


def _write_json(file: Path, records: list[dict[str, object]]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    part.replace(file)


def _plain(value: object) -> float | int | None:
    if not isinstance(value, int | float) and not hasattr(value, "__float__"):
        return None
    number = float(value)
    if not math.isfinite(number):
        return None
    if not isinstance(value, float) and number.is_integer():
        return int(number)
    return float(f"{number:.{_DIGITS}g}")


def _cell() -> str | None:
    """Return the id of the cell being run, as JupyterLab tells it; None where nobody tells.

    A cell run again in JupyterLab replaces its figures; in a run, where no cell is named, a repeat is a fault.
    """
    shell = get_ipython()
    parent = shell.get_parent() if shell is not None and hasattr(shell, "get_parent") else {}
    found = parent.get("metadata", {}).get("cellId")
    return None if found is None else str(found)


def figure_id(id: str, group: object) -> str:
    """Return the id of a figure, with its group at the end where it has one.

    >>> figure_id("segments.revenue", None), figure_id("satisfaction.nps_region", "Nord 1")
    ('segments.revenue', 'satisfaction.nps_region.Nord_1')
    """
    if group is None:
        return id
    name = "missing" if pd.isna(group) else str(group).removeprefix(RATING_PREFIX)
    return f"{id}.{name.replace(' ', '_').replace('.', '_')}"


def told_apart(ids: Sequence[str]) -> list[str]:
    """Return the ids, those that come again numbered: groups may be called Nord 1 and Nord.1.

    >>> told_apart(["a.b", "a.c", "a.b"])
    ['a.b', 'a.c', 'a.b~2']
    """
    seen: Counter[str] = Counter()
    told = []
    for name in ids:
        seen[name] += 1
        told.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return told
