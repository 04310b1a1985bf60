"""The pilot company of seed 0, written once for all tests of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.pilot import write_pilot


@pytest.fixture(scope="session")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pilot")
    write_pilot(folder, customers=5000, seed=0)
    return folder
