from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.churn import reasons
from analysis.measures.codebooks import checked
from analysis.measures.competing import cumulative_incidence
from analysis.measures.rare_reasons import _reduce_reasons, moved
from analysis.measures.reasons import (
    _coded,
    _reduce_spellings,
    _reduce_uncoded,
    as_they_stand,
    pareto,
    with_merged,
)
from analysis.measures.spells import spells

BOOK = {
    "reason": {"zu teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug", "Ärger": "Service"},
    "call": {"price": "Preis", "moved": "Umzug", "service": "Service"},
}
COLUMNS = ["reason", "call", "ended_on", "fee"]


def _contracts(*rows: tuple[str | None, str | None, str | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"reason": "str", "call": "str"})
    return frame.assign(ended_on=pd.to_datetime(frame["ended_on"]), customer_id=[*"abcdefgh"][: len(frame)])


LEDGER = _contracts(
    ("zu teuer", "price", "2025-01-01", 10),  # both say Preis
    ("Preis", None, "2025-01-31", 20),  # one says it
    (" ÄRGER ", "unclear", "2025-02-01", 50),  # case and spaces do not matter; "unclear" says nothing known
    ("Umzug", "price", "2025-02-02", 5),  # they disagree
    ("sonstiges", None, "2025-02-03", 7),  # not in the codebook
    ("", None, "2025-02-04", 8),  # unknown
    (None, None, "2025-03-31", None),  # unknown, without fee
    ("Preis", "price", None, 1000),  # has not ended
)


class TestReasons:
    def test_a_hand_worked_table(self):
        found = reasons(LEDGER, BOOK)
        assert found["reason"].fillna("-").tolist() == ["Preis", "Service", "-", "-", "-"]
        kinds = ["reason", "reason", "sources disagree", "not in codebook", "unknown"]
        assert found["kind"].tolist() == kinds
        assert found["ended"].tolist() == [2, 1, 1, 1, 2]
        assert_allclose(found["share"], [2 / 7, 1 / 7, 1 / 7, 1 / 7, 2 / 7])
        assert_allclose(found["cumulative"], [2 / 7, 3 / 7, 4 / 7, 5 / 7, 1])
        assert found["revenue_lost"].tolist() == [30, 50, 5, 7, 8]
        assert_allclose(found["revenue_share"], [0.3, 0.5, 0.05, 0.07, 0.08])
        # by revenue Service comes first: .5, then Preis .8, then the others
        assert_allclose(found["revenue_cumulative"], [0.8, 0.5, 0.85, 0.92, 1])
        assert found.attrs == {
            "n": 7,
            "without_fee": 1,
            "not_in_codebook": {"reason": {"sonstiges": 1}, "call": {"unclear": 1}},
        }

    def test_intervals_are_wilson(self):
        found = reasons(LEDGER, BOOK, confidence=0.9)
        low, high = proportion_confint([2, 1, 1, 1, 2], 7, 0.1, "wilson")
        assert_allclose(found[["share_low", "share_high"]].T, [low, high], atol=1e-12)

    def test_the_window_holds_its_first_and_last_day(self):
        found = reasons(LEDGER, BOOK, start=dt.date(2025, 1, 31), end=dt.date(2025, 2, 2))
        assert found.attrs["n"] == 3
        assert reasons(LEDGER, BOOK, start=dt.date(2025, 2, 4)).attrs["n"] == 2
        assert reasons(LEDGER, BOOK, end=dt.date(2025, 1, 1)).attrs["n"] == 1

    def test_what_is_not_known_is_shown_even_where_it_is_nothing(self):
        found = reasons(LEDGER[:1], BOOK)
        assert found["kind"].tolist() == ["reason", "sources disagree", "not in codebook", "unknown"]
        assert found["ended"].tolist() == [1, 0, 0, 0]

    def test_one_source_cannot_disagree_with_itself(self):
        found = reasons(LEDGER, {"reason": BOOK["reason"]})
        assert found["kind"].tolist() == [*["reason"] * 3, "not in codebook", "unknown"]

    def test_reasons_as_frequent_stand_in_the_order_of_their_names(self):
        found = reasons(LEDGER.iloc[[0, 2]], BOOK)
        assert found["reason"].iloc[:2].tolist() == ["Preis", "Service"]
        assert found["cumulative"].tolist() == [0.5, 1, 1, 1, 1]

    @pytest.mark.parametrize("rows", [slice(0, 0), slice(6, 7)])
    def test_none_that_ended_and_none_that_is_known(self, rows):
        found = reasons(LEDGER[rows], BOOK)
        assert found["reason"].isna().all()
        assert found["ended"].tolist() == [0, 0, len(LEDGER[rows])]
        assert found["share"].iloc[2] == 1 if len(LEDGER[rows]) else found["share"].isna().all()
        assert found["revenue_share"].isna().all()

    def test_without_fees_and_without_an_end_every_row_counts(self):
        found = reasons(LEDGER[["reason", "call"]], BOOK)
        assert found["ended"].tolist() == [3, 1, 1, 1, 2]
        assert found[["revenue_lost", "revenue_share", "revenue_cumulative"]].isna().all(axis=None)
        assert found.attrs["without_fee"] == 8

    def test_a_reason_that_the_codebook_spells_twice_must_mean_the_same(self):
        with pytest.raises(MeasureError) as error:
            reasons(LEDGER, {"reason": {"Preis": "Preis", " preis": "Kosten"}})
        assert str(error.value) == "reasons: the codebook of 'reason' says of 'preis' both 'Preis' and 'Kosten'."

    @pytest.mark.parametrize("kind", ["other", "sources disagree", "not in codebook", "unknown"])
    def test_a_reason_is_not_called_like_what_is_none(self, kind):
        for measure in (reasons, pareto, with_merged):
            with pytest.raises(MeasureError) as error:
                measure(LEDGER, {"reason": {"Preis": kind}})
            assert str(error.value) == f"reasons: the codebook of 'reason' calls a reason {kind!r}, which is none."

    @pytest.mark.parametrize("book", [{}, {"reason": {}}, {"zu teuer": "Preis"}])
    def test_an_empty_codebook_is_refused(self, book):
        with pytest.raises(MeasureError) as error:
            reasons(LEDGER, book)
        assert str(error.value) == (
            "reasons: the codebook is empty. Give for each column its texts and what they mean."
        )

    def test_what_is_outside_its_domain_is_refused(self):
        with pytest.raises(MeasureError, match="column 'grund' is absent"):
            reasons(LEDGER, {"grund": {"a": "b"}})
        with pytest.raises(MeasureError, match="column 'ended_on' is absent"):
            reasons(LEDGER.drop(columns="ended_on"), BOOK, start=dt.date(2025, 1, 1))
        with pytest.raises(MeasureError, match="end 2025-01-01 lies before start 2025-02-01"):
            reasons(LEDGER, BOOK, start=dt.date(2025, 2, 1), end=dt.date(2025, 1, 1))
        with pytest.raises(MeasureError, match="1 contracts have a negative fee"):
            reasons(LEDGER.replace({"fee": {10: -10}}), BOOK)

    def test_the_texts_to_add_to_the_codebook_are_the_most_frequent_twenty(self):
        texts = [f"Text {number:02d}" for number in range(30) for _ in range(1 + (number == 25))]
        found = reasons(pd.DataFrame({"reason": texts}), {"reason": {"Preis": "Preis"}})
        listed = found.attrs["not_in_codebook"]["reason"]
        assert list(listed.items())[:2] == [("Text 25", 2), ("Text 00", 1)]
        assert len(listed) == 20

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_arguments_stay(self):
        before, found = LEDGER.copy(deep=True), reasons(LEDGER, BOOK)
        pd.testing.assert_frame_equal(found, reasons(LEDGER[::-1], BOOK))
        pd.testing.assert_frame_equal(found, reasons(ibis.memtable(LEDGER), BOOK))
        backwards = {column: dict(reversed(book.items())) for column, book in reversed(BOOK.items())}
        pd.testing.assert_frame_equal(found, reasons(LEDGER, backwards))
        pd.testing.assert_frame_equal(LEDGER, before)

    def test_the_categories_of_the_telecom_sample(self, public_data: Path):
        status = pd.read_excel(public_data / "telco_ibm" / "Telco_customer_churn_status.xlsx")
        left = status[status["Churn Value"] == 1].astype({"Churn Category": "str"})
        left = left.replace({"Churn Category": {"Other": "Others"}})
        names = left["Churn Category"].unique()
        found = reasons(left, {"Churn Category": dict(zip(names, names, strict=True))})
        counts = {"Competitor": 841, "Attitude": 314, "Dissatisfaction": 303, "Price": 211, "Others": 200}
        assert dict(zip(found["reason"].head(5), found["ended"].head(5), strict=True)) == counts
        assert found["ended"].tolist()[5:] == [0, 0]
        # its second source says "Poor expertise of online support" of two categories
        common = left.groupby("Churn Reason")["Churn Category"].agg(lambda given: given.mode()[0]).to_dict()
        other = left["Churn Reason"].map(common) != left["Churn Category"]
        both = reasons(left, {"Churn Category": {name: name for name in names}, "Churn Reason": common})
        assert both.loc[both["kind"] == "sources disagree", "ended"].item() == other.sum() > 0


def _texts(counts: dict[str, int]) -> pd.DataFrame:
    texts = [text for text, count in counts.items() for _k in range(count)]
    return pd.DataFrame({"reason": texts, "ended_on": pd.Timestamp("2025-01-31"), "customer_id": range(len(texts))})


class TestAsTheyStand:
    def test_each_frequent_text_means_itself_and_a_rare_one_nothing(self):
        assert as_they_stand(_texts({"Preis": 7, "Ärger": 5, "Umzug": 4})) == {
            "reason": {"Preis": "Preis", "Ärger": "Ärger"}
        }

    def test_spellings_are_one_reason_named_by_the_most_frequent(self):
        found = as_they_stand(_texts({"preis ": 2, "ÄRGER": 2, "Ärger": 3, "PREIS": 3}))
        assert found == {"reason": {"PREIS": "PREIS", "Ärger": "Ärger"}}
        pareto_of_all = pareto(_texts({"preis ": 2, "PREIS": 3}), found)
        assert pareto_of_all["ended"].tolist() == [5, 0]

    def test_spellings_as_frequent_are_named_by_the_first_of_their_bytes(self):
        assert as_they_stand(_texts({"preis": 3, "PREIS": 3})) == {"reason": {"PREIS": "PREIS"}}

    def test_spellings_that_only_python_folds_alike_mean_the_same(self):
        # the engine makes of İ an i, Python an i and a combining dot
        found = as_they_stand(_texts({"İzmir": 6, "i\u0307zmir": 5}))
        assert set(found["reason"].values()) == {"İzmir"}
        assert pareto(_texts({"İzmir": 6, "i\u0307zmir": 5}), found)["kind"].iloc[0] == "reason"

    def test_only_the_most_frequent_are_in_it(self):
        many = _texts({f"Grund {number}": 5 + number for number in range(30)})
        assert list(as_they_stand(many)["reason"]) == [f"Grund {number}" for number in range(29, 9, -1)]
        assert list(as_they_stand(many, most=1)["reason"]) == ["Grund 29"]

    def test_contracts_that_have_not_ended_do_not_count(self):
        ledger = _texts({"Preis": 6})
        ledger.loc[:1, "ended_on"] = pd.NaT
        assert as_they_stand(ledger) == {"reason": {}}
        assert as_they_stand(ledger, at_least=4) == {"reason": {"Preis": "Preis"}}
        assert as_they_stand(ledger.drop(columns="ended_on")) == {"reason": {"Preis": "Preis"}}

    def test_one_customer_with_many_contracts_makes_no_text_frequent(self):
        # six contracts of one customer, and five of five
        ledger = _texts({"Der Vertreter war unhöflich zu mir": 6, "Preis": 5})
        ledger.loc[:5, "customer_id"] = 1
        assert as_they_stand(ledger) == {"reason": {"Preis": "Preis"}}

    @pytest.mark.parametrize("text", ["other", "Unknown", "sources disagree"])
    def test_a_text_that_names_no_reason_is_not_in_it(self, text):
        assert as_they_stand(_texts({text: 9, "Preis": 5})) == {"reason": {"Preis": "Preis"}}

    @pytest.mark.parametrize("reason", [None, "", "  "])
    def test_no_text_and_no_column_are_an_empty_codebook(self, reason):
        ledger = pd.DataFrame({"reason": pd.Series([reason] * 9, dtype="str"), "customer_id": range(9)})
        assert as_they_stand(ledger) == as_they_stand(ledger[:0]) == {"reason": {}}
        assert as_they_stand(ledger, "call") == {}

    def test_the_categories_of_the_telecom_sample_stand_as_they_are(self, public_data: Path):
        status = pd.read_excel(public_data / "telco_ibm" / "Telco_customer_churn_status.xlsx")
        left = status[status["Churn Value"] == 1].astype({"Churn Category": "str", "Churn Reason": "str"})
        left = left.rename(columns={"Customer ID": "customer_id"})
        names = ["Competitor", "Attitude", "Dissatisfaction", "Price"]  # and 200 times Other
        assert as_they_stand(left, "Churn Category") == {"Churn Category": {name: name for name in names}}
        assert len(as_they_stand(left, "Churn Reason")["Churn Reason"]) == left["Churn Reason"].nunique() == 20


class TestPareto:
    def test_with_nothing_to_pool_it_is_the_table_of_reasons(self):
        pd.testing.assert_frame_equal(pareto(LEDGER, BOOK, min_group=1), reasons(LEDGER, BOOK))
        assert pareto(LEDGER, BOOK, min_group=1).attrs == reasons(LEDGER, BOOK).attrs | {"min_group": 1}

    def test_no_row_tells_of_few_customers_and_none_follows_from_the_rest(self):
        # Preis 2, Service 1 and so other, which Preis joins lest Service follow; 1 on which the sources disagree and 1
        # not in the codebook are unknown, with the 2 that are
        found = pareto(LEDGER, BOOK, min_group=2)
        assert found["kind"].tolist() == ["other", "sources disagree", "not in codebook", "unknown"]
        assert found["ended"].fillna(-1).tolist() == [3, -1, -1, 4]
        assert_allclose(found["share"], [3 / 7, np.nan, np.nan, 4 / 7])
        assert_allclose(found["cumulative"], [3 / 7, np.nan, np.nan, 1])
        low, high = proportion_confint([3, 4], 7, 0.05, "wilson")
        assert_allclose(found.loc[[0, 3], ["share_low", "share_high"]].T, [low, high], atol=1e-12)
        assert found["revenue_lost"].fillna(-1).tolist() == [10 + 20 + 50, -1, -1, 5 + 7 + 8]

    def test_what_a_few_of_many_paid_is_not_told_however_many_paid_nothing(self):
        # of the 20 with Preis one paid 88.88, all others nothing; the 8 with Service 10 each, from which that follows
        ledger = _texts({"Preis": 20, "Service": 8}).assign(fee=[88.88] + [0.0] * 19 + [10.0] * 8)
        found = pareto(ledger, {"reason": {"Preis": "Preis", "Service": "Service"}})
        assert found["ended"].tolist() == [20, 8, 0, 0]
        assert found["revenue_lost"].fillna(-1).tolist() == [-1, -1, 0, 0]

    def test_customers_are_counted_and_not_their_contracts(self):
        # nine contracts of two customers for Umzug; of other with Tod they are three, so Service joins them
        ledger = _texts({"Preis": 20, "Service": 6, "Umzug": 9, "Tod": 1})
        ledger.loc[26:34, "customer_id"] = [100] * 8 + [101]
        book = {"reason": {name: name for name in ("Preis", "Service", "Umzug", "Tod")}}
        found = pareto(ledger, book)
        assert found["reason"].fillna("-").tolist() == ["Preis", "-", "-", "-"]
        assert found["ended"].tolist() == [20, 6 + 9 + 1, 0, 0]

    def test_customers_of_two_rare_reasons_count_once(self):
        # the same three customers gave both: they are no six
        ledger = _texts({"Preis": 20, "Service": 8, "Umzug": 3, "Tod": 3})
        ledger.loc[28:, "customer_id"] = [100, 101, 102] * 2
        book = {"reason": {name: name for name in ("Preis", "Service", "Umzug", "Tod")}}
        assert pareto(ledger, book)["ended"].tolist() == [20, 8 + 6, 0, 0]
        ledger.loc[31:, "customer_id"] = [103, 104, 105]
        assert pareto(ledger, book)["ended"].tolist() == [20, 8, 6, 0, 0]

    def test_few_of_whom_nothing_is_known_are_among_the_others(self):
        ledger = _texts({"Preis": 20, "Service": 8, "": 2})
        found = pareto(ledger, as_they_stand(ledger))
        assert found["kind"].tolist() == ["reason", "other", "unknown"]
        assert found["ended"].fillna(-1).tolist() == [20, 10, -1]

    @pytest.mark.parametrize("seed", range(4))
    def test_no_reason_and_no_rest_is_of_few_customers(self, seed):
        draw, names = np.random.default_rng(seed), [*"ABCDEF"]
        size = 20 + 15 * seed
        reason, call = draw.choice([*names, "?", ""], (2, size))
        call = np.where(draw.random(size) < 0.7, reason, call)
        ledger = pd.DataFrame({"reason": reason, "call": call, "ended_on": pd.Timestamp("2025-01-31")})
        ledger = ledger.assign(customer_id=draw.integers(0, 8 + 10 * seed, size), fee=10.0)
        found = pareto(ledger, {column: {name: name for name in names} for column in ("reason", "call")})
        first, second = (ledger[column].where(ledger[column].isin(names)) for column in ("reason", "call"))
        agreed = first.fillna(second).mask(first.notna() & second.notna() & (first != second))
        named = found["reason"].dropna()
        assert all(ledger.loc[agreed == name, "customer_id"].nunique() >= 5 for name in named)
        rest = ledger.loc[~agreed.isin(named), "customer_id"]
        assert rest.empty or rest.nunique() >= 5
        assert (found["ended"].sum(), found["revenue_lost"].sum()) == (size, 10 * size)

    def test_where_all_customers_are_few_nothing_is_told_not_even_how_many(self):
        ledger = _texts({"Preis": 2, "Umzug": 1, "": 1}).assign(fee=10.0)
        found = pareto(ledger, {"reason": {"Preis": "Preis", "Umzug": "Umzug"}})
        assert found["kind"].tolist() == ["not in codebook", "unknown"]
        assert found.loc[1, ["ended", "share", "revenue_lost"]].isna().all()
        assert found["ended"].sum() == 0
        assert found.attrs["n"] is None

    def test_texts_that_stand_for_themselves_and_are_rare_are_other_reasons(self):
        ledger = _texts({f"Text {number}": 1 for number in range(200)})
        found = pareto(ledger, as_they_stand(ledger))
        assert found[["kind", "ended"]].to_numpy().tolist() == [["other", 200], ["unknown", 0]]
        assert with_merged(ledger, as_they_stand(ledger)).to_pandas()["reason"].unique().tolist() == ["other"]

    def test_what_fewer_than_the_least_paid_is_not_told_nor_what_follows_from_it(self):
        # Umzug: the fees of 3 of its 6 customers are known; Service with 7 is the next smallest
        ledger = _texts({"Preis": 9, "Service": 7, "Umzug": 6}).assign(fee=10.0)
        ledger.loc[19:, "fee"] = np.nan
        found = pareto(ledger, as_they_stand(ledger))
        assert found["reason"].head(3).tolist() == ["Preis", "Service", "Umzug"]
        assert found["revenue_lost"].fillna(-1).tolist() == [90, -1, -1, 0]
        assert found["revenue_share"].fillna(-1).tolist() == [90 / 190, -1, -1, 0]
        assert found["revenue_cumulative"].isna().all()
        assert found["ended"].tolist() == [9, 7, 6, 0]

    def test_reasons_beyond_the_most_frequent_are_pooled(self):
        many = _texts({f"Grund {number}": 5 + number for number in range(10)})
        found = pareto(many, as_they_stand(many), most=3)
        assert found["reason"].head(3).tolist() == ["Grund 9", "Grund 8", "Grund 7"]
        assert found["ended"].head(4).tolist() == [14, 13, 12, 5 + 6 + 7 + 8 + 9 + 10 + 11]
        assert found["kind"].iloc[3] == "other"

    @pytest.mark.parametrize("book", [{}, {"reason": {}}])
    def test_a_codebook_without_texts_knows_no_reason(self, book):
        found = pareto(LEDGER, book, min_group=2)
        ended = dict(zip(found["kind"], found["ended"], strict=True))
        # five of the seven that ended give a reason as text
        assert ended == ({"not in codebook": 5, "unknown": 2} if book else {"unknown": 7})
        assert found.attrs["n"] == 7

    def test_without_a_column_of_reasons_or_of_ends_it_still_answers(self):
        bare = LEDGER[["ended_on", "customer_id"]]
        assert pareto(bare, as_they_stand(bare))["ended"].tolist() == [7]
        never = pareto(LEDGER[["reason", "customer_id"]], {}, start=dt.date(2025, 1, 1), end=dt.date(2025, 3, 31))
        assert never["ended"].tolist() == [0]
        with pytest.raises(MeasureError, match="pareto: column 'customer_id' is absent"):
            pareto(LEDGER.drop(columns="customer_id"), BOOK)
        assert never["share"].isna().all()

    def test_the_window_and_the_faults_are_those_of_reasons(self):
        window = {"start": dt.date(2025, 1, 31), "end": dt.date(2025, 2, 2)}
        pd.testing.assert_frame_equal(pareto(LEDGER, BOOK, min_group=1, **window), reasons(LEDGER, BOOK, **window))
        with pytest.raises(MeasureError, match="1 contracts have a negative fee"):
            pareto(LEDGER.replace({"fee": {10: -10}}), BOOK)
        with pytest.raises(MeasureError, match="both 'Preis' and 'Kosten'"):
            pareto(LEDGER, {"reason": {"Preis": "Preis", " preis": "Kosten"}})

    def test_order_of_rows_and_kind_of_table_do_not_matter_and_the_argument_stays(self):
        before, found = LEDGER.copy(deep=True), pareto(LEDGER, BOOK, min_group=2)
        pd.testing.assert_frame_equal(found, pareto(LEDGER[::-1], BOOK, min_group=2))
        pd.testing.assert_frame_equal(found, pareto(ibis.memtable(LEDGER), BOOK, min_group=2))
        pd.testing.assert_frame_equal(LEDGER, before)


class TestWithMerged:
    def test_a_reason_stands_where_the_sources_agree_and_unknown_where_nothing_is_certain(self):
        found = with_merged(LEDGER, BOOK, min_group=1).to_pandas()
        merged = ["Preis", "Preis", "Service", "unknown", "unknown", "unknown", "unknown", None]
        assert found["reason"].astype(object).where(found["reason"].notna(), None).tolist() == merged
        pd.testing.assert_frame_equal(found.drop(columns="reason"), LEDGER.drop(columns="reason"), check_dtype=False)

    def test_rare_reasons_are_other(self):
        ledger = pd.concat([LEDGER, _contracts(("Umzug", None, "2025-02-03", 9)).assign(customer_id="z")])
        by_group = with_merged(ledger, BOOK, min_group=2).to_pandas()["reason"]
        assert by_group.iloc[[0, 1, 2, 8]].tolist() == ["Preis", "Preis", "other", "other"]
        assert with_merged(ledger, BOOK, most=0).to_pandas()["reason"].head(3).tolist() == ["other"] * 3

    def test_reasons_and_unknown_ones_of_few_customers_are_other_as_in_the_pareto(self):
        # Service 1: Preis joins it, lest it follow; of 2 who left nothing is known, so they are other with min_group 3
        assert with_merged(LEDGER, BOOK, min_group=2).to_pandas()["reason"].head(3).tolist() == ["other"] * 3
        few = LEDGER[LEDGER["customer_id"].isin([*"abcf"])]
        assert with_merged(few, BOOK, min_group=2).to_pandas()["reason"].tolist() == [
            "Preis",
            "Preis",
            "other",
            "other",
        ]

    def test_one_customer_with_many_contracts_makes_no_reason_frequent(self):
        ledger = _texts({"Er war unhöflich": 6, "Preis": 9, "Umzug": 5})
        ledger.loc[:5, "customer_id"] = 1
        book = {"reason": {text: text for text in ledger["reason"].unique()}}
        assert set(with_merged(ledger, book).to_pandas()["reason"]) == {"other", "Preis"}

    def test_a_contract_that_runs_does_not_make_a_reason_frequent(self):
        ledger = pd.concat([LEDGER.iloc[[2]], *[LEDGER.iloc[[7]]] * 3])
        assert with_merged(ledger, BOOK, most=1, min_group=1).to_pandas()["reason"].iloc[0] == "Service"

    def test_an_empty_codebook_and_absent_columns_give_unknown(self):
        bare = LEDGER[["ended_on", "customer_id"]]
        assert with_merged(bare, {}).to_pandas()["reason"].tolist()[:7] == ["unknown"] * 7
        assert with_merged(LEDGER[["reason", "customer_id"]], {}).to_pandas()["reason"].isna().all()
        with pytest.raises(MeasureError, match="with_merged: column 'grund' is absent"):
            with_merged(LEDGER, {"grund": {"a": "b"}})

    def test_spells_carry_it_as_cause(self):
        ledger = LEDGER.assign(start=pd.Timestamp("2024-12-01"))
        held = spells(with_merged(ledger, BOOK, min_group=1), as_of=dt.date(2025, 6, 1))
        assert held.order_by("customer_id").to_pandas()["cause"].fillna("-").tolist() == [
            *["Preis"] * 2,
            "Service",
            *["unknown"] * 4,
            "-",
        ]
        last = cumulative_incidence(held).groupby("cause")["incidence"].last()
        assert_allclose(last[["Preis", "Service", "unknown"]], [2 / 8, 1 / 8, 4 / 8])

    def test_the_argument_stays(self):
        before = LEDGER.copy(deep=True)
        with_merged(LEDGER, BOOK).to_pandas()
        pd.testing.assert_frame_equal(LEDGER, before)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reductions_compile_for_every_engine(dialect):
    columns = {"customer_id": "string", "reason": "string", "call": "string", "ended_on": "date"}
    columns |= {"fee": "decimal(9, 2)"}
    coded = _coded(ibis.table(columns, name="contracts"), checked(BOOK))
    assert "GROUP BY" in sql_of(_reduce_reasons(coded), dialect)
    assert "GROUP BY" in sql_of(_reduce_reasons(moved(coded, ["Preis", "unknown"], "other")), dialect)
    assert "LIMIT 20" in sql_of(_reduce_uncoded(coded, "call"), dialect)
    without = _coded(ibis.table(columns, name="contracts"), {})
    assert "GROUP BY" in sql_of(_reduce_reasons(without), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_codebook_as_it_stands_compiles_for_every_engine(dialect):
    ledger = ibis.table({"customer_id": "string", "reason": "string", "ended_on": "date"}, name="contracts")
    assert "LIMIT 3" in sql_of(_reduce_spellings(ledger, "reason", 5, 3), dialect)
    assert "GROUP BY" in sql_of(
        with_merged(_texts({"Preis": 6}), {"reason": {"Preis": "Preis"}}).reason.value_counts(), dialect
    )
