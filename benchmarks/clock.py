"""How long a piece of work takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of the work."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
