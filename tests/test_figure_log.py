"""The figures a chapter hands over."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from analysis.errors import FigureError
from analysis.figure_log import CustomerLog, FigureLog


def record(id="probe.nps", **parts):
    same = {"value": 24.0, "low": 20.0, "high": 28.0, "n": 812, "unit": "points", "period": "2026-Q3"}
    return {"id": id, **same, "definition": "what it is", "source": "surveys", **parts}


@pytest.fixture
def log(tmp_path):
    begun = FigureLog(tmp_path, "probe")
    begun.begin()
    return begun


def others(tmp_path):
    return FigureLog(tmp_path, "summary").others()


def test_a_figure_is_kept_and_read_by_other_chapters_only(log, tmp_path):
    log.add(record())
    found = others(tmp_path)
    assert found[["id", "value", "n", "chapter"]].to_numpy().tolist() == [["probe.nps", 24.0, 812.0, "probe"]]
    assert log.others().empty


@pytest.mark.parametrize("value", [math.nan, math.inf, None, np.float64("nan")])
def test_a_number_that_is_none_is_kept_as_missing(log, tmp_path, value):
    log.add(record(value=value))
    assert others(tmp_path)["value"].isna().all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"id": "other.nps"}, "figure 'other.nps': does not begin with the chapter's name, 'probe'."),
        (
            {"unit": "point"},
            "figure 'probe.nps': the unit 'point' does not exist; known: count, share, percentage points,",
        ),
        ({"definition": ""}, "figure 'probe.nps': has no definition."),
    ],
)
def test_a_figure_with_a_fault_is_refused(log, parts, message):
    with pytest.raises(FigureError) as refused:
        log.add(record(**parts))
    assert str(refused.value).startswith(message)


def test_a_figure_reported_twice_is_refused(log):
    log.add(record())
    with pytest.raises(FigureError, match=r"figure 'probe\.nps': is reported twice\."):
        log.add(record())


def test_a_cell_run_again_replaces_its_figure(log, tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.figure_log._cell", lambda: "cell-7")
    log.add(record(value=1.0))
    log.add(record(value=2.0))
    assert others(tmp_path)["value"].tolist() == [2.0]
    monkeypatch.setattr("analysis.figure_log._cell", lambda: "cell-8")
    with pytest.raises(FigureError, match="is reported twice"):
        log.add(record())


def keep(tmp_path, id="probe.moved", text="rows"):
    CustomerLog(tmp_path, "probe").add(id, {"title": "Wer?"}, lambda file: file.write_text(text))


def test_a_list_of_customers_is_kept_until_its_chapter_begins_anew(tmp_path):
    keep(tmp_path)
    folder = tmp_path / "customers" / "probe"
    assert (folder / "probe.moved.parquet").read_text() == "rows"
    assert json.loads((folder / "lists.json").read_text()) == [{"id": "probe.moved", "title": "Wer?", "cell": None}]
    CustomerLog(tmp_path, "probe").begin()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("id", "message"), [("probe.moved", "is reported twice"), ("other.moved", "does not begin with the chapter's name")]
)
def test_a_list_with_a_fault_is_refused(tmp_path, id, message):
    keep(tmp_path)
    with pytest.raises(FigureError, match=message):
        keep(tmp_path, id, "others")
    assert (tmp_path / "customers" / "probe" / "probe.moved.parquet").read_text() == "rows"


def test_a_cell_run_again_replaces_its_list(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.figure_log._cell", lambda: "cell-7")
    for text in ("first", "second"):
        keep(tmp_path, text=text)
    assert (tmp_path / "customers" / "probe" / "probe.moved.parquet").read_text() == "second"
