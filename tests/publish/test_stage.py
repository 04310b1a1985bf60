import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from analysis.errors import LockedError, PublishError
from analysis.publish import stage
from analysis.publish.stage import hold, promote, writing


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def publish(out: Path, text: str) -> Path:
    target = out / "bericht" / "2026-Q3"
    with hold(out, "bericht") as staging:
        (staging / "2026-Q3").mkdir()
        (staging / "2026-Q3" / "report.html").write_text(text)
        promote(staging / "2026-Q3", target)
    return target


def test_a_report_takes_the_place_of_the_last_and_nothing_is_left_beside(tmp_path):
    assert files(publish(tmp_path, "alt")) == {"report.html": "alt"}
    assert files(publish(tmp_path, "neu")) == {"report.html": "neu"}
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "neu"}
    assert list((tmp_path / ".staging").iterdir()) == []


def test_whoever_looks_meanwhile_always_sees_a_whole_report(tmp_path):
    target = publish(tmp_path, "0")
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add((target / "report.html").read_text() if (target / "report.html").exists() else "missing")

    looking = threading.Thread(target=look)
    looking.start()
    for number in range(1, 60):
        publish(tmp_path, str(number))
    stop.set()
    looking.join()
    assert "missing" not in seen
    assert "" not in seen


def test_a_failure_while_staging_leaves_the_last_report_and_no_staging(tmp_path):
    publish(tmp_path, "gut")
    with pytest.raises(FileNotFoundError), hold(tmp_path, "bericht") as staging:
        shutil.copy(tmp_path / "absent", staging / "half")
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "gut"}
    assert list((tmp_path / ".staging").iterdir()) == []


def test_a_second_run_on_the_same_report_is_refused_and_another_report_is_not(tmp_path):
    with hold(tmp_path, "bericht") as staging:
        (staging / "mine").write_text("x")
        with pytest.raises(LockedError) as refused, hold(tmp_path, "bericht"):
            pass
        with hold(tmp_path, "anderer"):
            pass
        assert (staging / "mine").exists()
    assert f"another run (process {os.getpid()} on " in str(refused.value)
    assert refused.value.exit_code == 6
    with hold(tmp_path, "bericht"):
        pass


KILLED = """
import os, signal, sys
from pathlib import Path
from analysis.publish import stage
out = Path(sys.argv[1])
with stage.hold(out, "bericht") as staging:
    (staging / "2026-Q3").mkdir()
    (staging / "2026-Q3" / "report.html").write_text("halb")
    if sys.argv[2] == "between":
        stage.exchange = lambda one, other: False
        rename = Path.rename
        def killed(path, target):
            if path.parent == staging:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(path, target)
        Path.rename = killed
        stage.promote(staging / "2026-Q3", out / "bericht" / "2026-Q3")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["staging", "between"])
def test_after_a_killed_run_the_next_one_works(tmp_path, when):
    publish(tmp_path, "gut")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), when], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / ".staging" / "bericht").exists()
    with hold(tmp_path, "bericht") as staging:
        assert list(staging.iterdir()) == []
        assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "gut"}
    assert files(publish(tmp_path, "neu")) == {"report.html": "neu"}


def test_where_the_system_cannot_exchange_two_renames_do_and_a_failing_one_puts_the_last_back(tmp_path, monkeypatch):
    publish(tmp_path, "gut")
    monkeypatch.setattr(stage, "exchange", lambda one, other: False)
    assert files(publish(tmp_path, "neu")) == {"report.html": "neu"}
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if ".staging" in path.parts:
            raise OSError(errno.EACCES, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PublishError, match="no permission to write"):
        publish(tmp_path, "zu spät")
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "neu"}


def test_a_replacement_that_was_interrupted_after_the_new_arrived_keeps_the_new(tmp_path):
    target = publish(tmp_path, "neu")
    shutil.copytree(target, target.with_name(".replaced-2026-Q3"))
    with hold(tmp_path, "bericht"):
        pass
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "neu"}


FULL = """
import resource, signal, sys
from pathlib import Path
from analysis.errors import PublishError
from analysis.publish.stage import hold, promote, writing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
out = Path(sys.argv[1])
try:
    with hold(out, "bericht") as staging, writing("writing report.html"):
        (staging / "report.html").write_text("x" * 100_000)
        promote(staging, out / "bericht" / "2026-Q3")
except PublishError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_takes_no_more_leaves_the_last_report(tmp_path):
    publish(tmp_path, "gut")
    ended = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], check=False, capture_output=True, text=True)
    assert ended.returncode == 5, ended.stderr
    assert ended.stdout.startswith("writing report.html: the file is larger than the system allows")
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "gut"}
    assert list((tmp_path / ".staging").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full (/out/a). Free some space, or name another folder with --out."),
        (
            errno.EACCES,
            "no permission to write (/out/a). Change the folder's permissions, or name another one with --out.",
        ),
        (errno.EROFS, "the file system is read-only (/out/a). Name another folder with --out."),
        (errno.EIO, "Input/output error (/out/a)."),
    ],
)
def test_what_the_system_refuses_is_told_with_what_to_do(code, reason):
    with pytest.raises(PublishError) as refused, writing("writing report.pdf"):
        raise OSError(code, os.strerror(code), "/out/a")
    assert str(refused.value) == f"writing report.pdf: {reason}"


def test_a_full_disk_is_told_as_the_system_tells_it():
    with pytest.raises(PublishError, match=r"writing report\.pdf: the disk is full"), writing("writing report.pdf"):
        Path("/dev/full").write_text("x")


def test_an_output_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(PublishError, match="Not a directory"), hold(tmp_path / "out", "bericht"):
        pass


def test_promoting_into_a_place_that_refuses_leaves_it_as_it_was(tmp_path, monkeypatch):
    publish(tmp_path, "gut")

    def refuse(*_arguments: object) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "2026-Q3")

    monkeypatch.setattr(stage, "exchange", refuse)
    with pytest.raises(PublishError, match="the disk is full"):
        publish(tmp_path, "neu")
    assert files(tmp_path / "bericht") == {"2026-Q3/report.html": "gut"}
