"""The consent ledger: what members chose, and who may be scored because of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakSet

from sqlalchemy import Connection

from benne.errors import ConsentRecordError, ConsentRequired
from benne.features.categories import ABILITY, CREDIT_HISTORY
from benne.features.consent_mask import ConsentMask
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.chain import ChainReport, verify
from benne.scoring.consent.deciding import answers_of, no_longer_permitted, question_of, validate_categories
from benne.scoring.consent.decision import SEAL, ConsentDecision, Denial, Permission, Question
from benne.scoring.consent.gate import standing
from benne.scoring.consent.granting import endings, new_records
from benne.scoring.consent.masking import frame_of_periods
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.consent.reading import (
    RecordedDenial,
    find_notice_text,
    load_denials,
    load_events,
    load_history,
    load_record,
    load_time,
)
from benne.scoring.consent.record import (
    Capture,
    ConsentEvent,
    ConsentRecord,
    ConsentRequest,
    Notice,
    NoticeRef,
    validate_subject_id,
)
from benne.scoring.consent.recording import record_decision
from benne.scoring.consent.taking_over import Act, Imported, take_over
from benne.scoring.consent.terms_file import TermsFile
from benne.scoring.consent.timeline import covers, gives_now
from benne.scoring.consent.vocabulary import DenyReason, Reliance, State
from benne.scoring.consent.writing import append_events, append_records, register_notice
from benne.scoring.store.database import Store

__all__ = ["ConsentLedger"]

REQUIRED_BY_DEFAULT: Final = (CREDIT_HISTORY, ABILITY)
_FIVE_MINUTES: Final = timedelta(minutes=5)


class ConsentLedger:
    """Append-only record of consent, and the only source of consent decisions.

    Parameters
    ----------
    store : Store
        From :func:`benne.scoring.open_store`.
    clock : callable returning datetime
        Timezone-aware. If it runs backwards, the ledger's own time stands still until it has
        caught up, so that order is never lost.
    ids : callable returning str
        A new unique id of at most 36 characters at every call.
    decision_lifetime : timedelta, default=5 minutes
        How long a decision may be used at most.

    Notes
    -----
    Every method is one transaction. A withdrawal that has returned is seen by every later call,
    from whichever thread or process; nothing is cached.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        decision_lifetime: timedelta = _FIVE_MINUTES,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._decision_lifetime = decision_lifetime
        self._issued: WeakSet[ConsentDecision] = WeakSet()

    def register_notice(self, notice: Notice) -> NoticeRef:
        """Keep the exact text members will be shown; registering it again changes nothing.

        Raises
        ------
        ConsentRecordError
            If this id, version and language already stand for another text.
        """
        with self._store.write() as connection:
            register_notice(connection, notice, self._now(connection))
        return notice.ref

    def notice_text(self, notice: NoticeRef) -> str:
        """Rebuild exactly what members were shown.

        Raises
        ------
        ConsentRecordError
            If no such text was registered, or its hash no longer fits.
        """
        with self._store.read() as connection:
            text = find_notice_text(connection, notice)
        if text is None or hashlib.sha256(text.encode()).hexdigest() != notice.hash:
            raise ConsentRecordError("A notice must be registered with this very text. Register it first.")
        return text

    def grant(self, request: ConsentRequest) -> ConsentRecord:
        """Record that a member switched consent on; returns the record as kept.

        Raises
        ------
        ConsentRecordError
            If the notice was never registered.
        """
        return self._record(request, "given")

    def refuse(self, request: ConsentRequest) -> ConsentRecord:
        """Record that a member pressed no; nothing is held against them, what stood ends."""
        return self._record(request, "refused")

    def grant_many(self, requests: Iterable[ConsentRequest]) -> tuple[str, ...]:
        """Record many members' choices in one transaction: all of them, or none.

        Returns
        -------
        tuple of str
            Record ids, in the order written.
        """
        return self._record_many(tuple(requests), "given")

    def import_acts(
        self, histories: Sequence[tuple[TermsFile, Sequence[Act]]], capture: Capture
    ) -> tuple[Imported, ...]:
        """Merge another system's acts, with their own times, into the ledger: all in one transaction, or none.

        Parameters
        ----------
        histories : sequence of (TermsFile, sequence of Act)
            Acts with what the members were shown; a notice not yet registered is registered.
        capture : Capture
            What the members did.

        Returns
        -------
        tuple of Imported
            What each history added; an act that is in the ledger already adds nothing.

        Raises
        ------
        ConsentRecordError
            If an act lies in the future, or a notice stands for another text.
        """
        with self._store.write() as connection:
            now_us = self._now(connection)
            return tuple(self._import(connection, terms, acts, capture, now_us) for terms, acts in histories)

    def withdraw(
        self, subject_id: str, purpose: str, recipient: str, categories: Collection[str] | None = None
    ) -> tuple[str, ...]:
        """End a member's consent at once; no reason is asked, and twice is as good as once.

        Parameters
        ----------
        subject_id, purpose, recipient : str
        categories : collection of str, optional
            Only these; by default everything, consent to automated decisions included.

        Returns
        -------
        tuple of str
            Categories that ended now; empty if none stood.
        """
        validate_subject_id(subject_id)
        validate_categories(categories or ())
        with self._store.write() as connection:
            now_us = self._now(connection)
            ended = endings(connection, subject_id, purpose, recipient, categories, now_us=now_us)
            append_events(connection, ended, now_us)
        return tuple(dict.fromkeys(event.category for event in ended))

    def history(self, subject_id: str) -> list[tuple[ConsentRecord, tuple[ConsentEvent, ...]]]:
        """Every record of a member with its events, oldest first."""
        validate_subject_id(subject_id)
        with self._store.read() as connection:
            return load_history(connection, subject_id)

    def denials(self, subject_id: str) -> list[RecordedDenial]:
        """Every refusal recorded about a member, oldest first."""
        validate_subject_id(subject_id)
        with self._store.read() as connection:
            return load_denials(connection, subject_id)

    def active(self, subject_id: str, purpose: str, recipient: str, at: datetime | None = None) -> frozenset[str]:
        """Categories a member consents to, now or at a past moment.

        Asking leaves no trace and permits nothing; :meth:`decide` does both.
        """
        validate_subject_id(subject_id)
        with self._store.read() as connection:
            now_us = self._now(connection)
            events = load_events(connection, purpose, recipient, subject_ids=[subject_id])
        moment_us = None if at is None else to_microseconds(at, "at")
        return frozenset(
            category
            for (automated, category), acts in standing(events).get(subject_id, {}).items()
            if not automated and (gives_now(acts, now_us) is not None if moment_us is None else covers(acts, moment_us))
        )

    def mask(
        self, *, purpose: str, recipient: str, known_at: datetime | None = None, include_ended: bool = True
    ) -> ConsentMask:
        """Periods of consent for one purpose and recipient, as the features take them.

        Parameters
        ----------
        purpose, recipient : str
        known_at : datetime, optional
            Read the ledger as it stood then; by default as it stands.
        include_ended : bool, default=True
            False leaves out categories whose consent has since ended, so that nothing new is
            computed about the time in which it still held.

        Raises
        ------
        ConsentRecordError
            If the purpose is not one of Benne's, or ``known_at`` is naive.
        """
        if purpose not in words.PURPOSES:
            raise ConsentRecordError(f"A purpose must be one of {', '.join(words.PURPOSES)}, got another.")
        with self._store.read() as connection:
            read_at_us = self._now(connection) if known_at is None else to_microseconds(known_at, "known_at")
            events = load_events(connection, purpose, recipient, known_by_us=read_at_us)
        return ConsentMask(
            frame_of_periods(events, read_at_us, include_ended), reason=f"consent ledger: {purpose} for {recipient}"
        )

    def decide(
        self,
        subject_ids: Iterable[str],
        *,
        purpose: str,
        recipient: str,
        actor: str,
        required: Collection[str] = REQUIRED_BY_DEFAULT,
        as_of: datetime | None = None,
        reliance: Reliance = "advisory",
        review_route: str | None = None,
    ) -> ConsentDecision:
        """Say who may be scored, and record the answer about everybody before giving it.

        Parameters
        ----------
        subject_ids : iterable of str
            Members asked about; a repeated one counts once.
        purpose, recipient, actor : str
            What for, for whom, and who asks. A purpose that is none of Benne's denies everybody.
        required : collection of str, default=('credit_history', 'ability')
            Categories without which a member is denied.
        as_of : datetime, optional
            Moment of the features to be used. Consent must stand now and have stood then.
        reliance : {'advisory', 'strong', 'sole'}, default='advisory'
            How much rests on the score. More than ``advisory`` is denied without ``review_route``;
            ``sole`` also needs the member's consent to automated decisions.
        review_route : str, optional
            How a person reviews the outcome.

        Raises
        ------
        ConsentRecordError
            If an id is not a pseudonym, a name is not a name, or ``as_of`` is naive or to come.
        CategoryError
            If a required category is unknown.
        StoreError
            If the answer could not be recorded; then there is none.
        """
        members = tuple(dict.fromkeys(subject_ids))
        for subject_id in members:
            validate_subject_id(subject_id)
        question = question_of(purpose, recipient, actor, required, as_of, reliance, review_route)
        with self._store.write() as connection:
            now_us = self._now(connection)
            if question.as_of_us is not None and question.as_of_us > now_us:
                raise ConsentRecordError("as_of must not lie in the future. Leave it out for now.")
            answers = answers_of(connection, members, question, now_us)
            decision_id = self._ids()
            record_decision(connection, decision_id, question, answers, time_us=now_us)
        return self._issue(decision_id, question, answers, now_us)

    def require(self, subject_id: str, *, purpose: str, recipient: str, actor: str) -> ConsentDecision:
        """Decide about one member for advisory use with the default requirements, or raise.

        Raises
        ------
        ConsentRequired
            If the member may not be scored; the denial has been recorded.
        """
        decision = self.decide([subject_id], purpose=purpose, recipient=recipient, actor=actor)
        if decision.denials:
            raise ConsentRequired(
                f"A score must rest on active consent, got {decision.denials[0].reason}. "
                "Ask the member; nothing was computed."
            )
        return decision

    def release(self, decision: ConsentDecision, subject_ids: Collection[str]) -> dict[str, DenyReason]:
        """Check a decision against the ledger as it stands, right before scores leave.

        Returns
        -------
        dict of str to str
            Members who may no longer be scored and why; each is recorded as a denial of its own.

        Raises
        ------
        ConsentRequired
            If this ledger did not make the decision.
        """
        if not isinstance(decision, ConsentDecision) or decision not in self._issued:
            raise ConsentRequired("A consent decision must come from this ledger. Call its decide().")
        with self._store.write() as connection:
            now_us = self._now(connection)
            refused = no_longer_permitted(connection, decision, tuple(dict.fromkeys(subject_ids)), now_us)
            if refused:
                record_decision(
                    connection,
                    self._ids(),
                    decision.question,
                    refused,
                    time_us=now_us,
                    about=decision.decision_id,
                )
        return refused

    def verify_chain(self) -> ChainReport:
        """Recompute every hash of records and events and say where the first break is."""
        with self._store.read() as connection:
            return verify(connection)

    def _now(self, connection: Connection) -> int:
        return max(to_microseconds(self._clock(), "The clock"), load_time(connection))

    def _import(
        self, connection: Connection, terms: TermsFile, acts: Sequence[Act], capture: Capture, now_us: int
    ) -> Imported:
        if any(act.time_us > now_us for act in acts):
            raise ConsentRecordError("Imported acts must lie in the past, not in the future. Correct their times.")
        register_notice(connection, terms.notice, now_us)
        asked, members = terms.terms, tuple({act.subject_id for act in acts})
        known = load_events(connection, asked.purpose, asked.recipient, subject_ids=members)
        records, withdrawals = take_over(known, acts, asked, capture, now_us=now_us, ids=self._ids)
        append_records(connection, records, now_us)
        append_events(connection, withdrawals, now_us)
        return Imported(len(records), len(withdrawals))

    def _record(self, request: ConsentRequest, state: State) -> ConsentRecord:
        (record_id,) = self._record_many((request,), state)
        with self._store.read() as connection:
            return load_record(connection, record_id)

    def _record_many(self, requests: tuple[ConsentRequest, ...], state: State) -> tuple[str, ...]:
        for notice in {request.terms.notice for request in requests}:
            self.notice_text(notice)
        with self._store.write() as connection:
            now_us = self._now(connection)
            records = new_records(connection, requests, state, now_us=now_us, ids=self._ids)
            append_records(connection, records, now_us)
        return tuple(record.record_id for record in records)

    def _issue(
        self,
        decision_id: str,
        question: Question,
        answers: Mapping[str, Permission | DenyReason],
        now_us: int,
    ) -> ConsentDecision:
        decided_at = from_microseconds(now_us)
        decision = ConsentDecision(
            seal=SEAL,
            decision_id=decision_id,
            question=question,
            decided_at=decided_at,
            valid_until=decided_at + self._decision_lifetime,
            permissions={s: a for s, a in answers.items() if isinstance(a, Permission)},
            denials=tuple(Denial(s, a) for s, a in answers.items() if not isinstance(a, Permission)),
        )
        self._issued.add(decision)
        return decision
