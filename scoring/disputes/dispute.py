"""What is disputed, and what a dispute looks like to whom it concerns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from benne.errors import RightsError
from benne.explain.texts import LANGUAGES, Language
from benne.scoring.rights.case import RightsCase
from benne.scoring.rights.rows import CaseEvent
from benne.scoring.rights.words import free_text

__all__ = ["ANSWERED", "OPEN", "TOPICS", "Answer", "Dispute", "Disputed", "Topic"]

Topic = Literal["decision", "feature", "adverse_item", "personal_data"]
TOPICS: Final[tuple[str, ...]] = get_args(Topic)
OPEN: Final = ("opened", "looked_into")
ANSWERED: Final = ("corrected", "not_corrected", "closed")

_FEATURE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """What a member says is wrong.

    Parameters
    ----------
    topic : {'decision', 'feature', 'adverse_item', 'personal_data'}
    text : str
        In their own words; not in ``repr``.
    decision_id : str, optional
        Given for topic ``decision``; for the others, where they saw it.
    feature : str, optional
        Given for topic ``feature``: whose value in an explanation is wrong.
    language : {'en', 'zh'}, default='en'
        In which they are answered.

    Raises
    ------
    RightsError
        If a field is not of its kind, or does not go with the topic.

    Examples
    --------
    >>> Disputed(topic="personal_data", text="I moved in May.")
    Disputed(topic='personal_data', language='en')
    >>> Disputed(topic="decision", text="It is wrong.")
    Traceback (most recent call last):
    ...
    benne.errors.RightsError: A dispute about a decision must name it, got no decision_id. Take it from the answer.
    """

    topic: Topic
    text: str = field(repr=False)
    decision_id: str | None = field(default=None, repr=False)
    feature: str | None = field(default=None, repr=False)
    language: Language = "en"

    def __post_init__(self) -> None:
        if self.topic not in TOPICS:
            raise RightsError(f"A dispute must be about one of {', '.join(TOPICS)}, got another. Name one of these.")
        if self.language not in LANGUAGES:
            raise RightsError(f"A language must be one of {', '.join(LANGUAGES)}, got another. Take one of these.")
        if self.topic == "decision" and self.decision_id is None:
            raise RightsError("A dispute about a decision must name it, got no decision_id. Take it from the answer.")
        if (self.topic == "feature") != (self.feature is not None):
            raise RightsError("feature must be given exactly for topic feature, got it otherwise. Give or drop it.")
        if self.feature is not None and not _FEATURE.fullmatch(self.feature):
            raise RightsError("feature must be a feature's name, got something else. Take it from the explanation.")
        object.__setattr__(self, "text", free_text(self.text, "A dispute"))

    def as_said(self) -> dict[str, Any]:
        """As it goes into the vault."""
        return {"said": "dispute", "text": self.text, "feature": self.feature, "language": self.language}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a dispute.

    Parameters
    ----------
    outcome : {'corrected', 'not_corrected'}
    text : str
        To the member, in writing; not in ``repr``.
    rows : dict of str to list of dict, optional
        With ``corrected``, where the service computes features from events: what is to be appended, by event table, in
        the platform's own form, all about this member. Not in ``repr``.
    """

    outcome: Literal["corrected", "not_corrected"]
    text: str = field(repr=False)
    rows: dict[str, list[dict[str, Any]]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.outcome not in ("corrected", "not_corrected"):
            raise RightsError("An outcome must be corrected or not_corrected, got another. Name one of these.")
        if self.rows is not None and self.outcome != "corrected":
            raise RightsError("rows must be given with outcome corrected alone, got them without. Drop them.")
        object.__setattr__(self, "text", free_text(self.text, "An answer"))


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute with what was said, for its member and for staff.

    Attributes
    ----------
    case : RightsCase
    said : dict
        The member's words, the feature, the language; and under ``statement`` what they added. Not in ``repr``.
    timeline : tuple of CaseEvent
    """

    case: RightsCase
    said: dict[str, Any] = field(repr=False)
    timeline: tuple[CaseEvent, ...]
