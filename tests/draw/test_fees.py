from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from reading import cells, plain

from analysis.draw import fees
from analysis.measures.retention import revenue_by_period

FEES = pd.DataFrame(
    {
        "period": ["2026-Q2", "2026-Q3"],
        "customers": [800, 900],
        "fees_start": [50_000.0, 51_200.0],
        "lost": [1_000.0, 2_050.4],
        "reduced": [0.0, 300.0],
        "added": [0.0, 820.0],
        "fees_end": [49_000.0, 49_669.6],
        "gross_retention": [0.98, 0.954],
        "gross_low": [0.97, 0.942],
        "gross_high": [0.99, 0.966],
        "net_retention": [0.98, 0.97],
        "net_low": [0.97, 0.957],
        "net_high": [0.99, 0.983],
        "without_fee": [0, 0],
        "gone": [20, 40],
        "lost_by": [20, 40],
        "reduced_by": [0, 10],
        "added_by": [0, 30],
        "revenue_churn": [0.02, 0.046],
    }
)


class TestTable:
    def test_fees_stand_by_period_without_cents_where_they_are_large(self) -> None:
        head, *rows = cells(fees.by_period(FEES, title="Entgelte"))
        assert head[:3] == ["Zeitraum", "Zu Beginn", "Weggefallen"]
        amounts = ["51.200", "2.050", "300", "820", "49.670"]
        assert rows[1] == ["Q3 2026", *amounts, "97,0 %", "95,7 bis 98,3 %"]
        small = FEES.assign(fees_start=80.0, lost=0.5)
        assert cells(fees.by_period(small, title="Entgelte"))[1][1:3] == ["80,00", "0,50"]

    def test_all_columns_of_fees_have_room_beside_the_contents_of_a_page(self) -> None:
        # a window of 1,200 px leaves 784 px; in Chromium 81 letters in the widest cells of 8 columns took 826 px
        columns = zip(*cells(fees.by_period(FEES, title="Entgelte")), strict=True)
        assert sum(max(map(len, column)) for column in columns) <= 76

    def test_no_row_is_a_sentence(self) -> None:
        assert fees.by_period(FEES.head(0), title="Entgelte") == "Entgelte: keine Daten."


class TestRevenue:
    def test_the_last_period_is_told(self) -> None:
        assert plain(fees.revenue(FEES)).startswith(
            "Von 51.200 € Monatsentgelt zu Beginn (Q3 2026, n = 900) sind 2.050 € weggefallen"
        )

    def test_small_sums_keep_their_cents_and_a_retention_without_interval_stands_alone(self) -> None:
        ends = dict.fromkeys(["gross_low", "gross_high", "net_low", "net_high"], np.nan)
        one = FEES.tail(1).assign(fees_start=80.5, lost=80.5, reduced=0.0, added=0.0, **ends)
        told = plain(fees.revenue(one.assign(gross_retention=0.0, net_retention=0.0, customers=1)))
        assert "Von 80,50 € Monatsentgelt zu Beginn (Q3 2026, n = 1) sind 80,50 € weggefallen" in told
        assert told.endswith("Geblieben sind 0,0 %.")

    def test_customers_whose_fees_are_not_known_are_counted(self) -> None:
        assert fees.revenue(FEES.assign(without_fee=12)).endswith(
            "12 Kundinnen und Kunden ohne bekanntes Entgelt sind nicht mitgezählt."
        )

    def test_where_ends_are_not_on_record_nothing_is_said_to_have_stayed(self) -> None:
        unknown = FEES.assign(fees_start=np.nan, net_retention=np.nan)
        unknown.attrs["ends_on_record"] = False
        assert fees.revenue(unknown) == (
            "Wann Verträge enden, ist nicht erfasst; welches Monatsentgelt geblieben ist, lässt sich deshalb nicht "
            "sagen."
        )

    def test_a_half_is_rounded_in_the_sentence_as_in_the_table(self) -> None:
        half = FEES.assign(lost=3738.5)
        assert "sind 3.739\xa0€ weggefallen" in fees.revenue(half)
        assert cells(fees.by_period(half, title="Entgelte"))[1][2] == "3.739"

    @pytest.mark.parametrize("frame", [FEES.head(0), FEES.assign(net_retention=np.nan)])
    def test_no_fees_are_no_data(self, frame: pd.DataFrame) -> None:
        assert fees.revenue(frame) == "Monatsentgelt zu Beginn: keine Daten."


class TestFigures:
    def test_fees_are_those_of_the_last_period(self) -> None:
        found = fees.revenue_figures(FEES, "churn_drivers").set_index("id")
        assert found["value"].to_dict() == {
            "churn_drivers.fees_start": 51_200.0,
            "churn_drivers.fees_lost": 2_050.4,
            "churn_drivers.gross_retention": 0.954,
            "churn_drivers.net_retention": 0.97,
        }
        assert found.loc["churn_drivers.net_retention", ["low", "high", "n"]].tolist() == [0.957, 0.983, 900]
        assert fees.revenue_figures(FEES.head(0), "churn_drivers").empty

    def test_fees_of_an_earlier_period_are_not_given_out_as_those_of_the_last(self) -> None:
        unknown = FEES.copy()
        unknown.loc[1, [name for name in FEES if name not in ("period", "customers", "without_fee")]] = np.nan
        assert fees.revenue_figures(unknown, "churn_drivers").empty
        assert fees.revenue(unknown) == "Monatsentgelt zu Beginn: keine Daten."
        assert len(cells(fees.by_period(unknown, title="Entgelte"))) == 2  # the head, and the earlier one


MONTHS = {
    "2026-01": (dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
    "2026-02": (dt.date(2026, 2, 1), dt.date(2026, 2, 28)),
}
"""Two windows; between them nobody joins unless a case says so."""


def _ledger(*rows: tuple[str, str | None, float | None], stay: int = 40) -> pd.DataFrame:
    """Return contracts (start, ended_on, fee), after those of 40 customers who stay at 10 a month."""
    every = [("2025-01-01", None, 10.0)] * stay + list(rows)
    frame = pd.DataFrame(every, columns=["start", "ended_on", "fee"]).assign(customer_id=lambda f: f.index.astype(str))
    return frame.assign(start=pd.to_datetime(frame["start"]), ended_on=pd.to_datetime(frame["ended_on"]))


def _told(frame: pd.DataFrame, *, internal: bool = False) -> pd.DataFrame:
    return fees.tellable(revenue_by_period(frame, MONTHS), internal=internal)


ONE_LEFT = _ledger(("2025-01-01", "2026-02-10", 88.88), *[("2025-01-01", "2026-01-10", 20.0)] * 6)


class TestTellable:
    def test_the_fee_of_one_who_left_is_not_told_nor_what_it_follows_from(self) -> None:
        january, february = _told(ONE_LEFT).to_dict("records")
        assert (january["lost"], january["fees_end"]) == (120.0, 488.88)
        assert (february["fees_start"], february["added"]) == (488.88, 0.0)
        hidden = ["lost", "fees_end", "revenue_churn", "gross_retention", "net_retention", "net_low"]
        assert all(np.isnan(february[name]) for name in hidden)

    def test_figures_and_sentence_leave_it_out_and_say_so(self) -> None:
        found = _told(ONE_LEFT)
        assert fees.revenue_figures(found, "x")["id"].tolist() == ["x.fees_start"]
        assert plain(fees.revenue(found)) == (
            "Monatsentgelt zu Beginn (Feb 2026, n = 41): 488,88 €. Nicht genannt sind Entgelte von weniger als 5 "
            "Kundinnen und Kunden und was sie verraten würde."
        )
        table = fees.by_period(found, title="Entgelte")
        assert cells(table)[2][1:] == ["488,88", "–", "0,00", "0,00", "–", "–", "–"]
        assert "und was sie verraten würde." in table.html

    def test_an_internal_report_tells_all(self) -> None:
        pd.testing.assert_frame_equal(_told(ONE_LEFT, internal=True), revenue_by_period(ONE_LEFT, MONTHS))
        assert "88,88" in fees.revenue(_told(ONE_LEFT, internal=True))

    def test_fees_of_five_are_told(self) -> None:
        five = _ledger(*[("2025-01-01", "2026-02-10", 9.0)] * 5)
        found = _told(five)
        pd.testing.assert_frame_equal(found, revenue_by_period(five, MONTHS), check_dtype=False)
        assert not found.attrs["withheld"]

    def test_a_fee_lowered_for_one_takes_the_sum_lost_with_it_but_not_both_together(self) -> None:
        ledger = _ledger(
            ("2025-01-01", "2026-01-10", 30.0), ("2026-01-11", None, 25.0), *[("2025-01-01", "2026-01-10", 20.0)] * 6
        )
        ledger.loc[41, "customer_id"] = "40"
        january = _told(ledger).iloc[0]
        assert january[["lost", "reduced"]].isna().all()
        # 430 + 120 were there; 5 and 120 went
        assert january[["gross_retention", "fees_end"]].tolist() == [pytest.approx(1 - 125 / 550), 425.0]

    def test_the_fee_of_one_who_joined_between_periods_does_not_follow(self) -> None:
        joined = _ledger(("2026-01-15", None, 77.77), *[("2025-01-01", "2026-01-10", 20.0)] * 6)
        january, february = _told(joined).to_dict("records")
        assert february["fees_start"] == 477.77
        assert np.isnan(january["fees_end"])
        # 520 less 120 lost would be the end of January
        assert np.isnan(january["lost"]) or np.isnan(january["fees_start"])
        assert np.isnan(january["net_retention"])
        assert np.isnan(january["gross_retention"])

    def test_few_without_a_fee_are_not_counted_nor_do_they_follow_from_the_others(self) -> None:
        found = _told(_ledger(("2025-01-01", None, None), ("2025-01-01", None, None)))
        assert found[["customers", "without_fee"]].isna().all(axis=None)
        told = plain(fees.revenue(found))
        assert "(Feb 2026)" in told
        assert told.endswith("Weniger als 5 Kundinnen und Kunden ohne bekanntes Entgelt sind nicht mitgezählt.")
        assert fees.revenue_figures(found, "x")["n"].isna().all()

    def test_the_frame_stays_as_it_was(self) -> None:
        frame = revenue_by_period(ONE_LEFT, MONTHS)
        before = frame.copy(deep=True)
        fees.tellable(frame, internal=False)
        pd.testing.assert_frame_equal(frame, before)

    def test_no_row_and_no_fees_are_none(self) -> None:
        assert fees.tellable(FEES.head(0), internal=False).empty
        nobody = _told(_ledger(stay=3))
        assert nobody["fees_start"].isna().all()
        assert fees.revenue(nobody) == "Monatsentgelt zu Beginn: keine Daten."
