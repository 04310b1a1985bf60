import json

import pytest

from analysis.errors import FigureError
from analysis.publish.figures import read_figures, write_figures
from analysis.vocabulary import FIGURE_KEYS


def figure(id: str, **parts) -> dict:
    plain = dict.fromkeys(FIGURE_KEYS) | {"value": 0.5, "unit": "share", "definition": "Anteil", "period": "2026-Q3"}
    return plain | {"id": id} | parts


@pytest.fixture
def snapshot(tmp_path):
    """Write each chapter's figures as a notebook leaves them."""

    def write(**chapters):
        (tmp_path / "figures").mkdir(exist_ok=True)
        for chapter, figures in chapters.items():
            (tmp_path / "figures" / f"{chapter}.json").write_text(json.dumps(figures), encoding="utf-8")
        return tmp_path

    return write


def test_figures_come_in_the_order_of_the_chapters_then_as_reported(snapshot, tmp_path):
    folder = snapshot(b=[figure("b.2"), figure("b.1")], a=[figure("a.1", cell="x7", value=float("nan"))])
    by_chapter = read_figures(folder, ["b", "a", "without"])
    assert by_chapter["without"] == []
    write_figures(by_chapter, tmp_path / "figures.json")
    written = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in written] == ["b.2", "b.1", "a.1"]
    assert all(tuple(one) == FIGURE_KEYS for one in written)
    assert written[2]["value"] is None


def test_an_id_reported_by_two_chapters_is_refused(snapshot):
    folder = snapshot(a=[figure("a.nps")], b=[figure("a.nps")])
    with pytest.raises(FigureError) as refused:
        read_figures(folder, ["a", "b"])
    assert str(refused.value) == "figure 'a.nps': is reported by a and by b."


def test_a_figure_that_lacks_a_part_is_refused(snapshot):
    lacking = figure("a.nps")
    del lacking["n"], lacking["source"]
    with pytest.raises(FigureError) as refused:
        read_figures(snapshot(a=[lacking]), ["a"])
    assert str(refused.value) == "figure 'a.nps': lacks n, source."
