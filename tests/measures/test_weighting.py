"""Raking a sample to the make-up of the customer base."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
import raked_sample
from scipy.optimize import minimize

from analysis.errors import MeasureError
from analysis.measures.weighting import margins_of, rake, weighted

SHARES = {"region": {"Nord": 0.3, "Süd": 0.4, "West": 0.3}, "channel": {"Laden": 0.5, "Web": 0.5}}


def sampled(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    rows = [cell for cell, n in counts.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["region", "channel"])


def four_cells() -> pd.DataFrame:
    return sampled({("Nord", "Laden"): 4, ("Nord", "Web"): 2, ("Süd", "Laden"): 2, ("Süd", "Web"): 4})


def sums(cells: pd.DataFrame, column: str) -> dict[str, float]:
    return (cells["n"] * cells["weight"]).groupby(cells[column]).sum().to_dict()


def refused(*args: object, **settings: object) -> str:
    with pytest.raises(MeasureError) as found:
        rake(*args, **settings)
    return str(found.value)


def test_a_table_of_two_by_two_is_raked_as_by_hand():
    # a weight is a factor of its region times one of its channel. With 2 and 1, and 1.5 and 1:
    #          Laden     Web
    # Nord   4 · 3     2 · 2    16
    # Süd    2 · 1.5   4 · 1     7
    #         15        8       23
    cells = rake(four_cells(), {"region": {"Nord": 16, "Süd": 7}, "channel": {"Laden": 15, "Web": 8}})
    assert list(cells.columns) == ["region", "channel", "n", "weight"]
    assert cells[["region", "channel", "n"]].to_numpy().tolist() == [
        ["Nord", "Laden", 4],
        ["Nord", "Web", 2],
        ["Süd", "Laden", 2],
        ["Süd", "Web", 4],
    ]
    assert cells["weight"].tolist() == pytest.approx([3, 2, 1.5, 1], rel=1e-9)


def test_weights_are_those_of_r():
    cells = rake(raked_sample.answers(), raked_sample.TARGETS)
    found = dict(zip(zip(cells["region"], cells["channel"], strict=True), cells["weight"], strict=True))
    assert found == pytest.approx(raked_sample.CELL_WEIGHTS, rel=1e-9)


def test_the_standard_errors_of_r_follow_from_the_weights_by_the_formula_of_the_weighted_score():
    # sqrt(n/(n-1) · Σ(we)²) / Σw; in the region Nord e is x less its mean there and 0 elsewhere
    sample = raked_sample.answers()
    rows = weighted(sample, rake(sample, raked_sample.TARGETS)).execute()
    x, w, inside = rows["x"], rows["weight"], rows["region"] == "Nord"
    deviation = x - np.average(x, weights=w)
    in_north = (x - np.average(x[inside], weights=w[inside])).where(inside, 0)
    dummies = pd.get_dummies(rows[["region", "channel"]], dtype="float64").to_numpy()
    root = np.sqrt(w.to_numpy())[:, None]

    def se(e: np.ndarray, total: float) -> float:
        return float(np.sqrt(40 / 39 * ((w * e) ** 2).sum()) / total)

    def unexplained(e: pd.Series) -> np.ndarray:
        return e - dummies @ np.linalg.lstsq(dummies * root, e * root[:, 0], rcond=None)[0]

    assert se(deviation, w.sum()) == pytest.approx(raked_sample.SE_PLAIN["all"], rel=1e-8)
    assert se(in_north, w[inside].sum()) == pytest.approx(raked_sample.SE_PLAIN["Nord"], rel=1e-8)
    assert se(unexplained(deviation), w.sum()) == pytest.approx(raked_sample.SE_MARGINS["all"], rel=1e-8)
    assert se(unexplained(in_north), w[inside].sum()) == pytest.approx(raked_sample.SE_MARGINS["Nord"], rel=1e-8)


def test_shares_give_weights_of_mean_one_and_counts_weights_that_sum_to_them():
    by_share, by_count = rake(raked_sample.answers(), SHARES), rake(raked_sample.answers(), raked_sample.TARGETS)
    assert (by_share["n"] * by_share["weight"]).sum() == pytest.approx(40, rel=1e-9)
    assert (by_count["weight"] / by_share["weight"]).tolist() == pytest.approx([25] * 6, rel=1e-9)


def test_every_margin_holds_to_ten_digits():
    draw = np.random.default_rng(1)
    sample = pd.DataFrame({name: draw.choice(list("abcd"), 500, p=[0.1, 0.2, 0.3, 0.4]) for name in "xyz"})
    targets = {name: dict(zip("abcd", draw.dirichlet([5] * 4), strict=True)) for name in "xyz"}
    cells = rake(sample, targets)
    for name in "xyz":
        assert sums(cells, name) == pytest.approx(
            {level: 500 * share for level, share in targets[name].items()}, 1.01e-10
        )


def test_targets_that_sum_to_a_millionth_are_scaled():
    cells = rake(four_cells(), {"region": {"Nord": 0.5 + 9e-7, "Süd": 0.5}, "channel": {"Laden": 0.5, "Web": 0.5}})
    assert (cells["n"] * cells["weight"]).sum() == pytest.approx(12, rel=1e-10)


def test_one_margin_is_post_stratification():
    assert rake(four_cells().iloc[:8], {"region": {"Süd": 0.75, "Nord": 0.25}})["weight"].tolist() == [
        pytest.approx(2 / 6),
        pytest.approx(6 / 2),
    ]


def test_targets_the_sample_already_meets_leave_weights_of_one():
    cells = rake(four_cells(), {"region": {"Nord": 0.5, "Süd": 0.5}, "channel": {"Laden": 0.5, "Web": 0.5}})
    assert cells["weight"].tolist() == [1, 1, 1, 1]


def test_order_of_rows_kind_of_table_and_kind_of_targets_do_not_matter_and_arguments_stay():
    sample, before = raked_sample.answers(), raked_sample.answers()
    series = {column: pd.Series(target) for column, target in SHARES.items()}
    cells = rake(sample, SHARES)
    pd.testing.assert_frame_equal(cells, rake(sample.sample(frac=1, random_state=3), SHARES))
    pd.testing.assert_frame_equal(cells, rake(ibis.memtable(sample), series))
    pd.testing.assert_frame_equal(sample, before)


def test_levels_may_be_numbers_or_truth_values():
    sample = pd.DataFrame({"class": [1, 1, 2], "member": [True, False, False]})
    cells = rake(sample, {"class": {1: 2, 2: 2}, "member": {True: 1, False: 3}})
    assert cells["weight"].tolist() == pytest.approx([1, 1, 2])
    assert cells["member"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("trim", "weights"),
    [
        # calibrate(u, ~region+channel, c(40, 16, 12, 20), calfun="raking", bounds=c(.1, 3.2), epsilon=1e-12)
        ((0.1, 3.2), [1.062944000, 0.417830000, 1.914213333, 0.752453333, 3.2, 1.466666667]),
        # the same with bounds=c(.43, 3.3)
        ((0.43, 3.3), [1.024, 0.43, 1.93, 0.736666667, 3.3, 1.45]),
    ],
)
def test_trimmed_weights_are_those_of_r(trim, weights):
    cells = rake(raked_sample.answers(), SHARES, trim=trim)
    assert cells["weight"].tolist() == pytest.approx(weights, abs=5e-9)


def where_a_weight_is_cut_for_a_while_only() -> tuple[pd.DataFrame, dict[str, dict[str, float]], tuple[float, float]]:
    counts = {("a", "x"): 1, ("a", "y"): 6, ("b", "x"): 8, ("b", "y"): 2, ("c", "x"): 3, ("c", "y"): 6}
    targets = {"region": {"a": 0.42, "b": 0.17, "c": 0.41}, "channel": {"x": 0.18, "y": 0.82}}
    return sampled(counts), targets, (0.3, 2.8)


@pytest.mark.parametrize(
    "asked", [(raked_sample.answers(), SHARES, (0.4, 2.5)), where_a_weight_is_cut_for_a_while_only()]
)
def test_trimmed_weights_satisfy_margins_and_bounds_and_are_nearest_to_the_untrimmed(asked):
    sample, targets, trim = asked
    cells, untrimmed = rake(sample, targets, trim=trim), rake(sample, targets)["weight"].to_numpy()
    assert cells["weight"].between(*trim).all()
    goals = {level: len(sample) * share for target in targets.values() for level, share in target.items()}
    for column, target in targets.items():
        assert sums(cells, column) == pytest.approx({level: goals[level] for level in target}, rel=1.01e-10)
    n = cells["n"].to_numpy()
    summed = n * pd.get_dummies(cells[["region", "channel"]], dtype="float64").to_numpy().T[:4]
    nearest = minimize(
        lambda w: (n * (w * np.log(w / untrimmed) - w)).sum(),
        untrimmed.clip(*trim),
        bounds=[trim] * 6,
        constraints={"type": "eq", "fun": lambda w: summed @ w - list(goals.values())[:4]},
        tol=1e-12,
    )
    assert cells["weight"].tolist() == pytest.approx(nearest.x.tolist(), abs=1e-5)


def test_bounds_are_multiples_of_the_mean_whatever_the_weights_sum_to():
    by_share = rake(raked_sample.answers(), SHARES, trim=(0.4, 2.5))["weight"]
    by_count = rake(raked_sample.answers(), raked_sample.TARGETS, trim=(0.4, 2.5))["weight"]
    assert (by_count / by_share).tolist() == pytest.approx([25] * 6, rel=1e-8)


def test_bounds_that_no_weight_reaches_change_nothing():
    sample = raked_sample.answers()
    pd.testing.assert_frame_equal(rake(sample, SHARES, trim=(0, np.inf)), rake(sample, SHARES))


def test_without_trim_no_weight_is_cut():
    assert rake(sampled({("Nord", "Web"): 99, ("Süd", "Web"): 1}), {"region": {"Nord": 0.5, "Süd": 0.5}})[
        "weight"
    ].max() == pytest.approx(50)


def test_a_level_out_of_reach_of_the_bound_is_named():
    # West: 12 of 40 for 7 respondents, so 1.71 each
    assert refused(raked_sample.answers(), SHARES, trim=(0.2, 1.6)) == (
        "rake: trim and margin 'region' cannot both hold: beyond the highest (1.6) lies the mean weight, in multiples, "
        "that these levels need: 'West' 1.71. Widen that bound, or merge these levels with others."
    )
    assert (
        "beyond the lowest (0.6) lies the mean weight, in multiples, that these levels need: 'Nord' 0.571"
        in refused(raked_sample.answers(), SHARES, trim=(0.6, 9))
    )


def test_bounds_that_only_several_margins_together_break_are_refused_with_their_cells():
    # Nord 12 of 21 at .5 or more leaves its shop .8 or less: with 1.9 elsewhere the shops reach 17.3 of 20
    assert refused(raked_sample.answers(), SHARES, trim=(0.5, 1.9)) == (
        "rake: trim and margins cannot both hold: after 10000 rounds margin 'channel' is still 0.093 of a target off, "
        "with the weights of cells at the lowest (0.5) ('Nord', 'Web'), "
        "at the highest (1.9) ('Süd', 'Laden'), ('West', 'Laden'). Widen the bounds, or merge levels."
    )


@pytest.mark.parametrize("trim", [(1, 3), (0.3, 1), (-0.1, 3), (3, 0.3), (float("nan"), 3)])
def test_bounds_that_do_not_embrace_the_mean_are_refused(trim):
    assert refused(four_cells(), {"region": {"Nord": 0.5, "Süd": 0.5}}, trim=trim) == (
        f"rake: trim is {trim!r}. Give multiples of the mean weight around 1, such as (0.3, 3)."
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            {"Nord": 0.5, "Süd": 0.3, "Ost": 0.2},
            "levels of 'region' have a target but no respondents: 'Ost'. "
            "Merge them with others, in targets and sample alike.",
        ),
        (
            {"Nord": 1.0},
            "levels of 'region' have respondents but no target: 'Süd'. "
            "Give them targets, or leave these respondents out.",
        ),
        (
            {"Nord": 1.0, "Süd": 0.0},
            "levels of 'region' have targets that are not numbers above 0: 'Süd'. "
            "Leave out levels that no customer has.",
        ),
        (
            {"Nord": None, "Süd": -1},
            "levels of 'region' have targets that are not numbers above 0: 'Nord', 'Süd'. "
            "Leave out levels that no customer has.",
        ),
        (
            pd.Series([1, 1, 2], ["Nord", "Nord", "Süd"]),
            "levels of 'region' have more than one target: 'Nord'. Give one to each level.",
        ),
        (
            {"Nord": 0.5, "Süd": 0.4},
            "the targets do not sum: 'region' to 0.9. Shares sum to 1 in every margin, counts to the same total.",
        ),
    ],
)
def test_a_faulty_target_is_named(target, message):
    assert refused(four_cells(), {"region": target}) == f"rake: {message}"


def test_margins_of_different_totals_are_refused():
    targets = {"region": {"Nord": 60, "Süd": 40}, "channel": {"Laden": 60, "Web": 41}}
    assert refused(four_cells(), targets) == (
        "rake: the targets do not sum: 'region' to 100, 'channel' to 101. "
        "Shares sum to 1 in every margin, counts to the same total."
    )


def test_combinations_without_respondents_that_stop_convergence_are_refused_with_their_margin():
    # all of Nord come from the shop and all of Süd from the web: 70 and 30 cannot be 50 and 50
    sample = sampled({("Nord", "Laden"): 3, ("Süd", "Web"): 3})
    message = refused(sample, {"region": {"Nord": 0.7, "Süd": 0.3}, "channel": {"Laden": 0.5, "Web": 0.5}})
    assert message == (
        "rake: no weights satisfy all margins: after 10000 rounds margin 'region' is still 0.67 of a target off. "
        "Combinations without respondents stand in the way: merge levels, or leave out a margin."
    )


def test_combinations_without_respondents_that_leave_a_way_are_raked():
    # Nord only from the shop: 3 · a = 30; Süd: shop 50 − 30 = 20, web 50
    sample = sampled({("Nord", "Laden"): 3, ("Süd", "Laden"): 1, ("Süd", "Web"): 5})
    cells = rake(sample, {"region": {"Nord": 30, "Süd": 70}, "channel": {"Laden": 50, "Web": 50}})
    assert cells["weight"].tolist() == pytest.approx([10, 20, 10])


def test_missing_levels_are_refused_with_their_number():
    sample = four_cells().assign(region=["Nord", None, *["Süd"] * 10])
    assert refused(sample, {"region": {"Nord": 0.5, "Süd": 0.5}}) == (
        "rake: missing values: 'region' of 1 of 12 respondents. Leave them out, or give them a level that has a target."
    )


def test_nobody_cannot_be_raked_nor_can_nothing():
    assert refused(four_cells().iloc[:0], {"region": {"Nord": 1}}) == (
        "rake: the sample has no rows. Hand in the respondents, one row each."
    )
    assert refused(four_cells(), {}) == ("rake: there are no targets. Name at least one margin with its levels.")


def test_an_absent_margin_is_named_with_the_nearest():
    assert refused(four_cells(), {"Region": {"Nord": 1}}) == (
        "rake: column 'Region' is absent; the table has: region, channel. Did you mean 'region'?"
    )


def test_a_margin_called_as_a_column_of_the_result_is_refused():
    assert refused(pd.DataFrame({"n": [1]}), {"n": {1: 1}}) == (
        "rake: a margin is called 'n', as a column of the result. Rename it."
    )


def test_margins_of_the_customer_base_are_targets():
    customers = sampled({("Nord", "Laden"): 30, ("Nord", "Web"): 10, ("Süd", "Web"): 60})
    margins = margins_of(customers, ["region", "channel"])
    assert {column: margin.to_dict() for column, margin in margins.items()} == {
        "region": {"Nord": 40, "Süd": 60},
        "channel": {"Laden": 30, "Web": 70},
    }
    assert sums(rake(four_cells(), margins), "channel") == pytest.approx({"Laden": 30, "Web": 70})


def test_customers_with_a_missing_level_are_left_out_of_all_margins_and_counted():
    customers = pd.DataFrame({"region": ["Nord", "Süd", None, "Süd"], "class": [1.0, np.nan, 2.0, 2.0]})
    margins = margins_of(customers, ("region", "class"))
    assert margins["region"].to_dict() == {"Nord": 1, "Süd": 1}
    assert margins["class"].to_dict() == {1: 1, 2: 1}
    assert margins["region"].attrs == margins["class"].attrs == {"left_out": 2}


def test_margins_of_one_column_need_no_list():
    assert margins_of(four_cells(), "region")["region"].to_dict() == {"Nord": 6, "Süd": 6}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((), "no column is named. Name those whose make-up is to be kept."),
        ("regio", "column 'regio' is absent; the table has: region, channel. Did you mean 'region'?"),
        (["region", "channel"], "no customer has a value in all of region, channel. Name fewer columns."),
    ],
)
def test_margins_of_nothing_are_refused(columns, message):
    customers = pd.DataFrame({"region": ["Nord", None], "channel": [None, "Web"]})
    with pytest.raises(MeasureError) as found:
        margins_of(customers, columns)
    assert str(found.value) == f"margins_of: {message}"


def test_each_respondent_gets_the_weight_of_its_cell():
    sample = raked_sample.answers().assign(id=range(40))
    cells = rake(sample, raked_sample.TARGETS)
    rows = weighted(sample, cells).execute().sort_values("id", ignore_index=True)
    assert list(rows.columns) == [*sample.columns, "weight"]
    pd.testing.assert_frame_equal(rows.drop(columns="weight"), sample)
    expected = [raked_sample.CELL_WEIGHTS[cell] for cell in zip(rows["region"], rows["channel"], strict=True)]
    assert rows["weight"].tolist() == pytest.approx(expected, rel=1e-9)


def test_a_respondent_of_no_cell_has_no_weight():
    cells = rake(four_cells(), {"region": {"Nord": 0.5, "Süd": 0.5}})
    sample = pd.DataFrame({"region": ["Nord", None, "Ost"]})
    assert weighted(sample, cells).execute()["weight"].notna().sum() == 1


def test_a_sample_that_has_weights_or_lacks_a_margin_is_refused():
    cells = rake(four_cells(), {"region": {"Nord": 0.5, "Süd": 0.5}})
    with pytest.raises(MeasureError) as found:
        weighted(four_cells().assign(weight=1), cells)
    assert str(found.value) == "weighted: the sample has a column 'weight' already. Drop or rename it."
    with pytest.raises(MeasureError) as found:
        weighted(four_cells()[["channel"]], cells)
    assert str(found.value) == "weighted: column 'region' is absent; the table has: channel."
