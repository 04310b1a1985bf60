"""What customers spend on a purchase day: the gamma-gamma model, from counts by frequency and mean spend.

A customer's purchase days bring gamma amounts with shape p and a rate of their own, which is gamma with shape q and
rate v over customers; how often they buy says nothing about it. With x repeat purchase days of mean z the likelihood is
1 / (z · B(px, q)) · (v / (v + xz))^q · (xz / (v + xz))^(px).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from analysis.errors import MeasureError
from analysis.measures.inference import Floats, two_sided
from analysis.measures.maximum_likelihood import FittedModel, fit
from analysis.measures.model_rows import are_counts, customers_of, dot, numbers, refuse

MODEL = "fit_gamma_gamma"
NAMES = ("p", "q", "v")
_SIGNIFICANT = 0.05
_CONSTANT = 1e-9
"""Share of the means under which what varies is rounding."""


@dataclass(frozen=True, eq=False)
class GammaGamma(FittedModel):
    """A fitted gamma-gamma model, in the currency of the summary it was fitted on.

    ``left_out`` counts repeat buyers whose mean spend is not above 0, for whom the model does not hold.
    ``correlation`` is that of frequency and mean spend over customers, which the model takes to be none, and
    ``correlation_p`` its two-sided p, valid where the spread of spend changes with frequency; missing where one of them
    does not vary.
    """

    left_out: int
    correlation: float
    correlation_p: float

    @property
    def mean_spend(self) -> float:
        """Return the mean over customers of what they spend on a purchase day; missing where q is not above 1."""
        p, q, v = self.params
        return float(p * v / (q - 1)) if q > 1 else np.nan

    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return for each row of frequency and mean spend what the customer can be expected to spend a purchase day.

        ``frequency`` counts the days of ``mean_spend``; where it is 0 the mean over customers is expected. Columns out:
        expected_spend; missing where mean spend is not above 0, or an expectation does not exist. The index is that of
        ``customers``. Raises MeasureError for an absent column and values outside their domain.
        """
        frequency, mean_spend = _checked(customers)
        p, q, v = self.params
        spent = np.where(frequency > 0, mean_spend, 0) * frequency
        weight = p * frequency + q - 1
        holds = (weight > 0) & ((mean_spend > 0) | (frequency == 0))
        expected = np.divide(p * (v + spent), weight, out=np.full(len(weight), np.nan), where=holds)
        return pd.DataFrame({"expected_spend": expected}, index=customers.index)


def fit_gamma_gamma(spend_summary: pd.DataFrame) -> GammaGamma:
    """Fit what customers spend on a purchase day, from counts of repeat buyers who look alike.

    Columns in: ``frequency`` (repeat purchase days, the first one left out), ``mean_spend`` (money a repeat purchase
    day), ``customers`` (how many), as ``spend_summary`` gives them. Rows with frequency 0 tell nothing of spend and are
    passed over; repeat buyers with a mean spend of 0 and below are left out and counted.

    Raises MeasureError for an absent column, values outside their domain and where there are no repeat buyers.
    Source: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, note 25, brucehardie.com; the test of the
    correlation: White (1980), Econometrica 48, 817-838.

    >>> means = [12.0, 35.0, 90.0, 18.0, 60.0, 20.0, 55.0]
    >>> spend = pd.DataFrame({"frequency": [1, 1, 1, 4, 4, 9, 9], "mean_spend": means, "customers": 10})
    >>> fit_gamma_gamma(spend).predict(pd.DataFrame({"frequency": [0, 3], "mean_spend": [None, 80.0]})).round(2)
       expected_spend
    0           41.68
    1           70.52
    """
    frequency, mean_spend = _checked(spend_summary)
    customers = customers_of(MODEL, spend_summary)
    repeats = (frequency > 0) & (customers > 0)
    kept = repeats & (mean_spend > 0)
    if not kept.any():
        raise MeasureError(MODEL, "there are no repeat buyers with a mean spend above 0", "Take a longer period")
    rows = frequency[kept], mean_spend[kept], customers[kept]
    n = customers[kept].sum()
    fitted = fit(_likelihood(*rows), _starts(dot(rows[1], rows[2]) / n), NAMES, model=MODEL, n=round(n))
    correlation, p = _correlation(*rows)
    notes = (*fitted.notes, *_no_mean(fitted.params["q"]), *_correlated(correlation, p))
    left_out = round(customers[repeats & ~kept].sum())
    return GammaGamma(replace(fitted, notes=notes), left_out, correlation, p)


def _checked(rows: pd.DataFrame) -> list[Floats]:
    """Return frequency, mean_spend."""
    frequency, mean_spend = found = numbers(MODEL, rows, "frequency", "mean_spend")
    refuse(
        MODEL,
        {
            "a frequency that is no whole number from 0 on": ~are_counts(frequency),
            "repeat purchase days without a finite mean spend": (frequency > 0) & ~np.isfinite(mean_spend),
        },
    )
    return found


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """The log-likelihood and its gradient; beta terms are taken once a frequency, of which ``counted`` have each.

    ``spent`` is the sum of a customer's repeat purchase days, ``log_spent`` and ``log_means`` sums over customers.
    """

    frequency: Floats
    spent: Floats
    customers: Floats
    log_spent: float
    log_means: float
    frequencies: Floats
    counted: Floats

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        p, q, v = theta
        shapes, n = p * self.frequencies, self.counted.sum()
        share = self.customers * np.log1p(v / self.spent)
        of_days, level = dot(share, self.frequency), n * np.log(v) - self.log_spent - share.sum()
        whole = special.digamma(shapes + q)
        value = q * level - p * of_days - self.log_means - dot(self.counted, special.betaln(shapes, q))
        gradient = [
            dot(self.counted * self.frequencies, whole - special.digamma(shapes)) - of_days,
            dot(self.counted, whole) - n * special.digamma(q) + level,
            n * q / v - dot(self.customers, (p * self.frequency + q) / (v + self.spent)),
        ]
        return float(value), np.array(gradient)


def _likelihood(frequency: Floats, mean_spend: Floats, customers: Floats) -> _Likelihood:
    places, frequencies = pd.factorize(frequency, sort=True)
    return _Likelihood(
        frequency=frequency,
        spent=frequency * mean_spend,
        customers=customers,
        log_spent=dot(customers, np.log(frequency * mean_spend)),
        log_means=dot(customers, np.log(mean_spend)),
        frequencies=frequencies,
        counted=np.bincount(places, customers).astype(np.float64),
    )


def _starts(mean: float) -> list[list[float]]:
    """Return parameters near which to begin, all with about this mean over customers."""
    return [[p, q, mean * (q - 1) / p] for p, q in ((6.0, 4.0), (1.0, 2.0), (3.0, 12.0))]


def _no_mean(q: float) -> tuple[str, ...]:
    return () if q > 1 else ("q is not above 1: so few spend so much that the mean over customers does not exist.",)


def _correlated(correlation: float, p: float) -> tuple[str, ...]:
    if not p < _SIGNIFICANT:
        return ()
    how = "more" if correlation > 0 else "less"
    return (
        f"Who buys more often spends {how} on a purchase day (correlation {correlation:.2f}, p {p:.2g}): "
        "the model takes frequency and spend as independent.",
    )


def _correlation(frequency: Floats, mean_spend: Floats, customers: Floats) -> tuple[float, float]:
    """Return Pearson's correlation over customers, and its p from the squares of the products that make it up."""
    share = customers / customers.sum()
    days, spend = (values - dot(share, values) for values in (frequency, mean_spend))
    spread = np.sqrt(dot(share, days**2) * dot(share, spend**2))
    if not spread > _CONSTANT * dot(share, frequency) * dot(share, mean_spend):
        return np.nan, np.nan
    product = dot(customers, days * spend)
    z = product / np.sqrt(dot(customers, (days * spend) ** 2))
    return product / customers.sum() / spread, float(two_sided(z))
