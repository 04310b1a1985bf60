"""The rules every chapter notebook keeps, read from the notebooks in git."""

from __future__ import annotations

import ast
import json
import re
import statistics
from pathlib import Path

import pytest

from analysis.params import Params
from analysis.publish.prepare import alternatives
from analysis.vocabulary import CHAPTERS, TABLES

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FORBIDDEN = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Try, ast.If, ast.Lambda, ast.With)
FORBIDDEN_NAMES = {"groupby", "merge", "plt", "open", "read_csv", "read_parquet", "read_excel", "apply", "iterrows"}
CLOSING = {
    "de": ["Verfahren und Grenzen", "Herkunft der Zahlen"],
    "en": ["Method and limits", "Where the figures come from"],
}


def cells(notebook, kind):
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


def tags(cell):
    return cell["metadata"].get("tags", [])


def text(cell):
    return "".join(cell["source"])


def code_lines(cell):
    return [line for line in text(cell).splitlines() if line.strip()]


def test_there_is_a_notebook_for_every_chapter_and_no_other():
    assert {notebook.stem for notebook in NOTEBOOKS} == set(CHAPTERS)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
class TestEachNotebook:
    def test_holds_no_output(self, notebook):
        for cell in cells(notebook, "code"):
            assert cell["outputs"] == []
            assert cell["execution_count"] is None

    def test_is_thin(self, notebook):
        lines = [len(code_lines(cell)) for cell in cells(notebook, "code")]
        assert len(lines) <= 15
        assert statistics.median(lines) <= 3
        assert max(lines) <= 10

    def test_holds_no_logic(self, notebook):
        for cell in cells(notebook, "code"):
            for node in ast.walk(ast.parse(text(cell))):
                assert not isinstance(node, FORBIDDEN), text(cell)
                name = getattr(node, "attr", getattr(node, "id", ""))
                assert name not in FORBIDDEN_NAMES, text(cell)

    def test_begins_with_title_parameters_and_opening(self, notebook):
        found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        assert [cell["cell_type"] for cell in found[:4]] == ["markdown", "markdown", "code", "code"]
        assert all(text(cell).startswith("# ") for cell in found[:2])
        assert tags(found[2]) == ["parameters"]
        assert "open_report(snapshot, chapter=" in text(found[3])
        assert text(found[4]) == "## Das Wichtigste"

    def test_ends_with_method_and_provenance(self, notebook):
        for language, closing in CLOSING.items():
            prose = [text(cell) for cell in cells(notebook, "markdown") if f"lang-{language}" in tags(cell)]
            headings = [prose_cell.splitlines()[0].removeprefix("## ") for prose_cell in prose]
            assert headings[-2:] == closing

    def test_has_its_prose_in_pairs(self, notebook):
        spoken = [tags(cell)[0] for cell in cells(notebook, "markdown")]
        assert spoken == ["lang-de", "lang-en"] * (len(spoken) // 2)
        needs = [tags(cell)[1:] for cell in cells(notebook, "markdown")]
        assert needs[::2] == needs[1::2]

    def test_types_no_number_into_prose(self, notebook):
        for cell in cells(notebook, "markdown"):
            assert not re.search(r"\d", text(cell)), text(cell)

    def test_has_typed_parameters_with_a_comment_each(self, notebook):
        [cell] = [cell for cell in cells(notebook, "code") if "parameters" in tags(cell)]
        for line in code_lines(cell):
            assert re.fullmatch(r"\w+: (str|int|float|bool) = [^#]+  # \S.*", line), line

    def test_has_the_parameters_of_its_chapters_settings_with_the_same_defaults(self, notebook):
        [cell] = [cell for cell in cells(notebook, "code") if "parameters" in tags(cell)]
        assigned = {node.target.id: ast.literal_eval(node.value) for node in ast.parse(text(cell)).body}
        settings = Params.model_fields[notebook.stem].default.model_dump()
        assert assigned == {"snapshot": "", **settings}

    def test_names_only_tables_and_columns_that_exist_in_what_it_needs(self, notebook):
        for cell in cells(notebook, "markdown") + cells(notebook, "code"):
            for need in (tag.removeprefix("needs:") for tag in tags(cell) if tag.startswith("needs:")):
                for table, column in alternatives(need):
                    assert table in TABLES
                    assert not column or column.endswith("*") or TABLES[table].column(column), need
