"""environment.yml names what pyproject.toml asks for, with the same bounds, extras spelt out as packages."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[1]
CONDA_NAMES = {
    "ibis-framework": "ibis-framework-core",
    "duckdb": "python-duckdb",
    "matplotlib": "matplotlib-base",
    "jupyter-client": "jupyter_client",
    "nbconvert": "nbconvert-core",
}


def conda_requirements() -> dict[str, str]:
    listed = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    parts = (re.fullmatch(r"([a-z0-9_-]+)(.*)", entry) for entry in listed)
    return {part[1]: part[2] for part in parts if part}


def project_requirements() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


def bounds(text: str) -> set[str]:
    return set(filter(None, text.split(",")))


def test_each_requirement_stands_in_environment_yml_with_the_same_bounds():
    conda = conda_requirements()
    for requirement in project_requirements():
        name = CONDA_NAMES.get(requirement.name, requirement.name.lower())
        assert name in conda, f"{name} is not in environment.yml"
        assert bounds(conda[name]) == bounds(str(requirement.specifier)), name


def test_the_packages_behind_each_extra_stand_in_environment_yml():
    conda = conda_requirements()
    for requirement in project_requirements():
        for extra in requirement.extras:
            for text in importlib.metadata.requires(requirement.name) or []:
                behind = Requirement(text)
                if (
                    behind.marker
                    and behind.marker.evaluate({"extra": extra})
                    and not behind.marker.evaluate({"extra": ""})
                ):
                    name = CONDA_NAMES.get(behind.name, behind.name.lower())
                    assert name in conda, f"{requirement.name}[{extra}] needs {name}"


def test_both_files_ask_for_the_same_python():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert bounds(conda_requirements()["python"]) == bounds(project["requires-python"])


def test_nothing_stands_in_environment_yml_without_a_reason():
    wanted = {CONDA_NAMES.get(one.name, one.name.lower()) for one in project_requirements()}
    behind_extras = {
        CONDA_NAMES.get(Requirement(text).name, Requirement(text).name.lower())
        for one in project_requirements()
        if one.extras
        for text in importlib.metadata.requires(one.name) or []
    }
    from_the_system = {"python", "pip", "pango"}
    assert set(conda_requirements()) <= wanted | behind_extras | from_the_system


def test_the_lock_names_versions_and_hashes_only():
    text = (PROJECT / "requirements.lock").read_text()
    assert "://" not in text
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.MULTILINE)
    assert {one.name.lower() for one in project_requirements()} <= {name.lower() for name in pinned}
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())
