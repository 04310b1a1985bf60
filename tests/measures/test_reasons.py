from __future__ import annotations

import datetime as dt
from pathlib import Path

import ibis
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from numpy.testing import assert_allclose
from statsmodels.stats.proportion import proportion_confint

from analysis.errors import MeasureError
from analysis.measures.churn import reasons
from analysis.measures.reasons import _checked, _coded, _reduce_reasons, _reduce_uncoded

BOOK = {
    "reason": {"zu teuer": "Preis", "Preis": "Preis", "Umzug": "Umzug", "Ärger": "Service"},
    "call": {"price": "Preis", "moved": "Umzug", "service": "Service"},
}
COLUMNS = ["reason", "call", "ended_on", "fee"]


def _contracts(*rows: tuple[str | None, str | None, str | None, float | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"reason": "str", "call": "str"})
    return frame.assign(ended_on=pd.to_datetime(frame["ended_on"]))


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
        names = left["Churn Category"].unique()
        found = reasons(left, {"Churn Category": dict(zip(names, names, strict=True))})
        counts = {"Competitor": 841, "Attitude": 314, "Dissatisfaction": 303, "Price": 211, "Other": 200}
        assert dict(zip(found["reason"].head(5), found["ended"].head(5), strict=True)) == counts
        assert found["ended"].tolist()[5:] == [0, 0, 0]
        # its second source says "Poor expertise of online support" of two categories
        common = left.groupby("Churn Reason")["Churn Category"].agg(lambda given: given.mode()[0]).to_dict()
        other = left["Churn Reason"].map(common) != left["Churn Category"]
        both = reasons(left, {"Churn Category": {name: name for name in names}, "Churn Reason": common})
        assert both.loc[both["kind"] == "sources disagree", "ended"].item() == other.sum() > 0


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_reductions_compile_for_every_engine(dialect):
    columns = {"reason": "string", "call": "string", "ended_on": "date", "fee": "decimal(9, 2)"}
    coded = _coded(ibis.table(columns, name="contracts"), _checked(BOOK))
    assert "GROUP BY" in sql_of(_reduce_reasons(coded), dialect)
    assert "LIMIT 20" in sql_of(_reduce_uncoded(coded, "call"), dialect)
