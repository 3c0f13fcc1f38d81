"""What people write in their own words: kept as it was written, in the vault, and never empty or endless."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Final

from benne.errors import RightsError

__all__ = ["LONGEST", "decoded", "encoded", "free_text"]

LONGEST: Final = 4_000
"""Characters of one text."""

_LINES: Final = "\n\t"


def free_text(text: object, what: str) -> str:
    """A text as it was written; line breaks of other systems become ours.

    Parameters
    ----------
    text : str
    what : str
        What it is, for the error, such as ``A statement``.

    Raises
    ------
    RightsError
        If it is empty or longer than :data:`LONGEST` characters, or holds what cannot be written.

    Examples
    --------
    >>> free_text(" The loan was repaid.\\r\\n", "A dispute")
    'The loan was repaid.'
    >>> free_text("   ", "A dispute")
    Traceback (most recent call last):
    ...
    benne.errors.RightsError: A dispute must say something in up to 4000 characters, got nothing. Write it in words.
    """
    if not isinstance(text, str):
        raise _not(what, f"a {type(text).__name__}")
    said = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not said:
        raise _not(what, "nothing")
    if len(said) > LONGEST:
        raise _not(what, "more")
    # Cc: control characters, Cs: halves of a pair, which no encoding takes. Directions (Cf) belong to some scripts.
    if any(sign not in _LINES and unicodedata.category(sign) in ("Cc", "Cs") for sign in said):
        raise _not(what, "signs that cannot be written")
    return said


def encoded(content: dict[str, Any]) -> bytes:
    """As it goes into the vault."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decoded(content: bytes) -> dict[str, Any]:
    """As it comes out of the vault."""
    found: dict[str, Any] = json.loads(content)
    return found


def _not(what: str, got: str) -> RightsError:
    return RightsError(f"{what} must say something in up to {LONGEST} characters, got {got}. Write it in words.")
