"""Documents about a model, filed under the hash of its files: its card, fairness, gaming, monitoring, comparisons."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select

from benne.errors import GovernanceError
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.canonical import canonical_json, is_deep
from benne.scoring.decisions.request import Actor
from benne.scoring.governance.on_chain import is_on_chain, text_hash
from benne.scoring.store.governance_tables import model_documents

__all__ = ["FORMAT", "FiledDocument", "documents_of", "file_document"]

FORMAT: Final = 1
"""Version of the form that all documents share."""

_NEEDED: Final = ("format", "kind", "model", "made_at", "by", "measures", "tables", "notes")
_KIND: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_LARGEST: Final = 4 * 1024 * 1024  # as JSON; pages read all that is on file about a model
_C = model_documents.c


@dataclass(frozen=True, slots=True)
class FiledDocument:
    """A document about a model, as it was filed.

    Attributes
    ----------
    document_id : str
        Also of its audit record.
    model_id, config_hash : str
        The model that it is about.
    kind : str
        Such as ``fairness``.
    content_hash : str
        SHA-256 of the content's one spelling.
    content : dict
    filed_at_us : int
        Microseconds since 1970-01-01 UTC.
    filed_by : str
    """

    document_id: str
    model_id: str
    config_hash: str
    kind: str
    content_hash: str
    content: dict[str, Any] = field(repr=False)
    filed_at_us: int
    filed_by: str


def file_document(
    content: Mapping[str, Any], *, actor: Actor, event_id: str, policy_version: str
) -> Work[FiledDocument]:
    """A unit of work that files a document about a model; the same content again is another filing of it.

    Parameters
    ----------
    content : mapping
        ``format``, ``kind``, ``model`` (``model_id`` and ``config_hash``), ``made_at``, ``by``, ``measures``,
        ``tables``, ``notes``, and whatever else is the document's own; nothing about one member.
    actor : Actor
    event_id : str
        Of the document and of its audit record.
    policy_version : str

    Raises
    ------
    GovernanceError
        If the content is not of that form, is no JSON, or is larger than 4 MiB.
    """
    kind, model = _checked(content)
    if is_deep(content):
        raise GovernanceError("A document about a model must have at most 100 levels, got more. Make rows of them.")
    try:
        text = canonical_json(content).decode()
    except (TypeError, ValueError, RecursionError):
        raise GovernanceError(
            "A document about a model must be JSON with finite numbers, got something else in it. Write null instead."
        ) from None
    if len(text) > _LARGEST:
        raise GovernanceError("A document about a model must have at most 4 MiB, got a larger one. Leave rows out.")
    digest = text_hash(text)

    def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], FiledDocument]:
        place = connection.execute(select(func.coalesce(func.max(_C.seq), 0))).scalar_one() + 1
        filed = FiledDocument(event_id, *model, kind, digest, json.loads(text), now_us, actor.id)
        row = {name: getattr(filed, name) for name in _COLUMNS} | {"content": text}
        connection.execute(insert(model_documents), {"seq": place, **row})
        entry = AuditEntry(
            event_id=event_id, type="document_filed", actor_id=actor.id, actor_role=actor.role, service="governance",
            policy_version=policy_version, model_id=filed.model_id, config_hash=filed.config_hash,
            output_digest=digest, outcome=kind,
        )  # fmt: skip
        return [entry], filed

    return work


def documents_of(
    connection: Connection, config_hash: str, kind: str | None = None, *, newest: int | None = None
) -> list[FiledDocument]:
    """What was filed about a model, the newest first.

    Parameters
    ----------
    connection : Connection
    config_hash : str
        Of the model's files.
    kind : str, optional
        By default every kind.
    newest : int, optional
        So many at most; by default all.

    Raises
    ------
    GovernanceError
        If a document is not the one that the audit chain says was filed.
    """
    query = select(model_documents).where(_C.config_hash == config_hash).order_by(_C.seq.desc())
    if kind is not None:
        query = query.where(_C.kind == kind)
    return [_read(connection, row) for row in connection.execute(query.limit(newest)).all()]


_COLUMNS: Final = ("document_id", "model_id", "config_hash", "kind", "content_hash", "filed_at_us", "filed_by")


def _read(connection: Connection, row: Row[Any]) -> FiledDocument:
    said = {"config_hash": row.config_hash, "output_digest": row.content_hash, "outcome": row.kind}
    whole = text_hash(row.content) == row.content_hash
    if not whole or not is_on_chain(connection, row.document_id, "document_filed", actor_id=row.filed_by, **said):
        raise GovernanceError(
            "A document about a model must be the one on record in the audit chain, got another. "
            "See what was changed: benne audit verify"
        )
    kept = {name: getattr(row, name) for name in _COLUMNS}
    return FiledDocument(**kept, content=json.loads(row.content))


def _checked(content: Mapping[str, Any]) -> tuple[str, tuple[str, str]]:
    missing = [name for name in _NEEDED if name not in content]
    if missing or content["format"] != FORMAT:
        got = f"no {missing[0]}" if missing else f"format {content['format']!r}"
        raise GovernanceError(f"A document about a model must have {', '.join(_NEEDED)}, format {FORMAT}; got {got}.")
    kind, model = content["kind"], content["model"]
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise GovernanceError(
            "kind of a document must be a word of up to 32 small letters, digits, - and _, got another. Rename it."
        )
    if not isinstance(model, Mapping) or not all(isinstance(model.get(k), str) for k in ("model_id", "config_hash")):
        raise GovernanceError("A document must name its model's model_id and config_hash, got none. Take identity_of.")
    return kind, (model["model_id"], model["config_hash"])
