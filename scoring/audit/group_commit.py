"""One transaction for everybody who is waiting: what each does, and the audit record of it, commit together.

A commit that survives a power cut costs a write to the disk, whether it holds one record or a hundred. So
callers in many threads hand in units of work, and one writer thread runs all that are waiting in one
transaction of the store. No audit, no answer: a caller has its answer only after the commit.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self, TypeVar

from sqlalchemy import Connection

from benne.errors import AuditWriteError, BenneError
from benne.scoring.audit.chain import head
from benne.scoring.audit.links import Head
from benne.scoring.audit.unit_of_work import Committed, Work, in_a_savepoint
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.store.database import Store

__all__ = ["Committed", "GroupCommit", "Work"]

T = TypeVar("T")
_TWO_MILLISECONDS: Final = timedelta(milliseconds=2)


class _Unit(NamedTuple):
    work: Work[Any]
    future: Future[Committed[Any]]


class GroupCommit:
    """Runs units of work and appends their audit entries, a group to a transaction.

    Each unit runs in a savepoint: one that raises leaves nothing behind and harms no other. If the transaction
    itself fails, every caller of the group gets an error and nothing of the group is kept.

    Parameters
    ----------
    store : Store
        In a file or on a server; a SQLite store in memory is for one thread, and the writer is another.
    clock : callable returning datetime
        Timezone-aware. If it runs backwards, the chain's time stands still.
    max_wait : timedelta, default=2 milliseconds
        How long the writer waits at most for a group to become as large as the last one was. A caller that is
        alone never waits.
    max_group : int, default=256
        Units in one transaction at most.
    patience : timedelta, optional
        How long :meth:`submit` waits for work to begin, as while somebody else holds the database; by default until the
        database itself gives up. Work that has begun is always waited for, so that nobody is told of a failure that
        was none.

    Notes
    -----
    Work must neither commit nor roll back, nor append to the chain itself, nor take long: nobody else writes
    meanwhile. Where a server is lost in the middle of a commit, what was written may yet be there; the caller
    has no answer, which is what counts.

    Examples
    --------
    >>> import tempfile
    >>> from benne.scoring.audit.record import AuditEntry
    >>> from benne.scoring import open_store
    >>> from benne.scoring.wiring import random_id, system_clock
    >>> def promote(connection, now_us):
    ...     entry = AuditEntry(event_id=random_id(), type="model_promoted", actor_id="ops-3", actor_role="admin",
    ...                        service="registry", policy_version="2026-03", model_id="benne/7")
    ...     return [entry], "benne/7"
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = open_store(folder.name + "/benne.db")
    >>> with GroupCommit(store, clock=system_clock) as group:
    ...     committed = group.submit(promote)
    >>> committed.result, committed.records[0].seq
    ('benne/7', 1)
    >>> group.submit(promote)
    Traceback (most recent call last):
    ...
    benne.errors.AuditWriteError: A group commit must be open, got a closed one. Make a new one.
    >>> store.close(); folder.cleanup()
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        max_wait: timedelta = _TWO_MILLISECONDS,
        max_group: int = 256,
        patience: timedelta | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._patience = None if patience is None else patience.total_seconds()
        self._max_wait = max_wait.total_seconds()
        self._max_group = max_group
        self._arrived = threading.Condition()
        self._waiting: deque[_Unit] = deque()
        self._enough = 1
        self._closed = False
        self._writer = threading.Thread(target=self._run, name="benne-audit-writer", daemon=True)
        self._writer.start()

    def submit(self, work: Work[T]) -> Committed[T]:
        """Run work and wait until it is committed with its audit records.

        Raises
        ------
        AuditError
            If nothing was kept because the store failed, the database refused this unit, it recorded nothing, its
            turn did not come in time, or the group commit is closed.
        Exception
            What the work itself raised; nothing of it was kept.
        """
        future = self.submit_async(work)
        try:
            return future.result(self._patience)
        except TimeoutError:
            if future.cancel():
                raise _not_in_time() from None
            return future.result()

    def submit_async(self, work: Work[T]) -> Future[Committed[T]]:
        """Hand in work and go on; the future ends where :meth:`submit` would return or raise.

        In a coroutine, ``await asyncio.wrap_future(group.submit_async(work))``. A future that is cancelled
        before its turn is not run.

        Raises
        ------
        AuditWriteError
            If the group commit is closed, or work hands in more work, which would wait for itself.
        """
        if threading.current_thread() is self._writer:
            raise AuditWriteError("Work must be handed in from outside, got it from other work. Do it in one unit.")
        future: Future[Committed[T]] = Future()
        with self._arrived:
            if self._closed:
                raise AuditWriteError("A group commit must be open, got a closed one. Make a new one.")
            self._waiting.append(_Unit(work, future))
            if len(self._waiting) == 1 or len(self._waiting) >= self._enough:
                self._arrived.notify()
        return future

    def close(self) -> None:
        """Commit what was handed in before, then refuse what comes after; twice is as good as once."""
        with self._arrived:
            self._closed = True
            self._arrived.notify()
        self._writer.join()

    def __enter__(self) -> Self:
        """Open since it was made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close, also where something was raised: what was handed in may be awaited elsewhere."""
        self.close()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            self._commit(group)

    def _next_group(self) -> list[_Unit] | None:
        """Everybody who is waiting; None when closed and drained."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._closed)
            self._arrived.wait_for(lambda: len(self._waiting) >= self._enough or self._closed, self._max_wait)
            if not self._waiting:
                return None
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._max_group))]
            self._enough = len(group)
            return group

    def _commit(self, group: list[_Unit]) -> None:
        running: list[_Unit] | None = None
        try:
            with self._store.write() as connection:  # whoever gave up while this waited is not run
                running = _begun(group)
                answers = self._answers(connection, running) if running else []
        except BaseException as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            for unit in _begun(group) if running is None else running:
                unit.future.set_exception(_nothing_kept(error))
            return
        for unit, answer in zip(running, answers, strict=True):
            if isinstance(answer, Committed):
                unit.future.set_result(answer)
            else:
                unit.future.set_exception(answer)

    def _answers(self, connection: Connection, group: list[_Unit]) -> list[Committed[Any] | Exception]:
        last = head(connection)
        now_us = max(to_microseconds(self._clock(), "The clock"), last.time_us)
        answers: list[Committed[Any] | Exception] = []
        for unit in group:
            answer = in_a_savepoint(connection, unit.work, last, now_us)
            if isinstance(answer, Committed):
                newest = answer.records[-1]
                last = Head(newest.seq, newest.hash, newest.time_us)
            answers.append(answer)
        return answers


def _begun(group: list[_Unit]) -> list[_Unit]:
    """Those whose caller still waits; from here on they are waited for."""
    return [unit for unit in group if unit.future.set_running_or_notify_cancel()]


def _not_in_time() -> AuditWriteError:
    return AuditWriteError(
        "What happens must be recorded, and the database was not free in time; nothing was kept. Ask again later."
    )


def _nothing_kept(error: BaseException) -> AuditWriteError:
    told = str(error) if isinstance(error, BenneError) else f"Got {type(error).__name__}."
    return AuditWriteError(f"What happens must be recorded, and could not be; nothing was kept. {told}")
