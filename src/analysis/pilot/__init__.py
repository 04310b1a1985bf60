"""The pilot company: seeded synthetic data with planted truths, in the form in which real tools export them."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from analysis.errors import ParamsError
from analysis.pilot.export import end_file, write_block
from analysis.pilot.faults import Fault
from analysis.pilot.layouts import LAYOUTS
from analysis.pilot.simulate import blocks
from analysis.pilot.truth import truths


def write_pilot(
    folder: Path, *, customers: int = 5000, seed: int = 0, progress: Callable[[str], None] | None = None
) -> None:
    """Write the pilot company's exports, its ``params.yml`` and its ``truth.json`` into ``folder``.

    The same seed and size give the same bytes. The data run from 2023-10-01 to 2026-10-11 for every seed. Customers
    are simulated and written in blocks, so memory does not grow with their number; ``progress`` is told each block.

    Raises ParamsError where ``customers`` is below 1.
    """
    if customers < 1:
        raise ParamsError("the pilot company", "customers", f"{customers} is too few", "Give 1 or more")
    folder.mkdir(parents=True, exist_ok=True)
    planted: list[Fault] = []
    done = 0
    for block in blocks(customers, seed):
        for layout in LAYOUTS:
            planted += write_block(folder, layout, block)
        done += len(block.customers["number"])
        if progress is not None:
            progress(f"{done} of {customers} customers")
    for layout in LAYOUTS:
        end_file(folder, layout)
    (folder / "params.yml").write_text(params_yaml(""), encoding="utf-8")
    truth = json.dumps(truths(customers, seed, planted), ensure_ascii=False, indent=2)
    (folder / "truth.json").write_text(truth + "\n", encoding="utf-8")


def params_yaml(prefix: str) -> str:
    """Return the pilot's parameters with ``prefix`` before the path of every source.

    >>> [line.strip() for line in params_yaml("../data/pilot/").splitlines() if "path" in line][0]
    'path: ../data/pilot/kunden.csv'
    """
    text = files(__name__).joinpath("params.yml").read_text(encoding="utf-8")
    return text.replace("    path: ", f"    path: {prefix}")
