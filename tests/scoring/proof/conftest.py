"""Benne's key, a landlord who was never heard of, and a member with 683 points."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benne.scoring.proof import KnownScore, Proof, ProofAsked, issue, verify
from benne.scoring.signing import Ed25519Signer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER, AUDIENCE, NONCE = "https://scores.example", "https://landlord.example", "R4nD0m-0f-M1ne-1"


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))


@dataclass
class Desk:
    """Where proofs are issued and where they are shown."""

    signer: Ed25519Signer = field(default_factory=lambda: Ed25519Signer(key(1)))
    now: datetime = NOON
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def issue(self, kind: str = "at_least", score: float = 683.0, signer: Any = None, **changes: Any) -> str:
        asked = {"kind": kind, "audience": AUDIENCE, "nonce": NONCE, **changes}
        if kind in ("at_least", "below"):
            asked.setdefault("mark", 650)
        known = KnownScore(score, NOON - timedelta(days=1))
        jti = f"proof-{next(self.numbers):032}"
        return issue(ProofAsked(**asked), known, issuer=ISSUER, signer=signer or self.signer, now=self.now, jti=jti)

    def verify(self, token: str, later: timedelta = timedelta(0), **changes: Any) -> Proof:
        told = {"audience": AUDIENCE, "nonce": NONCE, "now": self.now + later, **changes}
        jwks = told.pop("jwks", self.signer.public_keys())
        return verify(token, jwks, **told)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def make_desk() -> type[Desk]:
    return Desk


@pytest.fixture(scope="session")
def key_number() -> Callable[[int], Ed25519PrivateKey]:
    return key
