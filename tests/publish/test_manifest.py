import json

from analysis import __version__
from analysis.period import Period
from analysis.publish.manifest import Manifest, write_manifest, write_run

MANIFEST = Manifest(
    report="kundenbericht",
    title="Kundenbericht",
    language="de",
    currency="EUR",
    period=Period.parse("2026-Q3"),
    parameters={"report": "kundenbericht", "connection": "${DATENBANK}"},
    inputs={"surveys": {"files": [["nps.csv", "ab12"]], "read": 10, "accepted": 9, "quarantined": {"no date": 1}}},
    chapters={"satisfaction": 12, "care": "Dieses Kapitel entfällt."},
    outputs=("html", "pdf"),
)


def test_the_manifest_tells_what_the_report_was_made_of(tmp_path):
    write_manifest(MANIFEST, tmp_path / "manifest.json")
    written = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert (written["period"], written["start"], written["end"], written["as_of"]) == (
        "2026-Q3", "2026-07-01", "2026-09-30", "2026-10-01",
    )  # fmt: skip
    assert written["chapters"] == {"satisfaction": {"figures": 12}, "care": {"left_out": "Dieses Kapitel entfällt."}}
    assert written["parameters"]["connection"] == "${DATENBANK}"
    assert written["inputs"]["surveys"]["accepted"] == 9
    assert written["versions"]["stammkunde"] == __version__
    assert {"python", "pandas", "duckdb", "weasyprint"} <= set(written["versions"])


def test_the_same_report_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_manifest(MANIFEST, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_times_and_host_stand_in_the_run_alone(tmp_path):
    steps = {"snapshot": 1.5, "chapters": 2.25}
    write_run(tmp_path / "run.json", run_id="7f", started="2026-10-01T06:00:00+00:00", steps=steps)
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["seconds"] == 3.75
    assert run["steps"] == steps
    assert set(run) == {"run", "started", "seconds", "steps", "host", "platform"}
    assert not {"host", "started", "seconds"} & set(MANIFEST.as_json())
