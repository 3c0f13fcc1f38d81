"""The same small platform with a signer, and one in another place."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benne.scoring import ConsentLedger
from benne.scoring.signing import Ed25519Signer


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture
def reopened() -> Callable[..., None]:
    """The same store under a ledger made in another way."""
    numbers = itertools.count(1)

    def reopen(platform, **options):
        platform.ledger = ConsentLedger(
            platform.store, clock=platform.clock, ids=lambda: f"re-{next(numbers):08d}", **options
        )

    return reopen
