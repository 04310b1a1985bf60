"""How often customers buy, when they leave unseen and what they spend: the purchase models and their summaries."""

from analysis.measures.bg_bb import BgBb, fit_bg_bb
from analysis.measures.bg_nbd import BgNbd, fit_bg_nbd, fit_mbg_nbd
from analysis.measures.gamma_gamma import GammaGamma, fit_gamma_gamma
from analysis.measures.pareto_nbd import ParetoNbd, fit_pareto_nbd
from analysis.measures.purchase_summary import (
    opportunity_summary,
    purchase_history,
    purchase_summary,
    purchase_totals,
    spend_history,
    spend_summary,
)
from analysis.measures.purchase_tracking import expected_by_time

__all__ = [
    "BgBb",
    "BgNbd",
    "GammaGamma",
    "ParetoNbd",
    "expected_by_time",
    "fit_bg_bb",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "fit_pareto_nbd",
    "opportunity_summary",
    "purchase_history",
    "purchase_summary",
    "purchase_totals",
    "spend_history",
    "spend_summary",
]
