"""Purchase models: fits from counts of many customers, in passes of one logarithm over the same rows, and lifetimes.

The kit's runs begin from the frame that ``purchase_summary`` returns, in one process, after a run of each that does not
count; passes of ``np.log`` over as many rows are timed around each fit. lifetimes runs where it is installed, in a
process of its own, from the same counts as weights, or from one row a customer; reading the file is not timed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.measures import bg_nbd, pareto_nbd
from analysis.measures.bg_nbd import fit_bg_nbd
from analysis.measures.inference import Floats
from analysis.measures.maximum_likelihood import FittedModel
from analysis.measures.pareto_nbd import fit_pareto_nbd
from benchmarks import peers
from benchmarks.clock import seconds

CUSTOMERS, FEWER = 1_000_000, 100_000
PURCHASE, DROPOUT = (0.553, 10.578), (0.606, 11.669)
"""Shape and rate (weeks) of the gamma distributions the customers are drawn from, near those of CDNOW."""
_FIRST_DAYS, _DAYS = 84, 39 * 7
_PASSES = 100
_BUILD = Path(__file__).parent / "build"
_GOALS = {"Pareto/NBD": 1500, "BG/NBD": 2500}
_FITS: Mapping[str, Callable[[pd.DataFrame], FittedModel]] = {"Pareto/NBD": fit_pareto_nbd, "BG/NBD": fit_bg_nbd}

_LIKELIHOODS: Mapping[str, Callable[..., Callable[[Floats], tuple[float, Floats]]]] = {
    "Pareto/NBD": pareto_nbd._likelihood,
    "BG/NBD": partial(bg_nbd._likelihood, first_chances=0),
}
_FORMS = {"weights": "counts as weights", "rows": "a row a customer"}


class Comparison(NamedTuple):
    """A model, how many customers it is fitted to, and which fitter of lifetimes it is compared to on what."""

    model: str
    customers: int
    fitter: str
    form: str
    goal: str


_COMPARISONS = (
    Comparison("Pareto/NBD", FEWER, "ParetoNBDFitter", "weights", ""),
    Comparison("Pareto/NBD", FEWER, "ParetoNBDFitter", "rows", "at least 100"),
    Comparison("BG/NBD", CUSTOMERS, "BetaGeoFitter", "weights", "at least 3"),
    Comparison("BG/NBD", CUSTOMERS, "BetaGeoFitter", "rows", "at least 30"),
)

_LIFETIMES = """
import json, sys, time, warnings
import lifetimes
import pandas as pd
warnings.simplefilter("ignore")
rows, counts = pd.read_csv(sys.argv[1]), None
if sys.argv[3] == "rows":
    rows = rows.loc[rows.index.repeat(rows["customers"])]
else:
    counts = rows["customers"]
model = getattr(lifetimes, sys.argv[2])()
begin = time.perf_counter()
model.fit(rows["frequency"], rows["recency"], rows["age"], weights=counts)
print(json.dumps({"seconds": time.perf_counter() - begin, **{name: float(p) for name, p in model.params_.items()}}))
"""


def counts(customers: int) -> pd.DataFrame:
    """Return customers who came in the first 12 of 39 weeks, counted by frequency, recency and age; always the same."""
    draw = np.random.default_rng(0)
    rate, leaving = (draw.gamma(shape, 1 / scale, customers) for shape, scale in (PURCHASE, DROPOUT))
    age = _DAYS - 1 - draw.integers(0, _FIRST_DAYS, customers)
    active = np.minimum(draw.exponential(1, customers) / leaving, age / 7)
    who = np.repeat(np.arange(customers), draw.poisson(rate * active))
    day = np.ceil(draw.random(len(who)) * active[who] * 7).astype(int)
    days = pd.DataFrame({"who": who, "day": day}).drop_duplicates().groupby("who")["day"].agg(["size", "max"])
    bought, last = days.reindex(range(customers), fill_value=0).to_numpy().T
    rows = pd.DataFrame({"frequency": bought, "recency": last / 7, "age": age / 7})
    return rows.groupby(list(rows), as_index=False).size().rename(columns={"size": "customers"})


def _passes(name: str, rows: pd.DataFrame, runs: int) -> dict[str, float]:
    """Return medians over the runs: seconds of the fit, and how many passes of np.log over as many rows it lasts."""
    numbers = rows["customers"].to_numpy(np.float64)

    def one_pass() -> float:
        return seconds(lambda: [np.log(numbers) for _pass in range(_PASSES)]) / _PASSES

    found = []
    for _run in range(runs + 1):
        before, fit, after = one_pass(), seconds(lambda: _FITS[name](rows)), one_pass()
        found.append({"seconds": fit, "passes": 2 * fit / (before + after)})
    return {key: statistics.median(run[key] for run in found[1:]) for key in found[0]}


def _against(comparison: Comparison, pairs: int) -> dict[str, float]:
    """Return how many times as long lifetimes takes, fits alternating, and how far its optimum is from ours."""
    rows, fit = counts(comparison.customers), _FITS[comparison.model]
    _BUILD.mkdir(exist_ok=True)
    file = _BUILD / f"purchases-{comparison.customers}.csv"
    rows.to_csv(file, index=False)
    command = [str(peers.PYTHON), "-c", _LIFETIMES, str(file), comparison.fitter, comparison.form]
    model, times = fit(rows), []
    for _pair in range(pairs):
        ours, theirs = seconds(lambda: fit(rows)), peers.told(command)
        times.append(theirs["seconds"] / ours)
    found = np.array([theirs[name] for name in model.params.index])
    likelihood = _LIKELIHOODS[comparison.model](*(rows[name].to_numpy(np.float64) for name in rows))
    return {
        "faster": statistics.median(times),
        "apart": float(abs(found / model.params - 1).max()),
        "below": model.loglik - likelihood(found)[0],
    }


def section(pairs: int, _rows: int) -> str:
    """Return the section on purchase models."""
    rows = counts(CUSTOMERS)
    lines = [
        f"## Purchase models from counts of {CUSTOMERS:,} customers over 39 weeks, {len(rows):,} rows",
        "",
        "| model | passes of one `np.log` over the rows | to reach: at most | milliseconds |",
        "|---|---|---|---|",
    ]
    for name, goal in _GOALS.items():
        found = _passes(name, rows, pairs)
        lines.append(f"| {name} | **{found['passes']:,.0f}** | {goal:,} | {1000 * found['seconds']:.0f} |")
    if not peers.PYTHON.is_file():
        return "\n".join(lines)
    lines += [
        "",
        "| model, customers | lifetimes is given | times as fast | to reach | its parameters differ at most by "
        "| its log-likelihood is below ours by |",
        "|---|---|---|---|---|---|",
    ]
    for one in _COMPARISONS:
        found = _against(one, pairs)
        lines.append(
            f"| {one.model}, {one.customers:,} | {_FORMS[one.form]} | **{found['faster']:,.1f}** "
            f"| {one.goal} | {found['apart']:.0e} | {found['below']:.1e} |"
        )
    return "\n".join([*lines, "", f"Medians of {pairs} pairs."])


if __name__ == "__main__":
    print(section(3, 0))
