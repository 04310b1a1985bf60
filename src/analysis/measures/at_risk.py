"""Who is at risk now: a score learnt from earlier windows and tested on the last one, for the customers of today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import ibis.expr.types as ir
import pandas as pd

from analysis.measures.features import features_as_of
from analysis.measures.forecasts import MARKS, tenths
from analysis.measures.frames import Rows, as_table, check_confidence, names
from analysis.measures.point_in_time import DAYS_A_YEAR, Tables
from analysis.measures.risk import RiskScores, Trial, check_settings, highest_first, scored, together
from analysis.measures.risk_columns import (
    ENDS_SOON,
    GONE,
    LEFT,
    OUTCOMES,
    USED,
    attributes,
    columns,
    left_out,
    with_ends,
)
from analysis.measures.risk_windows import Use, Window, ending, listed, observed, typed, within
from analysis.measures.spells import spells, spells_from_purchases

COMPUTED = "computed"
NO_LEDGER = "neither contracts nor orders"
TOO_FEW_WINDOWS = "too few windows"
TOO_FEW_LEFT = "too few left"
TOO_FEW_STAYED = "too few stayed"
ALL_ALIKE = "nothing tells customers apart"

FEWEST = 10
"""Customers who left, and as many who stayed, that training and test must hold each."""

SHOWN = ("contract_days_left", "tenure_days", "complaints_open", "nps")
"""What stands beside a risk, so that somebody can act on it."""

_WARM_UP_DAYS = 90
_ENDS = [f"{mark}{end}" for mark in (*MARKS, "auc_gain", "brier_gain") for end in ("", "_low", "_high")]


@dataclass(frozen=True)
class AtRisk:
    """Who is at risk, how good the scores are, or why there are none."""

    status: str
    """``computed``, or why not."""
    found: RiskScores | None
    """The scores and their test; None where they were not computed."""
    risks: pd.DataFrame
    """The customers with the highest risk: customer_id, risk, and those of SHOWN that there are.

    Where the scores do not order beyond doubt, the risk of each is the average. ``attrs`` hold ``n``, all customers
    present, ``expected``, how many of them are expected to leave, ``horizon`` and ``ordered``, as the summary does.
    """
    by_risk: pd.DataFrame
    """The present customers by tenth of risk, the highest first: tenth, n, risk (mean), expected, share (of these).

    ``attrs`` are those of the risks.
    """
    attributes: pd.DataFrame
    """The undated attributes: table, attribute, status (see ``risk_columns``)."""
    left_out: pd.DataFrame
    """Columns that were refused: column, auc, reason."""
    windows: pd.DataFrame
    """See ``RiskScores``."""
    summary: pd.DataFrame
    """One row: status, horizon (days), n, expected, ordered, tested (customers), fewest, source (tables, by blanks).

    ``ordered`` says whether the scores order customers better than chance beyond doubt: the AUC's interval is above .5.
    """

    @property
    def scores(self) -> pd.DataFrame:
        """See ``RiskScores``; without rows where nothing was computed."""
        return self.found.scores if self.found else pd.DataFrame(columns=["model", *_ENDS, "chosen"])

    @property
    def calibration(self) -> pd.DataFrame:
        """See ``RiskScores``; without rows where nothing was computed."""
        columns = ["tenth", "n", "left", "predicted", "observed", "low", "high"]
        return self.found.calibration if self.found else pd.DataFrame(columns=columns)


def at_risk(
    tables: Tables,
    *,
    as_of: dt.date,
    horizon: int = 90,
    constant: str | Sequence[str] = (),
    windows: int = 4,
    known_from: dt.date | None = None,
    left_ever: Rows | None = None,
    most: int = 20,
    max_rows: int = 50_000,
    bootstrap: int = 500,
    seed: int = 0,
    timezone: str = "UTC",
    confidence: float = 0.95,
) -> AtRisk:
    """Score the risk that customers present on ``as_of`` leave within ``horizon`` days, from the canonical tables.

    The test window begins ``horizon`` days before ``as_of``, the last day of which all that came is known; up to
    ``windows`` windows to learn from lie before it, one horizon apart. None begins within the first 90 days on record
    (a year, where there are orders but no contracts), when little was known of anybody; the record begins on
    ``known_from``, else with the first contract or order. Features are those of ``features_as_of`` and whether the
    contract ends within the horizon; who left is told by ``spells``, without contracts by ``spells_from_purchases``
    with a year. The model that ``risk_scores`` chooses and tests there scores the present customers as it is.

    Of the attributes in ``constant`` those are used that exist, have no date and hold none. A column that leaks is left
    out and named: a feature by ``leakage`` against who left within the horizon, an attribute also by ``left_out``
    against who has left since, for without a date it may have been written at any time up to the export. ``left_ever``
    (customer_id) are those who have left for good on record, whatever the day: it is used for that check and nothing
    else. So is a column that is the same for all in a window, as where it was not recorded yet. With fewer than 10
    customers who left, or who stayed, in training or in the test, nothing is computed. Where the AUC in the test is not
    above .5 beyond doubt, every risk is the share that left in training.

    Like ``risk_scores`` this sees rows, at most ``max_rows`` customers a window; those present on ``as_of`` are all
    read, with the columns that the model needs, for each of them has a risk.

    Columns in: as for ``features_as_of``. Returns a record ``AtRisk``; ``risks`` holds the ``most`` highest.

    Raises MeasureError for an unknown table, and a setting outside its domain.
    Source: see ``risk.risk_scores``.

    >>> person = pd.Series(range(600))
    >>> start = pd.Timestamp("2024-01-01") + pd.to_timedelta(person % 300, unit="D")
    >>> end = start + pd.to_timedelta(90 + person * 7 % 997, unit="D")
    >>> contracts = pd.DataFrame({"customer_id": person.astype(str), "start": start, "ended_on": end})
    >>> found = at_risk({"contracts": contracts}, as_of=dt.date(2026, 1, 1), bootstrap=10)
    >>> found.status, len(found.risks), found.windows["use"].tolist()
    ('computed', 20, ['train', 'train', 'train', 'train', 'test'])
    """
    check_settings("at_risk", horizon=horizon, windows=windows, most=most, max_rows=max_rows, bootstrap=bootstrap)
    check_confidence("at_risk", confidence)
    told = attributes(tables, names(constant))
    used = tuple(dict.fromkeys(told.loc[told["status"] == USED, "attribute"]))
    company = _Company(tables, as_of, horizon, used, timezone, left_ever)
    seen = [
        observed(company.window(day), use, day, outcomes=OUTCOMES, max_rows=max_rows, seed=seed)
        for use, day in company.days(windows, known_from)
    ]
    refused = left_out(seen, used, ends_known=left_ever is not None)
    features = [name for name in columns(seen) if name not in set(refused["column"])]
    status = _status(company, seen, features)
    found = scored(seen, features, Trial(horizon, bootstrap, seed, confidence, LEFT)) if status == COMPUTED else None
    everyone = company.scored(found) if found else pd.DataFrame(columns=["customer_id", "risk"])
    ordered = found is not None and _is_ordered(found)
    if found and not ordered:
        everyone = highest_first(everyone.assign(risk=together(seen)[LEFT].mean()))
    attrs = {"n": len(everyone), "expected": float(everyone["risk"].sum()), "horizon": horizon, "ordered": ordered}
    return AtRisk(
        status=status,
        found=found,
        risks=_with(everyone.head(most), attrs),
        by_risk=_with(_by_risk(everyone), attrs),
        attributes=told,
        left_out=refused,
        windows=listed(seen, LEFT),
        summary=_summary(company, status, seen, attrs),
    )


@dataclass(frozen=True)
class _Company:
    """The tables, and who was there on a day."""

    tables: Tables
    as_of: dt.date
    horizon: int
    constant: tuple[str, ...]
    timezone: str
    left_ever: Rows | None = None

    @property
    def kept_by(self) -> tuple[str, str, int] | None:
        """The table that tells who is a customer, its date, and for how long too little is known after its first."""
        kinds = (("contracts", "start", _WARM_UP_DAYS), ("transactions", "date", DAYS_A_YEAR))
        return next((kind for kind in kinds if kind[0] in self.tables), None)

    @cached_property
    def spells(self) -> ir.Table:
        if "contracts" in self.tables:
            return spells(self.tables["contracts"], self.tables.get("customers"), as_of=self.as_of)
        return spells_from_purchases(self.tables["transactions"], as_of=self.as_of, inactive_days=DAYS_A_YEAR)

    def days(self, windows: int, known_from: dt.date | None) -> list[tuple[Use, dt.date]]:
        """Return the first days of the windows, the earliest first; none where there is none to learn from."""
        if self.kept_by is None:
            return []
        table, column, warm_up = self.kept_by
        first = known_from or _reduce_first(as_table(self.tables[table]), column).execute().iloc[0, 0]
        if pd.isna(first):
            return []
        step, test = dt.timedelta(days=self.horizon), self.as_of - dt.timedelta(days=self.horizon)
        earliest = pd.Timestamp(first).date() + dt.timedelta(days=warm_up)
        most = min(windows, (test - earliest) // step)
        train = [test - number * step for number in range(most, 0, -1)]
        return [*(("train", day) for day in train), ("test", test)] if train else []

    def features(self, day: dt.date) -> ir.Table:
        found = features_as_of(self.tables, as_of=day, constant=self.constant, timezone=self.timezone)
        if "contract_days_left" not in found.columns:
            return found
        return found.mutate(**{ENDS_SOON: within(found["contract_days_left"], self.horizon - 1)})

    def window(self, day: dt.date) -> ir.Table:
        """Return features, who left within the horizon, who had by the as-of date, and who has left on record."""
        found = ending(self.features(day), self.spells, day)
        left, gone = (within(found["_ends_in"], days) for days in (self.horizon, (self.as_of - day).days))
        found = found.mutate(**{LEFT: left, GONE: gone}).drop("_ends_in")
        return with_ends(found, self.left_ever)

    def scored(self, found: RiskScores) -> pd.DataFrame:
        """Return the present customers, the highest risk first: customer_id, risk, and those of SHOWN there are."""
        table = self.features(self.as_of)
        shown = [name for name in SHOWN if name in table.columns]
        needed = dict.fromkeys([*found.model.numbers, *found.model.texts, *shown])
        frame = typed(table, list(needed)).execute()
        return highest_first(frame.assign(risk=found.model.predict(frame)))[["customer_id", "risk", *shown]]


def _reduce_first(table: ir.Table, column: str) -> ir.Table:
    return table.aggregate(first=table[column].cast("date").min())


def _status(company: _Company, seen: Sequence[Window], features: Sequence[str]) -> str:
    if company.kept_by is None:
        return NO_LEDGER
    if not seen:
        return TOO_FEW_WINDOWS
    parts = [rows[LEFT] for rows in (together(seen), seen[-1].rows)]
    if min(part.sum() for part in parts) < FEWEST:
        return TOO_FEW_LEFT
    if min((1 - part).sum() for part in parts) < FEWEST:
        return TOO_FEW_STAYED
    return COMPUTED if features else ALL_ALIKE


def _by_risk(everyone: pd.DataFrame) -> pd.DataFrame:
    found = everyone.assign(tenth=tenths(everyone["risk"])).groupby("tenth", as_index=False)
    by_tenth = found.agg(n=("risk", "size"), risk=("risk", "mean"), expected=("risk", "sum"))
    by_tenth = by_tenth.sort_values("tenth", ascending=False, ignore_index=True)
    return by_tenth.assign(share=by_tenth["expected"] / by_tenth["expected"].sum())


def _is_ordered(found: RiskScores) -> bool:
    return bool(found.scores.set_index("model").loc[found.chosen, "auc_low"] > 0.5)


def _with(frame: pd.DataFrame, attrs: Mapping[str, object]) -> pd.DataFrame:
    frame.attrs = dict(attrs)
    return frame


def _summary(company: _Company, status: str, seen: Sequence[Window], attrs: Mapping[str, object]) -> pd.DataFrame:
    row = {
        "status": status,
        "horizon": company.horizon,
        "n": attrs["n"],
        "expected": attrs["expected"],
        "ordered": attrs["ordered"],
        "tested": len(seen[-1].rows) if seen else 0,
        "fewest": FEWEST,
        "source": " ".join(company.tables),
    }
    return pd.DataFrame([row])
