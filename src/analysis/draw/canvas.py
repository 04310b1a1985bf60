"""The sheet a chart is drawn on, and the lean, reproducible SVG it becomes."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.draw import style

WIDTH_CM = 17.0
_CM = 1 / 2.54

Paint = Callable[[Axes], None]


@dataclass(frozen=True)
class Chart:
    """A chart as SVG, with the title and the text alternative that go with it."""

    svg: str
    title: str
    alt: str
    note: str = ""

    @property
    def id(self) -> str:
        """An id that differs between charts and is the same in every run."""
        return "fig-" + hashlib.sha256(f"{self.title}{self.svg}".encode()).hexdigest()[:10]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        image = base64.b64encode(self.svg.encode()).decode()
        note = f'<p class="sk-note">{escape(self.note)}</p>' if self.note else ""
        html = (
            f'<figure class="sk-figure" id="{self.id}"><figcaption>{escape(self.title)}</figcaption>'
            f'<img alt="{escape(self.alt)}" src="data:image/svg+xml;base64,{image}">{note}</figure>'
        )
        return {"text/html": html, "text/plain": f"{self.title}\n{self.alt}"}


def chart(paint: Paint, *, height_cm: float, title: str, alt: str, note: str = "") -> Chart:
    """Draw with ``paint`` on a sheet as wide as the text of an A4 page, and return the chart."""
    with mpl.rc_context(style.theme()):
        figure = Figure(figsize=(WIDTH_CM * _CM, height_cm * _CM), layout="constrained")
        paint(figure.subplots())
        return Chart(_lean(_svg(figure)), title, alt, note)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # A name in a script that neither typeface knows is left to the fonts of the reader's machine.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _lean(svg: str) -> str:
    """Drop what no reader sees, round to a tenth of a point, and bring the typeface along.

    An image in a page cannot use the page's fonts in a browser, so the SVG holds its own.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<clipPath.*?</clipPath>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#\w+\)"', "", svg)
    svg = re.sub(r' d="([^"]*)"', lambda path: f' d="{_rounded(path[1])}"', svg)
    svg = re.sub(r">\s+<", "><", svg)
    face = style.font_face("Inter-Regular", 400, "normal")
    return svg.replace('<style type="text/css">', f'<style type="text/css">{face}', 1)


def _rounded(path: str) -> str:
    rounded = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), path)
    return " ".join(rounded.split())
