"""``benne ingest``."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note, rows_counted, table
from benne.cli.edge import moment_from
from benne.cli.exit_codes import BAD_INPUT
from benne.cli.options import ClockSkew, Currency, EventsKeyFile, IngestedAt, WantJson
from benne.errors import EventError

if TYPE_CHECKING:
    from benne.features.events import RefusalReport

__all__ = ["ingest"]

_FILE_LETTERS = 160


def ingest(
    raw: Annotated[Path, typer.Argument(help="Folder of raw tables: <table>.parquet or <table>/*.parquet.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; must not exist.")],
    key_file: EventsKeyFile,
    ingested_at: IngestedAt = None,
    currency: Currency = None,
    clock_skew_seconds: ClockSkew = 0,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Write no events; list everything that would be refused.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="With --check-only: JSON file to write the list to; replaced if it is there.")
    ] = None,
    want_json: WantJson = False,
) -> None:
    """Validate raw event tables and key their ids. All of it is taken, or nothing.

    A refusal names table, file, column, number of rows and first positions, never a value.

    \b
    Example:
      benne ingest world/raw events --key-file subject.key
      benne ingest world/raw events --key-file subject.key --check-only --report refusals.json
    """
    from benne.features.events.key_files import read_key_file
    from benne.scoring.wiring import system_clock

    if report is not None and not check_only:
        raise typer.BadParameter("--report needs --check-only.")
    how: dict[str, Any] = {
        "key": read_key_file(key_file),
        "ingested_at": moment_from(ingested_at, "--ingested-at") or system_clock(),
        "currency": currency,
        "clock_skew": timedelta(seconds=clock_skew_seconds),
    }
    if check_only:
        _check(raw, out, report, want_json, how)
    else:
        _ingest(raw, out, want_json, how)


def _ingest(raw: Path, out: Path, want_json: bool, how: dict[str, Any]) -> None:
    from benne.features import ingest as run

    there = out.exists()
    try:
        with rows_counted("reading events") as progress:
            events = run(raw, out, progress=progress, **how)
    except EventError as error:
        if there:
            raise
        raise type(error)(f"{error} This is the first thing found: --check-only lists everything.") from None
    rows = {name: events.rows(name) for name in events.tables}
    if want_json:
        answer_json({"folder": str(out), "rows": rows, "fingerprint": events.fingerprint,
                     "key_fingerprint": events.key_fingerprint, "known_at_lifted": dict(events.lifted)})  # fmt: skip
        return
    table(("table", "rows"), [(name, f"{count:,}") for name, count in rows.items()])
    total = f"{sum(rows.values()):,} events"
    answer(f"{out}: {total}, fingerprint {events.fingerprint[:16]}, key {events.key_fingerprint}")
    note(f"Next: benne features list --events {out}")


def _check(raw: Path, out: Path, path: Path | None, want_json: bool, how: dict[str, Any]) -> None:
    from benne.features.events import check_raw

    workspace = out.parent if out.parent.is_dir() else None  # where there is room for the events there is for this
    with rows_counted("reading events") as progress:
        found = check_raw(raw, workspace=workspace, progress=progress, **how)
    if path is not None:
        path.write_text(found.to_json() + "\n", encoding="utf-8")
    if want_json:
        answer_json(found.to_dict())
    else:
        _show(found)
    if not found.ok:
        raise typer.Exit(BAD_INPUT)


def _show(found: RefusalReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table("what", "must", "files", "rows", "first", "what to do")
    for group in found.by_rule():
        first = group[0]
        at = ", ".join(str(position) for position in first.positions)
        where = " ".join(part for part in (first.file, f"rows {at}" if at else f"got {first.got}") if part)
        rows = f"{sum(refusal.rows for refusal in group):,}" if first.about_rows else "-"
        cells = (first.thing, first.must, f"{len(group):,}", rows, where, first.advice)
        shown.add_row(*(Text(cell) for cell in cells))
    if not found.ok:
        # Where nobody watches, a file or a pipe is as wide as it needs to be.
        Console(width=None if sys.stdout.isatty() else _FILE_LETTERS).print(shown)
    for rule in found.unchecked:
        answer(f"Not checked, as a file could not be read: {rule}.")
    rows_read = f"{sum(found.rows.values()):,} rows of {len(found.rows)} tables read"
    answer(f"{rows_read}, {len(found.by_rule())} rule(s) broken: {'nothing' if found.ok else 'all'} would be refused")
