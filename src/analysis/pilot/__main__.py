"""Simulate two million customers and store the truths they give."""

from __future__ import annotations

import json
from pathlib import Path

from analysis.pilot.simulated import CUSTOMERS, SEED, simulate

if __name__ == "__main__":
    text = json.dumps(simulate(CUSTOMERS, SEED), ensure_ascii=False, indent=2)
    Path(__file__).with_name("simulated.json").write_text(text + "\n", encoding="utf-8")
