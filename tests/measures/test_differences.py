"""Attributes customers are compared on, their moments, and standardised differences with their intervals."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of
from ibis.backends.duckdb import Backend
from statsmodels.stats.meta_analysis import effectsize_smd
from statsmodels.stats.proportion import test_proportions_2indep as proportions_test

from analysis.errors import MeasureError
from analysis.measures import differences, profile, response
from analysis.measures.differences import (
    GROUP,
    Moments,
    Traits,
    from_base,
    moments,
    one_a_customer,
    p_of_difference,
    standardised,
    strangers,
    traits_of,
)
from analysis.measures.frames import as_table

Z = 1.959964
SQLGLOT_NAMES = {"pyspark": "spark"}

CUSTOMERS = {
    "customer_id": "string",
    "region": "string",
    "since": "date",
    "first_visit": "timestamp",
    "acquisition_cost": "decimal(12, 2)",
    "children": "int64",
    "score": "float64",
    "contact_permission": "boolean",
}
SURVEYS = {
    "response_id": "string",
    "customer_id": "string",
    "survey": "string",
    "sent_at": "timestamp",
    "answered_at": "timestamp",
    "nps": "int64",
    "rating_price": "float64",
}
TRAITS = (
    *(differences.Trait("region", level, "share") for level in ("Nord", "Süd")),
    differences.Trait("since", None, "day"),
    differences.Trait("first_visit", None, "day"),
    differences.Trait("acquisition_cost", None, "number"),
    differences.Trait("score", None, "number"),
    differences.Trait("contact_permission", None, "share"),
)
REDUCTIONS: dict[str, Callable[[ir.Table, ir.Table], ir.Table]] = {
    "columns": lambda people, surveys: differences._reduce_columns(people, tuple(CUSTOMERS)),
    "levels": lambda people, surveys: differences._reduce_levels(people, ["region", "customer_id"]),
    "strangers": differences._reduce_strangers,
    "profile": lambda people, surveys: differences._reduce_moments(profile._grouped(people, surveys), TRAITS),
    "nonresponse": lambda people, surveys: differences._reduce_moments(
        response._grouped(people, response._marked("nonresponse", surveys)), TRAITS
    ),
    "response": lambda people, surveys: response._reduce_response(response._marked("response", surveys), ("survey",)),
    "invited": lambda people, surveys: response._reduce_invited(surveys),
    "scores": lambda people, surveys: response._reduce_scores(surveys, (1, 10)),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_reduction_compiles_for_every_engine(name, dialect):
    people, surveys = ibis.table(CUSTOMERS, name="customers"), ibis.table(SURVEYS, name="surveys")
    sql = sql_of(REDUCTIONS[name](people, surveys), dialect)
    assert sqlglot.parse_one(sql, dialect=SQLGLOT_NAMES.get(dialect, dialect)).find(sqlglot.exp.Select)


def company(customers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.default_rng(1)
    ids = pd.Series(range(customers)).astype("str")
    people = pd.DataFrame({"customer_id": ids, "region": draw.choice(["Nord", "Süd"], customers), "town": ids})
    sent = pd.DataFrame({"response_id": ids, "customer_id": ids, "sent_at": pd.Timestamp("2026-02-10")})
    return people, sent.assign(nps=np.where(draw.random(customers) < 0.3, draw.integers(1, 11, customers), np.nan))


def test_what_comes_back_from_the_engine_does_not_grow_with_customers(monkeypatch):
    counted: list[int] = []
    execute = Backend.execute

    def counting(self: Backend, *args: object, **kwargs: object) -> object:
        result = execute(self, *args, **kwargs)
        counted.append(len(result))
        return result

    monkeypatch.setattr(Backend, "execute", counting)
    found = []
    for customers in (500, 5000):
        people, surveys = company(customers)
        profile.promoter_profile(people, surveys, scale=(1, 10))
        response.nonresponse(people, surveys)
        response.nonresponse_bounds(surveys, scale=(1, 10))
        response.response_rates(surveys)
        found.append(counted.copy())
        counted.clear()
    assert found[0] == found[1]
    assert 1 <= max(found[0]) <= 3


def people(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(customer_id=[f"c{number}" for number in range(len(frame))])


def found_traits(frame: pd.DataFrame, attributes: list[str] | None = None) -> Traits:
    return traits_of("profile", as_table(frame), attributes)


def test_text_gives_a_row_a_level_and_all_else_a_row_an_attribute():
    frame = people(
        town=["Würzburg", "Köln", None, "Köln"],
        since=pd.to_datetime(["2026-01-01", "2026-01-02", None, "2026-01-04"]),
        member=[True, False, True, True],
        age=[40, 41, 42, 43],
    )
    traits = found_traits(frame)
    assert [(row.attribute, row.level, row.unit) for row in traits.rows] == [
        ("age", None, "number"),
        ("member", None, "share"),
        ("since", None, "day"),
        ("town", "Köln", "share"),
        ("town", "Würzburg", "share"),
    ]
    assert traits.left_out == {}
    assert traits.frame()["level"].isna().tolist() == [True, True, True, False, False]


def test_what_looks_personal_or_holds_nothing_is_left_out_and_named():
    rows = 42
    frame = people(
        name=[f"Name {row}" for row in range(rows)],
        town=[f"Ort {row // 2}" for row in range(rows)],  # 21 levels
        district=[f"Kreis {row % 20}" for row in range(rows)],  # 20 levels
        account=range(1000, 1000 + rows),
        score=np.arange(rows) / 7,  # a measurement may differ from customer to customer
        empty=[None] * rows,
        missing=[np.nan] * rows,
        tags=[[1, 2]] * rows,
    )
    traits = found_traits(frame)
    assert traits.left_out == {
        "account": "differs from customer to customer",
        "empty": "holds no value",
        "missing": "holds no value",
        "name": "differs from customer to customer",
        "tags": "holds array<int64>",
        "town": "has 21 levels",
    }
    assert {row.attribute for row in traits.rows} == {"district", "score"}
    assert len(traits.rows) == 21


def test_named_attributes_are_compared_and_no_others():
    frame = people(a=[1, 1, 2], b=[1, 2, 2])
    assert [row.attribute for row in found_traits(frame, ["b"]).rows] == ["b"]
    assert [row.attribute for row in traits_of("profile", as_table(frame), "b").rows] == ["b"]
    with pytest.raises(MeasureError, match=r"^profile: column 'regoin' is absent; the table has: a, b, customer_id\."):
        found_traits(frame, ["regoin"])


def test_a_customer_in_two_rows_is_refused_and_one_without_id_is_no_customer():
    frame = people(a=[1, 1, 2]).assign(customer_id=["x", "x", "y"])
    with pytest.raises(MeasureError) as refused:
        found_traits(frame)
    assert str(refused.value) == "profile: 1 rows of customers repeat a customer_id. Hand in one row a customer."
    nameless = frame.assign(customer_id=["x", None, None])
    assert one_a_customer("profile", nameless).count().execute() == 1
    with pytest.raises(MeasureError, match=r"^profile: column 'customer_id' is absent"):
        one_a_customer("profile", frame.drop(columns="customer_id"))


def test_rows_without_a_customer_and_customers_nobody_knows_are_counted():
    rows = pd.DataFrame({"customer_id": ["c0", "c9", "c9", None, None, None]})
    assert strangers(as_table(people(a=[1])), as_table(rows)) == {"anonymous": 3, "unknown": 1}


def grouped_moments(frame: pd.DataFrame) -> dict[str, Moments]:
    return moments(as_table(frame), found_traits(frame.drop(columns=GROUP)), ("a", "b"))


def test_moments_leave_missing_and_infinite_values_out_and_days_count_from_1970():
    found = grouped_moments(
        people(
            _group=["a", "a", "a", "b"],
            cost=[1.0, 3.0, np.nan, np.inf],
            day=pd.to_datetime(["1970-01-02", "1970-01-04", None, "1970-01-11"]),
            member=pd.array([True, False, None, True], dtype="boolean"),
            region=["Süd", "Süd", None, "Nord"],
        )
    )
    # rows: cost, day, member, region Nord, region Süd
    assert found["a"].n.tolist() == [2, 2, 2, 2, 2]
    assert found["a"].mean.tolist() == [2, 2, 0.5, 0, 1]
    assert found["a"].variance.tolist() == [1, 1, 0.25, 0, 0]
    assert found["a"].spread.tolist() == [2, 2, 0.25, 0, 0]  # divisor n - 1 for means
    assert found["b"].n.tolist() == [0, 1, 1, 1, 1]
    np.testing.assert_array_equal(found["b"].mean, [np.nan, 10, 1, 1, 0])


def test_a_group_nobody_is_in_has_no_moments():
    found = grouped_moments(people(_group=["a", "a"], age=[1, 3]))
    assert found["b"].n.tolist() == [0]
    assert np.isnan(found["b"].mean).all()


def test_the_variance_of_large_numbers_is_not_lost():
    values = 1e9 + np.array([4.0, 7.0, 13.0, 16.0])
    assert grouped_moments(people(_group=["a"] * 4, spent=values))["a"].variance.tolist() == [22.5]


def test_a_constant_fraction_has_the_same_mean_in_groups_of_any_size():
    found = grouped_moments(people(_group=["a"] * 10 + ["b"] * 3, fee=[0.1] * 13))
    assert found["a"].mean == found["b"].mean == 0.1
    assert found["a"].variance == found["b"].variance == 0


def test_moments_of_two_groups_together_are_those_of_all_their_customers():
    draw = np.random.default_rng(3)
    x, held = draw.normal(5, 2, 30), draw.random(30) < 0.4
    found = grouped_moments(people(_group=["a"] * 10 + ["b"] * 20, held=held, x=x))
    both = found["a"].with_(found["b"])
    assert both.n.tolist() == [30, 30]
    assert both.mean == pytest.approx([held.mean(), x.mean()])
    assert both.variance == pytest.approx([held.var(), x.var()])
    assert both.spread == pytest.approx([held.var(), x.var(ddof=1)])


def means(n: float, mean: float, variance: float) -> Moments:
    return Moments(*(np.array([value], dtype=float) for value in (n, mean, variance)), np.array([False]))


def share(n: float, held: float) -> Moments:
    p = held / n if n else np.nan
    return Moments(*(np.array([value], dtype=float) for value in (n, p, p * (1 - p))), np.array([True]))


def test_a_difference_of_shares_by_hand():
    # p = .3 and .2: √((.21 + .16)/2) = .430116; .1/.430116 = .232495
    # variance (40 + 60)/2400 + .232495²/200 = .0416667 + .0002703, se .204785
    d, low, high = standardised(share(40, 12), share(60, 12), Z)
    assert [d[0], low[0], high[0]] == pytest.approx([0.232495, -0.168876, 0.633866], abs=2e-6)


def test_a_difference_of_means_by_hand():
    # divisor n: 4.5 and 8 of 10 and 5; sample variances 5 and 10; (12 - 9)/√7.5 = 1.095445
    # variance 15/50 + 1.2/30 = .34, half-width 1.959964·.583095 = 1.142846
    d, low, high = standardised(means(10, 12, 4.5), means(5, 9, 8), Z)
    assert [d[0], low[0], high[0]] == pytest.approx([1.095445, -0.047401, 2.238291], abs=2e-6)


def test_differences_of_means_agree_with_statsmodels_in_large_samples():
    # effectsize_smd pools the standard deviations and corrects by 1 - 3/(4n - 9): nothing at n = 200,000
    d, low, high = standardised(means(100_000, 5.3, 4.0), means(100_000, 5.0, 4.4), Z)
    theirs, variance = effectsize_smd(
        np.array([5.3]), np.sqrt([4.0]), np.array([1e5]), np.array([5.0]), np.sqrt([4.4]), np.array([1e5])
    )
    assert d == pytest.approx(theirs, rel=1e-4)
    assert ((high - low) / (2 * Z)) ** 2 == pytest.approx(variance, rel=1e-4)


def test_the_p_of_shares_is_that_of_statsmodels_wald_test():
    theirs = proportions_test(12, 40, 9, 60, method="wald", compare="diff", alternative="two-sided")
    assert p_of_difference(share(40, 12), share(60, 9)) == pytest.approx([theirs.pvalue], rel=1e-9)


def test_the_p_of_means_uses_unpooled_variances_with_divisor_n():
    # 3/√(4.5/10 + 8/5) = 2.095291, two-sided p .036145
    assert p_of_difference(means(10, 12, 4.5), means(5, 9, 8)) == pytest.approx([0.036145], abs=2e-6)


def test_without_spread_equal_groups_do_not_differ_and_others_differ_beyond_measure():
    for a, b in ((share(5, 5), share(9, 9)), (means(5, 0.1, 0), means(9, 0.1, 0))):
        d, low, high = standardised(a, b, Z)
        assert d.tolist() == [0]
        assert np.isnan([low, high]).all()
        assert p_of_difference(a, b).tolist() == [1]
    for a, b in ((share(5, 5), share(9, 0)), (means(5, 0.1, 0), means(9, 0.2, 0))):
        assert np.isnan(standardised(a, b, Z)).all()
        assert p_of_difference(a, b).tolist() == [0]


def test_a_group_of_nobody_differs_by_nothing_known():
    for a, b in ((share(0, 0), share(9, 3)), (share(9, 3), share(0, 0)), (share(0, 0), share(0, 0))):
        assert np.isnan(standardised(a, b, Z)).all()
        assert np.isnan(p_of_difference(a, b)).all()
    assert np.isnan(from_base(share(0, 0), share(9, 3), Z)).all()


def test_the_mean_of_a_single_customer_has_no_spread_to_standardise_by():
    assert np.isnan(standardised(means(1, 3, 0), means(5, 2, 1), Z)).all()


def test_a_part_differs_from_its_base_by_hand():
    # 3 of 4 and 1 of 6 have the level: base 4 of 10; (.75 - .4)/√.24 = .714435; variance (1 - .4)/4 = .15
    d, low, high = from_base(share(4, 3), share(6, 1), Z)
    half = 1.959964 * 0.15**0.5
    assert [d[0], low[0], high[0]] == pytest.approx([0.714435, 0.714435 - half, 0.714435 + half], abs=2e-6)


def test_the_interval_from_the_base_is_exact_where_every_choice_of_the_part_is_as_likely():
    # all 15 ways to choose 2 of 6: the standard deviation of their differences is the standard error
    values = np.array([1.0, 2.0, 4.0, 4.0, 7.0, 9.0])
    chosen = [(i, j) for i in range(6) for j in range(i)]
    found = []
    for pair in chosen:
        part, rest = values[list(pair)], np.delete(values, list(pair))
        d, low, high = from_base(means(2, part.mean(), part.var()), means(4, rest.mean(), rest.var()), Z)
        assert d == pytest.approx((part.mean() - values.mean()) / values.std(ddof=1))
        found.append((d[0], (high[0] - low[0]) / (2 * Z)))
    differences_, errors = np.array(found).T
    assert errors == pytest.approx(np.full(15, differences_.std()))


def test_the_whole_base_does_not_differ_from_itself():
    d, low, high = from_base(share(9, 3), share(0, 0), Z)
    assert (d[0], low[0], high[0]) == (0, 0, 0)
    d, low, high = from_base(share(9, 9), share(5, 5), Z)  # no spread in the base
    assert d.tolist() == [0]
    assert np.isnan([low, high]).all()
