"""The consent ledger: what members chose, and who may be scored because of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from benne.errors import ConsentRecordError, ConsentRequired
from benne.features.categories import ABILITY, CREDIT_HISTORY
from benne.features.consent_mask import ConsentMask
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.chain import ChainReport, verify
from benne.scoring.consent.deciding import answers_of, no_longer_permitted, question_of
from benne.scoring.consent.decision import SEAL, ConsentDecision, Denial, Permission, Question
from benne.scoring.consent.gate import standing
from benne.scoring.consent.keeping import ConsentKeeping
from benne.scoring.consent.masking import frame_of_periods
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.consent.reading import (
    RecordedDenial,
    load_denials,
    load_events,
    load_history,
)
from benne.scoring.consent.record import (
    ConsentEvent,
    ConsentRecord,
    validate_subject_id,
)
from benne.scoring.consent.recording import record_decision
from benne.scoring.consent.timeline import covers, gives_now
from benne.scoring.consent.vocabulary import DenyReason, Jurisdiction, Reliance
from benne.scoring.store.database import Store

if TYPE_CHECKING:
    from benne.scoring.signing import Signer

__all__ = ["ConsentLedger"]

REQUIRED_BY_DEFAULT: Final = (CREDIT_HISTORY, ABILITY)
_FIVE_MINUTES: Final = timedelta(minutes=5)


class ConsentLedger(ConsentKeeping):
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
    signer : Signer, optional
        Signs a receipt for every consent given; without one there are none.
    jurisdiction : {'cn', 'eu', 'us', 'default'}, optional
        Where the deployment is. Its rules hold beside those of each record's own jurisdiction, and only add to them.

    Notes
    -----
    Every method is one transaction; its twin ``…_within`` works in the caller's. A withdrawal that has
    returned is seen by every later call, from whichever thread or process; nothing is cached.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        decision_lifetime: timedelta = _FIVE_MINUTES,
        signer: Signer | None = None,
        jurisdiction: Jurisdiction | None = None,
    ) -> None:
        super().__init__(store, clock=clock, ids=ids, signer=signer, jurisdiction=jurisdiction)
        self._decision_lifetime = decision_lifetime
        self._issued: WeakSet[ConsentDecision] = WeakSet()

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
            frame_of_periods(events, read_at_us, include_ended, self._jurisdiction),
            reason=f"consent ledger: {purpose} for {recipient}",
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
        question = question_of(purpose, recipient, actor, required, as_of, reliance, review_route, self._jurisdiction)
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
