"""A proof is relied on by whom it is for, on the occasion it is for, while it holds, and never otherwise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from benne.errors import ProofRejected, SigningKeyError
from benne.scoring.proof import KnownScore, ProofAsked, Statement, verify
from benne.scoring.proof.issuing import PROOF_TYPE, stated
from benne.scoring.signing import Ed25519Signer

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def encode(part: object) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def claims_of(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))


def signed(desk, **changes) -> str:
    """What Benne's own key signed, with other claims than Benne makes."""
    claims = {**claims_of(desk.issue()), **changes}
    return desk.signer.sign({name: value for name, value in claims.items() if value is not ...}, PROOF_TYPE)


def test_whoever_it_is_for_reads_what_it_states(desk):
    proof = desk.verify(desk.issue(purpose="rental"))
    assert (proof.statement.kind, proof.statement.mark) == ("at_least", 650)
    assert proof.statement.as_of.isoformat() == "2026-02-28"
    assert (proof.issuer, proof.audience, proof.purpose) == (
        "https://scores.example", "https://landlord.example", "rental",
    )  # fmt: skip
    assert proof.issued_at == desk.now
    assert proof.expires_at == desk.now + 5 * MINUTE
    assert proof.holder_key is None


@given(
    score=st.floats(350, 950), kind=st.sampled_from(["at_least", "below", "band", "exact"]), mark=st.integers(350, 950)
)
def test_whatever_can_be_stated_comes_out_as_it_went_in(score, kind, mark):
    reached = round(score) >= mark
    if kind in ("at_least", "below"):
        kind = "at_least" if reached else "below"
    asked = ProofAsked(kind=kind, mark=mark if kind in ("at_least", "below") else None, audience="a", nonce="n" * 16)
    statement = stated(asked, KnownScore(score, datetime(2026, 3, 1, tzinfo=UTC)))
    assert Statement.from_claim(json.loads(json.dumps(statement.as_claim()))) == statement


@pytest.mark.parametrize(
    "audience", ["https://other.example", "https://landlord.example/", "HTTPS://LANDLORD.EXAMPLE", ""]
)
def test_another_recipient_cannot_use_it(desk, audience):
    with pytest.raises(ProofRejected, match="must be made for this recipient"):
        desk.verify(desk.issue(), audience=audience)


def test_it_cannot_be_used_on_another_occasion(desk):
    with pytest.raises(ProofRejected, match="must be made for this occasion"):
        desk.verify(desk.issue(), nonce="R4nD0m-0f-M1ne-2")


def test_it_ends_and_begins_with_a_little_leeway(desk):
    token = desk.issue()
    assert desk.verify(token, 5 * MINUTE + 29 * SECOND)
    with pytest.raises(ProofRejected, match="must not have ended"):
        desk.verify(token, 5 * MINUTE + 30 * SECOND)
    assert desk.verify(token, -30 * SECOND)
    with pytest.raises(ProofRejected, match="must have begun"):
        desk.verify(token, -31 * SECOND)


def test_another_issuers_proof_is_not_taken_for_this_ones(desk):
    assert desk.verify(desk.issue(), issuer="https://scores.example")
    with pytest.raises(ProofRejected, match="must be of this issuer"):
        desk.verify(desk.issue(), issuer="https://other.example")


def test_changing_any_character_is_found(desk):
    token = desk.issue()
    for place in range(len(token)):
        changed = "A" if token[place] != "A" else "B"
        with pytest.raises(ProofRejected, match=r"A proof must .* Do not rely on it\."):
            desk.verify(token[:place] + changed + token[place + 1 :])


def test_another_spelling_of_the_same_bytes_is_found_too(desk):
    token = desk.issue()
    for other in (token + "=", token.replace(".", "=.", 1), token + "\n", " " + token, token + ".", token.upper()):
        with pytest.raises(ProofRejected, match="must be signed by the issuer and unchanged"):
            desk.verify(other)


def test_what_another_key_signed_is_a_forgery_even_under_the_same_id(desk, key_number):
    forger = Ed25519Signer(key_number(2), kid=desk.signer.kid)
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        desk.verify(desk.issue(signer=forger))


def test_a_key_that_is_not_among_the_issuers_is_unknown(desk, key_number):
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        desk.verify(desk.issue(signer=Ed25519Signer(key_number(2))))


@pytest.mark.parametrize("algorithm", ["none", "NONE", "", None, "HS256", "HS512", "EdDSA", "ES256", "RS256", "Ed448"])
def test_no_other_algorithm_is_believed(desk, algorithm):
    (jwk,) = desk.signer.public_keys()["keys"]
    header, payload, signature = desk.issue().split(".")
    header = encode({"alg": algorithm, "kid": desk.signer.kid, "typ": PROOF_TYPE})
    secrets = [base64.urlsafe_b64decode(jwk["x"] + "=="), jwk["x"].encode(), json.dumps(jwk).encode()]
    macs = [encode(hmac.new(secret, f"{header}.{payload}".encode(), hashlib.sha256).digest()) for secret in secrets]
    for tail in ("", signature, *macs):
        with pytest.raises(ProofRejected, match="must be signed by the issuer"):
            desk.verify(f"{header}.{payload}.{tail}")


def test_a_header_without_a_key_id_or_with_more_in_it_is_refused(desk, key_number):
    own = OKPKey.import_key(key_number(1))
    headers = [
        {"alg": "Ed25519", "typ": PROOF_TYPE},
        {"alg": "Ed25519", "typ": PROOF_TYPE, "kid": desk.signer.kid, "jwk": own.as_dict(private=False)},
        {"alg": "Ed25519", "typ": PROOF_TYPE, "kid": desk.signer.kid, "jku": "https://evil.example"},
        {"alg": "Ed25519", "typ": PROOF_TYPE, "kid": desk.signer.kid, "cty": "x"},
    ]
    for header in headers:
        token = jws.serialize_compact(header, json.dumps(claims_of(desk.issue())), own, algorithms=["Ed25519"])
        with pytest.raises(ProofRejected, match="must be signed by the issuer"):
            desk.verify(token)


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "benne-consent-receipt+jwt", "benne-proof+JWT", ""])
def test_something_else_that_benne_signed_is_no_proof(desk, typ):
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        desk.verify(desk.signer.sign(claims_of(desk.issue()), typ))


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in ("iss", "aud", "nonce", "jti", "iat", "nbf", "exp", "statement")),
        {"sub": "anna"},
        {"aud": ["https://landlord.example"]},
        {"aud": None},
        {"nonce": 7},
        {"exp": "1772366700"},
        {"exp": True},
        {"exp": 1772366700.5},
        {"exp": 10**30},
        {"exp": -(10**30)},
        {"exp": 1772366400 + 15 * 60 + 1},
        {"iat": None},
        {"nbf": 1772366400 + 31},
        {"jti": 7},
        {"jti": ""},
        {"iss": None},
        {"purpose": 7},
        {"cnf": {}},
        {"cnf": "key"},
        {"cnf": {"jwk": "key"}},
        {"statement": None},
        {"statement": []},
        {"statement": {}},
    ],
)  # fmt: skip
def test_other_claims_than_a_proofs_are_refused_even_well_signed(desk, changes):
    with pytest.raises(ProofRejected, match=r"A proof must .* Do not rely on it\."):
        desk.verify(signed(desk, **changes))


RIGHT = {"kind": "at_least", "mark": 650, "as_of": "2026-02-28", "scale": [350, 950]}
BAND = {"name": "good", "lowest": 600, "highest": 649}


@pytest.mark.parametrize(
    "statement",
    [
        {**RIGHT, "score": 650},
        {**RIGHT, "mark": 349},
        {**RIGHT, "mark": "650"},
        {**RIGHT, "mark": True},
        {**RIGHT, "mark": None},
        {**RIGHT, "kind": "exact"},
        {**RIGHT, "kind": "percentile"},
        {**RIGHT, "kind": ["at_least"]},
        {**RIGHT, "as_of": "yesterday"},
        {**RIGHT, "as_of": "20260228"},
        {**RIGHT, "as_of": 20260228},
        {**RIGHT, "scale": [0, 1000]},
        {name: value for name, value in RIGHT.items() if name != "scale"},
        {"kind": "band", "band": {**BAND, "highest": 2000}, "as_of": "2026-02-28", "scale": [350, 950]},
        {"kind": "band", "band": {**BAND, "member": "anna"}, "as_of": "2026-02-28", "scale": [350, 950]},
        {"kind": "band", "band": "good", "as_of": "2026-02-28", "scale": [350, 950]},
        {"kind": "band", "band": {**BAND, "name": 7}, "as_of": "2026-02-28", "scale": [350, 950]},
    ],
)
def test_a_statement_that_says_something_else_or_more_is_refused(desk, statement):
    assert desk.verify(signed(desk, statement=RIGHT)).statement.mark == 650
    with pytest.raises(ProofRejected, match="must state one thing about a score"):
        desk.verify(signed(desk, statement=statement))


def test_without_the_issuers_keys_nothing_can_be_verified(desk):
    with pytest.raises(SigningKeyError, match="must hold an Ed25519 key, got none"):
        desk.verify(desk.issue(), jwks={"keys": []})


@given(
    text=st.text(max_size=300) | st.lists(st.text("abcXYZ019-_=", max_size=60), min_size=3, max_size=3).map(".".join)
)
def test_whatever_is_shown_is_rejected_with_the_one_error(make_desk, text):
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        make_desk().verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["iss", "aud", "nonce", "jti", "iat", "nbf", "exp", "statement", "purpose", "cnf", "more"])


@given(changes=st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
def test_even_well_signed_claims_are_a_proof_or_rejected_and_nothing_else(make_desk, changes):
    desk = make_desk()
    try:
        proof = desk.verify(signed(desk, **changes))
    except ProofRejected:
        return
    assert proof.audience == "https://landlord.example"
    assert desk.now < proof.expires_at + 30 * SECOND


def test_a_token_that_is_far_too_long_is_not_read(desk):
    with pytest.raises(ProofRejected, match="must be signed by the issuer"):
        verify("a" * 10_000_000, desk.signer.public_keys(), audience="a", nonce="n", now=desk.now)
