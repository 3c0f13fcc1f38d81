"""A notice before it is sent, and as the register shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from benne.explain.texts import Language
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.notices.kinds import NoticeKind

__all__ = ["CHANNELS", "DELIVERY_STATES", "Channel", "Delivery", "DeliveryState", "Notice", "NoticeDraft"]

DeliveryState = Literal["queued", "delivered", "failed"]
DELIVERY_STATES: tuple[str, ...] = get_args(DeliveryState)
Channel = Literal["in_app", "email", "post", "telephone", "branch"]
CHANNELS: tuple[str, ...] = get_args(Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDraft:
    """What is to be told, to whom, and by when it had to be.

    Parameters
    ----------
    kind : str
        One of :data:`benne.scoring.notices.kinds.NOTICE_KINDS`.
    subject_id : str
        Of the member it is about, also where it goes to a recipient. Not in ``repr``.
    jurisdiction : {'cn', 'eu', 'us', 'default'}
    language : {'en', 'zh'}
    fields : dict
        What :data:`benne.scoring.notices.kinds.FIELDS` asks for beyond what the register itself knows. Not in ``repr``.
    decision_id, recipient, case_id, basis : str, optional
    due_at_us, shown_from_us : int, optional
        Microseconds since 1970-01-01 UTC.
    """

    kind: NoticeKind
    subject_id: str = field(repr=False)
    jurisdiction: Jurisdiction
    language: Language
    fields: dict[str, Any] = field(repr=False)
    decision_id: str | None = field(default=None, repr=False)
    recipient: str | None = None
    case_id: str | None = None
    basis: str | None = None
    due_at_us: int | None = None
    shown_from_us: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to bring a notice to whom it is for: ``queued``, ``delivered`` or ``failed``."""

    state: DeliveryState
    channel: Channel
    at_us: int
    by_role: str
    by_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice that was issued.

    Attributes
    ----------
    notice_id, kind, audience, jurisdiction, template_version, language : str
    recipient, case_id, decision_id : str or None
    issued_at_us : int
    due_at_us : int or None
    template_hash, content_digest : str
        Of the texts it was put together from, and of what was sent; the second is keyed by the member's own key.
    delivery : Delivery
        How far it has come.
    content : dict or None
        What it says, with its paragraphs; None in a list. Not in ``repr``.
    """

    notice_id: str
    kind: NoticeKind
    audience: Literal["member", "recipient"]
    jurisdiction: str
    template_version: str
    template_hash: str
    language: str
    content_digest: str
    issued_at_us: int
    due_at_us: int | None
    recipient: str | None
    case_id: str | None
    decision_id: str | None = field(repr=False)
    delivery: Delivery
    content: dict[str, Any] | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """As it may be shown."""
        return {
            "notice_id": self.notice_id,
            "kind": self.kind,
            "audience": self.audience,
            "recipient": self.recipient,
            "jurisdiction": self.jurisdiction,
            "template_version": self.template_version,
            "template_hash": self.template_hash,
            "language": self.language,
            "case_id": self.case_id,
            "decision_id": self.decision_id,
            "issued_at": from_microseconds(self.issued_at_us).isoformat(),
            "due_at": None if self.due_at_us is None else from_microseconds(self.due_at_us).isoformat(),
            "delivery": {
                "state": self.delivery.state,
                "channel": self.delivery.channel,
                "at": from_microseconds(self.delivery.at_us).isoformat(),
            },
            "content": self.content,
        }
