"""Where governance is kept, opened for commands: a service's folder, or a database by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benne.cli.console import note
from benne.errors import StoreError

if TYPE_CHECKING:
    from benne.scoring.decisions.served_model import ModelShelf
    from benne.scoring.governance.governance_store import GovernanceStore

__all__ = ["GovernancePlace", "opened_governance_store"]

_NO_POLICIES = "console"
"""Stands for a version of policies where there is no service, and so none."""

GovernancePlace = Annotated[
    str,
    typer.Option(
        "--store", envvar="BENNE_STORE",
        help="Where governance is on record: a service's folder, or a database's file or address.",
    ),
]  # fmt: skip


@contextmanager
def opened_governance_store(place: str, *, make: bool = False) -> Iterator[GovernanceStore]:
    """Open the store of a service's folder, or a database by its file or address.

    Parameters
    ----------
    place : str
    make : bool, default=False
        Make a database's file that is not there.

    Yields
    ------
    GovernanceStore

    Raises
    ------
    StoreError
        If there is nothing at ``place``.
    """
    from benne.scoring.audit.group_commit import GroupCommit
    from benne.scoring.governance.governance_store import GovernanceStore
    from benne.scoring.store.database import open_store
    from benne.scoring.wiring import system_clock

    address, policy_version, shelf = _parts_of(place)
    missing = "://" not in address and not Path(address).is_file()
    if missing and not make:
        raise StoreError(f"The store must exist, got no file {address}. Declare gates in it first: benne gates declare")
    if missing:
        note(f"{address} is new.")
    store = open_store(address)
    try:
        with GroupCommit(store, clock=system_clock) as group:
            yield GovernanceStore(store, group, policy_version, shelf)
    finally:
        store.close()


def _parts_of(place: str) -> tuple[str, str, ModelShelf | None]:
    if "://" in place or not Path(place).is_dir():
        return place, _NO_POLICIES, None
    from benne.scoring.decisions.served_model import ModelShelf
    from benne.scoring.policy import read_policies
    from benne.scoring.settings import read_settings

    settings = read_settings(Path(place))
    policies = read_policies(settings.path("policies"))
    return settings.database_address, policies.version, ModelShelf(settings.path("models"))
