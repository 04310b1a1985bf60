"""Parameters: what is accepted, and the message for each fault."""

from __future__ import annotations

import json

import pytest

from analysis import params
from analysis.errors import ParamsError, UnknownNameError
from analysis.source_params import with_secrets

MINIMAL = "report: probe\nperiod: quarter\nsources:\n  customers: {path: kunden.csv}\n"


@pytest.fixture
def load(tmp_path):
    def loaded(text, settings=()):
        file = tmp_path / "probe.yml"
        file.write_text(text, encoding="utf-8")
        return params.load(file, settings)

    return loaded


def refusal(load, text, settings=()):
    with pytest.raises(ParamsError) as refused:
        load(text, settings)
    return str(refused.value).split("probe.yml: ", 1)[-1]


def test_all_but_report_period_and_sources_has_the_documented_default(load):
    found = load(MINIMAL)
    assert (found.language, found.timezone, found.currency) == ("de", "Europe/Berlin", "EUR")
    assert (found.audience, found.connection, found.max_quarantined) == ("internal", "duckdb", 0.05)
    assert found.outputs == ("html", "pdf", "xlsx")
    assert found.title.de == "Kundenbericht"
    assert found.satisfaction.min_group == 5


@pytest.mark.parametrize(
    ("written", "widest", "by_survey"),
    [
        ("[1, 10]", (1, 10), {}),
        ("{Früh: [1, 10], Spät: [0, 10]}", (0, 10), {"Früh": (1, 10), "Spät": (0, 10)}),
    ],
)
def test_an_nps_scale_is_one_or_one_by_survey_and_survives_json(load, written, widest, by_survey):
    found = load(MINIMAL + f"  surveys: {{path: nps.csv, columns: {{nps: Q1}}, scale: {written}}}\n")
    again = params.Params.model_validate_json(json.dumps(found.as_json()))
    for source in (found.sources["surveys"], again.sources["surveys"]):
        assert (source.scale_of("nps"), source.scale_by_survey) == (widest, by_survey)


def test_parameters_are_frozen(load):
    with pytest.raises(ValueError, match="frozen"):
        load(MINIMAL).report = "other"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("period: quarter\nsources:\n  customers: {path: a.csv}\n", "report: is required and absent."),
        (MINIMAL + "langage: de\n", "langage: unknown key; did you mean 'language'? Known: report, title,"),
        (MINIMAL + "language: fr\n", "language: Input should be 'de' or 'en', not 'fr'."),
        (MINIMAL + "period: quater\n", "is not valid YAML: line 5: the key 'period' stands twice."),
        (MINIMAL + "max_quarantined: viel\n", "max_quarantined: Input should be a valid number, not 'viel'."),
        (MINIMAL + "max_quarantined: 5\n", "max_quarantined: Input should be less than or equal to 1, not 5."),
        (MINIMAL + "satisfaction: {min_grup: 5}\n", "satisfaction.min_grup: unknown key; did you mean 'min_group'?"),
        (
            MINIMAL + "timezone: Europe/Berln\n",
            "timezone: 'Europe/Berln' is no time zone; did you mean 'Europe/Berlin'?",
        ),
        (MINIMAL + "currency: EURO\n", "currency: 'EURO' is no currency; write its three letters, such as EUR."),
        (MINIMAL + "chapters: [satisfacton]\n", "did you mean 'satisfaction'?"),
        (MINIMAL + "title:\n\tde: x\n", "is not valid YAML: line 6: a tab stands where YAML wants spaces."),
        (
            MINIMAL + "title: !!python/object:os.system x\n",
            "is not valid YAML: line 5: could not determine a constructor",
        ),
        ("- a\n- b\n", "holds no mapping of keys to values. Begin with `report: NAME`."),
        (MINIMAL.replace("customers", "custmers"), "sources: unknown table 'custmers'; did you mean 'customers'?"),
        (
            MINIMAL + "  surveys: {path: nps.csv, columns: {nps: Q1}}\n",
            "sources: surveys maps nps but declares no scale; a scale is never guessed.",
        ),
        (
            MINIMAL + "  surveys: {path: nps.csv, scale: [1, 11]}\n",
            "sources.surveys.scale: an NPS scale is [0, 10] or [1, 10], not [1, 11].",
        ),
        (
            MINIMAL + "  surveys: {path: nps.csv, scale: {Früh: [0, 10], Spät: [1, 5]}}\n",
            "sources.surveys.scale.Spät: an NPS scale is [0, 10] or [1, 10], not [1, 5].",
        ),
        (
            MINIMAL + "  surveys: {path: nps.csv, scale: {2025: [0, 10]}}\n",
            "sources.surveys.scale.2025: the name of a survey is text; write it in quotes: '2025'.",
        ),
        (
            MINIMAL + "  surveys: {path: nps.csv, scale: {}}\n",
            "sources.surveys.scale: Dictionary should have at least 1 item",
        ),
        (
            MINIMAL + "  surveys: {path: nps.csv, scale: {Früh: [10, 1]}}\n",
            "sources.surveys.scale.Früh: a scale runs from low to high, not from 10 to 1.",
        ),
        (
            MINIMAL + "  contracts: {path: v.csv, reasons: {grund: {teuer: Preis}}}\n",
            "sources.contracts.reasons.grund: 'grund' holds no reason; columns of reasons are called reason or ",
        ),
        (
            MINIMAL + "  contracts: {path: v.csv, reasons: {reason: {Preis: Preis, 'PREIS ': Geld}}}\n",
            "sources.contracts.reasons.reason: 'preis' means both 'Preis' and 'Geld'; case and outer blanks are one.",
        ),
        (
            MINIMAL + "  contracts: {path: v.csv, reasons: {reason: {Preis: Preis, Sonstiges: ' Other'}}}\n",
            "sources.contracts.reasons.reason: ' Other' is what the report itself calls what is no reason; call it ",
        ),
        (
            MINIMAL + "  cases: {path: f.csv, reasons: {reason: {teuer: Preis}}}\n",
            "sources: cases has a codebook of reasons, but only contracts end for one; move it there.",
        ),
        (
            MINIMAL + "connection: postgres://leser:streng-geheim@localhost/kunden\n",
            "connection: a password stands here in plain text; set an environment variable and write ${NAME}",
        ),
        (
            MINIMAL + "connection: postgres://localhost/kunden?password=streng-geheim\n",
            "connection: a password stands here in plain text; set an environment variable and write ${NAME}",
        ),
        (MINIMAL + "split_by: region\n", "split_by: one report a value is not made yet; leave it out or write null."),
        (MINIMAL + "report: ../x\n", "is not valid YAML: line 5: the key 'report' stands twice."),
        (MINIMAL.replace("probe", "../x"), "report: '../x' cannot be a folder's name; use letters, digits, - and _."),
        (MINIMAL.replace("{path: kunden.csv}", "{}"), "sources.customers: name either a path or a table."),
    ],
)
def test_a_fault_is_named_with_its_key_and_a_remedy(load, text, message):
    found = refusal(load, text)
    assert found.startswith(message) or message in found
    assert "streng-geheim" not in found


def test_care_and_winning_cannot_cost_more_than_all_that_is_expected(load):
    assert load(MINIMAL + "value: {care_share: 0.4, acquisition_share: 0.6}\n").value.care_share == 0.4
    with pytest.raises(ParamsError, match=r"care_share, 0\.5, and acquisition_share, 0\.6, are more than the whole"):
        load(MINIMAL + "value: {care_share: 0.5, acquisition_share: 0.6}\n")


def test_a_shareable_report_shows_no_small_groups(load):
    text = MINIMAL + "churn_drivers: {min_group: 3}\n"
    assert load(text).churn_drivers.min_group == 3
    with pytest.raises(ParamsError, match=r"churn_drivers\.min_group is 3, but a shareable report shows no group of"):
        load(text + "audience: shareable\n")


def test_several_faults_are_told_at_once(load):
    found = refusal(load, MINIMAL + "langage: de\ncurrency: EURO\n")
    assert found.startswith("2 faults:")
    assert "langage" in found
    assert "EURO" in found


def test_a_file_that_is_absent_is_named(tmp_path):
    with pytest.raises(ParamsError, match=r"probe\.yml: there is no such file\. Name a params file"):
        params.load(tmp_path / "probe.yml")


def test_a_setting_on_the_command_line_replaces_the_files(load):
    found = load(MINIMAL, ["satisfaction.min_group=3", "language=en"])
    assert (found.satisfaction.min_group, found.language) == (3, "en")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("language", "--set: language: is not of the form key=value."),
        ("language.de=1", "--set: language.de: 'language' holds a value, not a group of keys."),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(load, setting, message):
    with pytest.raises(ParamsError) as refused:
        load(MINIMAL + "language: de\n", [setting])
    assert str(refused.value) == message


def test_paths_resolve_from_the_params_file_and_a_missing_one_names_its_neighbour(load, tmp_path):
    found = load(MINIMAL)
    (tmp_path / "kundn.csv").write_text("x")
    with pytest.raises(ParamsError) as refused:
        list(params.paths(found, tmp_path))
    assert str(refused.value) == (
        f"kunden.csv: sources.customers.path: there is no such file in {tmp_path}. Did you mean 'kundn.csv'?"
    )
    (tmp_path / "kunden.csv").write_text("x")
    assert list(params.paths(found, tmp_path)) == [("sources.customers.path", tmp_path / "kunden.csv")]


def test_a_folder_in_place_of_a_file_is_refused(load, tmp_path):
    (tmp_path / "kunden.csv").mkdir()
    with pytest.raises(ParamsError, match=r"kunden\.csv: sources\.customers\.path: is a folder, not a file"):
        list(params.paths(load(MINIMAL), tmp_path))


def test_a_secret_is_taken_from_the_environment_and_never_kept(load, monkeypatch):
    found = load(MINIMAL + "connection: postgres://leser:${KUNDEN_PW}@localhost/kunden\n")
    monkeypatch.setenv("KUNDEN_PW", "streng-geheim")
    assert with_secrets(found.connection, "connection") == "postgres://leser:streng-geheim@localhost/kunden"
    assert "streng-geheim" not in str(found.as_json())
    monkeypatch.delenv("KUNDEN_PW")
    with pytest.raises(ParamsError, match=r"environment: connection: the variable KUNDEN_PW is not set"):
        with_secrets(found.connection, "connection")


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    assert str(UnknownNameError("table", "survey", ["surveys", "cases"], "chapter x")) == (
        "chapter x: unknown table 'survey'. Did you mean 'surveys'? Known: cases, surveys."
    )


def test_only_true_and_false_are_yes_and_no(load):
    text = MINIMAL.replace("{path: kunden.csv}", "{path: kunden.csv, where: {Land: [no, Yes, on]}}")
    assert load(text).sources["customers"].where == {"Land": ["no", "Yes", "on"]}
