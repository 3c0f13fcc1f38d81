"""A challenger on its way to serving: unseen in the shadow first, then for a share of members."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["BASIS_POINTS", "LEAST_COMPARED", "Rollout", "State", "place_of", "share_in_words"]

State = Literal["shadow", "staged", "ended"]

BASIS_POINTS: Final = 10_000
"""All members; shares are counted in hundredths of a per cent."""

LEAST_COMPARED: Final = 100
"""Answers that a challenger must have been compared on in the shadow before it serves anybody."""

_DIGEST_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Rollout:
    """One step of a roll-out, as it stands in the register.

    Parameters
    ----------
    seq : int
        Place in the register.
    rollout_id : str
        The same from its beginning in the shadow to its end.
    state : {'shadow', 'staged', 'ended'}
    model_id, config_hash : str
        Of the challenger.
    share_basis_points : int
        Of members whom the challenger serves, 0 to 10,000.
    salt : str
        32 hexadecimal digits, the same throughout.
    promotion_seq : int
        Which promotion made the champion of the time; another one ends the roll-out.
    reason : str or None
        Why it ended, in a word.
    changed_at_us : int
        Microseconds since 1970-01-01 UTC.
    actor_id : str
    compared : int or None
        Answers compared in the shadow when the challenger was staged, rounded down to tens; None of other steps, and of
        those that were staged before this was counted.
    least_compared : int or None
        How many whoever staged it asked for; 0 lets anything through.

    Examples
    --------
    >>> step = Rollout(2, "r-1", "staged", "benne/2", "ab" * 32, 10_000, "cd" * 16, 1, None, 0, "ann")
    >>> step.serves("0" * 32), step.as_dict()["share"]
    (True, 1.0)
    """

    seq: int
    rollout_id: str
    state: State
    model_id: str
    config_hash: str
    share_basis_points: int
    salt: str
    promotion_seq: int
    reason: str | None
    changed_at_us: int
    actor_id: str
    compared: int | None = None
    least_compared: int | None = None

    @property
    def stands(self) -> bool:
        """Whether it has not been ended."""
        return self.state != "ended"

    def serves(self, subject_id: str) -> bool:
        """Whether the challenger is to serve a member: the same answer everywhere, and for good as the share grows."""
        return self.state == "staged" and place_of(subject_id, self.salt) < self.share_basis_points

    def as_dict(self) -> dict[str, object]:
        """Without the salt, which is nobody's business."""
        return {
            "rollout_id": self.rollout_id, "state": self.state, "model_id": self.model_id,
            "config_hash": self.config_hash, "share": self.share_basis_points / BASIS_POINTS, "reason": self.reason,
            "changed_at_us": self.changed_at_us, "by": self.actor_id, "compared": self.compared,
            "least_compared": self.least_compared,
        }  # fmt: skip


def place_of(subject_id: str, salt: str) -> int:
    """Where a member stands in a roll-out's order of members, from 0 to 9,999.

    A keyed hash: who comes first in one roll-out says nothing about the next, and nobody can choose to be first.

    Examples
    --------
    >>> place_of("0" * 32, "ab" * 16), place_of("0" * 32, "cd" * 16)
    (2156, 5776)
    """
    digest = hashlib.blake2b(subject_id.encode(), key=salt.encode(), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest, "big") * BASIS_POINTS >> 8 * _DIGEST_BYTES


def share_in_words(basis_points: int) -> str:
    """A share as people write it.

    Examples
    --------
    >>> share_in_words(500), share_in_words(25)
    ('5 %', '0.25 %')
    """
    return f"{basis_points / 100:g} %"
