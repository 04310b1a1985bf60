"""Several outputs of one cell, shown one below the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Together:
    """What is shown together, in the order given."""

    parts: tuple[Any, ...]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        bundles = [part._repr_mimebundle_() for part in self.parts]
        return {kind: "\n".join(bundle[kind] for bundle in bundles) for kind in ("text/html", "text/plain")}


def together(*parts: Any) -> Together:
    """Show charts, tables and sentences of one section one below the other; an empty sentence is left out.

    >>> from analysis.draw.words import no_data
    >>> print(together(no_data("A"), no_data("B"))._repr_mimebundle_()["text/plain"])
    A: keine Daten.
    B: keine Daten.
    """
    return Together(tuple(part for part in parts if part != ""))
