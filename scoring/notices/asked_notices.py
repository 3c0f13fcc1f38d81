"""Notices as they are asked for: what happened that somebody must be told of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, get_args

from benne.errors import RightsError
from benne.explain.texts import LANGUAGES, Language
from benne.explain.texts.plain_words import vague_in
from benne.scoring.notices.kinds import ACTIONS, LEGAL_BASES, ActionTaken, LegalBasis
from benne.scoring.rights.words import free_text

__all__ = [
    "PARTS",
    "AdverseAction",
    "CompelledDisclosure",
    "CounterOffer",
    "ItemKind",
    "Part",
    "PriorItem",
    "Withheld",
    "require_language",
    "specific",
]

CounterOffer = Literal["none", "made", "declined", "accepted"]
ItemKind = Literal["default", "write_off", "collection"]
Part = Literal["points", "reasons", "reference", "other_people"]
PARTS: Final[tuple[str, ...]] = get_args(Part)

_MOST_REASONS: Final = 4
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseAction:
    """A recipient did not give a member what they asked for, and a score had a part in it.

    Parameters
    ----------
    decision_id : str
    action_taken : str
        One of :data:`benne.scoring.notices.kinds.ACTIONS`.
    counter_offer : {'none', 'made', 'declined', 'accepted'}, default='none'
        ``made``: another offer is open, and the notice waits for what becomes of it.
    own_reasons : tuple of str
        Up to four of the recipient's own, each specific; they stand in place of the score's. Not in ``repr``.
    language : {'en', 'zh'}, default='en'

    Raises
    ------
    RightsError
        If a field is not of its kind, or a reason says nothing.

    Examples
    --------
    >>> AdverseAction(decision_id="7f1c", action_taken="refused").counter_offer
    'none'
    >>> AdverseAction(decision_id="7f1c", action_taken="refused", own_reasons=("Score too low",))
    Traceback (most recent call last):
    ...
    benne.errors.RightsError: A reason must be specific, got one that names no fact. Say what the fact is.
    """

    decision_id: str
    action_taken: ActionTaken
    counter_offer: CounterOffer = "none"
    own_reasons: tuple[str, ...] = field(default=(), repr=False)
    language: Language = "en"

    def __post_init__(self) -> None:
        _one_of("action_taken", self.action_taken, ACTIONS)
        _one_of("counter_offer", self.counter_offer, get_args(CounterOffer))
        _one_of("language", self.language, LANGUAGES)
        object.__setattr__(self, "own_reasons", specific(self.own_reasons, self.language))


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorItem:
    """An adverse item that is about to be listed.

    Parameters
    ----------
    item_id : str
        As the platform knows it. Not in ``repr``.
    kind : {'default', 'write_off', 'collection'}
    source : str
        Who reported it.
    listed_from : datetime
        With a time zone.
    language : {'en', 'zh'}, default='en'
    """

    item_id: str = field(repr=False)
    kind: ItemKind
    source: str = field(repr=False)
    listed_from: datetime
    language: Language = "en"

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, get_args(ItemKind))
        _one_of("language", self.language, LANGUAGES)
        object.__setattr__(self, "item_id", _name(self.item_id, "item_id"))
        object.__setattr__(self, "source", _name(self.source, "source"))
        if self.listed_from.tzinfo is None:
            raise RightsError("listed_from must have a time zone, got none. Attach one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Part of an explanation that its member is not shown, for a reason that can be reviewed.

    Parameters
    ----------
    decision_id : str
    part : {'points', 'reasons', 'reference', 'other_people'}
    text : str
        Why; not in ``repr``.
    language : {'en', 'zh'}, default='en'
    """

    decision_id: str
    part: Part
    text: str = field(repr=False)
    language: Language = "en"

    def __post_init__(self) -> None:
        _one_of("part", self.part, PARTS)
        _one_of("language", self.language, LANGUAGES)
        object.__setattr__(self, "text", free_text(self.text, "A reason to withhold"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompelledDisclosure:
    """A disclosure that a law compelled.

    Parameters
    ----------
    legal_basis : str
        One of :data:`benne.scoring.notices.kinds.LEGAL_BASES`.
    reference : str
        Of the order or case, such as ``2026-AZ-117``.
    authority, scope : str
        To whom, and what; not in ``repr``.
    disclosed_at : datetime
    barred_until : datetime, optional
        Until when the law forbids to tell the member.
    language : {'en', 'zh'}, default='en'
    """

    legal_basis: LegalBasis
    reference: str = field(repr=False)
    authority: str = field(repr=False)
    scope: str = field(repr=False)
    disclosed_at: datetime
    barred_until: datetime | None = None
    language: Language = "en"

    def __post_init__(self) -> None:
        _one_of("legal_basis", self.legal_basis, LEGAL_BASES)
        _one_of("language", self.language, LANGUAGES)
        if not isinstance(self.reference, str) or not _REFERENCE.fullmatch(self.reference):
            raise RightsError(
                "reference must be a name of letters, digits and any of _.:/- up to 64 characters, got something else. "
                "Give the number of the case, never free text."
            )
        object.__setattr__(self, "authority", _name(self.authority, "authority"))
        object.__setattr__(self, "scope", free_text(self.scope, "A scope"))
        for moment in (self.disclosed_at, self.barred_until):
            if moment is not None and moment.tzinfo is None:
                raise RightsError("A moment of a disclosure must have a time zone, got none. Attach one.")


def specific(reasons: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Reasons in somebody's own words, each of which names a fact.

    Raises
    ------
    RightsError
        If there are more than four, or one says nothing specific.
    """
    if len(reasons) > _MOST_REASONS:
        raise RightsError(f"Reasons must be at most {_MOST_REASONS}, got more. Give those that weigh most.")
    said = tuple(free_text(one, "A reason") for one in reasons)
    if any(list(vague_in(language, one)) for one in said):
        raise RightsError("A reason must be specific, got one that names no fact. Say what the fact is.")
    return said


def require_language(language: str) -> None:
    """Refuse a language that there are no texts of.

    Raises
    ------
    RightsError
    """
    _one_of("language", language, LANGUAGES)


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RightsError(f"{name} must be one of {', '.join(allowed)}, got another. Name one of these.")


def _name(value: str, name: str) -> str:
    said = free_text(value, name)
    if len(said) > _LONGEST_NAME or "\n" in said:
        raise RightsError(f"{name} must be one line of up to {_LONGEST_NAME} characters, got more. Shorten it.")
    return said
