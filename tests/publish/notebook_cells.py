"""Cells and outputs of the notebooks the publisher's tests make."""

from __future__ import annotations

from collections.abc import Sequence

from nbformat import NotebookNode, v4


def prose(source: str, *tags: str) -> NotebookNode:
    return v4.new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source: str, *tags: str, outputs: Sequence[NotebookNode] = ()) -> NotebookNode:
    return v4.new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


def shown(**data: str) -> NotebookNode:
    """An output as a cell shows it; ``text_html`` is the type text/html."""
    return v4.new_output(
        "display_data", {name.replace("_", "/", 1).replace("_", "+"): text for name, text in data.items()}
    )


def returned(**data: str) -> NotebookNode:
    return v4.new_output("execute_result", {name.replace("_", "/", 1): text for name, text in data.items()})
