"""Why a score is not higher: at most four reasons by a declared method, and at most four key factors."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from benne.errors import ParameterError
from benne.models.scale import SCORE_MAX, SCORE_MIN

__all__ = ["MOST_REASONS", "SMALLEST_EFFECT", "KeyFactor", "Method", "Reason", "Reasons"]

MOST_REASONS: Final = 4
"""Of reasons, and of key factors."""

SMALLEST_EFFECT: Final = 0.5
"""Points that an effect must be above: no more would be shown as 0, and is no reason."""


@dataclass(frozen=True, slots=True)
class Method:
    """Whom a member is compared with.

    Parameters
    ----------
    against : {'everybody', 'just_above'}
        All members of the reference sample, or those just above a mark.
    mark : float, optional
        The pass mark, 350 to 950; for ``just_above``, and only for it.

    Raises
    ------
    ParameterError
        If it is no such method.

    Notes
    -----
    Just above are the members up to :data:`benne.models.reference_sample.JUST_ABOVE` points above the mark, and fifty
    at least: what is kept of the reference sample are means over so many, see
    :meth:`benne.models.reference_sample.ReferenceSample.average_points`.

    Examples
    --------
    >>> Method("just_above", 650.0).as_dict()
    {'against': 'just_above', 'mark': 650.0}
    >>> Method("everybody", 650.0)
    Traceback (most recent call last):
    ...
    benne.errors.ParameterError: A method against everybody must have no mark, got one. Leave it out.
    """

    against: Literal["everybody", "just_above"]
    mark: float | None = None

    def __post_init__(self) -> None:
        if self.against not in ("everybody", "just_above"):
            raise ParameterError("A method must be against everybody or just_above, got another. Take one of these.")
        if self.against == "everybody" and self.mark is not None:
            raise ParameterError("A method against everybody must have no mark, got one. Leave it out.")
        if self.against == "just_above" and not _is_score(self.mark):
            raise ParameterError(
                f"A method against those just above a mark must have one within {SCORE_MIN:.0f} to {SCORE_MAX:.0f}, "
                f"got {self.mark!r}. Pass the pass mark."
            )
        if self.mark is not None and not isinstance(self.mark, int | float):
            object.__setattr__(self, "mark", float(self.mark))  # a number of numpy's, which JSON does not know

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause of points that others have and this member has not.

    Attributes
    ----------
    code : str
        Stable name of the reason group; of a feature that is not registered, its own.
    feature : str
        The one of the group that falls furthest short.
    rank : int
        1 for the strongest.
    effect : float
        Points by which the score would rise were nothing known of the group; above 0.5.
    shortfall : float
        Points of the group that the members compared with have on average and this one has not; positive.
    known : bool
        Whether the feature has a value; if not, nothing may be claimed of one.
    """

    code: str
    feature: str
    rank: int
    effect: float
    shortfall: float
    known: bool = True


@dataclass(frozen=True, slots=True)
class KeyFactor:
    """What most takes from the score, whoever one is compared with; attributes as of :class:`Reason`.

    ``feature`` is the one of the group with fewest points.
    """

    code: str
    feature: str
    rank: int
    effect: float
    known: bool = True

    def as_told(self) -> dict[str, str | int]:
        """What may be told to others than the member: neither a value nor points."""
        return {"code": self.code, "feature": self.feature, "rank": self.rank}


@dataclass(frozen=True, slots=True, repr=False)
class Reasons:
    """Why one score is not higher.

    Attributes
    ----------
    method : Method
    reference_hash : str
        SHA-256 of the feature rows of the reference sample.
    reference_members : int
        How many members the averages are over, fifty or more.
    reasons : tuple of Reason
        At most four, by effect; empty where nothing falls short and has an adverse effect.
    key_factors : tuple of KeyFactor
        At most four, by effect alone.
    held_at_end : bool
        Whether the score is held at 350 or 950; then effects are on the score before that, and the score may stay.
    """

    method: Method
    reference_hash: str
    reference_members: int
    reasons: tuple[Reason, ...]
    key_factors: tuple[KeyFactor, ...]
    held_at_end: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "method": self.method.as_dict(),
            "reference_hash": self.reference_hash,
            "reference_members": self.reference_members,
            "reasons": [asdict(reason) for reason in self.reasons],
            "key_factors": [asdict(factor) for factor in self.key_factors],
            "held_at_end": self.held_at_end,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """What :meth:`as_dict` gave, as it was."""
        return cls(
            method=Method(**plain["method"]),
            reference_hash=plain["reference_hash"],
            reference_members=plain["reference_members"],
            reasons=tuple(Reason(**reason) for reason in plain["reasons"]),
            key_factors=tuple(KeyFactor(**factor) for factor in plain["key_factors"]),
            held_at_end=plain["held_at_end"],
        )


def _is_score(mark: object) -> bool:
    if not isinstance(mark, numbers.Real) or isinstance(mark, bool):
        return False
    return math.isfinite(mark) and SCORE_MIN <= float(mark) <= SCORE_MAX
