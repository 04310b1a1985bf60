"""Fixtures shared by all tests, and the rule that nothing is skipped where everything is required."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# before NumPy is loaded: its threads wait for each other in a busy loop where tests run side by side
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

PUBLIC_DATA = Path(__file__).parents[2] / "shared" / "data"
REQUIRE_ALL = "STAMMKUNDE_REQUIRE_ALL"
_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium; where there is none the test is skipped."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS.split())
        yield launched
        launched.close()


@dataclass(frozen=True)
class Opened:
    """A page in the browser, with every request it made and all that was said on its console."""

    page: Page
    asked: list[str]
    said: list[str]


@pytest.fixture(scope="session")
def open_page(browser: Browser) -> Callable[[Path], Opened]:
    """Return what opens a file in the browser and listens from the first request on."""

    def opened(file: Path) -> Opened:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.goto(file.as_uri())
        page.wait_for_load_state("networkidle")
        return Opened(page, asked, said)

    return opened
