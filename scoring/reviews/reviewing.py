"""Reviews: a person with no part in a decision looks at it again, and may overturn it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, and_, exists, or_, select, union

from benne.errors import DecisionUnknown, ReviewerNotIndependent, ReviewUnknown, RightsError, StateChanged, VaultError
from benne.explain.texts import LANGUAGES, Language
from benne.scoring.access.recipients import recipient_named
from benne.scoring.audit.record import AuditEntry
from benne.scoring.deadlines import Deadlines
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.decisions.reasons import WHY
from benne.scoring.decisions.request import Actor, Idempotency, Refusal, ScoreRequest
from benne.scoring.members.recording import Doing
from benne.scoring.notices.notice import NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.policy import Asked
from benne.scoring.reviews.statistics import OverturnRate, Period, overturn_rates
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.casework import About, Casework, Opening
from benne.scoring.rights.rows import CaseEvent, CaseQuery, queue, timeline
from benne.scoring.rights.words import decoded, free_text
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.store.rights_tables import (
    correction_steps,
    notice_members,
    notices,
    rights_case_events,
    rights_cases,
)

__all__ = ["INSTEAD", "Instead", "Review", "ReviewAsked", "Reviews", "Verdict"]

Instead = Literal["benefit_granted", "decided_anew", "not_to_be_used"]
INSTEAD: Final[tuple[str, ...]] = get_args(Instead)
_KIND: Final = "review"
_BY_SYSTEM: Final = Actor("reviews", "system")
_C: Final = rights_cases.c
_E: Final = rights_case_events.c
_S: Final = correction_steps.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAsked:
    """A review as a member asks for it.

    Parameters
    ----------
    decision_id : str
    text : str, optional
        Why, in their own words; nobody has to say why. Not in ``repr``.
    language : {'en', 'zh'}, default='en'
    """

    decision_id: str
    text: str | None = field(default=None, repr=False)
    language: Language = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise RightsError(f"A language must be one of {', '.join(LANGUAGES)}, got another. Take one of these.")
        if self.text is not None:
            object.__setattr__(self, "text", free_text(self.text, "A reason for a review"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reviewer decided.

    Parameters
    ----------
    outcome : {'upheld', 'overturned'}
    text : str
        The reviewer's reason, for the member; not in ``repr``.
    instead : {'benefit_granted', 'decided_anew', 'not_to_be_used'}, optional
        Given exactly where the decision is overturned. ``decided_anew`` scores the member again, which their consent
        must allow.
    """

    outcome: Literal["upheld", "overturned"]
    text: str = field(repr=False)
    instead: Instead | None = None

    def __post_init__(self) -> None:
        if self.outcome not in ("upheld", "overturned"):
            raise RightsError("A verdict must be upheld or overturned, got another. Name one of these.")
        if (self.outcome == "overturned") != (self.instead is not None):
            raise RightsError("instead must be given exactly where a decision is overturned. Give or drop it.")
        if self.instead is not None and self.instead not in INSTEAD:
            raise RightsError(f"instead must be one of {', '.join(INSTEAD)}, got another. Name one of these.")
        object.__setattr__(self, "text", free_text(self.text, "A reviewer's reason"))


@dataclass(frozen=True, slots=True)
class Review:
    """A review with what was said; that is not in the ``repr``."""

    case: RightsCase
    said: dict[str, Any] = field(repr=False)
    timeline: tuple[CaseEvent, ...]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Reviews as members and staff act on them.

    Parameters
    ----------
    casework : Casework
    register : Register
    maker : DecisionMaker
    pseudonyms : Pseudonyms
    deadlines : Deadlines
    """

    casework: Casework
    register: Register
    maker: DecisionMaker
    pseudonyms: Pseudonyms
    deadlines: Deadlines

    def request(self, subject_id: str, asked: ReviewAsked, doing: Doing) -> RightsCase:
        """Ask for a person to look at a decision again.

        Raises
        ------
        DecisionUnknown
            If it is none about this member.
        StateChanged
            If a review of it is under way.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], RightsCase]:
            about = self.casework.about(connection, subject_id, asked.decision_id)
            under_way = (_C.kind == _KIND) & (_C.decision_id == asked.decision_id) & _C.ended_at_us.is_(None)
            if connection.execute(select(_C.case_id).where(under_way)).first() is not None:
                raise StateChanged("A decision must be under no review to ask for one, got one under way. Await it.")
            opening = Opening(
                kind=_KIND, topic=about.decision, state="requested", event="review_requested",
                limit=lambda profile: profile.rights, about=about,
                said={"said": "review", "text": asked.text, "language": asked.language}, columns={},
            )  # fmt: skip
            return self.casework.open(connection, now_us, subject_id, opening, doing)

        return self.casework.group.submit(work).result

    def decide(self, case_id: str, version: int, verdict: Verdict, doing: Doing) -> RightsCase:
        """Uphold or overturn a decision; of two reviewers at once the first decides.

        Raises
        ------
        ReviewerNotIndependent
            If the reviewer made the decision, or has had a part in a case about it.
        StateChanged
            If somebody else was first.
        RightsError
            If it should be decided anew and consent, or what is known, does not allow it.
        """
        new_decision = None
        if verdict.instead == "decided_anew":
            with self.casework.store.read() as connection:  # refuse before anything is scored
                case, about = self._to_decide(connection, case_id, version, doing)
                request = self._anew(connection, case, about)
            new_decision = self._decided_anew(request)

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], RightsCase]:
            case, _ = self._to_decide(connection, case_id, version, doing)
            entries, after = self.casework.change(
                connection, now_us, case, verdict.outcome, "review_decided", doing,
                state=verdict.outcome, ended_at_us=now_us, handler=doing.actor.id, result=new_decision,
            )  # fmt: skip
            told = self._tell(connection, now_us, after, verdict, doing)
            return [*entries, *told], after

        return self.casework.group.submit(work).result

    def withdraw(self, case_id: str, version: int, subject_id: str | None, doing: Doing) -> RightsCase:
        """End a review that its member no longer wants."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], RightsCase]:
            case = self.casework.seen(connection, case_id, _KIND, version, ReviewUnknown, subject_id)
            _require_open(case)
            return self.casework.change(
                connection, now_us, case, "withdrawn", "review_changed", doing, state="withdrawn", ended_at_us=now_us
            )

        return self.casework.group.submit(work).result

    def find(self, query: CaseQuery, doing: Doing) -> list[RightsCase]:
        """Reviews by deadline; the look is on record, and what is overdue has been escalated before."""
        self.deadlines.escalate()

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], list[RightsCase]]:
            entry = self.casework.look_up(connection, now_us, query.subject_id, doing)
            plain = {name: getattr(query, name) for name in type(query).__dataclass_fields__}
            return [entry], queue(connection, CaseQuery(**plain | {"kinds": (_KIND,)}))

        return self.casework.group.submit(work).result

    def read(self, case_id: str, doing: Doing, subject_id: str | None = None) -> Review:
        """One review with what was said, and what was done with it.

        Raises
        ------
        ReviewUnknown
            If there is none of that id for whoever asks.
        """
        self.deadlines.escalate()

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Review]:
            case = self.casework.of(connection, case_id, _KIND, ReviewUnknown, subject_id)
            entry = self.casework.look_up(connection, now_us, case.subject_id, doing)
            return [entry], Review(case, self._said(connection, case), tuple(timeline(connection, case_id)))

        return self.casework.group.submit(work).result

    def statistics(self, period: Period) -> list[OverturnRate]:
        """How often decisions were overturned, by month, policy version and recipient; no rate of fewer than twenty."""
        with self.casework.store.read() as connection:
            return overturn_rates(connection, period)

    def _to_decide(self, connection: Connection, case_id: str, version: int, doing: Doing) -> tuple[RightsCase, About]:
        case = self.casework.seen(connection, case_id, _KIND, version, ReviewUnknown)
        _require_open(case)
        about = self.casework.about(connection, str(case.subject_id), str(case.decision_id))
        if doing.actor.id == about.actor_id or doing.actor.id in _took_part(connection, case):
            raise ReviewerNotIndependent(
                "A reviewer must have had no part in the decision or a case about it, got somebody who had. "
                "Let somebody else decide."
            )
        return case, about

    def _anew(self, connection: Connection, case: RightsCase, about: About) -> ScoreRequest:
        """The question as it was asked; of one that was denied only what the ledger keeps of it."""
        try:
            plain = KeptDecision.from_bytes(
                self.casework.recorder.vault.get(connection, about.decision_id).content
            ).asked
            asked = Asked(**{name: plain.get(name) for name in Asked.__dataclass_fields__})
        except VaultError:
            if about.purpose is None:
                raise DecisionUnknown(
                    "A decision to be made anew must have been for a purpose of Benne's, got one that was not."
                ) from None
            asked = Asked(
                recipient=about.recipient, purpose=about.purpose, context="platform", reliance="advisory",
                granularity="band",
            )  # fmt: skip
        recipient = recipient_named(connection, about.recipient)
        served = frozenset[str]() if recipient is None or not recipient.served else recipient.purposes
        digest = hashlib.sha256(f"review\n{case.case_id}".encode()).hexdigest()
        return ScoreRequest(
            subject_id=str(case.subject_id), asked=asked, actor=_BY_SYSTEM, registered_for=served,
            idempotency=Idempotency(digest, digest),
        )  # fmt: skip

    def _decided_anew(self, request: ScoreRequest) -> str:
        decided = self.maker.decide([request])[0]
        if isinstance(decided, Refusal):
            why = WHY.get(decided.reason, decided.reason)
            raise RightsError(f"A decision must be such that it can be made anew, got a refusal: {why} Do otherwise.")
        return decided.decision_id

    def _tell(
        self, connection: Connection, now_us: int, case: RightsCase, verdict: Verdict, doing: Doing
    ) -> list[AuditEntry]:
        """The member in any case; whoever asked for the decision where it was overturned."""
        subject_id, where = str(case.subject_id), _code(case)
        fields = {
            "case_id": case.case_id, "decision_id": case.decision_id, "outcome": verdict.outcome, "text": verdict.text,
            "instead": verdict.instead, "new_decision": case.result,
        }  # fmt: skip
        answer = NoticeDraft(
            kind="review_answer", subject_id=subject_id, jurisdiction=where,
            language=self._said(connection, case)["language"], fields=fields, decision_id=case.decision_id,
            case_id=case.case_id, due_at_us=case.due_at_us,
        )  # fmt: skip
        entries, _ = self.register.issue(connection, now_us, answer, doing)
        if verdict.outcome == "upheld":
            return entries
        recipient = str(case.recipient)
        told = NoticeDraft(
            kind="review_overturned", subject_id=subject_id, jurisdiction=where, language="en",
            fields={"member": self.pseudonyms.of(recipient, subject_id), "decision_id": case.decision_id,
                    "new_decision": case.result},
            decision_id=case.decision_id, recipient=recipient, case_id=case.case_id, due_at_us=case.due_at_us,
        )  # fmt: skip
        return [*entries, *self.register.issue(connection, now_us, told, doing)[0]]

    def _said(self, connection: Connection, case: RightsCase) -> dict[str, Any]:
        found = self.casework.recorder.vault.get_many(connection, [case.case_id])
        return decoded(found[case.case_id].content) if found else {"language": "en", "text": None}


def _took_part(connection: Connection, case: RightsCase) -> set[str]:
    """Staff who opened, handled or changed any case about the same decision, this one included, or of which it came.

    And whoever withheld a part of its explanation, which a review looks at again.
    """
    decision_id = case.decision_id
    came_of = or_(
        _C.result == decision_id, exists().where(_S.case_id == _C.case_id, _S.result == decision_id)
    )  # fmt: skip
    same = and_(_C.subject_id == case.subject_id, or_(_C.decision_id == decision_id, came_of))
    acted = select(_E.actor_id).join(rights_cases, _C.case_id == _E.case_id).where(same)
    withheld = select(notices.c.issued_by).join(notice_members).where(
        notice_members.c.decision_id == decision_id, notices.c.kind == "explanation_withheld"
    )  # fmt: skip
    people = union(select(_C.handler).where(same), select(_C.opened_by).where(same), acted, withheld)
    return {name for name in connection.execute(people).scalars() if name is not None}


def _require_open(case: RightsCase) -> None:
    if not case.is_open:
        raise StateChanged(f"A review must be requested and not decided, got {case.state}. Read it again.")


def _code(case: RightsCase) -> Any:
    return case.jurisdiction
