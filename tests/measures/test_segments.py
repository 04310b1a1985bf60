"""ABC classes, concentration, and recency, frequency, money."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibis.expr import operations as ops

from analysis.errors import MeasureError
from analysis.measures.frames import binary_order
from analysis.measures.segments import abc, abc_classes, concentration, lorenz, rfm, rfm_scores

AS_OF = dt.date(2026, 4, 1)


def amounts(**revenue: float) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(revenue), "revenue": list(revenue.values())})


def classes_of(frame: pd.DataFrame, **settings: tuple[float, float]) -> str:
    return "".join(abc_classes(frame, **settings).order_by("customer_id").execute()["class"])


def test_a_customer_is_a_while_the_share_before_them_is_under_80_percent():
    # shares before: 0, .5, .8 (not under .8), .95 (not under .95), 1
    assert classes_of(amounts(a=50, b=30, c=15, d=5)) == "AABC"


def test_the_cuts_can_be_declared():
    assert classes_of(amounts(a=50, b=30, c=15, d=5), cuts=(0.5, 0.9)) == "ABBC"


def test_rows_of_a_customer_are_summed_in_whole_cents():
    thirds = pd.DataFrame({"customer_id": ["a"] * 10 + ["b"], "revenue": [0.1] * 10 + [1.0]})
    assert abc_classes(thirds).order_by("customer_id").execute()["revenue"].tolist() == [1.0, 1.0]
    assert classes_of(thirds) == "AA"  # b after half


def test_equal_amounts_are_taken_in_the_binary_order_of_ids():
    # Z (5A) before a (61) before ä (C3 A4), whatever the language says; shares before: 0, .333, .667
    frame = amounts(ä=1, a=1, Z=1)
    found = abc_classes(frame, cuts=(0.3, 0.5)).execute().set_index("customer_id")["class"]
    assert found.to_dict() == {"Z": "A", "a": "B", "ä": "C"}


def test_amounts_of_zero_and_below_are_class_c_and_no_part_of_the_base_of_shares():
    result = abc(amounts(a=80, b=15, c=5, d=0, e=-20)).set_index("class")
    assert result["customers"].to_dict() == {"A": 1, "B": 1, "C": 3}
    assert result["revenue"].to_dict() == {"A": 80, "B": 15, "C": -15}
    assert result["share"].to_dict() == {"A": 0.8, "B": 0.15, "C": -0.15}  # of 100
    assert result["customer_share"].to_dict() == {"A": 0.2, "B": 0.2, "C": 0.6}
    assert result["lowest_revenue"].to_dict() == {"A": 80, "B": 15, "C": -20}
    assert result["not_positive"].to_dict() == {"A": 0, "B": 0, "C": 2}


def test_rows_without_customer_or_revenue_are_left_out():
    frame = pd.DataFrame({"customer_id": ["a", None, "b"], "revenue": [2.0, 9.0, None]})
    assert abc(frame)[["customers", "revenue"]].to_numpy().tolist() == [[1, 2], [0, 0], [0, 0]]
    assert concentration(frame)["n"].tolist() == [1]


@pytest.mark.parametrize("frame", [amounts(), amounts(a=0, b=-3)])
def test_without_a_positive_amount_shares_and_gini_are_missing(frame):
    assert abc(frame)["class"].tolist() == ["A", "B", "C"]
    assert abc(frame)["customers"].tolist() == [0, 0, len(frame)]
    assert abc(frame)["share"].isna().all()
    found = concentration(frame)
    assert found[["n", "positive"]].to_numpy().tolist() == [[len(frame), 0]]
    assert found[["gini", "top_10_share", "top_20_share"]].isna().all(axis=None)
    assert lorenz(frame).empty


@pytest.mark.parametrize("cuts", [(0.95, 0.8), (0, 0.5), (0.8, 1.2), (80, 95)])
def test_cuts_that_do_not_rise_between_0_and_1_are_refused(cuts):
    for call in (abc, abc_classes):
        with pytest.raises(MeasureError) as refused:
            call(amounts(a=1), cuts=cuts)
        assert str(refused.value) == (
            f"abc: cuts are {cuts}. Give two rising shares between 0 and 1, such as (0.8, 0.95)."
        )


def test_an_absent_column_is_named_by_the_measure_that_needs_it():
    frame = amounts(a=1).rename(columns={"revenue": "umsatz"})
    for measure in (abc, concentration, lorenz):
        with pytest.raises(MeasureError, match=rf"^{measure.__name__}: column 'revenue' is absent"):
            measure(frame)
    with pytest.raises(MeasureError, match=r"^rfm: column 'date' is absent"):
        rfm(amounts(a=1), as_of=AS_OF)


def test_gini_and_the_share_of_the_best_by_hand():
    # ascending 1, 2, 3, 14: Σi·x = 1 + 4 + 9 + 56 = 70; 2·70 / (4·20) - 5/4 = .5; the best of 4 brings 14 of 20
    found = concentration(amounts(a=3, b=14, c=1, d=2, e=0, f=-7))
    # net revenue 3 + 14 + 1 + 2 + 0 - 7 = 13
    assert found.loc[0].tolist() == pytest.approx([6, 13, 4, 0.5, 0.7, 0.7])


def test_the_best_tenth_is_rounded_up_to_whole_customers():
    # 11 customers of 1..11: the best 10 % are 2 (11 + 10), the best 20 % are 3 (+ 9), of 66
    found = concentration(amounts(**{f"c{number}": number for number in range(1, 12)}))
    assert found[["top_10_share", "top_20_share"]].to_numpy().tolist() == [[21 / 66, 30 / 66]]


def test_the_gini_of_large_amounts_does_not_overflow():
    # two of 10 and one of 20 thousand million: (2·(1 + 2 + 6)) / (3·4) - 4/3 = 1/6
    assert concentration(amounts(a=1e13, b=1e13, c=2e13))["gini"].tolist() == pytest.approx([1 / 6])


def test_the_lorenz_curve_runs_through_exact_points():
    curve = lorenz(amounts(a=3, b=14, c=1, d=2, e=-1), points=100)
    assert curve["customer_share"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert curve["revenue_share"].tolist() == pytest.approx([0, 0.05, 0.15, 0.3, 1])
    assert lorenz(amounts(a=3, b=14, c=1, d=2), points=2)["revenue_share"].tolist() == pytest.approx([0, 0.15, 1])


def test_a_curve_without_points_is_refused():
    with pytest.raises(MeasureError, match=r"^lorenz: points is 0\. Give at least 1\.$"):
        lorenz(amounts(a=1), points=0)


some_amounts = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-500, 5000)), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(rows=some_amounts, seed=st.integers(0, 99))
def test_classes_add_up_and_do_not_depend_on_the_order_of_rows(rows, seed):
    frame = pd.DataFrame(rows, columns=["customer_id", "cents"]).assign(revenue=lambda table: table["cents"] / 100)
    result = abc(frame)
    assert result["customers"].sum() == frame["customer_id"].nunique()
    assert round(result["revenue"].sum() * 100) == frame["cents"].sum()
    pd.testing.assert_frame_equal(result, abc(frame.sample(frac=1, random_state=seed)))


@settings(max_examples=25, deadline=None)
@given(rows=some_amounts)
def test_gini_is_twice_the_area_between_the_curve_and_the_diagonal(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "revenue"])
    curve = lorenz(frame)
    area = np.trapezoid(curve["revenue_share"], curve["customer_share"])
    gini = concentration(frame)["gini"].item()
    assert np.isnan(gini) if curve.empty else gini == pytest.approx(1 - 2 * area, abs=1e-12)


def orders(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "revenue", "transaction_id"])
    return frame.assign(date=pd.to_datetime(frame["date"]))


def ledger() -> pd.DataFrame:
    return orders(
        ("a", "2026-03-31", 10.0, "1"),  # yesterday
        ("a", "2026-03-31", 5.0, "1"),  # the same order
        ("a", "2026-03-31", 5.0, "2"),
        ("a", "2026-04-01", 99.0, "3"),  # not yet known
        ("b", "2026-03-01", 20.0, "4"),
        ("b", "2026-03-20", -5.0, "5"),  # a return: money only
        ("c", "2026-03-30", -1.0, "6"),  # known by a return alone
        ("d", "2026-04-02", 7.0, "7"),  # not yet a customer
    )


def test_recency_frequency_and_money_by_hand():
    scores = rfm_scores(ledger(), as_of=AS_OF).order_by("customer_id").execute()
    assert scores["customer_id"].tolist() == ["a", "b", "c"]
    assert scores["recency_days"].tolist()[:2] == [1, 31]
    assert scores["recency_days"].isna().tolist() == [False, False, True]
    assert scores["frequency"].tolist() == [2, 1, 0]
    assert scores["money"].tolist() == [20, 15, -1]
    # 1 + ⌊5·w / 3⌋ for w = 2, 1, 0 strictly worse
    for score in ("recency_score", "frequency_score", "monetary_score"):
        assert scores[score].tolist() == [4, 2, 1]


def test_without_order_ids_frequency_counts_purchase_days():
    for frame in (ledger().drop(columns="transaction_id"), ledger().assign(transaction_id=None)):
        assert rfm_scores(frame, as_of=AS_OF).order_by("customer_id").execute()["frequency"].tolist() == [1, 1, 0]


def test_equal_customers_get_equal_scores_and_the_worst_of_a_tie_decides():
    frame = orders(*((name, "2026-03-01", money, name) for name, money in zip("abcd", [1, 5, 5, 9], strict=True)))
    scores = rfm_scores(frame, as_of=AS_OF, bins=4).order_by("customer_id").execute()
    assert scores["recency_score"].tolist() == [1, 1, 1, 1]  # none is strictly worse
    assert scores["monetary_score"].tolist() == [1, 2, 2, 4]  # 1 + ⌊4·w / 4⌋ for w = 0, 1, 1, 3


def test_cells_hold_their_customers_money_and_means():
    frame = orders(
        ("a", "2026-03-31", 30.0, "1"),
        ("b", "2026-03-31", 30.0, "2"),
        ("c", "2026-03-02", 1.0, "3"),
        ("d", "2026-03-01", 2.0, "4"),
    )
    cells = rfm(frame, as_of=AS_OF, bins=2)
    assert cells.to_dict("list") == {
        "recency_score": [1, 2],
        "frequency_score": [1, 1],
        "monetary_score": [1, 2],
        "customers": [2, 2],
        "revenue": [3, 60],
        "mean_recency_days": [30.5, 1],
        "mean_frequency": [1, 1],
        "mean_money": [1.5, 30],
    }


def test_times_of_day_do_not_count():
    frame = orders(
        ("a", "2026-03-31 23:59", 1.0, None), ("a", "2026-03-31 08:00", 1.0, None), ("a", "2026-04-01 00:00", 1.0, None)
    )
    found = rfm(frame, as_of=AS_OF)
    assert found[["mean_recency_days", "mean_frequency", "mean_money"]].to_numpy().tolist() == [[1, 1, 2]]


def test_nothing_known_before_the_day_gives_no_cells():
    found = rfm(ledger(), as_of=dt.date(2020, 1, 1))
    assert found.empty
    assert "mean_money" in found.columns


def test_no_bins_are_refused():
    with pytest.raises(MeasureError, match=r"^rfm: bins is 0\. Give at least 1, usually 5\.$"):
        rfm(ledger(), as_of=AS_OF, bins=0)


some_orders = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.integers(1, 28), st.integers(-3, 9), st.sampled_from(["1", "2", "3"])),
    min_size=1,
    max_size=20,
)


def scores_in_python(frame: pd.DataFrame, bins: int) -> pd.DataFrame:
    bought = frame[frame["revenue"] >= 0].groupby("customer_id")
    values = pd.DataFrame({"money": frame.groupby("customer_id")["revenue"].sum()})
    values["last"] = bought["date"].max()
    values["frequency"] = bought["transaction_id"].nunique()
    values = values.fillna({"frequency": 0, "last": pd.Timestamp("1900-01-01")})
    return values.apply(lambda column: 1 + bins * (column.rank(method="min").astype("int64") - 1) // len(column))


@settings(max_examples=25, deadline=None)
@given(rows=some_orders, bins=st.integers(1, 6), seed=st.integers(0, 99))
def test_scores_are_those_of_pandas_whatever_the_order_of_rows(rows, bins, seed):
    frame = orders(*((who, f"2026-03-{day:02d}", float(money), order) for who, day, money, order in rows))
    shuffled = frame.sample(frac=1, random_state=seed)
    found = rfm_scores(shuffled, as_of=AS_OF, bins=bins).order_by("customer_id").execute()
    expected = scores_in_python(frame, bins)
    assert found["recency_score"].tolist() == expected["last"].tolist()
    assert found["frequency_score"].tolist() == expected["frequency"].tolist()
    assert found["monetary_score"].tolist() == expected["money"].tolist()
    cells = rfm(frame, as_of=AS_OF, bins=bins)
    assert cells["customers"].sum() == len(expected)
    assert cells["revenue"].sum() == frame["revenue"].sum()


def test_the_measures_leave_their_frames_as_they_were():
    frame = ledger()
    for measure in (abc, concentration, lorenz):
        measure(frame)
    rfm(frame, as_of=AS_OF)
    pd.testing.assert_frame_equal(frame, ledger())


def test_text_is_ordered_by_its_bytes_in_postgresql():
    customers = ops.DatabaseTable(
        name="customers", schema=ibis.schema({"customer_id": "string"}), source=ibis.postgres
    ).to_expr()
    sql = ibis.to_sql(customers.order_by(binary_order(customers, "customer_id")), dialect="postgres")
    assert """CONVERT_TO("t0"."customer_id", 'UTF8') ASC""" in sql


def cdnow(public_data: Path) -> pd.DataFrame:
    path = public_data / "cdnow" / "CDNOW_sample.txt"
    columns = ["master", "customer_id", "date", "quantity", "revenue"]
    frame = pd.read_csv(path, sep=r"\s+", header=None, names=columns, dtype={"customer_id": str, "date": str})
    return frame.assign(date=pd.to_datetime(frame["date"], format="%Y%m%d"))


def test_cdnow_has_the_classes_and_concentration_of_a_pandas_calculation(public_data: Path):
    frame = cdnow(public_data)
    cents = (frame["revenue"] * 100).round().astype("int64").groupby(frame["customer_id"]).sum()
    before = cents.sort_values(ascending=False, kind="stable").pipe(lambda best: best.cumsum() - best) / cents.sum()
    result = abc(frame)
    assert result["customers"].sum() == 2357
    assert result["customers"].tolist()[0] == (before < 0.8).sum()
    assert result["customers"].tolist()[1] == ((before >= 0.8) & (before < 0.95) & (cents[before.index] > 0)).sum()
    # Gini as the mean absolute difference over twice the mean
    positive = cents[cents > 0].to_numpy(dtype="float64")
    gini = np.abs(positive[:, None] - positive).mean() / (2 * positive.mean())
    assert concentration(frame)["gini"].item() == pytest.approx(gini, abs=1e-12)


def test_cdnow_scores_are_those_of_pandas(public_data: Path):
    frame = cdnow(public_data).assign(transaction_id=lambda rows: rows["date"].astype(str))
    expected = scores_in_python(frame.assign(revenue=(frame["revenue"] * 100).round()), 5)
    found = (
        rfm_scores(frame.drop(columns="transaction_id"), as_of=dt.date(1998, 7, 1)).order_by("customer_id").execute()
    )
    assert found["recency_score"].tolist() == expected["last"].tolist()
    assert found["frequency_score"].tolist() == expected["frequency"].tolist()
    assert found["monetary_score"].tolist() == expected["money"].tolist()


@pytest.mark.parametrize(
    ("gains", "losses", "positive", "has_gini"),
    [(20, 0, 20, True), (20, 3, None, True), (20, 5, 20, True), (3, 9, None, False), (0, 9, 0, False)],
)
def test_few_who_brought_revenue_and_few_who_did_not_are_not_counted(gains, losses, positive, has_gini):
    amounts = [float(number + 1) for number in range(gains)] + [-1.0] * losses
    rows = pd.DataFrame({"customer_id": [f"k{number:02d}" for number in range(len(amounts))], "revenue": amounts})
    found = concentration(rows, smallest=5).iloc[0]
    assert found["n"] == gains + losses
    assert pd.isna(found["positive"]) if positive is None else found["positive"] == positive
    assert pd.notna(found["gini"]) == has_gini


@pytest.mark.parametrize("gains", [0, 4])
def test_a_curve_of_too_few_has_no_rows(gains):
    rows = pd.DataFrame({"customer_id": list("abcdef")[: gains + 1], "revenue": [5.0] * gains + [-1.0]})
    assert lorenz(rows, smallest=5).empty
