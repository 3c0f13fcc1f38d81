"""One pass for everybody who is waiting: questions that arrive together are answered together.

A pass through ledger, vault, model and audit chain costs nearly the same for one member as for fifty. So a caller
hands in its question and waits; a few clerks take all that are waiting, answer them in one pass, and hand the answers
back. Nobody waits for others to arrive: while a pass runs, the next one gathers by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, NamedTuple, Self, TypeVar

from benne.errors import AuditError, ServiceBusy, StoreError

__all__ = ["Desk"]

_NOBODYS_FAULT: Final = (StoreError, AuditError)
"""The database failed, not a question: asking again one by one would only take longer."""

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Waiting(NamedTuple, Generic[Question, Answer]):
    question: Question
    future: Future[Answer]


class Desk(Generic[Question, Answer]):
    """Answers questions from many threads, as many at a time as are waiting.

    Parameters
    ----------
    answer : callable
        Takes a list of questions and gives as many answers, in order. Where it raises, each question
        is asked again alone, so that what is wrong with one is told to its own caller only.
    clerks : int, default=2
        Passes at a time: while one waits for the disk, another computes.
    most_at_once : int, default=128
        Questions in one pass.
    most_waiting : int, default=2,048
        Beyond that, callers are sent away at once: an answer that comes too late helps nobody.

    Examples
    --------
    >>> with Desk(lambda numbers: [n * n for n in numbers]) as desk:
    ...     desk.ask(7).result()
    49
    >>> desk.ask(7)
    Traceback (most recent call last):
    ...
    benne.errors.ServiceBusy: The desk must be open, got a closed one. Ask another instance.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        clerks: int = 2,
        most_at_once: int = 128,
        most_waiting: int = 2_048,
    ) -> None:
        self._answer = answer
        self._most_at_once = most_at_once
        self._most_waiting = most_waiting
        self._arrived = threading.Condition()
        self._waiting: deque[_Waiting[Question, Answer]] = deque()
        self._closed = False
        self._clerks = [threading.Thread(target=self._run, name=f"benne-clerk-{k}", daemon=True) for k in range(clerks)]
        for clerk in self._clerks:
            clerk.start()

    def ask(self, question: Question) -> Future[Answer]:
        """Hand in a question; the future ends when its pass has.

        Raises
        ------
        ServiceBusy
            If too many are waiting, or the desk is closed.
        """
        future: Future[Answer] = Future()
        with self._arrived:
            if self._closed:
                raise ServiceBusy("The desk must be open, got a closed one. Ask another instance.")
            if len(self._waiting) >= self._most_waiting:
                raise ServiceBusy(f"At most {self._most_waiting} may wait, got one more. Ask again later.")
            self._waiting.append(_Waiting(question, future))
            self._arrived.notify()
        return future

    @property
    def waiting(self) -> int:
        """How many wait for a pass to begin."""
        return len(self._waiting)

    def close(self) -> None:
        """Answer what was handed in, then refuse what comes after; twice is as good as once."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
        for clerk in self._clerks:
            clerk.join()

    def __enter__(self) -> Self:
        """Open since it was made."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close, also where something was raised."""
        self.close()

    def _run(self) -> None:
        while (together := self._next()) is not None:
            running = [one for one in together if one.future.set_running_or_notify_cancel()]
            if running:
                self._serve(running)

    def _next(self) -> list[_Waiting[Question, Answer]] | None:
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most_at_once))]

    def _serve(self, together: list[_Waiting[Question, Answer]]) -> None:
        try:
            answers = self._answer([one.question for one in together])
        except BaseException as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
            if len(together) == 1 or isinstance(error, _NOBODYS_FAULT):
                for one in together:
                    one.future.set_exception(error)
                return
            for one in together:  # a question that cannot be answered must not spoil the others
                self._serve([one])
            return
        for one, answer in zip(together, answers, strict=True):
            one.future.set_result(answer)
