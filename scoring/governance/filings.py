"""What is on file about a model, to be shown: verdicts and documents, and whether each is still what was recorded.

Whoever acts on one asks :mod:`benne.scoring.governance.verdicts`, which refuses what was changed; here a changed
one is shown as such, so that somebody sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from sqlalchemy import Connection, Row, select

from benne.scoring.canonical import is_deep
from benne.scoring.governance.on_chain import is_on_chain, text_hash
from benne.scoring.store.governance_tables import model_documents, model_validations

__all__ = ["VERDICT", "Filing", "filings_of", "newest_verdict"]

VERDICT: Final = "verdict"
_MOST: Final = 100  # of each, the newest first
_PASSED: Final = {True: "passed", False: "failed"}


@dataclass(frozen=True, slots=True)
class Filing:
    """A verdict or document as it lies in the store.

    Attributes
    ----------
    filing_id : str
        Also of its audit record.
    kind : str
        ``verdict``, or a document's such as ``fairness``.
    model_id, config_hash : str
    content_hash : str
        SHA-256 that the store says it has.
    filed_at_us : int
        Microseconds since 1970-01-01 UTC.
    filed_by : str
    content : dict
        Empty where it cannot be read any more.
    whole : bool
        Whether it is what the audit chain says was filed.
    """

    filing_id: str
    kind: str
    model_id: str
    config_hash: str
    content_hash: str
    filed_at_us: int
    filed_by: str
    content: dict[str, Any] = field(repr=False)
    whole: bool


def filings_of(connection: Connection, config_hash: str) -> list[Filing]:
    """Everything on file about a model's files, the newest first.

    Parameters
    ----------
    connection : Connection
    config_hash : str
        SHA-256 of the model's manifest.
    """
    found = [
        *(_verdict(connection, row) for row in _newest(connection, model_validations, config_hash)),
        *(_document(connection, row) for row in _newest(connection, model_documents, config_hash)),
    ]
    return sorted(found, key=lambda one: one.filed_at_us, reverse=True)


def newest_verdict(filings: Sequence[Filing]) -> Filing | None:
    """The newest verdict among what is on file: the one that counts, whole or not; None before the first.

    One that says of itself that nothing is on record of the training binds nobody, and is given only where no other
    is there. One that was changed may say anything, and is given: somebody must see it.

    Parameters
    ----------
    filings : sequence of Filing
        The newest first.
    """
    verdicts = [one for one in filings if one.kind == VERDICT]
    counts = (one for one in verdicts if not (one.whole and _rests_on_nothing(one.content)))
    return next(counts, verdicts[0] if verdicts else None)


def _rests_on_nothing(content: Mapping[str, Any]) -> bool:
    training = content.get("training")
    return isinstance(training, dict) and not training.get("recorded", True)


def _newest(connection: Connection, table: Any, config_hash: str) -> list[Row[Any]]:
    query = select(table).where(table.c.config_hash == config_hash).order_by(table.c.seq.desc()).limit(_MOST)
    return list(connection.execute(query))


def _verdict(connection: Connection, row: Row[Any]) -> Filing:
    content = _content(row.verdict)
    said = {
        "config_hash": row.config_hash, "input_digest": row.gates_hash, "output_digest": row.verdict_hash,
        "reviewer": row.validator, "outcome": _PASSED[bool(row.passed)],
    }  # fmt: skip
    whole = text_hash(row.verdict) == row.verdict_hash and content.get("author") == row.author
    whole = whole and is_on_chain(connection, row.validation_id, "model_validated", **said)
    return Filing(
        row.validation_id, VERDICT, row.model_id, row.config_hash, row.verdict_hash, row.validated_at_us,
        row.validator, content, whole,
    )  # fmt: skip


def _document(connection: Connection, row: Row[Any]) -> Filing:
    said = {"config_hash": row.config_hash, "output_digest": row.content_hash, "outcome": row.kind}
    whole = text_hash(row.content) == row.content_hash
    whole = whole and is_on_chain(connection, row.document_id, "document_filed", actor_id=row.filed_by, **said)
    return Filing(
        row.document_id, row.kind, row.model_id, row.config_hash, row.content_hash, row.filed_at_us, row.filed_by,
        _content(row.content), whole,
    )  # fmt: skip


def _refused(word: str) -> NoReturn:
    """NaN and infinity are no JSON, and nobody else could read what holds them."""
    raise ValueError(word)


def _content(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and not is_deep(found) else {}
