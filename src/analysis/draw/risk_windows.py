"""Which windows a risk was learnt from and tested on, and where only a sample of their customers was read."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.numbers import said, show
from analysis.draw.words import Sentence


def windows(frame: pd.DataFrame, summary: pd.DataFrame) -> Sentence:
    r"""Say when the windows began, and in which a sample was drawn; nothing where nothing was computed.

    Columns in: use (train, test), as_of (first day), customers (present then), used (of these); of ``summary`` status
    and horizon (days).

    >>> days = pd.to_datetime(["2025-10-03", "2026-01-01", "2026-04-01"])
    >>> frame = pd.DataFrame({"use": ["train", "train", "test"], "as_of": days, "customers": 2500, "used": 2500})
    >>> told = windows(frame, pd.DataFrame({"status": ["computed"], "horizon": [90]}))
    >>> print(told.replace("\xa0", " "))
    Gelernt ist an Zeiträumen von 90 Tagen ab 03.10.2025 und 01.01.2026, geprüft an dem ab 01.04.2026.
    """
    require("risks.windows", frame, ("use", "as_of", "customers", "used"))
    require("risks.windows", summary, ("status", "horizon"))
    if summary["status"].iloc[0] != "computed":
        return Sentence()
    begins = {str(use): _listed(days) for use, days in frame.groupby("use")["as_of"]}
    text = _("Learnt from windows of {horizon} that begin on {train}, tested on that of {test}.")
    horizon = said(summary["horizon"].iloc[0], "days", dative=True)
    drawn = frame[frame["used"] < frame["customers"]]
    return Sentence(" ".join([text.format(horizon=horizon, **begins), *_sampled(drawn)]))


def _sampled(drawn: pd.DataFrame) -> list[str]:
    if drawn.empty:
        return []
    text = _("Not all customers were read of those of {days}, but a sample of {used} each, drawn by a fixed rule.")
    return [text.format(days=_listed(drawn["as_of"]), used=show(drawn["used"].max(), "count"))]


def _listed(days: pd.Series) -> str:
    *earlier, last = [dates.date(day) for day in days.sort_values()]
    return _("{listed} and {last}").format(listed=", ".join(earlier), last=last) if earlier else last
