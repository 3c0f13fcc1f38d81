"""Proofs that were shown already: the recipient keeps their ids until they end, so that none counts twice."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Final

from benne.errors import ProofRejected
from benne.scoring.proof.verifying import LEEWAY, Proof

__all__ = ["SeenProofs"]

_MOST: Final = 100_000


class SeenProofs:
    """Remembers ids in memory, for one process; several share a table with a unique key instead.

    Parameters
    ----------
    most : int, default=100000
        Proofs that hold at a time at most. Beyond, every further one is refused: forgetting one would let it count
        again.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._until: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()

    def accept(self, proof: Proof, now: datetime) -> None:
        """Count a verified proof, the first time it is shown.

        Raises
        ------
        ProofRejected
            If it was shown before, or too many are remembered.
        """
        shown = (proof.issuer, proof.jti)
        with self._lock:
            if shown in self._until:
                raise ProofRejected("A proof must be shown once, got it again. Ask for a new one.")
            if len(self._until) >= self._most:
                self._forget(now)
            if len(self._until) >= self._most:
                raise ProofRejected(f"At most {self._most:,} proofs may hold at a time, got more. Try again later.")
            self._until[shown] = proof.expires_at + LEEWAY

    def __len__(self) -> int:
        """How many are remembered, some of them over already."""
        return len(self._until)

    def _forget(self, now: datetime) -> None:
        self._until = {shown: until for shown, until in self._until.items() if until > now}
