"""Where governance is kept: a store, who writes in it, and the shelf of the service that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.served_model import ModelShelf
from benne.scoring.store.database import Store

__all__ = ["GovernanceStore"]


@dataclass(frozen=True, slots=True)
class GovernanceStore:
    """A store that is open, and what belongs to it.

    Attributes
    ----------
    store : Store
    group : GroupCommit
    policy_version : str
        Of the service's policies; ``console`` where there is no service.
    shelf : ModelShelf or None
        Of the service's models; None where the store is a database by itself.
    """

    store: Store
    group: GroupCommit
    policy_version: str
    shelf: ModelShelf | None
