"""Promoters against the rest."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.errors import MeasureError
from analysis.measures.profile import promoter_profile
from analysis.pilot import model
from analysis.pilot.simulate import blocks


def customers() -> pd.DataFrame:
    """Return 40 customers: promoters 0 to 15, the rest 16 to 39."""
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(40)],
            "region": ["Süd"] * 12 + ["Nord"] * 4 + ["Süd"] * 6 + ["Nord"] * 18,
            "member": [True, False] * 20,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(40) % 7, unit="D"),
            "spent": [*range(100, 116), *range(90, 114)],
            "street": [f"Straße {number}" for number in range(40)],
        }
    )


def answers() -> pd.DataFrame:
    scores = [9, 10] * 8 + [8, 7, 3] * 8
    return pd.DataFrame({"customer_id": [f"c{number}" for number in range(40)], "nps": scores})


def profile(**settings: object) -> pd.DataFrame:
    return promoter_profile(customers(), answers(), scale=(1, 10), **settings)


def test_promoters_and_the_rest_are_compared_on_every_attribute():
    found = profile()
    assert list(found.columns) == [
        *("attribute", "level", "unit", "promoters", "rest", "difference", "low", "high", "p", "p_holm"),
        *("n_promoters", "n_rest", "verdict"),
    ]
    assert found["attribute"].tolist()[:3] == ["region", "region", "spent"]
    assert found["difference"].abs().is_monotonic_decreasing
    assert set(found["attribute"]) == {"member", "region", "since", "spent"}
    assert set(found["n_promoters"]) == {16}
    assert set(found["n_rest"]) == {24}
    assert found.attrs == {"left_out": {"street": "differs from customer to customer"}, "anonymous": 0, "unknown": 0}


def test_a_level_by_hand():
    # Süd: 12 of 16 and 6 of 24: .5/√((.1875 + .1875)/2) = 1.154701
    # variance 40/384 + 1.154701²/80 = .104167 + .016667, half-width 1.959964·.347611 = .681305
    row = profile().set_index("level").loc["Süd"]
    assert row[["promoters", "rest"]].tolist() == [0.75, 0.25]
    assert row[["difference", "low", "high"]].tolist() == pytest.approx([1.154701, 0.473396, 1.836006], abs=2e-6)
    # z = .5/√(.1875/16 + .1875/24) = 3.577709; the smallest of five p
    assert row["p"] == pytest.approx(2 * stats.norm.sf(3.577709), rel=1e-5)
    assert row["p_holm"] == pytest.approx(5 * row["p"])
    assert row["verdict"] == "goes with promoters"
    assert profile().set_index("level").loc["Nord", "verdict"] == "goes with the rest"


def test_numbers_and_dates_are_compared_by_their_means():
    rows = profile().set_index("attribute")
    a, b = np.arange(100, 116), np.arange(90, 114)
    spent = rows.loc["spent"]
    assert spent[["promoters", "rest", "unit"]].tolist() == [a.mean(), b.mean(), "number"]
    assert spent["difference"] == pytest.approx((a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    z = (a.mean() - b.mean()) / np.sqrt(a.var() / 16 + b.var() / 24)
    assert spent["p"] == pytest.approx(2 * stats.norm.sf(z))
    assert rows.loc["since", "unit"] == "day"
    # 2020-01-01 is day 18262; 0 to 15 modulo 7: twice 0 to 6, then 0 and 1
    assert rows.loc["since", "promoters"] == pytest.approx(18262 + 43 / 16)
    member = rows.loc["member"]
    assert member[["promoters", "rest", "difference", "p", "verdict"]].tolist() == [0.5, 0.5, 0, 1, "within noise"]


def test_a_customer_counts_once_by_the_latest_of_all_answers():
    said = answers().assign(survey="spring", period="2026-Q1", answered_at=pd.Timestamp("2026-02-10"))
    later = said.head(10).assign(nps=2, survey="autumn", period="2026-Q3", answered_at=pd.Timestamp("2026-08-10"))
    earlier = said.tail(5).assign(nps=10, survey="winter", answered_at=pd.Timestamp("2025-12-10"))
    silent = said.tail(3).assign(nps=np.nan, answered_at=pd.Timestamp("2026-09-10"))
    found = promoter_profile(customers(), pd.concat([said, later, earlier, silent]), scale=(1, 10))
    assert set(found["n_promoters"]) == {6}
    assert set(found["n_rest"]) == {34}


def test_answers_without_a_customer_are_counted_and_not_compared():
    strangers = pd.DataFrame({"customer_id": [None, None, "x", "x", None], "nps": [10, 1, 9, 3, None]})
    found = promoter_profile(customers(), pd.concat([answers(), strangers]), scale=(1, 10))
    assert found.attrs["anonymous"] == 2
    assert found.attrs["unknown"] == 1
    pd.testing.assert_frame_equal(found, profile())


def test_missing_values_are_left_out_of_their_attribute_alone():
    people = customers()
    people.loc[:3, "region"] = None
    found = promoter_profile(people, answers(), scale=(1, 10)).set_index("attribute")
    assert found.loc["region", "n_promoters"].tolist() == [12, 12]
    assert found.loc["spent", "n_promoters"] == 16
    assert found[found["level"] == "Süd"]["promoters"].tolist() == [pytest.approx(8 / 12)]


def test_too_few_on_either_side_are_not_tested_and_no_part_of_the_family():
    people = customers()
    people.loc[4:15, "spent"] = np.nan
    found = promoter_profile(people, answers(), scale=(1, 10))
    spent = found.set_index("attribute").loc["spent"]
    assert spent[["n_promoters", "verdict"]].tolist() == [4, "too few"]
    assert np.isnan(spent[["p", "p_holm"]].astype(float)).all()
    assert not np.isnan(spent["difference"])
    assert found["attribute"].iloc[-1] == "spent"  # after all that were tested
    assert found["p_holm"].iloc[0] == pytest.approx(4 * found["p"].iloc[0])
    tested = promoter_profile(people, answers(), scale=(1, 10), min_group=4).set_index("attribute")
    assert tested.loc["spent", "verdict"] != "too few"


def test_a_level_too_rare_to_tell_is_not_tested():
    # among 16 promoters 5 of 40 make 2 expected: too few; 13 of 40 make 5.2
    for many, verdict in ((5, "too few"), (13, "goes with promoters")):
        people = customers().assign(region=["Ost"] * many + ["West"] * (40 - many))
        found = promoter_profile(people, answers(), scale=(1, 10), attributes="region")
        assert found.set_index("level").loc["Ost", "verdict"] == verdict
        assert found.set_index("level").loc["West", "n_rest"] == 24


def test_what_all_have_is_no_difference_and_what_only_promoters_have_comes_first():
    people = customers().assign(
        land="Österreich", fee=0.1, plan=["Plus"] * 16 + ["Basis"] * 24, height=[1.5] * 16 + [0.1] * 24
    )
    found = promoter_profile(people, answers(), scale=(1, 10))
    first = found.head(3)
    assert first["attribute"].tolist() == ["height", "plan", "plan"]
    assert first["verdict"].tolist() == ["goes with promoters", "goes with the rest", "goes with promoters"]
    assert first["p_holm"].tolist() == [0, 0, 0]
    assert first[["difference", "low", "high"]].isna().all(axis=None)
    constant = found.set_index("attribute").loc[["fee", "land"]]
    assert constant[["difference", "p_holm"]].to_numpy().tolist() == [[0, 1], [0, 1]]
    assert set(constant["verdict"]) == {"within noise"}
    assert constant["low"].isna().all()


@pytest.mark.parametrize("scores", [[10] * 40, [3] * 40, [np.nan] * 40])
def test_without_a_promoter_or_a_rest_nothing_is_compared(scores):
    found = promoter_profile(customers(), answers().assign(nps=scores), scale=(1, 10))
    assert len(found) == 5
    assert set(found["verdict"]) == {"too few"}
    assert found[["difference", "low", "high", "p", "p_holm"]].isna().all(axis=None)


def test_three_customers_are_too_few_and_none_make_no_rows():
    found = promoter_profile(customers().head(3), answers(), scale=(1, 10), attributes=["member"])
    assert found[["n_promoters", "n_rest", "verdict"]].to_numpy().tolist() == [[3, 0, "too few"]]
    assert found.attrs["unknown"] == 37
    nobody = promoter_profile(customers().head(0), answers(), scale=(1, 10))
    assert len(nobody) == 0
    assert list(nobody.columns) == list(found.columns)


def test_arguments_stay_as_they_are_and_frames_tables_and_any_order_of_rows_give_the_same():
    people, said = customers(), answers()
    found = promoter_profile(people, said, scale=(1, 10))
    pd.testing.assert_frame_equal(people, customers())
    pd.testing.assert_frame_equal(said, answers())
    shuffled = promoter_profile(
        people.sample(frac=1, random_state=1), said.sample(frac=1, random_state=2), scale=(1, 10)
    )
    pd.testing.assert_frame_equal(shuffled, found)
    engine = ibis.duckdb.connect()
    tables = [engine.create_table(name, rows) for name, rows in (("customers", people), ("answers", said))]
    pd.testing.assert_frame_equal(promoter_profile(*tables, scale=(1, 10)), found)


def test_the_confidence_sets_the_width_and_the_verdict():
    wide, narrow = profile(confidence=0.99).iloc[0], profile(confidence=0.5).iloc[0]
    assert (wide["high"] - wide["low"]) / (narrow["high"] - narrow["low"]) == pytest.approx(
        2.575829 / 0.674490, abs=1e-5
    )
    assert profile(confidence=0.9999).iloc[0]["verdict"] == "within noise"


def test_what_is_wrong_is_named():
    with pytest.raises(MeasureError, match=r"^promoter_profile: scale is \(1, 5\)\."):
        promoter_profile(customers(), answers(), scale=(1, 5))
    with pytest.raises(MeasureError, match=r"^promoter_profile: 1 answers are no whole number from 1 to 10"):
        promoter_profile(customers(), answers().assign(nps=[0] + [9] * 39), scale=(1, 10))
    with pytest.raises(MeasureError, match=r"^promoter_profile: column 'customer_id' is absent"):
        promoter_profile(customers(), answers().drop(columns="customer_id"), scale=(1, 10))
    with pytest.raises(MeasureError, match=r"^promoter_profile: column 'regoin' is absent"):
        profile(attributes="regoin")
    with pytest.raises(MeasureError, match=r"^promoter_profile: confidence is 0\."):
        profile(confidence=0)


def test_the_pilot_company_shows_that_members_are_promoters_more_often_and_that_consent_is_noise():
    (block,) = blocks(20_000, seed=0)
    drawn, survey = block.customers, block.survey
    people = pd.DataFrame(
        {
            "customer_id": drawn["number"].astype("str"),
            "member": drawn["member"],
            "permission": drawn["permission"],
            "region": np.array(model.REGION.names)[drawn["region"]],
            "payment": np.array(model.PAYMENT.names)[drawn["payment"]],
        }
    )
    said = pd.DataFrame(
        {
            "customer_id": people["customer_id"].to_numpy()[survey["customer"]],
            "survey": survey["wave"].astype("str"),
            "answered_at": survey["answered"].astype("datetime64[s]"),
            "nps": np.where(survey["score"] > 0, survey["score"], np.nan),
        }
    )
    found = promoter_profile(people, said, scale=(1, 10)).set_index(["attribute", "level"])["verdict"]
    assert found["member"].tolist() == ["goes with promoters"]
    assert found["region", "Süd"] == "goes with promoters"
    assert found["region", "Ost"] == "goes with the rest"
    assert set(found["payment"]) | set(found["permission"]) == {"within noise"}
