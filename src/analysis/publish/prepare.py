"""A chapter's notebook made ready to run: one language kept, what cannot be told taken out, parameters compared."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from analysis.errors import ChapterError, nearest
from analysis.publish.words import words

CELL_NUMBER = "stammkunde_cell"
"""Metadata of a prepared cell: its number in the notebook it came from, counted from one."""

Available = Mapping[str, Collection[str]]
"""The tables a snapshot holds, each with its columns."""


@dataclass(frozen=True)
class Prepared:
    """A chapter ready to run, or left out: then ``notebook`` is None and ``sentence`` says why."""

    chapter: str
    title: str
    notebook: Path | None
    sentence: str = ""
    left_out: tuple[str, ...] = ()
    """Headings of the sections left out."""


def prepare(
    source: Path,
    target: Path,
    *,
    chapter: str,
    language: str,
    available: Available,
    parameters: Iterable[str],
    absent: Sequence[Prepared] = (),
) -> Prepared:
    """Write the notebook ``source`` to ``target`` as it can be run on the tables ``available``.

    At the end of its first section it says which chapters are ``absent`` from the report, and why.
    Raises ChapterError where there is no such notebook, it has no title, or it lacks one of the ``parameters``.
    """
    notebook = _read(source, chapter)
    cells = [cell for cell in _numbered(notebook.cells) if _speaks(cell, language)]
    title_cell = next((cell for cell in cells if _level(cell) == 1), None)
    if title_cell is None:
        raise ChapterError(chapter, f"{source.name} has no title", "Begin it with a cell whose first line is '# Title'")
    title = _heading(title_cell)
    if missing := _missing(title_cell, available):
        return Prepared(chapter, title, None, _sentence("chapter", missing, language))
    left_out = tuple(_heading(cell) for cell in cells if _level(cell) == 2 and _missing(cell, available))
    notebook.cells = _saying(absent, list(_satisfied(cells, available, language)))
    notebook.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    notebook.metadata.setdefault("language_info", {"name": "python"})
    nbformat.write(notebook, target)
    _compare_parameters(target, chapter, parameters)
    return Prepared(chapter, title, target, left_out=left_out)


def _read(source: Path, chapter: str) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(source, as_version=4)
    except FileNotFoundError:
        known = ", ".join(sorted(path.stem for path in source.parent.glob("*.ipynb"))) or "none"
        raise ChapterError(chapter, f"there is no notebook {source}", f"Notebooks there: {known}") from None
    except nbformat.reader.NotJSONError:
        raise ChapterError(chapter, f"{source} is not a notebook", "Restore it from the repository") from None
    return notebook


def _numbered(cells: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    for number, cell in enumerate(cells, start=1):
        cell.metadata[CELL_NUMBER] = number
        yield cell


def _tags(cell: NotebookNode) -> list[str]:
    return [str(tag) for tag in cell.metadata.get("tags", [])]


def _speaks(cell: NotebookNode, language: str) -> bool:
    spoken = [tag for tag in _tags(cell) if tag.startswith("lang-")]
    return not spoken or f"lang-{language}" in spoken


def _level(cell: NotebookNode) -> int:
    """Return the level of the heading a cell begins with, 0 where it begins with none."""
    match = re.match(r"(#+) ", cell.source) if cell.cell_type == "markdown" else None
    return len(match[1]) if match else 0


def _heading(cell: NotebookNode) -> str:
    return str(cell.source).partition("\n")[0].lstrip("#").strip()


def _missing(cell: NotebookNode, available: Available) -> list[str]:
    needs = [tag.removeprefix("needs:") for tag in _tags(cell) if tag.startswith("needs:")]
    return [need for need in needs if not any(_holds(available, *one) for one in alternatives(need))]


def alternatives(need: str) -> Iterator[tuple[str, str]]:
    """Yield each (table, column) of which a tag ``needs:`` wants one; the column is empty where the table will do.

    Tables stand before columns; a column without a table is of the table named last.

    >>> list(alternatives("transactions|contracts.fee"))
    [('transactions', ''), ('contracts', 'fee')]
    >>> list(alternatives("surveys.nps|csat"))
    [('surveys', 'nps'), ('surveys', 'csat')]
    """
    last = ""
    for one in need.split("|"):
        table, dot, column = one.partition(".")
        if last and not dot:
            table, column = last, one
        yield table, column
        last = table if dot else last


def _holds(available: Available, table: str, column: str) -> bool:
    columns = available.get(table)
    return columns is not None and (not column or bool(fnmatch.filter(columns, column)))


def _satisfied(cells: Iterable[NotebookNode], available: Available, language: str) -> Iterator[NotebookNode]:
    leaving_out = False
    for cell in cells:
        missing = _missing(cell, available)
        if _level(cell) == 2:
            leaving_out = bool(missing)
            if missing:
                cell.source = f"## {_heading(cell)}\n\n{_sentence('section', missing, language)}"
                yield cell
                continue
        if not leaving_out and not missing:
            yield cell


def _saying(absent: Sequence[Prepared], cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return the cells with a paragraph for each absent chapter where the second section begins."""
    sections = [place for place, cell in enumerate(cells) if _level(cell) == 2]
    place = sections[1] if len(sections) > 1 else len(cells)
    text = "\n\n".join(f"**{chapter.title}.** {chapter.sentence}" for chapter in absent)
    # nbformat would give the cell an id by chance
    said = [nbformat.v4.new_markdown_cell(text, id="absent")] if absent else []
    return [*cells[:place], *said, *cells[place:]]


def _sentence(left_out: str, missing: Iterable[str], language: str) -> str:
    _ = words(language).gettext
    names = ", ".join(_named(need, language) for need in missing)
    if left_out == "chapter":
        return _("This chapter is left out, because the data lack: {names}.").format(names=names)
    return _("This section is left out, because the data lack: {names}.").format(names=names)


def _named(need: str, language: str) -> str:
    _ = words(language).gettext
    columns_by_table: dict[str, list[str]] = {}
    for table, column in alternatives(need):
        columns_by_table.setdefault(table, []).extend([column] if column else [])
    either = _(" or ")
    return either.join(_table(table, either.join(columns), language) for table, columns in columns_by_table.items())


def _table(table: str, columns: str, language: str) -> str:
    _ = words(language).gettext
    tables = {
        "customers": _("customers"),
        "products": _("products"),
        "transactions": _("orders"),
        "contracts": _("contracts"),
        "surveys": _("surveys"),
        "cases": _("support cases"),
        "case_events": _("steps of support cases"),
        "community": _("community"),
        "contacts": _("contacts"),
        "costs": _("costs to serve"),
    }
    name = f"{tables.get(table, table)} ({table})"
    return _("{table}, column {column}").format(table=name, column=columns) if columns else name


def _compare_parameters(notebook: Path, chapter: str, names: Iterable[str]) -> None:
    import papermill

    known = sorted(papermill.inspect_notebook(literal(notebook)))
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise ChapterError(
                chapter,
                f"its notebook has no parameter {name!r}",
                (f"Did you mean {near!r}? " if near else "")
                + (f"Known: {', '.join(known)}" if known else "It has no cell tagged 'parameters' that sets one"),
            )


def literal(path: Path) -> str:
    """Write a path for papermill, which reads braces in it as the names of parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")
