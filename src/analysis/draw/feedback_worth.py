"""What ten points of Net Promoter Score go with, in leaving and in value: sentences, a table and figures."""

from __future__ import annotations

import pandas as pd

from analysis.draw import dates, names, numbers, tables, words
from analysis.draw.definitions import defined
from analysis.draw.figure_rows import figure_rows
from analysis.draw.frames import require
from analysis.draw.language import _
from analysis.draw.numbers import is_missing, show, signed
from analysis.draw.words import Sentence

_COLUMNS = (
    "outcome",
    "promoters",
    "detractors",
    "estimate",
    "low",
    "high",
    "n",
    "customers",
    "events",
    "first",
    "last",
)
_UNITS = {"leaving": "share", "value": "money"}
"""The unit of what ten points go with: leaving is told as a change of its rate."""


def ten_points(frame: pd.DataFrame) -> Sentence:
    r"""Say what ten points go with, as a relation; nothing where it cannot be told.

    Columns in: outcome (leaving, value), promoters, detractors, estimate, low,
    high, n, customers, events, first, last.

    >>> row = {"outcome": "leaving", "promoters": 0.109, "detractors": 0.175, "estimate": 0.976, "low": 0.965}
    >>> row |= {"high": 0.987, "n": 5367, "customers": 2454, "events": 502, "first": None, "last": None}
    >>> worth = row | {"outcome": "value", "estimate": 0.2, "low": -0.8, "high": 1.2, "n": 2270, "customers": 2270}
    >>> print(ten_points(pd.DataFrame([row, worth])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Zehn Punkte NPS mehr gehen mit einer um 2,4 % niedrigeren Abwanderungsrate einher (95-%-Intervall −3,5 bis −1,3 %;
    5.367 Antworten von 2.454 Personen, 502 Abgänge). Beim erwarteten Wert ist kein Zusammenhang zu erkennen: Der
    Unterschied je zehn Punkte, +0,20 € im Mittel, liegt im Zufallsbereich (95-%-Intervall −0,80 bis +1,20 €,
    n = 2.270). Das sind Zusammenhänge und keine Wirkungen: Wer zufrieden ist, kann auch aus anderen Gründen bleiben.
    """
    require("feedback_worth.ten_points", frame, _COLUMNS)
    if frame["estimate"].isna().all():
        return Sentence()
    rows = frame.set_index("outcome")
    return Sentence(" ".join([_of_leaving(rows.loc["leaving"]), _of_value(rows.loc["value"]), _caution()]))


def _caution() -> str:
    return _("These are relations and no effects: whoever is content may stay for other reasons too.")


def _of_leaving(row: pd.Series) -> str:
    if is_missing(row["estimate"]):
        return _("Too few left after an answer to tell what ten points of NPS go with in leaving.")
    if row["high"] < 1:
        text = _(
            "Ten points more of NPS go with a rate of leaving that is {by} lower ({level}\u00a0interval {interval}; "
            "{answers} answers of {customers} customers, {events} departures)."
        )
    elif row["low"] > 1:
        text = _(
            "Ten points more of NPS go with a rate of leaving that is {by} higher ({level}\u00a0interval {interval}; "
            "{answers} answers of {customers} customers, {events} departures)."
        )
    else:
        text = _(
            "No relation between NPS and leaving is to be seen: the difference in the rate by ten points, {change}, is "
            "within noise ({level}\u00a0interval {interval}; {answers} answers of {customers} customers, {events} "
            "departures)."
        )
    counts = {"answers": row["n"], "customers": row["customers"], "events": row["events"]}
    told = {name: show(value, "count") for name, value in counts.items()}
    by = show(abs(row["estimate"] - 1), "share")
    return text.format(by=by, change=_change(row), level=names.level(), interval=_interval(row), **told)


def _of_value(row: pd.Series) -> str:
    if is_missing(row["estimate"]):
        return _("Too few promoters or detractors have an expected value to compare.")
    if row["low"] > 0:
        text = _(
            "The expected value is {by} higher on average by ten points ({level}\u00a0interval {interval}, {base})."
        )
    elif row["high"] < 0:
        text = _(
            "The expected value is {by} lower on average by ten points ({level}\u00a0interval {interval}, {base})."
        )
    else:
        text = _(
            "With the expected value no relation is to be seen: the difference by ten points, {change} on average, is "
            "within noise ({level}\u00a0interval {interval}, {base})."
        )
    by, change = show(abs(row["estimate"]), "money"), _change(row)
    return text.format(by=by, change=change, level=names.level(), interval=_interval(row), base=words.base(row["n"]))


def _change(row: pd.Series) -> str:
    return signed(row["estimate"] - _nothing(row), _UNITS[str(row.name)])


def _interval(row: pd.Series) -> str:
    low, high = (row[end] - _nothing(row) for end in ("low", "high"))
    return numbers.interval(low, high, _UNITS[str(row.name)], write=signed)


def _nothing(row: pd.Series) -> int:
    """Return what the estimate is where there is no relation: a ratio of one, a difference of nothing."""
    return 1 if row.name == "leaving" else 0


def shown(frame: pd.DataFrame) -> tables.Table | Sentence:
    """Show what ten points go with, and which answers and which time that rests on; or say why it cannot be told.

    Columns in: see ``ten_points``.
    """
    require("feedback_worth.shown", frame, _COLUMNS)
    if frame.empty:
        text = _("What ten points of NPS go with cannot be told: no answers of known customers were delivered.")
        return Sentence(text)
    rows = frame[frame["estimate"].notna()].set_index("outcome")
    if rows.empty:
        text = _(
            "What ten points of NPS go with cannot be told: there are too few promoters, detractors or departures "
            "after an answer."
        )
        return Sentence(text)
    return _table(rows)


def _table(rows: pd.DataFrame) -> tables.Table | Sentence:
    headings = {"leaving": _("Departures a year under contract"), "value": _("Expected value, mean")}
    written = {"leaving": "per year", "value": "money"}
    cells = pd.DataFrame(
        [
            {
                "outcome": headings[str(name)],
                **{side: show(row[side], written[str(name)]) for side in ("promoters", "detractors")},
                "change": _change(row),
                "interval": _interval(row),
                **row[["n", "events"]],
            }
            for name, row in rows.iterrows()
        ]
    )
    columns: dict[tables.Key, tuple[str | None, str]] = {
        "outcome": ("", "plain"),
        "promoters": (None, "written"),
        "detractors": (None, "written"),
        "change": (_("Ten points more"), "written"),
        "interval": (None, "written"),
        "n": (None, "count"),
        "events": (_("Departures"), "count"),
    }
    return tables.table(cells, title=words.title("ten_points"), columns=columns, note=_rests_on(rows))


def _rests_on(rows: pd.DataFrame) -> str:
    """Say what ten points are, and which answers and which time what is told of them rests on."""
    told = [_("Ten points: as if of ten customers one went up a step, from detractor to passive or on to promoter.")]
    if "leaving" in rows.index:
        text = _(
            "Leaving: all answers from {first} to {last} that were given under contract, each from the day after it to "
            "the next one, the departure or the as-of date; compared at the same length of stay."
        )
        told.append(text.format(**_days(rows.loc["leaving"])))
    if "value" in rows.index:
        text = _(
            "Value: the latest answer of each customer whose expected value is known, from {first} to {last}; passives "
            "are not compared. Expected values know nothing of answers, so a weak relation is no surprise."
        )
        told.append(text.format(**_days(rows.loc["value"])))
    return " ".join([*told, _caution()])


def _days(row: pd.Series) -> dict[str, str]:
    return {name: dates.date(row[name]) for name in ("first", "last")}


def figures(frame: pd.DataFrame, chapter: str, *, source: str) -> pd.DataFrame:
    """Return what ten points go with as figures, as the report takes them; those that cannot be told are left out.

    Columns in: see ``ten_points``. ``source``: the tables used, by blanks.

    >>> row = dict.fromkeys(["promoters", "detractors", "customers", "events", "first", "last"])
    >>> row |= {"outcome": "leaving", "estimate": 0.976, "low": 0.965, "high": 0.987, "n": 5367}
    >>> found = figures(pd.DataFrame([row]), "churn_drivers", source="surveys contracts")
    >>> found[["id", "value", "low", "high", "n", "unit"]]
                                     id  value    low   high       n   unit
    0  churn_drivers.ten_points_leaving  0.976  0.965  0.987  5367.0  index
    """
    require("feedback_worth.figures", frame, _COLUMNS)
    names_of = {"value": "estimate", "low": "low", "high": "high", "n": "n"}
    rows = [
        {"id": f"{chapter}.ten_points_{row['outcome']}", **{name: row[of] for name, of in names_of.items()}}
        | defined(f"ten_points_{row['outcome']}")
        for row in frame.to_dict("records")
    ]
    return figure_rows(rows, source=source)
