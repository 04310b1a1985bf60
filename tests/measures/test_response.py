"""Response rates, how answerers differ from others, and bounds for those who kept silent."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.nps import nps
from analysis.measures.response import nonresponse, nonresponse_bounds, nps_of_base, response_rates
from analysis.pilot import model
from analysis.pilot.simulate import blocks

SENT, ANSWERED = pd.Timestamp("2026-02-10 09:00"), pd.Timestamp("2026-02-12 17:00")
NO_INVITATIONS = "cannot be computed: no invitations"


def invitations(*, answered: int, silent: int, uninvited: int = 0, region: str = "Nord") -> pd.DataFrame:
    rows = [(SENT, ANSWERED)] * answered + [(SENT, None)] * silent + [(None, ANSWERED)] * uninvited
    frame = pd.DataFrame(rows, columns=["sent_at", "answered_at"]).astype("datetime64[us]")
    return frame.assign(region=region)


def test_the_rate_is_answered_of_invited_with_its_wilson_interval():
    found = response_rates(invitations(answered=12, silent=28, uninvited=3))
    assert list(found.columns) == ["invited", "answered", "not_invited", "rate", "low", "high", "status"]
    assert found[["invited", "answered", "not_invited", "rate", "status"]].to_numpy().tolist() == [
        [40, 12, 3, 0.3, "computed"]
    ]
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx(proportion_confint(12, 40, method="wilson"))


def test_without_invitations_there_is_no_rate():
    for frame in (
        invitations(answered=0, silent=0, uninvited=30),
        invitations(answered=0, silent=0, uninvited=30).drop(columns="sent_at"),
    ):
        found = response_rates(frame)
        assert found[["invited", "answered", "not_invited"]].to_numpy().tolist() == [[0, 0, 30]]
        assert found[["rate", "low", "high"]].isna().all(axis=None)
        assert found["status"].tolist() == [NO_INVITATIONS]
    nobody = response_rates(invitations(answered=0, silent=0))
    assert nobody[["invited", "status"]].to_numpy().tolist() == [[0, NO_INVITATIONS]]


@pytest.mark.parametrize(("invited", "status"), [(19, "computed"), (20, "every invitation answered")])
def test_a_rate_of_one_stands_but_from_20_invitations_on_it_is_named(invited, status):
    found = response_rates(invitations(answered=invited, silent=0))
    assert found[["rate", "status"]].to_numpy().tolist() == [[1, status]]
    assert found["low"].item() < 1


def test_groups_are_sorted_each_with_its_own_status_and_the_missing_group_last():
    frame = pd.concat(
        [
            invitations(answered=2, silent=2, region="Süd"),
            invitations(answered=1, silent=0, region=None),
            invitations(answered=0, silent=5, region="Nord"),
            invitations(answered=0, silent=0, uninvited=2, region="Ost"),
        ]
    )
    found = response_rates(frame, by="region")
    assert found["region"].tolist()[:3] == ["Nord", "Ost", "Süd"]
    assert found["region"].isna().tolist() == [False] * 3 + [True]
    np.testing.assert_array_equal(found["rate"], [0, np.nan, 0.5, 1])
    assert found["status"].tolist() == ["computed", NO_INVITATIONS, "computed", "computed"]
    both = response_rates(frame.assign(wave="a"), by=["wave", "region"])
    pd.testing.assert_frame_equal(both.drop(columns="wave"), found)


@pytest.mark.parametrize("rating", ["nps", "csat", "ces", "rating_Qualität"])
def test_a_rating_is_an_answer_with_or_without_its_time(rating):
    frame = pd.DataFrame({"sent_at": [SENT] * 4, rating: [3.0, None, 0.0, None]})
    assert response_rates(frame)["answered"].tolist() == [2]
    timed = frame.assign(answered_at=pd.to_datetime([None, ANSWERED, ANSWERED, None]))
    assert response_rates(timed)["answered"].tolist() == [3]
    assert response_rates(frame.assign(**{rating: np.nan}))["answered"].tolist() == [0]


def test_a_table_that_cannot_tell_answers_is_refused():
    with pytest.raises(MeasureError) as refused:
        response_rates(pd.DataFrame({"sent_at": [SENT], "comment": ["gut"]}))
    assert str(refused.value) == (
        "response_rates: no column tells whether an invitation was answered; the table has: sent_at, comment. "
        "Map answered_at, or a rating: nps, csat, ces or rating_*."
    )
    with pytest.raises(MeasureError, match=r"^response_rates: column 'regoin' is absent"):
        response_rates(invitations(answered=1, silent=1), by="regoin")
    with pytest.raises(MeasureError, match=r"^response_rates: confidence is 95"):
        response_rates(invitations(answered=1, silent=1), confidence=95)


def customers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": list("abcdefgh"),
            "region": ["Süd", "Süd", "Süd", "Nord", "Süd", "Nord", "Nord", "Nord"],
            "age": [30.0, 40.0, 50.0, 60.0, None, 70.0, 20.0, 50.0],
            "name": [f"Kundin {letter}" for letter in "ABCDEFGH"],
        }
    )


def asked() -> pd.DataFrame:
    """Return a, b, c, d who answered at least once, e and f who did not, g who answered unasked; h was not asked."""
    rows = [
        ("a", SENT, 9),
        ("a", SENT, None),
        ("b", SENT, None),
        ("b", SENT, 3),
        ("c", SENT, 7),
        ("d", SENT, 10),
        ("e", SENT, None),
        ("f", SENT, None),
        ("f", None, 8),
        ("g", None, 8),
        ("z", SENT, 8),
        (None, SENT, 1),
    ]
    return pd.DataFrame(rows, columns=["customer_id", "sent_at", "nps"])


def test_answerers_are_compared_with_those_asked_and_with_all():
    found = nonresponse(customers(), asked())
    assert list(found.columns) == [
        *("attribute", "level", "unit", "answered", "asked", "all"),
        *("difference_asked", "asked_low", "asked_high", "difference_all", "all_low", "all_high"),
        *("n_answered", "n_asked", "n_all", "status"),
    ]
    assert found["attribute"].tolist() == ["age", "region", "region"]
    assert found["level"].tolist()[1:] == ["Nord", "Süd"]
    # age: 30 40 50 60 answered, 70 asked beside (e's is missing), 20 and 50 besides
    # Süd: 3 of 4 answered, 4 of 6 asked, 4 of 8 in all
    assert found["answered"].tolist() == [45, 0.25, 0.75]
    assert found["asked"].tolist() == pytest.approx([50, 1 / 3, 2 / 3])
    assert found["all"].tolist() == pytest.approx([320 / 7, 0.5, 0.5])
    assert found[["n_answered", "n_asked", "n_all"]].to_numpy().tolist() == [[4, 5, 7], [4, 6, 8], [4, 6, 8]]
    # asked: (45 - 50)/√(1000/4) = -.316228, ∓(1/12)/√(2/9); all: variance of 30 40 50 60 70 20 50 with divisor 6
    assert found["difference_asked"].tolist() == pytest.approx([-0.316228, -0.176777, 0.176777], abs=1e-6)
    spread = np.std([30, 40, 50, 60, 70, 20, 50], ddof=1)
    assert found["difference_all"].tolist() == pytest.approx([(45 - 320 / 7) / spread, -0.5, 0.5])
    # half-widths: z·√((1 - 4/5)/4) for age, z·√((1 - 4/6)/4) for region; of all z·√((1 - 4/8)/4)
    assert (found["asked_high"] - found["difference_asked"]).tolist() == pytest.approx(
        [0.438261, 0.565793, 0.565793], abs=1e-6
    )
    assert (found["difference_all"] - found["all_low"]).tolist()[1:] == pytest.approx([0.692952] * 2, abs=1e-6)
    assert set(found["status"]) == {"computed"}


def test_what_cannot_be_compared_is_counted_and_named():
    found = nonresponse(customers(), asked())
    assert found.attrs == {
        "left_out": {"name": "differs from customer to customer"},
        "anonymous": 1,
        "unknown": 1,
        "not_invited": 2,
    }


def test_without_invitations_only_the_difference_to_all_customers_is_given():
    for surveys in (asked().drop(columns="sent_at"), asked().assign(sent_at=pd.NaT)):
        found = nonresponse(customers(), surveys, attributes="region")
        assert found["n_answered"].tolist() == [6, 6]  # a b c d f g
        assert found["n_asked"].tolist() == [0, 0]
        assert found[["asked", "difference_asked", "asked_low", "asked_high"]].isna().all(axis=None)
        assert found["answered"].tolist() == [0.5, 0.5]
        assert found["difference_all"].tolist() == [0, 0]
        assert found["all_high"].tolist() == pytest.approx([1.959964 * (0.25 / 6) ** 0.5] * 2)
        assert set(found["status"]) == {NO_INVITATIONS}


def test_where_all_who_were_asked_answered_they_do_not_differ_from_themselves_and_the_status_says_so():
    ids = [f"c{number}" for number in range(20)]
    people = pd.DataFrame({"customer_id": [*ids, "x", "y"], "region": ["Nord", "Süd"] * 11})
    found = nonresponse(people, pd.DataFrame({"customer_id": ids, "sent_at": SENT, "nps": 9}))
    assert found[["difference_asked", "asked_low", "asked_high"]].to_numpy().tolist() == [[0] * 3] * 2
    assert set(found["status"]) == {"every invitation answered"}


def test_nobody_who_answered_makes_nothing_to_compare():
    found = nonresponse(customers(), asked().assign(nps=np.nan))
    assert found["n_answered"].tolist() == [0] * 3
    assert found["n_asked"].tolist() == [5, 6, 6]
    assert found[["answered", "difference_asked", "all_low"]].isna().all(axis=None)


def test_customers_without_attributes_make_no_rows():
    found = nonresponse(customers()[["customer_id"]], asked())
    assert len(found) == 0
    assert "difference_asked" in found.columns
    assert found.attrs["unknown"] == 1


def test_arguments_stay_as_they_are_and_frames_tables_and_any_order_of_rows_give_the_same():
    people, surveys = customers(), asked()
    found = nonresponse(people, surveys)
    pd.testing.assert_frame_equal(people, customers())
    pd.testing.assert_frame_equal(surveys, asked())
    shuffled = nonresponse(people.sample(frac=1, random_state=1), surveys.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(shuffled, found)
    engine = ibis.duckdb.connect()
    tables = [engine.create_table(name, rows) for name, rows in (("customers", people), ("surveys", surveys))]
    pd.testing.assert_frame_equal(nonresponse(*tables), found)
    pd.testing.assert_frame_equal(nonresponse(tables[0], surveys), found)
    assert nonresponse(*tables).attrs == found.attrs


def test_nonresponse_names_what_is_wrong():
    with pytest.raises(MeasureError, match=r"^nonresponse: column 'customer_id' is absent"):
        nonresponse(customers(), asked().drop(columns="customer_id"))
    with pytest.raises(MeasureError, match=r"^nonresponse: column 'regoin' is absent"):
        nonresponse(customers(), asked(), attributes="regoin")
    with pytest.raises(MeasureError, match=r"^nonresponse: confidence is 1\. Give a share"):
        nonresponse(customers(), asked(), confidence=1)


def points(found: pd.DataFrame) -> list[float]:
    assert found["scenario"].tolist() == ["as answered", "others passive", "others like detractors"]
    return found["nps"].tolist()


def test_bounds_by_hand():
    # 5 promoters, 2 passives, 1 detractor of 20 invited: 4/8; 4/20; (4 - 12)/20
    scores = [9] * 3 + [10] * 2 + [7, 8, 0] + [None] * 12
    found = nonresponse_bounds(pd.DataFrame({"sent_at": SENT, "nps": scores}), scale=(0, 10))
    assert points(found) == pytest.approx([50, 20, -40])
    assert found[["n", "invited", "status"]].to_numpy().tolist() == [[8, 20, "computed"]] * 3


def test_bounds_count_a_customer_and_wave_once_by_the_latest_answer():
    rows = [
        ("r1", "a", "spring", SENT, "2026-02-11", 2),
        ("r2", "a", "spring", SENT, "2026-02-15", 9),  # the latest of a in spring
        ("r3", "a", "autumn", SENT, "2026-02-11", 7),
        ("r4", "b", "spring", SENT, "2026-02-11", 6),  # a reminder was sent after: still answered
        ("r5", "b", "spring", SENT, None, None),
        ("r6", "c", "spring", SENT, None, None),
        ("r7", None, "spring", SENT, "2026-02-11", 10),  # nobody's: each counts
        ("r8", None, "spring", SENT, None, None),
        ("r9", "d", "spring", None, "2026-02-11", 10),  # not invited
    ]
    columns = ["response_id", "customer_id", "survey", "sent_at", "answered_at", "nps"]
    frame = pd.DataFrame(rows, columns=columns).assign(answered_at=lambda rows: pd.to_datetime(rows["answered_at"]))
    found = nonresponse_bounds(frame, scale=(0, 10))
    # answers 9, 7, 6, 10 of a spring, a autumn, b, c and two without a name
    assert found["n"].tolist() == [4] * 3
    assert found["invited"].tolist() == [6] * 3
    assert points(found) == pytest.approx([25, 100 / 6, -100 / 6])
    pd.testing.assert_frame_equal(nonresponse_bounds(frame.sample(frac=1, random_state=1), scale=(0, 10)), found)


def test_without_invitations_the_score_as_answered_is_all_there_is():
    found = nonresponse_bounds(pd.DataFrame({"nps": [9, 10, 3]}), scale=(1, 10))
    assert points(found)[0] == pytest.approx(100 / 3)
    assert np.isnan(points(found)[1:]).all()
    assert found["status"].tolist() == ["computed", NO_INVITATIONS, NO_INVITATIONS]


def test_bounds_where_all_or_none_answered():
    everyone = nonresponse_bounds(pd.DataFrame({"sent_at": [SENT] * 20, "nps": [9] * 20}), scale=(1, 10))
    assert points(everyone) == [100, 100, 100]
    assert set(everyone["status"]) == {"every invitation answered"}
    nobody = nonresponse_bounds(pd.DataFrame({"sent_at": [SENT] * 20, "nps": [np.nan] * 20}), scale=(1, 10))
    assert np.isnan(points(nobody)[0])
    assert points(nobody)[1:] == [0, -100]


@settings(max_examples=20, deadline=None)
@given(scores=st.lists(st.none() | st.integers(1, 10), min_size=1, max_size=30))
def test_a_bound_is_the_score_there_would_be_had_the_silent_said_so(scores):
    frame = pd.DataFrame({"sent_at": SENT, "nps": pd.array(scores, dtype="Float64")})
    _, passive, detractors = points(nonresponse_bounds(frame, scale=(1, 10)))
    silent = scores.count(None)
    for said, bound in ((8, passive), (1, detractors)):
        spoken = frame.assign(nps=frame["nps"].fillna(said))
        assert bound == pytest.approx(nps(spoken, scale=(1, 10))["nps"].item())
    assert passive - detractors == pytest.approx(100 * silent / len(scores))


def test_bounds_refuse_another_scale_and_answers_off_it():
    with pytest.raises(MeasureError, match=r"^nonresponse_bounds: scale is \(1, 5\)\."):
        nonresponse_bounds(pd.DataFrame({"nps": [1]}), scale=(1, 5))
    with pytest.raises(MeasureError, match=r"^nonresponse_bounds: 1 answers are no whole number from 1 to 10"):
        nonresponse_bounds(pd.DataFrame({"nps": [0, 9]}), scale=(1, 10))
    with pytest.raises(MeasureError, match=r"^nonresponse_bounds: column 'nps' is absent"):
        nonresponse_bounds(pd.DataFrame({"sent_at": [SENT]}), scale=(1, 10))


def pilot_waves(
    seeds: range, *, customers: int = 3000, waves: range = range(8, 12)
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the pilot company's customers and the invitations of each of its last waves."""
    for seed in seeds:
        (block,) = blocks(customers, seed)
        drawn, survey = block.customers, block.survey
        people = pd.DataFrame({"customer_id": drawn["number"].astype("str"), "permission": drawn["permission"]})
        for name, levels in (("region", model.REGION), ("channel", model.CHANNEL), ("payment", model.PAYMENT)):
            people[name] = np.array(levels.names)[drawn[name]]
        people["since"] = drawn["since"].astype("datetime64[D]").astype("datetime64[s]")
        people["acquisition_cost"] = drawn["cost"]
        rows = people.iloc[survey["customer"]][["customer_id", "region"]].reset_index(drop=True)
        rows = rows.assign(sent_at=survey["sent"].astype("datetime64[s]"), wave=survey["wave"])
        rows["nps"] = np.where(survey["score"] > 0, survey["score"], np.nan)
        for wave in waves:
            yield people, rows[rows["wave"] == wave]


def test_the_pilot_company_shows_the_planted_rates_and_that_answering_depends_on_the_region_alone():
    rates, regions, others = [], [], []
    asked_shares = np.array(model.REGION.shares)
    answer_shares = np.array(model.ANSWER_SHARES)
    shift = asked_shares * answer_shares / (asked_shares @ answer_shares) - asked_shares
    planted = pd.Series(shift / np.sqrt(asked_shares * (1 - asked_shares)), model.REGION.names)
    for people, surveys in pilot_waves(range(5)):
        found = response_rates(surveys, by="region").set_index("region")
        truth = pd.Series(model.ANSWER_SHARES, model.REGION.names)
        rates += ((found["low"] <= truth) & (truth <= found["high"])).tolist()
        compared = nonresponse(people, surveys).set_index("attribute")
        is_region = compared.index == "region"
        region = compared[is_region].set_index("level")
        regions += ((region["asked_low"] <= planted) & (planted <= region["asked_high"])).tolist()
        rest = compared[~is_region]
        others += ((rest["asked_low"] <= 0) & (rest["asked_high"] >= 0)).tolist()
    assert len(rates) == len(regions) == 80
    assert len(others) == 20 * 10
    for held in (rates, regions, others):
        assert 0.9 <= np.mean(held) <= 0.985 + 1 / len(held)


def test_in_a_larger_pilot_company_non_response_shows_the_region_and_nothing_else():
    ((people, surveys),) = pilot_waves(range(1), customers=20_000, waves=range(11, 12))
    found = nonresponse(people, surveys, confidence=0.995).set_index(["attribute", "level"])  # 5 % of the ten others
    assert found.loc[("region", "Süd"), "asked_low"].item() > 0
    assert found.loc[("region", "Ost"), "asked_high"].item() < 0
    others = found.drop(index="region")
    assert others["asked_low"].max() < 0 < others["asked_high"].min()


def test_answers_weighted_to_the_base_give_the_score_of_the_base():
    base = pd.DataFrame({"region": ["Nord"] * 300 + ["Süd"] * 100, "channel": ["Web", "Laden"] * 200})
    said = pd.DataFrame({"region": ["Nord"] * 20 + ["Süd"] * 60, "channel": ["Web", "Laden"] * 40})
    said = said.assign(nps=[10] * 20 + [3] * 60)
    # three in four are in the north, where all recommend; in the south nobody does
    row = nps_of_base(base, said, scale=(0, 10), margins=["region", "channel"]).iloc[0]
    assert [row["n"], row["status"]] == [80, "computed"]
    assert row["nps"] == pytest.approx(50)
    assert row["se"] == pytest.approx(0, abs=1e-6)  # the margins explain all of it


def test_a_level_without_answers_is_told_instead_of_a_score():
    base = pd.DataFrame({"region": ["Nord", "Süd"]})
    row = nps_of_base(base, pd.DataFrame({"region": ["Nord"], "nps": [9]}), scale=(0, 10), margins="region").iloc[0]
    assert pd.isna(row["nps"])
    assert row["status"].startswith("cannot be computed: rake: ")
    assert "Süd" in row["status"]


def test_answers_without_a_margin_are_left_out_of_the_weighting():
    base = pd.DataFrame({"region": ["Nord", "Süd", None]})
    said = pd.DataFrame({"region": ["Nord", "Süd", None], "nps": [9, 9, 1]})
    assert nps_of_base(base, said, scale=(0, 10), margins="region")[["n", "nps"]].to_numpy().tolist() == [[2, 100]]


def test_without_a_margin_there_is_nothing_to_weight_by():
    row = nps_of_base(pd.DataFrame({"a": [1]}), pd.DataFrame({"nps": [9]}), scale=(0, 10), margins=[]).iloc[0]
    assert (
        row["status"] == "cannot be computed: margins_of: no column is named. Name those whose make-up is to be kept."
    )
