"""Signed statements: nothing but what was signed, with that key, as that kind, in that spelling."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from benne.errors import AnchorError, SignatureInvalid, SigningKeyError
from benne.scoring.audit.key_files import write_key_pair
from benne.scoring.canonical import canonical_json
from benne.scoring.signing import Ed25519Signer, read_public_keys, read_signer, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Ed25519Signer(KEY)
OTHER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
CLAIMS = {"b": [1, 2], "a": "ü"}
TOKEN = SIGNER.sign(CLAIMS, "kind+jwt")


def encoded(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def test_what_was_signed_is_what_is_read():
    assert verify(TOKEN, SIGNER.public_keys(), "kind+jwt") == CLAIMS


def test_the_same_claims_are_the_same_token():
    assert SIGNER.sign(dict(reversed(CLAIMS.items())), "kind+jwt") == TOKEN


def test_anybody_verifies_it_with_a_library_of_their_own():
    key = OKPKey.import_key({name: SIGNER.public_keys()["keys"][0][name] for name in ("kty", "crv", "x")})
    assert jws.deserialize_compact(TOKEN, key, algorithms=["Ed25519"]).payload == canonical_json(CLAIMS)


def test_the_key_is_known_by_its_thumbprint():
    (public,) = SIGNER.public_keys()["keys"]
    assert public["kid"] == SIGNER.kid == OKPKey.import_key(KEY).thumbprint()
    assert set(public) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert Ed25519Signer(KEY, "k-2026").kid == "k-2026"


def test_the_secret_is_in_no_repr():
    assert repr(SIGNER) == f"Ed25519Signer(kid={SIGNER.kid!r})"


def test_one_kind_never_passes_for_another():
    with pytest.raises(SignatureInvalid, match="of the kind that was asked for"):
        verify(TOKEN, SIGNER.public_keys(), "other+jwt")


def test_a_key_that_is_not_in_the_set_is_not_believed():
    with pytest.raises(SignatureInvalid, match="name one of the given keys"):
        verify(TOKEN, OTHER.public_keys(), "kind+jwt")
    posing = {"keys": [{**OTHER.public_keys()["keys"][0], "kid": SIGNER.kid}]}
    with pytest.raises(SignatureInvalid, match="signed by that key and unchanged"):
        verify(TOKEN, posing, "kind+jwt")


def test_no_character_can_be_changed():
    changed = {TOKEN[:place] + instead + TOKEN[place + 1 :] for place in range(len(TOKEN)) for instead in "Aa0_-."} - {
        TOKEN
    }
    assert len(changed) > 5 * (len(TOKEN) - 2)
    for token in changed:
        with pytest.raises(SignatureInvalid, match="must"):
            verify(token, SIGNER.public_keys(), "kind+jwt")


HEADER = {"alg": "Ed25519", "kid": SIGNER.kid, "typ": "kind+jwt"}
FORGERIES = {
    "no algorithm": f"{encoded({**HEADER, 'alg': 'none'})}.{encoded(CLAIMS)}.",
    "a public key as a shared secret": jws.serialize_compact(
        {**HEADER, "alg": "HS256"}, canonical_json(CLAIMS), OctKey.import_key(b"x" * 32), algorithms=["HS256"]
    ),
    "a key of its own in the header": SIGNER.sign(CLAIMS, "kind+jwt").replace(
        TOKEN.split(".")[0], encoded({**HEADER, "jwk": OTHER.public_keys()["keys"][0]})
    ),
    "a critical extension": f"{encoded({**HEADER, 'crit': ['b64'], 'b64': False})}.x.y",
    "the deprecated name of the algorithm": f"{encoded({**HEADER, 'alg': 'EdDSA'})}.{'.'.join(TOKEN.split('.')[1:])}",
    "no key id": f"{encoded({'alg': 'Ed25519', 'typ': 'kind+jwt'})}.{'.'.join(TOKEN.split('.')[1:])}",
    "nothing signed": TOKEN.rsplit(".", 1)[0] + ".",
    "no payload": f"{TOKEN.split('.')[0]}..{TOKEN.split('.')[2]}",
    "padding": TOKEN + "==",
    "an encrypted one": "a.b.c.d.e",
    "nothing": "",
    "far too much": TOKEN + "A" * 100_000,
    "deep nesting": f"{encoded(b'[' * 40_000)}.a.a",
    "other letters": "ü.ü.ü",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused(forgery):
    with pytest.raises(SignatureInvalid, match="must"):
        verify(FORGERIES[forgery], SIGNER.public_keys(), "kind+jwt")


@given(st.one_of(st.text(), st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.=")))
def test_whatever_comes_is_refused_by_name(token):
    with pytest.raises(SignatureInvalid, match="must"):
        verify(token, SIGNER.public_keys(), "kind+jwt")


def test_only_objects_are_statements():
    token = jws.serialize_compact(HEADER, b"[1]", OKPKey.import_key(KEY), algorithms=["Ed25519"])
    with pytest.raises(SignatureInvalid, match="hold a JSON object"):
        verify(token, SIGNER.public_keys(), "kind+jwt")


def test_key_files_in_pem_and_jwk_give_the_same_signer(tmp_path):
    public = write_key_pair(tmp_path / "sign.key", KEY)
    jwk = tmp_path / "sign.jwk"
    jwk.write_text(json.dumps(OKPKey.import_key(KEY).as_dict(private=True)))
    jwk.chmod(0o600)
    (tmp_path / "set.json").write_text(json.dumps(SIGNER.public_keys()))
    assert read_signer(tmp_path / "sign.key").sign(CLAIMS, "kind+jwt") == TOKEN
    assert read_signer(jwk).sign(CLAIMS, "kind+jwt") == TOKEN
    for path in (public, jwk, tmp_path / "set.json"):
        found = read_public_keys(path)
        assert verify(TOKEN, found, "kind+jwt") == CLAIMS
        assert "d" not in found["keys"][0]


def test_a_key_file_that_will_not_do_is_refused(tmp_path):
    with pytest.raises(SigningKeyError, match="must be a key file, got none"):
        read_signer(tmp_path / "none.key")
    opened = tmp_path / "open.jwk"
    opened.write_text(json.dumps(OKPKey.import_key(KEY).as_dict(private=True)))
    opened.chmod(0o644)
    with pytest.raises(SigningKeyError, match="closed to others"):
        read_signer(opened)
    public = tmp_path / "public.jwk"
    public.write_text(json.dumps(SIGNER.public_keys()["keys"][0]))
    public.chmod(0o600)
    with pytest.raises(SigningKeyError, match="must hold a private key"):
        read_signer(public)
    (tmp_path / "text").write_text("not a key")
    (tmp_path / "text").chmod(0o600)
    with pytest.raises(AnchorError, match="Ed25519 private key in PEM"):
        read_signer(tmp_path / "text")


@pytest.mark.parametrize(
    "jwk", [{"kty": "oct", "k": "AAAA"}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "OKP"}, {}]
)
def test_what_is_no_key_is_refused_without_being_repeated(tmp_path, jwk):
    (tmp_path / "key.json").write_text(json.dumps(jwk))
    with pytest.raises(SigningKeyError, match="must be an Ed25519 key") as refusal:
        read_public_keys(tmp_path / "key.json")
    assert "AA" not in str(refusal.value)


def test_a_key_of_another_curve_is_refused(tmp_path):
    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "ec.key").write_bytes(pem)
    (tmp_path / "ec.key").chmod(0o600)
    with pytest.raises(AnchorError, match="Ed25519"):
        read_signer(tmp_path / "ec.key")
    with pytest.raises(SigningKeyError, match="must hold an Ed25519 key"):
        verify(TOKEN, {"keys": []}, "kind+jwt")
