import nbformat
import pytest
from notebook_cells import code, prose

from analysis.errors import ChapterError
from analysis.publish.prepare import CELL_NUMBER, Prepared, prepare

SURVEYS = {"surveys": ("response_id", "nps")}


@pytest.fixture
def prepared(notebook, tmp_path):
    """Prepare a notebook of these cells and return what came of it."""

    def make(*cells, language="de", available=SURVEYS, parameters=(), absent=()) -> Prepared:
        source = notebook("satisfaction", cells)
        return prepare(
            source,
            tmp_path / "prepared {x}.ipynb",
            chapter="satisfaction",
            language=language,
            available=available,
            parameters=parameters,
            absent=absent,
        )

    return make


def sources(done: Prepared) -> list[str]:
    return [cell.source for cell in nbformat.read(done.notebook, as_version=4).cells]


def test_one_language_is_kept_and_cells_without_a_language_stay(prepared):
    cells = (prose("# Treue", "lang-de"), prose("# Loyalty", "lang-en"), prose("beides"), code("x = 1"))
    assert sources(prepared(*cells)) == ["# Treue", "beides", "x = 1"]
    assert sources(prepared(*cells, language="en")) == ["# Loyalty", "beides", "x = 1"]
    assert prepared(*cells, language="en").title == "Loyalty"


def test_a_cell_keeps_its_number_in_the_notebook_in_git(prepared):
    done = prepared(prose("# Treue", "lang-de"), prose("# Loyalty", "lang-en"), code("x = 1"))
    numbers = [cell.metadata[CELL_NUMBER] for cell in nbformat.read(done.notebook, as_version=4).cells]
    assert numbers == [1, 3]


def test_a_chapter_without_its_table_is_left_out_with_one_sentence(prepared):
    done = prepared(prose("# Abwanderung\n\nWer geht?", "needs:contracts"), code("x = 1"))
    assert done.notebook is None
    assert done.title == "Abwanderung"
    assert done.sentence == "Dieses Kapitel entfällt, denn in den Daten fehlt: Verträge (contracts)."


def test_a_chapter_without_its_column_names_the_column_in_the_reports_language(prepared):
    done = prepared(prose("# Effort", "needs:surveys.nps", "needs:surveys.ces"), language="en")
    assert done.sentence == "This chapter is left out, because the data lack: surveys (surveys), column ces."


@pytest.mark.parametrize(
    ("need", "has", "said"),
    [
        ("contracts|transactions", {"transactions": ()}, ""),
        ("contracts|transactions", SURVEYS, "Verträge (contracts) oder Bestellungen (transactions)"),
        ("transactions|contracts.fee", {"contracts": ("fee",)}, ""),
        (
            "transactions|contracts.fee",
            {"contracts": ("start",)},
            "Bestellungen (transactions) oder Verträge (contracts), Spalte fee",
        ),
        ("surveys.nps|csat|ces", {"surveys": ("ces",)}, ""),
        ("surveys.csat|ces", SURVEYS, "Umfragen (surveys), Spalte csat oder ces"),
    ],
)
def test_any_of_several_tables_or_columns_will_do(prepared, need, has, said):
    done = prepared(prose("# Kundenwert", f"needs:{need}"), available=has)
    sentence = f"Dieses Kapitel entfällt, denn in den Daten fehlt: {said}." if said else ""
    assert (done.sentence, done.notebook is None) == (sentence, bool(said))


def test_chapters_that_are_absent_are_told_at_the_end_of_the_first_section(prepared):
    absent = [prepared(prose("# Abwanderung", "needs:contracts")), prepared(prose("# Wert", "needs:transactions"))]
    done = prepared(prose("# Z"), prose("## Das Wichtigste"), code("headlines()"), prose("## Mehr"), absent=absent)
    assert sources(done) == [
        "# Z",
        "## Das Wichtigste",
        "headlines()",
        "**Abwanderung.** Dieses Kapitel entfällt, denn in den Daten fehlt: Verträge (contracts).\n\n"
        "**Wert.** Dieses Kapitel entfällt, denn in den Daten fehlt: Bestellungen (transactions).",
        "## Mehr",
    ]
    assert sources(prepared(prose("# Z"), prose("## A"), absent=absent[:1]))[-1].startswith("**Abwanderung.**")


def test_a_section_left_out_keeps_its_heading_and_the_next_section_stays(prepared):
    done = prepared(
        prose("# Zufriedenheit"),
        prose("## Aufwand\n\nWie leicht war es?", "needs:surveys.ces"),
        code("ces()"),
        prose("### Mehr dazu"),
        prose("## Weiterempfehlung", "needs:surveys.nps"),
        code("nps()"),
    )
    sentence = "Dieser Abschnitt entfällt, denn in den Daten fehlt: Umfragen (surveys), Spalte ces."
    assert sources(done) == ["# Zufriedenheit", f"## Aufwand\n\n{sentence}", "## Weiterempfehlung", "nps()"]
    assert done.left_out == ("Aufwand",)


def test_a_cell_that_needs_what_is_not_there_goes_alone(prepared):
    done = prepared(prose("# Z"), prose("## A"), code("by_region()", "needs:customers.region"), code("all()"))
    assert sources(done) == ["# Z", "## A", "all()"]


def test_a_parameter_the_notebook_lacks_is_refused_with_the_nearest(prepared):
    cells = (prose("# Z"), code('snapshot = ""\nmin_group = 5  # least group shown', "parameters"))
    assert prepared(*cells, parameters=("snapshot", "min_group")).notebook is not None
    with pytest.raises(ChapterError) as refused:
        prepared(*cells, parameters=("min_grop",))
    assert str(refused.value) == (
        "chapter satisfaction: its notebook has no parameter 'min_grop'. Did you mean 'min_group'? "
        "Known: min_group, snapshot."
    )


def test_a_notebook_without_parameters_cell_refuses_every_parameter(prepared):
    with pytest.raises(ChapterError, match="It has no cell tagged 'parameters' that sets one"):
        prepared(prose("# Z"), parameters=("snapshot",))


def test_a_star_stands_for_any_column_that_begins_so(prepared):
    cells = (prose("# Z"), code("ratings()", "needs:surveys.rating_*"))
    assert sources(prepared(*cells, available={"surveys": ("rating_price",)})) == ["# Z", "ratings()"]
    assert sources(prepared(*cells)) == ["# Z"]


def test_a_notebook_without_title_is_refused(prepared):
    with pytest.raises(ChapterError, match=r"satisfaction\.ipynb has no title"):
        prepared(prose("## Nur ein Abschnitt"))


def test_a_missing_notebook_is_named_with_those_there_are(notebook, tmp_path):
    folder = notebook("segments", [prose("# S")]).parent
    with pytest.raises(ChapterError) as refused:
        prepare(
            folder / "segmnets.ipynb",
            tmp_path / "x.ipynb",
            chapter="segmnets",
            language="de",
            available={},
            parameters=(),
        )
    assert str(refused.value).endswith("Notebooks there: segments.")


def test_preparing_twice_gives_the_same_bytes(prepared):
    cells = (prose("# Treue"), code("x = 1"))
    assert prepared(*cells).notebook.read_bytes() == prepared(*cells).notebook.read_bytes()
