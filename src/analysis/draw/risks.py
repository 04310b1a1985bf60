"""Who is at risk: sentences, tables and figures on the scores, how good they are, and what they rest on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from analysis.draw import left_out, names, risk_windows, tables, words
from analysis.draw.customer_lists import listed
from analysis.draw.definitions import defined
from analysis.draw.frames import require
from analysis.draw.language import _, mark
from analysis.draw.numbers import MISSING, interval, is_missing, said, show
from analysis.draw.small_cells import hidden
from analysis.draw.tables import Key, Table
from analysis.draw.words import Findings, Sentence
from analysis.vocabulary import SMALL_CELL

attributes, windows = left_out.attributes, risk_windows.windows

_MODELS = {
    "logistic": mark("logistic regression"),
    "boosting": mark("decision trees (gradient boosting)"),
    "base rate": mark("average of all"),
    "contract ends": mark("contract ends soon"),
}
_FIGURE = ["id", "value", "low", "high", "n", "unit", "definition", "source"]
_ENDS = ("", "_low", "_high")
_MARKS = {"auc": 2, "brier": 4, "slope": 2, "lift": 2}
"""What is said of a model, and with how many decimals."""

_WHY = {
    "neither contracts nor orders": mark("neither contracts nor orders were delivered"),
    "too few windows": mark(
        "the time on record is too short to learn from one window of {horizon} and test on another"
    ),
    "too few left": mark("fewer than {fewest} customers left in the windows to learn from or in the one to test on"),
    "too few stayed": mark(
        "fewer than {fewest} customers stayed in the windows to learn from or in the one to test on"
    ),
    "nothing tells customers apart": mark("nothing on record tells customers apart"),
}

_BESIDE = {
    "contract_days_left": (mark("Days to the end of the full term"), "days"),
    "tenure_days": (None, "days"),
    "complaints_open": (None, "count"),
    "nps": (mark("NPS answer"), "count"),
}


def outlook(summary: pd.DataFrame, scores: pd.DataFrame) -> Sentence:
    r"""Say how many are expected to leave, and how much more often those with the highest risk did; or why not.

    Columns in: of ``summary`` status, horizon (days), n, expected, ordered (whether the scores order customers beyond
    chance), tested, fewest, in one row; of ``scores`` lift, lift_low, lift_high, chosen.

    >>> row = {"status": "computed", "horizon": 90, "n": 2675, "expected": 94.2, "tested": 2639, "fewest": 10}
    >>> row["ordered"] = True
    >>> scores = pd.DataFrame({"lift": [2.79], "lift_low": [1.97], "lift_high": [3.72], "chosen": [True]})
    >>> print(outlook(pd.DataFrame([row]), scores).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    In den nächsten 90 Tagen werden voraussichtlich etwa 94 von 2.675 Kundinnen und Kunden gehen (3,5 %). In der
    Prüfung ging das Zehntel mit dem höchsten Risiko 2,79-mal so oft wie der Durchschnitt (95-%-Intervall 1,97 bis 3,72,
    n = 2.639).
    """
    require("risks.outlook", summary, ("status", "horizon", "n", "expected", "ordered", "tested", "fewest"))
    row = summary.iloc[0]
    horizon = said(row["horizon"], "days", dative=True)
    if row["status"] != "computed":
        text = _WHY[row["status"]]
        why = _(text).format(horizon=horizon, fewest=show(row["fewest"], "count"))
        return Sentence(_("Who is at risk cannot be told: {why}.").format(why=why))
    require("risks.outlook", scores, ("lift", "lift_low", "lift_high", "chosen"))
    own, share = _chosen(scores), show(row["expected"] / row["n"], "share")
    counts = {name: show(row[name], "count") for name in ("expected", "n")}
    if not row["ordered"]:
        text = _(
            "As often as customers left before, about {expected} of {n} leave within the next {horizon} ({share}). Who "
            "that will be cannot be told: the scores do not order customers better than chance beyond doubt."
        )
        return Sentence(text.format(horizon=horizon, share=share, **counts))
    text = _("Within the next {horizon} about {expected} of {n} customers are expected to leave ({share}).")
    more = _("In the test the tenth with the highest risk left {lift} times as often as the average ({bracket}).")
    bracket = words.bracket(own["lift_low"], own["lift_high"], "index", words.base(row["tested"]))
    told = text.format(horizon=horizon, share=share, **counts)
    return Sentence(f"{told} {more.format(lift=show(own['lift'], 'index'), bracket=bracket)}")


def quality(scores: pd.DataFrame, calibration: pd.DataFrame) -> Findings | Sentence:
    r"""Say whether the score is better than chance, than a simple rule and than the average, and how near it came.

    Nothing is said where nothing was computed. Columns in: of ``scores`` model, auc, slope, auc_gain, brier_gain, each
    with its ends, chosen; of ``calibration`` n, left, predicted.

    >>> ends = {"auc_low": 0.64, "auc_high": 0.75, "slope": 0.8, "slope_low": 0.58, "slope_high": 1.02}
    >>> gains = {"auc_gain_low": [0, 0.14], "brier_gain_low": [0, -0.01], "auc_gain_high": 0, "brier_gain_high": 0.02}
    >>> scores = pd.DataFrame({"model": ["logistic", "base rate"], "auc": 0.695, **ends, **gains})
    >>> calibration = pd.DataFrame({"n": [1000, 1000], "left": [30, 80], "predicted": [0.02, 0.07]})
    >>> for sentence in quality(scores.assign(chosen=[True, False]), calibration).sentences:
    ...     print(sentence.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Die Risikowerte ordnen die Kundinnen und Kunden gesichert besser als der Zufall: Von einer Person, die ging, und
    einer, die blieb, hatte in 69,5 % der Fälle die gegangene das höhere Risiko (95-%-Intervall 64,0 bis 75,0 %); beim
    Raten wäre es die Hälfte.
    Die einzelnen Risiken liegen nicht gesichert näher am tatsächlichen Verlauf als ein Durchschnittsrisiko für alle.
    Verlässlicher als die Höhe eines einzelnen Risikos ist die Rangfolge.
    In der Prüfung waren 90 Abgänge vorhergesagt, eingetreten sind 110.
    """
    ends = [f"{name}_{end}" for name in ("auc_gain", "brier_gain", "slope", "auc") for end in ("low", "high")]
    require("risks.quality", scores, ("model", "auc", "slope", "chosen", *ends))
    require("risks.quality", calibration, ("n", "left", "predicted"))
    if scores.empty:
        return Sentence()
    own, others = _chosen(scores), scores.set_index("model")
    told = [_against_chance(own)]
    if "contract ends" in others.index:
        told.append(_against_rule(others.loc["contract ends"]))
    return words.findings([*told, _against_average(others.loc["base rate"], own), _nearness(own, calibration)])


def _chosen(scores: pd.DataFrame) -> pd.Series:
    return scores[scores["chosen"].astype(bool)].iloc[0]


def _against_chance(own: pd.Series) -> str:
    better = _("The scores order customers better than chance, beyond doubt")
    verdict = better if own["auc_low"] > 0.5 else _("The scores do not order customers better than chance beyond doubt")
    text = _(
        "{verdict}: of one who left and one who stayed, the one who left had the higher risk in {auc} of all cases "
        "({bracket}); by guessing it would be half."
    )
    ends = words.bracket(own["auc_low"], own["auc_high"], "share")
    return text.format(verdict=verdict, auc=show(own["auc"], "share"), bracket=ends)


def _against_rule(rule: pd.Series) -> str:
    if rule["auc_gain_low"] > 0:
        return _("It is beyond chance better than the simple rule that those leave whose contract ends soon.")
    if rule["auc_gain_high"] < 0:
        return _("The simple rule that those leave whose contract ends soon is better beyond chance: use the rule.")
    return _("It is not better beyond chance than the simple rule that those leave whose contract ends soon.")


def _against_average(average: pd.Series, own: pd.Series) -> str:
    if average["brier_gain_low"] > 0:
        return _("The single risks come nearer to what happened than the same average risk for all, beyond chance.")
    same = _("The single risks do not come nearer to what happened than the same average risk for all beyond chance.")
    order = _("The order is more reliable than the height of a single risk.")
    return f"{same} {order}" if own["auc_low"] > 0.5 else same


def _nearness(own: pd.Series, calibration: pd.DataFrame) -> str:
    predicted, left = (calibration["n"] * calibration["predicted"]).sum(), calibration["left"].sum()
    text = _("In the test {predicted} customers were predicted to leave, and {left} did.").format(
        predicted=show(predicted, "count"), left=show(left, "count")
    )
    if own["slope_high"] < 1:
        text += " " + _("High risks were too high and low ones too low.")
    if own["slope_low"] > 1:
        text += " " + _("High risks were too low and low ones too high.")
    return text


def marks(scores: pd.DataFrame) -> Table | Sentence:
    """Show how good each model is, with intervals, and how to read it; nothing where nothing was computed.

    Columns in: model, auc, brier, slope, lift, each with _low and _high, chosen.
    """
    require("risks.marks", scores, ("model", "chosen", *(f"{name}{end}" for name in _MARKS for end in _ENDS)))
    if scores.empty:
        return Sentence()
    rows = [_marked(row, name) for name in _MARKS for row in scores.to_dict("records") if not is_missing(row[name])]
    title, columns = names.column("risk_marks"), ["measure", "model", "value", "interval"]
    return tables.table(pd.DataFrame(rows), title=title, columns=columns, note=_how_to_read())


def _marked(row: dict[Hashable, Any], name: str) -> dict[str, str]:
    def write(value: Any, unit: str) -> str:
        return show(value, unit, places=_MARKS[name])

    value, low, high = (row[f"{name}{end}"] for end in _ENDS)
    text = _MODELS[row["model"]]
    model = _(text)
    return {
        "measure": names.column(name),
        "model": _("{model} (used)").format(model=model) if row["chosen"] else model,
        "value": write(value, "index"),
        "interval": MISSING
        if write(low, "index") == write(high, "index")
        else interval(low, high, "index", write=write),
    }


def _how_to_read() -> str:
    text = _(
        "Discrimination (AUC): how often, of one who left and one who stayed, the "
        "one who left had the higher risk; {half} is guessing. Error: mean squared distance between risk and what "
        "happened (Brier); less is better. Slope: {one} where risks are neither too bold (below) nor too timid "
        "(above). Lift: how many times as often as the average the tenth with the highest risk left."
    )
    return text.format(half=show(0.5, "points"), one=show(1, "count"))


def at_risk_list(risks: pd.DataFrame, *, internal: bool, sheet: str = "", most: int = 20) -> Table | Sentence:
    """List the customers with the highest risk, in internal reports only; nothing where nothing was computed.

    Columns in: customer_id, risk, and where there are any contract_days_left, tenure_days, complaints_open, nps;
    ``attrs`` say ``n``, of how many, ``horizon``, within how many days, and ``ordered``: where the scores do not order
    customers beyond chance there is no list. ``sheet`` names the sheet of the workbook that holds all.
    """
    require("risks.at_risk_list", risks, ("customer_id", "risk"))
    if risks.empty:
        return Sentence()
    if not risks.attrs["ordered"]:
        return Sentence(_("There is no list of those with the highest risk, for the scores do not tell them reliably."))
    columns: dict[Key, tuple[str | None, str]] = {"customer_id": (None, "plain"), "risk": (None, "share")}
    beside = {name: kind for name, kind in _BESIDE.items() if name in risks.columns}
    columns |= {name: (heading and _(heading), unit) for name, (heading, unit) in beside.items()}
    note = _("Risk: of leaving within the next {horizon}.").format(horizon=_within(risks))
    if "contract_days_left" in beside:
        note += " " + _("Full terms follow on one another here, even where notice can be given before their end.")
    title, shown = names.column("at_risk_list"), risks.head(most)
    return listed(shown, title=title, columns=columns, internal=internal, note=note, sheet=sheet)


def by_risk(frame: pd.DataFrame, *, smallest: int = SMALL_CELL) -> Table | Sentence:
    """Show how many of each tenth of the risks are expected to leave, in the order of the frame.

    Tenths of fewer than ``smallest`` are not shown, nor a further one from which their size would follow. Nothing is
    shown where the scores do not order customers beyond chance.

    Columns in: tenth (10 highest), n, risk (mean), expected, share (of all expected); ``attrs`` as for
    ``at_risk_list``.
    """
    require("risks.by_risk", frame, ("tenth", "n", "risk", "expected", "share"))
    sizes = {str(tenth): int(n) for tenth, n in zip(frame["tenth"], frame["n"], strict=True)}
    away = hidden(sizes | {"": sum(sizes.values())}, [[*sizes, ""]], known=[""], least=smallest)
    shown = frame[~frame["tenth"].astype(str).isin(away)]
    if shown.empty or not frame.attrs["ordered"]:
        return Sentence()
    columns: dict[Key, tuple[str | None, str]] = {
        "tenth": (None, "text"),
        "n": (None, "count"),
        "risk": (None, "share"),
    }
    columns |= {"expected": (None, "count"), "share": (_("Share of these"), "share")}
    note = _("Risk of leaving within the next {horizon}.").format(horizon=_within(frame))
    return tables.table(shown, title=names.column("by_risk"), columns=columns, note=note)


def _within(frame: pd.DataFrame) -> str:
    return said(frame.attrs["horizon"], "days", dative=True)


def figures(summary: pd.DataFrame, scores: pd.DataFrame, chapter: str) -> pd.DataFrame:
    """Return the figures of the score used, as the report takes them; none where nothing was computed.

    Columns in: as for ``outlook`` and ``marks``, and of ``summary`` source, the tables used.

    >>> row = {"status": "computed", "horizon": 90, "n": 2675, "expected": 94.2, "tested": 2639, "source": "contracts"}
    >>> row["ordered"] = True
    >>> ends = {"auc_low": 0.64, "auc_high": 0.75, "brier": 0.037, "brier_low": 0.03, "brier_high": 0.044, "slope": 0.8}
    >>> ends |= {"slope_low": 0.58, "slope_high": 1.02, "lift": 2.8, "lift_low": 1.97, "lift_high": 3.72}
    >>> scores = pd.DataFrame([{"model": "logistic", "chosen": True, "auc": 0.7} | ends])
    >>> figures(pd.DataFrame([row]), scores, "churn_drivers")[["id", "value", "low", "high", "n", "unit"]]
                                   id   value   low   high     n   unit
    0  churn_drivers.expected_leavers  94.200   NaN    NaN  2675  count
    1          churn_drivers.risk_auc   0.700  0.64  0.750  2639  index
    2        churn_drivers.risk_brier   0.037  0.03  0.044  2639  index
    3        churn_drivers.risk_slope   0.800  0.58  1.020  2639  index
    4         churn_drivers.risk_lift   2.800  1.97  3.720  2639  index
    """
    require("risks.figures", summary, ("status", "horizon", "n", "expected", "ordered", "tested", "source"))
    row = summary.iloc[0]
    if row["status"] != "computed":
        return pd.DataFrame(columns=_FIGURE)
    about = {"source": row["source"]}
    defined_for = {"horizon": show(row["horizon"], "count")}
    own = _chosen(scores)
    how = "expected_leavers" if row["ordered"] else "expected_by_average"
    found = [
        {"id": f"{chapter}.expected_leavers", "value": row["expected"], "n": row["n"]} | defined(how, **defined_for)
    ]
    told = [(f"risk_{name}", own, name) for name in _MARKS]
    told += [("rule_auc", rule, "auc") for _i, rule in scores[scores["model"] == "contract ends"].iterrows()]
    for title, model, name in told:
        ends = {"value": model[name], "low": model[f"{name}_low"], "high": model[f"{name}_high"], "n": row["tested"]}
        found.append({"id": f"{chapter}.{title}"} | ends | defined(title, **defined_for))
    return pd.DataFrame([one | about for one in found], columns=_FIGURE)
