"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

PUBLIC_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public test data; tests that use it are skipped where it is absent."""
    if not PUBLIC_DATA.is_dir():
        pytest.skip("the public test data are not beside the project")
    return PUBLIC_DATA
