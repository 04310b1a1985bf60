"""A report of several pages with a long table, as the tests of the PDF and of the browser read it."""

from __future__ import annotations

import base64
from collections.abc import Callable

from notebook_cells import code, prose, returned, shown

from analysis.period import Period
from analysis.publish.html import ChapterPage, Document

COMMENT = "<script>alert(1)</script> [x](javascript:alert(1)) =cmd|' /C calc'!A1"
_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='260'><text x='20' y='40' font-family='Inter'>"
    "Größe</text>"
    "<rect x='20' y='60' width='400' height='40'/></svg>"
)
_FIGURE = (
    '<figure class="sk-figure"><figcaption>Süd liegt vorn (n = 2.310)</figcaption>'
    f'<img alt="Balken: Süd 41 Punkte" src="data:image/svg+xml;base64,{base64.b64encode(_SVG.encode()).decode()}">'
    "</figure>"
)
_FINDINGS = '<ul class="sk-findings"><li>Der NPS beträgt <strong>34,2 Punkte</strong>.</li></ul>'
_PROSE = "Der Net Promoter Score ist der Anteil der Begeisterten abzüglich des Anteils der Kritischen, in Punkten. " * 4


def table(rows: int, columns: int = 5) -> str:
    heads = "".join(f'<th scope="col" class="gt_right">Spalte {column}</th>' for column in range(columns))
    cells = "".join(f'<td class="gt_right">{column}.000</td>' for column in range(columns))
    body = "".join(f"<tr>{cells}</tr>" for _row in range(rows))
    foot = f'<tfoot><tr><td colspan="{columns}">Quelle: Umfragen</td></tr></tfoot>'
    caption = "<caption>NPS nach Region</caption>"
    return f'<table class="gt_table">{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody>{foot}</table>'


def report(notebook: Callable[..., object]) -> Document:
    """Make the report of notebooks written by ``notebook``."""
    satisfaction = [
        prose("# Zufriedenheit\n\nWie zufrieden ist die Kundschaft?"),
        code("findings", outputs=[shown(text_html=_FINDINGS)]),
        prose(f"## Weiterempfehlung\n\n{_PROSE}"),
        code("chart", outputs=[shown(text_html=_FIGURE)]),
        prose("## Nach Region"),
        code("table", outputs=[returned(text_html=table(70, 12))]),
        prose("## Kommentare"),
        code("comments", outputs=[returned(text_plain=COMMENT), shown(text_markdown=COMMENT)]),
    ]
    summary = [
        prose("# Auf einen Blick"),
        prose(f"## Kennzahlen\n\n{_PROSE}"),
        code("x", outputs=[returned(text_html=table(5))]),
    ]
    return Document(
        "Kundenbericht",
        "Zufriedenheit, Treue und Wert der Kundschaft",
        "de",
        Period.parse("2026-Q3"),
        "internal",
        (
            ChapterPage("satisfaction", "Zufriedenheit", notebook("satisfaction", satisfaction)),
            ChapterPage("care", "Service", None, "Dieses Kapitel entfällt."),
            ChapterPage("summary", "Auf einen Blick", notebook("summary", summary)),
        ),
    )
