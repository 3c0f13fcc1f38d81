"""What a member's report says of recipients and consents, out of what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from benne.explain.report import ConsentGiven, Received
from benne.features.categories import CATEGORIES
from benne.scoring.consent.moments import from_microseconds
from benne.scoring.consent.record import ConsentEvent, ConsentRecord
from benne.scoring.decisions.kept import KeptDecision

__all__ = ["consents_of", "received_of"]

_FROM_COARSE: Final = ("threshold", "band", "exact")


def received_of(decisions: Iterable[KeptDecision], own: tuple[str, str]) -> tuple[Received, ...]:
    """Who was told what, for each recipient and purpose, the latest first.

    Parameters
    ----------
    decisions : iterable of KeptDecision
    own : (str, str)
        Recipient and purpose of what members ask about themselves; nobody else was told, so it is left out.
    """
    found: dict[tuple[str, str], list[KeptDecision]] = {}
    for kept in decisions:
        found.setdefault((kept.asked["recipient"], kept.asked["purpose"]), []).append(kept)
    received = [_received(pair, of_pair) for pair, of_pair in found.items() if pair != own]
    return tuple(sorted(received, key=lambda one: (one.last, one.recipient), reverse=True))


def _received(pair: tuple[str, str], decisions: Sequence[KeptDecision]) -> Received:
    moments = sorted(kept.answer["decided_at_us"] for kept in decisions)
    told = max((kept.answer["granularity"] for kept in decisions), key=_FROM_COARSE.index)
    return Received(
        recipient=pair[0], purpose=pair[1], told=told, times=len(decisions), first=from_microseconds(moments[0]),
        last=from_microseconds(moments[-1]),
    )  # fmt: skip


def consents_of(
    history: Sequence[tuple[ConsentRecord, tuple[ConsentEvent, ...]]], active: Callable[[str, str], frozenset[str]]
) -> tuple[ConsentGiven, ...]:
    """Consents by purpose and recipient, those that stand first.

    Parameters
    ----------
    history : sequence of (ConsentRecord, tuple of ConsentEvent)
        Oldest first.
    active : callable
        What stands for a purpose and recipient.
    """
    newest = {(one.request.terms.purpose, one.request.terms.recipient): one for one, _ in history if not _sole(one)}
    sole = {(one.request.terms.purpose, one.request.terms.recipient) for one, _ in history if _sole(one)}
    found = [_consent(record, active(*pair), pair in sole) for pair, record in newest.items()]
    return tuple(sorted(found, key=lambda one: (not one.standing, one.purpose, one.recipient)))


def _sole(record: ConsentRecord) -> bool:
    """Of decisions that nobody reviews; it goes with the consent to a category's data, and is none of its own."""
    return record.request.terms.consent_type == "automated_decision"


def _consent(record: ConsentRecord, standing: frozenset[str], sole: bool) -> ConsentGiven:
    terms = record.request.terms
    return ConsentGiven(
        purpose=terms.purpose,
        recipient=terms.recipient,
        categories=tuple(one for one in CATEGORIES if one in (standing or record.request.categories)),
        granularity=terms.granularity,
        reliance="sole" if sole else terms.reliance,
        given_at=record.given_at,
        valid_until=record.valid_until,
        standing=bool(standing),
    )
