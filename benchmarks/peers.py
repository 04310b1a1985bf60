"""Runs in a process of their own, and the peers that have an environment of their own: see CONTRIBUTING."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""Where lifelines and lifetimes are installed, if they are."""


def told(command: Sequence[str]) -> dict[str, float]:
    """Run a command and return what its last line tells, as JSON."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mb() -> float:
    """Return the greatest memory this process has held so far."""
    # getrusage would tell the parent's peak, where that is greater: a process inherits it
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
