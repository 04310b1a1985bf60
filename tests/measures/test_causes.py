from __future__ import annotations

import math

import ibis
import numpy as np
import pandas as pd
import pytest
from dialects import DIALECTS, sql_of
from scipy.stats import norm

from analysis.errors import MeasureError
from analysis.measures.causes import _reduce_leavers, compared, pooled
from analysis.measures.competing import cumulative_incidence, incidence_at

Z = norm.ppf(0.975)


def _gone(**by_cause: list[int]) -> pd.DataFrame:
    """Return spells that ended after so many days, each of a customer of its own; ``unknown`` is a missing cause."""
    rows = [(cause, day) for cause, days in by_cause.items() for day in days]
    frame = pd.DataFrame(rows, columns=["cause", "exit"]).assign(entry=0, event=1)
    return frame.assign(customer_id=frame.index, cause=frame["cause"].mask(frame["cause"] == "unknown"))


def _causes(frame: pd.DataFrame, times: list[float], **settings: int) -> dict[str, int]:
    table, _told = pooled(frame, times, **settings)
    return table.to_pandas()["cause"].value_counts().to_dict()


class TestPooled:
    def test_a_reason_of_one_who_left_early_is_counted_with_others_however_many_left_later(self):
        frame = _gone(Preis=[100] * 30, Umzug=[200] * 8, Krankheit=[300] + [400] * 5)
        assert _causes(frame, [365]) == {"Preis": 30, "other": 14}  # 1 alone would follow, so 8 go with it
        assert _causes(frame, [200, 730]) == {"Preis": 30, "Umzug": 8, "Krankheit": 6}  # by day 200 none, by 730 all 6

    def test_what_is_unknown_of_few_is_other_as_well(self):
        assert _causes(_gone(Preis=[9] * 9, Umzug=[9] * 3, unknown=[9] * 2), [30]) == {"Preis": 9, "other": 5}

    def test_what_goes_with_others_goes_where_it_helps(self):
        frame = _gone(Preis=[9] * 20, Spät=[500] * 6, Krank=[9] * 2 + [500] * 9)
        # of all Spät is the least frequent, yet by day 30 nobody had left for it
        assert _causes(frame, [30]) == {"Spät": 6, "other": 31}

    def test_customers_are_counted_not_spells(self):
        frame = _gone(Preis=[9] * 9, Umzug=[9] * 7)
        frame.loc[frame["cause"] == "Umzug", "customer_id"] = 99
        assert _causes(frame, [30]) == {"other": 16}

    def test_times_by_which_few_left_in_all_are_not_told_and_pool_nothing(self):
        frame = _gone(Preis=[20] * 2 + [90] * 8, Umzug=[80] * 9)
        table, told = pooled(frame, [10, 30, 100])
        assert told == [10, 100]
        assert table.to_pandas()["cause"].value_counts().to_dict() == {"Preis": 10, "Umzug": 9}

    def test_open_spells_and_those_of_no_length_do_not_count(self):
        frame = _gone(Preis=[9] * 9, Umzug=[9] * 6)
        shut = frame.assign(event=frame.index != 14, entry=np.where(frame.index == 13, 9, 0))
        assert _causes(shut, [30])["other"] == 15

    def test_a_cause_that_is_alone_stays_what_it_is_or_other(self):
        assert _causes(_gone(Preis=[9] * 6), [30]) == {"Preis": 6}
        assert _causes(_gone(Preis=[9] * 3), [30]) == {"other": 3}
        assert _causes(_gone(unknown=[9] * 6), [30]) == {"unknown": 6}

    def test_no_spell_is_no_cause(self):
        table, told = pooled(_gone(Preis=[9]).head(0), [365])
        assert (table.to_pandas().empty, told) == (True, [365])

    def test_the_order_of_rows_does_not_matter_and_the_argument_stays(self):
        frame = _gone(Preis=[9] * 9, Übel=[9] * 3, Umzug=[9] * 4)
        before = frame.copy(deep=True)
        assert _causes(frame[::-1], [30]) == _causes(frame, [30]) == {"Preis": 9, "other": 7}
        pd.testing.assert_frame_equal(frame, before)

    def test_an_absent_column_is_named(self):
        with pytest.raises(MeasureError, match="pooled: column 'customer_id' is absent"):
            pooled(_gone(Preis=[9]).drop(columns="customer_id"), [365])

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_it_compiles_for_every_engine(self, dialect):
        columns = {"customer_id": "string", "entry": "int64", "exit": "int64", "event": "int64", "cause": "string"}
        reduced = _reduce_leavers(ibis.table(columns, name="spells"), [365, math.inf])
        assert "DISTINCT" in sql_of(reduced, dialect)


class TestCompared:
    def test_without_censoring_the_interval_is_that_of_two_shares_of_the_same_sample(self):
        days = np.random.default_rng(0).permutation(np.arange(1, 101))
        parts = {"p": slice(40), "m": slice(40, 65), "u": slice(65, 100)}
        shares = cumulative_incidence(_gone(**{cause: days[part].tolist() for cause, part in parts.items()}))
        for time in (50, 100):
            row = compared(shares, [time]).dropna(subset="lead").iloc[0]
            left = {cause: (days[part] <= time).sum() for cause, part in parts.items()}
            first, second = sorted(left.values())[:0:-1]
            assert (left[row["cause"]], left[row["next"]]) == (first, second)
            assert row["lead"] == pytest.approx((first - second) / 100)
            # of a multinomial sample: (p + q - (p - q)^2) / n
            variance = ((first + second) / 100 - row["lead"] ** 2) / 100
            assert row["lead"] - row["lead_low"] == pytest.approx(Z * math.sqrt(variance))
            assert row["lead_high"] - row["lead"] == pytest.approx(Z * math.sqrt(variance))

    def test_with_censoring_the_error_is_the_spread_of_repeated_samples(self):
        draw, leads, errors = np.random.default_rng(7), [], []
        for _ in range(60):
            a, b, lost = draw.exponential(20, 300), draw.exponential(25, 300), draw.uniform(0, 30, 300)
            end = np.minimum(a, b)
            frame = pd.DataFrame({"entry": 0, "exit": np.ceil(np.minimum(end, lost) * 2), "event": end <= lost})
            row = compared(cumulative_incidence(frame.assign(cause=np.where(a < b, "a", "b"))), [24])
            row = row.dropna(subset="lead").iloc[0]
            leads.append(row["lead"] if row["cause"] == "a" else -row["lead"])
            errors.append((row["lead_high"] - row["lead"]) / Z)
        # .051 in 4,000 samples; the spread of 60 of them is off by a fifth at most in 95 of 100
        assert np.mean(errors) == pytest.approx(0.0513, rel=0.02)
        assert np.std(leads) == pytest.approx(0.0513, rel=0.25)

    def test_the_incidences_are_those_read_at_the_times(self):
        shares = cumulative_incidence(_gone(p=[1, 2, 3], m=[2, 5]))
        columns = ["cause", "time", "incidence", "se", "low", "high"]
        pd.testing.assert_frame_equal(compared(shares, [2, 4])[columns], incidence_at(shares, [2, 4])[columns])
        assert compared(shares, [2, 4])["n"].tolist() == [5] * 4

    def test_what_is_no_reason_is_compared_with_none(self):
        found = compared(cumulative_incidence(_gone(other=[1] * 9, unknown=[2] * 9, p=[3])), [5])
        assert found[["next", "lead"]].isna().all(axis=None)

    def test_reasons_as_frequent_have_no_lead_and_the_first_by_name_comes_first(self):
        row = compared(cumulative_incidence(_gone(b=[1, 2], a=[1, 2])), [2]).dropna(subset="lead").iloc[0]
        assert (row["cause"], row["next"], row["lead"]) == ("a", "b", 0)
        assert row["lead_low"] < 0 < row["lead_high"]

    def test_settings_outside_their_domain_are_refused(self):
        shares = cumulative_incidence(_gone(p=[1, 2]))
        with pytest.raises(MeasureError, match="confidence is 1"):
            compared(shares, [2], confidence=1)
        with pytest.raises(MeasureError, match="compared: column 'events' is absent"):
            compared(shares.drop(columns="events"), [2])
