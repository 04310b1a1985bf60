"""Comments against scikit-learn's TfidfVectorizer alone: reading, distinctive words and themes of 100,000 comments.

Each run is a process of its own; runs of the two alternate, and the medians are compared. The comments are the same at
each call: words by Zipf's law, as many a comment as customers write.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from analysis.measures import comments

COMMENTS, PAIRS = 100_000, 5
_WORDS = 30_000
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwzäöüß"))


def written(count: int) -> pd.DataFrame:
    """Return ``count`` answers with a comment each, of 17 words on average."""
    draw = np.random.default_rng(0)
    words = np.array(["".join(draw.choice(_LETTERS, length)) for length in draw.integers(3, 14, _WORDS)])
    chance = 1 / np.arange(1, _WORDS + 1)
    lengths = np.maximum(1, draw.lognormal(2.6, 0.7, count).astype(int))
    chosen = draw.choice(words, lengths.sum(), p=chance / chance.sum())
    return pd.DataFrame(
        {
            "response_id": [f"R{number}" for number in range(count)],
            "customer_id": draw.integers(0, count, count).astype(str),
            "comment": [" ".join(part) for part in np.split(chosen, np.cumsum(lengths)[:-1])],
            "nps": draw.integers(1, 11, count),
        }
    )


def _kit(answers: pd.DataFrame) -> None:
    said = comments.read(answers, scale=(1, 10))
    comments.distinctive_words(said)
    comments.themes(said)


def _sklearn(answers: pd.DataFrame) -> None:
    TfidfVectorizer().fit_transform(answers["comment"].tolist())


_RUNS: dict[str, Callable[[pd.DataFrame], None]] = {"kit": _kit, "sklearn": _sklearn}


def _run_here(name: str, count: int) -> dict[str, float]:
    """Run one of the two in this process, and return its seconds and the peak of memory in MB."""
    answers = written(count)
    begin = time.perf_counter()
    _RUNS[name](answers)
    seconds = time.perf_counter() - begin
    # getrusage would tell the parent's peak, where that is greater: a process inherits it
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return {"seconds": seconds, "peak_mb": peak_kb / 1024}


def _run(name: str, count: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, name, str(count)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(count: int, pairs: int) -> dict[str, float]:
    """Return medians over ``pairs`` runs of each: seconds of either, the ratio of them, and our peak memory in GB.

    Importing the libraries is in neither time, nor is making the comments.
    """
    runs = [{name: _run(name, count) for name in _RUNS} for _ in range(pairs)]
    return {
        "kit_seconds": statistics.median(run["kit"]["seconds"] for run in runs),
        "sklearn_seconds": statistics.median(run["sklearn"]["seconds"] for run in runs),
        "ratio": statistics.median(run["kit"]["seconds"] / run["sklearn"]["seconds"] for run in runs),
        "peak_gb": max(run["kit"]["peak_mb"] for run in runs) / 1024,
    }


def section(pairs: int, _rows: int) -> str:
    """Return the section on comments."""
    found = measure(COMMENTS, pairs)
    return "\n".join(
        [
            f"## Distinctive words and themes of {COMMENTS:,} comments",
            "",
            f"Time against scikit-learn's `TfidfVectorizer` alone, median of {pairs} pairs: **{found['ratio']:.2f}** "
            "(to reach: at most 3).",
            f"Peak memory: **{found['peak_gb']:.2f} GB** (to reach: under 2).",
            "",
            "| way | seconds, median |",
            "|---|---|",
            f"| kit | {found['kit_seconds']:.1f} |",
            f"| scikit-learn | {found['sklearn_seconds']:.1f} |",
        ]
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_run_here(sys.argv[1], int(sys.argv[2]))))
    else:
        print(json.dumps(measure(COMMENTS, PAIRS), indent=1))
