"""The member's copy: what they agreed to and how to end it, verified by anybody with the public key alone."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from benne.errors import ConsentRecordError, SignatureInvalid
from benne.features.categories import CATEGORIES
from benne.scoring import Notice
from benne.scoring.consent.receipts import RECEIPT_TYP, Given, receipt_claims
from benne.scoring.signing import verify

TWO = ("credit_history", "ability")


@pytest.fixture
def signing(platform, reopened, signer):
    reopened(platform, signer=signer)
    return platform


def claims_of(platform, record, signer):
    return verify(platform.ledger.receipt_of(record.record_id), signer.public_keys(), RECEIPT_TYP)


def test_a_receipt_says_what_was_agreed_to(signing, signer):
    record = signing.ledger.grant(signing.request(1, (*TWO, "social")))
    claims = claims_of(signing, record, signer)
    assert claims["record_id"] == record.record_id
    assert claims["receipt_id"] == record.receipt_id
    assert claims["pii_principal_id"] == signing.member(1)
    assert (claims["purpose"], claims["purpose_type"]) == ("lending", "dpv:CreditChecking")
    assert claims["recipient_third_parties"] == [{"party_id": "shop", "party_role": "dpv:Recipient"}]
    assert claims["pii_controllers"] == [{"party_name": "The platform", "party_role": "dpv:DataController"}]
    assert [(one["pii_attribute_id"], one["pii_type"], one["pii_optional"]) for one in claims["pii_information"]] == [
        ("ability", "pd:CreditCapacity", False),
        ("credit_history", "pd:CreditRecord", False),
        ("social", "pd:SocialNetwork", True),
    ]
    assert claims["storage_locations"] == ["eu-central"]
    assert claims["retention_period"] == "P730D"
    assert (claims["jurisdiction"], claims["language"], claims["lawful_basis"]) == ("default", "en", "dpv:Consent")
    assert claims["privacy_notice"]["text"] == signing.ledger.notice_text(record.request.terms.notice)
    assert claims["privacy_notice"]["sha256"] == record.request.terms.notice.hash


def test_a_receipt_says_when_it_ends_and_who_gave_it(signing, signer):
    record = signing.ledger.grant(signing.request(1, ("ability",)))
    assert claims_of(signing, record, signer)["events"] == [
        {
            "event_time": "2026-03-01T12:00:00+00:00",
            "validity_duration": "P365D",
            "valid_until": "2027-03-01T12:00:00+00:00",
            "entity_id": "dpv:DataSubject",
            "event_type": "dpv:ExpressedConsent",
            "event_state": "dpv:ConsentGiven",
            "pii_attribute_id": "ability",
        }
    ]


def test_a_receipt_says_how_to_withdraw_in_no_more_steps_than_it_took(signing, signer):
    record = signing.ledger.grant(signing.request(1))
    assert claims_of(signing, record, signer)["withdrawal_method"] == {
        "type": "dpv:WithdrawConsent",
        "how": "the same switch",
        "channel": signing.capture.channel,
        "steps_at_most": signing.capture.steps,
        "reason_needed": False,
    }


def test_the_mandatory_fields_of_the_standard_are_all_there(signing, signer):
    """ISO/IEC TS 27560:2023, receipt; the address of a party is in the controller's own words, if anywhere."""
    record = signing.ledger.grant(signing.request(1))
    mandatory = {
        "schema_version", "record_id", "receipt_id", "pii_principal_id", "privacy_notice", "language", "purpose",
        "pii_information", "pii_controllers", "storage_locations", "retention_period", "jurisdiction",
        "recipient_third_parties", "withdrawal_method", "events", "conforms_to",
    }  # fmt: skip
    assert mandatory <= {name for name, value in claims_of(signing, record, signer).items() if value}


def test_the_record_is_the_proof_and_the_receipt_names_its_hash(signing, signer):
    record = signing.ledger.grant(signing.request(1))
    assert claims_of(signing, record, signer)["record_hash"] == record.record_hash
    assert signing.ledger.verify_chain().intact


def test_anybody_verifies_it_offline_with_the_public_key(signing, signer):
    token = signing.ledger.receipt_of(signing.ledger.grant(signing.request(1)).record_id)
    jwk = signer.public_keys()["keys"][0]
    key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x")})
    signed = jws.deserialize_compact(token, key, algorithms=["Ed25519"])
    assert signed.headers() == {"alg": "Ed25519", "kid": signer.kid, "typ": RECEIPT_TYP}
    assert json.loads(signed.payload)["purpose"] == "lending"


def test_a_receipt_that_was_changed_is_found_out(signing, signer):
    token = signing.ledger.receipt_of(signing.ledger.grant(signing.request(1)).record_id)
    header, payload, signature = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    claims["recipient_third_parties"][0]["party_id"] = "bank"
    changed = urlsafe_b64encode(json.dumps(claims, sort_keys=True, separators=(",", ":")).encode()).rstrip(b"=")
    with pytest.raises(SignatureInvalid, match="unchanged since"):
        verify(f"{header}.{changed.decode()}.{signature}", signer.public_keys(), RECEIPT_TYP)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE consent_records SET recipient = 'bank'",
        "UPDATE consent_records SET valid_until_us = valid_until_us + 1",
        "UPDATE consent_records SET record_hash = prev_hash",
        "UPDATE consent_record_categories SET necessity = 'optional'",
        "UPDATE consent_events SET category = 'social' WHERE category = 'ability';"
        "UPDATE consent_record_categories SET category = 'social' WHERE category = 'ability'",
        "UPDATE consent_notices SET text = 'We do as we like.'",
    ],
)
def test_a_record_that_was_changed_no_longer_fits_its_signature(signing, signer, tampering):
    record = signing.ledger.grant(signing.request(1, TWO))
    claims_of(signing, record, signer)
    signing.tamper(*tampering.split(";"))
    with pytest.raises(SignatureInvalid, match="unchanged since"):
        claims_of(signing, record, signer)


def test_what_happens_later_changes_no_receipt(signing, signer):
    record = signing.ledger.grant(signing.request(1, TWO))
    before = signing.ledger.receipt_of(record.record_id)
    signing.clock.turn(timedelta(days=1))
    signing.ledger.withdraw(signing.member(1), "lending", "shop", ["ability"])
    again = signing.ledger.grant(signing.request(1, TWO))
    assert signing.ledger.receipt_of(record.record_id) == before
    claims = claims_of(signing, again, signer)
    assert claims["supersedes"] == record.record_id
    assert {one["pii_attribute_id"]: one["event_state"] for one in claims["events"]} == {
        "ability": "dpv:ConsentGiven",
        "credit_history": "dpv:RenewedConsentGiven",
    }


def test_without_a_signer_there_is_no_receipt(platform):
    record = platform.ledger.grant(platform.request(1))
    with pytest.raises(ConsentRecordError, match="issued with the record, got none"):
        platform.ledger.receipt_of(record.record_id)


def test_a_refusal_has_no_receipt(signing):
    record = signing.ledger.refuse(signing.request(1))
    assert (record.receipt_id, record.signature) == (None, None)


def test_a_members_receipt_is_only_theirs(signing):
    record = signing.ledger.grant(signing.request(1))
    assert signing.ledger.receipt_of(record.record_id, signing.member(1))
    for wrong in ((record.record_id, signing.member(2)), ("nothing", None)):
        with pytest.raises(ConsentRecordError, match="of a record that is there"):
            signing.ledger.receipt_of(*wrong)


def test_many_consents_are_all_signed_and_texts_in_any_language_are_kept(signing, signer):
    notice = Notice(
        notice_id="punkte", version="1", language="de", text="Dürfen wir Ihre Punkte berechnen? ☐ Nein · 可以吗"
    )
    ref = signing.ledger.register_notice(notice)
    ids = signing.ledger.grant_many(signing.request(number, notice=ref) for number in range(40))
    for record_id in ids:
        claims = claims_of(signing, signing.ledger.record(record_id), signer)
        assert claims["privacy_notice"]["text"] == notice.text
    assert signing.ledger.verify_chain().intact


def test_the_kept_signature_is_detached_and_small(signing):
    record = signing.ledger.grant(signing.request(1))
    header, payload, signature = record.signature.split(".")
    assert (payload, len(signature)) == ("", 86)
    assert len(record.signature) < 300
    assert header


def test_receipts_that_are_out_there_stay_verifiable(signer):
    """Golden bytes: the ledger keeps only signatures, so a receipt must be made the same way for ever.

    Whoever has to change this test breaks every receipt that members hold. Add a schema instead.
    """
    row = {
        "receipt_id": "receipt-1", "record_id": "record-1", "record_hash": "cd" * 32, "supersedes": None,
        "recorded_at_us": 1_772_366_400_000_000, "subject_id": "0" * 31 + "1", "notice_language": "en",
        "notice_id": "score", "notice_version": "1", "notice_hash": "ef" * 32, "lawful_basis": "explicit_consent",
        "jurisdiction": "eu", "purpose": "deposit_waiver", "purpose_class": "benefit_only",
        "collection_method": "observed_on_platform", "context": "platform", "reliance": "sole", "granularity": "band",
        "storage_location": "eu-central", "retention_days": 730, "controller": "The platform", "recipient": "shop",
        "withdrawal_method": "the same switch", "capture_channel": "app", "capture_method": "toggle_switched_on",
        "capture_steps": 2, "capture_session_hash": "ab" * 32, "consent_type": "automated_decision",
        "given_at_us": 1_772_366_400_000_000, "valid_until_us": 1_772_366_400_000_000 + 86_400_000_001,
    }  # fmt: skip
    given = [Given(category, "optional", "renewed") for category in CATEGORIES]
    claims = receipt_claims(row, given, "Möchten Sie?")
    assert [one["event_type"] for one in claims["events"]] == ["dpv:ExplicitlyExpressedConsent"] * 5
    assert claims["events"][0]["validity_duration"] == "P1DT0.000001S"
    assert signer.sign(claims, RECEIPT_TYP).split(".")[2] == GOLDEN


GOLDEN = "IOo51lBUTQPR9BKTrbMoShcInE1X4bZDmkjrBlYZ-BJso0wyKrNnDhUoqkbsrhw2HcIYShS5iVgQqpN2IQKfAQ"
