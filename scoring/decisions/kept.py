"""What is kept of a decision, encrypted under the member's key: enough to come to the same score and reasons again.

The content is JSON; features are float64 in little-endian order, so that not a bit is lost.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benne.errors import DecisionUnknown
from benne.explain.reasons import KeyFactor
from benne.features.categories import CATEGORIES
from benne.models import Explanation

__all__ = ["KeptDecision", "reasons_content"]

_SCHEMA_VERSION: Final = 1
_FLOATS: Final = "<f8"
_ENCODE: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KeptDecision:
    """A decision as it is kept.

    Attributes
    ----------
    decision_id, model_id, config_hash, policy_version : str
    asked : dict
        Recipient, purpose, context, reliance, granularity, threshold, benefit; of a benefit also its ``mark``.
    as_of_us : int
    values : ndarray of float64, shape (features,)
        In the model's order; NaN where null or withheld.
    withheld : frozenset of str
        Categories that did not enter.
    answer : dict
        What the recipient was told.
    """

    decision_id: str
    model_id: str
    config_hash: str
    policy_version: str
    asked: dict[str, Any]
    as_of_us: int
    values: npt.NDArray[np.float64]
    withheld: frozenset[str]
    answer: dict[str, Any]

    def to_bytes(self) -> bytes:
        """As it goes into the vault."""
        return _ENCODE({**self._inputs(), "answer": self.answer}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> KeptDecision:
        """Read it again.

        Raises
        ------
        DecisionUnknown
            If it was written by a newer Benne.
        """
        found = json.loads(content)
        if found.pop("schema_version") != _SCHEMA_VERSION:
            raise DecisionUnknown("A kept decision must be of this Benne's form, got another. Upgrade Benne.")
        found["values"] = np.frombuffer(base64.b64decode(found["values"]), dtype=_FLOATS).astype(np.float64)
        found["withheld"] = frozenset(found["withheld"])
        return cls(**found)

    def input_content(self) -> bytes:
        """What the score was made from, as it is digested."""
        return _ENCODE(self._inputs()).encode()

    def answer_content(self) -> bytes:
        """What was told, as it is digested."""
        return _ENCODE(self.answer).encode()

    @property
    def mark(self) -> int | None:
        """The pass mark that was asked about: a threshold, or the one of a benefit as it was then."""
        mark: int | None = self.asked.get("mark", self.asked["threshold"])
        return mark

    @property
    def tells_key_factors(self) -> bool:
        """Whether key factors were told."""
        return "key_factors" in self.answer

    def with_score(
        self, score: float, band: str, key_factors: Sequence[KeyFactor] = (), uncertain: Sequence[str] = ()
    ) -> KeptDecision:
        """The same decision, had it been told from this score, this band, these key factors and this uncertainty."""
        told: dict[str, Any] = {
            "score": None if self.answer["score"] is None else score,
            "band": None if self.answer["band"] is None else band,
        }
        if self.tells_key_factors:
            told["key_factors"] = [factor.as_told() for factor in key_factors]
        if "uncertain" in self.answer:
            told["uncertain"] = list(uncertain)
        return replace(self, answer={**self.answer, **told})

    def _inputs(self) -> dict[str, Any]:
        return {
            "schema_version": _SCHEMA_VERSION,
            "decision_id": self.decision_id,
            "model_id": self.model_id,
            "config_hash": self.config_hash,
            "policy_version": self.policy_version,
            "asked": self.asked,
            "as_of_us": self.as_of_us,
            "values": base64.b64encode(self.values.astype(_FLOATS).tobytes()).decode(),
            "withheld": [category for category in CATEGORIES if category in self.withheld],
        }


def reasons_content(explanation: Explanation, row: int) -> bytes:
    """Score, base, clipping and the points of every feature of one row, bit for bit, as they are digested."""
    parts = (
        explanation.score[row : row + 1],
        explanation.base[row : row + 1],
        explanation.clipped[row : row + 1],
        explanation.points.to_numpy()[row],
    )
    return np.concatenate(parts).astype(_FLOATS).tobytes()
