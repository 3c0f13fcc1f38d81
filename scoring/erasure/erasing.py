"""Erasing members: asked for once, done step by step, and gone on with after a crash at any of them.

The steps are in :mod:`benne.scoring.erasure.steps`. Consent ends with the request itself. Then the member's key
is destroyed, and with it everything encrypted under it, in every copy: from there on there is no way back. What
follows is removing what can no longer be read, and what was kept elsewhere in the clear.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from benne.errors import BenneError, ErasureError, UnderLegalHold
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Committed, Work
from benne.scoring.erasure.acts import SYSTEM, Actor, Subject, subject_of
from benne.scoring.erasure.compaction import compact
from benne.scoring.erasure.forgetting import delete_payloads, destroy_key, forget_rights
from benne.scoring.erasure.holds import Hold, standing_holds
from benne.scoring.erasure.parts import Erasable
from benne.scoring.erasure.steps import (
    COMPACTED,
    CONSENT_WITHDRAWN,
    KEY_DESTROYED,
    PAYLOADS_DELETED,
    Begun,
    begin,
    is_done,
    mark_done,
    open_erasures,
    step_of_part,
)
from benne.scoring.store.database import Store
from benne.scoring.store.payloads import validate_subjects
from benne.scoring.store.vault import MemberVault

__all__ = ["Commits", "Erasure", "ErasureReport", "Requested", "WithdrawsConsent"]

_TABLES: Final = ("members", "member_payloads", "api_keys", "rights_cases", "correction_steps", "notice_members")
_MAY: Final = ("member", "compliance", "admin", "system")
_FAILURES: Final = (BenneError, OSError, SQLAlchemyError, sqlite3.Error)


class Commits(Protocol):
    """Runs a unit of work and commits it with its audit entries; a group commit does."""

    def submit(self, work: Work[Any]) -> Committed[Any]:
        """As :meth:`benne.scoring.audit.group_commit.GroupCommit.submit`."""


class WithdrawsConsent(Protocol):
    """Ends what a member consented to; the consent ledger does."""

    def withdraw_all_within(self, connection: Connection, subject_id: str, now_us: int) -> object:
        """End every consent of a member, to every purpose and recipient."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What came of asking for an erasure.

    Attributes
    ----------
    erasure_id : str
        Also that of the audit record of the request; of a refused one it is that record's id alone.
    holds : tuple of Hold
        Why it was refused; empty where it was not.
    """

    erasure_id: str
    holds: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """How far erasures have come.

    Attributes
    ----------
    finished : tuple of str
        Ids of erasures of which nothing is left to do.
    held : tuple of str
        Of those that wait for a legal hold to be lifted.
    waiting : tuple of str
        Of those whose bytes may still be in files, as somebody reads an older state: run again later.
    failed : dict of str to str
        What went wrong with others, in words without a member's data: mend it and run again.
    """

    finished: tuple[str, ...]
    held: tuple[str, ...]
    waiting: tuple[str, ...]
    failed: dict[str, str]


class Erasure:
    """Erases members from the store and from whatever else is named.

    Parameters
    ----------
    store : Store
    vault : MemberVault
    consents : WithdrawsConsent
        The consent ledger.
    audit : Commits
        A group commit. Every step is recorded in the audit chain in the transaction in which it is done.
    ids : callable returning str
        A new unique id of at most 36 characters at every call.
    parts : sequence of Erasable, optional
        What holds something about members beside the store: event stores, folders of exports. An erasure is finished
        only by somebody who has every part with which it was asked for.
    """

    def __init__(
        self,
        store: Store,
        vault: MemberVault,
        *,
        consents: WithdrawsConsent,
        audit: Commits,
        ids: Callable[[], str],
        parts: Sequence[Erasable] = (),
    ) -> None:
        self._store = store
        self._vault = vault
        self._consents = consents
        self._audit = audit
        self._ids = ids
        self._parts = tuple(parts)

    def request(self, subject_id: str, *, by: Actor) -> Requested:
        """Ask for a member's erasure and end all their consents; :meth:`run` does the rest.

        Asking again while one is under way gives that one.

        Raises
        ------
        UnderLegalHold
            If a hold stands; the refusal has been recorded. Its ``holds`` say on what grounds.
        ErasureError
            If whoever asks may not.
        VaultError
            If ``subject_id`` is none.
        """
        requested: Requested = self._audit.submit(
            lambda connection, now_us: self.request_within(connection, now_us, subject_id, by=by)
        ).result
        if requested.holds:
            raise _under_hold(requested.holds)
        return requested

    def request_within(
        self, connection: Connection, now_us: int, subject_id: str, *, by: Actor
    ) -> tuple[list[AuditEntry], Requested]:
        """The same as a unit of work for the caller to hand in; look at ``holds`` of what it gives."""
        validate_subjects((subject_id,))
        if by.role not in _MAY:
            raise ErasureError(f"An erasure must be asked for by one of {', '.join(_MAY)}, got another role.")
        holds, under_way = standing_holds(connection, subject_id), open_erasures(connection, subject_id)
        subject, event_id = subject_of(self._vault, connection, subject_id, now_us), self._ids()
        if holds:
            entry = subject.entry(event_id, by, type="member_erased", decision="denied", deny_reason="legal-hold")
            return [entry], Requested(event_id, holds)
        if under_way:
            first = under_way[0].erasure_id
            entry = _granted(subject, event_id, by, "requested_again", first)
            return [entry], Requested(first)
        self._consents.withdraw_all_within(connection, subject_id, now_us)
        begin(connection, Begun(event_id, subject_id, now_us, tuple(part.name for part in self._parts)))
        mark_done(connection, event_id, CONSENT_WITHDRAWN, now_us)
        return [_granted(subject, event_id, by, CONSENT_WITHDRAWN, None)], Requested(event_id)

    def run(self, *, only: str | None = None, compacting: bool = True) -> ErasureReport:
        """Go on with every erasure that is not finished, from the step it has come to.

        Parameters
        ----------
        only : str, optional
            Id of the one erasure to go on with.
        compacting : bool, default=True
            False leaves the last step, which writes whole files anew, for a quieter hour.

        Returns
        -------
        ErasureReport
            One that fails does not hold up the others.
        """
        ready, held, failed = [], [], dict[str, str]()
        for erasure in self._open(only):
            try:
                self._erase(erasure)
                ready.append(erasure)
            except UnderLegalHold:
                held.append(erasure.erasure_id)
            except _FAILURES as error:
                failed[erasure.erasure_id] = _told(error)
        finished, waiting = self._finish(ready, failed) if compacting else ([], ready)
        ids = (tuple(one.erasure_id for one in some) for some in (finished, waiting))
        return ErasureReport(next(ids), tuple(held), next(ids), failed)

    def _open(self, only: str | None) -> list[Begun]:
        with self._store.read() as connection:
            return [one for one in open_erasures(connection) if only in (None, one.erasure_id)]

    def _erase(self, erasure: Begun) -> None:
        subject_id = erasure.subject_id
        self._step(erasure, KEY_DESTROYED, lambda c, now_us: self._destroy_key(c, subject_id, now_us))
        self._step(erasure, PAYLOADS_DELETED, lambda c, _: delete_payloads(c, subject_id))
        for part in self._parts:
            step = step_of_part(part.name)
            if step not in erasure.done and not self._is_done(erasure, step):
                part.erase(subject_id)
                self._step(erasure, step, _nothing_more)
        missing = [name for name in erasure.parts if name not in {part.name for part in self._parts}]
        if any(step_of_part(name) not in erasure.done for name in missing):
            raise ErasureError(
                f"An erasure must go through every part it was asked for with, got none named {', '.join(missing)}. "
                "Name it, and resume."
            )

    def _is_done(self, erasure: Begun, step: str) -> bool:
        with self._store.read() as connection:
            return is_done(connection, erasure.erasure_id, step)

    def _destroy_key(self, connection: Connection, subject_id: str, now_us: int) -> None:
        holds = standing_holds(connection, subject_id)  # placed since it was asked for
        if holds:
            raise _under_hold(holds)
        destroy_key(connection, subject_id, now_us)
        forget_rights(connection, subject_id, now_us)

    def _finish(self, ready: list[Begun], failed: dict[str, str]) -> tuple[list[Begun], list[Begun]]:
        if not ready:
            return [], []
        try:
            done = all([compact(self._store.engine, _TABLES), *(part.compact() for part in self._parts)])
        except _FAILURES as error:
            failed.update(dict.fromkeys((one.erasure_id for one in ready), _told(error)))
            return [], []
        if not done:
            return [], ready
        for erasure in ready:
            self._step(erasure, COMPACTED, _nothing_more)
        return ready, []

    def _step(self, erasure: Begun, step: str, act: Callable[[Connection, int], None]) -> None:
        if step in erasure.done:
            return

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], None]:
            subject = subject_of(self._vault, connection, erasure.subject_id, now_us)  # by their key, while it is there
            outcome = "done_already"  # by another process, and since then the member may have come back
            if mark_done(connection, erasure.erasure_id, step, now_us):
                act(connection, now_us)
                outcome = step
            return [_granted(subject, self._ids(), SYSTEM, outcome, erasure.erasure_id)], None

        self._audit.submit(work)


def _granted(subject: Subject, event_id: str, by: Actor, outcome: str, about: str | None) -> AuditEntry:
    return subject.entry(event_id, by, type="member_erased", decision="granted", outcome=outcome, about_event=about)


def _nothing_more(_: Connection, __: int) -> None:
    """The step is done already, and is only written down."""


def _under_hold(holds: tuple[Hold, ...]) -> UnderLegalHold:
    return UnderLegalHold(
        f"An erasure must not go against a legal hold, got {len(holds)} that stand. Have them lifted first.", holds
    )


def _told(error: Exception) -> str:
    # A driver's own text may quote a row.
    return str(error) if isinstance(error, BenneError | OSError) else f"The database failed: {type(error).__name__}."
