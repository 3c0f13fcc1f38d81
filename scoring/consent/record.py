"""Consent as it is asked for, given and kept: frozen, typed and validated on construction."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from benne.errors import ConsentRecordError
from benne.features.categories import ABILITY, CATEGORIES, CREDIT_HISTORY
from benne.scoring.consent import vocabulary as words
from benne.scoring.consent.vocabulary import (
    CaptureChannel,
    CaptureMethod,
    CollectionMethod,
    ConsentType,
    Entity,
    Granularity,
    Jurisdiction,
    LawfulBasis,
    Necessity,
    Purpose,
    PurposeClass,
    Reliance,
    State,
)

__all__ = [
    "Capture",
    "ConsentEvent",
    "ConsentRecord",
    "ConsentRequest",
    "ConsentTerms",
    "Notice",
    "NoticeRef",
    "validate_name",
    "validate_subject_id",
]

SCHEMA_VERSION: Final = 1
ADULT: Final = 18
"""Years. Whatever a jurisdiction says, nobody younger is scored."""

_SUBJECT_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_REQUIRED = frozenset({CREDIT_HISTORY, ABILITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRef:
    """Which exact text a member saw.

    Attributes
    ----------
    notice_id, version, language : str
        ``language`` is a BCP 47 tag.
    hash : str
        SHA-256 of the text as UTF-8, in hexadecimal.
    """

    notice_id: str
    version: str
    language: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A consent text as it is shown, kept whole so that it can be shown again.

    Raises
    ------
    ConsentRecordError
        If the text or a name is empty, or the jurisdiction is unknown.
    """

    notice_id: str
    version: str
    language: str
    text: str
    jurisdiction: Jurisdiction = "default"

    def __post_init__(self) -> None:
        for name in ("notice_id", "version", "language", "text"):
            if not getattr(self, name).strip():
                raise ConsentRecordError(f"A notice's {name} must be given, got an empty one.")
        _require_member("jurisdiction", self.jurisdiction, words.JURISDICTIONS)

    @property
    def ref(self) -> NoticeRef:
        """The reference a consent record keeps."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return NoticeRef(notice_id=self.notice_id, version=self.version, language=self.language, hash=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The affirmative act by which a member chose.

    Parameters
    ----------
    channel : str
        Where: the same channel must offer withdrawal.
    method : str
        What the member did. There is no word for a box ticked in advance, a default, silence,
        scrolling or a choice inferred, so none can be recorded.
    steps : int
        Steps it took; withdrawing may take no more.
    session_hash : str
        SHA-256 of the session's evidence, in hexadecimal.

    Raises
    ------
    ConsentRecordError
        If the act is not affirmative or a field is not of its kind.

    Examples
    --------
    >>> Capture(channel="app", method="pre_ticked", steps=1, session_hash="0" * 64)
    Traceback (most recent call last):
    ...
    benne.errors.ConsentRecordError: A capture method must be an act of the member ... got pre_ticked. ...
    """

    channel: CaptureChannel
    method: CaptureMethod
    steps: int
    session_hash: str

    def __post_init__(self) -> None:
        _require_member("capture channel", self.channel, words.CAPTURE_CHANNELS)
        if self.method not in words.CAPTURE_METHODS:
            got = self.method if self.method in words.REFUSED_CAPTURES else "something else"
            raise ConsentRecordError(
                f"A capture method must be an act of the member ({', '.join(words.CAPTURE_METHODS)}), "
                f"got {got}. Show every choice off and let the member switch it on."
            )
        if isinstance(self.steps, bool) or not isinstance(self.steps, int) or self.steps < 1:
            raise ConsentRecordError("Capture steps must be a whole number from 1. Count the member's acts.")
        if not _matches(_SHA256, self.session_hash):
            raise ConsentRecordError("A session hash must be 64 hexadecimal digits of SHA-256.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTerms:
    """What a notice asks for, the same for every member it is shown to.

    One purpose and one recipient: consent for one says nothing about another.

    Parameters
    ----------
    notice : NoticeRef
    purpose : str
        One of :data:`~benne.scoring.consent.vocabulary.PURPOSES`.
    recipient, controller : str
        Who receives the score, and who is answerable for the processing.
    validity : timedelta
        How long the consent lasts; there is none without an end.
    retention_days : int
    storage_location, withdrawal_method, context : str
    collection_method, jurisdiction, lawful_basis, consent_type, reliance, granularity : str
        From the closed sets of :mod:`benne.scoring.consent.vocabulary`. ``automated_decision`` is
        the explicit consent to decisions nobody reviews; it permits no category by itself.
    necessity : mapping of str to str
        ``required`` or ``optional`` per category. Credit history and ability are required by
        default, because no score stands without them.

    Raises
    ------
    ConsentRecordError
        If a field is outside its set or empty.
    """

    notice: NoticeRef
    purpose: Purpose
    recipient: str
    controller: str
    validity: timedelta
    retention_days: int
    storage_location: str
    withdrawal_method: str
    context: str = "platform"
    collection_method: CollectionMethod = "observed_on_platform"
    jurisdiction: Jurisdiction = "default"
    lawful_basis: LawfulBasis = "consent"
    consent_type: ConsentType = "expressed"
    reliance: Reliance = "advisory"
    granularity: Granularity = "band"
    necessity: Mapping[str, Necessity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.purpose not in words.PURPOSES:
            raise ConsentRecordError(
                f"A purpose must be one of {', '.join(words.PURPOSES)}, got another. "
                "Benne serves no purpose outside credit-like uses."
            )
        validate_name("recipient", self.recipient)
        validate_name("context", self.context)
        for name in ("controller", "storage_location", "withdrawal_method"):
            if not getattr(self, name).strip():
                raise ConsentRecordError(f"Consent terms must state their {name}, got an empty one.")
        _require_member("collection method", self.collection_method, words.COLLECTION_METHODS)
        _require_member("jurisdiction", self.jurisdiction, words.JURISDICTIONS)
        _require_member("lawful basis", self.lawful_basis, words.LAWFUL_BASES)
        _require_member("consent type", self.consent_type, words.CONSENT_TYPES)
        _require_member("reliance", self.reliance, words.RELIANCES)
        _require_member("granularity", self.granularity, words.GRANULARITIES)
        if self.validity <= timedelta(0):
            raise ConsentRecordError("A consent's validity must be longer than nothing. Say when it ends.")
        if self.retention_days < 1:
            raise ConsentRecordError("Retention must be at least one day. Say how long data are kept.")
        for category, necessity in self.necessity.items():
            _require_member("category", category, CATEGORIES)
            _require_member("necessity", necessity, words.NECESSITIES)

    @property
    def purpose_class(self) -> PurposeClass:
        """Class of the purpose; decides what a result may be used for."""
        return words.PURPOSE_CLASSES[self.purpose]

    def necessity_of(self, category: str) -> Necessity:
        """Whether the purpose can be served without ``category``."""
        default: Necessity = "required" if category in _REQUIRED else "optional"
        return self.necessity.get(category, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """One member's choice over the categories of one set of terms.

    Parameters
    ----------
    subject_id : str
        32 hexadecimal digits, the keyed pseudonym.
    terms : ConsentTerms
    capture : Capture
    categories : tuple of str
        The categories chosen; those not named stay off.
    minor : bool, default=False
        Known to be under 18; refused.
    age_years : int, optional
        The member's age where it is known; refused under the jurisdiction's minimum, and never kept.

    Raises
    ------
    ConsentRecordError
        If the id is not a pseudonym, a category is unknown or repeated, or the member is a minor.
    """

    subject_id: str = field(repr=False)
    terms: ConsentTerms
    capture: Capture
    categories: tuple[str, ...]
    minor: bool = False
    age_years: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        validate_subject_id(self.subject_id)
        if self.minor or (self.age_years is not None and self.age_years < ADULT):
            raise ConsentRecordError("A consent must be an adult's; members under 18 are not scored.")
        if not self.categories:
            raise ConsentRecordError("A consent must name at least one category, got none.")
        for category in self.categories:
            _require_member("category", category, CATEGORIES)
        if len(set(self.categories)) != len(self.categories):
            raise ConsentRecordError("A consent must name each category once, got one twice.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentEvent:
    """One change of one category of a record; events are only ever added.

    Attributes
    ----------
    time : datetime
        When it took effect (UTC).
    valid_until : datetime or None
        End of what it gives; None where it gives nothing.
    entity : str
        Who acted.
    type, state : str
    """

    category: str
    time: datetime
    valid_until: datetime | None
    entity: Entity
    type: ConsentType
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """A consent as the ledger keeps it.

    Attributes
    ----------
    request : ConsentRequest
    record_id : str
    given_at, valid_until, recorded_at : datetime
        UTC. ``given_at`` lies before ``recorded_at`` only where consents were imported.
    supersedes : str or None
        The record this one replaces; None for the first.
    receipt_id, signature : str or None
        None until receipts are issued and signed.
    prev_hash, record_hash : str
        Links of the ledger's hash chain, SHA-256 in hexadecimal.
    """

    request: ConsentRequest
    record_id: str
    given_at: datetime
    valid_until: datetime
    recorded_at: datetime
    supersedes: str | None
    receipt_id: str | None
    signature: str | None
    prev_hash: str
    record_hash: str
    schema_version: int = SCHEMA_VERSION


def validate_subject_id(subject_id: str) -> None:
    """Refuse anything but a keyed pseudonym, so that no raw id is ever stored.

    Raises
    ------
    ConsentRecordError
        If it is not 32 lower-case hexadecimal digits.
    """
    if not _matches(_SUBJECT_ID, subject_id):
        raise ConsentRecordError(
            "A subject id must be 32 hexadecimal digits (a keyed pseudonym), got something else. "
            "Pass ids through benne.features.events.SubjectKey."
        )


def validate_name(thing: str, name: str) -> None:
    """Refuse free text where a short machine name is kept.

    Raises
    ------
    ConsentRecordError
        If ``name`` is not up to 64 of a-z, 0-9 and ``_ . : -``.
    """
    if not _matches(_NAME, name):
        raise ConsentRecordError(f"A {thing} must be a short name of a-z, 0-9, _ . : and -, got something else.")


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _require_member(thing: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConsentRecordError(f"A {thing} must be one of {', '.join(allowed)}, got another.")
