"""Who moved between the classes of two periods: one frame of cells and totals, and what is said of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from analysis.draw import dates, names, numbers, words
from analysis.draw.customer_lists import listed
from analysis.draw.frames import require
from analysis.draw.language import _, mark, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.small_cells import hidden
from analysis.draw.tables import Key, Table
from analysis.draw.words import Findings, Sentence
from analysis.vocabulary import SMALL_CELL

CLASSES = ("A", "B", "C")
BEFORE = (*CLASSES, "new", "returned")
AFTER = (*CLASSES, "gone")
"""The states of a customer in the two periods, in the order to be shown."""
MOVES = ("rose", "fell", "stayed", "gone", "new", "returned")

_STATES = ("state_before", "state_after")
_AMOUNTS = ("customers", "revenue_before", "revenue_after", "change")
_COLUMNS = ["part", *_STATES, "move", *_AMOUNTS]
_WITH_CENTS = 1000
"""Sums below this are told to the cent."""

_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "rose": mark("Moved up into a higher class: {people}, together {change} than in {since}."),
        "fell": mark("Moved down into a lower class: {people}, together {change} than in {since}."),
        "gone": mark("Without a purchase now, after one in {since}: {people}; that is {change}{best}."),
        "new": mark("New: {people}; they bring {revenue}."),
        "returned": mark("Returned, after none in {since}: {people}; they bring {revenue}."),
        "stayed": mark("Stayed in the class: {people}, together {change}."),
    }
)


def movement(cells: pd.DataFrame, totals: pd.DataFrame, *, internal: bool) -> pd.DataFrame:
    """Put cells, totals and kinds of move into one frame; unless ``internal``, small counts in it are missing.

    Counts from which a small one follows are missing with it, and so is the money of each.

    Columns in: state_before, state_after, customers, revenue_before, revenue_after, change; of ``totals`` period,
    state and the same. Columns out: part (cell; before, after: totals; move; all), state_before, state_after, move
    (rose, fell, stayed, gone, new, returned) and those amounts. No rows where the period before holds no customers,
    for then nobody can have moved.

    >>> states = {"state_before": ["A", "A", "new"], "state_after": ["A", "gone", "A"]}
    >>> money = {"revenue_before": [90.0, 20.0, 0.0], "revenue_after": [80.0, 0.0, 7.0], "change": [-10.0, -20.0, 7.0]}
    >>> cells = pd.DataFrame(states | {"customers": [9, 3, 6]} | money)
    >>> found = movement(cells, pd.DataFrame(columns=["period", "state", *_AMOUNTS]), internal=True)
    >>> found.loc[found["part"] == "move", ["move", "customers", "change"]].reset_index(drop=True)
           move  customers  change
    0      rose        0.0     0.0
    1      fell        0.0     0.0
    2    stayed        9.0   -10.0
    3      gone        3.0   -20.0
    4       new        6.0     7.0
    5  returned        0.0     0.0
    """
    require("movement.movement, cells", cells, (*_STATES, *_AMOUNTS))
    require("movement.movement, totals", totals, ("period", "state", *_AMOUNTS))
    if not cells.loc[cells["state_before"].isin(CLASSES), "customers"].sum():
        return pd.DataFrame(columns=_COLUMNS)
    inner = cells.assign(part="cell", move=[_move(*pair) for pair in zip(*(cells[s] for s in _STATES), strict=True)])
    sides = [
        totals[totals["period"] == side].rename(columns={"state": f"state_{side}"}).assign(part=side)
        for side in ("before", "after")
    ]
    sums = inner.groupby("move")[list(_AMOUNTS)].sum().round(2).reindex(list(MOVES), fill_value=0).reset_index()
    whole = inner[list(_AMOUNTS)].sum().round(2).to_frame().T.assign(part="all")
    found = pd.concat([inner, *sides, sums.assign(part="move"), whole], ignore_index=True)[_COLUMNS]
    amounts = found[list(_AMOUNTS)].astype(float)
    away = _hidden(found) if not internal else pd.Series(False, index=found.index)
    return found.assign(**{name: amounts[name].mask(away) for name in _AMOUNTS})


def _move(before: str, after: str) -> str:
    if before not in CLASSES:
        return before
    if after not in CLASSES:
        return after
    return "stayed" if before == after else "rose" if after < before else "fell"


def _hidden(found: pd.DataFrame) -> pd.Series:
    """Say which rows may not be shown; a move and a total that are the same customers have one name."""
    label = found.apply(_label, axis=1)
    counts = dict(zip(label, found["customers"].astype(int), strict=True))
    cells = found[found["part"] == "cell"].assign(label=label)
    sums = [[*rows["label"], f"{state}>"] for state, rows in cells.groupby("state_before") if f"{state}>" in counts]
    sums += [[*rows["label"], f">{state}"] for state, rows in cells.groupby("state_after") if f">{state}" in counts]
    sums += [[*rows["label"], move] for move, rows in cells.groupby("move") if move in counts]
    sums += [[f"{state}>" for state in BEFORE] + ["all"], [f">{state}" for state in AFTER] + ["all"]]
    sums.append([*label[found["part"] == "move"], "all"])
    sums = [[name for name in members if name in counts] for members in sums]
    known = []
    for buyers, form in (("earlier", "{}>"), ("now", ">{}")):
        classes = [name for name in map(form.format, CLASSES) if name in counts]
        counts[buyers] = sum(counts[name] for name in classes)
        sums.append([*classes, buyers])
        # the report on the period tells of its buyers, and of its classes where none of them is small
        known += [buyers, *(classes if not any(0 < counts[name] < SMALL_CELL for name in classes) else [])]
    away = hidden(counts, sums, known=known)
    # the whole tells the money of either period, and with it that of the period's buyers
    return label.isin(away | {"all"} if away & {"earlier", "now"} else away)


def _label(row: pd.Series) -> str:
    if row["part"] == "all":
        return "all"
    if row["part"] == "move":
        return {"gone": ">gone", "new": "new>", "returned": "returned>"}.get(row["move"], str(row["move"]))
    return ">".join("" if is_missing(row[state]) else str(row[state]) for state in _STATES)


def by_move(moved: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the moves that may be shown, as figures are made of them."""
    require("movement.by_move", moved, _COLUMNS)
    return moved[(moved["part"] == "move") & moved["customers"].notna()].reset_index(drop=True)


def headline(moved: pd.DataFrame, *, since: str) -> Sentence:
    r"""Say how revenue has changed since a period, and what those who moved, went and came have to do with it.

    Columns in: those of :func:`movement`.

    >>> rows = [("fell", 8, -40.0), ("gone", 9, -60.0), ("rose", 6, 30.0), ("new", 7, 45.0), ("returned", 5, 5.0)]
    >>> frame = pd.DataFrame([*rows, ("stayed", 20, -2.0)], columns=["move", "customers", "change"]).assign(part="move")
    >>> whole = pd.DataFrame([{"part": "all", "customers": 55, "revenue_before": 500, "revenue_after": 478}])
    >>> frame = pd.concat([frame, whole.assign(change=-22.0)]).reindex(columns=_COLUMNS)
    >>> print(headline(frame, since="2026-Q2").replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Der Umsatz ist gegenüber Q2 2026 um 22,00 € auf 478,00 € gesunken (n = 55): Wer ausblieb oder abstieg, brachte
    100,00 € weniger, wer aufstieg, neu kam oder zurückkehrte, 80,00 € mehr, und wer in der Klasse blieb, 2,00 €
    weniger.
    """
    require("movement.headline", moved, _COLUMNS)
    if moved.empty:
        return _nobody_before(since)
    whole, told = _whole(moved), by_move(moved).set_index("move")
    change = told["change"]
    if len(change) < len(MOVES) or is_missing(whole["customers"]):
        return Sentence(_("How much those who moved changed the revenue is not told: too few of some kinds moved."))
    all_stayed = told["customers"]["stayed"] == whole["customers"]
    moves = _("all stayed in their class") if all_stayed else _balance(change)
    return Sentence(
        _changed(whole["change"]).format(
            by=money(abs(whole["change"])),
            since=dates.period(since),
            now=money(whole["revenue_after"]),
            base=words.base(whole["customers"]),
            moves=moves,
        )
    )


def _balance(change: pd.Series) -> str:
    return _(
        "those who stayed away or moved down brought {loss}, those who moved up, were new or returned {gain}, and "
        "those who stayed in their class {rest}"
    ).format(
        loss=more_or_less(change["gone"] + change["fell"]),
        gain=more_or_less(change["rose"] + change["new"] + change["returned"]),
        rest=more_or_less(change["stayed"]),
    )


def _changed(change: float) -> str:
    if not change:
        return _("Revenue is as high as in {since}, {now} ({base}): {moves}.")
    if change > 0:
        return _("Revenue has risen by {by} since {since}, to {now} ({base}): {moves}.")
    return _("Revenue has fallen by {by} since {since}, to {now} ({base}): {moves}.")


def _nobody_before(since: str) -> Sentence:
    text = _("Who moved cannot be told: there are no orders of the period before ({since}).")
    return Sentence(text.format(since=dates.period(since)))


def _whole(moved: pd.DataFrame) -> pd.Series:
    return moved[moved["part"] == "all"].iloc[0]


def money(value: float) -> str:
    r"""Return an amount, without cents where it is large.

    >>> money(12.5), money(2500.4)
    ('12,50\xa0€', '2.500\xa0€')
    """
    return numbers.short(value, "money") if abs(value) >= _WITH_CENTS else show(value, "money")


def more_or_less(change: float) -> str:
    r"""Return a change of money in words.

    >>> more_or_less(-12.5), more_or_less(2500.0), more_or_less(0.0)
    ('12,50\xa0€ weniger', '2.500\xa0€ mehr', 'ebenso viel')
    """
    if not change:
        return _("as much")
    return (_("{money} more") if change > 0 else _("{money} less")).format(money=money(abs(change)))


def told(moved: pd.DataFrame, *, since: str, before: float, after: float) -> Findings | Sentence:
    """Say who rose, fell, stayed away, came and stayed, with the money of each, and whether all of it adds up.

    ``before`` and ``after`` are the revenues of the two periods as measured elsewhere, to be added up to.
    Columns in: those of :func:`movement`.
    """
    require("movement.told", moved, _COLUMNS)
    if moved.empty:
        return _nobody_before(since)
    best = moved[(moved["state_before"] == "A") & (moved["state_after"] == "gone")]
    sentences = [_move_told(row, since, best) for row in by_move(moved).to_dict("records") if row["customers"]]
    return words.findings([*sentences, _reconciled(_whole(moved), since, before, after)])


def _move_told(row: dict[Hashable, Any], since: str, best: pd.DataFrame) -> str:
    text = _TOLD[row["move"]]
    return _(text).format(
        people=people(row["customers"]),
        change=more_or_less(row["change"]),
        revenue=money(row["revenue_after"]),
        since=dates.period(since),
        best="".join(_of_best(one) for one in best.dropna(subset="customers").to_dict("records") if one["customers"]),
    )


def _of_best(row: dict[Hashable, Any]) -> str:
    text = _(", {change} of it from {people} of class A")
    return text.format(change=money(abs(row["change"])), people=people(row["customers"]))


def people(count: float) -> str:
    """Return a number of customers in words.

    >>> people(1), people(1204)
    ('1 Person', '1.204 Kundinnen und Kunden')
    """
    text = ngettext("{count} customer", "{count} customers", int(count))
    return text.format(count=show(count, "count"))


def _reconciled(whole: pd.Series, since: str, before: float, after: float) -> str:
    if is_missing(whole["customers"]):
        return _("Cells of few customers, and those they would follow from, are not shown.")
    gaps = round(whole["revenue_before"] - before, 2), round(whole["revenue_after"] - after, 2)
    if any(gaps):
        text = _("The cells do not add up to the revenue of the periods: {before} are missing before, {after} now.")
        return text.format(before=show(-gaps[0], "money"), after=show(-gaps[1], "money"))
    text = _(
        "All cells together are {people} and, to the cent, the revenue of both periods: {before} in {since}, {after} "
        "now, {change}."
    )
    return text.format(
        people=people(whole["customers"]),
        before=show(before, "money"),
        since=dates.period(since),
        after=show(after, "money"),
        change=_exactly(whole["change"]),
    )


def _exactly(change: float) -> str:
    if not change:
        return _("as much")
    return (_("{money} more") if change > 0 else _("{money} less")).format(money=show(abs(change), "money"))


def fallen_list(customers: pd.DataFrame, moved: pd.DataFrame, *, internal: bool, sheet: str = "") -> Table | Sentence:
    """List the customers of class A who fell or stayed away, the largest loss first; it stays in the house.

    Columns in: customer_id, state_after, revenue_before, revenue_after, change; of ``moved`` those of
    :func:`movement`, which tells how many there are in all and what they cost. ``sheet`` is that of the workbook which
    lists whoever moved.
    """
    require("movement.fallen_list", customers, ("customer_id", "state_after", "revenue_before", "change"))
    require("movement.fallen_list", moved, _COLUMNS)
    if moved.empty:
        return Sentence()
    lost = moved[(moved["part"] == "cell") & (moved["state_before"] == "A") & moved["move"].isin(("fell", "gone"))]
    n = int(lost["customers"].sum())
    if not n and internal:
        return Sentence(_("Nobody of class A fell or stayed away."))
    columns: dict[Key, tuple[str | None, str]] = {"customer_id": (None, "plain"), "state_after": (None, "text")}
    columns |= dict.fromkeys(_AMOUNTS[1:], (None, "money"))
    note = _("All {people} together: {change}.").format(people=people(n), change=_exactly(lost["change"].sum()))
    shown, title = customers.copy(), f"{names.column('fallen')} ({words.base(n)})"
    shown.attrs["n"] = n
    return listed(shown, title=title, columns=columns, internal=internal, note=note, sheet=sheet)
