"""What is said where nobody at all could be scored."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NoReturn

from benne.errors import ConsentRequired, InsufficientEvidence
from benne.scoring.batch.unscorable import STRANGE, THIN

__all__ = ["refuse_all"]

_LATER: Final = "consent-given-later"


def refuse_all(reasons: Collection[str]) -> NoReturn:
    """Raise for want of what most are refused for; there is no table of nobody.

    Raises
    ------
    InsufficientEvidence
        If somebody consents, and nobody's file holds enough.
    ConsentRequired
        If nobody consents.
    """
    told = ", ".join(sorted(set(reasons))) or "an empty frame"
    if set(reasons) & {THIN, STRANGE}:
        raise InsufficientEvidence(f"A score must rest on enough that is known, got {told}. No score was given.")
    if _LATER in reasons:
        others = "" if told == _LATER else f" ({told})"
        raise ConsentRequired(
            f"A score must rest on consent that stood at the moment the features are of, got none{others}: "
            "who consents now did so later. Build features of a later as_of: benne features build --as-of"
        )
    raise ConsentRequired(f"A score must rest on active consent, got {told}. No score was given; ask the members.")
