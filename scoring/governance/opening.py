"""Governance opened where it is kept: in a service's folder, or in a database by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benne.errors import StoreError
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.served_model import ModelShelf
from benne.scoring.governance.governance_store import GovernanceStore
from benne.scoring.store.database import open_store
from benne.scoring.wiring import system_clock

__all__ = ["is_new", "opened_governance"]

_NO_POLICIES: Final = "console"
"""Stands for a version of policies where there is no service, and so none."""


def is_new(place: str | Path) -> bool:
    """Whether a database's file is named that is not there."""
    return "://" not in str(place) and not Path(place).exists()


@contextmanager
def opened_governance(place: str | Path, *, make: bool = False) -> Iterator[GovernanceStore]:
    """Open the store of a service's folder, or a database by its file or address.

    Parameters
    ----------
    place : str or path
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
    address, policy_version, shelf = _parts_of(place)
    if not make and is_new(address):
        raise StoreError(f"The store must exist, got no file {address}. Declare gates in it first: benne gates declare")
    store = open_store(address)
    try:
        with GroupCommit(store, clock=system_clock) as group:
            yield GovernanceStore(store, group, policy_version, shelf)
    finally:
        store.close()


def _parts_of(place: str | Path) -> tuple[str, str, ModelShelf | None]:
    if "://" in str(place) or not Path(place).is_dir():
        return str(place), _NO_POLICIES, None
    from benne.scoring.policy import read_policies
    from benne.scoring.settings import read_settings  # only a service's folder needs the libraries of a service

    settings = read_settings(Path(place))
    policies = read_policies(settings.path("policies"))
    return settings.database_address, policies.version, ModelShelf(settings.path("models"))
