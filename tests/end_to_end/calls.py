"""The command line run in a process of its own, and the files of a small shop."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

STAMMKUNDE = [str(Path(sys.executable).parent / "stammkunde")]


@dataclass(frozen=True)
class Ended:
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def call(*arguments, cwd=None, env=None, **more) -> Ended:
    """Call the command line and wait."""
    done = subprocess.run(
        [*STAMMKUNDE, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        check=False,
        timeout=300,
        **more,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


ORDERS = "Kunde;Tag;Betrag\n" + "".join(
    f"K{number:03d};{number % 28 + 1:02d}.{month:02d}.2026;{number * 7 % 90 + 10},50\n"
    for month in range(1, 10)
    for number in range(1, 41)
)
"""Orders from January to September 2026; the last one is dated 28 September."""

PARAMS = """\
report: laden
period: month
sources:
  transactions:
    path: orders.csv
    columns: {customer_id: Kunde, date: Tag, revenue: Betrag}
chapters: [segments]
outputs: [html]
"""


def fingerprint(folder):
    """Return the SHA-256 of every file in a folder, locks left out."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and ".locks" not in file.parts)
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def edit(folder, name, *changes):
    """Replace texts in a file; each must stand there."""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
