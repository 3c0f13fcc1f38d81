"""``benne ingest``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar, table
from benne.cli.edge import moment_from
from benne.cli.options import WantJson

__all__ = ["ingest"]


def ingest(
    raw: Annotated[Path, typer.Argument(help="Folder of raw tables: <table>.parquet or <table>/*.parquet.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; must not exist.")],
    key_file: Annotated[Path, typer.Option(envvar="BENNE_KEY_FILE", help="Key that turns raw ids into subject ids.")],
    ingested_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="The ingest clock, with timezone; by default now.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="The one ISO 4217 currency of every amount.")] = None,
    want_json: WantJson = False,
) -> None:
    """Validate raw event tables and key their ids. All of it is taken, or nothing.

    A refusal names table, column, number of rows and first positions, never a value.

    \b
    Example:
      benne ingest world/raw events --key-file subject.key
    """
    from benne.features import ingest as run
    from benne.features.events.key_files import read_key_file
    from benne.scoring.wiring import system_clock

    key, moment, taken = read_key_file(key_file), moment_from(ingested_at, "--ingested-at") or system_clock(), 0
    with progress_bar("reading events") as update:

        def count(_: str, rows: int) -> None:
            nonlocal taken
            taken += rows
            update(taken, None)

        events = run(raw, out, key=key, ingested_at=moment, currency=currency, progress=count)
    rows = {name: events.rows(name) for name in events.tables}
    if want_json:
        answer_json({"folder": str(out), "rows": rows, "fingerprint": events.fingerprint,
                     "key_fingerprint": events.key_fingerprint})  # fmt: skip
        return
    table(("table", "rows"), [(name, f"{count:,}") for name, count in rows.items()])
    answer(f"{out}: {sum(rows.values()):,} events, fingerprint {events.fingerprint[:16]}, key {key.fingerprint}")
    note(f"Next: benne features list --events {out}")
