"""One theme: a palette safe for the colour-blind, one typeface, sizes for a page of A4."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.rcsetup import cycler

from analysis.draw import language

TYPEFACE = "Inter"
FONT_SIZE = 9.0
SMALL_SIZE = 8.5
"""In points at print size; nothing is set smaller."""

INK = "#1C2430"
MUTED = "#5A6472"
"""The two colours of text; both stand out from white by more than 4.5 to 1."""
GRID = "#DDE1E7"
BACKGROUND = "#FFFFFF"

SERIES = ("#1B2F6B", "#D9600A", "#35979F", "#8F2139", "#3B7DDD")
"""Colours of groups, in order; distinct under deuteranopia and protanopia, 3 to 1 or more against white."""
ACCENT = SERIES[0]
WARNING = SERIES[1]
QUIET = "#C4CAD3"
MEANING = {
    "promoters": ACCENT,
    "passives": QUIET,
    "detractors": WARNING,
    "accepted": QUIET,
    "quarantined": WARNING,
    "dropped": SERIES[2],
}
"""Groups that have one colour wherever they are shown."""

_FACES = (("Inter-Regular", 400, "normal"), ("Inter-SemiBold", 600, "normal"), ("Inter-Italic", 400, "italic"))
_FOR_CHARTS = ("Inter-Regular.ttf", "Inter-SemiBold.ttf")


def use(language_code: str = "de", currency: str = "EUR", confidence: float = 0.95) -> None:
    """Write and draw for a reader of that language, with that currency and intervals of that level, from here on.

    Also makes the theme matplotlib's own, so that a figure drawn by hand looks like the others.
    Raises UnknownNameError for a language that has no catalogue.
    """
    language.use(language_code, currency, confidence)
    mpl.rcParams.update(theme())


def theme() -> dict[Any, Any]:
    """Return the matplotlib settings of the theme, with the typeface registered."""
    _register_typeface()
    return {
        "font.family": [TYPEFACE, "DejaVu Sans"],
        "font.size": FONT_SIZE,
        "axes.titlesize": FONT_SIZE,
        "axes.labelsize": FONT_SIZE,
        "xtick.labelsize": FONT_SIZE,
        "ytick.labelsize": FONT_SIZE,
        "text.color": INK,
        "text.parse_math": False,  # a region called $x$ is no formula
        "axes.labelcolor": MUTED,
        "axes.labelpad": 6,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.facecolor": "none",
        "axes.prop_cycle": cycler(color=SERIES),
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "ytick.labelcolor": INK,
        "xtick.labelcolor": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.6,
        "figure.facecolor": BACKGROUND,
        "svg.fonttype": "none",  # WeasyPrint draws text four times faster than glyphs as paths
        "svg.hashsalt": "stammkunde",
    }


@cache
def _register_typeface() -> None:
    for name in _FOR_CHARTS:
        with as_file(files("analysis") / "fonts" / name) as path:
            font_manager.fontManager.addfont(path)


@cache
def font_face(name: str, weight: int, slant: str) -> str:
    """Return the @font-face rule of one vendored face, the font itself as a data: URI."""
    font = base64.b64encode((files("analysis") / "fonts" / f"{name}.woff2").read_bytes()).decode()
    return (
        f"@font-face{{font-family:{TYPEFACE};font-weight:{weight};font-style:{slant};"
        f"src:url(data:font/woff2;base64,{font}) format('woff2')}}"
    )


def font_face_css() -> str:
    """Return the @font-face rules of the typeface, so that a page needs no font of the machine's.

    >>> font_face_css().count("@font-face")
    3
    """
    return "\n".join(font_face(*face) for face in _FACES)


def colour(group: str, position: int) -> str:
    """Return the colour of a group: its own where it has one, else the next of the series."""
    return MEANING.get(group, SERIES[position % len(SERIES)])


def text_on(fill: str) -> str:
    """Return the colour of text that stands out most from ``fill``.

    >>> text_on(ACCENT), text_on(QUIET)
    ('#FFFFFF', '#000000')
    """
    return max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
