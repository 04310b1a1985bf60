"""The command line; each verb is one call into the pipeline."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from analysis import __version__, pilot, pipeline
from analysis.errors import ParamsError, PublishError, StammkundeError
from analysis.intake import inspection
from analysis.intake import snapshot as snapshots
from analysis.intake.records import TableRecord
from analysis.intake.snapshot import Snapshot
from analysis.publish import index as index_page
from analysis.publish import stage
from analysis.report import SNAPSHOT_VARIABLE

INTERRUPTED = 130

app = typer.Typer(
    name="stammkunde",
    help="From customer data to a published report: satisfaction, leaving, segments, in German or English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
plain = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Params = Annotated[Path, typer.Argument(help="The params file, such as params/pilot.yml.", show_default=False)]
Machine = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines, and no progress.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="The reports folder; by default `reports` in the project of the params file."),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Change a parameter: key=value, deeper ones as chapter.key=value.")
]


def main() -> None:
    """Run the command line and exit with the contracted code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except StammkundeError as error:
        _fail(error, error.exit_code)


def _interrupt(signum: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(error: StammkundeError, code: int) -> NoReturn:
    if "--debug" in sys.argv:
        errors.print_exception()
    if "--json" in sys.argv:
        print(json.dumps({"error": str(error), "kind": type(error).__name__, "exit_code": code}))  # noqa: T201
    else:
        errors.print(f"stammkunde: {error}", markup=False)
    sys.exit(code)


@contextmanager
def _progress(machine: bool) -> Iterator[Callable[[str], None]]:
    """Yield what takes lines of progress: a spinner on a terminal, plain lines otherwise, nothing for machines.

    An interruption in what stands inside ends the program with its own code.
    """
    try:
        if machine:
            yield pipeline.quiet
        elif plain.is_terminal:
            with plain.status("starting") as status:
                yield lambda line: _spin(status, line)
        else:
            yield lambda line: plain.print(line, markup=False)
    except KeyboardInterrupt:
        errors.print("stammkunde: interrupted; nothing was published")
        raise typer.Exit(INTERRUPTED) from None


def _spin(status: Status, line: str) -> None:
    plain.print(f"✓ {line}", markup=False)
    status.update("working")


def _print_json(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False, default=str))  # noqa: T201


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        plain.print(__version__)
        raise typer.Exit


@app.command("pilot")
def pilot_command(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = Path("data/pilot"),
    customers: Annotated[int, typer.Option(min=10, max=1_000_000, help="How many customers.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other customers.")] = 0,
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Write the pilot company's exports, its params.yml and truth.json."""
    with _progress(machine) as progress, stage.writing("pilot"):
        pilot.write_pilot(folder, customers=customers, seed=seed, progress=progress)
    if machine:
        _print_json({"folder": folder, "customers": customers, "seed": seed, "params": folder / "params.yml"})
    else:
        plain.print(f"{folder}: the pilot company. Next: stammkunde run {folder / 'params.yml'}", markup=False)


@app.command()
def inspect(
    files: Annotated[list[Path], typer.Argument(help="The files to look at.", show_default=False)],
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Tell a file's encoding, separator, columns and their forms, and propose a mapping."""
    found = [inspection.inspect_file(file) for file in files]
    if machine:
        _print_json({"files": [dataclasses.asdict(report) for report in found]})
        return
    for report in found:
        _show_file(report)


def _show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table with frames on a terminal, as plain lines of unshortened cells otherwise."""
    if plain.is_terminal:
        table = Table(*headings)
        for row in rows:
            table.add_row(*row)
        plain.print(table)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        plain.print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), markup=False
        )


def _show_file(report: inspection.FileReport) -> None:
    plain.print(
        f"{report.path}: {report.container}, {report.encoding or '-'}, "
        f"separator {report.separator!r}, {report.header_rows} header row(s)",
        markup=False,
    )
    _show_table(("column", "form", "filled"), [(one.name, one.form, f"{one.filled:,}") for one in report.columns])
    if report.proposal:
        plain.print(report.proposal, markup=False)
    for note in report.notes:
        plain.print(f"note: {note}", markup=False)


@app.command()
def check(
    file: Params,
    period: Annotated[str | None, typer.Option("--period", help="The period, such as 2026-Q3.")] = None,
    settings: Settings = None,
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Validate parameters, sources and data without running a notebook; print rows accepted and quarantined."""
    chosen, wanted = pipeline.checked(pipeline.Order(file, settings or (), period))
    with tempfile.TemporaryDirectory(prefix="stammkunde-") as scratch, _progress(machine) as progress:
        found = snapshots.build(
            chosen, file.resolve().parent, Path(scratch) / "check", period=wanted, progress=progress
        )
    if machine:
        _print_json(
            {"period": found.period.id, "tables": {name: record.as_json() for name, record in found.records.items()}}
        )
    else:
        _show_check(found)


def _show_check(found: Snapshot) -> None:
    headings = ("table", "read", "accepted", "quarantined", "dropped", "set missing", "first", "last")
    _show_table(headings, [_check_row(name, record) for name, record in found.records.items()])
    for name, record in found.records.items():
        reasons = {**record.quarantined, "parent quarantined": record.parent_quarantined}
        for reason, count in reasons.items():
            if count:
                plain.print(f"{name}: {count:,} quarantined: {reason}", markup=False)
        for reason, count in record.set_missing.items():
            plain.print(f"{name}: {count:,} set missing: {reason}", markup=False)
    plain.print(f"period: {found.period}")


def _check_row(name: str, record: TableRecord) -> list[str]:
    quarantined = sum(record.quarantined.values()) + record.parent_quarantined
    dropped, missing = sum(record.dropped.values()), sum(record.set_missing.values())
    counts = (record.read, record.accepted, quarantined, dropped, missing)
    return [name, *(f"{count:,}" for count in counts), str(record.first or "-"), str(record.last or "-")]


@app.command()
def run(
    file: Params,
    period: Annotated[
        str | None, typer.Option("--period", help="The period, such as 2026-Q3; by default the last complete one.")
    ] = None,
    settings: Settings = None,
    chapters: Annotated[
        list[str] | None, typer.Option("--chapter", help="Only this chapter; may be given several times.")
    ] = None,
    out: Out = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many chapters run side by side.")] = min(
        4, os.cpu_count() or 1
    ),
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Build the report of a period and publish it whole."""
    order = pipeline.Order(file, settings or (), period, chapters or (), out, jobs)
    with _progress(machine) as progress:
        made = pipeline.run(order, progress)
    outputs = sorted(path.name for path in made.folder.iterdir())
    if machine:
        _print_json(
            {
                "folder": made.folder,
                "period": made.period.id,
                "figures": made.figures,
                "outputs": outputs,
                "seconds": {step: round(seconds, 2) for step, seconds in made.seconds.items()},
            }
        )
        return
    for name in outputs:
        plain.print(f"  {made.folder / name}", markup=False)
    plain.print(f"  {order.folder / 'index.html'}", markup=False)
    plain.print(f"{made.figures} figures for {made.period} in {sum(made.seconds.values()):.1f} s")


@app.command()
def due(
    folder: Annotated[Path, typer.Argument(help="The folder of params files.", show_default=False)],
    now: Annotated[
        str | None,
        typer.Option(
            "--now", help="The time to go by, ISO; without offset in the report's zone. By default the clock."
        ),
    ] = None,
    out: Out = None,
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Build whatever is due and missing among each report's last four complete periods; safe to repeat."""
    moment = _moment(now) if now else dt.datetime.now(dt.UTC)
    with _progress(machine) as progress:
        found = pipeline.due(folder, moment, out=out, progress=progress)
    if machine:
        _print_json(
            {
                "due": [
                    {"params": one.file, "period": one.period and one.period.id, "outcome": one.outcome}
                    for one in found
                ]
            }
        )
    else:
        for one in found:
            plain.print(f"{one.file.name} {one.period or ''}: {one.outcome}", markup=False)
        if not found:
            plain.print("nothing is due")
    failed = [one.error for one in found if one.error]
    if failed:
        raise typer.Exit(failed[0].exit_code)


def _moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise ParamsError("--now", text, "is not a time", "Write 2026-10-01 or 2026-10-01T06:00:00+02:00") from None


@app.command()
def index(
    folder: Annotated[Path, typer.Argument(help="The reports folder.", show_default=False)],
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Rebuild index.html from the manifests in a reports folder."""
    if not folder.is_dir():
        raise PublishError("index", f"there is no folder {folder}", "Name the folder that holds the reports")
    page = index_page.rebuild(folder)
    if machine:
        _print_json({"index": page})
    else:
        plain.print(f"{page}", markup=False)


@app.command(context_settings={"allow_extra_args": True})
def lab(
    context: typer.Context,
    file: Params = Path("params/pilot.yml"),
    period: Annotated[str | None, typer.Option("--period", help="The period, such as 2026-Q3.")] = None,
    settings: Settings = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    debug: Debug = False,
) -> None:
    """Build the snapshot and open JupyterLab on the notebooks; what stands behind `--` is passed on to it."""
    with _progress(machine=False) as progress:
        snapshot = pipeline.make_snapshot(pipeline.Order(file, settings or (), period), progress)
    plain.print(f"snapshot: {snapshot.folder}", markup=False)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        str(pipeline.NOTEBOOKS),
        *([] if browser else ["--no-browser"]),
        *context.args,
    ]
    environment = {**os.environ, SNAPSHOT_VARIABLE: str(snapshot.folder.resolve())}
    raise typer.Exit(subprocess.run(command, check=False, env=environment).returncode)
