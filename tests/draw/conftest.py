"""Every test of drawing begins, and leaves, with a German reader and euros."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from matplotlib.figure import Figure

from analysis.draw import canvas, language


@pytest.fixture(autouse=True)
def german_reader() -> Iterator[None]:
    language.use("de", "EUR")
    yield
    language.use("de", "EUR")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures behind the charts drawn in a test."""
    seen: list[Figure] = []
    write = canvas._svg

    def remember(figure: Figure) -> str:
        seen.append(figure)
        return write(figure)

    monkeypatch.setattr(canvas, "_svg", remember)
    return seen
