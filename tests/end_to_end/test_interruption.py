"""A run that is killed, interrupted, short of disk or met by another leaves the last report and nothing else."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest
from calls import STAMMKUNDE, call, edit, fingerprint


def beginning(shop, *arguments):
    """Begin a run, marked in its environment, and wait until its kernel is at work."""
    mark = f"RUN_UNDER_TEST={uuid.uuid4()}"
    run = subprocess.Popen(
        [*STAMMKUNDE, "run", str(shop / "shop.yml"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **dict([mark.split("=")])},
    )
    deadline = time.monotonic() + 120
    while not any("ipykernel" in command or "kernel" in command for command in processes_of(mark).values()):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run, mark


def processes_of(mark: str) -> dict[int, str]:
    """Return the living processes that hold the mark, each with its command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in entry.joinpath("environ").read_bytes().decode(errors="replace"):
                    found[int(entry.name)] = entry.joinpath("cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
    return found


def wait_until_gone(mark: str) -> None:
    deadline = time.monotonic() + 30
    while left := processes_of(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def leftovers(reports):
    staging = reports / ".staging"
    return [path.name for path in staging.iterdir()] if staging.is_dir() else []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_130_and_leaves_no_kernel_and_no_staging(shop_with_report, signum):
    before = fingerprint(shop_with_report / "reports" / "laden")
    run, mark = beginning(shop_with_report)
    run.send_signal(signum)
    _out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "interrupted; nothing was published" in err
    wait_until_gone(mark)
    assert leftovers(shop_with_report / "reports") == []
    assert fingerprint(shop_with_report / "reports" / "laden") == before


def test_ctrl_c_on_the_whole_group_does_the_same(shop_with_report):
    run, mark = beginning(shop_with_report)
    os.killpg(run.pid, signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    wait_until_gone(mark)


def test_after_a_kill_the_last_report_stands_no_process_is_left_and_the_next_run_works(shop_with_report):
    before = fingerprint(shop_with_report / "reports" / "laden")
    run, mark = beginning(shop_with_report)
    run.kill()
    run.communicate(timeout=60)
    wait_until_gone(mark)
    assert fingerprint(shop_with_report / "reports" / "laden") == before
    done = call("run", shop_with_report / "shop.yml")
    assert done.code == 0, done.err
    assert leftovers(shop_with_report / "reports") == []


def test_a_second_run_on_the_same_output_is_refused_and_the_first_one_ends_well(shop):
    first, _mark = beginning(shop)
    first.send_signal(signal.SIGSTOP)
    second = call("run", shop / "shop.yml")
    first.send_signal(signal.SIGCONT)
    _out, err = first.communicate(timeout=120)
    assert first.returncode == 0, err
    assert second.code == 6
    assert f"another run (process {first.pid} on " in second.err


@pytest.mark.parametrize("limit", [2_000, 20_000, 200_000])
def test_a_full_disk_is_told_and_the_last_report_stands(shop_with_report, limit):
    # a limit on the size of a file fails a write as a full disk does, at whichever step comes to it
    before = fingerprint(shop_with_report / "reports" / "laden")
    done = call(
        "run",
        shop_with_report / "shop.yml",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.code == 5, done.err
    assert "Traceback" not in done.err
    assert fingerprint(shop_with_report / "reports" / "laden") == before


def test_an_output_that_cannot_be_written_is_told(shop, tmp_path):
    (tmp_path / "reports").write_text("a file stands where the folder should be")
    done = call("run", shop / "shop.yml", "--out", tmp_path / "reports")
    assert done.code == 5
    assert str(tmp_path / "reports") in done.err


@pytest.fixture
def spoilt_notebook(monkeypatch, tmp_path):
    """Notebooks of which one can be spoilt, used by a run in this process."""
    from analysis import pipeline

    folder = tmp_path / "notebooks"
    shutil.copytree(pipeline.NOTEBOOKS, folder)
    monkeypatch.setattr(pipeline, "NOTEBOOKS", folder)
    return folder


def run_here(shop):
    from analysis import pipeline

    return pipeline.run(pipeline.Order(shop / "shop.yml"))


def test_a_notebook_that_raises_is_named_with_cell_and_line_and_kept_aside(shop_with_report, spoilt_notebook):
    from analysis.errors import ChapterError

    before = fingerprint(shop_with_report / "reports" / "laden")
    edit(spoilt_notebook, "segments.ipynb", ("classes = segments.abc(orders", "classes = segments.abx(orders"))
    with pytest.raises(ChapterError) as failed:
        run_here(shop_with_report)
    message = str(failed.value)
    assert failed.value.exit_code == 4
    assert message.startswith("chapter segments: cell 7, line 1: AttributeError: module 'analysis.measures.segments'")
    kept = shop_with_report / "reports" / ".failed" / "laden" / "2026-08" / "segments.ipynb"
    assert str(kept.parent) in message
    assert "AttributeError" in kept.read_text(encoding="utf-8")
    assert fingerprint(shop_with_report / "reports" / "laden") == before


def test_a_chapter_that_reports_no_figure_is_refused(shop_with_report, spoilt_notebook):
    from analysis.errors import ChapterError

    before = fingerprint(shop_with_report / "reports" / "laden")
    edit(spoilt_notebook, "segments.ipynb", ("report.figures_from(", "print("), (", value=", ", end="))
    edit(spoilt_notebook, "segments.ipynb", ("print(", "(lambda *a, **k: None)("))
    with pytest.raises(ChapterError) as failed:
        run_here(shop_with_report)
    assert str(failed.value) == (
        "chapter segments: it has its tables and yet reported no figure. "
        "Call report.figure(...) in its notebook for each figure it shows."
    )
    assert fingerprint(shop_with_report / "reports" / "laden") == before


def test_a_parameter_the_notebook_lacks_is_refused_before_anything_runs(shop_with_report, spoilt_notebook):
    from analysis.errors import ChapterError

    edit(spoilt_notebook, "segments.ipynb", ("bins: int = 5", "bin: int = 5"))
    with pytest.raises(
        ChapterError, match=r"chapter segments: its notebook has no parameter 'bins'\. Did you mean 'bin'"
    ):
        run_here(shop_with_report)
