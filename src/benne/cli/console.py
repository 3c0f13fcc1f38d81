"""What the commands say: answers on stdout, progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import typer

__all__ = ["Steps", "answer", "answer_json", "note", "progress_bar", "rows_counted", "table"]


def answer(text: str = "") -> None:
    """A line of the answer."""
    typer.echo(text)


def answer_json(data: Any) -> None:
    """The whole answer, for a program to read."""
    typer.echo(json.dumps(data, indent=1, ensure_ascii=False, default=str))


def note(text: str) -> None:
    """A line beside the answer: what is being done, what to do next."""
    typer.echo(text, err=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, left: int = 1) -> None:
    """Aligned columns; the first ``left`` are text and the others numbers."""
    cells = [[str(cell) for cell in row] for row in [columns, *rows]]
    widths = [max(len(row[c]) for row in cells) for c in range(len(columns))]
    for number, row in enumerate(cells):
        padded = [row[c].ljust(width) if c < left else row[c].rjust(width) for c, width in enumerate(widths)]
        answer("  " + "  ".join(padded).rstrip())
        if number == 0:
            answer("  " + "  ".join("-" * width for width in widths))


@contextmanager
def progress_bar(what: str, total: float | None = None) -> Iterator[Callable[[float, float | None], None]]:
    """A bar on stderr while something long is done; nothing where nobody watches.

    Yields
    ------
    callable
        Takes how much is done, and how much there is in all (None: as said before).
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task(what, total=total)

        def update(done: float, in_all: float | None = None) -> None:
            progress.update(task, completed=done, total=total if in_all is None else in_all)

        yield update


@contextmanager
def rows_counted(what: str) -> Iterator[Callable[[str, int], None]]:
    """A progress bar for rows of several tables.

    Yields
    ------
    callable
        Takes a table's name and how many more of its rows are done.
    """
    taken = 0
    with progress_bar(what) as update:

        def count(_: str, rows: int) -> None:
            nonlocal taken
            taken += rows
            update(taken, None)

        yield count


class Steps:
    """Named steps one after the other, each with the seconds it took.

    Parameters
    ----------
    names : sequence of str
    """

    def __init__(self, names: Sequence[str]) -> None:
        from rich.console import Console

        self._names = tuple(names)
        self._console = Console(stderr=True)
        self._status = self._console.status("")
        self._running: int | None = None
        self._began = 0.0
        self.seconds: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """The last step has ended, and the terminal is as it was."""
        if failure is None:
            self._end()
        self._status.stop()

    def begin(self, number: int) -> None:
        """A step begins, so the one before it has ended."""
        self._end()
        self._running, self._began = number, time.perf_counter()
        self.detail("")
        self._status.start()

    def detail(self, text: str) -> None:
        """How far the running step has come, where somebody watches."""
        if self._running is not None:
            self._status.update(f"{self._running + 1} of {len(self._names)}  {self._names[self._running]} … {text}")

    def _end(self) -> None:
        if self._running is None:
            return
        name, took = self._names[self._running], time.perf_counter() - self._began
        self._status.stop()
        self.seconds[name] = round(took, 1)
        note(f"  {self._running + 1} of {len(self._names)}  {name:<34}{took:>7.1f} s")
        self._running = None
