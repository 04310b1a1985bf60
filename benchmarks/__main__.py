"""Measure the kit against its peers and write RESULTS.md: ratios of one run, medians of pairs.

usage: python -m benchmarks [--pairs N] [--rows N] [NAME...]
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from analysis import __version__, params, pilot
from analysis.intake import snapshot as snapshots
from benchmarks import (
    comments,
    hazards,
    importance,
    intake,
    publishing,
    purchase_models,
    satisfaction,
    segments,
    survival,
    value,
)

HERE = Path(__file__).parent
BUILD = HERE / "build"


def measure_publishing(pairs: int, rows: int) -> str:
    """Return the section on publishing."""
    folder = BUILD / "publishing"
    shutil.rmtree(folder, ignore_errors=True)
    pilot.write_pilot(folder / "pilot")
    snapshot = folder / "snapshot"
    snapshots.build(params.load(folder / "pilot" / "params.yml"), folder / "pilot", snapshot)
    kit, plain = [], []
    for number in range(pairs):
        kit.append(publishing.kit(snapshot, folder / f"kit-{number}"))
        plain.append(publishing.plain(snapshot, folder / f"plain-{number}"))
        print(f"publishing, pair {number + 1}: {kit[-1]['total']:.1f} s against {plain[-1]['total']:.1f} s")
    ratio = statistics.median(one["total"] / other["total"] for one, other in zip(kit, plain, strict=True))
    lines = [
        "## Five chapters to HTML and PDF, from the same snapshot",
        "",
        f"Ratio of wall time, kit to plain way, median of {pairs} pairs: **{ratio:.2f}** (to reach: at most 0.6).",
        "",
        "| way | step | seconds, median |",
        "|---|---|---|",
        *_step_rows("kit", kit),
        *_step_rows("plain", plain),
    ]
    return "\n".join(lines)


def _step_rows(way: str, runs: list[dict[str, float]]) -> list[str]:
    return [f"| {way} | {step} | {statistics.median(run[step] for run in runs):.1f} |" for step in runs[0]]


def measure_intake(pairs: int, rows: int) -> str:
    """Return the section on intake."""
    found = intake.measure(rows, pairs, BUILD / "intake")
    return "\n".join(
        [
            f"## Intake of a semicolon CSV with German numbers, {rows:,} rows",
            "",
            f"Rate against DuckDB's own `read_csv` into Parquet, median of {pairs} pairs: **{found['ratio']:.2f}** "
            "(to reach: at least 0.5).",
            f"Peak memory: **{found['peak_gb']:.2f} GB** (to reach: under 1.5).",
            "",
            "| way | seconds, median | rows a second |",
            "|---|---|---|",
            f"| kit | {found['kit_seconds']:.1f} | {rows / found['kit_seconds']:,.0f} |",
            f"| DuckDB | {found['duckdb_seconds']:.1f} | {rows / found['duckdb_seconds']:,.0f} |",
        ]
    )


def measure_satisfaction(pairs: int, rows: int) -> str:
    """Return the section on the Net Promoter Score of many segments."""
    found = satisfaction.measure(satisfaction.ROWS, pairs)
    return "\n".join(
        [
            f"## Net Promoter Score of {satisfaction.SEGMENTS} segments, {satisfaction.ROWS:,} answers",
            "",
            f"Wall time against the same selection of answers in hand-written SQL, median of {pairs} pairs: "
            f"**{found['ratio']:.2f}** (to reach: at most 1.5).",
            f"Seconds, medians: kit {found['kit_seconds']:.1f}, by hand {found['hand_seconds']:.1f}.",
        ]
    )


def measure_importance(pairs: int, rows: int) -> str:
    """Return the section on relative importance."""
    found = importance.measure(pairs)
    return "\n".join(
        [
            f"## Relative importance, {importance.ROWS:,} rows, in numpy correlation matrices of the same rows",
            "",
            f"Shares of 15 attributes, median of {pairs} pairs: from a table **{found['shares_table']:.1f}**, from "
            f"a frame **{found['shares_frame']:.1f}** (to reach: at most 25).",
            f"10 attributes with 100 bootstraps: from a table **{found['bootstrap_table']:.1f}**, from a frame "
            f"**{found['bootstrap_frame']:.1f}** (to reach: at most 60).",
        ]
    )


BENCHMARKS: Mapping[str, Callable[[int, int], str]] = {
    "intake": measure_intake,
    "publishing": measure_publishing,
    "satisfaction": measure_satisfaction,
    "importance": measure_importance,
    "comments": comments.section,
    "survival": survival.section,
    "hazards": hazards.section,
    "purchase_models": purchase_models.section,
    "segments": segments.section,
    "value": value.section,
}


def main() -> None:
    """Measure what is asked for, all by default, and write RESULTS.md from the sections measured so far."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    asked.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="what to measure; all by default")
    asked.add_argument("--pairs", type=int, default=5, help="how many pairs of runs")
    asked.add_argument("--rows", type=int, default=5_000_000, help="rows of the intake file")
    options = asked.parse_args()
    BUILD.mkdir(exist_ok=True)
    kept = BUILD / "sections.json"
    sections = json.loads(kept.read_text()) if kept.is_file() else {}
    for name in options.names or BENCHMARKS:
        sections[name] = BENCHMARKS[name](options.pairs, options.rows)
    kept.write_text(json.dumps(sections))
    head = (
        f"# Results\n\nWritten by `make bench` with stammkunde {__version__} on Python {platform.python_version()}. "
        "Ratios are of one run on one machine, medians of interleaved pairs; the seconds are for orientation only.\n"
    )
    body = "\n\n".join(sections[name] for name in BENCHMARKS if name in sections)
    (HERE / "RESULTS.md").write_text(f"{head}\n{body}\n")


if __name__ == "__main__":
    main()
