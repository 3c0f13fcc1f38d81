"""What a score of Benne is for, and what it must never be used for."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["uses_table"]

_INTENDED: Final = (
    ("lending, checkout credit, rental", "Part of a decision about credit or a tenancy, with a person's review where "
     "the policy lets much rest on it."),
    ("deposit waiver, fast lane", "A benefit at a threshold: it may waive or speed up. Whoever has no consent or no "
     "score goes the ordinary way."),
    ("own report", "A member's look at their own score, what it is made of, and what would change it."),
)  # fmt: skip

_BANNED: Final = (
    ("anything without the member's consent", "Without it for purpose, recipient and category: no score (C1, A1)."),
    ("refusing anything outside lending and rental", "Outside them a score may benefit and never refuse (A2)."),
    ("the social category for credit in the EU", "Under the profile eu it is never read for credit (A3)."),
    ("lists, punishment, other contexts", "Restrictions in contexts that have nothing to do with credit (A2)."),
    ("bulk export to third parties", "One disclosure that a law compels is on record, one by one (A4)."),
    ("members under 18", "They are not scored (C10)."),
    ("deciding alone without review", "Strong or sole reliance needs a way to a person's review (X9)."),
)  # fmt: skip


def uses_table() -> list[dict[str, Any]]:
    """One line per use: whether it is ``intended`` or ``banned``, what it is, and its terms."""
    return [
        {"use": kind, "what": what, "terms": terms}
        for kind, lines in (("intended", _INTENDED), ("banned", _BANNED))
        for what, terms in lines
    ]
