"""Refusals of governance as the audit chain words them: whoever tried is on record too."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benne.errors import GatesChanged, GovernanceError, NotIndependent, NotValidated, PromotionConflict

__all__ = ["RECORDED", "Refused", "word_for"]

Refused = (NotValidated, NotIndependent, GatesChanged, PromotionConflict)
"""What is put on record before it is raised on."""

RECORDED: Final[Mapping[type[GovernanceError], str]] = MappingProxyType(
    {
        NotValidated: "not_validated",
        NotIndependent: "not_independent",
        GatesChanged: "gates_changed",
        PromotionConflict: "changed_meanwhile",
    }
)
"""The word for each."""


def word_for(error: GovernanceError) -> str:
    """The word for a refusal.

    Examples
    --------
    >>> word_for(PromotionConflict("somebody else was faster"))
    'changed_meanwhile'
    """
    return next(word for kind, word in RECORDED.items() if isinstance(error, kind))
