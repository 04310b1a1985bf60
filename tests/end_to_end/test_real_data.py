"""The main job on real data: figures equal to published or independently computed ones."""

from __future__ import annotations

import json
from pathlib import Path

import ibis
import pandas as pd
import pytest
from calls import call

from analysis import report as door
from analysis.measures import satisfaction, spells, survival

PARAMS = Path(__file__).parent / "params"


@pytest.fixture(scope="module")
def build(public_data, tmp_path_factory):
    """Return what builds the report of a params file of this folder and gives its folder."""

    def built(name, *arguments):
        folder = tmp_path_factory.mktemp(name)
        text = (PARAMS / f"{name}.yml").read_text(encoding="utf-8").replace("${DATA}", str(public_data.resolve()))
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        done = call("run", folder / f"{name}.yml", "--json", *arguments)
        assert done.code == 0, done.err
        return Path(done.json["folder"])

    return built


def figures(folder):
    records = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return {record["id"]: record for record in records}


def snapshot_of(folder):
    return door.open_report(str(folder.parents[1] / ".snapshots" / folder.parent.name), chapter="probe")


def without_source(found):
    return {key: {part: value for part, value in one.items() if part != "source"} for key, one in found.items()}


def test_german_csv_and_cdnow_give_the_same_figures(build):
    german, original = figures(build("german_csv")), figures(build("cdnow"))
    assert without_source(german) == without_source(original)
    # the newest purchase is of 30 June 1998; the data README counts 6,919 purchases of 2,357 customers
    assert german["segments.buyers"]["period"] == "1998-Q2"
    assert german["data_quality.accepted.transactions"]["value"] == 6919
    assert german["data_quality.accepted.customers"]["value"] == 2357


@pytest.fixture(scope="module")
def olist(build):
    return build("olist", "--period", "2018-Q2")


@pytest.fixture(scope="module")
def telco(build):
    return build("telco", "--period", "2020-Q3")


class TestOlist:
    def test_reports_satisfaction_with_orders_and_segments(self, olist):
        found = figures(olist)
        assert {"satisfaction.csat", "satisfaction.csat_mean", "segments.revenue"} <= found.keys()
        assert not any(key.startswith("satisfaction.nps") for key in found)

    def test_finds_the_mean_score_and_the_gap_between_late_and_timely_delivery(self, olist):
        # over all reviews: mean 3.2716; of delivered orders, delivered late 2.498, in time 4.280. An order without a
        # day of delivery was not late.
        answers = ibis.read_parquet(olist.parents[1] / ".snapshots" / "olist" / "tables" / "surveys.parquet")
        assert satisfaction.csat(answers, scale=(1, 5))["mean"].item() == pytest.approx(3.2716, abs=0.001)
        delivered = answers.filter(answers.order_status == "delivered").mutate(late=answers.late.fill_null(False))
        by_late = satisfaction.csat(delivered, scale=(1, 5), by="late").set_index("late")["mean"]
        assert by_late[True] == pytest.approx(2.498, abs=0.001)
        assert by_late[False] == pytest.approx(4.280, abs=0.001)


class TestTelco:
    def test_counts_the_churned(self, telco):
        held = spells.spells(snapshot_of(telco).table("contracts"), as_of=snapshot_of(telco).as_of)
        ended = held.aggregate(ended=held.event.sum(), n=held.count()).execute()
        # 7,043 customers, of whom 11 have a tenure of 0 months and so begin on the as-of date
        assert (int(ended["ended"].item()), int(ended["n"].item())) == (1869, 7043 - 11)

    def test_finds_the_kaplan_meier_values_of_the_tenure_in_months(self, telco):
        report = snapshot_of(telco)
        curve = survival.survival_curve(spells.spells(report.table("contracts"), as_of=report.as_of))
        # 12, 24, 48 and 72 months before 1 October 2020 are so many days
        at = survival.survival_at(curve, [366, 731, 1461, 2192])["survival"]
        assert at.tolist() == pytest.approx([0.8432, 0.7887, 0.7088, 0.5928], abs=0.0005)

    def test_says_how_the_dates_were_made(self, telco):
        notes = json.loads((telco / "manifest.json").read_text())["inputs"]["contracts"]["notes"]
        assert any("tenure" in note for note in notes)
        assert "tenure" in (telco / "report.html").read_text(encoding="utf-8")

    def test_reports_leaving_by_term(self, telco):
        found = figures(telco)
        assert {f"churn_drivers.churn_share_term.{months}" for months in (1, 12, 24)} <= found.keys()

    def test_satisfaction_is_that_of_a_plain_count(self, public_data):
        scored = pd.read_excel(public_data / "telco_ibm" / "Telco_customer_churn_status.xlsx")["Satisfaction Score"]
        row = satisfaction.csat(pd.DataFrame({"csat": scored}), scale=(1, 5)).iloc[0]
        assert [row["n"], row["top"]] == [7043, int((scored >= 4).sum())]
        assert row["mean"] == pytest.approx(scored.mean())


@pytest.fixture(scope="module")
def airline(build):
    return build("airline", "--period", "2020-Q1")


class TestAirline:
    def test_importance_is_of_complete_cases_and_adds_up(self, airline, public_data):
        table = pd.read_csv(public_data / "airline" / "test.csv")
        complete = table.loc[:, "Inflight wifi service":"Cleanliness"].replace(0, float("nan")).dropna()
        found = figures(airline)
        parts = [record for key, record in found.items() if key.startswith("satisfaction.importance.")]
        assert len(parts) == 14
        assert {record["n"] for record in parts} == {len(complete)}
        assert sum(record["value"] for record in parts) == pytest.approx(1)
        assert max(parts, key=lambda record: record["value"])["id"] == "satisfaction.importance.boarding"

    def test_zeros_are_missing_and_listed(self, airline, public_data):
        table = pd.read_csv(public_data / "airline" / "test.csv")
        assert snapshot_of(airline).outside_scale("rating_wifi") == {
            0: int((table["Inflight wifi service"] == 0).sum())
        }
        wifi = figures(airline)["satisfaction.rating.wifi"]
        assert wifi["n"] == (table["Inflight wifi service"] > 0).sum()
        assert wifi["value"] == pytest.approx((table["Inflight wifi service"] == 5).sum() / wifi["n"])
