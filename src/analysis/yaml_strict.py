"""YAML read strictly: no tags of Python objects, no duplicate keys, and faults told with their line."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import ParamsError


class _Loader(yaml.SafeLoader):
    """The safe loader, which also refuses a key written twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    loader.flatten_mapping(node)
    found: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in found:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


# Of the many words YAML 1.1 takes for yes and no only these two are; `on`, `Yes` and Norway's `no` stay text.
_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != _BOOLEAN]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("true|false"), list("tf"))
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _problem(fault: yaml.YAMLError) -> str:
    mark = getattr(fault, "problem_mark", None) or getattr(fault, "context_mark", None)
    line = f"line {mark.line + 1}: " if mark else ""
    problem = getattr(fault, "problem", None) or str(fault)
    if "'\\t'" in problem:
        problem = "a tab stands where YAML wants spaces"
    return line + problem


def read_value(text: str) -> Any:
    """Return the value that ``text`` is in YAML. Raises yaml.YAMLError."""
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def read_mapping(file: Path) -> dict[str, Any]:
    """Return the mapping that ``file`` holds.

    Raises ParamsError where the file is absent, not UTF-8, no YAML, or no mapping of text keys.
    """
    if not file.is_file():
        raise ParamsError(file, "", "there is no such file", "Name a params file, such as params/pilot.yml")
    try:
        found = read_value(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as fault:
        raise ParamsError(file, "", f"is not UTF-8 at byte {fault.start}", "Save it as UTF-8") from None
    except yaml.YAMLError as fault:
        raise ParamsError(file, "", f"is not valid YAML: {_problem(fault)}") from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ParamsError(file, "", "holds no mapping of keys to values", "Begin with `report: NAME`")
    return found
