"""Where governance is kept, opened for commands: a service's folder, or a database by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import note

if TYPE_CHECKING:
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["GovernancePlace", "opened_governance_store"]

GovernancePlace = Annotated[
    str,
    typer.Option(
        "--store", envvar="BENNE_STORE",
        help="Where governance is on record: a service's folder, or a database's file or address.",
    ),
]  # fmt: skip


@contextmanager
def opened_governance_store(place: str, *, make: bool = False) -> Iterator[GovernanceStore]:
    """Open it as :func:`benne.scoring.governance.opening.opened_governance` does, and say where a database is new."""
    from benne.scoring.governance.opening import is_new, opened_governance

    if make and is_new(place):
        note(f"{place} is new.")
    with opened_governance(place, make=make) as governance:
        yield governance
