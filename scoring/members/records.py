"""What is held about one member, as they may see it: decisions, consents, refusals, and everything as an export."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection

from benne.errors import BenneError, VaultError
from benne.features.categories import CATEGORIES
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.vocabulary import EventType
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.plain_values import consent_as_dict
from benne.scoring.consent.reading import load_denials, load_history
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.decisions.served_model import ModelShelf
from benne.scoring.decisions.stored_vectors import StoredVectors
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.members.rights_held import notices_in, said_in, visible_notices
from benne.scoring.store.database import Store
from benne.scoring.store.vault import MemberVault, Payload

__all__ = ["MemberRecords", "Page"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """Some of a member's decisions, newest first, and where the next page begins; None after the last."""

    decisions: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class MemberRecords:
    """Looks things up about members; every look-up is on record before its answer is given.

    Parameters
    ----------
    store : Store
    group : GroupCommit
    vault : MemberVault
    vectors : StoredVectors
    shelf : ModelShelf
    recorder : MemberRecorder
    """

    store: Store
    group: GroupCommit
    vault: MemberVault
    vectors: StoredVectors
    shelf: ModelShelf
    recorder: MemberRecorder

    def consents(self, subject_id: str, doing: Doing) -> list[dict[str, Any]]:
        """Every consent record with what became of it, oldest first."""
        return self._on_record(subject_id, "member_looked_up", doing, lambda c: self._consents(c, subject_id))

    def history(self, subject_id: str, doing: Doing, *, after: str | None, limit: int) -> Page:
        """Decisions that were answered, newest first: when, for whom, what was told.

        Parameters
        ----------
        subject_id : str
        doing : Doing
        after : str or None
            The decision a page begins after; None for the first page.
        limit : int
            Decisions on a page at most.
        """

        def read(connection: Connection) -> Page:
            decided = sorted(self._decisions(connection, subject_id), key=lambda one: one.created_at_us, reverse=True)
            places = {payload.payload_ref: place for place, payload in enumerate(decided, start=1)}
            start = 0 if after is None else places.get(after, len(decided))
            shown = list(islice(decided, start, start + limit))
            more = start + limit < len(decided)
            return Page([_told(payload) for payload in shown], shown[-1].payload_ref if more else None)

        return self._on_record(subject_id, "member_looked_up", doing, read)

    def report(self, subject_id: str, doing: Doing) -> dict[str, Any]:
        """What there is about a member, by kind, and who received what."""
        return self._on_record(subject_id, "report_given", doing, lambda c: self._report(c, subject_id))

    def export(self, subject_id: str, doing: Doing) -> dict[str, Any]:
        """Everything that is held about a member, in full, to take elsewhere."""

        def read(connection: Connection) -> dict[str, Any]:
            decisions = [self._in_full(payload) for payload in self._decisions(connection, subject_id)]
            return self._report(connection, subject_id) | {
                "decisions": decisions,
                "features": [self._features(connection, one) for one in self._kept(connection, subject_id, "features")],
                "said": said_in(self._everything(connection, subject_id)),
                "notices": notices_in(
                    self._kept(connection, subject_id, "notice"), visible_notices(connection, subject_id)
                ),
            }

        return self._on_record(subject_id, "data_exported", doing, read)

    def is_known(self, connection: Connection, subject_id: str) -> bool:
        """Whether anything is on record of a member: a key, a consent, or a refusal."""
        keys = self.vault.keys_of(connection, [subject_id], create=False, now_us=0)
        return bool(keys or load_history(connection, subject_id) or load_denials(connection, subject_id))

    def _on_record(self, subject_id: str, event: EventType, doing: Doing, read: Callable[[Connection], T]) -> T:
        with self.store.read() as connection:
            found = read(connection)

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            return [self.recorder.entry(connection, now_us, subject_id, event, doing)], None

        self.group.submit(work)
        return found

    def _consents(self, connection: Connection, subject_id: str) -> list[dict[str, Any]]:
        return [consent_as_dict(record, events) for record, events in load_history(connection, subject_id)]

    def _report(self, connection: Connection, subject_id: str) -> dict[str, Any]:
        decided = [_told(payload) for payload in self._decisions(connection, subject_id)]
        return {
            "consents": self._consents(connection, subject_id),
            "refusals": [
                {"time": _iso(one.time_us), "purpose": one.purpose, "recipient": one.recipient, "reason": one.reason}
                for one in load_denials(connection, subject_id)
            ],
            "decisions": decided,
            "recipients": sorted({str(one["recipient"]) for one in decided}),
            "held": self._held(connection, subject_id),
        }

    def _held(self, connection: Connection, subject_id: str) -> list[str]:
        """Kinds of what is held; a notice that the law bars from being shown is none."""
        shown = visible_notices(connection, subject_id)
        held = (
            one for one in self._everything(connection, subject_id) if one.kind != "notice" or one.payload_ref in shown
        )
        return sorted({payload.kind for payload in held})

    def _decisions(self, connection: Connection, subject_id: str) -> Iterator[Payload]:
        return self._kept(connection, subject_id, "decision")

    def _kept(self, connection: Connection, subject_id: str, kind: str) -> Iterator[Payload]:
        return (payload for payload in self._everything(connection, subject_id) if payload.kind == kind)

    def _everything(self, connection: Connection, subject_id: str) -> Iterator[Payload]:
        """What can be read; what is damaged must not keep anybody from seeing the rest."""
        return self.vault.everything(connection, subject_id, damaged=_report_damage)

    def _in_full(self, payload: Payload) -> dict[str, Any]:
        kept = KeptDecision.from_bytes(payload.content)
        names = self.shelf.get(kept.model_id).names
        return _told(payload) | {"features": _by_name(names, kept.values.tolist())}

    def _features(self, connection: Connection, payload: Payload) -> dict[str, Any]:
        vector = self.vectors.read(connection, payload)
        computed = [category for category in CATEGORIES if vector.consented[category]]
        values = _by_name(vector.names, vector.values.tolist())
        return {"as_of": vector.as_of.isoformat(), "categories": computed, "values": values}


def _report_damage(_: str, error: BenneError) -> None:
    _log.error("something kept of a member cannot be read (%s); restore it from a backup", type(error).__name__)


def _told(payload: Payload) -> dict[str, Any]:
    try:
        kept = KeptDecision.from_bytes(payload.content)
    except (KeyError, ValueError):
        raise VaultError("A kept decision must be of this Benne's form, got another. Upgrade Benne.") from None
    answer = kept.answer
    return {
        "decision_id": kept.decision_id,
        "recipient": kept.asked["recipient"],
        "purpose": kept.asked["purpose"],
        "context": kept.asked["context"],
        "reliance": kept.asked["reliance"],
        "decided_at": _iso(answer["decided_at_us"]),
        "as_of": _iso(kept.as_of_us),
        "model_id": kept.model_id,
        "categories": answer["categories"],
        "told": {name: answer[name] for name in ("granularity", "score", "band", "threshold", "reached", "benefit")},
    }


def _by_name(names: tuple[str, ...], values: list[float]) -> dict[str, float | None]:
    return {name: None if value != value else value for name, value in zip(names, values, strict=True)}


def _iso(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()
