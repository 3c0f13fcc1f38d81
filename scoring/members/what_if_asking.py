"""Leave to try something on a member's own events: their live consent to have it done for themselves, on record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from benne.features.categories import CATEGORIES
from benne.features.consent_mask import ConsentMask
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.masking import frame_of_periods
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.consent.reading import load_events, load_time
from benne.scoring.consent.recording import Recorded, record_decisions
from benne.scoring.consent.vocabulary import class_of
from benne.scoring.decisions.case import Case
from benne.scoring.decisions.permitting import apply_policy, ledger_head, permissions
from benne.scoring.decisions.recording import Seen
from benne.scoring.decisions.request import Refusal, ScoreRequest
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.members.proving import OWN_PURPOSE, SELF
from benne.scoring.members.recording import Doing, MemberRecorder
from benne.scoring.policy import Asked, Policies, answer_granularity
from benne.scoring.store.database import Store

__all__ = ["Asking", "Leave", "SettledConsents"]

_Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leave:
    """What a member lets be tried, as the ledger stood when it was read.

    Attributes
    ----------
    case : Case
        With a reason where they do not.
    seen : Seen
    """

    case: Case
    seen: Seen

    @property
    def categories(self) -> frozenset[str]:
        """What may be looked at and computed."""
        return frozenset() if self.case.permission is None else self.case.permission.categories


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks the ledger before anything is tried, and again before it is told.

    Parameters
    ----------
    store : Store
    group : GroupCommit
        On the same store.
    recorder : MemberRecorder
    policies : callable returning Policies
    clock : callable returning datetime
    """

    store: Store
    group: GroupCommit
    recorder: MemberRecorder
    policies: Callable[[], Policies]
    clock: Callable[[], datetime]

    def ask(self, connection: Connection, subject_id: str, doing: Doing) -> Leave:
        """What the member lets be tried, for themselves and nobody else."""
        asked = Asked(recipient=SELF, purpose=OWN_PURPOSE, context="platform", reliance="advisory", granularity="exact")
        request = ScoreRequest(
            subject_id=subject_id, asked=asked, actor=doing.actor, registered_for=frozenset({OWN_PURPOSE})
        )
        now_us = to_microseconds(self.clock(), "The clock")
        case, policies = Case(request, ""), self.policies()
        apply_policy(policies, case)
        _permit(connection, case, now_us)
        return Leave(case, Seen(ledger_head(connection), now_us))

    def record(self, leave: Leave, doing: Doing, outcome: str, served: ServedModel | None = None) -> Refusal | None:
        """Put on record that something was tried; a refusal, also on record, where it may not be told.

        Parameters
        ----------
        leave : Leave
        doing : Doing
        outcome : str
            What was tried, in a word.
        served : ServedModel, optional
            By which model.

        Raises
        ------
        AuditWriteError
            If it could not be recorded; then nothing is told.
        """
        case = leave.case

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Refusal | None]:
            now_us = max(now_us, load_time(connection))
            if case.stands and not leave.seen.still_holds(connection, now_us):
                _permit(connection, case, now_us)
            entry = self._entry(connection, now_us, case, doing, outcome, served)
            if case.allowed is not None and case.consent is not None:
                told = {case.request.subject_id: case.consent}
                record_decisions(connection, [Recorded(entry.event_id, case.allowed.question, told)], time_us=now_us)
            if case.reason is None:
                return [entry], None
            refusal = Refusal(
                decision_id=entry.event_id, reason=case.reason, policy_version=self.recorder.policy_version,
                decided_at_us=now_us,
            )  # fmt: skip
            return [entry], refusal

        return self.group.submit(work).result

    def _entry(
        self, connection: Connection, now_us: int, case: Case, doing: Doing, outcome: str, served: ServedModel | None
    ) -> AuditEntry:
        return self.recorder.entry(
            connection, now_us, case.request.subject_id, "what_if_answered", doing,
            purpose=OWN_PURPOSE, purpose_class=class_of(OWN_PURPOSE), outcome=outcome,
            decision="granted" if case.stands else "denied", deny_reason=case.reason,
            model_id=None if served is None else served.model_id,
            config_hash=None if served is None else served.config_hash,
        )  # fmt: skip


def _permit(connection: Connection, case: Case, now_us: int) -> None:
    """Ask the ledger; what is permitted now must hold at least what was permitted before."""
    if case.allowed is None:
        return
    answer = permissions(connection, [(case.request.subject_id, case.allowed.question)], now_us)[0]
    case.consent = answer
    if not isinstance(answer, Permission):
        case.refuse(answer)
    elif case.permission is not None and not case.permission.within(answer):
        case.consent = "consent-changed"
        case.refuse("consent-changed")
    elif answer_granularity(case.allowed.rules, answer.granularity, case.allowed.granularity) != "exact":
        case.refuse("granularity-not-allowed")
    else:
        case.permission = answer


class SettledConsents:
    """Consent as it stood at one reading of the ledger, for whatever is computed afterwards.

    Parameters
    ----------
    own : collection of str
        Categories of the member's own.
    others : ConsentMask or None
        Of the other members in their interactions; None where nobody else is looked at.
    """

    grants_everything = False

    def __init__(self, own: Collection[str], others: ConsentMask | None) -> None:
        self._own = own
        self._others = others

    @classmethod
    def read(cls, connection: Connection, own: Collection[str], others: Sequence[str], now_us: int) -> SettledConsents:
        """The member's own as just permitted; other members' for the same purpose and recipient, as it stands."""
        if not others:
            return cls(own, None)
        events = load_events(connection, OWN_PURPOSE, SELF, subject_ids=list(others))
        frame = frame_of_periods(events, now_us, include_ended=False)
        return cls(own, ConsentMask(frame, reason=f"consent ledger: {OWN_PURPOSE} for {SELF}"))

    def of_one(self, subject_id: str, as_of: int) -> npt.NDArray[np.bool_]:
        """The member's own categories; a what-if supposes that their consent still stands on the day."""
        return np.array([[category in self._own for category in CATEGORIES]])

    def periods_of(self, subject_ids: Sequence[str], category: str) -> tuple[_Times, _Times, _Times]:
        """When other members let themselves be counted."""
        if self._others is None:
            nobody: _Times = np.zeros(len(subject_ids) + 1, dtype=np.int64)
            return nobody, nobody[:0], nobody[:0]
        return self._others.periods_of(list(subject_ids), category)
