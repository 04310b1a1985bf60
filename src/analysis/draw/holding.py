"""Sentences, tables and figures on what holds the customers, whom a contract alone holds, and who fades."""

from __future__ import annotations

import pandas as pd

from analysis.draw import bond_mixes, names, numbers, words
from analysis.draw.customer_lists import listed
from analysis.draw.definitions import defined
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, said, show, signed
from analysis.draw.tables import Key, Table
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_GAP = (
    *("loose", "loose_low", "loose_high", "loose_exposed", "tied", "tied_low", "tied_high", "tied_exposed"),
    *("difference", "difference_low", "difference_high"),
)
_FADING = ("satisfied", "tested", "undecided", "fading", "share", "low", "high")


def bonds(frame: pd.DataFrame, gap: pd.DataFrame, *, smallest: int = SMALL_CELL, internal: bool = False) -> Sentence:
    r"""Say how many customers are held by what, and whether those whom little holds leave more often.

    Columns in: mix, customers, exposed, the mixes named as the measures do; of ``gap`` loose, tied (shares that left),
    each with _low, _high and _exposed, and difference with _low and _high. ``attrs["on_record"]`` of the frame names
    the kinds of bonds that are on record, by default all. Unless ``internal``, groups below ``smallest`` are not told.

    >>> mixes = ["technical", "contractual", "psychological", "none"]
    >>> frame = pd.DataFrame({"mix": mixes, "customers": [300, 100, 500, 100], "exposed": [290, 389, 1594, 100]})
    >>> gap = {"loose": 0.067, "loose_low": 0.048, "loose_high": 0.093, "loose_exposed": 489}
    >>> gap |= {"tied": 0.028, "tied_low": 0.021, "tied_high": 0.038, "tied_exposed": 1594}
    >>> gap |= {"difference": 0.039, "difference_low": 0.018, "difference_high": 0.066}
    >>> print(bonds(frame, pd.DataFrame([gap])).replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Was die Kundschaft hält (n = 1.000): bei 80,0 % eine technische oder psychologische Bindung, bei 10,0 % nur der
    Vertrag, bei 10,0 % keine der erfassten Bindungen. Kundinnen und Kunden, die nur der Vertrag oder nichts hält, sind
    im Zeitraum häufiger gegangen als solche mit psychologischer Bindung: 6,7 % (95-%-Intervall 4,8 bis 9,3 %, n = 489)
    gegen 2,8 % (95-%-Intervall 2,1 bis 3,8 %, n = 1.594). Der Unterschied von +3,9 Prozentpunkten ist gesichert (+1,8
    bis +6,6).
    """
    require("holding.bonds", frame, ("mix", "customers", "exposed"))
    require("holding.bonds", gap, _GAP)
    n = frame["customers"].sum()
    if n < (1 if internal else smallest):
        return words.no_data(names.column("bonds"))
    texts = [bond_mixes.held(frame, smallest=smallest, internal=internal)]
    if "psychological" in bond_mixes.on_record(frame):
        away = set() if internal else bond_mixes.withheld(frame, "exposed", smallest=smallest, internal=False)
        texts.append(_against(gap.iloc[0], away))
    return Sentence(" ".join(texts))


def _against(gap: pd.Series, away: set[str]) -> str:
    few = min(gap["loose_exposed"], gap["tied_exposed"]) < SMALL_CELL
    if is_missing(gap["difference"]) or few or away & {"loose", "tied"}:
        return _("Whether customers with a psychological bond leave less often cannot be told: too few to compare.")
    if gap["difference_low"] > 0:
        text = _(
            "Customers whom a contract alone or nothing holds left more often in the period than those with a "
            "psychological bond: {loose} against {tied}. The difference of {difference} is beyond chance ({interval})."
        )
    elif gap["difference_high"] < 0:
        text = _(
            "Customers whom a contract alone or nothing holds left less often in the period than those with a "
            "psychological bond: {loose} against {tied}. The difference of {difference} is beyond chance ({interval})."
        )
    else:
        text = _(
            "Of the customers whom a contract alone or nothing holds {loose} left in the period, of those with a "
            "psychological bond {tied}; the difference of {difference} is within noise ({interval})."
        )
    points = "percentage points"
    return text.format(
        loose=_churn(gap, "loose"),
        tied=_churn(gap, "tied"),
        difference=said(gap["difference"], points, dative=True, write=signed),
        interval=numbers.interval(gap["difference_low"], gap["difference_high"], points, write=signed),
    )


def _churn(gap: pd.Series, side: str) -> str:
    bracket = words.bracket(gap[f"{side}_low"], gap[f"{side}_high"], "share", words.base(gap[f"{side}_exposed"]))
    return f"{show(gap[side], 'share')} ({bracket})"


def notice(frame: pd.DataFrame, *, days: int, internal: bool) -> Sentence:
    """Say for how many customers whom a contract alone holds the last day of notice lies within the next days.

    ``attrs["n"]`` of the frame counts them, None where no term is on record; unless ``internal``, a count below 5 is
    not told.

    >>> found = pd.DataFrame({"customer_id": ["a"]})
    >>> found.attrs["n"] = 40
    >>> print(notice(found, days=60, internal=False))  # doctest: +NORMALIZE_WHITESPACE
    Bei 40 Kundinnen und Kunden, die nur der Vertrag hält, liegt der letzte Kündigungstag in den nächsten 60 Tagen:
    Jetzt ist der Zeitpunkt, ihnen einen Grund zum Bleiben zu geben.
    """
    if (n := _all(frame)) is None:
        return Sentence(_("When the last day of notice comes cannot be told: no terms of contracts are on record."))
    if n < SMALL_CELL and not internal:
        text = _(
            "For fewer than {count} customers whom nothing but the contract holds, the last day of notice lies within "
            "the next {days} days."
        )
        return Sentence(text.format(count=SMALL_CELL, days=show(days, "count")))
    if not n:
        text = _(
            "For no customer whom nothing but the contract holds, the last day of notice lies within the next {days} "
            "days."
        )
        return Sentence(text.format(days=show(days, "count")))
    text = ngettext(
        "For {count} customer whom nothing but the contract holds, the last day of notice lies within the next {days} "
        "days: now is the time to give a reason to stay.",
        "For {count} customers whom nothing but the contract holds, the last day of notice lies within the next {days} "
        "days: now is the time to give them a reason to stay.",
        n,
    )
    return Sentence(text.format(count=show(n, "count"), days=show(days, "count")))


def notice_list(frame: pd.DataFrame, *, internal: bool) -> Table | Sentence:
    """List the customers whom a contract alone holds and whose last day of notice is near; it stays in the house.

    Columns in: customer_id, notice_by, days_left, products (left out where none is named); ``attrs["n"]`` counts all of
    them.
    """
    require("holding.notice_list", frame, ("customer_id", "notice_by", "days_left", "products"))
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "notice_by": (_("Last day of notice"), "date"),
        "days_left": (_("Days left"), "count"),
    }
    if frame["products"].notna().any():
        columns["products"] = (_("Products held"), "count")
    return _listed(frame, "notice_soon", columns, internal=internal)


def fading(summary: pd.DataFrame, *, internal: bool) -> Sentence:
    r"""Say of how many satisfied customers it can be told whether they order less often, and how many do.

    Columns in, one row: satisfied, tested, undecided, fading (customers), share (fading of tested), low, high. Unless
    ``internal``, counts below 5 are not told.

    >>> row = {"satisfied": 917, "tested": 146, "undecided": 771, "fading": 16, "share": 0.11}
    >>> told = fading(pd.DataFrame([row | {"low": 0.069, "high": 0.171}]), internal=True)
    >>> print(told.replace("\xa0", " "))  # doctest: +NORMALIZE_WHITESPACE
    Von 917 zufriedenen Kundinnen und Kunden ließ sich bei 146 prüfen, ob sie seltener bestellen als früher: Bei 16
    von ihnen (11,0 %, 95-%-Intervall 6,9 bis 17,1 %) ist der Rückgang gesichert. Bei den übrigen 771 lässt es sich
    nicht entscheiden: Sie bestellen zu selten oder noch nicht lange genug.
    """
    require("holding.fading", summary, _FADING)
    row = summary.iloc[0]
    least = 1 if internal else SMALL_CELL
    if row["satisfied"] < least:
        return words.no_data(names.column("fading"))
    satisfied = show(row["satisfied"], "count")
    if row["tested"] < least:
        text = _("Of {satisfied} satisfied customers too few order often enough to tell whether they order less often.")
        return Sentence(text.format(satisfied=satisfied))
    is_few = 0 < row["undecided"] < least
    tested = _("almost all") if is_few else show(row["tested"], "count")
    texts = [
        _("Of {satisfied} satisfied customers, {tested} order often enough to tell whether they do so less often: ")
        + _fewer(row, least)
    ]
    if row["undecided"] and not is_few:
        texts.append(
            _("Of the other {undecided} it cannot be told: they order too seldom or have not for long enough.")
        )
    return Sentence(
        " ".join(texts).format(satisfied=satisfied, tested=tested, undecided=show(row["undecided"], "count"))
    )


def _fewer(row: pd.Series, least: int) -> str:
    if row["fading"] >= least:
        text = _("for {fading} of them ({share}) the decline is beyond chance.")
        share = ", ".join(filter(None, (show(row["share"], "share"), words.bracket(row["low"], row["high"], "share"))))
        return text.format(fading=show(row["fading"], "count"), share=share)
    if least > 1:
        return _("for {few} of them the decline is beyond chance.").format(
            few=_("fewer than {count}").format(count=least)
        )
    return _("for none of them a decline is beyond chance.")


def fading_list(frame: pd.DataFrame, *, internal: bool) -> Table | Sentence:
    """List the satisfied customers who order less often than they used to; it stays in the house.

    Columns in: customer_id, last, expected (orders), p_adjusted; ``attrs["n"]`` counts all of them.
    """
    require("holding.fading_list", frame, ("customer_id", "last", "expected", "p_adjusted"))
    columns: dict[Key, tuple[str | None, str]] = {
        "customer_id": (None, "plain"),
        "last": (_("Orders lately"), "count"),
        "expected": (_("Expected"), "points"),
        "p_adjusted": (_("p, adjusted"), "per year"),
    }
    note = _("Expected: orders in as long a time at the customer's own earlier rate.")
    return _listed(frame, "fading", columns, internal=internal, note=note)


def _listed(
    frame: pd.DataFrame, name: str, columns: dict[Key, tuple[str | None, str]], *, internal: bool, note: str = ""
) -> Table | Sentence:
    if (n := _all(frame)) is None:
        return Sentence()
    return listed(frame, title=words.title(name, n=n), columns=columns, internal=internal, note=note)


def _all(frame: pd.DataFrame) -> int | None:
    n: int | None = frame.attrs.get("n", len(frame))
    return n


def bond_figures(
    frame: pd.DataFrame, chapter: str, *, source: str, smallest: int = SMALL_CELL, internal: bool = False
) -> pd.DataFrame:
    """Return the share of the customers and the churn of each mix of bonds as figures, as the report takes them.

    What rests on fewer than ``smallest`` customers is left out and, unless ``internal``, what would give it away (see
    ``bond_mixes.withheld``); where no bonds are on record, all. ``source`` names the tables, separated by blanks.
    Columns in: mix, customers, share, exposed, churn, churn_low, churn_high.

    >>> row = {"mix": "technical + contractual", "customers": 40, "share": 0.2, "exposed": 50, "churn": 0.1}
    >>> frame = pd.DataFrame([row | {"churn_low": 0.04, "churn_high": 0.21}])
    >>> bond_figures(frame, "churn_drivers", source="contracts")[["id", "group", "value", "n"]]
                             id                  group  value   n
    0  churn_drivers.bond_share  technical contractual    0.2  40
    1  churn_drivers.bond_churn  technical contractual    0.1  50
    """
    require("holding.bond_figures", frame, ("mix", "customers", "share", "exposed", "churn", "churn_low", "churn_high"))
    group, n = frame["mix"].str.replace(" + ", " "), frame["customers"].sum()
    frame = bond_mixes.tellable(frame, smallest=smallest, internal=internal)
    held = frame[["share"]].set_axis(["value"], axis=1).assign(low=float("nan"), high=float("nan"), n=n)
    left = frame[["churn", "churn_low", "churn_high", "exposed"]].set_axis(["value", "low", "high", "n"], axis=1)
    parts = [
        part.assign(id=f"{chapter}.{name}", group=group, source=source, **defined(name))[is_told]
        for name, is_told, part in (
            ("bond_share", frame["customers"].gt(0) & frame["share"].notna(), held),
            ("bond_churn", frame["churn"].notna(), left),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def notice_figure(frame: pd.DataFrame, chapter: str, *, days: int, internal: bool, source: str) -> pd.DataFrame:
    """Return how many customers a contract alone holds whose notice is near as a figure, as the report takes it.

    ``attrs["n"]`` of the frame counts them, None where no term is on record; unless ``internal``, a count below 5 is
    missing.
    """
    n = _all(frame)
    count = float("nan") if n is None else _told(n, internal=internal)
    figure = {"id": f"{chapter}.notice_soon", "value": count, "n": count, "source": source}
    return pd.DataFrame([figure | defined("notice_soon", days=days)])


def fading_figure(summary: pd.DataFrame, chapter: str, *, internal: bool) -> pd.DataFrame:
    """Return which share of the satisfied customers tested fade as a figure, as the report takes it.

    Columns in: as for :func:`fading`. Unless ``internal``, what rests on a count below 5 is missing.
    """
    require("holding.fading_figure", summary, _FADING)
    row = summary.iloc[0]
    is_told = not is_missing(_told(row["fading"], internal=internal))
    shares = {"value": row["share"], "low": row["low"], "high": row["high"]} if is_told else {"value": float("nan")}
    figure = {"id": f"{chapter}.fading_share", **shares, "n": _told(row["tested"], internal=internal)}
    figure |= {"source": "transactions surveys"}
    return pd.DataFrame([figure | defined("fading_share")])


def _told(count: float, *, internal: bool) -> float:
    return float(count) if internal or count >= SMALL_CELL else float("nan")
