"""What the chapter on segments says, and what stands together in its sections."""

from __future__ import annotations

import pandas as pd

from analysis.draw import charts, movement, tables, words
from analysis.draw.frames import require
from analysis.draw.language import _, ngettext
from analysis.draw.numbers import is_missing, show
from analysis.draw.page import Together, together
from analysis.draw.small_cells import hidden
from analysis.draw.tables import Key
from analysis.draw.words import Sentence
from analysis.vocabulary import SMALL_CELL

_RFM = ("recency_score", "frequency_score", "customers", "revenue")


def best_class(classes: pd.DataFrame, *, internal: bool) -> Sentence:
    r"""Say how many customers are in class A, and which part of the revenue they bring, as share and as money.

    Columns in: class, customers, revenue (money), share. Unless ``internal``, classes of few are not told.

    >>> classes = pd.DataFrame({"class": ["A", "B", "C"], "customers": [20, 30, 50], "share": [0.8, 0.15, 0.05]})
    >>> print(best_class(classes.assign(revenue=[8e4, 15e3, 5e3]), internal=True).replace("\xa0", " "))
    Klasse A: 20 von 100 Kundinnen und Kunden (20,0 %) bringen 80,0 % des Umsatzes, das sind 80.000 €.
    """
    require("segment_sections.best_class", classes, ("class", "customers", "revenue", "share"))
    best, n = classes[classes["class"] == "A"].iloc[0], classes["customers"].sum()
    if not n:
        return _nobody()
    if not best["customers"] and not _has_few(classes, internal=internal):
        return Sentence(
            _("There is no class A: nobody brought revenue in the period ({base}).").format(base=words.base(n))
        )
    if _has_few(classes, internal=internal):
        return _few_in_a_class()
    text = ngettext(
        "Class A: {customers} of {n} customers ({customer_share}) brings {share} of the revenue, that is {revenue}.",
        "Class A: {customers} of {n} customers ({customer_share}) bring {share} of the revenue, that is {revenue}.",
        int(best["customers"]),
    )
    shares = {"customer_share": show(best["customers"] / n, "share"), "share": show(best["share"], "share")}
    counts = {"customers": show(best["customers"], "count"), "n": show(n, "count")}
    return Sentence(text.format(revenue=movement.money(best["revenue"]), **counts, **shares))


def _nobody() -> Sentence:
    return Sentence(_("No orders are on record for the period."))


def _has_few(classes: pd.DataFrame, *, internal: bool) -> bool:
    return not internal and classes["customers"].between(1, SMALL_CELL - 1).any()


def _few_in_a_class() -> Sentence:
    text = _("The classes stand in internal reports only: one of them holds fewer than {count} customers.")
    return Sentence(text.format(count=SMALL_CELL))


def classes_for_figures(classes: pd.DataFrame, *, internal: bool) -> pd.DataFrame:
    """Return the classes with the number of all customers as ``base``; none where one is too small to be passed on."""
    return classes.assign(base=classes["customers"].sum()).head(0 if _has_few(classes, internal=internal) else None)


def classes(frame: pd.DataFrame, *, period: str, internal: bool) -> Together | Sentence:
    """Show the classes that hold customers as bars and as a table. Columns in: as ``segments.abc`` names them."""
    if _has_few(frame, internal=internal):
        return _few_in_a_class()
    held = frame[frame["customers"] > 0].reset_index(drop=True)
    if held.empty:
        return _nobody()
    title = words.title("abc", period=period, n=held["customers"].sum())
    shown: list[Key] = ["class", "customers", "customer_share", "revenue", "share", *(["lowest_revenue"] * internal)]
    chart = charts.abc_bars(held, title=title) if held["share"].notna().any() else Sentence()
    note = _losses(held) if internal else ""
    return together(chart, tables.table(held, title=title, columns=shown, note=note))


def _losses(held: pd.DataFrame) -> str:
    """Say why the shares of the classes add up to less than all."""
    count = int(held["not_positive"].sum())
    if not count or not held["share"].notna().any() or round(held["share"].sum(), 3) >= 1:
        return ""
    text = ngettext(
        "Shares are of the sum of positive amounts; {count} customer of class C brought nothing or less, so together "
        "they come to {share}.",
        "Shares are of the sum of positive amounts; {count} customers of class C brought nothing or less, so together "
        "they come to {share}.",
        count,
    )
    return text.format(count=show(count, "count"), share=show(held["share"].sum(), "share"))


def moves(
    moved: pd.DataFrame,
    fallen: pd.DataFrame,
    now: pd.DataFrame,
    before: pd.DataFrame,
    *,
    period: str,
    since: str,
    internal: bool,
    sheet: str = "",
) -> Together:
    """Show who moved between the classes, in customers and money, and which of class A fell or stayed away.

    Columns in: as ``movement.told`` and ``movement.fallen_list`` take them; of ``now`` and ``before``, one row each,
    revenue of the period. ``sheet`` is that of the workbook which lists whoever moved.
    """
    revenues = {"before": before["revenue"].item(), "after": now["revenue"].item()}
    told = movement.told(moved, since=since, **revenues)
    if moved.empty:
        return together(told)
    n = moved.loc[moved["part"] == "all", "customers"].item()
    title = words.title("migration", period=period, n=None if is_missing(n) else n)
    is_drawn = moved.loc[moved["part"] == "cell", "customers"].sum() > 0
    chart = charts.migration(moved, title=title, before=since, after=period) if is_drawn else Sentence()
    return together(told, chart, movement.fallen_list(fallen, moved, internal=internal, sheet=sheet))


def best_customers(scores: pd.DataFrame, *, bins: int, internal: bool) -> pd.DataFrame:
    """Return the customers with the best score in all three, in one row; none where they would give away a few.

    Columns in: recency_score, frequency_score, monetary_score, customers. Columns out: customers.
    """
    require("segment_sections.best_customers", scores, (*_RFM[:2], "monetary_score", "customers"))
    top = scores[(scores[list(_RFM[:2])] == bins).all(axis=1)]
    best = int(top.loc[top["monetary_score"] == bins, "customers"].sum())
    others = int(top["customers"].sum()) - best
    is_told = best > 0 and (internal or not 0 < others < SMALL_CELL)
    return pd.DataFrame({"customers": [best] * is_told})


def rfm(scores: pd.DataFrame, *, internal: bool) -> charts.Chart | Sentence:
    """Show the map of recency and frequency; unless ``internal``, without cells of few, and those they follow from.

    Columns in: recency_score, frequency_score, customers, revenue.
    """
    require("segment_sections.rfm", scores, _RFM)
    cells = scores.groupby(list(_RFM[:2]), as_index=False)[list(_RFM[2:])].sum()
    away = set() if internal else _few(cells["customers"])
    shown = cells[~cells.index.astype(str).isin(away)]
    if shown.empty:
        return _too_few_to_map(internal=internal)
    text = _(
        "Cells of fewer than {count} customers are left out, and so are those they follow from; shares are of the "
        "customers shown."
    )
    note = text.format(count=SMALL_CELL) if len(shown) < len(cells) else ""
    return charts.rfm_map(shown, title=words.title("rfm", n=shown["customers"].sum()), note=note)


def _few(customers: pd.Series) -> set[str]:
    """Return the rows that must not be shown, where the sum of all is known."""
    counts = {str(row): int(count) for row, count in customers.items()}
    return hidden(counts | {"all": sum(counts.values())}, [[*counts, "all"]], known=["all"])


def _too_few_to_map(*, internal: bool) -> Sentence:
    if internal:
        return Sentence(_("No orders are on record."))
    text = _("The map stands in internal reports only: its cells hold fewer than {count} customers.")
    return Sentence(text.format(count=SMALL_CELL))


def clusters_told(
    stability: pd.DataFrame, profile: pd.DataFrame, *, used: int, customers: int, internal: bool = True
) -> Sentence:
    r"""Say into how many groups the customers fall and how reliable that is, or why there are none worth naming.

    Columns in: number, stability, valley, holds, one row a number of groups tried; of ``profile`` cluster, attribute.
    ``used`` customers of ``customers`` were looked at. Unless ``internal``, fewer than 5 are not counted.

    >>> tried = {"number": [2, 3], "stability": [0.94, 0.41], "valley": [1.9, 1.8], "holds": [False, False]}
    >>> profile = pd.DataFrame(columns=["cluster", "attribute"])
    >>> print(clusters_told(pd.DataFrame(tried), profile, used=4183, customers=4183).replace("\xa0", " "))
    ... # doctest: +NORMALIZE_WHITESPACE
    Die Kundschaft zerfällt nicht in Gruppen, die einen Namen verdienen (n = 4.183): Am ehesten wären es 2, doch
    zwischen ihnen ist keine Lücke; an der Grenze stehen so viele Kundinnen und Kunden wie im Kern der kleineren Gruppe
    oder mehr. Die Übergänge sind fließend; die Klassen und die Karte ordnen die Kundschaft besser.
    """
    require("segment_sections.clusters_told", stability, ("number", "stability", "valley", "holds"))
    base = words.base(used)
    if stability.empty:
        text = _("Whether the customers fall into groups cannot be told: they are too few, or too much alike{base}.")
        return Sentence(text.format(base=f" ({base})" if used >= (1 if internal else SMALL_CELL) else ""))
    if profile.empty:
        return Sentence(_no_groups(stability, base))
    number = profile["cluster"].nunique()
    held = stability[stability["number"] == number].iloc[0]
    text = _(
        "The customers fall into {number} groups that lie apart ({base}). Sought in one half of the customers and in "
        "the other, the groups agree at {stability}; {one} would be the same groups, {none} chance."
    )
    parts = {"one": show(1, "count"), "none": show(0, "count"), "stability": show(held["stability"], "index")}
    told = text.format(number=show(number, "count"), base=base, **parts)
    sample = _("They were sought in a sample of all {n} customers.").format(n=show(customers, "count"))
    return Sentence(f"{told} {sample}" if used < customers else told)


def _no_groups(stability: pd.DataFrame, base: str) -> str:
    nearest = stability.loc[stability["stability"].idxmax()]
    if nearest["valley"] >= 1:
        why = _(
            "there is no gap between them; at the border stand as many customers as at the core of the smaller group, "
            "or more"
        )
    else:
        text = _(
            "the halves of the customers agree on them at {stability} only, and the border is settled at {valley} of "
            "the core of the smaller group"
        )
        parts = {"stability": show(nearest["stability"], "index"), "valley": show(nearest["valley"], "share")}
        why = text.format(**parts)
    text = _(
        "The customers do not fall into groups worth a name ({base}): the likeliest would be {number}, but {why}. One "
        "passes into the other; classes and map sort the customers better."
    )
    return text.format(base=base, number=show(nearest["number"], "count"), why=why)


def clusters_counted(stability: pd.DataFrame, *, used: int, incomplete: int, internal: bool) -> pd.DataFrame:
    """Return how many groups there are as a row to make a figure of; no row where it cannot be told.

    Columns in: number, holds. Columns out: number, n (missing where it would give away a few who are ``incomplete``).
    """
    require("segment_sections.clusters_counted", stability, ("number", "holds"))
    number = stability["number"].where(stability["holds"], 0).max()
    n = used if _may_count(incomplete, internal=internal) else float("nan")
    return pd.DataFrame({"number": [number], "n": [n]}).dropna(subset="number")


def _may_count(incomplete: int, *, internal: bool) -> bool:
    """Say whether those used may be counted: all are counted elsewhere, and the difference is who is incomplete."""
    return internal or not 0 < incomplete < SMALL_CELL


def clusters(
    stability: pd.DataFrame,
    profile: pd.DataFrame,
    named: pd.DataFrame,
    *,
    used: int,
    customers: int,
    incomplete: int,
    internal: bool,
) -> Together:
    """Show into which groups the customers fall and what differs between them, or say that there are none.

    Columns in: as ``clusters_told`` and ``charts.clusters`` take them. Unless ``internal``, groups of few are left out.
    """
    told = clusters_told(stability, profile, used=used, customers=customers, internal=internal)
    left = ngettext(
        "{count} customer is left out, of whom not all is known.",
        "{count} customers are left out, of whom not all is known.",
        incomplete,
    ).format(count=show(incomplete, "count"))
    is_counted = _may_count(incomplete, internal=internal)
    told = told if is_counted else Sentence(told.replace(f" ({words.base(used)})", ""))
    texts = Sentence(f"{told} {left}" if incomplete >= (1 if internal else SMALL_CELL) else told)
    if profile.empty:
        return together(texts)
    away = set() if internal else _few(profile.drop_duplicates("cluster").set_index("cluster")["n"])
    shown = profile[~profile["cluster"].astype(str).isin(away)]
    return together(texts, charts.clusters(shown, named, title=words.title("clusters", n=used if is_counted else None)))
