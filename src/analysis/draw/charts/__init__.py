"""Charts: tidy frame to Chart. An empty frame gives the sentence that there are no data.

Every chart takes its title from the caller, who states the finding or the base and n there, and writes its own text
alternative from the frame. No chart changes the frame it is handed.
"""

from analysis.draw.canvas import Chart
from analysis.draw.charts.bonds import bond_mix
from analysis.draw.charts.calibration import calibration
from analysis.draw.charts.clusters import clusters
from analysis.draw.charts.curves import lorenz, survival
from analysis.draw.charts.departures import incidence, reasons
from analysis.draw.charts.forecasts import forecasts, tracking
from analysis.draw.charts.intervals import answerers, differences, forest, intervals, touchpoints
from analysis.draw.charts.margins import contributions
from analysis.draw.charts.migration import migration
from analysis.draw.charts.opposed import opposed
from analysis.draw.charts.quadrants import importance_performance
from analysis.draw.charts.shares import abc_bars, distribution, stacked_shares
from analysis.draw.charts.tiles import quality, rfm_map
from analysis.draw.charts.trends import trend
from analysis.draw.charts.triangle import retention
from analysis.draw.charts.value import value_spread

__all__ = [
    "Chart",
    "abc_bars",
    "answerers",
    "bond_mix",
    "calibration",
    "clusters",
    "contributions",
    "differences",
    "distribution",
    "forecasts",
    "forest",
    "importance_performance",
    "incidence",
    "intervals",
    "lorenz",
    "migration",
    "opposed",
    "quality",
    "reasons",
    "retention",
    "rfm_map",
    "stacked_shares",
    "survival",
    "touchpoints",
    "tracking",
    "trend",
    "value_spread",
]
