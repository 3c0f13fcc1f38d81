"""Bearer tokens: what is signed by the provider, for us, now; every other token is denied with one message."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from benne.errors import AccessDenied, CredentialError
from benne.scoring.access import ClaimNames, TokenRules, TokenVerifier
from benne.scoring.access.tokens import ALGORITHMS


def refused(provider, token) -> str:
    with pytest.raises(AccessDenied, match="Credentials must be known and current") as caught:
        provider.verifier.authenticate(token)
    assert str(caught.value) == str(AccessDenied("anything"))
    return caught.value.reason


def encode(part: object) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("by", ["rsa", "ec", "ed"])
def test_a_recipients_token_of_each_kind_of_key_is_taken(provider, by):
    principal = provider.verifier.authenticate(provider.token(by))
    assert (principal.role, principal.recipient, principal.id) == ("recipient", "shop", "token:client-7")
    assert principal.purposes == frozenset()  # the registry decides


def test_purposes_may_be_a_list_or_words(provider):
    for claim in (["lending", "rental"], "lending rental"):
        assert provider.verifier.authenticate(provider.token(benne_purposes=claim)).purposes == {"lending", "rental"}


@pytest.mark.parametrize("claim", [[], "", ["dating"], "lending dating", 3, None, [["lending"]], {"lending": 1}])
def test_purposes_that_are_none_of_ours_deny(provider, claim):
    assert refused(provider, provider.token(benne_purposes=claim)) == "claims"


def test_a_members_raw_id_goes_no_further_than_the_door(provider):
    token = provider.token(sub="anna@example.org", benne_role="member", benne_recipient=...)
    principal = provider.verifier.authenticate(token)
    assert principal.is_member(provider.subject_of("anna@example.org"))
    assert "anna" not in repr(principal)
    assert "anna" not in principal.id


@pytest.mark.parametrize("role", ["compliance", "data_scientist", "admin"])
def test_staff_are_known_by_their_role(provider, role):
    principal = provider.verifier.authenticate(provider.token(benne_role=role, benne_recipient=...))
    assert (principal.role, principal.recipient, principal.subject_id) == (role, None, None)


def test_a_subject_that_is_an_address_is_told_apart_and_not_told(provider):
    ids = {
        provider.verifier.authenticate(provider.token(sub=sub, benne_role="admin")).id
        for sub in ("ann@example.org", "bob@example.org", "auth0|5f7c", "x" * 64)
    }
    assert len(ids) == 4
    assert all(one.startswith("token:sha256:") for one in ids)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ...}, "issuer"),
        ({"iss": ["https://id.example"]}, "issuer"),
        ({"aud": "other"}, "audience"),
        ({"aud": ...}, "audience"),
        ({"aud": ["other", "benne2"]}, "audience"),
        ({"aud": {"benne": 1}}, "audience"),
        ({"exp": ...}, "claims"),
        ({"exp": "tomorrow"}, "claims"),
        ({"exp": True}, "claims"),
        ({"exp": math.nan}, "claims"),
        ({"exp": math.inf}, "claims"),
        ({"exp": 10**400}, "claims"),
        ({"iat": ...}, "claims"),
        ({"iat": -1}, "claims"),
        ({"nbf": "now"}, "claims"),
        ({"sub": ...}, "claims"),
        ({"sub": ""}, "claims"),
        ({"sub": 7}, "claims"),
        ({"sub": "x" * 257}, "claims"),
        ({"sub": "\ud800"}, "claims"),
        ({"benne_role": ...}, "claims"),
        ({"benne_role": "system"}, "claims"),
        ({"benne_role": "god"}, "claims"),
        ({"benne_role": ["admin"]}, "claims"),
        ({"benne_recipient": ...}, "claims"),
        ({"benne_recipient": "The Shop"}, "claims"),
        ({"benne_recipient": ["shop"]}, "claims"),
        ({"benne_role": "member", "sub": "\ud800"}, "claims"),
    ],
)
def test_a_claim_that_is_missing_or_of_another_kind_denies(provider, changes, reason):
    assert refused(provider, provider.token(**changes)) == reason


def test_one_of_several_audiences_is_enough(provider):
    assert provider.verifier.authenticate(provider.token(aud=["other", "benne"])).recipient == "shop"


def test_a_token_ends_and_begins_with_a_little_leeway(provider):
    now = int(provider.clock().timestamp())
    token = provider.token(exp=now + 60)
    provider.clock.turn(seconds=89)
    assert provider.verifier.authenticate(token).recipient == "shop"
    provider.clock.turn(seconds=1)
    assert refused(provider, token) == "expired"
    later = int(provider.clock().timestamp())
    for name in ("iat", "nbf"):
        assert provider.verifier.authenticate(provider.token(**{name: later + 30})).recipient == "shop"
        assert refused(provider, provider.token(**{name: later + 31})) == "not-yet-valid"


def test_a_token_that_holds_for_longer_than_a_day_is_denied(provider):
    now = int(provider.clock().timestamp())
    assert provider.verifier.authenticate(provider.token(exp=now + 86_400)).recipient == "shop"
    assert refused(provider, provider.token(exp=now + 86_401)) == "claims"


# -------------------------------------------------------------- forgeries


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["Ed25519"], "HS256", "ES256K", "EdDSA"])
def test_an_algorithm_that_is_not_allowed_is_denied_before_any_key_is_looked_at(provider, algorithm):
    _, payload, signature = provider.token().split(".")
    for tail in (signature, ""):
        forged = f"{encode({'alg': algorithm, 'kid': 'ed', 'typ': 'JWT'})}.{payload}.{tail}"
        assert refused(provider, forged) in {"algorithm", "malformed"}
    assert provider.source.fetches == 0


@pytest.mark.parametrize("by", ["rsa", "ec", "ed"])
def test_a_public_key_is_no_shared_secret(provider, idp_keys, by):
    """The confusion of algorithms: HS256 with the published key as its secret."""
    public = idp_keys[by].public_key
    _, payload, _ = provider.token(by).split(".")
    signed = f"{encode({'alg': 'HS256', 'kid': by, 'typ': 'JWT'})}.{payload}"
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(idp_keys[by].as_dict(private=False)).encode()):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert refused(provider, f"{signed}.{encode(mac)}") == "algorithm"


def test_a_key_of_one_kind_does_not_verify_another_algorithm(provider):
    for by, algorithm in (("ed", "ES256"), ("ec", "RS256"), ("rsa", "PS256"), ("rsa", "Ed25519")):
        _, payload, signature = provider.token(by).split(".")
        forged = f"{encode({'alg': algorithm, 'kid': by, 'typ': 'JWT'})}.{payload}.{signature}"
        assert refused(provider, forged) in {"signature", "key-unknown"}


def test_a_key_is_used_for_the_algorithm_it_is_published_for_alone(make_provider, idp_keys):
    provider = make_provider()
    published = {**idp_keys["rsa"].as_dict(private=False), "alg": "PS256"}
    provider.source.fetch = lambda: {"keys": [published]}
    assert refused(provider, provider.token("rsa")) == "key-unknown"


def test_another_key_under_a_known_id_is_a_forgery(provider):
    assert refused(provider, provider.token("other")) == "signature"


@pytest.mark.parametrize("kid", [..., None, "", 7, ["ed"], "../../etc/passwd", "' OR 1=1 --"])
def test_a_token_names_a_key_of_the_provider(make_provider, kid):
    provider = make_provider()
    provider.source.names = ["ed"]  # one key alone is not the default either
    _, payload, signature = provider.token().split(".")
    header = {"alg": "Ed25519", "kid": kid, "typ": "JWT"}
    header = {name: value for name, value in header.items() if value is not ...}
    assert refused(provider, f"{encode(header)}.{payload}.{signature}") in {"malformed", "key-unknown"}


@pytest.mark.parametrize(
    "more",
    [
        {"jwk": OKPKey.generate_key("Ed25519").as_dict(private=False)},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/x"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"typ": "benne-proof+jwt"},
        {"typ": "secevent+jwt"},
        {"typ": ["JWT"]},
        {"cty": "JWT"},
        {"zip": "DEF"},
    ],
)
def test_a_header_that_brings_its_own_key_or_wants_to_be_read_otherwise_is_denied(provider, more):
    _, payload, signature = provider.token().split(".")
    header = {"alg": "Ed25519", "kid": "ed", "typ": "JWT", **more}
    assert refused(provider, f"{encode(header)}.{payload}.{signature}") == "malformed"


def test_changing_any_character_denies(provider):
    token = provider.token()
    for place in range(0, len(token), 3):
        changed = "A" if token[place] != "A" else "B"
        refused(provider, token[:place] + changed + token[place + 1 :])


def test_a_payload_that_is_no_object_is_denied(provider, idp_keys):
    for payload in ("[]", "7", "null", '"benne"', "{", "", "[" * 5000):
        header = {"alg": "Ed25519", "kid": "ed"}
        token = jws.serialize_compact(header, payload, idp_keys["ed"], algorithms=["Ed25519"])
        assert refused(provider, token) in {"malformed", "signature"}


def test_a_token_that_is_too_long_is_not_even_parsed(provider):
    assert refused(provider, provider.token(extra="x" * 9000)) == "malformed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(
    text=st.text(max_size=200) | st.lists(st.text("abcXYZ019-_=", max_size=40), min_size=3, max_size=3).map(".".join)
)
def test_whatever_is_sent_is_denied_with_the_one_error(make_provider, text):
    refused(make_provider(), text)


@given(header=JSON, payload=JSON, signature=st.binary(max_size=70))
def test_whatever_json_is_sent_is_denied_with_the_one_error(make_provider, header, payload, signature):
    refused(make_provider(), f"{encode(header)}.{encode(payload)}.{encode(signature)}")


CLAIMS = ("iss", "aud", "sub", "iat", "nbf", "exp", "benne_role", "benne_recipient", "benne_purposes")


@given(claims=st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1))
def test_even_what_the_provider_signs_is_taken_or_denied_and_nothing_else(make_provider, claims):
    provider = make_provider()
    try:
        principal = provider.verifier.authenticate(provider.token(**claims))
    except AccessDenied:
        return
    assert principal.role in {"recipient", "member", "compliance", "data_scientist", "admin"}


# ------------------------------------------------------------------ rules


def test_no_rule_can_allow_a_shared_secret_or_none():
    assert not {name for name in ALGORITHMS if name.startswith("HS") or name.lower() == "none"}
    for algorithms in (("none",), ("HS256",), ("Ed25519", "HS512"), ()):
        with pytest.raises(CredentialError, match="Algorithms must be among"):
            TokenRules(issuer="i", audience="a", algorithms=algorithms)


def test_rules_name_both_parties_and_little_leeway():
    for changes in ({"issuer": ""}, {"audience": ""}):
        with pytest.raises(CredentialError, match="issuer and audience must be named"):
            TokenRules(**{"issuer": "i", "audience": "a", **changes})
    with pytest.raises(CredentialError, match="Leeway must be"):
        TokenRules(issuer="i", audience="a", leeway=timedelta(minutes=6))


def test_claims_may_have_other_names_and_fewer_algorithms_may_be_allowed(provider):
    names = ClaimNames(role="https://benne.example/role", recipient="client", purposes="scope")
    rules = replace(provider.rules, claims=names, algorithms=("ES256",))
    verifier = TokenVerifier(provider.keys, rules, clock=provider.clock, subject_of=provider.subject_of)
    claims = {"https://benne.example/role": "recipient", "client": "bank", "scope": "rental", "benne_role": ...}
    principal = verifier.authenticate(provider.token("ec", **claims))
    assert (principal.recipient, principal.purposes) == ("bank", {"rental"})
    with pytest.raises(AccessDenied, match="known and current"):
        verifier.authenticate(provider.token("ed", **claims))
