"""What is kept about a member: its kinds, and one of it before and after it was encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from benne.errors import VaultError

__all__ = [
    "MADE_FROM_MEMBER",
    "PAYLOAD_KINDS",
    "NewPayload",
    "Payload",
    "PayloadKind",
    "validate_kind",
    "validate_subjects",
]

PayloadKind = Literal[
    "features",
    "decision",
    "explanation",
    "report",
    "dispute",
    "statement",
    "notice",
    "idempotent_answer",
    "proof",
    "protected",
]
PAYLOAD_KINDS: Final[tuple[str, ...]] = get_args(PayloadKind)
MADE_FROM_MEMBER: Final = "v"
"""References that are made from a member's id begin so, as none that is drawn does: those are hexadecimal."""

_SUBJECT: Final = re.compile(r"[0-9a-f]{32}")
_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,35}")


@dataclass(frozen=True, slots=True)
class NewPayload:
    """Something to be kept about a member.

    Parameters
    ----------
    payload_ref : str
        By which it is found again, and which the audit chain holds; at most 36 characters, never used before.
    subject_id : str
        32 hexadecimal digits.
    kind : str
        One of :data:`PAYLOAD_KINDS`.
    content : bytes
        Not in ``repr``.
    retention_until_us : int, optional
        Until when it is kept, in microseconds since 1970-01-01 UTC; None for as long as the member is.

    Raises
    ------
    VaultError
        If a field is not of its kind.

    Examples
    --------
    >>> NewPayload("7f1c", "0" * 32, "decision", b"612")
    NewPayload(payload_ref='7f1c', kind='decision', retention_until_us=None)
    >>> NewPayload("7f1c", "anna", "decision", b"612")
    Traceback (most recent call last):
    ...
    benne.errors.VaultError: A subject id must be 32 hexadecimal digits, got something else. ...
    """

    payload_ref: str
    subject_id: str = field(repr=False)
    kind: PayloadKind
    content: bytes = field(repr=False)
    retention_until_us: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.payload_ref, str) or not _REF.fullmatch(self.payload_ref):
            raise VaultError(
                "payload_ref must be a name of letters, digits and any of _.:/- up to 36 characters, "
                "got something else. Pass a new id."
            )
        validate_subjects((self.subject_id,))
        validate_kind(self.kind)
        if not isinstance(self.content, bytes):
            raise VaultError(f"content must be bytes, got {type(self.content).__name__}. Encode it.")
        moment: Any = self.retention_until_us
        if moment is not None and (isinstance(moment, bool) or not isinstance(moment, int) or moment < 0):
            raise VaultError(
                f"retention_until_us must be whole microseconds since 1970, got {type(moment).__name__}. Convert it."
            )


@dataclass(frozen=True, slots=True)
class Payload:
    """Something kept about a member, decrypted.

    Attributes
    ----------
    payload_ref, subject_id, kind : str
    created_at_us : int
        When it was put, in microseconds since 1970-01-01 UTC.
    retention_until_us : int or None
    content : bytes
        Not in ``repr``, nor is whom it is about.
    """

    payload_ref: str
    subject_id: str = field(repr=False)
    kind: PayloadKind
    created_at_us: int
    retention_until_us: int | None
    content: bytes = field(repr=False)


def validate_kind(kind: str) -> None:
    """Refuse a word that is no kind.

    Raises
    ------
    VaultError
    """
    if kind not in PAYLOAD_KINDS:
        raise VaultError(f"A payload's kind must be one of {', '.join(PAYLOAD_KINDS)}, got another. Name one of these.")


def validate_subjects(subject_ids: tuple[str, ...]) -> None:
    """Refuse what is no subject id: a raw id must never reach the store.

    Raises
    ------
    VaultError
    """
    for subject_id in subject_ids:
        if not isinstance(subject_id, str) or not _SUBJECT.fullmatch(subject_id):
            raise VaultError("A subject id must be 32 hexadecimal digits, got something else. Key the raw id first.")
