"""``benne simulate``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from benne.cli.console import answer, answer_json, note, progress_bar
from benne.cli.options import Seed, WantJson

__all__ = ["simulate"]

_LAST: Final = datetime(2025, 7, 1, tzinfo=UTC)


def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write; an earlier simulation in it is replaced.")],
    members: Annotated[int, typer.Option(min=1, help="How many members the platform has.")] = 20_000,
    months: Annotated[
        int,
        typer.Option(min=1, max=24, help="Moments of observation, the first of each month; the last is 1 July 2025."),
    ] = 1,
    seed: Seed = 0,
    want_json: WantJson = False,
) -> None:
    """Simulate a platform: raw event tables, consents, observations and outcomes.

    The members are made up, and what is measured on them proves nothing about real people.

    \b
    Example:
      benne simulate world --members 2000 --seed 1
      benne simulate world --members 2000 --months 6
    """
    from benne.experiments.simulated_consents import write_simulated_terms
    from benne.experiments.simulator import NOTICE, SimulatorOptions
    from benne.experiments.simulator import simulate as run

    with progress_bar("simulating", members) as update:
        options = SimulatorOptions(as_of=_moments(months))
        world = run(folder, members=members, seed=seed, options=options, progress=update)
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


def _moments(months: int) -> tuple[datetime, ...]:
    """So many firsts of the month, the last of them 1 July 2025."""
    ends = [_LAST.year * 12 + _LAST.month - 1 - back for back in reversed(range(months))]
    return tuple(_LAST.replace(year=end // 12, month=end % 12 + 1) for end in ends)
