"""Which chapters a report has: by the data, by the parameters, by the command line."""

from __future__ import annotations

import nbformat
import pytest

from analysis import pipeline
from analysis.intake import snapshot as snapshots
from analysis.params import Params


@pytest.fixture
def prepared(tmp_path):
    """Return what prepares the chapters of a firm that has surveys only."""
    (tmp_path / "survey.csv").write_text("response_id,answered_at,nps\n1,2026-01-05,9\n2,2026-03-31,3\n")
    (tmp_path / "notebooks").mkdir()

    def prepare(*chosen, **params):
        surveys = {"path": "survey.csv", "scale": (0, 10)}
        plain = {"report": "probe", "period": "quarter", "sources": {"surveys": surveys}, **params}
        built = snapshots.build(Params.model_validate(plain), tmp_path, tmp_path / "snapshot")
        return pipeline.prepare_chapters(built, tmp_path, chosen=chosen, progress=told.append)

    told: list[str] = []
    prepare.told = told
    return prepare


def text(chapter):
    return "\n".join(cell.source for cell in nbformat.read(chapter.notebook, as_version=4).cells)


LACKS_CONTRACTS = "Dieses Kapitel entfällt, denn in den Daten fehlt: Verträge (contracts)."


def test_a_chapter_without_its_tables_has_no_page_and_the_summary_says_so(prepared):
    found = prepared()
    assert [one.chapter for one in found if one.chapter not in ("summary", "satisfaction", "data_quality")] == []
    assert found[0].chapter == "summary"
    assert f"**Abwanderung.** {LACKS_CONTRACTS}" in text(found[0])
    assert f"churn_drivers: {LACKS_CONTRACTS}" in prepared.told


@pytest.mark.parametrize("by", ["parameters", "command line"])
def test_a_chapter_that_was_chosen_keeps_a_page_that_says_what_the_data_lack(prepared, by):
    chapters = ["churn_drivers", "summary"]
    found = prepared(chapters=chapters) if by == "parameters" else prepared(*chapters)
    assert [one.chapter for one in found] == ["summary", "churn_drivers"]
    assert (found[1].notebook, found[1].sentence) == (None, LACKS_CONTRACTS)
    assert "entfällt" not in text(found[0])
