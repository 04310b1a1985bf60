"""The door a notebook has to parameters, period and snapshot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import params
from analysis.errors import FigureError, StammkundeError, UnknownNameError
from analysis.intake import snapshot as snapshots
from analysis.period import Period
from analysis.places import project_folder
from analysis.report import open_report

PROJECT = Path(__file__).parents[1]

FILES = {
    "kunden.csv": "Nr;Region\n1;Nord\n2;Süd\n3;Süd\n",
    "nps.csv": (
        "id;kunde;am;Q1\n"
        "a;1;2026-06-15 10:00:00;9\nb;2;2026-05-20 10:00:00;10\nc;2;2026-03-20 10:00:00;4\nd;3;2026-07-02 10:00:00;1\n"
    ),
    "probe.yml": (
        "report: probe\nperiod: quarter\nsources:\n"
        "  customers: {path: kunden.csv, columns: {customer_id: Nr, region: Region}}\n"
        "  surveys: {path: nps.csv, scale: [1, 10], begins: 2026-01-01,\n"
        "            columns: {response_id: id, customer_id: kunde, answered_at: am, nps: Q1}}\n"
    ),
}


@pytest.fixture
def report(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    chosen = params.load(tmp_path / "probe.yml")
    snapshots.build(chosen, tmp_path, tmp_path / "snapshot", period=Period.parse("2026-Q2"))
    return open_report(str(tmp_path / "snapshot"), chapter="probe")


def ids(table):
    return sorted(table.execute()["response_id"])


def test_a_table_is_known_up_to_the_end_of_the_period_and_cut_on_request(report):
    assert ids(report.table("surveys")) == ["a", "b", "c"]
    assert ids(report.table("surveys", period=report.period)) == ["a", "b"]
    assert ids(report.table("surveys", period=report.previous)) == ["c"]


def test_several_periods_stand_beside_each_other_with_their_ids(report):
    found = report.table("surveys", last=2).execute().set_index("response_id")["period"]
    assert found.to_dict() == {"a": "2026-Q2", "b": "2026-Q2", "c": "2026-Q1"}
    assert list(report.periods(2)) == ["2026-Q1", "2026-Q2"]


def test_columns_of_the_customer_are_added(report):
    found = report.table("surveys", customer=["region"]).execute().set_index("response_id")["region"]
    assert found.to_dict() == {"a": "Nord", "b": "Süd", "c": "Süd"}
    with pytest.raises(UnknownNameError, match=r"customers: unknown column 'regon'\. Did you mean 'region'\?"):
        report.table("surveys", customer=["regon"])


def test_of_several_tables_those_there_are_are_handed_over_by_name(report):
    found = report.tables("surveys", "contracts", "customers")
    assert list(found) == ["surveys", "customers"]
    assert ids(found["surveys"]) == ["a", "b", "c"]


def test_an_absent_table_is_named_with_those_there_are(report):
    with pytest.raises(UnknownNameError) as refused:
        report.table("survey")
    assert str(refused.value) == (
        "chapter probe: unknown table 'survey'. Did you mean 'surveys'? Known: customers, surveys."
    )


@pytest.fixture
def left_ever(tmp_path):
    """Return a function that gives those who have left for good, from the ends of contracts 1, 2, 3 and so on."""

    def found(*ends: str) -> list[str]:
        text = "".join(f"{number},2025-{number:02}-01,{end}\n" for number, end in enumerate(ends, start=1))
        (tmp_path / "c.csv").write_text(f"customer_id,start,ended_on\n{text}", encoding="utf-8")
        (tmp_path / "c.yml").write_text("report: c\nperiod: quarter\nsources:\n  contracts: {path: c.csv}\n")
        chosen = params.load(tmp_path / "c.yml")
        snapshots.build(chosen, tmp_path, tmp_path / "of_c", period=Period.parse("2025-Q3"))
        ever = open_report(str(tmp_path / "of_c"), chapter="probe").left_ever()
        return sorted(ever.execute()["customer_id"])

    return found


def test_who_has_left_for_good_is_told_by_all_ends_on_record(left_ever):
    # the period ends on 30 September, the last contract began on 1 November: an end later is a notice given
    assert left_ever(*[""] * 8, "2025-09-30", "2025-10-15", "2025-12-31") == ["10", "11", "9"]


def test_ends_agreed_with_the_contract_are_none_who_left(left_ever):
    ends = ["2030-12-31"] * 8
    assert left_ever(*ends, "2025-09-30", "2025-10-15", "2025-12-31") == ["10", "9"]
    assert left_ever(*ends, "", "2025-10-15", "2025-12-31") == ["10"]


def test_what_the_parameters_declare_is_told(report):
    assert report.scale("nps") == (1, 10)
    assert report.begins("surveys").isoformat() == "2026-01-01"
    assert report.begins("customers") is None
    assert report.codebook == {}
    assert (report.language, report.currency) == ("de", "EUR")
    with pytest.raises(UnknownNameError, match=r"sources\.surveys: unknown declared scale 'csat'"):
        report.scale("csat")


WAVES = (
    "id;am;welle;Q1;Q2\n"
    "a;2026-02-10 10:00:00;Früh;0;1\nb;2026-05-10 10:00:00;Früh;10;2\nc;2026-05-20 10:00:00;Spät;9;3\n"
    "d;;Spät;;\ne;2026-07-02 10:00:00;Früh;10;4\n"
)


@pytest.fixture
def waves(tmp_path):
    """A report on surveys by ``scales``, of which Spät has the latest answer known at the end of the period."""

    def opened(scales, period="2026-Q2", text=WAVES):
        (tmp_path / "nps.csv").write_text(text, encoding="utf-8")
        columns = {"response_id": "id", "answered_at": "am", "survey": "welle", "nps": "Q1", "csat": "Q2"}
        source = {"path": "nps.csv", "scale": scales, "csat_scale": [1, 5], "columns": columns}
        plain = {"report": "probe", "period": "quarter", "sources": {"surveys": source}}
        chosen = params.Params.model_validate_json(json.dumps(plain))
        folder = tmp_path / f"snapshot{len(list(tmp_path.iterdir()))}"
        snapshots.build(chosen, tmp_path, folder, period=Period.parse(period))
        return open_report(str(folder), chapter="probe")

    return opened


def scores(table):
    found = table.execute()
    return {row.response_id: row.nps for row in found[found["nps"].notna()].itertuples()}


def test_of_two_scales_that_of_the_latest_survey_known_is_reported_and_the_other_left_out(waves):
    report = waves({"Früh": [0, 10], "Spät": [1, 10]})
    assert report.scale("nps") == (1, 10)
    assert report.scales("nps", "csat") == {"nps": (1, 10), "csat": (1, 5)}
    assert report.nps_scales == {"Früh": (0, 10), "Spät": (1, 10)}
    assert scores(report.table("surveys")) == scores(report.optional("surveys")) == {"c": 9}
    assert scores(report.table("surveys", last=2)) == {"c": 9}
    assert scores(report.table("surveys", every_scale=True)) == {"a": 0, "b": 10, "c": 9}
    assert report.other_scale_answers == 1  # b; a lies before the period, e after it
    assert report.table("surveys")["csat"].execute().notna().sum() == 3


def test_invitations_keep_their_rows_or_only_those_on_the_scale(waves):
    report = waves({"Früh": [0, 10], "Spät": [1, 10]})
    asked = report.invitations(report.period)
    assert (ids(asked), scores(asked)) == (["b", "c"], {"c": 9})
    assert ids(report.invitations(report.period, one_scale=True)) == ["c"]


def test_before_the_latest_survey_the_scale_is_that_of_the_one_before(waves):
    report = waves({"Früh": [0, 10], "Spät": [1, 10]}, "2026-Q1")
    assert (report.scale("nps"), report.other_scale_answers) == ((0, 10), 0)
    assert scores(report.table("surveys")) == {"a": 0}


def test_of_surveys_answered_at_once_the_last_by_name_decides(waves):
    at_once = WAVES.replace("05-10", "05-20")
    assert waves({"Früh": [0, 10], "Spät": [1, 10]}, text=at_once).scale("nps") == (1, 10)
    named = at_once.replace("Spät", "Ende")
    assert waves({"Früh": [0, 10], "Ende": [1, 10]}, text=named).scale("nps") == (0, 10)


@pytest.mark.parametrize("scales", [[0, 10], {"Früh": [0, 10], "Spät": [0, 10]}])
def test_one_scale_leaves_nothing_out_however_it_is_declared(waves, scales):
    report = waves(scales)
    assert (report.scale("nps"), report.nps_scales, report.other_scale_answers) == ((0, 10), (0, 10), 0)
    assert scores(report.table("surveys")) == {"a": 0, "b": 10, "c": 9}


def test_a_frame_becomes_figures_with_their_intervals(report):
    frame = pd.DataFrame({"region": ["Nord", None], "share": [0.5, 0.25], "share_low": [0.4, 0.1], "share_high": 0.6})
    report.figures_from(
        frame.assign(n=7), "probe.part", value="share", by="region", unit="share", definition="d", source="surveys"
    )
    kept = json.loads((report.snapshot.folder / "figures" / "probe.json").read_text())
    assert [(one["id"], one["value"], one["low"], one["high"], one["n"]) for one in kept] == [
        ("probe.part.Nord", 0.5, 0.4, 0.6, 7),
        ("probe.part.missing", 0.25, 0.1, 0.6, 7),
    ]
    assert kept[0]["source"] == "surveys (nps.csv), as of 2026-07-01"
    assert kept[0]["period"] == "2026-Q2"


def test_a_frame_of_figures_is_taken_as_it_stands(report):
    same = {"n": 3, "unit": "count", "definition": "d", "source": "surveys"}
    report.figure(pd.DataFrame([{"id": "probe.a", "value": 1, **same}, {"id": "probe.b", "value": 2, **same}]))
    with pytest.raises(FigureError, match="is reported twice"):
        report.figure("probe.a", 1, **same)


def test_a_figure_of_a_table_that_is_not_there_is_refused(report):
    with pytest.raises(UnknownNameError, match="unknown table 'orders'"):
        report.figure("probe.a", 1, n=1, unit="count", definition="d", source="orders")


def test_without_a_snapshot_the_pilots_is_built_and_taken_again(tmp_path, monkeypatch):
    shutil.copytree(PROJECT / "params", tmp_path / "params")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv("STAMMKUNDE_SNAPSHOT", raising=False)
    first = open_report(chapter="probe")
    assert first.period.id == "2026-Q3"
    built = (first.snapshot.folder / "snapshot.json").stat().st_mtime_ns
    assert open_report(chapter="probe").snapshot.folder == first.snapshot.folder
    assert (first.snapshot.folder / "snapshot.json").stat().st_mtime_ns == built


def test_outside_a_project_a_snapshot_must_be_named(tmp_path):
    with pytest.raises(StammkundeError, match=r"there is no params/pilot\.yml here or above"):
        project_folder(tmp_path)
