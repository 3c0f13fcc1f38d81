"""Corrections: the data, then every score that rested on them, then everybody who was told; once, whatever happens.

Each step is marked in the transaction in which it is done, or (where it is done elsewhere) can be done twice without
harm: rows that are in the event store already are not added again, and a decision made anew has a key of its own by
which it is found again. So a correction that was interrupted at any point is gone on with by housekeeping.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from benne.errors import BenneError, RightsError
from benne.explain.texts import Language
from benne.scoring.access.recipients import recipient_named
from benne.scoring.audit.record import AuditEntry
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.decide import DecisionMaker
from benne.scoring.decisions.request import Actor, Idempotency, Refusal, ScoreRequest
from benne.scoring.disputes.correction_steps import (
    DATA_CORRECTED,
    mark_done,
    step_of_anew,
    step_of_told,
    steps_done,
)
from benne.scoring.disputes.event_rows import EventRows, Rows
from benne.scoring.disputes.past_answers import PastAnswer, past_answers
from benne.scoring.members.recording import Doing
from benne.scoring.notices.notice import NoticeDraft
from benne.scoring.notices.register import Register
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.casework import Casework, Opening
from benne.scoring.rights.rows import CaseQuery, change_case, find_case, queue
from benne.scoring.rights.words import decoded, encoded
from benne.scoring.store.pseudonyms import Pseudonyms
from benne.scoring.store.vault import MemberVault, NewPayload

__all__ = ["CorrectionReport", "Corrections"]

_log = logging.getLogger(__name__)
_KIND: Final = "correction"
_BY: Final = Doing(Actor("corrections", "system"))
_WAITED_FOR: Final = frozenset({"features-missing", "features-stale"})
_RESERVE_US: Final = timedelta(days=1) // timedelta(microseconds=1)
"""How long before the deadline features are waited for no longer: whoever was told must know by then."""
_AT_ONCE: Final = 200

Step = Callable[[Connection, int], tuple[list[AuditEntry], str | None]]


@dataclass(frozen=True, slots=True)
class CorrectionReport:
    """How far corrections have come; ids alone.

    Attributes
    ----------
    done, waiting : tuple of str
        ``waiting``: for features that are not there yet.
    failed : dict of str to str
        What went wrong with others, in words without a member's data.
    """

    done: tuple[str, ...]
    waiting: tuple[str, ...]
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Corrections:
    """Makes good what a sustained dispute found.

    Parameters
    ----------
    casework : Casework
    register : Register
    maker : DecisionMaker
    rows : EventRows or None
        The way into the event store; None where features are loaded: then those of the member are dropped.
    pseudonyms : Pseudonyms
    clock : callable returning datetime
    """

    casework: Casework
    register: Register
    maker: DecisionMaker
    rows: EventRows | None
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]

    def check_rows(self, subject_id: str, rows: Rows) -> None:
        """Refuse rows that could not be appended; see :meth:`EventRows.check`."""
        if self.rows is None:
            raise RightsError(
                "Rows must be given where features are computed from events, got them where features are loaded. "
                "Correct them where they come from, load them anew, and leave rows out."
            )
        self.rows.check(subject_id, rows)

    def begin(
        self, connection: Connection, now_us: int, dispute: RightsCase, rows: Rows | None, doing: Doing
    ) -> tuple[list[AuditEntry], RightsCase]:
        """Open a correction in the transaction that answers its dispute; :meth:`run` does the rest."""
        about = None
        if dispute.decision_id is not None:
            about = self.casework.about(connection, str(dispute.subject_id), dispute.decision_id)
        opening = Opening(
            kind=_KIND, topic="loaded" if rows is None else "events", state="begun", event="correction_made",
            limit=lambda profile: profile.correction_live, about=about,
            said={"said": "correction", "rows": None if rows is None else dict(rows), "language": self._language(
                connection, dispute)},
            columns={"about_case": dispute.case_id, "handler": doing.actor.id},
        )  # fmt: skip
        return self.casework.open(connection, now_us, str(dispute.subject_id), opening, doing)

    def run(self, *, of_case: str | None = None) -> CorrectionReport:
        """Go on with every correction that is not done, from the step it has come to.

        Parameters
        ----------
        of_case : str, optional
            Only with the one of this dispute.

        Returns
        -------
        CorrectionReport
            One that fails does not hold up the others.
        """
        done, waiting, failed = list[str](), list[str](), dict[str, str]()
        for case in self._open_ones(of_case):
            try:
                (done if self._go_on(case) else waiting).append(case.case_id)
            except _DoneAlready:
                continue
            except BenneError as error:
                failed[case.case_id] = str(error)
                _log.error("a correction has stopped (%s); it is tried again", type(error).__name__)
        return CorrectionReport(tuple(done), tuple(waiting), failed)

    def _open_ones(self, of_case: str | None) -> list[RightsCase]:
        found: list[RightsCase] = []
        with self.casework.store.read() as connection:
            while page := queue(connection, _page(found)):
                found += page
        return [case for case in found if of_case in (None, case.about_case)]

    def _go_on(self, case: RightsCase) -> bool:
        self._correct_data(case)
        answers, done = self._left(case)
        results: dict[str, str | None] = {}
        for answer in answers:
            if step_of_anew(answer.newest) not in done and not self._decide_anew(case, answer):
                return False
        _, done = self._left(case)
        for answer in answers:
            results[answer.newest] = done.get(step_of_anew(answer.newest), (0, None))[1]
            self._tell(case, answer, results[answer.newest])
        self._finish(case, answers, results)
        return True

    def _left(self, case: RightsCase) -> tuple[list[PastAnswer], Mapping[str, tuple[int, str | None]]]:
        with self.casework.store.read() as connection:
            done = steps_done(connection, case.case_id)
            if DATA_CORRECTED not in done:  # the member was erased meanwhile
                raise _DoneAlready
            corrected_at_us = done[DATA_CORRECTED][0]
            vault = self.casework.recorder.vault
            return past_answers(connection, vault, str(case.subject_id), corrected_at_us), done

    def _correct_data(self, case: RightsCase) -> None:
        with self.casework.store.read() as connection:
            if DATA_CORRECTED in steps_done(connection, case.case_id):
                return
            said = self._said(connection, case)
        subject_id, vault = str(case.subject_id), self.casework.recorder.vault
        if said["rows"] is not None and self.rows is not None:
            self.rows.append(subject_id, said["rows"])  # before it is marked: what is there already is not added again

        def act(connection: Connection, now_us: int) -> tuple[list[AuditEntry], str | None]:
            dropped = vault.drop(connection, [subject_id], "features")
            _require_gone(vault, connection, case)
            until_us = vault.get(connection, case.case_id).retention_until_us
            left = NewPayload(case.case_id, subject_id, "dispute", encoded(said | {"rows": None}), until_us)
            vault.replace_many(connection, [left], now_us)  # raw ids of a member stay no longer than they must
            outcome = "rows_appended" if said["rows"] is not None else "features_dropped" if dropped else "nothing_kept"
            entry = self.casework.recorder.entry(
                connection, now_us, subject_id, "correction_made", _BY, about_event=case.case_id, outcome=outcome
            )
            return [entry], None

        self._step(case, DATA_CORRECTED, act)

    def _decide_anew(self, case: RightsCase, answer: PastAnswer) -> bool:
        """Ask a past question again; False where features are still to come and there is time to wait for them."""
        with self.casework.store.read() as connection:
            recipient = recipient_named(connection, str(answer.asked.recipient))
        served = frozenset[str]() if recipient is None or not recipient.served else recipient.purposes
        request = ScoreRequest(
            subject_id=str(case.subject_id), asked=answer.asked, actor=_BY.actor, registered_for=served,
            idempotency=_once(case, answer),
        )  # fmt: skip
        decided = self.maker.decide([request])[0]
        refused = isinstance(decided, Refusal)
        if isinstance(decided, Refusal) and decided.reason in _WAITED_FOR and self._may_wait(case):
            return False

        def act(connection: Connection, now_us: int) -> tuple[list[AuditEntry], str | None]:
            entry = self.casework.recorder.entry(
                connection, now_us, str(case.subject_id), "explanation_decided", _BY,
                about_event=decided.decision_id, outcome="not_scored" if refused else "scored_anew",
            )  # fmt: skip
            return [entry], None if refused else decided.decision_id

        self._step(case, step_of_anew(answer.newest), act)
        return True

    def _may_wait(self, case: RightsCase) -> bool:
        now_us = to_microseconds(self.clock(), "The clock")
        return now_us < case.due_at_us - _RESERVE_US

    def _tell(self, case: RightsCase, answer: PastAnswer, new_decision: str | None) -> None:
        recipient, subject_id = str(answer.asked.recipient), str(case.subject_id)

        def act(connection: Connection, now_us: int) -> tuple[list[AuditEntry], str | None]:
            fields = {
                "member": self.pseudonyms.of(recipient, subject_id),
                "decisions": list(answer.decisions),
                "new_decision": new_decision,
            }
            draft = NoticeDraft(
                kind="correction_notice", subject_id=subject_id, jurisdiction=_code(case), language="en",
                fields=fields, decision_id=answer.newest, recipient=recipient, case_id=case.case_id,
                due_at_us=case.due_at_us,
            )  # fmt: skip
            entries, notice = self.register.issue(connection, now_us, draft, _BY)
            return entries, notice.notice_id

        self._step(case, step_of_told(answer.newest), act)

    def _finish(self, case: RightsCase, answers: list[PastAnswer], results: Mapping[str, str | None]) -> None:
        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            now = find_case(connection, case.case_id, _KIND)
            if now is None or not now.is_open:
                raise _DoneAlready
            fields = {
                "case_id": case.case_id,
                "corrected": [
                    {"recipient": one.asked.recipient, "decisions": list(one.decisions),
                     "new_decision": results[one.newest]}
                    for one in answers
                ],
            }  # fmt: skip
            draft = NoticeDraft(
                kind="correction_done", subject_id=str(case.subject_id), jurisdiction=_code(case),
                language=self._said(connection, now)["language"], fields=fields, case_id=case.case_id,
                due_at_us=case.due_at_us,
            )  # fmt: skip
            told, notice = self.register.issue(connection, now_us, draft, _BY)
            entries, _ = self.casework.change(
                connection, now_us, now, "done", "correction_made", _BY,
                state="done", ended_at_us=now_us, result=notice.notice_id,
            )  # fmt: skip
            self._lower_the_flag(connection, now_us, now)
            return [*told, *entries], None

        _unless_done(self.casework.group.submit, work)

    def _lower_the_flag(self, connection: Connection, now_us: int, case: RightsCase) -> None:
        dispute = find_case(connection, str(case.about_case), "dispute")
        if dispute is not None and dispute.mark is not None:
            change_case(connection, dispute, "flag_removed", _BY.actor, now_us, mark=None)

    def _step(self, case: RightsCase, step: str, act: Step) -> None:
        """Do a step and mark it in one transaction, unless somebody has."""

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            now = find_case(connection, case.case_id, _KIND)
            if now is None or not now.is_open or step in steps_done(connection, case.case_id):
                raise _DoneAlready
            entries, result = act(connection, now_us)
            mark_done(connection, case.case_id, step, now_us, result)
            return entries, None

        _unless_done(self.casework.group.submit, work)

    def _said(self, connection: Connection, case: RightsCase) -> dict[str, Any]:
        return decoded(self.casework.recorder.vault.get(connection, case.case_id).content)

    def _language(self, connection: Connection, dispute: RightsCase) -> Language:
        found: Language = self._said(connection, dispute)["language"]
        return found


class _DoneAlready(Exception):
    """By somebody else, between looking and doing."""


def _unless_done(submit: Callable[[Any], object], work: object) -> None:
    try:
        submit(work)
    except _DoneAlready:
        return


def _require_gone(vault: MemberVault, connection: Connection, case: RightsCase) -> None:
    """A legal hold keeps features from being dropped; what is wrong must not serve meanwhile."""
    newest = vault.latest(connection, str(case.subject_id), "features")
    if newest is not None and newest.created_at_us <= case.opened_at_us:
        raise RightsError(
            "Features that are wrong must be dropped, got some that a legal hold keeps. Load corrected ones over them."
        )


def _once(case: RightsCase, answer: PastAnswer) -> Idempotency:
    """Under which a decision made anew is found again by whoever goes on after a crash."""
    digest = hashlib.sha256(f"{case.case_id}\n{answer.newest}".encode()).hexdigest()
    return Idempotency(digest, digest)


def _page(found: list[RightsCase]) -> CaseQuery:
    return CaseQuery(kinds=(_KIND,), only_open=True, after=found[-1].case_id if found else None, limit=_AT_ONCE)


def _code(case: RightsCase) -> Any:
    return case.jurisdiction
