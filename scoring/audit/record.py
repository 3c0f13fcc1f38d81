"""What is written into the audit chain: frozen, typed and validated on construction."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from benne.errors import AuditRecordError
from benne.scoring.audit import vocabulary as words
from benne.scoring.audit.vocabulary import ActorRole, Decision, EventType
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.vocabulary import PURPOSE_CLASSES, PURPOSES, STATES, Purpose, PurposeClass, State
from benne.scoring.store.audit_tables import DIGEST_COLUMNS, audit_records

__all__ = ["AuditEntry", "AuditRecord"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")  # no space and no @: free text and addresses stay out
_WORDS: Final[dict[str, Collection[str]]] = {
    "type": words.EVENT_TYPES,
    "actor_role": words.ACTOR_ROLES,
    "purpose": PURPOSES,
    "consent_state": STATES,
    "decision": words.DECISIONS,
}
_NAMES: Final = (
    "event_id",
    "actor_id",
    "key_domain",
    "service",
    "context",
    "consent_id",
    "policy_version",
    "deny_reason",
    "model_id",
    "reviewer",
    "outcome",
    "payload_ref",
    "about_event",
)
_REQUIRED: Final = frozenset(column.name for column in audit_records.columns if not column.nullable)
_LONGEST: Final = {name: int(getattr(audit_records.columns[name].type, "length", 0)) for name in _NAMES}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that happened, before it has its place in the chain.

    Nothing in it says who a member is, what is known about them or what they scored: ids are keyed, contents
    are digests. A digest of something small (a score has 601 values) must be keyed or salted, or it can be
    guessed.

    Parameters
    ----------
    event_id : str
        Unique; at most 36 characters.
    type : str
        One of :data:`~benne.scoring.audit.vocabulary.EVENT_TYPES`.
    actor_id, actor_role : str
        Who did it. A member's id is a subject hmac.
    service, policy_version : str
        What served it, under which version of the rules.
    subject_hmac, key_domain : str, optional
        Whom it is about, as 64 hexadecimal digits, and whose key made them; both or neither.
    purpose, purpose_class : str, optional
        Both or neither; the class is the purpose's own. Neither where what was asked is no purpose of ours.
    context, consent_id, consent_state : str, optional
        What it rested on.
    decision : {'granted', 'denied'}, optional
        None where nothing was asked for.
    deny_reason : str, optional
        Given exactly where something was denied.
    model_id, config_hash : str, optional
        Which model, and the SHA-256 of how it was configured.
    input_digest, output_digest, reasons_digest : str, optional
        Keyed SHA-256 of what was read, answered, and given as reasons.
    reviewer, outcome : str, optional
        Who reviewed, and what came of it.
    retention_until_us : int, optional
        Until when the payload is kept, in microseconds since 1970-01-01 UTC.
    payload_ref : str, optional
        Where the encrypted payload is.
    merkle_root : str, optional
        Of a chunk of decisions; given exactly for type ``scores_batched``.
    about_event : str, optional
        The event that this one follows up.

    Raises
    ------
    AuditRecordError
        If a field is not of its kind, or contradicts another.

    Examples
    --------
    >>> entry = AuditEntry(event_id="7f1c", type="model_promoted", actor_id="ops-3", actor_role="admin",
    ...                    service="registry", policy_version="2026-03", model_id="benne/7")
    >>> entry.decision is None
    True
    >>> AuditEntry(event_id="7f1c", type="model_promoted", actor_id="anna@example.org", actor_role="admin",
    ...            service="registry", policy_version="2026-03")
    Traceback (most recent call last):
    ...
    benne.errors.AuditRecordError: actor_id must be a name of letters, digits and any of _.:/- ...
    """

    event_id: str
    type: EventType
    actor_id: str
    actor_role: ActorRole
    service: str
    policy_version: str
    subject_hmac: str | None = None
    key_domain: str | None = None
    purpose: Purpose | None = None
    purpose_class: PurposeClass | None = None
    context: str | None = None
    consent_id: str | None = None
    consent_state: State | None = None
    decision: Decision | None = None
    deny_reason: str | None = None
    model_id: str | None = None
    config_hash: str | None = None
    input_digest: str | None = None
    output_digest: str | None = None
    reasons_digest: str | None = None
    reviewer: str | None = None
    outcome: str | None = None
    retention_until_us: int | None = None
    payload_ref: str | None = None
    merkle_root: str | None = None
    about_event: str | None = None

    def __post_init__(self) -> None:
        for name, allowed in _WORDS.items():
            if self._given(name) and getattr(self, name) not in allowed:
                raise AuditRecordError(f"{name} must be one of {', '.join(allowed)}, got another. Name one of these.")
        for name in _NAMES:
            if self._given(name):
                _require_name(name, getattr(self, name))
        for name in DIGEST_COLUMNS:
            if self._given(name):
                _require_digest(name, getattr(self, name))
        self._require_a_whole_number()
        self._require_agreement()

    def _given(self, name: str) -> bool:
        return name in _REQUIRED or getattr(self, name) is not None

    def _require_a_whole_number(self) -> None:
        moment: Any = self.retention_until_us
        if moment is not None and (isinstance(moment, bool) or not isinstance(moment, int) or moment < 0):
            raise AuditRecordError(
                f"retention_until_us must be whole microseconds since 1970, got {type(moment).__name__}. Convert it."
            )

    def _require_agreement(self) -> None:
        if (self.subject_hmac is None) != (self.key_domain is None):
            raise AuditRecordError("subject_hmac and key_domain must go together, got one of them. Give both.")
        if self.purpose_class != (None if self.purpose is None else PURPOSE_CLASSES[self.purpose]):
            raise AuditRecordError(
                "purpose_class must be the purpose's own, got another. Take PURPOSE_CLASSES[purpose]."
            )
        if (self.decision == "denied") != (self.deny_reason is not None):
            raise AuditRecordError("deny_reason must be given exactly where something is denied. Give or drop it.")
        if (self.type == words.BATCH) != (self.merkle_root is not None):
            raise AuditRecordError(f"merkle_root must be given exactly for {words.BATCH}. Give or drop it.")
        if self.actor_role == "member" and not _SHA256.fullmatch(self.actor_id):
            raise AuditRecordError("A member's actor_id must be a subject hmac, got something else. Key it first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """An entry in its place in the chain.

    Attributes
    ----------
    entry : AuditEntry
    seq : int
        Place, from 1 without gaps.
    time_us : int
        When it was recorded, in microseconds since 1970-01-01 UTC.
    prev_hash, hash : str
        SHA-256 of the record before it, and of this one with that.
    """

    entry: AuditEntry
    seq: int
    time_us: int
    prev_hash: str
    hash: str

    @property
    def time(self) -> datetime:
        """When it was recorded, in UTC."""
        return from_microseconds(self.time_us)


def _require_name(name: str, value: Any) -> None:
    longest = _LONGEST[name]
    if not isinstance(value, str) or len(value) > longest or not _NAME.fullmatch(value):
        raise AuditRecordError(
            f"{name} must be a name of letters, digits and any of _.:/- up to {longest} characters, "
            "got something else. Pass an id, never free text."
        )


def _require_digest(name: str, value: Any) -> None:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise AuditRecordError(f"{name} must be 64 hexadecimal digits, got something else. Hash it with SHA-256.")
