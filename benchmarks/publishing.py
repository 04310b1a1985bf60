"""Five chapters to HTML and PDF: the kit against papermill, nbconvert and WeasyPrint called one after the other.

The plain way: papermill's command line for each notebook in turn, nbconvert's command line with its default template
for each, then one call of WeasyPrint for the five pages together. Both begin from the same snapshot.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from analysis.intake import snapshot as snapshots
from analysis.pipeline import NOTEBOOKS, build
from analysis.vocabulary import CHAPTERS
from analysis.writing import Clock

_ONE_PDF = """
import sys
from weasyprint import HTML
documents = [HTML(filename=name).render() for name in sys.argv[2:]]
documents[0].copy([page for document in documents for page in document.pages]).write_pdf(sys.argv[1])
"""


def kit(snapshot: Path, folder: Path) -> dict[str, float]:
    """Build the five chapters with the kit in a process of its own; return the seconds of each step."""
    began = time.monotonic()
    code = f"from benchmarks.publishing import build_all; build_all({str(snapshot)!r}, {str(folder)!r})"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    steps = {name: float(seconds) for name, seconds in (line.split() for line in found.stdout.splitlines())}
    return {**steps, "total": time.monotonic() - began}


def build_all(snapshot: str, folder: str) -> None:
    """Build and print the seconds of each step."""
    clock = Clock()
    opened = snapshots.load(Path(snapshot))
    build(opened, Path(folder) / "report", aside=Path(folder) / "failed", chapters=CHAPTERS, jobs=2, clock=clock)
    for step, seconds in clock.seconds.items():
        print(step, seconds)


def plain(snapshot: Path, folder: Path) -> dict[str, float]:
    """Build the five chapters the plain way; return the seconds of each step."""
    folder.mkdir(parents=True)
    steps: dict[str, float] = {}

    def step(name: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        steps[name] = time.monotonic() - began

    step("papermill", lambda: list(map(partial(_papermill, snapshot=snapshot, folder=folder), CHAPTERS)))
    step("nbconvert", lambda: list(map(partial(_nbconvert, folder=folder), CHAPTERS)))
    pages = [str(folder / f"{chapter}.html") for chapter in CHAPTERS]
    step("weasyprint", lambda: _call(sys.executable, "-c", _ONE_PDF, str(folder / "report.pdf"), *pages))
    return {**steps, "total": sum(steps.values())}


def _papermill(chapter: str, snapshot: Path, folder: Path) -> None:
    source, target = NOTEBOOKS / f"{chapter}.ipynb", folder / f"{chapter}.ipynb"
    _call(_tool("papermill"), str(source), str(target), "-p", "snapshot", str(snapshot), "--no-progress-bar")


def _nbconvert(chapter: str, folder: Path) -> None:
    _call(_tool("jupyter"), "nbconvert", "--to", "html", str(folder / f"{chapter}.ipynb"))


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _call(*command: str) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
