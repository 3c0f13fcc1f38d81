"""``benne simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benne.cli.console import answer, answer_json, note, progress_bar
from benne.cli.options import Seed, WantJson

__all__ = ["simulate"]


def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; an earlier simulation in it is replaced.")],
    members: Annotated[int, typer.Option(min=1, help="How many members the platform has.")] = 20_000,
    seed: Seed = 0,
    want_json: WantJson = False,
) -> None:
    """Simulate a platform: raw event tables, consents, observations and outcomes.

    The members are made up, and what is measured on them proves nothing about real people.

    \b
    Example:
      benne simulate world --members 2000 --seed 1
    """
    from benne.experiments.simulated_consents import write_simulated_terms
    from benne.experiments.simulator import NOTICE
    from benne.experiments.simulator import simulate as run

    with progress_bar("simulating", members) as update:
        world = run(folder, members=members, seed=seed, progress=update)
    terms = write_simulated_terms(world)
    if want_json:
        answer_json({"folder": str(folder), "members": world.members, "seed": seed, "rows": world.rows,
                     "extracted_at": world.extracted_at.isoformat(), "notice": NOTICE})  # fmt: skip
        return
    answer(NOTICE)
    for name, rows in world.rows.items():
        answer(f"  {folder}/{name}.parquet  {rows:,} rows")
    answer(f"  {terms}  what the members were asked")
    note(f"Next: benne keys new subject.key && benne ingest {folder}/raw events --key-file subject.key")
