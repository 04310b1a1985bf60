"""The command line; each verb is one call into the pipeline."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from analysis import __version__, console, pilot, pipeline
from analysis.errors import ParamsError, PublishError, StammkundeError
from analysis.intake import inspection
from analysis.intake import snapshot as snapshots
from analysis.publish import index as index_page
from analysis.publish import stage
from analysis.report import SNAPSHOT_VARIABLE

app = typer.Typer(
    name="stammkunde",
    help="From customer data to a published report: satisfaction, leaving, segments, in German or English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
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
        console.errors.print_exception()
    if "--json" in sys.argv:
        console.print_json({"error": str(error), "kind": type(error).__name__, "exit_code": code})
    else:
        console.errors.print(f"stammkunde: {error}", markup=False)
    sys.exit(code)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        console.plain.print(__version__)
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
    with console.progress(machine) as progress, stage.writing("pilot"):
        pilot.write_pilot(folder, customers=customers, seed=seed, progress=progress)
    if machine:
        console.print_json({"folder": folder, "customers": customers, "seed": seed, "params": folder / "params.yml"})
    else:
        console.plain.print(f"{folder}: the pilot company. Next: stammkunde run {folder / 'params.yml'}", markup=False)


@app.command()
def inspect(
    files: Annotated[list[Path], typer.Argument(help="The files to look at.", show_default=False)],
    machine: Machine = False,
    debug: Debug = False,
) -> None:
    """Tell a file's encoding, separator, columns and their forms, and propose a mapping."""
    found = [inspection.inspect_file(file) for file in files]
    if machine:
        console.print_json({"files": [dataclasses.asdict(report) for report in found]})
        return
    for report in found:
        console.show_file(report)


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
    with tempfile.TemporaryDirectory(prefix="stammkunde-") as scratch, console.progress(machine) as progress:
        found = snapshots.build(
            chosen, file.resolve().parent, Path(scratch) / "check", period=wanted, progress=progress
        )
    if machine:
        console.print_json(
            {"period": found.period.id, "tables": {name: record.as_json() for name, record in found.records.items()}}
        )
    else:
        console.show_check(found)


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
    with console.progress(machine) as progress:
        made = pipeline.run(order, progress)
    outputs = sorted(path.name for path in made.folder.iterdir())
    if machine:
        console.print_json(
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
        console.plain.print(f"  {made.folder / name}", markup=False)
    console.plain.print(f"  {order.folder / 'index.html'}", markup=False)
    console.plain.print(f"{made.figures} figures for {made.period} in {sum(made.seconds.values()):.1f} s")


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
    with console.progress(machine) as progress:
        found = pipeline.due(folder, moment, out=out, progress=progress)
    if machine:
        console.print_json(
            {
                "due": [
                    {"params": one.file, "period": one.period and one.period.id, "outcome": one.outcome}
                    for one in found
                ]
            }
        )
    else:
        for one in found:
            console.plain.print(f"{one.file.name} {one.period or ''}: {one.outcome}", markup=False)
        if not found:
            console.plain.print("nothing is due")
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
        console.print_json({"index": page})
    else:
        console.plain.print(f"{page}", markup=False)


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
    with console.progress(machine=False) as progress:
        snapshot = pipeline.make_snapshot(pipeline.Order(file, settings or (), period), progress)
    console.plain.print(f"snapshot: {snapshot.folder}", markup=False)
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
