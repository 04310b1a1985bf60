"""What holds a customer: technical, contractual and psychological bonds, and who stays for the contract alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.bond_rules import KINDS, MIXES, NONE, BondRules, any_of, kinds_on_record, signs
from analysis.measures.churn import churn_rate
from analysis.measures.features import held_products
from analysis.measures.frames import Rows, as_table, binary_order, require
from analysis.measures.intervals import newcombe, wilson
from analysis.measures.point_in_time import DAYS_A_YEAR, Tables, knowledge, present
from analysis.measures.spells import spells, spells_from_purchases
from analysis.measures.terms import bound_terms, days_of_notice, is_soon, reduce_soon

__all__ = [
    "MIXES",
    "BondRules",
    "bond_mix",
    "bonds",
    "churn_by_bonds",
    "churn_gap",
    "held_by_contract_only",
    "mix_and_churn",
    "notice_soon",
]


def bonds(
    tables: Tables,
    *,
    as_of: dt.date,
    rules: BondRules | None = None,
    active_days: int = DAYS_A_YEAR,
    timezone: str = "UTC",
) -> ir.Table:
    """Return one row a present customer with what holds them, as a lazy Ibis table.

    Present and known are as for ``features_as_of``. **Technical**: at least ``min_products`` products (under contract
    or bought within a year), or one of the signs declared. **Contractual**: a contract in a term of more than one
    month that notice given today cannot end before it is over; a contract that can be ended at any time, with whatever
    notice, is none. Terms of ``term_months`` follow one another from ``start``, as agreed then. Where the notice for
    this term is missed, the next one binds; by the consumer rule none but the first does. **Psychological**: last
    answer to nps 9 or more, anything done in the community, at least one complaint resolved and none open, or one of
    the signs declared. A sign is undated: to name it for a day in the past is to declare it constant.

    ``current_term_end`` and ``auto_renews`` are not used. They are those of the day of the export: once notice is given
    a ledger writes the end of the contract into the one and a no into the other, and a renewal moves the term on. Not
    even where in the year terms begin is safe to read from them, for where that differs from ``start`` it cannot be
    told whether the difference arose before ``as_of``. So a contract that was never to renew counts as one that does:
    its last day of notice is named though it needs none.

    Columns in: as for ``features_as_of``; of customers also those of the signs.

    Columns out: customer_id, products (missing where none is named), technical (0 or 1), days_bound (days from
    ``as_of`` to the earliest last day of all contracts, notice given today; missing without a contract), notice_by (the
    earliest last day on which notice ends a binding contract with its term; missing where none binds), term_known (1
    where a contract in force has a term; missing without a contract), contractual, promoter, member,
    complaints_solved, psychological (0 or 1), mix (see MIXES).

    Raises MeasureError as ``features_as_of`` does, and for a sign that is absent.
    Source: kinds of bonds after Meyer and Oevermann (1995), Kundenbindung, Handwörterbuch des Marketing, 1340-1351;
    one month's notice after the first term: section 309 no. 9 of the German civil code.

    >>> day = pd.to_datetime
    >>> contracts = pd.DataFrame({"customer_id": ["a", "b"], "start": day(["2025-06-01", "2024-06-01"])})
    >>> contracts = contracts.assign(term_months=12, notice_days=30)
    >>> held = bonds({"contracts": contracts}, as_of=dt.date(2026, 1, 1)).order_by("customer_id")
    >>> held[["customer_id", "days_bound", "notice_by", "mix"]].execute()
      customer_id  days_bound  notice_by          mix
    0           a         150 2026-05-01  contractual
    1           b          30        NaT         none
    """
    known, rules = knowledge(tables, as_of, timezone), rules or BondRules()
    found = present(known, active_days=active_days).select("customer_id")
    for side in (bound_terms(known, consumer_rule=rules.consumer_rule), held_products(known), *signs(known, rules)):
        if side is not None:
            found = found.left_join(side, "customer_id").select(*found.columns, *side.columns[1:])
    found = found.mutate(**{name: ibis.null(kind) for name, kind in _KINDS.items() if name not in found.columns})
    found = found.mutate(**{name: found[name].fill_null(0) for name in _KINDS if name not in _MAY_BE_MISSING})
    notice_by = ibis.literal(as_of, type="date") + found["notice_days_left"].as_interval("D")
    flags = {
        "technical": any_of(found["products"] >= rules.min_products, found["technical_sign"] > 0),
        "contractual": found["contractual"],
        "psychological": any_of(*(found[name] > 0 for name in _PSYCHOLOGICAL)),
    }
    found = found.mutate(**flags, notice_by=notice_by)
    return found.mutate(mix=_mix(found), products=found["products"].nullif(0)).select(*_COLUMNS)


def bond_mix(held: Rows) -> pd.DataFrame:
    """Count the customers of each mix of bonds.

    Columns in: mix, as :func:`bonds` gives it. Columns out: mix, technical, contractual, psychological (0 or 1),
    customers, share (of all, 0 to 1; missing where there is none). Always eight rows, as MIXES are ordered. Raises
    MeasureError for an absent column.

    >>> bond_mix(pd.DataFrame({"mix": ["contractual", "none", "none", "none"]})).iloc[[5, 7]]
               mix  technical  contractual  psychological  customers  share
    5  contractual          0            1              0          1   0.25
    7         none          0            0              0          3   0.75
    """
    table = as_table(held)
    require("bond_mix", table, ("mix",))
    counts = _reduce_mix(table).execute().set_index("mix")["customers"].reindex(list(MIXES), fill_value=0)
    found = pd.DataFrame({"mix": pd.array(MIXES, dtype="str")})
    kinds = {kind: [int(kind in mix.split(" + ")) for mix in MIXES] for kind in KINDS}
    customers = counts.to_numpy()
    return found.assign(**kinds, customers=customers, share=customers / (customers.sum() or float("nan")))


def churn_by_bonds(
    tables: Tables,
    *,
    as_of: dt.date,
    end: dt.date,
    rules: BondRules | None = None,
    active_days: int = DAYS_A_YEAR,
    confidence: float = 0.95,
    timezone: str = "UTC",
) -> pd.DataFrame:
    """Return which share of the customers present on ``as_of`` left from then to ``end``, by what held them then.

    Bonds are those known on ``as_of``, the first day of the window. ``end``, its last day, must lie within the data.

    Columns out: mix, exposed, ended_of_exposed, share, share_low, share_high, as for ``churn_rate``. One row a mix that
    occurs, as MIXES are ordered. Columns in and Raises: as for :func:`bonds` and ``churn_rate``.

    >>> contracts = pd.DataFrame({"customer_id": list("ab"), "start": pd.to_datetime(["2025-06-01", "2024-06-01"])})
    >>> contracts = contracts.assign(term_months=12, ended_on=pd.to_datetime([None, "2026-02-28"]))
    >>> window = {"as_of": dt.date(2026, 1, 1), "end": dt.date(2026, 3, 31)}
    >>> churn_by_bonds({"contracts": contracts}, **window)[["mix", "exposed", "ended_of_exposed", "share"]]
               mix  exposed  ended_of_exposed  share
    0  contractual        1                 0    0.0
    1         none        1                 1    1.0
    """
    held = bonds(tables, as_of=as_of, rules=rules, active_days=active_days, timezone=timezone)
    later = knowledge(tables, end + dt.timedelta(days=1), timezone)
    if later.has("contracts"):
        found = spells(later.tables["contracts"], as_of=later.as_of)
    else:
        found = spells_from_purchases(later.tables["transactions"], as_of=later.as_of, inactive_days=active_days)
    found = found.join(held.select("customer_id", "mix"), "customer_id")
    rates = churn_rate(found, start=as_of, end=end, by="mix", confidence=confidence)
    order = rates["mix"].map(MIXES.index).argsort()
    columns = ["mix", "exposed", "ended_of_exposed", "share", "share_low", "share_high"]
    return rates.iloc[order][columns].reset_index(drop=True)


def held_by_contract_only(held: Rows, *, as_of: dt.date, within_days: int) -> ir.Table:
    """Return the customers whom nothing but a contract holds, and whose last day of notice falls in the next days.

    Columns in and out: as :func:`bonds` gives them. Rows: mix is contractual, and ``notice_by`` one of the
    ``within_days`` days from ``as_of`` on, sorted by it and customer_id; a lazy Ibis table. Raises MeasureError for an
    absent column and ``within_days`` below 1.

    >>> held = pd.DataFrame({"customer_id": ["a", "b"], "mix": "contractual"})
    >>> held["notice_by"] = pd.to_datetime(["2026-01-30", "2026-01-31"])
    >>> held_by_contract_only(held, as_of=dt.date(2026, 1, 1), within_days=30).execute()["customer_id"].tolist()
    ['a']
    """
    table = as_table(held)
    require("held_by_contract_only", table, ("customer_id", "mix", "notice_by"))
    if within_days < 1:
        raise MeasureError("held_by_contract_only", f"within_days is {within_days}", "Give 1 day or more")
    found = table.filter(is_soon(table, as_of, within_days))
    return found.order_by("notice_by", binary_order(found, "customer_id"))


def notice_soon(held: Rows, *, as_of: dt.date, within_days: int, most: int = 20) -> pd.DataFrame:
    """List the customers whom nothing but a contract holds and whose last day of notice is near, the soonest first.

    Columns in and Raises: as for :func:`held_by_contract_only`, and products, term_known. Columns out: customer_id,
    notice_by, days_left (from ``as_of`` to it), products; at most ``most`` rows. ``attrs``: ``n``, how many there are
    in all, or None where there are customers and no contract of theirs has a term on record.

    >>> held = pd.DataFrame({"customer_id": ["a", "b"], "mix": "contractual", "products": 1, "term_known": 1})
    >>> held["notice_by"] = pd.to_datetime(["2026-01-31", "2026-01-02"])
    >>> found = notice_soon(held, as_of=dt.date(2026, 1, 1), within_days=60, most=1)
    >>> found, found.attrs["n"]
    (  customer_id  notice_by  days_left  products
    0           b 2026-01-02          1         1, 2)
    """
    table = as_table(held)
    require("notice_soon", table, ("products", "term_known"))
    found = held_by_contract_only(table, as_of=as_of, within_days=within_days)
    found = found.mutate(days_left=days_of_notice(found, as_of))
    frame = found.select("customer_id", "notice_by", "days_left", "products").limit(most).execute()
    counts = reduce_soon(table, as_of, within_days).execute().loc[0]
    is_unknown = counts["customers"] > 0 and counts["terms"] == 0
    frame.attrs = {"n": None if is_unknown else int(counts["soon"])}
    return frame


def mix_and_churn(
    tables: Tables,
    *,
    as_of: dt.date,
    start: dt.date,
    end: dt.date,
    rules: BondRules | None = None,
    active_days: int = DAYS_A_YEAR,
    timezone: str = "UTC",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Return what holds the customers of ``as_of``, beside who left from ``start`` to ``end`` by what held them then.

    Columns out: mix, customers, share (of all present on ``as_of``), as for :func:`bond_mix`; exposed,
    ended_of_exposed, churn (share of exposed), churn_low, churn_high, as for :func:`churn_by_bonds` from ``start`` on,
    missing where nobody was exposed. Always eight rows, as MIXES are ordered. ``attrs``: ``on_record``, the kinds of
    bonds that the tables can tell of on ``as_of``; one that is not among them is unknown, and nobody's by that. Columns
    in and Raises: as for those two.

    >>> contracts = pd.DataFrame({"customer_id": list("ab"), "start": pd.to_datetime(["2025-06-01", "2024-06-01"])})
    >>> contracts = contracts.assign(term_months=12, ended_on=pd.to_datetime([None, "2026-02-28"]))
    >>> days = {"as_of": dt.date(2026, 4, 1), "start": dt.date(2026, 1, 1), "end": dt.date(2026, 3, 31)}
    >>> found = mix_and_churn({"contracts": contracts}, **days)
    >>> found[["mix", "customers", "share", "exposed", "ended_of_exposed", "churn"]].iloc[[5, 7]]
               mix  customers  share  exposed  ended_of_exposed  churn
    5  contractual          1    1.0        1                 0    0.0
    7         none          0    0.0        1                 1    1.0
    >>> found.attrs["on_record"]
    ('contractual',)
    """
    settings: dict[str, Any] = {"rules": rules, "active_days": active_days, "timezone": timezone}
    base = bond_mix(bonds(tables, as_of=as_of, **settings))[["mix", "customers", "share"]]
    left = churn_by_bonds(tables, as_of=start, end=end, confidence=confidence, **settings)
    left = left.rename(columns=lambda name: name.replace("share", "churn"))
    found = base.merge(left, on="mix", how="left")
    found = found.fillna(dict.fromkeys(_COUNTS, 0)).astype(dict.fromkeys(_COUNTS, "int64"))
    found.attrs = {"on_record": kinds_on_record(knowledge(tables, as_of, timezone), rules or BondRules())}
    return found


def churn_gap(found: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Compare leaving between customers whom a contract alone or nothing holds and those with a psychological bond.

    Columns in: mix, exposed, ended_of_exposed, as :func:`mix_and_churn` gives them. Columns out, one row: loose,
    loose_low, loose_high (share of those held by a contract alone or by nothing, Wilson), loose_exposed; tied,
    tied_low, tied_high, tied_exposed (of those with a psychological bond); difference (loose - tied), difference_low,
    difference_high (Newcombe). What rests on nobody is missing. Raises MeasureError for an absent column.
    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.

    >>> found = pd.DataFrame({"mix": ["psychological", "contractual", "none"], "exposed": [48, 40, 16]})
    >>> gap = churn_gap(found.assign(ended_of_exposed=[3, 5, 4]))
    >>> gap[["loose", "tied", "difference", "difference_low", "difference_high"]].round(3)
       loose   tied  difference  difference_low  difference_high
    0  0.161  0.062       0.098          -0.031            0.223
    """
    require("churn_gap", as_table(found), ("mix", "exposed", "ended_of_exposed"))
    sides = {"loose": found["mix"].isin(("contractual", NONE)), "tied": found["mix"].str.contains("psychological")}
    exposed, ended = (np.array([found.loc[rows, name].sum() for rows in sides.values()]) for name in _COUNTS)
    low, high = wilson(ended, exposed, confidence)
    share = ended / np.where(exposed > 0, exposed, np.nan)
    row: dict[str, float] = {}
    for side, *ends in zip(sides, share, low, high, exposed, strict=True):
        row |= dict(zip((side, f"{side}_low", f"{side}_high", f"{side}_exposed"), ends, strict=True))
    down, up = newcombe(ended[0], exposed[0], ended[1], exposed[1], confidence)
    gap = {"difference": share[0] - share[1], "difference_low": down.item(), "difference_high": up.item()}
    return pd.DataFrame([row | gap])


_PSYCHOLOGICAL = ("promoter", "member", "complaints_solved", "psychological_sign")
_MAY_BE_MISSING = ("days_bound", "notice_days_left", "term_known", "products")
_KINDS = dict.fromkeys((*_MAY_BE_MISSING, "technical_sign", "contractual", *_PSYCHOLOGICAL), "int64")
_COUNTS = ("exposed", "ended_of_exposed")
_COLUMNS = (
    *("customer_id", "products", "technical", "days_bound", "notice_by", "term_known", "contractual"),
    *("promoter", "member", "complaints_solved", "psychological", "mix"),
)


def _mix(found: ir.Table) -> ir.StringValue:
    """Name the mix by the sum of its bits: technical 4, contractual 2, psychological 1."""
    bits = 4 * found["technical"] + 2 * found["contractual"] + found["psychological"]
    return ibis.cases(*((bits == 7 - place, mix) for place, mix in enumerate(MIXES)), else_=NONE)


def _reduce_mix(held: ir.Table) -> ir.Table:
    return held.group_by("mix").aggregate(customers=held.count())
