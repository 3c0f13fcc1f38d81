"""How rows of other institutions are told from one's own, and from one another's."""

from __future__ import annotations

from typing import Final

__all__ = ["IMPORTED_PREFIX", "id_prefix", "source_name"]

IMPORTED_PREFIX: Final = "interchange:"
"""Begins the ``source`` and the ids of every imported row, and of no other."""


def source_name(institution: str) -> str:
    """What stands in ``source``.

    Examples
    --------
    >>> source_name("inst-a")
    'interchange:inst-a'
    """
    return f"{IMPORTED_PREFIX}{institution}"


def id_prefix(institution: str) -> str:
    """What stands before an id of another institution; institution ids have no colon, so nothing collides.

    Examples
    --------
    >>> id_prefix("inst-a") + "4f2a"
    'interchange:inst-a:4f2a'
    """
    return f"{source_name(institution)}:"
