"""A proof checked by whoever it is for: offline, with the issuer's public keys and nothing else of Benne's."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from benne.errors import ProofRejected, SignatureInvalid
from benne.scoring.proof.issuing import PROOF_TYPE
from benne.scoring.proof.statement import LONGEST, Statement
from benne.scoring.signing import verify as verify_signature

__all__ = ["LEEWAY", "Proof", "verify"]

LEEWAY: Final = timedelta(seconds=30)
"""By how much the clocks of issuer and recipient may differ."""

_REQUIRED: Final = frozenset({"iss", "aud", "nonce", "jti", "iat", "nbf", "exp", "statement"})
_OPTIONAL: Final = frozenset({"purpose", "cnf"})
_LONGEST_TEXT: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that holds.

    Attributes
    ----------
    statement : Statement
    issuer, audience, jti : str
    purpose : str or None
        The one it was made for; to be used for nothing else.
    issued_at, expires_at : datetime
        UTC.
    holder_key : mapping or None
        Public JWK of who is to show it. Ask them to sign a fresh challenge with it; without that, whoever has the
        proof can show it, to this audience and until it ends.
    """

    statement: Statement
    issuer: str
    audience: str
    jti: str
    purpose: str | None
    issued_at: datetime
    expires_at: datetime
    holder_key: Mapping[str, Any] | None


def verify(
    token: str, jwks: Mapping[str, Any], *, audience: str, nonce: str, now: datetime, issuer: str | None = None
) -> Proof:
    """What a proof states, if it may be relied on.

    Parameters
    ----------
    token : str
    jwks : mapping
        The issuer's public keys, got from the issuer and not from whoever shows the proof.
    audience, nonce : str
        One's own name, and what one drew for this occasion.
    now : datetime
        Timezone-aware.
    issuer : str, optional
        Whose proof it must be; needed where one set holds keys of several.

    Raises
    ------
    ProofRejected
        If it is forged, changed, of another kind, for another audience or occasion, over, or not yet begun.
    SigningKeyError
        If the set holds no Ed25519 key.

    Examples
    --------
    >>> verify("e30.e30.e30", {"keys": []}, audience="a", nonce="n", now=datetime.now(UTC))
    Traceback (most recent call last):
    ...
    benne.errors.ProofRejected: A proof must be signed by the issuer and unchanged, got something else. ...
    """
    try:
        claims = verify_signature(token, jwks, PROOF_TYPE)
    except SignatureInvalid:
        raise _rejected("be signed by the issuer and unchanged, got something else") from None
    if not set(claims) >= _REQUIRED or not set(claims) <= _REQUIRED | _OPTIONAL:
        raise _rejected("have the claims of one, got others")
    if not _same(claims["aud"], audience):
        raise _rejected("be made for this recipient, got one for another")
    if not _same(claims["nonce"], nonce):
        raise _rejected("be made for this occasion, got one for another")
    if issuer is not None and not _same(claims["iss"], issuer):
        raise _rejected("be of this issuer, got one of another")
    begins, ends = _period(claims, now)
    return _proof(claims, begins, ends)


def _period(claims: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    try:
        issued, begins, ends = (_moment(claims[name]) for name in ("iat", "nbf", "exp"))
    except (ValueError, OverflowError, OSError):
        raise _rejected("say when it begins and ends, got something else") from None
    if now - LEEWAY >= ends:
        raise _rejected("not have ended, got one that has")
    if now + LEEWAY < max(issued, begins):
        raise _rejected("have begun, got one that has not")
    if ends - issued > LONGEST:
        raise _rejected(f"hold {LONGEST // timedelta(minutes=1)} minutes at most, got a longer one")
    return issued, ends


def _proof(claims: Mapping[str, Any], begins: datetime, ends: datetime) -> Proof:
    jti, purpose, confirmation = claims["jti"], claims.get("purpose"), claims.get("cnf")
    texts = (claims["iss"], jti, *(() if purpose is None else (purpose,)))
    holder = confirmation.get("jwk") if isinstance(confirmation, dict) else None
    try:
        statement = Statement.from_claim(claims["statement"])
    except (ValueError, TypeError, KeyError):
        statement = None
    if statement is None or not all(isinstance(text, str) and 0 < len(text) <= _LONGEST_TEXT for text in texts):
        raise _rejected("state one thing about a score, got something else")
    if "cnf" in claims and not isinstance(holder, dict):
        raise _rejected("name its holder's key whole, got something else")
    return Proof(
        statement=statement, issuer=claims["iss"], audience=claims["aud"], jti=jti, purpose=purpose,
        issued_at=begins, expires_at=ends, holder_key=holder,
    )  # fmt: skip


def _same(claim: object, expected: str) -> bool:
    return isinstance(claim, str) and hmac.compare_digest(claim.encode(errors="surrogatepass"), expected.encode())


def _moment(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ValueError("no moment")
    return datetime.fromtimestamp(seconds, UTC)


def _rejected(must: str) -> ProofRejected:
    return ProofRejected(f"A proof must {must}. Do not rely on it.")
