"""Members give consent and take it back: ledger, features on hand and audit chain in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from benne.errors import ConsentRecordError, VaultError
from benne.features.categories import CATEGORIES
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.ledger import ConsentLedger
from benne.scoring.consent.reading import load_receipt, load_record
from benne.scoring.consent.record import Capture, ConsentRecord, ConsentRequest
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.consent.vocabulary import CaptureChannel, CaptureMethod, class_of
from benne.scoring.members.recording import Doing, MemberRecorder

__all__ = ["Choice", "Consenting", "Withholding"]


class Withholding(Protocol):
    """Whatever keeps features that were computed beforehand."""

    def withhold(
        self, connection: Connection, subject_id: str, *, purpose: str, recipient: str,
        ended: Collection[str], now_us: int,
    ) -> None: ...  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a member switched on, and how.

    Parameters
    ----------
    offer : str
        Name of the terms they were shown.
    notice_hash : str
        SHA-256 of the text they were shown; another text is another consent.
    categories : tuple of str
    channel, method : str
    steps : int
    evidence : tuple of str
        Of the session; only its hash is kept.
    """

    offer: str
    notice_hash: str
    categories: tuple[str, ...]
    channel: CaptureChannel
    method: CaptureMethod
    steps: int
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consenting:
    """Consent as members act on it.

    Parameters
    ----------
    ledger : ConsentLedger
    group : GroupCommit
        On the ledger's own store.
    recorder : MemberRecorder
    vectors : Withholding
        Lets go of features whose consent has ended.
    terms : mapping of str to TermsFile
        What members are offered.
    """

    ledger: ConsentLedger
    group: GroupCommit
    recorder: MemberRecorder
    vectors: Withholding
    terms: Mapping[str, TermsFile]

    def give(self, subject_id: str, choice: Choice, doing: Doing) -> ConsentRecord:
        """Record what a member switched on; returns the record, with its receipt.

        Raises
        ------
        ConsentRecordError
            If there is no such offer, its text is not the one that was shown, or the choice is not one.
        """
        offered = self.terms.get(choice.offer)
        if offered is None:
            raise ConsentRecordError("An offer must be one of those made here, got another. See: /v1/consent-offers")
        if offered.notice.ref.hash != choice.notice_hash:
            raise ConsentRecordError(
                "A consent must be to the text that is offered, got the hash of another. Show the member the new text."
            )
        request = ConsentRequest(
            subject_id=subject_id,
            terms=offered.terms,
            categories=choice.categories,
            capture=Capture(
                channel=choice.channel,
                method=choice.method,
                steps=choice.steps,
                session_hash=_hash(choice.notice_hash, *choice.categories, *choice.evidence),
            ),
        )

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], ConsentRecord]:
            self._welcome_back(connection, subject_id, now_us)
            entries = self._end_the_rest(connection, request, now_us, doing)
            record_id = self.ledger.grant_within(connection, request, now_us)
            entry = self.recorder.entry(
                connection, now_us, subject_id, "consent_given", doing,
                purpose=offered.terms.purpose, purpose_class=offered.terms.purpose_class,
                consent_id=record_id, consent_state="given",
            )  # fmt: skip
            return [*entries, entry], load_record(connection, record_id)

        return self.group.submit(work).result

    def _end_the_rest(
        self, connection: Connection, request: ConsentRequest, now_us: int, doing: Doing
    ) -> list[AuditEntry]:
        """A new choice takes the place of the old one: what they no longer switch on has ended.

        Consent to automated decisions goes with the categories of another record, and ends none of them.
        """
        terms, off = request.terms, set(CATEGORIES) - set(request.categories)
        if not off or terms.consent_type == "automated_decision":
            return []
        asked = (request.subject_id, terms.purpose, terms.recipient, off)
        entry, ended = self._end(connection, asked, now_us, doing)
        return [entry] if ended else []

    def _end(
        self, connection: Connection, asked: tuple[str, str, str, Collection[str] | None], now_us: int, doing: Doing
    ) -> tuple[AuditEntry, tuple[str, ...]]:
        """End what stands of some categories, or (None) of all, and let go of what was computed of them."""
        subject_id, purpose, recipient, categories = asked
        ended = self.ledger.withdraw_within(connection, subject_id, purpose, recipient, categories, now_us)
        gone = CATEGORIES if categories is None else categories  # also of what ran out before
        self.vectors.withhold(connection, subject_id, purpose=purpose, recipient=recipient, ended=gone, now_us=now_us)
        entry = self.recorder.entry(
            connection, now_us, subject_id, "consent_withdrawn", doing,
            purpose=purpose, purpose_class=class_of(purpose), consent_state="withdrawn",
        )  # fmt: skip
        return entry, ended

    def _welcome_back(self, connection: Connection, subject_id: str, now_us: int) -> None:
        """Who was erased and consents anew gets a new key; nothing leads from it to what was."""
        vault = self.recorder.vault
        if subject_id not in vault.keys_of(connection, [subject_id], create=True, now_us=now_us):
            try:
                vault.readmit(connection, subject_id, now_us)
            except VaultError:
                raise ConsentRecordError(
                    "A consent must be of somebody who is not being erased, got one who is. Try again later."
                ) from None

    def withdraw(
        self, subject_id: str, purpose: str, recipient: str, categories: Collection[str] | None, doing: Doing
    ) -> tuple[str, ...]:
        """End consent at once, from the next call on; returns the categories that ended.

        No reason is asked for. What was computed under it is let go of in the same transaction.
        """
        if class_of(purpose) is None:
            raise ConsentRecordError("A purpose must be one of Benne's, got another. Take it from the consent.")

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], tuple[str, ...]]:
            entry, ended = self._end(connection, (subject_id, purpose, recipient, categories), now_us, doing)
            return [entry], ended

        return self.group.submit(work).result

    def receipt(self, subject_id: str, record_id: str, doing: Doing) -> str:
        """The member's signed copy of a consent, as a compact JWS.

        Raises
        ------
        ConsentRecordError
            If the member has no such record, or there is no receipt of it.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], str]:
            receipt = load_receipt(connection, record_id, subject_id)
            entry = self.recorder.entry(connection, now_us, subject_id, "member_looked_up", doing, consent_id=record_id)
            return [entry], receipt

        return self.group.submit(work).result


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
