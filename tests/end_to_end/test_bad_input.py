"""Input that is refused: the contracted exit code, one clear message, the last good report untouched."""

from __future__ import annotations

import os

import pytest
from calls import call, edit, fingerprint


def no_file(folder):
    (folder / "orders.csv").unlink()


def a_folder(folder):
    no_file(folder)
    (folder / "orders.csv").mkdir()


def empty(folder):
    (folder / "orders.csv").write_bytes(b"")


def only_a_header(folder):
    (folder / "orders.csv").write_text("Kunde;Tag;Betrag\n", encoding="utf-8")


def binary(folder):
    (folder / "orders.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(2000))


def ambiguous_dates(folder):
    lines = "".join(f"K{n:03d};{n % 12 + 1:02d}/{n % 9 + 1:02d}/2026;{n},50\n" for n in range(1, 60))
    (folder / "orders.csv").write_text("Kunde;Tag;Betrag\n" + lines, encoding="utf-8")


def too_many_faults(folder):
    with (folder / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("K001;kein Tag;17,50\n" * 40)


REFUSED = {
    "a missing file": (no_file, 2, "orders.csv: sources.transactions.path: there is no such file in"),
    "a folder in place of a file": (a_folder, 2, "orders.csv: sources.transactions.path: is a folder, not a file."),
    "an empty file": (empty, 3, "orders.csv: "),
    "a header without rows": (only_a_header, 3, "orders.csv: "),
    "a binary file named .csv": (binary, 3, "orders.csv: "),
    "a mapped column that is absent": (
        lambda folder: edit(folder, "shop.yml", ("revenue: Betrag", "revenue: Betrga")),
        3,
        "Did you mean 'Betrag'?",
    ),
    "dates that fit day first and month first": (ambiguous_dates, 3, "day_first"),
    "more quarantined than allowed": (too_many_faults, 3, "more than max_quarantined = 5.0% allows"),
    "a survey without a declared scale": (
        lambda folder: edit(
            folder,
            "shop.yml",
            ("  transactions:", "  surveys: {path: orders.csv, columns: {nps: Betrag}}\n  transactions:"),
        ),
        2,
        "sources: surveys maps nps but declares no scale; a scale is never guessed.",
    ),
    "a tab in the YAML": (
        lambda folder: edit(folder, "shop.yml", ("  transactions:", "\ttransactions:")),
        2,
        "a tab stands where YAML wants spaces.",
    ),
    "a duplicate key": (
        lambda folder: edit(folder, "shop.yml", ("period: month", "period: month\nperiod: week")),
        2,
        "is not valid YAML: line 3: the key 'period' stands twice.",
    ),
    "a Python object in the YAML": (
        lambda folder: edit(folder, "shop.yml", ("report: laden", "report: !!python/object:os.system laden")),
        2,
        "is not valid YAML: line 1: could not determine a constructor",
    ),
    "a password in a connection URL": (
        lambda folder: edit(folder, "shop.yml", ("period:", "connection: postgres://u:geheim@localhost/x\nperiod:")),
        2,
        "connection: a password stands here in plain text;",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_its_code_and_a_message_and_leaves_the_last_report(shop_with_report, name):
    spoil, code, message = REFUSED[name]
    before = fingerprint(shop_with_report / "reports")
    spoil(shop_with_report)
    done = call("run", shop_with_report / "shop.yml")
    assert (done.code, done.err.startswith("stammkunde: ")) == (code, True), done.err
    assert message in done.err
    assert "Traceback" not in done.err
    assert "geheim" not in done.err + done.out
    assert fingerprint(shop_with_report / "reports") == before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--period", "2026-13"], 2, "'2026-13' names a month that does not exist."),
        (["--period", "2026-Q3"], 2, "'2026-Q3' is a quarter, but the report is made by month."),
        (["--period", "Herbst"], 2, "'Herbst' is not a period."),
        (["--period", "2031-01"], 3, "period 2031-01 lies outside the data, which run from 2026-01-01 to 2026-09-28."),
        (["--chapter", "segmnts"], 2, "unknown chapter 'segmnts'. Did you mean 'segments'?"),
        (["--set", "segments.bin=3"], 2, "segments.bin: unknown key; did you mean 'bins'?"),
        (["--set", "segments"], 2, "--set: segments: is not of the form key=value."),
        (["--scheduler", "tcp://127.0.0.1:1"], 2, "No such option"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(shop_with_report, arguments, code, message):
    before = fingerprint(shop_with_report / "reports")
    done = call("run", shop_with_report / "shop.yml", *arguments)
    assert done.code == code, done.err
    assert message in done.err
    assert fingerprint(shop_with_report / "reports") == before


def test_a_machine_gets_the_error_as_json(shop):
    no_file(shop)
    done = call("run", shop / "shop.yml", "--json")
    assert done.code == 2
    assert done.json["kind"] == "ParamsError"
    assert done.json["exit_code"] == 2


def test_a_traceback_is_shown_on_demand_only(shop):
    no_file(shop)
    assert "Traceback" in call("run", shop / "shop.yml", "--debug").err
