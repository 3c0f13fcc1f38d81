"""A challenger in the champion's shadow: it scores what the champion has just answered, and nobody sees it.

It scores the very rows that entered the answers, under the same withheld categories, after they are on record: consent
to the answer covers no more and no less. Answers wait in a bounded queue for one thread; where it is full they are let
go of and counted. What remains is sums (:mod:`benne.scoring.rollout.shadow_counts`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from benne.errors import FeatureValueError, InsufficientEvidence
from benne.features.engines.online import FeatureVector
from benne.models import Explanation
from benne.scoring.batch import unscorable
from benne.scoring.decisions.case import Case, Scored
from benne.scoring.decisions.scoring import explained
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.shadow_counts import Lines, count_pair, lines_of

__all__ = ["Shadow", "Watched"]

_log = logging.getLogger(__name__)

_GATHER_SECONDS: Final = 0.2
"""How long answers gather: the challenger scores a hundred nearly as fast as one, and takes less from who waits."""
_FLUSH_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Watched:
    """A challenger in a roll-out, and the champion beside whom it stands."""

    rollout_id: str
    challenger: ServedModel
    champion_id: str


class _Shown(NamedTuple):
    """One answer of the champion, without whose it is."""

    watched: Watched
    vector: FeatureVector
    withheld: frozenset[str]
    scored: Scored


class Shadow:
    """Shows a challenger what the champion answered; an observer of :class:`benne.scoring.decisions.decide.Parts`.

    Parameters
    ----------
    counts : LiveCounts
    most_waiting : int, default=4,096
        Answers; more are let go of, and counted.
    """

    def __init__(self, counts: LiveCounts, *, most_waiting: int = 4_096) -> None:
        self._counts = counts
        self._most_waiting = most_waiting
        self._watched: Watched | None = None
        self._waiting: deque[_Shown] = deque()
        self._changed = threading.Condition()
        self._busy = self._closed = False
        self._worker: threading.Thread | None = None

    @property
    def watched(self) -> Watched | None:
        """The challenger that is shown answers now."""
        return self._watched

    def watch(self, watched: Watched | None) -> None:
        """From the next answer on show them to this challenger; None shows them to nobody."""
        with self._changed:
            self._watched = watched
            if watched is not None and self._worker is None and not self._closed:
                self._worker = threading.Thread(target=self._run, name="benne-shadow", daemon=True)
                self._worker.start()

    def __call__(self, cases: Sequence[Case]) -> None:
        """Take what the champion answered in a pass; at once, whatever the challenger is doing."""
        watched = self._watched
        if watched is None:
            return
        shown, served = _shown(cases, watched)
        with self._changed:
            room = max(0, self._most_waiting - len(self._waiting))
            self._waiting.extend(shown[:room])
            self._changed.notify_all()
        if served:
            self._counts.add(watched.rollout_id, "staged.served", 0, n=served)
        if len(shown) > room:
            self._counts.add(watched.rollout_id, "shadow.dropped", 0, n=len(shown) - room)

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until everything that was taken has been scored and counted, and write the counts; whether it was."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)
        self._flush()
        return done

    def close(self) -> None:
        """Score what waits, write the counts, and end; twice is as good as once."""
        with self._changed:
            self._watched, self._closed = None, True
            self._changed.notify_all()
        if self._worker is not None:
            self._worker.join()

    def _run(self) -> None:
        flushed = time.monotonic()
        while (together := self._next()) is not None:
            if together:
                self._score(together)
            if time.monotonic() - flushed >= _FLUSH_SECONDS:
                self._flush()
                flushed = time.monotonic()
        self._flush()

    def _next(self) -> list[_Shown] | None:
        """What has gathered; nothing after a while in which nothing came; None when closed and done."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._closed, _FLUSH_SECONDS)
            if self._waiting and not self._closed:
                self._changed.wait_for(lambda: len(self._waiting) >= _MOST_AT_ONCE or self._closed, _GATHER_SECONDS)
            if self._closed and not self._waiting:
                return None
            self._busy = bool(self._waiting)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]

    def _score(self, together: list[_Shown]) -> None:
        """Score and count them; where the challenger raises, it has failed at all of them."""
        for watched in dict.fromkeys(one.watched for one in together):
            shown = [one for one in together if one.watched is watched]
            try:
                self._compare(watched, shown)
            except Exception as error:  # noqa: BLE001 - nobody waits for it; its text may quote a row
                _log.warning("the challenger in the shadow failed: %s", type(error).__name__)
                self._counts.add(watched.rollout_id, "shadow.failed", 0, n=len(shown))

    def _compare(self, watched: Watched, shown: list[_Shown]) -> None:
        fitting = [one for one in shown if watched.challenger.takes(one.vector.names)]
        scored, explanation = _scored_again(watched.challenger, fitting)
        if len(scored) < len(shown):
            self._counts.add(watched.rollout_id, "shadow.refused", 0, n=len(shown) - len(scored))
        if explanation is not None:
            count_pair(self._counts, watched.rollout_id, _lines_as_answered(scored), lines_of(explanation))

    def _flush(self) -> None:
        try:
            self._counts.flush()
        except Exception as error:  # noqa: BLE001 - they wait on, and the next time may be better
            _log.warning("counts of the shadow wait for the store: %s", type(error).__name__)


def _shown(cases: Sequence[Case], watched: Watched) -> tuple[list[_Shown], int]:
    """What the champion answered, and how many answers the challenger itself gave."""
    shown, served = [], 0
    for case in cases:
        if case.reason is not None or case.scored is None or case.vector is None:
            continue
        if case.scored.served.model_id == watched.champion_id:
            shown.append(_Shown(watched, replace(case.vector, subject_id=""), case.withheld, case.scored))
        elif case.scored.served is watched.challenger:
            served += 1
    return shown, served


def _scored_again(challenger: ServedModel, shown: list[_Shown]) -> tuple[list[_Shown], Explanation | None]:
    """Those that the challenger scores, and how; it may refuse some that the champion did not."""
    if not shown:
        return [], None
    withheld = [one.withheld for one in shown]
    table = challenger.table([one.vector for one in shown], withheld)
    try:
        return shown, explained(challenger, table, withheld)
    except (InsufficientEvidence, FeatureValueError):
        reasons = unscorable(challenger.model, table, withheld)
    kept = [one for one, reason in zip(shown, reasons, strict=True) if not reason]
    if len(kept) == len(shown):
        raise InsufficientEvidence("A challenger must say which rows it refuses, got none of them named. Look at it.")
    return _scored_again(challenger, kept)


def _lines_as_answered(shown: Sequence[_Shown]) -> Lines:
    """The champion's rows, as they were answered."""
    by_pass = (list(alike) for _, alike in groupby(shown, key=lambda one: id(one.scored.explanation)))
    passes = [
        lines_of(alike[0].scored.explanation).at(np.array([one.scored.row for one in alike])) for alike in by_pass
    ]
    return Lines(
        np.concatenate([lines.score for lines in passes]),
        np.concatenate([lines.pd for lines in passes]),
        {name: np.concatenate([lines.parts[name] for lines in passes]) for name in passes[0].parts},
    )
