"""Who answers: response rates, how answerers differ from others, and what those who kept silent could change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from analysis.errors import MeasureError
from analysis.measures.answers import Scale, check_nps_scale, checked, executed, latest, off_scale, rated, times
from analysis.measures.differences import GROUP, from_base, moments, one_a_customer, strangers, traits_of
from analysis.measures.frames import Rows, as_table, check_confidence, names, require
from analysis.measures.inference import normal_quantile
from analysis.measures.intervals import wilson
from analysis.measures.nps import nps
from analysis.measures.weighting import margins_of, rake, weighted
from analysis.vocabulary import RATING_PREFIX

Status: TypeAlias = Literal["computed", "cannot be computed: no invitations", "every invitation answered"]
"""Whether there is a base of invitations to compute on, and whether it can be one."""

COMPUTED: Status = "computed"
NO_INVITATIONS: Status = "cannot be computed: no invitations"
ALL_ANSWERED: Status = "every invitation answered"

SUSPICIOUS_FROM = 20
"""From so many invitations on, all answered, a file is likely to hold the answers only."""

SCENARIOS = ("as answered", "others passive", "others like detractors")
"""What those who did not answer might have said."""

_GROUPS = ("answered", "silent", "other")


def response_rates(surveys: Rows, *, by: str | Sequence[str] = (), confidence: float = 0.95) -> pd.DataFrame:
    """Measure which share of invitations was answered in each group.

    An invitation is a row with sent_at. It was answered where answered_at or a rating (nps, csat, ces, rating_*) is
    there. A rate without invitations cannot be computed, and is never 1. Where at least 20 invitations were all
    answered the file may hold the answers only: the rate stands, and ``status`` says so. Hand in all invitations of a
    time: rows cut by answered_at have lost those that were not answered.

    Columns in: those of ``by`` and answered_at or a rating; where present also sent_at.

    Columns out: those of ``by``, invited, answered (invitations), not_invited (answers without an invitation, in
    neither of the two), rate, low, high (0 to 1, Wilson), status (computed, cannot be computed: no invitations, every
    invitation answered). One row a group, sorted by ``by``, the missing group last.

    Raises MeasureError where a column is absent or the confidence is not between 0 and 1.
    Source: response rate RR2 of AAPOR (2016), Standard Definitions, all invited taken as eligible; Wilson (1927), JASA
    22, 209-212.

    >>> sent = pd.to_datetime(["2026-02-10", "2026-02-10", None])
    >>> response_rates(pd.DataFrame({"sent_at": sent, "nps": [9, None, 7]})).round(3)
       invited  answered  not_invited  rate    low   high    status
    0        2         1            1   0.5  0.095  0.905  computed
    """
    check_confidence("response_rates", confidence)
    table, by = as_table(surveys), names(by)
    require("response_rates", table, by)
    counts = _reduce_response(_marked("response_rates", table), by).execute()
    if by:
        counts = counts.sort_values(list(by), na_position="last", ignore_index=True)
    low, high = wilson(counts["answered"], counts["invited"], confidence)
    rate = counts["answered"] / counts["invited"].where(counts["invited"] > 0)
    status = [_status(*pair) for pair in zip(counts["invited"], counts["answered"], strict=True)]
    counts = counts[[*by, "invited", "answered", "not_invited"]]
    return counts.assign(rate=rate, low=low, high=high, status=pd.array(status, dtype="str"))


def nonresponse(
    customers: Rows, surveys: Rows, *, attributes: str | Sequence[str] | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Measure how customers who answered differ from those asked and from all, on each attribute.

    A customer counts once: as asked with any invitation, as an answerer where any of them was answered (as for
    ``response_rates``). A difference is the answerers' mean less that of those asked (or of all), in standard
    deviations of those asked (or of all): by so much the answers stand for other people than they should. Answerers
    are a part of either base, which the interval respects: see ``from_base``. Where no row is an invitation, every
    customer with an answer is an answerer, and only the difference to all customers is given. Missing values of an
    attribute are left out of its base. Hand in one survey and period: over several, those who were asked more often
    answer at least once more often, whoever they are.

    Columns in: customer_id and the attributes, of customers (one row each; without ``attributes`` all columns);
    customer_id and answered_at or a rating, of surveys; where present also sent_at.

    Columns out: attribute, level (of a text attribute, else missing), unit (share: of customers with the level, or
    for whom a boolean is true; number; day: days since 1970-01-01), answered, asked, all (share or mean),
    difference_asked, asked_low, asked_high, difference_all, all_low, all_high (standard deviations), n_answered,
    n_asked, n_all (customers with a value), status (as ``response_rates``). One row an attribute or level, sorted.
    ``attrs``: ``left_out``, why an attribute is none (as ``traits_of``); ``anonymous``, rows counted without a
    customer_id; ``unknown``, customers counted who are not among the customers; ``not_invited``, answers without an
    invitation. The first two are not compared, nor the third where there are invitations.

    Raises MeasureError where a column is absent, a customer stands in several rows or the confidence is not between 0
    and 1.
    Source: Groves (2006), Public Opinion Quarterly 70, 646-675 (bias of a mean by non-response); see ``from_base``.

    >>> people = pd.DataFrame({"customer_id": list("abcd"), "region": ["Nord", "Nord", "Süd", "Süd"]})
    >>> sent = pd.to_datetime(["2026-02-10"] * 3)
    >>> asked = pd.DataFrame({"customer_id": list("abc"), "sent_at": sent, "nps": [9, 8, None]})
    >>> nonresponse(people, asked)[["level", "answered", "asked", "all", "difference_asked", "difference_all"]].round(2)
      level  answered  asked  all  difference_asked  difference_all
    0  Nord       1.0   0.67  0.5              0.71             1.0
    1   Süd       0.0   0.33  0.5             -0.71            -1.0
    """
    z = normal_quantile(confidence, "nonresponse")
    table = as_table(surveys)
    require("nonresponse", table, ("customer_id",))
    marked = _marked("nonresponse", table)
    counts = _reduce_response(marked, ()).execute().loc[0]
    people = one_a_customer("nonresponse", customers)
    traits = traits_of("nonresponse", people, attributes)
    counted = marked.filter(marked["_sent"] if counts["invited"] else marked["_given"])
    answered, silent, other = moments(_grouped(people, counted), traits, _GROUPS).values()
    asked, everyone = answered.with_(silent), answered.with_(silent).with_(other)
    to_asked = from_base(answered, silent, z) if counts["invited"] else (np.full(len(traits.rows), np.nan),) * 3
    to_all = from_base(answered, silent.with_(other), z)
    found = traits.frame().assign(
        answered=answered.mean,
        asked=asked.mean if counts["invited"] else np.nan,
        all=everyone.mean,
        **dict(zip(("difference_asked", "asked_low", "asked_high"), to_asked, strict=True)),
        **dict(zip(("difference_all", "all_low", "all_high"), to_all, strict=True)),
        n_answered=answered.n.astype("int64"),
        n_asked=asked.n.astype("int64") if counts["invited"] else 0,
        n_all=everyone.n.astype("int64"),
        status=pd.Series(_status(counts["invited"], counts["answered"]), range(len(traits.rows)), dtype="str"),
    )
    found.attrs = {
        "left_out": dict(traits.left_out),
        **strangers(people, counted),
        "not_invited": int(counts["not_invited"]),
    }
    return found


def nps_of_base(
    customers: Rows | None, answers: Rows, *, scale: Scale, margins: str | Sequence[str], confidence: float = 0.95
) -> pd.DataFrame:
    """Measure the Net Promoter Score with the answers weighted to the make-up of the customer base.

    Weights are raked, untrimmed, to the customers' margins, to those of ``margins`` that customers and answers have.
    Answers and customers without a value in any of them are left out. Weighting corrects what the margins see and
    nothing else.

    Columns in: those of ``margins``, of customers and answers; of answers also what ``nps`` takes. Columns out: those
    of ``nps`` with weights but anonymous, and status (computed, or why it cannot be: the fault that raking finds). One
    row.

    Raises MeasureError as ``nps`` does.
    Source: see ``weighting.rake`` and ``nps``.

    >>> people = pd.DataFrame({"region": ["Nord"] * 60 + ["Süd"] * 40})
    >>> said = pd.DataFrame({"region": ["Nord"] * 30 + ["Süd"] * 10, "nps": [10] * 30 + [3] * 10})
    >>> nps_of_base(people, said, scale=(1, 10), margins="region")[["n", "nps", "n_effective", "status"]].round(1)
        n   nps  n_effective    status
    0  40  20.0         35.7  computed
    """
    table, base = as_table(answers), as_table(pd.DataFrame({"": []}) if customers is None else customers)
    margins = tuple(name for name in names(margins) if name in table.columns and name in base.columns)
    table = checked("nps_of_base", table, "nps", margins)
    known = latest(table, "nps", margins).rename(nps="_rating")
    known = known.drop_null(list(margins)) if margins else known
    try:
        weights = rake(known, margins_of(base, margins))
    except MeasureError as fault:
        nothing = nps(known.limit(0).mutate(weight=1.0), scale=scale, weight="weight", confidence=confidence)
        return nothing.drop(columns="anonymous").assign(status=f"cannot be computed: {fault}")
    found = nps(weighted(known, weights), scale=scale, weight="weight", margins=margins, confidence=confidence)
    return found.drop(columns="anonymous").assign(status=COMPUTED)


def nonresponse_bounds(surveys: Rows, *, scale: Scale) -> pd.DataFrame:
    """Bound the Net Promoter Score of all invited: those who did not answer all passive, or all detractors.

    With P promoters and D detractors among n answers of N invited, the score is 100·(P - D)/n as answered,
    100·(P - D)/N with the others passive and 100·(P - D - (N - n))/N with the others like detractors. A customer
    invited to one survey in one period counts once, by the latest answer, as for ``nps``; rows without
    customer_id count each. Answers without an invitation are left out, unless there are no invitations at all: then
    only the score as answered is given.

    Columns in: nps (whole numbers on the scale, missing where not answered); where present also sent_at, customer_id,
    survey, period, answered_at, response_id.

    Columns out: scenario (as answered, others passive, others like detractors: always three rows), n (answers), invited
    (customers and waves), nps (points, -100 to 100), status (as ``response_rates``).

    Raises MeasureError where the scale is neither (0, 10) nor (1, 10), a column is absent or an answer is not a whole
    number on the scale.
    Source: Manski (1989), Journal of Human Resources 24, 343-360 (bounds without assumptions on who answers).

    >>> sent = pd.to_datetime(["2026-02-10"] * 4)
    >>> nonresponse_bounds(pd.DataFrame({"sent_at": sent, "nps": [9, 10, 3, None]}), scale=(1, 10)).round(1)
                     scenario  n  invited   nps    status
    0             as answered  3        4  33.3  computed
    1          others passive  3        4  25.0  computed
    2  others like detractors  3        4   0.0  computed
    """
    check_nps_scale("nonresponse_bounds", scale)
    table = checked("nonresponse_bounds", surveys, "nps", ())
    sent = table.filter(_is_sent(table))
    invited = int(_reduce_invited(sent).execute()["invited"].item())
    scores = _reduce_scores(sent if invited else table, scale)
    counts = executed("nonresponse_bounds", scores, scale, ()).loc[0]
    n, balance = int(counts["n"]), int(counts["promoters"] - counts["detractors"])
    status = _status(invited, n)
    points = np.array([balance, balance, balance - (invited - n)]) / np.array([n or np.nan, *[invited or np.nan] * 2])
    as_answered = COMPUTED if status == NO_INVITATIONS else status
    return pd.DataFrame(
        {
            "scenario": SCENARIOS,
            "n": n,
            "invited": invited,
            "nps": 100 * points,
            "status": pd.array([as_answered, status, status], dtype="str"),
        }
    )


def _status(invited: int, answered: int) -> Status:
    if invited == 0:
        return NO_INVITATIONS
    return ALL_ANSWERED if answered == invited >= SUSPICIOUS_FROM else COMPUTED


def _is_sent(surveys: ir.Table) -> ir.Value:
    return surveys["sent_at"].notnull() if "sent_at" in surveys.columns else ibis.literal(False)


def _marked(measure: str, surveys: ir.Table) -> ir.Table:
    """Add _sent and _given: whether a row is an invitation, and whether it was answered."""
    return surveys.mutate(_sent=_is_sent(surveys), _given=_is_given(measure, surveys))


def _is_given(measure: str, surveys: ir.Table) -> ir.Value:
    signs = [name for name in surveys.columns if name in ("answered_at", "nps", "csat", "ces")]
    signs += [name for name in surveys.columns if name.startswith(RATING_PREFIX)]
    if not signs:
        raise MeasureError(
            measure,
            f"no column tells whether an invitation was answered; the table has: {', '.join(surveys.columns)}",
            "Map answered_at, or a rating: nps, csat, ces or rating_*",
        )
    return ibis.or_(*(_is_known(surveys[name]) for name in signs))


def _is_known(value: ir.Value) -> ir.Value:
    return value.notnull() & ~value.isnan() if value.type().is_floating() else value.notnull()


def _reduce_response(marked: ir.Table, by: tuple[str, ...]) -> ir.Table:
    sent, given = marked["_sent"], marked["_given"]
    return marked.aggregate(by=by, invited=times(sent), answered=times(sent & given), not_invited=times(given & ~sent))


def _grouped(customers: ir.Table, counted: ir.Table) -> ir.Table:
    """Return the customers with their group: answered, silent (asked, but did not answer) or other."""
    asked = counted.group_by("customer_id").aggregate(_answers=times(counted["_given"]))
    joined = customers.left_join(asked, "customer_id")
    answers = joined["_answers"]
    group = ibis.cases((answers.isnull(), "other"), (answers > 0, "answered"), else_="silent")
    return joined.mutate(**{GROUP: group})


def _reduce_invited(sent: ir.Table) -> ir.Table:
    """Count the invited, one a customer and wave, those without customer_id each."""
    if "customer_id" not in sent.columns:
        return sent.aggregate(invited=sent.count())
    wave = [name for name in ("customer_id", "survey", "period") if name in sent.columns]
    waves = sent.group_by(wave).aggregate(_rows=sent.count())
    return waves.aggregate(invited=waves["customer_id"].isnull().ifelse(waves["_rows"], 1).sum().coalesce(0))


def _reduce_scores(answers: ir.Table, scale: Scale) -> ir.Table:
    given = rated(answers, answers["nps"], (), one_per_customer=True)
    kept, value = given["_kept"], given["_rating"]
    return given.aggregate(
        n=times(kept),
        promoters=times(kept & (value >= 9)),
        detractors=times(kept & (value <= 6)),
        **off_scale(value, scale),
    )
