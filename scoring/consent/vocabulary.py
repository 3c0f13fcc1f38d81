"""The closed sets of words a consent record is written in.

What is not a member of these sets cannot be asked for, granted or stored: the type checker, the
dataclasses in :mod:`benne.scoring.consent.record` and the CHECK constraints of the store all take
them from here. In particular no capture method stands for a box that was ticked in advance, a
default, or a choice read out of silence.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Purpose = Literal["lending", "checkout_credit", "rental", "deposit_waiver", "fast_lane", "own_report", "model_training"]
PurposeClass = Literal["credit", "benefit_only", "member", "training"]
ConsentType = Literal["expressed", "explicit", "automated_decision"]
CaptureMethod = Literal["checkbox_ticked", "toggle_switched_on", "button_pressed", "signature_written", "words_spoken"]
CaptureChannel = Literal["web", "app", "telephone", "branch", "paper", "command_line", "simulator"]
CollectionMethod = Literal["observed_on_platform", "provided_by_member", "received_from_institution"]
LawfulBasis = Literal["consent", "explicit_consent"]
Necessity = Literal["required", "optional"]
Jurisdiction = Literal["cn", "eu", "us", "default"]
Reliance = Literal["advisory", "strong", "sole"]
NoticeChange = Literal["purpose", "categories", "meaning"]
Granularity = Literal["band", "threshold", "exact"]
Entity = Literal["member", "controller", "system"]
State = Literal["requested", "refused", "given", "renewed", "withdrawn", "revoked", "expired", "invalidated"]
DenyReason = Literal[
    "consent-required",
    "consent-withdrawn",
    "consent-expired",
    "consent-given-later",
    "consent-changed",
    "insufficient-categories",
    "purpose-not-allowed",
    "reliance-not-consented",
    "review-route-missing",
    "automated-decision-consent-required",
    "decision-expired",
    "decision-unknown",
]

PURPOSE_CLASSES: Final[dict[Purpose, PurposeClass]] = {
    "lending": "credit",
    "checkout_credit": "credit",
    "rental": "credit",
    "deposit_waiver": "benefit_only",
    "fast_lane": "benefit_only",
    "own_report": "member",
    "model_training": "training",
}
"""Every purpose and its class. ``benefit_only`` may waive or speed up and may never refuse."""

REFUSED_CAPTURES: Final[frozenset[str]] = frozenset(
    {
        "pre_ticked",
        "default_on",
        "implied",
        "inferred",
        "scrolled",
        "dismissed",
        "terms_of_service",
        "bundled",
    }
)
"""Captures people have tried; named so that their refusal can say what it refuses."""

GIVING_STATES: Final[frozenset[State]] = frozenset({"given", "renewed"})

PURPOSES: Final[tuple[str, ...]] = get_args(Purpose)
PURPOSE_CLASS_NAMES: Final[tuple[str, ...]] = get_args(PurposeClass)
CONSENT_TYPES: Final[tuple[str, ...]] = get_args(ConsentType)
CAPTURE_METHODS: Final[tuple[str, ...]] = get_args(CaptureMethod)
CAPTURE_CHANNELS: Final[tuple[str, ...]] = get_args(CaptureChannel)
COLLECTION_METHODS: Final[tuple[str, ...]] = get_args(CollectionMethod)
LAWFUL_BASES: Final[tuple[str, ...]] = get_args(LawfulBasis)
NECESSITIES: Final[tuple[str, ...]] = get_args(Necessity)
JURISDICTIONS: Final[tuple[str, ...]] = get_args(Jurisdiction)
RELIANCES: Final[tuple[str, ...]] = get_args(Reliance)
"""In rising order: how much of an outcome rests on the score alone."""
NOTICE_CHANGES: Final[tuple[str, ...]] = get_args(NoticeChange)
"""What a new version of a notice can change so that those who agreed to the old one must be asked again."""
GRANULARITIES: Final[tuple[str, ...]] = get_args(Granularity)
ENTITIES: Final[tuple[str, ...]] = get_args(Entity)
STATES: Final[tuple[str, ...]] = get_args(State)
DENY_REASONS: Final[tuple[str, ...]] = get_args(DenyReason)


def class_of(purpose: str) -> PurposeClass | None:
    """Class of a purpose; None for what is no purpose of ours."""
    return next((found for name, found in PURPOSE_CLASSES.items() if name == purpose), None)
