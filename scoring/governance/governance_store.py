"""Where governance is kept: a store, who writes in it, and the shelf of the service that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ModelShelf
from benne.scoring.governance.documents import FiledDocument, file_document
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

    def file(self, content: Mapping[str, Any], actor: Actor, *, event_id: str) -> FiledDocument:
        """File a document about a model, on record; see :func:`benne.scoring.governance.documents.file_document`.

        Raises
        ------
        GovernanceError
            If the content is not of the form of such documents.
        """
        work = file_document(content, actor=actor, event_id=event_id, policy_version=self.policy_version)
        return self.group.submit(work).result
