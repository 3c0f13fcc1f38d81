"""One measured thing, one process: its time, its peak memory, and how the parent asks for it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["JobFailed", "Measured", "TreeMemory", "answer", "measure", "peak_mb", "run_job"]

_SHORT_SECONDS, _REPEATS = 5.0, 3
_MEGABYTE = 1_000_000

Result = TypeVar("Result")


class JobFailed(Exception):
    """A job ended badly; the text is the last line it wrote to stderr, or the signal that ended it."""


@dataclass(frozen=True)
class Measured:
    """What one run came to.

    Parameters
    ----------
    seconds : float
        The best of up to three runs; of one where a run takes more than five seconds.
    peak_mb : float
        Largest resident memory of the process in 10⁶ bytes, reading and result included.
    cpu_seconds : float
        Of all threads of the process, in the best run: says more where others use the machine too.
    runs : int
    """

    seconds: float
    peak_mb: float
    cpu_seconds: float
    runs: int

    def as_dict(self) -> dict[str, Any]:
        """For the parent."""
        return asdict(self)


def measure(work: Callable[[], Result], most: int = _REPEATS) -> tuple[Measured, Result]:
    """Run something, again where it is quick, and keep the last result."""
    times: list[tuple[float, float]] = []
    result = _timed(work, times)
    while len(times) < most and times[0][0] < _SHORT_SECONDS:
        del result  # the one before must not count as memory of this one
        result = _timed(work, times)
    seconds, cpu = min(times)
    return Measured(seconds, peak_mb(), cpu, len(times)), result


def _timed(work: Callable[[], Result], times: list[tuple[float, float]]) -> Result:
    begin, cpu = time.perf_counter(), time.process_time()
    result = work()
    times.append((time.perf_counter() - begin, time.process_time() - cpu))
    return result


def peak_mb() -> float:
    """Largest resident memory this process has had, its children not counted."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGABYTE


def run_job(script: Path, name: str, arguments: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a job of a script in a fresh process and return what it found.

    Parameters
    ----------
    script : Path
        Ends with :func:`answer`.
    name : str
    arguments : mapping
        As JSON can hold it.
    environment : mapping

    Raises
    ------
    JobFailed
        If it does not end well.
    """
    with tempfile.TemporaryDirectory(prefix="benne-job-") as folder, Path(folder, "stderr").open("w+b") as errors:
        answered = Path(folder, "answer.json")
        command = [sys.executable, str(script), name, json.dumps(arguments), str(answered)]
        # stdout is thrown away: a JVM's greetings are no part of our answer.
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=errors, check=False)  # noqa: S603
        if done.returncode:
            errors.seek(0)
            raise JobFailed(_last_words(errors.read().decode(errors="replace"), done.returncode))
        found: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
    return found


def answer(jobs: Mapping[str, Callable[..., dict[str, Any]]]) -> int:
    """What :func:`run_job` calls in the other process: ``name arguments-as-JSON answer-file``."""
    name, arguments, answered = sys.argv[1:]
    Path(answered).write_text(json.dumps(jobs[name](**json.loads(arguments))), encoding="utf-8")
    return 0


def _last_words(errors: str, code: int) -> str:
    if code < 0:
        return f"ended by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {code}"


class TreeMemory:
    """Peak memory of this process and all it started, sampled: Spark computes in other processes.

    Resident pages that processes share are counted for each of them. Only where there is /proc.
    """

    def __init__(self) -> None:
        self.peak_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> TreeMemory:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop looking."""
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self.peak_mb = max(self.peak_mb, _tree_pages() * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE)


def _tree_pages() -> int:
    parents, pages = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):  # processes end while one looks
            fields = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)], pages[int(stat.parent.name)] = int(fields[1]), int(fields[21])
    family, grown = {os.getpid()}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return sum(pages.get(one, 0) for one in family)
