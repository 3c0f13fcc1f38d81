"""Every reason to refuse a score, and what is said about it; no reason says more than the asker may know."""

from __future__ import annotations

from typing import Final

from benne.scoring.policy.checking import WHY as WHY_OF_POLICY

__all__ = ["WHY"]

WHY: Final[dict[str, str]] = {
    **{str(reason): why for reason, why in WHY_OF_POLICY.items()},
    "consent-required": "The member must consent to this purpose and recipient, and has not. Ask them.",
    "consent-withdrawn": "The member withdrew their consent. No reason is owed; do not ask why.",
    "consent-expired": "The member's consent has run out. Ask them again.",
    "consent-invalidated": "What the member consented to has changed since. Show them the new notice.",
    "consent-given-later": "The consent must have stood at the moment of the features. Build later ones.",
    "consent-changed": "Consent has changed since the score was made, so it was let go. Ask anew.",
    "insufficient-categories": "The member withholds a category that this purpose cannot do without.",
    "reliance-not-consented": "The member consented to less reliance on the score than was asked for.",
    "automated-decision-consent-required": "A decision by the score alone must rest on explicit consent to that.",
    "review-route-missing": "Strong and sole reliance must have a route by which a person reviews the outcome.",
    "decision-expired": "The decision has run out. Ask anew.",
    "decision-unknown": "The consent decision must be about this member.",
    "features-missing": "Nothing is on hand to score the member with yet, or it is too old.",
    "features-stale": "What is on hand was made for another consent or model. It is made anew with the next build.",
    "insufficient-evidence": "Too little is known of the member to score them; no score is better than a guess.",
    "value-not-scorable": "A value on record lies outside what the model knows. The data must be corrected first.",
    "member-erased": "The member has been erased, and nothing about them is kept.",
    "idempotency-key-reused": "An idempotency key must stand for one request, and stood for another. Take a new one.",
}
