"""Chapters run side by side by papermill, in worker processes, each with a kernel of its own."""

from __future__ import annotations

import json
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from os import getpid
from pathlib import Path

import nbformat

from analysis.errors import ChapterError
from analysis.publish.kernel import end_with, kernel_settings
from analysis.publish.prepare import CELL_NUMBER, literal

_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_RUNS = 2
"""How often a chapter is begun whose worker is killed."""


@dataclass(frozen=True)
class ChapterJob:
    """A prepared notebook to run with ``parameters``, and where the executed one goes."""

    chapter: str
    notebook: Path
    output: Path
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class ChapterResult:
    """An executed chapter and the seconds it took."""

    chapter: str
    notebook: Path
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Why a chapter failed, and where: ``cell`` and ``line`` as in the notebook it came from."""

    chapter: str
    problem: str
    cell: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        places = (f"{kind} {number}" for kind, number in (("cell", self.cell), ("line", self.line)) if number)
        return ": ".join(part for part in (", ".join(places), self.problem) if part)


def run_chapters(
    jobs: Sequence[ChapterJob],
    *,
    kept_aside: Path,
    last: Sequence[ChapterJob] = (),
    workers: int = 2,
    timeout: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
    executor: Executor | None = None,
) -> tuple[ChapterResult, ...]:
    """Run the ``jobs`` side by side, then those of ``last``, which may read what the others reported.

    ``timeout`` is in seconds a cell. Without an ``executor`` a pool of worker processes is made, and made anew once
    where a worker is killed. On failure every failed notebook is put into the folder ``kept_aside``.
    Raises ChapterError for all failed chapters together.
    """
    every = [*jobs, *last]
    outcomes: dict[str, ChapterResult | Failure] = {}
    with tempfile.TemporaryDirectory(prefix="stammkunde-") as scratch:
        for _run in range(_RUNS):
            if _left(every, outcomes):
                with _pool(min(workers, len(every))) if executor is None else nullcontext(executor) as pool:
                    for outcome in _by_stages(pool, jobs, last, outcomes, scratch, timeout):
                        outcomes[outcome.chapter] = outcome
                        progress(f"{outcome.chapter}: {'failed' if isinstance(outcome, Failure) else 'done'}")
    killed = "its worker process was killed each time it was begun; is there memory enough?"
    lost = _left(jobs, outcomes) or (_left(last, outcomes) if not _failures(outcomes) else [])
    _raise_for([*_failures(outcomes), *(Failure(job.chapter, killed) for job in lost)], every, kept_aside)
    return tuple(outcome for job in every if isinstance(outcome := outcomes[job.chapter], ChapterResult))


def _failures(outcomes: Mapping[str, ChapterResult | Failure]) -> list[Failure]:
    return [outcome for outcome in outcomes.values() if isinstance(outcome, Failure)]


def _by_stages(
    pool: Executor,
    jobs: Sequence[ChapterJob],
    last: Sequence[ChapterJob],
    outcomes: Mapping[str, ChapterResult | Failure],
    scratch: str,
    timeout: int | None,
) -> Iterator[ChapterResult | Failure]:
    """Yield what comes of the jobs not run yet; ``last`` is begun only where all others are done."""
    yield from _outcomes(pool, _left(jobs, outcomes), scratch, timeout)
    if all(isinstance(outcomes.get(job.chapter), ChapterResult) for job in jobs):
        yield from _outcomes(pool, _left(last, outcomes), scratch, timeout)


def _left(jobs: Iterable[ChapterJob], outcomes: Container[str]) -> list[ChapterJob]:
    return [job for job in jobs if job.chapter not in outcomes]


def _outcomes(
    pool: Executor, jobs: Iterable[ChapterJob], scratch: str, timeout: int | None
) -> Iterator[ChapterResult | Failure]:
    """Yield what comes of each job; nothing for those lost to a killed worker."""
    try:
        futures = [pool.submit(run_chapter, job, scratch, timeout) for job in jobs]
    except BrokenExecutor:
        return
    for future in as_completed(futures):
        if not isinstance(future.exception(), BrokenExecutor):
            yield future.result()


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    others = set(active_children())
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin_worker, initargs=(getpid(),)
    )
    try:
        yield pool
    except BaseException:
        for worker in set(active_children()) - others:
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker(parent: int) -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone decides, and its end is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)


def run_chapter(job: ChapterJob, scratch: str, timeout: int | None) -> ChapterResult | Failure:
    """Run one chapter in this process. ``scratch`` is a folder for what the kernel writes beside."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    began = time.monotonic()
    try:
        papermill.execute_notebook(
            literal(job.notebook),
            literal(job.output),
            # papermill knows plain values only: dates become text, tuples lists.
            parameters=json.loads(json.dumps(dict(job.parameters), default=str)),
            kernel_name="python3",
            language="python",
            kernel_manager_class="analysis.publish.kernel.ChapterKernel",
            config=Config({"ChapterKernel": kernel_settings(scratch, job.chapter)}),
            resources={
                "metadata": {"path": scratch}
            },  # where the kernel works; papermill's cwd would move this process
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=timeout,
        )
    except PapermillExecutionError as error:
        return _located(job, f"{error.ename}: {error.evalue}")
    except CellTimeoutError:
        return Failure(job.chapter, f"a cell took more than {timeout} seconds")
    except DeadKernelError:
        return Failure(job.chapter, "its kernel died; is there memory enough?")
    except (RuntimeError, TimeoutError) as error:  # as jupyter_client tells of a kernel that did not start
        return Failure(job.chapter, f"its kernel did not start ({error})")
    return ChapterResult(job.chapter, job.output, time.monotonic() - began)


def _located(job: ChapterJob, problem: str) -> Failure:
    """Find in the executed notebook where it failed."""
    for cell in nbformat.read(job.output, as_version=4).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                traceback = _COLOURS.sub("", "\n".join(output.traceback))
                line = re.search(rf"Cell In\[{cell.execution_count}\], line (\d+)", traceback)
                return Failure(job.chapter, problem, cell.metadata.get(CELL_NUMBER), int(line[1]) if line else None)
    return Failure(job.chapter, problem)


def _raise_for(failures: Sequence[Failure], jobs: Iterable[ChapterJob], kept_aside: Path) -> None:
    if not failures:
        return
    kept_aside.mkdir(parents=True, exist_ok=True)
    by_chapter = {job.chapter: job for job in jobs}
    for failure in failures:
        job = by_chapter[failure.chapter]
        shutil.copy(job.output if job.output.exists() else job.notebook, kept_aside / f"{job.chapter}.ipynb")
    if len(failures) == 1:
        raise ChapterError(failures[0].chapter, str(failures[0]), f"The notebook as far as it ran: {kept_aside}")
    in_order = sorted(failures, key=lambda failure: list(by_chapter).index(failure.chapter))
    lines = "".join(f"\n  {failure.chapter}: {failure}" for failure in in_order)
    names = ", ".join(failure.chapter for failure in in_order)
    raise ChapterError(names, f"{len(failures)} failed; the notebooks as far as they ran: {kept_aside}{lines}")
