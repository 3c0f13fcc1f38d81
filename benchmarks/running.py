"""One run of a benchmark: its options, its processes, what it found, and how it is told."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

# Nothing heavy is imported here or where this is imported: a child's peak memory would begin with ours.
from measuring import JobFailed, run_job
from targets import Row, table

__all__ = ["Answer", "Run", "add_choice", "carry_out", "cost", "machine", "positive", "say"]

Answer = dict[str, Any]


@dataclass
class Run:
    """One run: where its data lies, what has been found, and whether something went wrong.

    Parameters
    ----------
    options : Namespace
        ``skip`` among them.
    folder : Path
        Temporary.
    jobs : Path
        The script whose jobs it runs.
    """

    options: argparse.Namespace
    folder: Path
    jobs: Path
    rows: list[Row] = field(default_factory=list)
    failed: bool = False
    started: float = field(default_factory=time.monotonic)

    def wants(self, part: str) -> bool:
        """Whether a part is not skipped."""
        return part not in self.options.skip

    def ask(self, job: str, doing: str, **arguments: Any) -> Answer:
        """Run a job in a fresh process, and say so."""
        sys.stderr.write(f"[{time.monotonic() - self.started:5.0f} s] {doing}\n")
        return self.quietly(job, **arguments)

    def quietly(self, job: str, environment: Mapping[str, str] | None = None, **arguments: Any) -> Answer:
        """Run a job in a fresh process, with more in its environment; paths among the arguments go as texts."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
        return run_job(self.jobs, job, plain, os.environ | (environment or {}))


AnyRun = TypeVar("AnyRun", bound=Run)


def carry_out(begin: Callable[[Path], AnyRun], parts: Callable[[AnyRun], None]) -> int:
    """Measure in a temporary folder, print what was aimed at and whether it was met, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="benne-bench-") as folder:
        run = begin(Path(folder))
        try:
            parts(run)
        except JobFailed as problem:
            say(f"Stopped: {problem}")
            run.failed = True
        say("", *table(run.rows))
    return int(run.failed)


def say(*lines: str) -> None:
    """Print lines now."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def machine() -> str:
    """Processors, and how busy they are."""
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} processors{load}"


def cost(found: Answer) -> str:
    """Seconds, those of all threads, and memory of a measured job."""
    return f"{found['seconds']:.2f} s ({found['cpu_seconds']:.2f} s of processors), {found['peak_mb']:,.0f} MB"


def add_choice(parser: argparse.ArgumentParser, option: str, among: Collection[str], what: str) -> None:
    """An option that takes some of these names, separated by commas."""

    def parse(text: str) -> frozenset[str]:
        wanted = frozenset(text.lower().split(",")) - {""}
        if wanted - set(among):
            raise argparse.ArgumentTypeError(f"must be among {','.join(among)}, got {','.join(wanted - set(among))}")
        return wanted

    parser.add_argument(option, type=parse, default=frozenset(), help=f"{what}: any of {','.join(among)}, by commas")


def positive(text: str) -> int:
    """A whole number above zero."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be positive, got {number}")
    return number
