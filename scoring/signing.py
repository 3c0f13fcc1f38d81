"""Signed statements: compact JWS over canonical JSON with an Ed25519 key, verified offline with the public key.

The algorithm is named ``Ed25519`` (RFC 9864); nothing else is signed with or accepted, whatever a token's header says.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from benne.errors import SignatureInvalid, SigningKeyError
from benne.scoring.audit.key_files import read_private_key, read_public_key
from benne.scoring.canonical import canonical_json

__all__ = ["ALGORITHM", "Ed25519Signer", "Signer", "read_public_keys", "read_signer", "verify"]

ALGORITHM: Final = "Ed25519"
_CURVE: Final = "Ed25519"
_LONGEST: Final = 64 * 1024  # characters


class Signer(Protocol):
    """Whatever holds a signing key: a file, or a key service that never gives it out."""

    @property
    def kid(self) -> str:
        """Which key it is; verifiers find the public half under this id."""
        ...

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """A compact JWS over the claims in canonical JSON, with ``alg``, ``kid`` and ``typ`` in its header."""
        ...


class Ed25519Signer:
    """Signs with a private key held in memory.

    Parameters
    ----------
    key : Ed25519PrivateKey
    kid : str, optional
        By default the key's thumbprint (RFC 7638).

    Examples
    --------
    >>> signer = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    >>> token = signer.sign({"score": "not in here"}, typ="example+jwt")
    >>> verify(token, signer.public_keys(), typ="example+jwt")
    {'score': 'not in here'}
    >>> verify(token, signer.public_keys(), typ="another+jwt")
    Traceback (most recent call last):
    ...
    benne.errors.SignatureInvalid: A signed statement must be of the kind that was asked for, got another. ...
    """

    def __init__(self, key: Ed25519PrivateKey, kid: str | None = None) -> None:
        self._key = OKPKey.import_key(key)
        self._kid = self._key.thumbprint() if kid is None else kid

    def __repr__(self) -> str:
        """The id of the key, never the key."""
        return f"Ed25519Signer(kid={self._kid!r})"

    @property
    def kid(self) -> str:
        """Which key it is."""
        return self._kid

    def sign(self, claims: Mapping[str, Any], typ: str) -> str:
        """A compact JWS over the claims."""
        header = {"alg": ALGORITHM, "kid": self._kid, "typ": typ}
        return jws.serialize_compact(header, canonical_json(claims), self._key, algorithms=[ALGORITHM])

    def public_keys(self) -> dict[str, Any]:
        """The public half as a JWK set, for everybody who is to verify."""
        return {"keys": [_public_jwk(self._key, self._kid)]}


def verify(token: str, jwks: Mapping[str, Any], typ: str) -> dict[str, Any]:
    """The claims of a token, once its signature holds.

    Parameters
    ----------
    token : str
        Compact JWS.
    jwks : mapping
        JWK set with the public key.
    typ : str
        What kind of statement it must be; one kind never passes for another.

    Raises
    ------
    SignatureInvalid
        If it is no such token, of another kind, signed with a key that is not in the set, or changed since.
    SigningKeyError
        If the set holds no Ed25519 key.
    """
    header = _header(token)
    if header.get("typ") != typ:
        raise SignatureInvalid(
            "A signed statement must be of the kind that was asked for, got another. Verify it as what it says it is."
        )
    key = _key_of(jwks, header.get("kid"))
    try:
        payload = jws.deserialize_compact(token, key, algorithms=[ALGORITHM]).payload
        claims = json.loads(payload)
    except (JoseError, ValueError, RecursionError):
        raise _invalid("be signed by that key and unchanged since, got something else") from None
    if not isinstance(claims, dict):
        raise _invalid("hold a JSON object, got something else")
    return claims


def read_signer(path: str | Path) -> Ed25519Signer:
    """A signer from a private key that only its owner can read: PEM (``benne audit keys new``) or a JWK.

    Raises
    ------
    SigningKeyError, AnchorError
        If the file is missing, open to others, or holds no Ed25519 private key.
    """
    jwk = _json_of(Path(path))
    if jwk is None:
        return Ed25519Signer(read_private_key(Path(path)))
    if Path(path).stat().st_mode & 0o077:
        raise SigningKeyError(f"{path} must be closed to others, and is not. Close it: chmod 600 {path}")
    key = _import(jwk)
    if not isinstance(key.private_key, Ed25519PrivateKey):
        raise SigningKeyError(f"{path} must hold a private key, got a public one. Name the private key's file.")
    return Ed25519Signer(key.private_key, jwk.get("kid"))


def read_public_keys(path: str | Path) -> dict[str, Any]:
    """Public keys as a JWK set, from a file with a JWK set, one JWK, or PEM; private halves are left out.

    Raises
    ------
    SigningKeyError, AnchorError
        If the file is missing or holds no such key.
    """
    found = _json_of(Path(path))
    if found is None:
        return {"keys": [_public_jwk(OKPKey.import_key(read_public_key(Path(path))), None)]}
    keys = found.get("keys", [found])
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise SigningKeyError(f"{path} must hold a JWK set, got something else. Name the file of public keys.")
    return {"keys": [_public_jwk(_import(key), key.get("kid")) for key in keys]}


def _header(token: str) -> dict[str, Any]:
    """The protected header of a token in its one spelling: base64 that decodes alike but differs is refused."""
    parts = token.split(".") if isinstance(token, str) and len(token) <= _LONGEST and token.isascii() else []
    try:
        segments = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts]
        spelled = [urlsafe_b64encode(segment).rstrip(b"=").decode() for segment in segments]
        header = json.loads(segments[0]) if len(parts) == 3 and spelled == parts else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or set(header) != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM:
        raise _invalid(f"be a compact JWS of {ALGORITHM} with alg, kid and typ, got something else")
    return header


def _key_of(jwks: Mapping[str, Any], kid: object) -> OKPKey:
    keys = [(jwk.get("kid"), _import(jwk)) for jwk in jwks.get("keys", ()) if jwk.get("crv") == _CURVE]
    if not keys:
        raise SigningKeyError("A JWK set must hold an Ed25519 key, got none. Ask the issuer for their public keys.")
    for name, key in keys:
        if kid in (name, key.thumbprint()):
            return key
    raise _invalid("name one of the given keys, got another")


def _import(jwk: Mapping[str, Any]) -> OKPKey:
    try:
        # Only what makes the key: a file's use, alg and key_ops must not decide what it is good for.
        key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d") if name in jwk})
        public = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):  # its text may be the secret, so nothing of it is said
        public = None
    if not isinstance(public, Ed25519PublicKey):
        raise SigningKeyError("A JWK must be an Ed25519 key (kty OKP), got something else. Name the key's file.")
    return key


def _public_jwk(key: OKPKey, kid: str | None) -> dict[str, Any]:
    name = key.thumbprint() if kid is None else kid
    return {**key.as_dict(private=False), "kid": name, "alg": ALGORITHM, "use": "sig"}


def _json_of(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where it holds something else, such as PEM."""
    if not path.is_file():
        raise SigningKeyError(f"{path} must be a key file, got none. Make a pair: benne audit keys new {path}")
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _invalid(must: str) -> SignatureInvalid:
    return SignatureInvalid(f"A signed statement must {must}. Do not rely on it.")
