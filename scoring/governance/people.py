"""Who made a model, who validated it, who approved gates: names, and whether two of them are one person's."""

from __future__ import annotations

import re
from typing import Final

from benne.errors import GovernanceError, NotIndependent

__all__ = ["named", "require_gates_of_another", "require_independent", "same_person"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


def named(name: str | None, who: str) -> str:
    """A name as the audit chain can hold it, without blanks around it.

    Parameters
    ----------
    name : str or None
    who : str
        Whose it is, for the message.

    Raises
    ------
    GovernanceError
        If there is none, or it is not letters, digits and any of ``_.:/-``.

    Examples
    --------
    >>> named(" ann ", "The author")
    'ann'
    >>> named("Ann Example", "The author")
    Traceback (most recent call last):
    ...
    benne.errors.GovernanceError: The author must be a name of up to 64 letters, digits and any of _.:/- ...
    """
    stripped = (name or "").strip()
    if not _NAME.fullmatch(stripped):
        raise GovernanceError(
            f"{who} must be a name of up to 64 letters, digits and any of _.:/- without blanks, got "
            f"{'none' if not stripped else 'something else'}. Name whoever it is, as their login does."
        )
    return stripped


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: blanks around them and capitals make no difference.

    Examples
    --------
    >>> same_person("Ann ", "ann"), same_person("ann", "bob")
    (True, False)
    """
    return one.strip().casefold() == other.strip().casefold()


def require_independent(author: str, validator: str) -> None:
    """Refuse a validator who made the model.

    Raises
    ------
    NotIndependent
    """
    if same_person(author, validator):
        raise NotIndependent(
            f"A model must be validated by somebody other than its author, got {validator} for both. "
            "Have somebody else validate it."
        )


def require_gates_of_another(author: str, approver: str) -> None:
    """Refuse gates that whoever made the model approved: nobody says what their own model must show.

    Raises
    ------
    NotIndependent
    """
    if same_person(author, approver):
        raise NotIndependent(
            f"Gates must be approved by somebody other than the author of the model, got {approver} for both. "
            "Have somebody else declare gates, and train anew under them."
        )
