"""A document about a model, filed where governance is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benne.cli.governance_store import opened_governance_store

__all__ = ["file_in_store"]


def file_in_store(place: str, content: Mapping[str, Any], by: str) -> str:
    """File a document in a service's folder or a governance database, with its record in the audit chain.

    Parameters
    ----------
    place : str
        As :func:`benne.cli.governance_store.opened_governance_store` takes it.
    content : mapping
        A document about a model.
    by : str
        Who files it.

    Returns
    -------
    str
        The document's id.
    """
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.documents import file_document
    from benne.scoring.wiring import random_id

    with opened_governance_store(place) as opened:
        work = file_document(
            content, actor=Actor(by, "data_scientist"), event_id=random_id(), policy_version=opened.policy_version
        )
        return opened.group.submit(work).result.document_id
