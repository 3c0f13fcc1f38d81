"""What must hold of a consent before it is recorded, beyond what no request can be made without.

These rules depend on where the deployment is and may become stricter, so they are asked when a consent is recorded
and not when one is read: what was recorded under older rules can still be read.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text

from benne.errors import ConsentRecordError
from benne.scoring.consent.reading import find_notice_text
from benne.scoring.consent.record import ConsentRequest, ConsentTerms, NoticeRef
from benne.scoring.consent.vocabulary import Jurisdiction
from benne.scoring.jurisdictions import barred_categories, profile_of

__all__ = ["admit", "admit_terms", "require_current", "require_registered"]

_REPLACED = text("SELECT 1 FROM consent_notice_replacements WHERE notice_id = :notice_id AND version = :version")


def admit(request: ConsentRequest, deployment: Jurisdiction | None) -> None:
    """Refuse a consent that may not be recorded where it is given, or where the deployment is.

    Raises
    ------
    ConsentRecordError
        If the member is too young, a category is barred for the purpose, the consent would last too long, or consent
        to automated decisions does not rest on explicit consent.
    """
    admit_terms(request.terms, deployment)
    places = _places(request.terms, deployment)
    barred = barred_categories(places, request.terms.purpose_class) & set(request.categories)
    if barred:
        raise ConsentRecordError(
            f"A consent to {request.terms.purpose_class} purposes must leave out {', '.join(sorted(barred))} in this "
            "jurisdiction, got it: it may not be read even with consent. Do not ask members for it."
        )
    youngest = max(profile_of(place).minimum_age for place in places)
    if request.age_years is not None and request.age_years < youngest:
        raise ConsentRecordError(
            f"A consent must be an adult's, got one under {youngest}. Younger members are not scored."
        )


def admit_terms(terms: ConsentTerms, deployment: Jurisdiction | None) -> None:
    """Refuse terms under which nobody may consent.

    Raises
    ------
    ConsentRecordError
        As :func:`admit`.
    """
    longest = min(profile_of(place).longest_validity for place in _places(terms, deployment))
    if terms.validity > longest:
        raise ConsentRecordError(
            f"A consent's validity must be at most {longest.days} days in this jurisdiction, got more. Ask anew then."
        )
    if terms.consent_type == "automated_decision" and terms.lawful_basis != "explicit_consent":
        raise ConsentRecordError(
            "Consent to automated decisions must have explicit_consent as its lawful basis, got another. "
            "Ask for it by itself, and say so in the terms."
        )


def require_registered(connection: Connection, notice: NoticeRef) -> str:
    """The text of a notice.

    Raises
    ------
    ConsentRecordError
        If no such text was registered, or its hash no longer fits.
    """
    shown = find_notice_text(connection, notice)
    if shown is None or hashlib.sha256(shown.encode()).hexdigest() != notice.hash:
        raise ConsentRecordError("A notice must be registered with this very text, got none. Register it first.")
    return shown


def require_current(connection: Connection, notice: NoticeRef) -> str:
    """The text of a notice that members may still be asked with.

    Raises
    ------
    ConsentRecordError
        As :func:`require_registered`, or if a version that means something else has replaced it.
    """
    shown = require_registered(connection, notice)
    if connection.execute(_REPLACED, {"notice_id": notice.notice_id, "version": notice.version}).first() is not None:
        raise ConsentRecordError(
            "A consent must be given to a notice that still stands, got one that was replaced. Show the new version."
        )
    return shown


def _places(terms: ConsentTerms, deployment: Jurisdiction | None) -> frozenset[Jurisdiction]:
    return frozenset({terms.jurisdiction} if deployment is None else {terms.jurisdiction, deployment})
