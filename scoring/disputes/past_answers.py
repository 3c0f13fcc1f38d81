"""Answers that rested on what was wrong: who was told what, within the look-back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from benne.errors import BenneError, VaultError
from benne.scoring.consent.moments import from_microseconds, to_microseconds
from benne.scoring.decisions.kept import KeptDecision
from benne.scoring.jurisdictions import Limit
from benne.scoring.members.proving import OWN_PURPOSE, SELF
from benne.scoring.policy import Asked
from benne.scoring.store.vault import MemberVault, Payload

__all__ = ["LOOK_BACK", "PastAnswer", "past_answers"]

LOOK_BACK: Final = Limit(months=24)
"""How far back recipients are told; as long as employers must be by FCRA 611(d), which is the longest we know of."""


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """A question somebody asked, and every decision it had within the look-back.

    Attributes
    ----------
    asked : Asked
    decisions : tuple of str
        Oldest first.
    """

    asked: Asked
    decisions: tuple[str, ...]

    @property
    def newest(self) -> str:
        """The decision that was told last."""
        return self.decisions[-1]


def past_answers(connection: Connection, vault: MemberVault, subject_id: str, before_us: int) -> list[PastAnswer]:
    """Questions about a member that were answered before a moment; the same question is one, whoever's clerk asked.

    What a member asked about themselves is nobody else's; what the platform asked about them for a purpose of its own
    counts as anybody's question does.

    Raises
    ------
    VaultError
        If one cannot be read: nobody would know whom to tell.
    """
    oldest_us = to_microseconds(_back(before_us), "The look-back")
    found: dict[str, tuple[Asked, list[str]]] = {}
    for payload in _decisions(connection, vault, subject_id):
        if not oldest_us <= payload.created_at_us < before_us:
            continue
        asked = _asked(KeptDecision.from_bytes(payload.content).asked)
        if (asked.recipient, asked.purpose) != (SELF, OWN_PURPOSE):  # what the platform lends by is another question
            key = json.dumps([getattr(asked, name) for name in Asked.__dataclass_fields__])
            found.setdefault(key, (asked, []))[1].append(payload.payload_ref)
    return [PastAnswer(asked, tuple(decisions)) for asked, decisions in found.values()]


def _decisions(connection: Connection, vault: MemberVault, subject_id: str) -> Iterator[Payload]:
    def unreadable(_: str, error: BenneError) -> None:
        raise VaultError(
            "Past decisions must be readable to tell who had them, got one damaged. Restore it."
        ) from error

    return (one for one in vault.everything(connection, subject_id, damaged=unreadable) if one.kind == "decision")


def _asked(plain: dict[str, Any]) -> Asked:
    return Asked(**{name: plain.get(name) for name in Asked.__dataclass_fields__})


def _back(moment_us: int) -> Any:
    moment = from_microseconds(moment_us)
    years, month = divmod(moment.year * 12 + moment.month - 1 - LOOK_BACK.months, 12)
    return moment.replace(year=years, month=month + 1, day=min(moment.day, 28))
