"""Stage, check, promote: a run works in a folder of its own and becomes visible by one rename, under a lock."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import LockedError, PublishError

_LOCKS = ".locks"
_STAGING = ".staging"
_REPLACED = ".replaced-"
"""Begins the name under which a report waits while another takes its place, where the two cannot be exchanged."""

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, or name another folder with --out"),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, or name another folder with --out"),
    errno.EFBIG: ("the file is larger than the system allows", "Raise the limit, or name another folder with --out"),
    errno.EACCES: ("no permission to write", "Change the folder's permissions, or name another one with --out"),
    errno.EPERM: ("no permission to write", "Change the folder's permissions, or name another one with --out"),
    errno.EROFS: ("the file system is read-only", "Name another folder with --out"),
}


@contextmanager
def writing(step: str) -> Iterator[None]:
    """Turn whatever the system refuses while ``step`` writes into a PublishError that says which and where."""
    try:
        yield
    except OSError as error:
        reason, remedy = _REASONS.get(error.errno or 0, (error.strerror or str(error), ""))
        where = f" ({error.filename})" if error.filename else ""
        raise PublishError(step, f"{reason}{where}", remedy) from error


@contextmanager
def hold(out: Path, report: str) -> Iterator[Path]:
    """Hold the lock on ``report`` in the folder ``out`` and yield an empty staging folder, removed at the end.

    What a killed run left behind is mended first. Raises LockedError where another run holds the lock, PublishError
    where the folder cannot be written.
    """
    with writing(f"locking {out}"):
        locks = out / _LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        lock = os.open(locks / f"{report}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(lock, out)
        staging = out / _STAGING / report
        with writing(f"staging in {out}"):
            _repair(out / report)
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    finally:
        os.close(lock)


def _take(lock: int, out: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 200, 0).decode(errors="replace").strip()
        raise LockedError(out, holder or "not named") from None
    with writing(f"locking {out}"):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


@contextmanager
def waiting_for(out: Path, name: str) -> Iterator[None]:
    """Hold the lock ``name`` in the folder ``out``, after waiting for whoever holds it."""
    with writing(f"locking {out}"):
        (out / _LOCKS).mkdir(parents=True, exist_ok=True)
        lock = os.open(out / _LOCKS / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def promote(staged: Path, target: Path) -> None:
    """Put the finished folder ``staged`` in the place of ``target``, which is then seen whole: the old or the new.

    Both must lie in one file system. What stood in the target is removed. Raises PublishError; the target then
    stands as it stood.
    """
    with writing(f"publishing {target}"):
        _settle(staged)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            staged.rename(target)
        elif exchange(staged, target):
            shutil.rmtree(staged, ignore_errors=True)
        else:
            _replace(staged, target)
        _settle(target.parent, deep=False)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    if library.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _replace(staged: Path, target: Path) -> None:
    waiting = target.with_name(_REPLACED + target.name)
    target.rename(waiting)
    try:
        staged.rename(target)
    except OSError:
        waiting.rename(target)
        raise
    shutil.rmtree(waiting, ignore_errors=True)


def _repair(report: Path) -> None:
    """Put back what an interrupted replacement left waiting, or remove it where the new one arrived."""
    for waiting in [*report.glob(f"{_REPLACED}*"), *report.glob(f"*/{_REPLACED}*")]:
        target = waiting.with_name(waiting.name.removeprefix(_REPLACED))
        if target.exists():
            shutil.rmtree(waiting)
        else:
            waiting.rename(target)


def _settle(folder: Path, *, deep: bool = True) -> None:
    """Have the system write ``folder`` to the disk, with all it holds where ``deep``."""
    for path in [*(folder.rglob("*") if deep else ()), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_whole(file: Path, text: str) -> None:
    """Write ``text`` to ``file``, which is seen as it was or as it becomes, never in between."""
    with writing(f"writing {file}"):
        handle, part = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(text)
                opened.flush()
                os.fsync(opened.fileno())
            # mkstemp makes files that nobody else may read.
            Path(part).chmod(0o644)
            Path(part).replace(file)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
