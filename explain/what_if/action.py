"""An action as data: its name, its parameters within declared limits, when it applies, and what it lets happen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Literal, Self

from benne.errors import WhatIfNotPossible
from benne.explain.what_if.ahead import Ahead
from benne.features.events.tables import MAXIMUM_AMOUNT

__all__ = ["AMOUNTS", "GAMING", "Action", "Limits"]

Limits = tuple[int, int] | tuple[str, ...] | tuple[Literal[False], Literal[True]]
"""Least and most of a whole number, or the words it may be, or yes and no."""

AMOUNTS: Final = (1, MAXIMUM_AMOUNT)
GAMING: Final = ("low", "medium", "high")


@dataclass(frozen=True)
class Action(ABC):
    """Something a member can do.

    Attributes
    ----------
    name : str
        What it is called in the interface.
    limits : mapping of str to Limits
        Of each parameter.
    table : str
        Without rows of this event table on the platform it means nothing.
    effort : int
        1 (a few minutes) to 5 (months of saving); what is suggested first costs least.
    gaming : {'low', 'medium', 'high'}
        How easily it is done without a change in creditworthiness.
    alone : bool
        Whether it lies in the member's own hands and its extent follows from what is known, so that it may be
        suggested. What rests on facts that nobody has told (another income) can be tried, and is never suggested.
    """

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, Limits]] = {}
    table: ClassVar[str]
    effort: ClassVar[int]
    gaming: ClassVar[Literal["low", "medium", "high"]]
    alone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse a parameter beyond its limits."""
        for parameter in fields(self):
            allowed = self.limits[parameter.name]
            if not _within(getattr(self, parameter.name), allowed):
                raise WhatIfNotPossible(
                    f"{parameter.name} of {self.name} must be {_in_words(allowed)}, got something else. Change it."
                )

    @classmethod
    @abstractmethod
    def offers(cls, ahead: Ahead) -> Iterator[Self]:
        """The action as it may be offered to this member, the mildest first; nothing where it does not apply."""

    @abstractmethod
    def carry_out(self, ahead: Ahead) -> None:
        """Let happen what it says."""

    @property
    def subject(self) -> str:
        """What it is about: two actions of the same name and subject contradict each other."""
        return ""

    def applies(self, ahead: Ahead) -> bool:
        """Whether there is anything for it to change; asked of the baseline."""
        return self.table in ahead.visible and any(True for _ in type(self).offers(ahead))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as :func:`benne.explain.what_if.action_of` takes them."""
        return {"action": self.name, **{one.name: getattr(self, one.name) for one in fields(self)}}


def _within(value: object, allowed: Limits) -> bool:
    if isinstance(allowed[0], bool):
        return isinstance(value, bool)
    if isinstance(allowed[0], str):
        return value in allowed
    return isinstance(value, int) and not isinstance(value, bool) and allowed[0] <= value <= int(allowed[1])


def _in_words(allowed: Limits) -> str:
    if isinstance(allowed[0], bool):
        return "true or false"
    if isinstance(allowed[0], str):
        return f"one of {', '.join(map(str, allowed))}"
    return f"a whole number from {allowed[0]} to {allowed[1]}"
