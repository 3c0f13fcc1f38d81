"""A challenger that serves its share of members, and steps back by itself where it keeps failing."""

from __future__ import annotations

import logging
import threading
from typing import Final

from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.rollout import Rollout

__all__ = ["MOST_FAILURES", "StagedChallenger"]

_log = logging.getLogger(__name__)

MOST_FAILURES: Final = 5
"""Passes in which the challenger may fail in one process; with the last of them it serves nobody any more."""


class StagedChallenger:
    """See :class:`benne.scoring.decisions.served_model.Challenger`.

    Parameters
    ----------
    rollout : Rollout
    served : ServedModel
        The challenger.
    counts : LiveCounts
    failures : int, default=0
        In this process so far, in an earlier step of the same roll-out.
    """

    def __init__(self, rollout: Rollout, served: ServedModel, counts: LiveCounts, failures: int = 0) -> None:
        self._rollout = rollout
        self._served = served
        self._counts = counts
        self._failures = failures
        self._alone = threading.Lock()

    @property
    def rollout(self) -> Rollout:
        """As it stood when this was made."""
        return self._rollout

    @property
    def served(self) -> ServedModel:
        """The challenger."""
        return self._served

    @property
    def failures(self) -> int:
        """Passes in which it failed in this process."""
        return self._failures

    @property
    def exhausted(self) -> bool:
        """Whether it has failed too often to go on."""
        return self._failures >= MOST_FAILURES

    def serves(self, subject_id: str) -> bool:
        """Whether it is to serve a member."""
        return not self.exhausted and self._rollout.serves(subject_id)

    def failed(self, error: Exception) -> None:
        """It raised where the champion now answers; only the error's class is told, for its text may quote a row."""
        with self._alone:
            self._failures += 1
        self._counts.add(self._rollout.rollout_id, "staged.failed", 0)
        _log.error("the challenger failed (%s), and the champion answered", type(error).__name__)

    def gave_way(self, members: int) -> None:
        """It refused so many members, of whom the champion was then asked."""
        self._counts.add(self._rollout.rollout_id, "staged.gave_way", 0, n=members)
