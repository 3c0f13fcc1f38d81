"""A document about a model, filed where governance is on record, and where to look at it told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benne.cli.console import answer_json, note
from benne.cli.governance_store import opened_governance_store

if TYPE_CHECKING:
    from benne.scoring.audit.vocabulary import ActorRole

__all__ = ["answer_written", "file_in_store"]


def file_in_store(
    place: str | None, content: Mapping[str, Any], by: str, *, role: ActorRole = "data_scientist"
) -> str | None:
    """File a document in a service's folder or a governance database, with its record in the audit chain.

    Parameters
    ----------
    place : str or None
        As :func:`benne.cli.governance_store.opened_governance_store` takes it; None files nothing.
    content : mapping
        A document about a model.
    by : str
        Who files it.
    role : str
        What they are to the platform.

    Returns
    -------
    str or None
        The document's id.
    """
    if place is None:
        return None
    from benne.scoring.decisions.request import Actor
    from benne.scoring.wiring import random_id

    with opened_governance_store(place) as opened:
        return opened.file(content, Actor(by, role), event_id=random_id()).document_id


def answer_written(
    written: Sequence[Path], told: Mapping[str, Any], tell: Callable[[], None], *, want_json: bool
) -> None:
    """Answer with what was found, for a program or for people, and say where it was written.

    Parameters
    ----------
    written : sequence of Path
        The page first.
    told : mapping
        For a program, beside the names of the files.
    tell : callable
        Answers for people.
    want_json : bool
    """
    if want_json:
        answer_json({"files": [str(path) for path in written], **told})
        return
    tell()
    note(f"Look at it: {written[0]}")
