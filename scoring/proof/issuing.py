"""A proof made: one statement, for one recipient, one occasion and a few minutes. Pure but for the signer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from benne.errors import ProofNotIssued
from benne.scoring.proof.statement import KnownScore, ProofAsked, Statement
from benne.scoring.signing import Signer

__all__ = ["PROOF_TYPE", "issue", "stated"]

PROOF_TYPE: Final = "benne-proof+jwt"
"""What the header of every proof says it is: nothing else signed by Benne passes for one."""

_SECOND: Final = timedelta(seconds=1)
_LEAST_OF_AN_ID: Final = 16


def stated(asked: ProofAsked, known: KnownScore) -> Statement:
    """What may be stated: what was asked for, if it is so. The score counts in whole points, as it is shown.

    Raises
    ------
    ProofNotIssued
        If it is not so. Nothing is made then: that somebody lacks a proof says little.
    """
    shown, as_of = round(known.score), known.as_of.date()
    if asked.kind == "exact":
        return Statement(kind="exact", as_of=as_of, score=shown)
    if asked.kind == "band":
        for band in known.bands:
            if band.lowest <= shown <= band.highest:
                return Statement(kind="band", as_of=as_of, band=band)
        raise ProofNotIssued("A score must be in a band of the scale, got none. Pass the model's own bands.")
    if asked.mark is None or (shown >= asked.mark) != (asked.kind == "at_least"):
        raise ProofNotIssued("What a proof states must be so, and it is not. Choose another statement.")
    return Statement(kind=asked.kind, as_of=as_of, mark=asked.mark)


def issue(asked: ProofAsked, known: KnownScore, *, issuer: str, signer: Signer, now: datetime, jti: str) -> str:
    """A proof as a compact JWS.

    Parameters
    ----------
    asked : ProofAsked
    known : KnownScore
    issuer : str
        Address of this Benne, under which its public keys are found.
    signer : Signer
    now : datetime
        Timezone-aware.
    jti : str
        Drawn anew at random for each proof; never a decision's or member's id.

    Raises
    ------
    ProofNotIssued
        If the statement is not so, or issuer or jti are not of their kind.

    Examples
    --------
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> from benne.scoring.signing import Ed25519Signer
    >>> from benne.scoring.wiring import random_id, system_clock
    >>> signer = Ed25519Signer(Ed25519PrivateKey.generate())
    >>> asked = ProofAsked(kind="at_least", mark=650, audience="https://landlord.example", nonce="n" * 16)
    >>> made = dict(issuer="https://scores.example", signer=signer, now=system_clock(), jti=random_id())
    >>> issue(asked, KnownScore(700.0, system_clock()), **made).count(".")
    2
    >>> issue(asked, KnownScore(640.0, system_clock()), **made)
    Traceback (most recent call last):
    ...
    benne.errors.ProofNotIssued: What a proof states must be so, and it is not. Choose another statement.
    """
    if not issuer or len(jti) < _LEAST_OF_AN_ID:
        raise ProofNotIssued("A proof must have an issuer and a random id, got none or a short one. Pass both.")
    if now.tzinfo is None:
        raise ProofNotIssued("now must be timezone-aware, got a naive moment. Attach its zone.")
    begins = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": asked.audience,
        "nonce": asked.nonce,
        "jti": jti,
        "iat": begins,
        "nbf": begins,
        "exp": begins + asked.lifetime // _SECOND,
        "statement": stated(asked, known).as_claim(),
    }
    if asked.purpose is not None:
        claims["purpose"] = asked.purpose
    if asked.holder_key is not None:
        claims["cnf"] = {"jwk": dict(asked.holder_key)}
    return signer.sign(claims, PROOF_TYPE)
