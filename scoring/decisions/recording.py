"""The last part of a pass, alone with the store: consent once more, what is kept, what is recorded, what is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from benne.errors import ExplanationError, VaultError
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.reading import load_time
from benne.scoring.consent.recording import Recorded, record_decisions
from benne.scoring.consent.vocabulary import class_of
from benne.scoring.decisions.case import Case
from benne.scoring.decisions.idempotency import Repeats
from benne.scoring.decisions.keeping import answer_from, digests_of, kept_of, payload_of
from benne.scoring.decisions.permitting import ledger_head, permissions
from benne.scoring.decisions.request import Refusal, ScoreAnswer
from benne.scoring.decisions.telling import told
from benne.scoring.policy import Policies
from benne.scoring.rights.marks import marks_of
from benne.scoring.store.member_key import MEMBER_DOMAIN
from benne.scoring.store.vault import MemberKey, MemberVault, NewPayload

__all__ = ["Recorder", "Seen"]

_MICROSECOND: Final = timedelta(microseconds=1)
_AT_ONCE: Final = 100_000  # microseconds; later than that consents are looked at again, for one may have run out


class Seen(NamedTuple):
    """The ledger as a pass saw it: its head, and when, in microseconds since 1970-01-01 UTC."""

    head: int
    at_us: int

    def still_holds(self, connection: Connection, now_us: int) -> bool:
        """Whether nobody has given or withdrawn anything since, and no time to speak of has passed."""
        return now_us - self.at_us < _AT_ONCE and ledger_head(connection) == self.head


class _Made(NamedTuple):
    """What came of a case: what the audit chain holds, what is told, and what is kept."""

    entry: dict[str, Any]
    answer: ScoreAnswer | Refusal
    payload: NewPayload | None = None


class Recorder:
    """Records one pass.

    Parameters
    ----------
    vault : MemberVault
    policies : Policies
    service : str
    """

    def __init__(self, vault: MemberVault, policies: Policies, service: str) -> None:
        self._vault = vault
        self._policies = policies
        self._service = service

    def record(
        self, connection: Connection, now_us: int, cases: Sequence[Case], seen: Seen
    ) -> tuple[list[AuditEntry], list[ScoreAnswer | Refusal]]:
        """Check consent again, keep what there is to keep, and say what to record and to answer, case by case."""
        now_us = max(now_us, load_time(connection))
        if not seen.still_holds(connection, now_us):
            _ask_again(connection, now_us, cases)
        record_decisions(connection, _consents(cases), time_us=now_us)
        keys, repeats = self._keys(connection, now_us, cases), Repeats(connection, cases)
        self._mark(connection, [case for case in cases if case.stands])
        made = [self._made(connection, now_us, case, keys.get(case.request.subject_id), repeats) for case in cases]
        self._vault.put_many(connection, [one.payload for one in made if one.payload], now_us, keys=keys)
        repeats.write(connection)
        return [AuditEntry(**one.entry) for one in made], [one.answer for one in made]

    def _mark(self, connection: Connection, cases: Sequence[Case]) -> None:
        """What is disputed is flagged from the moment it is, so it is looked for where nothing can come between."""
        marks = marks_of(connection, {case.request.subject_id for case in cases}, self._vault) if cases else {}
        for case in cases:
            case.mark = marks.get(case.request.subject_id)

    def _made(self, connection: Connection, now_us: int, case: Case, key: MemberKey | None, repeats: Repeats) -> _Made:
        earlier = repeats.earlier(case) if case.stands else None
        first = None if earlier is None else self._first_answer(connection, case, earlier, repeats)
        if case.permission is None or case.scored is None or key is None:
            return _Made(self._entry(case, key), self._refusal(case, now_us))
        if first is not None:
            return _Made(self._entry(case, key) | {"about_event": earlier, "model_id": first.model_id}, first)
        answer = told(case, case.scored, case.permission, self._policies, now_us)
        kept, retained = kept_of(case, case.scored, answer, self._policies), _retained_until(case, now_us)
        repeats.remember(case, answer)
        entry = self._entry(case, key) | digests_of(key, kept, case.scored) | {"retention_until_us": retained}
        return _Made(entry, answer, payload_of(case, kept, retained))

    def _first_answer(
        self, connection: Connection, case: Case, decision_id: str, repeats: Repeats
    ) -> ScoreAnswer | None:
        """The answer a case repeats; refuses it where that is gone, or tells more than consent allows by now."""
        first = repeats.of_this_pass.get(decision_id)
        try:
            first = first or answer_from(self._vault.get(connection, decision_id).content)
        except VaultError:
            case.refuse("decision-expired")
            return None
        told_then = Permission(frozenset(first.categories), first.granularity)
        if case.permission is None or not told_then.within(case.permission):
            case.refuse("consent-changed")
            return None
        return first

    def _keys(self, connection: Connection, now_us: int, cases: Sequence[Case]) -> Mapping[str, MemberKey]:
        """Keys of members who are answered or ask themselves, made where there is none; of others, those there are."""
        drawn = [case.stands or case.request.actor.role == "member" for case in cases]
        refused = [case.request.subject_id for case, new in zip(cases, drawn, strict=True) if not new]
        answered = [case.request.subject_id for case, new in zip(cases, drawn, strict=True) if new]
        keys = dict(self._vault.keys_of(connection, refused, create=False, now_us=now_us))
        keys.update(self._vault.keys_of(connection, answered, create=True, now_us=now_us))
        for case in cases:
            if case.request.subject_id not in keys:
                case.refuse("member-erased")
        return keys

    def _entry(self, case: Case, key: MemberKey | None) -> dict[str, Any]:
        request, asked = case.request, case.request.asked
        subject = None if key is None else key.audit_subject()
        purpose_class = class_of(asked.purpose or "")
        return {
            "event_id": case.decision_id,
            "type": "score_decided" if asked.benefit is None else "eligibility_decided",
            **request.actor.on_record(subject),
            "service": self._service,
            "policy_version": self._policies.version,
            "subject_hmac": subject,
            "key_domain": None if key is None else MEMBER_DOMAIN,
            "purpose": None if purpose_class is None else asked.purpose,
            "purpose_class": purpose_class,
            "context": None if case.allowed is None else asked.context,
            "decision": "granted" if case.stands else "denied",
            "deny_reason": case.reason,
        }

    def _refusal(self, case: Case, now_us: int) -> Refusal:
        if case.reason is None:
            raise ExplanationError("A case must be scored or refused, got neither. No score was given.")
        return Refusal(
            decision_id=case.decision_id,
            reason=case.reason,
            policy_version=self._policies.version,
            decided_at_us=now_us,
        )


def _retained_until(case: Case, now_us: int) -> int:
    return now_us + case.allowed_or_raise.rules.payload_retention // _MICROSECOND


def _consents(cases: Sequence[Case]) -> list[Recorded]:
    """What the ledger answered, as it keeps it."""
    return [
        Recorded(case.decision_id, case.allowed.question, {case.request.subject_id: case.consent})
        for case in cases
        if case.allowed is not None and case.consent is not None
    ]


def _ask_again(connection: Connection, now_us: int, cases: Sequence[Case]) -> None:
    """Consent as it stands now must allow at least what was used."""
    asked = [(case, case.allowed.question) for case in cases if case.allowed is not None]
    answers = permissions(connection, [(case.request.subject_id, question) for case, question in asked], now_us)
    for (case, _), answer in zip(asked, answers, strict=True):
        case.consent = answer
        if not isinstance(answer, Permission):
            case.refuse(answer)
        elif case.permission is not None and not case.permission.within(answer):
            case.consent = "consent-changed"
            case.refuse("consent-changed")
