"""Where a project keeps the last snapshot of a report, and how the pilot's comes there."""

from __future__ import annotations

from pathlib import Path

from analysis import params, pilot
from analysis.errors import StammkundeError
from analysis.intake import snapshot as snapshots


def project_folder(start: Path) -> Path:
    """Return the folder at or above ``start`` that holds params/pilot.yml."""
    for folder in (start, *start.parents):
        if (folder / "params" / "pilot.yml").is_file():
            return folder
    raise StammkundeError(f"{start} lies in no project: there is no params/pilot.yml here or above. Name a snapshot.")


def pilot_snapshot(project: Path) -> Path:
    """Return the last snapshot of params/pilot.yml; build it, and the pilot company's files, where there is none."""
    file = project / "params" / "pilot.yml"
    chosen = params.load(file)
    folder = snapshot_folder(project / "reports", chosen.report)
    if not (folder / "snapshot.json").is_file():
        data = project / "data" / "pilot"
        if not (data / "truth.json").is_file():
            pilot.write_pilot(data)
        snapshots.build(chosen, file.parent, folder)
    return folder


def snapshot_folder(out: Path, report: str) -> Path:
    """Return where the last snapshot of a report is kept under the reports folder ``out``."""
    return out / ".snapshots" / report
