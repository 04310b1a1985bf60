"""How satisfied customers are, and whether that changed: what the chapter on satisfaction calls."""

from analysis.measures.comparison import against_rest, compare
from analysis.measures.levels import levels
from analysis.measures.nps import nps, nps_distribution
from analysis.measures.nps_trend import nps_trend
from analysis.measures.ratings import ces, csat, distribution, ratings
from analysis.measures.touchpoints import journey_stage, touchpoints

__all__ = [
    "against_rest",
    "ces",
    "compare",
    "csat",
    "distribution",
    "journey_stage",
    "levels",
    "nps",
    "nps_distribution",
    "nps_trend",
    "ratings",
    "touchpoints",
]
