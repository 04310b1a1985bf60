"""The outputs of a run, written from a snapshot and its executed chapters into the staging folder."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from analysis.intake.snapshot import Snapshot
from analysis.publish import figures, html, manifest, pdf, prepare, stage, workbook

KEY_FIGURES = ("satisfaction.nps", "churn_drivers.churn_share", "segments.revenue")
"""The figures that the index shows beside a report, where it has them."""

Progress = Callable[[str], None]


@dataclass
class Clock:
    """How long the steps took, on the wall."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what stands inside."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began


def write(
    snapshot: Snapshot,
    prepared: Sequence[prepare.Prepared],
    reported: figures.FiguresByChapter,
    staged: Path,
    clock: Clock,
    progress: Progress,
) -> None:
    """Write everything a reader gets into the staging folder: page, PDF, workbook, figures, manifest, quarantine."""
    chosen = snapshot.params
    title = getattr(chosen.title, chosen.language)
    with stage.writing("writing the report"):
        figures.write_figures(reported, staged / "figures.json")
        manifest.write_manifest(_manifest(snapshot, title, prepared, reported), staged / "manifest.json")
        # what was left out may name people; it stays beside the snapshot where the report leaves the house
        if chosen.audience == "internal" and (snapshot.folder / "quarantine").is_dir():
            shutil.copytree(snapshot.folder / "quarantine", staged / "quarantine")
        if {"html", "pdf"} & set(chosen.outputs):
            with clock.step("html"):
                page = html.render(_document(snapshot, title, prepared, staged))
        if "html" in chosen.outputs:
            (staged / "report.html").write_text(page, encoding="utf-8")
            progress("report.html: done")
        if "pdf" in chosen.outputs:
            with clock.step("pdf"):
                (staged / "report.pdf").write_bytes(pdf.write_pdf(page))
            progress("report.pdf: done")
        if "xlsx" in chosen.outputs:
            with clock.step("xlsx"):
                titles = {chapter.chapter: chapter.title for chapter in prepared}
                lists = snapshot.folder / "customers" if chosen.audience == "internal" else None
                book = workbook.Workbook(
                    title, chosen.language, chosen.currency, snapshot.period, titles, reported, customers=lists
                )
                workbook.write_workbook(book, staged / "tables.xlsx")
            progress("tables.xlsx: done")


def _document(snapshot: Snapshot, title: str, prepared: Sequence[prepare.Prepared], staged: Path) -> html.Document:
    pages = tuple(
        html.ChapterPage(
            chapter.chapter,
            chapter.title,
            staged / "notebooks" / f"{chapter.chapter}.ipynb" if chapter.notebook else None,
            chapter.sentence,
        )
        for chapter in prepared
    )
    return html.Document(title, "", snapshot.params.language, snapshot.period, snapshot.params.audience, pages)


def _manifest(
    snapshot: Snapshot, title: str, prepared: Sequence[prepare.Prepared], reported: figures.FiguresByChapter
) -> manifest.Manifest:
    ids = {str(figure["id"]) for found in reported.values() for figure in found}
    return manifest.Manifest(
        report=snapshot.params.report,
        title=title,
        language=snapshot.params.language,
        currency=snapshot.params.currency,
        period=snapshot.period,
        parameters=snapshot.params.as_json(),
        inputs={name: record.as_json(snapshot.smallest) for name, record in snapshot.records.items()},
        chapters={
            chapter.chapter: len(reported[chapter.chapter]) if chapter.notebook else chapter.sentence
            for chapter in prepared
        },
        outputs=snapshot.params.outputs,
        key_figures=[key for key in KEY_FIGURES if key in ids],
    )
