"""The use case: questions about members in, answers and refusals out, every one of them on record.

A pass has three parts. First, in one view of the store: policy, consent, and features of those who consent. Then,
holding nothing: one call of the model for all of them. Last, alone with the store: consent again, as it stands at
that moment, and what is kept and recorded. A withdrawal either came before the last part, and there is no score, or
it is acknowledged after the answer was on record.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.consent.decision import Permission
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.case import Case
from benne.scoring.decisions.permitting import apply_policy, ledger_head, permissions
from benne.scoring.decisions.recording import Recorder, Seen
from benne.scoring.decisions.request import Refusal, ScoreAnswer, ScoreRequest
from benne.scoring.decisions.routing import score_pass
from benne.scoring.decisions.served_model import ModelSlot
from benne.scoring.decisions.telling import refuse_what_cannot_be_told
from benne.scoring.decisions.vectors import FeatureSource, Occasion
from benne.scoring.policy import Policies
from benne.scoring.store.database import Store
from benne.scoring.store.vault import MemberVault

__all__ = ["DecisionMaker", "Parts"]

_log = logging.getLogger(__name__)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What decisions are made with.

    Parameters
    ----------
    store : Store
    group : GroupCommit
        On the same store.
    vault : MemberVault
    features : FeatureSource
    models : ModelSlot
    policies : callable returning Policies
        Asked once for each pass.
    clock : callable returning datetime
    ids : callable returning str
    service : str
        What stands in the audit chain as the service, such as ``scores``.
    observers : tuple of callable
        Shown every pass once it is on record: counts, a challenger in its shadow. What one raises is logged by its
        class and changes no answer; it must take no time to speak of.
    """

    store: Store
    group: GroupCommit
    vault: MemberVault
    features: FeatureSource
    models: ModelSlot
    policies: Callable[[], Policies]
    clock: Callable[[], datetime]
    ids: Callable[[], str]
    service: str = "scores"
    observers: tuple[Callable[[Sequence[Case]], None], ...] = ()


class DecisionMaker:
    """Answers questions about members; the only way to a score in the service.

    Parameters
    ----------
    parts : Parts
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._outcomes: Counter[str] = Counter()
        self._alone = threading.Lock()

    def decide(self, requests: Sequence[ScoreRequest]) -> list[ScoreAnswer | Refusal]:
        """Answer all of them, in order; every answer and refusal has been recorded before this returns.

        Raises
        ------
        AuditWriteError
            If they could not be recorded; then there are none.
        StoreError
            If the store could not be read.
        ModelError
            If the features on hand are not those the model was fitted on.
        """
        policies = self._parts.policies()
        cases = [Case(request, self._parts.ids()) for request in requests]
        for case in cases:
            apply_policy(policies, case)
        with self._parts.store.read() as connection:
            now_us = to_microseconds(self._parts.clock(), "The clock")
            seen = Seen(ledger_head(connection), now_us)
            _permit(connection, cases, now_us)
            self._bring_features(connection, cases, now_us)
        score_pass(cases, self._parts.models.serving)
        recorder = Recorder(self._parts.vault, policies, self._parts.service)
        answers = self._parts.group.submit(partial(recorder.record, cases=cases, seen=seen)).result
        self._count(requests, answers)
        self._show(cases)
        return answers

    def outcomes(self) -> dict[str, int]:
        """How many decisions came to what since this was made: ``answered``, or the reason of a refusal.

        Of benefits only how many were asked for (``benefit``): whoever asks for one and reads the counts would else
        know why it was not granted.
        """
        with self._alone:
            return dict(self._outcomes)

    def _show(self, cases: Sequence[Case]) -> None:
        for observe in self._parts.observers:
            try:
                observe(cases)
            except Exception as error:  # noqa: BLE001 - whoever watches must not spoil what was answered
                _log.error("an observer of decisions failed: %s", type(error).__name__)

    def _count(self, requests: Sequence[ScoreRequest], answers: Sequence[ScoreAnswer | Refusal]) -> None:
        with self._alone:
            self._outcomes.update(_outcome(*both) for both in zip(requests, answers, strict=True))

    def _bring_features(self, connection: Connection, cases: Sequence[Case], now_us: int) -> None:
        """Ask the source once for all members of the same purpose and recipient."""
        together: dict[Occasion, list[Case]] = {}
        for case in cases:
            if case.stands and case.allowed is not None:
                rules = case.allowed.rules
                oldest_us = now_us - rules.vector_age // _MICROSECOND
                occasion = Occasion(rules.purpose, case.allowed.question.recipient, now_us, oldest_us)
                together.setdefault(occasion, []).append(case)
        for occasion, alike in together.items():
            found = self._parts.features.vectors(connection, _consented(alike), occasion)
            for case in alike:
                case.take(found.get(case.request.subject_id))


def _outcome(request: ScoreRequest, answer: ScoreAnswer | Refusal) -> str:
    if request.asked.benefit is not None:
        return "benefit"
    return answer.reason if isinstance(answer, Refusal) else "answered"


def _consented(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """What may be computed of each member, since when: all that any of their cases permits; each uses its own."""
    consented: dict[str, dict[str, int]] = {}
    for case in cases:
        if case.permission is not None:
            consented.setdefault(case.request.subject_id, {}).update(case.permission.since_us)
    return consented


def _permit(connection: Connection, cases: Sequence[Case], now_us: int) -> None:
    asking = [(case, case.allowed) for case in cases if case.allowed is not None]
    asked = [(case.request.subject_id, allowed.question) for case, allowed in asking]
    for (case, allowed), answer in zip(asking, permissions(connection, asked, now_us), strict=True):
        if isinstance(answer, Permission):
            case.permission = answer
            refuse_what_cannot_be_told(case, allowed, answer)
        else:
            case.refuse(answer)
        case.consent = answer
