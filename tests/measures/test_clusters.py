"""Clusters of customers: how many, how they differ, and that there may be none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import sqlglot
from dialects import DIALECTS, sql_of

from analysis.errors import MeasureError
from analysis.measures.cluster_search import STABLE, _valley, stability_of
from analysis.measures.clusters import Clusters, _reduce_counts, _reduce_sample, clusters
from analysis.measures.rfm import rfm_scores


def customers(values: np.ndarray, *columns: str) -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=list(columns))
    frame.insert(0, "customer_id", [f"K{number:05d}" for number in range(len(frame))])
    return frame


def planted(n: int = 600) -> pd.DataFrame:
    """Half rare and cheap, three tenths often and cheap, two tenths rare and dear; the ids do not tell which."""
    draw = np.random.default_rng(3)
    group = draw.choice(3, n, p=[0.5, 0.3, 0.2])
    means = np.array([[2, 20, 5], [12, 20, 5], [2, 90, 5]])[group]
    frame = customers(draw.normal(means, [1, 5, 2]), "Käufe", "Umsatz", "alter")
    return frame.assign(group=group)


@pytest.fixture(scope="module")
def found() -> Clusters:
    return clusters(planted().drop(columns="group"))


def test_planted_clusters_are_found_and_numbered_by_size(found):
    assert found.number == 3
    together = planted().merge(found.labels, on="customer_id")
    assert len(together) == 600
    # cluster 1 is group 0, the largest, and so on; not one customer in a hundred stands elsewhere
    assert (together["cluster"] == together["group"] + 1).mean() > 0.99
    sizes = found.profile.drop_duplicates("cluster")
    assert sizes["cluster"].tolist() == [1, 2, 3]
    assert sizes["n"].is_monotonic_decreasing
    assert sizes["n"].sum() == 600
    assert sizes["share"].sum() == pytest.approx(1)


def test_the_profile_holds_means_and_medians_in_the_units_that_came(found):
    frame = planted().merge(found.labels, on="customer_id")
    profile = found.profile.set_index(["cluster", "attribute"])
    for cluster, members in frame.groupby("cluster"):
        for name in ("Käufe", "Umsatz", "alter"):
            row = profile.loc[(cluster, name)]
            assert row["mean"] == pytest.approx(members[name].mean())
            assert row["median"] == pytest.approx(members[name].median())
            gap = (members[name].mean() - frame[name].mean()) / frame[name].std(ddof=0)
            assert row["difference"] == pytest.approx(gap)


def test_clusters_are_named_by_the_two_attributes_they_differ_in_most(found):
    told = found.names.set_index(["cluster", "rank"])
    assert len(told) == 6
    assert told.loc[(2, 1), ["attribute", "direction", "place"]].tolist() == ["Käufe", "high", 3]
    assert told.loc[(3, 1), ["attribute", "direction", "place"]].tolist() == ["Umsatz", "high", 3]
    assert told.loc[1, "direction"].tolist() == ["low", "low"]
    assert set(told["attribute"]) == {"Käufe", "Umsatz"}  # never by age, in which nobody differs
    assert (told["difference"].abs().groupby("cluster").diff().dropna() <= 0).all()


def test_what_was_tried_is_shown_with_why_it_holds(found):
    tried = found.stability.set_index("number")
    assert tried.index.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert tried.loc[3, "stability"] > 0.95
    assert tried.loc[3, "valley"] < 0.3
    assert tried.loc[3, "smallest"] == pytest.approx(0.2, abs=0.05)
    assert not tried.loc[4:, "holds"].any()


def test_a_long_cloud_is_cut_alike_every_time_and_yet_is_no_cluster():
    draw = np.random.default_rng(1)
    cloud = draw.multivariate_normal([0, 0, 0], 0.95 + 0.05 * np.eye(3), 1000)
    result = clusters(customers(cloud, "a", "b", "c"), most=4)
    assert result.number == 0
    assert result.stability["stability"].max() >= STABLE
    assert (result.stability["valley"] > 1).all()
    assert len(result.labels) == len(result.profile) == len(result.names) == 0
    assert result.labels.columns.tolist() == ["customer_id", "cluster"]
    assert (result.customers, result.used) == (1000, 1000)


@pytest.mark.parametrize("seed", range(3))
def test_money_with_few_large_amounts_is_no_cluster_with_or_without_its_logarithm(seed):
    draw = np.random.default_rng(seed)
    frame = customers(np.exp(draw.normal(3, 1, (400, 2))), "umsatz", "marge")
    assert clusters(frame, most=4).number == 0
    assert clusters(frame, most=4, log=["umsatz", "marge"]).number == 0


def test_a_logarithm_makes_clusters_of_what_differs_by_factors():
    draw = np.random.default_rng(2)
    revenue = np.exp(np.where(np.arange(300) < 150, 2, 7) + draw.normal(0, 0.8, 300))
    frame = customers(np.column_stack([revenue, draw.normal(size=300)]), "umsatz", "alter")
    assert clusters(frame, most=3).number == 0
    result = clusters(frame, most=3, log="umsatz")
    assert result.number == 2
    low = result.profile.query("attribute == 'umsatz'").sort_values("mean").iloc[0]
    assert low["mean"] == pytest.approx(revenue[:150].mean(), rel=0.05)  # in money, not its logarithm


def test_a_negative_amount_has_a_logarithm_of_its_own():
    draw = np.random.default_rng(2)
    frame = customers(np.r_[draw.normal(-50, 5, 100), draw.normal(50, 5, 100)][:, None], "saldo")
    assert clusters(frame, most=2, log="saldo").number == 2


def test_a_cluster_of_very_few_does_not_count():
    draw = np.random.default_rng(4)
    frame = customers(np.r_[draw.normal(0, 1, (495, 2)), draw.normal(50, 1, (5, 2))], "a", "b")
    assert clusters(frame, most=3).number == 0
    assert clusters(frame, most=2, min_share=0.005).number == 2


def test_the_same_rows_give_the_same_bytes_in_whatever_order_and_form_they_come():
    frame = planted().drop(columns="group")
    kept = frame.copy()
    first = clusters(frame, most=4)
    for other in (frame.sample(frac=1, random_state=5), ibis.memtable(frame)):
        again = clusters(other, most=4)
        for part in ("profile", "names", "stability", "labels"):
            pd.testing.assert_frame_equal(getattr(again, part), getattr(first, part), check_exact=True)
    pd.testing.assert_frame_equal(frame, kept)


def test_a_sample_is_drawn_by_its_seed_and_said():
    frame = planted().drop(columns="group")
    one, same, other = (clusters(frame, most=3, max_rows=200, seed=seed) for seed in (1, 1, 2))
    assert (one.customers, one.used, len(one.labels)) == (600, 200, 200)
    pd.testing.assert_frame_equal(one.labels, same.labels)
    assert set(one.labels["customer_id"]) != set(other.labels["customer_id"])
    assert one.number == other.number == 3


def test_customers_with_a_gap_are_left_out_and_counted_and_constants_are_not_used():
    frame = planted().drop(columns="group").assign(immer=1, aktiv=lambda rows: rows["Käufe"] > 5)
    frame.loc[:9, "Umsatz"] = np.nan
    frame.loc[10, "alter"] = np.inf
    result = clusters(frame, most=3)
    assert (result.customers, result.incomplete, result.used) == (600, 11, 589)
    assert dict(result.left_out) == {"immer": "is the same for all"}
    assert set(result.profile["attribute"]) == {"Käufe", "Umsatz", "alter", "aktiv"}
    assert result.number == 3


@pytest.mark.parametrize("n", [0, 1, 3, 49])
def test_few_customers_have_no_clusters(n):
    result = clusters(planted().drop(columns="group").head(n))
    assert (result.number, result.used, len(result.stability)) == (0, n, 0)


def test_customers_who_are_all_alike_or_of_few_kinds_raise_nothing():
    alike = customers(np.ones((100, 2)), "a", "b")
    assert clusters(alike).number == 0
    assert set(clusters(alike).left_out) == {"a", "b"}
    two_kinds = customers(np.repeat([[0.0, 1], [5, 5]], 50, axis=0), "a", "b")
    result = clusters(two_kinds)
    assert result.number == 2
    assert result.stability["number"].tolist() == [2]  # there are no more than two places to be


def test_the_valley_is_the_border_by_the_emptier_centre():
    # centres at 0 and 8, so a window is 1 wide on either side: 3 within 1 of 0, 1 within 1 of 4, 2 within 1 of 8
    rows = np.array([[0.0], [0.5], [-0.5], [4.5], [8], [7.5], [2]])
    labels = np.array([0, 0, 0, 1, 1, 1, 0])
    assert _valley(rows, labels, np.array([[0.0], [8.0]]), 0, 1) == 0.5
    assert _valley(rows, labels, np.array([[100.0], [200.0]]), 0, 1) == 1  # nobody near: no thinner than the border


def test_uniform_squares_do_not_hold_whatever_the_number():
    judged = stability_of(np.random.default_rng(0).uniform(size=(1500, 2)), 5, 0.02, 0)
    assert not judged["holds"].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attributes": "stadt"}, "clusters: attribute 'stadt' holds string. Give numbers or truth values."),
        ({"attributes": "umsatz"}, "clusters: column 'umsatz' is absent"),
        ({"log": "Kauf"}, "clusters: log names 'Kauf', which is no attribute used. Name one that is."),
        ({"most": 1}, "clusters: most is 1. Give at least 2."),
        ({"min_share": 0.5}, "clusters: min_share is 0.5. Give a share below 0.5, such as 0.02."),
        ({"max_rows": 10}, "clusters: max_rows is 10. Give at least 50."),
    ],
)
def test_settings_outside_their_domain_are_refused(settings, message):
    with pytest.raises(MeasureError) as refused:
        clusters(planted().assign(stadt="Köln"), **settings)
    assert str(refused.value).startswith(message)


def test_rows_that_are_not_one_a_customer_and_numbers_are_refused():
    frame = planted()
    with pytest.raises(MeasureError, match=r"^clusters: 600 rows repeat a customer_id\. Hand in one row a customer\.$"):
        clusters(pd.concat([frame, frame]))
    with pytest.raises(MeasureError, match="there is no attribute that is a number"):
        clusters(frame[["customer_id"]])
    with pytest.raises(MeasureError, match="column 'customer_id' is absent"):
        clusters(frame[["alter"]])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reductions_compile_for_every_engine(dialect):
    schema = {"customer_id": "string", "orders": "int64", "money": "float64", "member": "boolean"}
    table = ibis.table(schema, name="features")
    for reduced in (_reduce_counts(table, tuple(schema)[1:]), _reduce_sample(table, tuple(schema)[1:], 100, 1)):
        sql = sql_of(reduced, dialect)
        read = sqlglot.parse_one(sql, dialect={"pyspark": "spark"}.get(dialect, dialect)).find_all(sqlglot.exp.Table)
        assert "features" in {found.name for found in read}


def test_buyers_of_cdnow_are_one_cloud(public_data: Path):
    path = public_data / "cdnow" / "CDNOW_sample.txt"
    columns = ["master", "customer_id", "date", "quantity", "revenue"]
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=columns, dtype={"customer_id": str, "date": str})
    frame = frame.assign(date=pd.to_datetime(frame["date"], format="%Y%m%d"))
    behaviour = rfm_scores(frame, as_of=dt.date(1998, 7, 1)).select("customer_id", "recency_days", "frequency", "money")
    result = clusters(behaviour, log=["frequency", "money"], most=5)
    assert (result.customers, result.used, result.number) == (2357, 2357, 0)
    assert result.stability["stability"].max() > 0.9
