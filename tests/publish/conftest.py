"""What the publisher's tests share: notebooks made in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode, v4
from notebook_cells import code, prose

from analysis.publish.execute import ChapterJob

Make = Callable[[str, Sequence[NotebookNode]], Path]


def notebook_writer(folder: Path) -> Make:
    """Return a function that writes a notebook of the given cells into ``folder`` and returns its path."""

    def make(name: str, cells: Sequence[NotebookNode]) -> Path:
        folder.mkdir(exist_ok=True)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(v4.new_notebook(cells=list(cells), metadata=kernel), folder / f"{name}.ipynb")
        return folder / f"{name}.ipynb"

    return make


@pytest.fixture
def notebook(tmp_path: Path) -> Make:
    return notebook_writer(tmp_path / "notebooks")


@pytest.fixture(scope="session")
def session_notebook(tmp_path_factory: pytest.TempPathFactory) -> Make:
    return notebook_writer(tmp_path_factory.mktemp("report"))


@pytest.fixture
def job(notebook: Make, tmp_path: Path) -> Callable[..., ChapterJob]:
    """Make a job of a chapter whose code cells hold the given sources; `parameters` gives what is passed."""

    def make(chapter: str, *sources: str, **parameters: object) -> ChapterJob:
        defaults = code("".join(f"{name} = None\n" for name in parameters), "parameters")
        path = notebook(chapter, [prose("# Titel"), defaults, *map(code, sources)])
        executed = tmp_path / "executed {here}"
        executed.mkdir(exist_ok=True)
        return ChapterJob(chapter, path, executed / f"{chapter}.ipynb", parameters)

    return make
