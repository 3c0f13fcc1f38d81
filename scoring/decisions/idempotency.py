"""Requests that come twice: the second gets the first one's answer, while consent still stands.

A network that fails does not say whether the request got through, so callers send it again under the same key. Keys
are remembered in the transaction of the decision; two that arrive together are one decision all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from benne.scoring.decisions.case import Case
from benne.scoring.decisions.request import Idempotency, ScoreAnswer
from benne.scoring.store.bulk import insert_rows
from benne.scoring.store.keyring import DomainKey
from benne.scoring.store.service_tables import idempotency_keys

__all__ = ["DOMAIN", "REMEMBERED", "Repeats", "forget_old_keys", "idempotency_of"]

DOMAIN: Final = "idempotency"
REMEMBERED: Final = timedelta(days=1)
"""How long a key stands for its request at least."""

_COLUMNS: Final = idempotency_keys.c


def idempotency_of(secret: DomainKey, caller: str, route: str, key: str, request: Mapping[str, Any]) -> Idempotency:
    """A caller's key for a request.

    Parameters
    ----------
    secret : DomainKey
        Of the key ring's domain :data:`DOMAIN`: a request holds a member's id, whose plain hash could be guessed.
    caller, route : str
        The same key of another caller, or for another route, is another key.
    key : str
        As the caller sent it.
    request : mapping
        Plain values; in which order does not matter.
    """
    sent = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return Idempotency(_keyed(secret, f"{caller}\n{route}\n{key}"), _keyed(secret, sent))


class Repeats:
    """What the keys of a pass stand for already.

    Parameters
    ----------
    connection : Connection
        Of a transaction that holds the writers' lock.
    cases : sequence of Case

    Attributes
    ----------
    of_this_pass : dict of str to ScoreAnswer
        Answers that stand for a key since this pass, by their decision's id; they are kept with it, not before.
    """

    def __init__(self, connection: Connection, cases: Sequence[Case]) -> None:
        keys = [case.request.idempotency.key_hash for case in cases if case.request.idempotency is not None]
        self.of_this_pass: dict[str, ScoreAnswer] = {}
        self._known: dict[str, tuple[str, str]] = {}
        self._new: list[dict[str, Any]] = []
        if keys:
            query = select(_COLUMNS.key_hash, _COLUMNS.request_hash, _COLUMNS.result)
            for key_hash, request_hash, result in connection.execute(query.where(_COLUMNS.key_hash.in_(keys))):
                self._known[key_hash] = request_hash, result

    def earlier(self, case: Case) -> str | None:
        """The decision that a case repeats; refuses it where its key stood for another request."""
        asked = case.request.idempotency
        if asked is None or asked.key_hash not in self._known:
            return None
        request_hash, decision_id = self._known[asked.key_hash]
        if request_hash != asked.request_hash:
            case.refuse("idempotency-key-reused")
            return None
        return decision_id

    def remember(self, case: Case, answer: ScoreAnswer) -> None:
        """Let a case's key stand for its decision."""
        asked = case.request.idempotency
        if asked is not None:
            self._known[asked.key_hash] = asked.request_hash, case.decision_id
            self.of_this_pass[case.decision_id] = answer
            self._new.append(
                {
                    "key_hash": asked.key_hash,
                    "request_hash": asked.request_hash,
                    "result": case.decision_id,
                    "created_at_us": answer.decided_at_us,
                }
            )

    def write(self, connection: Connection) -> None:
        """Keep what is new, with the decisions themselves."""
        insert_rows(connection, idempotency_keys, self._new)


def forget_old_keys(connection: Connection, now_us: int) -> int:
    """Delete keys whose time has passed; gives how many."""
    oldest = now_us - REMEMBERED // timedelta(microseconds=1)
    return connection.execute(delete(idempotency_keys).where(_COLUMNS.created_at_us < oldest)).rowcount


def _keyed(secret: DomainKey, text: str) -> str:
    return secret.digest(text.encode()).hex()
