"""Who may import whom, read from the source; the table is the rule."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src" / "analysis"
FILES = sorted(SOURCE.rglob("*.py"))

MAY_IMPORT = {
    "__init__": set(),
    "errors": set(),
    "vocabulary": {"errors"},
    "period": {"errors"},
    "yaml_strict": {"errors"},
    "source_params": {"errors", "vocabulary"},
    "params": {"errors", "vocabulary", "period", "source_params", "yaml_strict"},
    "pilot": {"errors", "vocabulary", "period", "pilot"},
    "intake": {"errors", "vocabulary", "period", "params", "source_params", "intake"},
    "knowledge": {"vocabulary", "period"},
    "figure_log": {"errors", "vocabulary"},
    "survey_scales": set(),
    "places": {"errors", "params", "pilot", "intake"},
    "known_tables": {"knowledge", "survey_scales", "errors", "vocabulary", "period", "intake"},
    "report": {"known_tables", "figure_log", "places", "errors", "vocabulary", "intake"},
    "measures": {"vocabulary", "errors", "measures"},
    "draw": {"vocabulary", "errors", "draw"},
    "publish": {"vocabulary", "errors", "period", "publish", "__init__"},
    "writing": {"intake", "publish"},
    "pipeline": {"errors", "vocabulary", "period", "params", "pilot", "intake", "publish", "places", "writing"},
    "console": {"intake"},
    "cli": {
        "console",
        "errors",
        "vocabulary",
        "period",
        "params",
        "pilot",
        "intake",
        "publish",
        "pipeline",
        "report",
        "__init__",
    },
}
"""A module or package of ours, and which others it may import."""


def part_of(file: Path) -> str:
    inside = file.relative_to(SOURCE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def module_of(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def imports(source: str, within: str = "") -> Iterator[str]:
    """Yield the modules of ours that ``source`` imports, lazily or not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "analysis")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{within}: a relative import"
            if node.module and node.module.split(".")[0] == "analysis":
                for alias in node.names:
                    deeper = f"{node.module}.{alias.name}"
                    yield deeper if deeper in MODULES else node.module


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_a_module_imports_only_what_it_may(file):
    own = part_of(file)
    for module in imports(file.read_text(), module_of(file)):
        parts = module.split(".")
        target = parts[1] if len(parts) > 1 else "__init__"
        assert target in MAY_IMPORT[own], f"{module_of(file)} imports {module}"


def test_imports_form_no_cycle():
    graph = {name: set(imports(file.read_text())) & MODULES.keys() - {name} for name, file in MODULES.items()}

    def walk(name: str, trail: tuple[str, ...] = ()) -> None:
        assert name not in trail, f"cycle: {' -> '.join((*trail, name))}"
        for other in graph[name]:
            walk(other, (*trail, name))

    for name in MODULES:
        walk(name)


@pytest.mark.parametrize("notebook", sorted((PROJECT / "notebooks").glob("*.ipynb")), ids=lambda file: file.stem)
def test_notebooks_import_the_report_measures_and_drawing_only(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.Import):
                    raise AssertionError(f"{notebook.name}: {ast.unparse(node)}")
                if isinstance(node, ast.ImportFrom):
                    assert node.module in ("analysis.report", "analysis.measures", "analysis.draw"), ast.unparse(node)


def test_importing_the_package_does_nothing_else():
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    kinds = [type(node).__name__ for node in tree.body]
    assert kinds == ["Expr", "Assign"]
