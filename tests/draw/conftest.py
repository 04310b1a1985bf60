"""Every test of drawing begins, and leaves, with a German reader and euros."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analysis.draw import language


@pytest.fixture(autouse=True)
def german_reader() -> Iterator[None]:
    language.use("de", "EUR")
    yield
    language.use("de", "EUR")
