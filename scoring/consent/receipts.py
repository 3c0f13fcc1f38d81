"""The member's own copy of what they consented to: fields of ISO/IEC TS 27560 in DPV terms. Pure.

The record in the ledger is the proof. A receipt is made from the record's rows alone, so that the ledger keeps only
the signature and can make the same bytes again; they change for nobody who has one, whatever becomes of this module:
a receipt of another shape is another :data:`SCHEMA`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benne.features.categories import ABILITY, BEHAVIOUR, CREDIT_HISTORY, PERSONAL_INFORMATION, SOCIAL
from benne.scoring.consent.moments import from_microseconds

if TYPE_CHECKING:
    from benne.scoring.signing import Signer

__all__ = ["RECEIPT_TYP", "Given", "detached", "receipt_claims", "rejoined"]

RECEIPT_TYP: Final = "benne-consent-receipt+jwt"
SCHEMA: Final = "benne-consent-receipt/1"
_PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt"
_CONTEXT: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "conforms_to": "dct:conformsTo",
    "record_id": "dct:identifier",
    "pii_principal_id": "dpv:hasDataSubject",
    "privacy_notice": "dpv:hasNotice",
    "language": "dct:language",
    "purpose": "dpv:hasPurpose",
    "lawful_basis": "dpv:hasLegalBasis",
    "pii_information": "dpv:hasPersonalData",
    "pii_controllers": "dpv:hasDataController",
    "recipient_third_parties": "dpv:hasRecipient",
    "storage_locations": "dpv:hasLocation",
    "retention_period": "dpv:hasStorageCondition",
    "jurisdiction": "dpv:hasJurisdiction",
    "withdrawal_method": "dpv:hasConsentControl",
    "events": "dpv:hasConsentStatus",
}
_PERSONAL_DATA: Final = {
    CREDIT_HISTORY: "pd:CreditRecord",
    BEHAVIOUR: "pd:Behavioral",
    ABILITY: "pd:CreditCapacity",
    PERSONAL_INFORMATION: "pd:Identifying",
    SOCIAL: "pd:SocialNetwork",
}
_PURPOSES: Final = {
    "credit": "dpv:CreditChecking",
    "benefit_only": "dpv:ServiceProvision",
    "member": "dpv:ServiceProvision",
    "training": "dpv:ResearchAndDevelopment",
}
_BASES: Final = {"consent": "dpv:Consent", "explicit_consent": "dpv:ExplicitlyExpressedConsent"}
_TYPES: Final = {
    "expressed": "dpv:ExpressedConsent",
    "explicit": "dpv:ExplicitlyExpressedConsent",
    "automated_decision": "dpv:ExplicitlyExpressedConsent",
}
_STATES: Final = {"given": "dpv:ConsentGiven", "renewed": "dpv:RenewedConsentGiven"}
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND


class Given(NamedTuple):
    """One category of a record: whether the purpose needs it, and whether its consent was given or renewed."""

    category: str
    necessity: str
    state: str


def receipt_claims(row: Mapping[str, Any], given: Sequence[Given], notice_text: str) -> dict[str, Any]:
    """What a receipt says.

    Parameters
    ----------
    row : mapping
        The record as ``consent_records`` holds it, its ``record_hash`` included.
    given : sequence of Given
    notice_text : str
        What was shown, so that the member needs nobody to read it again.
    """
    return {
        "@context": _CONTEXT,
        "conforms_to": _PROFILE,
        "schema_version": SCHEMA,
        "receipt_id": row["receipt_id"],
        "record_id": row["record_id"],
        "record_hash": row["record_hash"],
        "supersedes": row["supersedes"],
        "issued_at": _time(row["recorded_at_us"]),
        "pii_principal_id": row["subject_id"],
        "language": row["notice_language"],
        "privacy_notice": _notice(row, notice_text),
        "lawful_basis": _BASES[row["lawful_basis"]],
        "jurisdiction": row["jurisdiction"],
        **_processing(row),
        **_parties(row),
        "pii_information": [_personal_data(one) for one in sorted(given)],
        "withdrawal_method": _withdrawal(row),
        "capture": {name: row[f"capture_{name}"] for name in ("channel", "method", "steps", "session_hash")},
        "events": [_event(row, one) for one in sorted(given)],
    }


def detached(claims: Mapping[str, Any], signer: Signer) -> str:
    """The signature over a receipt without the receipt (RFC 7515, appendix F), which the ledger keeps."""
    header, _, signature = signer.sign(claims, RECEIPT_TYP).split(".")
    return f"{header}..{signature}"


def rejoined(signature: str, payload: bytes) -> str:
    """The whole compact JWS from a detached signature and what it was made over."""
    header, _, end = signature.split(".")
    return f"{header}.{urlsafe_b64encode(payload).rstrip(b'=').decode()}.{end}"


def _notice(row: Mapping[str, Any], text: str) -> dict[str, Any]:
    return {
        "id": row["notice_id"],
        "version": row["notice_version"],
        "sha256": row["notice_hash"],
        "text": text,
    }


def _processing(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "purpose": row["purpose"],
        "purpose_type": _PURPOSES[row["purpose_class"]],
        "collection_method": row["collection_method"],
        "processing_method": {
            "type": "dpv:Profiling",
            "context": row["context"],
            "reliance": row["reliance"],
            "automated_decision": row["consent_type"] == "automated_decision",
        },
        "finest_answer": row["granularity"],
        "storage_locations": [row["storage_location"]],
        "retention_period": f"P{row['retention_days']}D",
    }


def _parties(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pii_controllers": [{"party_name": row["controller"], "party_role": "dpv:DataController"}],
        "recipient_third_parties": [{"party_id": row["recipient"], "party_role": "dpv:Recipient"}],
    }


def _withdrawal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Where it was given it can be withdrawn, in no more steps, and nobody asks why."""
    return {
        "type": "dpv:WithdrawConsent",
        "how": row["withdrawal_method"],
        "channel": row["capture_channel"],
        "steps_at_most": row["capture_steps"],
        "reason_needed": False,
    }


def _personal_data(given: Given) -> dict[str, Any]:
    return {
        "pii_type": _PERSONAL_DATA[given.category],
        "pii_attribute_id": given.category,
        "pii_optional": given.necessity == "optional",
    }


def _event(row: Mapping[str, Any], given: Given) -> dict[str, Any]:
    return {
        "event_time": _time(row["given_at_us"]),
        "validity_duration": _duration(row["valid_until_us"] - row["given_at_us"]),
        "valid_until": _time(row["valid_until_us"]),
        "entity_id": "dpv:DataSubject",
        "event_type": _TYPES[row["consent_type"]],
        "event_state": _STATES[given.state],
        "pii_attribute_id": given.category,
    }


def _time(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()


def _duration(microseconds: int) -> str:
    days, rest = divmod(microseconds, _DAY)
    return f"P{days}D" if rest == 0 else f"P{days}DT{rest / _SECOND:f}S"
