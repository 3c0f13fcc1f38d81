"""What a running service does by itself: load a model that was promoted, let go of what has run out, erase."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from benne.errors import BenneError
from benne.scoring.consent.moments import to_microseconds
from benne.scoring.decisions.idempotency import forget_old_keys
from benne.scoring.decisions.promotion import promoted, require_may_serve
from benne.scoring.service import Service

__all__ = ["Housekeeper", "Tidied", "follow_promotion", "tidy"]

_log = logging.getLogger(__name__)
_BATCH: Final = 1_000
_PROMOTION_EVERY: Final = timedelta(seconds=1)
_COUNT_EVERY: Final = timedelta(seconds=15)
_TIDY_EVERY: Final = timedelta(minutes=15)
_WATCH_EVERY: Final = timedelta(seconds=1)
_EVALUATE_EVERY: Final = timedelta(hours=1)
_FIRST: Final = timedelta(minutes=1)  # after the start, so that a service that is often restarted does it too


@dataclass(frozen=True, slots=True)
class Tidied:
    """What one round did; counts only.

    Attributes
    ----------
    consents_expired, payloads_dropped, keys_forgotten, erasures_finished : int
    deadlines_escalated : int
        What is overdue and was not marked before.
    corrections_done : int
    """

    consents_expired: int
    payloads_dropped: int
    keys_forgotten: int
    erasures_finished: int
    deadlines_escalated: int
    corrections_done: int


def follow_promotion(service: Service) -> bool:
    """Load the model that was promoted last, if another serves; a model that cannot be loaded changes nothing.

    Returns
    -------
    bool
        Whether another model serves now.

    Raises
    ------
    BenneError
        If the store does not answer, the model on the shelf is damaged, no verdict lets it serve, or it was promoted
        past the record; the one that serves goes on.
    """
    with service.store.read() as connection:
        newest = promoted(connection)
        if newest is None or newest.config_hash == service.models.current.config_hash:
            return False
        require_may_serve(connection, newest)
    served = service.shelf.get(newest.model_id, newest.config_hash)
    served.warm()
    service.models.swap(served)
    return True


def tidy(service: Service, *, compacting: bool) -> Tidied:
    """Put on record which consents ran out and what is overdue, delete what was kept long enough, and go on with
    corrections and erasures.

    Parameters
    ----------
    service : Service
    compacting : bool
        Also write the database's files anew where somebody was erased; for a quiet hour.
    """
    expired = service.ledger.expire()
    dropped = forgotten = 0
    while True:
        with service.store.write() as connection:
            now_us = to_microseconds(service.clock(), "The clock")
            some = service.vault.drop_expired(connection, now_us, at_most=_BATCH)
            forgotten += forget_old_keys(connection, now_us)
        dropped += some
        if some < _BATCH:
            break
    service.monitoring.tidy()
    escalated = service.rights.deadlines.escalate()
    report = service.erasure.run(compacting=compacting)
    corrected = service.rights.corrections.run()  # last: it asks the most of everything else
    return Tidied(expired, dropped, forgotten, len(report.finished), escalated, len(corrected.done))


class Housekeeper:
    """Does all that in a thread of its own, until it is told to stop.

    Parameters
    ----------
    service : Service
    counting : callable, optional
        Brings up to date what metrics say of the store.
    """

    def __init__(self, service: Service, counting: Callable[[], None] = lambda: None) -> None:
        self._service = service
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=job, name="benne-housekeeper", daemon=True)
            for job in (
                (_PROMOTION_EVERY, self._follow),
                (_COUNT_EVERY, counting),
                (_TIDY_EVERY, self._tidy),
                (_WATCH_EVERY, service.monitoring.watch.drain),
                (_COUNT_EVERY, self._gather),
                (_EVALUATE_EVERY, self._evaluate),
            )
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _every(self, pause: timedelta, job: Callable[[], None]) -> None:
        first = True
        while not self._stop.wait(min(pause, _FIRST if first else pause).total_seconds()):
            first = False
            try:
                job()
            except BenneError as error:
                _log.error("housekeeping: %s", error)
            except Exception as error:  # noqa: BLE001 - a disk that is full today may not be so in a second
                _log.error("housekeeping: got %s; it is tried again", type(error).__name__)

    def _follow(self) -> None:
        try:
            if follow_promotion(self._service):
                _log.info("serving model %s", self._service.models.current.model_id)
        finally:  # a promoted model that cannot be loaded ends a roll-out all the same
            if self._service.rollouts.follow():
                _log.info("following another step of the roll-out")

    def _gather(self) -> None:
        self._service.monitoring.gather()

    def _evaluate(self) -> None:
        raised = self._service.monitoring.evaluate()
        if raised:
            _log.info("monitoring raised %d alerts", len(raised))

    def _tidy(self) -> None:
        done = tidy(self._service, compacting=False)
        _log.info(
            "tidied: %d consents ran out, %d payloads and %d keys dropped, %d erasures finished, "
            "%d deadlines escalated, %d corrections done",
            done.consents_expired, done.payloads_dropped, done.keys_forgotten, done.erasures_finished,
            done.deadlines_escalated, done.corrections_done,
        )  # fmt: skip
