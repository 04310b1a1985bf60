"""Fixtures shared by all tests, and the rule that nothing is skipped where everything is required."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

PUBLIC_DATA = Path(__file__).parents[2] / "shared" / "data"
REQUIRE_ALL = "STAMMKUNDE_REQUIRE_ALL"


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public test data; tests that use it are skipped where it is absent."""
    if not PUBLIC_DATA.is_dir():
        pytest.skip("the public test data are not beside the project")
    return PUBLIC_DATA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Where everything is required, a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though {REQUIRE_ALL} is set: {report.longrepr}"
    return report
