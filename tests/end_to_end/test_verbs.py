"""The verbs beside run: pilot, inspect, check, due, index, lab."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from calls import STAMMKUNDE, call, edit, fingerprint

VERBS = ("pilot", "inspect", "check", "run", "due", "index", "lab")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb):
    done = call(verb, "--help", env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.code == 0
    assert "Usage: stammkunde" in done.out


def test_inspect_names_encoding_separator_columns_and_forms(firm):
    done = call("inspect", firm / "kunden.csv", "--json")
    assert done.code == 0, done.err
    [found] = done.json["files"]
    assert (found["encoding"], found["separator"], found["header_rows"]) == ("cp1252", ";", 1)
    columns = {column["name"]: column["form"] for column in found["columns"]}
    assert {"Kundennummer", "Kunde seit", "Akquisekosten"} <= columns.keys()
    readable = call("inspect", firm / "kunden.csv")
    assert "cp1252" in readable.out
    names = [line.split(";")[1] for line in (firm / "kunden.csv").read_text("cp1252").splitlines()[1:20]]
    assert not any(name in readable.out for name in names)


def test_check_counts_rows_without_running_a_notebook_or_leaving_a_file(shop):
    before = sorted(path.name for path in shop.iterdir())
    done = call("check", shop / "shop.yml", "--json")
    assert done.code == 0, done.err
    assert done.json["period"] == "2026-08"
    assert done.json["tables"]["transactions"]["accepted"] == 360
    assert sorted(path.name for path in shop.iterdir()) == before
    assert "360" in call("check", shop / "shop.yml").out


def test_due_builds_what_is_missing_oldest_first_and_then_nothing(shop):
    # on 3 October the last four complete months are June to September; the data end on 28 September, so September waits
    first = call("due", shop, "--now", "2026-10-03", "--json")
    assert first.code == 0, first.err
    found = [(one["period"], one["outcome"].split(":")[0]) for one in first.json["due"]]
    assert found == [
        ("2026-06", "published"),
        ("2026-07", "published"),
        ("2026-08", "published"),
        ("2026-09", "waiting"),
    ]
    before = fingerprint(shop / "reports" / "laden")
    second = call("due", shop, "--now", "2026-10-03", "--json")
    assert [one["period"] for one in second.json["due"]] == ["2026-09"]
    assert fingerprint(shop / "reports" / "laden") == before
    page = (shop / "reports" / "index.html").read_text(encoding="utf-8")
    assert all(f"laden/2026-{month}/report.html" in page for month in ("06", "07", "08"))


def test_due_goes_on_after_a_report_that_fails_and_ends_with_its_code(shop):
    (shop / "broken.yml").write_text((shop / "shop.yml").read_text().replace("laden", "kaputt"), encoding="utf-8")
    edit(shop, "broken.yml", ("revenue: Betrag", "revenue: Betrga"))
    done = call("due", shop, "--now", "2026-09-02", "--json")
    outcomes = {(one["params"].rsplit("/")[-1], one["period"]): one["outcome"] for one in done.json["due"]}
    assert done.code == 3
    assert outcomes["broken.yml", "2026-08"].startswith("failed: ")
    assert outcomes["shop.yml", "2026-08"] == "published"


def test_due_goes_on_after_a_params_file_that_is_broken(shop):
    (shop / "a.yml").write_text("report: a\nperiod: quater\n", encoding="utf-8")
    done = call("due", shop, "--now", "2026-09-02T06:00:00+02:00", "--json")
    assert done.code == 2
    assert done.json["due"][0]["period"] is None
    assert "quater" in done.json["due"][0]["outcome"]
    assert [one["outcome"] for one in done.json["due"][1:]] == ["published"] * 4


def test_a_time_that_is_none_is_refused(shop):
    done = call("due", shop, "--now", "gestern")
    assert done.code == 2
    assert "--now: gestern: is not a time. Write 2026-10-01" in done.err


def test_due_in_a_folder_without_params_is_refused(tmp_path):
    done = call("due", tmp_path)
    assert done.code == 2
    assert "holds no params file (*.yml)" in done.err


def test_index_is_rebuilt_from_the_manifests(shop_with_report):
    page = shop_with_report / "reports" / "index.html"
    before = page.read_bytes()
    page.unlink()
    done = call("index", shop_with_report / "reports")
    assert done.code == 0, done.err
    assert page.read_bytes() == before


def test_lab_serves_the_notebooks_with_the_snapshot_ready(shop):
    lab = subprocess.Popen(
        [*STAMMKUNDE, "lab", str(shop / "shop.yml"), "--no-browser", "--", "--allow-root"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    try:
        address = wait_for_address(lab)
        names = {entry["name"] for entry in fetched(address.replace("/lab?", "/api/contents?"))["content"]}
        assert {"satisfaction.ipynb", "summary.ipynb"} <= names
        assert (shop / "reports" / ".snapshots" / "laden" / "snapshot.json").is_file()
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.communicate(timeout=30)


def fetched(address):
    """Return what a server answers that says its address just before it listens."""
    for _try in range(50):
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


def wait_for_address(lab):
    deadline = time.monotonic() + 90
    for line in lab.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", line):
            return found[0]
        assert time.monotonic() < deadline
    raise AssertionError("JupyterLab ended without an address")
