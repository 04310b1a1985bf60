"""The whole run on one page: params -> intake -> snapshot -> chapters -> render -> promote -> index."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis import params as parameters
from analysis import writing
from analysis.errors import ChapterError, OutsideDataError, ParamsError, StammkundeError, UnknownNameError
from analysis.intake import engine
from analysis.intake import snapshot as snapshots
from analysis.intake.snapshot import Snapshot, quiet
from analysis.params import Params
from analysis.period import Period, last_complete
from analysis.places import snapshot_folder
from analysis.publish import execute, figures, index, manifest, prepare, stage
from analysis.vocabulary import CHAPTERS
from analysis.writing import Progress

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SUMMARY = "summary"
"""The chapter that reads the figures of the others; it runs last, opens the report and need report none itself."""


@dataclass(frozen=True)
class Order:
    """What is to be built: a params file with its settings, and where the result goes."""

    file: Path
    settings: Sequence[str] = ()
    period: str | None = None
    chapters: Sequence[str] = ()
    out: Path | None = None
    jobs: int = 2
    only_complete: bool = False
    """Refuse a period whose last day the data do not reach yet."""

    @property
    def folder(self) -> Path:
        """The reports folder: the one asked for, else ``reports`` in the project of the params file."""
        here = self.file.resolve().parent
        return self.out or (here.parent if here.name == "params" else here) / "reports"


@dataclass(frozen=True)
class Published:
    """A report as it was published: its folder, period, number of figures, and the seconds each step took."""

    folder: Path
    period: Period
    figures: int
    seconds: Mapping[str, float]


def run(order: Order, progress: Progress = quiet) -> Published:
    """Build one report from its parameters and publish it whole, or leave what stood there and raise."""
    chosen, wanted = checked(order)
    started, clock = dt.datetime.now(dt.UTC), writing.Clock()
    with stage.hold(order.folder, chosen.report) as staging:
        with clock.step("intake"):
            snapshot = _snapshot(order, chosen, wanted, staging, progress)
        target = order.folder / chosen.report / snapshot.period.id
        aside = order.folder / ".failed" / chosen.report / snapshot.period.id
        staged = staging / "report"
        count = build(
            snapshot, staged, aside=aside, chapters=order.chapters, jobs=order.jobs, clock=clock, progress=progress
        )
        manifest.write_run(
            staged / "run.json",
            run_id=str(uuid.uuid4()),
            started=started.isoformat(timespec="seconds"),
            steps=clock.seconds,
        )
        stage.promote(staged, target)
        shutil.rmtree(aside, ignore_errors=True)
    index.rebuild(order.folder)
    progress(f"published {target}")
    return Published(target, snapshot.period, count, clock.seconds)


def checked(order: Order) -> tuple[Params, Period | None]:
    """Return what the command line and the parameters alone decide, before anything is read or written."""
    chosen = parameters.load(order.file, order.settings)
    for chapter in order.chapters:
        if chapter not in CHAPTERS:
            raise UnknownNameError("chapter", chapter, CHAPTERS)
    wanted = Period.parse(order.period, chosen.period) if order.period else None
    for _key, _file in parameters.paths(chosen, order.file.resolve().parent):
        pass
    return chosen, wanted


def make_snapshot(order: Order, progress: Progress = quiet) -> Snapshot:
    """Build the snapshot alone, for work in JupyterLab."""
    chosen, wanted = checked(order)
    with stage.hold(order.folder, chosen.report) as staging:
        return _snapshot(order, chosen, wanted, staging, progress)


def _snapshot(order: Order, chosen: Params, period: Period | None, staging: Path, progress: Progress) -> Snapshot:
    """Build the snapshot aside and let it take the place of the report's last one."""
    made = staging / "snapshot"
    with stage.writing("intake"):
        snapshots.build(
            chosen,
            order.file.resolve().parent,
            made,
            period=period,
            only_complete=order.only_complete,
            progress=progress,
        )
    target = snapshot_folder(order.folder, chosen.report)
    stage.promote(made, target)
    return snapshots.load(target)


def build(
    snapshot: Snapshot,
    staged: Path,
    *,
    aside: Path,
    chapters: Sequence[str] = (),
    jobs: int = 2,
    clock: writing.Clock,
    progress: Progress = quiet,
) -> int:
    """Execute the chapters on a snapshot and write all outputs into the folder ``staged``; return how many figures."""
    with stage.writing("staging"):
        (staged / "notebooks").mkdir(parents=True)
    prepared = prepare_chapters(snapshot, staged, chosen=chapters, progress=progress)
    try:
        with clock.step("chapters"), stage.writing("executing the chapters"):
            _execute(snapshot, prepared, staged, aside, jobs, progress)
    finally:
        engine.remove_spilled(snapshot.folder)
    reported = figures.read_figures(snapshot.folder, [chapter.chapter for chapter in prepared])
    _check_reported(prepared, reported)
    writing.write(snapshot, prepared, reported, staged, clock, progress)
    return sum(len(found) for found in reported.values())


def _ordered(chapters: Sequence[str]) -> list[str]:
    """Return the chapters in the order they are read: the summary first, the data behind it all last."""
    place = {SUMMARY: -1, "data_quality": len(CHAPTERS)}
    return sorted(dict.fromkeys(chapters), key=lambda chapter: place.get(chapter, 0))


def prepare_chapters(
    snapshot: Snapshot, staged: Path, *, chosen: Sequence[str] = (), progress: Progress = quiet
) -> list[prepare.Prepared]:
    """Prepare the chapters chosen, by the parameters where none are, else all whose tables exist.

    A chapter chosen and without its tables keeps a page that says so; of the others the summary says it.
    """
    are_chosen = bool(chosen or snapshot.params.chapters)
    chapters = _ordered(chosen or snapshot.params.chapters or CHAPTERS)
    prepared = {chapter: _prepared(snapshot, chapter, staged) for chapter in chapters if chapter != SUMMARY}
    absent = [chapter for chapter in prepared.values() if not (chapter.notebook or are_chosen)]
    for chapter in absent:
        progress(f"{chapter.chapter}: {chapter.sentence}")
    if SUMMARY in chapters:
        prepared[SUMMARY] = _prepared(snapshot, SUMMARY, staged, absent)
    return [prepared[chapter] for chapter in chapters if prepared[chapter] not in absent]


def _prepared(
    snapshot: Snapshot, chapter: str, staged: Path, absent: Sequence[prepare.Prepared] = ()
) -> prepare.Prepared:
    return prepare.prepare(
        NOTEBOOKS / f"{chapter}.ipynb",
        staged / "notebooks" / f"{chapter}.ipynb",
        chapter=chapter,
        language=snapshot.params.language,
        available={name: record.columns for name, record in snapshot.held.items()},
        parameters=("snapshot", *snapshot.params.settings(chapter)),
        absent=absent,
    )


def _execute(
    snapshot: Snapshot,
    prepared: Sequence[prepare.Prepared],
    staged: Path,
    aside: Path,
    jobs: int,
    progress: Progress,
) -> None:
    todo = [
        execute.ChapterJob(
            chapter.chapter,
            chapter.notebook,
            staged / "notebooks" / f"{chapter.chapter}.ipynb",
            {"snapshot": str(snapshot.folder.resolve()), **snapshot.params.settings(chapter.chapter)},
        )
        for chapter in prepared
        if chapter.notebook
    ]
    execute.run_chapters(
        [job for job in todo if job.chapter != SUMMARY],
        last=[job for job in todo if job.chapter == SUMMARY],
        kept_aside=aside,
        workers=jobs,
        progress=progress,
    )


def _check_reported(prepared: Sequence[prepare.Prepared], reported: figures.FiguresByChapter) -> None:
    for chapter in prepared:
        if chapter.notebook and chapter.chapter != SUMMARY and not reported[chapter.chapter]:
            raise ChapterError(
                chapter.chapter,
                "it has its tables and yet reported no figure",
                "Call report.figure(...) in its notebook for each figure it shows",
            )


@dataclass(frozen=True)
class Due:
    """A report due for a period, and what came of it: ``published``, ``waiting`` for data, or the error.

    Where the params file itself is at fault there is no period.
    """

    file: Path
    period: Period | None
    outcome: str
    error: StammkundeError | None = None


def due(folder: Path, now: dt.datetime, *, out: Path | None = None, progress: Progress = quiet) -> list[Due]:
    """Build whatever is due and missing: of each params file the last four complete periods without a manifest.

    ``now`` decides which periods are complete, in each report's time zone, in which a ``now`` without zone is read.
    Oldest first; a failure does not stop the rest. A period that the data do not reach yet, or no longer reach, is
    left for another day.
    """
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise ParamsError(folder, "", "holds no params file (*.yml)", "Name the folder that holds them, such as params")
    return [one for file in files for one in _due_of(Order(file, out=out), now, progress)]


def _due_of(order: Order, now: dt.datetime, progress: Progress) -> Iterator[Due]:
    try:
        chosen = parameters.load(order.file)
    except StammkundeError as fault:
        yield Due(order.file, None, f"failed: {fault}", fault)
        return
    today = (now.astimezone(parameters.zone(chosen)) if now.tzinfo else now).date()
    period = last_complete(today - dt.timedelta(days=1), chosen.period)
    periods = [period, period.previous, period.previous.previous, period.previous.previous.previous]
    for missing in reversed(periods):
        if not (order.folder / chosen.report / missing.id / "manifest.json").is_file():
            yield _built(Order(order.file, period=missing.id, out=order.out, only_complete=True), missing, progress)


def _built(order: Order, period: Period, progress: Progress) -> Due:
    progress(f"{order.file.name}: {period}")
    try:
        run(order, progress)
    except OutsideDataError as fault:
        return Due(order.file, period, f"waiting: {fault}")
    except StammkundeError as fault:
        return Due(order.file, period, f"failed: {fault}", fault)
    return Due(order.file, period, "published")
