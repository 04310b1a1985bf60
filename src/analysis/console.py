"""What the command line prints: progress, tables, one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from analysis.intake import inspection
from analysis.intake.records import TableRecord
from analysis.intake.snapshot import Snapshot, quiet

INTERRUPTED = 130

plain = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress(machine: bool) -> Iterator[Callable[[str], None]]:
    """Yield what takes lines of progress: a spinner on a terminal, plain lines otherwise, nothing for machines.

    An interruption in what stands inside ends the program with its own code.
    """
    try:
        if machine:
            yield quiet
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


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object on a line."""
    sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")


def show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
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


def show_file(report: inspection.FileReport) -> None:
    """Print what a file holds, and the mapping proposed for it."""
    plain.print(
        f"{report.path}: {report.container}, {report.encoding or '-'}, "
        f"separator {report.separator!r}, {report.header_rows} header row(s)",
        markup=False,
    )
    show_table(("column", "form", "filled"), [(one.name, one.form, f"{one.filled:,}") for one in report.columns])
    if report.proposal:
        plain.print(report.proposal, markup=False)
    for note in report.notes:
        plain.print(f"note: {note}", markup=False)


def show_check(found: Snapshot) -> None:
    """Print what became of the rows of each table, by reason."""
    headings = ("table", "read", "accepted", "quarantined", "dropped", "set missing", "first", "last")
    show_table(headings, [_check_row(name, record) for name, record in found.records.items()])
    for name, record in found.records.items():
        reasons = {**record.quarantined, "parent quarantined": record.parent_quarantined}
        for reason, count in reasons.items():
            if count:
                plain.print(f"{name}: {count:,} quarantined: {reason}", markup=False)
        for reason, count in record.set_missing.items():
            plain.print(f"{name}: {count:,} set missing: {reason}", markup=False)
    plain.print(f"period: {found.period}")


def _check_row(name: str, record: TableRecord) -> list[str]:
    quarantined = record.rows_quarantined
    dropped, missing = sum(record.dropped.values()), sum(record.set_missing.values())
    counts = (record.read, record.accepted, quarantined, dropped, missing)
    return [name, *(f"{count:,}" for count in counts), str(record.first or "-"), str(record.last or "-")]
