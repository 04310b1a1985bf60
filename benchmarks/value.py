"""Customer values with intervals against fit and prediction without them, and what order lines cost.

All begin from a ledger in Parquet; each run is a process of its own whose engine is one as a report opens it. Without
intervals: purchase and spend histories, one row a customer, are fetched, BG/NBD and gamma-gamma fitted, and purchases
times spend foretold. Costs are processor time, which other work on the machine does not lengthen.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import ibis
import ibis.expr.types as ir
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from analysis.measures.net_value import worth_today
from analysis.measures.purchase_models import fit_bg_nbd, fit_gamma_gamma
from analysis.measures.purchase_summary import purchase_history, purchase_summary, spend_history
from analysis.measures.purchase_value import purchase_values
from analysis.measures.value import customer_value
from benchmarks import ledger, peers
from benchmarks.clock import seconds

CUSTOMERS = 1_000_000
LINES = (1_000_000, 5_000_000, 20_000_000, 50_000_000)
PICTURE = Path(__file__).parent / "cost.svg"
_AS_OF = ledger.END + dt.timedelta(days=1)
_MONTHS, _DISCOUNT, _DRAWS = 12, 0.1, 100
_WEEKS = 365.25 / 7
_RFM = ["frequency", "recency", "age"]
_BUILD = Path(__file__).parent / "build"
_NAMES = {"value": "customer_value", "summary": "purchase_summary"}


def _rows(table: ir.Table) -> pd.DataFrame:
    """Return one row a customer: frequency, recency, age, mean_spend."""
    bought, spent = purchase_history(table, end=ledger.END), spend_history(table, end=ledger.END)
    rows: pd.DataFrame = bought.join(spent.drop("frequency"), "customer_id").select(*_RFM, "mean_spend").execute()
    return rows


def _counted(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    return rows.groupby(by, as_index=False).size().rename(columns={"size": "customers"})


def _foretold(rows: pd.DataFrame) -> pd.Series:
    model = fit_bg_nbd(_counted(rows, _RFM))
    spend = fit_gamma_gamma(_counted(rows[rows["frequency"] > 0], ["frequency", "mean_spend"]))
    foretold: pd.Series = model.predict(rows, horizon=_WEEKS)["expected_purchases"]
    return foretold * spend.predict(rows)["expected_spend"]


def _with_intervals(rows: pd.DataFrame) -> None:
    spends = _counted(rows[rows["frequency"] > 0], ["frequency", "mean_spend"])
    purchase_values(
        rows.assign(service=0.0, group=0),
        fit_bg_nbd(_counted(rows, _RFM)),
        fit_gamma_gamma(spends),
        spends,
        ratios=np.ones(1),
        worth=worth_today(_MONTHS, _DISCOUNT, "end"),
        timing="end",
        draws=_DRAWS,
        seed=0,
        confidence=0.95,
    )


def _value(table: ir.Table) -> int:
    tables = {"transactions": table}
    return customer_value(tables, as_of=_AS_OF, months=_MONTHS, discount=_DISCOUNT, draws=_DRAWS).n


_RUNS: Mapping[str, Callable[[ir.Table], int]] = {
    "value": _value,
    "without": lambda table: len(_foretold(_rows(table))),
    "summary": lambda table: int(purchase_summary(table, end=ledger.END)["customers"].sum()),
}


def _told(way: str, file: str) -> dict[str, float]:
    """Run one of the ways in this process, and say what it took."""
    table = ibis.duckdb.connect().read_parquet(file)
    if way == "rows":
        rows = _rows(table)
        return {"without": seconds(lambda: _foretold(rows)), "value": seconds(lambda: _with_intervals(rows))}
    begin, busy = time.perf_counter(), time.process_time()
    customers = _RUNS[way](table)
    took = {"seconds": time.perf_counter() - begin, "processor": time.process_time() - busy}
    return {**took, "peak_gb": peers.peak_mb() / 1024, "customers": customers}


def _run(way: str, file: Path) -> dict[str, float]:
    return peers.told([sys.executable, "-m", "benchmarks.value", way, str(file)])


def _against(pairs: int) -> list[str]:
    """Return what is to be said of intervals."""
    file = _BUILD / "ledger.parquet"
    ledger.write(file, round(CUSTOMERS * ledger.LINES_A_CUSTOMER))
    runs = [{way: _run(way, file) for way in ("value", "without", "rows")} for _pair in range(pairs)]
    lines = ledger.lines(file)
    file.unlink()
    ratios = {
        what: statistics.median(run["value"][what] / run["without"][what] for run in runs)
        for what in ("seconds", "processor")
    }
    rows = statistics.median(run["rows"]["value"] / run["rows"]["without"] for run in runs)
    took = {way: statistics.median(run[way]["seconds"] for run in runs) for way in ("value", "without")}
    return [
        f"## Customer values with intervals, {runs[0]['value']['customers']:,} customers, from {lines:,} order lines",
        "",
        f"Wall time in that of fit and prediction without intervals, median of {pairs} pairs: "
        f"**{ratios['seconds']:.1f}** (to reach: at most 10); processor time: {ratios['processor']:.1f}.",
        f"Both from one row a customer in memory, without what the engine does: {rows:.1f}.",
        f"Peak memory: **{max(run['value']['peak_gb'] for run in runs):.2f} GB** (to reach: under 2).",
        f"Seconds, medians: with intervals {took['value']:.1f}, without {took['without']:.1f}.",
    ]


def _costs(runs: int) -> pd.DataFrame:
    """Return one row a ledger and measure: lines, customers, way, medians of seconds and processor, peak_gb."""
    found, file = [], _BUILD / "ledger.parquet"
    for size in LINES:
        ledger.write(file, size)
        told = [{"lines": ledger.lines(file), "way": way} | _run(way, file) for way in _NAMES for _run_ in range(runs)]
        found.append(pd.DataFrame(told).groupby(["lines", "way"], as_index=False).median())
        file.unlink()
    return pd.concat(found, ignore_index=True)


def _draw(costs: pd.DataFrame) -> None:
    """Draw the picture: processor time over lines, both on scales of powers, with a line of proportion."""
    with mpl.rc_context({"svg.hashsalt": "cost", "font.size": 9, "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
        for way, colour in zip(_NAMES, ("#1f4e79", "#c55a11"), strict=True):
            of_way = costs[costs["way"] == way]
            million, processor = of_way["lines"] / 1e6, of_way["processor"]
            axes.plot(million, processor, marker="o", color=colour)
            axes.annotate(
                _NAMES[way], (million.iat[-2], processor.iat[-2]), (0, 8), textcoords="offset points", ha="right"
            )
            axes.plot(million, processor.iat[-1] / million.iat[-1] * million, color=colour, lw=0.8, ls=":")
        axes.set(xscale="log", yscale="log", xlabel="million order lines", ylabel="processor time, seconds")
        axes.set_xticks([size / 1e6 for size in LINES], [f"{size / 1e6:.0f}" for size in LINES], minor=False)
        axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        axes.yaxis.set_major_formatter(mpl.ticker.FormatStrFormatter("%g"))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title("Cost against order lines; dotted: in proportion to them", loc="left", fontsize=9)
        figure.savefig(PICTURE, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def _growth(costs: pd.DataFrame) -> str:
    """Say how cost grows from the second ledger to the last."""
    wide = costs.pivot(index="lines", columns="way", values="processor").iloc[[1, -1]]
    times = wide.iloc[1] / wide.iloc[0]
    said = " and ".join(f"`{name}` takes **{times[way]:.1f}** times" for way, name in _NAMES.items())
    few, many = wide.index / 1e6
    return f"From {few:.0f} to {many:.0f} million lines, {many / few:.1f} times as many, cost grows: {said} as much."


def section(pairs: int, _rows: int) -> str:
    """Return the section on customer values and on cost against rows; draw the picture beside it."""
    against = _against(pairs)
    costs = _costs(min(pairs, 3))
    _draw(costs)
    lines = [
        "## Cost against order lines",
        "",
        f"![Processor time against order lines]({PICTURE.name})",
        "",
        _growth(costs),
        "",
        "| order lines | customers | measure | processor time, seconds | seconds | peak memory, GB |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row.lines:,} | {row.customers:,.0f} | {_NAMES[row.way]} | {row.processor:.1f} | {row.seconds:.1f} "
            f"| {row.peak_gb:.2f} |"
            for row in costs.itertuples()
        ),
    ]
    return "\n".join([*against, "", *lines])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_told(sys.argv[1], sys.argv[2])))
    else:
        print(section(3, 0))
