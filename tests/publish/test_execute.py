import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pytest
from notebook_cells import code, prose

from analysis.errors import ChapterError
from analysis.publish.execute import ChapterJob, run_chapters
from analysis.publish.prepare import prepare

FACTS = """
import os, sys, json
from IPython import get_ipython
print(json.dumps({
    "python": sys.executable, "backend": os.environ["MPLBACKEND"], "threads": os.environ["OMP_NUM_THREADS"],
    "ipython": os.environ["IPYTHONDIR"], "history": get_ipython().history_manager.enabled,
    "pid": os.getpid(), "worker": os.getppid(), "day": day, "scale": scale,
}))
"""


def printed(result) -> dict:
    cells = nbformat.read(result.notebook, as_version=4).cells
    return json.loads(cells[-1].outputs[0].text)


def gone(pid: int, *, within: float = 5.0) -> bool:
    """Say whether the process ends within that many seconds; one that waits to be reaped has ended."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_chapters_run_side_by_side_then_the_last_in_kernels_of_this_interpreter_that_leave_no_trace(
    job, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    jobs = [job(name, FACTS, day=dt.date(2026, 9, 30), scale=(0, 10)) for name in ("one", "two")]
    outputs = [str(one.output) for one in jobs]
    summary = job("summary", f"import json, os; print(json.dumps([os.path.exists(one) for one in {outputs!r}]))")
    seen: list[str] = []
    results = run_chapters(jobs, last=[summary], kept_aside=tmp_path / "failed", progress=seen.append)
    assert [result.chapter for result in results] == ["one", "two", "summary"]
    first, second, others_were_there = map(printed, results)
    assert others_were_there == [True, True]
    assert first["python"] == sys.executable
    assert (first["backend"], first["threads"], first["history"]) == ("Agg", "1", False)
    assert (first["day"], first["scale"]) == ("2026-09-30", [0, 10])
    assert first["pid"] != second["pid"]
    assert sorted(seen[:2]) == ["one: done", "two: done"]
    assert seen[2:] == ["summary: done"]
    assert list(home.rglob("*")) == []
    assert not Path(first["ipython"]).exists()
    assert all(gone(pid) for facts in (first, second) for pid in (facts["pid"], facts["worker"]))
    assert not (tmp_path / "failed").exists()


def test_all_failures_are_told_at_once_with_cell_line_and_message(job, notebook, tmp_path):
    source = notebook("late", [prose("# T", "lang-de"), prose("# T", "lang-en"), code("a = 1"), code("b = 2\n\na / 0")])
    target = tmp_path / "late.ipynb"
    prepare(source, target, chapter="late", language="de", available={}, parameters=())
    early, summary = job("early", "raise ValueError('Maß fehlt')"), job("summary", "1")
    jobs = [early, job("good", "1 + 1"), ChapterJob("late", target, early.output.with_name("late.ipynb"), {})]
    with pytest.raises(ChapterError) as failed:
        run_chapters(jobs, last=[summary], kept_aside=tmp_path / "failed")
    assert str(failed.value) == (
        f"chapter early, late: 2 failed; the notebooks as far as they ran: {tmp_path / 'failed'}\n"
        "  early: line 1: ValueError: Maß fehlt\n"
        "  late: cell 4, line 3: ZeroDivisionError: division by zero."
    )
    assert failed.value.exit_code == 4
    assert sorted(path.name for path in (tmp_path / "failed").iterdir()) == ["early.ipynb", "late.ipynb"]
    assert "ZeroDivisionError" in (tmp_path / "failed" / "late.ipynb").read_text()
    assert not summary.output.exists()


def test_a_chapter_whose_worker_is_killed_is_run_once_more(job, tmp_path):
    begun = tmp_path / "begun"
    once = f"""
import os, pathlib, signal
begun = pathlib.Path({str(begun)!r})
if not begun.exists():
    begun.touch()
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
print("survived")
"""
    (result,) = run_chapters([job("one", once)], kept_aside=tmp_path / "failed")
    assert "survived" in result.notebook.read_text()


def test_a_chapter_whose_worker_is_killed_each_time_fails(job, tmp_path):
    killer = "import os, signal; os.kill(os.getppid(), signal.SIGKILL)"
    with pytest.raises(ChapterError, match="chapter one: its worker process was killed each time it was begun"):
        run_chapters([job("one", killer)], kept_aside=tmp_path / "failed")
    assert (tmp_path / "failed" / "one.ipynb").exists()


def test_a_cell_that_takes_too_long_fails_and_another_executor_may_be_given(job, tmp_path):
    spawn = get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn) as executor,
        pytest.raises(ChapterError, match="a cell took more than 1 seconds"),
    ):
        run_chapters(
            [job("slow", "import time; time.sleep(30)")],
            kept_aside=tmp_path / "failed",
            timeout=1,
            executor=executor,
        )


RUN = """
import sys
from pathlib import Path
from analysis.publish.execute import ChapterJob, run_chapters
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    jobs = [ChapterJob("one", Path(sys.argv[2]), folder / "one.ipynb", {})]
    run_chapters(jobs, kept_aside=folder / "failed")
"""


def _sleeping_run(job, folder: Path, name: str) -> tuple[subprocess.Popen, Path]:
    """Begin a run whose only cell writes the ids of its kernel and its worker, then sleeps."""
    pids = folder / f"{name}.pids"
    sleeper = f"""
import os, pathlib, time
part = pathlib.Path({str(pids)!r} + ".part")
part.write_text(f"{{os.getpid()}} {{os.getppid()}}")
part.rename({str(pids)!r})
time.sleep(120)
"""
    script = folder / f"{name}.py"
    script.write_text(RUN)
    command = [sys.executable, str(script), str(folder), str(job(name, sleeper).notebook)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL), pids


def test_when_a_run_is_ended_its_workers_and_kernels_are_gone(job, tmp_path):
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
    runs = {how: _sleeping_run(job, tmp_path, how.name) for how in signals}
    try:
        for how, (running, pids) in runs.items():
            until = time.monotonic() + 60
            while not pids.exists() and time.monotonic() < until:
                time.sleep(0.05)
            kernel, worker = map(int, pids.read_text().split())
            # As a terminal does on Ctrl-C, all processes of the group receive SIGINT.
            (os.killpg if how == signal.SIGINT else os.kill)(running.pid, how)
            assert running.wait(timeout=10) != 0, how.name
            assert gone(worker), how.name
            assert gone(kernel), how.name
    finally:
        for running, _pids in runs.values():
            running.kill()
            running.wait()
