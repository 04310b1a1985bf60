"""What a report was made of (manifest.json, the same bytes for the same input) and how it went (run.json)."""

from __future__ import annotations

import json
import platform
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis import __version__
from analysis.period import Period
from analysis.publish.stage import writing

_LIBRARIES = (
    "duckdb",
    "great-tables",
    "ibis-framework",
    "matplotlib",
    "nbconvert",
    "numpy",
    "pandas",
    "papermill",
    "scipy",
    "weasyprint",
    "xlsxwriter",
)


@dataclass(frozen=True)
class Manifest:
    """What a report was made of. All mappings hold plain values as JSON knows them.

    ``inputs`` gives for each table its source, files with SHA-256, and rows read, accepted, quarantined and dropped;
    ``chapters`` for each chapter the number of its figures, or the sentence that says why it was left out.
    """

    report: str
    title: str
    language: str
    currency: str
    period: Period
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Mapping[str, Any]]
    chapters: Mapping[str, int | str]
    outputs: Sequence[str]
    key_figures: Sequence[str] = ()
    """Ids of the figures the overview of all reports shows."""

    def as_json(self) -> dict[str, Any]:
        """Return the manifest as plain values."""
        return {
            "report": self.report,
            "title": self.title,
            "language": self.language,
            "currency": self.currency,
            "period": self.period.id,
            "start": self.period.start.isoformat(),
            "end": self.period.end.isoformat(),
            "as_of": self.period.as_of.isoformat(),
            "parameters": dict(self.parameters),
            "inputs": {table: dict(record) for table, record in self.inputs.items()},
            "versions": versions(),
            "chapters": {
                chapter: {"figures": result} if isinstance(result, int) else {"left_out": result}
                for chapter, result in self.chapters.items()
            },
            "outputs": list(self.outputs),
            "key_figures": list(self.key_figures),
        }


def versions() -> dict[str, str]:
    """Return the versions of stammkunde, Python and the main libraries."""
    libraries = {name: version(name) for name in _LIBRARIES}
    return {"stammkunde": __version__, "python": platform.python_version(), **libraries}


def write_manifest(manifest: Manifest, file: Path) -> None:
    """Write ``manifest`` to ``file``. Raises PublishError."""
    _write(manifest.as_json(), file)


def write_run(file: Path, *, run_id: str, started: str, steps: Mapping[str, float]) -> None:
    """Write how the run went: its id, when it ``started`` (ISO text), the seconds of each step, the host."""
    run = {
        "run": run_id,
        "started": started,
        "seconds": round(sum(steps.values()), 3),
        "steps": {step: round(seconds, 3) for step, seconds in steps.items()},
        "host": socket.gethostname(),
        "platform": platform.platform(),
    }
    _write(run, file)


def _write(content: Mapping[str, Any], file: Path) -> None:
    with writing(f"writing {file.name}"):
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
